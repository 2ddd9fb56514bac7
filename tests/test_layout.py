"""Where things belong in a tree of kustomizations: pods to Services, objects to namespaces, new files, new names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Create, Edit, Grade
from hardener.engine import step
from hardener.engine.targets import Targets
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.free_names import Names
from hardener.facts.objects.hidden_pods import HiddenPods
from hardener.facts.objects.namespace_contents import Namespaces
from hardener.facts.objects.object_links import Relations
from hardener.tree.core_views import Namespace, Object
from hardener.tree.tree import Settings, Tree
from hardener.tree.view import View

from .conftest import Harden, commit
from .test_builds import COMPONENT, Files, at, kustomize, read, thing, write


def workload(name: str = "web", app: str = "web", kind: str = "Deployment", namespace: str | None = None) -> str:
    spec = (
        f"spec: {{template: {{metadata: {{labels: {{app: {app}}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}}}\n"
    )
    return thing(name, kind, namespace, spec)


def service(name: str = "web", app: str = "web", namespace: str | None = None) -> str:
    return thing(name, "Service", namespace, f"spec: {{selector: {{app: {app}}}}}\n")


def ingress(backend: str = "web") -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: in}\n"
        f"spec: {{defaultBackend: {{service: {{name: {backend}, port: {{number: 80}}}}}}}}\n---\n"
    )


def places(workspace: Tree, items: list[Any]) -> list[str]:
    objects = [item if isinstance(item, Object) else item.object for item in items]
    return [os.path.relpath(item.piece.file.path, workspace.root) + f":{item.name}" for item in objects]


# The pods of each Service, by its place.
SELECTED: dict[str, tuple[Files, dict[str, list[str]]]] = {
    "copies do not mix": (
        {
            "deploy/web.yaml": workload() + service(),
            "release/all.yaml": workload() + service(),
            "kustomize/base/kustomization.yaml": "resources: [web.yaml, svc.yaml]\n",
            "kustomize/base/web.yaml": workload(),
            "kustomize/base/svc.yaml": service(),
            "kustomize/kustomization.yaml": "resources: [base]\n",
        },
        {
            "deploy/web.yaml": ["deploy/web.yaml:web"],
            "release/all.yaml": ["release/all.yaml:web"],
            "kustomize/base/svc.yaml": ["kustomize/base/web.yaml:web"],
        },
    ),
    "all workloads of a Service, wherever they stand below it": (
        {
            "web.yaml": service() + workload("blue"),
            "green.yaml": workload("green"),
            "more/red.yaml": workload("red"),
            "more/blue.yaml": workload("blue"),
        },
        {"web.yaml": ["green.yaml:green", "more/red.yaml:red", "web.yaml:blue"]},
    ),
    "examples with equal labels are strangers": (
        {"a/a.yaml": service() + workload("one"), "b/b.yaml": service() + workload("two")},
        {"a/a.yaml": ["a/a.yaml:one"], "b/b.yaml": ["b/b.yaml:two"]},
    ),
    "an overlay's own Service selects the pods of the base": (
        {
            "over/kustomization.yaml": "namespace: shop\nresources: [../base, svc.yaml]\n",
            "over/svc.yaml": service(),
            "other/kustomization.yaml": "namespace: blog\nresources: [../base]\n",
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": workload(),
        },
        {"over/svc.yaml": ["base/web.yaml:web"]},
    ),
    "not in another namespace": (
        {
            "kustomization.yaml": "resources: [a, b]\n",
            "a/kustomization.yaml": "namespace: a\nresources: [svc.yaml]\n",
            "a/svc.yaml": service(),
            "b/kustomization.yaml": "namespace: b\nresources: [web.yaml]\n",
            "b/web.yaml": workload(),
        },
        {"a/svc.yaml": []},
    ),
    "labels that kustomizations give": (
        {
            "kustomization.yaml": "resources: [base, svc.yaml]\n"
            "labels: [{pairs: {tier: front}, includeSelectors: true}]\n",
            "svc.yaml": service().replace("app: web", "app: web, tier: front, line: b"),
            "base/kustomization.yaml": "resources: [web.yaml]\ncommonLabels: {line: b}\n",
            "base/web.yaml": workload(),
        },
        {"svc.yaml": ["base/web.yaml:web"]},
    ),
    "labels that pods are not given": (
        {
            "kustomization.yaml": "resources: [web.yaml, svc.yaml]\nlabels: [{pairs: {tier: front}}]\n",
            "svc.yaml": service().replace("app: web", "app: web, tier: front"),
            "web.yaml": workload(),
        },
        {"svc.yaml": []},
    ),
    "a patch is no pod": (
        {
            "kustomization.yaml": "resources: [base]\npatches: [{path: patch.yaml}]\n",
            "patch.yaml": workload(),
            "svc.yaml": service(),
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": workload(),
        },
        {"svc.yaml": ["base/web.yaml:web"]},
    ),
}


@pytest.mark.parametrize("name", SELECTED)
def test_pods_of_services(name: str, tmp_path: Path) -> None:
    tree, expected = SELECTED[name]
    workspace = read(tmp_path, tree)
    relations = workspace.ask(Relations)
    services = {place: at(workspace, f"{place}:Service/web") for place in expected}
    found = {place: places(workspace, relations.selected_pods(item)) for place, item in services.items()}
    assert found == expected
    for pod in workspace.pod_templates:  # the other way round it is the same
        selecting = [item for item in services.values() if pod in relations.selected_pods(item)]
        assert [item for item in relations.services_of(pod) if item in services.values()] == selecting


def test_an_ingress_leads_to_the_service_beside_it(tmp_path: Path) -> None:
    tree = {f"{folder}/a.yaml": service() + ingress() for folder in ("a", "b")}
    workspace = read(tmp_path, tree | {"c/b.yaml": ingress("other")})
    for folder in ("a", "b"):
        found = workspace.ask(Relations).ingresses_of(at(workspace, f"{folder}/a.yaml:Service/web"))
        assert places(workspace, list(found)) == [f"{folder}/a.yaml:in"]


def test_a_base_under_three_overlays_belongs_to_each_namespace(tmp_path: Path) -> None:
    tree = {
        "base/kustomization.yaml": "resources: [web.yaml, ns.yaml]\n",
        "base/web.yaml": workload() + service(),
        "base/ns.yaml": thing("shop", "Namespace"),
        **{f"{n}/kustomization.yaml": f"namespace: {n}\nresources: [../base]\n" for n in ("dev", "test")},
        "live/kustomization.yaml": "namespace: live\nresources: [../base, db.yaml]\n",
        "live/db.yaml": workload("db", "db"),
    }
    workspace = read(tmp_path, tree)
    found = {
        name: (space.declared, [pod.object.name for pod in space.pods])
        for name, space in workspace.ask(Namespaces).items()
    }
    assert found == {
        "dev": (True, ["web"]),
        "test": (True, ["web"]),
        "live": (True, ["web", "db"]),
    }
    # Its one Namespace object is visited once, with all that any of them holds.
    (target,) = Targets(workspace).of(Namespace)
    assert (target.name, target.names, target.declared) == ("shop", ("dev", "live", "test"), True)
    assert [pod.object.name for pod in target.pods] == ["web", "db"]


def test_each_copy_of_a_namespace_is_visited(tmp_path: Path) -> None:
    tree = {f"{folder}/a.yaml": thing("shop", "Namespace") for folder in ("a", "b")}
    workspace = read(tmp_path, tree)
    assert places(workspace, list(Targets(workspace).of(Namespace))) == ["a/a.yaml:shop", "b/a.yaml:shop"]


@pytest.mark.parametrize(
    ("kustomization", "unseen"),
    [
        ("namespace: shop\nresources: [web.yaml, 'https://example.com/all.yaml']\n", {"shop": 1}),
        ("resources: [ns.yaml, 'github.com/example/app//deploy?ref=v1']\n", {"shop": 1, None: 1}),
        ("namespace: shop\nresources: [web.yaml, gone.yaml]\ncomponents: [gone]\n", {"shop": 2}),
        ("namespace: shop\nhelmCharts: [{name: redis}]\nresources: [web.yaml]\n", {"shop": 1}),
        ("namespace: shop\nresources: [web.yaml, crd.yaml, base]\n", {}),
    ],
)
def test_what_kustomize_takes_from_elsewhere(kustomization: str, unseen: dict[str | None, int], tmp_path: Path) -> None:
    tree = {
        "kustomization.yaml": kustomization,
        "web.yaml": workload(),
        "ns.yaml": thing("shop", "Namespace"),
        "crd.yaml": "kind: CustomResourceDefinition\n",
        "base/kustomization.yaml": "resources: []\n",
    }
    workspace = read(tmp_path, tree)
    assert {name: len(facts) for name, facts in workspace.ask(HiddenPods).items()} == unseen


@pytest.mark.parametrize(
    ("config", "namespace", "expected"),
    [
        ({"k8s/shop/**": "shop"}, None, "shop"),
        ({"k8s/shop": "shop"}, None, "shop"),
        ({"./k8s/": "shop", "k8s/shop/**": "later"}, None, "shop"),
        ({"shop/**": "shop"}, None, None),
        ({"k8s/**": "shop"}, "own", "own"),
        ({}, None, None),
    ],
)
def test_namespaces_of_the_configuration(
    config: dict[str, str], namespace: str | None, expected: str | None, tmp_path: Path
) -> None:
    write(tmp_path, {"k8s/shop/a.yaml": thing("web", namespace=namespace)})
    settings = Settings(namespaces=tuple(config.items()))
    workspace = Tree.read([str(tmp_path)], root=str(tmp_path), settings=settings)
    assert workspace.ask(Builds).namespaces(workspace.objects[0]) == (expected,)


def test_the_configuration_gives_namespaces(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/a.yaml": workload(), ".harden.yaml": "namespaces: {k8s/**: default}\n"})
    assert "default-namespace" in harden("diff", ".").all
    write(tmp_path, {".harden.yaml": "namespaces: {k8s/**: No-Name}\n"})
    done = harden("diff", ".")
    assert (done.status, done.err) == (
        2, "harden: .harden.yaml: 'No-Name', the namespace of k8s/**, is no name of a namespace\n",
    )  # fmt: skip


def policy(name: str, namespace: str | None = None, ours: bool = False) -> str:
    metadata = f"name: {name}" + (f", namespace: {namespace}" if namespace else "")
    metadata += ", labels: {app.kubernetes.io/managed-by: harden}" if ours else ""
    kind = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    return f"{kind}metadata: {{{metadata}}}\nspec: {{podSelector: {{}}}}\n---\n"


# The tree, what the new object is for, and the name that it gets where it asks for "x".
FREE: dict[str, tuple[Files, str, str]] = {
    "free": ({"a.yaml": workload() + policy("y")}, "a.yaml:Deployment/web", "x"),
    "of another kind": ({"a.yaml": workload() + service("x")}, "a.yaml:Deployment/web", "x"),
    "taken": ({"a.yaml": workload(), "b/b.yaml": policy("x")}, "a.yaml:Deployment/web", "x-2"),
    "taken twice": (
        {"a.yaml": workload(), "b/b.yaml": policy("x") + policy("x-2")},
        "a.yaml:Deployment/web",
        "x-3",
    ),
    "in another namespace": (
        {"a.yaml": workload(namespace="shop"), "b.yaml": policy("x", "blog")},
        "a.yaml:Deployment/web",
        "x",
    ),
    "in no namespace, which may be any": (
        {"a.yaml": workload(namespace="shop"), "b.yaml": policy("x")},
        "a.yaml:Deployment/web",
        "x-2",
    ),
    "in one namespace by a kustomization": (
        {
            "kustomization.yaml": "namespace: shop\nresources: [a.yaml, b.yaml]\n",
            "a.yaml": workload(namespace="one"),
            "b.yaml": policy("x", "two"),
        },
        "a.yaml:Deployment/web",
        "x-2",
    ),
    "in a component that nothing uses": (
        {
            "kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
            "a.yaml": workload(),
            "c/kustomization.yaml": COMPONENT + "resources: [b.yaml]\n",
            "c/b.yaml": policy("x"),
        },
        "a.yaml:Deployment/web",
        "x-2",
    ),
    "as rendered": (
        {
            "kustomization.yaml": "resources: [base, b.yaml]\n",
            "b.yaml": policy("p-x"),
            "base/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
            "base/a.yaml": workload(),
        },
        "base/a.yaml:Deployment/web",
        "x-2",
    ),
    "ours beside a copy": (
        {"a/a.yaml": workload(), "b/b.yaml": workload(), "b/harden-n.yaml": policy("x", ours=True)},
        "a/a.yaml:Deployment/web",
        "x",
    ),
    "ours beside another": (
        {
            "kustomization.yaml": "resources: [a/a.yaml, b/b.yaml]\n",
            "a/a.yaml": workload(),
            "b/b.yaml": workload(kind="StatefulSet"),
            "b/harden-n.yaml": policy("x", ours=True),
        },
        "a/a.yaml:Deployment/web",
        "x-2",
    ),
    "ours beside itself": (
        {"a.yaml": workload() + workload(kind="StatefulSet"), "harden-n.yaml": policy("x", ours=True)},
        "a.yaml:Deployment/web",
        "x-2",
    ),
}


@pytest.mark.parametrize("name", FREE)
def test_free_names(name: str, tmp_path: Path) -> None:
    tree, place, expected = FREE[name]
    workspace = read(tmp_path, tree)
    assert workspace.ask(Names).free("NetworkPolicy", "x", at(workspace, place)) == expected


def test_names_that_the_run_takes(tmp_path: Path) -> None:
    workspace = read(tmp_path, {"a.yaml": workload("one") + workload("two") + policy("x" * 253)})
    one, two = (item for item in workspace.objects if item.kind == "Deployment")
    names = workspace.ask(Names)
    assert names.free("NetworkPolicy", "x", one, also={"x", "x-3"}) == "x-2"
    assert len(names.free("NetworkPolicy", "x" * 253, one)) == 253
    draft(workspace, one, one.create("networkpolicies", new("x"), grade=Grade.REVIEW)).apply()
    assert workspace.ask(Names).free("NetworkPolicy", "x", two) == "x-2"
    assert workspace.ask(Names) is names  # which were not all read again


def test_new_objects_that_say_the_same_are_changed_each_by_itself(tmp_path: Path) -> None:
    workspace = read(tmp_path, {"a.yaml": workload("one")})
    item = at(workspace, "a.yaml:Deployment/one")
    rule: dict[str, Any] = {"to": [{"podSelector": {}}]}  # one object for both of them
    made = [new(name) for name in ("one", "two")]
    for value in made:
        value["spec"]["egress"] = [rule]
        draft(workspace, item, item.create("networkpolicies", value, grade=Grade.REVIEW)).apply()
    one, two = (each for each in workspace.objects if each.kind == "NetworkPolicy")
    peer = {"ipBlock": {"cidr": "10.0.0.0/8"}}
    for _ in range(2):
        draft(workspace, one, one.append("spec", "egress", 0, "to", value=peer, grade=Grade.REVIEW)).apply()
    assert one.data["spec"]["egress"] == [{"to": [{"podSelector": {}}, peer, peer]}]
    assert two.data["spec"]["egress"] == [{"to": [{"podSelector": {}}]}]
    assert one.piece.data == [one.data]


def new(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "harden"}
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "labels": labels},
        "spec": {"podSelector": {}},
    }  # fmt: skip


def draft(workspace: Tree, target: View, *edits: Edit) -> step.Step:
    return step.draft(workspace, registry.get("no-privileged"), target, list(edits))


# The tree, the file that the new object stands beside, and the lines by kustomization.
LISTED: dict[str, tuple[Files, dict[str, list[str]]]] = {
    "no kustomization": ({"d/a.yaml": workload()}, {}),
    "one that does not list the sibling": ({"d/a.yaml": workload(), "d/kustomization.yaml": "resources: []\n"}, {}),
    "beside it": (
        {"d/a.yaml": workload(), "d/kustomization.yaml": "resources: [./a.yaml]\n"},
        {"d": ["harden-networkpolicies.yaml"]},
    ),
    "above it": (
        {"d/a.yaml": workload(), "kustomization.yaml": "resources: [d/a.yaml]\n"},
        {".": ["d/harden-networkpolicies.yaml"]},
    ),
    "elsewhere": (
        {"d/a.yaml": workload(), "k/kustomization.yaml": "resources: [../d/a.yaml]\n"},
        {"k": ["../d/harden-networkpolicies.yaml"]},
    ),
    "several": (
        {
            "d/a.yaml": workload(),
            "d/kustomization.yaml": COMPONENT + "resources: [a.yaml]\n",
            "k/kustomization.yaml": "resources: [../d/a.yaml]\n",
            "over/kustomization.yaml": "components: [../d]\n",
        },
        {"d": ["harden-networkpolicies.yaml"], "k": ["../d/harden-networkpolicies.yaml"]},
    ),
    "one that takes in the folder": (
        {
            "d/a.yaml": workload(),
            "d/kustomization.yaml": "resources: [a.yaml]\n",
            "kustomization.yaml": "bases: [d]\n",
        },
        {"d": ["harden-networkpolicies.yaml"]},
    ),
    "one that lists it already": (
        {
            "d/a.yaml": workload(),
            "d/harden-networkpolicies.yaml": policy("y"),
            "d/kustomization.yaml": "resources: [a.yaml, ./harden-networkpolicies.yaml]\n",
        },
        {},
    ),
}


@pytest.mark.parametrize("name", LISTED)
def test_new_files_are_listed_where_their_siblings_are(name: str, tmp_path: Path) -> None:
    tree, expected = LISTED[name]
    workspace = read(tmp_path, tree)
    item = at(workspace, "d/a.yaml")
    edits = [item.create("networkpolicies", new(name), grade=Grade.REVIEW) for name in ("one", "two")]
    made = draft(workspace, item, *edits)
    found: dict[str, list[str]] = {}
    for change in made.changes:
        if not isinstance(change.edit, Create):
            folder = os.path.relpath(os.path.dirname(change.object.piece.file.path), tmp_path)
            found.setdefault(folder, []).append(change.after)
    assert found == expected
    assert made.unlisted == []
    made.apply()
    later = draft(workspace, item, item.create("networkpolicies", new("three"), grade=Grade.REVIEW))
    assert len(later.changes) == 1  # it is listed by now
    created = made.created[0]
    assert workspace.ask(Builds).renderings(created) == workspace.ask(Builds).renderings(item)


def test_a_kustomization_outside_of_the_paths_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"d/a.yaml": workload(), "kustomization.yaml": "resources: [d/a.yaml]\n"})
    workspace = Tree.read([str(tmp_path / "d")], root=str(tmp_path))
    item = at(workspace, "d/a.yaml")
    create = item.create("networkpolicies", new("x"), grade=Grade.REVIEW)
    made = draft(workspace, item, create)
    assert made.grade is Grade.REVIEW
    assert [finding.advice for finding in made.unlisted] == ["add d/harden-networkpolicies.yaml to its resources"]
    # An edit that leans on the new object would break what that kustomization builds.
    leaning = item.set("spec", "replicas", to=2, grade=Grade.SAFE)
    assert draft(workspace, item, create, leaning).grade is Grade.BREAKING


@pytest.mark.kustomize
def test_created_files_build(harden: Harden, tmp_path: Path) -> None:
    tree = {
        "k8s/kustomization.yaml": "resources: [base/ns.yaml]\n",
        "k8s/base/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
    }
    write(tmp_path, tree)
    commit(tmp_path)
    assert harden("apply", "k8s").status == 0
    assert (tmp_path / "k8s/base/harden-networkpolicies.yaml").exists()
    assert "base/harden-networkpolicies.yaml" in (tmp_path / "k8s/kustomization.yaml").read_text()
    assert "NetworkPolicy:shop/default-deny-all" in kustomize(str(tmp_path / "k8s"))


def test_a_kustomization_that_is_not_edited_is_a_finding(harden: Harden, tmp_path: Path) -> None:
    tree = {
        "k8s/kustomization.yaml": "resources: [base/ns.yaml]\n",
        "k8s/base/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
    }
    write(tmp_path, tree)
    commit(tmp_path)
    done = harden("apply", "k8s/base")
    assert "add base/harden-networkpolicies.yaml to its resources" in done.all
    assert (tmp_path / "k8s/kustomization.yaml").read_text() == tree["k8s/kustomization.yaml"]


def test_evidence_follows_kustomizations_into_what_is_left_out(tmp_path: Path) -> None:
    tree = {
        "kustomization.yaml": "namespace: shop\nresources: [web.yaml, T/shared, T/lone.yaml, T/gone]\n",
        "web.yaml": workload(),
        "T/shared/kustomization.yaml": "resources: [svc.yaml, ../.., ../more]\ncomponents: [../part]\n",
        "T/shared/svc.yaml": service(),
        "T/shared/unlisted.yaml": service("other"),
        "T/more/Kustomization": "resources: [db.txt, bad.yaml, ../shared]\n",
        "T/more/db.txt": workload("db", "db"),
        "T/more/bad.yaml": "",
        "T/part/kustomization.yml": COMPONENT + "resources: [c.yaml]\n",
        "T/part/c.yaml": service("cache"),
        "T/lone.yaml": service("lone"),
    }
    write(tmp_path, {name.replace("T/", "testdata/"): text.replace("T/", "testdata/") for name, text in tree.items()})
    (tmp_path / "testdata" / "more" / "bad.yaml").write_bytes(b"\xff\xff")
    app = str(tmp_path)
    workspace = Tree.read([app], root=app)
    assert sorted(item.name for item in workspace.objects) == ["cache", "db", "lone", "web", "web"]
    assert [item.name for item in workspace.objects if item.editable] == ["web"]
    assert workspace.unread_evidence == 1
    assert places(
        workspace, list(workspace.ask(Relations).selected_pods(at(workspace, "testdata/shared/svc.yaml")))
    ) == ["web.yaml:web"]


def test_evidence_that_is_left_out_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ", ".join(f"testdata/{name}.yaml" for name in "abc")
    write(tmp_path, {"app/kustomization.yaml": f"resources: [{names}]\n"})
    write(tmp_path, {f"app/testdata/{name}.yaml": service(name) for name in "abc"})
    monkeypatch.setattr("hardener.tree.reader._MOST_OUTSIDE", 2)
    app = str(tmp_path / "app")
    workspace = Tree.read([app], root=app)
    assert (len(workspace.objects), workspace.unread_evidence) == (2, 1)
