"""The JSON report: its schema, its sums, and that every word of it is true, read with another YAML reader."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import CORPUS, DEPLOYMENT, ROOT, CorpusTree, Harden, Places, at, commit, git, same_value, write

SCHEMA: dict[str, Any] = json.loads((ROOT / "hardener/report/schema.json").read_text())
MARK = "\u2039redacted#"
Corpus = Callable[[str], CorpusTree]


@cache
def places(content: bytes) -> Places:
    return Places(content.decode())


def texts_of(tree: CorpusTree, record: dict[str, Any]) -> tuple[Places, Places]:
    return places(tree.before[record["file"]][1]), places(tree.after[record["file"]][1])


def made(tree: CorpusTree) -> list[dict[str, Any]]:
    """The changes that are new objects."""
    return [change for change in tree.report["changes"] if change["path"] == [] and "before" not in change]


def changes(tree: CorpusTree) -> list[dict[str, Any]]:
    """The changes of objects that there were."""
    return [change for change in tree.report["changes"] if change["path"] or "before" in change]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_new_objects_are_where_the_report_says(name: str, corpus: Corpus) -> None:
    tree = corpus(name)
    for change in made(tree):
        new = places(tree.after[change["file"]][1])
        assert same_value(new.data(new.document(change["newLine"])), change["after"])


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_the_report_is_valid(name: str, corpus: Corpus) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(corpus(name).report)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_the_sums_are_right(name: str, corpus: Corpus) -> None:
    tree = corpus(name)
    report, summary = tree.report, tree.report["summary"]
    assert summary["edits"] == len(report["changes"])
    for key in ("findings", "held", "refused", "waived"):
        assert summary[key] == len(report[key])
    changed = {file for file in tree.after if tree.after[file] != tree.before.get(file)}
    assert summary["changed"] == len(changed)
    assert {change["file"] for change in report["changes"]} == changed
    for key, records in (("edits", "changes"), ("held", "held"), ("findings", "findings")):
        counts = Counter(record["risk"] for record in report[records] if record["risk"])
        assert counts == Counter({risk: row[key] for risk, row in summary["byRisk"].items() if row[key]})
    assert summary["files"] <= len(tree.before) and summary["documents"] >= summary["files"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_lines_point_at_what_they_name(name: str, corpus: Corpus) -> None:
    tree = corpus(name)
    wrong = []
    for change in changes(tree):
        old, new = texts_of(tree, change)
        document = old.document(change["line"])
        line, found = old.line(document, change["path"])
        if "before" in change or "after" not in change:
            if (line, found) != (change["line"], True):
                wrong.append(("line", change["file"], change["line"], change["path"], line))
        if "after" in change:
            number = new.document(change["newLine"])
            line, found = new.line(number, change["path"])
            shifted = "before" in change  # paths of what was there are as read, and items before it may have gone
            if (line, found) != (change["newLine"], True) and not shifted:
                wrong.append(("newLine", change["file"], change["newLine"], change["path"], line))
            key = change["path"][-1]
            text = new.lines[change["newLine"] - 1]
            if isinstance(key, str) and key not in text:
                wrong.append(("newLine", change["file"], change["newLine"], change["path"], text))
        else:
            assert change["newLine"] == 0
    assert wrong == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_before_and_after_are_the_data_of_the_files(name: str, corpus: Corpus) -> None:
    tree = corpus(name)
    wrong = []
    later: dict[tuple[str, int], list[list[str | int]]] = {}
    for change in reversed(changes(tree)):
        old, new = texts_of(tree, change)
        where = (change["file"], old.document(change["line"]))
        path = change["path"]
        mine = [p for p in later.get(where, []) if p[: len(path)] == path or path[: len(p)] == p]
        later.setdefault(where, []).append(path)
        if MARK in json.dumps(change, ensure_ascii=False):
            continue
        try:
            if "before" in change and not same_value(at(old.data(where[1]), path), change["before"]):
                wrong.append(("before", change["file"], change["line"], path))
            if "before" not in change and "after" in change and not mine:
                number = new.document(change["newLine"])
                if not same_value(at(new.data(number), path), change["after"]):
                    wrong.append(("after", change["file"], change["newLine"], path))
        except KeyError as error:
            wrong.append((f"no {error}", change["file"], change["line"], path))
    assert wrong == []


# -- held-back changes


def pointer(text: str) -> list[str]:
    assert text == "" or text.startswith("/")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def patched(document: Any, operations: list[dict[str, Any]]) -> Any:
    """``document`` after a JSON patch (RFC 6902): add, remove, replace, and nothing that does not fit."""
    document = copy.deepcopy(document)
    for operation in operations:
        *parents, last = pointer(operation["path"])
        target = document
        for part in parents:
            target = target[int(part) if isinstance(target, list) else part]
        value = copy.deepcopy(operation.get("value"))
        if isinstance(target, list):
            index = len(target) if last == "-" else int(last)
            assert index <= len(target)
            if operation["op"] == "add":
                target.insert(index, value)
            elif operation["op"] == "remove":
                del target[index]
            else:
                target[index] = value
        elif operation["op"] == "add":
            target[last] = value
        else:
            assert last in target, f"{operation['op']} {operation['path']}: there is none"
            if operation["op"] == "remove":
                del target[last]
            else:
                target[last] = value
    return document


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_held_back_patches_fit_the_document_as_written(
    name: str, corpus: Corpus, harden: Harden, tmp_path: Path
) -> None:
    tree = corpus(name)
    by_id: dict[str, list[Any]] = {}
    for held in tree.report["held"]:
        old, new = texts_of(tree, held)
        if MARK in json.dumps(held, ensure_ascii=False):
            continue
        index = old.document(held["line"])
        document = new.data(index)
        result = patched(document, held["patch"])
        assert result != document, held
        if held["object"]["kind"] != "List":
            by_id.setdefault(held["id"], []).append((held, result))
    # On the patched document the transform has nothing left to do.
    for id, results in by_id.items():
        folder = tmp_path / id
        write(folder, {f"{n}.json": json.dumps(_typed(result)) for n, (_, result) in enumerate(results)})
        report = json.loads(harden("diff", ".", "--only", id, "--format", "json", cwd=folder).out)
        for record in report["held"] + report["changes"]:
            held = results[int(record["file"].removesuffix(".json"))][0]
            assert record["path"] != held["path"], (held["file"], held["line"], id)


def _typed(value: Any) -> Any:
    """Data with every scalar as text, typed well enough for a second run."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() else value


HELD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: "a/b~c"}
spec:
  template:
    spec:
      hostPID: true
      containers:
      - name: one
        image: example.com/one:1
        command: [sh, -c, "chown -R app /data && iptables -L && exec app"]
        ports:
        - {containerPort: 80, hostPort: 80}
        - {containerPort: 81, hostPort: 81}
        volumeMounts:
        - {name: s, mountPath: /s}
      volumes:
      - name: s
        hostPath: {path: /var/run/docker.sock}
"""


WILDCARDS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: builder}
rules:
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get]
- apiGroups: ["", apps]
  resources: ["*"]
  verbs: ["*"]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get]
"""


def test_rules_that_are_written_out_are_one_operation_in_order(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"role.yaml": WILDCARDS})
    commit(tmp_path)
    id = "rbac-wildcard-resources"
    (held,) = json.loads(harden("diff", "--only", id, "--format", "json").out)["held"]
    (operation,) = held["patch"]
    assert (operation["op"], operation["path"]) == ("replace", "/rules")
    made = patched(yaml.safe_load(WILDCARDS), held["patch"])
    harden("apply", ".", "--only", id, "--accept", id)
    assert made == yaml.safe_load((tmp_path / "role.yaml").read_text())


def test_held_back_steps_with_the_same_evidence_are_one_line(harden: Harden, tmp_path: Path) -> None:
    id = "rbac-wildcard-resources"
    for count, folded in ((3, False), (4, True)):
        write(tmp_path, {"role.yaml": "---\n".join(WILDCARDS.replace("builder", f"b{n}") for n in range(count))})
        out = harden("diff", "--only", id).all
        names = "Role/b0, Role/b1, Role/b2, Role/b3 (-v shows each with its patch)"
        head = f"  {id} K02 high breaking x {count}  {names}\n"
        assert (head in out, "patch:" in out) == (folded, not folded)
        assert f"Held back: {count} (" in out and out.count("    because: the resources of Kubernetes") == (
            1 if folded else count
        )
    assert harden("diff", "--only", id, "-v").all.count("    patch:   replace /rules ") == 4


def test_every_kind_of_held_back_patch(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": HELD})
    commit(tmp_path)
    report = json.loads(harden("diff", "--format", "json").out)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["held"]
    harden("apply", ".")
    document = Places((tmp_path / "web.yaml").read_text()).data(0)
    for held in report["held"]:
        assert patched(document, held["patch"]) != document
        assert held["grade"] in ("guess", "breaking") and held["evidence"]
    assert {held["grade"] for held in report["held"]} == {"guess", "breaking"}
    # All of them, one run each, leave nothing to hold back.
    ids = ",".join({held["id"] for held in report["held"]})
    accepted = json.loads(harden("apply", ".", "--accept", ids, "--format", "json").out)
    assert [held["id"] for held in accepted["held"]] == []
    assert json.loads(harden("diff", "--accept", ids, "--format", "json").out)["summary"]["edits"] == 0


def test_the_json_report_of_apply_is_that_of_diff(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "bad.yaml": "kind: Pod\napiVersion: v1\n  x: 1\n"})
    commit(tmp_path)
    shown = harden("diff", "--format", "json")
    applied = harden("apply", ".", "--format", "json")
    assert json.loads(shown.out) == json.loads(applied.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(shown.out))


def test_files_are_named_from_the_working_directory(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a/b/web.yaml": DEPLOYMENT, "a/c/x": ""})
    commit(tmp_path)
    for folder, name in (("", "a/b/web.yaml"), ("a", "b/web.yaml"), ("a/c", "../b/web.yaml")):
        report = json.loads(harden("diff", tmp_path / "a/b", "--format", "json", cwd=tmp_path / folder).out)
        names = {name, os.path.join(os.path.dirname(name), "harden-networkpolicies.yaml")}
        assert {change["file"] for change in report["changes"]} == names


@pytest.mark.parametrize("name", ["web", "ghp_Zq7TokenPlanted0123456789abcdefABCDEF", "a\u202eb", "##[group]", 'a"b'])
def test_a_json_record_in_parts_is_that_of_the_whole(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from hardener.report.formats import json as report

    quoted = json.dumps(name)
    pod = f"kind: Pod\napiVersion: v1\nmetadata: {{name: {quoted}, namespace: shop}}\nspec:\n  containers:\n"
    pod += f"  - {{name: {quoted}, image: i, securityContext: {{privileged: true}}}}\n"
    write(tmp_path, {"a.yaml": f"{pod}---\n{pod.replace('shop', 'other')}"})
    in_parts = harden("diff", "--format", "json").out
    assert json.loads(in_parts)["changes"] and json.loads(in_parts)["findings"]
    monkeypatch.setattr(report._Dump, "change", lambda dump, change, outcome: dump(report._change(change, outcome)))
    monkeypatch.setattr(report._Dump, "finding", lambda dump, finding: dump(report._finding(finding)))
    assert harden("diff", "--format", "json").out == in_parts
    assert name != "web" or "redacted" not in in_parts
    assert "ghp_" not in in_parts


def test_text_report_and_json_report_count_the_same(corpus: Corpus) -> None:
    for name in ("argo-cd", "kube-prometheus", "bad-pods"):  # with guesses and without, of one object and of many
        tree = corpus(name)
        summary = tree.report["summary"]
        line = next(line for line in tree.diff.all.splitlines() if " documents: " in line)
        numbers = [int(word) for word in line.replace(",", " ").replace(";", " ").split() if word.isdigit()]
        expected = {key: summary[key] for key in ("files", "documents", "edits", "changed")}
        if summary["guesses"]:
            expected["guesses"] = summary["guesses"]
        expected["held"] = summary["held"] - summary["guesses"]  # which JSON has among the held
        expected |= {key: summary[key] for key in ("refused", "waived", "findings")}
        assert numbers == list(expected.values())


def test_repeated_names_are_counted_once_each(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/web.yaml": DEPLOYMENT for n in range(3)} | {f"{n}.yaml": DEPLOYMENT.replace("web", f"w{n}")
                                                                      for n in range(6)})  # fmt: skip
    lines = [line for line in harden("diff", ".").all.splitlines() if " restart: " in line]
    names = "Deployment/web x 3, Deployment/w0, Deployment/w1, Deployment/w2, Deployment/w3 and 2 more"
    assert lines == [f"  9 workloads restart: {names}"]
    lines = [line for line in harden("diff", "0", "1", "2").all.splitlines() if " restart: " in line]
    assert lines == ["  3 workloads restart: Deployment/web x 3"]


@pytest.mark.slow
def test_a_file_name_that_is_not_utf_8_leaves_json_and_patch_whole(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.yaml")
    try:
        (tmp_path / name).write_text(DEPLOYMENT)
    except OSError:
        pytest.skip("this file system takes no such name")
    commit(tmp_path)
    command = [sys.executable, "-m", "hardener", "diff", "."]
    settings = {"cwd": tmp_path, "capture_output": True, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    report = json.loads(subprocess.run([*command, "--format", "json"], **settings).stdout.decode("utf-8"))  # type: ignore[call-overload]
    assert {change["file"] for change in report["changes"]} == {"\udcff.yaml", "harden-networkpolicies.yaml"}
    patch = subprocess.run(command, **settings).stdout  # type: ignore[call-overload]
    assert git(tmp_path, "apply", "-", stdin=patch).returncode == 0


def test_a_name_forges_no_line_and_steers_no_terminal(harden: Harden, tmp_path: Path) -> None:
    pod = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "a\\e[2J\\nundo: rm -rf ."\nspec:\n  containers:\n'
    write(tmp_path, {"pod.yaml": pod + "  - name: c\n    image: example.com/a:1\n"})
    out = harden("diff", "pod.yaml").all
    assert "Pod/a\\x1b[2J\\x0aundo: rm -rf ." in out
    assert "\x1b" not in out and "\nundo: rm" not in out


def test_the_impact_says_what_is_known_of_new_users(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    assert "a numeric runAsUser" not in harden("diff", ".").all
    out = harden("diff", ".", "--max-grade", "guess").all
    assert (
        "1 container gets a numeric runAsUser: 1 by a guess: it may need its own user or root\n"
        "    to know more: harden lock --deep PATH, or images: in .harden.yaml\n" in out
    )
    assert "1 workload restarts: Deployment/web\n" in out
    assert re.search(r"^  1 object changed by a guess \(.*run-as-user.*\), try it first: Deployment/web$", out, re.M)


def test_the_impact_tells_a_pod_from_a_component_of_the_control_plane(harden: Harden, tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  containers:\n    - name: c\n      image: IMAGE\n"
    server = pod.replace("NAME", "kube-apiserver, namespace: kube-system").replace(
        "IMAGE", "registry.k8s.io/kube-apiserver:v1.35.0"
    )
    server += "      command: [kube-apiserver, --profiling=true]\n"
    write(tmp_path, {"web.yaml": pod.replace("NAME", "web").replace("IMAGE", "nginx"), "server.yaml": server})
    only = "termination-message-logs,component-profiling"
    out = harden("diff", ".", "--profile", "strict", "--only", only).all
    assert "1 object must be recreated" in out and "Pod/web" in out
    for line in out.splitlines():
        assert "control plane restart" not in line or "Pod/web" not in line


KUBELET = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
JOIN = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\nnodeRegistration:\n  kubeletExtraArgs: "


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (KUBELET + "protectKernelDefaults: false\n", None),
        (JOIN + '{protect-kernel-defaults: "false"}\n', "kubelet-protect-kernel"),
        ("tls-san: [a]\ncluster-init: true\nprotect-kernel-defaults: false\n", "k3s-protect-kernel"),
    ],
)
def test_the_impact_tells_of_a_kubelet_that_may_not_start(
    text: str, accepted: str | None, harden: Harden, tmp_path: Path
) -> None:
    def impact(text: str) -> bool:
        write(tmp_path, {"config.yaml": text})
        options = ["--profile", "strict", "--only", "kubelet-protect-kernel,k3s-protect-kernel"]
        out = harden("diff", ".", *options, *(["--accept", accepted] if accepted else [])).all
        return "1 node configuration strict about the kernel; a kubelet does not start on a node where" in out

    assert impact(text)
    assert not impact(text.replace("false", "true"))


def test_a_pod_whose_token_is_changed_is_no_component(harden: Harden, tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  serviceAccountName: reader\n"
        "  automountServiceAccountToken: false\n  containers:\n  - name: app\n    image: example.com/app:1\n"
        "    volumeMounts:\n    - {name: token, mountPath: /var/run/secrets/tokens}\n  volumes:\n  - name: token\n"
        "    projected:\n      sources:\n      - serviceAccountToken: {path: token, audience: api-server}\n"
    )
    write(tmp_path, {"reader.yaml": text})
    out = harden("diff", ".", "--only", "sa-token-audience").all
    assert "1 object must be recreated" in out and "Pod/reader" in out
    assert "control plane" not in out and "component" not in out
