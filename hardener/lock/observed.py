"""What ``harden observe`` saw of a container that ran, kept in ``harden.lock`` under its image.

It holds for one digest and for one command: what a container runs is its command, arguments and the names of its
variables. Where one of them changes nothing that was seen is taken for knowledge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from hardener.support.fast_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a container, on the day ``on`` (2026-11-28), by ``engine`` ("podman 5.4.2"), for ``seconds``.

    - `digest`: that of the image that ran. `runs`: what ran, by ``runs_of``. `workload`: where it was seen, as
      "Deployment/web", and `container` its name there.
    - `came_up`: whether it came up as it is.
    - `user`: the number of its first process, and `groups` those of that process; None and () where nobody could see.
    - `wrote`: the folders of its image that it wrote to, each so that a volume there takes all of it. `occupied`: those
      of them in which the image has files that such a volume would hide.
    - `listens`: "80/tcp". `capabilities`: those that its processes had, without CAP_, so it may need them or not.
    - `memory`: the most that it used, in bytes, page cache included; None where the engine does not tell.
    - `token`: whether it read the token of its service account; None where it had none, or nobody could see.
    - `connects`: what it connected to: "Service/cache:6379", "kubernetes" for the API server.
    - `held`: the changes under which it came up, by transform, each the settings that it makes, in the spelling of
      ``setting``. `failed`: the changes under which it did not, likewise, and `because` the reason of each.
    """

    digest: str
    runs: str
    workload: str
    container: str
    on: str
    engine: str
    seconds: int
    came_up: bool = True
    user: int | None = None
    groups: tuple[int, ...] = ()
    wrote: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    memory: int | None = None
    token: bool | None = None
    connects: tuple[str, ...] = ()
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)


def runs_of(command: Sequence[str], args: Sequence[str], names: Iterable[str]) -> str:
    """What a container runs, as 16 hexadecimal digits: its ``command`` and ``args`` as the manifest has them (() for
    those of the image), and the ``names`` of its variables, in whatever order."""
    told = json.dumps([list(command), list(args), sorted(set(names))], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
