"""Manifests as YAML inside text literals."""
