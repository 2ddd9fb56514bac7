"""JSON reports of many pipelines as one: by repository, by rule, and which change is the safest next over all."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, to_builtins

from hardener import __version__
from hardener.authoring.edits import Grade, Severity
from hardener.errors import InputError
from hardener.report.impact import counted
from hardener.support.printable import plain

# The lists of a report, and what a record of each is called.
_LISTS = {"changes": "pending", "held": "held", "findings": "finding", "waived": "waived"}
_OPEN = ("pending", "held", "finding")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins with one


class Row(Struct, frozen=True):
    """What one rule says of one object. ``state`` is pending, held, finding or waived; a finding has no grade.
    ``fingerprint`` is the same in each run that finds the same, whatever line it stands on."""

    repository: str
    commit: str | None
    file: str
    object: str
    rule: str
    state: str
    grade: str | None
    severity: str
    fingerprint: str


class Wave(Struct, frozen=True):
    """The pending changes of one rule and grade: in how many repositories, which is how many pull requests."""

    rule: str
    grade: str
    repositories: int
    objects: int


def rows(name: str, text: str) -> list[Row]:
    """Return what the JSON report ``text``, which is called ``name``, holds. Raises InputError where it is none."""
    try:
        report = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{name}: is no JSON") from None
    if not isinstance(report, dict) or report.get("version") != 1 or not isinstance(report.get("summary"), dict):
        raise InputError(f"{name}: is no JSON report of harden: write one with --format json")
    try:
        return list(rows_of(name, report))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{name}: a record of this report is not as its schema says") from None


def merged(reports: Iterable[list[Row]]) -> list[Row]:
    """Return the rows of ``reports``, each concern of a repository once. Of a repository with reports of several
    commits those of the commit that comes last count."""
    commits: dict[str, str | None] = {}
    found: dict[tuple[str, str], Row] = {}
    for report in reports:
        commits |= {row.repository: row.commit for row in report}
        found |= {(row.repository, row.fingerprint): row for row in report}
    kept = [row for row in found.values() if row.commit == commits[row.repository]]
    return sorted(kept, key=lambda row: (row.repository, row.file, row.object, row.rule, row.fingerprint))


def waves(found: Iterable[Row]) -> list[Wave]:
    """Return the pending changes of ``found`` by rule and grade, the safest first, of these the most frequent."""
    repositories: dict[tuple[str, str], set[str]] = {}
    objects: Counter[tuple[str, str]] = Counter()
    for row in found:
        if row.state == "pending" and row.grade:
            repositories.setdefault((row.rule, row.grade), set()).add(row.repository)
            objects[row.rule, row.grade] += 1
    made = [Wave(rule, grade, len(names), objects[rule, grade]) for (rule, grade), names in repositories.items()]
    return sorted(made, key=lambda wave: (Grade(wave.grade).rank, -wave.repositories, wave.rule))


def rows_of(name: str, report: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of the JSON report ``report``, which is called ``name``: one for all edits of a rule in an object.
    Raises KeyError, TypeError, AttributeError or ValueError where a record is not as its schema says."""
    origin = report.get("repository") or {}  # a report of an earlier release has none
    repository, commit = _text(origin.get("address") or name), origin.get("commit")
    seen: set[tuple[str, ...]] = set()
    for key, state in _LISTS.items():
        for record in report[key]:
            item = record["object"]
            about = "" if item is None else f"{item['kind']}/{item['namespace'] or ''}/{item['name'] or ''}"
            concern = (_text(record["id"]), _text(record["file"]), about, record.get("message") or "")
            if (*concern, state) in seen:  # one row for all edits of a rule in an object
                continue
            seen.add((*concern, state))
            grade = None if record.get("grade") is None else str(Grade(record["grade"]))
            # Not the state: what is held back today may be pending tomorrow. Beside each other they are two.
            digest = hashlib.sha256("\0".join([*concern, *([grade] if grade else [])]).encode("utf-8", "replace"))
            yield Row(
                repository, commit, concern[1], about, concern[0], state, grade, str(Severity(record["severity"])),
                digest.hexdigest()[:32],
            )  # fmt: skip


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def write_json(found: list[Row], out: Callable[[str], object]) -> None:
    """Write the rows and the waves as JSON."""
    record = {"version": 1, "waves": to_builtins(waves(found)), "rows": to_builtins(found)}
    out(json.dumps(record, ensure_ascii=True, indent=1) + "\n")


def write_csv(found: list[Row], out: Callable[[str], object]) -> None:
    """Write the rows as CSV (RFC 4180)."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(Row.__struct_fields__)
    for row in found:
        writer.writerow([_cell(getattr(row, name)) for name in Row.__struct_fields__])
    out(table.getvalue())


def _cell(value: str | None) -> str:
    text = plain(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:80rem;padding:1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #8888;padding:.25rem .6rem;text-align:left;"
    "overflow-wrap:anywhere}td.n{text-align:right}"
)


def write_page(found: list[Row], out: Callable[[str], object]) -> None:
    """Write a page of the waves, the repositories and the rules; it loads nothing."""
    from hardener.report.page.whole import digest  # late: the page of a run draws

    policy = f"default-src 'none'; style-src '{digest(_STYLE)}'; base-uri 'none'; form-action 'none'"
    number = len({row.repository for row in found})
    title = f"{number} {'repository' if number == 1 else 'repositories'}, {counted(len(found), 'point')}"
    out(
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>harden: {title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Hardening of {title}</h1>\n"
    )
    changes = [(wave.rule, wave.grade, wave.repositories, wave.objects) for wave in waves(found)]
    _table(out, "Waves: the safest change next", ("rule", "grade", "pull requests", "objects"), changes)
    _table(out, "Repositories", ("repository", "commit", *_OPEN, "waived", "critical and open"), _by_repository(found))
    _table(out, "Rules", ("rule", *_OPEN, "waived", "repositories"), _by_rule(found))
    out(f"</main>\n<footer><p>Made by harden {__version__}. This page loads nothing.</p></footer>\n</body>\n</html>\n")


def _by_repository(found: list[Row]) -> Iterator[tuple[str | int, ...]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row.repository, row.commit or ""), []).append(row)
    for (name, commit), group in groups.items():
        states = Counter(row.state for row in group)
        critical = sum(row.state in _OPEN and row.severity == Severity.CRITICAL for row in group)
        yield name, commit[:12], *(states[state] for state in _LISTS.values()), critical


def _by_rule(found: list[Row]) -> list[tuple[str | int, ...]]:
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row.rule, []).append(row)
    table: list[tuple[str | int, ...]] = []
    for rule, group in groups.items():
        states = Counter(row.state for row in group)
        table.append((rule, *(states[state] for state in _LISTS.values()), len({row.repository for row in group})))
    return sorted(table, key=lambda row: (-int(row[-1]), str(row[0])))


def _table(
    out: Callable[[str], object], title: str, head: Iterable[str], body: Iterable[tuple[str | int, ...]]
) -> None:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    out(f"<h2>{title}</h2>\n<table>\n<thead><tr>{cells}</tr></thead>")
    out("\n<tbody>\n")
    for row in body:
        out(f"<tr>{''.join(map(_td, row))}</tr>\n")
    out("</tbody>\n</table>\n")


def _td(value: str | int) -> str:
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{html.escape(plain(value))}</td>"
