from __future__ import annotations

from hardener.authoring.edits import Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.cloud_views import InstanceGroup

from ._imds import BEFORE, Imds, is_enough, reader_finding, reader_of

_OPTIONS = ("spec", "instanceMetadata")
_AFTER = ("kops replace -f FILE, kops update cluster --yes, kops rolling-update cluster --yes",)


@transform(each=InstanceGroup, stage="cloud", severity=Severity.HIGH, options=Imds)
def kops_imds(group: InstanceGroup, options: Imds) -> Steps:
    """Require IMDSv2 with a hop limit of 1 (kOps).

    Problem: the node's metadata service answers pods or requests without a token.

    Result: The metadata service asks for a token, and its answers do not leave the node.

    Why: IMDSv1 answers a simple GET, and with a higher hop limit the answer, which holds the credentials of the node,
    reaches pods.

    May break: pods that use the role of their node, or read region and VPC there; the nodes of the group are replaced.
    """
    edits: list[Edit] = []
    if group.get(*_OPTIONS, "httpTokens") == "optional":
        edits.append(_set(group, "httpTokens", "required"))
    hops = group.get(*_OPTIONS, "httpPutResponseHopLimit")
    if hops is not None and not is_enough(hops, options.hop_limit) and group.get("spec", "role") in ("Node", None):
        reader = reader_of(group)
        if reader is None or options.hop_limit > 1:
            edits.append(_set(group, "httpPutResponseHopLimit", options.hop_limit))
        else:
            yield from reader_finding(group, (*_OPTIONS, "httpPutResponseHopLimit"), options.hop_limit, reader)
    yield from edits


def _set(group: InstanceGroup, name: str, value: str | int) -> Edit:
    why = group.fact(f"{name} is {group.get(*_OPTIONS, name)}", *_OPTIONS, name)
    found = verdict(why=[why], effect=Effect.WATCHED)
    return group.set(*_OPTIONS, name, to=value, requires=BEFORE, follow_up=_AFTER, **found.words)
