"""Shell scripts: read for what they say about a cluster, found by line, waived by comment, never changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.engine.targets import Targets
from hardener.sources.script import Parsed
from hardener.tree.script_views import Script
from hardener.tree.tree import Tree
from tests.conftest import Harden, shared, write

EMPTY = '#!/bin/sh\n\nexec kube-apiserver --audit-log-path="" --audit-policy-file=\n'


def script(folder: Path, text: str) -> Script:
    write(folder, {"start.sh": text})
    (found,) = Targets(Tree.read([str(folder)], root=str(folder))).of(Script)
    assert isinstance(found, Script)
    return found


COMMANDS = [
    ("kubectl get pods\n", [(0, "kubectl get pods")]),
    ("# kubectl\n\nkubectl a\nls\n", [(2, "kubectl a"), (3, "ls")]),
    ("kubectl run x \\\n  --image=y\nls", [(0, "kubectl run x   --image=y"), (2, "ls")]),
    (
        "kubectl run x --overrides='{\n  \"a\": 1\n}'\nls",
        [(0, "kubectl run x --overrides='{\n  \"a\": 1\n}'"), (3, "ls")],
    ),
    ("kubectl a 'it\\'\nls", [(0, "kubectl a 'it\\'"), (1, "ls")]),
    ('kubectl a "\\""\nls', [(0, 'kubectl a "\\""'), (1, "ls")]),
    ("kubectl a 'open\n", [(0, "kubectl a 'open")]),
]


@pytest.mark.parametrize(("text", "commands"), COMMANDS)
def test_commands_are_joined(text: str, commands: list[tuple[int, str]], tmp_path: Path) -> None:
    assert list(script(tmp_path, text).commands()) == commands


def test_a_script_that_says_nothing_about_a_cluster_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"build.sh": "#!/bin/sh\nmake all\n"})
    assert not Tree.read([str(tmp_path)], root=str(tmp_path)).files


def test_comments_of_a_script() -> None:
    found = Parsed("# one\nls # two\nls a#b\n").comments()
    assert [(comment.line, comment.text, comment.alone) for comment in found] == [
        (1, "# one", True),
        (2, "# two", False),
    ]


def test_a_finding_stands_on_its_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": EMPTY})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    (found,) = report["findings"]
    assert (found["id"], found["line"]) == ("audit-flags-in-script", 3)
    assert '"audit-policy-file"' in found["advice"] or "--audit-policy-file" in found["message"]


def test_a_comment_waives_it(harden: Harden, tmp_path: Path) -> None:
    waiver = "# harden: ignore[audit-flags-in-script] a cluster of an afternoon\n"
    write(tmp_path, {"start.sh": EMPTY.replace("\n\n", f"\n{waiver}")})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert not report["findings"]


def test_a_script_is_never_changed(harden: Harden, tmp_path: Path) -> None:
    text = shared("seed", "k10-insecure.sh").read_text()
    write(tmp_path, {"k10.sh": text})
    done = harden("apply", ".", "--max-grade", "breaking", "--yes")
    assert done.status == 0
    assert (tmp_path / "k10.sh").read_text() == text
    assert "audit.k8s.io/v1" in done.out  # the policy is in the finding


SECRET = "correct-horse-battery-staple"


def test_a_script_shows_no_secret(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": EMPTY + f"export DB_PASSWORD={SECRET}\nkubectl get pods --token={SECRET}\n"})
    done = harden("diff", ".", "-v")
    assert SECRET not in done.all
