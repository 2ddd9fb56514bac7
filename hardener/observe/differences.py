"""What a container did as it is and no longer does with changes: answers, processes, files, ends, and what it complains
about. Each difference is a failure of the changes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.observe.container_activity import Activity
from hardener.observe.questions import difference
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]


class Difference(Struct, frozen=True):
    """One line. ``is_output``: a part of it is what a container prints."""

    text: str
    is_output: bool = False


_COMPLAINS = re.compile(r"\b(?:EROFS|EPERM|EACCES)\b|(?i:\bdenied\b|read-only file ?system|not permitted|\bfatal\b)")
_ONLY_SAYS = re.compile(r"(?i)\b(?:info|debug|notice)\b")  # a line of a level that is no failure
_VARIES = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|\d+")
# They become another user and wait for what they started, or do nothing; as another user nobody needs them.
_STEPS_DOWN = frozenset(("su", "sudo", "runuser", "doas", "setpriv", "sleep"))
_AS_LONG = 0.75  # of the time that it was looked at before
# Its words name the capability: what is tried next is decided by them (``log_evidence``).
_STAYS_ROOT = "the process {} of {} cannot change user: it stays root, and reports no error"
KILLED = 137  # it did not end by itself when it was told to


def complaints(lines: Iterable[str]) -> dict[str, str]:
    """The lines of a log that tell of something that was refused, by what is the same in each run."""
    found = (line.strip() for line in lines if _COMPLAINS.search(line) and not _ONLY_SAYS.search(line))
    return {_VARIES.sub("#", line): line for line in found}


def differences(
    before: Mapping[str, Activity], after: Mapping[str, Activity], spec: Map, *, whole: bool
) -> Iterator[Difference]:
    """What each container no longer does, or does anew, in one line each, the one that says most first. ``spec`` is
    that of the pod that ran ``after``; ``whole``: it was looked at for as long as before."""
    pairs = [(name, seen, after[name]) for name, seen in before.items() if name in after]
    for _, old, new in pairs:
        yield from (Difference(line, True) for key, line in new.complaints.items() if key not in old.complaints)
    yield from map(Difference, unwritable(before, spec))
    for name, old, new in pairs:
        yield from _answers(old, new)
        yield from map(Difference, _of_processes(name, old, new))
        failed = [each for each, well in old.timers.items() if well and new.timers.get(each) is False]
        yield from (Difference(f"{name}: its timer {each.command!r} no longer ends with 0") for each in failed)
        yield from map(Difference, _vanished(name, old, new) if whole else ())
        yield from map(Difference, unstored(name, old, new))
        if _ends_worse(old.code, new.code):
            yield Difference(f"{name} ends with {new.code} when it is told to end, and with {old.code} as it is")


def _ends_worse(old: int | None, new: int | None) -> bool:
    """Whether it ended by itself as it is, and ends with another code now that tells of a failure: some count the
    requests that went wrong before the others were up, as locust does."""
    return old not in (None, KILLED) and new not in (None, KILLED, 0) and new != old


def _of_processes(name: str, old: Activity, new: Activity) -> Iterator[str]:
    yield from (f"the process {each} of {name} is gone" for each in missing(old, new))
    yield from (_STAYS_ROOT.format(each, name) for each in staying_root(old, new))


def killed(before: Mapping[str, Activity], after: Mapping[str, Activity]) -> Iterator[str]:
    """The containers that ended when they were told to, and are killed now: who starts as root without KILL, for one,
    cannot end what is another user."""
    for name, old in before.items():
        if old.code not in (None, KILLED) and name in after and after[name].code == KILLED:
            yield f"hardened, {name} is killed 5 s after it is told to end; as it is it ends"


def answers_differ(before: Activity, after: Activity) -> bool:
    """Whether an answer is another one."""
    return any(_answers(before, after))


def _answers(old: Activity, new: Activity) -> Iterator[Difference]:
    found = {answer.question: answer for answer in new.answers}
    for answer in old.answers:
        other = found.get(answer.question)
        said = difference(answer, other) if other is not None else None
        if other is not None and said is not None:
            yield Difference(said, answer.is_output or other.is_output)


def has_answered(seen: Activity) -> bool:
    """Whether a container said something when it was asked, and waits for nothing."""
    return not seen.waits and any(answer.is_spoken for answer in seen.answers)


def missing(old: Activity, new: Activity) -> list[str]:
    """The programs of which a process was there as it is, and none is now; of several, at least two."""
    return [
        name
        for name, count in sorted(old.programs.items())
        if new.sees_programs and name not in _STEPS_DOWN and new.lately.get(name, 0) < min(count, 2)
    ]


def staying_root(old: Activity, new: Activity) -> list[str]:
    """The programs of which a process was not root as it is, and each one is now."""
    return [name for name in sorted(old.unprivileged) if new.lately.get(name) and not new.lately_unprivileged.get(name)]


def unwritable(before: Mapping[str, Activity], spec: Map) -> Iterator[str]:
    """The folders to which a container wrote ``before``, where by ``spec`` its root is read-only and no volume is."""
    for container in (each for key in ("initContainers", "containers") for each in mappings(spec.get(key))):
        seen = before.get(str(container.get("name")))
        if seen is None or not mapping(container.get("securityContext")).get("readOnlyRootFilesystem"):
            continue
        mounts = mappings(container.get("volumeMounts"))
        places = [str(each.get("mountPath")) for each in mounts if not each.get("readOnly")]
        for path in sorted(seen.wrote):
            if not any(_is_within(path, place) for place in places):
                yield f"Read-only file system: {container.get('name')} writes to {path}, where no volume is"


def _vanished(name: str, old: Activity, new: Activity) -> Iterator[str]:
    """The folders of volumes, or of the image, that it wrote to and no longer does."""
    if new.age < _AS_LONG * old.age:
        return
    now = [*new.wrote, *new.kept]
    for path in sorted({*old.wrote, *old.kept} - old.later):
        if not any(_is_within(path, place) or _is_within(place, path) for place in now):
            yield f"{name} no longer writes to {path}"


def filled(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> set[str]:
    """The files that got what they hold between two looks at their sizes; none where one of these is missing."""
    if before is None or after is None:
        return set()
    return {path for path, size in after.items() if size and before.get(path) != size}


def unstored(name: str, old: Activity, new: Activity) -> Iterator[str]:
    """What it stored for an exercise as it is, and does not although that ends as it did: a server may take what it
    then cannot store. The names of files may be others each time; so one that is not there is missed only where nothing
    is stored in its place at all."""
    if new.stored is None:
        return
    for path in sorted(old.for_exercise):
        if new.stored.get(path) == 0:
            yield f"exercised, {name} leaves {path} empty"
    for place in sorted({_place_of(path, old) for path in old.for_exercise}):
        if not any(size and _is_within(path, place) for path, size in new.stored.items()):
            yield f"exercised, {name} no longer stores anything in {place}"


def _place_of(path: str, seen: Activity) -> str:
    """The innermost folder of those that it wrote to that has ``path``."""
    places = (place for place in (*seen.wrote, *seen.kept) if _is_within(path, place))
    return max(places, key=len, default=posixpath.dirname(path))


def _is_within(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(f"{folder}/") or not folder
