"""Where a server keeps its data: the folder that a PostgreSQL wants to own, and volumes whose files are its own."""

from __future__ import annotations

import posixpath

from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.known_image import known_image
from hardener.facts.images.products import product_row, products
from hardener.facts.objects.volume_claims import OF_ONE_NODE, VolumeClaims
from hardener.kubernetes.components.component import is_data_store
from hardener.kubernetes.pods.command_evidence import below
from hardener.kubernetes.pods.configured_paths import one_run
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container

from ._volumes import Mount

_POSTGRES = late_pattern(r"(^|[-_.])(postgres|postgresql|postgis|timescaledb(-ha)?|pgvector|spilo)([-_.0-9]|$)")
# Their servers refuse files that a group may read or write, which an fsGroup makes of them.
_EXACT_MODES = late_pattern(r"(^|[-_.])(rabbitmq|mongo|mongodb|etcd)([-_.0-9]|$)")
# Of these some do so even with files of their own: a cookie, a folder of members. PostgreSQL's entrypoint sets the mode
# of its folder at each start, and MongoDB looks at key files only.
_EXACT_MODES_OF_ITS_OWN = late_pattern(r"(^|[-_.])(rabbitmq|etcd)([-_.0-9]|$)")
_SECURE_SHELL = late_pattern(r"(^|[-_.])(sshd|openssh(-server)?|sftp)([-_.0-9]|$)")
_PGDATA = "/var/lib/postgresql/data"
# By these the entrypoint takes another number than the one that is known of the image.
_RENUMBERED = frozenset({"PUID", "PGID", "UID", "GID", "USER_ID", "GROUP_ID", "USER_UID", "USER_GID", "NB_UID"})
_DISKS = frozenset(
    {"awsElasticBlockStore", "azureDisk", "cinder", "fc", "gcePersistentDisk", "iscsi", "photonPersistentDisk"}
    | {"portworxVolume", "rbd", "scaleIO", "storageos", "vsphereVolume"}
)  # of one node, so that what is there was written by the pod


def is_database_root(container: Container, path: str) -> bool:
    """Whether ``path`` is where a PostgreSQL keeps its data: it refuses a folder that is not its user's own."""
    if not any(_POSTGRES.search(image.name or "") and is_data_store(image.known_part) for image in products(container)):
        return False
    row = product_row(container)
    default = _PGDATA if row is None or not row.writable or _PGDATA in row.writable else ""
    folder = container.env.get("PGDATA") or _built_with(container, "PGDATA") or default
    return posixpath.normpath(folder) == posixpath.normpath(path)


def _built_with(container: Container, variable: str) -> str | None:
    """The value that a Dockerfile of the tree gives ``variable``; None without one."""
    built = container.tree.ask(BuiltImages).of(container.image) if container.image is not None else None
    said = dict(built.env).get(variable) if built is not None else None
    return said.value if said is not None else None


def refuses_group(container: Container, mount: Mount) -> bool:
    """Whether the server of ``container`` refuses files whose modes an fsGroup has changed."""
    images = products(container)
    if any(_SECURE_SHELL.search(image.name or "") for image in images):
        return True
    names = [image.name or "" for image in images if is_data_store(image.known_part)]
    if not any(_EXACT_MODES.search(name) or _POSTGRES.search(name) for name in names):
        return False
    if not is_its_own(container, mount):
        return True
    has_group = container.pod.has("securityContext", "fsGroup")
    return not has_group and any(map(_EXACT_MODES_OF_ITS_OWN.search, names))


def is_its_own(container: Container, mount: Mount) -> bool:
    """Whether the files of ``mount`` belong to the number that the image's own service runs as: it writes them, and no
    other pod is shown to."""
    known = known_image(container)
    if known.number is None or not known.number.by.of_image or container.effective("runAsUser") not in (None, 0):
        return False
    if not _RENUMBERED.isdisjoint(container.env) or not _is_of_one_node(container, mount):
        return False
    at = one_run(mount.path)
    return any(below(one_run(place), at) or below(at, one_run(place)) for place in known.kept_places)


def _is_of_one_node(container: Container, mount: Mount) -> bool:
    """Whether the volume is one of a node, or nothing shows that pods of other nodes write to it as well."""
    if mount.source in _DISKS:
        return True
    if mount.source != "persistentVolumeClaim":
        return False
    modes = container.tree.ask(VolumeClaims).access_modes(container.pod, mount.view.text("name") or "")
    return modes is None or modes <= OF_ONE_NODE
