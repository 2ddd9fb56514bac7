"""For airflow_local_settings.py: every pod that Airflow starts is hardened where it says nothing itself.

Airflow calls pod_mutation_hook for the pods of its Kubernetes executor and of KubernetesPodOperator.
"""

from typing import Any

from .client_pods import harden_pod


def pod_mutation_hook(pod: Any) -> None:
    harden_pod(pod)
