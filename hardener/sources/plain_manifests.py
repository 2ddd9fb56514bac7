"""Manifests as they are sent, in YAML or JSON: the source that all others are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hardener.sources import yaml
from hardener.sources.owned_lines import owned_lines
from hardener.sources.source import Around, Mutate, Owned, Plan, Reader, Source, Touch, UnprovedError
from hardener.sources.yaml.text_templates import TextTemplates
from hardener.support.data_path import Path

if TYPE_CHECKING:
    from hardener.sources.manifests import Piece


class PlainManifests(Source):
    """YAML, and JSON as a form of it. Which of its documents are read, the tree decides by what they say."""

    name = "yaml"
    is_manifest = True
    has_segments = True

    def reader(self, around: Around) -> Reader | None:
        return None

    def parse(self, piece: Piece, text: str) -> yaml.Parsed:
        return yaml.parse(text)

    def read(self, piece: Piece) -> yaml.Parsed:
        return yaml.parse(piece.text) if piece.tree is None else yaml.reopened(piece.text, piece.tree)

    def text_of(self, parsed: yaml.Parsed) -> str:
        return parsed.text

    def holds(self, parsed: yaml.Parsed, data: list[Any]) -> bool:
        return parsed.holds(data)

    def line_of(self, parsed: yaml.Parsed, path: Path) -> int:
        return parsed.line_of(path)

    def may_comment(self, text: str) -> bool:
        return "#" in text

    def rewrite(self, piece: Piece, mutate: Mutate, plan: Plan) -> yaml.Rewrite:
        return yaml.rewrite(
            piece.text, mutate, replaced=plan.replaced, read=piece.tree, touched=plan.touched, goal=piece.data
        )

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> yaml.Rewrite:
        return yaml.rewrite(text, mutate)

    def owned(self, piece: Piece, written: yaml.Rewrite, touches: Sequence[Touch]) -> Owned:
        return owned_lines(written.before, written.after, touches)

    def dump(self, piece: Piece, newline: str, templates: TextTemplates | None = None) -> str:
        proved = templates.text_of(piece.data[0]) if templates is not None else None
        body = proved or yaml.dump(piece.data[0])
        if proved is None and not yaml.reads_back(body, piece.data):
            raise UnprovedError("the new document does not come out as it was decided", 1)
        return body.replace("\n", newline)


SOURCE = PlainManifests()
