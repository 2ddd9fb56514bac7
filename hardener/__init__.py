"""Harden Kubernetes manifests where they live, and say why.

What an author of a transform needs is importable from here; nothing of it is loaded before it is asked for.
"""

from importlib import import_module
from os.path import dirname, isdir, join
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardener.authoring.edits import Basis, Evidence, Finding, Grade, Severity
    from hardener.authoring.transform import Steps, transform
    from hardener.tree.core_views import (
        Container,
        Namespace,
        Object,
        PodTemplate,
        Secret,
        Service,
        ServiceAccount,
        View,
    )
    from hardener.tree.route_views import Ingress

__version__ = "0.1.0"
__all__ = [
    "Basis",
    "Container",
    "Evidence",
    "Finding",
    "Grade",
    "Ingress",
    "Namespace",
    "Object",
    "PodTemplate",
    "Secret",
    "Service",
    "ServiceAccount",
    "Severity",
    "Steps",
    "View",
    "transform",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in ("authoring.transform", "authoring.edits", "tree.core_views", "tree.route_views"):
            found = getattr(import_module(f"hardener.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'hardener' has no attribute {name!r}")


# transforms/ and profiles/ are our children once installed, and our siblings in a checkout.
if not isdir(join(dirname(__file__), "transforms")):
    __path__.append(dirname(dirname(__file__)))
