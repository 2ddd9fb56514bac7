"""Containers for which no limit can be made up: what they take is decided by data, by a model or by the machine."""

from collections.abc import Iterator

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.container_commands import every_word
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes.components.component import is_data_store, is_jvm, is_machine_learning
from hardener.tree.core_views import Container, OpaqueError

from . import _memory
from ._volumes import mounts

_LEARNING_GROUPS = frozenset({"kubeflow.org", "ray.io"})
_KSERVE = "serving.kserve.io"
# Of an NVIDIA, AMD or Intel device, where no resource asks for it; these values show none.
_VISIBLE = "_VISIBLE_DEVICES"
_NO_DEVICE = frozenset({"", "none", "void", "-1"})


def unsized(container: Container, resource: str, *, requested: bool) -> str | None:
    """Return why no limit of ``resource`` ("cpu" or "memory") fits ``container`` without somebody who measures; None
    where one does. ``requested``: whether its author wrote a request."""
    device = next(_devices(container), None)
    if device is not None:
        return f"container {container.name} works with {device}"
    image, words = container.image, every_word(container)
    repository = image.known_part if image else None
    if (learning := _learning(container, repository)) is not None:
        return f"{repository or container.name} {learning}"
    if _memory.heap_limit(container)[1]:
        return None
    if is_data_store(repository) or _class(container) == "data-store":
        return f"{image.name if image else container.name} is a data store"
    if _memory.row_need(container)[1]:
        return None
    if is_jvm((*words, *container.env.values()), repository):
        return f"a Java virtual machine sizes its {'heap' if resource == 'memory' else 'threads'} by the limit"
    if resource == "memory" and not requested and _keeps_data(container):
        return "a StatefulSet that keeps data in a claim"
    return None


def _learning(container: Container, repository: str | None) -> str | None:
    """What is computed where a model, or whoever writes a notebook, decides how much it takes."""
    class_ = _class(container)
    if class_ == "notebook":
        return "computes what its users write"
    if class_ == "model-server" or is_machine_learning(every_word(container), repository) or _is_of_learning(container):
        return "computes with a model or for one"
    return None


def _class(container: Container) -> str | None:
    return container.row.class_ if container.row is not None else None


def _keeps_data(container: Container) -> bool:
    claims = (mount.source == "persistentVolumeClaim" for mount in mounts(container))
    return container.pod.kind == "StatefulSet" and any(claims)


def _is_of_learning(container: Container) -> bool:
    """Whether it is the worker of an API for models: of training, of a cluster of Ray, the predictor of KServe."""
    group = container.object.group
    return not container.init and (group in _LEARNING_GROUPS or (group == _KSERVE and "predictor" in container.path))


def _devices(container: Container) -> Iterator[str]:
    """The devices that it is given, where it is written or where a kustomization patches it.

    Source: kubernetes.io/docs/concepts/configuration/manage-resources-containers, extended resources (every name with
    a domain other than kubernetes.io), and resource claims.
    """
    for state in states(container):
        try:
            if state.has("resources"):
                yield from _asked_for(state)
        except (OpaqueError, WrongShapeError):
            continue
        for name, value in state.env.items():
            if name.endswith(_VISIBLE) and value.strip().lower() not in _NO_DEVICE:
                yield f"the devices of {name}"


def _asked_for(state: Container) -> Iterator[str]:
    for kind in ("limits", "requests"):
        for name in state.keys("resources", kind):
            domain, slash, _ = str(name).partition("/")
            if slash and domain != "kubernetes.io" and not domain.endswith(".kubernetes.io"):
                yield str(name)
    for claim in state.items("resources", "claims"):
        yield f"the resource claim {claim.text('name')}"
