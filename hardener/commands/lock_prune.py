"""Stanzas of ``harden.lock`` whose images the repository no longer uses.

The whole repository is asked, whatever paths a run was given. What its manifests do not show may still be used by what
harden does not read: so a stanza also stays while any file of the tree, of whatever kind, holds both its name and its
tag. Files that Git ignores and does not track are not asked, nor those of more than 1 MiB that are no manifests.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable

from hardener.facts.images.image_uses import Use
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock.model import NAME, Lock
from hardener.sources import files, registry
from hardener.sources.files.selection import INSTALLED, Selection

_MOST_BYTES = 1 << 20  # of a file that is no manifest: what is larger is seldom a text
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_Word = tuple[bytes, re.Pattern[bytes]]  # what to look for, and how it stands there as a word


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
    # What names an image in test data keeps it, too: whoever gives that folder needs it.
    for path, is_link in Selection(root, test_data=INSTALLED).everywhere(("",)):
        if not left:
            break
        if is_link or _is_passed_over(path):
            continue
        try:
            raw = files.read_bytes(path)[0]
        except files.UnreadableError:
            return {}  # nobody can say
        if raw.startswith(_UTF_16):
            raw = raw.replace(b"\0", b"")  # leaves the letters of names and tags
        # The plain search first: it is many times as fast.
        for name in [one for one in left if all(word in raw and how.search(raw) for word, how in patterns[one])]:
            del left[name]
    return left


def _is_passed_over(path: str) -> bool:
    """Whether it is a lock, which names all images, or no text: a pipe, or something large that is no manifest."""
    name = os.path.basename(path)
    if name == NAME:
        return True
    try:
        status = os.lstat(path)
    except OSError:
        return False  # whoever reads it says why it cannot be read
    is_manifest = name.endswith(registry.endings()) or name in files.NAMES
    if stat.S_ISREG(status.st_mode):
        return status.st_size > _MOST_BYTES and not is_manifest
    return not stat.S_ISDIR(status.st_mode)


def _patterns(reference: ImageReference) -> list[_Word]:
    repository = str(reference.repository)
    if reference.registry is not None:  # values of charts have it in a field of its own
        repository = repository.removeprefix(f"{reference.registry}/")
    words = [repository, reference.digest or reference.tag]
    if words[1] is None:  # no tag beside it
        return [_word(repository, r"(?<![\w./-])", r"(?![\w./:@-])")]
    return [_word(str(word), r"(?<![\w.-])", r"(?![\w.-])") for word in words]


def _word(text: str, before: str, after: str) -> _Word:
    return text.encode(), re.compile(f"{before}{re.escape(text)}{after}".encode())
