from kubernetes import client


def admin_pod(user):
    # A shell on the node, for those who look after it.
    return client.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=client.V1ObjectMeta(name=f"admin-{user}", namespace="admin", labels={"app": "admin"}),
        spec=client.V1PodSpec(
            host_pid=True,  # harden: ignore[no-host-pid] it looks at the processes of the node
            automount_service_account_token=False,
            security_context=client.V1PodSecurityContext(
                run_as_user=65532,
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
            ),
            containers=[
                # harden: ignore[no-privileged,no-privilege-escalation,drop-capabilities,run-as-non-root] it works as root on the node
                client.V1Container(
                    name="shell",
                    image="registry.example.com/admin/shell:3",
                    resources=client.V1ResourceRequirements(
                        requests={"cpu": "25m", "memory": "128Mi"},
                        limits={"cpu": "1", "memory": "2Gi"},
                    ),
                    security_context=client.V1SecurityContext(privileged=True),
                    # harden: ignore[no-host-port] was needed once
                    stdin=True,
                )
            ],
        ),
    )
