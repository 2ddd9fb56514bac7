"""Connections that stand in sources and compose files, and in no manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hardener.facts.network.connections import Connections
from hardener.tree.tree import Tree
from tests.conftest import commit, git, shared, write

NGINX = "server {\n  listen 8080;\n  location /api { proxy_pass http://orders:3000; }\n}\n"
COMPOSE = """\
services:
  front:
    build: ./front
    depends_on: [orders]
  orders:
    build: ./orders
    environment:
      - QUEUE_HOST=queue
      - NOTE=front
"""


def workload(name: str, port: int) -> str:
    container = f"{{name: main, image: 'r.example.com/shop/{name}:1', ports: [{{containerPort: {port}}}]}}"
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{port: {port}}}]}}\n---\n"
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec: {{containers: [{container}]}}\n"
        "---\n"
    )


def edges(root: Path) -> dict[tuple[str, str], list[str]]:
    """The evidence of each connection, by the names of client and server."""
    tree = Tree.read([str(root.resolve())], root=str(root.resolve()))
    return {
        (edge.client.object.name, edge.server.object.name): [fact.text for fact in edge.evidence]
        for edge in tree.ask(Connections).edges
        if edge.client is not edge.server
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Three workloads; the front and the orders are built here."""
    manifests = "".join(workload(*each) for each in (("front", 8080), ("orders", 3000), ("queue", 5672)))
    write(tmp_path, {"k8s/all.yaml": manifests, "front/Dockerfile": "FROM nginx\n", "orders/Dockerfile": "FROM node\n"})
    return tmp_path


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"front/nginx.conf": NGINX}, ("front", "orders", "front/nginx.conf:3 names orders:3000")),
        ({"orders/src/app.js": "// queues\nconst host = 'x'\nconnect({ host: 'queue', port: 5672 })\n"},
         ("orders", "queue", "orders/src/app.js:3 names Service/queue")),
        ({"orders/application.properties": "spring.rabbitmq.host=queue\n"},
         ("orders", "queue", "orders/application.properties:1 names Service/queue")),
        ({"docker-compose.yml": COMPOSE}, ("front", "orders", "docker-compose.yml:4 names Service/orders")),
        ({"docker-compose.yml": COMPOSE}, ("orders", "queue", "docker-compose.yml:7 names Service/queue")),
    ],
)  # fmt: skip
def test_a_source_names_whom_a_workload_calls(shop: Path, files: dict[str, str], found: tuple[str, str, str]) -> None:
    write(shop, files)
    commit(shop)
    client, server, text = found
    assert any(fact.endswith(text) for fact in edges(shop).get((client, server), []))


@pytest.mark.parametrize(
    "files",
    [
        {"orders/src/app.js": "startQueue('queue'); const queue = []\n"},  # a bare word
        {"orders/README.md": "It calls http://queue:5672.\n"},  # a document
        {"orders/package-lock.json": '{"resolved": "http://queue:5672"}\n'},
        {"orders/src/store.cs": "INSERT INTO t (queue) VALUES (@queue)\n"},
        {"other/app.js": "fetch('http://queue:5672')\n"},  # no image is built from it
        {".gitignore": "orders/.env\n", "orders/.env": "QUEUE_URL=http://queue:5672\n"},
        {"orders/app.bin": "http://queue:5672\0\n"},
        {"docker-compose.yml": COMPOSE.replace("QUEUE_HOST=queue", "NAME=queue")},
    ],
)
def test_what_is_no_connection(shop: Path, files: dict[str, str]) -> None:
    write(shop, files)
    git(shop, "init", "-q")  # nothing is tracked, so what is ignored is not read
    assert ("orders", "queue") not in edges(shop)


@pytest.mark.parametrize(
    ("app", "wanted"),
    [
        ("aks-store-demo", {("store-front", "order-service"), ("store-front", "product-service"),
                            ("store-admin", "order-service"), ("store-admin", "product-service"),
                            ("store-admin", "makeline-service"), ("virtual-customer", "order-service"),
                            ("virtual-worker", "makeline-service")}),
        ("voting-app", {("vote", "redis"), ("worker", "redis"), ("worker", "db"), ("result", "db")}),
    ],
)  # fmt: skip
def test_public_applications(app: str, wanted: set[tuple[str, str]], tmp_path: Path) -> None:
    shutil.copytree(shared("apps", app), tmp_path / "app")
    commit(tmp_path / "app")
    assert wanted <= edges(tmp_path / "app").keys()
