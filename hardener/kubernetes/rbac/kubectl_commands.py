"""The rights that kubectl commands need, as far as a command line tells.

Source: the requests of kubectl 1.3x by sub-command (k8s.io/kubectl pkg/cmd): `apply` reads, then creates or patches;
`rollout restart` reads and patches; `wait` and `rollout status` read and watch. k8s-wait-for asks for its object and
its pods over and over.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hardener.kubernetes.objects.discovery import Discovery
from hardener.kubernetes.pods.shell import commands, runs
from hardener.kubernetes.rbac.rules import Rule

# Sub-command to verbs of the resource that it names, and to verbs of a sub-resource.
_VERBS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "get": (("get", "list"), "", ()),
    "describe": (("get", "list"), "", ()),
    "wait": (("get", "list", "watch"), "", ()),
    "delete": (("get", "list", "watch", "delete"), "", ()),
    "patch": (("get", "patch"), "", ()),
    "label": (("get", "patch"), "", ()),
    "annotate": (("get", "patch"), "", ()),
    "scale": (("get",), "scale", ("get", "patch", "update")),
    "rollout restart": (("get", "patch"), "", ()),
    "rollout status": (("get", "list", "watch"), "", ()),
    "rollout pause": (("get", "patch"), "", ()),
    "rollout resume": (("get", "patch"), "", ()),
    "set image": (("get", "patch"), "", ()),
    "set env": (("get", "patch"), "", ()),
}
_WITHOUT_NAMES = frozenset({"list", "watch"})  # a name does not bound them
_NO_RIGHTS = frozenset({"version", "config", "completion", "options"})  # ask nothing of any object
_SHORT = {
    "po": "pods", "pod": "pods", "deploy": "deployments", "deployment": "deployments", "svc": "services",
    "service": "services", "cm": "configmaps", "configmap": "configmaps", "secret": "secrets", "ns": "namespaces",
    "namespace": "namespaces", "job": "jobs", "cj": "cronjobs", "cronjob": "cronjobs", "sts": "statefulsets",
    "statefulset": "statefulsets", "ds": "daemonsets", "daemonset": "daemonsets", "rs": "replicasets",
    "replicaset": "replicasets", "no": "nodes", "node": "nodes", "pvc": "persistentvolumeclaims",
    "pv": "persistentvolumes", "ing": "ingresses", "ingress": "ingresses", "sa": "serviceaccounts",
    "serviceaccount": "serviceaccounts", "ep": "endpoints", "ev": "events", "event": "events",
    "netpol": "networkpolicies", "networkpolicy": "networkpolicies", "hpa": "horizontalpodautoscalers",
}  # fmt: skip
_GROUPS = {
    "events": "",
    "deployments": "apps",
    "daemonsets": "apps",
    "replicasets": "apps",
    "ingresses": "networking.k8s.io",
}
_WITH_VALUE = frozenset({
    "-n", "--namespace", "-o", "--output", "-l", "--selector", "--field-selector", "--context", "--timeout", "-p",
    "--patch", "--type", "--for", "--replicas", "--request-timeout", "--kubeconfig", "--sort-by", "--template",
    "-c", "--container", "--grace-period",
})  # fmt: skip
_WITHOUT_VALUE = frozenset({
    "--all", "--overwrite", "--now", "--force", "--ignore-not-found", "--show-labels", "--no-headers", "--wait",
    "--timestamps", "--previous", "-p", "-v", "--record",
})  # fmt: skip
_OTHER_OBJECTS = frozenset({
    "-f", "--filename", "-k", "--kustomize", "-R", "--as", "--as-group", "--token", "--server", "-s",
})  # fmt: skip
_SELECTING = frozenset({"--all", "-l", "--selector", "--field-selector"})
_KINDS_OF_WAIT_FOR = {"pod": "pods", "job": "jobs", "service": "services", "pod-we": "pods", "pod-wr": "pods",
                      "job-we": "jobs", "job-wr": "jobs"}  # fmt: skip


class Needed(Struct, frozen=True):
    """Rules for one namespace; None is that of the pod."""

    namespace: str | None
    rules: tuple[Rule, ...]


def needed(words: Sequence[str], discovery: Discovery) -> list[Needed] | None:
    """What the commands in ``words`` need; None where they run anything but kubectl that may use the API, or a
    sub-command, flag or resource whose needs are not known."""
    found: list[Needed] = []
    for program, arguments in runs(commands(words)):
        if program in ("kubectl", "/bin/kubectl"):
            own = _kubectl(arguments, discovery)
            if own is None:
                return None
            found += own
        elif program not in _HARMLESS:
            return None
    return found


_HARMLESS = frozenset({"sh", "bash", "echo", "sleep", "true", "exit", "set", "date", "test", "[", "grep", "exec", "cd"})


def wait_for(words: Sequence[str]) -> list[Needed] | None:
    """What an image k8s-wait-for needs with the arguments ``words``."""
    kind = _KINDS_OF_WAIT_FOR.get(words[0]) if words else None
    if kind is None:
        return None
    rules = [Rule(("batch" if kind == "jobs" else "",), (kind,), ("get", "list", "watch"))]
    if kind != "pods":
        rules.append(Rule(("",), ("pods",), ("get", "list", "watch")))
    return [Needed(None, tuple(rules))]


class _CommandLine(Struct):
    """The words of a kubectl command that are no flags, and what its flags say. ``named``: none of them takes objects
    in by anything but their names."""

    operands: list[str]
    namespace: str | None = None
    named: bool = True


def _command_line(arguments: Sequence[str]) -> _CommandLine | None:
    """The arguments as kubectl reads them; None where they hold an expression, or a flag that is not known or may ask
    for anything."""
    found = _CommandLine([])
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            found.operands.append(word)
            continue
        flag, equals, value = word.partition("=")
        has_next = flag in _WITH_VALUE and not equals
        # The value of an unknown flag may be the next word; and -A or -w ask for more.
        if flag in _OTHER_OBJECTS or not (equals or has_next or flag in _WITHOUT_VALUE):
            return None
        if flag in _SELECTING:
            found.named = False
        if has_next:
            value = next(words, "")
        if flag in ("-n", "--namespace"):
            found.namespace = value
    texts = (*found.operands, found.namespace or "")
    return None if any("$" in text or "`" in text for text in texts) else found


def _kubectl(arguments: Sequence[str], discovery: Discovery) -> list[Needed] | None:
    line = _command_line(arguments)
    if line is None or not line.operands:
        return None
    command, *rest = line.operands
    if command in _NO_RIGHTS:
        return []
    if command in ("rollout", "set") and rest:
        command, rest = f"{command} {rest[0]}", rest[1:]
    if command == "logs":
        return _logs(rest, line.namespace) if line.named else None
    if command not in _VERBS or not rest:
        return None
    rules: list[Rule] = []
    for resource, names in _targets(_without_changes(command, rest)):
        own = _rules(command, resource, names if line.named else (), discovery)
        if own is None:
            return None
        rules += own
    return [Needed(line.namespace, tuple(rules))] if rules else None


def _without_changes(command: str, words: list[str]) -> list[str]:
    """``words`` without what is to be set (`app=web`) or taken away (`app-`)."""
    if command.startswith("set "):
        return [word for word in words if "=" not in word]
    if command in ("label", "annotate"):
        return [word for word in words if "=" not in word and not word.endswith("-")]
    return words


def _logs(rest: list[str], namespace: str | None) -> list[Needed] | None:
    if not rest or "/" in rest[0]:
        return None
    names = (rest[0],)
    rules = (Rule(("",), ("pods",), ("get",), names), Rule(("",), ("pods/log",), ("get",), names))
    return [Needed(namespace, rules)]


def _targets(words: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Resource and names of `deploy/web`, `deploy web api` and `pods,services`."""
    if any("/" in word for word in words):
        return [(word.partition("/")[0], (word.partition("/")[2],)) for word in words]
    return [(kind, tuple(words[1:])) for kind in words[0].split(",")]


def _rules(command: str, kind: str, names: tuple[str, ...], discovery: Discovery) -> list[Rule] | None:
    kind = kind.lower()
    resource = _SHORT.get(kind, kind)
    groups = discovery.groups(resource)
    if not groups:
        return None
    group = _GROUPS.get(resource, groups[0])
    row = discovery.find(group, resource)
    if row is None or not row.namespaced or (not row.custom and resource == "all"):
        return None
    verbs, sub, sub_verbs = _VERBS[command]
    if command in ("get", "describe"):
        verbs = ("get",) if names else ("list",)
    free = tuple(verb for verb in verbs if names and verb in _WITHOUT_NAMES)
    bound = tuple(verb for verb in verbs if verb not in free)
    rules = (
        Rule((group,), (resource,), bound, names),
        Rule((group,), (resource,), free),
        Rule((group,), (f"{resource}/{sub}",), sub_verbs, names),
    )
    return [rule for rule in rules if rule.verbs]
