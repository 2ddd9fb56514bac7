"""What entrypoint and command of an image do, and the scripts of this tree that they start.

A script is found where a COPY put it: a file of the build context, a here-document, or a file of another stage.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct, field

from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.facts.images.dockerfiles.root_branches import as_any_user
from hardener.facts.images.dockerfiles.stage import Copy, Stage
from hardener.kubernetes.pods import command_evidence, shell

_MOST_SCRIPTS = 10
_MOST_WORDS = 64  # of a command that may name a script
_MOST_STAGES = 5
_MOST_COPIES = 200
_MOST_PATHS = 200  # that one script writes to
_MOST_LOOKUPS = 2000  # of one word
_LARGEST = 256 * 1024  # characters of a script
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da|a|z|k)?sh\b")
_WHO = re.compile(r"\bid\s+-[a-z]*u\b|\$\{?(?:EUID|UID)\b|\bwhoami\b")


class Script(Struct):
    """The text of a script, the name of its file for people, and the line before its first one."""

    text: str
    file: str
    before: int = 0


class Shown(Struct):
    """What commands and scripts show; see ``BuiltImage``."""

    root_commands: list[Said[str]] = field(default_factory=list)
    writes: list[Said[str]] = field(default_factory=list)
    installs: list[Said[str]] = field(default_factory=list)
    starts: list[Said[str]] = field(default_factory=list)
    asks_who: Said[str] | None = None
    needs_root: list[Said[str]] = field(default_factory=list)
    writes_as_any: list[Said[str]] = field(default_factory=list)
    is_read: bool = False


def shown_by(stage: Stage, files: RepositoryFiles) -> Shown:
    """What the entrypoint and the command of ``stage`` show."""
    shown = Shown()
    named: list[str] = []
    for said in (stage.entrypoint, stage.cmd):
        if said is not None and said.value:
            _look(shown, said.value, lambda text, said=said: (said.file, said.line))  # type: ignore[misc]
            named += _names(said.value)
    _follow(shown, named, stage, files)
    return shown


def shown_by_command(words: tuple[str, ...], stage: Stage, files: RepositoryFiles) -> Shown:
    """What the scripts of ``stage`` show that ``words`` start in the place of its entrypoint."""
    shown = Shown()
    _follow(shown, _names(words), stage, files)
    return shown


def _follow(shown: Shown, named: list[str], stage: Stage, files: RepositoryFiles) -> None:
    """Put to ``shown`` what the scripts show that are ``named``, and those that they start."""
    found: dict[str, Script | None] = {}
    missing = False
    waiting = list(named)
    for name in waiting:  # grows
        if name in found:
            continue
        if len(found) == _MOST_WORDS:
            missing = True
            break
        script = found[name] = _find(name, stage, files)
        if script is None:
            missing = missing or name.endswith(".sh")
            continue
        if sum(each is not None for each in found.values()) > _MOST_SCRIPTS:
            shown.is_read = False
            return
        shown.is_read = True
        _look(shown, (script.text,), _lines(script))
        waiting += _names((script.text,))
    shown.is_read = shown.is_read and not missing
    shown.starts = [said for said in shown.starts if found.get(said.value) is None]
    _follow_as_any(shown, named, found)


def _follow_as_any(shown: Shown, named: list[str], found: dict[str, Script | None]) -> None:
    """Put to ``shown`` what the scripts do whoever runs them; of one that asks in an odd way nothing."""
    waiting = list(dict.fromkeys(named))
    for name in waiting:  # grows
        script = found.get(name)
        done = as_any_user(script.text) if script is not None else None
        if script is None or done is None:
            continue
        place = _lines(Script(done.text, script.file, script.before))
        if done.ends:
            shown.needs_root.append(Said("ends unless it is root", script.file, script.before + done.ends))
        shown.needs_root += [Said(word, *place(word)) for word in command_evidence.root_commands((done.text,))]
        written = command_evidence.writes((done.text,))
        shown.writes_as_any += [Said(path, *place(path)) for path in written.paths[:_MOST_PATHS]]
        if written.unplaced:
            shown.needs_root.append(Said("installs packages when it starts", *place("install")))
        waiting += [each for each in _names((done.text,)) if each not in waiting]


def _lines(script: Script) -> Callable[[str], tuple[str, int]]:
    """Where a word stands first in ``script``, comments left out."""
    lines = script.text.split("\n")
    known: dict[str, int] = {}

    def place(word: str) -> tuple[str, int]:
        if word not in known:
            parts = word.split() if not word.startswith("/") else [word]
            number = next((i for i, line in enumerate(lines, 1) if _holds(line, parts)), 0)
            if not number:  # a path that was put together
                last = posixpath.basename(word)
                number = next((i for i, line in enumerate(lines, 1) if _holds(line, [last])), 1)
            known[word] = number
        return script.file, script.before + known[word]

    return place


def _holds(line: str, words: list[str]) -> bool:
    if not all(word in line for word in words) or line.lstrip().startswith("#"):
        return False
    return all(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", line) for word in words)


def _look(shown: Shown, words: tuple[str, ...], place: Callable[[str], tuple[str, int]]) -> None:
    shown.root_commands += [Said(word, *place(word)) for word in command_evidence.root_commands(words)]
    written = command_evidence.writes(words)
    shown.writes += [Said(path, *place(path)) for path in written.paths[:_MOST_PATHS]]
    if written.unplaced:
        shown.installs.append(Said("installs packages when it starts", *place("install")))
    if shown.asks_who is None and (match := next(filter(None, map(_WHO.search, words)), None)):
        shown.asks_who = Said(match[0], *place(match[0]))
    for command in shell.commands(words):
        if command.words[:1] == ["exec"] and len(command.words) > 1:
            program = list(shell.runs([command]))[-1][0]
            if not program.startswith(("$", "-")):
                shown.starts.append(Said(program, *place(f"exec {program}")))


def _names(words: tuple[str, ...]) -> list[str]:
    """The words that may name a script which is started: programs, and operands of shells and of `.`."""
    found: list[str] = []
    for command in shell.commands(words):
        for word in command.words[:_MOST_WORDS]:
            if not word.startswith("-") and "\n" not in word and " " not in word and "$" not in word:
                if word == command.words[0] or "/" in word or word.endswith(".sh"):
                    found.append(word)
    return shell.unique(found)[: _MOST_WORDS * 4]


def _find(name: str, stage: Stage, files: RepositoryFiles) -> Script | None:
    """The script that ``name`` means in the image of ``stage``; None where it is none of this tree, or no script."""
    if "/" not in name:
        places = [f"{folder}/{name}" for folder in _PATH] + [posixpath.join(stage.folder or ".", name)]
    else:
        places = [posixpath.join(stage.folder or ".", name)]
    for place in places:
        script = _at(posixpath.normpath(place), stage, files, [0])
        if script is not None:
            is_script = script.file.endswith(".sh") or _SHEBANG.match(script.text)
            return script if is_script and len(script.text) <= _LARGEST else None
    return None


def _at(path: str, stage: Stage, files: RepositoryFiles, lookups: list[int], depth: int = 0) -> Script | None:
    """The text at ``path`` in the image of ``stage``; ``lookups`` counts in its one item."""
    for copy in stage.copies[: -_MOST_COPIES - 1 : -1]:  # the last one wins
        for source, inside in _sources(copy, path):
            lookups[0] += 1
            if lookups[0] > _MOST_LOOKUPS:
                return None
            if copy.origin is None:
                script = _of_build(copy, source, inside, files)
            else:
                other = _other_stage(copy, stage) if depth < _MOST_STAGES else None
                wanted = posixpath.normpath(posixpath.join("/", source, inside))
                script = _at(wanted, other, files, lookups, depth + 1) if other is not None else None
            if script is not None:
                return script
    return None


def _other_stage(copy: Copy, stage: Stage) -> Stage | None:
    """The stage of the same Dockerfile that ``copy`` takes from; None for an image from elsewhere."""
    index = copy.stages.index(copy.origin) if copy.origin else None
    other = copy.stages.left_by(index) if index is not None else None
    return other if other is not stage else None


def _of_build(copy: Copy, source: str, inside: str, files: RepositoryFiles) -> Script | None:
    """What ``source`` of a copy holds: a here-document, or a file below the context of the build."""
    if source.startswith("<<"):
        document = dict(copy.documents).get(source.lstrip("<-").strip("\"'"))
        return Script(document, copy.said.file, copy.said.line) if document is not None and not inside else None
    if copy.context is None:
        return None
    file = posixpath.normpath(posixpath.join(copy.context, source.lstrip("/"), inside))
    text = files.text(file)
    return Script(text, files.name(file)) if text is not None else None


def _sources(copy: Copy, path: str) -> Iterator[tuple[str, str]]:
    """(source, path below it) that the file ``path`` may come from by ``copy``."""
    target = copy.target.rstrip("/") or "/"
    target = posixpath.normpath(target)
    if path == target and not copy.target.endswith("/") and len(copy.sources) == 1:
        yield copy.sources[0], ""
    prefix = "" if target == "." else target.rstrip("/") + "/"
    if not path.startswith(prefix) or path == prefix:
        return
    below = path[len(prefix) :]
    for source in copy.sources:
        base = posixpath.basename(source.rstrip("/"))
        if set("*?[") & set(source):
            if "/" not in below and fnmatchcase(below, base):
                yield posixpath.join(posixpath.dirname(source), below), ""
            continue
        if base == below:
            yield source, ""  # a file into a folder
        yield source, below  # the content of a folder
