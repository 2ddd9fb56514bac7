"""Read and rewrite YAML and JSON in place, touching no byte that nobody asked to change.

`segments` cuts a file, `parse` reads one segment as plain data with positions, `rewrite` changes it through that data,
`dump` writes a new document. Everything that cannot be done faithfully raises `Refused`.
"""

from .parsed import Comment, Parsed, parse
from .refusal import Refused
from .render import dump
from .rewrite import Rewrite, rewrite
from .scalars import same
from .segments import Segment, segments
from .splices import Hunk

__all__ = ["Comment", "Hunk", "Parsed", "Refused", "Rewrite", "Segment", "dump", "parse", "rewrite", "same", "segments"]
