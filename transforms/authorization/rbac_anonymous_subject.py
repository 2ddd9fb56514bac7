from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.views import Binding
from hardener.kubernetes.rbac.owners import PUBLIC

from ._names import delete
from ._subjects import only_health, without

_ANYBODY = (("User", "system:anonymous"), ("Group", "system:unauthenticated"))


@transform(each=Binding, stage="authorization", severity=Severity.HIGH, cis="5.1.1")
def rbac_anonymous_subject(binding: Binding) -> Steps:
    """Remove rights of anonymous callers.

    Problem: the binding gives rights to callers without a credential.

    Result: Callers without a credential have no rights beyond those of every cluster.

    Why: anyone who can reach the API server holds these rights without a credential.

    May break: a probe or a page that asks the API server without logging in is refused.
    """
    found = [subject for subject in binding.subjects if (subject.kind, subject.name) in _ANYBODY]
    if not found or binding.gives(PUBLIC):
        return
    place = ("subjects", found[0].index)
    if binding.owner is not None:
        text = f"{found[0].name} holds {binding.role_name}; {binding.owner}"
        advice = "see why it was added, and remove it in the cluster"
        yield binding.finding(text, *place, severity=Severity.HIGH, advice=advice)
    elif only_health(binding):
        text = f"{found[0].name} may read the health of the API server"
        advice = "keep it if a load balancer needs it; ClusterRole system:public-info-viewer gives the same"
        yield binding.finding(text, *place, severity=Severity.LOW, advice=advice)
    else:
        why = Evidence(f"the binding gives {binding.role_kind} {binding.role_name} to callers without a credential")
        judged = verdict(why=[why], effect=Effect.WATCHED, basis=Basis.PROVED)
        yield without(binding, found, judged, follow_up=delete(binding))
