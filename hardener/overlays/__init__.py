"""What kustomizations make of the pods of the tree, as evidence: an overlay may set what the manifest does not show."""

from hardener.overlays.patch import Patch
from hardener.overlays.variants import Chain, Overlays, Result, Variant, patch_of, signs

__all__ = ["Chain", "Overlays", "Patch", "Result", "Variant", "patch_of", "signs"]
