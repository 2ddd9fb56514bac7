"""What is seen of the files of a container, whose root is here that of this process."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hardener.observe import file_look

LONG = 3600.0


def test_the_files_that_were_changed_lately(tmp_path: Path) -> None:
    (tmp_path / "new/ann").mkdir(parents=True)
    (tmp_path / "new/ann/letter").write_text("words")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    assert file_look.stored(os.getpid(), [f"{tmp_path}/"], LONG) == {
        f"{tmp_path}/empty": 0, f"{tmp_path}/new/ann/letter": 5,
    }  # fmt: skip


def test_a_file_of_the_image_is_older(tmp_path: Path) -> None:
    file = tmp_path / "of-the-image"
    file.write_text("words")
    os.utime(file, (time.time() + LONG, time.time() + LONG))  # as a container may claim
    time.sleep(0.02)
    assert file_look.stored(os.getpid(), [str(tmp_path)], 0.01) == {}


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host/file").write_text("words")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume/folder").symlink_to(tmp_path / "host")
    (tmp_path / "volume/file").symlink_to(tmp_path / "host/file")
    places = [f"{tmp_path}/volume", f"{tmp_path}/volume/folder", f"{tmp_path}/volume/folder/deeper"]
    assert file_look.stored(os.getpid(), places, LONG) == {}


def test_who_is_gone_has_no_files() -> None:
    assert file_look.stored(2**22 + 1, ["/tmp"], LONG) == {}


def test_of_more_files_than_are_looked_at_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_look, "_MOST_FILES", 1)
    for name in ("one", "two"):
        (tmp_path / name).touch()
    assert file_look.stored(os.getpid(), [str(tmp_path)], LONG) is None


def test_what_the_kernel_shows_at_the_root_is_no_file(tmp_path: Path) -> None:
    for name in ("proc", "srv", "srv/proc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    top = os.open(tmp_path, os.O_RDONLY)
    assert [path for path, _ in file_look._below(top, "")] == ["/srv/file", "/srv/proc/file"]
    os.close(top)


def test_the_programs_that_give_rights(tmp_path: Path) -> None:
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2711), ("plain", 0o755), ("data", 0o4644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    os.mkdir(tmp_path / "folder", 0o2755)
    root = os.open(tmp_path, os.O_RDONLY)
    found = {path: status.st_mode for path, status in file_look._below(root, "")}
    os.close(root)
    assert sorted(path for path, mode in found.items() if file_look.may_raise(os.getpid(), path, mode)) == [
        "/setgid", "/setuid",
    ]  # fmt: skip
