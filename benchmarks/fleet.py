"""A fleet of thousands of repositories: `python -m benchmarks.fleet [--count 2000]`.

The repositories are trees of `../shared`, copied and changed a little, each one commit in a bare repository. They are
judged by processes of this machine, and by two workers of `dask.distributed` on loopback, one of which is killed in the
middle. The tables have to be equal. Shown are time, memory and rows, and how processor time grows with the number of
repositories, as an exponent. It takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks import measure
from benchmarks.growth import exponent

HARDEN = [sys.executable, "-m", "hardener"]
SHARED = Path(__file__).resolve().parents[2] / "shared"
MOST = 1.1
"""The exponent that processor time may have over the number of repositories."""
_TREES = ("apps", "charts", "corpus", "findings", "seed")
_SMALLEST, _LARGEST = 300, 40_000  # bytes of a tree, small enough for thousands of them to take minutes
_ENDINGS = frozenset({".yaml", ".yml", ".json", ".tf", ".py", ".toml", ""})
_REPLICAS, _TAG = re.compile(r"(replicas: )\d+"), re.compile(r"(image: \S+:)v?\d+(?=\.\d)")
_PLAIN_NAME = re.compile(r"[\w./-]+")


def trees(shared: Path = SHARED) -> list[Path]:
    """The folders of ``shared`` that are small repositories, in order."""
    found = []
    for name in _TREES:
        for path in sorted(each for each in (shared / name).rglob("*") if each.is_dir()):
            size = sum(len(text) for text in texts(path).values())
            if _SMALLEST <= size <= _LARGEST:
                found.append(path)
    return found


def texts(tree: Path) -> dict[str, str]:
    """The texts of the files of ``tree`` by their paths in it."""
    found = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if (
            path.suffix in _ENDINGS
            and path.is_file()
            and not path.is_symlink()
            and not name.startswith(".git/")
            and _PLAIN_NAME.fullmatch(name)
        ):
            raw = path.read_bytes()
            if len(raw) > _LARGEST:
                return {}
            found[name] = raw.decode("utf-8", "replace")
    return found if any(name.endswith((".yaml", ".yml")) for name in found) else {}


def repositories(folder: Path, count: int, sources: Sequence[Path]) -> list[str]:
    """Write ``count`` bare repositories below ``folder``: ``sources`` one after the other, changed by the number of the
    repository. Returns their paths."""
    made = []
    read: dict[Path, dict[str, str]] = {}
    for number in range(count):
        source = sources[number % len(sources)]
        path = folder / f"{source.name}-{number}.git"
        _bare(path, _changed(read.setdefault(source, texts(source)), number))
        made.append(str(path))
    return made


def _changed(files: dict[str, str], number: int) -> dict[str, str]:
    """``files`` with other numbers and tags, here and there without a line that hardens, and with an owner."""
    chance = random.Random(number)
    found = {"CODEOWNERS": f"* @shop/team-{number % 40}\n"}
    for name, text in files.items():
        if name.endswith((".yaml", ".yml")):
            text = _REPLICAS.sub(lambda match: f"{match[1]}{chance.randint(1, 5)}", text)
            text = _TAG.sub(lambda match: f"{match[1]}{chance.randint(1, 40)}", text)
            lines = (line for line in text.splitlines(keepends=True) if not _hardens(line) or chance.random() < 0.7)
            text = f"# {number}\n{''.join(lines)}"
        found[name] = text
    return found


def _hardens(line: str) -> bool:
    return line.strip() in ("runAsNonRoot: true", "allowPrivilegeEscalation: false", "readOnlyRootFilesystem: true")


def _bare(path: Path, files: dict[str, str]) -> None:
    """One commit, by git-fast-import: two processes a repository."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(path)], check=True)
    parts = [b"commit refs/heads/main\ncommitter Fleet <fleet@example.com> 1700000000 +0000\ndata 5\nfleet\n"]
    for name, text in files.items():
        raw = text.encode()
        parts.append(f"M 100644 inline {name}\ndata {len(raw)}\n".encode() + raw + b"\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=b"".join(parts), check=True)
    (path / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")


TABLES = {
    "result": 'SELECT address, state, "commit", reason, workloads FROM result JOIN repository ON id = repository '
    "WHERE run = 1 ORDER BY 1",
    "entry": "SELECT address, file, object, rule, risk, state, grade, severity, fingerprint, team FROM entry "
    "JOIN repository ON id = repository WHERE run = 1 ORDER BY 1, 2, 3, 4, 9, 6",
    "seen": "SELECT address, fingerprint FROM seen JOIN repository ON id = repository ORDER BY 1, 2",
}
"""What has to be equal, whoever did the work: all but times, memory, and the numbers of the rows."""


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the file of a fleet says, as far as two runs have to say the same."""
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(query).fetchall() for name, query in TABLES.items()}


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler of ``dask.distributed`` and its workers on loopback: its address, and these processes in order."""
    folder.mkdir(parents=True, exist_ok=True)
    address_file = folder / "scheduler.json"
    quiet = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical"}
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> None:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=folder, env=quiet, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    try:
        start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(address_file))  # fmt: skip
        for number in range(workers):
            start("distributed.cli.dask_worker", "--scheduler-file", str(address_file), "--host", "127.0.0.1",
                  "--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", str(number),
                  "--local-directory", str(folder / f"worker-{number}"))  # fmt: skip
        yield _address(address_file), started
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _address(path: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError):
            time.sleep(0.1)
    raise measure.FailedError("the scheduler does not start")


def done(path: Path) -> int:
    """How many repositories the file of a fleet has a result of so far."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM result").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def main() -> int:
    """Run both and compare. Returns 1 where the tables differ, or the exponent is above ``MOST``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="repositories")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="harden-fleet-") as name:
        folder = Path(name).resolve()
        sources = trees()
        random.Random(0).shuffle(sources)  # so that each number of them is like the others
        names = repositories(folder / "repositories", given.count, sources)
        print(f"{len(names):,} repositories of {len(sources)} trees", flush=True)
        sizes = [given.count // 4, given.count // 2, given.count]
        costs = [_processes(folder, names[:size], given.jobs) for size in sizes]
        found = exponent(sizes, [cost.cpu for cost in costs])
        print(f"exponent of processor time: {found:.2f} (at most {MOST})", flush=True)
        equal = _distributed(folder, names) == tables(folder / f"{given.count}.db")
        print(f"tables of processes and of workers: {'equal' if equal else 'DIFFERENT'}")
        return 0 if equal and found <= MOST else 1


def _processes(folder: Path, names: list[str], jobs: int) -> measure.Cost:
    path = folder / f"{len(names)}.db"
    cost = measure.run(_command(folder, names, path, "--jobs", str(jobs)), folder, expect=(0, 1))
    _show(f"{len(names):,} by {jobs} processes", cost, path)
    return cost


def _command(folder: Path, names: list[str], path: Path, *options: str) -> list[str]:
    listed = folder / f"{path.stem}.txt"
    listed.write_text("\n".join(names) + "\n", encoding="utf-8")
    return [*HARDEN, "fleet", "run", str(listed), "--db", str(path), "--cache", str(folder / path.stem), *options]


def _show(what: str, cost: measure.Cost, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        failed, largest, slowest = connection.execute(
            "SELECT sum(state = 'failed'), max(peak_bytes), max(seconds) FROM result"
        ).fetchone()
    print(
        f"{what}: {cost.wall:.0f} s, processor {cost.cpu:.0f} s, {cost.peak >> 20} MiB here, {largest >> 20} MiB and "
        f"{slowest:.1f} s the largest repository; {rows:,} rows, {failed} failed, file {path.stat().st_size >> 10} KiB",
        flush=True,
    )


def _distributed(folder: Path, names: list[str]) -> dict[str, list[tuple[object, ...]]]:
    path = folder / "workers.db"
    with cluster(folder / "dask") as (address, processes):
        started = time.perf_counter()
        with subprocess.Popen(_command(folder, names, path, "--scheduler", address), stdout=subprocess.PIPE) as run:
            while run.poll() is None and done(path) < len(names) // 2:
                time.sleep(0.2)
            killed_at = done(path)
            processes[-1].send_signal(signal.SIGKILL)
            run.communicate()
    seconds = time.perf_counter() - started
    print(f"{len(names):,} by 2 workers, one killed after {killed_at:,}: {seconds:.0f} s", flush=True)
    return tables(path)


if __name__ == "__main__":
    sys.exit(main())
