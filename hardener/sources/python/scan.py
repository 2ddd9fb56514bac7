"""One walk over a module that notes what the model is made of: names, constructors, dicts and later changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, fields
from typing import Any

import libcst as cst

from hardener.support.fast_dataclass import dataclass

from .expressions import string
from .imported import imported
from .places import Places
from .scopes import Binding, Change, Imported, Scope
from .steps import Way, steps

ADDING = frozenset({"append", "extend", "insert", "update", "pop", "setdefault", "remove", "clear", "popitem"})
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
# Fields without expressions. Annotations say nothing about values.
_SKIPPED = frozenset(
    "comma lpar rpar lbracket rbracket lbrace rbrace header footer equal operator semicolon dot asynchronous indent "
    "annotation returns type_parameters leading_lines lines_after_decorators".split()
)
_CHILDREN: dict[type[Any], tuple[str, ...]] = {}


@dataclass(slots=True, eq=False)
class Scan:
    """What was found. ``calls`` and ``dicts`` come with the scope they stand in, ``strings`` are text literals of any
    kind, ``values`` tell to which (scope, name) an expression is assigned, ``comprehensions`` are their own scopes.
    ``merges`` are ``a | b``, ``lines`` the assignments and calls that may go as a whole, by their one target or the
    call."""

    module: Scope
    calls: list[tuple[cst.Call, Scope]] = field(default_factory=list)
    dicts: list[tuple[cst.Dict, Scope]] = field(default_factory=list)
    merges: list[tuple[cst.BinaryOperation, Scope]] = field(default_factory=list)
    strings: list[cst.CSTNode] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    imports: list[Imported] = field(default_factory=list)
    values: dict[cst.CSTNode, list[tuple[Scope, str]]] = field(default_factory=dict)
    comprehensions: dict[cst.CSTNode, Scope] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    alternatives: set[cst.CSTNode] = field(default_factory=set)  # what stands behind ``or``
    lines: dict[cst.CSTNode, cst.BaseSmallStatement] = field(default_factory=dict)


def scan(module: cst.Module, places: Places, meant: Callable[[str], str] = str) -> Scan:
    """``meant`` tells which full name stands for that of an import. Raises RecursionError for a module that is nested
    too deeply."""
    return _Walk(places, meant).run(module)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The statements and expressions directly below ``node``."""
    names = _CHILDREN.get(type(node))
    if names is None:
        names = _CHILDREN[type(node)] = tuple(
            each.name for each in fields(node) if each.name not in _SKIPPED and "whitespace" not in each.name
        )
    for name in names:
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            for each in value:
                if isinstance(each, cst.CSTNode):
                    yield each


def _mark(line: cst.BaseStatement | cst.BaseSmallStatement) -> cst.CSTNode:
    """The one target or the call of a line that is nothing else; any other line itself."""
    if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
        (only,) = line.body
        if isinstance(only, cst.Assign) and len(only.targets) == 1:
            return only.targets[0].target
        if isinstance(only, cst.Expr) and isinstance(only.value, cst.Call):
            return only.value
    return line


class _Walk:
    def __init__(self, places: Places, meant: Callable[[str], str]) -> None:
        self.places, self.meant = places, meant
        self.scope = Scope("module", None)
        self.found = Scan(self.scope, scopes=[self.scope])
        self.block: cst.CSTNode | None = None
        self.extents = [(0, len(places.source))]
        self.handlers: dict[type[Any], Callable[[Any], None]] = {
            cst.Name: self.name,
            cst.Attribute: self.member,
            cst.Arg: lambda node: self.visit(node.value),
            cst.Call: self.call,
            cst.Dict: self.dict,
            cst.BinaryOperation: self.operation,
            cst.SimpleString: self.found.strings.append,
            cst.FormattedString: self.formatted,
            cst.Assign: self.assign,
            cst.AnnAssign: self.annotated,
            cst.AugAssign: self.augmented,
            cst.NamedExpr: self.named,
            cst.For: self.loop,
            cst.With: self.with_,
            cst.SimpleStatementLine: self.line,
            cst.IndentedBlock: self.body,
            cst.SimpleStatementSuite: self.body,
            cst.ExceptHandler: self.caught,
            cst.ExceptStarHandler: self.caught,
            cst.Del: self.deleted,
            cst.BooleanOperation: self.either,
            cst.Return: self.returned,
            cst.Yield: self.returned,
            cst.Global: lambda node: self.declare(node, "global"),
            cst.Nonlocal: lambda node: self.declare(node, "nonlocal"),
            cst.Import: self.imported,
            cst.ImportFrom: self.imported,
            cst.FunctionDef: self.function,
            cst.Lambda: self.lambda_,
            cst.ClassDef: self.class_,
            cst.MatchAs: self.matched,
            cst.MatchStar: self.matched,
            cst.MatchMapping: self.matched,
            **dict.fromkeys(_COMPREHENSIONS, self.comprehension),
        }
        if hasattr(cst, "TemplatedString"):  # t"..."
            self.handlers[cst.TemplatedString] = self.formatted
        if hasattr(cst, "TypeAlias"):
            self.handlers[cst.TypeAlias] = lambda node: self.bind(node.name.value, Binding(self.scope, None, "a type"))

    def run(self, module: cst.Module) -> Scan:
        self.visit(module)
        self.handlers.clear()  # they hold the walk, and so the whole tree
        return self.found

    def visit(self, node: cst.CSTNode) -> None:
        handler = self.handlers.get(type(node))
        if handler is not None:
            handler(node)
        else:
            self.below(node)

    def below(self, node: cst.CSTNode) -> None:
        for child in children(node):
            self.visit(child)

    # Names.

    def bind(self, name: str, binding: Binding) -> None:
        scope = self.scope
        where = scope.elsewhere.get(name)
        if where == "global":
            scope = scope.module()
        elif where == "nonlocal" and scope.parent is not None:
            scope = scope.parent.owner(name) or scope
        binding.block = self.block
        scope.bindings.setdefault(name, []).append(binding)
        if binding.value is not None and not binding.each:
            self.found.values.setdefault(binding.value, []).append((scope, name))

    def declare(self, node: cst.Global | cst.Nonlocal, where: str) -> None:
        self.scope.elsewhere.update({item.name.value: where for item in node.names})

    def name(self, node: cst.Name) -> None:
        self.scope.loads[node.value] = self.scope.loads.get(node.value, 0) + 1

    def member(self, node: cst.Attribute) -> None:
        if isinstance(node.value, cst.Name):
            self.scope.members.append((node.value.value, node.attr.value))
        self.visit(node.value)

    def target(self, target: cst.CSTNode, value: cst.CSTNode | None, reason: str = "", each: bool = False) -> None:
        """``target`` gets ``value``, or each item of it."""
        if isinstance(target, cst.Name):
            self.bind(target.value, Binding(self.scope, value, reason, each))
        elif isinstance(target, cst.Tuple | cst.List):
            self.unpack(target, value, reason, each)
        elif isinstance(target, cst.StarredElement):
            self.target(target.value, None, "unpacked")
        else:
            self.attribute(target, value, each)
            self.below(target)

    def attribute(self, target: cst.CSTNode, value: cst.CSTNode | None, each: bool) -> None:
        """An attribute of ``self`` is a name of the class; anything else is changed."""
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            owner = self.scope.own_class()
            if owner is not None and self.scope.is_instance(target.value.value):
                name = f"self.{target.attr.value}"
                owner.bindings.setdefault(name, []).append(
                    Binding(self.scope, value, "an attribute", each, block=self.block)
                )
                if value is not None and not each:
                    self.found.values.setdefault(value, []).append((owner, name))
                return
        self.change(target, "set", None if each else value)

    def unpack(self, target: cst.Tuple | cst.List, value: cst.CSTNode | None, reason: str, each: bool) -> None:
        targets = [element.value for element in target.elements]
        parts: list[cst.CSTNode | None] = [None] * len(targets)
        if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(targets) and not each:
            if all(isinstance(element, cst.Element) for element in (*target.elements, *value.elements)):
                parts = [element.value for element in value.elements]
        for index, (inner, part) in enumerate(zip(targets, parts, strict=True)):
            self.target(inner, part, reason or "unpacked")
            if each and isinstance(inner, cst.Name) and (bindings := self.scope.bindings.get(inner.value)):
                bindings[-1].items, bindings[-1].part = value, index

    def assign(self, node: cst.Assign) -> None:
        self.visit(node.value)
        for each in node.targets:
            self.target(each.target, node.value)

    def annotated(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.target(node.target, node.value)

    def augmented(self, node: cst.AugAssign) -> None:
        self.visit(node.value)
        self.change(node.target, "changed")
        if not isinstance(node.target, cst.Name):
            self.below(node.target)

    def named(self, node: cst.NamedExpr) -> None:
        self.visit(node.value)
        here = self.scope
        while self.scope.kind == "comprehension" and self.scope.parent is not None:
            self.scope = self.scope.parent
        assert isinstance(node.target, cst.Name)
        self.bind(node.target.value, Binding(here, node.value))
        self.scope = here

    def loop(self, node: cst.For) -> None:
        self.visit(node.iter)
        target: cst.CSTNode = node.target
        values: cst.CSTNode = node.iter
        if isinstance(values, cst.Call) and isinstance(values.func, cst.Name) and values.func.value == "enumerate":
            if isinstance(target, cst.Tuple) and len(target.elements) == 2 and values.args:
                self.target(target.elements[0].value, None, "a loop variable")
                target, values = target.elements[1].value, values.args[0].value
        self.target(target, values, "a loop variable", each=True)
        self.visit(node.body)
        if node.orelse is not None:
            self.visit(node.orelse)

    def with_(self, node: cst.With) -> None:
        for each in node.items:
            self.visit(each.item)
            if each.asname is not None:
                self.target(each.asname.name, None, "a name of `with`")
        self.below(node.body)  # its body is part of the block around it
        for line in node.body.body if len(node.body.body) == 1 else ():
            self.found.lines.pop(_mark(line), None)

    def line(self, node: cst.SimpleStatementLine) -> None:
        mark = _mark(node)
        if mark is not node:
            self.found.lines[mark] = node.body[0]
        self.below(node)

    def body(self, node: cst.BaseSuite) -> None:
        around, self.block = self.block, node
        self.below(node)
        self.block = around

    def caught(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            self.target(node.name.name, None, "an exception")
        self.visit(node.body)

    def matched(self, node: cst.MatchAs | cst.MatchStar | cst.MatchMapping) -> None:
        name = node.rest if isinstance(node, cst.MatchMapping) else node.name
        if name is not None:
            self.bind(name.value, Binding(self.scope, None, "a matched part"))
        for child in children(node):
            if child is not name:
                self.visit(child)

    def either(self, node: cst.BooleanOperation) -> None:
        self.found.alternatives.add(node.right)
        self.below(node)

    def deleted(self, node: cst.Del) -> None:
        elements = node.target.elements if isinstance(node.target, cst.Tuple | cst.List) else (node.target,)
        for element in elements:
            target = element.value if isinstance(element, cst.BaseElement) else element
            if isinstance(target, cst.Name):
                self.bind(target.value, Binding(self.scope, None, "deleted"))
            else:
                self.change(target, "removed")
                self.below(target)

    def returned(self, node: cst.Return | cst.Yield) -> None:
        if node.value is None:
            return
        self.visit(node.value)
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        if isinstance(node, cst.Return):
            scope.returns.append(node.value)
        elif not isinstance(node.value, cst.From):
            scope.yields.append(node.value)

    def imported(self, node: cst.Import | cst.ImportFrom) -> None:
        found = imported(node, self.places, self.extents[-1])
        self.found.imports.append(found)
        if found.is_star:
            self.scope.stars.append(found)
        for each in found.names:
            each.qualified = self.meant(each.qualified) if found.is_from else each.qualified
            self.bind(each.bound, Binding(self.scope, None, "imported", qualified=each.qualified))

    # Scopes.

    def inside(self, kind: str, node: cst.CSTNode) -> Scope:
        self.scope = Scope(kind, self.scope)
        self.found.scopes.append(self.scope)
        self.extents.append((self.places.start(node), self.places.end(node)))
        return self.scope

    def outside(self) -> None:
        assert self.scope.parent is not None
        self.scope = self.scope.parent
        self.extents.pop()

    def function(self, node: cst.FunctionDef) -> None:
        for decorator in node.decorators:
            self.visit(decorator)
        binding = Binding(self.scope, None, "a function")
        self.bind(node.name.value, binding)
        self.below(node.params)
        in_class = self.scope.kind == "class" and not any(
            isinstance(each.decorator, cst.Name) and each.decorator.value == "staticmethod" for each in node.decorators
        )
        scope = binding.inner = self.inside("function", node)
        scope.node = node
        self.parameters(node.params)
        first = [*node.params.posonly_params, *node.params.params][:1]
        if in_class and first:
            scope.instance = first[0].name.value
        self.visit(node.body)
        self.outside()

    def lambda_(self, node: cst.Lambda) -> None:
        self.below(node.params)
        self.inside("function", node)
        self.parameters(node.params)
        self.visit(node.body)
        self.outside()

    def parameters(self, node: cst.Parameters) -> None:
        stars = [each for each in (node.star_arg, node.star_kwarg) if isinstance(each, cst.Param)]
        for parameter in (*node.posonly_params, *node.params, *node.kwonly_params, *stars):
            self.bind(parameter.name.value, Binding(self.scope, None, "a parameter"))

    def class_(self, node: cst.ClassDef) -> None:
        for child in (*node.decorators, *node.bases, *node.keywords):
            self.visit(child)
        binding = Binding(self.scope, None, "a class")
        self.bind(node.name.value, binding)
        binding.inner = self.inside("class", node)
        binding.inner.node = node
        self.visit(node.body)
        self.outside()

    def comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp) -> None:
        self.visit(node.for_in.iter)
        self.found.comprehensions[node] = self.inside("comprehension", node)
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            if clause is not node.for_in:
                self.visit(clause.iter)
            self.target(clause.target, clause.iter, "a loop variable", each=True)
            for condition in clause.ifs:
                self.visit(condition)
            clause = clause.inner_for_in
        for part in (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,):
            self.visit(part)
        self.outside()

    # Objects.

    def call(self, node: cst.Call) -> None:
        self.found.calls.append((node, self.scope))
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)
        function = node.func
        if isinstance(function, cst.Attribute) and function.attr.value in ADDING:
            self.change(function.value, function.attr.value, whole=node)
        elif isinstance(function, cst.Name) and function.value in ("setattr", "delattr") and len(node.args) > 1:
            text = string(node.args[1].value)
            step: Way = (("any", None),) if text is None else (("attribute", text),)
            self.change(node.args[0].value, "set", whole=node, last=step)

    def dict(self, node: cst.Dict) -> None:
        self.found.dicts.append((node, self.scope))
        self.below(node)

    def operation(self, node: cst.BinaryOperation) -> None:
        if isinstance(node.operator, cst.BitOr):
            self.found.merges.append((node, self.scope))
        self.below(node)

    def formatted(self, node: cst.CSTNode) -> None:
        self.found.strings.append(node)
        self.below(node)

    def change(
        self,
        target: cst.CSTNode,
        how: str,
        value: cst.CSTNode | None = None,
        whole: cst.CSTNode | None = None,
        last: Way = (),
    ) -> None:
        name, path = steps(target)
        path += last
        if name:
            self.found.changes.append(Change(self.scope, name, path, how, whole or target, value, self.block))
