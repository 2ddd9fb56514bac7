"""What knows no subject: no Kubernetes, no YAML, no rule."""
