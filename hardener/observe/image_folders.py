"""What an image has at a path: asked of a container that is never started."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from types import TracebackType

from hardener.observe.engine import Engine
from hardener.observe.log_evidence import paths

_BLOCK = 512
_HEAD = 256 * 1024  # bytes of an archive that are looked at
# Headers of an archive that tell of the next entry.
_MORE = frozenset((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, b"L", b"K"))
# What an image has there is left of its build: a system clears the one as it starts (FHS 3.0, 3.15), and nobody reads
# logs of the other. Folders are missed, and links of logs to the output of the container.
_CLEARED, _LOGS, _OUTPUT = "/run", "/var/log", ("/dev/", "/proc/")


def entries(engine: Engine, container: str, path: str) -> Iterator[tarfile.TarInfo]:
    """The first entries of a path of a container, itself first; none where there is no such path."""
    done = engine.call("cp", f"{container}:{path}", "-", output=_HEAD, keeps_head=True)
    raw = done.text.encode("utf-8", "surrogateescape") if done.ok else b""
    at = 0
    try:
        while at + _BLOCK <= len(raw):
            entry = tarfile.TarInfo.frombuf(raw[at : at + _BLOCK], "utf-8", "surrogateescape")
            if entry.type not in _MORE:
                yield entry
            at += _BLOCK + (entry.size + _BLOCK - 1) // _BLOCK * _BLOCK
    except tarfile.HeaderError:
        return


def is_missed(entry: tarfile.TarInfo, path: str) -> bool:
    """Whether a volume at ``path`` would hide something that a program may need where it hides ``entry``. Folders do
    not count: they can be made again."""
    if entry.isdir() or _is_at_or_below(path, _CLEARED):
        return False
    is_output = entry.issym() and entry.linkname.startswith(_OUTPUT)
    return is_output or not _is_at_or_below(path, _LOGS)


def _is_at_or_below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


class ImageFolders:
    """The folders of the image ``reference``, as long as this is open; the container for it is called ``name``."""

    def __init__(self, engine: Engine, reference: str, name: str) -> None:
        self._engine, self._name = engine, name
        ignored = ["--image-volume", "ignore"] if engine.name == "podman" else []
        options = ["--pull", "never", "--network", "none", "--name", name, *ignored, *engine.labels()]
        self._is_made = engine.call("create", *options, reference, "none").ok

    def __enter__(self) -> ImageFolders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_made:
            self._engine.call("rm", "-f", "-v", self._name)

    def is_folder(self, path: str) -> bool:
        """Whether the image has a folder at ``path``."""
        entry = next(entries(self._engine, self._name, path), None) if self._is_made else None
        return entry is not None and entry.isdir()

    def is_occupied(self, path: str) -> bool:
        """Whether the image has a file or a link below ``path`` that a volume there would hide; folders are none."""
        if not self._is_made:
            return True
        return any(is_missed(entry, path) for entry in entries(self._engine, self._name, path))

    def places(self, lines: list[str], mounted: set[str]) -> set[str]:
        """The folders to which a container that said ``lines`` may have to write, beside those that have a volume by
        now (``mounted``): where a line says that it may not, and folders of the image that such a volume hides."""
        refused = [path for path in map(_plain, paths(lines, read_only=True)) if not _is_below(path, mounted)]
        found = {place for path in refused if (place := self._place(path))}
        for path in map(_plain, paths(lines)):
            for place in (path, path.rpartition("/")[0]):
                if _is_below(place, mounted) and place not in mounted and self.is_folder(place):
                    found.add(place)
        return found - mounted

    def _place(self, path: str) -> str | None:
        """The folder that makes ``path`` writable, where a volume hides nothing there."""
        above = path.rpartition("/")[0]
        fits = (place for place in (path, above) if place and self.is_folder(place) and not self.is_occupied(place))
        return next(fits, None)


def _is_below(path: str, places: set[str]) -> bool:
    return any(path.startswith(f"{place}/") for place in places)


def _plain(path: str) -> str:
    """``path`` without the link that most images have."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path
