"""What build files say: which image is built from which Dockerfile."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from hardener.facts.images.dockerfiles.model import Rank, Said
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.sources import yaml
from hardener.sources.yaml import TextError

_NAMES = ("Dockerfile", "Containerfile")
_DOCKERFILE = re.compile(
    r"(?i)(?:Dockerfile|Containerfile)(?:[._-](?P<suffix>[\w.-]+))?|(?P<prefix>[\w.-]+)\.(?:Dockerfile|Containerfile)"
)
_NO_DOCKERFILE = re.compile(r"(?i).*[.](?:dockerignore|md|txt|lock|orig|rej|bak|swp|ya?ml|json|py|go|js|ts|rb|sh|java)")
_HOLE = re.compile(r"\$\{[^{}]*\}|\$\([^()]*\)|\$\{\{[^{}]*\}\}|\{\{[^{}]*\}\}|\$[A-Za-z_]\w*|%[A-Za-z_]+%")
_REMOTE = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*://|git@|github\.com/)")


class Build(Struct, frozen=True):
    """One image, and the Dockerfile that it is built from.

    - ``image``: its name as written, which may hold expressions. ``rank``: how sure the name is.
    - ``dockerfile``, ``context``: real paths; None where another tool (ko, jib, buildpacks) builds it. Then ``base`` is
      the image that the tool is told to start from, None where it is told none.
    - ``target``: the stage that is built, None for the last. ``arguments``: of the build; None for an unknown value.
    """

    image: str
    said: Said[str]
    dockerfile: str | None
    context: str | None = None
    target: str | None = None
    arguments: tuple[tuple[str, str | None], ...] = ()
    rank: Rank = "named"
    base: Said[str] | None = None


class Source(Struct):
    """A build file that is read: its path, its name for people, its folder, its text."""

    path: str
    name: str
    text: str
    files: RepositoryFiles
    documents: list[Document] = field(default_factory=list)

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    def read_yaml(self) -> list[Document]:
        """Its YAML documents; a document that is not readable is left out."""
        if not self.documents:
            for segment in yaml.segments(self.text):
                try:
                    parsed = yaml.parse(segment.text)
                except TextError:
                    continue
                self.documents += [
                    Document(self, parsed, index, segment.line, data) for index, data in enumerate(parsed.documents)
                ]
        return self.documents

    def said(self, line: int, text: str) -> Said[str]:
        return Said(" ".join(text.split())[:160], self.name, line)

    def folders(self) -> list[str]:
        """The folders that a path of a script may be seen from: the root, then that of the file and those between."""
        found = [self.folder]
        while found[-1] != self.files.root and len(found) < 64 and posixpath.dirname(found[-1]) != found[-1]:
            found.append(posixpath.dirname(found[-1]))
        return [self.files.root, *found[:-1]] if found[-1] == self.files.root else [self.folder]


class Document(Struct):
    """One document of a build file, with the lines of its parts."""

    source: Source
    parsed: yaml.Parsed
    index: int
    before: int
    data: object

    def line(self, *path: str | int) -> int:
        """The line of the part at ``path``, which counts from 1."""
        return self.before + self.parsed.line(self.index, path)


def suffix_of(path: str) -> str | None:
    """What a Dockerfile is called beside `Dockerfile` ("" for nothing); None for a file that is none by its name."""
    base = posixpath.basename(path)
    match = _DOCKERFILE.fullmatch(base)
    if match is None or _NO_DOCKERFILE.fullmatch(base):
        return None
    return (match["suffix"] or match["prefix"] or "").lower()


def located(
    files: RepositoryFiles, folders: Sequence[str], context: str | None, dockerfile: str | None, *, inside: bool
) -> tuple[str, str] | None:
    """(Dockerfile, context) as real paths, from the first of ``folders`` where there is such a file.

    ``inside``: the Dockerfile is written as seen from the context, and not from the folder.
    """
    context = _plain(context or ".")
    written = _plain(dockerfile) if dockerfile else None
    if context is None or _REMOTE.match(context) or (dockerfile and written is None):
        return None
    for folder in folders:
        place = posixpath.normpath(posixpath.join(folder, context))
        names: Iterable[str] = [written] if written else _NAMES
        starts = [place, folder] if inside else [folder, place] if written else [place]
        for start in starts:
            for name in names:
                found = posixpath.normpath(posixpath.join(start, name))
                if found in files:
                    return found, place
    return None


_FROM_ROOT = re.compile(
    r"\A(?:\$\(Build\.SourcesDirectory\)|\$\(System\.DefaultWorkingDirectory\)|\$\{?CI_PROJECT_DIR\}?"
    r"|\$\{?GITHUB_WORKSPACE\}?|\$\{\{ *github\.workspace *\}\}|\$\{?PWD\}?|\$\(PWD\)|\$\(CURDIR\)|/workspace)(?:/|\Z)"
)


def _plain(path: str) -> str | None:
    """``path`` without what means the root of the repository; None where another expression stands in it."""
    found = _FROM_ROOT.sub("./", path.strip().strip("\"'"))
    return None if _HOLE.search(found) or "\0" in found or len(found) > 4096 else found


def arguments_of(value: object) -> tuple[tuple[str, str | None], ...]:
    """The arguments of a build, from a mapping or from `NAME=value` lines; an expression is a value not known."""
    found: dict[str, str | None] = {}
    if isinstance(value, Mapping):
        pairs = [(str(name), text) for name, text in value.items()]
    elif isinstance(value, list):
        pairs = [
            (name, text if equals else None) for each in value for name, equals, text in [str(each).partition("=")]
        ]
    else:
        return ()
    for name, text in pairs[:200]:
        written = str(text) if isinstance(text, str | int | float) else None
        found[name.strip()] = None if written is None or _HOLE.search(written) else written
    return tuple(found.items())
