"""What hardened programs make, and that their text stays what it was in every other respect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ..conftest import run, write
from . import squares

pytestmark = pytest.mark.slow

CASES = [
    pytest.param(dialect, environment, marks=squares.marks(dialect, environment))
    for dialect, found in squares.DIALECTS.items()
    for environment in found
]
FILES = [(dialect, name) for dialect in squares.DIALECTS for name in squares.names(dialect)]
# Nothing of these is changed: what they make is decided by whoever calls them.
WAITING = frozenset({"component.py"})
REFUSED = squares.FIXTURES / "refused.txt"


@pytest.fixture(scope="module", autouse=True)
def guesses() -> Iterator[None]:
    """Guesses are made on both sides: next to nothing is known of the images of the fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(squares, "WITHOUT", [*squares.WITHOUT, "--max-grade", "guess"])
        yield


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A dialect's fixtures, hardened once for all tests."""
    return cache(lambda dialect: squares.hardened(dialect, tmp_path_factory.mktemp(dialect)))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("dialect", "environment"), CASES)
def test_the_square_commutes(
    source: object, tmp_path: Path, dialect: str, environment: str | None, pytestconfig: pytest.Config
) -> None:
    files = source(dialect)  # type: ignore[operator]
    before = squares.rendered(dialect, environment, files.before)
    after = squares.rendered(dialect, environment, files.after)
    wrong: list[str] = []
    left: set[str] = set()
    for name, objects in before.items():
        record = files.records[name]
        parts = squares.split(objects, record)
        wanted, met = squares.as_manifest(parts, record, tmp_path / Path(name).stem)
        for item, got in zip(wanted, squares.split(after[name], record), strict=True):
            wrong += [
                f"{dialect}/{name} {item['kind']} {place}: {one!r} as a manifest, {other!r} from the program"
                for place, one, other in squares.differences(item, got)
            ]
        left |= {f"{dialect}/{name} {each}: {record.left[each]}" for each in met}
    assert wrong == [], "\n" + "\n".join(wrong)
    assert_listed(dialect, sorted(left), accept=bool(pytestconfig.getoption("--harden-accept")))


def assert_listed(dialect: str, refused: list[str], *, accept: bool) -> None:
    """The paths that differ are those that refused.txt lists; a reviewer reads there what is left open."""
    lines = REFUSED.read_text(encoding="utf-8").splitlines() if REFUSED.exists() else []
    if accept:
        others = [line for line in lines if not line.startswith(f"{dialect}/")]
        REFUSED.write_text("".join(f"{line}\n" for line in sorted([*others, *refused])), encoding="utf-8")
    else:
        assert [line for line in lines if line.startswith(f"{dialect}/")] == refused


@pytest.mark.parametrize(("dialect", "name"), FILES)
def test_twice_is_once_and_comments_stay(source: object, dialect: str, name: str) -> None:
    files = source(dialect)  # type: ignore[operator]
    folder = Path(name).stem
    before, after = ((state / folder / name).read_text(encoding="utf-8") for state in (files.before, files.after))
    ast.parse(after)
    assert (before != after) is (name not in WAITING)
    for line in before.splitlines():
        if line.strip().startswith("#"):
            assert line in after
    assert run("diff", ".", *squares.WITHOUT, cwd=files.after / folder).status == 0


FORMS = {
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "a latin-1 cookie": lambda raw: b"# -*- coding: latin-1 -*-\n# f\xfcr alle\n" + raw.replace(b"coding: utf-8", b""),
    "several bytes a letter": lambda raw: "# Größe ≤ 5 🚀\n".encode() + raw,
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("dialect", "name"), FILES)
def test_the_form_of_a_file_makes_no_difference(
    source: object, tmp_path: Path, dialect: str, name: str, form: str
) -> None:
    files = source(dialect)  # type: ignore[operator]
    folder = Path(name).stem
    write(tmp_path, {name: FORMS[form]((files.before / folder / name).read_bytes())})
    assert run("apply", ".", "--yes", *squares.WITHOUT, cwd=tmp_path).status == 0
    assert (tmp_path / name).read_bytes() == FORMS[form]((files.after / folder / name).read_bytes())
