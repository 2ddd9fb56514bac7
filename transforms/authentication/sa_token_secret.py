from hardener.declare import Steps, transform
from hardener.edits import Severity
from hardener.views import Secret, ServiceAccount

_TYPE = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
_INSTEAD = (
    "delete it once nothing reads it: pods get a token that ends from a projected volume, others from kubectl create"
    " token or the TokenRequest API"
)


@transform(each=Secret | ServiceAccount, stage="authentication", severity=Severity.MEDIUM, cis="5.1.6")
def sa_token_secret(target: Secret | ServiceAccount) -> Steps:
    """A service account has no token that never ends.

    Why: the token in such a Secret is valid until the Secret is deleted, from anywhere, and whoever may read Secrets of
    the namespace, a backup included, can act as the account.

    May break: nothing, since it only reports: what uses the token must first be given another one.
    """
    if isinstance(target, Secret):
        yield from _secret(target)
    else:
        yield from _account(target)


def _secret(secret: Secret) -> Steps:
    if secret.text("type") != _TYPE:
        return
    account = secret.text("metadata", "annotations", _ACCOUNT) or "that it names"
    path = ("data", "token") if secret.has("data", "token") else ("stringData", "token")
    if secret.has(*path):
        yield secret.finding(
            f"a token of service account {account} that never ends stands in the manifest", *path,
            advice=f"take it for known, and {_INSTEAD}", severity=Severity.HIGH,
        )  # fmt: skip
        return
    yield secret.finding(
        f"it gets a token of service account {account} that never ends", "type", advice=_INSTEAD,
        severity=Severity.MEDIUM,
    )  # fmt: skip


def _account(account: ServiceAccount) -> Steps:
    """The list of Secrets of an account: before Kubernetes 1.24 the token that it was given stood there."""
    named = [item.text("name") for item in account.items("secrets")]
    listed = [name for name in named if name and name.startswith(f"{account.object.name}-token-")]
    if listed:
        yield account.finding(
            f"it lists Secret {listed[0]}, which holds a token of it that never ends", "secrets",
            advice=f"take it off the list, and {_INSTEAD}", severity=Severity.LOW,
        )  # fmt: skip
