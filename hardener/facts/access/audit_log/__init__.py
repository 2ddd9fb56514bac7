"""Audit logs of the cluster, read for what its accounts do.

A log may be larger than memory: its entries are read one by one, and only names are kept, never values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from msgspec import Struct, field

from hardener.errors import InputError
from hardener.exports.audit_log.event import NotAnEventError, requests
from hardener.exports.audit_log.usage import Account, Usage, rules
from hardener.exports.model import Account as Kept
from hardener.exports.model import Recorded, Source
from hardener.kubernetes.rbac.observed_rule import ObservedRule
from hardener.support.json_objects import entries, opened
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_KEPT = "harden.evidence.yaml"


class Damage(Struct, frozen=True):
    """How many entries of a log could not be read, and the number of the first of them."""

    name: str
    count: int
    first: int


class AuditLog(Struct):
    """What a run knows from the logs that it was given; ``foreign`` counts JSON in them that records no request."""

    names: tuple[str, ...]
    usage: Usage
    damages: list[Damage] = field(default_factory=list)
    foreign: int = 0

    @property
    def span(self) -> tuple[str, str] | None:
        """The times of the first and the last event as written (RFC 3339, UTC); None where no event has one."""
        return (self.usage.first, self.usage.last) if self.usage.first and self.usage.last else None

    @property
    def days(self) -> float | None:
        """How long that is."""
        try:
            first, last = (datetime.fromisoformat(time) for time in self.span or ())
            return (last - first).total_seconds() / 86400
        except (ValueError, TypeError):  # no time, a time that is none, one without a zone
            return None

    @property
    def accounts(self) -> int:
        """How many service accounts the logs show."""
        return len(self.usage.accounts)

    @property
    def seen(self) -> Iterable[tuple[str, str]]:
        """Namespace and name of each service account that the logs show."""
        return self.usage.accounts

    @property
    def sees_reads(self) -> bool:
        """Whether any event is a read. On GKE there is none until Data Access logs are on, and rights look smaller."""
        return self.usage.reads > 0

    @property
    def sees_events(self) -> bool:
        """Whether anybody's request for an Event is recorded: clusters make many, and most audit policies drop them."""
        return self.usage.notes > 0

    def events(self, namespace: str, account: str) -> int:
        """How many events of allowed requests the logs hold of the service account."""
        found = self.usage.accounts.get((namespace, account))
        return found.events if found else 0

    def rules_for(self, namespace: str, account: str, *, expand: bool = False) -> list[ObservedRule] | None:
        """What the service account did. None where no event is of it, or where more was done than is kept.

        ``expand`` adds the verbs that usually go with those seen.
        """
        found = self.usage.accounts.get((namespace, account))
        return rules(found, expand=expand) if found and found.whole else None


class GivenLog(AsRead):
    """``log`` is what the audit logs show that the run was given, else those that ``harden import`` read before; None
    without one. ``old`` names the kept ones that are too old to be used. Collecting it raises InputError where a log is
    wrong."""

    def __init__(self, tree: Tree) -> None:
        logs = tree.settings.audit_logs
        self.old: list[str] = []
        if logs or tree.recorded is None:
            self.log = read(logs) if logs else None
        else:
            self.log = self._kept(tree, tree.recorded)

    def _kept(self, tree: Tree, recorded: Recorded) -> AuditLog | None:
        """The logs of the kept file that are not too old, as one."""
        today = tree.settings.as_of or date.today()
        usage = Usage()
        for key, source in recorded.sources.items():
            if not source.events:
                continue
            if (today - date.fromisoformat(source.last)).days > tree.settings.oldest_recording:
                self.old.append(f"{source.file} ({recorded.days(key)})")
                continue
            usage.events += source.events
            usage.reads += source.reads
            usage.notes += source.notes
            usage.left_out = usage.left_out or source.left_out
            _widen(usage, source)
            for name, accounts in recorded.accounts.items():
                for account in (each for each in accounts if each.by == key):
                    _put(usage, name, account)
        return AuditLog((_KEPT,), usage) if usage.events else None


def _widen(usage: Usage, source: Source) -> None:
    """The days of a kept log, from the end of the first to the beginning of the last: no more than it surely spans."""
    is_one_day = source.first in (None, source.last)
    first, last = (
        f"{source.first or source.last}T{'00:00:00' if is_one_day else '23:59:59'}Z",
        f"{source.last}T00:00:00Z",
    )
    usage.first = min(usage.first or first, first)
    usage.last = max(usage.last or last, last)


def _put(usage: Usage, name: str, kept: Kept) -> None:
    namespace, _, account = name.partition("/")
    found = usage.accounts.setdefault((namespace, account), Account())
    found.events += kept.events
    found.whole = found.whole and kept.whole
    for right in kept.did:
        for verb in right.verbs:
            if right.url:
                found.urls.add((right.url, verb))
                continue
            key = (right.namespace or None, right.group, right.resource, verb)
            names = set(right.names) | (found.grants.get(key) or set())
            is_bound = bool(right.names) and found.grants.get(key, names) is not None
            found.grants[key] = names if is_bound else None


def check(paths: tuple[str, ...]) -> None:
    """Raise InputError where one of ``paths`` is no file that can be read."""
    for path in paths:
        if os.path.isdir(path):
            raise InputError(f"--audit-log {path}: it is a folder; name the files in it")
        if not os.path.exists(path):
            raise InputError(f"--audit-log {path}: no such file")
        if not os.access(path, os.R_OK):
            raise InputError(f"--audit-log {path}: cannot be read")


def read(paths: tuple[str, ...]) -> AuditLog:
    """Read the logs at ``paths``. Raises InputError where one cannot be read at all, or holds no event."""
    log = AuditLog(tuple(map(os.path.relpath, paths)), Usage())
    for path, name in zip(paths, log.names, strict=True):
        broken = first = 0
        before = log.usage.events
        try:
            with opened(path) as stream:
                for number, raw in enumerate(entries(stream), 1):
                    try:
                        if raw is None:
                            raise msgspec.DecodeError
                        for request in requests(raw):
                            log.usage.add(request)
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        broken, first = broken + 1, first or number
                    except NotAnEventError:
                        log.foreign += 1
        except OSError as error:
            raise InputError(f"--audit-log {name}: {error.strerror or 'cannot be read'}") from None
        if log.usage.events == before:
            raise InputError(
                f"--audit-log {name}: holds no event; give JSON lines or an EventList of audit.k8s.io, a CloudWatch"
                " export, or entries of Cloud Audit Logs"
            )
        if broken:
            log.damages.append(Damage(name, broken, first))
    return log
