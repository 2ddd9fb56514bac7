"""API groups that tell something by being there."""

OPENSHIFT = frozenset({"route.openshift.io", "security.openshift.io", "apps.openshift.io"})
"""API groups that only OpenShift has."""
POLICIES = frozenset({
    "admissionregistration.k8s.io", "constraints.gatekeeper.sh", "kyverno.io", "policies.kyverno.io",
    "templates.gatekeeper.sh", "hardener.dev",
})  # fmt: skip
"""API groups of admission policies, and of what asks for them."""
COMPONENT_CARRIERS = frozenset({
    "kubeadm.k8s.io", "controlplane.cluster.x-k8s.io", "bootstrap.cluster.x-k8s.io", "kops.k8s.io", "rancher", "talos",
})  # fmt: skip
"""API groups of what holds flags of cluster components, those of configurations without a group included."""
