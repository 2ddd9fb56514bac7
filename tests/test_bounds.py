"""No input stops a run: what is too much is refused in one line, all else is done in bounded time of the processor."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from hardener.sources.files.ignore_patterns import spec_of, within_names
from hardener.sources.files.selection import Passed, Selection

from .conftest import write

POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "a:1"}]}\n'
SECONDS = 60  # of the processor
Make = Callable[[Path], None]


def _files(**texts: str) -> Make:
    return lambda folder: write(folder, {name.replace("__", "."): text for name, text in texts.items()})


def _link(name: str, target: str, **texts: str) -> Make:
    def make(folder: Path) -> None:
        write(folder, {"p.yaml": POD, **{name.replace("__", "."): text for name, text in texts.items()}})
        (folder / name).symlink_to(target)

    return make


def _pipe(name: str, **texts: str) -> Make:
    def make(folder: Path) -> None:
        write(folder, {"p.yaml": POD, **{name.replace("__", "."): text for name, text in texts.items()}})
        os.mkfifo(folder / name)

    return make


def _chain(entry: str, count: int) -> Make:
    def make(folder: Path) -> None:
        for number in range(count):
            text = entry.replace("NEXT", f"../o{(number + 1) % count}").replace("OTHER", f"../o{(number + 7) % count}")
            write(folder, {f"o{number}/kustomization.yaml": text, f"o{number}/p.yaml": POD})

    return make


def _containers(count: int) -> str:
    return ", ".join(f'{{"name": "c{number}", "image": "a:1"}}' for number in range(count))


def _completed(count: int) -> str:
    pod = '{"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "w"}]}}'
    return (
        "".join(
            f'd{number} = {{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": "w{number}"}},\n'
            f'    "spec": {{"selector": {{"matchLabels": {{"app": "w"}}}}, "template": {pod}}}}}\n'
            f'd{number}["spec"]["template"]["spec"]["containers"][0]["image"] = "a:1"\n'
            f"limit(d{number})\n"
            for number in range(count)
        )
        + 'def limit(x):\n    x["spec"]["template"]["spec"]["hostPID"] = y\n'
    )


def _deep(folder: Path) -> None:
    path = folder.joinpath(*["d"] * 400)
    write(path, {"p.yaml": POD})


_STARS = "*a" * 20 + "b"
_FOLDERS = "a/" + "**/a/" * 20 + "b"
_OBJECT = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [%s]}}'
_NESTED = 'resource "aws_eks_cluster" "x" {\n' + "a {\n" * 60_000 + "}\n" * 60_000 + "}\n"

# What lies there, the exit code of diff, and what it says.
CASES: dict[str, tuple[Make, int, str]] = {
    "an ignore file without end": (_link(".gitignore", "/dev/zero"), 1, "1 file, 1 document"),
    "a pipe as ignore file": (_pipe(".gitignore"), 1, "the patterns of .gitignore do not count: not a regular file"),
    "a large ignore file": (
        _files(__gitignore="*a*\n" * 300_000, p__yaml=POD), 1, ".gitignore do not count: the file has 1 MiB",
    ),
    "many patterns": (_files(__gitignore="*a*\n" * 4000, p__yaml=POD), 1, "there are more than 3000 patterns"),
    "a profile without end": (_link("z", "/dev/zero", __harden__yaml="profile: ./z\n"), 2, "outside of the tree"),
    "a pipe as profile": (_pipe("z", __harden__yaml="profile: ./z\n"), 2, "./z: cannot be read: not a regular file"),
    "a configuration without end": (_link(".harden.yaml", "/dev/zero"), 2, ".harden.yaml: a link out of the tree"),
    "a lock without end": (_link("harden.lock", "/dev/zero"), 2, "harden.lock: a link out of the tree"),
    "stars in an ignore file": (
        lambda folder: write(folder, {".gitignore": f"{_STARS}\n{_FOLDERS}\n", "a" * 200 + ".yaml": POD}), 1, "",
    ),
    "stars that exclude": (
        lambda folder: write(
            folder, {".harden.yaml": f'exclude: ["{_STARS}", "{_FOLDERS}"]\n', "a" * 200 + ".yaml": POD},
        ), 1, "",
    ),
    "500 containers in Python": (_files(j__py=f"p = {_OBJECT % _containers(500)}\n"), 1, "no more changes are tried"),
    "800 Deployments in Python that are completed later": (_files(d__py=_completed(800)), 1, "800 documents"),
    "20,000 containers": (
        _files(p__json=_OBJECT % _containers(20_000)), 0, "a pod has 20000 containers, more than 200",
    ),
    "20,000 pods": (_files(p__yaml=f"{POD}---\n" * 20_000), 0, "the file has more than 10000 objects"),
    "a chain of 300 kustomizations": (_chain("resources: [NEXT, p.yaml]\n", 300), 1, "files would change"),
    "a circle of components": (_chain("resources: [NEXT, p.yaml]\ncomponents: [OTHER]\n", 60), 1, ""),
    "blocks in blocks": (_files(b__tf=_NESTED), 2, "nested too deep"),
    "flows in flows": (
        _files(b__yaml=f"apiVersion: v1\nkind: Pod\nspec: {'[' * 10_000}{']' * 10_000}\n"), 0, "Refused: 1 document",
    ),
    "folders in folders": (_deep, 0, "lies more than 200 folders deep"),
}  # fmt: skip


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_run_ends(name: str, tmp_path: Path) -> None:
    make, status, expected = CASES[name]
    work = tmp_path / "work"
    work.mkdir()
    (work / ".git").mkdir()
    make(work)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    done = subprocess.run(
        [sys.executable, "-m", "hardener", "diff", ".", "-v", "--max-grade", "guess"],
        cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=limit,
    )  # fmt: skip
    assert done.returncode == status, done.stderr[-2000:]
    assert expected in done.stdout + done.stderr
    assert "internal error in harden" not in done.stderr


# -- patterns


class _Named(GitIgnoreSpecPattern):
    """A pattern as pathspec reads it, in which no set of characters fits a slash."""

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        expression, include = super().pattern_to_regex(pattern)
        return (None if expression is None else within_names(expression)), include


def test_patterns_name_what_they_did() -> None:
    """What is matched in bounded time is what pathspec matches by trying everything."""
    chance = random.Random(16)
    parts = ["a", "b", "*", "*", "/", "**", "**/", "/**/", "?", "[ab]", "[!a]", "!", "\\*", "."]
    tried = 0
    for _ in range(3000):
        pattern = "".join(chance.choice(parts) for _ in range(chance.randrange(1, 9)))
        try:
            plain = GitIgnoreSpec.from_lines([pattern], _Named, backend="simple")
        except ValueError:
            with pytest.raises(ValueError):
                spec_of([pattern])
            continue
        own = spec_of([pattern])
        for _ in range(5):
            names = ("".join(chance.choices("ab.", k=chance.randrange(1, 4))) for _ in range(chance.randrange(1, 5)))
            path = "/".join(names) + chance.choice(["", "/"])
            assert own.check_file(path).include == plain.check_file(path).include, (pattern, path)
            tried += 1
    assert tried > 10_000


@pytest.mark.parametrize("text", ["a" * 250, "a" * 250 + ".yaml"])
def test_a_star_tries_each_place_once(text: str) -> None:
    # With every star trying every place this takes longer than anybody would wait.
    assert not spec_of(["*a" * 60 + "*b"]).match_file(text)
    assert spec_of(["*a" * 60 + "*"]).match_file(text)


def test_an_ignore_file_that_does_not_count_hides_nothing(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.yaml\n" * 4000, "a.yaml": POD})
    (tmp_path / ".git").mkdir()
    passed = Passed()
    found = [path for path, _ in Selection(str(tmp_path)).below(str(tmp_path), passed=passed)]
    assert found == [str(tmp_path / "a.yaml")]
    assert list(passed.unread_ignores) == [str(tmp_path / ".gitignore")]
