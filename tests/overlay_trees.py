"""Trees with a base and an overlay, and what a run makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Change, Held, Outcome, Report
from hardener.facts.kustomize.overlays.states import states
from hardener.tree.tree import Tree

from .conftest import write

HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
WEB = f"""\
{HEAD}spec:
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
      - name: web
        image: example.com/web:1.2.3
"""
BASE = {"base/web.yaml": WEB, "base/kustomization.yaml": "resources: [web.yaml]\n"}
OF_WEB = "{kind: Deployment, name: web}"
SPEC = "/spec/template/spec"


def merging(spec: str) -> dict[str, str]:
    """An overlay whose file ``user.yaml`` is a strategic merge patch of the pod spec."""
    lines = "".join(f"      {line}\n" for line in spec.strip().splitlines())
    return {
        "dev/kustomization.yaml": "resources: [../base]\npatches:\n- path: user.yaml\n",
        "dev/user.yaml": f"{HEAD}spec:\n  template:\n    spec:\n{lines}",
    }


def of_container(spec: str) -> dict[str, str]:
    """As ``merging``, of the container web."""
    return merging("containers:\n- name: web\n" + "".join(f"  {line}\n" for line in spec.strip().splitlines()))


def operating(*operations: Mapping[str, Any]) -> dict[str, str]:
    """An overlay whose file ``ops.yaml`` is a JSON patch."""
    return {
        "dev/kustomization.yaml": f"resources: [../base]\npatches:\n- path: ops.yaml\n  target: {OF_WEB}\n",
        "dev/ops.yaml": yaml.safe_dump(list(operations), sort_keys=False),
    }


def read(tree: Path, *files: Mapping[str, str], edit: str = ".") -> Tree:
    for each in files:
        write(tree, each)
    return Tree.read([str((tree / edit).resolve())], root=str(tree))


def run(tree: Path, *files: Mapping[str, str], risk: str = "guess", only: str = "", edit: str = ".") -> Outcome:
    workspace = read(tree, *files, edit=edit)
    chosen = frozenset(only.split())
    return pipeline.run(workspace, profile.load("restricted"), pipeline.Gate(Grade(risk)), only=chosen)


def patched_states(workspace: Tree) -> list[tuple[Any, ...]]:
    """What the builds of the tree make of the pods that they change."""
    pods = [pod for pod in workspace.pod_templates if not pod.object.classes]
    return [(state.object.name, state.data) for pod in pods for state in states(pod)[1:]]


def applied(outcome: Outcome, id: str) -> list[Change]:
    return [change for change in outcome.changes if change.transform.id == id]


def held(outcome: Outcome, id: str) -> Held | None:
    return next((each for each in outcome.held if each.transform.id == id), None)


def why(held: Held | None) -> list[str]:
    """The evidence of a held-back step, with the file and the line of each fact."""
    assert held is not None
    return [fact.text for fact in held.changes[0].evidence]


def findings(outcome: Outcome) -> list[Report]:
    return [finding for finding in outcome.findings if finding.id == "weakened-by-overlay"]


def place(outcome: Outcome, held: Held | None, number: int = 0) -> tuple[str, int]:
    assert held is not None
    fact = held.changes[0].evidence[number]
    assert fact.piece is not None
    return fact.piece.file.name, outcome.lines[fact.piece, fact.path]


def is_stable(tree: Path, outcome: Outcome, only: str = "", risk: str = "review") -> None:
    """Written, and run again: nothing changes."""
    for file in outcome.files:
        Path(file.file.path).write_text(file.text, encoding="utf-8")
    assert not run(tree, risk=risk, only=only).changes


USER = of_container("securityContext:\n  runAsUser: 0")
