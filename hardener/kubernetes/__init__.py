"""What is true of Kubernetes, and of nothing else."""
