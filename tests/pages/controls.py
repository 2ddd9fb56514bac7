"""The page of controls of benchmarks: what answers each, or why no manifest shows it."""

from __future__ import annotations

import re

from hardener.authoring import registry
from tests.controls import CONTROLS, NOT_IN_A_MANIFEST, Control
from tests.pages.markdown import HEAD, plain, table

_HEAD = (
    "# Controls of benchmarks",
    "",
    "What harden answers a control with: an edit, a finding, or nothing, since no manifest shows it. Each control that",
    "a manifest shows is tried with the smallest such manifest by `tests/test_controls.py`, with the profile `strict`.",
    "The numbers are those of the CIS Kubernetes Benchmark, of the guide of NSA and CISA as Trivy numbers it, and of",
    "Kubescape.",
    "`harden explain 5.2.2` prints the rules behind a number.",
    "",
)
_SECTIONS = (
    ("CIS Kubernetes Benchmark", r"\d"), ("NSA and CISA", "NSA-"), ("Kubescape", "C-"),
)  # fmt: skip


def page() -> str:
    """The text of docs/reference/controls.md."""
    lines = [HEAD, "", *_HEAD]
    rows = {name: _answer(control) for control in CONTROLS for name in control.names}
    rows |= {name: ("not in a manifest", plain(why)) for name, why in NOT_IN_A_MANIFEST.items()}
    for title, start in _SECTIONS:
        own = sorted((name for name in rows if re.match(start, name)), key=_order)
        shown = [(name.removeprefix("NSA-"), *rows[name]) for name in own]
        lines += [f"## {title}", "", *table(("control", "answer", "by, or why not"), shown)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _answer(control: Control) -> tuple[str, str]:
    known = registry.transforms()
    links = ", ".join(f"[`{id}`](../transforms/{id}.md)" for id in sorted(control.answers))
    return "finding" if all(known[id].only_reports for id in control.answers) else "edit", links


def _order(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]
