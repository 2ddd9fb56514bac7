"""Golden cases: a folder with ``before/``, ``after/`` and ``findings.txt`` says what a run does to manifests.

``case.yaml`` beside them may name ``profile``, ``only``, ``max-grade``, ``accept``, ``set``, ``kubernetes-version``,
``as-of``, ``policy-engine``, ``audit-log`` (files beside it) and ``secrets-out`` (a folder beside the copy); a
``.harden.yaml`` in ``before/`` is the configuration. With ``chart``, a folder in ``before/``, the case is about the
values of that Helm chart: ``values`` are those of its user, and ``in-place`` the one of them that is edited; it needs
helm. A case in a folder that is called like a transform runs that one
only, and the profile has to contain it.
Five checks: text equal, findings equal, a second run changes nothing, every comment survives, and (inside the run)
written text parses to what was decided.
A case without a record proves little: where that is meant, its name says so, see ``_EMPTY``.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hardener.authoring import registry
from hardener.authoring.config import parsed_file
from hardener.authoring.edits import Grade
from hardener.authoring.profile import NotContainedError
from hardener.charts.helm import Helm
from hardener.commands.run import Choices, plan_of
from hardener.commands.values import Release, harden, target_of
from hardener.commands.write_files import write_files
from hardener.engine.outcome import Outcome, Report
from hardener.errors import HardenError, InputError
from hardener.report.masked_lines import masked_lines
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.sources.files.transaction import Transaction
from hardener.sources.line_hunks import unified
from hardener.sources.manifests import Piece
from hardener.sources.yaml import TextError, parse, segments
from hardener.support.data_path import Path as DataPath
from hardener.support.data_path import dotted
from hardener.support.programs import ProgramError
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_KEYS = {
    "profile", "only", "max-grade", "max-risk", "accept", "set", "kubernetes-version", "as-of", "audit-log",
    "secrets-out", "policy-engine", "chart", "values", "in-place",
}  # fmt: skip
_LISTS = {"only", "accept", "set", "audit-log", "values"}
# How the name of a case without a record begins: all is as it should be, or it is left alone and nothing is said.
_EMPTY = ("already-so", "nothing-to-do")


class GoldenError(HardenError):
    """A golden case that does not hold; the message is for people."""


class HelmMissingError(GoldenError):
    """A case about a chart, where helm is not installed."""


def run_all(folder: str, say: Callable[[str], object], *, accept: bool) -> int:
    """Check every case below ``folder``, or with ``accept`` write what comes out. Returns how many do not hold.

    Raises InputError when there is no case.
    """
    if os.path.lexists(folder):
        real = files.real_path(folder)
        if accept:
            for line in run_folder.recover_around([real]):
                say(line)
    cases = sorted(path.parent for path in Path(folder).rglob("before") if path.is_dir())
    if not cases:
        raise InputError(f"{folder}: no golden case; a case is a folder that has a folder named before")
    failed = skipped = 0
    for case in cases:
        try:
            check(case, accept=accept)
        except HelmMissingError as error:
            skipped += 1
            say(f"skip {error}")
        except GoldenError as error:
            failed += 1
            say(f"FAIL {error}")
        except InputError as error:
            failed += 1
            say(f"FAIL {case}: {error}")
        else:
            say(f"{'wrote' if accept else 'ok  '} {case}")
    more = f", {skipped} skipped" if skipped else ""
    say(f"{len(cases) - failed - skipped} passed, {failed} failed{more}")
    return failed


def check(case: Path, *, accept: bool = False) -> None:
    """Run the golden case in folder ``case``; with ``accept`` write what comes out. Raises GoldenError."""
    _check_links(case)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve() / "work"
        shutil.copytree(case / "before", work, symlinks=True)
        settings = _settings(case)
        found = _run(work, settings, case)
        after = _texts(work, case / "before")
        if accept:
            _not_empty(found, case)
            _accept(case, work, found)
            return
        _compare(_texts(case / "after"), after, case)
        expected = _expected(case / "findings.txt")
        if expected != found:
            difference = _redactor(_texts(case / "before")).text(unified(expected, found, "expected", "found"))
            raise GoldenError(f"{case}: findings.txt differs\n{difference}")
        _not_empty(found, case)
        _comments_survive(_texts(case / "before"), after, case)
        _run(work, settings, case)
        again = _texts(work, case / "before")
        if again != after:
            raise GoldenError(f"{case}: a second run changes it again\n{_differences(after, again)}")


def _check_links(case: Path) -> None:
    """Raise GoldenError where a part of ``case`` is a link, or holds one out of it, or what is no file: it is the case
    that is read and written, and nothing that it leads to."""
    for name in ("before", "after", "findings.txt", "case.yaml"):
        path = case / name
        if not os.path.lexists(path):
            continue
        whole = os.path.realpath(path)
        for each in (path, *path.rglob("*")):
            real = os.path.realpath(each)
            if os.path.islink(each) and (each == path or not files.is_inside(real, whole)):
                raise GoldenError(f"{each}: a symbolic link out of the case, which is not followed")
            if os.path.lexists(real) and not (os.path.isfile(real) or os.path.isdir(real)):
                raise GoldenError(f"{each}: not a regular file")


def _own_path(case: Path, key: str, name: str, folder: Path, where: str) -> str:
    """The real path of ``name``, which ``key`` of case.yaml says and which lies in ``folder``. Raises GoldenError."""
    real = os.path.realpath(folder / name)
    if not files.is_inside(real, os.path.realpath(folder)):
        raise GoldenError(f"{case / 'case.yaml'}: {key}: {name} lies outside of {where}, and is left alone")
    return real


def _settings(case: Path) -> dict[str, Any]:
    path = case / "case.yaml"
    documents = parsed_file(str(path), str(path)).documents if path.exists() else []
    settings: Any = (documents[0] if documents else None) or {}
    if not isinstance(settings, dict):
        raise GoldenError(f"{path}: a case is one mapping with the keys {', '.join(sorted(_KEYS))}")
    _check_types(settings, path)
    _check_paths(settings, case)
    if "max-risk" in settings:  # its name before
        settings.setdefault("max-grade", settings.pop("max-risk"))
    if settings.get("max-grade", "safe") not in list(Grade):
        raise GoldenError(f"{path}: max-grade is one of {', '.join(Grade)}")
    if "only" not in settings and case.parent.name in registry.transforms():
        settings["only"] = [case.parent.name]
    if case.parent.parent.name == "profiles":
        settings.setdefault("profile", case.parent.name)
    return settings


def _check_types(settings: dict[str, Any], path: Path) -> None:
    unknown = settings.keys() - _KEYS
    if unknown:
        raise GoldenError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
    for key, value in settings.items():
        texts = value if key in _LISTS else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise GoldenError(f"{path}: {key} is a {'list of texts' if key in _LISTS else 'text, perhaps in quotes'}")


def _check_paths(settings: dict[str, Any], case: Path) -> None:
    """Raise GoldenError for a path out of the case; those that are read as they stand become real."""
    logs = settings.get("audit-log", [])
    settings["audit-log"] = [_own_path(case, "audit-log", name, case, "the case") for name in logs]
    for key in ("chart", "in-place"):
        if key in settings:
            _own_path(case, key, settings[key], case / "before", "before/")
    for name in settings.get("values", ()):
        _own_path(case, "values", name, case / "before", "before/")
    if "secrets-out" in settings:  # seen from the copy, beside which it lies
        beside = Path(os.sep, "copy")
        _own_path(case, "secrets-out", os.path.join("work", settings["secrets-out"]), beside, "the copy of the case")
    if settings.get("profile", "").endswith((".yaml", ".yml")):
        place = Path(files.git_root(os.path.realpath(case)) or os.getcwd())
        given = os.path.abspath(settings["profile"])
        settings["profile"] = _own_path(case, "profile", given, place, "the repository of the case")


def _run(work: Path, settings: dict[str, Any], case: Path) -> str:
    named = settings.get("profile")
    choices = Choices(
        profile=named,
        max_grade=settings.get("max-grade"), accept=settings.get("accept"), only=settings.get("only"),
        kubernetes_version=settings.get("kubernetes-version"), set=settings.get("set"), as_of=settings.get("as-of"),
        audit_log=settings["audit-log"], secrets_out=settings.get("secrets-out"),
        policy_engine=settings.get("policy-engine"),
    )  # fmt: skip
    here = os.getcwd()
    os.chdir(work)
    try:
        try:
            plan = plan_of(choices, str(work))
        except NotContainedError as error:
            better = error.better or "FILE (one that contains it)"
            raise GoldenError(
                f"{case}: profile {error.profile} does not contain {error.name}, so nothing would run; write in "
                f"case.yaml: profile: {better}"
            ) from None
        if "chart" in settings:
            _need_helm(case)
            release = Release(values=settings.get("values", ()))
            in_place = settings.get("in-place")
            target = target_of(settings["chart"], release, None, in_place)
            hardened = harden(
                settings["chart"], choices, release, lambda name: None, target=target, in_place=in_place is not None
            )
            outcome = hardened.outcome
        else:
            if plan.settings.helm_values:
                _need_helm(case)
            tree = Tree.read([str(work)], root=str(work), settings=plan.settings)
            outcome = plan.run(tree, lambda name: None)
        text = _records(outcome)
        write_files(outcome)
    finally:
        os.chdir(here)
    return text


def _records(outcome: Outcome) -> str:
    """All that ``outcome`` holds, as the text of ``findings.txt``: one line for each record, sorted as text.

    A record names its place by file, object and path, as the report does, and by no line: a line number moves with
    whatever comes in above it. It stands only where there is no object (a refusal, a file that is not read, a comment
    outside of all objects), or nothing but lines in it (a script). ``Role/web#2`` is the second object of its file with
    this kind and name. ``Namespace/shop at Deployment/web spec`` is about the Namespace, and its place is in the
    Deployment.
    """
    places = _Places(outcome.tree)
    lines = []
    for change in outcome.changes:
        what = f"applied {change.transform.id} {change.edit.grade} {change.edit.basis}"
        because = "; ".join(fact.text for fact in change.evidence)
        lines.append(_record(what, places.of(change.object, change.path), because))
    for held in outcome.held:
        first = held.changes[0]
        because = "; ".join(dict.fromkeys(fact.text for change in held.changes for fact in change.edit.evidence))
        lines.append(_record(f"held {held.transform.id} {held.grade}", places.of(first.object, first.path), because))
    for waived in outcome.waived:
        if waived.finding is not None:
            place = places.of_finding(waived.finding)
        else:
            place = places.of(waived.changes[0].object, waived.changes[0].path)
        lines.append(_record(f"waived {waived.transform.id} {waived.carrier}", place, waived.reason))
    for finding in outcome.findings:
        what = f"finding {finding.id} {finding.severity}"
        lines.append(_record(what, places.of_finding(finding), f"{finding.message}: {finding.advice}"))
    for item in outcome.refused:
        what = f"refused {item.step}" if item.cannot_write else "refused"
        lines.append(_record(what, f"{item.file}:{item.line} {item.edits} edits", item.reason))
    return "".join(sorted(lines))


def _record(what: str, place: str, why: str) -> str:
    return f"{what} {place}: {why}\n" if why else f"{what} {place}\n"


class _Places:
    """How the records of a run name places in its files."""

    def __init__(self, tree: Tree) -> None:
        self._objects: dict[tuple[Piece, DataPath], Object] = {}
        self._numbers: dict[tuple[Piece, DataPath], int] = {}
        namesakes: Counter[tuple[str, str]] = Counter()
        for item in tree.everything:
            namesakes[item.piece.file.name, str(item)] += 1
            self._objects[item.piece, item.path] = item
            self._numbers[item.piece, item.path] = namesakes[item.piece.file.name, str(item)]

    def of(self, item: Object, path: DataPath) -> str:
        """The file, the object and ``path`` in it."""
        return _joined(item.piece.file.name, self._name(item), dotted(path[1:]))

    def of_finding(self, finding: Report) -> str:
        """The same of a finding, which may stand in another document than its object."""
        item, piece, path = finding.object, finding.piece, finding.path
        if item is None:
            return f"{finding.file}:{finding.line}"
        if piece is None or piece is item.piece:
            return self.of(item, path)
        other = self._at(piece, path)
        if other is not None and str(other) == str(item):  # a patch is called like what it patches
            return self.of(other, path)
        there = _joined(self._name(other) if other is not None else "", dotted(path[1:]))
        return _joined(finding.file, self._name(item), f"at {there}")

    def _at(self, piece: Piece, path: DataPath) -> Object | None:
        starts = ((piece, path[:length]) for length in range(1, len(path) + 1))
        return next((self._objects[start] for start in starts if start in self._objects), None)

    def _name(self, item: Object) -> str:
        if str(item) == os.path.basename(item.piece.file.name):  # it has no name but that of its file
            return ""
        number = self._numbers.get((item.piece, item.path), 1)
        return str(item) if number == 1 else f"{item}#{number}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _need_helm(case: Path) -> None:
    try:
        Helm.found(None, str(case))
    except ProgramError as error:
        raise HelmMissingError(f"{case}: {error}") from None


def _not_empty(found: str, case: Path) -> None:
    if not found and not case.resolve().name.startswith(_EMPTY):
        raise GoldenError(
            f"{case}: nothing changes and nothing is found, so findings.txt is empty; put into before/ what the case "
            "is about, or call the folder already-so (all is as it should be) or nothing-to-do-WHY (it is left alone)"
        )


def _texts(folder: Path, shown: Path | None = None) -> dict[str, bytes]:
    """What the files of ``folder`` hold, by name. Raises GoldenError, which names them as in ``shown``."""
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {}
    for name in names:
        try:
            found[name.as_posix()] = files.read_bytes(str(folder / name))[0]
        except files.UnreadableError as error:
            raise GoldenError(f"{(shown or folder) / name}: {error.message}") from None
    return found


def _expected(path: Path) -> str:
    """The findings that the file ``path`` holds, none where there is none. Raises GoldenError."""
    if not path.exists():
        return ""
    try:
        return files.read(str(path)).text.replace("\r\n", "\n")
    except files.UnreadableError as error:
        raise GoldenError(f"{path}: {error.message}") from None


def _accept(case: Path, work: Path, found: str) -> None:
    """Write ``work`` as ``after/`` of ``case``, and ``findings.txt``: all of it, or nothing."""
    after = case.resolve() / "after"
    old, new = _texts(after), _texts(work, case / "before")
    with Transaction(str(case.resolve())) as run:
        try:
            for name in sorted(old.keys() - new.keys()):
                run.remove(str(after / name))
            for name, content in new.items():
                if old.get(name) != content:
                    run.put(str(after / name), content, stat.S_IMODE((work / name).stat().st_mode))
            run.put(str(case.resolve() / "findings.txt"), found.encode())
            run.place()
        except OSError as error:
            raise GoldenError(f"{case}: cannot be written: {error.strerror}; it is as it was") from None
    for folder, folders, names in os.walk(after, topdown=False):
        if not folders and not names:
            os.rmdir(folder)


def _compare(expected: dict[str, bytes], found: dict[str, bytes], case: Path) -> None:
    if expected != found:
        way = "harden golden accept takes it over"
        raise GoldenError(f"{case}: after/ differs ({way})\n{_differences(expected, found)}")


def _differences(expected: dict[str, bytes], found: dict[str, bytes]) -> str:
    parts = []
    redactor = _redactor(expected, found)
    for name in sorted(expected.keys() | found.keys()):
        one, other = (texts.get(name, b"").decode("utf-8", "replace") for texts in (expected, found))
        if one != other:
            one, other = masked(redactor, one), masked(redactor, other)
            lines = unified(one, other, "expected", "found")
            parts.append(f"{name}:\n{lines}{_meaning(one, other)}")
    return "\n".join(parts)


def _redactor(*folders: dict[str, bytes]) -> Redactor:
    return redactor_of(*([content.decode("utf-8", "replace") for content in folder.values()] for folder in folders))


def redactor_of(*folders: Iterable[str]) -> Redactor:
    """One that knows the secrets of the texts of ``folders``."""
    redactor = Redactor()
    for folder in folders:
        for text in folder:
            masked(redactor, text)
    return redactor


def masked(redactor: Redactor, text: str) -> str:
    """The text of a file without its secrets."""
    lines = text.split("\n")
    hidden = masked_lines(redactor, text, [range(1, len(lines) + 1)])
    return "\n".join(hidden[n].removesuffix("\n") if n in hidden else line for n, line in enumerate(lines, 1))


def _meaning(expected: str, found: str) -> str:
    """What differs in the data, place by place; nothing where only the text does, or where one is not YAML."""
    from deepdiff import DeepDiff  # late: only a case that does not hold needs it

    try:
        old, new = (
            [doc for part in segments(text) for doc in parse(part.text).documents] for text in (expected, found)
        )
    except TextError:
        return ""
    # Items are the same when they have the same name: an added volume is no change of all volumes behind it.
    text = DeepDiff(old, new, threshold_to_diff_deeper=0, iterable_compare_func=_same_item).pretty()
    return "".join(f"  {line}\n" for line in text.splitlines()) if text else "  the data is the same\n"


def _same_item(one: Any, other: Any, level: Any = None) -> bool:
    from deepdiff.helper import CannotCompare

    if isinstance(one, dict) and isinstance(other, dict) and "name" in one and "name" in other:
        return bool(one["name"] == other["name"])
    raise CannotCompare


def _comments_survive(before: dict[str, bytes], after: dict[str, bytes], case: Path) -> None:
    # A comment alone on its line is never removed; one at the end of a line may go with that line.
    for name, content in before.items():
        wanted = Counter(
            line.strip() for line in content.decode("utf-8", "replace").split("\n") if re.match(r"\s*#", line)
        )
        kept = Counter(line.strip() for line in after.get(name, b"").decode("utf-8", "replace").split("\n"))
        lost = wanted - kept
        if lost:
            raise GoldenError(f"{case}: {name} lost the comments {', '.join(lost)}")
