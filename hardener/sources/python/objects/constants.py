"""Constants: an edit goes to where they are assigned if only manifests use them, else to where they are used. An image
with a name that is used elsewhere too is not edited: the name would no longer say which one runs."""

from hardener.sources.python.model import Mapping, Node, Scalar, Sequence
from hardener.sources.python.names.resolve import Key, member, single
from hardener.sources.python.objects.extract import Extractor


def unify(documents: list[Mapping], extractor: Extractor) -> None:
    """Let all uses of a constant be one node, where every use of its name is one, and for the same field: a value that
    is wrong for one field may be right for another."""
    loads = _loads(extractor)
    fields: dict[Node, set[str]] = {}
    for document in documents:
        _note(document, "", fields)
    one: dict[Scalar, Node] = {}
    for (scope, name), uses in extractor.uses.items():
        binding, _ = single(scope.bindings[name])
        value = extractor.made.get(binding.value) if binding is not None and binding.value is not None else None
        if not isinstance(value, Scalar):
            continue
        meant = set().union(*(fields.get(use, {""}) for use in uses))
        if len(meant) == 1 and loads.get((scope, name), 0) <= len(uses):
            one.update(dict.fromkeys(uses, value))
        elif "image" in meant:
            for use in uses:
                use.written = False
    if not one:
        return
    for document in documents:
        _replace(document, one)


def _note(node: Node, field: str, fields: dict[Node, set[str]]) -> None:
    """Record for which fields each scalar is the value."""
    if isinstance(node, Mapping):
        for name, entry in node.fields.items():
            _note(entry.value, name, fields)
    elif isinstance(node, Sequence):
        for item in node.items:
            _note(item, field, fields)
    elif isinstance(node, Scalar):
        fields.setdefault(node, set()).add(field)


def _loads(extractor: Extractor) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for scope in extractor.scan.scopes:
        for name, count in scope.loads.items():
            owner = scope.owner(name)
            if owner is not None:
                found[owner, name] = found.get((owner, name), 0) + count
        for name, attribute in scope.members:
            owner, bound, rest = member(scope, name, (("attribute", attribute),))
            if owner is not None and not rest:
                found[owner, bound] = found.get((owner, bound), 0) + 1
    return found


def _replace(node: Node, one: dict[Scalar, Node]) -> None:
    if isinstance(node, Mapping):
        for entry in node.fields.values():
            if isinstance(entry.value, Scalar):
                entry.value = one.get(entry.value, entry.value)
            else:
                _replace(entry.value, one)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            if isinstance(item, Scalar):
                node.items[index] = one.get(item, item)
            else:
                _replace(item, one)
