"""What kustomize builds of a hardened tree: connections and DNS are open there, too, whatever it does to labels and
names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.network_policy import NAMESPACE_LABEL, Pod, judge
from hardener.reachability.layout import Layout
from hardener.reachability.measure import measure
from hardener.reachability.state import State
from hardener.workspace import Workspace

from .conftest import Harden, commit, write

pytestmark = pytest.mark.skipif(shutil.which("kustomize") is None, reason="needs kustomize (Debian package kustomize)")

DNS = Pod("kube-system", {"k8s-app": "kube-dns"}, {NAMESPACE_LABEL: "kube-system"})


def part(name: str, *hosts: str) -> str:
    """A Deployment that talks to ``hosts``, with its Service."""
    env = [{"name": f"HOST_{number}", "value": f"http://{host}/"} for number, host in enumerate(hosts)]
    ports = [{"name": "http", "containerPort": 8080}]
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "example.com/app:1", "ports": ports, "env": env}]},
    }
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }  # fmt: skip
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }  # fmt: skip
    return "---\n".join(yaml.safe_dump(document, sort_keys=False) for document in (deployment, service))


SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "namespace": {"namespace": "shop"},
    "commonLabels": {"commonLabels": {"team": "shop"}},
    "commonLabels over those of the pods": {"commonLabels": {"app": "all"}},
    "labels with selectors": {"labels": [{"pairs": {"team": "shop"}, "includeSelectors": True}]},
    "labels with templates": {"labels": [{"pairs": {"team": "shop"}, "includeTemplates": True}]},
    "labels alone": {"labels": [{"pairs": {"team": "shop"}}]},
    "namePrefix": {"namePrefix": "pre-"},
    "nameSuffix": {"nameSuffix": "-v2"},
    "all": {
        "namespace": "shop", "namePrefix": "pre-", "nameSuffix": "-v2", "commonLabels": {"team": "shop"},
        "labels": [{"pairs": {"tier": "x"}, "includeSelectors": True}],
    },
}  # fmt: skip


def build(folder: Path) -> Workspace:
    done = subprocess.run(["kustomize", "build", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Workspace.from_text(done.stdout)


@pytest.mark.parametrize("where", ["outer", "inner", "one of two"])
@pytest.mark.parametrize("name", SETTINGS)
def test_connections_and_dns_are_open_in_what_is_built(name: str, where: str, tmp_path: Path, harden: Harden) -> None:
    chosen = SETTINGS[name]

    def rendered(host: str) -> str:
        return f"{chosen.get('namePrefix', '')}{host}{chosen.get('nameSuffix', '')}"

    two = where == "one of two"  # the database is of another kustomization, on which nothing is set
    if two and (name in ("namespace", "all")):
        pytest.skip("a short name does not lead to another namespace")
    inner = {} if where == "outer" else chosen
    lists = {"web": ["web.yaml", "api.yaml", *([] if two else ["db.yaml"])]} | ({"data": ["db.yaml"]} if two else {})
    files = {
        "web/web.yaml": part("web", rendered("api")),
        "web/api.yaml": part("api", "db" if two else rendered("db")),
        f"{'data' if two else 'web'}/db.yaml": part("db"),
        "kustomization.yaml": yaml.safe_dump({"resources": list(lists), **(chosen if where == "outer" else {})}),
    }
    for folder, resources in lists.items():
        settings = inner if folder == "web" else {}
        files[f"{folder}/kustomization.yaml"] = yaml.safe_dump({"resources": resources, **settings})
    write(tmp_path, files)
    commit(tmp_path)
    before = build(tmp_path)
    edges = len(before.connections.edges)
    assert edges == 2 or "over those" in name  # there all are selected by every Service
    done = harden("apply", ".", "--yes")
    assert done.status == 0, done.all
    after = build(tmp_path)
    found = measure(after)
    assert (len(after.connections.edges), found.edges) == (edges, edges), "an edge is closed"
    layout = Layout(after)
    network = State(layout, as_read=False).network(0, blocks_cover_pods=False)
    for number, pod in network.pods.items():
        assert network.is_isolated(number, "ingress") and network.is_isolated(number, "egress")
        for protocol in ("UDP", "TCP"):
            assert judge(network.policies_of(number), pod, DNS, 53, protocol, blocks_cover_pods=False).allowed
    assert found.open_before < found.pairs == 6 or edges > 2
