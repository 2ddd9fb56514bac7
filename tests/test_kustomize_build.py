"""What kustomize builds after a run is what it built before, apart from the edits that the run reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.facts.network.connections import Connections, Way
from hardener.kubernetes.kustomize.kustomization import NAMES
from hardener.kubernetes.network.network_policy import ANYWHERE
from hardener.tree.tree import Tree

from .built import Cluster, Key, build, builder
from .conftest import CorpusTree, shared

WITH_KUSTOMIZATIONS = ("argo-cd", "microservices-demo", "podinfo")
# Each tree by kustomize, and the smallest by kubectl, which has the same library, of another version.
BUILDS = [
    pytest.param(
        name, tool, marks=(getattr(pytest.mark, tool), *[pytest.mark.long] * (name == "argo-cd")), id=f"{name}-{tool}"
    )
    for name, tool in [*((name, "kustomize") for name in WITH_KUSTOMIZATIONS), ("podinfo", "kubectl")]
]  # fmt: skip

Leaf = tuple[tuple[str, ...], Any]  # a path with "*" for the index of an item, and the value there


@cache
def built(tool: str, folder: Path) -> tuple[dict[Key, Any] | None, str]:
    """What ``tool`` builds of a folder that does not change any more; see ``build``."""
    return build(builder(tool), folder)


def kustomizations(folder: Path) -> list[str]:
    """The folders below ``folder`` that hold a kustomization, relative to it."""
    files = (path for path in folder.rglob("*") if path.name in NAMES and ".git" not in path.parts)
    return sorted(path.parent.relative_to(folder).as_posix() for path in files)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every scalar below ``value``, and every mapping or list that is empty."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, (*path, "*"))
    else:
        yield path, None if value in ({}, []) else value


def recorded(change: dict[str, Any], side: str) -> Iterator[Leaf]:
    """The leaves that a change of a report takes ("before") or brings ("after"); empty parents come and go with it."""
    path = tuple("*" if isinstance(part, int) else part for part in change["path"])
    for length in range(len(path)):
        yield path[:length], None
    if side in change:
        yield from leaves(change[side], path)


def stray(old: Any, new: Any, changes: list[dict[str, Any]]) -> list[str]:
    """The differences of two states of an object that none of its ``changes`` makes."""
    found = []
    before, after = dict_of(old), dict_of(new)
    for side, more, less in (("before", before, after), ("after", after, before)):
        known = dict_of_leaves(leaf for change in changes for leaf in recorded(change, side))
        for path, values in more.items():
            for value in values:
                if value not in less.get(path, []) and value not in known.get(path, []):
                    found.append(f"{side} {'.'.join(path)}: {value!r}")
    return found


def dict_of(value: Any) -> dict[tuple[str, ...], list[Any]]:
    return dict_of_leaves(leaves(value))


def dict_of_leaves(found: Iterator[Leaf]) -> dict[tuple[str, ...], list[Any]]:
    by_path: dict[tuple[str, ...], list[Any]] = {}
    for path, value in found:
        by_path.setdefault(path, []).append(value)
    return by_path


def changes_of(found: Key, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of ``changes`` that are of an object which may be ``found``: a kustomization may put text around its name,
    and set its namespace."""
    return [
        change for change in changes
        if change["object"]["kind"] == found[1] and change["object"]["name"].rstrip("*") in found[3]
    ]  # fmt: skip


def is_new(change: dict[str, Any]) -> bool:
    return change["path"] == [] and "before" not in change and "harden-" in Path(change["file"]).name


def differences(before: dict[Key, Any], after: dict[Key, Any], report: dict[str, Any]) -> list[str]:
    """What is in ``after`` or missing there for no reason that ``report`` names."""
    found = [f"gone: {name}" for name in before.keys() - after.keys()]
    for name, item in after.items():
        changes = changes_of(name, report["changes"])
        if name in before:
            found += [f"{name}: {line}" for line in stray(before[name], item, changes)]
        elif not any(map(is_new, changes)):
            found.append(f"new: {name}")
    return found


def each_build(origin: Path, judge: Callable[[str], list[str] | None]) -> None:
    """Ask ``judge`` about every folder of ``origin`` that builds (None: it does not), and expect no complaint."""
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(judge, kustomizations(origin)))
    built = [result for result in results if result is not None]
    assert len(built) > len(results) / 2, "most of them should be built before"
    assert [line for result in built for line in result] == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "tool"), BUILDS)
def test_what_was_built_is_built_with_the_edits(name: str, tool: str, corpus: Callable[[str], CorpusTree]) -> None:
    builder(tool)
    origin, tree = shared("corpus", name), corpus(name)

    def compare(folder: str) -> list[str] | None:
        before, _ = built(tool, origin / folder)
        if before is None:
            return None
        after, complaint = built(tool, tree.folder / folder)
        if after is None:
            return [f"{folder} is built no more: {complaint}"]
        return [f"{folder}: {line}" for line in differences(before, after, tree.report)]

    each_build(origin, compare)


def asked(connections: Connections) -> Iterator[tuple[str, str, int | str | None, str]]:
    """Client ("anywhere" for what is open to the outside), server, port (None: all of them) and protocol."""
    for edge in connections.edges:
        for port in edge.ports or [None]:
            client, server = str(edge.client.object), str(edge.server.object)
            yield (client, server, port.port, port.protocol) if port else (client, server, None, "TCP")
    for entry in connections.entries:
        if entry.way is Way.OUTSIDE:
            for port in entry.ports or [None]:
                server = str(entry.server.object)
                yield ("anywhere", server, port.port, port.protocol) if port else ("anywhere", server, None, "TCP")


@pytest.mark.kubectl
# Those of argo-cd take a third of a minute, and are asked for with the other large trees.
@pytest.mark.parametrize("name", WITH_KUSTOMIZATIONS if os.environ.get("HARDEN_TREES") else WITH_KUSTOMIZATIONS[1:])
def test_every_connection_of_what_was_built_is_open_in_what_is_built(
    name: str, corpus: Callable[[str], CorpusTree], tmp_path: Path
) -> None:
    builder("kubectl")
    origin, tree = shared("corpus", name), corpus(name)

    def compare(folder: str) -> list[str] | None:
        before, _ = built("kubectl", origin / folder)
        after, _ = built("kubectl", tree.folder / folder)
        if before is None or after is None:
            return None
        alone = tmp_path / folder.replace("/", "-")  # the built objects as a tree of their own
        alone.mkdir()
        (alone / "all.yaml").write_text(yaml.safe_dump_all(before.values()), encoding="utf-8")
        old, new = Cluster(before.values()), Cluster(after.values())
        found = []
        for client, server, port, protocol in asked(Tree.read([str(alone)], root=str(alone)).ask(Connections)):
            if old.reaches(old.pods.get(client, ANYWHERE), old.pods[server], port, protocol):
                if not new.reaches(new.pods.get(client, ANYWHERE), new.pods[server], port, protocol):
                    found.append(f"{folder}: {client} reaches {server} {port}/{protocol} no more")
        for name, pod in new.pods.items():
            if pod.labels and not new.isolated(pod):  # of one without, argo-cd has half a StatefulSet
                found.append(f"{folder}: {name} is not isolated")
            if old.resolves(old.pods[name]) and not new.resolves(pod):
                found.append(f"{folder}: {name} has no DNS")
        return found

    each_build(origin, compare)


def test_a_difference_that_nothing_explains_is_seen() -> None:
    old = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"hostPID": True, "x": [{"y": 1}]}}
    new = {**old, "spec": {"x": [{"y": 1, "z": {"w": False}}]}}
    name: Key = ("v1", "Pod", "", "a")
    gone = {"object": {"kind": "Pod", "name": "a"}, "file": "a.yaml", "path": ["spec", "hostPID"], "before": True}
    come = gone | {"path": ["spec", "x", 0, "z"], "after": {"w": False}}
    del come["before"]
    other = come | {"object": {"kind": "Pod", "name": "b"}}
    wrong = come | {"after": {"w": True}}
    made = come | {"path": [], "file": "k/harden-x.yaml", "after": old}
    for changes, strays in (
        ([gone, come], []),
        ([come], ["spec.hostPID: True"]),
        ([gone], ["spec.x.*.z.w: False"]),
        ([gone, other], ["spec.x.*.z.w: False"]),
        ([gone, wrong], ["spec.x.*.z.w: False"]),
        ([], ["spec.hostPID: True", "spec.x.*.z.w: False"]),
    ):
        found = differences({name: old}, {name: new}, {"changes": changes})
        assert [line.split(" ", 5)[-1] for line in found] == strays
    assert differences({name: old}, {}, {"changes": []}) == [f"gone: {name}"]
    assert differences({}, {name: old}, {"changes": [come]}) == [f"new: {name}"]
    assert differences({}, {name: old}, {"changes": [made]}) == []
