from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Role
from hardener.kubernetes.rbac.platform import is_monitoring
from hardener.kubernetes.rbac.rules import Rule

_PROXY = "nodes/proxy"
_FINE = ("nodes/metrics", "nodes/stats", "nodes/healthz", "nodes/pods")
_CONFIG = "nodes/configz"
_SINCE = (1, 33)  # KubeletFineGrainedAuthz is on


@transform(
    each=Role, stage="authorization", severity=Severity.HIGH, cis="5.1.10", absence=True, after=("rbac-wildcard-verbs",)
)
def rbac_nodes_proxy_narrow(role: Role) -> Steps:
    """Replace nodes/proxy with nodes/metrics.

    Problem: the role can run commands through the kubelet to read its metrics.

    Result: The role reads the metrics of kubelets and can do nothing else there.

    Why: get on nodes/proxy is enough to run commands in every pod of the node over the WebSocket endpoints of the
    kubelet, and leaves no trace in the audit log; metrics need far less.

    May break: an agent that reads other paths of the kubelet, or goes through the API server, is refused.
    """
    holders = role.tree.ask(Access).holders(role)
    if role.owner is not None or not holders or role.aggregated_to:
        return
    if not all(holder.subject.is_account and is_monitoring(holder.subject.name) for holder in holders):
        return  # rbac-dangerous-grant says it
    for index, rule in role.rules:
        if _PROXY not in rule.resources or "" not in rule.groups:
            continue
        reason = _unclear(role)
        if reason is not None:
            text = f"{holders[0]} may reach all of the kubelet (nodes/proxy): {reason}"
            advice = "grant nodes/metrics and nodes/stats in its place"
            yield role.finding(text, "rules", index, "resources", severity=Severity.HIGH, advice=advice)
            continue
        yield _narrowed(role, index, rule, str(holders[0]))


def _unclear(role: Role) -> str | None:
    version = role.tree.settings.kubernetes_version
    if version < _SINCE:
        return f"Kubernetes {'.'.join(map(str, version))} knows no finer rights"
    through = role.tree.ask(Access).asks_through_api_server
    return f"{through} reads metrics through the API server, which requires nodes/proxy" if through else None


def _narrowed(role: Role, index: int, rule: Rule, holder: str) -> list[Edit]:
    known = Evidence(f"{holder} has the name of a monitoring agent, and nobody else in the tree holds the role")
    common = verdict(known=[known], effect=Effect.WATCHED).words
    names = [*_FINE, *([_CONFIG] if role.tree.ask(Access).reads_config_of_kubelets else [])]
    new = [name for name in names if name not in rule.resources]
    place = rule.resources.index(_PROXY)
    if not new:
        return [role.drop("rules", index, "resources", place, **common)]
    first, *rest = new
    edits = [role.set("rules", index, "resources", place, to=first, **common)]
    edits += [role.insert("rules", index, "resources", place + 1, value=name, **common) for name in rest]
    return edits
