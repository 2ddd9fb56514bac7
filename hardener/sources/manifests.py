"""A file as pieces: the runs of text between ``---`` lines, each parsed or put aside with a reason."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from hardener.sources import script, yaml
from hardener.sources.files import Content
from hardener.sources.terraform_names import HEAD
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from hardener.sources import terraform
    from hardener.sources.python.libraries.subclasses import Elsewhere
    from hardener.sources.python.parsed import Parsed as Program
    from hardener.sources.terraform.manifest_text import ManifestText
    from hardener.sources.terraform.module import Module
    from hardener.sources.terraform.object_block import ObjectBlock

    Parsed = yaml.Parsed | terraform.Parsed | script.Parsed | Program | ObjectBlock | ManifestText

Language = Literal["yaml", "terraform", "hcl", "python", "script"]
"""What a piece is written in. JSON is YAML; each line of a script is an item of one document; a block of a Terraform
file is "hcl" where it stands for a Kubernetes object, which is its document then, and else "terraform"."""

MOST_OBJECTS = 10_000
"""That are read of one file. What people keep in one file is far below; what more of them cost, another file has to."""
_AS_WRITTEN = late_pattern(r'^[ \t]*resource[ \t]+"(?:kubernetes|kubectl)_manifest"', re.M)
_KIND = late_pattern(r"""["']?\bkind["']?[ \t]*:[ \t]*["']?[A-Z]""")
_TEMPLATE = re.compile(r"\{\{|\{%")
_FILTER = "helm template ... | harden filter"
RENDER = f"render it first and harden the result: {_FILTER}"
RENDER_CHART = f"harden values CHART hardens it by its values; or harden what it renders: {_FILTER}"


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
    is_object: bool = False  # of a Terraform file: it stands for a Kubernetes object

    @property
    def fills_in(self) -> bool:
        """Whether Terraform's provider sends more than its block says: that of a resource of a kind of its own."""
        return self.is_object and not _AS_WRITTEN.search(self.text)

    @property
    def computes(self) -> bool:
        """Whether values of its objects may be expressions, which are known when it is run: ``${var.a}``."""
        return self.is_object or self.file.language == "python"

    @property
    def text(self) -> str:
        return self.file.content.text[self.start : self.end]

    @property
    def language(self) -> Language:
        """What it is written in; the documents of a program are the objects that it makes."""
        return "hcl" if self.is_object else self.file.language

    def read(self) -> Parsed:
        """The piece as read, with the places of everything in it; its documents are not to be changed."""
        if self.file.program is not None:
            return self.file.program
        if self.file.language == "script":
            return script.Parsed(self.text)
        if self.language == "hcl":
            return self.file.object_of(self)
        if self.language == "terraform":
            from hardener.sources import terraform  # late: few trees hold any

            return terraform.parse(self.text)
        return yaml.parse(self.text) if self.tree is None else yaml.reopened(self.text, self.tree)

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
    language: Language = "yaml"
    program: Program | None = None  # of a Python file; reading it again would take long
    module: Module | None = None  # of a Terraform file: what its expressions name
    ignored: list[tuple[int, str]] = field(default_factory=list)  # what Terraform does not change, by line
    unread: list[tuple[int, str]] = field(default_factory=list)  # lines of manifests in it that are not read, with why
    _objects: dict[Piece, ObjectBlock | ManifestText] = field(default_factory=dict)
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

    def value_of(self, expression: str) -> tuple[Any] | None:
        """The one value that an expression of a Terraform file names; None where it is not known."""
        return self.module.value(expression) if self.module is not None else None

    def is_parameter(self, text: str) -> bool:
        """Whether an expression in ``text`` comes to the default of a variable, which whoever runs it may set."""
        return self.module is not None and self.module.is_parameter(text)

    def reference(self, kind: str, namespace: str | None, name: str) -> str | None:
        """The expression for the name of an object that the run makes in this module; None for any other."""
        return self.module.reference(kind, namespace, name) if self.module is not None else None

    def object_of(self, piece: Piece) -> ObjectBlock | ManifestText:
        """The block ``piece`` of this file, which stands for an object, as read; remembered."""
        if piece not in self._objects:
            from hardener.sources.terraform import object_block  # late: few trees hold any

            self._objects[piece] = object_block.again(piece.text, self.value_of, piece.line)
        return self._objects[piece]

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


def check(piece: Piece) -> None:
    """Note it as a problem of ``piece``, which need not be of interest, where it is no YAML."""
    if piece.parsed or piece.problem:
        return
    try:
        yaml.parse(piece.text)
    except yaml.TextError:
        _parse(piece, piece.text)


def load_script(path: str, name: str, content: Content, kind: tuple[str, str], *, editable: bool) -> ManifestFile:
    """A script as one object of ``kind`` (group and kind), whose lines are a list of it."""
    file = ManifestFile(path, name, content, editable, language="script")
    piece = Piece(file, 0, len(content.text), 0, parsed=True)
    lines = piece.read().documents[0]
    group, called = kind
    base = {"apiVersion": f"{group}/v1", "kind": called, "metadata": {"name": os.path.basename(name)}}
    piece.data = [base | lines]
    file.pieces.append(piece)
    return file


def load_terraform(
    path: str, name: str, content: Content, *, editable: bool, module: Module | None = None
) -> ManifestFile:
    """Cut ``content`` into the blocks at its top, each with the lines before it."""
    from hardener.sources import terraform  # late: few trees hold any

    file = ManifestFile(path, name, content, editable, language="terraform", module=module)
    try:
        parsed = terraform.parse(content.text)
    except yaml.TextError as refused:
        piece = Piece(file, 0, len(content.text), 0)
        piece.problem = ("broken-document", refused.reason, "correct it: terraform validate", refused.line or 1)
        file.pieces.append(piece)
        return file
    reader = terraform.Reader(file.value_of)
    for (start, end, line), document, block in zip(parsed.extents(), parsed.documents, parsed.blocks, strict=True):
        made = reader.read(document[HEAD], block)
        data = [document] if made is None else [made.data]
        piece = Piece(file, start, end, line, data, parsed=True, is_object=made is not None)
        file.pieces.append(piece)
        if made is not None and (said := terraform.ignored(block)) is not None:
            file.ignored.append(said)
        node = terraform.given(document[HEAD], block) if made is None else None
        if node is not None:
            _read_manifest(piece, node.row + 1, str(node.data))
    return file


def _read_manifest(piece: Piece, line: int, text: str) -> None:
    """Read the manifest that a block holds in the expression ``text``: as YAML, or from a file, which is read by
    itself."""
    from hardener.sources.terraform import file_of, object_block

    file = piece.file
    name = file_of(text)
    if name is not None and os.path.exists(os.path.join(os.path.dirname(file.path), name)):
        return
    try:
        found = object_block.read(piece.text, file.value_of)
    except yaml.TextError as refused:
        file.unread.append((piece.line + (refused.line or 1), refused.reason))
        return
    if found is None:
        file.unread.append((line, "an expression makes it"))
    else:
        piece.data, piece.is_object = found.documents, True


def load_python(
    path: str, name: str, content: Content, *, editable: bool, elsewhere: Elsewhere | None = None
) -> ManifestFile:
    """A program as one piece, whose documents are the objects that it makes; a file without pieces where it makes none.
    ``elsewhere`` is what it may import of other files.

    Raises TextError for what is no Python.
    """
    from hardener.sources.python.parsed import parse  # late: its parser takes long to load

    program = parse(content.text) if elsewhere is None else parse(content.text, elsewhere=elsewhere)
    file = ManifestFile(path, name, content, editable, language="python", program=program)
    if program.documents:
        file.pieces.append(Piece(file, 0, len(content.text), 0, program.data(), parsed=True, shared=program.shared()))
    return file


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
        if template:
            piece.problem = _template(text, template.start())
        else:
            advice = "correct the document; harden reads the other documents of the file"
            piece.problem = ("broken-document", refused.reason, advice, refused.line or 1)
        return
    is_open = template and (parsed.has_plain("{{") or parsed.has_plain("{%"))
    if template and is_open and not all(map(_is_filled_in, parsed.documents)):
        piece.problem = _template(text, template.start())
        return
    _take(piece, parsed.documents)
    if piece.parsed and piece.file.editable:
        piece.tree = parsed.tree
        piece.tree.shrink()
    if piece.parsed and "*" in text and "&" in text:
        piece.shared = parsed.shared()


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
