"""Connections that the manifests of a tree show. The numbers of ``test_difference_*`` are those of the twelve rows in
which what is inferred here differs from np-guard's analysis (github.com/np-guard/cluster-topology-analyzer)."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring.edits import Evidence
from hardener.facts.network.connections import Connections, Way
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree
from tests.conftest import shared, write

from .calls import calls

Files = Callable[..., Connections]


@pytest.fixture
def tree(tmp_path: Path) -> Files:
    """The connections of files: texts, or lists of objects."""

    def build(*objects: dict[str, Any], **files: str | list[dict[str, Any]]) -> Connections:
        if objects:
            files["app_yaml"] = list(objects)
        texts = {
            name.replace("__", "/").replace("_yaml", ".yaml"): textwrap.dedent(content)
            if isinstance(content, str)
            else yaml.safe_dump_all(content)
            for name, content in files.items()
        }
        write(tmp_path, texts)
        return Tree.read([str(tmp_path)], root=str(tmp_path)).ask(Connections)

    return build


def workload(name: str, *, kind: str = "Deployment", namespace: str = "", **more: Any) -> dict[str, Any]:
    """A workload with one container; ``more`` goes to the container, or to the pod spec for its own keys."""
    keys = ("initContainers", "volumes", "hostNetwork", "annotations", "serviceName")
    spec = {key: more.pop(key) for key in keys if key in more}
    annotations = spec.pop("annotations", None)
    own = {"serviceName": spec.pop("serviceName")} if "serviceName" in spec else {}
    container = {"name": name, "image": more.pop("image", f"example.com/{name}:1"), **more}
    if "env" in container and isinstance(container["env"], dict):
        container["env"] = [{"name": key, "value": value} for key, value in container["env"].items()]
    metadata: dict[str, Any] = {"labels": {"app": name}}
    if annotations:
        metadata["annotations"] = annotations
    template = {"metadata": metadata, "spec": {"containers": [container], **spec}}
    inner: dict[str, Any] = {"template": template, **own}
    if kind == "Pod":
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": template["spec"],
        }
    if kind == "CronJob":
        inner = {"jobTemplate": {"spec": {"template": template}}}
    versions = {"Job": "batch/v1", "CronJob": "batch/v1"}
    return {
        "apiVersion": versions.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "spec": inner,
    }


def service(name: str, port: Any = 80, target: Any = None, *, app: str | None = None, **more: Any) -> dict[str, Any]:
    ports = port if isinstance(port, list) else [{"port": port, **({"targetPort": target} if target else {})}]
    namespace = more.pop("namespace", "")
    annotations = more.pop("annotations", None)
    labels = more.pop("labels", None)
    spec = {"selector": {"app": app or name}, "ports": ports, **more}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": {key: value for key, value in spec.items() if value is not None},
    }


def config(name: str, data: dict[str, str], kind: str = "ConfigMap", field: str = "data") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: data}


def called(pod: PodTemplate) -> str:
    return pod.object.name


def edges(found: Connections) -> set[str]:
    return {
        f"{called(edge.client)} -> {called(edge.server)}:{','.join(map(str, edge.ports)) or '*'}"
        for edge in found.edges
    }


def entries(found: Connections) -> set[str]:
    return {f"{e.way} -> {called(e.server)}:{','.join(map(str, e.ports)) or '*'}" for e in found.entries}


def places(evidence: tuple[Evidence, ...]) -> list[tuple[str, Any]]:
    """What each fact says, and the value at its place."""
    found = []
    for fact in evidence:
        value: Any = fact.piece.data if fact.piece else None
        for part in fact.path:
            value = value[part]
        found.append((fact.text, value))
    return found


REDIS = (workload("redis"), service("redis", 6379))


# -- the twelve differences


def test_difference_1_texts_of_any_format_are_read(tree: Files) -> None:
    web = workload(
        "web",
        env={"QUEUE": "amqp://u:p@queue:5672/v", "CACHES": "redis://u:p@redis:6379/0,redis://u:p@redis2:6380/1"},
        envFrom=[{"configMapRef": {"name": "settings"}}],
        volumes=[{"name": "c", "configMap": {"name": "files"}}],
    )
    settings = config("settings", {"JDBC": "jdbc:postgresql://db:5432/web"})
    files = config("files", {"nginx.conf": "upstream u {\n  server api;\n}\n", "app.yaml": "mongo:\n  host: mongo\n"})
    others = [("queue", 5672), ("redis", 6379), ("redis2", 6380), ("db", 5432), ("api", 8080), ("mongo", 27017)]
    found = tree(web, settings, files, *(o for n, p in others for o in (workload(n), service(n, p))))
    assert edges(found) == {f"web -> {name}:{port}" for name, port in others}
    assert [place for edge in found.edges for place in places(edge.evidence)] == [
        ("env QUEUE names queue:5672", "amqp://u:p@queue:5672/v"),
        ("env CACHES names redis:6379", "redis://u:p@redis:6379/0,redis://u:p@redis2:6380/1"),
        ("env CACHES names redis2:6380", "redis://u:p@redis:6379/0,redis://u:p@redis2:6380/1"),
        ("key JDBC of ConfigMap/settings names db:5432", "jdbc:postgresql://db:5432/web"),
        ("key app.yaml of ConfigMap/files names Service/mongo", "mongo:\n  host: mongo\n"),
        ("key nginx.conf of ConfigMap/files names Service/api", "upstream u {\n  server api;\n}\n"),
    ]


def test_a_value_is_an_address_by_its_key_wherever_else_it_stands(tree: Files) -> None:
    pods = (workload("kind", env={"CACHE_KIND": "redis"}), workload("host", env={"CACHE_HOST": "redis"}))
    settings = (
        config("settings", {"CACHE_HOST": "cache.example.com"}),
        config("secret", {"CACHE_HOST": "cache.example.com"}, "Secret", "stringData"),
    )
    named = [
        workload("plain", envFrom=[{"configMapRef": {"name": "settings"}}]),
        workload("hidden", envFrom=[{"secretRef": {"name": "secret"}}]),
    ]
    for order in ((*pods, *named), (*pods[::-1], *named[::-1])):
        found = tree(*order, *settings, *REDIS)
        assert edges(found) == {"host -> redis:6379"}
        assert [called(other.pod) for other in found.external] == ["plain"]


@pytest.mark.parametrize(
    "host", ["redis", "redis.shop", "redis.shop.svc", "redis.shop.svc.cluster.local", "redis.shop.svc.k8s.example.com",
             "redis-0.redis.shop.svc.cluster.local", "redis-0.redis"]
)  # fmt: skip
def test_difference_2_all_names_of_a_service_are_known(tree: Files, host: str) -> None:
    web = workload("web", namespace="shop", env={"ADDR": f"{host}:6379"})
    found = tree(web, workload("redis", namespace="shop"), service("redis", 6379, namespace="shop"))
    assert edges(found) == {"web -> redis:6379"}


def test_difference_3_init_containers_probes_and_hooks_are_read(tree: Files) -> None:
    def run(name: str) -> dict[str, Any]:
        return {"exec": {"command": ["sh", "-c", f"nc -z {name} 80"]}}

    web = workload(
        "web",
        initContainers=[
            {"name": "i", "image": "i:1", "command": ["sh", "-c", "until nslookup init; do sleep 1; done"]},
            {"name": "s", "image": "s:1", "restartPolicy": "Always", "args": ["--to=sidecar:80"]},
        ],
        livenessProbe=run("live"),
        readinessProbe=run("ready"),
        startupProbe=run("start"),
        lifecycle={"preStop": run("stop"), "postStart": run("begin")},
    )
    names = ["init", "sidecar", "live", "ready", "start", "stop", "begin"]
    found = tree(web, *(o for n in names for o in (workload(n), service(n))))
    assert edges(found) == {f"web -> {name}:80" for name in names}
    assert {fact.text for edge in found.edges for fact in edge.evidence} >= {
        "word 3 of livenessProbe command names live:80",
        "word 3 of preStop command names stop:80",
        "argument 1 of args names sidecar:80",
    }


def test_difference_4_workloads_of_one_name_are_told_apart(tree: Files) -> None:
    job = workload("web", kind="CronJob", env={"A": "redis:6379"})
    other = workload("web", namespace="b", env={"A": "redis:6379"})
    found = tree(
        workload("web", namespace="a", env={"A": "redis:6379"}), job, other,
        workload("redis", namespace="a"), service("redis", 6379, namespace="a"),
        workload("redis", namespace="b"), service("redis", 6379, 7000, namespace="b"),
    )  # fmt: skip
    told = [(e.client.kind, e.client.namespace, e.server.namespace, e.ports[0].port) for e in found.edges]
    # The CronJob names no namespace, so that it may be in either.
    assert told == [
        ("Deployment", "a", "a", 6379), ("CronJob", None, "a", 6379), ("CronJob", None, "b", 7000),
        ("Deployment", "b", "b", 7000),
    ]  # fmt: skip


def test_difference_6_a_service_without_selector_is_outside(tree: Files) -> None:
    lone = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"ports": [{"port": 5432}]}}
    points = {
        "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"},
        "subsets": [{"addresses": [{"ip": "10.1.2.3"}, {"ip": "10.1.2.4"}], "ports": [{"port": 5432}]}],
    }  # fmt: skip
    points_of_slice = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "db-1", "labels": {"kubernetes.io/service-name": "db"}},
        "endpoints": [{"addresses": ["10.1.2.5"]}], "ports": [{"port": 5432}],
    }  # fmt: skip
    bare = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mq"}, "spec": {}}
    web = workload("web", env={"DB": "db:5432", "MQ": "mq:5672"})
    found = tree(web, workload("other"), lone, points, points_of_slice, bare)
    assert edges(found) == set()
    assert [(e.host, e.port, e.addresses) for e in found.external] == [
        ("db", 5432, ("10.1.2.3", "10.1.2.4", "10.1.2.5")), ("mq", 5672, ()),
    ]  # fmt: skip
    assert found.unresolved == []


@pytest.mark.parametrize(("port", "expected"), [(5432, 5432), (5433, None)])
def test_the_port_of_a_service_without_selector_is_that_of_its_addresses(
    tree: Files, port: int, expected: int | None
) -> None:
    lone = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"ports": [{"port": 5432}]}}
    points = {
        "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"},
        "subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": port}]}],
    }  # fmt: skip
    found = tree(workload("web", env={"DB": "db:5432"}), lone, points)
    assert [(e.port, e.addresses) for e in found.external] == [(expected, ("10.1.2.3",))]


def test_difference_7_members_talk_to_each_other_on_all_ports(tree: Files) -> None:
    found = tree(
        workload("es", kind="StatefulSet", serviceName="es"),
        service("es", 9200, clusterIP="None"),
        workload("gossip", env={"SEEDS": "gossip.default.svc"}),
        service("gossip", 80, clusterIP="None"),
        workload("plain", env={"OWN_URL": "http://plain:80"}),
        service("plain", 80, 8080),
    )
    assert edges(found) == {"es -> es:*", "gossip -> gossip:*", "plain -> plain:8080"}


def test_a_name_that_is_only_the_own_one_is_no_connection(tree: Files) -> None:
    web = workload("web", env={"COMPONENT_KEY": "web", "OTEL_SERVICE_NAME": "web"}, command=["web"], args=["web"])
    assert edges(tree(web, service("web"))) == set()


def test_members_that_find_each_other_by_the_name_of_their_service(tree: Files) -> None:
    found = tree(
        workload("hz", env={"HZ_NETWORK_JOIN_KUBERNETES_SERVICE_NAME": "hz"}), service("hz", 5701),
        workload("kc", env={"JAVA_OPTS": "-Xmx1g -Djgroups.dns.query=kc-members"}),
        service("kc-members", 7800, app="kc", clusterIP="None"),
        workload("web", env={"HZ_SERVICE_NAME": "hz", "OTEL_SERVICE_NAME": "hz", "SERVICE_NAME": "web"}),
        service("web"),
    )  # fmt: skip
    assert edges(found) == {"hz -> hz:*", "kc -> kc:*", "web -> hz:5701"}


def test_difference_9_a_service_that_nothing_names_is_open_to_its_namespace(tree: Files) -> None:
    found = tree(workload("frontend"), service("frontend"), *REDIS, workload("worker"))
    assert edges(found) == set()
    assert entries(found) == {"namespace -> frontend:80", "namespace -> redis:6379"}
    assert places(found.entries[1].evidence) == [("nothing in the tree names Service/redis", "redis")]


def test_a_port_that_nothing_names_is_open_to_its_namespace(tree: Files) -> None:
    ports = [{"port": 6379, "name": "redis"}, {"port": 9121, "name": "stats"}]
    found = tree(workload("web", env={"R": "redis:6379"}), workload("redis"), service("redis", ports))
    assert edges(found) == {"web -> redis:6379"}
    assert entries(found) == {"namespace -> redis:9121"}
    assert found.entries[0].evidence[0].text == "nothing in the tree names port 9121 of Service/redis"


def test_the_service_that_names_members_is_not_what_others_use(tree: Files) -> None:
    found = tree(
        workload("web", env={"DB": "db:5432"}), workload("db", kind="StatefulSet", serviceName="db-members"),
        service("db", 5432), service("db-members", 5432, app="db", clusterIP="None"),
    )  # fmt: skip
    assert entries(found) == set()


def test_two_services_of_the_same_pods_are_both_named(tree: Files) -> None:
    found = tree(
        workload("web", env={"DB": "db:5432", "REPLICA": "db-read:5432"}), workload("db"),
        service("db", 5432), service("db-read", 5432, app="db"),
    )  # fmt: skip
    assert edges(found) == {"web -> db:5432"}
    assert entries(found) == set()


def test_difference_10_clients_on_the_network_of_the_node(tree: Files) -> None:
    agent = workload("agent", kind="DaemonSet", hostNetwork=True, env={"R": "redis:6379"})
    server = workload("node", kind="DaemonSet", hostNetwork=True)
    found = tree(agent, *REDIS, server, service("node", 9100), workload("web", env={"N": "node:9100"}))
    assert edges(found) == {"agent -> redis:6379", "web -> node:9100"}
    assert entries(found) == {"outside -> redis:6379"}
    assert places(found.entries[0].evidence) == [
        ("env R names redis:6379", "redis:6379"),
        ("DaemonSet/agent is on the network of its node", True),
    ]


def test_difference_11_hosts_outside(tree: Files) -> None:
    env = {"SMTP": "smtp.example.com:587", "S3": "https://b.s3.amazonaws.com/x", "DB": "postgres://u:p@10.0.0.7/x"}
    found = tree(workload("web", env=env))
    assert [(e.host, e.port) for e in found.external] == [
        ("smtp.example.com", 587), ("b.s3.amazonaws.com", None), ("10.0.0.7", None),
    ]  # fmt: skip
    assert found.external[0].evidence.text == "env SMTP names smtp.example.com:587"
    # What is an address needs no DNS to be named by a rule, but for those at which a node gives credentials away.
    assert [e.addresses for e in found.external] == [(), (), ("10.0.0.7",)]
    found = tree(workload("web", env={"META": "http://169.254.169.254/latest"}))
    assert [(e.host, e.addresses) for e in found.external] == [("169.254.169.254", ())]


def test_difference_12_secrets_are_read_and_not_shown(tree: Files) -> None:
    uri = "postgres://web:hunter2@db:5432/web?x=hidden.example.com:9999"
    encoded = base64.b64encode(b"redis://:hunter2@redis:6379").decode()
    found = tree(
        workload(
            "web",
            env=[{"name": "U", "valueFrom": {"secretKeyRef": {"name": "s", "key": "uri"}}}],
            volumes=[{"name": "v", "projected": {"sources": [{"secret": {"name": "t"}}]}}],
        ),
        config("s", {"uri": uri, "other": "unused:1"}, "Secret", "stringData"),
        config("t", {"addr": encoded, "gone": base64.b64encode(b"gone:8080").decode()}, "Secret"),
        workload("db"), service("db", 5432), *REDIS, workload("unused"), service("unused", 1),
    )  # fmt: skip
    assert edges(found) == {"web -> db:5432", "web -> redis:6379"}
    assert [fact.text for edge in found.edges for fact in edge.evidence] == [
        "key uri of Secret/s names Service/db", "key addr of Secret/t names Service/redis",
    ]  # fmt: skip
    assert found.external == [] and found.unresolved == []


def test_no_evidence_holds_a_value(tree: Files) -> None:
    env = {"A": "redis://u:hunter2@redis:6379", "B": "https://u:hunter2@x.example.com", "C": "http://hunter2@gone:80"}
    found = tree(workload("web", env=env, args=["--a=redis://u:hunter2@redis:1"]), *REDIS)
    said = [fact.text for edge in found.edges for fact in edge.evidence]
    said += [one.evidence.text for one in found.external]
    said += [one.evidence.text for one in found.unresolved]
    assert len(said) >= 3
    assert not [text for text in said if "hunter2" in text]


# -- ports


@pytest.mark.parametrize(
    ("service_port", "container_ports", "reference", "expected"),
    [
        ([{"port": 80}], [], "s:80", "80"),
        ([{"port": 80, "targetPort": 8080}], [], "s:80", "8080"),
        ([{"port": 80, "targetPort": "http"}], [{"name": "http", "containerPort": 3000}], "s:80", "3000"),
        ([{"port": 80, "targetPort": "http"}], [], "s:80", "http"),
        ([{"port": 80, "targetPort": "8080"}], [], "s:80", "8080"),
        ([{"port": 80, "name": "a"}, {"port": 81, "name": "b"}], [], "s:81", "81"),
        ([{"port": 80, "name": "a"}, {"port": 81, "name": "b"}], [], "http://s/", "80,81"),
        ([{"port": 80, "name": "a"}, {"port": 81, "name": "b"}], [], "s:99", "80,81"),
        ([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}], [], "s:53", "53,53/UDP"),
        ([{"port": 80, "targetPort": None}], [], "s:80", "80"),
        ([{"port": "80"}], [], "s:80", "80"),
        ([{"port": "${PORT}"}], [], "s:80", "${PORT}"),
        ([], [], "s:80", "*"),
    ],
)
def test_ports_are_those_of_the_pod(
    tree: Files, service_port: list[Any], container_ports: list[Any], reference: str, expected: str
) -> None:
    found = tree(
        workload("web", env={"S": reference}), workload("s", ports=container_ports), service("s", service_port)
    )
    assert edges(found) == {f"web -> s:{expected}"}


def test_a_port_may_be_named_by_a_sidecar(tree: Files) -> None:
    proxy = {"name": "proxy", "image": "p:1", "restartPolicy": "Always", "ports": [{"name": "in", "containerPort": 9}]}
    found = tree(workload("web", env={"S": "s:80"}), workload("s", initContainers=[proxy]), service("s", 80, "in"))
    assert edges(found) == {"web -> s:9"}


def test_a_patch_of_a_pod_is_no_server(tree: Files) -> None:
    patch = workload("s", image="", args=["-v"])
    del patch["spec"]["template"]["spec"]["containers"][0]["image"]
    found = tree(workload("web", env={"S": "s:80"}), workload("s"), service("s"), patch)
    assert [edge.server.containers[0].has("image") for edge in found.edges] == [True]


@pytest.mark.parametrize(("reference", "expected"), [("s:80", "80,8080"), ("s:9999", "9999"), ("http://s", "80,8080")])
def test_clients_of_a_headless_service_connect_to_the_pod(tree: Files, reference: str, expected: str) -> None:
    found = tree(workload("web", env={"S": reference}), workload("s"), service("s", 80, 8080, clusterIP="None"))
    assert edges(found) == {f"web -> s:{expected}"}


def test_host_and_port_in_two_variables(tree: Files) -> None:
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    found = tree(workload("web", env={"S_HOST": "s", "S_PORT": "81"}), workload("s"), service("s", ports))
    assert edges(found) == {"web -> s:81"}


def test_a_variable_in_a_variable(tree: Files) -> None:
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    env = {"S_NAME": "s", "P": "81", "URL": "http://$(S_NAME):$(P)/"}
    found = tree(workload("web", env=env), workload("s"), service("s", ports))
    assert edges(found) == {"web -> s:81"}


def test_variables_that_the_kubelet_makes(tree: Files) -> None:
    web = workload("web", args=["--redis=$(REDIS_CART_SERVICE_HOST):$(REDIS_CART_SERVICE_PORT)"])
    assert edges(tree(web, workload("redis-cart"), service("redis-cart", 6379))) == {"web -> redis-cart:6379"}


# -- what a name means


def test_the_api_server_is_no_workload(tree: Files) -> None:
    found = tree(workload("web", env={"API_URL": "https://kubernetes.default.svc:443", "H": "kubernetes:443"}))
    assert not found.edges and not found.unresolved and not found.external


def test_a_service_that_no_tree_has_is_unresolved(tree: Files) -> None:
    env = {"A": "gone:80", "B": "gone.other.svc:81", "T": "12:30", "I": "app:v1", "L": "http://localhost:80"}
    found = tree(workload("web", env=env), *REDIS)
    assert [(e.host, e.port, e.evidence.text) for e in found.unresolved] == [
        ("gone", 80, "env A names gone:80"), ("gone.other.svc", 81, "env B names gone.other.svc:81"),
    ]  # fmt: skip
    assert not found.external


def test_a_service_that_no_tree_has_is_unresolved_wherever_it_stands(tree: Files) -> None:
    text = "upstream x { server api.other.svc.cluster.local:8082; }\nresolver kube-dns.kube-system.svc.cluster.local;\n"
    web = workload("web", volumes=[{"name": "v", "configMap": {"name": "c"}}])
    found = tree(web, config("c", {"nginx.conf": text}))
    assert [(e.host, e.port) for e in found.unresolved] == [("api.other.svc.cluster.local", 8082)]


def test_a_service_of_another_namespace_is_not_meant_by_its_bare_name(tree: Files) -> None:
    web = workload("web", namespace="a", env={"R": "redis:6379", "S": "redis.b:6379"})
    found = tree(web, workload("redis", namespace="b"), service("redis", 6379, namespace="b"))
    assert [(called(e.server), e.evidence[0].text) for e in found.edges] == [("redis", "env S names redis:6379")]
    assert [e.host for e in found.unresolved] == ["redis"]


def test_an_external_name_is_followed(tree: Files) -> None:
    def alias(name: str, target: str) -> dict[str, Any]:
        spec = {"type": "ExternalName", "externalName": target}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}

    found = tree(
        workload("web", env={"A": "cache:6379", "B": "mail:25", "C": "loop:1"}), *REDIS,
        alias("cache", "redis.default.svc.cluster.local"), alias("mail", "smtp.example.com"),
        alias("loop", "loop.default.svc"),
    )  # fmt: skip
    assert edges(found) == {"web -> redis:6379"}
    assert [(e.host, e.port) for e in found.external] == [("smtp.example.com", 25)]


@pytest.mark.parametrize("how", [{"env": {"A": "db:5432"}}, {"args": ["-disable=db"]}], ids=["an address", "a word"])
def test_names_that_lead_to_each_other_end(tree: Files, how: dict[str, Any]) -> None:
    """Services of one name that is the name of all: a minute or more where each is followed each time."""
    spec = {"type": "ExternalName", "externalName": "db"}
    circle = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": spec} for _ in range(14)]
    read = tree(workload("web", **how), *circle)
    assert edges(read) == set()
    assert calls(lambda: edges(read)) < 1_000_000


def test_a_long_row_of_names_is_followed_to_its_end(tree: Files) -> None:
    def alias(number: int, target: str) -> dict[str, Any]:
        spec = {"type": "ExternalName", "externalName": target}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"name-{number}"}, "spec": spec}

    row = [alias(number, f"name-{number + 1}") for number in range(2000)]
    found = tree(workload("web", env={"A": "name-0:6379"}), *REDIS, *row, alias(2000, "redis.default.svc"))
    assert edges(found) == {"web -> redis:6379"}
    assert not found.external


def test_a_service_whose_pods_nobody_sees(tree: Files) -> None:
    found = tree(workload("web", env={"P": "prometheus:9090"}), service("prometheus", 9090))
    assert [(e.service.name, e.port) for e in found.unseen] == [("prometheus", 9090)]
    assert not found.unresolved and not found.edges


def test_copies_are_not_mixed(tree: Files) -> None:
    app = [workload("web", env={"R": "redis:6379", "X": "extra:80"}), *REDIS]
    extra = [workload("extra"), service("extra")]
    found = tree(one__app_yaml=app, two__app_yaml=app, two__more__extra_yaml=extra)
    told = {(e.client.object.piece.file.name, called(e.server), e.server.object.piece.file.name) for e in found.edges}
    short = {(a.rpartition("tree/")[2][-12:], b, c[-14:]) for a, b, c in told}
    assert {(a[:3], b, c.split("/")[-1]) for a, b, c in {(a[-12:], b, c) for a, b, c in short}} == {
        ("one", "redis", "app.yaml"), ("two", "redis", "app.yaml"), ("two", "extra", "extra.yaml"),
    }  # fmt: skip
    assert [e.host for e in found.unresolved] == ["extra"]


# -- kustomize


def test_names_with_a_prefix_are_known_as_written_and_as_rendered(tree: Files) -> None:
    found = tree(
        kustomization_yaml="resources: [app.yaml]\nnamePrefix: prod-\n",
        app_yaml=[workload("a", env={"R": "redis:6379"}), workload("b", env={"R": "prod-redis:6379"}), *REDIS],
    )
    assert edges(found) == {"a -> redis:6379", "b -> redis:6379"}


def test_config_maps_that_kustomize_generates(tree: Files) -> None:
    text = """\
        resources: [app.yaml]
        configMapGenerator:
        - name: settings
          literals: [REDIS_ADDR=redis:6379]
          files: [app.conf, other=sub/b.conf]
          envs: [some.env]
        secretGenerator:
        - name: hidden
          literals: ["URL=http://u:hunter2@secret:80"]
        """
    web = workload(
        "web",
        envFrom=[{"secretRef": {"name": "hidden"}}],
        volumes=[{"name": "v", "configMap": {"name": "settings"}}],
    )
    names = ["redis", "conf", "sub", "env", "secret"]
    found = tree(
        kustomization_yaml=text,
        app_yaml=[web, *(o for n in names for o in (workload(n), service(n, 6379 if n == "redis" else 80)))],
        **{"app.conf": "host: conf\n", "sub__b.conf": "proxy_pass http://sub/;", "some.env": "# x\nENV_ADDR=env:80\n"},
    )
    assert edges(found) == {"web -> redis:6379", *(f"web -> {name}:80" for name in names[1:])}
    said = [place for edge in found.edges for place in places(edge.evidence)]
    assert ("key REDIS_ADDR of ConfigMap/settings names redis:6379", "REDIS_ADDR=redis:6379") in said
    assert ("key app.conf of ConfigMap/settings names Service/conf", "app.conf") in said


def test_what_a_patch_adds_belongs_to_what_it_patches(tree: Files) -> None:
    patch = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          template:
            spec:
              containers:
              - name: web
                env:
                - {name: REDIS_ADDR, value: "redis:6379"}
        """
    found = tree(
        base__kustomization_yaml="resources: [app.yaml]\n",
        base__app_yaml=[workload("web", env={"X": "1"}), *REDIS],
        prod__kustomization_yaml="resources: [../base]\npatches:\n- path: patch.yaml\n",
        prod__patch_yaml=patch,
    )
    assert edges(found) == {"web -> redis:6379"}
    assert places(found.edges[0].evidence) == [("env REDIS_ADDR names redis:6379", "redis:6379")]


def test_what_a_patch_opens_is_open(tree: Files) -> None:
    patches = """\
        resources: [../base]
        patches:
        - patch: '[{"op": "replace", "path": "/spec/type", "value": "LoadBalancer"}]'
          target: {kind: Service, name: web}
        - patch: '[{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": true}]'
          target: {kind: Deployment, name: agent}
        """
    found = tree(
        base__kustomization_yaml="resources: [app.yaml]\n",
        base__app_yaml=[
            workload("web"), service("web", 80, type="ClusterIP"), *REDIS, workload("agent", env={"R": "redis:6379"}),
        ],
        prod__kustomization_yaml=patches,
    )  # fmt: skip
    assert entries(found) == {"outside -> web:80", "outside -> redis:6379"}
    assert edges(found) == {"agent -> redis:6379"}


# -- what comes in from elsewhere


@pytest.mark.parametrize(
    ("more", "way"),
    [
        ({"type": "LoadBalancer"}, "outside"), ({"type": "NodePort"}, "outside"),
        ({"externalIPs": ["192.0.2.1"]}, "outside"), ({"type": "ClusterIP"}, "namespace"), ({}, "namespace"),
    ],
)  # fmt: skip
def test_exposed_services(tree: Files, more: dict[str, Any], way: str) -> None:
    assert entries(tree(workload("web"), service("web", 80, 8080, **more))) == {f"{way} -> web:8080"}


def test_host_ports(tree: Files) -> None:
    ports = [{"containerPort": 8080, "hostPort": 80}, {"containerPort": 53, "hostPort": 53, "protocol": "UDP"}]
    found = tree(workload("web", ports=[*ports, {"containerPort": 9}]))
    assert entries(found) == {"outside -> web:8080", "outside -> web:53/UDP", "namespace -> web:9"}


INGRESS = """\
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: i}
    spec:
      ingressClassName: %s
      rules: [{http: {paths: [{backend: {service: {name: web, port: {name: http}}}}]}}]
    """
HTTP = [{"port": 80, "name": "http", "targetPort": 8080}, {"port": 81, "name": "grpc"}]
CONTROLLER = "registry.k8s.io/ingress-nginx/controller:v1.12.0"


def test_an_ingress_without_controller_is_open(tree: Files) -> None:
    found = tree(app_yaml=[workload("web"), service("web", HTTP)], ingress_yaml=INGRESS % "nginx")
    assert entries(found) == {"outside -> web:8080", "namespace -> web:81"}
    assert places(found.entries[0].evidence) == [("Ingress/i leads to Service/web", "web")]


@pytest.mark.parametrize(
    ("name", "expected"), [("nginx", True), ("'null'", False), ("null", True), ("alb", False), ("traefik", False)]
)
def test_an_ingress_comes_from_the_controller_of_its_class(tree: Files, name: str, expected: bool) -> None:
    controller = workload("controller", namespace="ingress-nginx", image=CONTROLLER)
    found = tree(app_yaml=[workload("web"), service("web", HTTP), controller], ingress_yaml=INGRESS % name)
    assert edges(found) == ({"controller -> web:8080"} if expected else set())
    assert entries(found) == {"namespace -> web:81"} | (set() if expected else {"outside -> web:8080"})


def test_a_class_is_what_its_object_says(tree: Files) -> None:
    controller = workload("controller", image=CONTROLLER)
    named = {
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "public"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }  # fmt: skip
    app = [workload("web"), service("web", HTTP), controller, named]
    assert "controller -> web:8080" in edges(tree(app_yaml=app, ingress_yaml=INGRESS % "public"))


def test_a_controller_on_the_network_of_its_node_is_no_peer(tree: Files) -> None:
    controller = workload("controller", kind="DaemonSet", image=CONTROLLER, hostNetwork=True)
    found = tree(app_yaml=[workload("web"), service("web", HTTP), controller], ingress_yaml=INGRESS % "nginx")
    assert entries(found) == {"outside -> web:8080", "namespace -> web:81"}


def test_an_ingress_asks_who_may_pass(tree: Files) -> None:
    ingress = """\
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: i
          annotations: {nginx.ingress.kubernetes.io/auth-url: "http://auth.default.svc.cluster.local:4180/x"}
        spec: {}
        """
    found = tree(app_yaml=[workload("auth"), service("auth", 4180)], ingress_yaml=ingress)
    assert entries(found) == {"outside -> auth:4180"}


ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "HTTPRoute": ("gateway.networking.k8s.io/v1", {"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}),
    "Route": ("route.openshift.io/v1", {"to": {"kind": "Service", "name": "web"}}),
    "VirtualService": (
        "networking.istio.io/v1",
        {"gateways": ["g"], "http": [{"route": [{"destination": {"host": "web", "port": {"number": 80}}}]}]},
    ),
    "IngressRoute": ("traefik.io/v1alpha1", {"routes": [{"services": [{"name": "web", "port": 80}]}]}),
    "HTTPProxy": ("projectcontour.io/v1", {"routes": [{"services": [{"name": "web", "port": 80}]}]}),
}


@pytest.mark.parametrize("kind", ROUTES)
def test_routes_are_open(tree: Files, kind: str) -> None:
    version, spec = ROUTES[kind]
    route = {"apiVersion": version, "kind": kind, "metadata": {"name": "r"}, "spec": spec}
    assert entries(tree(workload("web"), service("web", 80, 8080), route)) == {"outside -> web:8080"}


def test_a_gateway_of_istio_is_found_by_its_selector(tree: Files) -> None:
    version, spec = ROUTES["VirtualService"]
    route = {"apiVersion": version, "kind": "VirtualService", "metadata": {"name": "r"}, "spec": spec}
    gateway = {
        "apiVersion": version,
        "kind": "Gateway",
        "metadata": {"name": "g"},
        "spec": {"selector": {"app": "igw"}},
    }
    assert edges(tree(workload("web"), service("web", 80), route, gateway, workload("igw"))) == {"igw -> web:80"}


HOOK = {"service": {"name": "hook", "namespace": "default", "port": 8443, "path": "/x"}}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", {"webhooks": [{"clientConfig": HOOK}]}),
    "MutatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", {"webhooks": [{}, {"clientConfig": HOOK}]}),
    "APIService": ("apiregistration.k8s.io/v1", {"spec": HOOK}),
    "CustomResourceDefinition": (
        "apiextensions.k8s.io/v1",
        {"spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": HOOK}}}},
    ),
}


@pytest.mark.parametrize("kind", CALLS)
def test_what_the_api_server_calls(tree: Files, kind: str) -> None:
    version, rest = CALLS[kind]
    caller = {"apiVersion": version, "kind": kind, "metadata": {"name": "c"}, **rest}
    assert entries(tree(workload("hook"), service("hook", 8443, 9443), caller)) == {"api-server -> hook:9443"}


def test_service_monitors(tree: Files) -> None:
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": {"name": "m", "namespace": "monitoring"},
        "spec": {
            "selector": {"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},
            "namespaceSelector": {"matchNames": ["shop"]},
            "endpoints": [{"port": "metrics"}],
        },
    }  # fmt: skip
    ports = [{"port": 80, "name": "http"}, {"port": 9, "name": "metrics", "targetPort": 9090}]
    found = tree(
        monitor,
        workload("web", namespace="shop"), service("web", ports, namespace="shop", labels={"team": "a"}),
        workload("far", namespace="far"), service("far", ports, namespace="far", labels={"team": "a"}),
        workload("own", namespace="shop"), service("own", ports, namespace="shop", labels={"team": "a", "x": "y"}),
    )  # fmt: skip
    assert entries(found) == {
        "monitoring -> web:9090", "namespace -> web:80",
        # What is called metrics is read by somebody, whom no monitor of the tree tells.
        "monitoring -> far:9090", "namespace -> far:80", "monitoring -> own:9090", "namespace -> own:80",
    }  # fmt: skip


def test_pod_monitors(tree: Files) -> None:
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {"name": "m"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "podMetricsEndpoints": [{"port": "prom"}]},
    }  # fmt: skip
    found = tree(monitor, workload("web", ports=[{"name": "prom", "containerPort": 9090}]), workload("other"))
    assert entries(found) == {"monitoring -> web:9090"}


SCRAPE = {"prometheus.io/scrape": "true", "prometheus.io/port": "9797"}


def test_pods_that_ask_to_be_scraped(tree: Files) -> None:
    assert entries(tree(workload("web", annotations=SCRAPE))) == {"monitoring -> web:9797"}


def test_pods_are_scraped_by_the_prometheus_of_the_tree(tree: Files) -> None:
    found = tree(workload("web", annotations=SCRAPE), workload("p", image="quay.io/prometheus/prometheus:v3.1.0"))
    assert edges(found) == {"p -> web:9797"} and not found.entries


def test_services_that_ask_to_be_scraped(tree: Files) -> None:
    found = tree(workload("web"), service("web", 80, annotations={"prometheus.io/scrape": "true"}))
    assert entries(found) == {"monitoring -> web:80"}


def test_a_workload_without_service_has_no_entry(tree: Files) -> None:
    assert not tree(workload("worker"), workload("cron", kind="CronJob"), workload("pod", kind="Pod")).entries


# -- the answer


def test_edges_are_kept_once_with_all_evidence(tree: Files) -> None:
    env = {"A": "redis:6379", "B": "redis://redis:6379", "C": "redis"}
    found = tree(workload("web", env=env), *REDIS)
    (edge,) = found.edges
    assert [text for text, _ in places(edge.evidence)] == ["env A names redis:6379", "env B names redis:6379"]
    assert [text for edge in found.doubts for text, _ in places(edge.evidence)] == [
        "env C names Service/redis by a bare word"
    ]
    assert edge.service is not None and edge.service.name == "redis"
    assert found.into(edge.server) == found.out_of(edge.client) == [edge]
    assert not found.into(edge.client) and not found.entries_of(edge.client)


@pytest.mark.parametrize("kind", ["Deployment", "CronJob", "Job", "Pod", "DaemonSet"])
def test_clients_of_every_kind(tree: Files, kind: str) -> None:
    assert edges(tree(workload("web", kind=kind, env={"R": "redis:6379"}), *REDIS)) == {"web -> redis:6379"}


WRONG: list[Any] = [None, 1, "x", "${X}", [], {}, [None], ["x"], {"x": None}, [[]], True, 1.5]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    "place",
    [
        "Service spec", "Service spec ports", "Service spec selector", "Service spec externalIPs", "Service metadata",
        "Deployment spec template spec containers", "Deployment spec template spec volumes",
        "Deployment spec template spec initContainers", "Deployment spec template metadata",
        "Deployment spec template spec containers 0 env", "Deployment spec template spec containers 0 envFrom",
        "Deployment spec template spec containers 0 args", "Deployment spec template spec containers 0 lifecycle",
        "Deployment spec template spec containers 0 ports", "Deployment spec template spec containers 0 image",
        "ConfigMap data", "Secret data", "Endpoints subsets", "EndpointSlice endpoints", "Ingress spec",
        "Ingress metadata annotations", "ServiceMonitor spec", "ServiceMonitor spec selector",
        "ServiceMonitor spec endpoints", "ValidatingWebhookConfiguration webhooks", "APIService spec",
        "VirtualService spec", "HTTPRoute spec", "kustomization configMapGenerator",
    ],
)  # fmt: skip
def test_wrong_shapes_are_passed_over(tree: Files, place: str, wrong: Any) -> None:
    version, spec = ROUTES["HTTPRoute"]
    objects: list[Any] = [
        workload("web", env={"R": "redis:6379"}, envFrom=[{"configMapRef": {"name": "c"}}], hostNetwork=True),
        workload("redis"), service("redis", 6379), service("other", 1), workload("other"),
        config("c", {"a": "redis"}), config("s", {"a": "cmVkaXM="}, "Secret"),
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "redis"}, "subsets": []},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "x"}, "endpoints": []},
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "m"},
         "spec": {"selector": {"matchLabels": {"app": "web"}}, "endpoints": [{"port": "x"}]}},
        {"apiVersion": version, "kind": "HTTPRoute", "metadata": {"name": "r"}, "spec": spec},
    ]  # fmt: skip
    for kind, (version, rest) in (*CALLS.items(), ("VirtualService", ROUTES["VirtualService"])):
        body = rest if kind in CALLS else {"spec": rest}
        objects.append({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **body})
    kind, *path = place.split()
    kustomization = {"resources": ["app.yaml"], "configMapGenerator": [{"name": "c"}]}
    value: Any = kustomization if kind == "kustomization" else next(o for o in objects if o["kind"] == kind)
    for part in path[:-1]:
        value = value[int(part) if part.isdigit() else part]
    value[path[-1]] = wrong
    found = tree(kustomization_yaml=yaml.safe_dump(kustomization), app_yaml=objects)
    if kind in ("ConfigMap", "Secret", "Ingress", "APIService", "EndpointSlice"):
        assert "web -> redis:6379" in edges(found)


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: [\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: ENC[x]}\nsops: {mac: x, version: 3.9.0}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  {{ x }}\n",
    ],
)
def test_evidence_that_cannot_be_read_is_no_problem(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"c.yaml": text})
    workspace = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert [piece.problem for file in workspace.files for piece in file.pieces] == [None]
    assert not workspace.ask(Connections).edges


# -- the corpus


def corpus(*names: str) -> Connections:
    folder = str(shared("corpus", *names))
    return Tree.read([folder], root=folder).ask(Connections)


def test_microservices_demo_has_the_edges_of_its_authors_and_no_other() -> None:
    found = corpus("microservices-demo", "kubernetes-manifests")
    folder = shared("corpus", "microservices-demo", "kustomize", "components", "network-policies")
    expected: set[tuple[str, str, Any]] = set()
    for path in folder.glob("network-policy-*.yaml"):
        for policy in yaml.safe_load_all(path.read_text()):
            server = policy["spec"]["podSelector"].get("matchLabels", {}).get("app")
            for rule in policy["spec"].get("ingress") or ():
                for peer in rule.get("from") or ():
                    client = peer["podSelector"]["matchLabels"]["app"]
                    expected.update((client, server, port["port"]) for port in rule["ports"])
    assert len(expected) == 15
    expected.add(("loadgenerator", "frontend", 8080))
    seen = [(called(edge.client), called(edge.server), port.port) for edge in found.edges for port in edge.ports]
    assert len(seen) == 16
    assert set(seen) == expected
    assert [(called(e.pod), e.host, e.port) for e in found.unresolved] == [("frontend", "shoppingassistantservice", 80)]
    assert [(called(e.server), e.way) for e in found.entries] == [("frontend", Way.OUTSIDE)]
    assert not found.external and not found.unseen


def test_the_copies_of_microservices_demo_are_told_apart() -> None:
    found = corpus("microservices-demo")
    apart = [
        edge
        for edge in found.edges
        if edge.client.object.piece.file.path.split("/corpus/")[1].split("/")[1]
        != edge.server.object.piece.file.path.split("/corpus/")[1].split("/")[1]
    ]
    assert not apart


def test_the_guestbook_keeps_its_redis() -> None:
    found = corpus("kubernetes-examples", "web", "guestbook")
    told = {(e.way, called(e.server)) for e in found.entries if e.server.kind == "Deployment"}
    assert told == {
        (Way.NAMESPACE, "redis-master"), (Way.NAMESPACE, "redis-replica"), (Way.OUTSIDE, "frontend"),
    }  # fmt: skip
    assert found.edges == []


def test_kube_prometheus_is_measured_and_called() -> None:
    found = corpus("kube-prometheus")
    assert entries(found) >= {
        "api-server -> prometheus-adapter:6443", "monitoring -> grafana:3000", "monitoring -> prometheus-operator:8443",
        "outside -> node-exporter:9100",
    }  # fmt: skip
    assert {(called(e.pod), e.service.name) for e in found.unseen} == {
        ("grafana", "prometheus-k8s"), ("prometheus-adapter", "prometheus-k8s"),
    }  # fmt: skip


def test_podinfo_is_read_with_its_generated_config_maps() -> None:
    assert edges(corpus("podinfo", "deploy", "bases")) == {
        "backend -> cache:6379", "frontend -> backend:9898", "frontend -> cache:6379", "warm-cache -> frontend:9898",
        "backup-daily -> database-replica:3306", "rollup-daily -> database-replica:3306",
        "rollup-weekly -> database-replica:3306", "database-primary -> database-primary:*",
    }  # fmt: skip


def test_an_object_is_named_as_it_stands() -> None:
    found = corpus("argo-cd")
    assert {called(edge.client) for edge in found.edges} == {"argocd-application-controller", "argocd-ui"}
    assert any(isinstance(entry.service, Object) for entry in found.entries)
    assert Way.NAMESPACE in {entry.way for entry in found.entries}
