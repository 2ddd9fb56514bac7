"""Makes hardener/kubernetes/data/fields.json anew: which fields an object of Kubernetes has in which version.

Source: the OpenAPI definitions of Kubernetes (api/openapi-spec/swagger.json of each release), as the package
kubernetes-validate holds them: `python -m tests.field_table > hardener/kubernetes/data/fields.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")
SOURCE = "api/openapi-spec/swagger.json of Kubernetes v1.33.0 to v1.37.0, by kubernetes-validate"
# What may hold anything, or what other rules look at.
_ANY = re.compile(r".*\.(?:JSONSchemaProps\w*|JSON|RawExtension|FieldsV1|ManagedFieldsEntry|\w*Status)")
_LEFT = ("status", "managedFields")


def generate(schemas: Path) -> str:
    """The text of fields.json; ``schemas`` is the folder kubernetes-json-schema of kubernetes-validate."""
    read = [_definitions(schemas, version) for version in VERSIONS]
    kinds: dict[str, dict[int, str]] = {}
    for number, definitions in enumerate(read):
        for name, definition in definitions.items():
            for what in _kinds(definition):
                kinds.setdefault(what, {})[number] = _short(name)
    types = _types(read)
    reached = _reached({name for seen in kinds.values() for name in seen.values()}, types)
    table = {
        "source": SOURCE,
        "versions": VERSIONS,
        "kinds": {kind: _over(seen) for kind, seen in sorted(kinds.items())},
        "types": {
            name: {field: _over(seen) for field, seen in sorted(types[name].items())} for name in sorted(reached)
        },
    }
    return json.dumps(table, separators=(",", ":")).replace("},", "},\n") + "\n"


def _definitions(schemas: Path, version: str) -> dict[str, Any]:
    folder = next(path for path in schemas.iterdir() if re.fullmatch(rf"v{version}\.\d+-local", path.name))
    found: dict[str, Any] = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    return found


def _kinds(definition: dict[str, Any]) -> list[str]:
    """The kinds that a definition describes, as ``apps/v1/Deployment``; none of what is no object with metadata."""
    described = definition.get("x-kubernetes-group-version-kind", ())
    if len(described) != 1 or not {"apiVersion", "kind", "metadata"} <= definition.get("properties", {}).keys():
        return []
    return ["/".join(filter(None, (each["group"], each["version"], each["kind"]))) for each in described]


def _types(read: list[dict[str, Any]]) -> dict[str, dict[str, dict[int, str]]]:
    """The form of each field of each type, by the number of the version."""
    found: dict[str, dict[str, dict[int, str]]] = {}
    for number, definitions in enumerate(read):
        for name, definition in definitions.items():
            if _ANY.fullmatch(name):
                continue
            for field, schema in definition.get("properties", {}).items():
                form = "" if field in _LEFT else _form(schema)
                found.setdefault(_short(name), {}).setdefault(field, {})[number] = form
    return found


def _form(schema: dict[str, Any]) -> str:
    """ "Type" a mapping with known fields, "[Type" a list and "{Type" a mapping of such; "" anything else."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "" if _ANY.fullmatch(name) else _short(name)
    for key, sign in (("items", "["), ("additionalProperties", "{")):
        if key in schema and (inner := _form(schema[key])):
            return sign + inner
    return ""


def _short(name: str) -> str:
    return ".".join(name.split(".")[-3:])


def _reached(kinds: set[str], types: dict[str, dict[str, dict[int, str]]]) -> set[str]:
    found: set[str] = set()
    waiting = list(kinds)
    while waiting:
        name = waiting.pop()
        if name in types and name not in found:
            found.add(name)
            waiting += [form.lstrip("[{") for seen in types[name].values() for form in seen.values()]
    return found


def _over(seen: dict[int, str]) -> Any:
    """What is the same in all versions, or that with the first and the last of those that have it."""
    last = seen[max(seen)]
    return last if len(seen) == len(VERSIONS) else [last, min(seen), max(seen)]


if __name__ == "__main__":
    import kubernetes_validate

    print(generate(Path(kubernetes_validate.__file__).with_name("kubernetes-json-schema")), end="")
