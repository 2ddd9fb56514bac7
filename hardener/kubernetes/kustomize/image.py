"""What an entry of ``images`` of a kustomization makes of the images of an object.

Source: sigs.k8s.io/kustomize, api/filters/imagetag (updater.go) and api/image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardener.kubernetes.pods.pod_template import partial_specs, templates
from hardener.support.data_path import existing
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import plain_copy

_IMAGE = late_pattern(r"(?P<name>.*?)(?P<tag>:[^:/@]*)?(?P<digest>@.*)?", re.S)
_KEYS = ("initContainers", "containers")


def images_of(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The containers of ``document`` that name an image, each with it."""
    specs: list[Any] = []
    for path in templates(document):
        specs.append(existing(document, (*path, "spec")))
    specs += (existing(document, path) for path in partial_specs(document))
    for spec in specs:
        for key in _KEYS:
            containers = spec.get(key)
            for container in containers if isinstance(containers, list) else ():
                if isinstance(container, dict) and isinstance(container.get("image"), str):
                    yield container, container["image"]


def named(image: str) -> str:
    """The name by which entries of ``images`` find ``image``: without tag and digest."""
    return _parts(image)[0]


def retagged(document: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """``document``, with the images that ``entry`` names as it wants them; itself where it names none."""
    if not any(named(image) == entry.get("name") for _, image in images_of(document)):
        return document
    copy = {key: plain_copy(value) for key, value in document.items()}
    for container, image in images_of(copy):
        if named(image) == entry.get("name"):
            container["image"] = written(image, entry)
    return copy


def _parts(image: str) -> tuple[str, str, str]:
    found = _IMAGE.fullmatch(image)
    return (found["name"], found["tag"] or "", found["digest"] or "") if found else (image, "", "")


def written(image: str, entry: Mapping[str, Any]) -> str:
    """What ``entry`` makes of ``image``, whose name it names."""
    name, tag, digest = _parts(image)
    new, suffix = entry.get("newName"), entry.get("tagSuffix")
    if entry.get("newTag") or entry.get("digest"):
        tag = f":{entry['newTag']}" if entry.get("newTag") else ""
        digest = f"@{entry['digest']}" if entry.get("digest") else ""
    elif suffix:
        tag, digest = f"{tag or ':'}{suffix}", ""
    return f"{new if isinstance(new, str) and new else name}{tag}{digest}"
