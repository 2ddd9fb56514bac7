"""What the transforms of service account tokens have in common."""

from dataclasses import dataclass
from typing import ClassVar

from hardener.errors import HardenError
from hardener.views import PodTemplate

FIELD = "automountServiceAccountToken"
DEFAULT = "default"  # the account of a pod that names none

_CHOICES = {
    "accounts": ("all", DEFAULT),
    "containers": ("possible", "shown"),
    "expiration": ("extendable", "hour"),
}


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
                raise HardenError(f"token.{name}: {value} is neither {' nor '.join(choices)}")


def account_says_no(pod: PodTemplate) -> bool:
    """Whether the account of a pod that says nothing keeps its token back."""
    for state in pod.states:
        accounts = pod.tree.accounts.of(state)
        if not accounts or any(account.get(FIELD) is not False for account in accounts):
            return False
    return True
