"""What the kustomizations of the tree build, and what their overlays make of an object."""
