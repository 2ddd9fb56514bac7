"""Files written, all of them or none, whatever ends the run.

First every new text is written to the folder of the run (``run_folder``), then all take their places; what fails even
then takes the others back. Signals wait for that. What a run that is killed did is taken back by the next one.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import attributes as file_attributes
from hardener.sources.files import run_folder
from hardener.sources.files.run_folder import Entry, Journal, mark

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


class NotPlacedError(OSError):
    """A text that could not take its place. ``path`` says whose; ``still`` are the files that could not be taken back
    either, which the next run tries again."""

    def __init__(self, error: OSError, path: str, still: frozenset[str]) -> None:
        super().__init__(error.errno, error.strerror)
        self.path, self.still = path, still


class Transaction:
    """Files that are written together: ``with Transaction() as run``, then ``replace``, ``create`` and ``remove`` each,
    then ``place``. Whatever was not placed at the end of the ``with`` leaves nothing behind.

    ``top`` is where, outside of a repository, the folder of the run is made for what lies in it.
    """

    def __init__(self, top: str | None = None) -> None:
        self._top = top
        self._run = os.urandom(8).hex()
        self._journals: dict[str, Journal] = {}
        self._number = 0
        self._folders: set[str] = set()
        self._open = ExitStack()
        self._came: list[int] = []
        self._stuck = False

    def __enter__(self) -> Transaction:
        self._came = self._open.enter_context(_delayed_signals())
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if not self._stuck:
                for top in self._journals:
                    run_folder.clear(top)
        finally:
            self._open.close()

    def replace(self, path: str, text: str, content: files.Content) -> None:
        """``text`` for what is at the real ``path``, and was read as ``content``. Raises OSError where it cannot be
        written, and where the file changed since."""
        status = os.lstat(path)
        if mark(status) != (content.size, content.mtime_ns):
            raise OSError(errno.EBUSY, "the file changed while harden was running; run it again")
        self._stage(path, content.encoded(text), status)

    def put(self, path: str, raw: bytes, mode: int = 0o666) -> None:
        """``raw`` for what is at ``path`` now, or for a new file there. Raises OSError."""
        if os.path.lexists(path):
            self._stage(path, raw, os.lstat(path))
        else:
            self.create(path, raw, mode=mode)

    def create(self, path: str, text: str | bytes, *, private: bool = False, mode: int = 0o666) -> None:
        """A new file, and the folders above it; a ``private`` one is for nobody else, takes its place first, is on the
        disk before any other does, and stays where not all else can be taken back. Raises OSError, FileExistsError
        where there is one."""
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "File exists", path)
        self._stage(path, text.encode() if isinstance(text, str) else text, None, private=private, mode=mode)

    def remove(self, path: str) -> None:
        """The file at ``path`` goes. Raises OSError."""
        status = os.lstat(path)
        journal = self._journal(path)
        entry = Entry(path, self._number, None, mark(status))
        self._number += 1
        _keep_old(path, journal.staged(entry, "old"), status)
        journal.entries.append(entry)

    def place(self) -> None:
        """Put every text in its place. Raises NotPlacedError; then each file is as it was, but for those it names."""
        journals = list(self._journals.values())
        if not journals:
            return
        entries = sorted(
            ((journal, entry) for journal in journals for entry in journal.entries), key=lambda pair: not pair[1].kept
        )
        path = entries[0][1].path if entries else journals[0].top
        try:
            journals[0].others = [journal.top for journal in journals[1:]]
            for journal in reversed(journals):
                journal.first = journals[0].top
                journal.write()
            for number, (journal, entry) in enumerate(entries, 1):
                self._go_on()
                path = entry.path
                _put_in_place(journal, entry)
                if entry.kept and (number == len(entries) or not entries[number][1].kept):
                    run_folder.sync(os.path.dirname(path))
            self._go_on()
            journals[0].close()
        except BaseException as error:
            still = self._taken_back(journals)
            if isinstance(error, OSError):
                raise NotPlacedError(error, path, still) from None
            raise

    def _taken_back(self, journals: list[Journal]) -> frozenset[str]:
        try:
            run_folder.take_back(journals)
        except OSError:
            self._stuck = True  # the journal stays, for the next run
            written = ((entry.path, entry.new) for journal in journals for entry in journal.entries)
            return frozenset(path for path, new in written if new is not None and _is(path, new))
        for journal in journals:
            journal.close()
        return frozenset()

    def _go_on(self) -> None:
        if self._came:
            raise KeyboardInterrupt

    def _stage(
        self, path: str, raw: bytes, status: os.stat_result | None, *, private: bool = False, mode: int = 0o666
    ) -> None:
        self._go_on()
        if status is not None:
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            file_attributes.check_names(status)
            if not os.access(path, os.W_OK) or not os.access(os.path.dirname(path), os.W_OK):
                raise PermissionError(errno.EACCES, "Permission denied")
        journal = self._journal(path)
        entry = Entry(path, self._number, None, None if status is None else mark(status), private)
        self._number += 1
        missing = list(_missing(os.path.dirname(path)))
        new = journal.staged(entry, "new")
        # The system takes the umask off a new one. What is to replace a file is closed to others until it has its mode.
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode if status is None else 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            if status is not None:
                file_attributes.take_over(stream.fileno(), path, status)
            elif private:
                os.fchmod(stream.fileno(), mode)
            else:
                file_attributes.inherit(stream.fileno(), os.path.dirname((missing or [path])[-1]))
            os.fsync(stream.fileno())
        entry.new = mark(os.lstat(new))
        if entry.new == entry.old:  # by the time of the file alone it has to show which of them it is
            os.utime(new, ns=(entry.new[1] + 1, entry.new[1] + 1))
            entry.new = mark(os.lstat(new))
        if status is not None:
            _keep_old(path, journal.staged(entry, "old"), status)
        # The deepest first: in this order they can be removed.
        journal.folders[:0] = [folder for folder in missing if folder not in self._folders]
        self._folders.update(missing)
        journal.entries.append(entry)

    def _journal(self, path: str) -> Journal:
        """The journal for ``path``, begun with the first file of its place."""
        top = self._place_of(path)
        if top not in self._journals:
            self._open.enter_context(run_folder.alone(top, wait=not self._journals, go_on=self._go_on))
            try:
                said = run_folder.recover(top, self._go_on)
            except InputError as error:
                raise OSError(errno.EBUSY, str(error)) from None
            if said:
                raise OSError(errno.EBUSY, "a run was killed here, which is taken back now; run it again")
            try:
                run_folder.make(top)
            except PermissionError as error:
                raise OSError(error.errno, f"no folder can be made in {top}: {error.strerror}") from None
            self._journals[top] = Journal(top, self._run, top)
        return self._journals[top]

    def _place_of(self, path: str) -> str:
        """The folder in which the folder of the run for ``path`` is made, on the same file system."""
        standing = os.path.dirname(path)
        while not os.path.isdir(standing):
            standing = os.path.dirname(standing)
        top = files.git_root(standing)
        if top is None:
            top = self._top if self._top is not None and files.is_inside(path, self._top) else standing
        device = os.stat(standing).st_dev
        if os.stat(top).st_dev != device:
            top = standing
            while os.path.dirname(top) != top and os.stat(os.path.dirname(top)).st_dev == device:
                top = os.path.dirname(top)
        return top


def create(path: str, text: str | bytes) -> None:
    """Make the file ``path`` whole or not at all, and the folders above it. Raises OSError, FileExistsError when there
    is one already."""
    with Transaction() as run:
        run.create(_real(path), text)
        run.place()


def replace(path: str, text: str, content: files.Content) -> None:
    """Replace ``path`` by ``text``: at any moment the file is the old or the new one.

    Raises OSError when it cannot be written, and when the file changed since ``content`` was read.
    """
    with Transaction() as run:
        run.replace(_real(path), text, content)
        run.place()


def put(path: str, raw: bytes) -> None:
    """Make ``path`` hold ``raw``, whether it is there or not. Raises OSError."""
    with Transaction() as run:
        run.put(_real(path), raw)
        run.place()


def _real(path: str) -> str:
    """``path`` without links above its last part: what is no file itself is refused."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _put_in_place(journal: Journal, entry: Entry) -> None:
    if entry.old is not None and not _is(entry.path, entry.old):
        raise OSError(errno.EBUSY, "the file changed while harden was running; run it again")
    new = journal.staged(entry, "new")
    for folder in reversed(list(_missing(os.path.dirname(entry.path)))):
        os.mkdir(folder, 0o700 if entry.kept else 0o777)
    if entry.new is None:
        os.unlink(entry.path)
    elif entry.old is not None:
        os.replace(new, entry.path)
    else:
        try:
            os.link(new, entry.path)  # unlike rename it never replaces a file
            os.unlink(new)
        except OSError:  # a file system without hard links, or there is a file
            if os.path.lexists(entry.path):
                raise
            os.rename(new, entry.path)


def _is(path: str, wanted: run_folder.Mark) -> bool:
    try:
        return mark(os.lstat(path)) == wanted
    except OSError:
        return False


def _keep_old(path: str, place: str, status: os.stat_result) -> None:
    """Keep what is at ``path``, to bring it back: the file itself under another name, else a copy."""
    try:
        os.link(path, place)
        return
    except OSError:
        pass  # no hard links here, or not to a file of somebody else
    with open(path, "rb") as stream:
        raw = stream.read()
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(raw)
        stream.flush()
        file_attributes.take_over(stream.fileno(), path, status)
        os.fsync(stream.fileno())
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))


def _missing(folder: str) -> Iterator[str]:
    """``folder`` and those above it that are not there, the deepest first. Raises OSError where none can be made."""
    while not os.path.isdir(folder):
        if os.path.lexists(folder):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", folder)
        yield folder
        folder = os.path.dirname(folder)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied", folder)


@contextmanager
def _delayed_signals() -> Iterator[list[int]]:
    """Inside, the numbers of the signals that came and would end the run, the first one first; at the end that one is
    delivered as if it came then.

    A signal that is ignored stays so. In another thread than the main one nothing is delayed: Python delivers there
    none.
    """
    came: list[int] = []
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name, None) for name in _ENDING):
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, lambda number, frame: came.append(number))
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
