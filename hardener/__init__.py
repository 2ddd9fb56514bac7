"""Harden Kubernetes manifests where they live, and say why.

What a program calls and what an author of a transform needs is importable from here, and nothing of it is loaded before
it is asked for. These names are public, ``docs/library.md`` says what else is; modules below may move.
"""

from __future__ import annotations

from importlib import import_module
from os.path import dirname, isdir, join
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Grade, Severity, WrongShapeError
    from hardener.authoring.transform import Steps, transform
    from hardener.commands.library import NotWrittenError, harden_text, harden_tree
    from hardener.errors import HardenError, InputError
    from hardener.facts.access.account_use import ServiceAccounts
    from hardener.facts.access.grants import Access
    from hardener.facts.access.views import Binding, Role
    from hardener.facts.cluster.platforms import Platforms
    from hardener.facts.images.container_commands import spoken
    from hardener.facts.kustomize.builds import Builds
    from hardener.facts.kustomize.overlays.states import signs, states
    from hardener.facts.network.connections import Connections
    from hardener.facts.network.network_policies import Isolation
    from hardener.facts.objects.namespace_contents import Namespaces
    from hardener.facts.objects.object_links import Relations
    from hardener.facts.secrets.objects import ConfigMap
    from hardener.report.results import (
        ChangeRecord,
        EvidenceRecord,
        FileRecord,
        FindingRecord,
        Hardened,
        HardenedText,
        HardenedTree,
        HeldRecord,
        ObjectRecord,
        PlaceRecord,
        RefusedRecord,
        Summary,
        WaivedRecord,
    )
    from hardener.tree.control_plane import Component, ControlPlane, components
    from hardener.tree.core_views import (
        Container,
        Namespace,
        Object,
        PodTemplate,
        Secret,
        Service,
        ServiceAccount,
    )
    from hardener.tree.fact import AsRead, Live
    from hardener.tree.route_views import Ingress
    from hardener.tree.tree import Tree
    from hardener.tree.view import OpaqueError, View

__version__ = "0.1.0"
__all__ = [
    "Access",
    "AsRead",
    "Basis",
    "Binding",
    "Builds",
    "ChangeRecord",
    "Component",
    "ConfigMap",
    "Connections",
    "Container",
    "ControlPlane",
    "Edit",
    "Evidence",
    "EvidenceRecord",
    "FileRecord",
    "Finding",
    "FindingRecord",
    "Grade",
    "HardenError",
    "Hardened",
    "HardenedText",
    "HardenedTree",
    "HeldRecord",
    "Ingress",
    "InputError",
    "Isolation",
    "Live",
    "Namespace",
    "Namespaces",
    "NotWrittenError",
    "Object",
    "ObjectRecord",
    "OpaqueError",
    "PlaceRecord",
    "Platforms",
    "PodTemplate",
    "RefusedRecord",
    "Relations",
    "Role",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceAccounts",
    "Severity",
    "Steps",
    "Summary",
    "Tree",
    "View",
    "WaivedRecord",
    "WrongShapeError",
    "components",
    "harden_text",
    "harden_tree",
    "signs",
    "spoken",
    "states",
    "transform",
]

# Where each name lives; a test holds that it is the list above, and what type checkers read.
_HOMES = {
    "authoring.edits": ("Basis", "Edit", "Evidence", "Finding", "Grade", "Severity", "WrongShapeError"),
    "authoring.transform": ("Steps", "transform"),
    "commands.library": ("NotWrittenError", "harden_text", "harden_tree"),
    "errors": ("HardenError", "InputError"),
    "facts.access.account_use": ("ServiceAccounts",),
    "facts.access.grants": ("Access",),
    "facts.access.views": ("Binding", "Role"),
    "facts.cluster.platforms": ("Platforms",),
    "facts.images.container_commands": ("spoken",),
    "facts.kustomize.builds": ("Builds",),
    "facts.kustomize.overlays.states": ("signs", "states"),
    "facts.network.connections": ("Connections",),
    "facts.network.network_policies": ("Isolation",),
    "facts.objects.namespace_contents": ("Namespaces",),
    "facts.objects.object_links": ("Relations",),
    "facts.secrets.objects": ("ConfigMap",),
    "report.results": (
        "ChangeRecord", "EvidenceRecord", "FileRecord", "FindingRecord", "Hardened", "HardenedText", "HardenedTree",
        "HeldRecord", "ObjectRecord", "PlaceRecord", "RefusedRecord", "Summary", "WaivedRecord",
    ),
    "tree.control_plane": ("Component", "ControlPlane", "components"),
    "tree.core_views": ("Container", "Namespace", "Object", "PodTemplate", "Secret", "Service", "ServiceAccount"),
    "tree.fact": ("AsRead", "Live"),
    "tree.route_views": ("Ingress",),
    "tree.tree": ("Tree",),
    "tree.view": ("OpaqueError", "View"),
}  # fmt: skip
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'hardener' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"hardener.{module}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# transforms/ and profiles/ are our children once installed, and our siblings in a checkout.
if not isdir(join(dirname(__file__), "transforms")):
    __path__.append(dirname(dirname(__file__)))
