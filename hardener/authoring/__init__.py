"""What the author of a transform, a profile or a configuration writes lives here, and nothing that runs it."""
