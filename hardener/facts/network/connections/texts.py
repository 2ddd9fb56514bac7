"""What a pod is told: the texts of its variables, commands, ConfigMaps and Secrets, each with the place it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.config_data import read_named
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.network.addresses import Form, is_address_key
from hardener.kubernetes.secrets.secret_values import decoded
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping, mappings, texts
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

_VARIABLE = late_pattern(r"\$\(([A-Za-z_][\w.-]{0,100})\)")
_LONGEST_VALUE = 4096  # of a variable that is filled in
_CERTIFICATES = late_pattern(r"(?:^|[-.])(?:ca|certs?|crt|trust|bundle)(?:[-.]|$)")  # no ConfigMap of settings
_EXPRESSION = late_pattern(r"[^${}]*(?:\$\{[^{}]*\}|\{\{[^{}]*\}\}).*")
_PORT_OF = re.compile(r"(?i)(?:host(?:name)?|addr(?:ess)?|server|endpoint|ip|url)(\d*)$")


class Text(Struct, frozen=True):
    """A text and where it stands. ``said`` names it for people and never holds what it says.

    ``key`` is the name of the setting, or the word before a word of a command. ``port`` is the one that a setting
    beside it gives. ``secret``: nothing that only this text says is to be shown.
    """

    value: str
    key: str
    form: Form
    said: str
    piece: Piece
    path: Path
    port: int | None = None
    secret: bool = False

    def evidence(self, what: str) -> Evidence:
        return Evidence(f"{self.said} names {what}", self.piece, self.path)


class _Entry(Struct, frozen=True):
    """A key of a ConfigMap or Secret."""

    key: str
    value: str
    piece: Piece
    path: Path


class _Settings:
    """A ConfigMap, a Secret, or what a kustomization generates one from."""

    def __init__(self, said: str, entries: list[_Entry], secret: bool) -> None:
        self.said = said
        self.entries = entries
        self.secret = secret
        self._values = {entry.key: entry.value for entry in entries}

    def texts(self, keys: set[str] | None = None) -> Iterator[Text]:
        for entry in self.entries:
            if keys is None or entry.key in keys:
                said = f"key {entry.key} of {self.said}"
                port = _port_beside(entry.key, self._values)
                yield Text(entry.value, entry.key, Form.VALUE, said, entry.piece, entry.path, port, self.secret)


class Texts:
    """The texts of every pod; a ConfigMap is read once for all of them."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._settings: dict[Object, _Settings] = {}
        self._found: dict[tuple[Object, str, str], list[_Settings]] = {}
        found: dict[tuple[str, str], list[Object]] = {}
        for kind in ("ConfigMap", "Secret"):
            for item in tree.of("", kind):
                for name in tree.ask(Builds).names(item):
                    found.setdefault((kind, name), []).append(item)
        self._near = {key: Neighbours(tree.ask(Builds), items) for key, items in found.items()}
        self._generated: dict[tuple[str, str], dict[Object, list[_Settings]]] = {}
        for folder, item in tree.kustomizations.items():
            for kind, key in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
                for index, generator in enumerate(mappings(item.data.get(key))):
                    name = str(generator.get("name") or "")
                    settings = self._of_generator(kind, folder, item, (key, index), generator)
                    self._generated.setdefault((kind, name), {}).setdefault(item, []).append(settings)

    def of(self, pod: PodTemplate) -> list[Text]:
        """The texts of ``pod`` in the order in which they stand, ConfigMaps and Secrets where they are named.

        Last come those that it has only as a kustomization patches it.
        """
        found = self._of_state(pod)
        seen: set[tuple[str, str, str]] = set()
        for state in patched(pod):
            seen.update((text.said, text.key, text.value) for text in found)
            found += [text for text in self._of_state(state) if (text.said, text.key, text.value) not in seen]
        return found

    def _of_state(self, pod: PodTemplate) -> list[Text]:
        found: list[Text] = []
        whole: dict[tuple[str, str], None] = {}
        for prefix, container in _containers(pod):
            found += _variables(pod, prefix, container)
            found += self._referred(pod, container, whole)
            for path, words in _commands(container):
                found += _words(pod, (*prefix, *path), words, container)
        for kind, name, keys in _mounted(pod):
            found += self._entries(pod, kind, name, keys, whole)
        for key, value in mapping(pod.metadata.data.get("annotations")).items():
            if isinstance(value, str) and len(value) < _LONGEST_VALUE:
                path = (*pod.metadata.path, "annotations", key)
                found.append(Text(value, "", Form.TEXT, f"annotation {key}", *pod.object.place(path)))
        return found

    def _referred(
        self, pod: PodTemplate, container: dict[str, Any], whole: dict[tuple[str, str], None]
    ) -> Iterator[Text]:
        for item in mappings(container.get("envFrom")):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                name = mapping(item.get(key)).get("name")
                if isinstance(name, str):
                    yield from self._entries(pod, kind, name, None, whole)
        for item in mappings(container.get("env")):
            source = item.get("valueFrom")
            if not isinstance(source, dict):
                continue
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                named = mapping(source.get(key))
                if isinstance(named.get("name"), str) and isinstance(named.get("key"), str):
                    yield from self._entries(pod, kind, named["name"], {named["key"]}, whole)

    def _entries(
        self, pod: PodTemplate, kind: str, name: str, keys: set[str] | None, whole: dict[tuple[str, str], None]
    ) -> list[Text]:
        if (kind, name) in whole:
            return []
        if keys is None:
            whole[kind, name] = None
        return [text for settings in self._called(pod, kind, name) for text in settings.texts(keys)]

    def credentials(self, pod: PodTemplate) -> Iterator[tuple[tuple[str, str | None], Evidence]]:
        """The Secrets whose keys become variables of ``pod``, as (name, key); None for all keys of one."""
        for prefix, container in _containers(pod):
            for index, (kind, name) in _whole_references(container):
                if kind == "Secret":
                    place = pod.object.place((*prefix, "envFrom", index))
                    yield (name, None), Evidence(f"its variables come from Secret/{name}", *place)
            for index, variable in enumerate(mappings(container.get("env"))):
                source = mapping(mapping(variable.get("valueFrom")).get("secretKeyRef"))
                holder, key = source.get("name"), source.get("key")
                if isinstance(holder, str) and isinstance(key, str):
                    text = f"env {variable.get('name')} has key {key} of Secret/{holder}"
                    yield (holder, key), Evidence(text, *pod.object.place((*prefix, "env", index)))

    def unread(self, pod: PodTemplate) -> Iterator[Evidence]:
        """Why settings of ``pod`` may name hosts that the tree does not show: what holds them is not in it, or an
        expression does."""
        for prefix, container in _containers(pod):
            for index, (kind, name) in _whole_references(container):
                if not self._called(pod, kind, name):
                    text = f"the tree does not hold {kind}/{name}, which its variables come from"
                    yield Evidence(text, *pod.object.place((*prefix, "envFrom", index)))
            for index, variable in enumerate(mappings(container.get("env"))):
                if (why := self._unread_variable(pod, variable)) is not None:
                    yield Evidence(why, *pod.object.place((*prefix, "env", index)))
        for kind, name, _ in _mounted(pod):
            if kind == "ConfigMap" and not _CERTIFICATES.search(name) and not self._called(pod, kind, name):
                text = f"the tree does not hold ConfigMap/{name}, which it mounts"
                yield Evidence(text, *pod.object.place((*pod.path, "volumes")))

    def _unread_variable(self, pod: PodTemplate, variable: dict[str, Any]) -> str | None:
        name, value, source = str(variable.get("name")), variable.get("value"), mapping(variable.get("valueFrom"))
        if not is_address_key(name):
            return None
        if isinstance(value, str) and _EXPRESSION.fullmatch(value):
            return f"env {name} is an expression"
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            holder = mapping(source.get(key)).get("name")
            if isinstance(holder, str) and not self._called(pod, kind, holder):
                return f"the tree does not hold {kind}/{holder}, which env {name} comes from"
        return None

    def _called(self, pod: PodTemplate, kind: str, name: str) -> list[_Settings]:
        key = (pod.object, kind, name)
        found = self._found.get(key)
        if found is None:  # often many variables of a pod name one ConfigMap
            near = self._near.get((kind, name))
            found = [self._of(item) for item in (near.meeting(pod.object) if near is not None else ())]
            generated = self._generated.get((kind, name))
            if generated:
                layers = self._tree.ask(Builds).layers(pod.object)
                found += [one for item in layers for one in generated.get(item, ())]
            self._found[key] = found
        return found

    def _of(self, item: Object) -> _Settings:
        found = self._settings.get(item)
        if found is None:
            found = self._settings[item] = _of_object(item)
        return found

    def _of_generator(self, kind: str, folder: str, item: Object, path: Path, generator: dict[str, Any]) -> _Settings:
        place = (*item.path, *path)
        entries: list[_Entry] = []
        for index, line in enumerate(texts(generator.get("literals"))):
            key, _, value = line.partition("=")
            entries.append(_Entry(key, value.strip("\"'"), item.piece, (*place, "literals", index)))
        for index, line in enumerate(texts(generator.get("files"))):
            key, _, name = line.rpartition("=")
            text = read_named(self._tree.root, folder, name)
            entries.append(_Entry(key or os.path.basename(name), text, item.piece, (*place, "files", index)))
        named = [("envs", index, name) for index, name in enumerate(texts(generator.get("envs")))]
        if isinstance(generator.get("env"), str):
            named.append(("env", 0, generator["env"]))
        for field, index, name in named:
            where = (*place, field, index) if field == "envs" else (*place, field)
            for line in read_named(self._tree.root, folder, name).splitlines():
                key, sign, value = line.partition("=")
                if sign and not line.lstrip().startswith("#"):
                    entries.append(_Entry(key.strip(), value.strip(), item.piece, where))
        said = f"{kind}/{generator.get('name')}"
        return _Settings(said, entries, kind == "Secret")


def _of_object(item: Object) -> _Settings:
    secret = item.kind == "Secret"
    entries = []
    for field in ("data", "stringData"):
        for key, value in mapping(item.data.get(field)).items():
            if isinstance(value, bool | int | float):
                value = str(value)
            if secret and field == "data" and isinstance(value, str):
                value = decoded(value)
            if isinstance(value, str):
                entries.append(_Entry(str(key), value, item.piece, (*item.path, field, key)))
    return _Settings(str(item), entries, secret)


def _containers(pod: PodTemplate) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every container with its path in the piece, as plain data: foreign shapes are passed over."""
    for key in ("initContainers", "containers", "ephemeralContainers"):
        found = pod.data.get(key)
        for index, container in enumerate(found if isinstance(found, list) else ()):
            if isinstance(container, dict):
                yield (*pod.path, key, index), container
    if pod.partial and isinstance(pod.data.get("model"), dict):
        yield (*pod.path, "model"), pod.data["model"]


def _whole_references(container: dict[str, Any]) -> Iterator[tuple[int, tuple[str, str]]]:
    """(its index, the kind and name) of each ConfigMap or Secret whose keys become variables."""
    for index, item in enumerate(mappings(container.get("envFrom"))):
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            name = mapping(item.get(key)).get("name")
            if isinstance(name, str):
                yield index, (kind, name)


def _literals(container: dict[str, Any]) -> dict[str, str]:
    return {
        str(item.get("name")): str(item["value"])
        for item in mappings(container.get("env"))
        if isinstance(item.get("value"), (str, int, float))
    }


def _variables(pod: PodTemplate, prefix: Path, container: dict[str, Any]) -> Iterator[Text]:
    values: dict[str, str] | None = None
    known: dict[str, str] = {}  # what stands above, which is what the kubelet fills in
    found = container.get("env")
    for index, item in enumerate(found if isinstance(found, list) else ()):
        value = item.get("value") if isinstance(item, dict) else None
        if isinstance(value, str):
            name = str(item.get("name"))
            value = known[name] = _filled(value, known)
            path = (*prefix, "env", index, "value")
            beside = None
            if _PORT_OF.search(name) is not None:
                values = _literals(container) if values is None else values
                beside = _port_beside(name, values)
            yield Text(value, name, Form.VALUE, f"env {name}", *pod.object.place(path), beside)


def _filled(value: str, known: dict[str, str]) -> str:
    if "$(" not in value:
        return value
    found = _VARIABLE.sub(lambda match: known.get(match[1], match[0])[:_LONGEST_VALUE], value)
    return found if len(found) <= max(_LONGEST_VALUE, len(value)) else value


def _port_beside(key: str, values: dict[str, str]) -> int | None:
    """The port in REDIS_PORT for the key REDIS_HOST."""
    match = _PORT_OF.search(key)
    if match is None:
        return None
    word = "PORT" if match[0].isupper() else "Port" if match[0][0].isupper() else "port"
    value = values.get(f"{key[: match.start()]}{word}{match[1]}", "")
    return int(value) if value.isdigit() and 0 < len(value) < 6 and 0 < int(value) < 65536 else None


_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("command",),
    ("args",),
    *(("lifecycle", hook, "exec", "command") for hook in ("postStart", "preStop")),
    *((probe, "exec", "command") for probe in ("startupProbe", "readinessProbe", "livenessProbe")),
)


def _commands(container: dict[str, Any]) -> Iterator[tuple[Path, list[Any]]]:
    """The lists of words that a container runs, with their paths in it."""
    for path in _COMMANDS:
        value: Any = container.get(path[0])
        if value is None:
            continue
        for part in path[1:]:
            if value is None:
                break
            value = mapping(value).get(part)
        if isinstance(value, str):  # no legal form, and a frequent one
            value = [value]
        if isinstance(value, list):
            yield path, value


def _words(pod: PodTemplate, path: Path, words: list[Any], container: dict[str, Any]) -> Iterator[Text]:
    values = _literals(container) if any([isinstance(word, str) and "$(" in word for word in words]) else {}
    noun, of = "argument" if path[-1] == "args" else "word", _said(path)
    before = ""
    for index, word in enumerate(words):
        if not isinstance(word, str):
            continue
        # The first word of a command is a program, no host.
        if index or path[-1] == "args" or " " in word:
            filled = _filled(word, values)
            said = f"{noun} {index + 1} of {of}"
            yield Text(filled, before, Form.WORD, said, *pod.object.place((*path, index)))
        before = word if word.startswith("-") and "=" not in word else ""


def _said(path: Path) -> str:
    last = [part for part in path if isinstance(part, str)]
    return f"{last[-3]} {last[-1]}" if "exec" in last else last[-1]


def _mounted(pod: PodTemplate) -> Iterator[tuple[str, str, set[str] | None]]:
    """(kind, name, keys) of the ConfigMaps and Secrets that the volumes of a pod show to it."""
    for volume in mappings(pod.data.get("volumes")):
        for holder in (volume, *mappings(mapping(volume.get("projected")).get("sources"))):
            for key, kind, field in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
                source = holder.get(key)
                if not isinstance(source, dict):
                    continue
                name = source.get(field) or source.get("name")
                if isinstance(name, str):
                    items = [str(item.get("key")) for item in mappings(source.get("items"))]
                    yield kind, name, set(items) or None
