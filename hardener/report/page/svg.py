"""The drawing of the connections as a file of its own: SVG 1.1 with its styles inside, in light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.report.connections.graph import Graph
from hardener.report.page.drawing import Drawing
from hardener.report.page.words import Texts
from hardener.report.redactor import Redactor

_NAMESPACE = "http://www.w3.org/2000/svg"


def svg(graph: Graph, redactor: Redactor) -> Iterator[str]:
    """Yield the lines of the drawing of ``graph``; what it leaves out stands in its description."""
    texts = Texts(redactor)
    drawing = Drawing(graph, texts)
    head, *rest = "".join(drawing.svg()).splitlines()
    opening, title = head.split("><title", 1)
    yield f'{opening} xmlns="{_NAMESPACE}"><title{title}'
    if notes := " ".join(drawing.notes()):
        yield f"<desc>{texts.text(notes)}</desc>"
    yield f"<style>{_styles()}</style>"
    yield from rest


def _styles() -> str:
    """The colours of the page, and what it says of the drawing."""
    with open(os.path.join(os.path.dirname(__file__), "page.css"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    colours = lines[: lines.index("}", lines.index("}") + 1) + 1]
    return "\n".join([*colours, *(line for line in lines if line.startswith(".graph "))])
