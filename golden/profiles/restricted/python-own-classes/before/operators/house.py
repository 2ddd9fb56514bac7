"""Operators of the house."""

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator


class Task(KubernetesPodOperator):
    """A task in the namespace of the jobs, whose arguments begin with its configuration."""

    def __init__(self, conf, pull="Always", **kwargs):
        kwargs.setdefault("namespace", "jobs")
        super().__init__(image_pull_policy=pull, arguments=["--conf", conf], **kwargs)


class Nightly(Task):
    def __init__(self, task_id, conf):
        super().__init__(
            task_id=task_id,
            conf=conf,
            image="registry.example.com/nightly:3",
            hostnetwork=True,
        )
