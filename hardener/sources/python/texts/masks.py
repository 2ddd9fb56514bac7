"""YAML inside a text literal: what the program fills in is masked, so that the YAML engine can read and write it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

from hardener.sources.open_values import Expression, like
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places
from hardener.sources.python.texts.placeholders import set_apart
from hardener.sources.yaml import TextError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_MASK = re.compile(r"#?\$\([A-Za-z0-9_.]+\)")
# What str.format and the % operator fill in.
_BRACES = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}")
_PERCENT = re.compile(r"%%|%(?:\([^()%\n]*+\))?+[-#0 +]*+[0-9*]*+(?:\.[0-9*]++)?+[diouxXeEfFgGcrsa]")
_BY_PLACE = re.compile(r"%[^(%].*|\{(?:[!:].*)?\}", re.S)  # of these no two need be the same
_IN_BRACES = re.compile(r"(?<!\$)\{[A-Za-z_][A-Za-z0-9_.\[\]]*\}")


class Masked(Struct):
    """``text`` is the YAML with a mask such as "$(image)" for each field, "#$(volumes)" for one that is a line of its
    own; ``fields`` holds what stands there, by mask.

    ``skip`` is how many characters of the literal lie before the text, ``quote`` what ends it. ``style`` is how fields
    are written: "braces", "percent", "" for none.
    """

    text: str
    skip: int
    quote: str
    raw: bool
    style: str
    fields: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)  # by field
    numbers: dict[str, int] = field(default_factory=dict)  # how often a name was taken for one

    def data(self, value: Any) -> Any:
        """A copy of the data ``value``, in which texts that hold a mask are expressions."""
        if isinstance(value, dict):
            return like(value, {key: self.data(item) for key, item in value.items()})
        if isinstance(value, list):
            return like(value, [self.data(item) for item in value])
        if isinstance(value, str) and any(
            mask in self.fields or f"#{mask}" in self.fields for mask in _MASK.findall(value)
        ):
            return Expression(value)
        return value

    def original(self, text: str) -> str:
        """What stands in the literal for the part ``text`` of the YAML."""
        if self.style == "braces":
            text = text.replace("{", "{{").replace("}", "}}")
        elif self.style == "percent":
            text = text.replace("%", "%%")
        return _MASK.sub(self._field, text)

    def _field(self, mask: re.Match[str]) -> str:
        if mask[0] in self.fields:
            return self.fields[mask[0]]
        sign = "#" if mask[0][0] == "#" else ""
        name = mask[0].removeprefix("#")
        return sign + self.fields.get(name, name)

    def alone(self, mask: str) -> str:
        """The mask of the field with that ``mask``, or of what is written as one, where it is a line of its own."""
        made = "#" + _mask(self.fields.get(mask, mask), self, is_new=True)
        self.fields[made] = self.fields.pop(made[1:])
        return made

    def restored(self, text: str, before: str) -> str:
        """What to write in the literal for the YAML ``text``, which comes in place of ``before``. Raises TextError
        where that cannot be written there."""
        if _MASK.findall(text) != _MASK.findall(before):
            raise TextError("what the program fills in would not be in the same order")
        restored = self.original(text)
        if self.quote in restored or restored.endswith(self.quote[0]) or ("\\" in restored and not self.raw):
            raise TextError("the new text would end or escape the literal it is in")
        return restored


def unmarked(value: Any) -> Any:
    """A copy of the data ``value``, in which expressions are texts as the YAML holds them, and nothing is open."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return str(value) if isinstance(value, Expression) else value


def masked(node: syntax.SimpleString | syntax.FormattedString, places: Places, style: str) -> Masked:
    """The YAML that the literal ``node`` holds; ``style`` is how it is filled in where it is no f-string.

    Raises TextError where its text is not what a reader of the source sees.
    """
    prefix, quote = node.prefix, node.quote
    raw = "r" in prefix.lower()
    whole = places.text(node)  # a mask must not be what is written there already
    found = Masked(whole, len(prefix) + len(quote), quote, raw, style)
    text = node.raw_value if isinstance(node, syntax.SimpleString) else None
    if text is None:
        found.style = "braces"
        text = "".join(_part(part, places, found) for part in node.parts)  # type: ignore[union-attr]
    elif style == "braces":
        text = _BRACES.sub(lambda match: _field(match[0], found), text)
        if _MASK.sub("", text).count("{") != _MASK.sub("", text).count("}"):
            raise TextError("its braces are not those of str.format")
    elif style == "percent":
        text = _PERCENT.sub(lambda match: "%" if match[0] == "%%" else _mask(match[0], found), text)
    elif _IN_BRACES.search(text) and "b" not in prefix.lower():
        raise TextError("what is in braces may be filled in elsewhere")
    if not raw and text.startswith(("\\\n", "\\\r\n")):
        cut = text.index("\n") + 1
        text, found.skip = text[cut:], found.skip + cut
    if "\\" in text and not raw:
        raise TextError("it holds escapes")
    found.text = set_apart(text, found.alone)
    return found


def _part(part: syntax.FormattedStringText | syntax.FormattedStringExpression, places: Places, found: Masked) -> str:
    if isinstance(part, syntax.FormattedStringText):
        return part.value.replace("{{", "{").replace("}}", "}")
    original = places.text(part)
    if "\n" in original:
        raise TextError("an expression in it has several lines")
    return _mask(original, found)


def _field(original: str, found: Masked) -> str:
    return original[0] if original in ("{{", "}}") else _mask(original, found)


def _mask(original: str, found: Masked, *, is_new: bool = False) -> str:
    """The mask of a field; the same one for the same text, unless its place tells what it is or it ``is_new``."""
    by_place = is_new or _BY_PLACE.fullmatch(original) is not None
    if not by_place and original in found.masks:
        return found.masks[original]
    name = None if by_place and not is_new else _NAME.search(original)
    base = name[0] if name is not None else "value"
    while True:
        number = found.numbers[base] = found.numbers.get(base, 0) + 1
        mask = f"$({base})" if number == 1 else f"$({base}_{number})"
        if mask not in found.fields and mask not in found.text:
            break
    found.fields[mask] = original
    if not is_new:
        found.masks[original] = mask
    return mask
