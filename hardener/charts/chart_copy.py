"""A chart in a folder of ours: what helm is to render, and nothing that lies elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any

from hardener.charts.helm import SCRATCH, ChartError, Helm
from hardener.sources.yaml import TextError, parse
from hardener.support.fast_dataclass import dataclass
from hardener.support.printable import plain

BYTES = 64 * 1024 * 1024  # of all files of a chart together
FILES = 20_000
_LARGEST_METADATA = 1024 * 1024  # bytes of a Chart.yaml
_CHUNK = 64 * 1024
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copied chart: the ``folder`` it lies in, its ``name``, and the names of the dependencies that were taken out of
    it, since they are not there and nothing asks for them (``dropped``)."""

    folder: str
    name: str
    is_library: bool
    dropped: tuple[str, ...] = ()


class Copied:
    """``with Copied(chart) as copy``: a copy of the chart that is a folder or an archive (``.tgz``).

    Archives among its ``charts/`` are unpacked. A dependency that is missing there is copied where its ``repository``
    names a folder of the tree (``file://``), as ``helm dependency build`` does. Any other one is left out where its
    condition or tags turn it off under ``values`` and ``sets``, which the helm says; without ``helm`` it stays
    missing. ``tree`` is the folder that such a dependency may lie in; None: the repository around the chart, else the
    folder that it lies in.

    Raises ChartError: no chart, a link that leads out of it, a device, more than 64 MiB or 20,000 files, an archive
    that would write elsewhere, a missing dependency that is on.
    """

    def __init__(
        self, chart: str, *, helm: Helm | None = None, values: Sequence[str] = (), sets: Sequence[str] = (),
        tree: str | None = None,
    ) -> None:  # fmt: skip
        self._chart, self._helm, self._values, self._sets, self._tree = chart, helm, values, sets, tree
        self._scratch = ""

    def __enter__(self) -> Copy:
        self._scratch = tempfile.mkdtemp(prefix=SCRATCH)
        try:
            return self._made()
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _made(self) -> Copy:
        shown = plain(self._chart)
        base = re.sub(r"\.(?:tgz|tar\.gz)$", "", os.path.basename(os.path.abspath(self._chart)))
        folder = os.path.join(self._scratch, base if _SAFE_NAME.fullmatch(base) else "chart")
        copying = _Copying(shown)
        try:
            if os.path.isdir(self._chart):
                copying.folder(os.path.realpath(self._chart), folder)
            else:
                copying.archive(self._chart, folder)
            copying.unpack_below(folder)
        except OSError as error:
            raise ChartError(f"chart {shown} cannot be read: {error.strerror or 'its paths are too long'}") from None
        metadata = read_metadata(folder, shown)
        name = metadata.get("name")
        return Copy(folder, name if isinstance(name, str) else base, metadata.get("type") == "library")


def read_metadata(folder: str, shown: str) -> dict[str, Any]:
    """What the Chart.yaml in ``folder`` says. Raises ChartError, which calls the chart ``shown``."""
    path = os.path.join(folder, "Chart.yaml")
    try:
        with open(path, "rb") as handle:
            raw = handle.read(_LARGEST_METADATA + 1)
    except OSError:
        raise ChartError(f"{shown} is no chart: it has no Chart.yaml") from None
    try:
        documents = parse(raw.decode("utf-8-sig")).documents if len(raw) <= _LARGEST_METADATA else []
    except (TextError, UnicodeDecodeError) as error:
        reason = error.reason if isinstance(error, TextError) else "it is no UTF-8"
        raise ChartError(f"Chart.yaml of {shown} cannot be read: {reason}") from None
    first = documents[0] if documents else None
    if not isinstance(first, dict):
        raise ChartError(f"Chart.yaml of {shown} says nothing about a chart")
    return first


class _Copying:
    """What one copy may still take. Errors call the chart ``shown``."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._bytes, self._files = BYTES, FILES

    def folder(self, source: str, target: str) -> None:
        """Copy the folder ``source``, a real path."""
        self._copy(source, target, source, (source,))

    def _copy(self, folder: str, target: str, top: str, above: tuple[str, ...]) -> None:
        os.mkdir(target)
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                self._count()
                path, copy = entry.path, os.path.join(target, entry.name)
                if entry.is_symlink():
                    path = os.path.realpath(path)
                    if not os.path.exists(path):
                        raise self._refused(entry.path, top, "is a link to nothing")
                    if not _is_in(path, top):
                        raise self._refused(entry.path, top, "is a link that leads out of the chart")
                mode = os.lstat(path).st_mode
                if stat.S_ISDIR(mode):
                    real = os.path.realpath(path)
                    if real in above:
                        raise self._refused(entry.path, top, "is a link to a folder that it lies in")
                    self._copy(path, copy, top, (*above, real))
                elif stat.S_ISREG(mode):
                    with open(path, "rb") as handle:
                        self._write(handle, copy)
                else:
                    raise self._refused(entry.path, top, "is neither a file nor a folder")

    def archive(self, source: str, target: str) -> None:
        """Unpack the archive ``source``: what lies in the one folder of it comes to lie in ``target``."""
        try:
            with open(source, "rb") as handle:
                if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                    raise ChartError(f"{self._shown} is neither a folder nor an archive")
                with tarfile.open(fileobj=_Inflated(handle, self._too_large), mode="r|") as members:  # type: ignore[call-overload]
                    for member in members:
                        self._member(members, member, target)
        except FileNotFoundError:
            raise ChartError(f"{self._shown} is not there") from None
        except (tarfile.TarError, zlib.error, EOFError, ValueError):
            raise ChartError(f"{self._shown} is no chart: neither a folder nor a whole .tgz") from None

    def _member(self, members: tarfile.TarFile, member: tarfile.TarInfo, target: str) -> None:
        if member.isdir():
            return
        self._count()
        name = plain(member.name)
        if not member.isreg():
            raise ChartError(f"chart {self._shown}: {name} in the archive is neither a file nor a folder")
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if member.name.startswith("/") or ".." in parts or re.search(r"[\\:\0]", member.name):
            raise ChartError(f"chart {self._shown}: {name} in the archive leads out of it")
        if len(parts) < 2:
            return  # beside the folder of the chart
        path = os.path.join(target, *parts[1:])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        content = members.extractfile(member)
        assert content is not None
        self._write(content, path)

    def unpack_below(self, folder: str) -> None:
        """Unpack the archives in ``charts/`` of the copied chart in ``folder``, and of its charts in turn."""
        below = os.path.join(folder, "charts")
        for name in sorted(os.listdir(below)) if os.path.isdir(below) else ():
            path = os.path.join(below, name)
            if name[0] in "._":
                continue  # helm passes over it
            if name.endswith(".tgz") and os.path.isfile(path):
                target = path.removesuffix(".tgz")
                while os.path.lexists(target):
                    target += "-"
                self.archive(path, target)
                os.unlink(path)
                path = target
            if os.path.isdir(path):
                self.unpack_below(path)

    def _write(self, source: IO[bytes], path: str) -> None:
        with open(path, "wb") as target:
            while chunk := source.read(_CHUNK):
                self._bytes -= len(chunk)
                if self._bytes < 0:
                    raise self._too_large()
                target.write(chunk)

    def _count(self) -> None:
        self._files -= 1
        if self._files < 0:
            raise ChartError(f"chart {self._shown} has more than {FILES:,} files")

    def _too_large(self) -> ChartError:
        return ChartError(f"chart {self._shown} has more than {BYTES // 1024**2} MiB")

    def _refused(self, path: str, top: str, why: str) -> ChartError:
        return ChartError(f"chart {self._shown}: {plain(os.path.relpath(path, top))} {why}")


class _Inflated:
    """What comes out of a gzip stream, at most as many bytes as a chart may have and a tar puts around them."""

    def __init__(self, source: IO[bytes], too_large: Any) -> None:
        import gzip

        self._stream = gzip.GzipFile(fileobj=source)
        self._left = BYTES + FILES * 1024
        self._too_large = too_large

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(min(size, self._left + 1))
        self._left -= len(chunk)
        if self._left < 0:
            raise self._too_large()
        return chunk


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
