from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate

_FIELD = ("securityContext", "windowsOptions", "hostProcess")


@transform(
    each=PodTemplate, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.11",
    classes=("windows", "node-agent", "control-plane"), only_reports=True,
)  # fmt: skip
def no_host_process(pod: PodTemplate) -> Steps:
    """Remove hostProcess from Windows pods.

    Problem: a Windows container of the pod runs as a process of its node.

    Result: The Windows container is isolated from its node.

    Why: a HostProcess container is not isolated from the node; as an administrator it controls the node and every pod
    on it.

    May break: nothing, since it only reports: without hostProcess the pod also needs another network and often another
    image.
    """
    for view in (pod, *pod.containers):
        if view.get(*_FIELD) is True:
            yield view.finding(
                "a HostProcess container is a process of its Windows node, which Pod Security level baseline forbids; "
                "without it the pod needs another network, and often another image",
                *_FIELD,
                advice="run it as an ordinary container with os.name: windows, or keep it to agents of the node in a "
                "namespace of their own",
                severity=Severity.HIGH,
            )
