from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import EncryptionConfiguration

from ._encryption import PLAIN, covering, providers

_WEAK = {
    "aescbc": "aescbc is open to padding oracles",
    "aesgcm": "aesgcm is safe only while its key changes every 200000 writes",
}


@transform(each=EncryptionConfiguration, stage="secrets", severity=Severity.MEDIUM, cis="1.2.28", only_reports=True)
def encryption_weak(configuration: EncryptionConfiguration) -> Steps:
    """Replace weak etcd encryption.

    Problem: Secrets are encrypted in a way that needs more care.

    Result: Secrets are encrypted with a provider that is safe by itself.

    Why: a KMS keeps the key off the machine, and secretbox has none of the weaknesses of the older providers.

    May break: nothing, since it only reports: a new provider needs a key on every API server first.
    """
    for entry in covering(configuration):
        for index, (name, provider) in enumerate(providers(entry)):
            if name == PLAIN:
                continue
            message = _WEAK.get(name)
            if name == "kms" and provider.get("kms", "apiVersion") in (None, "v1"):
                message = "kms v1 is off by default since Kubernetes 1.29"
            if message is not None:
                advice = (
                    "add kms (apiVersion: v2), or secretbox, behind it on every API server, then put it first"
                    " and encrypt all Secrets again"
                )
                yield entry.finding(message, "providers", index, severity=Severity.MEDIUM, advice=advice)
            break  # the first one writes
