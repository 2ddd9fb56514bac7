"""How libraries name the types of Kubernetes and their fields: one rule for each, checked over every attribute of
every class.
"""

from __future__ import annotations

import keyword as words
import re
from collections.abc import Callable, Collection
from functools import cache, lru_cache

from msgspec import Struct

from hardener.sources.python.libraries import types

_RESERVED = frozenset(words.kwlist)


@lru_cache(maxsize=4096)  # the names of fields and classes are few; what else a program calls may be anything
def two_step(name: str) -> str:
    """hostPID: host_pid, clusterIPs: cluster_i_ps."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


@lru_cache(maxsize=4096)
def of_openapi(name: str) -> str:
    """hostPID: host_pid, clusterIPs: cluster_ips."""
    return re.sub(
        r"([a-z\d])([A-Z])", r"\1_\2", re.sub(r"(?<![A-Z])([A-Z]+)([A-Z][a-z][a-z]+)", r"\1_\2", name)
    ).lower()


def _folded(name: str) -> str:
    """SELinuxOptions: SeLinuxOptions, as jsii writes acronyms."""
    return re.sub(r"(?<![A-Z])([A-Z]+)([A-Z][a-z])", lambda found: found[1].capitalize() + found[2], name)


def _as_is(name: str) -> str:
    return name


class Dialect(Struct, frozen=True, eq=False):
    """A library. ``snake_dicts``: a new dict below one of its constructors has keys in snake_case (never below a list
    of cdk8s). ``reads_snake``: an existing one may; without it such keys are sent as they are, which is wrong."""

    name: str
    snake_dicts: bool
    reads_snake: bool
    _words: Callable[[str], str]
    _reserved: Callable[[str], str]
    _class: Callable[[str], str]

    def keyword(self, field: str) -> str:
        """The keyword argument, or the key of a dict in snake_case, for a field of a manifest."""
        return self._reserved(self._words(field))

    def field(self, type_name: str, keyword: str) -> str:
        """The field of a type that a keyword argument or attribute names; an unknown one is left as it is. What the
        kubernetes client has as ``resources`` it keeps as ``_resources``."""
        known = fields_by_keyword(self, type_name)
        return known.get(keyword) or (known.get(keyword.removeprefix("_")) if self is KUBE else None) or keyword

    def class_name(self, type_name: str) -> str:
        """The class for a type, without what stands before it: "V1Container", "ContainerArgs"."""
        return self._class(type_name)


def _prefixed(name: str) -> str:
    return "_" + name if name in _RESERVED or name == "exec" else name


def _suffixed(name: str) -> str:
    return name + "_" if name in _RESERVED else name


def _suffixed_exec(name: str) -> str:
    return name + "_" if name in _RESERVED or name == "exec" else name


def _versioned(type_name: str) -> str:
    version = types.module(type_name).rpartition(".")[2] or "v1"
    return version.capitalize() + type_name


KUBE = Dialect("kube", False, False, two_step, _prefixed, _versioned)
PULUMI = Dialect("pulumi", True, True, of_openapi, _suffixed_exec, lambda name: name + "Args")
CDK8S = Dialect("cdk8s", True, True, two_step, _suffixed, _folded)
LIGHTKUBE = Dialect("lightkube", False, False, _as_is, _suffixed, _as_is)
HIKARU = Dialect("hikaru", False, False, _as_is, _suffixed, _as_is)
# Frameworks that take manifests in parts, as dicts: both styles of keys.
DAGSTER = Dialect("dagster", True, True, two_step, _prefixed, _versioned)
KUBESPAWNER = Dialect("kubespawner", False, True, two_step, _prefixed, _versioned)


@cache
def fields_by_keyword(dialect: Dialect, type_name: str) -> dict[str, str]:
    """The fields of a type by the keyword arguments of ``dialect``."""
    found = {dialect.keyword(field): field for field in types.fields(type_name)}
    if dialect in (KUBE, DAGSTER, KUBESPAWNER):
        # The client from version 37 on has clusterIPs as cluster_ips, and takes both of the others.
        found |= {of_openapi(field): field for field in types.fields(type_name)}
        found |= {field: field for field in ("from", "exec", "continue", "except") if field in types.fields(type_name)}
    return found


class Known(Struct, frozen=True):
    """What a name means: a class for a type. ``is_resource``: its objects have ``api_version`` and ``kind``."""

    dialect: Dialect
    type_name: str
    is_resource: bool = False
    api_version: str | None = None
    kind: str | None = None


_VERSION = r"[vV]\d+(?:(?:alpha|beta)\d+)?"
_OF_KUBE = re.compile(
    rf"kubernetes(?:_asyncio)?\.client\.(?:\w+\.)*(?P<group>[A-Z][a-z]+)?(?P<version>{_VERSION})(?P<type>[A-Z]\w*)"
)
_OF_PULUMI = re.compile(
    rf"pulumi_kubernetes\.(?P<group>\w+)\.(?:(?P<version>{_VERSION})\.)?(?:\w+\.)*(?P<type>[A-Z]\w*)"
)
_OF_CDK8S = re.compile(
    r"(?:(?:\w+\.)*imports\.k8s|cdk8s_plus_\d+\.k8s)\."
    r"(?P<kube>Kube)?(?P<type>[A-Z]\w*?)(?P<version>V\d+(?:(?:Alpha|Beta)\d+)?)?"
)
_OF_LIGHTKUBE = re.compile(
    rf"lightkube\.(?:models|resources)\.(?P<group>[a-z0-9]+)_(?P<version>{_VERSION})\.(?P<type>[A-Z]\w*)"
)
_OF_HIKARU = re.compile(
    rf"hikaru(?:\.model(?:\.rel_\w+)?(?:\.(?P<version>{_VERSION}))?(?:\.\w+)*)?\.(?P<type>[A-Z]\w*)"
)
_PULUMI_INIT = ("InitArgs", "Args")


@cache
def _unfolded() -> dict[str, str]:
    return {_folded(name): name for name in types.type_names()}


def _kube_class(found: re.Match[str]) -> Known | None:
    # RbacV1Subject, CoreV1Event: where two groups have a type of one name
    return _known(KUBE, found["type"], found["version"].lower(), (found["group"] or "").lower() or None)


def _pulumi_class(found: re.Match[str]) -> Known | None:
    name = found["type"]
    for end in _PULUMI_INIT:
        if name.endswith(end) and types.is_type(name.removesuffix(end)):
            return Known(PULUMI, name.removesuffix(end))
    return _known(PULUMI, name, found["version"] or "", found["group"]) if types.api_versions(name) else None


def _cdk8s_class(found: re.Match[str]) -> Known | None:
    name = _unfolded().get(found["type"], "")
    if not found["kube"]:
        return Known(CDK8S, name) if types.is_type(name) else None
    return _known(CDK8S, name, (found["version"] or "v1").lower()) if types.api_versions(name) else None


def _lightkube_class(found: re.Match[str]) -> Known | None:
    return _known(LIGHTKUBE, found["type"], found["version"], found["group"])


def _hikaru_class(found: re.Match[str]) -> Known | None:
    return _known(HIKARU, found["type"], found["version"] or "")


_LIBRARIES = (
    (_OF_KUBE, _kube_class),
    (_OF_PULUMI, _pulumi_class),
    (_OF_CDK8S, _cdk8s_class),
    (_OF_LIGHTKUBE, _lightkube_class),
    (_OF_HIKARU, _hikaru_class),
)


@cache
def recognise(qualified: str) -> Known | None:
    """What the full name of a class means ("kubernetes.client.V1Pod"), None for any other name."""
    for pattern, class_ in _LIBRARIES:
        if found := pattern.fullmatch(qualified):
            return class_(found)
    return None


def has_shape(name: str, keywords: Collection[str]) -> bool:
    """Whether ``name`` is that of a class of the kubernetes client which has all these ``keywords``, and some."""
    known = recognise(f"kubernetes.client.{name}") if keywords and name[:1] == "V" else None
    if known is None or not (known.is_resource or KUBE.class_name(known.type_name) == name):
        return False
    return all(keyword in fields_by_keyword(KUBE, known.type_name) for keyword in keywords)


def _known(dialect: Dialect, type_name: str, version: str, group: str | None = None) -> Known | None:
    if not types.is_type(type_name):
        return None
    api_version = types.api_version(type_name, version, group)
    return Known(dialect, type_name, api_version is not None, api_version, type_name if api_version else None)
