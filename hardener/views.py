"""What a transform sees: an object, a pod template, a container, a Service, as typed views over plain data.

A view reads by path and makes edits; it never changes data. ``get`` refuses values that a person or a tool fills in
later (``${VAR}``, ``{{ }}``): nothing may be concluded from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from hardener.edits import (
    Append,
    Basis,
    Drop,
    Edit,
    Evidence,
    Finding,
    Grade,
    Path,
    Set,
    Severity,
    WrongShapeError,
    dotted,
)
from hardener.kubernetes import key_order
from hardener.kubernetes.image_reference import ImageReference
from hardener.kubernetes.image_reference import parse as parse_image
from hardener.kubernetes.image_table import ImageRow, lookup

if TYPE_CHECKING:
    from hardener.sources.manifests import Piece
    from hardener.workspace import Workspace

_EXPRESSION = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|^\$[A-Z_][A-Z0-9_]*$")
V = TypeVar("V", bound="View")


class OpaqueError(Exception):
    """A value is an expression that is filled in later. The message names the expression and its path."""

    def __init__(self, expression: str, path: Path) -> None:
        super().__init__(f"{dotted(path)} is {expression}")
        self.path = path


class View:
    """A mapping inside an object: ``data`` is the live mapping, ``path`` where it stands in its piece."""

    __slots__ = ("data", "object", "path")
    type_name: str | None = None

    def __init__(self, object: Object, path: Path, data: dict[str, Any]) -> None:
        self.object = object
        self.path = path
        self.data = data

    # Reading.

    def _find(self, path: Path) -> Any:
        value: Any = self.data
        for position, part in enumerate(path):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part] if part < len(value) else None
            elif value is None:
                return None
            else:
                self._refuse(value, path[:position])
        return value

    def _refuse(self, value: Any, path: Path) -> None:
        found = _EXPRESSION.search(value) if isinstance(value, str) else None
        if found:
            raise OpaqueError(found.group(), (*self.path[1:], *path))
        raise WrongShapeError(dotted((*self.path[1:], *path)))

    def get(self, *path: str | int) -> Any:
        """The scalar at ``path``, None where there is none.

        Raises OpaqueError for an expression, WrongShapeError for a mapping or list or a path through a scalar.
        """
        value = self._find(path)
        if isinstance(value, dict | list) or (isinstance(value, str) and _EXPRESSION.search(value)):
            self._refuse(value, path)
        return value

    def text(self, *path: str | int) -> str | None:
        """The text at ``path`` as written, expressions included; None where there is no text."""
        value = self._find(path)
        return value if isinstance(value, str) else None

    def has(self, *path: str | int) -> bool:
        """Whether there is anything but null at ``path``."""
        return self._find(path) is not None

    def keys(self, *path: str | int) -> tuple[str, ...]:
        """The keys of the mapping at ``path``; none where there is none. Raises WrongShapeError for anything else."""
        value = self._find(path)
        if value is None:
            return ()
        if not isinstance(value, dict):
            self._refuse(value, path)
        return tuple(value)

    def strings(self, *path: str | int) -> tuple[str, ...]:
        """The texts of the list at ``path`` as written. Raises WrongShapeError where there is no list but a value."""
        value = self._find(path)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._refuse(value, path)
        return tuple(str(item) for item in value if isinstance(item, str | int | float))

    def view(self, *path: str | int) -> View:
        """The mapping at ``path`` as a view of its own; an empty one where there is none."""
        value = self._find(path)
        if value is not None and not isinstance(value, dict):
            self._refuse(value, path)
        return self._child(View, path, value or {})

    def items(self, *path: str | int) -> list[View]:
        """The mappings of the list at ``path``. Raises WrongShapeError where there is anything but such a list."""
        return list(self._items(View, path))

    def _items(self, kind: type[V], path: Path) -> Iterator[V]:
        value = self._find(path)
        if value is None:
            return
        if not isinstance(value, list):
            self._refuse(value, path)
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self._refuse(item, (*path, index))
            yield self._child(kind, (*path, index), item)

    def _child(self, kind: type[V], path: Path, data: dict[str, Any]) -> V:
        child = kind(self.object, self.path + path, data)
        return child

    # Changing.

    def set(
        self,
        *path: str | int,
        to: Any,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        late: bool = False,
        impact: str | None = None,
    ) -> Edit:
        """An edit that gives the place ``path`` the value ``to``. ``late``: a failure would show only after a while."""
        self._check(path)
        return Set(
            piece=self.object.piece, path=self.path + path, value=to, grade=grade, basis=basis,
            evidence=tuple(evidence or ()), late=late, impact=impact, type_name=self._type(), typed=len(self.path),
        )  # fmt: skip

    def append(
        self,
        *path: str | int,
        value: Any,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
    ) -> Edit:
        """An edit that adds ``value`` at the end of the list at ``path``, which is made where there is none."""
        self._check(path)
        return Append(
            piece=self.object.piece, path=self.path + path, value=value, grade=grade, basis=basis,
            evidence=tuple(evidence or ()), type_name=self._type(), typed=len(self.path),
        )  # fmt: skip

    def drop(
        self,
        *path: str | int,
        grade: Grade,
        basis: Basis = Basis.ASSUMED,
        evidence: list[Evidence] | None = None,
        impact: str | None = None,
    ) -> Edit:
        """An edit that removes the key or item at ``path``, which must exist."""
        return Drop(
            piece=self.object.piece, path=self.path + path, grade=grade, basis=basis, evidence=tuple(evidence or ()),
            impact=impact,
        )  # fmt: skip

    def finding(self, message: str, *path: str | int, advice: str, severity: Severity = Severity.MEDIUM) -> Finding:
        """A finding about the place ``path``."""
        return Finding(
            message=message, advice=advice, severity=severity, piece=self.object.piece, path=self.path + path
        )

    def fact(self, text: str, *path: str | int) -> Evidence:
        """Evidence that stands at ``path``."""
        return Evidence(text, self.object.piece, self.path + path)

    def _check(self, path: Path) -> None:
        # On or below an expression nothing may be written.
        value: Any = self.data
        for position, part in enumerate(path):
            if isinstance(value, str):
                self._refuse(value, path[:position])
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return
        if isinstance(value, str) and _EXPRESSION.search(value):
            self._refuse(value, path)

    def _type(self) -> str | None:
        if self.type_name is not None:
            return self.type_name
        name: str | None = "Object"
        for part in self.path[len(self.object.path) :]:
            if isinstance(part, str):
                name = key_order.child(name, part)
        return name

    @property
    def tree(self) -> Workspace:
        """The whole tree."""
        return self.object.workspace


class Object(View):
    """A Kubernetes object: a document, or an item of a List."""

    __slots__ = ("__dict__", "piece", "workspace")
    type_name = "Object"

    def __init__(self, workspace: Workspace, piece: Piece, path: Path, data: dict[str, Any]) -> None:
        self.workspace = workspace
        self.piece = piece
        super().__init__(self, path, data)

    @cached_property
    def api_version(self) -> str:
        return str(self.data.get("apiVersion") or "")

    @cached_property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @cached_property
    def kind(self) -> str:
        return str(self.data.get("kind") or "")

    def _metadata(self, key: str) -> Any:
        metadata = self.data.get("metadata")
        return metadata.get(key) if isinstance(metadata, dict) else None

    @cached_property
    def name(self) -> str:
        """The name; the generateName, with a star, of an object without one."""
        name = self._metadata("name")
        if name is None and self._metadata("generateName"):
            return f"{self._metadata('generateName')}*"
        return str(name or "")

    @cached_property
    def namespace(self) -> str | None:
        """The namespace as written; None where the object names none."""
        namespace = self._metadata("namespace")
        return namespace if isinstance(namespace, str) and namespace else None

    @cached_property
    def annotations(self) -> dict[str, str]:
        found = self._metadata("annotations")
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @cached_property
    def classes(self) -> dict[str, str]:
        """Why the object is left alone whole: "owned" or "patch", with the sign; {} for an ordinary object."""
        from hardener.pod_class import classify_object

        return classify_object(self)

    @property
    def editable(self) -> bool:
        return self.piece.file.editable

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class PodTemplate(View):
    """The pod spec of a workload, or of a Pod. Paths start at the pod spec; ``metadata`` is the template's own.

    ``changed_by`` holds the ids of the transforms that changed it in this run.
    """

    __slots__ = ("__dict__", "changed_by", "template_path")
    type_name = "PodSpec"

    def __init__(self, object: Object, template_path: Path, data: dict[str, Any]) -> None:
        self.template_path = template_path
        self.changed_by: set[str] = set()
        super().__init__(object, (*template_path, "spec"), data)

    @cached_property
    def metadata(self) -> View:
        """The metadata of the template (of the object itself for a Pod)."""
        template: Any = self.object.piece.data
        for part in self.template_path:
            template = template[part]
        found = template.get("metadata")
        return View(self.object, (*self.template_path, "metadata"), found if isinstance(found, dict) else {})

    @cached_property
    def labels(self) -> dict[str, str]:
        found = self.metadata.data.get("labels")
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @cached_property
    def classes(self) -> dict[str, str]:
        """What kind of pod this is beside an ordinary one, with the sign it was known by, as read (spec-workloads 3):
        "windows", "node-agent", "static-pod", "owned", "patch", "system-namespace"."""
        from hardener.pod_class import classify

        return classify(self)

    @property
    def kind(self) -> str:
        return self.object.kind

    @property
    def namespace(self) -> str | None:
        return self.object.namespace

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Init containers, then containers. Raises WrongShapeError where they are no list of mappings."""
        found = []
        for key in ("initContainers", "containers"):
            for container in self._items(Container, (key,)):
                container.pod = self
                found.append(container)
        return tuple(found)

    @property
    def service_account(self) -> str:
        """The name of the service account, "default" where none is named."""
        return str(self.get("serviceAccountName") or self.get("serviceAccount") or "default")


class Container(View):
    """A container or init container of a pod template."""

    __slots__ = ("__dict__",)
    type_name = "Container"
    pod: PodTemplate

    @cached_property
    def name(self) -> str:
        return str(self.data.get("name") or "")

    @property
    def init(self) -> bool:
        """Whether it is an init container (sidecars included)."""
        return self.path[-2] == "initContainers"

    @cached_property
    def image(self) -> ImageReference | None:
        """The image reference; None where there is none or it is no legal reference."""
        value = self.data.get("image")
        return parse_image(value) if isinstance(value, str) else None

    @cached_property
    def row(self) -> ImageRow | None:
        """What the image table knows of the image."""
        return lookup(self.image) if self.image else None

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Command, arguments and the commands of hooks and probes, as written."""
        found = [*self._list("command"), *self._list("args")]
        for path in (("lifecycle", "postStart"), ("lifecycle", "preStop")):
            found += self._list(*path, "exec", "command")
        return tuple(found)

    @cached_property
    def probe_words(self) -> tuple[str, ...]:
        """The commands of its exec probes, as written."""
        found: list[str] = []
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            found += self._list(probe, "exec", "command")
        return tuple(found)

    def _list(self, *path: str) -> tuple[str, ...]:
        try:
            return self.strings(*path)
        except (WrongShapeError, OpaqueError):
            return ()

    @cached_property
    def env(self) -> dict[str, str]:
        """Environment variables with a literal value, as written."""
        found = self.data.get("env")
        return {
            str(item.get("name")): str(item.get("value"))
            for item in (found if isinstance(found, list) else [])
            if isinstance(item, dict) and isinstance(item.get("value"), str | int | float)
        }

    def effective(self, key: str) -> Any:
        """The value of a security context field that holds here: the container's, else the pod's."""
        own = self.get("securityContext", key)
        return own if own is not None else self.pod.get("securityContext", key)

    @property
    def privileged(self) -> bool:
        return self.get("securityContext", "privileged") is True

    def __str__(self) -> str:
        return f"{self.pod.object} container {self.name}"


class Service(View):
    """A Service."""

    __slots__ = ()
    type_name = "Object"


class ServiceAccount(View):
    """A ServiceAccount."""

    __slots__ = ()
    type_name = "Object"
