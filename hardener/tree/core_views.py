"""What a transform visits: an object, a pod template, a container, a Service, as typed views over plain data."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from hardener.authoring.edits import WrongShapeError
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.images.reference import read as read_image
from hardener.kubernetes.images.table import ImageRow, lookup
from hardener.kubernetes.objects.list_items import completed
from hardener.kubernetes.pods.operator_templates import OperatorTemplate
from hardener.kubernetes.pods.operator_templates import containers as places_of_containers
from hardener.kubernetes.pods.pod_template import FRAGMENT
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, joined
from hardener.tree.pod_kind import classify, classify_object
from hardener.tree.view import OpaqueError, View

if TYPE_CHECKING:
    from hardener.lock.model import LockedImage
    from hardener.tree.tree import Tree

__all__ = [
    "Container",
    "KustomizedImage",
    "Namespace",
    "NetworkPolicy",
    "Object",
    "OpaqueError",
    "PersistentVolume",
    "PodTemplate",
    "Secret",
    "Service",
    "ServiceAccount",
    "View",
]
_CONTEXT = ("securityContext",)
_OF_USER = (("runAsUser",), ("runAsGroup",), ("runAsNonRoot",))
# What the context of a container has in place of that of its pod.
_OF_POD_TOO = (*_OF_USER, ("seccompProfile",), ("seLinuxOptions",), ("appArmorProfile",), ("windowsOptions",))
_NO_ENV: dict[str, str] = {}  # of most containers


class Object(View):
    """A Kubernetes object: a document, or an item of a List."""

    __slots__ = ("__dict__", "_tree", "piece")
    type_name = "Object"

    def __init__(self, tree: Tree, piece: Piece, path: Path, data: dict[str, Any]) -> None:
        self._tree = tree
        self.piece = piece
        super().__init__(self, path, data)

    @property
    def tree(self) -> Tree:
        return self._tree

    # Each of these is kept of every object: one that is asked once or twice is not.
    @property
    def api_version(self) -> str:
        return str(self.sent.get("apiVersion") or "")

    @cached_property
    def group(self) -> str:
        return _group(self.api_version)

    @cached_property
    def kind(self) -> str:
        return str(self.sent.get("kind") or "")

    @property
    def sent(self) -> dict[str, Any]:
        """The object as it is sent: an item of a list may leave its API version and kind to the list."""
        sent: dict[str, Any] = self.as_sent(self.data)
        return sent

    def as_sent(self, data: Any) -> Any:
        """``data``, a state of the object, with the API version and kind that the list gives it."""
        implied = self.__dict__.get("implied")
        return data if implied is None else completed(data, implied)

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

    @property
    def written_namespace(self) -> Any:
        """What stands for its namespace, an expression included."""
        return self._metadata("namespace")

    @cached_property
    def namespace(self) -> str | None:
        """The namespace as written; None where the object names none, or a program computes it."""
        namespace = self.written_namespace
        if not isinstance(namespace, str) or not namespace:
            return None
        if ("$" in namespace or "{{" in namespace) and self.piece.source.is_code:
            return None
        return namespace

    @property
    def annotations(self) -> dict[str, str]:
        found = self._metadata("annotations")
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @cached_property
    def classes(self) -> dict[str, str]:
        """Why the object is left alone whole: "owned" or "patch", with the sign; {} for an ordinary object."""
        return classify_object(self)

    @property
    def is_held(self) -> bool:
        """Whether it stands within an object that says when, and as what, it is made."""
        return False

    @property
    def editable(self) -> bool:
        return self.piece.file.editable

    @property
    def folder(self) -> str:
        """Where its file stands."""
        return _folder(self.piece.file.path)

    def place(self, path: Path) -> tuple[Piece, Path]:
        """Where it is written what stands at ``path``."""
        return self.piece, path

    def patched(self, path: Path) -> tuple[Piece, Path] | None:
        """Where a patch says what stands at ``path``; None for an object as it is written."""
        return None

    def __str__(self) -> str:
        if not self.name:  # of a kustomization, of what is no valid object
            return self.kind or os.path.basename(self.piece.file.name)
        return f"{self.kind}/{self.name}"


@lru_cache(maxsize=256)  # thousands of objects are of a few
def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


@lru_cache(maxsize=256)  # the objects of a file come one after the other
def _folder(path: str) -> str:
    return os.path.dirname(path)


class PodTemplate(View):
    """The pod spec of a workload, or of a Pod. Paths start at the pod spec; ``metadata`` is the template's own.

    ``changed_by`` holds the ids of the transforms that changed it in this run. ``partial``: its API takes fields of
    containers, and none of the pod's own or its volumes. ``operator``: what the table of custom resources says of it.
    """

    __slots__ = ("__dict__", "changed_by", "operator", "partial", "template_path")
    type_name = "PodSpec"
    operator: OperatorTemplate | None

    def __init__(
        self, object: Object, template_path: Path, data: dict[str, Any], *, key: str | int = "spec",
        partial: bool = False,
    ) -> None:  # fmt: skip
        self.template_path = template_path
        self.partial = partial
        self.operator = None
        self.changed_by: frozenset[str] = frozenset()
        super().__init__(object, joined(template_path, (key,)), data)

    @cached_property
    def metadata(self) -> View:
        """The metadata of the template (of the object itself for a Pod); an operator has its own for what it makes."""
        if self.operator is not None:
            return View(self.object, joined(self.path, ("metadata",)), {})
        template: Any = self.object.piece.data
        for part in self.template_path:
            template = template[part]
        found = template.get("metadata")
        path = joined(self.template_path, ("metadata",))
        return View(self.object, path, found if isinstance(found, dict) else {})

    @cached_property
    def labels(self) -> dict[str, str]:
        found = self.metadata.data.get("labels")
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @cached_property
    def classes(self) -> dict[str, str]:
        """What kind of pod this is beside an ordinary one, with the sign it was known by, as read:
        "windows", "node-agent", "static-pod", "control-plane", "owned", "patch", "partial".

        ``classes_of`` of ``hardener.facts.objects.system_pods`` says what its namespace adds to them."""
        return classify(self)

    @property
    def kind(self) -> str:
        return self.object.kind

    @property
    def namespace(self) -> str | None:
        return self.object.namespace

    @property
    def is_fragment(self) -> bool:
        """Whether a program or an operator makes it, or a container of it, a part of an object that is not known."""
        return self.operator is not None or self.object.group == FRAGMENT or self.object.is_held

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Init containers, then containers. Raises WrongShapeError where they are no list of mappings."""
        found: list[Container] = []
        if self.operator is not None:
            found = self._operated(self.operator)
        for key in () if self.operator is not None else ("initContainers", "containers"):
            if (written := self._find((key,))) is not None:
                found += self._each(Container, (key,), written)
        if self.partial and self.has("model", "image"):  # of a KServe predictor, a container of another name
            found.append(self._child(Container, ("model",), self.view("model").data))
        for container in found:
            container.pod = self
            container.path = joined(self.path, container.path[len(self.path) :])  # it is kept to the end of a run
        return tuple(found)

    def _check(self, path: Path) -> Any:
        if path[:1] == _CONTEXT and path[1:2] in _OF_USER:
            self.check_replaced(path)  # what the containers may do depends on the user
            for container in self.containers:  # whoever gives one of these, may count on the user of the image
                container.check_replaced(path)
        return super()._check(path)

    def _operated(self, operator: OperatorTemplate) -> list[Container]:
        """The containers that an operator takes from here; one without a name is called as its place."""
        found = []
        for path in places_of_containers(self.data, operator):
            container = self._child(Container, path, self.view(*path).data)
            if not container.name:
                container.__dict__["name"] = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
            found.append(container)
        return found

    def counterpart(self, container: Container) -> Container | None:
        """The container of this state of the pod that is called as ``container`` of another; None without one."""
        same = (each for each in self.containers if each.name == container.name and each.init is container.init)
        return next(same, None)

    def exempt(self, id: str, *path: str) -> list[Container]:
        """The containers where a waiver keeps the transform ``id`` from writing ``path``, while it may in others.

        What a transform decides for the whole pod leaves them out. None where all are exempt: there it decides as ever,
        and the waiver takes what it decides.
        """
        waivers = self.tree.waivers
        if not waivers:
            return []
        found = [container for container in self.containers if waivers.is_exempt(id, container, path)]
        return found if len(found) < len(self.containers) else []

    @property
    def follows_account(self) -> bool:
        """Whether its account decides about its token where the pod says nothing; who makes it may say true for it
        then."""
        piece = self.object.piece
        return not piece.source.sends_defaults(piece)

    @property
    def service_account(self) -> str:
        """The name of the service account, "default" where none is named."""
        return str(self.get("serviceAccountName") or self.get("serviceAccount") or "default")


class Container(View):
    """A container or init container of a pod template.

    ``changed_by`` holds the ids of the transforms that visited it by itself, and changed it in this run.
    """

    __slots__ = ("__dict__", "changed_by", "pod")
    type_name = "Container"
    pod: PodTemplate

    def __init__(self, object: Object, path: Path, data: dict[str, Any]) -> None:
        self.changed_by: frozenset[str] = frozenset()
        super().__init__(object, path, data)

    def _check(self, path: Path) -> Any:
        if path[:1] == _CONTEXT and path[1:2] in _OF_POD_TOO:
            self.pod.check_replaced(path)  # what is given for the pod would count no more
        return super()._check(path)

    # What is kept by more than ten names takes twice the memory, in each container of a tree.

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

    @property
    def image_fault(self) -> str | None:
        """What is wrong with the digest of its image, in words; such an image is no reference."""
        written, image = self.data.get("image"), self.image
        if image is not None and image.text == written:  # with a fault it would be none
            return None
        image = read_image(written)
        return image.fault if image is not None else None

    @cached_property
    def row(self) -> ImageRow | None:
        """What the image table knows of the image, and before it the rows of ``.harden.yaml``."""
        return lookup(self.image, self.tree.settings.images) if self.image else None

    @property
    def locked(self) -> LockedImage | None:
        """Its image in harden.lock; None when it is not there."""
        lock = self.tree.lock
        return lock.find(self.image) if lock is not None and self.image is not None else None

    @property
    def command(self) -> tuple[str, ...]:
        """The command as written; () where it is the image's, or not known."""
        return self._list("command")

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments as written; () where they are the image's, or not known."""
        return self._list("args")

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Command, arguments and the commands of hooks and probes, as written."""
        found = [*self.command, *self.args]
        for hook in ("postStart", "preStop") if self.data.get("lifecycle") is not None else ():
            found += self._list("lifecycle", hook, "exec", "command")
        return tuple(found)

    @cached_property
    def probe_words(self) -> tuple[str, ...]:
        """The commands of its exec probes, as written."""
        found: list[str] = []
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if self.data.get(probe) is not None:
                found += self._list(probe, "exec", "command")
        return tuple(found)

    def _list(self, *path: str) -> tuple[str, ...]:
        if self.data.get(path[0]) is None and type(self.data) is dict:  # as of most
            return ()
        try:
            return self.strings(*path)
        except (WrongShapeError, OpaqueError):
            return ()

    @cached_property
    def env(self) -> dict[str, str]:
        """Environment variables with a literal value, as written."""
        found = self.data.get("env")
        if not isinstance(found, list):
            return _NO_ENV
        return {
            str(item.get("name")): str(item.get("value"))
            for item in found
            if isinstance(item, dict) and isinstance(item.get("value"), (str, int, float))
        }

    @property
    def variables(self) -> dict[str, str | None]:
        """All environment variables by name, with None for a value that stands elsewhere."""
        written = self.data.get("env")
        items = [item for item in written if isinstance(item, dict)] if isinstance(written, list) else []
        return {str(item["name"]): self.env.get(str(item["name"])) for item in items if "name" in item}

    def effective(self, key: str) -> Any:
        """The value of a security context field that holds here: the container's, else the pod's."""
        for view in (self, self.pod):
            if view.data.get("securityContext") is not None or type(view.data) is not dict:
                found = view.get("securityContext", key)
                if found is not None:
                    return found
        return None

    @property
    def privileged(self) -> bool:
        return self.get("securityContext", "privileged") is True

    def __str__(self) -> str:
        return f"{self.pod.object} container {self.name}"


class Service(View):
    """A Service."""

    __slots__ = ()
    KINDS = frozenset({("", "Service")})
    type_name = "Object"


class ServiceAccount(View):
    """A ServiceAccount."""

    __slots__ = ()
    KINDS = frozenset({("", "ServiceAccount")})
    type_name = "ServiceAccount"


class PersistentVolume(View):
    """A PersistentVolume."""

    __slots__ = ()
    KINDS = frozenset({("", "PersistentVolume")})
    type_name = "Object"


class NetworkPolicy(View):
    """A NetworkPolicy."""

    __slots__ = ()
    KINDS = frozenset({("networking.k8s.io", "NetworkPolicy")})
    type_name = "NetworkPolicy"


class Secret(View):
    """A Secret."""

    __slots__ = ()
    KINDS = frozenset({("", "Secret")})
    type_name = "Object"


class Namespace(View):
    """A namespace as the tree shows it: the object that declares it, or the first that names it, with all in it.

    ``name`` is None for objects that name no namespace. ``declared`` tells whether its Namespace object is in the tree;
    paths start at that object. ``names`` are all that its object comes out under, where overlays rename it; ``name``
    is the written one then. ``changed_by`` holds the ids of the transforms that changed it in this run.
    """

    __slots__ = ("changed_by", "declared", "name", "names", "objects", "pods")
    type_name = "Object"

    def __init__(
        self,
        name: str | None,
        declaration: Object | None,
        objects: list[Object],
        pods: list[PodTemplate],
        names: tuple[str | None, ...] = (),
    ) -> None:
        # New objects come to stand beside it, and a program has no place for one.
        first = declaration or next((item for item in objects if not item.piece.source.is_program), objects[0])
        self.name = name
        self.names = names or (name,)
        self.declared = declaration is not None
        self.objects = objects
        self.pods = pods
        self.changed_by: frozenset[str] = frozenset()
        super().__init__(first, first.path, first.data)


class KustomizedImage(View):
    """An entry of `images` of a kustomization: of what is built with it, images called ``name`` come out as it says."""

    __slots__ = ()
    type_name = "KustomizationImage"

    @property
    def name(self) -> str | None:
        return self.text("name")

    @property
    def fault(self) -> str | None:
        """What is wrong with its digest, in words."""
        if not self.has("digest"):
            return None
        image = read_image(f"image@{self.text('digest')}")
        return None if image is None else image.fault

    @property
    def pinned(self) -> bool:
        return self.has("digest") and self.fault is None

    @property
    def folder(self) -> str:
        """Where the kustomization stands."""
        return self.object.folder

    @property
    def file(self) -> str:
        """The name of the kustomization for people."""
        return self.object.piece.file.name
