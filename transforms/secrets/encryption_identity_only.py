from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import EncryptionConfiguration

from ._encryption import PLAIN, covering, providers

_SCAFFOLD = (
    "{kms: {apiVersion: v2, name: ..., endpoint: unix:///...}} with a KMS plugin, or {secretbox: {keys: [{name: key1,"
    " secret: ...}]}} with the output of: head -c 32 /dev/urandom | base64"
)


@transform(each=EncryptionConfiguration, stage="secrets", severity=Severity.HIGH, cis="1.2.27", only_reports=True)
def encryption_identity_only(configuration: EncryptionConfiguration) -> Steps:
    """Encrypt Secrets in etcd.

    Problem: Secrets are stored in etcd as plain text.

    Result: Secrets are encrypted in etcd.

    Why: otherwise whoever has a disk or a backup of etcd can read every Secret.

    May break: nothing, since it only reports: a key does not belong in Git, and every API server needs it.
    """
    for entry in covering(configuration):
        names = [name for name, _ in providers(entry)]
        if names and all(name == PLAIN for name in names):
            text = "identity is the only provider, so Secrets are in etcd in clear text"
            advice = f"put another one before it on every API server, outside of Git: {_SCAFFOLD}"
            yield entry.finding(text, "providers", advice=advice, severity=Severity.HIGH)
