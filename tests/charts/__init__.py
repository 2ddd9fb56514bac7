"""Helm charts: what a value reaches, and how overrides are written."""
