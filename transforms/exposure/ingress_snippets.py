from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.overlays.states import applied_states
from hardener.kubernetes.network.ingress_annotations import is_snippet
from hardener.tree.route_views import Ingress

_ANNOTATIONS = ("metadata", "annotations")


@transform(
    each=Ingress, stage="exposure", severity=Severity.MEDIUM, only_reports=True,
    peers=("checkov:CKV_K8S_152", "checkov:CKV_K8S_153", "checkov:CKV_K8S_154"),
)  # fmt: skip
def ingress_snippets(ingress: Ingress) -> Steps:
    """Remove configuration snippets from an Ingress.

    Problem: the Ingress injects its own configuration into the controller.

    Result: The Ingress adds no configuration of its own to its controller.

    Why: the text goes unchecked into a process that holds the certificates of all Ingresses, and usually a token that
    can read the Secrets of the whole cluster: whoever may write an Ingress can read them, too (CVE-2021-25742).

    May break: nothing, since it only reports: first configure the controller so that it does not need the text.
    """
    for state in applied_states(ingress):
        keys = [key for key in state.keys(*_ANNOTATIONS) if is_snippet(str(key)) and _says_something(state, key)]
        if keys:
            more = f", like {len(keys) - 1} more," if len(keys) > 1 else ""
            text = f"annotation {keys[0]}{more} puts its text unchecked into the configuration of the controller"
            advice = (
                "use an annotation for that one purpose (headers, redirects, limits), and keep snippets"
                " switched off in the controller: allow-snippet-annotations: false, or no -enable-snippets"
            )
            yield state.finding(text, *_ANNOTATIONS, keys[0], severity=Severity.MEDIUM, advice=advice)
            return


def _says_something(ingress: Ingress, key: str) -> bool:
    return bool((ingress.text(*_ANNOTATIONS, key) or "").strip())
