"""K08: cluster to cloud lateral movement."""
