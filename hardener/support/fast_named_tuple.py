"""``NamedTuple``, quick to declare: a run declares some thirty, and nobody asks them for the types of their fields.

For type checkers it is the one of Python, which looks at each type when it is declared: most of the time it takes.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Declaring(type):
        def __new__(cls, name, bases, body):
            types = body.get("__annotations__", {})
            defaults = [body[field] for field in types if field in body]
            made = namedtuple(name, types, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in types and key != "__module__":
                    setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Declaring, "NamedTuple", (), {})
    """A base class, as ``typing.NamedTuple``."""
