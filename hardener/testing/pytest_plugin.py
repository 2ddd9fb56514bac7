"""The golden runner as a pytest plugin: a folder with ``before/``, ``after/`` and ``findings.txt`` is a test.

``pytest --harden-accept`` rewrites ``after/`` and ``findings.txt``; ``hardener.testing.golden`` tells what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.testing.golden import GoldenError, HelmMissingError, check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--harden-accept``."""
    parser.getgroup("harden").addoption(
        "--harden-accept", action="store_true", help="rewrite after/ and findings.txt of golden cases"
    )


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a folder with ``before/`` for a golden case: one below a folder ``golden``, or with what a case has."""
    if not (path / "before").is_dir():
        return None
    if "golden" in path.parts or any((path / name).exists() for name in ("after", "findings.txt", "case.yaml")):
        return GoldenCase.from_parent(parent, path=path)
    return None


class GoldenCase(pytest.Directory):
    """A folder with ``before/``."""

    def collect(self) -> Iterator[pytest.Item]:
        """The one test of the folder."""
        yield GoldenTest.from_parent(self, name="golden")


class GoldenTest(pytest.Item):
    """Runs a case on a copy of its ``before/``."""

    def runtest(self) -> None:
        """Raise GoldenError when the case does not hold."""
        accept = self.config.getoption("--harden-accept")
        try:
            check(self.path, accept=bool(accept))
        except HelmMissingError as error:
            pytest.skip(str(error))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The message alone, where it is ours."""
        if isinstance(excinfo.value, GoldenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Named after its folder."""
        return self.path, 0, str(self.path)
