"""What is known about moving the secrets of an object out of the tree: whether there is a place for the values, who
reads them, and what stands against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.free_names import Names
from hardener.facts.objects.config_data import references
from hardener.facts.objects.system_pods import classes_of
from hardener.facts.objects.which_copy import Nearby
from hardener.facts.secrets.backend import Backends, Store
from hardener.facts.secrets.mentions import Mentions
from hardener.kubernetes.secrets import external_secret
from hardener.sources.files import UnreadableError, is_inside, read_bytes
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

# Of pods: what they read stays as it is, since something else than this tree decides about them.
_FIXED = ("patch", "owned", "static-pod", "system-namespace")
_LARGEST_CERTIFICATE = 1024 * 1024  # bytes
UNSET = "default"  # the namespace of what names none, in the keys of a store


class SecretMoves(AsRead):
    """One for a run, see ``moves_of``."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.backends = Backends(tree)
        self._taken = {key: item for item, key in self.backends.keys()}
        self._given: dict[tuple[int, str], str] = {}  # keys by object and what it asked for
        self._claims: dict[str, list[Object]] = {}  # names of Secrets by what asked for them in this run

    @property
    def sink(self) -> str | None:
        """The folder for the values, as it was named; None where there is none: then nothing may be taken out."""
        return None if self._tree.stream else self._tree.settings.secrets_out

    @property
    def commands(self) -> str:
        """The script in the folder that writes the values to the store."""
        return os.path.join(os.path.relpath(self.sink or "."), "push.sh")

    def expected(self, view: View, store: Store, template: str, name: str) -> str:
        """The key in ``store`` for the secrets ``name`` of an object, were it alone."""
        item = view.object
        names = self._tree.ask(Builds).known_namespaces(item)
        namespace = item.namespace or (names[0] if len(names) == 1 else None) or UNSET
        return external_secret.remote_key(template, namespace, name, store.provider)

    def key(self, view: View, wanted: str) -> str:
        """The key for the object of ``view``: ``wanted``, or with a number where another object of the tree has it."""
        given = (id(view.object), wanted)
        if given not in self._given:
            number, key = 1, wanted
            while key in self._taken:
                number += 1
                key = f"{wanted}-{number}"
            self._taken[key] = view.object
            self._given[given] = key
        return self._given[given]

    def free_name(self, view: View, wanted: str) -> str:
        """``wanted``, or with a number, as the name of a Secret, and of what makes it, for the object of ``view``."""
        builds, names, item = self._tree.ask(Builds), self._tree.ask(Names), view.object
        also: set[str] = set()
        while True:
            name = names.free("ExternalSecret", wanted, view, also)
            claims = self._claims.setdefault(name, [])
            taken = any(_others(one, item) and builds.meet(one, item) for one in claims)
            if not taken and names.free("Secret", name, view) == name:
                claims.append(item)
                return name
            also.add(name)

    def certificate(self, path: str) -> bytes | None:
        """The content of the file ``path``, seen from the root of the tree; None when it cannot be read."""
        real = os.path.realpath(os.path.join(self._tree.root, path))
        if not is_inside(real, self._tree.root):
            return None
        try:
            return read_bytes(real, _LARGEST_CERTIFICATE)[0]
        except UnreadableError:
            return None

    def namespace(self, view: View) -> str | None:
        """The namespace that the object of ``view`` comes out in; None where it is unset, or one of several."""
        names = self._tree.ask(Builds).known_namespaces(view.object)
        return names[0] if len(names) == 1 else None

    def renamed(self, view: View, backend: str) -> str | None:
        """Why the Secret of ``backend`` for the object of ``view`` would not have the one name that its readers use;
        None where it has. Kustomize renames what is in the tree, and not what is made of it."""
        found = set(self._tree.ask(Builds).renderings(view.object))
        if len({each.namespace for each in found}) < len(found):
            return "several overlays rename it in one namespace, and the new Secret has one name"
        if backend in ("sealed-secrets", "secret") and any(each.prefix or each.suffix for each in found):
            return "a kustomization renames it, and the Secret is made under one name"
        return None

    def made_before(self, view: View, secret: str, key: str) -> Object | None:
        """The ExternalSecret of the tree, as read, that makes ``secret`` beside the object of ``view`` from ``key``."""
        found = []
        for item in self._tree.of(external_secret.GROUP, "ExternalSecret"):
            if not item.piece.is_new and item.editable and (item.text("spec", "target", "name") or item.name) == secret:
                found.append(item)
        near = Nearby(self._tree.ask(Builds), found).of(view.object) if found else []
        same = [item for item in near if item.text("spec", "data", 0, "remoteRef", "key") == key]
        return same[0] if same else None

    # Who reads it.

    @cached_property
    def _readers(self) -> dict[str, list[PodTemplate]]:
        """The pods of the tree by the names of the ConfigMaps that they read."""
        found: dict[str, list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            for name in dict.fromkeys(_read_by(pod)):
                found.setdefault(name, []).append(pod)
        return found

    @cached_property
    def _config_maps(self) -> dict[str, Nearby]:
        known: dict[str, list[Object]] = {}
        for item in self._tree.of("", "ConfigMap"):
            known.setdefault(item.name, []).append(item)
        return {name: Nearby(self._tree.ask(Builds), items) for name, items in known.items()}

    def readers(self, config_map: View) -> list[PodTemplate]:
        """The pods that read ``config_map``, and not another one of its name."""
        item = config_map.object
        near = self._config_maps[item.name]
        return [pod for pod in self._readers.get(item.name, ()) if item in near.of(pod.object)]

    def why_not(self, config_map: View) -> Evidence | None:
        """Why not every reader of ``config_map`` is known and can be changed; None when each can."""
        readers = self.readers(config_map)
        if not readers:
            return Evidence("nothing in the tree reads it")
        for pod in readers:
            if not pod.object.editable:
                return pod.fact(f"{pod.object} reads it, and is outside of the given paths")
            kind = next((name for name in _FIXED if name in classes_of(pod)), None)
            if kind is not None:
                return pod.fact(f"{pod.object} reads it, and is left as it is ({kind})")
        return self._kustomized(config_map.object) or self._mentions.of(config_map.object)

    @cached_property
    def _mentions(self) -> Mentions:
        return Mentions(self._tree)

    def patched(self, view: View) -> Evidence | None:
        """What a kustomization does with the object beside listing it, which would find another one then."""
        return self._kustomized(view.object) or self._mentions.in_kustomizations(view.object)

    def _kustomized(self, item: Object) -> Evidence | None:
        if item.classes:
            return Evidence(f"it is left as it is ({next(iter(item.classes))})")
        for other in self._tree.of(item.group, item.kind):
            if other is not item and other.name == item.name and "patch" in other.classes:
                return other.fact(f"{other.piece.file.name} patches it")
        if len(self._tree.ask(Builds).affixes(item)) > 1:
            return Evidence("several overlays rename it, and the Secret of an ExternalSecret has one name")
        return None


def _others(one: Object, other: Object) -> bool:
    """Whether two objects are no copies of one."""
    here = (one.piece.file.path, other.piece.file.path)
    copies = (one.kind, one.name) == (other.kind, other.name) and os.path.dirname(here[0]) != os.path.dirname(here[1])
    return one is not other and not copies


def _read_by(pod: PodTemplate) -> Iterator[str]:
    """The names of the ConfigMaps that ``pod`` reads, as far as they can be told."""
    try:
        for container in pod.containers:
            for kind, name, _ in references(container):
                if kind == "ConfigMap":
                    yield name
        for volume in pod.items("volumes"):  # also those that nobody mounts
            yield volume.text("configMap", "name") or ""
            for source in volume.view("projected").items("sources"):
                yield source.text("configMap", "name") or ""
    except (OpaqueError, WrongShapeError):
        return  # its text is looked through, as that of what is no manifest


def moves_of(view: View) -> SecretMoves:
    """What is known about moving secrets in the tree of ``view``."""
    return view.tree.ask(SecretMoves)
