"""Names of a module: where they are bound, to what, and which of them a place sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct, field

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.names.access_paths import Way
from hardener.sources.python.parser import syntax

OF_SPEC = ".spec"


class ImportedName(Struct, eq=False):
    """One name of an import: ``item`` is all of "V1Pod as Pod", ``bound`` the name it gets here, ``qualified`` the
    full name that this one stands for."""

    name: str
    bound: str
    qualified: str
    item: Item


class Imported(Struct, eq=False):
    """An import statement. ``start`` and ``end`` are its offsets, ``indent`` what stands before it on its line (blank
    unless it shares the line), ``bracket`` the parentheses around its names. Its names are seen from offset
    ``scope_start`` to ``scope_end``, the extent of the function, class or module it stands in."""

    start: int
    end: int
    line: int
    indent: str
    module: str
    is_from: bool
    is_star: bool
    bracket: Bracket | None
    names: list[ImportedName]
    scope_start: int
    scope_end: int


class Binding(Struct, eq=False):
    """One place that gives a name a value: ``value`` is the expression, seen from ``scope``, or None, then ``reason``
    says what the name is ("a parameter"). ``each``: the name takes each item of ``value`` in turn. ``qualified`` is the
    full name that an imported one stands for. What runs runs all of a ``block``: a body, a branch. ``inner`` is the
    scope of a function or class that has the name, ``part`` the place in each item of ``items`` that a loop gives it.
    ``meant`` tells which full name stands for one below that of an imported module.
    """

    scope: Scope
    value: syntax.Node | None = None
    reason: str = ""
    each: bool = False
    qualified: str = ""
    block: syntax.Node | None = None
    inner: Scope | None = None
    items: syntax.Node | None = None
    part: int = 0
    meant: Callable[[str], str] = str


class Scope(Struct, eq=False):
    """``kind`` is "module", "function", "class" or "comprehension"; ``instance`` the first parameter of a method.
    Attributes of ``self`` are names of the class: "self.job". ``node`` is the definition of a function or class,
    ``returns`` and ``yields`` are the expressions that a function gives back. ``members`` are attributes of names that
    are looked at: ("self", "job"), and ``OF_SPEC`` for the name of ``pod.spec``."""

    kind: str
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)  # names declared "global" or "nonlocal"
    stars: list[Imported] = field(default_factory=list)
    loads: dict[str, int] = field(default_factory=dict)
    instance: str = ""
    node: syntax.FunctionDef | syntax.ClassDef | None = None
    returns: list[syntax.Node] = field(default_factory=list)
    yields: list[syntax.Node] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)

    def outward(self) -> Iterator[Scope]:
        """The scopes whose names are seen here, the nearest one first. Those of a class are not seen from within its
        functions."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or scope.kind != "class":
                yield scope
            scope = scope.parent

    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def owner(self, name: str) -> Scope | None:
        """The scope that binds ``name`` as it is seen here; None where none does."""
        for scope in self.outward():
            where = scope.elsewhere.get(name)
            if where == "global":
                module = self.module()
                return module if name in module.bindings else None
            if name in scope.bindings and where is None:
                return scope
        return None

    def own_class(self) -> Scope | None:
        """The class whose method this, or the function around it, is."""
        scope: Scope | None = self
        while scope is not None and scope.parent is not None:
            if scope.kind == "function" and scope.parent.kind == "class" and scope.instance:
                return scope.parent
            scope = scope.parent
        return None

    def is_instance(self, name: str) -> bool:
        """Whether ``name`` is the object whose method this, or the function around it, is."""
        for scope in self.outward():
            if name in scope.bindings:
                return scope.instance == name and scope.parent is not None and scope.parent.kind == "class"
        return False


class Change(Struct, eq=False):
    """A statement that changes an object after it was made: at ``path`` below what ``name`` stands for in ``scope``.

    ``how`` is "set", "removed", "changed" (``+=``), the method that may add something ("append"), or what a function
    gets: "handed" for what it may change, "sent" for what it changes only if that is no whole object. ``value`` is what
    is set, None where that is not known. ``holder`` is the dict or call that says it, as its item ``number``.
    ``is_merged``: a function that gets it puts it over another object.
    """

    scope: Scope
    name: str
    path: Way
    how: str
    node: syntax.Node
    value: syntax.Node | None = None
    block: syntax.Node | None = None
    holder: syntax.Dict | syntax.Call | None = None
    number: int = 0
    is_merged: bool = False
