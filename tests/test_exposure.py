"""Services that are closed, and what is said of those that stay open; the rest is in golden/exposure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.engine import pipeline
from hardener.tree.tree import Tree
from tests.conftest import Harden, commit, shared, write

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - name: main
        image: example.com/NAME:1.2.3
        ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata:
  name: NAME
spec:
  type: LoadBalancer
  selector: {app: NAME}
  ports: [{port: 80, targetPort: http}]
"""
ALL = ("--set", "exposure.convert=all")  # also what nothing shows to be for the inside
ONLY = "service-cluster-ip,service-external-ips,ingress-tls,exposed-admin-ui"


def service(name: str, spec: str, annotations: str = "{}") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  annotations: {annotations}\n"
        f"spec:\n  {spec}\n  ports:\n  - port: 80\n---\n"
    )


def test_the_fixture_of_the_specification(harden: Harden, tmp_path: Path) -> None:
    """Every field that must go goes, the others stay, and the step is held back."""
    fixture = shared("design", "spec-workloads.md").read_text().partition("fixture: F12\n")[2].partition("```")[0]
    pair = yaml.safe_load(fixture)
    write(tmp_path, {"pg.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "Service", **pair["before"]})})
    held = json.loads(harden("diff", ".", "--only", "service-cluster-ip", "--format", "json").out)["held"]
    assert [item["grade"] for item in held] == ["breaking"]
    assert harden("apply", ".", "--only", "service-cluster-ip", "--max-grade", "breaking", "--yes").status == 0
    after = yaml.safe_load((tmp_path / "pg.yaml").read_text())
    assert after == {"apiVersion": "v1", "kind": "Service", **pair["after"]}


IMPACT = [
    ("type: LoadBalancer", "{}", "1 public address released; reverting assigns another: Service/a"),
    (
        "type: LoadBalancer", "{networking.gke.io/load-balancer-type: Internal}",
        "1 internal address released; reverting assigns another: Service/a",
    ),
    (
        "type: NodePort", "{}",
        "1 Service loses its NodePort; reverting assigns another: Service/a",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "annotations", "line"), IMPACT)
def test_the_report_heads_with_what_is_lost(
    spec: str, annotations: str, line: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"a.yaml": service("a", spec, annotations)})
    told = harden("diff", ".", "--max-grade", "breaking").all.splitlines()
    assert told[told.index("Impact") + 1].strip() == line


def test_addresses_and_node_ports_are_counted_apart(harden: Harden, tmp_path: Path) -> None:
    both = "".join(service(f"a{n}", "type: LoadBalancer") + service(f"n{n}", "type: NodePort") for n in range(3))
    write(tmp_path, {"a.yaml": both})
    told = harden("diff", ".", "--only", ONLY, *ALL).all
    assert "  3 public addresses released; reverting assigns others: Service/a0, Service/a1, Service/a2\n" in told
    assert "  3 Services lose their NodePorts; reverting assigns others: Service/n0" in told


def test_a_host_port_that_is_closed_is_named(harden: Harden, tmp_path: Path) -> None:
    ports = "[{containerPort: 80, hostPort: 80, hostIP: 192.0.2.7}, {containerPort: 443, hostPort: 443}]"
    spec = f"{{containers: [{{name: c, image: a, ports: {ports}}}]}}"
    pod = f"kind: Pod\napiVersion: v1\nmetadata: {{name: p}}\nspec: {spec}\n"
    write(tmp_path, {"p.yaml": pod})
    only = ("diff", ".", "--only", "no-host-port")
    assert "Impact" not in harden(*only).all
    line = "2 host ports closed; clients that use a node's address are refused: Pod/p"
    assert line in harden(*only, "--accept", "no-host-port").all


def test_an_address_that_an_overlay_keeps_is_not_lost(harden: Harden, tmp_path: Path) -> None:
    patch = "apiVersion: v1\\nkind: Service\\nmetadata: {name: a}\\nspec: {type: LoadBalancer}"
    overlay = f'resources: [../base]\npatches:\n- patch: "{patch}"\n'
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": service("a", "type: LoadBalancer"),
        "prod/kustomization.yaml": overlay,
    }
    write(tmp_path, files)
    told = harden("diff", ".", "--only", ONLY, *ALL).all
    assert "+  type: ClusterIP\n" in told and "Impact" not in told
    assert "an overlay gives Service/a the type LoadBalancer" in told
    write(tmp_path, {"test/kustomization.yaml": "resources: [../base]\n"})
    assert "1 public address released" in harden("diff", ".", "--only", ONLY, *ALL).all


def test_an_unknown_way_to_convert_is_a_mistake(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": service("a", "type: LoadBalancer")})
    done = harden("diff", ".", "--set", "exposure.convert=none")
    assert done.status == 2
    assert "exposure.convert: none is none of sensitive, shown and all" in done.err


def test_the_demo_shop_keeps_its_front_door(harden: Harden, tmp_path: Path) -> None:
    folder = shared("corpus", "microservices-demo", "kubernetes-manifests")
    write(tmp_path, {path.name: path.read_bytes() for path in folder.glob("*.yaml")})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    held = [item for item in report["held"] if item["id"] == "service-cluster-ip"]
    assert [(item["object"]["name"], item["grade"]) for item in held] == [("frontend-external", "breaking")]
    assert held[0]["patch"] == [{"op": "replace", "path": "/spec/type", "value": "ClusterIP"}]
    assert not [item for item in report["changes"] if item["object"]["kind"] == "Service"]


def test_the_guestbook_is_closed_and_says_so_first(harden: Harden, tmp_path: Path) -> None:
    for part in ("guestbook", "guestbook-go"):
        folder = shared("corpus", "kubernetes-examples", "web", part)
        write(tmp_path, {f"{part}/{path.name}": path.read_bytes() for path in folder.glob("*.yaml")})
    commit(tmp_path)
    told = harden("apply", ".", "--yes", *ALL).out.splitlines()
    said = "  1 public address released; reverting assigns another: Service/"
    assert told[told.index("Impact") + 1].startswith(said)
    assert "  type: ClusterIP\n" in (tmp_path / "guestbook-go" / "guestbook-service.yaml").read_text()
    front = (tmp_path / "guestbook" / "frontend-service.yaml").read_text()
    assert "  type: ClusterIP\n" not in front, "its name is that of a user interface"


def test_the_only_way_in_stays(harden: Harden, tmp_path: Path) -> None:
    for part in ("guestbook", "guestbook-go"):
        folder = shared("corpus", "kubernetes-examples", "web", part)
        write(tmp_path, {f"{part}/{path.name}": path.read_bytes() for path in folder.glob("*.yaml")})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert [item["object"]["name"] for item in report["held"] if item["id"] == "service-cluster-ip"] == [
        "frontend",
        "guestbook",
    ]
    assert not [change for change in report["changes"] if change["id"] == "service-cluster-ip"]


def policies(folder: Path) -> dict[str, Any]:
    """The NetworkPolicies that a run wrote, by name."""
    documents = [
        item for path in folder.rglob("*harden-networkpolicies.yaml") for item in yaml.safe_load_all(path.open())
    ]
    return {item["metadata"]["name"]: item["spec"] for item in documents}


def test_a_closed_service_is_not_open_to_anybody_in_a_policy(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.yaml": WEB.replace("NAME", name) for name in ("shop", "shop-public")})
    assert harden("apply", ".", "--yes", *ALL).status == 0
    found = policies(tmp_path)
    assert all(rule.get("from") for rule in found["harden-shop"]["ingress"])
    # The one that is held back stays open, and its pods with it.
    assert any("from" not in rule for rule in found["harden-shop-public"]["ingress"])


OBJECTS = (
    WEB.replace("NAME", "grafana"),
    service("web", "type: NodePort\n  externalIPs: [192.0.2.1]", "{hardener.dev/expose: partners}"),
    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, annotations: {a/auth-url: b}}, spec: {tls: "
    "[], ingressClassName: alb, rules: [{host: a.org, http: {paths: [{backend: {service: {name: grafana}}}]}}]}}",
    "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g}, spec: {listeners: [{name: a, "
    "protocol: HTTP, port: 80}]}}",
    "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r}, spec: {hostnames: [a.org], "
    "parentRefs: [{name: g, sectionName: a}], rules: [{filters: [{extensionRef: {name: auth}}], backendRefs: "
    "[{name: grafana, port: 80}]}]}}",
    "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: i}, spec: {servers: [{port: {protocol: HTTP},"
    " tls: {httpsRedirect: false}}]}}",
    "{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: o}, spec: {host: a.org, to: {name: grafana}}}",
)
WEIRD: tuple[Any, ...] = (None, 7, True, "x", "${X}", [], {}, ["x"], [None], {"x": 1}, [{"x": 1}])


def spoilt(value: Any) -> Iterator[Any]:
    """``value`` with one place after the other holding something else."""
    yield from WEIRD
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            for other in spoilt(value[key]):
                copy = dict(value) if isinstance(value, dict) else list(value)
                copy[key] = other
                yield copy


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_no_shape_stops_the_run(number: int) -> None:
    documents = [list(yaml.safe_load_all(text)) for text in OBJECTS]
    others = [item for index, group in enumerate(documents) if index != number for item in group if item]
    restricted = profile.load("restricted")
    for own in documents[number]:
        if own is None:
            continue
        beside = [item for item in documents[number] if item is not own and item]
        # One object spoilt in all ways at once: each way is a document of its own.
        ways = [
            {**way, "apiVersion": own["apiVersion"], "kind": own["kind"]}
            for way in spoilt(own)
            if isinstance(way, dict)
        ]
        text = yaml.safe_dump_all([*others, *beside, *ways], sort_keys=False)
        tree = Tree.from_text(text)
        tree.stream = False
        outcome = pipeline.run(tree, restricted, only=frozenset(ONLY.split(",")))
        assert not [item for item in outcome.refused if "our bug" in item.reason]
