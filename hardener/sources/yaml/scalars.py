"""Scalars: read as the Kubernetes API reads them, written so that every YAML reader agrees.

The API server and kubectl read YAML with go-yaml v2 (YAML 1.1 booleans, octals with a leading 0); other tools read
YAML 1.1 or 1.2. Reading follows go-yaml v2; writing quotes whatever any of the three could take for something else.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import Any

from .text_error import TextError

_WORDS: dict[str, bool | float | None] = {"": None}
for _value, _spellings in (
    (True, "y Y yes Yes YES true True TRUE on On ON"),
    (False, "n N no No NO false False FALSE off Off OFF"),
    (None, "~ null Null NULL"),
    (float("nan"), ".nan .NaN .NAN"),
    (float("inf"), ".inf .Inf .INF +.inf +.Inf +.INF"),
    (float("-inf"), "-.inf -.Inf -.INF"),
):
    for _spelling in _spellings.split():
        _WORDS[_spelling] = _value

_NUMBER_START = frozenset("0123456789+-.")
_INT = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_TAG = "tag:yaml.org,2002:"


@lru_cache(maxsize=1 << 14)  # manifests say the same few words again and again
def resolve(text: str) -> Any:
    """Give the value of a plain scalar: None, bool, int, float or str."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if text[0] == ".":
        return float(text) if _FLOAT.match(text) else text
    digits = text.replace("_", "")
    match = _INT.match(digits)
    if match:
        number = _integer(match)
        if -(1 << 63) <= number < 1 << 64:
            return number
        if match[5] is None and match[4] is None:
            raise TextError("a number does not fit into 64 bits")
    if _FLOAT.match(digits):
        value = float(digits)
        return text if value in (float("inf"), float("-inf")) else value
    return text


def _integer(match: re.Match[str]) -> int:
    sign, base16, base2, base8, base10 = match.groups()
    for body, base in ((base10, 10), (base8, 8), (base16, 16), (base2, 2)):
        if body is not None:
            # A number of thousands of digits is no int64; float() copes where int() refuses.
            return (
                -int(body, base) if sign == "-" and len(body) < 400 else int(body, base) if len(body) < 400 else 1 << 70
            )
    raise AssertionError(match)


def tagged(text: str, tag: str) -> Any:
    """Give the value of a scalar with an explicit tag; custom tags are refused."""
    if tag in ("!", _TAG + "str"):
        return text
    value = resolve(text)
    kind = tag.removeprefix(_TAG)
    if kind == "float" and type(value) is int:
        return float(value)
    expected = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(kind) if kind != tag else None
    if expected is None or type(value) is not expected:
        raise TextError("a value carries a tag that Kubernetes does not read")
    return value


def key_text(value: Any) -> str:
    """Spell a mapping key as JSON does: the API turns every key into a string."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _go_float32(value)
    raise TextError("a key is null")


def _go_float32(value: float) -> str:
    """Format like Go's FormatFloat(value, 'g', -1, 32), which sigs.k8s.io/yaml uses for keys."""
    if value != value or value in (float("inf"), float("-inf")):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    try:
        short: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    for precision in range(9):
        digits = f"{short:.{precision}e}"
        if struct.unpack("f", struct.pack("f", float(digits)))[0] == short:
            break
    mantissa, exponent = digits.split("e")
    if -4 <= int(exponent) < 21:
        return f"{short:.{max(0, precision - int(exponent))}f}"
    return f"{mantissa}e{exponent}"


def same(a: Any, b: Any) -> bool:
    """Compare deeply and by type: True is not 1, 1 is not 1.0, NaN is NaN; the order of keys does not count. A text
    that stands for an expression is any of the same characters."""
    kind = type(a)
    if kind is not type(b):
        return isinstance(a, str) and isinstance(b, str) and a == b
    if kind is dict:
        if len(a) != len(b):
            return False
        for key, value in a.items():
            if key not in b:
                return False
            other = b[key]
            if value is not other and not same(value, other):  # texts are interned: most are one object
                return False
        return True
    if kind is list:
        return len(a) == len(b) and _same_items(a, b)
    return bool(a == b) if kind is str else _same_others(a, b)


def _same_others(a: Any, b: Any) -> bool:
    """Compare what is of a class of its own, or a number."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and _same_items(a, b)
    return bool(a == b or (a != a and b != b))


def _same_items(a: list[Any], b: list[Any]) -> bool:
    for value, other in zip(a, b, strict=True):
        if value is not other and not same(value, other):
            return False
    return True


# What another reader could take for a number, a date, a merge key: sexagesimal, exponents, every base, dates.
_OTHER_READERS = re.compile(
    r"""(?:[-+]?[0-9][0-9_,]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    |[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?
    |[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?
    |[-+]?0[obxOBX]?[0-9a-fA-F_]+
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*
    |=|<<)\Z""",
    re.X | re.S,
)
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=[^\s,\[\]{}])")
# The old libyaml (in ruamel.yaml.clib and in go-yaml v2) is strict about `:` and `?` inside brackets.
_NOT_IN_FLOW = re.compile(r"[,\[\]{}:?#&*!|>%@`\"']")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@lru_cache(maxsize=1 << 13)
def plain_is_safe(text: str, flow: bool) -> bool:
    """Tell whether every reader takes `text`, unquoted, for the string `text`."""
    return (
        bool(_PLAIN_START.match(text))
        and text.isprintable()
        and text[-1] not in " :"
        and ": " not in text
        and " #" not in text
        and not text.startswith(("---", "..."))
        and not _OTHER_READERS.match(text)
        and text not in _WORDS
        and isinstance(resolve(text), str)
        and not (flow and _NOT_IN_FLOW.search(text))
    )


def double_quoted(text: str) -> str:
    """Quote so that JSON and YAML read the same string."""
    return '"' + "".join(_SHORT_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else char


def write_scalar(value: Any, quote: str = '"', *, force: bool = False, flow: bool = False, json: bool = False) -> str:
    """Spell a scalar on one line.

    `quote` is the quote to use where one is needed, `force` quotes every string, `json` keeps to JSON's spelling.
    """
    if not isinstance(value, str):
        if value is None:
            return "null"
        if value is True or value is False:
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            return _write_float(value, json)
        raise TextError(f"a value of type {type(value).__name__} cannot be written")
    if json:
        return double_quoted(value)
    if not force and plain_is_safe(value, flow):
        return value
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return double_quoted(value)


def _write_float(value: float, json: bool) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        if json:
            raise TextError("JSON has no infinity and no NaN")
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 wants a point before the exponent.
    return text if "." in text or "e" not in text else text.replace("e", ".0e")
