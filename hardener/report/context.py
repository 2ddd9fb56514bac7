"""What a format needs to know beside the outcome: what a command says with it, and how the report was asked for."""

from __future__ import annotations

import sys

from msgspec import Struct, field

from hardener.engine.outcome import Change, Held, Report
from hardener.facts.objects.pod_security_levels import Standing
from hardener.report.redactor import Redactor
from hardener.report.terminal.screen import Screen
from hardener.support.printable import plain

Levels = tuple[list[Standing], list[Standing]]
Record = Change | Held | Report


class Context(Struct, frozen=True, kw_only=True):
    """``redactor`` knows the secrets of the tree by now.

    ``applied``: whether the changes are made; ``is_kept``: whether ``harden undo`` can take them back. ``levels`` are
    the Pod Security levels before and after them. ``verdict`` is what the command that asked makes of the outcome, in a
    line, ``remarks`` what else it says, and ``failing`` the records that a check fails on. ``whole``: whether a person
    wants all of it, not what fits a screen; ``patch``: whether the patch is printed, ``patch_last`` behind all else;
    ``advises``: whether the next step is said.
    """

    redactor: Redactor
    screen: Screen = field(default_factory=Screen)
    verbose: bool = False
    quiet: bool = False
    applied: bool = False
    is_kept: bool = False
    levels: Levels | None = None
    verdict: str = ""
    remarks: tuple[str, ...] = ()
    failing: tuple[Record, ...] = ()
    whole: bool = False
    patch: bool = False
    patch_last: bool = False
    advises: bool = True

    def aside(self, text: str) -> None:
        """Say ``text`` on standard error: what a format has no place for."""
        print(f"harden: {plain(self.redactor.text(text))}", file=sys.stderr)
