"""Programs that make Kubernetes objects, in all dialects and layouts."""

from __future__ import annotations

KUBE = """\
from kubernetes import client, config

IMAGE = "nginx:1.25"
LABELS = {"app": "web"}


def deployment(name, replicas=3):
    container = client.V1Container(
        name="web",  # the only one
        image=IMAGE,
        ports=[client.V1ContainerPort(container_port=80)],
        env=[
            client.V1EnvVar(name="A", value="1"),
            # the second
            client.V1EnvVar(name="B", value="2"),
        ],
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=LABELS),
        spec=client.V1PodSpec(containers=[container], host_network=True),
    )
    return client.V1Deployment(
        api_version="apps/v1",
        kind="Deployment",
        metadata=client.V1ObjectMeta(name=name, labels=LABELS),
        spec=client.V1DeploymentSpec(
            replicas=replicas, template=template, selector={"matchLabels": LABELS}
        ),
    )
"""

TUTORIAL = """\
from kubernetes.client import V1Container, V1Pod, V1PodSpec, V1ObjectMeta

def create_pod(api):
    container = V1Container(name='busybox', image='busybox', command=['sleep', '3600'])
    spec = V1PodSpec(containers=[container], restart_policy='Never')
    pod = V1Pod(api_version='v1', kind='Pod', metadata=V1ObjectMeta(name='x'), spec=spec)
    api.create_namespaced_pod('default', pod)
"""

ALIGNED = """\
import kubernetes.client as k8s

pod = k8s.V1Pod(api_version="v1", kind="Pod",
                metadata=k8s.V1ObjectMeta(name="x",
                                          labels={"a": "b"}),
                spec=k8s.V1PodSpec(
                    containers=[k8s.V1Container(
                        name="c",
                        image="redis:7",
                        security_context=None,
                        volume_mounts=[k8s.V1VolumeMount(name="v", mount_path="/v"),
                                       k8s.V1VolumeMount(name="w", mount_path="/w")])],
                    volumes=[]))
containers.append(k8s.V1Container(name="d", image="redis:7"))
"""

DICTS = """\
def pod(name):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "x"}},
        "spec": {
            "hostNetwork": True,
            "containers": [
                {
                    "name": "main",
                    "image": f"ghcr.io/acme/web:{name}",
                    "securityContext": {"privileged": True, "runAsUser": 0},
                    "resources": {},
                },
                {"name": "side", "image": "busybox"},
            ],
            # what it mounts
            "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/"}}],
        },
    }


SERVICE = {'apiVersion': 'v1', 'kind': 'Service', 'metadata': dict(name='s', labels={'a': 'b'}),
           'spec': {'type': 'NodePort', 'ports': [{'port': 80, 'targetPort': 8080}], 'selector': {'a': 'b'}}}
"""

TABS = """\
JOB = {
\t"apiVersion": "batch/v1",
\t"kind": "Job",
\t"metadata": {"name": "j"},
\t"spec": {
\t\t"backoffLimit": 1,
\t\t"template": {"spec": {"containers": [{"name": "a", "image": "b"}], "restartPolicy": "Never"}}
\t}
}
"""

PULUMI = """\
import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.apps.v1 import StatefulSet, StatefulSetSpecArgs

labels = {"app": "nginx"}
deployment = k8s.apps.v1.Deployment(
    "nginx",
    metadata=k8s.meta.v1.ObjectMetaArgs(name="nginx"),
    spec=k8s.apps.v1.DeploymentSpecArgs(
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels),
        template=k8s.core.v1.PodTemplateSpecArgs(
            metadata=k8s.meta.v1.ObjectMetaArgs(labels=labels),
            spec=k8s.core.v1.PodSpecArgs(
                containers=[k8s.core.v1.ContainerArgs(name="nginx", image="nginx")]
            ),
        ),
    ),
    opts=pulumi.ResourceOptions(protect=True),
)
database = StatefulSet(
    "db",
    spec=StatefulSetSpecArgs(
        service_name="db",
        selector={"match_labels": labels},
        template={
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "db", "image": "postgres:15"}], "host_pid": True},
        },
    ),
)
"""

CDK8S = """\
from constructs import Construct
from cdk8s import App, Chart
from imports import k8s


class MyChart(Chart):
  def __init__(self, scope: Construct, id: str):
    super().__init__(scope, id)
    k8s.KubeService(self, 'service',
      spec=k8s.ServiceSpec(
        type='LoadBalancer',
        ports=[k8s.ServicePort(port=80, target_port=k8s.IntOrString.from_number(8080))],
      ))
    k8s.KubeDeployment(self, 'deployment',
      spec=k8s.DeploymentSpec(
        replicas=2,
        selector=k8s.LabelSelector(match_labels={'app': 'x'}),
        template=k8s.PodTemplateSpec(
          metadata=k8s.ObjectMeta(labels={'app': 'x'}),
          spec=k8s.PodSpec(containers=[
            k8s.Container(
              name='hello',
              image='paulbouwer/hello-kubernetes:1.7',
              resources=k8s.ResourceRequirements(requests={'cpu': k8s.Quantity.from_string('1')}),
            ), {'name': 'raw', 'image': 'busybox'}
          ])
        )
      ))
"""

LIGHTKUBE = """\
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import (
    Container,
    PodSpec,
    PodTemplateSpec,
)
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment

deployment = Deployment(
    metadata=ObjectMeta(name="x"),
    spec=DeploymentSpec(
        selector=LabelSelector(matchLabels={"a": "b"}),
        template=PodTemplateSpec(
            spec=PodSpec(containers=[Container(name="x", image="y", args=("a",))])
        ),
    ),
)
"""

HIKARU = """\
from hikaru.model.rel_1_28 import *

pod = Pod(
        metadata=ObjectMeta(name='x'),
        spec=PodSpec(
                containers=[Container(name='c', image='i')],
                hostNetwork=True))
"""

FRAGMENTS = """\
from kubernetes import client as k


def containers(names, extra):
    found = [k.V1Container(name=n, image="busybox") for n in names]
    found.append(k.V1Container(name="last", image="busybox", **extra))
    found.insert(0, k.V1Container(name="first", image="busybox"))
    return found


def spec():
    return k.V1PodSpec(
        containers=[
            k.V1Container(name="a", image="b"), k.V1Container(name="c", image="d")
        ],
        volumes=[
            # none yet
        ],
    )
"""

PROGRAMS = {
    name.lower(): text
    for name, text in {
        "KUBE": KUBE, "TUTORIAL": TUTORIAL, "ALIGNED": ALIGNED, "DICTS": DICTS, "TABS": TABS, "PULUMI": PULUMI,
        "CDK8S": CDK8S, "LIGHTKUBE": LIGHTKUBE, "HIKARU": HIKARU, "FRAGMENTS": FRAGMENTS,
    }.items()
}  # fmt: skip
