"""Stanzas of ``harden.lock`` whose images the repository no longer uses.

The whole repository is asked, whatever paths a run was given. What its manifests do not show may still be used by what
harden does not read: so a stanza also stays while any file that stands in the tree holds both its name and its tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hardener.image_uses import Use
from hardener.kubernetes.image_reference import ImageReference
from hardener.kubernetes.image_reference import parse as parse_image
from hardener.lock import Lock
from hardener.sources import files


def stale(root: str, uses: Iterable[Use], lock: Lock) -> list[str]:
    """The names of the stanzas of ``lock`` that nothing in ``root`` uses; those that a person wrote or that say
    ``keep: true`` are none of them.

    ``uses`` are the images of the whole repository.
    """
    used: set[int] = set()
    open_names: set[str | None] = set()  # of images whose tag is filled in later
    for use in uses:
        reference = use.reference
        if reference.opaque:
            open_names.add(reference.normalized)
        for found in (lock.find(reference), lock.images.get(reference.text)):
            used.add(id(found))
    # One without a media type was written by hand.
    ours = ((name, image) for name, image in lock.images.items() if image.media_type and not image.keep)
    unused = {name: parse_image(name) for name, image in ours if id(image) not in used}
    candidates = {name: image for name, image in unused.items() if image and image.normalized not in open_names}
    return sorted(_unnamed(root, candidates)) if candidates else []


def _unnamed(root: str, candidates: dict[str, ImageReference]) -> dict[str, ImageReference]:
    """Those of ``candidates`` that no file in ``root`` names."""
    left = dict(candidates)
    patterns = {name: _patterns(reference) for name, reference in candidates.items()}
    for path, is_link in files.walk(root, (*files.SUFFIXES, files.PYTHON)):
        if is_link or not left:
            continue
        try:
            text = files.read_bytes(path)[0].decode("utf-8", "replace") if path.endswith(files.PYTHON) else ""
            text = text or files.read(path).text
        except files.UnreadableError:
            return {}  # nobody can say
        for name in [name for name in left if all(pattern.search(text) for pattern in patterns[name])]:
            del left[name]
    return left


def _patterns(reference: ImageReference) -> list[re.Pattern[str]]:
    repository = str(reference.repository)
    if reference.registry is not None:  # values of charts have it in a field of its own
        repository = repository.removeprefix(f"{reference.registry}/")
    words = [repository, reference.digest or reference.tag]
    if words[1] is None:  # no tag beside it
        return [re.compile(rf"(?<![\w./-]){re.escape(repository)}(?![\w./:@-])")]
    return [re.compile(rf"(?<![\w.-]){re.escape(str(word))}(?![\w.-])") for word in words]
