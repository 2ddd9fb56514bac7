"""Settings of frameworks: what is read from them, and where new ones are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardener.sources.python import gate
from hardener.sources.python.frameworks import airflow, kubespawner
from hardener.sources.python.libraries import types
from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

from ..conftest import run, write
from .test_python_reader import why

POD = "from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator\n"
OLD = "from airflow.providers.cncf.kubernetes.operators.kubernetes_pod import KubernetesPodOperator\n"
K8S = "from kubernetes.client import models as k8s\n"
DAGSTER = "from dagster import job\n"
ROOT = {"readOnlyRootFilesystem": "${container_security_context}"}


def document(text: str) -> Any:
    assert gate.passes(text.encode())
    (found,) = parse(text).documents
    return found


def found(text: str, path: str) -> Any:
    """What stands at ``path`` below the spec of the one document; "container" is its first container."""
    value = document(text)
    for part in path.split("."):
        value = value["spec"]["containers"][0] if part == "container" else value[part]
    return value


# A program, a path, and what stands there.
READ: dict[str, tuple[str, str, Any]] = {
    "arguments of the operator": (
        POD + "KubernetesPodOperator(task_id='a', image='b', cmds=['c'], hostnetwork=True, env_vars={'X': '1'})",
        "spec",
        {
            "automountServiceAccountToken": "${automount_service_account_token}",
            "hostNetwork": True,
            "restartPolicy": "Never",
            "containers": [{"name": "base", "image": "b", "command": ["c"], "env": [{"name": "X", "value": "1"}]}],
        },
    ),
    "a name, else that of the task": (POD + "KubernetesPodOperator(task_id='a', name='b')", "metadata.name", "b"),
    "that of the task": (POD + "KubernetesPodOperator(task_id='a')", "metadata.name", "a"),
    "contexts as dicts": (
        POD
        + "KubernetesPodOperator(security_context={'runAsUser': 1}, container_security_context=dict(privileged=True))",
        "container.securityContext",
        {"privileged": True},
    ),
    "contexts as objects": (
        POD + K8S + "KubernetesPodOperator(security_context=k8s.V1PodSecurityContext(run_as_user=1))",
        "spec.securityContext",
        {"runAsUser": 1},
    ),
    "a spread that is known": (
        POD + "A = {'image': 'b', 'hostnetwork': True}\nKubernetesPodOperator(**A)",
        "container.image",
        "b",
    ),
    "another argument of default_args": (
        POD + "DAG('x', default_args={'retries': 1, 'image': 'b'})\nKubernetesPodOperator()",
        "container.image",
        "${image}",
    ),
    "an older module has fewer arguments": (
        OLD + "KubernetesPodOperator(image='b')",
        "container.securityContext",
        "${container_security_context}",
    ),
    "unless the file uses them": (
        OLD + "KubernetesPodOperator(image='b', container_security_context={'privileged': True})",
        "container.securityContext",
        {"privileged": True},
    ),
    "resources of old": (
        OLD + "KubernetesPodOperator(resources={'limit_cpu': 1})",
        "container.resources",
        "${container_resources}",
    ),
    "a decorator": (
        "from airflow.sdk import task\n@task.kubernetes(image='b')\ndef f(): pass",
        "container.command",
        ["bash", "-cx", "python /tmp/script.py /tmp/script.in"],
    ),
    "an operator of Google": (
        "from airflow.providers.google.cloud.operators.kubernetes_engine import GKEStartPodOperator\n"
        "GKEStartPodOperator(image='b', service_account_name='s')",
        "spec.serviceAccountName",
        "s",
    ),
    "tags of dagster": (
        DAGSTER
        + "@job(tags={'dagster-k8s/config': {'container_config': {'image': 'b', 'env_from': []}}})\ndef f(): pass",
        "container",
        {"image": "b", "envFrom": [], "resources": "${resources}", "name": "dagster"},
    ),
    "a token of dagster": (
        DAGSTER + "x = {'pod_spec_config': {'automount_service_account_token': True}}",
        "spec.automountServiceAccountToken",
        "${automount_service_account_token}",
    ),
    "no token of dagster": (
        DAGSTER + "x = {'pod_spec_config': {'automount_service_account_token': False}}",
        "spec.automountServiceAccountToken",
        False,
    ),
    "both styles of keys": (
        DAGSTER + "x = {'container_config': {'securityContext': {'run_as_user': 1}}}",
        "container.securityContext",
        {"runAsUser": 1},
    ),
    "arguments of a call": (
        DAGSTER + "execute_k8s_job(context, image='b', pod_spec_config={'host_network': True})",
        "spec.hostNetwork",
        True,
    ),
    "defaults of KubeSpawner": (
        "c.KubeSpawner.uid = 1000",
        "container.securityContext",
        {"allowPrivilegeEscalation": False, "runAsUser": 1000, **ROOT},
    ),
    "no token without an account": ("c.KubeSpawner.uid = 1", "spec.automountServiceAccountToken", False),
    "not privileged is as nothing": (
        "c.KubeSpawner.privileged = False",
        "container.securityContext",
        {"allowPrivilegeEscalation": False, **ROOT},
    ),
    "a whole context wins": (
        "c.KubeSpawner.uid = 1\nc.KubeSpawner.container_security_context = {'runAsUser': 2}",
        "container.securityContext",
        {"allowPrivilegeEscalation": False, "runAsUser": 2, **ROOT},
    ),
    "extra configuration replaces fields": (
        "c.KubeSpawner.uid = 1\nc.KubeSpawner.extra_container_config = {'security_context': {'runAsUser': 2}}",
        "container.securityContext",
        {"runAsUser": 2, **ROOT},
    ),
    "limits": (
        "c.KubeSpawner.cpu_limit = 0.5\nc.KubeSpawner.mem_guarantee = '1.5G'",
        "container.resources",
        {"limits": {"cpu": "500m"}, "requests": {"memory": "1.5Gi"}},
    ),
    "a setting of all spawners": (
        "c.Spawner.cpu_limit = 2\nc.KubeSpawner.uid = 1",
        "container.resources.limits",
        {"cpu": "2000m"},
    ),
    "set twice": ("c.KubeSpawner.image = 'a'\nc.KubeSpawner.image = 'b'", "container.image", "${c.KubeSpawner.image}"),
    "set in a branch": (
        "c.KubeSpawner.uid = 1\nif x:\n    c.KubeSpawner.image = 'b'",
        "container.image",
        "${c.KubeSpawner.image}",
    ),
    "changed": (
        "c.KubeSpawner.volumes = []\nc.KubeSpawner.volumes.append(x)",
        "spec.volumes",
        "${c.KubeSpawner.volumes}",
    ),
    "a key": ("c.KubeSpawner.uid = 1\nc.KubeSpawner['image'] = 'b'", "container.image", "b"),
    "an update with literals": ("c.KubeSpawner.uid = 1\nc.KubeSpawner.update(image='b')", "container.image", "b"),
    "another name for the settings": ("s = c.KubeSpawner\ns.image = 'b'", "container.image", "b"),
    "by its name": (
        "c.KubeSpawner.uid = 1\nsetattr(c.KubeSpawner, 'cpu_limit', x)",
        "container.resources",
        {"limits": {"cpu": "${c.KubeSpawner.cpu_limit}"}, "requests": {}},
    ),
    "by names in a loop": (
        "for n in ('cpu_limit', 'mem_limit'):\n    setattr(c.KubeSpawner, n, x[n])\nc.KubeSpawner.uid = 1",
        "container.resources",
        {"limits": {"cpu": "${c.KubeSpawner.cpu_limit}", "memory": "${c.KubeSpawner.mem_limit}"}, "requests": {}},
    ),
    "by a function and names in a loop": (
        "for n, k in (('cpu_limit', 'x'), ('mem_guarantee', None)):\n    fix(c.KubeSpawner, n, k)\n"
        "c.KubeSpawner.uid = 1",
        "container.resources",
        {"limits": {"cpu": "${c.KubeSpawner.cpu_limit}"}, "requests": {"memory": "${c.KubeSpawner.mem_guarantee}"}},
    ),
    "by the keys of a dict": (
        "D = {'cpu_limit': 'x'}\nfor n, k in D.items():\n    c.KubeSpawner[n] = k\nc.KubeSpawner.uid = 1",
        "container.resources.limits",
        {"cpu": "${c.KubeSpawner.cpu_limit}"},
    ),
    "by a function of the file": (
        "def f(s, x):\n    s.cpu_limit = x\nf(c.KubeSpawner, 1)\nc.KubeSpawner.uid = 1",
        "container.resources.limits",
        {"cpu": "${c.KubeSpawner.cpu_limit}"},
    ),
    "by a function of the file that gets the name": (
        "def f(s, k):\n    setattr(s, k, x)\nfor k in ['cpu_limit']:\n    f(c.KubeSpawner, k)\nc.KubeSpawner.uid = 1",
        "container.resources.limits",
        {"cpu": "${c.KubeSpawner.cpu_limit}"},
    ),
    "before what may be any": (
        "c.KubeSpawner.image = 'a'\nfor k in x:\n    c.KubeSpawner[k] = 1",
        "container.image",
        "${c.KubeSpawner.image}",
    ),
    "behind what may be any": ("c.KubeSpawner.update(x)\nc.KubeSpawner.image = 'a'", "container.image", "a"),
    "volumes as a dict": ("c.KubeSpawner.volumes = {'a': {'name': 'b'}}", "spec.volumes", "${c.KubeSpawner.volumes}"),
}

# A program, and what may add to its container.
OPEN: dict[str, tuple[str, str]] = {
    "a template": (POD + "KubernetesPodOperator(image='b', pod_template_file='/x')", "pod_template_file (line 2)"),
    "a whole pod": (POD + "KubernetesPodOperator(image='b', full_pod_spec=p)", "full_pod_spec (line 2)"),
    "a spread": (POD + "KubernetesPodOperator(image='b', **more)", "**more (line 2)"),
    "mapped tasks": (POD + "KubernetesPodOperator.partial(image='b').expand(cmds=x)", "expand() (line 2)"),
    "default_args from elsewhere": (
        POD + "DAG(default_args=f())\nKubernetesPodOperator(image='b')",
        "default_args (line 2)",
    ),
    "Airflow 1": (
        "from airflow.contrib.operators.kubernetes_pod_operator import KubernetesPodOperator\n"
        "KubernetesPodOperator(image='b')",
        "Airflow 1, whose volumes and resources are objects of its own",
    ),
    "a part from elsewhere": (
        DAGSTER + "x = {'container_config': f(), 'pod_spec_config': {}}",
        "container_config (line 2)",
    ),
    "what a dict is merged with": (DAGSTER + "x = {**f(), 'pod_spec_config': {}}", "f() (line 2)"),
    "c from elsewhere": ("def f(c):\n    c.KubeSpawner.uid = 1", "what else is set on the parameter c"),
    "a name of a setting that is not known": (
        "c.KubeSpawner.uid = 1\nfor k in x:\n    c.KubeSpawner[k] = 1",
        "a change of all settings (line 3)",
    ),
    "a loop of which one name is not known": (
        "for k in ('cpu_limit', x):\n    setattr(c.KubeSpawner, k, 1)\nc.KubeSpawner.uid = 1",
        "a change of all settings (line 2)",
    ),
    "an update with anything": ("c.KubeSpawner.uid = 1\nc.KubeSpawner.update(x)", "a change of all settings (line 2)"),
    "a function that gets the settings": (
        "c.KubeSpawner.uid = 1\nfix(c.KubeSpawner)",
        "fix, which gets the settings (line 2)",
    ),
    "a function that gets a name that is not known": (
        "for k in x:\n    fix(c.KubeSpawner, k)\nc.KubeSpawner.uid = 1",
        "fix, which gets the settings (line 2)",
    ),
    "a function that gets all": ("c.KubeSpawner.uid = 1\na.fix(c)", "a.fix, which gets the settings (line 2)"),
    "a function of the file that sets anything": (
        "def f(s, k):\n    setattr(s, k, 1)\nf(c.KubeSpawner, x)\nf(c.KubeSpawner, 'uid')\nc.KubeSpawner.uid = 1",
        "a change of all settings (line 2)",
    ),
    "extra configuration that is not known": (
        "c.KubeSpawner.uid = 1\nc.KubeSpawner.extra_container_config = x",
        "extra_container_config (line 2)",
    ),
    "another file of settings": ("load_subconfig('x.py')\nc.KubeSpawner.uid = 1", "load_subconfig (line 1)"),
}
NOTHING = {
    "another operator": "from airflow.operators.bash import BashOperator\nBashOperator(task_id='a', image='b')",
    "another spawner": "c.DockerSpawner.image = 'b'\nx = 'c.KubeSpawner.'",
    "no configuration": "class C: pass\nc = 1\nc.KubeSpawner.image = 'b'",
    "a word of dagster without it": "x = {'container_config': {'image': 'b'}}",
}


@pytest.mark.parametrize(
    ("type_name", "names"),
    [
        ("ObjectMeta", airflow._METADATA),
        ("PodSpec", airflow._POD),
        ("Container", airflow._CONTAINER),
        ("PodSpec", kubespawner._POD),
        ("PodSecurityContext", kubespawner._POD_SECURITY),
        ("Container", kubespawner._CONTAINER),
        ("SecurityContext", kubespawner._CONTAINER_SECURITY),
    ],
)
def test_each_setting_is_one_field(type_name: str, names: dict[str, str]) -> None:
    assert names.keys() <= types.fields(type_name).keys()
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    text, path, wanted = READ[case]
    assert found(text, path) == wanted


@pytest.mark.parametrize("case", OPEN)
def test_what_may_add_more(case: str) -> None:
    text, wanted = OPEN[case]
    assert why(found(text, "container")) == wanted


def test_all_of_a_container_may_be_replaced_by_extra_configuration() -> None:
    value = found("c.KubeSpawner.cpu_limit = 1\nc.KubeSpawner.extra_container_config = x", "container")
    parts = (value["securityContext"], value["resources"], value["resources"]["limits"])
    assert set(map(why, parts)) == {"extra_container_config (line 2)"}


def test_settings_that_are_made_by_name_are_not_made_twice(tmp_path: Path) -> None:
    names = '("cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee", "extra_container_config")'
    text = f"from z2jh import fix\n\nfor n in {names}:\n    fix(c.KubeSpawner, n, n)\nc.KubeSpawner.volumes = []\n"
    write(tmp_path, {"jupyterhub_config.py": text})
    done = run("apply", ".", "--yes", cwd=tmp_path)
    written = (tmp_path / "jupyterhub_config.py").read_text(encoding="utf-8")
    assert "limit =" not in written and "guarantee =" not in written and "container" not in written.replace(names, "")
    assert "from extra_container_config (line 4)" in done.all
    assert "harden hook kubespawner" in done.all


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_no_pod(case: str) -> None:
    assert parse(NOTHING[case]).documents == []


def pod(**fields: Any) -> Callable[[list[Any]], None]:
    return lambda documents: documents[0]["spec"].update(fields)


def container(**fields: Any) -> Callable[[list[Any]], None]:
    return lambda documents: documents[0]["spec"]["containers"][0].update(fields)


def security(**fields: Any) -> Callable[[list[Any]], None]:
    return lambda documents: documents[0]["spec"]["containers"][0]["securityContext"].update(fields)


def without_privileged(documents: list[Any]) -> None:
    del documents[0]["spec"]["containers"][0]["securityContext"]["privileged"]


# A program, a change, and the program with it.
WRITTEN: dict[str, tuple[str, Callable[[list[Any]], None], str]] = {
    "a dict where no class is at hand": (
        POD + "KubernetesPodOperator(task_id='a')\n",
        pod(securityContext={"runAsNonRoot": True}),
        POD + "KubernetesPodOperator(task_id='a', security_context={'runAsNonRoot': True})\n",
    ),
    "a class where it is": (
        POD + K8S + "KubernetesPodOperator(task_id='a')\n",
        pod(securityContext={"runAsNonRoot": True}),
        POD + K8S + "KubernetesPodOperator(\n    task_id='a',\n"
        "    security_context=k8s.V1PodSecurityContext(run_as_non_root=True),\n)\n",
    ),
    "a class that is imported for it": (
        POD + "KubernetesPodOperator(task_id='a')\n",
        container(resources={"limits": {"cpu": "1"}}),
        POD + K8S + "KubernetesPodOperator(\n    task_id='a',\n"
        "    container_resources=k8s.V1ResourceRequirements(limits={'cpu': '1'}),\n)\n",
    ),
    "in a dict in its style": (
        DAGSTER + "x = {'container_config': {'image': 'b', 'env_from': []}}\n",
        container(securityContext={"runAsNonRoot": True}),
        DAGSTER + "x = {\n    'container_config': {\n        'image': 'b',\n        'env_from': [],\n"
        "        'security_context': {'run_as_non_root': True},\n    }\n}\n",
    ),
    "a part that is not there": (
        DAGSTER + "x = {'container_config': {'image': 'b'}}\n",
        pod(hostNetwork=False),
        DAGSTER + "x = {'container_config': {'image': 'b'}, \"pod_spec_config\": {'host_network': False}}\n",
    ),
    "in an empty part": (
        DAGSTER + "x = {'container_config': {'image': 'b'}, 'pod_spec_config': {}}\n",
        pod(hostNetwork=False),
        DAGSTER + "x = {'container_config': {'image': 'b'}, 'pod_spec_config': {'host_network': False}}\n",
    ),
    "in a call of dict": (
        "c.KubeSpawner.container_security_context = dict(runAsUser=1)\n",
        security(privileged=False),
        "c.KubeSpawner.container_security_context = dict(runAsUser=1, privileged=False)\n",
    ),
    "a new setting": (
        "c.KubeSpawner.uid = 1  # a\nc.X.y = 2\n",
        security(runAsNonRoot=True),
        'c.KubeSpawner.uid = 1  # a\nc.KubeSpawner.container_security_context = {"runAsNonRoot": True}\nc.X.y = 2\n',
    ),
    "in a setting that is there": (
        "c.KubeSpawner.container_security_context = {'runAsUser': 1}\n",
        security(runAsNonRoot=True),
        "c.KubeSpawner.container_security_context = {'runAsUser': 1, 'runAsNonRoot': True}\n",
    ),
    "settings behind the last one, indented as it": (
        "if x:\n    c.KubeSpawner.uid = (\n        1\n    )\n",
        lambda documents: documents[0]["spec"]["containers"][0]["resources"]["limits"].update(
            cpu="1500m", memory="2Gi"
        ),
        "if x:\n    c.KubeSpawner.uid = (\n        1\n    )\n"
        '    c.KubeSpawner.cpu_limit = 1.5\n    c.KubeSpawner.mem_limit = "2G"\n',
    ),
    "a value that goes": (
        "c.KubeSpawner.privileged = True  # a\n",
        without_privileged,
        "c.KubeSpawner.privileged = False  # a\n",
    ),
    "a value that becomes another": (
        "c.KubeSpawner.allow_privilege_escalation = True\n",
        security(allowPrivilegeEscalation=False),
        "c.KubeSpawner.allow_privilege_escalation = False\n",
    ),
    "a field of extra configuration that goes": (
        "c.KubeSpawner.extra_pod_config = {'hostNetwork': True, 'hostname': 'a'}\n",
        lambda documents: documents[0]["spec"].pop("hostNetwork"),
        "c.KubeSpawner.extra_pod_config = {'hostname': 'a'}\n",
    ),
}
REFUSED: dict[str, tuple[str, Callable[[list[Any]], None], str]] = {
    "no such argument": (
        POD + "KubernetesPodOperator()\n",
        pod(shareProcessNamespace=False),
        "KubernetesPodOperator has no argument for shareProcessNamespace",
    ),
    "another k8s": (
        POD + "import k8s\nKubernetesPodOperator()\n",
        pod(volumes=[{"name": "a"}]),
        "the kubernetes client is not imported",
    ),
    "no such setting": ("c.KubeSpawner.uid = 1\n", pod(hostPID=False), "hostPID has no place in the text"),
    "a limit that is there": (
        "c.KubeSpawner.cpu_limit = 1\n",
        lambda documents: documents[0]["spec"]["containers"][0]["resources"]["limits"].update(cpu="500m"),
        "a value that is not in one place is not replaced",
    ),
    "several statements on a line": (
        "x = 1; c.KubeSpawner.uid = 1\n",
        pod(securityContext={}),
        "a line that holds several statements gets no more",
    ),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_written(case: str) -> None:
    text, change, wanted = WRITTEN[case]
    assert rewrite(text, change).text == wanted


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    text, change, reason = REFUSED[case]
    with pytest.raises(TextError, match=f"^{reason}$"):
        rewrite(text, change)


# A program with something that is not known, and what the advice offers.
HOOKS = {
    "airflow": (POD + "KubernetesPodOperator(image='b:1', **more)\n", "a pod_mutation_hook"),
    "airflow, a pod to merge": (
        "from airflow.sdk import DAG\nfrom kubernetes.client import models as k8s\n"
        "x = k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(name='base')]))\n",
        "a pod_mutation_hook",
    ),
    "kubespawner": ("load_subconfig('x')\nc.KubeSpawner.image = 'b:1'\n", "a modify_pod_hook"),
    "pulumi": (
        "from pulumi_kubernetes.core.v1 import ContainerArgs, Pod, PodSpecArgs\n"
        "Pod('a', spec=PodSpecArgs(containers=[ContainerArgs(name='a', image='b:1', **more)]))\n",
        "a transform",
    ),
    "cdk8s": (
        "from imports import k8s\nk8s.KubePod(self, 'a', spec=k8s.PodSpec(containers=[f()]))\n",
        "a function",
    ),
}


@pytest.mark.parametrize("case", HOOKS)
def test_the_advice_offers_the_hook(tmp_path: Any, case: str) -> None:
    text, what = HOOKS[case]
    write(tmp_path, {"program.py": text})
    name = case.partition(",")[0]
    wanted = f"harden hook {name} prints {what} that fills in what each pod leaves open"
    assert wanted in run("diff", ".", "-v", cwd=tmp_path).all


def test_an_image_is_nothing_for_a_hook(tmp_path: Any) -> None:
    write(tmp_path, {"dag.py": POD + "KubernetesPodOperator(image=f(), automount_service_account_token=False)\n"})
    done = run("diff", ".", "-v", "--only", "pin-image-digest", cwd=tmp_path)
    assert "image is a call" in done.all and "harden hook" not in done.all
