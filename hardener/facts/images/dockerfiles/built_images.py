"""``BuiltImages``: the images that are built from this tree, as their Dockerfiles say they are.

Nothing is read before somebody asks for an image: then the names of all files once, and the build files. A Dockerfile
is read when an image of it is asked for, and kept.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.dockerfiles import instructions
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import BuiltImage, Rank, Said, least
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.kubernetes.images import reference as image_reference
from hardener.kubernetes.images.reference import ImageReference
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError

if TYPE_CHECKING:
    from hardener.facts.images.dockerfiles.builds import Build
    from hardener.facts.images.dockerfiles.entrypoint_scripts import Shown
    from hardener.facts.images.dockerfiles.matching import Matching
    from hardener.facts.images.dockerfiles.stage import Stage

_NAMED = re.compile(r"(?i)(?:docker|container)file")
_MOST_DOCKERFILES = 2000
_DEEPEST = 10  # images of this tree that are made one from the other
_MOST_BUILDS = 20  # of one image that are compared


class BuiltImages(AsRead):
    """What the Dockerfiles of the repository say of its images."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[str, BuiltImage | None] = {}
        self._instructions: dict[str, tuple[Instruction, ...] | None] = {}
        self._stages: dict[tuple[str, str | None, tuple[tuple[str, str | None], ...]], Stage | None] = {}
        self._lacking: dict[tuple[str, str], tuple[str, ...]] = {}
        self._under_way: list[str] = []

    def of(self, reference: ImageReference) -> BuiltImage | None:
        """What the Dockerfiles say of the image; None where none of them builds it, and where it is not known which one
        does, or what it says. ``hardener.facts.images.dockerfiles.matching`` has the rule."""
        key = reference.text
        if key not in self._known:
            self._known[key] = self._of(reference)
        return self._known[key]

    @property
    def are_there(self) -> bool:
        """Whether the repository may build any image."""
        return self._matching is not None

    def folders(self, reference: ImageReference) -> list[str]:
        """The folders that the image is built from, as real paths: the context of its build, or the folder of its
        Dockerfile where others are built from that context as well; [] where none builds it."""
        match = self._matching.of(reference) if self._matching is not None else None
        found: dict[str, None] = {}
        for build in match[1] if match is not None else ():
            if build.dockerfile is None:
                continue
            own, context = posixpath.dirname(build.dockerfile), build.context
            shared = context is None or context == self._files.root or self._is_shared(context, build.dockerfile)
            folder = own if shared or context is None else context
            if folder != self._files.root or len(self._dockerfiles) == 1:
                found[folder] = None
        return list(found)

    def lacks(self, reference: ImageReference) -> Iterator[str]:
        """What the Dockerfiles of the image copy from their context and the tree does not hold."""
        match = self._matching.of(reference) if self._matching is not None else None
        for build in match[1] if match is not None else ():
            path = build.dockerfile
            if path is not None:
                key = path, build.context or posixpath.dirname(path)
                if key not in self._lacking:
                    self._lacking[key] = self._missing_in(*key)
                yield from self._lacking[key]

    def _missing_in(self, path: str, context: str) -> tuple[str, ...]:
        from hardener.facts.images.dockerfiles.missing_sources import missing  # late: as ``agreed``

        if path not in self._instructions:
            self._instructions[path] = self._parsed(path)
        return tuple(missing(self._instructions[path] or (), context, self._files))

    def _is_shared(self, context: str, dockerfile: str) -> bool:
        own = posixpath.dirname(dockerfile)
        return any(
            other.startswith(f"{context}/") and posixpath.dirname(other) not in (own, context)
            for other in self._dockerfiles
        )

    @cached_property
    def _files(self) -> RepositoryFiles:
        return self._tree.ask(RepositoryFiles)

    @cached_property
    def _dockerfiles(self) -> list[str]:
        if not any(_may_be_dockerfile(path) for path, _ in self._tree.walk((), _may_be_dockerfile)):
            return []  # a list of every other file costs more

        from hardener.facts.images.dockerfiles.builds import suffix_of

        found = [path for path in self._files.paths if suffix_of(path) is not None]
        return found[:_MOST_DOCKERFILES] if self._files.complete else []

    @cached_property
    def _matching(self) -> Matching | None:
        if not self._dockerfiles:
            return None

        # Late: most trees build no image.
        from hardener.facts.images.dockerfiles.build_files import builds
        from hardener.facts.images.dockerfiles.matching import Matching

        return Matching(builds(self._files), self._dockerfiles, self._files.root, self._named())

    def _named(self) -> Iterator[ImageReference]:
        """The images that manifests of the tree name."""
        for pod in self._tree.pod_templates:
            try:
                yield from (container.image for container in pod.containers if container.image is not None)
            except (WrongShapeError, OpaqueError):
                continue

    def _of(self, reference: ImageReference) -> BuiltImage | None:
        match = self._matching.of(reference) if self._matching is not None else None
        if match is None:
            return None

        from hardener.facts.images.dockerfiles.reading import agreed  # late: most trees build no image

        rank, builds = match
        if any(build.dockerfile is None for build in builds):
            return _of_another_tool(builds, rank)
        unlike = {(build.dockerfile, build.target, build.arguments): build for build in reversed(builds)}
        if len(unlike) > _MOST_BUILDS:
            return None
        images = [self._read(build, rank) for build in reversed(unlike.values())]
        return None if None in images else agreed([image for image in images if image is not None])

    def started(self, reference: ImageReference, words: tuple[str, ...]) -> Shown | None:
        """What the scripts of the image show that ``words`` start in the place of its entrypoint; None where none of
        its Dockerfiles is read, or several are."""
        match = self._matching.of(reference) if self._matching is not None else None
        unlike = {(build.dockerfile, build.target) for build in match[1]} if match is not None else set()
        stage = self._stage(match[1][0]) if match is not None and len(unlike) == 1 else None
        if stage is None:
            return None
        from hardener.facts.images.dockerfiles.entrypoint_scripts import shown_by_command  # late: as ``agreed``

        return shown_by_command(words, stage, self._files)

    def _read(self, build: Build, rank: Rank) -> BuiltImage | None:
        stage = self._stage(build)
        if stage is None or build.dockerfile is None:
            return None
        from hardener.facts.images.dockerfiles.reading import image_of  # late: most trees build no image

        name = self._files.name(build.dockerfile)
        said: Said[str] | None = build.said if build.said.line else None
        return image_of(stage, self._files, name, rank, said)

    def _stage(self, build: Build) -> Stage | None:
        """What the stage leaves that ``build`` makes; None where its Dockerfile cannot be read."""
        path = build.dockerfile
        if path is None:
            return None
        key = (path, build.target, build.arguments)
        if key not in self._stages:
            self._stages[key] = self._left_by(build, path)
        return self._stages[key]

    def _left_by(self, build: Build, path: str) -> Stage | None:
        if path not in self._instructions:
            self._instructions[path] = self._parsed(path)
        instructions = self._instructions[path]
        if instructions is None:
            return None
        from hardener.facts.images.dockerfiles.stages import Stages  # late: most trees build no image

        name, arguments = self._files.name(path), dict(build.arguments)
        stages = Stages(instructions, name, build.context, arguments, self._base_of(build))
        index = stages.index(build.target)
        return stages.left_by(index) if index is not None else None

    def _parsed(self, path: str) -> tuple[Instruction, ...] | None:
        text = self._files.text(path)
        return instructions.read(text) if text is not None else None

    def _base_of(self, build: Build) -> Callable[[str], Stage | None]:
        """What finds the image of this tree that a FROM of ``build`` names."""

        def built(image: str) -> Stage | None:
            reference = image_reference.parse(image)
            match = self._matching.base(reference) if self._matching is not None and reference is not None else None
            if match is None or len(self._under_way) >= _DEEPEST:
                return None
            rank, base = match
            if base.dockerfile in (*self._under_way, build.dockerfile):
                return None  # a circle: it is the image of that name from elsewhere
            self._under_way.append(build.dockerfile or "")
            try:
                stage = self._stage(base)
            finally:
                self._under_way.pop()
            if stage is None:
                return None
            child = stage.child()
            child.triggers = stage.triggers
            child.rank = least(rank, stage.rank)
            child.through = (self._files.name(base.dockerfile or ""), *stage.through)
            return child

        return built


def _may_be_dockerfile(path: str) -> bool:
    """Whether ``builds.suffix_of`` has to look at the name."""
    return _NAMED.search(path, path.rfind("/") + 1) is not None


def _of_another_tool(builds: Sequence[Build], rank: Rank) -> BuiltImage | None:
    """What is known of an image that ko or jib makes: its base, where all ``builds`` are told the same one. What it
    starts, and where its files are, only the tool knows."""
    first = builds[0]
    if first.base is None or any(build.dockerfile is not None or build.base is None for build in builds):
        return None
    base = image_reference.parse(first.base.value)
    if base is None or base.opaque or any(build.base and build.base.value != base.text for build in builds):
        return None

    unknown = frozenset({"ports", "volumes", "workdir", "entrypoint", "cmd", "env", "filled", "writes"})
    return BuiltImage(first.said.file, rank, first.said, base, first.base, unknown=unknown)
