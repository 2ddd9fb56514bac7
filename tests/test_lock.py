"""harden.lock: what is read from it, what it is found by, and what is said when it is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hardener.errors import InputError
from hardener.kubernetes.images.config import UNKNOWN, ImageConfig
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.reference import parse
from hardener.lock import model
from tests.conftest import DEPLOYMENT, Harden, commit, write

A, B, C = (f"sha256:{digit * 64}" for digit in "abc")
LOCK = f"""\
version: 1
generated-by: harden 0.1.0
images:
  nginx:1.27:
    digest: {A}
    mediaType: application/vnd.oci.image.index.v1+json
    platforms: [linux/amd64, linux/arm64]
    config:
      user: 101
      exposedPorts: [80/tcp, 8080]
      volumes: [/data]
      entrypoint: [/docker-entrypoint.sh]
      cmd: [nginx]
      workingDir: /
      env: [PATH, NGINX_VERSION]
      created: 2026-11-01T00:00:00Z
  redis: {{digest: {B}}}
  docker.io/library/redis:7: {{digest: {C}}}
  registry.example.com:5000/app:1.0: {{digest: {A}, mediaType: application/vnd.oci.image.manifest.v1+json}}
  busybox:1@{C}: {{digest: {C}}}
"""


def loaded(folder: Path, text: str) -> model.Lock:
    (folder / "harden.lock").write_text(text, encoding="utf-8")
    found = model.load(str(folder))
    assert found is not None
    return found


FILES = """\
version: 1
images:
  a:1:
    digest: DIGEST
    files:
      platform: linux/amd64
      uid: 101
      gid: 102
      starts: [/usr/bin/caddy]
      script: true
      capabilities: {/usr/bin/caddy: NET_BIND_SERVICE=ep}
      setuid: [/usr/bin/su]
      writer: 65532
      empty: [/var/cache/caddy]
      occupied: [/srv]
  b:1: {digest: DIGEST, files: {}}
  c:1: {digest: DIGEST}
""".replace("DIGEST", A)


def test_what_is_read_of_the_files_of_images(tmp_path: Path) -> None:
    images = loaded(tmp_path, FILES).images
    carried = (("/usr/bin/caddy", "NET_BIND_SERVICE=ep"),)
    assert images["a:1"].files == ImageFiles(
        "linux/amd64", 101, 102, ("/usr/bin/caddy",), True, carried, ("/usr/bin/su",), 65532, ("/var/cache/caddy",),
        ("/srv",),
    )  # fmt: skip
    assert (images["b:1"].files, images["c:1"].files) == (ImageFiles(), None)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ("{uid: nginx}", "a:1: Expected `int | null`, got `str` - at `uid`"),
        (
            "{owner: 1}",
            "a:1: Object contains unknown field owner: its keys are platform, uid, gid, groups, starts, script",
        ),
        ("[1]", "a:1: Expected object | null, got array"),
    ],
)
def test_files_that_are_none(tmp_path: Path, files: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, f"version: 1\nimages:\n  a:1: {{digest: {A}, files: {files}}}\n")
    assert problem.replace("`", "") in str(caught.value)
    assert "harden.lock:3: " in str(caught.value)


def test_no_lock_is_none(tmp_path: Path) -> None:
    assert model.load(str(tmp_path)) is None


def test_what_is_read(tmp_path: Path) -> None:
    images = loaded(tmp_path, LOCK).images
    config = ImageConfig(
        "101", ("80/tcp", "8080"), ("/data",), "2026-11-01T00:00:00Z", ("/docker-entrypoint.sh",), ("nginx",)
    )
    platforms = ("linux/amd64", "linux/arm64")
    index = "application/vnd.oci.image.index.v1+json"
    assert images["nginx:1.27"] == model.LockedImage(A, index, platforms, config)
    assert images["redis"] == model.LockedImage(B, None, (), UNKNOWN)


@pytest.mark.parametrize(
    ("image", "digest"),
    [
        ("nginx:1.27", A),
        ("docker.io/nginx:1.27", A),
        ("index.docker.io/library/nginx:1.27", A),
        ("nginx", None),
        ("nginx:1.28", None),
        ("quay.io/nginx:1.27", None),
        ("redis", B),
        ("redis:latest", B),
        ("redis:7", C),
        ("registry.example.com:5000/app:1.0", A),
        ("registry.example.com/app:1.0", None),
        # What is known of a digest says nothing of the tag beside it.
        ("busybox:1", None),
        (f"busybox:1@{C}", C),
        (f"busybox@{C}", C),
        # With a digest, an image is the one of the lock only if it is that one.
        (f"nginx:1.27@{A}", A),
        (f"nginx@{A}", A),
        (f"nginx:1.27@{B}", None),
        (f"redis:9@{B}", B),
        # What is filled in later may be anything.
        ("nginx:${TAG}", None),
        ("${REGISTRY}/nginx:1.27", None),
    ],
)
def test_what_an_image_is_found_by(image: str, digest: str | None, tmp_path: Path) -> None:
    reference = parse(image)
    assert reference is not None
    found = loaded(tmp_path, LOCK).find(reference)
    assert (found.digest if found else None) == digest


MOVED = f"""\
version: 1
images:
  nginx:1.27: {{digest: {C}, previous: [{B}, {A}]}}
  nginx:stable: {{digest: {B}, previous: [{A}]}}
  quay.io/app:1: {{digest: {B}, previous: [{A}]}}
  quay.io/app:2: {{digest: {C}, previous: [{C}]}}
  nginx:1.27@{A}: {{digest: {A}}}
  nginx: {{digest: {C}}}
  docker.io/library/nginx:latest: {{digest: {A}, previous: [{B}]}}
"""


@pytest.mark.parametrize(
    ("image", "successor"),
    [
        (f"nginx:1.27@{A}", C),
        (f"nginx:1.27@{B}", C),
        (f"docker.io/library/nginx:1.27@{A}", C),
        (f"nginx:stable@{A}", B),
        (f"quay.io/app@{A}", B),
        # It is what the tag names, or the lock never had it there.
        (f"nginx:1.27@{C}", None),
        (f"nginx:1.26@{A}", None),
        (f"quay.io/app:2@{C}", None),
        (f"quay.io/other:1@{A}", None),
        (f"nginx:latest@{B}", None),  # of a name that is in the lock twice, the first counts
        # Without a tag: two tags had it, or one has it.
        (f"nginx@{A}", None),
        (f"nginx@{B}", None),
        (f"quay.io/app@{C}", None),
        ("nginx:1.27", None),
    ],
)
def test_what_took_the_place_of_a_digest(image: str, successor: str | None, tmp_path: Path) -> None:
    reference, held = parse(image), loaded(tmp_path, MOVED)
    assert reference is not None
    found = held.successor(reference)
    assert (found.digest if found else None) == successor
    if found is not None:
        assert held.find(reference) is found, "its facts are those of the image that will run"


@pytest.mark.parametrize(
    ("media_type", "one"),
    [
        (None, False),
        ("application/vnd.oci.image.index.v1+json", False),
        ("application/vnd.docker.distribution.manifest.list.v2+json", False),
        ("application/vnd.oci.image.manifest.v1+json", True),
        ("application/vnd.docker.distribution.manifest.v2+json", True),
    ],
)
def test_a_digest_of_one_platform(media_type: str | None, one: bool) -> None:
    assert model.LockedImage(A, media_type).is_one_platform is one


ENTRY = "version: 1\nimages:\n  nginx:1.27: "
WRONG = [
    ("", "1: a lock is one mapping with the keys version, generated-by, images and charts"),
    ("- nginx", "1: a lock is one mapping with the keys version, generated-by, images and charts"),
    ("images: {}", "1: Object missing required field version: a lock has the keys version"),
    ("version: 2", "1: version is 2, this harden reads 1: update harden"),
    ("version: 1\nimage: {}", "1: Object contains unknown field image: a lock has the keys"),
    ("version: 1\nimages: [a]", "1: Expected object, got array - at images: a lock has the keys"),
    ("version: 1\nimages:\n  NGINX: {}", "3: NGINX is no image: write repository:tag as in the manifest"),
    ("version: 1\nimages:\n  a:${B}: {}", "3: a:${B} is no image: write repository:tag"),
    (
        f"version: 1\nimages:\n  a@{A}: {{digest: '{B}'}}",
        f"3: a@{A}: digest is not the one of its name: write that one",
    ),
    (ENTRY + "{}", "3: nginx:1.27: Object missing required field digest: its keys are digest, mediaType, platforms"),
    (ENTRY + "{digest: 1.27}", "3: nginx:1.27: Expected str, got float - at digest"),
    (ENTRY + f"{{digest: '{A}', previous: [x]}}", "3: nginx:1.27: digest is no digest: write sha256: and the 64"),
    (ENTRY + "{digest: 'sha256:12'}", "3: nginx:1.27: digest is no digest: write sha256: and the 64 hexadecimal"),
    (ENTRY + f"{{digest: '{A}', tag: x}}", "3: nginx:1.27: Object contains unknown field tag: its keys are digest"),
    (
        ENTRY + f"\n    digest: {A}\n    config: {{Volumes: []}}",
        "5: nginx:1.27: Object contains unknown field Volumes: its keys are user, exposedPorts, volumes",
    ),
    (ENTRY + "{digest: [}", "3: not valid YAML"),
    (ENTRY + "{digest: {{ x }}}", "3: "),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_a_wrong_lock_is_one_line_and_exit_2(text: str, message: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"harden.lock": text, "web.yaml": DEPLOYMENT})
    commit(tmp_path)
    done = harden("apply", ".")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"harden: harden.lock:{message}") and done.err.count("\n") == 1
    with pytest.raises(InputError):
        model.load(str(tmp_path))


def test_not_utf_8(harden: Harden, tmp_path: Path) -> None:
    (tmp_path / "harden.lock").write_bytes(b"\xff\xfe")
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    assert harden("diff", ".").err == "harden: harden.lock: cannot be read: not UTF-8\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("command", ["lock", "images", "diff"])
@pytest.mark.parametrize(
    ("make", "problem"), [(os.mkdir, "Is a directory"), (os.mkfifo, "not a regular file")], ids=["folder", "pipe"]
)
def test_what_is_no_file(
    command: str, make: Callable[[Path], None], problem: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    make(tmp_path / "harden.lock")
    done = harden(command)
    assert (done.status, done.out, done.err) == (2, "", f"harden: harden.lock: cannot be read: {problem}\n")


def test_the_lock_of_the_git_root_counts_wherever_one_stands(harden: Harden, tmp_path: Path) -> None:
    text = f"version: 1\nimages:\n  example.com/web:1.2.3: {{digest: {A}}}\n"
    write(tmp_path, {"harden.lock": text, "deep/down/web.yaml": DEPLOYMENT, "deep/harden.lock": "nonsense"})
    commit(tmp_path)
    assert harden("apply", "deep/down").status == 0
    assert f"image: example.com/web:1.2.3@{A}\n" in (tmp_path / "deep/down/web.yaml").read_text()


def test_a_stream_is_pinned_too(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"harden.lock": f"version: 1\nimages:\n  example.com/web:1.2.3: {{digest: {A}}}\n"})
    done = harden("filter", stdin=DEPLOYMENT.encode())
    assert f"image: example.com/web:1.2.3@{A}\n" in done.out


def test_images_that_are_not_pinned_are_one_line_and_one_finding_each(harden: Harden, tmp_path: Path) -> None:
    other = DEPLOYMENT.replace("web:1.2.3", "api:2.0.0")
    write(tmp_path, {"a.yaml": DEPLOYMENT, "b.yaml": DEPLOYMENT + "---\n" + other})
    commit(tmp_path)
    arguments = ["diff", ".", "--only", "pin-image-digest"]
    text = harden(*arguments).err
    assert "low K01 pin-image-digest  2 images not pinned: run harden lock PATH (-v names them)\n" in text
    assert "example.com" not in text
    report = json.loads(harden(*arguments, "--format", "json").out)
    assert [(item["file"], item["message"].split()[1]) for item in report["findings"]] == [
        ("a.yaml", "example.com/web:1.2.3"),
        ("b.yaml", "example.com/api:2.0.0"),
    ]
    assert "image example.com/api:2.0.0 is not pinned" in harden(*arguments, "-v").err


def test_pinning_has_a_number_of_its_own_in_the_list_of_2022(harden: Harden, tmp_path: Path) -> None:
    text = f"version: 1\nimages:\n  example.com/web:1.2.3: {{digest: {A}}}\n"
    write(tmp_path, {"harden.lock": text, "web.yaml": DEPLOYMENT})
    report = json.loads(harden("diff", ".", "--only", "pin-image-digest", "--format", "json").out)
    assert [(change["risk"], change["risk2022"]) for change in report["changes"]] == [("K01", "K02")]
    assert "In the 2022 list: K02" in harden("explain", "pin-image-digest").out


@pytest.mark.parametrize(
    ("option", "image"),
    [
        ((), f"nginx:1.27@{A}"),
        (("--pin-format", "tag-digest"), f"nginx:1.27@{A}"),
        (("--pin-format", "digest-only"), f"nginx@{A}"),
        (("--set", "images.pin-format=tag-digest", "--pin-format", "digest-only"), f"nginx@{A}"),
    ],
)
def test_the_form_of_a_pin(option: tuple[str, ...], image: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"harden.lock": LOCK, "web.yaml": DEPLOYMENT.replace("example.com/web:1.2.3", "nginx:1.27")})
    commit(tmp_path)
    assert harden("apply", ".", "--only", "pin-image-digest", *option).status == 0
    assert f"image: {image}\n" in (tmp_path / "web.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["images.pin-format=short", "images.tags=some"])
def test_options_have_few_values(option: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("diff", ".", "--set", option)
    assert done.status == 2 and option.partition("=")[0] in done.err


def test_a_kustomization_is_a_file_and_a_document_once(harden: Harden, tmp_path: Path) -> None:
    text = f"version: 1\nimages:\n  ghcr.io/acme/web:1.4.2: {{digest: {A}}}\n"
    images = "resources: [web.yaml]\nimages:\n- name: example.com/web\n  newName: ghcr.io/acme/web\n  newTag: 1.4.2\n"
    write(tmp_path, {"harden.lock": text, "web.yaml": DEPLOYMENT, "kustomization.yaml": images})
    commit(tmp_path)
    done = harden("apply", ".", "--only", "pin-image-digest,pin-kustomize-image")
    assert done.out.startswith("hardened 1 file: 1 edit\n2 files, 2 documents; ")
    assert (tmp_path / "kustomization.yaml").read_text() == images + f"  digest: {A}\n"
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT
    assert harden("diff", ".", "--only", "pin-image-digest,pin-kustomize-image").status == 0


def test_only_the_kustomization_of_the_paths_is_changed(harden: Harden, tmp_path: Path) -> None:
    text = f"version: 1\nimages:\n  example.com/web:2.0.0: {{digest: {A}}}\n  example.com/web:1.2.3: {{digest: {B}}}\n"
    images = "resources: [../base]\nimages:\n- name: example.com/web\n  newTag: 2.0.0\n"
    base = {"base/web.yaml": DEPLOYMENT, "base/kustomization.yaml": "resources: [web.yaml]\n"}
    write(tmp_path, {"harden.lock": text, "prod/kustomization.yaml": images, **base})
    commit(tmp_path)
    done = harden("apply", "base", "--only", "pin-image-digest,pin-kustomize-image", "-v")
    assert "prod/kustomization.yaml replaces it: write newTag and digest there" in done.out
    assert (tmp_path / "base/web.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "prod/kustomization.yaml").read_text() == images
