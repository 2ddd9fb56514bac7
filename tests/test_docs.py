"""The pages of docs/design: what cites them finds them, and nothing cites a page that the repository does not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import ROOT, git
from .test_layers import LAYERS

DESIGN = ROOT / "docs" / "design"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DESIGN.glob("*.md"))}

# The pages that the design was drafted in; they are not part of the repository.
OUTSIDE = re.compile(
    r"\bspec-(?:workloads|cluster)\b|\bDECISIONS\b|\b(?:ARCHITECTURE|LAYOUT)(?:\.md| [0-9])"
    r"|\b(?:yaml-engine|python-sources)\b|\b(?:ecosystem|models|helm-values)(?:\.md| [0-9])"
    r"|\b[Ss]pec(?:ification)?s? (?:[0-9]+\.[0-9]|of (?:workloads|clusters|K[0-9]))|\b[Dd]esign [0-9]"
    r"|\b[Ss]ections? [0-9]+ of the (?:spec|design)"
)
# Material beside the repository that a test reads, or skips without.
_MATERIAL = re.compile(r'shared\("[^)]*\)')
# Names a page, and perhaps a rule of it by number or a heading in quotes.
CITED = re.compile(r'docs/design/([\w.-]*\w)(?: (\d+)| "([^"]+)")?')
_RULE = re.compile(r"^(\d+)\. \*\*", re.M)


def outside(text: str) -> list[str]:
    """The lines of ``text`` that cite a page which is not part of the repository."""
    return [line for line in text.splitlines() if OUTSIDE.search(_MATERIAL.sub("", line))]


def missing(text: str) -> list[str]:
    """What ``text`` cites of docs/design and is not there: pages, rules, headings."""
    found = []
    for cited in CITED.finditer(text):
        name, number, heading = cited.groups()
        page = PAGES.get(name)
        if page is None or (number and number not in _RULE.findall(page)):
            found.append(cited[0])
        elif heading and not re.search(rf"^#+ {re.escape(heading)}$", page, re.M):
            found.append(cited[0])
    return found


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text files of the repository outside of docs/, by name."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout of Git, which knows the files of the repository")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert listed.returncode == 0, listed.stderr
    found = {}
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or name.startswith("docs/") or path == Path(__file__) or not path.is_file():
            continue
        try:
            found[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.slow
def test_nothing_cites_a_page_outside_of_the_repository(texts: dict[str, str]) -> None:
    assert {"CONTRIBUTING.md", "hardener/engine/proof.py", "tests/conftest.py"} <= texts.keys()
    assert {name: lines for name, text in texts.items() if (lines := outside(text))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "# A weak value is no sign (DECISIONS 2.3).",
        '"""Waivers (spec-workloads 13)."""',
        "# Sources: spec-cluster.md 5, CIS Kubernetes Benchmark",
        '"""How dialects name types (python-sources.md, section 2)."""',
        "# traps: see yaml-engine",
        '"""SARIF 2.1.0 (design: ecosystem 6.2)."""',
        "# as design 3.1 says",
        "# their files belong to them (spec 5.4)",
        "# -- tokens: section 16 of the specification, rows 3 and 4",
    ],
)
def test_a_page_outside_is_noticed(line: str) -> None:
    assert outside(f"x = 1\n{line}\n") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "# The reason: docs/design/decisions.md 2",
        "# Source: RFC 5280, section 4.1",
        '    fixture = shared("design", "spec-workloads.md").read_text()',
        "# By the YAML specification this is nothing but a marker.",
    ],
)
def test_other_sources_may_be_cited(line: str) -> None:
    assert outside(line) == []


def test_what_is_cited_of_the_design_is_there(texts: dict[str, str]) -> None:
    assert any("docs/design/" in text for text in texts.values())
    assert {name: found for name, text in texts.items() if (found := missing(text))} == {}
    assert {name: found for name, text in PAGES.items() if (found := missing(text))} == {}


def test_what_is_not_there_is_noticed() -> None:
    last = _RULE.findall(PAGES["decisions.md"])[-1]
    assert (
        missing(f"docs/design/decisions.md {last}, docs/design/proof.md (all of it) and docs/design/layout.md.") == []
    )
    assert missing('docs/design/proof.md "Rules of Kubernetes"') == []
    for wrong in (f"decisions.md {int(last) + 1}", "proof.md 1", 'proof.md "Rules of Mars"', "ecosystem.md"):
        assert missing(f"see docs/design/{wrong}") == [f"docs/design/{wrong}"]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGES[name]):
        assert (DESIGN / target).exists(), target


def test_the_rules_have_one_number_each() -> None:
    page = PAGES["decisions.md"]
    numbers = [int(number) for number in _RULE.findall(page)]
    assert numbers == sorted(set(numbers)) and numbers
    assert {int(number) for number in re.findall(r"\brule (\d+)", page)} <= set(numbers)


def test_the_packages_are_those_of_the_code() -> None:
    table = PAGES["layout.md"].partition("## Imports")[0]
    names = re.findall(r"^\| `(\w+)/?`", table, re.M)
    assert [*names[:-1], ""] == list(LAYERS) and names[-1] == "hardener"


def test_the_rules_of_kubernetes_are_those_of_the_code() -> None:
    table = PAGES["proof.md"].partition("## Rules of Kubernetes")[2]
    numbers = {int(each) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for each in row.split(", ")}
    used = {
        int(number)
        for path in (ROOT / "hardener" / "kubernetes" / "validity").glob("*.py")
        for number in re.findall(r"\b(?:Violation|_same)\((\d+)", path.read_text(encoding="utf-8"))
    }
    assert numbers == used
