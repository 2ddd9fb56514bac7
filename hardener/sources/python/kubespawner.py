"""Settings of KubeSpawner in a configuration of JupyterHub: ``c.KubeSpawner.privileged = True``.

Source: make_pod in kubespawner/objects.py. The two settings for whole security contexts win over those for one field;
``extra_container_config`` and ``extra_pod_config`` replace whole fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import libcst as cst

from hardener.sources.yaml import TextError

from . import types, virtual
from .dialects import KUBESPAWNER
from .extract import Extractor
from .model import Entry, Home, Mapping, Node, Scalar, Sequence
from .scopes import Change

KIND = "KubeSpawner"
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
_LISTS = ("volumes", "volume_mounts", "init_containers", "extra_containers", "tolerations")  # or a dict of items
_MILLI = re.compile(r"(\d+)m")
_CORES = re.compile(r"[0-9]{1,9}")
_BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMGT])")
_QUANTITY = re.compile(r"(\d+)([KMGT])i")


def documents(extractor: Extractor) -> Iterator[Mapping]:
    """The one document of a file with such settings."""
    changes = [change for change in extractor.scan.changes if _is_setting(change)]
    own = [change for change in changes if change.path[0][1] == "KubeSpawner" and change.how == "set"]
    places = [(change.scope, change.block) for change in own if len(change.path) == 2]
    if not places:
        return
    home = max(dict.fromkeys(places), key=places.count)
    yield _Spawner(extractor, changes, home).document()


def _is_setting(change: Change) -> bool:
    if change.name != "c" or not change.path or change.path[0][0] != "attribute":
        return False
    owner = change.scope.owner("c")
    values = [] if owner is None else owner.bindings["c"]
    made = all(isinstance(each.value, cst.Call) for each in values)  # c = get_config()
    return change.path[0][1] in _CLASSES and (made or any(each.reason == "a parameter" for each in values))


class _Spawner:
    def __init__(self, extractor: Extractor, changes: list[Change], home: tuple[Any, Any]) -> None:
        self.extractor, self.places = extractor, extractor.places
        own = [each for each in changes if (each.scope, each.block) == home and each.path[0][1] == "KubeSpawner"]
        first, last = own[0], own[-1]
        start = self.places.start(first.node)
        self.at = Node(start, self.places.outer_end(last.value or last.node), self.places.line(start))
        self.indent = self.places.before(self.places.start(last.node))
        self.context = virtual.context(self.at, KUBESPAWNER)
        self.open: str | None = None
        self.found: dict[str, Node] = {}
        owner = first.scope.owner("c")
        if owner is not None and any(each.reason == "a parameter" for each in owner.bindings["c"]):
            self.open = "what else is set on the parameter c"
        for call, _ in extractor.scan.calls:
            if isinstance(call.func, cst.Name) and call.func.value == "load_subconfig":
                self.open = f"load_subconfig (line {self.places.line(self.places.start(call))})"
        for class_ in _CLASSES:
            self._read([each for each in changes if each.path[0][1] == class_], home)

    def _read(self, changes: list[Change], home: tuple[Any, Any]) -> None:
        by_name: dict[str, list[Change]] = {}
        for change in changes:
            if len(change.path) < 2 or change.path[1][0] != "attribute":
                line = self.places.line(self.places.start(change.node))
                self.open = self.open or f"a change of all settings (line {line})"
            else:
                by_name.setdefault(str(change.path[1][1]), []).append(change)
        for name, own in by_name.items():
            if name not in self.found:
                self.found[name] = self._value(name, own, home)

    def _value(self, name: str, changes: list[Change], home: tuple[Any, Any]) -> Node:
        last = changes[-1]
        at = self.places.start(last.node)
        line = self.places.line(at)
        if len(changes) == 1 and last.how == "set" and len(last.path) == 2 and last.value is not None:
            is_sure = (last.scope, last.block) == home or (last.block is None and last.scope.kind == "module")
            if is_sure:
                node = self.extractor.value(last.value, last.scope, _TYPES.get(name, ""), self.context)
                if not (name in _LISTS and isinstance(node, Mapping)):
                    return node
                return virtual.unknown(node, f"c.KubeSpawner.{name}", "a dict of items").value
            return virtual.unknown(Node(at, at, line), f"c.KubeSpawner.{name}", f"set in a branch (line {line})").value
        return virtual.unknown(Node(at, at, line), f"c.KubeSpawner.{name}", f"set more than once (line {line})").value

    def _home(self, name: str, convert: Any = None) -> Home:
        return Home(f"c.KubeSpawner.{name} = ", None, self.at.end, self.indent, convert)

    def document(self) -> Mapping:
        container = self._holder("Container", _CONTAINER)
        container.fields = {"name": virtual.implied(self.at, "notebook"), **container.fields}
        if "image" not in container.fields:
            default = "the default of this version of KubeSpawner"
            container.fields["image"] = virtual.unknown(self.at, "c.KubeSpawner.image", default)
        container.fields["ports"] = Entry(virtual.sequence(self.at, "ContainerPort", [self._port()]), None)
        if "environment" in self.found:
            container.fields["env"] = Entry(virtual.variables(self.found["environment"]), None)
        container.fields["resources"] = Entry(self._resources(), None)
        container.fields["securityContext"] = Entry(
            self._security("SecurityContext", _CONTAINER_SECURITY, "container_security_context"), None
        )
        self._extra(container, "extra_container_config")
        security = container.fields["securityContext"].value
        if isinstance(security, Mapping) and security.open is None:
            home = "left open, since a notebook writes to its home"
            field = virtual.unknown(security, "container_security_context", home)
            security.fields.setdefault("readOnlyRootFilesystem", field)
        spec = self._holder("PodSpec", _POD)
        if "service_account" not in self.found and "automountServiceAccountToken" not in spec.fields:
            spec.fields["automountServiceAccountToken"] = virtual.implied(self.at, False)
        spec.fields["restartPolicy"] = virtual.implied(self.at, "OnFailure")
        of_pod = self._security("PodSecurityContext", _POD_SECURITY, "pod_security_context")
        if not isinstance(of_pod, Mapping) or of_pod.fields or of_pod.bracket is not None:
            spec.fields["securityContext"] = Entry(of_pod, None)
        else:
            spec.homes["securityContext"] = self._home("pod_security_context")
        containers: list[Node] = [container]
        more = self.found.get("extra_containers")
        why = self._hook()
        if isinstance(more, Sequence):
            containers += more.items
            why = why or more.open
        elif more is not None:
            why = why or f"extra_containers (line {more.line})"
        spec.fields["containers"] = Entry(virtual.sequence(self.at, "Container", containers, why), None)
        self._extra(spec, "extra_pod_config")
        return virtual.document(self.at, KIND, None, spec)

    def _hook(self) -> str | None:
        hook = self.found.get("modify_pod_hook")
        is_none = isinstance(hook, Scalar) and hook.value is None
        return None if hook is None or is_none else f"modify_pod_hook (line {hook.line})"

    def _holder(self, type_name: str, settings: dict[str, str]) -> Mapping:
        made = virtual.holder(self.at, type_name, self.context, self.open)
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
            made.fields.setdefault("allowPrivilegeEscalation", virtual.implied(self.at, False))
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
        made = virtual.holder(self.at, "ResourceRequirements", self.context)
        for field, end, extra in (
            ("requests", "guarantee", "extra_resource_guarantees"), ("limits", "limit", "extra_resource_limits"),
        ):  # fmt: skip
            part = virtual.holder(self.at, "{Quantity", self.context, self.open)
            for key, name in (("cpu", f"cpu_{end}"), ("memory", f"mem_{end}")):
                node = self.found.get(name)
                if node is None:
                    part.homes[key] = self._home(name, _written_cpu if key == "cpu" else _written_memory)
                elif isinstance(node, Scalar):
                    if node.value is not None:
                        value = _read_cpu(node.value) if key == "cpu" else _read_memory(node.value)
                        part.fields[key] = Entry(replace(node, value=value, written=False), None)
                else:
                    part.fields[key] = Entry(node, None)
            more = self.found.get(extra)
            if isinstance(more, Mapping):
                part.fields |= {name: Entry(entry.value, None) for name, entry in more.fields.items()}
                part.open = part.open or more.open
            elif more is not None:
                part.open = part.open or f"{extra} (line {more.line})"
            made.fields[field] = Entry(part, None)
        return made

    def _port(self) -> Mapping:
        made = virtual.holder(self.at, "ContainerPort")
        made.fields["name"] = virtual.implied(self.at, "notebook-port")
        port = self.found.get("port")
        made.fields["containerPort"] = Entry(port, None) if port is not None else virtual.implied(self.at, 8888)
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
            made.open = made.open or f"{name} (line {found.line})"


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
