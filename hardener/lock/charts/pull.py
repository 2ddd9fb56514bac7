"""Charts pulled: which version is meant, and its archive, checked against what its place says of it.

Source: helm.sh/docs/topics/registries and helm/helm pkg/registry (media types), pkg/repo/index.go and fluxcd
source-controller internal/helm (which version: the one that is written so, else the newest that the range allows).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from msgspec import Struct

from hardener.kubernetes.images.reference import is_digest, normalize
from hardener.lock.charts import repository_index
from hardener.lock.charts.reference import NEWEST, OCI, ChartReference
from hardener.lock.charts.repository_index import IndexedChart
from hardener.lock.oci.client import INDEXES, Client, Manifest
from hardener.lock.oci.image import anywhere
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import host_of
from hardener.support.version_ranges import best, is_whole

LARGEST = 64 << 20  # bytes of an archive
_INDEX = "index.yaml"
# Of a manifest: what it is about, and the layer that is the archive.
_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_ARCHIVES = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip")
_Index = dict[str, list[IndexedChart]]


class Pulled(Struct, frozen=True):
    """An archive, its digest, and that of the manifest where it came from a registry. ``version``: what its place
    calls it, "" where that says none."""

    archive: bytes
    digest: str
    version: str = ""
    manifest: str | None = None


class ChartClient:
    """Asks the places of charts; threads share it. ``wanted`` are all charts of a run: an index is read once, for all
    of them. ``tell`` hears how many bytes came."""

    def __init__(self, client: Client, wanted: Collection[ChartReference], tell: Callable[[int], object]) -> None:
        self._client, self._tell = client, tell
        self._names: dict[str, set[str]] = {}
        for reference in wanted:
            self._names.setdefault(reference.repository, set()).add(reference.name)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._indexes: dict[str, _Index | RegistryError] = {}

    def pull(self, reference: ChartReference) -> Pulled:
        """The chart that ``reference`` means now. Raises RegistryError."""
        try:
            if reference.is_oci:
                return self._from_registry(reference)
            if reference.is_archive:
                return self._archive(reference.place, "", None)
            return self._from_repository(reference)
        except ValueError as error:
            raise RegistryError(f"{reference.version}: {error}") from None

    # A repository with an index.

    def _from_repository(self, reference: ChartReference) -> Pulled:
        host = host_of(reference.repository)
        charts = self._index(reference.repository).get(reference.name)
        if not charts:
            raise RegistryError(f"{host}: its index.yaml has no chart {reference.name}")
        wanted = "" if reference.version == NEWEST else reference.version
        chosen = best(wanted, ((chart.version, chart) for chart in charts))
        if chosen is None:
            raise RegistryError(f"{host}: its index.yaml has no version {reference.version} of {reference.name}")
        base = f"{reference.repository}/"
        return self._archive(urljoin(base, chosen.address), chosen.version, chosen.digest, via=(f"{base}{_INDEX}",))

    def _index(self, repository: str) -> _Index:
        with self._lock:
            own = self._locks.setdefault(repository, threading.Lock())
        with own:
            if repository not in self._indexes:
                self._indexes[repository] = self._read_index(repository)
        found = self._indexes[repository]
        if isinstance(found, RegistryError):
            raise RegistryError(str(found), found.status)
        return found

    def _read_index(self, repository: str) -> _Index | RegistryError:
        host, names = host_of(repository), self._names[repository]

        def take(chunks: Iterator[bytes]) -> _Index:
            return repository_index.read(self._told(chunks), names, host)

        try:
            return self._client.fetch(f"{repository}/{_INDEX}", take)
        except RegistryError as failure:
            if failure.status == 404:
                return RegistryError(f"{host}: has no index.yaml there (404)", 404)
            return failure

    def _archive(self, url: str, version: str, digest: str | None, via: tuple[str, ...] = ()) -> Pulled:
        host = host_of(url)
        archive = self._client.fetch(url, lambda chunks: self._whole(chunks, host), via)
        found = hashlib.sha256(archive).hexdigest()
        if digest is not None and digest != found:
            raise RegistryError(f"{host}: what it sends is not what the digest in its index.yaml says")
        return Pulled(archive, f"sha256:{found}", version)

    # A registry.

    def _from_registry(self, reference: ChartReference) -> Pulled:
        host, _, path = reference.place.removeprefix(OCI).partition("/")
        # A name without a dot is a host in an address, where an image would be one of Docker Hub.
        repository = normalize(f"{host}/{path}") if re.search("[.:]|^localhost$", host) else f"{host}/{path}"

        def ask(place: Place) -> Pulled:
            return self._at(place, reference)

        return anywhere(self._client, repository, ask)

    def _at(self, place: Place, reference: ChartReference) -> Pulled:
        name = self._name(place, reference)
        try:
            manifest = self._client.manifest(place, name)
        except RegistryError as failure:
            if failure.status == 404:
                raise RegistryError(f"{place.host}: has no {reference} (404)", 404) from None
            raise
        digest = _layer(place, manifest)
        archive = self._client.layer(place, digest, lambda chunks: self._whole(chunks, place.host))
        if f"sha256:{hashlib.sha256(archive).hexdigest()}" != digest:
            raise RegistryError(f"{place.host}: what it sends is not what its digest says")
        version = "" if is_digest(name) else name.replace("_", "+")
        return Pulled(archive, digest, version, manifest.digest)

    def _name(self, place: Place, reference: ChartReference) -> str:
        """The tag or digest to ask for."""
        wanted = reference.version
        if reference.is_tag or is_digest(wanted):
            return wanted
        if is_whole(wanted):
            return wanted.replace("+", "_")
        try:
            tags = [(tag.replace("_", "+"), tag) for tag in self._client.tags(place)]
        except RegistryError as failure:
            if failure.status == 404:
                raise RegistryError(f"{place.host}: has no chart {reference.name} (404)", 404) from None
            raise
        chosen = best("" if wanted == NEWEST else wanted, tags)
        if chosen is None:
            raise RegistryError(f"{place.host}: has no version {wanted} of {reference.name}", 404)
        return chosen

    # Bytes.

    def _whole(self, chunks: Iterable[bytes], host: str) -> bytes:
        found = bytearray()
        for chunk in self._told(chunks):
            found += chunk
            if len(found) > LARGEST:
                raise RegistryError(f"{host}: its archive is larger than {LARGEST >> 20} MiB")
        return bytes(found)

    def _told(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._tell(len(chunk))
            yield chunk


def _layer(place: Place, manifest: Manifest) -> str:
    """The digest of the archive that a manifest names. Raises RegistryError where it is none of a chart."""
    content: Mapping[str, Any] = manifest.content
    layers = [] if manifest.media_type in INDEXES else content.get("layers")
    found = [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    wanted = [layer.get("digest") for layer in found if layer.get("mediaType") in _ARCHIVES]
    if manifest.media_type in INDEXES or content["config"].get("mediaType") != _CONFIG or len(wanted) != 1:
        raise RegistryError(f"{place.host}: has something there that is no chart")
    if not is_digest(wanted[0]) or not str(wanted[0]).startswith("sha256:"):
        raise RegistryError(f"{place.host}: a manifest names an archive by no digest")
    return str(wanted[0])
