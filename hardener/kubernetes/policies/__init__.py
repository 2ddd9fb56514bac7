"""Admission policies and run-time rules of this program and of others live here, as plain data."""
