from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.errors import InputError
from hardener.facts.images.container_commands import own_command
from hardener.facts.images.known_image import known_image
from hardener.facts.images.ruby import has_own_temporary_folder, shows_ruby
from hardener.facts.images.what_starts import unknown_start, unknown_word
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes.objects import quantity
from hardener.kubernetes.objects.object_names import LONGEST_LABEL, as_dns_label
from hardener.tree.core_views import Container, PodTemplate

from ._user import runs_as_known_user
from ._writable import FIELD, Needs, needs

NONE = "none"
_SHARED = ("/tmp", "/var/tmp")
_STICKY = 0o1777
_MODE_SINCE = (1, 37)  # alpha: feature gate EmptyDirVolumeMode
_OPTIONS_SINCE = (1, 37)  # alpha: feature gate VolumeBindMountOptions (KEP-5855)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """``size_limit`` of the volumes that are added; ``none`` for none. ``empty_dir_mode``: the clusters have the
    feature gate EmptyDirVolumeMode on (alpha in 1.37), so that a volume at /tmp has mode 01777.
    ``bind_mount_options``: they have VolumeBindMountOptions on (alpha in 1.37), so that new mounts take no device files
    and no setuid programs; nothing is executed in those of a command that was read whole."""

    GROUP: ClassVar[str] = "filesystem"
    size_limit: str = NONE
    empty_dir_mode: bool = False
    bind_mount_options: bool = False

    def __post_init__(self) -> None:
        if self.size_limit != NONE and quantity.parse(self.size_limit) is None:
            raise InputError(f"filesystem.size-limit: {self.size_limit} is no quantity")


@transform(
    each=Container, stage="filesystem", cis="5.7.3", options=Filesystem, classes=("partial",),
    peers=(
        "kube-linter:no-read-only-root-fs", "checkov:CKV_K8S_22", "polaris:notReadOnlyRootFilesystem",
        "kubeaudit:allow-read-only-root-filesystem-false", "kubescape:C-0017",
    ),
)  # fmt: skip
def read_only_root_filesystem(container: Container, options: Filesystem) -> Steps:
    """Set readOnlyRootFilesystem: true.

    Problem: {container} can change the files of its image.

    Result: The files of the image cannot be changed at run time.

    Why: without write access an intruder cannot add tools or web shells, or change binaries; a path that must stay
    writable gets an empty volume.

    May break: a program that writes elsewhere in its image fails there, perhaps only when it first tries; files that
    the image ships below a path that gets a volume are hidden.
    """
    # What a privileged container writes to is the node, and it can remount its root.
    if container.get(*FIELD) is True or container.privileged:
        return
    plan = needs(container)
    sticky = _takes_mode(container, options)
    if not sticky:
        plan.against += _without_sticky_bit(container, plan)
    if not plan.against and unknown_start(container) is None and (opaque := unknown_word(container)) is not None:
        raise opaque  # it may name a folder to write to
    if plan.volumes and container.pod.partial:
        paths = ", ".join(plan.volumes)
        who = "which not every release of its operator takes"
        if container.pod.is_fragment:
            who = "and its pod is made elsewhere"
        text = f"its root file system stays writable: it would need volumes at {paths}, {who}"
        advice = "set readOnlyRootFilesystem if it runs without them"
        yield container.finding(text, advice=advice, severity=Severity.LOW)
        return
    found = _judged(container, plan, options)
    yield container.set(*FIELD, to=True, late=not found.is_safe, **found.words)
    taken = _taken(container.pod)
    for path, reason in plan.volumes.items():
        name = _name(container.name, path, taken)
        taken.add(name)
        mount = {"name": name, "mountPath": path} | _bound(container, options)
        along = found.along(reason, basis=Basis.INFERRED)
        yield container.append("volumeMounts", value=mount, **along.words)
        volume = {"name": name, "emptyDir": _empty_dir(path, options, sticky=sticky)}
        yield container.pod.append("volumes", value=volume, **along.words)


def _bound(container: Container, options: Filesystem) -> dict[str, Any]:
    """What a new mount does not take. Interpreters and Java load libraries that they unpack at /tmp, so that noexec
    stands only where every program of the command is known."""
    if not options.bind_mount_options or container.pod.tree.settings.kubernetes_version < _OPTIONS_SINCE:
        return {}
    noexec = ["noexec"] if known_image(container).command_is_read_whole else []
    return {"bindMountOptions": [*noexec, "nodev", "nosuid"]}


def _empty_dir(path: str, options: Filesystem, *, sticky: bool) -> dict[str, Any]:
    made: dict[str, Any] = {} if options.size_limit == NONE else {"sizeLimit": options.size_limit}
    return made | {"mode": _STICKY} if sticky and path in _SHARED else made


def _takes_mode(container: Container, options: Filesystem) -> bool:
    """Whether a new volume of the pod may have a mode, which no fsGroup overrides."""
    if not options.empty_dir_mode or container.pod.tree.settings.kubernetes_version < _MODE_SINCE:
        return False
    return not container.pod.has("securityContext", "fsGroup")


def _without_sticky_bit(container: Container, plan: Needs) -> list[Evidence]:
    """Why a program refuses the volume at /tmp that it would get: its mode is 0777."""
    if not plan.has_volume("/tmp") or has_own_temporary_folder(container):
        return []
    ruby = shows_ruby(container)
    if ruby is None:
        return []
    text = (
        "Ruby refuses a /tmp that is world-writable without the sticky bit, which an emptyDir is; it takes a folder "
        "below a volume that an init container makes with mode 0700 and TMPDIR names"
    )
    return [ruby, Evidence(text)]


def _judged(container: Container, plan: Needs, options: Filesystem) -> Verdict:
    """Return how sure it is that the container runs with the volumes of ``plan`` and nothing else to write to."""
    shown = [] if plan.against or plan.doubts else plan.proofs[:1] or [_trust(container)]
    by_image, by_program = _is_by_image(container), plan.inert and plan.volumes.keys() <= {"/tmp"}
    is_limited = options.size_limit != NONE
    is_guess = not (plan.inert or _are_places_known(container) or runs_as_known_user(container))
    return verdict(
        against=plan.against,
        known=() if is_guess else shown,
        unknown=[_whose_places(container)] if is_guess else (),
        doubts=plan.doubts,
        sure=not is_limited and (by_image or by_program),
        basis=Basis.PROVED if shown and by_program and not (by_image or is_limited) else Basis.INFERRED,
    )


def _is_by_image(container: Container) -> bool:
    """Whether somebody saw the image itself run with a read-only root, as its command starts it."""
    read_only = known_image(container).read_only
    return read_only is not None and read_only.value and read_only.sure and own_command(container)


def _are_places_known(container: Container) -> bool:
    """Whether somebody tells of all places that the container writes to, however a kustomization patches it."""
    return all(known_image(state).tells_all_places for state in states(container))


def _whose_places(container: Container) -> Evidence:
    """Why a read-only root is a guess: root may write everywhere, and so may a user that nobody knows."""
    known = known_image(container)
    if known.user is None or known.kind_of_user != "root":
        return container.fact("neither the user of its image nor all places that it writes to are known", "image")
    return known.user.fact(container, "its image runs as root, and not all places that it writes to are known")


def _trust(container: Container) -> Evidence:
    read_only = known_image(container).read_only
    if read_only is not None and read_only.value:
        return read_only.fact(container, "it runs with a read-only root and these paths")
    seen = [known_image(state).paths for state in states(container)]
    if seen[0] is not None and all(paths is not None and paths.text for paths in seen):
        return seen[0].fact(container)
    return Evidence("nothing in the manifest writes elsewhere; harden does not know where the image itself writes")


def _taken(pod: PodTemplate) -> set[str]:
    """The names of the pod's volumes, and of the claims that its StatefulSet puts beside them."""
    found = {str(volume.get("name")) for volume in pod.items("volumes")}
    if pod.kind.endswith("StatefulSet"):
        found |= {str(claim.get("metadata", "name")) for claim in pod.object.items("spec", "volumeClaimTemplates")}
    return found


def _name(container: str, path: str, taken: set[str]) -> str:
    # Only a program can say what an expression in a name becomes.
    of = container if "$" in container else as_dns_label(container, len(container))
    name = f"harden-{of}-{as_dns_label(path, len(path))}"
    if len(name) > LONGEST_LABEL:
        name = _shortened(name, path)
    number = 2
    free = name
    while free in taken:
        suffix = f"-{number}"
        free, number = f"{name[: LONGEST_LABEL - len(suffix)].rstrip('-')}{suffix}", number + 1
    return free


def _shortened(name: str, path: str) -> str:
    from hashlib import sha256  # late: hardly a name is too long

    mark = sha256(f"{name} {path}".encode()).hexdigest()[:8]
    return f"{name[: LONGEST_LABEL - 9].rstrip('-')}-{mark}"
