from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.kubernetes.audit.defaults import paths
from hardener.kubernetes.audit.rules import policy_text
from hardener.tree.audit_policy_views import GROUP
from hardener.tree.control_plane import ControlPlane, components

from ._policy import AuditPolicyOptions

_FILE = "audit-policy.yaml"


@transform(
    each=ControlPlane, stage="logging", severity=Severity.MEDIUM, cis="3.2.1", options=AuditPolicyOptions, absence=True
)
def audit_policy_generate(plane: ControlPlane, options: AuditPolicyOptions) -> Steps:
    """Create an audit policy.

    Problem: the API server has no audit policy.

    Result: There is an audit policy for the API server.

    Why: without one the server keeps no record of who did what, and an intrusion cannot be reconstructed.

    May break: nothing by itself; the file has no effect until you copy it to the nodes.
    """
    if plane.tree.of(GROUP, "Policy"):
        return
    for server in components(plane, "kube-apiserver"):
        place = paths(server.installer)
        if place is None:
            continue  # Talos has a policy of its own; kops takes one in the cluster object
        named = server.get("audit-policy-file")
        if named is not None:
            text = f"its audit policy {named} is not in the tree, so harden cannot check it"
            advice = "keep the policy in Git beside this file"
            yield server.finding(
                text, "audit-policy-file", advice=advice, severity=Severity.LOW, not_looked_at=True
            )  # fmt: skip
            continue

        fact = server.fact("the API server names no audit policy, and the tree holds none")
        found = verdict(why=[fact], effect=Effect.WATCHED, basis=Basis.PROVED)
        before = (server.placing(_FILE, place[0]),)
        yield from plane.host_file(_FILE, policy_text(options.strength), requires=before, **found.words)
        return
