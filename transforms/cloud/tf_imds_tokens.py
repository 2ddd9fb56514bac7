from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import NodeTemplate

from ._imds import TOKENS, in_template


@transform(each=NodeTemplate, stage="cloud", severity=Severity.HIGH, peers=("checkov:CKV_AWS_79",))
def tf_imds_tokens(template: NodeTemplate) -> Steps:
    """Require session tokens for the metadata service (Terraform).

    Problem: the metadata service of the node answers without a session token.

    Result: The metadata service answers only requests with a session token.

    Why: IMDSv1 answers a simple GET, which a server-side request forgery can make; whoever makes it holds the
    credentials of the node (CKV_AWS_79).

    May break: software with an SDK from before 2019 that knows IMDSv1 only; the new version of the launch template
    replaces nodes.
    """
    yield from in_template(template, TOKENS, "required")
