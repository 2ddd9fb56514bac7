"""``harden fleet run``: what it finds in each repository, that nothing of a repository is run, and that a run which was
ended goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fleet as fleets
from hardener.fleet import executors, prefork, store
from hardener.fleet.addresses import read
from hardener.fleet.judge import Judged, Request
from hardener.fleet.status import status
from hardener.report import merged

from .conftest import DEPLOYMENT, Harden, commit, git, run, write
from .shown import block, blocks, section, shell

pytestmark = pytest.mark.slow

HARDEN = [sys.executable, "-m", "hardener"]
NAMES = ("shop", "blog", "wiki", "mail")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty configuration of git, and the cache of a user."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


@pytest.fixture
def names(tmp_path: Path) -> tuple[str, ...]:
    """A list of repositories, each with a workload of its own."""
    for name in NAMES:
        write(tmp_path / name, {"k8s/web.yaml": DEPLOYMENT.replace("web", name), "CODEOWNERS": f"k8s/ @org/{name}\n"})
        commit(tmp_path / name)
    listed(tmp_path, *NAMES)
    return NAMES


def listed(folder: Path, *names: str) -> None:
    (folder / "list").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def reasons(path: Path) -> dict[str, str]:
    """Why repositories failed, by the last part of the address."""
    found = rows(path, "SELECT address, reason FROM result JOIN repository ON id = repository WHERE state = 'failed'")
    return {address.rpartition("/")[2]: reason for address, reason in found}


DB = "harden-fleet.db"


def test_the_rows_are_those_of_a_report_of_each_repository(names: object, tmp_path: Path, harden: Harden) -> None:
    shutil.copytree(tmp_path / "shop" / "k8s", tmp_path / "plain")
    listed(tmp_path, *NAMES, "plain", f"file://{tmp_path}/shop", "# the end")
    done = harden("fleet", "run", "list", "--jobs", "2")
    assert (done.status, done.err) == (0, ""), done.all
    head = git(tmp_path / "shop", "rev-parse", "HEAD").stdout.decode().strip()
    assert rows(
        tmp_path / DB, 'SELECT "commit", workloads, peak_bytes > 10000000 FROM result WHERE repository = 1'
    ) == [(head, 1, 1)]
    assert rows(tmp_path / DB, "SELECT address, \"commit\" FROM result JOIN repository ON id = repository "
                "WHERE \"commit\" IS NULL") == [(str(tmp_path / "plain"), None)]  # fmt: skip
    for name in NAMES:
        report = run("check", ".", "--format", "json", "--fail-on", "none", cwd=tmp_path / name).out
        expected = {
            (row.file, row.object, row.rule, row.state, row.grade, row.severity, row.fingerprint)
            for row in merged.read(name, report).rows
        }
        found = rows(tmp_path / DB, "SELECT file, object, rule, entry.state, grade, severity, fingerprint FROM entry "
                     f"JOIN repository ON id = repository WHERE address = '{tmp_path / name}'")  # fmt: skip
        assert len(found) == len(expected) > 5 and set(found) == expected
    owners = set(rows(tmp_path / DB, "SELECT DISTINCT team FROM entry WHERE file = 'k8s/web.yaml' AND repository = 2"))
    assert owners == {("@org/blog",)}
    risks = rows(tmp_path / DB, "SELECT risk FROM entry WHERE rule = 'run-as-non-root' AND repository = 1")
    assert risks == [("K01",)]
    assert git(tmp_path / "shop", "status", "--porcelain").stdout == b""


def git_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each call of git from now on."""
    log, folder, real = tmp_path / "calls", tmp_path / "bin", shutil.which("git")
    write(folder, {"git": f'#!/bin/sh\necho "$@" >>{log}\nexec {real} "$@"\n'})
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def test_a_commit_that_was_judged_is_not_fetched_again(
    names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert harden("fleet", "run", "list", "--jobs", "1").status == 0
    write(tmp_path / "shop", {"k8s/new.yaml": DEPLOYMENT.replace("web", "new")})
    git(tmp_path / "shop", "add", ".")
    git(tmp_path / "shop", "commit", "-qm", "more")
    log = git_calls(tmp_path, monkeypatch)
    done = harden("fleet", "run", "list", "--jobs", "1")
    assert "4 repositories judged, 3 of them as before, 0 failed" in done.out
    said = log.read_text(encoding="utf-8")
    assert (said.count("ls-remote"), said.count(" fetch ")) == (4, 1)
    query = (
        "SELECT repository, file, rule, state, fingerprint FROM entry WHERE run = {} AND repository > 1 ORDER BY 1, 5"
    )
    assert rows(tmp_path / DB, query.format(1)) == rows(tmp_path / DB, query.format(2)) != []
    new = rows(tmp_path / DB, "SELECT DISTINCT file FROM entry JOIN seen USING (repository, fingerprint) "
               "WHERE run = 2 AND first_run = 2 AND file LIKE 'k8s/%' ORDER BY file DESC")  # fmt: skip
    assert new == [("k8s/new.yaml",), ("k8s/harden-networkpolicies.yaml",)]
    # Another configuration is another run of all of them.
    assert "as before" not in harden("fleet", "run", "list", "--jobs", "1", "--max-grade", "safe").out
    assert "3 of them" not in harden("fleet", "run", "list", "--jobs", "1", "--as-of", "2030-01-01").out


def test_a_run_that_was_killed_goes_on_where_it_was(names: object, tmp_path: Path, harden: Harden) -> None:
    sources = [tmp_path / name for name in NAMES]
    paths = fleets.repositories(tmp_path / "many", 8, sources)
    listed(tmp_path, *paths)
    process = subprocess.Popen([*HARDEN, "fleet", "run", "list", "--jobs", "1"], cwd=tmp_path, stdout=subprocess.PIPE)
    while process.poll() is None and not fleets.done(tmp_path / DB):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    before = fleets.done(tmp_path / DB)
    assert 0 < before < 8
    assert "has not ended" in harden("fleet", "status").out
    done = harden("fleet", "run", "list", "--jobs", "1")
    assert f"{before} of 8 were done before this run was ended; it goes on\n8 repositories judged, 0" in done.out
    assert harden("fleet", "run", "list", "--jobs", "1", "--db", "whole.db", "--cache", "other").status == 0
    assert fleets.tables(tmp_path / DB) == fleets.tables(tmp_path / "whole.db")
    assert rows(tmp_path / DB, "SELECT count(*) FROM run") == [(1,)]


def test_an_unfinished_run_of_another_list_is_left_and_its_results_are_used(
    names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(place: executors.Place, jobs: Any) -> Iterator[Any]:
        yield next(answered(place, jobs))
        raise KeyboardInterrupt

    answered = executors.answers
    with monkeypatch.context() as patch:
        patch.setattr(executors, "answers", ended)
        assert harden("fleet", "run", "list", "--jobs", "1").status == 130
    (first,) = rows(tmp_path / DB, "SELECT address FROM result JOIN repository ON id = repository")
    listed(tmp_path, *(name for name in NAMES if not first[0].endswith(name)))
    assert "3 repositories judged, 0 failed" in harden("fleet", "run", "list", "--jobs", "1").out
    listed(tmp_path, *NAMES)
    assert "4 repositories judged, 4 of them as before" in harden("fleet", "run", "list", "--jobs", "1").out
    assert harden("fleet", "status").out.startswith("run 3 of 3: ")


def _silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which somebody takes connections and says nothing."""
    yield from _silent()


def test_what_does_not_answer_fails_in_time(tmp_path: Path, harden: Harden, silent_port: int) -> None:
    listed(tmp_path, f"https://127.0.0.1:{silent_port}/silent")
    assert harden("fleet", "run", "list", "--timeout", "2").status == 1
    assert reasons(tmp_path / DB) == {"silent": "no answer in 2 seconds (--timeout)"}


def test_each_failure_is_a_row_with_a_reason(names: object, tmp_path: Path, harden: Harden, home: Path) -> None:
    write(tmp_path / "large", {"data.bin": os.urandom(3 << 20), "web.yaml": DEPLOYMENT})
    write(tmp_path / "zeros", {"data.bin": bytes(9 << 20), "web.yaml": DEPLOYMENT})
    commit(tmp_path / "large")
    commit(tmp_path / "zeros")
    (tmp_path / "empty.git").mkdir()
    git(tmp_path / "empty.git", "init", "-q", "--bare")
    (tmp_path / "broken.git" / "objects").mkdir(parents=True)
    (tmp_path / "broken.git" / "refs").mkdir()
    (tmp_path / "broken.git" / "HEAD").write_text("nothing", encoding="utf-8")
    # The configuration of the user may hold a token, and git tells the address that it makes of it.
    write(home, {".gitconfig": '[url "https://me:s3cretpw@127.0.0.1:1/"]\n\tinsteadOf = https://example.invalid/\n'})
    listed(tmp_path, "shop", "nowhere", "large", "zeros", "empty.git", "broken.git", "https://example.invalid/closed")
    done = harden("fleet", "run", "list", "--jobs", "4", "--max-size", "2M")
    assert done.status == 1 and done.out.startswith("1 repository judged, 6 failed; ")
    found = reasons(tmp_path / DB)
    assert found.pop("nowhere") == "there is no such folder"
    assert found.pop("large") == found.pop("zeros") == "is larger than 2 MiB (--max-size)"
    assert found.pop("empty.git") == "has no commit"
    assert "broken.git" in found.pop("broken.git")
    assert "127.0.0.1:1" in found["closed"] and "s3cret" not in found["closed"]
    assert b"s3cret" not in (tmp_path / DB).read_bytes() and "s3cret" not in done.all
    told = harden("fleet", "status")
    assert told.status == 1 and "1 done, 6 failed" in told.out
    assert told.out.count("failed: ") == 6
    # What failed is tried again by the next run.
    again = harden("fleet", "run", "list", "--jobs", "1", "--max-size", "4M")
    assert "1 of them as before, 5 failed" in again.out


def test_a_revision_is_a_branch_a_tag_or_a_commit(names: object, tmp_path: Path, harden: Harden) -> None:
    shop = tmp_path / "shop"
    first = git(shop, "rev-parse", "HEAD").stdout.decode().strip()
    git(shop, "tag", "-am", "first", "v1")
    git(shop, "branch", "old")
    write(shop, {"k8s/web.yaml": DEPLOYMENT.replace("web", "later")})
    git(shop, "commit", "-qam", "later")
    listed(tmp_path, "shop")
    assert harden("fleet", "run", "list", "--rev", "old", "--db", "old.db").status == 0
    for rev in ("v1", first):
        for _ in range(2):  # fetched, then known
            assert harden("fleet", "run", "list", "--jobs", "1", "--rev", rev).status == 0
    assert rows(tmp_path / DB, 'SELECT DISTINCT "commit" FROM result') == [(first,)]
    assert rows(tmp_path / DB, "SELECT count(*) FROM result") == [(4,)]
    assert harden("fleet", "run", "list", "--jobs", "1", "--rev", "none").status == 1
    assert "none" in reasons(tmp_path / DB)["shop"]
    for wrong in ("-x", "a:b", "a..b", "+a", "", "a b", "@{u}"):
        done = harden("fleet", "run", "list", "--jobs", "1", f"--rev={wrong}")
        assert (done.status, done.err.count("\n")) == (2, 1) and "--rev" in done.err


def test_nothing_of_a_repository_is_run(names: object, tmp_path: Path, harden: Harden, home: Path) -> None:
    mark = tmp_path / "ran"
    hooks = home / "hooks"
    write(
        hooks,
        dict.fromkeys(("post-checkout", "reference-transaction", "post-index-change"), f"#!/bin/sh\ntouch {mark}\n"),
    )
    for hook in hooks.iterdir():
        hook.chmod(0o755)
    settings = (
        f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {mark}\n\tautocrlf = true\n"
        f'[filter "lfs"]\n\tsmudge = touch {mark}; cat\n\tprocess = touch {mark}\n\trequired = true\n'
        f'[filter "odd"]\n\tsmudge = touch {mark}; cat\n\trequired = true\n'
        "[submodule]\n\trecurse = true\n[protocol]\n\tallow = always\n"
        f"[init]\n\ttemplateDir = {home}/template\n"
    )
    write(home, {".gitconfig": settings, "template/hooks/post-checkout": f"#!/bin/sh\ntouch {mark}\n"})
    (home / "template/hooks/post-checkout").chmod(0o755)
    shop = tmp_path / "shop"
    write(
        shop,
        {
            ".gitattributes": "[attr]any filter=odd\n*.yaml any ident\n*.bin filter=lfs\n",
            "x.bin": "x",
            "k8s/web.yaml": DEPLOYMENT + "# $Id$\n",
            ".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = {tmp_path}/blog\n\tupdate = !touch {mark}\n',
        },
    )
    blog = git(tmp_path / "blog", "rev-parse", "HEAD").stdout.decode().strip()
    for arguments in (
        ["-c", "filter.odd.clean=", "add", "-A"],
        ["update-index", "--add", "--cacheinfo", f"160000,{blog},s"],
        ["commit", "-qm", "traps"],
    ):
        assert git(shop, *arguments).returncode == 0
    listed(tmp_path, "shop")
    done = harden("fleet", "run", "list", "--jobs", "1")
    assert (done.status, reasons(tmp_path / DB)) == (0, {})
    (entry,) = (path for path in (home / "cache" / "harden" / "fleet").iterdir() if path.is_dir())
    assert (entry / "k8s" / "web.yaml").read_bytes() == (DEPLOYMENT + "# $Id$\n").encode()
    assert list((entry / "s").iterdir()) == [] and not mark.exists()
    # The traps work where git is not told to leave them.
    subprocess.run(["git", "clone", "-q", str(shop), str(tmp_path / "trapped")], capture_output=True)
    assert mark.exists()


def test_a_run_beyond_its_bounds_is_a_row(
    names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "---\n".join(DEPLOYMENT.replace("web", f"web{number}") for number in range(200))
    write(tmp_path / "many", {"all.yaml": many})
    listed(tmp_path, "many", "shop")
    assert harden("fleet", "run", "list", "--jobs", "1", "--memory", "1M").status == 1
    assert reasons(tmp_path / DB) == {"many": "needs more than 1 MiB of memory (--memory)"}
    monkeypatch.setattr(prefork.Server, "is_over", False)
    folder = str(tmp_path / "shop")
    judged = prefork.Server().answer(Request(folder, {}, 0.0, 1 << 32), Judged)
    assert judged.reason == "takes more than 0 seconds (--timeout)"
    wrong = prefork.Server().answer(Request(folder, {"profile": "nonsense"}, 60, 1 << 32), Judged)
    assert wrong.reason is not None and "nonsense" in wrong.reason


def test_a_path_is_taken_letter_by_letter(tmp_path: Path, harden: Harden) -> None:
    names = ("a b", "a%20b", "c%41")
    for name in names:
        write(tmp_path / name, {"web.yaml": DEPLOYMENT.replace("web", f"web{names.index(name)}")})
        commit(tmp_path / name)
    listed(tmp_path, *names, f"file://{tmp_path}/a%2520b")
    assert harden("fleet", "run", "list").status == 0
    found = rows(tmp_path / DB, 'SELECT address, "commit" FROM result JOIN repository ON id = repository')
    assert dict(found) == {
        str(tmp_path / name): git(tmp_path / name, "rev-parse", "HEAD").stdout.decode().strip() for name in names
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_no_git(number: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lives")
    write(tmp_path / "bin", {"ssh": f"#!/bin/sh\nexec 3>{tmp_path}/lives\necho begun >&3\nexec sleep 600\n"})
    (tmp_path / "bin" / "ssh").chmod(0o755)
    listed(tmp_path, "git@example.invalid:shop.git")
    environment = {**os.environ, "GIT_SSH_COMMAND": str(tmp_path / "bin" / "ssh"), "GIT_SSH_VARIANT": "ssh"}
    process = subprocess.Popen([*HARDEN, "fleet", "run", "list"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    with (tmp_path / "lives").open(encoding="utf-8") as lives:
        assert lives.readline() == "begun\n"
        process.send_signal(number)
        assert "interrupted" in process.communicate(timeout=60)[1].decode()
        assert lives.read() == ""  # the end of whoever writes there
    assert process.returncode == 130


def test_a_cache_that_cannot_be_is_one_line_and_fails_no_repository(
    names: object, tmp_path: Path, harden: Harden
) -> None:
    done = harden("fleet", "run", "list", "--cache", "list")
    assert (done.status, done.err.count("\n")) == (2, 1) and f"{tmp_path}/list: File exists" in done.err
    assert rows(tmp_path / DB, "SELECT * FROM result") == []


@pytest.mark.parametrize("said", ["write error. Out of diskspace", "No space left on device"])
def test_a_full_disk_of_the_cache_fails_no_repository(
    said: str, names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bin", {"git": f"#!/bin/sh\necho 'error: {said}' >&2\nexit 128\n"})
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    done = harden("fleet", "run", "list", "--cache", "cache")
    assert (done.status, done.err.count("\n")) == (2, 1) and "cache: No space left on device" in done.err
    assert rows(tmp_path / DB, "SELECT * FROM result") == []


def test_a_process_that_somebody_ends_is_tried_again(
    names: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefork.Server, "is_over", False)
    server = prefork.Server()
    request = Request(str(tmp_path / "shop"), {}, 60, 1 << 32)
    expected = server.answer(request, Judged)
    assert expected.entries and expected.reason is None
    process = server._started()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert server.answer(request, Judged).entries == expected.entries
    server.end()


def test_a_full_disk_is_one_line_and_nothing_is_lost(names: object, tmp_path: Path, harden: Harden) -> None:
    listed(tmp_path, *fleets.repositories(tmp_path / "many", 8, [tmp_path / name for name in NAMES]))
    assert harden("fleet", "run", "list", "--jobs", "1", "--db", "whole.db").status == 0
    full = (
        "from hardener.fleet import store\n"
        "real = store.new_run\n"
        "def small(connection, settings):\n"
        "    (pages,) = connection.execute('PRAGMA page_count').fetchone()\n"
        "    connection.execute(f'PRAGMA max_page_count = {pages + 4}')\n"
        "    return real(connection, settings)\n"
        "store.new_run = small; from hardener.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", full, "fleet", "run", "list"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
    assert "database or disk is full; what was written before stays" in done.stderr
    assert 0 < fleets.done(tmp_path / DB) < 8
    assert harden("fleet", "run", "list", "--jobs", "1").status == 0
    assert fleets.tables(tmp_path / DB) == fleets.tables(tmp_path / "whole.db")


def test_a_full_cache_ends_the_run(
    names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        write(
            tmp_path / "bin", {"git": "#!/bin/sh\necho 'fatal: write error: No space left on device' >&2\nexit 128\n"}
        )
        (tmp_path / "bin" / "git").chmod(0o755)
        patch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
        done = harden("fleet", "run", "list", "--jobs", "1")
    assert done.status == 2 and "No space left on device; what was found before stays. Make room" in done.err
    assert fleets.done(tmp_path / DB) == 0
    assert "4 repositories judged, 0 failed" in harden("fleet", "run", "list", "--jobs", "1").out


def test_a_checkout_that_was_left_half_written_is_made_anew(
    names: object, tmp_path: Path, harden: Harden, home: Path
) -> None:
    assert harden("fleet", "run", "list", "--jobs", "1").status == 0
    for entry in (home / "cache" / "harden" / "fleet").iterdir():
        if entry.is_dir():
            (entry / ".git" / "harden-whole").unlink()
            (entry / ".git" / "index.lock").touch()
            (entry / "k8s" / "web.yaml").write_text("half", encoding="utf-8")
    assert harden("fleet", "run", "list", "--jobs", "1", "--db", "again.db").status == 0
    assert fleets.tables(tmp_path / DB) == fleets.tables(tmp_path / "again.db")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "nonsense"], "nonsense"),
        (["--only", "nonsense"], "nonsense"),
        (["--set", "nonsense=1"], "nonsense"),
        (["--as-of", "soon"], "a day looks like"),
        (["--max-size", "5"], "--max-size"),
        (["--max-size", "0"], "a size looks like 500M or 4G"),
        (["--memory", "much"], "a size looks like 500M or 4G"),
        (["--db", "none/x.db"], "No such file or directory"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler tcp://127.0.0.1:1: "),
        (["--scheduler", "nonsense://x"], "--scheduler nonsense://x: "),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line_and_no_run(
    options: list[str], said: str, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_CONNECT", "1s")
    listed(tmp_path, "nowhere")
    done = harden("fleet", "run", "list", "--jobs", "1", *options)
    if options == ["--max-size", "5"]:  # MiB
        assert done.status == 1
        return
    assert (done.status, done.err.count("\n")) == (2, 1) and said in done.err, done.all
    if (tmp_path / DB).exists():
        assert rows(tmp_path / DB, "SELECT * FROM run") == []


def test_status_of_nothing(tmp_path: Path, harden: Harden) -> None:
    assert "there is no such file" in harden("fleet", "status").err
    with store.writing(str(tmp_path / DB)):
        pass
    assert (harden("fleet", "status").out, status(str(tmp_path / DB))) == ("no run yet\n", 1)


def test_workers_of_a_scheduler_find_the_same_though_one_is_killed(
    names: object, tmp_path: Path, harden: Harden
) -> None:
    pytest.importorskip("distributed")
    listed(tmp_path, *fleets.repositories(tmp_path / "many", 16, [tmp_path / name for name in NAMES]))
    assert harden("fleet", "run", "list", "--jobs", "1", "--db", "here.db").status == 0
    with fleets.cluster(tmp_path / "dask") as (address, processes):
        command = [*HARDEN, "fleet", "run", "list", "--jobs", "1", "--cache", "other", "--scheduler", address]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
            while process.poll() is None and fleets.done(tmp_path / DB) < 4:
                time.sleep(0.01)
            processes[-1].kill()
            out = process.communicate()[0].decode()
    assert process.returncode == 0 and "16 repositories judged, 0 failed" in out
    assert fleets.tables(tmp_path / DB) == fleets.tables(tmp_path / "here.db")


def test_a_scheduler_that_dies_ends_the_run_and_the_next_goes_on(names: object, tmp_path: Path, harden: Harden) -> None:
    pytest.importorskip("distributed")
    listed(tmp_path, *fleets.repositories(tmp_path / "many", 16, [tmp_path / name for name in NAMES]))
    short = (
        "from hardener.fleet import executors; executors._AWAY = 1; executors._LOOK = 0.2\n"
        "from hardener.cli import main; main()\n"
    )
    with fleets.cluster(tmp_path / "dask") as (address, processes):
        command = [sys.executable, "-c", short, "fleet", "run", "list", "--jobs", "1", "--scheduler", address]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None and fleets.done(tmp_path / DB) < 4:
                time.sleep(0.01)
            processes[0].kill()
            error = process.communicate()[1].decode()
    assert (process.returncode, error.count("\n")) == (2, 1), error
    assert "does not answer any more; what was found before stays" in error
    before = fleets.done(tmp_path / DB)
    assert 4 <= before < 16
    assert f"{before} of 16 were done before" in harden("fleet", "run", "list", "--jobs", "1").out
    assert harden("fleet", "run", "list", "--jobs", "1", "--db", "here.db").status == 0
    assert fleets.tables(tmp_path / DB) == fleets.tables(tmp_path / "here.db")


def test_a_worker_of_another_version_ends_the_run(
    names: object, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardener.fleet.work.__version__", "0.0.9")
    done = harden("fleet", "run", "list", "--jobs", "1")
    assert done.status == 2 and "a worker has harden 0.0.9, and not " in done.err


def test_the_page(tmp_path: Path, names: object) -> None:
    (text,) = (each for each in blocks("docs/fleet.md", "text", "A first run"))
    (tmp_path / "repositories.txt").write_text(text, encoding="utf-8")
    addresses = [each.address for each in read(str(tmp_path / "repositories.txt"))]
    assert addresses == ["git@git.example.com:shop/api.git", "https://git.example.com/shop/web.git",
                         "/srv/git/shop/jobs.git"]  # fmt: skip
    shutil.copy(tmp_path / "list", tmp_path / "repositories.txt")
    said = shell(block("docs/fleet.md", "sh", "A first run"), tmp_path)
    assert said.startswith("4 repositories judged, 0 failed; ") and "4 done, 0 failed, 0 without a result" in said
    shell(block("docs/fleet.md", "sh", "What was found"), tmp_path)
    assert (tmp_path / "fleet.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "pull requests in wave" in shell(block("docs/fleet.md", "sh", "Pull requests"), tmp_path)
    tables = [line.split("|")[1].strip().strip("`") for line in section("docs/fleet.md", "The file").splitlines()
              if line.startswith("| `")]  # fmt: skip
    assert set(tables) == store.NAMES


def test_the_list_may_come_on_standard_input(names: object, tmp_path: Path) -> None:
    done = subprocess.run(
        [*HARDEN, "fleet", "run", "-", "--jobs", "1"],
        cwd=tmp_path,
        input="shop\nblog\n",
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("2 repositories judged, 0 failed"), done
    assert json.dumps(done.stderr) == '""'
