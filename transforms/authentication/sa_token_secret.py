from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.token_readers import readers
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.kubectl import in_namespace
from hardener.tree.core_views import Container, PodTemplate, Secret, ServiceAccount
from hardener.tree.view import View

from ._token import DEFAULT, HOUR, Token, seconds_of, sources

_TYPE = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
_INSTEAD = (
    "delete it once nothing reads it: pods get a token that ends from a projected volume, others from kubectl create"
    " token or the TokenRequest API"
)
_FIXED = ("patch", "owned", "static-pod", "system-namespace", "partial")
_KEYS = {"token": "token", "ca.crt": "ca", "namespace": "namespace"}  # of the Secret, and the names of `sources`


@transform(
    each=Secret | ServiceAccount, stage="authentication", severity=Severity.MEDIUM, cis="5.1.6", options=Token
)  # fmt: skip
def sa_token_secret(target: Secret | ServiceAccount, options: Token) -> Steps:
    """Replace tokens that never expire.

    Problem: the service account has a token that never expires.

    Result: The service account has no token that never expires.

    Why: the token in such a Secret is valid until the Secret is deleted, from anywhere, and whoever may read Secrets of
    the namespace, a backup included, can act as the account.

    May break: a pod that reads the token once, when it starts, is refused after an hour, or a year where the API server
    extends it. The Secret itself stays, since reverting the manifest does not restore a token that was deleted in the
    cluster.
    """
    if isinstance(target, Secret):
        yield from _secret(target, options)
    else:
        yield from _account(target)


def _secret(secret: Secret, options: Token) -> Steps:
    if secret.text("type") != _TYPE:
        return
    account = secret.text("metadata", "annotations", _ACCOUNT)
    named = f"service account {account or 'that it names'}"
    left = []
    for pod in readers(secret) if account else ():
        reason = _why_not(pod, secret.object.name, account or "")
        if reason is None:
            yield _projected(pod, secret, options)
        else:
            left.append(reason)
    path = ("data", "token") if secret.has("data", "token") else ("stringData", "token")
    why = "; ".join(left[:2])
    if secret.has(*path):
        text = f"the manifest holds a token of {named} that never expires"
        advice = f"treat it as leaked, and {_INSTEAD}{f' ({why})' if why else ''}"
        yield secret.finding(text, *path, advice=advice, severity=Severity.HIGH)
        return
    text = f"the Secret gets a token of {named} that never expires" + (f"; {why}" if why else "")
    yield secret.finding(text, "type", advice=_INSTEAD, severity=Severity.MEDIUM)


def _reads_it_as_it_is(pod: PodTemplate, account: str) -> str | None:
    """Why nothing of the pod is changed, or its token would be another one."""
    if not pod.object.editable:
        return "is outside of the given paths"
    kind = next((kind for kind in _FIXED if kind in classes_of(pod)), None)
    if kind is not None:
        return f"is left as it is ({kind})"
    other = next((state for state in states(pod) if state.service_account != account), None)
    return f"runs as service account {other.service_account}" if other is not None else None


def _why_not(pod: PodTemplate, name: str, account: str) -> str | None:
    """Why the pod keeps reading the Secret; None where it can get a token of its own instead."""
    if (reason := _reads_it_as_it_is(pod, account)) is not None:
        return f"{pod.object} reads it, and {reason}"
    volumes = [volume for volume in pod.items("volumes") if volume.text("secret", "secretName") == name]
    names = {volume.text("name") for volume in volumes}
    for container in pod.containers:
        if _has_in_variable(container, name):
            return f"{pod.object} reads it into a variable, which is never updated"
        if any(mount.text("name") in names and _is_one_file(mount) for mount in container.items("volumeMounts")):
            return f"{pod.object} mounts one file of it, which is never updated"
    if not volumes:
        return f"{pod.object} reads it as a part of another volume"
    if any(item.text("key") not in _KEYS for volume in volumes for item in volume.items("secret", "items")):
        return f"{pod.object} mounts a key of it that a projected token does not have"
    return None


def _has_in_variable(container: Container, secret: str) -> bool:
    if any(entry.text("valueFrom", "secretKeyRef", "name") == secret for entry in container.items("env")):
        return True
    return any(entry.text("secretRef", "name") == secret for entry in container.items("envFrom"))


def _is_one_file(mount: View) -> bool:
    return mount.has("subPath") or mount.has("subPathExpr")


def _projected(pod: PodTemplate, secret: Secret, options: Token) -> list[Edit]:
    name = secret.object.name
    volumes = [volume for volume in pod.items("volumes") if volume.text("secret", "secretName") == name]
    names = {volume.text("name") for volume in volumes}
    users = [c for c in pod.containers if any(mount.text("name") in names for mount in c.items("volumeMounts"))]
    seconds, doubt = seconds_of(users, options)
    facts = [
        secret.fact(f"Secret {name} holds a token of the account that the pod runs as", "type"),
        Evidence("a projected token is of that account, too, and is renewed"),
    ]
    found = verdict(known=facts, doubts=doubt, effect=Effect.WATCHED, basis=Basis.PROVED)
    how = found.words
    edits = []
    if pod.kind == "Pod" and not (pod.get("serviceAccountName") or pod.get("serviceAccount")):
        reason = Evidence("the API server refuses a projected token in a Pod that names no account")
        edits.append(pod.set("serviceAccountName", to=DEFAULT, **found.along(reason).words))
    delete = in_namespace("kubectl delete secret {}", secret.object.namespace, name)
    after = (
        f"once all pods run without it, take Secret {name} out of {secret.object.piece.file.name}, then: {delete}",
    )
    for volume in volumes:
        value = _value(volume, seconds, pod.tree.ask(Platforms).of(pod.object))
        edits.append(volume.drop("secret", **how))
        edits.append(volume.set("projected", to=value, late=seconds == HOUR and bool(doubt), follow_up=after, **how))
    return edits


def _value(volume: View, seconds: int, platform: str | None) -> dict[str, Any]:
    """The projected volume that shows the same files."""
    items = volume.items("secret", "items")
    if items:
        paths: dict[str, Any] = dict.fromkeys(_KEYS.values())
        paths |= {_KEYS[item.text("key") or ""]: item.text("path") for item in items}
        found = sources(seconds, None, **paths)
    else:
        found = sources(seconds, platform)
    mode = volume.get("secret", "defaultMode")
    return {"sources": found} | ({} if mode is None else {"defaultMode": mode})


def _account(account: ServiceAccount) -> Steps:
    """The list of Secrets of an account: before Kubernetes 1.24 the token that it was given stood there."""
    named = [item.text("name") for item in account.items("secrets")]
    listed = [name for name in named if name and name.startswith(f"{account.object.name}-token-")]
    if listed:
        text = f"it lists Secret {listed[0]}, which holds a token of this account that never expires"
        yield account.finding(text, "secrets", advice=f"remove it from the list, and {_INSTEAD}", severity=Severity.LOW)
