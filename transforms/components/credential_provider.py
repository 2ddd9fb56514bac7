"""K07: the programs that a kubelet asks for logins of registries."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.secrets.secret_values import SecretClass, classify
from hardener.tree.addon_views import CredentialProviders
from hardener.tree.view import View

_SECRETS = (SecretClass.SECRET, SecretClass.WEAK)


@transform(each=CredentialProviders, stage="components", severity=Severity.MEDIUM, only_reports=True)
def credential_provider(config: CredentialProviders) -> Steps:
    """Restrict matchImages of the credential provider.

    Problem: the kubelet sends a login to registries that it is not meant for.

    Result: The kubelet sends a login only to the registries it is meant for.

    Why: the kubelet sends the login to every registry that `matchImages` matches. With a wildcard in the domain itself,
    a pod that names an image of an attacker's registry makes the node send the login there. Everyone with access to the
    repository can read a credential in `env` or `args`.

    May break: nothing, since it only reports: images of registries that no entry names are pulled without a login.
    """
    for at, provider in enumerate(config.items("providers")):
        name = provider.text("name") or "a provider"
        for number, pattern in enumerate(provider.strings("matchImages")):
            if _is_wide(pattern):
                yield config.finding(
                    f"the login of {name} goes to every registry that {pattern} matches, also to those of strangers",
                    "providers",
                    at,
                    "matchImages",
                    number,
                    advice="name the domains of your registries; a star belongs before the domain that is yours "
                    "(*.dkr.ecr.*.amazonaws.com)",
                )
        yield from _credentials(config, at, name, provider)


def _is_wide(pattern: str) -> bool:
    """Whether a star stands in the domain that somebody registers, and not below it."""
    domain = pattern.partition("/")[0].partition(":")[0]
    return any("*" in label for label in domain.split(".")[-2:])


def _credentials(config: CredentialProviders, at: int, name: str, provider: View) -> Iterator[Finding]:
    for number, entry in enumerate(provider.items("env")):
        key, value = entry.text("name") or "", entry.text("value") or ""
        if classify(key, value)[0] in _SECRETS:
            yield config.finding(
                f"{key} of {name} is a credential in clear text",
                "providers",
                at,
                "env",
                number,
                "value",
                advice="let the provider use the identity of the node or of the service account (tokenAttributes), and "
                "rotate it",
                severity=Severity.HIGH,
            )
