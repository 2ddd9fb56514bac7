"""Parts of pods: for an operator of its own, and for a client that others hand over."""

REPOSITORY, TAG = "registry.example.com/worker", "2.1"


def workers(count):
    return {
        "replicas": count,
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "worker",
                    "image": f"{REPOSITORY}:{TAG}",
                    "args": ["work"],
                    "resources": {
                        "requests": {"cpu": "25m", "memory": "128Mi"},
                        "limits": {"cpu": "1", "memory": "2Gi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "harden-worker-tmp", "mountPath": "/tmp"}],
                }
            ],
            "volumes": [{"name": "harden-worker-tmp", "emptyDir": {}}],
        },
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
            resources=self.client.V1ResourceRequirements(
                requests={"cpu": "25m", "memory": "128Mi"},
                limits={"cpu": "1", "memory": "2Gi"},
            ),
            security_context=self.client.V1SecurityContext(
                allow_privilege_escalation=False,
                run_as_non_root=True,
                run_as_user=65532,
                capabilities=self.client.V1Capabilities(drop=["ALL"]),
                seccomp_profile=self.client.V1SeccompProfile(type="RuntimeDefault"),
            ),
        )
