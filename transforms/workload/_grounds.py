"""What a `safe` change of a container may rest on: facts of its image, and never what this run has chosen itself.

Source: design decision 2.2.
"""

from __future__ import annotations

from hardener.authoring.edits import Evidence
from hardener.facts.objects.side_containers import is_known
from hardener.tree.core_views import Container


def unknown_image(container: Container) -> Evidence | None:
    """Why nothing is known for sure of what ``container`` runs; None where its image is known."""
    row = container.row
    if not is_known(container):
        return container.fact("its image is not known", "image")
    if container.locked is None and not (row is not None and row.verified is not None):
        return container.fact("what is known of its image was not verified", "image")
    return None


def assumption(container: Container) -> Evidence | None:
    """Why what is concluded from the user of ``container`` is assumed; None where its image and its user are known."""
    if (unknown := unknown_image(container)) is not None:
        return unknown
    number = container.effective("runAsUser")
    if "run-as-user" in container.pod.changed_by and number and number != container.facts.uid:
        return container.fact(f"user {number} is a choice of this run", *_place(container))
    if "run-as-non-root" in container.pod.changed_by and number is None and container.facts.user in (None, "root"):
        return container.fact("runAsNonRoot is a choice of this run", *_place(container, "runAsNonRoot"))
    return None


def _place(container: Container, field: str = "runAsUser") -> tuple[str, ...]:
    return ("securityContext", field) if container.has("securityContext", field) else ()
