"""K03: secrets management failures."""
