"""What the commands of a RUN leave in an image: accounts, paths given to somebody, files, capabilities."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from hardener.facts.images.dockerfiles.accounts import Account, made, written
from hardener.facts.images.dockerfiles.server_packages import MANAGERS, packages
from hardener.kubernetes.pods import command_evidence, shell

_LONGEST_MODE = 40  # characters
_LARGEST = 256 * 1024  # characters of one RUN; more is data and no script
_UNKNOWN = re.compile(r"[$`*?\[{]")
_SPACE = re.compile(r"\s")
# What leaves nothing in the working directory.
_ELSEWHERE = frozenset(
    """[ addgroup adduser apk apt apt-get apt-key ash bash cat cd chgrp chmod chown command cp curl dnf dpkg echo
    env exit export false find gem gpg grep groupadd groupmod id install ldconfig ln locale-gen ls microdnf mkdir mv
    passwd pip pip3 printf rm rmdir sed set setcap sh sleep tee test touch true update-ca-certificates useradd
    usermod which xargs yum zypper""".split()
)
# Programs that put what they install into folders of their own: the words that do so, these folders, and those below
# the home of the user. Sources: the documentation of each, and GOPATH, CARGO_HOME, GEM_HOME of the official images.
_INSTALLERS: dict[str, tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]] = {
    "bundle": (frozenset({"install"}), ("/usr/local/bundle",), ()),
    "cargo": (frozenset({"install"}), ("/usr/local/cargo/bin",), (".cargo/bin",)),
    "composer": (frozenset({"global"}), (), (".composer", ".config/composer")),
    "conda": (frozenset({"create", "env", "install"}), ("/opt/conda",), (".conda",)),
    "dotnet": (frozenset({"tool"}), (), (".dotnet/tools",)),
    "gem": (frozenset({"install"}), ("/usr/local/bundle",), (".gem", ".local/share/gem")),
    "go": (frozenset({"get", "install"}), ("/go/bin",), ("go/bin",)),
    "huggingface-cli": (frozenset({"download"}), (), (".cache/huggingface",)),
    "mamba": (frozenset({"create", "env", "install"}), ("/opt/conda",), ()),
    "npm": (frozenset({"-g", "--global"}), (), (".npm-global",)),
    "pip": (frozenset({"--user"}), (), (".local",)),
    "pip3": (frozenset({"--user"}), (), (".local",)),
    "pipx": (frozenset({"install"}), (), (".local",)),
    "playwright": (frozenset({"install"}), ("/ms-playwright",), (".cache/ms-playwright",)),
    "uv": (frozenset({"tool"}), (), (".local",)),
}
_PIPES = frozenset({"sh", "bash", "ash"})  # which run what a download prints
_RUNNERS = frozenset({"npx", "pnpm", "python", "python3", "yarn"})  # which start the program that they are given
_READ_BY_THEMSELVES = frozenset({"mkdir", "cd", "rm", "chown", "chmod"})  # that write nothing into files
# Modes with which everybody may write. `+w` alone is not one: the umask takes it from all but the owner.
_WORLD = re.compile(r"[0-7]?[0-7]{2}[2367]|(?=[ug]*+[ao])[ugoa]++[+=][rst]*w[rwxXst]*")
_MAKES_FOLDERS = re.compile(r"-[A-Zcpsv]*d\b")
_BRACES = re.compile(r"([^{}]{0,500})\{([^{}]{0,500})\}([^{}]{0,500})")
_GROUP = re.compile(r"[0-7]?[0-7][2367][0-7]|[uo]*g[uo]*[+=](?:[rst]*w[rwxXst]*|u)")


def is_for_everybody(mode: str) -> bool:
    """Whether everybody may write to a file of this mode (`0777`, `a+w`)."""
    return _has(_WORLD, mode)


def _has(pattern: re.Pattern[str], mode: str) -> bool:
    return any(pattern.fullmatch(part) for part in mode[:_LONGEST_MODE].split(","))


class Gift(Struct, frozen=True):
    """A path that belongs to somebody from then on. ``anybody``: every user may write there; ``group_writes``: the
    members of its group may. An owner or a group that is None stays what it was."""

    path: str
    owner: str | None = None
    group: str | None = None
    anybody: bool = False
    group_writes: bool = False


class Left(Struct):
    """What a RUN leaves: ``made`` are folders without files, ``filled`` paths that hold some, ``at_home`` those below
    the home of the user, ``worked_in`` folders where a program ran that may leave some."""

    accounts: list[Account] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    worked_in: list[str] = field(default_factory=list)
    at_home: list[str] = field(default_factory=list)
    packages: list[tuple[str, str]] = field(default_factory=list)  # (package manager, package)
    capabilities: list[tuple[str, str]] = field(default_factory=list)  # (capabilities, file or "")


def left_by(script: str, folder: str | None) -> Left:
    """What ``script`` leaves when it runs in ``folder``, None where that is not known."""
    left = Left()
    if len(script) > _LARGEST:
        left.worked_in.append(folder or ".")
        return left
    left.accounts += written(script)
    here = folder
    works_in: set[str | None] = set()
    for command in shell.commands([script]):
        if command.words[:1] == [script] and _SPACE.search(script):
            continue  # the script as a word of itself
        programs = list(shell.runs([command]))
        here = _run(left, programs, here)
        names = {program for program, _ in programs}
        if names and not command.targets and _ELSEWHERE.isdisjoint(names):
            works_in.add(here)
        if command.targets or not programs or programs[0][0] not in _READ_BY_THEMSELVES:
            left.filled += _written(command, here)
    left.worked_in += sorted({path or "." for path in works_in} - {"/"})
    return left


def _run(left: Left, programs: Iterable[tuple[str, Sequence[str]]], here: str | None) -> str | None:
    """Put to ``left`` what ``programs`` leave one after the other, and return the folder behind them."""
    for program, arguments in programs:
        if program == "cd":
            here = _joined(here, arguments[0]) if arguments else None
        else:
            _read(left, program, arguments, here)
    return here


def _read(left: Left, program: str, arguments: Sequence[str], here: str | None, *, is_run: bool = False) -> None:
    """Put to ``left`` what one program leaves that is started in ``here``; ``is_run``: a runner starts it."""
    account = made(program, arguments)
    if account is not None:
        left.accounts.append(account)
        if account.home:
            left.gifts.append(Gift(account.home, account.name, account.group))
    elif program in _READERS:
        _READERS[program](left, arguments, here)
    elif program in MANAGERS:
        left.packages += [(MANAGERS[program], name) for name in packages(program, arguments)]
    elif program in _INSTALLERS:
        words, folders, at_home = _INSTALLERS[program]
        if not words.isdisjoint(arguments):
            left.filled += folders
            left.at_home += at_home
    elif program in _PIPES and all(word.startswith("-") for word in arguments):
        left.at_home.append(".")
    elif program in _RUNNERS and arguments and not is_run:
        _read(left, *_behind_runner(arguments), here, is_run=True)


def _behind_runner(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """What `npx playwright install` and `python -m playwright install` start."""
    named = [word for word in arguments if word not in ("-m", "--yes", "-y", "dlx", "exec")]
    return (posixpath.basename(named[0]), named[1:]) if named else ("", ())


def _mkdir(left: Left, arguments: Sequence[str], here: str | None) -> None:
    paths = list(_paths(_without_values(arguments, ("-m", "--mode")), here))
    left.made += paths
    if is_for_everybody(_mode(arguments)):
        left.gifts += [Gift(path, anybody=True) for path in paths]


def _mode(arguments: Sequence[str]) -> str:
    """The mode that mkdir is told, "" without one: `-m 777`, `-m777`, `--mode=777`."""
    option = next((word for word in arguments if word.startswith(("-m", "--mode"))), None)
    if option is None:
        return ""
    return option.partition("=")[2] or option.removeprefix("-m") or _operands(arguments)[0]


def _chown(left: Left, arguments: Sequence[str], here: str | None) -> None:
    accounts, *paths = _operands(arguments) or [""]
    owner, _, group = accounts.partition(":")
    if not _UNKNOWN.search(accounts):
        left.gifts += [Gift(path, owner or None, group or None) for path in _paths(paths, here)]


def _chgrp(left: Left, arguments: Sequence[str], here: str | None) -> None:
    group, *paths = _operands(arguments) or [""]
    left.gifts += [Gift(path, group=group) for path in _paths(paths, here)]


def _chmod(left: Left, arguments: Sequence[str], here: str | None) -> None:
    mode, *paths = _operands(arguments) or [""]
    anybody, members = is_for_everybody(mode), _has(_GROUP, mode)
    if anybody or members:
        left.gifts += [Gift(path, anybody=anybody, group_writes=members) for path in _paths(paths, here)]


def _install(left: Left, arguments: Sequence[str], here: str | None) -> None:
    if not any(word in ("-d", "--directory") or _MAKES_FOLDERS.match(word) for word in arguments):
        return
    paths = list(_paths(_without_values(arguments, ("-o", "-g", "-m", "--owner", "--group", "--mode")), here))
    owner, group = _value(arguments, "-o", "--owner"), _value(arguments, "-g", "--group")
    left.made += paths
    if owner or group:
        left.gifts += [Gift(path, owner, group) for path in paths]
    if is_for_everybody(_value(arguments, "-m", "--mode") or ""):
        left.gifts += [Gift(path, anybody=True) for path in paths]


def _setcap(left: Left, arguments: Sequence[str], here: str | None) -> None:
    capabilities, *files = _operands(arguments) or [""]
    if "-r" not in arguments:
        left.capabilities += [(capabilities, "" if _UNKNOWN.search(file) else file) for file in files]


_READERS = {
    "mkdir": _mkdir,
    "chown": _chown,
    "chgrp": _chgrp,
    "chmod": _chmod,
    "install": _install,
    "setcap": _setcap,
}


def _operands(arguments: Sequence[str]) -> list[str]:
    return [word for word in arguments if not word.startswith("-")]


def _value(arguments: Sequence[str], short: str, long: str) -> str | None:
    for index, word in enumerate(arguments):
        if word in (short, long):
            return arguments[index + 1] if index + 1 < len(arguments) else None
        if word.startswith(long + "="):
            return word.partition("=")[2]
    return None


def _without_values(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    found, skip = [], False
    for word in arguments:
        if not skip and not word.startswith("-"):
            found.append(word)
        skip = not skip and word in options
    return found


def _paths(words: Sequence[str], here: str | None) -> Iterator[str]:
    for word in words:
        for each in _alternatives(word):
            path = _joined(here, each)
            if path is not None and path != "/":
                yield path


def _alternatives(word: str) -> list[str]:
    """`/a/{b,c}` is two paths for bash."""
    match = _BRACES.fullmatch(word)
    return [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")] if match else [word]


def _joined(here: str | None, path: str) -> str | None:
    if _UNKNOWN.search(path) or "~" in path or len(path) > 4096 or not path:
        return None
    if not path.startswith("/"):
        if here is None:
            return None
        path = posixpath.join(here, path)
    return "/" + posixpath.normpath(path).lstrip("/")


def _written(command: shell.Command, here: str | None) -> list[str]:
    text = shlex.join(command.words) + "".join(f" > {shlex.quote(target)}" for target in command.targets)
    if here is not None:
        text = f"cd {shlex.quote(here)} && {text}" if command.words else f"cd {shlex.quote(here)}; {text}"
    return list(command_evidence.writes([text]).paths)
