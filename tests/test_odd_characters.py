"""A name acts on nothing where it is printed: no terminal, no direction of a text, no log of a pipeline, no comment."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hardener.report import formats
from hardener.report.formats.markdown import as_text
from hardener.sources.files.transaction import Transaction
from hardener.support.printable import plain, plain_line, plain_lines, seen_in_json, without_commands

from .conftest import DEPLOYMENT, Harden, commit, write

# What is put into names, and how it is shown.
ODD = {
    "a cursor": ("\x1b[2J", "\\x1b[2J"),
    "a bell": ("\x07", "\\x07"),
    "C1": ("\x9b31m", "\\x9b31m"),
    "a new line": ("\n::add-mask::x", "\\x0a::add-mask::x"),
    "a carriage return": ("\r", "\\x0d"),
    "right to left": ("\u202e", "\\u202e"),
    "an isolate": ("\u2066", "\\u2066"),
    "no width": ("\u200b", "\\u200b"),
    "a joiner": ("\u2060", "\\u2060"),
    "a line separator": ("\u2028", "\\u2028"),
    "a mark of bytes": ("\ufeff", "\\ufeff"),
    "a soft hyphen": ("\u00ad", "\\xad"),
    "a tag": ("\U000e0041", "\\U000e0041"),
}


@pytest.mark.parametrize(("odd", "shown"), ODD.values(), ids=list(ODD))
def test_a_name_is_seen_on_one_line(odd: str, shown: str) -> None:
    assert plain(f"a{odd}b") == f"a{shown}b"
    assert plain_line(f"a{odd}b") == f"a{shown}b"
    if odd != "\n::add-mask::x":
        assert plain_lines(f"a{odd}b\nc") == f"a{shown}b\nc"


@pytest.mark.parametrize("name", ["web", "größe", "приложение", "名前", "a b", "a:b::c", "#12", "\U0001f680", "##"])
def test_an_ordinary_name_stays(name: str) -> None:
    assert [each(name) for each in (plain, plain_line, plain_lines, without_commands, seen_in_json)] == [name] * 5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("  ::add-mask::x", "  \\x3a:add-mask::x"),
        ("\t::set-env name=a::x", "\t\\x3a:set-env name=a::x"),
        ("a ##[group]x", "a #\\x23[group]x"),
        ("a ##vso[task.setvariable]x", "a #\\x23vso[task.setvariable]x"),
        ("##teamcity[x]", "#\\x23teamcity[x]"),
    ],
)
def test_a_line_is_no_command_to_a_runner(line: str, shown: str) -> None:
    for each in (plain_line, plain_lines, without_commands):
        assert each(line) == shown
    assert without_commands(f"a\n{line}\nb") == f"a\n{shown}\nb"


def test_json_means_the_same() -> None:
    text = "".join(odd for odd, _ in ODD.values()) + "##[x] ok"
    written = seen_in_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert (
        not re.search("[\u0080-\u009f\u00ad\u2000-\u206f\ufeff\U000e0000-\U000e0fff]", written) and "##[" not in written
    )


NAME = "".join(odd for odd, _ in ODD.values()) + "@team #12 [a](https://evil.example) <img src=x> ![b](c)"
FORMATS = [name for name in formats.NAMES if name != "patch"]  # which is for git, byte for byte
_ACTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\U000e0000-\U000e0fff]"
)


@pytest.fixture
def odd_tree(tmp_path: Path) -> Path:
    name = json.dumps(NAME)
    text = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {name}}}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
      - name: {name}
        image: "example.com/web:1"
        command: [sh, -c, "
          ::add-mask::x
          "]
        securityContext: {{privileged: true}}  # harden: ignore[no-privileged] @team see #12 \u202eok\u202c
"""
    write(tmp_path / "work", {"a\x1bb\u202e\n::error::c.yaml": text})
    commit(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize(
    "command", [["diff", "-v"], ["check", "-v"], ["diff", "-v", "--max-grade", "safe"]], ids=" ".join
)
@pytest.mark.parametrize("format", FORMATS)
def test_names_act_on_nothing(format: str, command: list[str], harden: Harden, odd_tree: Path) -> None:
    done = harden(command[0], ".", *command[1:], "--format", format, cwd=odd_tree)
    assert done.status in (0, 1), done.err
    head = done.out
    if format == "text" and "diff --git" in head:  # a patch is for git, byte for byte
        head = head.partition("\nPatch\n")[0] if command[0] == "check" else ""
    for text in (head, done.err):
        assert _ACTS.findall(text) == []
    starts = [line.strip() for line in done.all.splitlines() if line.lstrip().startswith("::")]
    ours = re.compile(r"::(?:error|warning|notice) (?:file|title)=")
    assert [line for line in starts if not (format == "github" and ours.match(line))] == []
    if format == "markdown":
        prose = re.sub(r"(?s)(`{3,})(?:diff|mermaid)\n.*?\n\1\n", "", done.out)
        prose = re.sub(r"(`+)[^`].*?\1", "", re.sub(r"\\`", "", prose))
        assert not re.search(r"(?<![\w/])@team|(?<![\w&])#12|(?<!\\)\]\(https|https?:|(?<!\\)<img|(?<!\\)!\[", prose)


@pytest.mark.parametrize("arguments", [["images"], ["graph"], ["lock", "--check"]], ids=" ".join)
def test_tables_and_lists_act_on_nothing(arguments: list[str], harden: Harden, odd_tree: Path) -> None:
    done = harden(*arguments, ".", cwd=odd_tree)
    assert _ACTS.findall(done.all) == []
    assert [line for line in done.all.splitlines() if line.lstrip().startswith("::")] == []


ODD_FOLDER = "a\x1b[2Jb\u202e"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["baseline", "write", "k8s", "--baseline", f"{ODD_FOLDER}/known"], "entries; commit it"),
        (["check", ODD_FOLDER, "--format", "json"], "nothing was read"),
        (["apply", "k8s", "--output-dir", f"{ODD_FOLDER}/out"], "written to"),
        (["apply", "k8s", "--output", "json-patch", "--output-dir", f"{ODD_FOLDER}/out"], "written to"),
        (["apply", "broken", "--format", "json"], "nothing was written"),
        (["lock", "--check", ODD_FOLDER], "named"),
    ],
    ids=["baseline", "nothing read", "copies", "patches", "cannot write", "lock"],
)
def test_what_a_command_says_of_its_paths_acts_on_nothing(
    arguments: list[str], said: str, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {
            "k8s/web.yaml": DEPLOYMENT,
            f"{ODD_FOLDER}/testdata/web.yaml": DEPLOYMENT,
            f"broken/{ODD_FOLDER}.yaml": DEPLOYMENT,
        },
    )
    commit(tmp_path / ODD_FOLDER)

    def refused(*arguments: object) -> None:
        raise OSError(0, "no room")

    if "broken" in arguments:
        monkeypatch.setattr(Transaction, "replace", refused)
    done = harden(*arguments)
    assert said in done.all
    assert _ACTS.findall(done.all) == []


@pytest.mark.parametrize(
    "text",
    [
        "@team",
        "see #12",
        "shop/app#12",
        "GH-12",
        "!12",
        "group/app!12",
        "%1",
        "https://evil.example",
        "www.evil.example",
    ],
)
def test_nothing_in_a_comment_is_a_link(text: str) -> None:
    assert text not in as_text(text) and as_text(text).replace("<!-- -->", "").replace("\\", "") == text
