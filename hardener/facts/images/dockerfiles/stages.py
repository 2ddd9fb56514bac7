"""The stages of a Dockerfile, and what each leaves: the settings of its image, files, accounts, gifts.

Source: docs.docker.com/reference/dockerfile. A stage is read only where the one that is asked for is made from it.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from hardener.facts.images.dockerfiles import base_accounts, run_commands
from hardener.facts.images.dockerfiles.accounts import Account
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.run_commands import Gift
from hardener.facts.images.dockerfiles.variables import fill, filled
from hardener.kubernetes import image_reference
from hardener.support.fast_dataclass import dataclass

T = TypeVar("T")

_MOST = 100  # stages
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
_FROM = re.compile(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?")


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY or ADD: its sources, its destination (relative where the folder is not known), the stage or image that it
    copies from, and the text of its here-documents by name."""

    sources: tuple[str, ...]
    target: str
    origin: str | None
    documents: tuple[tuple[str, str], ...]
    said: Said[str]
    context: str | None  # the folder that the sources are seen from
    stages: Stages


@dataclass(slots=True)
class Stage:
    """What a stage leaves. ``base``: the image that it is made from, as written; None where that is not known, and for
    `scratch`."""

    base: Said[str] | None = None
    from_scratch: bool = False
    through: tuple[str, ...] = ()
    env: dict[str, Said[str] | None] = field(default_factory=dict)
    user: Said[str] | None = None
    workdir: Said[str] | None = None
    entrypoint: Said[tuple[str, ...]] | None = None
    cmd: Said[tuple[str, ...]] | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    ports: list[Said[int]] = field(default_factory=list)
    volumes: list[Said[str]] = field(default_factory=list)
    accounts: list[Said[Account]] = field(default_factory=list)
    gifts: list[Said[Gift]] = field(default_factory=list)
    filled: list[Said[str]] = field(default_factory=list)
    worked_in: list[Said[str]] = field(default_factory=list)  # folders where a program may have left files
    capabilities: list[Said[tuple[str, str]]] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    triggers: list[Instruction] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    @property
    def folder(self) -> str | None:
        """The working directory; None where it is the base's, or not known."""
        if "workdir" in self.unknown:
            return None
        if self.workdir is not None:
            return self.workdir.value if self.workdir.value.startswith("/") else None
        return "/" if self.from_scratch else None

    def child(self) -> Stage:
        """What a stage begins with that is made from this one."""
        return Stage(
            self.base, self.from_scratch, self.through, dict(self.env), self.user, self.workdir, self.entrypoint,
            self.cmd, self.shell, list(self.ports), list(self.volumes), list(self.accounts), list(self.gifts),
            list(self.filled), list(self.worked_in), list(self.capabilities), list(self.copies), [], set(self.unknown),
        )  # fmt: skip


class Stages:
    """The stages of one Dockerfile.

    - ``file``: its name for people. ``context``: the folder that COPY reads from, None where that is not known.
    - ``arguments``: of the build, by name; None for one whose value is not known.
    - ``built``: what an image of this tree leaves, None for one from elsewhere.
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        file: str,
        context: str | None,
        arguments: Mapping[str, str | None],
        built: Callable[[str], Stage | None],
    ) -> None:
        self.built = built
        self.file, self.context, self.arguments = file, context, arguments
        self.globals: dict[str, str | None] = {}
        self.parts: list[list[Instruction]] = []
        self.names: dict[str, int] = {}
        self._left: dict[int, Stage] = {}
        for item in instructions:
            if item.name == "FROM":
                self.parts.append([item])
                match = _FROM.match(item.flags()[1])
                if match and match[2]:
                    self.names[match[2].lower()] = len(self.parts) - 1
            elif self.parts:
                self.parts[-1].append(item)
            elif item.name == "ARG":
                for name, value in assignments(item.value):
                    known = filled(value, self.globals) if value is not None else None
                    self.globals[name] = arguments[name] if name in arguments else known

    def index(self, target: str | None) -> int | None:
        """The number of the stage ``target``, the last one for None; None where there is none of that name."""
        if not self.parts or len(self.parts) > _MOST:
            return None
        if target is None:
            return len(self.parts) - 1
        if target.isdigit() and len(target) < 5 and int(target) < len(self.parts):
            return int(target)
        return self.names.get(target.lower())

    def origin(self, index: int) -> str | int | None:
        """What stage ``index`` is made from: an image, the number of another stage, or None where it is not known."""
        match = _FROM.match(self.parts[index][0].flags()[1])
        if match is None:
            return None
        image = filled(match[1].strip("\"'"), self.globals)
        if not image:
            return None
        stage = self.names.get(image.lower())
        return stage if stage is not None and stage < index else image

    def chain(self, index: int) -> list[int]:
        """Stage ``index`` and those that it is made from, the first one first."""
        found = [index]
        while isinstance(origin := self.origin(found[-1]), int):
            found.append(origin)  # each has a lower number than the one before
        return found[::-1]

    def left_by(self, index: int) -> Stage:
        """What stage ``index`` leaves."""
        for number in self.chain(index):
            if number in self._left:
                continue
            origin = self.origin(number)
            start = self.parts[number][0]
            if isinstance(origin, int):
                stage, triggers = self._left[origin].child(), self._left[origin].triggers
            elif origin not in (None, "scratch") and (known := self.built(str(origin))) is not None:
                stage, triggers = known.child(), known.triggers
            else:
                stage, triggers = Stage(from_scratch=origin == "scratch"), []
                if origin not in (None, "scratch"):
                    _take_base(stage, Said(str(origin), self.file, start.line))
                if origin is None:
                    stage.unknown.add("base")
            _Builder(self, stage, number).run([*triggers, *self.parts[number][1:]])
            self._left[number] = stage
        return self._left[index]


def _take_base(stage: Stage, said: Said[str]) -> None:
    """Begin ``stage`` with an image from elsewhere, and the accounts that it is known to hold."""
    stage.base = said
    image = image_reference.parse(said.value)
    accounts, variables = base_accounts.held_by(image) if image is not None else ((), ())
    stage.accounts += [Said(account, said.file, said.line) for account in accounts]
    stage.env.update({name: Said(value, said.file, said.line) for name, value in variables})


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


class _Builder:
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
        known = [self._filled(word) for word in words]
        if len(known) < 2 or known[-1] is None:
            self.stage.unknown.add("filled")
            return
        sources = tuple(word for word in known[:-1] if word)[:_MOST_SOURCES]
        target = known[-1]
        if not target.startswith("/"):
            target = posixpath.join(self.stage.folder or ".", target)
        clean = _clean(target)
        origin = self._filled(flags["from"]) if "from" in flags else None
        if "from" in flags and origin is None:
            origin = ""
        context = self.stages.context
        several = target.endswith(("/", "/.")) or target == "." or known[-1] == "." or len(known) > 2
        kept = clean.rstrip("/") + "/" if several else clean
        copy = Copy(sources, kept, origin, item.documents, self._said(clean), context, self.stages)
        self.stage.copies.append(copy)
        placed = self._place(sources, clean, several)
        self.stage.filled.append(self._said(placed))
        if owner := self._filled(flags.get("chown", "")):
            name, _, group = owner.partition(":")
            self.stage.gifts.append(self._said(Gift(placed, name or None, group or None)))
        if run_commands.is_for_everybody(self._filled(flags.get("chmod", "")) or ""):
            self.stage.gifts.append(self._said(Gift(placed, anybody=True)))
        if origin:
            self._from_stage(copy, origin)

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
        stage.capabilities += map(self._said, left.capabilities)


def _clean(path: str | None) -> str:
    normal = posixpath.normpath(path or ".")
    return "/" + normal.lstrip("/") if normal.startswith("/") else normal


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, posix=True) if "'" in text or '"' in text else text.split()
    except ValueError:
        return text.split()
