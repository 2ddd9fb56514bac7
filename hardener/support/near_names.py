"""The name that somebody may have meant who wrote another one."""

from __future__ import annotations

from collections.abc import Iterable

# Of get_close_matches: --fial-on is near --fail-on, web.yml near web.yaml; CVE-2021-1 has nothing to do with C-0211.
_NEAR = 0.8


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The nearest of ``known`` to ``name``; None where none is near."""
    from difflib import get_close_matches  # late: for a mistake alone

    return next(iter(get_close_matches(name, list(known), 1, _NEAR)), None)


def meant(name: str, known: Iterable[str]) -> str:
    """`` (did you mean x?)`` for the nearest of ``known`` to ``name``; "" where none is near."""
    found = nearest(name, known)
    return f" (did you mean {found}?)" if found else ""
