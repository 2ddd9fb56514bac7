"""The parts of the page that hold the records of an Outcome: what needs a person, what changes, what is waived.

Each record is an element of the class ``item`` with its risk, grade, severity and number of file in ``data-``
attributes, which the filters of the page read.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from hardener.authoring.edits import Grade, Severity
from hardener.engine.outcome import Change, Held, Outcome, Refused, Report, Waived
from hardener.engine.problem_sentence import problem_of
from hardener.report import chart_values, steps
from hardener.report.guesses import Guesses
from hardener.report.impact import counted
from hardener.report.page.words import Words
from hardener.support.data_path import dotted

_ALL_OPEN = 20  # groups of findings are open when there are no more findings
Html = Iterator[str]


def item(words: Words, file: str, risk: str | None, severity: str, grades: Iterable[str], label: str = "") -> str:
    """Return the attributes of a record; ``label`` is a class of its own."""
    return (
        f'class="item{" " + label if label else ""}" data-risk="{risk or ""}" data-severity="{severity}" '
        f'data-grade="{" ".join(dict.fromkeys(grades))}" data-file="{words.files[file]}"'
    )


def chip(kind: str, text: str) -> str:
    """Return a small label: a risk, a grade, a severity."""
    return f'<span class="chip {kind}">{text}</span>'


def held(outcome: Outcome, words: Words) -> Html:
    """Yield what is held back, each with the evidence against it and its patch."""
    for record in outcome.held_back:
        yield from _held(record, words)


def guesses(outcome: Outcome, words: Words) -> Html:
    """Yield what waits since nothing is known that decides: how a person comes to know it, then each with its patch."""
    found = Guesses(outcome)
    yield f"<p>{words.text(found.title)}. To know: {words.text('; '.join(found.ways()))}.</p>"
    yield f"<p>{words.text('--max-grade guess makes them.')}</p>\n"
    for record in found.steps:
        yield from _held(record, words)


def _held(record: Held, words: Words) -> Html:
    first, transform = record.changes[0], record.transform
    file = first.object.piece.file.name
    yield f"<article {item(words, file, transform.risk, transform.severity, [record.grade], 'card')}>"
    yield (
        f"<h3>{words.text(transform.id)} {chip('risk', transform.risk)} {_severity(transform.severity)} "
        f"{chip(record.grade, record.grade)}</h3>"
        f"<p>{words.place(file, first.line)} {words.text(str(first.object))}</p>"
        f"<p>{words.text(problem_of(record.changes))}</p>"
    )
    yield words.evidence([fact for change in record.changes for fact in change.edit.evidence])
    if record.patch:
        yield '<ul class="patch" aria-label="Patch (RFC 6902)">'
        for operation in record.patch:
            value = f" {words.value(operation['value'])}" if "value" in operation else ""
            path = words.text(operation["path"]).replace("/", "/<wbr>")
            yield f"<li><code>{operation['op']} {path}{value}</code></li>"
        yield "</ul>"
    for title, found in (("Before", steps.before(record.changes)), ("After", steps.after(record.changes))):
        if found:
            yield f"<p>{title}: {words.text(' '.join(found))}</p>"
    yield "</article>\n"


def findings(outcome: Outcome, words: Words) -> Html:
    """Yield the findings, those of one id together, the gravest first."""
    groups: dict[str, list[Report]] = {}
    for finding in sorted(outcome.findings, key=lambda one: (-one.severity.rank, one.file, one.line)):
        groups.setdefault(finding.id, []).append(finding)
    for id, group in groups.items():
        first = group[0]
        grave = first.severity.rank >= Severity.HIGH.rank or len(outcome.findings) <= _ALL_OPEN
        risk = chip("risk", first.risk) if first.risk else ""
        yield _group_head(words.text(id), f"{risk} {_severity(first.severity)}", len(group), "finding", grave)
        yield '<ul class="records">'
        for finding in group:
            target = f" {words.text(str(finding.object))}" if finding.object is not None else ""
            severity = "" if finding.severity is first.severity else _severity(finding.severity)
            yield (
                f"<li {item(words, finding.file, finding.risk, finding.severity, ())}>"
                f"<p>{words.place(finding.file, finding.line)}{target} {severity}</p>"
                f"<p>{words.text(finding.message)}</p><p class='advice'>{words.text(finding.advice)}</p></li>\n"
            )
        yield "</ul></details>"


def refused(outcome: Outcome, words: Words) -> Html:
    """Yield the documents that keep their bytes, and the steps that were rolled back."""
    yield '<ul class="records">'
    for record in outcome.refused:
        yield from _refused(record, words)
    yield "</ul>"


def _refused(record: Refused, words: Words) -> Html:
    what = "document kept byte for byte" if record.step is None else words.text(record.what)
    edits = f", {counted(record.edits, 'edit')} not made" if record.edits else ""
    yield (
        f"<li {item(words, record.file, None, '', ())}><p>{words.place(record.file, record.line)} {what}{edits}</p>"
        f"<p>{words.text(record.reason)}</p><p class='advice'>{words.text(record.advice)}</p></li>\n"
    )


def values(outcome: Outcome, words: Words) -> Html:
    """Yield the keys of a chart's values that make the edits, each with its value, what it changes, and why."""
    yield '<ul class="records">'
    for override in outcome.overrides:
        made = override.changes
        risks, severities, grades = (
            list(dict.fromkeys(column))
            for column in zip(
                *((one.transform.risk, str(one.transform.severity), one.edit.grade) for one in made), strict=True
            )
        )
        file = made[0].object.piece.file.name
        attributes = item(words, file, " ".join(risks), " ".join(severities), grades)
        why = ", ".join(chart_values.ids(override))
        yield (
            f"<li {attributes}><p><code>{words.text(chart_values.assignment(override))}</code></p>"
            f"<p>{words.text(chart_values.objects(override))} ({words.text(why)})</p></li>\n"
        )
    yield "</ul>"


def changes(outcome: Outcome, words: Words) -> Html:
    """Yield the edits by transform, with why each was made."""
    groups: dict[str, list[Change]] = {}
    for change in outcome.changes:
        groups.setdefault(change.transform.id, []).append(change)
    for id, group in groups.items():
        transform = group[0].transform
        grades = {change.edit.grade for change in group}
        grade = " ".join(chip(grade, grade) for grade in Grade if grade in grades)
        head = f"{chip('risk', transform.risk)} {grade} <span class='summary'>{words.text(transform.title)}</span>"
        yield _group_head(words.text(id), head, len(group), "edit", False)
        references = "; ".join(map(words.text, transform.references))
        yield (
            f"<p><b>Why:</b> {words.text(transform.why)}</p><p><b>May break:</b> {words.text(transform.may_break)}</p>"
            f'<p class="small">{references}</p><ul class="records">'
        )
        for change in group:
            yield _change(change, words)
        yield "</ul></details>"


def _change(change: Change, words: Words) -> str:
    file, transform = change.object.piece.file.name, change.transform
    path = words.text(dotted(change.path[1:])).replace(".", ".<wbr>")
    values = words.before_and_after(change.before, change.after, hidden=bool(change.edit.keeps))
    late = " <b>shows late</b>" if change.edit.late else ""
    return (
        f"<li {item(words, file, transform.risk, transform.severity, [change.edit.grade])}>"
        f"<p>{words.place(file, change.new_line or change.line)} {words.text(str(change.object))} "
        f"{chip(change.edit.grade, change.edit.grade)} {words.text(str(change.edit.basis))}{late}</p>"
        f"<p><code>{path or 'new object'}</code> <code class='value'>{values}</code></p>"
        f"{words.evidence(list(change.evidence))}</li>\n"
    )


def waived(outcome: Outcome, words: Words) -> Html:
    """Yield what somebody decided to leave as it is."""
    yield '<ul class="records">'
    for record in outcome.waived:
        yield _waived(record, words)
    yield "</ul>"


def _waived(record: Waived, words: Words) -> str:
    file, line, target, _ = record.place
    transform = record.transform
    grades = [change.edit.grade for change in record.changes]
    named = f" {words.text(str(target))}" if target is not None else ""
    return (
        f"<li {item(words, file, transform.risk, transform.severity, grades)}><p><b>{words.text(transform.id)}</b> "
        f"{chip('risk', transform.risk)} {words.place(file, line)}{named}</p>"
        f"<p>{words.text(record.reason)} <span class='small'>({words.text(record.carrier)}, "
        f"{words.text(record.file)}:{record.line})</span></p></li>\n"
    )


def _group_head(name: str, about: str, count: int, noun: str, is_open: bool) -> str:
    return (
        f'<details class="group"{" open" if is_open else ""}><summary><b>{name}</b> {about} '
        f'<span class="count">{counted(count, noun)}</span></summary>'
    )


def _severity(severity: str) -> str:
    return chip(html.escape(severity), html.escape(severity))
