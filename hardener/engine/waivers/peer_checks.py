"""What the checks of other scanners are called here: the transforms that a mark for one of them waives.

Checkov: CKV_K8S_10 to 13 are cpu requests, cpu limits, memory requests and
memory limits (checkov/kubernetes/checks/resource). Kubescape: C-0268 to C-0271 are cpu requests, memory requests, cpu
limits and memory limits (its controls library).
"""

from __future__ import annotations

_PRIVILEGED = frozenset({"no-privileged"})
_NETWORK = frozenset({"no-host-network"})
_PID = frozenset({"no-host-pid"})
_IPC = frozenset({"no-host-ipc"})
_PORT = frozenset({"no-host-port"})
_HOST_PATH = frozenset({"no-host-path", "host-path-read-only"})
_READ_ONLY_MOUNT = frozenset({"host-path-read-only"})
_ESCALATION = frozenset({"no-privilege-escalation"})
_CAPABILITIES = frozenset({"drop-capabilities"})
# A container that may be root needs neither the promise nor the number.
_USER = frozenset({"run-as-non-root", "run-as-user"})
_ROOT_FILESYSTEM = frozenset({"read-only-root-filesystem"})
_SECCOMP = frozenset({"seccomp-runtime-default"})
_APPARMOR = frozenset({"apparmor-profile"})
_PROC_MOUNT = frozenset({"proc-mount-default"})
_SYSCTLS = frozenset({"sysctls-allow-list"})
_REQUESTS = frozenset({"resource-requests"})
_CPU_LIMIT = frozenset({"cpu-limit"})
_MEMORY_LIMIT = frozenset({"memory-limit"})
_IMAGE = frozenset({"pin-image-digest"})
_TOKEN = frozenset({"automount-token", "projected-token"})
_SERVICE = frozenset({"service-cluster-ip"})
_ADMINISTRATION = frozenset({"exposed-admin-ui", "service-cluster-ip"})
_ISOLATION = frozenset({"netpol-default-deny", "netpol-allow-dns", "netpol-workload"})
_NAMESPACE = frozenset({"default-namespace"})

KUBE_LINTER = {
    "privileged-container": _PRIVILEGED,
    "host-network": _NETWORK,
    "host-pid": _PID,
    "host-ipc": _IPC,
    "sensitive-host-mounts": _HOST_PATH,
    "docker-sock": _HOST_PATH,
    "writable-host-mount": _READ_ONLY_MOUNT,
    "privilege-escalation-container": _ESCALATION,
    "drop-net-raw-capability": _CAPABILITIES,
    "run-as-non-root": _USER,
    "no-read-only-root-fs": _ROOT_FILESYSTEM,
    "unsafe-proc-mount": _PROC_MOUNT,
    "unsafe-sysctls": _SYSCTLS,
    "unset-cpu-requirements": _REQUESTS | _CPU_LIMIT,
    "unset-memory-requirements": _REQUESTS | _MEMORY_LIMIT,
    "latest-tag": _IMAGE,
    "default-service-account": _TOKEN,
    "exposed-services": _SERVICE,
    "non-isolated-pod": _ISOLATION,
}

CHECKOV = {
    "CKV_K8S_10": _REQUESTS,
    "CKV_K8S_11": _CPU_LIMIT,
    "CKV_K8S_12": _REQUESTS,
    "CKV_K8S_13": _MEMORY_LIMIT,
    "CKV_K8S_14": _IMAGE,
    "CKV_K8S_16": _PRIVILEGED,
    "CKV_K8S_17": _PID,
    "CKV_K8S_18": _IPC,
    "CKV_K8S_19": _NETWORK,
    "CKV_K8S_20": _ESCALATION,
    "CKV_K8S_21": _NAMESPACE,
    "CKV_K8S_22": _ROOT_FILESYSTEM,
    "CKV_K8S_23": _USER,
    "CKV_K8S_26": _PORT,
    "CKV_K8S_27": _HOST_PATH,
    "CKV_K8S_28": _CAPABILITIES,
    "CKV_K8S_31": _SECCOMP,
    "CKV_K8S_37": _CAPABILITIES,
    "CKV_K8S_38": _TOKEN,
    "CKV_K8S_40": frozenset({"run-as-user"}),
    "CKV_K8S_43": _IMAGE,
    "CKV2_K8S_6": _ISOLATION,
}

POLARIS = {
    "runAsPrivileged": _PRIVILEGED,
    "hostNetworkSet": _NETWORK,
    "hostPIDSet": _PID,
    "hostIPCSet": _IPC,
    "hostPortSet": _PORT,
    "hostPathSet": _HOST_PATH,
    "privilegeEscalationAllowed": _ESCALATION,
    "insecureCapabilities": _CAPABILITIES,
    "dangerousCapabilities": _CAPABILITIES,
    "runAsRootAllowed": _USER,
    "notReadOnlyRootFilesystem": _ROOT_FILESYSTEM,
    "linuxHardening": _SECCOMP | _APPARMOR,
    "procMount": _PROC_MOUNT,
    "cpuRequestsMissing": _REQUESTS,
    "cpuLimitsMissing": _CPU_LIMIT,
    "memoryRequestsMissing": _REQUESTS,
    "memoryLimitsMissing": _MEMORY_LIMIT,
    "tagNotSpecified": _IMAGE,
    "automountServiceAccountToken": _TOKEN,
    "missingNetworkPolicy": _ISOLATION,
    "tlsSettingsMissing": frozenset({"ingress-tls"}),
}

# By how the override begins, in lower case: some end in a capability or in the name of a volume.
KUBEAUDIT = {
    "allow-privileged": _PRIVILEGED,
    "allow-namespace-host-network": _NETWORK,
    "allow-namespace-host-pid": _PID,
    "allow-namespace-host-ipc": _IPC,
    "allow-host-path-mount-": _HOST_PATH,
    "allow-privilege-escalation": _ESCALATION,
    "allow-capability-": _CAPABILITIES,
    "allow-run-as-root": _USER,
    "allow-read-only-root-filesystem-false": _ROOT_FILESYSTEM,
    "allow-disabled-apparmor": _APPARMOR,
    "allow-automount-service-account-token": _TOKEN,
    "allow-non-default-deny-ingress-network-policy": _ISOLATION,
    "allow-non-default-deny-egress-network-policy": _ISOLATION,
}

KUBESCAPE = {
    "C-0013": _USER,
    "C-0016": _ESCALATION,
    "C-0017": _ROOT_FILESYSTEM,
    "C-0021": _ADMINISTRATION,
    "C-0030": _ISOLATION,
    "C-0034": _TOKEN,
    "C-0038": _PID | _IPC,
    "C-0041": _NETWORK,
    "C-0044": _PORT,
    "C-0045": _READ_ONLY_MOUNT,
    "C-0046": _CAPABILITIES,
    "C-0048": _HOST_PATH,
    "C-0057": _PRIVILEGED,
    "C-0206": _ISOLATION,
    "C-0210": _SECCOMP,
    "C-0260": _ISOLATION,
    "C-0268": _REQUESTS,
    "C-0269": _REQUESTS,
    "C-0270": _CPU_LIMIT,
    "C-0271": _MEMORY_LIMIT,
}
