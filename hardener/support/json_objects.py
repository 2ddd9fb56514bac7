"""Bytes of a file as single JSON objects, in bounded memory: JSON lines, or documents of any size that hold many.

Known containers: a list of entries (``gcloud logging read``), ``items`` (an EventList), ``events`` and ``logEvents``
(CloudWatch). A line of a CloudWatch export to S3 begins with a time.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from typing import IO

LONGEST = 16 << 20  # bytes of one entry; the API server takes objects of 3 MiB, and an event may hold two of them
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
CONTAINERS = ("items", "events", "logEvents")
_CONTAINER = re.compile(rb'"(?:%s)"\s*:\s*\[' % b"|".join(name.encode() for name in CONTAINERS))
_TIMED = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?\s+(?=\{)")
_HEAD = 1 << 16
# A string (that may end with what is read so far) or a bracket.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[][{}]', re.DOTALL)


def opened(path: str) -> IO[bytes]:
    """The file at ``path`` for reading, unpacked where it is gzip. Raises OSError."""
    stream = open(path, "rb")  # a pipe can be opened only once
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == _GZIP else stream  # type: ignore[return-value]


def entries(stream: IO[bytes], longest: int = LONGEST) -> Iterator[bytes | None]:
    """The JSON objects of a log one by one; None stands for a part that is cut off, too long or no JSON object.

    Not more than a few times ``longest`` bytes are held. Damaged gzip data end the log with a None.
    """
    try:
        first = b""
        while not first.strip() and (line := stream.readline(longest)):
            first = line.removeprefix(_BOM)
        if _is_document(first):
            yield from _of_document(first, stream, longest)
        else:
            yield from _of_lines(first, stream, longest)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield None


def _is_document(first: bytes) -> bool:
    """Whether a log whose first line that is not empty is ``first`` is more than one object per line.

    A line that is cut off makes no document: that happens to logs that are rotated.
    """
    text = first.strip()
    if text.startswith(b"[") or text == b"{":
        return True
    one = text.endswith(b"}") and b"}{" not in text
    return text.startswith(b"{") and not one and bool(_CONTAINER.search(text, 0, _HEAD))


def _of_lines(line: bytes, stream: IO[bytes], longest: int) -> Iterator[bytes | None]:
    while line:
        text = line.strip()
        if len(line) >= longest and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):  # the rest of it
                line = stream.readline(longest)
            yield None
        elif text.startswith(b"{"):
            yield text
        elif found := _TIMED.match(text):
            yield text[found.end() :]
        elif text:
            yield None
        line = stream.readline(longest)


def _of_document(head: bytes, stream: IO[bytes], longest: int) -> Iterator[bytes | None]:
    scanner = _Scanner(longest)
    yield from scanner.feed(head)
    while chunk := stream.read(_CHUNK):
        yield from scanner.feed(chunk)
    if scanner.depth or scanner.start is not None:
        yield None


class _Scanner:
    """Cuts objects out of a document: those at its top, or the items of a container there."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.depth = 0
        self.level = 0  # the depth at which objects are cut out
        self.start: int | None = None  # where the object that is being read begins
        self._buffer = b""
        self._position = 0
        self._key = b""

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The objects that end in ``chunk``."""
        self._buffer += chunk
        buffer = self._buffer
        while found := _TOKEN.search(buffer, self._position):
            token = found.group() if found.end() - found.start() < 16 else b""
            if buffer[found.start()] == 0x22:
                if not _is_closed(buffer, found.start(), found.end()):
                    break  # it goes on in the next chunk
                self._key = token
            elif token in (b"{", b"["):
                self._open(token, found.start())
            elif self._close(token):
                yield buffer[self.start : found.end()]
                self.start = None
            self._position = found.end()
        else:
            self._position = len(buffer)
        yield from self._trim()

    def _open(self, token: bytes, position: int) -> None:
        if token == b"{" and self.depth == self.level and self.start is None:
            self.start = position
        elif token == b"[" and self.depth == 0:
            self.level = 1
        elif (
            token == b"["
            and self.depth == 1
            and self.level == 0
            and self._key[1:-1].decode(errors="replace") in (CONTAINERS)
        ):
            self.start, self.level = None, 2
        self.depth += 1

    def _close(self, token: bytes) -> bool:
        """Whether the object that is being read ends here."""
        self.depth = max(self.depth - 1, 0)
        if self.depth < self.level:
            self.level = 0
            return False
        return token == b"}" and self.depth == self.level and self.start is not None

    def _trim(self) -> Iterator[None]:
        """Let go of what was read; of an object or a text that is too long all of it."""
        if len(self._buffer) - self._position > self.longest:  # a text without an end
            self._position, self.depth, self.level, self.start = len(self._buffer), 0, 0, None
            yield None
        elif self.start is not None and len(self._buffer) - self.start > self.longest:
            self.start = None
            yield None
        keep = self._position if self.start is None else self.start
        self._buffer = self._buffer[keep:]
        self._position -= keep
        if self.start is not None:
            self.start = 0


def _is_closed(buffer: bytes, start: int, end: int) -> bool:
    """Whether the text between ``start`` and ``end`` ends with its quote, and not with the data."""
    if end < len(buffer):
        return True
    if end - start < 2 or buffer[end - 1] != 0x22:
        return False
    backslashes = 0
    while buffer[end - 2 - backslashes] == 0x5C:
        backslashes += 1
    return backslashes % 2 == 0
