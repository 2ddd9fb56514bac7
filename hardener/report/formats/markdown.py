"""The report as a comment of a pull request: pass or fail and why, what may break, what waits, the changes by workload,
what is left, the diffs.

GitHub takes 65,536 characters; the comment has at most 60,000. What does not fit is left out from its end, and the
comment says what and how much. The names in it may be anybody's: they stand as text, and ping nobody.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct, field

from hardener import __version__
from hardener.authoring import registry
from hardener.authoring.edits import Evidence, Grade, Severity
from hardener.authoring.risks import RISKS
from hardener.engine.outcome import Change, Held, Outcome, Report
from hardener.engine.problem_sentence import problem_of
from hardener.report import chart_values, impact, levels, steps, unread
from hardener.report.connections import graph, graph_formats
from hardener.report.context import Context
from hardener.report.guesses import Guess, Guesses
from hardener.report.held_back import held_back, place
from hardener.report.impact import counted
from hardener.report.pages import page_of
from hardener.report.patch import Patch
from hardener.report.terminal import printed
from hardener.report.terminal.whole_report import grouped
from hardener.support.printable import plain, plain_lines

ERRORS = "backslashreplace"
FOR_PEOPLE = False
LONGEST = 60_000
# The most that a section takes, so that the ones behind it have their part; the diffs take what is left.
_SHARES = {
    "failing": 3_000, "impact": 8_000, "guesses": 4_000, "held": 10_000, "values": 6_000, "applied": 12_000,
    "levels": 4_000, "findings": 10_000, "graph": 6_000,
}  # fmt: skip
_MOST_ARROWS = 500  # GitHub draws no more
_PLACES = 10
_NOTE = 200  # characters kept free in each section for what was left out
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$]")
# What a host makes a link of, and tells those about who are named: @ and # and GH-, of GitLab ! and % too, and URLs.
_PING = re.compile(r"(?<![\w/])[@#!%](?=\w)|(?<=\w)[#!](?=\d)|\bGH(?=-\d)|(?i:\b(?:https?|ftp)(?=://)|\bwww(?=\.))")


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``."""
    out(_Comment(outcome, context).text())


class _Section(Struct):
    """``items`` are kept from the first on, as many as fit; ``lost`` says how to see the others."""

    head: str
    items: list[str] = field(default_factory=list)
    tail: str = ""
    lost: str = ""

    def text(self, room: int) -> str:
        if not self.items:
            return ""
        share = max(0, room)
        room -= _length(self.head) + _length(self.tail) + _NOTE
        kept = []
        for item in self.items:
            room -= _length(item)
            if room < 0:
                break
            kept.append(item)
        more = len(self.items) - len(kept)
        note = f"\n*{_first(len(kept))}, since this part has room for {share} characters. {more} more: {self.lost}.*\n"
        note *= bool(more)
        return self.head + "".join(kept) + self.tail + note


class _Comment:
    def __init__(self, outcome: Outcome, context: Context) -> None:
        self.outcome = outcome
        self.context = context
        self.redactor = context.redactor
        self.applied = context.applied
        # The redactor learns from them.
        self.patches = [Patch.of(change, context.redactor) for change in outcome.files]

    def text(self) -> str:
        head, summary = self._head(), self._summary()
        room = LONGEST - _length(head + summary) - 100
        shows = f"{self._code(self.outcome.asked.command('check'))} shows them"
        sections = {
            "failing": self._failing(),
            "impact": _bullets("Impact", (as_text(self._mask(line)) for line in impact.lines(self.outcome))),
            "guesses": self._guesses(), "held": self._held(), "values": self._values(), "applied": self._applied(),
            "levels": self._levels(), "findings": self._findings(), "graph": self._graph(),
        }  # fmt: skip
        made = {}
        for name, section in sections.items():
            section.lost = section.lost or shows
            made[name] = section.text(min(_SHARES[name], room))
            room -= _length(made[name])
        drawn = made.pop("graph")
        return "".join([head, *made.values(), summary, self._diffs(room), drawn])

    def _mask(self, text: str) -> str:
        return plain(self.redactor.text(text))

    def _code(self, text: str) -> str:
        return code(self._mask(text))

    def _say(self, text: str) -> str:
        return as_text(self._mask(text))

    def _head(self) -> str:
        counts = self.outcome.summary()
        done = "changed" if self.applied else "would change"
        version = "{}.{}".format(*self.outcome.tree.settings.kubernetes_version)
        guesses = f"{counted(counts['guesses'], 'guess', 'es')}, " if counts["guesses"] else ""
        numbers = (
            f"{counted(counts['edits'], 'edit')}, {counted(counts['changed'], 'file')} {done}; {guesses}"
            f"{len(self.outcome.held_back)} held back, {counts['refused']} refused, {counts['waived']} waived, "
            f"{counted(counts['findings'], 'finding')}"
        )
        where = f"profile {self._code(self.outcome.profile)}, Kubernetes {version}"
        if self.outcome.tree.chart is not None:
            where += f", chart {self._code(self.outcome.tree.chart)} as helm renders it"
        notes = "".join(f"\n{self._say(note.text)}.\n" for note in unread.notes(self.outcome.tree))
        title, cause = self._verdict()
        said = f"{cause}{numbers}.\n\n" if title else ""
        return f"<!-- harden -->\n## {title or f'harden: {numbers}'}\n\n{said}harden {__version__}, {where}.\n{notes}"

    def _verdict(self) -> tuple[str, str]:
        """Whether the check passed, as the title, and the cause as a paragraph; of another command there is none."""
        name, _, cause = self.context.verdict.partition(": ")
        if not name:
            return "", ""
        return f"harden: {self._say(name)}", f"**{self._say(cause)}**\n\n" if cause else ""

    def _failing(self) -> _Section:
        """The records that a check fails on, where its options name a severity."""
        found = printed.failures(self.context.failing)
        items = [
            f"- **{each.severity}** {self._rule(each.id)}{f' x {each.count}' * (each.count > 1)} at "
            f"{self._code(place(*each.where))} {self._say(f'{each.item}: {each.text}')}\n"
            for each in found
        ]
        return _Section("\n### Fails the check\n\n", items)

    def _rule(self, id: str) -> str:
        """The id of a rule, with a link to its page where that is known."""
        transform = registry.transforms().get(id)
        page = page_of(transform) if transform is not None else None
        return f"[{code(id)}]({page})" if page else code(id)

    def _summary(self) -> str:
        rows = self.outcome.summary()["byRisk"]
        if not rows:
            return ""
        done = "edits" if self.applied else "edits to make"
        head = f"| OWASP 2025 | {done} | held back, guesses | findings |\n|---|--:|--:|--:|\n"
        lines = [f"\n<details><summary>By risk</summary>\n\n{head}"]
        for risk, row in rows.items():
            lines.append(f"| {risk} {RISKS[risk].title} | {row['edits']} | {row['held']} | {row['findings']} |\n")
        return "".join([*lines, "\n</details>\n"])

    def _levels(self) -> _Section:
        head = "\n<details><summary>Pod Security levels</summary>\n\n"
        items = []
        found = self.context.levels
        for namespace, pairs in levels.worst_first(*found).items() if found else ():
            title = f"- {self._say(levels.of_namespace(namespace, pairs))}\n"
            for old, new in pairs:
                reached = levels.change(old.level, new.level)
                item = f"  - {self._say(f'{place(*levels.place_of(old))} {old.pod.object}  {reached}')}\n"
                items.append(title + item + (f"    - {self._say(new.missing)}\n" if new.missing else ""))
                title = ""
        return _Section(head, items, "\n</details>\n")

    def _values(self) -> _Section:
        if not self.outcome.overrides:
            return _Section("")

        items = []
        for override in self.outcome.overrides:
            what = self._code(chart_values.assignment(override))
            why = ", ".join(map(code, chart_values.ids(override)))
            items.append(f"- {what}: {self._say(chart_values.objects(override))} ({why})\n")
        return _Section(f"\n### {chart_values.title(self.outcome)}\n\n", items)

    def _applied(self) -> _Section:
        by_workload: dict[str, dict[str, list[Change]]] = {}
        for change in self.outcome.changes:
            by_workload.setdefault(str(change.object), {}).setdefault(change.transform.id, []).append(change)
        verb = "Applied" if self.applied else "To apply"
        count = f"{counted(len(self.outcome.changes), 'edit')} in {counted(len(self.outcome.files), 'file')}"
        head = f"\n### {verb}: {count}\n\n| workload | change | grade | risk | why |\n|---|---|---|---|---|\n"
        rows = []
        for name, groups in by_workload.items():
            shown = self._say(name)
            for changes in sorted(groups.values(), key=lambda each: -each[0].transform.severity.rank):
                rows.append(self._row(shown, changes))
                shown = ""
        return _Section(head, rows)

    def _row(self, workload: str, changes: list[Change]) -> str:
        """What one transform changes in a workload; its name stands in the first row of it."""
        transform = changes[0].transform
        grades = {change.edit.grade for change in changes}
        grade = "/".join(grade for grade in Grade if grade in grades)
        times = f" x {len(changes)}" if len(changes) > 1 else ""
        change = f"{self._rule(transform.id)}{times}"
        return f"| {workload} | {change} | {grade} | {transform.risk} | {self._say(problem_of(changes))} |\n"

    def _held(self) -> _Section:
        before, after = steps.before(self.outcome.changes), steps.after(self.outcome.changes)
        items = [self._step("Before you apply", step) for step in before]
        held = sorted(self.outcome.held_back, key=lambda each: -each.transform.severity.rank)
        items += [self._held_item(each) for each in held]
        items += [self._step("After you apply", step) for step in after]
        count = f"{len(held)} held back" if held else "steps by hand"
        head = f"\n### Needs a decision: {count}\n\n"
        if held:
            head += f"Held back: {held_back(self.outcome)}. `--accept ID` makes those of one transform.\n\n"
        return _Section(head, items)

    def _guesses(self) -> _Section:
        guesses = Guesses(self.outcome)
        if not guesses:
            return _Section("", [])
        ways = self._say("; ".join(guesses.ways()))
        head = f"\n### {guesses.title}\n\nTo know: {ways}. `--max-grade guess` makes them.\n\n"
        return _Section(head, [self._guess(each) for each in guesses.groups])

    def _guess(self, each: Guess) -> str:
        return f"- {self._code(each.name)}{each.count}: {self._say(self._evidence(each.fact))}\n"

    def _step(self, when: str, step: str) -> str:
        return f"- {when}: {self._say(step)}\n"

    def _held_item(self, held: Held) -> str:
        first = held.changes[0]
        where = self._code(place(first.object.piece.file.name, first.line))
        lines = [
            f"- **{held.transform.id}** {held.transform.risk} {held.transform.severity} {held.grade}: "
            f"{self._say(str(first.object))} at {where}\n"
        ]
        facts = dict.fromkeys(fact for change in held.changes for fact in change.edit.evidence)
        lines += [f"  - because {self._say(self._evidence(fact))}\n" for fact in facts]
        for operation in held.patch:
            value = f" {json.dumps(operation['value'], ensure_ascii=False)}" if "value" in operation else ""
            lines.append(f"  - patch: {self._code(operation['op'] + ' ' + operation['path'] + value)}\n")
        lines += [f"  - before: {self._say(step)}\n" for step in steps.before(held.changes)]
        lines += [f"  - after: {self._say(step)}\n" for step in steps.after(held.changes)]
        return "".join(lines)

    def _evidence(self, fact: Evidence) -> str:
        if fact.piece is None:
            return fact.text
        return f"{fact.text} ({fact.piece.file.name}:{self.outcome.lines.get((fact.piece, fact.path), 1)})"

    def _findings(self) -> _Section:
        ordered = sorted(
            self.outcome.findings, key=lambda finding: (-finding.severity.rank, finding.file, finding.line)
        )
        items = [self._finding_item(group) for group in grouped(ordered)]
        for refused in self.outcome.refused:
            place = self._code(f"{refused.file}:{refused.line}")
            items.append(f"- {place} {refused.what}: {self._say(f'{refused.reason}: {refused.advice}')}\n")
        for waived in self.outcome.waived:
            file, line, item, _ = waived.place
            what = f"waived: {waived.transform.id} {waived.transform.risk} {item}: {waived.reason}"
            items.append(f"- {self._code(f'{file}:{line}')} {self._say(what)}\n")
        worst = {finding.severity for finding in self.outcome.findings} & {Severity.HIGH, Severity.CRITICAL}
        count = counted(len(self.outcome.findings), "finding")
        head = f"\n### Needs manual work: {count}\n\n"
        # What is grave stands open.
        folded = f"<details{' open' * bool(worst)}><summary>{count}</summary>\n\n"
        return _Section(head + folded, items, "\n</details>\n")

    def _finding_item(self, group: list[Report]) -> str:
        first = group[0]
        grade = f"{first.severity} {first.risk}" if first.risk else str(first.severity)
        text = f"- **{grade}** {code(first.id)}{f' x {len(group)}' * (len(group) > 1)}: "
        text += self._say(f"{first.message}: {first.advice}") + "\n"
        for finding in group[:_PLACES]:
            named = f" {self._say(str(finding.object))}" if finding.object is not None else ""
            text += f"  - {self._code(f'{finding.file}:{finding.line}')}{named}\n"
        return text + (f"  - and {len(group) - _PLACES} more\n" if len(group) > _PLACES else "")

    def _graph(self) -> _Section:
        if self.outcome.tree.stream:
            return _Section("")

        found = graph.collect(self.outcome.tree, self.redactor.text)
        if not found.links and not found.hosts:
            return _Section("")
        drawn = "\n".join(graph_formats.mermaid(found)) + "\n"
        head = "\n<details><summary>Who talks to whom</summary>\n\n"
        if drawn.count("->") > _MOST_ARROWS or _length(drawn) > _SHARES["graph"] - _length(head) - _NOTE - 100:
            text = f"Too much to draw here: {code('harden graph --format mermaid')}\n"
            return _Section(head, [text], "\n</details>\n")
        return _Section(head, [f"```mermaid\n{drawn}```\n"], "\n</details>\n", "harden graph shows it")

    def _diffs(self, room: int) -> str:
        if not self.patches:
            return ""
        made = [f"\n### Diff of {counted(len(self.patches), 'file')}\n\n"]
        room -= _length(made[0]) + _NOTE
        for number, patch in enumerate(self.patches):
            text = self._diff(patch, room)
            if text is None:
                more = counted(len(self.patches) - number, "file")
                see = code("git diff") if self.applied else self._code(self.outcome.asked.command("diff"))
                made.append(f"*{more} more left out, since the comment has no more room: {see} shows them.*\n")
                break
            made.append(text)
            room -= _length(text)
        return "".join(made)

    def _diff(self, patch: Patch, room: int) -> str | None:
        """The diff of a file, without the hunks that do not fit; None where none does."""
        added = sum(len(hunk.after) for hunk in patch.change.hunks)
        removed = sum(len(hunk.before) for hunk in patch.change.hunks)
        name = html.escape(self._mask(patch.change.file.name), quote=False)
        ids = Counter(patch.change.ids)
        why = ", ".join(f"{id} x {count}" if count > 1 else id for id, count in ids.items())
        masked = f"Secrets are masked in it: harden {self.outcome.command} can make this change, git cannot.\n\n"
        masked *= patch.is_masked(self.redactor)
        head = f"<details><summary><code>{name}</code> +{added} -{removed}</summary>\n\n{why}\n\n{masked}"
        _, *hunks = (plain_lines(self.redactor.text(part)) for part in patch.parts())
        ticks = _fence(hunks)
        room -= _length(head) + 2 * len(ticks) + _NOTE
        kept: list[str] = []
        for hunk in hunks:
            room -= _length(hunk)
            if room < 0:
                break
            kept.append(hunk)
        if not kept:
            return None
        more = len(hunks) - len(kept)
        note = f"*{counted(more, 'hunk')} more left out: the comment is full.*\n\n" if more else ""
        body = "".join(kept)
        return f"{head}{ticks}diff\n{body}{ticks}\n\n{note}</details>\n"


def _bullets(title: str, lines: Iterable[str]) -> _Section:
    return _Section(f"\n### {title}\n\n", [f"- {line}\n" for line in lines])


def _first(count: int) -> str:
    return "The first one is shown" if count == 1 else f"The first {count} are shown" if count else "None is shown"


def _length(text: str) -> int:
    """In UTF-16 units, the longest of the ways in which a host may count."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def _fence(texts: Iterable[str]) -> str:
    return "`" * max(3, 1 + max((len(run) for text in texts for run in re.findall("`+", text)), default=0))


def code(text: str) -> str:
    """Return a code span, in which nothing is special; a bar would end a cell of a table."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def as_text(text: str) -> str:
    """Return text that stands as it is: no markup, no link, no mention of a person or an issue."""
    return _PING.sub(lambda found: f"{found[0]}<!-- -->", _SPECIAL.sub(lambda found: "\\" + found[0], text))
