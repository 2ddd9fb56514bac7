"""The stages of a Dockerfile, and which is made from which.

Source: docs.docker.com/reference/dockerfile. A stage is read only where the one that is asked for is made from it.


Accounts that well-known base images hold, so that `USER node` has a number; each looked up in what makes the image.

The image table says as whom an image runs; that is another question than which accounts it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hardener.facts.images.dockerfiles.accounts import Account
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.stage import Stage
from hardener.facts.images.dockerfiles.stage_builder import Builder, assignments
from hardener.facts.images.dockerfiles.variables import fill, filled
from hardener.kubernetes.images import reference as image_reference
from hardener.kubernetes.images.reference import ImageReference

_EIGHT_OR_NEWER = re.compile(r"(?:[89]|[1-9][0-9])(?:[.-].*)?")


class _Base(NamedTuple):
    repository: re.Pattern[str]  # normalized
    tag: re.Pattern[str]
    accounts: tuple[Account, ...]
    variables: tuple[tuple[str, str], ...] = ()


def _user(name: str, uid: int, gid: int) -> tuple[Account, ...]:
    return Account(name, uid, group=name), Account(name, gid, is_group=True)


_ANY = re.compile(r".*")
_BASES = (
    # github.com/nodejs/docker-node, 20/bookworm-slim and 20/alpine3.20
    _Base(re.compile(r"docker\.io/library/node"), _ANY, _user("node", 1000, 1000)),
    # github.com/nginxinc/docker-nginx, mainline/debian: "consistent throughout docker variants"
    _Base(re.compile(r"docker\.io/library/nginx"), _ANY, _user("nginx", 101, 101)),
    # github.com/docker-library/php, 8.3/alpine3.20/fpm; Debian: base-passwd, passwd.master
    _Base(re.compile(r"docker\.io/library/php"), re.compile(r".*alpine.*"), _user("www-data", 82, 82)),
    _Base(re.compile(r"docker\.io/library/php"), re.compile(r"(?!.*alpine).*"), _user("www-data", 33, 33)),
    # base-passwd, passwd.master
    _Base(re.compile(r"docker\.io/library/debian"), _ANY, (Account("nobody", 65534), *_user("www-data", 33, 33))),
    # github.com/GoogleContainerTools/distroless, common/variables.bzl
    _Base(re.compile(r"gcr\.io/distroless/.*"), _ANY, (*_user("nonroot", 65532, 65532), Account("nobody", 65534))),
    # github.com/dotnet/dotnet-docker, src/runtime-deps/8.0/noble
    _Base(
        re.compile(r"mcr\.microsoft\.com/dotnet/(?:runtime-deps|runtime|aspnet|sdk)"),
        _EIGHT_OR_NEWER,
        _user("app", 1654, 1654),
        (("APP_UID", "1654"),),
    ),
)


def held_by(image: ImageReference) -> tuple[tuple[Account, ...], tuple[tuple[str, str], ...]]:
    """The accounts that ``image`` is known to hold, and the variables that it sets to their numbers."""
    for base in _BASES:
        if image.normalized is not None and base.repository.fullmatch(image.normalized):
            if base.tag.fullmatch(image.tag or ("" if image.opaque or image.digest else "latest")):
                return base.accounts, base.variables
    return (), ()


_MOST = 100  # stages
_FROM = re.compile(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?")


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

    def _as_written(self, index: int) -> str | None:
        """The image that stage ``index`` is made from, with the variables whose value is not known."""
        match = _FROM.match(self.parts[index][0].flags()[1])
        return fill(match[1].strip("\"'"), self.globals) if match is not None else None

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
            named = str(origin) if origin is not None else self._as_written(number)
            if isinstance(origin, int):
                stage, triggers = self._left[origin].child(), self._left[origin].triggers
            elif named not in (None, "scratch") and (known := self.built(str(named))) is not None:
                stage, triggers = known.child(), known.triggers
            else:
                stage, triggers = Stage(from_scratch=origin == "scratch"), []
                if origin not in (None, "scratch"):
                    _take_base(stage, Said(str(origin), self.file, start.line))
                if origin is None:
                    stage.unknown.add("base")
            Builder(self, stage, number).run([*triggers, *self.parts[number][1:]])
            self._left[number] = stage
        return self._left[index]


def _take_base(stage: Stage, said: Said[str]) -> None:
    """Begin ``stage`` with an image from elsewhere, and the accounts that it is known to hold."""
    stage.base = said
    image = image_reference.parse(said.value)
    accounts, variables = held_by(image) if image is not None else ((), ())
    stage.accounts += [Said(account, said.file, said.line) for account in accounts]
    stage.env.update({name: Said(value, said.file, said.line) for name, value in variables})
