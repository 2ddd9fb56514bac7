"""Parts of pods that programs make keep the connections that they name: the policies of what they call let them in."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from ..conftest import Harden, write
from .test_python_runs import SERVER

OPERATOR = """\
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    load = KubernetesPodOperator(task_id="load", namespace="{namespace}", image="example.com/etl:5", {argument})
"""
SPAWNER = 'c.KubeSpawner.namespace = "hub"\nc.KubeSpawner.environment = {"API": "http://api.shop:80"}\n'
CONTAINER = """\
    from kubernetes import client

    def container(image):
        return client.V1Container(name="main", image=image, args=["--to", "http://api.shop"])
"""
CLIENT = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: front, namespace: shop, labels: {app: front}}
    spec:
      containers:
      - {name: front, image: "example.com/front:1", env: [{name: API, value: "http://api"}]}
"""


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("dag.py", OPERATOR.format(namespace="shop", argument='arguments=["--api", "api:80"]')),
        ("dag.py", OPERATOR.format(namespace="airflow", argument='env_vars={"API": "http://api.shop:80"}')),
        ("jupyterhub_config.py", SPAWNER),
        ("pods.py", CONTAINER),
    ],
)
def test_a_part_of_a_pod_is_let_in_where_it_names_a_service(
    harden: Harden, tmp_path: Path, name: str, program: str
) -> None:
    write(tmp_path, {"k8s/api.yaml": SERVER, "k8s/front.yaml": dedent(CLIENT), name: dedent(program)})
    assert "<- any pod of any namespace 8080/TCP" in harden("graph", ".").out
    assert harden("apply", ".", "--only", "netpol-workload").status == 0
    made = (tmp_path / "k8s/harden-networkpolicies.yaml").read_text()
    policy = next(each for each in made.split("---\n") if "name: harden-api\n" in each)
    assert "- namespaceSelector: {}\n" in policy.partition("egress:")[0]
    [entry] = json.loads(harden("graph", ".", "--format", "json").out)["entries"]
    assert (entry["way"], entry["evidence"][0]["file"]) == ("program", name)


def test_what_names_another_service_opens_nothing(harden: Harden, tmp_path: Path) -> None:
    program = OPERATOR.format(namespace="airflow", argument='env_vars={"API": "http://api.other:80"}')
    write(tmp_path, {"k8s/api.yaml": SERVER, "k8s/front.yaml": dedent(CLIENT), "dag.py": dedent(program)})
    harden("apply", ".", "--only", "netpol-workload")
    assert "namespaceSelector: {}" not in (tmp_path / "k8s/harden-networkpolicies.yaml").read_text()


@pytest.mark.parametrize("selector", ["labels", '{"app": name}', "{**labels}"])
def test_a_service_whose_selector_a_program_computes_stays_reachable(
    harden: Harden, tmp_path: Path, selector: str
) -> None:
    program = f"""\
        def service(name, labels):
            return {{
                "apiVersion": "v1", "kind": "Service", "metadata": {{"name": "api", "namespace": "shop"}},
                "spec": {{"selector": {selector}, "ports": [{{"port": 80}}]}},
            }}
        """
    write(tmp_path, {"k8s/front.yaml": dedent(CLIENT), "api.py": dedent(program)})
    assert harden("apply", ".", "--only", "netpol-workload").status == 0
    made = (tmp_path / "k8s/harden-networkpolicies.yaml").read_text()
    assert "  - to:\n    - podSelector: {}\n" in made.partition("egress:")[2].replace("  egress:", "")
