"""Builds that Docker Compose, Skaffold, Azure Developer CLI and bake files in JSON describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.facts.images.dockerfiles.builds import Build, Document, Source, arguments_of, located
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.variables import fill

_MOST = 1000  # artifacts or services of one file


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value[:_MOST] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


# ---------------------------------------------------------------------------------------------------------------------
# Docker Compose: docs.docker.com/reference/compose-file/build


def services(source: Source) -> Iterator[tuple[str, Document, Mapping[str, Any]]]:
    """(name, its document, what it says) of each service."""
    for document in source.read_yaml():
        for name, service in list(_mapping(_mapping(document.data).get("services")).items())[:_MOST]:
            if isinstance(service, Mapping):
                yield str(name), document, service


def compose(sources: list[Source]) -> Iterator[Build]:
    """The images that the compose files of one folder build.

    A service may be described in several of them, so that the image which one names is the one that another builds: of
    rank ``service``, since such an image is not what the other makes for development. So is one that has only the name
    of its service.
    """
    built: dict[str, Build] = {}
    images: list[tuple[str, str, Document]] = []
    for source in sources:
        for name, document, service in services(source):
            image = _text(service.get("image"))
            if "build" not in service:
                images += [(name, image, document)] if image else []
                continue
            line = document.line("services", name, "build")
            found = _compose_build(source, service["build"])
            if found is None:
                continue
            dockerfile, context, target, arguments = found
            said = source.said(line, f"service {name} is built from {source.files.name(context)}")
            if image:
                yield Build(fill(image, {}), said, dockerfile, context, target, arguments)
            # What is published under another name is the last stage, and not that of development.
            built.setdefault(name, Build(name, said, dockerfile, context, rank="service"))
    yield from built.values()
    for name, image, document in images:
        if (build := built.get(name)) is not None:
            said = document.source.said(document.line("services", name, "image"), f"service {name} runs {image}")
            yield Build(fill(image, {}), said, build.dockerfile, build.context, rank="service")


def _compose_build(source: Source, value: object) -> tuple[str, str, str | None, Any] | None:
    build: Mapping[str, Any] = {"context": value} if isinstance(value, str) else _mapping(value)
    if "dockerfile_inline" in build:
        return None
    context, dockerfile = (fill(_text(build.get(key)) or "", {}) for key in ("context", "dockerfile"))
    found = located(source.files, [source.folder], context, dockerfile, inside=True)
    if found is None:
        return None
    return *found, _text(build.get("target")), arguments_of(build.get("args"))


# ---------------------------------------------------------------------------------------------------------------------
# Skaffold: skaffold.dev/docs/references/yaml


_OTHER_TOOLS = ("ko", "jib", "jibMaven", "jibGradle", "bazel", "bazelArtifact", "buildpacks", "buildpack", "custom")


def skaffold(source: Source) -> Iterator[Build]:
    """The artifacts; those of a profile count where the file has no other for their image."""
    own: set[str] = set()
    for document in source.read_yaml():
        data = _mapping(document.data)
        for index, artifact in enumerate(_list(_mapping(data.get("build")).get("artifacts"))):
            build = _artifact(source, document, artifact, ("build", "artifacts", index))
            if build is not None:
                own.add(build.image)
                yield build
    for document in source.read_yaml():
        for number, profile in enumerate(_list(_mapping(document.data).get("profiles"))):
            for index, artifact in enumerate(_list(_mapping(_mapping(profile).get("build")).get("artifacts"))):
                path = ("profiles", number, "build", "artifacts", index)
                build = _artifact(source, document, artifact, path)
                if build is not None and build.image not in own:
                    yield build


def _artifact(source: Source, document: Document, artifact: object, path: tuple[str | int, ...]) -> Build | None:
    item = _mapping(artifact)
    image = _text(item.get("image") or item.get("imageName"))
    if image is None:
        return None
    said = source.said(document.line(*path), f"artifact {image}")
    if tool := next((tool for tool in _OTHER_TOOLS if tool in item), None):
        base = _text(_mapping(item[tool]).get("fromImage"))
        line = document.line(*path, tool, "fromImage")
        told = source.said(line, base) if base is not None else _base_of_ko(source) if tool == "ko" else None
        return Build(image, said, None, base=told)
    docker = _mapping(item.get("docker") or item.get("kaniko"))
    context = _text(item.get("context") or item.get("workspace"))
    found = located(source.files, [source.folder], context, _text(docker.get("dockerfile")), inside=True)
    if found is None:
        return Build(image, said, None)
    return Build(image, said, *found, _text(docker.get("target")), arguments_of(docker.get("buildArgs")))


def _base_of_ko(source: Source) -> Said[str] | None:
    """`defaultBaseImage` of the `.ko.yaml` beside ``source`` (ko.build/configuration); None with others for parts."""
    path = f"{source.folder}/.ko.yaml"
    text = source.files.text(path)
    if text is None or "baseImageOverrides" in text:
        return None
    settings = Source(path, source.files.name(path), text, source.files)
    for document in settings.read_yaml():
        base = _text(_mapping(document.data).get("defaultBaseImage"))
        if base is not None:
            return settings.said(document.line("defaultBaseImage"), base)
    return None


# ---------------------------------------------------------------------------------------------------------------------
# Azure Developer CLI: learn.microsoft.com/azure/developer/azure-developer-cli/azd-schema


def azd(source: Source) -> Iterator[Build]:
    """The services of `azure.yaml`: their image where it is named, else their own name."""
    for name, document, service in services(source):
        docker = _mapping(service.get("docker"))
        project = _text(service.get("project"))
        if project is None:
            continue
        context = f"{project}/{_text(docker.get('context')) or '.'}"
        path = _text(docker.get("path"))
        folders = [source.folder]
        found = located(source.files, folders, project, path, inside=True)
        if found is None:
            continue
        place = located(source.files, folders, context, path, inside=True)
        image = _text(docker.get("image")) or _text(service.get("image"))
        said = source.said(document.line("services", name), f"service {name} is built from {project}")
        arguments = arguments_of(docker.get("buildArgs"))
        context = place[1] if place is not None else found[1]
        target = _text(docker.get("target"))
        rank = "named" if image else "service"
        yield Build(fill(image or name, {}), said, found[0], context, target, arguments, rank)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------------------------
# Bake files: docs.docker.com/build/bake/reference


def bake_targets(
    source: Source, targets: Mapping[str, Mapping[str, Any]], lines: Mapping[str, int], values: Mapping[str, str | None]
) -> Iterator[Build]:
    """The images of the ``targets`` of a bake file, each with what it inherits."""
    for name in list(targets)[:_MOST]:
        target: dict[str, Any] = {}
        waiting, seen = [name], set[str]()
        while waiting:  # what a target says itself counts more than what it inherits
            each = waiting.pop(0)
            if each in seen or each not in targets or len(seen) > 20:
                continue
            seen.add(each)
            target = {**targets[each], **target}
            waiting += [parent for parent in _list(targets[each].get("inherits")) if isinstance(parent, str)]
        tags = [tag for tag in _list(target.get("tags")) if isinstance(tag, str)]
        context, dockerfile = (fill(_text(target.get(key)) or "", values) for key in ("context", "dockerfile"))
        found = located(source.files, [source.folder, source.files.root], context, dockerfile, inside=True)
        if found is not None:
            said = source.said(lines.get(name, 1), f"target {name}")
            for tag in tags:
                image = fill(tag, values)
                yield Build(image, said, *found, _text(target.get("target")), arguments_of(target.get("args")))


def bake_json(source: Source) -> Iterator[Build]:
    """The targets of `docker-bake.json`."""
    for document in source.read_yaml():
        data = _mapping(document.data)
        targets = {str(name): _first(target) for name, target in _mapping(data.get("target")).items()}
        lines = {name: document.line("target", name) for name in list(targets)[:_MOST]}
        variables = {
            str(name): _text(_first(value).get("default")) for name, value in _mapping(data.get("variable")).items()
        }
        yield from bake_targets(source, targets, lines, variables)


def _first(value: object) -> Mapping[str, Any]:
    return _mapping(value[0] if isinstance(value, list) and value else value)
