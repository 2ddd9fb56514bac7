"""What is known of the image of a container, from every source that the tree has. Each has a collector, which puts in
what it says; they are asked from the weakest to the strongest, in the order of ``KnownBy``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from msgspec.structs import replace

from hardener.authoring.edits import Evidence
from hardener.authoring.known import KnownBy
from hardener.facts.images.collectors.observed import put_observation
from hardener.facts.images.collectors.recorded import put_recording
from hardener.facts.images.ledger import Asked, ImageLedger
from hardener.facts.images.observations import observation
from hardener.facts.images.programs import Program, program_of
from hardener.facts.images.recordings import recording
from hardener.facts.images.told import Told
from hardener.facts.images.told import told as words_of
from hardener.kubernetes.images.conditions import met
from hardener.tree.core_views import Container
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_COLLECTORS = "hardener.facts.images.collectors"
_NOTHING = ImageLedger()
_OF_CONTAINERS = (KnownBy.OBSERVED, KnownBy.RECORDED)


def known_image(container: Container) -> ImageLedger:
    """What is known of the image that ``container`` runs, and of what it runs by itself."""
    found: ImageLedger | None = container.__dict__.get(_KEPT)
    if found is None:
        found = container.__dict__[_KEPT] = container.tree.ask(KnownImages).of(container)
    return found


def unknown_image(container: Container) -> Evidence | None:
    """Why nothing is known for sure of what ``container`` runs; None where its image is known."""
    known = known_image(container)
    if container.locked is not None or known.is_sure_of_user:
        return None
    if known.user is None and container.row is None:
        return container.fact("its image is not known", "image")
    row = container.row
    if row is not None and row.version_unknown and row.read not in (None, "docs"):
        return container.fact("which version of its image was read is not known", "image")
    return container.fact("what is known of its image was not read from the image itself", "image")


def image_user_fact(container: Container) -> Evidence:
    """As whom the image of ``container`` runs by itself, as far as that is known."""
    user = known_image(container).user
    if user is not None:
        return user.fact(container, f"its image runs as {user.value}")
    # The lock has its digest alone, and the table, where it would be looked up, no user.
    where = container.row.origin if container.row is not None else KnownBy.TABLE.label
    return container.fact(f"{where}: its image runs as a user that is not known", "image")


_Key = tuple[str, tuple[str, ...], tuple[str, ...], Program | None, Told | None]  # an image, and what is run of it


class KnownImages(AsRead):
    """Looked up once for an image and what is run of it, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[_Key, ImageLedger] = {}

    def of(self, container: Container) -> ImageLedger:
        """What is known of the image of ``container``."""
        if container.image is None:
            return _NOTHING
        program = program_of(container)
        words, args = words_of(container), container.args if container.command else ()
        key = (container.image.text, container.command, args, program, words)
        found = self._known.get(key)
        if found is None:
            asked = Asked(self._tree, container.image, container.command, program, args=args, told=words)
            found = self._known[key] = collected(asked)
        if found.read_only_with:
            found = _as_set(found, container)
        seen, told = observation(container), recording(container)
        if seen is None and told is None:  # nearly always; a container with other variables may have been seen
            return found
        found = replace(found)
        if told is not None:
            put_recording(found, container, told)
        if seen is not None:
            put_observation(found, container, seen)
        return found


def _as_set(found: ImageLedger, container: Container) -> ImageLedger:
    """What is known of its image with the settings of ``container``."""
    setting = met(found.read_only_with, container.variables, container.words)
    if setting is None or found.read_only is None:
        return found
    return replace(found, read_only=replace(found.read_only, value=True))


def collected(asked: Asked) -> ImageLedger:
    """What each source says of the image that is ``asked`` for."""
    found = ImageLedger()
    for collect in _collectors():
        collect(asked, found)
    return found


@cache
def _collectors() -> list[Callable[[Asked, ImageLedger], None]]:
    """What each source is asked by, the weakest first; what was observed is seen of a container, not of an image."""
    sources = [source for source in reversed(KnownBy) if source not in _OF_CONTAINERS]
    return [import_module(f"{_COLLECTORS}.{source.name.lower()}").collect for source in sources]


_KEPT = "known_image"  # by the view itself, which forty transforms ask
