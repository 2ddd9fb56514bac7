"""Code made of texts is kept between runs, and what is kept is never wrong."""

from __future__ import annotations

import atexit
import marshal
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import pytest

from hardener.support import compiled_text

_TEXT = "def __init__(self, one):\n self.one = one\n"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which code is kept; nothing is kept yet."""
    path = tmp_path / "kept"
    monkeypatch.setattr(compiled_text, "_path", lambda: str(path))
    monkeypatch.setattr(compiled_text, "_new", {})
    monkeypatch.setattr(compiled_text, "_used", {})
    monkeypatch.setattr(atexit, "register", lambda function: None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    compiled_text._kept.cache_clear()
    return path


def _made() -> Any:
    scope: dict[str, Any] = {}
    exec(compiled_text.compiled(_TEXT), scope)
    made = type("Made", (), {"__init__": scope["__init__"]})
    return made("a").one


def _next_run() -> None:
    compiled_text._keep()
    compiled_text._kept.cache_clear()
    compiled_text._new.clear()
    compiled_text._used.clear()


def test_a_text_is_compiled_once(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _made() == "a" and not kept.exists()
    _next_run()

    def compile(*arguments: object) -> None:
        raise AssertionError("it is known")

    monkeypatch.setattr(compiled_text, "compile", compile, raising=False)
    assert _made() == "a"


def _spoilt(raw: bytes) -> list[bytes]:
    _, known = marshal.loads(raw)
    others: list[Any] = [7, (b"older", known), (MAGIC_NUMBER, [1])]
    return [b"", b"\0", raw[:-9], *map(marshal.dumps, others)]


def test_a_file_that_is_damaged_or_of_another_python_is_not_there(kept: Path) -> None:
    _made()
    _next_run()
    for spoilt in _spoilt(kept.read_bytes()):
        kept.write_bytes(spoilt)
        compiled_text._kept.cache_clear()
        assert not compiled_text._kept() and _made() == "a"
        _next_run()
        assert _TEXT in compiled_text._kept()


def test_texts_of_former_versions_go(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_text, "_MOST", 3)
    for number in range(3):
        compiled_text.compiled(f"a = {number}")
    _next_run()
    compiled_text.compiled("a = 1")
    compiled_text.compiled("b = 1")
    _next_run()
    assert set(compiled_text._kept()) == {"a = 1", "b = 1"}


def test_nothing_is_written_where_python_writes_no_bytecode(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _made()
    _next_run()
    assert not kept.exists()


def test_a_run_keeps_what_it_compiled(tmp_path: Path) -> None:
    program = (
        "from hardener.support.fast_dataclass import dataclass\n"
        "@dataclass\nclass Only:\n    of_this_test: int\n"
        "assert Only(3).of_this_test == 3"
    )
    command = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", program]
    for _ in range(2):
        subprocess.run(command, check=True)
        (file,) = [path for path in tmp_path.rglob("compiled_text.*") if path.suffix != ".pyc"]
        _, known = marshal.loads(file.read_bytes())
        assert any("of_this_test" in text for text in known)
