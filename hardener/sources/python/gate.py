"""Which files are worth a parse: of a large tree hardly one makes Kubernetes objects.

First a few searches of the bytes, the fewest for nearly all files, then Python's own parser, and the names of the types
of Kubernetes.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import has_shape
from hardener.sources.python.texts.loose_texts import is_manifest

# A library with its classes, or a manifest as a dict or text.
_CLASS = re.compile(rb"V[12](?:(?:alpha|beta)\d)?[A-Z]")
_HELD = re.compile(rb"\.V[12](?:(?:alpha|beta)\d)?[A-Z]\w*\s*\(")  # of a client that a variable holds
_IMPORTS = re.compile(rb"\bimports(?:\.| import )k8s\b")
# Words that share a letter, which one quick search looks for: kube, k8s, kr8s, kfp and hikaru; .V1, .V2 and apiVersion.
_LIBRARY = re.compile(rb"k(?:ube|r?8s|aru|fp)")
_OF_API = re.compile(rb"V(?:(?<=\.V)[12]|(?<=apiV)ersion)")
# Words of frameworks whose settings are of pods.
_FRAMEWORKS = (b"PodOperator", b"task.kubernetes(", b"c.KubeSpawner")
_OF_DAGSTER = (b"container_config", b"pod_spec_config")
_PACKAGES = re.compile(r"kubernetes(?:_asyncio)?|pulumi_kubernetes|cdk8s(?:_plus_\d+)?|lightkube|hikaru|imports|k8s")
_NAME = re.compile(r"(?:V\d+(?:(?:alpha|beta)\d+)?|Kube)?([A-Z]\w*?)(?:V\d+(?:(?:Alpha|Beta)\d+)?)?(?:InitArgs|Args)?")
_OF_PODS = frozenset({"spec", "containers"})
_INIT = frozenset({"initContainers", "init_containers"})
_OF_CONTAINER = (b"securityContext", b"imagePullPolicy", b"envFrom")
_OWN = frozenset(word.decode() for word in _OF_CONTAINER)
_KEYS = frozenset({"apiVersion", "kind", "selector", "template", "spec", "containers", "image", "init"}) | _OWN
# Keys of a manifest, of the spec of a workload, and of that of a pod.
_TOGETHER = (
    {"apiVersion", "kind"},
    {"selector", "template"},
    {"spec", "containers", "image"},
    {"init", "image"},
    *({"containers", "image", word} for word in _OWN),
)
_YAML = re.compile(r"(?m)^[ \t]*(?:- )?apiVersion[ \t]*:")


def passes(raw: bytes) -> bool:
    """Whether the file may make Kubernetes objects. What Python cannot read passes if its bytes do: the syntax may be
    newer than this Python."""
    return _names_framework(raw) or (bytes_pass(raw) and _tree_passes(raw))


def names_any(raw: bytes) -> bool:
    """Whether a word stands in the file without which it imports no library of Kubernetes, and its bytes do not pass.
    What asks for several things of a file asks for this once: each word costs a search of all of it."""
    if _LIBRARY.search(raw) or _OF_API.search(raw) or b"ontainers" in raw or b"dagster" in raw or b"hera" in raw:
        return True
    # A single letter is found twenty times as fast.
    return (b"P" in raw and b"PodOperator" in raw) or (b"K" in raw and b"KubeSpawner" in raw)


def bytes_pass(raw: bytes) -> bool:
    """Whether a few searches do not tell that the file makes none."""
    return (
        _names_framework(raw)
        or (b"apiVersion" in raw and b"kind" in raw)
        or _names_kube_library(raw)
        or (b"k8s" in raw and (b"cdk8s" in raw or _IMPORTS.search(raw) is not None))
        or b"hikaru" in raw
        or ((b".V1" in raw or b".V2" in raw) and _HELD.search(raw) is not None)
        or _holds_pod_keys(raw)
    )


def _names_framework(raw: bytes) -> bool:
    # A plain search for words costs a tenth of a pattern's.
    return any(word in raw for word in _FRAMEWORKS) or (b"dagster" in raw and any(word in raw for word in _OF_DAGSTER))


def _names_kube_library(raw: bytes) -> bool:
    if b"kube" not in raw:
        return False
    if b"pulumi_kubernetes" in raw or b"lightkube" in raw:
        return True
    return b"kubernetes" in raw and _CLASS.search(raw) is not None


def _holds_pod_keys(raw: bytes) -> bool:
    if b"ontainers" not in raw:
        return False
    if b"template" in raw and b"selector" in raw:
        return True
    return b"image" in raw and (b"spec" in raw or b"nitContainers" in raw or any(word in raw for word in _OF_CONTAINER))


def _tree_passes(raw: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(raw)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    signs = _Signs()
    for node in ast.walk(tree):
        take = _SIGN_OF.get(type(node).__name__)
        if take is not None:
            take(signs, node)
            if signs.enough or (signs.imports and signs.calls):
                return True
    return signs.imports and not signs.own.isdisjoint(signs.called)


class _Signs:
    """What the nodes of a program show of Kubernetes; ``enough`` when one or a few of them make an object."""

    def __init__(self) -> None:
        self.enough = False
        self.imports = False  # a library
        self.calls = False  # what may be a class for an object
        self.keys: set[str] = set()  # of dicts; one of them may be spread into another
        self.own: set[str] = set()  # classes made from one for an object
        self.called: set[str] = set()

    def call(self, node: ast.Call) -> None:
        function = node.func
        attribute: Any = getattr(function, "attr", None)
        name: str = attribute or getattr(function, "id", "")
        self.called.add(name)
        if _is_class(name):
            self.calls = True
            self.enough = attribute is not None and _has_shape(name, node)
        if name == "dict":
            self._add(each.arg for each in node.keywords)
        else:
            self._add(each.arg for each in node.keywords if each.arg in _INIT)

    def dict_keys(self, node: ast.Dict) -> None:
        self._add(getattr(each, "value", None) for each in node.keys)

    def constant(self, node: ast.Constant) -> None:
        text = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
        if isinstance(text, str) and "apiVersion" in text:
            self.enough = _YAML.search(text) is not None or is_manifest(text)
        elif text in _INIT:  # pod["spec"].setdefault("initContainers", [])
            self._add((text,))

    def import_(self, node: ast.Import) -> None:
        self.imports = self.imports or any(_is_library(alias.name) for alias in node.names)

    def import_from(self, node: ast.ImportFrom) -> None:
        names = (node.module or "", *(alias.name for alias in node.names))
        self.imports = self.imports or any(_is_library(name) for name in names)
        self.calls = self.calls or any(alias.asname and _is_class(alias.name) for alias in node.names)

    def class_(self, node: ast.ClassDef) -> None:
        bases = [str(getattr(each, "attr", None) or getattr(each, "id", "")) for each in node.bases]
        if any(base in self.own or _is_class(base) for base in bases):
            self.own.add(node.name)

    def part(self, node: ast.Subscript | ast.Attribute | ast.Name) -> None:
        part = _part(node)
        if part in _OF_PODS or part in _INIT:  # of what gets one more container
            self._add((part,))

    def _add(self, keys: Iterable[object]) -> None:
        found = _KEYS.intersection("init" if key in _INIT else key for key in keys if isinstance(key, str))
        found |= {"containers"} if "init" in found else set()
        if not found <= self.keys:
            self.keys |= found
            self.enough = any(each <= self.keys for each in _TOGETHER)


_SIGN_OF: dict[str, Callable[[_Signs, Any], None]] = {
    "Call": _Signs.call,
    "Dict": _Signs.dict_keys,
    "Constant": _Signs.constant,
    "Import": _Signs.import_,
    "ImportFrom": _Signs.import_from,
    "ClassDef": _Signs.class_,
    "Subscript": _Signs.part,
    "Attribute": _Signs.part,
    "Name": _Signs.part,
}


def _part(node: ast.Subscript | ast.Attribute | ast.Name) -> str:
    """The name of a part of something: "spec" for ``pod_spec``, too."""
    name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node.slice, "value", "")  # type: ignore
    return str(name).rpartition("_")[2]


def _is_class(name: str) -> bool:
    """Whether it may be the name of a class for an object, or for what holds pods."""
    found = _NAME.fullmatch(name) if name[:1].isupper() else None
    if found is None:
        return False

    return bool(types.api_versions(found[1])) or types.holds_pods(found[1])


def _has_shape(name: str, call: ast.Call) -> bool:
    """Whether it is the call of a class of the kubernetes client, whatever holds that client."""
    if call.args or name[:1] != "V":
        return False

    return has_shape(name, [each.arg for each in call.keywords if each.arg is not None])


def _is_library(name: str) -> bool:
    parts = name.split(".")
    return any(_PACKAGES.fullmatch(part) for part in (parts[0], *parts[-2:]))
