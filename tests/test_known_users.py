"""Nothing is lost where the user of an image is known: on the bundles that maintainers hardened by hand, less what they
added, each control is made on as many such containers as before a guess was a grade of its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import WrongShapeError
from hardener.engine import pipeline
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.tree import Tree

from .conftest import SHARED

TRUTH = SHARED / "truth"
# Counted on the state before, without those that are left out.
ALL = os.environ.get("HARDEN_CASES") == "all"
BEFORE = (
    {"runAsNonRoot": 321, "readOnlyRootFilesystem": 319, "drop ALL": 327, "seccompProfile": 332}
    if ALL
    else {"runAsNonRoot": 120, "readOnlyRootFilesystem": 125, "drop ALL": 126, "seccompProfile": 127}  # of each fourth
)
# Of these the sources above say what nobody can know here, or what is not so.
LEFT_OUT = {
    "cartservice": "a name without a registry, which may be anybody's",
    "ghcr.io/home-operations/downflate": "built from scratch, so root",
    "ghcr.io/home-operations/readarr": "one of a pattern, and no row names it",
    "ghcr.io/flaresolverr/flaresolverr": "writes to /app, where its program is: a read-only root speaks against it",
}


def users() -> dict[str, str]:
    """Whether the user of an image is a number, a name or root, by its repository: as ``../shared/images`` looked it up
    for all its tags, then as the Dockerfiles of the bundles say, where a pattern may stand for many."""
    lines = (TRUTH / "dockerfile-users.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line.strip() and not line.startswith("#"))
    found = {_short(image): kind for image, _, kind, *_ in rows}
    for name in ("controllers.yaml", "official.yaml"):
        for row in yaml.safe_load((SHARED / "images" / name).read_text(encoding="utf-8")):
            if "user" in row and "tags" not in row:
                images = row["image"] if isinstance(row["image"], list) else [row["image"]]
                found.update((_short(image), _kind(str(row["user"]))) for image in images)
    return found


def _kind(user: str) -> str:
    user = user.partition(":")[0]
    return "root" if user in ("", "0", "root") else "number" if user.isdecimal() else "name"


def _short(image: str) -> str:
    return image.removeprefix("docker.io/").removeprefix("library/")


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    return _short(name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name)


def controls(container: Container) -> Iterator[str]:
    if container.effective("runAsNonRoot") is True:
        yield "runAsNonRoot"
    if container.get("securityContext", "readOnlyRootFilesystem") is True:
        yield "readOnlyRootFilesystem"
    if "ALL" in container.strings("securityContext", "capabilities", "drop"):
        yield "drop ALL"
    if any(view.get("securityContext", "seccompProfile", "type") for view in (container, container.pod)):
        yield "seccompProfile"


@pytest.mark.slow
@pytest.mark.skipif(not TRUTH.is_dir(), reason="../shared/truth is absent")
def test_no_control_is_lost_where_the_user_is_known() -> None:
    known, made = users(), Counter[str]()
    for case in sorted((TRUTH / "cases").iterdir())[:: 1 if ALL else 4]:
        tree = Tree.read([str(case / "naked")], root=str(case / "naked"))
        pipeline.run(tree, profile.load("restricted"))
        for container in _containers(tree):
            name = _repository(str(container.data.get("image")))
            kind = known.get(name) or next((kind for image, kind in known.items() if fnmatchcase(name, image)), None)
            if kind in ("number", "name") and name not in LEFT_OUT:
                made.update(["containers", *_made(container)])
    assert all(made[control] >= number for control, number in BEFORE.items()), made


def _made(container: Container) -> list[str]:
    try:
        return list(controls(container))
    except (OpaqueError, WrongShapeError):
        return []


def _containers(tree: Tree) -> Iterator[Container]:
    for pod in tree.pod_templates:
        try:
            yield from pod.containers
        except (OpaqueError, WrongShapeError):
            continue
