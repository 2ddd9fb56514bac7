"""``harden apply -i``: a person walks through the steps of a run and decides about each, as with ``git add -p``."""

from hardener.commands.interactive.walk import walk

__all__ = ["walk"]
