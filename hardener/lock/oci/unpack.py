"""The bytes of a layer, unpacked as they come: gzip, zstd, or as they are.

What is packed is told by its first bytes, as container runtimes do, not by the media type. Every step makes at most
``_STEP`` bytes, so that a small layer that unpacks to a huge one is counted before it fills the memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hardener.lock.oci.registry_error import RegistryError

_STEP = 1 << 18
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes((0x50 + number,)) + b"\x2a\x4d\x18" for number in range(16))
_WINDOW_LOG = 27  # the window that a decoder of zstd must take at the least is 8 MiB; its own most is 128 MiB
_MOST_PARTS = 1_000_000  # each costs a decoder; a layer has fewer files
_DAMAGED = "a layer cannot be unpacked: it is damaged"


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What ``chunks`` unpack to, in small pieces. Raises RegistryError where they cannot be, or end early."""
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= 4:
            break
    if head.startswith(_GZIP):
        yield from _decoded(head, source, lambda: zlib.decompressobj(31), zlib.error, _gzip_step)
    elif head.startswith((_ZSTD, *_SKIPPABLE)):
        make, error = _zstd()
        yield from _decoded(head, source, make, error, _zstd_step)
    else:
        if head:
            yield head
        for chunk in source:  # not `yield from`, which would end the source with its reader
            yield chunk


def _decoded(
    head: bytes, source: Iterator[bytes], make: Callable[[], Any], error: type[Exception], step: _Step
) -> Iterator[bytes]:
    decoder, left, parts = make(), head, 1
    while True:
        try:
            piece, left = step(decoder, left)
        except error:
            raise RegistryError(_DAMAGED) from None
        if piece:
            yield piece
        if decoder.eof:
            if not left.strip(b"\0"):  # padding
                left = next((chunk for chunk in source if chunk.strip(b"\0")), b"")
            if not left:
                return
            decoder = make()  # one more follows: what is packed may be cut into several, such as one for each file
            parts += 1
            if parts > _MOST_PARTS:
                raise RegistryError("a layer cannot be unpacked: it is cut into too many parts")
        elif not left and not piece:
            left = next((chunk for chunk in source if chunk), b"")
            if not left:
                raise RegistryError("a layer cannot be unpacked: it ends early")


_Step = Callable[[Any, bytes], tuple[bytes, bytes]]


def _gzip_step(decoder: Any, left: bytes) -> tuple[bytes, bytes]:
    piece = decoder.decompress(left, _STEP)
    return piece, decoder.unused_data if decoder.eof else decoder.unconsumed_tail


def _zstd_step(decoder: Any, left: bytes) -> tuple[bytes, bytes]:
    piece = decoder.decompress(left, _STEP)  # it keeps what it did not get to
    return piece, decoder.unused_data if decoder.eof else b""


def _zstd() -> tuple[Callable[[], Any], type[Exception]]:
    """The decoder of Python 3.14, else its twin, which the extra ``zstd`` installs."""
    from importlib import import_module

    try:
        zstd = import_module("compression.zstd")
    except ImportError:
        try:
            zstd = import_module("backports.zstd")
        except ImportError:
            raise RegistryError("its layers are packed with zstd: pip install backports.zstd") from None
    options = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
    return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
