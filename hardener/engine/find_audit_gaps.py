"""What the audit logs of a run do not say: entries that cannot be read, accounts left out, missing reads."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.access.audit_log import GivenLog
from hardener.facts.access.grants import Access
from hardener.tree.tree import Tree

_ID = "audit-log"
_KEPT = "harden.evidence.yaml"
_LONG_ENOUGH = 7.0  # days: what happens weekly is in it


def reports(tree: Tree) -> Iterator[Report]:
    """A record for each of these; none without an audit log. Raises InputError where a log is wrong."""
    given = tree.ask(GivenLog)
    log = given.log
    for name in given.old:
        yield _report(
            _KEPT, f"the audit log {name} is older than {tree.settings.oldest_recording} days, and not used",
            "import a newer one, or set import.max-age", 1,
        )  # fmt: skip
    if log is None:
        return
    for damage in log.damages:
        entries = "1 entry" if damage.count == 1 else f"{damage.count} entries"
        yield _report(
            damage.name, f"{entries} cannot be read, the first is number {damage.first}",
            "the derived rights lack what they record; give the whole log", damage.first,
        )  # fmt: skip
    name = log.names[0]
    if log.usage.left_out:
        yield _report(name, "more accounts than are kept; some were left out", "give the log of fewer accounts")
    if not tree.ask(Access).log_shows_the_tree:
        yield _report(
            name, "no account in it is one that the tree names, other than those of kube-system",
            "check that it is the log of the cluster that gets these manifests, and of a time in which they ran",
        )  # fmt: skip
    if not log.sees_reads:
        yield _report(
            name, "it records no read (get, list, watch)",
            "let the audit policy record reads, on GKE Data Access logs of k8s.io: rights derived from it lack them",
        )  # fmt: skip
    elif not log.sees_events:
        yield _report(
            name, "it records no events of anybody (the kind Event): the audit policy leaves them out",
            "an account that writes objects gets create and patch on events; give them to others that make events",
        )  # fmt: skip
    if log.days is not None and log.days < _LONG_ENOUGH:
        yield _report(
            name, f"thin evidence: it spans {log.days:.1f} days",
            "give a log of at least 7 days, so that what happens once a week is in it",
        )  # fmt: skip


def _report(name: str, message: str, advice: str, line: int = 1) -> Report:
    return Report(_ID, "K02", Severity.LOW, message, advice, name, line=line)
