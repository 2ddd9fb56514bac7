"""The facts that ``harden.evidence.yaml`` keeps, and how those of two exports become one.

A fact names its source by the key of that source, so that its age and period can be told beside it. No environment
value, no argument, no pod name and no address is part of any fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

_Held = TypeVar("_Held", bound="Facts | ImageFacts")
KEPT = "harden.evidence.yaml"
OUTSIDE = "outside"
"""The peer that is no workload of the cluster."""


def is_day(text: str) -> bool:
    """Whether ``text`` is a day of the calendar, as "2026-11-25"."""
    try:
        return len(text) == len("2026-11-25") and bool(date.fromisoformat(text))
    except ValueError:
        return False


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

    ``first`` is None for a snapshot. ``last`` is the day of the newest fact, else that of the import. Of an audit log
    it has how many ``events`` were read, how many of them ``reads``, and how many ``notes`` of the kind Event; and
    whether whole accounts were ``left_out``.
    """

    tool: str
    file: str
    last: str
    first: str | None = None
    events: int = 0
    reads: int = 0
    notes: int = 0
    left_out: bool = False


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


class Calls(Struct, frozen=True, order=True):
    """The system calls that a container was seen to make and the default seccomp profile refuses; () where a recorder
    looked and saw none of them."""

    by: str
    refused: tuple[str, ...] = ()


class Programs(Struct, frozen=True, order=True):
    """The programs that a container was seen to start and that need the setuid bit; () where a recorder looked."""

    by: str
    setuid: tuple[str, ...] = ()


class Usage(Struct, frozen=True, order=True):
    """What a container used: the request that the source recommends, and the most that it saw or bounds, each None
    where the source tells nothing.

    cpu in thousandths of a core, memory in bytes; ``killed`` is how often it was killed for memory, ``restarts`` how
    often it was started again, ``throttled`` for how many thousandths of its periods it had no cpu left.
    """

    by: str
    cpu: int | None = None
    cpu_most: int | None = None
    memory: int | None = None
    memory_most: int | None = None
    killed: int = 0
    restarts: int = 0
    throttled: int = 0


class Facts(Struct, frozen=True):
    """What is known of one container, of each kind the newest source first."""

    images: tuple[Image, ...] = ()
    ran: tuple[Ran, ...] = ()
    writes: tuple[Writes, ...] = ()
    capabilities: tuple[Capabilities, ...] = ()
    usage: tuple[Usage, ...] = ()
    calls: tuple[Calls, ...] = ()
    programs: tuple[Programs, ...] = ()


class ImageConfig(Struct, frozen=True, order=True):
    """How an image is set to start, by its config."""

    by: str
    user: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    folder: str = ""


class Holds(Struct, frozen=True, order=True):
    """The ``runtimes`` ("java 21.0.8") and ``servers`` ("nginx 1.27.0") of an image, by its bill of materials."""

    by: str
    runtimes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


class ImageFacts(Struct, frozen=True):
    """What is known of an image whoever runs it."""

    configs: tuple[ImageConfig, ...] = ()
    holds: tuple[Holds, ...] = ()


class About(Struct, frozen=True, order=True):
    """A workload as it stands in the cluster: the Helm ``release`` that made it, and the ``labels`` of its pods."""

    by: str
    release: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Right(Struct, frozen=True, order=True):
    """What an account did, by an audit log: ``verbs`` on a resource of a group, in a namespace ("" for none), on
    objects of these names (none: of any); or on a ``url``."""

    verbs: tuple[str, ...]
    group: str = ""
    resource: str = ""
    namespace: str = ""
    names: tuple[str, ...] = ()
    url: str = ""


class Account(Struct, frozen=True, order=True):
    """A service account in an audit log: how many ``events``, and what it did. ``whole`` is false where something was
    left out."""

    by: str
    events: int
    did: tuple[Right, ...] = ()
    whole: bool = True


class ClusterFact(Struct, frozen=True, order=True):
    """Something that holds for a whole cluster: its ``kind`` (nodes, a namespace, a storage class, an admission
    policy), its ``name``, and what is said of it."""

    kind: str
    name: str
    by: str
    said: tuple[tuple[str, str], ...] = ()


class Peer(Struct, frozen=True, order=True):
    """A connection that was seen: from a workload to one, or to ``outside``, at a port (0 where it is not told)."""

    source: str
    target: str
    port: int
    by: str
    protocol: str = "TCP"


class Recorded(Struct, frozen=True):
    """All that is kept: sources by key, facts by container (``Deployment/shop/web/web``), containers that something
    put into the pods of a workload, and connections; what is known of images and workloads by name, what accounts
    (``shop/api``) did, and what holds for the cluster. ``is_kept``: it is of harden.evidence.yaml, and not of objects
    that lie in the tree."""

    sources: dict[str, Source] = field(default_factory=dict)
    containers: dict[str, Facts] = field(default_factory=dict)
    injected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    peers: tuple[Peer, ...] = ()
    images: dict[str, ImageFacts] = field(default_factory=dict)
    workloads: dict[str, About] = field(default_factory=dict)
    accounts: dict[str, tuple[Account, ...]] = field(default_factory=dict)
    cluster: tuple[ClusterFact, ...] = ()
    is_kept: bool = True

    def without(self, keys: Iterable[str]) -> Recorded:
        """The same without the facts of the sources ``keys``."""
        gone = frozenset(keys)
        if not gone:
            return self
        return Recorded(
            {key: source for key, source in self.sources.items() if key not in gone},
            _left_of(self.containers, gone),
            self.injected,
            tuple(peer for peer in self.peers if peer.by not in gone),
            _left_of(self.images, gone),
            {name: about for name, about in self.workloads.items() if about.by not in gone},
            {
                name: kept
                for name, each in self.accounts.items()
                if (kept := tuple(a for a in each if a.by not in gone))
            },
            tuple(fact for fact in self.cluster if fact.by not in gone),
        )

    def of_sources(self) -> Iterator[str]:
        """The key of the source of each fact, as often as there are facts of it."""
        held: list[Facts | ImageFacts] = [*self.containers.values(), *self.images.values()]
        for facts in held:
            yield from (fact.by for kind in kinds(facts) for fact in kind)
        yield from (account.by for each in self.accounts.values() for account in each)
        yield from (peer.by for peer in self.peers)
        yield from (about.by for about in self.workloads.values())
        yield from (fact.by for fact in self.cluster)

    def place(self, key: str) -> str:
        """A source, for people: the file that it stands in, who told it, and of which days."""
        source = self.sources[key]
        return f"{KEPT if self.is_kept else source.file}: {source.tool} ({self.days(key)})"

    def days(self, key: str) -> str:
        """The period of a source, in words: "2026-10-01 to 2026-10-15", or its one day."""
        source = self.sources[key]
        return f"{source.first} to {source.last}" if source.first not in (None, source.last) else source.last


def _left_of(held: dict[str, _Held], gone: frozenset[str]) -> dict[str, _Held]:
    """What is left of facts by name without those of the sources ``gone``."""
    left = {}
    for name, facts in held.items():
        every: list[Any] = kinds(facts)
        kept = [tuple(each for each in kind if each.by not in gone) for kind in every]
        if any(kept):
            left[name] = replace(facts, **dict(zip(facts.__struct_fields__, kept, strict=True)))
    return left


def kinds(facts: Facts | ImageFacts) -> list[Any]:
    """The facts by kind, in the order of the fields; of any kind, since all have ``by``."""
    return [getattr(facts, name) for name in facts.__struct_fields__]


def merged(before: Recorded, new: Recorded) -> Recorded:
    """Both, with the keys of ``new`` made distinct: an export of the same tool and file as one that is there takes its
    place, and its key, since it was made anew."""
    keys = _keys(before.sources, new.sources)
    kept = before.without(keys.values())
    sources = kept.sources | {keys[key]: source for key, source in new.sources.items()}
    accounts = dict(kept.accounts)
    for name, each in new.accounts.items():
        accounts[name] = _newest_first(sources, accounts.get(name, ()), each, keys)
    return Recorded(
        sources,
        _both(kept.containers, new.containers, sources, keys),
        _without_seen(kept.injected, new) | new.injected,
        tuple(sorted({*kept.peers, *(replace(peer, by=keys[peer.by]) for peer in new.peers)})),
        _both(kept.images, new.images, sources, keys),
        kept.workloads | {name: replace(about, by=keys[about.by]) for name, about in new.workloads.items()},
        accounts,
        _newest_of_cluster(kept.cluster, tuple(replace(fact, by=keys[fact.by]) for fact in new.cluster)),
    )


def _without_seen(injected: dict[str, tuple[str, ...]], new: Recorded) -> dict[str, tuple[str, ...]]:
    """``injected`` without workloads whose pods ``new`` shows: what is put into them, it says."""
    of_pods = {key for key, source in new.sources.items() if source.tool == "kubectl"}
    seen = {
        name.rpartition("/")[0]
        for name, facts in new.containers.items()
        if of_pods & ({image.by for image in facts.images} | {ran.by for ran in facts.ran})
    }
    return {name: names for name, names in injected.items() if name not in seen}


def _newest_of_cluster(old: tuple[ClusterFact, ...], new: tuple[ClusterFact, ...]) -> tuple[ClusterFact, ...]:
    """What the cluster is now: of the same thing what was told last."""
    named = {(fact.kind, fact.name) for fact in new}
    return tuple(sorted([*(fact for fact in old if (fact.kind, fact.name) not in named), *new]))


def _both(
    old: dict[str, _Held], new: dict[str, _Held], sources: dict[str, Source], keys: dict[str, str]
) -> dict[str, _Held]:
    found = dict(old)
    for name, facts in new.items():
        before = kinds(found[name]) if name in found else [()] * len(facts.__struct_fields__)
        merged = [_newest_first(sources, one, more, keys) for one, more in zip(before, kinds(facts), strict=True)]
        found[name] = replace(facts, **dict(zip(facts.__struct_fields__, merged, strict=True)))
    return found


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
