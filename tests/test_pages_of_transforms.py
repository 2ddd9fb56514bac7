"""The address of the page of a transform: from what an installation knows of itself, and never made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.authoring import registry
from hardener.report import pages
from tests.conftest import DEPLOYMENT, Harden, write

ID = "run-as-non-root"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Package:
    """What importlib.metadata tells of an installation."""

    def __init__(self, origin: str | None, urls: list[str]) -> None:
        self._origin, self.metadata, self._urls = origin, self, urls

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._origin

    def get_all(self, name: str) -> list[str] | None:
        assert name == "Project-URL"
        return self._urls or None


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HARDEN_DOCS", raising=False)
    pages._of_installation.cache_clear()
    pages.installed_from.cache_clear()
    yield
    pages._of_installation.cache_clear()
    pages.installed_from.cache_clear()


def origin(url: str, commit: str = COMMIT) -> str:
    return json.dumps({"url": url, "vcs_info": {"vcs": "git", "commit_id": commit}})


@pytest.mark.parametrize(
    ("environment", "installed", "urls", "base"),
    [
        ("", None, [], None),
        ("https://git.example/a/b/blob/v1/docs", None, [], "https://git.example/a/b/blob/v1/docs"),
        ("https://git.example/a/b/blob/v1/docs/", origin("https://x.example/y"), [], "https://git.example/a/b/blob/v1/docs"),
        ("javascript:alert(1)", None, [], None),
        ("https:///blob//docs", None, [], None),
        ("https://git.example//blob//docs", None, [], None),
        ("", origin("https://git.example/a/b.git"), [], f"https://git.example/a/b/blob/{COMMIT}/docs"),
        ("", origin("https://me:secret@git.example:8443/a/b"), [], f"https://git.example:8443/a/b/blob/{COMMIT}/docs"),
        ("", origin("ssh://git@git.example/a/b"), [], None),
        ("", origin("https://git.example/a/b", "main;x"), [], None),
        ("", json.dumps({"url": "file:///src", "dir_info": {"editable": True}}), [], None),
        ("", "{broken", ["Homepage, https://a.example", "Source Code, https://git.example/a/b"],
         "https://git.example/a/b/blob/HEAD/docs"),
        ("", None, ["Repository, https://git.example/a/b"], "https://git.example/a/b/blob/HEAD/docs"),
    ],
)  # fmt: skip
def test_the_first_that_knows_it_counts(
    environment: str, installed: str | None, urls: list[str], base: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if environment:
        monkeypatch.setenv("HARDEN_DOCS", environment)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Package(installed, urls))
    expected = None if base is None else f"{base}/transforms/{ID}.md"
    assert pages.page_of(registry.get(ID)) == expected


def test_explain_names_the_page(harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDEN_DOCS", "https://git.example/a/b/blob/v1/docs")
    assert f"\nTo read more: https://git.example/a/b/blob/v1/docs/transforms/{ID}.md\n" in harden("explain", ID).out


def test_sarif_links_each_rule_to_its_page(harden: Harden, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    monkeypatch.setenv("HARDEN_DOCS", "https://git.example/a/b/blob/v1/docs")
    rules = json.loads(harden("diff", "--format", "sarif").out)["runs"][0]["tool"]["driver"]["rules"]
    transforms = [rule for rule in rules if rule["id"] in registry.transforms()]
    assert transforms
    for rule in transforms:
        assert rule["helpUri"] == f"https://git.example/a/b/blob/v1/docs/transforms/{rule['id']}.md"
