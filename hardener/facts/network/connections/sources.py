"""What the sources of a workload name: the text files of the folder that its image is built from, and compose files.

A name of a Service counts where it stands as an address does (`orders:3000`, a URL, the value of a key that means an
address) or where a compose file says that a service depends on it. As a bare word it may be one, in a text that a
program holds (`Redis("redis")`), in a variable (`ORDERS_HOST`) or in a file of settings. Comments, tests, documents,
lock files and the manifests of the tree say nothing of a program.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.table import lookup
from hardener.kubernetes.network.addresses import Address, Form, find
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.tree import Tree

_NO_SOURCE = late_pattern(
    r"(?i).*\.(?:md|mdx|rst|adoc|lock|sum|map|min\.js|svg|css|scss|csv|tsv|ipynb|po|pot|license|pem|crt)"
    r"|package-lock\.json|pnpm-lock\.yaml|license[\w.-]*|changelog[\w.-]*|notice[\w.-]*|authors[\w.-]*"
)
_MOST_FILES = 5000  # of one folder
_MOST_BYTES = 32 * 1024 * 1024  # of one run
_LONGEST_LINE = 4096  # a longer one is made by a program
_COMPOSE = late_pattern(r"(?i)(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|docker-stack\.ya?ml")
# Of a test, by a folder or by the name of a file, as the tools that run tests look for them.
_TEST = late_pattern(
    r"(?i)(?:.*/)?(?:tests?|specs?|__tests__|__mocks__|testdata|testing|fixtures|e2e|cypress)/.*"
    r"|(?:.*/)?(?:test_[^/]*|[^/]*[._-](?:tests?|specs?|e2e)\.[^/]*|[^/]*Tests?\.(?:java|kt|cs|scala|groovy))"
)
_COMMENT = late_pattern(r"[ \t]*(?:#(?!\{|define)|//|/\*|\*|--[ \t]|<!--|;)")
_TRAILING = late_pattern(r"[ \t](?:#|//)[ \t].*")
# What a program holds as a whole text, also as the default of a setting (`"${catalog.host:catalog}"`), and variables.
_HELD = late_pattern(
    r"([\"'`])(?:\$\{[\w.-]{1,100}:[-=]?)?([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\}?\1|\b[A-Z][A-Z0-9]{0,60}_[A-Z0-9_]{1,100}\b"
)
# Files in which any word may be a host: settings, and scripts of a shell.
_SETTINGS = late_pattern(
    r"(?i)(?:.*/)?(?:[^/.]+|[^/]*\.(?:env|ya?ml|json|toml|properties|conf|cfg|cnf|ini|xml|config|sh|bash|tpl|tmpl))"
)
_DEPENDENCIES = late_pattern(
    r"(?i)(?:.*/)?(?:package|composer|tsconfig[\w.-]*|bower|deno)\.json|(?:.*/)?(?:pom|packages|nuget)\.(?:xml|config)"
    r"|(?:.*/)?(?:cargo|pyproject|pipfile|gopkg|poetry)(?:\.toml)?|(?:.*/)?gemfile"
)
_LINKS = ("depends_on", "links")
_MOST_PARTS = 6  # of a name with dashes
_WORD = late_pattern(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PROGRAM = late_pattern(
    r"(?i).*\.(?:py|m?[jt]sx?|cjs|go|java|kt|scala|groovy|clj|rb|php|rs|cs|fs|vb|c|cc|cpp|cxx|exs?|erl|swift|pl|lua|dart|vue"
    r"|svelte|r|jl)"
)
_MEDIA = late_pattern(r"(?i).*\.(?:png|jpe?g|gif|ico|webp|avif|svg|bmp|woff2?|ttf|otf|eot|mp[34]|ogg|webm|wav|pdf)")
# A program that stands in no file of the tree.
_FETCH = late_pattern(
    r"(?im)^[ \t]*+ADD\s+(?:--\S+\s+)*https?://|\b(?:curl|wget)\b[^\n]{0,400}\.(?:jar|war|ear|zip|tgz|tar|txz|deb|rpm|apk|whl|exe|js)\b"
)
# What a program is built with, which is no part of it.
_BUILD_TOOLS = late_pattern(
    r"(?i)(?:mvnw|gradlew)\.(?:bat|cmd)|\.yarnrc\.yml|gradle\.properties|pnpm-workspace\.ya?ml|rust-toolchain\.toml"
    r"|\.?(?:babel|babelrc|eslintrc|eslint|prettierrc|webpack|vite|rollup|tsconfig|jest|postcss|tailwind|nuget|settings)"
    r"(?:\.config|\.gradle)?\.\w+(?:\.kts)?"
)
_RECIPE = late_pattern(r"(?i)(?:.*\.)?(?:docker|container)file(?:\..*)?|\.dockerignore|\.gitignore|makefile")


class Mention(Struct, frozen=True):
    """An address in a source, and where it stands: `src/cart/server.js:12`."""

    address: Address
    where: str


class Sources:
    """The mentions of every workload of a tree. Nothing is read where the tree has no Service or builds no image."""

    def __init__(self, tree: Tree, services: Collection[str], namespaces: Collection[str]) -> None:
        self._tree = tree
        self._services = services
        self._names = frozenset(services)
        self._namespaces = namespaces
        self._left = _MOST_BYTES
        self._of_file: dict[str, list[Mention]] = {}
        self._of_folder: dict[str, list[Mention]] = {}
        self._manifests = {file.path for file in tree.files if any(piece.parsed for piece in file.pieces)}
        self._linked: dict[str, list[Mention]] | None = None
        self._words: dict[str, dict[str, int]] = {}  # of each file that was read: the Services it names, and the line
        self._words_of_folder: dict[tuple[str, bool], dict[str, str] | None] = {}  # None where that is not known
        self._fetching: set[str] = set()  # Dockerfiles that bring programs from elsewhere

    @property
    def _may_tell(self) -> bool:
        return bool(self._services) and self._tree.ask(BuiltImages).are_there

    def of(self, pod: PodTemplate) -> Iterator[Mention]:
        """What the sources of the images of ``pod`` name, in the order of files and lines."""
        if not self._may_tell:
            return
        folders = self._folders(pod)
        for folder in folders:
            if folder not in self._of_folder:
                self._of_folder[folder] = list(self._read(folder))
            yield from self._of_folder[folder]
        if folders:
            yield from self._compose(folders)

    def _folders(self, pod: PodTemplate) -> dict[str, None]:
        """The folders from which the images of ``pod`` are built, those of the tree."""
        built = self._tree.ask(BuiltImages)
        folders: dict[str, None] = {}
        try:
            for container in pod.containers:
                if container.image is not None:
                    folders.update(dict.fromkeys(built.folders(container.image)))
        except (OpaqueError, WrongShapeError):
            return {}
        return folders

    def lacking(self, pod: PodTemplate) -> str | None:
        """What the images of ``pod`` are built from and the tree does not hold, the first that may name a host; None
        for nothing."""
        if not self._may_tell:
            return None
        built = self._tree.ask(BuiltImages)
        try:
            images = [container.image for container in pod.containers if container.image is not None]
        except (OpaqueError, WrongShapeError):
            return None
        return next((path for image in images for path in built.lacks(image) if _may_name_hosts(path)), None)

    def words(self, pod: PodTemplate) -> dict[str, str] | None:
        """The Services that the sources of ``pod`` name in any way, each with where; None where not all of its sources
        are in the tree and were read: then it may call others.

        What the image has besides counts, too: a base that nobody knows may be the program itself.
        """
        if not self._may_tell or self.lacking(pod) is not None:
            return None
        try:
            images = [container.image for container in pod.containers]
        except (OpaqueError, WrongShapeError):
            return None
        found: dict[str, str] = {}
        for image in images:
            for words in self._named_by(image) or [None]:
                if words is None:
                    return None
                found |= words
        return found if images else None

    def _named_by(self, image: ImageReference | None) -> list[dict[str, str] | None] | None:
        """The Services that the sources of ``image`` name, by the folders that it is built from; None where these are
        not in the tree, something of them is missing, or nothing is known of its base."""
        built = self._tree.ask(BuiltImages)
        made = built.of(image) if image is not None else None
        if image is None or made is None:
            return None
        row = lookup(made.base, self._tree.settings.images) if made.base is not None else None
        if made.base is not None and row is None:
            return None
        serves_files = row is not None and row.class_ == "web"
        return [self._named_in(folder, serves_files) for folder in built.folders(image)] or [None]

    def _named_in(self, folder: str, serves_files: bool) -> dict[str, str] | None:
        """The Services that the sources in ``folder`` name in any way, each with where; None where they are not all
        there, or not all were read. Without a program they say something only where the base ``serves_files``."""
        key = folder, serves_files
        if key not in self._words_of_folder:
            if folder not in self._of_folder:
                self._of_folder[folder] = list(self._read(folder))
            paths = self._tree.ask(RepositoryFiles).below(folder)
            sources = [path for path in paths[:_MOST_FILES] if self._is_source(path, folder)]
            is_read = len(paths) <= _MOST_FILES and all(map(self._is_read, sources))
            counted = [path for path in sources if self._counts(path)]
            has_program = any(serves_files or _PROGRAM.fullmatch(path) for path in counted)
            is_whole = is_read and has_program and self._fetching.isdisjoint(sources)
            self._words_of_folder[key] = self._words_in(counted) if is_whole else None
        return self._words_of_folder[key]

    def _words_in(self, paths: Iterable[str]) -> dict[str, str]:
        name = self._tree.ask(RepositoryFiles).name
        return {word: f"{name(path)}:{line}" for path in paths for word, line in self._words[path].items()}

    def _is_read(self, path: str) -> bool:
        return path in self._words or _MEDIA.fullmatch(path) is not None

    def _counts(self, path: str) -> bool:
        return path in self._words and not _RECIPE.fullmatch(os.path.basename(path))

    def _is_source(self, path: str, folder: str) -> bool:
        base = os.path.basename(path)
        # A compose file is about several services, each of which says its own.
        if _NO_SOURCE.fullmatch(base) or _COMPOSE.fullmatch(base) or path in self._manifests:
            return False
        return _TEST.fullmatch(os.path.relpath(path, folder)) is None

    def _read(self, folder: str) -> Iterator[Mention]:
        files = self._tree.ask(RepositoryFiles)
        for path in files.below(folder)[:_MOST_FILES]:
            if self._is_source(path, folder):
                if path not in self._of_file:
                    self._of_file[path] = self._in(path, files)
                yield from self._of_file[path]

    def _in(self, path: str, files: RepositoryFiles) -> list[Mention]:
        text = files.text(path) if self._left > 0 else None
        if text is None:
            return []
        self._left -= len(text)
        if _RECIPE.fullmatch(os.path.basename(path)) and _FETCH.search(text):
            self._fetching.add(path)
        lines = lines_of(text)
        self._words[path] = bare_words(path, lines, self._names)
        if not any(True for _ in self._addresses(text)):
            return []
        name = files.name(path)
        return [
            Mention(address, f"{name}:{number}")
            for number, line in lines
            if len(line) <= _LONGEST_LINE
            for address in self._addresses(line)
        ]

    def _addresses(self, text: str) -> Iterator[Address]:
        for address in find(text, self._services, self._namespaces, form=Form.TEXT):
            # `@name` alone is a parameter of SQL or an annotation.
            alone = address.port is None and f"@{address.host}" in text and "://" not in text
            if address.known and address.firm and not alone:
                yield address

    def _compose(self, folders: Mapping[str, None]) -> Iterator[Mention]:
        """What compose files say of the services built from ``folders``: what they depend on, and their variables."""
        if self._linked is None:
            self._linked = {}
            for folder, mention in self._links():
                self._linked.setdefault(folder, []).append(mention)
        for folder in folders:
            yield from self._linked.get(folder, ())

    def _links(self) -> Iterator[tuple[str, Mention]]:
        # Late: most trees build no image.
        from hardener.facts.images.dockerfiles.builds import Source
        from hardener.facts.images.dockerfiles.compose_builds import compose, services

        files = self._tree.ask(RepositoryFiles)
        for path in files.paths:
            if not _COMPOSE.fullmatch(os.path.basename(path)) or _TEST.fullmatch(os.path.relpath(path, files.root)):
                continue
            if (text := files.text(path)) is None:
                continue
            source = Source(path, files.name(path), text, files)
            built = {build.image: build.context for build in compose([source]) if build.rank == "service"}
            for name, document, service in services(source):
                if not built.get(name):
                    continue
                for key, address in self._of_service(service):
                    where = f"{source.name}:{document.line('services', name, key)}"
                    yield str(built[name]), Mention(address, where)

    def _of_service(self, service: Mapping[str, object]) -> Iterator[tuple[str, Address]]:
        """What a service of a compose file names, and by which of its keys."""
        for key in _LINKS:
            for other in _names(service.get(key)):
                if other in self._services:
                    yield key, Address(other, None, True, True)
        for variable, value in _variables(service.get("environment")):
            for address in find(value, self._services, self._namespaces, key=variable):
                if address.known and address.firm:
                    yield "environment", address


def bare_words(path: str, lines: Iterable[tuple[int, str]], names: frozenset[str]) -> dict[str, int]:
    """Those of ``names`` that ``lines`` of the file ``path``, each with its number, hold as a word that may be a host,
    each with its first line."""
    if _DEPENDENCIES.fullmatch(path):
        return {}
    spoken = _any_word if _SETTINGS.fullmatch(path) else _held_words
    found: dict[str, int] = {}
    for number, line in lines:
        for word in spoken(line):
            # ORDERS_SERVICE_HOST and orders_url name the Service orders, too.
            for start in names.intersection(_starts(word.lower().replace("_", "-"))):
                found.setdefault(start, number)
    return found


def lines_of(text: str) -> list[tuple[int, str]]:
    """The lines of ``text`` without their comments, each with its number."""
    return [(number, _code(line)) for number, line in enumerate(text.splitlines(), 1)]


def _may_name_hosts(path: str) -> bool:
    """Whether a source that is missing may say whom a program calls: what only builds it, or is shown, does not."""
    name = os.path.basename(path.rstrip("/"))
    if "." not in name or not any(pattern.fullmatch(name) for pattern in (_SETTINGS, _PROGRAM)):
        return False  # a binary or a folder: no more than is known of the image of another
    return not any(pattern.fullmatch(name) for pattern in (_NO_SOURCE, _DEPENDENCIES, _RECIPE, _BUILD_TOOLS))


def _code(line: str) -> str:
    """``line`` without its comment."""
    return "" if _COMMENT.match(line) else _TRAILING.sub("", line)


def _any_word(line: str) -> Iterator[str]:
    yield from _WORD.findall(line.lower().replace("_", "-"))


def _held_words(line: str) -> Iterator[str]:
    for match in _HELD.finditer(line):
        yield match[2] or match[0]


def _starts(word: str) -> Iterator[str]:
    """``word``, and what stands before each of its first dashes."""
    yield word
    end = -1
    for _ in range(_MOST_PARTS):
        end = word.find("-", end + 1)
        if end < 0:
            return
        yield word[:end]


def _variables(value: object) -> list[tuple[str, str]]:
    """The variables of a service, as a mapping or as a list of `KEY=value`."""
    if isinstance(value, list):
        pairs = [item.partition("=") for item in value if isinstance(item, str)]
        return [(key, text) for key, _, text in pairs]
    return [(str(key), text) for key, text in mapping(value).items() if isinstance(text, str)]


def _names(value: object) -> list[str]:
    """The services that `depends_on` or `links` names, as a list or as a mapping; of `db:database` the first part."""
    found = list(mapping(value)) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [item.partition(":")[0] for item in found if isinstance(item, str)]


class SourceText(Struct, frozen=True):
    """A mention in the form in which connections are made of texts; it has no place in a manifest."""

    where: str
    key: str = ""
    form: Form = Form.TEXT
    port: int | None = None
    secret: bool = False
    piece: Piece | None = None
    path: Path = ()

    def evidence(self, what: str) -> Evidence:
        return Evidence(f"{self.where} names {what}")
