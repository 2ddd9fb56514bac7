"""Objects that are not complete where they are made: what is read, and where it is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

KUBE = "from kubernetes import client\n"
DICT = 'pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "c"}]}}\n'
BASE = 'b = {"apiVersion": "v1"}\nb | '
CALL = 'pod = client.V1Pod(spec=client.V1PodSpec(containers=[client.V1Container(name="c")]))\n'


def spec(text: str) -> Any:
    """The spec of the one document of a program."""
    (document,) = parse(KUBE + text).documents
    return document["spec"]


def of_class(body: str, image: str, before: str = "class A") -> str:
    return f"{before}:\n{body}\n    def f(self):\n        return client.V1Container(image={image})"


C = {"name": "c"}
# A program, and the spec of what it makes.
READ: dict[str, tuple[str, dict[str, Any]]] = {
    "an attribute": (
        CALL + "pod.spec.host_network = True", {"containers": [C], "hostNetwork": True},
    ),
    "a key": (DICT + 'pod["spec"]["hostNetwork"] = True', {"containers": [C], "hostNetwork": True}),
    "of an item": (
        DICT + 'pod["spec"]["containers"][0]["image"] = "a"', {"containers": [{**C, "image": "a"}]},
    ),
    "of the last item": (
        CALL + 'pod.spec.containers[-1].image = "a"', {"containers": [{**C, "image": "a"}]},
    ),
    "of an item of a list that grows": (
        DICT + 'pod["spec"]["containers"].insert(0, x)\npod["spec"]["containers"][0]["image"] = "a"',
        {"containers": [{**C, "image": '${pod["spec"]["containers"][0]["image"]}'}]},
    ),
    "of each item": (
        DICT + 'for c in pod["spec"]["containers"]:\n    c["image"] = "a"',
        {"containers": [{**C, "image": '${c["image"]}'}]},
    ),
    "an explicit None": (
        "c = client.V1Container(image=None)\nc.image = 'a'", {"containers": [{"image": "a"}]},
    ),
    "a name for a part": (
        CALL + "spec = pod.spec\nspec.host_network = True", {"containers": [C], "hostNetwork": True},
    ),
    "a name for a part of a part": (
        CALL + 'spec = pod.spec\nc = spec.containers[0]\nc.image = "a"', {"containers": [{**C, "image": "a"}]},
    ),
    "a name for a part in a branch": (
        CALL + "spec = pod.spec\nif x:\n    spec.host_network = True",
        {"containers": [C], "hostNetwork": "${spec.host_network}"},
    ),
    "a part that is named in two ways": (
        CALL + "spec = pod.spec\nspec.host_network = True\npod.spec.host_network = x",
        {"containers": [C], "hostNetwork": "${pod.spec.host_network}"},
    ),
    "update with a dict": (
        DICT + 'pod["spec"].update({"hostNetwork": True, "hostPID": x})',
        {"containers": [C], "hostNetwork": True, "hostPID": "${x}"},
    ),
    "update with keywords": (DICT + 'pod["spec"].update(hostPID=True)', {"containers": [C], "hostPID": True}),
    "update with nothing": (DICT + 'pod["spec"].update({})', {"containers": [C]}),
    "update of what is there": (
        "c = client.V1Container(resources={'limits': {'cpu': '1'}})\nc.resources['limits'].update({'cpu': '2'})",
        {"containers": [{"resources": {"limits": {"cpu": "${'2'}"}}}]},
    ),
    "update in a branch": (
        DICT + 'if x:\n    pod["spec"].update({"hostPID": True})', {"containers": [C], "hostPID": "${True}"},
    ),
    "update with what is not known": (
        "l = {'cpu': '1'}\nl.update(x)\nclient.V1Container(resources={'limits': l})",
        {"containers": [{"resources": {"limits": {"cpu": "${'1'}"}}}]},
    ),
    "update with some that is not known": (
        "l = {'cpu': '1'}\nl.update({'memory': '1', **x})\nclient.V1Container(resources={'limits': l})",
        {"containers": [{"resources": {"limits": {"cpu": "${'1'}"}}}]},
    ),
    "a merge": (
        'base = {"apiVersion": "v1", "kind": "Pod", "metadata": {}}\npod = base | {"spec": {"containers": [{}]}}',
        {"containers": [{}]},
    ),
    "a merge of a part": (
        "c = {'name': 'c', 'image': 'a'}\nclient.V1PodSpec(containers=[c | {'image': 'b'}])",
        {"containers": [{"name": "c", "image": "b"}]},
    ),
    "a merge with what is not known": (
        "c = {'name': 'c', 'image': 'a'}\nclient.V1PodSpec(containers=[c | x])",
        {"containers": [{"name": "${'c'}", "image": "${'a'}"}]},
    ),
    "a merge over what is not known": (
        "client.V1PodSpec(containers=[x | {'name': 'c'}])", {"containers": [{"name": "c"}]},
    ),
    "an attribute of self": (
        "class A:\n    def __init__(self):\n        self.c = client.V1Container(name='c')\n"
        "        self.c.resources = client.V1ResourceRequirements(limits={'cpu': '1'})\n"
        "    def pod(self):\n        return client.V1PodSpec(containers=[self.c])",
        {"containers": [{**C, "resources": {"limits": {"cpu": "1"}}}]},
    ),
    "an attribute of self that another method sets": (
        "class A:\n    def __init__(self):\n        self.c = client.V1Container(name='c')\n"
        "    def g(self):\n        self.c.image = 'a'",
        {"containers": [{**C, "image": "${self.c.image}"}]},
    ),
    "an attribute of self that is set twice": (
        "class A:\n    def __init__(self):\n        self.i = 'a'\n    def g(self):\n        self.i = 'b'\n"
        "        return client.V1Container(image=self.i)",
        {"containers": [{"image": "${self.i}"}]},
    ),
    "a constant of self": (of_class("    I = 'a'", "self.I"), {"containers": [{"image": "a"}]}),
    "a constant of a class": (of_class("    I = 'a'", "A.I"), {"containers": [{"image": "a"}]}),
    "a constant in lower case": (of_class("    i = 'a'", "self.i"), {"containers": [{"image": "a"}]}),
    "a constant of a class above": (
        "class B:\n    I = 'a'\n" + of_class("    J = 'b'", "self.I", "class A(B)"), {"containers": [{"image": "a"}]},
    ),
    "a constant that a class below has anew": (
        of_class("    I = 'a'", "self.I") + "\nclass B(A):\n    I = 'b'", {"containers": [{"image": "${self.I}"}]},
    ),
    "a constant of one class, by its name": (
        of_class("    I = 'a'", "A.I") + "\nclass B(A):\n    I = 'b'", {"containers": [{"image": "a"}]},
    ),
    "a constant that is set later": (
        of_class("    I = 'a'", "A.I") + "\nA.I = 'b'", {"containers": [{"image": "${A.I}"}]},
    ),
    "a constant that an object sets": (
        of_class("    I = 'a'\n    def g(self, x):\n        self.I = x", "self.I"),
        {"containers": [{"image": "${self.I}"}]},
    ),
    "an enumeration": (of_class("    I = 'a'", "A.I", "class A(str, Enum)"), {"containers": [{"image": "${A.I}"}]}),
    "a data class": (
        of_class("    i: str = 'a'", "self.i", "@dataclass\nclass A"), {"containers": [{"image": "${self.i}"}]},
    ),
    "settings": (
        of_class("    I: str = 'a'", "self.I", "class A(BaseSettings)"), {"containers": [{"image": "${self.I}"}]},
    ),
    "a constant of an operator": (
        of_class("    I = 'a'", "self.I", "class A(ops.CharmBase)"), {"containers": [{"image": "a"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_what_is_read(text: str, expected: dict[str, Any]) -> None:
    assert spec(text) == expected


Mutate = Callable[[Any], None]


def _drop(spec: Any) -> None:
    del spec["hostNetwork"]


def _set(spec: Any) -> None:
    spec["hostNetwork"] = False


def _image(spec: Any) -> None:
    spec["containers"][0]["image"] = "b"


# A program, a change of its spec, and the program then.
WRITTEN: dict[str, tuple[str, Mutate, str]] = {
    "a statement goes": (CALL + "x = 1\npod.spec.host_network = True  # why\ny = 1\n", _drop, CALL + "x = 1\ny = 1\n"),
    "a statement on several lines goes": (
        CALL + "pod.spec.host_network = (\n    True\n)\ny = 1\n", _drop, CALL + "y = 1\n",
    ),
    "the comment above stays": (CALL + "# why\npod.spec.host_network = True\n", _drop, CALL + "# why\n"),
    "a value": (CALL + "pod.spec.host_network = True\n", _set, CALL + "pod.spec.host_network = False\n"),
    "a value by another name": (
        CALL + "s = pod.spec\ns.host_network = True\n", _set, CALL + "s = pod.spec\ns.host_network = False\n",
    ),
    "a key of an update goes": (
        DICT + 'pod["spec"].update({"hostNetwork": True, "x": 1})\n', _drop, DICT + 'pod["spec"].update({"x": 1})\n',
    ),
    "an update goes": (DICT + 'pod["spec"].update({"hostNetwork": True})\ny = 1\n', _drop, DICT + "y = 1\n"),
    "a keyword of an update": (
        DICT + 'pod["spec"].update(x=1, hostNetwork=True)\n', _set,
        DICT + 'pod["spec"].update(x=1, hostNetwork=False)\n',
    ),
    "a new field beside the others": (
        CALL.replace("spec=client", "spec=\\\n    client") + "pod.spec.host_pid = True\n", _set,
        CALL.replace("spec=client", "spec=\\\n    client").replace(
            '[client.V1Container(name="c")]', '[client.V1Container(name="c")], host_network=False'
        ) + "pod.spec.host_pid = True\n",
    ),
    "an item": (
        DICT + 'pod["spec"]["containers"][0]["image"] = "a"\n', _image,
        DICT + 'pod["spec"]["containers"][0]["image"] = "b"\n',
    ),
    "a new field of a merge": (
        BASE + '{"kind": "Pod", "spec": {"x": 1} | {"y": 2}}\n', _set,
        BASE + '{"kind": "Pod", "spec": {"x": 1} | {"y": 2, "hostNetwork": False}}\n',
    ),
    "a field of a merge goes": (
        BASE + '{"kind": "Pod", "spec": {"x": 1, "hostNetwork": True} | {"y": 2}}\n', _drop,
        BASE + '{"kind": "Pod", "spec": {"x": 1} | {"y": 2}}\n',
    ),
    "a constant of a class": (
        of_class("    I = 'a'", "self.I") + "\n", _image, of_class("    I = 'b'", "self.I") + "\n",
    ),
    "an object that self holds": (
        "class A:\n    def f(self):\n        self.c = client.V1Container(image='a')\n"
        "        return client.V1PodSpec(containers=[self.c])\n", _image,
        "class A:\n    def f(self):\n        self.c = client.V1Container(image='b')\n"
        "        return client.V1PodSpec(containers=[self.c])\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "mutate", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_where_it_is_changed(text: str, mutate: Mutate, expected: str) -> None:
    assert rewrite(KUBE + text, lambda documents: mutate(documents[0]["spec"])).text == KUBE + expected


# What cannot be changed, with what is said.
REFUSED: dict[str, tuple[str, Mutate, str]] = {
    "a line of several statements": (
        CALL + "pod.spec.host_network = True; y = 1\n", _drop, "hostNetwork is not here",
    ),
    "all of a block": (
        CALL + "with x:\n    pod.spec.host_network = True\n", _drop, "hostNetwork is not here",
    ),
    "several targets": (CALL + "x = pod.spec.host_network = True\n", _drop, "hostNetwork is not here"),
    "an image that is looked at elsewhere too": (
        of_class("    I = 'a'\n    def g(self):\n        print(self.I)", "self.I"), _image,
        "a value that is not in one place is not replaced",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "mutate", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_changed(text: str, mutate: Mutate, reason: str) -> None:
    with pytest.raises(TextError, match=reason):
        rewrite(KUBE + text, lambda documents: mutate(documents[0]["spec"]))


@pytest.mark.slow
def test_objects_that_lead_to_far_too_many_changes() -> None:
    changes = "".join(f"    x['a{n}'] = y\n" for n in range(800))
    calls = "".join(f"g({{'b': {n}}})\n" for n in range(800))
    with pytest.raises(TextError, match="its variables lead to too many changes"):
        parse(f"{KUBE}def g(x):\n{changes}{calls}{CALL}")


def test_the_kind_of_a_class_stays_whatever_is_set_later() -> None:
    text = (
        "from kubernetes import client\n"
        "def make(): return client.V1Pod(spec=client.V1PodSpec(containers=[]))\n"
        'def master():\n    pod = make()\n    pod.kind = "Pod"\n    pod.api_version = V\n    return pod\n'
    )
    (pod,) = parse(text).documents
    assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
