"""Which files are worth a parse: of a large tree hardly one makes Kubernetes objects.

First a few searches of the bytes, the fewest for nearly all files, then Python's own parser, and the names of the types
of Kubernetes.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import has_shape

if TYPE_CHECKING:
    import ast

# A library with its classes, or a manifest as a dict or text.
_CLASS = re.compile(rb"V[12](?:(?:alpha|beta)\d)?[A-Z]")
_HELD = re.compile(rb"\.V[12](?:(?:alpha|beta)\d)?[A-Z]\w*\s*\(")  # of a client that a variable holds
_IMPORTS = re.compile(rb"\bimports(?:\.| import )k8s\b")
# Words that share a letter, which one quick search looks for: kube, k8s, kr8s and hikaru; .V1, .V2 and apiVersion.
_LIBRARY = re.compile(rb"k(?:ube|r?8s|aru)")
_OF_API = re.compile(rb"V(?:(?<=\.V)[12]|(?<=apiV)ersion)")
# Words of frameworks whose settings are of pods.
_FRAMEWORKS = (b"PodOperator", b"task.kubernetes(", b"c.KubeSpawner")
_OF_DAGSTER = (b"container_config", b"pod_spec_config")
_PACKAGES = re.compile(r"kubernetes(?:_asyncio)?|pulumi_kubernetes|cdk8s(?:_plus_\d+)?|lightkube|hikaru|imports|k8s")
_NAME = re.compile(r"(?:V\d+(?:(?:alpha|beta)\d+)?|Kube)?([A-Z]\w*?)(?:V\d+(?:(?:Alpha|Beta)\d+)?)?(?:InitArgs|Args)?")
_KEYS = frozenset({"apiVersion", "kind", "selector", "template", "spec", "containers", "image"})
_OF_PODS = frozenset({"spec", "containers"})
# Keys of a manifest, of the spec of a workload, and of that of a pod.
_TOGETHER = ({"apiVersion", "kind"}, {"selector", "template"}, {"spec", "containers", "image"})
_YAML = re.compile(r"(?m)^[ \t]*(?:- )?apiVersion[ \t]*:")


def passes(raw: bytes) -> bool:
    """Whether the file may make Kubernetes objects. What Python cannot read passes if its bytes do: the syntax may be
    newer than this Python."""
    return _names_framework(raw) or (bytes_pass(raw) and _tree_passes(raw))


def names_any(raw: bytes) -> bool:
    """Whether a word stands in the file without which it imports no library of Kubernetes, and its bytes do not pass.
    What asks for several things of a file asks for this once: each word costs a search of all of it."""
    if _LIBRARY.search(raw) or _OF_API.search(raw) or b"containers" in raw or b"dagster" in raw:
        return True
    # A single letter is found twenty times as fast.
    return (b"P" in raw and b"PodOperator" in raw) or (b"K" in raw and b"KubeSpawner" in raw)


def bytes_pass(raw: bytes) -> bool:
    """Whether a few searches do not tell that the file makes none."""
    if _names_framework(raw):
        return True
    if b"apiVersion" in raw and b"kind" in raw:
        return True
    if b"kube" in raw:
        if b"pulumi_kubernetes" in raw or b"lightkube" in raw or (b"kubernetes" in raw and _CLASS.search(raw)):
            return True
    if b"k8s" in raw and (b"cdk8s" in raw or _IMPORTS.search(raw)):
        return True
    if b"hikaru" in raw:
        return True
    if (b".V1" in raw or b".V2" in raw) and _HELD.search(raw):
        return True
    if b"containers" not in raw:
        return False
    return (b"spec" in raw and b"image" in raw) or (b"template" in raw and b"selector" in raw)


def _names_framework(raw: bytes) -> bool:
    # A plain search for words costs a tenth of a pattern's.
    return any(word in raw for word in _FRAMEWORKS) or (b"dagster" in raw and any(word in raw for word in _OF_DAGSTER))


def _tree_passes(raw: bytes) -> bool:
    import ast  # late: hardly a file comes this far

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(raw)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    imports = called = False
    count = 0  # of keys
    keys: set[str] = set()  # of dicts; one of them may be spread into another
    own: set[str] = set()  # classes made from one for an object
    made: set[str] = set()  # what is called
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            made.add(name)
            if _is_class(name):
                called = True
                if isinstance(function, ast.Attribute) and _has_shape(name, node):
                    return True
            if name == "dict":
                keys.update(each.arg for each in node.keywords if each.arg in _KEYS)
        elif isinstance(node, ast.Dict):
            keys.update(each.value for each in node.keys if isinstance(each, ast.Constant) and each.value in _KEYS)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and "apiVersion" in node.value and _YAML.search(node.value):
                return True
        elif isinstance(node, ast.Import):
            imports = imports or any(_is_library(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports = imports or any(_is_library(name) for name in (node.module or "", *(a.name for a in node.names)))
            called = called or any(alias.asname and _is_class(alias.name) for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            bases = [str(getattr(each, "attr", None) or getattr(each, "id", "")) for each in node.bases]
            if any(base in own or _is_class(base) for base in bases):
                own.add(node.name)
        elif isinstance(node, ast.Subscript | ast.Attribute | ast.Name):
            if (part := _part(node)) in _OF_PODS:  # of what gets one more container
                keys.add(part)
        if imports and called:
            return True
        if len(keys) > count:
            count = len(keys)
            if any(each <= keys for each in _TOGETHER):
                return True
    return imports and not own.isdisjoint(made)


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
