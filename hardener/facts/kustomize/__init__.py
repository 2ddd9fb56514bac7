"""What kustomizations build, and what overlays make of an object, lives here, and not how a kustomization reads:
that is in `kubernetes`."""
