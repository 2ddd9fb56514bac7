"""What people exported from a cluster or recorded in one: read by content, kept as the few facts that decide in
``harden.evidence.yaml``. Files alone are read; nothing here opens a connection."""
