"""The commands that a report names: each has the paths and options of the run, and can be typed as it stands."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from hardener.support.printable import plain_line
from hardener.support.shell_words import quoted_path

from .conftest import DEPLOYMENT, ROOT, Harden, commit, write

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostPID: true\n  containers:\n"
CONTAINER = "  - name: c\n    image: example.com/c:1\n"
OPTIONS = [
    [],
    ["--max-grade", "safe"],
    ["--profile", "strict", "--skip", "cpu-limit,K05", "--skip", "no-host-ipc"],
    ["--kubernetes-version", "1.33", "--evidence", "k8s", "--as-of", "2026-01-02", "--policy-engine", "none"],
    ["--prune-managed", "--pin-format", "digest-only", "--out-of-band", "out", "--accept", "no-host-pid"],
    ["--only", "no-host-pid,run-as-non-root"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def tree(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": DEPLOYMENT, "k8s/a b.yaml": POD + CONTAINER})
    commit(tmp_path)
    with (tmp_path / "k8s" / "a b.yaml").open("a") as file:
        file.write("    stdin: true\n")


def typed(harden: Harden, command: str) -> int:
    program, *words = shlex.split(command)
    assert program == "harden"
    done = harden(*words)
    assert done.status in (0, 1), done.err
    return done.status


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_the_next_step_can_be_typed(options: list[str], harden: Harden) -> None:
    out = harden("check", "k8s/web.yaml", "k8s/a b.yaml", *options).out
    found = re.search(r"^next: (harden diff .*?) shows each change, (harden apply .*?) makes them", out, re.M)
    if found is None:
        assert not re.search(r"are? pending", out)
        return
    diff, apply = found[1], found[2]
    assert diff.startswith("harden diff k8s/web.yaml 'k8s/a b.yaml'")
    assert sorted(shlex.split(diff)[4:]) == sorted(options)
    assert typed(harden, diff) == 1
    assert typed(harden, apply) == 0
    left = harden("check", "k8s", *options).out
    assert "are pending" not in left


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--since", "HEAD", "--whole"], "harden diff k8s --since HEAD --whole shows each change; -v"),
        (["--no-waivers"], "harden diff k8s --no-waivers shows each change; -v"),
        (["--baseline", "known"], "harden diff k8s shows each change, also those that the baseline lists; -v"),
    ],
)
def test_apply_is_not_named_where_it_would_make_other_changes(
    options: list[str], shown: str, harden: Harden, tmp_path: Path
) -> None:
    assert harden("baseline", "write", "k8s/a b.yaml", "--baseline", "known").status == 0
    web = tmp_path / "k8s/web.yaml"
    web.write_text(web.read_text() + "# new\n")
    out = harden("check", "k8s", *options).out
    assert f"\nnext: {shown}" in out
    assert "harden apply" not in out
    typed(harden, shown.partition(" shows ")[0])


@pytest.mark.parametrize("command", ["check", "diff"])
def test_what_tells_more_of_an_image_is_named_with_the_options_that_it_knows(command: str, harden: Harden) -> None:
    given = ["--profile", "strict", "--evidence", "k8s", "--skip", "cpu-limit", "--max-grade", "review"]
    out = harden(command, "k8s/a b.yaml", *given).all
    found = re.search(
        r"^  to know: (harden lock .*?) reads who [^;]*; (harden observe .*?) runs it as another", out, re.M
    )
    assert found is not None
    assert found[1] == "harden lock 'k8s/a b.yaml' --evidence k8s --deep"
    assert found[2] == "harden observe 'k8s/a b.yaml' --profile strict --evidence k8s"
    for words in found.groups():
        assert harden(*shlex.split(words)[1:], "--help").status == 0


def test_a_held_back_change_names_the_whole_command(harden: Harden) -> None:
    for format in ("github", "sarif"):
        out = harden("check", "k8s", "--max-grade", "safe", "--format", format).out
        assert "harden apply k8s --max-grade safe --accept no-host-pid makes it anyway" in out
    typed(harden, "harden apply k8s --max-grade safe --accept no-host-pid")
    assert not [
        held for held in json.loads(harden("check", "k8s", "--max-grade", "safe", "--format", "json").out)["held"]
        if held["id"] == "no-host-pid"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options", [[], ["--max-grade", "safe"], ["--fail-on", "high"], ["--no-waivers"]], ids=" ".join
)
def test_a_failed_check_names_what_makes_that_which_was_held_back(
    options: list[str], harden: Harden, tmp_path: Path
) -> None:
    pod = (POD + CONTAINER).replace("hostPID: true", "shareProcessNamespace: true")
    pod += "    securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN]}}\n"
    write(tmp_path, {f"k8s/{n}.yaml": DEPLOYMENT.replace("web", f"w{n}") for n in range(4)} | {"k8s/a b.yaml": pod})
    commit(tmp_path)
    out = harden("check", "k8s", "--fail-on", "high", *options).out
    named = re.search(
        r"^next: (?:.*; )?(harden (?:apply|diff) \S* ?\S* .*--accept \S+) (?:makes|shows) what is held", out, re.M
    )
    ids = {one["id"] for one in json.loads(harden("check", "k8s", *options, "--format", "json").out)["held"]
           if one["severity"] in ("high", "critical")}  # fmt: skip
    assert ids, "the test shows nothing"
    assert named is not None and "'k8s/a b.yaml'" in named[1] and "k8s/0.yaml" not in named[1]
    assert set(shlex.split(named[1])[-1].split(",")) == ids
    assert ("apply" in named[1]) == ("--no-waivers" not in options)
    typed(harden, named[1])
    if "apply" in named[1]:
        assert "makes what is held back" not in harden("check", "k8s", "--fail-on", "high", *options).out


def test_what_is_accepted_and_changes_nothing_is_said(harden: Harden, tmp_path: Path) -> None:
    """A database whose server refuses a file mode keeps its user; without that there is no user that is not root."""
    text = (ROOT / "examples/shop/postgres.yaml").read_text(encoding="utf-8")
    (tmp_path / "k8s/postgres.yaml").write_text(text.replace("ReadWriteOnce", "ReadWriteMany"), encoding="utf-8")
    said = "--accept run-as-non-root makes no change; it may need what is held back: run-as-user"
    for command in ("diff", "check"):
        for more in ([], ["-v"]):
            out = harden(command, "k8s/postgres.yaml", "--accept", "run-as-non-root,run-as-user", *more).all
            assert "makes no change" not in out
            out = harden(command, "k8s/postgres.yaml", "--accept", "run-as-non-root", *more).all
            assert f"\n  {said}\n" in out
    # What waits is decided after it.
    assert "--accept no-host-ipc makes no change\n" in harden("diff", "k8s/web.yaml", "--accept", "no-host-ipc").all
    assert "makes no change" not in harden("check", "k8s", "--accept", "no-host-pid").out


def test_a_baseline_names_the_check_that_takes_it(harden: Harden) -> None:
    out = harden("baseline", "write", "k8s", "--max-grade", "safe").out
    command = out.partition("commit it, then: ")[2].strip()
    assert command == "harden check k8s --max-grade safe --baseline harden.baseline"
    assert typed(harden, command) == 0
    done = harden("check", "k8s", "--max-grade", "safe", "--baseline", "none.json", "--pin-format", "digest-only")
    assert "harden baseline write k8s --max-grade safe --baseline none.json makes it" in done.err


def test_many_paths_are_not_repeated(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.yaml": DEPLOYMENT.replace("web", f"w{n}") for n in range(5)})
    assert "next: harden diff PATH... shows" in harden("check", *(f"{n}.yaml" for n in range(5))).out


@pytest.mark.parametrize(
    "name",
    ["a.yaml", "a b's.yaml", "new\nline.yaml", "a\x1b[2J\\.yaml", "##[error].yaml", "\u202eb\u200b.yaml", "\udcff.yaml",
     "-w.yaml"],
)  # fmt: skip
def test_a_name_is_one_word_of_a_shell_and_acts_on_no_terminal(name: str) -> None:
    word = quoted_path(name)
    assert plain_line(f"undo: {word}") == f"undo: {word}"
    read = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert read.removeprefix(b"./") == os.fsencode(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("new\nline.yaml", "$'new\\x0aline.yaml'"), ("-w.yaml", "./-w.yaml"), ("##[a.yaml", "$'\\x23\\x23[a.yaml'")],
)  # fmt: skip
def test_a_printed_command_finds_a_file_with_an_odd_name(name: str, shown: str, harden: Harden, tmp_path: Path) -> None:
    (tmp_path / name).write_text(DEPLOYMENT)
    found = re.search(r"^next: harden diff (.*?) shows each change", harden("check", "--", name).out, re.M)
    assert found is not None and found[1] == shown
    listed = subprocess.run(["bash", "-c", f"ls {found[1]}"], cwd=tmp_path, capture_output=True)
    assert listed.returncode == 0, listed.stderr
