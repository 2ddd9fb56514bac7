"""K04: the API server holds the pods of a namespace to a level of the Pod Security Standards."""

from __future__ import annotations

from hardener.declare import Steps, transform
from hardener.edits import Basis, Edit, Evidence, Grade, Severity
from hardener.kubernetes.pod_security import LEVELS
from hardener.namespaces import is_shared, unseen_sources
from hardener.pod_level import level_of, next_violation
from hardener.views import Namespace

_PREFIX = "pod-security.kubernetes.io/"
# Sidecar injection adds an init container with NET_ADMIN, unless the mesh runs in CNI mode (DECISIONS 2.10).
_INJECTION = ("istio-injection", "istio.io/rev", "linkerd.io/inject")


@transform(each=Namespace, stage="labels", severity=Severity.MEDIUM, pss="restricted", cis="5.2.1", absence=True)
def namespace_pss_labels(namespace: Namespace) -> Steps:
    """The API server refuses or reports pods of the namespace that fall below a Pod Security level.

    Why: the built-in admission check stops what breaks the standard, whoever creates it, so that the next manifest
    cannot undo this one. The version is pinned, so that an upgrade of the cluster does not change the verdict.

    May break: a pod that the tree does not show, or that something adds a container to, is refused when it is created
    next; running pods stay.
    """
    if not namespace.declared or is_shared(namespace.name):
        return
    levels = [level_of(pod) for pod in namespace.pods]
    reached = min(levels, key=LEVELS.index, default="privileged")
    doubt = unseen_sources(namespace) or _injection(namespace)
    facts = [namespace.fact(f"all {len(levels)} workloads of the namespace that the tree shows reach {reached}")]
    if levels and not doubt and reached != "privileged":
        yield _labels(namespace, "enforce", reached, Grade.REVIEW, Basis.PROVED, facts)
    elif not _level(namespace, "enforce"):
        yield from _not_enforced(namespace, reached if levels else None, doubt)
    if levels and reached != "restricted":
        pod = namespace.pods[levels.index(reached)]
        yield pod.finding(
            f"{pod.object} keeps namespace {namespace.name} below level restricted: {next_violation(pod)}",
            advice="harden it, or move it to a namespace of its own",
        )
    inert = [namespace.fact("warnings and audit records refuse no pod")]
    for mode in ("audit", "warn"):
        yield _labels(namespace, mode, "restricted", Grade.SAFE, Basis.PROVED, inert)


def _level(namespace: Namespace, mode: str) -> str | None:
    return namespace.text("metadata", "labels", _PREFIX + mode)


def _labels(
    namespace: Namespace, mode: str, level: str, grade: Grade, basis: Basis, evidence: list[Evidence]
) -> list[Edit]:
    """The label of ``mode`` with its version; nothing where the namespace is at this level or above already."""
    present = _level(namespace, mode)
    if mode != "enforce" and any(_level(namespace, other) for other in ("audit", "warn")):
        return []  # somebody chose what to be told of
    if present is not None and present not in LEVELS:
        return []
    if present is not None and LEVELS.index(present) >= LEVELS.index(level):
        return []
    version = "v{}.{}".format(*namespace.tree.settings.kubernetes_version)
    return [
        namespace.set("metadata", "labels", _PREFIX + key, to=value, grade=grade, basis=basis, evidence=evidence)
        for key, value in ((mode, level), (f"{mode}-version", version))
    ]


def _not_enforced(namespace: Namespace, reached: str | None, doubt: list[Evidence]) -> Steps:
    if reached is None:
        reason = "the tree shows no workload of it"
    elif doubt:
        reason = doubt[0].text
    else:
        reason = "not all of its workloads reach level baseline"
    yield namespace.finding(
        f"namespace {namespace.name} enforces no Pod Security level: {reason}",
        advice=f"when all its pods are known: kubectl label namespace {namespace.name} {_PREFIX}enforce=baseline",
        severity=Severity.LOW,
    )


def _injection(namespace: Namespace) -> list[Evidence]:
    labels = namespace.keys("metadata", "labels")
    found = [
        namespace.fact(f"label {label} asks for a sidecar", "metadata", "labels", label)
        for label in _INJECTION
        if label in labels
    ]
    for pod in namespace.pods:
        keys = (*pod.metadata.keys("labels"), *pod.metadata.keys("annotations"))
        if "sidecar.istio.io/inject" in keys or "linkerd.io/inject" in keys:
            found.append(pod.fact(f"{pod.object} asks for a sidecar"))
    return found
