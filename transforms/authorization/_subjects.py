"""Subjects that lose their place in a binding."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Grade
from hardener.facts.access.views import Binding, Subject
from hardener.tree.view import OpaqueError

_HEALTH = ("/healthz", "/livez", "/readyz", "/version")


def without(
    binding: Binding, gone: list[Subject], *, grade: Grade, basis: Basis, evidence: list[Evidence],
    follow_up: tuple[str, ...],
) -> list[Edit]:  # fmt: skip
    """One step: ``binding`` without ``gone``. Without anybody left it has no subjects: applied so, the rights go, which
    they would not if its document did; ``follow_up`` removes what is left of it."""
    if len(gone) == len(binding.subjects):
        return [
            binding.set(
                "subjects", to=[], grade=grade, basis=basis, evidence=evidence, impact="rights-lost",
                follow_up=follow_up,
            )
        ]  # fmt: skip
    return [
        binding.drop("subjects", subject.index, grade=grade, basis=basis, evidence=evidence, impact="rights-lost")
        for subject in gone
    ]


def only_health(binding: Binding) -> bool:
    """Whether the role of ``binding`` stands in the tree and allows to ask for the health of the API server only."""
    roles = binding.roles
    for role in roles:
        try:
            for _, rule in role.rules:
                if not rule.urls or not all(url.rstrip("/*").startswith(_HEALTH) for url in rule.urls):
                    return False
        except OpaqueError:
            return False
    return bool(roles)
