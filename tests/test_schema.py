"""No object gains a schema error by being hardened, whether an old or the newest Kubernetes judges it."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade, copied
from hardener.engine import pipeline
from hardener.tree.tree import Settings, Tree

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="install kubernetes-validate for its schemas")
from jsonschema import Draft202012Validator  # noqa: E402
from referencing import Registry, Resource  # noqa: E402

SHARED = Path(__file__).parents[2] / "shared"
SCHEMAS = Path(kubernetes_validate.__file__).with_name("kubernetes-json-schema")
TREES = sorted(path for path in (SHARED / "corpus").glob("*") if path.is_dir())
VERSIONS = {"1.30": (1, 30), "1.37": (1, 37)}

pytestmark = pytest.mark.skipif(not TREES, reason="needs ../shared/corpus")


@cache
def folder(version: str) -> Path:
    return next(
        path for path in SCHEMAS.iterdir() if re.fullmatch(rf"v{re.escape(version)}\.\d+-local-strict", path.name)
    )


@cache
def registry(version: str) -> Registry[Any]:
    definitions = json.loads((folder(version) / "_definitions.json").read_text(encoding="utf-8"))
    resource: Resource[Any] = Resource.from_contents(definitions)
    return resource @ Registry()


@cache
def validator(version: str, api_version: str, kind: str) -> Draft202012Validator | None:
    """The schema of a kind, None for one without; files are named after the first part of the API group."""
    name = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    path = folder(version) / f"{kind.lower()}-{name}.json"
    if not path.exists():
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    resource: Resource[Any] = Resource.from_contents(schema)
    return Draft202012Validator(schema, registry=resource @ registry(version))


def errors(version: str, document: Any) -> Counter[str] | None:
    found = validator(version, str(document.get("apiVersion")), str(document.get("kind")))
    if found is None:
        return None
    return Counter(f"{error.json_path}: {error.validator}" for error in found.iter_errors(document))


@pytest.mark.sampled(5)
@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["restricted", "strict"])
@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_no_object_gains_a_schema_error(tree: Path, name: str, version: str) -> None:
    workspace = Tree.read([str(tree)], root=str(tree), settings=Settings(VERSIONS[version]))
    before = [(item, copied(item.data)) for item in workspace.objects]
    outcome = pipeline.run(workspace, profile.load(name), pipeline.Gate(Grade.BREAKING))
    changed = {id(change.object.piece) for change in outcome.changes}
    without_schema: Counter[str] = Counter()
    gained = []
    judged = 0
    for item, old in before:
        if id(item.piece) not in changed:
            continue
        then = errors(version, item.data)
        if then is None:
            without_schema[f"{item.kind}.{item.api_version}"] += 1
            continue
        judged += 1
        fresh = then - (errors(version, old) or Counter())
        if fresh:
            gained.append(f"{item.piece.file.name} {item}: {', '.join(fresh)}")
    print(f"{tree.name}: {judged} objects judged, without a schema: {dict(without_schema)}")
    assert judged
    assert gained == []
