"""``harden fleet plan``: for each repository the pull request that makes one part of its plan, as files: the name of
the branch, the message of the commit, the body. Nothing is written to a repository; ``integrations/fleet`` has scripts
that make the pull requests with the programs of the user."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from hardener import __version__
from hardener.authoring import config as configuration
from hardener.authoring.edits import Grade
from hardener.commands.plan import proposed
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, asked_of, plan_with
from hardener.errors import HardenError, InputError
from hardener.fleet import addresses, executors, store
from hardener.fleet.checkout import Limits, at_commit, cache_folder, entry_name
from hardener.report import pull_request
from hardener.report.impact import counted
from hardener.report.pull_request import Made
from hardener.report.redactor import Redactor
from hardener.support.printable import plain_line

_LONGEST = 300  # characters of a reason
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
# A repository at a host: of https and ssh, and the short form of ssh. Source: git-clone, "Git URLs".
_AT_HOST = re.compile(r"(?:(?:https|ssh)://(?:[^/@]*@)?[^/]+/|(?:[^/@:]+@)?[^/@:]+:)/*(?P<name>[^?#]+?)(?:\.git)?/?")
_MOST_TASKS = 50  # of a process, so that it gives its memory back
_SHOWN = 10  # failures


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for: part ``number`` of plans with at most ``lines`` in each, of the repositories
    whose name holds ``repository`` and in which ``team`` has a point, written to the folder ``out``."""

    file: str
    out: str
    number: int
    lines: int
    limits: Limits
    branch: str | None = None
    repository: str | None = None
    team: str | None = None
    cache: str | None = None
    jobs: int | None = None


class _Job(Struct, frozen=True):
    address: str
    commit: str | None
    choices: Choices
    number: int
    lines: int
    limits: Limits
    cache: str
    command: str


class Planned(Struct, frozen=True):
    """What came out for a repository: its pull request, or the ``reason`` why there is none; both are None where its
    plan has no such part. ``parts`` is how many parts the plan has, ``lines`` how many lines of a patch this one is."""

    address: str
    commit: str | None
    made: Made | None = None
    body: str = ""
    files: int = 0
    lines: int = 0
    parts: int = 0
    reason: str | None = None


def plan(choices: Choices, asked: Asked) -> int:
    """Write the pull requests to a new folder, and print how many there are. Returns 0, or 1 where a repository has no
    plan since it could not be read. Raises InputError for a wrong option or file, and a folder that is not empty."""
    judged = plan_with(choices, configuration.load("", choices.config) if choices.config else configuration.Config())
    branch = _branch(choices, asked)
    _check_empty(asked.out)
    with store.reading(asked.file) as connection:
        found = list(_repositories(connection, asked, judged.only))
    command = asked_of([os.curdir], choices).command("apply", *_words(asked))
    cache = os.path.abspath(asked.cache or cache_folder())
    there = _elsewhere(choices)
    jobs = [
        _Job(address, commit, there, asked.number, asked.lines, asked.limits, cache, command)
        for address, commit in found
    ]
    with Progress() as progress:
        progress.begin("planned", len(jobs))
        results = []
        for result in _planned(jobs, asked.jobs or executors.here()):
            results.append(result)
            progress(result.address)
    _write(asked, branch, command, asked_of([os.curdir], there).command("apply", *_words(asked)), results)
    return _told(asked, results)


def _words(asked: Asked) -> list[str]:
    return ["--plan", str(asked.number), "--lines", str(asked.lines)]


def _branch(choices: Choices, asked: Asked) -> str:
    """The name of the branch: the one that is given, else one of the rules or grade. It has no slash, since turbolift
    makes a folder of that name."""
    if asked.branch is not None:
        if not _BRANCH.fullmatch(asked.branch) or ".." in asked.branch or asked.branch.endswith((".", "/", ".lock")):
            raise InputError(f"--branch {plain_line(asked.branch)}: write letters, digits, and . _ - / between them")
        return asked.branch
    named = "-".join(choices.only or []).replace(",", "-") or str(choices.max_grade or Grade.REVIEW)
    part = f"-{asked.number}" if asked.number > 1 else ""
    return f"harden-{re.sub(r'[^A-Za-z0-9-]+', '-', named)[:60].strip('-').lower()}{part}"


def _check_empty(folder: str) -> None:
    try:
        is_empty = not os.path.lexists(folder) or not os.listdir(folder)
    except OSError as error:
        raise InputError(f"--out {plain_line(folder)}: {error.strerror}") from None
    if not is_empty:
        raise InputError(f"--out {plain_line(folder)}: is not empty; name another folder")


def _elsewhere(choices: Choices) -> Choices:
    """The same for a command that is started in another folder."""
    given = {name: getattr(choices, name) for name in ("config", "profile")}
    files = {name: os.path.abspath(path) for name, path in given.items() if path and os.path.isfile(path)}
    return replace(choices, **files)


def _repositories(
    connection: sqlite3.Connection, asked: Asked, only: frozenset[str]
) -> Iterator[tuple[str, str | None]]:
    """Address and commit of the repositories of the last run that may get a pull request."""
    wanted = {}
    for address, commit, rule, team in connection.execute(
        'SELECT DISTINCT address, "commit", rule, team FROM entry JOIN result USING (run, repository) '
        "JOIN repository ON repository.id = entry.repository WHERE run = (SELECT max(id) FROM run) "
        "AND entry.state IN ('pending', 'held') ORDER BY address"
    ):
        if (
            (not only or rule in only)
            and asked.team in (None, *(team or "").split())
            and (asked.repository or "") in address
        ):
            wanted[address] = commit
    return iter(wanted.items())


def _planned(jobs: list[_Job], processes: int) -> Iterator[Planned]:
    if processes == 1 or len(jobs) < 2:
        yield from map(planned, jobs)
        return
    with ProcessPoolExecutor(min(processes, len(jobs)), get_context("spawn"), max_tasks_per_child=_MOST_TASKS) as pool:
        yield from pool.map(planned, jobs)


def planned(job: _Job) -> Planned:
    """The pull request of a repository; what goes wrong is a reason, since the others get theirs all the same."""
    home = os.getcwd()
    try:
        repository = addresses.parsed(job.address)
        with at_commit(repository, job.commit, job.cache, job.limits) as found, _in_time(job.limits.seconds):
            os.chdir(found.folder)  # names of files are seen from it
            return _proposed(job, found.commit)
    except TimeoutError:
        reason = f"takes more than {job.limits.seconds:g} seconds (--timeout)"
    except HardenError as error:
        reason = str(error)
    except Exception as error:
        reason = f"harden failed: {type(error).__name__}: {error}"
    finally:
        os.chdir(home)
    return Planned(job.address, job.commit, reason=plain_line(Redactor().text(reason))[:_LONGEST])


def _proposed(job: _Job, commit: str | None) -> Planned:
    part = proposed([os.curdir], job.choices, _silent, number=job.number, lines=job.lines)
    if part is None or not part.outcome.changes:
        return Planned(job.address, commit)
    outcome = part.outcome
    text = pull_request.body(outcome, part.redactor, job.command)
    return Planned(job.address, commit, Made.of(outcome), text, len(outcome.files), part.lines, part.of)


def _silent(name: str) -> None:
    """Nobody looks at how far one repository is."""


@contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in what takes longer, where the platform has such a clock."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return

    def ring(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _write(asked: Asked, branch: str, command: str, there: str, results: Iterable[Planned]) -> None:
    made = [(each, each.made) for each in results if each.made is not None]
    try:
        os.makedirs(asked.out, exist_ok=True)
        for each, what in made:
            _write_pull_request(asked.out, branch, command, each, what)
        if made:
            _write_common(asked.out, branch, command, there, [each for each, _ in made])
        record = _record(asked, branch, command, made, [each for each in results if each.reason is not None])
        _write_text(os.path.join(asked.out, "plan.json"), json.dumps(record, ensure_ascii=True, indent=1) + "\n")
    except OSError as error:
        raise InputError(f"--out {plain_line(asked.out)}: {error.strerror}") from None


def _write_pull_request(out: str, branch: str, command: str, each: Planned, made: Made) -> None:
    folder = os.path.join(out, entry_name(each.address))
    os.mkdir(folder)
    texts = {"address": each.address, "branch": branch, "commit-message": made.message(command), "body.md": each.body}
    if (name := _name_at_host(each.address)) is not None:
        texts["name"] = name
    for name, text in texts.items():
        _write_text(os.path.join(folder, name), text if text.endswith("\n") else f"{text}\n")


def _write_common(out: str, branch: str, command: str, there: str, planned: list[Planned]) -> None:
    """What programs take that have one text for all pull requests."""
    together = Made.together(each.made for each in planned if each.made is not None)
    names = [name for each in planned if (name := _name_at_host(each.address)) is not None]
    texts = {
        "branch": f"{branch}\n", "commit-message": together.message(command), "body.md": together.body(command),
        "repositories.txt": "".join(f"{name}\n" for name in names),
        "apply.sh": f"#!/bin/sh\n# Start it in a checkout: it makes the changes of its pull request.\nexec {there}\n",
    }  # fmt: skip
    for name, text in texts.items():
        _write_text(os.path.join(out, name), text)
    os.chmod(os.path.join(out, "apply.sh"), stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def _name_at_host(address: str) -> str | None:
    """``owner/name`` of a repository at a host; None for a path, and for a name that is no such thing."""
    found = _AT_HOST.fullmatch(address)
    return found["name"] if found and _NAME.fullmatch(found["name"]) else None


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as out:
        out.write(text)


def _record(
    asked: Asked, branch: str, command: str, made: list[tuple[Planned, Made]], failed: list[Planned]
) -> dict[str, object]:
    return {
        "version": 1, "harden": __version__, "branch": branch, "command": command, "part": asked.number,
        "pullRequests": [
            {
                "repository": each.address, "name": _name_at_host(each.address), "commit": each.commit,
                "folder": entry_name(each.address), "subject": what.subject, "files": each.files, "lines": each.lines,
                "parts": each.parts, "edits": what.edits, "grades": to_builtins(what.grades),
            }
            for each, what in made
        ],
        "failed": [{"repository": each.address, "reason": each.reason} for each in failed],
    }  # fmt: skip


def _told(asked: Asked, results: list[Planned]) -> int:
    made = sum(each.made is not None for each in results)
    failed = [each for each in results if each.reason is not None]
    without = len(results) - made - len(failed)
    nothing = f"; {without} of {len(results)} have nothing to change" if without else ""
    print(f"{counted(made, 'pull request')} in {plain_line(asked.out)}{nothing}")
    for each in failed[:_SHOWN]:
        print(plain_line(f"failed: {each.address}: {each.reason}"))
    if len(failed) > _SHOWN:
        print(f"{len(failed) - _SHOWN} more: plan.json names them")
    return 1 if failed else 0
