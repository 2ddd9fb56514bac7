"""The file of a fleet: one SQLite file with every run over many repositories, and what each found in each repository.

Source of the pragmas: sqlite.org/pragma.html and sqlite.org/wal.html. ``user_version`` is that of the tables: a file
of another version is refused and never changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import astuple

from hardener.errors import InputError

VERSION = 1
WAIT = 30.0  # seconds for a reader that holds the file
_TABLES = """
CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,         -- ISO 8601, UTC
  finished TEXT,                 -- NULL: it goes on, or was ended before its end
  harden TEXT NOT NULL,          -- version
  profile TEXT NOT NULL,
  configuration TEXT NOT NULL    -- SHA-256 of all that decides beside the repository
);
CREATE TABLE repository(
  id INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE   -- without credentials
);
CREATE TABLE result(
  run INTEGER NOT NULL REFERENCES run(id),
  repository INTEGER NOT NULL REFERENCES repository(id),
  state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
  "commit" TEXT,
  reason TEXT,                   -- of a failure
  seconds REAL,
  peak_bytes INTEGER,
  workloads INTEGER,
  PRIMARY KEY (run, repository)
) WITHOUT ROWID;
CREATE TABLE entry(
  run INTEGER NOT NULL REFERENCES run(id),
  repository INTEGER NOT NULL REFERENCES repository(id),
  file TEXT NOT NULL,
  object TEXT NOT NULL,          -- Kind/namespace/name; '' where it is about none
  rule TEXT NOT NULL,
  risk TEXT,
  state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'finding', 'waived')),
  grade TEXT,
  severity TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  team TEXT,                     -- the owners of the file by CODEOWNERS of the repository
  PRIMARY KEY (run, repository, fingerprint, state)
) WITHOUT ROWID;
CREATE TABLE seen(
  repository INTEGER NOT NULL REFERENCES repository(id),
  fingerprint TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run(id),
  PRIMARY KEY (repository, fingerprint)
) WITHOUT ROWID;
"""
NAMES = frozenset({"run", "repository", "result", "entry", "seen"})


class Entry(Struct, frozen=True):
    """What one rule says of one object of a repository, as in the table ``entry``."""

    file: str
    object: str
    rule: str
    risk: str | None
    state: str
    grade: str | None
    severity: str
    fingerprint: str
    team: str | None


class Result(Struct, frozen=True):
    """What came out for a repository: ``reason`` is None where it is done; a failed one has no ``entries``."""

    commit: str | None
    reason: str | None
    seconds: float
    peak_bytes: int | None
    workloads: int | None
    entries: tuple[Entry, ...] = ()

    @property
    def state(self) -> str:
        """The word of the table ``result`` for it."""
        return "done" if self.reason is None else "failed"


class Settings(Struct, frozen=True):
    """What the rows of a commit depend on: the version of harden, the profile, and a hash of all the rest."""

    harden: str
    profile: str
    configuration: str


def now() -> str:
    """The present time as the tables hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def reading(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file ``path``, while a run may write to it. Raises InputError where it is none."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: there is no such file; harden fleet run writes it")
    with _said(path), closing(_read_only(path)) as connection:
        if not _is_of_this_version(connection, path):
            raise InputError(f"{path}: is empty; harden fleet run fills it")
        yield connection


def _read_only(path: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.path.abspath(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT)
    try:
        connection.execute("SELECT * FROM sqlite_schema LIMIT 0").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if os.path.exists(f"{path}-wal"):
            raise
        # A folder in which nothing may be written: without a log beside the file nobody writes to it.
        return sqlite3.connect(f"{uri}&immutable=1", uri=True)
    return connection


@contextmanager
def writing(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that writes to the file ``path``, which is made where there is none; no other run has it meanwhile.
    Raises InputError where another one does, or where it is a file of another program or version."""
    with _alone(path), _said(path), closing(sqlite3.connect(path, timeout=WAIT)) as connection:
        if not _is_of_this_version(connection, path):
            connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {VERSION};COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine loses the last results, no file
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """A lock on a file beside ``path``, never on itself: whoever closes a file loses the locks of SQLite on it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InputError(f"{path}: another harden fleet run writes to it; wait for it, or name another file") from None
    finally:
        os.close(handle)


@contextmanager
def _said(path: str) -> Iterator[None]:
    """What SQLite cannot do with the file, as one line."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise InputError(f"{path}: is no file of harden fleet; name another one") from None
        raise InputError(f"{path}: {error}; what was written before stays, and the next run goes on from it") from None


def _is_of_this_version(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the file has the tables; False for an empty one. Raises InputError for anything else."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not found and not version:
        return False
    if not found >= NAMES:
        raise InputError(f"{path}: is the file of another program; name another one")
    if version != VERSION:
        raise InputError(f"{path}: was written by another version of harden, with tables {version} and not {VERSION}")
    return True


class Begun(Struct, frozen=True):
    """The last run, which has not ended: since when it goes on, and the numbers of the ``repositories`` that it has a
    result of."""

    number: int
    started: str
    settings: Settings
    repositories: frozenset[int]


def unfinished(connection: sqlite3.Connection) -> Begun | None:
    """The last run, where it was ended before its end."""
    last = connection.execute("SELECT id, started, finished, harden, profile, configuration FROM run ORDER BY id DESC")
    found = last.fetchone()
    if found is None or found[2] is not None:
        return None
    number, started, _, *settings = found
    return Begun(number, started, Settings(*settings), frozenset(results(connection, number)))


def new_run(connection: sqlite3.Connection, settings: Settings) -> int:
    """Begin a run, and return its number."""
    with connection:
        made = connection.execute(
            "INSERT INTO run(started, harden, profile, configuration) VALUES (?, ?, ?, ?)", (now(), *astuple(settings))
        )
    assert made.lastrowid is not None
    return made.lastrowid


def finish(connection: sqlite3.Connection, run: int) -> None:
    """Note that ``run`` has ended."""
    with connection:
        connection.execute("UPDATE run SET finished = ? WHERE id = ?", (now(), run))


def repositories(connection: sqlite3.Connection, addresses: Iterable[str]) -> dict[str, int]:
    """The numbers of repositories by their ``addresses``; those that are not known are added in this order."""
    given = list(addresses)
    with connection:
        connection.executemany("INSERT OR IGNORE INTO repository(address) VALUES (?)", ((each,) for each in given))
    known = dict(connection.execute("SELECT address, id FROM repository"))
    return {address: known[address] for address in given}


def results(connection: sqlite3.Connection, run: int) -> dict[int, tuple[str, str | None]]:
    """State and reason by the number of each repository that ``run`` has a result of."""
    found = connection.execute("SELECT repository, state, reason FROM result WHERE run = ?", (run,))
    return {repository: (state, reason) for repository, state, reason in found}


def record(connection: sqlite3.Connection, run: int, repository: int, result: Result) -> None:
    """Write what came out for ``repository``, all of it or nothing; what ``run`` knew of it before goes."""
    with connection:
        _forget(connection, run, repository)
        connection.execute(
            "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run, repository, result.state, *astuple(result)[:-1]),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((run, repository, *astuple(entry)) for entry in result.entries),
        )
        _note_seen(connection, run, repository)


def _forget(connection: sqlite3.Connection, run: int, repository: int) -> None:
    for table in ("entry", "result"):
        connection.execute(f"DELETE FROM {table} WHERE run = ? AND repository = ?", (run, repository))


def _note_seen(connection: sqlite3.Connection, run: int, repository: int) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO seen SELECT DISTINCT repository, fingerprint, run FROM entry "
        "WHERE run = ? AND repository = ?",
        (run, repository),
    )


def known_commits(connection: sqlite3.Connection, settings: Settings) -> dict[int, dict[str, int]]:
    """The last run that judged a commit with these ``settings``, by the repository and its commit."""
    found: dict[int, dict[str, int]] = {}
    for repository, commit, run in connection.execute(
        "SELECT repository, \"commit\", max(run) FROM result JOIN run ON run.id = run WHERE state = 'done' "
        'AND "commit" IS NOT NULL AND harden = ? AND profile = ? AND configuration = ? GROUP BY repository, "commit"',
        astuple(settings),
    ):
        found.setdefault(repository, {})[commit] = run
    return found


def number_of_rows(connection: sqlite3.Connection, run: int) -> int:
    """How many entries ``run`` has."""
    (count,) = connection.execute("SELECT count(*) FROM entry WHERE run = ?", (run,)).fetchone()
    return int(count)


def repeat(connection: sqlite3.Connection, of: int, run: int, repository: int) -> None:
    """Write for ``run`` the rows that the run ``of`` has of ``repository``."""
    with connection:
        _forget(connection, run, repository)
        connection.execute(
            'INSERT INTO result SELECT ?, repository, state, "commit", reason, seconds, peak_bytes, workloads '
            "FROM result WHERE run = ? AND repository = ?",
            (run, of, repository),
        )
        connection.execute(
            "INSERT INTO entry SELECT ?, repository, file, object, rule, risk, state, grade, severity, fingerprint, "
            "team FROM entry WHERE run = ? AND repository = ?",
            (run, of, repository),
        )
        _note_seen(connection, run, repository)
