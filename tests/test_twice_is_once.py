"""Twice is once: what a run has hardened, a second run leaves as it is. Also of what nobody wrote by hand."""

from __future__ import annotations

import pytest

from .mutants import Failure, Mutant, Seed, mutant, twice

SEED, COUNT, PARTS = 7, 500, 10


# A known reason for which the second run changes more: an account whose rights the first one takes away needs no token.
KNOWN = {"automount-token"}
# A workload without containers, which no API server takes: that it uses the API is known by the account that it gets.
KNOWN_WITHOUT_CONTAINERS = {"netpol-workload"}


def is_known(failure: Failure) -> bool:
    has_containers = any("containers:" in text for text in failure.mutant.texts.values())
    return failure.kind in (KNOWN if has_containers else KNOWN | KNOWN_WITHOUT_CONTAINERS)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_mutants_of_golden_cases(part: int) -> None:
    """``python -m tests.mutants`` runs more of them, also of what stands beside the repository."""
    size = COUNT // PARTS
    found = (twice(mutant(number, SEED, more=False)) for number in range(part * size, (part + 1) * size))
    failed = [failure for failure in found if failure is not None and not is_known(failure)]
    assert not failed, "\n".join(f"{each.mutant.number} {each.kind}\n{each.shown}" for each in failed)


_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}}\nspec:\n"

# What a mutant has shown once, as small as it can be: the file, the profile and the risk.
SHOWN: dict[str, tuple[str, str, str]] = {
    "a token of a Secret is a use of the API": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: t, annotations: {kubernetes.io/service-account.name: ci}}\n"
        "type: kubernetes.io/service-account-token\n---\n" + _POD + "  serviceAccountName: ci\n"
        "  containers: [{name: c, image: example.com/a:1, volumeMounts: [{name: t, mountPath: /t}]}]\n"
        "  volumes: [{name: t, secret: {secretName: t}}]\n",
        "strict", "review",
    ),
    "an unconfined container beside others": (
        _POD + "  containers:\n  - name: c\n    image: example.com/a:1\n    securityContext:\n"
        "      allowPrivilegeEscalation: false\n      readOnlyRootFilesystem: true\n"
        "      seccompProfile: {type: Unconfined}\n  - name: d\n    image: example.com/b:1\n",
        "strict", "breaking",
    ),
    "a folder for the log of an API server": (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
        "  - {image: example.com/apiserver:1, command: [kube-apiserver]}\n",
        "restricted", "breaking",
    ),
    "two API servers in one pod": (
        "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers:\n"
        "  - command: [kube-apiserver]\n  - command: [kube-apiserver]\n",
        "strict", "breaking",
    ),
    "a tracer that is unconfined by its pod": (
        _POD + "  securityContext: {seccompProfile: {type: Unconfined}}\n  containers:\n"
        "  - {name: app, image: example.com/a:1}\n"
        "  - {name: debug, image: example.com/b:1, command: [strace, -p, '1']}\n",
        "strict", "breaking",
    ),
    "one argument as a text": (
        "kube-apiserver-arg: authorization-mode=AlwaysAllow\nprotect-kernel-defaults: true\n", "restricted", "breaking",
    ),
    "an item of a command line that is no text": (
        "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers:\n"
        "  - command: [kube-apiserver, [], --profiling=true]\n", "restricted", "breaking",
    ),
    "a name that reads like a version": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: '1.5', namespace: shop}\n"
        "spec: {containers: [{name: a, image: example.com/a:1}]}\n", "restricted", "review",
    ),
    "who may make pods until the run takes the right away": (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\n"
        "spec:\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n    spec:\n"
        "      serviceAccountName: ci\n      automountServiceAccountToken: false\n"
        "      containers: [{name: a, image: example.com/a:1, ports: [{containerPort: 8080}]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: maker, namespace: shop}\n"
        "rules: [{apiGroups: [''], resources: [pods], verbs: [create]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: maker, namespace: shop}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: maker}\n"
        "subjects: [{kind: ServiceAccount, name: ci, namespace: shop}]\n",
        "restricted", "breaking",
    ),
    "an account that the run gives the rights of another": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: manager, namespace: shop}\n"
        "spec:\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n"
        "    spec: {containers: [{name: a, image: example.com/a:1}]}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: reader, namespace: shop}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
        "subjects: [{kind: ServiceAccount, name: default, namespace: shop}]\n",
        "restricted", "review",
    ),
    "capabilities for root that a user has who is not": (
        _POD + "  containers:\n  - name: a\n    image: example.com/a:1\n    securityContext:\n"
        "      runAsUser: 65532\n      runAsNonRoot: true\n"
        "      capabilities: {add: [CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID]}\n",
        "restricted", "review",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_what_mutants_have_shown(name: str) -> None:
    text, profile, max_grade = SHOWN[name]
    failure = twice(Mutant(0, Seed(name, {}), {"a.yaml": text}, profile, max_grade, []))
    assert failure is None, failure.shown
