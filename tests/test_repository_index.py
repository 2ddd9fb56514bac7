"""``index.yaml`` of a repository of charts, read in pieces of any size."""

from __future__ import annotations

import gzip
import json

import pytest

from hardener.lock.charts import repository_index
from hardener.lock.charts.repository_index import IndexedChart, read
from hardener.lock.oci.registry_error import RegistryError

TEXT = """\
# made by hand
apiVersion: v1
entries:
  "web":
  - annotations:
      notes: |
        - version: 9.9.9
        urls: [evil]
    version: 1.2.0
    description: >-
      two lines
      version: 8.8.8
    urls:
    - https://charts.example/web-1.2.0.tgz
    digest: abc
  - {version: 1.1.0, urls: [web-1.1.0.tgz], digest: "sha256:def"}
  other:
  - version: 7.0.0
    urls: [x]
  api:
    - urls:
        - api.tgz
      version: "3"

generated: "2026-11-01"
web:
  - version: 6.6.6
    urls: [no]
"""
FOUND = {
    "web": [
        IndexedChart("1.2.0", "https://charts.example/web-1.2.0.tgz", "abc"),
        IndexedChart("1.1.0", "web-1.1.0.tgz", "def"),
    ],
    "api": [IndexedChart("3", "api.tgz", None)],
}


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_an_index_is_read_in_pieces(size: int) -> None:
    assert read(pieces(TEXT.encode(), size), {"web", "api", "gone"}, "h") == FOUND
    assert read(pieces(gzip.compress(TEXT.encode()), size), {"web", "api"}, "h") == FOUND


def test_json_is_an_index_too() -> None:
    entries = {"web": [{"version": "1.2.0", "urls": ["a.tgz"], "digest": "abc"}, {"version": 1, "urls": []}, "x"]}
    body = json.dumps({"apiVersion": "v1", "entries": entries}).encode()
    assert read(pieces(body, 5), {"web"}, "h") == {"web": [IndexedChart("1.2.0", "a.tgz", "abc")]}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"apiVersion: v1\n", b"{}", b'{"entries": []}', b"entries:\n  web:\n  - version: [\n",
     b"\x1f\x8bxx"],
)  # fmt: skip
def test_what_is_no_index_is_refused(body: bytes) -> None:
    with pytest.raises(RegistryError):
        read([body], {"web"}, "h")


def test_what_packs_to_little_is_counted_as_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository_index, "LARGEST", 1 << 20)
    with pytest.raises(RegistryError, match="larger than 1 MiB"):
        read([gzip.compress(b"entries:\n" + b"#" * (4 << 20))], {"web"}, "h")
    monkeypatch.setattr(repository_index, "_LARGEST_ENTRY", 1 << 10)
    many = b"entries:\n  web:\n" + b"  - version: 1.0.0\n" * 1000
    with pytest.raises(RegistryError, match="of one chart"):
        read([many], {"web"}, "h")
