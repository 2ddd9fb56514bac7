"""The marks of Checkov in blocks: ``# checkov:skip=CKV_AWS_79: reason`` inside of a block.

(checkov.io, "Suppressing and skipping policies"; a mark outside of the block means nothing to it.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hardener.engine.waivers.waiver import Collection, Waiver
from hardener.sources.manifests import Piece
from hardener.sources.source import Parsed
from hardener.tree.core_views import Object

_MARK = re.compile(r"#\s*checkov:skip=(\w+)(?::\s*(.*))?")


def read(piece: Piece, parsed: Parsed, block: Object, checks: Mapping[str, frozenset[str]], found: Collection) -> None:
    """Add the marks in ``block``, all of ``piece`` but the lines before it, to ``found``.

    ``checks`` are those of Checkov with what they waive here.
    """
    for comment in parsed.comments():
        said = _MARK.search(comment.text)
        ids = checks.get(said[1]) if said is not None else None
        if said is None or ids is None or comment.line < parsed.line(0, ()):
            continue
        reason = (said[2] or "").strip() or f"checkov:skip={said[1]}"
        line = piece.line + comment.line
        found.waivers.append(
            Waiver(
                said[1], ids, reason, "checkov", [(piece, block.path)], piece.file.name, line, piece,
                block.path, block,
            )
        )  # fmt: skip
