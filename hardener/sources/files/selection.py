"""Which files of a tree are read: those that Git tracks or does not ignore, without test data and what is excluded.

What is passed by is counted, so that a report can say it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from copy import copy
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace as replaced

from hardener.sources import registry
from hardener.sources.files import CONFIG, NAMES, RUN_FOLDER, UnreadableError, git_root, is_other, read_bytes
from hardener.sources.git import index as git_index
from hardener.sources.git.index import GitIndex
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


TEST_DATA = frozenset({"testdata", "fixtures", "golden", "node_modules"})
"""Folders of these names hold what others test with, or what others wrote: none of it is run as it stands."""
INSTALLED = frozenset({"node_modules"})
"""Those of them that a package manager makes anew."""
DEEPEST = 200
"""Folders below the one that a walk begins with; what lies deeper is not looked for."""
_OF_TOOLS = frozenset({".git", "__pycache__", ".venv", ".tox", ".terraform", RUN_FOLDER})
# How images are built: evidence, and no manifest that somebody forgot to name.
_BUILD_FILE = late_pattern(r"(Docker|Container)file([._-].*)?|.*\.Dockerfile|(Make|Jenkins|Tilt|Just)file")
_CASE = {"before", "findings.txt"}  # what a folder that is a golden case holds
_MOST_COUNTED = 10_000  # files that are left out; what lies beyond is not looked for
_LARGEST_IGNORE_FILE = 1024 * 1024  # bytes
_MOST_PATTERNS = 3000  # that count in one folder: each is tried on each file
_LONGEST_PATTERN = 1000  # characters

Wanted = Callable[[str], bool]


class LeftOut(Struct, frozen=True):
    """How much is not read for the reason ``id``: ``files``, and ``folders`` that nobody looked into; ``places`` are
    the real paths of the outermost, or of some of them. ``more``: there may be more files than were counted."""

    id: str
    files: int
    folders: int = 0
    places: tuple[str, ...] = ()
    more: bool = False


class Passed(Struct):
    """What walks passed by; a folder that several of them meet counts once.

    - ``files``: how many, by the id of the reason.
    - ``tracked``: those that are taken although an ignore file names them, since Git tracks them.
    - ``unread_index``: why it is not known what Git tracks; "" where it is.
    - ``unread_ignores``: why the patterns of an ignore file do not count, by its path.
    - ``too_deep``: the folders that nobody looked into, since they lie too deep.
    - ``others``: files that are of no language that is read, whose names end in one of ``looked_for``.
    - ``configs``: files that have the name of a configuration, at the root and below.
    - ``unseen``: programs that use a library of Kubernetes and show no object, each with the line that tells.
    """

    files: Counter[str] = field(default_factory=Counter)
    ignored: dict[str, bool] = field(default_factory=dict)  # whether it is a folder, by path
    tools: dict[str, None] = field(default_factory=dict)
    tracked: dict[str, None] = field(default_factory=dict)
    unread_index: str = ""
    unread_ignores: dict[str, str] = field(default_factory=dict)
    too_deep: dict[str, None] = field(default_factory=dict)
    configs: dict[str, None] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)
    looked_for: tuple[str, ...] = ()
    others: dict[str, None] = field(default_factory=dict)
    _left: dict[str, tuple[str, _Walk, _Place]] = field(default_factory=dict)  # why, by the path left out
    _walked: set[str] = field(default_factory=set)

    def enter(self, folder: str) -> bool:
        """Whether what stands in ``folder`` has to be counted; it has once."""
        known = folder in self._walked
        self._walked.add(folder)
        return not known

    def leave(self, id: str, path: str, walk: _Walk, place: _Place) -> None:
        """Remember that ``walk`` left out ``path``, a file or a folder."""
        self._left.setdefault(path, (id, walk, place))

    def tally(self, read: Collection[str]) -> list[LeftOut]:
        """What is not among the paths that were ``read``, by reason."""
        found: dict[str, tuple[list[str], int]] = {}
        room = _MOST_COUNTED
        for path, (id, walk, place) in self._left.items():
            if room == 0:
                break
            files = walk.all_of(path, place) if os.path.isdir(path) else iter([path])
            count = sum(1 for file in islice(files, room) if file not in read)
            room -= count
            if count:
                places, number = found.get(id, ([], 0))
                found[id] = [*places, path], number + count
        made = [LeftOut(id, count, 0, tuple(places), room == 0) for id, (places, count) in found.items()]
        if self.ignored:
            folders = sum(self.ignored.values())
            made.append(LeftOut("ignored", len(self.ignored) - folders, folders, tuple(self.ignored)))
        if self.too_deep:
            made.append(LeftOut("too-deep", 0, len(self.too_deep), tuple(self.too_deep)))
        if self.tools:
            made.append(LeftOut("tool-folder", 0, len(self.tools), tuple(self.tools)))
        if self.unseen:
            unseen = tuple(f"{path}:{line}" for path, line in self.unseen.items())
            made.append(LeftOut("no-object-seen", len(unseen), 0, unseen))
        return made + [LeftOut(id, count) for id, count in sorted(self.files.items()) if count]


class _Rules(Struct, frozen=True):
    """The patterns of one ignore file, seen from ``folder``."""

    folder: str
    spec: GitIgnoreSpec

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether they name ``path``; None where they say nothing of it."""
        start = self.folder.rstrip(os.sep) + os.sep
        if not path.startswith(start):
            return None
        return self.spec.check_file(path.removeprefix(start).replace(os.sep, "/") + "/" * is_folder).include


class _Place(Struct, frozen=True):
    """What counts in a folder: the ignore ``rules`` from the outermost to its own, the ``repository`` that it is in.

    ``tracked_only``: a folder above is ignored, so only what Git tracks is taken. ``excludes``: whether the exclusions
    of the configuration count.
    """

    rules: tuple[_Rules, ...] = ()
    repository: str | None = None
    tracked_only: bool = False
    excludes: bool = True


class Selection:
    """Which files of the tree ``root`` are read.

    - ``exclude``: patterns as in .gitignore, seen from ``root``, of what is left out below the given paths.
    - ``given``: the real paths that a person named.
    - ``test_data``: the names of folders that are left out. They count below the folder that a walk begins with.
    - ``whole``: below the given paths nothing is left out but the folders of Git, whatever the tree says.
    """

    def __init__(
        self,
        root: str,
        *,
        exclude: Collection[str] = (),
        given: Collection[str] = (),
        test_data: frozenset[str] = TEST_DATA,
        whole: bool = False,
    ) -> None:
        self.root = root
        self.test_data = test_data
        self.whole = whole
        self._exclude: GitIgnoreSpec | None = None
        if exclude:
            from hardener.sources.files.ignore_patterns import spec_of  # late: few repositories exclude anything

            self._exclude = spec_of(exclude)
        self._way = frozenset(_ways(given, root))
        self._indexes: dict[str, GitIndex | str] = {}

    def below(
        self,
        folder: str,
        suffixes: tuple[str, ...] | None = None,
        also: Wanted = is_other,
        passed: Passed | None = None,
    ) -> Iterator[tuple[str, bool]]:
        """Files whose names end in one of ``suffixes`` (None: those that are read, programs left out), and those whose
        path ``also`` wants, below the given ``folder`` in a stable order, as (path, is a symbolic link).

        Folders behind a symbolic link are not entered: what they hold inside the tree is met on its own path. The links
        to them are listed.
        """
        walk = _Walk(self, _endings(suffixes), also, frozenset(), Passed() if passed is None else passed, self.whole)
        if self.whole:
            yield from walk.all(folder)
            return
        # A folder that is named is meant, whatever the configuration says.
        yield from walk.start(folder, excludes=not self.excludes(folder, True))

    def everywhere(
        self, suffixes: tuple[str, ...] | None = None, also: Wanted = is_other
    ) -> Iterator[tuple[str, bool]]:
        """The same for all of ``root``, as evidence.

        A folder on the way to a given path is entered whatever it is called, since its tests are what is asked for.
        What is excluded is listed: it is not to be changed, and runs all the same.
        """
        yield from _Walk(self, _endings(suffixes), also, self._way, Passed()).start(self.root, excludes=False)

    def with_test_data(self) -> Selection:
        """The same, but nothing is left out as test data."""
        found = copy(self)
        found.test_data = frozenset()
        return found

    def is_test_data(self, path: str) -> bool:
        """Whether ``path`` lies in a folder of test data that nobody named; a kustomization may take it in even so."""
        folder = os.path.dirname(path)
        while len(folder) > len(self.root):
            if os.path.basename(folder) in self.test_data and folder not in self._way:
                return True
            folder = os.path.dirname(folder)
        return False

    def excludes(self, path: str, is_folder: bool) -> bool:
        """Whether the configuration leaves out ``path``."""
        return self._exclude is not None and bool(_Rules(self.root, self._exclude).verdict(path, is_folder))

    def is_tracked(self, path: str, is_folder: bool, repository: str | None, passed: Passed) -> bool:
        """Whether Git tracks the file ``path``, or a file below the folder ``path``; asked of what is ignored only."""
        if repository is None:
            return False
        index = self._indexes.get(repository)
        if index is None:
            index = self._indexes[repository] = _index(repository)
        if isinstance(index, str):
            passed.unread_index = index
            return False
        name = os.fsencode(os.path.relpath(path, repository))
        return index.holds(name) or (is_folder and index.holds_below(name))


class _Walk(Struct, frozen=True):
    selection: Selection
    suffixes: tuple[str, ...]
    also: Wanted
    way: frozenset[str]  # folders that are entered whatever they are called
    passed: Passed
    whole: bool = False

    def all(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Every file of a wanted name below ``folder``."""
        walk = replaced(self, selection=self.selection.with_test_data())
        yield from walk._folder(folder, _Place(excludes=not self.selection.excludes(folder, True)))

    def start(self, folder: str, excludes: bool) -> Iterator[tuple[str, bool]]:
        repository = git_root(folder)
        rules = _rules_above(folder, repository, self.passed)
        # A folder that is named is meant, whatever the files above it say.
        rules = () if _ignored(folder, True, rules) else rules
        yield from self._folder(folder, _Place(rules, repository, excludes=excludes))

    def all_of(self, folder: str, place: _Place) -> Iterator[str]:
        """The files below a folder that is left out."""
        whole = _Walk(self.selection.with_test_data(), self.suffixes, self.also, frozenset(), Passed())
        yield from (path for path, _ in whole._folder(folder, replaced(place, excludes=False)))

    def _folder(self, folder: str, place: _Place, depth: int = 0) -> Iterator[tuple[str, bool]]:
        if depth > DEEPEST:
            self.passed.too_deep[folder] = None
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            yield folder, False  # read() says why it cannot be read
            return
        counts = self.passed.enter(folder)
        names = {entry.name for entry in entries}
        if CONFIG in names:
            self.passed.configs[os.path.join(folder, CONFIG)] = None
        if depth and self._is_golden_case(folder, names):
            self.passed.leave("test-data", folder, self, place)
            return
        if not self.whole:  # else no rule of the tree counts
            place = self._place_in(folder, place, names)
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and self._is_of_tool(entry):
                continue
            if not is_folder and not self._is_wanted(entry):
                if counts:
                    self._pass(entry, place)
                continue
            inner = self._selected(entry, is_folder, place)
            if inner is None:
                continue
            if is_folder:
                yield from self._folder(entry.path, inner, depth + 1)
            else:
                yield entry.path, entry.is_symlink()

    def _pass(self, entry: os.DirEntry[str], place: _Place) -> None:
        """Count a file that is of no language that is read, and remember it where it may name a workload."""
        self.passed.files["other-ending"] += not _BUILD_FILE.fullmatch(entry.name)
        if entry.name.endswith(self.passed.looked_for) and not entry.is_symlink() and self._counts(entry.path, place):
            self.passed.others[entry.path] = None

    def _counts(self, path: str, place: _Place) -> bool:
        """Whether neither Git nor the configuration leaves out the file ``path``."""
        if place.tracked_only or (place.rules and _ignored(path, False, place.rules)):
            return self.selection.is_tracked(path, False, place.repository, self.passed)
        return not (place.excludes and self.selection.excludes(path, False))

    def _is_golden_case(self, folder: str, names: set[str]) -> bool:
        if "golden" not in self.selection.test_data or not names >= _CASE:
            return False
        return os.path.isdir(os.path.join(folder, "before"))

    def _place_in(self, folder: str, place: _Place, names: set[str]) -> _Place:
        """What counts in a folder that holds these names."""
        if ".git" in names and folder != place.repository:  # a repository of its own
            place = _Place(_rules_above(folder, folder, self.passed), folder, excludes=place.excludes)
        if ".gitignore" in names:
            place = replaced(place, rules=_with(place.rules, folder, ".gitignore", self.passed))
        return place

    def _is_of_tool(self, entry: os.DirEntry[str]) -> bool:
        """Whether nobody looks into a folder, since a tool keeps it."""
        if entry.name not in _OF_TOOLS or (self.whole and entry.name != ".git"):
            return False
        if entry.name != ".git":
            self.passed.tools[entry.path] = None
        return True

    def _is_wanted(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file is of a wanted name, or a link to a folder."""
        if entry.name.endswith(self.suffixes) or entry.name in NAMES:
            return True
        return self.also(entry.path) or (entry.is_symlink() and os.path.isdir(entry.path))

    def _selected(self, entry: os.DirEntry[str], is_folder: bool, place: _Place) -> _Place | None:
        """What counts in a file or folder that is taken; None for one that is left out."""
        selection, passed, path = self.selection, self.passed, entry.path
        inner = place
        if place.tracked_only or (place.rules and _ignored(path, is_folder, place.rules)):
            if not selection.is_tracked(path, is_folder, place.repository, passed):
                passed.ignored[path] = is_folder
                return None
            if is_folder:
                inner = replaced(place, tracked_only=True)
            else:
                passed.tracked[path] = None
        if is_folder and entry.name in selection.test_data and path not in self.way:
            passed.leave("test-data", path, self, inner)
            return None
        if place.excludes and selection.excludes(path, is_folder):
            passed.leave("excluded", path, self, inner)
            return None
        return inner


def is_ignored(path: str, repository: str) -> bool:
    """Whether Git ignores the file ``path``, there or not, in the work tree ``repository``: an ignore file there names
    it or a folder above it, and it is not tracked. False where that is not known."""
    passed = Passed()  # what of it cannot be read says nothing here
    rules: tuple[_Rules, ...] = ()
    for own in _own_excludes(repository):
        rules = _with(rules, repository, own, passed)
    current, name = repository, os.path.relpath(path, repository)
    parts = name.split(os.sep)
    for number, part in enumerate(parts, 1):
        rules = _with(rules, current, ".gitignore", passed)
        current = os.path.join(current, part)
        if _ignored(current, number < len(parts), rules):
            index = _index(repository)
            return not isinstance(index, str) and not index.holds(os.fsencode(name))
    return False


def _ways(given: Collection[str], root: str) -> Iterator[str]:
    """The given paths and the folders above them, below ``root``."""
    known = {root}
    for path in given:
        while path not in known and len(path) > len(root):
            known.add(path)
            yield path
            path = os.path.dirname(path)


def _index(repository: str) -> GitIndex | str:
    """What ``repository`` tracks, or why that is not known."""
    try:
        return git_index.read(repository)
    except git_index.UnreadableIndexError as error:
        return str(error)


def _rules_above(folder: str, repository: str | None, passed: Passed) -> tuple[_Rules, ...]:
    if repository is None:
        return ()
    rules: tuple[_Rules, ...] = ()
    for own in _own_excludes(repository):
        rules = _with(rules, repository, own, passed)
    if folder == repository:
        return rules
    current = repository
    for part in os.path.relpath(folder, repository).split(os.sep):
        rules = _with(rules, current, ".gitignore", passed)
        current = os.path.join(current, part)
    return rules


def _own_excludes(repository: str) -> tuple[str, ...]:
    """The file of patterns that belongs to one clone, and not to what it holds."""
    path = os.path.join(repository, ".git", "info", "exclude")
    if not os.path.isdir(os.path.join(repository, ".git")):
        own = git_index.git_folder(repository)
        if own is None:
            return ()
        path = os.path.join(git_index.common_folder(own), "info", "exclude")
    return (path,) if os.path.exists(path) else ()


def _with(rules: tuple[_Rules, ...], folder: str, name: str, passed: Passed) -> tuple[_Rules, ...]:
    """``rules``, and behind them what the ignore file ``name``, seen from ``folder``, says; the same where there is
    none. One with more than can be tried on each file does not count, and ``passed`` notes why: then too much is read,
    and nothing is passed by."""
    path = os.path.join(folder, name)
    if not os.path.lexists(path) or os.path.islink(path):
        return rules  # nor does Git follow a link
    try:
        text = read_bytes(path, _LARGEST_IGNORE_FILE)[0].decode(errors="replace")
    except UnreadableError as error:
        passed.unread_ignores[path] = error.message
        return rules
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return rules
    known = sum(len(one.spec.patterns) for one in rules)
    if known + len(lines) > _MOST_PATTERNS:
        passed.unread_ignores[path] = f"there are more than {_MOST_PATTERNS} patterns"
        return rules
    if any(len(line) > _LONGEST_PATTERN for line in lines):
        passed.unread_ignores[path] = f"a pattern has more than {_LONGEST_PATTERN} characters"
        return rules
    from hardener.sources.files.ignore_patterns import is_pattern, spec_of  # late: most folders have no .gitignore

    try:
        return (*rules, _Rules(folder, spec_of(lines)))
    except ValueError:
        # A line that is no pattern names nothing, as in Git.
        return (*rules, _Rules(folder, spec_of(line for line in lines if is_pattern(line))))


def _ignored(path: str, is_folder: bool, rules: tuple[_Rules, ...]) -> bool:
    # The deepest .gitignore that says anything about the path wins, as in Git.
    for one in reversed(rules):
        verdict = one.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def pattern_test(pattern: str, root: str) -> Wanted:
    """Whether a real path is one that ``pattern``, as in .gitignore and seen from ``root``, names."""
    from hardener.sources.files.ignore_patterns import spec_of  # late: few settings name a path

    # A leading slash: seen from the root, never at any depth.
    spec = spec_of(["/" + pattern.removeprefix("./").lstrip("/")])
    return lambda path: bool(path) and spec.match_file(os.path.relpath(path, root).replace(os.sep, "/"))


def _endings(suffixes: tuple[str, ...] | None) -> tuple[str, ...]:
    return registry.endings(programs=False) if suffixes is None else suffixes
