"""Where a program reads the address of a Service that it makes: its status, its external addresses, its node ports.

An object that is bound to a name is read through that name (`web.status.apply(...)`). What comes back from the API, or
is handed over, may be any of the Services that the program makes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

_STATUS = "status"
# What says an address, in the spellings of the libraries, and below what it stands in a Service.
_ADDRESSES = {
    **dict.fromkeys(("load_balancer", "loadBalancer"), _STATUS),
    **dict.fromkeys(("external_i_ps", "external_ips", "externalIPs"), "spec"),
    **dict.fromkeys(("node_port", "nodePort"), "ports"),
}
_Parents = Mapping[ast.AST, ast.AST]
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)


class AddressReads(Struct):
    """``reads`` are the names through which addresses are read, with the lines, None for what has no name of its own;
    ``statuses`` those through which a status is read; ``names`` the names that hold what a call or a dict makes, by its
    line and column."""

    reads: list[tuple[str | None, int]] = field(default_factory=list)
    statuses: list[tuple[str, int]] = field(default_factory=list)
    names: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def line(self, at: tuple[int, int], others: list[tuple[int, int]]) -> int | None:
        """The line where the address of the object at the line and column ``at`` is read, or may be; None without one.
        ``others`` are the places of the other objects of the program."""
        own = self.names.get(at, set())
        known = {name for place in others if place != at for name in self.names.get(place, ())} - own
        found = [line for name, line in self.reads if name not in known]
        return min([*found, *(line for name, line in self.statuses if name in own)], default=None)


def address_reads(source: bytes) -> AddressReads:
    """The reads of addresses in the program ``source``; none where Python cannot read it."""
    found = AddressReads()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    parents: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            parents[child] = node
    found.names = _names_of_objects(tree)
    bound = {name for names in found.names.values() for name in names}
    for node, name in _keys(tree):
        if name == _STATUS:
            root, _ = _root(node, parents, bound)
            if root is not None:
                found.statuses.append((root, node.lineno))
        elif name in _ADDRESSES:
            root, way = _root(node, parents, bound)
            if _ADDRESSES[name] in way:
                found.reads.append((root, node.lineno))
    return found


def _names_of_objects(tree: ast.AST) -> dict[tuple[int, int], set[str]]:
    """The names that are given what a call or a dict makes, by its line and column."""
    found: dict[tuple[int, int], set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call | ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {name for target in targets if (name := _dotted(target)) is not None}
            found.setdefault((node.value.lineno, node.value.col_offset), set()).update(names)
    return found


def _keys(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """What is read below something by a name: attributes, keys, `.get`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node, node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            if (key := _text(node.slice)) is not None:
                yield node, key
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            if node.args and (key := _text(node.args[0])) is not None:
                yield node, key


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _dotted(node: ast.AST) -> str | None:
    """The name of a variable or an attribute: "web", "self.web"."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (above := _dotted(node.value)) is not None:
        return f"{above}.{node.attr}"
    return None


def _root(node: ast.AST, parents: _Parents, bound: set[str]) -> tuple[str | None, set[str]]:
    """The name in ``bound`` from which ``node`` is read, None where it is read from anything else; and what it is read
    through."""
    below: ast.AST = node
    way: set[str] = set()
    while True:
        if (name := _dotted(below)) in bound:
            return name, way
        if isinstance(below, ast.Attribute):
            way.add(below.attr)
            below = below.value
        elif isinstance(below, ast.Subscript):
            if isinstance(below.slice, ast.Constant):
                way.add(str(below.slice.value))
            below = below.value
        elif isinstance(below, ast.Await | ast.Starred):
            below = below.value
        elif isinstance(below, ast.Call):
            way.update(str(each.value) for each in below.args[:1] if isinstance(each, ast.Constant))
            below = below.func
        elif isinstance(below, ast.Name):
            way.add(below.id)
            source = _given(below, parents)
            if source is None:
                return None, way
            below = source
        else:
            return None, way


def _given(name: ast.Name, parents: _Parents) -> ast.AST | None:
    """What gives the variable ``name`` its value: what a lambda is applied to, what a loop runs over."""
    node: ast.AST = name
    while (above := parents.get(node)) is not None:
        if isinstance(above, ast.Lambda) and name.id in {argument.arg for argument in above.args.args}:
            call = parents.get(above)
            return call.func if isinstance(call, ast.Call) else None
        loops = getattr(above, "generators", [above] if isinstance(above, _LOOPS) else [])
        for loop in loops:
            if _dotted(loop.target) == name.id and node is not loop.iter:
                return loop.iter  # type: ignore[no-any-return]
        if isinstance(above, _Scope):
            return None
        node = above
    return None
