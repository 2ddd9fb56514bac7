"""``dataclass``, quick to declare: a run declares more than a hundred, and asks most for nothing but to be made.

For type checkers it is the one of Python. What a class is made with, comparison, hash and ``repr`` are what they are
there. Comparison and hash are compiled when they are called first, ``__init__`` when it is called often: a small run
makes one or two objects of most classes. The one of Python tells the fields when they are asked for first. That a
frozen one is not changed is for the type checker to see, as nothing stops it at run time. A class without a docstring
is given none.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field
from dataclasses import dataclass as _python
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, eq=True, slots=False, kw_only=False):
        """A decorator with some of the parameters of ``dataclasses.dataclass``."""

        def declare(cls):
            given = {
                name: vars(cls).get(name, MISSING)
                for name, kind in cls.__annotations__.items()
                if "ClassVar" not in (kind if type(kind) is str else repr(kind))
            }
            made = _slotted(cls, given) if slots else cls
            made._given = given, kw_only
            if not slots:
                for name, value in given.items():
                    if isinstance(value, Field) and value.default is MISSING:
                        delattr(made, name)
                    elif isinstance(value, Field):
                        setattr(made, name, value.default)
            for name in ("__dataclass_fields__", "__dataclass_params__", "__match_args__"):
                setattr(made, name, _OfPython(made, name))
            if "__init__" not in vars(cls):
                made.__init__ = _init_later(made)
            if "__repr__" not in vars(cls):
                made.__repr__ = _repr
            if eq and "__eq__" not in vars(cls):
                made.__eq__ = _later(made, "__eq__", _eq)
                if "__hash__" not in vars(cls):
                    made.__hash__ = _later(made, "__hash__", _hash) if frozen else None
            return made

        return declare if cls is None else declare(cls)


def _slotted(cls: type, given: dict[str, Any]) -> type:
    """``cls`` once more, since slots cannot be given to a class that there is."""
    body = {name: value for name, value in vars(cls).items() if name not in given}
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    inherited = {name for other in cls.__mro__[1:] for name in getattr(other, "__slots__", ())}
    body["__slots__"] = tuple([name for name in given if name not in inherited])
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


class _OfPython:
    """An attribute that Python gives its own, when it is asked for: that of a class made there with the same lines."""

    def __init__(self, of: Any, name: str) -> None:
        self._of, self._name = of, name

    def __get__(self, one: object, cls: type) -> Any:
        made = self._of
        given, kw_only = made._given
        body = {name: value for name, value in vars(made).items() if name in ("__module__", "__orig_bases__")}
        body.update({name: value for name, value in given.items() if value is not MISSING})
        body.update(__annotations__={**made.__annotations__}, __doc__=made.__name__)
        twin = type(made.__name__, made.__bases__, body)
        found = vars(_python(eq=False, repr=False, init=False, kw_only=kw_only)(twin))[self._name]
        setattr(made, self._name, found)
        return found


def _every(made: type) -> list[Field[Any]]:
    """The fields of ``made``, those of what it is derived from first, without their types."""
    found: dict[str, Any] = {}
    for cls in reversed(made.__mro__):
        given, kw_only = vars(cls).get("_given", ({}, False))
        for name, value in given.items():
            each: Any = value if isinstance(value, Field) else dataclasses.field(default=value)
            each.name = name
            if each.kw_only is MISSING:
                each.kw_only = kw_only
            found[name] = each
    return list(found.values())


def _later(made: type, name: str, write: Callable[[list[Field[Any]], dict[str, Any]], str]) -> Any:
    """The method ``name`` of ``made``, which compiles itself when it is called first: ``write`` gives its text, and
    puts what that names into the scope it is given."""

    def compiled(*arguments: Any, **named: Any) -> Any:
        scope: dict[str, Any] = {"cls": made}
        exec(write(_every(made), scope), scope)
        method = scope[name]
        method.__qualname__ = f"{made.__qualname__}.{name}"  # what an error about its arguments names
        setattr(made, name, method)
        return method(*arguments, **named)

    return compiled


_FEW = 4  # objects of a class: to fill that many costs less than to compile what fills them


def _init_later(made: type) -> Any:
    """The ``__init__`` of ``made``, which fills the first few objects itself and is compiled for the next one, or for a
    call that is wrong: the error is that of the compiled one."""
    compiled = _later(made, "__init__", _init)
    fields: list[Field[Any]] = []
    filled = 0

    def fill(one: Any, /, *arguments: Any, **named: Any) -> None:
        nonlocal fields, filled
        filled += 1
        fields = fields or _every(made)
        if filled > _FEW or not _fill(one, fields, arguments, named):
            compiled(one, *arguments, **named)
        elif hasattr(made, "__post_init__"):
            one.__post_init__()

    return fill


def _fill(one: Any, fields: list[Field[Any]], arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Set ``fields`` of ``one``. False, and nothing of it is to be used, where the call does not fit them."""
    positional = [field.name for field in fields if field.init and not field.kw_only]
    values = dict(zip(positional, arguments, strict=False), **named)
    if len(values) != len(arguments) + len(named):
        return False  # too many, or one that is given twice
    for field in fields:
        if field.init and field.name in values:
            setattr(one, field.name, values.pop(field.name))
        elif field.default is not MISSING:
            setattr(one, field.name, field.default)
        elif field.default_factory is not MISSING:
            setattr(one, field.name, field.default_factory())
        elif field.init:
            return False  # one is missing
    return not values  # what is left is no field


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
    values = (f"{field.name}={getattr(self, field.name)!r}" for field in _every(type(self)) if field.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"
