from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.control_plane import ControlPlane, signs

_KEY = "secrets-encryption"


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM)
def k3s_secrets_encryption(carrier: ControlPlane) -> Steps:
    """Encrypt Secrets in k3s.

    Problem: the k3s server stores Secrets as plain text.

    Result: The k3s server encrypts Secrets.

    Why: otherwise anyone who has the datastore or its backup can read every Secret.

    May break: reverting in Git decrypts nothing: servers without the key cannot read what was written with it.
    """
    if signs.rancher(carrier) != "k3s server" or carrier.get(_KEY) is True:
        return
    after = (
        "on each server: systemctl restart k3s; then once: k3s secrets-encrypt status, k3s secrets-encrypt rotate-keys",
        "keep the key with the backups: /var/lib/rancher/k3s/server/cred/encryption-config.json",
    )
    before = ("take a snapshot of the datastore: k3s etcd-snapshot save",)
    stays = Evidence("a revert does not bring Secrets back in clear")
    found = verdict(why=[carrier.fact(f"{_KEY} is not on")], against=[stays], basis=Basis.PROVED)
    yield carrier.set(_KEY, to=True, requires=before, follow_up=after, **found.words)
