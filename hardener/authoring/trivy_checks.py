"""Checks of Trivy and the transforms that ask for the same.

Trivy calls a check KSV-0001 today, AVD-KSV-0001 and KSV001 before. Sources: the metadata of the checks and the
compliance specs of aquasecurity/trivy-checks (``checks/kubernetes``; ``pkg/compliance/k8s-cis-1.23.yaml``,
``k8s-nsa-1.0.yaml``, ``k8s-pss-restricted-0.1.yaml``). What was not found there is left out.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"(?i)(?:avd-)?(ksv|kcv)-?0*(\d{1,4})")

# The title of a check, and the transforms that ask for the same.
CHECKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "KSV-0001": ("Process can elevate its own privileges", ("no-privilege-escalation",)),
    "KSV-0002": ("AppArmor profile is disabled", ("apparmor-profile",)),
    "KSV-0003": ("Default capabilities not dropped", ("drop-capabilities",)),
    "KSV-0004": ("Capabilities added beyond the default set", ("drop-capabilities",)),
    "KSV-0005": ("SYS_ADMIN capability added", ("drop-capabilities",)),
    "KSV-0006": ("hostPath volume mounted with docker.sock", ("no-host-path",)),
    "KSV-0008": ("Access to host IPC namespace", ("no-host-ipc",)),
    "KSV-0009": ("Access to host network", ("no-host-network",)),
    "KSV-0010": ("Access to host PID", ("no-host-pid",)),
    "KSV-0011": ("CPU not limited", ("cpu-limit",)),
    "KSV-0012": ("Runs as root user", ("run-as-non-root", "run-as-user")),
    "KSV-0013": ("Image tag ':latest' used", ("pin-image-digest",)),
    "KSV-0014": ("Root file system is not read-only", ("read-only-root-filesystem",)),
    "KSV-0015": ("CPU requests not specified", ("resource-requests",)),
    "KSV-0016": ("Memory requests not specified", ("resource-requests",)),
    "KSV-0017": ("Privileged container", ("no-privileged",)),
    "KSV-0018": ("Memory not limited", ("memory-limit",)),
    "KSV-0020": ("Runs with low user ID", ("run-as-user",)),
    "KSV-0021": ("Runs with low group ID", ("run-as-user",)),
    "KSV-0022": ("Capabilities beyond those that are allowed", ("drop-capabilities",)),
    "KSV-0023": ("hostPath volumes mounted", ("no-host-path", "host-path-read-only", "host-path-volume")),
    "KSV-0024": ("Access to host ports", ("no-host-port",)),
    "KSV-0025": ("SELinux custom options set", ("selinux-options",)),
    "KSV-0026": ("Unsafe sysctl options set", ("sysctls-allow-list",)),
    "KSV-0027": ("Non-default /proc masks set", ("proc-mount-default",)),
    "KSV-0028": ("Non-core volume types used", ("restricted-volume-types",)),
    "KSV-0029": ("A root primary or supplementary group", ("root-group",)),
    "KSV-0030": ("Runtime default seccomp profile not set", ("seccomp-runtime-default",)),
    "KSV-0036": ("Protecting pod service account tokens", ("automount-token", "projected-token")),
    "KSV-0038": ("Selector usage in network policies", ("netpol-workload", "netpol-default-deny")),
    "KSV-0039": ("Limit range usage", ("namespace-bounds",)),
    "KSV-0040": ("Resource quota usage", ("namespace-bounds",)),
    "KSV-0041": ("Manage secrets", ("rbac-dangerous-grant",)),
    "KSV-0043": ("Bind, impersonate and escalate", ("rbac-dangerous-grant",)),
    "KSV-0044": ("Wildcard verb and resource in a role", ("rbac-wildcard-verbs", "rbac-wildcard-resources")),
    "KSV-0045": ("Wildcard verb in a role", ("rbac-wildcard-verbs",)),
    "KSV-0046": ("Wildcard resource in a role", ("rbac-wildcard-resources",)),
    "KSV-0047": ("Privilege escalation from node proxy", ("rbac-nodes-proxy-narrow",)),
    "KSV-0048": ("Manage Kubernetes workloads and pods", ("rbac-dangerous-grant",)),
    "KSV-0050": ("Manage Kubernetes RBAC resources", ("rbac-dangerous-grant",)),
    "KSV-0051": ("Create role bindings to a privileged role", ("rbac-dangerous-grant",)),
    "KSV-0052": ("Create cluster role bindings to a privileged role", ("rbac-dangerous-grant",)),
    "KSV-0053": ("Exec into pods", ("rbac-dangerous-grant",)),
    "KSV-0054": ("Attach to shells of pods", ("rbac-dangerous-grant",)),
    "KSV-0055": ("Users of a role binding add others to it", ("rbac-dangerous-grant",)),
    "KSV-0056": ("Manage Kubernetes networking", ("rbac-dangerous-grant",)),
    "KSV-0102": ("Tiller is deployed", ("component-eol",)),
    "KSV-0103": ("HostProcess container of Windows", ("no-host-process",)),
    "KSV-0104": ("Seccomp profile unconfined", ("seccomp-runtime-default",)),
    "KSV-0105": ("Containers must not set runAsUser to 0", ("run-as-user", "run-as-non-root")),
    "KSV-0106": ("Container capabilities must only include NET_BIND_SERVICE", ("drop-capabilities",)),
    "KSV-0107": ("Deprecated and removed API versions", ("rbac-api-version", "externalsecret-api-v1")),
    "KSV-0108": ("Service with an external IP", ("service-external-ips",)),
    "KSV-0109": ("ConfigMap with secrets", ("secret-configmap-move", "secret-configmap-embedded")),
    "KSV-0110": ("Workloads in the default namespace", ("default-namespace",)),
    "KSV-0111": ("The cluster-admin role", ("rbac-cluster-admin-binding",)),
    "KSV-0112": ("Manage all resources of a namespace", ("rbac-wildcard-resources",)),
    "KSV-0113": ("Manage the secrets of a namespace", ("rbac-dangerous-grant",)),
    "KSV-0114": ("Manage webhook configurations", ("rbac-dangerous-grant",)),
    "KSV-0115": ("Manage the ConfigMap of EKS that maps IAM", ("rbac-dangerous-grant",)),
    "KSV-0116": ("A root primary or supplementary group", ("root-group",)),
    "KSV-0119": ("NET_RAW capability added", ("drop-capabilities",)),
    "KSV-0120": ("SYS_MODULE capability added", ("drop-capabilities",)),
    "KSV-0121": ("Critical hostPath volumes mounted", ("no-host-path", "host-path-read-only", "host-path-volume")),
    "KSV-0122": ("Anonymous user access binding", ("rbac-anonymous-subject",)),
    "KSV-0123": ("Binding to a group of all or of masters", ("rbac-authenticated-broad", "rbac-masters-subject")),
    "KCV-0001": ("API server: --anonymous-auth", ("apiserver-anonymous-off", "apiserver-anonymous-scoped")),
    "KCV-0002": ("API server: --token-auth-file", ("token-auth-file-remove",)),
    "KCV-0003": ("API server: DenyServiceExternalIPs", ("deny-service-external-ips",)),
    "KCV-0004": ("API server: --kubelet-https", ("flag-remove-noop",)),
    "KCV-0005": ("API server: --kubelet-client-certificate and --kubelet-client-key", ("component-flags",)),
    "KCV-0006": ("API server: --kubelet-certificate-authority", ("component-flags",)),
    "KCV-0007": ("API server: --authorization-mode is not AlwaysAllow", ("authorization-mode",)),
    "KCV-0008": ("API server: --authorization-mode includes Node", ("authorization-mode",)),
    "KCV-0009": ("API server: --authorization-mode includes RBAC", ("authorization-mode",)),
    "KCV-0011": ("API server: AlwaysAdmit", ("removed-admission-plugins",)),
    "KCV-0012": ("API server: AlwaysPullImages", ("always-pull-images",)),
    "KCV-0013": ("API server: SecurityContextDeny", ("removed-admission-plugins",)),
    "KCV-0014": ("API server: admission plugin ServiceAccount", ("disabled-admission-plugins",)),
    "KCV-0015": ("API server: admission plugin NamespaceLifecycle", ("disabled-admission-plugins",)),
    "KCV-0016": ("API server: NodeRestriction", ("node-restriction",)),
    "KCV-0017": ("API server: --secure-port", ("component-flags",)),
    "KCV-0018": ("API server: --profiling", ("component-profiling",)),
    "KCV-0019": ("API server: --audit-log-path", ("audit-flags",)),
    "KCV-0020": ("API server: --audit-log-maxage", ("audit-flags",)),
    "KCV-0021": ("API server: --audit-log-maxbackup", ("audit-flags",)),
    "KCV-0022": ("API server: --audit-log-maxsize", ("audit-flags",)),
    "KCV-0024": ("API server: --service-account-lookup", ("service-account-lookup",)),
    "KCV-0025": ("API server: --service-account-key-file", ("component-flags",)),
    "KCV-0026": ("API server: --etcd-certfile and --etcd-keyfile", ("component-flags",)),
    "KCV-0027": ("API server: --tls-cert-file and --tls-private-key-file", ("apiserver-tls",)),
    "KCV-0028": ("API server: --client-ca-file", ("component-flags",)),
    "KCV-0029": ("API server: --etcd-cafile", ("component-flags",)),
    "KCV-0030": ("API server: --encryption-provider-config", ("encryption-missing-secrets",)),
    "KCV-0034": ("Scheduler: --profiling", ("component-profiling",)),
    "KCV-0035": ("Controller manager: --use-service-account-credentials", ("controller-credentials",)),
    "KCV-0036": ("Controller manager: --service-account-private-key-file", ("component-flags",)),
    "KCV-0037": ("Controller manager: --root-ca-file", ("component-flags",)),
    "KCV-0038": ("Controller manager: RotateKubeletServerCertificate", ("kubelet-rotate-gate",)),
    "KCV-0039": ("Controller manager: --bind-address", ("component-bind-address",)),
    "KCV-0041": ("Scheduler: --bind-address", ("component-bind-address",)),
    "KCV-0042": ("etcd: --cert-file and --key-file", ("component-flags",)),
    "KCV-0043": ("etcd: --client-cert-auth", ("etcd-client-certificates",)),
    "KCV-0045": ("etcd: --peer-cert-file and --peer-key-file", ("component-flags",)),
    "KCV-0046": ("etcd: --peer-client-cert-auth", ("etcd-client-certificates",)),
    "KCV-0079": ("kubelet: --anonymous-auth", ("kubelet-auth",)),
    "KCV-0080": ("kubelet: --authorization-mode", ("kubelet-auth",)),
    "KCV-0081": ("kubelet: --client-ca-file", ("kubelet-auth",)),
    "KCV-0082": ("kubelet: --read-only-port", ("kubelet-readonly-port",)),
    "KCV-0083": ("kubelet: --protect-kernel-defaults", ("kubelet-protect-kernel",)),
    "KCV-0084": ("kubelet: --make-iptables-util-chains", ("kubelet-iptables",)),
    "KCV-0085": ("kubelet: --streaming-connection-idle-timeout", ("kubelet-stream-timeout",)),
    "KCV-0086": ("kubelet: --hostname-override", ("kubelet-misc",)),
    "KCV-0087": ("kubelet: --event-qps", ("kubelet-event-qps",)),
    "KCV-0088": ("kubelet: --tls-cert-file", ("kubelet-tls",)),
    "KCV-0089": ("kubelet: --tls-private-key-file", ("kubelet-tls",)),
    "KCV-0090": ("kubelet: --rotate-certificates", ("kubelet-rotate-certs",)),
    "KCV-0091": ("kubelet: RotateKubeletServerCertificate", ("kubelet-rotate-gate",)),
    "KCV-0092": ("kubelet: strong ciphers", ("kubelet-tls",)),
}

_NODE_FILES = "it is about the mode or the owner of a file on a node, which no manifest holds"
_REGISTRIES = "which registries are allowed is the decision of an organization; a policy engine holds it"
# Checks that harden does not answer: what they are about, and why.
LEFT: dict[str, tuple[str, str]] = {
    "KSV-0007": ("Manages /etc/hosts", "which names an application finds in its own hosts file opens nothing"),
    "KSV-0032": ("Container images from registries of Azure alone", _REGISTRIES),
    "KSV-0033": ("Container images from registries of Google alone", _REGISTRIES),
    "KSV-0034": ("Container images from public registries", _REGISTRIES),
    "KSV-0035": ("Container images from registries of Amazon alone", _REGISTRIES),
    "KSV-0037": (
        "User pods in the namespace kube-system",
        "which pods are a part of the cluster is the decision of who installs it; default-namespace looks at default",
    ),
    "KSV-0042": ("Delete logs of pods", "the API server can only read pods/log, so the right does nothing"),
    "KSV-0049": (
        "Manage ConfigMaps",
        "an application may write its own; rbac-dangerous-grant looks at those of kube-system",
    ),
    "KSV-0118": ("Default security context", "it asks for any security context; each field has a transform of its own"),
    "KSV-0125": ("Container images from trusted registries", _REGISTRIES),
    "KCV-0010": ("API server: EventRateLimit", "how many events a cluster takes is a matter of its size"),
    "KCV-0033": (
        "Controller manager: --terminated-pod-gc-threshold",
        "what stays of pods that ended fills etcd at most",
    ),
    "KCV-0044": ("etcd: --auto-tls", "auto-tls of etcd is in no configuration that an installer writes"),
    "KCV-0047": ("etcd: --peer-auto-tls", "auto-tls of etcd is in no configuration that an installer writes"),
    **{f"KCV-{number:04}": ("Mode or owner of a file of a node", _NODE_FILES) for number in range(48, 79)},
    "KSV-0117": (
        "Ports below 1024",
        "such a port needs no privilege where a sysctl of the pod allows it, which unprivileged-ports writes",
    ),
}


def named(text: str) -> str | None:
    """Return the name of today of the check that ``text`` spells in any of the three ways; None for anything else."""
    found = _FORM.fullmatch(text)
    return f"{found[1].upper()}-{int(found[2]):04}" if found else None


def about(check: str) -> str:
    """Return what a check of ``CHECKS`` or ``LEFT`` looks at."""
    return LEFT[check][0] if check in LEFT else CHECKS[check][0]


def checks_of(id: str) -> list[str]:
    """Return the checks that ask for the same as the transform ``id``."""
    return [name for name, (_, ids) in CHECKS.items() if id in ids]
