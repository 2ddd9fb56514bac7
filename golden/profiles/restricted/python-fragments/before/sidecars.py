from kubernetes.client import V1Container, V1EnvVar, V1PodSpec, V1PodTemplateSpec


def add_log_shipper(pod, address):
    """Adds a container that ships logs to a pod that somebody else makes."""
    pod.spec.containers.append(
        V1Container(
            name="log-shipper",
            image="registry.example.com/logs/shipper:4.2",
            env=[V1EnvVar(name="ADDRESS", value=address)],
        )
    )


def worker_template():
    return V1PodTemplateSpec(
        spec=V1PodSpec(
            service_account_name="worker",
            containers=[V1Container(name="worker", image="registry.example.com/jobs/worker:7")],
        )
    )
