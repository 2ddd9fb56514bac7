"""Waivers: what somebody has decided to leave as it is, and why.

Three carriers of our own, annotations, comments and the configuration, and the marks of other scanners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from hardener.authoring import registry
from hardener.authoring.edits import Append, Insert, Severity
from hardener.authoring.transform import Transform
from hardener.engine.index_shifts import as_written, shifts
from hardener.engine.outcome import Change, Report, Waived
from hardener.engine.waivers import block_marks, comments, exceptions, marks
from hardener.engine.waivers.annotations import read
from hardener.engine.waivers.waiver import EVERYTHING, OWN, Collection, Waiver, containers_of
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Namespace, Object, PodTemplate, View
from hardener.tree.tree import Tree

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
# Fields of a pod's security context that a container's own value overrides (PodSecurityContext, SecurityContext).
_INHERITED = frozenset(
    {"runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", "seLinuxOptions", "appArmorProfile", "windowsOptions"}
)


class Waivers:
    """The waivers of a run, found by what they speak of."""

    def __init__(self, found: Collection) -> None:
        self.problems = found.problems
        self._all = {waiver: rank for rank, waiver in enumerate(found.waivers)}
        self._by_piece: dict[Piece, list[tuple[Path, Waiver]]] = {}
        for waiver in found.waivers:
            for piece, path in waiver.scopes:
                self._by_piece.setdefault(piece, []).append((path, waiver))

    def __bool__(self) -> bool:
        return bool(self._by_piece)

    def step(self, transform: Transform, target: View, changes: list[Change]) -> Waived | None:
        """The record of a step that a waiver keeps from being made, None where it may be made."""
        if not self:
            return None
        waiver = self._find(transform.id, target, _touched(target, changes))
        return None if waiver is None else _record(transform, waiver, changes=changes)

    def finding(self, transform: Transform, target: View, report: Report) -> Waived | None:
        """The record of a finding that a waiver keeps out of the report, None where it is to be reported."""
        if not self or report.piece is None:
            return None
        waiver = self._find(transform.id, target, [(report.piece, report.path, False)])
        return None if waiver is None else _record(transform, waiver, finding=report)

    def is_exempt(self, id: str, container: Container, path: Path) -> bool:
        """Whether the transform ``id`` is waived at ``path`` of ``container``."""
        field = (*container.path, *path)
        return any(
            waiver.speaks_of(id) and (_holds(scope, field) or _holds(field, scope))
            for scope, waiver in self._at(container.object.piece)
        )

    def is_waived(self, id: str, target: Object, path: Path) -> bool:
        """Whether a waiver of the transform ``id`` speaks of ``path`` of ``target``; it counts as used."""
        return self._find(id, target, [(target.object.piece, path, False)]) is not None

    def leave(self, item: Object) -> None:
        """Take note that nothing of ``item`` is judged, so that no waiver there can be called stale."""
        for scope, waiver in self._by_piece.get(item.piece, ()):
            if _holds(item.path, scope):
                waiver.used = True

    def used(self) -> Iterator[tuple[str, int]]:
        """The file and line of each waiver that speaks of something here, and is not stale."""
        yield from ((waiver.file, waiver.line) for waiver in self._all if waiver.used and waiver.scopes)

    def stale(self, ran: set[str], *, whole: bool) -> Iterator[Report]:
        """A finding for each waiver of ours that met nothing, though what it speaks of ran.

        ``ran`` are the transforms that ran, ``whole`` tells whether they are the whole profile.
        """
        for waiver in self._all:
            judged = whole if waiver.ids is EVERYTHING else waiver.ids & ran
            if waiver.carrier in OWN and not waiver.used and (judged or not waiver.scopes):
                about = "has nothing to waive here" if waiver.scopes else "fits no object that harden looks at"
                yield Report(
                    "waiver-stale", None, Severity.LOW, f"stale exception: {waiver.carrier} {waiver.name} {about}",
                    "remove it", waiver.file, waiver.object, waiver.piece, waiver.path, waiver.line,
                )  # fmt: skip

    def _at(self, piece: Piece) -> Iterator[tuple[Path, Waiver]]:
        """The scopes in ``piece``, as they stand now, with their waivers."""
        known = self._by_piece.get(piece)
        shifted = shifts(piece) if known else []
        for scope, waiver in known or ():
            now = as_written(scope, 0, shifted) if shifted else scope
            if now is not None:
                yield now, waiver

    def _find(self, id: str, target: View, places: Iterable[tuple[Piece, Path, bool]]) -> Waiver | None:
        """The first waiver of ``id`` that speaks of ``target`` or of one of ``places``; all of them count as used.

        A place is (piece, path, whether what is below it goes with it).
        """
        # A namespace that no object declares borrows one that only lies in it.
        borrowed = isinstance(target, Namespace) and not target.declared
        known: dict[Piece, list[tuple[Path, Waiver]]] = {}
        found: list[Waiver] = []
        for piece, path, whole in [(target.object.piece, target.path, False), *places]:
            if piece not in known:
                known[piece] = [(scope, waiver) for scope, waiver in self._at(piece) if waiver.speaks_of(id)]
            for scope, waiver in known[piece]:
                meant = not borrowed or (waiver.ids is not EVERYTHING and waiver.carrier in OWN)
                if meant and (_holds(scope, path) or (whole and _holds(path, scope))):
                    waiver.used = True
                    found.append(waiver)
        return min(found, key=self._all.__getitem__, default=None)


def _record(
    transform: Transform, waiver: Waiver, changes: list[Change] | None = None, finding: Report | None = None
) -> Waived:
    return Waived(
        transform, waiver.reason, waiver.carrier, waiver.file, waiver.line, waiver.piece, waiver.path, changes or [],
        finding,
    )  # fmt: skip


def _holds(scope: Path, path: Path) -> bool:
    return path[: len(scope)] == scope


def _touched(target: View, changes: list[Change]) -> Iterator[tuple[Piece, Path, bool]]:
    """The places that ``changes`` write and those of their evidence in the same object, and the containers that inherit
    from the pod what is written there."""
    for change in changes:
        piece = change.object.piece
        yield piece, change.path, not isinstance(change.edit, Append | Insert)
        for fact in change.evidence:
            if fact.piece is target.object.piece and _holds(target.object.path, fact.path):
                # What a container shows of another one is for that one to say.
                if _holds(_container(fact.path), change.path):
                    yield fact.piece, fact.path, False
        if isinstance(target, PodTemplate) and piece is target.object.piece:
            for container in containers_of(target):
                for path in _inherited(target, container, change):
                    yield piece, path, False


def _container(path: Path) -> Path:
    """The container that ``path`` lies in; the empty path for none."""
    return next((path[: at + 2] for at, part in enumerate(path[:-1]) if part in _CONTAINERS), ())


def _inherited(pod: PodTemplate, container: Container, change: Change) -> Iterator[Path]:
    """Where ``container`` meets a change of its pod."""
    rest = change.path[len(pod.path) :]
    if not _holds(pod.path, change.path):
        # An annotation of the template may speak of one container: container.apparmor.../<name>.
        key = str(change.path[-1])
        if key.startswith("container.") and key.rpartition("/")[2] == container.name:
            yield container.path
    elif not rest or rest[0] in _CONTAINERS:
        return
    elif rest[0] == "securityContext" and (fields := _fields(rest, change)) & _INHERITED:
        own = container.data.get("securityContext")
        for name in fields:
            if name not in _INHERITED or not isinstance(own, dict) or own.get(name) is None:
                yield (*container.path, "securityContext", name)
    else:
        yield container.path


def _fields(rest: Path, change: Change) -> set[str]:
    """The fields of the security context that a change of it, or of one of them, touches."""
    if len(rest) > 1:
        return {str(rest[1])}
    return {str(key) for value in (change.before, change.after) if isinstance(value, dict) for key in value}


def collect(tree: Tree) -> Waivers:
    """Every waiver that speaks of a file that may be edited. A tree without any costs a search of its text."""
    found, settings = Collection(), tree.settings
    if settings.no_waivers:
        # Exceptions come from a file outside of the tree then; what stands in the tree does not count.
        if settings.exemptions:
            exceptions.read(tree, settings.as_of or date.today(), _pods_of(tree), found)
        return Waivers(found)
    pods_of = _pods_of(tree)
    if annotated := _objects(tree, _pieces(tree, (marks.PREFIX,))):
        for item in annotated:
            read(item, pods_of(item), found)
    if commented := _pieces(tree, (marks.COMMENT,)):
        for piece in commented:
            comments.read(piece, piece.read(), _objects(tree, [piece]), found)
    if settings.exemptions:
        exceptions.read(tree, settings.as_of or date.today(), pods_of, found)
    if settings.peer_marks:
        _collect_peers(tree, pods_of, found)
    return Waivers(found)


def _pods_of(tree: Tree) -> Callable[[Object], list[PodTemplate]]:
    pods: dict[Object, list[PodTemplate]] = {}

    def pods_of(item: Object) -> list[PodTemplate]:
        if not pods:
            for pod in tree.pods_and_parts:
                pods.setdefault(pod.object, []).append(pod)
        return pods.get(item, [])

    return pods_of


def _collect_peers(tree: Tree, pods_of: Callable[[Object], list[PodTemplate]], found: Collection) -> None:
    marked = _objects(tree, _pieces(tree, marks.PEERS))
    files = [f for f in tree.files if f.path.endswith(".json") and marks.KUBESCAPE in f.content.text]
    blocks = [piece for piece in _pieces(tree, (marks.CHECKOV,)) if not piece.file.source.holds_objects]
    exceptions = [item for item in _objects(tree, _pieces(tree, (marks.KYVERNO,))) if item.kind == marks.KYVERNO]
    if not (marked or files or blocks or exceptions):
        return
    from hardener.engine.waivers import peers  # late: few trees hold a mark for another scanner

    checks = registry.peer_checks()
    for piece in blocks:
        block_marks.read(piece, piece.read(), tree.object_at(piece, (0,)), checks["checkov"], found)
    for item in marked:
        peers.read(item, pods_of(item), checks, found)
    for file in files:
        peers.read_kubescape(tree, file, checks, found)
    for item in exceptions:
        peers.read_kyverno(tree, item, checks, found)


def _pieces(tree: Tree, marks: tuple[str, ...]) -> list[Piece]:
    """The pieces that were read, may be edited and hold one of the texts ``marks``."""
    return [
        piece
        for file in tree.files
        if file.editable
        for piece in file.pieces
        # What was not parsed may be most of the text.
        if piece.parsed and any(file.content.text.find(mark, piece.start, piece.end) >= 0 for mark in marks)
    ]


def _objects(tree: Tree, pieces: list[Piece]) -> list[Object]:
    wanted = set(pieces)
    return [item for item in tree.everything if item.piece in wanted] if wanted else []
