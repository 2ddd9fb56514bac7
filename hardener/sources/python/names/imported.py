"""Import statements as records."""

from __future__ import annotations

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.names.scopes import Imported, ImportedName
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places


def imported(node: syntax.Import | syntax.ImportFrom, places: Places, scope: tuple[int, int]) -> Imported:
    """The record of an import statement in the scope with this extent."""
    names: list[ImportedName] = []
    bracket = None
    module = ""
    if isinstance(node, syntax.ImportFrom):
        module = node.module
        if node.brackets is not None:
            bracket = Bracket(*node.brackets)
    for alias in node.names:
        item = Item(alias.start, alias.end, alias.comma)
        name, own = alias.name, alias.asname
        if isinstance(node, syntax.ImportFrom):
            names.append(ImportedName(name, own or name, f"{module}.{name}".lstrip("."), item))
        else:
            top = name.split(".")[0]
            names.append(ImportedName(name, own or top, name if own else top, item))
        if bracket is not None:
            bracket.items.append(item)
    return Imported(
        start=node.start,
        end=node.end,
        line=places.line(node.start),
        indent=places.before(node.start),
        module=module,
        is_from=isinstance(node, syntax.ImportFrom),
        is_star=isinstance(node, syntax.ImportFrom) and not node.names,
        bracket=bracket,
        names=names,
        scope_start=scope[0],
        scope_end=scope[1],
    )
