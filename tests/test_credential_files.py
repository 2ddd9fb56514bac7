"""Credentials of clusters in the tree: tokens of the API server, kubeconfigs, join tokens. None is ever shown."""

from __future__ import annotations

import base64
import json
from datetime import date
from pathlib import Path

import pytest

from hardener.engine.targets import Targets
from hardener.kubernetes.components.certificate import from_pem
from hardener.kubernetes.components.kubeconfig import is_credential, is_kubeconfig
from hardener.kubernetes.components.static_tokens import file_rows, rows_in
from hardener.tree.credential_views import StaticTokens
from hardener.tree.tree import Tree
from tests.conftest import DEPLOYMENT, ROOT, Harden, write

TABLES = [
    ('k3Jq8vXz,admin,1,"system:masters"\n', ["admin"]),
    ('token,user,uid,"groups"\n31ada4fd-adec,bob,2\n', ["bob"]),
    ('"abcdef","Some One","7","a,b"\n', ["Some One"]),
    ("k3Jq8vXz,admin,1,devs\r\nq3Jq8vXz,other,2\r\n", ["admin", "other"]),
    ("# k3Jq8vXz,admin,1\n", ["admin"]),
    ("symbol,name,decimals\nAAVE2020,Aave,18\n", []),  # another table
    ("k3Jq8vXz,admin\n", []),  # too few columns
    ('<token>,admin,1,"system:masters"\n', []),
    ('k3Jq8vXz,admin,1,"system:masters"\nand a line of prose\n', []),
    ("", []),
]


@pytest.mark.parametrize(("text", "users"), TABLES)
def test_rows_of_a_table(text: str, users: list[str]) -> None:
    rows = file_rows(text)
    assert [row.user for row in rows] == users
    assert all(text[row.start : row.end].isprintable() and "," not in text[row.start : row.end] for row in rows)


INSIDE = [
    ('# abc123,admin,1,"system:masters"   # never expires\n', ["admin"]),
    ('a: b # abc123,admin,1,"devs,system:masters"\n', ["admin"]),
    ('# abc123,admin,1,"devs"\n', []),  # any list of four words
    ('# of --token-auth-file\n# abc123,admin,1,"devs"\n', ["admin"]),
    ("echo 'abc123,admin,1,\"system:masters\"' > tokens\n", ["admin"]),
    ('content: "abc123,admin,1,\\"system:masters\\""\n', ["admin"]),
    ('verbs: [create,update,patch,"system:x"]\n', []),
    ('["create","update","patch","system:nodes"]\n', []),
    ('# <token>,admin,1,"system:masters"\n', []),
]


@pytest.mark.parametrize(("text", "users"), INSIDE)
def test_rows_inside_other_text(text: str, users: list[str]) -> None:
    assert [row.user for row in rows_in(text)] == users


FILES = [
    ({"static-token.csv": "Q1w2e3r4,robot,7\n"}, ["robot"]),
    ({"known_tokens": "Q1w2e3r4,robot,7\n"}, ["robot"]),
    ({"users.csv": 'Q1w2e3r4,robot,7,"system:masters"\n'}, ["robot"]),
    ({"users.csv": "Q1w2e3r4,robot,7\n"}, []),  # nothing says what it is
    ({"users.csv": "Q1w2e3r4,robot,7\n", "run.sh": "kube-apiserver --token-auth-file=/etc/k/users.csv\n"}, ["robot"]),
    ({"token.go": "Q1w2e3r4,robot,7\n"}, []),
    ({"token.csv": "caf\udce9"}, []),
]


@pytest.mark.parametrize(("tree", "users"), FILES)
def test_which_files_are_read(tree: dict[str, str], users: list[str], tmp_path: Path) -> None:
    for name, text in tree.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    workspace = Tree.read([str(tmp_path)], root=str(tmp_path))
    found = [holder.user for tokens in Targets(workspace).of(StaticTokens) for holder in tokens.holders]
    assert found == users
    assert not workspace.problems


def test_a_file_of_another_kind_that_is_named_is_read_as_ever(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.conf": DEPLOYMENT})
    assert harden("diff", "web.conf").status == 1
    assert harden("diff", ".").status == 0


KUBECONFIGS = [
    ("apiVersion: v1\nkind: Config\nusers: []\n", True),
    ('{"kind": "Config", "clusters": []}', True),
    ("apiVersion: config.gatekeeper.sh/v1alpha1\nkind: Config\nspec: {}\n", False),
    ("kind: ConfigMap\nusers: []\n", False),
]


@pytest.mark.parametrize(("text", "is_one"), KUBECONFIGS)
def test_which_text_is_a_kubeconfig(text: str, is_one: bool) -> None:
    assert is_kubeconfig(text) is is_one


@pytest.mark.parametrize("value", [None, "", "DATA+OMITTED", "REDACTED", "${TOKEN}", "<token>"])
def test_stand_ins_are_no_credentials(value: str | None) -> None:
    assert not is_credential(value)


def pem() -> str:
    path = ROOT / "golden/authentication/kubeconfig-in-repo/expired/before/old.kubeconfig"
    line = next(line for line in path.read_text().splitlines() if "certificate-data" in line)
    return base64.b64decode(line.split()[1]).decode()


def test_a_certificate_is_read() -> None:
    found = from_pem(pem())
    assert found == ("kubernetes-admin", ("system:masters", "devs"), date(2126, 11, 2))


def test_a_broken_certificate_is_none() -> None:
    der = base64.b64decode("".join(pem().splitlines()[1:-1]))
    for length in range(0, len(der), 7):
        cut = base64.b64encode(der[:length]).decode()
        assert from_pem(f"-----BEGIN CERTIFICATE-----\n{cut}\n-----END CERTIFICATE-----\n") is None
    assert from_pem("") is None
    assert from_pem("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n") is None


PRIVATE = base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nUGxhbnRlZA==\n-----END PRIVATE KEY-----\n").decode()
SECRETS = {
    "table": "Zq7tab",
    "comment": "Zq7com",
    "comment-without-system": "Zq7dev",
    "script": "Zq7scriptPlanted",
    "config-map": "Zq7mapPlanted",
    "client-key": PRIVATE,
    "token": "Zq7kubeTokenPlanted77",
    "password": "Zq7kubePasswordPlanted",
    "refresh": "Zq7refreshPlanted55",
    "join": "zq7abc.0123456789planted",
    "certificate-key": "5f2a7c9e1b3d4f60718293a4b5c6d7e8f9012a3b4c5d6e7f8091a2b3c4d5e6f7",
    "bootstrap": "zq7bootplanted99",
}


def planted() -> dict[str, str]:
    """Each of them close to something that is edited, and in files that are only looked at."""
    s = SECRETS
    rows = f'# of --token-auth-file:\n# {s["comment"]},root,1,"system:masters"\n'
    rows += f'# {s["comment-without-system"]},a,1,"devs"\n'
    kubeconfig = f"""\
apiVersion: v1
kind: Config
clusters: []
users:
- name: admin
  user: {{client-key-data: {s["client-key"]}, password: {s["password"]}, username: admin}}
- name: robot
  user:
    token: {s["token"]}
    auth-provider: {{name: oidc, config: {{refresh-token: {s["refresh"]}}}}}
"""
    kubeadm = f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
- token: {s["join"]}
  ttl: "0"
certificateKey: {s["certificate-key"]}
"""
    return {
        "tokens.csv": f'{s["table"]},root,1,"system:masters"\n',
        "web.yaml": f"{rows}{DEPLOYMENT}      {rows.splitlines()[1]}\n---\n{kubeconfig}---\n{kubeadm}",
        "admin.conf": kubeconfig,
        "run.sh": f"#!/bin/sh\nkubectl get pods\necho '{s['script']},root,1,\"system:masters\"' > tokens.csv\n"
        f"kubeadm join h:6443 --token {s['join']} --certificate-key {s['certificate-key']}\n",
        "map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata:\n  tokens.csv: |\n"
        f'    {s["config-map"]},root,1,"system:masters"\n',
        "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: kube-system}\n"
        f"type: bootstrap.kubernetes.io/token\nstringData: {{token-id: zq7abc, token-secret: {s['bootstrap']}}}\n",
    }


WAYS = [
    ("diff", "."),
    ("diff", ".", "-v"),
    ("diff", ".", "--format", "json"),
    ("check", ".", "--fail-on", "none"),
    ("check", ".", "--format", "json"),
    ("diff", ".", "--profile", "strict", "-v"),
    ("diff", ".", "--profile", "strict", "--format", "json"),
    ("graph", "."),
    ("apply", ".", "--max-grade", "breaking", "--yes"),
    ("apply", ".", "--yes", "--secrets-out", "out", "--format", "json"),
]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_no_credential_is_in_any_output(way: tuple[str, ...], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, planted())
    done = harden(*way)
    assert done.all
    leaked = {name for name, secret in SECRETS.items() if secret in done.all}
    leaked |= {name for name, secret in SECRETS.items() if base64.b64encode(secret.encode()).decode() in done.all}
    assert not leaked


WAIVERS = [
    ("tokens.csv", '# harden: ignore[token-csv-in-repo] of a test\nabcdef1,root,1,"system:masters"\n'),
    ("web.yaml", f'# harden: ignore[token-csv-in-repo] of a test\n# abcdef1,root,1,"system:masters"\n{DEPLOYMENT}'),
    (
        "run.sh",
        "kubectl get pods\n# harden: ignore[token-csv-in-repo] of a test\necho 'abcdef1,root,1,\"system:masters\"'\n",
    ),
]


@pytest.mark.parametrize(("name", "text"), WAIVERS)
def test_a_comment_waives_it(name: str, text: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {name: text})
    report = json.loads(harden("diff", ".", "--only", "token-csv-in-repo", "--format", "json").out)
    assert not report["findings"]
    assert [waived["id"] for waived in report["waived"]] == ["token-csv-in-repo"]


def test_a_hostile_line_costs_no_time(tmp_path: Path) -> None:
    assert file_rows("abcdef1," + " " * 900_000 + "\n") == []
    assert list(rows_in('# abcdef1, "' + "x" * 900_000 + ' "system:')) == []


def test_each_of_them_is_found(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, planted())
    report = json.loads(harden("diff", ".", "--format", "json").out)
    found = {(finding["id"], finding["file"], finding["line"]) for finding in report["findings"]}
    expected = {("token-csv-in-repo", "tokens.csv", 1), ("token-csv-in-repo", "web.yaml", 2)}
    expected |= {("token-csv-in-repo", "run.sh", 3), ("token-csv-in-repo", "map.yaml", 6)}
    expected |= {("kubeconfig-in-repo", "admin.conf", 6), ("kubeconfig-in-repo", "admin.conf", 9)}
    expected |= {("bootstrap-token-ttl", "secret.yaml", 5)}
    assert expected <= found
