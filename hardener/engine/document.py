"""What a run does with a piece of a file: the steps that it applied, and what is known of them by then."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from hardener.authoring.edits import Edit
from hardener.sources.manifests import Piece
from hardener.sources.source import Written
from hardener.support.data_path import Path

Steps = Sequence[tuple["Edit", ...]]


# Of an edit of a pod or a container, the fields that change nothing in what it starts and mounts.
_OF_PODS = frozenset({"PodSpec", "Container"})
_ASIDE = frozenset({"securityContext", "resources", "automountServiceAccountToken"})

NO_SHIFTS: list[tuple[int, Path, int, int]] = []  # of most pieces; nobody adds to it


class Document(Struct, eq=False):
    """``steps`` are the applied steps in order; replayed on a fresh parse they must give the data of the piece again.

    - ``shifts``: the list items that came and went with as many of them as are ``known``.
    - ``separator``: what stands before a document that the run adds to a file.
    - ``raw``: the text of a new file that holds no object.
    - ``written``: of code, the steps that it was last written with, and what came out; it takes long.
    """

    steps: list[tuple[Edit, ...]] = field(default_factory=list)
    shifts: list[tuple[int, Path, int, int]] = field(default_factory=lambda: NO_SHIFTS)
    known: int = 0
    separator: str = ""
    raw: str = ""
    written: tuple[list[tuple[Edit, ...]], Written] | None = None


def document(piece: Piece) -> Document:
    """What the run does with ``piece``, for writing; most pieces have none before they are changed."""
    if piece.run is None:
        piece.run = Document()
    found: Document = piece.run
    return found


def applied_steps(piece: Piece) -> Steps:
    """The applied steps of ``piece``; none for most."""
    return piece.run.steps if piece.run is not None else ()


def raw_of(piece: Piece) -> str:
    """The text of a new file that holds no object; "" for every other piece."""
    return piece.run.raw if piece.run is not None else ""


def apply_step(piece: Piece, edits: Sequence[Edit]) -> None:
    """Take down that ``edits`` were made on the data of ``piece``, as one step."""
    document(piece).steps.append(tuple(edits))
    piece.revision += 1
    for edit in edits:
        if edit.type_name not in _OF_PODS or _ASIDE.isdisjoint(edit.path[edit.typed : edit.typed + 1]):
            piece.wiring += 1
            break


def keep_steps(piece: Piece, steps: list[tuple[Edit, ...]]) -> None:
    """Take down that only ``steps`` are left of those that were applied to ``piece``."""
    own = document(piece)
    own.steps, own.shifts, own.known = steps, NO_SHIFTS, 0
    piece.revision += 1
    piece.wiring += 1
