from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Edit, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.objects.object_names import as_object_name
from hardener.kubernetes.secrets.sealed_secret import SealingError
from hardener.kubernetes.secrets.secret_values import SecretClass, classify
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.view import View

from ._documents import added, with_kept
from ._options import Secrets
from ._store import missing
from ._target import Target, is_key, listed, target

_ACTS = (SecretClass.SECRET, SecretClass.WEAK)
_ADVICE = "take it from a Secret that an operator fills from a store, and rotate it: the Git history keeps it"


@transform(
    each=PodTemplate, stage="secrets", severity=Severity.CRITICAL, options=Secrets, cis="5.4.2",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"),
    after=("secret-configmap-move", "secret-git-history"), any_image=True,
)  # fmt: skip
def secret_env_literal(pod: PodTemplate, options: Secrets) -> Steps:
    """Move credentials from env to a Secret.

    Problem: {container} has a credential in an environment variable.

    Result: The environment variable takes its credential from a Secret.

    Why: a credential in Git is known to everyone who ever cloned the repository. Only a reference stays in Git; the
    value moves to the store and must be rotated.

    May break: pods wait until the Secret exists, which needs the operator and the value in its store.
    """
    found = list(_literals(pod))
    yield from _patched(pod, {entry.text("value") for _, entry, _, _ in found})
    if not found:
        return

    names = list(dict.fromkeys(name for _, _, name, _ in found))
    wanted = f"{_base(pod)}-env"
    where = target(pod, options, wanted, wanted)
    reason = _of_the_system(pod) or (where if isinstance(where, str) else _refusal(found))
    edits: list[Edit] = []
    if reason is None and isinstance(where, Target):
        try:
            edits = list(_edits(pod, found, where))
        except SealingError as error:
            reason = str(error)
    if reason is None and isinstance(where, Target):
        yield from edits
        if where.backend.shown:
            yield from missing(pod, where)
        return
    kinds = {verdict for *_, verdict in found}
    container, entry, _, _ = found[0]
    text = f"container {container.name} has {listed(names)} in clear text; not moved: {reason}"
    advice = _ADVICE + ("; a value that can be guessed must be replaced anyway" if SecretClass.WEAK in kinds else "")
    yield entry.finding(
        text, "value", advice=advice, severity=Severity.CRITICAL if SecretClass.SECRET in kinds else Severity.HIGH
    )


def _literals(pod: PodTemplate) -> Iterator[tuple[Container, View, str, SecretClass]]:
    """The variables whose value is a credential: container, entry, name, class."""
    for container in pod.containers:
        for entry in container.items("env"):
            name, text = entry.text("name"), entry.text("value")
            if name and text:
                verdict = classify(name, text)[0]
                if verdict in _ACTS:
                    yield container, entry, name, verdict


def _patched(pod: PodTemplate, written: set[str | None]) -> Iterator[Finding]:
    """What kustomizations patch in, where the patch says it."""
    for state in patched(pod):
        for container, entry, name, verdict in _literals(state):
            if entry.text("value") not in written:
                piece, path = entry.object.place(entry.path)
                yield entry.finding(
                    f"a patch for container {container.name} has {name} in clear text",
                    "value",
                    advice=_ADVICE,
                    severity=Severity.CRITICAL if verdict is SecretClass.SECRET else Severity.HIGH,
                    once=f"{piece.file.name} {path}",
                )


def _of_the_system(pod: PodTemplate) -> str | None:
    return (
        "its namespace is one of the system, whose installer decides" if "system-namespace" in classes_of(pod) else None
    )


def _refusal(found: list[tuple[Container, View, str, SecretClass]]) -> str | None:
    if any("$(" in (entry.text("value") or "") for _, entry, _, _ in found):
        return "Kubernetes does not expand $( ) in a value from a Secret"
    return None if all(is_key(name) for _, _, name, _ in found) else "a Secret does not take all of the names as keys"


def _base(pod: PodTemplate) -> str:
    """The name of the workload. Raises OpaqueError, WrongShapeError."""
    name = pod.object.get("metadata", "name") or pod.object.get("metadata", "generateName") or "app"
    return as_object_name(str(name))


def _edits(pod: PodTemplate, found: list[tuple[Container, View, str, SecretClass]], where: Target) -> Iterator[Edit]:
    keys: dict[str, str] = {}  # value by key
    used: list[tuple[View, str]] = []
    for container, entry, name, _ in found:
        value = entry.text("value") or ""
        free = (each for each in _keys(name, container.name) if each not in where.keys)
        key = next(each for each in free if keys.setdefault(each, value) == value)
        used.append((entry, key))
    values = {key: value.encode() for key, value in keys.items()}
    how = where.verdict.words
    first: dict[str, Any] = {**how, "impact": "secret-moved", "requires": where.steps(listed(list(keys)))}
    edits: list[Edit] = []
    for entry, key in used:
        edits.append(entry.drop("value", **(how if edits else first)))
        edits.append(entry.set("valueFrom", to={"secretKeyRef": {"name": where.name, "key": key}}, **how))
    yield from with_kept(edits, where.kept(values, f"{pod.object.piece.file.name} {pod.object}"))
    yield from added(pod, where, values, how)


def _keys(name: str, container: str) -> Iterator[str]:
    """Names for a key: one value in several containers shares one, others get one of their own."""
    yield name
    yield f"{name}-{container}"
    number = 2
    while True:
        yield f"{name}-{container}-{number}"
        number += 1
