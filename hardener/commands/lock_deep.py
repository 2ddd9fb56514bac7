"""``harden lock --deep``: what the layers of images say, put beside what the lock holds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hardener.authoring.config import Config
from hardener.commands.progress import Progress
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.table import lookup
from hardener.lock import registry_session
from hardener.lock import writer as lock_file
from hardener.lock.oci.layers import Layers
from hardener.lock.oci.limits import Limits
from hardener.lock.oci.registry_error import RegistryError

if TYPE_CHECKING:
    from hardener.lock.oci.client import Client

# Fewer than there are connections: what is held of an image while it is read may be some 100 MiB.
_AT_ONCE = 4
# Whom transforms let an image of root run as where the image table knows no one: the number, and the group that a
# number without a line in passwd has.
_NOBODY_ELSE = (NOBODY_ELSE, 0)


def read(
    client: Client, root: str, wanted: Mapping[str, tuple[ImageReference, str]], config: Config, progress: Progress,
    done: Callable[[str, str | RegistryError], object],
) -> None:  # fmt: skip
    """Read the layers of the images that are ``wanted``, by their name in the lock with their digest, and save what
    they say to the lock in ``root``, now and then and whatever ends the run. ``done`` hears of each image what was
    found, in one line, or what failed."""
    layers = Layers(client, Limits(**config.deep), progress.tell)
    progress.begin("reading layers", len(wanted))

    def ask(key: str) -> dict[str, Any]:
        reference, digest = wanted[key]
        row = lookup(reference, config.images)
        writer = (row.uid, row.gid or 0) if row is not None and row.uid is not None else _NOBODY_ELSE
        return layers.facts(str(reference.normalized), digest, writer)

    with registry_session.Unsaved[tuple[str, dict[str, Any]]](
        lambda entries: lock_file.save_files(root, entries)
    ) as unsaved:
        for key, found in unsaved.each(wanted, ask, _AT_ONCE):
            progress(key)
            if isinstance(found, RegistryError):
                done(key, found)
            else:
                unsaved.entries[key] = (wanted[key][1], found)
                done(key, _line(found))


def _line(found: dict[str, Any]) -> str:
    words = [found["platform"]]
    if "uid" in found:
        words.append(f"user {found['uid']}:{found['gid']}")
    for path in found["starts"]:
        if path in found["capabilities"]:
            words.append(f"{path} carries {found['capabilities'][path]}")
    if found["setuid"]:
        words.append(_count(len(found["setuid"]), "setuid program"))
    if "empty" in found:
        writer = f" for {found['writer']}" if "writer" in found else ""
        folders = _count(len(found["empty"]) + len(found["occupied"]), "folder")
        words.append(f"{folders} to write to{writer}")
    return "  ".join(words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
