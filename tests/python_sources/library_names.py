"""The classes of a library and the keyword arguments that they take, from the library itself.

Run by the interpreter of an environment: ``python library_names.py DIALECT`` prints, as its last line, JSON:
{full name of a class: {keyword argument: [field in a manifest, type] or null where the library does not tell}}.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

Fields = dict[str, list[str] | None]


def _classes(module: ModuleType) -> Iterator[tuple[str, type]]:
    # Not vars(): the kubernetes client loads its classes late from version 36 on.
    found = ((name, getattr(module, name)) for name in dir(module))
    yield from ((name, value) for name, value in found if inspect.isclass(value))


def _below(package: str, depth: int) -> Iterator[ModuleType]:
    top = importlib.import_module(package)
    for found in pkgutil.iter_modules(top.__path__):
        name = f"{package}.{found.name}"
        if found.ispkg and depth > 1:
            yield from _below(name, depth - 1)
        elif not found.name.startswith("_"):
            yield importlib.import_module(name)


def _kubernetes() -> Iterator[tuple[str, Fields]]:
    from kubernetes.client import models

    for name, each in _classes(models):
        if hasattr(each, "openapi_types") and hasattr(each, "attribute_map"):
            types: dict[str, str] = each.openapi_types
            yield (
                f"kubernetes.client.{name}",
                {key: [field, types[key]] for key, field in each.attribute_map.items()},
            )


def _pulumi() -> Iterator[tuple[str, Fields]]:
    for module in _below("pulumi_kubernetes", 2):
        if re.fullmatch(r"pulumi_kubernetes\.\w+\.v\d\w*", module.__name__):
            for name, each in _classes(module):
                properties = {key: value for key, value in vars(each).items() if isinstance(value, property)}
                if name.endswith("Args") and each.__module__.startswith(module.__name__):
                    fields = {key: [value.fget.__dict__["_pulumi_name"], ""] for key, value in properties.items()}
                    yield f"{module.__name__}.{name}", {**fields}


def _cdk8s() -> Iterator[tuple[str, Fields]]:
    import cdk8s_plus_32.k8s as k8s

    for name, each in _classes(k8s):
        if not name.startswith(("_", "I")) and not name.endswith("Props"):
            yield f"imports.k8s.{name}", _signature(each, "self", "scope", "id", "value")


def _lightkube() -> Iterator[tuple[str, Fields]]:
    for module in [*_below("lightkube.models", 1)]:
        for name, each in _classes(module):
            if each.__module__ == module.__name__:
                yield f"{module.__name__}.{name}", _signature(each, "self")


def _hikaru() -> Iterator[tuple[str, Fields]]:
    from hikaru.model.rel_1_28.v1 import v1

    for name, each in _classes(v1):
        if dataclasses.is_dataclass(each) and each.__module__ == v1.__name__:
            yield f"hikaru.model.rel_1_28.v1.{name}", _signature(each, "self", "client")


def _signature(each: type, *without: str) -> Fields:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = inspect.signature(each).parameters.values()
    return {one.name: None for one in found if one.kind in kinds and one.name not in without}


LIBRARIES: dict[str, Callable[[], Iterator[tuple[str, Any]]]] = {
    "cdk8s": _cdk8s,
    "hikaru": _hikaru,
    "kubernetes": _kubernetes,
    "lightkube": _lightkube,
    "pulumi": _pulumi,
}

if __name__ == "__main__":
    print(json.dumps(dict(LIBRARIES[sys.argv[1]]())))
