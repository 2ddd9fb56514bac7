"""A chart that something in the tree has rendered: its values in their order, and where overrides are written.

Values are merged as helm merges its files (helm.sh/docs/chart_template_guide/values_files, helm/helm pkg/cli/values):
a map key by key, anything else as a whole, what comes later over what comes before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from hardener.charts.values.set_values import keys_of, name_of, path_of
from hardener.charts.values.values_file import copies_secret
from hardener.engine.outcome import Override
from hardener.errors import HardenError
from hardener.lock.charts.reference import ChartReference
from hardener.sources import files, yaml
from hardener.sources.yaml import TextError, same
from hardener.support.data_path import Path
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.charts.releases.values_in_yaml import Patches

_NOT_SHOWN = "to what the tree does not show"
_NAMED_BY = {"Helm": "repository"}  # the key by which a dependency is counted, by its tool
WHOLE: Path = ()
"""The path of all values of a document, where nothing of it is known."""


class Place(Protocol):
    """Where values stand. ``path`` is the file, ``name`` what a person calls the place."""

    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...

    def takes(self, override: Override) -> bool:
        """Tell whether ``override`` can stand there."""

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        """Return ``text``, that of the file, with ``overrides``, in the order of ``base``, the ``values.yaml`` of the
        chart. Raises TextError where they cannot be written."""


@dataclass(slots=True, eq=False)
class Values:
    """One document of values of a release.

    ``unknown``: the paths of values that the tree does not show; WHOLE for all of them. ``place`` is None where nothing
    can be written. ``may_write``: whether an override may stand there: the place belongs to this release alone, to the
    paths that a run may change, and not to the chart. ``takes_null``: whether a null there reaches helm.
    """

    name: str
    data: dict[str, Any] = field(repr=False)  # may hold secrets
    place: Place | None = None
    may_write: bool = False
    unknown: tuple[Path, ...] = ()
    takes_null: bool = True


def unknown(name: str, *paths: Path) -> Values:
    """Return values called ``name`` that the tree does not show: they may set ``paths``, or all where none is given."""
    return Values(name, {}, None, False, paths or (WHOLE,))


@dataclass(slots=True, eq=False)
class Release:
    """A chart as ``owner`` has it rendered.

    - ``tool``: who renders it ("Flux", "Argo CD", "k3s", "kustomize", "Terraform", "helmfile", "Fleet").
    - ``place``: where it stands in ``owner``, where that holds several.
    - ``called``: the chart as the release names it.
    - ``chart``: its folder, or its ``.tgz``; None where it is not at hand, and ``missing`` says why. ``content`` is a
      ``.tgz`` that stands in the object itself: ``chart_path`` gives both as a path.
    - ``asked``: the chart as a place elsewhere and a version, None where it names none, or the configuration gives it;
      ``sources`` are other objects that say so.
      ``shown``: the chart at hand as a person calls it, "" for its path. ``doubt``: why it may be another one than the
      release gets, else "".
    - ``name``, ``namespace``: those of the release, None where the tree does not show them.
    - ``values``: in order, the last one wins. ``sets``: what is set after all of them, as ``--set`` takes it.
    - ``defaults``: whether the ``values.yaml`` of the chart counts; where it does not, ``values`` are all there is.
    - ``targets``: where overrides are written, the best place first.
    - ``advice``: what to do where nothing can be written.
    - ``is_own``: it is a chart of the tree itself, whose own ``values.yaml`` gets the overrides.
    - ``patches``: where its deployer patches what helm has rendered; None where it does not, or in a way that harden
      cannot read.
    """

    owner: Object
    tool: str
    called: str
    chart: str | None = None
    missing: str = ""
    content: bytes | None = field(default=None, repr=False)
    place: Path = ()
    asked: ChartReference | None = None
    sources: list[Object] = field(default_factory=list)
    shown: str = ""
    doubt: str = ""
    name: str | None = None
    namespace: str | None = None
    values: list[Values] = field(default_factory=list)
    sets: list[str] = field(default_factory=list, repr=False)
    defaults: bool = True
    targets: list[Values] = field(default_factory=list)
    advice: str = ""
    is_own: bool = False
    patches: Patches | None = None

    @property
    def at_hand(self) -> bool:
        """Whether its chart can be rendered."""
        return self.chart is not None or self.content is not None

    @property
    def line(self) -> int:
        """The line of its file on which the object stands that has it rendered."""
        return self._line_of(self.place)

    @property
    def chart_line(self) -> int:
        """The line on which it names its chart, or where that lies; that of the object where it names neither."""
        return self._line_of((*self.place, _NAMED_BY.get(self.tool, "chart")))

    def _line_of(self, place: Path) -> int:
        piece, path = self.owner.piece, (*self.owner.path, *place)
        try:
            return piece.line + piece.read().line(int(path[0]), path[1:])
        except (TextError, IndexError, ValueError):
            return piece.line + 1

    @property
    def is_elsewhere(self) -> bool:
        """Whether its chart is no file of the tree: its templates have no place there."""
        return self.chart is None or bool(self.shown)

    @property
    def unseen(self) -> list[str]:
        """What gives it values that the tree does not show, as a person calls it."""
        return [each.name for each in self.values if each.unknown]

    @contextmanager
    def chart_path(self) -> Iterator[str]:
        """Yield the path of its chart, a folder or a ``.tgz``, as long as it is needed. Only where it is at hand."""
        if self.chart is not None:
            yield self.chart
            return

        assert self.content is not None
        with tempfile.TemporaryDirectory(prefix="harden-") as folder:
            path = os.path.join(folder, "chart.tgz")
            with open(path, "wb") as handle:
                handle.write(self.content)
            yield path


class Unwritable(Struct, frozen=True):
    """``overrides`` that cannot be written where the release has its values: why, and what a person does instead. The
    others can be written without them."""

    reason: str
    advice: str
    overrides: tuple[Override, ...]


def write(
    release: Release, overrides: Sequence[Override], text_of: Callable[[str], str]
) -> dict[str, str] | Unwritable:
    """Return the new text of each file in which ``overrides`` are to stand, by its path; ``text_of`` gives the text as
    it is.

    An override stands in the first target where nothing that comes later sets its key, or hides what the tree does not
    show: it wins. Where one cannot, nothing is written.
    """
    chosen: dict[int, list[Override]] = {}
    refused: dict[str, list[Override]] = {}
    order = _Order(release)
    for override in overrides:
        found = _target(order, override)
        if isinstance(found, str):
            refused.setdefault(found, []).append(override)
        else:
            chosen.setdefault(found, []).append(override)
    if refused:
        reason = "; ".join(refused)
        every = tuple(each for found in refused.values() for each in found)
        advice = advice_for(release, every)
        return Unwritable(reason, f"look at that value first; then {advice}" if _NOT_SHOWN in reason else advice, every)
    texts: dict[str, str] = {}
    base = _defaults_of(release)
    for number, some in chosen.items():
        place = release.values[number].place
        assert place is not None
        try:
            before = texts[place.path] if place.path in texts else text_of(place.path)
            texts[place.path] = place.edited(before, some, base)
        except HardenError as error:
            reason = error.reason if isinstance(error, TextError) else str(error)
            return Unwritable(f"{place.name}: {reason}", advice_for(release, some), tuple(some))
    return texts


def _defaults_of(release: Release) -> str:
    """The text of the ``values.yaml`` of the chart; "" where there is none to read."""
    if release.chart is None or not os.path.isdir(release.chart):
        return ""
    try:
        return files.read(os.path.join(release.chart, "values.yaml")).text
    except files.UnreadableError:
        return ""


def advice_for(release: Release, overrides: Sequence[Override]) -> str:
    """Return what a person does with ``overrides`` that cannot be written: the text to add, or its keys alone where a
    secret stands in it."""
    values: dict[str, Any] = {}
    for override in overrides:
        put(values, override.path, override.value)
    keys = ", ".join(name_of(override.path) for override in overrides)
    try:
        text = keys if any(map(_copies_secret, overrides)) else yaml.dump(values).rstrip("\n")
    except TextError:
        text = keys
    return f"{release.advice or 'add to its values'}:\n{text}"


class _Order:
    """The values of a release, with what they say together, worked out once for all overrides."""

    def __init__(self, release: Release) -> None:
        self.release = release
        numbers = {id(values): number for number, values in enumerate(release.values)}
        self.preferred = [numbers[id(values)] for values in release.targets if id(values) in numbers]
        self._below: dict[int, dict[str, Any]] = {}
        self._above: dict[int, dict[str, Any]] = {}

    def below(self, number: int) -> dict[str, Any]:
        """What the first values up to ``number`` say; a copy, of which the top may be changed."""
        if number not in self._below:
            self._below[number] = merged([each.data for each in self.release.values[: number + 1]])
        return dict(self._below[number])

    def above(self, number: int) -> dict[str, Any]:
        """What the values behind ``number`` say."""
        if number not in self._above:
            self._above[number] = merged([each.data for each in self.release.values[number + 1 :]])
        return self._above[number]


def _target(order: _Order, override: Override) -> int | str:
    """The number of the values of a release in which ``override`` is to stand, or why it can stand nowhere."""
    release, preferred = order.release, order.preferred
    last = max(preferred, default=-1)
    above = [number for number in range(last + 1, len(release.values)) if number not in preferred]
    reason = "no place of its values can be written" if not preferred else ""
    for number in (*preferred, *above):
        values = release.values[number]
        if values.place is None or not values.may_write or not values.place.takes(override):
            continue
        if not values.takes_null and _holds_null(override.value):
            reason = f"{release.tool} takes a null out of {values.name} before helm reads it"
            continue
        if not _sets(values.data, override.path) and _copies_secret(override):
            reason = f"the list at {'.'.join(override.path)} holds a secret, which would be copied into {values.name}"
            continue
        hidden = _hidden(order, number, override)
        if hidden is None:
            return number
        reason = hidden
    return reason or f"{'.'.join(override.path)} cannot be written where the release sets it"


def _hidden(order: _Order, number: int, override: Override) -> str | None:
    """What comes after the values ``number`` and keeps ``override`` from holding there; None where nothing does."""
    release = order.release
    leaves = list(_leaves(override.path, override.value))
    for place, each in enumerate(release.values):
        for path in each.unknown:
            if path == WHOLE and place > number:
                return f"{each.name} comes later, may set {'.'.join(override.path)}, and the tree does not show it"
            # Whoever has an expression there means it, and a value in its place would not be what was weighed.
            if path != WHOLE and any(_overlap(path, leaf) for leaf in leaves):
                return f"{each.name} sets {'.'.join(map(str, path))} {_NOT_SHOWN}"
    for text in release.sets:
        if any(_overlap(_fixed_part(text), leaf) for leaf in leaves):
            return f"{'.'.join(override.path)} is set one by one, which wins over values"
    own, last = order.below(number), order.below(len(release.values) - 1)
    put(own, override.path, override.value)
    put(last, override.path, override.value)
    here = merged([own, order.above(number)])
    if same(_below(here, override.path), _below(last, override.path)):
        return None
    later = next(
        (each for each in reversed(release.values[number + 1 :]) if _sets(each.data, override.path)), release.values[-1]
    )
    return f"{later.name} sets {'.'.join(override.path)}, and comes later"


def _fixed_part(text: str) -> Path:
    """The keys of the name in ``name=value`` before the first index of a list."""
    return keys_of(path_of(text.partition("=")[0]) or ())


def _copies_secret(override: Override) -> bool:
    return copies_secret(override)


def _leaves(path: Path, value: Any) -> Iterator[Path]:
    """The paths of what is no map in an override."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves((*path, key), item)
    else:
        yield path


def _overlap(a: Path, b: Path) -> bool:
    length = min(len(a), len(b))
    return a[:length] == b[:length]


def _sets(data: Mapping[str, Any], path: Path) -> bool:
    value: Any = data
    for part in path:
        if not isinstance(value, dict):
            return True
        if part not in value:
            return False
        value = value[part]
    return True


def _below(data: Any, path: Path) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return value is None


def merged(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what ``documents`` say together, the later ones over the earlier; none of them is changed."""
    result: dict[str, Any] = {}
    for document in documents:
        result = _merge(result, document)
    return result


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        old = found.get(key)
        found[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Let the key at ``path`` of ``values`` become ``value``: a map takes what it lacks, as a later file would give it.

    Every mapping on the way is made anew, so that an alias elsewhere does not change with it.
    """
    for part in path[:-1]:
        old = values.get(part)
        values[part] = inner = dict(old) if isinstance(old, dict) else {}
        values = inner
    old = values.get(path[-1])
    values[path[-1]] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
