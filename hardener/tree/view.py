"""A mapping of an object, read by path and changed by yielding edits.

``get`` refuses values that a person or a tool fills in later (``${VAR}``, ``{{ }}``): nothing may be concluded from
them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from hardener.authoring.edits import (
    MISSING,
    Append,
    Basis,
    Create,
    Drop,
    Edit,
    Evidence,
    Finding,
    Grade,
    HostFile,
    Insert,
    OpaqueError,
    Set,
    Severity,
    WrongShapeError,
    evidence_of,
    said,
)
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.objects import key_order
from hardener.sources.open_values import OpenDict, OpenList, Replaceable
from hardener.support.data_path import Path, dotted, joined
from hardener.support.late_pattern import late_pattern
from hardener.tree import host_files

if TYPE_CHECKING:
    from hardener.lock.model import LockedImage
    from hardener.tree.core_views import Object
    from hardener.tree.tree import Tree

__all__ = ["OpaqueError", "View", "literal"]

# The innermost of nested ones, so that openings without an end cost no more than their text.
_INNER = r"\$\{(?:[^}$]|\$(?!\{))*+\}|\$\((?:[^)$]|\$(?!\())*+\)|\{\{(?:(?!\{\{|\}\}).)*+\}\}|^\$[A-Z_][A-Z0-9_]*$"
_EXPRESSION = late_pattern(_INNER)
# The same from the outermost on, where it is not too long.
_OUTER = late_pattern(rf"\$\{{[^}}]{{,1000}}\}}|\$\([^)]{{,1000}}\)|{_INNER}")
V = TypeVar("V", bound="View")


def literal(text: str) -> str:
    """``text`` with a blank for each expression in it, since a match inside one proves nothing."""
    return _OUTER.sub(" ", text)


class View:
    """A mapping inside an object: ``data`` is the live mapping, ``path`` where it stands in its piece.

    ``KINDS`` are the (API group, kind) of the objects that a view of its own class is made of; ``NEEDS`` names the part
    of the tree without which there is none of it.
    """

    __slots__ = ("data", "object", "path")
    KINDS: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    NEEDS: ClassVar[str | None] = None
    type_name: str | None = None

    def __init__(self, object: Object, path: Path, data: dict[str, Any]) -> None:
        self.object = object
        self.path = path
        self.data = data

    # Reading.

    def _find(self, path: Path) -> Any:
        value: Any = self.data
        for part in path:  # nearly always through plain mappings
            if type(value) is not dict:
                break
            value = value.get(part)
        else:
            return value
        return None if value is None else self._find_through(path)

    def _find_through(self, path: Path) -> Any:
        """The same, through lists and what is open, too. Raises where no path leads."""
        value: Any = self.data
        for position, part in enumerate(path):
            if isinstance(value, dict):
                below = value.get(part)
                if below is None and type(value) is OpenDict and part not in value:
                    self._is_open(value, path[:position], str(part))
                value = below
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part] if part < len(value) else None
            elif value is None:
                return None
            else:
                self._refuse(value, path[:position])
        return value

    def _is_open(self, value: OpenDict | OpenList, path: Path, key: str = "") -> NoReturn:
        verb = f"may get {key}, and more, from" if key else "may get more from"
        raise OpaqueError(value.why, (*self.path[1:], *path), verb)

    def _refuse(self, value: Any, path: Path) -> None:
        found = _EXPRESSION.search(value) if isinstance(value, str) else None
        if found:
            raise OpaqueError(found.group(), (*self.path[1:], *path))
        raise WrongShapeError(dotted((*self.path[1:], *path)))

    def get(self, *path: str | int) -> Any:
        """The scalar at ``path``, None where there is none.

        Raises OpaqueError for an expression, WrongShapeError for a mapping or list or a path through a scalar.
        """
        value: Any = self.data
        for part in path:  # as ``_find``, without a call of its own: nothing is asked more often
            if type(value) is not dict:
                value = None if value is None else self._find_through(path)
                break
            value = value.get(part)
        if value is None:
            return None
        if isinstance(value, str):
            if ("$" in value or "{{" in value) and _EXPRESSION.search(value):
                self._refuse(value, path)
        elif isinstance(value, (dict, list)):
            self._refuse(value, path)
        return value

    def text(self, *path: str | int) -> str | None:
        """The text at ``path`` as written, expressions included; None where there is no text."""
        value: Any = self.data
        for part in path:  # as in ``get``
            if type(value) is not dict:
                value = None if value is None else self._find_through(path)
                break
            value = value.get(part)
        return value if isinstance(value, str) else None

    def has(self, *path: str | int) -> bool:
        """Whether there is anything but null at ``path``."""
        value: Any = self.data
        for part in path:  # as in ``get``
            if type(value) is not dict:
                return value is not None and self._find_through(path) is not None
            value = value.get(part)
        return value is not None

    def keys(self, *path: str | int) -> tuple[str, ...]:
        """The keys of the mapping at ``path``; none where there is none. Raises WrongShapeError for anything else, and
        OpaqueError where a program may add more."""
        value = self._find(path)
        if value is None:
            return ()
        if not isinstance(value, dict):
            self._refuse(value, path)
        if type(value) is OpenDict:
            self._is_open(value, path)
        return tuple(value)

    def lacks(self, key: str) -> bool:
        """Whether there is nothing but null at ``key``, and no program adds it."""
        return self.data.get(key) is None and type(self.data) is dict

    def may_hold(self, name: str, keys: frozenset[str]) -> bool:
        """Whether the mapping ``name`` has one of ``keys``, or it cannot be told: so that who looks for several asks
        once where there is none."""
        value = self.data.get(name)
        if value is None:
            return type(self.data) is not dict
        return type(value) is not dict or not keys.isdisjoint(value)

    def strings(self, *path: str | int) -> tuple[str, ...]:
        """The texts of the list at ``path`` as written, each at its own index. Raises WrongShapeError where there is no
        list but a value, or an item is a list or a mapping, and OpaqueError where a program may add more."""
        value = self._find(path)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._refuse(value, path)
        if type(value) is OpenList:
            self._is_open(value, path)
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                self._refuse(item, (*path, index))
        return tuple(["" if item is None else str(item) for item in value])

    def replaced_by(self, key: str) -> str | None:
        """What a program may put in place of the mapping at ``key``; None where that stands as it is written."""
        value = self.data.get(key)
        return value.why if isinstance(value, Replaceable) else None

    def check_replaced(self, path: Path) -> None:
        """Raise OpaqueError where a program may put another mapping in place of the first one of ``path``."""
        why = self.replaced_by(str(path[0]))
        if why is not None:
            raise OpaqueError(why, (*self.path[1:], path[0]))

    def check_whole(self, *path: str | int) -> None:
        """Raise OpaqueError where the mapping or list at ``path`` is an expression, or a program may add to it other
        things than those that are written."""
        value = self._find(path)
        if isinstance(value, str):
            self._refuse(value, path)
        if isinstance(value, OpenDict) or (isinstance(value, OpenList) and not value.alike):
            self._is_open(value, path)

    def view(self, *path: str | int) -> View:
        """The mapping at ``path`` as a view of its own; an empty one where there is none."""
        value = self._find(path)
        if value is not None and not isinstance(value, dict):
            self._refuse(value, path)
        return self._child(View, path, value or {})

    def items(self, *path: str | int) -> list[View]:
        """The mappings of the list at ``path``, as far as they are written. Raises WrongShapeError where there is
        anything but such a list."""
        data: dict[Any, Any] = self.data
        value = data.get(path[0]) if len(path) == 1 and type(data) is dict else self._find(path)
        return [] if value is None else self._each(View, path, value)

    def _each(self, kind: type[V], path: Path, value: Any) -> list[V]:
        """The mappings of the list ``value`` at ``path`` as views of ``kind``."""
        if not isinstance(value, list):
            self._refuse(value, path)
        found = []
        start = self.path + path
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self._refuse(item, (*path, index))
            found.append(kind(self.object, (*start, index), item))
        return found

    def comment(self, *path: str | int, holding: str) -> str | None:
        """The comment at the end of the line of ``path``, as read, when it holds the text ``holding``."""
        return self.object.piece.comment(joined(self.path, path), holding)

    def _child(self, kind: type[V], path: Path, data: dict[str, Any]) -> V:
        return kind(self.object, self.path + path, data)

    # Changing.

    def set(
        self,
        *path: str | int,
        to: Any,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        late: bool = False,
        impact: str | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
    ) -> Edit:
        """An edit that gives the place ``path`` the value ``to``. ``late``: a failure would show only after a while."""
        self._check(path)
        return Set(
            piece=self.object.piece, path=joined(self.path, path), value=to, grade=grade, basis=basis,
            evidence=evidence_of(evidence), late=late, impact=impact, requires=requires, follow_up=follow_up,
            type_name=self.type_name or self._type_of_path(), typed=len(self.path),
        )  # fmt: skip

    def append(
        self,
        *path: str | int,
        value: Any,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        impact: str | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
        widens: bool = False,
        unless: Any = MISSING,
    ) -> Edit:
        """An edit that adds ``value`` at the end of the list at ``path``, which is made where there is none; with
        ``widens`` out of a text as well. It is not made where an earlier step has put ``unless`` there."""
        there = self._check(path)
        if type(there) is OpenList:
            self._is_open(there, path)
        return Append(
            piece=self.object.piece, path=joined(self.path, path), value=value, grade=grade, basis=basis,
            evidence=evidence_of(evidence), impact=impact, requires=requires, follow_up=follow_up,
            type_name=self.type_name or self._type_of_path(), typed=len(self.path), widens=widens,
            unless=unless,
        )  # fmt: skip

    def insert(
        self,
        *path: str | int,
        value: Any,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
    ) -> Edit:
        """An edit that puts ``value`` before the list item at ``path``, which ends with its index."""
        self._check(path)
        return Insert(
            piece=self.object.piece, path=joined(self.path, path), value=value, grade=grade, basis=basis,
            evidence=evidence_of(evidence), requires=requires, follow_up=follow_up,
            type_name=self.type_name or self._type_of_path(), typed=len(self.path),
        )  # fmt: skip

    def drop(
        self,
        *path: str | int,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        impact: str | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
    ) -> Edit:
        """An edit that removes the key or item at ``path``, which must exist."""
        return Drop(
            piece=self.object.piece, path=joined(self.path, path), grade=grade, basis=basis,
            evidence=evidence_of(evidence), impact=impact, requires=requires, follow_up=follow_up,
        )  # fmt: skip

    def create(
        self,
        topic: str | None,
        value: dict[str, Any],
        *,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        impact: str | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
    ) -> Edit:
        """An edit that makes the object ``value`` in ``harden-<topic>.yaml`` beside the file of this one; None: at the
        end of its file, where what replaces a part of it belongs."""
        return Create(
            piece=self.object.piece, path=(), topic=topic, value=value, grade=grade, basis=basis,
            evidence=evidence_of(evidence), impact=impact, requires=requires, follow_up=follow_up,
        )  # fmt: skip

    def host_file(
        self,
        name: str,
        text: str,
        *,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        requires: tuple[str, ...] = (),
        follow_up: tuple[str, ...] = (),
    ) -> Iterator[Edit | Finding]:
        """An edit that makes the file ``name`` with ``text`` for hosts or agents (``--out-of-band``); nothing where it
        is there with that text, a finding where it is there with another, which stays."""
        path = os.path.relpath(host_files.path_of(self.tree, name))
        found = host_files.text_of(self.tree, name)
        if self.tree.stream or (found is not None and found != text):
            message = f"{path} would be needed" if found is None else f"{path} is there, and is not what harden writes"
            yield self.finding(message, advice=f"see that it holds this: {text!r}", severity=Severity.LOW)
        elif found is None:
            yield HostFile(
                piece=self.object.piece, path=(), topic=name, value={}, text=text, grade=grade, basis=basis,
                evidence=evidence_of(evidence), requires=requires, follow_up=follow_up,
            )  # fmt: skip

    def finding(
        self,
        message: str,
        *path: str | int,
        advice: str,
        severity: Severity = Severity.MEDIUM,
        once: str | None = None,
        topic: str | None = None,
        line: int = 0,
        not_looked_at: bool = False,
    ) -> Finding:
        """A finding about the place ``path``; see ``Finding`` for what the other words mean."""
        piece, place = self.object.place(joined(self.path, path))
        return Finding(
            message=message, advice=advice, severity=severity, piece=piece, path=place, once=once, topic=topic,
            line=line, not_looked_at=not_looked_at,
        )  # fmt: skip

    def fact(self, text: str, *path: str | int) -> Evidence:
        """Evidence that stands at ``path``."""
        return Evidence(said(text), *self.object.place(joined(self.path, path)))

    def _check(self, path: Path) -> Any:
        # On or below an expression nothing may be written, and no key that a program may add.
        value: Any = self.data
        for position, part in enumerate(path):
            if type(value) is dict:  # as nearly all are
                value = value.get(part)
            elif value is None:
                return None
            elif isinstance(value, str):
                self._refuse(value, path[:position])
            elif isinstance(value, dict):
                below = value.get(part)
                if below is None and type(value) is OpenDict and part not in value:
                    self._is_open(value, path[:position], str(part))
                value = below
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        if isinstance(value, str) and _EXPRESSION.search(value):
            self._refuse(value, path)
        return value

    def _type_of_path(self) -> str | None:
        name: str | None = "Object"
        for part in self.path[len(self.object.path) :]:
            if isinstance(part, str):
                name = key_order.child(name, part)
        return name

    @property
    def tree(self) -> Tree:
        """The whole tree."""
        return self.object._tree

    def in_lock(self, image: ImageReference) -> LockedImage | None:
        """What harden.lock holds of ``image``; None where it does not, or there is none."""
        lock = self.tree.lock
        return lock.find(image) if lock is not None else None
