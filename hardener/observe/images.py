"""Images for the engine: by their digest, from where ``harden lock`` would ask, or as the engine has them."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock.model import Lock
from hardener.lock.oci.client import Client
from hardener.lock.oci.image import Found, look_up
from hardener.lock.oci.registry_error import RegistryError
from hardener.observe.engine import Engine, EngineError
from hardener.observe.pod_values import MissingError
from hardener.support.shapes import listed, mapping


class Image(Struct, frozen=True):
    """An image that the engine has: as it calls it, its digest (None: a registry knows none), the config, the key of
    its stanza in harden.lock, and what a registry said of it where the lock did not hold it."""

    reference: str
    digest: str | None
    config: Mapping[str, Any]
    key: str
    found: Found | None = None


class Images:
    """Brings images into the engine; each once."""

    def __init__(self, engine: Engine, client: Client, lock: Lock) -> None:
        self._engine, self._client, self._lock = engine, client, lock
        self._names = {id(image): name for name, image in lock.images.items()}
        self._known: dict[str, Image | str] = {}
        self._turn = threading.Lock()

    def get(self, text: str) -> Image:
        """The image that a manifest calls ``text``. Raises MissingError: why it could not be pulled."""
        with self._turn:
            if text not in self._known:
                try:
                    self._known[text] = self._get(text)
                except (MissingError, EngineError, RegistryError) as error:
                    self._known[text] = f"its image {text} could not be pulled: {error}"
            found = self._known[text]
        if isinstance(found, str):
            raise MissingError(found)
        return found

    @property
    def found(self) -> dict[str, Found]:
        """What registries said of images that the lock does not hold, by the keys of their stanzas."""
        known = (image for image in self._known.values() if isinstance(image, Image))
        return {image.key: image.found for image in known if image.found is not None}

    def _get(self, text: str) -> Image:
        reference = parse_image(text)
        if reference is None or reference.normalized is None or reference.opaque:
            raise MissingError("it is no image by name and tag or digest")
        locked = self._lock.find(reference)
        key = self._names[id(locked)] if locked is not None else reference.text
        digest = reference.digest or (locked.digest if locked is not None else None)
        found: Found | None = None
        if locked is None:
            try:
                found = look_up(self._client, reference.normalized, digest or reference.tag or "latest")
                digest = found.digest
            except RegistryError:
                own = self._own(text, key)
                if own is None:
                    raise
                return own
        assert digest is not None
        try:
            name, config = self._pulled(reference.normalized, digest)
        except EngineError:
            own = self._own(text, key)
            if own is not None and own.digest == digest:
                return own
            raise
        return Image(name, digest, config, key, found)

    def _pulled(self, repository: str, digest: str) -> tuple[str, Mapping[str, Any]]:
        """Name and config of an image in the engine, into which it is pulled where it is not there. Raises
        EngineError."""
        problems: list[str] = []
        for place in self._client.places(repository):
            name = f"{place.login}/{place.repository}@{digest}"
            try:
                if not self._engine.has_image(name):
                    self._engine.pull(name, plain_http=self._client.is_plain(place.host))
                return name, self._config(name)
            except EngineError as error:
                problems.append(f"{place.host}: {_end(str(error))}")
        raise EngineError("; ".join(problems))

    def _own(self, text: str, key: str) -> Image | None:
        """The image as the engine has it under its name."""
        known = self._engine.inspect("image", text)
        if known is None or not _is_called(known, text):
            return None
        digests = [str(each).rpartition("@")[2] for each in known.get("RepoDigests") or []]
        local = re.match(r"localhost/", str((known.get("RepoTags") or [""])[0])) is not None
        digest = next((each for each in digests if is_digest(each)), None) if not local else None
        return Image(text, digest, self._config(text), key)

    def _config(self, name: str) -> Mapping[str, Any]:
        known = self._engine.inspect("image", name) or {}
        return mapping(known.get("Config"))


def _is_called(known: Mapping[str, Any], text: str) -> bool:
    """Whether an image of the engine has the name ``text``: an engine also finds one by the begin of its id."""
    wanted = parse_image(text)
    if wanted is None or wanted.repository is None:
        return False
    names = {wanted.normalized, f"localhost/{wanted.repository}"}
    said = [parse_image(each) for key in ("RepoTags", "RepoDigests") for each in listed(known.get(key))]
    return any(each is not None and each.normalized in names for each in said)


def _end(said: str) -> str:
    """What an engine says in the end: it tells first what it was about to do."""
    return ": ".join(said.split(": ")[-2:])
