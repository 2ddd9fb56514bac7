"""What is known of well-known images.

`data/images.yaml` is kept by hand. `data/surveyed-images.yaml` is made from a survey of many Dockerfiles
(`tests/image_survey.py`) and answers for the names and the facts that the first leaves open.

A row is about the image of one publisher. `match` is a name or a glob (`*` also matches `/`) over the normalised
repository, so `nginx` means Docker's official image under each of its names, and not `registry.example.com/nginx`:
nobody knows what a private registry keeps under a known name. Mirrors and proxies that name what is behind them are
taken for that (`mirrors.py`).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.kubernetes.images.mirrors import published
from hardener.kubernetes.images.reference import ImageReference, normalize, parse
from hardener.sources import yaml

_BY_HAND = Path(__file__).parents[1] / "data" / "images.yaml"
_SURVEYED = _BY_HAND.with_name("surveyed-images.yaml")
_ENTRY = "\n- match: "
_OTHER_SYSTEM = re.compile(r"windows|nanoserver")
_NAMES = re.compile(r"[^\[\]\", ]+")

TABLE = "image table"
READ = ("docs", "dockerfile", "dockerfile+entrypoint")
"""What was read for a row, the least first."""
_BY_DOCKERFILE = frozenset({"user", "uid", "gid", "ports", "volumes"})
_NO_FACTS = frozenset(
    {"match", "tags", "behaves_as", "source", "read", "verified", "version_unknown", "doubted", "origin"}
)
# What an image has of its own, whatever it behaves as.
_NOT_OF_BASE = frozenset({"api", "api_except", "memory", "sensitive", "shipped_uid", "shipped_gid", "writes_complete"})
_LISTED = ("writable", "volumes", "filled")  # an image has those of its base besides its own
_MOST_BASES = 4
_DIGIT = re.compile(r"[0-9]")


class ImageRow(Struct, frozen=True):
    """Facts about an image; None, () and False mean that nobody has looked.

    - `match`: glob over the normalised repository. `tags`: regex searched for in the tag, None for all tags.
    - `behaves_as`: the image whose row says what this one leaves open, as one made from it does. Without a tag, which
      version of it is not known.
    - `user`: USER of the image config, "root" when it names none. `uid`, `gid`: the ids that its service runs with.
    - `shipped_uid`, `shipped_gid`: those that the manifests of its maintainers set.
    - `any_user`: it runs under any number, too.
    - `writable`: paths that must stay writable under a read-only root. `writes_complete`: it writes nowhere else but to
      its VOLUMEs and /tmp. `empty`: paths that hold nothing in the image. `filled`: paths with files that it needs.
    - `volumes`: its VOLUMEs.
    - `ports`: TCP ports the image serves. `file_caps`: file capabilities (`=ep`) of its binary, without CAP_.
    - `capabilities`: those that it needs as its vendor ships it, without CAP_.
    - `rofs`: "ok" or "no". `rofs_ok_with`: settings with which one that is "no" is ok. `tmp`: "no" when /tmp is not
      needed. `pvc`: "ok" when a volume of another owner works.
    - `root`: "required" when its work needs root. `root_start`: "required" when its own command fails at once under
      another user, "copes" when it was seen to handle that. `root_start_unless`: settings with which a required one is
      not, `root_start_required_with`: those with which one that copes is; see `images/conditions.py`.
    - `setuid`: setuid programs are used. `seccomp`: "sensitive".
    - `class_`: "node-agent", "ingress-controller", "model-server", ... `runtime`: "jvm", "dotnet".
    - `api`: need of the Kubernetes API, "needed", "no", "optional".
    - `api_except`: globs of container names for which `api` is "no".
    - `memory`: a quantity it needs. `sensitive`: it is an administration interface.
    - `source`: where the facts are from. `read`: what was read for them, one of `READ`.
    - `verified`: date and how they were checked once more. `version_unknown`: which version was read is not known.
    - `doubted`: facts that were joined from a row for which less was read.
    - `origin`: where people find the row: "image table", or the configuration where it is one of a user.
    """

    match: str
    tags: str | None = None
    behaves_as: str | None = None
    user: str | None = None
    uid: int | None = None
    gid: int | None = None
    shipped_uid: int | None = None
    shipped_gid: int | None = None
    any_user: bool = False
    writable: tuple[str, ...] = ()
    writes_complete: bool = False
    empty: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    file_caps: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    rofs: str | None = None
    rofs_ok_with: tuple[str, ...] = ()
    tmp: str | None = None
    pvc: str | None = None
    root: str | None = None
    root_start: str | None = None
    root_start_unless: tuple[str, ...] = ()
    root_start_required_with: tuple[str, ...] = ()
    setuid: bool = False
    seccomp: str | None = None
    class_: str | None = None
    runtime: str | None = None
    api: str | None = None
    api_except: tuple[str, ...] = ()
    memory: str | None = None
    sensitive: bool = False
    source: str | None = None
    read: str | None = None
    verified: str | None = None
    version_unknown: bool = False
    doubted: frozenset[str] = frozenset()
    origin: str = TABLE

    def sure_of(self, fact: str) -> bool:
        """Whether enough was read for ``fact``, the name of a field, to call a change safe that rests on it.

        A Dockerfile shows users, ports and VOLUMEs. What is written, and what root and capabilities are for, is shown
        by the entrypoint. What documentation says, or a source of unknown age, is a reason to ask, and never more.
        """
        if fact not in _FACTS:
            raise ValueError(f"{fact} is no fact of an image")
        if self.read is None or self.version_unknown or fact in self.doubted:
            return False
        return _reach(fact, self.read)

    @property
    def is_own(self) -> bool:
        """Whether it is a row of the user, or joined with one."""
        return self.origin != TABLE

    @property
    def says_nothing(self) -> bool:
        """Whether it stands for tags that are something else, and holds no fact."""
        return self.behaves_as is None and all(getattr(self, name) == value for name, value in _FACTS.items())


_NO_ROW = ImageRow("")
_FACTS: dict[str, Any] = {name: getattr(_NO_ROW, name) for name in ImageRow.__struct_fields__ if name not in _NO_FACTS}


def _reach(fact: str, read: str | None) -> bool:
    return read == READ[2] or (read == READ[1] and fact in _BY_DOCKERFILE)


class OwnRows:
    """Rows of a user, in the order in which they are written."""

    def __init__(self, own: Iterable[ImageRow] = ()) -> None:
        self._by_glob: dict[str, list[ImageRow]] = {}
        for row in own:
            self._by_glob.setdefault(normalize(row.match), []).append(row)
        self._globs = [glob for glob in self._by_glob if "*" in glob]
        self._found: dict[str, list[list[ImageRow]]] = {}

    def of(self, repository: str) -> list[list[ImageRow]]:
        """The rows of each glob that fits ``repository``, those of its very name first."""
        if not self._by_glob:
            return []
        found = self._found.get(repository)
        if found is None:
            globs = [repository] if repository in self._by_glob else []
            globs += (glob for glob in self._globs if glob != repository and fnmatchcase(repository, glob))
            found = self._found[repository] = [self._by_glob[glob] for glob in globs]
        return found


NO_ROWS = OwnRows()


def lookup(reference: ImageReference, own: OwnRows = NO_ROWS) -> ImageRow | None:
    """What is known of an image, or None. ``own`` are rows of the user, which win over the table.

    The first `match` that fits decides, in each file for itself; its rows for different tags are told apart by the tag
    (`latest` when none is written). A tag that is not known (an expression, or a digest alone) gets only the facts on
    which all its rows agree; that is why the files have rows without facts, for tags that are something else. Where the
    row names an image that this one behaves as, that image is looked up for what the row leaves open.
    """
    return _lookup(reference, own, _MOST_BASES)


def _lookup(reference: ImageReference, own: OwnRows, left: int) -> ImageRow | None:
    """``left``: how many more images may be looked up, as each row may name another one."""
    row = _own_row(reference, own)
    base = parse(row.behaves_as) if row is not None and row.behaves_as is not None and left else None
    if row is None or base is None:
        return row
    if base.is_latest:
        base = replace(base, opaque=True)  # its version is not known
    below = _lookup(base, own, left - 1)
    return row if below is None else _with_base(row, below)


def _own_row(reference: ImageReference, own: OwnRows) -> ImageRow | None:
    """What the rows of the image itself say."""
    named = reference.normalized
    if named is None:
        return None
    repository, is_sure = published(named)
    tag = "latest" if reference.is_latest else reference.tag
    found = _of_files((repository, named), tag)
    if not is_sure:
        found = [replace(row, doubted=frozenset(_FACTS)) for row in found]
    above = _fitting(own.of(named), tag) or _fitting(own.of(repository), tag)
    found = [_joined(row, other, True) for row in above for other in found or [ImageRow(row.match)]] or found
    return _agreed(found) if found else None


def _of_files(repositories: Sequence[str], tag: str | None) -> list[ImageRow]:
    """The rows that come with harden, those by hand over those of the survey, of the first repository that has some."""

    def of(surveyed: bool) -> list[ImageRow]:
        return next(filter(None, (_fitting(_rows_of(surveyed, each), tag) for each in repositories)), [])

    is_linux = tag is None or _OTHER_SYSTEM.search(tag) is None
    below = of(surveyed=True) if is_linux else []  # the survey is about images of Linux
    by_hand = of(surveyed=False)
    return [_over(row, other) for row in by_hand for other in below] or by_hand or below


def is_kept_by_hand(reference: ImageReference) -> bool:
    """Whether a row by hand is about the image: a product that many run, and not one of many surveyed."""
    named = reference.normalized
    return named is not None and bool(_rows_of(False, published(named)[0]))


def rows() -> tuple[ImageRow, ...]:
    """All rows, in the order of the files, those by hand first."""
    return tuple(row for surveyed in (False, True) for glob in _table(surveyed) for row in _rows_at(surveyed, glob))


def _fitting(groups: Iterable[Sequence[ImageRow]], tag: str | None) -> list[ImageRow]:
    for group in groups:
        fitting = [row for row in group if tag is None or row.tags is None or re.search(row.tags, tag)]
        if fitting:
            return fitting
    return []


@lru_cache(maxsize=4096)
def _rows_of(surveyed: bool, repository: str) -> list[tuple[ImageRow, ...]]:
    """The rows of each glob that fits ``repository``, in the order of the file."""
    table = _table(surveyed)
    # Nearly all globs are plain names.
    globs = _globs(surveyed)
    fitting = []
    if repository.startswith(tuple(globs.values())):
        fitting = [
            glob for glob, start in globs.items() if repository.startswith(start) and fnmatchcase(repository, glob)
        ]
    if repository in table:
        fitting.append(repository)
        if len(fitting) > 1:
            fitting.sort(key=list(table).index)
    return [_rows_at(surveyed, glob) for glob in fitting]


@cache
def _globs(surveyed: bool) -> dict[str, str]:
    """The globs that are no plain names, with what each begins with."""
    return {glob: glob.partition("*")[0] for glob in _table(surveyed) if "*" in glob}


@cache
def _table(surveyed: bool) -> dict[str, list[str]]:
    """The entries as they are written, by normalised glob, read once and only when an image is looked up.

    Each begins with its `match`, a name or a list of names. A run asks for few of them, so that only those are parsed.
    """
    groups: dict[str, list[str]] = {}
    text = (_SURVEYED if surveyed else _BY_HAND).read_bytes().decode()  # read_text takes ten times as long
    entries = text.split(_ENTRY)
    if not surveyed:
        for entry in entries[1:]:
            for name in _NAMES.findall(entry, 0, entry.index("\n")):
                groups.setdefault(normalize(name), []).append(entry)
        return groups
    for entry in entries[1:]:  # names are normalised there, and each is in quotes
        for name in entry[2 : entry.index('"]')].split('", "'):
            if name in groups:
                groups[name].append(entry)
            else:
                groups[name] = [entry]
    return groups


@cache
def _rows_at(surveyed: bool, glob: str) -> tuple[ImageRow, ...]:
    entries = _table(surveyed)[glob]
    if surveyed:
        return tuple(row_of(_facts_of(entry) | {"match": glob}) for entry in entries)

    found = (yaml.parse(textwrap.dedent(f"  match: {entry}")).documents[0] for entry in entries)
    return tuple(row_of(entry | {"match": glob} if isinstance(entry["match"], list) else entry) for entry in found)


def _facts_of(entry: str) -> dict[str, Any]:
    """The values of an entry of the survey, each on the line of its key: a string, a number, a list of these, or true.

    The YAML engine takes ten times as long.
    """
    lines = (line[2:].partition(": ") for line in entry.split("\n")[1:] if line[:2] == "  " and line[2] != "#")
    return {key: _value(text) for key, _, text in lines}


def _value(text: str) -> Any:
    if text[0] == '"':
        return text[1:-1].replace("\\\\", "\\")
    if text[:2] == '["':
        return text[2:-2].split('", "')
    if text[0] == "[":
        return [int(number) for number in text[1:-1].split(", ")]
    return True if text == "true" else int(text)


def row_of(entry: Mapping[str, Any], origin: str = TABLE) -> ImageRow:
    """A row from its mapping; the keys are the fields' names with dashes (`file-caps`), and `class`.

    A row of the table shows which version was read by its tags, or by the day on which it was checked.
    """
    values: dict[str, Any] = {
        "class_" if key == "class" else key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in entry.items()
    }
    if origin == TABLE and "verified" not in entry and not _DIGIT.search(entry.get("tags", "")):
        values["version_unknown"] = True
    return ImageRow(**values, origin=origin)


def _over(by_hand: ImageRow, surveyed: ImageRow) -> ImageRow:
    """A row kept by hand, over one of the survey. It wins where somebody read for it; where nobody did, and nobody read
    more than documentation for the survey, they have to agree."""
    if by_hand.says_nothing:
        return by_hand
    if by_hand.read is not None or by_hand.verified is not None:
        return _joined(by_hand, surveyed, True)
    return _joined(by_hand, surveyed, None if surveyed.read == READ[0] else False)


def _joined(above: ImageRow, below: ImageRow, first: bool | None) -> ImageRow:
    """The facts of both rows. Where they disagree, those of ``above`` are taken (``first``), of ``below`` (not
    ``first``), or none (None)."""
    rows = (above, below)
    read = _most_read(rows)
    told = {name: _told(name, above, below, first) for name in _FACTS}
    taken = {name: _taken(name, *told[name], above, first) for name in _FACTS}
    values = {name: value for name, value in taken.items() if value != _FACTS[name]}
    unsure = [name for name, value in values.items() if not _is_sure(name, value, told[name], above, below)]
    return ImageRow(
        above.match,
        above.tags,
        above.behaves_as or below.behaves_as,
        **values,
        source=_together("; ", above.source, below.source),
        read=read,
        verified=above.verified or below.verified,
        version_unknown=all(row.read is None or row.version_unknown for row in rows),
        doubted=frozenset(name for name in unsure if _reach(name, read)),
        origin=_together(" and ", above.origin, None if below.says_nothing else below.origin) or TABLE,
    )


def _most_read(rows: Iterable[ImageRow]) -> str | None:
    return max((row.read for row in rows if row.read is not None), key=READ.index, default=None)


def _told(name: str, above: ImageRow, below: ImageRow, first: bool | None) -> tuple[Any, Any]:
    """What each row says for one fact. Of a number of different users, only the row that is taken says anything."""
    one, other = getattr(above, name), getattr(below, name)
    if name not in _of_another_user(above, below):
        return one, other
    unknown = _FACTS[name]
    return one if first else unknown, other if first is False else unknown


def _with_base(row: ImageRow, base: ImageRow) -> ImageRow:
    """The facts of ``row``, and where it is silent those of the image that it behaves as.

    Nothing is sure where no Dockerfile of a known version showed which base it is.
    """
    shared = {name: unknown for name, unknown in _FACTS.items() if name in _NOT_OF_BASE}
    below = replace(base, **shared, behaves_as=None)
    found = _joined(row, below, True)
    lists = {name: tuple(dict.fromkeys((*getattr(row, name), *getattr(below, name)))) for name in _LISTED}
    doubted = found.doubted | {name for name in _LISTED if getattr(row, name) != lists[name] != getattr(below, name)}
    if row.version_unknown or row.read in (None, READ[0]):
        doubted |= _FACTS.keys()
    return replace(found, **lists, doubted=doubted)


def _together(between: str, *texts: str | None) -> str | None:
    """The texts that are there, each once; None where none is."""
    return between.join(dict.fromkeys(filter(None, texts))) or None


def _taken(name: str, one: Any, other: Any, above: ImageRow, first: bool | None) -> Any:
    """What is taken of two values for one fact; that which stands for unknown for none."""
    unknown = _FACTS[name]
    if one == other or other == unknown:
        return one
    if one != unknown:
        return {True: one, False: other, None: unknown}[first]
    if name == "filled" and first:  # an empty volume works where who read says that it is written
        return tuple(path for path in other if path not in above.writable)
    return other


def _is_sure(name: str, taken: Any, told: tuple[Any, Any], above: ImageRow, below: ImageRow) -> bool:
    """Whether a row that says what is ``taken`` is sure of it."""
    if told[0] == taken and above.sure_of(name):
        return True
    covered = name == "writable" and _covers(taken, below)
    return (told[1] == taken or covered) and below.sure_of(name)


def _covers(writable: tuple[str, ...], row: ImageRow) -> bool:
    """Whether ``writable`` names all that ``row`` knows to be written; one path more does no harm."""
    known = {*row.writable, *row.volumes}
    return (bool(known) or row.rofs == "ok") and known <= {*writable}


def _of_another_user(above: ImageRow, below: ImageRow) -> frozenset[str]:
    """The numbers that the rows do not share, as they speak of different users."""
    if above.user is not None and below.user is not None and above.user != below.user:
        return frozenset({"uid", "gid"})
    return frozenset({"gid"} if above.uid is not None and below.uid is not None and above.uid != below.uid else ())


def _agreed(candidates: Sequence[ImageRow]) -> ImageRow | None:
    """The facts that all candidates share, or None when they share none."""
    first, *others = candidates
    row = _shared(first, candidates) if others else first
    return None if row.says_nothing else row


def _shared(first: ImageRow, candidates: Sequence[ImageRow]) -> ImageRow:
    values = {name: getattr(first, name) for name in ImageRow.__struct_fields__}
    values = {name: one for name, one in values.items() if all(getattr(row, name) == one for row in candidates)}
    reads = [row.read for row in candidates]
    values["read"] = None if None in reads else min((read for read in reads if read), key=READ.index)
    values["version_unknown"] = any(row.version_unknown for row in candidates)
    values["doubted"] = frozenset().union(*(row.doubted for row in candidates))
    if "writable" not in values:  # there may be more than what each of them writes to
        shared = [path for path in first.writable if all(path in row.writable for row in candidates)]
        values |= {"writable": tuple(shared), "writes_complete": False}
        values["doubted"] |= {"writable", "rofs"}
    return ImageRow(**values)
