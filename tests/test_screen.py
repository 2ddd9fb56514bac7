"""What fits a screen: the report of apply and check on terminals of many sizes, colours, links, the pager of diff."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from hardener.report.terminal.screen import Screen, knows_links

from .conftest import DEPLOYMENT, ROOT, Harden, commit, git, run, write
from .terminals import harden_on_terminal, on_terminal

LINK = re.compile(r"\033\]8;;(.*?)\033\\(.*?)\033\]8;;\033\\")


# What somebody meant, so that it is held back.
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: builder, namespace: shop}
rules:
- apiGroups: ["", apps]
  resources: ["*"]
  verbs: ["*"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    shutil.copytree(ROOT / "examples" / "shop", folder / "shop")
    commit(folder)
    return folder


@pytest.fixture
def busy_shop(shop: Path) -> Path:
    """The shop, of which a change is a guess, with another that is held back."""
    write(shop, {"shop/role.yaml": ROLE})
    commit(shop)
    return shop


def height(rows: list[str], columns: int) -> int:
    """How many rows of the terminal the lines take."""
    return sum(max(1, -(-len(row) // columns)) for row in rows)


# Size.


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (40, 80), (24, 120), (50, 120), (60, 200), (30, 60)])
@pytest.mark.parametrize("command", ["check", "apply"])
def test_the_whole_story_is_there_without_scrolling(command: str, rows: int, columns: int, busy_shop: Path) -> None:
    shown = harden_on_terminal(command, "shop", folder=busy_shop, rows=rows, columns=columns)
    # The command itself, a line before and one behind it, and the next prompt take rows, too.
    assert height(shown.rows, columns) <= rows - 4, shown.text
    verdict = {"check": "check failed: 87 changes are pending; 4 guesses, 1 held back, 15 findings",
               "apply": "hardened 7 files: 87 edits; 4 guesses, 1 held back, 15 findings"}[command]  # fmt: skip
    assert " ".join(shown.text.split()).startswith(verdict)
    sections = "Pod Security levels|Impact|Held back|Guesses|To apply|Applied|Needs manual work|next|undo"
    heads = re.findall(rf"^({sections})\b", shown.text, re.M)
    assert (
        heads
        == {
            "check": ["Impact", "Guesses", "Held back", "To apply", "Pod Security levels", "Needs manual work", "next"],
            "apply": ["Impact", "Guesses", "Held back", "Applied", "Needs manual work", "next", "undo"],
        }[command]
    )
    assert "not made: the resources of" in shown.text and "service-cluster-ip" in shown.text
    words = " ".join(shown.text.split())
    assert "Guesses: 4 changes of 1 container wait" in words
    assert "\n  registry.example.com/shop/migrate:4.2" in shown.text  # what nobody knows, by name
    assert rows == 24 or (
        "to know: harden lock shop --deep reads who an image runs as; harden observe shop runs it as another user; "
        "add a row to images: in .harden.yaml" in words
    )
    for row in shown.rows:
        assert len(row) <= columns or row.startswith(("undo: ", "next: ")), row


@pytest.mark.slow
def test_try_shows_all_on_24_and_on_40_rows() -> None:
    for rows in (24, 40):
        shown = on_terminal(["./try"], ROOT, rows=rows)
        assert shown.status == 0, shown.text
        assert height(shown.rows, 80) <= rows - 1, shown.text  # one is for the next prompt
        assert "undo: harden undo" in shown.text and "This was a copy. " in shown.text


def test_a_pipe_gets_all_but_the_findings_behind_the_tenth(harden: Harden, tmp_path: Path) -> None:
    manifests = "---\n".join(
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\n"
        f"spec: {{externalIPs: [192.0.2.{n}], ports: [{{port: {n + 1}}}]}}\n"
        for n in range(3)
    )
    tags = [DEPLOYMENT.replace("web", f"w{n}") for n in range(5)]
    write(tmp_path, {"a.yaml": manifests, **{f"w{n}.yaml": text for n, text in enumerate(tags)}})
    commit(tmp_path)
    report = json.loads(harden("check", "--profile", "strict", "--format", "json").out)
    out = harden("check", "--profile", "strict").out
    title = re.search(r"^Needs manual work: (\d+) findings \((.*)\)$", out, re.M)
    assert title and int(title[1]) == len(report["findings"])
    assert sum(int(number) for number in re.findall(r"\d+", title[2])) == len(report["findings"])
    section = out.partition("Needs manual work: ")[2].partition("\n\n")[0].splitlines()[1:]
    entries = [line for line in section if re.match(r"  (low|medium|high|critical) ", line)]
    here = sum(int((re.search(r" x (\d+)  ", line) or ["", "1"])[1]) for line in entries)
    more = re.search(r"^  and (\d+) more; -v shows all$", out, re.M)
    assert len(entries) <= 10
    assert here + (int(more[1]) if more else 0) == len(report["findings"])


@pytest.mark.slow
@pytest.mark.parametrize("rows", [24, 40])
def test_what_is_folded_is_counted(rows: int, shop: Path) -> None:
    shown = harden_on_terminal("check", "shop", folder=shop, rows=rows).text
    section = shown.partition("\nTo apply: ")[2].partition("\nLeft for")[0]
    title, *entries = section.splitlines()
    assert title.startswith("87 edits in 7 files, by 15 transforms (")
    made = [entry for entry in entries if re.search(r" \d+ edits? in ", entry)]
    assert title.endswith(f" ({len(made)} of 15 rows)")
    section = shown.partition("\nNeeds manual work: ")[2].partition("\nnext")[0]
    title, *entries = section.splitlines()
    found = [entry for entry in entries if re.match(r"  low K\d\d \S+?(?: x \d+)?  ", entry)]
    assert re.fullmatch(rf"14 findings \(14 low\) \({len(found)} of \d+ rows\)", title), title


def test_a_section_without_room_is_its_title(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace without a workload below it is no part of a section."""
    write(tmp_path, {f"{n}/web.yaml": DEPLOYMENT.replace("web", f"web-{n}") for n in range(4)})
    commit(tmp_path)
    titles: set[str] = set()
    known = "Impact|Guesses|Held back|To apply|Pod Security levels|Needs manual work"
    for rows in range(8, 40):
        monkeypatch.setattr(Screen, "of", lambda stream, color="auto", rows=rows: Screen(False, None, 80, rows))
        lines = harden("check").out.splitlines()
        titles |= {line for line in lines if line.endswith(" rows)")}
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            assert "(0 of " not in line
            if re.match(known, line):  # no heading without a line
                assert after.startswith("  ")
            if line.startswith(("  namespace ", "  no namespace")):
                assert after.startswith("    ")
    assert len(titles) > 3


def test_what_repeats_over_files_is_one_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/web.yaml": DEPLOYMENT.replace("web", f"web-{n}") for n in range(4)})
    commit(tmp_path)
    out = harden("check", "--only", "pin-image-digest,cpu-limit").out
    assert (
        "\n  low K01 pin-image-digest x 4  0/web.yaml:14 Deployment/web-0 and 3 more\n    4 images not pinned: " in out
    )
    assert re.search(r"^  cpu-limit  low  review  4 edits in 4 files  ", out, re.M)


def test_a_held_back_change_has_one_plain_reason(harden: Harden, tmp_path: Path) -> None:
    text = DEPLOYMENT + "        securityContext: {runAsUser: 0, capabilities: {add: [SYS_ADMIN]}}\n"
    write(tmp_path, {"web.yaml": text})
    commit(tmp_path)
    out = harden("check").out
    entries = re.findall(r"^  (\S+) K\d\d (\w+) breaking  web\.yaml:\d+ Deployment/web\n    not made: (.*)$", out, re.M)
    report = json.loads(harden("check", "--format", "json").out)
    held = [one for one in report["held"] if one["grade"] == "breaking"]
    assert held and {one["grade"] for one in report["held"]} <= {"guess", "breaking"}
    assert sorted((id, severity) for id, severity, _ in entries) == sorted((one["id"], one["severity"]) for one in held)
    assert all(re.search(r" \(web\.yaml:\d+\)$", reason) or reason for _, _, reason in entries)


@pytest.mark.parametrize("command", [["check"], ["diff"], ["apply", "."]])
def test_safe_changes_alone_count_what_they_leave_out(command: list[str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT + "        securityContext: {capabilities: {add: [SYS_ADMIN]}}\n"})
    commit(tmp_path)
    held = json.loads(harden("check", "--max-grade", "safe", "--format", "json").out)["held"]
    grades = Counter(one["grade"] for one in held)
    assert set(grades) == {"review", "guess", "breaking"}
    out = harden(*command, "--max-grade", "safe").all
    left_out = grades["review"] + grades["breaking"]
    counts = f"{left_out} ({grades['review']} review, {grades['breaking']} breaking)"
    assert f"\nHeld back: {counts}, above --max-grade safe; -v lists them\n" in out
    assert re.search(rf"^Guesses: {grades['guess']} changes? of 1 container waits?; what its image needs", out, re.M)
    assert "not made: " not in out and "    because: " not in out
    assert harden(*command, "--max-risk=safe").all == out  # its name before
    assert harden("check", "-v", "--max-grade", "safe").out.count("    patch:   ") >= len(held)


def test_levels_stand_behind_the_verdict_with_their_files(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a/web.yaml": "# first\n---\n" + DEPLOYMENT, "b/web.yaml": DEPLOYMENT, "c.yaml": "a: 1\n"})
    commit(tmp_path)
    lines = harden("check").out.splitlines()
    assert "Pod Security levels: 2 baseline" in lines  # what is a guess brings none higher
    lines = harden("check", "--max-grade", "guess").out.splitlines()
    start = lines.index("Pod Security levels: 2 baseline; after apply 2 restricted")
    assert lines[0].startswith("check failed: ") and lines.index("Impact") < start
    assert lines[start + 2] == "    baseline, after apply restricted  a/web.yaml:3 Deployment/web and 1 more"
    whole = harden("check", "-v", "--max-grade", "guess").out
    for name, line in (("a/web.yaml", 3), ("b/web.yaml", 1)):
        assert f"    {name}:{line} Deployment/web  baseline, after apply restricted\n" in whole


# Colours.


@pytest.mark.parametrize(
    ("option", "environment", "terminal", "coloured"),
    [
        (None, {}, False, False), (None, {}, True, True), ("auto", {}, True, True), ("never", {}, True, False),
        ("always", {}, False, True), ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        (None, {"NO_COLOR": "1"}, True, False), (None, {"FORCE_COLOR": "1"}, False, True),
        (None, {"FORCE_COLOR": "0"}, True, False), (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (None, {"NO_COLOR": ""}, True, True), (None, {"TERM": "dumb"}, True, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "diff"])
def test_colours(
    command: str, option: str | None, environment: dict[str, str], terminal: bool, coloured: bool, harden: Harden,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)
    arguments = [command, "--only", "cpu-limit", *(["--color", option] if option else [])]
    assert ("\033[" in harden(*arguments, terminal=terminal).out) is coloured


@pytest.mark.parametrize(("option", "coloured"), [("always", True), ("never", False), ("auto", False)])
def test_the_report_of_filter_is_coloured_where_it_goes(option: str, coloured: bool, harden: Harden) -> None:
    done = harden("filter", "--color", option, stdin=DEPLOYMENT.encode())
    assert ("\033[" in done.err) is coloured and "\033[" not in done.out


# Links.


@pytest.mark.parametrize(
    ("environment", "known"),
    [
        ({}, False), ({"TERM": "xterm-256color"}, False), ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "alacritty"}, True),
        ({"TERM": "xterm", "TERM_PROGRAM": "iTerm.app"}, True), ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "vscode"}, True), ({"TERM_PROGRAM": "WezTerm"}, True), ({"WT_SESSION": "1"}, True),
        ({"VTE_VERSION": "7600"}, True), ({"VTE_VERSION": "4999"}, False), ({"VTE_VERSION": "new"}, False),
        ({"KONSOLE_VERSION": "220400"}, True), ({"KITTY_WINDOW_ID": "1"}, True), ({"DOMTERM": "x"}, True),
        ({"TERM": "screen-256color", "VTE_VERSION": "7600"}, False), ({"TERM": "dumb", "WT_SESSION": "1"}, False),
        ({"FORCE_HYPERLINK": "1"}, True), ({"FORCE_HYPERLINK": "1", "TERM": "screen"}, True),
        ({"FORCE_HYPERLINK": "0", "TERM": "xterm-kitty"}, False),
    ],
)  # fmt: skip
def test_which_terminals_know_links(environment: dict[str, str], known: bool) -> None:
    assert knows_links(environment) is known


@pytest.mark.slow
def test_files_and_lines_are_links_that_lead_there(shop: Path) -> None:
    known = {"TERM": "xterm-kitty"}
    shown = harden_on_terminal("check", "shop", folder=shop, rows=44, environment=known)
    links = LINK.findall(shown.raw)
    assert len(links) >= 6
    for address, text in links:
        name, line = text.rsplit(":", 1)
        assert re.fullmatch(rf"file://[^/]*{re.escape(str(shop / name))}#{line}", address), (address, text)
        assert int(line) <= (shop / name).read_text().count("\n")
    assert harden_on_terminal("check", "shop", folder=shop, rows=44).text == shown.text
    assert not LINK.search(harden_on_terminal("check", "shop", folder=shop, rows=44).raw)


@pytest.mark.slow
def test_other_terminals_get_no_line_in_the_address(shop: Path) -> None:
    for environment, host in (({"TERM_PROGRAM": "vscode"}, ""), ({"VTE_VERSION": "7600"}, "[^/]*")):
        shown = harden_on_terminal("check", "shop", folder=shop, environment=environment)
        for address, text in LINK.findall(shown.raw):
            assert re.fullmatch(rf"file://{host}{re.escape(str(shop))}/{text.rpartition(':')[0]}", address), address


@pytest.mark.parametrize("command", ["check", "diff"])
def test_a_pipe_has_no_links(command: str, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert "\033]" not in harden(command, "--color", "always", "-v").all


@pytest.mark.slow
def test_a_name_in_a_link_acts_on_nothing(tmp_path: Path) -> None:
    name = "a\033]8;;http:\aevil\033\\b%20#c ü.yaml"
    write(tmp_path, {name: DEPLOYMENT})
    commit(tmp_path)
    shown = harden_on_terminal("check", "-v", folder=tmp_path, columns=200, environment={"FORCE_HYPERLINK": "1"})
    links = LINK.findall(shown.raw)
    assert links
    place = str(tmp_path) + "/a%1B%5D8%3B%3Bhttp%3A%07evil%1B%5Cb%2520%23c%20%C3%BC.yaml"
    assert {address.partition(os.uname().nodename)[2] for address, _ in links} >= {place}
    assert all(text.startswith(("a\\x1b]8;;http:\\x07evil\\x1b\\b%20#c ü.yaml", "harden-")) for _, text in links)
    rest = LINK.sub("", re.sub(r"\033\[\d*m", "", shown.raw))
    assert "\033" not in rest and "\a" not in rest


# The pager.


@pytest.fixture
def pager(tmp_path: Path) -> Path:
    """A program that keeps what it is given, and with which settings."""
    path = tmp_path / "bin" / "keep"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\necho "$LESS|$LV|$*" >{tmp_path}/settings\ncat >{tmp_path}/kept\necho paged\n')
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_a_terminal_gets_the_patch_through_the_pager(busy_shop: Path, pager: Path, tmp_path: Path) -> None:
    named = {"GIT_PAGER": f"{pager} -a 'b c'", "PAGER": "none"}
    shown = harden_on_terminal("diff", "shop", folder=busy_shop, environment=named)
    assert (shown.status, shown.text) == (1, "paged\n")
    assert (tmp_path / "settings").read_text() == "FRX|-c|-a b c\n"
    kept = (tmp_path / "kept").read_text()
    assert "\033[32m+" in kept and "\033[1mImpact" in kept and "\033]8" not in kept
    plain = re.sub(r"\033\[\d*m", "", kept)
    alone = run("diff", "shop", "--patch", cwd=busy_shop)
    assert plain.partition("\nPatch\n\n")[2] == alone.out and alone.err == ""
    places = [plain.index(text) for text in ("would harden", "Impact", "Guesses", "Held back", "diff --git")]
    assert plain.startswith("would harden ") and places == sorted(places)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "arguments", "paged"),
    [
        ({"PAGER": "keep"}, [], True), ({"GIT_PAGER": "keep"}, [], True), ({}, [], False),  # less ends by itself
        ({"GIT_PAGER": "cat", "PAGER": "keep"}, [], False), ({"GIT_PAGER": "", "PAGER": "keep"}, [], False),
        ({"PAGER": "keep"}, ["--no-pager"], False), ({"PAGER": "keep"}, ["--quiet"], False),
        ({"PAGER": "keep"}, ["--format", "json"], False), ({"PAGER": "keep"}, ["--stat"], True),
        ({"PAGER": "gone-away"}, [], False), ({"PAGER": "'keep"}, [], False), ({"PAGER": "./mine"}, [], False),
        ({"PAGER": "keep; touch ran"}, [], False),
    ],
)  # fmt: skip
def test_which_pager(
    environment: dict[str, str], arguments: list[str], paged: bool, tmp_path: Path, pager: Path
) -> None:
    tree = tmp_path / "tree"
    write(
        tree,
        {
            "web.yaml": DEPLOYMENT,
            "mine": f"#!/bin/sh\necho mine >{tmp_path}/kept\n",
            "bin/less": "#!/bin/sh\ntouch ran\n",
        },
    )
    (tree / "mine").chmod(0o755)
    (tree / "bin/less").chmod(0o755)
    commit(tree)
    for setting in ("core.pager", "pager.diff"):
        git(tree, "config", setting, str(pager))
    path = os.pathsep.join([str(tree / "bin"), "", ".", str(pager.parent), os.environ["PATH"]])
    shown = harden_on_terminal("diff", *arguments, folder=tree, rows=400, environment={**environment, "PATH": path})
    assert shown.status == 1
    assert (tmp_path / "kept").exists() is paged
    assert ("allowPrivilegeEscalation: false" in shown.text) is (
        not paged and not {"--quiet", "--format"} & set(arguments)
    ) or paged
    assert not (tree / "ran").exists()


@pytest.mark.slow
def test_a_pager_that_is_left_early_is_no_error(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "first").write_text('#!/bin/sh\nread line\necho "$line"\n')
    (tmp_path / "first").chmod(0o755)
    command = [sys.executable, "-m", "hardener", "diff", "shop"]
    shown = on_terminal(command, shop, environment={"PAGER": str(tmp_path / "first")}, quiet=False)
    assert (shown.status, len(shown.text.splitlines())) == (1, 1), shown.text


# --stat.


def test_stat_counts_as_git_does(shop: Path) -> None:
    shown = run("diff", "--stat", "shop", cwd=shop).out
    assert "diff --git" not in shown and "Impact" in shown
    assert run("apply", "shop", cwd=shop).status == 0
    git(shop, "add", "-AN")
    theirs = git(shop, "diff", "--stat=80").stdout.decode().splitlines()
    ours = shown.partition("\n\n")[0].splitlines()
    assert ours[-1] == theirs[-1]
    counted = re.compile(r"^ (\S+) +\| +(\d+) \+*-*$", re.M)
    assert sorted(counted.findall("\n".join(ours)) or [("none", "0")]) == sorted(counted.findall("\n".join(theirs)))
    assert max(map(len, ours)) <= 80


def test_stat_is_for_people(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("diff", "--stat", "--format", "json")
    assert (done.status, done.err.count("\n"), "--stat" in done.err) == (2, 1, True)


def test_a_check_names_what_it_fails_on(harden: Harden, tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: debug}\nspec:\n  hostPID: true\n  containers:\n"
    pod += "  - name: c\n    image: example.com/c:1\n    securityContext: {privileged: true}\n"
    write(tmp_path, {"new.yaml": pod})
    commit(tmp_path)
    for options in (["--max-grade", "safe"], []):
        report = json.loads(harden("check", "--fail-on", "high", *options, "--format", "json").out)
        grave = [
            one["id"] for key in ("changes", "held", "findings") for one in report[key]
            if one["severity"] in ("high", "critical")
        ]  # fmt: skip
        out = harden("check", "--fail-on", "high", *options).out
        section = re.search(r"^Fails the check: (\d+) \(.*\)\n((?:  .*\n)+)", out, re.M)
        assert section and "no-privileged" in section[2] and "new.yaml:9 Pod/debug" in section[2]
        assert {re.split(" +", line)[2] for line in section[2].splitlines()} == set(grave)
        whole = harden("check", "--fail-on", "high", "-v", *options).out
        assert section[0] in whole  # a brief report of many says that -v shows all
        # What does not fail is counted alone, as before.
        assert ("-v lists them" in out) == bool(options)
    assert "Fails the check" not in harden("check", "--fail-on", "none").out
