"""The readers of a ConfigMap read a Secret instead, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Basis, Edit, Evidence
from hardener.authoring.verdict import Effect, Words, verdict
from hardener.kubernetes.objects.object_names import LONGEST_LABEL, as_dns_label
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.view import View

# The kubelet writes it so for a pod with fsGroup anyway; other pods could not read files of root (0440).
_GROUP_MODE = 288


class Move(Struct, frozen=True):
    """Keys of ConfigMap ``old`` that are in Secret ``new`` from now on; ``whole`` when that is all there is."""

    old: str
    new: str
    keys: frozenset[str]
    whole: bool
    evidence: tuple[Evidence, ...] = ()

    def moves(self, key: str | None) -> bool:
        return self.whole or key in self.keys

    @property
    def how(self) -> Words:
        """The arguments of its edits."""
        return verdict(known=self.evidence, effect=Effect.WATCHED, basis=Basis.PROVED).words


def rewired(pod: PodTemplate, move: Move) -> Iterator[Edit]:
    """Yield the edits that let ``pod`` read the moved keys from the Secret, under the names and in the places as
    before."""
    for container in pod.containers:
        for index, entry in enumerate(container.items("envFrom")):
            if entry.text("configMapRef", "name") == move.old:
                yield from _all_variables(container, entry, index, move)
        for entry in container.items("env"):
            reference = ("valueFrom", "configMapKeyRef")
            if entry.text(*reference, "name") == move.old and move.moves(entry.text(*reference, "key")):
                yield entry.drop(*reference, **move.how)
                value = {"name": move.new, "key": entry.text(*reference, "key")}
                yield entry.set("valueFrom", "secretKeyRef", to=value | _optional(entry, *reference), **move.how)
    for volume in pod.items("volumes"):
        if volume.text("configMap", "name") == move.old:
            yield from _volume(volume, move)
        for index, source in enumerate(volume.view("projected").items("sources")):
            if source.text("configMap", "name") == move.old:
                yield from _source(volume, source, index, move)


def _optional(view: View, *path: str) -> dict[str, Any]:
    optional = view.get(*path, "optional")
    return {} if optional is None else {"optional": optional}


def _all_variables(container: Container, entry: View, index: int, move: Move) -> Iterator[Edit]:
    value = {"name": move.new} | _optional(entry, "configMapRef")
    if move.whole:
        yield entry.drop("configMapRef", **move.how)
        yield entry.set("secretRef", to=value, **move.how)
        return
    prefix = entry.text("prefix")
    after = ({} if prefix is None else {"prefix": prefix}) | {"secretRef": value}
    yield container.insert("envFrom", index + 1, value=after, **move.how)


def _volume(volume: View, move: Move) -> Iterator[Edit]:
    """A volume of the ConfigMap: of the Secret where all that it shows moves, else of both."""
    source = volume.view("configMap")
    kept, moved = _split(source, move)
    if moved is None:
        return
    mode = {} if (found := source.get("defaultMode")) is None else {"defaultMode": found}
    yield volume.drop("configMap", **move.how)
    if kept is None:
        yield volume.set("secret", to={"secretName": move.new} | moved | mode, **move.how)
        return
    sources = [{"configMap": {"name": move.old} | kept}, {"secret": {"name": move.new} | moved}]
    yield volume.set("projected", to={"sources": sources} | mode, **move.how)


def _source(volume: View, source: View, index: int, move: Move) -> Iterator[Edit]:
    kept, moved = _split(source.view("configMap"), move)
    if moved is None:
        return
    value = {"name": move.new} | moved
    if kept is None:
        yield source.drop("configMap", **move.how)
        yield source.set("secret", to=value, **move.how)
        return
    if source.has("configMap", "items"):
        yield source.set("configMap", "items", to=kept["items"], **move.how)
    yield volume.insert("projected", "sources", index + 1, value={"secret": value}, **move.how)


def _split(source: View, move: Move) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What stays with the ConfigMap, and what the Secret gets, beside their names; None for nothing."""
    optional = _optional(source)
    if not source.has("items"):
        return (None if move.whole else dict(optional)), dict(optional)
    kept: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for item in source.items("items"):
        entry = {name: item.get(name) for name in ("key", "path", "mode") if item.has(name)}
        (moved if move.moves(item.text("key")) else kept).append(entry)
    return ({"items": kept} | optional if kept else None), ({"items": moved} | optional if moved else None)


def mounted(pod: PodTemplate, move: Move, path: str) -> Iterator[Edit]:
    """Yield the edits that show what ``move`` gives ``pod`` as variables to the same containers as files, too, so that
    what runs there can change over."""
    mounts = Mounts(pod, path)
    for container in pod.containers:
        for entry in container.items("envFrom"):
            if entry.text("configMapRef", "name") == move.old:
                mounts.place(container, move.new, None)
        for entry in container.items("env"):
            key = entry.text("valueFrom", "configMapKeyRef", "key")
            if entry.text("valueFrom", "configMapKeyRef", "name") == move.old and key and move.moves(key):
                mounts.place(container, move.new, key)
    yield from mounts.edits(move.how)


class Mounts:
    """Secrets that containers of ``pod`` get as files, each in a folder of its own; the first one at ``path``.

    Below another mount none can be made, since most are read-only. A file is made for a key that somebody reads, for
    all of them where nobody says which.
    """

    def __init__(self, pod: PodTemplate, path: str) -> None:
        self._pod = pod
        self._path = path.rstrip("/")
        self._volumes = [_Volume(volume) for volume in pod.items("volumes") if volume.has("secret", "secretName")]
        self._made: list[_Volume] = []
        self._mounts: list[tuple[Container, _Volume, str]] = []

    def place(self, container: Container, secret: str, key: str | None) -> str | None:
        """Return the folder where ``container`` has ``key`` (None: all) of ``secret``, from now on if not yet; None
        where it cannot have it."""
        if self._pod.partial or "windows" in self._pod.classes:
            return None
        mounts = list(self._mounts_of(container))
        volumes = [volume for volume in (*self._volumes, *self._made) if self._may_show(volume, secret, key)]
        for volume in volumes:
            for name, path, part in mounts:
                if name == volume.name and not part:
                    volume.show(key)
                    return path
        taken = [path for _, path, _ in mounts]
        for free in (self._path, f"{self._path}-{secret}"):
            if not any(_overlap(free, path) for path in taken):
                volume = volumes[0] if volumes else self._new(secret)
                volume.show(key)
                self._mounts.append((container, volume, free))
                return free
        return None

    def _mounts_of(self, container: Container) -> Iterator[tuple[str | None, str, bool]]:
        """The name of each volume that ``container`` mounts, where, and whether that is a part of it only."""
        for mount in container.items("volumeMounts"):
            yield mount.text("name"), mount.text("mountPath") or "", mount.has("subPath")
        for other, volume, path in self._mounts:
            if other.path == container.path:
                yield volume.name, path, False

    def _may_show(self, volume: _Volume, secret: str, key: str | None) -> bool:
        return volume.secret == secret and (volume in self._made or volume.shows(key))

    def _new(self, secret: str) -> _Volume:
        volume = _Volume(None, secret, self._free_name(secret))
        self._made.append(volume)
        return volume

    def edits(self, how: Words) -> Iterator[Edit]:
        """Yield the edits that make what is not there yet."""
        mode = {"defaultMode": _GROUP_MODE} if self._pod.has("securityContext", "fsGroup") else {}
        for volume in self._made:
            items = {} if volume.keys is None else {"items": [{"key": key, "path": key} for key in volume.keys]}
            source = {"secretName": volume.secret} | items | mode
            yield self._pod.append("volumes", value={"name": volume.name, "secret": source}, **how)
        for container, volume, path in self._mounts:
            value = {"name": volume.name, "mountPath": path, "readOnly": True}
            yield container.append("volumeMounts", value=value, **how)

    def _free_name(self, secret: str) -> str:
        taken = {volume.text("name") for volume in self._pod.items("volumes")} | {each.name for each in self._made}
        if self._pod.kind.endswith("StatefulSet"):
            claims = self._pod.object.items("spec", "volumeClaimTemplates")
            taken |= {claim.text("metadata", "name") for claim in claims}
        base = secret if "$" in secret else as_dns_label(secret, LONGEST_LABEL - 4)
        names = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
        return next(name for name in names if name not in taken)


class _Volume:
    """A volume of a Secret with the files of ``keys``, None for all."""

    def __init__(self, view: View | None, secret: str = "", name: str = "") -> None:
        self.secret = secret if view is None else view.text("secret", "secretName")
        self.name = name if view is None else view.text("name") or ""
        self.keys: list[str] | None = []
        if view is not None:
            items = view.items("secret", "items")
            same = [item.text("key") or "" for item in items if item.text("key") == item.text("path")]
            self.keys = same if items else None

    def shows(self, key: str | None) -> bool:
        return self.keys is None or (key is not None and key in self.keys)

    def show(self, key: str | None) -> None:
        if key is None:
            self.keys = None
        elif self.keys is not None and key not in self.keys:
            self.keys.append(key)


def _overlap(one: str, other: str) -> bool:
    other = other.rstrip("/")
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
