from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import AwsMachineTemplate

_OPTIONS = ("spec", "template", "spec", "instanceMetadataOptions")


@transform(each=AwsMachineTemplate, stage="cloud", severity=Severity.MEDIUM, only_reports=True)
def capa_imds(template: AwsMachineTemplate) -> Steps:
    """Require IMDSv2 with a hop limit of 1 (Cluster API).

    Problem: the machine's metadata service answers pods or requests without a token.

    Result: The metadata service asks for a token, and its answers do not leave the node.

    Why: IMDSv1 answers a simple GET, which a server-side request forgery can make; it is the default of this template.

    May break: nothing, since it only reports: a template is immutable, so create a new one and refer to it.
    """
    hops = template.get(*_OPTIONS, "httpPutResponseHopLimit")
    if template.get(*_OPTIONS, "httpTokens") == "required" and (hops is None or hops == 1):
        return
    yield template.finding(
        "the metadata service of these machines answers IMDSv1, or answers pods",
        *(_OPTIONS if template.has(*_OPTIONS) else ()),
        advice="copy it under a new name with instanceMetadataOptions {httpTokens: required, httpPutResponseHopLimit: "
        "1}, and let infrastructureRef name the copy",
        severity=Severity.MEDIUM,
    )
