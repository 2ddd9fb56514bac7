"""The files in an archive of a chart, read one after another; nothing is unpacked here."""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from hardener.charts.helm import ChartError
from hardener.support.printable import plain

_PIECE = 1024 * 1024  # bytes


def members(path: str, shown: str, take: Callable[[int], object]) -> Iterator[tuple[str, IO[bytes]]]:
    """Each file in the ``.tgz`` at ``path``: its name below the folder that all lies in, and what to read it from,
    before the next one is asked for. ``take`` hears how many bytes come out of the archive, and may raise.

    Raises ChartError, which calls the chart ``shown``: no archive, one that is not whole, a name that leads out of it,
    a member that is no file.
    """
    name = os.path.basename(path)
    called = shown if name == os.path.basename(shown) else f"{shown}: {plain(name)}"
    if not os.path.isfile(path):
        raise ChartError(f"{called}: no such chart" if not os.path.exists(path) else f"{called} is no chart")
    try:
        with open(path, "rb") as handle:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise ChartError(f"{called} is no chart")
            source: IO[bytes] = _Inflated(handle, take)  # type: ignore[assignment]
            with tarfile.open(fileobj=source, mode="r|") as archive:
                for member in archive:
                    archive.members.clear()  # type: ignore[attr-defined]  # kept for a look back, which nobody takes
                    if member.isdir():
                        continue
                    below = _name(member, called)
                    content = archive.extractfile(member)
                    if below and content is not None:
                        yield below, content
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # what lies below does not answer; no error of gzip has a number
        raise ChartError(f"{called} is no chart: neither a folder nor a whole .tgz") from None


def _name(member: tarfile.TarInfo, called: str) -> str:
    """The name of a file below the folder that it lies in, as helm reads it; empty for one that lies in none."""
    given = member.name
    if not member.isreg():
        raise ChartError(f"{called}: {plain(given)} in it is neither a file nor a folder")
    top, *parts = given.replace("\\", "/").split("/")  # Windows writes the one, all others the other
    if top in ("", "..") or ".." in parts or re.search("[:\0]", given):
        raise ChartError(f"{called}: {plain(given)} in it leads out of the chart")
    return "/".join(part for part in parts if part not in ("", "."))


class _Inflated:
    """What comes out of a gzip stream, a piece at a time: however much tarfile asks for at once, ``take`` hears of it
    before it is all there."""

    def __init__(self, source: IO[bytes], take: Callable[[int], object]) -> None:
        self._stream = gzip.GzipFile(fileobj=source)
        self._take = take

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(min(size, _PIECE))
        self._take(len(chunk))
        return chunk
