"""The stages of a Dockerfile, and which is made from which.

Source: docs.docker.com/reference/dockerfile. A stage is read only where the one that is asked for is made from it.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from hardener.facts.images.dockerfiles import base_accounts
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.stage import Stage
from hardener.facts.images.dockerfiles.stage_builder import Builder, assignments
from hardener.facts.images.dockerfiles.variables import filled
from hardener.kubernetes.images import reference as image_reference

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
            Builder(self, stage, number).run([*triggers, *self.parts[number][1:]])
            self._left[number] = stage
        return self._left[index]


def _take_base(stage: Stage, said: Said[str]) -> None:
    """Begin ``stage`` with an image from elsewhere, and the accounts that it is known to hold."""
    stage.base = said
    image = image_reference.parse(said.value)
    accounts, variables = base_accounts.held_by(image) if image is not None else ((), ())
    stage.accounts += [Said(account, said.file, said.line) for account in accounts]
    stage.env.update({name: Said(value, said.file, said.line) for name, value in variables})
