"""Which workloads are only partly read: they may call somebody whom nothing in the tree shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.facts.network.connections.model import Connections
from hardener.facts.network.silent_workloads import MANY, SilentWorkloads
from hardener.kubernetes.network.network_policy import Pod
from hardener.tree.tree import Tree

from .conftest import Harden, commit, run, write
from .test_maintainers_policies import Bundle


def workload(name: str, *, image: str = "", more: str = "", kind: str = "ClusterIP", served: bool = True) -> str:
    """A Deployment and its Service as YAML; ``more`` are fields of its container."""
    image = image or f"registry.example.com/shop/{name}:1"
    service = (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{type: {kind}, selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n---\n"
    )
    return (service if served else "") + (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec: {{containers: [{{name: main, image: '{image}'{', ' if more else ''}{more}}}]}}\n---\n"
    )


def calls(*urls: str) -> str:
    return f"env: [{', '.join(f'{{name: URL{n}, value: {url!r}}}' for n, url in enumerate(urls))}]"


UNREAD = "env: [{name: API_URL, value: http://api}, {name: DB_URL, valueFrom: {secretKeyRef: {name: gone, key: url}}}]"
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {defaultBackend: {service: {name: front, port: {number: 80}}}}
---
"""
SET = 'env: [{name: PORT, value: "80"}]'
API = workload("api", more=SET)
BUILT = {"front/Dockerfile": "FROM nginx\n", "api/Dockerfile": "FROM node\n"}  # whose images they are, the folders say
CALLER = workload("caller", more=calls("http://api"), served=False)


def silent(root: Path) -> dict[str, str]:
    tree = Tree.read([str(root.resolve())], root=str(root.resolve()))
    return {pod.object.name: why.text for pod, why in tree.ask(SilentWorkloads).found.items()}


@pytest.mark.parametrize(
    ("manifests", "files", "expected"),
    [
        pytest.param(API + CALLER, {}, set(), id="a leaf that others call, and that has settings"),
        pytest.param(workload("api") + CALLER, {}, {"api"}, id="a leaf that others call, without settings"),
        pytest.param(API + CALLER + workload("batch", more=UNREAD), {}, {"batch"},
                     id="one with an address that the tree does not hold, and another that it does"),
        pytest.param(API + CALLER + workload("batch", more="envFrom: [{configMapRef: {name: gone}}], " + calls("http://api")),
                     {}, {"batch"}, id="one with a whole ConfigMap that the tree does not hold"),
        pytest.param(API + CALLER + workload("front", kind="LoadBalancer"), {}, {"front"}, id="an entrance"),
        pytest.param(API + CALLER + workload("front") + INGRESS, {}, {"front"}, id="an entrance by an Ingress"),
        pytest.param(API + CALLER + workload("front", more=calls("http://api"), kind="NodePort"), {}, set(),
                     id="an entrance that says whom it calls"),
        pytest.param(API + CALLER + workload("front", more=calls("https://pay.example.com"), kind="NodePort"), {},
                     {"front"}, id="an address outside says nothing of the inside"),
        pytest.param(API + CALLER + workload("front", more=calls("http://gone.shop.svc"), kind="NodePort"), {}, set(),
                     id="a name that the tree does not hold"),
        pytest.param(API + CALLER + workload("batch", served=False), {}, {"batch"}, id="nobody calls it"),
        pytest.param(API + CALLER + workload("db", image="postgres:17"), {}, set(), id="a data store"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/index.html": "<h1>hello</h1>\n"}, set(),
                     id="sources that name nobody"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/app.js": "const api = lookup('api')\n"}, set(),
                     id="sources that name a Service by a bare word, which may be called"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"), BUILT, {"front"},
                     id="a Dockerfile is no source"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/app.js": "get(process.env.API_SERVICE_HOST)\n"}, set(),
                     id="sources that name a Service by its variable, which may be called"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/app.js": "serve()\n", "front/bundle.js": "x" * 2_000_000}, {"front"},
                     id="a source that is too large to be read"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/Dockerfile": "FROM corp/storefront:3\n", "front/theme.js": "dark()\n"}, {"front"},
                     id="a base that nobody knows"),
        pytest.param(API + CALLER + workload("front", kind="NodePort"),
                     {**BUILT, "front/Dockerfile": "FROM node\nADD https://example.com/shop.tgz /\n",
                      "front/start.js": "go()\n"}, {"front"}, id="a program from elsewhere"),
        pytest.param(API + CALLER + workload("worker", more="ports: [{name: stats, containerPort: 9}]", served=False)
                     .replace("metadata: {labels: {app: worker}}",
                              "metadata: {labels: {app: worker}, annotations: {prometheus.io/scrape: 'true'}}")
                     + workload("prometheus", image="prom/prometheus:v3", more=calls("http://api"), served=False),
                     {}, {"worker"}, id="who is only measured is called by nobody"),
        pytest.param(API + CALLER + workload("batch", more="args: ['-disable=api']", served=False), {}, {"batch"},
                     id="a bare word is no connection"),
    ],
)  # fmt: skip
def test_who_is_silent(tmp_path: Path, manifests: str, files: dict[str, str], expected: set[str]) -> None:
    write(tmp_path, {"k8s/all.yaml": manifests, **files})
    commit(tmp_path)
    found = silent(tmp_path)
    assert found.keys() == expected
    assert all(" Deployment/" in f" {text}" for text in found.values())


DOUBTS = {
    "a text that is its name": ("redis = Redis('api')\n", True),
    "the default of a setting": ('@Value("${catalog.host:api}")\n', True),
    "a variable of it": ("os.environ['API_HOST']\n", True),
    "a key with a number": ('Redis(host="cache", api=0)\n', False),
    "a name of the program": ("from api import serve\n", False),
    "a comment": ("# Redis('api')\n", False),
    "a word of a sentence": ("print('the api is down')\n", False),
}


@pytest.mark.parametrize(("line", "may_call"), DOUBTS.values(), ids=DOUBTS)
def test_what_sources_name_may_be_called(tmp_path: Path, line: str, may_call: bool) -> None:
    write(tmp_path, {"k8s/all.yaml": API + CALLER + workload("front", kind="NodePort"), **BUILT, "front/app.py": line})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    found = {(edge.client.object.name, edge.server.object.name) for edge in tree.ask(Connections).doubts}
    assert (("front", "api") in found) is may_call


@pytest.mark.parametrize("path", ["tests/smoke.py", "front_test.py", "spec/front.py", "docs/intro.md"])
def test_tests_and_documents_are_no_sources(tmp_path: Path, path: str) -> None:
    text = {f"front/{path}": "get('http://api:80')\n", "front/app.py": "serve()\n"}
    write(tmp_path, {"k8s/all.yaml": API + CALLER + workload("front", kind="NodePort"), **BUILT, **text})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    assert not [edge for edge in tree.ask(Connections).edges if edge.client.object.name == "front"]


FILES = {
    "the default of a variable of a script": ("entrypoint.sh", ': ${DB_SERVER_HOST:="api"}', True),
    "a text that a program holds": ("app.py", "Redis('api')", True),
    "a word of settings": ("app.conf", "servers api;", True),
    "an attribute": ("app.xml", '<add key="Host" value="api"/>', True),
    "a comment": ("app.conf", "# servers api;", False),
    "a word of a sentence of a program": ("app.py", "print('the api is down')", False),
}


@pytest.mark.parametrize(("key", "line", "may_call"), FILES.values(), ids=FILES)
def test_what_a_file_of_a_configmap_names_may_be_called(tmp_path: Path, key: str, line: str, may_call: bool) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n"
    settings = f"{head}data:\n  {key}: |\n    {line}\n    run\n"
    user = workload("user", more="envFrom: [{configMapRef: {name: c}}]", served=False)
    write(tmp_path, {"all.yaml": API + CALLER + user + settings})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    found = {(edge.client.object.name, edge.server.object.name) for edge in tree.ask(Connections).doubts}
    assert (("user", "api") in found) is may_call


@pytest.mark.parametrize(("value", "may_call"), [("api", True), ("the api of it", False), ("${host:api}", True)])
def test_what_an_annotation_names_may_be_called(tmp_path: Path, value: str, may_call: bool) -> None:
    note = f"{{app: user}}, annotations: {{note: '{value}'}}}}\n    spec"
    user = workload("user", more=SET).replace("{app: user}}\n    spec", note)
    write(tmp_path, {"all.yaml": API + CALLER + user})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    found = {(edge.client.object.name, edge.server.object.name) for edge in tree.ask(Connections).doubts}
    assert (("user", "api") in found) is may_call


SHARED = "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]"


def test_who_has_the_credentials_of_a_data_store_may_call_it(tmp_path: Path) -> None:
    other = SHARED.replace("password}", "other}")
    users = workload("user", more=SHARED) + workload("stranger", more=other)
    write(tmp_path, {"all.yaml": workload("db", image="postgres:17", more=SHARED) + users})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    found = {(edge.client.object.name, edge.server.object.name) for edge in tree.ask(Connections).doubts}
    assert found == {("user", "db")}


def test_of_a_secret_that_many_have_each_may_call_the_namespace(tmp_path: Path) -> None:
    """Not each of them each data store: that would be the square of them."""
    many = "".join(workload(f"user{n}", more=SHARED, served=False) for n in range(25))
    write(tmp_path, {"all.yaml": workload("db", image="postgres:17", more=SHARED) + many})
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    assert tree.ask(Connections).doubts == []
    assert silent(tmp_path).keys() == {f"user{n}" for n in range(25)}


def ways(root: Path, name: str) -> set[str]:
    """By which ways others come to the workload ``name``."""
    tree = Tree.read([str(root.resolve())], root=str(root.resolve()))
    return {str(entry.way) for entry in tree.ask(Connections).entries if entry.server.object.name == name}


def test_what_a_document_names_that_could_not_be_read_stays_open(tmp_path: Path) -> None:
    broken = "kind: Deployment\nkind: Deployment\nurl: http://api.shop.svc:80\n"
    write(tmp_path, {"all.yaml": API + CALLER, "broken.yaml": "apiVersion: apps/v1\n" + broken})
    commit(tmp_path)
    assert ways(tmp_path, "api") == {"unread"}


@pytest.mark.parametrize(
    "spec",
    [
        "{clientConfig: {service: {name: api, namespace: shop, port: 80}}}",
        "{target: {serviceRef: {name: api, namespace: shop}}}",
        "{url: 'http://api.shop.svc:80/hook'}",
    ],
)
def test_what_a_custom_resource_names_is_called_from_any_namespace(tmp_path: Path, spec: str) -> None:
    custom = f"apiVersion: example.com/v1\nkind: Hook\nmetadata: {{name: hook}}\nspec: {spec}\n"
    write(tmp_path, {"all.yaml": API + CALLER + custom})
    commit(tmp_path)
    assert ways(tmp_path, "api") == {"controller"}


CONTROLLER = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: api}
rules: [{apiGroups: [example.com], resources: [hooks], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: KIND
metadata: {name: api, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: api}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
"""


@pytest.mark.parametrize(("kind", "way"), [("ClusterRoleBinding", "controller"), ("RoleBinding", "namespace")])
def test_who_serves_the_cluster_is_open_to_all_namespaces(tmp_path: Path, kind: str, way: str) -> None:
    write(tmp_path, {"all.yaml": API + CONTROLLER.replace("KIND", kind)})
    commit(tmp_path)
    assert ways(tmp_path, "api") == {way}


METADATA = {
    "a flag that names a cloud": ("args: ['--provider=aws']", "", True),
    "a flag that names none": ("args: ['--provider=webhook']", "", False),
    "an identity of its own": (
        "args: ['--provider=aws']",
        "eks.amazonaws.com/role-arn: arn:aws:iam::1:role/dns",
        False,
    ),
}


@pytest.mark.parametrize(("more", "annotation", "kept"), METADATA.values(), ids=METADATA)
def test_a_client_of_a_cloud_keeps_the_metadata_address(
    harden: Harden, tmp_path: Path, more: str, annotation: str, kept: bool
) -> None:
    account = (
        "apiVersion: v1\nkind: ServiceAccount\n"
        f"metadata: {{name: default, namespace: shop, annotations: {{{annotation}}}}}\n"
    )
    write(tmp_path, {"all.yaml": workload("dns", more=more) + account})
    commit(tmp_path)
    report = json.loads(harden("diff", ".", "--only", "netpol-workload", "--format", "json").out)
    (policy,) = report["changes"]
    assert ("169.254.169.254/32" not in json.dumps(policy["after"])) is kept
    assert any("keeps the metadata address" in finding["message"] for finding in report["findings"]) is kept
    (impact,) = [each["message"] for each in report["impact"] if each["id"] == "workload-isolated"]
    assert ("169.254.169.254" not in impact) is kept


def test_the_graph_shows_who_is_silent(tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": API + CALLER + workload("front", kind="LoadBalancer")})
    commit(tmp_path)
    text = run("graph", ".", cwd=tmp_path).out
    assert "    -> not all known (partly read)" in text and text.endswith("1 partly read\n")
    (row,) = [row for row in json.loads(run("graph", ".", "--format", "json", cwd=tmp_path).out)["workloads"]
              if row["silent"]]  # fmt: skip
    assert row["name"] == "front"
    assert row["silent"][0]["text"] == (
        "nothing shows what Deployment/front calls, and Service/front is of type LoadBalancer"
    )
    for format in ("mermaid", "dot"):
        assert "not all known (partly read)" in run("graph", ".", "--format", format, cwd=tmp_path).out


DB = workload("db") + workload("user", more=calls("http://db"), served=False)
KNATIVE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello, namespace: shop}
spec: {template: {spec: {containers: [{image: 'example.com/hello:1'}]}}}
---
"""
EXTERNAL = """\
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec: {type: ExternalName, externalName: db.shop.svc.cluster.local}
---
"""
HOST = ("spec: {containers", "spec: {hostNetwork: true, containers")
HEADLESS = (
    "spec: {type: ClusterIP, selector: {app: db}, ports: [{port: 80}]}",
    "spec: {clusterIP: None, selector: {app: db}}",
)


@pytest.mark.parametrize(
    ("manifests", "client"),
    [
        pytest.param(DB + workload("batch", served=False), "batch", id="one that nobody calls"),
        pytest.param(DB.replace("namespace: shop", "namespace: default")
                     + workload("batch", served=False).replace(", namespace: shop", ""), "batch",
                     id="a namespace that is not named, and default"),
        pytest.param(DB.replace(*HEADLESS) + workload("batch", served=False), "batch", id="a Service without ports"),
        pytest.param(DB + EXTERNAL + workload("batch", more="env: [{name: STORE, value: store}]"), "batch",
                     id="a bare word for another name of it"),
        pytest.param(DB + workload("batch", more="env: [{name: STORE, value: db}]", served=False).replace(*HOST),
                     "batch", id="a bare word from the network of a node"),
        pytest.param(DB + "".join(workload(f"agent{n}", image="fluent/fluent-bit:3", served=False)
                                  .replace("kind: Deployment", "kind: DaemonSet") for n in range(9))
                     + workload("batch", served=False), "batch", id="one beside many agents"),
        pytest.param(DB + KNATIVE, None, id="a Service of Knative, whose pods have labels of its own"),
    ],
)  # fmt: skip
def test_what_a_silent_workload_reaches(harden: Harden, tmp_path: Path, manifests: str, client: str | None) -> None:
    write(tmp_path, {"all.yaml": manifests})
    commit(tmp_path)
    assert harden("apply", ".", "--yes", "--only", "netpol-workload").status == 0
    found = Bundle.read(tmp_path)
    (server,) = [name for name in found.pods if name.endswith("/db")]
    own = found.pods[server].namespace
    (source,) = [pod for name, pod in found.pods.items() if name.endswith(f"/{client}")] or [Pod(own, {})]
    assert found.opens(source, server, 80)


def test_who_is_on_the_network_of_its_node_is_said(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": DB + workload("batch", served=False).replace(*HOST)})
    commit(tmp_path)
    out = harden("diff", ".", "--only", "netpol-workload").all
    assert "its calls in its namespace are refused, since no policy can name a pod on the network of its node" in out


@pytest.mark.parametrize("many", [MANY, MANY + 1])
def test_more_than_three_open_the_namespace(harden: Harden, tmp_path: Path, many: int) -> None:
    write(tmp_path, {"all.yaml": API + CALLER + "".join(workload(f"job{n}", served=False) for n in range(many))})
    commit(tmp_path)
    assert harden("apply", ".", "--yes", "--only", "netpol-workload").status == 0
    text = (tmp_path / "harden-networkpolicies.yaml").read_text()
    (policy,) = [each for each in text.split("---\n") if "  name: harden-api\n" in each]
    ingress = policy.partition("  ingress:\n")[2].partition("  egress:\n")[0]
    assert ("- podSelector: {}" in ingress) == (many > MANY)
    assert ingress.count("app: job") == (0 if many > MANY else many)


def test_a_second_run_finds_nothing_to_add(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": API + CALLER + workload("front", kind="LoadBalancer")})
    commit(tmp_path)
    assert harden("apply", ".", "--yes").status == 0
    commit(tmp_path)
    assert harden("diff", ".", "--quiet").status == 0
