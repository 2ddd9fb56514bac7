"""K06: the controller of Ingresses takes no text of its users into its configuration."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import ConfigMap

_KEY = "allow-snippet-annotations"


@transform(each=ConfigMap, stage="exposure", severity=Severity.HIGH, only_reports=True)
def ingress_controller_snippets(config_map: ConfigMap) -> Steps:
    """Forbid snippet annotations in the Ingress controller.

    Problem: the Ingress controller accepts configuration from annotations.

    Result: The Ingress controller ignores snippet annotations.

    Why: with `allow-snippet-annotations: "true"` whoever may write an Ingress can add directives to a process that
    holds the certificates of all Ingresses, and usually a token that can read the Secrets of the cluster
    (CVE-2021-25742).

    May break: nothing, since it only reports: an Ingress with a snippet is refused without the setting.
    """
    if str(config_map.get("data", _KEY)).lower() != "true":
        return
    text = f"{_KEY} is true: the controller takes text of every Ingress into its configuration"
    advice = "remove it (false is the default since 1.9) once no Ingress has an annotation that ends in -snippet"
    yield config_map.finding(text, "data", _KEY, advice=advice, severity=Severity.HIGH)
