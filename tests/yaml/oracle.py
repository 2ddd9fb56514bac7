"""A second opinion, made of PyYAML alone: go-yaml v2's reading of a document, written down independently."""

import re
from typing import Any

import yaml

_BOOLS = {"y": True, "yes": True, "true": True, "on": True, "n": False, "no": False, "false": False, "off": False}


class _Loader(yaml.CSafeLoader):
    """PyYAML with the scalars of go-yaml v2 and keys as JSON spells them."""


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style:  # the C parser says "" for plain, the other None
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in _BOOLS and text in (text.lower(), text.upper(), text.capitalize()):
        return _BOOLS[text.lower()]
    digits = text.replace("_", "") if text[0] != "." else text
    if re.fullmatch(r"[-+]?[0-9][0-9a-fA-FxXoObB]*", digits):
        sign, body = ("-", digits[1:]) if digits[0] == "-" else ("", digits.removeprefix("+"))
        try:
            octal = len(body) > 1 and body[0] == "0" and body.isdigit()
            return int(sign + ("0o" + body if octal else body), 0)
        except ValueError:
            pass
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", digits):
        return float(digits)
    return text


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Any:
    found: dict[str, Any] = {}
    yield found
    for key_node, value_node in node.value:
        if key_node.value == "<<" and not key_node.style:
            merged = loader.construct_object(value_node, deep=True)
            for source in merged if isinstance(merged, list) else [merged]:
                for key, value in source.items():
                    found.setdefault(key, value)
            continue
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, bool):
            key = str(key).lower()
        found[str(key)] = loader.construct_object(value_node, deep=True)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_constructor("tag:yaml.org,2002:str", _scalar)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def documents(text: str) -> list[Any]:
    """Give the documents of `text`; raises yaml.YAMLError where PyYAML does."""
    return list(yaml.load_all(text, _Loader))
