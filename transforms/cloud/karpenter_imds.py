from __future__ import annotations

from hardener.authoring.edits import Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.cloud_views import NodeClass

from ._imds import BEFORE, Imds, is_enough, reader_finding, reader_of

_OPTIONS = ("spec", "metadataOptions")
_AFTER = ("Karpenter replaces every node of this class, as its disruption budgets let it: kubectl get nodeclaims -w",)


@transform(each=NodeClass, stage="cloud", severity=Severity.HIGH, options=Imds)
def karpenter_imds(nodes: NodeClass, options: Imds) -> Steps:
    """Require IMDSv2 with a hop limit of 1 (Karpenter).

    Problem: the node's metadata service answers pods or requests without a token.

    Result: The metadata service asks for a token, and its answers do not leave the node.

    Why: IMDSv1 answers a simple GET, and with a higher hop limit the answer, which holds the credentials of the node,
    reaches pods. Without metadataOptions Karpenter sets both correctly.

    May break: pods that use the role of their node, or read region and VPC there; every node of the class is replaced.
    """
    edits: list[Edit] = []
    if nodes.get(*_OPTIONS, "httpTokens") == "optional":
        edits.append(_set(nodes, "httpTokens", "required"))
    hops = nodes.get(*_OPTIONS, "httpPutResponseHopLimit")
    if hops is not None and not is_enough(hops, options.hop_limit):
        reader = reader_of(nodes)
        if reader is None or options.hop_limit > 1:
            edits.append(_set(nodes, "httpPutResponseHopLimit", options.hop_limit))
        else:
            path = (*_OPTIONS, "httpPutResponseHopLimit")
            yield from reader_finding(nodes, path, options.hop_limit, reader)
    yield from edits


def _set(nodes: NodeClass, name: str, value: str | int) -> Edit:
    why = nodes.fact(f"{name} is {nodes.get(*_OPTIONS, name)}", *_OPTIONS, name)
    found = verdict(why=[why], effect=Effect.WATCHED)
    return nodes.set(*_OPTIONS, name, to=value, requires=BEFORE, follow_up=_AFTER, **found.words)
