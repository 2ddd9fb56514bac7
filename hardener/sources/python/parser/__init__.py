"""The syntax tree of a program: read by Python's own parser, or by LibCST where that does not do."""
