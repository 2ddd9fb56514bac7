"""What the transforms of the folder declare, kept beside their bytecode: a run loads only those that it needs.

The record is made from the loaded modules by the first run that may write there, and holds as long as no file of the
program changed: the rules of Python for bytecode (``-B``, ``PYTHONPYCACHEPREFIX``) are the rules here. Without it every
module is loaded, and nothing else is different; a run over one file would cost a sixth more.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Declaration, Options, Transform, Visit

_TYPES: dict[str, type] = {kind.__name__: kind for kind in (bool, float, int, str)}
_SEVERITIES = {str(severity): severity for severity in Severity}
_PLAIN = (
    "id", "risk", "risk_2022", "stage", "title", "problem", "result", "why", "may_break", "pss", "cis", "classes",
    "absence", "after", "only_reports", "any_image", "peers", "module",
)  # fmt: skip

Sources = list[tuple[str, int, int]]  # every file of the program with its time and size


@cache
def program() -> Sources:
    """Return the files of this program, as its first caller found them."""
    return sources(import_module("hardener.transforms"))


def sources(package: ModuleType) -> Sources:
    """Return the files from which the record of the transforms in ``package`` is made."""
    found: Sources = []
    for folder in (*package.__path__, os.path.dirname(os.path.dirname(__file__))):
        # The whole program: the kinds stand in its views.
        _walk(folder, found)
    return sorted(found)


def read(package: ModuleType, made_from: Sources) -> list[Transform] | None:
    """Return the transforms of ``package`` as recorded, in their order; None where that is not known."""
    path = _path(package)
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            known, records = marshal.loads(file.read())
        return [_transform(*record) for record in records] if known == made_from else None
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        return None  # not there, or not whole


def write(package: ModuleType, made_from: Sources, transforms: list[Transform]) -> None:
    """Record ``transforms``, which were loaded after ``made_from`` was looked at, where that is allowed."""
    path = _path(package)
    if path is None or sys.dont_write_bytecode:
        return
    own = f"{path}.{os.getpid()}"
    try:
        with open(own, "wb") as file:
            marshal.dump((made_from, [_record(item) for item in transforms]), file)
        os.replace(own, path)
    except OSError:
        return  # a folder of somebody else


def _path(package: ModuleType) -> str | None:
    cached = getattr(package.__spec__, "cached", None)
    return cached and f"{os.path.dirname(cached)}/transforms.{sys.implementation.cache_tag}"


def _walk(folder: str, found: Sources) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                about = entry.stat()
                found.append((entry.path, about.st_mtime_ns, about.st_size))
            elif not entry.name.startswith((".", "__")) and entry.is_dir():
                _walk(entry.path, found)


def _record(item: Transform) -> tuple[Any, ...]:
    plain = {name: getattr(item, name) for name in _PLAIN}
    options: Any = None
    if item.takes is not None:
        names = {key: tuple([kind.__name__ for kind in kinds]) for key, kinds in item.takes.types.items()}
        options = item.takes.group, names
    return plain, str(item.severity), [tuple(visit) for visit in item.visits], options


def _transform(plain: dict[str, Any], severity: str, visits: list[Any], options: Any) -> Transform:
    name = plain["id"].replace("-", "_")

    def load() -> Declaration:
        found: Transform = getattr(import_module(plain["module"]), name).__transform__
        return found.source()

    made = Transform.__new__(Transform)  # there are hundreds, and most are asked for little more than their visits
    vars(made).update(
        plain, severity=_SEVERITIES[severity], source=load, visits=tuple(Visit(*visit) for visit in visits),
        takes=options and Options(options[0], {key: _types(kinds) for key, kinds in options[1].items()}),
    )  # fmt: skip
    return made


def _types(names: tuple[str, ...]) -> tuple[type, ...]:
    return tuple(_TYPES[name] for name in names)
