"""A reader per kind of export: from one JSON or YAML object to facts. ``registry`` finds the reader by content."""
