"""One walk over a module that notes what the model is made of: names, constructors, dicts and later changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.names.access_paths import Way, steps
from hardener.sources.python.names.scopes import OF_SPEC, Binding, Change, Imported, ImportedName, Scope
from hardener.sources.python.objects.expressions import string
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places

ADDING = frozenset({"append", "extend", "insert", "update", "pop", "setdefault", "remove", "clear", "popitem"})
_COMPREHENSIONS = (syntax.ListComp, syntax.SetComp, syntax.DictComp, syntax.GeneratorExp)


class Scan(Struct, eq=False):
    """What was found. ``calls`` and ``dicts`` come with the scope they stand in, ``strings`` are text literals of any
    kind, ``values`` tell to which (scope, name) an expression is assigned, ``comprehensions`` are their own scopes.
    ``merges`` are ``a | b``, ``lines`` the assignments and calls that may go as a whole, by their one target or the
    call. ``added`` are the targets of ``a += b`` with what they get."""

    module: Scope
    calls: list[tuple[syntax.Call, Scope]] = field(default_factory=list)
    dicts: list[tuple[syntax.Dict, Scope]] = field(default_factory=list)
    merges: list[tuple[syntax.BinaryOperation, Scope]] = field(default_factory=list)
    strings: list[syntax.Node] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    imports: list[Imported] = field(default_factory=list)
    values: dict[syntax.Node, list[tuple[Scope, str]]] = field(default_factory=dict)
    comprehensions: dict[syntax.Node, Scope] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    alternatives: set[syntax.Node] = field(default_factory=set)  # what stands behind ``or``
    lines: dict[syntax.Node, syntax.Node] = field(default_factory=dict)
    added: list[tuple[syntax.Node, syntax.Node, Scope]] = field(default_factory=list)


def scan(module: syntax.Module, places: Places, meant: Callable[[str], str] = str) -> Scan:
    """``meant`` tells which full name stands for that of an import. Raises RecursionError for a module that is nested
    too deeply."""
    return _Walk(places, meant).run(module)


def _mark(line: syntax.Node) -> syntax.Node:
    """The one target or the call of a line that is nothing else; any other line itself."""
    if isinstance(line, syntax.SimpleStatementLine) and len(line.body) == 1:
        (only,) = line.body
        if isinstance(only, syntax.Assign) and len(only.targets) == 1:
            return only.targets[0]
        if isinstance(only, syntax.Expr) and isinstance(only.value, syntax.Call):
            return only.value
    return line


class _Walk:
    def __init__(self, places: Places, meant: Callable[[str], str]) -> None:
        self.places, self.meant = places, meant
        self.scope = Scope("module", None)
        self.found = Scan(self.scope, scopes=[self.scope])
        self.block: syntax.Node | None = None
        self.extents = [(0, len(places.source))]
        self.handlers: dict[type[Any], Callable[[Any], None]] = {
            syntax.Name: self.name,
            syntax.Attribute: self.member,
            syntax.Arg: lambda node: self.visit(node.value),
            syntax.Call: self.call,
            syntax.Dict: self.dict,
            syntax.BinaryOperation: self.operation,
            syntax.SimpleString: self.found.strings.append,
            syntax.FormattedString: self.formatted,
            syntax.Assign: self.assign,
            syntax.AnnAssign: self.annotated,
            syntax.AugAssign: self.augmented,
            syntax.NamedExpr: self.named,
            syntax.For: self.loop,
            syntax.With: self.with_,
            syntax.SimpleStatementLine: self.line,
            syntax.Suite: self.body,
            syntax.ExceptHandler: self.caught,
            syntax.Del: self.deleted,
            syntax.BooleanOperation: self.either,
            syntax.Return: self.returned,
            syntax.Yield: self.returned,
            syntax.Global: lambda node: self.declare(node, "global"),
            syntax.Nonlocal: lambda node: self.declare(node, "nonlocal"),
            syntax.Import: self.imported,
            syntax.ImportFrom: self.imported,
            syntax.FunctionDef: self.function,
            syntax.Lambda: self.lambda_,
            syntax.ClassDef: self.class_,
            syntax.MatchAs: self.matched,
            syntax.MatchStar: self.matched,
            syntax.MatchMapping: self.matched,
            syntax.TypeAlias: lambda node: self.bind(node.name, Binding(self.scope, None, "a type")),
            **dict.fromkeys(_COMPREHENSIONS, self.comprehension),
        }

    def run(self, module: syntax.Module) -> Scan:
        self.visit(module)
        self.handlers.clear()  # they hold the walk, and so the whole tree
        return self.found

    def visit(self, node: syntax.Node) -> None:
        handler = self.handlers.get(type(node))
        if handler is not None:
            handler(node)
        else:
            self.below(node)

    def below(self, node: syntax.Node) -> None:
        for child in syntax.children(node):
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

    def declare(self, node: syntax.Global | syntax.Nonlocal, where: str) -> None:
        self.scope.elsewhere.update(dict.fromkeys(node.names, where))

    def name(self, node: syntax.Name) -> None:
        self.scope.loads[node.value] = self.scope.loads.get(node.value, 0) + 1

    def member(self, node: syntax.Attribute) -> None:
        if isinstance(node.value, syntax.Name):
            self.scope.members.append((node.value.value, node.attr.value))
        elif isinstance(node.value, syntax.Attribute) and node.value.attr.value == "spec":
            self.scope.members.append((OF_SPEC, node.attr.value))
        self.visit(node.value)

    def target(self, target: syntax.Node, value: syntax.Node | None, reason: str = "", each: bool = False) -> None:
        """``target`` gets ``value``, or each item of it."""
        if isinstance(target, syntax.Name):
            self.bind(target.value, Binding(self.scope, value, reason, each))
        elif isinstance(target, syntax.Tuple | syntax.List):
            self.unpack(target, value, reason, each)
        elif isinstance(target, syntax.StarredElement):
            self.target(target.value, None, "unpacked")
        else:
            self.attribute(target, value, each)
            self.below(target)

    def attribute(self, target: syntax.Node, value: syntax.Node | None, each: bool) -> None:
        """An attribute of ``self`` is a name of the class; anything else is changed."""
        if isinstance(target, syntax.Attribute) and isinstance(target.value, syntax.Name):
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

    def unpack(self, target: syntax.Tuple | syntax.List, value: syntax.Node | None, reason: str, each: bool) -> None:
        targets = [element.value for element in target.elements]
        parts: list[syntax.Node | None] = [None] * len(targets)
        if isinstance(value, syntax.Tuple | syntax.List) and len(value.elements) == len(targets) and not each:
            if all(isinstance(element, syntax.Element) for element in (*target.elements, *value.elements)):
                parts = [element.value for element in value.elements]
        for index, (inner, part) in enumerate(zip(targets, parts, strict=True)):
            self.target(inner, part, reason or "unpacked")
            if each and isinstance(inner, syntax.Name) and (bindings := self.scope.bindings.get(inner.value)):
                bindings[-1].items, bindings[-1].part = value, index

    def assign(self, node: syntax.Assign) -> None:
        self.visit(node.value)
        for each in node.targets:
            self.target(each, node.value)

    def annotated(self, node: syntax.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.target(node.target, node.value)

    def augmented(self, node: syntax.AugAssign) -> None:
        self.visit(node.value)
        self.found.added.append((node.target, node.value, self.scope))
        self.change(node.target, "changed")
        if not isinstance(node.target, syntax.Name):
            self.below(node.target)

    def named(self, node: syntax.NamedExpr) -> None:
        self.visit(node.value)
        here = self.scope
        while self.scope.kind == "comprehension" and self.scope.parent is not None:
            self.scope = self.scope.parent
        assert isinstance(node.target, syntax.Name)
        self.bind(node.target.value, Binding(here, node.value))
        self.scope = here

    def loop(self, node: syntax.For) -> None:
        self.visit(node.iter)
        target: syntax.Node = node.target
        values: syntax.Node = node.iter
        if (
            isinstance(values, syntax.Call)
            and isinstance(values.func, syntax.Name)
            and values.func.value == "enumerate"
        ):
            if isinstance(target, syntax.Tuple) and len(target.elements) == 2 and values.args:
                self.target(target.elements[0].value, None, "a loop variable")
                target, values = target.elements[1].value, values.args[0].value
        self.target(target, values, "a loop variable", each=True)
        self.visit(node.body)
        if node.orelse is not None:
            self.visit(node.orelse)

    def with_(self, node: syntax.With) -> None:
        for each in node.items:
            self.visit(each.item)
            if each.name is not None:
                self.target(each.name, None, "a name of `with`")
        self.below(node.body)  # its body is part of the block around it
        for line in node.body.body if len(node.body.body) == 1 else ():
            self.found.lines.pop(_mark(line), None)

    def line(self, node: syntax.SimpleStatementLine) -> None:
        mark = _mark(node)
        if mark is not node:
            self.found.lines[mark] = node.body[0]
        self.below(node)

    def body(self, node: syntax.Suite) -> None:
        around, self.block = self.block, node
        self.below(node)
        self.block = around

    def caught(self, node: syntax.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            self.bind(node.name, Binding(self.scope, None, "an exception"))
        self.visit(node.body)

    def matched(self, node: syntax.MatchAs | syntax.MatchStar | syntax.MatchMapping) -> None:
        name = node.rest if isinstance(node, syntax.MatchMapping) else node.name
        if name is not None:
            self.bind(name, Binding(self.scope, None, "a matched part"))
        self.below(node)

    def either(self, node: syntax.BooleanOperation) -> None:
        self.found.alternatives.add(node.right)
        self.below(node)

    def deleted(self, node: syntax.Del) -> None:
        elements = node.target.elements if isinstance(node.target, syntax.Tuple | syntax.List) else (node.target,)
        for element in elements:
            target = element.value if isinstance(element, syntax.Element | syntax.StarredElement) else element
            if isinstance(target, syntax.Name):
                self.bind(target.value, Binding(self.scope, None, "deleted"))
            else:
                self.change(target, "removed")
                self.below(target)

    def returned(self, node: syntax.Return | syntax.Yield) -> None:
        if node.value is None:
            return
        self.visit(node.value)
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        if isinstance(node, syntax.Return):
            scope.returns.append(node.value)
        elif not isinstance(node.value, syntax.From):
            scope.yields.append(node.value)

    def imported(self, node: syntax.Import | syntax.ImportFrom) -> None:
        found = _record(node, self.places, self.extents[-1])
        self.found.imports.append(found)
        if found.is_star:
            self.scope.stars.append(found)
        for each in found.names:
            each.qualified = self.meant(each.qualified) if found.is_from else each.qualified
            meant = self.meant if found.is_from else str
            self.bind(each.bound, Binding(self.scope, None, "imported", qualified=each.qualified, meant=meant))

    # Scopes.

    def inside(self, kind: str, node: syntax.Node) -> Scope:
        self.scope = Scope(kind, self.scope)
        self.found.scopes.append(self.scope)
        self.extents.append((node.start, node.end))
        return self.scope

    def outside(self) -> None:
        assert self.scope.parent is not None
        self.scope = self.scope.parent
        self.extents.pop()

    def function(self, node: syntax.FunctionDef) -> None:
        for decorator in node.decorators:
            self.visit(decorator)
        binding = Binding(self.scope, None, "a function")
        self.bind(node.name, binding)
        self.below(node.params)
        in_class = self.scope.kind == "class" and not any(
            isinstance(each.decorator, syntax.Name) and each.decorator.value == "staticmethod"
            for each in node.decorators
        )
        scope = binding.inner = self.inside("function", node)
        scope.node = node
        self.parameters(node.params)
        first = [*node.params.posonly_params, *node.params.params][:1]
        if in_class and first:
            scope.instance = first[0].name.value
        self.visit(node.body)
        self.outside()

    def lambda_(self, node: syntax.Lambda) -> None:
        self.below(node.params)
        self.inside("function", node)
        self.parameters(node.params)
        self.visit(node.body)
        self.outside()

    def parameters(self, node: syntax.Parameters) -> None:
        stars = [each for each in (node.star_arg, node.star_kwarg) if each is not None]
        for parameter in (*node.posonly_params, *node.params, *node.kwonly_params, *stars):
            self.bind(parameter.name.value, Binding(self.scope, None, "a parameter"))

    def class_(self, node: syntax.ClassDef) -> None:
        for child in (*node.decorators, *node.bases, *node.keywords):
            self.visit(child)
        binding = Binding(self.scope, None, "a class")
        self.bind(node.name, binding)
        binding.inner = self.inside("class", node)
        binding.inner.node = node
        self.visit(node.body)
        self.outside()

    def comprehension(self, node: syntax.ListComp | syntax.SetComp | syntax.GeneratorExp | syntax.DictComp) -> None:
        self.visit(node.for_in.iter)
        self.found.comprehensions[node] = self.inside("comprehension", node)
        clause: syntax.CompFor | None = node.for_in
        while clause is not None:
            if clause is not node.for_in:
                self.visit(clause.iter)
            self.target(clause.target, clause.iter, "a loop variable", each=True)
            for condition in clause.ifs:
                self.visit(condition)
            clause = clause.inner_for_in
        for part in (node.key, node.value) if isinstance(node, syntax.DictComp) else (node.elt,):
            self.visit(part)
        self.outside()

    # Objects.

    def call(self, node: syntax.Call) -> None:
        self.found.calls.append((node, self.scope))
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)
        function = node.func
        if isinstance(function, syntax.Attribute) and function.attr.value in ADDING:
            self.change(function.value, function.attr.value, whole=node)
        elif isinstance(function, syntax.Name) and function.value in ("setattr", "delattr") and len(node.args) > 1:
            text = string(node.args[1].value)
            step: Way = (("any", None),) if text is None else (("attribute", text),)
            self.change(node.args[0].value, "set", whole=node, last=step)

    def dict(self, node: syntax.Dict) -> None:
        self.found.dicts.append((node, self.scope))
        self.below(node)

    def operation(self, node: syntax.BinaryOperation) -> None:
        if node.operator == "|":
            self.found.merges.append((node, self.scope))
        self.below(node)

    def formatted(self, node: syntax.Node) -> None:
        self.found.strings.append(node)
        self.below(node)

    def change(
        self,
        target: syntax.Node,
        how: str,
        value: syntax.Node | None = None,
        whole: syntax.Node | None = None,
        last: Way = (),
    ) -> None:
        name, path = steps(target)
        path += last
        if name:
            self.found.changes.append(Change(self.scope, name, path, how, whole or target, value, self.block))


def _record(node: syntax.Import | syntax.ImportFrom, places: Places, scope: tuple[int, int]) -> Imported:
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
