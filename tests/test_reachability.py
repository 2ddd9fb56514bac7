"""Who can reach whom in a tree, as read and as a run leaves it; counted as asking for every pair would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.authoring import registry
from hardener.authoring.edits import Edit, Grade
from hardener.engine.step import draft
from hardener.facts.network.connections import Connections, Edge, Entry, Port, Way
from hardener.kubernetes.network.network_policy import NAMESPACE_LABEL, Pod, judge, parse
from hardener.report.reachability import state
from hardener.report.reachability.layout import Layout
from hardener.report.reachability.measure import Reachability, measure
from hardener.report.reachability.summary import lines
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

from .conftest import CORPUS, CorpusTree, shared, write

Value = dict[str, Any]
SHUT: Value = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
EVERYWHERE: Value = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}]}
DNS: Value = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}],
}


def workload(name: str, namespace: str | None = None, labels: Value | None = None, **spec: Any) -> Value:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    ports = [{"name": "http", "containerPort": 8080}]
    template = {
        "metadata": {"labels": {"app": name} if labels is None else labels},
        "spec": {"containers": [{"name": "c", "image": "x:1", "ports": ports}], **spec},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def policy(name: str, namespace: str | None = None, **spec: Any) -> Value:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def of(app: str) -> Value:
    return {"matchLabels": {"app": app}}


def namespace(name: str, **labels: str) -> Value:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def text(*documents: Value) -> str:
    return "---\n".join(yaml.safe_dump(document, sort_keys=False) for document in documents)


def stream(*documents: Value) -> Tree:
    """A workspace of one stream; its connections are those that ``connect`` says."""
    found = Tree.from_text(text(*documents))
    connect(found)
    return found


def tree(folder: Path, files: dict[str, str]) -> Tree:
    write(folder, files)
    found = Tree.read([str(folder)], root=str(folder))
    connect(found)
    return found


def run(target: PodTemplate | Object, *edits: Edit) -> None:
    """Make a step on the workspace, as the pipeline does."""
    item = target.object
    draft(item.tree, registry.get("run-as-non-root"), item, list(edits)).apply()


def create(beside: Object, value: Value) -> None:
    """Let the run make a NetworkPolicy in the folder of an object."""
    run(beside, beside.create("networkpolicies", value, grade=Grade.REVIEW))


def pod(workspace: Tree, name: str, place: str = "") -> PodTemplate:
    """The only workload called ``name``, in a file whose path holds ``place``."""
    (found,) = (p for p in workspace.pod_templates if p.object.name == name and place in p.object.piece.file.path)
    return found


def connect(workspace: Tree, edges: list[Edge] | None = None, entries: list[Entry] | None = None) -> None:
    """Say what the connections of the tree are."""
    workspace.facts[Connections] = Connections(edges=edges or [], entries=entries or [])


def edge(client: PodTemplate, server: PodTemplate, *ports: int | str) -> Edge:
    return Edge(client, server, tuple(map(Port, ports)), ())


def pairs(found: Reachability) -> tuple[int, int, int]:
    return found.pairs, found.open_before, found.open_after


def names(found: list[PodTemplate]) -> list[str]:
    return [one.object.name for one in found]


def guard(server: str, *clients: str, port: int = 8080, namespace: str | None = None) -> Value:
    """Our policy of a workload: who may come in, DNS and all addresses outside."""
    peers = [{"podSelector": of(client)} for client in clients]
    return policy(
        f"harden-{server}", namespace, podSelector=of(server), policyTypes=["Ingress", "Egress"],
        ingress=[{"from": peers, "ports": [{"port": port}]}] if clients else [],
        egress=[DNS, EVERYWHERE, *({"to": [{"podSelector": of(s)}]} for s in ("web", "api", "db"))],
    )  # fmt: skip


# What a run closes.


def shop() -> Tree:
    workspace = stream(workload("web"), workload("api"), workload("db"))
    web, api, db = (pod(workspace, name) for name in ("web", "api", "db"))
    connect(
        workspace,
        [edge(web, api, 8080), edge(api, db, 5432)],
        [Entry(web, (Port(8080),), Way.OUTSIDE, ()), Entry(db, (Port(9187),), Way.MONITORING, ())],
    )
    return workspace


def test_without_policies_everything_is_open() -> None:
    found = measure(shop())
    assert pairs(found) == (6, 6, 6)
    assert (found.edges, found.entries) == (2, 2)
    assert not (found.lost or found.entries_lost or found.dns_lost or found.isolated)


def test_what_the_run_closes() -> None:
    workspace = shop()
    web = pod(workspace, "web").object
    create(web, policy("w", podSelector=of("web"), ingress=[{"ports": [{"port": 8080}]}]))
    create(web, guard("api", "web"))
    create(web, guard("db", "api", port=5432))
    found = measure(workspace)
    assert pairs(found) == (6, 6, 4)  # api and db to web, web to api, api to db
    assert names(found.isolated) == ["web", "api", "db"]
    assert (found.edges, found.lost, found.entries, found.dns_lost) == (2, [], 2, [])
    assert [entry.way for entry in found.entries_lost] == [Way.MONITORING]
    assert measure(workspace).lost == []


@pytest.mark.parametrize(
    ("made", "lost"),
    [
        (guard("api"), ["api"]),
        (guard("api", "web", port=80), ["api"]),
        (guard("api", "web", "db"), []),
        (policy("p", **SHUT), ["api", "db"]),
        (policy("p", "elsewhere", **SHUT), []),
        (policy("p", podSelector=of("api"), policyTypes=["Egress"], egress=[{"ports": [{"port": 443}]}]), ["db"]),
        # A block of all addresses is not relied on: some implementations let it mean no pods.
        (policy("p", podSelector=of("api"), policyTypes=["Egress"], egress=[EVERYWHERE]), ["db"]),
        (policy("p", podSelector=of("api"), policyTypes=["Egress"], egress=[{"to": [{"podSelector": of("db")}]}]), []),
        (policy("p", podSelector=of("api"), ingress=[{"ports": [{"port": "http"}]}]), []),
        (policy("p", podSelector=of("api"), ingress=[{"ports": [{"port": "grpc"}]}]), ["api"]),
    ],
)
def test_lost_edges_by_their_server(made: Value, lost: list[str]) -> None:
    workspace = shop()
    create(pod(workspace, "web").object, made)
    assert names([one.server for one in measure(workspace).lost]) == lost
    assert names([one.server for one in measure(workspace).lost]) == lost


def test_what_was_closed_as_read_is_not_lost() -> None:
    workspace = stream(workload("web"), workload("api"), policy("p", podSelector=of("api"), ingress=[]))
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080)])
    create(pod(workspace, "web").object, policy("q", podSelector=of("api"), ingress=[]))
    found = measure(workspace)
    assert (found.edges, found.lost, pairs(found), found.isolated) == (0, [], (2, 1, 1), [])


ALLOW_ALL: Value = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}


@pytest.mark.parametrize(
    ("open_one", "isolated"),
    [
        (ALLOW_ALL, []),
        ({**ALLOW_ALL, "ingress": [{"from": [{"namespaceSelector": {}}]}]}, []),
        ({**ALLOW_ALL, "policyTypes": ["Ingress"]}, ["api"]),  # for egress
        ({**ALLOW_ALL, "podSelector": of("web")}, ["api"]),
        ({**ALLOW_ALL, "ingress": [{"ports": [{"port": 22}]}]}, []),  # somebody closed ingress before
    ],
)
def test_nothing_beside_an_allow_all_policy_is_isolated(open_one: Value, isolated: list[str]) -> None:
    workspace = stream(workload("web"), workload("api"), workload("db"), policy("open", **open_one))
    create(pod(workspace, "web").object, guard("api"))
    found = measure(workspace)
    assert names(found.isolated) == isolated
    if not isolated:
        assert found.open_before == found.open_after


def test_one_port_of_several_is_lost() -> None:
    workspace = stream(workload("web"), workload("api"))
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080, 9090)])
    create(pod(workspace, "web").object, policy("p", podSelector=of("api"), ingress=[{"ports": [{"port": 8080}]}]))
    assert len(measure(workspace).lost) == 1


def test_members_of_a_stateful_set_need_every_port() -> None:
    members = workload("db") | {"kind": "StatefulSet"}
    for rule, lost in (({"podSelector": of("db")}, 0), (None, 1)):
        workspace = stream(members)
        connect(workspace, [edge(pod(workspace, "db"), pod(workspace, "db"))])
        peers = [{"from": [rule]}] if rule else [{"ports": [{"port": 8080}]}]
        create(pod(workspace, "db").object, policy("p", podSelector=of("db"), ingress=peers))
        assert len(measure(workspace).lost) == lost


@pytest.mark.parametrize(
    ("way", "rule", "lost"),
    [
        (Way.OUTSIDE, {"ports": [{"port": 8080}]}, False),
        (Way.OUTSIDE, {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, False),
        (Way.OUTSIDE, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, True),
        (Way.OUTSIDE, {"from": [{"namespaceSelector": {}}]}, True),
        (Way.API_SERVER, {"ports": [{"port": "http"}]}, False),
        (Way.API_SERVER, {"from": [{"podSelector": {}}]}, True),
        (Way.MONITORING, {"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080}]}, False),
        (Way.MONITORING, {"from": [{"podSelector": {}}]}, True),
        (Way.NAMESPACE, {"from": [{"podSelector": {}}], "ports": [{"port": 8080}]}, False),
        (Way.NAMESPACE, {"from": [{"podSelector": of("web")}]}, True),
        (Way.NAMESPACE, {"from": [{"podSelector": {}}], "ports": [{"port": 80}]}, True),
    ],
)
def test_ways_in(way: Way, rule: Value, lost: bool) -> None:
    workspace = stream(workload("web"), workload("api"))
    entry = Entry(pod(workspace, "api"), (Port(8080),), way, ())
    connect(workspace, entries=[entry])
    create(pod(workspace, "web").object, policy("p", podSelector=of("api"), ingress=[rule]))
    found = measure(workspace)
    assert (found.entries, found.entries_lost) == (1, [entry] if lost else [])


@pytest.mark.parametrize(("to", "lost"), [(EVERYWHERE, True), ({"to": [{"podSelector": of("api")}]}, False)])
def test_a_service_that_nothing_names_is_open_to_its_neighbours(to: Value, lost: bool) -> None:
    workspace = stream(workload("web"), workload("api"))
    entry = Entry(pod(workspace, "api"), (Port(8080),), Way.NAMESPACE, ())
    connect(workspace, entries=[entry])
    create(pod(workspace, "web").object, policy("p", podSelector=of("web"), policyTypes=["Egress"], egress=[to]))
    assert measure(workspace).entries_lost == ([entry] if lost else [])


@pytest.mark.parametrize(
    ("spec", "egress", "lost"),
    [
        ({}, [DNS], False),
        ({}, [], True),
        ({}, [EVERYWHERE], True),
        ({}, [{**DNS, "ports": DNS["ports"][:1]}], True),
        ({"dnsPolicy": "ClusterFirst"}, [], True),
        ({"dnsPolicy": "Default"}, [], False),
        ({"dnsPolicy": "None"}, [], False),
        ({"hostNetwork": True}, [], False),
    ],
)
def test_names_can_still_be_asked_for(spec: Value, egress: list[Value], lost: bool) -> None:
    workspace = stream(workload("web", **spec))
    create(pod(workspace, "web").object, policy("p", podSelector={}, policyTypes=["Egress"], egress=egress))
    assert names(measure(workspace).dns_lost) == ["web"] * lost


def test_names_on_openshift() -> None:
    workspace = stream(workload("web"))
    workspace.settings.platform = "openshift"
    create(pod(workspace, "web").object, policy("p", podSelector={}, policyTypes=["Egress"], egress=[DNS]))
    assert names(measure(workspace).dns_lost) == ["web"]
    names_of = {"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "openshift-dns"}}}]}
    ports = {"ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353}]}
    rule = policy("q", podSelector={}, policyTypes=["Egress"], egress=[names_of | ports])
    create(pod(workspace, "web").object, rule)
    assert measure(workspace).dns_lost == []


def test_a_pod_that_leaves_the_network_of_its_node_meets_policies() -> None:
    workspace = stream(workload("web"), workload("agent", hostNetwork=True), policy("p", podSelector={}, ingress=[]))
    web, agent = pod(workspace, "web"), pod(workspace, "agent")
    connect(workspace, [edge(web, agent, 8080)])
    assert pairs(measure(workspace)) == (2, 1, 1)
    run(agent, agent.drop("hostNetwork", grade=Grade.REVIEW))
    found = measure(workspace)
    assert pairs(found) == (2, 1, 0)
    assert (found.lost, names(found.isolated)) == (workspace.ask(Connections).edges, ["agent"])


def test_labels_that_the_run_gives() -> None:
    workspace = stream(workload("web", labels={}), workload("api", labels={}), workload("db"))
    web, api = pod(workspace, "web"), pod(workspace, "api")
    connect(workspace, [edge(web, api, 8080)])
    assert web.labels == {}
    for one in (web, api):
        path = ("spec", "template", "metadata", "labels", "app")
        run(one, one.object.set(*path, to=one.object.name, grade=Grade.REVIEW))
        assert one.object.get(*path) == one.object.name
    create(web.object, guard("api", "web"))
    found = measure(workspace)
    assert (found.lost, pairs(found)) == ([], (6, 6, 5))


def test_each_edit_of_a_large_list_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[tuple[str | int, ...]] = []
    concerned = state._concerned

    def counted(path: tuple[str | int, ...], templates: set[tuple[str | int, ...]]) -> Any:
        looked_at.append(path)
        return concerned(path, templates)

    monkeypatch.setattr(state, "_concerned", counted)
    workspace = stream({"apiVersion": "v1", "kind": "List", "items": [workload(f"app-{n}") for n in range(30)]})
    for one in workspace.pod_templates[:20]:
        run(one, one.set("hostNetwork", to=True, grade=Grade.SAFE))
    create(workspace.pod_templates[0].object, policy("shut", **SHUT))
    # Pods on the network of their node, 20 of 30, meet no policy: they reach each other, and nobody reaches the rest.
    assert pairs(measure(workspace)) == (870, 870, 380)
    assert len(looked_at) == len(set(looked_at)) == 20


def test_a_policy_that_the_run_changes() -> None:
    allowed = {"from": [{"podSelector": of("web")}]}
    workspace = stream(workload("web"), workload("api"), policy("p", podSelector=of("api"), ingress=[allowed]))
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080)])
    (item,) = workspace.of("networking.k8s.io", "NetworkPolicy")
    run(item, item.drop("spec", "ingress", 0, grade=Grade.REVIEW))
    found = measure(workspace)
    assert (len(found.lost), pairs(found), found.isolated) == (1, (2, 2, 1), [])


def test_workloads_outside_of_the_paths_are_not_counted_and_not_lost(tmp_path: Path) -> None:
    write(tmp_path, {"a/web.yaml": text(workload("web", "shop")), "b/api.yaml": text(workload("api", "shop"))})
    workspace = Tree.read([str(tmp_path / "a")], root=str(tmp_path))
    connect(workspace, [edge(pod(workspace, "api"), pod(workspace, "web"), 8080)])
    create(pod(workspace, "web").object, policy("p", "shop", podSelector=of("web"), ingress=[]))
    found = measure(workspace)
    assert (pairs(found), len(found.lost)) == ((0, 0, 0), 1)


# What stands in one cluster.


def test_a_namespace_that_gets_another_label_is_met_by_other_policies(tmp_path: Path) -> None:
    ingress = [{"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}]
    others = text(
        workload("web", "shop"), workload("api", "back"), policy("p", "back", podSelector=of("api"), ingress=ingress)
    )
    write(tmp_path, {"shop.yaml": text(namespace("shop", team="a")), "others.yaml": others})
    workspace = Tree.read([str(tmp_path / "shop.yaml")], root=str(tmp_path))
    known = edge(pod(workspace, "web"), pod(workspace, "api"), 8080)
    connect(workspace, [known])
    assert measure(workspace).lost == []
    (shop,) = workspace.of("", "Namespace")
    run(shop, shop.set("metadata", "labels", "team", to="b", grade=Grade.REVIEW))
    found = measure(workspace)
    assert (found.lost, found.edges) == ([known], 1)


@pytest.mark.parametrize(("to", "lost"), [("api", False), ("db", True)])
def test_a_workload_that_is_shut_in_is_lost_to_a_service_outside_of_the_paths(
    to: str, lost: bool, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": text(workload("web")), "api.yaml": text(workload("api"))})
    workspace = Tree.read([str(tmp_path / "web.yaml")], root=str(tmp_path))
    entry = Entry(pod(workspace, "api"), (Port(8080),), Way.NAMESPACE, ())
    connect(workspace, entries=[entry])
    shut = policy("w", podSelector=of("web"), policyTypes=["Egress"], egress=[{"to": [{"podSelector": of(to)}]}])
    create(pod(workspace, "web").object, shut)
    found = measure(workspace)
    assert (found.entries_lost, found.entries) == ([entry] if lost else [], int(lost))


def overlay(*resources: str, namespace: str = "") -> str:
    return yaml.safe_dump({"namespace": namespace, "resources": list(resources)})


OPS = {"matchLabels": {"team": "ops"}}
APP = text(workload("web"), workload("api"))
SHUT_API = policy("p", podSelector=of("api"), ingress=[])
# Trees, and how many pairs there are and how many are open.
LAYOUTS: dict[str, tuple[dict[str, str], int, int]] = {
    "one folder": ({"a.yaml": text(workload("a")), "b.yaml": text(workload("b"), workload("c"))}, 6, 6),
    "folders": ({"a/a.yaml": text(workload("a")), "b/b.yaml": text(workload("b"))}, 2, 2),
    "copies in files of one folder": ({"install.yaml": APP, "core-install.yaml": APP, "other.yaml": APP}, 6, 6),
    "a copy of parts": (
        {"all.yaml": APP, "parts/web.yaml": text(workload("web")), "parts/api.yaml": text(workload("api"))}, 4, 4,
    ),
    "the same in named namespaces are two": (
        {"a.yaml": text(workload("web", "a")), "b.yaml": text(workload("web", "b"))}, 2, 2,
    ),
    "patches and what is owned are no workloads": (
        {
            "web.yaml": text(workload("web")),
            "patch.yaml": text(workload("web")),
            "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n",
            "pod.yaml": text({
                "apiVersion": "v1", "kind": "Pod", "spec": {"containers": []},
                "metadata": {"name": "p", "ownerReferences": [{"kind": "ReplicaSet", "name": "r"}]},
            }),
        }, 0, 0,
    ),
    "overlays of one base": (
        {"base/app.yaml": APP, "base/kustomization.yaml": overlay("app.yaml"),
         "dev/kustomization.yaml": overlay("../base", namespace="dev"),
         "prod/kustomization.yaml": overlay("../base", namespace="prod")}, 2, 2,
    ),
    "overlays of one base in one build": (
        {"base/app.yaml": APP, "base/kustomization.yaml": overlay("app.yaml"),
         "dev/kustomization.yaml": overlay("../base", namespace="dev"),
         "prod/shut.yaml": text(SHUT_API),
         "prod/kustomization.yaml": overlay("../base", "shut.yaml", namespace="prod"),
         "kustomization.yaml": overlay("dev", "prod")}, 2, 2,
    ),
    "a policy of one overlay": (
        {"base/app.yaml": APP, "base/kustomization.yaml": overlay("app.yaml"),
         "dev/kustomization.yaml": overlay("../base", namespace="dev"),
         "prod/shut.yaml": text(SHUT_API),
         "prod/kustomization.yaml": overlay("../base", "shut.yaml", namespace="prod")}, 2, 2,
    ),
    "a policy of the base": (
        {"base/app.yaml": APP + "---\n" + text(SHUT_API), "base/kustomization.yaml": overlay("app.yaml"),
         "dev/kustomization.yaml": overlay("../base", namespace="dev"),
         "prod/kustomization.yaml": overlay("../base", namespace="prod")}, 2, 1,
    ),
    "a policy of a component that nothing uses": (
        {"app.yaml": APP, "kustomization.yaml": overlay("app.yaml"),
         "parts/shut.yaml": text(SHUT_API),
         "parts/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                                     "resources: [shut.yaml]\n"}, 2, 2,
    ),
    "a policy of a component that is used": (
        {"app.yaml": APP, "kustomization.yaml": overlay("app.yaml") + "components: [parts]\n",
         "parts/shut.yaml": text(SHUT_API),
         "parts/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                                     "resources: [shut.yaml]\n"}, 2, 1,
    ),
    "a policy in another folder, of the same named namespace": (
        {"app/app.yaml": text(workload("web", "shop"), workload("api", "shop")),
         "policies/shut.yaml": text(policy("p", "shop", podSelector=of("api"), ingress=[]))}, 2, 1,
    ),
    "a policy in another folder, of no named namespace": (
        {"app/app.yaml": APP, "other/shut.yaml": text(SHUT_API, workload("x"))}, 6, 6,
    ),
    "a policy of an application is not one of its copy": (
        {"app/app.yaml": text(workload("web", "shop"), workload("api", "shop")),
         "copy/app.yaml": text(workload("web", "shop"), workload("api", "shop"),
                               policy("p", "shop", podSelector=of("api"), ingress=[]))}, 4, 3,
    ),
    "a file that the kustomization beside it leaves out": (
        {"web.yaml": text(workload("web")), "api.yaml": text(workload("api"), SHUT_API),
         "kustomization.yaml": overlay("api.yaml")}, 2, 1,
    ),
    "a copy of what the kustomization beside it builds": (
        {"app.yaml": APP, "other.yaml": text(SHUT_API), "old.yaml": APP,
         "kustomization.yaml": overlay("app.yaml", "other.yaml")}, 4, 3,
    ),
    "policies beside copies": ({"a.yaml": APP, "b.yaml": APP, "policies.yaml": text(SHUT_API)}, 4, 2),
    "a namespace of a build beside its copies": (
        {"base/app.yaml": APP, "base/kustomization.yaml": overlay("app.yaml"),
         "dev/kustomization.yaml": overlay("../base", namespace="dev"),
         "prod/shut.yaml": text(SHUT_API, workload("probe")),
         "prod/kustomization.yaml": overlay("../base", "shut.yaml", namespace="prod"),
         "kustomization.yaml": overlay("dev", "prod")}, 6, 5,  # api is open to web in dev
    ),
    "namespaces by their labels": (
        {"app.yaml": text(
            namespace("ops", team="ops"), workload("web", "shop"), workload("api", "shop"), workload("probe", "ops"),
            policy("p", "shop", podSelector={}, ingress=[{"from": [{"namespaceSelector": OPS}]}]),
        )}, 6, 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str, tmp_path: Path) -> None:
    files, expected, opened = LAYOUTS[name]
    assert pairs(measure(tree(tmp_path, files))) == (expected, opened, opened)


OVERLAYS = [("dev", "a"), ("dev", "b"), ("prod", "a"), ("prod", "b")]
BASE = {
    "base/web.yaml": text(workload("web")),
    "base/api.yaml": text(workload("api")),
    "base/kustomization.yaml": overlay("web.yaml", "api.yaml"),
    "dev/kustomization.yaml": overlay("../base", namespace="dev"),
    "prod/kustomization.yaml": overlay("../base", namespace="prod"),
}


@pytest.mark.parametrize(("clients", "lost", "after"), [(["web"], 0, 2), ([], 1, 1)])
def test_a_new_policy_comes_out_in_every_overlay(tmp_path: Path, clients: list[str], lost: int, after: int) -> None:
    workspace = tree(tmp_path, BASE)
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080)])
    create(pod(workspace, "api").object, guard("api", *clients))
    found = measure(workspace)
    assert (len(found.lost), pairs(found)) == (lost, (2, 2, after))


def test_an_edge_between_overlays_of_two_bases_is_one_within_each_namespace(tmp_path: Path) -> None:
    files = {
        "a/web.yaml": text(workload("web")),
        "a/kustomization.yaml": overlay("web.yaml"),
        "b/api.yaml": text(workload("api")),
        "b/kustomization.yaml": overlay("api.yaml"),
        **{f"{name}-{part}/kustomization.yaml": overlay(f"../{part}", namespace=name) for name, part in OVERLAYS},
    }
    workspace = tree(tmp_path, files)
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080)])
    create(pod(workspace, "api").object, guard("api", "web"))
    found = measure(workspace)
    assert (found.edges, found.lost, pairs(found)) == (1, [], (2, 2, 2))


def test_a_new_policy_holds_for_a_workload_that_the_kustomization_leaves_out(tmp_path: Path) -> None:
    files = {
        "web.yaml": text(workload("web")),
        "api.yaml": text(workload("api")),
        "kustomization.yaml": overlay("api.yaml"),
    }
    workspace = tree(tmp_path, files)
    for name in ("api", "web"):
        create(pod(workspace, name).object, guard(name))
    assert pairs(measure(workspace)) == (2, 2, 0)


def test_new_policies_of_copies_in_one_folder(tmp_path: Path) -> None:
    workspace = tree(tmp_path, {"install.yaml": APP, "core-install.yaml": APP})
    for file, number in (("/install", 1), ("/core-install", 2)):
        create(pod(workspace, "api", file).object, guard("api") | {"metadata": {"name": f"api-{number}"}})
    assert pairs(measure(workspace)) == (4, 4, 2)


@pytest.mark.parametrize(
    ("client", "server", "peer", "lost"),
    [
        # Neither names a namespace: they are in the same one.
        (None, None, {"podSelector": of("web")}, 0),
        # One does: the other may be in that one, or in any other.
        (None, "shop", {"podSelector": of("web")}, 1),
        (None, "shop", {"podSelector": of("web"), "namespaceSelector": {}}, 0),
        ("shop", None, {"podSelector": of("web")}, 1),
        ("shop", None, {"podSelector": of("web"), "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "shop"}}}, 0),
        ("ops", "shop", {"podSelector": of("web")}, 1),
        ("ops", "shop", {"podSelector": of("web"), "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "ops"}}}, 0),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_edges_and_namespaces_that_are_not_named(
    tmp_path: Path, client: str | None, server: str | None, peer: Value, lost: int, apart: bool
) -> None:
    files = {f"{'a/' * apart}web.yaml": text(workload("web", client)), "api.yaml": text(workload("api", server))}
    workspace = tree(tmp_path, files)
    connect(workspace, [edge(pod(workspace, "web"), pod(workspace, "api"), 8080)])
    made = policy("p", server, podSelector=of("api"), ingress=[{"from": [peer]}])
    create(pod(workspace, "api").object, made)
    assert len(measure(workspace).lost) == lost


# Bad input, and the corpus.


@pytest.mark.parametrize("odd", [None, 1, "x", "${NAME}", [], ["x"], {}, {"a": 1}, {"a": None}])
@pytest.mark.parametrize(
    "put",
    [
        lambda odd: {**workload("a"), "metadata": odd},
        lambda odd: {**workload("a"), "metadata": {"name": odd, "namespace": odd}},
        lambda odd: {**workload("a"), "spec": {"template": {"metadata": odd, "spec": {"containers": []}}}},
        lambda odd: workload("a", containers=odd),
        lambda odd: workload("a", containers=[odd], hostNetwork=odd, dnsPolicy=odd),
        lambda odd: workload("a", containers=[{"name": "c", "image": odd, "ports": odd}]),
        lambda odd: workload("a", containers=[{"image": "x", "ports": [{"name": odd, "containerPort": odd}]}]),
        lambda odd: {**policy("p"), "spec": odd},
        lambda odd: {**policy("p"), "metadata": odd},
        lambda odd: policy("p", podSelector={}, ingress=odd, egress=odd, policyTypes=odd),
        lambda odd: policy("p", podSelector={"matchLabels": odd, "matchExpressions": odd}, ingress=[{"from": odd}]),
        lambda odd: {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": odd, "labels": odd}},
    ],
)  # fmt: skip
def test_odd_values_stop_nothing(put: Callable[[Any], Value], odd: Any) -> None:
    workspace = stream(workload("web"), put(odd))
    create(pod(workspace, "web").object, policy("mine", podSelector={}, egress=[{}]))
    found = measure(workspace)
    assert found.pairs in (0, 2) and found.open_after <= found.open_before <= found.pairs


@pytest.mark.parametrize("name", CORPUS)
def test_a_tree_that_no_run_changed_loses_nothing(name: str) -> None:
    folder = str(shared("corpus", name))
    workspace = Tree.read([folder], root=folder)
    found = measure(workspace)
    assert found.pairs and found.open_before == found.open_after <= found.pairs
    assert not (found.isolated or found.lost or found.entries_lost or found.dns_lost)
    assert found.edges <= len(workspace.ask(Connections).edges)


def test_copies_are_told_apart_in_the_corpus() -> None:
    folder = str(shared("corpus", "microservices-demo"))
    layout = Layout(Tree.read([folder], root=folder))
    together: dict[int, set[str]] = {}
    for one in layout.pods:
        for place in layout.places(one.object):
            names = together.setdefault(layout.cluster(place), set())
            assert one.object.name not in names
            names.add(one.object.name)


# Against asking for every pair.

LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=2)
SPACES = st.sampled_from([None, "shop", "ops"])
SELECTORS = st.builds(lambda labels: {"matchLabels": labels}, LABELS)
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, SELECTORS),
    st.builds(lambda spaces: {"namespaceSelector": spaces}, SELECTORS),
    st.builds(lambda pods, spaces: {"podSelector": pods, "namespaceSelector": spaces}, SELECTORS, SELECTORS),
    st.just({"ipBlock": {"cidr": "0.0.0.0/0"}}),
)
PORTS = st.sampled_from(
    [{"port": 8080}, {"port": "http"}, {"port": 53, "protocol": "UDP"}, {"port": 80, "endPort": 9000}]
)


def rules(key: str) -> st.SearchStrategy[list[Value]]:
    return st.lists(
        st.fixed_dictionaries({key: st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=1)}), max_size=2
    )


SPECS = st.fixed_dictionaries(
    {"podSelector": SELECTORS, "ingress": rules("from"), "egress": rules("to")},
    optional={"policyTypes": st.lists(st.sampled_from(["Ingress", "Egress"]), unique=True)},
)
WORKLOADS = st.lists(st.tuples(SPACES, LABELS, st.integers(0, 4)), min_size=1, max_size=5)
POLICIES = st.lists(st.tuples(SPACES, SPECS), max_size=3)


Parts = tuple[list[tuple[str | None, Value, bool]], list[tuple[str | None, Value]], dict[str, Value]]
ANY_PORT = [(port, protocol) for port in (1, 53, 80, 8080) for protocol in ("TCP", "UDP", "SCTP")]


def brute(parts: Parts, asked: list[tuple[int, str]], blocks_cover_pods: bool = True) -> set[tuple[int, int]]:
    """The ordered pairs of workloads of which the first can reach the second on one of the ports ``asked``."""
    workloads, policies, labels = parts
    pods = []
    for space, own, host in workloads:
        known = {} if space is None else {NAMESPACE_LABEL: space, **labels.get(space, {})}
        pods.append(Pod(str(space), own, known, {"http": ((8080, "TCP"),)}, host))
    read = [parse({"spec": spec}, str(space)) for space, spec in policies]
    found = [one for one in read if one is not None]

    def reaches(client: Pod, server: Pod) -> bool:
        return any(judge(found, client, server, *on, blocks_cover_pods=blocks_cover_pods).allowed for on in asked)

    return {
        (a, b) for a, client in enumerate(pods) for b, server in enumerate(pods) if a != b and reaches(client, server)
    }


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(WORKLOADS, POLICIES, POLICIES, st.dictionaries(st.sampled_from(["shop", "ops"]), LABELS), st.booleans())
def test_counts_are_those_of_every_pair(
    workloads: list[tuple[str | None, Value, int]],
    policies: list[tuple[str | None, Value]],
    made: list[tuple[str | None, Value]],
    labels: dict[str, Value],
    changed: bool,
) -> None:
    workspace = stream(
        *(namespace(name, **own) for name, own in labels.items()),
        *(workload(f"w{n}", space, own, hostNetwork=not host) for n, (space, own, host) in enumerate(workloads)),
        *(policy(f"p{n}", space, **spec) for n, (space, spec) in enumerate(policies)),
    )
    ends = workspace.pod_templates
    edges = [edge(a, b, 8080) for a in ends for b in ends if a is not b and a.namespace == b.namespace]
    connect(workspace, edges)
    first = [(space, own, not host) for space, own, host in workloads]
    then = list(first)
    for n, (space, spec) in enumerate(made):
        create(ends[0].object, policy(f"m{n}", space, **spec))
    if changed:  # the first workload leaves the network of its node and gets a label
        run(
            ends[0],
            ends[0].drop("hostNetwork", grade=Grade.REVIEW),
            ends[0].object.set("spec", "template", "metadata", "labels", "b", to="1", grade=Grade.REVIEW),
        )
        then[0] = (then[0][0], {**then[0][1], "b": "1"}, False)
    before, after = (first, policies, labels), (then, [*policies, *made], labels)
    found = measure(workspace)
    opened = len(brute(before, ANY_PORT)), len(brute(after, ANY_PORT))
    assert pairs(found) == (len(ends) * (len(ends) - 1), *opened)
    on_8080 = [(8080, "TCP")]
    inferred = {(ends.index(one.client), ends.index(one.server)) for one in edges}
    assert found.edges == len(inferred & brute(before, on_8080))
    lost = {pair for cover in (True, False) for pair in brute(before, on_8080, cover) - brute(after, on_8080, cover)}
    assert {(ends.index(one.client), ends.index(one.server)) for one in found.lost} == inferred & lost


# What the report says.


def told(**values: Any) -> list[str]:
    return list(lines(Reachability(**values)))


def test_the_lines_of_the_report() -> None:
    workspace = shop()
    one, other = workspace.ask(Connections).edges
    assert told(pairs=132, open_before=132, open_after=16, edges=16, kept_named=12, kept_in_part=3) == [
        "16 of 16 connections that the tree names stay open; pairs of workloads that can talk: 132 before, 16 after "
        "(88 % closed; 12 named in the tree; 3 open since a workload is only partly read; 1 open since anybody may "
        "connect)"
    ]
    assert told() == []
    assert told(
        edges=2, lost=[one, other], entries_lost=workspace.ask(Connections).entries, dns_lost=[one.client] * 7
    ) == [
        "0 of 2 connections that the tree names stay open",
        "cut, although the manifests show them: Deployment/web to Deployment/api port 8080, "
        "Deployment/api to Deployment/db port 5432",
        "closed to what came in from elsewhere: Deployment/web (outside), Deployment/db (monitoring)",
        "cannot ask the DNS of the cluster any more: " + ", ".join(["Deployment/web"] * 5) + " and 2 more",
    ]


@pytest.mark.parametrize(
    ("before", "after", "percent"), [(1000, 1, 99), (1000, 0, 100), (1000, 999, 1), (5, 5, 0), (3, 2, 33), (5, 6, 0)]
)
def test_the_share_is_never_better_than_it_is(before: int, after: int, percent: int) -> None:
    assert f"({percent} % closed" in told(open_before=before, open_after=after)[0]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_no_tree_of_the_corpus_loses_a_connection(name: str, corpus: Callable[[str], CorpusTree]) -> None:
    found = corpus(name).report["summary"].get("reachability")
    made = [c for c in corpus(name).report["changes"] if c["object"]["kind"] == "NetworkPolicy"]
    assert (found is None) == (not made)
    if found is not None:
        print(f"{name}: {found}")
        assert (found["connectionsLost"], found["entriesLost"], found["dnsLost"]) == (0, 0, 0)
        closing = any(change["id"] == "netpol-workload" for change in made)
        assert bool(found["isolated"]) == closing
        assert found["openAfter"] <= found["openBefore"] <= found["pairs"]
        assert (found["openAfter"] < found["openBefore"]) == closing
