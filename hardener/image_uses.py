"""The images of a tree, each once, with the places that name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from hardener.edits import WrongShapeError
from hardener.image_sources import ImageSources, is_on_the_node
from hardener.kubernetes.image_reference import ImageReference
from hardener.kubernetes.image_reference import parse as parse_image
from hardener.records import dataclass
from hardener.view import View

if TYPE_CHECKING:
    from hardener.views import Container, KustomizedImage
    from hardener.workspace import Workspace


@dataclass(slots=True)
class Use:
    """An image, and the containers and kustomizations that name it.

    - `left`: why no registry is asked for it, None where one is.
    - `optional`: its registry may be one that only the cluster's own machine has.
    """

    reference: ImageReference
    places: list[View] = field(default_factory=list)
    left: str | None = None
    optional: bool = False

    @property
    def key(self) -> str:
        """Its name in ``harden.lock``."""
        return self.reference.text

    @property
    def where(self) -> str:
        """The file and line that names it first."""
        view = self.places[0]
        piece, path = view.object.place((*view.path, "image"))
        return f"{piece.file.name}:{piece.line + piece.read().line(int(path[0]), path[1:])}"


def collect(workspace: Workspace) -> list[Use]:
    """The images that the files which may be edited name, sorted by name."""
    found: dict[tuple[str | None, ...], Use] = {}
    for reference, view, left in sorted(_named(workspace), key=lambda one: one[0].text):
        # nginx, nginx:latest and docker.io/library/nginx are one image, kept under the shortest name.
        key: tuple[str | None, ...] = (reference.text,)
        if reference.normalized is not None and not reference.opaque:
            key = (reference.normalized, None if reference.digest else reference.tag or "latest", reference.digest)
        use = found.setdefault(key, Use(reference, left=left, optional=is_on_the_node(reference)))
        use.places.append(view)
        use.left = use.left and left  # one place that takes it from a registry is enough
        if len(reference.text) < len(use.reference.text):
            use.reference = reference
    return sorted(found.values(), key=lambda use: use.key)


def _named(workspace: Workspace) -> Iterator[tuple[ImageReference, View, str | None]]:
    sources = workspace.image_sources
    for pod in workspace.pod_templates:
        if not pod.object.editable:
            continue
        try:
            containers = pod.containers
        except WrongShapeError:
            continue
        for container in containers:
            if container.image is not None:
                yield from _of(container, container.image, sources)
    for entry in sources.entries:
        if entry.object.editable and (image := _kustomized(entry, None)) is not None:
            yield image, entry, _why_not(image)


def _of(
    container: Container, image: ImageReference, sources: ImageSources
) -> Iterator[tuple[ImageReference, View, str | None]]:
    entries = sources.of(container)
    for entry in entries:
        # With a tag of its own it names a whole image, which is listed with the kustomization.
        replaced = _kustomized(entry, image) if not entry.text("newTag") and not entry.text("digest") else None
        if replaced is not None:
            yield replaced, container, _why_not(replaced)
    if not entries:
        reason = sources.why_left(container)
        yield image, container, _why_not(image) or (reason.text if reason and not is_on_the_node(image) else None)


def _kustomized(entry: KustomizedImage, image: ImageReference | None) -> ImageReference | None:
    """What ``entry`` makes of ``image``; None where it does not name a whole image by itself, and is given none."""
    tag, digest = entry.text("newTag"), entry.text("digest")
    if image is not None and not tag and not digest:
        tag, digest = image.tag, image.digest
    elif not tag and not digest:
        return None
    name = entry.text("newName") or entry.name
    return parse_image(f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}")


def _why_not(image: ImageReference) -> str | None:
    return "a part of its name is filled in later" if image.opaque else None
