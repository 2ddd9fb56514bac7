"""What a Dockerfile of the tree says of the image that it builds."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from hardener.authoring.known import Known, KnownBy, joined
from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.model import BuiltImage, Said
from hardener.facts.images.ledger import Asked, Command, ImageLedger, Number
from hardener.kubernetes.images.config import plain_user
from hardener.kubernetes.pods.command_evidence import below
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from hardener.facts.images.dockerfiles.entrypoint_scripts import Shown

T = TypeVar("T")

_HOME = late_pattern(r"/home/[^/]+|/root")
_CAPABILITY = late_pattern(r"\bcap_([a-z_]+)")


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what it says; of entrypoints only where the container has that of its image."""
    built, own_command = asked.built, not asked.command
    if built is None:
        return
    _put_user(ledger, built)
    _put_command(ledger, built)
    ledger.ports = joined(ledger.ports, _all_of(built, built.ports))
    ledger.volumes = joined(ledger.volumes, _all_of(built, built.volumes))
    if built.workdir is not None:
        ledger.workdir = _known(built, built.workdir, built.workdir.value)
    _put_folders(ledger, built)
    if built.given or built.volumes or (built.script_read and own_command):
        given = tuple(said.value for said in built.given)
        ledger.paths = Known(given, KnownBy.DOCKERFILE, built.said_at(None))
    ledger.carried += tuple(known for said in built.capabilities for known in _carried(said))
    start = built if own_command else asked.tree.ask(BuiltImages).started(asked.image, (*asked.command, *asked.args))
    if start is not None:
        _put_start(ledger, built, start)
        _put_servers(ledger, built, start, (*asked.command, *asked.args) or _own_words(built))
    named = [Said(_absolute(built, said.value), said.file, said.line) for said in _settings(asked)]
    ledger.written += _written(built, named)
    ledger.written_as_any += _written(built, named)


def _known(built: BuiltImage, said: Said[Any], value: T, text: str | None = None) -> Known[T]:
    """``value``, which is ``said`` there, and ``text`` behind its place."""
    place = built.said_at(said)
    text = f"{place}: {text}" if text is not None else None
    return Known(value, KnownBy.DOCKERFILE, place, sure=built.is_named, text=text)


def _all_of(built: BuiltImage, said: tuple[Said[Any], ...]) -> Known[tuple[Any, ...]] | None:
    """All that is ``said``, at the place of the first."""
    return _known(built, said[0], tuple(sorted({one.value for one in said}))) if said else None


def _put_user(ledger: ImageLedger, built: BuiltImage) -> None:
    if not built.knows("user"):
        # What is known of the image may be of another user; that of other containers holds for any.
        ledger.forget_number()
        if ledger.user is not None and ledger.user.by.of_image:
            ledger.user = None
    elif built.user is not None:
        user = _known(built, built.user, plain_user(built.user.value))
        ledger.put_user(user, _number(built) if user.value != "root" else None)
    elif built.from_scratch:
        ledger.put_user(Known("root", KnownBy.DOCKERFILE, built.said_at(None), sure=built.is_named))
    elif not built.is_named:  # another Dockerfile may build it
        ledger.user = replace(ledger.user, sure=False) if ledger.user is not None else None
        ledger.number = replace(ledger.number, sure=False) if ledger.number is not None else None


def _number(built: BuiltImage) -> Known[Number] | None:
    """The number of its user; None for a name of the base, or one that is made by a program."""
    if built.uid is None:
        return None
    gid = built.gid.value if built.gid is not None else None
    return _known(built, built.uid, Number(built.uid.value, gid))


def _put_command(ledger: ImageLedger, built: BuiltImage) -> None:
    said = built.entrypoint or built.cmd
    if said is None or not (built.knows("entrypoint") and built.knows("cmd")):
        return
    command = ledger.command.value if ledger.command is not None else Command()
    if built.entrypoint is not None:
        command = Command(built.entrypoint.value)
    if built.cmd is not None:
        command = Command(command.entrypoint, built.cmd.value)
    ledger.command = _known(built, said, command)


def _put_folders(ledger: ImageLedger, built: BuiltImage) -> None:
    """Folders that were made for its user to write to, and those that hold files of the image."""
    filled = [Known(_absolute(built, said.value), KnownBy.DOCKERFILE, said.where) for said in built.filled]
    filled_paths = [known.value for known in filled]
    made, owned = [], []
    for said in built.given:
        path = _absolute(built, said.value)
        if _holds_files(path, filled_paths):
            owned.append(_known(built, said, path, f"its user may write to {path}"))
        elif not _HOME.fullmatch(path):
            made.append(_known(built, said, path, f"its user was given {path}"))
    ledger.filled += tuple(filled)
    ledger.owned += tuple(owned)
    ledger.writable = (*made, *ledger.writable)


def _holds_files(path: str, filled: list[str]) -> bool:
    """Whether files of the image lie in ``path`` or around it; but in a folder of its own, inside of one that was
    filled, nothing was put by name."""
    is_near = any(below(other, path) or below(path, other) for other in filled)
    is_own = all(path != other and not below(other, path) for other in filled)
    return is_near and not is_own


def _absolute(built: BuiltImage, path: str) -> str:
    workdir = built.workdir.value if built.workdir is not None else "/"
    return posixpath.normpath(posixpath.join(workdir, path))


def _put_start(ledger: ImageLedger, built: BuiltImage, start: BuiltImage | Shown) -> None:
    """Put in what its entrypoint, or the command of the container, does. What the Dockerfile itself runs is among
    the words of its entrypoint."""
    ledger.written += _written(built, start.writes)
    ledger.written_as_any += _written(built, start.writes_as_any)
    ledger.root_commands += tuple(_known(built, said, said.value, said.value) for said in start.needs_root)


def _own_words(built: BuiltImage) -> tuple[str, ...]:
    """The words of its own entrypoint and command."""
    return tuple(word for said in (built.entrypoint, built.cmd) if said is not None for word in said.value)


def _put_servers(ledger: ImageLedger, built: BuiltImage, start: BuiltImage | Shown, words: tuple[str, ...]) -> None:
    """What the servers need that packages of it bring, as far as ``words`` start them as root."""
    if built.user is not None and plain_user(built.user.value) != "root":
        return
    from hardener.facts.images.dockerfiles.server_packages import server_of, starts  # late: most trees build no image

    for said in built.servers:
        manager, package = said.value
        server = server_of(package)
        programs = [each.value for each in start.starts]
        starter = starts(server, words, programs, script_read=start.is_read) if server is not None else None
        if server is None or starter is None:
            continue
        by = starter if starter in server.programs else f"what {starter} starts"
        text = f"it installs {package}: {by} begins as root, and becomes another user by itself"
        ledger.root_commands += (_known(built, said, package, text),)
        uid = server.number(manager)
        if uid is not None and ledger.number is None:
            ledger.number = _known(built, said, Number(uid, uid))
        ledger.ports = joined(ledger.ports, _known(built, said, server.ports) if server.ports else None)
        wrote = (_known(built, said, path, f"{package} writes to {path}") for path in server.writable)
        ledger.writable = (*wrote, *ledger.writable)
        ledger.filled += tuple(_known(built, said, path) for path in server.filled)


def _settings(asked: Asked) -> tuple[Said[str], ...]:
    """The files that the settings of the program name."""
    from hardener.facts.images.dockerfiles.settings_files import SettingsFiles  # late: most trees build no image

    return asked.tree.ask(SettingsFiles).of(asked.image)


def _written(built: BuiltImage, places: Iterable[Said[str]]) -> tuple[Known[str], ...]:
    return tuple(_known(built, said, said.value, f"it writes to {said.value}") for said in places)


def _carried(said: Said[str]) -> Iterator[Known[str]]:
    """The capabilities of `cap_net_bind_service=+ep /bin/x` that are effective at once."""
    names, equals, rest = said.value.partition("=")
    flags = rest.split(" ", 1)[0] if equals else names.partition("+")[2].split(" ", 1)[0]
    if {"e", "p"} <= set(flags):
        yield from (Known(name.upper(), KnownBy.DOCKERFILE, said.where) for name in _CAPABILITY.findall(names))
