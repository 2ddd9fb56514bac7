"""Import statements as records."""

from __future__ import annotations

import libcst as cst

from .model import Bracket, Item
from .places import Places
from .scopes import Imported, ImportedName


def imported(node: cst.Import | cst.ImportFrom, places: Places, scope: tuple[int, int]) -> Imported:
    """The record of an import statement in the scope with this extent."""
    names: list[ImportedName] = []
    bracket = None
    module = ""
    if isinstance(node, cst.ImportFrom):
        module = "." * len(node.relative) + (dotted(node.module) if node.module else "")
        if node.lpar is not None and node.rpar is not None:
            bracket = Bracket(places.start(node.lpar), places.start(node.rpar))
    if not isinstance(node.names, cst.ImportStar):
        for alias in node.names:
            comma = alias.comma if isinstance(alias.comma, cst.Comma) else None
            last = alias.asname.name if alias.asname else alias.name  # the span of an alias takes its comma along
            item = Item(places.start(alias), places.end(last), places.end(comma) if comma else None)
            name = dotted(alias.name)
            own = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else None
            if isinstance(node, cst.ImportFrom):
                names.append(ImportedName(name, own or name, f"{module}.{name}".lstrip("."), item))
            else:
                top = name.split(".")[0]
                names.append(ImportedName(name, own or top, name if own else top, item))
            if bracket is not None:
                bracket.items.append(item)
    return Imported(
        start=places.start(node),
        end=places.end(node),
        line=places.line(places.start(node)),
        indent=places.before(places.start(node)),
        module=module,
        is_from=isinstance(node, cst.ImportFrom),
        is_star=isinstance(node.names, cst.ImportStar),
        bracket=bracket,
        names=names,
        scope_start=scope[0],
        scope_end=scope[1],
    )


def dotted(node: cst.CSTNode) -> str:
    """The text of a name with dots; "" for any other expression."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return ""
    return ".".join([node.value, *reversed(parts)])
