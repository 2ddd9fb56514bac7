"""The points of many repositories, what became of each repository, and how both came out run by run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field

from hardener.authoring.edits import Grade, Severity

STATES = {"pending": "pending", "held": "held back", "finding": "findings", "waived": "waived"}
OPEN = frozenset({"pending", "held", "finding"})
NO_TEAM, NO_GRADE = "no team", "no grade"


class Row(Struct, frozen=True):
    """What one rule says of one object. ``state`` is a key of ``STATES``; a finding has no grade. ``fingerprint`` is
    the same in each run that finds the same, whatever line it is on. ``team`` are the owners of the file with blanks
    between them; ``first_seen`` is when a run found the point first."""

    repository: str
    commit: str | None
    file: str
    object: str
    rule: str
    state: str
    grade: str | None
    severity: str
    fingerprint: str
    team: str | None = None
    first_seen: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Repository(Struct, frozen=True):
    """A repository of which a run was tried. ``reason`` is why it failed, else None; ``last`` is when a run of a
    failed one was last done."""

    name: str
    commit: str | None = None
    reason: str | None = None
    last: str | None = None


class Run(Struct, frozen=True):
    """A run over all repositories. ``open`` are its points, ``new`` those that the last run before of their
    repository did not have, ``gone`` those that only that one had; a failed repository has none of them."""

    number: int
    started: str
    finished: str | None
    harden: str
    profile: str
    done: int
    failed: int
    open: int
    new: int
    gone: int


class Wave(Struct, frozen=True):
    """The pending changes of one rule and grade: in how many repositories, which is how many pull requests."""

    rule: str
    grade: str
    repositories: int
    objects: int


class Overview(Struct):
    """All that a report of many repositories shows. ``runs`` are the latest first, the one that is shown before all;
    reports of pipelines have none."""

    rows: list[Row]
    repositories: list[Repository]
    runs: list[Run] = field(default_factory=list)

    @property
    def failed(self) -> list[Repository]:
        return [each for each in self.repositories if each.reason is not None]

    @property
    def has_teams(self) -> bool:
        return any(row.team for row in self.rows)


class Count(Struct):
    """A line of a table: points by state, those that are critical and open, and the repositories that have any."""

    name: str
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    critical: int = 0
    repositories: set[str] = field(default_factory=set)

    @property
    def open(self) -> int:
        return sum(self.states[state] for state in OPEN)


# What points are counted by: the names of the lines in which one counts.
BY: dict[str, Callable[[Row], Sequence[str]]] = {
    "team": lambda row: teams(row.team),
    "repository": lambda row: (row.repository,),
    "rule": lambda row: (row.rule,),
    "grade": lambda row: (row.grade or NO_GRADE,),
    "severity": lambda row: (row.severity,),
}
ORDER = {
    "grade": [*(str(grade) for grade in sorted(Grade, key=lambda grade: grade.rank)), NO_GRADE],
    "severity": [str(severity) for severity in sorted(Severity, key=lambda severity: -severity.rank)],
}


def teams(owners: str | None) -> Sequence[str]:
    """Return the teams that ``owners`` names, each of which has the point."""
    return (owners or "").split() or (NO_TEAM,)


def counts(overview: Overview, by: str) -> list[Count]:
    """Return the points of ``overview`` counted by a key of ``BY``: grades and severities in their own order, of the
    others those first that have the most that is critical and open, then the most that is open."""
    found: dict[str, Count] = {}
    if by == "repository":
        found = {each.name: Count(each.name) for each in overview.repositories if each.reason is None}
    for row in overview.rows:
        for name in BY[by](row):
            count = found.setdefault(name, Count(name))
            count.states[row.state] += 1
            count.critical += row.is_open and row.severity == Severity.CRITICAL
            count.repositories.add(row.repository)
    order = ORDER.get(by)
    if order is not None:
        return sorted(found.values(), key=lambda count: order.index(count.name))
    return sorted(found.values(), key=lambda count: (-count.critical, -count.open, count.name))


def waves(found: Iterable[Row]) -> list[Wave]:
    """Return the pending changes of ``found`` by rule and grade, the safest first, of these the most frequent."""
    repositories: dict[tuple[str, str], set[str]] = {}
    objects: dict[tuple[str, str], int] = {}
    for row in found:
        if row.state == "pending" and row.grade:
            wave = row.rule, row.grade
            repositories.setdefault(wave, set()).add(row.repository)
            objects[wave] = objects.get(wave, 0) + 1
    made = [Wave(rule, grade, len(names), objects[rule, grade]) for (rule, grade), names in repositories.items()]
    return sorted(made, key=lambda wave: (Grade(wave.grade).rank, -wave.repositories, wave.rule))
