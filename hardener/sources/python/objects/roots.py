"""Which objects of a file are documents: whole manifests, and pods or containers that no manifest here holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from hardener.sources.python.frameworks import airflow, dagster, kubespawner
from hardener.sources.python.libraries import types
from hardener.sources.python.model import Entry, Mapping, Node, Opaque, Sequence, check_expansion
from hardener.sources.python.names.resolve import called, entries, followed, is_dict_call
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects import assembled, calls, pod_dicts, replaceable
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.parser import syntax

_API_VERSION = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*/)?v\d+(?:(?:alpha|beta)\d+)?")
_FIRST = ("CronJob", "CronJobSpec", "JobTemplateSpec", "DeploymentSpec", "JobSpec", "PodTemplateSpec", "PodSpec")


def roots(extractor: Extractor) -> list[Mapping]:
    """The documents of the file in the order in which they stand there."""
    documents = [made for each in (airflow, dagster, kubespawner) for made in each.documents(extractor)]
    dicts: list[tuple[syntax.Node, Scope]] = [
        *extractor.scan.dicts,
        *extractor.scan.merges,
        *(each for each in extractor.scan.calls if is_dict_call(*each)),
    ]
    found = _Found(extractor)
    for each, scope in dicts:
        found.add_manifest(each, scope)
    for call, scope in _constructors(extractor):
        found.add(call, scope, "")
    for each, scope in dicts:
        if found.is_new(each) and (template := _template(each, scope)) is not None:
            found.add(*template, "PodTemplateSpec")
    _add_parts(extractor, dicts, found)
    check_expansion([*documents, *found.by_node.values()])
    patches = calls.patches(extractor.scan)
    pod_context = replaceable.given_for_pods(extractor.places)
    for node, root in found.by_node.items():
        for document in _documents(root, pod_context) if node not in extractor.inner else ():
            document.is_patch = node in patches
            documents.append(document)
    return sorted(documents, key=lambda each: each.start)


class _Found:
    """The objects that were found, by their expressions."""

    def __init__(self, extractor: Extractor) -> None:
        self.extractor = extractor
        self.by_node: dict[syntax.Node, Mapping] = {}

    def is_new(self, node: syntax.Node) -> bool:
        """Whether an expression is neither one of these, nor within another object."""
        return node not in self.extractor.inner and node not in self.by_node

    def add_manifest(self, node: syntax.Node, scope: Scope) -> None:
        """Add a dict that says its kind."""
        if node not in self.extractor.inner and (kind := _kind(node, scope, self.extractor)) is not None:
            self.add(node, scope, kind if types.is_type(kind) else "")

    def add(self, node: syntax.Node, scope: Scope, type_name: str) -> None:
        made = self.extractor.read(node, scope, type_name)
        if isinstance(made, Mapping):
            self.by_node[node] = made


def _constructors(extractor: Extractor) -> list[tuple[syntax.Call, Scope]]:
    """The calls that make objects, those first that may hold others."""
    found = []
    for call, scope in extractor.scan.calls:
        known = called(call, scope)
        if known is None and (own := extractor.subclass(call, scope)) is not None:
            known = own[1]
        if call in extractor.scan.alternatives and not call.args:
            continue  # container or V1Container(): what it has is filled in where nobody knows which of them it is
        if known is not None:
            found.append((_rank(known.type_name, known.is_resource), call, scope))
    found.sort(key=lambda each: each[0])
    return [(call, scope) for _, call, scope in found]


def _add_parts(extractor: Extractor, dicts: list[tuple[syntax.Node, Scope]], found: _Found) -> None:
    """Add the dicts that are parts of pods to what was ``found``."""

    def add(node: syntax.Node, scope: Scope, type_name: str) -> None:
        if found.is_new(node):
            found.add(node, scope, type_name)

    for place, type_name in pod_dicts.by_structure(extractor, dicts):
        add(*place, type_name)
    for place in pod_dicts.appended(extractor):
        add(*place, "Container")
    for place, type_name in pod_dicts.wanted(extractor):  # the others may want some
        add(*place, type_name)
    for place in pod_dicts.alone(extractor, dicts):
        add(*place, "Container")


def _rank(type_name: str, is_resource: bool) -> int:
    if is_resource:
        return 0
    return _FIRST.index(type_name) if type_name in _FIRST else len(_FIRST)


def _kind(node: syntax.Node, scope: Scope, extractor: Extractor) -> str | None:
    """The kind of a dict that is a manifest: it says which one, and has what an object has."""
    keys = entries(node, scope)
    if not {"apiVersion", "kind"} <= keys.keys() or not {"metadata", "spec"} & keys.keys():
        return None
    api_version, kind = (extractor.texts.key(*keys[name]) for name in ("apiVersion", "kind"))
    if api_version is None or kind is None or not _API_VERSION.fullmatch(api_version):
        return None
    group = api_version.rpartition("/")[0]
    known = [each.rpartition("/")[0] for each in types.api_versions(kind)]
    if group in known or "." in group or group == "extensions":
        return kind
    return None


def _template(node: syntax.Node, scope: Scope) -> tuple[syntax.Node, Scope] | None:
    """The pod template in a dict that can only be the spec of a workload."""
    keys = entries(node, scope)
    if not {"selector", "template"} <= keys.keys():
        return None
    template = followed(*keys["template"])
    spec = entries(*template).get("spec")
    return template if spec is not None and "containers" in entries(*followed(*spec)) else None


def _documents(made: Mapping, pod_context: Opaque | None) -> Iterator[Mapping]:
    if _is_reference(made):
        return
    if "kind" in made.fields and "apiVersion" in made.fields and made.type_name not in types.POD_TYPES:
        _first(made)
        yield made
        return
    for fragment in _fragments(made):
        yield _fragment(fragment, pod_context)


def _is_reference(made: Mapping) -> bool:
    """Whether it names an object of a kind, as an OwnerReference does, and is none."""
    return "kind" in types.fields(made.type_name) and not types.api_versions(made.type_name)


def _first(made: Mapping) -> None:
    """Put what a class implies before what is written, as people write it."""
    front = {name: made.fields[name] for name in ("apiVersion", "kind") if name in made.fields}
    if any(entry.item is None for entry in front.values()):
        rest = {name: entry for name, entry in made.fields.items() if name not in front}
        made.fields.clear()
        made.fields.update(front | rest)


def _fragments(node: Node) -> Iterator[Mapping]:
    """The outermost pod templates, pods and containers in ``node``."""
    if isinstance(node, Mapping):
        if node.type_name in types.POD_TYPES:
            yield node
            return
        for entry in node.fields.values():
            yield from _fragments(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _fragments(item)


def _fragment(made: Mapping, pod_context: Opaque | None) -> Mapping:
    """A document that holds ``made`` alone; ``pod_context`` is what the program takes for the pod around it."""
    if made.type_name == "PodTemplateSpec":
        return replace(made, fields={**assembled.head(made, "PodTemplateSpec"), **made.fields})
    spec = made
    if made.type_name == "Container":
        spec = assembled.holder(made, "PodSpec")
        spec.dialect = made.dialect
        if pod_context is not None:
            context = replaceable.absent(pod_context, "PodSecurityContext", made, pod_context, "")
            spec.fields[replaceable.FIELD] = Entry(context, None)
        spec.fields["containers"] = Entry(assembled.sequence(made, "Container", [made]), None)
    return assembled.document(made, made.type_name, None, spec)
