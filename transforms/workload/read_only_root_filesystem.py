from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any, ClassVar

from hardener.authoring.edits import Basis, Evidence, Grade, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.errors import InputError
from hardener.facts.images.container_commands import Speaker, every_word, spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes import quantity
from hardener.kubernetes.command_evidence import may_mount, writable_paths, writes
from hardener.kubernetes.component import is_data_store
from hardener.kubernetes.validity.violation import as_dns_label
from hardener.support.fast_dataclass import dataclass
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._image_folders import empty, fills_tmp, folders
from ._volumes import mounts

_FIELD = ("securityContext", "readOnlyRootFilesystem")
_LONGEST_NAME = 63  # of a DNS label, which a volume's name is
_OF_PROGRAMS = ("/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/app")  # where an image keeps what it runs with
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """The size limit of the volumes that are added; ``none`` for none."""

    GROUP: ClassVar[str] = "filesystem"
    size_limit: str = NONE

    def __post_init__(self) -> None:
        if self.size_limit != NONE and quantity.parse(self.size_limit) is None:
            raise InputError(f"filesystem.size-limit: {self.size_limit} is no quantity")


@dataclass(slots=True)
class _Plan:
    """Paths that get a volume, with the reason, and facts against a read-only root. ``inert``: no way of running the
    container lets its user write elsewhere anyway, as each of ``proofs`` says."""

    volumes: dict[str, Evidence]
    against: list[Evidence]
    doubts: list[Evidence]
    inert: bool = True
    proofs: list[Evidence] = field(default_factory=list)


@transform(
    each=Container, stage="filesystem", cis="5.7.3", options=Filesystem, classes=("partial",),
    peers=(
        "kube-linter:no-read-only-root-fs", "checkov:CKV_K8S_22", "polaris:notReadOnlyRootFilesystem",
        "kubeaudit:allow-read-only-root-filesystem-false", "kubescape:C-0017",
    ),
)  # fmt: skip
def read_only_root_filesystem(container: Container, options: Filesystem) -> Steps:
    """Code and configuration of the image cannot be changed at run time.

    Why: an intruder who cannot write has to live without tools, web shells and changed binaries; what must stay
    writable gets an empty volume of its own.

    May break: a program that writes elsewhere in its image fails there, perhaps only when it first tries; files that
    the image ships below a path that gets a volume are hidden.
    """
    # What a privileged container writes to is the node, and it can remount its root.
    if container.get(*_FIELD) is True or container.privileged:
        return
    plan = _plan(container)
    if plan.volumes and container.pod.partial:
        paths = ", ".join(plan.volumes)
        who = "which not every release of its operator takes"
        if container.pod.is_fragment:
            who = "and its pod is made elsewhere"
        yield container.finding(
            f"its root stays writable: it would need volumes at {paths}, {who}",
            advice="set readOnlyRootFilesystem if it runs without them", severity=Severity.LOW,
        )  # fmt: skip
        return
    row, basis = container.row, Basis.INFERRED
    if plan.against:
        grade = Grade.BREAKING
    elif row is not None and row.rofs == "ok" and row.verified and not plan.doubts and options.size_limit == NONE:
        grade = Grade.SAFE
    elif plan.inert and not plan.doubts and plan.volumes.keys() <= {"/tmp"} and options.size_limit == NONE:
        grade, basis = Grade.SAFE, Basis.PROVED
    else:
        grade = Grade.REVIEW
    evidence = [*plan.against, *plan.doubts] or plan.proofs[:1] or [_trust(container)]
    yield container.set(*_FIELD, to=True, grade=grade, basis=basis, evidence=evidence, late=grade is not Grade.SAFE)
    taken = _taken(container.pod)
    for path, reason in plan.volumes.items():
        name = _name(container.name, path, taken)
        taken.add(name)
        mount = {"name": name, "mountPath": path}
        yield container.append("volumeMounts", value=mount, grade=grade, basis=Basis.INFERRED, evidence=[reason])
        empty_dir: dict[str, Any] = {} if options.size_limit == NONE else {"sizeLimit": options.size_limit}
        volume = {"name": name, "emptyDir": empty_dir}
        yield container.pod.append("volumes", value=volume, grade=grade, basis=Basis.INFERRED, evidence=[reason])


def _plan(container: Container) -> _Plan:
    plan = _Plan({}, [], [])
    if container.get(*_FIELD) is False:
        plan.doubts.append(container.fact("false is written", *_FIELD))
    _weigh(container, plan)
    for state in states(container)[1:]:
        other = _Plan(dict(plan.volumes), [], [])
        try:
            if state.get(*_FIELD) is not False and not state.privileged:
                _weigh(state, other)
        except (OpaqueError, WrongShapeError):
            plan.inert = False
            continue
        plan.inert = plan.inert and other.inert
        for path, reason in other.volumes.items():
            _place(container, plan, path, reason)
        for known, found in ((plan.against, other.against), (plan.doubts, other.doubts)):
            known += (fact for fact in found if fact.text not in {each.text for each in known})
    return plan


def _weigh(container: Container, plan: _Plan) -> None:
    """What the container, as it is written or as a kustomization patches it, asks of the plan."""
    row = container.row
    if row is not None and row.rofs == "no":
        plan.against.append(container.fact("image table: it does not run with a read-only root", "image"))
    if (
        row is None
        and not known_image(container).volumes
        and container.image is not None
        and is_data_store(container.image.repository)
    ):
        if not any(mount.writable for mount in mounts(container)):
            plan.against.append(container.fact("a data store without a volume writes to its image", "image"))
    if row is not None and row.match == "nginx" and _is_mounted(container, "/etc/nginx/templates"):
        plan.against.append(container.fact("its entrypoint writes /etc/nginx/conf.d from the templates mounted"))
    if row is None or row.tmp != "no":
        _place(container, plan, "/tmp", Evidence("/tmp is where programs put temporary files"))
    if "/tmp" in plan.volumes and fills_tmp(container):
        _hidden(container, plan)
    for path in row.writable if row is not None else ():
        _place(container, plan, path, container.fact(f"image table: it writes to {path}", "image"))
    for path in _volumes(container):
        _declared(container, plan, path)
    _of_image(container, plan)
    _told(container, plan)
    _commands(container, plan)


def _of_image(container: Container, plan: _Plan) -> None:
    """What the files of the image show: folders made for its user to write to, and where else that user may write."""
    row, found = container.row, folders(container)
    # Who tried a read-only root knows more.
    if found is None or (row is not None and (row.writable or row.rofs == "ok")):
        plan.inert = False
        return
    for path in found.made:
        reason = container.fact(f"harden.lock: its image has the empty folder {path} for its user", "image")
        _place(container, plan, path, reason)
    files = known_image(container).files
    if files is not None and files.writer is not None and "run-as-user" in container.pod.changed_by:
        plan.inert = False  # whether it works as this user is not proved
    plan.doubts += found.doubts(container, lambda path: _is_mounted(container, path))
    user = container.effective("runAsUser") or known_image(container).uid
    plan.proofs.append(container.fact(f"harden.lock: user {user} may write nowhere else in its image", "image"))


def _hidden(container: Container, plan: _Plan) -> None:
    named = [word for word in every_word(container) if word.startswith("/tmp/")]
    if named:
        text = f"harden.lock: its image has files in /tmp, which a volume hides, and it is told to use {named[0]}"
        plan.against.append(container.fact(text, "image"))
    else:
        plan.doubts.append(container.fact("harden.lock: files that its image has in /tmp are hidden", "image"))


def _volumes(container: Container) -> tuple[str, ...]:
    """The VOLUMEs of the image, where the image table does not know better what it writes to."""
    row = container.row
    return known_image(container).volumes if row is None or not row.writable else ()


def _declared(container: Container, plan: _Plan, path: str) -> None:
    """A VOLUME of the image: some runtimes leave it read-only, others put a copy of the image's files there."""
    if any(_one_run(path) == _one_run(other) for other in plan.volumes) or _is_mounted(container, path):
        return
    if any(_below(path, root) for root in _OF_PROGRAMS) and path not in empty(container):
        text = f"its volume {path} may hold what it runs with, so nothing is mounted; some runtimes leave it read-only"
        plan.doubts.append(container.fact(text, "image"))
        return
    _place(container, plan, path, container.fact(f"harden.lock: its image declares the volume {path}", "image"))
    if path not in empty(container):
        plan.doubts.append(container.fact(f"files that the image ships in its volume {path} are hidden", "image"))


def _told(container: Container, plan: _Plan) -> None:
    """Paths that env and flags name. A home directory is no sign that something is written there."""
    env = container.env
    surely = {path for path, _ in _paths(container, {k: v for k, v in env.items() if k.upper() != "HOME"})}
    for path, speaker in _paths(container, env):
        if _is_writable(container, plan, path):
            continue
        if _may_mount(container, path):
            _place(container, plan, path, speaker.says(f"is told to use {path}"))
        elif path in surely:
            plan.against.append(speaker.says(f"is told to write to {path}, where the image may hold files"))
        else:
            plan.doubts.append(container.fact(f"its home is {path}, which becomes read-only"))


def _paths(container: Container, env: dict[str, str]) -> Iterator[tuple[str, Speaker]]:
    return spoken(container, lambda words: writable_paths(words, env))


def _commands(container: Container, plan: _Plan) -> None:
    """Paths that its commands write to."""
    for path, speaker in spoken(container, _written):
        if path is None:
            plan.against.append(speaker.says("installs packages when it starts"))
            continue
        if _is_writable(container, plan, path):
            continue
        root = _root_of(container, path)
        if root is None:
            plan.against.append(speaker.says(f"writes to {path}, where the image may hold files"))
        else:
            _place(container, plan, root, speaker.says(f"writes to {path}"))


def _written(words: tuple[str, ...]) -> list[str | None]:
    """The paths that ``words`` write to; None among them for places that nobody can name."""
    found = writes(words)
    return [*([None] if found.unplaced else []), *found.paths]


def _is_writable(container: Container, plan: _Plan, path: str) -> bool:
    """Whether ``path`` lies in a volume of the pod, or in one that the plan makes of a VOLUME of the image."""
    planned = (volume for volume in _volumes(container) if volume in plan.volumes)
    return _is_mounted(container, path) or any(_below(path, volume) for volume in planned)


def _root_of(container: Container, path: str) -> str | None:
    """The directory that makes ``path`` writable: a command may name a file, or make the directory itself."""
    known = (*(container.row.writable + container.row.empty if container.row is not None else ()), *empty(container))
    for root in ("/tmp", "/var/tmp", *known):
        if _below(path, root):
            return root
    cache = re.match(r"/var/cache/[^/]+", path)
    return cache.group() if cache else None


def _place(container: Container, plan: _Plan, path: str, reason: Evidence) -> None:
    if not _is_mounted(container, path) and not any(_one_run(path) == _one_run(other) for other in plan.volumes):
        plan.volumes[path] = reason


def _may_mount(container: Container, path: str) -> bool:
    row = container.row
    return may_mount(path, (), (*(row.writable + row.empty if row is not None else ()), *empty(container)))


def _is_mounted(container: Container, path: str) -> bool:
    """Whether ``path`` lies in a volume: a read-only root changes nothing there, be it writable or not."""
    mounts = [mount.get("mountPath") for mount in container.items("volumeMounts")]
    mounts += [device.get("devicePath") for device in container.items("volumeDevices")]
    return any(isinstance(mount, str) and mount != "/" and _below(path, mount) for mount in mounts)


def _below(path: str, root: str) -> bool:
    path, root = _one_run(path), _one_run(root).rstrip("/")
    return path == root or path.startswith(f"{root}/")


def _one_run(path: str) -> str:
    # /var/run is a link to /run in nearly every image.
    return path.removeprefix("/var") if path == "/var/run" or path.startswith("/var/run/") else path


def _trust(container: Container) -> Evidence:
    if container.row is not None and container.row.rofs == "ok":
        return container.fact("image table: it runs with a read-only root and these paths", "image")
    return Evidence("nothing in the manifest writes elsewhere; what the image itself writes is not known")


def _taken(pod: PodTemplate) -> set[str]:
    """The names of the pod's volumes, and of the claims that its StatefulSet puts beside them."""
    found = {str(volume.get("name")) for volume in pod.items("volumes")}
    if pod.kind.endswith("StatefulSet"):
        found |= {str(claim.get("metadata", "name")) for claim in pod.object.items("spec", "volumeClaimTemplates")}
    return found


def _name(container: str, path: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
    name = f"harden-{as_dns_label(container)}-{slug}"
    if len(name) > _LONGEST_NAME:
        name = _shortened(name, path)
    number = 2
    free = name
    while free in taken:
        suffix = f"-{number}"
        free, number = f"{name[: _LONGEST_NAME - len(suffix)].rstrip('-')}{suffix}", number + 1
    return free


def _shortened(name: str, path: str) -> str:
    from hashlib import sha256  # late: hardly a name is too long

    mark = sha256(f"{name} {path}".encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{mark}"
