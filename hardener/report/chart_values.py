"""The values of a Helm chart that a run overrides, for people and as records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hardener.engine.outcome import Outcome, Override
from hardener.report.impact import counted, listed

_LONGEST = 60  # characters of a value


def lines(outcome: Outcome) -> Iterator[str]:
    """Each key with its value, the objects that it changes, and why."""
    for override in outcome.overrides:
        objects = listed({id(item): str(item) for item in (change.object for change in override.changes)})
        ids = ", ".join(dict.fromkeys(change.transform.id for change in override.changes))
        where = f"{override.release}: " if override.release else ""
        yield f"{where}{key(override)} = {_value(override.value)}  {objects} ({ids})"


def title(outcome: Outcome) -> str:
    """How many there are."""
    return f"Values: {counted(len(outcome.overrides), 'key')}"


def records(outcome: Outcome) -> list[dict[str, Any]]:
    """The overrides as records."""
    return [
        {
            "key": list(override.path),
            "value": override.value,
            "release": override.release or None,
            "transforms": list(dict.fromkeys(change.transform.id for change in override.changes)),
            "objects": list(dict.fromkeys(str(change.object) for change in override.changes)),
        }
        for override in outcome.overrides
    ]


def key(override: Override) -> str:
    """The key of an override as people write it."""
    return ".".join(part if "." not in part else json.dumps(part) for part in override.path)


def _value(value: object) -> str:
    if value is None:
        return "null, which takes it away"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
