"""Files that are written together: what is kept of a file, what is refused, and how the next run ends a dead one."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hardener import harden_tree
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import run_folder, transaction
from hardener.sources.files.run_folder import Entry, Journal, mark
from hardener.sources.files.transaction import NotPlacedError, Transaction

from .conftest import DEPLOYMENT, Harden, commit, git, snapshot, write

ONLY = ("--only", "drop-capabilities")
_ACL = "system.posix_acl_access"


def acl(*entries: tuple[int, int, int]) -> bytes:
    """An access list as the kernel takes it: version 2, then tag, rights and number of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
SHARED = acl((1, 6, NOBODY), (2, 6, 1234), (4, 4, NOBODY), (0x10, 6, NOBODY), (0x20, 4, NOBODY))
# As SHARED, of a folder: who may enter, too.
HANDED_ON = acl((1, 7, NOBODY), (2, 7, 1234), (4, 5, NOBODY), (0x10, 7, NOBODY), (0x20, 5, NOBODY))


def set_attribute(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except (AttributeError, OSError):
        pytest.skip(f"no {name} on this file system")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    write(tmp_path, {name: DEPLOYMENT for name in ("a.yaml", "b.yaml")})
    commit(tmp_path)
    return tmp_path


# -- what a file has beside its bytes


@pytest.mark.parametrize(("name", "value"), [("user.origin", b"vendor"), (_ACL, SHARED)])
def test_attributes_are_kept(name: str, value: bytes, harden: Harden, two: Path) -> None:
    set_attribute(two / "a.yaml", name, value)
    assert harden("apply", ".", *ONLY).status == 0
    assert "drop:" in (two / "a.yaml").read_text()
    assert os.getxattr(two / "a.yaml", name) == value
    assert name not in os.listxattr(two / "b.yaml")


def test_an_attribute_that_cannot_be_kept_refuses_the_run(
    harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_attribute(two / "a.yaml", "user.origin", b"vendor")

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setxattr", refuse)
    before = snapshot(two)
    done = harden("apply", ".", *ONLY)
    assert (done.status, snapshot(two)) == (2, before)
    assert "a.yaml (its attribute user.origin cannot be kept: Operation not permitted)" in done.out.splitlines()[0]


def test_a_file_with_a_hard_link_refuses_the_run(harden: Harden, two: Path) -> None:
    os.link(two / "a.yaml", two / "same.txt")
    before = snapshot(two)
    done = harden("apply", ".", *ONLY)
    assert (done.status, snapshot(two)) == (2, before)
    assert "a.yaml (1 hard link to this file would keep the old text; give it a copy of its own)" in done.out
    (two / "same.txt").unlink()
    assert harden("apply", ".", *ONLY).status == 0


def test_a_new_file_gets_what_its_folder_hands_on(tmp_path: Path) -> None:
    write(tmp_path, {"in/x": ""})
    set_attribute(tmp_path / "in", "system.posix_acl_default", HANDED_ON)
    os.chmod(tmp_path / "in", 0o2775)
    (tmp_path / "in/as-usual").touch(0o666)
    with Transaction(str(tmp_path)) as run:
        for name in ("in/new", "in/deep/new", "new"):
            run.create(str(tmp_path / name), "a")
        run.place()
    usual = tmp_path / "in/as-usual"
    for name in ("in/new", "in/deep/new"):
        assert os.getxattr(tmp_path / name, _ACL) == os.getxattr(usual, _ACL)
        assert (tmp_path / name).stat().st_mode == usual.stat().st_mode
    assert _ACL not in os.listxattr(tmp_path / "new")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder another group")
def test_a_new_file_gets_the_group_that_its_folder_hands_on(tmp_path: Path) -> None:
    write(tmp_path, {"in/x": ""})
    os.chown(tmp_path / "in", 0, 2345)
    os.chmod(tmp_path / "in", 0o2775)
    with Transaction(str(tmp_path)) as run:
        run.create(str(tmp_path / "in/new"), "a")
        run.place()
    assert (tmp_path / "in/new").stat().st_gid == 2345


def test_what_is_taken_back_is_the_file_that_was_there(two: Path) -> None:
    path = two / "a.yaml"
    path.chmod(0o640)
    before = path.stat()
    with Transaction() as run:
        run.replace(str(path), "new", files.read(str(path)))
        run.create(str(two / "c.yaml"), "new")
        (two / "c.yaml").write_text("mine")
        with pytest.raises(NotPlacedError):
            run.place()
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert sorted(os.listdir(two)) == [".git", "a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.parametrize("places", [True, False])
def test_without_hard_links_all_is_the_same(places: bool, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    before = snapshot(two)
    with Transaction() as run:
        run.replace(str(two / "a.yaml"), "new", files.read(str(two / "a.yaml")))
        run.create(str(two / "c.yaml"), "new")
        if places:
            run.place()
        else:
            (two / "c.yaml").mkdir()
            with pytest.raises(NotPlacedError):
                run.place()
    assert snapshot(two) == (before if not places else snapshot(two))
    assert (two / "a.yaml").read_text() == ("new" if places else DEPLOYMENT)


# -- a dead run


def killed(folder: Path, *, placed: int = 2) -> Journal:
    """What a run leaves in ``folder`` that is killed when ``placed`` of its three files had taken their places."""
    run_folder.make(str(folder))
    journal = Journal(str(folder), "run", str(folder))
    for number, name in enumerate(("a.yaml", "b.yaml", "new.yaml")):
        path = folder / name
        old = mark(path.stat()) if path.exists() else None
        entry = Entry(str(path), number, None, old)
        new = Path(journal.staged(entry, "new"))
        new.write_text(f"# ours {number}\n")
        entry.new = mark(new.stat())
        if old is not None:
            os.link(path, journal.staged(entry, "old"))
        journal.entries.append(entry)
    journal.write()
    for entry in journal.entries[:placed]:
        os.rename(journal.staged(entry, "new"), entry.path)
    return journal


@pytest.mark.parametrize("placed", range(4))
@pytest.mark.parametrize("command", [["apply", "."], ["baseline", "write", "."], ["lock", "."], ["apply", "a.yaml"]])
def test_the_next_run_that_writes_takes_back_a_dead_one(
    command: list[str], placed: int, harden: Harden, two: Path
) -> None:
    killed(two, placed=placed)
    assert git(two, "status", "--porcelain", "--ignored").stdout.count(b".harden-run/") == 1
    done = harden(*command, *ONLY) if command[0] != "lock" else harden(*command)
    assert "harden: .harden-run: a run was killed here, and what it had written is taken back\n" in done.err
    assert not (two / ".harden-run").exists() and "ours" not in "".join(map(str, snapshot(two).values()))


@pytest.mark.parametrize("command", ["check", "diff", "graph", "images"])
def test_a_run_that_only_reads_takes_nothing_back(command: str, harden: Harden, two: Path) -> None:
    killed(two)
    before = snapshot(two)
    harden(command, ".")
    assert snapshot(two) == before


def test_what_a_person_changed_since_stays(harden: Harden, two: Path) -> None:
    killed(two, placed=3)
    (two / "b.yaml").write_text("# mine\n")
    (two / "new.yaml").unlink()
    done = harden("baseline", "write", ".")
    assert "b.yaml: it was changed since, and stays as it is\n" in done.err
    assert (two / "b.yaml").read_text() == "# mine\n" and (two / "a.yaml").read_text() == DEPLOYMENT
    assert not (two / "new.yaml").exists() and not (two / ".harden-run").exists()


def test_a_run_that_had_noted_nothing_yet_had_touched_nothing(harden: Harden, two: Path) -> None:
    run_folder.make(str(two))
    (two / ".harden-run/0.new").write_text("half")
    before = {name: each for name, each in snapshot(two).items() if ".harden-run" not in name}
    done = harden("filter", "--report", "r.txt", stdin=b"")
    assert done.err == "" and snapshot(two).keys() - {"r.txt"} == before.keys()


def test_a_secret_stays_where_its_manifest_cannot_come_back(two: Path) -> None:
    """The value is in the folder for secrets alone, once a person went on with the manifest that it was taken from."""
    journal = killed(two, placed=3)
    values = two / "new.yaml"
    journal.entries[2].kept = True
    journal.write()
    (two / "b.yaml").write_text("# mine\n")
    said = run_folder.recover(str(two))
    assert values.read_text() == "# ours 2\n"
    assert any("new.yaml: it stays, since not all" in line for line in said)


@pytest.fixture
def alive(two: Path) -> Iterator[Path]:
    """A repository in which another process is about to write."""
    program = (
        "import sys; from hardener.sources.files.transaction import Transaction\n"
        f"with Transaction() as run:\n    run.create({str(two / 'theirs.yaml')!r}, 'a: 1')\n"
        "    print('waits', flush=True); sys.stdin.readline(); run.place()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "waits\n"
        yield two
        process.communicate("go\n")
    assert (two / "theirs.yaml").read_text() == "a: 1"


def test_what_a_living_run_keeps_is_not_touched(alive: Path) -> None:
    with pytest.raises(OSError, match="another run of harden writes there"), run_folder.alone(str(alive), wait=False):
        pass
    assert (alive / ".harden-run/0.new").exists()


CREATES = "from hardener.sources.files import transaction; transaction.create('b/c.yaml', '')"


@contextmanager
def waiting(
    *command: str, cwd: Path, program: str = "from hardener.cli import main; main()"
) -> Iterator[subprocess.Popen[bytes]]:
    """A run of ``command`` that has said that it waits; whatever becomes of it, it is ended after a while."""
    # As a terminal starts it, also where the tests themselves were told to ignore signals (nohup).
    listens = "signal.signal(signal.SIGINT, signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    program = f"import signal; {listens}\n{program}"
    with subprocess.Popen([sys.executable, "-c", program, *command], cwd=cwd, stderr=subprocess.PIPE) as process:
        timer = threading.Timer(120, process.kill)
        timer.start()
        try:
            assert process.stderr is not None
            while (line := process.stderr.readline()) != b"harden: waiting for another run\n":
                assert line, "it did not say so"
            yield process
        finally:
            timer.cancel()
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [("apply", "."), ("baseline", "write", ".")], ids=" ".join)
def test_a_run_that_waits_can_be_ended(command: tuple[str, ...], number: int, two: Path) -> None:
    before = snapshot(two)
    with run_folder.alone(str(two)), waiting(*command, cwd=two) as process:
        process.send_signal(number)
        assert process.wait(60) not in (0, -signal.SIGKILL)
    assert snapshot(two) == before


def test_a_run_that_waits_for_another_place_can_be_ended(tmp_path: Path) -> None:
    """A file is written where a dead run left its second place, while the first one is in use."""
    write(tmp_path, {f"{name}/{file}.yaml": "mine" for name in "ab" for file in "ab"})
    first, second = killed(tmp_path / "a"), killed(tmp_path / "b")
    first.others, second.first = [second.top], first.top
    for journal in (first, second):
        journal.write()
    before = snapshot(tmp_path)
    tells = "waiting.tell_by(lambda line: print(f'harden: {line}', file=sys.stderr, flush=True))"
    program = f"import sys\nfrom hardener.support import waiting\n{tells}\n{CREATES}"
    with run_folder.alone(first.top), waiting(cwd=tmp_path, program=program) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
    assert snapshot(tmp_path) == before


def test_a_library_that_waits_says_nothing(two: Path) -> None:
    write(two, {"b/b.yaml": "mine"})
    with run_folder.alone(str(two)):
        process = subprocess.Popen([sys.executable, "-c", CREATES], cwd=two, stderr=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.communicate(timeout=60)[1] == b""
    assert (two / "b/c.yaml").exists()


def test_a_run_that_waits_goes_on(two: Path) -> None:
    with ExitStack() as stack:
        with run_folder.alone(str(two)):
            process = stack.enter_context(waiting("apply", ".", *ONLY, cwd=two))
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0 and b"waiting" not in said
    assert "drop:" in (two / "a.yaml").read_text()


def test_the_commands_of_one_process_do_not_wait_for_each_other(two: Path) -> None:
    with run_folder.alone(str(two)):
        transaction.create(str(two / "c.yaml"), "a: 1")
    assert (two / "c.yaml").exists()


# -- a journal may be anybody's


@pytest.mark.parametrize(
    "name", ["../out.yaml", "/etc/x", ".git/hooks/pre-commit", "link/x", "a/../../x", ".GIT/config"]
)
def test_a_journal_is_followed_inside_its_folder_alone(name: str, harden: Harden, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tmp_path, {"tree/a.yaml": DEPLOYMENT, "out.yaml": "mine", "elsewhere/x": "mine"})
    commit(tree)
    (tree / "link").symlink_to("../elsewhere")
    target = (tree / name) if not name.startswith("/etc") else Path(name)
    run_folder.make(str(tree))
    journal = Journal(str(tree), "run", str(tree))
    there = mark(target.stat()) if target.exists() else (4, 1)
    journal.entries = [Entry(str(tree / "PLACE"), 0, there, (1, 1))]
    journal.write()
    path = tree / ".harden-run/journal"
    path.write_bytes(path.read_bytes().replace(b"PLACE", name.encode()))
    (tree / ".harden-run/0.old").write_text("theirs")
    before = snapshot(tmp_path)
    done = harden("apply", ".", cwd=tree)
    assert (done.status, snapshot(tmp_path)) == (2, before)
    assert done.err == "harden: .harden-run: its journal is none that harden wrote; look at it, and remove it\n"


@pytest.mark.parametrize("raw", [b"", b"harden 2\0run\0x\0", b"harden 1\0file\0a.yaml\0x", b"harden 1", b"harden 1\0a"])
def test_a_journal_that_cannot_be_read_is_one_line(raw: bytes, harden: Harden, two: Path) -> None:
    run_folder.make(str(two))
    (two / ".harden-run/journal").write_bytes(raw)
    done = harden("apply", ".")
    assert (done.status, done.err.count("\n")) == (2, 1) and "its journal is none that harden wrote" in done.err


def test_a_journal_that_git_tracks_is_of_no_run(harden: Harden, two: Path) -> None:
    killed(two)
    git(two, "add", "-Af")
    before = snapshot(two)
    done = harden("apply", ".")
    assert (done.status, snapshot(two)) == (2, before)
    assert done.err == "harden: .harden-run: Git tracks it, so no run of harden made it; remove it\n"


def test_a_journal_that_git_tracks_in_a_subfolder_is_of_no_run(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {name: DEPLOYMENT for name in ("k8s/a.yaml", "k8s/b.yaml")})
    commit(tmp_path)
    killed(tmp_path / "k8s")
    git(tmp_path, "add", "-Af")
    before = snapshot(tmp_path)
    done = harden("apply", "k8s")
    assert (done.status, snapshot(tmp_path)) == (2, before)
    assert done.err == "harden: k8s/.harden-run: Git tracks it, so no run of harden made it; remove it\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_journal_of_another_user_is_left_to_them(harden: Harden, two: Path) -> None:
    killed(two)
    shutil.chown(two / ".harden-run", 1234)
    before = snapshot(two)
    done = harden("apply", ".")
    assert (done.status, snapshot(two)) == (2, before) and "of another user" in done.err


@pytest.mark.parametrize("other", ["../elsewhere", "gone", "."])
def test_a_journal_that_names_another_place_needs_the_one_there(other: str, tmp_path: Path) -> None:
    """Each place is taken back by its own journal, and only where it is of the same run."""
    write(tmp_path, {"tree/a.yaml": DEPLOYMENT, "tree/b.yaml": DEPLOYMENT, "elsewhere/a.yaml": "mine"})
    journal = killed(tmp_path / "tree")
    journal.others = [os.path.normpath(tmp_path / "tree" / other)]
    journal.write()
    run_folder.recover(str(tmp_path / "tree"))
    assert snapshot(tmp_path / "elsewhere") == {"a.yaml": (0o100644, b"mine")}
    assert (tmp_path / "tree/a.yaml").read_text() == DEPLOYMENT


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["apply", "link"], "link: a symbolic link, which is not followed"),
        (["apply", "link/sub"], "link/sub: the link link leads out of the repository"),
        (["apply", ".", "--output-dir", "link"], "link: the link link leads out of the tree"),
        (["baseline", "write", ".", "--baseline", "link/x"], "link/x: the link link leads out of the tree"),
        (["baseline", "write", "link"], "link: a symbolic link, which is not followed"),
        (["lock", "link"], "link: a symbolic link, which is not followed"),
        (["golden", "accept", "link"], "link: a symbolic link, which is not followed"),
        (["filter", "--report", "link/x"], "link/x: the link link leads out of the tree"),
    ],
    ids=str,
)
def test_a_dead_run_behind_a_link_is_left_alone(command: list[str], said: str, harden: Harden, tmp_path: Path) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    write(tmp_path, {"tree/a.yaml": DEPLOYMENT, "elsewhere/sub/a.yaml": "mine", "elsewhere/sub/b.yaml": "mine"})
    (tree / "link").symlink_to("../elsewhere")
    commit(tree)
    killed(elsewhere / "sub")
    before = snapshot(tmp_path)
    done = harden(*command, cwd=tree)
    assert (done.status, snapshot(tmp_path)) == (2, before) and done.err.startswith(f"harden: {said}"), done.all


def test_the_library_leaves_a_dead_run_behind_a_link_alone(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/a.yaml": DEPLOYMENT, "elsewhere/b.yaml": "mine"})
    killed(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to("elsewhere")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match="a symbolic link, which is not followed"):
        harden_tree(tmp_path / "link", write=True)
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("kind", ["of another user", "a file", "a link"])
def test_what_others_leave_above_a_path_outside_of_git_stops_nobody(kind: str, harden: Harden, tmp_path: Path) -> None:
    """/tmp is everybody's: what stands there under that name need not be of a run of this user."""
    write(tmp_path, {"shared/mine/a.yaml": DEPLOYMENT, "shared/a.yaml": "theirs", "shared/b.yaml": "theirs"})
    theirs = tmp_path / "shared/.harden-run"
    if kind == "of another user":
        killed(tmp_path / "shared")
        shutil.chown(theirs, 1234)
    elif kind == "a file":
        theirs.write_text("x")
    else:
        theirs.symlink_to("mine")
    before = {name: each for name, each in snapshot(tmp_path).items() if not name.endswith("mine/a.yaml")}
    for command in (["apply", "shared/mine", *ONLY], ["filter", "--report", "shared/mine/r.txt"]):
        done = harden(*command, stdin=b"a: 1\n")
        assert done.status == 0, done.all
    assert "drop:" in (tmp_path / "shared/mine/a.yaml").read_text()
    assert before.items() <= snapshot(tmp_path).items()


def test_a_folder_to_write_to_is_not_searched(harden: Harden, tmp_path: Path) -> None:
    """A run that writes there has its folder at the top of it, or above."""
    write(tmp_path, {"tree/a.yaml": DEPLOYMENT, "out/deep/a.yaml": "mine", "out/deep/b.yaml": "mine"})
    killed(tmp_path / "out/deep")
    before = snapshot(tmp_path)
    done = harden("apply", "tree", "--output-dir", "out")
    assert (done.status, snapshot(tmp_path)) == (2, before)
    assert done.err == "harden: --output-dir out: is there already, and not an empty folder\n"


@pytest.mark.parametrize("others", [("b",), ("b", "c"), ("gone", "b")])
def test_journals_that_name_each_other_decide_nothing(others: tuple[str, ...], harden: Harden, tmp_path: Path) -> None:
    """None of them is the first one, so no run is to be taken back: each is removed, and no other file."""
    write(tmp_path, {f"{name}/{file}.yaml": "mine" for name in ("a", *others) for file in "ab"})
    (tmp_path / "a/w.yaml").write_text(DEPLOYMENT)
    before = snapshot(tmp_path / "a")
    places = ["a", *others]
    for name, first in zip(places, [*places[1:], "a"], strict=True):
        if not (tmp_path / name / ".harden-run").exists() and name != "gone":
            journal = killed(tmp_path / name, placed=0)
            journal.first = f"{tmp_path}/{first}"
            journal.write()
    assert run_folder.recover(str(tmp_path / "a")) == []
    assert snapshot(tmp_path / "a") == before
    assert harden("apply", "a").status == 0


def test_what_a_second_place_keeps_is_taken_back_by_the_first(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}/{file}.yaml": "mine" for name in "ab" for file in "ab"})
    before = snapshot(tmp_path)
    first, second = killed(tmp_path / "a"), killed(tmp_path / "b")
    first.others, second.first = [second.top], first.top
    for journal in (first, second):
        journal.write()
    assert run_folder.recover(second.top) and snapshot(tmp_path) == before


def test_the_folder_of_a_run_is_for_nobody_else(two: Path) -> None:
    with Transaction() as run:
        run.replace(str(two / "a.yaml"), "new", files.read(str(two / "a.yaml")))
        assert stat.S_IMODE((two / ".harden-run").stat().st_mode) == 0o700
        assert git(two, "status", "--porcelain").stdout == b""


def test_a_folder_that_cannot_be_made_is_one_line(two: Path, monkeypatch: pytest.MonkeyPatch, harden: Harden) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_folder, "make", refuse)
    with pytest.raises(OSError, match=f"no folder can be made in {two}: Permission denied"):
        transaction.create(str(two / "c.yaml"), "a")
    with pytest.raises(InputError, match="Permission denied"):
        (two / ".harden-run").mkdir()
        monkeypatch.setattr(run_folder, "alone", refuse)
        run_folder.recover(str(two))
