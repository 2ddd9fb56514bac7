"""What is known of the image of a container, from every source that the tree has, the strongest first: what
``harden observe`` saw of it, its config and files in ``harden.lock``, the Dockerfile that builds it, other containers
of the tree with the same image, the image table, and what is known of the base of its Dockerfile. Of the user alone the
base speaks before the table: a Dockerfile without a USER says that it is that of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hardener.authoring.edits import Evidence
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.observations import observation
from hardener.facts.images.programs import Program, program_of
from hardener.facts.images.same_images import SameImages
from hardener.kubernetes.images.config import NOTHING, SOME_NUMBER, ImageFacts, KnownBy, of_row, with_config
from hardener.kubernetes.images.table import lookup
from hardener.tree.core_views import Container
from hardener.tree.fact import AsRead

if TYPE_CHECKING:
    from hardener.kubernetes.images.reference import ImageReference
    from hardener.tree.tree import Tree


def known_image(container: Container) -> ImageFacts:
    """What is known of the image that ``container`` runs, and of what it runs by itself."""
    found: ImageFacts | None = container.__dict__.get(_KEPT)
    if found is None:
        found = container.__dict__[_KEPT] = container.tree.ask(KnownImages).of(container)
    return found


def unknown_image(container: Container) -> Evidence | None:
    """Why nothing is known for sure of what ``container`` runs; None where its image is known."""
    known = known_image(container)
    if container.locked is not None or known.sure:
        return None
    if known.user_by is None and container.row is None:
        return container.fact("its image is not known", "image")
    return container.fact("what is known of its image was not read from the image itself", "image")


class KnownImages(AsRead):
    """Looked up once for an image and what is run of it, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._same = tree.ask(SameImages)
        self._built = tree.ask(BuiltImages)
        self._known: dict[tuple[str, tuple[str, ...], Program | None], ImageFacts] = {}

    def of(self, container: Container) -> ImageFacts:
        """What is known of the image of ``container``."""
        if container.image is None:
            return NOTHING
        program = program_of(container)
        key = (container.image.text, container.command, program)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look_up(container, container.image, program)
        seen = observation(container)
        if seen is None:  # nearly always; a container with other variables may have been seen
            return found
        from hardener.facts.images.observed_image import with_observation

        return with_observation(found, container, seen)

    def _look_up(self, container: Container, image: ImageReference, program: Program | None) -> ImageFacts:
        built = self._built.of(image)
        known = of_row(container.row)
        if built is not None and built.base is not None:
            from hardener.facts.images.dockerfile_facts import with_base  # late: most trees build no image

            known = with_base(known, self._of_base(built.base), built)
        if program is not None:
            known = self._as_elsewhere(known, program)
        if built is not None:
            from hardener.facts.images.dockerfile_facts import with_dockerfile

            known = with_dockerfile(known, built, own_command=not container.command)
        locked = container.locked
        return with_config(known, locked.config, locked.files) if locked is not None else known

    def _of_base(self, base: ImageReference) -> ImageFacts:
        """What is known of the base of an image, by harden.lock and the image table."""
        locked = self._tree.lock.find(base) if self._tree.lock is not None else None
        row = lookup(base, self._tree.settings.images)
        known = of_row(row)
        if row is not None and row.file_caps:
            known = replace(
                known, carried=tuple((name, f"{row.origin}, of its base {base.text}") for name in row.file_caps)
            )
        return with_config(known, locked.config) if locked is not None else known

    def _as_elsewhere(self, known: ImageFacts, program: Program) -> ImageFacts:
        """``known``, and over it what containers with the same image show; of paths those that run the same program."""
        number, claim = self._same.number(program[0]), self._same.non_root(program[0])
        own = known.sure_of_number or (known.kind_of_user in ("number", "name") and known.uid is not None)
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
        shown = self._same.read_only(program)
        if shown is not None and shown.writable is not None:
            known = replace(known, writable=(*shown.writable, *known.writable), paths_by=KnownBy.SAME_IMAGE)
        return known


_KEPT = "known_image"  # by the view itself, which forty transforms ask
