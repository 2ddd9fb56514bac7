"""What the author of a transform, a profile or a configuration writes: declarations, edits, findings, options."""
