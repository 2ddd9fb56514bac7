"""Audit policies of the API server live here: what they record, and what they must record."""
