"""Parts of pods: for an operator of its own, and for a client that others hand over."""

REPOSITORY, TAG = "registry.example.com/worker", "2.1"


def workers(count):
    return {
        "replicas": count,
        "spec": {"containers": [{"name": "worker", "image": f"{REPOSITORY}:{TAG}", "args": ["work"]}]},
    }


def task(image):
    """What ECS runs."""
    return {"containers": [{"name": "task", "image": image, "essential": True}]}


class Debugger:
    def __init__(self, client):
        self.client = client

    def container(self):
        return self.client.V1Container(
            name="debugger",
            image="registry.example.com/debugger:1",
            security_context=self.client.V1SecurityContext(privileged=True),
        )
