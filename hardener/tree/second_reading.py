"""What kubectl reads of a file, beside what harden reads of it: an object that only one of the two sees is not judged.

Only a file in which something may be read in more than one way is read twice.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from hardener.kubernetes.objects import interest, list_items
from hardener.sources import yaml
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.yaml import go_stream

READ_OTHERWISE = "read-otherwise"
_MARK = "\ufeff"
_OF_MARK = "a byte order mark is within the file, and kubectl does not read it as a letter", "remove it"


def hides_object(text: str) -> bool:
    """Whether ``text`` may be read in more than one way, and kubectl reads an object of interest in it."""
    return go_stream.unusual(text) is not None and holds_object(text)


def holds_object(text: str) -> bool:
    """Whether kubectl reads an object of interest in ``text``."""
    return any(_is_of_interest(document.data) for document in go_stream.stream(text))


def may_say(text: str, documents: list[Any]) -> bool:
    """Whether one of ``documents``, which ``text`` says in whatever words, is an object of interest."""
    heads = "".join(f"kind: {kind}\n" for kind in dict.fromkeys(_kinds(documents)))
    return heads != "" and interest.is_interesting(heads + text)


def _kinds(documents: list[Any]) -> Iterator[str]:
    """The kinds of all objects in ``documents``, items of lists included."""
    for document in documents:
        yield from (found["kind"] for found in list_items.objects_of(document) if isinstance(found.get("kind"), str))


def has_odd_mark(text: str) -> bool:
    """Whether a byte order mark stands in ``text`` where a parser may pass over it, or take it for a letter."""
    if _MARK not in text:
        return False
    try:
        return text.startswith(_MARK) or yaml.parse(text).has_plain(_MARK)
    except yaml.TextError:
        return True


def compare(file: ManifestFile, optional: Callable[[str], bool]) -> ManifestFile:
    """``file``, in which each piece that kubectl reads otherwise is a problem and no manifest. What is ``optional``,
    asked by the text of an object, is no problem."""
    if not file.editable or (found := go_stream.unusual(file.content.text)) is None:
        return file
    for piece in file.pieces:
        if piece.parsed and has_odd_mark(piece.text):
            _leave(piece, *_OF_MARK, piece.text.count("\n", 0, piece.text.index(_MARK)) + 1)
    lines = [piece.line for piece in file.pieces]
    for document in _unseen(file, optional):
        piece = file.pieces[bisect_right(lines, document.line) - 1]
        if piece.problem is None:
            what, advice = go_stream.unusual(piece.text) or found
            kind = next(_kinds([document.data]), "an object")
            message = f"kubectl reads {kind} here, and harden does not read the same: {what}"
            _leave(piece, message, advice, document.line - piece.line + 1)
    return file


def _unseen(file: ManifestFile, optional: Callable[[str], bool]) -> Iterator[go_stream.Document]:
    """The documents of interest that kubectl reads in ``file``, and harden does not."""
    ours = {_written(document) for piece in file.pieces for document in piece.data}
    for document in go_stream.stream(file.content.text):
        written = _written(document.data)
        if written not in ours and _is_of_interest(document.data) and not optional(written):
            yield document


def _leave(piece: Piece, message: str, advice: str, line: int) -> None:
    """Leave ``piece`` alone whole."""
    piece.problem = (READ_OTHERWISE, message, advice, line)
    piece.parsed, piece.data, piece.shared, piece.tree = False, [], [], None


def _is_of_interest(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    return may_say(_written(document), [document])


def _written(document: Any) -> str:
    """``document`` in one form, whatever the order of its keys and the escapes of its letters."""
    return json.dumps(document, sort_keys=True, default=str)
