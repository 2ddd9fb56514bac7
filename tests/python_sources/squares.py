"""The commuting square: what a hardened program makes, against what harden makes of what the program makes.

``render(edit(source)) == harden(render(source))``, with each library's own serialiser. A run on the source says of some
steps that it does not make them: the value is an expression, the text cannot hold it. The run on the manifest leaves
out those and no others; then every path must agree. What a program makes elsewhere (a container that a function
returns) is cut out of the object on both sides, and compared as the fragment that the source shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring.edits import Edit, WrongShapeError
from hardener.engine import pipeline
from hardener.kubernetes.objects import quantity
from hardener.sources.open_values import OpenList
from hardener.sources.python.parsed import parse
from hardener.tree.core_views import Container
from hardener.tree.pod_fragments import Fragment, is_fragment
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError

from ..conftest import run, write
from . import environments

FIXTURES = environments.HERE / "fixtures"
# Dialect: the environments that render it; None is the interpreter of the tests.
DIALECTS: dict[str, tuple[str | None, ...]] = {
    "airflow": ("kubernetes-31", "kubernetes-37"),
    "cdk8s": ("kubernetes-37",),
    "dagster": ("frameworks",),
    "dicts": (None,),
    "hikaru": ("kubernetes-31",),
    "kubernetes": ("kubernetes-31", "kubernetes-37"),
    "kubernetes_asyncio": ("kubernetes-37",),
    "kubespawner": ("frameworks",),
    "lightkube": ("kubernetes-37",),
    "pulumi_dicts": ("kubernetes-37",),
    "pulumi_typed": ("kubernetes-37",),
}
FRAMEWORKS = ("airflow", "dagster", "kubespawner")
# These make new objects (a NetworkPolicy, a ServiceAccount), of which a program is only advised.
WITHOUT = ["--skip", "K05,dedicated-service-account"]
FRAGMENT = "fragment.harden/v1"
MISSING = "(absent)"


@dataclass(frozen=True)
class Visit:
    """A transform at a target: the kind and name of its object, and the name of its container, if it is one."""

    transform: str
    kind: str
    name: str
    container: str | None

    def __str__(self) -> str:
        where = f"{self.kind}/{self.name}" if self.name else self.kind
        return f"{where} {self.container or ''} {self.transform}".replace("  ", " ")

    def is_of(self, other: Visit) -> bool:
        """Whether ``other``, of an object as it is made, is this one, of an object as it is written."""
        if (self.transform, self.kind) != (other.transform, other.kind):
            return False
        return matches(self.name, other.name) and (
            matches(self.container, other.container) if self.container and other.container else not other.container
        )


@dataclass
class Record:
    """What a run on a source did: the steps that it did not make, with the reasons, and the documents as read."""

    documents: list[Any]
    left: dict[Visit, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The files of a dialect, before and after ``harden apply``, and what was not made, by the name of the file."""

    before: Path
    after: Path
    records: dict[str, Record]


def marks(dialect: str, environment: str | None) -> list[pytest.MarkDecorator]:
    """The markers of what it takes to run the files of a dialect."""
    return [pytest.mark.libraries] * (environment is not None) + [pytest.mark.node] * (dialect == "cdk8s")


def names(dialect: str) -> list[str]:
    return sorted(path.name for path in (FIXTURES / dialect).glob("*.py"))


def matches(written: str | None, made: str | None) -> bool:
    """Whether a text with expressions ("web-${number}") can be ``made``."""
    parts = re.split(r"\$\{.*?\}", written or "")
    return re.fullmatch(".*".join(map(re.escape, parts)), made or "", re.S) is not None


# -- the runs


def visit_of(transform: Any, target: Any) -> Visit:
    data = target.object.data
    named = is_fragment(data) and data["kind"] == "Container"
    held = target.data if isinstance(target, Container) else data["spec"]["containers"][0] if named else None
    container = str(held.get("name")) if isinstance(held, dict) else None
    return Visit(transform.id, data["kind"], "" if named else name_of(data), container)


def hardened(dialect: str, folder: Path) -> Source:
    """Harden a copy of each file of a dialect, alone in a folder of its own, with the default profile."""
    records: dict[str, Record] = {}
    for name in names(dialect):
        text = (FIXTURES / dialect / name).read_text(encoding="utf-8")
        for state in ("before", "after"):
            write(folder / state / Path(name).stem, {name: text})
        records[name] = Record(parse(text).documents)
        with pytest.MonkeyPatch.context() as patch:
            spy(patch, records[name])
            done = run("apply", ".", "--yes", *WITHOUT, cwd=folder / "after" / Path(name).stem)
        assert done.status == 0, done.all
    return Source(folder / "before", folder / "after", records)


def spy(patch: pytest.MonkeyPatch, record: Record) -> None:
    """Have a run tell ``record`` which steps it does not make."""
    visit, stopped, start = pipeline._visit, pipeline._stopped, pipeline.run
    made: list[tuple[Visit, list[Any]]] = []

    def visiting(state: Any, transform: Any, target: Any, *rest: Any) -> None:
        outcome = state.outcome
        before = len(outcome.changes), len(outcome.held), len(outcome.findings), repr(state.skipped.values())
        refused = len(outcome.refused)
        visit(state, transform, target, *rest)
        one = visit_of(transform, target)
        changes = outcome.changes[before[0] :]
        made.append((one, changes))
        if outcome.held[before[1] :] and not changes:
            record.left[one] = "held back"
        elif outcome.refused[refused:]:
            record.left[one] = outcome.refused[refused].reason
        elif not changes and outcome.findings[before[2] :]:
            record.left[one] = outcome.findings[before[2]].message
        elif not changes and repr(state.skipped.values()) != before[3]:
            record.left[one] = "left alone"

    def stopping(state: Any, transform: Any, target: Any, error: OpaqueError | WrongShapeError) -> None:
        record.left[visit_of(transform, target)] = str(error)
        stopped(state, transform, target, error)

    def running(*arguments: Any, **options: Any) -> Any:
        outcome = start(*arguments, **options)
        kept = {id(change) for change in outcome.changes}
        for one, changes in made:
            if any(id(change) not in kept for change in changes):
                record.left[one] = "; ".join(refused.reason for refused in outcome.refused)
        return outcome

    patch.setattr(pipeline, "_visit", visiting)
    patch.setattr(pipeline, "_stopped", stopping)
    patch.setattr(pipeline, "run", running)


def _would_change(transform: Any, target: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        return any(isinstance(each, Edit | list) for each in transform.function(target, *arguments))
    except OpaqueError:
        return False


def as_manifest(objects: list[Any], record: Record, folder: Path) -> tuple[list[Any], set[Visit]]:
    """``objects`` hardened as a manifest without the steps that ``record`` left; and those that there were to leave
    out."""
    write(folder, {"objects.yaml": yaml.safe_dump_all(objects, sort_keys=False, width=1000)})
    visit = pipeline._visit
    met: set[Visit] = set()

    def visiting(state: Any, transform: Any, target: Any, arguments: tuple[Any, ...], may_change: bool) -> None:
        one = visit_of(transform, target)
        said = _says_most([document for document in record.documents if document["kind"] == one.kind], one.name)
        found = [each for each in record.left if each.is_of(one) and (said is None or each.name == name_of(said))]
        if not found:
            visit(state, transform, target, arguments, may_change)
        elif _would_change(transform, target, arguments):
            met.update(found)

    found_fragments: list[Fragment] = []

    def fragments(tree: Tree) -> list[Fragment]:
        if not found_fragments:
            found_fragments.extend(
                Fragment(tree, piece, (number,), document)
                for file in tree.files
                for piece in file.pieces
                for number, document in enumerate(piece.data)
                if is_fragment(document)
            )
        return found_fragments

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "_visit", visiting)
        patch.setattr(Tree, "fragments", property(fragments))
        done = run("apply", ".", "--yes", *WITHOUT, cwd=folder)
    assert done.status == 0, done.all
    assert [path.name for path in folder.iterdir()] == ["objects.yaml"]
    return list(yaml.safe_load_all((folder / "objects.yaml").read_text(encoding="utf-8"))), met


def rendered(dialect: str, environment: str | None, folder: Path) -> dict[str, list[Any]]:
    """What the files of a dialect, each in its own folder below ``folder``, make, by the names of the files."""
    files = [str(folder / Path(name).stem / name) for name in names(dialect)]
    if environment is None:
        from .renderers import RENDERERS

        found = {file: json.loads(json.dumps(RENDERERS[dialect](file))) for file in files}
    else:
        script = "framework_pods.py" if dialect in FRAMEWORKS else "renderers.py"
        found = environments.run(environment, script, dialect, *files)
    for file, objects in found.items():
        assert isinstance(objects, list), f"{file}: {objects}"
    return {Path(file).name: objects for file, objects in found.items()}


# -- what of an object is made elsewhere


def split(made: list[Any], record: Record) -> list[Any]:
    """``made`` without the parts that the source makes elsewhere, and behind them those parts as fragments."""
    objects = deepcopy(made)
    parts: list[Any] = []
    for item in objects:
        name = name_of(item)
        written = _says_most([one for one in record.documents if one["kind"] == item["kind"]], name)
        if written is not None:
            _cut(written, item, record, parts)
    return objects + parts


def _says_most(documents: list[Any], name: str) -> Any:
    """Of ``documents`` that can be called ``name`` the one that says most of it; None without one."""
    found = [one for one in documents if matches(name_of(one), name)]
    return max(found, key=lambda one: len(re.sub(r"\$\{.*?\}", "", name_of(one))), default=None)


def name_of(item: Any) -> str:
    metadata = item.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _cut(written: Any, made: Any, record: Record, parts: list[Any]) -> None:
    if isinstance(written, dict) and isinstance(made, dict):
        for key in [key for key in made if key in written]:
            if isinstance(written[key], str) and isinstance(made[key], dict):
                if key in ("template", "spec"):
                    _part({"template": "PodTemplateSpec", "spec": "PodSpec"}[key], made.pop(key), record, parts)
            elif key in ("containers", "initContainers") and isinstance(written[key], list):
                made[key] = _containers(written[key], made[key], record, parts)
            else:
                _cut(written[key], made[key], record, parts)
    elif isinstance(written, list) and isinstance(made, list):
        for one, other in zip(written, made, strict=False):
            _cut(one, other, record, parts)


def _containers(written: list[Any], made: list[Any], record: Record, parts: list[Any]) -> list[Any]:
    stay = []
    for number, container in enumerate(made):
        if isinstance(written, OpenList):
            found: Any = [one for one in written if isinstance(one, dict) and matches(one["name"], container["name"])]
            found = found[0] if found else ""
        else:
            found = written[number]
        if isinstance(found, dict):
            stay.append(container)
        else:
            _part("Container", container, record, parts)
    return stay


def _part(kind: str, made: Any, record: Record, parts: list[Any]) -> None:
    part = {"PodTemplateSpec": made, "PodSpec": {"spec": made}, "Container": {"spec": {"containers": [made]}}}[kind]
    written = [one for one in record.documents if is_fragment(one) and one["kind"] == kind]
    if kind == "Container":
        written = [one for one in written if matches(one["spec"]["containers"][0].get("name"), made["name"])]
    if written:
        if kind != "Container":
            _cut(written[0], part, record, parts)
        parts.append({"apiVersion": FRAGMENT, "kind": kind, **part})
    else:  # made by what nobody takes for a part of a pod
        parts.append({"apiVersion": "unseen", "kind": kind, **part})


def differences(one: Any, other: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """The places at which two values differ, as deep as they go."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from differences(one.get(key, MISSING), other.get(key, MISSING), (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, (*path, number))
    elif one != other and not ("resources" in path and _same_amount(one, other)):
        yield ".".join(map(str, path)), one, other


def _same_amount(one: Any, other: Any) -> bool:
    """Whether two quantities differ by their unit only: some libraries hold bytes, and show them in their own."""
    amount = quantity.parse(one)
    return amount is not None and amount == quantity.parse(other)
