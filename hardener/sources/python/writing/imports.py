"""How a class is called beside another one of the same library, and the names that have to be imported for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import CDK8S, KUBE, LIGHTKUBE, PULUMI, recognise, two_step
from hardener.sources.python.model import Mapping
from hardener.sources.python.names.scopes import Imported
from hardener.sources.python.writing.layout import Layout
from hardener.sources.yaml import TextError

_CLIENT = "k8s"  # what everyone calls it in a DAG
WRAPPERS = ("Quantity", "IntOrString")  # classes of cdk8s for plain values


class Names:
    """The classes that a file may call. ``imports`` are its import statements, ``meant`` tells which full name of a
    library one below a module of the tree stands for."""

    def __init__(self, imports: Iterable[Imported], meant: Callable[[str], str] = str) -> None:
        self.imports, self._meant = list(imports), meant
        self._inner_first = sorted(self.imports, key=lambda each: -each.scope_start)
        self._added: dict[int, list[str]] = {}  # names for the statement at an offset
        self._statements: dict[int, dict[str, list[str]]] = {}  # new ones behind it: names by module

    def callee(self, beside: Mapping, type_name: str) -> str:
        """What to call for an object of the type in the dialect of the constructor ``beside``. Raises TextError where
        no class is known."""
        assert beside.dialect is not None
        name = beside.dialect.class_name(type_name)
        if not beside.callee:
            return f"{self._client(beside)}.{name}"
        visible = list(self._visible(beside.start))
        module = beside.callee.rpartition(".")[0]
        if beside.dialect is KUBE and module and not _is_bound(module.partition(".")[0], visible):
            return f"{module}.{name}"  # k8s = kubernetes.client: all classes stand there
        own, statement, base = self._own(beside)
        wanted = f"{_module(beside, own, type_name, name)}.{name}"
        is_wrapper = beside.dialect is CDK8S and type_name in WRAPPERS
        known = recognise(wanted)
        if not is_wrapper and (known is None or known.type_name != type_name):
            raise TextError(f"no class is known for {type_name}", beside.line)
        # What a branch imports, or only a type checker does, may not be there.
        sure = [each for each in visible if each is statement or each.scope_start or not each.indent]
        return self._seen(wanted, base, sure) or self._imported(beside, wanted, statement, sure)

    def _seen(self, wanted: str, base: str, visible: list[Imported]) -> str | None:
        """The class ``wanted`` by a name that is imported, or below a module that is, ``base`` before others."""
        bounds = [each for statement in visible for each in _bound(statement)]
        alone = next((bound for bound, full in bounds if full == wanted), None)
        if alone is not None or not base:
            return alone
        name = wanted.rpartition(".")[2]
        if any(bound == base and self._meant(f"{full}.{name}") == wanted for bound, full in bounds):
            return f"{base}.{name}"
        modules = [(bound, full) for bound, full in bounds if wanted.startswith(full + ".")]
        if not modules:
            return None
        bound, full = min(modules, key=lambda pair: (pair[0] != base, -len(pair[1])))
        return bound + wanted[len(full) :]

    def _client(self, beside: Mapping) -> str:
        """The name of the kubernetes client, imported behind the last import of the module before ``beside``."""
        before = [each for each in self.imports if each.start < beside.start and not each.indent]
        if not before or any(bound == _CLIENT for each in self.imports for bound, _ in _bound(each)):
            raise TextError("the kubernetes client is not imported", beside.line)
        own = max(before, key=lambda each: each.start)
        names = self._statements.setdefault(own.start, {}).setdefault("kubernetes.client", [])
        if not names:
            names.append(f"models as {_CLIENT}")
        return _CLIENT

    def _own(self, beside: Mapping) -> tuple[str, Imported, str]:
        """The full name of the constructor ``beside``, the statement that imports it, and the name of the module before
        it, "" where it stands alone."""
        base, _, rest = beside.callee.partition(".")
        for each in self._visible(beside.start):
            for bound, full in _bound(each):
                whole = self._meant(f"{full}.{rest}") if rest else full
                if bound == base and recognise(whole):
                    return whole, each, base if rest else ""
            if each.is_star and recognise(f"{each.module}.{beside.callee}".lstrip(".")):
                return f"{each.module}.{beside.callee}".lstrip("."), each, ""
        return self._aliased(beside)

    def _aliased(self, beside: Mapping) -> tuple[str, Imported, str]:
        """The same for a callee that was assigned: ``Box = client.V1Container``."""
        assert beside.dialect is not None
        name = beside.dialect.class_name(beside.type_name)
        for each in self._visible(beside.start):
            for bound, full in _bound(each):
                for whole in (full, f"{_module(beside, f'{full}.{name}', beside.type_name, name)}.{name}"):
                    known = recognise(whole)
                    if known and known.type_name == beside.type_name and (whole + ".").startswith(full + "."):
                        return whole, each, bound if whole != full else ""
        raise TextError(f"where {beside.callee} is imported is not known", beside.line)

    def _visible(self, position: int) -> Iterator[Imported]:
        """The statements whose names are seen at ``position``, those of the nearest scope first."""
        for each in self._inner_first:
            if each.scope_start <= position < each.scope_end:
                yield each

    def _imported(self, beside: Mapping, wanted: str, own: Imported, visible: list[Imported]) -> str:
        """The bare name of the class ``wanted``, imported where its siblings are."""
        module, _, name = wanted.rpartition(".")
        same = [each for each in visible if each.is_from and each.module.lstrip(".") == module]
        if any(each.is_star for each in same):
            return name
        if same:
            statement = own if own in same else same[0]
            names = self._added.setdefault(statement.start, [])
        elif own.indent.strip() or own.module.startswith("."):
            raise TextError(f"{name} is not imported", beside.line)
        else:
            names = self._statements.setdefault(own.start, {}).setdefault(module, [])
        if name not in names:
            names.append(name)
        return name

    def write(self, layout: Layout) -> None:
        """Record what has to be imported."""
        for each in self.imports:
            placed = _placed([name.name for name in each.names], self._added.get(each.start, []))
            if placed and each.bracket is not None:
                edited = layout.edit(each.bracket)
                for index, name in placed:
                    edited.add(index, [name])
            elif placed:
                layout.extend([name.item for name in each.names], placed)
            for module, new in self._statements.get(each.start, {}).items():
                names = ", ".join(sorted(new, key=_kind_and_name))
                layout.insert_line(each.end, f"{each.indent}from {module} import {names}")


def _placed(names: list[str], new: list[str]) -> list[tuple[int, str]]:
    """The ``new`` ones, each with the index of the one of ``names`` that it comes behind: where their order puts it, at
    the end where they have none."""
    for order in (_kind_and_name, str.lower, str):
        keys = [order(name) for name in names]
        if keys == sorted(keys):
            return [(bisect_right(keys, order(name)) - 1, name) for name in sorted(new, key=order)]
    return [(len(names) - 1, name) for name in new]


def _kind_and_name(name: str) -> str:
    """What isort and ruff sort names by unless told otherwise: constants, classes, the others, in any case."""
    return f"{0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2}{name.lower()}"


def _bound(statement: Imported) -> Iterator[tuple[str, str]]:
    """The names that a statement binds, each with the full name of what it stands for."""
    return ((each.bound, each.qualified) for each in statement.names)


def _is_bound(name: str, statements: list[Imported]) -> bool:
    return any(bound == name for each in statements for bound, _ in _bound(each))


def _module(beside: Mapping, own: str, type_name: str, name: str) -> str:
    module, _, sibling = own.rpartition(".")
    if beside.dialect is PULUMI:
        return f"pulumi_kubernetes.{types.module(type_name)}"
    if beside.dialect is LIGHTKUBE:
        return f"lightkube.models.{types.module(type_name).replace('.', '_')}"
    if beside.dialect is KUBE and module.rpartition(".")[2] == two_step(sibling):  # one module a class
        return f"{module.rpartition('.')[0]}.{two_step(name)}"
    return module
