"""The syntax tree of a program, with the places of its nodes."""

from __future__ import annotations

import ast
import re
from typing import Any

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from hardener.sources.yaml import TextError

from .nesting import too_deep
from .places import Places

LARGEST = 2**19  # bytes; reading takes a thousand times as much memory
# The parser drops a form feed before a statement, and what stands before it on the line.
_FORM_FEED = re.compile(r"(?m)^[ \t\f]*\f")


def read(text: str, largest: int = LARGEST) -> tuple[cst.Module, Places]:
    """The tree of ``text``. Raises TextError, with the line where it is known, for what is no Python or cannot be read
    safely (``largest`` is in bytes), and RecursionError for what is nested too deeply."""
    if "\0" in text:
        raise TextError("it holds a null character", text.count("\n", 0, text.index("\0")) + 1)
    try:
        source = text.encode()
    except UnicodeEncodeError as error:
        raise TextError("it holds half a character", text.count("\n", 0, error.start) + 1) from None
    if len(source) > largest:
        raise TextError(f"{len(source) >> 10} KiB, more than {largest >> 10} KiB")
    if too_deep(text):
        raise RecursionError
    if "\f" in text:
        text = _FORM_FEED.sub(lambda found: "\n" * len(found[0]), text)
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        line = error.raw_line if error.raw_line > 1 else _line_of_error(text)
        raise TextError("not readable as Python 3", line) from None
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    places = Places(source, _spans(wrapper))
    # The parser counts an end of the last line that is not there, and not one that is CR alone.
    missing = len(source) - places.end(module)
    if missing not in ((0, 1) if source.endswith(b"\r") else (0,) if source.endswith(b"\n") else (0, -1, -2)):
        raise TextError("its parser does not keep all of it")
    return module, places


def _line_of_error(text: str) -> int:
    """The line that Python names; the parser says 1 where a text does not even fall into words."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    return 1


def _spans(wrapper: MetadataWrapper) -> Any:
    try:
        # As wrapper.resolve, which then visits all nodes once more for providers that nobody asked for.
        return ByteSpanPositionProvider()._gen(wrapper)
    except (LookupError, AttributeError) as error:  # what its clean-up makes of a RecursionError
        raise RecursionError from error
