"""A whole application with the exports that a cluster could have made of it over 14 days, and what does not change
whatever is told."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.exports import kept_file, reading
from hardener.exports.collector import Collector
from hardener.exports.model import Facts, Recorded
from hardener.facts.network.connections import Connections
from hardener.kubernetes.objects import quantity
from hardener.tree.tree import Tree
from tests.conftest import Harden, shared, write
from tests.test_import_weighed import grades

SEEDS = 50
WEBSHOP = ("apps", "microservices-demo", "kubernetes-manifests")
FROM, TO = "2026-11-17", "2026-11-30"
ENTRANCE = "frontend"  # which is open to the outside
ANYBODY: dict[str, Any] = {"podSelector": {"any": True}}
MOST = 96 << 20  # bytes that each container used at most


@cache
def files() -> dict[str, str]:
    """Its manifests as somebody writes them who sets no context and no resources: the application has both."""
    found = {}
    for path in sorted(shared(*WEBSHOP).glob("*.yaml")):
        documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
        for document in documents:
            spec = document.get("spec", {}).get("template", {}).get("spec", {})
            for each in (spec, *spec.get("containers", ())):
                each.pop("securityContext", None)
                each.pop("resources", None)
        found[path.name] = yaml.safe_dump_all(documents)
    return found


@cache
def deployments() -> list[dict[str, Any]]:
    documents = (each for text in files().values() for each in yaml.safe_load_all(text))
    return [each for each in documents if each and each["kind"] == "Deployment"]


def pods() -> Iterator[dict[str, Any]]:
    """A pod of each Deployment, as a kubelet reports it, and its ReplicaSet."""
    for number, item in enumerate(deployments()):
        name, template = item["metadata"]["name"], item["spec"]["template"]
        made = f"{name}-6d4cf56db6"
        statuses = [
            {
                "name": each["name"], "restartCount": 0,
                "imageID": f"{each['image'].partition('@')[0]}@sha256:{number:064x}",
                "user": {"linux": {"uid": 1000, "gid": 1000}},
            }
            for each in template["spec"]["containers"]
        ]  # fmt: skip
        yield {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": made, "namespace": "default",
                "ownerReferences": [{"kind": "Deployment", "name": name, "controller": True}],
            },
            "spec": {"template": template},
        }  # fmt: skip
        yield {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": f"{made}-x7k2p", "namespace": "default", "labels": template["metadata"]["labels"],
                "ownerReferences": [{"kind": "ReplicaSet", "name": made, "controller": True}],
            },
            "spec": template["spec"], "status": {"phase": "Running", "containerStatuses": statuses},
        }  # fmt: skip


def usage() -> dict[str, Any]:
    """What Prometheus answers: a sample a day of the memory and the cpu of each container."""
    days = range(1763337600, 1763337600 + 14 * 86400, 86400)  # FROM to TO, of 2025 in a year that is long past
    shift = 365 * 86400
    result = []
    for item in deployments():
        for container in item["spec"]["template"]["spec"]["containers"]:
            labels: dict[str, str] = {
                "namespace": "default", "pod": f"{item['metadata']['name']}-6d4cf56db6-x7k2p",
                "container": container["name"],
            }  # fmt: skip
            memory: list[Any] = [[day + shift, str(MOST - (day // 86400 % 7 << 20))] for day in days]
            cpu: list[Any] = [[day + shift, str((day - days[0]) * 0.05)] for day in days]
            for name, values in (
                ("container_memory_working_set_bytes", memory), ("container_cpu_usage_seconds_total", cpu),
            ):  # fmt: skip
                result.append({"metric": {"__name__": name, **labels}, "values": values})
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def talks(rng: random.Random) -> list[tuple[str, str, int]]:
    """Who was seen to talk to whom: half of what the manifests name, and three pairs that none does."""
    tree = webshop(None)
    named = sorted(
        {
            (edge.client.object.name, edge.server.object.name, int(port.port))
            for edge in tree.ask(Connections).edges
            for port in edge.ports
        }
    )
    names = [item["metadata"]["name"] for item in deployments()]
    more = {(names[0], names[3], 9000), (names[5], names[1], 9001), (names[7], names[2], 9002)}
    return sorted(set(rng.sample(named, len(named) // 2)) | more)


def flows(pairs: list[tuple[str, str, int]]) -> Iterator[dict[str, Any]]:
    for day in (FROM, TO):
        for client, server, port in pairs:
            sides = {
                side: {
                    "namespace": "default", "pod_name": f"{name}-6d4cf56db6-x7k2p",
                    "workloads": [{"kind": "Deployment", "name": name}],
                }
                for side, name in (("source", client), ("destination", server))
            }  # fmt: skip
            layer = {"TCP": {"source_port": 40000, "destination_port": port}}
            yield {
                "flow": {"time": f"{day}T09:00:00Z", "verdict": "FORWARDED", "l4": layer, "is_reply": False, **sides}
            }


def profiles(rng: random.Random) -> Iterator[dict[str, Any]]:
    """What kubescape recorded: each container writes to /tmp, some use a capability or write to a file of theirs."""
    for item in deployments():
        name = item["metadata"]["name"]
        for container in item["spec"]["template"]["spec"]["containers"]:
            opens = [{"path": "/tmp/x", "flags": ["O_WRONLY", "O_CREAT"]}]
            opens += [{"path": "/app/state", "flags": ["O_RDWR"]}] if rng.random() < 0.3 else []
            yield {
                "apiVersion": "spdx.softwarecomposition.kubescape.io/v1beta1", "kind": "ContainerProfile",
                "metadata": {"name": f"{name}-x", "namespace": "default", "labels": {
                    "kubescape.io/workload-kind": "Deployment", "kubescape.io/workload-name": name,
                    "kubescape.io/workload-namespace": "default",
                    "kubescape.io/workload-container-name": container["name"],
                }},
                "spec": {
                    "opens": opens, "capabilities": ["CHOWN"] if rng.random() < 0.3 else [],
                    "syscalls": ["read", *(["bpf"] if rng.random() < 0.2 else [])],
                    "execs": [{"path": "/usr/bin/sudo"}] if rng.random() < 0.2 else [],
                },
            }  # fmt: skip


def webshop(folder: Path | None) -> Tree:
    if folder is None:
        root = shared(*WEBSHOP)
        return Tree.read([str(root)], root=str(root))
    write(folder, files())
    return Tree.read([str(folder)], root=str(folder))


@dataclass(frozen=True)
class Exported:
    """The files of an export, what ``harden import`` keeps of them, and the pairs that talk in it."""

    told: Recorded
    pairs: set[tuple[str, str]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """An export of the application over 14 days."""
    rng = random.Random(38)
    pairs = talks(rng)
    folder = tmp_path_factory.mktemp("exports")
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*pods()]}))
    (folder / "usage.json").write_text(json.dumps(usage()))
    (folder / "flows.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in flows(pairs)))
    (folder / "profiles.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in profiles(rng)))
    collector = Collector("2026-12-01")
    outcomes = [reading.read_file(path, collector) for path in reading.files_of([str(folder)])]
    assert [outcome.problem for outcome in outcomes] == [None] * 4
    return Exported(collector.result(), {pair[:2] for pair in pairs})


def hardened(folder: Path, told: Recorded | None, max_grade: Grade = Grade.BREAKING) -> Outcome:
    tree = webshop(folder)
    tree.recorded = told
    return pipeline.run(tree, profile.load("restricted"), pipeline.Gate(max_grade))


def test_the_exports_turn_guesses_into_what_is_known(exported: Exported, tmp_path: Path) -> None:
    before = Counter(grades(hardened(tmp_path / "a", None)).values())
    after = Counter(grades(hardened(tmp_path / "b", exported.told)).values())
    assert (before[Grade.GUESS], after[Grade.GUESS]) == (44, 1)  # of an init container, which no export shows
    assert after[Grade.BREAKING] > before[Grade.BREAKING]  # what contradicts a recording
    assert len(exported.told.containers) == sum(len(d["spec"]["template"]["spec"]["containers"]) for d in deployments())


def test_numbers_are_those_of_usage(exported: Exported, tmp_path: Path) -> None:
    """Each limit is 1.5 times the largest sample."""
    changes = [each for each in hardened(tmp_path, exported.told).changes if "initContainers" not in each.path]
    limits = [quantity.parse(change.after) for change in changes if change.transform.id == "memory-limit"]
    assert set(limits) == {MOST * 3 // 2} and len(limits) == len(deployments())


def test_policies_let_through_what_was_seen_and_what_is_named(
    exported: Exported, harden: Harden, tmp_path: Path
) -> None:
    named = {(edge.client.object.name, edge.server.object.name) for edge in webshop(None).ask(Connections).edges}
    write(tmp_path, files() | {kept_file.NAME: kept_file.written(exported.told)})
    found = harden("apply", "--only", "netpol-workload", "--max-grade", "guess", "--format", "json", ".").out
    documents = [each for path in tmp_path.glob("*.yaml") for each in yaml.safe_load_all(path.read_text()) if each]
    policies = [each["spec"] for each in documents if each.get("kind") == "NetworkPolicy"]
    opened = {pair for policy in policies for pair in _opened(policy)}
    wanted = named | exported.pairs
    assert {pair for pair in opened if pair[1] != ENTRANCE} == {pair for pair in wanted if pair[1] != ENTRANCE}
    assert {pair for pair in wanted if pair[1] == ENTRANCE} <= opened
    watched = {name for pair in exported.pairs for name in pair}
    never = {pair for pair in named - exported.pairs if pair[0] in watched}
    assert never and found.count("saw no connection: it stays open") == len(never)


def _opened(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The pairs that a policy lets through, as client and server."""
    labels = {item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"] for item in deployments()}
    servers = [name for name in labels if _selects(policy["podSelector"], labels[name])]
    for rule in policy.get("ingress", ()):
        for peer in rule.get("from", [ANYBODY]):
            for client in labels:
                if "namespaceSelector" not in peer and _selects(peer.get("podSelector", {}), labels[client]):
                    yield from ((client, server) for server in servers)


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    named = [(each["key"], each["values"]) for each in selector.get("matchExpressions", ()) if each["operator"] == "In"]
    named += [(key, [value]) for key, value in selector.get("matchLabels", {}).items()]
    return selector == ANYBODY["podSelector"] or all(labels.get(key) in values for key, values in named)


def half(told: Recorded, rng: random.Random) -> Recorded:
    """``told`` with half of its facts."""
    containers = {
        name: Facts(
            *(kind if rng.random() < 0.5 else () for kind in (getattr(facts, f) for f in facts.__struct_fields__))
        )
        for name, facts in told.containers.items()
    }
    peers = tuple(peer for peer in told.peers if rng.random() < 0.5)
    workloads = {name: about for name, about in told.workloads.items() if rng.random() < 0.5}
    return replace(told, containers=containers, peers=peers, workloads=workloads)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], Grade]:
    """The grades of the changes without any evidence."""
    return grades(hardened(tmp_path_factory.mktemp("without"), None))


@pytest.mark.sampled(25)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_half_of_the_facts_makes_no_change_less_careful_than_none(
    seed: int,
    without: dict[tuple[str, str, str], Grade],
    exported: Exported,
    tmp_path: Path,
) -> None:
    """What is held back without evidence is held back with some of it, or a fact about it is named; and nothing that
    is breaking becomes safe."""
    outcome = hardened(tmp_path / "tree", half(exported.told, random.Random(seed)))
    after = grades(outcome)
    both = without.keys() & after.keys()
    assert not [key for key in both if without[key] is Grade.BREAKING and after[key] is Grade.SAFE]
    cited = {
        (change.transform.id, str(change.object))
        for change in outcome.changes
        if any("harden.evidence.yaml" in fact.text for fact in change.edit.evidence)
    }
    surer = {key for key in both if after[key].rank < without[key].rank}
    # Of a read-only root the user decides, too, where no place is known: the change of the user names the fact.
    cited |= {("read-only-root-filesystem", name) for transform, name in cited if transform == "run-as-user"}
    assert not {key[:2] for key in surer} - cited  # a volume has no evidence of its own


def test_without_the_kept_file_the_bytes_are_those_of_before(
    exported: Exported, harden: Harden, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    write(folder, {"emailservice.yaml": files()["emailservice.yaml"]})
    before = harden("diff", str(folder)).all
    write(folder, {kept_file.NAME: kept_file.written(exported.told)})
    told = harden("diff", str(folder)).all
    (folder / kept_file.NAME).unlink()
    assert before == harden("diff", str(folder)).all
    assert told
