"""``harden.lock``: the digests of the images of a repository, what their configs say, and the digests of the charts of
its releases, in a committed file.

It stands at the Git root. ``apply`` only ever reads it, so a run needs no network and is the same everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.config import parsed_file
from hardener.errors import InputError
from hardener.kubernetes.images.config import UNKNOWN, ImageConfig
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock import observed
from hardener.lock.charts.locked import LockedChart
from hardener.lock.observed import Observation
from hardener.sources.files import UnreadableError, is_inside, read

NAME = "harden.lock"
VERSION = 1
_LATEST = "latest"


class LockedImage(Struct, frozen=True):
    """One image of the lock: its digest, the media type and platforms behind it, and what its config says.

    - `previous`: digests that its tag had before, the last one first; manifests may still hold one that harden wrote.
    - `keep`: it stays in the lock, also when no file of the repository names it.
    - `files`: what its files say, None where nobody read them.
    - `observed`: what was seen of containers that ran it, also in another version: each names the digest that ran.
    """

    digest: str
    media_type: str | None = None
    platforms: tuple[str, ...] = ()
    config: ImageConfig = UNKNOWN
    previous: tuple[str, ...] = ()
    keep: bool = False
    files: ImageFiles | None = None
    observed: tuple[Observation, ...] = ()

    @property
    def is_one_platform(self) -> bool:
        """Whether the digest is that of an image for one platform, and not of an index of them."""
        return self.media_type is not None and ".manifest." in self.media_type and ".list." not in self.media_type


class Lock(Struct):
    """The images by their name as written in the file, and by repository spelled out with tag or digest.

    ``charts``: those of releases by place and version, None where nobody asked for them. ``is_observed``: whether it
    holds anything that was seen of containers.
    """

    images: dict[str, LockedImage] = field(default_factory=dict)
    charts: dict[str, dict[str, LockedChart]] | None = None
    is_observed: bool = False
    _spelled: dict[str, LockedImage] = field(default_factory=dict)
    _tagged: set[str] = field(default_factory=set)  # repository@digest of what a tag names
    _followed: dict[str, list[LockedImage]] = field(default_factory=dict)  # by a digest that its tag had before
    _seen: dict[int, dict[str, Observation]] = field(default_factory=dict)  # by image, and what ran

    def add(self, reference: ImageReference, image: LockedImage) -> None:
        """Take ``image`` in under ``reference``; of two that are spelled out alike the first counts."""
        self.images[reference.text] = image
        self.is_observed = self.is_observed or bool(image.observed)
        if reference.digest is None:  # with one, it is what a manifest pins, and no word on the tag
            tagged = f"{reference.normalized}:{reference.tag or _LATEST}"
            if self._spelled.setdefault(tagged, image) is image:
                self._tagged.add(f"{reference.normalized}@{image.digest}")
                for digest in image.previous:
                    self._followed.setdefault(f"{tagged}@{digest}", []).append(image)
                    self._followed.setdefault(f"{reference.normalized}@{digest}", []).append(image)
        self._spelled.setdefault(f"{reference.normalized}@{image.digest}", image)

    def find(self, reference: ImageReference) -> LockedImage | None:
        """The image that ``reference`` means, None when it is not in the lock.

        One with a digest is only the image of the lock that has this digest, whatever its tag says; or, where its tag
        had this digest before, what the tag names now.
        """
        if reference.normalized is None:
            return None
        if reference.digest is not None:
            exact = self._spelled.get(f"{reference.normalized}@{reference.digest}")
            return self.successor(reference) or exact
        if reference.opaque:
            return None
        return self.images.get(reference.text) or self.spelled(reference.normalized, reference.tag)

    def with_observed(self, seen: Mapping[str, Sequence[Observation]]) -> Lock:
        """A lock that says the same and what was ``seen``, by the name of the image in the lock, as ``save_observed``
        would leave it. An image that the lock does not hold comes in with the digest that ran."""
        images = dict(self.images)
        for name, new in seen.items():
            if new:
                image = images.get(name) or LockedImage(new[-1].digest)
                images[name] = replace(image, observed=observed.merged(image.observed, new))
        found = Lock(charts=self.charts)
        for name, image in images.items():
            if (reference := parse_image(name)) is not None:
                found.add(reference, image)
        return found

    def seen(self, image: LockedImage, runs: str) -> Observation | None:
        """What was seen of a container that ran the same on ``image``, one of this lock, with the digest that it has;
        None where nothing was."""
        known = self._seen.get(id(image))
        if known is None:
            of_digest = (each for each in reversed(image.observed) if each.digest == image.digest)
            known = self._seen[id(image)] = {each.runs: each for each in of_digest}
        return known.get(runs)

    def successor(self, reference: ImageReference) -> LockedImage | None:
        """What took the place of the digest that ``reference`` names: its tag had that before. One without a tag has a
        successor where one tag of its repository had that digest, and none has it now."""
        if reference.normalized is None or reference.digest is None:
            return None
        tag = f":{reference.tag}" if reference.tag else ""
        found = self._followed.get(f"{reference.normalized}{tag}@{reference.digest}", [])
        if not tag and (f"{reference.normalized}@{reference.digest}" in self._tagged or len(found) > 1):
            return None
        return found[0] if found and found[0].digest != reference.digest else None

    def spelled(self, normalized: str, tag: str | None) -> LockedImage | None:
        """The image of a repository that is spelled out, with this tag (``latest`` for None)."""
        return self._spelled.get(f"{normalized}:{tag or _LATEST}")


def load(root: str) -> Lock | None:
    """The lock in the folder ``root``, None when there is none. Raises InputError where it is wrong: file, line, key,
    and what to write there."""
    path = os.path.join(root, NAME)
    if not os.path.exists(path):
        return None
    name = os.path.relpath(path)
    if not is_inside(os.path.realpath(path), os.path.realpath(root)):
        raise InputError(f"{name}: a link out of the tree, which is not followed")
    return load_file(path)


def load_file(path: str) -> Lock:
    """The lock that is the file ``path``. Raises InputError as ``load`` does, and where it is not there."""
    name = os.path.relpath(path)
    try:
        parsed = parsed_file(path, name)
    except InputError:
        if line := _conflict(path):
            raise InputError(
                f"{name}:{line}: a merge conflict: keep the stanzas of both sides, then harden lock"
            ) from None
        raise
    from hardener.lock.reader import Reader  # late: most trees have no lock

    return Reader(name, parsed).lock()


def _conflict(path: str) -> int | None:
    """The first line where Git could not merge."""
    try:
        lines = read(path).text.splitlines()
    except UnreadableError:
        return None
    return next((number for number, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), None)
