"""``harden fleet plan``: for each repository the pull request that makes one part of its plan, as files. Nothing is
written to a repository; ``integrations/fleet`` has scripts that make the pull requests with the programs of the user.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring import config as configuration
from hardener.authoring.edits import Grade
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, asked_of, plan_with
from hardener.errors import HardenError, InputError
from hardener.fleet import addresses, executors, prefork, store
from hardener.fleet.attempt import reason_of
from hardener.fleet.checkout import CacheError, Limits, at_commit, cache_folder
from hardener.fleet.plan_files import PlanFolder, Planned, Wave
from hardener.fleet.propose import Proposed, Request
from hardener.report.impact import counted
from hardener.support import worker_threads
from hardener.support.printable import plain_line

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
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


def plan(choices: Choices, asked: Asked) -> int:
    """Write the pull requests to a new folder, and print how many there are. Returns 0, or 1 where a repository has no
    plan since it could not be read. Raises InputError for a wrong option or file, and a folder that is not empty; where
    it is ended before its end, nothing stays there."""
    judged = plan_with(choices, configuration.load("", choices.config) if choices.config else configuration.Config())
    branch = _branch(choices, asked)
    with store.reading(asked.file) as connection:
        found = list(_repositories(connection, asked, judged.only))
        if store.unfinished(connection) is not None:
            print("harden: the last run has not ended: only what it has judged is planned", file=sys.stderr)
    command = asked_of([os.curdir], choices).command("apply", *_words(asked))
    cache = os.path.abspath(asked.cache or cache_folder())
    there = _elsewhere(choices)
    jobs = [
        _Job(address, commit, there, asked.number, asked.lines, asked.limits, cache, command)
        for address, commit in found
    ]
    wave = Wave(branch, command, asked_of([os.curdir], there).command("apply", *_words(asked)), asked.number)
    with PlanFolder(asked.out, wave) as folder:
        _fill(folder, jobs, asked.jobs or executors.here())
        folder.finish()
    return _told(asked, folder, len(jobs))


def _fill(folder: PlanFolder, jobs: list[_Job], threads: int) -> None:
    """Write each pull request as it comes: none is held."""
    with worker_threads.ended_by_signals(), executors.ending(), Progress() as progress:
        progress.begin("planned", len(jobs))
        try:
            for job, result in worker_threads.run(jobs, planned, threads):
                folder.add(result)
                progress(job.address)
        except CacheError as error:
            raise InputError(f"{error}; make room, or name another --cache, and plan again") from None


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


def planned(job: _Job) -> Planned:
    """The pull request of a repository; what goes wrong is a reason, since the others get theirs all the same. Raises
    CacheError."""
    commit = job.commit
    try:
        with at_commit(addresses.parsed(job.address), commit, job.cache, job.limits) as found:
            commit = found.commit
            request = Request(
                os.path.abspath(found.folder), job.choices, job.number, job.lines, job.command, job.limits.seconds,
                job.limits.memory,
            )  # fmt: skip
            return Planned(job.address, commit, prefork.server().answer(request, Proposed))
    except CacheError:
        raise
    except HardenError as error:
        return Planned(job.address, commit, Proposed(reason=reason_of(error)))


def _told(asked: Asked, folder: PlanFolder, asked_for: int) -> int:
    made, failed = len(folder.made), folder.failed
    without = asked_for - made - len(failed)
    nothing = f"; {without} of {asked_for} have nothing to change" if without else ""
    print(f"{counted(made, 'pull request')} in {plain_line(asked.out)}{nothing}")
    for address, reason in failed[:_SHOWN]:
        print(plain_line(f"failed: {address}: {reason}"))
    if len(failed) > _SHOWN:
        print(f"{len(failed) - _SHOWN} more: plan.json names them")
    return 1 if failed else 0
