from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.facts.images.image_overrides import ImageSources
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.tree.core_views import PodTemplate
from hardener.tree.view import View

from ._images import DIGEST_ONLY, Images, doubts, follow, followed, judged, left_alone, lets, replaced

_FIELD = "reference"
_POLICY = "pullPolicy"


@transform(
    each=PodTemplate, stage="image", cis="5.5.1",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"), options=Images,
    risk_2022="K02", any_image=True,
)  # fmt: skip
def pin_volume_image(pod: PodTemplate, options: Images) -> Steps:
    """Pin images of volumes by digest.

    Problem: an image volume of the pod has no digest.

    Result: The image of the volume is pinned by its digest.

    Why: whoever can push to the registry can put other files behind a tag, models, plugins and programs among them, and
    the next restart mounts them.

    May break: updates of a moving tag no longer arrive by themselves, and a registry that removes images without a tag
    may remove this one.
    """
    for volume in pod.items("volumes"):
        source = volume.view("image")
        image = parse_image(source.get(_FIELD)) if source.has(_FIELD) else None
        if image is not None:
            yield from _one(source, image, options)


def _one(source: View, image: ImageReference, options: Images) -> Steps:
    sources = source.tree.ask(ImageSources)
    entries = sources.entries_for(source.object.piece.file.path, image.repository)
    tool = sources.updater(source, _FIELD, image=image)
    if entries:  # of which not every kustomize knows this field
        yield from (replaced(source, image.text, entry.file, _FIELD) for entry in entries if not entry.pinned)
    elif image.digest is not None:
        followed_to = follow(image, source) if tool is None else None
        if followed_to is not None:
            locked, found = followed_to
            yield source.set(_FIELD, to=f"{image.text.removesuffix(image.digest)}{locked.digest}", **found.words)
    elif left := sources.why_left(source, image, _FIELD, policy=_POLICY):
        yield left_alone(source, image.text, left, _FIELD)
    elif tool is not None:
        yield followed(source, tool, _FIELD)
    else:
        yield from _by_lock(source, image, options)


def _by_lock(source: View, image: ImageReference, options: Images) -> Steps:
    locked = source.in_lock(image)
    yield from doubts(source, image, locked, options, _FIELD)
    if locked is not None and lets(options, image):
        tag = "" if options.pin_format == DIGEST_ONLY else f":{image.tag or 'latest'}"
        yield source.set(_FIELD, to=f"{image.repository}{tag}@{locked.digest}", **judged(image, locked).words)
