"""The formats of ``harden graph``: text, Mermaid, DOT, and JSON (its schema is ``hardener/report/graph.schema.json``).

Names may hold anything that YAML can write. In text every control character is escaped; in Mermaid and DOT names stand
in quoted labels only, and what is drawn goes by numbers.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from hardener.facts.network.connections import Port, Way
from hardener.report.connections.graph import Fact, Graph, Host, How, Lack, Link, OpenService, Workload
from hardener.report.connections.names import told_apart
from hardener.support.printable import plain, seen_in_json

T = TypeVar("T")

_PLAIN = re.compile(r"[^\w ./:,()*+=?-]")
_API = "the Kubernetes API"
_SILENT = "not all known (partly read)"
ORIGINS = {
    Way.OUTSIDE: "anywhere",
    Way.API_SERVER: "the API server",
    Way.MONITORING: "monitoring of any namespace",
    Way.PROGRAM: "any pod of any namespace",
    Way.GATEWAY: "gateways of any namespace",
    Way.CONTROLLER: "any pod of any namespace",
    Way.UNREAD: "what could not be read",
    Way.NAMESPACE: "any pod of its namespace",
    Way.MADE: "pods that it makes",
    Way.RECORDED: "workloads that were seen and that the tree does not hold",
}
_LACKS = {
    Lack.EXTERNAL: "outside the cluster",
    Lack.UNSEEN: "whose pods the tree does not show",
    Lack.UNRESOLVED: "which the tree does not hold",
}
# What a link is called, and how it is drawn in each format, by how it is known.
HOW = {
    How.SEEN: "seen, and nothing in the tree names it",
    How.INFERRED: "named in the tree, not seen",
    How.BOTH: "named in the tree, and seen",
}
_MERMAID = {How.SEEN: "--o", How.INFERRED: "-->", How.BOTH: "==>"}
_DOT = {How.SEEN: ("style=bold", "arrowhead=odot"), How.INFERRED: (), How.BOTH: ("style=bold",)}
_ALL_PORTS = "all ports"


# Text.


def text(graph: Graph) -> Iterator[str]:
    """Yield lines for people: each workload by namespace, what it opens connections to, and who else reaches it."""
    rows = _Rows(graph)
    for namespace, workloads in by_namespace(graph).items():
        yield namespace
        for workload in workloads:
            yield from rows.lines(workload)
    alone = [service for service in graph.services if not service.servers]
    if alone:
        yield "open to the outside, and the tree does not show their pods"
    for service in alone:
        yield f"  Service/{plain(service.name)}  {plain(service.file)}:{service.line}"
        yield f"    {_decision(service)}: {_evidence(service.evidence, os.path.dirname(service.file))}"
    if graph.workloads or alone:
        yield ""
    yield _summary(graph)
    if graph.tells_how:
        yield "; ".join(f"[{how}] {words}" for how, words in HOW.items())
    if graph.unread:
        yield f"{_count(graph.unread, 'file or document', 'files or documents')} not read: harden check names them"


class _Rows:
    """The rows of each workload: what it calls, then who calls it, then its open Services."""

    def __init__(self, graph: Graph) -> None:
        self._clients = _by_workload((link.client, link) for link in graph.links)
        self._entries = _by_workload((link.server, link) for link in graph.links if link.client is None)
        self._hosts = _by_workload((host.client, host) for host in graph.hosts)
        self._services = _by_workload((server, service) for service in graph.services for server in service.servers)

    def lines(self, workload: Workload) -> Iterator[str]:
        """Yield the lines of ``workload``, the evidence one below the other."""
        folder = os.path.dirname(workload.file)
        yield f"  {plain(workload.label)}  {plain(workload.file)}:{workload.line}"
        rows = list(self._of(workload))
        width = max((len(head) for head, _ in rows if len(head) <= _WIDEST), default=0)
        for head, facts in rows:
            yield f"    {head.ljust(width)}   {_evidence(facts, folder)}".rstrip()
        for service in self._services.get(workload.id, ()):
            yield f"    {_decision(service)}: {_evidence(service.evidence, folder)}"

    def _of(self, workload: Workload) -> Iterator[Row]:
        yield from map(_client_row, self._clients.get(workload.id, ()))
        yield from map(_host_row, self._hosts.get(workload.id, ()))
        if workload.api:
            yield f"-> {_API}", workload.api
        if workload.silent:
            yield f"-> {_SILENT}", workload.silent
        yield from map(_entry_row, self._entries.get(workload.id, ()))


_WIDEST = 60
Row = tuple[str, tuple[Fact, ...]]


def _client_row(link: Link) -> Row:
    arrow = "->" if link.certain else "~> perhaps"
    how = f" [{link.how}]" if link.how is not None else ""
    return f"{arrow} {plain(link.server.label)} {ports(link.ports)}{_through(link)}{how}", link.evidence


def _entry_row(link: Link) -> Row:
    return f"<- {ORIGINS[link.way or Way.OUTSIDE]} {ports(link.ports)}{_through(link)}", link.evidence


def _host_row(host: Host) -> Row:
    addresses = f" ({', '.join(map(plain, host.addresses))})" if host.addresses else ""
    return f"-> {plain(_host(host))}{addresses}, {_LACKS[host.lack]}", host.evidence


def _decision(service: OpenService) -> str:
    """What becomes of an open Service; its reason comes after it."""
    how = f"Service/{plain(service.name)} ({plain(service.kind)})"
    return f"{how} {'stays open' if service.stays else 'can be closed'}"


def _through(link: Link) -> str:
    """The Service, where its name is not that of the workload."""
    return "" if link.service in (None, link.server.name) else f" through Service/{plain(link.service or '')}"


def _evidence(facts: tuple[Fact, ...], folder: str) -> str:
    """The first of ``facts``, and how many more; a file in ``folder``, which was named before, by its name alone."""
    more = f" and {len(facts) - 1} more" if len(facts) > 1 else ""
    return "".join(f"{plain(fact.text)}{_place(fact, folder)}{more}" for fact in facts[:1])


def _place(fact: Fact, folder: str) -> str:
    if fact.file is None:
        return ""
    above, name = os.path.split(fact.file)
    return f" at {plain(name if above == folder else fact.file)}:{fact.line}"


def _summary(graph: Graph) -> str:
    lacks = Counter(host.lack for host in graph.hosts)
    open_to = Counter(link.way for link in graph.links if link.certain)
    doubts = sum(not link.certain for link in graph.links)
    counts = (
        (open_to[None], _count(open_to[None], "connection")),
        (doubts, f"{doubts} more that may be"),
        (open_to[Way.OUTSIDE], f"{open_to[Way.OUTSIDE]} open to anywhere"),
        (lacks[Lack.EXTERNAL], f"{lacks[Lack.EXTERNAL]} to the outside"),
        (lacks[Lack.UNSEEN], f"{lacks[Lack.UNSEEN]} to pods that the tree does not show"),
        (lacks[Lack.UNRESOLVED], f"{lacks[Lack.UNRESOLVED]} to names that the tree does not hold"),
        (api := sum(1 for workload in graph.workloads if workload.api), f"{api} to the Kubernetes API"),
        (partly := sum(1 for each in graph.workloads if each.silent), f"{partly} partly read"),
    )
    found = ", ".join(words for number, words in counts if number) or "no connection found"
    return f"{_count(len(graph.workloads), 'workload')}: {found}"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


# What the formats share.


def ports(found: Iterable[Port]) -> str:
    """Return ``80/TCP, 53/UDP``; none means all of them."""
    return ", ".join(f"{plain(str(port.port))}/{plain(port.protocol)}" for port in found) or _ALL_PORTS


def _host(host: Host) -> str:
    return host.host if host.port is None else f"{host.host}:{host.port}"


def _namespace(workload: Workload) -> str:
    names = [name or "not named" for name in workload.namespaces]
    if names == ["not named"]:
        return "no namespace named"
    return f"namespace{'s' * (len(names) > 1)} {', '.join(names)}"


def by_namespace(graph: Graph) -> dict[str, list[Workload]]:
    found: dict[str, list[Workload]] = {}
    for workload in graph.workloads:
        found.setdefault(plain(_namespace(workload)), []).append(workload)
    return found


def _by_workload(pairs: Iterable[tuple[Workload | None, T]]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for workload, item in pairs:
        if workload is not None:
            found.setdefault(workload.id, []).append(item)
    return found


def _labels(graph: Graph) -> dict[int, str]:
    """What the workloads are called in a drawing: those of one name bear their files, too."""
    told = told_apart(graph.workloads)
    return {
        workload.id: workload.label + (f" ({told[workload.id]})" if workload.id in told else "")
        for workload in graph.workloads
    }


class Arrow(NamedTuple):
    """What is drawn from one end to another; ``nowhere``: it is not known to lead there."""

    start: str
    end: str
    label: str
    nowhere: bool = False
    how: How | None = None


class Outsiders:
    """What is drawn beside the workloads, each once, by its label: where connections come from, hosts, the API."""

    def __init__(self, graph: Graph) -> None:
        self.ids: dict[str, str] = {}
        self.unresolved: set[str] = set()
        self.arrows: list[Arrow] = []
        waiting = _by_workload((server, service) for service in graph.services for server in service.servers)
        for link in graph.links:
            self._link(link, waiting)
        for service in graph.services:
            if not service.servers:
                end = self._id(f"Service/{service.name}, whose pods the tree does not show")
                self.arrows.append(Arrow(self._id(ORIGINS[Way.OUTSIDE]), end, reason(service)))
        for host in graph.hosts:
            nowhere = host.lack is Lack.UNRESOLVED
            self._leads(host.client, _host(host), "not in the tree" if nowhere else "", nowhere)
        for workload in graph.workloads:
            if workload.api:
                self._leads(workload, _API, "", False)
        for workload in graph.workloads:
            if workload.silent:
                self._leads(workload, _SILENT, "", True)

    def _link(self, link: Link, waiting: dict[int, list[OpenService]]) -> None:
        server = f"w{link.server.id}"
        if link.client is not None:
            label = ports(link.ports) if link.certain else f"perhaps {ports(link.ports)}"
            self.arrows.append(Arrow(f"w{link.client.id}", server, label, not link.certain, link.how))
            return
        is_neighbour = link.way is Way.NAMESPACE
        origin = f"any pod, {_namespace(link.server)}" if is_neighbour else ORIGINS[link.way or Way.OUTSIDE]
        # One way in may be that of several Services.
        reasons = waiting.pop(link.server.id, []) if link.way is Way.OUTSIDE else []
        label = "; ".join([ports(link.ports), *map(reason, reasons)])
        self.arrows.append(Arrow(self._id(origin), server, label))

    def _leads(self, client: Workload, label: str, about: str, nowhere: bool) -> None:
        end = self._id(label)
        if nowhere:
            self.unresolved.add(end)
        self.arrows.append(Arrow(f"w{client.id}", end, about, nowhere))

    def _id(self, label: str) -> str:
        return self.ids.setdefault(label, f"x{len(self.ids) + 1}")


def reason(service: OpenService) -> str:
    """Return what becomes of an open Service, and the first reason for it."""
    return ": ".join([_decision(service), *(plain(fact.text) for fact in service.evidence[:1])])


# Mermaid.


def mermaid(graph: Graph) -> Iterator[str]:
    """Yield a flowchart. What is no plain character stands as its number, so that no label can end itself."""
    yield "flowchart LR"
    names = _labels(graph)
    for number, (namespace, workloads) in enumerate(by_namespace(graph).items(), 1):
        yield f"  subgraph n{number}[{_mermaid(namespace)}]"
        yield from (f"    w{workload.id}[{_mermaid(names[workload.id])}]" for workload in workloads)
        yield "  end"
    outsiders = Outsiders(graph)
    yield from (f"  {id}([{_mermaid(label)}])" for label, id in outsiders.ids.items())
    for start, end, label, nowhere, how in outsiders.arrows:
        arrow = "-.->" if nowhere else _MERMAID[how or How.INFERRED]
        yield f"  {start} {arrow}" + (f"|{_mermaid(label)}|" if label else "") + f" {end}"
    if graph.tells_how:
        yield f"  subgraph legend[{_mermaid('legend')}]"
        for how, words in HOW.items():
            yield f"    {how}1[{_mermaid('client')}] {_MERMAID[how]}|{_mermaid(words)}| {how}2[{_mermaid('server')}]"
        yield "  end"


def _mermaid(label: str) -> str:
    return '"' + (_PLAIN.sub(lambda found: f"#{ord(found[0])};", plain(label)) or " ") + '"'


# DOT, the language of Graphviz.


def dot(graph: Graph) -> Iterator[str]:
    """Yield a directed graph; ``dot -Tsvg`` draws it."""
    yield "digraph connections {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    names = _labels(graph)
    for number, (namespace, workloads) in enumerate(by_namespace(graph).items(), 1):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quoted(namespace)};"
        yield from (f"    w{workload.id} [label={_quoted(names[workload.id])}];" for workload in workloads)
        yield "  }"
    outsiders = Outsiders(graph)
    for label, id in outsiders.ids.items():
        style = ", style=dashed" if id in outsiders.unresolved else ""
        yield f"  {id} [label={_quoted(label)}, shape=ellipse{style}];"
    for start, end, label, nowhere, how in outsiders.arrows:
        look = ["style=dashed"] if nowhere else [*_DOT[how or How.INFERRED]]
        settings = [f"label={_quoted(label)}"] * bool(label) + look
        yield f"  {start} -> {end}" + (f" [{', '.join(settings)}]" if settings else "") + ";"
    if graph.tells_how:
        yield f"  subgraph cluster_legend {{\n    label={_quoted('legend')};"
        for how, words in HOW.items():
            yield f"    {how}1 [label={_quoted('client')}];\n    {how}2 [label={_quoted('server')}];"
            yield f"    {how}1 -> {how}2 [{', '.join([f'label={_quoted(words)}', *_DOT[how]])}];"
        yield "  }"
    yield "}"


def _quoted(label: str) -> str:
    # A backslash would begin an escape of Graphviz, such as \N for the name of the node.
    return '"' + plain(label).replace("\\", "\\\\").replace('"', '\\"') + '"'


FORMATS: dict[str, Callable[[Graph], Iterator[str]]] = {"text": text, "mermaid": mermaid, "dot": dot}


# JSON.


def write_json(graph: Graph, out: Callable[[str], object]) -> None:
    """Write the graph as JSON, record by record; workloads are named by their ids."""
    out('{"version": 1')
    for name, records in (
        ("workloads", map(_workload, graph.workloads)),
        ("edges", (_edge(link) for link in graph.links if link.client is not None)),
        ("entries", (_entry(link) for link in graph.links if link.client is None)),
        *((lack, _hosts(graph, lack)) for lack in Lack),
        ("services", map(_service, graph.services)),
    ):
        out(f', "{name}": [')
        for number, record in enumerate(records):
            out(("," if number else "") + "\n" + seen_in_json(json.dumps(record, ensure_ascii=False)))
        out("]")
    out(f', "unread": {graph.unread}}}\n')


def _workload(workload: Workload) -> dict[str, object]:
    return {
        "id": workload.id, "apiVersion": workload.api_version, "kind": workload.kind, "name": workload.name,
        "part": workload.part or None, "namespaces": [name or None for name in workload.namespaces],
        "file": workload.file, "line": workload.line, "api": _facts(workload.api),
        "silent": _facts(workload.silent),
    }  # fmt: skip


def _edge(link: Link) -> dict[str, object]:
    client = link.client.id if link.client is not None else None
    found = {"client": client, "server": link.server.id, "certain": link.certain, **_link(link)}
    return found | {"how": link.how} if link.how is not None else found


def _entry(link: Link) -> dict[str, object]:
    return {"way": link.way, "server": link.server.id, **_link(link)}


def _link(link: Link) -> dict[str, object]:
    found = [{"port": port.port, "protocol": port.protocol} for port in link.ports]
    return {"ports": found, "service": link.service, "evidence": _facts(link.evidence)}


def _service(service: OpenService) -> dict[str, object]:
    return {
        "name": service.name, "type": service.kind, "namespaces": [name or None for name in service.namespaces],
        "file": service.file, "line": service.line, "servers": [server.id for server in service.servers],
        "staysOpen": service.stays, "evidence": _facts(service.evidence),
    }  # fmt: skip


def _hosts(graph: Graph, lack: Lack) -> Iterator[dict[str, object]]:
    for host in (host for host in graph.hosts if host.lack is lack):
        record: dict[str, object] = {"client": host.client.id, "host": host.host, "port": host.port}
        if lack is Lack.EXTERNAL:
            record["addresses"] = list(host.addresses)
        yield record | {"evidence": _facts(host.evidence)}


def _facts(facts: tuple[Fact, ...]) -> list[dict[str, object]]:
    return [
        {"text": fact.text} if fact.file is None else {"text": fact.text, "file": fact.file, "line": fact.line}
        for fact in facts
    ]
