from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.at_work import deploys
from hardener.facts.access.grants import Access
from hardener.facts.access.needs import unused
from hardener.facts.access.views import Binding

from ._names import delete
from ._subjects import without


@transform(
    each=Binding, stage="authorization", severity=Severity.MEDIUM, absence=True,
    after=("rbac-cluster-admin-binding", "rbac-default-sa"),
)  # fmt: skip
def rbac_unused_binding(binding: Binding) -> Steps:
    """Remove rights that are not used.

    Problem: the binding gives rights that its account is known not to use.

    Result: An account that is known not to use its rights has none.

    Why: rights that nobody uses help only an intruder.

    May break: a program that is in no given manifest and uses the account, or one that uses it less often than the
    audit log covers, is refused.
    """
    if binding.owner is not None or binding.everything is not None:
        return

    gone = []
    facts: list[Evidence] = []
    for subject in binding.subjects:
        if subject.is_account and binding.tree.ask(Access).platform(binding, subject) is None:
            known = unused(binding, subject)
            if known is not None:
                gone.append(subject)
                facts += known.facts
    if not gone:
        return
    deploying = [subject.name for subject in gone if deploys(subject.name)]
    against = [Evidence(f"by its name {name} deploys, backs up or reconciles") for name in deploying]
    found = verdict(why=facts, against=against, effect=Effect.WATCHED, basis=Basis.INFERRED)
    yield without(binding, gone, found, follow_up=delete(binding))
