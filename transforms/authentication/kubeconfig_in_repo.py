from __future__ import annotations

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.kubeconfig import PROVIDER_SECRETS, SECRETS, is_credential
from hardener.kubernetes.components.static_tokens import MASTERS
from hardener.support.data_path import Path
from hardener.tree.credential_views import Kubeconfig
from hardener.tree.view import View

_PROVIDER = ("auth-provider", "config")
_INSTEAD = (
    "git rm --cached the file, and let people log in with an exec credential plugin (user: {exec: {apiVersion:"
    " client.authentication.k8s.io/v1, command: kubelogin, interactiveMode: IfAvailable}}), robots with a token of a"
    " service account that ends; the Git history keeps it"
)
_REVOKE = {
    "client-key-data": "a certificate cannot be revoked: wait until it expires, or replace the CA of the cluster",
    "password": "change the password",
}
_REVOKE_TOKEN = "revoke the token: delete its Secret or its service account"


@transform(each=Kubeconfig, stage="authentication", severity=Severity.CRITICAL, cis="3.1.1", only_reports=True)
def kubeconfig_in_repo(config: Kubeconfig) -> Steps:
    """Remove kubeconfigs from Git.

    Problem: a kubeconfig with a credential is in Git.

    Result: No kubeconfig with a credential is in Git.

    Why: everyone with access to the repository or its history can read the credential, and it cannot be revoked by
    itself.

    May break: nothing, since it only reports: removing the file could lock its owner out.
    """
    for index, user in enumerate(config.items("users")):
        found = _secrets(user)
        if found:
            yield _finding(config, user, ("users", index, "user", *found[0]), [str(path[-1]) for path in found])
    for index, cluster in enumerate(config.items("clusters")):
        if cluster.get("cluster", "insecure-skip-tls-verify") is True:
            name = cluster.text("name") or "a cluster"
            text = (
                f"whoever is between client and cluster {name} can read and change all: its certificate is not checked"
            )
            advice = "write the CA of the cluster to certificate-authority-data and remove this"
            yield config.finding(
                text, "clusters", index, "cluster", "insecure-skip-tls-verify", severity=Severity.HIGH, advice=advice
            )


def _secrets(user: View) -> list[Path]:
    """Where a user has credentials, seen from its field `user`."""
    found: list[Path] = [(key,) for key in SECRETS if is_credential(user.text("user", key))]
    for key in PROVIDER_SECRETS:
        if is_credential(user.text("user", *_PROVIDER, key)):
            found.append((*_PROVIDER, key))
    return found


def _finding(config: Kubeconfig, user: View, path: Path, names: list[str]) -> Finding:
    message = f"user {user.text('name') or 'without a name'}: {', '.join(names)}"
    severity, advice = Severity.CRITICAL, _REVOKE.get(names[0], _REVOKE_TOKEN)
    certificate = config.certificate(user) if "client-key-data" in names else None
    if certificate is not None:
        groups = ", ".join(f"O={name}" for name in certificate.organizations)
        ended = certificate.ends < config.today
        message += f", certificate {groups or f'CN={certificate.common_name}'}"
        message += f", {'expired' if ended else 'expires'} {certificate.ends}"
        if ended and names == ["client-key-data"]:
            severity, advice = Severity.MEDIUM, "no server accepts it any more"
        elif MASTERS in certificate.organizations:
            message += "; RBAC does not apply to that group"
    return config.finding(message, *path, advice=f"{advice}; {_INSTEAD}", severity=severity)
