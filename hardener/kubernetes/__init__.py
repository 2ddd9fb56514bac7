"""What is true of Kubernetes lives here, asked and answered with plain data; it knows no tree, no view and no rule."""
