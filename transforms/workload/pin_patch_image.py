from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.image_overrides import ImageSources
from hardener.facts.kustomize.overlays.images import PatchImage

from ._images import follow, followed, left_alone, malformed, moves, replaced


@transform(each=PatchImage, stage="image", cis="5.5.1", classes=("patch",), risk_2022="K02", only_reports=True)
def pin_patch_image(entry: PatchImage) -> Steps:
    """Pin images in patches by digest.

    Problem: the patch sets an image without a digest.

    Result: The image of the patch is pinned by its digest.

    Why: the pod runs the image of the patch, not the image that is pinned in the base below it.

    May break: nothing, since it only reports: a JSON patch, and a patch that is a text in its kustomization, are not
    edited. harden pins the image of a patch that is a file of its own.
    """
    image, sources = entry.image, entry.tree.ask(ImageSources)
    if image.fault is not None:
        yield malformed(entry, image.fault)
        return
    if image.digest is not None or image.opaque:
        yield from _pinned(entry)
        return
    if entries := sources.entries_for(entry.file, image.repository):
        yield from (replaced(entry, image.text, each.file) for each in entries if not each.pinned)
    elif left := sources.why_left(entry, image):
        yield left_alone(entry, image.text, left)
    elif tool := sources.updater(entry, image=image):
        yield followed(entry, tool)
    else:
        locked = entry.in_lock(image)
        tagged = image.text if image.tag else f"{image.text}:latest"
        moving = ", and its tag moves" if moves(image.tag) else ""
        text = f"image {image.text} is not pinned: a patch sets it, and harden does not edit this patch{moving}"
        advice = f"write {tagged}@{locked.digest} there" if locked else "run harden lock PATH: it finds the digest"
        yield entry.finding(text, severity=Severity.LOW, advice=advice, once=f"{image.text} {entry.file}")


def _pinned(entry: PatchImage) -> Steps:
    """What the lock says of an image that is pinned: its tag had that digest, and has moved since."""
    image, followed_to = entry.image, follow(entry.image, entry)
    if followed_to is not None:
        locked, found = followed_to
        to = f"{image.text.removesuffix(str(image.digest))}{locked.digest}"
        text = f"a patch sets image {image.text}, and harden does not edit this patch; {found.evidence[0].text}"
        yield entry.finding(text, severity=Severity.LOW, advice=f"write {to} there", once=f"{image.text} {entry.file}")
