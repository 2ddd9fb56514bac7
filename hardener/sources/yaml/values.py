"""From nodes to plain data: what the Kubernetes API would hold in its hands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .positions import (
    ALIAS,
    FLOW_MAPPING,
    FLOW_SEQUENCE,
    FOLDED,
    MAPPING,
    PLAIN,
    SEQUENCE,
    Alias,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Tree,
)
from .scalars import key_text, resolve, tagged
from .text_error import TextError

_MAP_TAGS = (None, "!", "tag:yaml.org,2002:map")
_SEQ_TAGS = (None, "!", "tag:yaml.org,2002:seq")
MAX_EXPANSION = 100_000
MAX_EXPANSION_FACTOR = 20
ITEM = ""  # any item of a list
Paths = dict[str, "Paths"]
"""Keys, and `ITEM`, with what is meant below each."""


class Owners:
    """Remembers which node each container of the plain data came from.

    The containers are kept alive: a freed dict's id could come back as another dict's.
    """

    __slots__ = ("_alive", "_nodes")

    def __init__(self) -> None:
        self._nodes: dict[int, int] = {}
        self._alive: list[Any] = []

    def add(self, container: Any, at: int) -> None:
        """Note that `container` was made from the node of number `at`."""
        self._nodes[id(container)] = at
        self._alive.append(container)

    def node(self, value: Any) -> int | None:
        """Give the number of the node that `value` is or was made from, None for what is new or no container."""
        if isinstance(value, Kept):
            return value.at
        return self._nodes.get(id(value)) if isinstance(value, (dict, list)) else None


class NotSimpleError(Exception):
    """A tree is not so simple that `simple_value` could read it."""


def simple_value(tree: Tree, at: int) -> Any:
    """Give the plain data of the node of number `at`, without a node object.

    Raises NotSimpleError where there is more to look at than texts and collections: `value_of` does.
    """
    kinds, texts = tree.kinds, tree.texts
    kind = kinds[at]
    if kind <= FOLDED:
        return texts[at] if kind else resolve(texts[at])
    return _SIMPLE[kind](tree, at)


def _simple_alias(tree: Tree, at: int) -> Any:
    raise NotSimpleError


def _simple_items(tree: Tree, at: int) -> list[Any]:
    kinds, texts, nexts = tree.kinds, tree.texts, tree.nexts
    child, end = at + 1, nexts[at]
    items = []
    while child < end:
        kind = kinds[child]
        if kind <= FOLDED:  # most are; a call for each would cost more than the rest
            items.append(texts[child] if kind else resolve(texts[child]))
        else:
            items.append(_SIMPLE[kind](tree, child))
        child = nexts[child]
    return items


def _simple_mapping(tree: Tree, at: int) -> dict[str, Any]:
    kinds, texts, nexts = tree.kinds, tree.texts, tree.nexts
    child, end = at + 1, nexts[at]
    found: dict[str, Any] = {}
    while child < end:
        key, kind = texts[child], kinds[child]
        if kind == PLAIN:
            key = resolve(key)
            if type(key) is not str or key == "<<":
                raise NotSimpleError
        elif kind > FOLDED:
            raise NotSimpleError
        if key in found:
            raise NotSimpleError
        child += 1
        kind = kinds[child]
        if kind <= FOLDED:
            found[key] = texts[child] if kind else resolve(texts[child])
            child += 1
        else:
            found[key] = _SIMPLE[kind](tree, child)
            child = nexts[child]
    return found


_SIMPLE = {
    ALIAS: _simple_alias,
    MAPPING: _simple_mapping,
    FLOW_MAPPING: _simple_mapping,
    SEQUENCE: _simple_items,
    FLOW_SEQUENCE: _simple_items,
}


def says(tree: Tree, at: int, value: Any) -> bool:
    """Tell whether the node of number `at` says `value`, type by type and with its keys in the same order.

    Where the answer is False, or TextError is raised, the data that are made of the node have the last word.
    """
    kinds, texts = tree.kinds, tree.texts
    kind = kinds[at]
    found: Any
    if kind <= FOLDED:
        found = texts[at] if kind else resolve(texts[at])
        return found is value or (type(found) is type(value) and bool(found == value))
    return _SAYS[kind](tree, at, value)


def _alias_says(tree: Tree, at: int, value: Any) -> bool:
    return False


def _items_say(tree: Tree, at: int, value: Any) -> bool:
    if type(value) is not list:
        return False
    nexts = tree.nexts
    child, end = at + 1, nexts[at]
    for item in value:
        if child >= end or not says(tree, child, item):
            return False
        child = nexts[child]
    return child == end


def _mapping_says(tree: Tree, at: int, value: Any) -> bool:
    if type(value) is not dict:
        return False
    kinds, texts, nexts = tree.kinds, tree.texts, tree.nexts
    child, end = at + 1, nexts[at]
    for key, item in value.items():
        if child >= end:
            return False
        kind = kinds[child]
        if kind > FOLDED or texts[child] != key or (not kind and (key == "<<" or type(resolve(key)) is not str)):
            return False
        child += 1
        kind = kinds[child]
        if kind <= FOLDED:  # most are; a call for each would cost more than the rest
            found = texts[child] if kind else resolve(texts[child])
            if found is not item and (type(found) is not type(item) or found != item):
                return False
            child += 1
        elif _SAYS[kind](tree, child, item):
            child = nexts[child]
        else:
            return False
    return child == end


_SAYS = {
    ALIAS: _alias_says,
    MAPPING: _mapping_says,
    FLOW_MAPPING: _mapping_says,
    SEQUENCE: _items_say,
    FLOW_SEQUENCE: _items_say,
}


class Kept:
    """What stands in plain data for the value of the node of number `at`, which nobody looks into."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        self.at = at


_KEPT = [Kept(at) for at in range(2048)]  # one for all documents


def kept(at: int) -> Kept:
    """Give what stands for the value of the node of number `at`."""
    return _KEPT[at] if at < len(_KEPT) else Kept(at)


def filled(value: Any, tree: Tree) -> Any:
    """Give `value` with the values that were kept."""
    if isinstance(value, Kept):
        return value_of(tree.node(value.at))
    if isinstance(value, dict):
        return {key: filled(item, tree) for key, item in value.items()}
    return [filled(item, tree) for item in value] if isinstance(value, list) else value


def keys_of(tree: Tree, at: int) -> dict[str, int]:
    """Give the keys of a mapping but `<<`, each with the number of its node."""
    kinds, nexts, texts, properties = tree.kinds, tree.nexts, tree.texts, tree.properties
    found: dict[str, int] = {}
    key, end = at + 1, nexts[at]
    while key < end:
        kind, text = kinds[key], texts[key]
        if kind == PLAIN:
            text = resolve(text)
        if kind > FOLDED or type(text) is not str or text == "<<" or key in properties:
            node = tree.node(key)
            if not is_merge(node):
                found[key_of(node)] = key
        else:
            found[text] = key
        key = nexts[nexts[key]]
    return found


def is_merge(key: Node) -> bool:
    """True for the merge key `<<`."""
    return (
        isinstance(key, Scalar) and key.text == "<<" and not key.style and key.tag in (None, "tag:yaml.org,2002:merge")
    )


def merge_sources(value: Node) -> list[Node]:
    """Give the mappings that a merge key names, the stronger first."""
    source = value.target if isinstance(value, Alias) else value
    sources = source.items if isinstance(source, Sequence) else [source]
    return [s.target if isinstance(s, Alias) else s for s in sources]


def value_of(node: Node, owners: Owners | None = None) -> Any:
    """Give the plain data of `node`; every alias and merge gets its own copy, so no edit leaks through an anchor."""
    kind = type(node)
    if kind is Scalar:
        return scalar_value(node)  # type: ignore[arg-type]
    if kind is Mapping:
        return _mapping_value(node, owners)  # type: ignore[arg-type]
    if kind is Sequence:
        if node.tag not in _SEQ_TAGS:
            raise TextError("a sequence carries a tag that Kubernetes does not read")
        found: Any = [value_of(item, owners) for item in node.items]  # type: ignore[attr-defined]
    else:
        found = value_of(node.target)  # type: ignore[attr-defined]
        if not isinstance(found, (dict, list)):
            return found
    if owners is not None:
        owners.add(found, node.at)
    return found


def scalar_value(node: Scalar) -> Any:
    """Give the value of a leaf."""
    if node.tag is None:
        return node.text if node.style else resolve(node.text)
    return tagged(node.text, node.tag)


def key_of(key: Node) -> str:
    """Give the string that the API uses for this key."""
    while isinstance(key, Alias):
        key = key.target
    if not isinstance(key, Scalar):
        raise At("a key is a collection, perhaps an unquoted template", key)
    if key.tag is None and key.style:
        return key.text
    value = scalar_value(key)
    if value is None:
        raise At("a key is null", key)
    return value if type(value) is str else key_text(value)


class At(TextError):
    """A refusal that knows its node and does not yet know its line."""

    def __init__(self, reason: str, node: Node) -> None:
        super().__init__(reason)
        self.start = node.start


def _mapping_value(node: Mapping, owners: Owners | None) -> dict[str, Any]:
    if node.tag not in _MAP_TAGS:
        raise At("a mapping carries a tag that Kubernetes does not read", node)
    found: dict[str, Any] = {}
    merge: Node | None = None
    early: set[str] = set()
    for key_node, value_node in node.pairs:
        if key_node.tag is None and type(key_node) is Scalar:
            key = key_node.text
            if not key_node.style:
                if key == "<<":
                    if merge is not None:
                        raise At("duplicate key <<", key_node)
                    merge = value_node
                    early = set(found)
                    continue
                key = resolve(key)
                if type(key) is not str:
                    key = key_of(key_node)
        else:
            key = key_of(key_node)
        if key in found:
            raise At(f"duplicate key {key!r}", key_node)
        if type(value_node) is Scalar:  # most are; a call for each would cost more than the rest
            found[key] = scalar_value(value_node)
        else:
            found[key] = value_of(value_node, owners)
    if merge is not None:
        _add_merged(found, merge, early)
    if owners is not None:
        owners.add(found, node.at)
    return found


def _add_merged(found: dict[str, Any], merge: Node, early: set[str]) -> None:
    for key, value in _merged(merge):
        if key in early:
            # go-yaml v2 lets a later merge win over the key, the specification lets the key win.
            raise At(f"key {key!r} comes before a merge that holds it too; readers disagree", merge)
        found.setdefault(key, value)


def _merged(value: Node) -> Iterator[tuple[str, Any]]:
    for source in merge_sources(value):
        if not isinstance(source, Mapping):
            raise At("a merge key names something that is no mapping", source)
        yield from _mapping_value(source, None).items()


def check_expansion(root: Node, text_nodes: int) -> None:
    """Refuse a document whose aliases unfold to vastly more than it spells out."""
    limit = max(MAX_EXPANSION, MAX_EXPANSION_FACTOR * text_nodes)
    known: dict[int, int] = {}

    def size(node: Node) -> int:
        if isinstance(node, Alias):
            return size(node.target)
        if node.at not in known:
            total = 1 + sum(map(size, children(node)))
            if total > limit:
                raise TextError("aliases unfold to too many values")
            known[node.at] = total
        return known[node.at]

    size(root)


def children(node: Node) -> list[Node]:
    """Give keys and values, or items; nothing for leaves and aliases."""
    if isinstance(node, Mapping):
        return [child for pair in node.pairs for child in pair]
    return node.items if isinstance(node, Sequence) else []
