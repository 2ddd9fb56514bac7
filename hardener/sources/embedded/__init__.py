"""Manifests in YAML that stand within a file of something else: heredocs of a script, tasks of Ansible."""
