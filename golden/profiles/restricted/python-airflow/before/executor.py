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
        security_context=k8s.V1PodSecurityContext(run_as_user=1000),
    )
    def count():
        pass

    load() >> count()
