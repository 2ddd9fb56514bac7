"""A component of kustomize that hardens what a kustomization takes in: patches, and the new objects.

There is one for each build of the tree, in a folder named like that of its kustomization, and one for the files of each
folder that no kustomization lists. A new object passes through what the kustomizations on its way to the build do to
names, namespaces and labels: through kustomizations of its own that do the same.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hardener.outcome import Outcome
from hardener.outputs.documents import Changed, changed, created, elsewhere, relative
from hardener.outputs.json_diff import diff
from hardener.report.redactor import Redactor
from hardener.sources import yaml
from hardener.views import Object

# What a kustomization does to all that it takes in, new objects included.
_SETTINGS = ("namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_API = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}


@dataclass(slots=True)
class _Part:
    """What one component holds; ``root`` is the folder of the kustomization, or of the files that none lists."""

    root: str
    built: bool
    changed: list[Changed] = field(default_factory=list)
    created: list[Object] = field(default_factory=list)


def make(outcome: Outcome, folder: str, redactor: Redactor) -> tuple[Iterable[tuple[str, bytes | str]], list[str]]:
    """The name and content of each file of the components in ``folder`` (its real path), and what is in none."""
    missing = [f"{name}: holds no Kubernetes objects" for name in dict.fromkeys(elsewhere(outcome))]
    parts: dict[tuple[str, bool], _Part] = {}
    for one in changed(outcome):
        reason = _reason_against(outcome, one, redactor)
        if reason:
            missing.append(f"{one.name}: {reason}")
        elif one.item is not None:
            for part in _parts(outcome, one.item, parts):
                part.changed.append(one)
    for item in created(outcome):
        for part in _parts(outcome, item, parts):
            part.created.append(item)
    names = _names(outcome, list(parts.values()))
    written = [
        (os.path.join(name, file), content)
        for (name, part) in zip(names, parts.values(), strict=True)
        for file, content in _component(outcome, part, os.path.join(folder, name))
    ]
    return written, missing


def _parts(outcome: Outcome, item: Object, parts: dict[tuple[str, bool], _Part]) -> Iterator[_Part]:
    roots = sorted(outcome.workspace.builds.roots(item))
    keys = [(root, True) for root in roots] or [(os.path.dirname(item.piece.file.path), False)]
    for key in keys:
        yield parts.setdefault(key, _Part(*key))


def _names(outcome: Outcome, parts: list[_Part]) -> list[str]:
    """The folder of each component: that of its kustomization seen from the root; where there is only one, none."""
    if len(parts) == 1:
        return [""]
    found = []
    both = {part.root for part in parts if part.built} & {part.root for part in parts if not part.built}
    for part in parts:
        name = relative(part.root, outcome.workspace.root).replace("../", "")
        own = "" if part.built or part.root not in both else "-files"
        found.append(f"{'root' if name == '.' else name}{own}")
    return found


def _reason_against(outcome: Outcome, one: Changed, redactor: Redactor) -> str | None:
    """Why ``one`` cannot be a patch of a component."""
    if one.item is None:
        return "a kustomization or a file that is no object"
    if "metadata" not in one.old or not one.item.name or one.item.name.endswith("*"):
        return "an object without a name, which no patch can find"
    if redactor.masks(json.dumps(diff(one.old, one.new), ensure_ascii=False)):
        return "its patch would show a secret"
    return None


def _component(outcome: Outcome, part: _Part, folder: str) -> Iterator[tuple[str, str]]:
    where = os.path.relpath(part.root, os.path.dirname(folder)).replace(os.sep, "/")
    body: dict[str, Any] = dict(_API)
    names: Counter[str] = Counter()
    patches = []
    for one in part.changed:
        item = one.item
        assert item is not None
        name = _unique(names, f"{item.kind.lower()}-{item.name}", ".yaml")
        patch: dict[str, Any] = {"path": f"patches/{name}", "target": _target(item)}
        if (one.old.get("kind"), one.old.get("metadata", {}).get("name")) != (item.kind, item.name) or one.new.get(
            "kind"
        ) != one.old.get("kind"):
            patch["options"] = {"allowNameChange": True, "allowKindChange": True}
        patches.append(patch)
        yield f"patches/{name}", yaml.dump(diff(one.old, one.new, guard=True))
    resources = []
    for chain, items in _by_chain(outcome, part).items():
        entry, files = _new(outcome, chain, items, len(resources))
        resources.append(entry)
        yield from files
    body |= {"resources": resources} if resources else {}
    body |= {"patches": patches} if patches else {}
    takes = f"resources: [{where}]" if part.built else f"the files of {where} as resources"
    head = f"# Written by harden. A kustomization beside this folder takes it in with {takes}\n"
    head += f"# and components: [{os.path.basename(folder)}].\n"
    yield "kustomization.yaml", head + yaml.dump(body)


def _target(item: Object) -> dict[str, str]:
    """The selector of ``item``; kustomize reads names as patterns."""
    group, _, version = item.api_version.rpartition("/")
    found = {"group": group, "version": version, "kind": item.kind, "name": re.escape(item.name)}
    if item.namespace:
        found["namespace"] = re.escape(item.namespace)
    return {key: value for key, value in found.items() if value}


def _by_chain(outcome: Outcome, part: _Part) -> dict[tuple[str, ...], list[Object]]:
    """The new objects by the settings that they pass through, the innermost first, as JSON texts."""
    found: dict[tuple[str, ...], list[Object]] = {}
    for item in part.created:
        layers = outcome.workspace.builds.layers(item, part.root) if part.built else ()
        settings = ({key: layer.data[key] for key in _SETTINGS if layer.data.get(key)} for layer in layers)
        chain = tuple(json.dumps(each, sort_keys=True) for each in settings if each)
        found.setdefault(chain, []).append(item)
    return found


def _new(
    outcome: Outcome, chain: tuple[str, ...], items: list[Object], number: int
) -> tuple[str, list[tuple[str, str]]]:
    """The entry of resources for new objects, and the files behind it: a folder for each layer, the outermost first."""
    names: Counter[str] = Counter()
    top = f"new-{number + 1}" if number else "new"
    folders = [top + "/inner" * depth for depth in range(len(chain))] or [top]
    files: list[tuple[str, str]] = []
    last = []
    for path in dict.fromkeys(item.piece.file.path for item in items):
        name = _unique(names, os.path.splitext(os.path.basename(path))[0], ".yaml")
        texts = [yaml.dump(item.data) for item in items if item.piece.file.path == path]
        files.append((f"{folders[-1]}/{name}", "---\n".join(texts)))
        last.append(name)
    for depth, folder in enumerate(folders):
        settings = json.loads(chain[-1 - depth]) if chain else {}
        resources = last if depth == len(folders) - 1 else ["inner"]
        kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        files.append((f"{folder}/kustomization.yaml", yaml.dump(kustomization | settings | {"resources": resources})))
    return top, files


def _unique(taken: Counter[str], name: str, ending: str) -> str:
    found = _UNSAFE.sub("-", name)
    taken[found.lower()] += 1
    count = taken[found.lower()]
    return found + (f"-{count}" if count > 1 else "") + ending
