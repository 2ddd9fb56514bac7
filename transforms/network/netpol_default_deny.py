"""K05: nothing talks to the pods of a namespace unless a policy names it."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Finding, Grade, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.network.network_policies import Isolation
from hardener.facts.network.run_time_peers import RunTimePeers
from hardener.facts.objects.namespace_contents import is_alone, is_shared, unseen_sources
from hardener.tree.core_views import Namespace, OpaqueError, PodTemplate

from ._policies import TOPIC, NetworkPolicies, directions, free_name, of, policy, written
from ._traffic import on_host_network


@transform(
    each=Namespace, stage="network", severity=Severity.MEDIUM, cis="5.3.2", options=NetworkPolicies, absence=True,
    after=("netpol-workload",),
    peers=(
        "kube-linter:non-isolated-pod", "checkov:CKV2_K8S_6", "polaris:missingNetworkPolicy",
        "kubeaudit:allow-non-default-deny-ingress-network-policy",
        "kubeaudit:allow-non-default-deny-egress-network-policy", "kubescape:C-0030", "kubescape:C-0206",
        "kubescape:C-0260",
    ),
)  # fmt: skip
def netpol_default_deny(namespace: Namespace, options: NetworkPolicies) -> Steps:
    """A pod of the namespace takes and opens no connection that no policy names.

    Why: without a policy every pod of the cluster, and whoever takes one over, reaches every other pod and the metadata
    address of the cloud. Policies of single workloads say nothing about the pod that comes next.

    May break: pods that come into the namespace later have no connection until a policy of theirs names it.
    """
    if namespace.declared and not namespace.object.name:
        return  # no API server takes it
    wanted = directions(options)
    known = namespace.tree.ask(Isolation).by_object
    policies = [known[item] for item in of(namespace) if item in known]
    if any(
        item.legal and item.selects_all and not any(item.rules(name.lower()) for name in wanted)
        and {name.lower() for name in wanted} <= item.directions
        for item in policies
    ):  # fmt: skip
        return
    counted = [pod for pod in namespace.pods if not _is_none(pod)]
    open_pods = [pod for pod in counted if not _is_isolated(pod, wanted)]
    peers = namespace.tree.ask(RunTimePeers)
    sources = [*unseen_sources(namespace), *(fact for name in namespace.names for fact in peers.makers_in(name)[:1])]
    alone = namespace.declared and is_alone(namespace)
    owned = namespace.declared and not is_shared(namespace.name) and not sources
    decided = owned and not open_pods and bool(counted or alone)
    if options.namespace_wide == "always" or (decided and options.namespace_wide == "auto"):
        fact = f"each of its workloads ({len(counted)}) has a policy of its own"
        if alone:
            fact = "the tree holds the Namespace and nothing else that names it"
        elif not decided:
            fact = "network-policy.namespace-wide asks for it"
        value = policy(
            free_name(namespace, "default-deny-all"), written(namespace), {"podSelector": {}, "policyTypes": wanted}
        )
        # Pods that the tree does not show are closed without anybody having looked at them.
        unseen = not decided and (sources or is_shared(namespace.name) or bool(open_pods))
        yield namespace.create(
            TOPIC, value, grade=Grade.BREAKING if unseen else Grade.REVIEW, basis=Basis.PROVED,
            evidence=[namespace.fact(fact), *_against(namespace, sources, open_pods)], impact="namespace-isolated",
        )  # fmt: skip
    elif not namespace.name and namespace.object.piece.language == "python":
        return  # only the program knows it; netpol-workload speaks of each workload
    elif namespace.declared or namespace.pods:
        # Workloads outside the given paths are no work for this run.
        ours, left = ([pod for pod in pods if pod.object.editable] for pods in (counted, open_pods))
        yield _finding(namespace, wanted, ours, left, bool(sources) or len(left) < len(open_pods))


def _against(namespace: Namespace, sources: list[Evidence], open_pods: list[PodTemplate]) -> list[Evidence]:
    found = [*sources, *(pod.fact(f"{pod.object} has no policy of its own") for pod in open_pods)]
    if is_shared(namespace.name):
        found.append(Evidence("others than this tree live in the namespace"))
    return found


def _is_none(pod: PodTemplate) -> bool:
    """Whether no pod comes of it, or one on the network of its node, which no policy closes."""
    try:
        return not {"patch", "owned"}.isdisjoint(pod.classes) or on_host_network(pod)
    except (OpaqueError, WrongShapeError):
        return False


def _is_isolated(pod: PodTemplate, wanted: list[str]) -> bool:
    """Whether a policy of its own, of this run or before, closes the pod, or one that somebody wrote for it."""
    isolation = pod.tree.ask(Isolation)
    if any("netpol-workload" in twin.changed_by for twin in isolation.selectors.twins(pod)):
        return True
    try:
        selecting = isolation.selecting(pod)
    except (OpaqueError, WrongShapeError):
        return False
    return all(isolation.closes(pod, selecting, direction.lower()) for direction in wanted)


def _finding(
    namespace: Namespace, wanted: list[str], counted: list[PodTemplate], open_pods: list[PodTemplate], unseen: bool
) -> Finding:
    where = f"namespace {namespace.name}" if namespace.name else "the namespace that this is applied to"
    reason = ", and some of its pods stand elsewhere" if unseen else ""
    name = f", namespace: {namespace.name}" if namespace.name else ""
    ready = (
        f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: default-deny-all{name}}}, "
        f"spec: {{podSelector: {{}}, policyTypes: [{', '.join(wanted)}]}}}}"
    )
    advice = f"when every pod there has what it needs, close it: {ready}"
    if is_shared(namespace.name) and namespace.name not in (None, "default"):
        advice = "what runs there belongs to the cluster; close it through its installer"
    if open_pods:
        of_all = "the" if len(open_pods) == len(counted) else f"{len(open_pods)} of the"
        count = f"{of_all} {len(counted)} workload{'s' * (len(counted) != 1)}"
        return namespace.finding(f"nothing isolates {count} of {where}{reason}", advice=advice)
    return namespace.finding(
        f"nothing isolates a pod that is later added to {where}{reason}", advice=advice,
        severity=Severity.LOW, topic="namespace without a default-deny NetworkPolicy",
    )  # fmt: skip
