"""A chart in a folder of ours: what helm is to render, and nothing that lies elsewhere."""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO

from msgspec import Struct

from hardener.charts.files import helm_ignore, schemas
from hardener.charts.files import metadata as chart_metadata
from hardener.charts.files.locked_dependencies import archive_of
from hardener.charts.helm import ChartError, Helm, scratch
from hardener.charts.values import computed_values
from hardener.lock.charts.locked import Charts
from hardener.sources.files import RUN_FOLDER, git_root, is_inside
from hardener.support.printable import plain
from hardener.support.shell_words import command

BYTES = 64 * 1024 * 1024  # of all files of a chart together
FILES = 20_000  # and folders
DEPTH = 100  # folders one in another
_CHUNK = 64 * 1024
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_LARGEST_RULES = 1024 * 1024  # bytes of a .helmignore
# What a repository often has once, with links to it in its charts: no template needs it.
_TO_READ = re.compile(r"(?i)(?:licen[cs]e|notice|readme|changelog|contributing|owners)(?:\.(?:md|txt|rst))?")
_LOCAL = "file://"
_BROUGHT = "-of-tree"  # how the folder of a dependency ends that comes from elsewhere
_NEVER = frozenset({".git", RUN_FOLDER})  # helm would take them; they hold what no template is to print


class Copy(Struct, frozen=True):
    """A copied chart: the ``folder`` it lies in, its ``name``, and the names of the dependencies that were taken out of
    it, since they are not there and nothing turns them on (``dropped``). ``schemas`` are those that were taken out,
    since they name another schema; ``has_schema``: one is left."""

    folder: str
    name: str
    is_library: bool
    dropped: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    has_schema: bool = True


class Copied:
    """``with Copied(chart) as copy``: a copy of the chart that is a folder or an archive (``.tgz``), with the archives
    in its ``charts/`` unpacked.

    A dependency that is missing there is copied where its ``repository`` names a folder of the tree (``file://``), as
    ``helm dependency build`` does. Any other one is left out where its condition or tags turn it off under ``values``
    and ``sets``, as ``helm`` says; without ``helm`` it stays missing, and helm will refuse the chart.

    One that ``charts``, those of harden.lock, hold is unpacked from the archive that was pulled.

    ``tree`` is the folder that such a dependency, and a link in ``charts/`` to a chart, may lie in; None: the
    repository around the chart, else the folder that the chart lies in.

    Raises ChartError: no chart, a link that leads out of it, a device, more than 64 MiB or 20,000 files, an archive
    that would write elsewhere, a missing dependency that is on.
    """

    def __init__(
        self,
        chart: str,
        *,
        helm: Helm | None = None,
        values: Sequence[str] = (),
        sets: Sequence[str] = (),
        tree: str | None = None,
        charts: Charts | None = None,
    ) -> None:
        self._locked = charts or {}
        self._chart, self._helm, self._values, self._sets, self._tree = chart, helm, values, sets, tree
        self._scratch, self._kept = "", ExitStack()
        self._schemas: tuple[str, ...] = ()

    def __enter__(self) -> Copy:
        with ExitStack() as stack:
            self._scratch = stack.enter_context(scratch())
            copy = self._made()
            self._kept = stack.pop_all()
        return copy

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def _made(self) -> Copy:
        real = os.path.realpath(self._chart)
        base = re.sub(r"\.(?:tgz|tar\.gz)$", "", os.path.basename(os.path.abspath(self._chart)))
        folder = os.path.join(self._scratch, base if _SAFE_NAME.fullmatch(base) else "chart")
        shown = plain(self._chart)
        copying = _Copying(shown, self._tree_of(real), self._scratch)
        try:
            if os.path.isdir(real):
                copying.folder(real, folder)
            else:
                copying.archive(real, folder)
            data = chart_metadata.metadata(folder, shown)
            copying.unpack_below(folder)
            dropped = self._settle(copying, folder, shown)
        except OSError as error:
            file = os.path.basename(os.fsdecode(error.filename)) if error.filename else ""
            where = f": {plain(file)}" if file and file != os.path.basename(real) else ""
            raise ChartError(f"chart {shown} cannot be read{where}: {error.strerror}") from None
        called = data.get("name")
        return Copy(
            folder, called if isinstance(called, str) else base, data.get("type") == "library", dropped, self._schemas,
            schemas.is_left(folder),
        )  # fmt: skip

    def _tree_of(self, real: str) -> str:
        return os.path.realpath(self._tree) if self._tree is not None else git_root(real) or os.path.dirname(real)

    def _settle(self, copying: _Copying, folder: str, shown: str) -> tuple[str, ...]:
        """Bring the missing dependencies that lie in the tree, and leave out those that are off, which are returned."""
        missing = _missing(folder, shown)
        copied, reasons = self._bring(copying, folder, shown, missing)
        self._schemas = schemas.drop_remote(folder)  # before helm sees any of it
        missing = [name for name in missing if name not in copied]
        if self._helm is None:
            if reasons:
                raise ChartError(min(reasons.values()))
            return ()
        if copied and (wrong := copied & self._helm.wrong_versions(folder)):
            # helm would render it as a chart that nobody has asked for, whatever its condition says.
            name = plain(min(wrong))
            raise ChartError(f"chart {shown}: its dependency {name} has another version there than it asks for")
        if not missing:
            return ()
        on = computed_values.turned_on(self._helm, folder, missing, values=self._values, sets=self._sets)
        if on & reasons.keys():
            raise ChartError(min(reasons[name] for name in on & reasons.keys()))
        if on:
            names = ", ".join(plain(name) for name in missing if name in on)
            build = command("helm dependency build {chart}", chart=self._chart)
            advice = f"run {build}" if os.path.isdir(self._chart) else "take a whole archive"
            raise ChartError(
                f"chart {shown}: {names} {'are' if len(on) > 1 else 'is'} on and missing in charts/: {advice}"
            )
        chart_metadata.drop_dependencies(folder, missing, shown)
        return tuple(missing)

    def _bring(self, copying: _Copying, folder: str, shown: str, missing: list[str]) -> tuple[set[str], dict[str, str]]:
        """Copy those of ``missing`` that lie in the tree: the names of them, and why others cannot be brought."""
        copied: set[str] = set()
        reasons: dict[str, str] = {}
        if not missing or not os.path.isdir(self._chart):
            return copied, reasons
        versions = chart_metadata.locked_versions(folder) if self._locked else {}
        for entry in chart_metadata.dependencies(chart_metadata.metadata(folder, shown)):
            name, repository = entry["name"], entry.get("repository")
            archive = archive_of(self._locked, entry, versions) if name in missing and name not in copied else None
            if archive is not None:
                copying.packed(archive, name, folder)
                copied.add(name)
            if not isinstance(repository, str) or not repository.startswith(_LOCAL):
                continue
            if name not in missing or name in copied:
                continue
            place = os.path.join(os.path.abspath(self._chart), repository.removeprefix(_LOCAL))
            if why := copying.dependency(os.path.realpath(place), name, folder):
                reasons[name] = f"chart {shown}: its dependency {plain(name)} {why}"
            else:
                copied.add(name)
        return copied, reasons


def _missing(folder: str, shown: str) -> list[str]:
    """Names of the dependencies that have no chart of this name in ``charts/``, which is what helm asks for."""
    there = {name for name, _ in chart_metadata.vendored(folder)}
    entries = chart_metadata.dependencies(chart_metadata.metadata(folder, shown))
    return list(dict.fromkeys(entry["name"] for entry in entries if entry["name"] not in there))


class _Copying:
    """What one copy, in a folder of ``scratch``, may still take. Errors call the chart ``shown``; ``tree`` is where
    charts below it may lie."""

    def __init__(self, shown: str, tree: str, scratch: str) -> None:
        self._shown, self._tree, self._scratch = shown, tree, scratch
        self._bytes, self._files = BYTES, FILES
        self._inflated = BYTES + FILES * 1024  # with what an archive has around its files

    def folder(self, source: str, target: str) -> None:
        """Copy what belongs to the chart in the folder ``source``, a real path."""
        try:
            rules = helm_ignore.Rules(_rules_text(source))
        except ValueError as error:
            raise ChartError(f"chart {self._shown}: {error}") from None
        self._copy(source, target, "", source, (source,), rules)

    def dependency(self, source: str, name: str, chart: str) -> str:
        """Copy the chart ``name`` in the folder ``source``, a real path, to the ``charts/`` of the copy ``chart``. What
        comes back is the reason why it is not done, else empty."""
        if not is_inside(source, self._tree):
            return "lies outside of the tree"
        if not os.path.isdir(source):
            return "is not where its repository says"
        known = chart_metadata.metadata(source, os.path.basename(source)).get("name")
        if known != name:
            return f"is called {plain(str(known))} there"
        target = _below(chart, name)
        self.folder(source, target)
        self.unpack_below(target)
        return ""

    def packed(self, source: str, name: str, chart: str) -> None:
        """Unpack the archive ``source`` of the chart ``name`` to the ``charts/`` of the copy ``chart``."""
        target = _below(chart, name)
        self.archive(source, target)
        self.unpack_below(target)

    def _copy(
        self, folder: str, target: str, below: str, top: str, above: tuple[str, ...], rules: helm_ignore.Rules
    ) -> None:
        """Copy ``folder``, which is ``below`` in the chart; links may lead into ``top``, and to none of ``above``."""
        os.mkdir(target)
        for entry in _entries(folder):
            path, copy = entry.path, os.path.join(target, entry.name)
            name = f"{below}{entry.name}"
            if entry.is_symlink():
                path = os.path.realpath(path)
            is_folder = os.path.isdir(path)
            if rules.ignores(name, is_folder=is_folder) or entry.name in _NEVER:
                continue
            self._count(copy)
            inside = top
            if entry.is_symlink() and _TO_READ.fullmatch(name) and not is_inside(path, top):
                continue
            if entry.is_symlink():
                inside = self._link(name, path, top)
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                if path in above:
                    raise self._refused(name, "is a link to a folder that it lies in")
                self._copy(path, copy, f"{name}/", inside, (*above, path), rules)
            elif stat.S_ISREG(mode):
                with open(path, "rb") as handle:
                    self._write(handle, copy, name)
            else:
                raise self._refused(name, "is neither a file nor a folder")

    def _link(self, name: str, path: str, top: str) -> str:
        """Where links may lead to in what the link ``name`` leads to, the real ``path``."""
        if not os.path.exists(path):
            raise self._refused(name, "is a link to nothing")
        if is_inside(path, top):
            return top
        # What belongs to a chart of the same tree may be linked as a whole, and no single file of the tree.
        if re.fullmatch(r"(?:.*/)?charts/[^/]+", name) and os.path.isfile(os.path.join(path, "Chart.yaml")):
            if is_inside(path, self._tree):
                return path
        raise self._refused(name, "is a link that leads out of the chart")

    def archive(self, source: str, target: str) -> None:
        """Unpack the archive ``source``: what lies in the one folder of it comes to lie in ``target``."""
        os.mkdir(target)
        for name, content in _members(source, self._shown, self._inflate):
            path = os.path.join(target, *name.split("/"))
            self._count(path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._write(content, path, name)

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

    def _write(self, source: IO[bytes], path: str, name: str) -> None:
        """Write the file called ``name`` in its chart. What .helmignore says is done when it is copied or was packed,
        and would now be done to the charts that were packed, too."""
        with open(path, "wb") as target:
            while name != helm_ignore.NAME and (chunk := source.read(_CHUNK)):
                self._bytes -= len(chunk)
                if self._bytes < 0:
                    raise self._too_large()
                target.write(chunk)

    def _inflate(self, count: int) -> None:
        self._inflated -= count
        if self._inflated < 0:
            raise self._too_large()

    def _too_large(self) -> ChartError:
        return ChartError(f"chart {self._shown} has more than {BYTES // 1024**2} MiB")

    def _count(self, path: str) -> None:
        if path[len(self._scratch) :].count(os.sep) > DEPTH:
            raise ChartError(f"chart {self._shown} has folders that are nested too deeply")
        self._files -= 1
        if self._files < 0:
            raise ChartError(f"chart {self._shown} has more than {FILES:,} files")

    def _refused(self, name: str, why: str) -> ChartError:
        return ChartError(f"chart {self._shown}: {plain(name)} {why}")


def _below(chart: str, name: str) -> str:
    """A new path in the ``charts/`` of the copy ``chart`` for the chart ``name`` that comes from elsewhere."""
    target = os.path.join(chart, "charts", f"{name if _SAFE_NAME.fullmatch(name) else 'chart'}{_BROUGHT}")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    while os.path.lexists(target):
        target += "-"
    return target


def brought(folder: str) -> str:
    """Return the name of the chart that a copy has in ``folder`` of its ``charts/``, where it brought it there; "" for
    one that was there."""
    name = folder.rstrip("-")
    return name.removesuffix(_BROUGHT) if name.endswith(_BROUGHT) else ""


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(entries, key=lambda entry: entry.name)


def _rules_text(folder: str) -> str:
    path = os.path.join(folder, helm_ignore.NAME)
    if not os.path.isfile(path) or not is_inside(os.path.realpath(path), folder):
        return ""
    with open(path, "rb") as handle:
        return handle.read(_LARGEST_RULES).decode(errors="replace")


_PIECE = 1024 * 1024  # bytes


def _members(path: str, shown: str, take: Callable[[int], object]) -> Iterator[tuple[str, IO[bytes]]]:
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
