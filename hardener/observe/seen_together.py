"""What was seen of containers, one observation for all that run the same."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.lock.observed import Observation
from hardener.observe.merged_observations import merged

Observations = dict[str, list[Observation]]
"""What was seen, by the keys of stanzas of harden.lock."""


def together(seen: Iterable[tuple[str, Observation]]) -> Observations:
    """What was ``seen`` of containers, by the keys of stanzas: one for all that run the same."""
    found: Observations = {}
    for key, made in seen:
        known = found.setdefault(key, [])
        same = next((each for each in known if (each.digest, each.runs) == (made.digest, made.runs)), None)
        if same is None:
            known.append(made)
        else:
            known[known.index(same)] = merged(same, made)
    return found
