"""The kustomizations of a tree and how they take each other in, as ``kustomize build`` does it.

What a kustomization does to the objects it takes in (sigs.k8s.io/kustomize/api/internal/target/kusttarget.go): first
its components one after the other, each on all that is there by then, next itself, then the kustomization that takes it
in. So the outermost namespace wins, over that of the object too, and affixes add up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct, field

from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

# A kustomization may be taken in on so many ways (two ways at each of many levels) that nobody could name all results.
_MOST = 10_000


class Rendering(Struct, frozen=True):
    """What kustomizations make of an object: a namespace ("" leaves it as it is), a prefix and a suffix of its name."""

    namespace: str = ""
    prefix: str = ""
    suffix: str = ""

    def then(self, outer: Rendering) -> Rendering:
        """This one, and ``outer`` after it."""
        if outer is UNCHANGED:
            return self
        return Rendering(outer.namespace or self.namespace, outer.prefix + self.prefix, self.suffix + outer.suffix)

    def name_of(self, item: Object) -> str:
        """The name under which ``item`` comes out; a Namespace is called what the namespace is set to."""
        if (item.group, item.kind) == ("", "Namespace") and self.namespace:
            return self.namespace
        if not item.name or not kustomize.takes_affixes(item.group, item.kind):
            return item.name
        return f"{self.prefix}{item.name}{self.suffix}"


UNCHANGED = Rendering()


class Folder(Struct, eq=False, dict=True):
    """A kustomization: ``files`` that it lists, and the folders that it takes in as ``resources`` and ``components``.

    ``entries``: how many resources it had when it was read. ``users``: who takes it in, each with what happens there to
    what it builds. ``own``: what it and its components do. ``outer``: what the others do after it. ``roots``: the
    folders that builds with it start at, those whose kustomization no other one takes in.
    """

    path: str
    kustomization: Object
    entries: int = 0
    files: list[str] = field(default_factory=list)
    resources: list[Folder] = field(default_factory=list)
    components: list[Folder] = field(default_factory=list)
    users: list[tuple[Folder, Rendering]] = field(default_factory=list)
    own: Rendering = UNCHANGED
    outer: tuple[Rendering, ...] = (UNCHANGED,)
    roots: frozenset[str] = frozenset()
    _above: dict[str | None, list[Folder]] = field(default_factory=dict)

    @cached_property
    def setting(self) -> Rendering:
        """What it does itself."""
        document = self.kustomization.data
        keys = ("namespace", "namePrefix", "nameSuffix")
        found = Rendering(*(kustomize.setting(document, key) for key in keys))
        return UNCHANGED if found == UNCHANGED else found

    @cached_property
    def results(self) -> tuple[Rendering, ...]:
        """All that may become of its own files."""
        return tuple(dict.fromkeys(self.own.then(outer) for outer in self.outer))

    @cached_property
    def inner(self) -> list[Folder]:
        """The components that it uses, those that components use before them; each once."""
        found: list[Folder] = []
        waiting = [(each, False) for each in reversed(self.components)]
        seen = {self}
        while waiting:
            folder, done = waiting.pop()
            if done:
                found.append(folder)
            elif folder not in seen:
                seen.add(folder)
                waiting.append((folder, True))
                waiting += [(each, False) for each in reversed(folder.components)]
        return found

    def above(self, root: str | None) -> list[Folder]:
        """Those whose kustomizations transform what this one builds, the innermost first; ``root`` bounds them to one
        build."""
        if root not in self._above:
            self._above[root] = self._find_above(root)
        return self._above[root]

    def _find_above(self, root: str | None) -> list[Folder]:
        found: dict[Folder, None] = {}
        added: set[Folder] = set()  # components, with what they use
        for folder in self._users_of_users(root):
            if folder is not self:
                found.pop(folder, None)
                found[folder] = None
            for user, _ in folder.users:
                if root is None or root in user.roots:
                    after = user.components
                    after = after[after.index(folder) + 1 :] if folder in after else after
                    for each in after:
                        if each not in added:
                            added.add(each)
                            found.update((inner, None) for inner in (*each.inner, each))
        return list(found)

    def namespaces(self, root: str) -> frozenset[str]:
        """The namespaces that its own files may get in the build that starts at ``root``; "" is the one they have."""
        found: dict[Folder, set[str]] = {}
        for folder in reversed(list(self._users_of_users(root))):
            if folder.path == root:
                found[folder] = {""}
            else:
                users = ((step.namespace, found.get(user, ())) for user, step in folder.users)
                found[folder] = {outer or own for own, outers in users for outer in outers}
        return frozenset(outer or self.own.namespace for outer in found[self])

    def _users_of_users(self, root: str | None) -> Iterable[Folder]:
        # Depth first; turned around, each comes before those that take it in.
        order: list[Folder] = []
        waiting, seen = [(self, False)], {self}
        while waiting:
            folder, done = waiting.pop()
            if done:
                order.append(folder)
                continue
            waiting.append((folder, True))
            for user, _ in folder.users:
                if user not in seen and (root is None or root in user.roots):
                    seen.add(user)
                    waiting.append((user, False))
        return reversed(order)


def read(tree: Tree) -> dict[str, Folder]:
    """The kustomizations of ``tree`` by folder."""
    folders = {path: Folder(path, item) for path, item in tree.kustomizations.items()}
    plugins: set[str] = set()
    for folder in folders.values():
        document = folder.kustomization.data
        listed = document.get("resources")
        folder.entries = len(listed) if isinstance(listed, list) else 0
        for path in _resolved(tree, folder.path, kustomize.resources(document)):
            if path in folders:
                folder.resources.append(folders[path])
            else:
                folder.files.append(path)
        components = _resolved(tree, folder.path, kustomize.components(document))
        folder.components += (folders[path] for path in components if path in folders)
        plugins.update(_resolved(tree, folder.path, kustomize.plugins(document)))
    for folder in folders.values():
        _render(folder)
    for folder in folders.values():
        is_part = folder.users or folder.path in plugins or kustomize.is_component(folder.kustomization.data)
        folder.roots = frozenset() if is_part else frozenset([folder.path])
    for folder in _outer_first(folders):
        _reach(folder)
    return folders


def _resolved(tree: Tree, folder: str, names: Iterator[str]) -> list[str]:
    """The real paths of what a kustomization in ``folder`` names, each once; a URL becomes a path that is not there."""
    found: dict[str, None] = {}
    for name in names:
        path = os.path.normpath(os.path.join(folder, name))  # cleaned before links are followed, as kustomize does it
        if path not in tree.kustomizations and tree.file_at(path) is None and "\0" not in path:
            path = os.path.realpath(path)
        found[path] = None
    return list(found)


def _render(folder: Folder) -> None:
    """Note what ``folder`` does to its own objects, and with those that it takes in."""
    after = folder.setting
    for component in reversed(folder.components):
        component.users.append((folder, after))
        does = UNCHANGED
        for each in (*component.inner, component):
            does = does.then(each.setting)
        after = does.then(after)
    folder.own = after
    for resource in folder.resources:
        resource.users.append((folder, after))


def _outer_first(folders: dict[str, Folder]) -> Iterator[Folder]:
    """The folders, each after all that take it in; those of a circle, which kustomize refuses, at the end."""
    missing = {folder: len(folder.users) for folder in folders.values()}
    ready = [folder for folder, count in missing.items() if not count]
    while ready:
        folder = ready.pop()
        del missing[folder]
        yield folder
        for each in (*folder.resources, *folder.components):
            missing[each] -= 1
            if not missing[each]:
                ready.append(each)
    yield from missing


def _reach(folder: Folder) -> None:
    """Take over from those that take ``folder`` in what happens after it."""
    if len(folder.users) == 1:  # most have one: what is the same is shared
        user, step = folder.users[0]
        folder.roots = user.roots
        folder.outer = user.outer if step is UNCHANGED else tuple(dict.fromkeys(step.then(o) for o in user.outer))
    elif folder.users:
        folder.roots = frozenset().union(*(user.roots for user, _ in folder.users))
        found: dict[Rendering, None] = {}
        for user, step in folder.users:
            if len(found) < _MOST:
                found.update((step.then(outer), None) for outer in user.outer)
        folder.outer = tuple(found)[:_MOST]
