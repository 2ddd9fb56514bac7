from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.container_commands import every_word
from hardener.kubernetes.components.component import is_data_store, is_machine_learning
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container, View

from ._resources import DEFAULT, Amount, Resources, has_number, parsed, request_of, written
from ._volumes import mounts

_DISK = "ephemeral-storage"


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "system-namespace", "partial"),
    options=Resources,
    after=("resource-requests",),
)
def ephemeral_limit(container: Container, options: Resources) -> Steps:
    """Set a limit for local disk.

    Problem: {container} has no limit for local disk.

    Result: The container gets no more local disk than its limit: for logs, its own files and emptyDir volumes together.

    Why: a full disk takes the node down with every pod on it; with a limit only the pod that filled it is evicted.

    May break: a pod that needs more room for files is evicted and starts again without them, perhaps long after the
    rollout.
    """
    if not container.has("resources", "limits", _DISK):
        decided = list(written(container, "limits", _DISK, _limit(container, options), options))
        yield from decided
        if any(isinstance(item, Edit) for item in decided) and not has_number(container, _DISK):
            # Without a request the API server would take the limit for it and reserve all of it.
            yield from written(container, "requests", _DISK, request_of(_DISK, container, options), options)


def _limit(container: Container, options: Resources) -> Amount:
    sized, unsized = _volumes_on_disk(container)
    known = sum((quantity.parse(volume.get("emptyDir", "sizeLimit")) or 0 for volume in sized), start=parsed("0"))
    request = quantity.parse(container.get("resources", "requests", _DISK)) or parsed("0")
    text = quantity.format_memory(max(parsed(options.ephemeral_limit), 2 * request) + known)
    evidence = [DEFAULT]
    if known:
        evidence.append(Evidence("the sizes of its emptyDir volumes are added"))
    doubt = [
        volume.fact("files in this emptyDir count, too, and it has no sizeLimit", "emptyDir") for volume in unsized
    ]
    repository = container.image.repository if container.image else None
    kept = any(mount.persistent for mount in mounts(container))
    unknown = None
    if not kept and is_data_store(repository):
        unknown = f"{container.name} is a data store on local disk"
    elif not kept and (
        (container.row is not None and container.row.class_ == "model-server")
        or is_machine_learning(every_word(container), repository)
    ):
        unknown = f"{container.name} may load its models to local disk"
    return Amount(text, evidence if known else [], doubt, unknown)


def _volumes_on_disk(container: Container) -> tuple[list[View], list[View]]:
    """The emptyDir volumes that it mounts and that are no memory: those with a size, and those without."""
    volumes = [mount.volume for mount in mounts(container) if mount.source == "emptyDir" and mount.volume is not None]
    volumes = [volume for volume in volumes if volume.text("emptyDir", "medium") != "Memory"]
    sized = [volume for volume in volumes if volume.has("emptyDir", "sizeLimit")]
    return sized, [volume for volume in volumes if not volume.has("emptyDir", "sizeLimit")]
