"""What reading the files of a tree found, kept between runs, so that the next one reads what changed.

A file is known by its content (SHA-256), never by its name: the namespaces it names, that there is nothing of interest
in it, or the documents of its pieces. What is kept holds for one version of the program, of Python and of the YAML
parser. It lies in the cache folder of the user, one file for a root, whose name is the hash of the path; where the root
holds that folder, nothing is kept or read, since the tree could then bring its own.

No file is kept in which a secret is found, or a token by its form: of it only a note stays that it has to be read. Nor
is one with a problem, or with an anchor and an alias, whose documents share what they hold.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from hardener import __version__
from hardener.authoring import declaration_cache
from hardener.kubernetes.secrets.secret_formats import structured
from hardener.kubernetes.secrets.secret_text import may_hold_secret
from hardener.kubernetes.secrets.secret_values import comment_secrets
from hardener.sources.files import Content, is_inside
from hardener.sources.manifests import ManifestFile, Piece
from hardener.support.cache_folder import CacheFolder, cache_folder

_WORTH = 16  # what is new is written where it is at least this part of what is known
_KEY = 64  # characters of a SHA-256
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)  # what shares what it holds is not kept

_Pieces = list[tuple[int, int, int, list[Any] | None]]  # start, end, line, and the documents of those that are parsed


class Known(Struct):
    """What is known of a file: the namespaces that it names, and its pieces; none where nothing is of interest."""

    namespaces: list[str]
    pieces: _Pieces | None

    def file(self, path: str, name: str, content: Content, *, editable: bool) -> ManifestFile:
        """The file as ``hardener.sources.manifests.load`` reads it."""
        file = ManifestFile(path, name, content, editable)
        for start, end, line, documents in self.pieces or ():
            piece = Piece(file, start, end, line)
            if documents is not None:
                piece.data, piece.parsed = documents, True
            file.pieces.append(piece)
        return file


class ReadCache(Struct):
    """The entries of one root, as kept: ``entries`` by key, what this run ``used``, and what it read anew."""

    folder: CacheFolder
    name: str
    program: bytes
    entries: dict[bytes, bytes] = field(default_factory=dict)
    used: dict[bytes, bytes] = field(default_factory=dict)
    clean: set[ManifestFile] = field(default_factory=set)  # those made of an entry: no secret is in them
    judged: dict[Piece, bool] = field(default_factory=dict)  # whether a secret is in them, where that is known
    _added: dict[bytes, bytes] = field(default_factory=dict)
    _read: dict[bytes, tuple[list[str], ManifestFile]] = field(default_factory=dict)
    _said: dict[str, Any] | None = None  # the entries, once one is asked for
    _last: tuple[Content, bytes] | None = None  # the file that was asked for last, and its key

    @classmethod
    def of(cls, root: str) -> ReadCache | None:
        """What is kept of the tree ``root``; None where there is no place to keep anything."""
        folder = cache_folder("harden")
        if folder is None or is_inside(os.path.realpath(folder.path), root):
            return None
        made = cls(folder, hashlib.sha256(os.fsencode(root)).hexdigest(), _program())
        head, _, lines = (folder.read(made.name) or b"").partition(b"\n")
        if head == made.program:
            made.entries = {line[:_KEY]: line[_KEY:] for line in lines.split(b"\n")}
        return made

    def known(self, content: Content) -> Known | None:
        """What is known of a file of YAML; None where it has to be read."""
        if self._said is None:
            self._said = _decoded(self.entries)
            if not self._said:
                self.entries.clear()  # so that they are written anew
        key = self._key_of(content)
        found, name = self._take(key), key.decode()
        if found is None:
            return None
        # Each file has data of its own: those of one that stands in the tree once more are made once more.
        said = self._said.pop(name) if name in self._said else _decoded({key: found}).get(name)
        return _known(said, len(content.text))

    def makes_nothing(self, raw: bytes) -> bool:
        """Whether it is known of a program that its syntax tree shows no object."""
        return self._take(_key(b"python", raw)) is not None

    def note_nothing(self, content: Content, namespaces: list[str]) -> None:
        """Keep that nothing in a file of YAML is of interest."""
        self._add(self._key_of(content), [namespaces, None])

    def note_program(self, raw: bytes) -> None:
        """Keep that the syntax tree of a program shows no object."""
        self._add(_key(b"python", raw), [])

    def note_file(self, file: ManifestFile, namespaces: list[str]) -> None:
        """Keep what ``file`` holds, once ``keep`` finds that it is no secret."""
        key = self._key_of(file.content)
        if key not in self.used:
            self._read[key] = namespaces, file

    def keep(self, holds_secret: Callable[[Any], bool]) -> None:
        """Write what is new, where it is worth that. ``holds_secret`` tells of a document."""
        # What a run changed is no more what was read.
        read = {key: (said, file) for key, (said, file) in self._read.items() if not any(map(_is_other, file.pieces))}
        new = len(self._added) + len(read)
        if not new or new * _WORTH < len(self.used):
            return
        for key, (namespaces, file) in read.items():
            is_private = _is_private(file, holds_secret, self.judged)
            self._add(key, None if is_private else [namespaces, _pieces(file)])
        lines = [key + said for key, said in {**self.used, **self._added}.items()]
        self.folder.write(self.name, b"\n".join([self.program, *lines]))

    def _key_of(self, content: Content) -> bytes:
        """The key of a file of YAML, which is asked for before it is read, and once more after that."""
        if self._last is None or self._last[0] is not content:
            self._last = content, _key(b"yaml", content.text.encode())
        return self._last[1]

    def _take(self, key: bytes) -> bytes | None:
        found = self.entries.get(key)
        if found is not None:
            self.used[key] = found
        return found

    def _add(self, key: bytes, said: object) -> None:
        if key not in self.used:
            try:
                self._added[key] = _ENCODER.encode(said).encode()
            except (ValueError, RecursionError):
                return  # a number of too many digits


def _program() -> bytes:
    """What tells this program, and what it reads with, from every other."""
    from ruamel.yaml import __version__ as parser

    made_of = __version__, sys.version, parser, declaration_cache.program()
    # Without the references of newer versions, which differ from run to run; repr takes four times as long.
    return hashlib.sha256(marshal.dumps(made_of, 2)).hexdigest().encode()


def _key(kind: bytes, raw: bytes) -> bytes:
    return hashlib.sha256(b"%b %b" % (kind, raw)).hexdigest().encode()


def _decoded(entries: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What ``entries`` say, by key; nothing where one of them is no JSON.

    All at once, since documents have the same keys again and again, and the decoder knows those of one text only.
    """
    try:
        found = json.loads(b"{%b}" % b",".join([b'"%b":%b' % entry for entry in entries.items()]))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _known(said: Any, length: int) -> Known | None:
    match said:
        case [[*namespaces], None]:
            pieces = None
        case [[*namespaces], [*pieces]] if all(_is_piece(piece, length) for piece in pieces):
            pass
        case _:
            return None
    return Known(namespaces, pieces) if all(isinstance(name, str) for name in namespaces) else None


def _is_piece(said: object, length: int) -> bool:
    if type(said) is not list or len(said) != 4:
        return False
    start, end, line, documents = said
    if not type(start) is type(end) is type(line) is int or not (documents is None or type(documents) is list):
        return False
    return 0 <= start <= end <= length and line >= 0


def _is_other(piece: Piece) -> bool:
    return bool(piece.revision or piece.problem)


def _pieces(file: ManifestFile) -> _Pieces:
    return [(piece.start, piece.end, piece.line, piece.data if piece.parsed else None) for piece in file.pieces]


def _is_private(file: ManifestFile, holds_secret: Callable[[Any], bool], judged: Mapping[Piece, bool]) -> bool:
    """Whether ``file`` holds what is not to be written anywhere else, or documents that share what they hold."""
    text = file.content.text
    if ("*" in text and "&" in text) or next(structured(text), None) is not None:
        return True
    for piece in file.pieces:
        known = judged.get(piece)
        if known:
            return True
        if known is None and may_hold_secret(piece.text):
            # What was not parsed is not kept; what else it holds, nobody knows.
            if not piece.parsed or any(map(holds_secret, piece.data)):
                return True
            if next(comment_secrets(piece.text), None) is not None:
                return True
    return any(_is_secret(document) for piece in file.pieces for document in piece.data)


def _is_secret(document: object) -> bool:
    """Whether ``document`` is a Secret, or a list with one."""
    if not isinstance(document, dict):
        return False
    items = document.get("items")
    return document.get("kind") == "Secret" or (isinstance(items, list) and any(map(_is_secret, items)))
