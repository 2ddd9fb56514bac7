"""K07: misconfigured and vulnerable cluster components."""
