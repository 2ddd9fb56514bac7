"""Bad input and bad luck: a finding each, the rest of the run done, nothing lost."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.sources.files.transaction import Transaction
from tests.conftest import DEPLOYMENT, ROOT, Done, Harden, snapshot, write

POD = b"apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n"

# Name, content, and what the report says of it. The file lies beside a good one, which must be hardened all the same.
CONTENTS: list[tuple[str, bytes, str]] = [
    ("latin-1", DEPLOYMENT.replace("only", "caf\u00e9").encode("latin-1"),
     "not-utf-8  bad.yaml:1\n    line 13 is not UTF-8"),
    ("half a character", b"kind: Pod # \xe2\x9c", "line 1 is not UTF-8"),
    ("UTF-16 little", DEPLOYMENT.encode("utf-16"), "the file is UTF-16: save it as UTF-8"),
    ("UTF-16 big", b"\xfe\xff" + DEPLOYMENT.encode("utf-16-be"), "the file is UTF-16: save it as UTF-8"),
    ("NUL", b"kind: Pod\x00\n", "Refused: 1 document"),
    ("broken YAML", b"kind: Pod\napiVersion: v1\n  x: 1\n", "Refused: 1 document"),
    ("unclosed", b"kind: Pod\napiVersion: v1\nspec: {containers: [\n", "Refused: 1 document"),
    ("tab indent", b"kind: Pod\napiVersion: v1\nspec:\n\tx: 1\n", "Refused: 1 document"),
    ("duplicate key", DEPLOYMENT.encode() + b"        image: two\n", "Refused: 1 document"),
    ("undefined alias", b"kind: Pod\napiVersion: v1\nspec: *x\n", "Refused: 1 document"),
    ("custom tag", b"kind: Pod\napiVersion: v1\nspec: !vault x\n", "Refused: 1 document"),
    ("python tag", b"kind: Pod\napiVersion: v1\nspec: !!python/object/apply:os.system [touch owned]\n",
     "Refused: 1 document"),
    ("broken JSON", b'{"kind": "Pod", "apiVersion": "v1",, }', "Refused: 1 document"),
    ("conflict", b"<<<<<<< HEAD\nkind: Pod\n=======\nkind: Pod\napiVersion: v1\n>>>>>>> x\n", "Refused: 1 document"),
    ("deep", b"kind: Pod\napiVersion: v1\nspec: " + b"[" * 20000 + b"]" * 20000 + b"\n", "Refused: 1 document"),
    ("empty", b"", ""),
    ("byte order mark alone", b"\xef\xbb\xbf", ""),
    ("only blanks", b"\n \n\t\n", ""),
    ("only comments", b"# kind: Pod\n# nothing\n", ""),
    ("only markers", b"---\n---\n...\n", ""),
    ("a word", b"Pod", ""),
    ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00kind: Pod", "not-utf-8"),
    ("a list", b"- kind: Pod\n- kind: Pod\n", ""),
    ("a number as kind", b"apiVersion: v1\nkind: 1\n", ""),
    ("spec is a word", b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: x\n", ""),
    ("containers are a mapping", b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: {a: b}}\n", ""),
    ("containers are words", b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [a, 1, null]}\n", ""),
    ("a security context that is a list",
     POD + b"spec: {containers: [{name: a, image: b, securityContext: []}]}\n",
     "not-valid-kubernetes"),
    ("names are numbers", POD + b"spec: {containers: [{name: 2, image: 3}]}\n", ""),
]  # fmt: skip


def _bomb(levels: int = 40) -> bytes:
    lines = ["apiVersion: v1", "kind: Pod", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return ("\n".join([*lines, f"spec: *a{levels - 1}"]) + "\n").encode()


def _good(harden: Harden, folder: Path, *arguments: str) -> Done:
    """Apply in ``folder``: no crash, the good file hardened, no temporary file, the bad one as it was."""
    write(folder, {"good.yaml": DEPLOYMENT})
    before = snapshot(folder)
    done = harden("apply", ".", *arguments, cwd=folder)
    after = snapshot(folder)
    assert done.status == 0, done.all
    assert "Traceback" not in done.all and "internal error in harden" not in done.all
    assert b"allowPrivilegeEscalation: false" in after["good.yaml"][1]
    assert [name for name in after if name in before or not _is_new(name)] == list(before)
    return done


def _is_new(name: str) -> bool:
    """Whether a run makes files of this name."""
    return os.path.basename(name) == "harden-networkpolicies.yaml"


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in CONTENTS], ids=[case[0] for case in CONTENTS])
def test_bad_content(content: bytes, expected: str, harden: Harden, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write(work, {"bad.yaml": content})
    done = _good(harden, work)
    assert expected in done.out
    if b"containers: [{" not in content:  # nearly a pod: what can be hardened of it is
        assert (work / "bad.yaml").read_bytes() == content
    report = json.loads(harden("diff", ".", "--format", "json", cwd=work).out)
    assert report["summary"]["refused"] == len(report["refused"]) == expected.count("Refused")
    assert not (work / "owned").exists()


@pytest.mark.parametrize("levels", [8, 40])
def test_an_alias_bomb_is_refused_at_once(levels: int, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path / "work", {"bad.yaml": _bomb(levels)})
    assert "Refused: 1 document" in _good(harden, tmp_path / "work").out


def test_a_file_over_the_limit_is_not_read(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 2 << 20)
    content = DEPLOYMENT.encode() + b"#" * (2 << 20)
    write(tmp_path / "work", {"bad.yaml": content})
    done = _good(harden, tmp_path / "work")
    assert "file-too-large  bad.yaml:1\n    the file has 2 MiB, more than 2 MiB: split it" in done.out


def test_a_broken_document_does_not_block_its_neighbours(harden: Harden, tmp_path: Path) -> None:
    broken = b"---\napiVersion: v1\nkind: Pod\n  x: [\n"
    write(tmp_path / "work", {"bad.yaml": DEPLOYMENT.encode() + broken + b"---\n" + DEPLOYMENT.encode()})
    done = _good(harden, tmp_path / "work")
    text = (tmp_path / "work/bad.yaml").read_bytes()
    assert text.count(b"allowPrivilegeEscalation: false") == 2 and broken in text
    assert "bad.yaml:18 " in done.out


def test_two_bad_documents_are_two_records(harden: Harden, tmp_path: Path) -> None:
    broken = "---\napiVersion: v1\nkind: Pod\n  x: [\n"
    write(tmp_path, {"bad.yaml": broken * 2})
    report = json.loads(harden("diff", "--format", "json").out)
    assert [item["line"] for item in report["refused"]] == [4, 8]


# -- files that are none


@pytest.mark.parametrize("kind", ["folder", "fifo", "socket", "dangling link", "loop"])
def test_what_is_no_file(kind: str, harden: Harden, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    bad = work / "bad.yaml"
    if kind == "folder":
        bad.mkdir()
        write(work, {"bad.yaml/inner.yaml": DEPLOYMENT})
    elif kind == "fifo":
        os.mkfifo(bad)
    elif kind == "socket":
        import socket

        here = os.getcwd()
        os.chdir(work)  # the name of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("bad.yaml")
        os.chdir(here)
    else:
        bad.symlink_to("bad.yaml" if kind == "loop" else "nowhere.yaml")
    done = _good(harden, work)
    assert kind == "folder" or "bad.yaml:1\n" in done.out


def test_a_fifo_that_is_named_does_not_hang(harden: Harden, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bad.yaml")
    done = harden("diff", "bad.yaml")
    assert "not a regular file" in done.all


def test_an_unreadable_file(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "work", {"bad.yaml": DEPLOYMENT})
    (tmp_path / "work/bad.yaml").chmod(0)
    _deny_reading(monkeypatch, "bad.yaml")
    done = _good(harden, tmp_path / "work")
    assert "unreadable-file  bad.yaml:1\n    cannot be read: Permission denied: check its permissions" in done.out


def _deny_reading(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # Permissions do not bind root, so the refusal of the kernel is put in its place.
    import builtins

    real_open, real_os_open = builtins.open, os.open

    def denied(path: object) -> None:
        if isinstance(path, str | Path) and os.path.basename(path) == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    def opened(path: Any, *arguments: Any, **options: Any) -> Any:
        denied(path)
        return real_open(path, *arguments, **options)

    def os_opened(path: Any, *arguments: Any, **options: Any) -> int:
        denied(path)
        return real_os_open(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(os, "open", os_opened)


def test_an_unreadable_folder(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "work", {"closed/web.yaml": DEPLOYMENT})
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if os.path.basename(path) == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        write(tmp_path / "work", {"good.yaml": DEPLOYMENT})
        done = harden("apply", ".", cwd=tmp_path / "work")
    assert done.status == 0
    assert "unreadable-file  closed:1\n" in done.out
    assert "allowPrivilegeEscalation: false" in (tmp_path / "work/good.yaml").read_text()


# -- files that cannot be written


ONLY_THERE = ("--skip", "netpol-workload")  # makes no file


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with two files that will be changed."""
    write(tmp_path / "work", {"bad.yaml": DEPLOYMENT, "good.yaml": DEPLOYMENT})
    return tmp_path / "work"


def _none_written(done: Done, work: Path, reason: str) -> None:
    """One file cannot be written, so none is: files of a run need each other."""
    assert done.status == 2, done.all
    assert (work / "bad.yaml").read_text() == (work / "good.yaml").read_text() == DEPLOYMENT
    head = done.out.splitlines()[0]
    assert head.startswith("nothing was written, since 1 of 2 files cannot be, ") and f"bad.yaml ({reason})" in head
    assert (
        "not-written  bad.yaml:1\n" in done.out
        and f"the file is as it was: {reason}: make it writable and run again\n" in done.out
    )
    assert "not-written  good.yaml" not in done.out and "\nApplied: " not in done.out
    assert sorted(os.listdir(work)) == ["bad.yaml", "good.yaml"]


@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "os.rename", "os.fchmod"])
def test_a_disk_that_is_full_for_one_file(
    call: str, harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = call.partition(".")
    real = getattr(__import__(module), name)
    calls = iter([True])

    def once(*arguments: Any, **options: Any) -> Any:
        if next(calls, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    monkeypatch.setattr(call, once)
    _none_written(harden("apply", ".", *ONLY_THERE, cwd=two), two, "No space left on device")


def test_a_disk_that_is_full_in_the_middle_of_a_file(
    harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdopen
    calls = iter([True])

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            super().write(bytes(content)[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    def fdopen(handle: int, *arguments: Any, **options: Any) -> Any:
        return Full(handle, "wb") if next(calls, False) else real(handle, *arguments, **options)

    monkeypatch.setattr(os, "fdopen", fdopen)
    _none_written(harden("apply", ".", *ONLY_THERE, cwd=two), two, "No space left on device")


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", ["diff .", "check . --format json", "list", "explain run-as-user"])
def test_output_to_a_full_disk_is_one_line(arguments: str, two: Path) -> None:
    with FULL.open("wb") as full:
        command = [sys.executable, "-m", "hardener", *arguments.split()]
        done = subprocess.run(command, cwd=two, stdout=full, stderr=subprocess.PIPE, text=True)
    line = "harden: the output, or a temporary file, cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, line)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; skipped where mounting is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a small file system")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_real_disk_that_is_full(harden: Harden, small_disk: Path) -> None:
    write(small_disk, {"web.yaml": DEPLOYMENT, "api.yaml": DEPLOYMENT})
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as handle:
        try:
            while handle.write(b"x" * 4096) == 4096:
                pass
        except OSError as full:
            assert full.errno == errno.ENOSPC
    before = snapshot(small_disk)
    done = harden("apply", ".", *ONLY_THERE, cwd=small_disk)
    assert done.status == 2  # nothing could be written
    assert " not-written x 2  " in done.out and "the file is as it was: No space left on device" in done.out
    assert snapshot(small_disk) == before
    filler.unlink()
    assert harden("apply", ".", *ONLY_THERE, cwd=small_disk).status == 0
    assert (small_disk / "web.yaml").read_text().count("allowPrivilegeEscalation") == 1


def test_nothing_could_be_written_is_exit_code_2(harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(run_folder, "make", fail)
    before = snapshot(two)
    done = harden("apply", ".", *ONLY_THERE, cwd=two)
    assert done.status == 2
    assert " not-written x 2  " in done.out and "Read-only file system" in done.out
    assert snapshot(two) == before
    report = json.loads(harden("apply", ".", "--format", "json", *ONLY_THERE, cwd=two).out)
    assert report["summary"]["edits"] == len(report["changes"]) == report["summary"]["changed"] == 0
    assert [finding["id"] for finding in report["findings"] if finding["id"] == "not-written"] == ["not-written"] * 2


def test_a_read_only_file_is_a_finding(harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (two / "bad.yaml").chmod(0o444)
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not str(path).endswith("bad.yaml") and real(path, mode)
    )  # as for anyone but root
    _none_written(harden("apply", ".", *ONLY_THERE, cwd=two), two, "Permission denied")
    assert (two / "bad.yaml").stat().st_mode & 0o777 == 0o444


@pytest.mark.slow
def test_a_read_only_folder_of_a_user_who_is_not_root(two: Path) -> None:
    if os.geteuid() != 0:
        command = [sys.executable, "-m", "hardener", "apply", ".", *ONLY_THERE]
    elif shutil.which("setpriv"):
        command = [
            "setpriv",
            "--reuid=65534",
            "--clear-groups",
            sys.executable,
            "-m",
            "hardener",
            "apply",
            ".",
            *ONLY_THERE,
        ]
    else:
        pytest.skip("root cannot become another user here")
    two.chmod(0o555)
    for folder in two.parents:
        folder.chmod(0o755)
        if folder.name.startswith("pytest-of-"):
            break
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=two, capture_output=True, text=True, env=environment)
    two.chmod(0o755)
    if "Permission denied" in done.stderr or "No module named" in done.stderr:
        pytest.skip("another user cannot read this Python")
    assert done.returncode == 2, done.stderr
    assert " not-written x 2  " in done.stdout and "Permission denied: make it writable and run again" in done.stdout
    assert (two / "bad.yaml").read_text() == DEPLOYMENT


@pytest.mark.parametrize("error", [OSError(errno.EROFS, "Read-only file system"), KeyboardInterrupt()])
def test_what_fails_at_the_last_file_takes_the_others_back(
    error: BaseException, harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every text lies beside its file already; the second one cannot take its place."""
    real = os.replace

    def replace(old: str, new: str) -> None:
        if new.endswith("good.yaml"):
            raise error
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    before = {name: (two / name).read_bytes() for name in os.listdir(two)}
    done = harden("apply", ".", cwd=two)  # makes a file, too
    assert done.status == (2 if isinstance(error, OSError) else 130)
    assert {name: (two / name).read_bytes() for name in os.listdir(two)} == before


def test_what_cannot_be_taken_back_is_said(harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.replace, iter([True])

    def once(old: str, new: str) -> None:
        if not next(calls, False):
            raise OSError(errno.EROFS, "Read-only file system")
        real(old, new)

    monkeypatch.setattr(os, "replace", once)
    done = harden("apply", ".", *ONLY_THERE, cwd=two)
    assert done.status == 2
    assert done.out.startswith("only bad.yaml was written, since 1 of 2 files cannot be, ")
    assert "allowPrivilegeEscalation: false" in (two / "bad.yaml").read_text()
    assert "\nApplied: 8 edits in 1 file, by " in done.out
    assert (two / "good.yaml").read_text() == DEPLOYMENT


NAMESPACE = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def test_files_of_a_step_are_written_together(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace is not closed where the policies of its workloads cannot be written."""
    base = DEPLOYMENT.replace("  name: web  # the only one", "  name: web", 1)
    write(tmp_path, {
        "base/web.yaml": base, "base/kustomization.yaml": "resources: [web.yaml]\n",
        "overlay/namespace.yaml": NAMESPACE.removeprefix("---\n"),
        "overlay/kustomization.yaml": "namespace: shop\nresources: [../base, namespace.yaml]\n",
    })  # fmt: skip
    real = Transaction.replace

    def replace(run: Transaction, path: str, *arguments: Any) -> None:
        if os.path.basename(os.path.dirname(path)) == "base":
            raise PermissionError(errno.EACCES, "Permission denied")
        real(run, path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "replace", replace)
        before = snapshot(tmp_path)
        done = harden("apply", ".", "--format", "json")
        assert (done.status, snapshot(tmp_path)) == (2, before)
        assert done.err.splitlines()[-1].startswith("harden: nothing was written, since ")
    harden("apply", ".")
    assert any("default-deny-all" in path.read_text() for path in (tmp_path / "overlay").iterdir())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that nobody can write to")
def test_a_setting_is_not_written_without_the_file_that_it_needs(harden: Harden, tmp_path: Path) -> None:
    kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    write(tmp_path, {"work/kubelet.yaml": kubelet})
    done = harden("apply", ".", "--out-of-band", "/proc/x", cwd=tmp_path / "work")
    assert done.status == 2, done.all
    assert "90-harden-kubelet.conf (No such file or directory)" in done.out.splitlines()[0]
    assert (tmp_path / "work/kubelet.yaml").read_text() == kubelet
    done = harden("apply", ".", "--out-of-band", "../host/x", cwd=tmp_path / "work")
    assert done.status == 0 and "protectKernelDefaults: true" in (tmp_path / "work/kubelet.yaml").read_text()
    assert list((tmp_path / "host/x").iterdir())


@pytest.mark.parametrize("change", ["text", "gone", "folder"])
def test_a_file_that_changes_during_the_run(
    change: str, harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hardener.engine import pipeline

    real = pipeline.run

    def run(*arguments: Any, **options: Any) -> Any:
        outcome = real(*arguments, **options)
        (two / "bad.yaml").unlink()
        if change == "text":
            (two / "bad.yaml").write_text(DEPLOYMENT + "# mine\n")
        elif change == "folder":
            (two / "bad.yaml").mkdir()
        return outcome

    monkeypatch.setattr(pipeline, "run", run)
    done = harden("apply", ".", *ONLY_THERE, cwd=two)
    assert done.status == 2
    assert "not-written  bad.yaml:1\n" in done.out
    assert (two / "good.yaml").read_text() == DEPLOYMENT
    if change == "text":
        assert "the file changed while harden was running; run it again" in done.out
        assert (two / "bad.yaml").read_text() == DEPLOYMENT + "# mine\n"


@pytest.mark.slow
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
def test_killed_at_any_moment_each_file_is_old_or_new(call: str, before: bool, two: Path) -> None:
    """A real SIGKILL at the n-th file, around the calls that make the change."""
    script = (
        "import os, signal, sys\n"
        f"real, count = {call}, 0\n"
        "def deadly(*a, **k):\n"
        "    global count\n"
        "    count += 1\n"
        f"    if {before} and count == int(sys.argv[-1]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    result = real(*a, **k)\n"
        f"    if count == int(sys.argv[-1]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return result\n"
        f"{call} = deadly\n"
        "number = sys.argv[-1]; sys.argv[1:] = ['apply', '.']; sys.argv.append(number)\n"
        "from hardener.commands import run as session\n"
        "choices = session.Choices()\n"
        "session.apply(['.'], choices, session.Style(quiet=True), yes=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    new = None
    for number in (1, 2):
        write(two, {"bad.yaml": DEPLOYMENT, "good.yaml": DEPLOYMENT})
        done = subprocess.run(
            [sys.executable, "-c", script, str(number)], cwd=two, env=environment, capture_output=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        texts = [(two / name).read_text() for name in ("bad.yaml", "good.yaml")]
        new = new or next((text for text in texts if text != DEPLOYMENT), None)
        assert set(texts) <= {DEPLOYMENT, new}
    done = subprocess.run(
        [sys.executable, "-m", "hardener", "apply", ".", *ONLY_THERE], cwd=two, env=environment, capture_output=True
    )
    assert done.returncode == 0
    assert (two / "bad.yaml").read_text() == (two / "good.yaml").read_text() != DEPLOYMENT


def test_ctrl_c_while_writing_says_so(harden: Harden, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    before = snapshot(two)
    done = harden("apply", ".", *ONLY_THERE, cwd=two)
    assert done.status == 130
    assert done.err.splitlines()[-1] == "harden: interrupted; every file is as it was or wholly rewritten"
    assert snapshot(two) == before


# -- patterns of files


def test_every_bad_thing_at_once(harden: Harden, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write(work, {f"{number}.yaml": content for number, (_, content, _) in enumerate(CONTENTS)})
    write(work, {"bomb.yaml": _bomb(), "web.json": b"{"})
    _good(harden, work)
    before = snapshot(work)
    _good_again = harden("apply", ".", cwd=work)
    assert _good_again.status == 0
    assert snapshot(work) == before
