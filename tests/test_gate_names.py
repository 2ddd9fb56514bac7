"""The gate for what strangers send: no name, label, annotation or namespace of an object lowers what it is judged as.

What the cluster itself makes stays quiet by what it holds.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hardener.kubernetes.rbac import bootstrap

from .conftest import Harden, write

GOOD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, labels: {app: p}}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {seccompProfile: {type: RuntimeDefault}, runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001}
  containers:
  - name: c
    image: registry.example/shop/p:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    resources:
      requests: {cpu: 10m, memory: 16Mi, ephemeral-storage: 16Mi}
      limits: {cpu: 100m, memory: 64Mi, ephemeral-storage: 64Mi}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
"""
IMAGE = f"evil.example/miner:1@sha256:{'a' * 64}"
LABEL = ", labels: {kubernetes.io/bootstrapping: rbac-defaults}"
AUTOUPDATE = ", annotations: {rbac.authorization.kubernetes.io/autoupdate: 'true'}"
ALL = "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}"
EVERYBODY = "{kind: Group, name: 'system:authenticated', apiGroup: rbac.authorization.k8s.io}"
ACCOUNT = "{kind: ServiceAccount, name: x, namespace: shop}"


def rbac(kind: str, name: str, rest: str, more: str = "") -> str:
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: '{name}'{more}}}\n{rest}\n"


def binding(name: str, role: str, subject: str, more: str = "", kind: str = "ClusterRole") -> str:
    ref = f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: '{role}'}}\n"
    return rbac("ClusterRoleBinding", name, f"{ref}subjects: [{subject}]", more)


def role(name: str, rules: str, more: str = "") -> str:
    return rbac("ClusterRole", name, f"rules: [{rules}]", more)


def aggregated(name: str, selector: str, rules: str = "") -> str:
    return rbac("ClusterRole", name, f"aggregationRule: {{clusterRoleSelectors: [{selector}]}}\nrules: [{rules}]")


def both(*documents: str) -> str:
    return "---\n".join(documents)


def pod(namespace: str, *, kind: str = "Pod", name: str = "x", labels: str = "a: b", **spec: object) -> str:
    """A workload with the whole node, but for what ``spec`` says."""
    container = {
        "name": "c", "image": spec.pop("image", IMAGE), "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "root", "mountPath": "/host"}], **spec.pop("container", {}),  # type: ignore[dict-item]
    }  # fmt: skip
    whole = {
        "hostPID": True, "hostNetwork": True, "containers": [container],
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}], **spec,
    }  # fmt: skip
    metadata = {"name": name, "namespace": namespace, "labels": yaml.safe_load(f"{{{labels}}}")}
    if kind == "Pod":
        return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": whole})
    template = {"metadata": {"labels": metadata["labels"]}, "spec": whole}
    value = {"selector": {"matchLabels": metadata["labels"]}, "template": template}
    return yaml.safe_dump({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": value})


def volume(path: str, source: str = "hostPath", more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: pv}}\nspec:\n  capacity: {{storage: 1Gi}}\n"
        f"  accessModes: [ReadWriteMany]\n  storageClassName: ''\n  {source}: {{path: {path}{more}}}\n"
    )


PART = "labels: {part: 'true'}"
READ_PODS = "{apiGroups: [''], resources: [pods], verbs: [get]}"
VIEW = "rbac.authorization.k8s.io/aggregate-to-view"

# What is sent; the exit code; a line that says why.
TRICKS: dict[str, tuple[str, int, str]] = {
    # Names and labels of roles and bindings.
    "a binding named system:": (binding("system:node-proxier", "cluster-admin", EVERYBODY), 1, "critical rbac-auth"),
    "a binding labelled as bootstrapped": (binding("x", "cluster-admin", EVERYBODY, LABEL), 1, "critical rbac-auth"),
    "both, and updated by the API server": (
        binding("system:discovery", "cluster-admin", EVERYBODY, LABEL + AUTOUPDATE), 1, "critical rbac-auth"),
    "a binding named eks:": (binding("eks:addon-manager", "cluster-admin", EVERYBODY), 1, "critical rbac-auth"),
    "a binding named aks-": (binding("aks-cluster-admin-binding", "cluster-admin", EVERYBODY), 1, "critical rbac-auth"),
    "a binding named gce:": (binding("gce:cloud-provider", "cluster-admin", ACCOUNT), 1, "high rbac-cluster-admin"),
    "a binding named kubeadm:": (binding("kubeadm:node-proxier", "cluster-admin", ACCOUNT), 1, "high rbac-cluster-adm"),
    "a binding of every cluster with one more subject": (
        binding("system:kube-scheduler", "system:kube-scheduler",
                f"{{kind: User, name: 'system:kube-scheduler'}}, {ACCOUNT}"), 1, "high rbac-dangerous-grant"),
    "a role named system:": (
        both(role("system:metrics", ALL), binding("b", "system:metrics", ACCOUNT)), 1, "D01 every verb"),
    "a role of every cluster with other rules": (
        both(role("system:discovery", ALL), binding("b", "system:discovery", EVERYBODY)), 1, "critical rbac-auth"),
    "a role of every cluster, bound as in every cluster": (
        both(role("system:basic-user", ALL), binding("system:basic-user", "system:basic-user", EVERYBODY)), 1, "D01"),
    "what callers without a credential may have, with other rules": (
        both(role("system:public-info-viewer", "{apiGroups: [''], resources: [secrets], verbs: [get, list]}"),
             binding("b", "system:public-info-viewer", "{kind: User, name: 'system:anonymous'}")), 1, "D06 read secr"),
    "a role labelled as bootstrapped": (both(role("x", ALL, LABEL), binding("b", "x", ACCOUNT)), 1, "D01 every verb"),
    "rules of a node for all who may view": (
        role("system:node", "{apiGroups: [''], resources: [secrets], verbs: [get]}", f", labels: {{{VIEW}: 'true'}}"),
        1, "D06 read secrets"),
    "a role of the cluster for an account of the tree": (
        binding("b", "system:kube-controller-manager", ACCOUNT), 1, "ClusterRole system:kube-controller-manager holds"),
    "one that may write itself any right": (
        binding("b", "system:controller:clusterrole-aggregation-controller", ACCOUNT), 1, "D02 escalate on roles"),
    "the same beside an equal copy of the role": (
        both(role("system:kubelet-api-admin", "{apiGroups: [''], resources: [nodes/proxy], verbs: ['*']}"),
             binding("b", "system:kubelet-api-admin", ACCOUNT)), 1, "D13 nodes/proxy"),
    "a group with nearly the name of another": (
        binding("b", "cluster-admin", "{kind: Group, name: 'system:masters2'}"), 1, "high rbac-cluster-admin-binding"),
    "the group of all nodes": (
        binding("b", "cluster-admin", "{kind: Group, name: 'system:nodes'}"), 1, "a name for a part of the cluster"),
    "the group of join tokens": (
        binding("kubeadm:cluster-admins", "cluster-admin", "{kind: Group, name: 'system:bootstrappers'}"),
        1, "a name for a part of the cluster"),
    "an account with the name and label of a platform": (
        binding("b", "cluster-admin", "{kind: ServiceAccount, name: argocd-server, namespace: shop}",
                ", labels: {app.kubernetes.io/part-of: argocd}"), 1, "high rbac-platform-admin"),
    # Roles that take in others.
    "all roles of the cluster": (
        both(aggregated("o", "{}"), binding("b", "o", ACCOUNT)), 1, "critical rbac-dangerous-grant"),
    "all of them, in words": (
        both(aggregated("o", "{matchExpressions: [{key: x, operator: DoesNotExist}]}"), binding("b", "o", ACCOUNT)),
        1, "critical rbac-dangerous-grant"),
    "all of the cluster, by their label": (
        both(aggregated("o", "{matchLabels: {kubernetes.io/bootstrapping: rbac-defaults}}"),
             binding("b", "o", ACCOUNT)), 1, "critical rbac-dangerous-grant"),
    "all roles, and nobody has it yet": (aggregated("o", "{}"), 1, "high rbac-dangerous-grant"),
    "all roles for everybody": (
        both(aggregated("o", "{}"), binding("b", "o", EVERYBODY)), 1, "critical rbac-authenticated-broad"),
    "all roles, by the name of one of the cluster": (
        both(aggregated("view", "{}"), binding("b", "view", ACCOUNT)), 1, "critical rbac-dangerous-grant"),
    "a role of the tree with everything": (
        both(aggregated("o", "{matchLabels: {part: 'true'}}"), role("p", ALL, f", {PART}"), binding("b", "o", ACCOUNT)),
        1, "D01 every verb"),
    "one by way of another": (
        both(aggregated("o", "{matchLabels: {two: 'true'}}"),
             aggregated("m", "{matchLabels: {part: 'true'}}").replace("name: 'm'", "name: m, labels: {two: 'true'}"),
             role("p", ALL, f", {PART}"), binding("b", "o", EVERYBODY)), 1, "critical rbac-authenticated-broad"),
    "what may be edited": (
        both(aggregated("o", "{matchLabels: {rbac.authorization.k8s.io/aggregate-to-edit: 'true'}}"),
             binding("b", "o", ACCOUNT)), 1, "system:aggregate-to-edit"),
    "rules that stand until the controller comes": (
        both(aggregated("o", "{matchLabels: {part: 'true'}}", ALL), role("p", READ_PODS, f", {PART}"),
             binding("b", "o", ACCOUNT)), 1, "D01 every verb"),
    # Namespaces and names of pods.
    "a DaemonSet of kube-system": (pod("kube-system", kind="DaemonSet"), 1, "high system-namespace"),
    "a pod of kube-system": (pod("kube-system"), 1, "high system-namespace"),
    "a pod of kube-public": (pod("kube-public"), 1, "high system-namespace"),
    "a Deployment of kube-node-lease": (pod("kube-node-lease", kind="Deployment"), 1, "high system-namespace"),
    "a DaemonSet with the name of a known one": (
        pod("kube-system", kind="DaemonSet", name="kube-proxy"), 1, "high system-namespace"),
    "the image of a known one": (
        pod("kube-system", kind="DaemonSet", name="kube-proxy", image="registry.k8s.io/kube-proxy:v1.36.0"), 1,
        "high system-namespace"),
    "an image of nearly that name": (
        pod("kube-system", kind="DaemonSet", name="kube-proxy", image="evil.example/kube-proxy:v1.36.0"), 1,
        "high system-namespace"),
    "a namespace that a value names": (pod("kube-system", hostPID="${H:=true}"), 2, "high system-namespace"),
    "only host namespaces": (
        pod("kube-system", container={"securityContext": {}, "volumeMounts": []}, volumes=[]), 1, "no-host-pid"),
    "only the socket of the runtime": (
        pod("kube-system", kind="Deployment", hostPID=False, hostNetwork=False, container={"securityContext": {}},
            volumes=[{"name": "root", "hostPath": {"path": "/run/containerd/containerd.sock"}}]), 1, "no-host-path"),
    "a control plane, by the name of the image": (
        pod("shop", kind="Deployment", image="evil.example/kube-apiserver:v1.35.0"), 1, "high"),
    "a pod of Windows, by a field that Linux does not read": (
        pod("shop", securityContext={"windowsOptions": {"runAsUserName": "x"}}), 1, "high windows"),
    "a pod of Windows, by a label of nodes": (
        pod("shop", nodeSelector={"beta.kubernetes.io/os": "windows"}), 1, "high windows"),
    "a static pod, by a label": (pod("kube-system", labels="tier: control-plane"), 2, "not looked at"),
    # Folders of the node behind a claim.
    "a volume of the whole node": (volume("/"), 1, "high host-path-volume"),
    "the same in other letters": (volume("/srv/../"), 1, "high host-path-volume"),
    "with more slashes": (volume("//"), 1, "high host-path-volume"),
    "a volume of the type local": (volume("/", "local"), 1, "high host-path-volume"),
    "one of /etc": (volume("/etc/kubernetes"), 1, "high host-path-volume"),
    "one of the kubelet": (volume("/var/lib/kubelet/pods"), 1, "high host-path-volume"),
    "one of what holds the kubelet": (volume("/var/lib"), 1, "high host-path-volume"),
    "one of all that changes": (volume("/var/"), 1, "high host-path-volume"),
    "one of all programs": (volume("/usr"), 1, "high host-path-volume"),
    "one of the socket of the runtime": (
        volume("/var/run/containerd/containerd.sock", more=", type: Socket"), 1, "high host-path-volume"),
    "one of the processes of the node": (volume("/proc"), 1, "high host-path-volume"),
    "one of the store of the cluster": (volume("/var/lib/etcd"), 1, "high host-path-volume"),
    "one of the home of root": (volume("/root/.ssh"), 1, "high host-path-volume"),
    "one of where logs lead anywhere": (volume("/var/log"), 1, "high host-path-volume"),
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_no_name_lowers_what_is_judged(trick: str, harden: Harden, tmp_path: Path) -> None:
    text, status, line = TRICKS[trick]
    write(tmp_path, {"k8s/good.yaml": GOOD, "k8s/o.yaml": text})
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "high")
    assert (done.status, line in done.out) == (status, True), done.out


def _bootstrapped() -> str:
    """Every object of the table, as kubectl prints it."""
    documents = []
    for (kind, space, name), (item, _) in bootstrap._objects().items():
        metadata: dict[str, object] = {"name": name, **({"namespace": space} if space else {})}
        value: dict[str, object] = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata}
        if isinstance(item, bootstrap.BootstrapRole):
            metadata["labels"] = item.labels
            value["rules"] = [rule.value() for rule in item.rules]
            if item.aggregation:
                value["aggregationRule"] = item.aggregation
        else:
            value["roleRef"] = dict(zip(("apiGroup", "kind", "name"), (
                "rbac.authorization.k8s.io", *item.role), strict=True))  # fmt: skip
            value["subjects"] = [dict(zip(("kind", "namespace", "name"), each, strict=True)) for each in item.subjects]
        documents.append(yaml.safe_dump(value))
    return "---\n".join(documents)


def test_what_every_cluster_has_is_quiet(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/rbac.yaml": _bootstrapped()})
    for command in (["check", "k8s", "--no-waivers", "--fail-on", "medium"], ["check", "k8s", "--fail-on", "medium"]):
        done = harden(*command)
        assert done.status == 0, done.out
    before = (tmp_path / "k8s/rbac.yaml").read_text()
    harden("apply", "k8s", "--max-grade", "breaking")
    assert (tmp_path / "k8s/rbac.yaml").read_text() == before


KUBE_PROXY = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-proxy, namespace: kube-system, labels: {k8s-app: kube-proxy}}
spec:
  selector: {matchLabels: {k8s-app: kube-proxy}}
  template:
    metadata: {labels: {k8s-app: kube-proxy}}
    spec:
      priorityClassName: system-node-critical
      hostNetwork: true
      serviceAccountName: kube-proxy
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{operator: Exists}]
      containers:
      - name: kube-proxy
        image: registry.k8s.io/kube-proxy:v1.35.1
        command: [/usr/local/bin/kube-proxy, --config=/var/lib/kube-proxy/config.conf, --hostname-override=$(NODE_NAME)]
        env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        resources: {requests: {cpu: 10m}}
        securityContext: {privileged: true}
        volumeMounts:
        - {mountPath: /var/lib/kube-proxy, name: kube-proxy}
        - {mountPath: /run/xtables.lock, name: xtables-lock}
        - {mountPath: /lib/modules, name: lib-modules, readOnly: true}
      volumes:
      - {name: kube-proxy, configMap: {name: kube-proxy}}
      - {name: xtables-lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}
      - {name: lib-modules, hostPath: {path: /lib/modules}}
"""


@pytest.mark.parametrize(
    ("old", "new", "is_known"),
    [
        ("v1.35.1", "v1.36.2", True),
        ("cpu: 10m", "cpu: 20m", True),
        ("registry.k8s.io/", "evil.example/", False),
        ("hostNetwork: true", "hostNetwork: true\n      hostPID: true", False),
        ("path: /lib/modules}", "path: /}", False),
        ("- {name: lib-modules, hostPath: {path: /lib/modules}}",
         "- {name: lib-modules, image: {reference: evil.example/x}}", False),
        ("[/usr/local/bin/kube-proxy, ", "[sh, -c, /usr/local/bin/kube-proxy, ", False),
        ("        resources:", "        args: [--cleanup]\n        resources:", False),
        ("        resources:", "        lifecycle: {postStart: {exec: {command: [x]}}}\n        resources:", False),
        ("env: [", "env: [{name: LD_PRELOAD, value: /x}, ", False),
        ("      volumes:", "      initContainers: [{name: i, image: 'registry.k8s.io/kube-proxy:v1'}]\n      volumes:",
         False),
        ("namespace: kube-system", "namespace: kube-public", False),
        ("name: kube-proxy, namespace", "name: kube-proxy2, namespace", False),
    ],
)  # fmt: skip
def test_a_pod_of_the_installer_is_known_by_all_that_it_holds(
    old: str, new: str, is_known: bool, harden: Harden, tmp_path: Path
) -> None:
    assert old in KUBE_PROXY
    write(tmp_path, {"k8s/p.yaml": KUBE_PROXY.replace(old, new)})
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "high")
    assert done.status == (0 if is_known else 1), done.out


def test_a_value_that_is_filled_in_later_is_not_decided_in_any_namespace(harden: Harden, tmp_path: Path) -> None:
    bare: dict[str, object] = {"securityContext": {}, "volumeMounts": []}
    text = pod("kube-system", hostPID="${H:=true}", hostNetwork=False, volumes=[], container=bare)
    write(tmp_path, {"k8s/p.yaml": text})
    assert "so no-host-pid is not decided" in harden("check", "k8s", "--no-waivers", "-v").out


def test_a_role_that_takes_in_what_the_tree_does_not_show_is_not_decided(harden: Harden, tmp_path: Path) -> None:
    text = both(aggregated("o", "{matchLabels: {elsewhere: 'true'}}"), binding("b", "o", ACCOUNT))
    write(tmp_path, {"k8s/o.yaml": text})
    done = harden("check", "k8s", "--no-waivers")
    assert "asks for labels that no role of the tree has" in done.out
    assert "so rbac-dangerous-grant is not decided" in done.out


def test_a_role_that_takes_in_ordinary_ones_is_ordinary(harden: Harden, tmp_path: Path) -> None:
    text = both(
        aggregated("o", "{matchLabels: {part: 'true'}}"), role("p", READ_PODS, f", {PART}"), binding("b", "o", ACCOUNT)
    )
    write(tmp_path, {"k8s/good.yaml": GOOD, "k8s/o.yaml": text})
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "medium", "--skip", "K05")
    assert done.status == 0, done.out


def test_a_folder_for_data_is_no_way_to_the_node(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/a.yaml": volume("/srv/data"), "k8s/b.yaml": volume("/var/lib/app", "local")})
    assert harden("check", "k8s", "--no-waivers", "--fail-on", "medium").status == 0
