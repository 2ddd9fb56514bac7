"""What an audit log shows that an account did, in the form of a rule of RBAC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct


class ObservedRule(Struct, frozen=True):
    """Requests that were made and allowed: every one of ``verbs`` on ``resource`` ("pods", "pods/log").

    ``namespace`` is None for requests of no namespace: cluster-scoped resources, lists over all namespaces, and paths
    such as /metrics, which stand in ``non_resource_url`` (then ``api_group`` and ``resource`` are empty).
    ``resource_names`` is empty where the names do not bound the rule. ``verbs`` and ``resource_names`` are sorted.
    """

    namespace: str | None
    api_group: str
    resource: str
    verbs: tuple[str, ...]
    resource_names: tuple[str, ...] = ()
    non_resource_url: str | None = None


class AuditLog(Protocol):
    """What is asked of an audit log; ``tree.ask(GivenLog).log`` is one, or None."""

    @property
    def span(self) -> tuple[str, str] | None:
        """The times of the first and the last event, as in the log (RFC 3339, UTC); None of an empty log."""

    @property
    def seen(self) -> Iterable[tuple[str, str]]:
        """Namespace and name of each service account that the log shows."""

    @property
    def sees_reads(self) -> bool:
        """Whether any event is a read; where none is, reads are not recorded, and rights look smaller."""

    @property
    def sees_events(self) -> bool:
        """Whether any request for an object of the kind Event is recorded."""

    def rules_for(self, namespace: str, account: str, *, expand: bool = False) -> list[ObservedRule] | None:
        """What the account did; None where the log holds no event of it. ``expand`` adds the verbs that usually go
        with those seen."""

    def events(self, namespace: str, account: str) -> int:
        """How many events the log holds of the account."""
