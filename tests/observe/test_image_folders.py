"""What an image has in a folder that a volume would hide, and where a container may have to write by what it says."""

from __future__ import annotations

import io
import tarfile
from typing import Any, cast

import pytest

from hardener.observe.engine import Answer, Engine
from hardener.observe.image_folders import ImageFolders, entries

# Folders end with a slash, links name their target.
IMAGE = {
    "/run/": "", "/run/lock/": "", "/run/php/": "", "/run/adduser": "file", "/run/shm": "/dev/shm",
    "/var/lib/app/": "", "/var/lib/app/empty/": "", "/var/lib/full/": "", "/var/lib/full/sub/": "",
    "/var/lib/full/sub/data": "file", "/var/log/": "", "/var/log/dpkg.log": "file",
    "/var/log/README": "/usr/README", "/var/log/nginx/": "",
    "/srv/linked/": "", "/srv/linked/log": "/dev/stdout", "/var/log/web/": "", "/var/log/web/access.log": "/dev/stdout",
}  # fmt: skip


_KINDS = {"file": tarfile.REGTYPE}


class FakeEngine:
    """Gives the entries of ``IMAGE`` as podman cp does, with headers of the newer format between them."""

    name = "podman"

    def __init__(self, format: int = tarfile.PAX_FORMAT) -> None:
        self.calls: list[tuple[str, ...]] = []
        self._format = format

    def labels(self) -> list[str]:
        return ["--label", "a=b"]

    def call(self, *words: str, **more: Any) -> Answer:
        self.calls.append(words)
        return self._copied(words[1].partition(":")[2]) if words[0] == "cp" else Answer(True, "", "")

    def _copied(self, path: str) -> Answer:
        found = {each: kind for each, kind in IMAGE.items() if each.rstrip("/") == path or each.startswith(f"{path}/")}
        if not found:
            return Answer(False, "", "no such path")
        into = io.BytesIO()
        with tarfile.open(fileobj=into, mode="w", format=self._format) as archive:
            for each, kind in sorted(found.items()):
                entry = tarfile.TarInfo(each.strip("/"))
                entry.mtime = 0.5  # more than an old header can hold
                entry.type = tarfile.DIRTYPE if each.endswith("/") else _KINDS.get(kind, tarfile.SYMTYPE)
                entry.linkname = kind if kind.startswith("/") else ""
                archive.addfile(entry)
        return Answer(True, into.getvalue().decode("utf-8", "surrogateescape"), "")


def opened(engine: FakeEngine) -> ImageFolders:
    return ImageFolders(cast(Engine, engine), "acme/app:1", "looked-at")


@pytest.mark.parametrize(
    ("path", "occupied"),
    [
        ("/run", False), ("/run/lock", False), ("/var/lib/app", False), ("/var/lib/full", True), ("/var/log", True),
        ("/var/log/nginx", False), ("/srv/linked", True), ("/var/log/web", True), ("/nowhere", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_a_folder_is_occupied_by_what_is_missed(path: str, occupied: bool, format: int) -> None:
    with opened(FakeEngine(format)) as folders:
        assert folders.is_occupied(path) is occupied


def test_files_of_logs_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(IMAGE, "/var/log/web/access.log")
    with opened(FakeEngine()) as folders:
        assert not folders.is_occupied("/var/log")


@pytest.mark.parametrize(
    ("path", "folder"), [("/run", True), ("/run/adduser", False), ("/run/shm", False), ("/no", False)]
)
def test_what_is_a_folder(path: str, folder: bool) -> None:
    with opened(FakeEngine()) as folders:
        assert folders.is_folder(path) is folder


def test_headers_of_other_entries_are_none() -> None:
    names = [entry.name for entry in entries(cast(Engine, FakeEngine()), "a", "/run")]
    assert names == ["run", "run/adduser", "run/lock", "run/php", "run/shm"]


EROFS = "Read-only file system"


@pytest.mark.parametrize(
    ("lines", "mounted", "places"),
    [
        ([f"open /run/app.pid: {EROFS}"], set(), {"/run"}),
        ([f"open /var/run/app.pid: {EROFS}"], set(), {"/run"}),
        ([f"mkdir '/var/lib/app/empty/x': {EROFS}"], set(), {"/var/lib/app/empty"}),
        ([f"/start.sh: 2: cannot create /var/lib/app/state: {EROFS}"], set(), {"/var/lib/app"}),
        ([f"open /run/a: {EROFS}", f"open /var/lib/app/b: {EROFS}"], set(), {"/run", "/var/lib/app"}),
        ([f"open /var/lib/full/sub/data: {EROFS}"], set(), set()),
        ([f"open /nowhere/x: {EROFS}", f"open /x: {EROFS}"], set(), set()),
        (["open /run/app.pid: no such file"], set(), set()),
        (["cannot bind /run/php/fpm.sock: No such file or directory"], {"/run"}, {"/run/php"}),
        (["Missing privilege separation directory: /run/lock"], {"/run"}, {"/run/lock"}),
        (["open /run/php/fpm.sock: no such file"], {"/run", "/run/php"}, set()),
        ([f"open /var/lib/app/x: {EROFS}"], {"/var/lib/app"}, set()),
    ],
)  # fmt: skip
def test_places_to_write_to(lines: list[str], mounted: set[str], places: set[str]) -> None:
    with opened(FakeEngine()) as folders:
        assert folders.places(lines, mounted) == places


def test_the_container_is_removed() -> None:
    engine = FakeEngine()
    with opened(engine):
        assert engine.calls[0][0] == "create" and "--label" in engine.calls[0]
    assert engine.calls[-1] == ("rm", "-f", "-v", "looked-at")
