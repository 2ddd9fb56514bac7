"""What else calls do with the objects of a file: patch others with them, or take a dict as their arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.sources.python.names.resolve import Key, called, is_dict_call, qualified_names, single
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places

_PATCH = re.compile(r"patch(?:_.*)?")
_FRAMEWORKS = ("airflow.", "dagster")  # whose arguments are read for what they are


def patches(scan: Scan) -> set[syntax.Node]:
    """The expressions that calls patch objects with, and nothing else gets: arguments, and what their names stand
    for."""
    found: set[syntax.Node] = set()
    names: dict[Key, set[bool]] = {}
    for call, scope in scan.calls:
        name = call.func.attr.value if isinstance(call.func, syntax.Attribute) else ""
        is_patch = bool(_PATCH.fullmatch(name))
        for argument in call.args:
            if isinstance(argument.value, syntax.Name):
                owner = scope.owner(argument.value.value)
                if owner is not None:
                    names.setdefault((owner, argument.value.value), set()).add(is_patch)
            elif is_patch:
                found.add(argument.value)
    for (owner, name), kinds in names.items():
        binding, _ = single(owner.bindings[name]) if kinds == {True} else (None, "")
        if binding is not None and binding.value is not None:
            found.add(binding.value)
    return found


def lent(scan: Scan, places: Places) -> dict[Key, str]:
    """The names of dicts that are the arguments of a call which makes no object, with what to say of it: what is added
    to them would be one argument more."""
    return {key: f"also passed to {text} (line {line})" for key, text, line in _lent(scan, places)}


def _lent(scan: Scan, places: Places) -> Iterator[tuple[Key, str, int]]:
    for call, scope in scan.calls:
        for argument in call.args:
            if argument.star != "**" or not isinstance(argument.value, syntax.Name):
                continue
            owner = scope.owner(argument.value.value)
            if owner is None or called(call, scope) is not None or is_dict_call(call, scope):
                continue
            if not any(name.startswith(_FRAMEWORKS) for name in qualified_names(call.func, scope)):
                start = call.start
                yield (owner, argument.value.value), " ".join(places.text(call.func).split()), places.line(start)
