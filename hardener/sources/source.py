"""What a language answers for itself: how its files are read, what its objects leave open, how edits become text.

``Source`` is the whole of what the rest of the program knows about a language. Each is one class in
``hardener/sources/<language>/``, listed in ``registry.py``; what it does not say itself is as for a text in which all
is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from msgspec import Struct, field

from hardener.sources import yaml
from hardener.sources.open_values import OpenList
from hardener.sources.yaml import Comment, Hunk
from hardener.sources.yaml.text_templates import TextTemplates
from hardener.support.data_path import Parts, Path

if TYPE_CHECKING:
    from hardener.sources.files import UnreadableError
    from hardener.sources.manifests import ManifestFile, Piece

Mutate = Callable[[list[Any]], None]
"""Changes the documents of a text in place."""


class UnprovedError(yaml.TextError):
    """A new text that does not come out as it was decided: that is a bug of ours."""


class Parsed(Protocol):
    """A text as read, with the places of everything in it. Lines count from 1."""

    @property
    def documents(self) -> list[Any]:
        """Plain data, not to be changed."""

    def line(self, document: int, path: Path, /) -> int:
        """The line of what stands at ``path``; of what does not, that of what would hold it."""

    def depth(self, document: int, path: Path, /) -> int:
        """How many parts of ``path`` lead to something that stands in the text."""

    def comment(self, document: int, path: Path, /) -> str | None:
        """The comment at the end of the line of ``path``."""

    def comments(self) -> list[Comment]:
        """Every comment of the text itself."""


class Written(Protocol):
    """A new text with its hunks, and both texts as read."""

    @property
    def text(self) -> str: ...
    @property
    def hunks(self) -> list[Hunk]: ...
    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...


class Plan(NamedTuple):
    """What is known of the edits that a text is rewritten by: the places that they touch, and the keys that go, each
    with the one that takes its place."""

    touched: list[Path]
    replaced: set[tuple[str, str]]


class Touch(Struct):
    """One edit as the lines of a text see it: ``path`` as the edit names it, ``read`` where that is in the text as
    read, ``written`` in the new one (None: it is gone). ``now`` tells of a part of ``path`` where it is written."""

    kind: Literal["set", "append", "insert", "drop"]
    path: Path
    read: Path
    written: Path | None
    now: Callable[[Path], Path | None]


class Owned(Struct):
    """The lines that edits may touch, as read and as written; comments at the end of those ``gone`` may go.

    ``add_heads`` adds the lines of what holds the places of the edits: most texts do without.
    """

    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    add_heads: Callable[[], None] | None = None


class Unknown(NamedTuple):
    """Why a value is not known: what tells the expression from all others of the run, and the words for it."""

    key: Hashable
    message: str
    advice: str


class Making(Protocol):
    """How a program makes its objects, by the number of the document."""

    def is_patch(self, number: int) -> bool:
        """Whether it is what a call patches another object with."""

    def is_optional(self, number: int) -> bool:
        """Whether it is made under a condition."""

    def functions(self, number: int) -> tuple[int, ...]:
        """The lines where the functions begin in which it is made, the outermost first."""

    def reads_address(self, number: int) -> int | None:
        """The line where the program reads an address of the Service that it is; None where it reads none."""


class Problem(Struct):
    """What is wrong with a file. ``is_left_alone``: it is not read."""

    id: str
    path: str
    name: str
    message: str
    advice: str
    line: int = 1
    is_left_alone: bool = True


class Reading(Struct):
    """What reading a file came to: the file, or why there is none.

    - ``namespaces``: those that it names.
    - ``passed``: the reason why nothing is in it, as it is counted.
    - ``unseen``: the line by which it makes objects that are not seen.
    - ``sighted``: lines of what looks like a workload in a file that gives no ``file``, each with what it is.
    - ``is_unread``: it could not be read, and may have held evidence.
    """

    file: ManifestFile | None = None
    namespaces: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    passed: str = ""
    unseen: int | None = None
    is_unread: bool = False
    sighted: Sequence[tuple[int, str]] = ()


def unreadable(error: UnreadableError, path: str, name: str, *, editable: bool) -> Reading:
    """That a file cannot be read: a problem where it may be edited."""
    if not editable:
        return Reading(is_unread=True)
    return Reading(problems=[Problem(error.id, path, name, error.message, error.advice)])


class Around(Protocol):
    """What a reader may ask of the tree that its files stand in."""

    @property
    def root(self) -> str:
        """The folder of the tree."""

    @property
    def is_gate(self) -> bool:
        """Whether what is not judged fails the run, so that all that may make an object has to be met."""

    def judges(self, path: str, /) -> bool:
        """Whether the file at ``path`` is there, and read for its manifests."""

    def walk(self, suffixes: tuple[str, ...], /) -> Iterator[tuple[str, bool]]:
        """The files of the tree whose names end so, each with whether it is a link."""


class Reader:
    """Reads the files of one language in one tree. What one file says may be known of another: a module, a class."""

    def read(self, path: str, name: str, *, editable: bool, within: str) -> Reading:
        """The file ``path``, called ``name``, found within the given path ``within``."""
        raise NotImplementedError

    def read_again(self) -> Iterator[tuple[str, ManifestFile, Sequence[Problem], Sequence[str]]]:
        """The files that come out otherwise now that all are read: path, file, problems and namespaces."""
        return iter(())

    def seen_elsewhere(self) -> Set[str]:
        """The paths of files whose objects show in other files, after ``read_again``."""
        return frozenset()


class Source:
    """A language, and what is asked about a text in it.

    - ``is_manifest``: what stands there is what the API server gets; patches and annotations are for it.
    - ``holds_objects``: its documents are Kubernetes objects, and no blocks that describe something else.
    - ``is_code``: values may be expressions, which are known when it is run, and a text may have no place for a change.
    - ``is_program``: code makes the objects, so that one text may stand for many, and one object be all over it.
    - ``has_segments``: secrets in its text are masked segment by segment, as in YAML.
    - ``maker``, ``fills_in``: who makes its objects, and who adds to them, in words; ``by_hand`` is the advice where a
      change has no place, ``made_beside`` where a new object has none, ``no_patch`` why there is no patch of it.
    """

    name = ""
    is_manifest = False
    holds_objects = True
    is_code = False
    is_program = False
    has_segments = False
    maker = ""
    fills_in = ""
    by_hand = ""
    made_beside = ""
    no_patch = "holds no Kubernetes objects"

    # Reading.

    def reader(self, around: Around) -> Reader | None:
        """What reads the files of this language in one tree; None where the tree itself does: YAML."""
        raise NotImplementedError

    def parse(self, piece: Piece, text: str) -> Parsed:
        """``text`` in the place of ``piece``. Raises TextError for what is none of this language."""
        raise NotImplementedError

    def read(self, piece: Piece) -> Parsed:
        """``piece`` as read."""
        return self.parse(piece, piece.text)

    def text_of(self, parsed: Any) -> str:
        """The text that ``parsed`` is the reading of."""
        return str(parsed.source.decode())

    def holds(self, parsed: Any, data: list[Any]) -> bool:
        """Whether the text says ``data``, type by type."""
        return yaml.same(parsed.documents, data)

    def line_of(self, parsed: Any, path: Path) -> int:
        """The line of a path that begins with the number of its document."""
        return int(parsed.line(int(path[0]), path[1:])) if path else 1

    def comments(self, parsed: Any) -> list[Comment]:
        """Every comment of a text, those in texts of it included."""
        return list(parsed.comments())

    def may_comment(self, text: str) -> bool:
        """Whether ``text`` may hold a comment: a search, where that tells."""
        return True

    def check_comment(self, parsed: Any, number: int, text: str) -> None:
        """Raise TextError where a comment ``text`` in the document ``number`` would be more than one."""

    # What the objects leave open.

    def unknown(self, piece: Piece, path: Path, read: Path, said: str, expression: str) -> Unknown | None:
        """What keeps the value at ``path`` (``read``: in the text as read) from being known; ``said`` is what the view
        says, ``expression`` what it names. None where nothing more is known than that."""
        return None

    def chooses_namespace(self, written: Any) -> bool:
        """Whether who makes an object may put it in any namespace, where ``written`` stands for it (None: nothing)."""
        return False

    def sends_defaults(self, piece: Piece) -> bool:
        """Whether more is sent to the API server than stands in ``piece``."""
        return False

    def doubt(self, piece: Piece, read: Path, target: str, data: Any) -> str | None:
        """Why what stands at the place ``read`` of the text as read may come out otherwise, so that no change of it is
        safe. ``target``: it is a "pod", a "container", or ""; ``data`` is what is decided of it."""
        return None

    def open_containers(self, pod: Any) -> str | None:
        """That a pod with the spec ``pod`` may get more containers than are written, in words."""
        for key in ("initContainers", "containers"):
            if isinstance(found := pod.get(key), OpenList):
                return f"{self.fills_in} may add {key}: {found.why}"
        return None

    def implied(self, piece: Piece, after: Any, pods: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """The places of the decided object ``after`` that have to be true beside what was decided, each with why.
        ``pods`` are the paths of its pod specs."""
        return iter(())

    def making(self, file: ManifestFile) -> Making | None:
        """How a program makes its objects; None where they are written."""
        return None

    def hidden(self, file: ManifestFile) -> Iterator[str]:
        """What in ``file`` may make pods that are not seen, in words."""
        return iter(())

    def value_of(self, file: ManifestFile, text: str) -> tuple[Any] | None:
        """The one value of the expression that ``text`` is; None where it is not known."""
        return None

    def advise(self, piece: Piece, kind: str) -> str | None:
        """What to do about a pod of ``piece`` that is left alone: a "patch", or a "part" of one; None: the usual."""
        return None

    # Writing.

    def rewrite(self, piece: Piece, mutate: Mutate, plan: Plan) -> Written:
        """``piece`` with the changes that ``mutate`` makes to its documents. Raises TextError where they cannot be
        written."""
        return self.rewrite_text(piece, piece.text, mutate)

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> Written:
        """As ``rewrite``, of ``text`` in place of that of ``piece``."""
        raise NotImplementedError

    def check(self, piece: Piece, after: list[Any], touched: Parts, at: Path, *, removes: bool) -> None:
        """Raise TextError where the text has no place for the documents ``after``: a quick look before ``rewrite``.
        ``touched`` are the places of the edits, ``at`` is the first, ``removes`` tells whether something goes."""

    def owned(self, piece: Piece, written: Any, touches: Sequence[Touch]) -> Owned:
        """The lines that the edits ``touches`` may change."""
        raise NotImplementedError

    # New objects.

    def can_create(self, beside: Piece, *, for_hosts: bool) -> bool:
        """Whether a new object, or a file for hosts, has a place beside ``beside``."""
        return True

    def draft(self, beside: Piece, value: dict[str, Any]) -> Piece | None:
        """The piece of a new object in the file of ``beside``; None where it goes to a file of its own."""
        return None

    def put(self, file: ManifestFile, piece: Piece) -> None:
        """Add a piece that the run makes to its ``file``."""
        file.pieces.append(piece)

    def separator(self, before: Piece | None) -> str:
        """What stands between a new piece and that ``before`` it."""
        if before is None:
            return ""
        return "---\n" if before.is_new or before.text[-1:] in ("", "\n") else "\n---\n"

    def dump(self, piece: Piece, newline: str, templates: TextTemplates | None = None) -> str:
        """The text of the new ``piece``; ``templates`` are those of texts that were proved before. Raises TextError
        where there is none, and where it does not read back."""
        raise NotImplementedError

    # Reports.

    def searched(self, file: ManifestFile, text: str) -> str:
        """What of ``text`` is searched for secrets."""
        return text
