"""What Git tracks, read without Git: the same names as `git ls-files` gives, in every form of the index."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from hardener.sources.files.selection import Passed, Selection
from hardener.sources.git import index as git_index
from hardener.sources.git.index import GitIndex, UnreadableIndexError

from .conftest import DEPLOYMENT, Harden, commit, git, write

NAMES = ["a.yaml", "a/b.yaml", "a/b/c.yaml", "a-b/x.yaml", "ä ö/ü.yaml", f"{'long/' * 30}{'n' * 200}.yaml", "z"]


def names(root: Path) -> set[bytes]:
    return set(git_index.read(str(root))._names)


def listed(root: Path) -> set[bytes]:
    done = git(root, "ls-files", "-z")
    assert done.returncode == 0, done.stderr
    return {name for name in done.stdout.split(b"\0") if name}


def repository(folder: Path, *options: str) -> Path:
    folder.mkdir(exist_ok=True)
    write(folder, {name: DEPLOYMENT for name in NAMES})
    for arguments in (["init", "-q", *options], ["add", "-Af"], ["commit", "-qm", "start"]):
        assert git(folder, *arguments).returncode == 0
    return folder


# Each makes another form of the index in a repository with everything committed.
FORMS = {
    "version 2": [["update-index", "--force-write-index"]],
    "version 3: an entry that is only meant": [["rm", "-q", "--cached", "a.yaml"], ["add", "-N", "a.yaml"]],
    "version 3: an entry that is not checked out": [["update-index", "--skip-worktree", "a/b.yaml"]],
    "version 4": [["update-index", "--index-version", "4"]],
    "version 4, and one is gone": [["update-index", "--index-version", "4"], ["rm", "-q", "--cached", "a/b.yaml"]],
    "untracked cache": [["update-index", "--force-untracked-cache"]],
    "an entry that is gone": [["rm", "-q", "--cached", "z"]],
    "split": [["update-index", "--split-index"]],
    "a split one, and more since": [["update-index", "--split-index"], ["update-index", "--chmod=+x", "a.yaml"]],
    "without checksum": [["config", "index.skipHash", "true"], ["update-index", "--force-write-index"]],
    "sparse": [["sparse-checkout", "set", "--cone", "--sparse-index", "a"]],
}


@pytest.mark.parametrize("form", FORMS)
def test_the_names_are_those_of_git(form: str, tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    for arguments in FORMS[form]:
        done = git(root, *arguments)
        assert done.returncode == 0, done.stderr
    found = names(root)
    if form == "sparse":  # a folder that is not checked out is one entry
        assert found <= listed(root) | {b"a-b/", b"long/", "ä ö/".encode()} and b"a/b.yaml" in found
    else:
        assert found - {b""} == listed(root)


def test_a_file_that_a_split_index_drops_still_counts(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    git(root, "update-index", "--split-index")
    git(root, "rm", "-q", "--cached", "a.yaml")
    assert names(root) - {b""} == listed(root) | {b"a.yaml"}


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "--object-format=sha256")
    assert names(root) == listed(root)


def test_a_linked_work_tree_and_a_submodule(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    assert git(root, "worktree", "add", "-q", "../linked").returncode == 0
    assert (tmp_path / "linked/.git").is_file()
    assert names(tmp_path / "linked") == listed(tmp_path / "linked") == listed(root)
    inner = repository(tmp_path / "inner")
    done = git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    assert done.returncode == 0, done.stderr
    assert (root / "sub/.git").is_file()
    assert names(root / "sub") == listed(inner)
    assert git_index.read(str(root)).holds(b"sub"), "the folder of a submodule is an entry itself"


def test_a_conflict_is_tracked(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    for number, arguments in enumerate((["checkout", "-qb", "other"], ["checkout", "-q", "-"])):
        git(root, *arguments)
        write(root, {"z": str(number)})
        git(root, "commit", "-qam", "z")
    assert git(root, "merge", "-q", "other").returncode != 0
    assert names(root) == listed(root) and b"z" in names(root)


def test_a_repository_without_an_index_tracks_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("file", "folder", "file_held", "folder_held"),
    [
        (b"a/b.yaml", b"a", True, True),
        (b"a/b", b"a/b", False, False),
        (b"a/b.yam", b"", False, False),
        (b"", b"a/b.yaml", False, False),
        (b"z", b"zz", True, False),
        (b"a", b"b", False, True),
    ],
)
def test_what_is_held(file: bytes, folder: bytes, file_held: bool, folder_held: bool) -> None:
    index = GitIndex([b"z", b"a/b.yaml", b"a-/x", b"b/c/d"])
    assert (index.holds(file), index.holds_below(folder)) == (file_held, folder_held)


def _entry(name: bytes = b"a.yaml", flags: int | None = None) -> bytes:
    head = bytes(40 + 20) + struct.pack(">H", len(name) if flags is None else flags) + name
    return head + bytes(8 - len(head) % 8)


HEAD = struct.pack(">4sII", b"DIRC", 2, 1)
BROKEN = {
    "empty": b"",
    "no index": b"x" * 100,
    "a version of tomorrow": struct.pack(">4sII", b"DIRC", 9, 0) + bytes(20),
    "more entries than there are": struct.pack(">4sII", b"DIRC", 2, 2**32 - 1) + _entry() + bytes(20),
    "cut in an entry": HEAD + _entry()[:50],
    "cut in a name": HEAD + _entry()[:64],
    "a name of another length": HEAD + _entry(flags=3) + bytes(20),
    "an extension that must be known": HEAD + _entry() + struct.pack(">4sI", b"nova", 0) + bytes(20),
    "half of it elsewhere, and not there": HEAD + _entry() + struct.pack(">4sI", b"link", 20) + b"1" * 20 + bytes(20),
}


def test_the_broken_ones_are_made_of_one_that_is_not(tmp_path: Path) -> None:
    write(tmp_path, {".git/index": HEAD + _entry() + struct.pack(">4sI", b"TREE", 0) + bytes(20)})
    assert names(tmp_path) == {b"a.yaml"}


@pytest.mark.parametrize("form", BROKEN)
def test_an_index_that_cannot_be_read_is_said_and_stops_nothing(form: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "out/api.yaml": DEPLOYMENT, ".gitignore": "out/\n"})
    commit(tmp_path)
    (tmp_path / ".git/index").write_bytes(BROKEN[form])
    with pytest.raises(UnreadableIndexError):
        git_index.read(str(tmp_path))
    done = harden("diff", ".")
    assert done.status == 1 and "web.yaml" in done.all and "out/api.yaml" not in done.all
    assert "  the index of Git is not read: " in done.all
    assert "what is ignored is left out, also where Git tracks it\n" in done.all


@pytest.mark.parametrize("said", ["gitdir: nowhere\n", "gitdir: \0\n", "nonsense\n", ""])
def test_a_file_git_that_leads_nowhere_stops_nothing(said: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".git": said, "web.yaml": DEPLOYMENT, "out/api.yaml": DEPLOYMENT, ".gitignore": "out/\n"})
    done = harden("diff", ".")
    assert done.status == 1 and "out/api.yaml" not in done.all


def test_the_index_is_read_once_and_only_where_something_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.yaml": "", **{f"out/{number}.yaml": "" for number in range(20)}})
    commit(tmp_path)
    reads: list[str] = []
    real = git_index.read

    def counted(root: str) -> GitIndex:
        reads.append(root)
        return real(root)

    monkeypatch.setattr(git_index, "read", counted)
    assert len(list(Selection(str(tmp_path)).below(str(tmp_path)))) == 21
    assert reads == []
    write(tmp_path, {".gitignore": "out/\n*.yaml\n"})
    selection, passed = Selection(str(tmp_path)), Passed()
    assert len(list(selection.below(str(tmp_path), passed=passed))) == 21
    assert len(list(selection.everywhere())) == 21
    assert reads == [str(tmp_path)]
    assert len(passed.tracked) == 21


def test_no_program_is_started_to_know_what_git_tracks(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"out/api.yaml": DEPLOYMENT, ".gitignore": "out/\n"})
    commit(tmp_path)

    def started(*arguments: object, **options: object) -> None:
        raise AssertionError(f"started: {arguments}")

    for name in ("subprocess.Popen", "os.system", "os.posix_spawn"):
        monkeypatch.setattr(name, started)
    with pytest.raises(AssertionError):
        subprocess.run(["git", "version"])  # it would be seen
    assert "allowPrivilegeEscalation: false" in harden("diff", ".").all


def test_the_names_are_bytes_of_the_file_system(tmp_path: Path) -> None:
    name = os.fsdecode(b"out/caf\xe9.yaml")
    (tmp_path / "out").mkdir()
    (tmp_path / name).write_text("")
    write(tmp_path, {".gitignore": "out/\n"})
    commit(tmp_path)
    assert [path for path, _ in Selection(str(tmp_path)).below(str(tmp_path))] == [str(tmp_path / name)]
