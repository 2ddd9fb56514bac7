"""What becomes of an object after it was made: ``pod.spec.containers.append(x)``, ``job["spec"] = x``, ``fix(job)``.

A field that is set once, by a statement that runs whenever the object is made, has that value, also where the statement
names the object in another way (``spec = pod.spec``). When other statements run is not asked: what they set is not
known anywhere. What is handed to a function of the file is changed as that one changes its parameter; any other
function that may change it may set everything in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Set

from msgspec.structs import replace

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.fields import field_of
from hardener.sources.python.model import (
    Bracket,
    Entry,
    Item,
    Mapping,
    Node,
    Opaque,
    Scalar,
    Sequence,
    Statement,
    more_open,
)
from hardener.sources.python.names.access_paths import Way, steps
from hardener.sources.python.names.resolve import Key, member
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import Binding, Change, Scope
from hardener.sources.python.objects import replaceable
from hardener.sources.python.objects.brackets import call_bracket, elements_bracket
from hardener.sources.python.objects.call_effects import COPIES, changeable_arguments, function_of
from hardener.sources.python.objects.expressions import opaque_text, scalar, string
from hardener.sources.python.objects.literals import opaque
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places
from hardener.sources.yaml import TextError

Changes = dict[syntax.Node, list[tuple[Way, Change]]]
Held = dict[Key, dict[Way, list[tuple[syntax.Node, Scope]]]]
"""What is put into what a name stands for, by the place in it: the items of a list have one for all."""
_DEEPEST = 10  # names that stand for parts of each other
_MOST = 300_000  # changes, each counted for every expression whose object it changes
_SET = ("set", "removed")
_HANDED = ("handed", "sent", "merged")  # to a function; "sent" changes what is no whole object, "merged" nothing
_REPLACING = ("update", "clear", "popitem")  # what may change any key that is there
_KEEPING_PLACES = (*_SET, "append", "extend", "setdefault")  # of the items that stand in a list
_STORING = ("append", "insert", "add", "appendleft", "extend", "set")
_ANY: Way = (("any", None),)
_CONTEXTS = ("security_context", "securityContext")  # handed on with their holder, which says whether they stay
_OF_OBJECTS = ("apiVersion", "kind", "name")  # what an object is called is left alone, and so are labels
_OF_METADATA = ("ObjectMeta", "{string")


def changes_by_value(scan: Scan) -> Changes:
    """Every change with its path, by the expressions whose objects it changes: that of ``pod`` for
    ``c = pod.spec.containers[0]; c.image = x``. Raises TextError where they are far more than people write."""
    direct, held = _by_name(scan)
    given: dict[Key, list[tuple[syntax.Node, Scope]]] = {}
    open_calls = []
    for each in changeable_arguments(scan):
        if each.parameter is not None:
            given.setdefault(each.parameter, []).append((each.value, each.scope))
        else:
            open_calls.append(each)
    collector = _Collector(scan, held, given)
    for key, changes in direct.items():
        for path, change in _without_doubtful_values(key, changes):
            collector.name(*key, path, change, 0)
    for each in open_calls:
        how = "merged" if each.is_left else "sent" if each.whole else "handed"
        change = Change(each.scope, "", (), how, each.call, is_merged=each.is_merged)
        collector.value(each.value, each.scope, (), change, 0)
    for ways in collector.found.values():
        ways.sort(key=lambda way: way[1].how in _HANDED)  # what was set before is replaced as well
    return collector.found


def _by_name(scan: Scan) -> tuple[dict[Key, list[tuple[Way, Change]]], Held]:
    """The changes of what each name stands for, and what they put into it."""
    direct: dict[Key, list[tuple[Way, Change]]] = {}
    held: Held = {}
    for change in single(scan.changes):
        owner, name, path = _origin(change)
        if owner is None:
            continue
        direct.setdefault((owner, name), []).append((path, change))
        step = _ANY if change.how not in ("set", "extend") else ()
        for value in _stored(change):
            held.setdefault((owner, name), {}).setdefault((*path, *step), []).append((value, change.scope))
    return direct, held


def _without_doubtful_values(key: Key, changes: list[tuple[Way, Change]]) -> Iterator[tuple[Way, Change]]:
    """The changes of what a name stands for; those whose value it need not have come without it."""
    counts = Counter(path for path, change in changes if change.how in _SET)
    moved = {path for path, change in changes if change.how not in _KEEPING_PLACES}
    for path, change in changes:
        goes_into_moved = any(kind == "index" and path[:at] in moved for at, (kind, _) in enumerate(path))
        if goes_into_moved or not _is_sure(change, path, key, counts):
            change = replace(change, value=None)
        yield path, change


def grown(changes: Changes) -> set[syntax.Node]:
    """The expressions of which a text or list may be another one later."""
    return {node for node, ways in changes.items() if any(not way and by.how not in _HANDED for way, by in ways)}


def single(changes: list[Change]) -> Iterator[Change]:
    """The changes, with one for each key of an ``update`` whose keys all stand there."""
    for change in changes:
        keys = list(_keys(change)) if change.how == "update" else [None]
        if None in keys:
            yield change
            continue
        for key, value, holder, number in filter(None, keys):
            if len(keys) == 1:
                assert isinstance(change.node, syntax.Call)
                holder, number = change.node, -1  # it goes as a whole
            step: Way = (("key", key),)
            yield replace(
                change, path=(*change.path, *step), how="set", node=value, value=value, holder=holder, number=number
            )


def _keys(change: Change) -> Iterator[tuple[str, syntax.Node, syntax.Call | syntax.Dict, int] | None]:
    """The keys that an ``update`` sets, with their values, and what holds these as which item; None for one that is not
    known."""
    call = change.node
    assert isinstance(call, syntax.Call)
    for number, argument in enumerate(call.args):
        if argument.keyword is not None:
            yield argument.keyword.value, argument.value, call, number
        elif isinstance(argument.value, syntax.Dict) and not argument.star:
            for index, element in enumerate(argument.value.elements):
                key = string(element.key) if isinstance(element, syntax.DictElement) else None
                yield None if key is None else (key, element.value, argument.value, index)
        else:
            yield None


def _origin(change: Change) -> tuple[Scope | None, str, Way]:
    """Who binds the name of what is changed and the path from there, through names that were given a part of it in the
    same run of statements: nobody can tell them from the path."""
    owner, name, path = member(change.scope, change.name, change.path)
    for _ in range(_DEEPEST):
        binding = _one_in_line(owner, name, change)
        if owner is None or binding is None or binding.value is None:
            break
        begin, before = steps(binding.value)
        if not begin or not path:
            break
        above, above_name, above_path = member(binding.scope, begin, before)
        if (above, above_name) == (owner, name) or _one_in_line(above, above_name, change) is None:
            break
        owner, name, path = above, above_name, (*above_path, *path)
    return owner, name, path


def _one_in_line(owner: Scope | None, name: str, change: Change) -> Binding | None:
    """The only binding of a name, where that runs when ``change`` does."""
    bindings = owner.bindings.get(name, []) if owner is not None else []
    return bindings[0] if len(bindings) == 1 and _in_line(bindings[0], change) else None


def _in_line(binding: Binding, change: Change) -> bool:
    """Whether both run, or neither."""
    return binding.scope is change.scope and binding.block is change.block and not binding.each


def _is_sure(change: Change, path: Way, key: Key, counts: Counter[Way]) -> bool:
    """Whether all that the name stands for has the value that ``change`` sets."""
    scope, name = key
    bindings = scope.bindings.get(name, [])
    if change.value is None or len(bindings) != 1 or not _in_line(bindings[0], change):
        return False
    if any(kind == "any" for kind, _ in path) or not path or path[-1][0] == "index":
        return False
    return counts[path] == 1


def _stored(change: Change) -> Iterator[syntax.Node]:
    """What a change puts into the object."""
    if change.how == "set":
        if change.value is not None:
            yield change.value
    elif change.how in _STORING and isinstance(change.node, syntax.Call):
        yield from (argument.value for argument in change.node.args[-1:])


def _below(place: Way, path: Way) -> Way | None:
    """The rest of a path that leads through ``place``, None for any other."""
    if len(path) < len(place):
        return None
    for (kind, name), (other, part) in zip(place, path, strict=False):
        if "any" not in (kind, other) and name != part:
            return None
    return path[len(place) :]


class _Collector:
    """``held`` are the values that were put into what a name stands for, ``given`` those that calls give a
    parameter."""

    def __init__(self, scan: Scan, held: Held, given: dict[Key, list[tuple[syntax.Node, Scope]]]) -> None:
        self.comprehensions = scan.comprehensions
        self.held, self.given = held, given
        self.found: Changes = {}
        self._known: set[tuple[syntax.Node, Way, syntax.Node]] = set()
        self._seen: set[tuple[Scope, str, Way, syntax.Node]] = set()
        self._looked = 0

    def name(self, owner: Scope, name: str, path: Way, change: Change, depth: int) -> None:
        mark = owner, name, path, change.node
        if depth > _DEEPEST or mark in self._seen:
            return
        self._seen.add(mark)
        if len(self._seen) + self._looked > _MOST:
            raise TextError("its variables lead to too many changes of its objects")
        if depth == 1:  # what is set through another name may be set on something else by then
            change = replace(change, value=None)
        for binding in owner.bindings.get(name, ()):
            if binding.value is not None:
                step = _ANY if binding.each else ()
                self.value(binding.value, binding.scope, (*step, *path), change, depth)
            for part in _looped(binding):
                self.value(part, binding.scope, (*_ANY, *path), replace(change, value=None), depth + 1)
        for value, scope in self.given.get((owner, name), ()):
            self.value(value, scope, path, replace(change, value=None), depth + 1)
        self._held_values(owner, name, path, change, depth)

    def _held_values(self, owner: Scope, name: str, path: Way, change: Change, depth: int) -> None:
        for place, values in self.held.get((owner, name), {}).items():
            self._looked += 1
            rest = _below(place, path)
            if rest is not None and (rest or change.how not in _SET):  # which replaces the value
                into, deeper = rest, depth
            elif change.how in _HANDED and _below(path, place) is not None and place[-1][1] not in _CONTEXTS:
                into, deeper = (), depth + 1
            else:
                continue
            self._looked += len(values)
            for value, scope in values:
                self.value(value, scope, into, change, deeper)

    def value(self, value: syntax.Node, scope: Scope, path: Way, change: Change, depth: int) -> None:
        begin, before = steps(value)
        if begin:
            owner, begin, whole = member(scope, begin, (*before, *path))
            if owner is not None:
                self.name(owner, begin, whole, change, depth + 1)
            return
        if change.how in _HANDED and (not path and scalar(value)[0]):
            return  # nobody changes a text
        mark = value, path, change.node
        if mark in self._known or depth > _DEEPEST:
            return
        self._known.add(mark)
        if len(self._known) > _MOST:
            raise TextError("its variables lead to too many changes of its objects")
        self.found.setdefault(value, []).append((path, change))
        inside = self.comprehensions.get(value, scope)
        for inner, rest in _parts(value, path, change):
            self.value(inner, inside, rest, change, depth)
        function = function_of(value, scope)[0] if isinstance(value, syntax.Call) else None
        if function is not None:
            self._returned(function, path, replace(change, value=None), depth + 1)

    def _returned(self, function: Scope, path: Way, change: Change, depth: int) -> None:
        for returned in function.returns:
            self.value(returned, function, path, change, depth)
        for item in function.yields if path or change.how in _HANDED else ():
            self.value(item, function, path[1:], change, depth)


def _parts(value: syntax.Node, path: Way, change: Change) -> Iterator[tuple[syntax.Node, Way]]:
    """The expressions in ``value`` whose object a path through it changes, with the rest of the path. What is handed
    on is changed with all that is in it."""
    is_whole = change.how in _HANDED
    if isinstance(value, syntax.NamedExpr):
        yield value.value, path
    elif isinstance(value, syntax.Await):
        yield value.expression, path
    elif isinstance(value, syntax.IfExp):
        yield from ((value.body, path), (value.orelse, path))
    elif isinstance(value, syntax.BooleanOperation):
        yield from ((value.left, path), (value.right, path))
    elif isinstance(value, syntax.Call):
        copied, deeper = copied_by(value)
        if copied is not None and (is_whole or len(path) >= deeper):
            yield copied, path
    elif path or is_whole:
        yield from _items(value, path, change)


def _items(value: syntax.Node, path: Way, change: Change) -> Iterator[tuple[syntax.Node, Way]]:
    """What stands in a list or dict where a path leads, or all of it, with the rest of the path."""
    kind, name = path[0] if path else _ANY[0]
    rest = path[1:]
    if isinstance(value, syntax.BinaryOperation):
        yield from ((value.left, path), (value.right, path))
    elif isinstance(value, syntax.ListComp | syntax.GeneratorExp):
        yield value.elt, rest
    elif isinstance(value, syntax.List | syntax.Tuple):
        for element in _elements_at(value, name):
            yield element.value, path if isinstance(element, syntax.StarredElement) else rest
    elif isinstance(value, syntax.Dict) and change.how != "sent":  # it may be a whole object
        for entry in value.elements:
            key = string(entry.key) if isinstance(entry, syntax.DictElement) else None
            if isinstance(entry, syntax.DictElement) and (kind == "any" or key is None or key == name):
                yield entry.value, rest


def _elements_at(
    value: syntax.List | syntax.Tuple, index: str | int | None
) -> Iterator[syntax.Element | syntax.StarredElement]:
    """The elements that may be the one at ``index``: all of them where that is not known."""
    elements = value.elements
    if not isinstance(index, int) or not 0 <= index < len(elements):
        yield from elements
    elif any(isinstance(each, syntax.StarredElement) for each in elements[:index]):
        yield from elements
    else:
        yield elements[index]


def copied_by(call: syntax.Call) -> tuple[syntax.Node | None, int]:
    """What a call makes a list or a copy of, and how long a path is that leads to what both have."""
    function, count = call.func, len(call.args)
    if isinstance(function, syntax.Name):
        if function.value in COPIES and count:
            return call.args[0].value, 1
        if function.value in ("copy", "dict") and count == 1:
            return call.args[0].value, 2
        if function.value == "cast" and count == 2:
            return call.args[1].value, 0
    elif isinstance(function, syntax.Attribute):
        if function.attr.value == "values" and not count:
            return function.value, 1
        if function.attr.value == "copy":
            return (call.args[0].value if count else function.value), 2
    return None, 0


def _looped(binding: Binding) -> Iterator[syntax.Node]:
    """What a loop takes the items from that it gives a part of: ``for key, pod in pods.items()``."""
    items = binding.items
    if not isinstance(items, syntax.Call):
        return
    if isinstance(items.func, syntax.Attribute) and items.func.attr.value == "items" and binding.part == 1:
        yield items.func.value
    elif isinstance(items.func, syntax.Name) and items.func.value == "zip" and binding.part < len(items.args):
        yield items.args[binding.part].value


def _inside(node: Mapping | Sequence) -> list[Node]:
    return [entry.value for entry in node.fields.values()] if isinstance(node, Mapping) else node.items


def _is_of_class(mapping: Mapping, field: str) -> bool:
    """Whether the class that makes an object says a field, whatever is set later: a V1Pod is a Pod."""
    if mapping.form != "call" or field not in ("apiVersion", "kind") or field not in mapping.fields:
        return False
    entry = mapping.fields[field]
    return entry.item is None and isinstance(entry.value, Scalar) and not entry.value.written


def _holds_none(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.value.value is None


def _give_back(node: Mapping) -> None:
    """Leave a security context of ``node`` as it is that a default is for: one that is written would win over that of
    the object which ``node`` is put over."""
    entry = node.fields.get(replaceable.FIELD)
    if entry is not None and replaceable.is_default(entry.value):
        assert entry.value.replaced is not None
        node.fields[replaceable.FIELD] = Entry(entry.value.replaced, entry.item)


class Mutator:
    """Applies changes to the nodes of the objects. ``read`` gives the node for the value that a change gives a field of
    a mapping, ``added`` that for what it adds to a list, None where that is not known. ``lines`` are the statements
    that may go as a whole, by their targets or calls, ``looked`` the types of which the program looks at the security
    context, "" for one that is not known."""

    def __init__(
        self,
        places: Places,
        read: Callable[[Mapping, str, Change], Node],
        added: Callable[[Sequence, Change], Node | None],
        lines: dict[syntax.Node, syntax.Node],
        looked: Set[str],
    ) -> None:
        self._looked = looked
        self._added = added
        self._places = places
        self._read = read
        self._lines = lines
        self._applied: set[tuple[Node, syntax.Node]] = set()
        self._handed: set[Node] = set()  # with all that is in them
        self._brackets: dict[int, Bracket] = {}  # of updates, by where they begin

    def changed(self, node: Node, path: Way, change: Change) -> Node:
        """``node`` as it is after ``change`` at ``path`` below it; another node where it is not known any more."""
        if isinstance(node, Opaque):
            return node
        if not path:
            return self._grown(node, change)
        if len(path) == 1:
            if (node, change.node) in self._applied:
                return node
            self._applied.add((node, change.node))
        (kind, name), rest = path[0], path[1:]
        if isinstance(node, Sequence):
            self._items(node, kind, name, rest, change)
        elif isinstance(node, Mapping):
            if kind in ("attribute", "key"):
                field = field_of(node, kind, str(name))
                if not _is_of_class(node, field):
                    self._field(node, field, rest, change)
            elif rest:
                for entry in node.fields.values():
                    entry.value = self.changed(entry.value, rest, change)
            else:
                node.open = more_open(node.open, self._why(change))
        return node

    def _grown(self, node: Node, change: Change) -> Node:
        if change.how in _HANDED:
            self.hand(node, change)
            return node
        if isinstance(node, Mapping) and node.place == replaceable.FILLED:
            return node
        if isinstance(node, Mapping | Sequence):
            node.open = more_open(node.open, self._why(change))
            if isinstance(node, Sequence) and (item := self._added(node, change)) is not None:
                node.items.append(item)
                node.places.append(None)
            if isinstance(node, Mapping) and change.how in _REPLACING:
                self._replace(node, self._why(change))
            return node
        assert isinstance(node, Scalar)
        return opaque(change.node, self._places, f"changed later (line {self._line(change)})")

    def hand(self, node: Node, change: Change) -> None:
        """Take all that is in ``node`` for what a function may have changed."""
        if change.how == "merged":
            self._give_back(node, set())
            return
        why = self._why(change)
        waiting = [(node, change.how == "sent")]
        while waiting:
            each, is_sent = waiting.pop()
            if each in self._handed or not isinstance(each, Mapping | Sequence):
                continue
            if is_sent and isinstance(each, Sequence):
                waiting += [(item, True) for item in each.items]  # a list of objects
            elif not (is_sent and isinstance(each, Mapping) and "kind" in each.fields):
                self._handed.add(each)
                each.open = more_open(each.open, why)
                if isinstance(each, Mapping) and each.type_name not in _OF_METADATA:
                    self._replace(each, why)
                kept = self._kept(each, change)
                waiting += [(inner, False) for inner in _inside(each) if inner is not kept]

    def _kept(self, node: Node, change: Change) -> Node | None:
        """The security context of a container or pod that a function gets: it has another one only where the function
        makes one."""
        if not isinstance(node, Mapping) or not replaceable.is_written_by(node, replaceable.FIELD):
            return None
        if change.is_merged:
            _give_back(node)
            return None
        given = opaque(change.node, self._places, "set by what it is handed to")
        is_kept = self._replaceable(node, replaceable.FIELD, given)
        return node.fields[replaceable.FIELD].value if is_kept else None

    def _give_back(self, node: Node, seen: set[Node]) -> None:
        """Leave all security contexts in ``node`` as they are that no text holds."""
        if node in seen or not isinstance(node, Mapping | Sequence):
            return
        seen.add(node)
        if isinstance(node, Mapping):
            _give_back(node)
        for inner in _inside(node):
            self._give_back(inner, seen)

    def _replace(self, mapping: Mapping, why: str) -> None:
        """Take the texts and numbers of ``mapping`` for unknown."""
        for field, entry in mapping.fields.items():
            old = entry.value
            if isinstance(old, Scalar) and field not in _OF_OBJECTS:
                shown = opaque_text(self._places.source[old.start : old.end].decode())
                unknown = Opaque(old.start, old.end, old.line, shown, f"perhaps replaced by {why}")
                mapping.fields[field] = Entry(unknown, entry.item)

    def _field(self, mapping: Mapping, field: str, rest: Way, change: Change) -> None:
        entry = mapping.fields.get(field)
        if entry is not None and rest:
            entry.value = self.changed(entry.value, rest, change)
            return
        if change.how in _HANDED:
            if entry is not None:
                self.hand(entry.value, change)
            return
        if not rest and change.value is not None and (entry is None or _holds_none(entry)):
            item = self._item(mapping, change) if entry is None else None
            mapping.fields[field] = Entry(self._read(mapping, field, change), item)
        elif not self._is_replaced(mapping, field, rest, change):
            self._set_later(mapping, field, rest, change)

    def _set_later(self, mapping: Mapping, field: str, rest: Way, change: Change) -> None:
        """Take a field for unknown that a statement sets, or changes in place, later on."""
        entry = mapping.fields.get(field)
        if entry is not None and not rest and change.how not in _SET:
            entry.value = self.changed(entry.value, (), change)
            return
        mapping.fields[field] = Entry(self._later(change), entry.item if entry is not None else None)

    def _is_replaced(self, mapping: Mapping, field: str, rest: Way, change: Change) -> bool:
        """Whether a change puts another security context in place of the one that the object is made with, and leaves
        what is written there as the one of all other cases."""
        if rest or change.how != "set" or not replaceable.is_written_by(mapping, field):
            return False
        return self._replaceable(mapping, field, self._later(change))

    def _replaceable(self, mapping: Mapping, field: str, given: Opaque) -> bool:
        """Let ``given`` stand for what may replace a security context of ``mapping``, and tell whether it can. A new
        one is written into the constructor, unless the program looks at what it is then."""
        entry = mapping.fields.get(field)
        if entry is None or _holds_none(entry):
            is_written = mapping.form == "call" and entry is None and not self.is_looked_at(mapping)
            place = "field" if is_written else ""
            type_name = types.field_type(mapping.type_name, field)
            mapping.fields[field] = Entry(replaceable.absent(mapping, type_name, mapping, given, place), None)
        elif isinstance(entry.value, Mapping) and replaceable.may_be_replaced(entry.value):
            entry.value.replaced = entry.value.replaced or given
        else:
            return isinstance(entry.value, Opaque)
        return True

    def is_looked_at(self, mapping: Mapping) -> bool:
        """Whether the program looks at the security context of such an object."""
        return not self._looked.isdisjoint((mapping.type_name, ""))

    def _item(self, mapping: Mapping, change: Change) -> Item | None:
        """Where a field that is set later stands: in a statement of its own, or in the dict of an ``update``."""
        if change.holder is None or change.number < 0:
            line = self._lines.get(change.holder or change.node)
            return None if line is None else Statement(line.start, line.end, None)
        if isinstance(change.holder, syntax.Dict):
            bracket, items = elements_bracket(change.holder)
        else:
            bracket, items = call_bracket(change.holder)
        if bracket is not None:
            bracket = self._brackets.setdefault(bracket.start, bracket)
            if bracket not in mapping.others:
                mapping.others.append(bracket)
            items = bracket.items
        return items[change.number]

    def _items(self, sequence: Sequence, kind: str, index: str | int | None, rest: Way, change: Change) -> None:
        if kind == "index" and isinstance(index, int) and not -len(sequence.items) <= index < len(sequence.items):
            return
        if sequence.open is not None or kind == "any":
            change = replace(change, value=None)  # which item it is, is not known
        numbers = [index] if isinstance(index, int) else range(len(sequence.items)) if kind == "any" else []
        for number in numbers:
            if rest or change.how not in _SET:
                sequence.items[number] = self.changed(sequence.items[number], rest, change)
            elif kind == "index":
                sequence.items[number] = self._later(change)
            else:
                sequence.open = more_open(sequence.open, self._why(change))

    def _later(self, change: Change) -> Opaque:
        what = "removed" if change.how == "removed" else "set"
        return opaque(change.node, self._places, f"{what} later (line {self._line(change)})")

    def _why(self, change: Change) -> str:
        function = change.node.func if isinstance(change.node, syntax.Call) else change.node
        text = " ".join(self._places.text(function).split())
        if change.how in _HANDED:
            text = f"{text}, which it is handed to"
        return f"{text} (line {self._line(change)})"

    def _line(self, change: Change) -> int:
        return self._places.line(change.node.start)
