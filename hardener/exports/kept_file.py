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
from hardener.exports.model import (
    OUTSIDE,
    About,
    Account,
    Calls,
    Capabilities,
    ClusterFact,
    Facts,
    Holds,
    Image,
    ImageConfig,
    ImageFacts,
    Peer,
    Programs,
    Ran,
    Recorded,
    Right,
    Source,
    Usage,
    Writes,
    is_day,
)
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
_CONTAINER = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+/[^/\s]+")
_WORKLOAD = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+")
_PORTS, _PROTOCOLS = 1 << 16, frozenset({"TCP", "UDP", "SCTP"})
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
    restarts: int = 0
    throttled: str | int | None = None


class _Calls(msgspec.Struct, forbid_unknown_fields=True):
    refused: list[str]
    by: str


class _Programs(msgspec.Struct, forbid_unknown_fields=True):
    setuid: list[str]
    by: str


class _Config(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    user: str = ""
    ports: list[str] = []
    volumes: list[str] = []
    folder: str = ""


class _Holds(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    runtimes: list[str] = []
    servers: list[str] = []


class _Source(
    msgspec.Struct, forbid_unknown_fields=True, rename={"first": "from", "last": "to", "left_out": "leftOut"}
):
    tool: str
    file: str
    last: str
    first: str | None = None
    events: int = 0
    reads: int = 0
    notes: int = 0
    left_out: bool = False


class _About(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    release: str = ""
    labels: dict[str, str] = {}


class _Right(msgspec.Struct, forbid_unknown_fields=True):
    verbs: list[str]
    group: str = ""
    resource: str = ""
    namespace: str = ""
    names: list[str] = []
    url: str = ""


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    events: int
    did: list[_Right] = []
    whole: bool = True


class _ClusterFact(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    name: str
    by: str
    said: dict[str, str] = {}


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
    images: dict[str, list[dict[str, Any]]] = {}
    workloads: dict[str, _About] = {}
    accounts: dict[str, list[_Account]] = {}
    cluster: list[_ClusterFact] = []


def _usage_written(fact: Usage) -> dict[str, Any]:
    return {
        "cpu": _cores(fact.cpu),
        "cpuMost": _cores(fact.cpu_most),
        "memory": _bytes(fact.memory),
        "memoryMost": _bytes(fact.memory_most),
        "oomKilled": fact.killed or None,
        "restarts": fact.restarts or None,
        "throttled": f"{fact.throttled}m" if fact.throttled else None,
        "by": fact.by,
    }


def _usage_read(said: _Usage) -> Usage:
    return Usage(
        said.by, _of(said.cpu, 1000), _of(said.cpu_most, 1000), _of(said.memory, 1), _of(said.memory_most, 1),
        said.oom_killed, said.restarts, _of(said.throttled, 1000) or 0,
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
    _Line(
        "calls", "calls", _Calls,
        lambda fact: {"refused": list(fact.refused), "by": fact.by},
        lambda said: Calls(said.by, tuple(said.refused)),
    ),
    _Line(
        "programs", "programs", _Programs,
        lambda fact: {"setuid": list(fact.setuid), "by": fact.by},
        lambda said: Programs(said.by, tuple(said.setuid)),
    ),
)  # fmt: skip
_OF_IMAGES = (
    _Line(
        "config", "configs", _Config,
        lambda fact: {
            "user": fact.user or None, "ports": list(fact.ports) or None, "volumes": list(fact.volumes) or None,
            "folder": fact.folder or None, "by": fact.by,
        },
        lambda said: ImageConfig(said.by, said.user, tuple(said.ports), tuple(said.volumes), said.folder),
    ),
    _Line(
        "holds", "holds", _Holds,
        lambda fact: {
            "runtimes": list(fact.runtimes) or None, "servers": list(fact.servers) or None, "by": fact.by,
        },
        lambda said: Holds(said.by, tuple(said.runtimes), tuple(said.servers)),
    ),
)  # fmt: skip


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
    def facts(section: str, entries: dict[str, list[dict[str, Any]]], lines: tuple[_Line, ...]) -> dict[str, Any]:
        found = {}
        for key, each in entries.items():
            by_field: dict[str, list[Any]] = {line.field: [] for line in lines}
            for index, entry in enumerate(each):
                where = f"{name}:{parsed.line(0, (section, key, index))}"
                for line, fact in _facts(entry, where, lines):
                    by_field[line.field].append(fact)
            found[key] = {field: tuple(kept) for field, kept in by_field.items()}
        return found

    found = Recorded(
        {key: Source(*msgspec.structs.astuple(each)) for key, each in said.sources.items()},
        {key: Facts(**each) for key, each in facts("containers", said.containers, _LINES).items()},
        {key: tuple(names) for key, names in said.injected.items()},
        tuple(Peer(each.source, each.target, each.port, each.by, each.protocol) for each in said.peers),
        {key: ImageFacts(**each) for key, each in facts("images", said.images, _OF_IMAGES).items()},
        {key: About(each.by, each.release, _pairs(each.labels)) for key, each in said.workloads.items()},
        {key: tuple(map(_account, each)) for key, each in said.accounts.items()},
        tuple(ClusterFact(each.kind, each.name, each.by, _pairs(each.said)) for each in said.cluster),
    )
    if problem := next(_problems(found), None):
        raise InputError(f"{name}: {problem}")
    return found


def _pairs(said: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(said.items()))


def _account(said: _Account) -> Account:
    did = tuple(
        Right(tuple(each.verbs), each.group, each.resource, each.namespace, tuple(each.names), each.url)
        for each in said.did
    )
    return Account(said.by, said.events, did, said.whole)


def _facts(entry: dict[str, Any], where: str, lines: tuple[_Line, ...]) -> Iterator[tuple[_Line, Any]]:
    by_key = {line.key: line for line in lines}
    for key, value in entry.items():
        line = by_key.get(key)
        if line is None:
            whose = "a container" if lines is _LINES else "an image"
            raise InputError(f"{where}: {key} is no fact of {whose}: they are {', '.join(by_key)}")
        try:
            yield line, line.read(msgspec.convert(value, line.shape))
        except msgspec.ValidationError as error:
            raise InputError(f"{where}: {key}: {_plain(error)}") from None


def _problems(found: Recorded) -> Iterator[str]:
    """What is wrong with facts whose keys and types are right, with what to write in its place."""
    for key, source in found.sources.items():
        if not all(map(is_day, (source.last, source.first or source.last))):
            yield f"sources: {key}: a day looks like 2026-11-25"
    yield from (f"by: {key} is none of its sources" for key in sorted({*found.of_sources()} - found.sources.keys()))
    yield from _problems_of_workloads(found)
    for name, facts in found.containers.items():
        yield from (f"containers: {name}: {problem}" for problem in _problems_of(name, facts))


def _problems_of_workloads(found: Recorded) -> Iterator[str]:
    ends = {end for peer in found.peers for end in (peer.source, peer.target)} - {OUTSIDE}
    for section, names in (("peers", ends), ("workloads", found.workloads), ("injected", found.injected)):
        wrong = sorted(name for name in names if not _WORKLOAD.fullmatch(name))
        yield from (f"{section}: {name}: write it as KIND/NAMESPACE/NAME" for name in wrong)
    for peer in found.peers:
        if not 0 <= peer.port < _PORTS or peer.protocol not in _PROTOCOLS:
            yield f"peers: {peer.port}/{peer.protocol} is no port of TCP, UDP or SCTP"


def _problems_of(name: str, facts: Facts) -> Iterator[str]:
    if not _CONTAINER.fullmatch(name):
        yield "write it as KIND/NAMESPACE/NAME/CONTAINER"
    yield from (f"{image.digest} is no digest" for image in facts.images if not is_digest(image.digest))
    paths = (path for each in facts.writes for path in (*each.folders, *each.files))
    wrong = (path for path in paths if not path.startswith("/") or posixpath.normpath(path) != path)
    yield from (f"{path} is no path of an image: write it from the root on" for path in wrong)
    if any(each.uid < 0 for each in facts.ran):
        yield "a uid is no less than 0"


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
    yield from _section("sources", (
        f"  {key}: {_flow(_source(found.sources[key]))}" for key in sorted(found.sources, key=lambda k: (len(k), k))
    ))  # fmt: skip
    yield from _section("cluster", (f"- {_flow(_cluster(fact))}" for fact in sorted(found.cluster)))
    yield from _section("images", _named_lines(found.images, _OF_IMAGES))
    yield from _section("containers", _named_lines(found.containers, _LINES))
    yield from _section("workloads", (
        f"  {write_scalar(name)}: {_flow(_about(about))}" for name, about in sorted(found.workloads.items())
    ))  # fmt: skip
    injected = sorted(found.injected.items())
    texts = (f"  {write_scalar(name)}: {flow_value(list(names), _FLOW, '')}" for name, names in injected)
    yield from _section("injected", texts)
    yield from _section("peers", (f"- {_flow(_peer(peer))}" for peer in sorted(found.peers)))
    yield from _section("accounts", _account_lines(found.accounts))


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a section below its name; nothing where there are none."""
    for number, line in enumerate(lines):
        if not number:
            yield f"{name}:"
        yield line


def _source(each: Source) -> dict[str, Any]:
    audit = {"events": each.events or None, "reads": each.reads or None, "notes": each.notes or None}
    days = {"tool": each.tool, "file": each.file, "from": each.first, "to": each.last}
    return days | audit | {"leftOut": each.left_out or None}


def _cluster(fact: ClusterFact) -> dict[str, Any]:
    return {"kind": fact.kind, "name": fact.name, "said": dict(fact.said) or None, "by": fact.by}


def _about(about: About) -> dict[str, Any]:
    return {"release": about.release or None, "labels": dict(about.labels) or None, "by": about.by}


def _peer(peer: Peer) -> dict[str, Any]:
    protocol = peer.protocol if peer.protocol != "TCP" else None
    return {"from": peer.source, "to": peer.target, "port": peer.port or None, "protocol": protocol, "by": peer.by}


def _account_lines(accounts: dict[str, tuple[Account, ...]]) -> Iterator[str]:
    for name, each in sorted(accounts.items()):
        yield f"  {write_scalar(name)}:"
        for account in each:
            yield f"  - by: {account.by}"
            yield f"    events: {account.events}"
            if not account.whole:
                yield "    whole: false"
            yield from _section("    did", (f"    - {_flow(_right(right))}" for right in account.did))


def _right(right: Right) -> dict[str, Any]:
    several = {"verbs": list(right.verbs), "names": list(right.names) or None}
    single = {name: getattr(right, name) or None for name in ("group", "resource", "namespace", "url")}
    return {key: (several | single)[key] for key in ("verbs", "group", "resource", "namespace", "names", "url")}


def spelled(kind: str, fact: Any) -> str:
    """A fact of the field ``kind`` as its line has it, without its source."""
    line = next(line for line in (*_LINES, *_OF_IMAGES) if line.field == kind)
    return _flow({key: value for key, value in line.written(fact).items() if key != "by"})[1:-1]


def _named_lines(held: dict[str, Any], lines: tuple[_Line, ...]) -> Iterator[str]:
    for name, facts in sorted(held.items()):
        yield f"  {write_scalar(name)}:"
        for line in lines:
            yield from (f"  - {line.key}: {_flow(line.written(fact))}" for fact in getattr(facts, line.field))


def _flow(entry: dict[str, Any]) -> str:
    return flow_value({key: value for key, value in entry.items() if value is not None}, _FLOW, "")
