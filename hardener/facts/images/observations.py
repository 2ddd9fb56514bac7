"""What ``harden observe`` saw of a container, by harden.lock, and how the changes of a pod are called there.

A run shows what a container does as it starts, and which changes it starts under; it shows nothing of what the node,
the network or the cluster makes of a change. An observation is taken for a container that runs the same image, command,
arguments and names of variables as the one that was seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from hardener.authoring.edits import Append, Create, Edit, Insert, Set, WrongShapeError
from hardener.authoring.transform import Transform
from hardener.facts.images.image_overrides import ImageSources
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.kustomize.image import written
from hardener.lock.model import Lock
from hardener.lock.observed import Observation, runs_of
from hardener.sources.open_values import OpenList
from hardener.support.data_path import Path, dotted
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

OF_POD = "pod."
# Where containers stand in a pod, by how many parts of a path lead there.
_CONTAINERS = {2: ("initContainers", "containers"), 1: ("model",)}
# The stages of which a run shows whether a container starts under what they change.
_STAGES = frozenset({"user", "capabilities", "seccomp", "filesystem", "resources", "token"})
# What the kernel and the set-up of a node make of it; where a container is observed they are others.
_OF_NODE = frozenset(
    {"image", "hostUsers", "hostNetwork", "hostPID", "hostIPC", "hostPath", "appArmorProfile", "seLinuxOptions"}
    | {"windowsOptions", "runtimeClassName"}
)
# `${NAME}` and `{{ name }}` in a word that is no script: filled in before it is applied.
_PLACEHOLDER = late_pattern(r"\$\{[^}]*\}|\{\{")


def observation(container: Container) -> Observation | None:
    """What was seen of ``container``: of its image in harden.lock, with the digest that is there and that the manifest
    pins, if it pins one, and of what it runs. None where nothing was, or where kustomizations make several images of
    it."""
    found = observations(container)
    return found[0] if len(found) == 1 else None


class Use(Struct, frozen=True):
    """The most that a container was seen to use: ``amount``, so many seconds after its start, in ``seconds``; ``when``
    for people."""

    amount: int
    at: int | None
    seconds: int
    when: str


def most_used(states: Iterable[Container], resource: str) -> Use | None:
    """The most of ``resource`` ("memory" in bytes, "cpu" in thousandths of a processor) that any of the ``states`` of a
    container was seen to use; None where nobody saw any."""
    runs = [each for state in states for each in observations(state) if each is not None]
    found = [
        Use(run.memory or 0, run.memory_at, run.seconds, seen(run))
        if resource == "memory"
        else Use(run.cpu or 0, run.cpu_at, run.seconds, seen(run))
        for run in runs
    ]
    return max((each for each in found if each.amount), key=lambda each: each.amount, default=None)


def observations(container: Container) -> list[Observation | None]:
    """What was seen of ``container`` for each image that comes out of it, as kustomizations may replace it; [] where
    nothing was seen of anything."""
    lock = container.tree.lock
    if lock is None or not lock.is_observed or container.image is None:
        return []
    told = runs(container)
    return [_seen_of(lock, image, told) for image in _images(container, container.image)]


def _seen_of(lock: Lock, image: ImageReference | None, told: str | None) -> Observation | None:
    locked = lock.find(image) if image is not None and told is not None else None
    if image is None or told is None or locked is None or image.digest not in (None, locked.digest):
        return None  # what the manifest pins may be another image than the lock speaks of
    return lock.seen(locked, told)


def _images(container: Container, image: ImageReference) -> list[ImageReference | None]:
    """The images that come out where ``image`` is written; None for one that is no legal image."""
    if not container.tree.kustomizations:
        return [image]

    sources = container.tree.ask(ImageSources)
    entries = sources.of(container)
    keys = ("newName", "newTag", "tagSuffix", "digest")
    found = [parse_image(written(image.text, {key: entry.text(key) for key in keys})) for entry in entries]
    return [*([image] if not entries or sources.left_as_it_is(container) else []), *found]


def runs(container: Container) -> str | None:
    """What ``container`` runs, as ``runs_of`` has it; None where that is not known: a program or a tool adds to it."""
    try:
        words = container.strings("command"), container.strings("args")
        names = list(_names(container))
    except (OpaqueError, WrongShapeError):
        return None
    if any(_is_open(word) for word in (*words[0], *words[1], *names)):
        return None
    return runs_of(*words, names)


def _names(container: Container) -> Iterator[str]:
    if not container.has("env"):
        return
    if isinstance(container.data["env"], OpenList):
        raise OpaqueError("open", (*container.path[1:], "env"))
    for item in container.items("env"):
        name = item.text("name")
        if name is None:
            raise WrongShapeError(dotted((*item.path[1:], "name")))
        yield name


def _is_open(word: str) -> bool:
    """Whether something else stands in the place of ``word`` in the end; in a script `${NAME}` is for the shell."""
    return not any(map(str.isspace, word)) and _PLACEHOLDER.search(word) is not None


def seen(observation: Observation) -> str:
    """When and with what it was seen, for people: "2026-11-28, podman 5.4.2"."""
    return f"{observation.on}, {observation.engine}"


# What a change is called.


def setting(edit: Edit, container: Container) -> str:
    """What ``edit`` sets, as observations call it: its path in ``container``, or in its pod after "pod.", then "=" and
    the value, "+=" and the item that is added, or "-" where it goes. Values are JSON, with keys in order."""
    pod = container.pod
    own = _is_in(edit.path, container.path)
    path = dotted(edit.path[len(container.path if own else pod.path) :])
    place = path if own else f"{OF_POD}{path}"
    if isinstance(edit, Append | Insert):
        return f"{place}+={_json(edit.value)}"
    return f"{place}={_json(edit.value)}" if isinstance(edit, Set) else f"{place}-"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def concerned(edits: Sequence[Edit], target: Container | PodTemplate) -> list[Container]:
    """The containers of the pod that ``edits``, one step on ``target``, are about: those in which they stand, and all,
    init containers too, where one stands in the pod itself; of a volume that is added those that shall mount it."""
    pod = target.pod if isinstance(target, Container) else target
    return [container for container in pod.containers if settings(edits, container)]


def settings(edits: Sequence[Edit], container: Container) -> tuple[str, ...]:
    """What ``edits`` set for ``container``: in it, and in its pod. () where they are about other containers."""
    return tuple(setting(edit, container) for edit in edits if _is_about(edit, container, edits))


def settings_of_pod(edits: Sequence[Edit], pod: PodTemplate) -> tuple[str, ...]:
    """What ``edits`` set for any container of ``pod``, also for one that something adds to it."""
    first = next(iter(pod.containers), None)
    if first is None:
        return ()
    return tuple(
        setting(edit, first) for edit in edits if _holder(edit, pod) is None and not _mounting(edit, pod, edits)
    )


def _is_about(edit: Edit, container: Container, edits: Sequence[Edit]) -> bool:
    holder = _holder(edit, container.pod)
    if holder is None:
        mounting = _mounting(edit, container.pod, edits)
        return not mounting or container.path in mounting
    return holder == container.path


def _holder(edit: Edit, pod: PodTemplate) -> Path | None:
    """The path of the container in which ``edit`` stands; None where it stands in the pod itself."""
    depth = len(pod.path)
    for length in (depth + 2, depth + 1):  # the predictor of KServe is no item of a list
        if len(edit.path) > length and edit.path[depth] in _CONTAINERS[length - depth]:
            return edit.path[:length]
    return None


def _mounting(edit: Edit, pod: PodTemplate, edits: Sequence[Edit]) -> list[Path]:
    """The paths of the containers that shall mount the volume that ``edit`` adds; [] where it adds none."""
    if not isinstance(edit, Append) or edit.path != (*pod.path, "volumes") or not isinstance(edit.value, dict):
        return []
    name = edit.value.get("name")
    return [
        each.path[:-1]
        for each in edits
        if isinstance(each, Append) and each.path[-1] == "volumeMounts" and isinstance(each.value, dict)
        and each.value.get("name") == name
    ]  # fmt: skip


def _is_in(path: Path, holder: Path) -> bool:
    return len(path) > len(holder) and path[: len(holder)] == holder


def is_shown_by_a_run(transform: Transform, target: object, edits: Sequence[Edit]) -> bool:
    """Whether a run of the pod shows if it starts under ``edits``, one step of ``transform`` on ``target``: all of them
    stand in the spec of the pod, and are nothing that its node or a registry decides."""
    if transform.stage not in _STAGES or not isinstance(target, Container | PodTemplate):
        return False
    pod = target.pod if isinstance(target, Container) else target
    return not pod.is_fragment and all(_is_shown(edit, pod) for edit in edits)


def is_in_pod(edit: Edit, pod: PodTemplate) -> bool:
    """Whether ``edit`` stands in the spec of ``pod``."""
    return not isinstance(edit, Create) and edit.piece is pod.object.piece and _is_in(edit.path, pod.path)


def _is_shown(edit: Edit, pod: PodTemplate) -> bool:
    if not is_in_pod(edit, pod):
        return False
    return _OF_NODE.isdisjoint(map(str, edit.path[len(pod.path) :]))
