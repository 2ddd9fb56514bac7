"""Settings of KubeSpawner in a configuration of JupyterHub: ``c.KubeSpawner.privileged = True``.

Source: make_pod in kubespawner/objects.py. The two settings for whole security contexts win over those for one field;
``extra_container_config`` and ``extra_pod_config`` replace whole fields. A function that gets the settings may set any
of them, unless the call, or the loop around it, says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import KUBESPAWNER
from hardener.sources.python.model import Entry, Home, Mapping, Node, Scalar, Sequence
from hardener.sources.python.names.access_paths import Way, steps
from hardener.sources.python.names.resolve import Key, followed
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import Binding, Change, Scope
from hardener.sources.python.objects import assembled, mutations
from hardener.sources.python.objects.call_effects import changeable_arguments
from hardener.sources.python.objects.expressions import string
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.parser import syntax
from hardener.sources.yaml import TextError

KIND = "KubeSpawner"
_DEEPEST = 5  # names that stand for each other
_CLASSES = ("KubeSpawner", "Spawner")  # the nearest first: a setting of its class wins

# Fields by the settings that they are.
_CONTAINER = {
    "args": "cmd",
    "image": "image",
    "imagePullPolicy": "image_pull_policy",
    "lifecycle": "lifecycle_hooks",
    "volumeMounts": "volume_mounts",
    "workingDir": "working_dir",
}
_POD = {
    "automountServiceAccountToken": "automount_service_account_token",
    "initContainers": "init_containers",
    "nodeSelector": "node_selector",
    "priorityClassName": "priority_class_name",
    "serviceAccountName": "service_account",
    "tolerations": "tolerations",
    "volumes": "volumes",
}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": "allow_privilege_escalation",
    "privileged": "privileged",
    "runAsGroup": "gid",
    "runAsUser": "uid",
}
_POD_SECURITY = {"fsGroup": "fs_gid", "supplementalGroups": "supplemental_gids"}
_RESOURCES = {"requests": ("guarantee", "extra_resource_guarantees"), "limits": ("limit", "extra_resource_limits")}
_LISTS = ("volumes", "volume_mounts", "init_containers", "extra_containers", "tolerations")  # or a dict of items
_MILLI = re.compile(r"(\d+)m")
_CORES = re.compile(r"[0-9]{1,9}")
_BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMGT])")
_QUANTITY = re.compile(r"(\d+)([KMGT])i")


def documents(extractor: Extractor) -> Iterator[Mapping]:
    """The one document of a file with such settings."""
    if b"KubeSpawner" not in extractor.places.source:
        return
    changes, unknown = _settings(extractor)
    own = [change for change in changes if change.path[0][1] == "KubeSpawner" and _is_assignment(change)]
    places = [(change.scope, change.block) for change in own if len(change.path) == 2]
    if not places:
        return
    home = max(dict.fromkeys(places), key=places.count)
    yield _Spawner(extractor, changes, unknown, home).document()


def _settings(extractor: Extractor) -> tuple[list[Change], list[Change]]:
    """The changes of single settings, their paths from the class on; and those of any settings."""
    scan = extractor.scan
    names = _Configs(scan)
    changes, unknown = [], []
    for change, settings in (*_set_by_statements(scan, names), *_set_by_functions(scan, names)):
        if settings is None:
            unknown.append(change)
        for name in settings or ():
            changes.append(replace(change, path=(change.path[0], ("attribute", name), *change.path[2:])))
    return changes, unknown


def _set_by_statements(scan: Scan, names: _Configs) -> Iterator[tuple[Change, Iterable[str | int | None] | None]]:
    """The changes of settings, and the settings that each may set; None for any."""
    for change in mutations.single(scan.changes):
        path = names.path(change.scope, change.name, change.path)
        if path is None or (path and path[0][1] not in (*_CLASSES, None)):
            continue
        owner = change.scope.owner(change.name)
        if change.name != "c" and owner is not None and owner.bindings[change.name][0].value is None:
            change = replace(change, value=None)  # a parameter: it may stand for others, too
        if len(path) > 1 and path[1][0] in ("attribute", "key"):
            yield replace(change, path=path), (path[1][1],)
        elif len(path) == 2:
            yield replace(change, path=path, value=None), names.texts(_name_of(change.node), change.scope)
        else:
            yield change, None


def _set_by_functions(scan: Scan, names: _Configs) -> Iterator[tuple[Change, set[str] | None]]:
    """The calls that get the settings, as changes of those that they name; None for any."""
    for each in changeable_arguments(scan):
        path = names.path(each.scope, *steps(each.value)) if each.parameter is None else None
        if path is None or len(path) > 1 or (path and path[0][1] not in _CLASSES):
            continue
        arguments = [argument.value for argument in each.call.args if argument.value is not each.value]
        settings = names.texts(arguments[0], each.scope) if path and arguments else None
        yield Change(each.scope, "c", path, "handed", each.call), settings


def _is_assignment(change: Change) -> bool:
    return change.how == "set" and change.value is not None and change.holder is None


class _Configs:
    """Which names stand for the configuration, or for the settings of a class: ``c``, what is given a part of it, and
    parameters of functions that get one."""

    def __init__(self, scan: Scan) -> None:
        self._paths: dict[Key, Way] = {}
        self._given: dict[Key, list[tuple[syntax.Node | None, Scope]]] = {}
        self._known: dict[Key, set[str] | None] = {}
        given: list[tuple[syntax.Node, Scope, Key]] = []
        for each in changeable_arguments(scan):
            if each.parameter is not None:
                given.append((each.value, each.scope, each.parameter))
                self._given.setdefault(each.parameter, []).append((each.value, each.scope))
        for scope in scan.scopes:
            for name, bindings in scope.bindings.items():
                if len(bindings) == 1 and bindings[0].value is not None and not bindings[0].each:
                    given.append((bindings[0].value, bindings[0].scope, (scope, name)))
        for _ in range(_DEEPEST):
            known = len(self._paths)
            for value, scope, key in given:
                if key not in self._paths and (path := self.path(scope, *steps(value))) is not None:
                    if len(path) < 2:
                        self._paths[key] = path
            if len(self._paths) == known:
                break

    def path(self, scope: Scope, name: str, path: Way) -> Way | None:
        """The path from the configuration on, None for anything else."""
        owner = scope.owner(name)
        if owner is not None and (owner, name) in self._paths:
            return (*self._paths[owner, name], *path)
        bindings = [] if owner is None or name != "c" else owner.bindings["c"]
        made = all(isinstance(each.value, syntax.Call) for each in bindings)  # c = get_config()
        return path if name == "c" and (made or any(each.reason == "a parameter" for each in bindings)) else None

    def texts(self, node: syntax.Node | None, scope: Scope) -> set[str] | None:
        """The names that an expression may be: a text, or each item of what a loop goes through; None where it may be
        any other."""
        owner = scope.owner(node.value) if isinstance(node, syntax.Name) else None
        if owner is None or not isinstance(node, syntax.Name):
            return self._read(node, scope)
        key = owner, node.value
        if key not in self._known:
            self._known[key] = self._read(node, scope)
        return self._known[key]

    def _read(self, node: syntax.Node | None, scope: Scope) -> set[str] | None:
        found: set[str] = set()
        seen: set[Key] = set()
        waiting = [(node, scope)]
        while waiting:
            node, scope = waiting.pop()
            text = string(node) if node is not None else None
            owner = scope.owner(node.value) if isinstance(node, syntax.Name) else None
            if text is not None and text.isidentifier():
                found.add(text)
            elif owner is None or not isinstance(node, syntax.Name):
                return None
            elif (owner, node.value) not in seen:
                seen.add((owner, node.value))
                for binding in owner.bindings[node.value]:
                    waiting += self._values(binding, (owner, node.value))
        return found

    def _values(self, binding: Binding, key: Key) -> list[tuple[syntax.Node | None, Scope]]:
        if binding.each or binding.items is not None:
            items = _items(binding.items or binding.value, binding.scope, None if binding.each else binding.part)
            return [(item, binding.scope) for item in items]
        return self._given.get(key, [(binding.value, binding.scope)])


def _name_of(node: syntax.Node) -> syntax.Node | None:
    """The expression for the name of the setting that ``setattr`` or a subscript sets."""
    if isinstance(node, syntax.Call) and isinstance(node.func, syntax.Name) and len(node.args) > 1:
        return node.args[1].value
    if isinstance(node, syntax.Subscript) and len(node.slice) == 1 and not isinstance(node.slice[0], syntax.Slice):
        return node.slice[0]
    return None


def _items(values: syntax.Node | None, scope: Scope, part: int | None) -> list[syntax.Node | None]:
    """The items of a list or dict, or one ``part`` of each; a None for what is not known."""
    if values is None:
        return [None]
    if isinstance(values, syntax.Call) and isinstance(values.func, syntax.Attribute):
        if values.func.attr.value == "items":
            values, _ = followed(values.func.value, scope)
            return _keys(values) if isinstance(values, syntax.Dict) and part == 0 else [None]
    values, _ = followed(values, scope)
    if isinstance(values, syntax.Dict):
        return _keys(values)
    if not isinstance(values, syntax.List | syntax.Tuple | syntax.Set):
        return [None]
    items = [each.value if isinstance(each, syntax.Element) else None for each in values.elements]
    return items if part is None else [_element_at(each, part) for each in items]


def _keys(values: syntax.Dict) -> list[syntax.Node | None]:
    return [each.key if isinstance(each, syntax.DictElement) else None for each in values.elements]


def _element_at(node: syntax.Node | None, index: int) -> syntax.Node | None:
    if isinstance(node, syntax.List | syntax.Tuple) and index < len(node.elements):
        return node.elements[index].value
    return None


class _Spawner:
    def __init__(
        self, extractor: Extractor, changes: list[Change], unknown: list[Change], home: tuple[Any, Any]
    ) -> None:
        self.extractor, self.places = extractor, extractor.places
        of_class = {class_: [each for each in changes if each.path[0][1] == class_] for class_ in _CLASSES}
        at_home = (each for each in of_class["KubeSpawner"] if (each.scope, each.block) == home)
        own = [each for each in at_home if _is_assignment(each)]
        first, last = own[0], own[-1]
        start = first.node.start
        self.at = Node(start, self.places.outer_end(last.value or last.node), self.places.line(start))
        self.indent = self.places.before(last.node.start)
        self.context = assembled.context(self.at, KUBESPAWNER)
        self.open = self._open(first.scope) or next(map(self._why, unknown), None)
        self.found: dict[str, Node] = {}
        for class_ in _CLASSES:
            self._read(of_class[class_], unknown, home)

    def _open(self, scope: Scope) -> str | None:
        """Why more may be set than the file shows."""
        for call, _ in reversed(self.extractor.scan.calls):
            if isinstance(call.func, syntax.Name) and call.func.value == "load_subconfig":
                return f"load_subconfig (line {self.places.line(call.start)})"
        owner = scope.owner("c")
        if owner is not None and any(each.reason == "a parameter" for each in owner.bindings["c"]):
            return "what else is set on the parameter c"
        return None

    def _read(self, changes: list[Change], unknown: list[Change], home: tuple[Any, Any]) -> None:
        by_name: dict[str, list[Change]] = {}
        for change in changes:
            by_name.setdefault(str(change.path[1][1]), []).append(change)
        for name, own in by_name.items():
            if name not in self.found:
                self.found[name] = self._value(name, own, home)
                start = own[-1].node.start
                behind = [each for each in unknown if each.node.start > start]
                if behind:
                    why = f"perhaps replaced by {self._why(behind[-1])}"
                    self.found[name] = assembled.unknown(self.found[name], f"c.KubeSpawner.{name}", why).value

    def _why(self, change: Change) -> str:
        line = self.places.line(change.node.start)
        if change.how != "handed":
            return f"a change of all settings (line {line})"
        assert isinstance(change.node, syntax.Call)
        return f"{' '.join(self.places.text(change.node.func).split())}, which gets the settings (line {line})"

    def _value(self, name: str, changes: list[Change], home: tuple[Any, Any]) -> Node:
        last = changes[-1]
        at = last.node.start
        line = self.places.line(at)
        if len(changes) == 1 and last.how == "set" and len(last.path) == 2 and last.value is not None:
            is_sure = (last.scope, last.block) == home or (last.block is None and last.scope.kind == "module")
            if is_sure:
                node = self.extractor.value(last.value, last.scope, _TYPES.get(name, ""), self.context)
                if not (name in _LISTS and isinstance(node, Mapping)):
                    return node
                return assembled.unknown(node, f"c.KubeSpawner.{name}", "a dict of items").value
            why = f"set in a branch (line {line})"
            return assembled.unknown(Node(at, at, line), f"c.KubeSpawner.{name}", why).value
        if last.how == "handed":
            why = f"perhaps set by {self._why(last)}"
        else:
            why = f"set {'by its name' if len(changes) == 1 else 'more than once'} (line {line})"
        return assembled.unknown(Node(at, at, line), f"c.KubeSpawner.{name}", why).value

    def _home(self, name: str, convert: Any = None) -> Home:
        return Home(f"c.KubeSpawner.{name} = ", None, self.at.end, self.indent, convert)

    def document(self) -> Mapping:
        """The document that the settings make: the pod of a notebook."""
        spec = self._holder("PodSpec", _POD)
        if "service_account" not in self.found and "automountServiceAccountToken" not in spec.fields:
            spec.fields["automountServiceAccountToken"] = assembled.implied(self.at, False)
        spec.fields["restartPolicy"] = assembled.implied(self.at, "OnFailure")
        of_pod = self._security("PodSecurityContext", _POD_SECURITY, "pod_security_context")
        if not isinstance(of_pod, Mapping) or of_pod.fields or of_pod.bracket is not None:
            spec.fields["securityContext"] = Entry(of_pod, None)
        else:
            spec.homes["securityContext"] = self._home("pod_security_context")
        containers: list[Node] = [self._container()]
        more = self.found.get("extra_containers")
        why = self._hook()
        if isinstance(more, Sequence):
            containers += more.items
            why = why or more.open
        elif more is not None:
            why = why or f"extra_containers (line {more.line})"
        spec.fields["containers"] = Entry(assembled.sequence(self.at, "Container", containers, why), None)
        self._extra(spec, "extra_pod_config")
        return assembled.document(self.at, KIND, None, spec)

    def _container(self) -> Mapping:
        container = self._holder("Container", _CONTAINER)
        container.fields = {"name": assembled.implied(self.at, "notebook"), **container.fields}
        if "image" not in container.fields:
            default = "the default of this version of KubeSpawner"
            container.fields["image"] = assembled.unknown(self.at, "c.KubeSpawner.image", default)
        container.fields["ports"] = Entry(assembled.sequence(self.at, "ContainerPort", [self._port()]), None)
        if "environment" in self.found:
            container.fields["env"] = Entry(assembled.variables(self.found["environment"]), None)
        container.fields["resources"] = Entry(self._resources(), None)
        of_container = self._security("SecurityContext", _CONTAINER_SECURITY, "container_security_context")
        container.fields["securityContext"] = Entry(of_container, None)
        self._extra(container, "extra_container_config")
        security = container.fields["securityContext"].value
        if isinstance(security, Mapping) and security.open is None:
            home = "left open, since a notebook writes to its home"
            field = assembled.unknown(security, "container_security_context", home)
            security.fields.setdefault("readOnlyRootFilesystem", field)
        return container

    def _hook(self) -> str | None:
        hook = self.found.get("modify_pod_hook")
        is_none = isinstance(hook, Scalar) and hook.value is None
        return None if hook is None or is_none else f"modify_pod_hook (line {hook.line})"

    def _holder(self, type_name: str, settings: dict[str, str]) -> Mapping:
        made = assembled.holder(self.at, type_name, self.context, self.open)
        for field, name in settings.items():
            if name in self.found:
                made.fields[field] = Entry(self.found[name], None)
            else:
                made.homes[field] = self._home(name)
        return made

    def _security(self, type_name: str, settings: dict[str, str], whole: str) -> Node:
        """A security context: the setting for the ``whole`` wins over those for a field."""
        made = self._holder(type_name, settings)
        if type_name == "SecurityContext":
            made.fields.setdefault("allowPrivilegeEscalation", assembled.implied(self.at, False))
            privileged = made.fields.get("privileged")
            if privileged is not None and isinstance(privileged.value, Scalar) and not privileged.value.value:
                del made.fields["privileged"]
        made.homes = {}
        made.unset = {"privileged": False}
        found = self.found.get(whole)
        if isinstance(found, Mapping) and found.form != "call":
            made.fields |= found.fields
            made.start, made.end, made.line = found.start, found.end, found.line
            made.form, made.bracket = found.form, found.bracket
            made.open = made.open or found.open
        elif found is not None:
            return found
        else:
            made.homes[""] = self._home(whole)
        return made

    def _resources(self) -> Mapping:
        made = assembled.holder(self.at, "ResourceRequirements", self.context)
        for field, (end, extra) in _RESOURCES.items():
            made.fields[field] = Entry(self._amounts(end, self.found.get(extra), extra), None)
        return made

    def _amounts(self, end: str, more: Node | None, extra: str) -> Mapping:
        """The requests or limits of the container; ``more`` is what the setting ``extra`` adds to them."""
        part = assembled.holder(self.at, "{Quantity", self.context, self.open)
        for key, name in (("cpu", f"cpu_{end}"), ("memory", f"mem_{end}")):
            node = self.found.get(name)
            if node is None:
                part.homes[key] = self._home(name, _written_cpu if key == "cpu" else _written_memory)
            elif not isinstance(node, Scalar):
                part.fields[key] = Entry(node, None)
            elif node.value is not None:
                value = _read_cpu(node.value) if key == "cpu" else _read_memory(node.value)
                part.fields[key] = Entry(replace(node, value=value, written=False), None)
        if isinstance(more, Mapping):
            part.fields |= {name: Entry(entry.value, None) for name, entry in more.fields.items()}
            part.open = part.open or more.open
        elif more is not None:
            part.open = part.open or f"{extra} (line {more.line})"
        return part

    def _port(self) -> Mapping:
        made = assembled.holder(self.at, "ContainerPort")
        made.fields["name"] = assembled.implied(self.at, "notebook-port")
        port = self.found.get("port")
        made.fields["containerPort"] = Entry(port, None) if port is not None else assembled.implied(self.at, 8888)
        return made

    def _extra(self, made: Mapping, name: str) -> None:
        """What a setting for any field gives ``made``: it replaces what the others say."""
        found = self.found.get(name)
        if isinstance(found, Mapping) and found.form != "call":
            kept = made.fields.get("containers") if name == "extra_pod_config" else None
            made.fields |= {field: Entry(entry.value, entry.item) for field, entry in found.fields.items()}
            if kept is not None:
                made.fields["containers"] = kept
            for field in found.fields:
                made.homes.pop(field, None)
            made.others += [found.bracket] if found.bracket is not None else []
            made.open = made.open or found.open
        elif found is not None:
            _open_all(made, f"{name} (line {found.line})")


def _open_all(made: Mapping, why: str) -> None:
    """Take ``made``, and the mappings in it, for ones that may get more fields."""
    waiting: list[Node] = [made]
    for part in waiting:
        if isinstance(part, Mapping):
            part.open = part.open or why
            waiting += [entry.value for entry in part.fields.values()]


_TYPES = {
    **{name: types.field_type("Container", field) for field, name in _CONTAINER.items()},
    **{name: types.field_type("PodSpec", field) for field, name in _POD.items()},
    "container_security_context": "SecurityContext",
    "environment": "{string",
    "extra_container_config": "Container",
    "extra_containers": "[Container",
    "extra_pod_config": "PodSpec",
    "extra_resource_guarantees": "{Quantity",
    "extra_resource_limits": "{Quantity",
    "pod_security_context": "PodSecurityContext",
}


def _read_cpu(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # whole cores, and not 1000m, which is written as an int
    return f"{round(value * 1000)}m" if isinstance(value, int | float) else value


def _written_cpu(value: Any) -> Any:
    if _CORES.fullmatch(str(value)):
        return float(value)
    found = _MILLI.fullmatch(str(value))
    if found is None:
        raise TextError(f"how {value} is written here is not known")
    milli = int(found[1])
    return milli / 1000 if milli % 1000 else milli // 1000


def _read_memory(value: Any) -> Any:
    found = _BYTES.fullmatch(str(value))  # of 1024
    return f"{found[1]}{found[2]}i" if found else value


def _written_memory(value: Any) -> Any:
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        raise TextError(f"how {value} is written here is not known")
    return found[1] + found[2]
