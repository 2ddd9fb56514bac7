"""Makes hardener/sources/python/libraries/types.json anew from the schemas in kubernetes-validate:
`python -m tests.python_sources.type_graph > hardener/sources/python/libraries/types.json`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

VERSIONS = ("1.37", "1.25")  # newest first; the older one adds what was removed since
# Where a name means several types, the first of these groups has it.
GROUPS = (
    "core apps batch meta rbac networking autoscaling policy admissionregistration storage apiextensions "
    "apiregistration scheduling node discovery coordination certificates"
).split()
_NAME = re.compile(r"io\.k8s\..*\.(?P<group>[a-z]+)\.(?P<version>v\d+(?:(?:alpha|beta)\d+)?)\.(?P<type>\w+)")


def generate(schemas: Path) -> str:
    """The text of types.json; ``schemas`` is the folder kubernetes-json-schema of kubernetes-validate."""
    definitions: dict[str, Any] = {}
    for version in VERSIONS:
        folder = next(path for path in schemas.iterdir() if re.fullmatch(rf"v{version}\.\d+-local", path.name))
        for name, definition in json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"].items():
            definitions.setdefault(name, definition)
    types: dict[str, dict[str, str]] = {}
    modules: dict[str, str] = {}
    kinds: dict[str, list[str]] = {}
    for name in sorted(definitions, key=_rank):
        found = _NAME.fullmatch(name)
        if found is None or found["group"] not in GROUPS or found["type"].endswith(("List", "Status")):
            continue
        definition = definitions[name]
        module = f"{found['group']}.{found['version']}"
        fields = {field: _type(schema) for field, schema in definition.get("properties", {}).items()}
        if modules.setdefault(found["type"], module).partition(".")[0] == found["group"]:
            types[found["type"]] = fields | types.get(found["type"], {})
        if {"apiVersion", "kind", "metadata"} <= fields.keys():
            for what in definition.get("x-kubernetes-group-version-kind", ()):
                api_version = "/".join(filter(None, (what["group"], what["version"])))
                if api_version not in kinds.setdefault(what["kind"], []):
                    kinds[what["kind"]].append(api_version)
    kinds = {kind: versions for kind, versions in kinds.items() if kind in types and kind != "DeleteOptions"}
    wanted: set[str] = set()
    waiting = list(kinds)
    while waiting:
        name = waiting.pop()
        if name in types and name not in wanted:
            wanted.add(name)
            waiting += [field.lstrip("[{") for field in types[name].values()]
    graph = {name: {"module": modules[name], "fields": dict(sorted(types[name].items()))} for name in sorted(wanted)}
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in graph.items()]
    of_kinds = [f"    {json.dumps(kind)}: {json.dumps(versions)}" for kind, versions in sorted(kinds.items())]
    return '{\n  "kinds": {\n' + ",\n".join(of_kinds) + '\n  },\n  "types": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def _rank(name: str) -> tuple[int, int, int, str]:
    """Groups in their order, stable and new versions first."""
    found = _NAME.fullmatch(name)
    if found is None or found["group"] not in GROUPS:
        return 99, 0, 0, name
    major, stage, minor = re.fullmatch(r"v(\d+)(alpha|beta|)(\d*)", found["version"]).groups()  # type: ignore[union-attr]
    return (
        GROUPS.index(found["group"]),
        {"": 0, "beta": 1, "alpha": 2}[stage],
        -(int(major) * 100 + int(minor or 0)),
        name,
    )


def _type(schema: dict[str, Any]) -> str:
    """ "Container", "[Container", "{string", "string"; "object" for anything."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition(".")[2]
        return name if not name.endswith("Status") else "object"
    kind = (
        [each for each in [*schema.get("type", ())] if each != "null"]
        if isinstance(schema.get("type"), list)
        else [schema.get("type")]
    )
    if kind == ["array"]:
        return "[" + _type(schema.get("items", {}))
    if kind == ["object"]:
        return "{" + _type(schema["additionalProperties"]) if "additionalProperties" in schema else "object"
    return kind[0] if len(kind) == 1 and kind[0] else "object"


if __name__ == "__main__":
    import kubernetes_validate

    print(generate(Path(kubernetes_validate.__file__).with_name("kubernetes-json-schema")), end="")
