from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.images.image_overrides import ImageSources
from hardener.facts.images.recordings import Image, recording
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.started_images import started_images
from hardener.tree.core_views import Container

from ._images import DIGEST_ONLY, Images, doubts, follow, followed, judged, left_alone, lets, malformed, replaced


@transform(
    each=Container, stage="image", cis="5.5.1",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial", "patch"),
    options=Images, after=("pin-kustomize-image",), risk_2022="K02", any_image=True,
    peers=("kube-linter:latest-tag", "checkov:CKV_K8S_14", "checkov:CKV_K8S_43", "polaris:tagNotSpecified"),
)  # fmt: skip
def pin_image_digest(container: Container, options: Images) -> Steps:
    """Pin images by digest.

    Problem: {container} uses an image without a digest.

    Result: The container runs an image that is pinned by its digest.

    Why: whoever can push to the registry can put another program behind a tag, and the next restart runs it; a digest
    names the content itself.

    May break: updates of a moving tag no longer arrive by themselves, and a registry that removes images without a tag
    may remove this one.
    """
    yield from _other_images(container)
    if not container.has("image"):  # a patch may say nothing of it
        return
    image = container.image
    if container.image_fault is not None:
        yield malformed(container, container.image_fault, "image")
    elif image is None:
        text = "its image is not a valid image reference"
        advice = "correct it, or harden what a build makes of it"
        yield container.finding(text, "image", severity=Severity.LOW, advice=advice)
    elif image.digest is not None:
        sources = container.tree.ask(ImageSources)
        own = not sources.of(container) or sources.left_as_it_is(container)
        if own and not image.opaque and not sources.updater(container, "image", image=image):
            yield from _pinned(container, image)
    else:
        yield from _unpinned(container, image, options)


def _unpinned(container: Container, image: ImageReference, options: Images) -> Steps:
    """An image without a digest: who else decides about it, else the digest that the lock holds."""
    container.get("image")  # stops at an expression
    sources = container.tree.ask(ImageSources)
    entries = sources.of(container)
    if entries and not sources.left_as_it_is(container):
        yield from (replaced(container, image.text, entry.file, "image") for entry in entries if not entry.pinned)
    elif left := sources.why_left(container, image, "image"):
        yield left_alone(container, image.text, left, "image")
    elif tool := sources.updater(container, "image", image=image):
        yield followed(container, tool, "image")
    else:
        yield from _by_lock(container, image, options)


def _by_lock(container: Container, image: ImageReference, options: Images) -> Steps:
    locked = container.locked
    if locked is None and (ran := _recorded(container, image)) is not None and lets(options, image):
        yield from _by_recording(container, image, ran, options)
        return
    yield from doubts(container, image, locked, options, "image")
    if locked is None or not lets(options, image):
        return
    tag = "" if options.pin_format == DIGEST_ONLY else f":{image.tag or 'latest'}"
    more = []
    if not tag and image.tag in (None, "latest") and not container.has("imagePullPolicy"):
        more.append(Evidence("without the tag latest the node no longer asks the registry at every start"))
    pinned_image = f"{image.repository}{tag}@{locked.digest}"
    yield container.set("image", to=pinned_image, **judged(image, locked, *more).words)


def _recorded(container: Container, image: ImageReference) -> Image | None:
    """What a cluster ran behind this very name; None where it does not tell, or tells of several digests."""
    told = recording(container)
    if told is None:
        return None
    found = {ran.digest: ran for ran in reversed(told.facts.images) if ran.name == image.text and told.counts(ran.by)}
    return next(iter(found.values())) if len(found) == 1 else None


def _by_recording(container: Container, image: ImageReference, ran: Image, options: Images) -> Steps:
    told = recording(container)
    place = told.place(ran.by) if told is not None else ""
    known = container.fact(f"{place}: it runs from this digest", "image")
    platform = container.fact("a node may name the digest for its own platform", "image")
    found = verdict(known=[known], doubts=[platform], basis=Basis.PROVED)
    tag = "" if options.pin_format == DIGEST_ONLY else f":{image.tag or 'latest'}"
    yield container.set("image", to=f"{image.repository}{tag}@{ran.digest}", **found.words)


def _pinned(container: Container, image: ImageReference) -> Steps:
    """What the lock says of an image that is pinned: harden wrote its digest, and the tag has moved since."""
    followed_to = follow(image, container)
    if followed_to is not None:
        locked, found = followed_to
        to = f"{image.text.removesuffix(str(image.digest))}{locked.digest}"
        yield container.set("image", to=to, **found.words)


def _other_images(container: Container) -> Iterator[Finding]:
    """Images that the container starts by itself, by the names of the variables and flags that say so."""
    found = [name for name, image in started_images(container.env, container.words) if image.digest is None]
    if found:
        names = ", ".join(dict.fromkeys(found))
        text = f"it starts other images that are not pinned: {names}"
        advice = "write their digests there, if the program takes them"
        yield container.finding(text, severity=Severity.LOW, advice=advice)
