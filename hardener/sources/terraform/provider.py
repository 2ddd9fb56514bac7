"""What the resources of the provider hashicorp/kubernetes say of objects, from provider.json (made by
tests/terraform/provider_mapping.py)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

MANIFESTS = {"kubernetes_manifest": "manifest", "kubectl_manifest": "yaml_body"}
"""Resources that take an object as it is, each with the attribute that holds it."""


class Field(NamedTuple):
    """What a name in a block stands for: the field ``name`` of the object, and in which ``form``.

    ``form``: "one" (a nested block is a mapping), "many" (each one is an item of a list), "each" (each block in one is
    an item), "flat" (the block holds further fields of the same mapping); of an attribute the type of the field:
    "string", "integer", "octal" (a text with the mode of a file), "boolean", "IntOrString", "number", and lists and
    maps of them: "[string", "{string". ``block`` is that of nested blocks.
    """

    name: str
    form: str
    block: Block | None


class Block:
    """A kind of block: ``type_name`` is the Kubernetes type of what it says, ``fields`` what may stand in it, by the
    name in HCL; None for what the provider keeps to itself. ``required`` are the names that may not lack."""

    def __init__(self, number: int) -> None:
        found = _data()["blocks"][number]
        self.type_name: str = found["type"]
        self.required: list[str] = found.get("required", [])
        self.fields: dict[str, Field | None] = {
            name: None if entry is None else Field(entry[0], entry[1], _block(entry[2]) if len(entry) > 2 else None)
            for name, entry in found["fields"].items()
        }
        self._homes: dict[str, tuple[str, Field]] = {}
        for name, field in self.fields.items():
            if field is not None:
                self._homes.setdefault(field.name, (name, field))

    def home(self, field: str) -> tuple[str, Field] | None:
        """The name in HCL of a field of the object, and what that stands for; None where there is none."""
        return self._homes.get(field)

    @property
    def sent(self) -> dict[str, Any]:
        """What the provider sends where such a block says nothing, and Kubernetes would take absence for else."""
        found: dict[str, Any] = _data()["sent"].get(self.type_name, {})
        return found


class Resource(NamedTuple):
    """A type of resources: the object that each stands for."""

    type: str
    api_version: str
    kind: str
    block: Block


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("provider.json").read_text(encoding="utf-8"))
    return found


@cache
def _block(number: int) -> Block:
    return Block(number)


@cache
def resource(type: str) -> Resource | None:
    """The resource type ``type``; None for what is no object of Kubernetes."""
    found = _data()["resources"].get(type)
    return None if found is None else Resource(type, found[0], found[1], _block(found[2]))


@cache
def resource_of(api_version: str, kind: str, *, versioned: bool) -> Resource | None:
    """The resource that makes objects of ``kind``, with a version in its name where ``versioned``; None where there is
    none of that API version."""
    fits = [
        name
        for name, (version, called, _) in _data()["resources"].items()
        if (version, called) == (api_version, kind) and not name.startswith("kubernetes_default_")
    ]
    name = next((each for each in fits if each.endswith("_v1") is versioned), fits[0] if fits else None)
    return resource(name) if name is not None else None
