"""The answer: an image of this tree, as its Dockerfile says it is."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar, get_args

from msgspec import Struct

from hardener.kubernetes.images.reference import ImageReference

T = TypeVar("T")

Rank = Literal["named", "service", "folder"]
"""How it is known that a Dockerfile builds an image, the surest first.

- ``named``: a build file names the image and how it is built.
- ``service``: a build file builds a service, and the image has its name.
- ``folder``: no build file says it; the folder of the Dockerfile, or its suffix, has the name of the image.
"""


def least(*ranks: Rank) -> Rank:
    """The least sure of ``ranks``."""
    return max(ranks, key=get_args(Rank).index)


class Said(Struct, Generic[T], frozen=True):
    """A fact, and where it is said: the name of the file for people, and the line, which counts from 1."""

    value: T
    file: str
    line: int

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class BuiltImage(Struct, frozen=True):
    """An image that is built from this tree, read from the final stage of its Dockerfile, and from what that is made of
    in this tree. A field that is None or empty says that these files do not say it; then it is what the base has.

    - `dockerfile`: the name of the Dockerfile for people; where ko or jib make the image, of the file that says so.
      `rank`, `named_by`: how it is known that it builds the image.
    - `base`: the image outside of this tree that it is made from; None for `scratch`, and where it is not known.
      `from_scratch` tells them apart. `through`: the Dockerfiles of this tree between the two.
    - `user`: USER as it is in effect, variables filled in; never "". `uid`, `gid`: the numbers of that user and its
      group, from the text itself or from the accounts that a RUN makes.
    - `ports`, `volumes`, `workdir`, `entrypoint`, `cmd`: as in the image; a shell form is `/bin/sh -c TEXT`. An empty
      `cmd` is one that an ENTRYPOINT took away.
    - `env`: variables whose value is an absolute path.
    - `given`: paths where the user of the image may write, since they were made by it or given to it.
    - `filled`: paths that hold files of the image: what was copied there, or made by a RUN. A relative one is seen from
      the working directory of the base.
    - `capabilities`: `cap_net_bind_service=+ep /bin/x`, the file left out where it is not known.
    - `servers`: the package managers and the packages with a server that a RUN installs.
    - `root_commands`, `writes`, `installs`, `starts`: what entrypoint and command do, and the scripts of this tree that
      they start: commands that need root, absolute paths that are written, package managers, programs that take over.
    - `asks_who`: where they look at the number of their user (`id -u`), so that they may do without root.
      `needs_root`, `writes_as_any`: what the scripts do that needs root, and where they write, whoever runs them;
      without what they do for root alone.
    - `script_read`: a script of this tree is started, and it was read with each one that it starts. False: what the
      program itself writes is not known.
    - `unknown`: the names of fields above about which the files say something that is not understood.
    """

    dockerfile: str
    rank: Rank
    named_by: Said[str] | None
    base: ImageReference | None = None
    base_said: Said[str] | None = None
    from_scratch: bool = False
    through: tuple[str, ...] = ()
    user: Said[str] | None = None
    uid: Said[int] | None = None
    gid: Said[int] | None = None
    ports: tuple[Said[int], ...] = ()
    volumes: tuple[Said[str], ...] = ()
    workdir: Said[str] | None = None
    entrypoint: Said[tuple[str, ...]] | None = None
    cmd: Said[tuple[str, ...]] | None = None
    env: tuple[tuple[str, Said[str]], ...] = ()
    given: tuple[Said[str], ...] = ()
    filled: tuple[Said[str], ...] = ()
    capabilities: tuple[Said[str], ...] = ()
    servers: tuple[Said[tuple[str, str]], ...] = ()
    root_commands: tuple[Said[str], ...] = ()
    writes: tuple[Said[str], ...] = ()
    installs: tuple[Said[str], ...] = ()
    starts: tuple[Said[str], ...] = ()
    asks_who: Said[str] | None = None
    needs_root: tuple[Said[str], ...] = ()
    writes_as_any: tuple[Said[str], ...] = ()
    script_read: bool = False
    unknown: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        """Whether what the files say of the field ``name`` was understood. Where it was and the field is None, the base
        has the answer."""
        return name not in self.unknown

    @property
    def is_read(self) -> bool:
        """Whether all scripts were read that it starts."""
        return self.script_read

    @property
    def is_named(self) -> bool:
        """Whether a build file names the image, so that no other Dockerfile builds it."""
        return self.rank == "named"

    def said_at(self, said: Said[Any] | None) -> str:
        """Where ``said`` stands, or the Dockerfile, and how it is known that this builds the image."""
        return f"{said.where if said is not None else self.dockerfile}{_BUILDS[self.rank]}"

    def evidence(self, name: str) -> list[str]:
        """What the files say of the field ``name``, for people: `src/cart/Dockerfile:12: USER 1000`."""
        if name == "env":
            return [f"{said.where}: ENV {key}={_text(said.value)}" for key, said in self.env]
        value = getattr(self, "base_said" if name == "base" else name)
        found = value if isinstance(value, tuple) else (value,)
        return [f"{said.where}: {_WORDS[name]}{_text(said.value)}" for said in found if isinstance(said, Said)]


_BUILDS = {"named": "", "service": " (by the name of its service)", "folder": " (by the name of its folder)"}
_WORDS = {
    "named_by": "",
    "base": "FROM ",
    "base_said": "FROM ",
    "user": "USER ",
    "uid": "user number ",
    "gid": "group number ",
    "ports": "EXPOSE ",
    "volumes": "VOLUME ",
    "workdir": "WORKDIR ",
    "entrypoint": "ENTRYPOINT ",
    "cmd": "CMD ",
    "given": "the user may write to ",
    "filled": "files in ",
    "capabilities": "setcap ",
    "servers": "installs ",
    "root_commands": "",
    "writes": "writes to ",
    "installs": "",
    "starts": "starts ",
    "asks_who": "",
    "needs_root": "",
    "writes_as_any": "writes to ",
}
_LONGEST = 120  # characters that are shown of a value


def _text(value: object) -> str:
    text = (" ".join(value) or "[]") if isinstance(value, tuple) else str(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
