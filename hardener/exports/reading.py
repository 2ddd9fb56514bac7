"""A file of an export, read by what stands in it: one object at a time, in bounded memory."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hardener.exports.audit_log.event import NotAnEventError
from hardener.exports.collector import Collector
from hardener.exports.model import Recorded
from hardener.exports.readers import advised, audit, flows, inspected, kubernetes, profiles, recordings, usage
from hardener.exports.shapes import entries, text
from hardener.sources import yaml
from hardener.support.json_objects import entries as json_objects
from hardener.support.json_objects import opened

_LARGEST_YAML = 32 << 20  # bytes; JSON is read in parts, and may be of any size
_HEAD = 1 << 16
_TIMED = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?\s+\{")  # a line of a CloudWatch export to S3
_DUMP = re.compile(rb'"kind": *"NodeList"')  # with which kubectl cluster-info dump begins
_KUBESCAPE = "spdx.softwarecomposition.kubescape.io"
_PROFILES = frozenset({"ContainerProfile", "ApplicationProfile", "NetworkNeighborhood"})
_NAMES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".csv", ".log", ".gz")


class Outcome(Struct):
    """What became of a file: how many objects told something, how many are of no kind that is read, how many could
    not be read, and why nothing was, if nothing was."""

    name: str
    told: int = 0
    other: int = 0
    broken: int = 0
    problem: str | None = None


class _Reader(NamedTuple):
    is_one: Callable[[dict[str, Any]], bool]
    read: Callable[[dict[str, Any], Collector], None]


_Read = Callable[[dict[str, Any], Collector], None]
# Objects of Kubernetes, by their group and kind.
_OBJECTS: dict[tuple[str, str], _Read] = {
    **{(group, kind): kubernetes.read for group in ("", "apps", "batch") for kind in kubernetes.KINDS},
    **{(group, kind): read for group, kind, read in kubernetes.OTHERS},
    **{(profiles.GROUP, kind): profiles.read for kind in profiles.KINDS},
    **{(_KUBESCAPE, kind): recordings.read_profile for kind in _PROFILES},
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): usage.read_autoscaler,
    ("k8s.otterize.com", "ClientIntents"): flows.read_intents,
}
# Documents of tools, by their keys, in this order.
_DOCUMENTS = (
    _Reader(flows.is_flow, flows.read_flow),
    _Reader(flows.is_calico, flows.read_calico),
    _Reader(flows.is_connection, flows.read_connection),
    _Reader(recordings.is_gadget_event, recordings.read_gadget),
    _Reader(inspected.is_inspected, inspected.read_inspected),
    _Reader(inspected.is_bill, inspected.read_bill),
    _Reader(inspected.is_config, inspected.read_config),
    _Reader(advised.is_advice, advised.read_advice),
    _Reader(lambda document: isinstance(document.get("scans"), list), usage.read_krr),
    _Reader(lambda document: isinstance(document.get("Namespaces"), dict), usage.read_goldilocks),
    _Reader(lambda document: text(document, "data", "resultType") in ("matrix", "vector"), usage.read_prometheus),
    _Reader(audit.is_entry, audit.read_entry),
)


def _reader_of(document: dict[str, Any]) -> _Read | None:
    """What reads ``document``; None for what tells nothing that is kept."""
    kind = document.get("kind")
    if isinstance(kind, str):
        if advised.is_policy(document):
            return advised.read_policy
        group = text(document, "apiVersion").rpartition("/")[0]
        if (group, kind) in _OBJECTS:
            return _OBJECTS[group, kind]
    return next((reader.read for reader in _DOCUMENTS if reader.is_one(document)), None)


def files_of(arguments: list[str]) -> Iterator[str]:
    """The files that ``arguments`` name, of folders those whose names say that they may be exports, in order."""
    for argument in arguments:
        if not os.path.isdir(argument):
            yield argument
            continue
        for folder, folders, names in os.walk(argument):
            folders.sort()
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(_NAMES))


def read_file(path: str, into: Collector) -> Outcome:
    """Put what the file ``path`` tells into the collector. What is no export, or cannot be read, is the ``problem``."""
    outcome = Outcome(os.path.basename(path))
    into.file = outcome.name
    try:
        with opened(path) as stream:
            head = _head(stream)
            if head.lstrip()[:1] in (b"{", b"[") or _TIMED.match(head):
                _read_json(path, into, outcome)
            elif usage.is_krr_table(_first_row(head)):
                _read_table(path, into, outcome)
            elif head.startswith(b"// "):
                _read_advice(path, into, outcome)
            else:
                _read_yaml(path, into, outcome)
    except (OSError, EOFError) as error:
        outcome.problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if outcome.problem is None and not outcome.told:
        outcome.problem = "nothing that harden import reads: see docs/import.md for the exports that it knows"
    return outcome


def told_by(objects: Iterable[tuple[str, dict[str, Any]]], today: str) -> Recorded:
    """What objects tell that lie in a tree as a cluster had them, each with the name of its file. Connections are left
    out: whom they lead to, the manifests say."""
    into = Collector(today)
    for name, item in objects:
        into.file = name
        if (read := _reader_of(item)) is not None:
            read(item, into)
    return replace(into.result(), peers=(), is_kept=False)


def _head(stream: IO[bytes]) -> bytes:
    return stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf")


def _first_row(head: bytes) -> list[str]:
    line = head.partition(b"\n")[0].decode("utf-8", "replace")
    return next(csv.reader([line]), [])


def _read_json(path: str, into: Collector, outcome: Outcome) -> None:
    with opened(path) as stream:
        head = _head(stream)
    with opened(path) as stream:
        for raw in json_objects(_without_logs(stream) if _DUMP.search(head) else stream):
            document = _decoded(raw)
            if document is None:
                outcome.broken += 1
            else:
                _read_one(document, into, outcome)


def _without_logs(stream: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_WithoutLogs(stream), _HEAD)


class _WithoutLogs(io.RawIOBase):
    """What ``kubectl cluster-info dump`` prints, without the logs of containers between its documents.

    Source: kubectl 1.36, pkg/cmd/clusterinfo/clusterinfo_dump.go.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines = self._kept(stream)
        self._rest = b""

    def _kept(self, stream: IO[bytes]) -> Iterator[bytes]:
        in_log = False
        while line := stream.readline(_HEAD):
            in_log = (in_log or line.startswith(b"==== START logs for container")) and b"==== END logs for" not in line
            if not in_log and b"==== END logs for" not in line:
                yield line

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if not self._rest:
            self._rest = next(self._lines, b"")
        count = min(len(into), len(self._rest))
        into[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _decoded(raw: bytes | None) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(raw) if raw is not None else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _read_table(path: str, into: Collector, outcome: Outcome) -> None:
    with opened(path) as stream:
        lines = io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="")
        try:
            usage.read_krr_table(lines, into)
        except csv.Error:
            outcome.broken += 1
        else:
            outcome.told += 1


def _read_advice(path: str, into: Collector, outcome: Outcome) -> None:
    with opened(path) as stream:
        raw = stream.read(_LARGEST_YAML)
    outcome.told += advised.read_profiles(raw.decode("utf-8", "replace"), into)


def _read_yaml(path: str, into: Collector, outcome: Outcome) -> None:
    with opened(path) as stream:
        raw = stream.read(_LARGEST_YAML + 1)
    if len(raw) > _LARGEST_YAML:
        outcome.problem = f"YAML of more than {_LARGEST_YAML >> 20} MiB: export it with -o json, which may be larger"
        return
    try:
        documents = yaml.documents(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        outcome.problem = "not UTF-8"
        return
    except yaml.TextError as refused:
        outcome.problem = f"line {refused.line or 1}: {refused.reason}"
        return
    for document in documents:
        if isinstance(document, dict):
            _read_one(document, into, outcome)


def _read_one(document: dict[str, Any], into: Collector, outcome: Outcome) -> None:
    if isinstance(document.get("items"), list) and text(document, "kind").endswith("List"):
        for item in entries(document, "items"):
            _read_one(_completed(item, document), into, outcome)
        return
    document = kubernetes.with_kind(document)
    read = _reader_of(document)
    if read is None:
        outcome.other += 1
        return
    try:
        read(document, into)
    except NotAnEventError:
        outcome.other += 1
    except (msgspec.DecodeError, RecursionError):
        outcome.broken += 1
    else:
        outcome.told += 1


def _completed(item: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    """An item of a list of one kind (``PodList``), which may leave out its own. Source: k8s.io/apimachinery
    pkg/runtime: items of typed lists have no TypeMeta."""
    if "kind" in item:
        return item
    return {"apiVersion": text(of, "apiVersion"), "kind": text(of, "kind").removesuffix("List"), **item}
