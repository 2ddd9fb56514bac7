"""Terraform files in whole runs: apply, diff and check treat them like manifests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hardener.sources import terraform
from hardener.sources.terraform_names import HEAD

from ..conftest import Harden, commit, git, snapshot, write

NODES = """\
# Nodes.
resource "aws_launch_template" "nodes" {
  image_id = "ami-1" # from March

  metadata_options { http_tokens = "optional" }
}
"""
HARDENED = NODES.replace(
    '{ http_tokens = "optional" }',
    '{\n    http_tokens                 = "required"\n    http_put_response_hop_limit = 1\n  }',
)
ADMIN = """\
resource "aws_iam_role_policy_attachment" "node_admin" {
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}"""
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", BOM])
def test_apply_writes_and_a_second_run_changes_nothing(harden: Harden, tmp_path: Path, end: str, bom: bytes) -> None:
    write(tmp_path, {"main.tf": bom + NODES.replace("\n", end).encode()})
    assert harden("apply", ".").status == 0
    assert (tmp_path / "main.tf").read_bytes() == bom + HARDENED.replace("\n", end).encode()
    assert harden("diff", ".").status == 0
    assert "check passed" in harden("check", ".").out


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_patch_of_a_diff_is_what_apply_does(harden: Harden, tmp_path: Path, end: str) -> None:
    texts = {"main.tf": ADMIN + "\n\n" + NODES, "other.tf": ADMIN.replace("node_admin", "node_all")}
    write(tmp_path, {name: text.replace("\n", end).encode() for name, text in texts.items()})
    commit(tmp_path)
    diff = harden("diff", ".").out
    assert git(tmp_path, "apply", stdin=diff.encode()).returncode == 0
    patched = snapshot(tmp_path)
    git(tmp_path, "checkout", "-q", ".")
    assert harden("apply", ".").status == 0
    assert snapshot(tmp_path) == patched


def test_a_new_block_follows_a_last_line_without_end(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": ADMIN})
    harden("apply", ".")
    text = (tmp_path / "main.tf").read_text()
    names = [document[HEAD][2] for document in terraform.parse(text).documents]
    assert names == ["node_admin", "node_admin_ecr", "node_admin_cni"]
    assert '\n}\n\nresource "aws_iam_role_policy_attachment" "node_admin_ecr" {\n' in text and text.endswith("}\n")


def test_check_says_that_changes_are_pending(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": NODES})
    done = harden("check", ".")
    assert done.status == 1 and "2 changes are pending" in done.out


def test_the_json_report_names_a_block_by_type_and_name(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": NODES})
    changes = json.loads(harden("diff", ".", "--format", "json").out)["changes"]
    assert [(change["id"], change["line"], change["newLine"], change["path"]) for change in changes] == [
        ("tf-imds-tokens", 5, 6, ["metadata_options", 0, "http_tokens"]),
        ("tf-imds-hop", 5, 7, ["metadata_options", 0, "http_put_response_hop_limit"]),
    ]
    names = {"apiVersion": "terraform", "kind": "aws_launch_template", "namespace": None, "name": "nodes"}
    assert changes[0]["object"] == names


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hardener.sources.terraform.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "hardener.sources.terraform", raising=False)
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    monkeypatch.delattr("hardener.sources.terraform", raising=False)


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_one_finding_says_what_to_install(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.tf": NODES, "b/b.tf": NODES, "c.tf": 'resource "random_id" "x" {}\n'})
    before = snapshot(tmp_path)
    findings = json.loads(harden("diff", ".", "--format", "json").out)["findings"]
    assert [(found["id"], found["advice"]) for found in findings] == [
        ("terraform-extra", "pip install tree-sitter tree-sitter-hcl")
    ]
    assert harden("apply", ".").status == 0 and snapshot(tmp_path) == before


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_files_of_no_interest_say_nothing(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"c.tf": 'resource "random_id" "x" {}\n'})
    assert json.loads(harden("diff", ".", "--format", "json").out)["findings"] == []


def test_a_broken_file_keeps_its_bytes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"broken.tf": NODES + "}\n", "good.tf": NODES})
    harden("apply", ".")
    assert (tmp_path / "broken.tf").read_text() == NODES + "}\n"
    assert (tmp_path / "good.tf").read_text() == HARDENED
    refused = json.loads(harden("diff", ".", "--format", "json").out)["refused"]
    assert [(item["file"], item["reason"]) for item in refused] == [("broken.tf", "not readable as Terraform")]


def test_json_syntax_and_downloaded_modules_are_left_alone(harden: Harden, tmp_path: Path) -> None:
    text = '{"resource": {"aws_launch_template": {"nodes": {}}}}\n'
    write(tmp_path, {"main.tf.json": text, ".terraform/modules/eks/main.tf": NODES})
    before = snapshot(tmp_path)
    findings = json.loads(harden("diff", ".", "--format", "json").out)["findings"]
    assert [found["id"] for found in findings] == ["terraform-json"]
    assert harden("apply", ".").status == 0 and snapshot(tmp_path) == before


def test_files_beside_the_paths_are_evidence_and_stay(harden: Harden, tmp_path: Path) -> None:
    group = 'resource "aws_eks_node_group" "x" {\n  node_role_arn = aws_iam_role.app.arn\n}\n'
    write(tmp_path, {"a.tf": ADMIN.replace("node", "app"), "b.tf": group + ADMIN})
    commit(tmp_path)
    before = (tmp_path / "b.tf").read_text()
    harden("apply", "a.tf")
    assert "AdministratorAccess" not in (tmp_path / "a.tf").read_text()
    assert (tmp_path / "b.tf").read_text() == before


def test_an_exception_of_the_configuration_names_a_block(harden: Harden, tmp_path: Path) -> None:
    exceptions = (
        "exceptions:\n- {id: tf-imds-tokens, match: {kind: aws_launch_template, name: nodes}, reason: old, "
        "expires: 2026-12-31}\n"
    )
    write(tmp_path, {".harden.yaml": exceptions, "main.tf": NODES})
    commit(tmp_path)
    report = json.loads(harden("diff", ".", "--as-of", "2026-11-26", "--format", "json").out)
    assert [(item["id"], item["carrier"]) for item in report["waived"]] == [("tf-imds-tokens", "config")]
    assert [item["id"] for item in report["changes"]] == ["tf-imds-hop"]


def test_a_mark_of_checkov_in_a_block_is_honoured(harden: Harden, tmp_path: Path) -> None:
    mark = "# checkov:skip=CKV_AWS_79:the agent is old\n"
    inside = NODES.replace("  image_id", f"  {mark}  image_id")
    write(tmp_path, {"inside.tf": inside, "above.tf": mark + NODES.removeprefix("# Nodes.\n")})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert [(item["file"], item["id"], item["carrier"], item["reason"]) for item in report["waived"]] == [
        ("inside.tf", "tf-imds-tokens", "checkov", "the agent is old")
    ]


def test_secrets_near_a_change_are_masked(harden: Harden, tmp_path: Path) -> None:
    secret = "s3cr3t-Zx81-hunter"
    lines = f'  db_password = "{secret}"\n  metadata_options {{ http_tokens'
    write(tmp_path, {"main.tf": NODES.replace("  metadata_options { http_tokens", lines)})
    for arguments in (["diff", "."], ["diff", ".", "--format", "json"], ["check", "."], ["apply", "."]):
        assert secret not in harden(*arguments).all
    assert secret in (tmp_path / "main.tf").read_text()


def test_a_held_change_shows_its_patch(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": NODES})
    held = json.loads(harden("diff", ".", "--max-risk", "safe", "--format", "json").out)["held"]
    assert [step["patch"] for step in held] == [
        [{"op": "replace", "path": "/metadata_options/0/http_tokens", "value": "required"}],
        [{"op": "add", "path": "/metadata_options/0/http_put_response_hop_limit", "value": 1}],
    ]


def test_manifests_beside_terraform_are_hardened_as_ever(harden: Harden, tmp_path: Path) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  containers: [{name: a, image: a}]\n"
    )
    write(tmp_path, {"pod.yaml": pod, "main.tf": NODES})
    harden("apply", ".")
    assert "hostPID" not in (tmp_path / "pod.yaml").read_text()
    assert (tmp_path / "main.tf").read_text() == HARDENED


def test_a_step_is_rolled_back_with_the_blocks_that_it_made(tmp_path: Path) -> None:
    from hardener.authoring import profile
    from hardener.engine.pipeline import run
    from hardener.engine.rollback import Doomed, roll_back
    from hardener.tree.tree import Tree

    write(tmp_path, {"main.tf": ADMIN + "\n" + NODES})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = run(tree, profile.load("restricted"))
    change = next(change for change in outcome.changes if change.transform.id == "tf-node-admin-detach")
    pieces = len(change.object.piece.file.pieces)
    roll_back(outcome, {id(change.siblings): Doomed(change.siblings, "a test")})
    assert {item.transform.id for item in outcome.changes} == {"tf-imds-tokens", "tf-imds-hop"}
    assert len(change.object.piece.file.pieces) == pieces - 2
    assert tree.terraform.at("aws_iam_role_policy_attachment.node_admin_ecr", str(tmp_path)) is None


NAMES = ("eks", "nodes", "odd")


@pytest.mark.parametrize("name", NAMES)
def test_real_looking_files_change_in_the_lines_of_the_report_alone(harden: Harden, tmp_path: Path, name: str) -> None:
    content = (Path(__file__).parent / "files" / f"{name}.tf").read_bytes()
    write(tmp_path, {f"{name}.tf": content})
    commit(tmp_path)
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert report["changes"] and not report["refused"]
    harden("apply", ".")
    shown = git(tmp_path, "diff", "-U0").stdout.decode()
    removed = [line[1:] for line in shown.splitlines() if line.startswith("-") and not line.startswith("---")]
    lines = content.decode().splitlines()
    assert set(removed) <= {lines[change["line"] - 1] for change in report["changes"]} | {'    "audit" # asked for'}
    terraform.parse((tmp_path / f"{name}.tf").read_text())
    assert harden("diff", ".").status == 0
