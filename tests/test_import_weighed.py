"""What a cluster told, weighed: it beats tables and defaults, it never makes a change less careful, and its silence
proves nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from msgspec.structs import replace

from hardener.authoring import profile
from hardener.authoring.edits import Basis, Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.exports.model import Capabilities, Facts, Image, Peer, Ran, Recorded, Source, Usage, Writes
from hardener.facts.network.connections import Connections
from hardener.tree.tree import Settings, Tree
from tests.conftest import ROOT, Harden, shared, write

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
SOURCES = {
    "a1": Source("kubectl", "pods.json", "2026-11-30"),
    "a2": Source("kubescape ContainerProfile", "profiles.json", "2026-11-30", "2026-11-17"),
    "a3": Source("VerticalPodAutoscaler", "pods.json", "2026-11-30"),
    "a4": Source("Hubble", "flows.jsonl", "2026-11-30", "2026-11-17"),
}
KEY = "Deployment/shop/web/web"


def manifest(image: str = "acme/app:1.2.3", **container: Any) -> str:
    return json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image, **container}]},
            },
        },
    })  # fmt: skip


def recorded(*, key: str = KEY, peers: tuple[Peer, ...] = (), **facts: Any) -> Recorded:
    """A kept file with these facts of one container."""
    several = {name: fact if isinstance(fact, tuple) else (fact,) for name, fact in facts.items()}
    return Recorded(SOURCES, {key: Facts(**several)} if facts else {}, {}, peers)


def run(folder: Path, files: dict[str, str] | str, told: Recorded | None, max_grade: Grade = Grade.BREAKING) -> Outcome:
    write(folder, {"k8s/web.yaml": files} if isinstance(files, str) else files)
    tree = Tree.read([str(folder)], root=str(folder), settings=Settings())
    tree.recorded = told
    return pipeline.run(tree, profile.load("restricted"), pipeline.Gate(max_grade))


def grades(outcome: Outcome) -> dict[tuple[str, str, str], Grade]:
    """The least sure grade of each change, by transform, object and place."""
    found: dict[tuple[str, str, str], Grade] = {}
    for change in outcome.changes:
        key = (change.transform.id, str(change.object), str(change.path))
        found[key] = max(found.get(key, Grade.SAFE), change.edit.grade, key=lambda grade: grade.rank)
    return found


def of(outcome: Outcome, transform: str) -> tuple[set[str], set[str], str]:
    """The grades and bases of the changes of ``transform``, and all evidence of them in one text."""
    edits = [change.edit for change in outcome.changes if change.transform.id == transform]
    text = "; ".join(dict.fromkeys(fact.text for edit in edits for fact in edit.evidence))
    return {edit.grade.value for edit in edits}, {edit.basis.value for edit in edits}, text


def values(outcome: Outcome, transform: str) -> list[Any]:
    return [change.after for change in outcome.changes if change.transform.id == transform]


USAGE = Usage("a3", 35, 400, 50 << 20, 120 << 20)


def test_usage_becomes_the_numbers_and_says_where_it_is_from(tmp_path: Path) -> None:
    found = run(tmp_path, manifest(), recorded(usage=USAGE))
    assert values(found, "memory-limit") == ["120Mi"] and values(found, "cpu-limit") == ["400m"]
    assert values(found, "resource-requests") == ["35m", "50Mi"]
    for transform in ("memory-limit", "cpu-limit", "resource-requests"):
        assert of(found, transform)[1] == {Basis.PROVED.value}
        assert "VerticalPodAutoscaler (2026-11-30)" in of(found, transform)[2]


def test_a_limit_that_a_person_wrote_is_never_lowered(tmp_path: Path) -> None:
    text = manifest(resources={"limits": {"memory": "4Gi"}, "requests": {"memory": "3Gi"}})
    assert values(run(tmp_path, text, recorded(usage=USAGE)), "memory-limit") == []


def test_a_limit_is_above_the_one_at_which_it_was_killed(tmp_path: Path) -> None:
    killed = Usage("a1", memory_most=256 << 20, killed=1)
    assert values(run(tmp_path, manifest(), recorded(usage=(USAGE, killed))), "memory-limit") == ["512Mi"]


def test_no_limit_comes_of_a_kill_of_which_nobody_tells_the_limit(tmp_path: Path) -> None:
    killed = (USAGE, Usage("a1", killed=1))
    assert values(run(tmp_path, manifest(), recorded(usage=killed)), "memory-limit") == ["1Gi"]


def test_a_profile_may_keep_to_the_table(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": manifest(), "harden.evidence.yaml": ""})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    tree.recorded = recorded(usage=USAGE)
    chosen = profile.load("restricted")
    chosen.set_option("resources.source", "table", "--set")
    assert values(pipeline.run(tree, chosen, pipeline.Gate(Grade.BREAKING)), "memory-limit") == ["2Gi"]


def test_the_digest_that_runs_is_pinned_and_looked_at(tmp_path: Path) -> None:
    found = run(tmp_path, manifest(), recorded(images=Image("a1", "acme/app:1.2.3", DIGEST)))
    assert values(found, "pin-image-digest") == [f"acme/app:1.2.3@{DIGEST}"]
    assert of(found, "pin-image-digest")[:2] == ({"review"}, {"proved"})


@pytest.mark.parametrize(
    "images",
    [
        (Image("a1", "acme/app:1.2.4", DIGEST),),
        (Image("a1", "acme/app:1.2.3", DIGEST), Image("a1", "acme/app:1.2.3", OTHER)),
    ],
    ids=("another tag", "two digests of one tag"),
)
def test_no_digest_is_taken_of_what_may_be_another_image(images: tuple[Image, ...], tmp_path: Path) -> None:
    assert values(run(tmp_path, manifest(), recorded(images=images)), "pin-image-digest") == []


def test_the_number_that_its_image_runs_as_is_known(tmp_path: Path) -> None:
    before = of(run(tmp_path, manifest(), None), "run-as-user")
    after = run(tmp_path, manifest(), recorded(ran=Ran("a1", 1000, 1000, by_image=True)))
    assert before[0] == {"guess"} and of(after, "run-as-user")[0] == {"safe"}
    assert 1000 in values(after, "run-as-user") and "kubectl (2026-11-30)" in of(after, "run-as-user")[2]


def test_a_number_that_the_pod_set_says_nothing_of_the_image(tmp_path: Path) -> None:
    before = of(run(tmp_path, manifest(), None), "run-as-user")
    assert of(run(tmp_path, manifest(), recorded(ran=Ran("a1", 1000, 1000))), "run-as-user") == before


def test_a_file_of_the_image_that_was_opened_for_writing_holds_the_read_only_root(tmp_path: Path) -> None:
    wrote = Writes("a2", ("/var/cache/app",), ("/etc/app/app.conf",))
    found = of(run(tmp_path, manifest(), recorded(writes=wrote)), "read-only-root-filesystem")
    assert found[0] == {"breaking"} and "it opened /etc/app/app.conf for writing" in found[2]


def test_the_silence_of_a_recording_is_one_to_look_at_with_its_length(tmp_path: Path) -> None:
    found = run(tmp_path, manifest(), recorded(writes=Writes("a2", ("/var/cache/app",))))
    grade, _, text = of(found, "read-only-root-filesystem")
    assert grade == {"review"} and "14 days of recording show no write elsewhere" in text
    assert {"name": "harden-web-var-cache-app", "mountPath": "/var/cache/app"} in values(
        found, "read-only-root-filesystem"
    )


HINTS = {
    "of another digest": manifest(f"acme/app:1.2.3@{OTHER}"),
    "too old": manifest(),
}  # fmt: skip


@pytest.mark.parametrize("case", HINTS)
def test_a_hint_speaks_against_a_change_and_never_for_one(case: str, tmp_path: Path) -> None:
    facts: dict[str, Any] = {
        "images": Image("a1", "acme/app:1.2.3", DIGEST), "ran": Ran("a1", 1000, 1000, by_image=True),
        "writes": Writes("a2", ("/var/cache/app",), ("/etc/app/app.conf",)), "usage": USAGE,
    }  # fmt: skip
    told = recorded(**facts)
    if case == "too old":
        told = replace(told, sources={key: replace(each, last="2020-01-01") for key, each in SOURCES.items()})
    found = run(tmp_path, HINTS[case], told)
    assert of(found, "run-as-user")[0] == {"guess"} and values(found, "memory-limit") == ["2Gi"]
    assert of(found, "read-only-root-filesystem")[0] == {"breaking"}


def test_two_objects_that_may_be_meant_get_nothing(tmp_path: Path) -> None:
    files = {"a/web.yaml": manifest(), "b/web.yaml": manifest()}
    found = run(tmp_path, files, recorded(usage=USAGE))
    assert set(values(found, "memory-limit")) == {"2Gi"}


def test_a_workload_is_known_by_the_name_that_a_kustomization_makes(tmp_path: Path) -> None:
    bare = json.loads(manifest())
    del bare["metadata"]["namespace"]
    files = {
        "k8s/web.yaml": json.dumps(bare),
        "k8s/kustomization.yaml": "namespace: prod\nnamePrefix: eu-\nresources: [web.yaml]\n",
    }
    found = run(tmp_path, files, recorded(key="Deployment/prod/eu-web/web", usage=USAGE))
    assert values(found, "memory-limit") == ["120Mi"]


def test_nothing_that_the_tree_says_of_itself_counts_in_the_gate(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": manifest(), "pods.json": json.dumps({"hello": 1})})
    write(tmp_path, {"harden.evidence.yaml": KEPT})
    own = json.loads(harden("check", "--format", "json", ".").out)
    gate = json.loads(harden("check", "--no-waivers", "--format", "json", ".").out)
    assert "120Mi" in json.dumps(own) and "120Mi" not in json.dumps(gate)


KEPT = f"""\
version: 1
sources:
  a1: {{tool: VerticalPodAutoscaler, file: pods.json, to: "2026-11-30"}}
containers:
  {KEY}:
  - used: {{cpu: 35m, cpuMost: 400m, memory: 50Mi, memoryMost: 120Mi, by: a1}}
"""


# Who talks to whom.

SHOP = {
    "web.yaml": manifest(env=[{"name": "API_ADDR", "value": "api:8080"}, {"name": "DB_ADDR", "value": "db:5432"}]),
    **{
        f"{name}.yaml": manifest(ports=[{"containerPort": port}]).replace('"web"', f'"{name}"')
        + "\n---\n" + json.dumps({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
        })
        for name, port in (("api", 8080), ("db", 5432), ("cache", 6379))
    },
}  # fmt: skip
FLOWS = """\
version: 1
sources:
  a1: {tool: Hubble, file: flows.jsonl, from: "2026-11-17", to: "2026-11-30"}
peers:
- {from: Deployment/shop/web, to: Deployment/shop/api, port: 8080, by: a1}
- {from: Deployment/shop/web, to: Deployment/shop/cache, port: 6379, by: a1}
- {from: Deployment/shop/api, to: Deployment/shop/db, port: 5432, by: a1}
"""
DRAWN = {
    "text": (
        "-> Deployment/api 8080/TCP [both]", "-> Deployment/db 5432/TCP [inferred]",
        "-> Deployment/cache 6379/TCP [seen]", "[seen] seen, and nothing in the tree names it;",
    ),
    "mermaid": (
        "==>|8080/TCP|", "-->|5432/TCP|", "--o|6379/TCP|", 'both1["client"] ==>|"named in the tree, and seen"| both2',
    ),
    "dot": (
        '[label="8080/TCP", style=bold];', '[label="5432/TCP"];', '[label="6379/TCP", style=bold, arrowhead=odot];',
        'label="named in the tree, not seen"',
    ),
    "json": ('"how": "both"', '"how": "inferred"', '"how": "seen"'),
}  # fmt: skip


@pytest.mark.parametrize("format", DRAWN)
def test_the_graph_draws_what_was_seen_what_was_inferred_and_both(format: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    before = harden("graph", "--format", format, ".").out
    write(tmp_path, {"harden.evidence.yaml": FLOWS})
    drawn = harden("graph", "--format", format, ".").out
    for part in DRAWN[format]:
        assert (
            part.replace("|8080/TCP|", '|"8080/TCP"|')
            .replace("|5432/TCP|", '|"5432/TCP"|')
            .replace("|6379/TCP|", '|"6379/TCP"|')
            in drawn
        )
    assert "legend" not in before and "[both]" not in before and '"how"' not in before
    if format == "json":
        schema = json.loads((ROOT / "hardener" / "report" / "graph.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads(drawn), schema)


def test_the_page_draws_them_too(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, SHOP | {"harden.evidence.yaml": FLOWS})
    page = harden("check", "--format", "html", ".").out
    assert 'class="arrow both"' in page and 'class="arrow seen"' in page and "Thick lines were seen" in page


def test_a_policy_lets_the_union_through_and_says_what_was_never_seen(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, SHOP | {"harden.evidence.yaml": FLOWS})
    harden("apply", "--max-grade", "guess", "--set", "network-policy.egress=true", ".")
    documents = (each for path in tmp_path.rglob("*.yaml") for each in yaml.safe_load_all(path.read_text()))
    policies = {each["metadata"]["name"]: each["spec"] for each in documents if each.get("kind") == "NetworkPolicy"}
    assert [rule["ports"][0]["port"] for rule in policies["harden-cache"]["ingress"]] == [6379]
    callers = [peer["podSelector"]["matchLabels"]["app"] for peer in policies["harden-db"]["ingress"][0]["from"]]
    assert sorted(callers) == ["api", "web"]
    never = "it names Deployment/db, and the recording of 2026-11-17 to 2026-11-30 saw no connection: it stays open"
    assert never in harden("check", "--format", "json", ".").out


# A whole application, with an export that is made for it.

WEBSHOP = ("apps", "microservices-demo", "kubernetes-manifests")
DAYS = ("2026-11-17", "2026-11-30")


def webshop(folder: Path) -> Tree:
    for path in sorted(shared(*WEBSHOP).glob("*.yaml")):
        write(folder, {path.name: path.read_text()})
    return Tree.read([str(folder)], root=str(folder))


def made_export(tree: Tree, rng: random.Random) -> Recorded:
    """What a cluster could have told of ``tree``: a user, a digest, usage and places of each container, and flows."""
    containers: dict[str, Facts] = {}
    names = []
    for pod in tree.pod_templates:
        key = f"{pod.object.kind}/default/{pod.object.name}"
        names.append(key)
        for container in pod.containers:
            most = rng.randrange(16, 200) << 20
            containers[f"{key}/{container.name}"] = Facts(
                (Image("a1", str(container.get("image")), DIGEST),),
                (Ran("a1", 1000, 1000, by_image=rng.random() < 0.5),),
                (Writes("a2", ("/tmp",), ("/app/x",) if rng.random() < 0.2 else ()),),
                (Capabilities("a2", ("CHOWN",) if rng.random() < 0.2 else ()),),
                (Usage("a3", 10, 100, most // 2, most),),
            )
    peers = {Peer(one, other, 8080, "a4") for one in names for other in rng.sample(names, 2) if one != other}
    return Recorded(SOURCES, containers, {}, tuple(sorted(peers)))


def half(told: Recorded, rng: random.Random) -> Recorded:
    """``told`` with half of its facts."""
    containers = {
        name: Facts(
            *(kind if rng.random() < 0.5 else () for kind in (getattr(facts, f) for f in facts.__struct_fields__))
        )
        for name, facts in told.containers.items()
    }
    return replace(told, containers=containers, peers=tuple(peer for peer in told.peers if rng.random() < 0.5))


def hardened(folder: Path, told: Recorded | None) -> Outcome:
    tree = webshop(folder)
    tree.recorded = told
    return pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.BREAKING))


@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_facts_makes_no_breaking_change_surer(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    told = half(made_export(webshop(tmp_path), rng), rng)
    before, after = grades(hardened(tmp_path, None)), grades(hardened(tmp_path, told))
    surer = {key for key in before.keys() & after.keys() if before[key] is Grade.BREAKING and after[key] is Grade.SAFE}
    assert not surer


def test_without_the_kept_file_the_bytes_are_those_of_before(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": manifest()})
    before = harden("diff", "web.yaml").out
    write(tmp_path, {"harden.evidence.yaml": KEPT})
    told = harden("diff", "web.yaml").out
    (tmp_path / "harden.evidence.yaml").unlink()
    assert before == harden("diff", "web.yaml").out != told


def test_the_policies_of_an_application_let_through_what_was_seen_and_what_is_named(tmp_path: Path) -> None:
    told = made_export(webshop(tmp_path), random.Random(1))
    tree = webshop(tmp_path)
    tree.recorded = told
    pairs = {(str(edge.client.object.name), str(edge.server.object.name)) for edge in tree.ask(Connections).edges}
    named = {(str(e.client.object.name), str(e.server.object.name)) for e in webshop(tmp_path).ask(Connections).edges}
    seen = {(peer.source.rpartition("/")[2], peer.target.rpartition("/")[2]) for peer in told.peers}
    assert pairs == named | seen and seen - named
