"""The generated pages of docs/: they are what the program says, and what they promise holds."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.transform import Transform

from .conftest import run
from .pages import DOCS, generated, is_generated, site, transforms
from .pages.markdown import block, code, plain

IDS = list(registry.transforms())
DAY = "2026-11-28"  # before the exceptions that the pages show end
MARK = re.compile(r"^# harden: ignore\[.*\n", re.M)
ENTRY = re.compile(r"^exceptions:\n(?:[- ].*\n)+", re.M)


def test_the_example_is_the_typical_case() -> None:
    """Who reads the page of a rule sees what it does, and not how somebody leaves a container out."""
    for id, transform in registry.transforms().items():
        shown = transforms.example(transform)
        assert "exempt" not in shown.folder.name and not shown.of(id, "waived"), id
        typical = [case for case in transforms.cases(transform) if case.folder.name == "typical"]
        if any(case.of(id, "applied") for case in typical):
            assert shown.folder.name == "typical", id


@pytest.mark.slow
def test_the_generated_pages_are_what_the_program_says(request: pytest.FixtureRequest) -> None:
    new = generated()
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    wrong = sorted(
        name
        for name in new.keys() | {name for name in there if is_generated(name)}
        if name not in new or name not in there or (DOCS / name).read_text(encoding="utf-8") != new[name]
    )
    if wrong and request.config.getoption("--harden-accept"):
        for name in wrong:
            if name in new:
                (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
                (DOCS / name).write_text(new[name], encoding="utf-8")
            else:
                (DOCS / name).unlink()
        return
    assert not wrong, "out of date; python -m tests.pages writes them anew"


def test_each_transform_has_a_page() -> None:
    assert {path.stem for path in (DOCS / "transforms").glob("*.md")} == {*IDS, "README"}


def outcome(transform: Transform, folder: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    """What the command of the page of ``transform`` says of ``folder``: its changes, held-back changes and findings."""
    case = transforms.example(transform)
    page = (DOCS / "transforms" / f"{transform.id}.md").read_text(encoding="utf-8")
    command = f"harden diff {case.options}."
    assert f"`{command}`" in page
    for log in case.settings.get("audit-log", []):
        shutil.copy(case.folder / log, folder / log)
    done = run(*command.split()[1:], "--as-of", DAY, "--format", "json", *options, cwd=folder)
    assert done.status in (0, 1), done.err
    report = json.loads(done.out)
    own = ("changes", "held", "findings")
    return {what: [each for each in report[what] if each["id"] == transform.id] for what in own}


def copied(transform: Transform, folder: Path) -> Path:
    return Path(shutil.copytree(transforms.example(transform).folder / "before", folder / "k8s"))


@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
def test_the_example_of_a_page_shows_its_transform(id: str, tmp_path: Path) -> None:
    transform = registry.get(id)
    found = outcome(transform, copied(transform, tmp_path))
    assert found["findings"] if transform.only_reports else found["changes"] or found["held"]


@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
def test_what_a_page_says_of_leaving_alone_holds(id: str, tmp_path: Path) -> None:
    transform = registry.get(id)
    page = (DOCS / "transforms" / f"{id}.md").read_text(encoding="utf-8")
    entry = ENTRY.search(page)
    assert entry is not None
    tree = copied(transform, tmp_path / "exception")
    with (tree / ".harden.yaml").open("a", encoding="utf-8") as stream:
        stream.write(re.sub(r"  match: .*\n", "", entry[0]))
    assert not any(shown(outcome(transform, tree)).values())
    mark = MARK.search(page)
    assert (mark is not None) == transforms.has_comments(transform)
    if mark is not None:
        tree = copied(transform, tmp_path / "comment")
        for path in filter(Path.is_file, tree.rglob("*")):
            path.write_text(marked(path, mark[0]), encoding="utf-8")
        assert not any(shown(outcome(transform, tree)).values())


def shown(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without what stands in a script, or in a patch that is a bare list of operations."""
    return {
        what: [each for each in records if not each["file"].endswith((".sh", "operations.yaml"))]
        for what, records in found.items()
    }


def marked(path: Path, mark: str) -> str:
    """The text of a file with ``mark`` above each object."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".tf":
        return re.sub(r"^(?=(?:resource|module|data|variable|locals)\b)", mark, text, flags=re.M)
    return re.sub(r"(\A|^---\n)(?=[^\n])", lambda start: start[1] + mark, text, flags=re.M)


def test_markdown_says_what_it_is_given() -> None:
    assert plain("a `*` in *rules*, snake_case, _x, <b>, a|b [c](d)") == (
        "a `*` in \\*rules\\*, snake_case, \\_x, &lt;b>, a\\|b \\[c\\](d)"
    )
    assert (code("a|b"), code("`x`")) == ("`a\\|b`", "`` `x` ``")
    assert block("text", "```\nx\n```\n") == ["````text", "```", "x", "```", "````", ""]


@pytest.mark.parametrize(
    ("url", "link"),
    [("", "`test`"), ("https://example.com/o/r/blob/main/", "[`test`](https://example.com/o/r/blob/main/test)")],
)
def test_a_link_out_of_the_site_leads_to_the_repository(url: str, link: str, tmp_path: Path) -> None:
    text = "[`test`](../test) [a page](library.md#top) [nowhere](../nowhere)"
    assert site._inside(text, DOCS, url) == f"{link} [a page](library.md#top) [nowhere](../nowhere)"
