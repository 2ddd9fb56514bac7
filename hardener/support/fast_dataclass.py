"""``dataclass``, quick to declare: a run declares more than a hundred; the one of Python compiles six functions each.

For type checkers it is the one of Python. What a class is made with, comparison, hash and ``repr`` are what they are
there, compiled when they are called first; that a frozen one is not changed is for the type checker to see, as nothing
stops it at run time. A class without a docstring is given none.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:
    from dataclasses import dataclass as _python

    def dataclass(cls=None, /, *, frozen=False, eq=True, **how):
        """A decorator with the parameters of ``dataclasses.dataclass``, except ``order`` and ``unsafe_hash``."""

        def declare(cls):
            said = cls.__doc__
            cls.__doc__ = said or cls.__name__  # else that of Python writes one, and for it looks at the signature
            made = _python(eq=False, repr=False, init=False, **how)(cls)
            made.__doc__ = said
            if "__init__" not in vars(cls):
                made.__init__ = _later(made, "__init__", _init)
            if "__repr__" not in vars(cls):
                made.__repr__ = _repr
            if eq and "__eq__" not in vars(cls):
                made.__eq__ = _later(made, "__eq__", _eq)
                if "__hash__" not in vars(cls):
                    made.__hash__ = _later(made, "__hash__", _hash) if frozen else None
            return made

        return declare if cls is None else declare(cls)


def _later(made: type, name: str, write: Callable[[list[Field[Any]], dict[str, Any]], str]) -> Any:
    """The method ``name`` of ``made``, which compiles itself when it is called first: ``write`` gives its text, and
    puts what that names into the scope it is given."""

    def compiled(*arguments: Any, **named: Any) -> Any:
        scope: dict[str, Any] = {"cls": made}
        exec(write([*fields(made)], scope), scope)
        method = scope[name]
        method.__qualname__ = f"{made.__qualname__}.{name}"  # what an error about its arguments names
        setattr(made, name, method)
        return method(*arguments, **named)

    return compiled


def _init(every: list[Field[Any]], scope: dict[str, Any]) -> str:
    given, named, lines = ["self"], list[str](), list[str]()
    for field in every:
        default = f"_default_{field.name}"
        if field.default is not MISSING:
            scope[default] = field.default
        elif field.default_factory is not MISSING:
            scope[default], scope["_missing"] = field.default_factory, MISSING
        value = field.name
        if field.default_factory is not MISSING:
            value = f"{default}() if {value} is _missing else {value}" if field.init else f"{default}()"
        elif not field.init:
            value = default
        if field.init:
            asked = "" if default not in scope else "=_missing" if field.default is MISSING else f"={default}"
            (named if field.kw_only else given).append(field.name + asked)
        if field.init or default in scope:
            lines.append(f" self.{field.name} = {value}\n")
    if hasattr(scope["cls"], "__post_init__"):
        lines.append(" self.__post_init__()\n")
    head = ", ".join([*given, *(["*", *named] if named else [])])
    return f"def __init__({head}):\n{''.join(lines) or ' pass'}"


def _eq(every: list[Field[Any]], scope: dict[str, Any]) -> str:
    own, others = (_tuple(every, name) for name in ("self", "other"))
    return (
        f"def __eq__(self, other):\n return {own} == {others} if other.__class__ is self.__class__ else NotImplemented"
    )


def _hash(every: list[Field[Any]], scope: dict[str, Any]) -> str:
    return f"def __hash__(self):\n return hash({_tuple(every, 'self')})"


def _tuple(every: list[Field[Any]], name: str) -> str:
    return "(" + "".join(f"{name}.{field.name}, " for field in every if field.compare) + ")"


@recursive_repr()
def _repr(self: Any) -> str:
    values = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"
