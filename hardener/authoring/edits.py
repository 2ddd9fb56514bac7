"""What a transform yields: edits of an object, and findings. All of it plain data, addressed by path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.errors import HardenError
from hardener.kubernetes.objects import key_order
from hardener.sources.manifests import Piece
from hardener.sources.open_values import OpenDict, OpenList, Replaceable, like, opened
from hardener.support.data_path import Parts, Path, dotted, joined


class Grade(StrEnum):
    """How sure a change is: nothing breaks, a person should look, the fact that decides is not known, or there is
    evidence that something breaks. The surest first: it is made where the gate stands at its grade or behind it."""

    SAFE = "safe"
    REVIEW = "review"
    GUESS = "guess"
    BREAKING = "breaking"

    def __init__(self, word: str) -> None:
        self.rank = len(type(self).__members__)  # a value and no property: each step asks


class Severity(StrEnum):
    """How bad what a finding names is. Critical is kept for open credentials and open administration."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def __init__(self, word: str) -> None:
        self.rank = len(type(self).__members__)


class Basis(StrEnum):
    """Where the decision comes from: read from the tree, inferred from names or the image table, or a default."""

    PROVED = "proved"
    INFERRED = "inferred"
    ASSUMED = "assumed"


MISSING: Any = object()
"""What stands where nothing does: null is a value."""


class Evidence(Struct, frozen=True):
    """One fact behind a decision, in words, and where it stands when it stands in a file."""

    text: str
    piece: Piece | None = None
    path: Path = ()


said = lru_cache(maxsize=1024)(str)
"""A text of evidence, one object for all that say the same: most do not name what they are about."""


def evidence_of(found: Iterable[Evidence] | None) -> tuple[Evidence, ...]:
    """Return what was ``found``, as an edit keeps it: what stands nowhere is one object for all edits that say the
    same."""
    if not found:
        return ()
    facts = tuple(found)
    for fact in facts:
        if fact.piece is not None:
            return facts
    return _alike(*[fact.text for fact in facts])


@lru_cache(maxsize=1024)
def _alike(*texts: str) -> tuple[Evidence, ...]:
    return tuple(map(Evidence, texts))


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that an edit takes out of the tree, for the folder that ``--secrets-out`` names; it is never printed.

    ``key`` and ``name`` are its place in the store of secrets, ``secret`` the Secret that will hold it (its namespace
    and name), ``source`` the object and path that held it. ``via`` is the way there: "vault" or "vault-patch" with the
    mount, "aws", "gcp", "azure", "kubectl", "sops" with the file, "sealed".
    """

    key: str
    name: str
    value: bytes = field(repr=False)
    secret: tuple[str | None, str]
    source: str
    via: tuple[str, ...]


class Edit(Struct, frozen=True, kw_only=True):
    """A change of one place in one document, relative to the data before the step it belongs to.

    ``path`` starts with the number of the document in its piece. ``typed`` is how many of its parts lead to the
    view that made it, ``type_name`` the Kubernetes type there: both only place new keys. ``requires`` are the steps, in
    order and with their commands, that a person takes before the change is applied to a cluster, ``follow_up`` those
    after it. ``keeps`` are the secrets that it takes out of the tree.
    """

    piece: Piece
    path: Path
    grade: Grade
    basis: Basis
    evidence: tuple[Evidence, ...] = ()
    late: bool = False
    impact: str | None = None
    requires: tuple[str, ...] = ()
    follow_up: tuple[str, ...] = ()
    keeps: tuple[Kept, ...] = ()
    type_name: str | None = None
    typed: int = 0


class Set(Edit, frozen=True, kw_only=True):
    """The value at ``path`` becomes ``value``; missing or null parents become mappings."""

    value: Any


class Append(Edit, frozen=True, kw_only=True):
    """``value`` becomes the last item of the list at ``path``; a missing or null list is made. With ``widens`` a text
    there becomes the first item. Where the list holds ``unless``, ``value`` is needless and not added."""

    value: Any
    widens: bool = False
    unless: Any = MISSING


class Insert(Edit, frozen=True, kw_only=True):
    """``value`` comes before the list item at ``path``, or after the last where that is how many there are."""

    value: Any


class Drop(Edit, frozen=True, kw_only=True):
    """The key or item at ``path`` goes."""


class Create(Edit, frozen=True, kw_only=True):
    """A new object ``value`` in the file ``harden-<topic>.yaml`` beside the one of ``piece`` (behind the file of its
    Namespace, where the folder is applied as it stands), or at the end of that one where ``topic`` is None; ``path`` is
    empty."""

    topic: str | None
    value: dict[str, Any]


class HostFile(Create, frozen=True, kw_only=True):
    """A new file ``topic`` with ``text`` for hosts or agents, outside of what is applied to a cluster, so no
    kustomization lists it; ``value`` is empty."""

    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """Something wrong that is left alone, and what to do about it.

    Of findings with the same ``once`` a transform makes one per run. Those with the same ``topic`` ("image not pinned")
    are one line for a person: how many there are, and the advice; where that differs, one of them stands for all.
    ``line`` is that of the file, 1-based, where no path leads there: a comment. ``not_looked_at``: an object, or a
    part of it that decides something, was not judged; ``harden check --no-waivers`` ends with 2 for it, whatever the
    severity.
    """

    message: str
    advice: str
    severity: Severity
    piece: Piece | None = None
    path: Path = ()
    once: str | None = None
    topic: str | None = None
    line: int = 0
    not_looked_at: bool = False


class WrongShapeError(HardenError):
    """A value has a shape that Kubernetes does not allow there. The message names the path."""


class OpaqueError(HardenError):
    """A value is an expression that is filled in later, or a program may add it. The message names the expression and
    its path; ``path`` is that of the ``expression``, or of the mapping or list to which something may be added;
    ``advice`` is what to do, where that is not to look for what the expression means."""

    def __init__(self, expression: str, path: Path, verb: str = "is", advice: str = "") -> None:
        super().__init__(f"{dotted(path) or 'the object'} {verb} {expression}")
        self.expression = expression
        self.path = path
        self.advice = advice


def replay(documents: list[Any], step: tuple[Edit, ...] | list[Edit]) -> None:
    """Apply the edits of one step to ``documents`` in place; their paths mean the data before the step.

    Raises WrongShapeError where a path leads through a value that is neither a mapping, a list nor null;
    ``places`` raises it before anything changed.
    """
    if len(step) == 1 and type(step[0]) is Set:  # most steps
        _set(documents, step[0])
        return
    moves: list[tuple[Any, str | int, Edit]] = []
    for edit in step:
        if isinstance(edit, (Drop, Insert)):
            moves.append((_parent(documents, edit), edit.path[-1], edit))
    for edit in step:
        if isinstance(edit, Set):
            _set(documents, edit)
        elif isinstance(edit, Append):
            parent = _parent(documents, edit)
            if isinstance(parent, dict) and parent.get(edit.path[-1]) is None:
                _put(parent, edit.path[-1], [], edit)
            target = _child(parent, edit.path[-1])
            if not isinstance(target, list):
                raise WrongShapeError(dotted(edit.path[1:]))
            target.append(copied(edit.value))
    # Items come and go from the back, so that the indexes of the ones before them stay what the step saw.
    moves.reverse()
    for parent, key, edit in sorted(moves, key=_place, reverse=True):
        if isinstance(edit, Insert):
            parent.insert(key, copied(edit.value))
        else:
            del parent[key]


def _set(documents: list[Any], edit: Set) -> None:
    _put(_parent(documents, edit), edit.path[-1], copied(edit.value), edit)


def _place(move: tuple[Any, str | int, Edit]) -> tuple[int, bool]:
    return move[1] if isinstance(move[1], int) else -1, isinstance(move[2], Drop)


def places(documents: list[Any], step: Iterable[Edit]) -> list[tuple[Path, Any]]:
    """Return where each edit of a step acts on ``documents`` as they are before it, and a copy of what it replaces or
    removes, MISSING where it adds. An appended item gets its index.

    Raises WrongShapeError where ``replay`` would, before anything changed: a step is made whole or not at all.
    """
    found: list[tuple[Path, Any]] = []
    appended: dict[Path, int] = {}
    for edit in step:
        if isinstance(edit, Append):
            path, there = edit.path, _there(documents, edit)
            number = appended[path] = appended.get(path, -1) + 1
            path = joined(path, ((len(there) if isinstance(there, list) else 0) + number,))
            found.append((path, MISSING))
        else:
            found.append((edit.path, replaced(documents, edit)))
    return found


def replaced(documents: list[Any], edit: Edit) -> Any:
    """Return a copy of what ``edit``, which appends nothing, replaces or removes; MISSING where it adds. Raises as
    ``places`` does."""
    there = _there(documents, edit)
    if there is MISSING or not isinstance(there, (dict, list)):
        return there
    if not there and not isinstance(edit, Drop):
        return MISSING  # an empty mapping or list that is filled was as good as none
    return copied(there)


def widened(edits: list[Edit]) -> list[Edit]:
    """Return ``edits`` with one that makes a list out of a text in place of those that add to it. An earlier step of
    the call may have made the list."""
    found: list[Edit] = []
    lists: dict[tuple[int, Path], list[Any]] = {}
    for edit in edits:
        if isinstance(edit, Append) and edit.widens:
            made = lists.get((id(edit.piece), edit.path))
            if made is not None:
                made.append(edit.value)
                continue
            text = _lookup(edit.piece.data, edit.path)
            if isinstance(text, str):
                made = lists[id(edit.piece), edit.path] = [text, edit.value]
                words = {name: getattr(edit, name) for name in Edit.__struct_fields__}
                edit = Set(value=made, **words)
        found.append(edit)
    return found


def _lookup(value: Any, path: Path) -> Any:
    for part in path:
        kind = type(value)
        if kind is dict and type(part) is str:
            value = value.get(part)
        elif kind is list and type(part) is int and part < len(value):
            value = value[part]
        elif value is None:
            return None
        else:
            value = _child(value, part)
    return value


def _there(documents: list[Any], edit: Edit) -> Any:
    """What stands at the place of ``edit``; MISSING where nothing does, or an item comes between others. Raises
    WrongShapeError where the edit cannot be made."""
    path = edit.path
    key, parent = path[-1], _lookup(documents, path[:-1])
    if type(edit) is Insert:  # isinstance of a struct is slow where it says no, and every edit comes here
        if not isinstance(parent, list) or not isinstance(key, int) or key > len(parent):
            raise WrongShapeError(dotted(path[1:-1]))
        return MISSING
    if parent is None:
        return MISSING
    if not isinstance(parent, (dict, list)):
        raise WrongShapeError(dotted(path[1:-1]))
    found = _child(parent, key)
    if found is None:
        return None if key in parent or isinstance(key, int) else MISSING
    if isinstance(edit, Append) and not isinstance(found, list):
        raise WrongShapeError(dotted(path[1:]))
    return found


def moved(edit: Edit, start: int, path: Path) -> Edit:
    """Return ``edit`` with the first ``start`` parts of its path replaced by ``path``; new keys are placed as
    before."""
    typed = edit.typed - start
    return replace(
        edit,
        path=(*path, *edit.path[start:]),
        type_name=edit.type_name if typed >= 0 else _type_below(edit.type_name, edit.path[edit.typed : start]),
        typed=len(path) + max(typed, 0),
    )


def _parent(documents: list[Any], edit: Edit) -> Any:
    """The mapping or list that holds the place of ``edit``; missing and null ones on the way are made."""
    value: Any = documents
    path = edit.path
    for position, part in enumerate(path[:-1]):
        kind = type(value)
        if kind is dict:
            child = value.get(part)  # none where a number is asked for, and `_put` refuses to make it
        elif kind is list and type(part) is int and part < len(value):
            child = value[part]
        else:
            child = _child(value, part)
        if child is None:
            child = {}
            _put(value, part, child, edit, position)
        value = child
    if not isinstance(value, (dict, list)):
        raise WrongShapeError(dotted(path[1:-1]))
    return value


def _child(value: Any, part: str | int) -> Any:
    kind, of = type(value), type(part)
    if (kind is dict or kind is OpenDict or kind is Replaceable) and of is str:
        return value.get(part)
    if (kind is list or kind is OpenList) and of is int and part < len(value):  # type: ignore[operator]
        return value[part]
    raise WrongShapeError(str(part))


def _type_below(name: str | None, path: Path) -> str | None:
    for part in path:
        if isinstance(part, str):
            name = key_order.child(name, part)
    return name


@lru_cache(maxsize=4096)  # the paths below a view and the keys that stand there are few, and the same all over a tree
def _index_of(key: str, keys: tuple[str, ...], name: str | None, path: Path) -> int:
    """Where a new ``key`` goes among the ``keys`` of the mapping at ``path`` below a value of the type ``name``."""
    where, anchor = key_order.place(_type_below(name, path), keys, key)
    return len(keys) if where == "end" else keys.index(str(anchor)) + (where == "after")


def _put(parent: Any, key: str | int, value: Any, edit: Edit, position: int = -1) -> None:
    """Put ``value`` under ``key``, which is the part of the edit's path at ``position``."""
    if isinstance(parent, list) and isinstance(key, int):
        parent[key] = value
        return
    if not isinstance(parent, dict) or not isinstance(key, str):
        raise WrongShapeError(str(key))
    if not parent or key in parent:
        parent[key] = value
        return
    index = _index_of(key, tuple(parent), edit.type_name, edit.path[edit.typed : position])
    if index == len(parent):
        parent[key] = value
        return
    items = list(parent.items())
    parent.clear()
    parent.update(items[:index])
    parent[key] = value
    parent.update(items[index:])


def copied(value: Any) -> Any:
    """Return a copy of plain data, so that two documents never share a container; what is open stays so."""
    if not isinstance(value, (dict, list, tuple)):
        return value
    if isinstance(value, dict):
        mapping = {key: copied(item) for key, item in value.items()}
        return mapping if type(value) is dict else like(value, mapping)
    items = [copied(item) for item in value]
    return items if type(value) is not OpenList else opened(items, value.why, alike=value.alike)


def copied_along(value: Any, parts: Parts) -> Any:
    """Return a copy of plain data whose containers are its own where a path of ``parts`` leads through them or ends;
    the others are those of ``value``."""
    if isinstance(value, dict):
        made: Any = dict(value)
        made = made if type(value) is dict else like(value, made)
    elif isinstance(value, list | tuple):
        made = list(value)
        made = made if type(value) is not OpenList else opened(made, value.why, alike=value.alike)
    else:
        return value
    for part, rest in parts.items():
        if part in made if isinstance(made, dict) else isinstance(part, int) and -len(made) <= part < len(made):
            made[part] = copied_along(made[part], rest)
    return made
