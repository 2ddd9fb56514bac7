"""Policies of ours over several runs: they are extended, never shortened unless asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Harden, write

ONLY = ("--only", "netpol-workload,netpol-default-deny,netpol-allow-dns")


def workload(name: str, env: str = "") -> str:
    variables = f"        env: [{{name: PEER, value: {env}}}]\n" if env else ""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: {name}
        image: registry.example.com/{name}:1.4
        ports: [{{containerPort: 8080}}]
{variables}---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


@pytest.fixture
def shop(tmp_path: Path, harden: Harden) -> Path:
    write(tmp_path, {"cart.yaml": workload("cart"), "web.yaml": workload("web", "http://cart")})
    assert harden("apply", ".", *ONLY).status == 0
    return tmp_path


def policies(folder: Path) -> dict[str, dict[str, Any]]:
    text = (folder / "harden-networkpolicies.yaml").read_text()
    return {found["metadata"]["name"]: found["spec"] for found in yaml.safe_load_all(text)}


def clients(spec: dict[str, Any]) -> set[str]:
    """The apps that may connect to port 8080."""
    return {
        peer["podSelector"]["matchLabels"]["app"]
        for rule in spec.get("ingress", [])
        for peer in rule.get("from", [])
        if rule.get("ports") == [{"protocol": "TCP", "port": 8080}] and peer.get("podSelector")
    }


def test_a_new_client_extends_the_policy_of_its_server(shop: Path, harden: Harden) -> None:
    assert clients(policies(shop)["harden-cart"]) == {"web"}
    write(shop, {"report.yaml": workload("report", "http://cart")})
    before = (shop / "harden-networkpolicies.yaml").read_text()
    assert harden("apply", ".", *ONLY).status == 0
    assert clients(policies(shop)["harden-cart"]) == {"web", "report"}
    after = (shop / "harden-networkpolicies.yaml").read_text()
    rest = iter(after.splitlines())
    assert all(line in rest for line in before.splitlines()), "a line went"
    assert harden("diff", ".", *ONLY).status == 0


def test_a_client_that_goes_stays_until_it_is_pruned(shop: Path, harden: Harden) -> None:
    (shop / "web.yaml").unlink()
    out = harden("apply", ".", *ONLY).out
    assert "nothing in the tree explains a rule or peer of NetworkPolicy/harden-cart for ingress" in out
    assert clients(policies(shop)["harden-cart"]) == {"web"}
    assert harden("apply", ".", *ONLY, "--prune-managed").status == 0
    assert clients(policies(shop)["harden-cart"]) == set()
    assert harden("diff", ".", *ONLY).status == 0


@pytest.mark.parametrize(("first", "second"), [("restricted", "strict"), ("strict", "restricted")])
def test_another_profile_adds_what_it_needs(first: str, second: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"cart.yaml": workload("cart"), "web.yaml": workload("web", "http://cart")})
    harden("apply", ".", *ONLY, "--profile", first)
    before = policies(tmp_path)
    harden("apply", ".", *ONLY, "--profile", second)
    after = policies(tmp_path)
    for name, spec in before.items():
        assert set(spec["policyTypes"]) <= set(after[name]["policyTypes"])
        for direction in ("ingress", "egress"):
            assert all(rule in after[name].get(direction, []) for rule in spec.get(direction, []))
    assert harden("diff", ".", *ONLY, "--profile", second).status == 0


def test_a_policy_without_our_label_is_left_alone(shop: Path, harden: Harden) -> None:
    path = shop / "harden-networkpolicies.yaml"
    path.write_text(path.read_text().replace("    app.kubernetes.io/managed-by: harden\n", "    team: shop\n"))
    write(shop, {"report.yaml": workload("report", "http://cart")})
    before = path.read_text()
    out = harden("apply", ".", *ONLY).out
    assert path.read_text().startswith(before)
    assert policies(shop).keys() == {"harden-cart", "harden-web", "harden-report"}
    assert "NetworkPolicy/harden-cart refuses that Deployment/report connects to Deployment/cart on 8080" in out


def test_a_waiver_leaves_a_workload_and_its_namespace_open(harden: Harden, tmp_path: Path) -> None:
    waived = workload("web").replace(
        "{name: web}\nspec:\n  selector: {matchLabels",
        "{name: web, annotations: {hardener.dev/ignore-netpol-workload: it scans the network}}\nspec:\n"
        "  selector: {matchLabels",
    )
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    text = f"{space}---\n{workload('cart')}---\n{waived}".replace("{name: cart}", "{name: cart, namespace: shop}")
    write(tmp_path, {"all.yaml": text.replace("{name: web", "{name: web, namespace: shop")})
    out = harden("apply", ".", *ONLY).out
    assert policies(tmp_path).keys() == {"harden-cart"}
    assert "nothing isolates 1 of the 2 workloads of namespace shop" in out


NAMED = [
    ("restricted", "http://169.254.169.254/latest", "asks 169.254.169.254, where clouds hand out the credentials", []),
    ("restricted", "http://metadata.google.internal/x", "asks metadata.google.internal, where clouds hand out", []),
    ("strict", "http://169.254.169.254/latest", "asks 169.254.169.254, where clouds hand out the credentials", []),
    ("strict", "smtp.example.com:587", "talks to smtp.example.com:587, and no rule allows it", []),
    ("strict", "10.20.30.40:5432", None, ["10.20.30.40/32"]),
    ("strict", "http://100.100.100.200/latest", "talks to 100.100.100.200, and no rule allows it", []),
]


@pytest.mark.parametrize(("profile", "value", "said", "opened"), NAMED)
def test_what_is_named_outside_is_open_or_said(
    profile: str, value: str, said: str | None, opened: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": workload("web", value)})
    out = harden("apply", ".", *ONLY, "--profile", profile).out
    blocks = [
        peer["ipBlock"]["cidr"]
        for rule in policies(tmp_path)["harden-web"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer and peer["ipBlock"]["cidr"] not in ("169.254.20.10/32", "0.0.0.0/0")
    ]
    assert blocks == opened
    assert (said in out) if said else ("no rule allows it" not in out)


def test_a_prometheus_that_finds_its_targets_itself_is_named(harden: Harden, tmp_path: Path) -> None:
    settings = "scrape_configs:\n- kubernetes_sd_configs: [{role: pod}]\n"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"p.yml": settings}}
    own = yaml.safe_load_all(workload("prometheus"))
    deployment = next(own)
    deployment["spec"]["template"]["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "c"}}]
    deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "c", "mountPath": "/etc/p"}]
    write(tmp_path, {"a.yaml": yaml.safe_dump_all([deployment, config]), "web.yaml": workload("web")})
    assert "Deployment/prometheus discovers the pods that it scrapes" in harden("diff", ".", *ONLY).all


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
OPEN = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open, namespace: shop}
spec: {podSelector: %s, policyTypes: [Ingress, Egress], ingress: [{}], egress: [%s]}
"""


def in_shop(text: str) -> str:
    return re.sub(r"^metadata: \{", "metadata: {namespace: shop, ", text, flags=re.M)


def test_nothing_is_called_isolated_beside_a_policy_that_lets_everything_through(
    harden: Harden, tmp_path: Path
) -> None:
    """Also in later runs, when its egress leaves out the metadata of the cloud."""
    web = in_shop(workload("web"))
    write(tmp_path, {"shop.yaml": f"{NAMESPACE}---\n{web}---\n{OPEN % ('{}', '{}')}"})
    for edits in (True, False):
        done = harden("apply", ".")
        found = [line for line in done.out.splitlines() if "isolated" in line or "default-deny-all" in line]
        assert "netpol-metadata-block" in done.out or not edits
        assert all("nothing isolates the pods of namespace shop" in line for line in found) and found
        assert "NetworkPolicy/open closes nothing for ingress and egress" in done.out
        assert [path.name for path in tmp_path.glob("*.yaml")] == ["shop.yaml"]
    assert harden("diff", ".").status == 0


def test_what_is_left_open_in_one_direction_is_called_so(harden: Harden, tmp_path: Path) -> None:
    rules = "{to: [{podSelector: {}}]}"
    text = OPEN.replace("Ingress, Egress", "Ingress") % ("{matchLabels: {app: web}}", rules)
    write(tmp_path, {"shop.yaml": f"{in_shop(workload('web'))}---\n{in_shop(workload('api'))}---\n{text}"})
    out = harden("diff", ".", *ONLY, "-v").all
    assert re.search(r"1 workload isolated by a NetworkPolicy: ", out)
    assert re.search(r"1 workload isolated in one direction only: .*: NetworkPolicy/harden-web", out)
    assert "NetworkPolicy/open leaves ingress open" in out and "NetworkPolicy/open closes ingress" not in out


def test_a_stream_gets_findings_only(harden: Harden) -> None:
    done = harden("filter", *ONLY, stdin=workload("cart").encode())
    assert "kind: NetworkPolicy" not in done.out
    assert "netpol-workload" in done.err
