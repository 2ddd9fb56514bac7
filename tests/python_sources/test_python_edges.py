"""Inputs at the edge: what `apply` makes of each, byte for byte, and that twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import run, write

HEAD = "from kubernetes import client\n\n"
POD = (
    HEAD
    + """\
pod = client.V1Pod(
    api_version="v1",
    kind="Pod",
    metadata=client.V1ObjectMeta(name="web"),
    spec=client.V1PodSpec(
        containers=[
            client.V1Container(
                name="web",  # the only one
                image="example.com/web:1",
            ),
        ],
    ),
)
"""
)
IMAGE = '                image="example.com/web:1",\n'
CONTEXT = """\
                security_context=client.V1SecurityContext(
                    allow_privilege_escalation=False,
                ),
"""
HARDENED = POD.replace(IMAGE, IMAGE + CONTEXT)
ESCALATION = "no-privilege-escalation"

# Name: what is run, the text before, the text after.
EDGES: dict[str, tuple[str, str | bytes, str | bytes]] = {
    "as it is": (ESCALATION, POD, HARDENED),
    "CRLF": (ESCALATION, POD.replace("\n", "\r\n"), HARDENED.replace("\n", "\r\n")),
    "a byte order mark": (ESCALATION, b"\xef\xbb\xbf" + POD.encode(), b"\xef\xbb\xbf" + HARDENED.encode()),
    "a latin-1 cookie": (
        ESCALATION,
        ("# coding: latin-1\n# für alle\n" + POD).encode("latin-1"),
        ("# coding: latin-1\n# für alle\n" + HARDENED).encode("latin-1"),
    ),
    "letters of several bytes": (
        ESCALATION,
        "# Größe ≤ 5 🚀\n" + POD,
        "# Größe ≤ 5 🚀\n" + HARDENED,
    ),
    "tabs": (ESCALATION, POD.replace("    ", "\t"), HARDENED.replace("    ", "\t")),
    "no line end at the end": (ESCALATION, POD.rstrip("\n"), HARDENED.rstrip("\n")),
    "explicit None": (
        ESCALATION,
        POD.replace(IMAGE, IMAGE + "                security_context=None,  # later\n"),
        POD.replace(IMAGE, IMAGE + CONTEXT.replace("),\n", "),  # later\n")),
    ),
    "a spread of a literal first": (
        ESCALATION,
        """\
BASE = {"apiVersion": "v1", "kind": "Pod"}
POD = {**BASE, "spec": {"containers": [{**{"name": "a"}, "image": "b"}]}}
""",
        """\
BASE = {"apiVersion": "v1", "kind": "Pod"}
POD = {
    **BASE,
    "spec": {
        "containers": [
            {
                **{"name": "a"},
                "image": "b",
                "securityContext": {"allowPrivilegeEscalation": False},
            }
        ]
    },
}
""",
    ),
    "an import in a function": (
        ESCALATION,
        """\
def pod():
    from kubernetes.client import V1Container, V1Pod, V1PodSpec

    return V1Pod(api_version="v1", kind="Pod", spec=V1PodSpec(containers=[
        V1Container(name="a", image="b"),
    ]))
""",
        """\
def pod():
    from kubernetes.client import V1Container, V1Pod, V1PodSpec, V1SecurityContext

    return V1Pod(api_version="v1", kind="Pod", spec=V1PodSpec(containers=[
        V1Container(
            name="a",
            image="b",
            security_context=V1SecurityContext(allow_privilege_escalation=False),
        ),
    ]))
""",
    ),
    "a constant that two containers share": (
        ESCALATION,
        HEAD
        + """\
CONTEXT = client.V1SecurityContext(run_as_user=1000)
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[
    client.V1Container(name="a", image="b", security_context=CONTEXT),
    client.V1Container(name="c", image="d", security_context=CONTEXT),
]))
""",
        HEAD
        + """\
CONTEXT = client.V1SecurityContext(allow_privilege_escalation=False, run_as_user=1000)
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[
    client.V1Container(name="a", image="b", security_context=CONTEXT),
    client.V1Container(name="c", image="d", security_context=CONTEXT),
]))
""",
    ),
    "dict() of a map": (
        "memory-limit",
        HEAD
        + """\
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[client.V1Container(
    name="a", image="b",
    resources=client.V1ResourceRequirements(requests=dict(memory="64Mi"), limits=dict(cpu="1")),
)]))
""",
        HEAD
        + """\
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[client.V1Container(
    name="a", image="b",
    resources=client.V1ResourceRequirements(
        requests=dict(memory="64Mi"),
        limits=dict(cpu="1", memory="1Gi"),
    ),
)]))
""",
    ),
    "quantities of cdk8s in a raw dict": (
        "memory-limit",
        """\
from imports import k8s

k8s.KubePod(chart, "a", spec=k8s.PodSpec(containers=[{
    "name": "a", "image": "b",
    "resources": {
        "requests": {"memory": k8s.Quantity.from_string("64Mi")},
    },
}]))
""",
        """\
from imports import k8s

k8s.KubePod(chart, "a", spec=k8s.PodSpec(containers=[{
    "name": "a", "image": "b",
    "resources": {
        "requests": {"memory": k8s.Quantity.from_string("64Mi")},
        "limits": {"memory": k8s.Quantity.from_string("1Gi")},
    },
}]))
""",
    ),
    "two insertions at one place": (
        "no-privilege-escalation,resource-requests",
        POD,
        POD.replace(
            IMAGE,
            IMAGE
            + """\
                resources=client.V1ResourceRequirements(
                    requests={"cpu": "25m", "memory": "128Mi"},
                ),
"""
            + CONTEXT,
        ),
    ),
    "a star import": (
        ESCALATION,
        """\
from kubernetes.client import *

pod = V1Pod(api_version="v1", kind="Pod", spec=V1PodSpec(containers=[
    V1Container(name="a", image="b"),
]))
""",
        """\
from kubernetes.client import *

pod = V1Pod(api_version="v1", kind="Pod", spec=V1PodSpec(containers=[
    V1Container(
        name="a",
        image="b",
        security_context=V1SecurityContext(allow_privilege_escalation=False),
    ),
]))
""",
    ),
    "an alias": (
        ESCALATION,
        HEAD
        + """\
Box = client.V1Container
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[
    Box(name="a", image="b"),
]))
""",
        HEAD
        + """\
Box = client.V1Container
pod = client.V1Pod(api_version="v1", kind="Pod", spec=client.V1PodSpec(containers=[
    Box(
        name="a",
        image="b",
        security_context=client.V1SecurityContext(allow_privilege_escalation=False),
    ),
]))
""",
    ),
    "a call of dict() as root": (
        ESCALATION,
        """\
pod = dict(
    apiVersion="v1",
    kind="Pod",
    spec=dict(containers=[dict(name="a", image="b")]),
)
""",
        """\
pod = dict(
    apiVersion="v1",
    kind="Pod",
    spec=dict(
        containers=[
            dict(
                name="a",
                image="b",
                securityContext=dict(allowPrivilegeEscalation=False),
            )
        ]
    ),
)
""",
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_an_input_at_the_edge(tmp_path: Path, name: str) -> None:
    only, before, after = EDGES[name]
    write(tmp_path, {"objects.py": before})
    assert run("apply", ".", "--only", only, cwd=tmp_path).status == 0
    written = (tmp_path / "objects.py").read_bytes()
    assert written.decode("latin-1") == (after if isinstance(after, bytes) else after.encode()).decode("latin-1")
    assert run("diff", ".", "--only", only, cwd=tmp_path).status == 0


# What looks like an object of Kubernetes and is none.
LOOK_ALIKES = {
    "a task of ECS": """\
TASK = {
    "family": "web",
    "containerDefinitions": [{"name": "web", "image": "example.com/web:1", "essential": True, "privileged": True}],
}
""",
    "a service of Cloud Run": """\
from google.cloud import run_v2

service = run_v2.Service(
    template=run_v2.RevisionTemplate(containers=[run_v2.Container(name="web", image="example.com/web:1")]),
)
""",
    "containers of Azure": """\
from pulumi_azure_native import containerinstance

group = containerinstance.ContainerGroup("web", containers=[containerinstance.ContainerArgs(name="web", image="w:1")])
""",
    "values of a chart": """\
import pulumi_kubernetes as k8s

k8s.helm.v3.Release("web", chart="web", values={
    "image": {"repository": "example.com/web", "tag": "1"},
    "containers": [{"name": "web", "image": "example.com/web:1"}],
    "securityContext": {"privileged": True},
})
""",
    "the body of a patch": """\
from kubernetes import client

PATCH = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:2"}]}}}}
client.AppsV1Api().patch_namespaced_deployment("web", "shop", PATCH)
""",
    "a reference": """\
REFERENCE = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
OWNER = {"apiVersion": "batch/v1", "kind": "Job", "name": "web", "uid": "1", "controller": True}
scaler = {"scaleTargetRef": REFERENCE, "minReplicas": 1}
""",
    "a class of one's own": """\
class V1Container:
    def __init__(self, name, image):
        self.name, self.image = name, image


container = V1Container(name="web", image="example.com/web:1")  # apiVersion, kind
""",
    "a comparison": """\
from kubernetes import client


def is_ours(pod: client.V1Pod) -> bool:
    return isinstance(pod, client.V1Pod) and pod.api_version == "v1"
""",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_not_touched(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"objects.py": LOOK_ALIKES[name]})
    done = run("apply", ".", "--profile", "strict", cwd=tmp_path)
    assert done.status == 0, done.all
    assert (tmp_path / "objects.py").read_text() == LOOK_ALIKES[name]
    assert "0 changes" in done.out or "0 edits" in done.out or "nothing" in done.out.lower(), done.out
