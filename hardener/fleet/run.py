"""``harden fleet run``: every repository of a list checked out, judged, and written to the file of the fleet."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

from msgspec import Struct

from hardener import __version__
from hardener.authoring import config as configuration
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, option_value, plan_with
from hardener.errors import InputError
from hardener.fleet import addresses, executors, store
from hardener.fleet.addresses import Repository
from hardener.fleet.checkout import Limits, cache_folder, check_revision
from hardener.fleet.work import Answer, Job
from hardener.report.impact import counted
from hardener.support.printable import plain_line
from hardener.support.worker_threads import ended_by_signals

_SHOWN = 10  # failures that are told after a run; harden fleet status tells all


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for: the ``file`` of the fleet; ``jobs`` processes of this machine, or the workers of
    a ``scheduler``; ``cache`` is None for the folder of the user."""

    file: str
    limits: Limits
    rev: str | None = None
    cache: str | None = None
    jobs: int | None = None
    scheduler: str | None = None


def run(name: str, choices: Choices, asked: Asked) -> int:
    """Judge the repositories of the list ``name`` and print how many there are. Returns 0, or 1 where one of them has
    failed. Raises InputError for a wrong list or option, and where the run cannot go on: the next one does."""
    if asked.rev is not None:
        check_revision(asked.rev)
    repositories = addresses.read(name)
    with (
        ended_by_signals(),
        store.writing(asked.file) as connection,
        _place(asked) as place,
        Progress() as progress,
    ):
        fleet = _Fleet.opened(connection, repositories, choices, asked)
        jobs = list(fleet.jobs())
        if fleet.went_before:
            print(f"{fleet.went_before} of {len(repositories)} were done before this run was ended; it goes on")
        progress.begin("judged", len(jobs))
        for job, answer in executors.answers(place, jobs):
            if answer.stop is not None:
                raise InputError(plain_line(answer.stop))
            fleet.write(job, answer)
            progress(job.repository.address)
        store.finish(connection, fleet.run)
        return fleet.told()


def _place(asked: Asked) -> AbstractContextManager[executors.Place]:
    if asked.scheduler is not None:
        return executors.scheduler(asked.scheduler)
    return executors.processes(asked.jobs or executors.here())


class _Fleet:
    """A run that is written to ``connection``."""

    def __init__(
        self, connection: sqlite3.Connection, run: int, numbers: dict[str, int], repositories: list[Repository],
        asked: Asked, options: dict[str, object], settings: store.Settings,
    ) -> None:  # fmt: skip
        self.run = run
        self._connection, self._numbers, self._repositories = connection, numbers, repositories
        self._asked, self._options = asked, options
        self._counts: Counter[str] = Counter()
        self._before = store.results(connection, run)
        self.went_before = len(self._before)
        self._known = store.known_commits(connection, settings)

    @classmethod
    def opened(
        cls, connection: sqlite3.Connection, repositories: list[Repository], choices: Choices, asked: Asked
    ) -> _Fleet:
        """The run that was ended before its end, where it was the same; else a new one."""
        numbers = store.repositories(connection, [each.address for each in repositories])
        today = choices.as_of or date.today().isoformat()
        begun = store.unfinished(connection)
        if begun is not None and begun.repositories <= set(numbers.values()):
            # Ends of waivers are judged on the day on which it began.
            day = choices.as_of or _day(begun.started)
            if begun.settings == _settings(choices, asked, day):
                return cls(
                    connection, begun.number, numbers, repositories, asked, _options(choices, day), begun.settings
                )
        settings = _settings(choices, asked, today)
        number = store.new_run(connection, settings)
        return cls(connection, number, numbers, repositories, asked, _options(choices, today), settings)

    def jobs(self) -> Iterator[Job]:
        """The repositories that have no result yet."""
        cache = os.path.abspath(self._asked.cache or cache_folder())
        for repository in self._repositories:
            number = self._numbers[repository.address]
            if number not in self._before:
                known = frozenset(self._known.get(number, {}))
                yield Job(
                    number, repository, __version__, self._asked.rev, known, self._options, self._asked.limits, cache
                )

    def write(self, job: Job, answer: Answer) -> None:
        """Write what came out for ``job``."""
        if answer.result is not None:
            store.record(self._connection, self.run, job.number, answer.result)
            self._counts[answer.result.state] += 1
        elif answer.same is not None:
            store.repeat(self._connection, self._known[job.number][answer.same], self.run, job.number)
            self._counts["as before"] += 1

    def told(self) -> int:
        """Print how many repositories there are of each state, and why the first of them failed."""
        results = store.results(self._connection, self.run)
        states = Counter(state for state, _ in results.values())
        same = f", {self._counts['as before']} of them as before" if self._counts["as before"] else ""
        rows = store.number_of_rows(self._connection, self.run)
        print(
            f"{_repositories(states['done'])} judged{same}, {states['failed']} failed; "
            f"{counted(rows, 'row')} in {plain_line(self._asked.file)}"
        )
        names = {number: address for address, number in self._numbers.items()}
        failed = [(names[number], reason or "") for number, (state, reason) in results.items() if state == "failed"]
        for address, reason in failed[:_SHOWN]:
            print(plain_line(f"failed: {address}: {reason}"))
        if len(failed) > _SHOWN:
            print(f"{len(failed) - _SHOWN} more: harden fleet status")
        return 1 if failed else 0


def _repositories(count: int) -> str:
    return f"{count:,} {'repository' if count == 1 else 'repositories'}"


def _day(time: str) -> str:
    """The day of ``time``, which is in UTC, where the run began: that of its place."""
    return datetime.fromisoformat(time).replace(tzinfo=UTC).astimezone().date().isoformat()


def _options(choices: Choices, day: str) -> dict[str, object]:
    """The options of ``harden_tree``. A path is that of this machine; the workers have the file there, too."""
    given: dict[str, object] = {"as_of": day}
    for name in ("profile", "max_grade", "kubernetes_version", "config", "accept", "only", "skip"):
        if value := getattr(choices, name):
            given[name] = value
    for name in ("profile", "config"):
        if isinstance(path := given.get(name), str) and os.path.isfile(path):
            given[name] = os.path.abspath(path)
    if choices.set:
        pairs = ((text, *text.split("=", 1)) for text in choices.set)
        given["set"] = {name: option_value(text, value) for text, name, value in pairs}
    return given


def _settings(choices: Choices, asked: Asked, day: str) -> store.Settings:
    """What tells that two runs would have the same rows of the same commit. Raises InputError for a wrong choice."""
    found = configuration.load("", choices.config) if choices.config else configuration.Config()
    plan = plan_with(choices, found)
    text = ""
    if found.path:
        with open(found.path, encoding="utf-8", errors="surrogateescape") as handle:
            text = handle.read()
    decides = {
        "profile": [choices.profile, plan.profile.members, plan.profile.options],
        "max_grade": choices.max_grade, "accept": sorted(plan.gate.accepted), "only": sorted(plan.only),
        "skip": sorted(plan.skip), "kubernetes_version": choices.kubernetes_version, "as_of": day, "config": text,
        "rev": asked.rev,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return store.Settings(__version__, plan.profile.name, digest)
