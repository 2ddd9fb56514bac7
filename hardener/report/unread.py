"""What a run did not read: in one line where that is test data, and by reason where nothing was read at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator

from msgspec import Struct

from hardener.engine.outcome import Outcome
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.report.impact import counted
from hardener.sources import registry
from hardener.sources.files import CONFIG, MAX_BYTES, is_inside
from hardener.sources.files.selection import DEEPEST, LeftOut
from hardener.sources.manifests import MOST_OBJECTS, ManifestFile
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_RULES = ("test-data", "excluded")  # what is read where it is named
_PLACES = 3  # that a line names
# Reasons for which a file that was given is no answer: somebody has to act.
_UNREADABLE = frozenset({"unreadable-file", "not-utf-8", "file-too-large", "too-many-objects", "pointer-file"})
*_SOME, _LAST = registry.endings()
_ENDINGS = f"{', '.join(_SOME)} and {_LAST}"
# What is said of one file, and of several. A finding names each file of those that have an id of their own.
_WHY = {
    "test-data": ("is test data", "are test data"),
    "excluded": ("is excluded by the configuration", "are excluded by the configuration"),
    "ignored": ("is ignored by Git", "are ignored by Git"),
    "too-deep": (f"lies more than {DEEPEST} folders deep", f"lie more than {DEEPEST} folders deep"),
    "tool-folder": ("belongs to another tool", "belong to other tools"),
    "template": ("is a template and no manifest yet", "are templates and no manifests yet"),
    "file-too-large": (f"is larger than {MAX_BYTES >> 20} MiB", f"are larger than {MAX_BYTES >> 20} MiB"),
    "too-many-objects": (f"has more than {MOST_OBJECTS} objects", f"have more than {MOST_OBJECTS} objects"),
    "too-many-containers": ("has a pod with too many containers", "have a pod with too many containers"),
    "not-utf-8": ("is not UTF-8", "are not UTF-8"),
    "outside-member": ("lies outside of the tree", "lie outside of the tree"),
    "foreign-member": ("has the name of no manifest", "have names of no manifests"),
    "pointer-file": ("is a pointer, and not the file", "are pointers, and not the files"),
    "submodule": ("is a submodule that is not checked out", "are submodules that are not checked out"),
    "read-otherwise": ("is read otherwise by kubectl", "are read otherwise by kubectl"),
    "unreadable-file": ("cannot be read", "cannot be read"),
    "symbolic-link": ("is a link out of the given paths", "are links out of the given paths"),
    "broken-document": ("holds no document that can be parsed", "hold no document that can be parsed"),
    "sops": ("is encrypted by SOPS", "are encrypted by SOPS"),
    "other-ending": (f"ends in none of {_ENDINGS}", f"end in none of {_ENDINGS}"),
    "foreign-python": ("is Python for tests, or generated", "are Python for tests, or generated"),
    "no-object-seen": (
        "uses a Kubernetes library, and harden sees no object in it",
        "use a Kubernetes library, and harden sees no object in them",
    ),
    "no-manifest": ("holds no Kubernetes object", "hold no Kubernetes object"),
}


class Note(Struct, frozen=True):
    """A line about the files of a run: ``nothing-read``, ``left-out``, ``not-read``, ``tracked``, ``index``,
    ``ignore-file``, ``no-waivers``, ``config`` or ``documents``."""

    id: str
    text: str
    places: tuple[tuple[str, int], ...] = ()  # files and lines, of ``documents``

    @property
    def is_grave(self) -> bool:
        """Whether a run that passed says nothing because of it."""
        return self.id == "nothing-read"


def nothing_read(tree: Tree) -> bool:
    """Tell whether the given paths held nothing that could be judged."""
    return not tree.stream and next(read_files(tree), None) is None


def all_refused(outcome: Outcome) -> bool:
    """Tell whether nothing was read since what was given could not be: no document parses, or a file is unreadable."""
    if not nothing_read(outcome.tree):
        return False
    return bool(outcome.refused) or any(problem.id in _UNREADABLE for problem in outcome.tree.problems)


def templates(tree: Tree) -> int:
    """Return how many templates of Helm charts below the given paths were met."""
    return sum(len(names) for _, names in tree.charts.values())


def read_files(tree: Tree) -> Iterator[str]:
    """Yield the real paths of the files below the given paths that were read, and hold something that is judged."""
    for file in tree.files:
        if file.editable and not file.is_new and any(piece.parsed for piece in file.pieces):
            yield file.path


def not_looked_at(outcome: Outcome) -> Iterator[str]:
    """Yield what may hold an object below the given paths, and was not judged, with its place and the reason.

    These are files, documents and folders that were not read, what a finding says it of (``Report.not_looked_at``), and
    documents that the changes to could not be proved.
    """
    # A run that is narrowed keeps no finding of a file that does not differ, which was not looked at all the same.
    return iter(dict.fromkeys((*_unread_places(outcome), *_of_findings(outcome))))


def _unread_places(outcome: Outcome) -> Iterator[str]:
    tree = outcome.tree
    for problem in tree.problems:
        if problem.is_left_alone:
            yield f"{problem.name}: {problem.message}; {problem.advice}"
    yield from _broken(tree)
    for refused in outcome.refused:
        yield f"{refused.file}:{refused.line}: {refused.reason}; {refused.advice}"
    for folder in tree.passed.too_deep:
        yield f"{os.path.relpath(folder)}: the folder lies more than {DEEPEST} folders deep"
    said = {(finding.file, finding.path) for finding in outcome.findings if finding.not_looked_at}
    for item in tree.kustomizations.values():
        if item.editable:
            yield from _missing(tree, item, said)


def _of_findings(outcome: Outcome) -> Iterator[str]:
    told = {(problem.id, problem.name, problem.line) for problem in outcome.tree.problems}
    for finding in outcome.findings:
        if finding.not_looked_at and (finding.id, finding.file, finding.line) not in told:
            yield f"{finding.file}:{finding.line}: {finding.message.removeprefix('not looked at: ')}"


def _broken(tree: Tree) -> Iterator[str]:
    """The pieces of files that could not be read."""
    for file in tree.files:
        for piece in file.pieces:
            if file.editable and piece.problem is not None and piece.problem[0] != "broken-document":
                _, message, advice, line = piece.problem
                yield f"{file.name}:{piece.line + line}: {message}; {advice}"


def _missing(tree: Tree, kustomization: Object, said: Container[tuple[str, Path]]) -> Iterator[str]:
    """What ``kustomization`` names, and neither the tree nor the disk has; one that the run makes is known, and of the
    places ``said`` a finding tells."""
    file = kustomization.piece.file
    for path, name in kustomize.entries(kustomization.data):
        if (file.name, (*kustomization.path, *path)) in said:
            continue
        place = os.path.normpath(os.path.join(os.path.dirname(file.path), name.replace("\0", "")))
        is_chart = path[0] in kustomize.CHARTS
        if is_chart or (tree.file_at(place) is None and not os.path.exists(place)):
            yield f"{file.name}: {name} is not in the tree"


def left_out(tree: Tree) -> list[LeftOut]:
    """Return what was met below the given paths and not read, by reason."""
    found = list(tree.left_out)
    problems = Counter(problem.id for problem in tree.problems)
    for problem, names in tree.charts.values():
        problems[problem.id] += len(names) - 1
    for file in tree.files:
        if id := _unread(file):
            problems[id] += 1
    for id, count in problems.items():
        same = next((one for one in found if one.id == id), None)
        if same is not None:
            found.remove(same)
        found.append(LeftOut(id, count + (same.files if same is not None else 0)))
    order = list(_WHY)
    return sorted(found, key=lambda one: (order.index(one.id) if one.id in _WHY else len(order), one.id))


def unread_files(tree: Tree) -> dict[str, list[str]]:
    """Return the paths of files that were looked into and hold nothing that is judged, by the id of the reason."""
    found: dict[str, dict[str, None]] = {}
    for problem in tree.problems:
        found.setdefault(problem.id, {})[problem.path] = None
    for problem, names in tree.charts.values():
        found.setdefault(problem.id, {}).update(dict.fromkeys(map(os.path.abspath, names)))
    for file in tree.files:
        if id := _unread(file):
            found.setdefault(id, {})[file.path] = None
    return {id: list(paths) for id, paths in found.items()}


def _unread(file: ManifestFile) -> str:
    """Why ``file`` holds nothing that is judged; "" where it does, and for evidence."""
    if not file.editable or file.is_new or any(piece.parsed for piece in file.pieces):
        return ""
    return next((piece.problem[0] for piece in file.pieces if piece.problem is not None), "no-manifest")


def notes(tree: Tree) -> list[Note]:
    """Return what a report says of files that were not read, or of why one was; nothing of a stream."""
    return [] if tree.stream else [*_notes_of_unread(tree), *_notes_of_choices(tree), *_notes_of_documents(tree)]


def _notes_of_documents(tree: Tree) -> Iterator[Note]:
    """What looks like a workload in documents and tests, which nobody runs as it stands."""
    places = tuple((name, line) for name, lines in tree.apart.items() for line in lines)
    if places:
        count = f"{counted(len(places), 'workload')} in {counted(len(tree.apart), 'file')}"
        yield Note("documents", f"not read, in documents and tests: {count} ({_named(tree.apart)})", places)


def _notes_of_unread(tree: Tree) -> Iterator[Note]:
    if nothing_read(tree):
        yield Note("nothing-read", f"nothing was read: {why_nothing(tree)}")
        return
    unread = left_out(tree)
    if by_rule := [one for one in unread if one.id in _RULES]:
        yield Note("left-out", f"left out unless named: {'; '.join(map(reason, by_rule))}")
    if others := [one for one in unread if one.id not in _RULES]:
        yield Note("not-read", f"not read: {'; '.join(map(reason, others))}")


def _notes_of_choices(tree: Tree) -> Iterator[Note]:
    """What was read, or not, because of an option, of Git, or of a file of patterns."""
    if tree.settings.no_waivers:
        yield Note("no-waivers", "nothing in the tree lowers the result (--no-waivers)")
    elif unread := [path for path in _configs(tree) if path != tree.settings.config]:
        yield Note("config", f"not read: {_named(unread)}; {_config_that_counts(tree)}")
    editable = {file.path for file in tree.files if file.editable}
    if tracked := [path for path in tree.passed.tracked if path in editable]:
        verb = "is" if len(tracked) == 1 else "are"
        text = f"{counted(len(tracked), 'file')} in Git {verb} read although ignored: {_named(tracked)}"
        yield Note("tracked", text)
    if tree.passed.unread_index:
        why = f"the index of Git is not read: {tree.passed.unread_index}"
        yield Note("index", f"{why}; what is ignored is left out, also where Git tracks it")
    for path, why in tree.passed.unread_ignores.items():
        text = f"the patterns of {os.path.relpath(path)} do not count: {why}; what they name is read"
        yield Note("ignore-file", text)


def _configs(tree: Tree) -> list[str]:
    """The files named as a configuration: at the root, on the way from there to the given paths, and below these."""
    on_the_way = {os.path.join(tree.root, CONFIG): None}
    for given in tree.given:
        folder = given if os.path.isdir(given) else os.path.dirname(given)
        while is_inside(folder, tree.root) and folder != tree.root:
            on_the_way[os.path.join(folder, CONFIG)] = None
            folder = os.path.dirname(folder)
    return sorted({*tree.passed.configs, *filter(os.path.lexists, on_the_way)})


def _config_that_counts(tree: Tree) -> str:
    if tree.settings.config is not None:
        return f"{os.path.relpath(tree.settings.config)} is the configuration"
    return f"the configuration is {os.path.relpath(os.path.join(tree.root, CONFIG))}, or the file of --config"


def why_nothing(tree: Tree) -> str:
    """Return the reasons for which nothing was read, each with its count."""
    return "; ".join(map(reason, left_out(tree))) or "there is no file"


def reason(one: LeftOut) -> str:
    """Return ``3 files are test data (testdata)``."""
    parts = [counted(count, noun) for count, noun in ((one.files, "file"), (one.folders, "folder")) if count]
    if one.more:
        parts[0] = f"at least {parts[0]}"
    default = one.id.replace("-", " ")
    verb = _WHY.get(one.id, (f"is left out ({default})", f"are left out ({default})"))[one.files + one.folders > 1]
    return f"{' and '.join(parts)} {verb}" + (f" ({_named(one.places)})" if one.places else "")


def _named(paths: Iterable[str]) -> str:
    names = [os.path.relpath(path) for path in paths]
    more = f" and {len(names) - _PLACES} more" if len(names) > _PLACES else ""
    return ", ".join(names[:_PLACES]) + more
