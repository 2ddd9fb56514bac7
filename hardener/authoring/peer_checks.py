"""Checks of other scanners beside those that a transform names itself: the transforms that ask for the same, and for
what harden does not look at, why.

A mark for a check waives the transforms that stand behind it. Sources: the policy index of Checkov (Kubernetes), the
lists of checks of kube-linter and Polaris, and the control library of Kubescape. What was not found there is left out.
"""

from __future__ import annotations

# Checks with the transforms, by scanner; a line for the checks of one kind.
_ASKED: dict[str, str] = {
    "checkov": """
        CKV_K8S_1 CKV_K8S_2 CKV_K8S_3 CKV_K8S_4 CKV_K8S_5 CKV_K8S_6 CKV_K8S_7: psp-objects
        CKV_K8S_24 CKV_K8S_32 CKV_K8S_36: psp-objects
        CKV_K8S_25 CKV_K8S_39: drop-capabilities
        CKV_K8S_33: component-eol exposed-admin-ui
        CKV_K8S_34 CKV_K8S_44 CKV_K8S_45: component-eol
        CKV_K8S_41: automount-token dedicated-service-account
        CKV_K8S_42: rbac-default-sa
        CKV_K8S_49: rbac-wildcard-verbs rbac-wildcard-resources rbac-wildcard-apigroups
        CKV_K8S_68: apiserver-anonymous-off apiserver-anonymous-scoped
        CKV_K8S_69: component-flags
        CKV_K8S_70: token-auth-file-remove
        CKV_K8S_71 CKV_K8S_86 CKV_K8S_88: flag-remove-noop
        CKV_K8S_72 CKV_K8S_73 CKV_K8S_89 CKV_K8S_95 CKV_K8S_97 CKV_K8S_99 CKV_K8S_102 CKV_K8S_104: component-flags
        CKV_K8S_74 CKV_K8S_75 CKV_K8S_77: authorization-mode
        CKV_K8S_78 CKV_K8S_110 CKV_K8S_111 CKV_K8S_116 CKV_K8S_119: component-flags
        CKV_K8S_79: removed-admission-plugins
        CKV_K8S_80: always-pull-images
        CKV_K8S_82 CKV_K8S_83: disabled-admission-plugins
        CKV_K8S_85: node-restriction
        CKV_K8S_90 CKV_K8S_107 CKV_K8S_114: component-profiling
        CKV_K8S_91 CKV_K8S_92 CKV_K8S_93 CKV_K8S_94: audit-flags
        CKV_K8S_96: service-account-lookup
        CKV_K8S_100 CKV_K8S_105: apiserver-tls component-flags
        CKV_K8S_108: controller-credentials
        CKV_K8S_112: kubelet-rotate-gate
        CKV_K8S_113 CKV_K8S_115: component-bind-address
        CKV_K8S_117 CKV_K8S_121: etcd-client-certificates
        CKV_K8S_138 CKV_K8S_139 CKV_K8S_140: kubelet-auth
        CKV_K8S_141: kubelet-readonly-port
        CKV_K8S_143: kubelet-stream-timeout
        CKV_K8S_144: kubelet-protect-kernel
        CKV_K8S_145: kubelet-iptables
        CKV_K8S_146: kubelet-misc
        CKV_K8S_147: kubelet-event-qps
        CKV_K8S_148 CKV_K8S_151: kubelet-tls
        CKV_K8S_149: kubelet-rotate-certs
        CKV_K8S_155 CKV_K8S_156 CKV_K8S_157 CKV_K8S_158: rbac-dangerous-grant
        CKV2_K8S_1 CKV2_K8S_2 CKV2_K8S_3 CKV2_K8S_4 CKV2_K8S_5: rbac-dangerous-grant
    """,
    "kube-linter": """
        access-to-create-pods access-to-secrets: rbac-dangerous-grant
        cluster-admin-role-binding: rbac-cluster-admin-binding
        deprecated-service-account-field: service-account-field
        env-var-secret: secret-env-literal
        no-extensions-v1beta: rbac-api-version
        privileged-ports: unprivileged-ports
        scc-deny-privileged-container: openshift-scc
        use-namespace: default-namespace
        wildcard-in-rules: rbac-wildcard-verbs rbac-wildcard-resources rbac-wildcard-apigroups
    """,
    "polaris": """
        sensitiveContainerEnvVar: secret-env-literal
        sensitiveConfigmapContent: secret-configmap-move secret-configmap-embedded
        clusterrolePodExecAttach rolePodExecAttach: rbac-dangerous-grant
        clusterrolebindingPodExecAttach rolebindingClusterRolePodExecAttach: rbac-dangerous-grant
        rolebindingRolePodExecAttach: rbac-dangerous-grant
        clusterrolebindingClusterAdmin rolebindingClusterAdminClusterRole: rbac-cluster-admin-binding
        rolebindingClusterAdminRole: rbac-cluster-admin-binding
    """,
    "kubescape": """
        C-0002 C-0007 C-0015 C-0031 C-0037 C-0053 C-0063 C-0065: rbac-dangerous-grant
        C-0004: memory-limit resource-requests
        C-0005: flag-remove-noop
        C-0009: cpu-limit memory-limit
        C-0012: secret-env-literal secret-configmap-move secret-configmap-embedded
        C-0014: exposed-admin-ui component-eol
        C-0020: no-host-path
        C-0049 C-0054: netpol-workload netpol-default-deny
        C-0050: cpu-limit resource-requests
        C-0052: netpol-metadata-block
        C-0055: seccomp-runtime-default apparmor-profile drop-capabilities
        C-0058: no-host-path
        C-0059: ingress-snippets ingress-controller-snippets
        C-0061 C-0212: default-namespace
        C-0066: component-flags encryption-identity-only encryption-missing-secrets
        C-0067: audit-flags
        C-0068: psp-objects
        C-0069 C-0070: kubelet-auth
        C-0074: no-host-path
        C-0075: pin-image-digest
        C-0088: authorization-mode
        C-0035 C-0185: rbac-cluster-admin-binding
        C-0186: rbac-dangerous-grant
        C-0187: rbac-wildcard-verbs rbac-wildcard-resources rbac-wildcard-apigroups
        C-0188 C-0191: rbac-dangerous-grant
        C-0189: rbac-default-sa dedicated-service-account
        C-0190: automount-token
        C-0192: namespace-pss-labels policy-generate
        C-0193: no-privileged
        C-0194: no-host-pid
        C-0195: no-host-ipc
        C-0196: no-host-network
        C-0197: no-privilege-escalation
        C-0198: run-as-non-root run-as-user
        C-0199 C-0200 C-0201: drop-capabilities
        C-0202: no-host-process
        C-0203: no-host-path host-path-read-only host-path-volume
        C-0204: no-host-port
        C-0208: secret-object-external
        C-0264: unencrypted-storage
    """,
}

_PROBES = "a probe says whether a program works, not who may reach it; a wrong one stops what runs"
_SPREAD = "how many copies run, and where, is availability, not security"
_BROAD = "it asks for any security context; each field of it has a transform of its own"
_NAMES = "names, labels and annotations of people are a convention, not security"
_WRONG = "a reference that leads nowhere breaks the application, and opens nothing"
_RUNNING = "no manifest shows it: it is about a running cluster or the files of a node"
_OLD = "what it asks for is gone from every supported Kubernetes"
# Checks that harden does not answer, and why.
_LEFT: dict[str, dict[str, str]] = {
    "checkov": {
        "CKV_K8S_8 CKV_K8S_9": _PROBES,
        "CKV_K8S_15": "with a digest, each pull gets the same image; without one, pin-image-digest is the answer",
        "CKV_K8S_29 CKV_K8S_30": _BROAD,
        "CKV_K8S_81 CKV_K8S_84": _OLD,
        "CKV_K8S_106": "what stays of pods that ended fills etcd at most",
        "CKV_K8S_118": "auto-tls of etcd is in no configuration that an installer writes",
        "CKV_K8S_159": "it is about one program, git-sync, and the arguments of it",
    },
    "kube-linter": {
        "no-liveness-probe no-readiness-probe liveness-port readiness-port startup-port": _PROBES,
        "minimum-replicas no-anti-affinity no-node-affinity hpa-minimum-replicas no-rolling-update-strategy": _SPREAD,
        "pdb-max-unavailable pdb-min-available pdb-unhealthy-pod-eviction-policy priority-class-name": _SPREAD,
        "required-annotation-email required-label-owner sorted-keys": _NAMES,
        "dangling-service dangling-ingress dangling-networkpolicy dangling-networkpolicypeer-podselector": _WRONG,
        "dangling-horizontalpodautoscaler dangling-servicemonitor non-existent-service-account": _WRONG,
        "mismatching-selector invalid-target-ports duplicate-env-var env-var-value-from": _WRONG,
        "dnsconfig-options job-ttl-seconds-after-finished restart-policy": "it is about how a workload runs",
        "ssh-port": "a port number shows no program; netpol-workload closes what nobody calls",
        "schema-validation": "harden reports fields and kinds that Kubernetes does not know by itself (unknown-field)",
    },
    "polaris": {
        "readinessProbeMissing livenessProbeMissing": _PROBES,
        "pullPolicyNotAlways": "with a digest, each pull gets the same image; pin-image-digest is the answer",
        "deploymentMissingReplicas priorityClassNotSet topologySpreadConstraint hpaMaxAvailability hpaMinAvailability":
            _SPREAD,
        "pdbDisruptionsIsZero missingPodDisruptionBudget pdbMinAvailableGreaterThanHPAMinReplicas": _SPREAD,
        "metadataAndInstanceMismatched metadataAndNameMismatched": _NAMES,
    },
    "kubescape": {
        "C-0001 C-0078": "which registries are allowed is the decision of an organization; a policy engine holds it",
        "C-0018 C-0056": _PROBES,
        "C-0026": "a CronJob is a workload like any other, and is hardened as one",
        "C-0036 C-0039": "webhooks are what enforces policies; webhook-failure-ignore looks at how they fail",
        "C-0042": "a port number shows no program; netpol-workload closes what nobody calls",
        "C-0073": "a plain pod does not come back after a failure, and is as safe as another",
        "C-0076 C-0077": _NAMES,
        "C-0079 C-0081 C-0084 C-0085 C-0089": "it is about the version of a program; a scanner of images finds it",
        "C-0209": "whether namespaces draw the right lines is not seen in one of them",
        "C-0211": _BROAD,
        "C-0205": _RUNNING,
    },
}  # fmt: skip


def asked() -> dict[str, dict[str, frozenset[str]]]:
    """Return, by scanner and check, the ids of the transforms that ask for the same."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for scanner, text in _ASKED.items():
        for line in text.strip().splitlines():
            checks, _, ids = line.partition(":")
            for check in checks.split():
                found.setdefault(scanner, {})[check] = frozenset(ids.split())
    return found


def left() -> dict[str, dict[str, str]]:
    """Return, by scanner and check, why harden does not look at it."""
    return {
        scanner: {check: why for checks, why in known.items() for check in checks.split()}
        for scanner, known in _LEFT.items()
    }
