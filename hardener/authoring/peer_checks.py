"""Checks of other scanners beside those that a transform names itself: the transforms that ask for the same, and for
what harden does not look at, why.

A mark for a check waives the transforms that stand behind it. Sources: the policy index of Checkov (Kubernetes), the
lists of checks of kube-linter (``pkg/builtinchecks``), Polaris (``pkg/config/checks``) and kube-score
(``README_CHECKS.md``), the policy library of Kyverno (folders of kyverno/policies), and the controls of Kubescape
(kubescape/regolibrary, ``frameworks``: C-0092 to C-0212 follow the CIS benchmark in its order, C-0213 to C-0254 those
of EKS and AKS). What was not found there is left out.
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
        wildcard-resource-verb-combo: rbac-wildcard-verbs rbac-wildcard-resources
        aggregate-to-admin-escalation approve-signers-without-resource-names bind-verb-in-role: rbac-dangerous-grant
        cluster-wide-secrets-access deletecollection-verb-in-role escalate-verb-in-role: rbac-dangerous-grant
        impersonate-without-resource-names kube-chainsaw-rbac: rbac-dangerous-grant
        automount-service-account-token: automount-token
        configmap-with-credentials: secret-configmap-move secret-configmap-embedded
        container-runtime-sock: no-host-path
        externalname-service-redirect: external-name-inside
        image-not-pinned-by-digest image-sha: pin-image-digest
        init-container-security-gap: run-as-non-root
        insecure-route-termination: ingress-tls
        projected-token-long-expiration: projected-token
        unset-ephemeral-storage-requirements: ephemeral-limit
        webhook-failure-policy-ignore: webhook-failure-ignore
    """,
    "kube-score": """
        container-ephemeral-storage-request-and-limit: ephemeral-limit
        container-image-tag: pin-image-digest
        container-resources: cpu-limit memory-limit resource-requests
        container-seccomp-profile: seccomp-runtime-default
        container-security-context: no-privileged read-only-root-filesystem run-as-user root-group
        container-security-context-privileged: no-privileged
        container-security-context-readonlyrootfilesystem: read-only-root-filesystem
        container-security-context-user-group-id: run-as-user root-group
        pod-networkpolicy: netpol-workload netpol-default-deny
        service-type: service-cluster-ip
        stable-version: rbac-api-version psp-objects
    """,
    "kyverno": """
        block-ephemeral-containers: ephemeral-containers
        block-nginx-annotations-cve-2023-5043-cve-2023-5044: ingress-snippets
        check-ingress-nginx-controller-version-and-annotation-policy: ingress-controller-snippets
        deny-default-service-account-bindings: rbac-default-sa
        deny-default-service-accounts: dedicated-service-account
        deny-privileged-profile: namespace-pss-labels
        add-psa-labels add-psa-namespace-reporting: namespace-pss-labels
        add-network-policy generate-networkpolicy-existing: netpol-default-deny
        add-networkpolicy-dns: netpol-allow-dns
        add-ns-quota: namespace-bounds
        add-default-resources: resource-requests memory-limit
        add-default-securitycontext: run-as-non-root run-as-user
        add-emptydir-sizelimit require-emptydir-requests-limits: ephemeral-limit
        always-pull-images: always-pull-images
        apply-pss-restricted-profile: no-privilege-escalation drop-capabilities run-as-non-root seccomp-runtime-default
        block-cluster-admin-from-ns restrict-binding-clusteradmin: rbac-cluster-admin-binding
        check-deprecated-apis: rbac-api-version psp-objects
        disable-automountserviceaccounttoken remove-serviceaccount-token restrict-sa-automount-sa-token: automount-token
        disallow-capabilities disallow-capabilities-strict: drop-capabilities
        disallow-cri-sock-mount docker-socket-requires-label: no-host-path
        disallow-default-namespace: default-namespace
        disallow-empty-ingress-host restrict-ingress-wildcard: ingress-hosts
        disallow-helm-tiller: component-eol
        disallow-host-namespaces: no-host-ipc no-host-network no-host-pid
        disallow-host-path: no-host-path host-path-volume
        disallow-host-ports disallow-host-ports-range: no-host-port
        disallow-host-process: no-host-process
        disallow-latest-tag require-image-checksum: pin-image-digest
        disallow-localhost-services: external-name-inside
        disallow-privilege-escalation: no-privilege-escalation
        disallow-privileged-containers: no-privileged
        disallow-proc-mount: proc-mount-default
        disallow-secrets-from-env-vars: secret-env-to-file
        disallow-selinux: selinux-options
        ensure-readonly-hostpath: host-path-read-only
        expiration-for-policyexceptions: policy-exception-for-all
        limit-hostpath-type-pv limit-hostpath-vols remove-hostpath-volumes: no-host-path host-path-volume
        memory-requests-equal-limits: memory-limit
        prevent-cr8escape: sysctl-value
        require-drop-all require-drop-cap-net-raw: drop-capabilities
        require-ingress-https ingress-host-match-tls: ingress-tls
        require-netpol: netpol-workload netpol-default-deny
        require-non-root-groups: root-group
        require-pod-requests-limits require-qos-burstable: resource-requests memory-limit
        require-qos-guaranteed: resource-requests memory-limit cpu-limit
        require-ro-rootfs: read-only-root-filesystem
        require-run-as-non-root-user require-run-as-nonroot: run-as-non-root run-as-user
        restrict-apparmor-profiles: apparmor-profile
        restrict-automount-sa-token: automount-token
        restrict-binding-system-groups: rbac-masters-subject rbac-authenticated-broad rbac-anonymous-subject
        restrict-clusterrole-nodesproxy: rbac-nodes-proxy-narrow
        restrict-deprecated-registry: retired-registry
        restrict-escalation-verbs-roles restrict-secret-role-verbs restrict-edit-for-endpoints: rbac-dangerous-grant
        restrict-loadbalancer restrict-node-port: service-cluster-ip
        restrict-seccomp restrict-seccomp-strict: seccomp-runtime-default
        restrict-service-external-ips: service-external-ips
        restrict-sysctls: sysctls-allow-list
        restrict-volume-types: restricted-volume-types
        restrict-wildcard-resources: rbac-wildcard-resources
        restrict-wildcard-verbs: rbac-wildcard-verbs
    """,
    "polaris": """
        sensitiveContainerEnvVar: secret-env-literal
        sensitiveConfigmapContent: secret-configmap-move secret-configmap-embedded
        clusterrolePodExecAttach rolePodExecAttach: rbac-dangerous-grant
        clusterrolebindingPodExecAttach rolebindingClusterRolePodExecAttach: rbac-dangerous-grant
        rolebindingRolePodExecAttach: rbac-dangerous-grant
        clusterrolebindingClusterAdmin rolebindingClusterAdminClusterRole: rbac-cluster-admin-binding
        rolebindingClusterAdminRole: rbac-cluster-admin-binding
        gatewayAllowedRoutesAll gatewayInsecureFrontendValidation: gateway-listener
        gatewayTLSMissing httpRouteInsecureListener: ingress-tls
        gatewayCrossNamespaceCertificateRef httpRouteCrossNamespaceBackendRef: reference-grant
        httpRouteWildcardOrEmptyHost: ingress-hosts
        hostProcess: no-host-process
        kgatewayBackendTLSVerificationDisabled: unverified-tls
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
        C-0030: netpol-workload netpol-default-deny
        C-0038: no-host-ipc no-host-pid
        C-0062: sudo-command
        C-0113 C-0262: apiserver-anonymous-off apiserver-anonymous-scoped authentication-config
        C-0114: token-auth-file-remove
        C-0115 C-0283: deny-service-external-ips
        C-0116 C-0117 C-0134 C-0136 C-0137 C-0139 C-0140: component-flags
        C-0118: authorization-mode authorization-config
        C-0119 C-0120: authorization-mode
        C-0122 C-0124: removed-admission-plugins
        C-0123: always-pull-images
        C-0125 C-0126: disabled-admission-plugins
        C-0127: node-restriction
        C-0128: component-flags flag-remove-noop
        C-0129 C-0145 C-0151: component-profiling
        C-0130 C-0131 C-0132 C-0133: audit-flags
        C-0135: service-account-lookup
        C-0138 C-0143 C-0277: apiserver-tls component-flags
        C-0141: component-flags encryption-missing-secrets
        C-0142: encryption-identity-only encryption-weak encryption-provider-order
        C-0146: controller-credentials
        C-0147 C-0148: component-flags
        C-0149: kubelet-rotate-gate
        C-0150 C-0152: component-bind-address
        C-0153 C-0156: component-flags
        C-0154 C-0157: etcd-client-certificates
        C-0160: audit-flags audit-policy-generate
        C-0161: audit-policy-secrets audit-policy-pods audit-policy-rbac audit-policy-exec audit-policy-default
        C-0172 C-0173 C-0174: kubelet-auth
        C-0175: kubelet-readonly-port
        C-0176: kubelet-stream-timeout
        C-0177: kubelet-protect-kernel
        C-0178: kubelet-iptables
        C-0179: kubelet-misc
        C-0180: kubelet-event-qps
        C-0181 C-0184: kubelet-tls
        C-0182: kubelet-rotate-certs
        C-0183: kubelet-rotate-gate
        C-0206: netpol-workload netpol-default-deny
        C-0207: secret-env-to-file
        C-0210: seccomp-runtime-default
        C-0213: no-privileged
        C-0214 C-0275: no-host-pid
        C-0215 C-0276: no-host-ipc
        C-0216: no-host-network
        C-0217: no-privilege-escalation
        C-0218: run-as-non-root run-as-user
        C-0219 C-0220: drop-capabilities
        C-0225 C-0239: sa-cloud-identity sa-cloud-default dedicated-service-account
        C-0227 C-0228: tf-eks-endpoint
        C-0230: netpol-workload netpol-default-deny
        C-0240 C-0241: tf-aks
        C-0231 C-0245 C-0263: ingress-tls
        C-0232: eks-auth-mode aws-auth-masters
        C-0234: secret-object-external
        C-0244: encryption-missing-secrets
        C-0247 C-0252: tf-aks
        C-0246: rbac-masters-subject
        C-0253: retired-registry
        C-0254: aks-logging
        C-0256: service-cluster-ip exposed-admin-ui
        C-0260: netpol-workload netpol-default-deny
        C-0261: automount-token
        C-0265: rbac-authenticated-broad
        C-0266 C-0274: exposed-admin-ui
        C-0267 C-0272: rbac-cluster-admin-binding rbac-dangerous-grant
        C-0268 C-0269: resource-requests
        C-0270: cpu-limit
        C-0271: memory-limit
        C-0273: component-eol
        C-0278 C-0280 C-0281 C-0282: rbac-dangerous-grant
        C-0279: rbac-nodes-proxy-narrow
        C-0284: kubelet-pids
        C-0286 C-0287: oidc-hint
        C-0288: bootstrap-token-ttl
        C-0290: sa-extend-token-expiration
        C-0291: kube-proxy-metrics
    """,
}

_PROBES = "a probe says whether a program works, not who may reach it; a wrong one stops what runs"
_SPREAD = "how many copies run, and where, is availability, not security"
_BROAD = "it asks for any security context; each field of it has a transform of its own"
_NAMES = "names, labels and annotations of people are a convention, not security"
_WRONG = "a reference that leads nowhere breaks the application, and opens nothing"
_RUNNING = "no manifest shows it: it is about a running cluster or the files of a node"
_NODE_FILES = "it is about the mode or the owner of a file on a node, which no manifest holds"
_CLOUD = "it is about the account at the cloud: its registry, its scanner or its nodes"
_POLICY_ENGINE = "it changes or fills in objects when they are created, and finds nothing wrong with one"
_ACCESS = "it lists what a workload can reach, which an application needs; the rights and policies beside it are judged"
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
        "no-startup-probe": _PROBES,
        "hpa-maximum-replicas dangling-networkpolicy-rule target-port-specification volumeclaimtemplates": _WRONG,
        "duplicate-kinds": _NAMES,
        "schema-validation": "harden reports fields and kinds that Kubernetes does not know by itself (unknown-field)",
    },
    "kube-score": {
        "pod-probes pod-probes-identical": _PROBES,
        "container-image-pull-policy": "with a digest, each pull gets the same image; pin-image-digest is the answer",
        "container-resource-requests-equal-limits": "it is about how a node is shared",
        "container-cpu-requests-equal-limits": "it is about how a node is shared",
        "container-memory-requests-equal-limits container-ephemeral-storage-request-equals-limit":
            "it is about how a node is shared",
        "statefulset-has-poddisruptionbudget": _SPREAD,
        "deployment-has-poddisruptionbudget poddisruptionbudget-has-policy": _SPREAD,
        "deployment-has-host-podantiaffinity": _SPREAD,
        "statefulset-has-host-podantiaffinity pod-topology-spread-constraints": _SPREAD,
        "deployment-targeted-by-hpa-does-not-have-replicas-configured deployment-replicas deployment-strategy": _SPREAD,
        "horizontalpodautoscaler-replicas": _SPREAD,
        "ingress-targets-service service-targets-pod": _WRONG,
        "networkpolicy-targets-pod horizontalpodautoscaler-has-target": _WRONG,
        "statefulset-has-servicename environment-variable-key-duplication container-ports-check": _WRONG,
        "deployment-pod-selector-labels-match-template-metadata-labels": _WRONG,
        "statefulset-pod-selector-labels-match-template-metadata-labels": _WRONG,
        "label-values": _NAMES,
        "cronjob-has-deadline cronjob-restartpolicy job-restartpolicy": "it is about how a workload runs",
    },
    "kyverno": {
        "require-probes validate-probe-timeout-period ensure-probes-different": _PROBES,
        "require-labels require-annotations metadata-match-regex allowed-annotations allowed-label-changes": _NAMES,
        "require-container-port-names unique-ingress-paths unique-routes": _NAMES,
        "restrict-image-registries advanced-restrict-image-registries allowed-image-repos allowed-base-images":
            "which registries are allowed is the decision of an organization; a policy engine holds it",
        "require-base-image require-image-source": "a scanner of images finds it",
        "verify-image-slsa verify-manifest-integrity": "a signature is judged where it is checked: in admission",
        "block-stale-images block-large-images block-images-with-volumes": "a scanner of images finds it",
        "check-node-for-cve-2022-0185": _RUNNING,
        "check-image-vulns-cve-2024-3094 check-container-run-time-cve-2024-21626": _RUNNING,
        "kubernetes-version-check inspect-csr namespace-inventory-check": _RUNNING,
        "create-default-pdb create-pod-antiaffinity pdb-maxunavailable pdb-minavailable check-hpa-exists": _SPREAD,
        "require-deployments-have-multiple-replicas topologyspreadconstraints-policy restrict-scale": _SPREAD,
        "add-pod-priorityclassname require-pod-priorityclassname allowed-pod-priorities": _SPREAD,
        "forbid-cpu-limits": "it asks for the contrary of a limit; cpu-limit writes one where a profile wants it",
        "imagepullpolicy-always": "with a digest, each pull gets the same image; pin-image-digest is the answer",
        "prevent-bare-pods": "a plain pod does not come back after a failure, and is as safe as another",
        "add-certificates-volume add-configmap-ownerreference": _POLICY_ENGINE,
        "add-daemonset-tolerations add-env-vars-from-cm": _POLICY_ENGINE,
        "add-image-as-env-var add-imagepullsecrets add-labels add-ndots add-node-affinity": _POLICY_ENGINE,
        "add-node-labels-pod add-nodeSelector add-pod-proxies add-rolebinding add-safe-to-evict": _POLICY_ENGINE,
        "add-tolerations add-ttl-jobs": _POLICY_ENGINE,
        "add-volume-deployment annotate-base-images concatenate-configmaps": _POLICY_ENGINE,
        "copy-namespace-labels inject-sidecar-deployment": _POLICY_ENGINE,
        "label-existing-namespaces record-creation-details": _POLICY_ENGINE,
        "refresh-env-var-in-pod restart-deployment-on-secret-change scale-deployment-zero sync-secrets": _POLICY_ENGINE,
        "update-image-tag mutate-large-termination-gps mutate-pod-binding cordon-and-drain-node": _POLICY_ENGINE,
        "block-pod-exec-by-namespace block-pod-exec-by-namespace-label block-pod-exec-by-pod-and-container": _RUNNING,
        "block-pod-exec-by-pod-label block-pod-exec-by-pod-name block-kubectl-cp block-updates-deletes": _RUNNING,
        "audit-event-on-delete audit-event-on-exec deny-force-delete": _RUNNING,
    },
    "polaris": {
        "pdbMinAvailableEqualToHPAMinReplicas pdbMinAvailableGreaterThanHPAMaxReplicas": _SPREAD,
        "httpRouteBackendTLSMissing": "whether a backend speaks TLS is not seen in the route that leads to it",
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
        "C-0083 C-0086 C-0087 C-0090 C-0091": "it is about the version of a program; a scanner of images finds it",
        "C-0092 C-0093 C-0094 C-0095 C-0096 C-0097 C-0098 C-0099 C-0100 C-0101 C-0102": _NODE_FILES,
        "C-0103 C-0104 C-0105 C-0106 C-0107 C-0108 C-0109 C-0110 C-0111 C-0112": _NODE_FILES,
        "C-0162 C-0163 C-0164 C-0165 C-0166 C-0167 C-0168 C-0169 C-0170 C-0171 C-0235 C-0238": _NODE_FILES,
        "C-0121": "how many events a cluster takes is a matter of its size, not of a manifest",
        "C-0144": "what stays of pods that ended fills etcd at most",
        "C-0155 C-0158": "auto-tls of etcd is in no configuration that an installer writes",
        "C-0159": "whether two files hold the same CA is seen on the node alone",
        "C-0221 C-0222 C-0223 C-0226 C-0229 C-0233 C-0243 C-0248 C-0250 C-0251": _CLOUD,
        "C-0236 C-0237 C-0289": "a signature is judged where it is checked: in admission",
        "C-0242 C-0249": "which workloads trust each other is not seen in one of them",
        "C-0255 C-0257 C-0258 C-0259": _ACCESS,
        "C-0297 C-0301": "it is about one product, a sandbox for programs that a model writes",
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
