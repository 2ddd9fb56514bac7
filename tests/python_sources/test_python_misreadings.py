"""Programs of which harden once made what nobody would merge, or that it passed over: each with what it makes now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.sources.python import gate

from ..conftest import Harden, write

POD = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": %s}\n'
CONTAINER = '{"name": "web", "image": "example.com/web:1", "securityContext": CONTEXT}'
ALIASES = """\
from kubernetes.client.models import V1Container as C, V1Pod as P, V1PodSpec as S

pod = P(spec=S(containers=[C(name="web", image="example.com/web:1")]))
"""


def test_classes_under_other_names_pass_the_gate() -> None:
    assert gate.passes(ALIASES.encode())


ESCALATION = "no-privilege-escalation"
CHECKED = """\
from typing import TYPE_CHECKING

from kubernetes.client import V1Container, V1PodSpec

if TYPE_CHECKING:
    from kubernetes.client import V1SecurityContext

spec = V1PodSpec(containers=[V1Container(name="web", image="example.com/web:1")])
"""
MODULE = """\
import kubernetes

k8s = kubernetes.client
spec = k8s.V1PodSpec(containers=[k8s.V1Container(name="web", image="example.com/web:1")])
"""
# Name: the program, and of what is written a part that tells.
WRITTEN = {
    "a class that only a type checker imports": (
        CHECKED,
        "from kubernetes.client import V1Container, V1PodSpec, V1SecurityContext\n\nif TYPE_CHECKING",
    ),
    "names on lines that backslashes join": (
        """\
from kubernetes.client import V1Container, \\
    V1PodSpec, V1PodTemplateSpec, V1ObjectMeta, V1LabelSelector, V1Pod  # all of them

spec = V1PodSpec(containers=[V1Container(name="web", image="example.com/web:1")])
""",
        """\
from kubernetes.client import V1Container, \\
    V1PodSpec, V1PodTemplateSpec, V1ObjectMeta, V1LabelSelector, V1Pod, \\
    V1SecurityContext  # all of them
""",
    ),
    "a module under another name": (
        MODULE,
        "security_context=k8s.V1SecurityContext(allow_privilege_escalation=False)",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written(harden: Harden, tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path, {"web.py": text})
    harden("apply", ".", "--yes", "--only", ESCALATION)
    assert expected in (tmp_path / "web.py").read_text(encoding="utf-8")


LOCK = "version: 1\nimages:\n  example.com/web:1: {digest: sha256:" + "1" * 64 + "}\n"
IMAGE = """\
from kubernetes import client

IMAGE = "example.com/web:1"
docker.pull(IMAGE)
spec = client.V1PodSpec(containers=[client.V1Container(name="web", image=IMAGE)])
"""


def test_a_name_goes_on_saying_which_image_runs(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.py": IMAGE, "harden.lock": LOCK})
    said = harden("apply", ".", "--yes", "--only", "pin-image-digest").out
    assert "a value that is not in one place is not replaced" in said and "web.py:5" in said, said
    assert (tmp_path / "web.py").read_text(encoding="utf-8") == IMAGE


# Name: what is run, the program, what the run says.
LEFT_ALONE: dict[str, tuple[str, str, str]] = {
    "an empty pod that others fill": (
        "automount-token",
        "from kubernetes.client import V1PodSpec\n\nspec = V1PodSpec(containers=[])\n",
        "it has no containers",
    ),
    "values of a chart": (
        "automount-token",
        'values = {"selector": {}, "template": {"spec": {"containers": []}}}\n',
        "it has no containers",
    ),
    "a dict that is also the arguments of something else": (
        ESCALATION,
        'CONTEXT = {"readOnlyRootFilesystem": True}\nstart_docker(**CONTEXT)\n'
        + "pod = "
        + POD % f'{{"containers": [{CONTAINER}]}}',
        "spec.containers[0].securityContext is also passed to start_docker (line 2): CONTEXT",
    ),
    "what a spread behind it may replace": (
        "no-privileged",
        "pod = "
        + POD % '{"containers": [{"name": "web", "image": "a:1", "securityContext": {"privileged": True}, **more}]}',
        "spec.containers[0].securityContext is perhaps replaced by **more (line ",
    ),
    "the body of a patch": (
        ESCALATION,
        'api.patch_namespaced_pod("web", "shop", '
        + (POD % '{"containers": [{"name": "web", "image": "example.com/web:2"}]}').rstrip()
        + ")\n",
        "it is what a call patches an object with",
    ),
    "a name that is only patched with": (
        ESCALATION,
        "body = "
        + POD % '{"containers": [{"name": "web", "image": "example.com/web:2"}]}'
        + 'api.patch_namespaced_pod(name="web", namespace="shop", body=body)\n',
        "it is what a call patches an object with",
    ),
}


@pytest.mark.parametrize(("only", "text", "said"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_left_alone(harden: Harden, tmp_path: Path, only: str, text: str, said: str) -> None:
    write(tmp_path, {"web.py": text})
    assert said in harden("apply", ".", "--yes", "--only", only).out
    assert (tmp_path / "web.py").read_text(encoding="utf-8") == text


def test_a_module_that_is_imported_under_the_name_of_its_package(harden: Harden, tmp_path: Path) -> None:
    container = 'kubernetes.V1Container(name="web", image="a:1"'
    write(tmp_path, {"web.py": f"import kubernetes.client as kubernetes\n\nweb = {container})\n"})
    harden("apply", ".", "--yes", "--only", "no-privilege-escalation")
    text = (tmp_path / "web.py").read_text(encoding="utf-8")
    assert "security_context=kubernetes.V1SecurityContext(allow_privilege_escalation=False)" in text


REFERENCE = """\
from kubernetes import client


def owner(uid):
    return client.V1OwnerReference(api_version="v1", kind="Pod", name="a", uid=uid, controller=False)


def pod(settings):
    made = client.V1Pod(spec=client.V1PodSpec(containers=[client.V1Container(name="a", image="example.com/a:1")]))
    for container in made.spec.containers:
        container._resources = settings.resources
    return made
"""


def test_a_reference_is_no_object_and_a_private_attribute_is_its_field(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": REFERENCE})
    report = json.loads(harden("check", ".", "--format", "json").out)
    assert [each for each in report["findings"] if each["id"] == "unknown-field"] == []
    assert {each["line"] for each in report["findings"]} & {5} == set()
    said = [each["message"] for each in report["findings"] if each["id"] == "opaque-value"]
    assert [each for each in said if "resources is set later (line 11)" in each]
