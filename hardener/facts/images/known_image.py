"""What is known of the image of a container, from every source that the tree has, the strongest first: its config and
files in ``harden.lock``, other containers of the tree with the same image, the image table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardener.facts.images.same_images import SameImages
from hardener.kubernetes.image_config import SOME_NUMBER, ImageFacts, KnownBy, of_row, with_config
from hardener.tree.core_views import Container
from hardener.tree.fact import AsRead

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


def known_image(container: Container) -> ImageFacts:
    """What is known of the image that ``container`` runs, and of what it runs by itself."""
    return container.tree.ask(KnownImages).of(container)


class KnownImages(AsRead):
    """Looked up once for an image and a command, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._same = tree.ask(SameImages)
        self._known: dict[tuple[str, tuple[str, ...]], ImageFacts] = {}

    def of(self, container: Container) -> ImageFacts:
        """What is known of the image of ``container``."""
        if container.image is None:
            return _NOTHING
        key = (container.image.text, container.command)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look_up(container)
        return found

    def _look_up(self, container: Container) -> ImageFacts:
        known = of_row(container.row)
        repository = container.image.normalized if container.image is not None else None
        if repository is not None:
            known = self._as_elsewhere(known, repository, container.command)
        locked = container.locked
        return with_config(known, locked.config, locked.files) if locked is not None else known

    def _as_elsewhere(self, known: ImageFacts, repository: str, command: tuple[str, ...]) -> ImageFacts:
        """``known``, and over it what containers with the same image show."""
        number, claim = self._same.number(repository), self._same.non_root(repository)
        own = known.kind_of_user in ("number", "name") and known.uid is not None
        if number is not None and not own:
            known = replace(
                known, uid=number.uid, gid=None, uid_by=KnownBy.SAME_IMAGE, sure_of_number=False,
                uid_source=f"{number.where} has the same image",
            )  # fmt: skip
        if known.user is None and claim is not None:
            # Its kubelet refuses root, and a user that is a name only.
            known = replace(
                known, user=SOME_NUMBER, user_by=KnownBy.SAME_IMAGE, sure=False,
                user_source=f"{claim.where} has the same image",
            )  # fmt: skip
        shown = self._same.read_only(repository, command)
        if shown is not None and shown.writable is not None:
            known = replace(known, writable=(*shown.writable, *known.writable), paths_by=KnownBy.SAME_IMAGE)
        return known


_NOTHING = ImageFacts()
