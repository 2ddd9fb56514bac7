"""Own classes made from a class of a library: what a call of one hands on to the library, and what the class decides
itself.

Only what the class writes plainly is known: the arguments of one ``super().__init__()``. What it does beside that to
what it hands on is a doubt, and then nothing is known of the call.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct, field

from hardener.sources.python.libraries.dialects import recognise

_CLASS = re.compile(rb"(?m)^[ \t]*class[ \t]+\w+[ \t]*\(")
_DEEPEST = 10  # classes that are made from each other
_BUILDS = ("build_pod_request_obj", "create_pod_request_obj", "get_or_create_pod")  # of the operators of Airflow
_FROM = re.compile(rb"(?m)^[ \t]*from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^()]*\)|[^\n]*)")
_WORD = re.compile(r"\w+")
_ATTRIBUTE = re.compile(rb"\w\.(V[12](?:(?:alpha|beta)\d)?[A-Z]\w*)")  # a class of the kubernetes client below a module
UNKNOWN = object()
_CLIENTS = frozenset(
    f"{library}.{module}" for library in ("kubernetes", "kubernetes_asyncio") for module in ("client", "client.models")
)
# Operators of Airflow whose task is a pod.
OPERATOR = re.compile(
    r"airflow\.(?P<path>providers\.cncf\.kubernetes\.operators\.(?:kubernetes_)?pod|contrib\.operators\.\w+"
    r"|providers\.(?:google\.cloud\.operators\.kubernetes_engine|amazon\.aws\.operators\.eks)"
    r"|providers\.microsoft\.azure\.operators\.\w+)"
    r"\.(?:KubernetesPodOperator|GKEStartPodOperator|GKEPodOperator|E[Kk][Ss]PodOperator)(?P<partial>\.partial)?"
)


class Forwarded(Struct, frozen=True):
    """What a class hands on as one argument: the argument ``keyword`` of its call where that is given, else ``value``,
    which is plain data or ``UNKNOWN``. Without a ``keyword`` no call changes it."""

    keyword: str | None
    value: Any
    line: int


class Fixed(Struct, frozen=True):
    """An argument that a class hands on itself: plain data or UNKNOWN; ``where`` names the class."""

    value: Any
    where: str


class Subclass(Struct, eq=False):
    """An own class. ``base`` is the full name of the class of a library that it is made from in the end; ``above`` an
    own one between them. ``takes`` are its own parameters, ``order`` those that take arguments by their places,
    ``forwards`` is what it hands on by name, ``rest`` tells that it hands on any other argument. ``doubt`` says why
    nothing of that is sure."""

    name: str
    place: str
    base: str
    above: Subclass | None = None
    takes: frozenset[str] = frozenset()
    forwards: dict[str, Forwarded] = field(default_factory=dict)
    rest: bool = True
    order: tuple[str, ...] | None = None  # None: it has no constructor of its own
    doubt: str = ""

    def forwarded(self, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments that the library gets of a call that has those ``given``: some of these, and what is Fixed."""
        current = given
        for made in self.chain():
            found: dict[str, Any] = {}
            for name, one in made.forwards.items():
                if one.keyword is not None and one.keyword in current:
                    found[name] = current[one.keyword]
                elif one.value is not None:
                    found[name] = Fixed(one.value, made.place)
            if made.rest:
                found |= {name: each for name, each in current.items() if name not in made.takes | found.keys()}
            current = found
        return current

    def keyword(self, name: str) -> str | None:
        """By which argument of a call the library gets its argument ``name``; None where no call can give it."""
        found: str | None = name
        for made in reversed(list(self.chain())):
            if found is None or found in made.forwards:
                found = made.forwards[found].keyword if found is not None else None
            elif not made.rest or found in made.takes:
                found = None
        return found

    def by_place(self, number: int) -> str | None:
        """The name of the argument that a call gives by its place; None where that is not known."""
        order = next((made.order for made in self.chain() if made.order is not None), ())
        return order[number] if number < len(order) else None

    @property
    def doubts(self) -> str:
        """Why nothing is sure of what the library gets; "" where it is."""
        return next((made.doubt for made in self.chain() if made.doubt), "")

    def chain(self) -> Iterator[Subclass]:
        """It and the own classes that it is made from."""
        current: Subclass | None = self
        while current is not None:
            yield current
            current = current.above


Find = Callable[[str], Subclass | None]


def is_base(name: str) -> bool:
    """Whether it is the full name of a class of a library that makes a pod or an object."""
    found = OPERATOR.fullmatch(name)
    return found is not None if name.startswith("airflow.") else recognise(name) is not None


def nothing(name: str) -> Subclass | None:
    """What is found where no other file is known."""
    return None


def may_define(raw: bytes) -> bool:
    """Whether the text of a file may hold a class that is made from another one."""
    return b"class " in raw and _CLASS.search(raw) is not None


class Elsewhere(Struct, frozen=True, eq=False):
    """What a file may import of others of its tree. ``find`` tells of own classes, ``meant`` which full name of a
    library a name stands for that another file imports for others, and any other name as it is."""

    find: Find = nothing
    meant: Callable[[str], str] = str


NOWHERE = Elsewhere()


class Subclasses:
    """The own classes of a tree, and what its files import of libraries for others. ``shown`` makes the name of a file
    for people of its path, ``read`` tells what is in it."""

    def __init__(self, shown: Callable[[str], str] = str, read: Callable[[str], bytes] = lambda path: b"") -> None:
        self._shown, self._read = shown, read
        self._by_name: dict[str, list[tuple[str, Subclass]]] = {}  # with their files, by the name that those bind
        self._parts: set[str] = set()  # of the paths of these files: for a class as an attribute one is imported
        self._importing: dict[str, list[str]] = {}  # files that import of a library, by their names in an import
        self._offered: dict[str, dict[str, str]] = {}  # what such a file has, by file; "*" is a module

    def seen_from(self, path: str) -> Elsewhere:
        """What the file ``path`` may import."""
        return Elsewhere(lambda name: self.find(name, path), lambda name: self.meant(name, path))

    def note(self, path: str) -> None:
        """Remember a file that imports of a library of Kubernetes."""
        folder, name = os.path.split(path)
        name = os.path.basename(folder) if name == "__init__.py" else name.removesuffix(".py")
        self._importing.setdefault(name, []).append(path)

    @property
    def modules(self) -> frozenset[str]:
        """What the files that were noted are called in an import."""
        return frozenset(self._importing)

    def imports(self, raw: bytes, path: str) -> bool:
        """Whether the file ``path`` imports what another one imports of a library, or that file as a module."""
        below = {each.decode() for each in _ATTRIBUTE.findall(raw)}
        for found in _FROM.finditer(raw):
            module = found["module"].decode().lstrip(".")
            for name in _WORD.findall(found["names"].decode(errors="replace")):
                whole = f"{module}.{name}" if module else name
                if any(self.meant(each, path) != each for each in (whole, *(f"{whole}.{end}" for end in below))):
                    return True
        return False

    def meant(self, qualified: str, path: str) -> str:
        """The full name that ``qualified`` stands for in the file ``path``."""
        parts = qualified.split(".")
        for end in range(len(parts), 0, -1):
            if parts[end - 1] not in self._importing:
                continue
            file = self._nearest(".".join(parts[:end]), self._importing[parts[end - 1]], path)
            if file is None:
                continue
            offered = self._offered.get(file)
            if offered is None:
                offered = self._offered[file] = offers(self._read(file))
            if end == len(parts):
                return offered.get("*", qualified)
            found = offered.get(parts[end])
            if found is None and "*" in offered and is_base(f"{offered['*']}.{parts[end]}"):
                found = f"{offered['*']}.{parts[end]}"
            return ".".join([found, *parts[end + 1 :]]) if found is not None else qualified
        return qualified

    @staticmethod
    def _nearest(module: str, files: list[str], path: str) -> str | None:
        """The one of ``files`` nearest to ``path`` that is the ``module``; None where several are as near."""
        ends = tuple(f"/{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py"))
        near = [(len(os.path.commonpath([path, file])), file) for file in files if file.endswith(ends) and file != path]
        best = max((length for length, _ in near), default=0)
        nearest = [file for length, file in near if length == best]
        return nearest[0] if len(nearest) == 1 else None

    @property
    def any(self) -> bool:
        """Whether a file may mean anything of another one."""
        return bool(self._by_name or self._importing)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._by_name)

    @property
    def files(self) -> frozenset[str]:
        return frozenset(file for places in self._by_name.values() for file, _ in places)

    def of_others(self, names: Iterable[str], path: str) -> set[str]:
        """Those of the ``names`` of classes that another file than ``path`` has."""
        return {name for name in names if any(file != path for file, _ in self._by_name[name])}

    def may_reach(self, imported: set[str]) -> bool:
        """Whether a file that imports these names may mean such a class."""
        return not (self._by_name.keys().isdisjoint(imported) and self._parts.isdisjoint(imported))

    def reaches(self, names: set[str], raw: bytes, path: str, imported: set[str]) -> bool:
        """Whether the file ``path``, which imports the names ``imported``, may mean by one of ``names`` a class of
        another file: it imports that class, or all that its file has, or has one of that name as an attribute."""
        if not self._parts.isdisjoint(imported) and any(f".{name}".encode() in raw for name in names):
            return True
        module = _parsed(raw)
        if module is None:
            return True  # the syntax may be newer than this Python
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom):
                given = {alias.name for alias in node.names}
                meant = names if "*" in given else names & given
                if any(self.find(f"{node.module or ''}.{name}", path) is not None for name in meant):
                    return True
        return False

    def add(self, path: str, raw: bytes) -> bool:
        """Take up what the file ``path`` defines, or imports of it, and tell whether there is anything new."""
        found = defined(raw, lambda name: self.find(name, path), self._shown(path))
        known = {name for name in found if any(file == path for file, _ in self._by_name.get(name, ()))}
        for name, made in found.items():
            if name not in known:
                self._by_name.setdefault(name, []).append((path, made))
                self._parts.update(path.removesuffix(".py").split(os.sep))
        return bool(found.keys() - known)

    def find(self, qualified: str, path: str) -> Subclass | None:
        """The class that a file ``path`` imports as ``operators.gcp.GKEPod``: the one of the nearest file with such an
        end, None where several are as near."""
        module, _, name = qualified.rpartition(".")
        ends = tuple(f"/{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py")) if module else ()
        near = [
            (len(os.path.commonpath([os.path.dirname(path), os.path.dirname(file)])), made)
            for file, made in self._by_name.get(name, ())
            if file.endswith(ends) and file != path
        ]
        if not near:
            return None
        best = max(length for length, _ in near)
        nearest = {id(made): made for length, made in near if length == best}
        return next(iter(nearest.values())) if len(nearest) == 1 else None


def offers(raw: bytes) -> dict[str, str]:
    """What a module imports of the kubernetes client at its top, and so has for others: full names by its own; "*" is
    a module of which it has everything."""
    module = _parsed(raw)
    found: dict[str, str] = {}
    for node in _statements(module.body if module is not None else ()):
        if isinstance(node, ast.ImportFrom):
            found |= _imported_of_client(node)
        elif isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname and each.name in _CLIENTS}
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            _rebind(found, node.targets[0].id, node.value)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.pop(node.name, None)
    return found


def _imported_of_client(node: ast.ImportFrom) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in node.names if not node.level else ():
        if each.name != "*":
            whole = f"{node.module}.{each.name}"
            if _is_of_client(whole):
                found[each.asname or each.name] = whole
        elif node.module in _CLIENTS:
            found["*"] = node.module
    return found


def _rebind(found: dict[str, str], name: str, value: ast.expr) -> None:
    """Note what a name stands for in ``found``: ``V1Pod = client.V1Pod``. Any other value hides what it stood for."""
    whole = ""
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id in found:
        whole = f"{found[value.value.id]}.{value.attr}"
    if name not in found and _is_of_client(whole):
        found[name] = whole
    else:
        found.pop(name, None)


def _is_of_client(qualified: str) -> bool:
    return qualified in _CLIENTS or is_base(qualified)


def defined(raw: bytes, find: Find = nothing, place: str = "") -> dict[str, Subclass]:
    """The own classes that a module defines at its top, and those that it imports, by the names it has for them."""
    module = _parsed(raw)
    return _Module(module, find, place).found if module is not None else {}


def _parsed(raw: bytes) -> ast.Module | None:
    """The tree of a module; None where Python cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(raw)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Module:
    def __init__(self, module: ast.Module, find: Find, place: str) -> None:
        self.place = place
        self.imports: dict[str, str] = {}
        self.constants: dict[str, list[ast.expr | None]] = {}
        self.found: dict[str, Subclass] = {}
        self.find = find
        for statement in _statements(module.body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
            elif isinstance(statement, ast.ClassDef):
                made = self._class(statement)
                if made is not None:
                    self.found[statement.name] = made
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    for each in ast.walk(target):
                        if isinstance(each, ast.Name):
                            self.constants.setdefault(each.id, []).append(statement.value if each is target else None)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        module = (statement.module or "") + "." if isinstance(statement, ast.ImportFrom) and statement.module else ""
        for alias in statement.names:
            qualified = module + alias.name
            if isinstance(statement, ast.ImportFrom) or alias.asname:
                self.imports[alias.asname or alias.name] = qualified
            else:
                self.imports[alias.name.partition(".")[0]] = alias.name.partition(".")[0]
            if isinstance(statement, ast.ImportFrom) and (made := self.find(qualified)) is not None:
                self.found[alias.asname or alias.name] = made

    def _qualified(self, expression: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name) or expression.id not in self.imports:
            return ""
        return ".".join([self.imports[expression.id], *reversed(parts)])

    def _class(self, node: ast.ClassDef) -> Subclass | None:
        above: Subclass | None = None
        base = ""
        for each in node.bases:
            qualified = self._qualified(each)
            if qualified and is_base(qualified):
                base = qualified
            elif isinstance(each, ast.Name) and each.id in self.found:
                above = self.found[each.id]
            elif qualified and (found := self.find(qualified)) is not None:
                above = found
            else:
                continue
            break
        if above is not None:
            base = above.base
        if not base or (above is not None and sum(1 for _ in above.chain()) > _DEEPEST):
            return None
        where = f"{self.place}:{node.lineno}" if self.place else f"line {node.lineno}"
        made = Subclass(node.name, f"{node.name} ({where})", base, above)
        _Body(node, made, self._plain).read()
        return made

    def _plain(self, node: ast.expr) -> Any:
        """What an expression is worth: plain data, or UNKNOWN, which the items of a list may be, too."""
        if isinstance(node, ast.List | ast.Tuple) and not any(isinstance(each, ast.Starred) for each in node.elts):
            return [UNKNOWN if isinstance(item := self._plain(each), list) else item for each in node.elts]
        if isinstance(node, ast.Name):
            values = self.constants.get(node.id, [])
            if len(values) != 1 or values[0] is None or isinstance(values[0], ast.Name):
                return UNKNOWN
            return self._plain(values[0])
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return UNKNOWN
        return value if value is None or isinstance(value, str | int | float | bool) else UNKNOWN


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those of its ``if`` and ``try`` among them."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)
            for handler in getattr(statement, "handlers", ()):
                yield from _statements(handler.body)


class _Body:
    """Reads the body of a class into ``made``."""

    def __init__(self, node: ast.ClassDef, made: Subclass, plain: Callable[[ast.expr], Any]) -> None:
        self.node, self.made, self.plain = node, made, plain
        self.defaults: dict[str, Any] = {}
        self.rebound: set[str] = set()
        self.given: dict[str, ast.expr] = {}  # local names that __init__ gives one value
        self.rest = ""

    def read(self) -> None:
        functions = {
            each.name: each for each in self.node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for name in _BUILDS:
            if name in functions:
                self._doubt(f"{name}() of {self.made.place}")
        init = functions.pop("__init__", None)
        if isinstance(init, ast.FunctionDef):
            self._init(init)
        for name, function in functions.items():
            self._attributes(function, UNKNOWN)
            if function.decorator_list:  # a property
                self.made.forwards[name] = Forwarded(None, UNKNOWN, function.lineno)
        for node in ast.walk(self.node):
            if _sets_any(node):
                self._doubt(f"what {self.made.place} sets by names that it is told")

    def _doubt(self, why: str) -> None:
        self.made.doubt = self.made.doubt or why

    def _init(self, init: ast.FunctionDef) -> None:
        self._parameters(init.args)
        calls = [each for each in ast.walk(init) if _is_init(each)]
        statement = next((each for each in init.body if isinstance(each, ast.Expr) and each.value in calls), None)
        if len(calls) != 1 or statement is None:
            self._doubt(f"{self.made.place}, whose super().__init__() is not one plain statement")
            self.made.rest = True
            return
        call = statement.value
        assert isinstance(call, ast.Call)
        self._local_names(init)
        self._changes(init, call)
        self._hand_on(call)
        self._attributes(init, None, call.end_lineno or call.lineno)

    def _parameters(self, arguments: ast.arguments) -> None:
        named = [*arguments.posonlyargs, *arguments.args][1:]
        self.made.takes = frozenset(each.arg for each in (*named, *arguments.kwonlyargs))
        self.made.order = tuple(each.arg for each in named)
        self.made.rest = False
        for parameter, default in zip(reversed(named), reversed(arguments.defaults), strict=False):
            self.defaults[parameter.arg] = self.plain(default)
        for parameter, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if given is not None:
                self.defaults[parameter.arg] = self.plain(given)
        self.rest = arguments.kwarg.arg if arguments.kwarg is not None else ""

    def _local_names(self, init: ast.FunctionDef) -> None:
        names = (each for each in ast.walk(init) if isinstance(each, ast.Name))
        stored = Counter(each.id for each in names if isinstance(each.ctx, ast.Store))
        self.rebound = set(stored)
        for each in init.body:
            if isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
                name = each.targets[0].id
                if stored[name] == 1 and name not in self.made.takes:
                    self.given[name] = each.value

    def _hand_on(self, call: ast.Call) -> None:
        positional = [each for each in call.args if not isinstance(each, ast.Starred)]
        is_plain = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)
        if len(positional) > (0 if is_plain else 1):  # Operator.__init__(self, ...)
            self._doubt(f"{self.made.place}, which hands on arguments by position")
        for argument in call.keywords:
            if argument.arg is not None:
                self.made.forwards[argument.arg] = self._forwarded(argument.value)
            elif self._is_rest(argument.value):
                self.made.rest = True
            else:
                self._doubt(f"a spread (line {argument.value.lineno}) in {self.made.place}")

    def _forwarded(self, node: ast.expr, depth: int = 0) -> Forwarded:
        found: Forwarded | None = None
        if isinstance(node, ast.Name):
            found = self._forwarded_name(node, depth)
        elif isinstance(node, ast.BoolOp):
            found = self._forwarded_or_default(node, depth)
        elif isinstance(node, ast.Call):
            found = self._taken_of_rest(node)
        elif isinstance(node, ast.Subscript) and self._is_rest(node.value):
            key = _text(node.slice)
            found = Forwarded(key, None, node.lineno) if key is not None else None
        return found or Forwarded(None, self.plain(node), node.lineno)

    def _forwarded_name(self, node: ast.Name, depth: int) -> Forwarded | None:
        if node.id in self.given and depth < _DEEPEST:
            return self._forwarded(self.given[node.id], depth + 1)
        if node.id in self.rebound:
            return Forwarded(None, UNKNOWN, node.lineno)
        if node.id in self.made.takes:
            return Forwarded(node.id, self.defaults.get(node.id), node.lineno)
        return None

    def _forwarded_or_default(self, node: ast.BoolOp, depth: int) -> Forwarded | None:
        """What ``image or IMAGE`` hands on."""
        if not isinstance(node.op, ast.Or) or len(node.values) != 2:
            return None
        first = self._forwarded(node.values[0], depth)
        if first.keyword is None or first.value:
            return None
        return Forwarded(first.keyword, self.plain(node.values[1]), node.lineno)

    def _taken_of_rest(self, call: ast.Call) -> Forwarded | None:
        """What ``kwargs.pop("image", IMAGE)`` hands on."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("pop", "get"):
            return None
        key = _text(call.args[0]) if call.args else None
        if key is None or not self._is_rest(call.func.value):
            return None
        return Forwarded(key, self.plain(call.args[1]) if len(call.args) > 1 else None, call.lineno)

    def _is_rest(self, node: ast.expr) -> bool:
        return bool(self.rest) and isinstance(node, ast.Name) and node.id == self.rest

    def _changes(self, init: ast.FunctionDef, call: ast.Call) -> None:
        """What happens to the arguments that are handed on as a whole."""
        known: set[int] = {id(each.value) for each in call.keywords if each.arg is None}
        plain = set(map(id, init.body))
        for node in ast.walk(init):
            known.update(map(id, self._understood(node, plain, init)))
        for node in ast.walk(init):
            if isinstance(node, ast.Name) and self._is_rest(node) and id(node) not in known:
                self._doubt(f"{self.rest} (line {node.lineno}) in {self.made.place}")

    def _understood(self, node: ast.AST, plain: set[int], init: ast.FunctionDef) -> Iterable[ast.expr]:
        """What a node does to the rest of the arguments is noted; the names of these whose use in it is known."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            return self._set_in_rest(node, id(node) in plain)
        if isinstance(node, ast.Call):
            return self._method(node, init)
        if isinstance(node, ast.Compare) and len(node.comparators) == 1:
            return node.comparators  # "image" in kwargs
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            return (node.value,)
        if isinstance(node, ast.Delete) and id(node) in plain:
            return self._deleted_of_rest(node)
        return ()

    def _keys_of_rest(self, targets: Iterable[ast.expr]) -> Iterator[tuple[str, ast.expr]]:
        """Each key of ``kwargs["image"]`` among the targets, and the name before it."""
        for target in targets:
            if isinstance(target, ast.Subscript) and self._is_rest(target.value):
                key = _text(target.slice)
                if key is not None:
                    yield key, target.value

    def _set_in_rest(self, statement: ast.Assign, is_plain: bool) -> Iterator[ast.expr]:
        for key, name in self._keys_of_rest(statement.targets):
            value = self._forwarded(statement.value) if is_plain else Forwarded(None, UNKNOWN, statement.lineno)
            self._decide(key, value)
            yield name

    def _deleted_of_rest(self, statement: ast.Delete) -> Iterator[ast.expr]:
        for key, name in self._keys_of_rest(statement.targets):
            self.made.takes |= {key}
            yield name

    def _method(self, call: ast.Call, init: ast.FunctionDef) -> Iterator[ast.expr]:
        function = call.func
        if not isinstance(function, ast.Attribute) or not self._is_rest(function.value) or not call.args:
            return
        key = _text(call.args[0])
        if key is None or function.attr not in ("setdefault", "pop", "get"):
            return
        yield function.value
        if function.attr == "pop":
            self.made.takes |= {key}
        elif function.attr == "setdefault" and len(call.args) > 1:
            is_sure = any(isinstance(each, ast.Expr) and each.value is call for each in init.body)
            self._decide(key, Forwarded(key, self.plain(call.args[1]) if is_sure else UNKNOWN, call.lineno))

    def _decide(self, key: str, one: Forwarded) -> None:
        self.made.forwards[key] = Forwarded(None, UNKNOWN, one.line) if key in self.made.forwards else one

    def _attributes(self, function: ast.FunctionDef | ast.AsyncFunctionDef, value: Any, after: int = 0) -> None:
        """Attributes of the object that are set: the library reads its arguments from there. ``value`` is UNKNOWN
        where the method may run at any time."""
        if not function.args.args:
            return
        itself = function.args.args[0].arg
        plain = set(map(id, function.body))
        for node in ast.walk(function):
            for target in _targets(node):
                if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
                    continue
                if target.value.id != itself or target.lineno <= after:
                    continue
                one = Forwarded(None, UNKNOWN, target.lineno)
                if value is not UNKNOWN and isinstance(node, ast.Assign) and id(node) in plain:
                    one = self._forwarded(node.value)
                self.made.forwards[target.attr] = one


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def _is_init(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"


def _sets_any(node: ast.AST) -> bool:
    """Whether it may set any attribute: ``setattr(self, name, ...)``, ``self.__dict__``."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "vars")


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
