"""The files of an image, from its layers: which of its platforms is read, and what of it is remembered for the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from hardener.kubernetes.images.reference import is_digest
from hardener.lock.oci.client import INDEXES, Client, Manifest
from hardener.lock.oci.file_facts import facts, secrets_of
from hardener.lock.oci.image import anywhere, platform_name
from hardener.lock.oci.image_root import ImageRoot
from hardener.lock.oci.layer import Layer, read
from hardener.lock.oci.limits import Limits, Spent, Unreadable
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError

# The platform that is read is the first of these, else the first linux platform in the order of the names.
_PREFERRED = ("linux/amd64", "linux/arm64", "linux/arm64/v8")
_LAYER_TYPES = ("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar")
_FOREIGN = (
    "application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar",
)  # fmt: skip
_PACKED = ("", "+gzip", ".gzip", "+zstd", ".zstd")
_MOST_LAYERS = 512
_KEPT = 200_000  # members of the layers that are remembered


class Layers:
    """Reads images; threads share it. Images that share layers share what was read of them."""

    def __init__(self, client: Client, limits: Limits, tell: Callable[[int], object]) -> None:
        self._client, self._limits, self._tell = client, limits, tell
        self._kept: OrderedDict[str, Layer] = OrderedDict()
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}  # by digest: held while a layer is read

    def facts(self, normalized: str, digest: str, writer: tuple[int, int]) -> dict[str, Any]:
        """What the lock says of the files of an image; ``writer`` as in ``file_facts.facts``. Raises RegistryError."""

        def ask(place: Place) -> dict[str, Any] | Unreadable:
            try:
                platform, manifest, blob = self._image(place, self._client.manifest(place, digest))
                root, secrets = self._root(place, manifest)
                said = blob.get("config")
                found = {"platform": platform, **facts(root, said if isinstance(said, dict) else {}, writer)}
                return {**found, "secrets": secrets} if secrets else found
            except Unreadable as problem:
                return problem  # there is no use in asking elsewhere

        found = anywhere(self._client, normalized, ask)
        if isinstance(found, Unreadable):
            raise found
        return found

    def _image(self, place: Place, manifest: Manifest) -> tuple[str, Manifest, dict[str, Any]]:
        """The platform that is read, its manifest and its config."""
        if manifest.media_type in INDEXES:
            found: dict[str, object] = {}
            for entry in manifest.content["manifests"]:
                platform = entry.get("platform") if isinstance(entry, dict) else None
                if isinstance(platform, dict) and platform.get("os") == "linux":
                    found.setdefault(platform_name(platform), entry.get("digest"))
            names = [*(name for name in _PREFERRED if name in found), *sorted(found)]
            if not names:
                raise Unreadable("it has no linux platform, whose files could be read")
            digest = found[names[0]]
            if not is_digest(digest):
                raise RegistryError(f"{place.host}: an index names a manifest by no digest")
            manifest = self._client.manifest(place, str(digest))
            if manifest.media_type in INDEXES:
                raise RegistryError(f"{place.host}: an index holds an index")
        blob = self._client.blob(place, manifest.content["config"].get("digest"))
        if blob.get("os") != "linux":
            raise Unreadable("it has no linux platform, whose files could be read")
        return platform_name(blob), manifest, blob

    def _root(self, place: Place, manifest: Manifest) -> tuple[ImageRoot, dict[str, str]]:
        """The files of an image, and those of any of its layers that hold a credential, with what it is."""
        described = manifest.content.get("layers")
        layers = [_described(one) for one in described] if isinstance(described, list) else []
        if not layers or len(layers) > _MOST_LAYERS:
            raise Unreadable("it has no layers" if not layers else f"it has more than {_MOST_LAYERS} layers")
        # What it says of itself may be wrong, and saves a download where it is not.
        Spent(sum(size for _, size in layers)).check(self._limits)
        root, spent, secrets = ImageRoot(), Spent(), dict[str, str]()
        for digest, _ in layers:
            layer = self._layer(place, digest, spent)
            spent.add(layer.spent)
            spent.check(self._limits)
            root.put(layer)
            secrets |= dict(layer.secrets)
        return root, secrets_of(root, secrets)

    def _layer(self, place: Place, digest: str, spent: Spent) -> Layer:
        with self._lock:
            reading = self._reading.setdefault(digest, threading.Lock())
        with reading:  # whoever comes second finds what the first has read
            return self._known(digest) or self._fetched(place, digest, spent)

    def _known(self, digest: str) -> Layer | None:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)

    def _fetched(self, place: Place, digest: str, spent: Spent) -> Layer:
        def take(chunks: Iterator[bytes]) -> Layer:
            try:
                return read(chunks, digest, self._limits, spent, self._tell)
            except Unreadable:
                raise
            except RegistryError as failure:
                raise RegistryError(f"{place.host}: {failure}") from None

        found = self._client.layer(place, digest, take)
        with self._lock:
            self._kept[digest] = found
            while sum(layer.spent.members for layer in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _described(descriptor: object) -> tuple[str, int]:
    """Digest and size of a layer. A layer that stands elsewhere is not fetched from there."""
    said = descriptor if isinstance(descriptor, dict) else {}
    media_type, digest, size = (said.get(key) for key in ("mediaType", "digest", "size"))
    kinds = {f"{base}{packed}" for base in _LAYER_TYPES for packed in _PACKED}
    if said.get("urls") or str(media_type).startswith(_FOREIGN):
        raise Unreadable("it has layers that are not its registry's to give")
    if media_type not in kinds:
        raise Unreadable("it has a layer of a type that is not known")
    if not is_digest(digest) or not isinstance(size, int) or size < 0:
        raise Unreadable("it has a layer that is named by no digest")
    return str(digest), size
