"""The pods and policies of a tree in one state: as it was read, or as a run leaves it."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Set
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from hardener.engine.document import applied_steps
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.network.network_policy import GROUP, NAMESPACE_LABEL, Pod, Policy, parse
from hardener.kubernetes.network.reachability import Network, hangs_on_blocks
from hardener.report.reachability.layout import Layout, Place, PodFacts
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import mapping
from hardener.tree.core_views import Object, PodTemplate


class State(Struct, eq=False, dict=True):
    """The tree of ``layout``: ``as_read``, before the steps of the run, or with them."""

    layout: Layout
    as_read: bool
    _documents: dict[Piece, list[Any]] = field(default_factory=dict)
    _networks: dict[tuple[int, bool], Network] = field(default_factory=dict)
    _touched: dict[Piece, Set[Path]] = field(default_factory=dict)
    _facts: dict[PodTemplate, PodFacts] = field(default_factory=dict)

    @cached_property
    def has_policies(self) -> bool:
        return any(self._policies.values())

    def network(self, cluster: int, blocks_cover_pods: bool = True) -> Network:
        """Return the pods that stand in ``cluster``, by number, under the policies that hold there."""
        key = (cluster, blocks_cover_pods or not self._hangs_on_blocks)
        if key not in self._networks:
            twin = self._networks.get((cluster, not key[1]))
            pods = twin.pods if twin is not None else self._pods(cluster)
            first = self.layout.networks.get(cluster)
            if twin is None and first is not None and all(map(operator.is_, pods.values(), first.pods.values())):
                twin, pods = first, first.pods  # the other state, of the same pods
            namespaces = dict.fromkeys(pod.namespace for pod in pods.values())
            policies = [
                p for own in (None, cluster) for name in namespaces for p in self._policies.get((own, name), ())
            ]
            made = self._networks[key] = Network(pods, policies, blocks_cover_pods=key[1], twin=twin)
            self.layout.networks.setdefault(cluster, made)
        return self._networks[key]

    def _pods(self, cluster: int) -> dict[int, Pod]:
        """The pods that stand in ``cluster``, by number. One that is as in the other state is the same object."""
        first = self.layout.networks.get(cluster)
        known: Mapping[int, Pod] = first.pods if first is not None else {}
        return {
            number: self._pod(number, place, known.get(number))
            for number, place in self.layout.standing[cluster].items()
        }

    @cached_property
    def _hangs_on_blocks(self) -> bool:
        return hangs_on_blocks(policy for policies in self._policies.values() for policy in policies)

    def end(self, pod: PodTemplate, place: Place) -> tuple[Pod, list[Policy]]:
        """Return ``pod`` at ``place``, with the policies that select it there."""
        network, number = self.network(self.layout.cluster(place)), self.layout.numbers[pod]
        return network.pods[number], network.policies_of(number)

    # What the objects say.

    def _pod(self, number: int, place: Place, other: Pod | None) -> Pod:
        template = self.layout.pods[number]
        was = self.as_read and template.template_path in self._touched_in(template.object.piece)
        known = self._facts if was else self.layout.facts  # those that the run does not touch are read once
        if template not in known:
            known[template] = self._read(template, was)
        labels, ports, host_network = known[template]
        of_namespace = self._labels_of(place.name)
        if other is not None and other.labels is labels and other.namespace_labels == of_namespace:
            return other
        return Pod(place.namespace, labels, of_namespace, ports, host_network)

    def _read(self, pod: PodTemplate, was: bool) -> PodFacts:
        piece = pod.object.piece
        template = mapping(value_at(self._data(piece) if was else piece.data, pod.template_path))
        spec = mapping(template.get(str(pod.path[-1])))
        ports: dict[str, tuple[tuple[int, str], ...]] = {}
        for key in ("initContainers", "containers"):
            for container in _mappings(spec.get(key)):
                for port in _mappings(container.get("ports")):
                    name, number = port.get("name"), port.get("containerPort")
                    if isinstance(name, str) and isinstance(number, int):
                        ports[name] = (*ports.get(name, ()), (number, str(port.get("protocol") or "TCP")))
        return _labels(template), ports, spec.get("hostNetwork") is True

    def _touched_in(self, piece: Piece) -> Set[Path]:
        """The templates of ``piece`` of which an edit may have changed the labels, the ports or the network. All at
        once: a List may hold thousands of pods."""
        found = self._touched.get(piece)
        if found is None:
            templates = set(self._templates.get(piece, ()))
            deepest = max(map(len, templates), default=0)
            paths = {
                edit.path
                for step in applied_steps(piece)
                for edit in step
                if len(edit.path) < deepest + _BELOW or not _TELLING.isdisjoint(edit.path)  # most are of neither
            }
            concerned = {path for edit in paths for path in _concerned(edit, templates)}
            concerned.update(each for each in templates if any(each[:length] in paths for length in range(len(each))))
            found = self._touched[piece] = concerned or _NONE
        return found

    @cached_property
    def _templates(self) -> dict[Piece, list[Path]]:
        found: dict[Piece, list[Path]] = {}
        for pod in self.layout.pods:
            found.setdefault(pod.object.piece, []).append(pod.template_path)
        return found

    def _labels_of(self, name: str | None) -> Mapping[str, str]:
        """The labels of the namespace ``name``; nothing is known of one that is not named."""
        if name is None:
            return _NOTHING
        return self._namespaces.get(name) or self._namespaces.setdefault(name, {NAMESPACE_LABEL: name})

    @cached_property
    def _namespaces(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for item in self.layout.tree.of("", "Namespace"):
            for name in self.layout.tree.ask(Builds).rendered_names(item):
                labels = found.setdefault(name, {NAMESPACE_LABEL: name})
                labels.update((k, v) for k, v in _labels(self._object(item)).items() if k != NAMESPACE_LABEL)
        return found

    @cached_property
    def _policies(self) -> dict[tuple[int | None, str], list[Policy]]:
        """The policies by namespace, and by the one cluster in which they hold (None: in all)."""
        found: dict[tuple[int | None, str], list[Policy]] = {}
        for item in self.layout.tree.of(GROUP, "NetworkPolicy"):
            if item.classes or (self.as_read and item.piece.is_new):
                continue
            for place in self.layout.places(item):
                policy = self._policy(item, place.namespace)
                if policy is not None:
                    found.setdefault((self.layout.own_cluster(place), place.namespace), []).append(policy)
        return found

    def _policy(self, item: Object, namespace: str) -> Policy | None:
        if self.as_read and applied_steps(item.piece):
            return parse(self._object(item), namespace, origin=item)
        known, key = self.layout.policies, (item, namespace)  # those that the run does not touch are read once
        if key not in known:
            known[key] = parse(item.data, namespace, origin=item)
        return known[key]

    def _object(self, item: Object) -> Mapping[str, Any]:
        return mapping(value_at(self._data(item.piece), item.path))

    def _data(self, piece: Piece) -> list[Any]:
        if not self.as_read or not applied_steps(piece) or piece.is_new:
            return piece.data
        if piece not in self._documents:
            self._documents[piece] = piece.read().documents
        return self._documents[piece]


_NONE: frozenset[Path] = frozenset()  # most pieces have none
_NOTHING: Mapping[str, str] = {}
_BELOW = 2  # parts of a path below a template from which on these words tell what it leads to
_TELLING = frozenset(("metadata", "hostNetwork", "ports"))


def _concerned(path: Path, templates: set[Path]) -> Iterator[Path]:
    """Those of ``templates`` in which an edit at ``path`` may change the labels, the ports or the network of pods."""
    for length in range(len(path) + 1):
        if path[:length] in templates:
            rest = path[length:]
            if len(rest) < _BELOW or rest[0] == "metadata" or rest[1] == "hostNetwork" or "ports" in rest:
                yield path[:length]


def _labels(value: Mapping[str, Any]) -> Mapping[str, str]:
    labels = mapping(mapping(value.get("metadata")).get("labels"))
    if all([type(key) is str and type(label) is str for key, label in labels.items()]):
        return labels  # as nearly always; nobody changes them any more
    return {str(key): str(label) for key, label in labels.items()}


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in (value if isinstance(value, list) else []) if isinstance(item, dict))
