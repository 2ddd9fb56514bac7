"""The report that fits a screen: what happened in a line, then the gravest of each section, and what to do next.

On a terminal it has as many rows as the terminal has, less those around it: each section gets a part of them, and its
title says how much of it is shown. A pipe gets all but the findings behind the tenth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct

from hardener.engine.outcome import Change, Report
from hardener.kubernetes.pod_security import LEVELS
from hardener.report import impact, levels, steps, unread
from hardener.report.guesses import Guesses
from hardener.report.held_back import held_back, place
from hardener.report.impact import counted
from hardener.report.patch import Patch
from hardener.report.terminal import printed
from hardener.report.terminal.wrapping import cut, end, length, padded, wrapped

_FINDINGS = 10  # that a pipe gets
_GUESSES = 9  # rows: images, and a line that says how a person comes to know more
_FAILING = 50  # that a pipe gets of what a check fails on
_AROUND = 4  # rows of a terminal for what stands before and behind a report, such as the command and the next prompt
_ROOMY = 32  # rows; a terminal with fewer gets no empty lines, and one row for a finding
_STEPS = 2  # that a terminal gets of what is not written yet
_ALL = "harden show"
_LEAST = 12  # characters; less of a text says nothing


class _Row(Struct):
    """``head`` is whole, and in colours; ``where`` is a place, ``item`` what stands there, ``text`` may be cut, and
    ``tail`` is the place that it is about."""

    head: str = ""
    where: printed.Place | None = None
    item: str = ""
    text: str = ""
    tail: printed.Place | None = None
    whole: bool = False  # over as many rows as it needs


class _Entry(Struct):
    rows: list[_Row]
    count: int = 1  # of what the title counts

    @property
    def says_something(self) -> bool:
        """Whether it is no heading of the entries behind it."""
        return bool(self.count) or any(row.whole for row in self.rows)


class _Section(Struct):
    title: str
    entries: list[_Entry]
    first: int = 1  # entries that come before those of other sections
    most: int = 0  # entries of a pipe; 0: all
    shown: int = 0

    @property
    def rows_here(self) -> int:
        """How many of its entries are shown, without headings of others."""
        return sum(bool(entry.count) for entry in self.entries[: self.shown])

    @property
    def rows_of_all(self) -> int:
        """How many entries there are, without headings of others."""
        return sum(bool(entry.count) for entry in self.entries)

    @property
    def name(self) -> str:
        """What stands before the colon of its title, in small letters, with how much there is of it."""
        count = sum(entry.count for entry in self.entries)
        name = self.title.partition(":")[0] or "remarks"
        return f"{name[0].lower()}{name[1:]} ({count})" if count else f"{name[0].lower()}{name[1:]}"

    @property
    def least(self) -> int:
        """How many entries there are up to the first one that is no heading of others."""
        return next((number for number, entry in enumerate(self.entries, 1) if entry.count), len(self.entries))

    def end_with_an_entry(self) -> None:
        """Show no heading of others as the last."""
        while self.shown > self.least and not self.entries[self.shown - 1].says_something:
            self.shown -= 1

    @property
    def left(self) -> int:
        """How much of what the title counts is not shown."""
        return sum(entry.count for entry in self.entries[self.shown :])


class ShortReport(printed.Printed):
    """Prints what a person needs to know at once."""

    def write(self) -> None:
        """Print the report."""
        patches = (
            [Patch.of(change, self.context.redactor) for change in self.outcome.files] if self.context.patch else []
        )
        sections = [section for section in self._sections() if section is not None]
        first = [self._paint(self._mood(), self._verdict()), self._read()]
        last = list(self._last())
        shown, left = self._chosen(sections, [*first, *last])
        for line in first:
            self._say(line)
        for section in shown:
            self._section(section)
        if left:
            self._say(left)
        if not self.context.patch_last:
            self._patch(patches)
        if last and self._is_roomy:
            self._say()
        for line in last:
            self._say(line, whole=True)
        if self.context.patch_last:
            self._patch(patches)

    def _patch(self, patches: list[Patch]) -> None:
        if patches:
            self._title("Patch")
            self._say()
            if masked := self._patches(patches):
                self._say(printed.refused_by_git(masked))

    @property
    def _is_roomy(self) -> bool:
        return not self.context.screen.height or self.context.screen.height >= _ROOMY

    # What there is to say.

    def _sections(self) -> Iterator[_Section | None]:
        remarks = [_Entry([_Row("  ", text=text)]) for text, _ in self._remarks()]
        yield _Section("", remarks, first=2) if remarks else None
        yield self._failing()
        yield self._impact()
        yield self._guesses()
        yield self._held()
        yield self._waived()
        yield self._values()
        yield self._edits()
        yield self._levels()
        for title, lines in self._refusals():
            yield _Section(title, [_Entry([_Row("  ", where, text=text)]) for where, text in lines])
        yield self._findings()
        if self.outcome.template_patch:
            yield _Section(
                "A patch of templates would make more of it: -v shows it, --template-patch FILE writes it", []
            )

    def _verdict(self) -> str:
        if self.outcome.failure:
            return self.outcome.failure
        return (self.context.verdict or self._made()) + "".join(
            f"{sign} {text}" for sign, text in zip(chain(";", ",,,,"), self._left(), strict=False)
        )

    def _made(self) -> str:
        counts = self.outcome.summary()
        if self.outcome.overrides and not counts["changed"]:
            return "changed nothing: the file of values is as it has to be"
        if counts["edits"]:
            verb = "hardened" if self.context.applied else "would harden"
            return f"{verb} {counted(counts['changed'], 'file')}: {counted(counts['edits'], 'edit')}"
        if unread.nothing_read(self.outcome.tree):
            return "changed nothing: nothing was read"
        return f"changed nothing in {counted(counts['files'], 'file')}"

    def _left(self) -> Iterator[str]:
        """What the verdict does not count."""
        counts = self.outcome.summary()
        counts["held"] -= counts["guesses"]
        if counts["guesses"]:
            yield counted(counts["guesses"], "guess", "es")
        for key, words, said in (
            ("held", "held back", "held-back"),
            ("refused", "refused", ""),
            ("waived", "waived", ""),
        ):
            if counts[key] and not (said and said in self.context.verdict):
                yield f"{counts[key]} {words}"
        if counts["findings"] and " finding" not in self.context.verdict:
            yield counted(counts["findings"], "finding")

    def _mood(self) -> str:
        failed = self.outcome.failure or self.context.verdict.startswith("check failed")
        return "red" if failed else "bold" if self.context.verdict or not self.context.applied else "green"

    def _read(self) -> str:
        counts = self.outcome.summary()
        read = f"{counted(counts['files'], 'file')}, {counted(counts['documents'], 'document')}"
        return self._paint("dim", f"{read}; {self._settings()}")

    def _failing(self) -> _Section | None:
        """What the check fails on, each with its place: a section that folds or counts may not name it."""
        if not self.context.failing:
            return None
        entries = []
        for group in printed.failures(self.context.failing):
            head = f"  {self._painted(group.severity)} {group.id}{f' x {group.count}' if group.count > 1 else ''}  "
            entries.append(_Entry([_Row(head, group.where, group.item, group.text)], group.count))
        return _Section(printed.failing_title(self.context.failing), entries, first=2, most=_FAILING)

    def _levels(self) -> _Section | None:
        if not self.context.levels or not self.context.levels[0]:
            return None

        entries = []
        for namespace, pairs in levels.by_namespace(*self.context.levels).items():
            rows = [_Row("  ", text=levels.of_namespace(namespace, pairs))]
            groups: dict[tuple[str, str, str], list[levels.Pair]] = {}
            for old, new in pairs:
                without_names = re.sub(r'"[^"]*"', "", new.missing or "")
                groups.setdefault((old.level, new.level, without_names), []).append((old, new))
            found = [_Entry(rows, 0)]
            for (before, after, _), group in groups.items():
                first, missing = group[0][0], group[0][1].missing
                more = f" and {len(group) - 1} more" if len(group) > 1 else ""
                head = _Row(
                    f"    {levels.change(before, after)}  ", levels.place_of(first), f"{first.pod.object}{more}"
                )
                found.append(_Entry([head, *([_Row("      ", text=missing)] if missing else [])], len(group)))
            entries += found
        now, then = (Counter(each.level for each in side) for side in self.context.levels)
        title = f"Pod Security levels: {_of_levels(now)}" + (f"; after apply {_of_levels(then)}" if then != now else "")
        return _Section(title, entries)

    def _impact(self) -> _Section | None:
        entries: list[_Entry] = []
        for line in impact.lines(self.outcome):
            row = _Row("  ", text=line)
            if line.startswith(" ") and entries:
                if self._is_roomy:
                    entries[-1].rows.append(row)
            else:
                entries.append(_Entry([row]))
        return _Section("Impact", entries, first=4) if entries else None

    def _held(self) -> _Section | None:
        if not self.outcome.held_back:
            return None
        title = f"Held back: {held_back(self.outcome)}; "
        if self._leaves_out_held():
            return _Section(f"{title}-v lists them", [])
        entries = []
        for group in sorted(printed.alike(self.outcome.held_back), key=lambda group: -group[0].transform.severity.rank):
            held, first = group[0], group[0].changes[0]
            head = f"  {self._paint('yellow', held.transform.id)}{_times(group)} "
            head += f"{held.transform.risk} {self._painted(held.transform.severity)} {held.grade}  "
            where = (first.object.piece.file.name, first.line)
            more = f" and {len(group) - 1} more" if len(group) > 1 else ""
            facts = list(printed.facts_of(held))
            reason = facts[0].text if facts else "there is no evidence that it works"
            tail = next(iter(self._places(facts[:1])), None)
            rows = [_Row(head, where, f"{first.object}{more}"), _Row("    not made: ", text=reason, tail=tail)]
            entries.append(_Entry(rows, len(group)))
        return _Section(f"{title}--accept ID makes it anyway", entries)

    def _guesses(self) -> _Section | None:
        guesses = Guesses(self.outcome)
        if not guesses:
            return None
        ways = f"  to know: {'; '.join(guesses.ways())}. To make them anyway: --max-grade guess"
        entries: list[_Entry] = []
        for each in guesses.groups:
            text = f"{each.name}{each.count} {each.fact.text}"
            tail = next(iter(self._places([each.fact])), None)
            entries.append(_Entry([_Row("  ", text=text, tail=tail)], len(each.steps)))
        # Where there is little room, what nobody knows comes first, by name.
        entries.insert(min(1, self.context.screen.height), _Entry([_Row(whole=True, text=ways)], 0))
        return _Section(guesses.title, entries, first=2, most=_GUESSES)

    def _waived(self) -> _Section | None:
        entries = []
        for waived in self.outcome.waived:
            file, line, item, _ = waived.place
            entries.append(_Entry([_Row(f"  {waived.transform.id}  ", (file, line), str(item or ""), waived.reason)]))
        return _Section(f"Waived: {len(entries)}", entries) if entries else None

    def _edits(self) -> _Section | None:
        changes = self.outcome.changes
        if not changes:
            return None
        groups = sorted(printed.by_transform(changes), key=lambda group: -group[0].transform.severity.rank)
        transforms = counted(len(groups), "transform")
        verb = "Applied" if self.context.applied else "To apply"
        title = f"{verb}: {self._changed()}, by {transforms}"
        return _Section(title, list(self._made_by(groups)), first=2)

    def _values(self) -> _Section | None:
        if not self.outcome.overrides:
            return None
        from hardener.report import chart_values  # late: few runs are about a chart

        entries = [_Entry([_Row("  ", text=line)]) for line in chart_values.lines(self.outcome)]
        return _Section(chart_values.title(self.outcome), entries, first=2)

    def _made_by(self, groups: Sequence[list[Change]]) -> Iterator[_Entry]:
        cells = [
            (
                group[0].transform.id,
                group[0].transform.severity,
                printed.of_grades(change.edit.grade for change in group),
                self._made_at(group),
            )
            for group in groups
        ]
        first, second, third, fourth = (max(length(row[column]) for row in cells) for column in range(4))
        for group, (id, severity, grade, made) in zip(groups, cells, strict=True):
            head = (
                f"  {self._paint('green', id.ljust(first))}  {self._painted(severity)}{' ' * (second - len(severity))}"
            )
            head += f"  {grade.ljust(third)}  "
            if self.context.screen.height and self.context.screen.width < 100:
                yield _Entry([_Row(head, text=made)], len(group))
            else:
                yield _Entry([_Row(f"{head}{padded(made, fourth)}  ", text=group[0].transform.title)], len(group))

    def _findings(self) -> _Section | None:
        found = self.outcome.findings
        if not found:
            return None
        groups: dict[tuple[str, str, str], list[Report]] = {}
        for finding in printed.gravest_first(found):
            groups.setdefault((finding.id, finding.severity, _shape(finding)), []).append(finding)
        counts = printed.by_severity(finding.severity for finding in found)
        title = f"Needs manual work: {counted(len(found), 'finding')} ({counts})"
        return _Section(title, [self._finding(group) for group in groups.values()], first=2, most=_FINDINGS)

    def _finding(self, group: list[Report]) -> _Entry:
        first = group[0]
        text = f"{first.message}: {first.advice}"
        if len(group) > 1 and first.topic:
            noun, _, rest = first.topic.partition(" ")
            text = f"{counted(len(group), noun)} {rest}: {first.advice}"
        elif len({finding.message for finding in group}) > 1:
            text = f"for example: {text}"
        where = (first.file, first.line)
        head = f"  {self._severity(first)} {first.id}{_times(group)}  "
        if not self._is_roomy:
            return _Entry(
                [_Row(head, where, "" if len(group) == 1 else f"and {len(group) - 1} more", text)], len(group)
            )
        item = "" if first.object is None else str(first.object)
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        return _Entry([_Row(head, where, f"{item}{more}".strip()), _Row("    ", text=text)], len(group))

    def _last(self) -> Iterator[str]:
        changes = self.outcome.changes
        for title, found in (("before", steps.before(changes)), ("after", steps.after(changes))):
            # What is written cannot be asked for again: then all steps are said, however many they are.
            if len(found) > _STEPS and self.context.screen.height and not self.context.applied:
                yield f"{title} you apply it to a cluster: {len(found)} steps, which -v lists"
            else:
                yield from (f"{title} you apply it to a cluster: {step}" for step in found)
        if advice := self._next():
            yield from self._clauses(f"next: {advice}")
        yield from self._undo_lines()

    def _clauses(self, line: str) -> Iterator[str]:
        """``line`` with a row for its first clause where the terminal would break it in the middle of a word."""
        first, _, rest = line.partition("; ")
        is_whole = not {"'", '"'} & set(first)  # a command is never broken: a path with ";" is in quotes
        if rest and is_whole and 0 < self.context.screen.width < length(line):
            yield f"{first};"
            yield f"      {rest}"
        else:
            yield line

    # How much of it.

    def _chosen(self, sections: list[_Section], fixed: list[str]) -> tuple[list[_Section], str]:
        """The sections that are shown, each with how many of its entries are, and a line that names the others."""
        screen = self.context.screen
        if not screen.height:
            for section in sections:
                section.shown = min(len(section.entries), section.most or len(section.entries))
            return sections, ""
        room = screen.height - _AROUND - sum(self._height(line) for line in fixed) - self._is_roomy
        shown, left = self._begun(sections, room)
        if left:  # the line that says so takes a row, too
            shown, left = self._begun(sections, room - 1)
            room -= 1
        room -= sum(map(self._least, shown))
        # What each section has to have, then by turns: none takes the place of another.
        for least in (True, False):
            room = self._by_turns(shown, room, least)
        for section in shown:
            section.end_with_an_entry()
            room = self._complete(section, room)
        names = ", ".join(section.name for section in left)
        return shown, f"no room for: {names} ({_ALL} shows all)" if left else ""

    def _begun(self, sections: list[_Section], room: int) -> tuple[list[_Section], list[_Section]]:
        """The sections of which the first entry has ``room`` below its title, the first ones first; and the others. A
        title alone says nothing."""
        shown: list[_Section] = []
        left: list[_Section] = []
        for section in sections:
            section.shown = section.least
            rows = self._least(section)
            (shown if rows <= room else left).append(section)
            room -= rows if rows <= room else 0
        return shown, left

    def _least(self, section: _Section) -> int:
        """The rows of a section with the least that it says something with."""
        rows = sum(self._rows(row) for entry in section.entries[: section.least] for row in entry.rows)
        return rows + (1 + self._is_roomy if section.title else 0)

    def _complete(self, section: _Section, room: int) -> int:
        """Show the rows of ``section`` whole while there is ``room``, which is returned as it is then."""
        for row in (row for entry in section.entries[: section.shown] for row in entry.rows if not row.whole):
            whole = self._line(row, whole=True)[0]
            more = whole.count("\n")
            has_long_words = self._height(whole) > more + 1
            if more <= room and not has_long_words:
                room -= more
                row.whole = True
        return room

    def _by_turns(self, sections: list[_Section], room: int, least: bool) -> int:
        """Show one entry of each section after the other while there is ``room``, which is returned as it is then:
        with ``least`` those that come before the entries of others, else all."""
        waiting = list(sections)
        while waiting:
            for section in list(waiting):
                if section.shown == len(section.entries) or (least and section.shown == section.first):
                    waiting.remove(section)
                    continue
                rows = sum(self._rows(row) for row in section.entries[section.shown].rows)
                if rows > room:
                    waiting.remove(section)
                else:
                    room -= rows
                    section.shown += 1
        return room

    def _rows(self, row: _Row) -> int:
        """How many rows of the terminal ``row`` takes: those of one that is whole whatever the room, else one."""
        return self._height(self._line(row, whole=True)[0]) if row.whole else 1

    def _height(self, text: str) -> int:
        """How many rows of the terminal ``text`` takes, which is not cut."""
        width = self.context.screen.width or 80
        return sum(-(-max(length(line), 1) // width) for line in text.split("\n"))

    def _section(self, section: _Section) -> None:
        capped = bool(self.context.screen.height)
        if section.title:
            if self._is_roomy:
                self._say()
            title = section.title
            if capped and section.rows_here and section.left:
                shown = f" ({section.rows_here} of {section.rows_of_all} rows)"
                title = cut(title, self.context.screen.width - len(shown)) + shown
            self._row(_Row(text=title), bold=True)
        for entry in section.entries[: section.shown]:
            for row in entry.rows:
                self._row(row)
        if section.left and not (capped and section.title):
            where = (
                f"{self.outcome.asked.command('check', '-v')} lists them" if self.context.applied else "-v shows all"
            )
            self._say(f"  and {section.left} more; {where}")

    def _row(self, row: _Row, *, bold: bool = False) -> None:
        line, places = self._line(row, whole=row.whole)
        self.out(self._linked(self._paint("bold", line) if bold else line, places) + "\n")

    def _line(self, row: _Row, *, whole: bool) -> tuple[str, dict[str, printed.Place]]:
        """The row as it is shown, in one line unless it is to be ``whole``, and the places by the texts that name
        them."""
        width = self.context.screen.width if self.context.screen.height else 0
        where = self._plain(place(*row.where)) if row.where else ""
        tail = self._plain(place(*row.tail)) if row.tail else ""
        item, text = self._plain(row.item), self._plain(row.text)
        if width and not whole:
            where, item, text, tail = _fitted(width, length(row.head), where, item, text, tail)
        named = " ".join(filter(None, (where, item)))
        line = row.head + "  ".join(filter(None, (named, text))) + (f" ({tail})" if tail else "")
        shown = {text: found for text, found in ((where, row.where), (tail, row.tail)) if found is not None}
        return wrapped(line.rstrip(), width) if width and whole else line.rstrip(), shown


def _fitted(width: int, head: int, where: str, item: str, text: str, tail: str) -> tuple[str, str, str, str]:
    """The parts of a row, cut so that they fit a line of ``width`` behind its ``head``: the place keeps its end."""
    room = width - head
    if text:
        for_where = room // 2
    else:
        for_where = room - min(length(item) + bool(item), max(room - length(where) - 1, room // 3))
    where = _end_of(where, for_where)
    room -= length(where)
    item = cut(item, room - 1) if room > _LEAST or length(item) < room else ""
    room -= length(item) + bool(item)
    tail = _end_of(tail, width // 2)
    if text:
        room -= 2 * bool(where) + (length(tail) + 3) * bool(tail)
        text = cut(text, room) if room >= _LEAST or not where else ""
    return where, item, text, tail


def _of_levels(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[level]} {level}" for level in LEVELS if counts.get(level))


def _times(group: Sequence[object]) -> str:
    return f" x {len(group)}" if len(group) > 1 else ""


def _shape(finding: Report) -> str:
    """What a finding says, without the names in it: findings of several files that say the same have the same."""
    if finding.topic:
        return finding.topic
    names = set(_names(finding))
    words = finding.message.partition(": ")[0].split()
    return " ".join(word for word in words if word.strip(",;.'\"()") not in names)


def _names(finding: Report) -> Iterable[str]:
    """The names of the object of a finding, and of the part of it that the finding is about."""
    if finding.object is None:
        return
    yield from filter(None, (finding.object.name, finding.object.namespace))
    value: object = finding.piece.data if finding.piece is not None else None
    for part in finding.path:
        try:
            value = value[part]  # type: ignore[index]
        except (LookupError, TypeError):
            return
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            yield value["name"]


def _end_of(text: str, room: int) -> str:
    """The end of a place that is longer than ``room``: the name of the file and the line."""
    return text if length(text) <= room or room < 2 else "…" + end(text, room - 1)
