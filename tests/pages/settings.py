"""The page of configuration: the keys of `.harden.yaml` and of a profile, and the options of transforms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from types import UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from hardener.authoring import config, profile, registry
from hardener.authoring.transform import Transform, option_name
from hardener.kubernetes.images import row_schema as image_row_schema
from tests.pages.markdown import HEAD, code, plain, table

# What the records say nothing of.
_SAID = {
    "kind": "The kind of the object.",
    "name": "Its name, or a pattern such as legacy-*.",
    "namespace": "Its namespace.",
    "container": "One container of its pod, by name.",
    "path": "Its file: a pattern as in .gitignore, seen from the Git root.",
    "owner": "Who is asked when it has ended.",
    "mirrors": "Asked first, as a host, or a host and a path; then the registry itself.",
    "insecure": "true: it is asked without TLS.",
    "compressed": "Bytes of its layers (2Gi), at most 32Gi.",
    "uncompressed": "Bytes of its layers unpacked (8Gi), at most 128Gi.",
    "members": "Files and folders in it (500000), at most 4000000.",
    "ratio": "How many times its size a layer may unpack to (200), at most 1000.",
}
_KINDS = {str: "text", bool: "true, false", int: "number", float: "number"}


def page() -> str:
    """The text of docs/reference/configuration.md."""
    records = config.document_records()
    lines = [HEAD, "", "# Configuration", ""]
    lines += [
        "`.harden.yaml` at the Git root holds what a repository always wants. `--config FILE` names another file. Every"
        " key is optional. [Profiles](../profiles.md) and [Exceptions](../exceptions.md) show examples.",
        "",
        "## .harden.yaml",
        "",
        *table(("key", "value", "what it says"), _keys(records[""])),
    ]
    for place, head in (
        ("exceptions", "An entry of `exceptions`:"),
        ("exceptions.match", "Its `match`:"),
        ("registries", "An entry of `registries`, below the host:"),
        ("deep", "`deep`:"),
        ("helm", "`helm`:"),
    ):
        lines += [head, "", *table(("key", "value", "what it says"), _keys(records[place]))]
    rows = [(code(key), plain(test[1])) for key, test in image_row_schema._TESTS.items()]
    lines += ["A row of `images`. Only `match` is required:", "", *table(("key", "value"), rows)]
    lines += [
        "## A profile",
        "",
        "A file that `--profile` or `profile` in `.harden.yaml` names.",
        "",
        *table(
            ("key", "value", "what it says"),
            [
                ("`extends`", "text", "a built-in profile, or a file, seen from this one"),
                ("`description`", "text", "what `harden profiles` prints"),
                ("`transforms`", "list", "ids of transforms that change manifests"),
                ("`report`", "list", "ids of transforms that only report"),
                ("`without`", "list", "ids that neither change nor report"),
                ("`options`", "mapping", "options by group, as below"),
            ],
        ),
        "## Options",
        "",
        "An option belongs to a group of transforms. It is set in a profile, in `.harden.yaml` below `options`, or for"
        " one run with `--set GROUP.KEY=VALUE`. `harden profiles NAME` prints what a profile sets.",
        "",
    ]
    for options, transforms in _groups().items():
        lines += _group(options, transforms)
    return "\n".join(lines).rstrip("\n") + "\n"


def _keys(record: Any) -> Iterator[tuple[str, str, str]]:
    for each in msgspec.structs.fields(record):
        kind, said = get_args(each.type) if get_origin(each.type) is Annotated else (each.type, None)
        text = said.description if said is not None else _SAID[each.encode_name]
        yield code(each.encode_name), _kind(kind), plain(text)


def _kind(kind: Any) -> str:
    kinds = [part for part in get_args(kind) if part is not type(None)] if isinstance(kind, UnionType) else [kind]
    words = dict.fromkeys(_word(part) for part in kinds)
    return " or ".join(words)


def _word(kind: Any) -> str:
    if get_origin(kind) in (list, tuple) or kind is Any:
        return "list"
    if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return "mapping"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(each.value for each in kind)
    return _KINDS.get(kind, getattr(kind, "__name__", str(kind)))


def _groups() -> dict[type, list[Transform]]:
    found: dict[type, list[Transform]] = {}
    for transform in registry.transforms().values():
        if transform.options is not None:
            found.setdefault(transform.options, []).append(transform)
    return dict(sorted(found.items(), key=lambda item: item[0].GROUP))  # type: ignore[attr-defined]


def _group(options: type, transforms: list[Transform]) -> list[str]:
    group: str = options.GROUP  # type: ignore[attr-defined]
    lines = [f"### {group}", ""]
    lines += [f"Of {', '.join(f'[{code(item.id)}](../transforms/{item.id}.md)' for item in transforms)}.", ""]
    for part in re.split(r"\n\s*\n", (options.__doc__ or "").strip()):
        said = re.sub(
            r"``[^`]+``",
            lambda match: match[0].replace("_", "-") if match[0].islower() else match[0],
            " ".join(part.split()),
        )
        lines += [plain(said), ""]
    hints = get_type_hints(options)
    named = {name: profile.load(name).options.get(group, {}) for name in profile.BUILT_IN}
    rows = []
    for each in fields(options):
        key = option_name(each.name)
        values = (values.get(key, each.default) for values in named.values())
        rows.append((code(f"{group}.{key}"), _kind(hints[each.name]), *(_value(value) for value in values)))
    return [*lines, *table(("option", "value", *profile.BUILT_IN), rows)]


def _value(value: object) -> str:
    if isinstance(value, bool):
        value = str(value).lower()
    return code(str(value)) if value != "" else "not set"
