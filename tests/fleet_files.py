"""Files of a fleet as ``harden fleet run`` writes them, for tests and measurements: written by its own store."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from hardener.authoring import registry
from hardener.authoring.edits import Grade, Severity
from hardener.fleet import store

SETTINGS = store.Settings("1.0", "restricted", "0" * 64)
_STATES = ("pending", "pending", "pending", "held", "finding", "finding", "waived")
_KINDS = ("Deployment", "StatefulSet", "CronJob", "Service", "Ingress")


def entry(
    rule: str, state: str = "pending", grade: str | None = "safe", severity: str = "high", *, file: str = "web.yaml",
    object: str = "Deployment/shop/web", team: str | None = None,
) -> store.Entry:  # fmt: skip
    """An entry whose fingerprint is that of its rule, file and object, whatever its state."""
    told = "\0".join((rule, file, object, grade or ""))
    fingerprint = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32]
    return store.Entry(file, object, rule, None, state, grade, severity, fingerprint, team)


def done(*entries: store.Entry, commit: str = "a" * 40) -> store.Result:
    return store.Result(commit, None, 0.5, 1 << 20, 3, entries)


def failed(reason: str) -> store.Result:
    return store.Result(None, reason, 0.1, None, None)


def write(path: Path, runs: Iterable[Mapping[str, store.Result]], *, finish: bool = True) -> Path:
    """Write ``runs``, each what came out by the address of the repository. Only the last may not be finished."""
    given = list(runs)
    with store.writing(str(path)) as connection:
        for number, results in enumerate(given, 1):
            run = store.new_run(connection, SETTINGS)
            numbers = store.repositories(connection, results)
            for address, result in results.items():
                store.record(connection, run, numbers[address], result)
            if finish or number < len(given):
                store.finish(connection, run)
    return path


def many(repositories: int, seed: int = 1) -> list[dict[str, store.Result]]:
    """Three runs over so many repositories, of 25 points each; each run has some points less and some that are new,
    and one repository in 50 fails in it."""
    chance = random.Random(seed)
    rules = sorted(registry.transforms())
    host = "https://git.example.com"
    addresses = [f"{host}/group-{number % 40}/service-{number:04}.git" for number in range(repositories)]
    points = {address: [_point(chance, rules, address) for _ in range(25)] for address in addresses}
    runs = []
    for number in range(3):
        for address in addresses:
            points[address] = [*points[address][1:], _point(chance, rules, address)]
        runs.append({
            address: failed("does not answer within 60 s") if chance.random() < 0.02
            else done(*points[address], commit=hashlib.sha1(f"{address}{number}".encode()).hexdigest())
            for address in addresses
        })  # fmt: skip
    return runs


def _point(chance: random.Random, rules: list[str], address: str) -> store.Entry:
    state = chance.choice(_STATES)
    name = f"{chance.choice(('web', 'api', 'worker', 'cache'))}-{chance.randrange(40)}"
    team = f"@example/{address.split('/')[3]}-{chance.randrange(3)}"
    team += " @example/audit" if chance.random() < 0.1 else ""
    return entry(
        chance.choice(rules), state, None if state == "finding" else str(chance.choice(list(Grade))),
        str(chance.choice(list(Severity))), file=f"deploy/{name}/manifest.yaml",
        object=f"{chance.choice(_KINDS)}/ns-{chance.randrange(60)}/{name}", team=team,
    )  # fmt: skip
