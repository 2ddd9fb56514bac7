"""The plain data of a text, straight from the events of the parser: nobody asks where anything of it stands."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from ruamel.yaml import events

from .parsed import parse
from .positions import MAX_DEPTH, fast_events
from .scalars import resolve
from .values import NotSimpleError

ODD = ("\\u", "\\U", "\r")
"""Where one of these stands, more has to be looked at than events."""


def documents(text: str) -> list[Any]:
    """The documents that `parse` reads from `text`, quicker. Raises TextError where `parse` does."""
    if not any([odd in text for odd in ODD]):
        next_event = fast_events(text)
        try:
            if next_event is not None:
                return _documents(next_event)
        except Exception:
            pass  # of the parser, of `resolve`, and where it is not simple: `parse` reads it, or says what is wrong
    return parse(text).documents


def _documents(next_event: Callable[[], Any]) -> list[Any]:
    found: list[Any] = []
    if type(next_event()) is not events.StreamStartEvent:
        raise NotSimpleError
    while type(event := next_event()) is events.DocumentStartEvent:
        found.append(_value(next_event(), next_event, 0))
        if type(next_event()) is not events.DocumentEndEvent:
            raise NotSimpleError
    if type(event) is not events.StreamEndEvent:
        raise NotSimpleError
    return found


def _value(event: Any, next_event: Callable[[], Any], depth: int) -> Any:
    """What `event` says, with those that follow, in `depth` collections. Raises NotSimpleError."""
    if event.anchor is not None or event.ctag is not None or depth >= MAX_DEPTH:
        raise NotSimpleError
    kind = type(event)
    if kind is events.MappingStartEvent:
        return _mapping(next_event, depth + 1)
    if kind is events.SequenceStartEvent:
        items = []
        while type(event := next_event()) is not events.SequenceEndEvent:
            items.append(_value(event, next_event, depth + 1))
        return items
    if kind is not events.ScalarEvent:
        raise NotSimpleError
    return intern(event.value) if event.style else resolve(intern(event.value))


def _mapping(next_event: Callable[[], Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while type(event := next_event()) is events.ScalarEvent:
        if event.anchor is not None or event.ctag is not None:
            raise NotSimpleError
        key = intern(event.value)
        if not event.style and (key == "<<" or type(resolve(key)) is not str):
            raise NotSimpleError
        if key in found:
            raise NotSimpleError
        event = next_event()
        if type(event) is events.ScalarEvent and event.anchor is None and event.ctag is None:  # as most are
            found[key] = intern(event.value) if event.style else resolve(intern(event.value))
        else:
            found[key] = _value(event, next_event, depth)
    if type(event) is not events.MappingEndEvent:
        raise NotSimpleError
    return found
