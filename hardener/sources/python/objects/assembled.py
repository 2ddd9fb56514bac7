"""Nodes for objects that no text holds as a whole: a framework puts them together from its settings."""

from __future__ import annotations

from hardener.sources.python.libraries.dialects import Dialect
from hardener.sources.python.libraries.subclasses import UNKNOWN, Fixed
from hardener.sources.python.model import Entry, Mapping, Node, Opaque, Scalar, Sequence

FRAGMENT = "fragment.harden/v1"


def holder(at: Node, type_name: str, context: Mapping | None = None, open_: str | None = None) -> Mapping:
    """An empty mapping of a type that stands at the place of ``at``; see ``Mapping`` for ``context``."""
    made = Mapping(at.start, at.end, at.line, form="virtual", type_name=type_name, dialect=None, bracket=None)
    made.dialect = context.dialect if context is not None else None
    made.context, made.open = context, open_
    return made


def context(at: Node, dialect: Dialect, callee: str = "") -> Mapping:
    """A constructor that is only meant to stand around what is at the place of ``at``."""
    made = Mapping(at.start, at.end, at.line, form="call", type_name="", dialect=dialect, bracket=None)
    made.callee = callee
    return made


def implied(at: Node, value: str | bool | int) -> Entry:
    """A value that no text says."""
    return Entry(Scalar(at.start, at.end, at.line, value, written=False), None)


def unknown(at: Node, text: str, reason: str) -> Entry:
    """A value that is not known: ``text`` names the setting, ``reason`` says what it is."""
    return Entry(Opaque(at.start, at.end, at.line, "${" + text + "}", reason), None)


def fixed(at: Node, name: str, given: Fixed) -> Entry:
    """The value of an argument ``name`` that stands in an own class."""
    if given.value is UNKNOWN:
        return unknown(at, name, f"set by {given.where}")
    if isinstance(given.value, list):
        why = f"set by {given.where}"
        items = [(unknown(at, name, why) if each is UNKNOWN else implied(at, each)).value for each in given.value]
        return Entry(sequence(at, "", items), None)
    return Entry(Scalar(at.start, at.end, at.line, given.value, written=False, where=given.where), None)


def sequence(at: Node, item_type: str, items: list[Node], open_: str | None = None) -> Sequence:
    """A list of ``items`` that no brackets are around."""
    made = Sequence(at.start, at.end, at.line, form="virtual", item_type=item_type, bracket=None, items=items)
    made.places, made.open = [None] * len(items), open_
    return made


def head(at: Node, kind: str) -> dict[str, Entry]:
    """The first fields of a document of a group of our own."""
    return {"apiVersion": implied(at, FRAGMENT), "kind": implied(at, kind)}


def document(at: Node, kind: str, metadata: Mapping | None, spec: Mapping) -> Mapping:
    """A pod, or what becomes a part of one, as a document of a group of our own; ``kind`` names what makes it."""
    made = holder(at, "")
    made.fields = head(at, kind)
    if metadata is not None:
        made.fields["metadata"] = Entry(metadata, None)
    made.fields["spec"] = Entry(spec, None)
    return made


def variables(node: Node) -> Node:
    """Environment variables that are written as a dict of names as the list that a container has."""
    if not isinstance(node, Mapping) or node.form == "call":
        return node
    items: list[Node] = []
    for name, entry in node.fields.items():
        item = holder(entry.value, "EnvVar")
        item.fields["name"] = implied(entry.value, name)
        if isinstance(entry.value, Mapping):  # {"valueFrom": ...}
            item.fields |= entry.value.fields
        else:
            item.fields["value"] = Entry(entry.value, None)
        items.append(item)
    return sequence(node, "EnvVar", items, node.open)
