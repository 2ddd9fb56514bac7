"""What kustomizations make of the pods of the tree, as evidence: an overlay may set what the manifest does not show."""
