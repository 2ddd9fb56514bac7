"""The encoding of a Python file, as PEP 263 says it."""

from __future__ import annotations

import io
import tokenize

from hardener.sources.files import BOM


def decode(raw: bytes) -> tuple[str, bool, str]:
    """The text without its byte order mark, whether there was one, and the name of the encoding: the one that a
    comment in the first two lines names, else UTF-8.

    Raises LookupError or SyntaxError for an encoding that is not known or contradicts the mark, UnicodeDecodeError for
    bytes that are not in it, and for those that it would not write in the same way.
    """
    codec = tokenize.detect_encoding(io.BytesIO(raw).readline)[0].removesuffix("-sig")
    bom = raw.startswith(BOM)
    body = raw[len(BOM) :] if bom else raw
    text = body.decode(codec)
    if text.encode(codec) != body:
        raise UnicodeDecodeError(codec, body, 0, len(body), "other bytes would be written")
    return text, bom, codec
