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
    )

    # Create and configure a spec section
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": "nginx"}),
        spec=client.V1PodSpec(containers=[container]),
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
