"""A repository checked out by the user's git into a cache: one commit, no history, nothing of the repository is run.

Git has the user's configuration, since that knows proxies, certificates and who may read what. What it would run or
obey for a repository is off: hooks, filters (so LFS, too), fsmonitor, submodules, templates, prompts, and every
protocol but the one of the address. Nothing is checked out before its size is known.

Source: git(1), of the variables; git-config(1); gitattributes(5): ``info/attributes`` counts before all others, and
``-filter`` turns off a filter whatever its name is; git-rev-parse, ``--local-env-vars``, of what names a repository.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress

from msgspec import Struct

from hardener.errors import HardenError, InputError
from hardener.fleet.addresses import Repository
from hardener.sources.git import checkout
from hardener.support import programs
from hardener.support.printable import plain_line

_SETTINGS = (
    f"core.hooksPath={os.devnull}", f"core.attributesFile={os.devnull}", "core.fsmonitor=false",
    "core.untrackedCache=false", "core.autocrlf=false", "core.sparseCheckout=false", "core.bigFileThreshold=16m",
    "submodule.recurse=false", "fetch.recurseSubmodules=false", "fetch.unpackLimit=1", "fetch.writeCommitGraph=false",
    "gc.auto=0", "maintenance.auto=false", "credential.interactive=false", "advice.detachedHead=false",
)  # fmt: skip
_OPTIONS = tuple(word for setting in _SETTINGS for word in ("-c", setting))
_SET = {
    "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1",
    "GCM_INTERACTIVE": "never", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C",
}  # fmt: skip
# What names a repository or says more than git does by itself; what says how to reach one stays.
_UNSET = frozenset(
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_OBJECT_DIRECTORY GIT_DIR GIT_WORK_TREE "
    "GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE GIT_PREFIX "
    "GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_INTERNAL_SUPER_PREFIX GIT_NAMESPACE GIT_TEMPLATE_DIR GIT_ATTR_SOURCE "
    "GIT_QUARANTINE_PATH GIT_EXTERNAL_DIFF SSH_ASKPASS".split()
)
_ATTRIBUTES = "* -filter -ident -text -eol -working-tree-encoding\n"
_REF = "refs/harden/head"
_WHOLE = "harden-whole"  # a file of the Git folder, there while all of its work tree is
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@=-]{0,249}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LISTING = 64 * 1024 * 1024  # bytes of a list of files
_SAID = 1024 * 1024  # bytes of any other answer
_LONGEST = 300  # characters of a reason
_PAUSE = 0.05  # seconds between two looks at a lock
_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]*@")  # a password may hold @
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "Out of diskspace")
_ROOM = 1024 * 1024  # bytes; git does not always say that a disk is full
_LEVEL = re.compile(r"(?:fatal|error|remote): *(?:error: *)?")


class Limits(Struct, frozen=True):
    """How long git and then the run may take, in seconds each; bytes of address space of the run; bytes of the
    repository, as it is sent and as it is written."""

    seconds: float
    memory: int
    size: int


class Checkout(Struct, frozen=True):
    """A repository in ``folder``, at ``commit``; None where it is a folder without Git."""

    folder: str
    commit: str | None


class CheckoutError(HardenError):
    """A repository cannot be had; the message says why."""


class CacheError(HardenError):
    """Nothing can be written to the cache, or its disk is full: no other repository can be had either."""


STARTED = programs.Started()
"""What git does now."""


def cache_folder() -> str:
    """The folder for checkouts where nobody names one. Source: the XDG Base Directory Specification."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # as the specification has it: a relative one is not heeded
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "harden", "fleet")


def check_revision(rev: str) -> None:
    """Raises InputError for a ``rev`` that is no name of a branch, tag or commit."""
    if not _REVISION.fullmatch(rev) or ".." in rev or "@{" in rev:
        raise InputError(f"--rev {plain_line(rev)}: write the name of a branch or tag, or a commit")


def size_shown(size: int) -> str:
    """``size`` in MiB, as ``--max-size`` takes it."""
    return f"{size / (1 << 20):g} MiB"


@contextmanager
def checked_out(
    repository: Repository, rev: str | None, cache: str, limits: Limits, known: Collection[str]
) -> Iterator[Checkout]:
    """``repository`` at the commit that ``rev`` names there (None: its HEAD), for nobody else meanwhile.

    Of a commit that is ``known`` nothing is fetched, and ``folder`` is "". Raises CheckoutError, and CacheError.
    """
    try:
        if repository.is_path and not _is_git(repository.source):
            yield _as_it_is(repository.source, rev)
            return
        until = time.monotonic() + limits.seconds
        entry = os.path.join(cache, entry_name(repository.address))
        _make_cache(cache)
        os.makedirs(entry, mode=0o700, exist_ok=True)
        with _locked(f"{entry}.lock", until):
            git = _Git(entry, repository, limits, until)
            if known and (found := git.commit_there(rev)) in known:
                yield Checkout("", found)
            else:
                yield Checkout(entry, _fetched_or_cleared(git, rev))
    except OSError as error:
        if error.errno in _FULL:
            raise CacheError(f"{cache}: {error.strerror}") from None
        raise CheckoutError(f"{error.filename or cache}: {error.strerror}") from None


@contextmanager
def at_commit(repository: Repository, commit: str | None, cache: str, limits: Limits) -> Iterator[Checkout]:
    """``repository`` at ``commit`` (None: a folder without Git), for nobody else meanwhile. Nothing is fetched where
    its checkout is there from a run before. Raises as ``checked_out``."""
    entry = os.path.join(cache, entry_name(repository.address))
    with ExitStack() as stack:
        if commit is not None and os.path.exists(os.path.join(entry, ".git", _WHOLE)):
            stack.enter_context(_locked(f"{entry}.lock", time.monotonic() + limits.seconds))
            if checkout.commit(entry) == commit and os.path.exists(os.path.join(entry, ".git", _WHOLE)):
                yield Checkout(entry, commit)
                return
            stack.close()
        yield stack.enter_context(checked_out(repository, commit, cache, limits, ()))


def _make_cache(folder: str) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise CacheError(f"{plain_line(folder)}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CacheError(f"{plain_line(folder)}: {os.strerror(errno.EACCES)}")


def _is_git(folder: str) -> bool:
    """Whether ``folder`` is the root of a work tree, or a bare repository."""
    bare = ("HEAD", "objects", "refs")
    is_bare = all(os.path.exists(os.path.join(folder, name)) for name in bare)
    return is_bare or os.path.exists(os.path.join(folder, ".git"))


def _as_it_is(folder: str, rev: str | None) -> Checkout:
    if not os.path.isdir(folder):
        raise CheckoutError("there is no such folder")
    if rev is not None:
        raise CheckoutError("is no repository of Git, so it has no revisions")
    return Checkout(folder, None)


def entry_name(address: str) -> str:
    """Return a name for a folder of the repository ``address``: what it is called, and a hash."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", address.rstrip("/").rpartition("/")[2])[:60].strip(".-")
    digest = hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return f"{name or 'repository'}-{digest}"


@contextmanager
def _locked(path: str, until: float) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise CheckoutError("another run has it checked out; run it again later") from None
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _fetched_or_cleared(git: _Git, rev: str | None) -> str:
    """As ``_fetched``; of what cannot be had nothing stays."""
    try:
        return _fetched(git, rev)
    except BaseException:
        shutil.rmtree(git.folder, ignore_errors=True)
        raise


def _fetched(git: _Git, rev: str | None) -> str:
    """Check out what ``rev`` is now; the folder is made anew where a killed run has left it half written."""
    inside = os.path.join(git.folder, ".git")
    whole = os.path.join(inside, _WHOLE)
    if not os.path.exists(whole):
        shutil.rmtree(git.folder, ignore_errors=True)
        os.makedirs(git.folder, 0o700, exist_ok=True)
        git("init", "--quiet", "--template=")
        os.makedirs(os.path.join(inside, "info"), exist_ok=True)
        _write(os.path.join(inside, "info", "attributes"), _ATTRIBUTES)
    else:
        os.unlink(whole)
    git.fetch(rev)
    commit = git("rev-parse", "--verify", "--quiet", f"{_REF}^{{commit}}").decode().strip()
    git.check_size()
    git("checkout", "--quiet", "--force", "--detach", commit)
    git("clean", "-ffdxq")
    _write(whole, "")
    return commit


def _has_no_room(folder: str) -> bool:
    """Whether the disk of ``folder`` is full, where the platform tells."""
    try:
        return shutil.disk_usage(folder).free < _ROOM
    except OSError:
        return False


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text)


class _Git:
    """The program, for one repository whose checkout is in ``folder``; it has until ``until``."""

    def __init__(self, folder: str, repository: Repository, limits: Limits, until: float) -> None:
        self.folder, self._repository, self._limits, self._until = folder, repository, limits, until
        # Git takes %20 in an address for a space, and in a path for itself.
        self._url = f"file://{repository.source.replace('%', '%25')}" if repository.is_path else repository.source
        self._environment = {name: value for name, value in os.environ.items() if name not in _UNSET} | _SET | {
            "GIT_DIR": os.path.join(folder, ".git"), "GIT_WORK_TREE": folder,  # so none around it is looked for
            "GIT_ALLOW_PROTOCOL": "file" if repository.is_path else "https:ssh",
        }  # fmt: skip

    def __call__(self, *arguments: str, output: int = _SAID) -> bytes:
        """What ``git ARGUMENTS`` prints. Raises CheckoutError where it fails, or does not end in time."""
        done = programs.bounded(
            "git", [*_OPTIONS, *arguments], seconds=max(0.1, self._until - time.monotonic()), output=output,
            memory=None, folder=self.folder, environment=self._environment, file_size=self._limits.size,
            among=STARTED,
        )  # fmt: skip
        if done.end is programs.End.TIME:
            raise CheckoutError(f"no answer in {self._limits.seconds:g} seconds (--timeout)")
        if done.end is programs.End.OUTPUT:
            raise CheckoutError("has too many files")
        if done.returncode:
            raise self._failure(done.error.decode("utf-8", "replace"))
        return done.output

    def fetch(self, rev: str | None) -> None:
        """Fetch the commit of ``rev``, and nothing of its history."""
        self(
            "fetch", "--quiet", "--force", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
            "--", self._url, f"{rev or 'HEAD'}:{_REF}",
        )  # fmt: skip

    def commit_there(self, rev: str | None) -> str | None:
        """The commit that ``rev`` names where the repository is; None where only a fetch can tell."""
        if rev is not None and _COMMIT.fullmatch(rev):
            return rev
        # The order of git-rev-parse; of a tag with a message what it names.
        names = ["HEAD"] if rev is None else [rev, f"refs/tags/{rev}^{{}}", f"refs/tags/{rev}", f"refs/heads/{rev}"]
        listed = self("ls-remote", "--quiet", "--", self._url, *names, output=_LISTING).decode("utf-8", "replace")
        found = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
        return next((found[name] for name in names if name in found), None)

    def check_size(self) -> None:
        """Raises CheckoutError where the files of the commit are larger than they may be."""
        size = 0
        for record in self("ls-tree", "-r", "-l", "-z", _REF, output=_LISTING).split(b"\0"):
            length = record.partition(b"\t")[0].rpartition(b" ")[2]
            size += int(length) if length.isdigit() else 0  # that of a submodule is -
        if size > self._limits.size:
            raise self._too_large()

    def _is_at_its_limit(self) -> bool:
        """Whether a pack is as large as a file may be: git does not say that it was ended for it."""
        packs = os.path.join(self.folder, ".git", "objects", "pack")
        with suppress(OSError), os.scandir(packs) as files:
            return any(file.stat().st_size >= self._limits.size for file in files)
        return False

    def _too_large(self) -> CheckoutError:
        return CheckoutError(f"is larger than {size_shown(self._limits.size)} (--max-size)")

    def _failure(self, said: str) -> HardenError:
        """The one line of what git said that tells why, without credentials that the user's configuration put in."""
        cache = os.path.dirname(self.folder)
        if any(words in said for words in _NO_ROOM) or _has_no_room(cache):
            return CacheError(f"{cache}: {os.strerror(errno.ENOSPC)}")
        if self._is_at_its_limit():
            return self._too_large()
        if "couldn't find remote ref HEAD" in said:
            return CheckoutError("has no commit")
        lines = [line.strip() for line in said.splitlines()]
        told = next((line for line in lines if line.startswith("fatal:")), next(filter(None, lines), "git failed"))
        clean = _CREDENTIALS.sub("", told.replace(self._repository.source, self._repository.address))
        return CheckoutError(plain_line(_LEVEL.sub("", clean))[:_LONGEST])
