"""Copies the orders of a day, and trains on them."""

from datetime import datetime

from airflow import DAG
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

with DAG(
    "orders",
    start_date=datetime(2024, 1, 1),
    default_args={"retries": 2, "namespace": "jobs", "service_account_name": "jobs"},
) as dag:
    extract = KubernetesPodOperator(
        task_id="extract",
        image="registry.example.com/extract:1.4",  # built every night
        container_resources=k8s.V1ResourceRequirements(
            requests={"cpu": "25m", "memory": "128Mi"},
            limits={"cpu": "1", "memory": "2Gi"},
        ),
        cmds=["python", "-m", "extract"],
        env_vars={"MODE": "full"},
        container_security_context={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        volume_mounts=[k8s.V1VolumeMount(name="harden-base-tmp", mount_path="/tmp")],
        security_context={
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        volumes=[
            k8s.V1Volume(
                name="harden-base-tmp",
                empty_dir=k8s.V1EmptyDirVolumeSource(),
            ),
        ],
    )
    train = KubernetesPodOperator(
        task_id="train",
        name="train",
        image="registry.example.com/train:{{ var.value.train_version }}",
        hostnetwork=True,
        pod_template_file="/opt/airflow/pod.yaml",
    )
    report = KubernetesPodOperator.partial(task_id="report", image="registry.example.com/report:7").expand(
        arguments=[["day"], ["week"]],
    )
    extract >> train >> report
