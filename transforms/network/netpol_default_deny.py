"""K05: nothing talks to the pods of a namespace unless a policy names it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.network_policies import Isolation, Policy
from hardener.facts.network.pod_labels import Place
from hardener.facts.network.run_time_peers import RunTimePeers
from hardener.facts.objects.namespace_contents import declarations, is_alone, is_shared, unseen_sources
from hardener.kubernetes.network.network_policy import Direction
from hardener.support.shell_words import command, scalar
from hardener.tree.core_views import Namespace, Object, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import is_applied
from hardener.tree.tree import Tree

from . import _policies
from ._traffic import on_host_network


@transform(
    each=Namespace, stage="network", severity=Severity.MEDIUM, cis="5.3.2", options=_policies.NetworkPolicies,
    absence=True,
    after=("netpol-workload",),
    peers=_policies.ISOLATION_CHECKS,
)  # fmt: skip
def netpol_default_deny(namespace: Namespace, options: _policies.NetworkPolicies) -> Steps:
    """Add a default-deny NetworkPolicy.

    Problem: the namespace has no default-deny NetworkPolicy.

    Result: Pods of the namespace have only the connections that a policy allows.

    Why: without a policy every pod of the cluster, and whoever takes one over, reaches every other pod and the metadata
    address of the cloud. Policies of single workloads do not cover a new pod.

    May break: pods that are added to the namespace later have no connection until a policy allows it.
    """
    if namespace.declared and (not namespace.object.name or namespace.object in namespace.tree.ask(_DeclaredAgain)):
        return  # no API server takes it, or it is the same namespace again, applied with the other
    wanted = _policies.directions(options)
    whole = _for_all_pods(namespace)
    is_closed = any(_closes_all(item, wanted) for item in whole)
    isolation = namespace.tree.ask(Isolation)
    undoing = next((found for each in wanted if (found := isolation.left_open(whole, each)) is not None), None)
    if undoing is not None and (options.namespace_wide == "always" or not is_shared(namespace.name)):
        yield _undone(namespace, undoing, wanted, is_closed)
    elif undoing is not None or not is_closed:
        yield from _closed(namespace, wanted, options)


class _DeclaredAgain(AsRead, set[Object]):
    """The Namespace objects that declare once more what another one declares that is applied in the same ways."""

    def __init__(self, tree: Tree) -> None:
        isolation, builds = tree.ask(Isolation), tree.ask(Builds)
        seen = set()
        for item in declarations(tree):
            place = (frozenset(builds.rendered_names(item)), frozenset(isolation.ways(item)))
            if not item.editable:
                continue
            if place in seen:
                self.add(item)
            seen.add(place)


def _for_all_pods(namespace: Namespace) -> list[Policy]:
    """The policies of the namespace that speak of each of its pods."""
    by_object = namespace.tree.ask(Isolation).by_object
    policies = [by_object[item] for item in _policies.of(namespace) if item in by_object]
    return [item for item in policies if item.selects_all]


def _closes_all(item: Policy, wanted: list[Direction]) -> bool:
    """Whether a policy for all pods is a default deny."""
    return item.legal and not any(item.rules(name) for name in wanted) and item.directions.issuperset(wanted)


class _Standing:
    """What the tree shows of the workloads of a namespace (``counted``), and of the policies that they have.

    ``closing``: by which each is closed in each direction. ``lacking``: those that come to a cluster without theirs.
    ``sources``: what makes pods that the tree does not show. ``decided``: nothing speaks against a default deny.
    """

    def __init__(self, namespace: Namespace, wanted: list[Direction]) -> None:
        isolation = namespace.tree.ask(Isolation)
        made: dict[Place, bool] = {}
        self.counted = [pod for pod in namespace.pods if not _is_none(pod)]
        self.closing = {pod: _closing(pod, wanted, _made(isolation, pod, made)) for pod in self.counted}
        self.open_pods = [pod for pod in self.counted if not all(self.closing[pod])]
        self.lacking = [] if self.open_pods else list(_lacking(namespace, self.closing))
        self.sources = list(_sources(namespace))
        self.is_shared = is_shared(namespace.name)
        self.alone = namespace.declared and is_alone(namespace)
        self.owned = namespace.declared and not self.is_shared and not self.sources
        self.is_whole = not self.open_pods and not self.lacking
        self.decided = self.owned and self.is_whole and bool(self.counted or self.alone)


def _sources(namespace: Namespace) -> Iterator[Evidence]:
    yield from unseen_sources(namespace)
    peers = namespace.tree.ask(RunTimePeers)
    for name in namespace.names:
        yield from peers.makers_in(name)[:1]


def _closed(namespace: Namespace, wanted: list[Direction], options: _policies.NetworkPolicies) -> Steps:
    """The default deny where nothing speaks against it or somebody asks for it, else what stands in its way."""
    standing = _Standing(namespace, wanted)
    if options.namespace_wide == "always" or (standing.decided and options.namespace_wide == "auto"):
        yield _default_deny(namespace, standing, wanted)
    elif not namespace.name and namespace.tree.ask(Builds).is_placed_by_program(namespace.object):
        return  # only the program knows it; netpol-workload speaks of each workload
    elif standing.owned and standing.lacking:
        yield _apart(namespace, standing.lacking, wanted)
    elif namespace.declared or namespace.pods:
        yield _left_open(namespace, standing, wanted)


def _default_deny(namespace: Namespace, standing: _Standing, wanted: list[Direction]) -> Edit:
    if standing.alone:
        fact = "the tree holds the Namespace and nothing else that names it"
    elif standing.decided:
        fact = f"each of its workloads ({len(standing.counted)}) has a policy of its own"
    else:
        fact = "network-policy.namespace-wide asks for it"
    # Pods that the tree does not show are closed without anybody having looked at them.
    unseen = not standing.decided and bool(standing.sources or standing.is_shared or not standing.is_whole)
    judged = verdict(
        why=[namespace.fact(fact), *_against(standing), *standing.lacking],
        effect=Effect.BEYOND if unseen else Effect.WATCHED,
        basis=Basis.PROVED,
    )
    spec = {"podSelector": {}, "policyTypes": _policies.types(wanted)}
    value = _policies.policy(_policies.free_name(namespace, "default-deny-all"), _policies.written(namespace), spec)
    return namespace.create(_policies.TOPIC, value, impact="namespace-isolated", **judged.words)


def _against(standing: _Standing) -> Iterator[Evidence]:
    yield from standing.sources
    for pod in standing.open_pods:
        yield pod.fact(f"{pod.object} has no policy of its own")
    if standing.is_shared:
        yield Evidence("others than this tree live in the namespace")


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
    return command("kustomize build {place}" if way[0] == "build" else "kubectl apply -f {place}", place=place)


def _apart(namespace: Namespace, lacking: list[Evidence], wanted: list[Direction]) -> Finding:
    more = f" (and {len(lacking) - 1} more like it)" if len(lacking) > 1 else ""
    return namespace.finding(
        f"no default deny of {_place(namespace)} is written, since it would cut a workload that is applied without its "
        f"policies: {lacking[0].text}{more}",
        advice="list these policies where their workloads are listed, so that both are applied together, and run "
        f"again; or close it: {_ready(namespace, wanted)}",
    )


def _undone(namespace: Namespace, undoing: Policy, wanted: list[Direction], is_closed: bool) -> Finding:
    close = "" if is_closed else f", and close it: {_ready(namespace, wanted)}"
    return namespace.finding(
        f"nothing isolates the pods of {_place(namespace)}: {undoing.object} {_policies.opened(undoing, wanted)}, and "
        "a default deny beside it does not change that",
        advice=f"remove {undoing.object} when every pod there has what it needs{close}",
    )


def _place(namespace: Namespace) -> str:
    return f"namespace {namespace.name}" if namespace.name else "the namespace that these manifests are applied to"


def _ready(namespace: Namespace, wanted: list[Direction]) -> str:
    name = f", namespace: {scalar(namespace.name)}" if namespace.name else ""
    return (
        f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: default-deny-all{name}}}, "
        f"spec: {{podSelector: {{}}, policyTypes: [{', '.join(_policies.types(wanted))}]}}}}"
    )


def _left_open(namespace: Namespace, standing: _Standing, wanted: list[Direction]) -> Finding:
    """What is open in the namespace; workloads outside the given paths are no work for this run."""
    where = _place(namespace)
    ours = [pod for pod in standing.counted if pod.object.editable]
    left = [pod for pod in standing.open_pods if pod.object.editable]
    unseen = bool(standing.sources) or len(left) < len(standing.open_pods)
    reason = ", and some of its pods are elsewhere" if unseen else ""
    advice = _to_close(namespace, left, wanted)
    if not left:
        text = f"a pod that is added later to {where} is not isolated{reason}"
        return namespace.finding(
            text, advice=advice, severity=Severity.LOW, topic="namespace without a default-deny NetworkPolicy"
        )
    missing = [each for number, each in enumerate(wanted) if not any(standing.closing[pod][number] for pod in left)]
    of_all = "the" if len(left) == len(ours) else f"{len(left)} of the"
    count = f"{of_all} {len(ours)} workload{'s' * (len(ours) != 1)}"
    way = "" if missing == wanted else f" for {' or for '.join(missing or wanted)}"
    return namespace.finding(f"nothing isolates {count} of {where}{way}{reason}", advice=advice)


def _to_close(namespace: Namespace, open_pods: list[PodTemplate], wanted: list[Direction]) -> str:
    if is_shared(namespace.name) and namespace.name not in (None, "default"):
        return "what runs there belongs to the cluster; close it through its installer"
    advice = f"when every pod there has what it needs, close it: {_ready(namespace, wanted)}"
    undoing = namespace.tree.ask(Isolation).undoing
    for pod in open_pods:
        for direction in wanted:
            if (found := undoing(pod, direction)) is not None:
                return f"{advice}; {found.object} keeps open what it allows"
    return advice
