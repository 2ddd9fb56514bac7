"""The report for a terminal: impact first, then what was held back, the edits, the findings, the patch, the undo."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from hardener import __version__
from hardener.authoring.edits import Evidence, Grade, Severity, dotted
from hardener.engine.outcome import MISSING, Change, FileChange, Held, Outcome, Report
from hardener.facts.cluster import platforms
from hardener.facts.objects.pod_security_levels import Standing
from hardener.report import impact, steps, unread, versions
from hardener.report.held import held_back, place
from hardener.report.impact import counted, listed
from hardener.report.levels import lines as level_lines
from hardener.report.patch import Patch
from hardener.report.redactor import Redactor
from hardener.sources.files import git_root
from hardener.support.fast_dataclass import dataclass
from hardener.support.printable import plain_line, plain_lines, without_commands

_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}
# A colour of ours, escaped with everything else. A name that holds one may have it: it turns letters red, no more.
_COLOUR = re.compile(r"\\x1b\[([012]|3[1236])m")


@dataclass(slots=True)
class TextReport:
    """Prints ``outcome`` through ``redactor`` to ``out``. ``verbose`` adds every edit, ``quiet`` leaves the summary."""

    outcome: Outcome
    redactor: Redactor
    out: Callable[[str], object]
    colour: bool = False
    verbose: bool = False
    quiet: bool = False
    applied: bool = False
    levels: tuple[list[Standing], list[Standing]] | None = None  # in place of the patch
    width: int = 0  # columns of the terminal; 0: lines are as long as they are

    def write(self) -> None:
        """Print the whole report."""
        # The patch is made first: it shows which secrets the lines before it must not quote.
        files = [] if self.quiet or self.levels else self.outcome.files
        patches = [Patch.of(change, self.redactor) for change in files]
        masked: list[FileChange] = []
        self._head()
        if not self.quiet:
            self._levels()
            self._impact()
            self._held()
            self._waived()
            self._edits()
            self._refused()
            self._findings()
            masked = self._patches(patches)
            self._steps("Before you apply", steps.before(self.outcome.changes))
            self._steps("After you apply", steps.after(self.outcome.changes))
        self._summary(masked)

    def _say(self, text: str = "", *, whole: bool = False) -> None:
        """Print a line; one that is there to be copied stays ``whole`` however narrow the terminal is."""
        # A name may hold line ends and escapes of a terminal; here it stands in one line, and only our colours act.
        line = plain_line(self.redactor.text(text))
        if self.colour:
            line = _COLOUR.sub("\033[\\1m", line)
        if len(line) > self.width > 0 and not whole:
            from hardener.report.wrapping import wrapped  # late: only a terminal needs it

            line = wrapped(line, self.width)
        self.out(line + "\n")

    def _paint(self, name: str, text: str) -> str:
        return f"\033[{_COLOURS[name]}m{text}\033[0m" if self.colour else text

    def _title(self, text: str) -> None:
        self._say()
        self._say(self._paint("bold", text))

    def _head(self) -> None:
        tree = self.outcome.tree
        version = ".".join(map(str, tree.settings.kubernetes_version))
        platform = "".join(f", {text}" for text in platforms.described(tree))
        source = "standard input, no tree around it" if tree.stream else f"evidence from {_short(tree.root)}"
        self._say(f"harden {__version__}: profile {self.outcome.profile}, Kubernetes {version}{platform}, {source}")
        if self.outcome.failure:
            self._say(f"  {self._paint('red', self.outcome.failure)}")
        for line in versions.remarks(tree):
            self._say(f"  {line}")
        if tree.unread_evidence:
            number = counted(tree.unread_evidence, "file")
            self._say(f"  {number} outside the given paths could not be read as evidence")
        for note in unread.notes(tree):
            self._say(f"  {self._paint('yellow', note.text) if note.is_grave else note.text}")

    def _levels(self) -> None:
        if self.levels and self.levels[0]:
            self._title("Pod Security levels")
            for line in level_lines(*self.levels):
                self._say(f"  {line}")

    def _impact(self) -> None:
        lines = list(impact.lines(self.outcome))
        if lines:
            self._title("Impact")
            for line in lines:
                self._say(f"  {line}")

    def _held(self) -> None:
        if not self.outcome.held:
            return
        self._title(f"Held back: {held_back(self.outcome)}; --accept ID makes it anyway")
        for group in _alike(self.outcome.held):
            if len(group) > _MOST_IN_FULL and not self.verbose:
                self._folded_steps(group)
            else:
                for held in group:
                    self._held_step(held)

    def _folded_steps(self, group: list[Held]) -> None:
        """One line for steps of one transform that are held back alike, and the evidence that they share."""
        names = listed({id(held.changes[0].object): str(held.changes[0].object) for held in group})
        self._say(f"{self._held_head(group[0])} x {len(group)}  {names} (-v shows each with its patch)")
        texts = [{fact.text for fact in _facts(held)} for held in group]
        for text in dict.fromkeys(fact.text for fact in _facts(group[0])):
            if all(text in others for others in texts):
                self._say(f"    because: {text}")

    def _held_head(self, held: Held) -> str:
        id = self._paint("yellow", held.transform.id)
        return f"  {id} {held.transform.risk} {held.transform.severity} {held.grade}"

    def _held_step(self, held: Held) -> None:
        first = held.changes[0]
        self._say(f"{self._held_head(held)}  {place(first.object.piece.file.name, first.line)} {first.object}")
        for fact in _facts(held):
            self._say(f"    because: {self._evidence(fact)}")
        for operation in held.patch:
            value = f" {_value(operation['value'])}" if "value" in operation else ""
            self._say(f"    patch:   {operation['op']} {operation['path']}{value}", whole=True)
        for step in steps.before(held.changes):
            self._say(f"    before:  {step}", whole=True)
        for step in steps.after(held.changes):
            self._say(f"    after:   {step}", whole=True)

    def _waived(self) -> None:
        if not self.outcome.waived:
            return
        self._title(f"Waived: {len(self.outcome.waived)}")
        for waived in self.outcome.waived:
            file, line, item, _ = waived.place
            self._say(f"  {waived.transform.id} {waived.transform.risk}  {place(file, line)} {item}")
            self._say(f"    {waived.carrier} ({waived.file}:{waived.line}): {waived.reason}")

    def _evidence(self, fact: Evidence) -> str:
        if fact.piece is None:
            return fact.text
        return f"{fact.text} ({fact.piece.file.name}:{self.outcome.lines.get((fact.piece, fact.path), 1)})"

    def _edits(self) -> None:
        if not self.outcome.changes:
            return
        groups: dict[str, list[Change]] = {}
        for change in self.outcome.changes:
            groups.setdefault(change.transform.id, []).append(change)
        verb = "Applied" if self.applied else "To apply"
        self._title(
            f"{verb}: {counted(len(self.outcome.changes), 'edit')} in {counted(len(self.outcome.files), 'file')}"
        )
        width = max(map(len, groups))
        for id, changes in groups.items():
            made = len({(change.object.piece, change.step) for change in changes})
            grades = Counter(change.edit.grade for change in changes)
            grade = "/".join([grade for grade in Grade if grade in grades])
            head = f"  {self._paint('green', id.ljust(width))} x {made}  {changes[0].transform.risk} {grade}"
            self._say(f"{head}  {changes[0].transform.summary}")
            if self.verbose:
                self._details(changes)

    def _details(self, changes: list[Change]) -> None:
        self._say(f"    {changes[0].transform.why}")
        for change in changes:
            where = f"{change.object.piece.file.name}:{change.new_line or change.line}"
            what = "removed" if change.after is MISSING else f"= {_value(change.after)}"
            self._say(f"    {where} {change.object} {dotted(change.path[1:])} {what}")
            sure = "; ".join(self._evidence(fact) for fact in change.evidence)
            self._say(f"      {change.edit.grade}, {change.edit.basis}" + (f": {sure}" if sure else ""))

    def _refused(self) -> None:
        documents = [item for item in self.outcome.refused if item.step is None]
        undone = [item for item in self.outcome.refused if item.step is not None and not item.cannot_write]
        unwritten = [item for item in self.outcome.refused if item.cannot_write]
        for items, title in (
            (documents, f"Refused: {counted(len(documents), 'document')}, kept byte for byte"),
            (undone, f"Rolled back: {counted(len(undone), 'step')} that would have broken something"),
            (unwritten, f"Not made: {counted(len(unwritten), 'step')} that the text has no place for"),
        ):
            if items:
                self._title(title)
            for item in items:
                edits = f" ({counted(item.edits, 'edit')} not made)" if item.edits else ""
                what = f"{item.step}: " if item.cannot_write else ""
                self._say(f"  {item.file}:{item.line} {what}{item.reason}{edits}: {item.advice}")

    def _findings(self) -> None:
        if not self.outcome.findings:
            return
        self._title(f"Left for a person: {counted(len(self.outcome.findings), 'finding')}")
        ordered = sorted(
            self.outcome.findings, key=lambda finding: (-finding.severity.rank, finding.file, finding.line)
        )
        for group in grouped(ordered):
            first, full = group[0], self.verbose
            if first.topic and len(group) > 1 and len({finding.advice for finding in group}) == 1:
                noun, _, rest = first.topic.partition(" ")
                self._folded(group, f"  {counted(len(group), noun)} {rest}: {first.advice}")
            elif len(group) > _MOST_IN_FULL and not full and first.severity.rank < Severity.HIGH.rank:
                self._folded(group, f" x {len(group)}  {_named(group)}")
                self._say(f"    for one: {first.message}: {first.advice}")
            else:
                full = True
            for finding in group if full else ():
                self._finding(finding)

    def _folded(self, group: list[Report], what: str) -> None:
        """One line for findings that say the same."""
        names = "" if self.verbose else " (-v names them)"
        self._say(f"  {self._severity(group[0])} {group[0].id}{what}{names}")

    def _finding(self, finding: Report) -> None:
        target = f" {finding.object}" if finding.object is not None else ""
        self._say(f"  {self._severity(finding)} {finding.id}  {finding.file}:{finding.line}{target}")
        self._say(f"    {finding.message}: {finding.advice}")

    def _severity(self, finding: Report) -> str:
        colour = "red" if finding.severity.rank >= 2 else "dim"
        return self._paint(colour, finding.severity) + (f" {finding.risk}" if finding.risk else "")

    def _patches(self, patches: list[Patch]) -> list[FileChange]:
        """Print the patches; those that show something masked are returned, since git cannot take them."""
        if patches:
            self._title("Patch")
        masked = []
        for patch in patches:
            self._say()
            ids = Counter(id for _, id in patch.change.ids)
            names = ", ".join(f"{id} x {count}" if count > 1 else id for id, count in ids.items())
            self._say(f"# {names}", whole=True)
            # Made twice rather than kept: it can be as long as the file.
            if patch.is_masked(self.redactor):
                masked.append(patch.change)
                self._say("# shows masked secrets: git apply cannot take this file, harden apply can", whole=True)
            elif any(self._seen(part) != part for part in patch.parts()):
                self._say("# shows escaped characters: git apply cannot take this file, harden apply can", whole=True)
            for part in patch.parts():
                text = self._seen(self.redactor.text(part))
                if self.colour:
                    for line in text.splitlines(keepends=True):
                        self._patch_line(line)
                else:
                    self.out(text)
        return masked

    def _seen(self, part: str) -> str:
        """A part of a patch as it is shown: on a terminal all is seen, elsewhere it stays what git takes."""
        return plain_lines(part) if self.colour or self.width else without_commands(part)

    def _patch_line(self, line: str) -> None:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1]) if self.colour else None
        if colour and not line.startswith(("+++", "---")):
            line = self._paint(colour, line.rstrip("\n")) + "\n"
        self.out(line)

    def _steps(self, title: str, found: list[str]) -> None:
        if found:
            self._title(title)
        for number, step in enumerate(found, 1):
            self._say(f"  {number}. {step}", whole=True)

    def _summary(self, masked: list[FileChange]) -> None:
        counts = self.outcome.summary()
        self._say()
        done = "changed" if self.applied else "would change"
        self._say(
            f"{counted(counts['files'], 'file')}, {counted(counts['documents'], 'document')}: "
            f"{counted(counts['edits'], 'edit')}, {counted(counts['changed'], 'file')} {done}; "
            f"{counts['held']} held back, {counts['refused']} refused, {counts['waived']} waived, "
            f"{counted(counts['findings'], 'finding')}"
        )
        if masked:
            names = ", ".join(change.file.name for change in masked)
            instead = "use harden apply, or --format patch, which leaves these out"
            self._say(f"git apply refuses this patch, since secrets are masked in it ({instead}): {names}")
        if self.applied and self.outcome.files and not self.outcome.tree.stream:
            undo = _undo(self.outcome.files)
            if undo:
                self._say(f"undo: {undo}", whole=True)


# Findings that give the same advice are one line when there are more of them, and none of them is urgent; so are steps
# that are held back for the same reason.
_MOST_IN_FULL = 3


def grouped(findings: list[Report]) -> Iterator[list[Report]]:
    """The findings that a person needs to read once: those of one topic, else those with the same advice. Where they
    stand is that of the first."""
    groups: dict[tuple[str, str], list[Report]] = {}
    for finding in findings:
        groups.setdefault((finding.id, finding.topic or f"{finding.severity} {finding.advice}"), []).append(finding)
    yield from groups.values()


def _alike(held: list[Held]) -> Iterable[list[Held]]:
    """The steps by transform, grade and first evidence, wherever that stands."""
    groups: dict[tuple[str, Grade, str], list[Held]] = {}
    for each in held:
        first = next((fact.text for fact in _facts(each)), "")
        groups.setdefault((each.transform.id, each.grade, first), []).append(each)
    return groups.values()


def _named(findings: list[Report]) -> str:
    return listed({id(found.object or found): str(found.object or found.file) for found in findings})


def _facts(held: Held) -> dict[Evidence, None]:
    return dict.fromkeys(fact for change in held.changes for fact in change.edit.evidence)


def _value(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _undo(files: list[FileChange]) -> str | None:
    if git_root(files[0].file.path) is None:
        return None
    commands = []
    names = [change.file.name for change in files if not change.file.is_new]
    made = [change.file.name for change in files if change.file.is_new]
    note = ""
    if len(names) > 4:
        names = [os.path.commonpath([os.path.dirname(name) or "." for name in names]) or "."]
        note = "  # with every other uncommitted change there"
    if names:
        commands.append("git restore -- " + " ".join(map(shlex.quote, names)))
    if len(made) > 4:
        # Those that are called after the file of their Namespace are one pattern, too.
        patterns = sorted({":(glob)**/" + re.sub(r".+(?=_harden-)", "*", os.path.basename(name)) for name in made})
        commands.append("git clean -f -- " + " ".join(map(shlex.quote, patterns)))
    elif made:
        commands.append("rm -- " + " ".join(map(shlex.quote, made)))
    return " && ".join(commands) + note
