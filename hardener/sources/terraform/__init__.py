"""Read and rewrite Terraform files in place, touching no byte that nobody asked to change.

`parse` reads a file as plain data with positions: one document per block at the top, in the form of Terraform's JSON
syntax. `rewrite` changes it through that data, `dump` writes a new block. What cannot be done faithfully raises
`yaml.TextError`.
"""

from .manifest_text import file_of, given
from .objects import Reader, ignored
from .parsed import Parsed, parse
from .rewrite import Rewrite, dump, rewrite

__all__ = ["Parsed", "Reader", "Rewrite", "dump", "file_of", "given", "ignored", "parse", "rewrite"]
