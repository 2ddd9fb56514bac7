"""A baseline: the findings and pending changes that a repository lives with for now, in a file that is committed.

Each entry is named by what it is about, never by line or value: it survives edits around it, and holds no secret.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Create
from hardener.engine.outcome import Change, Outcome, Report
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import transaction
from hardener.sources.manifests import Piece
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object

NAME = "harden.baseline"  # at the Git root; no ending that kubectl apply would read
_FIELDS = ("what", "id", "file", "object", "path")
_WORDS = ("finding", "change", "held")  # the first field
_NAMES = ("name", "mountPath", "containerPort", "key", "type")  # fields that tell items of a list apart

Entry = tuple[str, str, str, str, str]  # the values of _FIELDS


class Compared(Struct, frozen=True):
    """What a run has in common with a baseline: how many records it lists, and the entries that nothing fits."""

    findings: int
    changes: int
    stale: list[Entry]


def entries(outcome: Outcome, mask: Callable[[str], str]) -> Iterator[tuple[Entry, Report | Change]]:
    """The entry of each finding, pending change and held-back step of ``outcome``; ``mask`` hides secrets. A finding
    that stands for several places has one for each of them."""
    places = _Places()

    def entry(what: str, id: str, path: str, item: Object | None, piece: Piece | None, place: Path) -> Entry:
        where = places.named(piece, place) if piece is not None else ""
        name = files.relative(path, outcome.tree.root)
        return (what, id, mask(name), mask(_object(item)), mask(where))

    for found in outcome.findings:
        for one in (found, *found.also):
            path = one.piece.file.path if one.piece is not None else os.path.realpath(one.file)
            yield entry("finding", one.id, path, one.object, one.piece, one.path), found
    held = [(change, "held") for held in outcome.held for change in held.changes]
    for change, what in [*((change, "change") for change in outcome.changes), *held]:
        # What is new belongs to the file that it is made for: a run that does not see that one does not miss it.
        new = isinstance(change.edit, Create)
        piece, place = (change.edit.piece, ()) if new else (change.object.piece, change.path)
        yield entry(what, change.transform.id, piece.file.path, change.object, piece, place), change


def write(path: str, outcome: Outcome, mask: Callable[[str], str]) -> int:
    """Write the baseline of ``outcome`` to ``path``. Returns how many entries it has. Raises InputError."""
    counts = Counter(entry for entry, _ in entries(outcome, mask))
    lines = [
        json.dumps(dict(zip(_FIELDS, entry, strict=True)) | {"count": count}, ensure_ascii=False)
        for entry, count in sorted(counts.items())
    ]
    head = json.dumps({"version": 1, "profile": outcome.profile}, ensure_ascii=False)
    body = ",\n".join(lines)
    text = f'{head[:-1]}, "entries": [\n{body}{chr(10) * bool(lines)}]}}\n'
    try:
        transaction.put(path, text.encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    return len(lines)


def load(path: str, write: str) -> tuple[str, Counter[Entry]]:
    """The profile and the entries of the baseline ``path``, which the command ``write`` makes. Raises InputError."""
    try:
        data: Any = json.loads(files.read(path).text)
        if data["version"] != 1:
            raise InputError(f"{path}: written by a newer harden")
        found: Counter[Entry] = Counter()
        for record in data["entries"]:
            what, id, file, item, place = (str(record[name]) for name in _FIELDS)
            found[what, id, file, item, place] += int(record.get("count", 1))
        return str(data.get("profile")), found
    except files.UnreadableError as error:
        raise InputError(f"{path}: {error.message}; {write} makes it") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is no baseline; {write} makes one") from None


def apply(outcome: Outcome, path: str, mask: Callable[[str], str], judges: Callable[[str], bool]) -> list[str]:
    """Take what the baseline ``path`` holds out of ``outcome``: what is left is new. Returns what a person has to know
    of it, as lines.

    ``judges`` tells whether this run meets everything there is of a transform: only such an entry can be stale, and
    only in a file that may be edited or is gone. Raises InputError.
    """
    profile, listed = load(path, outcome.asked.command("baseline write"))
    unread = {file.path for file in outcome.tree.files if not file.editable}
    compared = compare(outcome, listed, mask, lambda id, file: judges(id) and file not in unread)
    return [mask(line) for line in described(compared, path, outcome.profile, profile)]


def compare(
    outcome: Outcome, listed: Counter[Entry], mask: Callable[[str], str], judged: Callable[[str, str], bool]
) -> Compared:
    """Take what ``listed`` holds out of ``outcome``.

    ``judged`` tells whether this run would have met an entry, by its id and the real path of its file.
    """
    left = Counter(listed)
    known = _known(list(entries(outcome, mask)), left)
    findings, held, changes = len(outcome.findings), len(outcome.held), len(outcome.changes)
    outcome.findings = [found for found in outcome.findings if id(found) not in known]
    outcome.held = [held for held in outcome.held if id(held.changes[0]) not in known]
    outcome.changes = [change for change in outcome.changes if id(change) not in known]
    _leave_out_files(outcome)
    listed_findings = findings - len(outcome.findings) + held - len(outcome.held)
    root = outcome.tree.root
    stale = [entry for entry, count in left.items() if count > 0 and judged(entry[1], os.path.join(root, entry[2]))]
    return Compared(listed_findings, changes - len(outcome.changes), sorted(stale))


def _known(met: list[tuple[Entry, Any]], left: Counter[Entry]) -> set[int]:
    """The ids of the records ``met`` that are ``left`` in the baseline, each of which is taken from there: of a finding
    that stands for several places one is enough."""
    known: set[int] = set()
    taken: set[int] = set()
    # The same under its own word first: what one run makes, one with another --max-grade holds back or reports.
    for alike in (False, True):
        for number, (entry, record) in enumerate(met):
            if number in taken:
                continue
            kept = [(what, *entry[1:]) for what in _WORDS] if alike else [entry]
            match = next((one for one in kept if left[one] > 0), None)
            if match is not None:
                left[match] -= 1
                taken.add(number)
                known.add(id(record))
    return known


def _leave_out_files(outcome: Outcome) -> None:
    """Take out the files and the values of charts that no change of ``outcome`` is left in."""
    changed = {change.object.piece.file.path for change in outcome.changes}
    new = {id(change) for change in outcome.changes}

    def is_new(changes: Iterable[Change]) -> bool:
        return any(id(change) in new for change in changes)

    outcome.files = [file for file in outcome.files if file.file.path in changed or is_new(file.makes)]
    outcome.overrides = [override for override in outcome.overrides if is_new(override.changes)]


def described(compared: Compared, path: str, profile: str, written_for: str) -> Iterator[str]:
    """What a person needs to know of a comparison with the baseline ``path``, line by line."""
    yield (
        f"baseline {path}: {compared.findings} findings and {compared.changes} pending changes are listed there "
        "and not shown"
    )
    if profile != written_for:
        yield f"baseline {path} was written for profile {written_for}, this is {profile}"
    if compared.stale:
        count = len(compared.stale)
        entries = "1 entry matches" if count == 1 else f"{count} entries match"
        yield f"{entries} nothing in this run: fixed, or the baseline was written with other options than this run has"
        for what, id, file, item, place in compared.stale[:10]:
            yield "  no match: " + " ".join(filter(None, (what, id, file, item, place)))
        if len(compared.stale) > 10:
            yield f"  and {len(compared.stale) - 10} more"


def _object(item: Object | None) -> str:
    if item is None:
        return ""
    group = f"{item.group}/" if item.group else ""
    return f"{group}{item.kind} " + (f"{item.namespace}/" if item.namespace else "") + item.name


class _Places:
    """Paths as text in which list items go by name, not by number."""

    def __init__(self) -> None:
        self._documents: dict[Piece, list[Any]] = {}

    def named(self, piece: Piece, path: Path) -> str:
        if piece not in self._documents:
            try:
                self._documents[piece] = piece.read().documents if not piece.is_new else list(piece.data)
            except TextError:
                self._documents[piece] = []
        value: Any = self._documents[piece]
        found: list[str] = []
        for depth, part in enumerate(path):
            value = _child(value, part)
            if depth:
                found.append(_item(value) if isinstance(part, int) else dotted((part,)))
        return ".".join(found).replace(".[", "[")


def _child(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _item(value: Any) -> str:
    if isinstance(value, dict):
        names: Iterable[str] = (name for name in _NAMES if isinstance(value.get(name), str | int))
        for name in names:
            return f"[{name}={value[name]}]"
    return "[]"
