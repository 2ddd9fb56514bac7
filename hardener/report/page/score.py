"""The score of each risk before and after the changes of a run, from nothing but the counts of its Outcome.

An open point is an edit to make, a step held back, or a finding. The score is 100 x documents / (documents + open
points), rounded down: 100 where nothing is known to be open, 50 at one open point per document. While a critical or
a high point is open, it is at most what ``_MOST`` says. A risk of which the tree holds no object has no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Severity
from hardener.authoring.risks import RISKS, Risk
from hardener.authoring.transform import Transform
from hardener.engine.outcome import Outcome, Report
from hardener.report.page import frame

EXPLAINED = (
    "Score = 100 \u00d7 documents \u00f7 (documents + open points), rounded down. Before the changes an open point is "
    "an edit to make, a step that is held back, or a finding. After the changes only the last two are open. 100: "
    "nothing is known to be open. 50: there is one open point per document. Nothing of it here: the tree holds no "
    "object of this kind, so there is nothing to score. A waived point does not count. While a critical point is open "
    "the score is at most 25, while a high one is at most 60. "
    "Compare a tree with itself over time, not with another tree."
)
_MOST = {Severity.CRITICAL: 25, Severity.HIGH: 60}  # by the gravest open point
NOTHING, UNSEEN = "nothing of it here", "not looked at"


class Row(Struct, frozen=True):
    """The open points and scores of a risk; ``edits``, ``held`` and ``findings`` are the counts behind them.

    ``lack`` is why there is no score, "" where there is one; ``risk`` is None for what belongs to none. ``edited`` and
    ``left`` are the gravest of the edits, and of the rest.
    """

    risk: Risk | None
    documents: int
    edits: int
    held: int
    findings: int
    lack: str = ""
    edited: Severity | None = None
    left: Severity | None = None

    @property
    def open_before(self) -> int:
        return self.edits + self.held + self.findings

    @property
    def open_after(self) -> int:
        return self.held + self.findings

    @property
    def before(self) -> int:
        return score(self.documents, self.open_before, self.edited, self.left)

    @property
    def after(self) -> int:
        return score(self.documents, self.open_after, self.left)


def rows(outcome: Outcome) -> Iterator[Row]:
    """Yield a row for each of the ten risks, and one for what belongs to none of them, where there is any."""
    summary = outcome.summary()
    rest = {name: summary[name] for name in ("edits", "held", "findings")}
    for risk in RISKS.values():
        counts = summary["byRisk"].get(risk.id, dict.fromkeys(rest, 0))
        rest = {name: rest[name] - counts[name] for name in rest}
        lack = "" if any(counts.values()) else _lack(outcome, risk)
        edited = _gravest(change.transform for change in outcome.changes if change.transform.risk == risk.id)
        yield Row(
            risk, summary["documents"], counts["edits"], counts["held"], counts["findings"], lack, edited,
            _gravest(_left(outcome, risk)),
        )  # fmt: skip
    if any(rest.values()):
        yield Row(None, summary["documents"], rest["edits"], rest["held"], rest["findings"], "no score")


def _left(outcome: Outcome, risk: Risk) -> Iterator[Transform | Report]:
    """What stays open of ``risk``: the transforms of steps that are held back, and findings."""
    yield from (held.transform for held in outcome.held if held.transform.risk == risk.id)
    yield from (finding for finding in outcome.findings if finding.risk == risk.id)


def _gravest(found: Iterable[Transform | Report]) -> Severity | None:
    return max((each.severity for each in found), key=lambda severity: severity.rank, default=None)


def _lack(outcome: Outcome, risk: Risk) -> str:
    """Why a risk without an open point has no score."""
    if outcome.looked_at.get(risk.id, set()) - risk.searched:
        return ""
    return UNSEEN if risk.id in outcome.narrowed or risk.id not in outcome.looked_at else NOTHING


def score(documents: int, open_points: int, *gravest: Severity | None) -> int:
    """Return a number from 0 to 100; 100 where there is no open point. ``gravest`` are the severities that bound it."""
    most = min((_MOST.get(each, 100) for each in gravest if each is not None), default=100)
    return 100 if not open_points else min(100 * documents // (documents + open_points), most)


def table(outcome: Outcome, after: str) -> Iterator[str]:
    """Yield the rows as a table of HTML; ``after`` heads the column of what is left open."""
    yield f"""<table class="scores"><caption>Score and open points by risk</caption>
<thead><tr><th scope="col">Risk</th><th scope="col">Score before</th><th scope="col">Score {after}</th>
<th scope="col">Open before</th><th scope="col">Open {after}</th></tr></thead>
<tbody>"""
    found = list(rows(outcome))
    for row in found:
        name = f'<span class="risk">{row.risk.id}</span> {row.risk.title}' if row.risk else "None of the ten risks"
        yield (
            f'<tr class="{"open" if row.open_before else "clear"}"><th scope="row">{name}</th>'
            f"{_scores(row, after)}"
            f'<td class="count" data-label="Open before">{row.open_before}</td>'
            f'<td class="count" data-label="Open {after}">{row.open_after}</td></tr>'
        )
    yield (
        '<tr class="sum"><th scope="row">All</th><td colspan="2"></td>'
        f'<td class="count" data-label="Open before">{sum(row.open_before for row in found)}</td>'
        f'<td class="count" data-label="Open {after}">{sum(row.open_after for row in found)}</td></tr>'
    )
    yield f'</tbody></table>\n<p class="small">{EXPLAINED}</p>'


def _scores(row: Row, after: str) -> str:
    if row.lack:
        return f'<td class="lack" colspan="2" data-label="Score">{row.lack}</td>'
    return f'<td data-label="Score before">{_bar(row.before)}</td><td data-label="Score {after}">{_bar(row.after)}</td>'


def _bar(value: int) -> str:
    """A number, and a bar for the eye."""
    level = "good" if value >= 90 else "middling" if value >= 50 else "bad"
    return f'<span class="score">{value}</span>{frame.bar(value, level)}'
