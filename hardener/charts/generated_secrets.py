"""Secrets whose values a chart makes anew in each render: they stand in no file, so what is said of files is not about
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hardener.charts.files.partial_copy import chances
from hardener.charts.helm import ChartError
from hardener.charts.rendered import Reader
from hardener.engine.outcome import Outcome, Report
from hardener.kubernetes.secrets.secret_values import SecretClass, classify, decoded
from hardener.support.shapes import mapping

_ABOUT_FILES = frozenset({"secret-git-history", "secret-object-external"})
_CREDENTIALS = frozenset({SecretClass.SECRET, SecretClass.WEAK, SecretClass.SUSPECT})


def without_generated(outcome: Outcome, folder: str, render: Callable[[], str]) -> None:
    """Take out of ``outcome`` what it says of Secrets in files where no credential of these is the same in another
    render of the chart in ``folder``."""
    about = [report for report in outcome.findings if report.id in _ABOUT_FILES and _is_secret(report)]
    if not about or not chances(folder)[0]:
        return
    try:
        others = Reader().read(render())
    except ChartError:
        return
    again = {(key.namespace, key.name): document.data for key, document in others.items() if key.kind == "Secret"}
    gone = {id(report) for report in about if not _has_fixed(report, again)}
    outcome.findings = [report for report in outcome.findings if id(report) not in gone]


def _is_secret(report: Report) -> bool:
    return report.object is not None and report.object.kind == "Secret"


def _has_fixed(report: Report, again: Mapping[tuple[str, str], Any]) -> bool:
    """Whether a credential of the Secret that ``report`` is about stands in both renders, or it is in one alone."""
    assert report.object is not None
    data = report.object.data
    about = mapping(data.get("metadata"))
    other = again.get((str(about.get("namespace") or ""), str(about.get("name"))))
    if other is None:
        return True
    fixed = dict(_values(data)).items() & dict(_values(other)).items()
    return any(classify(key, value)[0] in _CREDENTIALS for key, value in fixed)


def _values(secret: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in mapping(secret.get("data")).items():
        yield str(key), decoded(str(value)) or str(value)
    for key, value in mapping(secret.get("stringData")).items():
        yield str(key), str(value)
