"""``harden import`` on a tree: which object a workload of a cluster is, what differs, what is listed and dropped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hardener.exports import kept_file
from hardener.exports.model import About, Facts, Image, Peer, Recorded, Source, Usage, Writes
from hardener.facts.access.audit_log import GivenLog
from hardener.facts.images.recordings import Recordings, recording
from hardener.tree.tree import Settings, Tree
from tests.conftest import Harden, write
from tests.test_import import AUDIT, CONFIG, NODE, SECCOMP, written

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
SOURCES = {"a1": Source("kubectl", "pods.json", "2026-11-30")}
USAGE = Facts(usage=(Usage("a1", memory=1 << 20, memory_most=2 << 20),))
LABEL = "app.kubernetes.io/"


def deployment(name: str, labels: dict[str, str] | None = None, image: str = "acme/app:1", **metadata: Any) -> str:
    labels = labels or {"app": name}
    return json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **metadata},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}},
        },
    })  # fmt: skip


def told(*keys: str, about: dict[str, About] | None = None) -> Recorded:
    return Recorded(SOURCES, {f"{key}/app": USAGE for key in keys}, workloads=about or {})


def tree_of(folder: Path, files: dict[str, str], recorded: Recorded) -> Tree:
    write(folder, files)
    tree = Tree.read([str(folder)], root=str(folder), settings=Settings())
    tree.recorded = recorded
    return tree


NAMED = {f"{LABEL}name": "web", f"{LABEL}component": "front"}
# The files of a tree, the workloads of a cluster and what is known of them, and the objects that get their facts.
MATCHED: dict[str, tuple[dict[str, str], Recorded, list[str]]] = {
    "the same name and namespace": (
        {"a.yaml": deployment("web", namespace="shop")}, told("Deployment/shop/web"), ["web"],
    ),
    "a prefix, a suffix and a namespace of a kustomization": (
        {
            "web.yaml": deployment("web"),
            "kustomization.yaml": "namespace: prod\nnamePrefix: eu-\nnameSuffix: -v2\nresources: [web.yaml]\n",
        },
        told("Deployment/prod/eu-web-v2"), ["web"],
    ),
    "a Helm release, by the label of its instance": (
        {"a.yaml": deployment("release-web", {f"{LABEL}instance": "release"})},
        told("Deployment/shop/eu-web", about={"Deployment/shop/eu-web": About("a1", "eu")}), ["release-web"],
    ),
    "a Helm release whose name is that of the workload": (
        {"a.yaml": deployment("release", {f"{LABEL}instance": "release"})},
        told("Deployment/shop/eu", about={"Deployment/shop/eu": About("a1", "eu")}), ["release"],
    ),
    "the labels that Kubernetes recommends": (
        {"a.yaml": deployment("web", NAMED)},
        told("Deployment/shop/blue", about={"Deployment/shop/blue": About("a1", "", tuple(sorted(NAMED.items())))}),
        ["web"],
    ),
    "labels of another component": (
        {"a.yaml": deployment("web", NAMED)},
        told("Deployment/shop/blue", about={"Deployment/shop/blue": About("a1", "", ((f"{LABEL}name", "web"),))}),
        [],
    ),
    "a release in another namespace than the object": (
        {"a.yaml": deployment("web", {f"{LABEL}instance": "release"}, namespace="other")},
        told("Deployment/shop/eu-web", about={"Deployment/shop/eu-web": About("a1", "eu")}), [],
    ),
    "two workloads of one chart": (
        {"a.yaml": deployment("release-web", {f"{LABEL}instance": "release"})},
        told(
            "Deployment/shop/eu-web", "Deployment/shop/us-web",
            about={"Deployment/shop/eu-web": About("a1", "eu"), "Deployment/shop/us-web": About("a1", "us")},
        ),
        [],
    ),
    "two objects of one name": (
        {"a/a.yaml": deployment("web", namespace="shop"), "b/b.yaml": deployment("web", namespace="shop")},
        told("Deployment/shop/web"), [],
    ),
    "an export that lies in the tree": (
        {
            "k8s/a.yaml": deployment("web", namespace="shop"),
            "pods.json": deployment("web", namespace="shop", uid="1", resourceVersion="7"),
        },
        told("Deployment/shop/web"), ["web", "web"],
    ),
    "another kind": ({"a.yaml": deployment("web", namespace="shop")}, told("StatefulSet/shop/web"), []),
    "a kind that is not told": ({"a.yaml": deployment("web", namespace="shop")}, told("*/shop/web"), ["web"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MATCHED)
def test_a_workload_is_the_object_that_alone_fits(case: str, tmp_path: Path) -> None:
    files, kept, wanted = MATCHED[case]
    tree = tree_of(tmp_path, files, kept)
    found = [pod.object.name for pod in tree.pod_templates for each in pod.containers if recording(each) is not None]
    assert found == wanted
    unmatched = list(tree.ask(Recordings).unmatched())
    assert unmatched == ([] if wanted else sorted({key.rpartition("/")[0] for key in kept.containers}))


@pytest.mark.parametrize(
    ("image", "is_known"), [(f"acme/app:2@{DIGEST}", True), (f"acme/app:2@{OTHER}", False), ("acme/app:2", False)]
)
def test_what_an_image_did_holds_where_its_digest_runs_with_the_same_command(
    image: str, is_known: bool, tmp_path: Path
) -> None:
    facts = Facts(images=(Image("a1", "acme/app:1", DIGEST),), writes=(Writes("a1", ("/var/x",)),), usage=USAGE.usage)
    files = {"a.yaml": deployment("web", namespace="shop"), "b.yaml": deployment("copy", image=image)}
    tree = tree_of(tmp_path, files, Recorded(SOURCES, {"Deployment/shop/web/app": facts}))
    (copy,) = (pod.containers[0] for pod in tree.pod_templates if pod.object.name == "copy")
    found = recording(copy)
    assert (found is not None) is is_known
    assert found is None or (found.facts.writes == facts.writes and found.facts.usage == ())


def test_a_command_of_its_own_says_nothing_of_another(tmp_path: Path) -> None:
    facts = Facts(images=(Image("a1", "acme/app:1", DIGEST),), writes=(Writes("a1", ("/var/x",)),))
    other = json.loads(deployment("copy", image=f"acme/app:1@{DIGEST}"))
    other["spec"]["template"]["spec"]["containers"][0]["args"] = ["migrate"]
    files = {"a.yaml": deployment("web", namespace="shop"), "b.yaml": json.dumps(other)}
    tree = tree_of(tmp_path, files, Recorded(SOURCES, {"Deployment/shop/web/app": facts}))
    (copy,) = (pod.containers[0] for pod in tree.pod_templates if pod.object.name == "copy")
    assert recording(copy) is None


# The command.

POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
        "name": "web-6d4cf56db6-x7k2p", "namespace": "shop",
        "labels": {"app": "web", "tier": "blue", "pod-template-hash": "6d4cf56db6"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-6d4cf56db6", "controller": True}],
    },
    "spec": {"containers": [{"name": "app", "image": "acme/app:2"}, {"name": "proxy", "image": "mesh/proxy:1"}]},
    "status": {"containerStatuses": [
        {"name": "app", "imageID": f"acme/app@{DIGEST}", "user": {"linux": {"uid": 0, "gid": 0}}},
    ]},
}  # fmt: skip
RUNS = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}}},
}  # fmt: skip
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: green}}
    spec:
      securityContext: {runAsUser: 1000}
      containers: [{name: app, image: "acme/app:1"}]
"""
DIFFERS = (
    "it runs as 0, the manifest says 1000",
    "it runs acme/app:2, the manifest says acme/app:1",
    "its pods have the label tier: blue, the manifest says green",
    "proxy runs in its pods and is in no manifest",
)


def test_what_runs_otherwise_than_the_tree_says_is_listed_and_not_judged(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": MANIFEST})
    assert harden("import", str(written(tmp_path, [POD, RUNS]))).status == 0
    shown = harden("import", "--show", "web")
    assert shown.status == 0
    assert [line.removeprefix("  differs: ") for line in shown.out.splitlines() if "differs" in line] == [*DIFFERS]
    assert "pod-template-hash" not in (tmp_path / kept_file.NAME).read_text()


def test_nothing_differs_where_the_tree_says_what_runs(harden: Harden, tmp_path: Path) -> None:
    same = MANIFEST.replace("green", "blue").replace("app:1", "app:2").replace("1000", "0")
    write(tmp_path, {"web.yaml": same})
    pod = json.loads(json.dumps(POD))
    del pod["spec"]["containers"][1]
    harden("import", str(written(tmp_path, [pod, RUNS])))
    assert "differs" not in harden("import", "--show", "web").out


def test_a_user_that_no_manifest_sets_and_another_digest_differ(harden: Harden, tmp_path: Path) -> None:
    bare = MANIFEST.replace("      securityContext: {runAsUser: 1000}\n", "").replace("app:1", f"app:1@{OTHER}")
    pod = json.loads(json.dumps(POD).replace("app:2", "app:1"))
    pod["spec"]["containers"][0]["securityContext"] = {"runAsUser": 7}
    pod["status"]["containerStatuses"][0]["user"] = {"linux": {"uid": 7, "gid": 0}}
    write(tmp_path, {"web.yaml": bare})
    harden("import", str(written(tmp_path, [pod, RUNS])))
    shown = harden("import", "--show", "web").out
    assert "differs: it runs as 7, which something set in its pod, the manifest sets no user" in shown
    assert f"differs: it runs acme/app:1@{DIGEST}, the manifest says acme/app:1@{OTHER}" in shown


def test_the_cluster_is_shown_with_what_the_tree_takes_for_granted(harden: Harden, tmp_path: Path) -> None:
    old = json.loads(json.dumps(NODE).replace("v1.36.2", "v1.29.4"))
    write(tmp_path, {"web.yaml": MANIFEST})
    harden("import", str(written(tmp_path, [POD, RUNS, old])))
    shown = harden("import", "--show", "").out
    assert "cluster: Node v1.29.4 containerd://2.1.4" in shown
    assert "kubelets of 1.29 run, and this tree is hardened for 1.36: set kubernetes-version" in shown


def test_list_names_each_source_and_prune_drops_what_is_of_no_workload(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": MANIFEST})
    stranger = json.loads(json.dumps(POD).replace('"shop"', '"other"'))
    (tmp_path / "b").mkdir()
    harden("import", str(written(tmp_path, [POD, RUNS])), str(written(tmp_path / "b", stranger, "gzip")))
    listed = harden("import", "--list").out
    assert "a1: kubectl, " in listed and "from export.gzip: 3 facts" in listed
    assert "1 workload fits no object of this tree, or several: Deployment/other/web" in listed
    harden("import", "--prune")
    kept = kept_file.load(str(tmp_path))
    assert kept is not None and not any("other" in key for key in (*kept.containers, *kept.workloads, *kept.injected))
    assert [source.file for source in kept.sources.values()] == ["export.lines"]
    assert "other" not in harden("import", "--list").out


def test_a_config_goes_to_the_image_that_its_file_names(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": MANIFEST, "acme_app_1.json": json.dumps(CONFIG), "x.json": json.dumps(CONFIG)})
    said = harden("import", "acme_app_1.json", "x.json").out
    text = (tmp_path / kept_file.NAME).read_text()
    assert '  acme/app:1:\n  - config: {user: "1000:1000", ports: [8080/tcp], volumes: [/data], folder: /srv, ' in text
    assert "hunter2" not in text and "x: describes an image and does not name it" in said


def test_a_profile_of_which_no_export_shows_the_workload_is_counted(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": MANIFEST})
    said = harden("import", str(written(tmp_path, SECCOMP))).out
    assert "1 profile names no workload that these exports show" in said


# Audit logs through the same door.

ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
"""


def test_a_kept_audit_log_comes_to_the_same_as_one_that_is_given(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"rbac.yaml": ROLE})
    log = str(written(tmp_path, AUDIT))
    without = _steps(harden("diff", "--format", "json", "rbac.yaml").out)
    given = _steps(harden("diff", "--format", "json", "--audit-log", log, "rbac.yaml").out)
    assert harden("import", log).status == 0
    kept = _steps(harden("diff", "--format", "json", "rbac.yaml").out)
    assert kept == given != without
    gate = _steps(harden("diff", "--no-waivers", "--format", "json", "rbac.yaml").out)
    assert gate == without
    assert "hunter2" not in (tmp_path / kept_file.NAME).read_text()


def _steps(text: str) -> list[tuple[str, str, str]]:
    report = json.loads(re.sub(r"(\d{4}-\d\d-\d\d)T[0-9:.]+Z", r"\1", text))
    return [
        (step["id"], step["grade"], json.dumps(step.get("after"))) for step in (*report["changes"], *report["held"])
    ]


def test_an_old_audit_log_is_not_used_and_that_is_said(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"rbac.yaml": ROLE, ".harden.yaml": "import: {max-age: 1d}\n"})
    harden("import", str(written(tmp_path, AUDIT)))
    found = harden("check", "--as-of", "2026-12-01", "--format", "json", "rbac.yaml").out
    assert "the audit log export.lines (2026-11-02 to 2026-11-16) is older than 1 days, and not used" in found


def test_no_more_days_are_counted_than_the_log_surely_spans(tmp_path: Path) -> None:
    source = Source("audit log", "audit.log", "2026-11-08", "2026-11-01", 10, 5, 0)
    tree = tree_of(tmp_path, {"rbac.yaml": ROLE}, Recorded({"a1": source}))
    log = tree.ask(GivenLog).log
    assert log is not None and log.days is not None and 6 <= log.days < 7 and log.sees_reads and not log.sees_events


def test_what_is_kept_is_read_back_as_it_was(tmp_path: Path) -> None:
    kept = told("Deployment/shop/web", about={"Deployment/shop/web": About("a1", "eu", (("app", "web"),))})
    (tmp_path / kept_file.NAME).write_text(kept_file.written(kept))
    assert kept_file.load(str(tmp_path)) == kept


def test_ends_of_connections_that_fit_nothing_are_named(tmp_path: Path) -> None:
    kept = Recorded(SOURCES, peers=(Peer("Deployment/other/x", "Deployment/shop/web", 80, "a1"),))
    tree = tree_of(tmp_path, {"a.yaml": deployment("web", namespace="shop")}, kept)
    assert list(tree.ask(Recordings).unmatched()) == ["Deployment/other/x"]
