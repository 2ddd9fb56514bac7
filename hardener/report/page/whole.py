"""The page as a whole: its head with the content security policy, its parts in their order, the list of its parts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Grade, Severity
from hardener.authoring.risks import RISKS
from hardener.engine.outcome import Outcome
from hardener.facts.cluster import platforms
from hardener.report import impact, steps, unread
from hardener.report.connections import graph, graph_formats
from hardener.report.context import Levels
from hardener.report.impact import counted
from hardener.report.levels import lines as level_lines
from hardener.report.page import frame, score, sections
from hardener.report.page import side_by_side as sides
from hardener.report.page.drawing import Drawing
from hardener.report.page.words import BECOMES, Words
from hardener.report.patch import Patch
from hardener.report.reachability.shut_out import sentences
from hardener.report.reachability.summary import reached
from hardener.report.redactor import Redactor

_MOST_OPEN, _SHORT = 12, 120  # diffs are open when there are no more of them, and those that have no more lines
_COLUMNS = re.compile(" {2,}")


class _Part(Struct):
    id: str
    title: str
    body: Iterator[str]


class Page:
    def __init__(self, outcome: Outcome, redactor: Redactor, applied: bool, levels: Levels | None) -> None:
        self.outcome = outcome
        self.after = "after" if applied else "after apply"
        self.applied = applied
        self.levels = levels
        # The patches are made first: they show which secrets the lines before them must not quote.
        self.patches = [Patch.of(change, redactor) for change in outcome.files]
        self.words = Words(redactor, outcome, _numbered(outcome), {change.file.name for change in outcome.files})

    def whole(self) -> Iterator[str]:
        """Yield the page from its first character to its last."""
        parts = list(self._parts())
        script = frame.asset("page.js")
        title = (
            f"harden: {counted(len(self.outcome.changes), 'edit')}, {counted(len(self.outcome.findings), 'finding')}"
        )
        yield frame.opened(title, frame.asset("page.css"), script)
        yield from self._header(parts)
        yield '<main id="main" tabindex="-1">\n'
        for part in parts:
            title = f"{part.id}-title"
            yield f'<section id="{part.id}" aria-labelledby="{title}"><h2 id="{title}">{part.title}</h2>\n'
            yield from part.body
            yield "</section>\n"
        yield "</main>\n"
        yield frame.closed(script)

    def _header(self, parts: list[_Part]) -> Iterator[str]:
        outcome, words = self.outcome, self.words
        tree, counts = outcome.tree, outcome.summary()
        version = ".".join(map(str, tree.settings.kubernetes_version))
        platform = "".join(f", {words.text(text)}" for text in platforms.described(tree))
        yield (
            f"<header><h1>Hardening report</h1><p>Profile {words.text(_short(outcome.profile))}, Kubernetes {version}"
            f"{platform}. {counted(counts['files'], 'file')} with {counted(counts['documents'], 'document')}; "
            f"{'changed' if self.applied else 'nothing is written yet'}.</p>"
        )
        if tree.chart is not None:
            yield f"<p>Chart {words.text(tree.chart)} as helm renders it.</p>"
        for note in unread.notes(tree):
            yield f"<p>{words.text(note.text[:1].upper() + note.text[1:])}.</p>"
        rows = list(score.rows(outcome))
        before, after = sum(row.open_before for row in rows), sum(row.open_after for row in rows)
        figures = (
            ("Open points", f"{before} {BECOMES} {after}", "score"),
            ("Edits", counts["edits"], "changes"),
            ("Held back", len(outcome.held_back), "held"),
            ("Guesses", counts["guesses"], "guesses"),
            ("Findings", counts["findings"], "findings"),
            ("Refused", counts["refused"], "refused"),
            ("Waived", counts["waived"], "waived"),
        )
        ids = {part.id for part in parts}
        yield '<dl class="figures">'
        for name, figure, target in figures:
            shown = f'<a href="#{target}">{figure}</a>' if target in ids else str(figure)
            yield f"<div><dt>{name}</dt><dd>{shown}</dd></div>"
        yield '</dl></header>\n<nav aria-label="Parts of the report"><ul>'
        yield "".join(f'<li><a href="#{part.id}">{part.title}</a></li>' for part in parts)
        yield "</ul></nav>\n"

    def _parts(self) -> Iterator[_Part]:
        """The parts that have something to say, in the order of the text report."""
        outcome, words = self.outcome, self.words
        levels = self.levels and self.levels[0]
        before, after = steps.before(outcome.changes), steps.after(outcome.changes)
        to_filter = outcome.held or outcome.findings or outcome.changes or outcome.waived
        done = "Applied" if self.applied else "To apply"
        reach = reached(outcome)
        impact_lines, shut = list(impact.lines(outcome, reach)), reach.shut if reach is not None else []
        # What each is about, and what makes it; a part about nothing is left out.
        rows: tuple[tuple[object, str, str, Callable[[], Iterator[str]]], ...] = (
            (impact_lines, "impact", "Impact", lambda: self._list(impact_lines, "ul")),
            (True, "score", "Score by risk", lambda: score.table(outcome, self.after)),
            (levels, "levels", "Pod Security levels", self._levels),
            (to_filter, "filter", "Filter", self._filters),
            (before, "before", "Before you apply", lambda: self._list(before, "ol")),
            (outcome.held_back, "held", "Held back", lambda: sections.held(outcome, words)),
            (outcome.guesses, "guesses", "Guesses", lambda: sections.guesses(outcome, words)),
            (outcome.findings, "findings", "Needs manual work", lambda: sections.findings(outcome, words)),
            (outcome.refused, "refused", "Refused", lambda: sections.refused(outcome, words)),
            (outcome.overrides, "values", "Values", lambda: sections.values(outcome, words)),
            (outcome.changes, "changes", done, lambda: sections.changes(outcome, words)),
            (outcome.files, "diffs", "Diffs", self._diffs),
            (outcome.waived, "waived", "Waived", lambda: sections.waived(outcome, words)),
            (after, "after", "After you apply", lambda: self._list(after, "ol")),
            (shut, "shut-out", "Whom each policy shuts out", lambda: self._list(sentences(shut), "ul")),
            (True, "connections", "Who talks to whom", self._connections),
        )
        for about, id, title, body in rows:
            if about:
                yield _Part(id, title, body())

    def _levels(self) -> Iterator[str]:
        return self._indented(level_lines(*self.levels) if self.levels else ())

    def _list(self, found: Iterable[str], kind: str) -> Iterator[str]:
        yield f"<{kind}>" + "".join(f"<li>{self.words.text(text)}</li>" for text in found) + f"</{kind}>\n"

    def _indented(self, found: Iterable[str]) -> Iterator[str]:
        """Lines that are indented by two blanks a level, as lists in lists; their columns become one text."""
        depth = -1
        for line in found:
            level = min((len(line) - len(line.lstrip(" "))) // 2, depth + 1)
            if level > depth:
                yield "<ul>"
            else:
                yield "</li></ul>" * (depth - level) + "</li>"
            depth = level
            yield f"<li>{self.words.text(_COLUMNS.sub(': ', line.strip()))}"
        yield "</li></ul>" * (depth + 1) + "\n"

    def _filters(self) -> Iterator[str]:
        files = sorted(self.words.files.items())
        yield '<form id="filters" hidden role="search" aria-label="Filter the records of this page">'
        yield '<div class="fields">'
        yield frame.select("risk", "Risk", [(risk.id, f"{risk.id} {risk.title}") for risk in RISKS.values()])
        yield frame.select("grade", "Grade", [(grade, str(grade)) for grade in Grade])
        severities = sorted(Severity, key=lambda severity: -severity.rank)
        yield frame.select(
            "severity", "Severity", [(s, s if s.rank == severities[0].rank else f"{s} and worse") for s in severities]
        )
        yield frame.select("file", "File", [(str(number), self.words.text(name)) for name, number in files])
        yield (
            '<div class="words"><label for="text">Text</label><input id="text" name="text" type="search" '
            'autocomplete="off" spellcheck="false"></div>'
            '<div class="buttons"><button type="reset">Show all</button> <button type="button" id="open-all">Open all'
            '</button> <button type="button" id="close-all">Close all</button></div></div>'
            '<p id="shown" role="status"></p></form><noscript><p>The filters need JavaScript; everything is shown '
            "below.</p></noscript>\n"
        )

    def _diffs(self) -> Iterator[str]:
        by_file: dict[str, list[tuple[str, str, str]]] = {}
        for change in self.outcome.changes:
            transform = change.transform
            by_file.setdefault(change.object.piece.file.name, []).append(
                (transform.risk, transform.severity, change.edit.grade)
            )
        # Those of a chart stand in templates, and are made in the file of values.
        made = [] if self.outcome.tree.chart is None else [one for found in by_file.values() for one in found]
        for patch in self.patches:
            yield from self._diff(patch, made or by_file.get(patch.change.file.name, []))

    def _diff(self, patch: Patch, made: list[tuple[str, str, str]]) -> Iterator[str]:
        name, words = patch.change.file.name, self.words
        risks, severities, grades = (dict.fromkeys(column) for column in zip(*made, strict=True)) if made else ((),) * 3
        attributes = sections.item(words, name, " ".join(risks), " ".join(severities), grades, "diff")
        removed = sum(len(hunk.before) for hunk in patch.change.hunks)
        added = sum(len(hunk.after) for hunk in patch.change.hunks)
        shown = words.text(name)
        is_open = len(self.patches) <= _MOST_OPEN and added + removed <= _SHORT
        yield (
            f'<details {attributes} id="diff-{words.files[name]}"{" open" if is_open else ""}><summary><b>{shown}</b> '
            f"{'new file, ' if patch.change.file.is_new else ''}{counted(added, 'line')} added, {removed} removed"
            f"</summary>"
        )
        if patch.is_masked(words.redactor):
            yield '<p class="small">Shows masked secrets.</p>'
        yield f'<div class="scroll" role="region" tabindex="0" aria-label="Diff of {shown}">'
        yield from sides.table(patch, words, shown)
        yield "</div></details>\n"

    def _connections(self) -> Iterator[str]:
        found = graph.collect(self.outcome.tree, self.words.redactor.text)
        text = list(graph_formats.text(found))
        yield "<p>This is what the manifests show with these changes.</p>"
        drawing = Drawing(found, self.words)
        if drawing.boxes:
            yield (
                '<p class="small">An arrow into a box: who may connect. In red: everybody may. An arrow out of it: '
                "what it calls. A dashed arrow: what it calls is not in the tree, or not known.</p>"
            )
            yield '<div class="zoom" id="zoom" role="group" aria-label="Size of the drawing" hidden>'
            yield "".join(
                f'<button type="button" id="zoom-{id}">{text}</button> '
                for id, text in (("in", "Larger"), ("out", "Smaller"), ("fit", "Fit the page"))
            )
            yield '<output id="zoom-now"></output></div>'
            yield (
                '<div class="drawing" id="drawing" role="region" tabindex="0" aria-label="Drawing of the connections">'
            )
            yield from drawing.svg()
            yield "</div>\n"
        for note in drawing.notes():
            yield f'<p class="small">{note}</p>'
        yield "<details id='list'><summary>The same as a list, with the evidence</summary>"
        yield from self._indented(
            line.replace("-> ", "talks to ", 1).replace("<- ", "is open to ", 1) if line.startswith("    ") else line
            for line in text
            if line
        )
        yield "</details>\n"


def _numbered(outcome: Outcome) -> dict[str, int]:
    """A number for each file that the page speaks of, in the order of their names."""
    names = {change.object.piece.file.name for change in [*outcome.changes, *outcome.not_made]}
    names |= {finding.file for finding in outcome.findings} | {refused.file for refused in outcome.refused}
    names |= {waived.place[0] for waived in outcome.waived} | {change.file.name for change in outcome.files}
    return {name: number for number, name in enumerate(sorted(names), 1)}


def _short(profile: str) -> str:
    return profile if os.sep not in profile else os.path.basename(profile)
