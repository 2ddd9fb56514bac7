"""Well-known products in an image that is not known, by its tag, its programs, its probes and its volumes: what they
need of the user that it runs as."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.images import products
from hardener.kubernetes.images.products import Product
from hardener.kubernetes.pods.command_evidence import below
from hardener.kubernetes.pods.shell import started
from hardener.tree.core_views import Container

from ._volumes import mounts


def product_evidence(container: Container) -> Iterator[Evidence]:
    """Signs that another user than that of a product cannot start it, or use its files."""
    yield from signs(container, _evidence)


def _evidence(container: Container) -> Iterator[Evidence]:
    named = list(_named(container))
    for product, fact in named:
        if product.starts_as_root:
            text = f"{fact.text}, whose images start as root and give their files to a user of their own"
            yield Evidence(text, fact.piece, fact.path)
    for mount in mounts(container):
        owner = _kept_at(mount.path, named) if mount.writable else None
        if owner is not None:
            text = f"{mount.path} is the data folder of {owner.name}, whose images have a user of their own"
            yield mount.view.fact(text, "mountPath")


def _kept_at(path: str, named: list[tuple[Product, Evidence]]) -> Product | None:
    """The product that keeps its data at ``path``: one that alone does, or one of ``named``."""
    usual = (each for each, _ in named if any(below(path, folder) for folder in each.usual))
    return products.kept_at(path) or next(usual, None)


def without_volume(container: Container) -> Iterator[Evidence]:
    """Signs that ``container``, which has no volume to write to, is a product that writes to its image then."""
    for product, fact in _named(container):
        folder = (*product.usual, *product.folders)[0]
        text = f"{fact.text}, which keeps its data in {folder}, and no volume is there"
        yield Evidence(text, fact.piece, fact.path)


def _named(container: Container) -> Iterator[tuple[Product, Evidence]]:
    """The product that the image, the command or a probe names, with where they do."""
    image = container.image
    written = container.text("image") or ""
    tag = image.tag if image is not None and image.tag is not None else products.tag_as_written(written)
    if (product := products.named_by(image.name if image is not None else None, tag)) is not None:
        yield product, container.fact(f"its image is named for {product.name}", "image")
        return
    if (product := products.started_by(started(container.words))) is not None:
        key = "command" if container.has("command") else "args"
        yield product, container.fact(f"its command starts {product.name}", key)
    elif (product := products.asked_by(started(container.probe_words))) is not None:
        yield product, container.fact(f"a probe asks {product.name}")
