"""The metadata service of AWS (IMDS): what launch templates, Karpenter, eksctl, kOps and modules say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.cluster.cloud_nodes import BY_NAME, metadata_reader, node_sign
from hardener.support.data_path import Path
from hardener.tree.cloud_views import NodeTemplate
from hardener.tree.view import View

TOKENS = "http_tokens"
HOPS = "http_put_response_hop_limit"
_BLOCK = "metadata_options"

BEFORE = (
    "check that nothing on the nodes asks the metadata service without a token: aws cloudwatch get-metric-statistics"
    " --namespace AWS/EC2 --metric-name MetadataNoToken --statistics Sum --period 86400 --start-time 2-weeks-ago"
    " --end-time now",
)
PLAN = ("terraform plan, and replace the nodes in your own time: a new version of a launch template starts new ones",)


@dataclass(frozen=True, slots=True)
class Imds:
    """``hop_limit``: how many network hops the answer of the metadata service may go: 1 stays on the node, with 2 it
    reaches pods."""

    GROUP: ClassVar[str] = "imds"
    hop_limit: int = 1


def in_template(template: NodeTemplate, attribute: str, wanted: str | int) -> Steps:
    """Give ``attribute`` of the metadata options of a launch template the value ``wanted``, where it makes nodes."""
    sign = node_sign(template)
    if sign is None or template.literal(_BLOCK, 0, "http_endpoint") == "disabled":
        return
    if template.has_dynamic(_BLOCK) or template.count(_BLOCK) > 1 or template.is_computed(_BLOCK, 0, attribute):
        yield template.finding(
            f"an expression sets {attribute}, so the value for the nodes is not known",
            *((_BLOCK, 0, attribute) if template.is_computed(_BLOCK, 0, attribute) else ()),
            advice=f"check that its value is {wanted}",
            severity=Severity.MEDIUM,
            not_looked_at=True,
        )
        return
    if template.kind == "aws_instance" and template.has("launch_template") and not template.count(_BLOCK):
        return  # its template decides
    now = template.literal(_BLOCK, 0, attribute)
    if is_enough(now, wanted):
        return
    if template.count(_BLOCK):
        yield change(template, (_BLOCK, 0, attribute), wanted, [sign])
    else:
        yield change(template, (_BLOCK,), [{attribute: wanted}], [sign])


def is_enough(now: object, wanted: str | int) -> bool:
    """Return whether the value ``now`` is as good as ``wanted``: a lower hop limit is."""
    if isinstance(wanted, int):
        return isinstance(now, int) and not isinstance(now, bool) and now <= wanted
    return now == wanted


def change(view: View, path: Path, wanted: object, evidence: list[Evidence]) -> Edit:
    """Return the edit that gives ``path`` the value ``wanted``, with what goes before and after it."""
    basis = Basis.INFERRED if BY_NAME in [fact.text for fact in evidence] else Basis.PROVED
    found = verdict(known=evidence, effect=Effect.WATCHED, basis=basis)
    return view.set(*path, to=wanted, requires=BEFORE, follow_up=PLAN, **found.words)


def reader_finding(view: View, path: Path, hops: int, reader: Evidence) -> Steps:
    """Yield what is said in place of a lower hop limit while a controller of the tree needs the metadata service."""
    text = f"the hop limit of the metadata service stays: {reader.text}"
    advice = (
        "give it a role of its own (IRSA or EKS Pod Identity) and its region and VPC as flags, then set the hop "
        f"limit to {hops}"
    )
    yield view.finding(text, *path, advice=advice, severity=Severity.MEDIUM)


def reader_of(view: View) -> Evidence | None:
    """Return the controller of the tree for which the hop limit has to stay."""
    return metadata_reader(view.tree)
