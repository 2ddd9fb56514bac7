"""K02: overly permissive authorization."""
