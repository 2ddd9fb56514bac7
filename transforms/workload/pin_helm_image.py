from __future__ import annotations

from typing import TYPE_CHECKING

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.chart_images import HelmImage
from hardener.facts.images.image_overrides import ImageSources

from ._images import Images, doubts, follow, followed, judged, left_alone, lets, malformed, moves

if TYPE_CHECKING:
    from hardener.lock.model import LockedImage

_TOPIC = "image in the values of a chart not pinned"
_RENDER = "pin the rendered manifests: helm template ... | harden filter"


@transform(each=HelmImage, stage="image", cis="5.5.1", options=Images, risk_2022="K02")
def pin_helm_image(entry: HelmImage, options: Images) -> Steps:
    """Pin images in Helm values by digest.

    Problem: the chart values name an image without a digest.

    Result: The image in the chart values is pinned by its digest.

    Why: whoever can push to the registry can put another program behind a tag, and the next restart runs it. A key
    `digest` beside the tag shows that the chart takes a digest; without that key only the templates show it.

    May break: most charts ignore the tag where there is a digest. A tag that is set on the command line or in other
    values files then has no effect, and updates of a moving tag no longer arrive.
    """
    image, sources = entry.image, entry.tree.ask(ImageSources)
    if image.opaque:
        return
    path = () if entry.key is None else (entry.key,)
    if image.fault is not None:
        yield malformed(entry, image.fault, *(path or ("digest",)))
        return
    marked = (path,) if path else (("tag",), ("digest",), ("repository",))
    tool = next(filter(None, (sources.updater(entry, *place, image=image) for place in marked)), None)
    if image.digest is not None:
        if tool is None:
            yield from _pinned(entry)
    elif left := sources.why_left(entry, image, *path, policy="pullPolicy"):
        yield left_alone(entry, image.text, left, *path)
    elif tool is not None:
        yield followed(entry, tool, *path)
    else:
        yield from _by_lock(entry, options, path)


def _by_lock(entry: HelmImage, options: Images, path: tuple[str, ...]) -> Steps:
    """The digest that the lock holds, or why none is written; ``path`` is where the image is one text."""
    image = entry.image
    locked = entry.in_lock(image)
    if obstacle := _obstacle(entry, f"{image.text}@" if path else "digest: ", locked):
        why, advice = obstacle
        moving = ", and its tag moves" if moves(image.tag) else ""
        yield entry.finding(
            f"image {image.text} is not pinned: {why}{moving}",
            *path,
            severity=Severity.LOW,
            topic=_TOPIC,
            advice=advice,
            once=f"{image.text} {entry.object.piece.file.path} {why}",
        )
        return
    yield from doubts(entry, image, locked, options)
    if locked is not None and lets(options, image):
        # What the templates make of tag and digest is not known.
        found = judged(image, locked, Evidence("its values have a key for a digest"), basis=Basis.INFERRED)
        yield entry.set("digest", to=locked.digest, **found.words)


def _obstacle(entry: HelmImage, start: str, locked: LockedImage | None) -> tuple[str, str] | None:
    """Why no digest is written here, and what to do about it; ``start`` is what stands before the digest."""
    if entry.dependency_of is not None:
        why = f"its chart belongs to the one in {entry.dependency_of}, which downloads it again"
        return why, f"set the image in the values of the chart in {entry.dependency_of}"
    if not entry.takes_digest:
        wanted = f"{start}{locked.digest}" if locked else "the digest that harden lock finds"
        return (
            "these values do not say whether the chart takes a digest",
            f"{_RENDER}; or, if its templates take it, write here {wanted}",
        )
    if entry.tag_of_chart:
        return "its tag is the appVersion of the chart, and a digest would stay when the appVersion changes", _RENDER
    if other := entry.set_elsewhere():
        return (
            f"{other.text}, and a digest here would apply there, too",
            f"write a digest beside each tag; or {_RENDER}",
        )
    return None


def _pinned(entry: HelmImage) -> Steps:
    """What the lock says of an image with a digest: harden wrote it, and the tag has moved since."""
    followed_to = follow(entry.image, entry)
    if followed_to is not None and entry.key is None and entry.has("digest") and entry.dependency_of is None:
        locked, found = followed_to
        yield entry.set("digest", to=locked.digest, **found.words)
