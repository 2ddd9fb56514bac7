"""The facts that ``harden.evidence.yaml`` keeps, and how those of two exports become one.

A fact names its source by the key of that source, so that its age and period can be told beside it. No environment
value, no argument, no pod name and no address is part of any fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

OUTSIDE = "outside"
"""The peer that is no workload of the cluster."""


class Workload(Struct, frozen=True, order=True):
    """A workload as a cluster names it. ``kind`` is "" where an export does not tell: the name alone was read."""

    kind: str
    namespace: str
    name: str

    @property
    def text(self) -> str:
        """``Deployment/shop/web``; ``*/shop/web`` without a kind."""
        return f"{self.kind or '*'}/{self.namespace}/{self.name}"


class Source(Struct, frozen=True):
    """An export: the ``tool`` that made it, the name of its ``file``, and the days that it is about.

    ``first`` is None for a snapshot. ``last`` is the day of the newest fact, else that of the import.
    """

    tool: str
    file: str
    last: str
    first: str | None = None


class Ran(Struct, frozen=True, order=True):
    """The user that a container ran as. ``by_image``: no field of the pod set the number."""

    by: str
    uid: int
    gid: int | None = None
    by_image: bool = False


class Image(Struct, frozen=True, order=True):
    """The digest that stood behind the ``name`` of an image."""

    by: str
    name: str
    digest: str


class Writes(Struct, frozen=True, order=True):
    """Where a container wrote: ``folders`` in which it made files, and ``files`` of its image that it opened for
    writing."""

    by: str
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Capabilities(Struct, frozen=True, order=True):
    """The capabilities that a container used, without CAP_; () where a recorder looked and saw none."""

    by: str
    used: tuple[str, ...] = ()


class Usage(Struct, frozen=True, order=True):
    """What a container used: the request that the source recommends, and the most that it saw or bounds, each None
    where the source tells nothing.

    cpu in thousandths of a core, memory in bytes; ``killed`` is how often it was killed for memory.
    """

    by: str
    cpu: int | None = None
    cpu_most: int | None = None
    memory: int | None = None
    memory_most: int | None = None
    killed: int = 0


class Facts(Struct, frozen=True):
    """What is known of one container, of each kind the newest source first."""

    images: tuple[Image, ...] = ()
    ran: tuple[Ran, ...] = ()
    writes: tuple[Writes, ...] = ()
    capabilities: tuple[Capabilities, ...] = ()
    usage: tuple[Usage, ...] = ()


class Peer(Struct, frozen=True, order=True):
    """A connection that was seen: from a workload to one, or to ``outside``, at a port (0 where it is not told)."""

    source: str
    target: str
    port: int
    by: str
    protocol: str = "TCP"


class Recorded(Struct, frozen=True):
    """All that is kept: sources by key, facts by container (``Deployment/shop/web/web``), containers that something
    put into the pods of a workload, and connections."""

    sources: dict[str, Source] = field(default_factory=dict)
    containers: dict[str, Facts] = field(default_factory=dict)
    injected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    peers: tuple[Peer, ...] = ()

    def without(self, keys: Iterable[str]) -> Recorded:
        """The same without the facts of the sources ``keys``."""
        gone = frozenset(keys)
        if not gone:
            return self
        containers = {name: _without(facts, gone) for name, facts in self.containers.items()}
        return Recorded(
            {key: source for key, source in self.sources.items() if key not in gone},
            {name: facts for name, facts in containers.items() if facts != Facts()},
            self.injected,
            tuple(peer for peer in self.peers if peer.by not in gone),
        )

    def days(self, key: str) -> str:
        """The period of a source, in words: "2026-10-01 to 2026-10-15", or its one day."""
        source = self.sources[key]
        return f"{source.first} to {source.last}" if source.first not in (None, source.last) else source.last


def _without(facts: Facts, gone: frozenset[str]) -> Facts:
    return Facts(*(tuple(each for each in kind if each.by not in gone) for kind in _kinds(facts)))


def _kinds(facts: Facts) -> list[Any]:
    """The facts by kind, in the order of the fields; of any kind, since all have ``by``."""
    return [getattr(facts, name) for name in Facts.__struct_fields__]


def merged(before: Recorded, new: Recorded) -> Recorded:
    """Both, with the keys of ``new`` made distinct: an export of the same tool and file as one that is there takes its
    place, and its key, since it was made anew."""
    keys = _keys(before.sources, new.sources)
    kept = before.without(keys.values())
    sources = kept.sources | {keys[key]: source for key, source in new.sources.items()}
    containers = dict(kept.containers)
    for name, facts in new.containers.items():
        both = zip(_kinds(containers.get(name, Facts())), _kinds(facts), strict=True)
        containers[name] = Facts(*(_newest_first(sources, old, more, keys) for old, more in both))
    peers = {*kept.peers, *(replace(peer, by=keys[peer.by]) for peer in new.peers)}
    return Recorded(sources, containers, kept.injected | new.injected, tuple(sorted(peers)))


def _keys(there: dict[str, Source], new: dict[str, Source]) -> dict[str, str]:
    """The key that each source of ``new`` gets."""
    known = {(source.tool, source.file): key for key, source in there.items()}
    free = max((int(key[1:]) for key in there if key[1:].isdecimal()), default=0) + 1
    keys = {}
    for key, source in new.items():
        keys[key] = known.get((source.tool, source.file), f"a{free}")
        free += keys[key] == f"a{free}"
    return keys


def _newest_first(sources: dict[str, Source], old: Iterable[Any], more: Iterable[Any], keys: dict[str, str]) -> Any:
    found = sorted({*old, *(replace(fact, by=keys[fact.by]) for fact in more)})
    return tuple(sorted(found, key=lambda fact: sources[fact.by].last, reverse=True))
