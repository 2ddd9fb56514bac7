from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import moves_of
from hardener.kubernetes.kubectl import in_namespace
from hardener.kubernetes.secrets.sealed_secret import SealingError
from hardener.support.shell_words import command
from hardener.tree.core_views import Secret

from ._documents import LAST_APPLIED, converted, with_kept
from ._options import Secrets
from ._store import missing
from ._target import Target, is_key, target
from ._values import is_credential, values_of

# What says of an object how it is applied, and not what it is: it stays with what is applied.
_OF_APPLYING = (
    "argocd.argoproj.io/sync", "argocd.argoproj.io/hook", "argocd.argoproj.io/compare", "config.kubernetes.io/",
    "hardener.dev/", "helm.sh/hook", "internal.config.kubernetes.io/", "kustomize.toolkit.fluxcd.io/",
)  # fmt: skip
_ADVICE = (
    "let an operator fill it from a store, or encrypt it (SOPS, Sealed Secrets), and rotate it: the Git history"
    " keeps it"
)


@transform(
    each=Secret, stage="secrets", severity=Severity.HIGH, options=Secrets, cis="5.4.2",
    after=("secret-git-history",),
)  # fmt: skip
def secret_object_external(secret: Secret, options: Secrets) -> Steps:
    """Move Secret values out of Git.

    Problem: the values of the Secret are in Git.

    Result: The values of the Secret are not in Git.

    Why: a credential in Git is known to everyone who ever cloned the repository, and base64 hides nothing. Only a
    reference stays in Git; the value moves to the store and must be rotated.

    May break: a tool that prunes what Git no longer holds removes the Secret before the operator creates it again, and
    pods that start in between wait.
    """
    values = values_of(secret)
    if values is None or not values:
        return
    where = target(secret, options, secret.object.name, secret.object.name, exactly=True)
    reason = where if isinstance(where, str) else _refusal(secret, values, where)
    edits: list[Edit] = []
    if reason is None and isinstance(where, Target):
        try:
            edits = list(_edits(secret, values, where))
        except SealingError as error:
            reason = str(error)
    if reason is None and isinstance(where, Target):
        yield from edits
        if where.backend.shown:
            yield from missing(secret, where)
        return
    key = "data" if secret.has("data") else "stringData"
    yield secret.finding(
        f"the Secret has its values in the manifest; not moved: {reason}",
        key,
        advice=_ADVICE,
        severity=Severity.CRITICAL if any(map(is_credential, values, values.values())) else Severity.MEDIUM,
        topic="Secret with values in the manifest",
    )


def _refusal(secret: Secret, values: dict[str, bytes], where: Target) -> str | None:
    if where.backend.name == "sops":
        encrypt = command("sops encrypt --in-place --encrypted-regex '^(data|stringData)$' {file}", file=where.file)
        return f"{encrypt} does it"
    if where.backend.name == "secret":
        return "the next kubectl apply without the values would also remove them from the cluster"
    if not secret.text("metadata", "name"):
        return "it has no name"
    if not all(map(is_key, values)):
        return "not all of its keys are legal"
    user = moves_of(secret).backends.logs_in_with(secret.object.name)
    if user is not None:
        return f"{user} logs in with it, so it cannot come from there"
    doubt = moves_of(secret).patched(secret)
    return None if doubt is None else doubt.text


def _edits(secret: Secret, values: dict[str, bytes], where: Target) -> Iterator[Edit]:
    found = {
        field: {
            key: secret.text("metadata", field, key) or ""
            for key in secret.keys("metadata", field)
            if key != LAST_APPLIED and not key.startswith(_OF_APPLYING)
        }
        for field in ("labels", "annotations")
    }
    metadata: dict[str, Any] = {field: entries for field, entries in found.items() if entries}
    body = where.body(values, type=secret.text("type"), metadata=metadata, immutable=secret.get("immutable") is True)
    how = where.verdict.words
    steps = (*where.steps(f"the values of Secret {secret.object.name}"), _take_over(where))
    first: dict[str, Any] = {**how, "requires": steps}
    moved = metadata if "spec" in body else {}
    edits = converted(secret, secret.object.name, body, how, first, moved)
    yield from with_kept(edits, where.kept(values, f"{secret.object.piece.file.name} {secret.object}"))


def _take_over(where: Target) -> str:
    """The step that lets the Secret of the cluster be taken over, and not be pruned or refused."""
    if where.backend.name == "sealed-secrets":
        return in_namespace(
            "kubectl annotate secret {} sealedsecrets.bitnami.com/managed=true", where.namespace, where.name
        )
    keep = in_namespace(
        "kubectl annotate secret {} argocd.argoproj.io/sync-options=Prune=false"
        " kustomize.toolkit.fluxcd.io/prune=disabled",
        where.namespace,
        where.name,
    )
    return f"with Argo CD or Flux, keep the Secret until the operator has made it anew: {keep}"
