"""What a session of ``harden observe`` found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, to_builtins

from hardener.engine.observed_grade import NOBODY_ASKED
from hardener.observe.results import Result
from hardener.report.terminal.wrapping import length, padded
from hardener.support.printable import plain

_MIB = 1024 * 1024
_STATES = {
    "held": ("yes", "yes"), "partly": ("yes", "in part"), "not-as-it-is": ("no", "-"),
}  # fmt: skip
_HOW = {
    "held": "comes up with every change", "partly": "is not known to come up with every change",
    "not-as-it-is": "does not come up as it is", "refused": "is not run",
}  # fmt: skip
_NOT_RUN = ("refused", "not-run")
_GUESSES = "  Nobody has run them: what is a guess about them stays one."
_NAMED = 3  # workloads in one line


class Graded(Struct, frozen=True):
    """How many edits ``apply`` would make as safe, how many to review, how many it would hold back, and how many are
    guesses, made or not."""

    safe: int
    review: int
    held: int
    guesses: int = 0


class Observed(Struct, frozen=True):
    """What a report is about: the ``engine`` ("podman 5.4.2"), the ``seconds`` for each workload, the ``results``, the
    grades of what harden would change ``before`` and ``after`` (None: not asked), whether harden.lock was ``written``,
    whether somebody ``interrupted`` it, and what is to say of seccomp ``profiles``, by workload."""

    engine: str
    seconds: int
    results: list[Result]
    before: Graded | None = None
    after: Graded | None = None
    written: bool = False
    interrupted: bool = False
    profiles: list[tuple[str, str]] = []


def lines_of(observed: Observed) -> Iterator[str]:
    """Yield the report for a terminal: a table, the reasons, and what to do next."""
    results, seconds = observed.results, observed.seconds
    ran = [result for result in results if result.state not in _NOT_RUN]
    up = sum(result.state in ("held", "partly") for result in results)
    held = sum(result.state == "held" for result in results)
    yield (
        f"{_count(len(results), 'workload')}, {observed.engine}, {seconds} s each: "
        f"{up} came up as they are, {held} with every change"
    )
    if ran:
        yield ""
        yield from _table(_rows(ran))
    yield from _listed("Why", [line for result in ran for line in _reasons(result)])
    yield from _listed("Seen", [line for result in ran for line in _seen(result)])
    yield from _listed("Seccomp", [f"  {plain(key)}, {plain(text)}" for key, text in observed.profiles])
    not_run = list(_not_run(results))
    yield from _listed("Not run", [*not_run, *([_GUESSES] if not_run else [])])
    yield ""
    yield from _outcome(observed, bool(ran))


def finished_line(result: Result, count: str, seconds: float) -> str:
    """A workload of which it is known what came of it, so many of so many (``count``), on one line."""
    how = _HOW.get(result.state, "not hardened")
    failed = ", ".join(dict.fromkeys(one.ids[-1] for one in result.failed if not one.otherwise))
    if result.state == "partly" and failed:
        how = f"does not come up with {failed}"
    return f"{count}: {_name(result)} {how} ({_count(result.runs, 'run')}, {seconds:.0f} s)"


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from lines


def _outcome(observed: Observed, ran: bool) -> Iterator[str]:
    """What came of it, what it cannot tell, and the next step."""
    if observed.interrupted:
        yield "Interrupted: what was seen until then is kept." if observed.written else "Interrupted: nothing is kept."
    if observed.before is not None and observed.after is not None and ran:
        yield f"harden apply: {_graded(observed.after)}; before this run {_graded(observed.before)}"
    yield f"Nobody has seen what {observed.seconds} s do not show: load, and work that begins later."
    if observed.written:
        yield "next: harden apply PATH takes what harden.lock holds now; commit both"
    elif not ran:
        yield "Nothing was run, and nothing was written."
    elif not observed.interrupted:
        yield "Nothing was written."


def _graded(found: Graded) -> str:
    guesses = f", {found.guesses} guessed" if found.guesses else ""
    return f"{_count(found.safe, 'safe edit')}, {found.review} to review{guesses}, {found.held} held back"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _rows(ran: list[Result]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("WORKLOAD", "AS IT IS", "HARDENED", "DOES NOT HOLD", "WROTE TO", "MEMORY")]
    for result in ran:
        as_it_is, hardened = _STATES[result.state]
        if result.state in ("held", "partly") and not result.held and not result.failed:
            hardened = "nothing to do" if result.state == "held" else "-"
        failed = ", ".join(dict.fromkeys(one.ids[-1] for one in result.failed if not one.otherwise)) or "-"
        rows.append((_name(result), as_it_is, hardened, failed, _wrote(result), _memory(result)))
    return rows


def _not_run(results: list[Result]) -> Iterator[str]:
    """Those that were not run, by the reason, with the place that is about and what to do."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.state in _NOT_RUN:
            place = f" ({plain(result.place)})" if result.place else ""
            reason = result.reason or "the run ended before"
            by_reason.setdefault((reason, result.remedy), []).append(f"{_name(result)}{place}")
    for (reason, remedy), names in by_reason.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"  {plain(reason)}: {', '.join(names[:_NAMED])}{more}"
        if remedy:
            yield f"    {plain(remedy)}"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(length(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (padded(cell, width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _reasons(result: Result) -> Iterator[str]:
    name = _name(result)
    if result.state == "not-as-it-is":
        yield f"  {name} does not come up as it is: {plain(result.reason)}"
    for failure in result.failed:
        if failure.otherwise:
            found = (
                f"comes up with {failure.ids[-1]} and {', '.join(failure.otherwise)}; with other settings it does not"
            )
        else:
            found = f"does not come up with {failure.ids[-1]}"
        yield f"  {name} {plain(found)}: {plain(failure.because)}"
    if result.state in ("held", "partly") and result.reason:
        yield f"  {name}: {plain(result.reason)}"
    for image in dict.fromkeys(image for _, image, digest, _ in result.containers if digest is None):
        yield f"  {name}: nothing is kept of {plain(image)}, which has no digest: no registry has it"
    if result.state in ("held", "partly") and result.held:
        yield from (f"  {name} came up; {plain(why)}" for why in _unseen(result))
    for problem in result.lost:
        yield f"  {name}: {plain(problem)}"
    for id, why in result.untried.items():
        yield f"  {name}: {id} was not tried: {plain(why)}"


def _unseen(result: Result) -> list[str]:
    """What of the work of its containers nobody saw."""
    found = [why for doubts in result.doubts.values() for why in doubts]
    found += [NOBODY_ASKED for name, shown in result.shown.items() if not shown and not result.doubts.get(name)]
    return list(dict.fromkeys(found))


def _seen(result: Result) -> Iterator[str]:
    name = _name(result)
    connects = sorted({each for found in result.connects.values() for each in found})
    if connects:
        yield f"  {name} connects to {plain(', '.join(connects))}"
    yield from _needs(result)
    answers = [str(each) for _, _, _, seen in result.containers for each in seen.answers if each.is_spoken]
    if answers:
        yield f"  {name} answers {_first(answers)}"
    outside = sorted({each for _, _, _, seen in result.containers for each in seen.outside})
    if outside:
        yield f"  {name} asks for names outside of the tree: {_first(outside)}"
    if any(seen.token for _, _, _, seen in result.containers):
        yield f"  {name} reads the token of its service account"
    if result.violates:
        before, after = result.violates[0], result.violates[-1]
        yield f"  {name} {_restricted(before)}" + (f"; hardened it {_restricted(after)}" if after != before else "")


def _needs(result: Result) -> Iterator[str]:
    for container, needs in result.needs.items():
        if needs:
            of = f", container {container}," if len(result.containers) > 1 else ""
            yield f"  {_name(result)}{plain(of)} needs {plain(', '.join(needs))} and no other capability"


def _first(texts: Sequence[str]) -> str:
    """The first of ``texts`` in a line, and how many more there are."""
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return plain(", ".join(texts[:_NAMED])) + more


def _restricted(violates: str) -> str:
    """Whether a cluster would take it at the level restricted."""
    return f"is not restricted ({plain(violates)})" if violates else "is restricted"


def _name(result: Result) -> str:
    return plain(f"{result.namespace}/{result.key}" if result.namespace else result.key)


def _wrote(result: Result) -> str:
    paths = sorted({path for _, _, _, seen in result.containers for path in seen.wrote})
    if not paths:
        return "-"
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return plain(", ".join(paths[:2])) + more


def _memory(result: Result) -> str:
    found = [seen.memory for _, _, _, seen in result.containers if seen.memory]
    return f"{-(-sum(found) // _MIB)} Mi" if found else "-"


def as_json(observed: Observed) -> str:
    """Return what ``harden observe`` saw as JSON."""
    found: dict[str, Any] = {
        "engine": observed.engine,
        "seconds": observed.seconds,
        "interrupted": observed.interrupted,
    }
    for key, graded in (("before", observed.before), ("after", observed.after)):
        if graded is not None:
            found[key] = to_builtins(graded)
    found["workloads"] = [_json(result) for result in observed.results]
    return json.dumps(found, indent=2)


def _json(result: Result) -> dict[str, Any]:
    return {
        "workload": result.key,
        "namespace": result.namespace,
        "file": result.file,
        "line": result.line,
        "state": result.state,
        "reason": result.reason,
        "place": result.place,
        "remedy": result.remedy,
        "runs": result.runs,
        "containers": [
            {
                "name": name,
                "image": image,
                "digest": digest,
                "user": seen.user,
                "groups": list(seen.groups),
                "wrote": sorted(seen.wrote),
                "occupied": sorted(seen.occupied),
                "listens": sorted(seen.listens),
                "capabilities": sorted(seen.capabilities),
                "needs": list(result.needs[name]) if name in result.needs else None,
                "memory": seen.memory,
                "memoryAt": seen.memory_at,
                "cpu": seen.cpu,
                "cpuAt": seen.cpu_at,
                "usage": [list(each) for each in seen.usage],
                "outside": sorted(seen.outside),
                "token": seen.token,
                "connects": list(result.connects.get(name, ())),
                "answers": [str(each) for each in seen.answers],
                "shown": list(result.shown.get(name, ())),
                "doubts": list(result.doubts.get(name, ())),
            }
            for name, image, digest, seen in result.containers
        ],
        "held": result.held,
        "failed": [
            {"changes": list(failure.ids), "because": failure.because, "otherwise": list(failure.otherwise)}
            for failure in result.failed
        ],
        "notTried": result.untried,
        "notServed": result.lost,
        "notRestricted": result.violates,
        "seccomp": {
            name: {"calls": list(each.names), "of": each.of, "because": each.because}
            for name, each in result.profiles.items()
        },
    }
