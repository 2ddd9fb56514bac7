"""Whether a text that was just written from plain data says them, event by event: nobody asks for its places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruamel.yaml import events

from .documents import ODD
from .parsed import parse
from .positions import MAX_DEPTH, fast_events
from .scalars import resolve, same


def reads_back(text: str, documents: list[Any]) -> bool:
    """Whether `parse` reads `documents` from `text`. Raises TextError where `parse` does."""
    # What is said another way than `dump` says it, or is wrong, `parse` looks at.
    if len(documents) == 1 and not any([odd in text for odd in ODD]):
        next_event = fast_events(text)
        try:
            if next_event is not None and _is_said(next_event, documents[0]):
                return True
        except Exception:
            pass  # of the parser, and of `resolve`
    return same(parse(text).documents, documents)


def _is_said(next_event: Callable[[], Any], document: Any) -> bool:
    start = type(next_event()), type(next_event())
    if start != _START or not _says(next_event(), document, next_event, 0):
        return False
    return (type(next_event()), type(next_event())) == _END


_START = events.StreamStartEvent, events.DocumentStartEvent
_END = events.DocumentEndEvent, events.StreamEndEvent


def _says(event: Any, value: Any, next_event: Callable[[], Any], depth: int) -> bool:
    """Whether `event`, with those that follow, says `value`, which stands in `depth` collections."""
    if event.anchor is not None or event.ctag is not None or depth >= MAX_DEPTH:
        return False
    kind = type(event)
    if kind is events.ScalarEvent:
        found = event.value if event.style else resolve(event.value)
        return type(found) is type(value) and bool(found == value)
    if kind is events.MappingStartEvent and type(value) is dict:
        return _mapping_says(value, next_event, depth + 1)
    if kind is events.SequenceStartEvent and type(value) is list:
        for item in value:
            if not _says(next_event(), item, next_event, depth + 1):
                return False
        return type(next_event()) is events.SequenceEndEvent
    return False


def _mapping_says(value: dict[Any, Any], next_event: Callable[[], Any], depth: int) -> bool:
    """Whether the events up to the end of a mapping say `value`."""
    for key, item in value.items():
        event = next_event()
        name = event.value  # no scalar has none, and is no key
        if name != key or event.anchor is not None or event.ctag is not None:
            return False
        if not event.style and (name == "<<" or type(resolve(name)) is not str):
            return False
        if not _says(next_event(), item, next_event, depth):
            return False
    return type(next_event()) is events.MappingEndEvent
