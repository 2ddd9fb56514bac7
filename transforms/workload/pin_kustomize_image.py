from __future__ import annotations

from collections.abc import Iterator

from hardener.declare import Steps, transform
from hardener.edits import Basis, Edit, Finding, Severity
from hardener.kubernetes.image_reference import parse
from hardener.view import View
from hardener.views import Kustomization

from ._images import Images, doubts, followed, grade, lets


@transform(each=Kustomization, stage="image", cis="5.5.1", options=Images, risk_2022="K02")
def pin_kustomize_image(kustomization: Kustomization, options: Images) -> Steps:
    """An image that a kustomization names is the very one that was looked at, whatever its tag says later.

    Why: whoever can push to the registry can put another program behind a tag, and the next restart runs it. What a
    kustomization says of an image replaces what the manifest says, so the digest belongs here, beside the tag.

    May break: updates of a moving tag no longer arrive by themselves, and a registry that removes images without a tag
    may remove this one.
    """
    for index, entry in enumerate(kustomization.items("images")):
        for found in _entry(kustomization, index, entry, options):
            yield found if isinstance(found, Finding) else [found]


def _entry(kustomization: Kustomization, index: int, entry: View, options: Images) -> Iterator[Edit | Finding]:
    # Without a tag of its own an entry only renames; a digest is a pin already.
    if entry.has("digest") or not isinstance(entry.get("newTag"), str):
        return
    path = ("images", index)
    name, tag = entry.get("newName") or entry.get("name"), entry.get("newTag")
    image = parse(f"{name}:{tag}")
    if image is None:
        return
    sources = kustomization.tree.image_sources
    if tool := sources.updater(kustomization, *path, "newTag", image=image):
        yield followed(kustomization, tool, *path)
        return
    renamed = sources.renamed_above(kustomization.folder, {entry.get("name"), name})
    if renamed is not None:
        yield kustomization.finding(
            f"image {image.text} is not pinned: {renamed} takes it from another registry", *path, severity=Severity.LOW,
            advice="write newTag and digest there",
        )  # fmt: skip
        return
    lock = kustomization.tree.lock
    locked = lock.find(image) if lock is not None else None
    yield from doubts(kustomization, image, locked, options, *path)
    if locked is None or not lets(options, image):
        return
    sure, evidence = grade(image, locked)
    # Both, since kustomize takes the tag away where only a digest stands, and the digest where only a tag does.
    yield kustomization.set(*path, "digest", to=locked.digest, grade=sure, basis=Basis.PROVED, evidence=evidence)
