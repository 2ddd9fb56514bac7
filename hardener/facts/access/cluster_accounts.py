"""Under which namespaces and names an account is known in the cluster, where kustomizations give it these."""

from collections.abc import Iterator

from msgspec import Struct

from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding, Subject
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Object


class ClusterAccount(Struct, frozen=True):
    """``namespace`` and ``name`` of an account as the cluster knows it. ``targets`` are the namespaces there that stand
    for the one of its binding in the tree: that of a RoleBinding, of a ClusterRoleBinding that of the account."""

    namespace: str
    name: str
    targets: frozenset[str]


def cluster_accounts(binding: Binding, subject: Subject) -> list[ClusterAccount]:
    """List what the account ``subject`` of ``binding`` is in the cluster, one for each build that gives it another
    namespace or name; none where nothing says its namespace."""
    builds = binding.tree.ask(Builds)
    own = binding.namespace_of(subject)
    rendered = [name for name in builds.namespaces(binding.object) if name] if binding.namespaced else []
    found: dict[tuple[str, str], None] = {}
    for account in binding.tree.ask(Access).account_objects(binding, subject):
        if _may_be_meant(builds, binding, account, own):
            found.update(dict.fromkeys(_rendered(builds, account, own)))
    if not found:
        spaces = rendered if subject.namespace is None else [own]
        found = {(space, subject.name): None for space in spaces or [own] if space}
    return [
        ClusterAccount(space, name, frozenset({space} if not rendered or space in rendered else rendered))
        for space, name in found
    ]


def _may_be_meant(builds: Builds, binding: Binding, account: Object, namespace: str | None) -> bool:
    """Whether the subject in ``namespace`` is ``account``: kustomize takes it for one of the same build and namespace,
    where an unset one is "default"."""
    if namespace is None:
        return True
    same_namespace = namespace == (account.namespace or DEFAULT)
    return same_namespace and not builds.roots(account).isdisjoint(builds.roots(binding.object))


def _rendered(builds: Builds, account: Object, namespace: str | None) -> Iterator[tuple[str, str]]:
    """Namespace and name of ``account`` in each build that renders it."""
    for rendering in builds.renderings(account):
        written = rendering.namespace or account.namespace
        for space in [written] if written else builds.namespaces(account):
            if space or namespace:
                yield str(space or namespace), rendering.name_of(account)


def target_namespace(binding: Binding, subject: Subject) -> str:
    """Return the namespace in the tree that ``ClusterAccount.targets`` stand for; "" is an unset one."""
    return (binding.object.namespace if binding.namespaced else binding.namespace_of(subject)) or ""
