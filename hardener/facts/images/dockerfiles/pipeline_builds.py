"""Builds that pipelines describe without a command: actions of GitHub, tasks of Azure, steps of Google Cloud Build."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from hardener.facts.images.dockerfiles.build_commands import build_words, from_words
from hardener.facts.images.dockerfiles.builds import Build, Document, Source, arguments_of, located, suffix_of
from hardener.facts.images.dockerfiles.variables import fill

_MOST = 2000  # steps of one file
_MOST_CELLS = 64  # of a matrix
_DEEPEST = 30
_EXPRESSION = re.compile(r"\$\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_AZURE_VARIABLE = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")


def _mappings(data: object) -> Iterator[tuple[Mapping[str, Any], tuple[str | int, ...]]]:
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(data, ())]
    seen = 0
    while waiting and seen < 50_000:
        value, path = waiting.pop()
        seen += 1
        if isinstance(value, Mapping):
            yield value, path
        if len(path) < _DEEPEST and isinstance(value, Mapping | list):
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting += [(each, (*path, key)) for key, each in items if isinstance(each, Mapping | list)]


def _lines(value: object) -> list[str]:
    """The lines of a text, or the parts between its commas."""
    texts = value if isinstance(value, list) else [value]
    return [
        part.strip() for text in texts if isinstance(text, str) for part in re.split(r"[\n,]", text) if part.strip()
    ]


# ---------------------------------------------------------------------------------------------------------------------
# GitHub: github.com/docker/build-push-action, docker/metadata-action, redhat-actions/buildah-build


def github(source: Source) -> Iterator[Build]:
    """The steps of workflows and actions that build images, once for each cell of the matrix of their job."""
    for document in source.read_yaml():
        data = document.data if isinstance(document.data, Mapping) else {}
        for job, path in _mappings(data):
            steps = job.get("steps")
            if isinstance(steps, list):
                yield from _job(source, document, data, job, [each for each in steps[:_MOST]], path)


def _job(
    source: Source, document: Document, whole: Mapping[str, Any], job: Mapping[str, Any], steps: list[Any], path: Any
) -> Iterator[Build]:
    values: dict[str, str] = {}
    for scope in (whole.get("env"), job.get("env")):
        if isinstance(scope, Mapping):
            values |= {f"env.{name}": value for name, value in scope.items() if isinstance(value, str)}
    for step in steps:
        if isinstance(step, Mapping) and "docker/metadata-action" in str(step.get("uses")):
            images = _lines(_with(step).get("images"))
            values[f"steps.{step.get('id')}.outputs.tags"] = "\n".join(images)
    cells = _cells(job)
    for number, step in enumerate(steps):
        uses = str(step.get("uses")) if isinstance(step, Mapping) else ""
        if "docker/build-push-action" not in uses and "buildah-build" not in uses:
            continue
        given = _with(step)
        said = source.said(document.line(*path, "steps", number), uses)
        for cell in cells:
            yield from _action(source, given, {**values, **cell}, said)


def _with(step: Mapping[str, Any]) -> Mapping[str, Any]:
    given = step.get("with")
    return given if isinstance(given, Mapping) else {}


def _action(source: Source, given: Mapping[str, Any], values: Mapping[str, str], said: Any) -> Iterator[Build]:
    def of(*names: str) -> str:
        text = next((given[name] for name in names if isinstance(given.get(name), str)), "")
        for _ in range(2):  # a value may hold an expression itself
            text = _EXPRESSION.sub(lambda match: values.get(match[1], match[0]), text)
        return text

    images = _lines(of("tags")) if "image" not in given else [of("image")]
    context = of("context") or "."
    if context.strip() in ("${{ github.workspace }}", "{{defaultContext}}"):
        context = "."
    dockerfile = of("file", "containerfiles", "dockerfiles")
    found = located(source.files, [source.files.root], context, dockerfile, inside=False)
    target = of("target") or None
    if found is None or (target is not None and "$" in target):
        return
    arguments = arguments_of(of("build-args").splitlines())
    for image in images[:50]:
        name = image.removeprefix("type=raw,").strip()
        yield Build(name, said, *found, target, arguments)


def _cells(job: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the matrix of a job sets, once for each of its runs."""
    strategy = job.get("strategy")
    matrix = strategy.get("matrix") if isinstance(strategy, Mapping) else None
    if not isinstance(matrix, Mapping):
        return [{}]
    axes = [
        [_values(f"matrix.{name}", value) for value in values[:_MOST_CELLS]]
        for name, values in list(matrix.items())[:6]
        if name not in ("include", "exclude") and isinstance(values, list) and values
    ]
    combined = islice(product(*axes), _MOST_CELLS) if axes else ()
    cells = [{key: value for part in parts for key, value in part.items()} for parts in combined]
    include = matrix.get("include")
    cells += [_values("matrix", extra) for extra in include[:_MOST_CELLS]] if isinstance(include, list) else []
    return cells or [{}]


def _values(name: str, value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {f"{name}.{key}": str(text) for key, text in value.items() if isinstance(text, str | int | float)}
    return {name: str(value)} if isinstance(value, str | int | float) else {}


# ---------------------------------------------------------------------------------------------------------------------
# Azure Pipelines: learn.microsoft.com/azure/devops/pipelines/tasks/reference/docker-v2


def azure(source: Source) -> Iterator[Build]:
    """The tasks `Docker@2` that build."""
    for document in source.read_yaml():
        found = list(_mappings(document.data))
        values = _azure_variables([mapping for mapping, _ in found])
        for task, path in found[:_MOST]:
            inputs = task.get("inputs")
            if str(task.get("task")).startswith("Docker@") and isinstance(inputs, Mapping):
                yield from _task(source, document.line(*path), task["task"], inputs, values)


def _azure_variables(mappings: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The variables that a pipeline sets, as a mapping or one by one."""
    values: dict[str, str] = {}
    for mapping in mappings:
        named = mapping.get("variables")
        if isinstance(named, Mapping):
            values |= {str(name): value for name, value in named.items() if isinstance(value, str)}
        name, value = mapping.get("name"), mapping.get("value")
        if isinstance(name, str) and isinstance(value, str):
            values[name] = value
    return values


def _task(
    source: Source, line: int, task: str, inputs: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[Build]:
    given = {str(key).lower(): _azure(value, values) for key, value in inputs.items() if isinstance(value, str)}
    image = given.get("repository") or given.get("imagename")
    if image is None or given.get("command", "buildAndPush") not in ("build", "buildAndPush"):
        return
    place = _task_place(source, given)
    if place is not None:
        said = source.said(line, f"{task} builds {image}")
        yield Build(image, said, *place, None, arguments_of(given.get("arguments", "").split()))


def _azure(text: str, values: Mapping[str, str]) -> str:
    for _ in range(2):
        text = _AZURE_VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
    return text


def _task_place(source: Source, given: Mapping[str, str]) -> tuple[str, str] | None:
    dockerfile = given.get("dockerfile", "**/Dockerfile")
    if "*" in dockerfile:
        candidates = [path for path in source.files.paths if suffix_of(path) == ""]
        if dockerfile != "**/Dockerfile" or len(candidates) != 1:
            return None
        return candidates[0], candidates[0].rpartition("/")[0]
    context = given.get("buildcontext", "**")
    found = located(source.files, [source.files.root], "." if "*" in context else context, dockerfile, inside=False)
    if found is None or "*" not in context:
        return found
    return found[0], found[0].rpartition("/")[0]  # the folder of the Dockerfile, by default


# ---------------------------------------------------------------------------------------------------------------------
# Google Cloud Build: cloud.google.com/build/docs/build-config-file-schema


def cloud_build(source: Source) -> Iterator[Build]:
    """The steps whose arguments are those of `docker build`, or of kaniko."""
    for document in source.read_yaml():
        data = document.data if isinstance(document.data, Mapping) else {}
        given = data.get("substitutions")
        values = {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
        steps = data.get("steps")
        for number, step in enumerate(steps[:_MOST] if isinstance(steps, list) else []):
            if isinstance(step, Mapping) and isinstance(step.get("args"), list):
                yield from _step(source, document.line("steps", number), step, values)


def _step(source: Source, line: int, step: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Build]:
    words = [fill(word, values) for word in step["args"] if isinstance(word, str)]
    name, folder = str(step.get("name")), step.get("dir")
    if "kaniko" in name:
        built = build_words("kaniko/executor", words)
    else:
        built = build_words("docker", words) if "docker" in name else None
    if built is not None:
        folders = [f"{start}/{folder}" if isinstance(folder, str) else start for start in source.folders()]
        yield from from_words(source, line, built, folders)
