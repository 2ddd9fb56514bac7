"""What the tree shows of the cluster that it is for: its platform, its nodes, its identities in a cloud."""
