from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.api_use import api_use
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.kustomize.overlays.states import states
from hardener.tree.core_views import Object, PodTemplate

from ._token import DEFAULT, FIELD, account_says_no

_MANAGED = {"app.kubernetes.io/managed-by": "harden"}
_TOPIC = "serviceaccounts"


@transform(
    each=PodTemplate, stage="authentication", severity=Severity.LOW, cis="5.1.5", classes=("windows",), absence=True
)
def dedicated_service_account(pod: PodTemplate) -> Steps:
    """Create a service account for the workload.

    Problem: the workload uses the default service account.

    Result: The workload has its own service account.

    Why: every pod of the namespace that names no account runs as `default`, so it gets all rights that this account has
    now or later.

    May break: what the cluster gives to default and the manifests do not show is lost: image pull secrets, rights,
    identities of a cloud or a mesh. The account must exist before the pods: if you apply only the file of the workload,
    no pod starts until you apply the file of the accounts.
    """
    if any(state.service_account != DEFAULT for state in states(pod)) or not (
        pod.get(FIELD) is False or account_says_no(pod)
    ):
        return
    reason = _kept(pod)
    if reason is not None:
        text = f"the workload keeps the service account default, shared in its namespace: {reason}"
        advice = "create a service account for this workload, and move its rights there"
        yield pod.finding(
            text, advice=advice, severity=Severity.LOW, topic="workload left with the service account default"
        )
        return
    name = pod.tree.ask(ServiceAccounts).reserve(_base(pod.object), pod.object)
    known = Evidence("the workload names no service account, and nothing in the tree gives default any rights")
    found = verdict(known=[known], doubts=_doubts(pod), effect=Effect.WATCHED)
    if pod.has("serviceAccount"):
        yield pod.drop("serviceAccount", **found.words)
    yield pod.set("serviceAccountName", to=name, impact="account-created", **found.words)
    yield pod.create(_TOPIC, _account(pod, name), **found.words)


def _kept(pod: PodTemplate) -> str | None:
    """Why the pod keeps the account: there is something that default has and a new one would not."""
    if pod.kind == "Pod":
        return "a bare Pod is refused if it is applied before its service account"
    used = api_use(pod)
    if used:
        return used[0].text
    for account in pod.tree.ask(ServiceAccounts).of(pod):
        annotations = account.keys("metadata", "annotations")
        if annotations:
            return f"{account} has the annotation {annotations[0]}"
    return None


def _doubts(pod: PodTemplate) -> Iterator[Evidence]:
    if pod.tree.ask(Platforms).of(pod.object) == "openshift":
        yield Evidence("a security context constraint may be given to default by name")
    for key in ("sidecar.istio.io/inject", "linkerd.io/inject"):
        if pod.metadata.text("annotations", key) is not None:
            yield pod.metadata.fact("its identity in the mesh gets another name", "annotations", key)


def _account(pod: PodTemplate, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if pod.namespace is not None:
        metadata["namespace"] = pod.namespace
    metadata["labels"] = dict(_MANAGED)
    value: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, FIELD: False}
    pull = list(_pull_secrets(pod.tree.ask(ServiceAccounts).of(pod)))
    if pull:
        value["imagePullSecrets"] = [{"name": secret} for secret in pull]
    return value


def _pull_secrets(accounts: list[Object]) -> Iterator[str]:
    """The pull secrets of default, which a pod gets that names none (plugin/pkg/admission/serviceaccount)."""
    names = (item.text("name") for account in accounts for item in account.items("imagePullSecrets"))
    yield from dict.fromkeys(name for name in names if name)


def _base(item: Object) -> str:
    """The name of the workload. Raises OpaqueError, WrongShapeError."""
    return str(item.get("metadata", "name") or item.get("metadata", "generateName") or "app")
