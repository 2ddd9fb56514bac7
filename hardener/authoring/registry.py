"""Finds the transforms: those of the folder, then those that installed packages offer as ``harden.transforms``."""

from __future__ import annotations

import os
import pkgutil
import re
import sys
from functools import cache
from importlib import import_module
from types import ModuleType

from hardener.authoring import declaration_cache
from hardener.authoring.peer_checks import asked
from hardener.authoring.transform import SCANNERS, STAGES, Transform
from hardener.errors import InputError
from hardener.support.late_pattern import late_pattern
from hardener.support.near_names import meant
from hardener.support.shell_words import command

GROUP = "harden.transforms"  # of entry points


@cache
def transforms() -> dict[str, Transform]:
    """Return every transform by id, in the order in which they run. Raises InputError when two share an id."""
    built_in, installed = _built_in(), _of(_installed())
    return _sorted([*built_in, *installed]) if installed else {item.id: item for item in built_in}


def _sorted(transforms: list[Transform]) -> dict[str, Transform]:
    found: dict[str, Transform] = {}
    for transform in transforms:
        if transform.id in found:
            raise InputError(f"two transforms are called {transform.id}: remove the package that brings the second")
        found[transform.id] = transform
    return {id: found[id] for stage in STAGES for id in _in_order(stage, found)}


def _in_order(stage: str, found: dict[str, Transform]) -> list[str]:
    waiting = sorted(id for id, transform in found.items() if transform.stage == stage)
    ready: list[str] = []
    while waiting:
        id = next((id for id in waiting if not set(found[id].after) & set(waiting)), None)
        if id is None:
            raise InputError(f"these transforms run after each other: {', '.join(waiting)}")
        waiting.remove(id)
        ready.append(id)
    return ready


def get(id: str) -> Transform:
    """Return the transform called ``id``. Raises InputError, with the nearest name, when there is none."""
    known = transforms()
    if id in known:
        return known[id]
    where = "'harden list' shows them all"
    if _OF_A_SCANNER.match(id):
        where = f"{command('harden explain {}', id)} shows which are meant"
    raise InputError(f"unknown transform {id}{meant(id, known)}; {where}")


def peer_checks() -> dict[str, dict[str, frozenset[str]]]:
    """Return, by scanner and name of its check, the ids of the transforms that ask for the same."""
    found: dict[str, dict[str, frozenset[str]]] = {scanner: {} for scanner in SCANNERS}
    for id, transform in transforms().items():
        for peer in transform.peers:
            scanner, _, check = peer.partition(":")
            found[scanner][check] = found[scanner].get(check, frozenset()) | {id}
    for scanner, checks in asked().items():
        for check, ids in checks.items():
            found[scanner][check] = found[scanner].get(check, frozenset()) | ids
    return found


_OF_A_SCANNER = late_pattern("(?:CKV2?_|KSV|AVD-|C-)[A-Z0-9_-]*[0-9]", re.IGNORECASE)


def _built_in() -> list[Transform]:
    """Those of the folder, in their order; loaded only where what they declare is not on record."""
    package = import_module("hardener.transforms")
    sources = declaration_cache.program()
    found = declaration_cache.read(package, sources)
    if found is None:
        found = list(_sorted(_of(_modules(package))).values())
        declaration_cache.write(package, sources, found)
    return found


def _modules(package: ModuleType) -> list[ModuleType]:
    return [
        import_module(info.name)
        for info in pkgutil.walk_packages(package.__path__, "hardener.transforms.")
        if not info.ispkg and not info.name.rpartition(".")[2].startswith("_")
    ]


def _installed() -> list[ModuleType]:
    if not any(map(_offers, sys.path)):
        return []
    from importlib.metadata import entry_points  # late: it costs more than all that is asked of it here

    return [entry.load() for entry in entry_points(group=GROUP)]


def _offers(folder: str) -> bool:
    """Whether a package that is installed in ``folder`` offers transforms."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return os.path.isfile(folder)  # a zip file, which importlib knows how to read
    for name in names:
        try:
            handle = os.open(os.path.join(folder, name, "entry_points.txt"), os.O_RDONLY)  # there may be hundreds
        except OSError:
            continue
        with open(handle, "rb", buffering=0) as file:
            if GROUP.encode() in file.read():
                return True
    return False


def _of(modules: list[ModuleType]) -> list[Transform]:
    functions = (getattr(module, module.__name__.rpartition(".")[2], None) for module in modules)
    found = (getattr(function, "__transform__", None) for function in functions)
    return [transform for transform in found if transform is not None]
