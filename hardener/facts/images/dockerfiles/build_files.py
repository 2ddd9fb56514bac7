"""Which files of a repository say how images are built, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hardener.facts.images.dockerfiles import build_commands, compose_builds, pipeline_builds, tilt_and_bake
from hardener.facts.images.dockerfiles.builds import Build, Source
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles

_MOST = 5000  # build files
_BYTES = 64 * 1024 * 1024  # of build files that are read
_COMPOSE = re.compile(r"(?i)(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|[\w.-]+[.-]compose\.ya?ml|docker-stack\.ya?ml")
_SKAFFOLD = re.compile(r"(?i)skaffold[\w.-]*\.ya?ml")
_TILT = re.compile(r"(?i)Tiltfile(?:\.[\w-]+)?|[\w.-]+\.tiltfile|[\w.-]*Tiltfile")
_BAKE = re.compile(r"(?i)(?:docker-bake|[\w.-]*bake[\w.-]*)\.(hcl|json)")
_MAKE = re.compile(r"(?i)(?:GNU)?Makefile(?:\.[\w.-]+)?|[\w.-]+\.mk|justfile|Taskfile\.ya?ml")
_SCRIPT = re.compile(r"[\w.-]+\.(?:sh|bash)")
_PIPELINE = re.compile(
    r"(?i)[\w.-]*gitlab-ci[\w.-]*\.ya?ml|bitbucket-pipelines\.yml|\.travis\.yml|buildspec[\w.-]*\.ya?ml"
    r"|\.drone\.ya?ml|\.woodpecker\.ya?ml|Jenkinsfile[\w.-]*"
)
_CLOUD = re.compile(r"(?i)[\w.-]*cloudbuild[\w.-]*\.(?:ya?ml|json)")
_WITH_COMMANDS = frozenset({"make", "script", "pipeline", "github", "azure", "cloud"})
_AZURE = re.compile(r"(?i)[\w.-]*azure-pipelines?[\w.-]*\.ya?ml")


def builds(files: RepositoryFiles) -> Iterator[Build]:
    """What the build files of a repository say, file by file in the order of their names."""
    compose: dict[str, list[Source]] = {}
    read = size = 0
    for path in files.paths:
        folder, _, base = path.rpartition("/")
        kind = _kind(path, base)
        if kind is None or read == _MOST or size > _BYTES or (text := files.text(path)) is None:
            continue
        read, size = read + 1, size + len(text)
        source = Source(path, files.name(path), text, files)
        if kind == "compose":
            if "services" in text:
                compose.setdefault(folder, []).append(source)
        else:
            yield from _said_by(kind, source)
    if compose:
        for sources in compose.values():
            yield from compose_builds.compose(sources)


def _kind(path: str, base: str) -> str | None:
    for pattern, kind in (
        (_COMPOSE, "compose"), (_SKAFFOLD, "skaffold"), (_TILT, "tilt"), (_BAKE, "bake"), (_MAKE, "make"),
        (_CLOUD, "cloud"), (_AZURE, "azure"), (_SCRIPT, "script"), (_PIPELINE, "pipeline"),
    ):  # fmt: skip
        if pattern.fullmatch(base):
            return kind
    if base in ("azure.yaml", "azure.yml"):
        return "azd"
    if base.endswith((".yml", ".yaml")):
        if "/.github/" in path:
            return "github"
        if "/.circleci/" in path or "/.gitlab/" in path or "/.tekton/" in path or "/.woodpecker/" in path:
            return "pipeline"
        if "/.azure-pipelines/" in path or "/.pipelines/" in path or "/.azuredevops/" in path:
            return "azure"
    return None


def _bake(source: Source) -> Iterator[Build]:
    return (tilt_and_bake.bake_hcl if source.path.endswith(".hcl") else compose_builds.bake_json)(source)


# By kind of file, the words of which one stands in a file that names an image, and what reads it.
_READERS: dict[str, tuple[tuple[str, ...], Callable[[Source], Iterator[Build]]]] = {
    "skaffold": (("artifacts",), compose_builds.skaffold),
    "tilt": (("docker_build",), tilt_and_bake.tilt),
    "bake": (("",), _bake),
    "azd": (("services",), compose_builds.azd),
    "github": (("build-push-action", "buildah-build"), pipeline_builds.github),
    "azure": (("Docker@",), pipeline_builds.azure),
    "cloud": (("steps",), pipeline_builds.cloud_build),
}


def _said_by(kind: str, source: Source) -> Iterator[Build]:
    """What a build file of ``kind`` says; commands stand in every kind of script."""
    if kind in _READERS:
        words, reader = _READERS[kind]
        if any(word in source.text for word in words):
            yield from reader(source)
    if kind in _WITH_COMMANDS:
        yield from build_commands.commands(source, from_file=kind == "make")
