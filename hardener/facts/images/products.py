"""Which product a container runs: that of its image, or of the base whose program it starts where this tree builds its
image. A name of one's own (`accounts-db`) says nothing of what `FROM postgres` says."""

from __future__ import annotations

from hardener.facts.images.known_image import known_image
from hardener.kubernetes.components.component import is_data_store
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.table import ImageRow, lookup
from hardener.tree.core_views import Container

_DATA_STORE = "data-store"
_WITH_AN_END = frozenset({"Job", "CronJob", "ScheduledJob"})


def products(container: Container) -> tuple[ImageReference, ...]:
    """The image of ``container``, and the base whose program it starts."""
    started = known_image(container).started_as
    found = (container.image, started.value if started is not None else None)
    return tuple(image for image in found if image is not None)


def product_row(container: Container) -> ImageRow | None:
    """The row of its image, else that of the base whose program it starts."""
    started = known_image(container).started_as
    if container.row is not None or started is None:
        return container.row
    return lookup(started.value, container.tree.settings.images)


def runs_data_store(container: Container) -> bool:
    """Whether it runs a database, queue, cache or object store: by its image, where it does not come to an end."""
    return container.pod.kind not in _WITH_AN_END and has_image_of_data_store(container)


def has_image_of_data_store(container: Container) -> bool:
    """Whether the name or the row of its image, or of its base, is that of a data store; a Job may be its client."""
    if any(is_data_store(image.known_part) for image in products(container)):
        return True
    row = product_row(container)
    return row is not None and row.class_ == _DATA_STORE
