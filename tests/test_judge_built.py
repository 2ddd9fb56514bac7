"""A kustomization is judged as it is built, for every kind: what its patches do is a finding, or was not looked at."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.kustomize import built
from hardener.facts.kustomize.built import builds
from hardener.tree.tree import Tree

from .built import BUILDERS, build, builder
from .conftest import commit, corpus_copy, run, shared, write

GATE = ("check", "k8s", "--no-waivers", "--fail-on", "high")
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: shop
  labels: {app: p}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {seccompProfile: {type: RuntimeDefault}, runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001}
  containers:
  - name: c
    image: registry.example/p:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    resources:
      requests: {cpu: 10m, memory: 16Mi, ephemeral-storage: 16Mi}
      limits: {cpu: 100m, memory: 64Mi, ephemeral-storage: 64Mi}
    securityContext:
      {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}, runAsNonRoot: true}
"""
RBAC = "apiVersion: rbac.authorization.k8s.io/v1\n"
CLOSED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: b, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
BASE = {
    "pod.yaml": POD,
    "policy.yaml": CLOSED,
    "cilium.yaml": "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\n"
    "spec: {endpointSelector: {}, ingress: [{}]}\n",
    "space.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n"
    "    pod-security.kubernetes.io/enforce: restricted\n",
    "quota.yaml": "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n"
    'spec: {hard: {pods: "5", requests.memory: 1Gi}}\n',
    "range.yaml": "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l, namespace: shop}\n"
    "spec: {limits: [{type: Container, max: {memory: 1Gi}, default: {memory: 64Mi}}]}\n",
    "account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x, namespace: shop}\n"
    "automountServiceAccountToken: false\n",
    "role.yaml": f"{RBAC}kind: ClusterRole\nmetadata: {{name: r}}\n"
    'rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]\n',
    "binding.yaml": f"{RBAC}kind: ClusterRoleBinding\nmetadata: {{name: b}}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\n"
    "subjects: [{kind: ServiceAccount, name: x, namespace: shop}]\n",
    "service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\n"
    "spec: {selector: {app: p}, ports: [{port: 22}]}\n",
    "settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ok, namespace: shop}\ndata: {a: b}\n",
    "hook.yaml": "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"
    "metadata: {name: v}\nwebhooks:\n- name: v.example.com\n  failurePolicy: Fail\n  sideEffects: None\n"
    "  admissionReviewVersions: [v1]\n  clientConfig: {service: {name: v, namespace: shop}}\n"
    '  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]\n',
}
RESOURCES = f"resources: [{', '.join(BASE)}]\n"
POD_OF = '{hostPID: true, containers: [{name: c, image: "e:1", securityContext: {privileged: true}}]}'
DENY = "apiVersion: networking.k8s.io/v1\n    kind: NetworkPolicy\n    metadata: {name: b, namespace: shop}\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def operating(target: str, *operations: str, more: str = "") -> str:
    """A kustomization with a JSON patch of what ``target`` selects."""
    lines = "".join(f"    - {{{operation}}}\n" for operation in operations)
    return f"patches:\n- target: {{{target}}}\n{more}  patch: |\n{lines}"


def merging(text: str, more: str = "") -> str:
    """A kustomization with a strategic merge patch."""
    return f"patches:\n-{more} patch: |\n    {text}\n"


def given(data: str, kind: str = "ConfigMap") -> str:
    """An object that a value is taken from, and kustomize keeps to itself."""
    version = "v1" if kind == "ConfigMap" else "example.com/v1"
    local = "annotations: {config.kubernetes.io/local-config: 'true'}"
    return (
        f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: given, namespace: shop, {local}}}\n"
        + (data if data.startswith("data: ") else f"data: {{{data}}}")
        + "\n"
    )


def replaces(select: str, path: str, kind: str = "ConfigMap", source: str = "", target: str = "") -> str:
    """A replacement by what ``given`` holds."""
    return (
        f"replacements:\n- source: {{kind: {kind}, name: given, fieldPath: data.a{source and ', ' + source}}}\n"
        f"  targets:\n  - select: {{{select}}}\n    fieldPaths: ['{path}']\n{target and '    ' + target}\n"
    )


def replacing(
    select: str, path: str, data: str, kind: str = "ConfigMap", source: str = "", target: str = ""
) -> dict[str, str]:
    text = replaces(select, path, kind, source, target)
    return {
        "given.yaml": given(data, kind),
        "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, ") + text,
    }


def varying(name: str, path: str) -> str:
    """A variable."""
    reference = f"{{apiVersion: v1, kind: ConfigMap, name: {name}}}"
    return f"vars:\n- {{name: A, objref: {reference}, fieldref: {{fieldpath: {path}}}}}\n"


def transforming(kind: str, text: str, more: str = "", version: str = "builtin") -> dict[str, str]:
    """A kustomization with a transformer."""
    return {
        "kustomization.yaml": RESOURCES + "transformers: [t.yaml]\n",
        "t.yaml": f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: t{more}}}\n{text}",
    }


LEVELLED = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: v\n  labels:\n"
LEVELLED += "    pod-security.kubernetes.io/enforce: $(A)\n"
# name: the text behind the resources (or files), the exit code of the gate, a part of the line that tells of it.
Files = dict[str, str]
TRICKS: dict[str, tuple[str | Files, int, str]] = {
    "nothing": ("", 0, ""),
    "labels for people": ("commonLabels: {app.kubernetes.io/part-of: shop}\n", 0, ""),
    "a harmless patch": (operating("kind: ConfigMap", "op: replace, path: /data/a, value: c"), 0, ""),
    "a quota is raised": (operating("kind: ResourceQuota", 'op: replace, path: /spec/hard/pods, value: "9"'), 0, ""),
    "a policy is opened for one": (
        operating("kind: NetworkPolicy", "op: add, path: /spec/ingress, value: [{from: [{podSelector: {}}]}]"), 0,
        "NetworkPolicy/b opens ingress for others",
    ),
    "ConfigMap to Pod": (
        operating("kind: ConfigMap", "op: replace, path: /kind, value: Pod", f"op: add, path: /spec, value: {POD_OF}"),
        1, "Pod/ok: container c runs privileged (no-privileged)",
    ),
    "ConfigMap to Pod, merged": (
        "patches:\n- target: {kind: ConfigMap}\n  options: {allowKindChange: true}\n  patch: |\n"
        f"    apiVersion: v1\n    kind: Pod\n    metadata: {{name: ok}}\n    spec: {POD_OF}\n",
        1, "Pod/ok: container c runs privileged (no-privileged)",
    ),
    "ConfigMap to List of a Pod": (
        operating(
            "kind: ConfigMap", "op: replace, path: /kind, value: List",
            "op: add, path: /items, value: [{apiVersion: v1, kind: Pod, metadata: {name: i, namespace: shop}, "
            f"spec: {POD_OF}}}]",
        ), 1, "Pod/i: container c runs privileged (no-privileged)",
    ),
    "what is generated to Pod": (
        "configMapGenerator: [{name: g, literals: [a=b]}]\n"
        + operating(
            "kind: ConfigMap, name: g", "op: replace, path: /kind, value: Pod", f"op: add, path: /spec, value: {POD_OF}"
        ), 1, "Pod/g: container c runs privileged (no-privileged)",
    ),
    "a kind that nobody looks at to Pod": (
        {
            "x.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\n",
            "kustomization.yaml": RESOURCES.replace("[", "[x.yaml, ")
            + operating(
                "kind: Widget", "op: replace, path: /kind, value: Pod", "op: replace, path: /apiVersion, value: v1",
                f"op: add, path: /spec, value: {POD_OF}",
            ),
        }, 1, "Pod/w: container c runs privileged (no-privileged)",
    ),
    "policy deleted": (merging(f"$patch: delete\n    {DENY}"), 1, "NetworkPolicy/b is gone"),
    "policies deleted": (
        "patches:\n- target: {kind: NetworkPolicy}\n  patch: |\n    $patch: delete\n    kind: x\n"
        "    metadata: {name: x}\n", 1, "NetworkPolicy/b is gone",
    ),
    "policy deleted by an old patch": (
        f"patchesStrategicMerge:\n- |\n    $patch: delete\n    {DENY}", 1, "NetworkPolicy/b is gone",
    ),
    "policy of Cilium deleted": (
        "patches:\n- target: {kind: CiliumNetworkPolicy}\n  patch: |\n    $patch: delete\n    kind: x\n"
        "    metadata: {name: x}\n", 1, "CiliumNetworkPolicy/c is gone",
    ),
    "policy of Cilium changed": (
        operating("kind: CiliumNetworkPolicy", "op: add, path: /spec/egress, value: [{}]"), 2,
        "CiliumNetworkPolicy/c is changed, and harden does not check what it refuses",
    ),
    "policy kept by kustomize": (
        operating(
            "kind: NetworkPolicy",
            'op: add, path: /metadata/annotations, value: {config.kubernetes.io/local-config: "1"}',
        ), 1, "NetworkPolicy/b is gone",
    ),
    "policy of another kind": (
        operating(
            "kind: NetworkPolicy", "op: replace, path: /kind, value: ConfigMap",
            "op: replace, path: /apiVersion, value: v1",
        ), 1, "NetworkPolicy/b is gone",
    ),
    "policy of another namespace": (
        operating("kind: NetworkPolicy", "op: replace, path: /metadata/namespace, value: other"), 1,
        "NetworkPolicy/b is gone from its namespace",
    ),
    "policy opened": (
        operating("kind: NetworkPolicy", "op: add, path: /spec/ingress, value: [{}]"), 1,
        "NetworkPolicy/b opens ingress for everybody",
    ),
    "policy opened for half of all": (
        operating("kind: NetworkPolicy", "op: add, path: /spec/egress, value: [{to: [{ipBlock: {cidr: 0.0.0.0/1}}]}]"),
        1, "NetworkPolicy/b opens egress for many",
    ),
    "policy opened for all namespaces but one": (
        operating(
            "kind: NetworkPolicy",
            "op: add, path: /spec/ingress, value: [{from: [{namespaceSelector: {matchExpressions: "
            "[{key: a, operator: NotIn, values: [b]}]}}]}]",
        ), 1, "NetworkPolicy/b opens ingress for many",
    ),
    "policy for one direction": (
        operating("kind: NetworkPolicy", "op: replace, path: /spec/policyTypes, value: [Ingress]"), 1,
        "NetworkPolicy/b closes egress no more",
    ),
    "policy for no pod": (
        operating("kind: NetworkPolicy", "op: add, path: /spec/podSelector/matchLabels, value: {a: b}"), 1,
        "NetworkPolicy/b is for other pods",
    ),
    "namespace privileged": (
        operating(
            "kind: Namespace",
            "op: replace, path: /metadata/labels, value: {pod-security.kubernetes.io/enforce: privileged}",
        ), 1, "Namespace/shop is privileged, not restricted",
    ),
    "namespace baseline by commonLabels": (
        "commonLabels: {pod-security.kubernetes.io/enforce: baseline}\n", 1,
        "Namespace/shop is baseline, not restricted",
    ),
    "namespace privileged by labels": (
        "labels:\n- pairs: {pod-security.kubernetes.io/enforce: privileged}\n", 1,
        "Namespace/shop is privileged, not restricted",
    ),
    "namespace without a level": (
        operating("kind: Namespace", "op: remove, path: /metadata/labels"), 1, "Namespace/shop is gone, not restricted",
    ),
    "namespace deleted": (
        "patches:\n- patch: |\n    $patch: delete\n    apiVersion: v1\n    kind: Namespace\n"
        "    metadata: {name: shop}\n", 1, "Namespace/shop is gone, not restricted",
    ),
    "namespace of another name": (
        operating("kind: Namespace", "op: replace, path: /metadata/name, value: other"), 1,
        "Namespace/shop is gone, not restricted",
    ),
    "all kept by kustomize": (
        "commonAnnotations: {config.kubernetes.io/local-config: 'true'}\n", 1, "NetworkPolicy/b is gone",
    ),
    "a patch of which half can be read": (
        "patches:\n- target: {kind: ConfigMap}\n  patch: |\n    kind: x\n    metadata: {name: x}\n    data: {a: c}\n"
        "    ---\n    kind: [\n", 2, "this entry is no patch",
    ),
    "policy deleted by a list of patches": (
        {
            "kustomization.yaml": RESOURCES + "patches: [{path: p.yaml}]\n",
            "p.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n"
            "  metadata: {name: b, namespace: shop}\n  $patch: delete\n",
        }, 1, "NetworkPolicy/b is gone",
    ),
    "policy deleted by an overlay with bases": (
        {
            **{f"base/{name}": text for name, text in BASE.items()},
            "base/kustomization.yaml": RESOURCES,
            "kustomization.yaml": "bases: [base]\npatchesStrategicMerge:\n- |\n  $patch: delete\n"
            "  apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: b, namespace: shop}\n",
        }, 1, "NetworkPolicy/b is gone",
    ),
    "quota deleted": (
        "patches:\n- patch: |\n    $patch: delete\n    apiVersion: v1\n    kind: ResourceQuota\n"
        "    metadata: {name: q, namespace: shop}\n", 1, "ResourceQuota/q is gone",
    ),
    "quota without a number": (
        operating("kind: ResourceQuota", "op: remove, path: /spec/hard/pods"), 1,
        "ResourceQuota/q no longer limits pods",
    ),
    "range without a maximum": (
        operating("kind: LimitRange", "op: remove, path: /spec/limits/0/max"), 1,
        "LimitRange/l no longer has Container max memory",
    ),
    "binding to cluster-admin": (
        operating("kind: ClusterRoleBinding", "op: replace, path: /roleRef/name, value: cluster-admin"), 1,
        "ServiceAccount shop/x is an administrator",
    ),
    "binding by a patch with a namespace": (
        merging(
            f"{RBAC}    kind: ClusterRoleBinding\n    metadata: {{name: b, namespace: any}}\n"
            "    roleRef: {name: cluster-admin}"
        ), 1, "ServiceAccount shop/x is an administrator",
    ),
    "binding by a late patch of a file": (
        {
            "ops.json": '[{"op": "replace", "path": "/roleRef/name", "value": "cluster-admin"}]',
            "kustomization.yaml": RESOURCES + "patchesJson6902:\n- path: ops.json\n"
            "  target: {group: rbac.authorization.k8s.io, version: v1, kind: ClusterRoleBinding, name: b}\n",
        }, 1, "ServiceAccount shop/x is an administrator",
    ),
    "role of everything": (
        operating(
            "kind: ClusterRole",
            'op: add, path: /rules/-, value: {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}',
        ),
        1, "k8s/kustomization.yaml",
    ),
    "role of secrets": (
        operating("kind: ClusterRole", "op: replace, path: /rules/0/resources/0, value: secrets"), 1,
        "k8s/kustomization.yaml",
    ),
    "subject of everybody": (
        operating(
            "kind: ClusterRoleBinding", "op: add, path: /subjects/-, value: "
            "{kind: Group, name: 'system:unauthenticated', apiGroup: rbac.authorization.k8s.io}",
        ), 1, "k8s/kustomization.yaml",
    ),
    "Service to LoadBalancer": (
        operating("kind: Service", "op: add, path: /spec/type, value: LoadBalancer"), 1,
        "Service/s: the Service is reachable from outside the cluster and looks internal",
    ),
    "pod privileged": (
        operating("kind: Pod", "op: add, path: /spec/containers/0/securityContext/privileged, value: true"), 1,
        "weakens Pod/p: container c: privileged: true",
    ),
    "pod with the root of the node": (
        operating("kind: Pod", "op: add, path: /spec/volumes, value: [{name: h, hostPath: {path: /}}]"), 1,
        "weakens Pod/p",
    ),
    "a value that comes later": (
        operating("kind: Pod", "op: add, path: /spec/hostPID, value: '${H:=true}'"), 2, "is not decided",
    ),
    "a pod that somebody owns": (
        operating(
            "kind: Pod", "op: add, path: /spec/hostPID, value: true",
            "op: add, path: /metadata/ownerReferences, value: "
            "[{apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: u, controller: true}]",
        ), 2, "weakens Pod/p: hostPID: true",
    ),
    "webhook that fails open": (
        merging(
            "apiVersion: admissionregistration.k8s.io/v1\n    kind: ValidatingWebhookConfiguration\n"
            "    metadata: {name: v}\n    webhooks: [{name: v.example.com, failurePolicy: Ignore}]"
        ), 2, "ValidatingWebhookConfiguration/v is changed",
    ),
    "by a component": (
        {
            "kustomization.yaml": RESOURCES + "components: [more]\n",
            "more/kustomization.yaml": COMPONENT
            + operating("kind: ClusterRoleBinding", "op: replace, path: /roleRef/name, value: cluster-admin"),
        }, 1, "with patch k8s/more/kustomization.yaml",
    ),
    "by a component that nobody uses": (
        {
            "kustomization.yaml": RESOURCES,
            "more/kustomization.yaml": COMPONENT
            + operating("kind: ClusterRoleBinding", "op: replace, path: /roleRef/name, value: cluster-admin"),
        }, 1, "with patch k8s/more/kustomization.yaml: ClusterRoleBinding/b: ServiceAccount shop/x is an administrator",
    ),
    "by a harmless component that nobody uses": (
        {
            "kustomization.yaml": RESOURCES,
            "more/kustomization.yaml": COMPONENT
            + operating("kind: Pod", "op: add, path: /metadata/labels/b, value: c")
            + "- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: ok, namespace: shop}, data: {a: c}}'\n",
        }, 0, "",
    ),
    "by a component that is for nothing": (
        {
            "kustomization.yaml": RESOURCES,
            "more/kustomization.yaml": COMPONENT
            + operating("kind: ConfigMap", "op: add, path: /data/b, value: c")
            + "- patch: |\n    {apiVersion: v1, kind: ConfigMap, metadata: {name: other}, data: {a: c}}\n",
        }, 2, "a component with patches that no kustomization of the tree uses",
    ),
    "by an overlay of an overlay": (
        {
            **{f"base/{name}": text for name, text in BASE.items()},
            "base/kustomization.yaml": RESOURCES,
            "one/kustomization.yaml": "resources: [../base]\n"
            + operating("kind: ClusterRoleBinding", "op: replace, path: /roleRef/name, value: cluster-admin"),
            "two/kustomization.yaml": "resources: [../one]\n"
            "patches:\n- target: {kind: ClusterRoleBinding}\n  patch: |\n    $patch: delete\n    kind: x\n"
            "    metadata: {name: x}\n",
        }, 1, "with patch k8s/one/kustomization.yaml",
    ),
    "by a name that another patch gives": (
        "patches:\n- target: {kind: ClusterRoleBinding}\n  patch: |\n"
        "    - {op: replace, path: /metadata/name, value: z}\n"
        "- target: {kind: ClusterRoleBinding, name: z}\n  patch: |\n"
        "    - {op: replace, path: /roleRef/name, value: cluster-admin}\n", 1, "is an administrator",
    ),
    "by a label that the kustomization gives": (
        "labels: [{pairs: {example.com/a: b}}]\npatchesJson6902:\n"
        "- target: {group: rbac.authorization.k8s.io, version: v1, kind: ClusterRoleBinding, name: b, "
        "labelSelector: example.com/a=b}\n  patch: |\n"
        "    - {op: replace, path: /roleRef/name, value: cluster-admin}\n", 1, "is an administrator",
    ),
    "a pattern of another engine": (
        operating(
            "kind: ClusterRoleBinding, name: '[[:alpha:]]'", "op: replace, path: /roleRef/name, value: cluster-admin"
        ), 2, "harden does not know which objects this selects",
    ),
    "fields in capitals": (
        "Patches:\n- target: {kind: ClusterRoleBinding}\n  patch: |\n"
        "    - {op: replace, path: /roleRef/name, value: cluster-admin}\n", 2, "harden does not know this field of it",
    ),
    "a target in capitals": (
        "patches:\n- Target: {kind: ClusterRoleBinding}\n  patch: |\n"
        "    - {op: replace, path: /roleRef/name, value: cluster-admin}\n", 2, "harden does not know this field of it",
    ),
    "labels at a place of their own": (
        "labels:\n- pairs: {name: cluster-admin}\n  fields: [{path: roleRef, kind: ClusterRoleBinding}]\n", 2,
        "harden does not know this field of it",
    ),
    "configured fields": (
        {
            "kustomization.yaml": RESOURCES + "namespace: cluster-admin\nconfigurations: [c.yaml]\n",
            "c.yaml": "namespace:\n- {path: roleRef/name, kind: ClusterRoleBinding}\n",
        }, 2, "harden does not check its configurations",
    ),
    "a role by a replacement": (
        replacing("kind: ClusterRoleBinding", "roleRef.name", 'data: {a: cluster-admin}'), 1, "is an administrator",
    ),
    "a role by a replacement in a file": (
        {
            "given.yaml": given("a: cluster-admin"),
            "r.yaml": "source: {kind: ConfigMap, name: given, fieldPath: data.a}\n"
            "targets: [{select: {kind: ClusterRoleBinding}, fieldPaths: [roleRef.name]}]\n",
            "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, ") + "replacements: [{path: r.yaml}]\n",
        }, 1, "is an administrator",
    ),
    "a role by a part of a text": (
        replacing("kind: ClusterRoleBinding", "roleRef.name", "data: {a: 'x/cluster-admin/y'}",
                  source="options: {delimiter: /, index: 1}"), 1, "is an administrator",
    ),
    "a role by the name that a prefix makes": (
        {
            "given.yaml": given("a: b").replace("name: given", "name: admin"),
            "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, ") + "namePrefix: cluster-\nreplacements:\n"
            "- source: {kind: ConfigMap, name: admin}\n"
            "  targets: [{select: {kind: ClusterRoleBinding}, fieldPaths: [roleRef.name]}]\n",
        }, 1, "is an administrator",
    ),
    "a field of a pod by a replacement": (
        replacing("kind: Pod", "spec.hostPID", 'data: {a: "true"}', target="options: {create: true}"), 2,
        "the type of a value that it makes is not known",
    ),
    "a field that is there by a replacement": (
        {
            "given.yaml": given('a: "true"'),
            "host.yaml": POD.replace("name: p", "name: h").replace("spec:\n", "spec:\n  hostPID: false\n", 1),
            "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, host.yaml, ")
            + replaces("kind: Pod, name: h", "spec.hostPID"),
        }, 1, "Pod/h: the pod can see the processes of its node (no-host-pid)",
    ),
    "a level of Pod Security by a replacement": (
        replacing("kind: Namespace", r"metadata.labels.pod-security\.kubernetes\.io/enforce", "a: privileged"), 1,
        "Namespace/shop is privileged, not restricted",
    ),
    "a spec by a replacement": (
        replacing("kind: NetworkPolicy", "spec.ingress", "a: [{}]", kind="Widget", target="options: {create: true}"), 1,
        "NetworkPolicy/b opens ingress for everybody",
    ),
    "a harmless replacement": (
        replacing("kind: Pod", "metadata.labels.app", "data: {a: q}"), 0, "",
    ),
    "a replacement with a field that nobody knows": (
        replacing("kind: ConfigMap, name: ok", "data.a", "data: {a: b}", source="encoding: base64"), 2,
        "harden does not know a field of its source",
    ),
    "a replacement in capitals": (
        "replacements: [{Source: {kind: ConfigMap, name: ok, fieldPath: data.a}, targets: []}]\n", 2,
        "harden does not know a field of a replacement",
    ),
    "a replacement from nothing": (
        "replacements:\n- source: {kind: ConfigMap, name: none, fieldPath: data.a}\n"
        "  targets: [{select: {kind: ClusterRoleBinding}, fieldPaths: [roleRef.name]}]\n", 2,
        "its source is no object that harden sees",
    ),
    "a replacement from what is merged": (
        "configMapGenerator:\n- {name: ok, behavior: merge, literals: [a=cluster-admin]}\nreplacements:\n"
        "- source: {kind: ConfigMap, name: ok, fieldPath: data.a}\n"
        "  targets: [{select: {kind: ClusterRoleBinding}, fieldPaths: [roleRef.name]}]\n", 2,
        "its source may be merged from several",
    ),
    "a replacement of what a pattern selects": (
        replacing("kind: 'ClusterRole.*'", "roleRef.name", "data: {a: cluster-admin}"), 2,
        "versions of kustomize select other objects by a pattern",
    ),
    "a replacement with a text of its own": (
        "replacements:\n- sourceValue: cluster-admin\n"
        "  targets: [{select: {kind: ClusterRoleBinding}, fieldPaths: [roleRef.name]}]\n", 2,
        "harden does not know a field of a replacement",
    ),
    "a variable in a label": (
        {
            "given.yaml": given("a: privileged"),
            "level.yaml": LEVELLED,
            "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, level.yaml, ") + varying("given", "data.a"),
        }, 2, "is $(A), which is filled in later",
    ),
    "a variable in a command": (
        {
            "given.yaml": given("a: sleep"),
            "run.yaml": POD.replace("name: p", "name: v").replace("    image:", "    command: [$(A), '1']\n    image:"),
            "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, run.yaml, ") + varying("given", "data.a"),
        }, 0, "",
    ),
    "a variable of nothing": (varying("none", "data.a"), 2, "its source is no object that harden sees"),
    "a variable in capitals": (
        "vars:\n- {name: A, ObjRef: {apiVersion: v1, kind: ConfigMap, name: ok}}\n", 2,
        "harden does not know the value of this variable",
    ),
    "a transformer that patches": (
        transforming("PatchTransformer", "target: {kind: ClusterRoleBinding}\npatch: |\n"
                     "  - {op: replace, path: /roleRef/name, value: cluster-admin}\n"), 1, "is an administrator",
    ),
    "a transformer that patches in a text": (
        "transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: t}\n"
        "  target: {kind: ClusterRoleBinding}\n"
        "  patch: |\n    - {op: replace, path: /roleRef/name, value: cluster-admin}\n", 1, "is an administrator",
    ),
    "a transformer with labels": (
        transforming("LabelTransformer", "labels: {pod-security.kubernetes.io/enforce: privileged}\n"
                     "fieldSpecs: [{path: metadata/labels, create: true}]\n"), 1,
        "Namespace/shop is privileged, not restricted",
    ),
    "a transformer with labels elsewhere": (
        transforming("LabelTransformer", "labels: {name: cluster-admin}\n"
                     "fieldSpecs: [{path: roleRef, kind: ClusterRoleBinding}]\n"), 1, "is an administrator",
    ),
    "a transformer with annotations": (
        transforming("AnnotationsTransformer", "annotations: {config.kubernetes.io/local-config: 'true'}\n"
                     "fieldSpecs: [{path: metadata/annotations, create: true, kind: NetworkPolicy}]\n"), 1,
        "NetworkPolicy/b is gone",
    ),
    "a transformer with labels for people": (
        transforming("LabelTransformer", "labels: {app.kubernetes.io/instance: shop}\n"
                     "fieldSpecs: [{path: metadata/labels, create: true}]\n"), 0, "",
    ),
    "a transformer that replaces": (
        transforming("ReplacementTransformer", "replacements:\n"
                     "- source: {kind: ServiceAccount, name: x, fieldPath: metadata.namespace}\n"
                     "  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]\n"), 0, "",
    ),
    "a transformer that is a program": (
        transforming("LabelTransformer", "labels: {a: b}\nfieldSpecs: [{path: metadata/labels}]\n",
                     ", annotations: {config.kubernetes.io/function: 'exec: {path: ./x.sh}'}"), 2,
        "harden does not know what this transformer does",
    ),
    "a transformer of somebody": (
        transforming("Thing", "a: b\n", version="example.com/v1"), 2, "harden does not know what this transformer does",
    ),
    "a transformer that is not there": ("transformers: [gone.yaml]\n", 2, "harden does not read this transformer"),
    "a transformer of namespaces": (
        transforming("NamespaceTransformer", "fieldSpecs: [{path: metadata/namespace}]\n"), 2,
        "harden does not know what this transformer does",
    ),
    "a generator": (
        {
            "kustomization.yaml": RESOURCES + "generators: [t.yaml]\n",
            "t.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: t}\nliterals: [a=b]\n",
        }, 2, "harden does not check its generators",
    ),
    "a schema": (
        {"kustomization.yaml": RESOURCES + "openapi: {path: s.json}\n", "s.json": "{}\n"}, 2,
        "harden does not check its openapi",
    ),
    "a patch that does not fit": (
        operating("kind: ClusterRoleBinding", "op: replace, path: /roleRef/nothing/name, value: cluster-admin"), 2,
        "cannot be applied to ClusterRoleBinding/b",
    ),
    "a patch for nothing": (
        merging(f"{RBAC}    kind: RoleBinding\n    metadata: {{name: none}}\n    roleRef: {{name: cluster-admin}}"), 2,
        "is for no object that harden sees",
    ),
    "a chart that is called like a file": (
        "helmCharts: [{name: pod.yaml, repo: 'https://charts.example.com'}]\n", 2, "pod.yaml is not in the tree",
    ),
}  # fmt: skip


def files_of(trick: str | Files) -> Files:
    own = {"kustomization.yaml": RESOURCES + trick} if isinstance(trick, str) else trick
    return {f"k8s/{name}": text for name, text in {**BASE, **own}.items()}


@pytest.mark.parametrize("name", TRICKS)
def test_the_gate_sees_what_a_kustomization_builds(name: str, tmp_path: Path) -> None:
    trick, status, line = TRICKS[name]
    write(tmp_path, files_of(trick))
    commit(tmp_path)
    done = run(*GATE, cwd=tmp_path)
    assert (done.status, line in done.out + done.err) == (status, True), done.out + done.err


FOUND = {
    "gate-ku-patch-cm-to-pod": ": Pod/ok: container c runs privileged (no-privileged)",
    "gate-ku-patch-delete-netpol": ", NetworkPolicy/b is gone",
    "gate-ku-patch-netpol": ", NetworkPolicy/b opens ingress for everybody",
    "gate-ku-patch-ns-psa": ", the level that Pod Security enforces in Namespace/shop is privileged, not restricted",
    "gate-ku-patch-secretrole": ": ClusterRoleBinding/b: ServiceAccount shop/x is an administrator",
    "gate-ku-patch-svc-lb": ": Service/s: the Service is reachable from outside the cluster and looks internal",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str, tmp_path: Path) -> None:
    shutil.copytree(shared("findings", "gate", name), tmp_path, dirs_exist_ok=True)
    commit(tmp_path)
    done = run(*GATE, cwd=tmp_path)
    assert done.status == 1, done.out
    assert f"with patch k8s/kustomization.yaml{FOUND[name]}" in done.out


# Of builds: what is done to names, namespaces, labels, annotations and images, in which order, and what selects what.
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "@daily"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "example.com/job:1"}]}}}}
"""
BASES = {f"base/{name}": text for name, text in BASE.items()} | {"base/kustomization.yaml": RESOURCES}


def json_patch(target: str, path: str, value: str, op: str = "add") -> str:
    """An item of ``patches`` with one operation."""
    return f'- target: {{{target}}}\n  patch: \'[{{"op": "{op}", "path": "{path}", "value": "{value}"}}]\'\n'


SELECTORS = (
    "namespace: default", "kind: 'C.*'", "kind: Cluster", "group: ''", "version: v1, kind: Service", "name: 'b|q'",
    "kind: NetworkPolicy, namespace: sh.p", "labelSelector: 'app in (p, q)'", "labelSelector: '!app, n'",
    "annotationSelector: a=b", "group: rbac.authorization.k8s.io, name: r", "kind: ResourceQuota, name: Q",
)  # fmt: skip
BUILDS: dict[str, Files] = {
    "a namespace": {
        "kustomization.yaml": RESOURCES
        + "namespace: other\n"
        + operating("kind: ConfigMap, namespace: shop", "op: add, path: /data/x, value: y"),
    },
    "names": {
        "kustomization.yaml": RESOURCES
        + "namePrefix: pre-\nnameSuffix: -suf\n"
        + operating("kind: ConfigMap, name: ok", "op: add, path: /data/x, value: y"),
    },
    "names of an overlay": {
        **BASES,
        "base/kustomization.yaml": RESOURCES + "namePrefix: pre-\n",
        "kustomization.yaml": "resources: [base]\nnameSuffix: -suf\npatches:\n"
        + json_patch("name: ok", "/data/x", "by the first")
        + json_patch("name: pre-ok", "/data/y", "by the last")
        + json_patch("name: ok-suf", "/data/z", "by none"),
    },
    "names that a patch gives": {
        "kustomization.yaml": RESOURCES
        + "patches:\n"
        + json_patch("kind: ConfigMap", "/metadata/name", "one", "replace")
        + json_patch("name: one", "/metadata/name", "two", "replace")
        + json_patch("name: one", "/data/x", "by the one between")
        + json_patch("name: ok", "/data/y", "by the first")
        + json_patch("name: two", "/data/z", "by the last"),
    },
    "labels": {
        "web.yaml": DEPLOYMENT,
        "kustomization.yaml": RESOURCES.replace("[", "[web.yaml, ")
        + "commonLabels: {team: a}\nlabels:\n- pairs: {only: this}\n- pairs: {with: pods}\n  includeTemplates: true\n"
        "- pairs: {other: selectors}\n  includeSelectors: true\ncommonAnnotations: {note: b}\npatches:\n"
        + json_patch("labelSelector: team=a", "/metadata/annotations/x", "not there yet"),
    },
    "images": {
        "web.yaml": DEPLOYMENT,
        "kustomization.yaml": RESOURCES.replace("[", "[web.yaml, ")
        + 'images: [{name: example.com/web, newTag: "2"}]\n'
        + operating("kind: Deployment", "op: add, path: /spec/replicas, value: 2"),
    },
    "selectors": {
        "kustomization.yaml": RESOURCES
        + "patches:\n"
        + "".join(
            f"- target: {{{target}}}\n  patch: |\n    - {{op: add, path: /metadata/labels, value: {{n: '{number}'}}}}\n"
            for number, target in enumerate(SELECTORS)
        ),
    },
    "another kind": {
        "kustomization.yaml": RESOURCES
        + "patches:\n"
        + json_patch("kind: Secret", "/data/x", "before")
        + json_patch("kind: ConfigMap", "/kind", "Secret", "replace")
        + json_patch("kind: Secret", "/data/y", "after")
        + json_patch("kind: ConfigMap", "/data/z", "by the old kind"),
    },
    "components": {
        "kustomization.yaml": RESOURCES
        + "components: [one, two]\npatches:\n"
        + json_patch("kind: ConfigMap", "/data/a", "third"),
        "one/kustomization.yaml": COMPONENT
        + "patches:\n"
        + json_patch("kind: ConfigMap", "/data/a", "first")
        + json_patch("kind: ConfigMap", "/data/b", "first"),
        "two/kustomization.yaml": COMPONENT
        + "patches:\n"
        + json_patch("kind: ConfigMap", "/data/a", "first", "test")
        + json_patch("kind: ConfigMap", "/data/b", "second"),
    },
}
# What replacements, transformers and variables do: a text behind the resources, of which one is ``given``.
SOURCE = "source: {kind: ConfigMap, name: given, fieldPath: data."
MANY = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: many, labels: {a.b/c: one}}
spec:
  replicas: 3
  paused: false
  selector: {matchLabels: {app: many}}
  template:
    metadata: {labels: {app: many}}
    spec:
      containers:
      - {name: web, image: "a:1", args: [-a, -b], env: [{name: X, value: $(A)+$$(A)+$(B)}]}
      - {name: web-two, image: "b:1", args: [$(A), $(M)], env: [{name: X, value: v}, {name: Z, value: $$}]}
"""
GIVEN = (
    "a: 'x/y/z', five: '5', t: 'true', w: web, deep: {er: [{k: v}]}, items: [{name: q, value: r}, {name: s, value: t}]"
)
IMAGE_PATH = "spec.template.spec.containers.0.image"
BY_PATH = {
    "each container of a name": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.containers.[name=web].image", ""),
    "each container": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.containers.*.image", ""),
    "a container by its number": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.containers.1.image", ""),
    "an argument": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.containers.[name=web].args.[=-b]", ""),
    "a number": (f"{SOURCE}five}}", "Deployment", "spec.replicas", ""),
    "a truth": (f"{SOURCE}t}}", "Deployment", "spec.paused", ""),
    "a text that is a truth": (f"{SOURCE}t}}", "Deployment", "metadata.labels.a\\.b/c", ""),
    "a mapping": (f"{SOURCE}deep}}", "Deployment", "spec.selector.matchLabels", ""),
    "a mapping that is made": (f"{SOURCE}deep}}", "Deployment", "metadata.more.yet", "create: true"),
    "a text that is made": (f"{SOURCE}w}}", "Deployment", "metadata.annotations.note", "create: true"),
    "an item that is made": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.volumes.[name=v].kind", "create: true"),
    "an item at the end": (f"{SOURCE}w}}", "Deployment", "spec.template.spec.containers.2.image", "create: true"),
    "the first part": (f"{SOURCE}w}}", "Deployment", IMAGE_PATH, "delimiter: ':', index: -1"),
    "a part": (f"{SOURCE}w}}", "Deployment", IMAGE_PATH, "delimiter: ':', index: 1"),
    "one part more": (f"{SOURCE}w}}", "Deployment", IMAGE_PATH, "delimiter: ':', index: 5"),
    "a part of a text": (f"{SOURCE}a, options: {{delimiter: /, index: 2}}}}", "Deployment", IMAGE_PATH, ""),
    "an item of a list": (
        "source: {kind: ConfigMap, name: given, fieldPath: 'data.items.[name=s].value'}", "Deployment",
        "metadata.labels.a\\.b/c", "",
    ),
    "an item by its number": (f"{SOURCE}items.0.value}}", "Deployment", "metadata.labels.a\\.b/c", ""),
    "the name": ("source: {kind: ConfigMap, name: given}", "Deployment", "metadata.labels.a\\.b/c", ""),
}  # fmt: skip
for name, (source, kind, path, options) in BY_PATH.items():
    BUILDS[f"a replacement: {name}"] = {
        "many.yaml": MANY,
        "given.yaml": given(GIVEN),
        "kustomization.yaml": RESOURCES.replace("[", "[many.yaml, given.yaml, ")
        + f"replacements:\n- {source}\n  targets:\n  - select: {{kind: {kind}}}\n    fieldPaths: ['{path}']\n"
        + (f"    options: {{{options}}}\n" if options else ""),
    }
BUILDS |= {
    "a replacement: all but one": {
        "given.yaml": given(GIVEN),
        "kustomization.yaml": RESOURCES.replace("[", "[given.yaml, ")
        + f"replacements:\n- {SOURCE}w}}\n  targets:\n  - select: {{namespace: shop, version: v1}}\n"
        "    reject: [{kind: Pod}, {kind: ConfigMap, name: given}]\n    fieldPaths: [metadata.labels.x]\n"
        "    options: {create: true}\n",
    },
    "a replacement: of a name and namespace of below": {
        **BASES,
        "base/kustomization.yaml": RESOURCES + "namePrefix: pre-\nnamespace: mid\n",
        "mid/kustomization.yaml": "resources: [../base]\nnameSuffix: -suf\nnamespace: top\n",
        "given.yaml": given(GIVEN),
        "kustomization.yaml": f"resources: [mid, given.yaml]\nreplacements:\n- {SOURCE}w}}\n  targets:\n"
        "  - {select: {name: pre-ok}, fieldPaths: [data.a]}\n"
        "  - {select: {kind: Pod, namespace: mid}, fieldPaths: [metadata.labels.app]}\n"
        "  - {select: {name: p, namespace: shop}, fieldPaths: [spec.containers.0.image]}\n",
    },
    "variables": {
        "many.yaml": MANY,
        "given.yaml": given(GIVEN),
        "kustomization.yaml": RESOURCES.replace("[", "[many.yaml, given.yaml, ")
        + varying("given", "data.w")
        + "- {name: M, objref: {apiVersion: v1, kind: ConfigMap, name: given}}\n",
    },
    "variables of a base": {
        "base/many.yaml": MANY,
        "base/given.yaml": given(GIVEN),
        "base/kustomization.yaml": "resources: [many.yaml, given.yaml]\n" + varying("given", "data.w"),
        "kustomization.yaml": "resources: [base]\nnamespace: other\n"
        + operating("kind: ConfigMap", "op: replace, path: /data/w, value: changed"),
    },
    "transformers": {
        "many.yaml": MANY,
        "t.yaml": "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: {x: v}\nfieldSpecs:\n"
        "- {path: metadata/labels, create: true}\n- {path: spec/template/metadata/labels, kind: Deployment}\n"
        "- {path: spec/template/spec/containers/resources, kind: Deployment, create: true}\n"
        "- {path: spec/none/at/all, group: apps, version: v1}\n---\n"
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: u}\nannotations: {x: o}\n"
        "fieldSpecs: [{path: metadata/annotations, create: true, version: v1}]\n",
        "kustomization.yaml": RESOURCES.replace("[", "[many.yaml, ") + "transformers: [t.yaml]\n",
    },
}
# What kustomize refuses, or makes with what a build of ours does not have.
REFUSED = {
    "a schema", "a patch that does not fit", "a patch for nothing", "a chart that is called like a file", "a generator",
    "configured fields", "fields in capitals", "a target in capitals",
    "a replacement in capitals", "a replacement from nothing", "a replacement from what is merged",
    "a replacement with a field that nobody knows", "a replacement of what a pattern selects",
    "a replacement with a text of its own", "a field of a pod by a replacement", "a variable of nothing",
    "a variable in capitals", "a transformer that is a program", "a transformer of somebody",
    "a transformer that is not there", "a transformer of namespaces",
    "a pattern of another engine", "labels at a place of their own", "by a component that nobody uses", "nothing",
    "by a harmless component that nobody uses", "by a component that is for nothing",
    "labels for people", "a patch of which half can be read",
}  # fmt: skip


def without_names(item: dict[str, Any]) -> str:
    """An object as text, without what is put around its name."""
    text = re.sub(r"(name: \S+)-[a-z0-9]{10}\n", r"\1\n", yaml.safe_dump(item))
    return text.replace("pre-", "").replace("cluster-", "").replace("-suf", "")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("tool", BUILDERS)
@pytest.mark.parametrize("name", [name for name in (*TRICKS, *BUILDS) if name not in REFUSED])
def test_what_is_built_is_what_kustomize_builds(name: str, tool: str, tmp_path: Path) -> None:
    write(tmp_path, files_of(TRICKS[name][0] if name in TRICKS else BUILDS[name]))
    found = list(builds(Tree.read([str(tmp_path / "k8s")], root=str(tmp_path))))
    assert found
    for each in found:
        wanted, complaint = build(builder(tool), Path(each.kustomization.folder))
        assert wanted is not None, complaint
        ours = [without_names(item.data) for item in each.items if item.data is not None]
        assert each.undone == []
        assert sorted(ours) == sorted(map(without_names, wanted.values()))


@pytest.mark.sampled(2)
@pytest.mark.kustomize
@pytest.mark.parametrize("name", ["microservices-demo", "argo-cd"])
def test_what_is_built_of_a_large_tree(name: str, tmp_path: Path) -> None:
    tree = corpus_copy(name, tmp_path)
    found = list(builds(Tree.read([str(tree)], root=str(tree))))
    assert any(item.is_changed for each in found for item in each.items)
    for each in [each for each in found if each.kustomization.data.get("kind") != "Component"]:
        wanted, complaint = build(builder("kustomize"), Path(each.kustomization.folder))
        assert wanted is not None, complaint
        ours = [yaml.safe_dump(item.data) for item in each.items if item.data is not None]
        assert sorted(ours) == sorted(map(yaml.safe_dump, wanted.values()))


def test_what_changes_a_pod_behind_its_patches_is_told(tmp_path: Path) -> None:
    write(tmp_path, files_of(TRICKS["a harmless replacement"][0]))
    done = run("check", "k8s", "--fail-on", "high", cwd=tmp_path)
    assert done.status == 0
    assert "this changes Pod/p when it is built, and changes of harden rest on what is written" in done.out


LEVEL = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n"
WEAKER = f"{LEVEL}    pod-security.kubernetes.io/enforce: privileged"


@pytest.mark.parametrize(
    ("comment", "options", "status"),
    [
        ("", [], 1),
        (" # harden: ignore[weakened-by-overlay] a test of ours", [], 0),
        (" # harden: ignore[weakened-by-overlay] a test of ours", ["--no-waivers"], 1),
        ("", ["--skip", "weakened-by-overlay"], 0),
    ],
)
def test_who_decides_about_a_patch(comment: str, options: list[str], status: int, tmp_path: Path) -> None:
    kustomization = RESOURCES + "patches: [{path: level.yaml}]\n"
    write(tmp_path, files_of({"kustomization.yaml": kustomization, "level.yaml": f"{WEAKER}{comment}\n"}))
    commit(tmp_path)
    done = run("check", "k8s", "--fail-on", "high", *options, cwd=tmp_path)
    assert done.status == status, done.out
    assert ("level.yaml:6" in done.out) == ("--skip" not in options)


def test_a_patch_that_only_others_see_is_no_matter_of_a_narrowed_check(tmp_path: Path) -> None:
    kustomization = RESOURCES + "patches: [{path: level.yaml}]\n"
    write(tmp_path, files_of({"kustomization.yaml": kustomization, "level.yaml": f"{WEAKER}\n"}))
    commit(tmp_path)
    assert run(*GATE, "--since", "HEAD", cwd=tmp_path).status == 0
    write(tmp_path, {"k8s/level.yaml": f"{WEAKER}\n    a: b\n"})
    assert run(*GATE, "--since", "HEAD", cwd=tmp_path).status == 1


def test_builds_far_larger_than_their_tree_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "_LEAST_WORK", 0)
    monkeypatch.setattr(built, "_WORK", 3)
    write(tmp_path, files_of(TRICKS["a harmless patch"][0]))
    commit(tmp_path)
    done = run(*GATE, cwd=tmp_path)
    assert done.status == 2
    assert "not looked at: k8s/kustomization.yaml:1: it builds more than harden takes in" in done.out
    assert "kustomize build k8s > FILE; harden check FILE" in done.out
