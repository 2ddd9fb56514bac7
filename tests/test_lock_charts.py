"""``harden lock --charts``: a repository with an index, a registry, and trees that name charts of both."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.commands import lock_charts
from hardener.lock.charts import pull, repository_index
from hardener.lock.oci import client, transport

from . import chart_places as made
from . import helm as helms
from .chart_places import Repository, archive, push, push_with_login
from .charts.release_trees import CHART
from .conftest import Harden, commit, write
from .oci_images import sha256
from .registries import BASIC, PASSWORD, Reply, logged_in_nowhere, running, with_passwords
from .test_registry_failures import trickling

WEB1, WEB2, WEB3 = archive("web", "1.0.0"), archive("web", "1.4.2"), archive("web", "v2.0.0-rc.1")
API, COMMON = archive("api", "3.1.0+b5"), archive("common", "4.1.1")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("registry")) as host:
        for content in (WEB1, WEB2, WEB3, API):
            push(host, f"charts/{made.known(content)[0]}", content)
        push(host, "charts/web", WEB2, "stable")
        yield host


@pytest.fixture
def repository() -> Iterator[Repository]:
    with made.repository(WEB1, WEB2, WEB3, API) as found:
        yield found


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty cache; what fails is tried again without a wait; whoever runs the tests logs in nowhere."""
    logged_in_nowhere(monkeypatch, tmp_path_factory.getbasetemp())
    monkeypatch.setattr(transport, "BACK_OFF", (0.0, 0.0, 0.0))
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def flux(chart: str, version: str, url: str, *, name: str = "web") -> str:
    """A HelmRelease with its HelmRepository, which has another name."""
    return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: of-{name}, namespace: flux-system}}
spec: {{url: "{url}"}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: apps}}
spec:
  chart:
    spec:
      chart: {chart}
      version: "{version}"
      sourceRef: {{kind: HelmRepository, name: of-{name}, namespace: flux-system}}
"""


def oci(ref: str, url: str, *, name: str = "web") -> str:
    """A HelmRelease of an OCIRepository."""
    return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: {name}, namespace: apps}}
spec: {{url: "{url}", ref: {{{ref}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: apps}}
spec:
  chartRef: {{kind: OCIRepository, name: {name}}}
"""


def argo(chart: str, revision: str, url: str) -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {chart}, namespace: argocd}}
spec:
  destination: {{namespace: apps}}
  source: {{repoURL: "{url}", chart: {chart}, targetRevision: "{revision}"}}
"""


def locked(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    found = yaml.safe_load((folder / "harden.lock").read_text(encoding="utf-8"))["charts"]
    assert isinstance(found, dict)
    return found


def at(tmp_path: Path, files: dict[str, str]) -> Path:
    write(tmp_path, files)
    commit(tmp_path)
    return tmp_path


def test_a_chart_of_an_index_is_locked_once(tmp_path: Path, repository: Repository, harden: Harden) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.x", repository.url), "b.yaml": argo("web", "1.0.0", repository.url)})
    done = harden("lock", "--charts")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(
        "harden.lock: 1 chart of 2 releases named: 2 added\ncommit it with the manifests; then: harden diff PATH\n"
    )
    assert locked(tmp_path) == {
        f"{repository.url}#web": {
            "1.0.0": {"digest": sha256(WEB1), "app": "9.9"},
            "1.4.2": {"digest": sha256(WEB2), "app": "9.9", "asked": ["1.x"]},
        }
    }
    paths = [asked.path for asked in repository.asked]
    assert sorted(paths) == ["/charts/index.yaml", "/charts/web-1.0.0.tgz", "/charts/web-1.4.2.tgz"]
    before = (tmp_path / "harden.lock").read_bytes()
    again = harden("lock", "--charts")
    assert (again.status, again.out) == (0, "harden.lock: 1 chart of 2 releases named, nothing to do\n")
    assert len(repository.asked) == 3, "what is known is asked for again"
    assert (tmp_path / "harden.lock").read_bytes() == before


def test_a_newer_version_comes_when_somebody_asks(tmp_path: Path, repository: Repository, harden: Harden) -> None:
    at(tmp_path, {"a.yaml": flux("web", ">=1.0.0 <2", repository.url)})
    assert harden("lock", "--charts").status == 0
    newer = archive("web", "1.5.0")
    repository.add(newer)
    assert harden("lock", "--charts").status == 0
    assert list(locked(tmp_path)[f"{repository.url}#web"]) == ["1.4.2"]
    done = harden("lock", "--charts", "--update")
    assert done.status == 0 and "changed: 1" in done.out
    assert locked(tmp_path) == {
        f"{repository.url}#web": {"1.5.0": {"digest": sha256(newer), "app": "9.9", "asked": [">=1.0.0 <2"]}}
    }


# By what is asked for: the version that comes.
VERSIONS = {
    "": "1.4.2", "*": "1.4.2", "^1.0": "1.4.2", "~1.0.0": "1.0.0", "v1.0.0": "1.0.0", ">=1.0.0-0": "v2.0.0-rc.1",
    "0.9 - 1.2": "1.0.0", "3 || 1.0.x": "1.0.0", "2.0.0-rc.1": "v2.0.0-rc.1",
}  # fmt: skip


@pytest.mark.parametrize("asked", VERSIONS)
def test_ranges_mean_what_helm_makes_of_them(
    asked: str, tmp_path: Path, repository: Repository, harden: Harden
) -> None:
    at(tmp_path, {"a.yaml": flux("web", asked, repository.url)})
    assert harden("lock", "--charts").status == 0
    assert list(locked(tmp_path)[f"{repository.url}#web"]) == [VERSIONS[asked]]


@pytest.mark.helm
@pytest.mark.parametrize("major", [3, 4])
def test_helm_makes_the_same_of_them(major: int, tmp_path: Path, repository: Repository) -> None:
    program = helms.Helm(helms.program(major), tmp_path)
    for asked, version in VERSIONS.items():
        words = ["show", "chart", "web", "--repo", repository.url, *(["--version", asked] if asked else [])]
        done = program(*words, cwd=tmp_path)
        assert done.returncode == 0 and f"version: {version}\n" in done.stdout, (asked, done.stdout, done.stderr)


def test_charts_of_a_registry_are_locked(tmp_path: Path, registry: str, harden: Harden) -> None:
    place = f"oci://{registry}/charts"
    digest = push(registry, "charts/web", WEB2)
    at(tmp_path, {
        "a.yaml": flux("api", "3.1.0+b5", place),
        "b.yaml": oci("tag: stable", f"{place}/web", name="b"),
        "c.yaml": oci('semver: "~1.0"', f"{place}/web", name="c"),
        "d.yaml": oci(f"digest: {digest}, tag: 9.9.9", f"{place}/web", name="d"),
        "e.yaml": argo("web", "1.*", f"{registry}/charts"),
    })  # fmt: skip
    done = harden("lock", "--charts")
    assert (done.status, done.err) == (0, "")
    found = locked(tmp_path)
    assert found[f"{place}/api"]["3.1.0+b5"]["digest"] == sha256(API)
    assert found[f"{place}/web"]["1.4.2"] == {
        "digest": sha256(WEB2), "manifest": digest, "app": "9.9", "asked": ["1.*", "stable"],
    }  # fmt: skip
    assert found[f"{place}/web"]["1.0.0"]["asked"] == ["~1.0"]
    assert "5 releases named: 5 added" in done.out
    assert harden("lock", "--charts", "--frozen").status == 0


def test_frozen_asks_nobody(tmp_path: Path, repository: Repository, harden: Harden, cache: Path) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url)})
    done = harden("lock", "--charts", "--frozen")
    assert done.status == 1 and "not in harden.lock (a.yaml:6)" in done.out
    assert not repository.asked and not (tmp_path / "harden.lock").exists()
    assert harden("lock", "--charts").status == 0
    assert harden("lock", "--charts", "--frozen").status == 0
    (kept,) = cache.rglob("web-1.0.0.tgz")
    kept.write_bytes(b"other")  # what is not what its digest says is as good as nothing
    done = harden("lock", "--charts", "--frozen")
    assert done.status == 1 and "its archive is not on this machine (a.yaml:6)" in done.out
    assert harden("lock", "--charts").status == 0
    assert kept.read_bytes() == WEB1


def test_what_the_lock_holds_has_to_come(tmp_path: Path, repository: Repository, harden: Harden, cache: Path) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url)})
    assert harden("lock", "--charts").status == 0
    before = (tmp_path / "harden.lock").read_bytes()
    next(cache.rglob("web-1.0.0.tgz")).unlink()
    repository.add(archive("web", "1.0.0", app="evil"))
    done = harden("lock", "--charts")
    assert done.status == 1 and "harden lock --charts --update takes it, if that is meant" in done.out
    assert (tmp_path / "harden.lock").read_bytes() == before


def test_charts_that_nobody_asks_for_go(tmp_path: Path, repository: Repository, harden: Harden) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url), "b/b.yaml": argo("api", "*", repository.url)})
    assert harden("lock", "--charts").status == 0
    (tmp_path / "a.yaml").unlink()
    assert harden("lock", "--charts", "b").status == 0
    assert len(locked(tmp_path)) == 2, "a part of the tree says nothing of the rest"
    done = harden("lock", "--charts")
    assert f"{repository.url}#web 1.0.0" in done.out
    assert list(locked(tmp_path)) == [f"{repository.url}#api"]


def test_images_and_charts_stand_in_one_lock(tmp_path: Path, repository: Repository, harden: Harden) -> None:
    images = "# ours\nversion: 1\nimages:\n  nginx:1.27:\n    digest: sha256:" + "a" * 64 + "\n"
    at(tmp_path, {"harden.lock": images, "a.yaml": argo("web", "1.0.0", repository.url)})
    assert harden("lock", "--charts").status == 0
    assert (tmp_path / "harden.lock").read_text().startswith(images)
    assert harden("images").status == 0
    assert list(locked(tmp_path)) == [f"{repository.url}#web"]


def test_vendor_copies_the_archives(tmp_path: Path, repository: Repository, harden: Harden) -> None:
    at(tmp_path, {"a.yaml": argo("web", "1.0.0", repository.url)})
    assert harden("lock", "--charts", "--vendor", "charts").status == 0
    assert (tmp_path / "charts/web-1.0.0.tgz").read_bytes() == WEB1


@pytest.mark.parametrize("words", [["--vendor", "x"], ["--charts", "--check"], ["--charts", "--update", "--frozen"]])
def test_options_that_do_not_go_together(words: list[str], tmp_path: Path, harden: Harden) -> None:
    done = harden("lock", *words)
    assert done.status == 2 and done.err.startswith("harden: --charts goes with")


# What names no chart that can be asked for.
LEFT = {
    flux("web", "1.0.0", "https://alice:s3cret@charts.example"): "its address contains a login",
    flux("web", "1.0.0", "ftp://charts.example"): "begins with neither https:// nor oci://",
    flux("web", "${version}", "https://charts.example"): "its version is filled in later",
    flux("web", "1.0.0", "https://${host}/x"): "the address of its repository is filled in later",
    flux("web", "1.0.0", "https://charts.example").replace("of-web, namespace: f", "other, namespace: f", 1): (
        "HelmRepository/of-web, its source, is not in the tree"
    ),
    argo("web", "{{version}}", "https://charts.example"): "its version is filled in later",
}


@pytest.mark.parametrize("text", LEFT)
def test_what_cannot_be_asked_for_is_said(text: str, tmp_path: Path, harden: Harden) -> None:
    at(tmp_path, {"a.yaml": text})
    done = harden("lock", "--charts")
    assert done.status == 0 and "left alone: 1" in done.out and LEFT[text] in done.out
    assert "s3cret" not in done.all


# Places that lie, and charts that are none.


def tarred(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """A chart with one member more."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tarball:
        for path, text in CHART.items():
            info = tarfile.TarInfo(path.removeprefix("charts/"))
            info.size = len(text)
            tarball.addfile(info, io.BytesIO(text.encode()))
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tarball.addfile(info)
    return out.getvalue()


BOMB = made.packed({"web/Chart.yaml": "name: web\nversion: 1.0.0\n", "web/big": b"\0" * (65 << 20)})
# By name: the archive that is sent in place of web 1.0.0, and what is said of it.
ARCHIVES = {
    "another one": (WEB2, "what it sends is not what the digest in its index.yaml says"),
    "another version": (WEB2, "the chart in its archive has the version 1.4.2, not 1.0.0"),
    "another chart": (API, "the chart in its archive is called api"),
    "no archive": (b"<html>", "is no chart: neither a folder nor a whole .tgz"),
    "cut off": (WEB1[:-40], "is no chart: neither a folder nor a whole .tgz"),
    "a bomb": (BOMB, "has more than 64 MiB"),
    "out of it": (tarred("app/../../../evil"), "leads out of the chart"),
    "absolute": (tarred("/etc/evil"), "leads out of the chart"),
    "a link": (tarred("app/values.json", tarfile.SYMTYPE, "/etc/passwd"), "is neither a file nor a folder"),
    "no chart": (made.packed({"web/values.yaml": "a: b"}), "it has no Chart.yaml"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_that_is_not_the_chart_is_refused(
    case: str, tmp_path: Path, repository: Repository, harden: Harden, cache: Path
) -> None:
    content, said = ARCHIVES[case]
    repository.files["/charts/web-1.0.0.tgz"] = content
    if case != "another one":  # the index says what is sent
        old, new = (sha256(each).removeprefix("sha256:") for each in (WEB1, content))
        index = repository.files["/charts/index.yaml"]
        repository.files["/charts/index.yaml"] = index.replace(old.encode(), new.encode())
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url), "b.yaml": argo("api", "*", repository.url)})
    done = harden("lock", "--charts")
    assert done.status == 1 and said in done.out, done.all
    assert done.out.count("(a.yaml:6)") == 1 and done.err == "" and tempfile.gettempdir() not in done.out
    assert list(locked(tmp_path)) == [f"{repository.url}#api"], "one that fails keeps the others away"
    assert not list(cache.rglob("web*"))


def replies(repository: Repository) -> dict[str, tuple[str, Reply, str]]:
    index, chart = "/charts/index.yaml", "/charts/web-1.0.0.tgz"
    return {
        "no index": (index, Reply(404), "has no index.yaml there (404)"),
        "a page": (index, Reply(200, b"<html></html>"), "its index.yaml is no index of charts"),
        "a login": (index, Reply(401), "is for those who log in, which harden does in registries only (a.yaml"),
        "not the chart": (index, Reply(200, b"entries:\n  api: []\n"), "its index.yaml has no chart web"),
        "not the version": (index, Reply(200, b"entries:\n  web:\n  - version: 2.0.0\n    urls: [x]\n"),
                            "its index.yaml has no version 1.0.0 of web"),
        "gone": (chart, Reply(404), "answers 404"),
        "a plain address": (index, Reply(302, headers={"Location": "http://charts.example/index.yaml"}),
                            "sends to an address without TLS"),
        "metadata": (index, Reply(302, headers={"Location": "https://169.254.169.254/index.yaml"}), "sends to"),
        "an archive in clear": (
            index, Reply(200, b"entries:\n  web:\n  - version: 1.0.0\n    urls: ['http://charts.example/x.tgz']\n"),
            "charts.example: its address has no TLS",
        ),
        "a login in it": (
            index, Reply(200, b"entries:\n  web:\n  - version: 1.0.0\n    urls: ['https://a:b@charts.example/x']\n"),
            "names no address of an archive that can be asked",
        ),
        "an archive at the server of a cloud": (
            index, Reply(200, b"entries:\n  web:\n  - version: 1.0.0\n    urls: ['https://169.254.169.254/x.tgz']\n"),
            "sends to",
        ),
        "a file": (index, Reply(200, b"entries:\n  web:\n  - version: 1.0.0\n    urls: ['file:///etc/passwd']\n"),
                   "names no address of an archive that can be asked"),
    }  # fmt: skip


@pytest.mark.parametrize("case", replies(Repository()))
def test_a_repository_that_lies_is_refused(case: str, tmp_path: Path, repository: Repository, harden: Harden) -> None:
    path, reply, said = replies(repository)[case]
    repository.replies[path] = reply
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url)})
    done = harden("lock", "--charts")
    assert done.status == 1 and said in done.out, done.all
    assert done.out.count("(a.yaml:6)") == 1 and done.err == ""
    assert locked(tmp_path) == {}


def test_too_much_is_refused(
    tmp_path: Path, repository: Repository, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url)})
    monkeypatch.setattr(pull, "LARGEST", 1 << 20)
    repository.replies["/charts/web-1.0.0.tgz"] = Reply(200, os.urandom((1 << 20) + 1))
    assert "its archive is larger than 1 MiB" in harden("lock", "--charts").out
    monkeypatch.setattr(repository_index, "LARGEST", 2 << 20)
    repository.replies["/charts/index.yaml"] = Reply(200, repository.files["/charts/index.yaml"] + b"# x\n" * (1 << 20))
    assert "its index.yaml is larger than 2 MiB" in harden("lock", "--charts").out


def test_a_registry_that_lies_is_refused(tmp_path: Path, registry: str, harden: Harden) -> None:
    from . import oci_images

    place = f"oci://{registry}/charts"
    push(registry, "charts/lies", WEB1, "1.0.0")
    oci_images.push(f"http://{registry}", "charts/image", "1.0.0", oci_images.image())
    at(tmp_path, {
        "a.yaml": oci("tag: 1.0.0", f"{place}/lies", name="a"),
        "b.yaml": oci("tag: 1.0.0", f"{place}/image", name="b"),
        "c.yaml": oci("tag: 7.7.7", f"{place}/web", name="c"),
        "d.yaml": oci("semver: '>7'", f"{place}/web", name="d"),
        "e.yaml": oci("semver: 'x y'", f"{place}/web", name="e"),
    })  # fmt: skip
    done = harden("lock", "--charts")
    assert done.status == 1 and locked(tmp_path) == {}
    for said in (
        "the chart in its archive is called web (a.yaml:", "has something there that is no chart (b.yaml:",
        "has no web 7.7.7 (404) (c.yaml:", "has no version >7 of web (d.yaml:", "x y: it is no version and no range",
    ):  # fmt: skip
        assert said in done.out, done.out


def test_a_server_that_never_ends_is_given_up(tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LAYER_SECONDS", 0.5)
    with trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nentries:\n", b"#") as host:
        at(tmp_path, {"a.yaml": flux("web", "1.0.0", f"http://{host}/charts")})
        done = harden("lock", "--charts")
    assert done.status == 1 and f"{host}: no answer in time (a.yaml:6)" in done.out, done.all


@pytest.mark.registry
def test_a_login_goes_to_a_registry_as_for_images(
    tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("REGISTRY_AUTH_FILE")  # a setting of the registry, too
    outside = tmp_path_factory.mktemp("outside")
    with with_passwords(outside) as host:
        push_with_login(host, "charts/web", WEB1)
        (outside / "auth.json").write_text(json.dumps({"auths": {host: {"auth": BASIC.removeprefix("Basic ")}}}))
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(outside / "auth.json"))
        at(tmp_path, {"a.yaml": oci("tag: 1.0.0", f"oci://{host}/charts/web")})
        done = harden("lock", "--charts")
        assert done.status == 1 and "wants a login (401), which is sent over TLS only" in done.out
        assert BASIC not in done.all and PASSWORD not in done.all
        (outside / "registries.yaml").write_text(f"registries:\n  {host}: {{insecure: true}}\n")
        done = harden("lock", "--charts", "--registries", outside / "registries.yaml")
        assert done.status == 0, done.all
    assert locked(tmp_path)[f"oci://{host}/charts/web"]["1.0.0"]["digest"] == sha256(WEB1)


def test_a_run_that_is_ended_keeps_what_came(
    tmp_path: Path, repository: Repository, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(tmp_path, {"a.yaml": flux("web", "1.0.0", repository.url), "b.yaml": argo("api", "*", repository.url)})
    monkeypatch.setattr(lock_charts, "_AT_ONCE", 1)
    tell = lock_charts._tell

    def ended(*arguments: Any) -> None:
        tell(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(lock_charts, "_tell", ended)
    harden("lock", "--charts")
    assert list(locked(tmp_path)) == [f"{repository.url}#web"]
