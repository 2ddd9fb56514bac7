"""Under which namespaces and names an account is known in the cluster, where kustomizations give it these."""

from __future__ import annotations

from msgspec import Struct

from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding, Subject
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.rbac.subjects import DEFAULT


class Home(Struct, frozen=True):
    """``namespace`` and ``name`` of an account as the cluster knows it. ``targets`` are the namespaces there that stand
    for the one of its binding in the tree: that of a RoleBinding, of a ClusterRoleBinding that of the account."""

    namespace: str
    name: str
    targets: frozenset[str]


def homes(binding: Binding, subject: Subject) -> list[Home]:
    """Every home of the account ``subject`` of ``binding``, one for each build that puts it elsewhere; none where
    nothing says its namespace."""
    builds = binding.tree.ask(Builds)
    own = binding.namespace_of(subject)
    rendered = [name for name in builds.namespaces(binding.object) if name] if binding.namespaced else []
    found: dict[tuple[str, str], None] = {}
    for account in binding.tree.ask(Access).account_objects(binding, subject):
        # kustomize takes a subject for an account of the same build and namespace, where an unset one is "default".
        if own is not None and (
            own != (account.namespace or DEFAULT) or builds.roots(account).isdisjoint(builds.roots(binding.object))
        ):
            continue
        for rendering in builds.renderings(account):
            written = [rendering.namespace or account.namespace]
            for space in written if written[0] else builds.namespaces(account):
                if space or own:
                    found[str(space or own), rendering.name_of(account)] = None
    if not found:
        spaces = rendered if subject.namespace is None else [own]
        found = {(space, subject.name): None for space in spaces or [own] if space}
    return [
        Home(space, name, frozenset({space} if not rendered or space in rendered else rendered))
        for space, name in found
    ]


def target(binding: Binding, subject: Subject) -> str:
    """The namespace in the tree that ``Home.targets`` stand for; "" is an unset one."""
    return (binding.object.namespace if binding.namespaced else binding.namespace_of(subject)) or ""
