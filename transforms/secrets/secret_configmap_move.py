from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Basis, Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.secrets import ConfigMap, moves_of
from hardener.kubernetes.kubectl import in_namespace
from hardener.kubernetes.secrets.sealed_secret import SealingError
from hardener.kubernetes.secrets.secret_values import SecretClass, classify

from ._documents import added, converted, with_kept
from ._options import Secrets
from ._rewire import Move, mounted, rewired
from ._store import missing
from ._target import Target, is_key, listed, target

_ACTS = (SecretClass.SECRET, SecretClass.WEAK)
_ADVICE = "move them to a Secret that an operator fills from a store, and rotate them: the Git history keeps them"


@transform(
    each=ConfigMap, stage="secrets", severity=Severity.CRITICAL, options=Secrets, cis="5.4.2",
    after=("secret-git-history",),
)  # fmt: skip
def secret_configmap_move(config_map: ConfigMap, options: Secrets) -> Steps:
    """Move credentials from a ConfigMap to a Secret.

    Problem: the ConfigMap holds a credential.

    Result: The ConfigMap holds no credentials.

    Why: far more accounts may read ConfigMaps than Secrets, and the usual configuration does not encrypt them at rest.
    The values then live in the secret store and only a reference stays in Git.

    May break: pods wait until the Secret exists, which needs the External Secrets Operator (or what secrets.backend
    names) and the values in its store. A program that reads the ConfigMap through the API, which no manifest shows, no
    longer finds the values.
    """
    found = _secrets(config_map)
    if not found:
        return
    name = config_map.object.name
    where = target(config_map, options, name, f"{name}-secrets")
    reason = where if isinstance(where, str) else _refusal(config_map, list(found), where)
    if reason is not None or isinstance(where, str):
        severity = Severity.CRITICAL if SecretClass.SECRET in found.values() else Severity.HIGH
        default = "; a value that can be guessed must be replaced anyway" if SecretClass.WEAK in found.values() else ""
        text = f"the ConfigMap holds {listed(list(found))} in clear text; not moved: {reason}"
        yield config_map.finding(text, "data", next(iter(found)), advice=_ADVICE + default, severity=severity)
        return
    try:
        edits = list(_edits(config_map, list(found), where, options))
    except SealingError as error:
        text = f"the ConfigMap holds {listed(list(found))} in clear text; not moved: {error}"
        yield config_map.finding(text, "data", next(iter(found)), advice=_ADVICE, severity=Severity.CRITICAL)
        return
    yield from edits
    yield from missing(config_map, where)


def _secrets(config_map: ConfigMap) -> dict[str, SecretClass]:
    """The keys whose values are credentials."""
    if config_map.text("kind") != "ConfigMap":  # this run has made something else of it
        return {}
    found = {}
    for key in config_map.keys("data"):
        text = config_map.text("data", key)
        verdict = classify(key, text)[0] if text is not None else SecretClass.NO
        if verdict in _ACTS:
            found[key] = verdict
    return found


def _refusal(config_map: ConfigMap, keys: list[str], where: Target) -> str | None:
    twice = [key for key in keys if key in where.keys]
    if twice:
        return f"{where.known} has {listed(twice)} already, perhaps with another value"
    if config_map.get("immutable") is True:
        return "it is immutable, and has to be created again under another name"
    if not all(map(is_key, keys)):
        return "a Secret does not take all of the keys"
    if not config_map.text("metadata", "name"):
        return "it has no name"
    doubt = moves_of(config_map).why_not(config_map)
    return None if doubt is None else doubt.text


def _edits(config_map: ConfigMap, keys: list[str], where: Target, options: Secrets) -> Iterator[Edit]:
    readers = moves_of(config_map).readers(config_map)
    whole = set(keys) == set(config_map.keys("data")) and not config_map.has("binaryData")
    facts = [*where.verdict.evidence, *(pod.fact(f"{pod.object} reads it, and then the Secret") for pod in readers)]
    move = Move(config_map.object.name, where.name, frozenset(keys), whole, tuple(facts))
    values = {key: (config_map.text("data", key) or "").encode() for key in keys}
    kept = where.kept(values, f"{config_map.object.piece.file.name} {config_map.object}")
    how = verdict(known=facts, effect=Effect.WATCHED, basis=Basis.PROVED).words
    first: dict[str, Any] = {
        **how,
        "requires": where.steps(listed(keys)),
        "follow_up": _follow_up(config_map, where, whole),
    }
    counted = {**first, "impact": "secret-moved"}
    if whole and where.known is None:
        yield from with_kept(converted(config_map, where.name, where.body(values), how, first), kept)
    else:
        drops = [config_map.drop("data", key, **(how if key != keys[0] else counted)) for key in keys]
        yield from with_kept(drops, kept)
        yield from added(config_map, where, values, how)
    for pod in readers:
        yield from rewired(pod, move)
        if options.delivery != "env":
            yield from mounted(pod, move, options.mount_path)


def _follow_up(config_map: ConfigMap, where: Target, whole: bool) -> tuple[str, ...]:
    if not whole:
        return ()
    return (in_namespace("kubectl delete configmap {}", where.namespace, config_map.object.name),)
