"""The folder of pull requests that ``harden fleet plan`` writes, which programs read that open them.

Each pull request is a folder: address, branch, commit-message, body.md. Beside them is what fits all, and plan.json.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from msgspec import Struct, to_builtins

from hardener import __version__
from hardener.authoring.edits import Grade
from hardener.errors import InputError
from hardener.fleet.checkout import entry_name
from hardener.fleet.propose import Proposed
from hardener.report.pull_request import Made
from hardener.support.printable import plain_line

_RECORD = "plan.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
# A repository at a host: of https and ssh, and the short form of ssh. Source: git-clone, "Git URLs".
_AT_HOST = re.compile(r"(?:(?:https|ssh)://(?:[^/@]*@)?[^/]+/|(?:[^/@:]+@)?[^/@:]+:)/*(?P<name>[^?#]+?)(?:\.git)?/?")


class Wave(Struct, frozen=True):
    """What all pull requests have: the branch, the ``command`` that makes the changes, as texts name it and as it is
    started ``there``, in another folder; ``number`` is that of the part."""

    branch: str
    command: str
    there: str
    number: int


class Planned(Struct, frozen=True):
    """What came out for a repository at ``commit``."""

    address: str
    commit: str | None
    proposed: Proposed


class PlanFolder:
    """The new folder ``path`` while it is filled. Where the block is left by an error, it is as it was.

    ``made`` and ``failed`` tell what was added: the names of repositories, and pairs of a name and a reason. Raises
    InputError where the folder is not empty, or cannot be written.
    """

    def __init__(self, path: str, wave: Wave) -> None:
        self.made: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self._path, self._wave = path, wave
        self._records: list[dict[str, Any]] = []
        self._edits: Counter[str] = Counter()
        self._grades: set[Grade] = set()
        self._was_there = False

    def __enter__(self) -> PlanFolder:
        with self._said():
            self._was_there = os.path.lexists(self._path)
            if not self._was_there:
                os.makedirs(self._path)
            if os.listdir(self._path):
                raise InputError(f"--out {plain_line(self._path)}: is not empty; name another folder")
            # From now on it is empty for no other run.
            _write_text(os.path.join(self._path, _RECORD), "", "x")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            return
        for name in os.listdir(self._path):
            path = os.path.join(self._path, name)
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(path)
        if not self._was_there:
            with suppress(OSError):
                os.rmdir(self._path)

    def add(self, planned: Planned) -> None:
        """Write the pull request of ``planned``, or note why there is none. Raises InputError."""
        proposed = planned.proposed
        if proposed.reason is not None:
            self.failed.append((planned.address, proposed.reason))
        elif proposed.made is not None:
            with self._said():
                self._write(planned, proposed, proposed.made)

    def finish(self) -> None:
        """Write what all pull requests have in common, and what there is. Raises InputError."""
        self.made.sort()
        self.failed.sort()
        with self._said():
            if self.made:
                self._write_common()
            _write_text(os.path.join(self._path, _RECORD), json.dumps(self._record(), ensure_ascii=True, indent=1))

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"--out {plain_line(self._path)}: {error.strerror}") from None

    def _write(self, planned: Planned, proposed: Proposed, made: Made) -> None:
        name, folder = _name_at_host(planned.address), entry_name(planned.address)
        texts = {
            "address": planned.address, "branch": self._wave.branch,
            "commit-message": made.message(self._wave.command), "body.md": proposed.body,
        }  # fmt: skip
        os.mkdir(os.path.join(self._path, folder))
        for file, text in (texts if name is None else {**texts, "name": name}).items():
            _write_text(os.path.join(self._path, folder, file), text)
        self.made.append(planned.address)
        self._edits.update(made.edits)
        self._grades.update(made.grades)
        self._records.append({
            "repository": planned.address, "name": name, "commit": planned.commit, "folder": folder,
            "subject": made.subject, "files": proposed.files, "lines": proposed.lines, "parts": proposed.parts,
            "edits": made.edits, "grades": to_builtins(made.grades),
        })  # fmt: skip

    def _write_common(self) -> None:
        """What programs take that have one text for all pull requests."""
        together = Made.counted(self._edits, self._grades)
        command = self._wave.command
        names = filter(None, map(_name_at_host, self.made))
        does = "# Start it in a checkout: it makes the changes of its pull request."
        start = f"#!/bin/sh\n{does}\nexec {self._wave.there}"
        texts = {
            "branch": self._wave.branch, "commit-message": together.message(command), "body.md": together.body(command),
            "repositories.txt": "".join(f"{name}\n" for name in names), "apply.sh": start,
        }  # fmt: skip
        for name, text in texts.items():
            _write_text(os.path.join(self._path, name), text)
        mode = stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH
        os.chmod(os.path.join(self._path, "apply.sh"), mode)

    def _record(self) -> dict[str, object]:
        wave = self._wave
        return {
            "version": 1, "harden": __version__, "branch": wave.branch, "command": wave.command, "part": wave.number,
            "pullRequests": sorted(self._records, key=lambda record: str(record["repository"])),
            "failed": [{"repository": address, "reason": reason} for address, reason in self.failed],
        }  # fmt: skip


def _name_at_host(address: str) -> str | None:
    """``owner/name`` of a repository at a host; None for a path, and for a name that is no such thing."""
    found = _AT_HOST.fullmatch(address)
    return found["name"] if found and _NAME.fullmatch(found["name"]) else None


def _write_text(path: str, text: str, mode: str = "w") -> None:
    """Write ``text`` as lines, of which the last one ends, too."""
    with open(path, mode, encoding="utf-8", errors="backslashreplace", newline="\n") as out:
        out.write(text if not text or text.endswith("\n") else f"{text}\n")
