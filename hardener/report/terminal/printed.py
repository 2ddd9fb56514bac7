"""What is printed for people, line by line: secrets masked, names that act on nothing, colours and links of ours."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hardener.authoring import registry
from hardener.authoring.config import NEWEST
from hardener.authoring.edits import Evidence, Grade, Severity
from hardener.engine.outcome import Change, FileChange, Held, Outcome, Report, Waived
from hardener.engine.problem_sentence import problem_of
from hardener.facts.cluster import platforms
from hardener.kubernetes.components.flag_values import parsed_version
from hardener.report import unread
from hardener.report.context import Context
from hardener.report.held_back import place
from hardener.report.impact import counted
from hardener.report.patch import Patch
from hardener.report.terminal.undo import Undo, undo
from hardener.report.terminal.wrapping import wrapped
from hardener.support.late_pattern import late_pattern
from hardener.support.printable import plain_line, plain_lines, without_commands
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}
# A colour of ours, escaped with everything else. A name that holds one may have it: it turns letters red, no more.
_COLOUR = late_pattern(r"\\x1b\[([012]|3[1236])m")

_MOST_KEPT = 4_000_000  # characters of a patch
_UNDO = "harden undo"
_MOST_IDS = 4  # of a command; with more of them it is no line that anybody types

Place = tuple[str, int]  # a file as it is named, and a line; 0: none


class Failure(Struct, frozen=True):
    """What a check fails on: ``count`` records that say the same ``text`` of ``item``, the first at ``where``."""

    severity: Severity
    id: str
    where: Place
    item: str
    text: str
    count: int


class Printed(Struct):
    """Prints of ``outcome`` to ``out``, in the way of ``context``."""

    outcome: Outcome
    context: Context
    out: Callable[[str], object]

    def _say(self, text: str = "", *, whole: bool = False, at: Iterable[Place] = ()) -> None:
        """Print a line; one that is there to be copied stays ``whole`` however narrow the terminal is. The places
        ``at`` become links."""
        line = self._plain(text)
        if (
            self.context.screen.width > 0
            and not whole
            and len(line.encode("utf-8", "replace")) > self.context.screen.width
        ):
            line = wrapped(line, self.context.screen.width)
        if self.context.screen.link is not None:
            line = self._linked(line, {self._plain(place(*where)): where for where in at})
        self.out(line + "\n")

    def _plain(self, text: str) -> str:
        """``text`` in one line, with its secrets masked; only our colours act."""
        line = plain_line(self.context.redactor.text(text))
        return _COLOUR.sub("\033[\\1m", line) if self.context.screen.colour else line

    def _linked(self, line: str, places: Mapping[str, Place]) -> str:
        """``line`` with a link at each of ``places``, by the text that names it; none where that is broken."""
        link = self.context.screen.link
        shown = {text: where for text, where in places.items() if text and where[0] != "<stdin>"}
        if link is None or not shown:
            return line
        # All at once: an address holds the name of a file as well. The longest first: a.yaml:12 is not a.yaml:1.
        pattern = "|".join(map(re.escape, sorted(shown, key=len, reverse=True)))

        def linked(found: re.Match[str]) -> str:
            name, line = shown[found[0]]
            return f"\033]8;;{link(os.path.abspath(name), line)}\033\\{found[0]}\033]8;;\033\\"

        return re.sub(pattern, linked, line)

    def _paint(self, name: str, text: str) -> str:
        return f"\033[{_COLOURS[name]}m{text}\033[0m" if self.context.screen.colour else text

    def _title(self, text: str) -> None:
        self._say()
        self._say(self._paint("bold", text))

    def _settings(self) -> str:
        """Profile, version, and where the evidence is from."""
        tree = self.outcome.tree
        version = ".".join(map(str, tree.settings.kubernetes_version))
        platform = "".join(f", {text}" for text in platforms.described(tree))
        source = "standard input, no tree around it" if tree.stream else f"evidence from {_short(tree.root)}"
        if tree.chart is not None:
            source = f"chart {tree.chart} as helm renders it"
        return f"profile {self.outcome.profile}, Kubernetes {version}{platform}, {source}"

    def _remarks(self) -> Iterator[tuple[str, bool]]:
        """What there is to say of the tree, of versions and of what was not read, each with whether it is grave."""
        tree = self.outcome.tree
        yield from ((text, False) for text in (*self.context.remarks, *_version_remarks(tree)))
        if tree.unread_evidence:
            number = counted(tree.unread_evidence, "file")
            yield f"{number} outside the given paths could not be read as evidence", False
        yield from ((note.text, note.is_grave) for note in unread.notes(tree))
        yield from ((text, False) for text in self._without_effect())

    def _without_effect(self) -> Iterator[str]:
        """What was accepted and changes nothing: it may need a change that is held back."""
        if self.outcome.asked.is_judged_apart:  # what is judged is not all that there is
            return
        steps: list[Change | Held | Waived] = [
            *self.outcome.changes,
            *self.outcome.not_made,
            *self.outcome.held,
            *self.outcome.waived,
        ]
        told = {each.transform.id for each in steps} | {item.step for item in self.outcome.refused}
        held = list(dict.fromkeys(held.transform.id for held in self.outcome.held))
        for id in dict.fromkeys(self.outcome.asked.values("accept")):
            if id not in told:
                others = _decided_before(id, held)
                need = f"; it may need what is held back: {', '.join(others[:_MOST_IDS])}" if others else ""
                yield f"--accept {id} makes no change{need}"

    def _changed(self) -> str:
        """How many edits there are, and where a person finds them: in files, or in the values of a chart."""
        outcome = self.outcome
        keys, files = counted(len(outcome.overrides), "key"), counted(len(outcome.files), "file")
        where = f"in {files}" if outcome.tree.chart is None else f"through {keys} of values"
        return f"{counted(len(outcome.changes), 'edit')} {where}"

    def _made_at(self, changes: list[Change]) -> str:
        """How many edits ``changes`` are, and of what: files, or objects of a chart, whose templates stay."""
        if self.outcome.tree.chart is None:
            where = f"in {in_files((name, 0) for name in self.outcome.names_of(changes))}"
        else:
            objects = [str(item) for item in {id(change.object): change.object for change in changes}.values()]
            where = f"of {objects[0] if len(objects) == 1 else counted(len(objects), 'object')}"
        return f"{counted(len(changes), 'edit')} {where}"

    def _refusals(self) -> Iterator[tuple[str, list[tuple[Place, str]]]]:
        """What could not be made, by what became of it: a title, and where and why."""
        refused = self.outcome.refused
        documents = [item for item in refused if item.step is None]
        undone = [item for item in refused if item.step is not None and not item.cannot_write]
        unwritten = [item for item in refused if item.cannot_write]
        for items, title in (
            (documents, f"Refused: {counted(len(documents), 'document')}, kept byte for byte"),
            (undone, f"Rolled back: {counted(len(undone), 'step')} that would have broken something"),
            (unwritten, f"Not made: {counted(len(unwritten), 'step')} that the text has no place for"),
        ):
            lines = []
            for item in items:
                edits = f" ({counted(item.edits, 'edit')} not made)" if item.edits else ""
                what = f"{item.step}: " if item.cannot_write else ""
                lines.append(((item.file, item.line), f"{what}{item.reason}{edits}: {item.advice}"))
            if lines:
                yield title, lines

    def _leaves_out_held(self) -> bool:
        """Whether what is held back is only counted: somebody asked for safe changes alone."""
        return self.outcome.max_grade is Grade.SAFE and not self.context.verbose

    def _next(self) -> str | None:
        """What a person does next; None where that is not for us to say."""
        if not self.context.advises or self._is_stream:
            return None
        outcome, applied = self.outcome, self.context.applied
        if outcome.tree.chart is not None and outcome.overrides and (applied or not outcome.files):
            name = outcome.files[0].file.name if outcome.files else "the file of values"
            return f"give {name} to helm as the last of its values (-f)"
        return self._next_of_files() if applied and outcome.files else self._next_steps()

    def _next_of_files(self) -> str:
        left = f"{self.outcome.asked.command('check', '-v')} lists what is left"
        return f"git diff shows each line; {left}" if self._undo() else left

    def _next_steps(self) -> str | None:
        steps = [*self._next_changes(), *self._next_held()]
        has_more = bool(steps or self.outcome.findings or self.outcome.held)
        if has_more and not self.context.verbose:
            steps.append("-v shows all" if steps else "-v shows all findings with their places")
        return "; ".join(steps) or None

    def _next_changes(self) -> Iterator[str]:
        asked = self.outcome.asked
        if not self.outcome.changes:
            return
        if asked.is_judged_apart:
            known = ", also those that the baseline lists" if asked.gives("baseline") else ""
            yield f"{asked.command('diff')} shows each change{known}"
        elif self.context.patch_last:  # they are shown
            yield f"{asked.command(self.outcome.command)} makes them"
        else:
            yield f"{asked.command('diff')} shows each change, {asked.command(self.outcome.command)} makes them"

    def _next_held(self) -> Iterator[str]:
        """The command that makes what was held back and fails the check."""
        held = [record for record in self.context.failing if isinstance(record, Held)]
        ids = list(dict.fromkeys(each.transform.id for each in held))
        if held:
            asked = self.outcome.asked
            if self.outcome.tree.chart is None:
                asked = asked.about(each.changes[0].object.piece.file.name for each in held)
            option = ("--accept", ",".join(ids) if len(ids) <= _MOST_IDS else "ID")
            what = "what is held back and fails the check"
            if asked.is_judged_apart:
                yield f"{asked.command('diff', *option)} shows {what}"
            else:
                yield f"{asked.command(self.outcome.command, *option)} makes {what}"

    @property
    def _is_stream(self) -> bool:
        """Whether it is about standard input, which no command can be told again."""
        return self.outcome.tree.stream and self.outcome.tree.chart is None

    def _undo(self) -> Undo | None:
        """How the files are brought back; None where Git cannot do it."""
        if not (self.context.applied and self.outcome.files) or self._is_stream:
            return None

        return undo(self.outcome.files, self.outcome.asked.paths)

    def _undo_lines(self) -> Iterator[str]:
        """How the files are brought back. A terminal gets the short command where what was before is kept; that prints
        the one of Git, too."""
        found, width = self._undo(), self.context.screen.width
        if self.context.is_kept and (found is None or self.context.screen.height):
            both = "" if found is None else f"undo: {_UNDO}, or {found.command}"
            yield both if both and len(both) <= width and not (found and found.notes) else f"undo: {_UNDO}"
        elif found is not None:
            yield from found.notes
            yield f"undo: {found.command}"

    def _evidence(self, fact: Evidence) -> str:
        """What a piece of evidence says, and where it stands."""
        found = self._places([fact])
        return f"{fact.text} ({place(*found[0])})" if found else fact.text

    def _places(self, facts: Iterable[Evidence]) -> list[Place]:
        lines = self.outcome.lines
        return [
            (fact.piece.file.name, lines.get((fact.piece, fact.path), 1)) for fact in facts if fact.piece is not None
        ]

    def _severity(self, finding: Report) -> str:
        return self._painted(finding.severity) + (f" {finding.risk}" if finding.risk else "")

    def _painted(self, severity: Severity) -> str:
        return self._paint("red" if severity.rank >= Severity.HIGH.rank else "dim", severity)

    def _patches(self, patches: Iterable[Patch]) -> list[FileChange]:
        """Print the patches; those that show something masked are returned, since git cannot take them."""
        masked = []
        for number, patch in enumerate(patches):
            if number:
                self._say()
            ids = Counter(patch.change.ids)
            names = ", ".join(f"{id} x {count}" if count > 1 else id for id, count in ids.items())
            self._say(f"# {names}", whole=True)
            instead = f"git apply cannot take this file, harden {self.outcome.command} can"
            parts, is_masked, is_escaped = self._shown(patch)
            if is_masked:
                masked.append(patch.change)
                self._say(f"# shows masked secrets: {instead}", whole=True)
            elif is_escaped:
                self._say(f"# shows escaped characters: {instead}", whole=True)
            for text in parts:
                if self.context.screen.colour:
                    for line in text.splitlines(keepends=True):
                        self._patch_line(line)
                else:
                    self.out(text)
        return masked

    def _shown(self, patch: Patch) -> tuple[Iterable[str], bool, bool]:
        """The parts of ``patch`` as they are shown, and whether something in them is masked, or else escaped. What is
        long, which may be as much as the file, is made twice rather than kept."""
        kept: list[str] = []
        length, is_masked, is_escaped = 0, not patch.whole, False
        for part in patch.pieces():
            text = self.context.redactor.text(part)
            is_masked = is_masked or text != part
            shown = self._seen(text)
            is_escaped = is_escaped or shown != text
            length += len(shown)
            if length <= _MOST_KEPT:
                kept.append(shown)
            else:
                kept.clear()
        again = (self._seen(self.context.redactor.text(part)) for part in patch.pieces())
        return kept if length <= _MOST_KEPT else again, is_masked, is_escaped

    def _seen(self, part: str) -> str:
        """A part of a patch as it is shown: on a terminal all is seen, elsewhere it stays what git takes."""
        return plain_lines(part) if self.context.screen.colour or self.context.screen.width else without_commands(part)

    def _patch_line(self, line: str) -> None:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1]) if self.context.screen.colour else None
        if colour and not line.startswith(("+++", "---")):
            line = self._paint(colour, line.rstrip("\n")) + "\n"
        self.out(line)


def facts_of(held: Held) -> dict[Evidence, None]:
    """Return the evidence of a step that is held back, each once."""
    return dict.fromkeys(fact for change in held.changes for fact in change.edit.evidence)


def alike(held: list[Held]) -> list[list[Held]]:
    """Return the steps by transform, grade and first evidence, wherever that stands."""
    groups: dict[tuple[str, Grade, str], list[Held]] = {}
    for each in held:
        first = next((fact.text for fact in facts_of(each)), "")
        groups.setdefault((each.transform.id, each.grade, first), []).append(each)
    return list(groups.values())


def by_transform(changes: list[Change]) -> list[list[Change]]:
    """Return the changes of each transform, in the order of the run."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.transform.id, []).append(change)
    return list(groups.values())


def refused_by_git(masked: list[FileChange]) -> str:
    """Return which files of a patch Git does not take, and what does."""
    names = ", ".join(change.file.name for change in masked)
    instead = "use harden apply, or --format patch, which leaves these out"
    return f"git apply refuses this patch, since secrets are masked in it ({instead}): {names}"


def gravest_first(findings: Iterable[Report]) -> list[Report]:
    """Return the findings by severity, then by place."""
    return sorted(findings, key=lambda finding: (-finding.severity.rank, finding.file, finding.line))


def failing_title(records: Sequence[Change | Held | Report]) -> str:
    """Return how many ``records`` a check fails on."""
    return f"Fails the check: {len(records)} ({by_severity(map(_severity_of, records))})"


def failures(records: Iterable[Change | Held | Report]) -> list[Failure]:
    """Return what a check fails on, the gravest first; what is alike for one object is one."""
    groups: dict[tuple[str, str, str, str], list[tuple[Severity, Place]]] = {}
    for record in records:
        severity = _severity_of(record)
        if isinstance(record, Report):
            id, item, where, text = record.id, record.object, (record.file, record.line), record.message
        else:
            first = record.changes[0] if isinstance(record, Held) else record
            id, item, where = record.transform.id, first.object, (first.object.piece.file.name, first.line)
            changes = record.changes if isinstance(record, Held) else [record]
            state = "held back" if isinstance(record, Held) else "pending"
            text = f"{problem_of(changes)}; the change is {state}"
        name = "" if item is None else str(item)
        groups.setdefault((id, where[0], name, text), []).append((severity, where))
    found = [
        Failure(group[0][0], id, group[0][1], name, text, len(group)) for (id, _, name, text), group in groups.items()
    ]
    return sorted(found, key=lambda one: -one.severity.rank)


def _severity_of(record: Change | Held | Report) -> Severity:
    return record.severity if isinstance(record, Report) else record.transform.severity


def by_severity(records: Iterable[Severity]) -> str:
    """Return how many there are of each severity, the gravest first: ``2 high, 7 low``."""
    counts = Counter(records)
    return ", ".join(f"{counts[each]} {each}" for each in reversed(Severity) if counts[each])


def of_grades(grades: Iterable[Grade]) -> str:
    """Return the grades that there are: ``safe/review``."""
    found = set(grades)
    return "/".join(grade for grade in Grade if grade in found)


def in_files(names: Iterable[Place]) -> str:
    """Return where ``names`` are: the one place, the one file, or how many files."""
    found = list(dict.fromkeys(names))
    if len(found) == 1:
        return place(*found[0])
    files = {name for name, _ in found}
    return found[0][0] if len(files) == 1 else counted(len(files), "file")


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


# Where a cluster says its version: kubeadm's kubernetesVersion, eksctl's metadata.version, version of aws_eks_cluster.
_SAID = (
    ("kubeadm.k8s.io", "ClusterConfiguration", ("kubernetesVersion",)),
    ("eksctl.io", "ClusterConfig", ("metadata", "version")),
)


def _version_remarks(tree: Tree) -> Iterator[str]:
    """One line where the version is newer than harden knows, one where the tree says an older one than assumed."""
    version = tree.settings.kubernetes_version
    if version > NEWEST:
        yield f"Kubernetes {_text(version)} is newer than what harden knows: it is judged like {_text(NEWEST)}"
    said = [(found, item) for item, found in _said_versions(tree) if found < version]
    if said:
        oldest, item = min(said, key=lambda one: one[0])
        yield (
            f"{item.piece.file.name} says Kubernetes {_text(oldest)}, older than {_text(version)}: "
            f"--kubernetes-version {_text(oldest)} leaves out what it does not have"
        )


def _said_versions(tree: Tree) -> Iterator[tuple[Object, tuple[int, int]]]:
    items = [(item, path) for group, kind, path in _SAID for item in tree.of(group, kind)]
    if tree.block_files:
        items += [(block, ("version",)) for block in tree.blocks.of("aws_eks_cluster")]
    for item, path in items:
        value: Any = item.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        version = parsed_version(value) if isinstance(value, str) else None  # as a number, 1.30 would be 1.3
        if item.editable and version is not None:
            yield item, version


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _decided_before(id: str, others: list[str]) -> list[str]:
    """Those of ``others``, transforms too, that run before ``id``: it may need their changes."""
    order = list(registry.transforms())
    return [other for other in others if id in order and order.index(other) < order.index(id)]
