"""What the expressions of one folder of Terraform files name, where that is one literal: locals, variables with a
default that nothing else sets, and attributes of resources."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from hardener.sources import files
from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.files import UnreadableError
from hardener.sources.yaml import TextError

from .parsed import parse

_STEP = re.compile(r"\.?(?:([A-Za-z_][\w-]*)|([0-9]+)|\[([0-9]+)\]|\[\"([^\"\\$]*)\"\])")
_WHOLE = re.compile(r"\$\{([^{}\"]*)\}")
_INNER = re.compile(r"(?<!\$)\$\{([^{}\"]*)\}")
_DEEPEST = 20
_MOST = 5000  # values, or parts of 50 characters of a text
_SECRETS = frozenset({"data", "binary_data", "data_wo", "binary_data_wo"})

Files = Callable[[], Iterable[tuple[str, str]]]
"""The real paths and texts of all Terraform files of the tree."""


class Module:
    """The folder ``folder``; ``files`` are asked for once, when an expression is looked up first."""

    def __init__(self, folder: str, files: Files) -> None:
        self._folder = folder
        self._files = files
        self._read = False
        self._locals: dict[str, list[Any]] = {}
        self._variables: dict[str, list[dict[str, Any]]] = {}
        self._resources: dict[str, list[dict[str, Any]]] = {}
        self._set_elsewhere: set[str] = set()
        self._given: dict[tuple[str, str], tuple[str, ...]] = {}  # names of new resources, with what each makes
        self._addresses: dict[tuple[str, ...], str] = {}  # of these, by what they make
        self._asked: list[str] = []  # expressions that are being looked up
        self._parameters: set[str] = set()  # those that variables are part of
        self._known: dict[str, tuple[Any] | None] = {}

    def value(self, expression: str) -> tuple[Any] | None:
        """The value that ``expression`` names, as a tuple of one; None where it is not known, or several."""
        return self._look_up(expression, 0)

    def is_parameter(self, text: str) -> bool:
        """Whether an expression in ``text`` comes to the default of a variable, which whoever runs it may set."""
        return any(self._look_up(inner, 0) and inner.strip() in self._parameters for inner in _INNER.findall(text))

    def label(self, type: str, wanted: str, owner: tuple[str, ...]) -> str:
        """A name for the new resource of ``type`` that makes ``owner``: ``wanted``, with a number where another has
        that name."""
        self._load()
        number, found = 2, wanted
        while f"{type}.{found}" in self._resources or self._given.setdefault((type, found), owner) != owner:
            found, number = f"{wanted}_{number}", number + 1
        self._addresses[owner] = f"{type}.{found}"
        self._known.pop(f"{type}.{found}.metadata[0].name", None)
        return found

    def reference(self, kind: str, namespace: str | None, name: str) -> str | None:
        """The expression for the name of an object that a new resource of this module makes; None where none does."""
        address = self._addresses.get((kind, namespace or "", name))
        if address is None or address.partition(".")[0].endswith("_manifest"):
            return None
        return f"{address}.metadata[0].name"

    def _look_up(self, expression: str, depth: int) -> tuple[Any] | None:
        expression = expression.strip()
        if expression not in self._known:
            self._known[expression] = None  # one that leads to itself has none
            self._asked.append(expression)
            found = self._found(expression, depth)
            self._asked.pop()
            self._known[expression] = None if found is not None and _is_large(found[0]) else found
        if expression in self._parameters or expression.startswith("var."):
            self._parameters.update((expression, *self._asked))
        return self._known[expression]

    def _found(self, expression: str, depth: int) -> tuple[Any] | None:
        steps = _steps(expression)
        if steps is None or len(steps) < 2 or depth > _DEEPEST:
            return None
        self._load()
        first, name = str(steps[0]), str(steps[1])
        if first == "local":
            return self._of(self._locals.get(name, []), steps[2:], depth)
        if first == "var":
            return self._of(self._default(name), steps[2:], depth)
        given = self._given.get((first, name))
        if given is not None and steps[2:] == ["metadata", 0, "name"]:
            return (given[-1],)
        if not first.startswith("kubernetes_") or (first.startswith("kubernetes_secret") and _SECRETS & set(steps)):
            return None
        blocks = self._resources.get(f"{first}.{name}", [])
        if any("count" in block or "for_each" in block for block in blocks):
            return None
        return self._of(blocks, steps[2:], depth)

    def _default(self, name: str) -> list[Any]:
        declared = self._variables.get(name, [])
        if name in self._set_elsewhere or len(declared) != 1 or declared[0].get("sensitive") not in (None, False):
            return []
        return [declared[0]["default"]] if declared[0].get("default") is not None else []

    def _of(self, found: list[Any], steps: list[str | int], depth: int) -> tuple[Any] | None:
        if len(found) != 1:
            return None
        value = found[0]
        for position, step in enumerate(steps):
            if isinstance(value, str) and (whole := _WHOLE.fullmatch(value)):
                below = self._look_up(whole[1], depth + 1)
                return None if below is None else self._of([below[0]], steps[position:], depth + 1)
            if isinstance(value, list) and isinstance(step, int):
                value = value[step] if step < len(value) else None
            else:
                value = value.get(str(step)) if isinstance(value, dict) else None
            if value is None:
                return None
            if isinstance(value, dict) and f"dynamic {step}" in value:
                return None
        return self._plain(value, depth)

    def _plain(self, value: Any, depth: int) -> tuple[Any] | None:
        """``value`` where it holds no expression that is not known itself."""
        if isinstance(value, str):
            return self._plain_text(value, depth)
        if isinstance(value, list):
            items = [self._plain(item, depth) for item in value]
            return None if None in items else ([item[0] for item in items if item is not None],)
        if isinstance(value, dict):
            if _has_expression(value):
                return None
            fields = {name: self._plain(item, depth) for name, item in value.items() if name != HEAD}
            return None if None in fields.values() else ({n: v[0] for n, v in fields.items() if v is not None},)
        return (value,)

    def _plain_text(self, text: str, depth: int) -> tuple[Any] | None:
        whole = _WHOLE.fullmatch(text)
        if whole is not None:
            return self._look_up(whole[1], depth + 1) if depth < _DEEPEST else None
        if _is_plain(text):
            return (text,)
        filled = _INNER.sub(lambda match: self._filled(match, depth), text)
        return (filled,) if _is_plain(filled) else None

    def _filled(self, match: re.Match[str], depth: int) -> str:
        value = self._look_up(match[1], depth + 1) if depth < _DEEPEST else None
        if value is None or not isinstance(value[0], str | int | float):
            return match[0]
        return str(value[0]).lower() if isinstance(value[0], bool) else str(value[0])

    def _load(self) -> None:
        if self._read:
            return
        self._read = True
        for path, text in self._files():
            folder = os.path.dirname(path)
            if folder == self._folder:
                self._declare(text)
            if "source" in text:
                self._called(folder, text)
        for name in sorted(os.listdir(self._folder)) if os.path.isdir(self._folder) else ():
            if name.endswith((".tfvars", ".tfvars.json")):
                self._set_in(os.path.join(self._folder, name))

    def _set_in(self, path: str) -> None:
        """Take down which variables a file with values sets; such a file is often kept out of the repository."""
        try:
            text = files.read(path).text
        except (OSError, UnreadableError):
            return
        self._set_elsewhere.update(re.findall(r'^[ \t{]*"?([A-Za-z_][\w-]*)"?[ \t]*[=:]', text, re.M))

    def _declare(self, text: str) -> None:
        try:
            documents = parse(text).documents
        except TextError:
            return
        for block in documents:
            head = block[HEAD]
            if head == ["locals"]:
                for name, value in block.items():
                    if name != HEAD:
                        self._locals.setdefault(name, []).append(value)
            elif len(head) == 2 and head[0] == "variable":
                self._variables.setdefault(head[1], []).append(block)
            elif len(head) == 3 and head[0] == "resource":
                self._resources.setdefault(f"{head[1]}.{head[2]}", []).append(block)

    def _called(self, folder: str, text: str) -> None:
        """Take down which variables a call of this module sets: all of them where it cannot be read."""
        sources = re.findall(r'\bsource\s*=\s*"(\.{1,2}/[^"]*|\.{1,2})"', text)
        if not any(os.path.normpath(os.path.join(folder, each)) == self._folder for each in sources):
            return
        try:
            documents = parse(text).documents
        except TextError:
            documents = []
        for block in documents:
            source = block.get("source")
            if block[HEAD][0] == "module" and isinstance(source, str):
                if os.path.normpath(os.path.join(folder, source)) == self._folder:
                    self._set_elsewhere.update(name for name in block if name != HEAD)


def _is_large(value: Any) -> bool:
    """Whether a value unfolds to more than people write: names that lead to each other double what they hold."""
    waiting, left = [value], _MOST
    while waiting and left > 0:
        found = waiting.pop()
        left -= 1 + (len(found) // 50 if isinstance(found, str) else 0)
        if isinstance(found, dict | list):
            waiting += found.values() if isinstance(found, dict) else found
    return bool(waiting) or left <= 0


def _steps(expression: str) -> list[str | int] | None:
    """``a.b[0].c["d"]`` as its parts; None for anything else."""
    found: list[str | int] = []
    position = 0
    while position < len(expression):
        match = _STEP.match(expression, position)
        if match is None or (match[0][0] not in ".[" and position):
            return None
        number = match[2] or match[3]
        found.append(int(number) if number is not None else match[1] if match[1] is not None else match[4])
        position = match.end()
    return found


def _has_expression(value: dict[str, Any]) -> bool:
    """Whether an expression makes a map, or one of its keys."""
    return ENCODED in value or any(str(name).startswith("(") for name in value)


def _is_plain(text: str) -> bool:
    return "${" not in text and "%{" not in text and not text.startswith("<<")
