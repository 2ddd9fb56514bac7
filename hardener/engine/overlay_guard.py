"""Why a step cannot be made, as the kustomizations of the tree are: what they make of the object must stay right, too.

A step is looked at when it is about to be applied, on the data as it is then, so that what is decided later builds on
what was really made. Objects that no kustomization patches cost a look in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Append, Edit, Evidence, Set, copied, moved, replay
from hardener.engine.step import Step
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.patch import Patch
from hardener.facts.kustomize.overlays.variants import Chain, Result
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.kubernetes.kustomize.patch import identity
from hardener.kubernetes.pods.pod_template import templates
from hardener.kubernetes.validity import Violation, violations
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, existing
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

# Lists in which a step puts what the rest of it needs: a root that is read-only needs its volumes.
_SUPPORTING = frozenset({"volumes", "volumeMounts", "add", "env", "sysctls"})
_USERS = ("runAsUser", "runAsGroup", "fsGroup")


def objections(step: Step) -> list[Evidence]:
    """What would be wrong with an object as a kustomization of the tree patches it, once ``step`` is made, and is not
    now; each where the patch says it."""
    tree = step.tree
    if not tree.ask(Overlays).patches_anything:
        return []
    found = [
        fact
        for piece, edits in step.edits.items()
        for item, own in _by_object(tree, piece, edits)
        for fact in _of_object(item, own)
    ]
    found += (fact for item in step.created for fact in _of_new(item))
    return list({(fact.text, fact.piece, fact.path): fact for fact in found}.values())


def _by_object(tree: Tree, piece: Piece, edits: list[Edit]) -> Iterator[tuple[Object, list[Edit]]]:
    """The objects of ``piece`` that somebody patches, each with its edits as ones of a document of its own."""
    found: dict[int, tuple[Object, list[Edit]]] = {}
    for edit in edits:
        try:
            item = tree.object_at(piece, edit.path)
        except StopIteration:
            continue  # no object: a kustomization
        if tree.ask(Overlays).chains(item):
            found.setdefault(id(item), (item, []))[1].append(moved(edit, len(item.path), (0,)))
    yield from found.values()


def _of_object(item: Object, edits: list[Edit]) -> Iterator[Evidence]:
    after = [copied(item.sent)]
    replay(after, edits)
    for chain, old in item.tree.ask(Overlays).results(item):
        yield from _Judge(item, chain, old, after[0], edits).facts()


def _of_new(item: Object) -> Iterator[Evidence]:
    """Patches that name no object, or only a kind, are for the new ones, too."""
    for _, result in item.tree.ask(Overlays).results(item):
        for patch, reason in result.failed.items():
            yield Evidence(f"patch {patch} could not be applied to {item}: {reason}", patch.piece, patch.start)


class _Judge:
    """One object as one build patches it: ``old`` without the step, ``after`` its own data with it."""

    def __init__(self, item: Object, chain: Chain, old: Result, after: dict[str, Any], edits: list[Edit]) -> None:
        self._item = item
        self._chain = chain
        self._after = after
        self._edits = edits
        self._old = old
        self._new = chain.apply(after)

    def facts(self) -> Iterator[Evidence]:
        yield from self._applied()
        if self._old.data is not None and self._new.data is not None:
            yield from self._broken(self._old.data, self._new.data)
            yield from self._torn(self._new.data)
            if any("securityContext" in edit.path for edit in self._edits):
                yield from self._other_users(self._old.data, self._new.data)

    def _applied(self) -> Iterator[Evidence]:
        """A JSON patch counts the items of lists, tests what it finds, and wants to be there what it replaces."""
        for patch, reason in self._new.failed.items():
            if patch not in self._old.failed:
                yield Evidence(f"patch {patch} could no longer be applied: {reason}", patch.piece, patch.start)
        for patch, hits in self._new.hits.items():
            if hits != self._old.hits.get(patch, hits):
                yield Evidence(f"patch {patch} would no longer find what it changes", patch.piece, patch.start)

    def _broken(self, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Evidence]:
        broken = self._violations(new)
        if not broken:
            return
        known = Counter(_sign(each) for each in self._violations(old))
        # What is broken without a patch, too, is a matter of the self-check.
        known |= Counter(_sign(each) for each in self._violations(self._after))
        for each in broken:
            if known[_sign(each)]:
                known[_sign(each)] -= 1
            else:
                yield self._fact(self._cause(each), each.message, new, each.path)

    def _violations(self, data: dict[str, Any]) -> list[Violation]:
        tree = self._item.tree
        ranges = [found.data for found in tree.ask(ResourcePolicies).limit_ranges(self._item)]
        return violations(data, tree.settings.kubernetes_version, ranges)

    def _cause(self, broken: Violation) -> Patch:
        """The patch after which the rule is broken."""
        patches = self._chain.patches
        for first, patch in enumerate(patches, 1):
            data = self._chain.apply(self._after, first).data
            if data is not None and any(_sign(each) == _sign(broken) for each in self._violations(data)):
                return patch
        return patches[-1]

    def _fact(self, patch: Patch, text: str, data: dict[str, Any], path: Path) -> Evidence:
        return Evidence(f"with patch {patch}: {text}", patch.piece, patch.place(data, path)[1])

    def _torn(self, new: dict[str, Any]) -> Iterator[Evidence]:
        """A patch that replaces a list takes from it what the rest of the step needs."""
        lost = [edit for edit in self._edits if _supports(edit) and not self._stands(edit, new)]
        if lost and any(not _supports(edit) and self._stands(edit, new) for edit in self._edits):
            for edit in lost:
                path = edit.path[1:]
                patch, _ = self._chain.source(new, path)
                yield self._fact(patch, f"{path[-1]} would lose what the step adds", new, path)

    def _stands(self, edit: Edit, new: dict[str, Any]) -> bool:
        """Whether what ``edit`` writes is still there when it is patched."""
        found = _followed(self._after, new, edit.path[1:])
        if isinstance(edit, Append):
            return isinstance(found, list) and any(_serves(item, edit.value) for item in found)
        return isinstance(edit, Set) and found == edit.value

    def _other_users(self, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Evidence]:
        """A number of a container would win over one that a patch gives to the pod."""
        written, before, after = _users(self._item.data), _users(old), _users(new)
        for place, number in before.items():
            if number[0] != written.get(place, (None,))[0] and after.get(place, (None,))[0] != number[0]:
                patch, _ = self._chain.source(old, number[1])
                yield self._fact(patch, f"{place[1]} would no longer be what it sets", old, number[1])


def _sign(broken: Violation) -> tuple[int, str]:
    # No path: patches move the items of lists.
    return broken.rule, broken.message


def _supports(edit: Edit) -> bool:
    return isinstance(edit, Append) and edit.path[-1] in _SUPPORTING


def _serves(item: Any, wanted: Any) -> bool:
    """Whether ``item`` is ``wanted``, or another volume that can be written to where that would be mounted."""
    if item == wanted or not isinstance(item, dict) or not isinstance(wanted, dict):
        return bool(item == wanted)
    return "mountPath" in wanted and item.get("mountPath") == wanted["mountPath"] and item.get("readOnly") is not True


def _followed(data: Any, patched: Any, path: Path) -> Any:
    """What stands in ``patched`` at ``path`` of ``data``, whose lists may hold the same items at other places."""
    for part in path:
        if isinstance(data, dict) and isinstance(patched, dict):
            data, patched = data.get(part), patched.get(part)
        elif isinstance(data, list) and isinstance(patched, list) and isinstance(part, int) and part < len(data):
            wanted, data = identity(data[part]), data[part]
            patched = next((item for item in patched if identity(item) == wanted), None)
        else:
            return None
    return patched


def _users(data: dict[str, Any]) -> dict[tuple[Path, str], tuple[Any, Path]]:
    """The users and groups that each container runs with as they are written, and where: its own, else the pod's."""
    found: dict[tuple[Path, str], tuple[Any, Path]] = {}
    for path in templates(data):
        spec = existing(data, (*path, "spec"))
        for key in ("initContainers", "containers"):
            containers = spec.get(key)
            for index, container in enumerate(containers if isinstance(containers, list) else ()):
                if isinstance(container, dict):
                    where = (*path, "spec", key, index)
                    place: Path = (*path, key, str(container.get("name")))
                    for field in _USERS:
                        for holder, at in ((container, where), (spec, (*path, "spec"))):
                            security = holder.get("securityContext")
                            if isinstance(security, dict) and security.get(field) is not None:
                                found[place, field] = security[field], (*at, "securityContext", field)
                                break
    return found
