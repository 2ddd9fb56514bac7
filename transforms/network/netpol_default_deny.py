"""K05: nothing talks to the pods of a namespace unless a policy names it."""

from hardener.declare import Steps, transform
from hardener.edits import Basis, Grade, Severity
from hardener.namespaces import is_alone, is_shared, unseen_sources
from hardener.views import Namespace

from ._policies import TOPIC, NetworkPolicies, closes_all, named, policies


@transform(
    each=Namespace, stage="network", severity=Severity.MEDIUM, cis="5.3.2", options=NetworkPolicies, absence=True
)  # fmt: skip
def netpol_default_deny(namespace: Namespace, options: NetworkPolicies) -> Steps:
    """A pod of the namespace takes and opens no connection that no policy names.

    Why: without a policy every pod of the cluster, and whoever takes one over, reaches every other pod and the metadata
    address of the cloud.

    May break: pods that come into the namespace later have no connection until a policy of theirs names it.
    """
    wanted = ["Ingress", "Egress"] if options.egress else ["Ingress"]
    if any(all(closes_all(policy, direction) for direction in wanted) for policy in policies(namespace)):
        return
    if namespace.declared and not is_shared(namespace.name) and is_alone(namespace):
        evidence = [namespace.fact("the tree holds the Namespace and nothing else that names it")]
        value = named(namespace, "default-deny-all", {"podSelector": {}, "policyTypes": wanted})
        yield namespace.create(
            TOPIC, value, grade=Grade.REVIEW, basis=Basis.PROVED, evidence=evidence, impact="namespace-isolated"
        )
    elif (namespace.declared or namespace.pods) and not _all_selected(namespace):
        where = f"namespace {namespace.name}" if namespace.name else "objects that name no namespace"
        reason = "" if not unseen_sources(namespace) else ", and some of its pods stand elsewhere"
        count = len(namespace.pods)
        yield namespace.finding(
            f"nothing isolates the {count} workload{'s' * (count != 1)} of {where}{reason}",
            advice="add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress], one that allows DNS, "
            "and one for each connection that is needed",
        )


def _all_selected(namespace: Namespace) -> bool:
    """Whether every workload is selected by a policy of the tree already."""
    selectors = []
    for policy in policies(namespace):
        if not policy.has("spec", "podSelector", "matchExpressions"):
            labels = policy.view("spec", "podSelector", "matchLabels")
            selectors.append({key: labels.text(key) for key in labels.keys()})
    return all(any(labels.items() <= pod.labels.items() for labels in selectors) for pod in namespace.pods)
