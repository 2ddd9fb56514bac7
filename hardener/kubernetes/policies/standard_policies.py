"""Which well-known policies check a part of the Pod Security Standards.

Sources: the policy library of Kyverno (folders pod-security/baseline and /restricted, and the category annotation that
it gives its policies), the library of Gatekeeper (pod-security-policy), by the names that they are published under.
"""

from __future__ import annotations

_BASELINE = frozenset({
    "disallow-privileged-containers", "disallow-privileged", "disallow-host-namespaces", "disallow-host-path",
    "disallow-host-ports", "disallow-host-process", "disallow-proc-mount", "disallow-selinux", "disallow-capabilities",
    "restrict-apparmor-profiles", "restrict-seccomp", "restrict-sysctls",
    "K8sPSPPrivilegedContainer", "K8sPSPHostNamespace", "K8sPSPHostFilesystem", "K8sPSPHostNetworkingPorts",
    "K8sPSPProcMount", "K8sPSPSELinuxV2", "K8sPSPAppArmor", "K8sPSPForbiddenSysctls",
})  # fmt: skip
_RESTRICTED = frozenset({
    "disallow-capabilities-strict", "disallow-privilege-escalation", "require-run-as-non-root-user",
    "require-run-as-nonroot", "restrict-seccomp-strict", "restrict-volume-types",
    "K8sPSPAllowPrivilegeEscalationContainer", "K8sPSPAllowedUsers", "K8sPSPCapabilities", "K8sPSPSeccomp",
    "K8sPSPSeccompV2", "K8sPSPVolumeTypes",
})  # fmt: skip
_CATEGORY = "Pod Security Standards"


def level(kind: str, name: str, category: str) -> str | None:
    """The level that holds what a policy of this kind, name and category asks for: "baseline", "restricted"; None for a
    policy that is not known to be of the standards."""
    if category.startswith(_CATEGORY):
        return "baseline" if "baseline" in category.lower() else "restricted"
    for known, found in ((_BASELINE, "baseline"), (_RESTRICTED, "restricted")):
        if kind in known or name in known:
            return found
    return None
