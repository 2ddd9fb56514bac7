"""Files that kubectl reads in a way of its own: the gate judges what is deployed, or says that it does not know.

Whether kubectl creates a pod of each, kubectl itself tells where it is installed: ``label --local`` asks no cluster.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hardener.kubernetes.objects.list_items import objects_of
from hardener.sources.yaml import go_stream

from . import services
from .conftest import SHARED, Harden, git, write

WEAK = (
    "metadata: {name: bad, namespace: shop}\n"
    'spec: {hostPID: true, containers: [{name: c, image: "example.com/c:1", securityContext: {privileged: true}}]}\n'
)
BARE = "{" + ", ".join(WEAK.splitlines()) + "}"
POD = f"apiVersion: v1\nkind: Pod\n{WEAK}"
FLOW = "{apiVersion: v1, kind: Pod, " + BARE[1:]
JSON = json.dumps({
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad", "namespace": "shop"},
    "spec": {"hostPID": True, "containers": [
        {"name": "c", "image": "example.com/c:1", "securityContext": {"privileged": True}}
    ]},
})  # fmt: skip
COMPACT = JSON.replace(": ", ":")
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ok, namespace: shop}\n"
SETTINGS_JSON = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ok", "namespace": "shop"}}'
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
TEMPLATE = "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: " + BARE.split("spec: ")[1]
MARK = "\ufeff"
KEY = '!!binary "a2luZA=="'  # kind
GOOD = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
automountServiceAccountToken: false
"""
BINDING = (
    "metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin},"
    ' subjects: [{kind: Group, name: "system:authenticated", apiGroup: rbac.authorization.k8s.io}]'
)
JUDGED = "no-privileged"
# What kubectl makes a weak object of: trick -> file, exit code, what a line of the report says.
TRICKS: dict[str, tuple[str, int, str]] = {
    # Lists.
    "a ConfigMap with items": (f"{SETTINGS}items: [{FLOW}]\n", 1, JUDGED),
    "a Service with items": (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: [{{port: 80}}]}}\nitems: [{FLOW}]\n",
        1,
        JUDGED,
    ),
    "a Pod with items": (f"{POD.replace('bad', 'good')}items: [{FLOW}]\n", 1, JUDGED),
    "a custom resource with items": (f"{WIDGET}items: [{FLOW}]\n", 1, JUDGED),
    "a custom resource that begins with items": (f"items: [{FLOW}]\n{WIDGET}", 1, JUDGED),
    "a custom resource with items in quotes": (f'{WIDGET}"items": [{FLOW}]\n', 1, JUDGED),
    "a custom resource with items as a key of its own": (f"{WIDGET}? items\n: [{FLOW}]\n", 1, JUDGED),
    "a custom resource with items spelt by an escape": (f'{WIDGET}"it\\x65ms": [{FLOW}]\n', 1, JUDGED),
    "a custom resource with items in base64": (f'{WIDGET}!!binary "aXRlbXM=": [{FLOW}]\n', 2, "p.yaml:1: a value"),
    "a kind of an item spelt by an escape": (
        f"{WIDGET}items: [{FLOW.replace('kind', chr(34) + 'k' + chr(92) + 'x69nd' + chr(34))}]\n",
        1,
        JUDGED,
    ),
    "a custom resource with items by a merge": (f"a: &a {{items: [{FLOW}]}}\n<<: *a\n{WIDGET}", 2, "p.yaml:"),
    "a Kustomization with items": (
        f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nitems: [{FLOW}]\n",
        1,
        JUDGED,
    ),
    "a List without an API version": (f"kind: List\nitems: [{FLOW}]\n", 1, JUDGED),
    "a List of JSON in a ConfigMap": (f'{SETTINGS_JSON[:-1]}, "items": [{JSON}]}}', 1, JUDGED),
    "a PodList": (f"apiVersion: v1\nkind: PodList\nitems: [{BARE}]\n", 1, JUDGED),
    "a PodList of empty kinds": (
        f"apiVersion: v1\nkind: PodList\nitems: [{{kind: '', apiVersion: , {BARE[1:]}]\n",
        1,
        JUDGED,
    ),
    "a PodList of kinds that are numbers": (
        f"apiVersion: v1\nkind: PodList\nitems: [{{kind: 1, apiVersion: 2, {BARE[1:]}]\n",
        1,
        JUDGED,
    ),
    "items of a Pod": (f"apiVersion: v1\nkind: Pod\nitems: [{BARE}]\n", 1, JUDGED),
    "a DaemonSetList": (
        f"apiVersion: apps/v1\nkind: DaemonSetList\nitems: [{{metadata: {{name: d}}, spec: {TEMPLATE}}}}}]\n",
        1,
        JUDGED,
    ),
    "a ClusterRoleBindingList": (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBindingList\nitems: [{{{BINDING}}}]\n",
        1,
        "rbac-authenticated-broad",
    ),
    # Byte order marks.
    "a mark before a later document": (f"{SETTINGS}---\n{MARK}{POD}", 2, "p.yaml:5: a byte order mark"),
    "a mark after a comment": (f"# x\n---\n{MARK}{POD}", 2, "p.yaml:3: a byte order mark"),
    "a mark after a blank line": (f"\n{MARK}{POD}", 2, "p.yaml:2: a byte order mark"),
    "a mark after a comment alone": (f"# x\n{MARK}{POD}", 2, "p.yaml:2: a byte order mark"),
    "two marks": (f"{MARK}{MARK}{POD}", 2, "p.yaml:1: a byte order mark"),
    "a mark between JSON values": (f"{SETTINGS_JSON}\n{MARK}{JSON}", 2, "p.yaml:"),
    # Keys and values out of something else.
    "a key in base64": (f"apiVersion: v1\n{KEY}: Pod\n{WEAK}", 2, "p.yaml:1: a value carries a tag"),
    "a key in base64 with a long tag": (
        f'apiVersion: v1\n!<tag:yaml.org,2002:binary> "a2luZA==": Pod\n{WEAK}',
        2,
        "p.yaml:1: a value carries a tag",
    ),
    "a key in base64 with an escape in its tag": (
        f'apiVersion: v1\n!!bin%61ry "a2luZA==": Pod\n{WEAK}',
        2,
        "p.yaml:1: a value carries a tag",
    ),
    "a key in base64 by an anchor": (f"a: &a {KEY}\napiVersion: v1\n*a : Pod\n{WEAK}", 2, "p.yaml:1: a value"),
    "a key in base64 before three dots": (f"apiVersion: v1\n{KEY}: Pod\n{WEAK}...\n[\n", 2, "p.yaml:"),
    "a key in base64 in brackets before more": (f"{{apiVersion: v1, {KEY}: Pod, {BARE[1:]}\n]\n", 2, "p.yaml:"),
    "a kind in base64": (f"apiVersion: v1\nkind: !!binary UG9k\n{WEAK}", 2, "p.yaml:1: a value carries a tag"),
    "a kind with a tag of one's own": (f"apiVersion: v1\nkind: !own Pod\n{WEAK}", 2, "p.yaml:1: a value carries a tag"),
    "a key with a tag of one's own": (f"apiVersion: v1\n!own kind: Pod\n{WEAK}", 2, "p.yaml:1: a value carries a tag"),
    "a document with a tag of one's own": (f"!own\n{POD}", 2, "p.yaml:1: a mapping carries a tag"),
    "a kind by an alias": (f"a: &a Pod\napiVersion: v1\nkind: *a\n{WEAK}", 1, JUDGED),
    "a key by an alias": (f"a: &a kind\napiVersion: v1\n*a : Pod\n{WEAK}", 1, JUDGED),
    "a kind on a line of its own": (f"apiVersion: v1\nkind:\n  Pod\n{WEAK}", 1, JUDGED),
    "a kind as a folded text": (f"apiVersion: v1\nkind: >-\n  Pod\n{WEAK}", 1, JUDGED),
    "a kind behind a comment": (f"apiVersion: v1\nkind: # x\n  Pod\n{WEAK}", 1, JUDGED),
    "a kind with an anchor": (f"apiVersion: v1\nkind: &a Pod\n{WEAK}", 1, JUDGED),
    "a kind with a tag of YAML": (f"apiVersion: v1\nkind: !!str Pod\n{WEAK}", 1, JUDGED),
    # Two readings of YAML.
    "a kind that a later merge replaces": (
        f"a: &a {{kind: Pod}}\napiVersion: v1\nkind: ConfigMap\n<<: *a\n{WEAK}",
        2,
        "p.yaml:4: key 'kind' comes before a merge",
    ),
    "a kind by a merge": (f"a: &a {{kind: Pod}}\n<<: *a\napiVersion: v1\n{WEAK}", 1, JUDGED),
    "a kind twice": (f"apiVersion: v1\nkind: ConfigMap\nkind: Pod\n{WEAK}", 2, "p.yaml:3: duplicate key 'kind'"),
    "a kind twice in JSON": (JSON.replace('"kind"', '"kind": "ConfigMap", "kind"'), 2, "p.yaml:1: duplicate key"),
    "yes": (POD.replace("true", "yes"), 1, JUDGED),
    "on": (POD.replace("true", "On"), 1, JUDGED),
    "y": (POD.replace("true", "y"), 1, JUDGED),
    "a tagged yes": (POD.replace("true", "!!bool YES"), 1, JUDGED),
    "lines that end by carriage returns": (POD.replace("\n", "\r"), 2, "p.yaml:1: a carriage return"),
    "lines that end by next line": (POD.replace("\n", "\x85"), 1, JUDGED),
    "lines that end by line separators": (POD.replace("\n", "\u2028"), 1, JUDGED),
    # Streams.
    "JSON values on a line": (f"{SETTINGS_JSON}{JSON}", 2, "p.yaml:1: not valid YAML"),
    "JSON values line by line": (f"{SETTINGS_JSON}\n{JSON}\n", 2, "p.yaml:"),
    "JSON values of which the first is no object of interest": (
        f'{{"apiVersion": "example.com/v1", "kind": "Widget"}}\n{JSON}\n',
        2,
        "p.yaml:",
    ),
    "JSON, then YAML": (f"{SETTINGS_JSON}\n---\n{POD}", 1, JUDGED),
    "JSON, then YAML without a separator": (f"{SETTINGS_JSON}\n{POD}", 2, "p.yaml:"),
    "a separator with a comment that touches it": (f"{SETTINGS}---#x\n{POD}", 2, "p.yaml:"),
    "a separator with a blank that does not break": (f"{SETTINGS}---\u00a0\n{POD}", 2, "p.yaml:"),
    "a separator that is a text to a parser": (f"# x\n---#x\n{COMPACT}\n", 2, "p.yaml:3: kubectl reads Pod"),
    "a blank that does not break, and a text to a parser": (
        f"{SETTINGS}---\n# x\n---\u00a0\n{COMPACT}\n",
        2,
        "p.yaml:7: kubectl reads Pod here",
    ),
    "a kind spelt by an escape behind a separator that is a text": (
        f"# x\n---#x\n{COMPACT.replace('kind', chr(92) + 'u006bind')}\n",
        2,
        "p.yaml:3: kubectl reads Pod here",
    ),
    "a list behind a separator that is a text": (
        f'# x\n---\u2003\n{{"apiVersion":"v1","kind":"List","items":[{COMPACT}]}}\n',
        2,
        "p.yaml:3: kubectl reads Pod here",
    ),
    "a separator with a line separator": (f"{SETTINGS}---\u2028\n{POD}", 1, JUDGED),
    "a separator behind a tab": (f"{SETTINGS}---\t\n{POD}", 1, JUDGED),
    "a separator behind three dots": (f"{SETTINGS}...\n---\n{POD}", 1, JUDGED),
    "a separator in lines of Windows": (f"{SETTINGS}---\n{POD}".replace("\n", "\r\n"), 1, JUDGED),
    "a separator in a text": (f"{SETTINGS}data:\n  a: |\n    b\n---\n{POD}", 1, JUDGED),
}
ENCODED = {
    "UTF-16": (POD.encode("utf-16"), "p.yaml: the file is UTF-16"),
    "bytes that are no UTF-8": (f"{POD}# ".encode() + b"\xff\n", "p.yaml: line 5 is not UTF-8"),
    "a pointer of Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1234\n",
        "p.yaml: a pointer of Git LFS, and not the file; run git lfs pull",
    ),
    "a pointer of Git LFS as it was called before": (
        b"version https://hawser.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1234\n",
        "p.yaml: a pointer of Git LFS",
    ),
    "a pointer of git-annex": (
        b"/annex/objects/SHA256E-s1234--" + b"a" * 64 + b".yaml\n",
        "p.yaml: a pointer of git-annex, and not the file; run git annex get",
    ),
}  # fmt: skip


# Where the pod stands, and why somebody else might be expected to read it.
NAMES = (
    "k8s/p.tf.json", "k8s/p.tofu.json", "k8s/values.yaml", "k8s/kustomization.yaml", "k8s/skaffold.yaml",
    "k8s/.gitlab-ci.yml", "k8s/docker-compose.yaml", "k8s/.harden.yaml", "k8s/.x/p.yaml", "k8s/kubeconfig.json",
)  # fmt: skip


def gate(harden: Harden, tree: Path) -> tuple[int, str]:
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "high", cwd=tree)
    return done.status, done.all


@pytest.mark.parametrize("trick", TRICKS)
def test_what_kubectl_reads_is_judged_or_not_understood(trick: str, harden: Harden, tmp_path: Path) -> None:
    text, status, line = TRICKS[trick]
    write(tmp_path, {"k8s/good.yaml": GOOD})
    (tmp_path / "k8s" / "p.yaml").write_bytes(text.encode())
    git(tmp_path, "init", "-q")
    ended, said = gate(harden, tmp_path)
    wanted = f"not looked at: k8s/{line}" if status == 2 else line
    assert ended == status and wanted in said, said


@pytest.mark.parametrize("trick", ENCODED)
def test_what_no_text_tells_is_not_looked_at(trick: str, harden: Harden, tmp_path: Path) -> None:
    content, line = ENCODED[trick]
    write(tmp_path, {"k8s/good.yaml": GOOD})
    (tmp_path / "k8s" / "p.yaml").write_bytes(content)
    git(tmp_path, "init", "-q")
    ended, said = gate(harden, tmp_path)
    assert ended == 2 and f"not looked at: k8s/{line}" in said, said


@pytest.mark.parametrize("name", NAMES)
def test_no_name_hides_an_object(name: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD, "k8s/Chart.yaml": "name: x\n", name: JSON})
    git(tmp_path, "init", "-q")
    ended, said = gate(harden, tmp_path)
    assert ended == 1 and JUDGED in said and f"{name}:1" in said, said


@pytest.mark.kubectl
@pytest.mark.parametrize("trick", TRICKS)
def test_kubectl_reads_an_object_there(trick: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(TRICKS[trick][0].encode())
    command = [services.program("kubectl"), "label", "--local", "-f", "p.yaml", "x=y", "-o", "name"]
    read = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout.split()
    assert {"pod/bad", "daemonset.apps/d", "clusterrolebinding.rbac.authorization.k8s.io/b"} & set(read), read
    text = TRICKS[trick][0].removeprefix(MARK)
    seen = [found for document in go_stream.stream(text) for found in objects_of(document.data)]
    kinds = [str(found.get("kind")).lower() for found in seen]
    assert {each.partition("/")[0].partition(".")[0] for each in read} <= set(kinds), (read, kinds)


HONEST = {
    "a tag in a pipeline": "job:\n  script: [!reference [.setup, script]]\n",
    "a tag of CloudFormation": "Resources: {A: {Type: B, Properties: {C: !Ref D}}}\n",
    "a mark in a text": f"{SETTINGS}data: {{a: '{MARK}x'}}\n---\n{SETTINGS}data:\n  a: |\n    {MARK}<xml/>\n",
    "a mark in a comment": f"{GOOD}# {MARK}\n",
    "a mark at the head of the file": f"{MARK}{GOOD}",
    "a merge": f"x-a: &a {{b: c}}\n{SETTINGS}data:\n  <<: *a\n",
    "three dots": f"{GOOD}...\n",
    "a script": f"{SETTINGS}data:\n  a: |\n    [ ! -f x ] && !y && echo ${{A}}{{b}}\n",
    "a definition": f"{WIDGET}spec: {{items: [a, b]}}\n",
    "items that are no objects": f"{WIDGET}items: [a, b]\n",
    "items that are data": f"{WIDGET}items: [{{name: a}}, {{name: b}}]\n",
}


@pytest.mark.parametrize("case", HONEST)
def test_what_everybody_reads_alike_passes(case: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD})
    (tmp_path / "k8s" / "p.yaml").write_bytes(HONEST[case].encode())
    git(tmp_path, "init", "-q")
    ended, said = gate(harden, tmp_path)
    assert ended == 0 and "not looked at" not in said, said


# The inputs in which this was found.

FOUND = {
    "gate-binkey2+good": (2, "not looked at: k8s/p.yaml:1: a value carries a tag"),
    "gate-bom-after-comment": (2, "not looked at: k8s/p.yaml:3: a byte order mark"),
    "gate-bom-mid": (2, "not looked at: k8s/p.yaml:9: a byte order mark"),
    "gate-configmap-items": (1, "high no-privileged"),
    "gate-items-crblist-nokind": (1, "critical rbac-authenticated-broad"),
    "gate-items-daemonset": (1, "high no-privileged"),
    "gate-items-dslist-nokind": (1, "high no-privileged"),
    "gate-lfs-pointer": (2, "not looked at: k8s/p.yaml: a pointer of Git LFS"),
    "gate-podlist-nokind": (1, "high no-privileged"),
    "gate-submodule-empty": (2, "not looked at: k8s/sub: a submodule that is not checked out"),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_does_not_pass(name: str, harden: Harden, tmp_path: Path) -> None:
    folder = SHARED / "findings" / "gate" / name
    if not folder.is_dir():
        pytest.skip("the findings are not beside the repository")
    for path in folder.rglob("*"):
        if path.is_file():
            write(tmp_path, {str(path.relative_to(folder)): path.read_text(encoding="utf-8")})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    if (tmp_path / ".gitmodules").exists():
        git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},k8s/sub")
    status, line = FOUND[name]
    ended, said = gate(harden, tmp_path)
    assert ended == status and line in said, said


# Submodules.


def submodule(tree: Path, folder: str) -> None:
    """Have the index of ``tree`` name a commit at ``folder``, as a clone without ``--recurse-submodules`` has it."""
    (tree / ".gitmodules").write_text(f'[submodule "s"]\n path = {folder}\n url = https://example.com/x.git\n')
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},{folder}")


@pytest.mark.parametrize(
    ("folder", "made", "status"),
    [
        ("k8s/sub", False, 2),
        ("k8s/sub", True, 2),
        ("k8s/a/b", True, 2),
        ("other/sub", True, 0),
        ("k8sub", True, 0),
    ],
)
def test_a_submodule_that_is_not_checked_out_is_not_looked_at(
    folder: str, made: bool, status: int, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD})
    submodule(tmp_path, folder)
    if made:
        (tmp_path / folder).mkdir(parents=True)
    ended, said = gate(harden, tmp_path)
    line = f"not looked at: {folder}: a submodule that is not checked out; run git submodule update --init --recursive"
    assert ended == status and (line in said) == (status == 2), said


def test_a_submodule_that_is_checked_out_is_judged_as_a_folder(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD})
    submodule(tmp_path, "k8s/sub")
    write(tmp_path, {"k8s/sub/p.yaml": POD})
    ended, said = gate(harden, tmp_path)
    assert ended == 1 and "k8s/sub/p.yaml" in said and "not looked at" not in said, said


def test_a_submodule_of_a_submodule_is_looked_for(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD, "k8s/sub/good.yaml": GOOD})
    submodule(tmp_path / "k8s" / "sub", "inner")
    (tmp_path / ".gitmodules").write_text('[submodule "s"]\n path = k8s/sub\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},k8s/sub")
    ended, said = gate(harden, tmp_path)
    assert ended == 2 and "not looked at: k8s/sub/inner: a submodule" in said, said


def test_an_archive_says_by_its_gitmodules_what_is_not_there(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/good.yaml": GOOD, ".gitmodules": '[submodule "s"]\n\tpath = sub\n\turl = x\n'})
    done = harden("check", ".", "--no-waivers", cwd=tmp_path)
    assert done.status == 2 and "not looked at: sub: a submodule" in done.out, done.all


def test_what_is_not_there_may_be_excluded_by_a_config_from_outside(harden: Harden, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree, {"k8s/good.yaml": GOOD})
    submodule(tree, "k8s/sub")
    write(tmp_path, {"own.yaml": "exclude: [k8s/sub/]\n"})
    done = harden("check", "k8s", "--no-waivers", "--config", str(tmp_path / "own.yaml"), cwd=tree)
    assert done.status == 0 and "not looked at" not in done.out, done.all


# What is written.

LISTS = {
    "items of a ConfigMap": f"{SETTINGS}items:\n- {FLOW}\n",
    "items of a PodList": f"apiVersion: v1\nkind: PodList\nitems:\n- {BARE}\n",
    "items of a DaemonSetList": (
        f"apiVersion: apps/v1\nkind: DaemonSetList\nitems:\n- {{metadata: {{name: d}}, spec: {TEMPLATE}}}}}\n"
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_items_of_any_list_are_hardened_in_place(name: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"p.yaml": LISTS[name]})
    git(tmp_path, "init", "-q")
    done = harden("apply", ".", "--yes", "--max-risk", "breaking", cwd=tmp_path)
    text = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert done.status == 0, done.all
    assert "hostPID" not in text and "privileged" not in text and "allowPrivilegeEscalation: false" in text
    assert text.count("kind:") == LISTS[name].count("kind:") and "Refused:" not in done.out, done.out
    assert not harden("check", ".", "--max-risk", "breaking", cwd=tmp_path).status


def test_patches_of_items_without_a_kind_name_the_kind_of_the_list(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"p.yaml": LISTS["items of a PodList"]})
    git(tmp_path, "init", "-q")
    done = harden("diff", ".", "--format", "json", "--max-risk", "breaking", cwd=tmp_path)
    found = {(change["object"]["apiVersion"], change["object"]["kind"]) for change in json.loads(done.out)["changes"]}
    assert ("v1", "Pod") in found and ("v1", "PodList") not in found


def test_a_json_patch_of_an_item_is_none_of_the_object_around_it(harden: Harden, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree, {"p.yaml": LISTS["items of a ConfigMap"]})
    git(tree, "init", "-q")
    options = ["--output", "json-patch", "--output-dir", "../out", "--max-risk", "breaking"]
    assert harden("apply", ".", *options, cwd=tree).status == 0
    index = json.loads((tmp_path / "out" / "index.json").read_text(encoding="utf-8"))
    assert [each["object"]["kind"] for each in index if not each.get("new")] == ["Pod"]


def test_the_values_of_a_secret_that_says_no_kind_are_masked(harden: Harden, tmp_path: Path) -> None:
    item = (
        "metadata: {name: a, annotations: {shown: yes-it-is}}, data: {x: aHVudGVyMi1sb25n}, stringData: {y: tr0ub4dor}"
    )
    write(tmp_path, {"p.yaml": f"apiVersion: v1\nkind: SecretList\nitems:\n- {{{item}}}\n---\n{POD}"})
    for format in ("text", "json", "patch", "html"):
        said = harden("diff", ".", "-v", "--max-risk", "breaking", "--format", format, cwd=tmp_path).all
        assert "aHVudGVyMi1sb25n" not in said and "tr0ub4dor" not in said
