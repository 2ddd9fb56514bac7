"""K06: overly exposed components."""
