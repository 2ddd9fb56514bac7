"""The text report on a terminal: it breaks between words, and what is to be copied stays whole."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from unicodedata import combining, east_asian_width

import pytest

from hardener.report.terminal.screen import Screen
from hardener.report.terminal.wrapping import cut, wrapped

from .conftest import DEPLOYMENT, ROOT, Harden, commit, run, write
from .terminals import harden_on_terminal

CASES = [
    ("short enough", "  one two", 40, "  one two"),
    (
        "between words",
        "  aaaa bbbb cccc dddd eeee ffff gggg hhhh",
        31,
        "  aaaa bbbb cccc dddd eeee ffff\n      gggg hhhh",
    ),
    (
        "blanks between columns stay",
        "a" * 20 + "   x 2  K01 the end of it",
        31,
        "a" * 20 + "   x 2  K01\n    the end of it",
    ),
    ("a long word stays whole", "  to " + "a" * 50 + " end", 40, "  to\n      " + "a" * 50 + "\n      end"),
    (
        "colours take no room",
        "\033[31m" + "a" * 20 + "\033[0m " + "b" * 9,
        30,
        "\033[31m" + "a" * 20 + "\033[0m " + "b" * 9,
    ),
    ("too narrow for anything", "aaaa bbbb cccc dddd", 10, "aaaa bbbb cccc dddd"),
]


@pytest.mark.parametrize(("line", "width", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_wrapping(line: str, width: int, expected: str) -> None:
    assert wrapped(line, width) == expected


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("short enough", 12, "short enough"),
        ("one two three four", 12, "one two…"),
        ("a first clause, and a second", 20, "a first clause…"),
        ("a, clause that is too early for a cut", 25, "a, clause that is too…"),
        ("three runs: a, b, cccccc", 20, "three runs: a, b…"),
        ("onewordthatislong", 8, "oneword…"),
        ("配置文件目录名", 8, "配置文…"),
        ("配置文件", 8, "配置文件"),
        ("e\u0301te\u0301 e\u0301te\u0301", 7, "e\u0301te\u0301 e\u0301te\u0301"),
    ],
)
def test_cutting(text: str, room: int, expected: str) -> None:
    assert cut(text, room) == expected and columns_of(expected) <= room


def columns_of(text: str) -> int:
    return sum(not combining(sign) and 1 + (east_asian_width(sign) in "WF") for sign in text)


def test_wide_signs_take_two_columns(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["配置文件/前端服务/部署.yaml", "a.yaml", "b-c-d-e.yaml"]
    write(tmp_path, {name: DEPLOYMENT.replace("web", f"w{n}") for n, name in enumerate(names)})
    commit(tmp_path)
    for width in (40, 60, 80, 120):
        monkeypatch.setattr(Screen, "of", lambda stream, color="auto", width=width: Screen(False, None, width, 200))
        done = harden("check")
        for line in done.out.splitlines():
            assert columns_of(line) <= width or line.startswith("next: "), line
        for line in harden("check", "-v", "--only", "run-as-non-root").out.splitlines():
            assert (
                columns_of(line) <= width or " " not in line.strip() or line.startswith(("+", "#", "next", "    patch"))
            ), line
    stat = [line for line in harden("diff", "--stat").out.splitlines() if re.search(r" \| +\d", line)]
    assert len(stat) >= 3 and len({columns_of(line.partition("|")[0]) for line in stat}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("columns", [48, 125, 200])
def test_a_report_fits_its_terminal(columns: int, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    plain = run("diff", "-v", "shop", cwd=tmp_path)
    shown = harden_on_terminal("diff", "-v", "--no-pager", "shop", folder=tmp_path, columns=columns)
    assert "\033[1mImpact\033[0m" in shown.raw
    report, _, patch = shown.text.partition("\nPatch\n\n")
    for line in report.splitlines():
        assert len(line) <= columns or " " not in line.strip() or line.startswith("    patch:"), line
    # Nothing else changes: the words, and every line of the patch.
    assert report.split() == plain.err.split()
    assert set(plain.out.splitlines()) <= set(patch.splitlines())
