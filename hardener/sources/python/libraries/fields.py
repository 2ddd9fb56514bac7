"""What a keyword argument, an attribute or the key of a dict means as a field of its object."""

from __future__ import annotations

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import CDK8S, KUBE, PULUMI, fields_by_keyword
from hardener.sources.python.model import Mapping


def field_of_argument(mapping: Mapping, keyword: str) -> str:
    """The field that a keyword argument or an attribute names."""
    return mapping.dialect.field(mapping.type_name, keyword) if mapping.dialect is not None else keyword


def field_of_key(mapping: Mapping, key: str) -> str:
    """The field that a key of a dict means to the library: one in snake_case is only understood by some."""
    meant, dialect = field_in_snake(mapping, key), mapping.dialect
    if meant is None or dialect is None or not dialect.reads_snake or (dialect is CDK8S and mapping.in_list):
        return key
    mapping.snake = True
    return meant


def field_of(mapping: Mapping, kind: str, name: str) -> str:
    """The field that an "attribute" or a "key" of the object means."""
    return field_of_argument(mapping, name) if kind == "attribute" else field_of_key(mapping, name)


def field_in_snake(mapping: Mapping, key: str) -> str | None:
    """The field that a key in snake_case stands for, understood or not; None for any other key."""
    fields = types.fields(mapping.type_name)
    if mapping.dialect is None or not fields or key in fields:
        return None
    return fields_by_keyword(PULUMI if mapping.dialect is KUBE else mapping.dialect, mapping.type_name).get(key)


def misunderstood(mapping: Mapping, key: str) -> str | None:
    """What happens to a key that the library does not understand, and what it should be; None for any other key."""
    meant = field_in_snake(mapping, key)
    if meant is None or field_of_key(mapping, key) != key:
        return None
    what = "left out" if mapping.dialect is CDK8S else "sent as it is"
    return f"{key} is {what}: the field is {meant}"
