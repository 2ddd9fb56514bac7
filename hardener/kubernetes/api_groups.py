"""API groups that tell something by being there."""

OPENSHIFT = frozenset({"route.openshift.io", "security.openshift.io", "apps.openshift.io"})
"""API groups that only OpenShift has."""
POLICIES = frozenset({
    "admissionregistration.k8s.io", "constraints.gatekeeper.sh", "kyverno.io", "policies.kyverno.io",
    "templates.gatekeeper.sh", "hardener.dev",
})  # fmt: skip
"""API groups of admission policies, and of what asks for them."""
