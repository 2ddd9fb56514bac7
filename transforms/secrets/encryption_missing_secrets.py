from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.secrets import EncryptionConfiguration

from ._encryption import PLAIN, covering, entries, providers


@transform(each=EncryptionConfiguration, stage="secrets", severity=Severity.HIGH, cis="1.2.27")
def encryption_missing_secrets(configuration: EncryptionConfiguration) -> Steps:
    """Add secrets to the encrypted resources.

    Problem: etcd encryption leaves Secrets out.

    Result: Etcd encryption covers Secrets.

    Why: without an entry that names them, Secrets stay in etcd as plain text, whatever else is encrypted.

    May break: an API server that does not run with this file yet cannot read what another one has encrypted.
    """
    if any(True for _ in covering(configuration)):
        return
    for entry in entries(configuration):
        names = [name for name, _ in providers(entry)]
        listed = entry.strings("resources")
        # A name beside a wildcard that has it is an error of the API.
        if not names or names[0] == PLAIN or any("*" in name for name in listed):
            continue
        known = entry.fact(f"{names[0]} encrypts {', '.join(listed)} already", "providers", 0)
        found = verdict(known=[known], effect=Effect.WATCHED, basis=Basis.PROVED)
        yield entry.append(
            "resources",
            value="secrets",
            **found.words,
            requires=("check that every API server runs with this file and its keys",),
            follow_up=(
                "restart all API servers",
                "encrypt the existing Secrets: kubectl get secrets -A -o json | kubectl replace -f -",
            ),
        )
        return
    text = "no entry covers Secrets, so they are in etcd in clear text"
    advice = "add an entry with resources: [secrets] and a provider that encrypts"
    yield configuration.finding(text, "resources", advice=advice, severity=Severity.HIGH)
