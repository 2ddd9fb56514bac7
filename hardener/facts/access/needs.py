"""What rights an account needs, as far as anything shows it: a ladder of evidence.

From the top: an audit log says what it did (observed); it is not used at all (unused); its pods run kubectl commands
that can be read (derived). Else a few rights are assumed, with what flags and mounts of its pods add.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.at_work import used_elsewhere
from hardener.facts.access.grants import Access, mounted_token
from hardener.facts.access.views import Binding, Subject
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.container_commands import own_command
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.audit.blind_spots import blind_spots
from hardener.kubernetes.rbac import unlogged_rights
from hardener.kubernetes.rbac.kubectl_commands import Needed, needed, wait_for
from hardener.kubernetes.rbac.observed_rule import AuditLog, ObservedRule
from hardener.kubernetes.rbac.platform import is_monitoring
from hardener.kubernetes.rbac.rules import Rule, compact
from hardener.kubernetes.rbac.security_context_constraints import ROLE as SCC_ROLE
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate


class ClusterAccount(Struct, frozen=True):
    """``namespace`` and ``name`` of an account as the cluster knows it. ``targets`` are the namespaces there that stand
    for the one of its binding in the tree: that of a RoleBinding, of a ClusterRoleBinding that of the account."""

    namespace: str
    name: str
    targets: frozenset[str]


def cluster_accounts(binding: Binding, subject: Subject) -> list[ClusterAccount]:
    """List what the account ``subject`` of ``binding`` is in the cluster, one for each build that gives it another
    namespace or name; none where nothing says its namespace."""
    builds = binding.tree.ask(Builds)
    own = binding.namespace_of(subject)
    rendered = [name for name in builds.namespaces(binding.object) if name] if binding.namespaced else []
    found: dict[tuple[str, str], None] = {}
    for account in binding.tree.ask(Access).account_objects(binding, subject):
        if _may_be_meant(builds, binding, account, own):
            found.update(dict.fromkeys(_rendered(builds, account, own)))
    if not found:
        spaces = rendered if subject.namespace is None else [own]
        found = {(space, subject.name): None for space in spaces or [own] if space}
    return [
        ClusterAccount(space, name, frozenset({space} if not rendered or space in rendered else rendered))
        for space, name in found
    ]


def _may_be_meant(builds: Builds, binding: Binding, account: Object, namespace: str | None) -> bool:
    """Whether the subject in ``namespace`` is ``account``: kustomize takes it for one of the same build and namespace,
    where an unset one is "default"."""
    if namespace is None:
        return True
    same_namespace = namespace == (account.namespace or DEFAULT)
    return same_namespace and not builds.roots(account).isdisjoint(builds.roots(binding.object))


def _rendered(builds: Builds, account: Object, namespace: str | None) -> Iterator[tuple[str, str]]:
    """Namespace and name of ``account`` in each build that renders it."""
    for rendering in builds.renderings(account):
        written = rendering.namespace or account.namespace
        for space in [written] if written else builds.namespaces(account):
            if space or namespace:
                yield str(space or namespace), rendering.name_of(account)


def target_namespace(binding: Binding, subject: Subject) -> str:
    """Return the namespace in the tree that ``ClusterAccount.targets`` stand for; "" is an unset one."""
    return (binding.object.namespace if binding.namespaced else binding.namespace_of(subject)) or ""


ENOUGH = timedelta(days=7)
"""How long an account has to be silent, or watched, until that says something."""

_MOST = 5  # in one sentence
_EVENTS = (" events", " events.events.k8s.io")  # notes about other objects: a program works without them
_READ = ("get", "list", "watch")
FLOOR = (
    Rule(("",), ("configmaps", "endpoints", "pods", "services"), _READ),
    Rule(("discovery.k8s.io",), ("endpointslices",), _READ),
)
"""What is assumed where nothing is known: most programs that use the API look for others. None of it holds secrets."""

_LEASES = (
    Rule(("coordination.k8s.io",), ("leases",), ("get", "create", "update")),
    Rule(("",), ("events",), ("create", "patch")),
)
_LEADER = re.compile(r"--?(?:enable-)?leader-elect\w*", re.I)
_CUSTOM_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


class Needs(Struct):
    """``rules`` by namespace, None for the whole cluster; empty where the account needs nothing.

    ``label`` says how they are known. ``assumed``: a part of them is a guess. ``facts`` are the evidence. ``blind``:
    ``rules`` lack requests that an audit policy of the tree keeps out of the log (other than those of events), that
    went to a namespace for which no role can be put beside the binding, or that no log records.
    """

    label: str
    rules: dict[str | None, list[Rule]] = field(default_factory=dict)
    assumed: bool = False
    facts: list[Evidence] = field(default_factory=list)
    observed: bool = False
    thin: bool = False  # observed over less than ENOUGH
    blind: bool = False


def needs(
    binding: Binding, subject: Subject, space: str, *, floor: tuple[Rule, ...] = FLOOR, expand: bool = False
) -> Needs:
    """What the account ``subject`` of ``binding`` needs in ``space``, its namespace ("": that of the binding).

    ``floor`` is what is assumed; ``expand`` adds to what was observed the verbs that usually go with it.
    """
    known = observation(binding, subject, expand=expand) or unused(binding, subject)
    if known is not None:
        return known
    pods = binding.tree.ask(Access).pods(binding, subject)
    derived = _commands(pods, space)
    if derived is not None:
        return derived
    found = Needs("ASSUMED, not derived from usage", {space: list(floor)}, assumed=True)
    for rules, fact in chain(_elections(pods), _own_resources(binding, pods), _mounts(pods)):
        found.rules[space] += rules
        found.facts.append(fact)
    if not found.rules[space]:
        found.label = "no rights, since nothing shows which it needs"
    elif found.facts:
        found.label = "partly derived, the rest ASSUMED"
    found.facts += _why_no_log(binding, subject)
    return found


# What a log shows.


def observation(binding: Binding, subject: Subject, *, expand: bool = False) -> Needs | None:
    """What an audit log shows of an account; None without a log, or where it holds nothing of it, or no reads at all:
    those are most of what accounts do, and then they are not recorded.

    An account that several builds of the tree put into namespaces of their own needs what any of them was seen to do.
    What it did in the namespace that stands for that of ``binding`` is under the name of the tree ("" if unset).
    """
    log = binding.tree.ask(Access).log
    if log is None or not log.sees_reads:
        return None
    accounts = cluster_accounts(binding, subject)
    own = target_namespace(binding, subject)
    seen = _seen_in(log, accounts, own, expand=expand)
    if seen is None or not seen.events:
        return None
    label = f"observed ({seen.events} events{_window(log)})"
    found = Needs(label, facts=seen.facts, observed=True, thin=_length(log.span) < ENOUGH)
    if found.thin:
        found.facts.append(Evidence("thin evidence: the audit log spans less than 7 days"))
    _complete(found, seen.rules, tells=not log.sees_events, monitors=is_monitoring(subject.name))
    for account in accounts:
        for spots, fact in _blind(binding, account):
            found.blind |= not all(spot.endswith(_EVENTS) for spot in spots)
            found.facts.append(fact)
    if not binding.namespaced and any(each.namespace for each in binding.tree.ask(Builds).renderings(binding.object)):
        _leave_out_other_namespaces(found, own)
    return found


class _Requests(Struct):
    """What a log holds of an account: how many ``events``, and the ``rules`` by namespace that they are within."""

    events: int = 0
    rules: dict[str | None, list[Rule]] = field(default_factory=dict)
    facts: list[Evidence] = field(default_factory=list)


def _seen_in(log: AuditLog, accounts: Sequence[ClusterAccount], own: str, *, expand: bool) -> _Requests | None:
    """What ``log`` shows of ``accounts``, which are one in the tree; None where it does not tell what one of them did.
    ``own`` stands for the namespaces that are targets of one."""
    found = _Requests()
    for account in accounts:
        count = log.events(account.namespace, account.name)
        seen = log.rules_for(account.namespace, account.name, expand=expand)
        if not count:
            if len(accounts) > 1:
                found.facts.append(Evidence(f"audit log: nothing of {account.namespace}/{account.name}"))
            continue
        if seen is None:
            return None
        found.events += count
        text = f"audit log: {count} events of {account.namespace}/{account.name}{_window(log)}"
        found.facts.append(Evidence(text))
        for space, used in _by_namespace(seen).items():
            found.rules.setdefault(own if space in account.targets else space, []).extend(used)
    return found


def _window(log: AuditLog) -> str:
    return f", {log.span[0]} to {log.span[1]}" if log.span else ""


def _leave_out_other_namespaces(found: Needs, own: str) -> None:
    """Take out the rules of namespaces in which no role can be put beside the binding."""
    for space in sorted(space for space in found.rules if space not in (None, own)):
        del found.rules[space]
        found.blind = True
        text = f"it is at work in {space}, and a kustomization gives its namespace to every role beside the binding"
        found.facts.append(Evidence(f"audit log: {text}"))


def _complete(found: Needs, seen: dict[str | None, list[Rule]], *, tells: bool, monitors: bool) -> None:
    """Give ``found`` the rules that were ``seen``, with what no log shows of the same work; what cannot be given is
    named. ``tells``: nobody's events are recorded. ``monitors``: it is called like a monitoring agent."""
    added: dict[str, None] = {}
    missing: dict[str, None] = {}
    for space, used in seen.items():
        whole = unlogged_rights.completed(used)
        added.update(dict.fromkeys(whole.added))
        missing.update(dict.fromkeys(whole.missing))
        if tells and space is not None and any(map(unlogged_rights.makes_objects, whole.rules)):
            whole.rules += unlogged_rights.EVENTS
            added["no events are recorded of anybody: create and patch are given where it writes objects"] = None
        found.rules[space] = compact(whole.rules)
    if monitors:
        found.rules[None] = compact([*found.rules.get(None, ()), *unlogged_rights.KUBELET])
        added["requests to kubelets are in no log: get on what they show is given"] = None
    found.facts += (Evidence(f"not in the log: {text}") for text in added)
    found.facts += (Evidence(f"not in the log, and not given: {text}") for text in missing)
    found.blind |= bool(missing)


def _by_namespace(observed: Iterable[ObservedRule]) -> dict[str | None, list[Rule]]:
    """The rules of each namespace, of one resource each; None holds those of the whole cluster."""
    found: dict[str | None, list[Rule]] = {}
    for each in observed:
        found.setdefault(each.namespace, []).append(_rule_of(each))
    return dict(sorted(found.items(), key=lambda item: item[0] or ""))


def _rule_of(each: ObservedRule) -> Rule:
    if each.non_resource_url is not None:
        return Rule((), (), each.verbs, (), (each.non_resource_url,))
    return Rule((each.api_group,), (each.resource,), each.verbs, each.resource_names)


def _why_no_log(binding: Binding, subject: Subject) -> Iterator[Evidence]:
    """Why an audit log that was given says nothing of an account."""
    log, accounts = binding.tree.ask(Access).log, cluster_accounts(binding, subject)
    if log is None:
        return
    names = ", ".join(f"{account.namespace}/{account.name}" for account in accounts[:_MOST])
    if not log.sees_reads:
        yield Evidence("audit log: not used, since it records no reads")
    elif not accounts:
        yield Evidence("audit log: not used, since nothing in the tree says the namespace of the account")
    elif _is_seen(log, accounts):
        yield Evidence(f"audit log: not used, since {names} did more than is kept")
    else:
        yield Evidence(f"audit log: nothing of {names}")


def _is_seen(log: AuditLog, accounts: Iterable[ClusterAccount]) -> bool:
    return any(log.events(account.namespace, account.name) for account in accounts)


def _blind(binding: Binding, account: ClusterAccount) -> Iterator[tuple[list[str], Evidence]]:
    """What the audit policies of the tree keep out of a log."""
    for policy in binding.tree.of("audit.k8s.io", "Policy"):
        spots = blind_spots(policy.data, account.namespace, account.name)
        if spots:
            more = f" and {len(spots) - _MOST} more" if len(spots) > _MOST else ""
            yield spots, policy.fact(f"the log cannot see: {', '.join(spots[:_MOST])}{more}")


def unused(binding: Binding, subject: Subject) -> Needs | None:
    """Why an account is known not to use its rights; None where it may, or where they count without a request of it."""
    tree = binding.tree
    rules = _rules(binding)
    if rules is None or any(map(unlogged_rights.is_tokenless, rules)):
        return None
    if binding.everything is not None and tree.ask(Platforms).of(binding.object) == "openshift":
        return None  # its pods may run under a SecurityContextConstraints that comes with these rights
    is_logged = not any(map(unlogged_rights.is_unlogged, rules)) and not is_monitoring(subject.name)
    if is_logged and _is_silent(binding, cluster_accounts(binding, subject)):
        text = "the audit log shows other accounts over 7 days or more, and nothing of this one"
        return Needs("unused (evidence: audit log)", facts=[Evidence(text)])
    return _without_token(binding, subject)


def _is_silent(binding: Binding, accounts: Sequence[ClusterAccount]) -> bool:
    """Whether the audit log would show requests of ``accounts``, and shows none."""
    access = binding.tree.ask(Access)
    log = access.log
    if log is None or not accounts or _is_seen(log, accounts) or not log.sees_reads or _length(log.span) < ENOUGH:
        return False
    is_of_tree = all(access.log_is_ours(account.namespace) for account in accounts)
    return is_of_tree and not any(spots for account in accounts for spots in _blind(binding, account))


def _without_token(binding: Binding, subject: Subject) -> Needs | None:
    """Why an account is not used: all that runs as it has no token of it. None where that is not known."""
    access = binding.tree.ask(Access)
    pods = access.pods(binding, subject)
    if not any(access.surely(binding, subject, pod) for pod in pods) or any(used_elsewhere(binding, subject)):
        return None
    try:
        if any(mounted_token(pod) is not None for pod in pods):
            return None
    except (OpaqueError, WrongShapeError):
        return None
    text = f"{pods[0].object} runs as it without a token, as does all else in the tree that names it"
    return Needs("unused (evidence: no pod has its token)", facts=[pods[0].fact(text)])


def _rules(binding: Binding) -> list[Rule] | None:
    """What the roles of ``binding`` allow; None where that cannot be read, or is a grant of OpenShift that no manifest
    shows."""
    if binding.role_name.startswith(SCC_ROLE):
        return None
    try:
        return binding.rules
    except (OpaqueError, WrongShapeError):
        return None


def _length(span: tuple[str, str] | None) -> timedelta:
    if span is None:
        return timedelta()
    try:
        first, last = (datetime.fromisoformat(time.replace("Z", "+00:00")) for time in span)
        return last - first
    except (ValueError, TypeError):
        return timedelta()


# What its pods show.


def _commands(pods: Sequence[PodTemplate], space: str | None) -> Needs | None:
    """What the kubectl commands of all its containers need; None where anything else runs."""
    if not pods:
        return None
    found = Needs("derived from command line")
    for pod in pods:
        for container in pod.containers:
            own = _command(container)
            if own is None:
                return None
            for need in own:
                found.rules.setdefault(need.namespace or space, []).extend(need.rules)
            found.facts.append(container.fact(f"container {container.name} runs these kubectl commands only"))
    return found if found.rules else None


def _command(container: Container) -> list[Needed] | None:
    image = container.image.name if container.image is not None else None
    if image == "k8s-wait-for":
        return wait_for(container.words)
    words = container.words
    if image == "kubectl" and words and own_command(container):
        words = ("kubectl", *words)  # its entry point
    if not words or not any("kubectl" in word for word in words):
        return None
    return needed(words, container.tree.ask(Access).discovery)


def _elections(pods: Sequence[PodTemplate]) -> Iterator[tuple[tuple[Rule, ...], Evidence]]:
    for pod in pods:
        for container in pod.containers:
            words = (word for word in container.words if _LEADER.match(word))
            sign = next(chain(words, (name for name in container.env if "LEADER_ELECT" in name)), None)
            if sign is not None and not sign.endswith("=false"):
                flag = sign.partition("=")[0]
                yield _LEASES, container.fact(f"container {container.name} elects a leader ({flag})")
                return


def _own_resources(binding: Binding, pods: Sequence[PodTemplate]) -> Iterator[tuple[tuple[Rule, ...], Evidence]]:
    """Custom resources that are declared beside its pods, of a group that is called like them."""
    if not pods:
        return
    folders = {pod.object.folder for pod in pods}
    words = {word for pod in pods for word in re.split(r"[-.]", pod.object.name) if len(word) > 3}
    by_group: dict[str, list[str]] = {}
    for row, folder in binding.tree.ask(Access).custom_by_folder:
        if folder in folders and words & set(re.split(r"[-.]", row.group)):
            by_group.setdefault(row.group, []).append(row.resource)
    for group, resources in sorted(by_group.items()):
        text = f"custom resources of {group} are declared beside it"
        yield (Rule((group,), tuple(sorted(resources)), _CUSTOM_VERBS),), Evidence(text)


def _mounts(pods: Sequence[PodTemplate]) -> Iterator[tuple[tuple[Rule, ...], Evidence]]:
    """ConfigMaps that its pods hold already: to read them again shows nothing new."""
    names: dict[str, Evidence] = {}
    for pod in pods:
        for name, fact in _config_maps(pod):
            names.setdefault(name, fact)
    if names:
        rule = Rule(("",), ("configmaps",), ("get", "watch"), tuple(sorted(names)))
        yield (rule,), next(iter(names.values()))


def _config_maps(pod: PodTemplate) -> Iterator[tuple[str, Evidence]]:
    for index, volume in enumerate(pod.items("volumes")):
        sources = [volume, *volume.view("projected").items("sources")]
        for name in filter(None, (source.text("configMap", "name") for source in sources)):
            yield name, pod.fact(f"its pods mount ConfigMap {name}", "volumes", index)
    for container in pod.containers:
        for index, source in enumerate(container.items("envFrom")):
            if read := source.text("configMapRef", "name"):
                yield read, container.fact(f"its pods read ConfigMap {read}", "envFrom", index)
        for index, item in enumerate(container.items("env")):
            if read := item.text("valueFrom", "configMapKeyRef", "name"):
                yield read, container.fact(f"its pods read ConfigMap {read}", "env", index)
