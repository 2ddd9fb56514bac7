"""``.harden.yaml``: what a repository says about its cluster and wants by default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Struct, field

from hardener.authoring.document_errors import explained
from hardener.authoring.edits import Grade
from hardener.errors import InputError
from hardener.kubernetes.images.row_schema import is_quick, mistakes
from hardener.kubernetes.images.table import NO_ROWS, OwnRows, row_of
from hardener.kubernetes.objects import quantity
from hardener.sources import files, yaml
from hardener.sources.files import UnreadableError, is_inside, read_bytes

NAME = files.CONFIG
DEFAULT_VERSION = "1.36"
NEWEST = (1, 37)
"""The newest Kubernetes that this release knows; a later one is judged like it."""
_MOST_ROWS = 1000  # about images: each pattern among them is tried on each image
_LARGEST = 16 * 1024 * 1024  # bytes of a file of settings, or of a lock
LONGEST_PATTERN = 1000  # characters of an entry of exclude
PLATFORMS = ("kubernetes", "openshift")
# What has to fit whole: the name of a namespace, a host of a registry, a mirror, a version of Kubernetes.
NAMESPACE = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
HOST = r"[A-Za-z0-9.-]+(:[0-9]+)?"
MIRROR = HOST + r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"  # as in the name of an image, so ".." is none
VERSION = r"v?(1)\.(\d{2})(?:\.\d+)?"  # two digits: of 1.3 a digit is missing, Kubernetes 1.3 is of 2016


class Exemption(Struct, frozen=True, kw_only=True):
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


_MATCH = ("kind", "name", "namespace", "container", "path")  # what an exemption may speak of
# The most that a repository may ask for of the layers of an image, as it is written, with an example: it may be a
# stranger's, and its images, too.
_OLDEST_RECORDING = 180  # days
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_DEEP = {
    "compressed": ("32Gi", "2Gi"), "uncompressed": ("128Gi", "2Gi"), "members": ("4000000", "500000"),
    "ratio": ("1000", "200"),
}  # fmt: skip


class Registry(Struct, frozen=True):
    """How to reach a registry: through ``mirrors`` (host, or host and path) first; ``insecure``: without TLS, None
    where nothing says it. What a repository says of it is not trusted: see ``lock.oci.client``."""

    mirrors: tuple[str, ...] = ()
    insecure: bool | None = None


class Config(Struct):
    """The settings of a repository; ``path`` is None when it has none. ``options`` are profile options by group.
    ``max_grade``: the grade up to which changes are made.

    ``peer_marks`` tells whether the marks of other scanners are honoured. ``namespaces`` are those of objects that name
    none, by pattern of their files. ``registries`` are by host. ``deep``: how much of an image is read at the most.
    ``images`` are rows about images, which win over the image table. ``exclude``: what is evidence only, as
    patterns. ``helm_values``: whether charts of the tree are hardened through their values, None: those that the
    lock holds; with ``helm_post_render`` through patches behind helm, too, and with ``helm_tests`` what helm test runs.
    ``helm_charts``: the folders of charts, as whole paths, by the names that releases call them. ``exercise``: what
    shows ``harden observe`` that a workload works, by its name ("web") or key ("Deployment/web"): a command, or
    "Job/NAME" of the tree. ``oldest_recording``: days from which on what a cluster told is a hint.
    """

    path: str | None = None
    profile: str | None = None
    max_grade: Grade | None = None
    kubernetes_version: str | None = None
    platform: str | None = None
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    peer_marks: bool = True
    namespaces: dict[str, str] = field(default_factory=dict)
    registries: dict[str, Registry] = field(default_factory=dict)
    deep: dict[str, int] = field(default_factory=dict)
    images: OwnRows = NO_ROWS
    exclude: tuple[str, ...] = ()
    helm_values: bool | None = None
    helm_post_render: bool = False
    helm_tests: bool = False
    helm_charts: dict[str, str] = field(default_factory=dict)
    exercise: dict[str, str] = field(default_factory=dict)
    oldest_recording: int = _OLDEST_RECORDING


def load(root: str, named: str | None = None) -> Config:
    """Return the config file ``named``, else the one at ``root``. Raises InputError when it is missing or wrong."""
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
    found = _converted(documents[0], name)
    return Config(
        path=path,
        profile=found.profile,
        max_grade=found.max_grade or found.max_risk,
        kubernetes_version=found.kubernetes_version,
        platform=found.platform,
        options=found.options,
        exemptions=tuple(_exemptions(found.exceptions, parsed, name)),
        peer_marks=found.peer_marks,
        namespaces=found.namespaces,
        registries=checked_registries(found.registries, name),
        deep=_deep_limits(found.deep, name),
        images=_image_rows(found.images, parsed, name),
        exclude=_patterns(found.exclude, parsed, name),
        helm_values=found.helm.values,
        helm_post_render=found.helm.post_render,
        helm_tests=found.helm.tests,
        helm_charts=_charts(found.helm.charts, path, parsed, name, _bound(path, root)),
        exercise=found.observe.exercise,
        oldest_recording=_days(found.imports.max_age, name),
    )


def _converted(document: Any, name: str) -> Any:
    """Return ``document`` as the record of a config file. Raises InputError where it is none."""
    known = document_records()
    version = document.get("kubernetes-version") if isinstance(document, dict) else None
    if isinstance(version, float):
        raise InputError(f'{name}: kubernetes-version needs quotes, "1.30" without them is the number 1.3')
    try:
        found: Any = msgspec.convert(document, known[""])
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {explained(error, known)}") from None
    if found.platform not in (None, *PLATFORMS):
        raise InputError(f"{name}: platform is {' or '.join(PLATFORMS)}")
    for pattern, namespace in found.namespaces.items():
        if not re.fullmatch(NAMESPACE, namespace):
            raise InputError(f"{name}: {namespace!r}, the namespace of {pattern}, is no name of a namespace")
    return found


def _exemptions(entries: list[Any], parsed: yaml.Parsed, name: str) -> Iterator[Exemption]:
    for index, entry in enumerate(entries):
        match = {key: getattr(entry.match, key) for key in _MATCH}
        said = {key: getattr(entry, key) for key in ("id", "reason", "expires", "owner")}
        yield Exemption(**said, **match, file=name, line=parsed.line(0, ("exceptions", index)))


def _days(said: str, name: str) -> int:
    """The days of ``import: {max-age: 180d}``. Raises InputError for anything else."""
    found = _DAYS.fullmatch(said)
    if found is None:
        raise InputError(f"{name}: import: max-age: {said!r} is no number of days: write 180d")
    return int(found[1])


def _deep_limits(found: Any, name: str) -> dict[str, int]:
    """The limits of ``deep`` in the file ``name``. Raises InputError for what is no number, or too large a one."""
    limits: dict[str, int] = {}
    for key, (most, example) in _DEEP.items():
        said = getattr(found, key)
        if said is None:
            continue
        amount, allowed = quantity.parse(str(said)), quantity.parse(most)
        if amount is None or amount < 1:
            raise InputError(f"{name}: deep: {key} is a number, such as {example}")
        if allowed is not None and amount > allowed:
            raise InputError(f"{name}: deep: {key} is {most} at the most")
        limits[key] = int(amount)
    return limits


def _charts(entries: dict[str, str], path: str, parsed: yaml.Parsed, name: str, bound: str | None) -> dict[str, str]:
    """The entries of ``helm: {charts: ...}``, each folder as a whole path: it is seen from the folder of the config
    file ``path``, and lies in the folder ``bound`` where there is one, links followed. Raises InputError for what names
    nothing, or lies elsewhere. Whether a chart is there is asked when one is needed."""
    found = {}
    for chart, folder in entries.items():
        said = f"{name}:{parsed.line(0, ('helm', 'charts', chart))}: helm: charts: {chart!r}"
        if not chart or not folder or "\0" in folder or "://" in folder:
            raise InputError(f"{said} needs the folder of the chart: charts/{chart}")
        found[chart] = os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(path)), folder))
        if bound is not None and not is_inside(os.path.realpath(found[chart]), bound):
            raise InputError(
                f"{said} names {folder!r}, which lies outside of the tree: copy the chart into it, or give"
                " with --config a config file that lies outside, too"
            )
    return found


def _bound(path: str, root: str) -> str | None:
    """The folder in which all lies that the config file ``path`` may name: the tree at ``root``, for a file of it. What
    a person names from outside of the tree is the person's own."""
    real = os.path.realpath(root)
    return real if is_inside(os.path.realpath(path), real) else None


def document_records() -> dict[str, Any]:
    """Return what a config file looks like, for msgspec: the records by their place in it, "" for the file itself."""

    def told(kind: Any, text: str) -> Any:
        return Annotated[kind, msgspec.Meta(description=text)]

    # Made by calls, since a class in a function cannot name another one in its annotations.
    match = msgspec.defstruct("Match", [(key, str | None, None) for key in _MATCH], forbid_unknown_fields=True)
    entry = msgspec.defstruct(
        "Entry",
        [
            ("id", told(str, "A transform, a risk such as K01, or * for all.")),
            ("expires", told(date, "The last day on which it counts, at most twelve months ahead.")),
            ("match", told(match, "The objects that it is about; kind, name and path are patterns."),
             msgspec.field(default_factory=match)),
            ("reason", told(str, "Why this stays as it is."), ""), ("owner", str | None, None),
        ],
        forbid_unknown_fields=True,
    )  # fmt: skip
    registry = registry_record()
    deep = msgspec.defstruct("Deep", [(key, str | int | None, None) for key in _DEEP], forbid_unknown_fields=True)
    helm = msgspec.defstruct(
        "Helm",
        [
            ("values", told(bool | None, "Whether values of releases are hardened; by default where harden.lock has"
                            " charts, and helm is there."), None),
            ("post_render", told(bool, "Whether what no value reaches is patched where Flux or kustomize does that."),
             False),
            ("tests", told(bool, "Whether the hooks that helm test runs are hardened, too."), False),
            ("charts", told(dict[str, str], "The folder of a chart, seen from this file, by the name of the chart."),
             msgspec.field(default_factory=dict)),
        ],
        rename="kebab",
        forbid_unknown_fields=True,
    )  # fmt: skip
    exercise = told(dict[str, str], "What shows that a workload works, by its name: a command, or Job/NAME.")
    observe = msgspec.defstruct(
        "Observe", [("exercise", exercise, msgspec.field(default_factory=dict))], forbid_unknown_fields=True
    )
    imports = msgspec.defstruct(
        "Import", [("max_age", told(str, "Days after which a fact is a hint."), "180d")], forbid_unknown_fields=True,
        rename="kebab",
    )  # fmt: skip
    options = dict[str, dict[str, str | int | float | bool]]
    registries = dict[str, registry]  # type: ignore[valid-type]
    document = msgspec.defstruct(
        "Document",
        [
            ("profile", told(str | None, "baseline, restricted, strict, or the path of a profile file."), None),
            ("max_grade", told(Grade | None, "The grade up to which changes are made; --max-grade wins."), None),
            ("max_risk", told(Grade | None, "An earlier name of max-grade."), None),
            ("kubernetes_version", told(str | None, "The oldest Kubernetes of your clusters, in quotes."), None),
            ("platform", told(str | None, "What the clusters are, where the manifests do not show it."), None),
            ("options", told(options, "Profile options by group; harden explain ID names those of a transform."), {}),
            ("exceptions", told(list[entry], "What stays as it is for a time."), []),  # type: ignore[valid-type]
            ("peer_marks", told(bool, "Whether the marks of other scanners are honoured."), True),
            ("namespaces", told(dict[str, str], "The namespace of objects that name none, by pattern of files."), {}),
            ("registries", told(registries, "How to reach registries, by host."), {}),
            ("deep", told(deep, "How much of an image harden lock --deep reads at the most."),
             msgspec.field(default_factory=deep)),
            ("images", told(list[dict[str, Any]], "Rows about images, which win over the image table."), []),
            # Checked by hand: what is wrong with a pattern no type tells.
            ("exclude", told(Any, "What is not hardened and only read, as patterns of .gitignore."), None),
            ("helm", told(helm, "Helm charts that releases of the tree name, and whether their values are hardened."),
             msgspec.field(default_factory=helm)),
            ("observe", told(observe, "How harden observe finds out whether a workload works."),
             msgspec.field(default_factory=observe)),
            ("imports", told(imports, "How long what a cluster told counts in full."),
             msgspec.field(name="import", default_factory=imports)),
        ],
        forbid_unknown_fields=True,
        rename="kebab",
    )  # fmt: skip
    return {
        "": document, "exceptions": entry, "exceptions.match": match, "registries": registry, "deep": deep,
        "helm": helm, "observe": observe, "import": imports,
    }  # fmt: skip


def registry_record() -> Any:
    """Return what an entry of ``registries`` looks like, for msgspec."""
    fields = [("mirrors", tuple[str, ...], ()), ("insecure", bool | None, None)]
    return msgspec.defstruct("Registry", fields, forbid_unknown_fields=True)


def checked_registries(found: dict[str, Any], name: str) -> dict[str, Registry]:
    """Return the entries of ``registries`` in the file ``name``, by host. Raises InputError for what is no host."""
    for host, how in found.items():
        for one, pattern in ((host, HOST), *((mirror, MIRROR) for mirror in how.mirrors)):
            if not re.fullmatch(pattern, one):
                raise InputError(f"{name}: registries: {one!r} is no registry: write its host, as images name it")
    return {host: Registry(how.mirrors, how.insecure) for host, how in found.items()}


def _image_rows(entries: list[dict[str, Any]], parsed: yaml.Parsed, name: str) -> OwnRows:
    """The entries of ``images``. Raises InputError for the first that no row of the image table may look like."""
    if not entries:
        return NO_ROWS

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
            raise InputError(f"{name}:{line}: exclude: {str(entry)[:LONGEST_PATTERN]!r} {wrong}")
    return tuple(entries)


def _wrong_pattern(entry: Any) -> str:
    """What is wrong with an entry of ``exclude``; "" for a pattern that some file may fit."""
    if not isinstance(entry, str) or not entry.strip():
        return "is no pattern as in .gitignore: write a name, a path or a pattern, as text"
    if len(entry) > LONGEST_PATTERN:
        return f"is longer than {LONGEST_PATTERN} characters"
    if os.pardir in entry.removeprefix("!").split("/"):
        return "leads out of the repository: patterns are seen from its root"
    from hardener.sources.files.ignore_patterns import spec_of  # late: few repositories exclude anything

    try:
        (pattern,) = spec_of([entry]).patterns
    except ValueError:
        return "is no pattern as in .gitignore"
    return "fits no file: it is read as a line of .gitignore" if pattern.include is None else ""


def parsed_file(path: str, name: str) -> yaml.Parsed:
    """Read a file of settings, called ``name`` in messages. Raises InputError when it cannot be read or is no YAML."""
    try:
        return yaml.parse(read_bytes(path, _LARGEST)[0].decode("utf-8-sig"))
    except UnreadableError as error:
        raise InputError(f"{name}: cannot be read: {error.message.removeprefix('cannot be read: ')}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: cannot be read: not UTF-8") from None
    except yaml.TextError as refused:
        raise InputError(f"{name}:{refused.line or 1}: {refused.reason}") from None


def day(text: str) -> date:
    """Return ``2026-11-25`` as a day. Raises InputError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text}: a day looks like 2026-11-25") from None


def version(text: str) -> tuple[int, int]:
    """Return ``1.36`` as numbers. Raises InputError for anything else."""
    match = re.fullmatch(VERSION, text)
    if not match:
        raise InputError(f"{text}: a Kubernetes version looks like {DEFAULT_VERSION}")
    return int(match.group(1)), int(match.group(2))
