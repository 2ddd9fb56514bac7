"""``harden graph`` shows who talks to whom, with file and line, in five formats, whatever the names hold."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from hardener.facts.network.connections import Way

from .conftest import DEPLOYMENT, ROOT, Harden, run, write

SCHEMA = json.loads((ROOT / "hardener/report/graph.schema.json").read_text(encoding="utf-8"))
FORMATS = ("text", "mermaid", "svg", "dot", "json")

# What a YAML file can hold as a name, and what each format would take for its own.
HOSTILE = (
    'x"]; evil["y', "a|b", "<script>alert(1)</script>", "back\\slash\\", "\\N\\G", "one\ntwo", "\x1b[31mred",
    "%%{init}%%", "`tick`", "end", "#quot;", "snow\u2603man", "r\u202etl", "-->", "{{ x }}", "${NAME}", " ", "\u2028",
)  # fmt: skip


def deployment(
    name: str,
    *,
    env: dict[str, str] | None = None,
    port: int = 8080,
    namespace: str | None = None,
    type: str = "ClusterIP",
    annotations: dict[str, str] | None = None,
) -> str:
    """The text of a Deployment and its Service, as JSON, so that the name may hold anything."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    container = {
        "name": "main", "image": "example.com/app:1", "ports": [{"containerPort": port}],
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
    }  # fmt: skip
    template = {
        "metadata": {"labels": {"app": name}, "annotations": annotations or {}},
        "spec": {"containers": [container], "serviceAccountName": name},
    }
    workload = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }  # fmt: skip
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": {"type": type, "selector": {"app": name}, "ports": [{"port": 80, "targetPort": port}]},
    }  # fmt: skip
    return json.dumps(workload, indent=1) + "\n---\n" + json.dumps(service, indent=1) + "\n"


def records(*arguments: str, cwd: Path) -> dict[str, Any]:
    """What ``harden graph --format json`` prints, which its schema accepts."""
    done = run("graph", *arguments, "--format", "json", cwd=cwd)
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(found)] == []
    return dict(found)


def edges(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Client, server and ports of every edge, by the names of the workloads."""
    names = {workload["id"]: workload["name"] for workload in found["workloads"]}
    return {
        (names[edge["client"]], names[edge["server"]], ",".join(str(port["port"]) for port in edge["ports"]))
        for edge in found["edges"]
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop"))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_shop(shop: Path) -> None:
    found = records("shop", cwd=shop.parent)
    assert {("api", "postgres", "5432"), ("api", "redis", "6379")} <= edges(found)
    assert [workload["name"] for workload in found["workloads"] if workload["api"]] == ["cleanup"]


def test_every_piece_of_evidence_stands_where_it_says(shop: Path) -> None:
    found = records("shop", cwd=shop.parent)
    lines = {path.name: path.read_text(encoding="utf-8").splitlines() for path in shop.glob("*.yaml")}
    for edge in found["edges"]:
        for fact in edge["evidence"]:
            name = re.search(r"env (\w+)", fact["text"])
            if name is not None:
                before, line = lines[Path(fact["file"]).name][fact["line"] - 2 : fact["line"]]
                assert name[1] in before and "value:" in line
    (fact,) = next(edge for edge in found["edges"] if edge["service"] == "postgres")["evidence"]
    assert (fact["file"], fact["line"]) == ("shop/api.yaml", 30)


def test_text_is_read_at_a_glance(shop: Path) -> None:
    done = run("graph", "shop", cwd=shop.parent)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "namespace shop"
    api = lines.index("  Deployment/api  shop/api.yaml:1")
    assert re.fullmatch(r"    -> StatefulSet/postgres 5432/TCP +env DATABASE_HOST .* at api\.yaml:30", lines[api + 1])
    assert re.match(r"5 workloads: \d+ connections", lines[-1])


def test_one_file_is_shown_with_the_other_ends_of_its_connections(shop: Path) -> None:
    found = records("shop/api.yaml", "--evidence", ".", cwd=shop.parent)
    assert {workload["name"] for workload in found["workloads"]} >= {"api", "postgres", "redis"}
    assert "cleanup" not in {workload["name"] for workload in found["workloads"]}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("prod", {"web": ["prod"], "api": ["prod"]}),
        ("prod/kustomization.yaml", {"web": ["prod"], "api": ["prod"]}),
        ("prod/patch.yaml", {}),
        ("base/web.yaml", {"web": ["dev", "prod"], "api": ["dev", "prod"]}),
        ("other.yaml", {"other": [None]}),
        (".", {"web": ["dev", "prod"], "api": ["dev", "prod"], "other": [None]}),
    ],
)
def test_an_overlay_is_shown_with_what_it_builds(path: str, shown: dict[str, list[str | None]], tmp_path: Path) -> None:
    overlay = "resources: [../base]\nnamespace: {}\n"
    write(tmp_path, {
        "base/kustomization.yaml": "resources: [web.yaml, api.yaml]\n",
        "base/web.yaml": deployment("web", env={"API": "http://api"}),
        "base/api.yaml": deployment("api"),
        "dev/kustomization.yaml": overlay.format("dev"),
        "prod/kustomization.yaml": overlay.format("prod") + "patches: [{path: patch.yaml}]\n",
        "prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
        "other.yaml": deployment("other"),
    })  # fmt: skip
    found = records(path, "--evidence", ".", cwd=tmp_path)
    assert {workload["name"]: workload["namespaces"] for workload in found["workloads"]} == shown
    assert edges(found) == ({("web", "api", "8080")} if "api" in shown else set())


def test_the_folder_in_which_it_is_run_is_the_default(shop: Path) -> None:
    assert edges(records(cwd=shop)) == edges(records(".", cwd=shop))


def test_each_namespace_has_its_own_group(harden: Harden, tmp_path: Path) -> None:
    files = {
        "a.json": deployment("web", namespace="front", env={"API": "http://api.back.svc/v1"}),
        "b.json": deployment("api", namespace="back"),
        "c.json": deployment("lost"),
    }
    write(tmp_path, {name.replace("json", "yaml"): text for name, text in files.items()})
    out = harden("graph").out
    groups = re.findall(r"^\S.*$", out, re.M)
    assert groups[:3] == ["namespace front", "namespace back", "no namespace named"]
    assert "-> Deployment/api 8080/TCP" in out
    for format in ("mermaid", "dot"):
        assert harden("graph", "--format", format).out.count("subgraph") == 3


def test_what_the_tree_does_not_hold_is_said(harden: Harden, tmp_path: Path) -> None:
    env = {"STOCK_ADDR": "stock:8080", "MAIL_HOST": "smtp.example.com:587"}
    write(tmp_path, {"a.yaml": deployment("web", env=env)})
    found = records(cwd=tmp_path)
    assert [(host["host"], host["port"]) for host in found["unresolved"]] == [("stock", 8080)]
    assert [(host["host"], host["port"]) for host in found["external"]] == [("smtp.example.com", 587)]
    out = harden("graph").out
    assert "-> stock:8080, which the tree does not hold" in out
    assert "-> smtp.example.com:587, outside the cluster" in out
    assert re.search(r'w1 -\.->\|"not in the tree"\| x\d', harden("graph", "--format", "mermaid").out)
    assert 'label="stock:8080", shape=ellipse, style=dashed' in harden("graph", "--format", "dot").out


ACTIVATOR = "knative.dev/serving/cmd/activator"
BUILDER = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: builder, namespace: a}
rules:
- {apiGroups: [""], resources: [pods], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: builder, namespace: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: builder}
subjects:
- {kind: ServiceAccount, name: builder, namespace: a}
"""


CUSTOM = """\
apiVersion: example.com/v1
kind: Hook
metadata: {name: hook, namespace: b}
spec: {clientConfig: {service: {name: named, namespace: a}}}
"""


def test_every_way_in_is_said(harden: Harden, tmp_path: Path) -> None:
    webhook = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks:
- name: hook.example.com
  clientConfig: {service: {name: hook, namespace: a, port: 80}}
"""
    texts = [
        deployment("orphan", namespace="a"), deployment("hook", namespace="a"), webhook,
        deployment("scraped", namespace="a", annotations={"prometheus.io/scrape": "true"}),
        deployment("open", namespace="a", type="LoadBalancer"), deployment("called", namespace="a"),
        deployment("activator", namespace="a").replace("example.com/app", f"example.com/{ACTIVATOR}"),
        deployment("builder", namespace="a"), BUILDER, deployment("named", namespace="a"), CUSTOM,
        deployment("lost", namespace="a"),
    ]  # fmt: skip
    part = (
        'from kubernetes import client\nPART = client.V1Container(name="part", image="x:1", args=["http://called.a"])\n'
    )
    broken = "apiVersion: v1\nkind: Pod\nkind: Pod\nurl: http://lost.a.svc:80\n"
    write(tmp_path, {"a.yaml": "---\n".join(texts), "part.py": part, "broken.yaml": broken})
    found = json.loads(run("graph", "--format", "json", cwd=tmp_path).out)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(found)] == []
    ways = {entry["way"] for entry in found["entries"]}
    assert ways | {Way.RECORDED} == set(Way), "who was recorded: tests/test_import_weighed.py"
    assert set(SCHEMA["properties"]["entries"]["items"]["properties"]["way"]["enum"]) == set(Way)
    out = harden("graph").out
    for origin in (
        "anywhere", "the API server", "monitoring of any namespace", "any pod of any namespace",
        "any pod of its namespace",
    ):  # fmt: skip
        assert f"    <- {origin} 8080/TCP " in out
    drawn = harden("graph", "--format", "mermaid").out
    for origin in ("anywhere", "the API server", "monitoring of any namespace", "any pod, namespace a"):
        assert f'(["{origin}"])' in drawn


def service(name: str, spec: str, annotations: str = "{}", labels: str = "{}") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, annotations: {annotations}, labels: {labels}}}\n"
        f"spec: {{{spec}, ports: [{{port: 80, targetPort: 8080}}]}}\n"
    )


# A Service that is open, whether it stays so, and the reason that the report and the graph give.
OPEN = [
    (deployment("shop", type="LoadBalancer"), True, "nothing shows that only the cluster needs it"),
    (deployment("shop-public", type="NodePort"), True, "its name says that it is external"),
    (deployment("web", type="LoadBalancer"), True, "its name is that of a user interface"),
    (deployment("redis", type="LoadBalancer"), False, "a data store"),
    (
        service("elsewhere", "type: LoadBalancer, selector: {app: elsewhere}"),
        True,
        "nothing shows that only the cluster needs it",
    ),
    (service("kept", "type: LoadBalancer", "{hardener.dev/expose: partners}"), True, "hardener.dev/expose asks for it"),
    (service("fixed", "type: LoadBalancer, loadBalancerIP: 192.0.2.1"), True, "loadBalancerIP is set"),
    (service("g", "type: LoadBalancer", "{}", "{gateway.networking.k8s.io/gateway-name: g}"), True, "Gateway"),
    (service("named", "externalIPs: [192.0.2.1]"), True, "external"),
]


@pytest.mark.parametrize(("text", "stays", "reason"), OPEN, ids=[reason for _, _, reason in OPEN])
def test_each_open_service_shows_its_reason(
    harden: Harden, tmp_path: Path, text: str, stays: bool, reason: str
) -> None:
    write(tmp_path, {"a.yaml": text})
    (found,) = records(cwd=tmp_path)["services"]
    assert found["staysOpen"] is stays
    assert reason in found["evidence"][0]["text"]
    assert found["evidence"][0]["file"] == "a.yaml"
    word = "stays open: " if stays else "can be closed: "
    for format in ("text", "mermaid", "dot"):
        assert [
            line for line in harden("graph", "--format", format).out.splitlines() if word in line and reason in line
        ]
    report = harden("diff", ".", "-v", "--only", "service-cluster-ip,service-external-ips").all
    assert reason in report
    page = harden("diff", ".", "--only", "service-cluster-ip,service-external-ips", "--format", "html").out
    drawn = page.partition('<svg class="graph"')[2].partition("</svg>")[0]
    assert (reason in drawn and word in drawn) is stays  # what this run closes is open no more


def test_a_service_that_an_overlay_opens_shows_it(harden: Harden, tmp_path: Path) -> None:
    overlay = (
        "resources: [../base]\npatches:\n- target: {kind: Service}\n  patch: |-\n"
        "    - {op: replace, path: /spec/type, value: LoadBalancer}\n"
    )
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": deployment("shop"),
        "prod/kustomization.yaml": overlay,
    }  # fmt: skip
    write(tmp_path, files)
    (found,) = records(cwd=tmp_path)["services"]
    assert (found["staysOpen"], found["type"]) == (True, "LoadBalancer")
    assert found["evidence"][0]["file"] == "prod/kustomization.yaml"
    write(tmp_path, {"prod/kustomization.yaml": "resources: [../base]\n"})
    assert records(cwd=tmp_path)["services"] == []


def test_services_to_the_same_pods_each_show_their_reason(harden: Harden, tmp_path: Path) -> None:
    more = service("shop-public", "type: NodePort, selector: {app: shop}")
    write(tmp_path, {"a.yaml": deployment("shop", type="LoadBalancer") + "---\n" + more})
    drawn = harden("graph", "--format", "dot").out
    assert drawn.count("stays open: ") == 2
    assert drawn.count("anywhere") == 1


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "files",
    [{}, {"values.yaml": "a: 1\n"}, {"ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"}],
    ids=["nothing", "no manifest", "no workload"],
)
def test_a_tree_without_workloads(harden: Harden, tmp_path: Path, files: dict[str, str], format: str) -> None:
    write(tmp_path, files)
    done = harden("graph", ".", "--format", format)
    why = "there is no file" if not files else "1 file holds no Kubernetes object"
    assert (done.status, done.err) == (0, "" if "ns.yaml" in files else f"harden: nothing was read: {why}\n")
    expected = {
        "text": "0 workloads: no connection found\n",
        "mermaid": "flowchart LR\n",
        "dot": "digraph connections {\n  rankdir=LR;\n  node [shape=box];\n}\n",
    }
    if format == "json":
        assert json.loads(done.out)["workloads"] == []
    elif format == "svg":
        assert "0 boxes and 0 lines" in done.out and ElementTree.fromstring(done.out) is not None
    else:
        assert done.out == expected[format]


def test_what_is_not_read_is_counted(harden: Harden, tmp_path: Path) -> None:
    broken = "apiVersion: v1\nkind: Service\nkind: Service\n"
    template = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n"
    write(tmp_path, {"a.yaml": deployment("web"), "b.yaml": broken + "---\n" + template})
    done = harden("graph", "--format", "json")
    assert json.loads(done.out)["unread"] == 2
    assert done.err == "harden: not read: 1 file holds no document that can be parsed\n"
    assert harden("graph").out.endswith("\n2 files or documents not read: harden check names them\n")


def test_shapes_that_are_wrong_do_no_harm(harden: Harden, tmp_path: Path) -> None:
    pods = ("null", "[]", "{containers: {}}", "{containers: [null, 1]}", "{containers: [{env: 3}]}", "{volumes: x}")
    head = "apiVersion: v1\nkind: Pod\nmetadata: "
    texts = [f"{head}{{name: p{number}}}\nspec: {spec}\n" for number, spec in enumerate(pods)]
    texts += [
        f"{head}{metadata}\nspec: {{containers: []}}\n" for metadata in ("null", "[]", "{name: [1]}", "{labels: 3}")
    ]
    write(tmp_path, {"a.yaml": "---\n".join([*texts, deployment("web")])})
    for format in FORMATS:
        done = harden("graph", "--format", format)
        assert (done.status, done.err) == (0, "")
    assert "Deployment/web" in harden("graph").out


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A chain of workloads with such names, each naming the next and a host; in namespaces called the same."""
    for number, name in enumerate(HOSTILE):
        follower = HOSTILE[(number + 1) % len(HOSTILE)]
        env = {"NEXT_HOST": follower, "OTHER_URL": f"http://host-{number}.example.com:{number + 1}/{name}"}
        write(tmp_path, {f"{number:02}.yaml": deployment(name, namespace=name, env=env)})
    return tmp_path


def test_hostile_names_keep_the_text_in_its_lines(hostile: Path) -> None:
    out = run("graph", cwd=hostile).out
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", out) is None
    assert out.count("  Deployment/") - out.count("-> Deployment/") == len(HOSTILE)
    for line in out.splitlines()[:-2]:
        assert re.match(r"(namespace |  Deployment/|    (->|<-) )", line), line
    assert "Deployment/one\\x0atwo" in out


def test_hostile_names_stay_in_their_quotes_in_mermaid(hostile: Path) -> None:
    lines = run("graph", "--format", "mermaid", cwd=hostile).out.splitlines()
    label = r'"(?:[\w ./:,()*+=?-]|#\d+;)+"'
    assert lines[0] == "flowchart LR"
    patterns = (rf"  subgraph n\d+\[{label}\]", rf"    w\d+\[{label}\]", "  end", rf"  x\d+\(\[{label}\]\)",
                rf"  [wx]\d+ (-->|-\.->)(\|{label}\|)? [wx]\d+")  # fmt: skip
    for line in lines[1:]:
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line


def test_hostile_names_stay_in_their_quotes_in_dot(hostile: Path) -> None:
    out = run("graph", "--format", "dot", cwd=hostile).out
    quoted = re.compile(r'"(?:[^"\\\n]|\\["\\])*"')
    without = quoted.sub("S", out)
    assert '"' not in without and "\\" not in without
    patterns = (
        r"digraph connections \{", r"  rankdir=LR;", r"  node \[shape=box\];", r"  subgraph cluster_\d+ \{",
        r"    label=S;", r"    w\d+ \[label=S\];", r"  \}", r"  x\d+ \[label=S, shape=ellipse(, style=dashed)?\];",
        r"  [wx]\d+ -> [wx]\d+( \[(label=S)?(, )?(style=dashed)?\])?;", r"\}",
    )  # fmt: skip
    for line in without.splitlines():
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line


def test_hostile_names_are_whole_in_json(hostile: Path) -> None:
    found = records(cwd=hostile)
    assert [workload["name"] for workload in found["workloads"]] == list(HOSTILE)


@pytest.mark.parametrize("format", FORMATS)
def test_secrets_do_not_show(harden: Harden, tmp_path: Path, format: str) -> None:
    secret = "Tr0ub4dor-and-3"
    other = "c0rrect-h0rse-battery"
    env = {
        "DATABASE_URL": f"postgres://shop:{secret}@db:5432/shop",
        "PROXY": f"https://{secret}.example.com",
        "MAIL_URL": f"smtp://u:{other}@smtp.example.com:25",
    }
    config = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"},
        "stringData": {"url": f"amqp://guest:{other}@queue.example.com:5672", "password": secret},
    }  # fmt: skip
    files = {"a.yaml": deployment("web", env=env), "b.yaml": deployment("db", port=5432), "c.json": json.dumps(config)}
    write(tmp_path, files)
    out = harden("graph", "--format", format).out
    assert "db" in out
    assert secret not in out and other not in out


def test_a_missing_path_is_a_mistake(harden: Harden) -> None:
    done = harden("graph", "nowhere")
    assert (done.status, done.err) == (2, "harden: nowhere: no such file or folder\n")


def test_the_graph_is_an_svg_that_stands_alone(harden: Harden, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    done = harden("graph", "shop", "--format", "svg")
    drawn = ElementTree.fromstring(done.out)
    assert (done.status, drawn.tag) == (0, "{http://www.w3.org/2000/svg}svg")
    texts = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"web", "postgres"} & texts
    style = drawn.findtext("{http://www.w3.org/2000/svg}style") or ""
    assert ".graph .node > rect" in style and "prefers-color-scheme: dark" in style
    assert not re.search(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)", done.out), "it loads nothing"


def test_names_in_the_svg_are_texts(harden: Harden, tmp_path: Path) -> None:
    service = 'apiVersion: v1\nkind: Service\nmetadata: {name: "<script>alert(1)</script>"}\n'
    write(tmp_path, {"web.yaml": DEPLOYMENT, "s.yaml": service + "spec: {selector: {app: web}, ports: [{port: 80}]}\n"})
    assert "<script" not in harden("graph", ".", "--format", "svg").out
