"""A file as pieces: the runs of text between ``---`` lines, each parsed or put aside with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from hardener.sources import yaml
from hardener.sources.files import Content
from hardener.sources.plain_manifests import SOURCE as PLAIN
from hardener.sources.source import Parsed, Source
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern

MOST_OBJECTS = 10_000
"""That are read of one file. What people keep in one file is far below; what more of them cost, another file has to."""
_KIND = late_pattern(r"""["']?\bkind["']?[ \t]*:[ \t]*["']?[A-Z]""")
_TEMPLATE = re.compile(r"\{\{|\{%")
_OPEN_LINE = late_pattern(r"(?m)^[ \t]*\{\{")
_FILTER = "helm template ... | harden filter"
RENDER = f"render it first and harden the result: {_FILTER}"
RENDER_CHART = f"harden values CHART hardens it by its values; or harden what it renders: {_FILTER}"

_OF_ITS_FILE: Any = None


class Piece(Struct, eq=False):
    """One run of a file: ``data`` holds its documents as plain data while transforms work on them.

    - ``line``: the 0-based line of its first line in the file.
    - ``problem``: (id, message, advice, line in the piece) when the piece is left alone.
    - ``is_new``: it is no part of the file as read; its text is empty.
    - ``revision``: how often its data were changed since they were read; ``wiring`` leaves out what changes nothing
      but security contexts, resources and whether a token is mounted, so what its containers start and mount.
    - ``tree``: where everything stood in it when it was read, until it is written; None where that is not kept.
    - ``run``: whatever a run keeps of it; nothing here looks at that.
    """

    file: ManifestFile
    start: int
    end: int
    line: int
    data: list[Any] = field(default_factory=list)
    problem: tuple[str, str, str, int] | None = None
    parsed: bool = False
    shared: list[list[Path]] = field(default_factory=list)  # paths of one text, by anchor
    is_new: bool = False
    revision: int = 0
    wiring: int = 0
    tree: yaml.Tree | None = None
    run: Any = None
    source: Source = _OF_ITS_FILE  # what answers for the language that it is written in

    def __post_init__(self) -> None:
        if self.source is _OF_ITS_FILE:
            self.source = self.file.source

    @property
    def text(self) -> str:
        return self.file.content.text[self.start : self.end]

    def read(self) -> Parsed:
        """The piece as read, with the places of everything in it; its documents are not to be changed."""
        return self.source.read(self)

    def comment(self, path: Path, holding: str) -> str | None:
        """The comment at the end of the line of ``path``, as read, when it holds the text ``holding``.

        A file without that text costs one search; only a piece with it is parsed again.
        """
        parsed = self.file.parsed_again(self, holding)
        found = parsed.comment(int(path[0]), path[1:]) if parsed is not None else None
        return found if found is not None and holding in found else None


class ManifestFile(Struct, eq=False):
    """A file that was read: its real path, its name for people, its pieces, and whether the run may change it."""

    path: str
    name: str
    content: Content
    editable: bool
    pieces: list[Piece] = field(default_factory=list)
    source: Source = PLAIN
    unread: list[tuple[int, str]] = field(default_factory=list)  # lines of manifests in it that are not read, with why
    sighted: list[tuple[int, str]] = field(default_factory=list)  # lines of what looks like a workload and is not read
    kept: Any = None  # whatever its source keeps of it; nobody else looks at that
    _parsed: dict[tuple[Piece, str], Parsed | None] = field(default_factory=dict)
    _holds: dict[str, bool] = field(default_factory=dict)

    def holds(self, text: str) -> bool:
        """Whether ``text`` stands in the file as read; remembered."""
        found = self._holds.get(text)
        if found is None:
            found = self._holds[text] = text in self.content.text
        return found

    def parsed_again(self, piece: Piece, holding: str) -> Parsed | None:
        """``piece`` parsed with its comments, None when it does not hold the text ``holding``; remembered."""
        if not self.holds(holding):
            return None
        if (piece, holding) not in self._parsed:
            self._parsed[piece, holding] = piece.read() if holding in piece.text else None
        return self._parsed[piece, holding]

    def put_behind(self, new: Piece) -> None:
        """Add a piece that the run makes at its place, behind those that the run put there before."""
        place = max((index for index, piece in enumerate(self.pieces) if piece.start < new.start), default=-1) + 1
        while place < len(self.pieces) and self.pieces[place].is_new:
            place += 1
        self.pieces.insert(place, new)

    @property
    def is_new(self) -> bool:
        """Whether this run makes the file."""
        return self.content.size < 0


def load(
    path: str,
    name: str,
    content: Content,
    *,
    editable: bool,
    wanted: Callable[[str], bool],
    optional: Callable[[str], bool] = lambda text: False,
    known: dict[int, Piece] | None = None,
) -> ManifestFile:
    """Cut ``content`` into pieces and parse those that ``wanted`` asks for; no other piece costs a parse.

    It is no problem that an ``optional`` one of them cannot be read. ``known`` has the pieces that were read before, by
    the hash of their text, and learns those of this file: an object often stands in several files of a tree.
    """
    file = ManifestFile(path, name, content, editable)
    # The word is counted first: that costs nothing.
    if content.text.count("kind") > MOST_OBJECTS and len(_KIND.findall(content.text)) > MOST_OBJECTS:
        piece = Piece(file, 0, len(content.text), 0)
        message = f"the file has more than {MOST_OBJECTS} objects"
        piece.problem = ("too-many-objects", message, "split it", 1)
        file.pieces.append(piece)
        return file
    for segment in yaml.segments(content.text):
        piece = Piece(file, segment.start, segment.start + len(segment.text), segment.line)
        file.pieces.append(piece)
        if wanted(segment.text):
            if known is None or not _read_before(piece, segment.text, known):
                _parse(piece, segment.text)
            if piece.problem and optional(segment.text):
                piece.problem = None
    return file


def known_pieces(files: Iterable[ManifestFile]) -> dict[int, Piece]:
    """The pieces of ``files`` for ``load`` in a later run, which parses none of their texts again. Each is in a file of
    its own, so that nothing else of this run is kept."""
    found: dict[int, Piece] = {}
    for piece in (piece for file in files for piece in file.pieces if piece.tree is not None and not piece.shared):
        text = piece.text
        alone = ManifestFile(piece.file.path, piece.file.name, Content(text, False, 0, 0), editable=True)
        found[hash(text)] = Piece(alone, 0, len(text), 0, tree=piece.tree)
    return found


def check(piece: Piece) -> None:
    """Note it as a problem of ``piece``, which need not be of interest, where it is no YAML."""
    if piece.parsed or piece.problem:
        return
    try:
        yaml.parse(piece.text)
    except yaml.TextError:
        _parse(piece, piece.text)


def _read_before(piece: Piece, text: str, known: dict[int, Piece]) -> bool:
    """Give ``piece`` what was read of the same ``text``, and tell whether that is known."""
    twin = known.setdefault(hash(text), piece)
    if twin is piece or twin.tree is None or twin.shared or twin.text != text:
        return False
    parsed = yaml.reopened(text, twin.tree)
    if twin.tree.later is None:
        twin.tree.later = {}  # what is made of both may be the same text, too
    piece.data, piece.parsed, piece.tree = parsed.documents, True, twin.tree
    return True


def _parse(piece: Piece, text: str) -> None:
    template = _TEMPLATE.search(text)
    try:
        if not piece.file.editable and not template and "&" not in text:
            _take(piece, yaml.documents(text))
            return
        parsed = yaml.parse(text)
    except yaml.TextError as refused:
        piece.problem = _template(text, template.start()) if template else _broken(refused)
        return
    if template and _is_open(parsed):
        piece.problem = _template(text, template.start())
        return
    _take(piece, parsed.documents)
    if piece.parsed and piece.file.editable:
        piece.tree = parsed.tree
        piece.tree.shrink()
    if piece.parsed and "*" in text and "&" in text:
        piece.shared = parsed.shared()


def _is_open(parsed: yaml.Parsed) -> bool:
    """Whether what fills in a template makes more of it than texts."""
    if not (parsed.has_plain("{{") or parsed.has_plain("{%")):
        return False
    if all(map(_is_filled_in, parsed.documents)):
        return False
    return parsed.has_plain("{%") or not all(map(_is_manifest, parsed.documents)) or _has_open_line(parsed)


def _has_open_line(parsed: yaml.Parsed) -> bool:
    """Whether a line of an unquoted text begins with braces: a template fills in whole lines there."""
    return any(_OPEN_LINE.search(text) for text in parsed.plain_texts("{{"))


def _is_manifest(document: Any) -> bool:
    """Whether ``document`` is an object whose kind, name and keys are written, so that braces in its texts are data."""
    if document is None:
        return True
    if not isinstance(document, dict) or not isinstance(metadata := document.get("metadata"), dict):
        return False
    names = [document.get("apiVersion"), document.get("kind"), metadata.get("name"), metadata.get("namespace", "")]
    return all(isinstance(name, str) and "{{" not in name for name in names) and _has_written_keys(document)


def _has_written_keys(document: Any) -> bool:
    """Whether no key has braces."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if any(isinstance(key, str) and "{{" in key for key in value):
                return False
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return True


def _broken(refused: yaml.TextError) -> tuple[str, str, str, int]:
    advice = "correct the document; harden reads the other documents of the file"
    return ("broken-document", refused.reason, advice, refused.line or 1)


def _take(piece: Piece, documents: list[Any]) -> None:
    if any(map(_is_encrypted, documents)):
        advice = "decrypt it with sops, harden it, encrypt it again"
        piece.problem = ("sops", "encrypted by SOPS, any change breaks its signature", advice, 1)
        return
    piece.data = documents
    piece.parsed = True


def _is_filled_in(document: Any) -> bool:
    """Whether ``document`` is a manifest with ``{{...}}`` in its texts: Argo CD fills in an ApplicationSet."""
    if not isinstance(document, dict) or document.get("kind") != "ApplicationSet":
        return False
    return str(document.get("apiVersion")).startswith("argoproj.io/")


def _template(text: str, position: int) -> tuple[str, str, str, int]:
    line = text.count("\n", 0, position) + 1
    return ("template", "a template, not yet a manifest", RENDER, line)


def _is_encrypted(document: Any) -> bool:
    sops = document.get("sops") if isinstance(document, dict) else None
    return isinstance(sops, dict) and ("mac" in sops or "version" in sops)
