"""What the Dockerfiles of a tree say of the images that are built from it; ``built_images`` is the door."""
