"""What becomes of an object that a program hands to a function, stores or aliases."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.sources.open_values import OpenDict, OpenList
from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

from ..conftest import run, write

KUBE = "from kubernetes import client\n"
POD = (
    'pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, '
    '"spec": {"hostPID": True, "containers": [{"name": "c", "image": "a"}]}}\n'
)


def pod(text: str) -> Any:
    """The one pod of a program; POD is put before it."""
    documents = parse(KUBE + POD + text).documents
    assert [document["kind"] for document in documents] == ["Pod"]
    return documents[0]


def opened(value: Any, path: str = "") -> dict[str, str]:
    """Why something may be added, by the path of what may get it."""
    found = {path: value.why} if isinstance(value, OpenDict | OpenList) else {}
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        found |= opened(inner, f"{path}.{part}".lstrip("."))
    return found


# What a program does with the pod, and where it may get more.
ALL = ("", "spec", "spec.containers", "spec.containers.0", "metadata")
HANDED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "to a function": ("fix(pod)", ALL, "fix, which it is handed to (line 3)"),
    "by its keyword": ("fix(x=pod)", ALL, "fix, which it is handed to (line 3)"),
    "to a method": ("a.fix(pod)", ALL, "a.fix, which it is handed to (line 3)"),
    "a part": ('fix(pod["spec"])', ALL[1:4], "fix, which it is handed to (line 3)"),
    "a part that get finds": ('fix(pod.get("spec"))', ALL[1:4], "fix, which it is handed to (line 3)"),
    "each container": (
        'for c in pod["spec"]["containers"]:\n    fix(c)', ALL[3:4], "fix, which it is handed to (line 4)"
    ),
    "by another name": ("q = pod\nfix(q)", ALL, "fix, which it is handed to (line 4)"),
    "in a list": ("fix([pod])", ALL, "fix, which it is handed to (line 3)"),
    "from a list": ("all = []\nall.append(pod)\nfix(all)", ALL, "fix, which it is handed to (line 5)"),
    "from a dict": (
        'all = {}\nall["x"] = pod\nfor x in all:\n    fix(all[x])', ALL, "fix, which it is handed to (line 6)"
    ),
    "in a branch": ("if x:\n    fix(pod)", ALL, "fix, which it is handed to (line 4)"),
    "by a function of the file": (
        'def g(x):\n    fix(x["spec"])\ng(pod)', ALL[1:4], "fix, which it is handed to (line 4)"
    ),
    "by a function of a function": (
        "def g(x):\n    fix(x)\ndef h(y):\n    g(y)\nh(pod)", ALL, "fix, which it is handed to (line 4)"
    ),
    "a part to what sends objects": ('api.apply(pod["spec"])', ALL[1:4], "api.apply, which it is handed to (line 3)"),
    "after it was returned": (
        "def f():\n    return pod\nx = f()\nfix(x)", ALL, "fix, which it is handed to (line 6)"
    ),
    "each of several": ("def g(x):\n    pass\nlist(map(g, [pod]))", ALL, "map, which it is handed to (line 5)"),
    "with a function of the file": (
        "def g(x):\n    pass\nwalk(pod, g)", ALL, "walk, which it is handed to (line 5)",
    ),
    "to a method that the class inherits": (
        "class A(B):\n    def f(self):\n        self.fix(pod)", ALL, "self.fix, which it is handed to (line 5)"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "paths", "why"), HANDED.values(), ids=HANDED)
def test_what_a_function_may_change_is_open(text: str, paths: tuple[str, ...], why: str) -> None:
    document = pod(text)
    contexts = {f"{path}.securityContext" for path in paths if path in ("spec", "spec.containers.0")}
    found = opened(document)
    assert found.keys() == {*paths, *contexts} and {found[path] for path in paths} == {why}
    assert all(found[path].startswith("set by what it is handed to: ") for path in contexts)
    container = document["spec"]["containers"][0]
    assert container == {"name": "c", "image": '${"a"}', "securityContext": {}}
    if "spec" in paths:
        assert document["spec"]["hostPID"] == "${True}"


# What a program does with the pod that changes nothing.
KEPT: dict[str, str] = {
    "sent by a client": "api = client.CoreV1Api()\napi.create_namespaced_pod('x', pod)",
    "sent as a body": "api.run_this(body=pod)",
    "patched": "api.patch_namespaced_pod('p', 'x', pod)",
    "created": "client.create(pod)",
    "created from a dict": "utils.create_from_dict(api, pod)",
    "applied by a command": "kubectl.apply(pod)",
    "submitted by a function": "submit_pod(pod)",
    "several are sent": "api.create([pod, pod])",
    "dumped": "yaml.safe_dump(pod)\njson.dumps(pod, indent=2)\nyaml.dump_all([pod], f)",
    "serialised": "client.ApiClient().sanitize_for_serialization(pod)",
    "printed": "print(pod)\npprint(pod)\nlogger.info('%s', pod)\nlog.debug(pod)",
    "asked": "isinstance(pod, dict)\nlen(pod)\nhas_name(pod)\ncheck(pod)",
    "copied": "q = copy.deepcopy(pod)\nq['spec'] = 1\nr = copy.copy(pod)",
    "adopted": "kopf.adopt(pod)\nkopf.label(pod, {'a': 'b'}, nested=['spec.template'])",
    "an argument of a class": "Task('x', pod)\nThread(target=f, args=(pod,))",
    "an argument of a decorator": "@task(executor_config={'pod_override': pod})\ndef f(): pass",
    "an argument of its own class": "class A:\n    @classmethod\n    def f(cls):\n        return cls(pod)",
    "told to be of a type": "q = cast(dict, pod)\nprint(q)",
    "awaited with others": "async def f():\n    return pod\nasyncio.gather(f())",
    "returned": "def f():\n    return pod",
    "yielded": "def f():\n    yield pod",
    "kept": "jobs = []\njobs.append(pod)\nall['x'] = pod\nclass A:\n    def f(self):\n        self.pod = pod",
    "a text of it": "fix(pod['metadata']['name'])\nfix(pod['spec']['containers'][0]['image'])",
    "a function of the file that looks": "def g(x, y):\n    print(x['spec'])\n    return x\ng(pod, 1)",
    "another argument": "def g(x, y):\n    y['spec'] = 1\ng(pod, {})",
    "a method of the file": "class A:\n    def g(self, x):\n        return x\na = A()\na.g(pod)",
    "a chain of methods of the file": "class A:\n    def g(self, x):\n        self.x = x\nA().g(1).g(pod)",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_leaves_an_object_as_it_is(text: str) -> None:
    document = pod(text)
    assert opened(document) == {}
    assert document["spec"] == {"hostPID": True, "containers": [{"name": "c", "image": "a"}]}


# What a function of the file does with the pod, and what is not known then.
FOLLOWED: dict[str, tuple[str, dict[str, str]]] = {
    "a field": ('def g(x):\n    x["hostPID"] = y\ng(pod["spec"])', {"spec.hostPID": "set later (line 4)"}),
    "a field of a container": (
        'def g(x, y=1):\n    if y:\n        x["containers"][0]["resources"] = y\ng(pod["spec"], y=2)',
        {"spec.containers.0.resources": "set later (line 5)"},
    ),
    "a field of each container": (
        'def g(x):\n    for c in x["spec"]["containers"]:\n        c["image"] = y\ng(pod)',
        {"spec.containers.0.image": "set later (line 5)"},
    ),
    "by its keyword": (
        'def g(a, *, x):\n    x["spec"]["hostPID"] = 1\ng(1, x=pod)', {"spec.hostPID": "set later (line 4)"},
    ),
    "a method": (
        'class A:\n    def g(self, x):\n        x["spec"]["hostPID"] = 1\n    def h(self):\n        self.g(pod)',
        {"spec.hostPID": "set later (line 5)"},
    ),
    "a static method": (
        'class A:\n    @staticmethod\n    def g(x):\n        x["spec"]["hostPID"] = 1\nA.g(pod)',
        {"spec.hostPID": "set later (line 6)"},
    ),
    "a method of a class above": (
        'class A:\n    def g(self, x):\n        x["spec"]["hostPID"] = 1\nclass B(A):\n    def h(self):\n'
        "        self.g(pod)",
        {"spec.hostPID": "set later (line 5)"},
    ),
    "what makes an object": (
        'class A:\n    def __init__(self, x):\n        x["spec"]["hostPID"] = 1\nA(pod)',
        {"spec.hostPID": "set later (line 5)"},
    ),
    "what is told to be of a type": (
        'x = cast(dict, pod)\nx["spec"]["hostPID"] = 1', {"spec.hostPID": "set later (line 4)"},
    ),
    "by its own class": (
        'class A:\n    def __init__(self, x):\n        x["spec"]["hostPID"] = 1\n    @classmethod\n    def f(cls):\n'
        "        return cls(pod)",
        {"spec.hostPID": "set later (line 5)"},
    ),
    "two deep": (
        'def g(x):\n    x["hostPID"] = 1\ndef h(y):\n    g(y["spec"])\nh(pod)', {"spec.hostPID": "set later (line 4)"},
    ),
    "what a function returned": (
        'def f():\n    return pod\nx = f()\nx["spec"]["hostPID"] = 1', {"spec.hostPID": "set later (line 6)"},
    ),
    "by a pool": (
        'def g(x):\n    x["spec"]["hostPID"] = 1\npool.submit(g, pod)', {"spec.hostPID": "set later (line 4)"},
    ),
    "by a thread": (
        'def g(y, x):\n    x["spec"]["hostPID"] = 1\nThread(target=g, args=(1, pod))',
        {"spec.hostPID": "set later (line 4)"},
    ),
    "what a function yields": (
        'def f():\n    yield pod\nfor x in f():\n    x["spec"]["hostPID"] = 1', {"spec.hostPID": "set later (line 6)"},
    ),
    "a value of a dict": (
        'all = {"a": pod}\nfor x in all.values():\n    x["spec"]["hostPID"] = 1',
        {"spec.hostPID": "set later (line 5)"},
    ),
    "an entry of a dict": (
        'all = {"a": pod}\nfor k, x in all.items():\n    x["spec"]["hostPID"] = 1',
        {"spec.hostPID": "set later (line 5)"},
    ),
    "one of two lists": (
        'for k, x in zip([1], [pod]):\n    x["spec"]["hostPID"] = 1', {"spec.hostPID": "set later (line 4)"},
    ),
    "a part of a shallow copy": (
        'x = pod.copy()\nx["kind"] = "Job"\nx["spec"]["hostPID"] = 1', {"spec.hostPID": "set later (line 5)"},
    ),
    "an item of what holds it": (
        'all = [1]\nall.insert(0, pod)\nfor x in all:\n    x["spec"]["hostPID"] = 1',
        {"spec.hostPID": "set later (line 6)"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FOLLOWED.values(), ids=FOLLOWED)
def test_what_a_function_of_the_file_changes(text: str, expected: dict[str, str]) -> None:
    read = parse(KUBE + POD + text)
    for place, reason in expected.items():
        path = (int(part) if part.isdigit() else part for part in place.split("."))
        node, _, _ = read.find(0, tuple(path))
        assert getattr(node, "reason", None) == reason
    document = pod(text)
    assert opened(document) == {}
    for place in ("hostPID", "containers.0.image"):
        value = document["spec"]
        for part in place.split("."):
            value = value[int(part) if part.isdigit() else part]
        assert (f"spec.{place}" in expected) == (value not in (True, "a"))


def test_nothing_is_added_to_what_may_have_it() -> None:
    def mutate(documents: list[Any]) -> None:
        documents[0]["spec"]["hostNetwork"] = False

    text = KUBE + POD + "fix(pod)\n"
    with pytest.raises(TextError, match=r"hostNetwork may come from fix, which it is handed to \(line 3\)"):
        rewrite(text, mutate)


def test_a_run_says_who_may_change_it(tmp_path: Any) -> None:
    write(tmp_path, {"p.py": KUBE + POD + "fix(pod)\n"})
    done = run("diff", ".", "--skip", "K05", cwd=tmp_path)
    assert "To apply" not in done.all
    assert "may get" in done.all and "from fix, which it is handed to (line 3)" in done.all


def test_a_long_list_is_read_item_by_item() -> None:
    each = 'pods.append({{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "p{}"}}, "spec": {{}}}})\n'
    found = parse("pods = []\n" + "".join(map(each.format, range(600)))).documents
    assert [document["metadata"]["name"] for document in found] == [f"p{number}" for number in range(600)]
