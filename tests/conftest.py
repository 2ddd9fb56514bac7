"""What the tests share: the command line run in this process, trees to run it on, the corpus beside the repository."""

from __future__ import annotations

import fcntl
import gc
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
import yaml

from . import services, wheels  # noqa: F401 - wheels looks where the caches of the user are, before they are moved

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# How long an example takes depends on the machine, and says nothing of it.
hypothesis.settings.register_profile("harden", deadline=None)
hypothesis.settings.load_profile("harden")

# Where a run keeps what it was before, for harden undo: never in the home of who tests.
_STATE = tempfile.TemporaryDirectory(prefix="harden-state-")
os.environ["XDG_STATE_HOME"] = _STATE.name

CORPUS = ("argo-cd", "bad-pods", "kube-prometheus", "kubernetes-examples", "microservices-demo", "podinfo")

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web  # the only one
        image: example.com/web:1.2.3
"""


_left_out: Counter[str] = Counter()  # by marker; what bears two counts for both


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test the markers of its fixtures, and leave out what is not in the sample of a long test: of the cases
    of one with the marker ``sampled(n)`` each n-th runs and of ``long`` none, and all with HARDEN_CASES=all, or where a
    test is named."""
    for item in items:
        services.mark(item)
    if os.environ.get("HARDEN_CASES") != "all" and not any("::" in argument for argument in config.args):
        _sample(config, items)


def _sample(config: pytest.Config, items: list[pytest.Item]) -> None:
    seen: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("sampled")
        name = item.nodeid.partition("[")[0]
        number = seen[name]
        seen[name] += 1
        is_left = item.get_closest_marker("long") is not None or (marker is not None and number % marker.args[0] != 0)
        (left if is_left else kept).append(item)
    if left:
        items[:] = kept
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end, and to look through it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test is given the services of its own markers."""
    services.set_running(item)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what -m leaves out."""
    for item in items:
        _left_out.update(services.markers() & {mark.name for mark in item.iter_markers()})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(_left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker leaves out the same tests."""
    _left_out.update(Counter(getattr(node, "workeroutput", {}).get("left_out", {})) - _left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which markers -m left out, and how to run their tests."""
    if config.option.markexpr and _left_out:
        counts = ", ".join(f"{count} {name}" for name, count in _left_out.most_common())
        terminalreporter.write_line(f"left out by their markers: {counts}")
        terminalreporter.write_line(
            f'to run them: ./test -m "{" or ".join(sorted(_left_out))}"; to run all tests: ./test'
        )


@dataclass
class Done:
    """A run that ended: its exit code and what it printed."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


Harden = Callable[..., Done]


def shared(*names: str) -> Path:
    """A file of ``../shared``; the test is skipped where that folder is absent."""
    path = SHARED.joinpath(*names)
    if not path.exists():
        pytest.skip(f"needs {path}, which is not part of the repository")
    return path.resolve()  # a tree reads real paths


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run git in ``folder`` with a configuration of its own."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    options = ("user.name=t", "user.email=t@example.com", "core.autocrlf=false", "maintenance.auto=false", "gc.auto=0")
    command = ["git", *(word for option in options for word in ("-c", option)), *arguments]
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, env={**os.environ, **settings})


# What git init makes, less its samples of hooks. A thousand tests begin with it, and the process costs ten times that.
_REPOSITORY = {
    "HEAD": "ref: refs/heads/master\n",
    "config": "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n",
    "info/exclude": "",
}


def commit(folder: Path) -> None:
    """Make ``folder`` a Git repository with everything committed."""
    if not (folder / ".git").exists():
        write(folder / ".git", _REPOSITORY)
        for name in ("branches", "hooks", "objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (folder / ".git" / name).mkdir(parents=True)
    for arguments in (["add", "-Af"], ["commit", "-qm", "start"]):
        done = git(folder, *arguments)
        assert done.returncode == 0, done.stderr


def restore(folder: Path) -> None:
    """Bring ``folder`` back to what is committed; files that came since go."""
    git(folder, "checkout", "-q", ".")
    git(folder, "clean", "-qfd")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write ``files``, by their names below ``folder``, byte for byte."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of every regular file below ``folder``, Git's own excluded."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts and path.is_file() and not path.is_symlink()
    }


def corpus_copy(name: str, folder: Path) -> Path:
    """A copy of a tree of the corpus, as the folder ``tree`` of a Git repository in ``folder``."""
    copy = folder / "tree"
    shutil.copytree(shared("corpus", name), copy, symlinks=True)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    commit(folder)
    return copy


class _Stream(io.TextIOWrapper):
    def __init__(self, content: bytes = b"", *, terminal: bool = False) -> None:
        self.bytes = io.BytesIO(content)
        self.terminal = terminal
        super().__init__(self.bytes, encoding="utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return self.terminal


def run(*arguments: str | Path, cwd: Path, stdin: bytes = b"", terminal: bool = False) -> Done:
    """Run ``harden ARGUMENTS`` in this process, with the working directory and the standard streams replaced."""
    from hardener.cli import app

    out, err = _Stream(terminal=terminal), _Stream(terminal=False)
    status: object = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["harden", *map(str, arguments)])
        patch.setattr(sys, "stdin", _Stream(stdin))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        try:
            app.main()
        except SystemExit as stop:
            status = stop.code
    assert status is None or isinstance(status, int), status
    return Done(status or 0, out.bytes.getvalue().decode(), err.bytes.getvalue().decode())


@pytest.fixture
def harden(tmp_path: Path) -> Harden:
    """``run`` in ``tmp_path``."""
    return lambda *arguments, cwd=tmp_path, **options: run(*arguments, cwd=cwd, **options)


@dataclass
class CorpusTree:
    """A tree of the corpus, what ``diff`` says of it, and what ``apply`` makes of it."""

    folder: Path  # as ``apply`` left it; committed as it was before
    before: dict[str, tuple[int, bytes]]
    after: dict[str, tuple[int, bytes]]
    report: dict[str, Any]
    diff: Done


T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> tuple[Path, T]:
    """What ``make`` leaves in an empty folder, and what it returns: made by the first worker that asks for ``name``.
    The folder is a copy for this worker alone."""
    base = factory.getbasetemp()
    of_all = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    of_all.mkdir(exist_ok=True)
    kept = of_all / "result"
    with (of_all / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(of_all / "folder", ignore_errors=True)  # of one that failed
            (of_all / "folder").mkdir()
            kept.write_bytes(pickle.dumps(make(of_all / "folder")))
    own = factory.mktemp(name) / "folder"
    shutil.copytree(of_all / "folder", own, symlinks=True)
    return own, pickle.loads(kept.read_bytes())


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CorpusTree]:
    """A tree of the corpus by name, hardened once for all tests with the profile ``restricted``."""

    @cache
    def hardened(name: str) -> CorpusTree:
        folder, tree = made_once(tmp_path_factory, f"corpus-{name}", lambda folder: harden_tree(name, folder))
        return replace(tree, folder=folder / "tree")

    return hardened


def harden_tree(name: str, folder: Path) -> CorpusTree:
    """A tree of the corpus in ``folder``, hardened."""
    tree = corpus_copy(name, folder)
    before = snapshot(tree)
    report = run("diff", ".", "--format", "json", cwd=tree)
    assert report.status == 1, report.err
    diff = run("diff", ".", cwd=tree)
    assert snapshot(tree) == before, "diff changed a file"
    applied = run("apply", ".", cwd=tree)
    assert applied.status == 0, applied.err
    return CorpusTree(tree, before, snapshot(tree), json.loads(report.out), diff)


# -- a second reader of YAML, which shares nothing with the engine


class _Loader(yaml.CSafeLoader):
    """Keeps every scalar as its text, so that a comparison does not depend on anybody's idea of types."""


_Loader.yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("^<<$"))]}
_Loader.add_constructor("tag:yaml.org,2002:merge", lambda loader, node: node.value)


def texts(text: str) -> list[Any]:
    """The documents of ``text`` with every scalar as text; "" for null."""
    return list(yaml.load_all(text.removeprefix("\ufeff"), Loader=_Loader))


def same_value(text: Any, value: Any) -> bool:
    """Whether ``text``, data of ``texts``, is the data ``value`` of a JSON report."""
    if isinstance(value, dict):
        return (
            isinstance(text, dict) and text.keys() == value.keys() and all(same_value(text[k], value[k]) for k in text)
        )
    if isinstance(value, list):
        return isinstance(text, list) and len(text) == len(value) and all(map(same_value, text, value))
    if not isinstance(text, str):
        return False
    if value is None:
        return text.lower() in ("", "~", "null")
    if isinstance(value, bool):
        return text.lower() in (("true", "yes", "on", "y") if value else ("false", "no", "off", "n"))
    if isinstance(value, int | float):
        try:
            octal = re.fullmatch(r"[-+]?0o?[0-7]+", text)
            return (int(text.replace("o", ""), 8) if octal else float(text)) == value
        except ValueError:
            return False
    return bool(text == value)


def at(value: Any, path: list[str | int]) -> Any:
    """The value at ``path``; KeyError where there is none."""
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            raise KeyError(part)
    return value


class Places:
    """Where things stand in a text, by PyYAML's marks. Lines count from 1. Only what is asked for is read."""

    def __init__(self, text: str) -> None:
        text = text.removeprefix("\ufeff")
        self.lines = text.split("\n")
        self.pieces = re.split(r"^(?=---(?:[ \t\r\n]|\Z))", text, flags=re.M)
        self.starts = list(accumulate((piece.count("\n") for piece in self.pieces[:-1]), initial=0))
        self._nodes: dict[int, Any] = {}
        self._data: dict[int, Any] = {}

    def document(self, line: int) -> int:
        """The number of the document that holds ``line``."""
        return bisect_left(self.starts, line) - 1

    def data(self, document: int) -> Any:
        """The document with every scalar as text."""
        if document not in self._data:
            (self._data[document],) = (found for found in texts(self.pieces[document]) if found is not None)
        return self._data[document]

    def line(self, document: int, path: list[str | int]) -> tuple[int, bool]:
        """The line of the key or item at ``path``, else of its nearest ancestor; whether it is there."""
        if document not in self._nodes:
            (self._nodes[document],) = (n for n in yaml.compose_all(self.pieces[document], Loader=_Loader) if n)
        node = self._nodes[document]
        first = self.starts[document] + 1
        line = first + node.start_mark.line
        for part in path:
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = first + node.start_mark.line
            elif isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == part), None)
                if pair is None:
                    return line, False
                line, node = first + pair[0].start_mark.line, pair[1]
            else:
                return line, False
        return line, True


def lone_comments(text: str) -> list[str]:
    """The lines that look like a comment alone on its line (inside a block scalar they only look so; no matter)."""
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
