"""New values as the text of a dialect: constructors, dicts and lists in the way of what stands around them."""

from __future__ import annotations

import keyword
import re
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.sources.open_values import OpenDict, OpenList
from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import CDK8S, KUBE
from hardener.sources.python.model import Mapping
from hardener.sources.python.writing.groups import Text, group
from hardener.sources.python.writing.imports import Names
from hardener.sources.python.writing.quotes import literal
from hardener.sources.yaml import TextError

_AS_DICTS = ("PodSecurityContext", "SecurityContext")
_HUMP = re.compile(r"[a-z][A-Z]")


class Way(Struct, frozen=True):
    """How a mapping is written. ``form`` is that of the model: "call", "dict" or "keywords". ``beside`` is the
    constructor whose library a new one is of. ``snake`` tells that the keys of a dict are snake_case, ``raw`` that a
    list of cdk8s passes it on as it is. ``quote`` is what texts stand in."""

    form: str
    beside: Mapping | None
    snake: bool
    raw: bool
    quote: str
    line: int


def way_of(mapping: Mapping, around: Way | None, quote: str) -> Way:
    """How ``mapping``, which stands in something written in the way ``around``, is written."""
    if mapping.form == "call":
        return Way("call", mapping, False, False, quote, mapping.line)
    if mapping.form == "virtual" and mapping.context is not None and mapping.context.dialect is not None:
        form = "call" if mapping.keywords is not None else "dict"
        return Way(form, mapping.context, mapping.context.dialect.snake_dicts, False, quote, mapping.line)
    return Way(mapping.form, mapping.context, _is_snake(mapping, around), mapping.in_list, quote, mapping.line)


def _is_snake(mapping: Mapping, around: Way | None) -> bool:
    """Whether the keys of a dict are snake_case."""
    if mapping.snake:
        return True
    written = (name for name, entry in mapping.fields.items() if entry.item is not None)
    if any(map(_HUMP.search, written)) and types.fields(mapping.type_name):
        return False
    if around is not None and around.form != "call":
        return around.snake
    return mapping.dialect is not None and mapping.dialect.snake_dicts and not mapping.in_list


class Renderer:
    """``names`` finds the classes, and notes which of them have to be imported."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def entry(self, mapping: Mapping, field: str, data: Any, way: Way) -> Text:
        """A new field of ``mapping``, which is written in that way. Raises TextError for one that it cannot have."""
        name = field
        if mapping.keywords is not None:
            if field not in mapping.keywords:
                raise TextError(f"{mapping.callee} has no argument for {field}", mapping.line)
            type_name = types.field_type(mapping.type_name, field)
            return [f"{mapping.keywords[field]}=", *self.value(data, type_name, self.below(mapping, field, way))]
        if mapping.form == "call":
            name = self._argument(mapping.type_name, field, way)
        elif mapping.form == "keywords":
            name = self._keyword(mapping.type_name, field, way)
        else:
            name = self._key(mapping.type_name, field, way)
        return [name, *self.value(data, types.field_type(mapping.type_name, field), way)]

    def below(self, mapping: Mapping, field: str, way: Way) -> Way:
        """How a field of ``mapping``, which is written in that way, is written: one that may be a dict is one where no
        class of its library is at hand."""
        if mapping.keywords is None or way.beside is None or way.beside.callee:
            return way
        return replace(way, form="dict") if types.field_type(mapping.type_name, field) in _AS_DICTS else way

    def value(self, data: Any, type_name: str, way: Way) -> Text:
        """A new value of a type, below something that is written in that way."""
        if isinstance(data, OpenDict | OpenList):
            raise TextError(f"a copy would lack what {data.why} adds", way.line)
        if isinstance(data, dict):
            return self._mapping(data, type_name, way)
        if isinstance(data, list):
            inner = types.item_type(type_name)
            return [group("[", [self.value(item, inner, way) for item in data], "]")]
        return self._scalar(data, type_name, way)

    def _mapping(self, data: dict[str, Any], type_name: str, way: Way) -> Text:
        is_map = type_name.startswith("{")
        known = bool(types.fields(type_name))
        if way.form == "call" and not is_map:
            assert way.beside is not None
            if not known:
                raise TextError(f"the type of a new value is not known ({', '.join(data)})", way.line)
            opening, closing = self.names.callee(way.beside, type_name) + "(", ")"
        elif way.form == "keywords" and not is_map:
            opening, closing = "dict(", ")"
        else:
            opening, closing = "{", "}"
        items: list[Text] = []
        for name, item in data.items():
            if way.form == "call" and not is_map:
                key = self._argument(type_name, name, way)
            else:
                key = self._key(type_name, name, way)
            items.append([key, *self.value(item, types.field_type(type_name, name), way)])
        return [opening[:-1], group(opening[-1], items, closing)]

    def _argument(self, type_name: str, field: str, way: Way) -> str:
        assert way.beside is not None and way.beside.dialect is not None
        if field not in types.fields(type_name):
            raise TextError(f"{type_name} has no field {field}", way.line)
        return way.beside.dialect.keyword(field) + "="

    def _key(self, type_name: str, name: str, way: Way) -> str:
        """The key of a dict with what follows it."""
        is_map = type_name.startswith("{")
        if way.form == "keywords" and not is_map:
            return self._keyword(type_name, name, way)
        return f"{literal(name if is_map else self._cased(type_name, name, way), way.quote)}: "

    def _keyword(self, type_name: str, name: str, way: Way) -> str:
        """An argument of ``dict()`` up to its value."""
        if not name.isidentifier() or keyword.iskeyword(name):
            raise TextError(f"{name} cannot be a keyword argument of dict()", way.line)
        return f"{name if type_name.startswith('{') else self._cased(type_name, name, way)}="

    def _cased(self, type_name: str, name: str, way: Way) -> str:
        if not way.snake or way.beside is None or way.beside.dialect is None:
            return name
        if name in types.fields(type_name):
            return way.beside.dialect.keyword(name)
        if _HUMP.search(name):
            raise TextError(f"how {name} is written here is not known", way.line)
        return name

    def _scalar(self, data: Any, type_name: str, way: Way) -> Text:
        if isinstance(data, str) and "${" in data:
            raise TextError("an expression is not copied", way.line)
        text = literal(data, way.quote)
        dialect = way.beside.dialect if way.beside is not None else None
        if type_name == "Quantity" and dialect is KUBE and way.form == "call" and not isinstance(data, str):
            raise TextError("a quantity has to be a text", way.line)
        if dialect is CDK8S and type_name in ("Quantity", "IntOrString") and data is not None:
            assert way.beside is not None
            maker = "from_string" if isinstance(data, str) else "from_number"
            return [f"{self.names.callee(way.beside, type_name)}.{maker}", group("(", [[text]], ")")]
        return [text]
