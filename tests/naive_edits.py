"""Edits that nobody should make: one or more for each rule of Kubernetes, on a document that was right.

Used twice: the rules see them, and the pipeline rolls them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Place = tuple[str | int, ...]
Op = tuple[Any, ...]  # ("set" | "append", path, value) or ("drop", path)

SPEC: Place = ("spec", "template", "spec")
APP: Place = (*SPEC, "containers", 0)
SETTINGS: Place = (*APP, "securityContext")


@dataclass(frozen=True)
class Naive:
    """``ops`` on ``document`` break the rule ``rule``; ``beside`` is more of the tree, as text."""

    rule: int
    what: str
    document: str
    ops: tuple[Op, ...]
    version: tuple[int, int] = (1, 35)
    beside: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{self.what.replace(' ', '-')}"


def deployment(container: str = "", pod: str = "", metadata: str = "") -> str:
    """A Deployment; the arguments are more of its container, its pod spec and its template's metadata, in flow."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, tier: front}}{metadata}}}
    spec: {{containers: [{{name: app, image: "example.com/app:1"{container}}}]{pod}}}
"""


def pod(more: str) -> str:
    """A bare Pod with ``more`` in its spec."""
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec: {{containers: [{{name: app, image: "example.com/app:1"}}]{more}}}
"""


def service(spec: str, metadata: str = "") -> str:
    """A Service with ``spec`` in flow style."""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: web{metadata}}}
spec: {{selector: {{app: web}}, {spec}}}
"""


def policy(spec: str) -> str:
    """A NetworkPolicy with ``spec`` in flow style."""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web}}
spec: {{podSelector: {{}}, {spec}}}
"""


STATEFUL_SET = deployment().replace("Deployment", "StatefulSet").replace(
    "spec:\n  selector", "spec:\n  serviceName: web\n  volumeClaimTemplates: [{metadata: {name: data}}]\n  selector"
)  # fmt: skip
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  selector: {matchLabels: {app: once}}
  template:
    metadata: {labels: {app: once}}
    spec: {restartPolicy: Never, containers: [{name: app, image: "example.com/app:1"}]}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n"
LIMIT_RANGE = """\
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: shop}
spec:
  limits:
  - {type: Container, default: {memory: 256Mi}, min: {cpu: 100m}, max: {cpu: "1"}, maxLimitRequestRatio: {cpu: "4"}}
"""
VOLUME = ", volumes: [{name: data, emptyDir: {}}]"
MOUNT = ", volumeMounts: [{name: data, mountPath: /data}]"
OUTSIDE = "type: LoadBalancer, ports: [{port: 80}]"
ALLOW = "policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]"
BOTH = "policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]"
CLUSTER_IP: tuple[Op, ...] = (("set", ("spec", "type"), "ClusterIP"),)
PEERS: Place = ("spec", "ingress", 0, "from")

NAIVE = [
    Naive(1, "escalation of a privileged container", deployment(", securityContext: {privileged: true}"),
          (("set", (*SETTINGS, "allowPrivilegeEscalation"), False),)),
    Naive(1, "escalation beside SYS_ADMIN", deployment(", securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}}"),
          (("set", (*SETTINGS, "allowPrivilegeEscalation"), False),)),
    Naive(2, "non-root over a root user", deployment(", securityContext: {runAsUser: 0}"),
          (("set", (*SPEC, "securityContext", "runAsNonRoot"), True),)),
    Naive(2, "a root user under non-root", deployment(pod=", securityContext: {runAsNonRoot: true}"),
          (("set", (*SETTINGS, "runAsUser"), 0),)),
    Naive(3, "the network of the host", deployment(", ports: [{containerPort: 80, hostPort: 8080}]"),
          (("set", (*SPEC, "hostNetwork"), True),)),
    Naive(4, "host ports stay", deployment(", ports: [{containerPort: 80, hostPort: 80}]", ", hostNetwork: true"),
          (("drop", (*SPEC, "hostNetwork")),)),
    Naive(5, "a net sysctl of the host",
          deployment(pod=", securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}]}"),
          (("set", (*SPEC, "hostNetwork"), True),)),
    Naive(5, "an ipc sysctl of the host",
          deployment(pod=", securityContext: {sysctls: [{name: kernel.shmmax, value: '1'}]}"),
          (("set", (*SPEC, "hostIPC"), True),)),
    Naive(5, "a sysctl twice",
          deployment(pod=", securityContext: {sysctls: [{name: net/ipv4/ip_unprivileged_port_start, value: '1'}]}"),
          (("append", (*SPEC, "securityContext", "sysctls"),
            {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}),)),
    Naive(6, "users of its own beside hostPID", deployment(pod=", hostPID: true"),
          (("set", (*SPEC, "hostUsers"), False),)),
    Naive(7, "unmasked proc with the host's users",
          deployment(", securityContext: {procMount: Unmasked}", ", hostUsers: false"),
          (("drop", (*SPEC, "hostUsers")),)),
    Naive(8, "shared processes beside hostPID", deployment(pod=", hostPID: true"),
          (("set", (*SPEC, "shareProcessNamespace"), True),)),
    Naive(9, "seccomp on Windows", deployment(pod=", os: {name: windows}"),
          (("set", (*SPEC, "securityContext", "seccompProfile"), {"type": "RuntimeDefault"}),)),
    Naive(9, "capabilities on Windows", deployment(pod=", os: {name: windows}"),
          (("set", (*SETTINGS, "capabilities"), {"drop": ["ALL"]}),)),
    Naive(9, "Windows options on Linux", deployment(pod=", os: {name: linux}"),
          (("set", (*SPEC, "securityContext", "windowsOptions"), {"hostProcess": False}),)),
    Naive(10, "a profile without type", deployment(),
          (("set", (*SPEC, "securityContext", "seccompProfile"), {"localhostProfile": "audit.json"}),)),
    Naive(10, "Localhost without a file", deployment(),
          (("set", (*SETTINGS, "appArmorProfile"), {"type": "Localhost"}),)),
    Naive(10, "a file without Localhost",
          deployment(pod=", securityContext: {seccompProfile: {type: Localhost, localhostProfile: audit.json}}"),
          (("set", (*SPEC, "securityContext", "seccompProfile", "type"), "RuntimeDefault"),)),
    Naive(11, "seccomp that differs from its annotation",
          deployment(metadata=", annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/audit.json}"),
          (("set", (*SPEC, "securityContext", "seccompProfile"), {"type": "RuntimeDefault"}),)),
    Naive(11, "AppArmor that differs from its annotation",
          deployment(metadata=", annotations: {container.apparmor.security.beta.kubernetes.io/app: unconfined}"),
          (("set", (*SETTINGS, "appArmorProfile"), {"type": "RuntimeDefault"}),)),
    Naive(11, "AppArmor for no container", deployment(),
          (("set", ("spec", "template", "metadata", "annotations",
                    "container.apparmor.security.beta.kubernetes.io/web"), "runtime/default"),)),
    Naive(12, "a mount without its volume", deployment(),
          (("append", (*APP, "volumeMounts"), {"name": "tmp", "mountPath": "/tmp"}),)),
    Naive(12, "a volume without its mounts", deployment(MOUNT, VOLUME), (("drop", (*SPEC, "volumes", 0)),)),
    Naive(12, "two mounts at one path", deployment(MOUNT, VOLUME),
          (("append", (*APP, "volumeMounts"), {"name": "data", "mountPath": "/data", "subPath": "x"}),)),
    Naive(13, "hostPath dropped", deployment(pod=", volumes: [{name: data, hostPath: {path: /etc}}]"),
          (("drop", (*SPEC, "volumes", 0, "hostPath")),)),
    Naive(13, "a second source", deployment(pod=", volumes: [{name: data, hostPath: {path: /etc}}]"),
          (("set", (*SPEC, "volumes", 0, "emptyDir"), {}),)),
    Naive(13, "a name taken", deployment(pod=VOLUME),
          (("append", (*SPEC, "volumes"), {"name": "data", "emptyDir": {}}),)),
    Naive(13, "no name at all", deployment(), (("append", (*SPEC, "volumes"), {"name": "Tmp_1", "emptyDir": {}}),)),
    Naive(14, "an absolute subPath", deployment(MOUNT, VOLUME),
          (("set", (*APP, "volumeMounts", 0, "subPath"), "/etc"),)),
    Naive(14, "a subPath that climbs", deployment(MOUNT, VOLUME),
          (("set", (*APP, "volumeMounts", 0, "subPath"), "a/../../b"),)),
    Naive(14, "both subPaths", deployment(", volumeMounts: [{name: data, mountPath: /data, subPath: a}]", VOLUME),
          (("set", (*APP, "volumeMounts", 0, "subPathExpr"), "$(POD_NAME)"),)),
    Naive(14, "recursive without readOnly", deployment(MOUNT, VOLUME),
          (("set", (*APP, "volumeMounts", 0, "recursiveReadOnly"), "Enabled"),)),
    Naive(14, "subPath of an image before 1.33",
          deployment(MOUNT, ", volumes: [{name: data, image: {reference: example.com/data:1}}]"),
          (("set", (*APP, "volumeMounts", 0, "subPath"), "a"),), version=(1, 32)),
    Naive(15, "Bidirectional without privileged",
          deployment(", securityContext: {privileged: true}, volumeMounts: "
                     "[{name: data, mountPath: /data, mountPropagation: Bidirectional}]", VOLUME),
          (("drop", (*SETTINGS, "privileged")),)),
    Naive(16, "a token of five minutes", deployment(),
          (("append", (*SPEC, "volumes"), {"name": "token", "projected": {"sources": [
              {"serviceAccountToken": {"path": "token", "expirationSeconds": 300}}]}}),)),
    Naive(16, "a token in a bare Pod", pod(""),
          (("append", ("spec", "volumes"), {"name": "token", "projected": {"sources": [
              {"serviceAccountToken": {"path": "token"}}]}}),)),
    Naive(16, "two files of one name", deployment(),
          (("append", (*SPEC, "volumes"), {"name": "token", "projected": {"sources": [
              {"serviceAccountToken": {"path": "ca.crt"}},
              {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}}),)),
    Naive(17, "a request above the limit", deployment(", resources: {limits: {memory: 64Mi}}"),
          (("set", (*APP, "resources", "requests", "memory"), "128Mi"),)),
    Naive(17, "a limit below the request", deployment(", resources: {requests: {cpu: '1'}}"),
          (("set", (*APP, "resources", "limits", "cpu"), "500m"),)),
    Naive(17, "a device with a request only", deployment(),
          (("set", (*APP, "resources", "requests", "nvidia.com/gpu"), 1),)),
    Naive(17, "hugepages alone", deployment(),
          (("set", (*APP, "resources", "limits", "hugepages-2Mi"), "64Mi"),)),
    Naive(18, "more than the pod requests",
          deployment(pod=", resources: {requests: {memory: 64Mi}}"),
          (("set", (*APP, "resources", "requests", "memory"), "128Mi"),)),
    Naive(18, "a limit above that of the pod", deployment(pod=", resources: {limits: {memory: 64Mi}}"),
          (("set", (*APP, "resources", "limits", "memory"), "128Mi"),)),
    Naive(19, "a request that a quota needs", deployment(", resources: {requests: {cpu: 10m}}"),
          (("drop", (*APP, "resources", "requests", "cpu")),)),
    Naive(19, "all numbers that a quota needs", deployment(", resources: {limits: {cpu: 10m}}"),
          (("set", (*APP, "resources"), {}),)),
    Naive(19, "below the minimum", deployment(), (("set", (*APP, "resources", "requests", "cpu"), "50m"),),
          beside=LIMIT_RANGE),
    Naive(19, "above the maximum", deployment(), (("set", (*APP, "resources", "limits", "cpu"), "2"),),
          beside=LIMIT_RANGE),
    Naive(19, "above the ratio", deployment(", resources: {limits: {cpu: '1'}}"),
          (("set", (*APP, "resources", "requests", "cpu"), "100m"),), beside=LIMIT_RANGE),
    Naive(19, "above the default limit", deployment(), (("set", (*APP, "resources", "requests", "memory"), "512Mi"),),
          beside=LIMIT_RANGE),
    Naive(20, "a probe in an init container", deployment(pod=", initContainers: [{name: first, image: 'x:1'}]"),
          (("set", (*SPEC, "initContainers", 0, "readinessProbe"), {"tcpSocket": {"port": 80}}),)),
    Naive(20, "a sidecar made an init container",
          deployment(pod=", initContainers: [{name: proxy, image: 'x:1', restartPolicy: Always, lifecycle: {}}]"),
          (("drop", (*SPEC, "initContainers", 0, "restartPolicy")),)),
    Naive(20, "restartPolicy of a container before 1.35", deployment(),
          (("set", (*APP, "restartPolicy"), "Always"),), version=(1, 34)),
    Naive(20, "a sidecar before 1.29", deployment(pod=", initContainers: [{name: first, image: 'x:1'}]"),
          (("set", (*SPEC, "initContainers", 0, "restartPolicy"), "Always"),), version=(1, 28)),
    Naive(21, "a second container of the name", deployment(),
          (("append", (*SPEC, "initContainers"), {"name": "app", "image": "x:1"}),)),
    Naive(21, "a blank behind the image", deployment(), (("set", (*APP, "image"), "example.com/app:1 "),)),
    Naive(22, "an ephemeral container", deployment(),
          (("append", (*SPEC, "ephemeralContainers"), {"name": "debug", "image": "x:1"}),)),
    Naive(23, "another name", pod(""), (("set", ("metadata", "name"), "web-hardened"),)),
    Naive(23, "another namespace", deployment(), (("set", ("metadata", "namespace"), "other"),)),
    Naive(24, "the selector of a Job", JOB, (("set", ("spec", "selector", "matchLabels"), {"app": "two"}),)),
    Naive(25, "the Service of a StatefulSet", STATEFUL_SET, (("set", ("spec", "serviceName"), "other"),)),
    Naive(25, "the claims of a StatefulSet", STATEFUL_SET,
          (("append", ("spec", "volumeClaimTemplates"), {"metadata": {"name": "more"}}),)),
    Naive(25, "the pod management of a StatefulSet", STATEFUL_SET,
          (("set", ("spec", "podManagementPolicy"), "Parallel"),)),
    Naive(26, "a selector widened", deployment(), (("set", ("spec", "selector", "matchLabels"), {"tier": "front"}),)),
    Naive(26, "a selected label dropped", deployment(), (("drop", ("spec", "template", "metadata", "labels", "app")),)),
    Naive(27, "nodePort stays", service("type: NodePort, ports: [{port: 80, nodePort: 30080}]"), CLUSTER_IP),
    Naive(27, "loadBalancerClass stays", service(f"{OUTSIDE}, loadBalancerClass: example.com/lb"), CLUSTER_IP),
    Naive(27, "source ranges stay", service(f"{OUTSIDE}, loadBalancerSourceRanges: [10.0.0.0/8]"), CLUSTER_IP),
    Naive(27, "the annotation of source ranges stays",
          service(OUTSIDE, ", annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: 10.0.0.0/8}"),
          CLUSTER_IP),
    Naive(27, "node ports stay", service(f"{OUTSIDE}, allocateLoadBalancerNodePorts: false"), CLUSTER_IP),
    Naive(27, "traffic policy stays", service(f"{OUTSIDE}, externalTrafficPolicy: Local"), CLUSTER_IP),
    Naive(27, "health check stays", service(f"{OUTSIDE}, healthCheckNodePort: 30081"), CLUSTER_IP),
    Naive(28, "headless made a LoadBalancer", service("clusterIP: None, ports: [{port: 80}]"),
          (("set", ("spec", "type"), "LoadBalancer"),)),
    Naive(28, "another address", service("clusterIP: None, ports: [{port: 80}]"), (("drop", ("spec", "clusterIP")),)),
    Naive(28, "a second port without names", service("ports: [{port: 80, name: http}]"),
          (("append", ("spec", "ports"), {"port": 443}),)),
    Naive(28, "a port twice", service("ports: [{port: 80, name: http}]"),
          (("append", ("spec", "ports"), {"port": 80, "name": "web"}),)),
    Naive(28, "a name twice", service("ports: [{port: 80, name: http}]"),
          (("append", ("spec", "ports"), {"port": 81, "name": "http"}),)),
    Naive(29, "a time-out without affinity", service("ports: [{port: 80}]"),
          (("set", ("spec", "sessionAffinityConfig"), {"clientIP": {"timeoutSeconds": 60}}),)),
    Naive(30, "ipBlock beside a selector", policy(ALLOW),
          (("set", (*PEERS, 0, "ipBlock"), {"cidr": "10.0.0.0/8"}),)),
    Naive(30, "a peer of nothing", policy(ALLOW), (("append", PEERS, {}),)),
    Naive(30, "an exception outside", policy(ALLOW),
          (("append", PEERS, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["169.254.169.254/32"]}}),)),
    Naive(30, "an exception that is all", policy(ALLOW),
          (("append", PEERS, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}),)),
    Naive(30, "an exception of the other family", policy(ALLOW),
          (("append", PEERS, {"ipBlock": {"cidr": "::/0", "except": ["10.0.0.0/8"]}}),)),
    Naive(30, "a range of named ports", policy(ALLOW),
          (("append", ("spec", "ingress", 0, "ports"), {"port": "http", "endPort": 90}),)),
    Naive(30, "three policy types", policy(ALLOW),
          (("set", ("spec", "policyTypes"), ["Ingress", "Egress", "Ingress"]),)),
    Naive(31, "a peer in two halves", policy(BOTH),
          (("set", PEERS, [{"namespaceSelector": {}}, {"podSelector": {}}]),)),
    Naive(31, "two peers in one",
          policy("policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}}, {podSelector: {}}]}]"),
          (("set", PEERS, [{"namespaceSelector": {}, "podSelector": {}}]),)),
    Naive(32, "no policy types", policy(ALLOW), (("drop", ("spec", "policyTypes")),)),
    Naive(33, "a level that is none", NAMESPACE,
          (("set", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "strict"),)),
    Naive(33, "a version that is none", NAMESPACE,
          (("set", ("metadata", "labels", "pod-security.kubernetes.io/warn-version"), "1.35"),)),
    Naive(34, "a user beyond the largest", deployment(), (("set", (*SETTINGS, "runAsUser"), 2**31),)),
    Naive(34, "a negative group", deployment(), (("set", (*SPEC, "securityContext", "fsGroup"), -1),)),
    Naive(34, "a user beyond those of the pod", deployment(", securityContext: {runAsUser: 1000650000}"),
          (("set", (*SPEC, "hostUsers"), False),)),
    Naive(35, "capabilities in lower case", deployment(), (("set", (*SETTINGS, "capabilities"), {"drop": ["all"]}),)),
    Naive(35, "capabilities with a prefix", deployment(),
          (("set", (*SETTINGS, "capabilities"), {"drop": ["CAP_NET_RAW"]}),)),
    Naive(36, "an account that is not there", deployment(), (("set", (*SPEC, "serviceAccountName"), "web"),)),
    Naive(37, "a mode that is text", deployment(),
          (("append", (*SPEC, "volumes"), {"name": "token", "secret": {"secretName": "a", "defaultMode": "0444"}}),)),
    Naive(37, "an octal mode read as decimal", deployment(),
          (("append", (*SPEC, "volumes"), {"name": "token", "configMap": {
              "name": "a", "items": [{"key": "a", "path": "a", "mode": 755}]}}),)),
    Naive(37, "a user that is text", deployment(), (("set", (*SETTINGS, "runAsUser"), "65532"),)),
    Naive(38, "a long label", deployment(),
          (("set", ("spec", "template", "metadata", "labels", "part"), "a" * 64),)),
    Naive(38, "a long key", deployment(), (("set", ("metadata", "annotations", "example.com/" + "a" * 64), "x"),)),
    Naive(38, "a prefix that is no name", deployment(), (("set", ("metadata", "annotations", "Example_com/a"), "x"),)),
    Naive(38, "a label that is no text", deployment(), (("set", ("metadata", "labels", "hardened"), True),)),
]  # fmt: skip

# What looks like one of them and is right.
RIGHT = [
    Naive(0, "escalation of a container", deployment(), (("set", (*SETTINGS, "allowPrivilegeEscalation"), False),)),
    Naive(0, "escalation beside SYS_ADMIN as Pod Security spells it",
          deployment(", securityContext: {capabilities: {add: [SYS_ADMIN]}}"),
          (("set", (*SETTINGS, "allowPrivilegeEscalation"), False),)),
    Naive(0, "non-root over a root pod and another user",
          deployment(", securityContext: {runAsUser: 5}", ", securityContext: {runAsUser: 0}"),
          (("set", (*SPEC, "securityContext", "runAsNonRoot"), True),)),
    Naive(0, "host ports go too", deployment(", ports: [{containerPort: 80, hostPort: 80}]", ", hostNetwork: true"),
          (("drop", (*SPEC, "hostNetwork")), ("drop", (*APP, "ports", 0, "hostPort")))),
    Naive(0, "AppArmor as in its annotation",
          deployment(metadata=", annotations: {container.apparmor.security.beta.kubernetes.io/app: runtime/default}"),
          (("set", (*SETTINGS, "appArmorProfile"), {"type": "RuntimeDefault"}),)),
    Naive(0, "a mount of a claim", STATEFUL_SET,
          (("append", (*APP, "volumeMounts"), {"name": "data", "mountPath": "/data"}),)),
    Naive(0, "another source", deployment(pod=", volumes: [{name: data, hostPath: {path: /etc}}]"),
          (("drop", (*SPEC, "volumes", 0, "hostPath")), ("set", (*SPEC, "volumes", 0, "emptyDir"), {}))),
    Naive(0, "subPath of an image from 1.33 on",
          deployment(MOUNT, ", volumes: [{name: data, image: {reference: example.com/data:1}}]"),
          (("set", (*APP, "volumeMounts", 0, "subPath"), "a"),)),
    Naive(0, "a token in a bare Pod with its account", pod(", serviceAccountName: default"),
          (("append", ("spec", "volumes"), {"name": "token", "projected": {"sources": [
              {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}}),)),
    Naive(0, "a request of an expression", deployment(", resources: {limits: {memory: '${LIMIT}'}}"),
          (("set", (*APP, "resources", "requests", "memory"), "128Mi"),)),
    Naive(0, "a device with both", deployment(),
          (("set", (*APP, "resources"), {"requests": {"nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": "1"}}),)),
    Naive(0, "a request as the LimitRange wants it", deployment(),
          (("set", (*APP, "resources", "requests", "cpu"), "250m"),), beside=LIMIT_RANGE),
    Naive(0, "a number replaced", deployment(", resources: {requests: {cpu: 10m}}"),
          (("set", (*APP, "resources", "requests", "cpu"), "20m"),)),
    Naive(0, "a probe in a sidecar",
          deployment(pod=", initContainers: [{name: proxy, image: 'x:1', restartPolicy: Always}]"),
          (("set", (*SPEC, "initContainers", 0, "readinessProbe"), {"tcpSocket": {"port": 80}}),)),
    Naive(0, "the template of a StatefulSet", STATEFUL_SET, (("set", (*SETTINGS, "privileged"), False),)),
    Naive(0, "a label more", deployment(), (("set", ("spec", "template", "metadata", "labels", "more"), "x"),)),
    Naive(0, "a Service closed", service("type: NodePort, ports: [{port: 80, nodePort: 30080}]"),
          (*CLUSTER_IP, ("drop", ("spec", "ports", 0, "nodePort")))),
    Naive(0, "one port on two protocols", service("ports: [{port: 53, name: dns}]"),
          (("append", ("spec", "ports"), {"port": 53, "name": "dns-udp", "protocol": "UDP"}),)),
    Naive(0, "affinity with its time-out", service("sessionAffinity: ClientIP, ports: [{port: 80}]"),
          (("set", ("spec", "sessionAffinityConfig"), {"clientIP": {"timeoutSeconds": 60}}),)),
    Naive(0, "an exception inside", policy(ALLOW),
          (("append", PEERS, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}),)),
    Naive(0, "a range of ports", policy(ALLOW),
          (("append", ("spec", "ingress", 0, "ports"), {"port": 80, "endPort": 90}),)),
    Naive(0, "a peer more", policy(BOTH), (("append", PEERS, {"podSelector": {"matchLabels": {"app": "a"}}}),)),
    Naive(0, "a level", NAMESPACE,
          (("set", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "baseline"),)),
    Naive(0, "a version", NAMESPACE,
          (("set", ("metadata", "labels", "pod-security.kubernetes.io/enforce-version"), "v1.35"),)),
    Naive(0, "an account of the tree", deployment(), (("set", (*SPEC, "serviceAccountName"), "web"),),
          beside="apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n"),
    Naive(0, "a mode as 0444 is read", deployment(),
          (("append", (*SPEC, "volumes"), {"name": "token", "secret": {"secretName": "a", "defaultMode": 0o444}}),)),
]  # fmt: skip
