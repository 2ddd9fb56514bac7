"""Names that no object may have: what is made for them has names that an API server takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.kubernetes.objects.object_names import is_dns_label, is_object_name
from hardener.tree.tree import Settings, Tree

ODD = {
    "underscore": "my_app",
    "upper case": "MyApp",
    "a dot too many": "my..app",
    "a dash before a dot": "my-.app",
    "ends in a dash": "my-app-",
    "nothing legal": "___",
    "a slash": "team/app",
    "a space": "my app",
    "no letter of ASCII": "приложение",
    "too long for a label": "a" * 70,
    "too long for an object": "a" * 300,
    "too long, cut before a dash": "a" * 62 + "-" + "b" * 300,
}
STORE = {
    "apiVersion": "external-secrets.io/v1", "kind": "ClusterSecretStore", "metadata": {"name": "vault"},
    "spec": {"provider": {"vault": {"server": "https://vault.example.com"}}},
}  # fmt: skip


def everything(name: str) -> list[dict[str, Any]]:
    """Objects called ``name``, for which a run makes volumes, policies, accounts, roles and Secrets."""
    container = {
        "name": name, "image": "nginx:1.27",
        "env": [
            {"name": "DB_PASSWORD", "value": "kx82hQ0zmVt91"},
            {"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": name, "key": "password"}}},
        ],
        "envFrom": [{"configMapRef": {"name": name}}],
    }  # fmt: skip
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "shop"}
    return [
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"containers": [{"name": name, "image": "nginx:1.27"}]},
        },
        {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"},
            "data": {"API_PASSWORD": "p8Gf63kdLq01x"},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "shop"}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        },
        STORE,
    ]  # fmt: skip


def hardened(folder: Path, objects: list[dict[str, Any]], sink: Path) -> Outcome:
    folder.mkdir()
    text = "".join(f"---\n{yaml.safe_dump(item, sort_keys=False)}" for item in objects)
    (folder / "all.yaml").write_text(text, encoding="utf-8")
    tree = Tree.read([str(folder)], root=str(folder), settings=Settings(secrets_out=str(sink)))
    return pipeline.run(tree, profile.load("strict"), pipeline.Gate(Grade.BREAKING))


def made_names(outcome: Outcome, before: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Kind and name of the objects and volumes that the run made."""
    known = {(item["kind"], item["metadata"]["name"]) for item in before}
    yield from {(item.data["kind"], item.data["metadata"]["name"]) for item in outcome.tree.objects} - known
    for pod in outcome.tree.pod_templates:
        yield from (("volume", str(volume.get("name"))) for volume in pod.items("volumes"))


@pytest.mark.parametrize("case", ODD)
def test_what_is_made_has_a_legal_name(case: str, tmp_path: Path) -> None:
    before = everything(ODD[case])
    outcome = hardened(tmp_path / "tree", before, tmp_path / "sink")
    assert [refusal for refusal in outcome.refused if "our bug" in str(refusal)] == []
    made = list(made_names(outcome, before))
    assert {"NetworkPolicy", "volume", "Role", "ServiceAccount", "ExternalSecret"} <= {kind for kind, _ in made}
    wrong = [
        (kind, name)
        for kind, name in made
        if not (is_dns_label(name) if kind == "volume" else is_object_name(name, kind))
    ]
    assert wrong == []


def test_a_legal_name_stays_in_what_is_made(tmp_path: Path) -> None:
    before = everything("my-app")
    assert set(made_names(hardened(tmp_path / "tree", before, tmp_path / "sink"), before)) >= {
        ("volume", "harden-my-app-tmp"), ("volume", "my-app"), ("NetworkPolicy", "harden-my-app-deployment"),
        ("ServiceAccount", "my-app-2"), ("Role", "my-app-role"), ("ExternalSecret", "my-app-env"),
        ("ExternalSecret", "my-app-secrets"),
    }  # fmt: skip
