"""Resources of the kubernetes provider as Kubernetes objects: files written to its documentation, before and after."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import copied, replay
from hardener.commands.interactive import waive
from hardener.commands.interactive.hunks import of_step
from hardener.engine.outcome import Outcome
from hardener.engine.pipeline import run
from hardener.sources.terraform import parsed as terraform
from hardener.sources.terraform import render
from hardener.tree.tree import Tree

from ..conftest import write
from .hcl_objects import Place, blocks, objects

FOLDER = Path(__file__).parent / "workloads"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.tf"))}
LISTED = (
    "pod deployment stateful_set daemonset job cron_job replication_controller service service_account network_policy "
    "role role_binding cluster_role cluster_role_binding config_map secret namespace"
).split()
# What a person sees that the expressions of a file come to; of the others that are left out here it is not known.
COMES_TO = {
    "namespace.tf": {"kubernetes_namespace.example.metadata[0].name": '"terraform-example-namespace"'},
    "namespace_v1.tf": {"kubernetes_namespace_v1.shop.metadata.0.name": '"shop"',
                        "kubernetes_namespace_v1.shop.metadata[0].name": '"shop"'},
    "locals.tf": {"${local.registry}": "registry.example.com", "local.labels": '{ app = "locals", team = "shop" }',
                  "local.team": '"shop"', "local.port": "8080"},
    "references.tf": {"kubernetes_namespace.team.metadata.0.name": '"team"',
                      "kubernetes_namespace.team.metadata[0].name": '"team"',
                      "kubernetes_service_account.bot.metadata[0].namespace": '"team"',
                      "kubernetes_service_account.bot.metadata[0].name": '"bot"'},
    "one_line.tf": {"kubernetes_namespace_v1.line.metadata[0].name": '"line"'},
    # A projection for each of its blocks; a field that the mapping does not have.
    "volumes.tf": {}, "newer.tf": {'resource_claim {\n          name = "gpu"\n        }': ""},
}  # fmt: skip
UNKNOWN = {
    "dynamic.tf", "for_each.tf", "count.tf", "variables.tf", "expressions.tf", "manifest_yaml.tf", "manifest_file.tf",
    "kubectl_manifest.tf", "kubectl_encoded.tf", "mixed.tf", "waivers.tf",
    "cluster_role_binding_v1.tf",  # the provider refuses a binding without subjects
    "service_account_v1.tf",  # the provider mounts a token that the account keeps back
}  # fmt: skip
EQUIVALENT = sorted(FILES.keys() - UNKNOWN)
GROUPS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1",
          "CronJob": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1", "Ingress": "networking.k8s.io/v1",
          "Role": "rbac.authorization.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
          "ClusterRole": "rbac.authorization.k8s.io/v1", "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
          "CronTab": "stable.example.com/v1"}  # fmt: skip


def hardened(folder: Path, name: str = "restricted") -> tuple[Outcome, dict[str, str]]:
    """The outcome of a run over ``folder``, and the texts of its files after it."""
    outcome = run(Tree.read([str(folder)], root=str(folder)), profile.load(name))
    texts = {path.name: path.read_bytes().decode() for path in folder.iterdir() if path.is_file()}
    return outcome, texts | {Path(file.file.path).name: file.text for file in outcome.files}


def seen(name: str, text: str) -> str:
    """``text`` with what its expressions come to."""
    for expression, value in COMES_TO.get(name, {}).items():
        text = text.replace(expression, value)
    return text


@pytest.mark.slow
def test_the_files_cover_what_is_listed() -> None:
    kinds = {kind for text in FILES.values() for kind, _ in blocks(text)}
    assert len(FILES) >= 40
    for name in LISTED:
        versioned = "kubernetes_daemon_set_v1" if name == "daemonset" else f"kubernetes_{name}_v1"
        assert {f"kubernetes_{name}", versioned} <= kinds, name
    assert {"kubernetes_manifest", "kubectl_manifest"} <= kinds


@pytest.mark.sampled(2)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.slow
def test_exactly_the_decided_attributes_differ(tmp_path: Path, name: str, end: str) -> None:
    write(tmp_path, {name: FILES[name].replace("\n", end).encode()})
    outcome, texts = hardened(tmp_path)
    after = texts[name]
    assert end == "\n" or "\n" not in after.replace("\r\n", "")
    after = after.replace("\r\n", "\n")
    before = objects(seen(name, FILES[name]))
    wanted = {place: copied(item) for place, item in before.items()}
    made: dict[Place, Any] = {}
    for piece in {change.object.piece: None for change in outcome.changes}:
        place = next(iter(blocks(piece.text))) if not piece.is_new else None
        if place is None:
            made[piece.data[0]["kind"], piece.data[0]["metadata"]["name"]] = piece.data[0]
        elif place in wanted:
            data = [wanted[place]]
            for step in piece.run.steps:
                replay(data, step)
    found = objects(seen(name, after))
    old = {place: item for place, item in found.items() if place in before}
    new = {(item["kind"], item["metadata"]["name"]): item for place, item in found.items() if place not in before}
    assert without(old) == without(wanted)
    assert without(new) == without(made)
    for place, body in blocks(FILES[name]).items():  # what is no part of an object
        kept = {key: value for key, value in body.items() if key in ("for_each", "count", "lifecycle", "timeouts")}
        assert kept.items() <= blocks(after)[place].items()


def without(found: dict[Place, Any]) -> dict[Place, Any]:
    return {place: {key: value for key, value in item.items() if key != "apiVersion"} for place, item in found.items()}


@pytest.mark.parametrize("name", FILES)
def test_lines_and_comments_stay(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: FILES[name]})
    outcome, texts = hardened(tmp_path)
    hunks = [hunk for file in outcome.files for hunk in file.hunks if file.file.path.endswith(".tf")]
    rows = {row for hunk in hunks for row in range(hunk.before_start, hunk.before_start + len(hunk.before))}
    gone = [line for hunk in hunks for line in hunk.before]
    stay = [line for row, line in enumerate(FILES[name].splitlines(), 1) if row not in rows]
    rest = iter(texts[name].splitlines())
    assert all(line in rest for line in stay)  # in their order
    comments = [comment.text for comment in terraform.parse(FILES[name]).comments()]
    kept = [comment.text for comment in terraform.parse(texts[name]).comments()]
    assert [text for text in comments if not any(text[1:].strip() in line for line in gone)] == [
        text for text in kept if not any(text[1:].strip() in line for line in gone)
    ]


@pytest.mark.parametrize("name", FILES)
def test_new_attributes_are_aligned(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: FILES[name]})
    outcome, texts = hardened(tmp_path)
    added = {line.rstrip("\n") for file in outcome.files for hunk in file.hunks for line in hunk.after}
    for group in attribute_groups(texts[name]):
        if all(line in added for line in group):
            assert len({line.index(" = ") for line in group}) == 1, group


def attribute_groups(text: str) -> Iterator[list[str]]:
    """The runs of attributes of one line that stand below each other."""
    group: list[str] = []
    for line in [*text.splitlines(), ""]:
        if re.match(r"\s*[\w\"./-]+\s+= [^\n]*[^{\[(]$", line) and "<<" not in line:
            group.append(line)
        elif group:
            yield group
            group = []


@pytest.mark.parametrize("name", FILES)
def test_a_second_run_changes_nothing(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: FILES[name]})
    _, texts = hardened(tmp_path)
    write(tmp_path, texts)
    again, _ = hardened(tmp_path)
    assert [change.transform.id for change in again.changes] == []


@pytest.mark.parametrize("name", EQUIVALENT)
@pytest.mark.slow
def test_the_same_as_yaml_comes_to_the_same(tmp_path: Path, name: str) -> None:
    before = objects(seen(name, FILES[name]))
    documents = [{"apiVersion": GROUPS.get(item["kind"], "v1"), **item} for item in before.values()]
    write(tmp_path / "hcl", {name: FILES[name]})
    write(tmp_path / "yaml", {"all.yaml": yaml.safe_dump_all(documents)})
    found = objects(seen(name, hardened(tmp_path / "hcl")[1][name])).values()
    texts = hardened(tmp_path / "yaml")[1].values()
    wanted = [item for text in texts for item in yaml.safe_load_all(text)]
    assert by_name(found) == by_name(wanted)


def by_name(items: Any) -> dict[tuple[str, str], Any]:
    """Objects by kind and name, with what containers of Terraform do not inherit from their pod."""
    found = {}
    for item in items:
        item = {key: value for key, value in item.items() if key != "apiVersion"}
        metadata = item["metadata"]
        found[item["kind"], metadata.get("name", metadata.get("generateName"))] = item
        spec: Any = item.get("spec", {})
        for part in ("jobTemplate", "spec", "template", "spec"):
            spec = spec.get(part, spec) if isinstance(spec, dict) else {}
        if (spec.get("securityContext") or {}).get("runAsNonRoot") is True:
            for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
                if container.get("securityContext"):
                    container["securityContext"]["runAsNonRoot"] = True
    return found


HEAD = """\
resource "kubernetes_deployment_v1" "x" {
  metadata {
    name = "x"
  }
  spec {
    selector {
      match_labels = { app = "x" }
    }
    template {
      metadata {
        labels = { app = "x" }
      }
      spec {
"""
TAIL = "      }\n    }\n  }\n}\n"


def deployment(*lines: str) -> str:
    """A Deployment whose pod spec holds ``lines``."""
    return HEAD + "".join(f"        {line}\n" for line in lines) + TAIL


def container(*lines: str, image: str = '"nginxinc/nginx-unprivileged:1.27"') -> list[str]:
    return ["container {", '  name  = "x"', f"  image = {image}", *(f"  {line}" for line in lines), "}"]


def pod_of(text: str) -> Any:
    return objects(text)["kubernetes_deployment_v1", "x"]["spec"]["template"]["spec"]


def test_a_container_with_a_context_says_itself_what_its_pod_says(tmp_path: Path) -> None:
    """The provider sends run_as_non_root = false for a container whose security_context does not say it."""
    write(tmp_path, {"main.tf": deployment(*container())})
    pod = pod_of(hardened(tmp_path)[1]["main.tf"])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_what_a_context_does_not_inherit_is_seen(tmp_path: Path) -> None:
    context = ["security_context {", "  read_only_root_filesystem = true", "}"]
    text = deployment(*container(*context), "security_context {", "  run_as_non_root = true", "}")
    write(tmp_path, {"main.tf": text})
    outcome, texts = hardened(tmp_path)
    edit = next(change.edit for change in outcome.changes if change.path[-1] == "runAsNonRoot")
    assert "the provider sends run_as_non_root = false" in edit.evidence[0].text
    assert pod_of(texts["main.tf"])["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_an_account_does_not_decide_about_a_token(tmp_path: Path) -> None:
    """The provider sends automount_service_account_token = true for a pod that does not say it."""
    write(tmp_path, {"main.tf": FILES["service_account_v1.tf"]})
    assert "        automount_service_account_token = false\n" in hardened(tmp_path)[1]["main.tf"]


KNOWN = {
    "a default": ('variable "i" {\n  default = "nginx:1.27"\n}\n', "var.i", {}),
    "a local": ('locals {\n  i = "nginx:${local.t}"\n  t = "1.27"\n}\n', "local.i", {}),
    "a part of a map": ('locals {\n  i = { web = ["nginx:1.27"] }\n}\n', "local.i.web[0]", {}),
    "in another file": ("", "var.i", {"variables.tf": 'variable "i" {\n  default = "nginx:1.27"\n}\n'}),
}
DEFAULT = 'variable "i" {\n  default = "nginx:1.27"\n}\n'
NOT_KNOWN = {
    "no default": ('variable "i" {}\n', {}),
    "a default that a file of values changes": (DEFAULT, {"terraform.tfvars": 'i = "nginx:1"\n'}),
    "a default that a call changes": (DEFAULT, {"../root.tf": 'module "m" {\n  source = "./m"\n  i      = "x"\n}\n'}),
    "two defaults": (DEFAULT, {"more.tf": DEFAULT.replace("1.27", "1.26")}),
    "a secret": (DEFAULT.replace("}", "  sensitive = true\n}"), {}),
    "what leads to itself": ('variable "i" {\n  default = var.i\n}\n', {}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_an_expression_with_one_value_is_that_value(tmp_path: Path, name: str) -> None:
    head, expression, files = KNOWN[name]
    write(tmp_path / "m", {"main.tf": head + deployment(*container(image=expression)), **files})
    outcome, texts = hardened(tmp_path / "m")
    assert f"  image = {expression}\n" in texts["main.tf"]  # it is a fact, and no place to edit
    image = outcome.tree.of("apps", "Deployment")[0].data["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "nginx:1.27"


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_an_expression_with_no_one_value_is_not_known(tmp_path: Path, name: str) -> None:
    head, files = NOT_KNOWN[name]
    write(tmp_path / "m", {"main.tf": head + deployment(*container(image="var.i")), **files})
    tree = Tree.read([str(tmp_path / "m")], root=str(tmp_path))
    image = tree.of("apps", "Deployment")[0].data["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "${var.i}"


REFUSED = {
    "an expression": (deployment("host_pid = var.p", *container()) + 'variable "p" {\n  default = true\n}\n',
                      "what an expression makes is not removed: var.p says it"),
    "a block that the provider asks for": (FILES["cluster_role_binding_v1.tf"],
                                           "the last block of its kind is not removed"),
}  # fmt: skip


COMMENTED = FILES["role_binding_v1.tf"].replace(
    '    kind      = "Group"\n    name      = "system:un',
    '    # whoever\n    kind      = "Group"\n    name      = "system:un',
)
REFUSED["what holds a comment of its own"] = COMMENTED, "a comment is in what would be removed"


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_place_is_refused_and_the_rest_is_made(tmp_path: Path, name: str) -> None:
    text, reason = REFUSED[name]
    write(tmp_path, {"main.tf": text})
    outcome, texts = hardened(tmp_path)
    assert [refused.reason for refused in outcome.refused] == [reason]
    terraform.parse(texts["main.tf"])


def test_a_new_object_names_the_namespace_as_its_neighbour_does(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": FILES["namespace.tf"]})
    text = hardened(tmp_path)[1]["main.tf"]
    assert text.count("namespace = kubernetes_namespace.example.metadata[0].name\n") == 4
    assert 'resource "kubernetes_network_policy" "' in text and "kubernetes_network_policy_v1" not in text


def test_no_object_is_made_where_its_namespace_is_not_known(tmp_path: Path) -> None:
    text = deployment(*container()).replace('name = "x"\n', 'name = "x"\n    namespace = var.n\n', 1)
    write(tmp_path, {"main.tf": text + 'variable "n" {}\n'})
    outcome, texts = hardened(tmp_path)
    assert "kubernetes_network_policy" not in texts["main.tf"]
    assert any("needs a NetworkPolicy" in finding.message for finding in outcome.findings)


def test_names_of_new_resources_are_free(tmp_path: Path) -> None:
    other = 'resource "kubernetes_network_policy_v1" "harden_x" {\n  metadata {\n    name = "other"\n  }\n  spec {\n' \
            '    pod_selector {}\n    policy_types = []\n  }\n}\n'  # fmt: skip
    write(tmp_path, {"main.tf": deployment(*container()), "other.tf": other})
    assert 'resource "kubernetes_network_policy_v1" "harden_x_2" {' in hardened(tmp_path)[1]["main.tf"]


def test_waivers_speak_of_the_block_that_they_stand_in(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": FILES["waivers.tf"]})
    outcome, texts = hardened(tmp_path)
    assert "host_network = true #" in texts["main.tf"] and "read_only_root_filesystem" not in texts["main.tf"]
    assert "limits = {" not in texts["main.tf"]
    assert not outcome.findings or all("waiver" not in finding.id for finding in outcome.findings)


UNREAD = {
    "a template": ("kubernetes_manifest", 'manifest = yamldecode(templatefile("x", {}))', "an expression makes it"),
    "a missing file": ("kubernetes_manifest", 'manifest = yamldecode(file("x.yaml"))', "an expression makes it"),
    "a directive": ("kubectl_manifest", "yaml_body = <<EOT\na: 1\n%{ if true }\nb: 2\n%{ endif }\nEOT", "a template"),
    "no YAML": ("kubectl_manifest", "yaml_body = <<EOT\na: [\nEOT", "not valid YAML"),
    "two objects": ("kubectl_manifest", "yaml_body = <<EOT\na: 1\n---\nb: 2\nEOT", "not one object"),
    "an expression": ("kubernetes_manifest", "manifest = local.all[0]", "an expression makes it"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREAD)
def test_a_manifest_that_is_not_read_is_a_finding(tmp_path: Path, name: str) -> None:
    kind, line, reason = UNREAD[name]
    write(tmp_path, {"main.tf": f'resource "{kind}" "x" {{\n  {line}\n}}\n'})
    outcome, _ = hardened(tmp_path)
    (finding,) = [finding for finding in outcome.findings if finding.id == "terraform-manifest"]
    assert finding.message.startswith(f"a manifest in Terraform is not looked at: {reason}")


def test_a_new_object_goes_to_the_cluster_of_its_neighbour(tmp_path: Path) -> None:
    text = deployment(*container()).replace("{\n", "{\n  provider = kubernetes.prod\n", 1)
    write(tmp_path, {"main.tf": text})
    after = hardened(tmp_path)[1]["main.tf"]
    assert after.count("provider = kubernetes.prod") == 2


IGNORED = {"all": "all", "[spec[0].template, metadata[0].annotations]": "spec[0].template"}


@pytest.mark.parametrize("given", IGNORED)
def test_changes_that_terraform_ignores_are_a_finding(tmp_path: Path, given: str) -> None:
    text = deployment(*container())[:-2] + f"  lifecycle {{\n    ignore_changes = {given}\n  }}\n}}\n"
    write(tmp_path, {"main.tf": text})
    found = [finding for finding in hardened(tmp_path)[0].findings if finding.id == "terraform-ignored"]
    assert [finding.message for finding in found] == [
        f"Terraform ignores changes of {IGNORED[given]} here, so it would not make those that harden writes"
    ]


@pytest.mark.slow
def test_a_large_file_costs_what_it_holds(tmp_path: Path) -> None:
    """300 Deployments in one file: below 250 MB."""
    text = deployment(*container())
    blocks_of = "\n".join(re.sub('"x"', f'"x{number}"', text) for number in range(300))
    write(tmp_path, {"main.tf": blocks_of})
    command = [sys.executable, "-c", _MEASURED, sys.executable, "-m", "hardener", "diff", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    peak = float(done.stderr.split()[-1])
    assert "0 refused" in done.stderr
    assert peak < 250 * 1024


# Linux counts the memory of the process that starts a program as the program's own: a small one starts it.
_MEASURED = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.parametrize("name", ["deployment_v1.tf", "manifest_yaml.tf", "manifest_object.tf", "namespace.tf"])
def test_each_step_is_shown_and_can_be_waived(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: FILES[name]})
    outcome, _ = hardened(tmp_path)
    steps = {id(change.siblings): change.siblings for change in outcome.changes}.values()
    shown = [[file for file in of_step(changes) if file.hunks] for changes in steps]
    assert all(shown) and len(shown) > 5
    change = next(change for change in outcome.changes if change.transform.id == "read-only-root-filesystem")
    target = next(pod for pod in outcome.tree.pod_templates if pod.object is change.object).containers[0]
    waive.write([waive.Written("read-only-root-filesystem", target, "it writes where it stands")])
    text = (tmp_path / name).read_text()
    assert "# harden: ignore[read-only-root-filesystem] it writes where it stands\n" in text
    again, _ = hardened(tmp_path)
    assert "read-only-root-filesystem" not in {
        change.transform.id for change in again.changes if change.object.name == target.object.name
        and change.path[: len(target.path)] == target.path
    }  # fmt: skip


RELEASE = 'resource "helm_release" "h" {\n  chart     = "x"\n  namespace = NAME\n}\n'
INSTALLS = {
    "a chart": RELEASE.replace("NAME", "kubernetes_namespace_v1.shop.metadata[0].name"),
    "a chart in a namespace that is not known": RELEASE.replace("NAME", "var.n"),
    "a module of others": 'module "m" {\n  source    = "acme/redis/kubernetes"\n  namespace = "shop"\n}\n',
    "a manifest that is not read": 'resource "kubernetes_manifest" "m" {\n  manifest = local.m\n}\n',
}


@pytest.mark.parametrize("name", INSTALLS)
def test_a_namespace_with_pods_of_others_is_not_closed_by_itself(tmp_path: Path, name: str) -> None:
    write(tmp_path / "alone", {"main.tf": FILES["namespace_v1.tf"]})
    write(tmp_path / "with", {"main.tf": FILES["namespace_v1.tf"], "more.tf": INSTALLS[name]})
    assert "default-deny-all" in hardened(tmp_path / "alone")[1]["main.tf"]
    assert "default-deny-all" not in hardened(tmp_path / "with")[1]["main.tf"]


def test_a_new_account_is_referred_to(tmp_path: Path) -> None:
    """A reference has Terraform make the account before the pods."""
    token = "automount_service_account_token = false"
    write(tmp_path, {"main.tf": deployment(token, *container())})
    text = hardened(tmp_path, "strict")[1]["main.tf"]
    assert 'resource "kubernetes_service_account_v1" "x" {\n' in text
    assert re.search(r"service_account_name += kubernetes_service_account_v1\.x\.metadata\[0\]\.name\n", text)
    write(tmp_path, {"main.tf": text})
    assert hardened(tmp_path, "strict")[0].changes == []


GRADED = {
    "a literal": ("", '"nginxinc/nginx-unprivileged:1.27"', "safe"),
    "a local": ('locals {\n  i = "nginxinc/nginx-unprivileged:1.27"\n}\n', "local.i", "safe"),
    "the default of a variable": (DEFAULT.replace("nginx", "nginxinc/nginx-unprivileged"), "var.i", "review"),
    "a local that holds one": (
        DEFAULT.replace("nginx:", "") + 'locals {\n  i = "nginxinc/nginx-unprivileged:${var.i}"\n}\n',
        "local.i", "review",
    ),
    "a template with one": (DEFAULT.replace("nginx:", ""), '"nginxinc/nginx-unprivileged:${var.i}"', "review"),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADED)
def test_what_leans_on_the_default_of_a_variable_is_not_safe(tmp_path: Path, name: str) -> None:
    head, image, grade = GRADED[name]
    write(tmp_path, {"main.tf": head + deployment(*container(image=image))})
    outcome, _ = hardened(tmp_path)
    of_user = [change.edit for change in outcome.changes if change.path[-1] == "runAsNonRoot"]
    assert {edit.grade.value for edit in of_user} == {grade}
    assert ("whoever runs Terraform may set the variable" in str(of_user[0].evidence)) is (grade == "review")


STEPS = {"tabs": "\t", "four blanks": "    ", "one blank": " "}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.slow
def test_new_lines_are_indented_as_those_that_are_there(tmp_path: Path, name: str) -> None:
    def indented(text: str) -> str:
        return re.sub("(?m)^( +)", lambda match: STEPS[name] * (len(match[1]) // 2), text)

    for file in ("deployment_v1.tf", "manifest_object.tf", "one_line.tf", "stateful_set_v1.tf"):
        write(tmp_path / "plain", {file: FILES[file]})
        write(tmp_path / "other", {file: indented(FILES[file])})
        wanted, found = (hardened(tmp_path / folder)[1][file] for folder in ("plain", "other"))
        first = next(iter(terraform.parse(wanted).extents()))  # new blocks are those of terraform fmt
        assert found.startswith(indented(wanted[: first[1]])), file


FAULTS: dict[str, Callable[[list[str]], list[str]]] = {
    "more than was decided": lambda lines: [*lines[:-1], "            privileged = true", lines[-1]],
    "less": lambda lines: [lines[0], lines[-1]],
    "no Terraform": lambda lines: lines[:-1],
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_written_wrong_is_not_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"main.tf": deployment(*container())})
    block = render.block

    def wrong(head: list[str], data: dict[str, Any], indent: str) -> list[str]:
        lines = block(head, data, indent)
        return FAULTS[name](lines) if head == ["security_context"] and len(lines) > 1 else lines

    monkeypatch.setattr(render, "block", wrong)
    outcome, texts = hardened(tmp_path)
    assert "security_context" not in texts["main.tf"] and outcome.refused
    assert pod_of(texts["main.tf"])["automountServiceAccountToken"] is False  # other steps are made
