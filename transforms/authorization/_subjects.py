"""Subjects that lose their place in a binding."""

from __future__ import annotations

from hardener.authoring.edits import Edit
from hardener.authoring.verdict import Verdict
from hardener.facts.access.views import Binding, Subject
from hardener.tree.view import OpaqueError

_HEALTH = ("/healthz", "/livez", "/readyz", "/version")


def without(binding: Binding, gone: list[Subject], found: Verdict, *, follow_up: tuple[str, ...]) -> list[Edit]:
    """Return one step: ``binding`` without ``gone``. Without anybody left it has no subjects: applied so, the rights
    go, which they would not if its document did; ``follow_up`` removes what is left of it."""
    if len(gone) == len(binding.subjects):
        return [binding.set("subjects", to=[], impact="rights-lost", follow_up=follow_up, **found.words)]
    return [binding.drop("subjects", subject.index, impact="rights-lost", **found.words) for subject in gone]


def only_health(binding: Binding) -> bool:
    """Return whether the role of ``binding`` stands in the tree and allows to ask for the health of the API server
    only."""
    roles = binding.roles
    for role in roles:
        try:
            for _, rule in role.rules:
                if not rule.urls or not all(url.rstrip("/*").startswith(_HEALTH) for url in rule.urls):
                    return False
        except OpaqueError:
            return False
    return bool(roles)
