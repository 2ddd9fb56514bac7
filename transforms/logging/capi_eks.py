from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.cloud_views import AwsControlPlane

from ._control_plane import COST, LOGS_ARE_OFF

_LOGS = ("apiServer", "audit", "authenticator", "controllerManager", "scheduler")


@transform(each=AwsControlPlane, stage="logging", severity=Severity.MEDIUM, cis="EKS 2.1.1")
def capi_eks(plane: AwsControlPlane) -> Steps:
    """Enable control-plane logs (Cluster API).

    Problem: the control plane of the EKS cluster does not log everything.

    Result: The control plane of the EKS cluster keeps its logs.

    Why: control-plane logs are off unless requested, and they cannot be recovered afterwards.

    May break: nothing; CloudWatch bills what is logged.
    """
    for name in _LOGS:
        if plane.get("spec", "logging", name) is not True:
            found = verdict(why=[LOGS_ARE_OFF], effect=Effect.WATCHED)
            yield plane.set("spec", "logging", name, to=True, follow_up=(COST,), **found.words)
