"""What a Dockerfile of the tree adds to what is known of an image."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hardener.kubernetes.images.config import ImageFacts, ImagePath, KnownBy, plain_user
from hardener.kubernetes.images.table import TABLE
from hardener.kubernetes.pods.command_evidence import below
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from hardener.facts.images.dockerfiles.model import BuiltImage, Said

_HOME = late_pattern(r"/home/[^/]+|/root")
_CAPABILITY = late_pattern(r"\bcap_([a-z_]+)")
_NO_NUMBER: dict[str, Any] = {"uid": None, "gid": None, "uid_by": None, "sure_of_number": False}
_RANKS = {
    "named": "",
    "service": " (by the name of its service)",
    "folder": " (by the name of its folder)",
}


def with_base(known: ImageFacts, base: ImageFacts, built: BuiltImage) -> ImageFacts:
    """``known``, and over it what an image inherits from its ``base`` by its Dockerfile. A user that a row of
    `.harden.yaml` names stays, and so does the number of a service beside a base that says root alone.

    What the program of the base writes and carries counts only where that is the program which is started.
    """
    name = built.base.text if built.base is not None else ""
    where = _where(built, built.base_said) if built.base_said is not None else built.dockerfile
    of_base = f"{where}: FROM {name}, "
    said = f"{of_base}{base.user_source}"
    changed: dict[str, Any] = {}
    own = known.user is not None and not known.user_source.startswith(TABLE)
    if base.user is not None and not own and built.user is None and built.knows("user"):
        same = base.kind_of_user in ("number", "name") or _runs_base(built)
        changed = {
            "user": base.user, "user_source": said, "user_by": KnownBy.BASE, "sure": base.sure,
            "any_number": False,
        }  # fmt: skip
        if same and base.uid is not None:
            changed |= {
                "uid": base.uid, "gid": base.gid, "uid_by": KnownBy.BASE, "uid_source": f"{of_base}{base.uid_source}",
                "sure_of_number": base.sure_of_number and base.kind_of_user != "root",
            }  # fmt: skip
        elif (known.user, base.user) != ("root", "root"):
            changed |= _NO_NUMBER
    changed["ports"] = tuple(sorted({*known.ports, *base.ports}))
    changed["volumes"] = tuple(sorted({*known.volumes, *base.volumes}))
    if base.ports and not known.ports:
        changed["ports_source"] = f"{of_base}{base.ports_source}"
    if base.volumes and not known.volumes:
        changed["volumes_source"] = f"{of_base}{base.volumes_source}"
    changed["workdir"] = base.workdir
    if base.command_by is not None and built.knows("entrypoint") and built.knows("cmd"):
        changed |= {"entrypoint": base.entrypoint, "cmd": base.cmd, "command_by": KnownBy.BASE}
        changed["command_source"] = f"{of_base}{base.command_source}"
    if _runs_base(built):
        paths = tuple(ImagePath(path.path, f"{said}: it writes to {path.path}") for path in base.writable)
        changed["writable"] = (*known.writable, *paths)
        changed["carried"] = (*known.carried, *base.carried)
        if paths and known.paths_by is None:
            changed["paths_by"] = KnownBy.BASE
    return replace(known, **changed)


def _runs_base(built: BuiltImage) -> bool:
    """Whether the program of its base is started: no other one is named."""
    if built.entrypoint is not None or built.base is None or not (built.knows("entrypoint") and built.knows("cmd")):
        return False
    return built.cmd is None or not built.cmd.value or posixpath.basename(built.cmd.value[0]) == built.base.name


def with_dockerfile(known: ImageFacts, built: BuiltImage, *, own_command: bool) -> ImageFacts:
    """``known``, and over it what the Dockerfile says; of entrypoints only where the container has its
    ``own_command``."""
    changed = _user(known, built) | _command(built)
    if built.ports:
        changed["ports"] = tuple(sorted({*known.ports, *(said.value for said in built.ports)}))
        changed["ports_source"] = _where(built, built.ports[0])
    if built.volumes:
        changed["volumes"] = tuple(sorted({*known.volumes, *(said.value for said in built.volumes)}))
        changed["volumes_source"] = _where(built, built.volumes[0])
    if built.workdir is not None:
        changed["workdir"] = built.workdir.value
    return replace(known, **changed, **_paths(known, built, own_command), **_needs(known, built, own_command))


def _where(built: BuiltImage, said: Said[Any]) -> str:
    return f"{said.where}{_RANKS[built.rank]}"


def _user(known: ImageFacts, built: BuiltImage) -> dict[str, Any]:
    sure = built.rank == "named"
    # What is known of another user says nothing; a number that a person wrote for the same image holds for any.
    unnumbered = _NO_NUMBER if known.uid_by is not KnownBy.SAME_IMAGE else {}
    if not built.knows("user"):
        by_others = known.user_by is KnownBy.SAME_IMAGE
        return unnumbered if by_others else unnumbered | {"user": None, "user_by": None, "sure": False}
    if built.user is None:
        if not built.from_scratch:
            return {"sure": known.sure and sure, "sure_of_number": known.sure_of_number and sure}
        where = f"{built.dockerfile}{_RANKS[built.rank]}"
        return {"user": "root", "user_by": KnownBy.DOCKERFILE, "user_source": where, "sure": sure}
    where, named = _where(built, built.user), plain_user(built.user.value)
    found: dict[str, Any] = {"user": named, "user_by": KnownBy.DOCKERFILE, "user_source": where, "sure": sure}
    if named == "root":
        return found
    if built.uid is None:
        # A name of the base, or one that is made by a program.
        same = named == known.user
        return found if same else found | unnumbered
    return found | {
        "uid": built.uid.value, "gid": built.gid.value if built.gid is not None else None,
        "uid_by": KnownBy.DOCKERFILE, "uid_source": _where(built, built.uid), "sure_of_number": sure,
    }  # fmt: skip


def _command(built: BuiltImage) -> dict[str, Any]:
    said = built.entrypoint or built.cmd
    if said is None or not (built.knows("entrypoint") and built.knows("cmd")):
        return {}
    found: dict[str, Any] = {"command_by": KnownBy.DOCKERFILE, "command_source": _where(built, said)}
    if built.entrypoint is not None:
        found |= {"entrypoint": built.entrypoint.value, "cmd": ()}
    if built.cmd is not None:
        found["cmd"] = built.cmd.value
    return found


def _paths(known: ImageFacts, built: BuiltImage, own_command: bool) -> dict[str, Any]:
    """Folders that were made for its user to write to, and those that hold files of the image."""
    filled = tuple(ImagePath(_absolute(known, built, said.value), said.where) for said in built.filled)
    made, owned = [], []
    for said in built.given:
        path = _absolute(known, built, said.value)
        where = _where(built, said)
        if any(below(other.path, path) or below(path, other.path) for other in filled) and not _is_own(path, filled):
            owned.append(ImagePath(path, f"{where}: its user may write to {path}"))
        elif not _HOME.fullmatch(path):
            made.append(ImagePath(path, f"{where}: its user was given {path}"))
    written = [ImagePath(said.value, f"{_where(built, said)}: it writes to {said.value}") for said in built.writes]
    found: dict[str, Any] = {"filled": (*known.filled, *filled), "owned": (*known.owned, *owned)}
    found["writable"] = (*made, *known.writable)
    if own_command:
        found["written"] = (*known.written, *written)
    if built.given or built.volumes or (built.script_read and own_command):
        found["paths_by"] = KnownBy.DOCKERFILE
    return found


def _is_own(path: str, filled: tuple[ImagePath, ...]) -> bool:
    """Whether ``path`` is a folder of its own inside of one that was filled: nothing was put there by name."""
    return all(path != other.path and not below(other.path, path) for other in filled)


def _absolute(known: ImageFacts, built: BuiltImage, path: str) -> str:
    workdir = built.workdir.value if built.workdir is not None else known.workdir
    return posixpath.normpath(posixpath.join(workdir or "/", path))


def _needs(known: ImageFacts, built: BuiltImage, own_command: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "carried": (*known.carried, *(pair for said in built.capabilities for pair in _carried(said)))
    }
    if own_command and built.asks_who is None:
        # What the Dockerfile itself runs at the start is among the words of its entrypoint.
        texts = [
            f"{_where(built, said)}: {said.value}"
            for said in (*built.root_commands, *built.installs)
            if said.file != built.dockerfile
        ]
        found["root_commands"] = (*known.root_commands, *texts)
    return found


def _carried(said: Said[str]) -> list[tuple[str, str]]:
    """The capabilities of `cap_net_bind_service=+ep /bin/x` that are effective at once, each with where it is said."""
    names, equals, rest = said.value.partition("=")
    flags = rest.split(" ", 1)[0] if equals else names.partition("+")[2].split(" ", 1)[0]
    if not {"e", "p"} <= set(flags):
        return []
    return [(name.upper(), said.where) for name in _CAPABILITY.findall(names)]
