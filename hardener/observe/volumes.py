"""Volumes of a pod as volumes of the engine: made, filled and given to a group as the kubelet does it.

What goes into them goes through a pipe as an archive, so that no value of a Secret is on a command line or on a disk of
the caller. Sources: kubernetes pkg/volume/emptydir (mode 0777), pkg/volume/volume_linux.go (fsGroup),
pkg/kubelet/kubelet_pods.go (subPath).
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from hardener.observe.accepted import is_part, is_path
from hardener.observe.agent_client import AgentClient
from hardener.observe.container_options import Mount
from hardener.observe.engine import Engine, EngineError
from hardener.observe.pod_values import Given, Variable, VolumeFile, files_of, text_with
from hardener.observe.refusal import NotOfferedError, NotStartedError
from hardener.support.data_path import Path
from hardener.support.shapes import entries, mappings

Map = dict[str, Any]
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_VOLUME = "kube-api-access"
_SETGID = 0o2000
_PATHS = "write a path without .., colon, comma, quote or control character"


class Volume(Struct, eq=False):
    """A volume of the engine: its name there, whether it may be written, where it lies on this machine ("" where nobody
    knows), and the mode of that folder."""

    name: str
    writable: bool
    place: str = ""
    mode: int = 0o755


class Volumes:
    """The volumes of the pod with the spec ``pod``; ``image`` is any that the engine has."""

    def __init__(self, engine: Engine, agent: AgentClient, pod: Map, given: Given, image: str) -> None:
        self._engine, self._agent, self._pod, self._given, self._image = engine, agent, pod, given, image
        self._made: dict[str, Volume] = {}
        context = pod.get("securityContext")
        group = context.get("fsGroup") if isinstance(context, dict) else None
        self._group = group if isinstance(group, int) else None

    def make(self, mounts_token: bool, parts: Mapping[str, list[str]]) -> None:
        """Make and fill them. ``parts``: by the volume, the subPaths at which it is mounted, which the kubelet makes.
        Raises MissingError, EngineError."""
        for volume in mappings(self._pod.get("volumes")):
            files = files_of(volume, {}, self._pod, self._given)
            # A claim is a fresh file system; what is in an emptyDir is for everybody.
            mode = 0o755 if "persistentVolumeClaim" in volume or "ephemeral" in volume else 0o777
            self._add(str(volume.get("name")), files, mode, parts.get(str(volume.get("name")), []))
        if mounts_token:
            files = [VolumeFile(name, content) for name, content in self._given.token.items()]
            self._add(_TOKEN_VOLUME, files, 0o777, [])

    def _add(self, name: str, files: list[VolumeFile] | None, mode: int, parts: list[str]) -> None:
        made = Volume(self._engine.ask("volume", "create", *self._engine.labels()).strip(), files is None)
        self._made[name] = made
        folders = [part.strip("/") for part in parts] if files is None else []
        raw = archive(files or [], folders, mode, self._group, readonly=files is not None)
        if self._engine.name == "podman":
            done = self._engine.call("volume", "import", made.name, "-", input=raw)
        else:
            done = self._copied(made, raw)
        if not done.ok:
            raise EngineError(f"its volume {name} cannot be filled: {done.reason}")
        extra = 0 if self._group is None else _SETGID | (0o550 if files is not None else 0o770)
        known = self._engine.inspect("volume", made.name) or {}
        made.place, made.mode = str(known.get("Mountpoint") or ""), mode | extra

    def settle(self) -> None:
        """Give them their modes and groups: an archive has none for the folder that it is unpacked in, and podman gives
        a volume to the user of the first container that mounts it. Raises EngineError."""
        for name, volume in self._made.items():
            problem = self._agent("give", volume.place, volume.mode, 0, self._group or 0) if volume.place else None
            if problem is not None and self._engine.name == "podman":
                raise EngineError(f"its volume {name} cannot be given to a group: {problem}")

    def _copied(self, volume: Volume, raw: bytes) -> Any:
        """Fill a volume of docker, which imports none: through a container that is never started."""
        options = ["--pull", "never", "--user", "root", "-v", f"{volume.name}:/volume:nocopy"]
        holder = self._engine.ask("create", *self._engine.labels(), *options, self._image, "none").strip()
        try:
            # With -a all would be given to the user of the container, whose name docker looks up in the image.
            return self._engine.call("cp", "-", f"{holder}:/volume", input=raw)
        finally:
            self._engine.call("rm", "-f", "-v", holder)

    def mounts(self, container: Map, known: list[Variable], mounts_token: bool) -> list[Mount]:
        """Where ``container`` has them. Raises NotStartedError, NotOfferedError."""
        found = []
        for at, mount in entries(container.get("volumeMounts")):
            volume = self._made.get(str(mount.get("name")))
            if volume is None:
                raise NotStartedError(f"its volume {mount.get('name')} is none of the pod")
            path, part = place_of(mount, known, ("volumeMounts", at))
            found.append(Mount(volume.name, path, volume.writable and not mount.get("readOnly"), part))
        if mounts_token and not any(posixpath.normpath(each.path) == TOKEN_PATH for each in found):
            found.append(Mount(self._made[_TOKEN_VOLUME].name, TOKEN_PATH, False))
        return found

    def written(self, mounts: Iterable[Mount]) -> set[str]:
        """The paths of those of ``mounts`` to which somebody wrote."""
        places = {volume.name: volume.place for volume in self._made.values()}
        return {
            each.path
            for each in mounts
            if each.writable
            and not each.part
            and places.get(each.volume)
            and self._agent("written", places[each.volume])
        }

    def token_files(self) -> list[str]:
        """Where the tokens of the service account lie on this machine."""
        projected = [
            (str(volume.get("name")), str(source["serviceAccountToken"].get("path") or "token"))
            for volume in mappings(self._pod.get("volumes"))
            for source in mappings((volume.get("projected") or {}).get("sources"))
            if isinstance(source.get("serviceAccountToken"), dict)
        ]
        if _TOKEN_VOLUME in self._made:
            projected.append((_TOKEN_VOLUME, "token"))
        places = ((self._made[name].place, path) for name, path in projected if name in self._made)
        return [posixpath.join(place, path) for place, path in places if place]

    def remove(self) -> None:
        """Remove them all."""
        names = [volume.name for volume in self._made.values()]
        if names:
            self._engine.call("volume", "rm", "-f", *names)
        self._made.clear()


def archive(
    files: Iterable[VolumeFile], folders: Iterable[str], mode: int, group: int | None, *, readonly: bool
) -> bytes:
    """A volume as a tar archive: its folder with ``mode``, ``folders`` and ``files`` below it, all for ``group``."""
    into = io.BytesIO()
    made: set[str] = set()
    extra = 0 if group is None else _SETGID | (0o550 if readonly else 0o770)

    def folder(name: str) -> None:
        parts = [] if name == "." else name.split("/")
        for each in (".", *("/".join(parts[:count]) for count in range(1, len(parts) + 1))):
            if each not in made:
                made.add(each)
                entry = tarfile.TarInfo(each)
                entry.type, entry.mode, entry.gid = tarfile.DIRTYPE, mode | extra, group or 0
                archived.addfile(entry)

    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as archived:
        folder(".")
        for name in folders:
            folder(posixpath.normpath(name))
        for file in files:
            name = posixpath.normpath(file.path)
            folder(posixpath.dirname(name) or ".")
            entry = tarfile.TarInfo(name)
            entry.size, entry.gid = len(file.content), group or 0
            entry.mode = file.mode | (0 if group is None else 0o440)
            archived.addfile(entry, io.BytesIO(file.content))
    return into.getvalue()


def place_of(mount: Map, known: list[Variable], place: Path) -> tuple[str, str]:
    """Where the ``mount`` at ``place`` stands in its container, and what part of the volume it is ("": all of it), with
    the variables ``known``. Raises NotOfferedError where an engine is given no such path."""
    path, part = str(mount.get("mountPath")), str(mount.get("subPath") or "")
    if mount.get("subPathExpr"):
        part = text_with(str(mount["subPathExpr"]), known)
    for key, text, takes in (("mountPath", path, is_path), ("subPath", part, is_part)):
        if text and not takes(text):
            raise NotOfferedError(f"{text[:60]!a} is no path that an engine is given", (*place, key), _PATHS)
    return path, part.strip("/")
