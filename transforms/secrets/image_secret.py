"""K03: an image gives no credentials to whoever may pull it."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.images.config import ImageConfig
from hardener.kubernetes.images.files import ImageFiles
from hardener.tree.core_views import Container

from ._target import listed

_MOST = 5  # names in one message


@transform(
    each=Container, stage="secrets", severity=Severity.HIGH, cis="5.4.1",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def image_secret(container: Container) -> Steps:
    """Remove credentials from the image.

    Problem: a layer or setting of the image holds a credential.

    Result: Nobody who pulls the image reads a credential.

    Why: whoever may pull an image can read its variables, its build arguments and each of its layers, even a file that
    a later layer removes. harden lock reads variables and arguments, and harden lock --deep also the files; the lock
    holds names and no values.

    May break: nothing, since it only reports: build the image again without the credential, and rotate the credential.
    """
    locked = container.in_lock(container.image) if container.image is not None else None
    if locked is None:
        return
    held = "; ".join(_held(locked.config, locked.files))
    if held:
        yield container.finding(
            f"its image holds credentials: {held}",
            "image",
            advice="rotate them; build without them (RUN --mount=type=secret, a .dockerignore for the file), give them "
            "to the container by a Secret, and delete the image from the registry",
            severity=Severity.HIGH,
            once=locked.digest,
            topic="image with credentials",
        )


def _held(config: ImageConfig, files: ImageFiles | None) -> Iterator[str]:
    if config.secret_env:
        yield f"in variables {_first(config.secret_env)}"
    if config.secret_args:
        yield f"in build arguments {_first(config.secret_args)}, which its history shows"
    if files is not None and files.secrets:
        yield f"in files {_first([f'{path} ({what})' for path, what in files.secrets])}"


def _first(names: tuple[str, ...] | list[str]) -> str:
    more = [f"{len(names) - _MOST} more"] if len(names) > _MOST else []
    return listed([*names[:_MOST], *more])
