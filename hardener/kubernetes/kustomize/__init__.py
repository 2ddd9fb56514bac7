"""What a kustomization says and makes of an object lives here, as plain data."""
