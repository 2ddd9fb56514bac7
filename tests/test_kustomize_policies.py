"""What kustomize does to labels, namespaces and names does not cut what the policies of a run leave open.

Each tree is hardened, built, and the built pods and policies are asked who reaches whom.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.network.connections.model import Connections
from hardener.kubernetes.network.network_policy import judge
from hardener.report.reachability.measure import measure
from hardener.tree.tree import Tree

from .built import BUILDERS, Cluster, build, builder
from .conftest import commit, run, write

BASE = {
    "web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: example.com/web:1
        ports:
        - containerPort: 8080
        env:
        - name: API_URL
          value: http://api:80/v1
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8080
""",
    "api.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  labels: {app: api}
spec:
  selector:
    matchLabels: {app: api}
  template:
    metadata:
      labels: {app: api}
    spec:
      containers:
      - name: api
        image: example.com/api:1
        ports:
        - name: http
          containerPort: 8000
        envFrom:
        - configMapRef:
            name: settings
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
  - port: 80
    targetPort: http
""",
    "store.yaml": """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: store
spec:
  serviceName: store
  selector:
    matchLabels: {app: store}
  template:
    metadata:
      labels: {app: store}
    spec:
      containers:
      - name: store
        image: example.com/store:1
        args: [--appendonly]   # it has settings, and none is an address
        ports:
        - containerPort: 6379
---
apiVersion: v1
kind: Service
metadata:
  name: store
spec:
  clusterIP: None
  selector: {app: store}
  ports:
  - port: 6379
""",
    "report.yaml": """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
spec:
  schedule: "0 4 * * *"
  jobTemplate:
    spec:
      template:
        metadata:
          labels: {app: report}
        spec:
          restartPolicy: Never
          containers:
          - name: report
            image: example.com/report:1
            args: ["--source=http://api/report"]
""",
}
RESOURCES = "resources: [web.yaml, api.yaml, store.yaml, report.yaml]\n"
SETTINGS = "configMapGenerator:\n- name: settings\n  literals:\n  - STORE_URL=redis://store:6379/0\n"

# Client, server, port; and what nothing asks for.
EDGES = [("web", "api", 8000), ("report", "api", 8000), ("api", "store", 6379), ("store", "store", 7946)]
CLOSED = [("web", "store", 6379), ("report", "store", 6379), ("api", "report", 8080), ("store", "api", 8000)]

# A name: the text of the base's kustomization, and that of the overlay in the folder `prod` if there is one.
TRANSFORMERS = {
    "nothing": "",
    "commonLabels": "commonLabels: {team: shop, env: prod}\n",
    "labels with selectors": "labels:\n- pairs: {team: shop}\n  includeSelectors: true\n",
    "labels of templates": "labels:\n- pairs: {team: shop}\n  includeTemplates: true\n",
    "labels alone": "labels:\n- pairs: {team: shop}\n",
    "namespace": "namespace: shop-prod\n",
    "names": "namePrefix: prod-\nnameSuffix: -v2\n",
    "all of them": "namespace: shop-prod\nnamePrefix: prod-\nnameSuffix: -v2\ncommonLabels: {team: shop}\n"
    "labels:\n- pairs: {part: all}\n  includeSelectors: true\n",
}
MAIL = BASE["store.yaml"].replace("store", "mail").replace("6379", "2525").replace("StatefulSet", "Deployment")
MAIL = MAIL.replace("  serviceName: mail\n", "").replace("  clusterIP: None\n", "")
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  template:
    spec:
      containers:
      - name: api
        env:
        - name: MAIL_HOST
          value: mail:2525
"""


def built(tree: Path, folder: str, tool: str) -> list[dict[str, Any]]:
    """The objects that ``folder`` builds after a run on ``tree``."""
    found, complaint = build(builder(tool), tree / folder)
    assert found is not None, complaint
    return list(found.values())


def hold(objects: list[dict[str, Any]], edges: list[tuple[str, str, int]], closed: list[tuple[str, str, int]]) -> None:
    """Every edge is open, and DNS; what else there could be is closed."""
    cluster = Cluster(objects)
    pods = cluster.by_app
    assert [name for name, pod in pods.items() if not cluster.isolated(pod)] == []
    assert [name for name, pod in pods.items() if not cluster.resolves(pod)] == []
    assert [(a, b, port) for a, b, port in edges if not cluster.reaches(pods[a], pods[b], port)] == []
    assert [(a, b, port) for a, b, port in closed if judge(cluster.policies, pods[a], pods[b], port).allowed] == []


def harden(tree: Path) -> dict[str, Any]:
    """Harden ``tree``; a second run changes nothing. Returns the report."""
    commit(tree)
    done = run("apply", ".", "--format", "json", cwd=tree)
    assert done.status == 0, done.err
    assert run("diff", ".", cwd=tree).status == 0
    return dict(json.loads(done.out))


@pytest.mark.parametrize("tool", BUILDERS)
@pytest.mark.parametrize("where", ["base", "prod"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_every_edge_is_open_in_what_is_built(tmp_path: Path, name: str, where: str, tool: str) -> None:
    base, overlay = RESOURCES + SETTINGS, "resources: [../base]\n"
    if where == "base":
        base += TRANSFORMERS[name]
    else:
        overlay += TRANSFORMERS[name]
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(tmp_path, {"base/kustomization.yaml": base, "prod/kustomization.yaml": overlay})
    before = {(item["kind"], item["metadata"]["name"]) for item in built(tmp_path, "prod", tool)}
    harden(tmp_path)
    objects = built(tmp_path, "prod", tool)
    assert before <= {(item["kind"], item["metadata"]["name"]) for item in objects}
    hold(objects, EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_label_over_that_of_the_pods_makes_every_service_select_all(tmp_path: Path, tool: str) -> None:
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(tmp_path, {"base/kustomization.yaml": RESOURCES + SETTINGS + "commonLabels: {app: all}\n"})
    harden(tmp_path)
    after = Tree.from_text(yaml.safe_dump_all(built(tmp_path, "base", tool)))
    assert measure(after).edges == len(after.ask(Connections).edges) > len(EDGES)


@pytest.mark.parametrize("tool", BUILDERS)
def test_variables_name_what_the_services_are_called_when_built(tmp_path: Path, tool: str) -> None:
    files = {f"base/{file}": text.replace("//api", "//prod-api-v2") for file, text in BASE.items()}
    base = RESOURCES + SETTINGS.replace("//store", "//prod-store-v2")
    write(tmp_path, files | {"base/kustomization.yaml": base})
    write(tmp_path, {"prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\nnameSuffix: -v2\n"})
    harden(tmp_path)
    hold(built(tmp_path, "prod", tool), EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
def test_one_base_for_three_namespaces(tmp_path: Path, tool: str) -> None:
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(tmp_path, {"base/kustomization.yaml": RESOURCES + SETTINGS})
    spaces = ("dev", "staging", "production")
    for space in spaces:
        text = f"namespace: {space}\nresources: [../base]\ncommonLabels: {{env: {space}}}\n"
        write(tmp_path, {f"{space}/kustomization.yaml": text})
    harden(tmp_path)
    clusters = {}
    for space in spaces:
        objects = built(tmp_path, space, tool)
        hold(objects, EDGES, CLOSED)
        clusters[space] = Cluster(objects)
    policies = [policy for cluster in clusters.values() for policy in cluster.policies]
    for space in spaces[1:]:
        stranger = clusters["dev"].by_app["web"]
        assert not judge(policies, stranger, clusters[space].by_app["api"], 8000).allowed, f"dev reaches {space}"


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_component_brings_a_workload_and_the_variable_that_names_it(tmp_path: Path, tool: str) -> None:
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [mail.yaml]\n"
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(
        tmp_path,
        {
            "base/kustomization.yaml": RESOURCES + SETTINGS,
            "mail/kustomization.yaml": component + "patches:\n- path: api-patch.yaml\n",
            "mail/mail.yaml": MAIL,
            "mail/api-patch.yaml": PATCH,
            "prod/kustomization.yaml": "resources: [../base]\ncomponents: [../mail]\ncommonLabels: {team: shop}\n",
            "plain/kustomization.yaml": "resources: [../base]\nnamespace: plain\n",
        },
    )
    harden(tmp_path)
    hold(built(tmp_path, "prod", tool), [*EDGES, ("api", "mail", 2525)], [*CLOSED, ("web", "mail", 2525)])
    hold(built(tmp_path, "plain", tool), EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
@pytest.mark.parametrize("inline", [False, True], ids=["file", "inline"])
def test_a_patch_of_an_overlay_names_a_service(tmp_path: Path, inline: bool, tool: str) -> None:
    indented = "".join(f"    {line}\n" for line in PATCH.splitlines())
    patches = f"patches:\n- patch: |-\n{indented}" if inline else "patches:\n- path: api-patch.yaml\n"
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(
        tmp_path,
        {
            "base/kustomization.yaml": RESOURCES + SETTINGS,
            "prod/mail.yaml": MAIL,
            "prod/kustomization.yaml": f"resources: [../base, mail.yaml]\nnamespace: shop\n{patches}",
        }
        | ({} if inline else {"prod/api-patch.yaml": PATCH}),
    )
    harden(tmp_path)
    hold(built(tmp_path, "prod", tool), [*EDGES, ("api", "mail", 2525)], [*CLOSED, ("web", "mail", 2525)])


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_patch_that_adds_labels_to_pods(tmp_path: Path, tool: str) -> None:
    patch = "patches:\n- target: {kind: Deployment}\n  patch: |-\n" + "".join(
        f"    {line}\n"
        for line in ("- op: add", "  path: /spec/template/metadata/labels/version", "  value: v2")
    )  # fmt: skip
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    write(
        tmp_path,
        {
            "base/kustomization.yaml": RESOURCES + SETTINGS,
            "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n" + patch,
        },
    )
    harden(tmp_path)
    hold(built(tmp_path, "prod", tool), EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
def test_bases_in_folders_of_their_own_are_built_together(tmp_path: Path, tool: str) -> None:
    parts = {"front": ("web.yaml", "report.yaml"), "back": ("api.yaml", "store.yaml")}
    for folder, files in parts.items():
        text = f"resources: [{', '.join(files)}]\n" + (
            SETTINGS if folder == "back" else "commonLabels: {tier: front}\n"
        )
        write(tmp_path, {f"{folder}/{file}": BASE[file] for file in files} | {f"{folder}/kustomization.yaml": text})
    write(tmp_path, {"all/kustomization.yaml": "resources: [../front, ../back]\nnamespace: shop\nnamePrefix: x-\n"})
    harden(tmp_path)
    hold(built(tmp_path, "all", tool), EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_namespace_of_its_own(tmp_path: Path, tool: str) -> None:
    space = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"
    write(tmp_path, {f"base/{file}": text for file, text in BASE.items()})
    text = RESOURCES.replace("[", "[namespace.yaml, ") + SETTINGS + "namespace: shop\n"
    write(
        tmp_path,
        {
            "base/namespace.yaml": space,
            "base/kustomization.yaml": text,
            "prod/kustomization.yaml": "resources: [../base]\nnamespace: shop-prod\ncommonLabels: {env: prod}\n",
        },
    )
    harden(tmp_path)
    hold(built(tmp_path, "base", tool), EDGES, CLOSED)
    hold(built(tmp_path, "prod", tool), EDGES, CLOSED)


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_kustomization_that_lists_files_of_folders_below(tmp_path: Path, tool: str) -> None:
    names = ", ".join(f"k8s/{file}" for file in BASE)
    write(tmp_path, {f"k8s/{file}": text for file, text in BASE.items()})
    write(tmp_path, {"kustomization.yaml": f"resources: [{names}]\n{SETTINGS}commonLabels: {{team: shop}}\n"})
    harden(tmp_path)
    hold(built(tmp_path, ".", tool), EDGES, CLOSED)
