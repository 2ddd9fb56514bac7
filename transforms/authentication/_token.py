"""What the transforms of service account tokens have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hardener.authoring.edits import Evidence
from hardener.errors import InputError
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.api_use import Need
from hardener.facts.kustomize.overlays.states import states
from hardener.tree.core_views import Container, PodTemplate

FIELD = "automountServiceAccountToken"
DEFAULT = "default"  # the account of a pod that names none

HOUR = 3600
# Who asks for this many seconds gets a year, for the sake of clients that read the token once, unless the API server is
# told otherwise (pkg/registry/core/serviceaccount/storage/token.go, --service-account-extend-token-expiration).
_EXTENDABLE = 3607
_SINCE = "2022"  # of an image: clients of all languages read the token again by then
_NAMESPACE = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}

_CHOICES = {"accounts": ("all", DEFAULT), "containers": ("possible", "shown"), "expiration": ("extendable", "hour")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Whose token goes, that of the ``default`` account only or of ``all`` accounts. Who keeps one: the containers that
    are ``shown`` to use the API, or also those for which it is ``possible``. How long it lives: one ``hour``, or what
    the API server makes longer (``extendable``) where the client is not known to read it again."""

    GROUP: ClassVar[str] = "token"
    accounts: str = "all"
    containers: str = "possible"
    expiration: str = "extendable"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise InputError(f"token.{name}: {value} is neither {' nor '.join(choices)}")


def is_of_default(pod: PodTemplate, found: Need) -> bool:
    """Return whether nothing but rights of the account `default` shows that ``pod`` uses the API, and it still runs as
    that account: this run may have given it one of its own, with these rights."""
    return found.is_of_default and pod.service_account == DEFAULT


def account_says_no(pod: PodTemplate) -> bool:
    """Return whether the account of a pod that says nothing keeps its token back."""
    if not pod.follows_account:
        return False
    for state in states(pod):
        accounts = pod.tree.ask(ServiceAccounts).of(state)
        if not accounts or any(account.get(FIELD) is not False for account in accounts):
            return False
    return True


def seconds_of(users: list[Container], options: Token) -> tuple[int, list[Evidence]]:
    """Return for how long the token is asked for, and why a client may not bear an hour."""
    unknown = [container for container in users if not _reads_again(container)]
    if not unknown:
        return HOUR, []
    text = f"nothing shows that container {unknown[0].name} reads its token again"
    if options.expiration == "hour":
        return HOUR, [unknown[0].fact(f"{text}, and the token ends after an hour", "image")]
    return _EXTENDABLE, [unknown[0].fact(f"{text}: the API server extends {_EXTENDABLE} seconds to a year", "image")]


def _reads_again(container: Container) -> bool:
    """Whether its client reads the token again: controllers of the image table do whose program was looked at, and all
    of some years ago."""
    if container.row is not None and container.row.api == "needed" and container.row.sure_of("api"):
        return True
    created = container.locked.config.created if container.locked is not None else None
    return created is not None and created >= _SINCE


def sources(
    seconds: int,
    platform: str | None,
    *,
    token: str | None = "token",
    ca: str | None = "ca.crt",
    namespace: str | None = "namespace",
) -> list[dict[str, Any]]:
    """Return what the API server would mount itself (plugin/pkg/admission/serviceaccount, TokenVolumeSource), but for
    the lifetime, under the given names; None leaves a file out. No audience: the default is the API server. No mode:
    the kubelet narrows that of the token itself."""
    found: list[dict[str, Any]] = []
    if token:
        found.append({"serviceAccountToken": {"path": token, "expirationSeconds": seconds}})
    if ca:
        found.append({"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": ca}]}})
    if namespace:
        found.append({"downwardAPI": {"items": [{"path": namespace, **_NAMESPACE}]}})
    if platform == "openshift" and ca:  # it mounts the authority of its services beside them
        items = [{"key": "service-ca.crt", "path": "service-ca.crt"}]
        found.append({"configMap": {"name": "openshift-service-ca.crt", "items": items, "optional": True}})
    return found
