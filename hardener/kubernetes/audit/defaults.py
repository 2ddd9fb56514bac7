"""Where the audit log and its policy stand on a host, and how much of it is kept (CIS 1.2.16-19)."""

from __future__ import annotations

POLICY, LOG = "audit-policy-file", "audit-log-path"
ROTATION = {"audit-log-maxage": "30", "audit-log-maxbackup": "10", "audit-log-maxsize": "100"}
"""Days, files and MB."""
MOUNTED_BY_KUBEADM = (
    "/etc/kubernetes/pki/", "/etc/ssl/certs/", "/etc/ca-certificates/", "/etc/pki/", "/usr/share/ca-certificates/",
    "/usr/local/share/ca-certificates/",
)  # fmt: skip
"""Folders that it shows the API server without being asked (kubeadm, phases/controlplane/volumes.go)."""


def paths(installer: str) -> tuple[str, str] | None:
    """The policy and the log where ``installer`` starts the API server; None where that is not a matter of paths."""
    if installer in ("static-pod", "kubeadm", "cluster-api"):
        return "/etc/kubernetes/audit/policy.yaml", "/var/log/kubernetes/audit/audit.log"
    if installer in ("k3s", "rke2"):
        folder = f"/var/lib/rancher/{installer}/server"
        return f"{folder}/audit.yaml", f"{folder}/logs/audit.log"
    return None
