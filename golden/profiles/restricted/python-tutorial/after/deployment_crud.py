"""Creates, updates and deletes a deployment, as the examples of the client library do."""

import datetime

from kubernetes import client, config

DEPLOYMENT_NAME = "nginx-deployment"


def create_deployment_object():
    # Configure the container of the pod template
    container = client.V1Container(
        name="nginx",
        image="nginx:1.27.3",
        ports=[client.V1ContainerPort(container_port=80)],
        resources=client.V1ResourceRequirements(
            requests={"cpu": "100m", "memory": "200Mi"},
            limits={"cpu": "500m", "memory": "500Mi"},
        ),
        security_context=client.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=client.V1Capabilities(drop=["ALL"]),
        ),
        volume_mounts=[
            client.V1VolumeMount(name="harden-nginx-tmp", mount_path="/tmp"),
            client.V1VolumeMount(name="harden-nginx-var-cache-nginx", mount_path="/var/cache/nginx"),
            client.V1VolumeMount(name="harden-nginx-run", mount_path="/run"),
        ],
    )

    # Create and configure a spec section
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": "nginx"}),
        spec=client.V1PodSpec(
            automount_service_account_token=False,
            security_context=client.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=101,
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
                sysctls=[client.V1Sysctl(name="net.ipv4.ip_unprivileged_port_start", value="80")],
            ),
            containers=[container],
            volumes=[
                client.V1Volume(name="harden-nginx-tmp", empty_dir=client.V1EmptyDirVolumeSource()),
                client.V1Volume(
                    name="harden-nginx-var-cache-nginx",
                    empty_dir=client.V1EmptyDirVolumeSource(),
                ),
                client.V1Volume(name="harden-nginx-run", empty_dir=client.V1EmptyDirVolumeSource()),
            ],
        ),
    )

    # Create the specification of the deployment
    spec = client.V1DeploymentSpec(
        replicas=3, template=template, selector={
            "matchLabels":
            {"app": "nginx"}})

    # Instantiate the deployment object
    deployment = client.V1Deployment(
        api_version="apps/v1",
        kind="Deployment",
        metadata=client.V1ObjectMeta(name=DEPLOYMENT_NAME),
        spec=spec,
    )
    return deployment


def restart_deployment(api, deployment):
    deployment.spec.template.metadata.annotations = {
        "kubectl.kubernetes.io/restartedAt": datetime.datetime.now(tz=datetime.timezone.utc).isoformat()
    }
    api.patch_namespaced_deployment(name=DEPLOYMENT_NAME, namespace="default", body=deployment)


def main():
    config.load_kube_config()
    api = client.AppsV1Api()
    api.create_namespaced_deployment(body=create_deployment_object(), namespace="default")


if __name__ == "__main__":
    main()
