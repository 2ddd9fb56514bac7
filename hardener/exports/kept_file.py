"""``harden.evidence.yaml`` at the Git root: what it says and how it is spelled, one fact a line, in one order."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

from hardener.authoring.config import parsed_file
from hardener.errors import InputError
from hardener.exports.model import Capabilities, Facts, Image, Peer, Ran, Recorded, Source, Usage, Writes
from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.objects import quantity
from hardener.sources import yaml
from hardener.sources.files import is_inside
from hardener.sources.yaml.render import flow_value
from hardener.sources.yaml.scalars import write_scalar
from hardener.sources.yaml.style import FlowStyle

NAME = "harden.evidence.yaml"
VERSION = 1
_HEAD = "# What a cluster and its recorders told of these workloads: harden import writes it, harden apply reads it.\n"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTAINER = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+/[^/\s]+")
_FLOW = FlowStyle()


class _Line(NamedTuple):
    """A kind of fact: the key of its line, its field in ``Facts``, and how it is written and read."""

    key: str
    field: str
    shape: type
    written: Callable[[Any], dict[str, Any]]
    read: Callable[[Any], Any]


class _Image(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    digest: str
    by: str


class _Ran(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    uid: int
    by: str
    gid: int | None = None
    by_image: bool = False


class _Writes(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    folders: list[str] = []
    files: list[str] = []


class _Capabilities(msgspec.Struct, forbid_unknown_fields=True):
    used: list[str]
    by: str


class _Usage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    by: str
    cpu: str | int | None = None
    cpu_most: str | int | None = None
    memory: str | int | None = None
    memory_most: str | int | None = None
    oom_killed: int = 0


class _Source(msgspec.Struct, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}):
    tool: str
    file: str
    last: str
    first: str | None = None


class _Peer(msgspec.Struct, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}):
    source: str
    target: str
    by: str
    port: int = 0
    protocol: str = "TCP"


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    sources: dict[str, _Source] = {}
    containers: dict[str, list[dict[str, Any]]] = {}
    injected: dict[str, list[str]] = {}
    peers: list[_Peer] = []


def _usage_written(fact: Usage) -> dict[str, Any]:
    return {
        "cpu": _cores(fact.cpu),
        "cpuMost": _cores(fact.cpu_most),
        "memory": _bytes(fact.memory),
        "memoryMost": _bytes(fact.memory_most),
        "oomKilled": fact.killed or None,
        "by": fact.by,
    }


def _usage_read(said: _Usage) -> Usage:
    return Usage(
        said.by, _of(said.cpu, 1000), _of(said.cpu_most, 1000), _of(said.memory, 1), _of(said.memory_most, 1),
        said.oom_killed,
    )  # fmt: skip


_LINES = (
    _Line(
        "image", "images", _Image,
        lambda fact: {"name": fact.name, "digest": fact.digest, "by": fact.by},
        lambda said: Image(said.by, said.name, said.digest),
    ),
    _Line(
        "ran", "ran", _Ran,
        lambda fact: {"uid": fact.uid, "gid": fact.gid, "byImage": fact.by_image or None, "by": fact.by},
        lambda said: Ran(said.by, said.uid, said.gid, said.by_image),
    ),
    _Line(
        "wrote", "writes", _Writes,
        lambda fact: {"folders": list(fact.folders), "files": list(fact.files) or None, "by": fact.by},
        lambda said: Writes(said.by, tuple(said.folders), tuple(said.files)),
    ),
    _Line(
        "capabilities", "capabilities", _Capabilities,
        lambda fact: {"used": list(fact.used), "by": fact.by},
        lambda said: Capabilities(said.by, tuple(said.used)),
    ),
    _Line("used", "usage", _Usage, _usage_written, _usage_read),
)  # fmt: skip
_BY_KEY = {line.key: line for line in _LINES}


def load(root: str) -> Recorded | None:
    """What is kept in the folder ``root``, None without a file. Raises InputError with the file, the line and what to
    write there."""
    path = os.path.join(root, NAME)
    if not os.path.exists(path):
        return None
    name = os.path.relpath(path)
    if not is_inside(os.path.realpath(path), os.path.realpath(root)):
        raise InputError(f"{name}: a link out of the tree, which is not followed")
    parsed = parsed_file(path, name)
    if not parsed.documents or parsed.documents[0] is None:
        return Recorded()
    try:
        said = msgspec.convert(parsed.documents[0], _Document)
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {_plain(error)}: run harden import again") from None
    if said.version != VERSION:
        raise InputError(f"{name}: version {said.version} is of another harden: run harden import with this one")
    return _recorded(said, name, parsed)


def _recorded(said: _Document, name: str, parsed: yaml.Parsed) -> Recorded:
    sources = {key: Source(each.tool, each.file, each.last, each.first) for key, each in said.sources.items()}
    containers = {}
    for container, lines in said.containers.items():
        facts: dict[str, list[Any]] = {line.field: [] for line in _LINES}
        for index, entry in enumerate(lines):
            where = f"{name}:{parsed.line(0, ('containers', container, index))}"
            for line, fact in _facts(entry, where):
                facts[line.field].append(fact)
        containers[container] = Facts(**{key: tuple(found) for key, found in facts.items()})
    peers = tuple(Peer(each.source, each.target, each.port, each.by, each.protocol) for each in said.peers)
    found = Recorded(sources, containers, {key: tuple(names) for key, names in said.injected.items()}, peers)
    if problem := next(_problems(found), None):
        raise InputError(f"{name}: {problem}")
    return found


def _facts(entry: dict[str, Any], where: str) -> Iterator[tuple[_Line, Any]]:
    for key, value in entry.items():
        line = _BY_KEY.get(key)
        if line is None:
            raise InputError(f"{where}: {key} is no fact of a container: they are {', '.join(_BY_KEY)}")
        try:
            yield line, line.read(msgspec.convert(value, line.shape))
        except msgspec.ValidationError as error:
            raise InputError(f"{where}: {key}: {_plain(error)}") from None


def _problems(found: Recorded) -> Iterator[str]:
    """What is wrong with facts whose keys and types are right, with what to write in its place."""
    for key, source in found.sources.items():
        if not all(_DAY.fullmatch(day) for day in (source.last, source.first or source.last)):
            yield f"sources: {key}: a day looks like 2026-11-25"
    used = {fact.by for facts in found.containers.values() for kind in facts.__struct_fields__
            for fact in getattr(facts, kind)} | {peer.by for peer in found.peers}  # fmt: skip
    for key in sorted(used - found.sources.keys()):
        yield f"by: {key} is none of its sources"
    for name, facts in found.containers.items():
        if not _CONTAINER.fullmatch(name):
            yield f"containers: {name}: write it as KIND/NAMESPACE/NAME/CONTAINER"
        for image in facts.images:
            if not is_digest(image.digest):
                yield f"containers: {name}: {image.digest} is no digest"
        for path in (path for each in facts.writes for path in (*each.folders, *each.files)):
            if not path.startswith("/") or posixpath.normpath(path) != path:
                yield f"containers: {name}: {path} is no path of an image: write it from the root on"
        if any(each.uid < 0 for each in facts.ran):
            yield f"containers: {name}: a uid is no less than 0"


def _plain(error: msgspec.ValidationError) -> str:
    return str(error).replace("`", "").replace("$.", "")


def _cores(thousandths: int | None) -> str | None:
    return None if thousandths is None else quantity.format_cpu(Fraction(thousandths, 1000))


def _bytes(count: int | None) -> str | None:
    return None if count is None else quantity.format_memory(Fraction(count))


def _of(written: str | int | None, scale: int) -> int | None:
    amount = quantity.parse(written)
    return None if amount is None else int(amount * scale)


def written(found: Recorded) -> str:
    """The text of the file that holds ``found``."""
    return _HEAD + "\n".join(_text_lines(found)) + "\n"


def _text_lines(found: Recorded) -> Iterator[str]:
    yield f"version: {VERSION}"
    if found.sources:
        yield "sources:"
    for key in sorted(found.sources, key=lambda key: (len(key), key)):
        each = found.sources[key]
        yield f"  {key}: {_flow({'tool': each.tool, 'file': each.file, 'from': each.first, 'to': each.last})}"
    if found.containers:
        yield "containers:"
    for name, facts in sorted(found.containers.items()):
        yield f"  {write_scalar(name)}:"
        yield from _lines_of(facts)
    if found.injected:
        yield "injected:"
    for name, names in sorted(found.injected.items()):
        yield f"  {write_scalar(name)}: {flow_value(list(names), _FLOW, '')}"
    if found.peers:
        yield "peers:"
    for peer in sorted(found.peers):
        more = {"protocol": peer.protocol if peer.protocol != "TCP" else None, "by": peer.by}
        yield f"- {_flow({'from': peer.source, 'to': peer.target, 'port': peer.port or None} | more)}"


def spelled(kind: str, fact: Any) -> str:
    """A fact of the field ``kind`` as its line has it, without its source."""
    line = next(line for line in _LINES if line.field == kind)
    return _flow({key: value for key, value in line.written(fact).items() if key != "by"})[1:-1]


def _lines_of(facts: Facts) -> Iterable[str]:
    for line in _LINES:
        for fact in getattr(facts, line.field):
            yield f"  - {line.key}: {_flow(line.written(fact))}"


def _flow(entry: dict[str, Any]) -> str:
    return flow_value({key: value for key, value in entry.items() if value is not None}, _FLOW, "")
