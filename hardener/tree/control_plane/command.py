"""A component that runs as a pod: flags are words of its command line."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from hardener.authoring.edits import Edit
from hardener.kubernetes.components import flags as component_flags
from hardener.kubernetes.components.flag_values import entries, parsed_version
from hardener.support.data_path import Path
from hardener.tree.api_servers import HOSTING
from hardener.tree.control_plane.component import HOSTED, Component, How, Written
from hardener.tree.view import View

_LISTS = ("command", "args")


class CommandLine(Component):
    """A container with ``command`` and ``args``. ``--f=v``, ``--f v`` and a bare ``--f`` are kept as they are found.

    ``twins`` is how many containers before it in the pod start the same component."""

    def __init__(self, view: View, name: str, pod: View, twins: int) -> None:
        super().__init__(view, name, HOSTED if view.object.kind in HOSTING else "static-pod")
        self._pod = pod
        self._twins = twins

    @cached_property
    def own_version(self) -> tuple[int, int] | None:
        """The version that the tag of the image names; etcd has versions of its own."""
        tag = (self.view.text("image") or "").rpartition("/")[2].partition(":")[2].partition("@")[0]
        return parsed_version(tag) if self.name != "etcd" else None

    @property
    def restart(self) -> str:
        if self.view.object.kind != "Pod":
            return f"the pods of {self.view.object} are replaced one by one: kubectl rollout status watches it"
        return super().restart

    def _words(self) -> list[tuple[str, int, str]]:
        """(list, index, word) of the command line without the program."""
        words = [(key, index, word) for key in _LISTS for index, word in enumerate(self.view.strings(key))]
        return words[1:]

    def written(self) -> list[Written]:
        found: list[Written] = []
        words = self._words()
        position = 0
        while position < len(words):
            key, index, word = words[position]
            position += 1
            if not word.startswith("-"):
                continue
            name, equals, value = word.lstrip("-").partition("=")
            if self.name != "etcd":
                name = name.replace("_", "-")  # as the components themselves read it
            if equals:
                found.append(Written(name, value, (key, index), "="))
            elif component_flags.flag(self.name, name).type != "bool" and (
                position < len(words) and not words[position][2].startswith("-")
            ):
                key, index, value = words[position]
                position += 1
                found.append(Written(name, value, (key, index), " "))
            else:
                found.append(Written(name, "true", (key, index), ""))
        return found

    def set(self, flag: str, text: str, how: How) -> list[Edit]:
        places = self.all(flag)
        if not places:
            return [self.view.append(self._list(), value=f"--{flag}={text}", impact=how.impact, **how.words)]
        last, others = places[-1], self.joined(places, how)
        if last.form == " ":
            return [self.view.set(*last.path, to=text, impact=how.impact, **how.words), *others]
        word = str(self.view.text(*last.path)).partition("=")[0]
        return [self.view.set(*last.path, to=f"{word}={text}", impact=how.impact, **how.words), *others]

    def _list(self) -> str:
        """The list that new flags go to: the one that holds the last, else the arguments where there are any."""
        found = self.written()
        if found:
            return str(found[-1].path[0])
        return "args" if self.view.has("args") else "command"

    def dropped(self, places: list[Written], how: How) -> list[Edit]:
        edits = []
        for place in places:
            if place.form == " ":
                edits.append(self.view.drop(*self._before(place.path), **how.words))
            edits.append(self.view.drop(*place.path, **how.words))
        return edits

    def _before(self, path: Path) -> Path:
        """The word before the one at ``path``, which may be the last of the other list."""
        key, index = path
        if isinstance(index, int) and index > 0:
            return (key, index - 1)
        return ("command", len(self.view.strings("command")) - 1)

    # Mounts.

    def mounts(self, path: str) -> bool:
        return any(_holds(mount.text("mountPath"), path) for mount in self.view.items("volumeMounts"))

    @property
    def takes_files(self) -> bool:
        return self.installer != HOSTED  # what it reads stands in a ConfigMap or Secret, of which only its owner knows

    def mount(self, name: str, path: str, *, read_only: bool, type: str, how: How) -> list[Edit]:
        mount: dict[str, Any] = {"name": self._free(name), "mountPath": path}
        if read_only:
            mount["readOnly"] = True
        volume = {"name": mount["name"], "hostPath": {"path": path, "type": type}}
        return [
            self.view.append("volumeMounts", value=mount, **how.words),
            self._pod.append("volumes", value=volume, **how.words),
        ]

    def _free(self, name: str) -> str:
        taken = {volume.text("name") for volume in self._pod.items("volumes")}
        if self._twins:  # the twins get volumes of their own, in the same run
            name = f"{name}-{self._twins + 1}"
        free, number = name, 2
        while free in taken:
            free, number = f"{name}-{number}", number + 1
        return free

    def unmount(self, path: str, how: How) -> list[Edit]:
        for index, mount in enumerate(self.view.items("volumeMounts")):
            folder = mount.text("mountPath")
            if not _holds(folder, path) or self._needs(str(folder), path):
                continue
            edits = [self.view.drop("volumeMounts", index, **how.words)]
            name = mount.text("name")
            others = [
                other
                for container in self._pod.items("containers")
                for other in container.items("volumeMounts")
                if other.text("name") == name and other.path != mount.path
            ]
            for number, volume in enumerate(self._pod.items("volumes")):
                if volume.text("name") == name and not others:
                    edits.append(self._pod.drop("volumes", number, **how.words))
            return edits
        return []

    def _needs(self, folder: str, besides: str) -> bool:
        """Whether another flag names what stands in ``folder``; then, and where it is a folder of all, it stays."""
        values = [value for found in self.written() for value in entries(found.value)]
        return any(_holds(folder, value) for value in values if value != besides)


def _holds(folder: str | None, path: str) -> bool:
    return bool(folder) and (path == folder or path.startswith(str(folder).rstrip("/") + "/"))
