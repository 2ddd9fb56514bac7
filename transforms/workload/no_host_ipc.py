from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.core_views import PodTemplate

from ._need import pod_evidence


@transform(
    each=PodTemplate, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.4",
    classes=("node-agent", "control-plane"),
    peers=(
        "kube-linter:host-ipc", "checkov:CKV_K8S_18", "polaris:hostIPCSet", "kubeaudit:allow-namespace-host-ipc",
        "kubescape:C-0038",
    ),
)  # fmt: skip
def no_host_ipc(pod: PodTemplate) -> Steps:
    """Remove hostIPC.

    Problem: the pod uses the IPC namespace of its node.

    Result: The pod does not share memory and message queues with its node.

    Why: in the node's IPC namespace a container can read and change the shared memory of the node and of other pods.

    May break: processes of several pods can no longer communicate through shared memory.
    """
    if pod.get("hostIPC") is not True:
        return
    nothing = Evidence("hostIPC is set, and nothing in the manifest shows a need for it")
    yield pod.drop("hostIPC", **verdict(against=pod_evidence(pod), absent=[nothing]).words)
