"""Audit logs of a cluster: an entry as the requests that it records, and what the accounts of a log did."""
