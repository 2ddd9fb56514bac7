"""Which policies select a pod, where they are applied with it, and by which labels a policy of its own finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.authoring.edits import WrongShapeError
from hardener.facts.network.network_policies import Isolation
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.tree import Tree
from tests.conftest import write


def workload(name: str, *, kind: str = "Deployment", labels: str = "{app: web}", selector: str | None = None) -> str:
    selector = f"{{matchLabels: {labels}}}" if selector is None else selector
    return f"""\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  selector: {selector}
  template:
    metadata: {{labels: {labels}}}
    spec:
      containers:
      - {{name: main, image: registry.example.com/{name}:1.4}}
"""


def policy(name: str, selector: str, types: str = "[Ingress]", *, ours: bool = False, namespace: str = "") -> str:
    labels = ", labels: {app.kubernetes.io/managed-by: harden}" if ours else ""
    where = f", namespace: {namespace}" if namespace else ""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}{where}{labels}}}
spec: {{podSelector: {selector}, policyTypes: {types}}}
"""


def read(folder: Path, **files: str) -> Tree:
    write(folder, {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()})
    return Tree.read([str(folder)], root=str(folder))


def the(tree: Tree, name: str) -> PodTemplate:
    return next(pod for pod in tree.pod_templates if pod.object.name == name)


OWN = {
    "of a Deployment": ("Deployment", "{app: web}", None, {"matchLabels": {"app": "web"}}),
    "less than the labels": (
        "Deployment", "{app: web, tier: x}", "{matchLabels: {app: web}}", {"matchLabels": {"app": "web"}}
    ),
    "expressions": (
        "StatefulSet", "{app: web}", "{matchExpressions: [{key: app, operator: In, values: [web]}]}",
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
    ),
    "plain": ("DeploymentConfig", "{app: web}", "{app: web}", {"matchLabels": {"app": "web"}}),
    "without a version": ("Deployment", "{app: web, version: v1}", None, {"matchLabels": {"app": "web"}}),
    "without a version, as an expression": (
        "Deployment", "{app: web, version: v1}",
        "{matchLabels: {app: web}, matchExpressions: [{key: version, operator: In, values: [v1]}]}",
        {"matchLabels": {"app": "web"}},
    ),
    "nothing but a version": ("Deployment", "{version: v1}", None, {"matchLabels": {"version": "v1"}}),
    "none, as in extensions/v1beta1": ("Deployment", "{app: web}", "null", {"matchLabels": {"app": "web"}}),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "labels", "selector", "expected"), OWN.values(), ids=OWN)
def test_a_workload_is_found_by_its_selector(
    tmp_path: Path, kind: str, labels: str, selector: str | None, expected: object
) -> None:
    text = workload("web", kind=kind, labels=labels, selector=selector)
    if kind == "DeploymentConfig":
        text = text.replace("apps/v1", "apps.openshift.io/v1")
    tree = read(tmp_path, web=text)
    assert tree.ask(Isolation).selectors.own(the(tree, "web")).selector == expected


def pod_object(kind: str, metadata: str) -> str:
    """A bare Pod, or a Job or CronJob whose template has ``metadata``."""
    spec = "{restartPolicy: Never, containers: [{name: main, image: registry.example.com/job:1.4}]}"
    if kind == "Pod":
        return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: Nightly.Run{metadata}}}\nspec: {spec}\n"
    template = f"{{metadata: {{name: x{metadata}}}, spec: {spec}}}"
    inner = f"{{template: {template}}}"
    outer = inner if kind == "Job" else f"{{schedule: '@daily', jobTemplate: {{spec: {inner}}}}}"
    return f"apiVersion: batch/v1\nkind: {kind}\nmetadata: {{name: Nightly.Run}}\nspec: {outer}\n"


@pytest.mark.parametrize("kind", ["Pod", "Job", "CronJob"])
def test_labels_that_change_are_left_out(tmp_path: Path, kind: str) -> None:
    labels = ", labels: {app: web, helm.sh/chart: a, app.kubernetes.io/version: '1', batch.kubernetes.io/job-name: x}"
    tree = read(tmp_path, job=pod_object(kind, labels))
    assert tree.ask(Isolation).selectors.own(the(tree, "Nightly.Run")).selector == {"matchLabels": {"app": "web"}}


def test_a_version_that_tells_workloads_apart_is_kept(tmp_path: Path) -> None:
    """Each of them may need what the other does not."""
    tree = read(
        tmp_path, a__a=workload("a", labels="{app: web, version: v1}"), b__b=workload("b", labels="{app: web}"),
        c__c=workload("c", labels="{app: db, version: v1}"), d__d=workload("d", labels="{app: db, version: v1}"),
    )  # fmt: skip
    found = {pod.object.name: tree.ask(Isolation).selectors.own(pod).selector for pod in tree.pod_templates}
    assert found == {
        "a": {"matchLabels": {"app": "web", "version": "v1"}}, "b": {"matchLabels": {"app": "web"}},
        "c": {"matchLabels": {"app": "db"}}, "d": {"matchLabels": {"app": "db"}},
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["Pod", "CronJob"])
def test_a_pod_that_has_marks_alone_gets_a_label(tmp_path: Path, kind: str) -> None:
    labels = ", labels: {kubeaudit.io/allow-privileged: '', version: '2'}"
    tree = read(tmp_path, job=pod_object(kind, labels))
    assert tree.ask(Isolation).selectors.own(the(tree, "Nightly.Run")).added == "nightly.run"


@pytest.mark.parametrize("kind", ["Pod", "CronJob"])
def test_pods_without_labels_get_one(tmp_path: Path, kind: str) -> None:
    own = (tree := read(tmp_path, job=pod_object(kind, ""))).ask(Isolation).selectors.own(the(tree, "Nightly.Run"))
    assert own.added == "nightly.run"
    assert own.selector == {"matchLabels": {"app.kubernetes.io/name": "nightly.run"}}


def test_the_label_that_is_added_is_one_that_nothing_asks_for(tmp_path: Path) -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app.kubernetes.io/name: nightly.run}}\n"
    )
    other = workload("web", labels="{app.kubernetes.io/name: nightly.run-cronjob}")
    tree = read(tmp_path, job=pod_object("CronJob", ""), service=service, other=other)
    assert tree.ask(Isolation).selectors.own(the(tree, "Nightly.Run")).added == "harden-nightly.run"


def test_a_job_cannot_get_a_label(tmp_path: Path) -> None:
    tree = read(tmp_path, job=pod_object("Job", ""))
    own = tree.ask(Isolation).selectors.own(the(tree, "Nightly.Run"))
    assert own.selector is None
    assert own.problem == "its pods have no label that tells them from others"


def test_the_pods_of_an_operator_have_labels_of_their_own(tmp_path: Path) -> None:
    text = """\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: ray}
spec: {headGroupSpec: {template: {metadata: {labels: {app: ray}}, spec: {containers: [{name: a, image: b}]}}}}
"""
    tree = read(tmp_path, ray=text)
    assert "operator" in str(tree.ask(Isolation).selectors.own(the(tree, "ray")).problem)


def test_labels_that_are_not_known(tmp_path: Path) -> None:
    tree = read(tmp_path, a=workload("a", labels="{app: '${APP}'}"), b=workload("b", selector="{matchLabels: [a]}"))
    with pytest.raises(OpaqueError):
        tree.ask(Isolation).selectors.own(the(tree, "a"))
    with pytest.raises(WrongShapeError):
        tree.ask(Isolation).selectors.own(the(tree, "b"))


def test_twins_are_what_one_policy_is_for(tmp_path: Path) -> None:
    tree = read(
        tmp_path, one__a=workload("a"), one__b=workload("b", kind="StatefulSet"), two__c=workload("c"),
        one__d=workload("d", labels="{app: d}"),
    )  # fmt: skip
    selectors = tree.ask(Isolation).selectors
    assert {pod.object.name for pod in selectors.twins(the(tree, "a"))} == {"a", "b"}
    assert {pod.object.name for pod in selectors.twins(the(tree, "c"))} == {"c"}


def test_twins_are_of_one_namespace(tmp_path: Path) -> None:
    one, other = (workload(name).replace(f"name: {name}}}", f"name: {name}, namespace: {name}}}", 1) for name in "ab")
    tree = read(tmp_path, a=one, b=other)
    selectors = tree.ask(Isolation).selectors
    assert [pod.object.name for pod in selectors.twins(the(tree, "a"))] == ["a"]
    assert [pod.object.name for pod in selectors.twins(the(tree, "b"))] == ["b"]


def test_kinds_that_share_a_name(tmp_path: Path) -> None:
    tree = read(
        tmp_path, one__a=workload("a"), one__b=workload("a", kind="DaemonSet"), two__a=workload("b"),
        three__b=workload("b", kind="DaemonSet"),
    )  # fmt: skip
    selectors = tree.ask(Isolation).selectors
    assert [selectors.shares_name(pod) for pod in tree.pod_templates] == [
        pod.object.name == "a" for pod in tree.pod_templates
    ]


SELECTED = {
    "everything": ("{}", True),
    "its label": ("{matchLabels: {app: web}}", True),
    "an expression": ("{matchExpressions: [{key: app, operator: In, values: [web, api]}]}", True),
    "one label too many": ("{matchLabels: {app: web, tier: back}}", False),
    "not with the label": ("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", False),
    "what is refused": ("[web]", False),
    "an expression of a tool": ("{matchLabels: {app: '${APP}'}}", False),
}


@pytest.mark.parametrize(("selector", "expected"), SELECTED.values(), ids=SELECTED)
def test_a_policy_selects_by_label(tmp_path: Path, selector: str, expected: bool) -> None:
    tree = read(tmp_path, web=workload("web"), policy=policy("p", selector))
    found = tree.ask(Isolation).selecting(the(tree, "web"))
    assert [item.object.name for item in found] == ["p"] * expected


CLOSED = {
    "[Ingress]": {"ingress"},
    "[Ingress, Egress]": {"ingress", "egress"},
    "null": {"ingress"},
    "null, egress: [{}]": {"ingress", "egress"},
    "Ingress": set(),  # no API server takes it
    "[1, Egress]": {"egress"},
}


@pytest.mark.parametrize(("types", "expected"), CLOSED.items(), ids=CLOSED)
def test_the_directions_that_a_policy_closes(tmp_path: Path, types: str, expected: set[str]) -> None:
    tree = read(tmp_path, web=workload("web"), policy=policy("p", "{}", types))
    pod = the(tree, "web")
    selecting = tree.ask(Isolation).selecting(pod)
    assert {d for d in ("ingress", "egress") if tree.ask(Isolation).closes(pod, selecting, d)} == expected


PLACES = {
    "beside it": ("shop__web", "shop__policy", True),
    "above it": ("shop__web__web", "shop__policy", True),
    "below it": ("shop__web", "shop__policies__policy", True),
    "in a folder beside its own": ("shop__apps__web", "shop__policies__policy", True),
    "in another example": ("one__apps__web", "two__apps__policy", False),
}


@pytest.mark.parametrize(("here", "there", "expected"), PLACES.values(), ids=PLACES)
def test_files_that_are_applied_at_once(tmp_path: Path, here: str, there: str, expected: bool) -> None:
    tree = read(tmp_path, **{here: workload("web"), there: policy("p", "{}")})
    assert bool(tree.ask(Isolation).selecting(the(tree, "web"))) is expected


CLOSED_BY = {
    "all pods of another namespace": ("{}", "shop", False),
    "all pods of its own": ("{}", "", True),
    "its label, in a namespace that it may be in": ("{matchLabels: {app: web}}", "shop", True),
}


@pytest.mark.parametrize(("selector", "namespace", "expected"), CLOSED_BY.values(), ids=CLOSED_BY)
def test_a_pod_of_no_known_namespace(tmp_path: Path, selector: str, namespace: str, expected: bool) -> None:
    tree = read(tmp_path, web=workload("web"), deny=policy("deny", selector, namespace=namespace))
    pod = the(tree, "web")
    assert tree.ask(Isolation).closes(pod, tree.ask(Isolation).selecting(pod), "ingress") is expected


def test_components_that_no_build_uses_are_not_applied_with_each_other(tmp_path: Path) -> None:
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [{}.yaml]\n"
    files = {
        "one__kustomization": component.format("web"), "one__web": workload("web"),
        "two__kustomization": component.format("p"), "two__p": policy("p", "{}"),
    }  # fmt: skip
    tree = read(tmp_path, **files)
    assert tree.ask(Isolation).selecting(the(tree, "web")) == []


def test_a_component_that_some_builds_use_closes_nothing_for_sure(tmp_path: Path) -> None:
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [policy.yaml]\n"
    files = {
        "base__kustomization": "resources: [web.yaml]\n", "base__web": workload("web"),
        "locked__kustomization": component, "locked__policy": policy("p", "{}"),
        "prod__kustomization": "resources: [../base]\ncomponents: [../locked]\n",
    }  # fmt: skip
    tree = read(tmp_path, **files)
    pod = the(tree, "web")
    assert tree.ask(Isolation).closes(pod, tree.ask(Isolation).selecting(pod), "ingress")
    tree = read(tmp_path, dev__kustomization="resources: [../base]\n")
    pod = the(tree, "web")
    assert [item.object.name for item in tree.ask(Isolation).selecting(pod)] == ["p"]
    assert not tree.ask(Isolation).closes(pod, tree.ask(Isolation).selecting(pod), "ingress")


def test_the_policy_of_ours(tmp_path: Path) -> None:
    tree = read(
        tmp_path, shop__web=workload("web"), shop__all=policy("all", "{}", ours=True),
        shop__theirs=policy("theirs", "{matchLabels: {app: web}}"),
        shop__moved__x=policy("moved", "{matchLabels: {app: web}}", ours=True),
    )  # fmt: skip
    isolation, web = tree.ask(Isolation), {"matchLabels": {"app": "web"}}
    found = isolation.own_policy(the(tree, "web"), web)
    assert found is not None and found.object.name == "moved"
    tree = read(tmp_path, shop__here=policy("here", "{matchLabels: {app: web}}", ours=True))
    found = tree.ask(Isolation).own_policy(the(tree, "web"), web)
    assert found is not None and found.object.name == "here"
    assert tree.ask(Isolation).own_policy(the(tree, "web"), {"matchLabels": {"app": "api"}}) is None


BUILD = "resources: [%s]\n"
WAYS = {
    "in one folder": ({"app/web.yaml": "web", "app/policy.yaml": "p"}, True),
    "above it, applied by itself": ({"app/web.yaml": "web", "policy.yaml": "p"}, False),
    "in a folder that is left to choice": ({"app/web.yaml": "web", "more/policy.yaml": "p"}, False),
    "in one build": ({"app/web.yaml": "web", "p/p.yaml": "p", "app/kustomization.yaml": "web.yaml, ../p/p.yaml"}, True),
    "in one build of two": (
        {
            "base/web.yaml": "web", "base/kustomization.yaml": "web.yaml", "a/kustomization.yaml": "../base",
            "b/kustomization.yaml": "../base, p.yaml", "b/p.yaml": "p",
        },
        False,
    ),
    "in more builds than it": (
        {
            "a/web.yaml": "web", "a/kustomization.yaml": "web.yaml, ../p/p.yaml", "p/p.yaml": "p",
            "b/kustomization.yaml": "../p/p.yaml",
        },
        True,
    ),
    "in a build, and it is not": ({"a/web.yaml": "web", "a/p.yaml": "p", "a/kustomization.yaml": "p.yaml"}, False),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), WAYS.values(), ids=WAYS)
def test_each_way_to_apply_a_workload_takes_in_its_policy(
    tmp_path: Path, files: dict[str, str], expected: bool
) -> None:
    texts = {"web": workload("web"), "p": policy("p", "{matchLabels: {app: web}}")}
    write(tmp_path, {name: texts.get(what) or BUILD % what for name, what in files.items()})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    (other,) = tree.of("networking.k8s.io", "NetworkPolicy")
    assert tree.ask(Isolation).comes_with(the(tree, "web").object, [other]) is expected
    assert not tree.ask(Isolation).comes_with(the(tree, "web").object, [])
