"""The golden runner, a pytest plugin: a folder with ``before/``, ``after/`` and ``findings.txt`` is a test.

``case.yaml`` beside them may name ``profile``, ``only``, ``max-risk``, ``accept``, ``set`` and ``kubernetes-version``.
Five checks: text equal, findings equal, a second run changes nothing, every comment survives, and (inside the run)
written text parses to what was decided. ``pytest --harden-accept`` rewrites ``after/`` and ``findings.txt``.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_KEYS = {"profile", "only", "max-risk", "accept", "set", "kubernetes-version"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--harden-accept``."""
    parser.getgroup("harden").addoption(
        "--harden-accept", action="store_true", help="rewrite after/ and findings.txt of golden cases"
    )


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a folder that holds ``before/`` for a golden case."""
    if (path / "before").is_dir():
        return GoldenCase.from_parent(parent, path=path)
    return None


class GoldenCase(pytest.Directory):
    """A folder with ``before/``."""

    def collect(self) -> Iterator[pytest.Item]:
        """The one test of the folder."""
        yield GoldenTest.from_parent(self, name="golden")


class GoldenError(Exception):
    """A golden case that does not hold; the message is for people."""


class GoldenTest(pytest.Item):
    """Runs a case on a copy of its ``before/``."""

    def runtest(self) -> None:
        """Raise GoldenError when the case does not hold."""
        accept = self.config.getoption("--harden-accept")
        check(self.path, accept=bool(accept))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The message alone, where it is ours."""
        if isinstance(excinfo.value, GoldenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Named after its folder."""
        return self.path, 0, str(self.path)


def check(case: Path, *, accept: bool = False) -> None:
    """Run the golden case in folder ``case``; with ``accept`` write what comes out. Raises GoldenError."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve() / "work"
        shutil.copytree(case / "before", work)
        settings = _settings(case)
        found = _run(work, settings)
        after = _texts(work)
        if accept:
            _accept(case, work, found)
            return
        _compare(_texts(case / "after"), after, case)
        expected = (case / "findings.txt").read_text(encoding="utf-8") if (case / "findings.txt").exists() else ""
        if expected != found:
            raise GoldenError(f"{case}: findings.txt differs\n{_difference(expected, found)}")
        _comments_survive(_texts(case / "before"), after, case)
        _run(work, settings)
        again = _texts(work)
        if again != after:
            raise GoldenError(f"{case}: a second run changes it again\n{_differences(after, again)}")


def _settings(case: Path) -> dict[str, Any]:
    from hardener.sources.yaml import parse

    path = case / "case.yaml"
    settings: dict[str, Any] = (parse(path.read_text(encoding="utf-8")).documents[0] or {}) if path.exists() else {}
    unknown = settings.keys() - _KEYS
    if unknown:
        raise GoldenError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
    if "only" not in settings and case.parent.parent.name != "profiles":
        settings["only"] = [case.parent.name]
    if case.parent.parent.name == "profiles":
        settings.setdefault("profile", case.parent.name)
    return settings


def _run(work: Path, settings: dict[str, Any]) -> str:
    from hardener import config, pipeline, profile
    from hardener.edits import Grade
    from hardener.session import _write
    from hardener.sources.yaml import parse
    from hardener.workspace import Settings, Workspace

    chosen = profile.load(settings.get("profile", "restricted"))
    for text in settings.get("set", []):
        name, _, value = text.partition("=")
        chosen.set_option(name, parse(value).documents[0], "case.yaml")
    version = config.version(str(settings.get("kubernetes-version", config.DEFAULT_VERSION)))
    gate = pipeline.Gate(Grade(settings.get("max-risk", "review")), frozenset(settings.get("accept", [])))
    here = os.getcwd()
    os.chdir(work)
    try:
        workspace = Workspace.read([str(work)], root=str(work), settings=Settings(version))
        outcome = pipeline.run(workspace, chosen, gate, only=frozenset(settings.get("only", [])))
        text = _findings(outcome)
        _write(outcome)
    finally:
        os.chdir(here)
    return text


def _findings(outcome: Any) -> str:
    from hardener.edits import dotted

    lines = []
    for change in outcome.changes:
        line = change.new_line or change.line
        because = "; ".join(fact.text for fact in change.evidence)
        where = f"{change.object.piece.file.name}:{line}"
        lines.append(
            f"applied {change.transform.id} {change.edit.grade} {change.edit.basis} {where} "
            f"{change.object} {dotted(change.path[1:])}" + (f": {because}" if because else "")
        )
    for held in outcome.held:
        first = held.changes[0]
        because = "; ".join(dict.fromkeys(fact.text for change in held.changes for fact in change.edit.evidence))
        lines.append(
            f"held {held.transform.id} {held.grade} {first.object.piece.file.name}:{first.line} {first.object} "
            f"{dotted(first.path[1:])}: {because}"
        )
    for finding in outcome.findings:
        target = f"{finding.object} " if finding.object is not None else ""
        lines.append(
            f"finding {finding.id} {finding.severity} {finding.file}:{finding.line} {target}"
            f"{finding.message}: {finding.advice}"
        )
    for item in outcome.refused:
        lines.append(f"refused {item.file}:{item.line} {item.edits} edits: {item.reason}")
    return "".join(line + "\n" for line in sorted(lines))


def _texts(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _accept(case: Path, work: Path, found: str) -> None:
    shutil.rmtree(case / "after", ignore_errors=True)
    shutil.copytree(work, case / "after")
    (case / "findings.txt").write_text(found, encoding="utf-8")


def _compare(expected: dict[str, bytes], found: dict[str, bytes], case: Path) -> None:
    if expected != found:
        raise GoldenError(f"{case}: after/ differs (--harden-accept takes it over)\n{_differences(expected, found)}")


def _differences(expected: dict[str, bytes], found: dict[str, bytes]) -> str:
    parts = []
    for name in sorted(expected.keys() | found.keys()):
        one, other = expected.get(name), found.get(name)
        if one != other:
            parts.append(
                f"{name}:\n"
                + _difference((one or b"").decode("utf-8", "replace"), (other or b"").decode("utf-8", "replace"))
            )
    return "\n".join(parts)


def _difference(expected: str, found: str) -> str:
    from difflib import unified_diff

    return "".join(unified_diff(expected.splitlines(True), found.splitlines(True), "expected", "found"))


def _comments_survive(before: dict[str, bytes], after: dict[str, bytes], case: Path) -> None:
    # A comment alone on its line is never removed; one at the end of a line may go with that line.
    for name, content in before.items():
        wanted = Counter(
            line.strip() for line in content.decode("utf-8", "replace").split("\n") if re.match(r"\s*#", line)
        )
        kept = Counter(line.strip() for line in after.get(name, b"").decode("utf-8", "replace").split("\n"))
        lost = wanted - kept
        if lost:
            raise GoldenError(f"{case}: {name} lost the comments {', '.join(lost)}")
