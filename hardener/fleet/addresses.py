"""The list of a fleet: a repository a line, each a folder or an address that git may be given.

Source: git-clone, "Git URLs", of the forms of an address; gitremote-helpers, of ``ext::``, which runs any command.
"""

from __future__ import annotations

import os
import re
import sys
from urllib.parse import unquote

from msgspec import Struct

from hardener.errors import InputError
from hardener.sources.files import UnreadableError, read_bytes
from hardener.sources.git.checkout import without_credentials
from hardener.support.printable import plain

_LARGEST = 64 * 1024 * 1024  # bytes of a list
_COMMENT = re.compile(r"(?:^|\s)#.*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/]*)@)?(?P<host>[^/@:?#]*)")
_SHORT_SSH = re.compile(r"(?:(?P<user>[^/]*)@)?(?P<host>[^/:@]+):")  # no slash stands before the colon
_PASSWORD_FIRST = re.compile(r"[^/@:]+:[^/@]*@")
_REMOTE = ("https", "ssh")


class Repository(Struct, frozen=True):
    """A line of the list: ``source`` is what git gets, or an absolute path; ``address`` is what is kept and shown."""

    source: str
    address: str

    @property
    def is_path(self) -> bool:
        """Whether it is on a disk, and no connection is opened for it."""
        return os.path.isabs(self.source)


def read(name: str) -> list[Repository]:
    """The repositories of the list ``name`` ("-": standard input), each once, in order. Raises InputError for a file
    that cannot be read, for a line that is no path or address that may be given to git, and for an empty list."""
    found: dict[str, Repository] = {}
    for number, line in enumerate(_text(name).splitlines(), 1):
        if text := _COMMENT.sub("", line).strip():
            try:
                repository = parsed(text)
            except InputError as error:
                raise InputError(f"{_shown(name)}: line {number}: {error}") from None
            found.setdefault(repository.address, repository)
    if not found:
        raise InputError(f"{_shown(name)}: names no repository; write a path or an address a line")
    return list(found.values())


def _shown(name: str) -> str:
    return "standard input" if name == "-" else plain(name)


def _text(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_LARGEST) if name == "-" else read_bytes(name, _LARGEST)[0]
        return raw.decode("utf-8-sig")
    except UnreadableError as error:
        raise InputError(f"{plain(name)}: {error.message}") from None
    except UnicodeDecodeError:
        raise InputError(f"{_shown(name)}: is not UTF-8") from None


def parsed(text: str) -> Repository:
    """The repository that ``text`` names. Raises InputError, whose message shows nothing of an address that may hold a
    password."""
    if _CONTROL.search(text):
        raise InputError(_ODD)
    if text.startswith("-"):
        raise InputError("begins with -, which git would take for an option; write ./ before the name of a folder")
    if _HELPER.match(text):
        raise InputError("git would run a program for an address with ::; write one with https:// or ssh://")
    if url := _URL.match(text):
        return _of_url(text, url)
    if _PASSWORD_FIRST.match(text):
        raise InputError(_NO_PASSWORD)
    if short := _SHORT_SSH.match(text):
        _check_host(short["host"])
        return Repository(text, _kept(text))
    return _of_path(text)


_ODD = "holds a character that no address has"
_NO_PASSWORD = "an address with a password; take it out, and let a credential helper of git keep it"


def _of_url(text: str, url: re.Match[str]) -> Repository:
    scheme = url["scheme"].lower()
    if scheme == "file":
        if url["host"] not in ("", "localhost"):
            raise InputError("an address with file:// names no host")
        return _of_path(_decoded(text[url.end() :]))
    if ":" in (url["user"] or ""):
        raise InputError(_NO_PASSWORD)
    if scheme not in _REMOTE:
        raise InputError(f"{plain(scheme)}:// is not taken; write an address with https:// or ssh://, or a path")
    _check_host(url["host"])
    kept = _kept(text)
    # The user of an https address may be a token; that of ssh says which account answers.
    return Repository(text if scheme == "ssh" else kept, kept)


def _decoded(path: str) -> str:
    """The path of an address with file://, as git reads it."""
    found = unquote(path, errors="surrogateescape")
    if _CONTROL.search(found):
        raise InputError(_ODD)
    return found


def _check_host(host: str) -> None:
    if not host or host.startswith("-"):
        raise InputError("an address without the name of a host")


def _kept(text: str) -> str:
    found = without_credentials(text)
    if found is None:
        raise InputError("is no address that git knows")
    return found


def _of_path(text: str) -> Repository:
    if not text:
        raise InputError("an address without a path")
    path = os.path.abspath(os.path.expanduser(text))
    return Repository(path, path)
