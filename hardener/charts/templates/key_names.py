"""What a new key of values is called: as the chart calls those of the same container or pod."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hardener.charts.templates.template_text import Node, is_literal
from hardener.kubernetes.objects import key_order

VALUE = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
"""A value that an action names."""

# What charts call the values of a field otherwise. `helm create` makes most of these.
# A name may be that of any other component.
_CONTAINER = frozenset((*key_order.ORDER["Container"], "containerSecurityContext")) - {"name"}
_POD = frozenset(
    (*key_order.ORDER["PodSpec"], "podSecurityContext", "podAnnotations", "podLabels", "serviceAccount", "replicaCount")
)
_NAMES = {
    ("Container", "securityContext"): ("securityContext", "containerSecurityContext"),
    ("PodSpec", "securityContext"): ("podSecurityContext",),
    ("ServiceAccount", "automountServiceAccountToken"): ("automount", "automountServiceAccountToken"),
}

Keys = tuple[str, ...]


def values_named(node: Node) -> Iterator[Keys]:
    """Yield the values that the actions of a node and all below it name, with those of the blocks that stand in it."""
    known: set[int] = {block.number for block in node.blocks}
    nodes = [node]
    for one in nodes:
        nodes.extend(one.children)
        for text in (*one.actions, *(block.action for block in one.blocks if block.number not in known)):
            for found in VALUE.findall(text):
                yield tuple(found[1:].split("."))
        known |= {block.number for block in one.blocks}


def prefix_of(node: Node, type_name: str) -> Keys | None:
    """Return below which key the chart keeps the values of a container or pod: ``web`` where it has
    ``.Values.web.image``, () where it has ``.Values.image``; None where it shows none. That of most of them."""
    fields = _CONTAINER if type_name == "Container" else _POD
    votes: Counter[Keys] = Counter()
    for path in values_named(node):
        at = next((place for place, key in enumerate(path) if key in fields), None)
        if at is not None and path[0] != "global":
            votes[path[:at]] += 1
    return votes.most_common(1)[0][0] if votes else None


def candidates(
    key: str, node: Node, type_name: str, others: Iterable[Node], values: Mapping[str, Any], *, alone: bool, file: str
) -> list[Keys]:
    """Return the names that a new value for ``key`` of ``node`` may have, best first.

    ``others`` are the containers beside it, or those of the pod; ``alone``: the chart has no other pod. Where the chart
    shows no place for it, the container is named, or the ``file`` that the pod is in.
    """
    names = _NAMES.get((type_name, key), (key,))
    if type_name == "ServiceAccount":
        own = values.get("serviceAccount")
        return [("serviceAccount", names[0])] if isinstance(own, dict) else [(names[-1],)]
    top, is_known = _above(node, type_name, list(others), alone)
    words = [_container_word(node) if type_name == "Container" else None, _file_word(file, values)]
    found = [(*top, names[0])] if is_known else []
    found += [(*top, word, names[0]) for word in words if word]
    return found + [(*top, name) for name in names[1:]]


def _above(node: Node, type_name: str, others: list[Node], alone: bool) -> tuple[Keys, bool]:
    """Below which keys the chart has what is about ``node``, and whether that is known."""
    above = prefix_of(node, type_name)
    shared = {prefix for other in others if (prefix := prefix_of(other, "Container")) is not None}
    if above is None and type_name == "PodSpec" and len(shared) == 1:
        (above,) = shared
    is_only = alone and not shared and not (others and type_name == "Container")
    return above or (), above is not None or is_only


def _container_word(container: Node) -> str | None:
    """The name of a container as a key: ``logShipper`` for ``log-shipper``; None where an action makes it."""
    name = next((child.value for child in container.children if child.name == "name"), "")
    return _camel(name) if is_literal(name) else None


def _file_word(path: str, values: Mapping[str, Any]) -> str | None:
    """The name of a file as a key; `service.yaml` is not for the values of a Service."""
    word = _camel(path.rpartition("/")[2].partition(".")[0])
    return f"{word}Pod" if word in values else word


def _camel(name: str) -> str | None:
    first, *rest = re.split(r"[^A-Za-z0-9]+", name.strip("_"))
    return first + "".join(part.capitalize() for part in rest) if re.match(r"[A-Za-z]", first) else None
