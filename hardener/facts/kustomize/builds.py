"""What the kustomizations of the tree build: which objects are applied together, under which names and namespaces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize import kustomize_tree
from hardener.facts.kustomize.kustomize_tree import UNCHANGED, Folder, Rendering
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.objects.scope import is_cluster_scoped
from hardener.sources.files.selection import pattern_test
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree


@dataclass(frozen=True, slots=True)
class Build:
    """All that ``kustomize build`` makes of ``folder``, which holds ``kustomization``."""

    folder: str
    kustomization: Object
    _builds: Builds = field(repr=False, compare=False)

    def layers(self, item: Object) -> tuple[Object, ...]:
        """The kustomizations that transform ``item`` in this build, the innermost first; each once, also where the
        build takes it in on several ways."""
        return self._builds.layers(item, self.folder)

    def namespaces(self, item: Object) -> frozenset[str | None]:
        """The namespaces that ``item`` comes out in, of this build alone."""
        return self._builds.namespaces_in(item, self.folder)


class Builds(AsRead):
    """What the kustomizations make of an object: with which others, under which names and namespaces. That is the same
    for all that the same kustomizations list, so it is worked out once for these."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._folders = kustomize_tree.read(tree)
        self._listing: dict[str, tuple[Folder, ...]] = {}  # the kustomizations that list a file
        for folder in self._folders.values():
            for path in folder.files:
                self._listing[path] = (*self._listing.get(path, ()), folder)
        self._roots: dict[tuple[Folder, ...], frozenset[str]] = {}
        self._renderings: dict[tuple[Folder, ...], tuple[Rendering, ...]] = {}
        self._affixes: dict[tuple[Folder, ...], tuple[Rendering, ...]] = {}
        self._labels: dict[tuple[Folder, ...], frozenset[tuple[str, str]]] = {}
        self._namespaces: dict[tuple[tuple[Folder, ...], str | None], tuple[str | None, ...]] = {}
        self._known: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        self._configured_for: dict[str, str | None] = {}  # by file

    @property
    def folders(self) -> Mapping[str, Folder]:
        """The kustomizations of the tree by folder."""
        return self._folders

    def of(self, item: Object) -> tuple[Build, ...]:
        """The builds that hold ``item``; none for a file that is applied as it is."""
        return tuple(Build(root, self._folders[root].kustomization, self) for root in sorted(self.roots(item)))

    def roots(self, item: Object) -> frozenset[str]:
        """The folders where the builds start that hold ``item``."""
        listing = self._listed_in(item.piece.file.path)
        if len(listing) == 1:
            return listing[0].roots
        if listing not in self._roots:
            self._roots[listing] = frozenset().union(*(folder.roots for folder in listing))
        return self._roots[listing]

    def renderings(self, item: Object) -> tuple[Rendering, ...]:
        """What the kustomizations make of ``item``, once for each different result; one that changes nothing for a
        file that none of them lists."""
        listing = self._listed_in(item.piece.file.path)
        if len(listing) == 1:
            return listing[0].results
        if listing not in self._renderings:
            found = dict.fromkeys(each for folder in listing for each in folder.results)
            self._renderings[listing] = tuple(found) or (UNCHANGED,)
        return self._renderings[listing]

    def namespaces(self, item: Object) -> tuple[str | None, ...]:
        """Every namespace that ``item`` comes out in: by the kustomizations that list its file, else its own, else by
        the configuration; None is an unset one, also that of what lives in no namespace.

        A file that no kustomization lists is applied as it stands (kubectl apply -f), also beside one.
        """
        if is_cluster_scoped(item.group, item.kind):
            return (None,)
        key = (self._listed_in(item.piece.file.path) if self._listing else (), item.namespace)
        found = self._namespaces.get(key)
        if found is None:
            names = dict.fromkeys(each.namespace or item.namespace for each in self.renderings(item))
            found = self._namespaces[key] = tuple(names)
        if self._configured and None in found:
            configured = self._configured_namespace(item.piece.file.path)
            return tuple(dict.fromkeys(name or configured for name in found))
        return found

    def namespaces_in(self, item: Object, root: str) -> frozenset[str | None]:
        """Those of ``namespaces`` that the build that starts at ``root`` gives to ``item``."""
        listing = self._listed_in(item.piece.file.path)
        given = {
            name or item.namespace for folder in listing if root in folder.roots for name in folder.namespaces(root)
        }
        if None in given and self._configured:
            configured = self._configured_namespace(item.piece.file.path)
            return frozenset(name or configured for name in given)
        return frozenset(given)

    @cached_property
    def _configured(self) -> list[tuple[Callable[[str], bool], str]]:
        root = self.tree.root
        return [(pattern_test(pattern, root), name) for pattern, name in self.tree.settings.namespaces]

    def _configured_namespace(self, path: str) -> str | None:
        if path not in self._configured_for:
            self._configured_for[path] = next((name for fits, name in self._configured if fits(path)), None)
        return self._configured_for[path]

    def known_namespaces(self, item: Object) -> tuple[str | None, ...]:
        """``namespaces``, with None also for an expression (``${NAMESPACE}``): what it becomes may be any."""
        found = self.namespaces(item)
        known = self._known.get(found)
        if known is None:
            known = tuple(dict.fromkeys(name if _is_name(name) else None for name in found))
            self._known[found] = known
        return known

    def is_placed_by_program(self, item: Object) -> bool:
        """Whether code makes ``item``, in a namespace that only that knows."""
        return item.piece.source.chooses_namespace(item.written_namespace) and None in self.namespaces(item)

    def affixes(self, item: Object) -> tuple[Rendering, ...]:
        """``renderings`` as far as they concern a name that is no namespace's."""
        listing = self._listed_in(item.piece.file.path)
        found = self._affixes.get(listing)
        if found is None:
            all_of_them = (Rendering("", each.prefix, each.suffix) for each in self.renderings(item))
            found = self._affixes[listing] = tuple(dict.fromkeys(all_of_them))
        return found

    def names(self, item: Object) -> frozenset[str]:
        """The name of ``item`` as written, and all that it comes out under."""
        if not self._listing:
            return frozenset((item.name,))
        return frozenset((item.name, *self.rendered_names(item)))

    def rendered_names(self, item: Object) -> tuple[str, ...]:
        """The names under which ``item`` comes out."""
        is_namespace = (item.group, item.kind) == ("", "Namespace")
        results = self.renderings(item) if is_namespace else self.affixes(item)
        return tuple(dict.fromkeys(each.name_of(item) for each in results))

    def given_labels(self, item: Object) -> frozenset[tuple[str, str]]:
        """The labels that kustomizations give to pods of ``item``, of all builds together."""
        listing = self._listed_in(item.piece.file.path)
        if not listing or not self._labelling:
            return frozenset()
        if listing not in self._labels:
            given = (kustomize.template_labels(layer.data) for layer in self.layers(item))
            self._labels[listing] = frozenset(label for labels in given for label in labels)
        return self._labels[listing]

    @cached_property
    def _labelling(self) -> bool:
        documents = (folder.kustomization.data for folder in self._folders.values())
        return any(True for document in documents for _ in kustomize.template_labels(document))

    def may_be_in(self, item: Object, namespace: str | None) -> bool:
        """Whether ``item`` can come out in ``namespace``; None is an unset one."""
        found = self.known_namespaces(item)
        return namespace is None or None in found or namespace in found

    def meet(self, one: Object, other: Object) -> bool:
        """Whether two objects can come out in one namespace; an unset one may be any."""
        a, b = self.known_namespaces(one), self.known_namespaces(other)
        return a is b or None in a or None in b or not set(a).isdisjoint(b)

    def unseen(self) -> Iterator[tuple[str | None, Evidence]]:
        """What kustomizations take in that the tree does not show (a URL, a chart, a missing file), each with a
        namespace that it may come out in: those that the kustomizations set, else those that the build declares."""
        declared: dict[str, set[str | None]] | None = None
        for folder in self._folders.values():
            facts = [folder.kustomization.fact(text, *path) for text, path in self._elsewhere(folder)]
            if not facts:
                continue
            names: set[str | None] = {each.namespace or None for each in folder.results}
            if None in names:
                declared = self._declared() if declared is None else declared
                names.update(name for root in folder.roots for name in declared.get(root, ()))
            for fact in facts:
                yield from ((name, fact) for name in sorted(names, key=str))

    def _elsewhere(self, folder: Folder) -> Iterator[tuple[str, Path]]:
        for path, name in kustomize.entries(folder.kustomization.data):
            place = os.path.normpath(os.path.join(folder.path, name))
            if path[0] in ("helmCharts", "helmChartInflationGenerator"):
                yield f"kustomize renders the chart {name}", path
            elif "\0" in place or not (self.tree.file_at(place) or os.path.exists(place)):
                yield f"kustomize includes {name}, which the tree does not show", path

    def _declared(self) -> dict[str, set[str | None]]:
        found: dict[str, set[str | None]] = {}
        for item in self.tree.of("", "Namespace"):
            for root in self.roots(item):
                found.setdefault(root, set()).update(self.rendered_names(item))
        return found

    def listing(self, path: str) -> list[Object]:
        """The kustomizations that list the file ``path``, as read."""
        return [folder.kustomization for folder in self._listing.get(path, ())]

    def entries_read(self, kustomization: Object) -> int:
        """How many resources ``kustomization`` had when it was read."""
        return self._folders[kustomization.folder].entries

    def _listed_in(self, path: str) -> tuple[Folder, ...]:
        if not self._listing:
            return ()
        found = self._listing.get(path)
        if found is None and path in self.tree.drafted:  # a new file will be listed where its sibling is
            found = self._listing.get(self.tree.drafted[path].beside or path)
        return found or ()

    def layers(self, item: Object, root: str | None = None) -> tuple[Object, ...]:
        """The kustomizations that transform ``item``, in the build that starts at ``root`` or in all of them."""
        found: dict[Folder, None] = {}
        for folder in self._listed_in(item.piece.file.path):
            if root is None or root in folder.roots:
                found.update((each, None) for each in (*folder.inner, folder, *folder.above(root)))
        return tuple(folder.kustomization for folder in found)


def _is_name(namespace: str | None) -> bool:
    return namespace is not None and not any(mark in namespace for mark in "$({<")
