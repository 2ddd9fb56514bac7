"""K05: who may use objects of another namespace."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.addon_views import ReferenceGrant


@transform(each=ReferenceGrant, stage="network", severity=Severity.MEDIUM, only_reports=True)
def reference_grant(grant: ReferenceGrant) -> Steps:
    """Name what a ReferenceGrant opens.

    Problem: the ReferenceGrant opens every object of a kind to another namespace.

    Result: The other namespace uses only the objects that are named.

    Why: without a name it opens all objects of that kind in the namespace: a Gateway of the other namespace can use any
    of its certificates, and a route there can lead to any of its Services, even one that is not meant to be public.

    May break: nothing, since it only reports: name the objects that the other namespace uses first.
    """
    namespaces = sorted({entry.text("namespace") or "" for entry in grant.items("spec", "from")} - {""})
    for at, entry in enumerate(grant.items("spec", "to")):
        kind = entry.text("kind") or ""
        if entry.has("name") or kind not in ("Secret", "Service"):
            continue
        who, where = ", ".join(namespaces) or "another namespace", grant.object.namespace or "its namespace"
        yield grant.finding(
            f"{who} may use every {kind} of {where}",
            "spec",
            "to",
            at,
            advice=f"add the name of the {kind} that it needs",
            severity=Severity.MEDIUM if kind == "Secret" else Severity.LOW,
            topic="grant without a name",
        )
