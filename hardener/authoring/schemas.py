"""JSON Schema for what people write, ``.harden.yaml`` and profiles: made of the records and tables of their readers.

A schema refuses nothing that the reader takes. What no schema can tell, such as a file that is not there, the reader
alone refuses. Source: json-schema.org, draft 2020-12.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from functools import cache
from typing import Any

import msgspec

from hardener.authoring import config, registry
from hardener.authoring import profile as profiles
from hardener.authoring.risks import RISKS
from hardener.authoring.transform import Transform, attribute_name
from hardener.errors import InputError
from hardener.kubernetes.images.row_schema import row_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NO_CHOICE = "no-such-choice"
_WORDS = re.compile(r"[A-Za-z][\w.-]*")

Schema = dict[str, Any]


def config_schema() -> Schema:
    """Return what ``.harden.yaml`` may hold."""
    records = config.document_records()
    schema = _of(records[""], "harden configuration (.harden.yaml)")
    top, parts = schema["properties"], schema["$defs"]
    top["kubernetes-version"] = _refined(top["kubernetes-version"], pattern=f"^({config.VERSION})$")
    top["platform"] = _refined(top["platform"], enum=[*config.PLATFORMS])
    top["options"] |= _options()
    top["images"]["items"] = row_schema()
    top["namespaces"]["additionalProperties"] = {"type": "string", "pattern": f"^({config.NAMESPACE})$"}
    top["registries"]["propertyNames"] = {"pattern": f"^({config.HOST})$"}
    parts["Registry"]["properties"]["mirrors"]["items"] = {"type": "string", "pattern": f"^({config.MIRROR})$"}
    for limit in parts["Deep"]["properties"].values():
        amount = {"type": "string", "pattern": r"^(?=[^A-Za-z]*[1-9])\+?[0-9.]+([eE][+-]?[0-9]+|[A-Za-z]{0,2})$"}
        limit["anyOf"] = [{"type": "integer", "minimum": 1}, amount, {"type": "null"}]
    # No part leads upwards, it is more than blanks, and no line that .gitignore would pass over.
    wanted = {
        "type": "string", "maxLength": config.LONGEST_PATTERN, "pattern": r"^(?!#)(?!!?([\s\S]*/)?\.\.(/|$))[\s\S]*\S",
    }  # fmt: skip
    top["exclude"] |= {"type": ["array", "null"], "items": wanted}
    known = {"anyOf": [{"enum": [*registry.transforms(), *RISKS, "*"]}, {"type": "string"}]}  # another one is a finding
    parts["Entry"]["properties"]["id"] |= known
    parts["Entry"]["properties"]["expires"]["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"  # not every editor knows days
    schema["type"] = ["object", "null"]  # nothing but comments
    return schema


def profile_schema() -> Schema:
    """Return what a file with a profile may hold."""
    schema = _of(profiles.document_record(), "harden profile")
    for key in ("transforms", "report", "without"):
        schema["properties"][key]["items"] = {"enum": [*registry.transforms()]}
    schema["properties"]["options"] |= _options()
    return schema


def _of(record: Any, title: str) -> Schema:
    """The schema of ``record``, with its fields at the top and the other records in ``$defs``."""
    (found,), parts = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    own = parts.pop(found["$ref"].rpartition("/")[2])
    return {"$schema": DIALECT, **own, "title": title, "$defs": parts}


def _refined(schema: Schema, **limits: Any) -> Schema:
    """An optional text, of which the text is held to ``limits``."""
    text = limits if "enum" in limits else {"type": "string"} | limits
    kept = {key: value for key, value in schema.items() if key not in ("anyOf", "type")}
    return kept | {"anyOf": [text, {"type": "null"}]}


def _options() -> Schema:
    groups = {}
    for group, keys in profiles.option_types().items():
        transform = next(each for each in registry.transforms().values() if each.takes and each.takes.group == group)
        groups[group] = {
            "type": "object", "additionalProperties": False, "description": _told(transform),
            "properties": {key: _option(transform, key, kinds) for key, kinds in keys.items()},
        }  # fmt: skip
    return {"type": "object", "additionalProperties": False, "properties": groups}


def _told(transform: Transform) -> str:
    """What the class of the options says of them."""
    return " ".join((inspect.getdoc(transform.options) or "").split()).replace("``", "`")


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _option(transform: Transform, key: str, kinds: tuple[type, ...]) -> Schema:
    """What one option takes, and what it is without."""
    default = getattr(_default(transform), attribute_name(key))
    if choices := _choices(transform, key):
        return {"enum": choices, "default": default}
    # A number is taken as the text that it is, see Profile.set_option; not every text may be one.
    as_text = str in kinds and not {int, float} & {*kinds} and _refusal(transform, key, "1") is None
    names = [_TYPES[kind] for kind in kinds] + ["integer"] * as_text
    return {"type": names[0] if len(names) == 1 else names, "default": default}


@cache
def _default(transform: Transform) -> Any:
    assert transform.options is not None
    return transform.options()


def _choices(transform: Transform, key: str) -> list[str]:
    """The words that an option takes where it takes nothing else; [] where that is not so.

    The class of the options decides: a word that is none of them is refused, and the message names those that are.
    """
    said = _refusal(transform, key, _NO_CHOICE)
    if said is None:
        return []
    named = dict.fromkeys(_WORDS.findall(said.partition(_NO_CHOICE)[2]))
    return [word for word in named if _refusal(transform, key, word) is None]


def _refusal(transform: Transform, key: str, value: str) -> str | None:
    """What the options of ``transform`` have against ``value``; None where they take it."""
    assert transform.options is not None and transform.takes is not None
    if str not in transform.takes.types[key]:
        return None
    try:
        transform.options(**{attribute_name(key): value})
    except InputError as error:
        return str(error)
    return None


def main(arguments: list[str]) -> None:
    """Print the schema that ``arguments`` name, ``config`` or ``profile``, with the rules that are installed here."""
    made = {"config": config_schema, "profile": profile_schema}
    print(json.dumps(made[arguments[0]](), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
