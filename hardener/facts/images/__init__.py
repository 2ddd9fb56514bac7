"""What uses which image, and what decides about it beside the manifest, lives here, and not what an image is: that
is in `lock` and `kubernetes`."""
