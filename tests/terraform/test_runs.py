"""Terraform files in whole runs: apply, diff and check treat them like manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hardener.sources.block_names import HEAD
from hardener.sources.terraform import parsed as terraform

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
    diff = harden("diff", ".").all
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


def test_a_broken_file_keeps_its_bytes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"broken.tf": NODES + "}\n", "good.tf": NODES})
    harden("apply", ".")
    assert (tmp_path / "broken.tf").read_text() == NODES + "}\n"
    assert (tmp_path / "good.tf").read_text() == HARDENED
    refused = json.loads(harden("diff", ".", "--format", "json").out)["refused"]
    assert [(item["file"], item["reason"]) for item in refused] == [("broken.tf", "not readable as Terraform")]


OTHER_FORMS = {
    "json": ("main.tf.json", '{"resource": {"aws_launch_template": {"nodes": {}}}}\n', ("terraform-json", 1)),
    "json of OpenTofu": ("main.tofu.json", '{"resource":\n{"aws_eks_cluster": {"a": {}}}}\n', ("terraform-json", 2)),
    "terragrunt": (
        "live/terragrunt.hcl",
        'include "root" {\n  path = find_in_parent_folders()\n}\nterraform {\n'
        '  source = "tfr:///terraform-aws-modules/eks/aws?version=20.8.4"\n}\ninputs = { cluster_name = "x" }\n',
        ("terragrunt", 5),
    ),
    "a module in Git": (
        "a.hcl",
        'terraform {\n  source = "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=v21.1.0"\n}\n',
        ("terragrunt", 2),
    ),
    "a name that is an ending": (
        ".hcl",
        'terraform {\n  source = "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=v21.1.0"\n}\n',
        ("terragrunt", 2),
    ),
}


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_another_form_of_terraform_is_one_finding(harden: Harden, tmp_path: Path, name: str) -> None:
    path, text, expected = OTHER_FORMS[name]
    write(tmp_path, {path: text})
    before = snapshot(tmp_path)
    findings = json.loads(harden("diff", ".", "--format", "json").out)["findings"]
    assert [(found["id"], found["line"]) for found in findings] == [expected]
    assert harden("apply", ".").status == 0 and snapshot(tmp_path) == before
    assert "hold no file that harden reads" not in harden("check", ".").all


@pytest.mark.parametrize("name", ["packer.hcl", ".terraform.lock.hcl", "docker-bake.hcl"])
def test_hcl_of_other_tools_says_nothing(harden: Harden, tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: 'source "aws_launch_template" "x" {\n  a = 1\n}\n', "main.tf": NODES})
    assert json.loads(harden("diff", ".", "--format", "json").out)["findings"] == []


def test_what_terraform_downloaded_is_left_alone(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".terraform/modules/eks/main.tf": NODES})
    before = snapshot(tmp_path)
    assert harden("apply", ".").status == 0 and snapshot(tmp_path) == before


def test_opentofu_is_read_as_terraform(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tofu": NODES})
    harden("apply", ".")
    assert (tmp_path / "main.tofu").read_text() == HARDENED


DATA = """\
data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_launch_template" "nodes" {
  name = "nodes"
}

data "google_container_cluster" "g" {
  name     = "c"
  location = "x"
}

data "azurerm_kubernetes_cluster" "a" {
  name                = "c"
  resource_group_name = "rg"
}

data "aws_iam_role" "node" {
  name = "node"
}

data "aws_instance" "node" {
  instance_id = "i-1"
}
"""


def test_a_data_source_looks_something_up_and_decides_nothing(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": DATA})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert (report["changes"], report["held"], report["findings"]) == ([], [], [])


def test_the_document_of_a_policy_is_a_data_source_that_its_author_writes(harden: Harden, tmp_path: Path) -> None:
    text = """\
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.eks.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${replace(aws_iam_openid_connect_provider.eks.url, "https://", "")}:sub"
      values   = ["system:serviceaccount:app:app"]
    }
  }
}
"""
    write(tmp_path, {"main.tf": text})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert [(found["id"], found["object"]["kind"]) for found in report["findings"]] == [
        ("tf-irsa-trust", "data.aws_iam_policy_document")
    ]
    assert report["changes"] == []


MODULES = {
    'source = "terraform-aws-modules/eks/aws"\n  version = "21.3.1"': "enabled_log_types",
    'source = "terraform-aws-modules/eks/aws"\n  version = "~> 20.0"': "cluster_enabled_log_types",
    'source = "registry.opentofu.org/terraform-aws-modules/eks/aws"\n  version = "21.0.0"': "enabled_log_types",
    'source = "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=v21.1.0"': "enabled_log_types",
    'source = "git@github.com:terraform-aws-modules/terraform-aws-eks?ref=v20.8"': "cluster_enabled_log_types",
    'source = "github.com/terraform-aws-modules/terraform-aws-eks?depth=1&ref=v20.8.4"': "cluster_enabled_log_types",
    # Which version that is no text says.
    'source = "github.com/terraform-aws-modules/terraform-aws-eks?ref=5b0f2e7"': None,
    'source = "github.com/terraform-aws-modules/terraform-aws-eks"': None,
    'source = "terraform-aws-modules/eks/aws"\n  version = ">= 19.0"': None,
    'source = "terraform-aws-modules/eks/aws"\n  version = "< 21"': None,
}
"""What names the EKS module, and the variable of that version for the log types."""


@pytest.mark.parametrize("text", MODULES)
def test_the_version_of_the_eks_module_names_its_variable(harden: Harden, tmp_path: Path, text: str) -> None:
    write(tmp_path, {"main.tf": f'module "eks" {{\n  {text}\n}}\n'})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    changed = [change["path"][0] for change in report["changes"] if change["id"] == "tf-eks-log-types"]
    unpinned = [found["id"] for found in report["findings"] if found["id"] == "tf-eks-log-types"]
    variable = MODULES[text]
    assert changed == ([variable] if variable else []) and bool(unpinned) is (variable is None)


@pytest.mark.parametrize(
    "source", ["terraform-aws-modules/vpc/aws", "./eks", "terraform-aws-modules/eks/aws//modules/karpenter"]
)
def test_another_module_has_no_log_types(harden: Harden, tmp_path: Path, source: str) -> None:
    write(
        tmp_path,
        {"main.tf": f'module "eks" {{\n  source = "{source}"\n}}\nmodule "b" {{\n  x = aws_eks_cluster.a\n}}\n'},
    )
    assert json.loads(harden("diff", ".", "--format", "json").out)["findings"] == []


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
    held = json.loads(harden("diff", ".", "--max-grade", "safe", "--format", "json").out)["held"]
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
    assert tree.blocks.at("aws_iam_role_policy_attachment.node_admin_ecr", str(tmp_path)) is None


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


TWICE = """\
resource "kubernetes_pod_v1" "ok" {
  metadata {
    name = "ok"
  }
  spec {
    host_pid = true
    container {
      name  = "c"
      image = "nginx:1.27"
    }
  }
}

resource "kubernetes_pod_v1" "twice" {
  metadata {
    name = "twice"
  }
  spec {
    host_pid = true
    container {
      name  = "c"
      image = "nginx:1.27"
      security_context {
        privileged = true
        PLACE
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("place", "name", "below"),
    [
        ("privileged = true", "privileged", 0), ("privileged = false", "privileged", 0),
        ("privileged=null", "privileged", 0), ("privileged {}", "privileged", 0),
        ('capabilities {\n add = ["A"]\n add = ["B"]\n}', "add", 2),
        ('capabilities = 1\ncapabilities {\n add = ["A"]\n}', "capabilities", 1),
    ],
)  # fmt: skip
def test_a_block_that_sets_an_argument_twice_is_refused(
    place: str, name: str, below: int, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"main.tf": TWICE.replace("PLACE", place)})
    commit(tmp_path)
    done = harden("apply", ".", "--profile", "baseline", "--max-grade", "breaking", "--yes", "-v")
    said = f"the argument {name} is set twice in one block, which Terraform refuses; nothing of the block is read"
    line = TWICE.count("\n", 0, TWICE.index("PLACE")) + 1
    assert said in done.out and re.search(rf"main\.tf:{line + below}\b", done.out), done.out
    text = (tmp_path / "main.tf").read_text()
    first, _, second = text.partition('resource "kubernetes_pod_v1" "twice"')
    assert "host_pid" not in first.replace("host_pid = false", "") and "host_pid = true" in second
    commit(tmp_path)
    assert harden("apply", ".", "--profile", "baseline", "--max-grade", "breaking", "--yes").status == 0
    assert (tmp_path / "main.tf").read_text() == text
