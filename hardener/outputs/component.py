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
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import copied
from hardener.engine.outcome import Outcome
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.kubernetes.kustomize.image import images_of
from hardener.kubernetes.kustomize.kustomization import is_component, is_kustomization, members, strings
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.outputs.documents import Changed, changed, created, elsewhere
from hardener.outputs.json_diff import Operation, diff
from hardener.report.redactor import Redactor
from hardener.sources import yaml
from hardener.sources.files import UnreadableError, is_inside, read, relative
from hardener.sources.yaml import same
from hardener.tree.core_views import Object

# What a kustomization does to all that it takes in, new objects included.
_SETTINGS = ("namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations")
_TRANSFORMERS = frozenset({
    "AnnotationsTransformer", "LabelTransformer", "NamespaceTransformer", "PrefixTransformer", "SuffixTransformer",
})  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_API = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
# Lists of built-in kinds whose items kustomize merges by their name.
_BY_NAME = frozenset({"containers", "initContainers"})
_GROUPS = frozenset({"", "apps", "batch"})  # of a custom resource it replaces lists whole


class _Part(Struct):
    """What one component holds; ``root`` is the folder of the kustomization, or of the files that none lists."""

    root: str
    built: bool
    changed: list[Changed] = field(default_factory=list)
    created: list[tuple[Object, Any]] = field(default_factory=list)  # with its data


def make(
    outcome: Outcome, folder: str, paths: list[str], redactor: Redactor
) -> tuple[Iterable[tuple[str, bytes | str]], list[str]]:
    """The name and content of each file of the components in ``folder``, and what is in none; real paths.

    ``paths`` are those that the run was given: what is built outside of them takes the components in.
    """
    missing = list(dict.fromkeys(elsewhere(outcome)))
    parts: dict[tuple[str, bool], _Part] = {}
    for one in changed(outcome):
        if _is_listing(one):
            continue
        one, replaced = _without_replaced_images(outcome, one)
        missing += replaced
        if same([one.old], [one.new]):
            continue
        reason = _reason_against(one, redactor)
        if reason:
            missing.append(f"{one.name}: {reason}")
        elif one.item is not None:
            for part in _parts(outcome, one.item, paths, parts):
                part.changed.append(one)
                if _is_another(one):
                    part.created.append((one.item, one.new))
    for item in created(outcome):
        for part in _parts(outcome, item, paths, parts):
            part.created.append((item, item.data))
    top = os.path.commonpath([path if os.path.isdir(path) else os.path.dirname(path) for path in paths])
    written = [
        (os.path.join(name, file), content)
        for name, part in zip(_names(list(parts.values()), top), parts.values(), strict=True)
        for file, content in _component(outcome, part, os.path.normpath(os.path.join(folder, name)))
    ]
    if not parts:  # nothing to do today: what takes the component in still builds
        written.append(("kustomization.yaml", yaml.dump(_API | {"resources": []})))
    return written, missing


def _without_replaced_images(outcome: Outcome, one: Changed) -> tuple[Changed, list[str]]:
    """``one`` without the images that a patch of an overlay replaces by others, and a line that says so: the component
    comes after that patch, and would bring the image of the base back."""
    variants = outcome.tree.ask(Overlays).objects(one.item) if one.item is not None else ()
    own = _images(one.new) if variants else {}
    others = {name for variant in variants for name, image in _images(variant.data).items() if own.get(name) != image}
    old = _images(one.old) if others else {}
    changes = sorted(name for name in others & own.keys() if old.get(name) not in (None, own[name]))
    if not changes:
        return one, []
    new = copied(one.new)
    for container, _ in images_of(new):
        if container.get("name") in changes:
            container["image"] = old[container["name"]]
    lines = [f"{one.name}: the image of {name}, which an overlay replaces" for name in changes]
    return replace(one, new=new), lines


def _images(document: dict[str, Any]) -> dict[Any, str]:
    return {str(container.get("name")): image for container, image in images_of(document)}


def _parts(outcome: Outcome, item: Object, paths: list[str], parts: dict[tuple[str, bool], _Part]) -> Iterator[_Part]:
    builds = outcome.tree.ask(Builds)
    within = [each for each in builds.layers(item) if any(is_inside(each.piece.file.path, path) for path in paths)]
    taken = {os.path.normpath(os.path.join(_folder(each), name)) for each in within for name in members(each.data)}
    tops = [_folder(each) for each in within if _folder(each) not in taken and not is_component(each.data)]
    keys = [(top, True) for top in sorted(tops)] or [(os.path.dirname(item.piece.file.path), False)]
    for key in keys:
        yield parts.setdefault(key, _Part(*key))


def _folder(kustomization: Object) -> str:
    return os.path.dirname(kustomization.piece.file.path)


def _names(parts: list[_Part], top: str) -> list[str]:
    """The folder of each component: that of its kustomization seen from ``top``; where there is only one, none."""
    if len(parts) == 1:
        return [""]
    found = []
    both = {part.root for part in parts if part.built} & {part.root for part in parts if not part.built}
    for part in parts:
        name = relative(part.root, top)
        own = "" if part.built or part.root not in both else "-files"
        found.append(f"{'root' if name == '.' else name}{own}")
    return found


def _is_listing(one: Changed) -> bool:
    """Whether it is a kustomization that only lists new files, which a component does itself."""
    if one.item is not None or not is_kustomization(one.new):
        return False
    return {**one.old, "resources": None} == {**one.new, "resources": None}


def _reason_against(one: Changed, redactor: Redactor) -> str | None:
    """Why ``one`` cannot be a patch of a component."""
    if one.item is None:
        return "a kustomization or a file that is no object"
    if "patch" in one.item.classes:
        return "a patch of a kustomization"
    named = all(isinstance(each.get("metadata"), dict) and each["metadata"].get("name") for each in (one.old, one.new))
    if not named or not one.item.name or one.item.name.endswith("*"):
        return "an object without a name, which no patch can find"
    if redactor.masks(json.dumps(diff(one.old, one.new), ensure_ascii=False)):
        return "its patch would show a secret"
    return None


def _component(outcome: Outcome, part: _Part, folder: str) -> Iterator[tuple[str, str]]:
    where = relative(part.root, os.path.dirname(folder))
    body: dict[str, Any] = dict(_API)
    names: Counter[str] = Counter()
    patches: list[dict[str, Any]] = []
    for one in part.changed:
        item = one.item
        assert item is not None
        for patch in _patches(one):
            ending = "" if isinstance(patch, list) else "-merge"
            name = _unique(names, f"{item.kind.lower()}-{item.name}{ending}", ".yaml")
            patches.append({"path": f"patches/{name}", "target": _target(one)})
            yield f"patches/{name}", yaml.dump(patch)
    resources: list[str] = []
    for chain, items in _by_chain(outcome, part).items():
        entry, files = _new(chain, items, len(resources))
        resources.append(entry)
        yield from files
    body |= {"resources": resources} if resources else {}
    body |= {"patches": patches} if patches else {}
    takes = f"resources: [{where}]" if part.built else f"the files of {where} as resources"
    head = f"# Written by harden. A kustomization beside this folder takes it in with {takes}\n"
    head += f"# and components: [{os.path.basename(folder)}].\n"
    yield "kustomization.yaml", head + yaml.dump(body)


def _is_another(one: Changed) -> bool:
    """Whether it comes out as another object for kustomize, which a patch cannot make of it."""
    names = [(data.get("apiVersion"), data.get("kind"), data["metadata"].get("name")) for data in (one.old, one.new)]
    return names[0] != names[1]


def _patches(one: Changed) -> Iterator[list[Operation] | dict[str, Any]]:
    """The patches of an object; one that becomes another goes, and comes as a new one."""
    if _is_another(one):
        names = {"apiVersion": one.old["apiVersion"], "kind": one.old["kind"]}
        yield {"$patch": "delete"} | names | {"metadata": {"name": one.old["metadata"]["name"]}}
        return
    rest, merged = _split(diff(one.old, one.new, guard=True), one.old)
    if rest:
        yield rest
    if merged:
        yield merged


def _target(one: Changed) -> dict[str, str]:
    """The selector of the object as it was; kustomize reads names as patterns."""
    metadata = one.old["metadata"]
    group, _, version = str(one.old["apiVersion"]).rpartition("/")
    found = {"group": group, "version": version, "kind": str(one.old["kind"]), "name": re.escape(metadata["name"])}
    if metadata.get("namespace"):
        found["namespace"] = re.escape(str(metadata["namespace"]))
    return {key: value for key, value in found.items() if value}


def _by_chain(outcome: Outcome, part: _Part) -> dict[tuple[str, ...], list[tuple[Object, Any]]]:
    """The new objects by the settings that they pass through, the innermost first, as JSON texts."""
    found: dict[tuple[str, ...], list[tuple[Object, Any]]] = {}
    for item, data in part.created:
        layers = _layers(outcome, item, part.root) if part.built else []
        settings = (_settings(layer) for layer in layers)
        chain = tuple(json.dumps(each, sort_keys=True) for each in settings if each)
        found.setdefault(chain, []).append((item, data))
    return found


def _settings(layer: Object) -> dict[str, Any]:
    """What the kustomization ``layer`` does to all that it takes in, its built-in transformers by their text."""
    found = {key: layer.data[key] for key in _SETTINGS if layer.data.get(key)}
    texts = [_transformer(layer, name) for name in strings(layer.data, "transformers")]
    return found | ({"transformers": kept} if (kept := [text for text in texts if text]) else {})


def _transformer(layer: Object, name: str) -> str | None:
    """The text of a transformer that needs no file beside it; None for any other."""
    try:
        text = name if "\n" in name else read(os.path.join(_folder(layer), name)).text
        documents = yaml.parse(text).documents
    except (OSError, UnreadableError, yaml.TextError):
        return None
    whole = all(isinstance(each, dict) and str(each.get("kind")) in _TRANSFORMERS for each in documents)
    return text if documents and whole else None


def _layers(outcome: Outcome, item: Object, top: str) -> list[Object]:
    """The kustomizations that transform ``item`` on its way to ``top``, that one the last."""
    builds = outcome.tree.ask(Builds)
    for root in sorted(builds.roots(item)):
        layers = builds.layers(item, root)
        folders = [_folder(each) for each in layers]
        if top in folders:
            return list(layers[: folders.index(top) + 1])
    return []


def _new(chain: tuple[str, ...], items: list[tuple[Object, Any]], number: int) -> tuple[str, list[tuple[str, str]]]:
    """The entry of resources for new objects, and the files behind it: a folder for each layer, the outermost first."""
    names: Counter[str] = Counter()
    top = f"new-{number + 1}" if number else "new"
    folders = [top + "/inner" * depth for depth in range(len(chain))] or [top]
    files: list[tuple[str, str]] = []
    last = []
    for path in dict.fromkeys(item.piece.file.path for item, _ in items):
        name = _unique(names, os.path.splitext(os.path.basename(path))[0], ".yaml")
        texts = [yaml.dump(data) for item, data in items if item.piece.file.path == path]
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


# The part of a patch that is better merged than set: a new mapping, which a kustomization may have made before us.
# ``labels`` that an overlay adds to an object without any would be lost under an RFC 6902 ``add`` of ours.


def _split(operations: list[Operation], old: dict[str, Any]) -> tuple[list[Operation], dict[str, Any] | None]:
    """``operations`` on the object ``old`` without those that add a mapping, and these as a strategic merge patch; None
    where there is none."""
    rest: list[Operation] = []
    merged: dict[str, Any] = {}
    for operation in operations:
        keys = _keys(operation["path"])
        value = operation.get("value")
        mergeable = operation["op"] == "add" and isinstance(value, dict) and value and not _holds_null(value)
        if not mergeable or not _put(merged, keys, value, old):
            rest.append(operation)
    if not merged:
        return operations, None
    if not any(operation["op"] != "test" for operation in rest):
        rest = []
    head = {"apiVersion": old["apiVersion"], "kind": old["kind"]}
    name = {"name": old["metadata"]["name"]}
    return rest, head | {"metadata": name | merged.pop("metadata", {})} | merged


def _put(merged: dict[str, Any], keys: list[str], value: Any, old: dict[str, Any]) -> bool:
    """Put ``value`` in ``merged`` under ``keys``; False where a list on the way is not merged by name."""
    steps = _steps(keys, old)
    if steps is None:
        return False
    target = merged
    for key, name in steps[:-1]:
        if name is None:
            target = target.setdefault(key, {})
            continue
        items = target.setdefault(key, [])
        found = next((one for one in items if one["name"] == name), None)
        if found is None:
            found = {"name": name}
            items.append(found)
        target = found
    if steps[-1][1] is not None:
        return False
    target[steps[-1][0]] = value
    return True


def _steps(keys: list[str], old: dict[str, Any]) -> list[tuple[str, str | None]] | None:
    """Each key on the way to a place in ``old``, with the name of the item below it where it holds a list; None where
    a list is not merged by name."""
    steps: list[tuple[str, str | None]] = []
    here: Any = old
    waiting = iter(keys)
    for key in waiting:
        here = here.get(key) if isinstance(here, dict) else None
        if not isinstance(here, list):
            steps.append((key, None))
            continue
        index = next(waiting, "")
        here = here[int(index)] if index.isdigit() else None
        name = here.get("name") if isinstance(here, dict) else None
        built_in = old.get("kind") in POD_KINDS and str(old["apiVersion"]).rpartition("/")[0] in _GROUPS
        if key not in _BY_NAME or not built_in or not isinstance(name, str):
            return None
        steps.append((key, name))
    return steps


def _keys(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None
