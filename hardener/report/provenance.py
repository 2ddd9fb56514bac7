"""Where a report comes from: the repository and its commit, the harden that made it, and the configuration."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

from hardener import __version__
from hardener.engine.outcome import Outcome
from hardener.sources.files import UnreadableError, git_root, read_bytes
from hardener.sources.git import checkout

_LARGEST = 16 * 1024 * 1024  # bytes of a file of settings, as the configuration reads it
# They say where something is written, and change nothing that is decided.
_DECIDE_NOTHING = frozenset({"out_of_band", "secrets_out", "config", "profile", "lock", "baseline", "audit_log"})


def records(outcome: Outcome, mask: Callable[[str], str]) -> dict[str, Any]:
    """Return the fields ``tool``, ``repository`` and ``configuration`` of a report; a stream has no repository. What
    the repository says passes ``mask``."""
    return {
        "tool": {"name": "harden", "version": __version__},
        "repository": _repository(outcome, mask),
        "configuration": _configuration(outcome, mask),
    }


def _repository(outcome: Outcome, mask: Callable[[str], str]) -> dict[str, Any] | None:
    top = None if outcome.tree.stream else git_root(outcome.tree.root)
    if top is None:
        return None
    address = checkout.address(top)
    return {"address": None if address is None else mask(address), "commit": checkout.commit(top)}


def _configuration(outcome: Outcome, mask: Callable[[str], str]) -> dict[str, Any]:
    """The file of the configuration, and a hash of what it and the options say: equal for two runs that were told the
    same."""
    path = outcome.tree.settings.config
    options = [(name, sorted(values)) for name, values in outcome.asked.options if name not in _DECIDE_NOTHING]
    said = json.dumps([outcome.profile if not os.path.isfile(outcome.profile) else "", sorted(options)])
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass"))
    for file in (path, outcome.profile if os.path.isfile(outcome.profile) else None):
        digest.update(b"\0" + _content(file))
    return {"file": None if path is None else mask(os.path.relpath(path)), "sha256": digest.hexdigest()}


def _content(path: str | None) -> bytes:
    """What ``path`` holds; b"" where there is none, or where it went away during the run."""
    try:
        return b"" if path is None else read_bytes(path, _LARGEST)[0]
    except UnreadableError:
        return b""
