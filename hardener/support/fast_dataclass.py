"""``dataclass``, quick to declare: a run declares more than a hundred; the one of Python compiles six functions each.

For type checkers it is the one of Python. Comparison, hash and ``repr`` are what they are there; that a frozen one is
not changed is for the type checker to see, as nothing stops it at run time.
"""

from __future__ import annotations

from dataclasses import fields
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    from dataclasses import dataclass as _python

    def dataclass(cls=None, /, *, frozen=False, eq=True, **how):
        """A decorator with the parameters of ``dataclasses.dataclass``, except ``order`` and ``unsafe_hash``."""

        def declare(cls):
            made = _python(eq=False, repr=False, **how)(cls)
            if "__repr__" not in vars(cls):
                made.__repr__ = _repr
            if eq and "__eq__" not in vars(cls):
                made.__eq__ = _later(made, "__eq__", _EQ)
                if "__hash__" not in vars(cls):
                    made.__hash__ = _later(made, "__hash__", _HASH) if frozen else None
            return made

        return declare if cls is None else declare(cls)


_EQ = """
def __eq__(self, other):
    return {own} == {others} if other.__class__ is self.__class__ else NotImplemented
"""
_HASH = """
def __hash__(self):
    return hash({own})
"""


def _later(made: type, name: str, text: str) -> Any:
    """The method ``name`` of ``made``, which compiles itself when it is called first."""

    def compiled(*arguments: Any) -> Any:
        names = [field.name for field in fields(made) if field.compare]
        own, others = ("(" + "".join(f"{self}.{each}, " for each in names) + ")" for self in ("self", "other"))
        scope: dict[str, Any] = {}
        exec(text.format(own=own, others=others), scope)
        setattr(made, name, scope[name])
        return scope[name](*arguments)

    return compiled


@recursive_repr()
def _repr(self: Any) -> str:
    values = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"
