"""The values of a Helm chart that a run overrides, for people and as records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hardener.charts.values.set_values import name_of
from hardener.engine.outcome import Outcome, Override
from hardener.report.impact import counted, listed

_LONGEST = 60  # characters of a value
_MOST_KEYS = 5  # of one change


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield each key with its value, the objects that it changes, and why."""
    for override in outcome.overrides:
        yield f"{assignment(override)}  {objects(override)} ({', '.join(ids(override))})"


def title(outcome: Outcome) -> str:
    """Return the title of the overrides, with their number."""
    return f"Values: {counted(len(outcome.overrides), 'key')}"


def records(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the overrides as records."""
    return [
        {
            "key": list(override.path),
            "value": override.value,
            "release": override.release or None,
            "transforms": ids(override),
            "objects": list(dict.fromkeys(str(change.object) for change in override.changes)),
        }
        for override in outcome.overrides
    ]


def keys(outcome: Outcome) -> dict[int, list[str]]:
    """Return the keys that make a change, by the id of the change."""
    found: dict[int, list[str]] = {}
    for override in outcome.overrides:
        for change in override.changes:
            found.setdefault(id(change), []).append(name_of(override.path))
    return found


def named(keys: Sequence[str]) -> str:
    """Return ``keys`` as the end of a sentence; empty for none."""
    found = list(dict.fromkeys(keys))
    if not found:
        return ""
    more = f" and {len(found) - _MOST_KEYS} more" if len(found) > _MOST_KEYS else ""
    return f", by the value{'s' if len(found) > 1 else ''} {', '.join(found[:_MOST_KEYS])}{more}"


def assignment(override: Override) -> str:
    """Return the key, of which release where there are several, and its value."""
    where = f"{override.release}: " if override.release else ""
    return f"{where}{name_of(override.path)} = {value(override)}"


def value(override: Override) -> str:
    """Return what it becomes, in one line, not too long."""
    if override.value is None:
        return "null, which takes it away"
    text = json.dumps(override.value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def objects(override: Override) -> str:
    """Return the names of the objects that it changes."""
    return listed({id(change.object): str(change.object) for change in override.changes})


def ids(override: Override) -> list[str]:
    """Return the transforms that ask for it, each once."""
    return list(dict.fromkeys(change.transform.id for change in override.changes))
