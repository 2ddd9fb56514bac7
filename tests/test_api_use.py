"""Which pods need a token of their service account, which of their containers, and what shows it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Edit, Grade, replay
from hardener.engine.document import apply_step
from hardener.engine.unknown_starts import parted
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.api_use import Need, Strength, api_use, has_token, need
from hardener.tree.tree import Tree

from .conftest import write

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: app{metadata}}}
spec: {{{spec}}}
"""
BINDING = """\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: b{metadata}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects: [{subject}]
"""
APP = "containers: [{name: app, image: registry.example.com/app:1}]"


def pod(spec: str = APP, metadata: str = "") -> str:
    return POD.format(spec=spec, metadata=metadata)


def binding(subject: str, metadata: str = "", kind: str = "RoleBinding") -> str:
    return BINDING.format(subject=subject, metadata=metadata, kind=kind)


def account(name: str, namespace: str = "") -> str:
    return f"{{kind: ServiceAccount, name: {name}{f', namespace: {namespace}' if namespace else ''}}}"


def needed(text: str) -> Need:
    return need(Tree.from_text(text).pod_templates[0])


READER = f"serviceAccountName: reader, {APP}"
RIGHTS = [
    ("no binding", pod(READER), Strength.NONE),
    ("its namespace", pod(READER, ", namespace: a") + binding(account("reader", "a")), Strength.PROVED),
    ("that of the binding", pod(READER, ", namespace: a") + binding(account("reader"), ", namespace: a"),
     Strength.PROVED),
    ("both unset", pod(READER) + binding(account("reader")), Strength.PROVED),
    ("another namespace", pod(READER, ", namespace: a") + binding(account("reader", "b")), Strength.NONE),
    ("another account", pod(READER) + binding(account("writer")), Strength.NONE),
    ("one of two subjects", pod(READER) + binding(f"{account('writer')}, {account('reader')}"), Strength.PROVED),
    ("a cluster role", pod(READER, ", namespace: a") + binding(account("reader", "a"), kind="ClusterRoleBinding"),
     Strength.PROVED),
    ("an unset pod may be anywhere", pod(READER) + binding(account("reader", "a")), Strength.INFERRED),
    ("an unset pod may be in default", pod() + binding(account("default", "default")), Strength.INFERRED),
    ("the account as a user",
     pod(READER, ", namespace: a") + binding("{kind: User, name: 'system:serviceaccount:a:reader'}"), Strength.PROVED),
    ("the old field", pod(f"serviceAccount: reader, {APP}") + binding(account("reader")), Strength.PROVED),
    ("a namespace that is filled in later", pod(READER, ", namespace: a") + binding(account("reader", '"${NS}"')),
     Strength.INFERRED),
    ("every account", pod() + binding("{kind: Group, name: 'system:serviceaccounts'}"), Strength.NONE),
    ("every account of a namespace", pod() + binding("{kind: Group, name: 'system:serviceaccounts:a'}"), Strength.NONE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "strength"), [row[1:] for row in RIGHTS], ids=[row[0] for row in RIGHTS])
def test_rights_of_the_account_prove_it(text: str, strength: Strength) -> None:
    assert needed(text).strength is strength


CONTAINERS = [
    ("{name: a, image: quay.io/argoproj/argocd:v3}", True),
    ("{name: argocd-repo-server, image: quay.io/argoproj/argocd:v3}", False),
    ("{name: a, image: quay.io/brancz/kube-rbac-proxy:v0.22.1}", True),
    ("{name: a, image: redis:7}", False),
    ("{name: a, image: bitnami/kubectl:1.33}", True),
    ("{name: a, image: alpine/helm:3}", True),
    ("{name: a, image: groundnuty/k8s-wait-for:v2}", True),
    ("{name: a, image: a:1, command: [sh, -c, 'kubectl get pods']}", True),
    ("{name: a, image: a:1, args: [--leader-elect=true]}", True),
    ("{name: a, image: a:1, args: [--leader-elect=false]}", False),
    ("{name: a, image: a:1, args: ['--kubeconfig=']}", True),
    ("{name: a, image: a:1, env: [{name: URL, value: 'https://kubernetes.default.svc'}]}", True),
    ("{name: a, image: a:1, env: [{name: A, value: '$(KUBERNETES_SERVICE_HOST)'}]}", True),
    ("{name: a, image: a:1, livenessProbe: {exec: {command: [kubectl, version]}}}", True),
    ("{name: a, image: a:1}", False),
]


@pytest.mark.parametrize(("container", "shown"), CONTAINERS, ids=[row[0] for row in CONTAINERS])
def test_a_container_shows_it_itself(container: str, shown: bool) -> None:
    tree = Tree.from_text(pod(f"containers: [{container}, {{name: other, image: other:1}}]"))
    template = tree.pod_templates[0]
    found = need(template)
    assert [bool(found.of(each)) for each in template.containers] == [shown, False]
    assert found.strength is (Strength.INFERRED if shown else Strength.NONE)


def test_the_image_table_names_containers_that_make_no_use_of_it() -> None:
    tree = Tree.from_text(
        pod(
            "initContainers: [{name: copyutil, image: 'quay.io/argoproj/argocd:v3'}],"
            "containers: [{name: cache, image: 'redis:7'}, {name: app, image: 'app:1'},"
            " {name: script, image: 'redis:7', command: [kubectl]}]"
        )
    )
    template = tree.pod_templates[0]
    found = need(template)
    assert [found.none_of(each) is not None for each in template.containers] == [True, True, False, False]


NO_NEED = [
    ", annotations: {eks.amazonaws.com/role-arn: x}",
    ", annotations: {azure.workload.identity/client-id: x}",
    ", annotations: {iam.gke.io/gcp-service-account: x}",
    ', annotations: {sidecar.istio.io/inject: "true"}',
    ", annotations: {linkerd.io/inject: enabled}",
    ', annotations: {vault.hashicorp.com/agent-inject: "false"}',
]


@pytest.mark.parametrize("metadata", NO_NEED)
def test_other_identities_are_no_need(metadata: str) -> None:
    assert api_use(Tree.from_text(pod(metadata=metadata)).pod_templates[0]) == []


@pytest.mark.parametrize("key", ["vault.hashicorp.com/agent-inject", "consul.hashicorp.com/connect-inject"])
def test_sidecars_that_log_in_with_the_token_are_a_need(key: str) -> None:
    found = needed(pod(metadata=f', annotations: {{{key}: "true"}}'))
    assert found.strength is Strength.INFERRED
    assert found.injected


TOKENS = [
    ("/var/run/secrets/kubernetes.io/serviceaccount", True),
    ("/run/secrets/kubernetes.io/serviceaccount/", True),
    ("/var/run/secrets/tokens", False),
]


@pytest.mark.parametrize(("path", "there"), TOKENS)
def test_a_token_that_somebody_mounted_proves_it(path: str, there: bool) -> None:
    text = pod(f"containers: [{{name: a, image: a:1, volumeMounts: [{{name: t, mountPath: {path}}}]}}], volumes: []")
    template = Tree.from_text(text).pod_templates[0]
    assert has_token(template.containers[0]) is there
    assert need(template).strength is (Strength.PROVED if there else Strength.NONE)


# -- what it reads


MOUNTED = (
    "containers: [{{name: a, image: a:1, volumeMounts: [{{name: v, mountPath: /etc/a}}]}}, {{name: b, image: b:1}}],"
)
ONE = "containers: [{{name: a, image: a:1, env: [{{name: E, valueFrom: {{configMapKeyRef: {{name: c, key: {}}}}}}}]}}]"
VOLUME = MOUNTED + " volumes: [{{name: v, {}}}]"
READS = [
    ("mounted", VOLUME.format("configMap: {name: c}"), True),
    ("one of its keys", VOLUME.format("configMap: {name: c, items: [{key: api, path: p}]}"), True),
    ("another of its keys", VOLUME.format("configMap: {name: c, items: [{key: ui, path: p}]}"), False),
    ("projected", VOLUME.format("projected: {sources: [{configMap: {name: c}}]}"), True),
    ("another one", VOLUME.format("configMap: {name: d}"), False),
    ("a volume nobody mounts", VOLUME.format("emptyDir: {}}, {name: w, configMap: {name: c}"), False),
    ("all as variables", "containers: [{name: a, image: a:1, envFrom: [{configMapRef: {name: c}}]}]", True),
    ("one as a variable", ONE.format("api"), True),
    ("another variable", ONE.format("ui"), False),
]
CONFIG_MAP = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {api: "kubernetes_sd_configs: [{role: pod}]", ui: "a: b", odd: 7}
"""


@pytest.mark.parametrize(("spec", "shown"), [row[1:] for row in READS], ids=[row[0] for row in READS])
def test_what_a_config_map_says_is_said_of_the_containers_that_read_it(spec: str, shown: bool) -> None:
    template = Tree.from_text(pod(spec) + CONFIG_MAP).pod_templates[0]
    found = need(template)
    assert bool(found.of(template.containers[0])) is shown
    assert not any(found.of(other) for other in template.containers[1:])


@pytest.mark.parametrize("data", ['stringData: {key: "in_cluster: true"}', "data: {key: aW5fY2x1c3RlcjogdHJ1ZQ==}"])
def test_of_a_secret_only_the_key_is_named(data: str) -> None:
    spec = "containers: [{name: a, image: a:1, envFrom: [{secretRef: {name: s}}]}]"
    secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{data}\n"
    (fact,) = api_use(Tree.from_text(pod(spec) + secret).pod_templates[0])
    assert fact.text == "container a reads Secret/s, where key names the API"


@pytest.mark.parametrize("data", ["data: [a]", "data: text", "data: {7: 8}", "binaryData: {a: b}", "data: null"])
def test_odd_config_maps_show_nothing(data: str) -> None:
    spec = "containers: [{name: a, image: a:1, envFrom: [{configMapRef: {name: c}}]}]"
    config_map = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n{data}\n"
    assert needed(pod(spec) + config_map).strength is Strength.NONE


# -- trees


def test_a_rendered_name_is_that_of_the_account(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "base/app.yaml": pod(READER) + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: reader}\n",
            "prod/kustomization.yaml": "namePrefix: prod-\nnamespace: prod\nresources: [../base]\n",
            "rights.yaml": binding(account("prod-reader", "prod")),
        },
    )
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert need(tree.pod_templates[0]).strength is Strength.PROVED


def test_rights_of_default_elsewhere_are_not_those_of_every_unset_pod(tmp_path: Path) -> None:
    write(tmp_path, {"a/app.yaml": pod(), "b/rights.yaml": binding(account("default", "b")), "b/app.yaml": pod()})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert [need(template).strength for template in tree.pod_templates] == [Strength.NONE, Strength.INFERRED]


def test_a_placeholder_that_kustomize_replaces_is_one_namespace(tmp_path: Path) -> None:
    # As Kubebuilder writes it: all of them stand in "system" until the kustomization names another one.
    write(
        tmp_path,
        {
            "kustomization.yaml": "namespace: app-system\nresources: [app.yaml]\n",
            "app.yaml": pod(READER, ", namespace: system") + binding(account("reader", "system")),
        },
    )
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert need(tree.pod_templates[0]).strength is Strength.PROVED


def test_an_account_that_an_overlay_gives_counts(tmp_path: Path) -> None:
    patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {serviceAccountName: reader}\n"
    write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "base/app.yaml": pod(),
            "prod/kustomization.yaml": "namespace: prod\nresources: [../base]\npatches: [{path: patch.yaml}]\n",
            "prod/patch.yaml": patch,
            "rights.yaml": binding(account("reader", "prod")),
        },
    )
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    template = next(each for each in tree.pod_templates if "patch" not in each.classes)
    assert need(template).strength is not Strength.NONE


def test_names_of_new_accounts_are_free() -> None:
    text = pod(READER, ", namespace: a") + binding(account("bound")) + pod(metadata=", namespace: b")
    tree = Tree.from_text(text.replace("apiVersion: v1\nkind: Pod", "---\napiVersion: v1\nkind: Pod"))
    one, other = (template.object for template in tree.pod_templates)
    reserve = tree.ask(ServiceAccounts).reserve
    assert [reserve("reader", one), reserve("bound", one), reserve("new", one)] == ["reader-2", "bound-2", "new"]
    assert [reserve("new", other), reserve("new", one), reserve("new", other)] == ["new", "new-2", "new-3"]


def test_a_pod_that_changed_is_looked_at_again() -> None:
    """What is known of it is kept for each state of its text only."""
    tree = Tree.from_text(pod())
    (template,) = tree.pod_templates
    assert need(template) is need(template) and not api_use(template)
    volumes = [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]
    edit = template.set("volumes", to=volumes, grade=Grade.SAFE)
    replay(edit.piece.data, [edit])
    apply_step(edit.piece, [edit])
    assert need(template).strength is Strength.PROVED


def test_a_step_that_changes_nothing_of_what_starts_is_no_reason_to_look_again() -> None:
    tree = Tree.from_text(pod("volumes: [{name: data}], " + APP))
    (template,) = tree.pod_templates
    (container,) = template.containers

    def is_reason(edit: Edit) -> bool:
        before = edit.piece.wiring
        replay(edit.piece.data, [edit])
        apply_step(edit.piece, [edit])
        return edit.piece.wiring != before

    how: dict[str, Any] = {"grade": Grade.SAFE}
    assert not is_reason(template.set("securityContext", "runAsUser", to=65532, **how))
    assert not is_reason(container.append("securityContext", "capabilities", "drop", value="ALL", **how))
    assert not is_reason(container.set("resources", "limits", "memory", to="1Gi", **how))
    assert not is_reason(template.set("automountServiceAccountToken", to=False, **how))
    assert is_reason(container.set("image", to="registry.example.com/kubectl:1", **how))
    assert is_reason(container.append("volumeMounts", value={"name": "data", "mountPath": "/data"}, **how))
    assert is_reason(template.metadata.set("annotations", "resources", to="x", **how))
    assert is_reason(template.object.set("spec", "securityContext", to={}, **how))
    assert is_reason(template.drop("volumes", 0, **how))


def test_a_port_and_an_expression_that_a_step_writes_are_seen() -> None:
    tree = Tree.from_text(pod())
    (template,) = tree.pod_templates
    (container,) = template.containers
    low_ports = import_module("hardener.transforms.workload._ports").low_ports
    transform = registry.transforms()["read-only-root-filesystem"]
    how: dict[str, Any] = {"grade": Grade.SAFE}
    waiting = [container.set("securityContext", "runAsNonRoot", to=True, **how)]
    assert not low_ports(container) and parted(transform, container, [waiting]) == ([waiting], [])
    for edit in (
        container.append("ports", value={"containerPort": 80}, **how),
        container.append("command", value="${PROGRAM}", **how),
    ):
        replay(edit.piece.data, [edit])
        apply_step(edit.piece, [edit])
    assert list(low_ports(container)) == [80]
    (left, unknown) = parted(transform, container, [waiting])
    assert not left and [opaque.expression for opaque in unknown] == ["${PROGRAM}"]
