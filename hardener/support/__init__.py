"""What knows no subject lives here: no Kubernetes, no YAML, no rule."""
