"""What a container of a pod is given: its variables, and the files of its volumes, as the kubelet makes them.

Sources: kubernetes pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), third_party/forked/golang/expansion,
pkg/kubelet/envvars (variables of Services), pkg/volume/{configmap,secret,projected,downwardapi} (files and modes).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hardener.errors import HardenError
from hardener.kubernetes.objects import quantity
from hardener.observe.accepted import MOST_OF_A_CONTAINER, MOST_OF_A_VALUE, is_key, is_text, is_variable
from hardener.observe.refusal import NotOfferedError
from hardener.support.data_path import Path
from hardener.support.shapes import entries, mapping, mappings

Map = dict[str, Any]
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
# A node that nothing else is known of.
_CPU, _MEMORY, _DISK = "1", "4Gi", "20Gi"
_SHOWN = 60  # characters of a reference


class MissingError(HardenError):
    """Something that the pod needs is not in the tree; the message says what."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a container; ``secret``: its value is never shown."""

    name: str
    value: str = field(repr=False)
    secret: bool = False


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A file of a volume, by its path below it."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a pod is given from outside: ``config_maps`` and ``secrets`` of its namespace by name, each its keys with
    their bytes; ``services`` the variables of Services; ``token`` the files of its service account.

    ``name``, ``namespace``, ``address``, ``labels``, ``annotations``, ``account``: what the downward API tells of it.
    """

    config_maps: Mapping[str, Mapping[str, bytes]] = field(repr=False)
    secrets: Mapping[str, Mapping[str, bytes]] = field(repr=False)
    services: Mapping[str, str]
    token: Mapping[str, bytes] = field(repr=False)
    name: str
    namespace: str
    address: str
    labels: Map
    annotations: Map
    account: str

    def field_of_pod(self, path: str) -> str:
        """What ``fieldRef`` gives. Raises MissingError for a field that only a node has."""
        if (found := _SUBSCRIPT.fullmatch(path)) is not None:
            return str((self.labels if found[1] == "labels" else self.annotations).get(found[2], ""))
        if path in ("metadata.labels", "metadata.annotations"):
            return _lines(self.labels if path == "metadata.labels" else self.annotations)
        known = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "status.podIP": self.address,
            "status.podIPs": self.address,
            "spec.serviceAccountName": self.account,
            "spec.nodeName": "node",
            "metadata.uid": "00000000-0000-4000-8000-000000000000",
            "status.hostIP": "127.0.0.1",
            "status.hostIPs": "127.0.0.1",
        }
        if path not in known:
            raise MissingError(f"its field {path} is not known outside of a cluster")
        return known[path]


def variables(container: Map, pod: Map, given: Given) -> list[Variable]:
    """The variables of ``container``, each name once. Raises MissingError, NotOfferedError."""
    found = {name: Variable(name, value) for name, value in given.services.items()}
    room = _Room()
    for at, source in entries(container.get("envFrom")):
        for key, secret, held in _named(source, given):
            name = f"{source.get('prefix') or ''}{key}"
            if is_variable(name):
                found[name] = Variable(name, room.take(_text(held), ("envFrom", at)), secret)
    for at, each in entries(container.get("env")):
        name, path = str(each.get("name")), ("env", at)
        said = each.get("valueFrom")
        if isinstance(said, dict) and said:
            variable = _from(name, said, container, pod, given)
            if variable is not None:
                room.take(variable.value, path)
                found[name] = variable
        else:
            value, secret = _expanded(str(each.get("value") or ""), found, path)
            found[name] = Variable(name, room.take(value, path), secret)
    return list(found.values())


def words(said: Any, known: list[Variable], path: Path = ()) -> tuple[list[str], bool]:
    """A command or arguments at ``path`` with the references to variables in them replaced, and whether a secret is
    among them. Raises NotOfferedError."""
    by_name = {each.name: each for each in known}
    found, is_secret, room = [], False, _Room()
    for at, each in enumerate(said or []):
        text, secret = _expanded(str(each), by_name, (*path, at))
        found.append(room.take(text, (*path, at)))
        is_secret = is_secret or secret
    return found, is_secret


def text_with(text: str, known: list[Variable]) -> str:
    """``text`` with the references to variables in it replaced. Raises NotOfferedError."""
    return _expanded(text, {each.name: each for each in known}, ())[0]


def static_variables(container: Map) -> list[Variable]:
    """The variables that a kubelet replaces in the command of a probe: those written out, as they are written, and
    nothing for those whose value comes from elsewhere (ExpandContainerCommandOnlyStatic)."""
    return [Variable(str(each.get("name")), str(each.get("value") or "")) for each in mappings(container.get("env"))]


class _Room:
    """What is left of the bytes that one container may be given."""

    def __init__(self) -> None:
        self._left = MOST_OF_A_CONTAINER

    def take(self, text: str, path: Path) -> str:
        """``text``, for which there is room. Raises NotOfferedError."""
        if not is_text(text):
            raise _not_given(path, f"it is no text of at most {MOST_OF_A_VALUE} bytes of UTF-8 without NUL")
        self._left -= _size(text)
        if self._left < 0:
            raise _not_given(path, f"it and what is before it have more than {MOST_OF_A_CONTAINER} bytes")
        return text


def _not_given(path: Path, why: str) -> NotOfferedError:
    return NotOfferedError(why, path, "make it shorter, or give it as a file of a volume")


def _expanded(text: str, known: Mapping[str, Variable], path: Path) -> tuple[str, bool]:
    # No reference ends behind the last bracket, and a search for its end there would be one for each begin.
    ends = text.rfind(")") + 1
    _bound(text[:ends], known, path)
    secret = False

    def value(found: re.Match[str]) -> str:
        nonlocal secret
        if found[1] is None:
            return "$"
        variable = known.get(found[1])
        secret = secret or (variable is not None and variable.secret)
        return found[0] if variable is None else variable.value

    return _REFERENCE.sub(value, text[:ends]) + text[ends:].replace("$$", "$"), secret


def _bound(text: str, known: Mapping[str, Variable], path: Path) -> None:
    """Raises NotOfferedError where the values that ``text`` refers to are more than a container is given: they may be
    put into each other again and again, so they are counted before a text is made of them."""
    left = MOST_OF_A_VALUE
    for found in _REFERENCE.finditer(text):
        variable = known.get(found[1]) if found[1] is not None else None
        if variable is not None:
            left -= _size(variable.value)
        if left < 0:
            raise _not_given(path, f"it has more than {MOST_OF_A_VALUE} bytes when {_cut(found[0])} is replaced")


def _cut(reference: str) -> str:
    return reference if len(reference) <= _SHOWN else f"{reference[:_SHOWN]}..."


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _named(source: Map, given: Given) -> Iterator[tuple[str, bool, bytes]]:
    for key, kind, known in (
        ("configMapRef", "ConfigMap", given.config_maps),
        ("secretRef", "Secret", given.secrets),
    ):
        said = source.get(key)
        if isinstance(said, dict):
            held = known.get(str(said.get("name")))
            if held is None and not said.get("optional"):
                raise MissingError(f"its {kind} {said.get('name')} is not in the tree")
            yield from ((name, kind == "Secret", value) for name, value in sorted((held or {}).items()) if is_key(name))


def _from(name: str, said: Map, container: Map, pod: Map, given: Given) -> Variable | None:
    for key, kind, known in (
        ("configMapKeyRef", "ConfigMap", given.config_maps),
        ("secretKeyRef", "Secret", given.secrets),
    ):
        of = said.get(key)
        if isinstance(of, dict):
            held = known.get(str(of.get("name")), {})
            value = held.get(str(of.get("key")))
            if value is None:
                if of.get("optional"):
                    return None
                what = f"{kind} {of.get('name')}" if not held else f"key {of.get('key')} of {kind} {of.get('name')}"
                raise MissingError(f"its {what} is not in the tree")
            return Variable(name, _text(value), kind == "Secret")
    if isinstance(of := said.get("fieldRef"), dict):
        return Variable(name, given.field_of_pod(str(of.get("fieldPath"))))
    if isinstance(of := said.get("resourceFieldRef"), dict):
        return Variable(name, _resource(of, container, pod))
    raise MissingError(f"env {name}: {', '.join(map(str, said))} is not known outside of a cluster")


def _resource(of: Map, container: Map, pod: Map) -> str:
    named = of.get("containerName")
    if named:
        container = next((each for each in mappings(pod.get("containers")) if each.get("name") == named), container)
    kind, _, name = str(of.get("resource")).partition(".")
    resources = mapping(container.get("resources"))
    # What is limited and not requested is requested up to its limit.
    parts = (kind,) if kind == "limits" else ("requests", "limits")
    value = next((found for part in parts if (found := mapping(resources.get(part)).get(name)) is not None), None)
    if value is None:
        value = "0" if kind == "requests" else {"memory": _MEMORY, "cpu": _CPU}.get(name, _DISK)
    amount, divisor = quantity.parse(str(value)), quantity.parse(str(of.get("divisor") or "1"))
    if divisor == 0:
        divisor = quantity.parse("1")  # as if it said nothing
    if amount is None or divisor is None:
        raise MissingError(f"its resourceFieldRef {of.get('resource')} is no quantity")
    return str(math.ceil(amount / divisor))


def files_of(volume: Map, container: Map, pod: Map, given: Given) -> list[VolumeFile] | None:
    """The files that stand in ``volume`` at first; None for one that is empty, to be written. Raises MissingError."""
    for key in ("configMap", "secret", "downwardAPI"):
        if isinstance(volume.get(key), dict):
            return _source_files(key, volume[key], volume[key].get("defaultMode"), container, pod, given)
    if isinstance(projected := volume.get("projected"), dict):
        found: dict[str, VolumeFile] = {}
        for source in mappings(projected.get("sources")):
            for key, of in source.items():
                if isinstance(of, dict):
                    for file in _source_files(key, of, projected.get("defaultMode"), container, pod, given):
                        found[file.path] = file
        return list(found.values())
    return None


def _source_files(key: str, of: Map, default: Any, container: Map, pod: Map, given: Given) -> list[VolumeFile]:
    mode = default if isinstance(default, int) and not isinstance(default, bool) else 0o644
    if key == "serviceAccountToken":
        return [VolumeFile(_inside(of.get("path") or "token"), given.token["token"], mode)]
    if key == "downwardAPI":
        return [_downward_file(item, mode, container, pod, given) for item in mappings(of.get("items"))]
    secret = key == "secret"
    kind, name = ("Secret", of.get("secretName") or of.get("name")) if secret else ("ConfigMap", of.get("name"))
    held = (given.secrets if secret else given.config_maps).get(str(name))
    if held is None:
        if of.get("optional"):
            return []
        raise MissingError(f"its {kind} {name} is not in the tree")
    items = mappings(of.get("items"))
    if not items:
        return [VolumeFile(name, value, mode) for name, value in sorted(held.items()) if is_key(name)]
    return list(_chosen_files(of, items, held, mode, f"{kind} {name}"))


def _chosen_files(
    source: Map, items: list[Map], held: Mapping[str, bytes], mode: int, called: str
) -> Iterator[VolumeFile]:
    """The files that ``items`` of a source choose of the keys ``held``."""
    for item in items:
        value = held.get(str(item.get("key")))
        if value is not None:
            yield VolumeFile(_inside(item.get("path")), value, _mode(item, mode))
        elif not source.get("optional"):
            raise MissingError(f"its key {item.get('key')} of {called} is not in the tree")


def _downward_file(item: Map, mode: int, container: Map, pod: Map, given: Given) -> VolumeFile:
    field = item.get("fieldRef")
    if isinstance(field, dict):
        text = given.field_of_pod(str(field.get("fieldPath")))
    else:
        text = _resource(mapping(item.get("resourceFieldRef")), container, pod)
    return VolumeFile(_inside(item.get("path")), text.encode(), _mode(item, mode))


def content_of(item: Map) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret with their bytes; what is no text, or no base64, is left out."""
    found: dict[str, bytes] = {}
    secret = item.get("kind") == "Secret"
    for part, encoded in (("data", secret), ("binaryData", True), ("stringData", False)):
        held = item.get(part)
        for key, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                continue
            try:
                found[str(key)] = _decoded(str(value)) if encoded else str(value).encode()
            except (binascii.Error, ValueError):
                continue
    return found


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)


def _inside(path: Any) -> str:
    parts = str(path).split("/")
    if str(path).startswith("/") or ".." in parts or "\0" in str(path):
        raise MissingError(f"{path} is no path of a volume")
    return str(path)


def _mode(item: Map, default: int) -> int:
    mode = item.get("mode")
    return mode if isinstance(mode, int) and not isinstance(mode, bool) else default


def _lines(held: Map) -> str:
    return "\n".join(f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in sorted(held.items()))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
