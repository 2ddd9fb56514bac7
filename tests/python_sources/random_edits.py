"""Random edits of what a Python program says of Kubernetes objects, each fit for the type it is made in."""

from __future__ import annotations

import random
from typing import Any

from hardener.sources.python.libraries import types
from hardener.sources.python.model import Mapping, Node, Sequence
from hardener.sources.python.parsed import Parsed

TEXTS = ("a", "some text", "it's", 'say "hi"', "back\\slash", "Grüße", "", "two\nlines", "x" * 30, "y" * 70, "${x}")

HEAD = ("apiVersion", "kind")  # what makes something an object


class Edits:
    """Makes ``count`` edits of the documents of ``parsed``, the same ones for the same state of ``rng``; ``rows`` are
    the lines (from 1) of the nodes that they were made in."""

    def __init__(self, parsed: Parsed, rng: random.Random, count: int) -> None:
        self.parsed, self.rng, self.count = parsed, rng, count
        self.rows: set[int] = set()
        self.wanted: list[Any] = []
        self.kinds: set[str] = set()

    def __call__(self, documents: list[Any]) -> None:
        self.wanted = documents
        for _ in range(self.count):
            number = self.rng.randrange(len(documents))
            self.descend(self.parsed.roots[number], documents[number])

    def descend(self, node: Node, data: Any) -> None:
        while True:
            inner: list[tuple[Node, Any]] = []
            if isinstance(node, Mapping) and isinstance(data, dict):
                inner = [(entry.value, data[key]) for key, entry in node.fields.items() if key in data]
            elif isinstance(node, Sequence) and isinstance(data, list):
                inner = list(zip(node.items, data, strict=False))
            inner = [(below, value) for below, value in inner if isinstance(value, dict | list)]
            if not inner or self.rng.random() < 0.25:
                break
            node, data = self.rng.choice(inner)
        self.mark(node)
        if isinstance(data, dict) and isinstance(node, Mapping):
            self.in_mapping(node, data)
        elif isinstance(data, list) and isinstance(node, Sequence):
            self.in_list(node, data)

    def mark(self, node: Node) -> None:
        source = self.parsed.source
        first = source.count(b"\n", 0, node.start) + 1
        self.rows.update(range(first, first + source[node.start : node.end].count(b"\n") + 1))
        if isinstance(node, Sequence):  # what comes may be paired with what was there
            for item in node.items:
                self.mark(item)

    def in_mapping(self, node: Mapping, data: dict[str, Any]) -> None:
        rng = self.rng
        action = rng.choice(["set", "add", "add", "add", "drop"])
        self.kinds.add(action)
        if action == "add":
            fields = types.fields(node.type_name)
            names = [name for name in fields if name not in data and name not in (*HEAD, "status")]
            name = rng.choice(names or ["newKey", "other", "a-b"])
            put(data, name, self.value(fields.get(name, node.type_name[1:]), 3), rng)
        elif names := [name for name in data if name not in HEAD]:
            name = rng.choice(names)
            if action == "drop":
                del data[name]
            elif isinstance(data[name], str | int | None):
                if name in node.fields:
                    self.mark(node.fields[name].value)
                data[name] = self.other(data[name], types.field_type(node.type_name, name))

    def in_list(self, node: Sequence, data: list[Any]) -> None:
        rng = self.rng
        action = rng.choice(["append", "insert", "drop", "set"])
        self.kinds.add(action)
        if action == "append":
            data.append(self.value(node.item_type, 2))
        elif action == "insert":
            data.insert(rng.randint(0, len(data)), self.value(node.item_type, 2))
        elif data:
            index = rng.randrange(len(data))
            if action == "drop":
                del data[index]
            elif isinstance(data[index], str | int | None):
                data[index] = self.other(data[index], node.item_type)

    def other(self, old: Any, type_name: str) -> Any:
        if isinstance(old, bool):
            return not old
        if isinstance(old, int):
            return self.rng.choice([0, 1, -5, 65535])
        return self.rng.choice(TEXTS) if isinstance(old, str) else self.value(type_name, 2)

    def value(self, type_name: str, depth: int) -> Any:
        rng = self.rng
        if type_name.startswith("["):
            return [self.value(type_name[1:], depth - 1) for _ in range(rng.randint(0, 2))]
        if type_name.startswith("{"):
            keys = rng.sample(["a", "b/c", "d"], rng.randint(0, 2))
            return {key: self.value(type_name[1:], depth - 1) for key in keys}
        fields = types.fields(type_name)
        if fields:
            names = rng.sample(sorted(fields), min(len(fields), rng.randint(0, 3) if depth > 0 else 0))
            return {name: self.value(fields[name], depth - 1) for name in names}
        if type_name in ("integer", "number"):
            return rng.choice([0, 1, 65535])
        if type_name == "boolean":
            return rng.random() < 0.5
        if type_name == "IntOrString":
            return rng.choice([80, "http"])
        return rng.choice(TEXTS[:-1])


def put(data: dict[str, Any], name: str, value: Any, rng: random.Random) -> None:
    """A new key somewhere between the others."""
    items = list(data.items())
    items.insert(rng.choice([len(items), rng.randint(0, len(items))]), (name, value))
    data.clear()
    data.update(items)
