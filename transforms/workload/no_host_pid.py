from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.core_views import PodTemplate

from ._need import pod_evidence


@transform(
    each=PodTemplate, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.3",
    classes=("node-agent", "control-plane"),
    peers=(
        "kube-linter:host-pid", "checkov:CKV_K8S_17", "polaris:hostPIDSet", "kubeaudit:allow-namespace-host-pid",
        "kubescape:C-0038",
    ),
)  # fmt: skip
def no_host_pid(pod: PodTemplate) -> Steps:
    """Remove hostPID.

    Problem: the pod can see the processes of its node.

    Result: The pod sees only its own processes.

    Why: in the node's process namespace a container can read the environment and the memory of other pods' processes,
    and signal them.

    May break: tools that watch or enter other processes of the node find none.
    """
    if pod.get("hostPID") is not True:
        return
    nothing = Evidence("hostPID is set, and nothing in the manifest shows a need for it")
    yield pod.drop("hostPID", **verdict(against=pod_evidence(pod), absent=[nothing]).words)
