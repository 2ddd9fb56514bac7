"""One module for each source of ``KnownBy``, with its name: what that source says of an image."""
