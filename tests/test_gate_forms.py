"""Forms in which a change brings an object past a gate that reads manifests: charts, patches that a controller makes,
texts in programs, blocks and scripts, custom resources. The gate ends with 2 for what it does not judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Done, Harden, git, write

GOOD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, labels: {app: p}}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {seccompProfile: {type: RuntimeDefault}, runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001}
  containers:
  - name: c
    image: registry.example.com/shop/p:1@sha256:DIGEST
    resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 64Mi}}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
""".replace("DIGEST", "a" * 64)
_DATA = Path(__file__).parent / "data"
TRICKS: dict[str, dict[str, Any]] = yaml.safe_load((_DATA / "gate-forms.yaml").read_text())
HONEST: dict[str, dict[str, str]] = yaml.safe_load((_DATA / "gate-honest.yaml").read_text())


@pytest.mark.parametrize("trick", TRICKS)
def test_what_is_not_judged_ends_with_2(trick: str, harden: Harden, tmp_path: Path) -> None:
    added, line = TRICKS[trick]["files"], TRICKS[trick]["says"]
    done, said = gate(added, harden, tmp_path)
    assert done.status == 2 and [one for one in said if line in one], (said, done.all)


@pytest.mark.parametrize("part", HONEST)
def test_what_people_keep_beside_manifests_is_looked_at(part: str, harden: Harden, tmp_path: Path) -> None:
    done, said = gate(HONEST[part], harden, tmp_path)
    assert done.status in (0, 1) and not said, (said, done.all)


def test_all_of_it_together_is_looked_at(harden: Harden, tmp_path: Path) -> None:
    """But for what has the name of another file."""
    every = {name: text for part in HONEST.values() for name, text in part.items()}
    done, said = gate(every, harden, tmp_path)
    assert done.status in (0, 1) and not said, (said, done.all)


def gate(added: dict[str, str], harden: Harden, tmp_path: Path) -> tuple[Done, list[str]]:
    """The gate over a tree with a hardened Pod and what is ``added``, and its lines about what was not looked at."""
    tree = tmp_path / "tree"
    write(tree, {"k8s/good.yaml": GOOD, **{f"k8s/{name}": text for name, text in added.items()}})
    git(tree, "init", "-q")
    git(tree, "remote", "add", "origin", "https://git.example/x/tree.git")
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "critical", cwd=tree)
    return done, [one for one in done.out.splitlines() if "not looked at: " in one[:17]]


def test_a_chart_of_another_repository_is_not_the_one_of_the_tree(harden: Harden, tmp_path: Path) -> None:
    """Though the repository has the same name, and the tree a chart at that place."""
    tree = tmp_path / "tree"
    application = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\n"
        "spec: {source: {repoURL: 'https://evil.example/x/tree.git', path: charts/web}}\n"
    )
    write(tmp_path, {"own.yaml": "helm: {values: true}\n"})
    write(
        tree, {"k8s/good.yaml": GOOD, "k8s/a.yaml": application, "charts/web/Chart.yaml": "name: web\nversion: 1.0.0\n"}
    )
    git(tree, "init", "-q")
    git(tree, "remote", "add", "origin", "https://git.example/x/tree.git")
    done = harden("check", "k8s", "--no-waivers", "--config", str(tmp_path / "own.yaml"), cwd=tree)
    assert done.status == 2 and "not looked at: k8s/a.yaml:1: Application a is rendered into workloads" in done.out


# A lock from outside of the tree.

LOCK = "version: 1\nimages:\n  registry.example.com/shop/d:1:\n    digest: sha256:" + "b" * 64 + "\n"
PINNED = {"d.yaml": GOOD.replace("p:1@sha256:" + "a" * 64, "d:1").replace("name: p,", "name: d,")}


def test_a_lock_from_outside_counts(harden: Harden, tmp_path: Path) -> None:
    tree, lock = tmp_path / "tree", tmp_path / "known.lock"
    write(tree, {f"k8s/{name}": text for name, text in PINNED.items()})
    git(tree, "init", "-q")
    write(tmp_path, {"known.lock": LOCK, "tree/harden.lock": LOCK.replace("b" * 64, "c" * 64)})
    alone = harden("diff", "k8s", "--no-waivers", cwd=tree).all
    assert "sha256:" not in alone
    given = harden("diff", "k8s", "--no-waivers", "--lock", str(lock), cwd=tree).all
    assert "sha256:" + "b" * 64 in given and "c" * 64 not in given


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("harden.lock", "--no-waivers: --lock harden.lock is in the tree that is judged; name a file outside of it"),
        ("../gone.lock", "gone.lock"),
    ],
)
def test_a_lock_that_does_not_count_is_an_error(name: str, error: str, harden: Harden, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree, {"k8s/good.yaml": GOOD, "harden.lock": LOCK})
    git(tree, "init", "-q")
    done = harden("check", "k8s", "--no-waivers", "--lock", name, cwd=tree)
    assert done.status == 2 and error in done.err
