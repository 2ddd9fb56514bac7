"""Builds that a Tiltfile (Starlark, read as Python) or a bake file in HCL describes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from hardener.facts.images.dockerfiles.builds import Build, Source, arguments_of, located
from hardener.facts.images.dockerfiles.compose_builds import bake_targets
from hardener.sources.block_names import HEAD
from hardener.sources.terraform.parsed import parse
from hardener.sources.yaml import TextError

_MOST = 1000  # calls
_HOLE = "${_}"  # stands for an expression


def tilt(source: Source) -> Iterator[Build]:
    """The calls of `docker_build` (docs.tilt.dev/api.html); a file that Python cannot read says nothing."""
    try:
        module = ast.parse(source.text)
        nodes = list(ast.walk(module))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    values: dict[str, str | None] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            value = _value(node.value, {})
            values[name] = None if name in values or value is None else value  # one that is set twice is not known
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node) in _CALLS]
    for call in calls[:_MOST]:
        given: dict[str, ast.expr] = {word.arg: word.value for word in call.keywords if word.arg}
        given = {**dict(zip(("ref", "context"), call.args, strict=False)), **given}
        image = _value(given["ref"], values) if "ref" in given else None
        if image is None:
            continue
        said = source.said(call.lineno, f"docker_build of {image}")
        if "dockerfile_contents" in given:
            yield Build(image, said, None)
            continue
        texts = {key: _value(given[key], values) for key in ("context", "dockerfile", "target") if key in given}
        if None in texts.values():
            continue
        found = located(source.files, [source.folder], texts.get("context"), texts.get("dockerfile"), inside=False)
        if found is not None:
            yield Build(image, said, *found, texts.get("target"), _arguments(given.get("build_args"), values))


_CALLS = frozenset({"docker_build", "docker_build_with_restart", "default_registry_docker_build"})


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _value(node: ast.expr, values: Mapping[str, str | None]) -> str | None:
    """The text of an expression, with a hole for each part that is not known; None where nothing of it is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts: list[str | None] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add) and len(parts) < 50:
            parts.append(_value(current.right, values) if not isinstance(current.right, ast.BinOp) else None)
            current = current.left
        parts.append(_value(current, values) if not isinstance(current, ast.BinOp) else None)
        return "".join(_HOLE if part is None else part for part in reversed(parts)) if any(parts) else None
    text = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        text = node.left.value
        return text.replace("%s", _HOLE) if isinstance(text, str) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = node.func.value.value if isinstance(node.func.value, ast.Constant) else None
        return text.replace("{}", _HOLE) if isinstance(text, str) else None
    return None


def _arguments(node: ast.expr | None, values: Mapping[str, str | None]) -> tuple[tuple[str, str | None], ...]:
    if not isinstance(node, ast.Dict):
        return ()
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    return arguments_of({key: _value(value, values) for key, value in zip(keys, node.values, strict=True) if key})


def bake_hcl(source: Source) -> Iterator[Build]:
    """The targets of `docker-bake.hcl`."""
    try:
        parsed = parse(source.text)
    except TextError:
        return
    targets: dict[str, Mapping[str, Any]] = {}
    lines: dict[str, int] = {}
    values: dict[str, str | None] = {}
    for number, data in enumerate(parsed.documents):
        kind, *labels = data[HEAD]
        if kind == "target" and labels:
            targets[labels[0]] = data
            lines[labels[0]] = parsed.line(number, ())
        elif kind == "variable" and labels:
            default = data.get("default")
            values[labels[0]] = default if isinstance(default, str) else None
    yield from bake_targets(source, targets, lines, values)
