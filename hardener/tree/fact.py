"""What may be asked of a tree beside its files and objects: a fact, by its class (``tree.ask(Builds)``).

The tree collects a fact when it is first asked for and keeps it. A fact of the tree *as read* is kept to the end: what
the run adds to the tree does not change what it says. A *live* fact is dropped whenever objects come or go, and
collected anew when it is asked for again. An *incremental* fact is kept, too, and takes in what came since whenever it
is asked: one that grows by an object for each object that the run makes may not be collected anew each time.

A fact *of rights* is as read for what changes rights, and collected anew for what comes after that and goes by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


class Fact:
    """The base of ``AsRead``, ``Live`` and ``Incremental``; a class that is none of them is no fact."""

    LIVE: ClassVar[bool]  # whether the tree drops it when objects come or go
    OF_RIGHTS: ClassVar[bool] = False  # whether the tree drops it when rights have changed

    def __init__(self, tree: Tree) -> None:
        """Collect the fact from ``tree``."""

    @classmethod
    def collect(cls, tree: Tree) -> Self:
        """The fact of ``tree``. A fact whose reader is loaded only where there is something to read overrides it."""
        return cls(tree)


class AsRead(Fact):
    """A fact of the objects that were read."""

    LIVE = False


class Live(Fact):
    """A fact of the objects that are there when it is asked for, those included that the run has made."""

    LIVE = True


class Incremental(Fact):
    """A fact of the objects that are there when it is asked, which sees for itself what came and went."""

    LIVE = False
