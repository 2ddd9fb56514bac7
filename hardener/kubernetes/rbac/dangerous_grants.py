"""Grants that lead further than they look, D01 to D30.

Sources: CIS Kubernetes Benchmark 5.1, the RBAC good practices of kubernetes.io, the checks of Trivy, Checkov and
Kubescape, rbac-police and KubeHound for the ways to more rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.subjects import GROUP

_WRITE = ("create", "update", "patch")
_CHANGE = ("update", "patch")
_READ = ("get", "list", "watch")
_POLICIES = (
    "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
)  # fmt: skip
_MAKERS = tuple(
    [("apps", name) for name in ("deployments", "daemonsets", "statefulsets", "replicasets")]
    + [("batch", "jobs"), ("batch", "cronjobs"), ("", "replicationcontrollers")]
)
_EXEC_ASKS_FOR_CREATE = (1, 35)  # AuthorizePodWebsocketUpgradeCreatePermission is on

Ask = tuple[str, str, tuple[str, ...]]


class Grant(Struct, frozen=True):
    """A dangerous grant: ``asks`` are (group, resource, verbs), any of which is enough.

    ``cluster`` and ``namespace`` are how bad it is where it reaches every namespace, or one ("critical" to "low"; None
    where it means nothing there). ``why`` says what it leads to. ``until``: the first release in which it is harmless.
    """

    id: str
    title: str
    why: str
    asks: tuple[Ask, ...]
    cluster: str
    namespace: str | None
    until: tuple[int, int] | None = None


def _all(group: str, names: Iterable[str], verbs: tuple[str, ...]) -> tuple[Ask, ...]:
    return tuple((group, name, verbs) for name in names)


EVERYTHING = Grant("D01", "every verb on every resource", "it is an administrator", (), "critical", "high")

_ROLES = ("roles", "clusterroles")
GRANTS: tuple[Grant, ...] = (
    Grant("D02", "escalate on roles", "it can write itself any right", _all(GROUP, _ROLES, ("escalate",)),
          "critical", "critical"),
    Grant("D03", "bind on roles, or write on role bindings", "it can bind itself to more rights",
          (*_all(GROUP, _ROLES, ("bind",)), *_all(GROUP, ("rolebindings", "clusterrolebindings"), _WRITE)),
          "critical", "high"),
    Grant("D04", "impersonate", "it can act as anybody else",
          tuple((group, name, ("impersonate", "impersonate:")) for group in ("", "authentication.k8s.io")
                for name in ("users", "groups", "serviceaccounts", "userextras", "uids")), "critical", "critical"),
    Grant("D05", "write on roles", "it decides what others may do", _all(GROUP, _ROLES, _WRITE), "high", "medium"),
    Grant("D06", "read secrets", "list and watch return the values too", (("", "secrets", _READ),),
          "critical", "medium"),
    Grant("D07", "write secrets", "Kubernetes puts a token into a Secret of the type service-account-token",
          (("", "secrets", _WRITE),), "high", "medium"),
    Grant("D08", "create serviceaccounts/token", "it can log in as any account there",
          (("", "serviceaccounts/token", ("create",)),), "critical", "high"),
    Grant("D09", "create workloads", "a pod runs as any account and mounts any secret of its namespace",
          (("", "pods", ("create",)), *((group, name, _WRITE) for group, name in _MAKERS)), "high", "high"),
    Grant("D10", "pods/exec or pods/attach", "it runs commands in other pods",
          (("", "pods/exec", ("create",)), ("", "pods/attach", ("create",))), "high", "high"),
    Grant("D10", "get on pods/exec or pods/attach", "before 1.35 a WebSocket runs commands with get alone",
          (("", "pods/exec", ("get",)), ("", "pods/attach", ("get",))), "high", "high", until=_EXEC_ASKS_FOR_CREATE),
    Grant("D11", "change pods/ephemeralcontainers", "it adds a container to other pods",
          (("", "pods/ephemeralcontainers", _CHANGE),), "high", "high"),
    Grant("D12", "change pods", "it replaces the image of other pods", (("", "pods", _CHANGE),), "high", "medium"),
    Grant("D13", "nodes/proxy", "it runs commands in every pod through the kubelet, unseen by the audit log",
          (("", "nodes/proxy", ("get", "create")),), "critical", None),
    Grant("D14", "change nodes, evict or delete pods", "it moves pods to where it can read their tokens",
          (("", "nodes", ("update", "patch", "delete")), ("", "nodes/status", _CHANGE),
           ("", "pods/eviction", ("create",)), ("", "pods", ("delete", "deletecollection"))), "high", "medium"),
    Grant("D15", "approve certificates", "it can issue itself the certificate of any user",
          (("certificates.k8s.io", "certificatesigningrequests/approval", _CHANGE),
           ("certificates.k8s.io", "signers", ("approve", "sign"))), "critical", None),
    Grant("D16", "write admission webhooks or policies", "it reads and changes every object on its way in",
          _all("admissionregistration.k8s.io", _POLICIES, (*_WRITE, "delete", "deletecollection")), "critical", None),
    Grant("D17", "create persistentvolumes", "one of type hostPath opens the disk of a node",
          (("", "persistentvolumes", ("create",)),), "high", None),
    Grant("D19", "change services/status", "it draws traffic to itself (CVE-2020-8554)",
          (("", "services/status", _CHANGE),), "medium", "medium"),
    Grant("D20", "change endpoints or pods/status", "it draws the traffic of Services to itself",
          (("", "pods/status", _CHANGE), ("", "endpoints", _CHANGE),
           ("discovery.k8s.io", "endpointslices", _CHANGE)), "medium", "medium"),
    Grant("D21", "write apiservices", "it answers for parts of the API itself",
          (("apiregistration.k8s.io", "apiservices", _WRITE),), "critical", None),
    Grant("D22", "change namespaces", "it can remove the Pod Security labels",
          (("", "namespaces", _CHANGE),), "high", None),
    Grant("D23", "change customresourcedefinitions", "a conversion webhook reads every object of the kind",
          (("apiextensions.k8s.io", "customresourcedefinitions", _CHANGE),), "high", None),
    Grant("D24", "forward or proxy to pods and services", "it bypasses network policies",
          (("", "pods/portforward", ("create",)), *_all("", ("pods/proxy", "services/proxy"), ("get", "create"))),
          "medium", "medium"),
    Grant("D25", "delete events", "it can remove its traces",
          (*((group, "events", ("delete", "deletecollection")) for group in ("", "events.k8s.io")),
           ("", "pods/log", ("delete",))), "low", "low"),
    Grant("D26", "write networkpolicies", "it opens the network of pods",
          (("networking.k8s.io", "networkpolicies", (*_WRITE, "delete", "deletecollection")),), "medium", "medium"),
    Grant("D27", "write external secrets and stores", "it can copy any remote secret into the cluster",
          _all("external-secrets.io", ("externalsecrets", "clusterexternalsecrets", "clustersecretstores",
                                       "pushsecrets"), ("create", "patch")), "high", "high"),
    Grant("D28", "create policyexceptions", "it exempts itself from policies",
          tuple((group, "policyexceptions", ("create",)) for group in ("kyverno.io", "policies.kyverno.io")),
          "high", "high"),
    Grant("D30", "write securitycontextconstraints", "it can widen a SecurityContextConstraints for its own pods",
          (("security.openshift.io", "securitycontextconstraints", _WRITE),), "critical", None),
)  # fmt: skip
CONFIG_OF_THE_CLUSTER = Grant(
    "D18", "change configmaps in kube-system", "these map cloud users to groups, and DNS names to addresses",
    (("", "configmaps", _CHANGE),), "high", "high",
)  # fmt: skip
"""Counts where it reaches kube-system."""
AGGREGATED = Grant(
    "D29", "added to view, edit or admin", "everybody with one of these roles gets it too", (), "high", None
)
"""Of a ClusterRole with an aggregation label that grants any of D06 to D16."""
AGGREGATION = "rbac.authorization.k8s.io/aggregate-to-"
_LEADS_FURTHER = frozenset(f"D{number:02}" for number in range(6, 17))


def leads_further(grant: Grant) -> bool:
    """Whether a grant is of those that must not be added to the roles of users."""
    return grant.id in _LEADS_FURTHER


def dangerous(
    rules: Iterable[tuple[int, Rule]], version: tuple[int, int], *, system: bool
) -> Iterator[tuple[Grant, int, str]]:
    """Each dangerous grant of numbered ``rules`` once: the grant, the number of the rule, what of it grants that.

    ``system``: the rules reach kube-system. What everything implies is not said again.
    """
    numbered = list(rules)
    for number, rule in numbered:
        if rule.is_everything and not rule.names:
            yield EVERYTHING, number, "* on *"
            return
    said: set[str] = set()
    for grant in (*GRANTS, *((CONFIG_OF_THE_CLUSTER,) if system else ())):
        if grant.id in said or (grant.until is not None and version >= grant.until):
            continue
        found = next(_asked(grant, numbered), None)
        if found is not None:
            said.add(grant.id)
            yield grant, *found


def _asked(grant: Grant, rules: list[tuple[int, Rule]]) -> Iterator[tuple[int, str]]:
    for number, rule in rules:
        if rule.names and grant.id in ("D06", "D08", "D09", "D18", "D22"):
            continue  # of named objects only: that is what should be written instead
        hits = [hit for group, resource, verbs in grant.asks if (hit := _hit(rule, group, resource, verbs))]
        if hits:
            yield number, "; ".join(hits[:3])


def _hit(rule: Rule, group: str, resource: str, verbs: tuple[str, ...]) -> str | None:
    found = []
    if rule.is_about(group, resource):
        prefixes = tuple(verb for verb in verbs if verb.endswith(":"))  # of constrained impersonation (1.35)
        asked = (*verbs, *(own for own in rule.verbs if own.startswith(prefixes)))  # impersonate:user-info
        found = [verb for verb in asked if rule.covers(group, resource, verb)]
    if resource == "userextras" and not found:
        extras = [own for own in rule.resources if own.startswith("userextras/")]
        return _hit(rule, group, extras[0], verbs) if extras else None
    return f"{', '.join(found)} on {resource}" if found else None
