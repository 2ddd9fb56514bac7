"""Braces in manifests: data where they stand within a text of an object, a template where they make keys or lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Harden, git, write

HEAD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n"
SPEC = "spec:\n  hostPID: true\n  containers:\n  - name: a\n    image: nginx:1.27\n"


@pytest.mark.parametrize(
    ("text", "is_template"),
    [
        (f"{HEAD}  annotations:\n    note: host {{{{ $labels.target }}}} is shown\n{SPEC}", False),
        (f"{HEAD}  annotations:\n    note: host\n      shows {{{{ $labels.target }}}} here\n{SPEC}", False),
        (f"{HEAD}{SPEC.replace('1.27', '{{ tag }}')}", False),
        (f"{HEAD}  annotations:\n    note: host\n      {{{{- include 'x' . }}}}\n{SPEC}", True),
        (f"{HEAD}  annotations:\n    a{{{{ x }}}}: b\n{SPEC}", True),
        (f"{HEAD}  annotations:\n    note: a {{% if x %}}b{{% endif %}}\n{SPEC}", True),
        (f"{HEAD.replace('name: web', 'name: web-{{ x }}')}{SPEC}", True),
        (f"{HEAD.replace('Pod', 'Pod{{ x }}')}{SPEC}", True),
        (f"{HEAD}  {{{{- if x }}}}\n{SPEC}", True),
    ],
    ids=[
        "a text",
        "on two lines",
        "an image",
        "a line",
        "a key",
        "a statement",
        "a name",
        "a kind",
        "a line of its own",
    ],
)
def test_what_is_a_template(text: str, is_template: bool, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": text})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    assert ("template" in {each["id"] for each in report["findings"]}) is is_template
    assert ("no-host-pid" in {each["id"] for each in report["changes"]}) is not is_template


def test_a_last_line_without_end_bears_new_lines(harden: Harden, tmp_path: Path) -> None:
    mounts = "    volumeMounts:\n    - name: p\n      mountPath: /x\n"
    text = f"{HEAD}{SPEC}{mounts}  volumes:\n  - name: p\n    emptyDir: {{}}"
    write(tmp_path, {"a.yaml": text})
    git(tmp_path, "init", "-q")
    assert harden("apply", ".", "--yes").status == 0
    after = (tmp_path / "a.yaml").read_text()
    assert after.count("    emptyDir: {}") == 4 and not after.endswith("\n")
