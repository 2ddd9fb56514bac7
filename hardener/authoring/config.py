"""``.harden.yaml``: what a repository says about its cluster and wants by default."""

from __future__ import annotations

import os
import re
from dataclasses import field
from datetime import date
from typing import Annotated, Any

from hardener.errors import InputError
from hardener.kubernetes.image_table import NO_ROWS, OwnRows, row_of
from hardener.sources import yaml
from hardener.sources.files import UnreadableError, is_inside, read_bytes
from hardener.support.fast_dataclass import dataclass

NAME = ".harden.yaml"
DEFAULT_VERSION = "1.35"
NEWEST = (1, 37)
"""The newest Kubernetes that this release knows; a later one is judged like it."""
_MOST_ROWS = 1000  # about images: each pattern among them is tried on each image
_LARGEST = 16 * 1024 * 1024  # bytes of a file of settings, or of a lock
_LONGEST_PATTERN = 1000  # characters of an entry of exclude
_HOST = r"[A-Za-z0-9.-]+(:[0-9]+)?"
_FOLDERS = r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"  # as in the name of an image, so ".." is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """An entry of ``exceptions``: the transform ``id``, the risk or "*", waived until ``expires``, that day included.

    It speaks of objects that fit all of ``kind``, ``name`` and ``path`` (patterns), ``namespace``, and there of
    ``container``; None fits everything. It stands on ``line`` of ``file``.
    """

    id: str
    reason: str
    expires: date
    owner: str | None
    kind: str | None
    name: str | None
    namespace: str | None
    container: str | None
    path: str | None
    file: str
    line: int


DEEP_LIMITS = ("compressed", "uncompressed", "members", "ratio")


@dataclass(frozen=True, slots=True)
class Registry:
    """How to reach a registry: through ``mirrors`` (host, or host and path) first; ``insecure``: without TLS, None
    where nothing says it. What a repository says of it is not trusted: see ``lock.oci.client``."""

    mirrors: tuple[str, ...] = ()
    insecure: bool | None = None


@dataclass(slots=True)
class Config:
    """The settings of a repository; ``path`` is None when it has none. ``options`` are profile options by group.

    ``peer_marks`` tells whether the marks of other scanners are honoured. ``namespaces`` are those of objects that name
    none, by pattern of their files. ``registries`` are by host. ``deep``: how much of an image is read at the most.
    ``images`` are rows about images, which win over the image table. ``exclude``: what is evidence only, as
    patterns.
    """

    path: str | None = None
    profile: str | None = None
    kubernetes_version: str | None = None
    platform: str | None = None
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    peer_marks: bool = True
    namespaces: dict[str, str] = field(default_factory=dict)
    registries: dict[str, Registry] = field(default_factory=dict)
    deep: dict[str, str | int] = field(default_factory=dict)
    images: OwnRows = NO_ROWS
    exclude: tuple[str, ...] = ()


def load(root: str, named: str | None = None) -> Config:
    """The config file ``named``, else the one at ``root``. Raises InputError when it is missing or wrong."""
    path = named or os.path.join(root, NAME)
    if not os.path.exists(path):
        if named:
            raise InputError(f"{named}: no such config file")
        return Config()
    name = os.path.relpath(path)
    if not named and not is_inside(os.path.realpath(path), os.path.realpath(root)):
        raise InputError(f"{name}: a link out of the tree, which is not followed; name the file with --config")
    parsed = parsed_file(path, name)
    documents = parsed.documents
    if not documents or documents == [None]:
        return Config(path)
    if len(documents) > 1:
        raise InputError(f"{name}: a config file is one document")
    import msgspec  # late: most runs have no config file

    known = records()
    version = documents[0].get("kubernetes-version") if isinstance(documents[0], dict) else None
    if isinstance(version, float):
        raise InputError(f'{name}: kubernetes-version needs quotes, "1.30" without them is the number 1.3')
    try:
        found: Any = msgspec.convert(documents[0], known[""])
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {explained(error, known)}") from None
    if found.platform not in (None, "kubernetes", "openshift"):
        raise InputError(f"{name}: platform is kubernetes or openshift")
    for pattern, namespace in found.namespaces.items():
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", namespace):
            raise InputError(f"{name}: {namespace!r}, the namespace of {pattern}, is no name of a namespace")
    exemptions = tuple(
        Exemption(
            id=entry.id, reason=entry.reason, expires=entry.expires, owner=entry.owner, kind=entry.match.kind,
            name=entry.match.name, namespace=entry.match.namespace, container=entry.match.container,
            path=entry.match.path, file=name, line=parsed.line(0, ("exceptions", index)),
        )
        for index, entry in enumerate(found.exceptions)
    )  # fmt: skip
    return Config(
        path, found.profile, found.kubernetes_version, found.platform, found.options, exemptions, found.peer_marks,
        found.namespaces,
        checked_registries(found.registries, name),
        {key: limit for key in DEEP_LIMITS if (limit := getattr(found.deep, key)) is not None},
        _image_rows(found.images, parsed, name), _patterns(found.exclude, parsed, name),
    )  # fmt: skip


def records() -> dict[str, Any]:
    """What a file looks like, for msgspec: the record at each place of it, "" for the whole. Each field says what it
    is about."""
    import msgspec

    def said(kind: Any, description: str) -> Any:
        return Annotated[kind, msgspec.Meta(description=description)]

    # Made by calls, since a class in a function cannot name another one in its annotations.
    match = msgspec.defstruct(
        "Match",
        [
            ("kind", said(str | None, "the kind of the object"), None),
            ("name", said(str | None, "its name, a pattern such as `legacy-*`"), None),
            ("namespace", said(str | None, "its namespace"), None),
            ("container", said(str | None, "one container of its pod, by name"), None),
            ("path", said(str | None, "the file, a pattern as in .gitignore, seen from the Git root"), None),
        ],
        forbid_unknown_fields=True,
    )
    entry = msgspec.defstruct(
        "Entry",
        [
            ("id", said(str, "a transform, a risk such as `K01`, or `*` for all")),
            ("expires", said(date, "the last day of the exception, at most twelve months ahead")),
            (
                "match",
                said(match, "what it speaks of; all that is written has to fit"),
                msgspec.field(default_factory=match),
            ),
            ("reason", said(str, "why it stays as it is; an exception without one is not honoured"), ""),
            ("owner", said(str | None, "who is asked when it has ended"), None),
        ],
        forbid_unknown_fields=True,
    )
    registry = registry_record()
    deep = msgspec.defstruct(
        "Deep",
        [
            ("compressed", said(str | int | None, "bytes of layers of one image, `2Gi` by default"), None),
            ("uncompressed", said(str | int | None, "bytes of them unpacked, `8Gi` by default"), None),
            ("members", said(str | int | None, "files and folders, `500000` by default"), None),
            ("ratio", said(str | int | None, "how many times its size a layer may unpack to, `200` by default"), None),
        ],
        forbid_unknown_fields=True,
    )
    document = msgspec.defstruct(
        "Document",
        [
            ("profile", said(str | None, "a built-in profile, or a file, seen from here"), None),
            (
                "kubernetes_version",
                said(str | None, 'the oldest version among your clusters, in quotes: `"1.31"`'),
                None,
            ),
            (
                "platform",
                said(str | None, "`kubernetes` or `openshift`; else what is built or stands with an object says it"),
                None,
            ),
            ("options", said(dict[str, dict[str, str | int | float | bool]], "options of the profile, by group"), {}),
            ("exceptions", said(list[entry], "what stays as it is until a day"), []),  # type: ignore[valid-type]
            ("peer_marks", said(bool, "`false`: marks of other scanners waive nothing"), True),
            (
                "namespaces",
                said(dict[str, str], "the namespace of objects that name none, by a pattern of their files"),
                {},
            ),
            ("registries", said(dict[str, registry], "mirrors and registries without TLS, by host"), {}),  # type: ignore[valid-type]
            (
                "deep",
                said(deep, "how much of an image `harden lock --deep` reads"),
                msgspec.field(default_factory=deep),
            ),
            ("images", said(list[dict[str, Any]], "what you know of images; it wins over the image table"), []),
            # checked by hand: what is wrong with a pattern no type tells
            (
                "exclude",
                said(Any, "a list of patterns as in .gitignore: what is not hardened unless it is named"),
                None,
            ),
        ],
        forbid_unknown_fields=True,
        rename="kebab",
    )
    return {"": document, "exceptions": entry, "exceptions.match": match, "registries": registry, "deep": deep}


def registry_record() -> Any:
    """What an entry of ``registries`` looks like, for msgspec."""
    import msgspec

    mirrors = Annotated[
        tuple[str, ...], msgspec.Meta(description="asked first, host or host and path; then the registry")
    ]
    insecure = Annotated[bool | None, msgspec.Meta(description="`true`: it is asked without TLS")]
    fields = [("mirrors", mirrors, ()), ("insecure", insecure, None)]
    return msgspec.defstruct("Registry", fields, forbid_unknown_fields=True)


def checked_registries(found: dict[str, Any], name: str) -> dict[str, Registry]:
    """The entries of ``registries`` in the file ``name``, by host. Raises InputError for what is no host."""
    for host, how in found.items():
        for one, pattern in ((host, _HOST), *((mirror, _HOST + _FOLDERS) for mirror in how.mirrors)):
            if not re.fullmatch(pattern, one):
                raise InputError(f"{name}: registries: {one!r} is no registry: write its host, as images name it")
    return {host: Registry(how.mirrors, how.insecure) for host, how in found.items()}


def _image_rows(entries: list[dict[str, Any]], parsed: yaml.Parsed, name: str) -> OwnRows:
    """The entries of ``images``. Raises InputError for the first that no row of the image table may look like."""
    if not entries:
        return NO_ROWS
    from hardener.kubernetes.image_row_schema import is_quick, mistakes  # late: few repositories have rows of their own

    for index, entry in enumerate(entries):
        for key, text in mistakes(entry):
            place = ("images", index) if key is None else ("images", index, key)
            raise InputError(f"{name}:{parsed.line(0, place)}: images: {text if key is None else f'{key} {text}'}")
        if not is_quick(entry.get("tags", "")):
            line = parsed.line(0, ("images", index, "tags"))
            raise InputError(f"{name}:{line}: images: tags would take too long: repeat less, and no group")
    rows = [
        row_of({**entry, "match": match}, origin=name)
        for entry in entries
        for match in (entry["match"] if isinstance(entry["match"], list) else [entry["match"]])
    ]
    if len(rows) > _MOST_ROWS:
        raise InputError(f"{name}:{parsed.line(0, ('images',))}: images: more than {_MOST_ROWS} names")
    return OwnRows(rows)


def _patterns(entries: Any, parsed: yaml.Parsed, name: str) -> tuple[str, ...]:
    """The entries of ``exclude``. Raises InputError for the first that is no pattern, or that no file can fit."""
    if entries is None:
        return ()
    if not isinstance(entries, list):
        line = parsed.line(0, ("exclude",))
        shown = "exclude: [legacy/, '*.gen.yaml']"
        raise InputError(f"{name}:{line}: exclude is a list of patterns as in .gitignore: {shown}")
    for index, entry in enumerate(entries):
        if wrong := _wrong_pattern(entry):
            line = parsed.line(0, ("exclude", index))
            raise InputError(f"{name}:{line}: exclude: {str(entry)[:_LONGEST_PATTERN]!r} {wrong}")
    return tuple(entries)


def _wrong_pattern(entry: Any) -> str:
    """What is wrong with an entry of ``exclude``; "" for a pattern that some file may fit."""
    if not isinstance(entry, str) or not entry.strip():
        return "is no pattern as in .gitignore: write a name, a path or a pattern, as text"
    if len(entry) > _LONGEST_PATTERN:
        return f"is longer than {_LONGEST_PATTERN} characters"
    if os.pardir in entry.removeprefix("!").split("/"):
        return "leads out of the repository: patterns are seen from its root"
    from hardener.sources.ignore_patterns import spec_of  # late: few repositories exclude anything

    try:
        (pattern,) = spec_of([entry]).patterns
    except ValueError:
        return "is no pattern as in .gitignore"
    return "fits no file: it is read as a line of .gitignore" if pattern.include is None else ""


def explained(error: Exception, known: dict[str, Any]) -> str:
    """What msgspec has against a document; where a field is unknown, with those that are not. ``known`` are the records
    by their place in it, "" for the document."""
    import msgspec

    text = str(error)
    if not text.startswith("Object contains unknown field"):
        return text
    at = re.search(r"- at `\$\.?(.*)`", text)
    record = known.get(re.sub(r"\[[^]]*\]", "", at[1] if at else ""))
    names = [field.encode_name for field in msgspec.structs.fields(record)] if record is not None else []
    return f"{text}: known are {', '.join(names)}" if names else text


def parsed_file(path: str, name: str) -> yaml.Parsed:
    """A file of settings, called ``name`` in messages. Raises InputError when it cannot be read or is no YAML."""
    try:
        return yaml.parse(read_bytes(path, _LARGEST)[0].decode("utf-8-sig"))
    except UnreadableError as error:
        raise InputError(f"{name}: cannot be read: {error.message.removeprefix('cannot be read: ')}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: cannot be read: not UTF-8") from None
    except yaml.TextError as refused:
        raise InputError(f"{name}:{refused.line or 1}: {refused.reason}") from None


def day(text: str) -> date:
    """``2026-11-25`` as a day. Raises InputError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text}: a day looks like 2026-11-25") from None


def version(text: str) -> tuple[int, int]:
    """``1.35`` as numbers. Raises InputError for anything else."""
    match = re.fullmatch(r"v?(1)\.(\d{1,2})(?:\.\d+)?", text)
    if not match:
        raise InputError(f"{text}: a Kubernetes version looks like {DEFAULT_VERSION}")
    return int(match.group(1)), int(match.group(2))
