"""The score of each risk before and after the changes of a run, from nothing but the counts of its Outcome.

An open point is an edit to make, a step held back, or a finding. The score is 100 x documents / (documents + open
points), rounded down: 100 where nothing is known to be open, 50 at one open point per document.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.risks import RISKS, Risk
from hardener.engine.outcome import Outcome
from hardener.support.fast_dataclass import dataclass

EXPLAINED = (
    "Score = 100 \u00d7 documents \u00f7 (documents + open points), rounded down. An open point is an edit to make, a "
    "step that is held back, or a finding: before, all of them count; after, those that are held back and the "
    "findings. 100 says that nothing is known to be open, 50 that there is one open point per document. What is waived "
    "does not count, nor does how severe a point is. Compare a tree with itself over time, not two trees."
)


@dataclass(frozen=True, slots=True)
class Row:
    """The open points and scores of a risk; ``edits``, ``held`` and ``findings`` are the counts behind them."""

    risk: Risk
    documents: int
    edits: int
    held: int
    findings: int

    @property
    def open_before(self) -> int:
        return self.edits + self.held + self.findings

    @property
    def open_after(self) -> int:
        return self.held + self.findings

    @property
    def before(self) -> int:
        return score(self.documents, self.open_before)

    @property
    def after(self) -> int:
        return score(self.documents, self.open_after)


def rows(outcome: Outcome) -> Iterator[Row]:
    """A row for each of the ten risks."""
    summary = outcome.summary()
    for risk in RISKS.values():
        counts = summary["byRisk"].get(risk.id, {"edits": 0, "held": 0, "findings": 0})
        yield Row(risk, summary["documents"], counts["edits"], counts["held"], counts["findings"])


def score(documents: int, open_points: int) -> int:
    """From 0 to 100; 100 where there is no open point."""
    return 100 if not open_points else 100 * documents // (documents + open_points)


def table(outcome: Outcome, after: str) -> Iterator[str]:
    """The rows as a table of HTML; ``after`` heads the column of what is left open."""
    yield f"""<table class="scores"><caption>Score and open points by risk</caption>
<thead><tr><th scope="col">Risk</th><th scope="col">Score before</th><th scope="col">Score {after}</th>
<th scope="col">Open before</th><th scope="col">Open {after}</th></tr></thead>
<tbody>"""
    for row in rows(outcome):
        risk = row.risk
        yield (
            f'<tr class="{"open" if row.open_before else "clear"}"><th scope="row"><span class="risk">{risk.id}</span> '
            f"{risk.title}</th>"
            f'<td data-label="Score before">{_bar(row.before)}</td><td data-label="Score {after}">{_bar(row.after)}'
            f'</td><td class="count" data-label="Open before">{row.open_before}</td>'
            f'<td class="count" data-label="Open {after}">{row.open_after}</td></tr>'
        )
    yield f'</tbody></table>\n<p class="small">{EXPLAINED}</p>'


def _bar(value: int) -> str:
    """A number, and a bar for the eye."""
    level = "good" if value >= 90 else "middling" if value >= 50 else "bad"
    return (
        f'<span class="score">{value}</span><svg class="bar {level}" viewBox="0 0 100 8" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false"><rect class="track" width="100" height="8"/>'
        f'<rect class="fill" width="{value}" height="8"/></svg>'
    )
