"""Registries asked for many images: one client for a run, and what comes is saved as it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from hardener.lock.oci.client import Client
from hardener.lock.oci.registry_error import RegistryError
from hardener.support import worker_threads

if TYPE_CHECKING:
    from hardener.authoring.config import Registry

_SAVE_SECONDS = 2.0
_Task = TypeVar("_Task")
_Found = TypeVar("_Found")
_Entry = TypeVar("_Entry")


@contextmanager
def client(user: Mapping[str, Registry], repository: Mapping[str, Registry]) -> Iterator[Client]:
    """A client for all that a run asks, with what the user and the repository say of registries. What ends the run ends
    its waits between attempts, too."""
    stop = threading.Event()

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise RegistryError("interrupted")

    made = Client(user, repository=repository, pause=pause)
    try:
        yield made
    finally:
        stop.set()
        made.close()


class Unsaved(Generic[_Entry]):
    """Entries by name that ``save`` puts into the lock: now and then, and whatever ends the ``with`` around it."""

    def __init__(self, save: Callable[[dict[str, _Entry]], object]) -> None:
        self.entries: dict[str, _Entry] = {}
        self._save = save
        self._saved = time.monotonic()

    def __enter__(self) -> Unsaved[_Entry]:
        return self

    def __exit__(self, *_: object) -> None:
        if self.entries:
            self._save(self.entries)

    def each(
        self, tasks: Iterable[_Task], ask: Callable[[_Task], _Found], threads: int
    ) -> Iterator[tuple[_Task, _Found | RegistryError]]:
        """Each task with what ``ask`` returns or the RegistryError that it raises, the first that is done first."""

        def asked(task: _Task) -> _Found | RegistryError:
            try:
                return ask(task)
            except RegistryError as failure:
                return failure

        for task, found in worker_threads.run(tasks, asked, threads, idle=self._now_and_then):
            yield task, found
            self._now_and_then()

    def _now_and_then(self) -> None:
        if self.entries and time.monotonic() - self._saved > _SAVE_SECONDS:
            self._save(self.entries)
            self.entries.clear()
            self._saved = time.monotonic()
