"""``harden fleet report``: what the last run over many repositories found, and how it came out run by run."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator

from hardener.authoring.edits import Grade, Severity
from hardener.commands.run import binary
from hardener.errors import InputError
from hardener.fleet import store
from hardener.report.redactor import Redactor
from hardener.report.repositories import page, tables
from hardener.report.repositories.points import STATES, Overview, Repository, Row, Run
from hardener.sources.git.checkout import shown

_FORMATS = {
    "text": tables.write_text, "html": page.write_page, "json": tables.write_json, "csv": tables.write_csv,
}  # fmt: skip
_MOST_RUNS = 30  # of the trend

# The run before in which a repository was done: what that one had open is known, what this one adds is new.
_TREND = """
WITH step AS (
  SELECT run, repository, lag(run) OVER (PARTITION BY repository ORDER BY run) AS before FROM result
  WHERE state = 'done' AND run <= :run
)
SELECT
  (SELECT count(*) FROM step JOIN entry USING (run, repository)
    WHERE step.run = run.id AND entry.state != 'waived'),
  (SELECT count(*) FROM step JOIN entry AS one USING (run, repository)
    WHERE step.run = run.id AND one.state != 'waived' AND NOT EXISTS (
      SELECT 1 FROM entry AS other WHERE other.run = step.before AND other.repository = step.repository
        AND other.fingerprint = one.fingerprint AND other.state != 'waived')),
  (SELECT count(*) FROM step JOIN entry AS one ON one.run = step.before AND one.repository = step.repository
    WHERE step.run = run.id AND one.state != 'waived' AND NOT EXISTS (
      SELECT 1 FROM entry AS other WHERE other.run = step.run AND other.repository = step.repository
        AND other.fingerprint = one.fingerprint AND other.state != 'waived'))
FROM run WHERE run.id = :run
"""
_ROWS = """
SELECT address, "commit", file, object, rule, entry.state, grade, severity, entry.fingerprint, team, first.started
FROM entry JOIN result USING (run, repository) JOIN repository ON repository.id = entry.repository
LEFT JOIN seen ON seen.repository = entry.repository AND seen.fingerprint = entry.fingerprint
LEFT JOIN run AS first ON first.id = seen.first_run
WHERE run = ? ORDER BY address, file, object, rule, entry.fingerprint
"""
_REPOSITORIES = """
SELECT address, "commit", CASE state WHEN 'failed' THEN coalesce(reason, 'no reason is known') END,
  (SELECT max(other.run) FROM result AS other
    WHERE other.repository = result.repository AND other.state = 'done' AND other.run < result.run)
FROM result JOIN repository ON repository.id = repository WHERE run = ? ORDER BY address
"""


def report(path: str, format: str, run: int | None) -> int:
    """Print what ``run``, else the last one, of the file ``path`` found. Returns 0; raises InputError for a file that
    is none of a fleet, and for a run that it does not have."""
    found = overview(path, run)
    _FORMATS[format](found, binary(sys.stdout, "backslashreplace"))
    sys.stdout.flush()
    if format == "csv" and found.failed:
        print(f"harden: {_failures(len(found.failed))}; --format text names them", file=sys.stderr)
    return 0


def _failures(number: int) -> str:
    if number == 1:
        return "1 repository failed; the table has no row of it"
    return f"{number} repositories failed; the table has no row of them"


def overview(path: str, run: int | None = None) -> Overview:
    """Return what ``run``, else the last one, of the file ``path`` found. Raises InputError as ``report``."""
    with store.reading(path) as connection:
        runs = list(connection.execute("SELECT id, started, finished, harden, profile FROM run ORDER BY id DESC"))
        number = _run(path, [known for known, *_ in runs], run)
        started = {known: begun for known, begun, *_ in runs}
        try:
            return Overview(
                list(_rows(connection, number)),
                list(_repositories(connection, number, started)),
                [_trend(connection, row) for row in runs if row[0] <= number][:_MOST_RUNS],
            )
        except (TypeError, ValueError, KeyError):
            raise InputError(f"{path}: a row is not as harden fleet run writes it") from None


def _run(path: str, known: list[int], asked: int | None) -> int:
    if not known:
        raise InputError(f"{path}: has no run; harden fleet run makes one")
    if asked is not None and asked not in known:
        raise InputError(f"--run {asked}: {path} has the runs {known[-1]} to {known[0]}")
    return known[0] if asked is None else asked


def _rows(connection: sqlite3.Connection, run: int) -> Iterator[Row]:
    for address, commit, file, object, rule, state, grade, severity, *rest in connection.execute(_ROWS, (run,)):
        yield Row(
            shown(address), _text_or_none(commit), _text(file), _text(object), _text(rule), _state(state),
            None if grade is None else str(Grade(grade)), str(Severity(severity)), _text(rest[0]),
            _text_or_none(rest[1]), _text_or_none(rest[2]),
        )  # fmt: skip


def _repositories(connection: sqlite3.Connection, run: int, started: dict[int, str]) -> Iterator[Repository]:
    redactor = Redactor()
    for address, commit, reason, last in connection.execute(_REPOSITORIES, (run,)):
        told = None if reason is None else redactor.text(_text(reason))
        yield Repository(shown(address), _text_or_none(commit), told, None if last is None else started[last])


def _trend(connection: sqlite3.Connection, row: tuple[int, str, str | None, str, str]) -> Run:
    number, started, finished, harden, profile = row
    states = dict(connection.execute("SELECT state, count(*) FROM result WHERE run = ? GROUP BY state", (number,)))
    open, new, gone = connection.execute(_TREND, {"run": number}).fetchone()
    return Run(
        number, _text(started), _text_or_none(finished), _text(harden), _text(profile), states.get("done", 0),
        states.get("failed", 0), open, new, gone,
    )  # fmt: skip


def _state(value: object) -> str:
    if value not in STATES:
        raise ValueError
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
