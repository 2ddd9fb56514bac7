"""The root of an image, made of its layers in memory: names and owners, no content.

Rules: github.com/opencontainers/image-spec, layer.md (whiteouts); where it is silent, what containerd does
(pkg/archive/tar.go): links in the folders of a path are followed inside the root, the last name of a member is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.lock.oci.layer import Inode, Layer
from hardener.lock.oci.limits import Unreadable

_MOST_LINKS = 40  # that one path may lead over, as in Linux
_MOST_STEPS = 50_000_000  # from name to name; an image of 100,000 files takes a million
_FOLDER = Inode("folder", 0o755, 0, 0)


class Folder:
    """A folder: ``inode`` is its own, ``entries`` what stands in it."""

    __slots__ = ("entries", "inode")

    def __init__(self, inode: Inode = _FOLDER) -> None:
        self.inode = inode
        self.entries: dict[str, Entry] = {}


Entry = Folder | Inode


class ImageRoot:
    """Starts empty; layers are put on from the lowest to the topmost."""

    def __init__(self) -> None:
        self.top = Folder()
        self._steps = 0

    def put(self, layer: Layer) -> None:
        # A whiteout is about the layers below, wherever it stands in its own.
        for path in layer.opaque:
            if isinstance(folder := self.find(path), Folder):
                folder.entries.clear()
        for path in layer.hides:
            folder, last = self._place(path)
            if folder is not None and last:
                folder.entries.pop(last, None)
        for path, what in layer.puts:
            self._put(path, what)

    def _put(self, path: str, what: Inode | str) -> None:
        linked = self._named(what) if isinstance(what, str) else None
        if isinstance(what, str) and not isinstance(linked, Inode):
            return  # a hard link to nothing, or to a folder: no runtime makes it
        inode = linked if isinstance(linked, Inode) else what
        folder, last = self._place(path, make=True)
        if folder is None or not isinstance(inode, Inode):
            return
        if not last:
            if inode.kind == "folder":
                folder.inode = inode
            return
        there = folder.entries.get(last)
        if inode.kind != "folder":
            folder.entries[last] = inode
        elif isinstance(there, Folder):
            there.inode = inode
        else:
            folder.entries[last] = Folder(inode)

    def find(self, path: str) -> Entry | None:
        """What ``path`` names, every link followed; None for nothing."""
        found = self._walk(path)
        return found[-1][1] if found is not None else None

    def resolve(self, path: str) -> str | None:
        """``path`` without links in it, None where it names nothing."""
        found = self._walk(path)
        return "/" + "/".join(name for name, _ in found[1:]) if found is not None else None

    def _named(self, path: str) -> Entry | None:
        folder, last = self._place(path)
        return folder.entries.get(last) if folder is not None else None

    def _place(self, path: str, *, make: bool = False) -> tuple[Folder | None, str]:
        """The folder in which the last name of ``path`` stands, and that name; "" for the root itself."""
        names = [name for name in path.split("/") if name not in ("", ".")]
        if not names:
            return self.top, ""
        if names[-1] == "..":
            return None, ""
        found = self._walk("/".join(names[:-1]), make=make)
        folder = found[-1][1] if found is not None else None
        return (folder, names[-1]) if isinstance(folder, Folder) else (None, "")

    def _walk(self, path: str, *, make: bool = False) -> list[tuple[str, Entry]] | None:
        """The names and entries from the root to ``path``. ``make``: folders that lack are made, as runtimes do."""
        trail: list[tuple[str, Entry]] = [("", self.top)]
        left = list(reversed(path.split("/")))
        links = 0
        while left:
            name = left.pop()
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Unreadable("its layers are not read: their links lead on and on")
            if name in ("", "."):
                continue
            if name == "..":
                if len(trail) > 1:  # back above the root is the root: nothing leads out of it
                    trail.pop()
                continue
            folder = trail[-1][1]
            if not isinstance(folder, Folder):
                return None
            entry = folder.entries.get(name)
            if entry is None:
                if not make:
                    return None
                entry = folder.entries[name] = Folder()
            if isinstance(entry, Inode) and entry.kind == "symlink":
                links += 1
                if links > _MOST_LINKS:
                    return None
                if entry.target.startswith("/"):
                    del trail[1:]
                left += reversed(entry.target.split("/"))
                continue
            trail.append((name, entry))
        return trail

    def files(self) -> Iterator[tuple[str, Inode]]:
        """All that is no folder, with its path, in no order."""
        waiting = [("", self.top)]
        while waiting:
            path, folder = waiting.pop()
            for name, entry in folder.entries.items():
                if isinstance(entry, Folder):
                    waiting.append((f"{path}/{name}", entry))
                else:
                    yield f"{path}/{name}", entry
