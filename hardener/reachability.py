"""Which pairs of workloads of the tree can talk, before and after a run, and whether every inferred edge stays open."""
