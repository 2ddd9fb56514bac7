"""`harden fn`: a ResourceList in, a ResourceList out, alone and started by a real kustomize."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests import services
from tests.built import BUILDERS, builder
from tests.conftest import DEPLOYMENT, ROOT, Harden, git, write

INTEGRATION = ROOT / "integrations" / "kustomize"
HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
COMMANDS = ROOT / "golden/authorization/rbac-cluster-admin-binding/kubectl-commands/before/restart.yaml"

NODE_AGENT = (
    DEPLOYMENT.replace("    spec:\n", "    spec:\n      hostNetwork: true\n      hostPID: true\n")
    .replace("name: web\n", "name: node-exporter\n")
    .replace("example.com/web", "prom/node-exporter")
)

# functions-spec.md of kustomize (12f9e6391), the part about what a function writes.
OUTPUT = {
    "type": "object",
    "required": ["apiVersion", "kind", "items"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object", "required": ["apiVersion", "kind"]}},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string", "minLength": 1},
                    "severity": {"enum": ["error", "warning", "info"]},
                    "resourceRef": {
                        "type": "object",
                        "required": ["apiVersion", "kind", "name"],
                        "additionalProperties": {"type": "string"},
                    },
                    "field": {
                        "type": "object",
                        "required": ["path"],
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "currentValue": {}, "proposedValue": {}},
                    },
                    "file": {
                        "type": "object",
                        "required": ["path"],
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "index": {"type": "integer"}},
                    },
                    "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                },
                "dependentRequired": {"field": ["resourceRef"]},
            },
        },
    },
}


def listed(*documents: str, head: str = HEAD) -> str:
    """A ResourceList of ``documents``, comments included."""
    items = "".join("- " + document.rstrip("\n").replace("\n", "\n  ") + "\n" for document in documents)
    return head + ("items:\n" + items if items else "items: []\n")


def run(harden: Harden, text: str) -> dict[str, Any]:
    done = harden("fn", stdin=text.encode())
    assert done.status == 0, done.err
    assert done.err.startswith("harden ") and done.err.count("\n") == 1
    (found,) = yaml.safe_load_all(done.out)
    jsonschema.validate(found, OUTPUT)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_the_items_are_hardened_and_the_results_say_how(version: str, harden: Harden) -> None:
    text = listed(DEPLOYMENT, head=HEAD.replace("/v1", f"/{version}"))
    found = run(harden, text)
    assert found["apiVersion"] == f"config.kubernetes.io/{version}"
    pod = found["items"][0]["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    result = next(item for item in found["results"] if item["tags"]["id"] == "drop-capabilities")
    assert result["severity"] == "info" and result["tags"]["risk"] == "K01" and result["tags"]["grade"] == "review"
    assert result["resourceRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert result["field"] == {
        "path": "spec.template.spec.containers[0].securityContext.capabilities.drop[0]", "proposedValue": "NET_RAW",
    }  # fmt: skip


def test_comments_order_and_quotes_stay(harden: Harden) -> None:
    text = listed(DEPLOYMENT, "# head\nkind: ConfigMap  # c\napiVersion: v1\nmetadata: {name: 'a'}\n")
    out = harden("fn", stdin=text.encode()).out
    kept = iter(out.splitlines())
    assert all(line in kept for line in text.splitlines()), "a line is gone or moved"


def test_a_second_run_changes_nothing_more(harden: Harden) -> None:
    first = run(harden, listed(DEPLOYMENT))
    assert run(harden, json.dumps(first))["items"] == first["items"]


@pytest.mark.parametrize(
    "text",
    [
        listed(DEPLOYMENT),
        listed(DEPLOYMENT).replace("\n", "\r\n"),
        "\ufeff" + listed(DEPLOYMENT),
        "---\n" + listed(DEPLOYMENT) + "---\n",
        listed(DEPLOYMENT) + "results: []\n",
        listed(DEPLOYMENT) + "results:\n  name: old\n  items: [{message: m}]\n",
        json.dumps(yaml.safe_load(listed(DEPLOYMENT))),
        json.dumps(yaml.safe_load(listed(DEPLOYMENT)), indent=2),
    ],
    ids=["yaml", "crlf", "bom", "marks", "no-results", "old-results", "json", "json-indented"],
)
def test_spellings_of_a_list(text: str, harden: Harden) -> None:
    found = run(harden, text)
    assert found["items"][0]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert {"drop-capabilities", "netpol-workload"} <= {item["tags"]["id"] for item in found["results"]}


@pytest.mark.parametrize("text", [HEAD + "items: []\n", HEAD + "items:\n", HEAD, HEAD + "items: []\nresults: []\n"])
def test_a_list_of_nothing_has_no_results(text: str, harden: Harden) -> None:
    done = harden("fn", stdin=text.encode())
    assert done.status == 0 and "results" not in yaml.safe_load(done.out)


def test_a_new_object_is_an_item(harden: Harden) -> None:
    documents = [part.strip("\n") for part in COMMANDS.read_text(encoding="utf-8").split("---\n")]
    found = run(harden, listed(*documents))
    assert [item["kind"] for item in found["items"]] == ["ServiceAccount", "CronJob", "RoleBinding", "Role"]


def test_an_item_that_is_broken_does_not_block_its_neighbours(harden: Harden) -> None:
    broken = "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: {name: c}}\n"
    found = run(harden, listed(broken, DEPLOYMENT))
    assert found["items"][0] == yaml.safe_load(broken)
    assert "securityContext" in found["items"][1]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("document", "id", "severity"),
    [
        (DEPLOYMENT, "netpol-workload", "warning"),
        (DEPLOYMENT, "pin-image-digest", "info"),
        (NODE_AGENT, "no-host-pid", "warning"),
    ],
)
def test_severities(document: str, id: str, severity: str, harden: Harden) -> None:
    found = [item for item in run(harden, listed(document))["results"] if item["tags"]["id"] == id]
    assert [item["severity"] for item in found] == [severity]


def test_the_file_of_an_item_is_named(harden: Harden) -> None:
    marks = "  annotations: {config.kubernetes.io/path: a/web.yaml, config.kubernetes.io/index: '2'}\n"
    found = run(harden, listed(DEPLOYMENT.replace("metadata:\n", "metadata:\n" + marks, 1)))
    assert {json.dumps(item["file"]) for item in found["results"] if "field" in item} == {
        '{"path": "a/web.yaml", "index": 2}'
    }


def test_values_of_secrets_are_in_no_result(harden: Harden) -> None:
    value = "zq8Hk2-planted-0Lw7"
    env = f"        env: [{{name: DB_PASSWORD, value: {value}}}]\n"
    found = run(harden, listed(DEPLOYMENT + env))
    assert found["items"][0]["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] == value
    assert "secret-env-literal" in {item["tags"]["id"] for item in found["results"]}
    assert value not in json.dumps(found["results"])


CONFIGS: list[tuple[str, str]] = [
    ("kind: ConfigMap\ndata: {profile: baseline}", "baseline"),
    ("kind: ConfigMap\ndata: {only: 'seccomp-runtime-default', set: \"resources.cpu-limit=none\\n\"}", "restricted"),
    ("kind: Harden\nspec: {profile: strict, only: [run-as-user, cpu-limit], max-grade: safe}", "strict"),
    ("kind: Harden", "restricted"),
]


@pytest.mark.parametrize(("config", "profile"), CONFIGS)
def test_the_function_config_chooses(config: str, profile: str, harden: Harden) -> None:
    text = HEAD + "functionConfig:\n  " + config.replace("\n", "\n  ") + "\n" + listed(DEPLOYMENT).removeprefix(HEAD)
    done = harden("fn", stdin=text.encode())
    assert done.status == 0, done.err
    assert f"profile {profile}," in done.err
    assert yaml.safe_load(done.out)["functionConfig"] == yaml.safe_load(config)


@pytest.mark.parametrize("key", ["max-grade", "max-risk"])
@pytest.mark.parametrize(("gate", "is_made"), [("safe", False), ("review", False), ("guess", True)])
def test_the_gate_of_the_function_config(key: str, gate: str, is_made: bool, harden: Harden) -> None:
    config = f"functionConfig: {{kind: Harden, spec: {{{key}: {gate}}}}}\n"
    done = harden("fn", stdin=(HEAD + config + listed(DEPLOYMENT).removeprefix(HEAD)).encode())
    assert done.status == 0, done.err
    assert ("runAsUser: 65532" in done.out) is is_made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no ResourceList"),
        (DEPLOYMENT, "harden filter"),
        (HEAD.replace("config.kubernetes.io/v1", "v1"), "no ResourceList"),
        (HEAD + "items: [\n", "standard input: "),
        (listed(DEPLOYMENT) + "---\n" + listed(DEPLOYMENT), "no ResourceList"),
        (HEAD + "functionConfig: {kind: ConfigMap, data: {profil: a}}\n", "unknown profil; there are profile"),
        (HEAD + "functionConfig: {kind: ConfigMap, data: {profile: a}}\n", "unknown profile a"),
        (HEAD + "functionConfig: {kind: ConfigMap, data: {max-grade: none}}\n", "max-grade is one of safe"),
        (HEAD + "functionConfig: {kind: H, spec: {kubernetes-version: 1.30}}\n", "in quotes"),
        (HEAD + "functionConfig: {kind: H, spec: {only: {a: b}}}\n", "only is a list"),
        (HEAD + "functionConfig: {kind: H, spec: [a]}\n", "spec is a mapping"),
        (HEAD + "functionConfig: a\n", "functionConfig is an object"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_comes_out(text: str, message: str, harden: Harden) -> None:
    done = harden("fn", stdin=text.encode())
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert message in done.err


# -- started by kustomize


def kustomize(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [services.program("kustomize"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "PATH": path})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A kustomization with the transformer of integrations/kustomize beside it."""
    write(
        tmp_path, {"web.yaml": DEPLOYMENT, "kustomization.yaml": "resources: [web.yaml]\ntransformers: [harden.yaml]\n"}
    )
    for path in INTEGRATION.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.kustomize
def test_a_build_is_hardened(base: Path) -> None:
    done = kustomize("build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=base)
    assert done.returncode == 0, done.stderr
    (found,) = yaml.safe_load_all(done.stdout)
    assert found["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert "annotations" not in found["metadata"]
    assert done.stderr.startswith("harden ") and "profile restricted" in done.stderr


@pytest.mark.kustomize
def test_a_build_with_a_new_object(base: Path) -> None:
    shutil.copy(COMMANDS, base / "web.yaml")
    done = kustomize("build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=base)
    assert done.returncode == 0, done.stderr
    assert {item["kind"] for item in yaml.safe_load_all(done.stdout)} == {
        "ServiceAccount", "CronJob", "RoleBinding", "Role"
    }  # fmt: skip


@pytest.mark.parametrize("name", BUILDERS)
def test_without_the_second_flag_the_function_is_left_out_without_a_word(name: str, base: Path) -> None:
    """kustomize issue 4399, kubectl issue 1498: what the README warns of, and the line that tells."""
    command = [*builder(name), "--enable-alpha-plugins", "."]  # kubectl knows no second flag
    done = subprocess.run(command, cwd=base, capture_output=True, text=True)
    assert (done.returncode, "runAsNonRoot" in done.stdout, "harden " in done.stderr) == (0, False, False)


@pytest.mark.kustomize
def test_a_mistake_fails_the_build(base: Path) -> None:
    config = (base / "harden.yaml").read_text(encoding="utf-8")
    write(base, {"harden.yaml": config.replace("profile: restricted", "profile: restrictd")})
    done = kustomize("build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=base)
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean restricted?" in done.stderr


@pytest.mark.kustomize
def test_fn_run_writes_in_place(base: Path, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/a/web.yaml": DEPLOYMENT})
    (tmp_path / "results").mkdir()
    function = ["--enable-exec", "--exec-path", str(base / "harden-fn"), "--results-dir", "results"]
    done = kustomize("fn", "run", "k8s", *function, "--", "profile=strict", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "profile strict" in done.stderr
    text = (tmp_path / "k8s/a/web.yaml").read_text(encoding="utf-8")
    assert "hostUsers: false" in text and "# the only one" in text
    results = yaml.safe_load((tmp_path / "results/results-0.yaml").read_text(encoding="utf-8"))
    assert {item["file"]["path"] for item in results if "file" in item} == {"a/web.yaml"}


def test_the_program_that_kustomize_starts_is_executable() -> None:
    assert os.access(INTEGRATION / "harden-fn", os.X_OK)
    listed = git(ROOT, "ls-files", "-s", "integrations/kustomize/harden-fn").stdout.decode()
    assert listed[:6] in ("", "100755")
