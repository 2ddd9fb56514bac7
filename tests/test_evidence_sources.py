"""A source of evidence about images is a line of ``KnownBy`` and a collector of its name: what it says is named in each
report by itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from hardener.authoring.known import Known, KnownBy, joined, stronger
from hardener.facts.images import collectors

from .conftest import DEPLOYMENT, ROOT, write

PAGE_OF_RULES = ROOT / "docs/design/decisions.md"


@pytest.mark.parametrize(
    "source", [each for each in KnownBy if each not in (KnownBy.OBSERVED, KnownBy.RECORDED)], ids=lambda each: each.name
)
def test_each_source_has_a_collector(source: KnownBy) -> None:
    module = import_module(f"{collectors.__name__}.{source.name.lower()}")
    assert callable(module.collect), "collect(asked, ledger) puts in what the source says"


def test_each_collector_is_of_a_source() -> None:
    modules = {path.stem for path in Path(collectors.__path__[0]).glob("*.py")} - {"__init__"}
    assert modules == {source.name.lower() for source in KnownBy}


def test_rule_3_names_the_sources_in_their_order() -> None:
    rule = re.search(r"^3\. .*?^4\. ", PAGE_OF_RULES.read_text(encoding="utf-8"), re.M | re.S)
    assert rule is not None
    assert re.findall(r"\(`([A-Z_]+)`\)", rule.group()) == [source.name for source in KnownBy]


@pytest.mark.parametrize("path", sorted((ROOT / "transforms").rglob("*.py")), ids=lambda path: path.stem)
def test_no_rule_decides_by_the_source(path: Path) -> None:
    assert "KnownBy" not in path.read_text(encoding="utf-8"), "a value says itself whether it is sure, and its place"


SEEN = Known((80,), KnownBy.OBSERVED, "harden observe")
LISTED = Known((443,), KnownBy.LOCK, "harden.lock", whole=True)
TABLE = Known((8080,), KnownBy.TABLE, "image table")


def test_the_stronger_source_is_that_which_is_named_first() -> None:
    assert stronger(TABLE, SEEN) is stronger(SEEN, TABLE) is SEEN
    assert stronger(None, TABLE) is stronger(TABLE, None) is TABLE
    again = Known((1,), KnownBy.TABLE, "image table")
    assert stronger(TABLE, again) is again


def test_what_is_all_there_is_has_nothing_joined_to_it() -> None:
    assert joined(TABLE, LISTED) is LISTED
    assert joined(LISTED, SEEN) == Known((80, 443), KnownBy.OBSERVED, "harden observe")
    assert joined(None, None) is None


# The exercise: one new file and one line. It is done to a copy of the package.

MEMBER = '    TOOL_VERSIONS = ".tool-versions", "a .tool-versions file", False, True\n'
COLLECTOR = '''"""The Node.js that `.tool-versions` names for a build: its official image is the base."""

import os

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.facts.images.ledger import Number
from hardener.kubernetes.images.reference import parse
from hardener.kubernetes.images.table import lookup


def collect(asked, ledger):
    """Put in as whom the official image of that version runs."""
    if asked.built is None or asked.built.base is not None or asked.built.from_scratch:
        return
    for folder in asked.tree.ask(BuiltImages).folders(asked.image):
        path = os.path.join(folder, ".tool-versions")
        text = asked.tree.ask(RepositoryFiles).text(path) or ""
        for line, (tool, version) in enumerate(map(str.split, text.splitlines()), 1):
            row = lookup(parse(f"node:{version}")) if tool == "nodejs" else None
            if row is not None:
                place = f"{os.path.relpath(path, asked.tree.root)}:{line}"
                number = Known(Number(row.uid, row.gid), KnownBy.TOOL_VERSIONS, place)
                ledger.put_user(Known(row.user, KnownBy.TOOL_VERSIONS, place), number)
'''
FILES = {
    "skaffold.yaml": "build: {artifacts: [{image: registry.example.com/web, context: web}]}\n",
    "web/Dockerfile": 'ARG BASE\nFROM ${BASE}\nCMD ["server.js"]\n',
    "web/.tool-versions": "python 3.12.1\nnodejs 20.11.1\n",
    "web.yaml": re.sub("image: .*", "image: registry.example.com/web:1", DEPLOYMENT),
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a source more: a line of the enum, and its collector."""
    copy = tmp_path_factory.mktemp("extended")
    for name in ("hardener", "transforms", "profiles"):
        shutil.copytree(ROOT / name, copy / name)
    known = copy / "hardener" / "authoring" / "known.py"
    text = known.read_text(encoding="utf-8")
    known.write_text(re.sub(r"(?=    TABLE = )", MEMBER, text, count=1), encoding="utf-8")
    write(copy, {"hardener/facts/images/collectors/tool_versions.py": COLLECTOR})
    write(copy / "tree", FILES)
    return copy


def run(copy: Path, *arguments: str) -> str:
    """What ``harden ARGUMENTS`` of the copy prints about its tree."""
    script = f"import sys; sys.path.insert(0, {str(copy)!r}); from hardener.cli import main; main()"
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=copy / "tree", capture_output=True, text=True, encoding="utf-8")
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if "json" in arguments else done.stdout + done.stderr


EVIDENCE = "web/.tool-versions:2: its service runs as 1000"


def test_a_new_source_is_named_in_the_text(extended: Path) -> None:
    found = run(extended, "diff", "-v", ".")
    assert EVIDENCE in found
    assert "1 known from a .tool-versions file" in found


def test_a_new_source_is_named_and_counted_in_json(extended: Path) -> None:
    found = json.loads(run(extended, "diff", "--format", "json", "."))
    texts = {fact["text"] for change in found["changes"] for fact in change["evidence"]}
    assert EVIDENCE in texts
    assert found["images"]["user"] == {"known": 1, "unknown": 0, "bySource": {".tool-versions": 1}}


@pytest.mark.parametrize("format", ["html", "sarif"])
def test_a_new_source_is_named_in_the_other_formats(format: str, extended: Path) -> None:
    assert EVIDENCE in run(extended, "check", "--format", format, ".")
