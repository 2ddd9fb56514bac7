from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import EncryptionConfiguration
from hardener.kubernetes.secrets.secret_words import is_placeholder

from ._encryption import entries, providers


@transform(each=EncryptionConfiguration, stage="secrets", severity=Severity.CRITICAL, cis="1.2.27", only_reports=True)
def encryption_key_in_git(configuration: EncryptionConfiguration) -> Steps:
    """Move etcd encryption keys out of Git.

    Problem: a key that encrypts etcd is in Git.

    Result: The keys that encrypt etcd are not in Git.

    Why: with the key and a backup of etcd, everyone who ever cloned the repository can read every Secret of the
    cluster.

    May break: nothing, since it only reports: replace the key on every API server, in the order that the finding gives.
    """
    for entry in entries(configuration):
        for index, (name, provider) in enumerate(providers(entry)):
            for number, key in enumerate(provider.items(name, "keys")):
                value = key.text("secret")
                if value and not is_placeholder(value):
                    text = f"the file holds key {key.text('name')} of {name}"
                    advice = (
                        "add a new key on every API server, make it the first, encrypt all Secrets again,"
                        " remove this one; then keep the file out of Git, or use a KMS"
                    )
                    yield entry.finding(
                        text, "providers", index, name, "keys", number, advice=advice, severity=Severity.CRITICAL
                    )
