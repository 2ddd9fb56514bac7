"""Which components an object describes, and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Edit
from hardener.kubernetes.components import flags as component_flags
from hardener.kubernetes.components.flag_values import COMPONENTS, called, started
from hardener.support.data_path import Path
from hardener.tree.api_servers import HOSTING
from hardener.tree.control_plane.arguments import ArgumentList, ExtraArguments
from hardener.tree.control_plane.command import CommandLine
from hardener.tree.control_plane.component import Component, How, Written, distribution, is_server
from hardener.tree.control_plane.signs import weak_texts
from hardener.tree.core_views import PodTemplate
from hardener.tree.pod_kind import is_of_control_plane
from hardener.tree.view import View

_IN_KUBEADM = {
    "kubelet": "kubeadm init phase upload-config kubelet --config FILE once, then on one node after the other: kubeadm "
    "upgrade node phase kubelet-config, systemctl restart kubelet",
    "kube-proxy": "kubeadm init phase addon kube-proxy --config FILE, then: kubectl -n kube-system rollout restart "
    "daemonset/kube-proxy",
}


class Fields(Component):
    """Settings below ``base``, each at the ``key`` of its flag: "field" of a configuration file, "kops" of kops."""

    def __init__(self, view: View, name: str, installer: str, key: str, base: Path = ()) -> None:
        super().__init__(view, name, installer)
        self._base = base
        self._is_configuration = key == "field"
        self._fields: dict[str, Path] = {}
        for flag, facts in component_flags.flags(name).items():
            field = facts.field if key == "field" else facts.kops
            if flag == "feature-gates":
                field = "featureGates"
            if field:
                self._fields[flag] = (*base, *field.split("."))

    @property
    def restart(self) -> str:
        own = self.view.object.piece.file
        if self.is_file and self.name in _IN_KUBEADM:
            if any(item.group == "kubeadm.k8s.io" and item.piece.file is own for item in self.view.tree.objects):
                return _IN_KUBEADM[self.name]
        return super().restart

    def written(self) -> list[Written]:
        found = []
        for flag, path in self._fields.items():
            value = self.view._find(path)
            if value is not None:
                found.append(Written(flag, _text(value), path))
        return found

    def called(self, flag: str) -> str:
        path = self._fields.get(flag)
        return ".".join(map(str, path[len(self._base) :])) if path else super().called(flag)

    def can(self, flag: str) -> bool:
        return flag in self._fields

    @property
    def defaults_zero(self) -> bool:
        return self._is_configuration

    def set(self, flag: str, text: str, how: How) -> list[Edit]:
        value = component_flags.flag(self.name, flag).typed(text)
        return [self.view.set(*self._fields[flag], to=value, impact=how.impact, **how.words)]

    def dropped(self, places: list[Written], how: How) -> list[Edit]:
        return [self.view.drop(*place.path, **how.words) for place in places]

    def without(self, flag: str, names: list[str], how: How) -> list[Edit]:
        path = self._fields[flag]
        value = self.view._find(path)
        if isinstance(value, dict):  # of feature gates
            keys = [key for key in value if f"{key}={_text(value[key])}" in names]
            if len(keys) == len(value):
                return self.unset(flag, how)
            return [self.view.drop(*path, key, **how.words) for key in keys]
        if isinstance(value, list):
            places = [index for index, entry in enumerate(value) if entry in names]
            if len(places) == len(value):
                return self.unset(flag, how)
            return [self.view.drop(*path, index, **how.words) for index in places]
        return super().without(flag, names, how)

    @property
    def takes_files(self) -> bool:
        return self.is_file


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ",".join(f"{key}={_text(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return "" if value is None else str(value)


_KUBEADM = {
    "kube-apiserver": ("apiServer",),
    "kube-controller-manager": ("controllerManager",),
    "kube-scheduler": ("scheduler",),
}
_CLUSTER_API = {
    "KubeadmControlPlane": ("spec", "kubeadmConfigSpec"),
    "KubeadmControlPlaneTemplate": ("spec", "template", "spec", "kubeadmConfigSpec"),
    "KubeadmConfig": ("spec",),
    "KubeadmConfigTemplate": ("spec", "template", "spec"),
}
_KOPS = {
    "kubeAPIServer": "kube-apiserver", "kubeControllerManager": "kube-controller-manager",
    "kubeScheduler": "kube-scheduler", "kubeProxy": "kube-proxy", "kubelet": "kubelet", "masterKubelet": "kubelet",
    "controlPlaneKubelet": "kubelet",
}  # fmt: skip
_TALOS = {
    "apiServer": "kube-apiserver", "controllerManager": "kube-controller-manager", "scheduler": "kube-scheduler",
    "proxy": "kube-proxy", "etcd": "etcd",
}  # fmt: skip
_FILES = {
    "KubeletConfiguration": "kubelet",
    "KubeProxyConfiguration": "kube-proxy",
    "KubeSchedulerConfiguration": "kube-scheduler",
}
_POD_SPECS: dict[str, Path] = {
    "Pod": ("spec",), **dict.fromkeys(("DaemonSet", *HOSTING), ("spec", "template", "spec")),
}  # fmt: skip


def components(carrier: View) -> Iterator[Component]:
    """The components whose flags ``carrier`` holds."""
    group, kind = carrier.object.group, carrier.object.kind
    if kind in _FILES:
        yield Fields(carrier, _FILES[kind], "file", "field")
    elif kind in _POD_SPECS:
        yield from _command_lines(carrier)
    elif group == "kubeadm.k8s.io":
        listed = carrier.object.api_version.endswith("v1beta4")
        if kind == "ClusterConfiguration":
            yield from _kubeadm(carrier, "kubeadm", (), listed=listed)
        else:
            yield _kubelet(carrier, "kubeadm", (), listed=listed)
    elif kind in _CLUSTER_API:
        yield from _cluster_api(carrier, _CLUSTER_API[kind])
    elif group == "kops.k8s.io":
        for key, name in _KOPS.items():
            if carrier.has("spec", key):
                yield Fields(carrier, name, "kops", "kops", ("spec", key))
    elif group == "rancher":
        yield from _rancher(carrier)
    elif group == "talos":
        yield from _talos(carrier)


def _command_lines(carrier: View) -> Iterator[Component]:
    pod = carrier.view(*_POD_SPECS[carrier.object.kind])
    before: Counter[str] = Counter()
    for container in pod.items("containers"):
        name = started(container.strings("command"))
        if name is not None and _is_component(pod, name):
            yield CommandLine(container, name, pod, before[name])
            before[name] += 1


def _is_component(pod: View, name: str) -> bool:
    return is_of_control_plane(PodTemplate(pod.object, pod.path[:-1], pod.data), name)


def unread(carrier: View) -> Iterator[tuple[str, View, list[str]]]:
    """The containers of pods that start a component through a shell, a wrapper or the entry point of the image, so that
    its flags are not known; with the name of the component, and the weak flags in their text."""
    if carrier.object.kind not in _POD_SPECS:
        return
    pod = carrier.view(*_POD_SPECS[carrier.object.kind])
    for container in pod.items("containers"):
        command, args = container.strings("command"), container.strings("args")
        if started(command):
            continue
        image = (container.text("image") or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
        inside = called(command, args)
        name = inside or image
        if name in COMPONENTS and (inside or any(word.startswith("-") for word in (*command, *args))):
            if _is_component(pod, name):
                yield name, container, weak_texts(container)


def _kubeadm(carrier: View, installer: str, base: Path, *, listed: bool) -> Iterator[Component]:
    """The components of a ClusterConfiguration; etcd only where kubeadm runs it and something is said of it."""
    places = {name: (*base, *path) for name, path in _KUBEADM.items()}
    if carrier.has(*base, "etcd", "local"):
        places["etcd"] = (*base, "etcd", "local")
    for name, path in places.items():
        volumes = None if name == "etcd" else (*path, "extraVolumes")
        yield ExtraArguments(carrier, name, installer, (*path, "extraArgs"), listed=listed, volumes=volumes)


def _kubelet(carrier: View, installer: str, base: Path, *, listed: bool) -> Component:
    path = (*base, "nodeRegistration", "kubeletExtraArgs")
    return ExtraArguments(carrier, "kubelet", installer, path, listed=listed)


def _cluster_api(carrier: View, base: Path) -> Iterator[Component]:
    listed = carrier.object.api_version.endswith("v1beta2")
    if carrier.has(*base, "clusterConfiguration"):
        yield from _kubeadm(carrier, "cluster-api", (*base, "clusterConfiguration"), listed=listed)
    for key in ("initConfiguration", "joinConfiguration"):
        if carrier.has(*base, key):
            yield _kubelet(carrier, "cluster-api", (*base, key), listed=listed)


def _rancher(carrier: View) -> Iterator[Component]:
    installer = distribution(carrier)
    server = is_server(carrier)
    for name in sorted(COMPONENTS):
        keys = [key for key in (f"{name}-arg", f"{name}-arg+") if carrier.has(key)]
        if not keys and server and name == "kube-apiserver":
            keys = [f"{name}-arg"]
        for key in keys:  # with a plus it adds to what other files of the node say
            yield ArgumentList(carrier, name, installer, key)


def _talos(carrier: View) -> Iterator[Component]:
    for key, name in _TALOS.items():
        if carrier.has("cluster", key):
            yield ExtraArguments(carrier, name, "talos", ("cluster", key, "extraArgs"), listed=False)
    if carrier.has("machine", "kubelet"):
        base = ("machine", "kubelet")
        yield ExtraArguments(carrier, "kubelet", "talos", (*base, "extraArgs"), listed=False)
        if carrier.has(*base, "extraConfig"):
            yield Fields(carrier, "kubelet", "talos", "field", (*base, "extraConfig"))
