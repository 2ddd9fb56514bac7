from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.cluster.cloud_nodes import node_sign
from hardener.tree.cloud_views import NodeTemplate

from ._imds import HOPS, Imds, in_template, is_enough, reader_finding, reader_of


@transform(
    each=NodeTemplate, stage="cloud", severity=Severity.HIGH, options=Imds, after=("tf-imds-tokens",),
    peers=("checkov:CKV_AWS_341",),
)  # fmt: skip
def tf_imds_hop(template: NodeTemplate, options: Imds) -> Steps:
    """Set the metadata hop limit to 1 (Terraform).

    Problem: pods can receive answers of the node's metadata service.

    Result: Answers of the metadata service do not leave the node.

    Why: with tokens and a hop limit of one, containers behind the node's bridge cannot fetch node credentials
    (CKV_AWS_341).

    May break: pods that use the role of their node, or read region and VPC there; pods with hostNetwork still reach it.
    """
    reader = reader_of(template)
    now = template.literal("metadata_options", 0, HOPS)
    if reader is None or options.hop_limit > 1:
        yield from in_template(template, HOPS, options.hop_limit)
    elif node_sign(template) is not None and not is_enough(now, options.hop_limit):
        path = ("metadata_options", 0, HOPS) if now is not None else ()
        yield from reader_finding(template, path, options.hop_limit, reader)
