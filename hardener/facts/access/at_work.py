"""What shows that somebody works with the rights of an account, so that a guess at fewer would stop him.

A workload of the tree, a token Secret, an object of Flux or Argo, what a controller brings with it, or a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding, Subject
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.pods.operator_pods import target_namespace
from hardener.kubernetes.rbac.rules import ANY
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Object, OpaqueError
from hardener.tree.pod_kind import SYSTEM_NAMESPACES
from hardener.tree.tree import Tree

# Names of accounts of whoever applies manifests, of people and of controllers: a guess would cut them off.
_DEPLOYS = re.compile(
    r"(?:^|[-_.])(?:ci|cd|cicd|git\w*|argo\w*|flux\w*)(?:$|[-_.])"
    r"|deploy|jenkins|terraform|pulumi|reconcil|admin-user|backup|operator|controller|manager"
)
# Labels by which the manifests of controllers tell what they are; `control-plane` is that of kubebuilder.
_COMPONENT = "app.kubernetes.io/component"
_COMPONENTS = frozenset({"controller", "controller-manager", "manager", "operator"})
_CONTROL_PLANE = "control-plane"
_LEASES = ("coordination.k8s.io", "leases")


def at_work(binding: Binding, subject: Subject) -> list[Evidence]:
    """What shows that somebody works with the rights of the account ``subject`` of ``binding``."""
    pods = binding.tree.ask(Access).pods(binding, subject)
    found = [pods[0].fact(f"{pods[0].object} runs as {subject.name}")] if pods else []
    found += used_elsewhere(binding, subject)
    if not pods and subject.name == DEFAULT:
        text = "every pod there that names no account runs as it, and the tree may not show all of them"
        found.append(binding.fact(text, "subjects", subject.index))
    elif not pods:
        found += _of_a_controller(binding, subject)
    if deploys(subject.name):
        text = f"by its name {subject.name} deploys, backs up or reconciles"
        found.append(binding.fact(text, "subjects", subject.index))
    return found


def used_elsewhere(binding: Binding, subject: Subject) -> Iterator[Evidence]:
    """What uses an account beside the pods of the tree: a token Secret, and objects and templates that name it."""
    tree = binding.tree
    for secret in tree.ask(Access).token_secrets(subject.name):
        yield secret.fact(f"{secret} holds a token of it")
    for item in tree.ask(ServiceAccounts).naming(subject.name):
        if _is_near(tree, item, binding, subject):
            yield item.fact(f"{item} works with its rights")
    if subject.name != DEFAULT:
        yield from tree.ask(ServiceAccounts).unread(subject.name)


def _is_near(tree: Tree, item: Object, binding: Binding, subject: Subject) -> bool:
    space = binding.namespace_of(subject)
    if space is None:
        return tree.ask(Builds).meet(item, binding.object)
    # What Flux, Argo CD and others apply is in other namespaces than their object.
    return tree.ask(Builds).may_be_in(item, space) or space in _targets(item)


def _targets(item: Object) -> frozenset[str]:
    """The namespaces that an object names for what it applies."""
    found = {target_namespace((item.group, item.kind), item.data) or ""}
    spec: Any = item.data.get("spec")
    accounts = spec.get("destinationServiceAccounts") if isinstance(spec, dict) else None
    for entry in accounts if isinstance(accounts, list) else ():
        if isinstance(entry, dict):
            found.add(str(entry.get("namespace") or ""))
            found.add(str(entry.get("defaultServiceAccount") or "").rpartition(":")[0])
    return frozenset(filter(None, found))


def _of_a_controller(binding: Binding, subject: Subject) -> Iterator[Evidence]:
    """What the manifests of a controller bring with them, where its workload is not in the tree."""
    access = binding.tree.ask(Access)
    items = [binding.object, *access.account_objects(binding, subject)]
    for item in items:
        component = item.text("metadata", "labels", _COMPONENT) or ""
        if component in _COMPONENTS or item.text("metadata", "labels", _CONTROL_PLANE) is not None:
            yield item.fact(f"{item} is labelled as part of a controller", "metadata", "labels")
            return
    for other in access.bindings_of(subject.name, binding.namespace_of(subject)):
        if _elects(other):
            yield other.fact(f"{other.object} lets it elect a leader, as controllers do")
            return
    folders = {item.folder for item in items}
    words = {word for word in re.split(r"[-.]", subject.name) if len(word) > 3}
    for row in (row for folder in sorted(folders) for row in access.custom_in(folder)):
        if words & set(re.split(r"[-.]", row.group)):
            yield binding.fact(f"custom resources of {row.group} are declared beside it", "subjects", subject.index)
            return


def _elects(binding: Binding) -> bool:
    """Whether the role of ``binding`` is about leases by name, to write them."""
    try:
        rules = binding.rules
    except (OpaqueError, WrongShapeError):
        return False
    return any(ANY not in rule.resources and rule.covers(*_LEASES, "update") for rule in rules)


def is_system(namespace: str | None) -> bool:
    """Whether what lives in ``namespace`` belongs to the cluster."""
    return namespace in SYSTEM_NAMESPACES


def deploys(name: str) -> bool:
    """Whether a name tells of who applies manifests, of a person with all rights, or of a controller."""
    return _DEPLOYS.search(name) is not None
