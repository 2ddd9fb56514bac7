from airflow import DAG
from operators.house import Nightly, Task
from kubernetes.client import models as k8s

with DAG("daily"):
    Task(
        task_id="load",
        image="registry.example.com/load:1",
        container_resources=k8s.V1ResourceRequirements(
            requests={"cpu": "25m", "memory": "128Mi"},
            limits={"cpu": "1", "memory": "2Gi"},
        ),
        container_security_context={
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        conf="load.ini",
        security_context={
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    )
    Nightly("nightly", "nightly.ini")
