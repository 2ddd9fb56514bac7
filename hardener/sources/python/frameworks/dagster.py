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
        parts, bracket = _of_dict(node)
        if _is_written(scope, parts):
            yield _Configuration(extractor, node, scope, parts, bracket, '"{}": ').document()
    for call, scope in extractor.scan.calls:
        parts, bracket = _of_call(call)
        if _is_written(scope, parts):
            yield _Configuration(extractor, call, scope, parts, bracket, "{}=").document()


def _is_written(scope: Scope, parts: _Parts) -> bool:
    """Whether one of the parts is a dict that is written here: code that passes them on has none."""
    for name in (_CONTAINER, _POD):
        if name in parts:
            found, where = followed(parts[name][0], scope)
            if isinstance(found, syntax.Dict) or (isinstance(found, syntax.Call) and is_dict_call(found, where)):
                return True
    return False


def _of_call(call: syntax.Call) -> tuple[_Parts, Bracket | None]:
    bracket, items = call_bracket(call)
    parts: _Parts = {}
    for argument, item in zip(call.args, items, strict=True):
        name = argument.keyword.value if argument.keyword is not None else argument.star
        if (argument.keyword is not None or name) and not is_none(argument.value):
            parts[name] = (argument.value, item)
    return parts, bracket


def _of_dict(node: syntax.Dict) -> tuple[_Parts, Bracket | None]:
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


class _Configuration:
    """Parts of a pod in a dict or call. ``head`` is how a part is named there."""

    def __init__(
        self, extractor: Extractor, node: syntax.Node, scope: Scope, parts: _Parts, bracket: Bracket | None, head: str
    ) -> None:
        self.extractor, self.scope = extractor, scope
        self.parts, self.bracket, self.head = parts, bracket, head
        self.at = Node(node.start, node.end, extractor.places.line(node.start))
        self.context = assembled.context(self.at, DAGSTER)

    def document(self) -> Mapping:
        container = self._part(_CONTAINER, "Container")
        spec = self._part(_POD, "PodSpec")
        metadata = self._part(_METADATA, "ObjectMeta") if _METADATA in self.parts else None
        self._fill(container)
        self._fill_token(spec)
        spec.fields["containers"] = Entry(self._containers(container, spec.fields.get("containers")), None)
        return assembled.document(self.at, KIND, metadata, spec)

    def _part(self, name: str, type_name: str) -> Mapping:
        """The part ``name``, with a place of its own in the document: it gets fields that no text holds."""
        made = assembled.holder(self.at, type_name, self.context)
        if name not in self.parts and "**" in self.parts:
            made.open = f"{self.extractor.places.text(self.parts['**'][0])} (line {self.at.line})"
            return made
        if name not in self.parts:
            made.homes[""] = Home(self.head.format(name), self.bracket)
            return made
        found = self.extractor.value(self.parts[name][0], self.scope, type_name, self.context)
        if isinstance(found, Mapping) and found.form != "call":
            made.start, made.end, made.line = found.start, found.end, found.line
            made.form, made.bracket, made.open = found.form, found.bracket, found.open
            made.snake = found.snake or not any(map(_HUMP.search, found.fields))
            made.fields = dict(found.fields)
        else:
            made.open = f"{name} (line {found.line})"
        return made

    def _fill(self, container: Mapping) -> None:
        """What the container has that its part does not say."""
        for field, what in (("image", "that of the code location"), ("resources", "what the run launcher sets")):
            if field in container.fields or container.open is not None:
                continue
            if field == "image" and "image" in self.parts:
                image, item = self.parts["image"]
                value = self.extractor.value(image, self.scope, "string", self.context)
                container.fields["image"] = Entry(value, item)
            else:
                container.fields[field] = assembled.unknown(container, field, what)
        if "name" not in container.fields:
            container.fields["name"] = assembled.implied(container, "dagster")

    def _fill_token(self, spec: Mapping) -> None:
        token = spec.fields.get("automountServiceAccountToken")
        is_off = token is not None and isinstance(token.value, Scalar) and not token.value.value
        is_unknown = token is not None and not isinstance(token.value, Scalar)
        if spec.open is not None or is_off or is_unknown:
            return
        why = "true, also where it is not said, since a run may start its steps through the API"
        value = assembled.unknown(token.value if token else spec, "automount_service_account_token", why).value
        spec.fields["automountServiceAccountToken"] = Entry(value, token.item if token else None)

    @staticmethod
    def _containers(container: Mapping, more: Entry | None) -> Sequence:
        items: list[Node] = [container]
        open_ = None
        if more is not None and isinstance(more.value, Sequence):
            items += more.value.items
            open_ = more.value.open
        elif more is not None:
            open_ = f"containers (line {more.value.line})"
        return assembled.sequence(container, "Container", items, open_)
