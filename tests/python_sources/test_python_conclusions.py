"""What a program shows of what it makes: that it reads an address, that an object is for one platform only."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.sources.python.objects.address_reads import address_reads
from hardener.tree.tree import Tree

from ..conftest import Harden, write

PULUMI = """\
import pulumi
from pulumi_kubernetes.core.v1 import Service, ServicePortArgs, ServiceSpecArgs

web = Service("web", spec=ServiceSpecArgs(type="LoadBalancer", selector={"app": "a"}, ports=[ServicePortArgs(port=80)]))
inner = Service("b", spec=ServiceSpecArgs(type="LoadBalancer", selector={"app": "b"}, ports=[ServicePortArgs(port=80)]))
"""
CLIENT = """\
from kubernetes import client

api = client.CoreV1Api()
web = client.V1Service(api_version="v1", kind="Service", metadata=client.V1ObjectMeta(name="a", namespace="x"),
    spec=client.V1ServiceSpec(type="NodePort", selector={"app": "a"}, ports=[client.V1ServicePort(port=80)]))
"""
# Name: the program, what is read, and on which lines the address of each of its Services is read.
READS: dict[str, tuple[str, str, list[int | None]]] = {
    "nothing": (PULUMI, "", [None, None]),
    "a status, by what is applied to it": (
        PULUMI, "pulumi.export('ip', web.status.apply(lambda s: s.load_balancer.ingress[0].ip))", [6, None],
    ),
    "a status, straight": (PULUMI, "pulumi.export('ip', web.status.load_balancer.ingress[0].hostname)", [6, None]),
    "a status, by its key": (PULUMI, 'pulumi.export("ip", web.status["load_balancer"])', [6, None]),
    "statuses together": (PULUMI, "pulumi.Output.all(web.status, inner.status)", [6, 6]),
    "a node port": (PULUMI, "pulumi.export('p', inner.spec.apply(lambda s: s.ports[0].node_port))", [None, 6]),
    "external addresses": (PULUMI, "print(inner.spec.external_ips)", [None, 6]),
    "another field": (PULUMI, "pulumi.export('n', web.metadata.name)\nprint(web.spec.cluster_ip)", [None, None]),
    "what the API gives back": (
        CLIENT, "made = api.read_namespaced_service('a', 'x')\nprint(made.status.load_balancer.ingress[0].ip)", [7],
    ),
    "the node ports of what the API gives back": (
        CLIENT, "made = api.create_namespaced_service('x', web)\nports = [p.node_port for p in made.spec.ports]", [7],
    ),
    "node ports in a loop": (CLIENT, "for p in api.read_service('a', 'x').spec.ports:\n    p.node_port", [7]),
    "a dict of it": (CLIENT, "print(found['status']['loadBalancer']['ingress'])", [6]),
    "a dict of it, by get": (CLIENT, "print(found.get('status').get('loadBalancer'))", [6]),
    "an option of that name": (CLIENT, "print(args.node_port, config.load_balancer)", [None]),
    "the status of something else": (CLIENT, "job = api.read_job('a')\nprint(job.status.succeeded)", [None]),
    "one that is set": (CLIENT, "web.spec.ports[0].node_port = 30000", [None]),
}  # fmt: skip


@pytest.mark.parametrize(("program", "read", "lines"), READS.values(), ids=READS)
def test_where_an_address_is_read(program: str, read: str, lines: list[int | None], tmp_path: Path) -> None:
    write(tmp_path, {"program.py": program + read + "\n"})
    (file,) = Tree.read([str(tmp_path)], root=str(tmp_path)).files
    assert file.kept is not None
    assert [file.kept.reads_address(number) for number in range(len(file.kept.roots))] == lines


def test_what_python_cannot_read_is_no_read() -> None:
    assert address_reads(b"def f[T](x: T) -> T: return x.status.load_balancer\n" * 2 + b"f'{f'{'a'}'}' 1 2").reads == []


@pytest.mark.parametrize("of", ["restricted", "strict"])
def test_a_service_whose_address_is_read_keeps_its_type(of: str, tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"program.py": PULUMI + "pulumi.export('ip', web.status.apply(lambda s: s.load_balancer))\n"})
    said = harden("check", ".", "--only", "service-cluster-ip", "--profile", of, "-v").out
    held = [line for line in said.splitlines() if "the program reads its address" in line]
    assert len(held) == 1 and "(line 6)" in held[0], said
    other = said.count("nothing shows that only the cluster needs it")
    assert other == (1 if of == "restricted" else 0), said  # that of the other one


SCC = """\
api.create_cluster_custom_object(group="security.openshift.io", version="v1", plural="constraints", body={
    "apiVersion": "security.openshift.io/v1", "kind": "SecurityContextConstraints", "metadata": {"name": "a"}})
"""
POD = """
from kubernetes.client import V1Container, V1ObjectMeta, V1Pod, V1PodSpec

pod = V1Pod(api_version="v1", kind="Pod", metadata=V1ObjectMeta(name="a"), spec=V1PodSpec(containers=[
    V1Container(name="a", image="registry.example.com/a:1", command=["a"])]))
"""


def guessed(folder: Path) -> Outcome:
    """A run that makes guesses too: of these images no user is known."""
    tree = Tree.read([str(folder)], root=str(folder))
    return pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.GUESS))


AROUND = {
    "the module": ("", True),
    "a branch": ("if cloud == 'openshift':\n", False),
    "another branch": ("if cloud == 'kind':\n    pass\nelse:\n", False),
    "a match": ("match cloud:\n    case 'openshift':\n        pass\n", False),
    "a function": ("def scc(api):\n", False),
    "a method": ("class Made:\n    def scc(self, api):\n", False),
    "a block that is always run": ("with cluster() as api:\n", True),
}


@pytest.mark.parametrize(("head", "is_sign"), AROUND.values(), ids=AROUND)
def test_what_is_made_for_openshift_alone(head: str, is_sign: bool, tmp_path: Path) -> None:
    depth = {"": 0, "class": 2, "match": 2}.get(head.split(" ")[0], 1)
    write(tmp_path, {"program.py": head + indent(SCC, "    " * depth) + POD})
    numbers = [change.after for change in guessed(tmp_path).changes if change.path[-1] == "runAsUser"]
    assert numbers == ([] if is_sign else [65532])  # OpenShift has numbers of its own


BESIDE = {
    "beside it": ("def made(api):\n", "", "", True),
    "in a branch beside it": ("def made(api):\n", "", "    if day:", True),
    "beside a branch with it": ("def made(api, cloud):\n", "    if cloud == 'openshift':", "", False),
    "in a function in it": ("def made(api):\n", "", "    def more():", True),
}  # fmt: skip


@pytest.mark.parametrize(("head", "above_sign", "above_pod", "is_sign"), BESIDE.values(), ids=BESIDE)
def test_a_function_is_for_one_platform(
    head: str, above_sign: str, above_pod: str, is_sign: bool, tmp_path: Path
) -> None:
    imported, made = POD.strip().split("\n\n")
    sign, pod = (
        f"{above}\n{indent(text, '        ')}" if above else indent(text, "    ")
        for above, text in ((above_sign, SCC), (above_pod, made))
    )
    write(tmp_path, {"program.py": f"{imported}\n\n\n{head}{sign}{pod}\n"})
    numbers = [change.after for change in guessed(tmp_path).changes if change.path[-1] == "runAsUser"]
    assert numbers == ([] if is_sign else [65532])


def test_an_object_of_openshift_is_for_openshift_wherever_it_is_made(tmp_path: Path) -> None:
    program = dedent("""\
        def config():
            return {
                "apiVersion": "apps.openshift.io/v1",
                "kind": "DeploymentConfig",
                "metadata": {"name": "a"},
                "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "registry.example.com/a:1"}]}}},
            }
        """)
    write(tmp_path, {"program.py": program + POD})
    outcome = guessed(tmp_path)
    changed = {change.object.kind for change in outcome.changes if change.path[-1] == "runAsUser"}
    assert changed == {"Pod"}
    assert {change.object.kind for change in outcome.changes if change.path[-1] == "runAsNonRoot"} == {
        "Pod", "DeploymentConfig",
    }  # fmt: skip


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: registry.example.com/web:1, ports: [{containerPort: OWN_PORT}]}
"""
SERVICE = """\
from kubernetes import client


def service(port, more):
    return client.V1Service(api_version="v1", kind="Service",
        metadata=client.V1ObjectMeta(name="web", namespace="shop"),
        spec=client.V1ServiceSpec(TYPE, selector={"app": "web"}, ports=PORTS))
"""
ANYBODY_ON_ALL: list[object] = [{}]
NAMESPACE_ON_ALL: list[object] = [{"from": [{"podSelector": {}}]}]
# Name: what type the Service has, its ports, the port of the container, what the policy lets in.
PORTS: dict[str, tuple[str, str, str, object]] = {
    "known": (
        'type="ClusterIP"', "[client.V1ServicePort(port=80, target_port=8080)]", "8080",
        [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8080}]}],
    ),
    "a target that comes from outside": (
        'type="ClusterIP"', "[client.V1ServicePort(port=80, target_port=port)]", "8080", NAMESPACE_ON_ALL,
    ),
    "a port without a target": ('type="ClusterIP"', "[client.V1ServicePort(port=port)]", "8080", NAMESPACE_ON_ALL),
    "ports that are added": (
        'type="ClusterIP"', "[client.V1ServicePort(port=80, target_port=8080), *more]", "8080", NAMESPACE_ON_ALL,
    ),
    "a public one": (
        'type="LoadBalancer"', "[client.V1ServicePort(port=80, target_port=port)]", "8080", ANYBODY_ON_ALL,
    ),
    "a template of YAML": ('type="ClusterIP"', "[]", '"${PORT}"', NAMESPACE_ON_ALL),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "ports", "port", "expected"), PORTS.values(), ids=PORTS)
def test_no_policy_cuts_a_port_that_is_not_known(
    kind: str, ports: str, port: str, expected: object, tmp_path: Path
) -> None:
    program = SERVICE.replace("TYPE", kind).replace("PORTS", ports)
    write(tmp_path, {"web.yaml": WEB.replace("OWN_PORT", port), "service.py": program})
    outcome = pipeline.run(Tree.read([str(tmp_path)], root=str(tmp_path)), profile.load("restricted"))
    (policy,) = [
        item.data for item in outcome.tree.objects if item.kind == "NetworkPolicy" and item.name.startswith("harden-")
    ]
    assert policy["spec"]["ingress"] == expected
