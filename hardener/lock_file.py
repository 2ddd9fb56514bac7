"""``harden.lock`` written: stanzas added and changed in place, comments kept, by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hardener import __version__
from hardener.config import parsed_file
from hardener.errors import HardenError
from hardener.lock import NAME, VERSION
from hardener.oci.image import Found
from hardener.sources import files, yaml

_HEAD = "# The images of the manifests, as the registries had them; written by harden lock, read by harden apply.\n"


def stanza(found: Found) -> dict[str, Any]:
    """What the lock says of an image."""
    entry: dict[str, Any] = {"digest": found.digest, "mediaType": found.media_type}
    if found.config is not None:
        entry |= {"platforms": list(found.platforms)} if found.platforms else {}
        entry["config"] = found.config
    return entry


def stanzas(root: str) -> dict[str, dict[str, Any]]:
    """The stanzas of the lock in ``root`` as they stand there, {} without one. The file was read by ``lock.load``."""
    path = os.path.join(root, NAME)
    if not os.path.exists(path):
        return {}
    (document,) = parsed_file(path, os.path.relpath(path)).documents
    return document.get("images") or {}


def save(root: str, changed: Mapping[str, dict[str, Any]]) -> None:
    """Put ``changed`` into the lock in the folder ``root``; all else keeps its bytes. New stanzas stand in the order
    of their names. The file is at any moment the old or the new one, whatever other runs do.

    Raises HardenError where it cannot be written.
    """
    path = os.path.join(root, NAME)
    name = os.path.relpath(path)
    try:
        with _alone(root):
            if not os.path.exists(path):
                head = {"version": VERSION, "generated-by": f"harden {__version__}"}
                files.create(path, _HEAD + yaml.dump(head | {"images": dict(sorted(changed.items()))}))
                return
            content = files.read(path)
            text = yaml.rewrite(content.text, lambda documents: _with(documents, changed)).text
            if text != content.text:
                files.replace(path, text, content)
    except files.UnreadableError as error:
        raise HardenError(f"{name}: {error.message}: {error.advice}") from None
    except yaml.Refused as refused:
        raise HardenError(f"{name}: cannot be extended as it is laid out: {refused.reason}") from None
    except OSError as error:
        raise HardenError(f"{name}: cannot be written: {error.strerror}") from None


def _with(documents: list[Any], changed: Mapping[str, dict[str, Any]]) -> list[Any]:
    document = documents[0]
    images = document.get("images") or {}
    if any(images.get(name) != entry for name, entry in changed.items()):
        document["images"] = dict(sorted({**images, **changed}.items()))
        if "generated-by" in document:
            document["generated-by"] = f"harden {__version__}"
    return documents


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Waits for other runs that write in ``folder``."""
    try:
        import fcntl
    except ImportError:  # Windows, where a file is whole all the same
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
