"""Operators of Airflow that run a task in a pod: their arguments are settings of that pod and of its one container.

Source: build_pod_request_obj in airflow/providers/cncf/kubernetes/operators/pod.py. Airflow refuses to load a DAG with
an argument that its version of the provider does not have, so those that came late are only written where the file
shows that they are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import KUBE, recognise
from hardener.sources.python.libraries.subclasses import OPERATOR, UNKNOWN, Fixed, Subclass
from hardener.sources.python.model import Entry, Item, Mapping, Node, Scalar
from hardener.sources.python.names.resolve import qualified_names
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects import assembled
from hardener.sources.python.objects.brackets import call_bracket
from hardener.sources.python.objects.expressions import is_none
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.parser import syntax

KIND = "KubernetesPodOperator"
_DECORATOR = re.compile(r"airflow\.(?:decorators|sdk|sdk\.definitions\.decorators)\.task\.kubernetes")
_CURRENT = "providers.cncf.kubernetes.operators.pod"  # a module since 5.3.0 of the provider

# The arguments by the fields that they are.
_METADATA = {"name": "name", "namespace": "namespace", "labels": "labels", "annotations": "annotations"}
_POD = {
    "activeDeadlineSeconds": "active_deadline_seconds",
    "affinity": "affinity",
    "automountServiceAccountToken": "automount_service_account_token",
    "dnsConfig": "dns_config",
    "dnsPolicy": "dnspolicy",
    "hostAliases": "host_aliases",
    "hostNetwork": "hostnetwork",
    "hostname": "hostname",
    "imagePullSecrets": "image_pull_secrets",
    "initContainers": "init_containers",
    "nodeSelector": "node_selector",
    "priorityClassName": "priority_class_name",
    "schedulerName": "schedulername",
    "securityContext": "security_context",
    "serviceAccountName": "service_account_name",
    "subdomain": "subdomain",
    "terminationGracePeriodSeconds": "termination_grace_period",
    "tolerations": "tolerations",
    "volumes": "volumes",
}
_CONTAINER = {
    "args": "arguments",
    "command": "cmds",
    "env": "env_vars",
    "envFrom": "env_from",
    "image": "image",
    "imagePullPolicy": "image_pull_policy",
    "name": "base_container_name",
    "ports": "ports",
    "resources": "container_resources",
    "securityContext": "container_security_context",
    "terminationMessagePolicy": "termination_message_policy",
    "volumeMounts": "volume_mounts",
}
_NAMES = ("name", "task_id")  # what a task is called
_TEMPLATES = ("full_pod_spec", "pod_template_file", "pod_template_dict")  # what the arguments are merged into
# Since which version of the provider there is an argument (its changelog), and what tells that it is there.
_LATE = {
    "automount_service_account_token": ("10.5.0", ()),
    "container_resources": ("5.0.0", (_CURRENT, "sdk")),
    "container_security_context": ("4.4.0", (_CURRENT, "sdk", "decorator")),
}
_DECORATED = ["bash", "-cx", "python /tmp/script.py /tmp/script.in"]  # what @task.kubernetes runs

_Arguments = dict[str, tuple[syntax.Node, Item | None] | Entry | Fixed]


def documents(extractor: Extractor) -> Iterator[Mapping]:
    """A document for each call of such an operator."""
    names = (name.qualified for each in extractor.scan.imports for name in each.names)
    if not extractor.own.any and not any(name.partition(".")[0] == "airflow" for name in names):
        return
    found = list(_operators(extractor))
    if not found:
        return
    paths = {path.removesuffix(".partial") for _, _, path, _ in found}
    absent = _absent(extractor, paths)
    defaults = _defaults(extractor)
    for call, scope, path, own in found:
        yield _Operator(extractor, call, scope, path, own, absent, defaults).document()


def _absent(extractor: Extractor, paths: set[str]) -> dict[str, str]:
    """The late arguments that no call of the file has, and whose presence its operators do not tell; with the versions
    that they came with."""
    keywords = {each.keyword.value for call, _ in extractor.scan.calls for each in call.args if each.keyword}
    late = ((name, version) for name, (version, signs) in _LATE.items() if not paths.intersection(signs))
    return {name: version for name, version in late if name not in keywords}


def _operators(extractor: Extractor) -> Iterator[tuple[syntax.Call, Scope, str, Subclass | None]]:
    """Each call of an operator with what ``_path`` says of it, and the own class that it is of."""
    for call, scope in extractor.scan.calls:
        path = _path(call.func, scope)
        own = None if path else extractor.own(call.func, scope)
        if own is not None and (base := OPERATOR.fullmatch(own.base)) is not None:
            path = base["path"] + (".partial" if _is_partial(call.func) else "")
        if path:
            yield call, scope, path, own


def _is_partial(function: syntax.Node) -> bool:
    return isinstance(function, syntax.Attribute) and function.attr.value == "partial"


def _path(function: syntax.Node, scope: Scope) -> str:
    """The module of an operator, with ".partial" for one whose tasks are mapped; "decorator", or "sdk" for that of
    Airflow 3; "" for what is none."""
    for name in qualified_names(function, scope):
        if found := OPERATOR.fullmatch(name):
            return found["path"] + (found["partial"] or "")
        if _DECORATOR.fullmatch(name):
            return "sdk" if ".sdk." in name else "decorator"
    return ""


def _defaults(extractor: Extractor) -> dict[str, int]:
    """The lines by the arguments that default_args of the file set; by "" that of what may set any."""
    found: dict[str, int] = {}
    for call, scope in extractor.scan.calls:
        for argument in call.args:
            if argument.keyword is None or argument.keyword.value != "default_args":
                continue
            value = extractor.value(argument.value, scope, "", None)
            if isinstance(value, Mapping) and value.form != "call":
                found |= {name: entry.value.line for name, entry in value.fields.items()}
            if not isinstance(value, Mapping) or value.form == "call" or value.open is not None:
                found.setdefault("", extractor.places.line(argument.start))
    return found


class _Operator:
    def __init__(
        self,
        extractor: Extractor,
        call: syntax.Call,
        scope: Scope,
        path: str,
        own: Subclass | None,
        absent: dict[str, str],
        defaults: dict[str, int],
    ) -> None:
        self.extractor, self.scope, self.path, self.own = extractor, scope, path, own
        self.absent, self.defaults = absent, defaults
        start = call.start
        self.at = Node(start, call.end, extractor.places.line(start))
        self.callee = extractor.places.text(call.func)
        self.context = assembled.context(self.at, KUBE, self._client())
        self.bracket, items = call_bracket(call)
        self.arguments: _Arguments = {}
        self.open = f"expand() (line {self.at.line})" if path.endswith(".partial") else None
        for number, (argument, item) in enumerate(zip(call.args, items, strict=True)):
            self._take(number, argument, item)
        if own is not None:
            self._hand_on(own)
        if path.startswith("contrib."):
            self._opened("Airflow 1, whose volumes and resources are objects of its own")
        if "" in defaults:
            self._opened(f"default_args (line {defaults['']})")

    def _take(self, number: int, argument: syntax.Arg, item: Item) -> None:
        line = self.extractor.places.line(item.start)
        is_named = argument.star or argument.keyword
        name = self.own.by_place(number) if self.own is not None and not is_named else None
        if name is not None:
            self.arguments[name] = (argument.value, item)
        elif argument.star == "**":
            self._spread(argument, line)
        elif argument.keyword is None:
            self._opened(f"a positional argument (line {line})")
        else:
            self.arguments[argument.keyword.value] = (argument.value, item)
            if argument.keyword.value in _TEMPLATES and not is_none(argument.value):
                self._opened(f"{argument.keyword.value} (line {line})")

    def _hand_on(self, own: Subclass) -> None:
        self.arguments = own.forwarded(self.arguments)
        if own.doubts:  # it may replace what it was given, too
            unknown = {name: Fixed(UNKNOWN, own.doubts) for name in self.arguments if name not in _NAMES}
            self.arguments |= unknown
            self._opened(own.doubts)

    def _opened(self, why: str) -> None:
        self.open = self.open or why

    def _spread(self, argument: syntax.Arg, line: int) -> None:
        found = self.extractor.value(argument.value, self.scope, "", None)
        if isinstance(found, Mapping) and found.form != "call":
            for name, entry in found.fields.items():
                self.arguments.setdefault(name, Entry(entry.value, None))
            if found.open is None:
                return
        self._opened(f"**{' '.join(self.extractor.places.text(argument.value).split())} (line {line})")

    def _client(self) -> str:
        """How a class of the kubernetes client is called here: "k8s.V1Pod"; "" where none is imported."""
        found = ""
        for each in self.extractor.scan.imports:
            if not each.scope_start <= self.at.start < each.scope_end:
                continue
            if each.is_star and each.module in ("kubernetes.client", "kubernetes.client.models"):
                return "V1Pod"
            for name in each.names:
                if name.qualified in ("kubernetes.client", "kubernetes.client.models"):
                    return f"{name.bound}.V1Pod"
                if name.qualified == "kubernetes" and not each.is_from:
                    found = f"{name.bound}.client.V1Pod"
                elif name.qualified.startswith("kubernetes.client."):
                    known = recognise(name.qualified)
                    found = found or (name.bound if known is not None and known.dialect is KUBE else "")
        return found

    def document(self) -> Mapping:
        metadata = self._holder("ObjectMeta", _METADATA)
        task = self._entry("task_id", "string")
        if "name" not in metadata.fields and task is not None:
            metadata.fields["name"] = Entry(task.value, None)
        container = self._holder("Container", _CONTAINER)
        container.fields = {"name": assembled.implied(self.at, "base"), **container.fields}
        if "env" in container.fields:
            env = container.fields["env"]
            container.fields["env"] = Entry(assembled.variables(env.value), env.item)
        if self.path in ("decorator", "sdk"):
            words = [assembled.implied(self.at, word).value for word in _DECORATED]
            container.fields["command"] = Entry(assembled.sequence(self.at, "string", words), None)
        spec = self._holder("PodSpec", _POD)
        spec.fields["restartPolicy"] = assembled.implied(self.at, "Never")
        spec.fields["containers"] = Entry(assembled.sequence(self.at, "Container", [container], self._sidecar()), None)
        return assembled.document(self.at, KIND, metadata, spec)

    def _sidecar(self) -> str | None:
        entry = self._entry("do_xcom_push", "boolean")
        if entry is None or (isinstance(entry.value, Scalar) and not entry.value.value):
            return None
        return f"do_xcom_push (line {entry.value.line})"

    def _holder(self, type_name: str, arguments: dict[str, str]) -> Mapping:
        """A mapping of a type whose fields are those arguments of the call."""
        made = assembled.holder(self.at, type_name, self.context, self.open)
        made.bracket, made.callee = self.bracket, self.callee
        made.keywords = {field: keyword for field, name in arguments.items() if (keyword := self._keyword(name))}
        for field, argument in arguments.items():
            entry = self._entry(argument, types.field_type(type_name, field))
            if entry is None and self.open is None:
                entry = self._missing(argument)
            if entry is not None:
                made.fields[field] = entry
        return made

    def _entry(self, argument: str, type_name: str) -> Entry | None:
        given = self.arguments.get(argument)
        if isinstance(given, Fixed):
            return assembled.fixed(self.at, argument, given)
        if isinstance(given, tuple):
            return Entry(self.extractor.value(given[0], self.scope, type_name, self.context), given[1])
        return given

    def _keyword(self, argument: str) -> str | None:
        """The keyword argument of the call that is ``argument`` of the operator."""
        return self.own.keyword(argument) if self.own is not None else argument

    def _missing(self, argument: str) -> Entry | None:
        if self._keyword(argument) is None:
            return None  # no call can give it
        if argument in self.defaults:
            return assembled.unknown(self.at, argument, f"set by default_args (line {self.defaults[argument]})")
        if argument == "container_resources" and "resources" in self.arguments:
            return assembled.unknown(self.at, argument, "set by resources")
        if argument not in self.absent:
            return None
        why = f"left to an argument that came with {self.absent[argument]} of the provider"
        return assembled.unknown(self.at, argument, why)
