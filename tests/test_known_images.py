"""What is known of an image where several sources speak of it, and what is made of that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.images.known_image import known_image
from hardener.facts.images.ledger import ImageLedger
from hardener.tree.tree import Tree
from tests.conftest import Harden, write

IMAGE = "registry.example.com/shop/web:1"
BUILD = {"skaffold.yaml": "build: {artifacts: [{image: registry.example.com/shop/web, context: web}]}\n"}


def deployment(name: str, *containers: dict[str, Any], **spec: Any) -> str:
    """A Deployment of containers of ``IMAGE``, where they have no other."""
    named = [{"name": f"c{number}", "image": IMAGE, **each} for number, each in enumerate(containers)]
    template = {"metadata": {"labels": {"app": name}}, "spec": {**spec, "containers": named}}
    return yaml.safe_dump({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    })  # fmt: skip


def claim(name: str, *modes: str) -> str:
    spec = {"accessModes": list(modes), "resources": {"requests": {"storage": "1Gi"}}}
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}
    )


def of_claims(*names: str) -> dict[str, Any]:
    return {"volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]}


def mounted(*names: str) -> dict[str, Any]:
    return {"volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in names]}


def known(folder: Path, files: dict[str, str]) -> ImageLedger:
    """What is known of the first container of `app.yaml`."""
    from hardener.commands.run import Choices, plan_of

    write(folder, files)
    root = str(folder.resolve())
    tree = Tree.read([root], root=root, settings=plan_of(Choices(), root).settings)
    pods = [pod for pod in tree.pod_templates if pod.object.piece.file.path.endswith("/app.yaml")]
    return known_image(pods[0].containers[0])


def hardened(harden: Harden, folder: Path, files: dict[str, str], *arguments: str) -> dict[str, Any]:
    """The pod of `app.yaml` as ``apply`` leaves it; a second run changes nothing."""
    write(folder, files)
    for _ in range(2):
        text = (folder / "app.yaml").read_text(encoding="utf-8")
        harden("apply", ".", "--only", "run-as-user,run-as-non-root,fs-group", *arguments)
    assert (folder / "app.yaml").read_text(encoding="utf-8") == text
    found: dict[str, Any] = yaml.safe_load(text)["spec"]["template"]["spec"]
    return found


def numbers(pod: dict[str, Any]) -> list[int | None]:
    """The number that each container runs as, then the group of the volumes."""
    own = pod.get("securityContext", {})
    of = [each.get("securityContext", {}).get("runAsUser", own.get("runAsUser")) for each in pod["containers"]]
    return [*of, own.get("fsGroup")]


NAMED = {**BUILD, "web/Dockerfile": "FROM example.com/base\nUSER app\n"}
WRITTEN = {"other.yaml": deployment("other", {"securityContext": {"runAsUser": 1234}})}
NUMBER_ALONE = {".harden.yaml": f"images: [{{match: {IMAGE.partition(':')[0]}, uid: 4711, any-user: true}}]\n"}
OWN_ROW = {".harden.yaml": f"images: [{{match: {IMAGE.partition(':')[0]}, user: root, uid: 4711}}]\n"}


@pytest.mark.parametrize(
    ("files", "user", "uid"),
    [
        # A person's number for the same image is no less known where the Dockerfile has a name, or nothing plain.
        (NAMED, "app", None),
        ({**NAMED, **WRITTEN}, "app", 1234),
        ({**BUILD, **WRITTEN, "web/Dockerfile": "FROM example.com/base\nARG WHO\nUSER $WHO\n"}, None, 1234),
        ({"other.yaml": deployment("other", {"securityContext": {"runAsUser": True}})}, None, None),
        ({"other.yaml": deployment("other", {"securityContext": {"runAsUser": 2**31}})}, None, None),  # refused
        # The base of a Dockerfile says less than a row of the user for the image itself.
        ({**BUILD, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\n"}, "101", 101),
        ({**BUILD, **OWN_ROW, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\n"}, "root", 4711),
        ({**BUILD, **OWN_ROW, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\nUSER 7\n"}, "7", 7),
        # A row without a user says nothing of the numbers of another one.
        ({**BUILD, **NUMBER_ALONE, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\n"}, "101", 101),
        ({**BUILD, **NUMBER_ALONE, "web/Dockerfile": "FROM debian:12\nENTRYPOINT [server]\n"}, "root", None),
    ],
)
def test_the_stronger_source_speaks(files: dict[str, str], user: str | None, uid: int | None, tmp_path: Path) -> None:
    found = known(tmp_path, {"app.yaml": deployment("app", {}), **files})
    assert (found.user_name, found.uid) == (user, uid)


RWO, RWX = "ReadWriteOnce", "ReadWriteMany"
GUESSING = ("--max-grade", "guess")


@pytest.mark.parametrize(
    ("pod", "claims", "expected"),
    [
        # A claim that the tree shows as one of one node is opened by its group.
        (deployment("app", mounted("a"), **of_claims("a")), [claim("a", RWO)], [65532, 65532]),
        (deployment("app", mounted("a"), **of_claims("a")), [claim("a", RWX)], [None, None]),
        (deployment("app", mounted("a"), **of_claims("a")), [], [None, None]),
        # An fsGroup is one for each volume of the pod, so that of a neighbour holds it.
        (deployment("app", mounted("a"), mounted("b"), **of_claims("a", "b")), [claim("a", RWO), claim("b", RWX)],
         [None, None, None]),
        (deployment("app", {}, mounted("b"), **of_claims("b")), [claim("b", RWX)], [65532, None, None]),
        (deployment("app", mounted("a"), mounted("b"), **of_claims("a", "b")), [claim("a", RWO), claim("b", RWO)],
         [65532, 65532, 65532]),
        # The user of an image is a better group than a number that is chosen for want of one.
        (deployment("app", mounted("a"), {"image": "nginx:1.27", **mounted("b")}, **of_claims("a", "b")),
         [claim("a", RWO), claim("b", RWO)], [65532, 101, 101]),
        # One that a person wrote opens what it opens already.
        (deployment("app", mounted("a"), securityContext={"fsGroup": 7}, **of_claims("a")), [claim("a", RWX)],
         [65532, 7]),
    ],
)  # fmt: skip
def test_the_volumes_of_a_pod_share_one_group(
    pod: str, claims: list[str], expected: list[int | None], harden: Harden, tmp_path: Path
) -> None:
    files = {"app.yaml": pod, **{f"claim{number}.yaml": text for number, text in enumerate(claims)}}
    assert numbers(hardened(harden, tmp_path, files, *GUESSING)) == expected


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (deployment("app", mounted("a"), **of_claims("a")), [None, None]),
        # What is known of one container is no number of its neighbour, and its group opens what it mounts.
        (deployment("app", mounted("a"), {"image": "nginx:1.27", **mounted("b")}, **of_claims("a", "b")),
         [None, 101, 101]),
        (deployment("app", {}, {"image": "nginx:1.27", **mounted("b")}, **of_claims("b")), [None, 101, 101]),
        (deployment("app", mounted("a"), {"image": "nginx:1.27"}, **of_claims("a")), [None, 101, None]),
        (deployment("app", mounted("a"), securityContext={"fsGroup": 7}, **of_claims("a")), [None, 7]),
    ],
)  # fmt: skip
def test_no_group_is_made_for_a_number_that_is_a_guess(
    pod: str, expected: list[int | None], harden: Harden, tmp_path: Path
) -> None:
    files = {"app.yaml": pod, "a.yaml": claim("a", RWO), "b.yaml": claim("b", RWO)}
    assert numbers(hardened(harden, tmp_path, files)) == expected


def giver(command: list[str], **more: Any) -> dict[str, Any]:
    return {"initContainers": [{"name": "give", "image": "busybox:1.37", "command": command, **mounted("a"), **more}]}


@pytest.mark.parametrize(
    ("command", "uid"),
    [
        (["chown", "-R", "999", "/a"], 999),
        (["sh", "-c", "mkdir -p /a/x && chown 999:998 /a/x"], 999),
        (["chown", "-R", "999:999", "/"], 999),
        (["chown", "--recursive", "+999.999", "/a"], 999),
        (["chown", "999", "/elsewhere"], 65532),
        (["chown", "999", "/"], 65532),  # without -R the volume itself stays what it is
        (["chown", ":999", "/a"], 65532),
        (["chown", "redis", "/a"], 65532),
        (["chown", "0", "/a"], 65532),
        (["chown", "$WHO", "/a"], 65532),
        (["chown", "99999999999", "/a"], 65532),
        (["chown", "-R", "--reference=/etc", "999", "/a"], 65532),
        (["sh", "-c", "chown 999 /a; chown 998 /a"], 65532),  # which of them is not known
        (["chown"], 65532),
    ],
)
def test_a_volume_is_given_to_a_number(command: list[str], uid: int, harden: Harden, tmp_path: Path) -> None:
    pod = deployment("app", mounted("a"), **of_claims("a"), **giver(command))
    files = {"app.yaml": pod, "a.yaml": claim("a", RWO)}
    made = None if uid == 65532 else uid  # the number that is written where nothing else is known is a guess
    assert numbers(hardened(harden, tmp_path, files)) == [made, made]
    assert numbers(hardened(harden, tmp_path, files, *GUESSING)) == [uid, uid]


def evidence(harden: Harden, id: str) -> dict[str, set[str]]:
    """The evidence of each change and held change of ``id``, by the last parts of the path."""
    found = json.loads(harden("diff", ".", "--only", id, "--format", "json").out)
    texts: dict[str, set[str]] = {}
    for record in (*found["changes"], *found["held"]):
        for edit in record.get("edits", [record]):
            place = ".".join(map(str, edit["path"][3:]))
            texts.setdefault(place, set()).update(fact["text"] for fact in record["evidence"])
    return texts


def test_a_given_volume_is_evidence(harden: Harden, tmp_path: Path) -> None:
    pod = deployment("app", mounted("a"), {}, **of_claims("a"), **giver(["chown", "999", "/a"]))
    write(tmp_path, {"app.yaml": pod, "a.yaml": claim("a", RWO)})
    found = evidence(harden, "run-as-user")
    assert found["containers.0.securityContext.runAsUser"] == {
        "container give gives volume a to user 999, so it gets that number"
    }
    assert found["containers.1.securityContext.runAsUser"] == {"the user of its image is not known, so it gets 65532"}


def test_capabilities_of_one_line_are_all_named(harden: Harden, tmp_path: Path) -> None:
    dockerfile = 'FROM debian:12\nRUN setcap cap_net_raw,cap_chown=+ep /bin/x\nUSER 7\nCMD ["/bin/x"]\n'
    write(tmp_path, {"app.yaml": deployment("app", {}), **BUILD, "web/Dockerfile": dockerfile})
    found = evidence(harden, "no-privilege-escalation")
    assert found["containers.0.securityContext.allowPrivilegeEscalation"] == {
        "web/Dockerfile:2: its program carries NET_RAW, CHOWN, and would not get it"
    }


READ_ONLY: dict[str, Any] = {"securityContext": {"readOnlyRootFilesystem": True}}
EMPTY: dict[str, Any] = {"volumes": [{"name": "etc", "emptyDir": {}}, {"name": "data", "emptyDir": {}}]}
BOTH: dict[str, Any] = {
    "volumeMounts": [{"name": "etc", "mountPath": "/etc/web"}, {"name": "data", "mountPath": "/data"}]
}


@pytest.mark.parametrize(
    ("elsewhere", "paths"),
    [
        (deployment("other", {**READ_ONLY, **BOTH}, **EMPTY), ["/etc/web", "/data"]),
        # What another container puts there first would be missing in an empty volume.
        (deployment("other", {**READ_ONLY, **BOTH}, **EMPTY, initContainers=[{"name": "fill", "image": "b", **BOTH}]),
         ["/data"]),
        (deployment("other", {**READ_ONLY, **BOTH}, {"image": "example.com/b", **BOTH}, **EMPTY), ["/data"]),
        (deployment("other", {**READ_ONLY, **BOTH}, volumes=[
            {"name": "etc", "hostPath": {"path": "/etc/web"}}, {"name": "data", "hostPath": {"path": "/data"}}]),
         ["/data"]),
    ],
)  # fmt: skip
def test_a_volume_that_somebody_fills_shows_no_place_for_an_empty_one(
    elsewhere: str, paths: list[str], tmp_path: Path
) -> None:
    found = known(tmp_path, {"app.yaml": deployment("app", {}), "other.yaml": elsewhere})
    assert [path.value for path in found.writable] == paths


CONSUL, VAULT, MINIO = "hashicorp/consul:1.17.0", "hashicorp/vault:1.15.2", "minio/minio:RELEASE.2024-01-01T00-00-00Z"
ALONE = "it starts as root only"
# A container, and what shows that it starts as root only.
STARTS: dict[str, tuple[dict[str, Any], str | None]] = {
    "a variable would change it": (
        {"image": CONSUL},
        f"{ALONE}, unless CONSUL_DISABLE_PERM_MGMT is set: set that together with the user",
    ),
    "the variable is set, to nothing": (
        {"image": CONSUL, "env": [{"name": "CONSUL_DISABLE_PERM_MGMT", "value": ""}]}, None,
    ),
    "its value stands elsewhere": (
        {"image": VAULT, "env": [{"name": "SKIP_SETCAP", "valueFrom": {"configMapKeyRef": {"name": "v", "key": "k"}}}]},
        None,
    ),
    "the variable must not be empty": (
        {"image": VAULT, "env": [{"name": "SKIP_SETCAP", "value": ""}]},
        f"{ALONE}, unless SKIP_SETCAP is set: set that together with the user",
    ),
    "its entrypoint does not run": ({"image": CONSUL, "command": ["consul", "agent", "-dev"]}, None),
    "nothing would change it": ({"image": "gitea/gitea:1.21.0"}, ALONE),
    "it copes": ({"image": MINIO}, None),
    "a variable makes it need root": (
        {"image": MINIO, "env": [{"name": "MINIO_USERNAME", "value": "app"}]},
        "where MINIO_USERNAME is set, it starts as root only",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("container", "fact"), STARTS.values(), ids=STARTS)
def test_a_start_as_root_holds_the_user_back(
    container: dict[str, Any], fact: str | None, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"app.yaml": deployment("app", container)})
    done = harden("diff", ".", "--only", "run-as-user", "--format", "json")
    found = [each["text"] for held in json.loads(done.out)["held"] for each in held["evidence"]]
    assert [text for text in found if ALONE in text] == ([f"image table: {fact}"] if fact else [])


def test_a_read_only_root_that_a_setting_allows(tmp_path: Path) -> None:
    assert [read_only(tmp_path, VAULT, env) for env in ([], [{"name": "SKIP_SETCAP", "value": "1"}])] == [False, True]


def read_only(folder: Path, image: str, env: list[dict[str, str]]) -> bool | None:
    found = known(folder, {"app.yaml": deployment("app", {"image": image, "env": env})}).read_only
    return found.value if found is not None else None


@pytest.mark.parametrize(
    ("command", "whole"), [([], True), (["/bin/web", "--port=80"], True), (["sh", "-c", "server"], False)]
)
def test_all_places_are_known_where_the_row_says_so(command: list[str], whole: bool, tmp_path: Path) -> None:
    rows = f"images: [{{match: {IMAGE.partition(':')[0]}, writable: [/data], writes-complete: true}}]\n"
    found = known(tmp_path, {"app.yaml": deployment("app", {"command": command}), ".harden.yaml": rows})
    assert found.paths is not None and (found.paths.value, found.paths.whole) == (("/data",), whole)


def test_a_number_that_its_maintainers_set_is_no_sure_one(tmp_path: Path) -> None:
    found = known(tmp_path, {"app.yaml": deployment("app", {"image": "cr.l5d.io/linkerd/web:stable"})})
    assert found.uid == 2103 and found.number is not None and not found.number.sure
    assert found.number.text == "image table: the manifests of its maintainers run it as 2103"


def test_files_of_a_base_are_hidden_by_no_volume(tmp_path: Path) -> None:
    files = {**BUILD, "web/Dockerfile": "FROM golang:1.22\nENTRYPOINT [server]\n", "app.yaml": deployment("app", {})}
    assert "/go" in [path.value for path in known(tmp_path, files).filled]


def test_who_read_all_places_knows_more_than_a_container_with_some(tmp_path: Path) -> None:
    hardened = {"securityContext": {"readOnlyRootFilesystem": True}, "image": "redis:7", **mounted("other")}
    files = {"app.yaml": deployment("app", {"image": "redis:7"}), "other.yaml": deployment("other", hardened)}
    found = known(tmp_path, files)
    assert found.paths is not None and found.paths.whole
    assert {path.value for path in found.writable} == {"/data", "/other"}
