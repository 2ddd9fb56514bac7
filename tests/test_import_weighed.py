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
from hardener.exports.model import (
    Calls,
    Capabilities,
    Facts,
    Holds,
    Image,
    ImageConfig,
    ImageFacts,
    Peer,
    Programs,
    Ran,
    Recorded,
    Source,
    Usage,
    Writes,
)
from hardener.facts.network.connections import Way
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


DEFAULTS = {"limits": {"memory": "2Gi", "cpu": "1"}, "requests": {"memory": "128Mi", "cpu": "25m"}}


def test_the_defaults_that_harden_wrote_give_way_to_usage_downwards_too(tmp_path: Path) -> None:
    found = run(tmp_path, manifest(resources=DEFAULTS), recorded(usage=USAGE))
    assert values(found, "memory-limit") == ["120Mi", "50Mi"] and values(found, "cpu-limit") == ["400m", "35m"]
    for transform in ("memory-limit", "cpu-limit"):
        grade, basis, text = of(found, transform)
        assert grade <= {"review", "safe"} and basis == {"proved"} and "as large as the defaults of harden" in text


WRITTEN = {
    "a limit of a person": {"limits": {"memory": "3Gi"}, "requests": {"memory": "128Mi"}},
    "a request of a person": {"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}},
    "a limit alone": {"limits": {"memory": "2Gi"}},
}


@pytest.mark.parametrize("case", WRITTEN)
def test_a_number_that_harden_did_not_write_alone_stays(case: str, tmp_path: Path) -> None:
    assert values(run(tmp_path, manifest(resources=WRITTEN[case]), recorded(usage=USAGE)), "memory-limit") == []


def test_what_was_used_and_written_changes_nothing_in_a_second_run(tmp_path: Path) -> None:
    text = manifest(
        resources={"limits": {"memory": "120Mi", "cpu": "400m"}, "requests": {"memory": "50Mi", "cpu": "35m"}}
    )
    found = run(tmp_path, text, recorded(usage=USAGE))
    assert [values(found, name) for name in ("memory-limit", "cpu-limit", "resource-requests")] == [[], [], []]


def test_a_limit_at_which_it_was_killed_is_said(tmp_path: Path) -> None:
    text = manifest(resources={"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}})
    found = run(tmp_path, text, recorded(usage=Usage("a1", memory_most=64 << 20, killed=2)))
    assert any("it was killed for memory at a limit of 64Mi" in report.message for report in found.findings)
    assert values(found, "memory-limit") == []


def test_no_limit_comes_of_a_kill_of_which_nobody_tells_the_limit(tmp_path: Path) -> None:
    killed = (USAGE, Usage("a1", killed=1))
    assert values(run(tmp_path, manifest(), recorded(usage=killed)), "memory-limit") == ["1Gi"]


def test_a_profile_may_keep_to_the_table(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": manifest(), "harden.evidence.yaml": ""})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    tree.recorded = recorded(usage=USAGE)
    chosen = profile.load("restricted")
    chosen.set_option("resources.from", "table", "--set")
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


# What a recording saw that a change forbids: transform, container, facts, and what is said.
CONTRADICTED: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "system calls": (
        "seccomp-runtime-default", {}, {"calls": Calls("a2", ("bpf", "io_uring_setup"))},
        "it made system calls that the default profile refuses: bpf, io_uring_setup",
    ),
    "setuid programs": (
        "no-privilege-escalation", {}, {"programs": Programs("a2", ("/usr/bin/sudo",))},
        "it started programs that need the setuid bit: /usr/bin/sudo",
    ),
    "capabilities of a privileged container": (
        "no-privileged", {"securityContext": {"privileged": True}},
        {"capabilities": Capabilities("a2", ("NET_ADMIN", "SYS_ADMIN"))},
        "it used NET_ADMIN, SYS_ADMIN, which it has only as a privileged container",
    ),
    "a file of its image": (
        "read-only-root-filesystem", {}, {"writes": Writes("a2", (), ("/etc/app/app.conf",))},
        "it opened /etc/app/app.conf for writing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTED)
def test_a_change_that_contradicts_a_recording_is_breaking(case: str, tmp_path: Path) -> None:
    transform, container, facts, said = CONTRADICTED[case]
    before = of(run(tmp_path, manifest(**container), None), transform)
    grade, _, text = of(run(tmp_path, manifest(**container), recorded(**facts)), transform)
    assert "breaking" not in before[0] and grade == {"breaking"} and said in text


# Facts that show nothing: no change is surer by them than one to look at.
SILENT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "no other place": ("read-only-root-filesystem", {}, {"writes": Writes("a2", ("/tmp",))}),
    "no capability": ("drop-capabilities", {}, {"capabilities": Capabilities("a2", ())}),
    "no call that is refused": ("seccomp-runtime-default", {}, {"calls": Calls("a2", ())}),
    "no setuid program": ("no-privilege-escalation", {}, {"programs": Programs("a2", ())}),
    "no capability of a privileged container": (
        "no-privileged", {"securityContext": {"privileged": True}}, {"capabilities": Capabilities("a2", ())},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SILENT)
def test_the_silence_of_a_recording_makes_nothing_safe(case: str, tmp_path: Path) -> None:
    transform, container, facts = SILENT[case]
    before = of(run(tmp_path, manifest(**container), None), transform)[0]
    after = of(run(tmp_path, manifest(**container), recorded(**facts)), transform)[0]
    assert after and ("safe" not in after or "safe" in before)


def test_a_recording_of_capabilities_lifts_a_guess_to_one_to_look_at_with_its_length(tmp_path: Path) -> None:
    told = recorded(capabilities=Capabilities("a2", ("CHOWN",)))
    before = values(run(tmp_path, manifest(), None, Grade.REVIEW), "drop-capabilities")
    grade, _, text = of(run(tmp_path, manifest(), told, Grade.REVIEW), "drop-capabilities")
    assert "ALL" not in before and grade == {"review"} and "it used CHOWN" in text
    assert "14 days of recording show no use of another capability" in text


HELD = {
    "a data store": (Holds("a1", (), ("postgresql 17.6",)), "its image holds postgresql, a data store"),
    "a Java virtual machine": (Holds("a1", ("java 21.0.8",)), "its image holds a Java virtual machine"),
}


@pytest.mark.parametrize("case", HELD)
def test_no_default_limit_is_written_for_what_takes_all_it_gets(case: str, tmp_path: Path) -> None:
    holds, said = HELD[case]
    told = Recorded(SOURCES, images={"acme/app:1.2.3": ImageFacts((), (holds,))})
    found = run(tmp_path, manifest(), told)
    assert values(found, "memory-limit") == []
    assert any(said in report.message for report in found.findings)


def test_a_config_of_an_image_tells_its_user_and_ports_and_nothing_for_sure(tmp_path: Path) -> None:
    config = ImageConfig("a1", "1000:1000", ("8080/tcp",), ("/data",))
    found = run(tmp_path, manifest(), Recorded(SOURCES, images={"acme/app:1.2.3": ImageFacts((config,))}))
    grade, _, text = of(found, "run-as-non-root")
    assert "guess" not in grade and "safe" not in grade and "kubectl (2026-11-30)" in text


def test_the_silence_of_a_recording_is_one_to_look_at_with_its_length(tmp_path: Path) -> None:
    found = run(tmp_path, manifest(), recorded(writes=Writes("a2", ("/var/cache/app",))))
    grade, _, text = of(found, "read-only-root-filesystem")
    assert grade == {"review"} and "14 days of recording show no write elsewhere" in text
    assert {"name": "harden-web-var-cache-app", "mountPath": "/var/cache/app"} in values(
        found, "read-only-root-filesystem"
    )


WEAKENED = {
    "of another digest": "a cluster recorded another digest of web than the manifest pins: it counts against a change",
    "too old": "kubectl, pods.json (2020-01-01) is older than 180 days: it counts against a change, and not for one",
}
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
    assert any(WEAKENED[case] in report.message for report in found.findings)


# An old source beside one of today: transform, the facts of the old one, and what is so again without them.
OLD: dict[str, tuple[str, dict[str, Any]]] = {
    "usage": ("memory-limit", {"usage": Usage("a3", 35, 400, 50 << 20, 120 << 20)}),
    "places": ("read-only-root-filesystem", {"writes": Writes("a2", ("/tmp",))}),
    "capabilities": ("drop-capabilities", {"capabilities": Capabilities("a2", ())}),
}


@pytest.mark.parametrize("case", OLD)
def test_an_old_source_is_a_hint_though_another_is_new(case: str, tmp_path: Path) -> None:
    """``kubectl get pods`` of today says nothing about how old a recording is."""
    transform, facts = OLD[case]
    new = recorded(ran=Ran("a1", 1000, 1000))
    both = recorded(ran=Ran("a1", 1000, 1000), **facts)
    old = replace(both, sources={**SOURCES, **{key: replace(SOURCES[key], last="2020-01-02", first="2020-01-01")
                                               for key in ("a2", "a3")}})  # fmt: skip
    wanted = run(tmp_path, manifest(), new, Grade.REVIEW)
    found = run(tmp_path, manifest(), old, Grade.REVIEW)
    assert of(run(tmp_path, manifest(), both, Grade.REVIEW), transform) != of(wanted, transform)
    assert of(found, transform)[:2] == of(wanted, transform)[:2]
    assert "recording show" not in of(found, transform)[2]
    assert case != "usage" or values(found, transform) == values(wanted, transform) == ["2Gi"]


def test_an_old_kill_still_raises_a_limit(tmp_path: Path) -> None:
    killed = Usage("a2", memory_most=256 << 20, killed=1)
    told = recorded(usage=(USAGE, killed))
    told = replace(told, sources={**SOURCES, "a2": replace(SOURCES["a2"], last="2020-01-02", first="2020-01-01")})
    assert values(run(tmp_path, manifest(), told), "memory-limit") == ["256Mi"]


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


# The dump of a cluster that is hardened itself.


@pytest.mark.parametrize("imported", [False, True], ids=["as it is", "after an import"])
def test_a_dump_of_a_cluster_is_its_own_evidence(imported: bool, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"dump.yaml": shared("findings", "currency", "dump", "dump.yaml").read_text(encoding="utf-8")})
    place = "dump.yaml"
    if imported:
        harden("import", "dump.yaml")
        place = "harden.evidence.yaml"
    report = json.loads(harden("diff", "--format", "json", "dump.yaml").out)
    steps = {(step["id"], str(step["after"])): step for step in report["changes"]}
    pinned = f"nginx:1.27@sha256:{DUMPED}"
    for key, tool in (
        (("memory-limit", "120Mi"), "VerticalPodAutoscaler"), (("resource-requests", "50Mi"), "VerticalPodAutoscaler"),
        (("pin-image-digest", pinned), "kubectl"),
    ):  # fmt: skip
        step = steps[key]
        assert step["basis"] == "proved" and any(f"{place}: {tool} (" in fact["text"] for fact in step["evidence"])
    (held,) = (step for step in report["held"] if step["id"] == "read-only-root-filesystem" and len(step["path"]) > 6)
    assert held["grade"] == "breaking"
    assert any("it opened /etc/nginx/conf.d/default.conf for writing" in fact["text"] for fact in held["evidence"])
    page = harden("check", "--format", "html", "dump.yaml").out
    assert f"{place}: VerticalPodAutoscaler (" in page and "120Mi" in page
    gate = harden("diff", "--no-waivers", "dump.yaml").all
    assert "120Mi" not in gate.partition("status:")[0]


# Who talks to whom.

DUMPED = "0a399eb16751829e1af26fea27b20c3ec28d7ab1fb72182879dcae1cca21206a"

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
    assert {"api", "web"} <= set(callers)  # seen, and named
    never = "it names Deployment/db, and the recording of 2026-11-17 to 2026-11-30 saw no connection: it stays open"
    assert never in harden("check", "--format", "json", ".").out


ELSEWHERE = """\
version: 1
sources:
  a1: {tool: Hubble, file: flows.jsonl, from: "2026-11-17", to: "2026-11-30"}
workloads:
  Deployment/ingress/controller: {labels: {app: controller, version: "1.2"}, by: a1}
peers:
- {from: outside, to: Deployment/shop/db, port: 5432, by: a1}
- {from: Deployment/ingress/controller, to: Deployment/shop/api, port: 8080, by: a1}
- {from: Job/shop/report, to: Deployment/shop/cache, port: 6379, by: a1}
- {from: Deployment/shop/cache, to: StatefulSet/data/store, port: 7000, by: a1}
- {from: Deployment/shop/cache, to: outside, port: 25, by: a1}
"""


def _space(name: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": [name]}]}


def _only(rules: list[dict[str, Any]], port: int) -> Any:
    """The other side of the rule about ``port``."""
    (rule,) = (each for each in rules if each.get("ports", [{}])[0].get("port") == port)
    return rule.get("from") or rule.get("to")


def test_a_policy_lets_through_who_was_seen_and_stands_in_no_manifest(harden: Harden, tmp_path: Path) -> None:
    """An ingress controller of another repository, a job that nobody committed, an address of the internet."""
    write(tmp_path, SHOP | {"harden.evidence.yaml": ELSEWHERE})
    report = json.loads(harden("apply", "--only", "netpol-workload", "--set", "network-policy.internet=deny",
                               "--format", "json", ".").out)  # fmt: skip
    documents = (each for path in tmp_path.rglob("*.yaml") for each in yaml.safe_load_all(path.read_text()))
    policies = {each["metadata"]["name"]: each["spec"] for each in documents if each.get("kind") == "NetworkPolicy"}
    (open_to_all,) = (rule for rule in policies["harden-db"]["ingress"] if "from" not in rule)
    assert open_to_all["ports"] == [{"protocol": "TCP", "port": 5432}]
    named = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["controller"]}]}
    assert {"namespaceSelector": _space("ingress"), "podSelector": named} in _only(
        policies["harden-api"]["ingress"], 8080
    )
    assert {"podSelector": {}} in _only(policies["harden-cache"]["ingress"], 6379)
    called = _only(policies["harden-cache"]["egress"], 7000)
    assert called == [{"namespaceSelector": _space("data"), "podSelector": {}}]
    assert any("talks to any address:25, and no rule allows it" in each["message"] for each in report["findings"])
    again = harden("apply", "--only", "netpol-workload", "--set", "network-policy.internet=deny", ".").out
    assert again.startswith("changed nothing")


def test_the_graph_draws_who_stands_in_no_manifest(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, SHOP | {"harden.evidence.yaml": ELSEWHERE})
    drawn = harden("graph", ".").out
    assert "<- workloads that were seen and that the tree does not hold 8080/TCP" in drawn
    assert "Hubble saw Deployment/ingress/controller connect to it" in drawn
    assert "-> store.data:7000" in drawn and "-> any address:25" in drawn
    schema = json.loads((ROOT / "hardener" / "report" / "graph.schema.json").read_text(encoding="utf-8"))
    found = json.loads(harden("graph", "--format", "json", ".").out)
    jsonschema.validate(found, schema)
    assert Way.RECORDED in {entry["way"] for entry in found["entries"]}
    for format in ("mermaid", "dot"):
        assert (
            "workloads that were seen and that the tree does not hold" in harden("graph", "--format", format, ".").out
        )


INJECTED = """\
version: 1
sources:
  a1: {tool: kubectl, file: pods.json, to: "2026-11-30"}
injected:
  Deployment/shop/web: [istio-proxy]
"""
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def test_a_policy_leaves_the_way_to_the_mesh_of_a_sidecar_that_a_cluster_put_in(harden: Harden, tmp_path: Path) -> None:
    """Nothing in the tree asks for it: a revision of the whole cluster does."""
    write(tmp_path, SHOP | {"harden.evidence.yaml": INJECTED})
    harden("apply", "--only", "netpol-workload", ".")
    documents = (each for path in tmp_path.rglob("*.yaml") for each in yaml.safe_load_all(path.read_text()))
    policies = {each["metadata"]["name"]: each["spec"] for each in documents if each.get("kind") == "NetworkPolicy"}
    assert _only(policies["harden-web"]["egress"], 15012) == [{"namespaceSelector": _space("istio-system")}]
    assert "15012" not in json.dumps(policies["harden-api"])


def test_no_level_is_enforced_where_a_cluster_adds_a_container(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"space.yaml": SPACE, "web.yaml": manifest("nginx:1.27")})
    before = harden("check", "--only", "namespace-pss-labels", "--format", "json", ".").out
    write(tmp_path, {"harden.evidence.yaml": INJECTED})
    after = harden("check", "--only", "namespace-pss-labels", "--format", "json", ".").out
    said = "istio-proxy runs in its pods and is in no manifest"
    assert '"enforce' in before.replace("pod-security.kubernetes.io/", '"') and said not in before and said in after


# Whatever is told: a change of a written value that something speaks against is never safe.

AGAINST: tuple[dict[str, Any], ...] = (
    {"command": ["sudo", "id"], "securityContext": {"allowPrivilegeEscalation": True}},
    {"command": ["mount", "-t", "nfs", "nas:/x", "/x"], "securityContext": {"privileged": True}},
    {"command": ["strace", "-f", "app"], "securityContext": {"seccompProfile": {"type": "Unconfined"}}},
    {"image": "nginx:1.27", "securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": False}},
    {"command": ["tcpdump"], "securityContext": {"capabilities": {"add": ["NET_RAW", "NET_ADMIN"]}}},
    {"command": ["chown", "-R", "1:1", "/data"], "securityContext": {"runAsUser": 0, "runAsNonRoot": False}},
)


def any_facts(rng: random.Random) -> dict[str, Any]:
    """Facts of any kinds that a cluster could tell, for a change and against it."""
    made: dict[str, Any] = {
        "images": Image("a1", "acme/app:1.2.3", rng.choice((DIGEST, OTHER))),
        "ran": Ran("a1", rng.choice((0, 101, 1000)), 0, by_image=rng.random() < 0.7),
        "writes": Writes("a2", rng.choice(((), ("/tmp",), ("/var/x", "/tmp"))), rng.choice(((), ("/etc/x",)))),
        "capabilities": Capabilities("a2", rng.choice(((), ("CHOWN",), ("NET_ADMIN", "SYS_ADMIN")))),
        "usage": Usage("a3", 10, 100, 1 << 20, 64 << 20, rng.randrange(2)),
        "calls": Calls("a2", rng.choice(((), ("bpf",)))), "programs": Programs("a2", rng.choice(((), ("/bin/su",)))),
    }  # fmt: skip
    return {kind: fact for kind, fact in made.items() if rng.random() < 0.7}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("seed", range(60))
def test_evidence_makes_no_breaking_change_safe(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    text = manifest(**AGAINST[seed % len(AGAINST)])
    before = grades(run(tmp_path, text, None))
    assert Grade.BREAKING in before.values()
    after = grades(run(tmp_path, text, recorded(**any_facts(rng))))
    assert not [
        key for key in before.keys() & after.keys() if before[key] is Grade.BREAKING and after[key] is Grade.SAFE
    ]
