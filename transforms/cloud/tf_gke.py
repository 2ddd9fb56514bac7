from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.cloud_views import GkeNodes

_CLUSTER = "google_container_cluster"
_MODE = "GKE_METADATA"
_METADATA = ("node_config", 0, "workload_metadata_config")
_CERTIFICATE = ("master_auth", 0, "client_certificate_config", 0, "issue_client_certificate")
_ELSEWHERE = (
    f"where it has (workload_identity_config), add workload_metadata_config {{ mode = {_MODE} }} to node_config"
)
_PLAN = ("terraform plan shows whether node pools are replaced",)


@transform(
    each=GkeNodes, stage="cloud", severity=Severity.HIGH,
    peers=("checkov:CKV_GCP_7", "checkov:CKV_GCP_13", "checkov:CKV_GCP_69"),
)  # fmt: skip
def tf_gke(block: GkeNodes) -> Steps:
    """Use workload identity on GKE (Terraform).

    Problem: pods of GKE can use the identity of their node, or callers can bypass RBAC.

    Result: Pods of GKE use the identity of their service account.

    Why: with workload identity the metadata server hides the account of the node from pods (CKV_GCP_69); ABAC and
    client certificates are older ways around RBAC that cannot be revoked one by one (CKV_GCP_7, CKV_GCP_13).

    May break: pods that use the account of their node; node pools are updated one node at a time.
    """
    if block.kind == _CLUSTER:
        yield from _cluster(block)
    yield from _metadata(block)
    yield from _account(block)


def _cluster(block: GkeNodes) -> Steps:
    autopilot = block.literal("enable_autopilot") is True
    if (
        not block.has("workload_identity_config")
        and not block.has_dynamic("workload_identity_config")
        and not autopilot
    ):
        yield block.finding(
            "pods have no identity of their own: workload identity is off",
            advice='add workload_identity_config { workload_pool = "PROJECT.svc.id.goog" }, then GKE_METADATA to each '
            "node pool",
            severity=Severity.HIGH,
        )
    if block.literal("enable_legacy_abac") is True:
        why = Evidence("ABAC grants rights beside RBAC: check which subjects use it")
        found = verdict(why=[why], effect=Effect.WATCHED)
        before = ("kubectl auth can-i --list --as=SUBJECT for each subject of ABAC; then give it a Role",)
        yield [block.set("enable_legacy_abac", to=False, requires=before, **found.words)]
    if block.literal(*_CERTIFICATE) is True:
        replaced = Evidence("Terraform replaces the whole cluster when issue_client_certificate changes")
        found = verdict(against=[replaced], basis=Basis.ASSUMED)
        before = ("create a second cluster without the certificate, move to it, remove this one",)
        yield [block.set(*_CERTIFICATE, to=False, requires=before, **found.words)]


def _metadata(block: GkeNodes) -> Steps:
    if not block.has("node_config") or block.has_dynamic("node_config"):
        return
    pool = _workload_pool(block)
    path = (*_METADATA, 0, "mode")
    if block.is_computed(*path):
        text = "an expression sets the mode of the metadata server"
        to_do = f"check that its value is {_MODE}"
        yield block.finding(text, *path, advice=to_do, severity=Severity.LOW, not_looked_at=True)
    elif block.literal(*path) != _MODE and pool is not None:
        why = pool.fact(f"{pool} has workload identity", "workload_identity_config")
        found = verdict(why=[why], effect=Effect.WATCHED)
        if block.has(*_METADATA):
            yield [block.set(*path, to=_MODE, follow_up=_PLAN, **found.words)]
        else:
            yield [block.set(*_METADATA, to=[{"mode": _MODE}], follow_up=_PLAN, **found.words)]
    elif block.literal(*path) != _MODE and _cluster_of(block) is None:
        text = (
            "nothing here shows whether its cluster has workload identity, without which pods ask for that of the node"
        )
        yield block.finding(text, "node_config", advice=_ELSEWHERE, severity=Severity.MEDIUM)


def _workload_pool(block: GkeNodes) -> GkeNodes | None:
    """The cluster of ``block`` where it has workload identity."""
    found = _cluster_of(block)
    return found if found is not None and found.has("workload_identity_config") else None


def _cluster_of(block: GkeNodes) -> GkeNodes | None:
    """The cluster that ``block`` is, or is a node pool of; None where it is elsewhere."""
    for cluster in block.tree.blocks.of(_CLUSTER, folder=block.folder):
        if cluster.address == block.address or cluster.address in block.references("cluster"):
            return cluster  # type: ignore[return-value]
    return None


def _account(block: GkeNodes) -> Steps:
    if block.literal("remove_default_node_pool") is True:
        return  # the nodes are gone before anything runs on them
    for index in range(block.count("node_config")):
        scopes = block.texts("node_config", index, "oauth_scopes")
        wide = any(text.endswith("cloud-platform") for text in scopes)
        if not block.has("node_config", index, "service_account"):
            message = f"nodes run as the default account of Compute Engine{' with all scopes' if wide else ''}"
            advice = "give them a service_account of their own with roles/container.defaultNodeServiceAccount"
            severity = Severity.HIGH if wide else Severity.MEDIUM
            yield block.finding(message, "node_config", index, advice=advice, severity=severity)
