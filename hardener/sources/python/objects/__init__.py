"""From expressions to Kubernetes objects: what a program makes, changes and hands on."""
