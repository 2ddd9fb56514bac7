"""A GitOps repository from a clone to a pull request, by the commands of the pages, as they stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from . import chart_places as made
from . import helm
from .chart_places import archive
from .conftest import commit, git, write
from .registries import logged_in_nowhere
from .shown import block, blocks, shell
from .test_lock_charts import argo, flux

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: own, namespace: apps}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec:
      containers:
        - name: own
          image: registry.example/own:1.0
"""
PAGES = [
    ("docs/ci.md", "A GitOps repository"),
    ("docs/ci.md", "GitLab"),
    ("docs/rendered.md", "Applications in Git"),
    ("docs/rendered.md", "Flux"),
]


@pytest.mark.helm
@pytest.mark.sampled(2)
@pytest.mark.parametrize(("page", "heading"), PAGES)
def test_from_a_clone_to_a_pull_request(
    page: str, heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in_nowhere(monkeypatch, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seed, origin, clone = tmp_path / "seed", tmp_path / "origin.git", tmp_path / "clone"
    with made.repository(archive("web", "1.4.2"), archive("api", "1.4.2")) as places:
        write(seed, {
            "apps/web.yaml": flux("web", "1.x", places.url), "apps/api.yaml": argo("api", "^1.0.0", places.url),
            "apps/own.yaml": DEPLOYMENT,
        })  # fmt: skip
        commit(seed)
        git(tmp_path, "clone", "-q", "--bare", str(seed), str(origin))
        git(origin, "config", "receive.advertisePushOptions", "true")
        git(tmp_path, "clone", "-q", str(origin), str(clone))
        lines = block(page, "sh", heading)
        assert len(lines.splitlines()) == 3
        shell(lines, clone, path=str(helm.program(4).parent))
    changed = git(origin, "diff", "--name-only", "HEAD", "harden").stdout.decode().split()
    assert changed == [
        "apps/api.yaml", "apps/harden-networkpolicies.yaml", "apps/own.yaml", "apps/web.yaml", "harden.lock",
    ]  # fmt: skip
    written = git(origin, "show", "harden:apps/web.yaml").stdout.decode()
    assert "allowPrivilegeEscalation: false" in written
    assert git(clone, "status", "--porcelain").stdout == b""


class Loader(yaml.SafeLoader):
    """GitLab's own tag, which takes lines of another job."""


def _reference(loader: Loader, node: Any) -> list[Any]:
    return loader.construct_sequence(node)


Loader.add_constructor("!reference", _reference)


def test_the_job_of_gitlab_keeps_what_the_lock_names() -> None:
    (job,) = [
        found["harden"] for text in blocks("docs/ci.md", "yaml", "GitLab") if "cache:" in text
        for found in [yaml.load(text, Loader)]
    ]  # fmt: skip
    cache = job["variables"]["XDG_CACHE_HOME"].removeprefix("$CI_PROJECT_DIR/")
    assert job["cache"] == {"key": {"files": ["harden.lock"]}, "paths": [f"{cache}/harden/charts"]}
    assert job["before_script"] == [[".harden", "before_script"], "harden lock --charts ."]
