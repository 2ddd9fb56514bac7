from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.core_views import PodTemplate

from ._need import pod_evidence


@transform(
    each=PodTemplate, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.5", classes=("node-agent",),
    peers=(
        "kube-linter:host-network", "checkov:CKV_K8S_19", "polaris:hostNetworkSet",
        "kubeaudit:allow-namespace-host-network", "kubescape:C-0041",
    ),
)  # fmt: skip
def no_host_network(pod: PodTemplate) -> Steps:
    """Remove hostNetwork.

    Problem: the pod uses the network of its node.

    Result: The pod has its own network.

    Why: in the node's network namespace a container can reach the servers on the node's loopback address and read the
    node's traffic. No NetworkPolicy applies to it.

    May break: clients that call the node's address no longer find it, and it cannot reach services on the node's
    loopback address.
    """
    if pod.get("hostNetwork") is not True:
        return
    nothing = Evidence("hostNetwork is set, and nothing in the manifest shows a need for it")
    found = verdict(against=pod_evidence(pod), absent=[nothing])
    yield pod.drop("hostNetwork", **found.words)
    if pod.get("dnsPolicy") == "ClusterFirstWithHostNet":
        fact = pod.fact("ClusterFirstWithHostNet means nothing without hostNetwork", "dnsPolicy")
        yield pod.drop("dnsPolicy", **found.along(fact).words)
    for container in pod.containers:
        for port in container.items("ports"):
            for key in ("hostPort", "hostIP"):
                if port.has(key):
                    # An exported manifest names what the API server filled in; it would now open a real host port.
                    fact = port.fact(f"{key} belongs to hostNetwork", key)
                    yield port.drop(key, **found.along(fact).words)
