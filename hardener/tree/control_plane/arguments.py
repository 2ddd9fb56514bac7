"""Flags as a mapping, as a list of name and value, and as a list of words: kubeadm, Cluster API, Talos, k3s, RKE2."""

from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Edit
from hardener.support.data_path import Path
from hardener.tree.control_plane.component import Component, How, Written
from hardener.tree.view import View


class ExtraArguments(Component):
    """``extraArgs`` at ``base``: a mapping, or since kubeadm v1beta4 a list of {name, value}, as the node tells.

    ``listed``: what is made where there is none. ``volumes`` is where kubeadm keeps the mounts of the component.
    """

    def __init__(
        self, view: View, name: str, installer: str, base: Path, *, listed: bool, volumes: Path | None = None
    ) -> None:
        super().__init__(view, name, installer)
        self._base = base
        self._listed = listed
        self._volumes = volumes

    @property
    def _is_list(self) -> bool:
        found = self.view._find(self._base)
        return isinstance(found, list) if found is not None else self._listed

    def written(self) -> list[Written]:
        if self._is_list:
            return [
                Written(str(item.text("name")), _text(item, "value"), (*self._base, index, "value"))
                for index, item in enumerate(self.view.items(*self._base))
            ]
        args = self.view.view(*self._base)
        return [Written(name, _text(args, name), (*self._base, name)) for name in self.view.keys(*self._base)]

    def set(self, flag: str, text: str, how: How) -> list[Edit]:
        found = self.all(flag)
        if found:
            return [self.view.set(*found[-1].path, to=text, impact=how.impact, **how.words), *self.joined(found, how)]
        if self._is_list:
            return [self.view.append(*self._base, value={"name": flag, "value": text}, impact=how.impact, **how.words)]
        return [self.view.set(*self._base, flag, to=text, impact=how.impact, **how.words)]

    def dropped(self, places: list[Written], how: How) -> list[Edit]:
        paths = [place.path[:-1] if self._is_list else place.path for place in places]
        return [self.view.drop(*path, **how.words) for path in paths]

    # Mounts: kubeadm writes them into the static pod.

    @property
    def takes_files(self) -> bool:
        return self._volumes is not None

    def mounts(self, path: str) -> bool:
        if self._volumes is None:
            return False
        folders = [str(volume.text("mountPath")) for volume in self.view.items(*self._volumes)]
        return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)

    def mount(self, name: str, path: str, *, read_only: bool, type: str, how: How) -> list[Edit]:
        if self._volumes is None:
            return []
        value: dict[str, Any] = {"name": name, "hostPath": path, "mountPath": path}
        if read_only:
            value["readOnly"] = True
        value["pathType"] = type
        return [self.view.append(*self._volumes, value=value, **how.words)]

    def unmount(self, path: str, how: How) -> list[Edit]:
        if self._volumes is None:
            return []
        others = [found.value for found in self.written() if found.value != path]
        volumes = self.view.items(*self._volumes)
        for index, volume in enumerate(volumes):
            folder = str(volume.text("mountPath"))
            if path == folder or path.startswith(folder + "/"):
                if any(other == folder or other.startswith(folder + "/") for other in others):
                    continue
                last = self._volumes if len(volumes) == 1 else (*self._volumes, index)
                return [self.view.drop(*last, **how.words)]
        return []


class ArgumentList(Component):
    """``kube-apiserver-arg`` of k3s and RKE2: ``flag=value``, one text or a list."""

    def __init__(self, view: View, name: str, installer: str, key: str) -> None:
        super().__init__(view, name, installer)
        self._key = key

    def written(self) -> list[Written]:
        one = self.view.text(self._key)
        words: list[tuple[Path, str]] = [((self._key,), one)] if one is not None else []
        if one is None:
            words = [((self._key, index), word) for index, word in enumerate(self.view.strings(self._key))]
        found = []
        for path, word in words:
            name, equals, value = word.lstrip("-").partition("=")
            found.append(Written(name, value if equals else "true", path))
        return found

    def set(self, flag: str, text: str, how: How) -> list[Edit]:
        found, word = self.all(flag), f"{flag}={text}"
        if found:
            return [self.view.set(*found[-1].path, to=word, impact=how.impact, **how.words), *self.joined(found, how)]
        return [self.view.append(self._key, value=word, impact=how.impact, widens=True, **how.words)]

    def dropped(self, places: list[Written], how: How) -> list[Edit]:
        return [self.view.drop(*place.path, **how.words) for place in places]


def _text(view: View, key: str) -> str:
    value = view.data.get(key)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
