"""K05: names are still resolved where everything else is closed."""

from hardener.declare import Steps, transform
from hardener.edits import Basis, Grade, Severity
from hardener.views import Namespace

from ._policies import TOPIC, named, policies

_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
# kubernetes.io/metadata.name is set by the API server since 1.21; matchExpressions, since the label transformers of
# kustomize rewrite matchLabels (DECISIONS 2.6). NodeLocal DNSCache runs in the network of the node, which no
# podSelector matches (kubernetes issue 70555).
_PEERS = [
    {
        "namespaceSelector": {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kube-system"]}]
        },
        "podSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
    },
    {"ipBlock": {"cidr": "169.254.20.10/32"}},
]
_OPENSHIFT = [
    {
        "namespaceSelector": {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["openshift-dns"]}]
        }
    }
]


@transform(each=Namespace, stage="network", severity=Severity.MEDIUM, absence=True, after=("netpol-default-deny",))
def netpol_allow_dns(namespace: Namespace) -> Steps:
    """Pods of a namespace that is closed can still ask the DNS of the cluster.

    Why: a default deny without it stops every connection that begins with a name, which is nearly every one.

    May break: nothing that worked under the default deny; a DNS that runs elsewhere needs a rule of its own.
    """
    if "netpol-default-deny" not in namespace.changed_by:
        return
    if any(policy.name.startswith("allow-dns") for policy in policies(namespace)):
        return
    openshift = namespace.tree.platform == "openshift"
    ports = [{**port, "port": 5353} for port in _PORTS] if openshift else _PORTS
    spec = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": _OPENSHIFT if openshift else _PEERS, "ports": ports}],
    }
    evidence = [namespace.fact("default-deny-all closes outgoing connections")]
    yield namespace.create(
        TOPIC, named(namespace, "allow-dns", spec), grade=Grade.REVIEW, basis=Basis.PROVED, evidence=evidence
    )
