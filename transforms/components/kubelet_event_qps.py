from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.2.8")
def kubelet_event_qps(carrier: ControlPlane | ComponentFile) -> Steps:
    """Set eventRecordQPS.

    Problem: the kubelet may lose events in normal operation.

    Result: The kubelet loses no events in normal operation.

    Why: with too low a limit, events that show an attack are lost; without a limit, a busy node floods the API server.

    May break: nothing: 50 is the default of the kubelet since Kubernetes 1.27.
    """
    yield from by_table(carrier, "kubelet-event-qps")
