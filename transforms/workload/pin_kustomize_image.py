from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.image_overrides import ImageSources
from hardener.kubernetes.images.reference import parse
from hardener.tree.core_views import KustomizedImage

from ._images import Images, doubts, follow, followed, judged, lets, malformed


@transform(each=KustomizedImage, stage="image", cis="5.5.1", options=Images, risk_2022="K02")
def pin_kustomize_image(entry: KustomizedImage, options: Images) -> Steps:
    """Pin images of a kustomization by digest.

    Problem: the kustomization names an image without a digest.

    Result: The image of the kustomization is pinned by its digest.

    Why: whoever can push to the registry can put another program behind a tag, and the next restart runs it. The image
    of a kustomization replaces that of the manifest, so the digest belongs here, beside the tag.

    May break: updates of a moving tag no longer arrive by themselves, and a registry that removes images without a tag
    may remove this one.
    """
    if entry.fault is not None:
        yield malformed(entry, entry.fault, "digest")
        return
    if entry.pinned:
        yield from _pinned(entry)
        return
    if not entry.has("newTag"):  # it only renames
        return
    name, tag = entry.get("newName") or entry.get("name"), entry.get("newTag")
    image = parse(f"{name}:{tag}")
    if image is None:
        yield entry.finding("its image is not a valid image reference", advice="correct it", severity=Severity.LOW)
        return
    sources = entry.tree.ask(ImageSources)
    if tool := sources.updater(entry, "newTag", image=image):
        yield followed(entry, tool)
        return
    if renamed := sources.renamed_above(entry.folder, {str(entry.name), name}):
        text = f"image {image.text} is not pinned: {renamed} takes it from another registry"
        yield entry.finding(text, severity=Severity.LOW, advice="write newTag and digest there")
        return
    locked = entry.in_lock(image)
    yield from doubts(entry, image, locked, options)
    if locked is not None and lets(options, image):
        # Beside the tag: where only one of them is set, kustomize takes the other away.
        yield entry.set("digest", to=locked.digest, **judged(image, locked).words)


def _pinned(entry: KustomizedImage) -> Steps:
    """What the lock says of an entry with a digest: harden wrote it, and the tag has moved since."""
    name = entry.text("newName") or entry.name
    tag = entry.text("newTag") or (entry.get("newTag") if entry.text("newTag") is None else None)
    image = parse(f"{name}{f':{tag}' if tag else ''}@{entry.text('digest')}")
    sources = entry.tree.ask(ImageSources)
    if image is None or image.opaque or sources.updater(entry, "digest", image=image):
        return
    followed_to = follow(image, entry)
    if followed_to is not None and not sources.renamed_above(entry.folder, {str(entry.name), str(name)}):
        locked, found = followed_to
        yield entry.set("digest", to=locked.digest, **found.words)
