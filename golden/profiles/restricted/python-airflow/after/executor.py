"""A part of a pod that Airflow merges into that of its executor."""

from airflow.sdk import dag, task
from kubernetes.client import models as k8s

more = {"pod_override": k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base", tty=True)]))}


@dag
def heavy():
    @task(executor_config=more)
    def load():
        pass

    @task.kubernetes(
        image="registry.example.com/python:3.12",
        container_resources=k8s.V1ResourceRequirements(
            requests={"cpu": "25m", "memory": "128Mi"},
            limits={"cpu": "1", "memory": "2Gi"},
        ),
        container_security_context=k8s.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        volume_mounts=[k8s.V1VolumeMount(name="harden-base-tmp", mount_path="/tmp")],
        security_context=k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=1000,
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        volumes=[k8s.V1Volume(name="harden-base-tmp", empty_dir=k8s.V1EmptyDirVolumeSource())],
    )
    def count():
        pass

    load() >> count()
