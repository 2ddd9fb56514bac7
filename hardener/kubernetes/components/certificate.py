"""Who an X.509 certificate is for, and until when: the few fields that are of interest, read from its DER.

Source: RFC 5280, section 4.1; of names, X.520: 2.5.4.3 is the common name, 2.5.4.10 the organization, by which the API
server tells the groups of a client.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_SET, _OID, _EXPLICIT_0, _UTC_TIME = 0x31, 0x06, 0xA0, 0x17
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class Certificate(NamedTuple):
    """``ends`` is the last day on which it is valid."""

    common_name: str
    organizations: tuple[str, ...]
    ends: date


def from_pem(text: str) -> Certificate | None:
    """The first certificate of a PEM file; None where there is none that can be read."""
    _, begin, rest = text.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    if not begin or not end:
        return None
    try:
        return _from_der(binascii.a2b_base64("".join(body.split()), strict_mode=True))
    except (ValueError, IndexError):  # not base64, cut off, or of another form
        return None


def _from_der(der: bytes) -> Certificate:
    ((_, certificate),) = _elements(der)
    fields = list(_elements(next(_elements(certificate))[1]))
    if fields[0][0] == _EXPLICIT_0:  # the version, which a certificate of version 1 does not have
        del fields[0]
    _, _, _, (_, validity), (_, subject) = fields[:5]  # serial number, signature, issuer, validity, subject
    kind, ends = list(_elements(validity))[1]
    names = list(_names(subject))
    return Certificate(
        next((value for oid, value in names if oid == _COMMON_NAME), ""),
        tuple(value for oid, value in names if oid == _ORGANIZATION),
        _day(ends.decode("ascii"), short=kind == _UTC_TIME),
    )


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element of ``data``. Raises ValueError where one is longer than what is left."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > len(data):
            raise ValueError("cut off")
        yield tag, data[position : position + length]
        position += length


def _names(subject: bytes) -> Iterator[tuple[bytes, str]]:
    for tag, entry in _elements(subject):
        for _, pair in _elements(entry) if tag == _SET else ():
            (kind, oid), (_, value) = _elements(pair)
            if kind == _OID:
                yield oid, value.decode("utf-8", "replace")


def _day(text: str, *, short: bool) -> date:
    if short:  # two digits of the year; RFC 5280 4.1.2.5.1
        text = ("20" if text[:2] < "50" else "19") + text
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
