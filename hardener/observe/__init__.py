"""Workloads run in a container engine of this machine live here, and what is seen of them; no manifest is written."""
