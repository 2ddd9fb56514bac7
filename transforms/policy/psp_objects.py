"""K04: policies that Kubernetes does not know any more."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import PodSecurityPolicy

_GONE = (1, 25)


@transform(each=PodSecurityPolicy, stage="policy", severity=Severity.MEDIUM, cis="5.2.1", only_reports=True)
def psp_objects(policy: PodSecurityPolicy) -> Steps:
    """Remove PodSecurityPolicies.

    Problem: the PodSecurityPolicy has no effect.

    Result: The repository holds no PodSecurityPolicy.

    Why: Kubernetes removed them in 1.25: the manifest is refused, and what it forbade is allowed.

    May break: nothing, since it only reports.
    """
    version = policy.tree.settings.kubernetes_version
    if version >= _GONE:
        yield policy.finding(
            f"{policy.object} protects nothing: Kubernetes removed its kind in 1.25, and {version[0]}.{version[1]}"
            " is assumed",
            advice="label the namespaces with a Pod Security level (namespace-pss-labels), and remove it",
            topic="leftover of PodSecurityPolicy",
        )
