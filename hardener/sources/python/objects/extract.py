"""Expressions read as nodes of the model: constructors, dicts, lists, literals, and names that lead to them."""

from __future__ import annotations

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import CDK8S, PULUMI, Known, recognise
from hardener.sources.python.libraries.fields import field_of, field_of_argument, field_of_key, misunderstood
from hardener.sources.python.libraries.own_classes import Own
from hardener.sources.python.libraries.subclasses import Fixed, Subclass
from hardener.sources.python.model import COMPREHENSION, Entry, Item, Mapping, Node, Opaque, Scalar, Sequence, more_open
from hardener.sources.python.names.access_paths import steps
from hardener.sources.python.names.resolve import Key, Members, base_class, called, followed, is_dict_call, single
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import Binding, Change, Scope
from hardener.sources.python.objects import assembled, calls, gathered, mutations, replaceable
from hardener.sources.python.objects.brackets import call_bracket, elements_bracket
from hardener.sources.python.objects.expressions import is_variable, opaque_text, reason, scalar, string
from hardener.sources.python.objects.literals import Texts, opaque
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places

# Arguments of constructors that are no fields.
_NO_FIELDS = frozenset(
    {"opts", "resource_name", "__opts__", "__props__", "local_vars_configuration", "scope", "id", "scope_", "id_"}
)
_POSITIONAL = {"pulumi": 2, "cdk8s": 2}  # arguments of a resource before its fields: the name, the construct
_WRAPPERS = ("Quantity.from_string", "Quantity.from_number", "IntOrString.from_string", "IntOrString.from_number")


_OF_OBJECTS = ("apiVersion", "kind", "metadata")  # what an object is called, no spread changes


class Extractor:
    """``made`` are the nodes of expressions that were read, ``inner`` the expressions that belong to another one."""

    def __init__(self, scan: Scan, places: Places, own: Own | None = None) -> None:
        self.scan, self.places = scan, places
        self.own = own or Own()
        self.changes = mutations.changes_by_value(scan)
        self.made: dict[syntax.Node, Node] = {}
        self.inner: set[syntax.Node] = set()
        self.lints: list[tuple[int, str]] = []
        self.uses: dict[Key, list[Scalar]] = {}
        looked = frozenset(replaceable.types_looked_at(scan))
        self.gathered = gathered.Gathered(scan, places)
        self._filled: set[syntax.Node] = set()  # the dicts that it has found
        self.mutator = mutations.Mutator(places, self.value_set_later, self.item_added, scan.lines, looked)
        self._changed_names = {(change.scope.owner(change.name), change.name) for change in scan.changes}
        self.members = Members(scan.scopes)
        self.texts = Texts(places, mutations.grown(self.changes), self.members)
        self.going: set[syntax.Node] = set()
        self.arguments: set[syntax.Node] = set()  # dicts whose keys are keyword arguments
        self.lent = calls.lent(scan, places)
        self.wanted: list[tuple[syntax.Node, Scope, str]] = []  # what is not known and is a part of a pod, of a type
        self.lists: dict[Key | None, str] = {}  # names of lists of such parts, with their type
        self._asked: set[tuple[Key, str]] = set()  # names whose values are in it

    # Values.

    def value(self, node: syntax.Node, scope: Scope, type_name: str, around: Mapping | None, raw: bool = False) -> Node:
        """The node for an expression that belongs to another. ``around`` is the nearest constructor around it; ``raw``
        tells that it is part of a list of that constructor."""
        self.inner.add(node)
        return self.read(node, scope, type_name, around, raw)

    def read(
        self, node: syntax.Node, scope: Scope, type_name: str, around: Mapping | None = None, raw: bool = False
    ) -> Node:
        """As ``value``, for an expression that may stand alone."""
        if is_variable(node):
            return self.variable(node, scope, type_name, around, raw)
        if isinstance(node, syntax.NamedExpr):
            return self.value(node.value, scope, type_name, around, raw)
        known = self.made.get(node)
        if known is not None:
            if raw and isinstance(known, Mapping):
                known.in_list = True
            return known
        if node in self.going:
            return self.opaque(node, "a value that contains itself")
        self.going.add(node)
        made = self._value(node, scope, type_name, around, raw)
        if isinstance(made, Mapping) and node in self._filled:
            made.place = replaceable.FILLED
        for path, change in self.changes.get(node, ()):
            made = self.mutator.changed(made, path, change)
        self.made[node] = made
        self.going.discard(node)
        return made

    def _value(self, node: syntax.Node, scope: Scope, type_name: str, around: Mapping | None, raw: bool) -> Node:
        if isinstance(node, syntax.Call):
            return self.call(node, scope, type_name, around, raw)
        if isinstance(node, syntax.Dict):
            return self.mapping(node, scope, type_name, around, raw)
        if isinstance(node, syntax.List | syntax.Tuple):
            return self.sequence(node, scope, type_name, around)
        if isinstance(node, syntax.ListComp | syntax.GeneratorExp):
            return self.comprehension(node, scope, type_name, around)
        if isinstance(node, syntax.BinaryOperation) and node.operator == "+":
            joined = self.concatenation(node, scope, type_name, around)
            if joined is not None:
                return joined
        if isinstance(node, syntax.BinaryOperation) and node.operator == "|":
            merged = self.merged(node, scope, type_name, around, raw)
            if merged is not None:
                return merged
        if isinstance(node, syntax.Attribute | syntax.Subscript):
            part = self.member(node, scope, type_name, around, raw) or self.part(node, scope)
            if part is not None:
                return part
        made = self.literal(node, scope)
        if isinstance(made, Opaque):
            self.want(node, scope, type_name)
        return made

    def want(self, node: syntax.Node, scope: Scope, type_name: str) -> None:
        """Note an expression that is not known where a part of a pod, or a list of parts, is wanted."""
        if (types.item_type(type_name) or type_name) in types.POD_TYPES:
            self.wanted.append((node, scope, type_name.lstrip("[")))

    def literal(self, node: syntax.Node, scope: Scope) -> Node:
        start, end = node.start, node.end
        line = self.places.line(start)
        is_literal, value = scalar(node)
        if is_literal:
            return Scalar(start, end, line, value)
        text, is_known = self.texts.text(node, scope)
        if text is None:
            return self.opaque(node, reason(node))
        if is_known:
            # Known, but not in one place: nothing is written over the parts.
            return Scalar(start, end, line, text, written=False)
        return Opaque(start, end, line, text, reason(node))

    def opaque(self, node: syntax.Node, why: str) -> Opaque:
        return opaque(node, self.places, why)

    def variable(self, node: syntax.Name, scope: Scope, type_name: str, around: Mapping | None, raw: bool) -> Node:
        owner = scope.owner(node.value)
        if owner is None:
            return self.opaque(node, "a name defined elsewhere")
        return self.bound(node, (owner, node.value), type_name, around, raw)

    def bound(self, node: syntax.Node, key: Key, type_name: str, around: Mapping | None, raw: bool) -> Node:
        """What ``node`` means, a name or an attribute that has the one value of ``key``."""
        owner, name = key
        binding, why = single(owner.bindings[name])
        if binding is None and (made := gathered.given_back(owner.bindings[name], name)) is not None:
            return self._given_back(made, type_name, around, raw) or self.opaque(node, why)
        self._note_parts(key, type_name, binding)
        if binding is None or binding.value is None:
            return self.opaque(node, why)
        if isinstance(binding.value, syntax.Dict | syntax.Call) and (why := self.lent.get(key, "")):
            return self.opaque(node, why)
        known = self.made.get(binding.value)
        if isinstance(known, Mapping) and known.form != "call" and _differ(known.type_name, type_name):
            return self.opaque(node, f"used in two ways (line {known.line})")
        if is_variable(binding.value):
            if binding.value in self.going:
                return self.opaque(node, "a value that contains itself")
            self.going.add(binding.value)
        found = self.value(binding.value, binding.scope, type_name, around, raw)
        if is_variable(binding.value):
            self.going.discard(binding.value)
        if isinstance(found, Scalar):
            start = node.start
            own = Scalar(start, node.end, self.places.line(start), found.value, found.written)
            self.uses.setdefault(key, []).append(own)
            return own
        if isinstance(found, Opaque) and not isinstance(binding.value, syntax.Name):
            start = node.start
            text = found.text if found.text[:2] != "${" else opaque_text(self.places.text(node))
            return Opaque(start, node.end, self.places.line(start), text, found.reason)
        return found

    def _given_back(
        self, made: gathered.GivenBack, type_name: str, around: Mapping | None, raw: bool
    ) -> Mapping | None:
        """The container that functions got and gave back, with all that they may have changed; None for anything
        else."""
        if type_name != "Container":
            return None
        found = self.value(made.value, made.scope, type_name, around, raw)
        if not isinstance(found, Mapping):
            return None
        for call, scope in made.calls:
            self.mutator.hand(found, Change(scope, "", (), "handed", call))
        return found

    def _note_parts(self, key: Key, type_name: str, binding: Binding | None) -> None:
        """Note a name for a part of a pod that has several values, or for a list of parts."""
        owner, name = key
        if binding is not None:
            if (item := types.item_type(type_name)) in types.POD_TYPES:
                self.lists[key] = item
            return
        for each in owner.bindings[name] if (key, type_name) not in self._asked else ():
            if each.value is not None:
                self.want(each.value, each.scope, type_name)
        self._asked.add((key, type_name))

    def member(
        self, node: syntax.Attribute | syntax.Subscript, scope: Scope, type_name: str, around: Mapping | None, raw: bool
    ) -> Node | None:
        """What an attribute of an object or a class means that was given one value: ``self.container``, ``X.IMAGE``;
        None for anything else, and where that is not known."""
        found = self.members.key(scope, *steps(node))
        if found is None:
            return None
        key, rest = found
        value = self.bound(node, key, type_name, around, raw) if not rest else None
        return None if isinstance(value, Opaque) else value

    def part(self, node: syntax.Node, scope: Scope) -> Node | None:
        """What ``deployment.spec.template`` means where ``deployment`` is a known object; None for anything else."""
        name, path = steps(node)
        owner = scope.owner(name)
        if (known := self.members.key(scope, name, path)) is not None:
            (owner, name), path = known
        binding, _ = single(owner.bindings[name]) if owner is not None else (None, "")
        found = self._made(binding) if binding is not None else None
        for kind, step in path:
            found = _within(found, kind, step)
        if isinstance(found, Scalar):
            start = node.start
            return Scalar(start, node.end, self.places.line(start), found.value, written=False)
        return found if isinstance(found, Mapping | Sequence) else None

    def _made(self, binding: Binding) -> Node | None:
        """The object that a name was given; None for a dict that was not read: what it means depends on its place."""
        value = binding.value
        if not isinstance(value, syntax.Call | syntax.Dict):
            return None
        if isinstance(value, syntax.Call) and called(value, binding.scope) is None:
            return None
        if value in self.made:
            return self.made[value]
        if isinstance(value, syntax.Dict) or value in self.going:
            return None
        return self.read(value, binding.scope, "")

    # Constructors.

    def call(self, node: syntax.Call, scope: Scope, type_name: str, around: Mapping | None, raw: bool) -> Node:
        found = called(node, scope, type_name)
        if found is not None:
            return self.constructor(node, scope, found, raw)
        if (own := self.subclass(node, scope)) is not None:
            return self.derived(node, scope, *own, raw)
        if is_dict_call(node, scope):
            return self.keywords(node, scope, type_name, around)
        callee = self.places.text(node.func)
        if callee.endswith(_WRAPPERS) and len(node.args) == 1 and not node.args[0].star:
            inner = self.literal(node.args[0].value, scope)
            if isinstance(inner, Scalar):
                return inner
        self.want(node, scope, type_name)
        return self.opaque(node, "a call")

    def constructor(self, node: syntax.Call, scope: Scope, known: Known, raw: bool) -> Mapping:
        mapping = self._arguments(node, scope, known) or self._mapping(node, "call", known.type_name)
        if known.is_resource:
            mapping.fields.setdefault("apiVersion", assembled.implied(mapping, known.api_version or ""))
            mapping.fields.setdefault("kind", assembled.implied(mapping, known.kind or ""))
        if mapping.bracket is not None:
            return mapping
        base = base_class(node, scope)
        mapping.dialect, mapping.in_list = known.dialect, raw
        mapping.callee = self.places.text(node.func if base is None else base[0])
        bracket, items = call_bracket(node)
        mapping.bracket = bracket
        allowed = _POSITIONAL.get(known.dialect.name, 0) if known.is_resource else 0
        for position, (argument, item) in enumerate(zip(node.args, items, strict=True)):
            if argument.star == "**":
                self._spread(mapping, argument.value, scope, mapping)
            elif argument.star:
                self._open(mapping, f"{argument.star}{self.places.text(argument.value)}", argument)
            elif argument.keyword is not None:
                field = known.dialect.field(known.type_name, argument.keyword.value)
                if argument.keyword.value not in _NO_FIELDS or field in types.fields(known.type_name):
                    self._set(mapping, field, argument.value, scope, mapping, item)
            elif position >= allowed:
                self._open(mapping, "a positional argument", argument)
        return mapping

    def subclass(self, node: syntax.Call, scope: Scope) -> tuple[Subclass, Known] | None:
        """The own class that ``node`` makes an object of, and that of the library; None where what the library gets is
        not known, or all of it stands in the class."""
        own = self.own(node.func, scope)
        known = recognise(own.base) if own is not None and not own.doubts else None
        if own is None or known is None or not all(each.rest for each in own.chain()):
            return None
        return (own, known) if known.dialect not in (PULUMI, CDK8S) else None

    def derived(self, node: syntax.Call, scope: Scope, own: Subclass, known: Known, raw: bool) -> Mapping:
        """The object of an own class: the fields that the call gives and those that the class does."""
        mapping = self._mapping(node, "call", known.type_name)
        mapping.dialect, mapping.callee, mapping.in_list = known.dialect, self.places.text(node.func), raw
        mapping.bracket, items = call_bracket(node)
        given: dict[str, tuple[syntax.Node, Item]] = {}
        for number, (argument, item) in enumerate(zip(node.args, items, strict=True)):
            name = argument.keyword.value if argument.keyword is not None else own.by_place(number)
            if name is None or argument.star:
                self._open(mapping, f"{argument.star}{self.places.text(argument.value)}", argument)
            else:
                given[name] = argument.value, item
        for name, each in own.forwarded(given).items():
            field = known.dialect.field(known.type_name, name)
            if isinstance(each, Fixed):
                mapping.fields[field] = assembled.fixed(mapping, name, each)
            else:
                self._set(mapping, field, each[0], scope, mapping, each[1])
        fields = ((field, own.keyword(known.dialect.keyword(field))) for field in types.fields(known.type_name))
        mapping.keywords = {field: keyword for field, keyword in fields if keyword is not None}
        if known.is_resource:
            mapping.fields.setdefault("apiVersion", assembled.implied(mapping, known.api_version or ""))
            mapping.fields.setdefault("kind", assembled.implied(mapping, known.kind or ""))
        return mapping

    def _arguments(self, node: syntax.Call, scope: Scope, known: Known) -> Mapping | None:
        """The object with all fields of a resource that Pulumi takes as its second argument."""
        if known.dialect is not PULUMI or not known.is_resource or len(node.args) < 2 or node.args[1].keyword:
            return None
        found = self.value(node.args[1].value, scope, known.type_name, None)
        return found if isinstance(found, Mapping) and found.type_name == known.type_name else None

    def keywords(self, node: syntax.Call, scope: Scope, type_name: str, around: Mapping | None) -> Node:
        mapping = self._mapping(node, "keywords", type_name, around)
        mapping.bracket, items = call_bracket(node)
        for argument, item in zip(node.args, items, strict=True):
            if argument.star == "**" or (not argument.star and argument.keyword is None):
                self._spread(mapping, argument.value, scope, around)
            elif argument.keyword is None:
                self._open(mapping, f"*{self.places.text(argument.value)}", argument)
            else:
                field = self._written(mapping, argument.keyword.value, node, argument)
                self._set(mapping, field, argument.value, scope, around, item)
        return mapping

    def mapping(self, node: syntax.Dict, scope: Scope, type_name: str, around: Mapping | None, raw: bool) -> Mapping:
        mapping = self._mapping(node, "dict", type_name, around)
        mapping.in_list = raw
        mapping.bracket, items = elements_bracket(node)
        for element, item in zip(node.elements, items, strict=True):
            if isinstance(element, syntax.DictElement):
                key = self.texts.key(element.key, scope)
                if key is None:
                    self._open(mapping, "a computed key", element.key)
                else:
                    field = self._written(mapping, key, node, element.key)
                    self._set(mapping, field, element.value, scope, around, item)
            else:
                self._spread(mapping, element.value, scope, around)
        return mapping

    def _mapping(self, node: syntax.Node, form: str, type_name: str, around: Mapping | None = None) -> Mapping:
        start = node.start
        mapping = Mapping(
            start,
            node.end,
            self.places.line(start),
            form=form,
            type_name=type_name,
            dialect=around.dialect if around is not None else None,
            bracket=None,
            context=around,
        )
        return mapping

    def _set(
        self, mapping: Mapping, field: str, value: syntax.Node, scope: Scope, around: Mapping | None, item: Item | None
    ) -> None:
        mapping.fields[field] = Entry(self._of_field(mapping, field, value, scope, around), item)

    def _of_field(self, mapping: Mapping, field: str, value: syntax.Node, scope: Scope, around: Mapping | None) -> Node:
        type_name = types.field_type(mapping.type_name, field)
        raw = mapping.in_list and mapping.form != "call"
        if not replaceable.is_written_by(mapping, field):
            return self.value(value, scope, type_name, around, raw)
        if isinstance(value, syntax.BooleanOperation) and value.operator == "or":
            made = self._with_default(value, scope, type_name, around, raw)
            if made is not None:
                return made
        is_looked_at = self.mutator.is_looked_at(mapping)
        filled = None if is_looked_at else self._gathered(value, scope, type_name, around, raw)
        if filled is not None:
            return filled
        found = self.value(value, scope, type_name, around, raw)
        is_open = isinstance(found, Opaque) and replaceable.operand(value) and replaceable.may_be_absent(value, scope)
        if not is_open:
            return found
        assert isinstance(found, Opaque)
        at = self.opaque(value, found.reason)
        return replaceable.absent(at, type_name, mapping, at, "operand")

    def _gathered(
        self, node: syntax.Node, scope: Scope, type_name: str, around: Mapping | None, raw: bool
    ) -> Node | None:
        """The dict that a name stands for which the program fills; None for any other value."""
        binding = self.gathered.literal(node, scope)
        if binding is None or binding.value is None or binding.value in self.made:
            return None
        self._filled.add(binding.value)
        made = self.value(binding.value, binding.scope, type_name, around, raw)
        given = self.opaque(node, "filled by the program")
        if not isinstance(made, Mapping) or not replaceable.may_be_replaced(made):
            return given
        made.replaced = given
        return made

    def _with_default(
        self, node: syntax.BooleanOperation, scope: Scope, type_name: str, around: Mapping | None, raw: bool
    ) -> Mapping | None:
        """The object on the right of ``given or V1SecurityContext(...)``; None where none is written there."""
        if not isinstance(node.right, syntax.Call | syntax.Dict):
            return None
        given, made = (self.value(side, scope, type_name, around, raw) for side in (node.left, node.right))
        if not isinstance(made, Mapping) or not isinstance(given, Opaque | Scalar):
            return None
        if not replaceable.may_be_replaced(made):
            return None
        self.inner.add(node)
        made.replaced = self.opaque(node.left, given.reason if isinstance(given, Opaque) else "a value")
        return made

    def value_set_later(self, mapping: Mapping, field: str, change: Change) -> Node:
        """The node for the value that a later statement gives a field of ``mapping``."""
        assert change.value is not None
        around = mapping if mapping.form == "call" else mapping.context
        return self._of_field(mapping, field, change.value, change.scope, around)

    def item_added(self, sequence: Sequence, change: Change) -> Mapping | None:
        """The container that a later statement appends to a list that is written without any; None for anything else.
        Beside others it is a part of its own: what they are need not be known to judge it."""
        call = change.node
        is_of_empty = sequence.item_type == "Container" and all(place is None for place in sequence.places)
        if change.how != "append" or not is_of_empty or not isinstance(call, syntax.Call):
            return None
        if len(call.args) != 1 or call.args[0].keyword is not None or call.args[0].star:
            return None
        found = self.value(call.args[0].value, change.scope, sequence.item_type, None, True)
        is_new = isinstance(found, Mapping) and found.type_name == "Container" and found not in sequence.items
        return found if isinstance(found, Mapping) and is_new else None

    def _open(self, mapping: Mapping, what: str, node: syntax.Node) -> None:
        where = f"{what} (line {self.places.line(node.start)})"
        mapping.open = mapping.open or where
        if mapping.form == "dict":  # a call is not given one argument twice
            self._replaced(mapping, where)

    def _replaced(self, mapping: Mapping, where: str) -> None:
        """Take the values that stand before what may add any key for unknown: it may have them, too."""
        for field, entry in mapping.fields.items():
            old = entry.value
            if field not in _OF_OBJECTS and not isinstance(old, Opaque):
                shown = opaque_text(self.places.source[old.start : old.end].decode())
                unknown = Opaque(old.start, old.end, old.line, shown, f"perhaps replaced by {where}")
                mapping.fields[field] = Entry(unknown, entry.item)

    def _spread(self, mapping: Mapping, value: syntax.Node, scope: Scope, around: Mapping | None) -> None:
        """What ``**value`` adds: fields that are known, or anything."""
        if mapping.form == "call":
            self.arguments.add(followed(value, scope)[0])
        found = self.value(value, scope, mapping.type_name, around, mapping.in_list and mapping.form != "call")
        if not isinstance(found, Mapping) or found.form == "call":
            if not self._chosen(mapping, value, scope):
                self._open(mapping, f"**{' '.join(self.places.text(value).split())}", value)
            return
        for field, entry in found.fields.items():
            kind = "attribute" if mapping.form == "call" else "key"
            mapping.fields[field_of(mapping, kind, field)] = Entry(entry.value, None)
        if found.open is not None:
            mapping.open = mapping.open or found.open

    def _chosen(self, mapping: Mapping, value: syntax.Node, scope: Scope) -> bool:
        """Whether ``**value`` adds one of several dicts that all stand there: what they have may be there, and nothing
        else."""
        owner = scope.owner(value.value) if is_variable(value) else None
        if owner is None or not is_variable(value):
            return False
        chosen = replaceable.chosen_dicts(owner.bindings[value.value])
        keys = [
            string(each.key) if isinstance(each, syntax.DictElement) else None
            for one in chosen
            for each in one.elements
        ]
        if not chosen or None in keys or (owner, value.value) in self._changed_names:
            return False
        for key in filter(None, keys):
            field = field_of_argument(mapping, key)
            given = self.opaque(value, "assigned more than once")
            entry = mapping.fields.get(field)
            if not replaceable.is_written_by(mapping, field):
                mapping.fields[field] = Entry(given, None)
            elif entry is not None and isinstance(entry.value, Mapping):
                entry.value.replaced = given
            else:
                type_name = types.field_type(mapping.type_name, field)
                place = "spread" if mapping.form == "call" else ""
                mapping.fields[field] = Entry(replaceable.absent(given, type_name, mapping, given, place), None)
        return True

    def _written(self, mapping: Mapping, key: str, node: syntax.Node, place: syntax.Node) -> str:
        """The field that a key of the dict ``node`` means; a record of one that the library does not understand."""
        if node in self.arguments:
            return field_of_argument(mapping, key)
        message = misunderstood(mapping, key)
        if message is not None:
            self.lints.append((self.places.line(place.start), message))
        return field_of_key(mapping, key)

    def merged(
        self, node: syntax.BinaryOperation, scope: Scope, type_name: str, around: Mapping | None, raw: bool
    ) -> Mapping | None:
        """``a | b`` of dicts; None where neither is one."""
        sides = [self.value(side, scope, type_name, around, raw) for side in (node.left, node.right)]
        known = [side for side in sides if isinstance(side, Mapping) and side.form != "call"]
        if not known:
            return None
        mapping = self._mapping(node, "dict", type_name, around)
        mapping.in_list = raw
        for side, part in zip(sides, (node.left, node.right), strict=True):
            if not isinstance(side, Mapping) or side.form == "call":
                self._open(mapping, " ".join(self.places.text(part).split()), part)
                continue
            _merge(mapping, side, is_here=side.form == "dict" and isinstance(part, syntax.Dict))
            if side.open is not None and side is sides[1]:
                self._replaced(mapping, side.open)
        return mapping

    # Lists.

    def sequence(self, node: syntax.List | syntax.Tuple, scope: Scope, type_name: str, around: Mapping | None) -> Node:
        form = "list" if isinstance(node, syntax.List) else "tuple"
        sequence = self._sequence(node, form, type_name, around)
        sequence.bracket, items = elements_bracket(node)
        for element, item in zip(node.elements, items, strict=True):
            if isinstance(element, syntax.StarredElement):
                found = self.value(element.value, scope, type_name, around, True)
                self._join(sequence, found, f"*{self.places.text(element.value)}")
            else:
                sequence.items.append(self.value(element.value, scope, sequence.item_type, around, around is not None))
                sequence.places.append(item)
        return sequence

    def _sequence(self, node: syntax.Node, form: str, type_name: str, around: Mapping | None) -> Sequence:
        start = node.start
        sequence = Sequence(
            start,
            node.end,
            self.places.line(start),
            form=form,
            item_type=types.item_type(type_name),
            bracket=None,
            holder=around,
        )
        return sequence

    def _join(self, sequence: Sequence, found: Node, text: str) -> None:
        if isinstance(found, Sequence):
            sequence.items += found.items
            sequence.places += [None] * len(found.items)
            sequence.open = more_open(sequence.open, found.open)
        else:
            sequence.open = more_open(sequence.open, f"{' '.join(text.split())} (line {found.line})")

    def comprehension(
        self, node: syntax.ListComp | syntax.GeneratorExp, scope: Scope, type_name: str, around: Mapping | None
    ) -> Node:
        sequence = self._sequence(node, "comprehension", type_name, around)
        inner = self.scan.comprehensions.get(node, scope)
        sequence.items.append(self.value(node.elt, inner, sequence.item_type, around, around is not None))
        sequence.places.append(None)
        sequence.open = f"{COMPREHENSION} (line {sequence.line})"
        return sequence

    def concatenation(
        self, node: syntax.BinaryOperation, scope: Scope, type_name: str, around: Mapping | None
    ) -> Node | None:
        """``a + b`` of lists; None where neither is one."""
        if not type_name.startswith("[") and self.texts.text(node, scope)[0] is not None:
            return None
        sides = [self.value(side, scope, type_name, around, True) for side in (node.left, node.right)]
        if not any(isinstance(side, Sequence) for side in sides):
            return None
        sequence = self._sequence(node, "concatenation", type_name, around)
        for side, part in zip(sides, (node.left, node.right), strict=True):
            self._join(sequence, side, self.places.text(part))
        return sequence


def _differ(one: str, other: str) -> bool:
    return one != other and bool(types.fields(one)) and bool(types.fields(other))


def _within(node: Node | None, kind: str, step: str | int | None) -> Node | None:
    """What stands in ``node`` where a step of a path leads; None where that is not known."""
    if isinstance(node, Mapping) and kind in ("attribute", "key"):
        entry = node.fields.get(field_of(node, kind, str(step)))
        return entry.value if entry is not None else None
    if not isinstance(node, Sequence) or not isinstance(step, int) or node.open is not None:
        return None
    return node.items[step] if -len(node.items) <= step < len(node.items) else None


def _merge(mapping: Mapping, side: Mapping, *, is_here: bool) -> None:
    """Add one side of ``a | b`` to ``mapping``; ``is_here``: it is written as a dict there."""
    for name, each in side.fields.items():
        mapping.fields[name] = Entry(each.value, each.item if is_here else None)
    if is_here and side.bracket is not None:
        mapping.bracket = side.bracket
        mapping.others.append(side.bracket)
    mapping.snake = mapping.snake or side.snake
    mapping.open = mapping.open or side.open
