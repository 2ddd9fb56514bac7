"""What uses which image, and what decides about an image beside the manifest that names it."""
