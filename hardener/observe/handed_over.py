"""What of a container can be handed over to an engine: its variables unseen, its words on one line."""

from __future__ import annotations

import os
from typing import Any

from hardener.observe.accepted import MOST_OF_A_CONTAINER, MOST_OF_A_VALUE
from hardener.observe.engine_environment import may_hold
from hardener.observe.pod_values import Variable
from hardener.observe.refusal import NotOfferedError
from hardener.support.data_path import Path
from hardener.support.shapes import entries

Map = dict[str, Any]
_AS_FILE = "give it as a file of a volume"


def has_lines(variable: Variable) -> bool:
    """Whether the value of ``variable`` has several lines, which no file of variables can hold."""
    return "\n" in variable.value or "\r" in variable.value


def refuse_unseen(spec: Map, known: list[Variable]) -> None:
    """Raise NotOfferedError where a value of a Secret could be handed over on a command line alone."""
    for each in known:
        if each.secret and has_lines(each) and not may_hold(each.name):
            why = f"its variable {each.name} of several lines cannot be handed over unseen"
            raise NotOfferedError(why, place_of(each.name, spec), _AS_FILE)


def place_of(name: str, spec: Map) -> Path:
    """Where a container has the variable ``name``; those that come together have one place."""
    own = (("env", number) for number, each in entries(spec.get("env")) if each.get("name") == name)
    return next(own, ("envFrom",))


def is_a_line(words: list[str]) -> bool:
    """Whether a program can be started with ``words``."""
    sizes = [len(os.fsencode(word)) for word in words]
    return max(sizes) <= MOST_OF_A_VALUE and sum(sizes) <= MOST_OF_A_CONTAINER
