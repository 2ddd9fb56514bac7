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
        nodes = list(ast.walk(ast.parse(source.text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    values = _assigned(nodes)
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node) in _CALLS]
    for call in calls[:_MOST]:
        build = _build_of(call, source, values)
        if build is not None:
            yield build


def _assigned(nodes: list[ast.AST]) -> dict[str, str | None]:
    """The variables that a file sets; None for one that is set twice, or to what is not known."""
    values: dict[str, str | None] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            values[name] = None if name in values else _value(node.value, {})
    return values


def _build_of(call: ast.Call, source: Source, values: Mapping[str, str | None]) -> Build | None:
    """The build that a call of `docker_build` describes; None where its image or its place is not known."""
    named = {word.arg: word.value for word in call.keywords if word.arg}
    given: dict[str, ast.expr] = {**dict(zip(("ref", "context"), call.args, strict=False)), **named}
    image = _value(given["ref"], values) if "ref" in given else None
    if image is None:
        return None
    said = source.said(call.lineno, f"docker_build of {image}")
    if "dockerfile_contents" in given:
        return Build(image, said, None)
    texts = {key: _value(given[key], values) for key in ("context", "dockerfile", "target") if key in given}
    if None in texts.values():
        return None
    found = located(source.files, [source.folder], texts.get("context"), texts.get("dockerfile"), inside=False)
    if found is None:
        return None
    return Build(image, said, *found, texts.get("target"), _arguments(given.get("build_args"), values))


_CALLS = frozenset({"docker_build", "docker_build_with_restart", "default_registry_docker_build"})


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _value(node: ast.expr, values: Mapping[str, str | None]) -> str | None:
    """The text of an expression, with a hole for each part that is not known; None where nothing of it is."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return values.get(name)
        case ast.BinOp(op=ast.Add()):
            return _sum(node, values)
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
            return text.replace("%s", _HOLE)
        case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str(text)))):
            return text.replace("{}", _HOLE)
    return None


def _sum(node: ast.expr, values: Mapping[str, str | None]) -> str | None:
    """The text of `a + b + c`."""
    parts: list[str | None] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and len(parts) < 50:
        parts.append(_term(node.right, values))
        node = node.left
    parts.append(_term(node, values))
    return "".join(_HOLE if part is None else part for part in reversed(parts)) if any(parts) else None


def _term(node: ast.expr, values: Mapping[str, str | None]) -> str | None:
    return None if isinstance(node, ast.BinOp) else _value(node, values)


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
