"""``harden mcp``, spoken to by the client of the package ``mcp``: in memory, and once a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import DEPLOYMENT, ROOT, Harden, commit, run, write

pytest.importorskip("mcp", reason="install the extra mcp")
import anyio
from mcp import Client, StdioServerParameters, stdio_client

from hardener.agents import service
from hardener.agents.server import server
from hardener.agents.service import Service

pytestmark = pytest.mark.slow

# An image of which nothing is known: a number for its user would be a guess.
POD = DEPLOYMENT.rstrip("\n") + "\n        securityContext: {privileged: true}\n"
SECRET = "hunter2-Zq9x-secret-value"
LARGEST = 32_000  # characters of an answer: what a model reads of it each time

Talk = Callable[[Client], Awaitable[None]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    write(folder, {"web.yaml": POD})
    write(tmp_path, {"outside.yaml": POD})
    commit(folder)
    return folder


def session(folder: Path, talk: Talk, *, max_grade: str = "review") -> None:
    async def talking() -> None:
        async with Client(server(Service([str(folder)], max_grade))) as client:
            await talk(client)

    anyio.run(talking)


async def answer(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    done = await client.call_tool(tool, arguments)
    assert not done.is_error, done.content
    assert done.structured_content is not None
    assert len(str(done.structured_content)) < LARGEST
    found: dict[str, Any] = done.structured_content
    return found


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    done = await client.call_tool(tool, arguments)
    assert done.is_error, done.structured_content
    return "".join(getattr(part, "text", "") for part in done.content)


def status(folder: Path) -> str:
    done = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


async def from_finding_to_fix(client: Client, folder: Path) -> str:
    """What an agent does; returns the commit message that it is given."""
    planned = await answer(client, "plan")
    privileged = next(change for change in planned["changes"] if change["id"] == "no-privileged")
    assert privileged["part"] and privileged["grade"] == "review" and privileged["file"] == "web.yaml"
    waiting = [change for change in planned["changes"] if change["part"] is None]
    assert {change["id"] for change in waiting} >= {"run-as-user"}
    assert all(change["grade"] in {"guess", "breaking"} and change["why"] for change in waiting)
    explained = await answer(client, "explain", id="no-privileged")
    assert "privileged" in explained["text"]
    done = await answer(client, "apply", plan=planned["plan"], part=privileged["part"])
    assert "no-privileged" in done["ids"] and "web.yaml" in done["files"] and done["can_undo"]
    text = (folder / "web.yaml").read_text(encoding="utf-8")
    assert (
        "privileged: true" not in text
        and "runAsUser" not in text
        and "runAsGroup" not in text
        and "# the only one" in text
    )
    return str(done["commit_message"])


def test_from_a_finding_to_a_committed_fix(repository: Path) -> None:
    async def talk(client: Client) -> None:
        message = await from_finding_to_fix(client, repository)
        assert message.startswith("Harden Deployment/web") and "no-privileged" in message

    session(repository, talk)
    commit(repository)
    assert status(repository) == ""


def test_over_standard_input_and_output(repository: Path) -> None:
    async def talking() -> None:
        given = StdioServerParameters(
            command=sys.executable, args=["-m", "hardener", "mcp", str(repository)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        async with Client(stdio_client(given)) as client:
            await from_finding_to_fix(client, repository)
            assert "web.yaml" in " ".join((await answer(client, "undo"))["lines"])

    anyio.run(talking)
    assert status(repository) == ""


def test_tools_have_schemas_and_rules_are_resources(repository: Path) -> None:
    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"plan", "findings", "graph", "explain", "apply", "undo"}
        assert all(tool.output_schema and tool.description for tool in tools.values())
        assert {name for name, tool in tools.items() if not (tool.annotations and tool.annotations.read_only_hint)} == {
            "apply", "undo",
        }  # fmt: skip
        listed = (await client.read_resource("harden://rules")).contents[0]
        assert "no-privileged: " in getattr(listed, "text", "")
        page = (await client.read_resource("harden://rules/no-privileged")).contents[0]
        assert "May break" in getattr(page, "text", "") or "may break" in getattr(page, "text", "")
        assert (await answer(client, "graph"))["total"] > 0
        assert (await answer(client, "findings", severity="high"))["total"] >= 0

    session(repository, talk)


def test_the_grade_is_that_of_the_start_whatever_the_tree_says(repository: Path) -> None:
    write(repository, {".harden.yaml": "max-grade: breaking\n"})

    async def refused(client: Client) -> None:
        done = await answer(client, "apply", ids=["run-as-user"])
        assert done["files"] == [] and done["held"] == ["run-as-user"]

    async def allowed(client: Client) -> None:
        done = await answer(client, "apply", ids=["run-as-user"])
        assert done["files"] == ["web.yaml"] and done["held"] == []

    session(repository, refused)
    assert (repository / "web.yaml").read_text(encoding="utf-8") == POD
    session(repository, allowed, max_grade="guess")
    assert "runAsUser" in (repository / "web.yaml").read_text(encoding="utf-8")


def test_a_plan_of_other_files_is_refused(repository: Path) -> None:
    async def talk(client: Client) -> None:
        planned = await answer(client, "plan")
        write(repository, {"other.yaml": POD.replace("web", "other")})
        assert "plan again" in await refusal(client, "apply", plan=planned["plan"], part=1)

    session(repository, talk)


def test_hostile_arguments_are_refused_and_nothing_is_written(repository: Path, tmp_path: Path) -> None:
    (repository / "link").symlink_to(tmp_path)
    (repository / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    outside = ("..", "../outside.yaml", "/", "/etc/passwd", "link", "link/outside.yaml", "link.yaml", str(tmp_path))

    async def talk(client: Client) -> None:
        for tool in ("plan", "findings", "graph", "undo"):
            for path in outside:
                assert "outside of the folders" in await refusal(client, tool, path=path)
        for path in outside:
            assert "outside of the folders" in await refusal(client, "apply", path=path, ids=["no-privileged"])
        wrong: tuple[tuple[str, dict[str, Any]], ...] = (
            ("plan", {"path": "absent"}), ("plan", {"path": "a\0b"}), ("plan", {"path": "x" * 5000}),
            ("plan", {"path": "x" * 4000}), ("plan", {"page": 0}), ("plan", {"page": 10**30}),
            ("plan", {"only": ["no-such"]}), ("plan", {"only": "no-privileged"}),
            ("findings", {"severity": "none"}), ("explain", {"id": "no-such"}), ("explain", {"id": "x" * 100_000}),
            ("explain", {"id": ""}), ("apply", {}), ("apply", {"ids": ["no-such"]}), ("apply", {"ids": ["x"] * 1000}),
            ("apply", {"plan": "0" * 16, "part": 1}), ("apply", {"plan": "x" * 10**6, "part": 1}),
            ("apply", {"ids": ["no-privileged"], "plan": "x", "part": 1}), ("undo", {}),
        )  # fmt: skip
        for tool, arguments in wrong:
            assert await refusal(client, tool, **arguments)
        planned = await answer(client, "plan")
        for part in (0, planned["parts"] + 1):
            assert f"part {part}" in await refusal(client, "apply", plan=planned["plan"], part=part)
        assert (await answer(client, "plan", page=100_000))["changes"] == []

    session(repository, talk)
    assert status(repository).split() == ["??", "link", "??", "link.yaml"]
    assert (tmp_path / "outside.yaml").read_text(encoding="utf-8") == POD


def test_no_answer_shows_a_secret_and_all_are_small(repository: Path) -> None:
    variable = f"\n        env: [{{name: DB_PASSWORD, value: {SECRET}}}]\n"
    write(repository, {f"w{n}.yaml": POD.rstrip("\n").replace("web", f"w{n}") + variable for n in range(12)})

    async def talk(client: Client) -> None:
        page: int | None = 1
        seen = 0
        while page is not None:
            planned = await answer(client, "plan", page=page)
            assert SECRET not in str(planned)
            seen, page = seen + len(planned["changes"]), planned["next_page"]
        assert seen == planned["total"] > 20
        for tool in ("findings", "graph"):
            assert SECRET not in str(await answer(client, tool))

    session(repository, talk)


def test_names_are_cut_and_make_no_lines_of_a_commit_message(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_MOST_FILES", 2)
    write(repository, {
        "long.yaml": POD.replace("name: web", f"name: {'x' * 100_000}"),
        "odd.yaml": POD.replace("name: web", 'name: "a\\n\\nCo-authored-by: eve <eve@example.com>\\e[31m"', 1),
    })  # fmt: skip

    async def talk(client: Client) -> None:
        await answer(client, "findings")
        for number in (1, 2):
            done = await client.call_tool("plan", {"path": "long.yaml", "page": number})
            assert not done.is_error and len(str(done.structured_content)) < 2 * LARGEST
        applied = await answer(client, "apply", ids=["no-privileged"])
        assert (len(applied["files"]), applied["total_files"]) == (2, 3)
        assert applied["commit_message"].splitlines()[1:] == ["", "By harden: no-privileged"]
        assert "\x1b" not in applied["commit_message"]

    session(repository, talk)


def test_without_the_extra_one_line_says_what_to_install(
    repository: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    for name in [name for name in sys.modules if name.startswith("mcp.") or name == "hardener.agents.server"]:
        monkeypatch.delitem(sys.modules, name)
    done = harden("mcp", str(repository))
    assert (done.status, done.err) == (2, "harden: harden mcp needs the extra mcp: pip install 'hardener[mcp]'\n")


def test_a_root_that_is_no_folder_is_refused(repository: Path, harden: Harden) -> None:
    done = harden("mcp", str(repository / "web.yaml"))
    assert done.status == 2 and "no such folder" in done.err


def test_what_a_person_wrote_outside_is_not_taken_back(repository: Path) -> None:
    write(repository, {"sub/other.yaml": POD.replace("web", "other")})
    assert run("apply", "web.yaml", "--yes", "--only", "no-privileged", cwd=repository).status == 0
    written = (repository / "web.yaml").read_text(encoding="utf-8")

    async def talk(client: Client) -> None:
        assert "a person undoes it" in await refusal(client, "undo")

    session(repository / "sub", talk)
    assert (repository / "web.yaml").read_text(encoding="utf-8") == written != POD
