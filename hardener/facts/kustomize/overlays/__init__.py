"""What kustomizations make of the pods of the tree, as evidence: an overlay may set what the manifest does not show.

Most trees have no kustomization: what reads them is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hardener.facts.kustomize.overlays.patched import PatchedPod
from hardener.facts.kustomize.overlays.signs import signs
from hardener.facts.kustomize.overlays.unpatched import Unpatched

if TYPE_CHECKING:
    from hardener.facts.kustomize.overlays.images import PatchImage
    from hardener.facts.kustomize.overlays.patch import Patch
    from hardener.facts.kustomize.overlays.variants import Chain, Overlays, Result, Variant, patch_of

__all__ = [
    "Chain", "Overlays", "Patch", "PatchImage", "PatchedPod", "Result", "Unpatched", "Variant", "patch_of", "signs",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "PatchImage":
        return getattr(import_module("hardener.facts.kustomize.overlays.images"), name)
    if name in __all__:
        return getattr(import_module("hardener.facts.kustomize.overlays.variants"), name)
    raise AttributeError(f"module 'hardener.facts.kustomize.overlays' has no attribute {name!r}")
