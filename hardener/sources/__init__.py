"""How a file becomes documents, and edits become text."""
