"""Which class of the tree's own the callee of a call is."""

from __future__ import annotations

from hardener.sources.python.libraries.subclasses import NOWHERE, Elsewhere, Subclass, defined, may_define
from hardener.sources.python.names.resolve import qualified_names
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.parser import syntax


class Own:
    """The own classes that a file may call: those of its text ``source``, and those of other files."""

    def __init__(self, source: bytes = b"", elsewhere: Elsewhere = NOWHERE) -> None:
        self._find = elsewhere.find if elsewhere is not NOWHERE else None
        self._local = defined(source, elsewhere.find) if may_define(source) or self._find is not None else {}

    @property
    def any(self) -> bool:
        """Whether there may be one."""
        return bool(self._local) or self._find is not None

    def __call__(self, callee: syntax.Node, scope: Scope) -> Subclass | None:
        """The class that ``callee``, or what its ``partial`` belongs to, stands for; None for anything else."""
        if not self.any:
            return None
        if isinstance(callee, syntax.Attribute) and callee.attr.value == "partial":
            callee = callee.value
        if isinstance(callee, syntax.Name) and (found := self._local.get(callee.value)) is not None:
            owner = scope.owner(callee.value)
            if owner is not None and owner.parent is None:
                return found if len(owner.bindings[callee.value]) == 1 else None
        if self._find is None:
            return None
        return next((found for name in qualified_names(callee, scope) if (found := self._find(name))), None)
