"""The whole report for people: impact, guesses, what was held back, the edits, the findings, the patch, the undo."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hardener import __version__
from hardener.authoring.edits import Severity
from hardener.engine.outcome import MISSING, Change, FileChange, Held, Report
from hardener.report import impact, steps
from hardener.report.guesses import Guesses
from hardener.report.held_back import held_back, place
from hardener.report.impact import counted, listed
from hardener.report.levels import placed
from hardener.report.patch import Patch
from hardener.report.reachability.shut_out import sentences
from hardener.report.reachability.summary import reached
from hardener.report.terminal import printed
from hardener.support.data_path import dotted


class WholeReport(printed.Printed):
    """Prints all of the outcome; ``verbose`` adds every edit and folds nothing, ``quiet`` leaves the summary."""

    def write(self) -> None:
        """Print the report."""
        # The patches are made first: that shows which secrets no line may quote.
        files = self.outcome.files if self.context.patch and not self.context.quiet else []
        patches = [Patch.of(change, self.context.redactor) for change in files]
        masked: list[FileChange] = []
        if self.context.verdict:
            self._say(self.context.verdict)
        self._head()
        if self.context.quiet:
            self._failing(_MOST_QUIET)
        else:
            self._failing()
            self._impact()
            self._guesses()
            self._held()
            self._waived()
            self._values()
            self._edits()
            self._levels()
            self._refused()
            self._findings()
            self._template_patch()
            if not self.context.patch_last:
                masked = self._patch(patches)
            self._steps("Before you apply", steps.before(self.outcome.changes))
            self._steps("After you apply", steps.after(self.outcome.changes))
        self._summary(masked)
        if self.context.patch_last and (masked := self._patch(patches)):
            self._say(printed.refused_by_git(masked))

    def _patch(self, patches: list[Patch]) -> list[FileChange]:
        """Print the patches below a title; those that git cannot take are returned."""
        if not patches:
            return []
        self._title("Patch")
        self._say()
        return self._patches(patches)

    def _head(self) -> None:
        self._say(f"harden {__version__}: {self._settings()}")
        if self.outcome.failure:
            self._say(f"  {self._paint('red', self.outcome.failure)}")
        for text, grave in self._remarks():
            self._say(f"  {self._paint('yellow', text) if grave else text}")

    def _failing(self, most: int | None = None) -> None:
        """What a check fails on; ``most`` lines of it."""
        if not self.context.failing:
            return
        self._title(printed.failing_title(self.context.failing))
        found = printed.failures(self.context.failing)
        for each in found[:most]:
            times = f" x {each.count}" if each.count > 1 else ""
            item = f" {each.item}" if each.item else ""
            line = f"  {self._painted(each.severity)} {each.id}{times}  {place(*each.where)}{item}  {each.text}"
            self._say(line, at=[each.where])
        if left := len(found) - len(found[:most]):
            self._say(f"  and {left} more; without --quiet the report lists them")

    def _levels(self) -> None:
        if self.context.levels and self.context.levels[0]:
            self._title("Pod Security levels")
            for line, at in placed(*self.context.levels):
                self._say(f"  {line}", at=at)

    def _impact(self) -> None:
        reach = reached(self.outcome)
        lines = list(impact.lines(self.outcome, reach))
        if lines:
            self._title("Impact")
            for line in lines:
                self._say(f"  {line}")
        if self.context.verbose and reach is not None and reach.shut:
            self._title("Whom each policy shuts out, as far as harden does not understand them")
            for line in sentences(reach.shut):
                self._say(f"  {line}")

    def _held(self) -> None:
        if not self.outcome.held_back:
            return
        asked = self._leaves_out_held()
        self._title(
            f"Held back: {held_back(self.outcome)}; {'-v lists them' if asked else '--accept ID makes it anyway'}"
        )
        for group in [] if asked else printed.alike(self.outcome.held_back):
            if len(group) > _MOST_IN_FULL and not self.context.verbose:
                self._folded_steps(group)
            else:
                for held in group:
                    self._held_step(held)

    def _guesses(self) -> None:
        guesses = Guesses(self.outcome)
        if not guesses:
            return
        self._title(guesses.title)
        for each in guesses.groups:
            at = self._places([each.fact])
            self._say(f"  {each.name}{each.count} {self._evidence(each.fact)}", at=at)
        self._say(f"  to know: {'; '.join(guesses.ways())}")
        self._say("  to make them anyway: --max-grade guess")
        for step in guesses.steps if self.context.verbose else ():
            self._held_step(step)

    def _folded_steps(self, group: list[Held]) -> None:
        """One line for steps of one transform that are held back alike, and the evidence that they share."""
        names = listed({id(held.changes[0].object): str(held.changes[0].object) for held in group})
        self._say(f"{self._held_head(group[0])} x {len(group)}  {names} (-v shows each with its patch)")
        texts = [{fact.text for fact in printed.facts_of(held)} for held in group]
        for text in dict.fromkeys(fact.text for fact in printed.facts_of(group[0])):
            if all(text in others for others in texts):
                self._say(f"    because: {text}")

    def _held_head(self, held: Held) -> str:
        id = self._paint("yellow", held.transform.id)
        return f"  {id} {held.transform.risk} {held.transform.severity} {held.grade}"

    def _held_step(self, held: Held) -> None:
        first = held.changes[0]
        where = (first.object.piece.file.name, first.line)
        self._say(f"{self._held_head(held)}  {place(*where)} {first.object}", at=[where])
        for fact in printed.facts_of(held):
            self._say(f"    because: {self._evidence(fact)}", at=self._places([fact]))
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
            self._say(f"  {waived.transform.id} {waived.transform.risk}  {place(file, line)} {item}", at=[(file, line)])
            carried = (waived.file, waived.line)
            self._say(f"    {waived.carrier} ({waived.file}:{waived.line}): {waived.reason}", at=[carried])

    def _values(self) -> None:
        if self.outcome.overrides:
            from hardener.report import chart_values  # late: few runs are about a chart

            self._title(chart_values.title(self.outcome))
            for line in chart_values.lines(self.outcome):
                self._say(f"  {line}")

    def _template_patch(self) -> None:
        if self.outcome.template_patch:
            self._title("The patch of templates, for git apply; harden does not apply it")
            for line in self.context.redactor.text(self.outcome.template_patch).splitlines():
                self._say(f"  {line}", whole=True)

    def _edits(self) -> None:
        if not self.outcome.changes:
            return
        verb = "Applied" if self.context.applied else "To apply"
        self._title(f"{verb}: {self._changed()}")
        groups = printed.by_transform(self.outcome.changes)
        width = max(len(changes[0].transform.id) for changes in groups)
        for changes in groups:
            transform = changes[0].transform
            id = self._paint("green", transform.id.ljust(width))
            grade = printed.of_grades(change.edit.grade for change in changes)
            graded = f"{transform.risk} {transform.severity} {grade}"
            self._say(f"  {id}  {graded}  {self._made_at(changes)}  {transform.title}")
            if self.context.verbose:
                self._details(changes)

    def _details(self, changes: list[Change]) -> None:
        self._say(f"    {changes[0].transform.why}")
        for change in changes:
            where = (change.object.piece.file.name, change.new_line or change.line)
            what = "removed" if change.after is MISSING else f"= {_value(change.after)}"
            self._say(f"    {where[0]}:{where[1]} {change.object} {dotted(change.path[1:])} {what}", at=[where])
            sure = "; ".join(self._evidence(fact) for fact in change.evidence)
            graded = f"{change.edit.grade}, {change.edit.basis}"
            self._say(f"      {graded}" + (f": {sure}" if sure else ""), at=self._places(change.evidence))

    def _refused(self) -> None:
        for title, lines in self._refusals():
            self._title(title)
            for where, text in lines:
                self._say(f"  {place(*where)} {text}", at=[where])

    def _findings(self) -> None:
        found = self.outcome.findings
        if not found:
            return
        counts = printed.by_severity(finding.severity for finding in found)
        self._title(f"Needs manual work: {counted(len(found), 'finding')} ({counts})")
        for group in grouped(printed.gravest_first(found)):
            first, full = group[0], self.context.verbose
            if first.topic and len(group) > 1 and len({finding.advice for finding in group}) == 1:
                noun, _, rest = first.topic.partition(" ")
                self._folded(group, f"  {counted(len(group), noun)} {rest}: {first.advice}")
            elif len(group) > _MOST_IN_FULL and not full and first.severity.rank < Severity.HIGH.rank:
                self._folded(group, f" x {len(group)}  {_named(group)}")
                self._say(f"    for example: {first.message}: {first.advice}")
            else:
                full = True
            for finding in group if full else ():
                self._finding(finding)

    def _folded(self, group: list[Report], what: str) -> None:
        """One line for findings that say the same."""
        names = "" if self.context.verbose else " (-v names them)"
        self._say(f"  {self._severity(group[0])} {group[0].id}{what}{names}")

    def _finding(self, finding: Report) -> None:
        target = f" {finding.object}" if finding.object is not None else ""
        where = (finding.file, finding.line)
        self._say(f"  {self._severity(finding)} {finding.id}  {finding.file}:{finding.line}{target}", at=[where])
        self._say(f"    {finding.message}: {finding.advice}")
        for other in finding.also if self.context.verbose else ():
            self._say(f"    also {other.file}:{other.line} {other.object}", at=[(other.file, other.line)])

    def _steps(self, title: str, found: list[str]) -> None:
        if found:
            self._title(title)
        for number, step in enumerate(found, 1):
            self._say(f"  {number}. {step}", whole=True)

    def _summary(self, masked: list[FileChange]) -> None:
        counts = self.outcome.summary()
        self._say()
        done = "changed" if self.context.applied else "would change"
        guesses = f"{counted(counts['guesses'], 'guess', 'es')}, " if counts["guesses"] else ""
        self._say(
            f"{counted(counts['files'], 'file')}, {counted(counts['documents'], 'document')}: "
            f"{counted(counts['edits'], 'edit')}, {counted(counts['changed'], 'file')} {done}; "
            f"{guesses}{len(self.outcome.held_back)} held back, {counts['refused']} refused, "
            f"{counts['waived']} waived, {counted(counts['findings'], 'finding')}"
        )
        if masked:
            self._say(printed.refused_by_git(masked))
        if self.context.verdict and (advice := self._next()):
            self._say(f"next: {advice}")
        for line in self._undo_lines():
            self._say(line, whole=line.startswith("undo: "))


# Findings that give the same advice are one line when there are more of them, and none of them is urgent; so are steps
# that are held back for the same reason.
_MOST_IN_FULL = 3
_MOST_QUIET = 20  # lines of what a check fails on, with --quiet


def grouped(findings: list[Report]) -> Iterator[list[Report]]:
    """Yield the findings that a person needs to read once: those of one topic, else those with the same advice. Where
    they stand is that of the first."""
    groups: dict[tuple[str, str], list[Report]] = {}
    for finding in findings:
        groups.setdefault((finding.id, finding.topic or f"{finding.severity} {finding.advice}"), []).append(finding)
    yield from groups.values()


def _named(findings: list[Report]) -> str:
    return listed({id(found.object or found): str(found.object or found.file) for found in findings})


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
