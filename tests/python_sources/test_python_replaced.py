"""Security contexts that a program takes from a caller or a setting: what is given wins, and what is written holds
where nothing is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hardener.sources.open_values import Replaceable
from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

from ..conftest import Harden, write

HEAD = "from kubernetes import client\n\n\n"
MADE = "client.V1SecurityContext(privileged=False)"
BOX = 'client.V1Container(name="a", image="a:1", security_context='
# How a program takes a context, and the text that gives it a default.
WRITTEN: dict[str, tuple[str, str]] = {
    "a parameter": (f"def f(sc):\n    return {BOX}sc)\n", f"security_context=sc or {MADE}"),
    "an attribute": (f"def f(c):\n    return {BOX}c.sc)\n", f"security_context=c.sc or {MADE}"),
    "a key": (f'def f(c):\n    return {BOX}c["sc"])\n', f'security_context=c["sc"] or {MADE}'),
    "a setting": (f'def f(c):\n    return {BOX}c.get("sc"))\n', f'security_context=c.get("sc") or {MADE}'),
    "an attribute by name": (
        f'def f(c):\n    return {BOX}getattr(c, "sc", None))\n', f'getattr(c, "sc", None) or {MADE}'
    ),
    "one of two settings": (f"def f(c):\n    return {BOX}c.a or c.b)\n", f"security_context=c.a or c.b or {MADE}"),
    "a conditional": (
        f"def f(c):\n    return {BOX}c.a if c else None)\n", f"security_context=(c.a if c else None) or {MADE}"
    ),
    "none, then made": (
        f"def f(c):\n    sc = None\n    if c:\n        sc = client.V1SecurityContext()\n    return {BOX}sc)\n",
        f"security_context=sc or {MADE}",
    ),
    "by another name": (f"def f(c):\n    sc = c.sc\n    return {BOX}sc)\n", f"security_context=sc or {MADE}"),
    "a branch sets it": (
        'def f(c):\n    x = client.V1Container(name="a", image="a:1")\n'
        "    if c:\n        x.security_context = client.V1SecurityContext(privileged=True)\n    return x\n",
        f"security_context={MADE}",
    ),
    "one of two dicts": (
        'def f(c):\n    o = {}\n    if c:\n        o = {"security_context": c}\n'
        '    return client.V1Container(name="a", image="a:1", **o)\n',
        '**{"security_context": client.V1SecurityContext(privileged=False), **o}',
    ),
    "a function fills it in": (
        'def f(c):\n    x = client.V1Container(name="a", image="a:1")\n    c.fill(x)\n    return x\n',
        f"security_context={MADE}",
    ),
    "a dict that is filled": (
        f"def f(c):\n    sc = {{}}\n    if c.user:\n        sc['runAsGroup'] = c.user\n    sc.update(c.more)\n"
        f"    if not sc:\n        sc = None\n    return {BOX}sc)\n",
        'sc = {"privileged": False}',
    ),
    "a dict that is filled, or none": (
        f"def f(c):\n    sc = {{'runAsGroup': 5}}\n    sc.update(c)\n    return {BOX}sc or None)\n",
        "sc = {'runAsGroup': 5, 'privileged': False}",
    ),
    "a function that gives it back": (
        'def f(c):\n    x = client.V1Container(name="a", image="a:1")\n    x = c.fill(x)\n'
        "    pod = client.V1Pod(spec=client.V1PodSpec(containers=[]))\n"
        "    pod.spec.containers.append(x)\n    return pod\n",
        f"security_context={MADE}",
    ),
    "a dict": (
        'def f(c):\n    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": '
        '[{"name": "a", "image": "a:1", "securityContext": c.get("sc")}]}}\n',
        '"securityContext": c.get("sc") or {"privileged": False}',
    ),
}  # fmt: skip


def _set(documents: list[Any]) -> None:
    documents[0]["spec"]["containers"][0]["securityContext"]["privileged"] = False


def joined(text: str) -> str:
    """A text on one line, without the blanks and the last comma of brackets that are laid out."""
    line = " ".join(text.split()).replace("( ", "(").replace("{ ", "{")
    return line.replace(", )", ")").replace(" )", ")").replace(", }", "}").replace(" }", "}")


@pytest.mark.parametrize(("text", "wanted"), WRITTEN.values(), ids=WRITTEN)
def test_a_context_that_may_be_absent_gets_a_default(text: str, wanted: str) -> None:
    found = rewrite(HEAD + text, _set)
    assert wanted in joined(found.text)
    again = parse(found.text).documents[0]["spec"]["containers"][0]["securityContext"]
    assert isinstance(again, Replaceable) and again["privileged"] is False
    assert again.keys() <= {"privileged", "runAsGroup"}


# What stands somewhere as a whole, and what would not be read as it is written.
LEFT: dict[str, str] = {
    "an imported constant": f"from house import CONTEXT\n\ndef f():\n    return {BOX}CONTEXT)\n",
    "a constant of a module": f"import house\n\ndef f():\n    return {BOX}house.CONTEXT)\n",
    "what a function makes": f"def f(c):\n    return {BOX}make(c))\n",
    "two that are made": (
        "def f(c):\n    sc = client.V1SecurityContext()\n    if c:\n"
        "        sc = client.V1SecurityContext(run_as_user=1)\n"
        f"    return {BOX}sc)\n"
    ),
    "an item of a loop": f"def f(c):\n    for sc in c:\n        yield {BOX}sc)\n",
    "another library": (
        "from pulumi_kubernetes.core.v1 import ContainerArgs\n\ndef f(sc):\n"
        '    return ContainerArgs(name="a", image="a:1", security_context=sc)\n'
    ),
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_a_context_that_is_there_for_sure_gets_none(text: str) -> None:
    (document,) = parse(HEAD + text).documents
    assert isinstance(document["spec"]["containers"][0]["securityContext"], str)


# Dicts that are filled, and of which the program does something else that a default would change.
USED: dict[str, str] = {
    "a dict that it asks whether it is empty": (
        f"def f(c):\n    sc = {{}}\n    sc.update(c)\n    if not sc:\n        c.say()\n    return {BOX}sc)\n"
    ),
    "a dict that it hands on": (f"def f(c):\n    sc = {{}}\n    sc.update(c)\n    c.say(sc)\n    return {BOX}sc)\n"),
    "a dict that gets what is absent": (
        f"def f(c):\n    sc = {{}}\n    sc.setdefault('privileged', c)\n    sc.update(c)\n    return {BOX}sc)\n"
    ),
    "a dict of another one": f"def f(c):\n    sc = {{**c}}\n    sc.update(c)\n    return {BOX}sc)\n",
    "a dict for two": f"def f(c):\n    sc = {{}}\n    sc.update(c)\n    return [{BOX}sc), {BOX}sc)]\n",
    "a dict that is looked at later": (
        f"def f(c):\n    sc = {{}}\n    sc.update(c)\n    x = {BOX}sc)\n"
        "    if x.security_context is None:\n        c.say()\n    return x\n"
    ),
}


@pytest.mark.parametrize("text", USED.values(), ids=USED)
def test_a_dict_that_is_used_in_another_way_gets_no_default(text: str) -> None:
    document = parse(HEAD + text).documents[0]
    assert not isinstance(document["spec"]["containers"][0]["securityContext"], Replaceable)
    with pytest.raises(TextError):
        rewrite(HEAD + text, _set)


def test_a_context_that_the_program_looks_at_is_not_written() -> None:
    text = WRITTEN["a branch sets it"][0].replace("return x", "print(x.security_context)\n    return x")
    (document,) = parse(HEAD + text).documents
    assert isinstance(document["spec"]["containers"][0]["securityContext"], Replaceable)
    with pytest.raises(Exception, match="securityContext is set later"):
        rewrite(HEAD + text, _set)


def _run(text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a program defines, with a client that keeps what its classes get."""
    client = SimpleNamespace(**dict.fromkeys(_CLASSES, lambda **fields: SimpleNamespace(**fields)))
    module = ModuleType("kubernetes")
    module.client = client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kubernetes", module)
    names: dict[str, Any] = {}
    exec(compile(text, "runner.py", "exec"), names)
    return names


_CLASSES = "V1Container V1ObjectMeta V1Pod V1PodSpec V1SecurityContext V1SeccompProfile".split()
GIVEN = (
    HEAD + f"def direct(sc=None):\n    return {BOX}sc)\n\n\n"
    "def spread(sc=None):\n    o = {}\n    if sc:\n        o = {'security_context': sc}\n"
    "    return client.V1Container(name='b', image='b:1', **o)\n\n\n"
    "def later(sc=None):\n    box = client.V1Container(name='c', image='c:1')\n"
    "    if sc:\n        box.security_context = sc\n    return box\n\n\n"
)
FILLED = (
    HEAD
    + "def pod(given=None):\n    sc = {}\n    if given:\n        sc.update(given)\n    if not sc:\n        sc = None\n"
    "    return client.V1Pod(metadata=client.V1ObjectMeta(name='a'), spec=client.V1PodSpec(security_context=sc,\n"
    "        containers=[client.V1Container(name='a', image='a:1')]))\n"
)


def test_what_is_given_wins_when_the_program_runs(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"runner.py": GIVEN})
    assert harden("apply", ".", "--only", "seccomp-runtime-default", "--yes", cwd=tmp_path).status == 0
    names = _run((tmp_path / "runner.py").read_text(), monkeypatch)
    for function in (names["direct"], names["spread"], names["later"]):
        given = SimpleNamespace()
        assert function(given).security_context is given
        assert function().security_context.seccomp_profile.type == "RuntimeDefault"


def test_what_fills_a_dict_wins_when_the_program_runs(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"runner.py": FILLED})
    assert harden("apply", ".", "--only", "seccomp-runtime-default", "--yes", cwd=tmp_path).status == 0
    pod = _run((tmp_path / "runner.py").read_text(), monkeypatch)["pod"]
    given = {"seccompProfile": {"type": "Localhost"}, "fsGroup": 7}
    assert pod(given).spec.security_context == given
    assert pod().spec.security_context == {"seccompProfile": {"type": "RuntimeDefault"}}


def test_a_dict_that_is_put_over_another_pod_gets_no_default() -> None:
    text = FILLED.replace("return client", "made = client") + "    return reconcile_pods(given.template, made)\n"
    (document,) = parse(text).documents
    assert isinstance(document["spec"]["securityContext"], str)


def _pod(container: str, pod: str = "") -> str:
    return (
        HEAD + 'def f(sc):\n    return client.V1Pod(metadata=client.V1ObjectMeta(name="web"), spec=client.V1PodSpec('
        f'containers=[client.V1Container(name="web", image="nginx:1.25"{container})]{pod}))\n'
    )


@pytest.mark.parametrize(
    "text",
    [_pod(", security_context=sc"), _pod("", ", security_context=sc")],
    ids=["of the container", "of the pod"],
)
def test_no_default_takes_away_what_a_given_context_counts_on(text: str, harden: Harden, tmp_path: Path) -> None:
    """The user of the pod is none of those who give a context of a container, and the other way round."""
    write(tmp_path, {"web.py": text})
    report = json.loads(harden("diff", ".", "--format", "json", cwd=tmp_path).out)
    edited = [change for change in report["changes"] if "securityContext" in change["path"]]
    fields = {str(part) for change in edited for part in change["path"]}
    assert {"seccompProfile", "allowPrivilegeEscalation"} <= fields
    assert fields.isdisjoint({"runAsUser", "runAsNonRoot", "runAsGroup"})
    assert {change["grade"] for change in edited} == {"review"}
    assert "add" in fields  # it may start as root, as the image does
    said = [each["message"] for each in report["findings"] if each["message"].startswith("not judged: ")]
    assert len(said) == 1 and "is a parameter: sc (line " in said[0]


def test_a_pod_with_a_given_context_has_no_level(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.py": _pod(", security_context=sc or client.V1SecurityContext(privileged=False)")})
    out = harden("check", ".", cwd=tmp_path).out
    assert "not known: spec.containers[0].securityContext is a parameter: sc" in " ".join(out.split())
