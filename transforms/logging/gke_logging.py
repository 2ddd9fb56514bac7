from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import GkeCluster


@transform(
    each=GkeCluster, stage="logging", severity=Severity.MEDIUM, cis="GKE 5.7.1", only_reports=True,
    peers=("checkov:CKV_GCP_1",),
)  # fmt: skip
def gke_logging(cluster: GkeCluster) -> Steps:
    """Enable logs of a GKE cluster (Terraform).

    Problem: the GKE cluster does not send its logs to Cloud Logging.

    Result: The GKE cluster sends its logs to Cloud Logging.

    Why: without them there is no evidence of what happened (CKV_GCP_1).

    May break: nothing, since it only reports: logs may go elsewhere.
    """
    advice = 'set logging_config { enable_components = ["SYSTEM_COMPONENTS", "APISERVER", "WORKLOADS"] }'
    if cluster.literal("logging_service") == "none":
        yield cluster.finding("the cluster logs nothing", "logging_service", advice=advice, severity=Severity.HIGH)
    path = ("logging_config", 0, "enable_components")
    if cluster.has(*path) and not cluster.is_computed(*path) and "SYSTEM_COMPONENTS" not in cluster.texts(*path):
        yield cluster.finding("the system does not log", *path, advice=advice, severity=Severity.MEDIUM)
