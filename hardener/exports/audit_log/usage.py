"""What the accounts of a log did, counted in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from hardener.exports.audit_log.event import Request
from hardener.kubernetes.rbac.observed_rule import ObservedRule, is_granted_to_all, names_that_bound, siblings

_PREFIX = "system:serviceaccount:"
_MOST_ACCOUNTS = 20_000
_MOST_GRANTS = 200_000  # of all accounts: far above what a cluster has, and some tens of megabytes
_MOST_NAMES = 6  # one more than bound a rule

Key = tuple[str | None, str, str, str]  # namespace, group, resource, verb


class Account(Struct):
    """Of one account: how many events, and the names (None: too many to count, or none) by what was done.

    ``whole`` is False where something was left out.
    """

    events: int = 0
    grants: dict[Key, set[str] | None] = field(default_factory=dict)
    urls: set[tuple[str, str]] = field(default_factory=set)  # path and verb
    whole: bool = True


class Usage(Struct):
    """The service accounts of a log by namespace and name, and the time it spans."""

    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None
    events: int = 0
    reads: int = 0
    notes: int = 0  # requests for objects of the kind Event, of anybody
    left_out: bool = False  # whole accounts
    _grants: int = 0

    def add(self, request: Request) -> None:
        """Count a request."""
        time = request.time
        if time is not None:
            if self.first is None or time < self.first:
                self.first = time
            if self.last is None or time > self.last:
                self.last = time
        self.events += not request.besides
        self.notes += request.resource == "events"
        if not request.allowed:
            return
        self.reads += request.verb in ("get", "list", "watch")
        if not request.user.startswith(_PREFIX):
            return
        namespace, _, name = request.user.removeprefix(_PREFIX).partition(":")
        account = self.accounts.get((namespace, name))
        if account is None:
            if len(self.accounts) >= _MOST_ACCOUNTS:
                self.left_out = True
                return
            account = self.accounts[namespace, name] = Account()
        account.events += not request.besides
        if request.url is not None:
            self._add_url(account, request)
        elif not is_granted_to_all(request.group, request.resource, request.verb):
            self._add_grant(account, request)

    def _add_url(self, account: Account, request: Request) -> None:
        entry = (str(request.url), request.verb)
        if not is_granted_to_all("", entry[0], entry[1]) and entry not in account.urls and self._has_room(account):
            account.urls.add(entry)

    def _add_grant(self, account: Account, request: Request) -> None:
        key = (request.namespace, request.group, request.resource, request.verb)
        if key not in account.grants:
            if self._has_room(account):
                account.grants[key] = {request.name} if request.name else None
            return
        names = account.grants[key]
        if names is None:
            return
        if request.name:
            names.add(request.name)
        if not request.name or len(names) >= _MOST_NAMES:
            account.grants[key] = None

    def _has_room(self, account: Account) -> bool:
        if self._grants >= _MOST_GRANTS:
            account.whole = False
        else:
            self._grants += 1
        return account.whole


def rules(account: Account, *, expand: bool = False) -> list[ObservedRule]:
    """What ``account`` did, as rules: one for each namespace, group, resource and set of names.

    ``expand`` adds the verbs that usually go with those seen (get, list and watch; update and patch).
    """
    together: dict[tuple[str | None, str, str], dict[tuple[str, ...], set[str]]] = {}
    for (namespace, group, resource, verb), names in account.grants.items():
        bound = names_that_bound(resource, verb, names)
        by_names = together.setdefault((namespace, group, resource), {})
        for name in siblings(verb) if expand else (verb,):
            by_names.setdefault(bound if name == verb else (), set()).add(name)
    found = [
        ObservedRule(namespace, group, resource, tuple(sorted(verbs)), names)
        for (namespace, group, resource), by_names in together.items()
        for names, verbs in _without_repeats(by_names)
    ]
    found += [ObservedRule(None, "", "", tuple(sorted(verbs)), (), url) for url, verbs in _by_path(account.urls)]
    return sorted(
        found,
        key=lambda rule: (
            rule.namespace or "",
            rule.api_group,
            rule.resource,
            rule.resource_names,
            rule.verbs,
            rule.non_resource_url or "",
        ),
    )


def _without_repeats(by_names: dict[tuple[str, ...], set[str]]) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Leave out of the rules for names what a rule for all names allows."""
    free = by_names.get((), set())
    for names, verbs in by_names.items():
        if left := (verbs - free if names else verbs):
            yield names, left


def _by_path(urls: Iterable[tuple[str, str]]) -> list[tuple[str, set[str]]]:
    found: dict[str, set[str]] = {}
    for url, verb in sorted(urls):
        found.setdefault(url, set()).add(verb)
    return list(found.items())
