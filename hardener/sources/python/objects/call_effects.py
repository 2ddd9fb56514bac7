"""Which calls get an object, and what becomes of it there: a function of the file is followed into its parameter, what
only sends, prints or stores an object leaves it as it is, and any other function may change it.

The names of functions that leave an object alone were read off the programs that packages of Kubernetes and of its
frameworks ship; what only sends does so with a whole object, never with a part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from hardener.sources.python.names import resolve
from hardener.sources.python.names.scan import ADDING, Scan
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.parser import syntax

_BUILTINS = frozenset(
    "all any bool callable delattr dict dir enumerate filter format getattr hasattr hash id isinstance issubclass iter "
    "len list map max min next print range repr reversed set setattr sorted str sum super tuple type vars zip".split()
)
_EACH = frozenset({"filter", "map", "reduce", "starmap"})  # which call a function for the items of the others
# Of what is made of these, the items are those of the argument.
COPIES = frozenset({"enumerate", "iter", "list", "reversed", "sorted", "tuple"})
# Functions and methods that look at what they get, and methods that keep it. `kopf` writes metadata alone.
_LOOKING = re.compile(
    r"_*(?:(?:as|assert|await|build|check|compare|construct|contains|describe|diff|dump|encode|extract|fetch|find|format|from"
    r"|generate|get|has|hash|is|list|load|log|parse|read|render|serialize|show|to|validate|wait|watch|yield)(?:_\w*)?"
    r"|assert[A-Z]\w*|asdict|b64encode|copy|debug|critical|deepcopy|dumps|error|exception|fail|info|log|pformat|pp"
    r"|pprint|print\w*|safe_dump\w*|sanitize_for_serialization|warn|warning|write\w*|echo|secho"
    r"|(?:create|patch|replace)_(?:namespaced|cluster)_\w+|adopt|append_owner_reference|remove_owner_reference|label"
    r"|harmonize_naming|adjust_namespace|partial|cast|replace|evolve|gather|ensure_future|run_until_complete|__class__)"
)
_KEEPING = re.compile(
    r"join|count|index|put_nowait|put|add|appendleft|expand|export|options|override|with_options|__init__|__new__"
)
# Functions and methods that send a whole object somewhere, and methods of a client that do.
_SENDING = re.compile(
    r"_*(?:apply|create|delete|deploy|emit|launch|post|publish|push|register|replace|run|save|send|server_side_apply"
    r"|start|store|submit|upload)|_*(?:create|delete|launch|publish|run|save|send|start|store|submit)_\w+"
)
# What puts the objects that it gets over the first one.
_MERGING = re.compile(r"(?:^|_)(?:reconcile|merge|combine|reduce|overlay|overlaid)(?:_|d?$)")
_CLIENT = re.compile(r"(?:patch|replace|apply)(?:_\w+)?|call_api|request|execute")
# Arguments that clients and frameworks take as they are.
_TAKEN = frozenset(
    "body container_config executor_config op_tags pod_override pod_spec_config pod_template_spec_metadata tags".split()
)
_FRAMEWORKS = ("airflow.", "dagster", "flytekit", "prefect", "pulumi.")  # what they get, they declare


class CallArgument(Struct, frozen=True):
    """An expression that a call gets. ``scope`` is where it is seen from, ``call`` the call; ``parameter`` is the scope
    of a function of the file and its name for the object. ``whole``: only what is no whole object is changed.
    ``is_merged``: it is put over another object, whose fields it replaces; ``is_left``: it itself is not changed."""

    value: syntax.Node
    scope: Scope
    call: syntax.Call
    parameter: tuple[Scope, str] | None = None
    whole: bool = False
    is_merged: bool = False
    is_left: bool = False


def changeable_arguments(scan: Scan) -> Iterator[CallArgument]:
    """What calls get that they may change."""
    declared = _decorators(scan)
    for call, scope in scan.calls:
        if not call.args or call in declared:
            continue
        function, skipped = function_of(call, scope)
        if function is not None:
            yield from _followed(call, scope, function, skipped)
            continue
        arguments = call.args
        if (callback := _callback(call, scope)) is not None:
            position, function = callback
            yield from _called_back(call, scope, position, function)
            arguments = arguments[:position]
        name = resolve.last_name(call.func)
        merged = call.args[1:] if _MERGING.search(name) else ()
        if not name or _leaves(call, scope, name):
            yield from (CallArgument(each.value, scope, call, is_merged=True, is_left=True) for each in merged)
        else:
            whole = bool(_SENDING.fullmatch(name))
            whole = whole or (isinstance(call.func, syntax.Attribute) and bool(_CLIENT.fullmatch(name)))
            for argument in arguments:
                if argument.keyword is None or argument.keyword.value not in _TAKEN:
                    yield CallArgument(argument.value, scope, call, None, whole, argument in merged)


def _callback(call: syntax.Call, scope: Scope) -> tuple[int, Scope] | None:
    """Which argument of a call is a function of the file, and that function: ``pool.submit(fix, pod)``."""
    for position, argument in enumerate(call.args):
        name = argument.value.value if isinstance(argument.value, syntax.Name) else ""
        function = resolve.defined(name, scope) if name and not argument.star else None
        if function is not None and isinstance(function.node, syntax.FunctionDef):
            return position, function
    return None


def _called_back(call: syntax.Call, scope: Scope, position: int, function: Scope) -> Iterator[CallArgument]:
    """What a function gets that stands at ``position`` among the arguments of a call: those behind it, or those of
    ``Thread(target=fix, args=(pod,))``."""
    assert isinstance(function.node, syntax.FunctionDef)
    behind = [each for each in call.args[position + 1 :] if not each.star]
    if resolve.last_name(call.func) in _EACH:
        yield from (CallArgument(each.value, scope, call) for each in behind)
        return
    values = [each.value for each in behind if each.keyword is None]
    for each in behind:
        if each.keyword is not None and each.keyword.value == "args" and isinstance(each.value, syntax.Tuple):
            values += [element.value for element in each.value.elements]
    for value, parameter in zip(values, function.node.params.params, strict=False):
        yield CallArgument(value, scope, call, (function, parameter.name.value))


def _decorators(scan: Scan) -> set[syntax.Node]:
    nodes = [scope.node for scope in scan.scopes if scope.node is not None]
    return {each.decorator for node in nodes for each in node.decorators}


def _leaves(call: syntax.Call, scope: Scope, name: str) -> bool:
    """Whether a call of what the file does not define leaves its arguments as they are."""
    if isinstance(call.func, syntax.Name) and name in _BUILTINS:
        return True
    if _LOOKING.fullmatch(name):
        return True
    if isinstance(call.func, syntax.Attribute) and (name in ADDING or _KEEPING.fullmatch(name)):
        return True
    # A class keeps what it gets, an exception shows it.
    if name.lstrip("_")[:1].isupper() or scope.is_instance(name):
        return True
    if resolve.called(call, scope) is not None or resolve.is_dict_call(call, scope):
        return True
    return any(each.startswith(_FRAMEWORKS) for each in resolve.qualified_names(call.func, scope))


def _followed(call: syntax.Call, scope: Scope, function: Scope, skipped: int) -> Iterator[CallArgument]:
    """The arguments of a call by the parameters of a function of the file."""
    assert isinstance(function.node, syntax.FunctionDef)
    parameters = function.node.params
    positional = [each.name.value for each in (*parameters.posonly_params, *parameters.params)][skipped:]
    by_keyword = {*positional, *(each.name.value for each in parameters.kwonly_params)}
    for position, argument in enumerate(call.args):
        name: str | None = None
        if argument.star:
            continue
        if argument.keyword is not None:
            name = argument.keyword.value if argument.keyword.value in by_keyword else None
        elif position < len(positional) and not any(each.star for each in call.args[:position]):
            name = positional[position]
        if name is not None:
            yield CallArgument(argument.value, scope, call, (function, name))


def function_of(call: syntax.Call, scope: Scope) -> tuple[Scope | None, int]:
    """The function of the file that a call runs, None for any other; and how many of its parameters the call does not
    name: the object of a method."""
    function = call.func
    if isinstance(function, syntax.Name):
        found = scope.own_class() if scope.is_instance(function.value) else resolve.defined(function.value, scope)
        if found is not None and found.kind == "class":
            return _method(found, "__init__"), 1
        return found, 0
    if not isinstance(function, syntax.Attribute):
        return None, 0
    base = function.value
    class_, is_object = _class_of(base, scope)
    method = _method(class_, function.attr.value) if class_ is not None else None
    if method is None:
        return None, 0
    return method, 1 if (method.instance if is_object else _is_of_class(method)) else 0


def _class_of(base: syntax.Node, scope: Scope) -> tuple[Scope | None, bool]:
    """The class of the file that ``base`` is, or is an object of, and whether it is an object: ``self``, a name that
    was given one, and what the methods of one return in a chain of calls."""
    if isinstance(base, syntax.Name):
        if scope.is_instance(base.value):
            return scope.own_class(), True
        found = resolve.defined(base.value, scope)
        if found is not None:
            return (found if found.kind == "class" else None), False
        owner = scope.owner(base.value)
        binding = resolve.single(owner.bindings[base.value])[0] if owner is not None else None
        if binding is None or not isinstance(binding.value, syntax.Call):
            return None, False
        base, scope = binding.value, binding.scope
    while isinstance(base, syntax.Call) and isinstance(base.func, syntax.Attribute):
        base = base.func.value
    if isinstance(base, syntax.Call) and isinstance(base.func, syntax.Name):
        found = resolve.defined(base.func.value, scope)
        return (found if found is not None and found.kind == "class" else None), True
    return None, False


def _method(class_: Scope, name: str) -> Scope | None:
    for each in resolve.classes(class_):
        bindings = each.bindings.get(name, [])
        if bindings:
            inner = bindings[0].inner if len(bindings) == 1 else None
            return inner if inner is not None and inner.kind == "function" else None
    return None


def _is_of_class(method: Scope) -> bool:
    """Whether a method gets the class that it is called on."""
    return isinstance(method.node, syntax.FunctionDef) and any(
        isinstance(each.decorator, syntax.Name) and each.decorator.value == "classmethod"
        for each in method.node.decorators
    )
