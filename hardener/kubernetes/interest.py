"""Which text is worth parsing: most of the bytes of a real tree are CRDs and other things that are never looked at."""

import re

from hardener.kubernetes.custom_resource import may_name_images
from hardener.kubernetes.pod_template import PARTIAL_KINDS, POD_KINDS
from hardener.kubernetes.rendered import RENDERED_ELSEWHERE
from hardener.kubernetes.service_links import mentions

INTERESTING: frozenset[str] = POD_KINDS | PARTIAL_KINDS | {kind for _, kind in RENDERED_ELSEWHERE} | {
    "Service", "ServiceAccount", "RoleBinding", "ClusterRoleBinding", "Ingress", "Route", "SecurityContextConstraints",
    "Namespace", "NetworkPolicy", "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "LimitRange",
    "ResourceQuota",
}  # fmt: skip

_KIND = re.compile(r"""^["']?kind["']?[ \t]*:[ \t]*["']?(\w+)""", re.M)
_NESTED_KIND = re.compile(r"""["']?\bkind["']?[ \t]*:[ \t]*["']?(\w+)""")


def is_interesting(text: str) -> bool:
    """Whether a piece of text can hold an object that this program looks at; tells without parsing."""
    # A kind in column 0 is that of a block document; only other layouts (flow, JSON, indented) need a closer look.
    kinds = _KIND.findall(text) or _NESTED_KIND.findall(text)
    if any(kind in INTERESTING or kind.endswith("List") for kind in kinds):
        return True
    if "postureExceptionPolicy" in text:
        return True  # an exception of Kubescape, which names kinds by patterns
    if "ConfigMap" in kinds and mentions(text):
        return True  # the others are large, and nobody asks for them
    return any(kind != "CustomResourceDefinition" for kind in kinds) and may_name_images(text)
