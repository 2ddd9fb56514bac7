"""Whether what a container starts fails at once under another user than root, by what is known of its image."""

from __future__ import annotations

from hardener.authoring.edits import Evidence
from hardener.facts.images.container_commands import own_command
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.images.conditions import in_words, met
from hardener.tree.core_views import Container


def root_start(container: Container) -> Evidence | None:
    """Why ``container`` starts as root only; None where nothing shows that. A setting that would change it is named."""
    known = known_image(container).root_start
    if known is None or not own_command(container):
        return None
    start = known.value
    turned = met(start.turned_by, container.variables, container.words)
    if start.required == (turned is not None):
        return None
    if turned is not None:
        return known.fact(container, f"where {in_words([turned])}, it starts as root only")
    if not start.turned_by:
        return known.fact(container, "it starts as root only")
    needed = in_words(start.turned_by)
    return known.fact(container, f"it starts as root only, unless {needed}: set that together with the user")
