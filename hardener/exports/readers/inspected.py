"""Images as an engine of this machine describes them: ``docker inspect``, ``podman inspect``, ``nerdctl inspect``.

Source: docs.docker.com/reference/api/engine, ImageInspect. An image that was only built here has no digest of a
registry, and nothing is kept of it.
"""

from __future__ import annotations

from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.shapes import mapping, text, texts
from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock.oci.image import config_facts, platform_name
from hardener.lock.oci.registry_error import RegistryError


def is_inspected(document: dict[str, Any]) -> bool:
    """Whether it describes an image."""
    return isinstance(document.get("RepoTags"), list) and isinstance(document.get("RepoDigests"), list)


def read_inspected(document: dict[str, Any], into: Collector) -> None:
    """Put in the config of the image under each of its tags, with the digest that its repository has for it."""
    digests = dict(_parts(said) for said in texts(document, "RepoDigests"))
    blob = {"config": mapping(document, "Config"), "created": text(document, "Created")}
    try:
        config = config_facts("docker inspect", blob)
    except RegistryError:
        return
    named = {"os": text(document, "Os"), "architecture": text(document, "Architecture")}
    for tag in texts(document, "RepoTags"):
        digest = digests.get(tag.rpartition(":")[0], "")
        if is_digest(digest) and parse_image(tag) is not None:
            into.put_locked(tag, {"digest": digest, "platforms": [platform_name(named)], "config": config})


def _parts(said: str) -> tuple[str, str]:
    name, _, digest = said.partition("@")
    return name, digest
