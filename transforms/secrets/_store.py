"""What is said once of a store that the tree does not show."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.support.shell_words import scalar
from hardener.tree.view import View

from ._target import Target


def missing(view: View, target: Target) -> Iterator[Finding]:
    """Yield a finding with a scaffold, where the store of ``target`` is not in the tree."""
    store = target.store
    if target.backend.name != "external-secrets" or store.seen:
        return
    where = "" if store.kind == "ClusterSecretStore" else f", namespace: {scalar(target.namespace or 'default')}"
    metadata = f"{{name: {scalar(store.name)}{where}}}"
    scaffold = (
        f"{{apiVersion: {target.api}, kind: {store.kind}, metadata: {metadata}, spec: {{provider: "
        "{vault: {server: ..., path: secret, version: v2, auth: {kubernetes: {mountPath: kubernetes, role: ...}}}}}}"
    )
    text = f"the tree has no {store.kind}/{store.name}, from which secrets are read"
    advice = f"name yours with secrets.store, or make it: {scaffold}"
    yield view.finding(text, advice=advice, severity=Severity.LOW, once=f"{store.kind}/{store.name}")
