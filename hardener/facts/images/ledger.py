"""What is known of an image, from every source that the tree has: each fact with where it is from."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from hardener.authoring.known import Known, KnownBy, is_sure, items, stronger
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.model import BuiltImage
from hardener.facts.images.programs import Program
from hardener.facts.images.told import Told
from hardener.kubernetes.images.config import SOME_NUMBER
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.table import ImageRow, lookup
from hardener.lock.model import LockedImage
from hardener.tree.tree import Tree

UserKind = Literal["root", "number", "name", "unknown"]


class Number(Struct, frozen=True):
    """The numbers that a program runs with. ``listed``: where its image lists them beside the name of its user."""

    uid: int
    gid: int | None = None
    listed: str | None = None


class RootStart(Struct, frozen=True):
    """Whether the command of an image fails at once under another user than root. ``turned_by``: settings of a
    container that turn it round, see `hardener/kubernetes/images/conditions.py`."""

    required: bool
    turned_by: tuple[str, ...] = ()


class Command(Struct, frozen=True):
    """What an image runs by itself; () where it has none of the two."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


class ImageLedger(Struct):
    """What the sources say of an image; None and () where none of them says anything. Collectors put in, rules read.

    - `user`: who it runs as by itself, "root" for root under each of its names, without a group.
    - `number`: the numbers that its service runs with. `any_number`: it runs as any user, too.
    - `ports`: their numbers, of each protocol. `volumes`: its VOLUMEs.
    - `command`: what it runs by itself. `workdir`: the folder that it starts in.
    - `paths`: the folders that the strongest source which tells of them has; its text says why these are all: for how
      long nothing else was seen, or what was read.
    - `uses_tmp`: whether it writes to /tmp, as programs do that say nothing of it.
    - `writable`: folders that it writes to. `filled`: places with files of the image. `owned`: those of them that its
      user may change. `written`: what its entrypoint writes, `written_as_any`: without what it writes for root alone.
      `hiding`: folders that it was seen to write to and in which it has files, so that a volume there would hide them.
    - `root_commands`: what its entrypoint does that needs root.
    - `carried`: file capabilities that a Dockerfile gives to its programs, `capabilities` those that its program is
      known to have; both without CAP_.
    - `used_capabilities`: those that it was recorded to use, without CAP_; none of them is known to be needed. Its text
      says for how long no other was seen, where that counts.
    - `read_only`: whether it runs with a read-only root; `read_only_with`: settings of a container with which one that
      does not does. `needs_root`: it works as root only. `root_start`: whether its own command starts as another user.
      `uses_setuid`: it starts setuid programs. `makes_rare_calls`: the default seccomp profile refuses some that it
      makes; sure where these were seen.
    - `files`: what its files say, as far as somebody read them.
    - `started_as`: the image whose program it starts, where that is the base that its Dockerfile builds on.
    """

    user: Known[str] | None = None
    number: Known[Number] | None = None
    any_number: Known[bool] | None = None
    ports: Known[tuple[int, ...]] | None = None
    volumes: Known[tuple[str, ...]] | None = None
    command: Known[Command] | None = None
    workdir: Known[str] | None = None
    paths: Known[tuple[str, ...]] | None = None
    uses_tmp: Known[bool] | None = None
    writable: tuple[Known[str], ...] = ()
    filled: tuple[Known[str], ...] = ()
    owned: tuple[Known[str], ...] = ()
    written: tuple[Known[str], ...] = ()
    written_as_any: tuple[Known[str], ...] = ()
    hiding: tuple[Known[str], ...] = ()
    root_commands: tuple[Known[str], ...] = ()
    carried: tuple[Known[str], ...] = ()
    capabilities: Known[tuple[str, ...]] | None = None
    used_capabilities: Known[tuple[str, ...]] | None = None
    read_only: Known[bool] | None = None
    read_only_with: tuple[str, ...] = ()
    needs_root: Known[bool] | None = None
    root_start: Known[RootStart] | None = None
    uses_setuid: Known[bool] | None = None
    makes_rare_calls: Known[bool] | None = None
    files: Known[ImageFiles] | None = None
    started_as: Known[ImageReference] | None = None

    def put_user(self, user: Known[str], number: Known[Number] | None = None) -> None:
        """Put in who the image runs as, and the number of that user.

        What is known of another user says nothing then, but beside root, which a service may leave. A number that a
        person wrote for the image holds for any.
        """
        if stronger(self.user, user) is not user:
            return
        if user.value not in ("root", self.user_name):
            self.forget_number()
        self.user = user
        self.number = stronger(self.number, number)

    def forget_number(self) -> None:
        """Strike the number that is known of the image itself."""
        if self.number is not None and self.number.by.of_image:
            self.number = None

    @property
    def user_name(self) -> str | None:
        """Its user, as a name or a number."""
        return self.user.value if self.user is not None else None

    @property
    def uid(self) -> int | None:
        return self.number.value.uid if self.number is not None else None

    @property
    def gid(self) -> int | None:
        return self.number.value.gid if self.number is not None else None

    @property
    def number_to_run_as(self) -> Known[Any] | None:
        """What tells by which number but root's it can run: its own, that of its service, or that any will do."""
        own = self.user if self.user is not None and self.user.value.isdecimal() else None
        return self.number or own or self.any_number

    @property
    def all_paths(self) -> Known[tuple[str, ...]] | None:
        """The folders that it writes to, where these are known to be all: it was read whole, or seen to run."""
        return self.paths if self.paths is not None and (self.paths.whole or self.paths.by.proves) else None

    @property
    def says_where_it_writes(self) -> bool:
        """Whether anything tells of a place that it writes to, and not only that another container has a volume."""
        return bool(self.volumes and self.volumes.value) or any(
            path.by is not KnownBy.SAME_IMAGE for path in self.writable
        )

    @property
    def kept_places(self) -> tuple[str, ...]:
        """Its VOLUMEs, and where it writes by what is said of the image: what another container mounts is no such
        place, since a run may have given that a read-only root."""
        return (*items(self.volumes), *(path.value for path in self.writable if path.by.of_image))

    @property
    def builds_volumes(self) -> bool:
        """Whether a Dockerfile of the tree declares its VOLUMEs."""
        return self.volumes is not None and self.volumes.by is KnownBy.DOCKERFILE

    @property
    def tells_all_places(self) -> bool:
        """Whether somebody tells of all places that it writes to: who read it, ran it, or tried a read-only root."""
        if self.read_only is not None and self.read_only.value:
            return True
        return self.paths is not None and (self.paths.whole or self.paths.text is not None)

    @property
    def command_is_read_whole(self) -> bool:
        """Whether every program of its command is known, and so is every place that they write to."""
        return self.paths is not None and self.paths.by is KnownBy.COMMAND

    @property
    def user_shows_elsewhere(self) -> bool:
        """Whether what is known of its user is nothing but what people wrote for another container."""
        known = self.number or self.user
        return known is not None and known.by is KnownBy.SAME_IMAGE

    @property
    def is_sure_of_user(self) -> bool:
        """Whether its user is proved, or looked up where the image is made."""
        return is_sure(self.user)

    @property
    def is_sure_of_number(self) -> bool:
        """The same of the number that its service runs with."""
        return is_sure(self.number)

    @property
    def kind_of_user(self) -> UserKind:
        """What a kubelet makes of the user: it starts no "root" under `runAsNonRoot`, and no "name" either."""
        if self.user is None:
            return "unknown"
        if self.user.value == "root":
            return "root"
        return "number" if self.user.value.isdecimal() or self.user.value == SOME_NUMBER else "name"


class Asked:
    """An image of which a collector tells: what is run of it, and what the tree has about it. ``told``: all that it is
    told to run in the place of that."""

    def __init__(
        self,
        tree: Tree,
        image: ImageReference,
        command: tuple[str, ...] = (),
        program: Program | None = None,
        args: tuple[str, ...] = (),
        told: Told | None = None,
    ) -> None:
        self.tree = tree
        self.image = image
        self.command = command
        self.program = program
        self.args = args
        self.told = told

    @cached_property
    def row(self) -> ImageRow | None:
        """Its row of the image table, and before it those of ``.harden.yaml``."""
        return lookup(self.image, self.tree.settings.images)

    @cached_property
    def locked(self) -> LockedImage | None:
        """What harden.lock has of it."""
        return self.tree.lock.find(self.image) if self.tree.lock is not None else None

    @cached_property
    def built(self) -> BuiltImage | None:
        """What the Dockerfiles of the tree say of it."""
        return self.tree.ask(BuiltImages).of(self.image)
