"""What kubectl exports of a real cluster, imported: the kubelet's own words for users, digests and kills for memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.exports import kept_file
from hardener.exports.model import Recorded

from ..conftest import commit, run, write
from .made_images import CASES
from .node import Map, Node, started, write_archive

_REGISTRY = "registry.example.com"
# What each container runs, and as whom the kubelet starts it: uid, gid, and whether its image says so.
RAN = {
    "number-unknown": (1234, 0, True),
    "name-unknown": (1234, 1234, True),
    "root-unknown": (0, 0, True),
    "written-number": (4321, 0, False),
}
_KILLED = "killed"
_LONGEST = 120.0  # seconds
_EXPORTED = "pods,deployments,replicasets,services,endpointslices,nodes,namespaces,serviceaccounts,networkpolicies"
_GREEDY = "x=y; while true; do x=$x$x; done"


def _deployment(name: str, image: str, **container: Any) -> Map:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "app", "image": f"{_REGISTRY}/{image}:1.0.3", **container}],
                },
            },
        },
    }  # fmt: skip


def _objects() -> list[Map]:
    found = [_deployment(name, name) for name in RAN if name != "written-number"]
    found.append(_deployment("written-number", "written-number", securityContext={"runAsUser": 4321}))
    greedy = {"command": ["sh", "-c", _GREEDY], "resources": {"limits": {"memory": "24Mi"}}}
    return [*found, _deployment(_KILLED, "root-unknown", **greedy)]


@pytest.fixture(scope="module")
def kubelet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that runs the Deployments."""
    with started() as node:
        archive = tmp_path_factory.mktemp("images") / "images.tar"
        write_archive(archive, {f"{_REGISTRY}/{name}:1.0.3": CASES[name].image for name in RAN})
        node.load(archive)
        spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "shop", "labels": {"pod-security.kubernetes.io/warn": "baseline"},
        }}]  # fmt: skip
        node.kubectl("apply", "-f", "-", objects=spaces)
        node.kubectl("apply", "-f", "-", objects=_objects())
        _wait(node)
        yield node


def _wait(node: Node) -> None:
    """Until all run, and the greedy one was killed."""
    limit = time.monotonic() + _LONGEST
    while True:
        pods = json.loads(node.kubectl("get", "pods", "-n", "shop", "-o", "json"))["items"]
        statuses = {
            pod["metadata"]["labels"]["app"]: status
            for pod in pods
            for status in pod["status"].get("containerStatuses", ())
        }
        killed = statuses.pop(_KILLED, {})
        if len(statuses) == len(RAN) and all("running" in each["state"] for each in statuses.values()):
            if killed.get("restartCount", 0) > 0:
                return
        assert time.monotonic() < limit, (statuses, killed)
        time.sleep(1)


@pytest.fixture(scope="module")
def imported(kubelet: Node, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorded, str]:
    """A tree with what kubectl exported, what is kept of it, and what was said."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "export.json").write_text(kubelet.kubectl("get", _EXPORTED, "-A", "-o", "json"))
    write(folder, {f"k8s/{each['metadata']['name']}.yaml": json.dumps(each) for each in _objects()})
    commit(folder)
    done = run("import", "export.json", cwd=folder)
    assert done.status == 0, done.err
    kept = kept_file.load(str(folder))
    assert kept is not None
    return folder, kept, done.out


@pytest.mark.parametrize("name", RAN)
def test_the_user_is_the_one_that_the_kubelet_reports(
    name: str, kubelet: Node, imported: tuple[Path, Recorded, str]
) -> None:
    """A kubelet reports it from containerd 2.0 on; what the container itself says is the same."""
    ran = [(each.uid, each.gid, each.by_image) for each in imported[1].containers[f"Deployment/shop/{name}/app"].ran]
    status = _status(imported[0], name)
    assert kubelet.user(status["containerID"].rpartition("/")[2]) == RAN[name][0]
    assert ran == ([RAN[name]] if "user" in status else [])


def test_the_digest_is_the_one_that_runs(imported: tuple[Path, Recorded, str]) -> None:
    for name in RAN:
        (image,) = imported[1].containers[f"Deployment/shop/{name}/app"].images
        assert _status(imported[0], name)["imageID"].endswith(image.digest)


def _status(folder: Path, name: str) -> Map:
    """What the kubelet reports of the container of a Deployment."""
    items = json.loads((folder / "export.json").read_text())["items"]
    (pod,) = (each for each in items if each["kind"] == "Pod" and each["metadata"].get("labels", {}).get("app") == name)
    found: Map = pod["status"]["containerStatuses"][0]
    return found


def test_what_was_killed_for_memory_has_the_limit_at_which_it_was(imported: tuple[Path, Recorded, str]) -> None:
    (usage,) = imported[1].containers[f"Deployment/shop/{_KILLED}/app"].usage
    assert usage.memory_most == 24 << 20 and usage.killed > 0 and usage.restarts > 0


def test_the_cluster_is_told_without_names_of_pods_and_nodes(imported: tuple[Path, Recorded, str]) -> None:
    folder, kept, said = imported
    facts = {(fact.kind, fact.name): dict(fact.said) for fact in kept.cluster}
    assert facts["Namespace", "shop"] == {"warn": "baseline"}
    assert [name.partition(" ")[0] for kind, name in facts if kind == "Node"] == ["v1.36.2"]
    pods = [
        each["metadata"]["name"]
        for each in json.loads((folder / "export.json").read_text())["items"]
        if each["kind"] in ("Pod", "ReplicaSet")
    ]
    text = (folder / kept_file.NAME).read_text()
    assert pods and not [name for name in pods if name in text]
    assert "fits no object" not in said and "fit no object" not in said


def test_a_dump_of_the_cluster_says_the_same(
    kubelet: Node, imported: tuple[Path, Recorded, str], tmp_path: Path
) -> None:
    """``kubectl cluster-info dump``, in one stream and in a folder; logs of containers tell nothing."""
    folder, kept, _ = imported
    wanted = {name: (facts.images, facts.ran) for name, facts in kept.containers.items()}
    (tmp_path / "dump.json").write_text(kubelet.kubectl("cluster-info", "dump", "--all-namespaces", "-o", "json"))
    kubelet.kubectl(
        "cluster-info", "dump", "--all-namespaces", "-o", "json", "--output-directory", str(tmp_path / "dump")
    )
    for export in ("dump.json", "dump"):
        (folder / kept_file.NAME).unlink()
        run("import", str(tmp_path / export), cwd=folder)
        found = kept_file.load(str(folder))
        assert found is not None
        assert {
            name: ([each.digest for each in facts.images], [each.uid for each in facts.ran])
            for name, facts in found.containers.items()
        } == {name: ([i.digest for i in images], [r.uid for r in ran]) for name, (images, ran) in wanted.items()}


def test_the_image_is_pinned_to_the_digest_that_runs(imported: tuple[Path, Recorded, str]) -> None:
    folder, _, _ = imported
    run("import", "export.json", cwd=folder)
    done = run("diff", "k8s/number-unknown.yaml", "--format", "json", cwd=folder)
    (step,) = (step for step in json.loads(done.out)["changes"] if step["id"] == "pin-image-digest")
    digest = _status(folder, "number-unknown")["imageID"].rpartition("@")[2]
    assert step["after"] == f"{_REGISTRY}/number-unknown:1.0.3@{digest}"
    assert any("harden.evidence.yaml: kubectl" in fact["text"] for fact in step["evidence"])
