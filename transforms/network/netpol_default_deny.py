"""K05: nothing talks to the pods of a namespace unless a policy names it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.authoring.edits import Basis, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.network_policies import Isolation, Policy
from hardener.facts.network.pod_labels import Place
from hardener.facts.network.run_time_peers import RunTimePeers
from hardener.facts.objects.namespace_contents import is_alone, is_shared, unseen_sources
from hardener.kubernetes.network.network_policy import Direction
from hardener.tree.core_views import Namespace, Object, OpaqueError, PodTemplate
from hardener.tree.pod_kind import is_applied

from ._policies import TOPIC, NetworkPolicies, directions, free_name, of, opened, policy, types, written
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
    isolation = namespace.tree.ask(Isolation)
    policies = [isolation.by_object[item] for item in of(namespace) if item in isolation.by_object]
    whole = [item for item in policies if item.selects_all]
    undoing = next((found for each in wanted if (found := isolation.left_open(whole, each)) is not None), None)
    is_closed = any(
        item.legal and not any(item.rules(name) for name in wanted) and item.directions.issuperset(wanted)
        for item in whole
    )
    always = options.namespace_wide == "always"
    if undoing is not None and (always or not is_shared(namespace.name)):
        yield _undone(namespace, undoing, wanted, is_closed)
        return
    if is_closed and undoing is None:
        return
    counted = [pod for pod in namespace.pods if not _is_none(pod)]
    made: dict[Place, bool] = {}
    closing = {pod: _closing(pod, wanted, _made(isolation, pod, made)) for pod in counted}
    open_pods = [pod for pod in counted if not all(closing[pod])]
    lacking = [] if open_pods else list(_lacking(namespace, closing))
    peers = namespace.tree.ask(RunTimePeers)
    sources = [*unseen_sources(namespace), *(fact for name in namespace.names for fact in peers.makers_in(name)[:1])]
    alone = namespace.declared and is_alone(namespace)
    owned = namespace.declared and not is_shared(namespace.name) and not sources
    decided = owned and not open_pods and not lacking and bool(counted or alone)
    if always or (decided and options.namespace_wide == "auto"):
        fact = f"each of its workloads ({len(counted)}) has a policy of its own"
        if alone:
            fact = "the tree holds the Namespace and nothing else that names it"
        elif not decided:
            fact = "network-policy.namespace-wide asks for it"
        value = policy(
            free_name(namespace, "default-deny-all"),
            written(namespace),
            {"podSelector": {}, "policyTypes": types(wanted)},
        )
        # Pods that the tree does not show are closed without anybody having looked at them.
        unseen = not decided and (sources or is_shared(namespace.name) or bool(open_pods or lacking))
        judged = verdict(
            why=[namespace.fact(fact), *_against(namespace, sources, open_pods), *lacking],
            effect=Effect.BEYOND if unseen else Effect.WATCHED,
            basis=Basis.PROVED,
        )
        yield namespace.create(TOPIC, value, impact="namespace-isolated", **judged.words)
    elif not namespace.name and namespace.tree.ask(Builds).is_placed_by_program(namespace.object):
        return  # only the program knows it; netpol-workload speaks of each workload
    elif namespace.declared or namespace.pods:
        # Workloads outside the given paths are no work for this run.
        ours, left = ([pod for pod in pods if pod.object.editable] for pods in (counted, open_pods))
        if owned and lacking:
            yield _apart(namespace, lacking, wanted)
            return
        missing = [each for number, each in enumerate(wanted) if not any(closing[pod][number] for pod in left)]
        yield _finding(namespace, wanted, missing, ours, left, bool(sources) or len(left) < len(open_pods))


def _against(namespace: Namespace, sources: list[Evidence], open_pods: list[PodTemplate]) -> list[Evidence]:
    found = [*sources, *(pod.fact(f"{pod.object} has no policy of its own") for pod in open_pods)]
    if is_shared(namespace.name):
        found.append(Evidence("others than this tree live in the namespace"))
    return found


def _is_none(pod: PodTemplate) -> bool:
    """Whether no pod comes of it, or one on the network of its node, which no policy closes."""
    try:
        return not is_applied(pod) or on_host_network(pod)
    except (OpaqueError, WrongShapeError):
        return False


def _made(isolation: Isolation, pod: PodTemplate, made: dict[Place, bool]) -> list[Object]:
    """The workloads for which this run made the policy of ``pod``; ``made`` is where it made any."""
    place = isolation.selectors.place(pod)
    if place not in made:
        made[place] = any(_has_own(other) for other in isolation.selectors.beside(place))
    return [twin.object for twin in isolation.selectors.twins(pod) if _has_own(twin)] if made[place] else []


def _has_own(pod: PodTemplate) -> bool:
    return "netpol-workload" in pod.changed_by


def _closing(pod: PodTemplate, wanted: list[Direction], changed: list[Object]) -> list[list[Object]]:
    """For each direction that is ``wanted`` the policies that close it for the pod, of this run (as the workloads that
    they were made for, ``changed``) or before; none where it is open."""
    isolation = pod.tree.ask(Isolation)
    try:
        selecting = isolation.selecting(pod)
    except (OpaqueError, WrongShapeError):
        selecting = []
    return [
        _closing_in(direction, isolation, pod, selecting, changed) if selecting else changed for direction in wanted
    ]


def _closing_in(
    direction: Direction, isolation: Isolation, pod: PodTemplate, selecting: list[Policy], changed: list[Object]
) -> list[Object]:
    if isolation.left_open(selecting, direction) is not None:
        return []
    selecting = sorted(selecting, key=lambda item: item.selects_all)  # that which names the pod speaks for it
    others = [item for item in selecting if not item.managed]
    if isolation.closes(pod, others, direction):
        return [item.object for item in others if direction in item.directions]
    if changed:
        return changed
    if not isolation.closes(pod, selecting, direction):
        return []
    return [item.object for item in selecting if direction in item.directions]


def _lacking(namespace: Namespace, closing: dict[PodTemplate, list[list[Object]]]) -> Iterator[Evidence]:
    """The workloads that some way to apply the tree takes in without their policies, where another has made the default
    deny already, or makes it itself."""
    isolation = namespace.tree.ask(Isolation)
    for pod, each in closing.items():
        for policies in each:
            if (
                pod.object in policies
                or isolation.comes_with(pod.object, policies)
                or isolation.comes_with(namespace.object, policies)
            ):
                continue
            held = frozenset().union(*map(isolation.ways, policies))
            way = _in_words(min(isolation.ways(namespace.object) - held), namespace.tree.root)
            yield pod.fact(f"{way} does not include {policies[0]}, which {pod.object} needs")
            break


def _in_words(way: tuple[str, str], root: str) -> str:
    place = os.path.relpath(way[1], root)
    return f"kustomize build {place}" if way[0] == "build" else f"kubectl apply -f {place}"


def _apart(namespace: Namespace, lacking: list[Evidence], wanted: list[Direction]) -> Finding:
    more = f" (and {len(lacking) - 1} more like it)" if len(lacking) > 1 else ""
    return namespace.finding(
        f"no default deny of {_place(namespace)} is written, since it would cut a workload that is applied without its "
        f"policies: {lacking[0].text}{more}",
        advice="list these policies where their workloads are listed, so that both are applied together, and run "
        f"again; or close it: {_ready(namespace, wanted)}",
    )  # fmt: skip


def _undone(namespace: Namespace, undoing: Policy, wanted: list[Direction], is_closed: bool) -> Finding:
    close = "" if is_closed else f", and close it: {_ready(namespace, wanted)}"
    return namespace.finding(
        f"nothing isolates the pods of {_place(namespace)}: {undoing.object} {opened(undoing, wanted)}, and a default "
        "deny beside it does not change that",
        advice=f"remove {undoing.object} when every pod there has what it needs{close}",
    )  # fmt: skip


def _place(namespace: Namespace) -> str:
    return f"namespace {namespace.name}" if namespace.name else "the namespace that these manifests are applied to"


def _ready(namespace: Namespace, wanted: list[Direction]) -> str:
    name = f", namespace: {namespace.name}" if namespace.name else ""
    return (
        f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: default-deny-all{name}}}, "
        f"spec: {{podSelector: {{}}, policyTypes: [{', '.join(types(wanted))}]}}}}"
    )


def _finding(
    namespace: Namespace,
    wanted: list[Direction],
    missing: list[Direction],
    counted: list[PodTemplate],
    open_pods: list[PodTemplate],
    unseen: bool,
) -> Finding:
    where = _place(namespace)
    reason = ", and some of its pods are elsewhere" if unseen else ""
    advice = f"when every pod there has what it needs, close it: {_ready(namespace, wanted)}"
    ask = namespace.tree.ask(Isolation).undoing
    undoing = [found for pod in open_pods for each in wanted if (found := ask(pod, each)) is not None]
    if undoing:
        advice += f"; {undoing[0].object} keeps open what it allows"
    if is_shared(namespace.name) and namespace.name not in (None, "default"):
        advice = "what runs there belongs to the cluster; close it through its installer"
    if open_pods:
        of_all = "the" if len(open_pods) == len(counted) else f"{len(open_pods)} of the"
        count = f"{of_all} {len(counted)} workload{'s' * (len(counted) != 1)}"
        way = "" if missing == wanted else f" for {' or for '.join(missing or wanted)}"
        return namespace.finding(f"nothing isolates {count} of {where}{way}{reason}", advice=advice)
    return namespace.finding(
        f"a pod that is added later to {where} is not isolated{reason}", advice=advice,
        severity=Severity.LOW, topic="namespace without a default-deny NetworkPolicy",
    )  # fmt: skip
