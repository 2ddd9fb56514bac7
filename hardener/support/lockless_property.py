"""``cached_property`` as from Python 3.12 on: that of 3.11 takes a lock for each value that it works out, which costs
more than most of the values do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property as cached_property
else:

    class cached_property:  # its users write it as they write that of functools
        """What ``functools.cached_property`` is, for a class whose objects have a ``__dict__``."""

        def __init__(self, find) -> None:
            self._find, self._name, self.__doc__ = find, "", find.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, one: Any, owner: type | None = None) -> Any:
            # A value in the ``__dict__`` of an object goes before this: it is asked for once.
            if one is None:
                return self
            found = one.__dict__[self._name] = self._find(one)
            return found
