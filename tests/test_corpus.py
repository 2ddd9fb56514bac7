"""The corpus of real repositories: nothing is broken, lost or touched without need, and twice is once."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CORPUS, CorpusTree, lone_comments, run, shared, snapshot

pytestmark = pytest.mark.slow

SMALL = ("bad-pods", "microservices-demo", "podinfo")


@pytest.mark.parametrize("name", SMALL)
def test_all_invariants_hold(name: str) -> None:
    command = [sys.executable, str(shared("tools", "invariants")), "--profile", "restricted",
               "--harden", f"{shlex.quote(sys.executable)} -m hardener", str(shared("corpus", name))]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "all invariants hold", done.stdout + done.stderr


_LONG = ("kubernetes-examples", "microservices-demo")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] * (name in _LONG)) for name in CORPUS])
def test_a_second_run_changes_nothing(name: str, corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus(name)
    again = run("apply", ".", cwd=tree.folder)
    assert again.status == 0
    assert snapshot(tree.folder) == tree.after
    assert run("diff", ".", cwd=tree.folder).status == 0


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_else_is_touched(name: str, corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus(name)
    new = tree.after.keys() - tree.before.keys()
    assert tree.before.keys() <= tree.after.keys() and all(re.match("(.+_)?harden-", Path(file).name) for file in new)
    assert tree.report["refused"] == [] or name not in SMALL
    for file, (old_mode, old) in tree.before.items():
        mode, content = tree.after[file]
        assert mode == old_mode
        if content != old:
            assert content.count(b"\r\n") == old.count(b"\r\n") or content.count(b"\r\n") == content.count(b"\n")
            assert content.endswith(b"\n") == old.endswith(b"\n")
            assert lone_comments(content.decode()) == lone_comments(old.decode()), file


@pytest.mark.parametrize("name", CORPUS)
def test_no_crash_and_no_warning(name: str, corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus(name)
    said = tree.diff.err.partition("\n")[0]  # the report; a warning would come first
    assert said.startswith("harden ") and "Traceback" not in tree.diff.err
    assert tree.diff.status == 1


# -- tokens


def _pods(text: str) -> dict[str, dict[str, Any]]:
    """The pod specs of the Deployments, StatefulSets and DaemonSets of ``text``, by name."""
    found = {}
    for document in yaml.safe_load_all(text):
        if isinstance(document, dict) and document.get("kind") in ("Deployment", "StatefulSet", "DaemonSet"):
            found[document["metadata"]["name"]] = document["spec"]["template"]["spec"]
    return found


def _with_token(pod: dict[str, Any]) -> set[str]:
    """The containers of ``pod`` that get a token of the API, which is projected or that of the account."""
    containers = [*pod.get("initContainers", []), *pod["containers"]]
    if pod.get("automountServiceAccountToken") is not False:
        return {container["name"] for container in containers}
    projected = {
        volume["name"]
        for volume in pod.get("volumes", [])
        if any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))
    }
    return {
        container["name"]
        for container in containers
        for mount in container.get("volumeMounts", [])
        if mount["name"] in projected
    }


def test_argo_cd_mounts_tokens_where_they_are_used(corpus: Callable[[str], CorpusTree]) -> None:
    text = corpus("argo-cd").after["install.yaml"][1].decode()
    assert {name: _with_token(pod) for name, pod in _pods(text).items()} == {
        "argocd-application-controller": {"argocd-application-controller"},
        "argocd-applicationset-controller": {"argocd-applicationset-controller"},
        "argocd-dex-server": {"dex"},  # not copyutil, which prepares its files
        "argocd-notifications-controller": {"argocd-notifications-controller"},
        "argocd-redis": {"secret-init"},  # not redis
        "argocd-repo-server": set(),  # as its authors wrote it
        "argocd-server": {"argocd-server"},
    }


def test_kube_prometheus_mounts_tokens_where_they_are_used(corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus("kube-prometheus")
    files = (
        content for name, (_, content) in tree.after.items() if name.endswith(("deployment.yaml", "daemonset.yaml"))
    )
    text = "\n---\n".join(content.decode() for content in files)
    assert {name: _with_token(pod) for name, pod in _pods(text).items()} == {
        "blackbox-exporter": {"kube-rbac-proxy"},
        "grafana": set(),
        "kube-state-metrics": {"kube-state-metrics", "kube-rbac-proxy-main", "kube-rbac-proxy-self"},
        "node-exporter": {"kube-rbac-proxy"},
        "prometheus-adapter": {"prometheus-adapter"},
        "prometheus-operator": {"prometheus-operator", "kube-rbac-proxy"},
    }
    # The operator makes pods that run as this account, and ask for the token of nobody else.
    assert tree.after["prometheus-serviceAccount.yaml"] == tree.before["prometheus-serviceAccount.yaml"]


# -- namespace labels


def test_kube_prometheus_enforces_no_level(corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus("kube-prometheus")
    changes = [change for change in tree.report["changes"] if change["id"] == "namespace-pss-labels"]
    assert not [change for change in changes if "enforce" in change["path"][-1]]
    found = [finding for finding in tree.report["findings"] if finding["id"] == "namespace-pss-labels"]
    (message,) = (finding["message"] for finding in found)
    assert message.startswith("DaemonSet/node-exporter keeps namespace monitoring from any Pod Security level: ")
    # That it stands elsewhere would not be enough: the operator makes pods there.
    assert "; besides, the operator of Alertmanager/main makes pods of it (and " in message
    made = [finding["object"]["kind"] for finding in tree.report["findings"] if finding["id"] == "operator-resource"]
    assert made == ["Alertmanager", "Prometheus"]


def test_argo_cd_enforces_nothing_that_an_overlay_breaks(corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus("argo-cd")
    levels = {
        change["object"]["name"]: change["after"]
        for change in tree.report["changes"]
        if change["path"][-1:] == ["pod-security.kubernetes.io/enforce"]
    }
    assert levels == {"argocd": "baseline"}
    (message,) = (f["message"] for f in tree.report["findings"] if f["id"] == "namespace-pss-labels")
    assert message.endswith("as dev-tilt/kustomization.yaml patches it")
