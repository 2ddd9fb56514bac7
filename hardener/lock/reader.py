"""``harden.lock`` as it is written, checked and made a ``Lock``. Every error is one line: file, line, key, remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from hardener.errors import InputError
from hardener.kubernetes.images.config import ImageConfig
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.reference import ImageReference, is_digest
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock import observed
from hardener.lock.charts import locked
from hardener.lock.model import VERSION, Lock, LockedImage
from hardener.lock.observed import Observation
from hardener.sources import yaml

_KEYS = "a lock has the keys version, generated-by, images and charts"
_NO_LOCK = "a lock is one mapping with the keys version, generated-by, images and charts"
_NO_DIGEST = "digest is no digest: write sha256: and the 64 hexadecimal digits that the registry names"
_Place = tuple[str | int, ...]
_Keys = TypeVar("_Keys", bound=Struct)


class _Head(Struct, forbid_unknown_fields=True, rename="kebab"):
    version: int
    images: dict[str, dict[str, Any]] = {}
    charts: dict[str, dict[str, dict[str, Any]]] | None = None
    generated_by: str | None = None


class _Entry(Struct, forbid_unknown_fields=True, rename="camel"):
    digest: str
    media_type: str | None = None
    platforms: list[str] = []
    config: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    observed: list[Any] = []
    previous: list[str] = []
    keep: bool = False


class _Config(Struct, forbid_unknown_fields=True, rename="camel"):
    user: str | int | None = None
    exposed_ports: list[str | int] | None = None
    volumes: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    working_dir: str | None = None
    env: list[str] | None = None
    secret_env: list[str] = []
    secret_args: list[str] = []
    created: str | None = None

    def known(self) -> ImageConfig:
        user = None if self.user is None else str(self.user)
        return ImageConfig(
            user, _texts(self.exposed_ports), _texts(self.volumes), self.created,
            _texts(self.entrypoint) or (), _texts(self.cmd) or (), tuple(self.secret_env), tuple(self.secret_args),
        )  # fmt: skip


class _Files(Struct, forbid_unknown_fields=True):
    platform: str | None = None
    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None
    starts: list[str] = []
    script: bool = False
    capabilities: dict[str, str] = {}
    setuid: list[str] = []
    writer: int | None = None
    empty: list[str] = []
    occupied: list[str] = []
    secrets: dict[str, str] = {}

    def known(self) -> ImageFiles:
        return ImageFiles(
            self.platform, self.uid, self.gid, tuple(self.starts), self.script, tuple(self.capabilities.items()),
            tuple(self.setuid), self.writer, tuple(self.empty), tuple(self.occupied), tuple(self.secrets.items()),
            None if self.groups is None else tuple(self.groups),
        )  # fmt: skip


class Reader:
    """Checks a ``parsed`` lock, which errors call ``name``."""

    def __init__(self, name: str, parsed: yaml.Parsed) -> None:
        self._name = name
        self._parsed = parsed

    def lock(self) -> Lock:
        """Return the lock. Raises InputError where it is wrong."""
        head = self._head()
        found = Lock(charts=locked.read(head.charts, self._fail) if head.charts is not None else None)
        for image, value in head.images.items():
            reference = self._reference(image)
            found.add(reference, self._image(image, reference, value))
        return found

    def _head(self) -> _Head:
        documents = self._parsed.documents
        if len(documents) != 1 or not isinstance(documents[0], dict):
            self._fail((), _NO_LOCK)
        try:
            head = msgspec.convert(documents[0], _Head)
        except msgspec.ValidationError as error:
            self._fail((), f"{_plain(error)}: {_KEYS}")
        if head.version != VERSION:
            self._fail(("version",), f"version is {head.version}, this harden reads {VERSION}: update harden")
        return head

    def _reference(self, image: str) -> ImageReference:
        reference = parse_image(image)
        if reference is None or reference.normalized is None or reference.opaque:
            self._fail(("images", image), f"{image} is no image: write repository:tag as in the manifest")
        return reference

    def _image(self, image: str, reference: ImageReference, value: Mapping[str, Any]) -> LockedImage:
        """What the lock says of ``image``, which is the name of ``reference``."""
        entry = self._keys(image, (), value, _Entry)
        config = self._keys(image, ("config",), entry.config or {}, _Config)
        files = None if entry.files is None else self._keys(image, ("files",), entry.files, _Files)
        self._check_digests(image, reference, entry)
        return LockedImage(
            entry.digest, entry.media_type, tuple(entry.platforms), config.known(), tuple(entry.previous), entry.keep,
            None if files is None else files.known(), self._observed(image, entry.observed),
        )  # fmt: skip

    def _keys(self, image: str, key: _Place, value: Mapping[str, Any], kind: type[_Keys]) -> _Keys:
        """The mapping below ``key`` of ``image`` with the keys of ``kind``."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            keys = ", ".join(kind.__struct_encode_fields__)
            self._fail(("images", image, *key), f"{image}: {_plain(error)}: its keys are {keys}")

    def _check_digests(self, image: str, reference: ImageReference, entry: _Entry) -> None:
        place = ("images", image, "digest")
        if not all(map(is_digest, (entry.digest, *entry.previous))):
            self._fail(place, f"{image}: {_NO_DIGEST}")
        if reference.digest not in (None, entry.digest):
            self._fail(place, f"{image}: digest is not the one of its name: write that one")

    def _observed(self, image: str, entries: list[Any]) -> tuple[Observation, ...]:
        if not entries:
            return ()
        try:
            return observed.read(entries)
        except observed.NoObservationError as wrong:
            self._fail(("images", image, "observed", wrong.index), f"{image}: observed: {wrong}")

    def _fail(self, path: _Place, message: str) -> NoReturn:
        raise InputError(f"{self._name}:{self._parsed.line(0, path) if path else 1}: {message}")


def _texts(values: list[str | int] | list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(map(str, values))


def _plain(error: Exception) -> str:
    """What msgspec says, with a key where it says `$.key`."""
    return str(error).replace("`", "").replace("$.", "")
