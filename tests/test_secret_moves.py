"""Moving secrets out of a tree: where the values go and where they never do."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from hardener.authoring.edits import Kept
from hardener.commands import secrets_folder
from hardener.errors import InputError
from hardener.sources.files import run_folder, transaction

pytestmark = pytest.mark.slow

PASSWORD, TOKEN, WEAK = "Tr0ub4dor&3/x%", "8f14e45f-ceea-167a_5a36", "postgres"
BINARY = b"\xfe\xed\xfe\xed\x00\x00\x00\x02\x10kestrel"
MANIFEST = f"""\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata:
  name: vault-backend
spec:
  provider:
    vault:
      server: https://vault.example.com
      path: kv
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: app
data:
  DB_PASSWORD: "{PASSWORD}"
  PGPASSWORD: {WEAK}
---
apiVersion: v1
kind: Secret
metadata:
  name: keys
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {{"kind":"Secret","stringData":{{"token":"{TOKEN}"}}}}
data:
  store: {base64.b64encode(BINARY).decode()}
stringData:
  token: {TOKEN}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector:
    matchLabels: {{app: app}}
  template:
    metadata:
      labels: {{app: app}}
    spec:
      containers:
      - name: app
        image: registry.example.com/app:1
        envFrom:
        - configMapRef: {{name: app}}
        env:
        - name: API_TOKEN
          value: {TOKEN}
"""
HELD = MANIFEST[MANIFEST.index("apiVersion: v1\nkind: ConfigMap") :]  # nothing shows the operator
LEFT = MANIFEST.replace("name: app\ndata", "name: app\nimmutable: true\ndata")


def harden(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hardener", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "app.yaml").write_text(MANIFEST, encoding="utf-8")
    return folder


def forms(value: str) -> set[str]:
    raw = value.encode()
    return {value, base64.b64encode(raw).decode(), base64.b64encode(raw).decode().rstrip("="), quote(value, safe="")}


def test_the_values_are_in_the_folder_and_nowhere_else(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "values"
    done = harden(tree, "apply", ".", "--secrets-out", str(out), "--yes")
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "default__app.json").read_text()) == {"DB_PASSWORD": PASSWORD, "PGPASSWORD": WEAK}
    assert json.loads((out / "default__keys.json").read_text()) == {
        "store": base64.b64encode(BINARY).decode(), "token": TOKEN,
    }  # fmt: skip
    assert json.loads((out / "default__app-env.json").read_text()) == {"API_TOKEN": TOKEN}
    left = (tree / "app.yaml").read_text()
    for value in (PASSWORD, TOKEN):
        assert not [form for form in forms(value) if form in left + done.stdout + done.stderr]
    assert WEAK not in left and base64.b64encode(BINARY).decode() not in left + done.stdout
    assert f": {WEAK}" not in done.stdout
    for name in ("index.json", "push.sh"):
        text = (out / name).read_text()
        assert not [value for value in (PASSWORD, TOKEN, WEAK) if value in text]
    assert "vault kv put -mount=kv default/app @" in (out / "push.sh").read_text()
    subprocess.run(["sh", "-n", str(out / "push.sh")], check=True)
    assert done.stdout.count("push.sh") == 1  # the script is one step, whatever it takes to the store


def test_no_temporary_file_has_a_value(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    assert harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "values"), "--yes").returncode == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "values"]
    found = {path.name for path in files for value in (PASSWORD, TOKEN) if value in path.read_text(errors="replace")}
    assert not found and files


def test_only_their_owner_reads_them(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "values"
    assert harden(tree, "apply", ".", "--secrets-out", str(out), "--yes", "--quiet").returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (out, *out.iterdir())}
    assert modes.pop("values") == 0o700 and modes.pop("push.sh") == 0o700
    assert set(modes.values()) == {0o600}


def test_a_second_run_changes_nothing_and_writes_nothing(tree: Path, tmp_path: Path) -> None:
    assert harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "one"), "--yes").returncode == 0
    after = {path: path.read_bytes() for path in tree.iterdir()}
    assert harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "two"), "--yes").returncode == 0
    assert {path: path.read_bytes() for path in tree.iterdir()} == after
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("command", ["diff", "check"])
def test_what_only_looks_writes_no_value(tree: Path, tmp_path: Path, command: str) -> None:
    done = harden(tree, command, ".", "--secrets-out", str(tmp_path / "values"))
    assert done.returncode == 1
    assert not (tmp_path / "values").exists() and (tree / "app.yaml").read_text() == MANIFEST


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", [MANIFEST, HELD, LEFT], ids=["moved", "held", "left"])
@pytest.mark.parametrize("sink", [True, False], ids=["with a folder", "without"])
@pytest.mark.parametrize("command", [("diff",), ("diff", "-v"), ("diff", "--format", "json"), ("check",),
                                     ("check", "--format", "json"), ("diff", "--profile", "baseline")])  # fmt: skip
def test_no_output_shows_a_value(tree: Path, tmp_path: Path, command: tuple[str, ...], sink: bool, text: str) -> None:
    (tree / "app.yaml").write_text(text, encoding="utf-8")
    place = ("--secrets-out", str(tmp_path / "values")) if sink else ()
    done = harden(tree, command[0], ".", *command[1:], *place)
    shown = done.stdout + done.stderr
    assert done.returncode == 1, shown
    assert "secret-configmap-move" in shown
    for value in (PASSWORD, TOKEN, BINARY.decode("latin-1")):
        assert not [form for form in forms(value) if form in shown]
    assert f'"{WEAK}"' not in shown and f": {WEAK}\n" not in shown


def test_the_folder_is_never_in_what_is_read_or_in_a_repository(tree: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "kept").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / ".gitignore").write_text("/ignored/\n", encoding="utf-8")
    (repository / "link").symlink_to(repository / "kept")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tree / "values", tree, repository / "kept", repository / "kept" / "new", repository / "link",
                   repository / ".git" / "x", tmp_path / "file"):  # fmt: skip
        done = harden(tree, "apply", ".", "--secrets-out", str(folder), "--yes")
        assert done.returncode == 2 and "--secrets-out" in done.stderr, folder
        assert (tree / "app.yaml").read_text() == MANIFEST
    done = harden(tree, "apply", ".", "--secrets-out", str(repository / "ignored"), "--yes")
    assert done.returncode == 0, done.stderr
    assert (repository / "ignored" / "default__app.json").exists()


def test_a_ci_run_without_a_folder_moves_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    done = harden(tree, "apply", ".", "--yes", "--only", "secret-configmap-move,secret-env-literal")
    assert (tree / "app.yaml").read_text() == MANIFEST
    assert "--secrets-out" in done.stdout


def test_an_unwritable_folder_leaves_every_manifest(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "values"
    out.mkdir(mode=0o700)
    (out / "default__keys.json").write_text("of an earlier run", encoding="utf-8")
    done = harden(tree, "apply", ".", "--secrets-out", str(out), "--yes")
    assert done.returncode == 2 and "no manifest was changed" in done.stderr
    assert (tree / "app.yaml").read_text() == MANIFEST
    # Nothing of this run is left, and what was there is as it was.
    assert [path.name for path in out.iterdir()] == ["default__keys.json"]
    assert (out / "default__keys.json").read_text() == "of an earlier run"


KEPT = Kept("default/app", "PASSWORD", b"Tr0ub4dor", (None, "app"), "app.yaml ConfigMap/app", ("vault", "secret"))


@pytest.mark.parametrize("fails", ["write", "fsync", "mkdir"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    out = tmp_path / "values"
    if fails == "write":
        monkeypatch.setattr(secrets_folder, "_index", full)
    else:
        monkeypatch.setattr(os, fails, full)
    with pytest.raises(InputError, match="No space left on device; no manifest was changed"):
        secrets_folder.write(str(out), [KEPT])
    assert not out.exists() or not list(out.iterdir())


def test_the_disk_has_the_values_before_a_manifest_changes(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hardener.commands import run

    done: list[str] = []
    sync, put = run_folder.sync, transaction._put_in_place

    def synced(folder: str) -> None:
        done.append(os.path.basename(folder))
        sync(folder)

    def placed(journal: run_folder.Journal, entry: run_folder.Entry) -> None:
        done.append("value" if entry.kept else "manifest")
        put(journal, entry)

    monkeypatch.setattr(run_folder, "sync", synced)
    monkeypatch.setattr(transaction, "_put_in_place", placed)
    monkeypatch.chdir(tree)
    choices = run.Choices(secrets_out=str(tmp_path / "values"), only=["secret-configmap-move"])
    run.apply(["."], choices, run.Style(format="json", quiet=True), yes=True)
    # The values, the commands, the index, the folder; each file was on the disk when it waited.
    assert done[done.index("value") :][:5] == ["value", "value", "value", "values", "manifest"]


def test_a_folder_that_others_read_is_not_used(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    secrets_folder.write(str(loose), [KEPT])
    assert stat.S_IMODE(loose.stat().st_mode) == 0o700  # it was empty
    full = tmp_path / "full"
    full.mkdir(mode=0o755)
    (full / "other").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="other users may read it"):
        secrets_folder.write(str(full), [KEPT])


def test_a_value_is_not_part_of_what_a_traceback_shows() -> None:
    assert "Tr0ub4dor" not in repr(KEPT)


@pytest.mark.parametrize(
    ("via", "command"),
    [
        (("vault", "kv"), "vault kv put -mount=kv default/app @"),
        (("vault-patch", "kv"), "vault kv patch -mount=kv default/app @"),
        (("aws",), "aws secretsmanager create-secret --name default/app --secret-string file:///"),
        (("gcp",), "gcloud secrets create default/app --data-file=/"),
        (("azure",), 'az keyvault secret set --vault-name "$VAULT_NAME" --name default/app --file /'),
        (("kubectl",), "kubectl create -f /"),
        (("sops", "k/app.enc.yaml"), "sops encrypt --encrypted-regex '^(data|stringData)$' --output-type yaml /"),
        (("sealed",), "# default/app is sealed in the repository"),
    ],
)
def test_the_commands_name_files_and_hold_no_value(tmp_path: Path, via: tuple[str, ...], command: str) -> None:
    kept = Kept(KEPT.key, KEPT.name, KEPT.value, ("shop", "app"), KEPT.source, via)
    secrets_folder.write(str(tmp_path / "values"), [kept])
    script = (tmp_path / "values" / "push.sh").read_text()
    assert command in script and "Tr0ub4dor" not in script
    content = json.loads((tmp_path / "values" / "default__app.json").read_text())
    if via[0] in ("kubectl", "sops"):
        assert content["data"] == {"PASSWORD": base64.b64encode(KEPT.value).decode()}
        assert content["metadata"] == {"name": "app", "namespace": "shop"}
    else:
        assert content == {"PASSWORD": "Tr0ub4dor"}


def test_sealed_secrets_stay_in_the_tree_and_the_values_in_the_folder(tmp_path: Path) -> None:
    from .kubernetes.test_external_secret import certificate

    tree = tmp_path / "tree"
    tree.mkdir()
    _, pem = certificate()
    (tree / "cert.pem").write_bytes(pem)
    (tree / "app.yaml").write_text(SEALED, encoding="utf-8")
    place = (
        "--secrets-out",
        str(tmp_path / "values"),
        "--yes",
        "--only",
        "secret-configmap-move,secret-object-external",
    )
    done = harden(tree, "apply", ".", *place)
    assert "secrets.sealed-secrets-cert" in done.stdout and (tree / "app.yaml").read_text() == SEALED
    done = harden(tree, "apply", ".", *place, "--set", "secrets.sealed-secrets-cert=cert.pem", "--format", "json")
    text = (tree / "app.yaml").read_text()
    assert text.count("kind: SealedSecret") == 3 and "kind: Secret\n" not in text
    assert PASSWORD not in text + done.stdout and TOKEN not in text + done.stdout
    assert json.loads((tmp_path / "values" / "shop__app.json").read_text()) == {"DB_PASSWORD": PASSWORD}
    again = harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "again"), *place[2:],
                   "--set", "secrets.sealed-secrets-cert=cert.pem")  # fmt: skip
    assert again.returncode == 0 and (tree / "app.yaml").read_text() == text


SEALED = f"""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  name: other
  namespace: shop
spec:
  encryptedData: {{}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: app
  namespace: shop
data:
  DB_PASSWORD: "{PASSWORD}"
---
apiVersion: v1
kind: Secret
metadata:
  name: keys
  namespace: shop
type: Opaque
immutable: true
stringData:
  token: {TOKEN}
---
apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: shop
spec:
  containers:
  - name: app
    image: registry.example.com/app:1
    envFrom:
    - configMapRef: {{name: app}}
"""


FOUR = {
    "one of several overlays": (
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "a/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
            "b/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\n",
        },
        "several overlays rename it",
    ),
    "a patch": (
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "a/kustomization.yaml": "resources: [../base]\npatches:\n- path: patch.yaml\n",
            "a/patch.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  DB_PASSWORD: other\n",
        },
        "patches it",
    ),
    "a patch of a pod": (
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "a/kustomization.yaml": "resources: [../base]\npatches:\n- path: patch.yaml\n",
            "a/patch.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n  - name: app\n    envFrom:\n"
                "    - configMapRef: {name: app}\n"
            ),
        },
        "is left as it is (patch)",
    ),
    "a generator that merges": (
        {
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "a/kustomization.yaml": (
                "resources: [../base]\nconfigMapGenerator:\n- name: app\n  behavior: merge\n  literals: [A=b]\n"
            ),
        },
        "names it beside pods",
    ),
    "a template of a chart": (
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "chart/templates/d.yaml": "kind: Deployment\nspec:\n  x:\n    - configMapRef:\n        name: app\n",
        },
        "chart/templates/d.yaml names it",
    ),
}


@pytest.mark.parametrize(("others", "reason"), FOUR.values(), ids=FOUR)
def test_a_config_map_that_something_else_knows_stays(tmp_path: Path, others: dict[str, str], reason: str) -> None:
    manifest = "\n---\n".join(part.strip("\n") for part in SEALED.split("---\n") if "SealedSecret" not in part) + "\n"
    for name, text in {"base/app.yaml": manifest, **others}.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text, encoding="utf-8")
    done = harden(tmp_path / "tree", "apply", ".", "--secrets-out", str(tmp_path / "values"), "--yes", "--only",
                  "secret-configmap-move")  # fmt: skip
    assert reason in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "tree" / "base" / "app.yaml").read_text() == manifest


LITERAL = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: registry.example.com/app:1
        env:
        - {name: DB_PASSWORD, value: Tr0ub4dor-3}
"""
ANOTHER = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: other}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: corp}
  target: {name: other}
"""
OVERLAY = "resources: [../base]\nnamespace: %s\nnamePrefix: %s-\n"
NAMES = {
    "two names in one namespace": (
        (OVERLAY % ("shop", "a"), OVERLAY % ("shop", "b")),
        "auto",
        "several overlays rename it",
    ),
    "two names in two namespaces": ((OVERLAY % ("a", "a"), OVERLAY % ("b", "b")), "auto", None),
    "another name": ((OVERLAY % ("shop", "a"),), "auto", None),
    "another name for what is made by hand": ((OVERLAY % ("shop", "a"),), "secret", "a kustomization renames it"),
    "another name for what is sealed": ((OVERLAY % ("shop", "a"),), "sealed-secrets", "a kustomization renames it"),
}


def test_what_a_run_writes_is_no_evidence_for_the_next_one(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {DB_PASSWORD: Tr0ub4dor-3}\n"
    pod = LITERAL.replace("        env:", "        envFrom: [{configMapRef: {name: app}}]\n        env:")
    (tree / "app.yaml").write_text(f"{config}---\n{pod}", encoding="utf-8")
    options = ("--yes", "--only", "secret-configmap-move,secret-env-literal")
    first = harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "one"), *options)
    after = (tree / "app.yaml").read_text()
    assert "kind: ExternalSecret" in after and "value: Tr0ub4dor-3" in after  # nothing shows that the cluster has it
    again = harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "two"), *options)
    assert (tree / "app.yaml").read_text() == after
    assert "1 held back" in first.stdout and "1 held back" in again.stdout


@pytest.mark.parametrize(("overlays", "backend", "reason"), NAMES.values(), ids=NAMES)
def test_what_kustomize_renames_moves_where_its_secret_keeps_one_name(
    tmp_path: Path, overlays: tuple[str, ...], backend: str, reason: str | None
) -> None:
    files = {f"o{number}/kustomization.yaml": text for number, text in enumerate(overlays)}
    files |= {"base/kustomization.yaml": "resources: [app.yaml, other.yaml]\n"}
    for name, text in {**files, "base/app.yaml": LITERAL, "base/other.yaml": ANOTHER}.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text, encoding="utf-8")
    done = harden(tmp_path / "tree", "apply", ".", "--secrets-out", str(tmp_path / "values"), "--yes", "--only",
                  "secret-env-literal", "--set", f"secrets.backend={backend}")  # fmt: skip
    text = (tmp_path / "tree" / "base" / "app.yaml").read_text()
    assert (text == LITERAL) is (reason is not None) and (reason or "valueFrom") in done.stdout + text, done.stdout
    # The store that the other ExternalSecret reads is there, although the tree does not have it.
    assert reason or ("name: corp" in text and "the tree has no" not in done.stdout)


def test_a_move_is_made_in_all_files_or_in_none(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    config = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  DB_PASSWORD: "Tr0ub4dor&3"\n'
    # The name that goes is one that an alias needs.
    pod = (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: b\n    image: b:1\n    envFrom:\n"
        "    - configMapRef: {name: &name app}\nmetadata:\n  name: *name\n"
    )
    (tree / "config.yaml").write_text(config, encoding="utf-8")
    (tree / "pod.yaml").write_text(pod, encoding="utf-8")
    done = harden(tree, "apply", ".", "--secrets-out", str(tmp_path / "v"), "--yes", "--only", "secret-configmap-move")
    assert "1 refused" in done.stdout and "pod.yaml" in done.stdout
    assert (tree / "config.yaml").read_text() == config and (tree / "pod.yaml").read_text() == pod
    assert not (tmp_path / "v").exists()


def test_two_values_of_one_name_are_never_written(tmp_path: Path) -> None:
    other = Kept(KEPT.key, KEPT.name, b"another", KEPT.secret, KEPT.source, KEPT.via)
    with pytest.raises(InputError, match="two values"):
        secrets_folder.write(str(tmp_path / "values"), [KEPT, other])
    assert not (tmp_path / "values").exists()
