"""One waiver: what somebody has decided to leave as it is, where, and why."""

from __future__ import annotations

from msgspec import Struct, field

from hardener.authoring import registry
from hardener.authoring.edits import Severity, WrongShapeError
from hardener.engine.outcome import Report
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.near_names import meant
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate

EVERYTHING = None
"""The ``ids`` of a waiver of all transforms."""

OWN = frozenset({"annotation", "comment", "config"})
"""The carriers of this program; every other carrier is the name of the peer whose mark it is."""

Scope = tuple[Piece, Path]


class Waiver(Struct, eq=False):
    """``ids`` are waived at the ``scopes`` (the node of a document and all below it), for ``reason``.

    ``name`` is what the waiver itself calls them. It stands in ``file``: on ``line``, or at ``path`` of ``piece``.
    ``used`` tells whether the run met anything that it waives.
    """

    name: str
    ids: frozenset[str] | None
    reason: str
    carrier: str
    scopes: list[Scope]
    file: str
    line: int = 0
    piece: Piece | None = None
    path: Path = ()
    object: Object | None = None
    used: bool = False

    def speaks_of(self, id: str) -> bool:
        """Whether the transform ``id`` is waived."""
        return self.ids is EVERYTHING or id in self.ids


class Collection(Struct):
    """What the carriers of a tree say: the waivers, and what is wrong with others, which are not honoured."""

    waivers: list[Waiver] = field(default_factory=list)
    problems: list[Report] = field(default_factory=list)

    def refuse(
        self,
        id: str,
        message: str,
        advice: str,
        file: str,
        *,
        line: int = 0,
        piece: Piece | None = None,
        path: Path = (),
        object: Object | None = None,
    ) -> None:
        """Note a waiver that is not honoured."""
        self.problems.append(Report(id, None, Severity.MEDIUM, message, advice, file, object, piece, path, line))


def unknown(id: str, others: tuple[str, ...] = ()) -> str | None:
    """What to say about an id that no transform has, with the nearest one; None when there is such a transform."""
    known = registry.transforms()
    if id in known:
        return None
    return f"a waiver names {id}, which is no transform{meant(id, [*known, *others])}"


def containers_called(pods: list[PodTemplate], name: str) -> list[Scope]:
    """The containers and init containers called ``name``; a pod that cannot be read has none."""
    found: list[Scope] = []
    for pod in pods:
        found += ((pod.object.piece, item.path) for item in containers_of(pod) if item.name == name)
    return found


def containers_of(pod: PodTemplate) -> tuple[Container, ...]:
    """The containers of ``pod``; none where they have a shape that no transform can read either."""
    try:
        return pod.containers
    except (OpaqueError, WrongShapeError):
        return ()
