"""K01: insecure workload configurations."""
