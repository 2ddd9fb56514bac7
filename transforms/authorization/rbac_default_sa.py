from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.at_work import used_elsewhere
from hardener.facts.access.grants import Access
from hardener.facts.access.running import Pods
from hardener.facts.access.views import Binding, Subject
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Object, PodTemplate

from ._names import MANAGED

_REFUSED = frozenset({"Pod", "Job"})
_LEFT_ALONE = ("patch", "owned", "static-pod", "partial", "system-namespace")
_FIELD = "automountServiceAccountToken"


@transform(
    each=Binding, stage="authorization", severity=Severity.MEDIUM, cis="5.1.5", absence=True,
    after=("rbac-cluster-admin-binding",),
)  # fmt: skip
def rbac_default_sa(binding: Binding) -> Steps:
    """Remove rights of the default service account.

    Problem: the binding gives rights to the default service account.

    Result: The default service account has no rights.

    Why: rights on the default account leak to every pod that forgets to choose one; a named account limits them to the
    one workload that needs them.

    May break: a pod of another repository that uses the account default of the namespace loses these rights.
    """
    if binding.owner is not None or binding.everything is not None:
        return
    for subject in binding.subjects:
        if not subject.is_account or subject.name != DEFAULT:
            continue
        pods = binding.tree.ask(Access).pods(binding, subject)
        reason = _unclear(binding, subject, pods)
        if reason is not None:
            yield binding.finding(
                f"the binding gives {binding.role_kind} {binding.role_name} to {subject}: {reason}",
                "subjects",
                subject.index,
                severity=Severity.MEDIUM,
                advice="give the workload that needs it an account of its own, and bind that",
                topic="right of the service account default",
            )
        else:
            yield list(_moved(binding, subject, pods[0]))


def _unclear(binding: Binding, subject: Subject, pods: Pods) -> str | None:
    """Why it is not known who needs the rights; None where one workload alone does."""
    if not pods:
        return "the tree shows no pod that uses this account"
    names = pods.objects
    if len(names) > 1:
        return f"{len(names)} workloads use it ({', '.join(names[:3])})"
    if not binding.tree.ask(Access).surely(binding, subject, pods[0]):
        return f"{names[0]} may use it, but the manifest names no namespace"
    if pods[0].kind in _REFUSED:
        return f"{names[0]} cannot be changed while it runs, or is refused before its account exists"
    if left := next((name for name in _LEFT_ALONE if name in classes_of(pods[0])), None):
        return f"harden leaves {names[0]} as it is ({left})"
    if not pods[0].object.editable:
        return f"{names[0]} is outside the given paths"
    if len(binding.tree.ask(Access).bindings_of(subject.name, binding.namespace_of(subject))) > 1:
        return "other bindings name it too"
    used = next(used_elsewhere(binding, subject), None)
    if used is not None:
        return used.text
    if any(state.service_account != DEFAULT for state in states(pods[0])):
        return f"an overlay gives {names[0]} another account"
    return None


def _moved(binding: Binding, subject: Subject, pod: PodTemplate) -> list[Edit]:
    """The workload gets an account, and that the rights; the account default mounts its token no longer."""
    name = pod.tree.ask(ServiceAccounts).reserve(str(pod.object.name), pod.object)
    space = binding.namespace_of(subject)
    shared = pod.namespace in (None, DEFAULT)
    why = pod.fact(f"{pod.object} is the one workload of the tree that runs as {subject}")
    unseen = Evidence("pods that the tree does not show may use the account too, in the namespace default")
    found = verdict(why=[why], against=[unseen] if shared else (), effect=Effect.WATCHED, basis=Basis.INFERRED)
    common = found.words
    edits = [pod.set("serviceAccountName", to=name, impact="account-created", **common)]
    if pod.has("serviceAccount"):
        edits.append(pod.drop("serviceAccount", **common))
    metadata: dict[str, Any] = {"name": name, "labels": dict(MANAGED)}
    if pod.namespace is not None:
        metadata = {"name": name, "namespace": pod.namespace, "labels": dict(MANAGED)}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    edits.append(pod.create("serviceaccounts", account, **common))
    if binding.text("subjects", subject.index, "kind") == "User":
        edits.append(
            binding.set("subjects", subject.index, "name", to=f"system:serviceaccount:{space}:{name}", **common)
        )
    else:
        edits.append(binding.set("subjects", subject.index, "name", to=name, **common))
    for default in binding.tree.ask(Access).account_objects(binding, subject):
        if _is_open(default):
            edits.append(default.set(_FIELD, to=False, **common))
    return edits


def _is_open(account: Object) -> bool:
    return account.editable and account.get(_FIELD) is not False
