"""What is done for one repository, in whatever process, on whatever machine: it is checked out, judged, and told."""

from __future__ import annotations

import os
import time
from typing import Any

from msgspec import Struct

from hardener import __version__
from hardener.fleet import prefork
from hardener.fleet.addresses import Repository
from hardener.fleet.checkout import CacheError, Checkout, CheckoutError, Limits, checked_out
from hardener.fleet.judge import Judged, Request
from hardener.fleet.store import Result


class Job(Struct, frozen=True):
    """A repository to judge by ``harden`` of that version. ``number`` is that of the table, ``known`` are commits that
    were judged before, ``options`` those of ``harden_tree``; ``cache`` is a folder, None the one of the user."""

    number: int
    repository: Repository
    harden: str
    rev: str | None
    known: frozenset[str]
    options: dict[str, Any]
    limits: Limits
    cache: str


class Answer(Struct, frozen=True):
    """One of three: the ``result``; the commit that it is ``same`` as before; or why no other repository can be judged
    either, which is ``stop``."""

    result: Result | None = None
    same: str | None = None
    stop: str | None = None


def work(job: Job) -> Answer:
    """Check out and judge the repository of ``job``. What is wrong with it is a result; nothing is raised."""
    if job.harden != __version__:
        return Answer(stop=f"a worker has harden {__version__}, and not {job.harden}; install the same on all of them")
    started = time.monotonic()
    commit = None
    try:
        with checked_out(job.repository, job.rev, job.cache, job.limits, job.known) as found:
            commit = found.commit
            if commit in job.known:
                return Answer(same=commit)
            judged = _judged(found, job)
    except CacheError as error:
        return Answer(
            stop=f"{error}; what was found before stays. Make room, or name another --cache, and run it again"
        )
    except CheckoutError as error:
        judged = Judged(reason=str(error))
    seconds = round(time.monotonic() - started, 3)
    workloads = judged.workloads if judged.reason is None else None
    return Answer(Result(commit, judged.reason, seconds, judged.peak_bytes, workloads, judged.entries))


def _judged(found: Checkout, job: Job) -> Judged:
    request = Request(os.path.abspath(found.folder), job.options, job.limits.seconds, job.limits.memory)
    return prefork.server().answer(request, Judged)
