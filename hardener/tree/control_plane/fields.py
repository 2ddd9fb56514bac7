"""Flags as fields of their own types: configuration files of components, and kops."""

from typing import Any

from hardener.authoring.edits import Edit
from hardener.kubernetes.components import flags as component_flags
from hardener.support.data_path import Path
from hardener.tree.control_plane.component import Component, How, Written
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
