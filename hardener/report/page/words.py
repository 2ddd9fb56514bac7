"""What every text of the page passes: secrets masked, control characters shown, characters of HTML escaped."""

from __future__ import annotations

import html
import json
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.engine.outcome import MISSING, Outcome
from hardener.report.held_back import place
from hardener.report.redactor import Redactor
from hardener.support.printable import plain

_LONGEST = 300  # characters of a value; the diff shows the rest
_HIDDEN = "\u2039redacted\u203a"
BECOMES = '<span aria-hidden="true">\u2192</span><span class="unseen"> becomes </span>'


class Texts(Struct):
    """Turns texts into HTML, which SVG takes, too; ``redactor`` knows their secrets."""

    redactor: Redactor

    def text(self, text: str) -> str:
        """Return ``text`` as HTML, for content and for quoted attributes."""
        return html.escape(plain(self.redactor.text(text)))


class Words(Texts):
    """Turns texts of ``outcome`` into HTML. ``files`` are the names of all files that the page speaks of, in the order
    of their numbers; ``diffs`` those that have a diff there."""

    outcome: Outcome
    files: dict[str, int]
    diffs: set[str]

    def line(self, masked: str) -> str:
        """Return a line of a file, whose secrets are masked by now, as HTML; its tabs stay."""
        return html.escape("\t".join(map(plain, masked.removesuffix("\r").split("\t"))))

    def value(self, value: Any, *, hidden: bool = False) -> str:
        """Return ``value``, plain data, as JSON in HTML: secrets masked, cut when it is long."""
        if hidden:
            return _HIDDEN
        masked = self.redactor.text(json.dumps(self.redactor.value(value), ensure_ascii=False))
        return html.escape(plain(masked if len(masked) <= _LONGEST else masked[:_LONGEST] + " \u2026"))

    def before_and_after(self, before: Any, after: Any, *, hidden: bool) -> str:
        """Return ``true → false``; of what was or is not there only the other."""
        if after is MISSING:
            return f"<del>{self.value(before, hidden=hidden)}</del> removed"
        new = f"<ins>{self.value(after)}</ins>"
        if before is MISSING:
            return new
        return f"<del>{self.value(before, hidden=hidden)}</del> {BECOMES} {new}"

    def place(self, file: str, line: int) -> str:
        """Return a file and a line, with a link to its diff where there is one."""
        name = self.text(place(file, line))
        if file in self.diffs:
            return f'<a class="place" href="#diff-{self.files[file]}">{name}</a>'
        return f'<span class="place">{name}</span>'

    def evidence(self, facts: list[Evidence]) -> str:
        """Return a list of pieces of evidence with where they stand; nothing for none."""
        items = []
        for fact in dict.fromkeys(facts):
            where = ""
            if fact.piece is not None:
                line = self.outcome.lines.get((fact.piece, fact.path), 1)
                where = f" ({self.text(fact.piece.file.name)}:{line})"
            items.append(f"<li>{self.text(fact.text)}{where}</li>")
        return f'<ul class="evidence" aria-label="Evidence">{"".join(items)}</ul>' if items else ""
