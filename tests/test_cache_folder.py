"""A cache is read as it was written whole, or not at all; nothing about it stops a run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardener.support import cache_folder
from hardener.support.cache_folder import CacheFolder

CONTENT = b"\n".join(b"a line of %d" % number for number in range(200))


@pytest.fixture
def folder(tmp_path: Path) -> CacheFolder:
    found = CacheFolder(str(tmp_path / "base"), str(tmp_path / "base" / "harden"))
    found.write("one", CONTENT)
    assert found.read("one") == CONTENT
    return found


def file_of(folder: CacheFolder, name: str = "one") -> Path:
    return Path(folder.path, name)


def test_nobody_else_may_look_at_it(folder: CacheFolder) -> None:
    assert [path.stat().st_mode & 0o777 for path in (Path(folder.path), file_of(folder))] == [0o700, 0o600]
    assert os.listdir(folder.path) == ["one"]


def test_what_was_written_last_is_read(folder: CacheFolder) -> None:
    folder.write("one", b"new")
    assert (folder.read("one"), folder.read("two")) == (b"new", None)


def damaged() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda whole: b""
    yield "garbage", lambda whole: os.urandom(len(whole))
    yield "another form", lambda whole: whole.replace(b"harden cache 1", b"harden cache 2")
    yield "a line more", lambda whole: whole + b"\nmore"
    for part in (1, 20, 80, 81, 200, 1000):
        yield f"cut off after {part}", lambda whole, part=part: whole[:part]  # type: ignore[misc]
        yield f"one bit at {part}", lambda whole, at=part: whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]  # type: ignore[misc]


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in damaged()])
def test_what_is_damaged_is_not_there(folder: CacheFolder, spoil: Callable[[bytes], bytes]) -> None:
    file = file_of(folder)
    file.write_bytes(spoil(file.read_bytes()))
    assert folder.read("one") is None
    folder.write("one", CONTENT)
    assert folder.read("one") == CONTENT


def _link_file(folder: CacheFolder) -> None:
    file_of(folder).rename(Path(folder.base, "elsewhere"))
    file_of(folder).symlink_to(Path(folder.base, "elsewhere"))


def _link_folder(folder: CacheFolder) -> None:
    Path(folder.path).rename(Path(folder.base, "elsewhere"))
    Path(folder.path).symlink_to(Path(folder.base, "elsewhere"))


def _pipe(folder: CacheFolder) -> None:
    file_of(folder).unlink()
    os.mkfifo(file_of(folder))


def _directory(folder: CacheFolder) -> None:
    file_of(folder).unlink()
    file_of(folder).mkdir()


def _for_all(folder: CacheFolder) -> None:
    Path(folder.path).chmod(0o755)


def _too_large(folder: CacheFolder) -> None:
    with file_of(folder).open("ab") as file:
        file.truncate(cache_folder.LARGEST + 1)


SET_UP = (_link_file, _link_folder, _pipe, _directory, _for_all, _too_large)


@pytest.mark.parametrize("change", SET_UP)
def test_what_another_may_have_set_up_is_not_read(folder: CacheFolder, change: Callable[[CacheFolder], None]) -> None:
    change(folder)
    assert folder.read("one") is None


@pytest.mark.parametrize("change", [_link_folder, _for_all])
def test_nothing_is_written_where_others_may_read(folder: CacheFolder, change: Callable[[CacheFolder], None]) -> None:
    change(folder)
    folder.write("two", CONTENT)
    assert not file_of(folder, "two").exists()


def test_a_link_is_replaced_and_not_written_through(folder: CacheFolder) -> None:
    _link_file(folder)
    folder.write("one", b"new")
    assert Path(folder.base, "elsewhere").read_bytes().endswith(CONTENT)
    assert folder.read("one") == b"new"


@pytest.mark.parametrize("call", ["mkdir", "open", "replace"])
def test_what_cannot_be_written_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    folder = CacheFolder(str(tmp_path), str(tmp_path / "harden"))
    if call != "mkdir":
        Path(folder.path).mkdir(0o700)

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    folder.write("one", CONTENT)
    assert folder.read("one") is None
    monkeypatch.undo()
    assert not os.path.exists(folder.path) or os.listdir(folder.path) == []


def test_no_more_is_kept_than_is_said(folder: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_folder, "MOST_FILES", 3)
    os.utime(file_of(folder), (1, 1))
    for number in range(6):
        folder.write(f"n{number}", CONTENT)
        os.utime(file_of(folder, f"n{number}"), (number, number + 1000))
    folder.write("last", CONTENT)
    assert sorted(os.listdir(folder.path)) == ["last", "n4", "n5"]
    monkeypatch.setattr(cache_folder, "MOST_BYTES", 2 * len(CONTENT) + 200)
    folder.write("more", CONTENT)
    assert len(os.listdir(folder.path)) == 2


def test_what_is_read_counts_as_new(folder: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_folder, "MOST_FILES", 2)
    folder.write("two", CONTENT)
    os.utime(file_of(folder, "one"), (1, 1))
    os.utime(file_of(folder, "two"), (2, 2))
    folder.read("one")
    folder.write("three", CONTENT)
    assert sorted(os.listdir(folder.path)) == ["one", "three"]


def test_what_a_dead_run_left_goes(folder: CacheFolder) -> None:
    left, live = file_of(folder, ".one.1"), file_of(folder, ".one.2")
    left.write_bytes(b"half")
    live.write_bytes(b"half")
    os.utime(left, (1, 1))
    folder.write("two", CONTENT)
    assert (left.exists(), live.exists()) == (False, True)


def test_runs_at_the_same_time_read_whole_files(folder: CacheFolder) -> None:
    texts = [bytes([65 + number]) * 50_000 for number in range(2)]
    read: set[bytes | None] = set()

    def write(number: int) -> None:
        for _ in range(20):
            CacheFolder(folder.base, folder.path).write("one", texts[number])

    folder.write("one", texts[0])
    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        read.add(folder.read("one"))
        time.sleep(0.001)
    assert read <= {*texts}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c"}, "/c/harden"),
        ({"XDG_CACHE_HOME": "caches", "HOME": "/"}, "/.cache/harden"),
        ({"XDG_CACHE_HOME": "", "HOME": "/"}, "/.cache/harden"),
        ({"XDG_CACHE_HOME": "", "HOME": "/no/such/home"}, None),
        ({"XDG_CACHE_HOME": "", "HOME": "here"}, None),
    ],
)
def test_the_user_says_where(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: str | None) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    found = cache_folder.cache_folder("harden")
    assert (found and found.path) == expected
