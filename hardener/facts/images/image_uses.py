"""The images of a tree, each once, with the places that name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.chart_images import ChartImages, HelmImage
from hardener.facts.images.image_overrides import ImageSources, is_on_the_node
from hardener.facts.kustomize.overlays.images import PatchImage
from hardener.facts.kustomize.overlays.images import collect as patch_images
from hardener.facts.kustomize.overlays.patch import Patch
from hardener.kubernetes.images.helm_values import composed
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.images.reference import read as read_image
from hardener.kubernetes.images.started_images import started_images
from hardener.kubernetes.kustomize.image import written
from hardener.kubernetes.pods.custom_resource import image_fields
from hardener.support.data_path import Path, existing
from hardener.tree.core_views import Container, KustomizedImage, Object, PodTemplate
from hardener.tree.pod_fragments import written_containers
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError, View

_LONGEST = 160  # characters that are shown of what is no reference


class Mention(Struct, frozen=True):
    """A place that names an image. ``left``: why no registry is asked for it. ``loose``: harden pins nothing there."""

    reference: ImageReference
    object: Object
    path: Path
    left: str | None = None
    loose: bool = False


class Use(Struct):
    """An image, and the places that name it.

    - `left`: why no registry is asked for it, None where one is.
    - `optional`: why it is no failure when nobody knows it, None where it is one.
    """

    reference: ImageReference
    places: list[Mention]

    @property
    def key(self) -> str:
        """Its name in ``harden.lock``."""
        return self.reference.text

    @property
    def left(self) -> str | None:
        # One place that takes it from a registry is enough.
        places = [place for place in self.places if not place.loose] or self.places
        return places[0].left if all(place.left for place in places) else None

    @property
    def optional(self) -> str | None:
        if is_on_the_node(self.reference):
            return "which may be a registry of the cluster's own machine"
        return "and nothing is pinned where it is named" if all(place.loose for place in self.places) else None

    @property
    def where(self) -> str:
        """The file and line that names it first."""
        mention = self.places[0]
        piece, path = mention.object.place(mention.path)
        return f"{piece.file.name}:{piece.line + piece.read().line(int(path[0]), path[1:])}"


def collect(tree: Tree, *, everywhere: bool = False) -> list[Use]:
    """The images that the files which may be edited name, or those of the whole tree, sorted by name."""
    found: dict[tuple[str | None, ...], Use] = {}
    mentions = _mentions(tree, everywhere)
    for mention in sorted(mentions, key=lambda one: (len(one.reference.text), one.reference.text)):
        # nginx, nginx:latest and docker.io/library/nginx are one image, kept under the shortest name.
        reference = mention.reference
        key: tuple[str | None, ...] = (reference.text,)
        if reference.normalized is not None and not reference.opaque:
            key = (reference.normalized, None if reference.digest else reference.tag or "latest", reference.digest)
        found.setdefault(key, Use(reference, [])).places.append(mention)
    return sorted(found.values(), key=lambda use: use.key)


def _mentions(tree: Tree, everywhere: bool) -> Iterator[Mention]:
    sources = tree.ask(ImageSources)

    def is_wanted(item: Object | Patch) -> bool:
        return everywhere or item.editable

    for pod in tree.pods_and_parts:
        if is_wanted(pod.object):
            for container in _containers(pod):
                yield from _of(container, sources)
            yield from _of_volumes(pod, sources)
    for entry in sources.entries:
        if is_wanted(entry.object) and (image := _whole(entry)) is not None:
            yield _mention(image, entry)
    for patched in patch_images(tree):
        if is_wanted(patched.patch):
            yield from _of_patch(patched, sources)
    for chart in tree.ask(ChartImages):
        if is_wanted(chart.object):
            yield _of_chart(chart, sources)
    yield from _in_fields(tree, is_wanted)


def _containers(pod: PodTemplate) -> Iterable[Container]:
    try:
        return pod.containers
    except WrongShapeError:
        return ()
    except OpaqueError:
        return written_containers(pod)


def _of_volumes(pod: PodTemplate, sources: ImageSources) -> Iterator[Mention]:
    """The images whose files the pod mounts (image volumes, on by default since 1.35)."""
    try:
        mounted = [volume.view("image") for volume in pod.items("volumes") if volume.has("image")]
    except (OpaqueError, WrongShapeError):
        return
    for source in mounted:
        text = source.text("reference")
        image = parse_image(text) if text else None
        if image is not None:
            reason = sources.why_left(source, image, "reference", policy="pullPolicy")
            left = reason.text if reason and not is_on_the_node(image) else None
            yield _mention(_as_far_as_legal(image), source, "reference", left=left)


def _in_fields(tree: Tree, is_wanted: Callable[[Object], bool]) -> Iterator[Mention]:
    """The images in fields of custom resources, but for those in values of charts."""
    running = {pod.object for pod in tree.pods_and_parts if pod.operator is None}
    listed = {(pod.object.piece, container.path) for pod in tree.operator_pods for container in _containers(pod)}
    in_values = {(chart.object, chart.place) for chart in tree.ask(ChartImages)}
    for item in tree.objects:
        if item in running or not is_wanted(item):
            continue
        for path in image_fields(item.sent):
            place = (*item.path, *path)
            is_listed = (item, place) in in_values or (item.piece, place[:-1]) in listed
            field = None if is_listed else _of_field(item, path)
            if field is not None:
                yield Mention(field, item, place, _why_not(field), loose=True)


def _of_chart(chart: HelmImage, sources: ImageSources) -> Mention:
    image = _as_far_as_legal(chart.image)
    reason = sources.why_left(chart, image, policy="pullPolicy")
    left = _why_not(image) or (reason.text if reason and not is_on_the_node(image) else None)
    return Mention(image, chart.object, chart.place, left, loose=not chart.takes_digest)


def _of_patch(patched: PatchImage, sources: ImageSources) -> Iterator[Mention]:
    image = _as_far_as_legal(patched.image)
    entries = sources.entries_for(patched.file, image.repository)
    for entry in entries:
        if (replaced := _partly(entry, image)) is not None:
            yield _mention(replaced, patched)
    if not entries:
        reason = sources.why_left(patched, image)
        yield _mention(image, patched, left=reason.text if reason and not is_on_the_node(image) else None)


def _of(container: Container, sources: ImageSources) -> Iterator[Mention]:
    for _, started in started_images(container.env, container.words):
        legal = _as_far_as_legal(started)
        yield Mention(legal, container.object, container.path, _why_not(legal), loose=True)
    image = container.image
    if image is None:
        if text := container.text("image"):
            yield _mention(_illegal(text), container, "image")
        return
    entries = sources.of(container)
    for entry in entries:
        if (replaced := _partly(entry, image)) is not None:
            yield _mention(replaced, container, "image")
    if not entries or sources.left_as_it_is(container):
        reason = sources.why_left(container, image, "image")
        yield _mention(image, container, "image", left=reason.text if reason and not is_on_the_node(image) else None)


def _mention(image: ImageReference, view: View, *path: str, left: str | None = None) -> Mention:
    return Mention(image, view.object, (*view.path, *path), _why_not(image) or left)


def _of_field(item: Object, path: Path) -> ImageReference | None:
    """The image that a field of a custom resource names: as a text, or in parts as values of Helm do."""
    value = existing(item.data, path)
    image = composed(value) if isinstance(value, dict) else read_image(value)
    return None if image is None else _as_far_as_legal(image)


def _partly(entry: KustomizedImage, image: ImageReference) -> ImageReference | None:
    """What ``entry`` makes of ``image`` where it gives it another name or a suffix only; with a tag of its own it names
    a whole image, which is listed with the kustomization."""
    return None if entry.text("newTag") or entry.text("digest") else _kustomized(entry, image.text)


def _whole(entry: KustomizedImage) -> ImageReference | None:
    """The image that ``entry`` names by itself; None where its tag comes from what it changes."""
    return _kustomized(entry, entry.name or "") if entry.text("newTag") or entry.text("digest") else None


def _kustomized(entry: KustomizedImage, image: str) -> ImageReference:
    text = written(image, {key: entry.text(key) for key in ("newName", "newTag", "tagSuffix", "digest")})
    return parse_image(text) or _illegal(text)


def _as_far_as_legal(image: ImageReference) -> ImageReference:
    return image if image.fault is None else _illegal(image.text)


def _illegal(text: str) -> ImageReference:
    """What stands for an image and is no reference, as a text of one line and without parts."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
    return ImageReference(shown, registry=None, repository=None, name=None, tag=None, digest=None)


def _why_not(image: ImageReference) -> str | None:
    if image.repository is None and not image.opaque:
        return "no legal name of an image, so no node starts it"
    return "a part of its name is filled in later" if image.opaque else None
