"""What a `safe` change of a container may rest on: facts of its image, and never what this run has chosen itself.

Source: design decision 2.2.
"""

from __future__ import annotations

from hardener.authoring.edits import Evidence
from hardener.facts.images.known_image import image_user_fact, known_image, unknown_image
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.tree.core_views import Container


def assumption(container: Container) -> Evidence | None:
    """Why it is assumed that ``container`` is not root; None where a person wrote it, or its image shows it.

    A run cannot tell what an earlier one has written: the number that is chosen for want of another, and runAsNonRoot
    on an image of which the user is not known, are assumptions whoever wrote them.
    """
    if (unknown := unknown_image(container)) is not None:
        return unknown
    known, number = known_image(container), container.effective("runAsUser")
    if number is None and known.kind_of_user in ("number", "name"):
        return None
    if number and known.is_sure_of_number and number == known.uid:
        return None
    if number and number != NOBODY_ELSE and number == container.tree.ask(WrittenContexts).number(container):
        return None
    return image_user_fact(container)
