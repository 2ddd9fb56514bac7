"""Outputs beside the source: a component of kustomize, JSON patches, hardened copies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hardener.outputs.json_diff import diff
from hardener.sources.yaml import parse, segments

from .built import BUILDERS, build, builder
from .conftest import CORPUS, DEPLOYMENT, ROOT, CorpusTree, Harden, commit, corpus_copy, git, run, snapshot, write
from .test_kustomize_build import BUILDS

Corpus = Callable[[str], CorpusTree]


def patched(value: Any, operations: list[dict[str, Any]]) -> Any:
    """``value`` after RFC 6902 operations."""
    root = [json.loads(json.dumps(value))]
    for operation in operations:
        *above, last = ["0", *(part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])]
        target: Any = root
        for part in above:
            target = target[int(part)] if isinstance(target, list) else target[part]
        key: Any = last
        if isinstance(target, list):
            key = len(target) if last == "-" else int(last)
        if operation["op"] == "test":
            assert target[key] == operation["value"]
        elif operation["op"] == "remove":
            del target[key]
        elif operation["op"] == "add" and isinstance(target, list) and target is not root:
            assert key <= len(target)
            target.insert(key, operation["value"])
        else:
            assert operation["op"] == "add" or target is root or key in target or isinstance(target, list)
            target[key] = operation["value"]
    return root[0]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "tool"), BUILDS)
def test_the_component_builds_what_apply_makes(name: str, tool: str, corpus: Corpus, tmp_path: Path) -> None:
    command, applied = builder(tool), corpus(name).folder
    (tmp_path / "source").mkdir()
    source = corpus_copy(name, tmp_path / "source")
    before = snapshot(source)
    done = run("apply", ".", "--output", "kustomize", "--output-dir", tmp_path / "out", cwd=source)
    assert done.status == 0, done.err
    assert snapshot(source) == before
    compared = 0
    for found in sorted((tmp_path / "out").rglob("kustomization.yaml")):
        folder = found.parent.relative_to(tmp_path / "out")
        if "kind: Component" not in found.read_text() or not any((source / folder).glob("[kK]ustomization*")):
            continue
        over = tmp_path / "over" / str(folder).replace("/", "-")
        over.mkdir(parents=True)
        names = [os.path.relpath(path, over) for path in (source / folder, found.parent)]
        (over / "kustomization.yaml").write_text(f"resources: [{names[0]}]\ncomponents: [{names[1]}]\n")
        if build(command, source / folder)[0] is None:
            continue
        assert build(command, over)[0] == build(command, applied / folder)[0], folder
        compared += 1
    assert compared >= 2


TEST_TREE = {
    "vendor/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: v-\nnamespace: shop\nlabels:\n- pairs: {team: a}\n"
    "  includeSelectors: true\n",
    "vendor/web.yaml": DEPLOYMENT,
    "ours/kustomization.yaml": "resources: [../vendor]\ncomponents: [harden]\nnameSuffix: -x\n",
}


@pytest.mark.parametrize("tool", BUILDERS)
def test_a_vendored_folder_is_hardened_by_the_kustomization_that_takes_it_in(
    tool: str, harden: Harden, tmp_path: Path
) -> None:
    command = builder(tool)
    tree = TEST_TREE | {"ours/kustomization.yaml": TEST_TREE["ours/kustomization.yaml"].replace("components", "#")}
    write(tmp_path, tree)
    commit(tmp_path)
    done = harden("apply", "vendor", "--output", "kustomize", "--output-dir", "ours/harden", "--quiet")
    assert (done.status, "files written to ours/harden" in done.out) == (0, True), done.all
    write(tmp_path, TEST_TREE)
    beside, complaint = build(command, tmp_path / "ours")
    assert beside is not None, complaint
    shutil.rmtree(tmp_path / "ours/harden")
    write(tmp_path, tree)
    harden("apply", "vendor")
    assert beside == build(command, tmp_path / "ours")[0]
    assert any(item["kind"] == "NetworkPolicy" for item in beside.values())


GOLDEN = [  # what becomes another object, what it has references to, and a custom resource with lists
    "authorization/rbac-cluster-admin-binding/typical/before/admin.yaml",
    "authorization/rbac-api-version/typical/before/r.yaml",
    "network/netpol-workload/operator/before/ray.yaml",
    "profiles/restricted/seed-k02/before/rbac.yaml",
]
SETTINGS = "namePrefix: v-\nnamespace: shop\nlabels:\n- pairs: {team: a}\n  includeSelectors: true\n"


@pytest.mark.kustomize
@pytest.mark.parametrize("settings", [SETTINGS, ""], ids=["settings", "plain"])
@pytest.mark.parametrize("case", GOLDEN)
def test_a_component_makes_what_no_patch_can(case: str, settings: str, tmp_path: Path) -> None:
    command = builder("kustomize")
    text = (ROOT / "golden" / case).read_text()
    for side in ("applied", "source"):
        write(tmp_path / side, {"v/x.yaml": text, "v/kustomization.yaml": settings + "resources: [x.yaml]\n"})
        commit(tmp_path / side)
    assert run("apply", "v", cwd=tmp_path / "applied").status == 0
    output = ["--output", "kustomize", "--output-dir", str(tmp_path / "out")]
    assert run("apply", "v", *output, cwd=tmp_path / "source").status == 0
    write(tmp_path, {"over/kustomization.yaml": "resources: [../source/v]\ncomponents: [../out]\n"})
    want = build(command, tmp_path / "applied/v")[0]
    assert want
    assert build(command, tmp_path / "over") == (want, "")


@pytest.mark.kustomize
def test_files_that_no_kustomization_lists_have_a_component_too(harden: Harden, tmp_path: Path) -> None:
    command = builder("kustomize")
    write(tmp_path, {"vendor/web.yaml": DEPLOYMENT})
    harden("apply", "vendor", "--output", "kustomize", "--output-dir", "harden")
    write(tmp_path, {"vendor/kustomization.yaml": "resources: [web.yaml]\ncomponents: [../harden]\n"})
    beside = build(command, tmp_path / "vendor")[0]
    write(tmp_path, {"vendor/kustomization.yaml": "resources: [web.yaml]\n"})
    shutil.rmtree(tmp_path / "harden")
    harden("apply", "vendor")
    assert beside == build(command, tmp_path / "vendor")[0]
    assert beside is not None and len(beside) == 2


@pytest.mark.kustomize
def test_an_image_that_an_overlay_sets_is_not_set_back(harden: Harden, tmp_path: Path) -> None:
    command = builder("kustomize")
    newer = DEPLOYMENT.replace("web:1.2.3", "web:2.0.0")
    a, b = (f"sha256:{digit * 64}" for digit in "ab")
    lock = f"  example.com/web:1.2.3: {{digest: {a}}}\n  example.com/web:2.0.0: {{digest: {b}}}\n"
    write(tmp_path, {
        "harden.lock": f"version: 1\nimages:\n{lock}",
        "vendor/web.yaml": DEPLOYMENT,
        "vendor/newer.yaml": newer,
        "vendor/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: newer.yaml}]\n",
        "ours/kustomization.yaml": "resources: [../vendor]\ncomponents: [../harden]\n",
    })  # fmt: skip
    commit(tmp_path)
    done = harden("apply", "vendor", "--output", "kustomize", "--output-dir", "harden")
    said = done.all.replace("\n    ", " ")
    assert "vendor/web.yaml:1 Deployment/web: the image of web, which an overlay replaces" in said
    assert "vendor/newer.yaml:1 Deployment/web: a patch of a kustomization" in said
    objects, complaint = build(command, tmp_path / "ours")
    assert objects is not None, complaint
    images = [
        container["image"]
        for item in objects.values() if item["kind"] == "Deployment"
        for container in item["spec"]["template"]["spec"]["containers"]
    ]  # fmt: skip
    assert images == ["example.com/web:2.0.0"]


@pytest.mark.kustomize
def test_a_patch_never_hits_another_container(harden: Harden, tmp_path: Path) -> None:
    command = builder("kustomize")
    write(tmp_path, TEST_TREE)
    harden("apply", "vendor", "--output", "kustomize", "--output-dir", "ours/harden")
    moved = DEPLOYMENT.replace(
        "      containers:\n", "      containers:\n      - {name: first, image: example.com/f:1}\n"
    )
    write(tmp_path, {"vendor/web.yaml": moved})
    found, complaint = build(command, tmp_path / "ours")
    assert found is None
    assert "containers/0/name" in complaint


@pytest.mark.parametrize(
    "name", [*(["argo-cd"] if os.environ.get("HARDEN_TREES") else []), "kube-prometheus", "podinfo"]
)
def test_json_patches_make_what_apply_makes(name: str, corpus: Corpus, tmp_path: Path) -> None:
    tree = corpus(name)
    source = corpus_copy(name, tmp_path)
    records = json.loads(run("apply", ".", "--output", "json-patch", cwd=source).out)
    assert records
    for record in records:
        if record.get("masked") or record.get("new"):
            continue
        old, new = ((base / record["file"]).read_text() for base in (tmp_path, tree.folder.parent))
        befores, afters = (_objects(text, record["object"] or {}) for text in (old, new))
        assert any(_patched_if(before, record["patch"]) in afters for before in befores), record


def _objects(text: str, item: dict[str, Any]) -> list[Any]:
    """The objects of a file with the kind and name of ``item``; all of them where it says none."""
    documents = [document for segment in segments(text) for document in parse(segment.text).documents if document]
    found = [one for each in documents for one in (each.get("items") or [each] if isinstance(each, dict) else [each])]
    kind, name = item.get("kind"), item.get("name", "")
    return [
        one for one in found
        if "kind" not in one or (kind in (None, one["kind"]) and _name(one).startswith(name.rstrip("*")))
    ]  # fmt: skip


def _name(item: dict[str, Any]) -> str:
    metadata = item.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")


def _patched_if(value: Any, operations: list[dict[str, Any]]) -> Any:
    try:
        return patched(value, operations)
    except (LookupError, TypeError, AssertionError):  # another object of this name
        return None


@pytest.mark.kubectl
def test_patch_files_are_for_kubectl(harden: Harden, tmp_path: Path) -> None:
    kubectl = builder("kubectl")[0]
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    harden("apply", "web.yaml", "--output", "json-patch", "--output-dir", "out")
    index = json.loads((tmp_path / "out/index.json").read_text())
    assert [entry["patchFile"] for entry in index] == ["deployment-web.json", "networkpolicy-harden-web.json"]
    command = [
        kubectl,
        "patch",
        "--local",
        "-f",
        "web.yaml",
        "--type",
        "json",
        "--patch-file",
        "out/deployment-web.json",
    ]
    done = subprocess.run([*command, "-o", "yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    harden("apply", "web.yaml")
    spec = yaml.safe_load((tmp_path / "web.yaml").read_text())["spec"]["template"]["spec"]
    assert yaml.safe_load(done.stdout)["spec"]["template"]["spec"] == spec


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_copies_are_what_apply_makes_and_the_source_stays(name: str, corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = corpus_copy(name, tmp_path / "source")
    before = snapshot(source)
    done = run("apply", ".", "--output-dir", tmp_path / "out", "--quiet", cwd=source)
    assert done.status == 0, done.err
    assert snapshot(source) == before
    copies = {name: content for name, (_, content) in snapshot(tmp_path / "out").items()}
    want = {name: content for name, (_, content) in corpus(name).after.items()}
    assert {name: content for name, content in copies.items() if "harden-host" not in name and name in want} == want


def test_a_link_is_copied_as_what_it_leads_to(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/sub/web.yaml": DEPLOYMENT, "k8s/sub/notes.yaml": "a: 1\n", "k8s/x": ""})
    for link, target in (("web.yaml", "sub/web.yaml"), ("notes.yaml", "sub/notes.yaml"), ("folder", "sub")):
        (tmp_path / "k8s" / link).symlink_to(target)
    done = harden("apply", "k8s", "--only", "drop-capabilities", "--output-dir", "out")
    copies = {name: content for name, (_, content) in snapshot(tmp_path / "out").items()}
    assert sorted(copies) == ["notes.yaml", "sub/notes.yaml", "sub/web.yaml", "web.yaml", "x"]
    assert copies["web.yaml"] == copies["sub/web.yaml"] != DEPLOYMENT.encode()
    why = "a symbolic link to a folder, whose files are copied where they are"
    assert f"not copied: 1\n  k8s/folder: {why}\n" in done.out


def test_what_git_ignores_is_not_copied(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k/web.yaml": DEPLOYMENT, "k/.env": "A=1", "k/notes.txt": "x", ".gitignore": ".env\nk/deep/\n",
                     "k/deep/x": ""})  # fmt: skip
    commit(tmp_path)
    (tmp_path / "k/.env").write_text("A=2")
    git(tmp_path, "rm", "-rq", "--cached", "k/.env", "k/deep")
    harden("apply", "k", "--output-dir", "out")
    names = set(snapshot(tmp_path / "out"))
    assert names == {"web.yaml", "notes.txt", "harden-networkpolicies.yaml"}


@pytest.mark.parametrize("output", [["--output", "kustomize"], ["--output", "json-patch"]])
def test_a_secret_is_in_no_patch_and_its_document_is_named(output: list[str], harden: Harden, tmp_path: Path) -> None:
    secret = "hunter2-Zq81xyPQ"
    env = "        env:\n" + f"        - name: DB_PASSWORD\n          value: {secret}\n" * 2
    write(tmp_path, {"web.yaml": DEPLOYMENT + env, "ci/run.sh": "kubectl get pods\n"})
    done = harden("apply", ".", *output, "--output-dir", "out")
    texts = "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()) + done.all
    assert secret not in texts
    assert done.status == 0
    plain = harden("apply", ".", "--output", "json-patch").all
    assert secret not in plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "kustomize"], "say where with --output-dir DIR"),
        (["--output-dir", "full"], "is there already, and not an empty folder"),
        (["--output-dir", "web.yaml"], "is there already, and not an empty folder"),
        (["--output", "yaml", "--output-dir", "out"], "--output"),
    ],
)
def test_mistakes(arguments: list[str], message: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "full/x": ""})
    before = snapshot(tmp_path)
    done = harden("apply", "web.yaml", *arguments)
    assert (done.status, message in done.err, done.err.count("\n")) == (2, True, 1)
    assert snapshot(tmp_path) == before


leaves = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b/c", "~"])
items = st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"x": leaves, "y": st.just({"z": 1})})
values = st.recursive(
    leaves | st.lists(items, max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name", "~/"]), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(values, values)
def test_a_patch_makes_the_one_of_the_other(old: Any, new: Any) -> None:
    for guard in (False, True):
        result = patched(old, diff(old, new, guard=guard))
        assert json.dumps(result, sort_keys=True) == json.dumps(new, sort_keys=True)
