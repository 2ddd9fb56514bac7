"""Digests, manifests and configs by their names, each checked against its digest.

The user is trusted, a repository is not: what its ``.harden.yaml`` says of registries neither takes TLS away nor brings
a stranger between the user and a registry that they log in to.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from hardener.authoring import user_config
from hardener.authoring.config import NAME, Registry
from hardener.kubernetes.images.reference import is_digest
from hardener.lock.oci import credentials
from hardener.lock.oci.credentials import HUB
from hardener.lock.oci.login import Finder, Logins
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import Answer, Taker, Transport, host_of, is_loopback, same_server
from hardener.support.shell_words import command

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MEDIA_TYPES = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)
# All four at once: a registry that is asked for less gives an old format, or one platform, with another digest.
_ACCEPT = ", ".join(MEDIA_TYPES)
_HUB_HOST = "registry-1.docker.io"
_LIMIT = 4 << 20  # bytes of a manifest or config, as registries limit them
_KEPT_BYTES = 32 << 20  # of manifests and configs that are kept for the next who asks
_LAYER_SECONDS, _SLOWEST = 60.0, 64 << 10  # for a layer, and one more for each so many bytes of it
_TAGS_AT_ONCE, _MOST_PAGES = 1000, 100
_T = TypeVar("_T")


class Manifest(Struct, frozen=True):
    """A manifest or index as it was sent, and its digest."""

    digest: str
    media_type: str
    content: dict[str, Any]


class Client:
    """A client for all registries of a run; threads share it. ``settings`` are those of the user, by host;
    ``repository`` are those of ``.harden.yaml``, which count as far as they can do no harm: the rest is named in
    ``unheeded``, by host, once somebody asks for it.
    """

    def __init__(
        self,
        settings: Mapping[str, Registry] | None = None,
        *,
        repository: Mapping[str, Registry] | None = None,
        find_login: Finder = credentials.find,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.configs: dict[str, tuple[str, dict[str, Any]]] = {}  # what was read of them, by digest
        self.unheeded: dict[str, str] = {}
        self._answers: dict[str, Any] = {}  # manifests and configs by their address, which names their digest
        self._kept_bytes = 0
        self._settings = settings or {}
        self._repository = repository or {}
        self._find_login = find_login
        self._transport = Transport(self.is_plain, pause, self._is_named)
        self._logins = Logins(self._transport, self.is_plain, self._may_log_in, find_login)

    def close(self) -> None:
        self._transport.close()

    def places(self, normalized: str) -> list[Place]:
        """Where to ask for a repository that is spelled out: the mirrors of its registry, then the registry itself."""
        host, _, path = normalized.partition("/")
        named = self._settings[host].mirrors if host in self._settings else ()
        itself = Place(_HUB_HOST if host == HUB else host, path, host)
        if named:
            return [*(_mirror(mirror, path) for mirror in named), itself]
        return [*self._harmless(host, path), itself]

    def _harmless(self, host: str, path: str) -> list[Place]:
        """The mirrors of a registry that only ``.harden.yaml`` names, without those that logins keep away."""
        said = self._repository.get(host)
        if said is None:
            return []
        where = f"write it to {user_config.shown()} or to a file for --registries"
        if said.insecure and not self.is_plain(host):
            self.unheeded[f"{host} insecure"] = f"{NAME} alone cannot take TLS away: {where}"
        found = []
        for mirror in said.mirrors:
            place = _mirror(mirror, path)
            for name, repository in ((host, path), (place.login, place.repository)):
                troubles: list[str] = []
                if self._find_login(name, repository, troubles) is not None or troubles:
                    why = f"whether there is a login for {name} is not known" if troubles else f"{name} has a login"
                    self.unheeded[f"{host} mirror {mirror}"] = f"{NAME} alone cannot name it, as {why}: {where}"
                    break
            else:
                found.append(place)
        return found

    def digest(self, place: Place, tag: str) -> str:
        """The digest that ``tag`` names now; what the registry says, unchecked unless it does not say it.

        Raises RegistryError.
        """
        answer = self._ask("HEAD", place, f"manifests/{tag}", _ACCEPT)
        named = answer.headers.get("docker-content-digest", "")
        if answer.status == 200 and is_digest(named):
            return named
        if answer.status == 404:
            raise self._failure(place, answer)
        return self.manifest(place, tag).digest

    def manifest(self, place: Place, name: str) -> Manifest:
        """The manifest that a tag or digest names. Raises RegistryError, too where it is not what its digest says."""
        kept = self._answers.get(_address(place, f"manifests/{name}"))
        if isinstance(kept, Manifest):
            return kept
        answer = self._ask("GET", place, f"manifests/{name}", _ACCEPT)
        if answer.status != 200:
            raise self._failure(place, answer)
        named = name if is_digest(name) else answer.headers.get("docker-content-digest") or "sha256:"
        digest = digest_of(answer.body, named.partition(":")[0])
        if digest is None or named not in (digest, "sha256:"):
            raise RegistryError(f"{place.host}: what it sends is not what its digest says")
        content = _mapping(answer.body)
        declared = answer.headers.get("content-type", "").partition(";")[0].strip()
        media_type = content.get("mediaType", declared) if content is not None else declared
        if content is None or media_type not in MEDIA_TYPES or declared not in (*MEDIA_TYPES, "application/json", ""):
            raise RegistryError(f"{place.host}: answers with no manifest of an image ({_short(declared)})")
        if not _is_what_it_says(content, is_index=media_type in INDEXES):
            raise RegistryError(f"{place.host}: answers with a manifest that is neither an index nor an image")
        found = Manifest(digest, str(media_type), content)
        self._keep(_address(place, f"manifests/{digest}"), found, len(answer.body))
        return found

    def blob(self, place: Place, digest: object) -> dict[str, Any]:
        """The JSON of a config. Raises RegistryError, too where it is not what its digest says."""
        if not is_digest(digest):
            raise RegistryError(f"{place.host}: a manifest names a config by no digest")
        address = _address(place, f"blobs/{digest}")
        kept: dict[str, Any] | None = self._answers.get(address)
        if kept is not None:
            return kept
        answer = self._ask("GET", place, f"blobs/{digest}", None)
        if answer.status != 200:
            raise self._failure(place, answer)
        content = _mapping(answer.body)
        if digest_of(answer.body, str(digest).partition(":")[0]) != digest:
            raise RegistryError(f"{place.host}: what it sends is not what its digest says")
        if content is None:
            raise RegistryError(f"{place.host}: a config is no JSON object")
        self._keep(address, content, len(answer.body))
        return content

    def layer(self, place: Place, digest: str, take: Callable[[Iterator[bytes]], _T]) -> _T:
        """What ``take`` makes of the bytes of a layer, as they come; it is called anew where they broke off. Nothing
        here checks them against ``digest``. Raises RegistryError, also what ``take`` raises."""
        taker = Taker(take, _LAYER_SECONDS, _SLOWEST)
        answer = self._ask("GET", place, f"blobs/{digest}", None, taker)
        if answer.status != 200:
            raise self._failure(place, answer)
        taken: _T = answer.taken
        return taken

    def tags(self, place: Place) -> Iterator[str]:
        """Yield the tags of a repository. Raises RegistryError, too for too many."""
        path, last = f"tags/list?n={_TAGS_AT_ONCE}", ""
        for _ in range(_MOST_PAGES):
            answer = self._ask("GET", place, path, None)
            if answer.status != 200:
                raise self._failure(place, answer)
            found = (_mapping(answer.body) or {}).get("tags") or []
            tags = [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []
            yield from tags
            # Where the next page is, is not asked of the registry, which may name any address.
            if not tags or tags[-1] == last or 'rel="next"' not in answer.headers.get("link", ""):
                return
            last = tags[-1]
            path = f"tags/list?n={_TAGS_AT_ONCE}&last={quote(last, safe='')}"
        raise RegistryError(f"{place.host}: has more tags there than are read: write the version out")

    def fetch(self, url: str, take: Callable[[Iterator[bytes]], _T], via: Sequence[str] = ()) -> _T:
        """What ``take`` makes of the bytes at ``url``, which needs no login; ``via`` are the addresses that named it.
        Raises RegistryError, also what ``take`` raises."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.username is not None:
            raise RegistryError(f"{host_of(url)}: names no address of an archive that can be asked")
        if parts.scheme == "http" and not self.is_plain(parts.netloc):
            own = f"write https://, or insecure: true for it to {user_config.shown()}"
            raise RegistryError(f"{host_of(url)}: its address has no TLS: {own}")
        taker = Taker(take, _LAYER_SECONDS, _SLOWEST)
        answer = self._transport.send("GET", url, {}, _LIMIT, taker=taker, via=via)
        if answer.status in (401, 403):
            raise RegistryError(
                f"{host_of(url)}: is for those who log in, which harden does in registries only", answer.status
            )
        if answer.status != 200:
            raise RegistryError(f"{host_of(url)}: answers {answer.status}", answer.status)
        taken: _T = answer.taken
        return taken

    def _keep(self, address: str, content: object, size: int) -> None:
        """For whoever asks again, as long as there is room; nobody changes what is kept."""
        if self._kept_bytes + size <= _KEPT_BYTES:
            self._kept_bytes += size
            self._answers[address] = content

    def _ask(self, method: str, place: Place, path: str, accept: str | None, taker: Taker | None = None) -> Answer:
        scheme = "http" if self.is_plain(place.host) else "https"
        url = f"{scheme}://{_address(place, path)}"
        for again in (False, True):  # without a login or with what is known, then with a fresh one
            headers = {"Accept": accept} if accept else {}
            used = self._logins.header(place)
            if used is not None:
                headers["Authorization"] = used
            answer = self._transport.send(method, url, headers, _LIMIT, taker=taker)
            if answer.status != 401 or again:
                break
            if not same_server(answer.sent_to[-1], url):  # whom a registry sends to does not speak for it
                raise RegistryError(f"{place.host}: sends to {host_of(answer.sent_to[-1])}, which wants a login", 401)
            asks = answer.headers.get("www-authenticate", "")
            if not self._logins.refused(asks, used, place, answer.sent_to):
                break
        return answer

    def _failure(self, place: Place, answer: Answer) -> RegistryError:
        status = answer.status
        if status in (401, 403):
            known = self._logins.has_login(place)
            if known and not self._may_log_in(place.host):
                near = is_loopback(place.host)
                own = f"write insecure: true for it to {user_config.shown()}" if near else "give it TLS"
                said = f"{place.host}: wants a login ({status}), which is sent over TLS only: {own}"
                return RegistryError(said, status)
            said = "the login for it is refused" if known else "not there, or for those who log in"
            advice = self._logins.trouble(place) or f": {command('docker login {}', place.login)}"
            return RegistryError(f"{place.host}: {said} ({status}){advice}", status)
        if status == 404:
            return RegistryError(f"{place.host}: no such image ({status})", status)
        return RegistryError(f"{place.host}: answers {status}", status)

    def is_plain(self, host: str) -> bool:
        """Whether ``host`` is spoken to without TLS: where the user says so, else on this machine. A repository may ask
        for TLS there."""
        said = self._settings[host].insecure if host in self._settings else None
        if said is None and host in self._repository and self._repository[host].insecure is False:
            return False
        return is_loopback(host) if said is None else said

    def _may_log_in(self, host: str) -> bool:
        """Whether a login may be sent to ``host``: over TLS, or within this machine where the user says so."""
        return not self.is_plain(host) or (is_loopback(host) and self._settings.get(host, Registry()).insecure is True)

    def _is_named(self, host: str) -> bool:
        return host in self._settings


def _mirror(mirror: str, path: str) -> Place:
    at, _, prefix = mirror.partition("/")
    return Place(at, f"{prefix}/{path}" if prefix else path, at)


def _address(place: Place, path: str) -> str:
    return f"{place.host}/v2/{place.repository}/{path}"


def digest_of(body: bytes, algorithm: str) -> str | None:
    """``sha256:...`` of ``body``; None for an algorithm that digests do not use."""
    if algorithm not in ("sha256", "sha512"):
        return None
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def _mapping(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_what_it_says(content: dict[str, Any], *, is_index: bool) -> bool:
    # One that can be read as both is read as another thing by the next program: CVE-2021-41190.
    if is_index:
        return isinstance(content.get("manifests"), list) and content.keys().isdisjoint({"config", "layers"})
    return isinstance(content.get("config"), dict) and "manifests" not in content


def _short(text: str) -> str:
    return text if re.fullmatch(r"[a-z0-9.+/-]{1,80}", text) else "of an unknown type"
