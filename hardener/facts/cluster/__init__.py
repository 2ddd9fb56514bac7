"""What the tree shows of its cluster lives here (platform, nodes, identities in a cloud), and not what is true of
every cluster."""
