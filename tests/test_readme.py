"""README.md says what the program does: its output, its commands, its options, its files, its table of risks."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import typer

from hardener.authoring import config, profile, registry
from hardener.authoring.risks import RISKS
from hardener.cli.app import app
from hardener.sources import yaml

from .conftest import ROOT, commit, run
from .terminals import harden_on_terminal

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
CODE = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", README, re.S)
COMMANDS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in typer.main.get_group(app).commands.items()
}


def block(language: str, heading: str) -> str:
    """The first block of code in ``language`` below ``heading``."""
    found = re.search(rf"^## {re.escape(heading)}$.*?^```{language}\n(.*?)^```$", README, re.S | re.M)
    assert found, f"no {language} under {heading}"
    return found[1]


def hold(request: pytest.FixtureRequest, shown: str, now: str) -> None:
    """Fail when README.md shows something else than ``now``; ``--harden-accept`` takes it over."""
    assert shown, "an empty block cannot be replaced"
    if shown != now and request.config.getoption("--harden-accept"):
        path = ROOT / "README.md"
        path.write_text(path.read_text(encoding="utf-8").replace(shown, now), encoding="utf-8")
        return
    assert shown == now, "README.md is out of date; --harden-accept mends it"


def excerpt(applied: str, patch: str) -> str:
    """The report of ``apply``, and of the patch the hunk that takes away ``privileged``."""
    lines = patch.splitlines(keepends=True)
    start = lines.index("diff --git a/shop/api.yaml b/shop/api.yaml\n")
    gone = next(number for number, line in enumerate(lines) if line.startswith("-") and "privileged: true" in line)
    hunk = max(number for number in range(start, gone) if lines[number].startswith("@@"))
    end = next(number for number in range(gone, len(lines)) if lines[number].startswith((" ---", "@@")))
    return "...\n".join([applied, "".join(lines[start : start + 3]), "".join(lines[hunk:end])])


@pytest.mark.slow
def test_the_output_is_that_of_a_real_run(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    patch = run("diff", "shop", cwd=tmp_path).out
    done = harden_on_terminal("apply", "shop", folder=tmp_path, rows=40, columns=120)
    assert done.status == 0, done.text
    hold(request, block("text", "What it looks like"), excerpt(done.text, patch))


def test_the_graph_is_that_of_a_real_run(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    done = run("graph", "shop", cwd=tmp_path)
    assert done.status == 0, done.err
    hold(request, block("text", "Who talks to whom"), done.out)


def test_the_example_is_hardened_and_stays_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    assert run("apply", "examples", "--quiet", "--yes", cwd=tmp_path).status == 0
    assert run("diff", "examples", "--quiet", cwd=tmp_path).status == 0


@pytest.mark.parametrize("line", sorted(set(re.findall(r"\bharden (?!\d|\.\.\.)[a-z][^`\n#|]*", README))))
def test_every_command_exists(line: str) -> None:
    command, *arguments = line.split()[1:]
    if command not in COMMANDS:
        assert not any(f"harden {command}" in (code or inline) for code, inline in CODE), f"no such command: {line}"
        return
    assert {argument for argument in arguments if argument.startswith("-")} <= COMMANDS[command]


@pytest.mark.parametrize("page", PAGES)
def test_every_option_exists(page: str) -> None:
    known = set().union(*COMMANDS.values(), {"--version", "--install-completion", "--harden-accept", "--fast"})
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {
        option for code in re.findall(r"`([^`\n]+)`", text) for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)
    }
    assert named <= known


def test_every_option_is_explained() -> None:
    for command, options in COMMANDS.items():
        for option in options:
            if option.startswith("--") and option != "--verbose":
                assert option in README, f"{command} {option}"


def test_the_two_commands_are_there_and_can_be_run() -> None:
    for line in block("sh", "Try it").splitlines():
        assert os.access(ROOT / line.split()[0], os.X_OK), line


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_the_table_of_risks_is_that_of_the_program(request: pytest.FixtureRequest) -> None:
    table = ""
    for risk in RISKS.values():
        ids = sorted(item.id for item in registry.transforms().values() if item.risk == risk.id)
        named = ", ".join(f"`{id}`" for id in ids) or "none yet"
        table += f"| {risk.id} | {risk.title} | {risk.id_2022 or 'none'} | {named} |\n"
    hold(request, "".join(re.findall(r"^\| K\d\d .*\n", README, re.M)), table)


def test_the_profile_and_the_config_file_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(block("yaml", "Profiles and the gate"), encoding="utf-8")
    chosen = profile.load("./ours.yaml", folder=str(tmp_path))
    assert "cpu-limit" not in chosen.members
    assert chosen.members["read-only-root-filesystem"] is False
    (tmp_path / ".harden.yaml").write_text(block("yaml", "Commands"), encoding="utf-8")
    found = config.load(str(tmp_path))
    assert (found.profile, found.kubernetes_version, found.platform) == ("restricted", "1.31", "openshift")
    for group, values in found.options.items():
        for key, value in values.items():
            chosen.set_option(f"{group}.{key}", value, "README.md")


def test_the_profiles_are_those_of_the_program() -> None:
    section = README.partition("## Profiles and the gate\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \| .* \|$", section, re.M)
    grades = ["safe", "review", "breaking"]
    assert named == [*profile.BUILT_IN, *grades]
    for name in profile.BUILT_IN:
        assert yaml.parse((ROOT / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")).documents
