"""What is built of a tree that is pinned: with the kustomize and the Helm that people use."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests import helm
from tests.built import BUILDERS, build, builder
from tests.conftest import ROOT, Harden, commit, write

CASES = ROOT / "golden" / "workload"
A, B, C, E = (f"sha256:{digit * 64}" for digit in "abce")


def images(objects: object) -> list[str]:
    return re.findall(r"image: (\S+)", yaml.safe_dump(objects))


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(
    ("folder", "built"),
    [
        (
            "pin-image-digest/patch-file/after/prod",
            [f"ghcr.io/acme/api:1.1.0@{B}", f"ghcr.io/acme/side:0.4.1@{C}", "ghcr.io/acme/app:3.0.0"],
        ),
        ("pin-kustomize-image/digest-of-the-base/after/prod", [f"nginx:1.28.0@{B}"]),
        ("pin-kustomize-image/digest-of-the-base/before/prod", ["nginx:1.28.0"]),  # a tag alone takes the digest away
    ],
)
def test_what_kustomize_builds_is_pinned(folder: str, built: list[str], name: str) -> None:
    objects, complaints = build(builder(name), CASES / folder)
    assert objects is not None, complaints
    assert images(list(objects.values())) == built


TEMPLATE = """\
{{- define "ref" -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - {name: shop, image: {{ include "ref" .Values.image | quote }}}
  - {name: redis, image: {{ include "ref" .Values.redis.image | quote }}}
  - {name: job, image: {{ include "ref" (index .Values.jobs 0).image | quote }}}
  - {name: old, image: {{ include "ref" .Values.old.image | quote }}}
"""


@pytest.mark.helm
@pytest.mark.parametrize("major", helm.PACKAGES)
def test_what_helm_renders_is_pinned(major: int, tmp_path: Path) -> None:
    chart = tmp_path / "shop"
    shutil.copytree(CASES / "pin-helm-image" / "typical" / "after" / "charts" / "shop", chart)
    write(chart, {"templates/pod.yaml": TEMPLATE})
    done = helm.Helm(helm.program(major), tmp_path / "homes")("template", "shop", str(chart), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert images(yaml.safe_load(done.stdout)) == [
        f"ghcr.io/acme/shop@{A}", f"docker.io/bitnami/redis@{B}", f"ghcr.io/acme/job@{C}", f"ghcr.io/acme/old@{E}",
    ]  # fmt: skip


# A digest in the values of a chart holds wherever nothing else is said.

SHOP = "image: {repository: shop, tag: 2.0.0, digest: ''}\n"
CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\n"


def application(more: str, path: str = "shop", name: str = "shop") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n"
        f"spec: {{source: {{repoURL: x, path: {path}, helm: {{{more}}}}}}}\n"
    )


@pytest.mark.parametrize(
    ("files", "pinned"),
    [
        ({}, True),
        ({"shop/values-prod.yaml": "image: {tag: 2.1.0}\n"}, False),
        ({"shop/values-prod.yaml": "image: {registry: mirror.example.com}\n"}, False),
        ({"shop/values-prod.yaml": "image: {tag: 2.0.0, pullPolicy: Always}\n"}, True),
        ({"shop/values-prod.yaml": f"image: {{tag: 2.1.0, digest: '{C}'}}\n"}, True),
        ({"shop/values-prod.yaml": "sidecar: {image: {tag: 2.1.0}}\n"}, True),
        ({"other/Chart.yaml": CHART, "other/values.yaml": "image: {tag: 2.1.0}\n"}, True),
        ({"app.yaml": application("valuesObject: {image: {tag: 2.1.0}}")}, False),
        ({"app.yaml": application("parameters: [{name: image.tag, value: 2.1.0}]")}, False),
        ({"app.yaml": application("parameters: [{name: replicas, value: 2}]")}, True),
        ({"app.yaml": application("parameters: [{name: image.tag, value: 2.1.0}]", "other")}, True),
    ],
)
def test_a_digest_stands_in_no_other_way(files: dict[str, str], pinned: bool, tmp_path: Path, harden: Harden) -> None:
    lock = f"version: 1\nimages:\n  shop:2.0.0: {{digest: {A}}}\n"
    write(tmp_path, {"harden.lock": lock, "shop/Chart.yaml": CHART, "shop/values.yaml": SHOP, **files})
    commit(tmp_path)
    done = harden("apply", ".", "--only", "pin-helm-image")
    assert done.status == 0, done.all
    assert (A in (tmp_path / "shop" / "values.yaml").read_text(encoding="utf-8")) is pinned
    assert pinned or "a digest here would apply there, too" in re.sub(r"\s+", " ", done.out)


def test_a_chart_above_that_sets_another_tag(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {
        "harden.lock": f"version: 1\nimages:\n  shop:2.0.0: {{digest: {A}}}\n",
        "all/Chart.yaml": CHART,
        "all/values.yaml": "shop: {image: {tag: 2.1.0}}\n",
        "all/charts/shop/Chart.yaml": CHART,
        "all/charts/shop/values.yaml": SHOP,
    })  # fmt: skip
    commit(tmp_path)
    done = harden("apply", ".", "--only", "pin-helm-image")
    assert "belongs to the one in all" in re.sub(r"\s+", " ", done.out)
    assert (tmp_path / "all/charts/shop/values.yaml").read_text(encoding="utf-8") == SHOP


def test_odd_values_stop_nothing(tmp_path: Path, harden: Harden) -> None:
    odd = [
        "{repository: 5, tag: 1, digest: ''}", "{repository: [a], tag: 1, digest: ''}",
        "{repository: a, tag: [1], digest: ''}", "{repository: a, tag: '1', digest: {a: 1}}",
        "{repository: shop, tag: 2.0.0, digest: [], pullPolicy: 3}", "{repository: a, tag: '{{ .x }}', digest: ''}",
        "{repository: a, tag: '1', digest: '{{ .x }}'}", "{registry: {a: 1}, repository: a, tag: 1, digest: ''}",
    ]  # fmt: skip
    values = "".join(f"odd{number}: {{image: {text}}}\n" for number, text in enumerate(odd))
    shared = "base: &base {repository: shop, tag: 2.0.0, digest: ''}\nimage: {<<: *base}\nother: *base\n"
    write(tmp_path, {
        "harden.lock": f"version: 1\nimages:\n  shop:2.0.0: {{digest: {A}}}\n",
        "shop/Chart.yaml": CHART,
        "shop/values.yaml": f"{values}{shared}",
        "app.yaml": application("valuesObject: [1], parameters: {a: 1}", "3"),
    })  # fmt: skip
    commit(tmp_path)
    done = harden("apply", ".", "--only", "pin-helm-image")
    assert (done.status, "not valid" in done.all) == (0, False), done.all
    written = shared.replace("digest: ''", f"digest: '{A}'")
    assert (tmp_path / "shop/values.yaml").read_text(encoding="utf-8") == f"{values}{written}"
    assert harden("diff", ".", "--only", "pin-helm-image").status == 0


def test_values_that_cannot_be_read_are_no_problem(tmp_path: Path, harden: Harden) -> None:
    write(
        tmp_path, {"shop/Chart.yaml": CHART, "shop/values.yaml": "image: [\n", "shop/values-b.yaml": "image: {{ x }}\n"}
    )
    done = harden("check", ".", "--allow-empty")
    assert (done.status, "broken" in done.all, "template" in done.all) == (0, False, False), done.all
