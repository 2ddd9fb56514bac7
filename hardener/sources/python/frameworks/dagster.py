"""Configuration of Dagster for the pods of its runs and steps: parts of a container and of a pod spec, as dicts.

Dagster merges them into a pod that it makes itself, keys of either style (dagster_k8s/job.py). What that pod has of its
own and these parts do not say is not known; so is what the instance configures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.sources.python.libraries.dialects import DAGSTER
from hardener.sources.python.model import Bracket, Entry, Home, Item, Mapping, Node, Scalar, Sequence
from hardener.sources.python.names.resolve import followed, is_dict_call
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects import assembled
from hardener.sources.python.objects.brackets import call_bracket, elements_bracket
from hardener.sources.python.objects.expressions import is_none
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.parser import syntax

KIND = "DagsterConfig"
_LIBRARY = re.compile(r"dagster(?:_\w+)?(?:\.|$)")
_HUMP = re.compile(r"[a-z][A-Z]")
_CONTAINER, _POD, _METADATA = "container_config", "pod_spec_config", "pod_template_spec_metadata"

# What a name or "**" gives, in a dict or a call.
_Parts = dict[str, tuple[syntax.Node, Item]]


def documents(extractor: Extractor) -> Iterator[Mapping]:
    """A document for each dict or call with such a configuration."""
    imports = extractor.scan.imports
    names = [*(each.module for each in imports), *(name.qualified for each in imports for name in each.names)]
    if not any(map(_LIBRARY.match, names)):
        return
    for node, scope in extractor.scan.dicts:
        parts, bracket = _of_dict(node, extractor)
        if _is_written(scope, parts):
            yield _document(extractor, node, scope, parts, bracket, '"{}": ')
    for call, scope in extractor.scan.calls:
        bracket, items = call_bracket(call)
        parts = {
            each.keyword.value if each.keyword is not None else each.star: (each.value, item)
            for each, item in zip(call.args, items, strict=True)
            if (each.keyword is not None or each.star) and not is_none(each.value)
        }
        if _is_written(scope, parts):
            yield _document(extractor, call, scope, parts, bracket, "{}=")


def _is_written(scope: Scope, parts: _Parts) -> bool:
    """Whether one of the parts is a dict that is written here: code that passes them on has none."""
    for name in (_CONTAINER, _POD):
        if name in parts:
            found, where = followed(parts[name][0], scope)
            if isinstance(found, syntax.Dict) or (isinstance(found, syntax.Call) and is_dict_call(found, where)):
                return True
    return False


def _of_dict(node: syntax.Dict, extractor: Extractor) -> tuple[_Parts, Bracket | None]:
    bracket, items = elements_bracket(node)
    parts: _Parts = {}
    for element, item in zip(node.elements, items, strict=True):
        if isinstance(element, syntax.DictElement) and isinstance(element.key, syntax.SimpleString):
            key = element.key.evaluated_value
            if isinstance(key, str) and not is_none(element.value):
                parts[key] = (element.value, item)
        else:
            parts["**"] = (element.value, item)
    return parts, bracket


def _document(
    extractor: Extractor, node: syntax.Node, scope: Scope, parts: _Parts, bracket: Bracket | None, head: str
) -> Mapping:
    start = node.start
    at = Node(start, node.end, extractor.places.line(start))
    context = assembled.context(at, DAGSTER)

    def part(name: str, type_name: str) -> Mapping:
        """The part ``name``, with a place of its own in the document: it gets fields that no text holds."""
        made = assembled.holder(at, type_name, context)
        if name not in parts and "**" in parts:
            made.open = f"{extractor.places.text(parts['**'][0])} (line {at.line})"
            return made
        if name not in parts:
            made.homes[""] = Home(head.format(name), bracket)
            return made
        found = extractor.value(parts[name][0], scope, type_name, context)
        if isinstance(found, Mapping) and found.form != "call":
            made.start, made.end, made.line = found.start, found.end, found.line
            made.form, made.bracket, made.open = found.form, found.bracket, found.open
            made.snake = found.snake or not any(map(_HUMP.search, found.fields))
            made.fields = dict(found.fields)
        else:
            made.open = f"{name} (line {found.line})"
        return made

    container = part(_CONTAINER, "Container")
    spec = part(_POD, "PodSpec")
    metadata = part(_METADATA, "ObjectMeta") if _METADATA in parts else None
    for field, what in (("image", "that of the code location"), ("resources", "what the run launcher sets")):
        if field not in container.fields and container.open is None:
            if field == "image" and "image" in parts:
                image, item = parts["image"]
                container.fields["image"] = Entry(extractor.value(image, scope, "string", context), item)
            else:
                container.fields[field] = assembled.unknown(container, field, what)
    if "name" not in container.fields:
        container.fields["name"] = assembled.implied(container, "dagster")
    token = spec.fields.get("automountServiceAccountToken")
    if spec.open is None and (token is None or (isinstance(token.value, Scalar) and token.value.value)):
        at_token = token.value if token is not None else spec
        why = "true, also where it is not said, since a run may start its steps through the API"
        unknown = assembled.unknown(at_token, "automount_service_account_token", why)
        spec.fields["automountServiceAccountToken"] = Entry(unknown.value, token.item if token is not None else None)
    more = spec.fields.get("containers")
    items: list[Node] = [container]
    why_open = None
    if more is not None and isinstance(more.value, Sequence):
        items += more.value.items
        why_open = more.value.open
    elif more is not None:
        why_open = f"containers (line {more.value.line})"
    spec.fields["containers"] = Entry(assembled.sequence(container, "Container", items, why_open), None)
    return assembled.document(at, KIND, metadata, spec)
