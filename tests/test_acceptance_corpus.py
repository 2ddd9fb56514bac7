"""What must hold of real repositories as a whole, of a pair about tokens, and of a repository that only says what
others render."""

from __future__ import annotations

import difflib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.tree.tree import Tree
from tests.conftest import CorpusTree, Harden, commit, shared, write

pytestmark = pytest.mark.slow

Value = dict[str, Any]


def documents(text: str | bytes) -> list[Value]:
    return [item for item in yaml.load_all(text, Loader=yaml.CSafeLoader) if isinstance(item, dict)]


def policies(text: str | bytes) -> dict[str, Value]:
    """The specs of the NetworkPolicies in ``text``, by name."""
    return {item["metadata"]["name"]: item["spec"] for item in documents(text) if item["kind"] == "NetworkPolicy"}


def pods(text: str | bytes) -> Iterator[tuple[str, Value]]:
    """The names and pod specs of the workloads in ``text``."""
    for item in documents(text):
        spec = item.get("spec") or {}
        if item.get("kind") == "List":
            yield from pods(yaml.safe_dump_all(item["items"]))
        elif item.get("kind") == "Pod":
            yield item["metadata"].get("name", ""), spec
        elif isinstance(spec.get("template"), dict) and "containers" in (spec["template"].get("spec") or {}):
            yield item["metadata"]["name"], spec["template"]["spec"]


def changed_lines(before: str, after: str) -> tuple[Counter[str], Counter[str]]:
    """The lines that went and the lines that came, without the blanks around them."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    gone = Counter(line[1:].strip() for line in lines if line.startswith("-"))
    return gone, Counter(line[1:].strip() for line in lines if line.startswith("+"))


# -- microservices-demo

DIGEST = "sha256:" + "d1" * 32


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], Value]:
    """The shop of microservices-demo as hardened, its files before, and the report; of the lock one image is known."""
    from tests.conftest import run

    folder = tmp_path_factory.mktemp("shop")
    before = {path.name: path.read_text() for path in shared(*DEMO).glob("*.yaml")}
    lock = f"version: 1\nimages:\n  redis:alpine: {{digest: {DIGEST}}}\n"
    write(folder, {**before, "harden.lock": lock})
    commit(folder)
    report = json.loads(run("diff", ".", "--format", "json", cwd=folder).out)
    assert run("apply", ".", cwd=folder).status == 0
    return folder, before, report


DEMO = ("corpus", "microservices-demo", "kubernetes-manifests")
Shop = tuple[Path, dict[str, str], Value]


def test_the_shop_gets_what_it_lacks_and_nothing_twice(shop: Shop) -> None:
    folder, before, _ = shop
    gone: Counter[str] = Counter()
    came: Counter[str] = Counter()
    for name, text in before.items():
        lost, new = changed_lines(text, (folder / name).read_text())
        gone, came = gone + lost, came + new
    assert gone == Counter({"image: redis:alpine": 1})
    assert came == Counter(
        {
            "seccompProfile:": 12, "type: RuntimeDefault": 12,  # its authors wrote the rest of securityContext
            "automountServiceAccountToken: false": 23,  # of 12 pods and 11 accounts
            "resources:": 1, "requests:": 1, "limits:": 1, "cpu: 25m": 1, "memory: 128Mi": 1, 'cpu: "1"': 1,
            "memory: 2Gi": 1,  # the one init container without any
            f"image: redis:alpine@{DIGEST}": 1,
            "- harden-networkpolicies.yaml": 1,
        }
    )  # fmt: skip


def test_the_policies_of_the_shop_are_its_sixteen_edges(shop: Shop) -> None:
    """Those of its authors (kustomize/components/network-policies), and the one of the load generator."""
    folder, _, _ = shop
    check_edges(policies((folder / "harden-networkpolicies.yaml").read_text()))


def test_its_sources_open_no_other(harden: Harden, tmp_path: Path) -> None:
    app = shared("apps", "microservices-demo")
    for name in ("kubernetes-manifests", "src", "skaffold.yaml"):
        (shutil.copytree if (app / name).is_dir() else shutil.copy)(app / name, tmp_path / name)
    commit(tmp_path)
    tree = Tree.read([str(tmp_path.resolve())], root=str(tmp_path.resolve()))
    images = [one.image for pod in tree.pod_templates for one in pod.containers if one.image is not None]
    assert sum(bool(tree.ask(BuiltImages).folders(image)) for image in images) >= 10  # whose sources are read
    assert harden("apply", "kubernetes-manifests", "--yes", "--only", "netpol-workload").status == 0
    check_edges(policies((tmp_path / "kubernetes-manifests" / "harden-networkpolicies.yaml").read_text()))


def check_edges(found: dict[str, Value]) -> None:
    expected = {("loadgenerator", "frontend", 8080)}
    component = shared("corpus", "microservices-demo", "kustomize", "components", "network-policies")
    for path in component.glob("network-policy-*.yaml"):
        expected |= edges(policies(path.read_text()), "ingress")
    assert len(found) == 12 and len(expected) == 16
    assert edges(found, "egress") == expected
    # The load balancer of the frontend is held back, so anybody may come, the load generator included.
    assert edges(found, "ingress") == {edge for edge in expected if edge[1] != "frontend"}
    anybody = {name for name, spec in found.items() for rule in spec.get("ingress", ()) if "from" not in rule}
    assert anybody == {"harden-frontend"}
    assert found["harden-frontend"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]


def edges(found: dict[str, Value], direction: str) -> set[tuple[str, str, int]]:
    """(client, server, port) of all rules with peers that are known by their label ``app``."""
    seen: set[tuple[str, str, int]] = set()
    for spec in found.values():
        own = spec["podSelector"].get("matchLabels", {}).get("app")
        for rule in spec.get(direction) or ():
            for each in rule.get("from" if direction == "ingress" else "to") or ():
                wanted = each.get("podSelector", {})
                names = [wanted["matchLabels"]["app"]] if wanted.get("matchLabels") else []
                # What another kustomization builds is named by expressions.
                names += [one["values"][0] for one in wanted.get("matchExpressions", ()) if one["key"] == "app"]
                for other in names:
                    client, server = (other, own) if direction == "ingress" else (own, other)
                    seen.update((client, server, port["port"]) for port in rule["ports"])
    return seen


def test_every_pod_of_the_shop_may_ask_dns_and_not_the_metadata_address(shop: Shop) -> None:
    folder, _, _ = shop
    for name, spec in policies((folder / "harden-networkpolicies.yaml").read_text()).items():
        dns = [rule for rule in spec["egress"] if {"protocol": "UDP", "port": 53} in rule.get("ports", ())]
        assert dns and {"protocol": "TCP", "port": 53} in dns[0]["ports"], name
        blocks = [each["ipBlock"] for rule in spec["egress"] for each in rule["to"] if "ipBlock" in each]
        assert {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]} in blocks, name
        assert all(block["cidr"] in ("0.0.0.0/0", "169.254.20.10/32") for block in blocks), name


def test_the_report_on_the_shop(shop: Shop) -> None:
    _, _, report = shop
    held = [(item["id"], item["object"]["name"], item["grade"]) for item in report["held"]]
    assert held == [("service-cluster-ip", "frontend-external", "breaking")]
    said = [item["message"] for item in report["findings"]]
    assert sum("shoppingassistantservice:80" in text for text in said) == 1
    assert sum("is not pinned, harden.lock does not hold it" in text for text in said) == 11  # skaffold builds them
    for change in report["changes"]:
        if change["id"] == "netpol-workload" and change["object"]["kind"] == "NetworkPolicy":
            shown = [fact for fact in change["evidence"] if fact["text"].startswith(("in ", "out "))]
            assert all(fact["file"].endswith(".yaml") and fact["line"] > 0 for fact in shown)
            assert shown or change["object"]["name"] == "harden-loadgenerator"


# -- argo-cd


def test_argo_cd_keeps_its_policies_and_gets_outgoing_ones(corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus("argo-cd")
    before, after = (files["install.yaml"][1].decode() for files in (tree.before, tree.after))
    gone, came = changed_lines(before, after)
    assert not {line.rstrip(":") for line in came} & {
        "securityContext", "runAsNonRoot: true", "seccompProfile", "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
    }  # fmt: skip
    assert not gone
    assert came["resources:"] == 10
    assert policies(before) == policies(after) and len(policies(after)) == 7
    own = policies(tree.after["harden-networkpolicies.yaml"][1])
    assert len(own) == 7
    for name, spec in own.items():
        assert spec["policyTypes"] == ["Egress"] and "ingress" not in spec, name
        assert spec["podSelector"], f"{name} selects all pods of a namespace that nobody knows"


# -- kube-prometheus


def test_the_agent_of_kube_prometheus_keeps_the_node(corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus("kube-prometheus")
    (before,), (after,) = (
        [spec for name, spec in pods(files["nodeExporter-daemonset.yaml"][1]) if name == "node-exporter"]
        for files in (tree.before, tree.after)
    )
    for key in ("hostNetwork", "hostPID", "tolerations"):
        assert after[key] == before[key]
    assert after["volumes"][: len(before["volumes"])] == before["volumes"]
    for old, new in zip(before["containers"], after["containers"], strict=True):
        assert new.get("ports") == old.get("ports")
        assert new["securityContext"].get("capabilities") == old["securityContext"].get("capabilities")
    held = {item["id"] for item in tree.report["held"] if item["object"]["name"] == "node-exporter"}
    assert held >= {"no-host-network", "no-host-pid", "no-host-path"}


# -- guestbook


def test_the_guestbook_reaches_its_redis(corpus: Callable[[str], CorpusTree]) -> None:
    """Its images have the names of the Services built in."""
    found = policies(corpus("kubernetes-examples").after["web/guestbook/harden-networkpolicies.yaml"][1])
    everybody: Value = {"podSelector": {}}
    reached = [each for rule in found["harden-frontend"]["egress"] for each in rule["to"]]
    assert {"namespaceSelector": {}} in reached  # who is partly read may call any pod
    servers = [spec for name, spec in found.items() if name.startswith("harden-redis-")]
    assert len(servers) == 2
    for spec in servers:
        assert spec["ingress"] == [{"from": [everybody], "ports": [{"protocol": "TCP", "port": 6379}]}]


def test_low_ports_of_the_examples_can_be_served(corpus: Callable[[str], CorpusTree]) -> None:
    """By a sysctl or a capability, or because the container keeps the user and the capabilities that it has today."""
    tree = corpus("kubernetes-examples")
    helped, as_before, unable = [], [], []
    for name, (_, content) in tree.after.items():
        if not name.endswith((".yaml", ".yml", ".json")) or b"containerPort" not in content or b"{{" in content:
            continue
        try:
            listed = list(pods(content))
        except yaml.YAMLError:
            continue
        for workload, spec in listed:
            ports = [port.get("containerPort") for each in spec["containers"] for port in each.get("ports") or ()]
            if any(isinstance(port, int) and port < 1024 for port in ports):
                text = json.dumps(spec)
                if "ip_unprivileged_port_start" in text or "NET_BIND_SERVICE" in text:
                    helped.append(workload)
                elif "runAsNonRoot" in text or "runAsUser" in text or '"ALL"' in text:
                    unable.append(workload)
                else:
                    as_before.append(workload)
    assert len(helped) == 15
    assert sorted(as_before) == ["my-nginx", "nfs-server", "phabricator-controller", "spark-ui-proxy-controller", "web"]
    assert unable == []


# -- fixtures


def test_the_fixture_of_tokens(harden: Harden, tmp_path: Path) -> None:
    """The token stands only in the container that uses the API, an init container."""
    fixture = shared("design", "spec-workloads.md").read_text().partition("fixture: F8\n")[2].partition("```")[0]
    pair = yaml.safe_load(fixture)
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"},
        "spec": {
            "selector": {"matchLabels": {"app": "app"}},
            "template": {"metadata": {"labels": {"app": "app"}}, "spec": pair["before"]},
        },
    }  # fmt: skip
    name = pair["evidence"]["rolebinding"]
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name}],
    }  # fmt: skip
    write(tmp_path, {"app.yaml": yaml.safe_dump_all([deployment, binding])})
    assert harden("apply", ".", "--only", ",".join(pair["ids"])).status == 0
    ((_, after),) = pods((tmp_path / "app.yaml").read_text())
    assert after == pair["after"]


# -- what renders elsewhere

RELEASES = """\
apiVersion: v1
kind: Namespace
metadata:
  name: NAME
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: NAME, namespace: NAME}
spec: {chart: {spec: {chart: NAME, sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}}
"""
REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: flux-system}
spec: {url: https://charts.example.com}
"""


@pytest.mark.parametrize("profile", ["baseline", "restricted", "strict"])
def test_a_repository_of_releases(profile: str, harden: Harden, tmp_path: Path) -> None:
    names = ("cache", "search")
    write(tmp_path, {f"{name}.yaml": RELEASES.replace("NAME", name) for name in names} | {"charts.yaml": REPOSITORY})
    out = harden("apply", ".", "--profile", profile, "-v").out
    assert sorted(path.stem for path in tmp_path.iterdir() if path.suffix) == ["cache", "charts", "search"]
    for name in names:
        labels = documents((tmp_path / f"{name}.yaml").read_text())[0]["metadata"].get("labels", {})
        assert labels["pod-security.kubernetes.io/warn"] == "restricted"
        assert "pod-security.kubernetes.io/enforce" not in labels
        assert f"namespace {name} enforces no Pod Security level: HelmRelease/{name} renders workloads" in out
    assert "2 releases of 2 charts are not hardened" in out and "harden lock --charts ." in out
