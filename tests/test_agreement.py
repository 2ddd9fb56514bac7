"""One text of two containers: it changes where a transform wants the same of both, with all that each of them takes."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from .conftest import Harden, write

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
  - name: a
    image: example.com/a:1
    securityContext: &context
      runAsUser: 1000
  - name: b
    image: {image}
    securityContext: *context
"""
PROGRAM = """\
CONTEXT = {{"runAsUser": 1000}}
POD = {{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "web"}}, "spec": {{"containers": [
    {{"name": "a", "image": "example.com/a:1", "securityContext": CONTEXT}},
    {{"name": "b", "image": "{image}", "securityContext": CONTEXT}},
]}}}}
"""


def test_each_container_gets_its_scratch_space(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.yaml": POD.format(image="example.com/b:1")})
    assert harden("apply", ".", "--yes", "--only", "read-only-root-filesystem").status == 0
    spec = yaml.safe_load((tmp_path / "pod.yaml").read_text())["spec"]
    assert [one["securityContext"]["readOnlyRootFilesystem"] for one in spec["containers"]] == [True, True]
    mounts = [one["volumeMounts"] for one in spec["containers"]]
    assert mounts == [[{"name": f"harden-{name}-tmp", "mountPath": "/tmp"}] for name in "ab"]
    assert [volume["name"] for volume in spec["volumes"]] == ["harden-a-tmp", "harden-b-tmp"]


def test_a_program_that_shares_a_context_gets_scratch_space_for_each(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": PROGRAM.format(image="example.com/b:1")})
    assert harden("apply", ".", "--yes", "--only", "read-only-root-filesystem").status == 0
    text = (tmp_path / "pod.py").read_text()
    assert text.count("readOnlyRootFilesystem") == 1
    assert text.count('"name": "harden-a-tmp"') == text.count('"name": "harden-b-tmp"') == 2


def test_what_one_of_them_does_not_take_is_made_for_none(harden: Harden, tmp_path: Path) -> None:
    waived = "  # harden: ignore[read-only-root-filesystem] its cache is beside the program\n  - name: b"
    write(tmp_path, {"pod.yaml": POD.format(image="example.com/b:1").replace("  - name: b", waived)})
    report = json.loads(harden("diff", ".", "--only", "read-only-root-filesystem", "--format", "json").out)
    assert report["changes"] == []
