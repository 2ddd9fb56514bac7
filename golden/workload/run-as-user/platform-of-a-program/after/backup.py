from kubernetes.client import (
    V1Container,
    V1Job,
    V1JobSpec,
    V1ObjectMeta,
    V1PodSecurityContext,
    V1PodSpec,
    V1PodTemplateSpec,
)


def constraint(api, cloud):
    if cloud == "openshift":
        api.create_cluster_custom_object(
            group="security.openshift.io",
            version="v1",
            plural="securitycontextconstraints",
            body={
                "apiVersion": "security.openshift.io/v1",
                "kind": "SecurityContextConstraints",
                "metadata": {"name": "backup"},
                "users": [],
            },
        )


def backup():
    return V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=V1ObjectMeta(name="backup", namespace="stores"),
        spec=V1JobSpec(
            template=V1PodTemplateSpec(
                spec=V1PodSpec(
                    security_context=V1PodSecurityContext(run_as_non_root=True, run_as_user=65532),
                    containers=[V1Container(name="backup", image="registry.example.com/backup:1")],
                    restart_policy="Never",
                )
            )
        ),
    )
