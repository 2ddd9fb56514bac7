"""What a session finds of workloads, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from hardener.observe.container_activity import Activity
from hardener.observe.seccomp import Recorded
from hardener.observe.seen_together import Observations


class Failure(Struct, frozen=True):
    """Changes that stop a workload, by their transforms, and the reason: a line of its log. ``otherwise``: other
    settings of the last of them, with which it came up."""

    ids: tuple[str, ...]
    because: str
    otherwise: tuple[str, ...] = ()


class Listener(Struct, frozen=True):
    """Who is told how a session goes. ``row``: what is done with a workload now, by its key. ``planned``: a line with
    what is ahead. ``finished``: a workload of which it is known whether it comes up hardened, so many of so many, with
    what was seen of its images and the seconds that it took."""

    row: Callable[[str, str], object]
    planned: Callable[[str], object] = lambda line: None
    finished: Callable[[Result, Observations, str, float], object] = lambda result, seen, count, seconds: None


class Result(Struct, eq=False):
    """What became of a workload. ``state``: "held" (with all changes), "partly", "not-as-it-is", "refused", "not-run".

    ``reason`` is one line for the last three; ``place`` says where that is written (file:line, and the container), and
    ``remedy`` what to do about it. ``containers``: name, image, digest, and what was seen of each as it is.
    ``held`` are the transforms under which it came up, ``untried`` those that an engine does not offer, and why;
    ``lost`` what of its Services nobody could call; ``violates``: see ``Workload``. ``needs`` are the capabilities of
    each container, found by trial. ``shown`` is what showed that each container does its work, ``doubts`` what of it
    nobody saw. ``profiles`` are seccomp profiles of its containers.
    """

    key: str
    namespace: str | None
    file: str
    line: int
    state: str = "not-run"
    reason: str = ""
    place: str = ""
    remedy: str = ""
    runs: int = 0
    containers: list[tuple[str, str, str | None, Activity]] = field(default_factory=list)
    connects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    untried: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    violates: list[str] = field(default_factory=list)
    profiles: dict[str, Recorded] = field(default_factory=dict)


def otherwise(
    id: str, held: Mapping[str, Mapping[str, set[str]]], failed: Mapping[str, Mapping[str, set[str]]]
) -> tuple[str, ...]:
    """The settings of a transform that came up where others did not, by container; none where a container that failed
    with it has no others."""
    more = [held.get(container, {}).get(id, set()) - names[id] for container, names in failed.items() if id in names]
    return tuple(sorted(set().union(*more))) if all(more) else ()
