"""Who reaches whom lives here: network policies, Services and their names, ways in from outside the cluster."""
