"""What a pod itself names the access to its node for: addresses, commands and paths of the node, and hardware."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import every_word
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.components.component import is_ingress_or_gateway
from hardener.kubernetes.pods.command_evidence import node_paths
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View

from . import _node_work
from ._volumes import mounts

_LOOPBACK = late_pattern(r"(?<![\w.-])(?:localhost|127\.\d+\.\d+\.\d+)(?![\w-]|\.\w)|(?<![\w.:])::1(?![\w:])")
_EXEMPT_FROM_PROXY = "NO_PROXY"  # it lists whom a proxy is not asked for, and names no address that is called
_PROBED = tuple(
    (hook, action, "host")
    for hook in ("startupProbe", "livenessProbe", "readinessProbe")
    for action in ("httpGet", "tcpSocket")
)
_LOWEST_NODE_PORT = 30000

# Labels of nodes that say what is built into them: github.com/kubernetes-sigs/node-feature-discovery, and those by
# which vendors and clouds name GPUs.
_HARDWARE_LABEL = late_pattern(
    r"(?:.*\.)?feature\.node\.kubernetes\.io/.*|nvidia\.com/gpu.*|amd\.com/gpu.*|cloud\.google\.com/gke-accelerator"
    r"|k8s\.amazonaws\.com/accelerator"
)
_HOSTNAME = "kubernetes.io/hostname"
_NO_DEVICES = ("", "none", "void")
_ABSENT = ("NotIn", "DoesNotExist")
_REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def named_access(pod: PodTemplate) -> Iterator[Evidence]:
    """Yield what ``pod`` names of its node in commands, arguments, variables and probes, and the other signs that it
    works on its node."""
    yield from signs(pod, _named)


def _named(pod: PodTemplate) -> Iterator[Evidence]:
    yield from as_far_as_written(*_node_work.parts(pod), _of_network(pod), *map(_of_files, pod.containers))


def _of_network(pod: PodTemplate) -> Iterator[Evidence]:
    if pod.get("hostNetwork") is True:
        parts = (part(container) for container in pod.containers for part in _OF_NETWORK)
        yield from as_far_as_written(_of_every_node(pod), *parts)


def as_far_as_written(*parts: Iterator[Evidence]) -> Iterator[Evidence]:
    """Yield what ``parts`` see; one that meets a value which is filled in later, or is wrong, sees no more."""
    for part in parts:
        try:
            yield from part
        except (OpaqueError, WrongShapeError):
            continue


def _of_files(container: Container) -> Iterator[Evidence]:
    folders = [mount.path for mount in mounts(container) if mount.source == "hostPath"]
    for path in node_paths(_texts(container), folders):
        yield container.fact(f"container {container.name} is given {path}, a path of the node")


def _of_every_node(pod: PodTemplate) -> Iterator[Evidence]:
    if pod.get("dnsPolicy") == "ClusterFirstWithHostNet":
        yield pod.fact("its dnsPolicy is chosen for hostNetwork", "dnsPolicy")
    for toleration in pod.items("tolerations"):
        if toleration.get("operator") == "Exists" and not toleration.get("key"):
            yield toleration.fact("it tolerates the taints of all nodes", "operator")
            break


def _of_image(container: Container) -> Iterator[Evidence]:
    if container.image and is_ingress_or_gateway(container.image.repository):
        yield container.fact("its image is an ingress controller or gateway", "image")


def _of_variables(container: Container) -> Iterator[Evidence]:
    for item in container.items("env"):
        name = item.text("name") or ""
        if item.text("valueFrom", "fieldRef", "fieldPath") == "status.hostIP" or name.startswith("NODE_"):
            yield item.fact(f"env {name} tells it its node", "name")


def _of_ports(container: Container) -> Iterator[Evidence]:
    for port in container.items("ports"):
        number = port.get("containerPort")
        if isinstance(number, int) and number >= _LOWEST_NODE_PORT:
            yield port.fact("its port is in the range of node ports", "containerPort")


def _of_loopback(container: Container) -> Iterator[Evidence]:
    for path in _PROBED:
        if _LOOPBACK.fullmatch((container.text(*path) or "").strip("[]")):
            yield container.fact("a probe calls the node's loopback, and the server may listen only there", *path)
    if any(map(_LOOPBACK.search, _texts(container))):
        yield container.fact(f"container {container.name} is given localhost, which is that of the node")


_OF_NETWORK = (_of_image, _of_variables, _of_ports, _of_loopback)


def _texts(container: Container) -> list[str]:
    values = (value for name, value in container.env.items() if name.upper() != _EXEMPT_FROM_PROXY)
    return [*every_word(container), *container.probe_words, *values]


def hardware(pod: PodTemplate) -> Iterator[Evidence]:
    """Yield what binds ``pod`` to one node or to a device."""
    yield from signs(pod, _hardware)


def _hardware(pod: PodTemplate) -> Iterator[Evidence]:
    yield from as_far_as_written(_labels(pod), _affinity(pod), _claims(pod), *map(_devices, pod.containers))


def _labels(pod: PodTemplate) -> Iterator[Evidence]:
    for key in pod.keys("nodeSelector"):
        if _is_of_hardware(key):
            yield pod.fact(f"it chooses nodes by the label {key}", "nodeSelector", key)


def _affinity(pod: PodTemplate) -> Iterator[Evidence]:
    for term in pod.items(*_REQUIRED):
        for field in ("matchExpressions", "matchFields"):
            yield from _chosen(term, field)


def _claims(pod: PodTemplate) -> Iterator[Evidence]:
    if pod.has("resourceClaims"):
        yield pod.fact("it claims a device", "resourceClaims")


def _chosen(term: View, field: str) -> Iterator[Evidence]:
    for expression in term.items(field):
        key = expression.text("key") or ""
        by_name = field == "matchFields" and key == "metadata.name"
        if expression.get("operator") not in _ABSENT and (by_name or _is_of_hardware(key)):
            yield expression.fact(f"it chooses nodes by the label {key}", "key")


def _is_of_hardware(label: str) -> bool:
    return label == _HOSTNAME or _HARDWARE_LABEL.fullmatch(label) is not None


def _devices(container: Container) -> Iterator[Evidence]:
    for item in container.items("env"):
        if (item.text("name") or "").endswith("_VISIBLE_DEVICES") and item.text("value") not in _NO_DEVICES:
            yield item.fact(f"env {item.text('name')} names its devices", "name")
    for kind in ("limits", "requests"):
        for name in container.keys("resources", kind):
            if "/" in name and not name.partition("/")[0].endswith("kubernetes.io"):
                yield container.fact(f"container {container.name} gets the device {name}", "resources", kind, name)
    if container.has("resources", "claims"):
        yield container.fact(f"container {container.name} claims a device", "resources", "claims")
