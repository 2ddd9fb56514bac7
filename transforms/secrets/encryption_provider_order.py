from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.secrets import EncryptionConfiguration

from ._encryption import PLAIN, covering, providers


@transform(each=EncryptionConfiguration, stage="secrets", severity=Severity.HIGH, cis="1.2.28")
def encryption_provider_order(configuration: EncryptionConfiguration) -> Steps:
    """Put an encrypting provider first.

    Problem: new Secrets are written to etcd as plain text.

    Result: New Secrets are encrypted when they are written to etcd.

    Why: the first provider is the one used for writing, so identity first means Secrets are stored in clear text.
    Listing it last keeps old data readable while new writes are encrypted.

    May break: an API server that does not run with this file yet cannot read what another one has encrypted.
    """
    for entry in covering(configuration):
        names = [name for name, _ in providers(entry)]
        if names[:1] != [PLAIN] or all(name == PLAIN for name in names):
            continue
        known = [entry.fact("every API server that runs with this file has the key already", "providers", 1)]
        how = verdict(known=known, effect=Effect.WATCHED, basis=Basis.PROVED).words
        yield [
            *(entry.drop("providers", index, **how) for index, name in enumerate(names) if name == PLAIN),
            entry.append(
                "providers",
                value={PLAIN: {}},
                **how,
                requires=("check that every API server runs with this file and its keys",),
                follow_up=(
                    "restart all API servers",
                    "encrypt the existing Secrets: kubectl get secrets -A -o json | kubectl replace -f -",
                ),
            ),
        ]
