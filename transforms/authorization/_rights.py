"""What a binding that makes an administrator becomes: pairs of a role and a binding, one for each namespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Edit
from hardener.authoring.verdict import Verdict, Words
from hardener.facts.access.needs import Needs
from hardener.facts.access.views import Binding, Subject
from hardener.kubernetes.rbac.rules import Rule, compact

from . import _names


class Pair(Struct):
    """The rules that accounts get in a namespace; None is the whole cluster. ``built_in``: a ClusterRole of every
    cluster in place of rules. ``part``: what tells its names from those of others in the namespace."""

    namespace: str | None
    rules: list[Rule] = field(default_factory=list)
    accounts: list[tuple[Subject, str | None]] = field(default_factory=list)
    built_in: str | None = None
    part: str = ""

    def base(self, base: str) -> str:
        """Return ``base`` as it begins the names of this pair."""
        return f"{base}-{self.part}" if self.part else base


class Change(Struct):
    """How sure the edits of a binding are, and what is said with them."""

    verdict: Verdict
    label: str
    requires: tuple[str, ...] = ()

    @property
    def common(self) -> Words:
        """The arguments of its edits."""
        return self.verdict.words


def pairs(found: Iterable[tuple[Subject, str | None, Needs]], home: str | None) -> list[Pair]:
    """Return the pairs for accounts with their namespaces and needs, one for each namespace and what is needed there;
    that of ``home`` comes first, the cluster's last."""
    alike: dict[tuple[str | None, tuple[Rule, ...]], Pair] = {}
    for subject, space, needs in found:
        for namespace, rules in needs.rules.items():
            own = compact(rules)
            pair = alike.setdefault((namespace, tuple(own)), Pair(namespace, own))
            if (subject.name, space) not in [(each.name, where) for each, where in pair.accounts]:
                pair.accounts.append((subject, space))
    made = sorted(alike.values(), key=lambda p: (p.namespace is None, p.namespace != home, p.namespace or ""))
    several = Counter(pair.namespace for pair in made)
    for pair in made:
        if several[pair.namespace] > 1:
            pair.part = pair.accounts[0][0].name
    return made


def edits(
    binding: Binding, made: list[Pair], gone: list[Subject], *, whole: bool, change: Change, fanout: int
) -> list[Edit]:
    """Return one step: the binding gives its accounts no more than ``made``. ``gone`` lose their place among its
    subjects.

    More namespaces than ``fanout`` with the same rules share a ClusterRole.

    ``whole``: nobody else is in it. Then a ClusterRoleBinding becomes the first of the pairs, with its comments. Any
    other is left without subjects: applied so, it gives nothing, while one that Git no longer holds stays as it was.
    """
    base = _names.base(binding.object.name, gone[0].name)
    taken: set[str] = set()
    found: list[Edit] = []
    for group in _shared(made, fanout):
        found += _one_role(binding, group, base, change, taken)
    first: dict[str, Any] = {"impact": "rights-lost", "requires": change.requires, **change.common}
    if whole:
        first["follow_up"] = _names.delete(binding)
    if whole and not binding.namespaced and made and made[0].namespace is not None:
        found += _in_place(binding, made[0], gone, base, change, first)
        made = made[1:]
    elif whole:
        found.append(binding.set("subjects", to=[], **first))
    else:
        found += [binding.drop("subjects", subject.index, **first) for subject in gone]
    for pair in made:
        found += _beside(binding, pair, base, change)
    return found


def _in_place(
    binding: Binding, pair: Pair, gone: list[Subject], base: str, change: Change, first: dict[str, Any]
) -> Iterator[Edit]:
    common = change.common
    role_kind, role_name, created = _role(binding, pair, base, change)
    yield binding.set("kind", to="RoleBinding", **first)
    yield binding.set("metadata", "name", to=_binding_name(binding, role_name, base, pair), **common)
    if pair.namespace and binding.text("metadata", "namespace") != pair.namespace:
        yield binding.set("metadata", "namespace", to=pair.namespace, **common)
    if binding.role_kind != role_kind:
        yield binding.set("roleRef", "kind", to=role_kind, **common)
    yield binding.set("roleRef", "name", to=role_name, **common)
    kept = {subject.index: space for subject, space in pair.accounts}
    for subject in gone:
        if subject.index not in kept:
            yield binding.drop("subjects", subject.index, **common)
        elif kept[subject.index] not in (None, subject.namespace):
            if binding.text("subjects", subject.index, "kind") == "ServiceAccount":
                yield binding.set("subjects", subject.index, "namespace", to=kept[subject.index], **common)
    yield from created


def _beside(binding: Binding, pair: Pair, base: str, change: Change) -> Iterator[Edit]:
    role_kind, role_name, created = _role(binding, pair, base, change)
    yield from created
    name = _binding_name(binding, role_name, base, pair)
    value = _names.binding(name, pair.namespace, pair.accounts, role_kind, role_name)
    yield binding.create(None, value, **change.common)


def _binding_name(binding: Binding, role_name: str, base: str, pair: Pair) -> str:
    kind = "ClusterRoleBinding" if pair.namespace is None else "RoleBinding"
    name = f"{pair.base(base)}-role" if pair.built_in is not None else role_name
    return _names.free(kind, f"{name}-binding", binding)


def _role(binding: Binding, pair: Pair, base: str, change: Change) -> tuple[str, str, list[Edit]]:
    """Kind and name of the role of ``pair``, and the edit that makes it."""
    if pair.built_in is not None:
        return "ClusterRole", pair.built_in, []
    base = pair.base(base)
    kind, name = ("ClusterRole", f"{base}-cluster-role") if pair.namespace is None else ("Role", f"{base}-role")
    name = _names.free(kind, name, binding)
    value = _names.role(name, pair.namespace, compact(pair.rules), change.label)
    return kind, name, [binding.create(None, value, **change.common)]


def _shared(made: list[Pair], fanout: int) -> list[list[Pair]]:
    """Lists of those in ``made`` that give the same to the same accounts, in more namespaces than ``fanout``."""
    alike: dict[tuple[Any, ...], list[Pair]] = {}
    for pair in made:
        if pair.namespace is not None and pair.built_in is None:
            alike.setdefault((tuple(compact(pair.rules)), tuple(pair.accounts)), []).append(pair)
    return [group for group in alike.values() if len(group) > fanout]


def _one_role(binding: Binding, group: list[Pair], base: str, change: Change, taken: set[str]) -> Iterator[Edit]:
    """A ClusterRole for all of ``group``; it is bound in their namespaces, and not in the cluster. ``taken`` are the
    names of others that the same step makes."""
    name = _names.free("ClusterRole", f"{base}-role", binding, taken)
    taken.add(name)
    value = _names.role(name, None, compact(group[0].rules), change.label)
    yield binding.create(None, value, **change.common)
    for pair in group:
        pair.built_in = name
