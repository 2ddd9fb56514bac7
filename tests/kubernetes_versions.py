"""What came to Kubernetes, and what went, from 1.33 to 1.37, as far as it matters to the security of a manifest: what
harden does with it, and a manifest that shows it. The page docs/reference/kubernetes-versions.md is made of this table.

Sources: the feature gates that a real API server 1.36.2 reports (``kubernetes_feature_enabled``; a test compares them),
the pages of feature gates of kubernetes.io for 1.33 to 1.35, and the OpenAPI definitions of each release, in
hardener/kubernetes/data/fields.json. Of 1.37 only what those definitions say is written; the rest is left open.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")
ALPHA, OFF, BETA, GA, GONE, DEPRECATED = "alpha", "beta, off", "beta", "stable", "gone", "deprecated"
NONE, OPEN = "-", "?"  # not there; not looked up


@dataclass(frozen=True)
class Row:
    """A field or kind.

    ``field`` is its type and name in the definitions, or the API version and kind of a whole object. ``stages`` are
    those of VERSIONS. ``rules`` are transforms that look at it, and ``does`` says what is done. ``pod`` are lines of a
    pod's spec that show it, or ``text`` is a whole manifest.
    """

    name: str
    gate: str
    kep: int | None
    stages: tuple[str, str, str, str, str]
    does: str
    rules: tuple[str, ...] = ()
    field: tuple[str, str] | None = None
    pod: str = ""
    text: str = ""

    @property
    def manifest(self) -> str:
        """What shows it."""
        return self.text or _POD.format(lines=self.pod.replace("\n", "\n  "))


_POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec:
  {lines}
"""
_WEB = "containers:\n- name: web\n  image: registry.example.com/web:1.2.3\n"
_BESIDE = "  {}\n"


def _in_container(line: str) -> str:
    return _WEB + "".join(_BESIDE.format(each) for each in line.splitlines())


def _volume(source: str) -> str:
    return _in_container("volumeMounts: [{name: v, mountPath: /v}]") + "volumes:\n- " + source


_KEPT = "kept as it is written"
_UNKNOWN = "kept; a finding where the version has it not"
ROWS = (
    Row("`hostUsers` of a pod", "UserNamespacesSupport", 127, (BETA, BETA, BETA, GA, GA),
        "`false` is offered where root stays; root in a namespace of its own is not root of the node",
        ("host-users-false",), ("core.v1.PodSpec", "hostUsers"), _WEB + "hostUsers: false"),
    Row("image volumes", "ImageVolume", 4639, (OFF, OFF, BETA, GA, GA),
        "pinned, locked, and looked at by generated policies, as images of containers",
        ("pin-volume-image",), ("core.v1.Volume", "image"),
        _volume("{name: v, image: {reference: 'registry.example.com/models:1.0.0'}}")),
    Row("`resources` of a pod", "PodLevelResources", 2837, (ALPHA, BETA, BETA, BETA, OPEN),
        "count for each container; nothing is written twice", ("cpu-limit", "memory-limit", "resource-requests"),
        ("core.v1.PodSpec", "resources"), _WEB + "resources: {limits: {cpu: '1', memory: 64Mi}}"),
    Row("native sidecars (`restartPolicy: Always` of an init container)", "SidecarContainers", 753,
        (GA, GA, GA, GA, GA), "hardened as the containers beside them", (), ("core.v1.Container", "restartPolicy"),
        _WEB + "initContainers:\n- {name: log, image: 'registry.example.com/log:1.2.3', restartPolicy: Always}"),
    Row("`restartPolicyRules` of a container", "ContainerRestartRules", 5307, (NONE, ALPHA, BETA, BETA, OPEN),
        _UNKNOWN, (), ("core.v1.Container", "restartPolicyRules"),
        _in_container("restartPolicy: Never\nrestartPolicyRules: [{action: Restart, exitCodes: "
                      "{operator: In, values: [42]}}]")),
    Row("`supplementalGroupsPolicy`", "SupplementalGroupsPolicy", 3619, (BETA, BETA, GA, GA, GA), _KEPT, (),
        ("core.v1.PodSecurityContext", "supplementalGroupsPolicy"),
        _WEB + "securityContext: {supplementalGroupsPolicy: Strict}"),
    Row("`procMount: Unmasked`", "ProcMountType", 4265, (BETA, BETA, BETA, GA, GA),
        "taken back to the default, where no user namespace holds it", ("proc-mount-default",),
        ("core.v1.SecurityContext", "procMount"), _in_container("securityContext: {procMount: Unmasked}")),
    Row("`seLinuxChangePolicy`", "SELinuxChangePolicy", 1710, (BETA, BETA, BETA, GA, GA), _KEPT, (),
        ("core.v1.PodSecurityContext", "seLinuxChangePolicy"),
        _WEB + "securityContext: {seLinuxChangePolicy: Recursive}"),
    Row("`hostnameOverride`", "HostnameOverride", 4762, (NONE, ALPHA, BETA, BETA, OPEN), _UNKNOWN, (),
        ("core.v1.PodSpec", "hostnameOverride"), _WEB + "hostnameOverride: web.example.com"),
    Row("`fileKeyRef` of a variable", "EnvFiles", 3721, (NONE, ALPHA, BETA, BETA, OPEN), _UNKNOWN, (),
        ("core.v1.EnvVarSource", "fileKeyRef"),
        _in_container("env: [{name: MODE, valueFrom: {fileKeyRef: {volumeName: v, path: app.env, key: MODE}}}]")
        + "volumes:\n- {name: v, emptyDir: {}}"),
    Row("pod certificates (projected `podCertificate`)", "PodCertificateRequest", 4317,
        (NONE, ALPHA, OFF, OFF, GA), "kept; a finding where the version has it not", (),
        ("core.v1.VolumeProjection", "podCertificate"),
        _volume("{name: v, projected: {sources: [{podCertificate: {signerName: example.com/a, keyType: ED25519, "
                "credentialBundlePath: all.pem}}]}}")),
    Row("projected `clusterTrustBundle`", "ClusterTrustBundleProjection", 3257, (OFF, OFF, OFF, OFF, OPEN), _KEPT, (),
        ("core.v1.VolumeProjection", "clusterTrustBundle"),
        _volume("{name: v, projected: {sources: [{clusterTrustBundle: {name: a, path: ca.pem}}]}}")),
    Row("`mode` of an emptyDir", "EmptyDirVolumeMode", None, (NONE, NONE, NONE, NONE, ALPHA),
        "01777 where `filesystem.empty-dir-mode` says that it is on", ("read-only-root-filesystem",),
        ("core.v1.EmptyDirVolumeSource", "mode"), _volume("{name: v, emptyDir: {mode: 1023}}")),
    Row("`bindMountOptions` of a mount", "VolumeBindMountOptions", None, (NONE, NONE, NONE, NONE, ALPHA),
        _UNKNOWN, (), ("core.v1.VolumeMount", "bindMountOptions"),
        _in_container("volumeMounts: [{name: v, mountPath: /v, bindMountOptions: [noexec]}]")
        + "volumes:\n- {name: v, emptyDir: {}}"),
    Row("`workloadRef` of a pod", "", None, (NONE, NONE, ALPHA, GONE, GONE), "a finding where the version has it not",
        (), ("core.v1.PodSpec", "workloadRef"), _WEB + "workloadRef: {name: a, podGroup: b}"),
    Row("gitRepo volumes", "GitRepoVolumeDriver", 5040, (DEPRECATED, DEPRECATED, DEPRECATED, DEPRECATED, OPEN),
        "a finding: the driver is off, and the pod does not start", ("restricted-volume-types",),
        ("core.v1.Volume", "gitRepo"), _volume("{name: v, gitRepo: {repository: 'https://example.com/a.git'}}")),
    Row("`externalIPs` of a Service", "AllowServiceExternalIPs", 5707, (GA, GA, GA, DEPRECATED, OPEN),
        "a finding; the admission plug-in DenyServiceExternalIPs is added",
        ("service-external-ips", "deny-service-external-ips"), ("core.v1.ServiceSpec", "externalIPs"),
        text="apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {app: web}\n"
        "  ports: [{port: 80}]\n  externalIPs: [203.0.113.7]\n"),
    Row("`adminAccess` of a device request", "DRAAdminAccess", 5018, (ALPHA, BETA, BETA, GA, GA),
        "a finding: it reaches devices that others use", ("device-admin-access",),
        ("resource.v1.ExactDeviceRequest", "adminAccess"),
        text="apiVersion: resource.k8s.io/v1\nkind: ResourceClaim\nmetadata: {name: all, namespace: shop}\nspec:\n"
        "  devices:\n    requests:\n    - name: all\n      exactly: {deviceClassName: gpu, adminAccess: true}\n"),
    Row("MutatingAdmissionPolicy", "MutatingAdmissionPolicy", 3962, (ALPHA, OFF, OFF, GA, GA),
        "one that takes the token from pods is a finding, since it comes too late; `policies.mutate` writes one",
        ("late-token-policy", "policy-generate", "policy-without-effect"),
        ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
        text="apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {name: a}\nspec:\n"
        "  reinvocationPolicy: Never\n  matchConstraints:\n    resourceRules:\n"
        '    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}\n  mutations:\n'
        "  - patchType: ApplyConfiguration\n    applyConfiguration:\n"
        "      expression: 'Object{spec: Object.spec{automountServiceAccountToken: false}}'\n"),
    Row("PodCertificateRequest", "PodCertificateRequest", 4317, (NONE, ALPHA, OFF, OFF, GA), _UNKNOWN, (),
        ("certificates.k8s.io/v1", "PodCertificateRequest")),
    Row("ClusterTrustBundle", "ClusterTrustBundle", 3257, (OFF, OFF, OFF, OFF, GA), _UNKNOWN, (),
        ("certificates.k8s.io/v1", "ClusterTrustBundle")),
    Row("AuthenticationConfiguration", "StructuredAuthenticationConfiguration", 3331, (BETA, GA, GA, GA, GA),
        "issuers without TLS and prefixes that let names collide are findings; written by one transform",
        ("oidc-http", "oidc-prefix", "apiserver-anonymous-scoped")),
    Row("anonymous requests to some paths only", "AnonymousAuthConfigurableEndpoints", 4633, (BETA, GA, GA, GA, GA),
        "offered for health checks", ("apiserver-anonymous-scoped",)),
    Row("sub-resources of nodes for the kubelet's API", "KubeletFineGrainedAuthz", 2862, (BETA, BETA, BETA, GA, GA),
        "`nodes/proxy` is narrowed to them", ("rbac-nodes-proxy-narrow",)),
    Row("tokens of pods for pulling images (CredentialProviderConfig)",
        "KubeletServiceAccountTokenForCredentialProviders", 4412, (ALPHA, BETA, BETA, BETA, OPEN), _KEPT),
    Row("pull secrets that are checked for images which are there", "KubeletEnsureSecretPulledImages", 2535,
        (ALPHA, ALPHA, BETA, BETA, OPEN), "AlwaysPullImages is offered beside it", ("always-pull-images",)),
)  # fmt: skip
