"""What is read from a program: which documents it makes, and what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.sources.open_values import OpenDict, OpenList
from hardener.sources.python.parsed import Parsed, parse

KUBE = "from kubernetes import client\n"
FRAGMENT = "fragment.harden/v1"


def read(text: str) -> Parsed:
    return parse(KUBE + text)


def container(text: str) -> Any:
    """The one container that the program makes."""
    (document,) = read(text).documents
    assert (document["apiVersion"], document["kind"]) == (FRAGMENT, "Container")
    (found,) = document["spec"]["containers"]
    return found


def why(value: Any) -> str | None:
    return value.why if isinstance(value, OpenDict | OpenList) else None


# A program, and the container it makes.
CONTAINERS: dict[str, tuple[str, dict[str, Any]]] = {
    "literals": (
        'client.V1Container(name="a", tty=True, stdin=False, image=None, args=("-v", "1"))',
        {"name": "a", "tty": True, "stdin": False, "image": None, "args": ["-v", "1"]},
    ),
    "names of fields": (
        'client.V1Container(env_from=[], liveness_probe=client.V1Probe(_exec=client.V1ExecAction(command=["x"])))',
        {"envFrom": [], "livenessProbe": {"exec": {"command": ["x"]}}},
    ),
    "numbers": (
        "client.V1Container(ports=[client.V1ContainerPort(container_port=0x1F90, host_port=-1)])",
        {"ports": [{"containerPort": 8080, "hostPort": -1}]},
    ),
    "texts put together": (
        'client.V1Container(name=("a" "b"), image="x" + ":1", args=[r"\\d", "tab\\t"])',
        {"name": "ab", "image": "x:1", "args": ["\\d", "tab\t"]},
    ),
    "a text that looks like an expression": ('client.V1Container(image="${IMAGE}")', {"image": "${IMAGE}"}),
    "an f-string": (
        'def f(tag):\n    return client.V1Container(image=f"a/{tag}:1{{x}}\\t", name=f"{tag!r}-{tag:>3}")',
        {"image": "a/${tag}:1{x}\t", "name": "${tag}-${tag}"},
    ),
    "an f-string of constants": (
        'TAG = "1"\nPORT = 80\nclient.V1Container(image=f"web:{TAG}-{PORT}")',
        {"image": "web:1-80"},
    ),
    "an f-string of constants of a class": (
        'REPO = "web"\nclass C:\n    TAG = "1"\n    PORT = 80\n    IMAGE = f"{REPO}:{TAG}-{PORT}"\n'
        'client.V1Container(image=C.IMAGE, name=f"{REPO}-{C.TAG}-{C.PORT}")',
        {"image": "web:1-80", "name": "web-1-80"},
    ),
    "an f-string of constants of its own class": (
        'class C:\n    TAG = "1"\n    def f(self):\n        return client.V1Container(image=f"web:{self.TAG}")',
        {"image": "web:1"},
    ),
    "an f-string of what an object may have otherwise": (
        'class C:\n    TAG = "1"\n    def __init__(self, tag):\n        self.TAG = tag\n'
        '    def f(self):\n        return client.V1Container(image=f"web:{self.TAG}")',
        {"image": "web:${self.TAG}"},
    ),
    "an f-string of what a class below may have otherwise": (
        'class C:\n    TAG = "1"\n    def f(self):\n        return client.V1Container(image=f"web:{self.TAG}")\n'
        'class D(C):\n    TAG = "2"',
        {"image": "web:${self.TAG}"},
    ),
    "an f-string of a constant that is set anew": (
        'class C:\n    TAG = "1"\nC.TAG = f()\nclient.V1Container(image=f"web:{C.TAG}")',
        {"image": "web:${C.TAG}"},
    ),
    "calls, attributes, indexes": (
        "client.V1Container(name=cfg.name, image=cfg.require('image'), args=[a[0], b or c, d if e else f])",
        {
            "name": "${cfg.name}",
            "image": "${cfg.require('image')}",
            "args": ["${a[0]}", "${b or c}", "${d if e else f}"],
        },
    ),
    "an expression with braces": ("client.V1Container(name=f({'a': {}}, {x}))", {"name": "${f(..., ...)}"}),
    "an expression of several lines": ("client.V1Container(name=f(\n  a,\n  b))", {"name": "${f( a, b)}"}),
    "a long expression": (f"client.V1Container(name={'a' * 80})", {"name": "${" + "a" * 57 + "...}"}),
    "a constant": ('IMAGE = "a:1"\ndef f():\n    return client.V1Container(image=IMAGE)', {"image": "a:1"}),
    "a constant of Python": ("A = True\nB = None\nclient.V1Container(tty=A, image=B)", {"tty": True, "image": None}),
    "an annotated constant": ('IMAGE: str = "a:1"\nclient.V1Container(image=IMAGE)', {"image": "a:1"}),
    "a constant of a constant": ('A = "a:1"\nB = A\nclient.V1Container(image=B)', {"image": "a:1"}),
    "a constant of an expression": ("A = f()\nclient.V1Container(image=A)", {"image": "${A}"}),
    "a parameter": ("def f(image): client.V1Container(image=image)", {"image": "${image}"}),
    "a parameter hides a constant": (
        'image = "a"\ndef f(image): client.V1Container(image=image)',
        {"image": "${image}"},
    ),
    "a parameter of a lambda": ('i = "a"\nf = lambda i: client.V1Container(image=i)', {"image": "${i}"}),
    "assigned twice": ('i = "a"\ni = "b"\nclient.V1Container(image=i)', {"image": "${i}"}),
    "assigned in two branches": (
        'if x:\n    i = "a"\nelse:\n    i = "b"\nclient.V1Container(image=i)',
        {"image": "${i}"},
    ),
    "assigned by global": (
        'i = "a"\ndef f():\n    global i\n    i = "b"\nclient.V1Container(image=i)',
        {"image": "${i}"},
    ),
    "assigned by nonlocal": (
        'def f():\n    i = "a"\n    def g():\n        nonlocal i\n        i = "b"\n    client.V1Container(image=i)',
        {"image": "${i}"},
    ),
    "a loop variable": ("for i in x:\n    client.V1Container(image=i)", {"image": "${i}"}),
    "a variable of a comprehension": ("[client.V1Container(image=i) for i in x]", {"image": "${i}"}),
    "a walrus": ('f(i := "a")\nclient.V1Container(image=i)', {"image": "a"}),
    "a walrus in place": ('client.V1Container(image=(i := "a"))', {"image": "a"}),
    "a name of with": ("with f() as i:\n    client.V1Container(image=i)", {"image": "${i}"}),
    "a name of except": ("try: pass\nexcept E as i:\n    client.V1Container(image=i)", {"image": "${i}"}),
    "deleted": ('i = "a"\ndel i\nclient.V1Container(image=i)', {"image": "${i}"}),
    "imported": ("from conf import IMAGE\nclient.V1Container(image=IMAGE)", {"image": "${IMAGE}"}),
    "imported or assigned": (
        'try:\n    from conf import I\nexcept E:\n    I = "a"\nclient.V1Container(image=I)',
        {"image": "${I}"},
    ),
    "unpacked side by side": (
        'a, (b, c) = "x", ("y", "z")\nclient.V1Container(image=a, name=c)',
        {"image": "x", "name": "z"},
    ),
    "unpacked": ("a, *b = f()\nclient.V1Container(image=a, name=b)", {"image": "${a}", "name": "${b}"}),
    "several targets": ('a = b = "x"\nclient.V1Container(image=a, name=b)', {"image": "x", "name": "x"}),
    "an augmented text": ('i = "a"\ni += ":1"\nclient.V1Container(image=i)', {"image": "${i}"}),
    "an augmented text in an f-string": ('i = "a"\ni += ":1"\nclient.V1Container(image=f"{i}x")', {"image": "${i}x"}),
    "a matched name": ("match x:\n    case [i, *_]:\n        client.V1Container(image=i)", {"image": "${i}"}),
    "a name of a class is not seen in its methods": (
        'class A:\n    i = "a"\n    def f(self):\n        return client.V1Container(image=i)',
        {"image": "${i}"},
    ),
    "a name of a class is seen in its body": (
        'class A:\n    i = "a"\n    c = client.V1Container(image=i)',
        {"image": "a"},
    ),
    "a function hides a constant": (
        'i = "a"\ndef g():\n    def i(): pass\n    client.V1Container(image=i)',
        {"image": "${i}"},
    ),
    "itself": ("i = i + i\nclient.V1Container(image=i)", {"image": "${i}"}),
    "each other": ("i = j\nj = i\nclient.V1Container(image=i)", {"image": "${i}"}),
    "a dict below a call is sent as it is": (
        'client.V1Container(resources={"limits": {"cpu": 1}}, volume_mounts=[{"mount_path": "/a"}])',
        {"resources": {"limits": {"cpu": 1}}, "volumeMounts": [{"mount_path": "/a"}]},
    ),
    "dict(...)": (
        'client.V1Container(security_context=dict(runAsUser=1, **{"privileged": True}))',
        {"securityContext": {"runAsUser": 1, "privileged": True}},
    ),
    "dict([...])": ('client.V1Container(env=dict([("a", 1)]))', {"env": {}}),
    "dict is another function": ("def dict(**k): pass\nclient.V1Container(env=dict(a=1))", {"env": "${dict(a=1)}"}),
    "a spread of a constant": (
        'BASE = {"image_pull_policy": "Always", "tty": False}\nclient.V1Container(name="a", **BASE)',
        {"name": "a", "imagePullPolicy": "Always", "tty": False},
    ),
    "a spread of dict(...)": (
        'BASE = dict(image_pull_policy="Always")\nclient.V1Container(**BASE)',
        {"imagePullPolicy": "Always"},
    ),
    "a spread in place": ('client.V1Container(**{"image": "a"})', {"image": "a"}),
    "spreads of dicts": (
        'A = {"a": "1", "b": "1"}\nclient.V1Container(resources={"limits": {**A, "b": "2", **{"c": "3"}}})',
        {"resources": {"limits": {"a": "1", "b": "2", "c": "3"}}},
    ),
    "lists put together": (
        'BASE = ["a"]\nclient.V1Container(args=[*BASE, "b", *("c", x)], command=BASE + ["d"])',
        {"args": ["a", "b", "c", "${x}"], "command": ["a", "d"]},
    ),
    "a key from a constant": (
        'K = "cpu"\nclient.V1Container(resources={"limits": {K: "1"}})',
        {"resources": {"limits": {"cpu": "1"}}},
    ),
    "a field called as an argument of Pulumi": (
        "client.V1Container(resize_policy=[client.V1ContainerResizePolicy(resource_name='cpu')])",
        {"resizePolicy": [{"resourceName": "cpu"}]},
    ),
    "an unknown argument": ("client.V1Container(no_such=1, local_vars_configuration=c)", {"no_such": 1}),
    "adjacent strings in brackets": ('client.V1Container(image=(\n    "a"\n    ":1"\n))', {"image": "a:1"}),
}


@pytest.mark.parametrize(("text", "expected"), CONTAINERS.values(), ids=CONTAINERS)
def test_the_container_that_a_program_makes(text: str, expected: dict[str, Any]) -> None:
    found = container(text)
    assert found == expected
    assert list(found) == list(expected)


# A program, where it is open (None for the container itself), and what may add something there.
OPEN: dict[str, tuple[str, str | None, str]] = {
    "a spread of a parameter": ("def f(**k):\n    client.V1Container(**k)", None, "**k (line 3)"),
    "a spread of a call": ("client.V1Container(**f(x))", None, "**f(x) (line 2)"),
    "a spread of a constant that changes": (
        'B = {"image": "a"}\nB["tty"] = x\nB.update(y)\nclient.V1Container(**B)',
        None,
        "B.update (line 4)",
    ),
    "a positional argument": ('client.V1Container("a")', None, "a positional argument (line 2)"),
    "positional arguments": ("client.V1Container(*a)", None, "*a (line 2)"),
    "a computed key": (
        'client.V1Container(resources={"limits": {f(): 1}})',
        "resources.limits",
        "a computed key (line 2)",
    ),
    "dict of something": ("client.V1Container(resources=dict(x))", "resources", "**x (line 2)"),
    "a comprehension": (
        "client.V1Container(env=[client.V1EnvVar(name=n) for n in x])",
        "env",
        "a comprehension (line 2)",
    ),
    "a star": ("client.V1Container(env=[client.V1EnvVar(), *more()])", "env", "*more() (line 2)"),
    "a concatenation": ("client.V1Container(env=[client.V1EnvVar()] + more)", "env", "more (line 2)"),
    "a concatenation the other way": ("client.V1Container(env=more() + [client.V1EnvVar()])", "env", "more() (line 2)"),
    "append before": ("e = []\ne.append(f())\nclient.V1Container(env=e)", "env", "e.append (line 3)"),
    "append after": ("e = []\nclient.V1Container(env=e)\ne.append(f())", "env", "e.append (line 4)"),
    "append in a branch": ("e = []\nif x:\n    e.append(f())\nclient.V1Container(env=e)", "env", "e.append (line 4)"),
    "append to the field": ("c = client.V1Container(env=[])\nc.env.append(f())", "env", "c.env.append (line 3)"),
    "append through another name": (
        "c = client.V1Container(env=[])\nd = c\ne = d.env\ne.append(f())",
        "env",
        "e.append (line 5)",
    ),
    "append in a function": ("e = []\ndef f(): e.append(1)\nclient.V1Container(env=e)", "env", "e.append (line 3)"),
    "append in a loop over it": (
        "c = client.V1Container(env=[])\np = [c]\nfor x in p:\n    x.env.append(1)",
        "env",
        "x.env.append (line 5)",
    ),
    "extend, insert, +=": ("e = []\ne += f()\ne.extend(g)\nclient.V1Container(env=e)", "env", "e (line 3)"),
    "update": (
        "c = client.V1Container(resources={})\nc.resources.update(x)",
        "resources",
        "c.resources.update (line 3)",
    ),
    "setdefault": (
        'c = client.V1Container(resources={"limits": {}})\nc.resources.setdefault("limits", {}).update(x)',
        "resources.limits",
        'c.resources.setdefault("limits", {}).update (line 3)',
    ),
    "a key that is not known": (
        "l = {}\nl[f()] = 1\nclient.V1Container(resources={'limits': l})",
        "resources.limits",
        "l[f()] (line 3)",
    ),
    "setattr": ("c = client.V1Container()\nsetattr(c, f(), 1)", None, "setattr (line 3)"),
    "an attribute of self": (
        "class A:\n    def f(self):\n        self.c = client.V1Container(env=[])\n    def g(this):\n"
        "        this.c.env.append(1)",
        "env",
        "this.c.env.append (line 6)",
    ),
    "an attribute of self and a name": (
        "class A:\n    def f(self):\n        c = client.V1Container(env=[])\n        self.c = c\n"
        "        self.c.env.append(1)",
        "env",
        "self.c.env.append (line 6)",
    ),
}


@pytest.mark.parametrize(("text", "path", "reason"), OPEN.values(), ids=OPEN)
def test_where_something_may_be_added(text: str, path: str | None, reason: str) -> None:
    value = container(text)
    for part in path.split(".") if path else ():
        value = value[part]
    assert why(value) == reason


# A program, and the container it makes.
LATER: dict[str, tuple[str, dict[str, Any]]] = {
    "a field that is set again": ('c = client.V1Container(image="a")\nc.image = "b"', {"image": "${c.image}"}),
    "a field that is set later": ('c = client.V1Container()\nc.image = "b"', {"image": "b"}),
    "a field of a field": (
        "c = client.V1Container()\nc.security_context = client.V1SecurityContext()\n"
        "c.security_context.privileged = True",
        {"securityContext": {"privileged": True}},
    ),
    "a field that is set in a branch": ('c = client.V1Container()\nif x:\n    c.image = "b"', {"image": "${c.image}"}),
    "a field that is set twice": ('c = client.V1Container()\nc.image = "a"\nc.image = "b"', {"image": "${c.image}"}),
    "a field that is set elsewhere": (
        'c = client.V1Container()\ndef f():\n    c.image = "b"',
        {"image": "${c.image}"},
    ),
    "a field of one of two": (
        'def f(x):\n    c = client.V1Container()\n    if x:\n        c = None\n    c.image = "b"',
        {"image": "${c.image}"},
    ),
    "under with": ('with f():\n    c = client.V1Container()\nc.image = "b"', {"image": "b"}),
    "in a loop": ('for x in y:\n    c = client.V1Container()\n    c.image = "b"', {"image": "b"}),
    "an item that is set": (
        'c = client.V1Container(args=["a", "b"])\nc.args[1] = "c"',
        {"args": ["a", "${c.args[1]}"]},
    ),
    "a key that is set": (
        'l = {"a": "1"}\nl["a"] = "2"\nclient.V1Container(resources={"limits": l})',
        {"resources": {"limits": {"a": '${l["a"]}'}}},
    ),
    "a key that is deleted": (
        'l = {"a": "1"}\ndel l["a"]\nclient.V1Container(resources={"limits": l})',
        {"resources": {"limits": {"a": '${l["a"]}'}}},
    ),
    "a field that grows": ("c = client.V1Container()\nc.env.append(x)", {"env": "${c.env.append(x)}"}),
    "a text that grows": ('c = client.V1Container(image="a")\nc.image += ":1"', {"image": "${c.image}"}),
    "setattr": ('c = client.V1Container(image="a")\nsetattr(c, "image", x)', {"image": '${setattr(c, "image", x)}'}),
    "part of another object": (
        "d = client.V1EnvVar(name='n')\nclient.V1Container(name=d.name, image=d.value)",
        {"name": "n", "image": "${d.value}"},
    ),
    "for all items of a list": (
        'c = client.V1Container(image="a")\nfor x in [c]:\n    pass\nl = [c]\nfor x in l:\n    x.image = y',
        {"image": "${x.image}"},
    ),
    "for all of several lists": (
        'c = client.V1Container(image="a")\nfor i, x in enumerate((f or []) + [c]):\n    x.image = y',
        {"image": "${x.image}"},
    ),
    "of a made item": (
        'l = {"a": [client.V1Container(image="a")]}\nl["a"][0].image = y',
        {"image": '${l["a"][0].image}'},
    ),
    "through self": (
        'class A:\n    def f(self):\n        self.c = client.V1Container(image="a")\n'
        "    def g(self):\n        self.c.image = x",
        {"image": "${self.c.image}"},
    ),
    "of another object of the same name": (
        'def f():\n    c = client.V1Container(image="a")\ndef g(c):\n    c.image = x',
        {"image": "a"},
    ),
    "printed": ('c = client.V1Container(image="a")\nprint(c)\nc.to_dict()', {"image": "a"}),
}


@pytest.mark.parametrize(("text", "expected"), LATER.values(), ids=LATER)
def test_what_later_statements_do(text: str, expected: dict[str, Any]) -> None:
    assert container(text) == expected


def heads(text: str) -> list[tuple[str | None, ...]]:
    """Of each document what it is, and the name in its metadata or of its first container."""
    found: list[tuple[str | None, ...]] = []
    for document in parse(text).documents:
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if document["kind"] == "Container":
            name = document["spec"]["containers"][0].get("name")
        found.append((document["apiVersion"], document["kind"], name))
    return found


POD = '{"containers": [{"name": "c"}]}'
DEPLOYMENT = (
    '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": {"spec": '
    + POD
    + "}}}"
)
# A whole program, and its documents as (apiVersion, kind, name).
DOCUMENTS: dict[str, tuple[str, list[tuple[str | None, ...]]]] = {
    "a dict": (f"d = {DEPLOYMENT}", [("apps/v1", "Deployment", "a")]),
    "a dict in a call": (f"api.create(body={DEPLOYMENT})", [("apps/v1", "Deployment", "a")]),
    "dicts in a dict": (f'x = {{"items": [{DEPLOYMENT}, {DEPLOYMENT}]}}', [("apps/v1", "Deployment", "a")] * 2),
    "a dict in a manifest is no other": (
        'x = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}, "spec": '
        '{"volumeClaimTemplates": '
        '[{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "p"}, "spec": {}}]}}',
        [("apps/v1", "StatefulSet", "s")],
    ),
    "a call of dict": (
        "x = dict(apiVersion='v1', kind='Pod', metadata=dict(name='p'), spec=dict(containers=[]))",
        [("v1", "Pod", "p")],
    ),
    "kind and version from a spread": (
        "B = {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'p'}}\nx = {**B, 'spec': {'containers': []}}",
        [("v1", "Pod", "p")],
    ),
    "kind and version as constants": (
        'K, V = "Pod", "v1"\nx = {"apiVersion": V, "kind": K, "metadata": {"name": "p"}, "spec": {}}',
        [("v1", "Pod", "p")],
    ),
    "a kind that is computed": ('x = {"apiVersion": "v1", "kind": k(), "metadata": {}, "spec": {}}', []),
    "a custom resource": (
        'x = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {}}',
        [("example.com/v1", "Thing", "t")],
    ),
    "another group's kind": ('x = {"apiVersion": "v1", "kind": "Deployment", "metadata": {}, "spec": {}}', []),
    "no version of an API": ('x = {"apiVersion": "2019-12-01", "kind": "Pod", "metadata": {}, "spec": {}}', []),
    "an owner reference": ('x = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": True}', []),
    "a target of a scaler": (
        'x = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}',
        [],
    ),
    "a patch": (f'x = {{"spec": {{"template": {{"spec": {POD}}}}}}}', []),
    "a task of ECS": (
        'x = {"family": "f", "containerDefinitions": [{"name": "c", "image": "i", "essential": True}]}',
        [],
    ),
    "a revision of Cloud Run": ('x = {"template": {"containers": [{"image": "i"}], "service_account": "a"}}', []),
    "a group of Azure": ('x = {"location": "l", "containers": [{"name": "c", "image": "i"}], "os_type": "Linux"}', []),
    "values of a chart": (
        'x = {"image": {"repository": "r", "tag": "1"}, "securityContext": {}, "podSecurityContext": {}}',
        [],
    ),
    "the spec of a Deployment": (
        f'x = {{"selector": {{}}, "template": {{"metadata": {{"name": "t"}}, "spec": {POD}}}}}',
        [(FRAGMENT, "PodTemplateSpec", "t")],
    ),
    "the spec of a Deployment, with names": (
        f'def f():\n    p = {POD}\n    t = {{"metadata": {{"name": "t"}}, "spec": p}}\n'
        f'    x = dict({{"selector": {{}}, "template": t}})',
        [(FRAGMENT, "PodTemplateSpec", "t")],
    ),
    "a selector and a template of something else": ('x = {"selector": {}, "template": {"spec": {"name": "c"}}}', []),
    "a class implies its kind": (
        KUBE + 'client.V1Deployment(metadata=client.V1ObjectMeta(name="a"))',
        [("apps/v1", "Deployment", "a")],
    ),
    "a class and what is written": (
        KUBE + 'client.V1Job(kind="Job", api_version="batch/v1", metadata={"name": "a"})',
        [("batch/v1", "Job", "a")],
    ),
    "a class of an old version": (
        KUBE + 'client.V1beta1CronJob(metadata={"name": "a"})',
        [("batch/v1beta1", "CronJob", "a")],
    ),
    "a class with versions": (
        KUBE + 'client.V2HorizontalPodAutoscaler(metadata={"name": "a"})\n'
        'client.V1HorizontalPodAutoscaler(metadata={"name": "b"})',
        [("autoscaling/v2", "HorizontalPodAutoscaler", "a"), ("autoscaling/v1", "HorizontalPodAutoscaler", "b")],
    ),
    "the outermost object": (
        KUBE + "c = client.V1Container(name='c')\ns = client.V1PodSpec(containers=[c])\n"
        "client.V1Pod(metadata={'name': 'p'}, spec=s)",
        [("v1", "Pod", "p")],
    ),
    "a spec without its pod": (KUBE + "client.V1PodSpec(containers=[])", [(FRAGMENT, "PodSpec", None)]),
    "a spec of something larger": (
        KUBE + "client.V1JobSpec(template={'metadata': {'name': 't'}, 'spec': {'containers': []}})",
        [(FRAGMENT, "PodTemplateSpec", "t")],
    ),
    "a template of a Job": (
        KUBE
        + "client.V1JobTemplateSpec(spec=client.V1JobSpec(template=client.V1PodTemplateSpec(metadata={'name': 't'})))",
        [(FRAGMENT, "PodTemplateSpec", "t")],
    ),
    "containers on their own": (
        KUBE + "def f(): return client.V1Container(name='a')\nx.append(client.V1Container(name='b'))",
        [(FRAGMENT, "Container", "a"), (FRAGMENT, "Container", "b")],
    ),
    "containers in an expression": (
        KUBE
        + "client.V1Pod(metadata={'name': 'p'}, spec=client.V1PodSpec(containers=f(client.V1Container(name='c'))))",
        [("v1", "Pod", "p"), (FRAGMENT, "Container", "c")],
    ),
    "types that are nothing alone": (
        KUBE + "client.V1SecurityContext()\nclient.V1ServiceSpec()\nclient.V1PodList(items=[])",
        [],
    ),
    "a List": (
        KUBE + "client.V1PodList(items=[client.V1Pod(metadata={'name': 'p'})])",
        [("v1", "Pod", "p")],
    ),
    "used by two": (
        KUBE + "c = client.V1Container(name='c')\ndef f(n):\n    return client.V1Pod(metadata={'name': 'p'}, "
        "spec=client.V1PodSpec(containers=[c]))\nclient.V1PodSpec(containers=[c])",
        [("v1", "Pod", "p"), (FRAGMENT, "PodSpec", None)],
    ),
    "as tutorials do": (
        KUBE
        + "body = client.V1Job(api_version='batch/v1', kind='Job')\nbody.metadata = client.V1ObjectMeta(name='j')\n"
        "t = client.V1PodTemplate()\nt.template = client.V1PodTemplateSpec()\nc = client.V1Container(name='c')\n"
        "t.template.spec = client.V1PodSpec(containers=[c])\nbody.spec = client.V1JobSpec(template=t.template)",
        [("batch/v1", "Job", "j"), ("v1", "PodTemplate", None)],
    ),
    "in a comprehension": (
        KUBE + "[client.V1Pod(metadata={'name': 'p'}) for x in y]",
        [("v1", "Pod", "p")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_documents_of_a_program(text: str, expected: list[tuple[str | None, ...]]) -> None:
    assert heads(text) == expected


# How a class may be named, and the text before it.
NAMES = {
    "from kubernetes import client": "client.V1Pod",
    "from kubernetes import client, config": "client.V1Pod",
    "from kubernetes import client as c": "c.V1Pod",
    "import kubernetes": "kubernetes.client.V1Pod",
    "import kubernetes as k8s": "k8s.client.V1Pod",
    "import kubernetes.client": "kubernetes.client.V1Pod",
    "import kubernetes.client as kubernetes": "kubernetes.V1Pod",
    "import kubernetes.client.models as m": "m.V1Pod",
    "from kubernetes.client import V1Pod": "V1Pod",
    "from kubernetes.client import (\n    V1Pod as Pod,\n)": "Pod",
    "from kubernetes.client import models as k8s": "k8s.V1Pod",
    "from kubernetes.client.models import V1Pod": "V1Pod",
    "from kubernetes.client.models.v1_pod import V1Pod": "V1Pod",
    "from kubernetes.client import *": "V1Pod",
    "from kubernetes.client.models import *": "V1Pod",
    "from kubernetes_asyncio import client": "client.V1Pod",
    "from kubernetes_asyncio.client import V1Pod": "V1Pod",
    "import kubernetes_asyncio.client as c": "c.V1Pod",
    "from kubernetes import client\nV1Pod = client.V1Pod": "V1Pod",
    "from kubernetes import client\nk8s = client.models\nPod = k8s.V1Pod": "Pod",
    "try:\n    from kubernetes import client\nexcept ImportError:\n    client = None": "client.V1Pod",
    "try:\n    import kubernetes_asyncio.client as c\nexcept ImportError:\n"
    "    import kubernetes.client as c": "c.V1Pod",
}


@pytest.mark.parametrize("before", NAMES)
def test_how_a_class_is_named(before: str) -> None:
    assert heads(f"{before}\nx = {NAMES[before]}(metadata={{'name': 'p'}})") == [("v1", "Pod", "p")]


def test_a_class_imported_in_a_function() -> None:
    text = (
        "def f():\n    from kubernetes import client as c\n    def g():\n        return c.V1Pod()\n"
        "def h():\n    return c.V1Pod()"
    )
    assert [root.line for root in parse(text).roots] == [4]


NO_NAMES = [
    "client.V1Pod()",
    "from kubernetes import client\ndef f(client): client.V1Pod()",
    "from kubernetes import client\nclient = other()\nclient.V1Pod()",
    "from mine import client\nclient.V1Pod()",
    "from kubernetes.client import *\ndef V1Pod(): pass\nV1Pod()",
    "from kubernetes import client\nclient.CoreV1Api()\nclient.V1PodList()\nclient.ApiClient().V1Pod()",
    "from kubernetes import client\nx = client.V1Pod",
    "from mine import *\nV1Pod()",
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_class_of_a_library(text: str) -> None:
    assert parse(text).documents == []
