"""The instructions of one stage, read one after the other into what the stage leaves.

Source: docs.docker.com/reference/dockerfile.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from hardener.facts.images.dockerfiles import run_commands
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.run_commands import Gift
from hardener.facts.images.dockerfiles.server_packages import server_of
from hardener.facts.images.dockerfiles.stage import Copy, Stage
from hardener.facts.images.dockerfiles.variables import fill, filled

if TYPE_CHECKING:
    from hardener.facts.images.dockerfiles.stages import Stages

T = TypeVar("T")

_MOST_PORTS = 64
_MOST_SOURCES = 200  # of one COPY
_MOST_TAKEN = 1000  # accounts, and capabilities, that go along from stage to stage
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(?:tcp|udp|sctp))?", re.I)
_ASSIGNMENT = re.compile(
    r"(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]*)=((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*)", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)")
_HEREDOC = re.compile(r"<<-?[\"']?[A-Za-z_][A-Za-z0-9_]*[\"']?")
_SHELLS = frozenset({"sh", "bash", "ash", "dash"})


def assignments(text: str) -> list[tuple[str, str | None]]:
    """(name, value) of each assignment in an ENV or ARG, None for a name alone. `ENV NAME some text` is one, too."""
    found: list[tuple[str, str | None]] = [(match[1], unquoted(match[2])) for match in _ASSIGNMENT.finditer(text)]
    if found and re.match(r"\s*[A-Za-z_][A-Za-z0-9_.-]*=", text):
        return found
    name, _, value = text.strip().partition(" ")
    return [(name, value.strip() or None)] if name else []


def unquoted(text: str) -> str:
    if text[:1] == "'" and text.endswith("'"):
        return text[1:-1].replace("$", "\\$")
    return _ESCAPED.sub(lambda match: match[0] if match[1] == "$" else match[1], text.replace('"', ""))


class Builder:
    """Reads the instructions of one stage into ``stage``."""

    def __init__(self, stages: Stages, stage: Stage, number: int) -> None:
        self.stages, self.stage, self.number = stages, stage, number
        self.values: dict[str, str | None] = {
            name: said.value if said is not None else None for name, said in stage.env.items()
        }
        self.cmd_here = False
        self.line = 0

    def run(self, instructions: Sequence[Instruction]) -> None:
        for item in instructions:
            self.line = item.line
            read = getattr(self, f"_{item.name.lower()}", None)
            if read is not None:
                read(item)

    def _said(self, value: T) -> Said[T]:
        return Said(value, self.stages.file, self.line)

    def _filled(self, text: str) -> str | None:
        return filled(text, self.values)

    def _arg(self, item: Instruction) -> None:
        for name, default in assignments(item.value):
            if name in self.stages.arguments:
                value = self.stages.arguments[name]
            elif default is not None:
                value = self._filled(default)
            else:
                value = self.stages.globals.get(name)
            if name not in self.stage.env:  # a variable of the image wins over an argument
                self.values[name] = value

    def _env(self, item: Instruction) -> None:
        new = [(name, self._filled(value or "")) for name, value in assignments(item.value)]
        for name, value in new:
            self.values[name] = value
            self.stage.env[name] = None if value is None else self._said(value)

    def _user(self, item: Instruction) -> None:
        value = self._filled(item.value.strip().strip("\"'"))
        self._set("user", self._said(value) if value else None)

    def _workdir(self, item: Instruction) -> None:
        value = self._filled(item.value.strip().strip("\"'"))
        if value is not None and not value.startswith("/"):
            known = self.stage.folder
            before = self.stage.workdir.value if self.stage.workdir is not None else ""
            value = None if "workdir" in self.stage.unknown else posixpath.join(known or before, value)
        self._set("workdir", self._said(_clean(value)) if value else None)

    def _set(self, name: str, said: object) -> None:
        setattr(self.stage, name, said)
        (self.stage.unknown.discard if said is not None else self.stage.unknown.add)(name)

    def _entrypoint(self, item: Instruction) -> None:
        self._set("entrypoint", self._said(self._words(item)))
        if not self.cmd_here:
            self._set("cmd", self._said(()))  # what the base had is taken away

    def _cmd(self, item: Instruction) -> None:
        self.cmd_here = True
        self._set("cmd", self._said(self._words(item)))

    def _words(self, item: Instruction) -> tuple[str, ...]:
        words = item.words
        return words if words is not None else (*self.stage.shell, item.value)

    def _shell(self, item: Instruction) -> None:
        self.stage.shell = item.words or self.stage.shell

    def _expose(self, item: Instruction) -> None:
        text = self._filled(item.value)
        if text is None:
            self.stage.unknown.add("ports")
        for word in (text or "").split():
            match = _PORT.fullmatch(word.strip("\"'"))
            if match is None:
                self.stage.unknown.add("ports")
                continue
            first, last = int(match[1]), int(match[2] or match[1])
            for port in range(first, min(last, first + _MOST_PORTS) + 1):
                if 0 < port < 65536 and len(self.stage.ports) < _MOST_PORTS:
                    self.stage.ports.append(self._said(port))

    def _volume(self, item: Instruction) -> None:
        for word in item.words if item.words is not None else item.value.split():
            path = self._filled(word.strip("\"'"))
            if path is None:
                self.stage.unknown.add("volumes")
            elif path:
                self.stage.volumes.append(self._said(_clean(posixpath.join(self.stage.folder or "/", path))))

    def _onbuild(self, item: Instruction) -> None:
        name, _, value = item.value.partition(" ")
        if name.upper() not in ("ONBUILD", "FROM"):
            self.stage.triggers.append(Instruction(name.upper(), value.strip(), item.line, item.documents))

    def _copy(self, item: Instruction) -> None:
        flags, rest = item.flags()
        words = Instruction(item.name, rest, item.line).words or _split(rest)
        *named, last = [self._filled(word) for word in words] or [None]
        if not named or last is None:
            self.stage.unknown.add("filled")
            return
        sources = tuple(word for word in named if word)[:_MOST_SOURCES]
        target = last if last.startswith("/") else posixpath.join(self.stage.folder or ".", last)
        several = len(named) > 1 or _is_folder(target) or last == "."
        clean = _clean(target)
        kept = clean.rstrip("/") + "/" if several else clean
        origin = self._filled(flags["from"]) or "" if "from" in flags else None
        copy = Copy(sources, kept, origin, item.documents, self._said(clean), self.stages.context, self.stages)
        self.stage.copies.append(copy)
        placed = self._place(sources, clean, several)
        self.stage.filled.append(self._said(placed))
        self._give(placed, flags)
        if origin:
            self._from_stage(copy, origin)

    def _give(self, path: str, flags: Mapping[str, str]) -> None:
        """Note whom `--chown` and `--chmod` give what was copied to ``path``."""
        if owner := self._filled(flags.get("chown", "")):
            name, _, group = owner.partition(":")
            self.stage.gifts.append(self._said(Gift(path, name or None, group or None)))
        if run_commands.is_for_everybody(self._filled(flags.get("chmod", "")) or ""):
            self.stage.gifts.append(self._said(Gift(path, anybody=True)))

    _add = _copy

    def _place(self, sources: Sequence[str], target: str, several: bool) -> str:
        """What a copy fills: the file itself where one with a plain name goes into a folder of others."""
        if several and len(sources) == 1 and posixpath.splitext(sources[0])[1] and not set("*?[") & set(sources[0]):
            return _clean(posixpath.join(target, posixpath.basename(sources[0])))
        return target

    def _from_stage(self, copy: Copy, origin: str) -> None:
        """What goes along with files of another stage: capabilities, and accounts with `/etc/passwd`."""
        index = self.stages.index(origin)
        if index is None or index >= self.number:
            return
        other = self.stages.left_by(index)
        if len(self.stage.capabilities) + len(self.stage.accounts) > _MOST_TAKEN:
            return
        for source in copy.sources:
            for said in other.capabilities[:_MOST_SOURCES]:
                text, file = said.value
                if file and (file == source or file.startswith(source.rstrip("/") + "/")):
                    moved = copy.said.value if file == source and not copy.target.endswith("/") else file
                    if copy.target.endswith("/"):
                        moved = posixpath.join(copy.said.value, posixpath.basename(file))
                    self.stage.capabilities.append(Said((text, moved), said.file, said.line))
            if source in ("/etc/passwd", "/etc/group", "/etc"):
                self.stage.accounts += other.accounts[:_MOST_TAKEN]

    def _run(self, item: Instruction) -> None:
        rest = item.flags()[1]
        words = Instruction(item.name, rest, item.line).words
        script = shlex.join(words) if words is not None else rest
        if item.documents and words is None:
            # `RUN <<EOF` and `RUN bash <<EOF` run the document; `RUN cat <<EOF > FILE` writes it.
            rest = _HEREDOC.sub(" ", rest).strip()
            runs = not rest or posixpath.basename(rest.split()[0]) in _SHELLS
            script = "\n".join(body for _, body in item.documents) if runs else rest
        left = run_commands.left_by(fill(script, self.values, defaults=False), self.stage.folder)
        stage = self.stage
        stage.accounts += map(self._said, left.accounts)
        user = stage.user.value if stage.user is not None else None
        if user is not None and user.partition(":")[0] not in ("root", "0"):
            # What could be made by that user, it may write to.
            stage.gifts += [self._said(Gift(path, user.partition(":")[0])) for path in left.made]
        stage.gifts += map(self._said, left.gifts)
        stage.filled += map(self._said, left.filled)
        stage.worked_in += map(self._said, left.worked_in)
        stage.filled += [self._said(_clean(posixpath.join(stage.home, folder))) for folder in left.at_home]
        stage.capabilities += map(self._said, left.capabilities)
        stage.servers += [self._said(each) for each in left.packages if server_of(each[1]) is not None]


def _clean(path: str | None) -> str:
    normal = posixpath.normpath(path or ".")
    return "/" + normal.lstrip("/") if normal.startswith("/") else normal


def _is_folder(target: str) -> bool:
    """Whether the destination of a copy is a folder by the way it is written."""
    return target == "." or target.endswith(("/", "/."))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, posix=True) if "'" in text or '"' in text else text.split()
    except ValueError:
        return text.split()
