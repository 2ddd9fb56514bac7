"""Frameworks that make pods of settings: Airflow, Dagster, KubeSpawner."""
