"""The page of many repositories: one file that loads nothing. Its tables are drawn anew by a script for what a filter
leaves; without the script they show all, but for the points themselves.

The points are in it once, as numbers of texts, so that 2,000 repositories are some megabytes, and no element of the
page holds one before somebody scrolls to it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from hardener.authoring.edits import Severity
from hardener.report.page import frame
from hardener.report.repositories import tables
from hardener.report.repositories.points import BY, NO_TEAM, ORDER, STATES, Overview, Row, counts, teams, waves
from hardener.support.printable import plain, seen_in_json

_MOST_REPOSITORIES = 100  # shown without the script
_COMMIT = 12  # characters
# The columns of a point, each with its head.
_POINTS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "severity": ("severity", lambda row: BY["severity"](row)[0]),
    "grade": ("grade", lambda row: BY["grade"](row)[0]),
    "rule": ("rule", lambda row: BY["rule"](row)[0]),
    "state": ("state", lambda row: STATES[row.state]),
    "repository": ("repository", lambda row: BY["repository"](row)[0]),
    "team": ("team", lambda row: row.team or NO_TEAM),
    "file": ("file", lambda row: row.file),
    "object": ("object", lambda row: row.object),
    "seen": ("first seen", lambda row: (row.first_seen or "")[:10]),
}
_LONG = frozenset({"repository", "team", "file", "object"})
_SEARCHED = ("rule", "repository", "team", "file", "object")


class _Part(Struct):
    id: str
    title: str
    body: str


def write_page(found: Overview, out: Callable[[str], object]) -> None:
    """Write the page of ``found``."""
    style = frame.asset("page.css") + frame.asset("repositories.css")
    script = frame.asset("repositories.js")
    parts = list(_parts(found))
    out(frame.opened(f"harden: {_text(tables.title(found))}", style, script))
    out(_header(found, parts))
    out('<main id="main" tabindex="-1">\n')
    for part in parts:
        title = f"{part.id}-title"
        out(f'<section id="{part.id}" aria-labelledby="{title}"><h2 id="{title}">{part.title}</h2>\n{part.body}')
        out("</section>\n")
    out("</main>\n")
    out(frame.closed(script, f'<script type="application/json" id="data">{_data(found)}</script>\n'))


def _header(found: Overview, parts: list[_Part]) -> str:
    run = found.runs[0] if found.runs else None
    about = (
        f"<p>Run {run.number}, {_text(tables.said_of(run))}, by harden {_text(run.harden)} with the profile "
        f"{_text(run.profile)}.</p>" if run else ""
    )  # fmt: skip
    states = {state: sum(row.state == state for row in found.rows) for state in STATES}
    figures = {"Repositories": len(found.repositories), "Failed": len(found.failed)}
    figures |= {name.capitalize(): states[state] for state, name in STATES.items()}
    if run:
        figures |= {"New": run.new, "Gone": run.gone}
    shown = "".join(f"<div><dt>{name}</dt><dd>{figure}</dd></div>" for name, figure in figures.items())
    links = "".join(f'<li><a href="#{part.id}">{part.title}</a></li>' for part in parts)
    return (
        f"<header><h1>Hardening of {_text(tables.title(found))}</h1>{about}"
        f'<dl class="figures">{shown}</dl></header>\n<nav aria-label="Parts of the report"><ul>{links}</ul></nav>\n'
    )


def _parts(found: Overview) -> Iterator[_Part]:
    """The parts that have something to say."""
    yield _Part("filter", "Filter", _filters(found))
    yield _Part("waves", "Waves: the safest change next", _waves(found))
    if found.runs:
        yield _Part("runs", "Runs", _runs(found))
    if found.failed:
        yield _Part("failed", f"Failed: {len(found.failed)}", _failed(found))
    for by, title in _TITLES.items():
        if by != "team" or found.has_teams:
            yield _Part(f"by-{by}", title, _counts(found, by))
    yield _Part("points", "Points", _points(found))


_TITLES = {
    "team": "Teams", "repository": "Repositories", "rule": "Rules", "grade": "Grades", "severity": "Severities",
}  # fmt: skip


def _filters(found: Overview) -> str:
    names = _names(found)
    worst = names["severity"][0]
    severities = [(code, name if name == worst else f"{name} and worse") for code, name in _options(names, "severity")]
    fields = [
        '<div class="words"><label for="repository">Repository</label><input id="repository" '
        'name="repository" type="search" autocomplete="off" spellcheck="false"></div>',
        *([frame.select("team", "Team", _options(names, "owner"))] if found.has_teams else []),
        frame.select("rule", "Rule", _options(names, "rule")),
        frame.select("grade", "Grade", _options(names, "grade")),
        frame.select("severity", "Severity", severities),
        frame.select("state", "State", _options(names, "state")),
        '<div class="words"><label for="text">Text</label><input id="text" name="text" type="search" '
        'autocomplete="off" spellcheck="false"></div>',
        '<div class="buttons"><button type="reset">Show all</button></div>',
    ]
    return (
        '<form id="filters" hidden role="search" aria-label="Filter the points of this page">'
        f'<div class="fields">{"".join(fields)}</div><p id="shown" role="status"></p></form>'
        "<noscript><p>The filters and the list of points need JavaScript; --format csv has all points.</p></noscript>\n"
    )


def _options(names: dict[str, list[str]], column: str) -> list[tuple[str, str]]:
    return [(str(code), _text(name)) for code, name in enumerate(names[column])]


def _waves(found: Overview) -> str:
    head = {"rule": "", "grade": "", "pull requests": "n", "objects": "n"}
    lines = [(wave.rule, wave.grade, wave.repositories, wave.objects) for wave in waves(found.rows)]
    how = (
        "<p>The pending changes of a rule and a grade over all repositories, the safest grade first; one pull request "
        "for each repository.</p>"
    )
    if found.runs:
        how += (
            '<p class="small"><code>harden fleet plan --only RULE --max-grade GRADE --out DIR</code> writes '
            "what the pull requests need.</p>"
        )
    return how + _table("waves", "Pending changes by rule and grade", head, lines)


def _runs(found: Overview) -> str:
    most = max(each.open for each in found.runs) or 1
    caption = "Points run by run; the filter does not change this table"
    heads = ("run", "started", "finished", "done", "failed", "open", "new", "gone")
    text = _head(caption, dict.fromkeys(heads[:3], "") | dict.fromkeys(heads[3:], "n"))
    for run in found.runs:
        cells = [
            f'<th scope="row">{run.number}</th>',
            *(
                _td(value, name, "wide")
                for name, value in (("started", run.started), ("finished", run.finished or "no"))
            ),
            *(_td(getattr(run, name), name) for name in ("done", "failed")),
            f'<td class="n" data-label="open">{run.open} {frame.bar(100 * run.open // most, "middling")}</td>',
            *(_td(getattr(run, name), name) for name in ("new", "gone")),
        ]
        text += f"<tr>{''.join(cells)}</tr>\n"
    return text + "</tbody></table>\n"


def _failed(found: Overview) -> str:
    text = _head(
        "Repositories whose run failed, with the reason", {"repository": "wide", "last done": "", "reason": "wide"}
    )
    for each in found.failed:
        last = _td(each.last or "never", "last done")
        text += f'<tr><th scope="row">{_text(each.name)}</th>{last}{_td(each.reason or "", "reason", "wide")}</tr>\n'
    return text + "</tbody></table>\n"


def _counts(found: Overview, by: str) -> str:
    last = {"commit": ""} if by == "repository" else {"repositories": "n"}
    head = {by: "wide", **dict.fromkeys(STATES.values(), "n"), "critical and open": "n", **last}
    lines = [tables.line(count) for count in counts(found, by)]
    if by != "repository":
        return _table(by, f"Points by {by}", head, lines)
    commits = {each.name: (each.commit or "")[:_COMMIT] for each in found.repositories}
    shown = [(*line[:-1], commits[str(line[0])]) for line in lines[:_MOST_REPOSITORIES]]
    left = len(lines) - len(shown)
    rest = f"<noscript><p>{left} more need JavaScript.</p></noscript>" if left else ""
    return _table(by, f"Points by {by}", head, shown) + rest


def _points(found: Overview) -> str:
    columns = {name: head for name, (head, _) in _POINTS.items() if _is_shown(found, name)}
    cells = "".join(
        f'<th scope="col" data-column="{name}"{_class("wide" if name in _LONG else "")}>{head}</th>'
        for name, head in columns.items()
    )
    return (
        '<table class="scores wide" data-by="points"><caption>Points, the worst first</caption>'
        f"<thead><tr>{cells}</tr></thead><tbody></tbody></table>\n{_more('points')}"
    )


def _is_shown(found: Overview, column: str) -> bool:
    return {"team": found.has_teams, "seen": bool(found.runs)}.get(column, True)


def _table(id: str, caption: str, head: dict[str, str], lines: Iterable[Sequence[str | int]]) -> str:
    text = _head(caption, head, id)
    for first, *rest in lines:
        cells = "".join(_td(cell, name, kind) for cell, (name, kind) in zip(rest, list(head.items())[1:], strict=True))
        text += f'<tr><th scope="row"{_class(next(iter(head.values())))}>{_text(str(first))}</th>{cells}</tr>\n'
    return f"{text}</tbody></table>\n{_more(id)}"


def _head(caption: str, head: dict[str, str], id: str = "") -> str:
    cells = "".join(f'<th scope="col"{_class(kind)}>{name}</th>' for name, kind in head.items())
    by = f' data-by="{id}"' if id else ""
    return f'<table class="scores wide"{by}><caption>{caption}</caption><thead><tr>{cells}</tr></thead>\n<tbody>'


def _more(id: str) -> str:
    return f'<button type="button" class="more" id="more-{id}" hidden></button>\n'


def _td(value: str | int, label: str, kind: str = "") -> str:
    return f'<td data-label="{label}"{_class("n" if isinstance(value, int) else kind)}>{_text(str(value))}</td>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _text(text: str) -> str:
    return html.escape(plain(text))


def _names(found: Overview) -> dict[str, list[str]]:
    """The texts of each column, in the order in which a table shows them; "owner" are single teams."""
    made = {}
    for column, (_, value) in _POINTS.items():
        texts = set(map(value, found.rows))
        order = _ORDERS.get(column)
        made[column] = sorted(texts) if order is None else list(order)
    made["repository"] = sorted(
        {each.name for each in found.repositories if each.reason is None} | set(made["repository"])
    )
    made["owner"] = sorted({team for row in found.rows for team in teams(row.team)})
    return made


_ORDERS = {**ORDER, "state": list(STATES.values())}


def _data(found: Overview) -> str:
    """The points as JSON that no parser of HTML takes for an element."""
    names = _names(found)
    rank = {str(severity): -severity.rank for severity in Severity}
    rows = sorted(found.rows, key=lambda row: rank[row.severity])  # stable: the order of the rows below
    codes = {}
    for column, (_, value) in _POINTS.items():
        numbers = {text: number for number, text in enumerate(names[column])}
        codes[column] = [numbers[value(row)] for row in rows]
    owners = {team: number for number, team in enumerate(names["owner"])}
    commits = {each.name: (each.commit or "")[:_COMMIT] for each in found.repositories}
    record = {
        "names": {column: list(map(plain, texts)) for column, texts in names.items()},
        "commits": [commits.get(name, "") for name in names["repository"]],
        "rows": codes,
        "owners": [[owners[team] for team in teams(text if text != NO_TEAM else None)] for text in names["team"]],
        "searched": [column for column in _SEARCHED if _is_shown(found, column)],
    }
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return seen_in_json(text).replace("<", "\\u003c")
