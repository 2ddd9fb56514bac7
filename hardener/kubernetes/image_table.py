"""What is known of well-known images, from `data/images.yaml`.

A row is about the image of one publisher. `match` is a glob (fnmatch; `*` also matches `/`) over the normalised
repository, so `nginx` means Docker's official image under each of its names, and not `registry.example.com/nginx`:
nobody knows what a private registry keeps under a known name. The public mirrors that copy official images unchanged
are taken for Docker Hub.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hardener.kubernetes.image_reference import ImageReference, normalize
from hardener.support.fast_dataclass import dataclass

_DATA = Path(__file__).with_name("data") / "images.yaml"
_OFFICIAL = "docker.io/library/"
_ENTRY = re.compile(r"^- match: ", re.MULTILINE)
_SPECIAL = re.compile(r"[*?\[]")  # what fnmatch does not take for itself
_MIRRORS_OF_OFFICIAL = ("public.ecr.aws/docker/library/", "mirror.gcr.io/library/")


@dataclass(frozen=True, slots=True)
class ImageRow:
    """Facts about an image; None and () mean that nobody has looked.

    - `match`: glob over the normalised repository. `tags`: regex searched for in the tag, None for all tags.
    - `user`: USER of the image config, "root" when it names none. `uid`, `gid`: the ids that its service runs with.
    - `writable`: paths that must stay writable under a read-only root. `empty`: paths that hold nothing in the image.
    - `ports`: TCP ports the image serves. `file_caps`: file capabilities (`=ep`) of its binary, without CAP_.
    - `rofs`: "ok" or "no". `tmp`: "no" when /tmp is not needed. `pvc`: "ok" when a volume of another owner works.
    - `root`: "required". `setuid`: setuid programs are used. `seccomp`: "sensitive".
    - `class_`: "node-agent", "ingress-controller", "model-server", ...
    - `api`: need of the Kubernetes API, "needed", "no", "optional".
    - `api_except`: globs of container names for which `api` is "no".
    - `memory`: a quantity it needs. `sensitive`: it is an administration interface.
    - `source`: where the facts are from. `verified`: date and how they were checked; only then may a change be safe.
    """

    match: str
    tags: str | None = None
    user: str | None = None
    uid: int | None = None
    gid: int | None = None
    writable: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    file_caps: tuple[str, ...] = ()
    rofs: str | None = None
    tmp: str | None = None
    pvc: str | None = None
    root: str | None = None
    setuid: bool = False
    seccomp: str | None = None
    class_: str | None = None
    api: str | None = None
    api_except: tuple[str, ...] = ()
    memory: str | None = None
    sensitive: bool = False
    source: str | None = None
    verified: str | None = None


def lookup(reference: ImageReference) -> ImageRow | None:
    """What is known of an image, or None.

    The first `match` in the file that fits decides; its rows for different tags are told apart by the tag (`latest`
    when none is written). A tag that is not known (an expression, or a digest alone) gets only the facts on which all
    its rows agree; that is why the file has rows without facts, for tags that are something else.
    """
    repository = reference.normalized
    if repository is None:
        return None
    for mirror in _MIRRORS_OF_OFFICIAL:
        if repository.startswith(mirror):
            repository = _OFFICIAL + repository.removeprefix(mirror)
    tag = reference.tag
    if tag is None and reference.digest is None and not reference.opaque:
        tag = "latest"
    for rows in _rows_of(repository):
        fitting = [row for row in rows if tag is None or row.tags is None or re.search(row.tags, tag)]
        if fitting:
            return _agreed(fitting)
    return None


def rows() -> tuple[ImageRow, ...]:
    """All rows, in the order of the file."""
    return tuple(row for glob in _table() for row in _rows_at(glob))


@lru_cache(maxsize=4096)
def _rows_of(repository: str) -> tuple[tuple[ImageRow, ...], ...]:
    """The rows of each glob that fits ``repository``, in the order of the file."""
    # Most globs are plain names: no pattern is compiled for those, nor for one that begins in another way.
    return tuple(
        _rows_at(glob)
        for glob in _table()
        if glob == repository or (repository.startswith(_SPECIAL.split(glob, 1)[0]) and fnmatchcase(repository, glob))
    )


@cache
def _table() -> dict[str, list[str]]:
    """The entries as they are written, by normalised glob, read once and only when an image is looked up.

    Each begins with its `match`; a run asks for few of them, so that only those are parsed.
    """
    groups: dict[str, list[str]] = {}
    for entry in _ENTRY.split(_DATA.read_text(encoding="utf-8"))[1:]:
        groups.setdefault(normalize(entry.split(None, 1)[0]), []).append(f"match: {entry}")
    return groups


@cache
def _rows_at(glob: str) -> tuple[ImageRow, ...]:
    from hardener.sources.yaml import parse  # late: the engine is not needed to import this module

    return tuple(_row(parse(textwrap.dedent(f"  {entry}")).documents[0]) for entry in _table()[glob])


def _row(entry: Mapping[str, Any]) -> ImageRow:
    """A row from its mapping; the keys are the fields' names with dashes (`file-caps`), and `class`."""
    values: dict[str, Any] = {
        "class_" if key == "class" else key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in entry.items()
    }
    return ImageRow(**values)


def _agreed(candidates: Sequence[ImageRow]) -> ImageRow | None:
    """The facts that all candidates share, or None when they share none."""
    first, *others = candidates
    facts = {
        field.name: getattr(first, field.name)
        for field in fields(ImageRow)
        if all(getattr(other, field.name) == getattr(first, field.name) for other in others)
    }
    row = ImageRow(**facts)
    return None if row == ImageRow(row.match, tags=row.tags, source=row.source, verified=row.verified) else row
