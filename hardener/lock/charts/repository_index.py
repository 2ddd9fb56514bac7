"""``index.yaml`` of a chart repository, read as it comes: only what is asked for of it is kept.

Source: helm.sh/docs/topics/chart_repository. helm writes one key a line, in blocks (helm/helm
pkg/repo/index.go), or JSON.
An index may have some ten MiB, most of which are the texts of annotations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.unpack import unpacked
from hardener.sources.yaml import TextError, parse

LARGEST = 64 << 20  # bytes of an index
_LARGEST_JSON = 32 << 20  # is read at once
_LARGEST_ENTRY = 8 << 20  # bytes of what is kept of one chart
_MOST_VERSIONS = 20_000
_KEYS = frozenset({b"version", b"urls", b"digest"})
_NO_INDEX = "its index.yaml is no index of charts"


class IndexedChart(Struct, frozen=True):
    """A version of a chart: where its archive is, and its digest where the index says one."""

    version: str
    address: str
    digest: str | None


def read(chunks: Iterable[bytes], names: Collection[str], host: str) -> dict[str, list[IndexedChart]]:
    """Return the versions of the charts ``names`` of the index in ``chunks``. Raises RegistryError, which calls the
    server ``host``."""
    texts = _texts(chunks, host)
    first = next((text for text in texts if text.strip()), b"")
    if first.lstrip().startswith(b"{"):
        return _of_json(first, texts, names, host)
    scan = _Scan({name.encode() for name in names}, host)
    for text in chain([first], texts):
        scan.take(text)
    if not scan.has_entries:
        raise RegistryError(f"{host}: {_NO_INDEX}")
    return {name.decode(): _versions(_parsed(block.lines, host), host) for name, block in scan.found.items()}


def _texts(chunks: Iterable[bytes], host: str) -> Iterator[bytes]:
    """What ``chunks`` hold, unpacked where it is packed, in whole lines. Raises RegistryError for too much."""
    left, size = bytearray(), 0
    for chunk in unpacked(chunks):
        size += len(chunk)
        if size > LARGEST:
            raise RegistryError(f"{host}: its index.yaml is larger than {LARGEST >> 20} MiB")
        whole, end, rest = chunk.rpartition(b"\n")
        if end:
            yield bytes(left) + whole + end
            left.clear()
        left += rest
    yield bytes(left) + b"\n"


def _of_json(first: bytes, texts: Iterator[bytes], names: Collection[str], host: str) -> dict[str, list[IndexedChart]]:
    whole = bytearray(first)
    for text in texts:
        whole += text
        if len(whole) > _LARGEST_JSON:
            raise RegistryError(f"{host}: its index.yaml is JSON and larger than {_LARGEST_JSON >> 20} MiB")
    try:
        found = json.loads(whole)
    except (ValueError, RecursionError):
        found = None
    entries = found.get("entries") if isinstance(found, dict) else None
    if not isinstance(entries, dict):
        raise RegistryError(f"{host}: {_NO_INDEX}")
    return {name: _versions(entries[name], host) for name in names if name in entries}


class _Scan:
    """Finds the lines of each of ``names`` below ``entries``; lines of others are passed over without a look."""

    def __init__(self, names: Collection[bytes], host: str) -> None:
        self.found: dict[bytes, _Block] = {}
        self.has_entries = False
        self._names, self._host = names, host
        self._is_below, self._indent = False, -1  # of the names of charts
        self._current: _Block | None = None

    def take(self, text: bytes) -> None:
        """Take whole lines. Raises RegistryError."""
        start = 0
        while start < len(text):
            if self._current is None and (head := self._head()) is not None:
                match = head.search(text, start)
                if match is None:
                    return
                start = match.start()
            end = text.find(b"\n", start)
            self._line(text[start:end])
            start = end + 1

    def _head(self) -> re.Pattern[bytes] | None:
        """What the next line that counts looks like; None where each does."""
        if not self._is_below:
            return _heads(0)
        return _heads(self._indent) if self._indent >= 0 else None

    def _line(self, line: bytes) -> None:
        body = line.lstrip(b" ")
        if not body.strip() or body.startswith(b"#"):
            return
        indent = len(line) - len(body)
        is_item = body.startswith(b"-")
        if indent == 0 and not is_item:
            self._is_below, self._indent, self._current = _key(body) == b"entries", -1, None
            self.has_entries = self.has_entries or self._is_below
            return
        if self._indent < 0:
            self._indent = indent
        if indent == self._indent and not is_item:
            self._current = self._block(_key(body))
        elif self._current is not None:
            self._current.take(indent, body)

    def _block(self, name: bytes) -> _Block | None:
        if name not in self._names:
            return None
        return self.found.setdefault(name, _Block(self._host))


@cache
def _heads(indent: int) -> re.Pattern[bytes]:
    """Lines with at most ``indent`` spaces before what is no item of a list."""
    return re.compile(rb"(?m)^ {0,%d}[^\s#-]" % indent)


def _key(body: bytes) -> bytes:
    return body.partition(b":")[0].strip().strip(b"\"'")


class _Block:
    """The lines of one chart, as YAML without the keys that nobody asks for."""

    def __init__(self, host: str) -> None:
        self.lines: list[bytes] = []
        self._host, self._size = host, 0
        self._dash = self._keys = -1
        self._keeps = False

    def take(self, indent: int, body: bytes) -> None:
        """Take the line ``body``, which has ``indent`` spaces before it. Raises RegistryError for too many."""
        if self._dash < 0:
            self._dash = indent
        if indent == self._dash and body.startswith(b"-"):
            rest = body[1:].lstrip(b" ")
            self._keep(b"-")
            indent += len(body) - len(rest)
            self._keys, body = indent, rest
        if indent == self._keys and not body.startswith(b"-"):
            self._keeps = _key(body) in _KEYS or body.startswith(b"{")
        if self._keeps and body:
            self._keep(b" " * (indent - self._dash) + body)

    def _keep(self, line: bytes) -> None:
        self._size += len(line)
        if self._size > _LARGEST_ENTRY:
            raise RegistryError(f"{self._host}: its index.yaml says more than {_LARGEST_ENTRY >> 20} MiB of one chart")
        self.lines.append(line)


def _parsed(lines: list[bytes], host: str) -> Any:
    try:
        documents = parse(b"\n".join(lines).decode("utf-8", "replace") + "\n").documents if lines else []
    except TextError:
        raise RegistryError(f"{host}: {_NO_INDEX}") from None
    return documents[0] if documents else []


def _versions(entries: Any, host: str) -> list[IndexedChart]:
    """The versions that an index has of a chart; what helm cannot use of them is left out, as helm does."""
    if not isinstance(entries, list) or len(entries) > _MOST_VERSIONS:
        raise RegistryError(f"{host}: {_NO_INDEX}")
    found = (_version(entry) for entry in entries if isinstance(entry, dict))
    return [chart for chart in found if chart is not None]


def _version(entry: dict[str, Any]) -> IndexedChart | None:
    version, urls, digest = entry.get("version"), entry.get("urls"), entry.get("digest")
    address = urls[0] if isinstance(urls, list) and urls else None
    if not isinstance(version, str) or not isinstance(address, str) or not version.isprintable():
        return None
    return IndexedChart(version, address, digest.removeprefix("sha256:") if isinstance(digest, str) else None)
