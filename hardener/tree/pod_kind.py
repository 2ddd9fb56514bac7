"""What kind of pod a template describes beside an ordinary one: each kind bounds what may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardener.kubernetes.components import component
from hardener.sources.open_values import OpenDict
from hardener.support.shapes import mapping, mappings
from hardener.tree.api_servers import HOSTING, ApiServers, component_of
from hardener.tree.view import OpaqueError

if TYPE_CHECKING:
    from hardener.tree.core_views import Container, Object, PodTemplate

ORDINARY: dict[str, str] = {}
"""The classes of what has none: one for all objects and pods, and none of theirs is ever changed."""
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
# Folders of the node that only an agent of the node mounts.
_NODE_FOLDERS = (
    "/proc", "/sys", "/dev", "/run", "/var/run", "/var/log", "/var/lib/kubelet", "/var/lib/docker",
    "/var/lib/containerd", "/var/lib/cni", "/etc/cni", "/etc/kubernetes", "/opt/cni", "/lib/modules",
)  # fmt: skip


def classify(pod: PodTemplate) -> dict[str, str]:
    """The classes of ``pod``, as read, each with the sign it was known by; {} for an ordinary pod."""
    found: dict[str, str] = {}
    containers = _containers(pod.data)
    for name, sign in (
        ("windows", _windows(pod.data, containers)),
        ("owned", _owned(pod.object)),
        ("patch", _patch(pod, containers)),
        ("static-pod", _static(pod)),
        ("control-plane", _hosted(pod)),
        ("node-agent", _node_agent(pod)),
    ):
        if sign:
            found[name] = sign
    if pod.partial:
        found["partial"] = f"{pod.kind} of {pod.object.group} takes fields of containers only"
        if pod.operator is not None:
            found["partial"] = f"the operator of {pod.kind} makes the pod of it"
        elif pod.is_fragment:
            found["partial"] = "the pod that holds it is made elsewhere"
    return found or ORDINARY


def is_patch(pod: PodTemplate) -> bool:
    """Whether "patch" is among ``pod.classes``, which costs less to tell than all of them. Raises what they raise."""
    if "classes" in pod.__dict__:
        return "patch" in pod.classes
    _views(pod)  # of containers that have no right shape no class is told
    return _patch(pod, _containers(pod.data)) is not None


def is_applied(pod: PodTemplate) -> bool:
    """Whether pods come of it as it stands: it is no patch, and no controller owns it. Raises as ``pod.classes``."""
    return not is_patch(pod) and _owned(pod.object) is None


def classify_object(item: Object) -> dict[str, str]:
    """Why ``item`` is left alone whole: "owned" or "patch", with the sign; {} for an ordinary object."""
    found: dict[str, str] = {}
    if owned := _owned(item):
        found["owned"] = owned
    if patch := _patch_file(item):
        found["patch"] = patch
    return found or ORDINARY


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))]


def _windows(spec: dict[str, Any], containers: list[dict[str, Any]]) -> str | None:
    if "os" in spec and str(mapping(spec["os"]).get("name")).lower() == "windows":
        return "os.name is windows"
    if "nodeSelector" in spec:
        selector = mapping(spec["nodeSelector"])
        for label in ("kubernetes.io/os", "beta.kubernetes.io/os"):
            if str(selector.get(label)).lower() == "windows":
                return f"nodeSelector {label} is windows"
    for holder in (spec, *containers):
        if "securityContext" in holder and "windowsOptions" in mapping(holder["securityContext"]):
            return "windowsOptions are set"
    return None


def _owned(item: Object) -> str | None:
    if item.piece.source.is_program:  # it creates the object and names an owner, as operators do: nothing else makes it
        return None
    owners = mappings(mapping(item.data.get("metadata")).get("ownerReferences"))
    return f"owned by {owners[0].get('kind')} {owners[0].get('name')}" if owners else None


def _patch_file(item: Object) -> str | None:
    if item.piece.file.path in item.tree.patch_files:
        return "a kustomization lists this file as a patch"
    if item.piece.file.holds("$patch") and _has_patch_directive(item.data):
        return "it holds a $patch directive"
    program = item.piece.source.making(item.piece.file)
    if program is not None and program.is_patch(int(item.path[0])):
        return "it is what a call patches an object with"
    return None


def _patch(pod: PodTemplate, containers: list[dict[str, Any]]) -> str | None:
    sign = _patch_file(pod.object)
    is_of_runtime = pod.operator is not None or not pod.is_fragment
    if sign or (pod.partial and is_of_runtime):  # there the image may be that of a runtime
        return sign
    if containers and not all(container.get("image") or type(container) is OpenDict for container in containers):
        return "a container has no image"
    found = pod.data.get("containers")
    if pod.object.piece.source.is_program and type(found) is list and not found:  # not one that is open
        return "it has no containers"
    return None


def _has_patch_directive(value: Any) -> bool:
    if isinstance(value, dict):
        return "$patch" in value or any(map(_has_patch_directive, value.values()))
    return isinstance(value, list) and any(map(_has_patch_directive, value))


def _static(pod: PodTemplate) -> str | None:
    if pod.kind != "Pod":
        return None
    if sign := _from_file(pod):
        return sign
    for container in _views(pod):
        name = container.image.name if container.image else None
        if name is not None and component.is_static_control_plane_name(name) and is_of_control_plane(pod, name):
            return f"image {name}"
    return None


def _from_file(pod: PodTemplate) -> str | None:
    """What shows that a kubelet starts it from a file."""
    if pod.namespace == "kube-system" and pod.labels.get("tier") == "control-plane":
        return "label tier: control-plane in kube-system"
    annotations = pod.object.annotations
    for annotation in ("kubernetes.io/config.mirror", "kubernetes.io/config.source"):
        if annotation in annotations:
            return f"annotation {annotation}"
    if "/etc/kubernetes/manifests/" in pod.object.piece.file.path:
        return "it is in etc/kubernetes/manifests"
    return None


def is_of_control_plane(pod: PodTemplate, name: str) -> bool:
    """Whether the component ``name`` belongs to a control plane where ``pod`` runs it: an etcd may be anybody's.

    In a workload it is one beside an API server; in another pod, one of the system or of the node. A pod for a purpose
    of its own is on the network of the cluster.
    """
    if name not in component.ALSO_ELSEWHERE:
        return True
    if pod.kind in HOSTING:
        return pod.object.tree.ask(ApiServers).beside(pod.object)
    return pod.namespace == "kube-system" or pod.data.get("hostNetwork") is True or _from_file(pod) is not None


def _hosted(pod: PodTemplate) -> str | None:
    """What shows that a workload runs the control plane of a cluster, or a part of it."""
    if pod.kind not in HOSTING:
        return None
    for container in _views(pod):
        name = None if container.init else component_of(container)
        if name is not None and is_of_control_plane(pod, name):
            return f"container {container.name} runs {name}"
    return None


def _node_agent(pod: PodTemplate) -> str | None:
    signs = map(node_agent_image, _views(pod))
    known = next((sign for sign in signs if sign is not None), None)
    if known is not None and not _reaches_node(pod):
        return None  # a user interface or a controller of it, or a copy that takes what is sent to it
    return known or (_on_the_node(pod) if pod.kind == "DaemonSet" else None)


def _reaches_node(pod: PodTemplate) -> bool:
    """Whether anything of the node is open to ``pod``, or its manifest does not show that nothing is."""
    if any(pod.data.get(key) not in (None, False) for key in ("hostNetwork", "hostPID", "hostIPC")):
        return True
    if any("hostPath" in volume for volume in mappings(pod.data.get("volumes"))):
        return True
    return any(_is_let_out(container) for container in _views(pod))


def _is_let_out(container: Container) -> bool:
    """Whether ``container`` has a privilege, a capability or a device by which it works on the node."""
    context = mapping(container.data.get("securityContext"))
    added = mapping(context.get("capabilities")).get("add")
    is_host_process = mapping(context.get("windowsOptions")).get("hostProcess")
    return bool(context.get("privileged") or added or is_host_process or container.data.get("volumeDevices"))


def node_agent_image(container: Container) -> str | None:
    """What shows that the image of ``container`` is that of a node agent; a row of its own that calls it something else
    goes before the name of its repository."""
    repository = container.image and container.image.repository
    if container.row is not None and container.row.class_ == "node-agent":
        return f"{container.row.origin}: {repository} is a node agent"
    if container.row is not None and container.row.class_ is not None:
        return None
    if repository and component.is_node_agent_repository(repository):
        return f"image {repository} is a node agent"
    return None


def _on_the_node(pod: PodTemplate) -> str | None:
    """What shows that a pod of a DaemonSet works on the node itself."""
    for key in ("hostNetwork", "hostPID"):
        if pod.data.get(key) is True:
            return f"a DaemonSet with {key}"
    for container in _views(pod):
        if mapping(container.data.get("securityContext")).get("privileged") is True:
            return "a DaemonSet with a privileged container"
    for volume in mappings(pod.data.get("volumes")):
        path = mapping(volume.get("hostPath")).get("path")
        if isinstance(path, str) and (path == "/" or any(_under(path, folder) for folder in _NODE_FOLDERS)):
            return f"a DaemonSet that mounts {path} of the node"
    return None


def _views(pod: PodTemplate) -> tuple[Container, ...]:
    """The containers of ``pod``. One that a program computes tells nothing: what reads it says so."""
    try:
        return pod.containers
    except OpaqueError:
        if pod.object.piece.source.is_code:
            return ()
        raise


def _under(path: str, folder: str) -> bool:
    return path.rstrip("/") == folder or path.startswith(folder + "/")
