"""What the tree says about itself lives here, a folder per subject; a fact is collected, and never changes anything."""
