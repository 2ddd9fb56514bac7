"""When an image may be pinned, and in what form: the one decision behind the transforms of the stage "image"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hardener.authoring.edits import Basis, Evidence, Finding, Severity
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.errors import InputError
from hardener.kubernetes.images.reference import ImageReference
from hardener.support.late_pattern import late_pattern
from hardener.tree.view import View

if TYPE_CHECKING:
    from hardener.lock.model import LockedImage

TAG_DIGEST, DIGEST_ONLY = "tag-digest", "digest-only"
ALL, VERSION = "all", "version"
# 1.27, v2.3.4-alpine, release-1.2.3: people do not move what looks like a version.
_VERSION = re.compile(r"(?:^|[-_.])v?\d+(?:\.\d+)+")
# A commit or a date: made by a machine, once.
_ONCE = late_pattern(r"(?:^|[-_.])(?:(?=[a-f]*\d)[0-9a-f]{7,40}|\d{4}-\d{2}-\d{2}|\d{8,14})(?:$|[-_.T])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """``pin_format``: ``tag-digest`` keeps the tag for people and for tools that update it, ``digest-only`` does not.
    ``tags``: ``all`` are pinned, or with ``version`` only those that are meant to stay."""

    GROUP: ClassVar[str] = "images"
    pin_format: str = TAG_DIGEST
    tags: str = ALL

    def __post_init__(self) -> None:
        if self.pin_format not in (TAG_DIGEST, DIGEST_ONLY):
            raise InputError(f"images.pin-format: {self.pin_format} is neither {TAG_DIGEST} nor {DIGEST_ONLY}")
        if self.tags not in (ALL, VERSION):
            raise InputError(f"images.tags: {self.tags} is neither {ALL} nor {VERSION}")


def moves(tag: str | None) -> bool:
    """Return whether a tag is meant to name another image tomorrow: ``latest``, none, ``stable``, ``7``."""
    return tag is None or not (_VERSION.search(tag) or _ONCE.search(tag))


def judged(image: ImageReference, locked: LockedImage, *doubts: Evidence, basis: Basis = Basis.PROVED) -> Verdict:
    """Return how sure it is that nothing changes when ``image`` is pinned to what the lock names."""
    return verdict(
        known=[_in_lock(f"the digest of {image.text}")],
        sure=image.tag is not None and _VERSION.search(image.tag) is not None,
        doubts=[*_one_platform(locked), *doubts],
        basis=basis,
    )


def follow(image: ImageReference, view: View) -> tuple[LockedImage, Verdict] | None:
    """Return what took the place of the digest that ``image`` is pinned to, and why; None where nothing did."""
    lock = view.tree.lock
    locked = lock.successor(image) if lock is not None else None
    if locked is None:
        return None
    made = f", to an image made on {locked.config.created[:10]}" if locked.config.created else ""
    moved = _in_lock(f"the tag moved after it was pinned to {_short(image.digest)}{made}")
    found = verdict(known=[moved], doubts=_one_platform(locked), effect=Effect.WATCHED, basis=Basis.PROVED)
    return locked, found


def _in_lock(words: str) -> Evidence:
    return Evidence(f"harden.lock: {words}")


def _short(digest: str | None) -> str:
    return (digest or "")[:19]


def _one_platform(locked: LockedImage) -> list[Evidence]:
    if not locked.is_one_platform:
        return []
    # On a node of another platform the container would not start; a registry gives the digest of the index.
    return [_in_lock(f"it is of one platform ({', '.join(locked.platforms) or 'not named'})")]


def doubts(
    view: View, image: ImageReference, locked: LockedImage | None, options: Images, *path: str | int
) -> Iterator[Finding]:
    """Yield what a person should know of ``image``, which is pinned if the lock holds it and the options let it."""
    if moves(image.tag):
        tag = f"has the moving tag {image.tag}" if image.tag else "has no tag, which means latest"
        if not lets(options, image):
            yield _moving(view, image, f"{tag}; not pinned, since this profile pins versions only", *path)
            return
        if locked is not None:
            yield _moving(view, image, f"{tag}; updates of the tag no longer arrive", *path)
    if locked is None:
        text = f"image {image.text} is not pinned, harden.lock does not hold it"
        advice = "run harden lock PATH"
        yield view.finding(text, *path, severity=Severity.LOW, advice=advice, once=image.text, topic="image not pinned")


def lets(options: Images, image: ImageReference) -> bool:
    """Return whether the profile pins tags like that of ``image``."""
    return options.tags == ALL or not moves(image.tag)


def _moving(view: View, image: ImageReference, what: str, *path: str | int) -> Finding:
    text = f"image {image.text} {what}"
    advice = "name a version, and let a tool update it"
    return view.finding(text, *path, severity=Severity.LOW, advice=advice, once=f"{image.text} moves")


def replaced(view: View, image: str, file: str, *path: str | int) -> Finding:
    """Return the finding on an image that a kustomization takes the tag and digest away from."""
    text = f"image {image} is not pinned: {file} replaces it"
    advice = "write newTag and digest there"
    return view.finding(text, *path, severity=Severity.LOW, once=f"{image} {file}", advice=advice)


def malformed(view: View, fault: str, *path: str | int) -> Finding:
    """Return the finding on a digest that is not legal: the image looks like one that is pinned, and no node starts
    it."""
    text = f"the digest of its image is not legal: {fault}"
    advice = "remove it and run harden lock PATH, or write the digest that the registry shows"
    return view.finding(text, *path, topic="image with a digest that is not legal", advice=advice)


def left_alone(view: View, image: str, why: Evidence, *path: str | int) -> Finding:
    """Return the finding on an image that is built or put on the node, and no tag of a registry that stays."""
    text = f"image {image} is not pinned: {why.text}"
    advice = "pin it where the manifest for the cluster is built"
    return view.finding(text, *path, severity=Severity.LOW, advice=advice, once=image)


def followed(view: View, tool: str, *path: str | int) -> Finding:
    """Return the finding on an image that a tool keeps up to date."""
    advice = f"let {tool} write the digest, or remove its marker"
    return view.finding(f"{tool} writes this image", *path, advice=advice, severity=Severity.LOW)
