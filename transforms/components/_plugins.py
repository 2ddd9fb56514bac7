"""Admission plugins that are added to those of an API server."""

from __future__ import annotations

from collections.abc import Sequence

from hardener.authoring.edits import Edit, Evidence
from hardener.tree.control_plane import HOSTED, Component, how

_FLAG = "enable-admission-plugins"
_TAKES_ITS_OWN = ("static-pod", HOSTED, "kubeadm", "cluster-api")


def added(server: Component, plugin: str, *why: Evidence, against: Sequence[Evidence] = ()) -> list[Edit]:
    """Return the edits that add ``plugin`` behind those that are on, whose order means nothing; none where it is on or
    where the distribution has a list of its own that nobody wrote here."""
    enabled = server.entries(_FLAG)
    if plugin in enabled or plugin in server.entries("disable-admission-plugins") or not server.can(_FLAG):
        return []
    if server.get(_FLAG) is None and server.installer not in _TAKES_ITS_OWN:
        return []
    words = how(server, server.state(_FLAG), *why, against=against)
    return server.set(_FLAG, ",".join([*enabled, plugin]), words)
