"""What one stage of a Dockerfile leaves: the settings of its image, files, accounts, gifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from hardener.facts.images.dockerfiles.accounts import Account
from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.model import Rank, Said
from hardener.facts.images.dockerfiles.run_commands import Gift

if TYPE_CHECKING:
    from hardener.facts.images.dockerfiles.stages import Stages


class Copy(Struct, frozen=True):
    """A COPY or ADD: its sources, its destination (relative where the folder is not known), the stage or image that it
    copies from, and the text of its here-documents by name."""

    sources: tuple[str, ...]
    target: str
    origin: str | None
    documents: tuple[tuple[str, str], ...]
    said: Said[str]
    context: str | None  # the folder that the sources are seen from
    stages: Stages


class Stage(Struct):
    """What a stage leaves. ``base``: the image that it is made from, as written; None where that is not known, and for
    `scratch`."""

    base: Said[str] | None = None
    from_scratch: bool = False
    through: tuple[str, ...] = ()
    rank: Rank = "named"  # how it is known which Dockerfiles those are
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
    servers: list[Said[tuple[str, str]]] = field(default_factory=list)  # package managers, and packages with a server
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

    @property
    def home(self) -> str:
        """The home of the user in effect, as far as accounts and names tell."""
        name = self.user.value.partition(":")[0] if self.user is not None else "root"
        if name in ("root", "0"):
            return "/root"
        homes = (said.value.home for said in self.accounts if said.value.home and said.value.name == name)
        return next(homes, None) or f"/home/{name}"

    def child(self) -> Stage:
        """What a stage begins with that is made from this one."""
        return Stage(
            self.base, self.from_scratch, self.through, self.rank, dict(self.env), self.user, self.workdir,
            self.entrypoint, self.cmd, self.shell, list(self.ports), list(self.volumes), list(self.accounts),
            list(self.gifts), list(self.filled), list(self.worked_in), list(self.capabilities), list(self.servers),
            list(self.copies), [], set(self.unknown),
        )  # fmt: skip
