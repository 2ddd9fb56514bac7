"""What is read from programs in each library's own way of writing."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.sources.python.parsed import parse

PULUMI = "import pulumi_kubernetes as k8s\n"
CDK8S = "from imports import k8s\n"
LIGHTKUBE = "from lightkube.models.core_v1 import *\nfrom lightkube.resources.core_v1 import Pod\n"
HIKARU = "from hikaru.model.rel_1_28.v1 import *\n"
KUBE = "from kubernetes import client\n"

# A program, and its only document.
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "pulumi: classes": (
        PULUMI + 'k8s.core.v1.Pod("p", opts=o, metadata=k8s.meta.v1.ObjectMetaArgs(name="p"), '
        "spec=k8s.core.v1.PodSpecArgs(host_pid=True, "
        'containers=[k8s.core.v1.ContainerArgs(image_pull_policy="Always")]))',
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"hostPID": True, "containers": [{"imagePullPolicy": "Always"}]},
        },
    ),
    "pulumi: dicts in both styles": (
        PULUMI + 'k8s.core.v1.Service("s", None, metadata={"name": "s", "annotations": {"a_b": "c"}}, '
        'spec={"cluster_ips": ["None"], "ports": [{"target_port": 1, "nodePort": 2}], "selector": {"a_b": "c"}})',
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "s", "annotations": {"a_b": "c"}},
            "spec": {"clusterIPs": ["None"], "ports": [{"targetPort": 1, "nodePort": 2}], "selector": {"a_b": "c"}},
        },
    ),
    "pulumi: words of Python": (
        PULUMI + "k8s.networking.v1.NetworkPolicy('n', spec=k8s.networking.v1.NetworkPolicySpecArgs(ingress=["
        "k8s.networking.v1.NetworkPolicyIngressRuleArgs(from_=[{'ip_block': {'cidr': 'c', 'except_': []}}])]))",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "c", "except": []}}]}]},
        },
    ),
    "pulumi: names imported": (
        "from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs\n"
        "Deployment('d', spec=DeploymentSpecArgs(replicas=1))",
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}},
    ),
    "pulumi: arguments as an object": (
        PULUMI + "k8s.core.v1.Pod('p', k8s.core.v1.PodInitArgs(spec=k8s.core.v1.PodSpecArgs(host_ipc=True)))",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"hostIPC": True}},
    ),
    "pulumi: a spread in a class": (
        PULUMI + "D = dict(host_pid=True)\nk8s.core.v1.Pod('p', spec=k8s.core.v1.PodSpecArgs(**D))",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"hostPID": True}},
    ),
    "pulumi: a spread in a dict": (
        PULUMI + "D = dict(hostIPC=True)\nk8s.core.v1.Pod('p', spec={'host_pid': True, **D})",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"hostPID": True, "hostIPC": True}},
    ),
    "cdk8s: classes": (
        CDK8S + "k8s.KubePod(self, 'p', metadata=k8s.ObjectMeta(name='p'), spec=k8s.PodSpec(host_pid=True, containers=["
        "k8s.Container(name='c', resources=k8s.ResourceRequirements(limits={'cpu': k8s.Quantity.from_string('1')}))]))",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"hostPID": True, "containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}]},
        },
    ),
    "cdk8s: folded names, wrapped ports": (
        "import cdk8s_plus_32.k8s as k8s\n"
        "k8s.KubePod(self, 'p', spec=k8s.PodSpec(security_context=k8s.PodSecurityContext("
        "se_linux_options=k8s.SeLinuxOptions(level='a'))))\n",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"securityContext": {"seLinuxOptions": {"level": "a"}}}},
    ),
    "cdk8s: a version in the name": (
        CDK8S + "k8s.KubeHorizontalPodAutoscalerV2(self, 'h', spec=k8s.HorizontalPodAutoscalerSpecV2(max_replicas=2))",
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": {"maxReplicas": 2}},
    ),
    "cdk8s: a dict as an argument": (
        CDK8S + "k8s.KubePod(self, 'p', spec={'host_pid': True, 'containers': [{'imagePullPolicy': 'Always'}]})",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"hostPID": True, "containers": [{"imagePullPolicy": "Always"}]}},
    ),
    "cdk8s: ports": (
        CDK8S + "k8s.KubeService(self, 's', spec=k8s.ServiceSpec(ports=[k8s.ServicePort(port=80, "
        "target_port=k8s.IntOrString.from_number(8080))]))",
        {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80, "targetPort": 8080}]}},
    ),
    "lightkube": (
        LIGHTKUBE + "Pod(spec=PodSpec(hostPID=True, containers=[Container('c', image='i')]))",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": {"hostPID": True, "containers": [{"image": "i"}]},
        },
    ),
    "lightkube: one module a group": (
        "from lightkube.models.apps_v1 import DeploymentSpec\nfrom lightkube.resources.apps_v1 import Deployment\n"
        "Deployment(spec=DeploymentSpec(minReadySeconds=1))",
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"minReadySeconds": 1}},
    ),
    "hikaru": (
        HIKARU
        + "Pod(apiVersion='v1', spec=PodSpec(hostPID=True, containers=[Container(name='c', imagePullPolicy='Never')]))",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": {"hostPID": True, "containers": [{"name": "c", "imagePullPolicy": "Never"}]},
        },
    ),
    "hikaru: of an older version": (
        "from hikaru import Pod, PodSpec\nPod(spec=PodSpec(hostPID=True))",
        {"apiVersion": "v1", "kind": "Pod", "spec": {"hostPID": True}},
    ),
    "kubernetes: a mix": (
        KUBE + "client.V1NetworkPolicy(spec=client.V1NetworkPolicySpec(pod_selector={}, ingress=["
        "client.V1NetworkPolicyIngressRule(_from=[{'ipBlock': {'except': []}}])]))",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"except": []}}]}]},
        },
    ),
}


@pytest.mark.parametrize(("text", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_program_means(text: str, expected: dict[str, Any]) -> None:
    (found,) = parse(text).documents
    assert found == expected


# Programs with keys that the library does not understand: the lines, and the fields that are meant.
MISUNDERSTOOD = {
    "kubernetes": (
        KUBE + "client.V1Container(volume_mounts=[\n{'mount_path': '/a', 'name': 'b'}])",
        [(3, "mountPath")],
    ),
    "kubernetes, below a dict": (
        KUBE + "client.V1Pod(spec={\n'containers': [\n{'image_pull_policy': 'Always'}]})",
        [(4, "imagePullPolicy")],
    ),
    "cdk8s, in a list": (
        CDK8S + "k8s.PodSpec(containers=[{'security_context': {'run_as_user': 1}}])",
        [(2, "securityContext")],
    ),
    "maps have any keys": (KUBE + "client.V1ObjectMeta(labels={'host_pid': 'a'})\nclient.V1Pod()", []),
    "pulumi": (PULUMI + "k8s.core.v1.PodSpecArgs(containers=[{'security_context': {'run_as_user': 1}}])", []),
    "cdk8s": (CDK8S + "k8s.PodSpec(security_context={'run_as_user': 1})", []),
    "kubernetes, a spread": (KUBE + "B = {'env_from': [], 'resources': {'claims': []}}\nclient.V1Container(**B)", []),
    "kubernetes, as it should be": (KUBE + "client.V1Container(volume_mounts=[{'mountPath': '/a'}])", []),
}


@pytest.mark.parametrize(("text", "expected"), MISUNDERSTOOD.values(), ids=MISUNDERSTOOD)
def test_keys_that_the_library_does_not_understand(text: str, expected: list[tuple[int, str]]) -> None:
    found = parse(text).lints
    assert [(line, message.split()[-1]) for line, message in found] == expected


NO_OBJECTS = {
    "a patch of pulumi": PULUMI
    + "k8s.apps.v1.DeploymentPatch('d', spec=k8s.apps.v1.DeploymentSpecPatchArgs(replicas=1))",
    "a chart of pulumi": PULUMI
    + "k8s.helm.v3.Chart('c', k8s.helm.v3.ChartOpts(chart='x', values={'image': {'tag': '1'}}))",
    "cdk8s-plus": "import cdk8s_plus_32 as kplus\n"
    "kplus.Deployment(self, 'd', containers=[kplus.ContainerProps(image='i')])",
    "constructs of cdk8s": "from cdk8s import App, Chart\nChart(App(), 'c')",
    "a client of lightkube": "from lightkube import Client\nClient().create(x)",
}


@pytest.mark.parametrize("text", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_what_makes_no_object(text: str) -> None:
    assert parse(text).documents == []
