"""Own classes made from those of libraries: what their calls are read as, in one file and through a tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.sources.python import reading
from hardener.sources.python.libraries.subclasses import Subclasses
from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

from ..conftest import Harden, commit, run, write

BASE = "from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator as Base\n"
UNSURE = "${image}"


def classed(body: str, call: str) -> str:
    """A program with a class of that body, and a call of it."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{BASE}IMAGE = 'i:1'\nclass Task(Base):\n{lines}\n\nTask({call})\n"


def container(text: str) -> Any:
    (document,) = parse(text).documents
    return document["spec"]["containers"][0]


INIT = "def __init__(self, {}**kwargs):\n"
# The body of a class, the arguments of a call, and what its container has.
HANDED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "all that it gets": ("pass", "image='a', cmds=['b']", {"image": "a", "command": ["b"]}),
    "an argument of its own": (
        INIT.format("conf, ") + "    super().__init__(**kwargs)",
        "image='a', conf=1",
        {"image": "a"},
    ),
    "a default": (
        INIT.format("image='d:1', ") + "    super().__init__(image=image, **kwargs)",
        "",
        {"image": "d:1"},
    ),
    "another value than the default": (
        INIT.format("image='d:1', ") + "    super().__init__(image=image, **kwargs)",
        "image='a'",
        {"image": "a"},
    ),
    "no default": (INIT.format("image=None, ") + "    super().__init__(image=image, **kwargs)", "", {}),
    "another name": (
        INIT.format("what, ") + "    super().__init__(image=what, **kwargs)",
        "what='a'",
        {"image": "a"},
    ),
    "a constant": (INIT.format("") + "    super().__init__(image=IMAGE, **kwargs)", "", {"image": "i:1"}),
    "a constant where none is given": (
        INIT.format("image=None, ") + "    super().__init__(image=image or IMAGE, **kwargs)",
        "",
        {"image": "i:1"},
    ),
    "a list": (
        INIT.format("") + "    super().__init__(cmds=['a', 'b'], **kwargs)",
        "image='a'",
        {"image": "a", "command": ["a", "b"]},
    ),
    "an argument by its place": (
        INIT.format("conf, image, ") + "    super().__init__(image=image, **kwargs)",
        "1, 'a', cmds=['b']",
        {"image": "a", "command": ["b"]},
    ),
    "a list of which a part is known": (
        INIT.format("conf, ") + "    super().__init__(cmds=['a', conf], **kwargs)",
        "conf='b'",
        {"command": ["a", "${cmds}"]},
    ),
    "a default by setdefault": (
        INIT.format("") + "    kwargs.setdefault('image', 'd:1')\n    super().__init__(**kwargs)",
        "",
        {"image": "d:1"},
    ),
    "what is set": (
        INIT.format("") + "    kwargs['image'] = 'd:1'\n    super().__init__(**kwargs)",
        "image='a'",
        {"image": "d:1"},
    ),
    "what is popped": (
        INIT.format("") + "    super().__init__(image=kwargs.pop('image', 'd:1'), **kwargs)",
        "",
        {"image": "d:1"},
    ),
    "an attribute that is set": (
        INIT.format("") + "    super().__init__(**kwargs)\n    self.image = 'd:1'",
        "image='a'",
        {"image": "d:1"},
    ),
    "an attribute that is set before": (
        INIT.format("") + "    self.image = 'd:1'\n    super().__init__(**kwargs)",
        "image='a'",
        {"image": "a"},
    ),
    "positional arguments that none are": (
        "def __init__(self, *args, **kwargs):\n    super().__init__(*args, **kwargs)",
        "image='a'",
        {"image": "a"},
    ),
    "the class by its name": (
        INIT.format("") + "    Base.__init__(self, image='d:1', **kwargs)",
        "",
        {"image": "d:1"},
    ),
    "what is taken out and handed on": (
        INIT.format("") + "    image = kwargs['image']\n    del kwargs['image']\n"
        "    super().__init__(image=image, **kwargs)",
        "image='a', cmds=['b']",
        {"image": "a", "command": ["b"]},
    ),
    "a constant in a local name": (
        INIT.format("") + "    image = 'd:1'\n    super().__init__(image=image, **kwargs)",
        "",
        {"image": "d:1"},
    ),
    "a local name with that of a constant": (
        INIT.format("") + "    if x:\n        IMAGE = f()\n    super().__init__(image=IMAGE, **kwargs)",
        "",
        {"image": UNSURE},
    ),
    "a property": ("@property\ndef image(self):\n    return f(self)", "image='a'", {"image": UNSURE}),
    "attributes by name": (
        "def pre_execute(self, context):\n    for key in self.__dict__:\n        self.__dict__[key] = f(key)",
        "image='a'",
        {"image": UNSURE},
    ),
    "an expression": (
        INIT.format("tag, ") + "    super().__init__(image=f'a:{tag}', **kwargs)",
        "tag='1'",
        {"image": UNSURE},
    ),
    "a parameter that is assigned": (
        INIT.format("image, ") + "    image = f(image)\n    super().__init__(image=image, **kwargs)",
        "image='a'",
        {"image": UNSURE},
    ),
    "a default under a condition": (
        INIT.format("") + "    if x:\n        kwargs.setdefault('image', 'd')\n    super().__init__(**kwargs)",
        "",
        {"image": UNSURE},
    ),
    "what another method sets": (
        "def execute(self, context):\n    self.image = 'd'",
        "image='a'",
        {"image": UNSURE},
    ),
    "what anything may change": (
        INIT.format("") + "    f(kwargs)\n    super().__init__(**kwargs)",
        "image='a'",
        {"image": UNSURE},
    ),
    "two ways to hand on": (
        INIT.format("")
        + "    if x:\n        super().__init__(**kwargs)\n    else:\n        super().__init__(image='b')",
        "image='a'",
        {"image": UNSURE},
    ),
    "nothing that is handed on": (INIT.format("") + "    self.x = 1", "image='a'", {"image": UNSURE}),
    "a pod that it builds itself": (
        "def build_pod_request_obj(self, context=None):\n    return f(self)",
        "image='a'",
        {"image": UNSURE},
    ),
}


@pytest.mark.parametrize("body, call, wanted", HANDED.values(), ids=HANDED)
def test_what_an_operator_gets(body: str, call: str, wanted: dict[str, Any]) -> None:
    assert container(classed(body, call)) == {"name": "base", **wanted}


def harden_it(documents: list[Any]) -> None:
    documents[0]["spec"]["containers"][0]["securityContext"] = {"privileged": False}


REFUSED = {
    "a class that takes no others": (
        "def __init__(self, image):\n    super().__init__(image=image)",
        "image='a'",
        "Task has no argument for securityContext",
    ),
    "a class that sets it": (
        INIT.format("") + "    super().__init__(container_security_context=CONTEXT, **kwargs)",
        "image='a'",
        r"an expression is not replaced \(set by Task \(line 3\)\)",
    ),
    "a class that consumes it": (
        INIT.format("container_security_context=None, ") + "    super().__init__(**kwargs)",
        "image='a'",
        "Task has no argument for securityContext",
    ),
    "a class with a doubt": (
        INIT.format("") + "    f(kwargs)\n    super().__init__(**kwargs)",
        "image='a'",
        r"securityContext may come from kwargs \(line 5\) in Task \(line 3\)",
    ),
}


@pytest.mark.parametrize("body, call, why", REFUSED.values(), ids=REFUSED)
def test_what_a_class_does_not_take_is_not_written(body: str, call: str, why: str) -> None:
    with pytest.raises(TextError, match=why):
        rewrite(classed(body, call), harden_it)


def test_what_a_class_takes_is_written_by_the_name_that_it_has_there() -> None:
    body = INIT.format("context=None, ") + "    super().__init__(container_security_context=context, **kwargs)"
    text = classed(body, "image='a'")
    assert rewrite(text, harden_it).text == text.replace("image='a'", "image='a', context={'privileged': False}")


OPERATORS = {
    "dags/operators/gcp.py": """\
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator as Upstream


class GKEPodOperator(Upstream):
    def __init__(self, image_pull_policy="Always", **kwargs):
        super().__init__(image_pull_policy=image_pull_policy, **kwargs)
""",
    "dags/operators/load.py": """\
from operators.gcp import GKEPodOperator


class Load(GKEPodOperator):
    def __init__(self, *, task_id, image):
        super().__init__(task_id=task_id, image=image, hostnetwork=True)
""",
    "dags/operators/__init__.py": "from .gcp import GKEPodOperator as Gke\nfrom .load import Load\n",
}
CALLS = {
    "a class of a module": "from operators.gcp import GKEPodOperator\nGKEPodOperator(task_id='t', image='a:1')\n",
    "under another name": "from operators.gcp import GKEPodOperator as P\nP(task_id='t', image='a:1')\n",
    "through its module": "from operators import gcp\ngcp.GKEPodOperator(task_id='t', image='a:1')\n",
    "through its package": "import operators.gcp\noperators.gcp.GKEPodOperator(task_id='t', image='a:1')\n",
    "a class of a class": "from operators.load import Load\nLoad(task_id='t', image='a:1')\n",
    "what a package offers": "from operators import Load\nLoad(task_id='t', image='a:1')\n",
    "what a package offers under another name": "from operators import Gke\nGke(task_id='t', image='a:1')\n",
    "all names of a module": "from operators.gcp import *\nGKEPodOperator(task_id='t', image='a:1')\n",
    "in one line with a branch": "if True: from operators.load import Load\nLoad(task_id='t', image='a:1')\n",
    "a relative import": "from ..operators.load import Load\nLoad(task_id='t', image='a:1')\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_a_class_is_known_in_the_whole_tree(harden: Harden, tmp_path: Path, text: str) -> None:
    write(tmp_path, OPERATORS | {"dags/daily/a.py": text})
    commit(tmp_path)
    found = json.loads(harden("diff", "dags/daily/a.py", "--format", "json").out)
    assert [(one["id"], one["line"]) for one in found["findings"] if one["id"] == "pin-image-digest"] == [
        ("pin-image-digest", 2)
    ]
    by_class = "hostNetwork is set by Load (dags/operators/load.py:4)"
    assert (by_class in {one["reason"] for one in found["refused"]}) == ("Load" in text)


OTHERS = {
    "another class of that name": "from others.gcp import GKEPodOperator\nGKEPodOperator(task_id='t', image='a:1')\n",
    "one that is defined anew": (
        "from operators.gcp import GKEPodOperator\nclass GKEPodOperator: pass\nGKEPodOperator(image='a:1')\n"
    ),
    "a name in a text": "x = 'GKEPodOperator'\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_only_has_the_name_of_a_class_is_none(harden: Harden, tmp_path: Path, text: str) -> None:
    write(tmp_path, OPERATORS | {"dags/daily/a.py": text})
    commit(tmp_path)
    assert "0 files, 0 documents" in harden("diff", "dags/daily/a.py").all


NOT_MEANT = {
    "a name in a text": OTHERS["a name in a text"],
    "another class of that name": OTHERS["another class of that name"],
    "a class of another module": "from asyncio import Load\nLoad()\n",
    "a class of a module of that name elsewhere": "from dags.other.load import Load\nLoad()\n",
    "all names of another module": "from tkinter import *\nLoad()\n",
    "a class of another module, and an attribute": "from asyncio import Load\nimport os\nos.Load(Load())\n",
    "an attribute, and no import": "import os\nos.Load(x.Load())\n",
}


def _read_again(folder: Path, text: str) -> set[str]:
    """Which files are read again for the classes of others, where ``text`` stands beside OPERATORS."""
    write(folder, OPERATORS | {"dags/daily/a.py": text})
    paths = sorted(map(str, folder.rglob("*.py")))
    own = Subclasses(read=reading.content)
    for path in paths:
        reading.load(path, editable=True, given=False, own=own)
    found = reading.naming(own, dict.fromkeys(paths))
    return {Path(path).relative_to(folder).as_posix() for path in found}


@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_what_may_mean_a_class_of_another_file_is_read_again(tmp_path: Path, text: str) -> None:
    assert "dags/daily/a.py" in _read_again(tmp_path, text)


@pytest.mark.parametrize("text", NOT_MEANT.values(), ids=NOT_MEANT)
def test_what_means_no_class_of_another_file_is_read_once(tmp_path: Path, text: str) -> None:
    assert "dags/daily/a.py" not in _read_again(tmp_path, text)


@pytest.mark.slow
def test_the_nearest_class_is_meant_and_none_of_two(harden: Harden, tmp_path: Path) -> None:
    text = "from operators.load import Load\nLoad(task_id='t', image='a:1')\n"
    near = {f"{team}/operators/load.py": OPERATORS["dags/operators/load.py"].replace("True", host) for team, host in
            {"a": "True", "b": "False"}.items()}  # fmt: skip
    write(tmp_path, OPERATORS | near | {"a/dag.py": text, "b/dag.py": text, "c/dag.py": text})
    (tmp_path / "dags" / "operators" / "load.py").unlink()
    found = json.loads(harden("diff", ".", "--only", "no-host-network", "--format", "json").out)
    assert {one["file"] for one in found["refused"]} == {"a/dag.py"}
    assert {file for one in found["leftOut"] if one["reason"] == "no-object-seen" for file in one["places"]} == set()


@pytest.mark.slow
def test_what_is_written_beside_a_class_of_another_file_is_read_again(tmp_path: Path) -> None:
    pod = OPERATORS["dags/operators/gcp.py"]
    call = (
        "from operators.gcp import GKEPodOperator\n\nGKEPodOperator(task_id='t', name='t', image='a:1', cmds=['x'])\n"
    )
    write(tmp_path, {"operators/gcp.py": pod, "dag.py": call})
    assert run("apply", ".", "--only", "no-privilege-escalation,pin-image-digest", cwd=tmp_path).status == 0
    assert "container_security_context={'allowPrivilegeEscalation': False}" in (tmp_path / "dag.py").read_text()
    assert (tmp_path / "operators/gcp.py").read_text() == pod
    assert run("diff", ".", "--only", "no-privilege-escalation", cwd=tmp_path).status == 0


LIBRARY = "from kubernetes import client\nfrom kubernetes.client import V1Container\n"
CLIENTS: dict[str, tuple[str, list[Any]]] = {
    "a class without a body": (
        "class Box(V1Container): pass\nBox(name='a', image='b')",
        [("Container", {"name": "a", "image": "b"})],
    ),
    "a class with a default": (
        "class Box(V1Container):\n    def __init__(self, pull='Always', **kw):\n"
        "        super().__init__(image_pull_policy=pull, **kw)\nBox(name='a')",
        [("Container", {"imagePullPolicy": "Always", "name": "a"})],
    ),
    "a class that says all": (
        "class Box(client.V1Container):\n    def __init__(self):\n        super().__init__(name='a', image='b')\nBox()",
        [("Container", {"name": "a", "image": "b"})],
    ),
    "a class that may do anything": (
        "class Box(V1Container):\n    def __init__(self, **kw):\n        f(kw)\n        super().__init__(**kw)\n"
        "Box(name='a')",
        [],
    ),
}


@pytest.mark.parametrize("text, wanted", CLIENTS.values(), ids=CLIENTS)
def test_own_classes_of_a_client(text: str, wanted: list[Any]) -> None:
    documents = parse(LIBRARY + text).documents
    assert [(one["kind"], one["spec"]["containers"][0]) for one in documents] == wanted


# -- what a file imports of a library for others

OFFERED = {
    "common/k8s.py": "import os\nfrom kubernetes import client, config\n",
    "common/models.py": "from kubernetes.client.models import *\n",
    "common/schemas.py": (
        "from kubernetes import client\nV1Container = client.V1Container\nV1PodSpec = client.V1PodSpec\n"
    ),
    "common/renamed.py": "import kubernetes.client as k8s\nfrom kubernetes.client import V1PodSpec as Spec\n",
    "common/again.py": "from .k8s import client\nfrom kubernetes import config\n",
    "common/other.py": "from kubernetes import client\nclient = client.make()\n",
    "common/own.py": "from kubernetes.client import V1PodSpec\nclass V1PodSpec: pass\n",
}
BODY = "containers=[], service_account_name='a')\n"
OFFERS: dict[str, tuple[str, list[str]]] = {
    "a client": (f"from common.k8s import client\nclient.V1PodSpec({BODY}", ["PodSpec"]),
    "a client under a name": (f"from common.k8s import client as c\nc.V1PodSpec({BODY}", ["PodSpec"]),
    "a client by a relative import": (f"from .common.k8s import client\nclient.V1PodSpec({BODY}", ["PodSpec"]),
    "all classes": (f"from common import models\nmodels.V1PodSpec({BODY}", ["PodSpec"]),
    "one of all classes": (f"from common.models import V1PodSpec\nV1PodSpec({BODY}", ["PodSpec"]),
    "a class": (f"from common.schemas import V1PodSpec\nV1PodSpec({BODY}", ["PodSpec"]),
    "a class below a module": (f"from common import schemas\nschemas.V1PodSpec({BODY}", ["PodSpec"]),
    "a class below a module with a name": (f"from .common import schemas as s\ns.V1PodSpec({BODY}", ["PodSpec"]),
    "a class that a module has not": (f"from common import schemas\nschemas.V1PodTemplateSpec(spec=1)\n# {BODY}", []),
    "a client that has another name there": (f"from common.renamed import k8s\nk8s.V1PodSpec({BODY}", ["PodSpec"]),
    "a class that has another name there": (f"from common.renamed import Spec\nSpec({BODY}# V1PodSpec(", ["PodSpec"]),
    "what another one offers": (f"from common.again import client\nclient.V1PodSpec({BODY}", []),
    "a name that is assigned": (f"from common.other import client\nclient.V1PodSpec({BODY}", []),
    "a class of its own": (f"from common.own import V1PodSpec\nV1PodSpec({BODY}", []),
    "a module that is not there": (f"from others.k8s import client\nclient.V1PodSpec({BODY}", []),
}


@pytest.mark.slow
@pytest.mark.parametrize("text, kinds", OFFERS.values(), ids=OFFERS)
def test_what_a_file_imports_of_a_library_it_has_for_others(
    harden: Harden, tmp_path: Path, text: str, kinds: list[str]
) -> None:
    write(tmp_path, OFFERED | {"a.py": text})
    commit(tmp_path)
    found = json.loads(harden("diff", "a.py", "--only", "automount-token", "--format", "json").out)
    assert found["summary"]["documents"] == len(kinds)


@pytest.mark.slow
def test_a_new_class_is_called_as_its_siblings_are(tmp_path: Path) -> None:
    text = "from common.{} import {}\n\n{}V1PodSpec(containers=[{}V1Container(name='a', image='b:1', command=['x'])])\n"
    write(tmp_path, OFFERED | {
        "a.py": text.format("k8s", "client", "client.", "client."),
        "b.py": text.format("schemas", "V1Container, V1PodSpec", "", ""),
        "c.py": text.format("contexts", "V1SecurityContext", "contexts.", "contexts.").replace(
            "common.contexts import V1SecurityContext", "common import contexts"
        ),
        "common/contexts.py": OFFERED["common/schemas.py"] + "V1SecurityContext = client.V1SecurityContext\n",
        "d.py": text.format("schemas", "", "schemas.", "schemas.").replace(".schemas import ", " import schemas"),
    })  # fmt: skip
    assert run("apply", ".", "--only", "no-privilege-escalation", cwd=tmp_path).status == 0
    made = {name: (tmp_path / name).read_text(encoding="utf-8") for name in ("a.py", "b.py", "c.py", "d.py")}
    assert "security_context=client.V1SecurityContext(allow_privilege_escalation=False)" in made["a.py"]
    assert "from kubernetes.client import V1SecurityContext\n" in made["b.py"]
    assert "security_context=V1SecurityContext(allow_privilege_escalation=False)" in made["b.py"]
    assert "security_context=contexts.V1SecurityContext(allow_privilege_escalation=False)" in made["c.py"]
    assert "import V1SecurityContext" not in made["c.py"]
    assert "from kubernetes.client import V1SecurityContext\n" in made["d.py"]
    assert run("diff", ".", "--only", "no-privilege-escalation", cwd=tmp_path).status == 0
