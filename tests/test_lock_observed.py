"""What harden observe saw, in harden.lock: read, written, kept, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hardener.errors import InputError
from hardener.kubernetes.images.reference import parse
from hardener.lock import model, writer
from hardener.lock.observed import Observation, merged, runs_of

A, B = (f"sha256:{digit * 64}" for digit in "ab")
FULL = Observation(
    A, runs_of(("nginx",), (), ["PORT"]), "Deployment/web", "web", "2026-11-28", "podman 5.4.2", 20, False, 0, (0, 1),
    ("/run", "/srv"), ("/srv",), ("80/tcp",), ("CHOWN",), 35651584, False, ("Service/cache:6379", "kubernetes"),
    {"read-only-root-filesystem": ("securityContext.readOnlyRootFilesystem=true",)},
    {"run-as-user": ("pod.securityContext.runAsUser=101", 'volumeMounts+={"mountPath":"/tmp","name":"w"}')},
    {"run-as-user": "chown: Operation not permitted # really"},
    ("/var/lib/web",), ("80/tcp GET / 200",), ("sleep 45 was not over",), needs=("CHOWN",),
)  # fmt: skip
BARE = Observation(A, "0" * 16, "CronJob/clean", "clean", "2026-11-28", "docker 28.1", 5)
STANZA = f"""\
# by hand
version: 1
images:
  # the front
  nginx:1.27:
    digest: {A}   # as pinned
    config: {{user: ""}}
    previous: [{B}]
    keep: true
  redis:7: {{digest: {B}}}
"""


def written(folder: Path, text: str = STANZA) -> str:
    (folder / "harden.lock").write_text(text, encoding="utf-8")
    return str(folder)


def text_of(folder: Path) -> str:
    return (folder / "harden.lock").read_text(encoding="utf-8")


def seen(folder: str, image: str) -> tuple[Observation, ...]:
    lock = model.load(folder)
    assert lock is not None
    return lock.images[image].observed


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    root = written(tmp_path)
    writer.save_observed(root, {"nginx:1.27": [FULL, BARE]})
    assert seen(root, "nginx:1.27") == (BARE, FULL)  # by workload
    assert seen(root, "redis:7") == ()


def test_a_file_of_the_root_is_written_and_read(tmp_path: Path) -> None:
    """The lock that harden writes is one that it reads: else nothing in the tree could be hardened any more."""
    root = written(tmp_path)
    run = replace(BARE, wrote=("/",), occupied=("/",))
    writer.save_observed(root, {"nginx:1.27": [run]})
    assert seen(root, "nginx:1.27") == (run,)


def test_it_stands_behind_the_config_and_all_else_keeps_its_bytes(tmp_path: Path) -> None:
    writer.save_observed(written(tmp_path), {"nginx:1.27": [BARE]})
    entry = f"""\
    observed:
    - digest: {A}
      runs: "0000000000000000"
      workload: CronJob/clean
      container: clean
      date: "2026-11-28"
      engine: docker 28.1
      seconds: 5
"""
    head, tail = STANZA.split("    previous:")
    assert text_of(tmp_path) == f"{head}{entry}    previous:{tail}"


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    root = written(tmp_path)
    writer.save_observed(root, {"nginx:1.27": [FULL, BARE]})
    before = text_of(tmp_path)
    writer.save_observed(root, {"nginx:1.27": [BARE], "redis:7": []})
    assert text_of(tmp_path) == before


def test_what_ran_the_same_is_replaced_and_comments_of_others_stay(tmp_path: Path) -> None:
    root = written(tmp_path)
    writer.save_observed(root, {"nginx:1.27": [FULL, replace(BARE, digest=B)]})
    (tmp_path / "harden.lock").write_text(text_of(tmp_path).replace("podman 5.4.2", "podman 5.4.2  # mine"), "utf-8")
    writer.save_observed(root, {"nginx:1.27": [replace(BARE, seconds=60)]})
    assert seen(root, "nginx:1.27") == (replace(BARE, seconds=60), FULL)
    assert "podman 5.4.2  # mine" in text_of(tmp_path)


def test_containers_that_run_the_same_are_one_entry(tmp_path: Path) -> None:
    """A sidecar of two workloads: what one of them did, it does; what one did not stand, it does not."""
    root = written(tmp_path)
    one = replace(
        BARE, workload="Deployment/a", user=1, groups=(1,), wrote=("/run",), memory=5, token=False, seconds=20,
        held={"x": ("a=1",), "y": ("b=1",)},
    )  # fmt: skip
    other = replace(
        BARE, workload="Deployment/b", user=1, groups=(2,), wrote=("/run", "/srv"), memory=7, token=True,
        connects=("kubernetes",), held={"x": ("a=1", "a=2")}, failed={"y": ("b=1",)}, because={"y": "no"},
    )  # fmt: skip
    writer.save_observed(root, {"nginx:1.27": [other, one, replace(other, digest=B, runs="1" * 16)]})
    expected = replace(
        one, groups=(), wrote=("/run", "/srv"), memory=7, token=True, connects=("kubernetes",), seconds=5,
        held={"x": ("a=1", "a=2"), "y": ("b=1",)}, failed={"y": ("b=1",)}, because={"y": "no"},
    )  # fmt: skip
    assert seen(root, "nginx:1.27")[0] == expected
    lock = model.load(root)
    assert lock is not None
    image = lock.images["nginx:1.27"]
    assert [lock.seen(image, runs) for runs in ("0" * 16, "1" * 16, "2" * 16)] == [expected, None, None]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [(True, None, True), (None, True, True), (False, None, None), (False, False, False), (None, None, None)],
)
def test_a_token_of_two(one: bool | None, other: bool | None, both: bool | None) -> None:
    (found,) = merged([], [replace(BARE, token=one), replace(BARE, workload="X/x", token=other)])
    assert found.token is both


def test_an_image_that_is_not_there_comes_in_with_its_digest(tmp_path: Path) -> None:
    writer.save_observed(str(tmp_path), {"ghcr.io/acme/app:1": [BARE]})
    lock = model.load(str(tmp_path))
    assert lock is not None
    assert (lock.images["ghcr.io/acme/app:1"].digest, lock.images["ghcr.io/acme/app:1"].observed) == (A, (BARE,))


def test_in_memory_it_is_the_same(tmp_path: Path) -> None:
    root, found = written(tmp_path), {"nginx:1.27": [FULL], "redis:7": [BARE], "ghcr.io/acme/app:1": [BARE], "x:1": []}
    lock = model.load(root)
    assert lock is not None
    with_it = lock.with_observed(found)
    assert all(not image.observed for image in lock.images.values())  # another lock
    image = parse(f"nginx@{A}")
    assert image is not None
    found_there = with_it.find(image)
    assert found_there is not None and found_there.observed == (FULL,)
    writer.save_observed(root, found)
    again = model.load(root)
    assert again is not None and again.images == with_it.images


@pytest.mark.parametrize("digest", [A, B], ids=["same-digest", "moved"])
def test_lock_keeps_it(digest: str, tmp_path: Path) -> None:
    root = written(tmp_path)
    writer.save_observed(root, {"nginx:1.27": [FULL]})
    writer.save(root, {"nginx:1.27": {"digest": digest, "mediaType": "application/vnd.oci.image.index.v1+json"}})
    assert seen(root, "nginx:1.27") == (FULL,)
    writer.save_files(root, {"nginx:1.27": (digest, {"platform": "linux/amd64"})})
    assert seen(root, "nginx:1.27") == (FULL,)
    assert list(writer.stanzas(root)["nginx:1.27"]) == ["digest", "mediaType", "files", "observed"]


GOOD = {
    "digest": A, "runs": "0" * 16, "workload": "Deployment/web", "container": "web", "date": "2026-11-28",
    "engine": "podman 5.4.2", "seconds": 20,
}  # fmt: skip
KEYS = "its keys are digest, runs, workload, container, date, engine, seconds, cameUp, user, groups, wrote, occupied"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"digest": "sha256:1"}, "digest is no digest: write sha256: and the 64 hexadecimal digits"),
        ({"runs": "x"}, "runs is not 16 hexadecimal digits: run harden observe, which writes them"),
        ({"date": "yesterday"}, "date is no day: write it as 2026-11-28"),
        ({"wrote": ["run"]}, "run is no folder of an image: write it from the root on"),
        ({"occupied": ["/srv/../etc"]}, "/srv/../etc is no folder of an image"),
        ({"memory": -1}, "a number is below 0: run harden observe"),
        ({"user": "root"}, f"Expected int | null, got str - at user: {KEYS}"),
        ({"seen": 1}, f"Object contains unknown field seen: {KEYS}"),
        ({"held": {"run-as-user": "x"}}, f"Expected array, got str - at held[...]: {KEYS}"),
        ({"failed": {"run-as-user": ["x"]}}, "failed: Expected object, got array: its keys are settings, because"),
        ({"failed": {"run-as-user": {"settings": []}}}, "failed: Object missing required field because: its keys are"),
        (None, f"Expected object, got int: {KEYS}"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value)[:40],
)
def test_what_is_wrong_is_one_line_with_its_place(change: dict[str, Any] | None, problem: str, tmp_path: Path) -> None:
    import json

    entry = 7 if change is None else {**GOOD, **change}
    text = (
        f"version: 1\nimages:\n  a:1:\n    digest: {A}\n    observed:\n"
        f"    - {json.dumps(GOOD)}\n    - {json.dumps(entry)}\n"
    )
    with pytest.raises(InputError) as caught:
        model.load(written(tmp_path, text))
    assert str(caught.value).partition("harden.lock:")[2].startswith(f"7: a:1: observed: {problem}")
    assert "\n" not in str(caught.value)


def test_what_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"harden.lock:3: a:1: Expected array, got object - at observed: its keys are"):
        model.load(written(tmp_path, f"version: 1\nimages:\n  a:1: {{digest: {A}, observed: {{}}}}\n"))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (((), (), ["B", "A", "A"]), True),
        (((), (), ["A"]), False),
        ((("x",), (), ["A", "B"]), False),
        (((), ("x",), ["A", "B"]), False),
    ],
)
def test_what_runs_is_command_arguments_and_names(other: Any, same: bool) -> None:
    assert (runs_of((), (), ["A", "B"]) == runs_of(*other)) is same
