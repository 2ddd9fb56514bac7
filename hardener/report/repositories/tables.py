"""The points of many repositories for programs and for a terminal: JSON, CSV, text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence

from msgspec import to_builtins

from hardener.report.impact import counted
from hardener.report.repositories.points import BY, STATES, Count, Overview, Row, Run, counts, waves
from hardener.support.printable import plain, plain_line

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins with one
_MOST_LINES = 20  # of a table in a terminal


def write_json(found: Overview, out: Callable[[str], object]) -> None:
    """Write all of it: runs, repositories, waves, counts and rows."""
    record = {
        "version": 1,
        "runs": to_builtins(found.runs),
        "repositories": to_builtins(found.repositories),
        "waves": to_builtins(waves(found.rows)),
        "counts": {by: [_record(count) for count in counts(found, by)] for by in BY},
        "rows": to_builtins(found.rows),
    }
    out(json.dumps(record, ensure_ascii=True, indent=1) + "\n")


def _record(count: Count) -> dict[str, object]:
    shown = {**count.states, "open": count.open, "critical": count.critical}
    return {"name": count.name, **shown, "repositories": len(count.repositories)}


def write_csv(found: Overview, out: Callable[[str], object]) -> None:
    """Write the rows as CSV (RFC 4180)."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(Row.__struct_fields__)
    for row in found.rows:
        writer.writerow([_cell(getattr(row, name)) for name in Row.__struct_fields__])
    out(table.getvalue())


def _cell(value: str | None) -> str:
    text = plain(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_text(found: Overview, out: Callable[[str], object]) -> None:
    """Write what a person reads in a terminal: the next change first, then the counts, at last what failed."""
    for line in _lines(found):
        out(plain_line(line) + "\n")


def title(found: Overview) -> str:
    """Return how many repositories and points there are."""
    return f"{_repositories(len(found.repositories))}, {counted(len(found.rows), 'point')}"


def _lines(found: Overview) -> Iterator[str]:
    run = f"; run {found.runs[0].number}, {said_of(found.runs[0])}" if found.runs else ""
    yield f"{title(found)}{run}"
    head = ("rule", "grade", "pull requests", "objects")
    lines = [(wave.rule, wave.grade, wave.repositories, wave.objects) for wave in waves(found.rows)]
    yield from _table("Waves: the safest change next", head, lines)
    for by in BY if found.has_teams else [by for by in BY if by != "team"]:
        columns = (by, *STATES.values(), "critical and open", "repositories")
        width = len(columns) - (by == "repository")  # each is in one
        yield from _table(f"By {by}", columns[:width], [line(count)[:width] for count in counts(found, by)])
    runs = [(each.number, each.started, each.done, each.failed, each.open, each.new, each.gone) for each in found.runs]
    yield from _table("Runs", ("run", "started", "done", "failed", "open", "new", "gone"), runs)
    failed = [(each.name, each.last or "never", each.reason or "") for each in found.failed]
    yield from _table(f"Failed: {len(failed)}", ("repository", "last done", "reason"), failed, len(failed))


def said_of(run: Run) -> str:
    """Return whether ``run`` has ended, and when."""
    return f"finished {run.finished}" if run.finished else f"started {run.started}, not finished"


def line(count: Count) -> tuple[str | int, ...]:
    """Return the cells of ``count``: its name, the states, critical and open, repositories."""
    return (count.name, *count.states.values(), count.critical, len(count.repositories))


def _table(
    name: str, head: Sequence[str], lines: Sequence[Sequence[str | int]], most: int = _MOST_LINES
) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield name
    shown = [head, *lines[:most]]
    texts = [[plain(str(cell)) for cell in cells] for cells in shown]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    numbers = [isinstance(cell, int) for cell in lines[0]]
    for cells in texts:
        aligned = zip(cells, widths, numbers, strict=True)
        yield (
            "  "
            + "  ".join(
                cell.rjust(width) if is_number else cell.ljust(width) for cell, width, is_number in aligned
            ).rstrip()
        )
    if len(lines) > most:
        yield f"  and {len(lines) - most} more"


def _repositories(number: int) -> str:
    return "1 repository" if number == 1 else f"{number} repositories"
