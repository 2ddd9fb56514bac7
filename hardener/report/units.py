"""Changes that only make sense together, as replacements of lines: what a fix or a suggestion offers.

A hunk may hold the edits of several steps, and a step may stand in several hunks (a mount and its volume). Whoever
takes one of them has to take all, so both ways are followed until nothing is cut in two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

from hardener.engine.outcome import Change, FileChange, Outcome
from hardener.report.patch import Patch
from hardener.report.redactor import Redactor
from hardener.sources.yaml import Hunk


class Unit(Struct, eq=False):
    """The hunks of some steps, by file, and the steps, each as its changes.

    ``closed`` is why it cannot be offered: it makes a file, or it shows a secret; None where it can.
    """

    hunks: list[tuple[FileChange, Hunk]] = field(default_factory=list)
    steps: list[list[Change]] = field(default_factory=list)
    closed: str | None = None

    @property
    def ids(self) -> list[str]:
        """The transforms of its steps, each once."""
        return list(dict.fromkeys(step[0].transform.id for step in self.steps))


class Units:
    """The units of an outcome, by change and by hunk."""

    def __init__(self, outcome: Outcome, redactor: Redactor) -> None:
        self._parents: dict[int, int] = {}
        self._hunks: dict[int, Hunk] = {}  # by the id of a change
        self._told: set[int] = set()  # hunks with changes that it names
        self._known: set[int] = set()  # hunks with changes that the outcome no longer names: a baseline lists them
        self.patches: dict[str, Patch] = {}
        changes: dict[int, list[Change]] = {}
        for change in outcome.changes:
            changes.setdefault(id(change.object.piece.file), []).append(change)
        for file in outcome.files:
            self._join_file(file, changes.get(id(file.file), []))
        self._by_root: dict[int, Unit] = {}
        for change in outcome.changes:
            unit = self._unit(id(change.siblings))
            if not any(step is change.siblings for step in unit.steps[-1:]):
                unit.steps.append(change.siblings)
        for file in outcome.files:
            patch = self.patches[file.file.path] = Patch.of(file, redactor)
            for hunk in file.hunks:
                if self.is_known(hunk):
                    continue
                unit = self._unit(id(hunk))
                unit.hunks.append((file, hunk))
                if id(hunk) in self._known:
                    unit.closed = "its lines hold changes that the baseline lists"
                elif file.file.is_new:
                    unit.closed = "it makes a file"
                elif patch.shows_secret(hunk) or redactor.masks("".join(hunk.after)):
                    unit.closed = "a line of it holds a secret"
        for unit in self._by_root.values():
            unit.steps = list({id(step): step for step in unit.steps}.values())

    def of(self, change: Change) -> Unit:
        """Return what ``change`` belongs to."""
        return self._unit(id(change.siblings))

    def of_hunk(self, hunk: Hunk) -> Unit:
        """Return what ``hunk`` belongs to."""
        return self._unit(id(hunk))

    def hunk_of(self, change: Change) -> Hunk | None:
        """Return the lines that ``change`` stands in; None where it shares those of a neighbour."""
        return self._hunks.get(id(change))

    def is_known(self, hunk: Hunk) -> bool:
        """Tell whether ``hunk`` holds nothing but what a baseline lists."""
        return id(hunk) in self._known and id(hunk) not in self._told

    def _unit(self, node: int) -> Unit:
        return self._by_root.setdefault(self._root(node), Unit())

    def _join_file(self, file: FileChange, changes: list[Change]) -> None:
        hunks, holder = file.hunks, _Holder(file.hunks)
        ids = Counter(zip(file.id_lines, file.ids, strict=True))
        for change in changes:
            ids[change.new_line or change.line, change.transform.id] -= 1
            hunk = holder.find(change.new_line, change.line)
            if hunk is not None:
                self._hunks[id(change)] = hunk
            own = hunks if hunk is None else [hunk]  # it may not be known which lines are its own, so all go together
            self._join([id(change.siblings), *map(id, own)])
            self._told.update(map(id, own))
        for line, _ in +ids:
            hunk = holder.find(line, line)
            self._known.update(map(id, hunks if hunk is None else [hunk]))
        settled = [hunk for hunk in hunks if id(hunk) in self._told or id(hunk) in self._known]
        if settled:
            self._join_others(file, settled)

    def _join_others(self, file: FileChange, settled: list[Hunk]) -> None:
        """Let a hunk that no edit begins in go with the one before; in a program, where it brings names, with all."""
        named = set(map(id, settled))
        for hunk in (hunk for hunk in file.hunks if id(hunk) not in named):
            before = [other for other in settled if other.before_start < hunk.before_start]
            near = settled if file.file.source.is_program else (before or settled[:1])[-1:]
            if told := [id(other) for other in near if not self.is_known(other)]:
                self._join([id(hunk), *told])
            else:
                self._known.add(id(hunk))

    def _root(self, node: int) -> int:
        while (parent := self._parents.get(node, node)) != node:
            self._parents[node] = self._parents.get(parent, parent)
            node = parent
        return node

    def _join(self, nodes: Iterable[int]) -> None:
        first, *others = (self._root(node) for node in nodes)
        for other in others:
            self._parents[self._root(other)] = self._root(first)


class _Holder:
    """Which hunk of a file holds a line."""

    def __init__(self, hunks: list[Hunk]) -> None:
        self._hunks = hunks
        self._after = [hunk.after_start for hunk in hunks]
        self._before = [hunk.before_start for hunk in hunks]

    def find(self, written: int, read: int) -> Hunk | None:
        """The hunk with the line ``written`` of the file as written, else the one with ``read`` of it as read."""
        number = bisect_right(self._after, written) - 1
        if written and number >= 0 and written < self._after[number] + len(self._hunks[number].after):
            return self._hunks[number]
        number = bisect_right(self._before, read) - 1
        if read and number >= 0 and read < self._before[number] + len(self._hunks[number].before):
            return self._hunks[number]
        return None
