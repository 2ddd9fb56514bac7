"""The folder ``.harden-run``, in which a run keeps what it is about to do to files, so that the next run can take back
what a dead one did.

There is one in the root of the repository, outside of one in the folder that the run is about. ``0.new`` is a text that
waits, ``0.old`` what it replaces: another name of that file where the file system has hard links, so that it comes back
as it was. ``journal`` is written in one step when all texts wait, and goes in one step when all have taken their
places. So without a journal nothing was touched, and what a journal lists is taken back. Git sees none of it: the
folder holds a ``.gitignore`` of its own.

A run holds a lock on the folder above for as long as its own is there. So one that is found under that lock is of a
dead run; where there is no such lock (Windows, some network file systems), it is taken for one.

A tree may be anybody's. So a journal is followed only inside the folder that it lies in, never through links and never
into ``.git``, and not at all where another user owns it or Git tracks it.

A run that writes in two places, such as a repository and a folder for hosts, has such a folder in each. The first one
decides: the others name it, and when its journal is gone, the run was finished.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct, field

from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import attributes as file_attributes
from hardener.sources.git import index as git_index
from hardener.support import waiting

NAME = files.RUN_FOLDER
_JOURNAL = "journal"
_FORM = b"harden 1"
_PAUSE = 0.05  # seconds between two looks whether another run has ended
_turn = threading.RLock()
_held: dict[str, int] = {}  # the locks of this process, and how often they were taken

Mark = tuple[int, int]  # of a file: its size and time, by which a change by somebody else shows


def mark(status: os.stat_result) -> Mark:
    """What tells whether a file is still the one whose status is ``status``."""
    return (status.st_size, status.st_mtime_ns)


class Entry(Struct):
    """A file at ``path`` that becomes what waits as ``number``: ``new`` is its mark, None where the file goes; ``old``
    that of what is there, None where there is none. ``kept`` is one that holds what must not be lost: it stays where
    not all else can be taken back.
    """

    path: str
    number: int
    new: Mark | None
    old: Mark | None
    kept: bool = False


class Journal(Struct):
    """What the run ``run`` does in the folder ``top``: its entries, and the ``folders`` that it makes.

    ``first`` is the folder whose journal decides, ``others`` are those besides it.
    """

    top: str
    run: str
    first: str
    others: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    @property
    def folder(self) -> str:
        return os.path.join(self.top, NAME)

    def staged(self, entry: Entry, end: str) -> str:
        """Where the text that waits (``new``) or the one before (``old``) lies."""
        return os.path.join(self.folder, f"{entry.number}.{end}")

    def write(self) -> None:
        """Put the journal on the disk, in one step. Raises OSError."""
        records = [("run", self.run, ""), ("first", self.first, ""), *(("other", other, "") for other in self.others)]
        records += [("folder", os.path.relpath(path, self.top), "") for path in self.folders]
        for entry in self.entries:
            numbers = [entry.number, *(entry.new or (-1, -1)), *(entry.old or (-1, -1)), int(entry.kept)]
            records.append(("file", os.path.relpath(entry.path, self.top), " ".join(map(str, numbers))))
        fields = [_FORM, *(os.fsencode(part) for record in records for part in record)]
        waiting = os.path.join(self.folder, f"{_JOURNAL}.new")
        with open(waiting, "wb") as stream:
            stream.write(b"\0".join(fields))
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(waiting, os.path.join(self.folder, _JOURNAL))
        sync(self.folder)

    def close(self) -> None:
        """Take the journal away: what it lists is done, or taken back. Raises OSError."""
        path = os.path.join(self.folder, _JOURNAL)
        if os.path.lexists(path):
            os.unlink(path)


def make(top: str) -> None:
    """Make the folder of a run in ``top``. Raises OSError."""
    folder = os.path.join(top, NAME)
    os.mkdir(folder, 0o700)
    try:
        file_attributes.hand_nothing_on(folder)
        with open(os.path.join(folder, ".gitignore"), "xb") as stream:
            stream.write(b"*\n")
    except BaseException:
        clear(top)
        raise


def clear(top: str) -> None:
    """Remove the folder of a run in ``top``, its journal first; what cannot be removed stays for the next run."""
    folder = os.path.join(top, NAME)
    try:
        names = sorted(os.listdir(folder), key=lambda name: (name != _JOURNAL, name == ".gitignore"))
        for name in names:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        return


def sync(folder: str) -> None:
    """The names in ``folder`` on the disk, as far as its file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


@contextmanager
def alone(top: str, *, wait: bool = True, go_on: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Inside, no other run writes in ``top``. Raises OSError where that has to be waited for and ``wait`` is off.

    ``go_on`` is asked again and again while another run is waited for, and what it raises ends that. That it waits is
    told by ``hardener.support.waiting``.
    """
    with _turn:
        handle = None if top in _held else _lock(top, wait, go_on)
        _held[top] = _held.get(top, 0) + 1
        try:
            yield
        finally:
            _held[top] -= 1
            if not _held[top]:
                del _held[top]
            if handle is not None:
                os.close(handle)


def _lock(top: str, wait: bool, go_on: Callable[[], object]) -> int | None:
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    handle = os.open(top, os.O_RDONLY)
    said = False
    try:
        while True:
            try:
                # Never one call that waits: a signal that is noted for later would not end it.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle
            except BlockingIOError:
                if not wait:
                    raise OSError(errno.EAGAIN, "another run of harden writes there; run it again") from None
            except OSError:
                return handle  # a file system without locks
            if not said:
                waiting.say("waiting for another run")
                said = True
            go_on()
            time.sleep(_PAUSE)
    except BaseException:
        os.close(handle)
        raise


# A dead run taken back.


def recover_around(paths: list[str], targets: list[str] | None = None) -> list[str]:
    """Take back what dead runs did to the real ``paths`` and around them: above each, and outside of a repository below
    it, too. ``targets`` are what is only written, there or not: nothing below is looked at. Returns what there is to
    say, in lines. Raises InputError."""
    return [line for top in _around(paths, targets or []) for line in recover(top)]


def half_written(paths: list[str]) -> list[str]:
    """What there is to say, in lines, to a command that only reads the real ``paths``: where a dead run wrote some of
    its files, and nobody has taken them back yet. A run that writes now is waited for."""
    found = []
    for top in _around(paths, []):
        try:
            with alone(top):
                journal = _read(top)
        except (OSError, InputError):  # who writes there hears of it
            continue
        if journal is not None:
            found.append(
                f"{_shown(top)}: a run was killed here while it wrote, so some files are as it made them and others are"
                " not; harden apply takes all of them back first"
            )
    return found


@contextmanager
def turn(paths: list[str]) -> Iterator[None]:
    """Inside, no other run that takes its turn too reads or writes the repositories of the real ``paths``; outside of a
    repository, the folders that are named. One that has begun is waited for."""
    tops = {files.git_root(path) or (path if os.path.isdir(path) else os.path.dirname(path)) for path in paths}
    with ExitStack() as stack:
        for top in sorted(tops):  # in one order, so that no two wait for each other
            try:
                stack.enter_context(alone(top))
            except OSError:
                continue  # it cannot be opened: so nothing is written there, and that is said then
        yield


def _around(paths: list[str], targets: list[str]) -> dict[str, None]:
    """The folders in which a run may have left its own, above and below ``paths``, and above ``targets``."""
    tops: dict[str, None] = {}
    for path in dict.fromkeys([*paths, *targets]):
        root = files.git_root(path)
        folder = path
        while True:
            if _may_be_ours(folder) if root is None and folder != path else os.path.lexists(os.path.join(folder, NAME)):
                tops[folder] = None
            if folder in (root, os.path.dirname(folder)):
                break
            folder = os.path.dirname(folder)
        if root is None and path in paths and os.path.isdir(path):
            tops |= dict.fromkeys(_below(path))
    return tops


def _may_be_ours(top: str) -> bool:
    """Whether a run of this user may have made the folder in ``top``. Above a path and outside of a repository it may
    be anybody's, as in /tmp, and is in nobody's way."""
    try:
        status = os.lstat(os.path.join(top, NAME))
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and not _is_of_another(status)


def _is_of_another(status: os.stat_result) -> bool:
    return hasattr(os, "geteuid") and status.st_uid != os.geteuid()


def _below(folder: str) -> Iterator[str]:
    for above, folders, _ in os.walk(folder):
        if NAME in folders:
            yield above
        folders[:] = [name for name in folders if name not in (".git", NAME)]


def recover(top: str, go_on: Callable[[], object] = lambda: None) -> list[str]:
    """Take back what a dead run did in ``top``, and in the other places that it wrote to. Returns what there is to
    say, in lines; ``go_on`` as for ``alone``. Raises InputError where that cannot be done."""
    if not os.path.lexists(os.path.join(top, NAME)):
        return []
    try:
        with alone(top, go_on=go_on):
            journal = _read(top)
            if journal is None:
                clear(top)
                return []
            if journal.first == top:
                return _taken_back(journal)
    except OSError as error:
        raise InputError(f"{_shown(top)}: what a killed run left cannot be taken back: {error.strerror}") from None
    lines: list[str] = []
    first = _read(journal.first) if os.path.isdir(journal.first) else None
    if first is not None and (first.run, first.first) == (journal.run, journal.first):
        lines = recover(journal.first, go_on)
    with alone(top, go_on=go_on):
        if _read(top) is not None:  # the one that decides is gone, or never was: that run was finished
            clear(top)
    return lines


def _taken_back(first: Journal) -> list[str]:
    journals = [first]
    for other in first.others:
        journal = _read(other) if os.path.isdir(other) else None
        if journal is not None and (journal.run, journal.first) == (first.run, first.top):
            journals.append(journal)
    left = take_back(journals)
    touched = sum(len(journal.entries) for journal in journals)
    for journal in journals:
        journal.close()
        clear(journal.top)
    if not touched:
        return []
    lines = [f"{_shown(first.top)}: a run was killed here, and what it had written is taken back"]
    return lines + [f"{os.path.relpath(path)}: {why}" for path, why in left.items()]


def take_back(journals: list[Journal]) -> dict[str, str]:
    """Bring back what was there before the run of ``journals``. Returns the files that are left, each with the reason:
    they were changed since. Raises OSError for the first that cannot be brought back, when all others were."""
    left: dict[str, str] = {}
    failed: OSError | None = None
    pairs = [(journal, entry) for journal in reversed(journals) for entry in reversed(journal.entries)]
    for journal, entry in sorted(pairs, key=lambda pair: pair[1].kept):
        if entry.kept and (left or failed) and os.path.lexists(entry.path):
            left[entry.path] = "it stays, since not all that was taken out of the manifests is back in them"
            continue
        try:
            if not _undone(journal, entry):
                left[entry.path] = "it was changed since, and stays as it is"
        except OSError as error:
            failed = failed or OSError(error.errno, error.strerror, entry.path)
    for journal in journals:
        for folder in journal.folders:
            try:
                os.rmdir(folder)
            except OSError:
                pass  # somebody else uses it, or it was never made
    if failed is not None:
        raise failed
    return left


def _undone(journal: Journal, entry: Entry) -> bool:
    """Undo ``entry``; False where somebody changed the file since."""
    now = _mark_of(entry.path)
    old = journal.staged(entry, "old")
    if now == entry.old:
        return True  # it was not yet its turn, or it is back already
    if now != entry.new:
        return False
    if entry.old is None:
        os.unlink(entry.path)
    else:
        os.replace(old, entry.path)
    return True


def _mark_of(path: str) -> Mark | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return mark(status) if stat.S_ISREG(status.st_mode) else (-1, -1)


def _read(top: str) -> Journal | None:
    """The journal in ``top``, None where there is none. Raises InputError for one that no run of this user wrote."""
    folder = os.path.join(top, NAME)
    name = _shown(top)
    try:
        status = os.lstat(folder)
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        raise InputError(f"{name}: is no folder, and harden needs that name; remove it")
    if _is_of_another(status):
        raise InputError(f"{name}: a run of another user was killed here; harden has to be run as that user")
    if _is_tracked(top):
        raise InputError(f"{name}: Git tracks it, so no run of harden made it; remove it")
    path = os.path.join(folder, _JOURNAL)
    if not os.path.lexists(path):
        return None
    try:
        raw, _ = files.read_bytes(path)
        return _parsed(top, raw)
    except (ValueError, files.UnreadableError):
        raise InputError(f"{name}: its journal is none that harden wrote; look at it, and remove it") from None


def _parsed(top: str, raw: bytes) -> Journal:
    """Raises ValueError for what no run wrote, and for a path that leads elsewhere."""
    form, *fields = raw.split(b"\0")
    if form != _FORM or len(fields) % 3:
        raise ValueError
    journal = Journal(top, "", "")
    for at in range(0, len(fields), 3):
        kind, name, numbers = map(os.fsdecode, fields[at : at + 3])
        if kind == "run":
            journal.run = name
        elif kind == "first":
            journal.first = name
        elif kind == "other":
            journal.others.append(name)
        elif kind == "folder":
            journal.folders.append(_inside(top, name))
        elif kind == "file":
            number, size, time, old_size, old_time, kept = map(int, numbers.split(" "))
            new = (size, time) if size >= 0 else None
            old = (old_size, old_time) if old_size >= 0 else None
            journal.entries.append(Entry(_inside(top, name), number, new, old, bool(kept)))
        else:
            raise ValueError
    if not journal.run or not os.path.isabs(journal.first):
        raise ValueError
    return journal


def _inside(top: str, name: str) -> str:
    """The path of ``name`` below ``top``. Raises ValueError where it leads out, through a link, or into ``.git``."""
    path = os.path.join(top, name)
    parts = name.split(os.sep)
    if os.path.isabs(name) or not {"", os.curdir, os.pardir, NAME, ".git"}.isdisjoint(part.lower() for part in parts):
        raise ValueError
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
        raise ValueError
    return path


def _is_tracked(top: str) -> bool:
    root = files.git_root(top)
    if root is None:
        return False
    try:
        index = git_index.read(root)
    except git_index.UnreadableIndexError:
        return False
    name = os.fsencode(os.path.relpath(os.path.join(top, NAME), root).replace(os.sep, "/"))
    return index.holds(name) or index.holds_below(name)


def _shown(top: str) -> str:
    return os.path.normpath(os.path.join(os.path.relpath(top), NAME))
