from kubernetes.client import (
    V1Capabilities,
    V1Container,
    V1EmptyDirVolumeSource,
    V1EnvVar,
    V1PodSecurityContext,
    V1PodSpec,
    V1PodTemplateSpec,
    V1ResourceRequirements,
    V1SeccompProfile,
    V1SecurityContext,
    V1Volume,
    V1VolumeMount,
)


def add_log_shipper(pod, address):
    """Adds a container that ships logs to a pod that somebody else makes."""
    pod.spec.containers.append(
        V1Container(
            name="log-shipper",
            image="registry.example.com/logs/shipper:4.2",
            env=[V1EnvVar(name="ADDRESS", value=address)],
            resources=V1ResourceRequirements(
                requests={"cpu": "25m", "memory": "128Mi"},
                limits={"cpu": "1", "memory": "2Gi"},
            ),
            security_context=V1SecurityContext(
                allow_privilege_escalation=False,
                run_as_non_root=True,
                run_as_user=65532,
                capabilities=V1Capabilities(drop=["ALL"]),
                seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
            ),
        )
    )


def worker_template():
    return V1PodTemplateSpec(
        spec=V1PodSpec(
            service_account_name="worker",
            automount_service_account_token=False,
            security_context=V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=65532,
                seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
            ),
            containers=[
                V1Container(
                    name="worker",
                    image="registry.example.com/jobs/worker:7",
                    resources=V1ResourceRequirements(
                        requests={"cpu": "25m", "memory": "128Mi"},
                        limits={"cpu": "1", "memory": "2Gi"},
                    ),
                    security_context=V1SecurityContext(
                        allow_privilege_escalation=False,
                        read_only_root_filesystem=True,
                        capabilities=V1Capabilities(drop=["ALL"]),
                    ),
                    volume_mounts=[V1VolumeMount(name="harden-worker-tmp", mount_path="/tmp")],
                )
            ],
            volumes=[V1Volume(name="harden-worker-tmp", empty_dir=V1EmptyDirVolumeSource())],
        )
    )
