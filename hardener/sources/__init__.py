"""Which files are read, how a file becomes documents, and edits become text, lives here; nothing here knows Kubernetes
but the readers of programs."""
