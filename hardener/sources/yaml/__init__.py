"""Read and rewrite YAML and JSON in place, touching no byte that nobody asked to change.

`segments` cuts a file, `parse` reads one segment as plain data with positions, `documents` without them, `rewrite`
changes it through that data, `dump` writes a new document, `reads_back` proves it, `text_templates` does both for many
that are alike. `go_stream` reads a stream a second time, as kubectl does. Everything that cannot be done faithfully
raises `TextError`.
"""

from .documents import documents
from .parsed import Comment, Parsed, parse, reopened
from .positions import Tree
from .read_back import reads_back
from .render import dump
from .rewrite import Rewrite, rewrite
from .scalars import same
from .segments import Segment, segments
from .splices import Hunk
from .text_error import TextError

__all__ = [
    "Comment",
    "Hunk",
    "Parsed",
    "Rewrite",
    "Segment",
    "TextError",
    "Tree",
    "documents",
    "dump",
    "parse",
    "reads_back",
    "reopened",
    "rewrite",
    "same",
    "segments",
]
