"""harden lock and harden images: a tree whose images are in a registry on loopback, under the name of another."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from hardener.commands import images
from hardener.lock import registry_session, writer
from hardener.lock.oci import transport
from hardener.lock.oci.client import OCI_INDEX
from hardener.lock.oci.image import Found
from hardener.lock.oci.registry_error import RegistryError
from hardener.support import worker_threads

from . import oci_images as made
from .conftest import DEPLOYMENT, ROOT, Done, Harden, commit, write
from .registries import Asked, Reply, answering, logged_in_nowhere, running

WEB = made.image({"User": "101", "ExposedPorts": {"8080/tcp": {}}, "Cmd": ["serve", "--password=hunter2hunter2"]})
DATA = made.index({"amd64": made.image({"Volumes": {"/data": {}}}), "arm64": made.image(architecture="arm64")})
A, B = (f"sha256:{digit * 64}" for digit in "ab")


def deployment(name: str, image: str, **fields: str) -> str:
    more = "".join(f"\n        {key}: {value}" for key, value in fields.items())
    text = DEPLOYMENT.replace("name: web\nspec", f"name: {name}\nspec")
    return text.replace("image: example.com/web:1.2.3", f"image: {image}{more}")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What fails is tried again without a wait; whoever runs the tests logs in nowhere."""
    logged_in_nowhere(monkeypatch, tmp_path_factory.getbasetemp())
    monkeypatch.setattr(transport, "BACK_OFF", (0.0, 0.0, 0.0))


@pytest.fixture
def tree(tmp_path: Path, registry: str, request: pytest.FixtureRequest) -> Path:
    """A repository of Git whose images of ``r.example`` come from a part of ``registry`` of its own."""
    part = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    for name, image in (("web:1.2.3", WEB), ("data:7", DATA), ("library/web:1", WEB)):
        repository, _, tag = name.partition(":")
        made.push(f"http://{registry}", f"{part}/{repository}", tag, image)
    mirror = f"mirrors: [{registry}/{part}]"
    write(tmp_path, {
        ".harden.yaml": f"registries:\n  r.example: {{{mirror}}}\n  docker.io: {{{mirror}}}\n",
        "web.yaml": deployment("web", "r.example/web:1.2.3"),
        "data.yaml": deployment("data", "r.example/data:7"),
    })  # fmt: skip
    commit(tmp_path)
    return tmp_path


def locked(tree: Path) -> dict[str, dict[str, object]]:
    found = yaml.safe_load((tree / "harden.lock").read_text(encoding="utf-8"))["images"]
    assert isinstance(found, dict)
    return found


def move(tree: Path, name: str, image: made.Image) -> None:
    """Have the tag of ``name`` in the registry of ``tree`` name another image."""
    mirror = yaml.safe_load((tree / ".harden.yaml").read_text())["registries"]["r.example"]["mirrors"][0]
    host, _, part = mirror.partition("/")
    repository, _, tag = name.partition(":")
    made.push(f"http://{host}", f"{part}/{repository}", tag, image)


def test_a_tree_is_locked_once(tree: Path, harden: Harden) -> None:
    done = harden("lock", "--config", ".harden.yaml")
    assert (done.status, done.err) == (0, "")
    assert f"  r.example/data:7  {DATA.digest}  linux/amd64, linux/arm64  user root\n" in done.out
    assert f"  r.example/web:1.2.3  {WEB.digest}  linux/amd64  user 101  ports 8080/tcp\n" in done.out
    assert done.out.endswith(
        "harden.lock: 2 images named: 2 added\ncommit it with the manifests; then: harden apply PATH\n"
    )
    text = (tree / "harden.lock").read_text(encoding="utf-8")
    assert "hunter2hunter2" not in text
    assert list(locked(tree)) == ["r.example/data:7", "r.example/web:1.2.3"]
    assert locked(tree)["r.example/data:7"] == {
        "digest": DATA.digest,
        "mediaType": made.OCI_INDEX,
        "platforms": ["linux/amd64", "linux/arm64"],
        "config": {"user": "", "exposedPorts": [], "created": "2026-11-01T00:00:00Z"},
    }
    again = harden("lock")
    assert (again.status, again.out) == (0, "harden.lock: 2 images named, nothing to do\n")
    assert (tree / "harden.lock").read_text(encoding="utf-8") == text


def test_what_is_locked_is_pinned_and_stays_known(tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    assert harden("apply", ".").status == 0
    web = (tree / "web.yaml").read_text(encoding="utf-8")
    assert f"image: r.example/web:1.2.3@{WEB.digest}" in web
    assert "runAsNonRoot: true" in web
    assert "runAsUser" not in web, "the image names its user"
    again = harden("lock")
    assert (again.status, again.out) == (0, "harden.lock: 2 images named, nothing to do\n")
    assert harden("lock", "--frozen").status == 0
    assert harden("diff", ".").status == 0


def test_paths_say_which_images(tree: Path, harden: Harden) -> None:
    assert harden("lock", "web.yaml").status == 0
    assert list(locked(tree)) == ["r.example/web:1.2.3"]


def test_an_image_is_locked_once_under_its_short_name(tree: Path, harden: Harden) -> None:
    write(tree, {
        "web.yaml": deployment("web", "docker.io/library/web:1"), "data.yaml": deployment("data", "web:1"),
    })  # fmt: skip
    assert harden("lock").status == 0
    assert list(locked(tree)) == ["web:1"]


def test_stanzas_are_added_in_order_and_comments_stay(tree: Path, harden: Harden) -> None:
    mine = f"# ours\nversion: 1\nimages:\n  # the first\n  a:1: {{digest: {A}}}  # why\n  z:1:\n    digest: {B}\n"
    write(tree, {"harden.lock": mine})
    assert harden("lock").status == 0
    text = (tree / "harden.lock").read_text(encoding="utf-8")
    assert list(locked(tree)) == ["a:1", "r.example/data:7", "r.example/web:1.2.3", "z:1"]
    assert all(line in text for line in mine.splitlines(keepends=True))


def test_what_was_written_by_hand_is_completed(tree: Path, harden: Harden) -> None:
    write(tree, {
        "harden.lock": f"version: 1\nimages:\n  r.example/web:1.2.3:\n    digest: {WEB.digest}  # by hand\n",
    })  # fmt: skip
    done = harden("lock", "web.yaml")
    assert "changed: 1\n" in done.out
    assert f"digest: {WEB.digest}  # by hand" in (tree / "harden.lock").read_text(encoding="utf-8")
    assert locked(tree)["r.example/web:1.2.3"]["config"]


def test_a_tag_that_moved(tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    assert harden("lock", "--check").status == 0
    before = (tree / "harden.lock").read_text(encoding="utf-8")
    move(tree, "web:1.2.3", made.image({"User": "7"}))
    done = harden("lock", "--check")
    new = made.image({"User": "7"}).digest
    assert (done.status, f"moved since: 1\n  r.example/web:1.2.3  {WEB.digest} is now {new}\n" in done.out) == (1, True)
    assert harden("lock").out == "harden.lock: 2 images named, nothing to do\n"
    assert (tree / "harden.lock").read_text(encoding="utf-8") == before
    assert harden("lock", "--update").status == 0
    assert locked(tree)["r.example/web:1.2.3"]["digest"] == new
    assert locked(tree)["r.example/web:1.2.3"]["config"] == {
        "user": "7", "exposedPorts": [], "volumes": [], "created": "2026-11-01T00:00:00Z",
    }  # fmt: skip
    assert harden("lock", "--check").status == 0


@pytest.mark.parametrize("argument", ["r.example/web", "r.example/web:1.2.3"])
def test_one_image_is_updated(argument: str, tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    move(tree, "web:1.2.3", made.image({"User": "7"}))
    move(tree, "data:7", made.image({"User": "7"}))
    done = harden("lock", "--update", argument)
    assert done.status == 0, done.all
    assert locked(tree)["r.example/web:1.2.3"]["digest"] == made.image({"User": "7"}).digest
    assert locked(tree)["r.example/data:7"]["digest"] == DATA.digest


def test_an_image_that_no_manifest_names_is_added_by_its_name(tree: Path, harden: Harden) -> None:
    assert harden("lock", "--update", "r.example/data:7").status == 0
    assert list(locked(tree)) == ["r.example/data:7"]


def test_a_digest_that_a_manifest_pins_is_looked_up_by_it(tree: Path, harden: Harden) -> None:
    old = made.image({"User": "5"})
    move(tree, "web:old", old)
    write(tree, {"web.yaml": deployment("web", f"r.example/web:1.2.3@{old.digest}")})
    assert harden("lock", "web.yaml").status == 0
    key = f"r.example/web:1.2.3@{old.digest}"
    assert {key: stanza["digest"] for key, stanza in locked(tree).items()} == {key: old.digest}
    assert harden("lock", "web.yaml").out == "harden.lock: 1 image named, nothing to do\n"
    done = harden("lock", "web.yaml", "--check")
    assert (done.status, f"{old.digest} is now {WEB.digest}" in done.out) == (1, True)


@pytest.mark.parametrize("option", ["--frozen", "--check"])
def test_what_is_missing(option: str, tree: Path, harden: Harden) -> None:
    assert harden("lock", "web.yaml").status == 0
    done = harden("lock", option)
    assert done.status == 1
    assert "missing in harden.lock: run harden lock: 1\n  r.example/data:7  data.yaml:14\n" in done.out


@pytest.mark.parametrize("option", ["--frozen", "--check"])
def test_what_is_optional_and_missing_is_left_alone(option: str, tree: Path, harden: Harden) -> None:
    """The parts add up to the images that are named."""
    field = "apiVersion: example.dev/v1\nkind: App\nmetadata: {name: app}\nspec: {image: 'r.example/app:1'}\n"
    write(tree, {"here/local.yaml": deployment("local", "127.0.0.1:1/app:1"), "here/app.yaml": field})
    done = harden("lock", option, "here")
    assert (done.status, done.out.splitlines()) == (0, [
        "left alone: 2",
        "  127.0.0.1:1/app:1  not in harden.lock, which may be a registry of the cluster's own machine",
        "  r.example/app:1  not in harden.lock, and nothing is pinned where it is named",
        "harden.lock: 2 images named: 2 left alone",
    ])  # fmt: skip


def test_frozen_asks_nobody(tree: Path, harden: Harden) -> None:
    write(tree, {".harden.yaml": "registries: {r.example: {mirrors: ['127.0.0.1:9']}}\n"})
    done = harden("lock", "--frozen")
    assert (done.status, "not resolved" in done.out) == (1, False)
    assert not (tree / "harden.lock").exists()


def test_kustomizations_say_what_is_looked_up(tree: Path, harden: Harden) -> None:
    write(tree, {
        "k/kustomization.yaml": (
            "resources: [app.yaml, other.yaml]\nimages:\n- {name: app, newName: r.example/web, newTag: 1.2.3}\n"
            "- {name: other, newName: r.example/data}\n"
        ),
        "k/app.yaml": deployment("app", "app"),
        "k/other.yaml": deployment("other", "other:7"),
    })  # fmt: skip
    done = harden("lock", "k")
    assert done.status == 0, done.all
    assert list(locked(tree)) == ["r.example/data:7", "r.example/web:1.2.3"]


@pytest.mark.parametrize(
    ("entry", "image"),
    [
        ("newName: r.example/web, tagSuffix: '.3'", "r.example/web:1.2.3"),
        ("tagSuffix: -alpine", "app:1.2-alpine"),
        ("newName: r.example/web, newTag: '7', tagSuffix: '.3'", "r.example/web:7"),
        (f"digest: {WEB.digest}, tagSuffix: '.3'", f"app@{WEB.digest}"),
    ],
)
def test_a_suffix_of_a_kustomization_is_part_of_the_tag(entry: str, image: str, tree: Path, harden: Harden) -> None:
    write(tree, {
        "k/kustomization.yaml": f"resources: [app.yaml]\nimages: [{{name: app, {entry}}}]\n",
        "k/app.yaml": deployment("app", "app:1.2"),
    })  # fmt: skip
    rows = json.loads(harden("images", "k", "--format", "json").out)["images"]
    assert [row["image"] for row in rows] == [image]


def test_images_that_others_start_are_looked_up_and_may_fail(tree: Path, harden: Harden) -> None:
    variable = "\n        - {name: RELATED_IMAGE_WEB, value: 'r.example/web:1.2.3'}"
    (tree / "data.yaml").unlink()
    write(tree, {
        "web.yaml": deployment("web", "docker.io/library/web:1", env=variable),
        "app.yaml": "apiVersion: example.dev/v1\nkind: App\nmetadata: {name: app}\nspec:\n  image: r.example/gone:1\n"
        "  values: {image: {registry: r.example, repository: data, tag: '7'}}\n"
        "  other: {image: {repository: r.example/no}}\n",
    })  # fmt: skip
    done = harden("lock")
    assert done.status == 0, done.all
    assert list(locked(tree)) == ["docker.io/library/web:1", "r.example/data:7", "r.example/web:1.2.3"]
    assert re.search(r"left alone: 1\n  r\.example/gone:1  .*, and nothing is pinned where it is named\n", done.out)
    assert harden("lock", "--frozen").status == 0


def test_values_of_a_chart_are_looked_up(tree: Path, harden: Harden) -> None:
    write(tree, {
        "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: 1.2.3\n",
        "chart/values.yaml": "image:\n  repository: r.example/web\n  tag: ''\n"
        "parts:\n- image: {registry: r.example, repository: data, tag: 7}\n- {image: no}\n"
        "- {repository: x, tag: null}\n",
        "other/values.yaml": "image: {repository: r.example/other, tag: '1'}\n",
    })  # fmt: skip
    assert harden("lock", "chart", "other").status == 0
    assert list(locked(tree)) == ["r.example/data:7", "r.example/web:1.2.3"]
    rows = json.loads(harden("images", "chart", "--format", "json").out)["images"]
    assert [(row["image"], row["used_by"]) for row in rows] == [
        (image, ["chart/values.yaml"]) for image in ("r.example/data:7", "r.example/web:1.2.3", "x:1.2.3")
    ]  # fmt: skip


def test_what_no_registry_is_asked_for(tree: Path, harden: Harden) -> None:
    write(tree, {
        "skaffold.yaml": "apiVersion: skaffold/v4beta11\nkind: Config\nbuild: {artifacts: [{image: r.example/mine}]}\n",
        "web.yaml": deployment("web", "r.example/mine:1"),
        "data.yaml": deployment("data", "r.example/app:${TAG}"),
        "local.yaml": deployment("local", "localhost:1/app:1"),
        "never.yaml": deployment("never", "r.example/never:1", imagePullPolicy="Never"),
    })  # fmt: skip
    done = harden("lock")
    assert (done.status, "left alone: 4\n" in done.out) == (0, True)
    assert "  localhost:1/app:1  localhost:1: no answer: Connection refused, which may be a registry of" in done.out
    assert "  r.example/app:${TAG}  a part of its name is filled in later\n" in done.out
    assert "  r.example/mine:1  skaffold.yaml builds it\n" in done.out
    assert "  r.example/never:1  imagePullPolicy is Never" in done.out


def test_one_that_fails_leaves_the_rest_resolved(tree: Path, harden: Harden) -> None:
    write(tree, {"no.yaml": deployment("no", "r.example/no:1")})
    mirror = yaml.safe_load((tree / ".harden.yaml").read_text())["registries"]["r.example"]["mirrors"][0]
    host = mirror.partition("/")[0]
    # The registry itself is the one without a mirror.
    for name in ("web", "data", "no"):
        path = tree / f"{name}.yaml"
        path.write_text(path.read_text().replace("r.example", mirror), encoding="utf-8")
    done = harden("lock")
    assert list(locked(tree)) == [f"{mirror}/data:7", f"{mirror}/web:1.2.3"]
    # 127.0.0.1 may be a registry that only the cluster's own machine has.
    assert (done.status, f"  {mirror}/no:1  {host}: no such image (404), which may be" in done.out) == (0, True)


def test_a_digest_of_an_unknown_kind_is_not_written(tree: Path, harden: Harden) -> None:
    write(tree, {"web.yaml": deployment("web", "r.example/web@sha384:" + "1" * 96)})
    done = harden("lock")
    assert (done.status, "not resolved: 1\n" in done.out) == (1, True)
    assert list(locked(tree)) == ["r.example/data:7"]
    assert harden("lock", "data.yaml").status == 0


@pytest.mark.parametrize("digest", ["sha256:abc", "sha256:" + "A" * 64, "sha256:" + "1" * 63, "md5:" + "1" * 32])
def test_no_registry_is_asked_for_a_digest_that_is_none(digest: str, tree: Path, harden: Harden) -> None:
    write(tree, {"web.yaml": deployment("web", f"r.example/web:1.2.3@{digest}")})
    done = harden("lock")
    assert (done.status, "no legal name of an image, so no node starts it" in done.out) == (0, True)
    assert list(locked(tree)) == ["r.example/data:7"]


def test_a_lock_with_a_merge_conflict(tree: Path, harden: Harden) -> None:
    theirs = f"<<<<<<< HEAD\n  a:1:\n    digest: {A}\n=======\n  b:1:\n    digest: {B}\n>>>>>>> theirs\n"
    write(tree, {"harden.lock": f"version: 1\nimages:\n{theirs}"})
    done = harden("lock")
    assert (done.status, done.err) == (
        2, "harden: harden.lock:3: a merge conflict: keep the stanzas of both sides, then harden lock\n",
    )  # fmt: skip


def test_what_came_can_be_saved_while_the_rest_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release, calls = threading.Event(), []

    def idle() -> None:
        calls.append(1)
        release.set()

    monkeypatch.setattr(worker_threads, "_IDLE_SECONDS", 0.01)
    assert list(worker_threads.run(["slow"], lambda task: release.wait(60), 1, idle=idle)) == [("slow", True)]
    assert calls


def test_plain_and_deep_runs_save_while_they_wait_and_end_their_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "_IDLE_SECONDS", 0.01)
    monkeypatch.setattr(registry_session, "_SAVE_SECONDS", 0.0)
    saved, release = [], threading.Event()

    def save(entries: dict[str, int]) -> None:
        saved.append(dict(entries))
        release.set()

    with registry_session.Unsaved[int](save) as unsaved:
        unsaved.entries["before"] = 1
        assert list(unsaved.each(["slow"], lambda task: release.wait(60), 1)) == [("slow", True)]
        unsaved.entries["last"] = 2
    assert saved == [{"before": 1}, {"last": 2}]
    with registry_session.client({}, {}) as client:
        pause = client._transport._pause
        pause(0)
    with pytest.raises(RegistryError, match=r"^interrupted$"):
        pause(60)


def test_a_failure_names_the_image_and_the_line(tree: Path, harden: Harden) -> None:
    with answering(lambda asked: Reply(404)) as host:
        write(tree, {".harden.yaml": f"registries: {{no.invalid: {{mirrors: ['{host}']}}}}\n"})
        write(tree, {"web.yaml": deployment("web", "no.invalid/web:1")})
        done = harden("lock", "web.yaml")
    assert done.status == 1
    line = rf"  no\.invalid/web:1  no\.invalid: [^;\n]+; {host}: no such image \(404\) \(web\.yaml:14\)\n"
    assert re.search(f"^not resolved: 1\n{line}", done.out, re.MULTILINE), done.out
    assert not (tree / "harden.lock").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "--update"], "--check, --update and --frozen: choose one"),
        (["r.example/web:1"], "r.example/web:1: no such file or folder"),
        (["--update", f"web@{A}"], "--update takes an image by its name and tag"),
    ],
)
def test_a_wrong_command(arguments: list[str], message: str, tree: Path, harden: Harden) -> None:
    done = harden("lock", *arguments)
    assert (done.status, message in done.err) == (2, True)


@pytest.mark.parametrize("host", ["https://r.example", "user:pw@r.example", "r.example/path", "a b"])
def test_a_registry_of_the_settings_is_a_host(host: str, tree: Path, harden: Harden) -> None:
    write(tree, {".harden.yaml": f"registries: {{'{host}': {{insecure: true}}}}\n"})
    done = harden("lock")
    assert (done.status, "is no registry: write its host" in done.err) == (2, True)


# The file.


def found(digest: str = A) -> dict[str, object]:
    return writer.stanza(Found(digest, OCI_INDEX, ("linux/amd64",), {"user": "0", "exposedPorts": []}))


def test_runs_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    names = [f"app-{number}:1" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: writer.save(str(tmp_path), {name: found()}), names))
    assert list(locked(tmp_path)) == sorted(names)
    assert sorted(os.listdir(tmp_path)) == ["harden.lock"]


def test_two_processes_at_the_same_time(tree: Path) -> None:
    command = [sys.executable, "-m", "hardener", "lock"]
    both = [
        subprocess.Popen([*command, name], cwd=tree, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for name in ("web.yaml", "data.yaml")
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    assert list(locked(tree)) == ["r.example/data:7", "r.example/web:1.2.3"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_keeps_what_it_had(how: signal.Signals, tree: Path) -> None:
    assert WEB.config
    config, served, asked_for_data = WEB.config, threading.Event(), threading.Event()

    def answer(asked: Asked) -> Reply:
        if "/data/" in asked.path:
            asked_for_data.set()
            served.wait(60)
            return Reply(404)
        if "/blobs/" in asked.path:
            return Reply(200, config.body)
        return Reply(200, WEB.manifest.body, {"Content-Type": made.OCI_MANIFEST})

    with answering(answer) as host:
        write(tree, {".harden.yaml": f"registries: {{r.example: {{mirrors: ['{host}']}}}}\n"})
        run = subprocess.Popen(
            [sys.executable, "-c", _WITH_A_WORD, "lock"], cwd=tree, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert run.stderr is not None
        assert run.stderr.readline() == "took r.example/web:1.2.3\n"
        assert asked_for_data.wait(60)
        run.send_signal(how)
        error = run.stderr.read()
        status = run.wait(60)
        served.set()
        run.communicate()
    assert (status, "interrupted" in error) == (130, True)
    assert list(locked(tree)) == ["r.example/web:1.2.3"]


# Says what was taken, so that the test need not guess when to interrupt.
_WITH_A_WORD = """
import signal
import sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were told to ignore
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from hardener import cli
from hardener.commands import lock as locking
take = locking._take
def told(errand, *rest):
    take(errand, *rest)
    print("took", errand.key, file=sys.stderr, flush=True)
locking._take = told
cli.main()
"""


# The table.


def test_the_table_of_images(tree: Path, harden: Harden) -> None:
    assert harden("lock", "web.yaml").status == 0
    write(
        tree, {"redis.yaml": deployment("redis", f"redis:7@{B}"), "same.yaml": deployment("same", "r.example/data:7")}
    )
    done: Done = harden("images", "--as-of", "2026-11-26")
    assert done.status == 0
    assert [re.split(r" {2,}", line) for line in done.out.splitlines()] == [
        ["IMAGE", "DIGEST", "USER", "PORTS", "AGE", "USED BY"],
        ["r.example/data:7", "-", "?", "?", "?", "Deployment/data, Deployment/same"],
        ["r.example/web:1.2.3", WEB.digest[:19], "101", "8080", "25 d", "Deployment/web"],
        ["redis:7", B[:19], "root", "6379", "?", "Deployment/redis"],
        ["4 images, 2 with a digest, 1 pinned".replace("4", "3")],
    ]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (200, ["r.example/a-long-way/to/the/web:1.2.3  -       ?     ?      ?    Deployment/one, Deployment/other"]),
        (80, ["...ample/a-long-way/to/the/web:1.2.3  -       ?     ?      ?    Deployment/on..."]),
        (60, ["...the/web:1.2.3  -       ?     ?      ?    Deployment/on..."]),
        (20, ["...the/web:1.2.3  -       ?     ?      ?    Deployment/on..."]),
    ],
)
def test_the_table_in_a_narrow_terminal(
    tree: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch, width: int, lines: list[str]
) -> None:
    monkeypatch.setattr(images, "is_terminal", lambda stream: True)
    monkeypatch.setattr(images, "columns", lambda stream: width)
    image = "r.example/a-long-way/to/the/web:1.2.3"
    write(tree, {"one/one.yaml": deployment("one", image), "one/other.yaml": deployment("other", image)})
    done = harden("images", "one")
    assert done.out.splitlines()[1:] == [*lines, "1 image, 0 with a digest, 0 pinned"]


def test_what_is_no_reference_is_said(tree: Path, harden: Harden) -> None:
    long = f"r.example/web:{'x' * 129}"
    write(tree, {
        "bad/a.yaml": deployment("a", "UPPER:1"), "bad/b.yaml": deployment("b", long),
        "bad/c.yaml": deployment("c", '"nginx\\u001b[31m:1"'), "bad/d.yaml": deployment("d", '""'),
        "bad/kustomization.yaml": "images: [{name: app, newTag: no tag}]\n",
    })  # fmt: skip
    done = harden("lock", "bad")
    why = "no legal name of an image, so no node starts it"
    assert done.status == 0
    assert done.out.splitlines() == [
        "left alone: 4",
        f"  UPPER:1  {why} (bad/a.yaml:14)",
        f"  app:no tag  {why} (bad/kustomization.yaml:1)",
        f"  nginx?[31m:1  {why} (bad/c.yaml:14)",
        f"  {long}  {why} (bad/b.yaml:14)",
        "harden.lock: 4 images named: 4 left alone",
    ]
    assert harden("lock", "--frozen", "bad").status == harden("lock", "--check", "bad").status == 0
    assert "UPPER:1" in harden("images", "bad").out


def test_the_images_as_json(tree: Path, harden: Harden) -> None:
    assert harden("lock", "web.yaml").status == 0
    rows = json.loads(harden("images", "web.yaml", "--format", "json", "--as-of", "2026-11-26").out)["images"]
    assert rows == [
        {
            "image": "r.example/web:1.2.3", "digest": WEB.digest, "pinned": False, "user": "101", "ports": [8080],
            "created": "2026-11-01T00:00:00Z", "days": 25, "used_by": ["Deployment/web"],
        }
    ]  # fmt: skip


# Pins that are kept up.

NEW = made.image({"User": "7"})


def shown(tree: Path, name: str = "web.yaml") -> str:
    found = re.search(r"image: (\S+)", (tree / name).read_text(encoding="utf-8"))
    assert found
    return found[1]


def test_what_harden_pinned_follows_its_tag(tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    assert harden("apply", ".").status == 0
    move(tree, "web:1.2.3", NEW)
    assert harden("lock", "--update").status == 0
    assert locked(tree)["r.example/web:1.2.3"]["previous"] == [WEB.digest]
    assert harden("lock").out == "harden.lock: 2 images named, nothing to do\n"
    assert harden("lock", "--frozen").status == 0
    done = harden("apply", ".", "-v")
    assert (done.status, shown(tree)) == (0, f"r.example/web:1.2.3@{NEW.digest}")
    assert f"harden.lock: the tag moved after it was pinned to {WEB.digest[:19]}, to an image made on 2026-11-01" in (
        done.out
    )
    assert shown(tree, "data.yaml") == f"r.example/data:7@{DATA.digest}"
    assert harden("diff", ".").status == 0
    assert harden("lock", "--check").status == 0


def test_digests_of_before_are_kept_over_several_moves(tree: Path, harden: Harden) -> None:
    assert harden("lock", "web.yaml").status == 0
    for user in "2345678":
        move(tree, "web:1.2.3", made.image({"User": user}))
        assert harden("lock", "--update", "r.example/web").status == 0
    before = [made.image({"User": user}).digest for user in "7654"]
    assert locked(tree)["r.example/web:1.2.3"]["previous"] == before
    move(tree, "web:1.2.3", made.image({"User": "6"}))
    assert harden("lock", "--update").status == 0
    back = [made.image({"User": user}).digest for user in "8754"]
    assert locked(tree)["r.example/web:1.2.3"]["previous"] == back, "what it names again is no digest of before"


def test_a_digest_that_somebody_else_wrote_stays(tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    move(tree, "web:newer", NEW)  # a tool that raises digests was faster than the lock
    write(tree, {"web.yaml": deployment("web", f"r.example/web:1.2.3@{NEW.digest}")})
    assert harden("lock").status == 0
    assert harden("apply", ".").status == 0
    assert shown(tree) == f"r.example/web:1.2.3@{NEW.digest}"


def test_pins_of_all_kinds_follow(tree: Path, harden: Harden) -> None:
    (tree / "web.yaml").unlink()
    write(tree, {
        "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
        "chart/values.yaml": "image: {repository: r.example/web, tag: 1.2.3, digest: ''}\n",
        "k/kustomization.yaml": "resources: [app.yaml]\nimages: [{name: app, newName: r.example/web, newTag: 1.2.3}]\n",
        "k/app.yaml": deployment("app", "app"),
    })  # fmt: skip
    commit(tree)
    names = ("chart/values.yaml", "k/kustomization.yaml")
    assert harden("lock").status == 0
    assert harden("apply", ".").status == 0
    assert all(WEB.digest in (tree / name).read_text() for name in names)
    move(tree, "web:1.2.3", NEW)
    assert harden("lock", "--update").status == 0
    assert harden("apply", ".").status == 0
    assert all(NEW.digest in (tree / name).read_text() for name in names)
    assert harden("diff", ".").status == 0


def test_what_no_file_names_any_more_is_removed(tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    move(tree, "web:2.0.0", NEW)
    write(tree, {"web.yaml": deployment("web", "r.example/web:2.0.0")})
    done = harden("lock", "--check")
    assert "no file names it: 1\n  r.example/web:1.2.3\n" in done.out
    done = harden("lock")
    assert (done.status, "removed, no file names it: 1\n  r.example/web:1.2.3\n" in done.out) == (0, True), done.all
    assert list(locked(tree)) == ["r.example/data:7", "r.example/web:2.0.0"]
    (tree / "data.yaml").unlink()
    assert harden("lock", "--update").status == 0
    assert list(locked(tree)) == ["r.example/web:2.0.0"]


@pytest.mark.parametrize("path", ["web.yaml", "k"])
def test_a_part_of_the_repository_takes_nothing_from_the_rest(path: str, tree: Path, harden: Harden) -> None:
    write(tree, {"k/app.yaml": deployment("app", "r.example/web:1.2.3")})
    assert harden("lock").status == 0
    before = (tree / "harden.lock").read_text(encoding="utf-8")
    assert harden("lock", path).status == 0
    assert (tree / "harden.lock").read_text(encoding="utf-8") == before
    (tree / "data.yaml").unlink()
    assert harden("lock", path).status == 0
    assert list(locked(tree)) == ["r.example/web:1.2.3"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deploy.sh", "kubectl set image deployment/data data=r.example/data:7\n"),
        ("broken.yaml", "kind: Deployment\nimage: r.example/data:7\n  x: [\n"),
        ("chart/templates/data.yaml", "image: {{ .Values.registry }}/data:7\n"),
        ("main.tf", 'image = {\n  repository = "data"\n  tag = "7"\n}\n'),
        ("app.yaml", deployment("app", "r.example/data:${VERSION}")),
        ("Makefile", "IMAGE = r.example/data:7\n"),
        ("chart/templates/_image.tpl", '{{ printf "%s/data:%s" .Values.registry "7" }}\n'),
        ("Dockerfile", "FROM r.example/data:7\n"),
        ("latin-1.yaml", b"# \xe9\nimage: r.example/data:7\n"),
        ("wide.txt", "r.example/data:7".encode("utf-16")),
        ("large.yaml", f"# {'x' * (1 << 20)}\nimage: r.example/data:7\n"),
        ("testdata/data.yaml", deployment("data", "r.example/data:7")),  # whoever names that folder needs it
    ],
)
def test_what_a_file_may_mean_stays(name: str, text: str | bytes, tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    (tree / "data.yaml").unlink()
    write(tree, {name: ""})
    (tree / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    done = harden("lock")
    assert ("removed" in done.out, list(locked(tree))) == (False, ["r.example/data:7", "r.example/web:1.2.3"])


@pytest.mark.parametrize(
    "name", [".git/notes", "node_modules/x/README.md", "ignored.txt", "large.bin", "sub/harden.lock"]
)
def test_what_is_no_text_of_the_repository_holds_no_stanza(name: str, tree: Path, harden: Harden) -> None:
    assert harden("lock").status == 0
    (tree / "data.yaml").unlink()
    filler = "x" * (1 << 20) if name == "large.bin" else ""
    write(tree, {name: f"r.example/data:7 {filler}", ".gitignore": "ignored.txt\n"})
    os.mkfifo(tree / "pipe")
    assert harden("lock").status == 0
    assert list(locked(tree)) == ["r.example/web:1.2.3"]


def test_what_somebody_asked_for_by_its_name_stays(tree: Path, harden: Harden) -> None:
    (tree / "data.yaml").unlink()
    assert harden("lock", "--update", "r.example/data:7").status == 0
    assert locked(tree)["r.example/data:7"]["keep"] is True
    assert harden("lock").status == 0
    move(tree, "data:7", NEW)
    assert harden("lock", "--update").status == 0
    assert locked(tree)["r.example/data:7"]["digest"] == NEW.digest
    assert locked(tree)["r.example/data:7"]["keep"] is True


def test_images_of_patches_are_looked_up(tree: Path, harden: Harden) -> None:
    write(tree, {
        "web.yaml": deployment("web", "docker.io/library/web:1"),
        "data.yaml": deployment("data", "docker.io/library/web:1"),
        "kustomization.yaml": (
            "resources: [web.yaml, data.yaml]\npatches:\n- path: web-patch.yaml\n- path: operations.yaml\n"
            "  target: {kind: Deployment, name: data}\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
            "    metadata: {name: data}\n    spec: {template: {spec: {containers: [{name: side, image: 'mine:1'}]}}}\n"
            "images:\n- {name: mine, newName: r.example/mine}\n"
        ),
        "web-patch.yaml": deployment("web", "r.example/web:1.2.3"),
        "operations.yaml": "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: r.example/data:7\n",
    })  # fmt: skip
    done = harden("lock")
    assert list(locked(tree)) == ["docker.io/library/web:1", "r.example/data:7", "r.example/web:1.2.3"]
    assert "not resolved: 1\n  r.example/mine:1  " in done.out
    assert "(kustomization.yaml:" in done.out
    done = harden("apply", ".", "--only", "pin-image-digest,pin-patch-image")
    assert shown(tree, "web-patch.yaml") == f"r.example/web:1.2.3@{WEB.digest}"
    assert f"write r.example/data:7@{DATA.digest} there" in re.sub(r"\s+", " ", done.out)


def test_a_registry_that_lets_nobody_in_leaves_the_manifest(tree: Path, harden: Harden) -> None:
    with answering(lambda asked: Reply(401)) as host:
        write(tree, {".harden.yaml": f"registries: {{r.example: {{mirrors: ['{host}']}}}}\n"})
        done = harden("lock", "web.yaml")
    assert (done.status, "(401)" in done.out) == (1, True), done.all
    before = shown(tree)
    for profile in ("restricted", "strict"):
        done = harden("apply", "web.yaml", "--profile", profile, "--only", "pin-image-digest")
        assert (done.status, shown(tree)) == (0, before)
        assert "run harden lock PATH" in done.out
    assert harden("lock", "web.yaml", "--frozen").status == 1, "what a pipeline asks"


def test_an_image_that_only_some_overlays_replace_is_looked_up(tree: Path, harden: Harden) -> None:
    write(tree, {
        "k/base/app.yaml": deployment("app", "r.example/data:7"),
        "k/base/kustomization.yaml": "resources: [app.yaml]\n",
        "k/prod/kustomization.yaml": "resources: [../base]\nimages: [{name: r.example/data, newTag: '8'}]\n",
    })  # fmt: skip
    assert [row["image"] for row in json.loads(harden("images", "k", "--format", "json").out)["images"]] == [
        "r.example/data:8"
    ]
    write(tree, {"k/staging/kustomization.yaml": "resources: [../base]\n"})
    assert [row["image"] for row in json.loads(harden("images", "k", "--format", "json").out)["images"]] == [
        "r.example/data:7", "r.example/data:8",
    ]  # fmt: skip
