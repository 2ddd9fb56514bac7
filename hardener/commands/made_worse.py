"""What a change made worse in the manifests that it touches: the steps and findings that they did not need before, and
those that stand on a line that the change touched.

For that the same tree is decided once more, with these manifests as the revision had them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hardener.authoring.edits import Create
from hardener.engine.find_removed_guards import Before
from hardener.engine.outcome import Change, Outcome, Report
from hardener.engine.pipeline import Gate
from hardener.engine.step import Step
from hardener.sources.files import instead_of
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Object, View
from hardener.tree.tree import Tree

Key = tuple[str, str, str, str]  # a rule, and the kind, namespace and name of an object
Visits = Callable[[View], bool]
Places = tuple[str, str, tuple[Path, ...]]  # of one record


@dataclass(slots=True)
class MadeWorse:
    """Tells the records of a run that a change made worse.

    - ``touches``: whether a line of a file, by its real path, is touched.
    - ``files``: the real paths of what differs from the revision, and was there.
    - ``before``: how often each rule had something to say of an object of them then.
    """

    touches: Callable[[str, int], bool]
    files: frozenset[str]
    before: Counter[Key]
    left: int = 0  # records that were there before
    _decided: dict[Places, bool] = field(default_factory=dict)
    _lines: dict[tuple[int, Path], int] = field(default_factory=dict)

    def gate(self, gate: Gate) -> Gate:
        """``gate`` that refuses the steps that were to be made before."""
        return Gate(gate.max_grade, gate.accepted, self._chosen)

    def _chosen(self, step: Step) -> bool | None:
        piece = step.target.object.piece
        if piece.file.path not in self.files:
            return None
        places = (piece.file.path, step.transform.id, tuple(change.edit.path for change in step.changes))
        touched = any(map(self._is_touched, step.changes))
        return False if self._was_there(places, _key(step.changes), touched) else None

    def keeps(self, finding: Report) -> bool:
        """Whether ``finding`` is new, or on a line that the change touched."""
        piece = finding.piece
        if piece is None or finding.object is None or piece.file.path not in self.files:
            return True
        places = (piece.file.path, finding.id, (finding.path,))
        touched = self._touches(piece, finding.path)
        return not self._was_there(places, _key_of(finding.id, finding.object), touched)

    def _was_there(self, places: Places, key: Key, touched: bool) -> bool:
        """Whether a record was there before; each that was takes the place of one."""
        if places not in self._decided:
            found = not touched and self.before[key] > 0
            if found:
                self.before[key] -= 1
                self.left += 1
            self._decided[places] = found
        return self._decided[places]

    def _is_touched(self, change: Change) -> bool:
        """Whether the line that it changes is touched; what is added belongs to the line that it is added below."""
        if isinstance(change.edit, Create) or change.object.piece.is_new:
            return False
        return self._touches(change.object.piece, change.edit.path)

    def _touches(self, piece: Piece, path: Path) -> bool:
        line = self._line(piece, path)
        return line > 0 and self.touches(piece.file.path, line)

    def _line(self, piece: Piece, path: Path) -> int:
        """The line of the file at which ``path`` stands, or the nearest above it that does; 0 where none is known."""
        found = self._lines.get((id(piece), path))
        if found is None:
            found = self._lines[id(piece), path] = next(self._lines_of(piece, path), 0)
        return found

    @staticmethod
    def _lines_of(piece: Piece, path: Path) -> Iterator[int]:
        parsed = piece.read()
        for length in range(len(path), 0, -1):
            try:
                yield piece.line + parsed.line(int(path[0]), path[1:length])
            except (LookupError, TypeError, ValueError):
                continue


def made_worse(
    tree: Tree, before: list[Before], touches: Callable[[str, int], bool], run: Callable[[Tree, Visits], Outcome]
) -> MadeWorse:
    """Return what tells the records of ``tree`` that are new since ``before``; ``run`` decides a tree, for the targets
    that its second argument wants."""
    files = {file.path for file in tree.files if file.editable}
    texts = {one.path: one.text for one in before if one.path in files}
    if not texts:
        return MadeWorse(touches, frozenset(), Counter())
    with instead_of(texts):
        then = Tree.read(list(tree.given), root=tree.root, settings=tree.settings)
    outcome = run(then, lambda target: target.object.piece.file.path in texts)
    return MadeWorse(touches, frozenset(texts), Counter(_records(outcome)))


def _records(outcome: Outcome) -> Iterator[Key]:
    """The key of each step and finding."""
    made = {id(change.siblings): change.siblings for change in outcome.changes}
    for changes in [*made.values(), *(held.changes for held in outcome.held)]:
        yield _key(changes)
    for found in outcome.findings:
        if found.object is not None:
            yield _key_of(found.id, found.object)


def _object_of(changes: list[Change]) -> Object:
    """The object that a step is about: one that is there, else the one that it makes."""
    return next((each.object for each in changes if not isinstance(each.edit, Create)), changes[0].object)


def _key(changes: list[Change]) -> Key:
    return _key_of(changes[0].transform.id, _object_of(changes))


def _key_of(id: str, item: Object) -> Key:
    return id, item.kind, str(item.namespace), item.name
