"""What is known of an image where several sources speak of it, and what is made of that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.images.known_image import known_image
from hardener.kubernetes.image_config import ImageFacts
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


def known(folder: Path, files: dict[str, str]) -> ImageFacts:
    """What is known of the first container of `app.yaml`."""
    from hardener.commands.run import Choices, plan_of

    write(folder, files)
    root = str(folder.resolve())
    tree = Tree.read([root], root=root, settings=plan_of(Choices(), root).settings)
    pods = [pod for pod in tree.pod_templates if pod.object.piece.file.path.endswith("/app.yaml")]
    return known_image(pods[0].containers[0])


NAMED = {**BUILD, "web/Dockerfile": "FROM example.com/base\nUSER app\n"}
WRITTEN = {"other.yaml": deployment("other", {"securityContext": {"runAsUser": 1234}})}
OWN_ROW = {".harden.yaml": f"images: [{{match: {IMAGE.partition(':')[0]}, user: root, uid: 4711}}]\n"}


@pytest.mark.parametrize(
    ("files", "user", "uid"),
    [
        # A person's number for the same image is no less known where the Dockerfile has a name, or nothing plain.
        (NAMED, "app", None),
        ({**NAMED, **WRITTEN}, "app", 1234),
        ({**BUILD, **WRITTEN, "web/Dockerfile": "FROM example.com/base\nARG WHO\nUSER $WHO\n"}, None, 1234),
        # The base of a Dockerfile says less than a row of the user for the image itself.
        ({**BUILD, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\n"}, "101", 101),
        ({**BUILD, **OWN_ROW, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\n"}, "root", 4711),
        ({**BUILD, **OWN_ROW, "web/Dockerfile": "FROM nginxinc/nginx-unprivileged:1.27\nUSER 7\n"}, "7", 7),
    ],
)
def test_the_stronger_source_speaks(files: dict[str, str], user: str | None, uid: int | None, tmp_path: Path) -> None:
    found = known(tmp_path, {"app.yaml": deployment("app", {}), **files})
    assert (found.user, found.uid) == (user, uid)


def evidence(harden: Harden, id: str) -> dict[str, set[str]]:
    """The evidence of each change and held change of ``id``, by the last parts of the path."""
    found = json.loads(harden("diff", ".", "--only", id, "--format", "json").out)
    texts: dict[str, set[str]] = {}
    for record in (*found["changes"], *found["held"]):
        for edit in record.get("edits", [record]):
            place = ".".join(map(str, edit["path"][3:]))
            texts.setdefault(place, set()).update(fact["text"] for fact in record["evidence"])
    return texts


def test_capabilities_of_one_line_are_all_named(harden: Harden, tmp_path: Path) -> None:
    dockerfile = 'FROM debian:12\nRUN setcap cap_net_raw,cap_chown=+ep /bin/x\nUSER 7\nCMD ["/bin/x"]\n'
    write(tmp_path, {"app.yaml": deployment("app", {}), **BUILD, "web/Dockerfile": dockerfile})
    found = evidence(harden, "no-privilege-escalation")
    assert found["containers.0.securityContext.allowPrivilegeEscalation"] == {
        "web/Dockerfile:2: its program carries NET_RAW, CHOWN, which it would not get"
    }
