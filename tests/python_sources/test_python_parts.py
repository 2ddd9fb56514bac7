"""Clients that something holds, and dicts that are parts of pods by their structure: what is seen, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.sources.python import gate
from hardener.sources.python.parsed import parse

BOX = '{"name": "a", "image": "b:1", "args": ["x"]}'


def seen(text: str) -> list[tuple[str, str]]:
    """The documents of a program: the kind of each, and the names of its containers."""
    text = text.replace("BOX", BOX)
    if not gate.passes(text.encode()):
        return []
    return [(document["kind"], _containers(document)) for document in parse(text).documents]


def _containers(value: Any) -> str:
    if isinstance(value, dict):
        own = value.get("containers")
        if isinstance(own, list):
            return ",".join(each["name"] if isinstance(each, dict) else each for each in own)
        return next((found for each in value.values() if (found := _containers(each))), "")
    return ""


HELD = {
    "an attribute": "class A:\n    def f(self):\n        return self.c.V1Pod(spec=self.c.V1PodSpec(containers=[]))",
    "a parameter": "def f(k8s): return k8s.V1Pod(spec=k8s.V1PodSpec(containers=[]))",
    "a variable": "def f(a):\n    k8s = a.get()\n    return k8s.V1Pod(spec=k8s.V1PodSpec(containers=[]))",
    "a call": "def f(a): return a.get().V1Pod(spec=a.get().V1PodSpec(containers=[]))",
    "a module that is imported by name": (
        "import importlib\nm = importlib.import_module('kubernetes').client\nm.V1Pod(spec=m.V1PodSpec(containers=[]))"
    ),
    "a module that is assigned": (
        "import kubernetes\nclass A:\n    def __init__(self):\n        self.client = kubernetes.client\n"
        "    def f(self):\n        return self.client.V1Pod(spec=self.client.V1PodSpec(containers=[]))"
    ),
    "a class that is assigned": (
        "def f(k8s):\n    Pod = k8s.V1Pod\n    return Pod(metadata=None, spec=k8s.V1PodSpec(containers=[]))"
    ),
    "a star": "from kubernetes.client import *\nV1Pod(spec=V1PodSpec(containers=[]))",
    "a star of the models": "from kubernetes.client.models import *\nV1Pod(spec=V1PodSpec(containers=[]))",
    "a spread beside its arguments": "def f(k8s, more): return k8s.V1Pod(spec=k8s.V1PodSpec(containers=[]), **more)",
}


@pytest.mark.parametrize("text", HELD.values(), ids=HELD)
def test_a_client_that_something_holds_is_one(text: str) -> None:
    assert [kind for kind, _ in seen(text)] == ["Pod"]


def test_a_container_that_stands_in_for_another_is_left_to_what_fills_it_in() -> None:
    text = (
        "from kubernetes import client\ndef f(x, i):\n    x.box = x.box or client.V1Container()\n    x.box.image = i\n"
    )
    assert parse(text).documents == []
    assert seen(text.replace("V1Container()", "V1Container(name='a', tty=True)")) == [("Container", "a")]


OTHER_CLIENTS = {
    "an argument that the class does not have": "def f(a): return a.V1Pod(spec=1, size=2)",
    "no argument": "def f(a): return a.V1Pod()",
    "a positional argument": "def f(a): return a.V1Pod(1, spec=2)",
    "a type that Kubernetes does not have": "def f(a): return a.V1Droplet(name='a', image='b')",
    "a version that the type does not have": "def f(a): return a.V2Container(name='a', image='b')",
    "another library": "from argo.workflows import client\nclient.V1Container(name='a', image='b')",
    "another library under a name": "import droplets as a\na.client.V1Pod(spec=1)",
    "a name that nobody defines": "a.V1Pod(spec=1)",
    "a class of its own": "class V1Pod: pass\nV1Pod(spec=1)",
}


@pytest.mark.parametrize("text", OTHER_CLIENTS.values(), ids=OTHER_CLIENTS)
def test_what_only_looks_like_a_client_is_none(text: str) -> None:
    assert seen(text) == []


PARTS = {
    "a pod template": ('{"spec": {"containers": [BOX]}}', [("PodTemplateSpec", "a")]),
    "a template with labels": (
        '{"metadata": {"labels": {}}, "spec": {"containers": [BOX]}}',
        [("PodTemplateSpec", "a")],
    ),
    "a spec with more beside it": ('{"replicas": 2, "spec": {"containers": [BOX]}}', [("PodSpec", "a")]),
    "calls of dict": (
        "dict(spec=dict(containers=[dict(name='a', image='b', args=[])]))",
        [("PodTemplateSpec", "a")],
    ),
    "containers in a variable": ('box = BOX\nx = {"spec": {"containers": [box]}}', [("PodTemplateSpec", "a")]),
    "a comprehension": (
        '{"spec": {"containers": [{"name": n, "image": i, "env": []} for n, i in x]}}',
        [("PodTemplateSpec", "${n}")],
    ),
    "the kind of a workload of others": (
        '{"Worker": {"replicas": 1, "template": {"spec": {"containers": [BOX]}}}}',
        [("PodTemplateSpec", "a")],
    ),
    "what is added to a pod": ('def f(pod): pod["spec"]["containers"].append(BOX)', [("Container", "a")]),
    "what is added to a spec": ('def f(spec): spec["containers"].append(BOX)', [("Container", "a")]),
    "what is added to the pod of a client": (
        'def f(pod): pod["spec"].x; pod.spec.containers.append(BOX)',
        [("Container", "a")],
    ),
    "what a function returns for a container": (
        'def box(i): return {"name": "b", "image": i}\nx = {"spec": {"containers": [BOX, box("c")]}}',
        [("Container", "b"), ("PodTemplateSpec", 'a,${box("c")}')],
    ),
    "what a function returns for a list of containers": (
        'def boxes(): return [BOX]\nx = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": boxes()}}',
        [("Container", "a"), ("Pod", "")],
    ),
    "what a list of containers gets": (
        'def f(i):\n    boxes = []\n    boxes.append({"name": "c", "image": i})\n    boxes += [BOX]\n'
        '    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": boxes}}',
        [("Container", "a"), ("Pod", "c")],
    ),
    "both arms of an if": (
        'if x:\n    b = BOX\nelse:\n    b = {"name": "c", "image": "d"}\n'
        'y = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [b]}}',
        [("Container", "a"), ("Container", "c"), ("Pod", "${b}")],
    ),
    "both arms of a conditional": (
        'y = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [BOX if x else {"name": "c", "image": "d"}]}}',
        [("Pod", "${... if x else ...}"), ("Container", "a"), ("Container", "c")],
    ),
    "an item of a dict": (
        'B = {"w": BOX, "v": {"name": "c", "image": "d"}}\n'
        'y = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [B["w"]]}}',
        [("Container", "a"), ("Pod", '${B["w"]}')],
    ),
    "what sets the containers of a pod": ('def f(pod): pod["spec"]["containers"] = [BOX]', [("Container", "a")]),
    "what extends those of a pod": ('def f(pod): pod["spec"]["initContainers"] += [BOX]', [("Container", "a")]),
    "what goes to init containers that are a default": (
        'def box(i): return BOX\ndef f(pod, i): pod["spec"].setdefault("initContainers", []).append(box(i))',
        [("Container", "a")],
    ),
    "init containers where a pod is near": ('def f(pod): return {"initContainers": [BOX]}', [("Container", "a")]),
    "a container by a field that only Kubernetes has": (
        'containers = 1\nx = {"name": "a", "image": "b", "securityContext": {"privileged": True}}',
        [("Container", "a")],
    ),
    "what a method returns for a spec": (
        "from kubernetes import client\nclass A:\n    def spec(self):\n        return {'containers': [BOX]}\n"
        "    def pod(self):\n        return client.V1Pod(spec=self.spec())",
        [("PodSpec", "a"), ("Pod", "")],
    ),
}


@pytest.mark.parametrize("text, wanted", PARTS.values(), ids=PARTS)
def test_a_dict_is_a_part_by_its_structure(text: str, wanted: list[tuple[str, str]]) -> None:
    assert seen(text) == wanted


LOOK_ALIKES = {
    "a task definition of ECS": (
        '{"containerDefinitions": [{"name": "a", "image": "b", "essential": True, "cpu": 1}], "family": "spec"}'
    ),
    "the same under a spec": '{"spec": {"containers": [{"name": "a", "image": "b", "essential": True}]}}',
    "a composition of Docker": '{"services": {"a": {"image": "b", "command": ["x"]}}, "spec": {"containers": []}}',
    "a group of containers of Azure": (
        '{"spec": {"containers": [{"name": "a", "properties": {"image": "b", "resources": {}}}]}}'
    ),
    "an app of Azure": (
        '{"spec": {"containers": [{"name": "a", "image": "b", "resources": {"cpu": 0.5, "memory": "1Gi"}}]}}'
    ),
    "a service of Cloud Run": '{"template": {"containers": [BOX]}, "spec": 1}',
    "a job of Batch": '{"podProperties": {"containers": [BOX]}, "spec": 1}',
    "a machine of Google": 'K = "gce-container-declaration"\nx = {"spec": {"containers": [BOX]}}',
    "values of a chart": '{"spec": {"containers": {"name": "a", "image": {"repository": "b", "tag": "c"}}}}',
    "a patch of an image": '{"spec": {"containers": [{"name": "a", "image": "b"}]}}',
    "a patch of a workload": '{"spec": {"template": {"spec": {"containers": [BOX]}}}}',
    "a pod that was seen": '{"spec": {"containers": [BOX]}, "status": {"phase": "Running"}}',
    "a pod of the API": '{"metadata": {"uid": "1"}, "spec": {"containers": [BOX]}}',
    "keys in another style": '{"spec": {"containers": [{"name": "a", "image": "b", "image_pull_policy": "c"}]}}',
    "one of nobody": 'def f(i):\n    """For kubernetes."""\n    return {"name": "a", "image": i, "env": []}',
    "what a function returns to others": 'def box(i): return {"name": "a", "image": i}\nprint(box(1))',
    "what is added to other containers": 'def f(task): task["template"]["containers"].append(BOX); task["spec"]',
    "an image of something else": '{"spec": {"containers": [{"name": "a", "image": "b", "type": "x"}]}}',
}


@pytest.mark.parametrize("text", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_what_looks_like_a_part_is_none(text: str) -> None:
    assert parse(text.replace("BOX", BOX)).documents == []
