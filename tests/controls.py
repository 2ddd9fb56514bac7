"""Controls of the CIS benchmark (sections 1 to 5), of the hardening guide of NSA and CISA and of Kubescape, each with
the smallest manifest that shows it, and those that no manifest shows.

Sources: the titles and numbers of the CIS Kubernetes Benchmark 1.10 to 1.12 as kube-bench and Trivy publish them,
k8s-nsa-1.0 of Trivy, and the control library of Kubescape.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """``names`` as other_names.find takes them, what shows it, and the transforms one of which answers."""

    names: tuple[str, ...]
    manifest: str
    answers: frozenset[str]


def _component(name: str, *flags: str) -> str:
    lines = "".join(f"    - --{flag}\n" for flag in flags)
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: kube-system, labels: {{component: {name}, "
        f"tier: control-plane}}}}\nspec:\n  hostNetwork: true\n  containers:\n  - name: {name}\n"
        f"    image: registry.k8s.io/{name}:v1.36.2\n    command:\n    - {name}\n{lines}"
    )


def _api(*flags: str) -> str:
    given = [flag.partition("=")[0] for flag in flags]
    base = (
        "authorization-mode=Node,RBAC", "enable-admission-plugins=NodeRestriction",
        "etcd-servers=https://127.0.0.1:2379",
    )  # fmt: skip
    return _component("kube-apiserver", *(each for each in base if each.partition("=")[0] not in given), *flags)


def _kubelet(lines: str) -> str:
    return f"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n{lines}\n"


def _pod(own: str = "", spec: str = "", namespace: str = "shop") -> str:
    more = f"  {spec}\n" if spec else ""
    beside = f", {own}" if own else ""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: {namespace}, labels: {{app: web}}}}\n"
        f"spec:\n{more}  containers:\n  - {{name: web, image: 'registry.example.com/web:1.2.3'{beside}}}\n"
    )


def _role(resources: str, verbs: str, groups: str = "''") -> str:
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: app}\nrules:\n"
        f"- {{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}]}}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: app}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: app}\n"
        "subjects: [{kind: ServiceAccount, name: app, namespace: shop}]\n"
    )


def _binding(role: str, subject: str) -> str:
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: app}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\nsubjects: [{subject}]\n"
    )


_SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
_ENCRYPTION = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
_JOIN = (  # in a KubeletConfiguration 0 is the same as nothing
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\nnodeRegistration:\n  kubeletExtraArgs:\n"
    "  - {name: streaming-connection-idle-timeout, value: '0'}\n"
)
_ACCOUNT = "{kind: ServiceAccount, name: app, namespace: shop}"
_MANAGER, _SCHEDULER = "kube-controller-manager", "kube-scheduler"
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("1.2.1 NSA-7.0", _api("anonymous-auth=true"), "apiserver-anonymous-off apiserver-anonymous-scoped"),
    ("1.2.2", _api("token-auth-file=/etc/tokens.csv"), "token-auth-file-remove"),
    ("1.2.3", _api(), "deny-service-external-ips"),
    ("1.2.4 1.2.9 1.2.22 1.2.23 1.2.24 1.2.26", _api(), "component-flags"),
    ("1.2.5", _api("kubelet-client-certificate=/a", "kubelet-client-key=/b"), "component-flags"),
    ("1.2.6 C-0088", _api("authorization-mode=AlwaysAllow"), "authorization-mode"),
    ("1.2.7", _api("authorization-mode=RBAC"), "authorization-mode"),
    ("1.2.8 NSA-7.1", _api("authorization-mode=Node"), "authorization-mode"),
    ("1.2.10", _api("enable-admission-plugins=NodeRestriction,AlwaysAdmit"), "removed-admission-plugins"),
    ("1.2.11", _api(), "always-pull-images"),
    ("1.2.12", _api("disable-admission-plugins=ServiceAccount"), "disabled-admission-plugins"),
    ("1.2.13", _api("disable-admission-plugins=NamespaceLifecycle"), "disabled-admission-plugins"),
    ("1.2.14", _api("enable-admission-plugins=PodSecurity"), "node-restriction"),
    ("1.2.15", _api("profiling=true"), "component-profiling"),
    ("1.2.16 C-0067 NSA-8.1", _api(), "audit-flags"),
    ("1.2.17 NSA-8.2", _api("audit-log-path=/var/log/a.log", "audit-log-maxage=1"), "audit-flags component-flags"),
    ("1.2.18", _api("audit-log-path=/var/log/a.log", "audit-log-maxbackup=1"), "audit-flags component-flags"),
    ("1.2.19", _api("audit-log-path=/var/log/a.log", "audit-log-maxsize=1"), "audit-flags component-flags"),
    ("1.2.20", _api("request-timeout=3600s"), "component-flags"),
    ("1.2.21", _api("service-account-lookup=false"), "service-account-lookup"),
    ("1.2.25", _api("client-ca-file="), "component-flags"),
    ("1.2.27 C-0066 NSA-6.1", _ENCRYPTION + "- {resources: [configmaps], providers: [{identity: {}}]}\n",
     "encryption-missing-secrets encryption-identity-only"),
    ("1.2.28 NSA-6.2", _ENCRYPTION + "- {resources: [secrets], providers: [{identity: {}}]}\n",
     "encryption-identity-only encryption-weak"),
    ("1.2.29", _api("tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA"), "apiserver-tls"),
    ("1.2.30", _api("service-account-extend-token-expiration=true"), "sa-extend-token-expiration"),
    ("C-0005 NSA-5.0", _api("insecure-port=8080"), "flag-remove-noop component-flags"),
    ("1.3.1", _component(_MANAGER, "terminated-pod-gc-threshold=0"), "component-flags"),
    ("1.3.2", _component(_MANAGER, "profiling=true"), "component-profiling"),
    ("1.3.3", _component(_MANAGER, "use-service-account-credentials=false"), "controller-credentials"),
    ("1.3.4 1.3.5", _component(_MANAGER), "component-flags"),
    ("1.3.6", _component(_MANAGER, "feature-gates=RotateKubeletServerCertificate=false"),
     "kubelet-rotate-gate component-gates"),
    ("1.3.7", _component(_MANAGER, "bind-address=0.0.0.0"), "component-bind-address"),
    ("1.4.1", _component(_SCHEDULER, "profiling=true"), "component-profiling"),
    ("1.4.2", _component(_SCHEDULER, "bind-address=0.0.0.0"), "component-bind-address"),
    ("2.1", _component("etcd", "listen-client-urls=http://0.0.0.0:2379"), "etcd-client-certificates component-flags"),
    ("2.2 NSA-5.1", _component("etcd", "client-cert-auth=false", "trusted-ca-file=/a"), "etcd-client-certificates"),
    ("2.3", _component("etcd", "auto-tls=true"), "component-flags etcd-client-certificates"),
    ("2.4", _component("etcd"), "component-flags"),
    ("2.5", _component("etcd", "peer-client-cert-auth=false"), "component-flags etcd-client-certificates"),
    ("2.6", _component("etcd", "peer-auto-tls=true"), "component-flags etcd-client-certificates"),
    ("3.2.1 NSA-8.0", _api("audit-log-path=/var/log/a.log"), "audit-flags audit-policy-generate"),
    ("4.2.1 C-0069", _kubelet("authentication: {anonymous: {enabled: true}}"), "kubelet-auth"),
    ("4.2.2 C-0070", _kubelet("authorization: {mode: AlwaysAllow}"), "kubelet-auth"),
    ("4.2.3", _kubelet("readOnlyPort: 0"), "kubelet-auth"),
    ("4.2.7", _JOIN.replace("streaming-connection-idle-timeout", "hostname-override"), "kubelet-misc"),
    ("4.2.9", _kubelet("tlsCertFile: ''"), "kubelet-misc"),
    ("4.2.4", _kubelet("readOnlyPort: 10255"), "kubelet-readonly-port"),
    ("4.2.5", _JOIN, "kubelet-stream-timeout"),
    ("4.2.6", _kubelet("makeIPTablesUtilChains: false"), "kubelet-iptables"),
    ("4.2.8", _kubelet("eventRecordQPS: 0"), "kubelet-event-qps"),
    ("4.2.10", _kubelet("rotateCertificates: false"), "kubelet-rotate-certs"),
    ("4.2.11", _kubelet("featureGates: {RotateKubeletServerCertificate: false}"),
     "kubelet-rotate-gate component-gates"),
    ("4.2.12", _kubelet("tlsCipherSuites: [TLS_RSA_WITH_RC4_128_SHA]"), "kubelet-tls"),
    ("4.2.13", _kubelet("readOnlyPort: 0"), "kubelet-pids"),
    ("4.2.14", _kubelet("seccompDefault: false"), "kubelet-seccomp-default"),
    ("4.3.1", "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
     "metricsBindAddress: 0.0.0.0:10249\n", "kube-proxy-metrics"),
    ("5.1.1 C-0035 C-0185", _binding("cluster-admin", _ACCOUNT), "rbac-cluster-admin-binding"),
    ("5.1.2 C-0015 C-0186", _role("secrets", "get, list"), "rbac-dangerous-grant"),
    ("5.1.3 C-0187", _role("'*'", "'*'", "'*'"), "rbac-wildcard-verbs rbac-wildcard-resources rbac-wildcard-apigroups"),
    ("5.1.4 C-0188", _role("pods", "create"), "rbac-dangerous-grant"),
    ("5.1.5 C-0189", _binding("view", "{kind: ServiceAccount, name: default, namespace: shop}"),
     "rbac-default-sa dedicated-service-account"),
    ("5.1.6 C-0034 C-0190 NSA-1.11", _pod(), "automount-token"),
    ("5.1.7", _binding("view", "{kind: Group, name: 'system:masters', apiGroup: rbac.authorization.k8s.io}"),
     "rbac-masters-subject"),
    ("5.1.8 C-0065 C-0191", _role("users", "impersonate"), "rbac-dangerous-grant"),
    ("5.1.9", _role("persistentvolumes", "create"), "rbac-dangerous-grant"),
    ("5.1.10", _role("nodes/proxy", "get"), "rbac-nodes-proxy-narrow rbac-dangerous-grant"),
    ("5.1.11", _role("certificatesigningrequests/approval", "update", "certificates.k8s.io"), "rbac-dangerous-grant"),
    ("5.1.12", _role("validatingwebhookconfigurations", "update", "admissionregistration.k8s.io"),
     "rbac-dangerous-grant"),
    ("5.1.13", _role("serviceaccounts/token", "create"), "rbac-dangerous-grant"),
    ("C-0002", _role("pods/exec", "create"), "rbac-dangerous-grant"),
    ("C-0007", _role("pods", "delete"), "rbac-dangerous-grant"),
    ("5.2.1 C-0192", _SPACE, "namespace-pss-labels policy-generate"),
    ("5.2.2 C-0057 C-0193 NSA-1.2", _pod("securityContext: {privileged: true}"), "no-privileged"),
    ("5.2.3 C-0038 C-0194 NSA-1.4", _pod(spec="hostPID: true"), "no-host-pid"),
    ("5.2.4 C-0195", _pod(spec="hostIPC: true"), "no-host-ipc"),
    ("5.2.5 C-0041 C-0196 NSA-1.5", _pod(spec="hostNetwork: true"), "no-host-network"),
    ("5.2.6 C-0016 C-0197 NSA-1.7", _pod("securityContext: {allowPrivilegeEscalation: true}"),
     "no-privilege-escalation"),
    ("5.2.7 C-0013 C-0198 NSA-1.0", _pod("securityContext: {runAsUser: 0}"), "run-as-non-root run-as-user"),
    ("NSA-1.6", _pod("securityContext: {runAsGroup: 0}"), "root-group"),
    ("5.2.8 5.2.9 C-0046 C-0199 C-0200 C-0201", _pod("securityContext: {capabilities: {add: [NET_RAW]}}"),
     "drop-capabilities"),
    ("5.2.11 C-0202", _pod("securityContext: {windowsOptions: {hostProcess: true}}", "os: {name: windows}"),
     "no-host-process"),
    ("5.2.12 C-0048 C-0203", _pod(spec="volumes: [{name: h, hostPath: {path: /}}]"), "no-host-path host-path-volume"),
    ("5.2.13 C-0044 C-0204", _pod("ports: [{containerPort: 80, hostPort: 80}]"), "no-host-port"),
    ("5.3.2 C-0030 C-0049 C-0054 C-0260 NSA-2.0", _pod(), "netpol-workload netpol-default-deny"),
    ("5.4.1 C-0207", _pod("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]"), "secret-env-to-file"),
    ("5.4.2 C-0208", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n"
     "stringData: {password: Tr0ub4dor-and-3}\n", "secret-object-external"),
    ("C-0012", _pod("env: [{name: DB_PASSWORD, value: Tr0ub4dor-and-3}]"), "secret-env-literal"),
    ("5.5.1 C-0075", _pod(), "pin-image-digest"),
    ("5.7.2 C-0210 NSA-1.10", _pod(), "seccomp-runtime-default"),
    ("5.7.3 C-0017 NSA-1.1", _pod(), "read-only-root-filesystem"),
    ("5.7.4 C-0061 C-0212", _pod(namespace="default"), "default-namespace"),
    ("C-0055 NSA-1.9", _pod("securityContext: {appArmorProfile: {type: Unconfined}}"), "apparmor-profile"),
    ("NSA-1.8", _pod("securityContext: {seLinuxOptions: {type: spc_t}}"), "selinux-options"),
    ("NSA-1.3", _pod(spec="shareProcessNamespace: true"), "shared-processes"),
    ("C-0004 C-0009", _pod(), "memory-limit"),
    ("C-0050", _pod(), "cpu-limit resource-requests"),
    ("NSA-4.0 NSA-4.1", _SPACE + "---\n" + _pod(), "namespace-bounds"),
    ("C-0262", _binding("view", "{kind: Group, name: 'system:unauthenticated', apiGroup: rbac.authorization.k8s.io}"),
     "rbac-anonymous-subject"),
    ("C-0264", "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\n"
     "provisioner: ebs.csi.aws.com\nparameters: {encrypted: 'false'}\n", "unencrypted-storage"),
    ("C-0068", "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\nspec: {privileged: true}\n",
     "psp-objects"),
)  # fmt: skip
CONTROLS = tuple(Control(tuple(names.split()), text, frozenset(ids.split())) for names, text, ids in _TABLE)

_OF_NODE = "it is about files of a node, their owner and mode"
_OF_PEOPLE = "it is about who holds credentials"
NOT_IN_A_MANIFEST: dict[str, str] = {
    **{f"1.1.{number}": _OF_NODE for number in range(1, 22)},
    **{f"4.1.{number}": _OF_NODE for number in range(1, 11)},
    "2.7": "which other certificates a CA has signed is not seen",
    "3.1.1": _OF_PEOPLE, "3.1.2": _OF_PEOPLE, "3.1.3": _OF_PEOPLE,
    "4.2.15": "it is about the unit of systemd",
    "5.3.1": "which network plugin a cluster has is seen in the cluster",
    "5.7.1": "whether namespaces draw the right lines is not seen in one of them",
    "NSA-1.12": "who works in kube-system is not seen", "NSA-3.0": "which network plugin a cluster has is seen there",
    "NSA-6.0": _OF_NODE,
}  # fmt: skip
