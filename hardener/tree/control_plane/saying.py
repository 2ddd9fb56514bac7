"""How the edits of a component's step are described."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.authoring.edits import Basis, Evidence
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.control_plane.component import Component, How


def how(
    component: Component,
    *why: Evidence,
    against: Iterable[Evidence] = (),
    effect: Effect = Effect.WATCHED,
    basis: Basis = Basis.PROVED,
    requires: tuple[str, ...] = (),
    follow_up: tuple[str, ...] = (),
    impact: str | None = None,
) -> How:
    """Return what all edits of a step say: a verdict, and after ``follow_up`` how the component takes them up."""
    found = verdict(why=why, against=against, effect=effect, basis=basis)
    return How(found.grade, found.basis, tuple(found.evidence), requires, (*follow_up, component.restart), impact)


def since(component: Component, version: tuple[int, int], *, removed: bool = False, what: str = "") -> Evidence:
    """The version that an edit is bound to, and the one of the component, or that is assumed.

    ``what`` is "it" where nothing is said.
    """
    major, minor = component.version
    from_where = "is its version" if component.own_version else "is assumed"
    fate = "is gone" if removed else "holds"
    return Evidence(f"{what or 'it'} {fate} since Kubernetes {version[0]}.{version[1]}; {major}.{minor} {from_where}")
