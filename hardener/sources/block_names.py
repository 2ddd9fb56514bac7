"""Keys in the data of a Terraform block that no attribute can have."""

HEAD = "(block)"
"""What the block is called: ``["resource", "aws_instance", "a"]``."""

ENCODED = "jsonencode()"
"""Below it stands what ``jsonencode(...)`` takes."""
