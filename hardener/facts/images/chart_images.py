"""The images that values of Helm charts name: of charts in the tree, and of objects that have a controller render one.

What a chart makes of them only its templates say, so that little may be written there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Evidence
from hardener.kubernetes.images import helm_values
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.pods import operator_pods as rendered
from hardener.sources import files, yaml
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Object
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import View

_CHART = "Chart.yaml"
_DEPENDENCIES = "charts"  # a folder of a chart: what it takes in, as `helm dependency update` writes it
_PARTS = ("registry", "repository", "tag")


class Values(Struct, eq=False):
    """Values of one chart: those of a file, or what an object sets. ``start`` is where they stand in the object.

    ``folders``: the charts of the tree that they may be for. ``parameters``: dotted names of values set one by one.
    ``others``: all values of the tree.
    """

    object: Object
    start: Path
    data: Any
    folders: frozenset[str]
    app_version: str | None = None
    parameters: tuple[str, ...] = ()
    is_file: bool = False
    others: list[Values] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What to call them for a person."""
        return self.object.piece.file.name if self.is_file else str(self.object)


class HelmImage(View):
    """An image in values: a mapping of ``repository``, ``tag`` and the like, or a text in one.

    - ``key``: of the text; None for a mapping.
    - ``image``: the image that the values name, with the appVersion of the chart for a tag that is empty.
    """

    __slots__ = ("image", "key", "values")
    NEEDS = "holds_charts"

    def __init__(self, values: Values, path: Path, data: dict[str, Any], key: str | None, image: ImageReference):
        self.values = values
        self.key = key
        self.image = image
        super().__init__(values.object, (*values.object.path, *path), data)

    @classmethod
    def of_tree(cls, tree: Tree) -> list[HelmImage]:
        return [image for image in tree.ask(ChartImages) if image.object.editable]

    @property
    def place(self) -> Path:
        """Where it stands in the whole, key of a text included."""
        return self.path if self.key is None else (*self.path, self.key)

    @property
    def below(self) -> Path:
        """Where it stands in the values."""
        return self.path[len(self.object.path) + len(self.values.start) :]

    @property
    def takes_digest(self) -> bool:
        """Whether the values have a key for a digest, if empty: the chart reads one."""
        empty_or_text = self.text("digest") is not None or not self.has("digest")
        return self.key is None and "digest" in self.keys() and empty_or_text

    @property
    def tag_of_chart(self) -> bool:
        """Whether its tag is the appVersion of the chart."""
        return self.key is None and not self.text("digest") and (not self.has("tag") or self.text("tag") == "")

    @property
    def dependency_of(self) -> str | None:
        """The folder of the chart that its chart was downloaded for; None for one that belongs to the tree."""
        for folder in self.values.folders if self.values.is_file else ():
            above, name = os.path.split(os.path.dirname(folder))
            if name == _DEPENDENCIES and os.path.isfile(os.path.join(above, _CHART)):
                return os.path.relpath(above)
        return None

    def set_elsewhere(self) -> Evidence | None:
        """Where other values of the tree give the image of this place another name or tag, and no digest: one that
        is here would hold there, too, and the image that is meant would not be run."""
        for other in self.values.others if self.values.is_file else ():
            if other is self.values:
                continue
            for place in self._places_in(other):
                if (said := _at(other.data, place)) is not None and "digest" not in said:
                    keys = [key for key in _PARTS if said.get(key) not in (None, "", self.data.get(key))]
                    if keys:
                        path = (*other.object.path, *other.start, *place, keys[0])
                        return Evidence(f"{other.name} sets {keys[0]}", other.object.piece, path)
            dotted = ".".join(map(str, self.below))
            if other.folders & self.values.folders and {f"{dotted}.{key}" for key in _PARTS} & {*other.parameters}:
                return Evidence(f"{other.name} sets a parameter of it", other.object.piece, other.object.path)
        return None

    def _places_in(self, other: Values) -> Iterator[Path]:
        """Where ``other`` would speak of this image: at the same place, or below the name of its chart in the values
        of a chart above."""
        if other.folders & self.values.folders:
            yield self.below
        for folder in self.values.folders:
            above, name = os.path.split(folder)
            if os.path.basename(above) == _DEPENDENCIES and os.path.dirname(above) in other.folders:
                yield (name, *self.below)


def _values_of(tree: Tree) -> list[Values]:
    found: list[Values] = []
    versions: dict[str, str | None] = {}
    for item in tree.values:
        folder = item.folder
        if folder not in versions:
            chart = os.path.join(folder, _CHART)
            versions[folder] = None if os.path.islink(chart) else _app_version(chart)
        values = Values(item, (), item.data, frozenset([folder]), versions[folder], is_file=True, others=found)
        found.append(values)
    for item in tree.objects:
        if (item.group, item.kind) in rendered.RENDERED_ELSEWHERE:
            folders, parameters = _folders(tree, item), tuple(rendered.parameters(item.data))
            placed: list[tuple[Path, Any]] = list(rendered.placed_values(item.data))
            if parameters and not placed:
                placed = [((), {})]
            found += [Values(item, start, data, folders, None, parameters, others=found) for start, data in placed]
    return found


def _app_version(path: str) -> str | None:
    try:
        documents = yaml.parse(files.read(path).text).documents
    except (files.UnreadableError, yaml.TextError):
        return None
    found = [document["appVersion"] for document in documents if isinstance(document, dict) if "appVersion" in document]
    return str(found[0]) if found and found[0] is not None else None


class ChartImages(AsRead, list[HelmImage]):
    """The images that the values of the tree name."""

    def __init__(self, tree: Tree) -> None:
        for values in _values_of(tree):
            for place, image in helm_values.images(values.data, values.app_version):
                data, key = _at(values.data, place), None
                if data is None:
                    place, key = place[:-1], str(place[-1])
                    data = _at(values.data, place)
                if data is not None:
                    self.append(HelmImage(values, (*values.start, *place), data, key, image))


def _folders(tree: Tree, item: Object) -> frozenset[str]:
    """The folders of the tree that ``item`` may take its chart from."""
    names = [name for name in rendered.chart_folders(item.data) if "\0" not in name]
    return frozenset(os.path.normpath(os.path.join(tree.root, name.lstrip("/"))) for name in names)


def _at(value: Any, path: Path) -> dict[str, Any] | None:
    found = value_at(value, path)
    return found if isinstance(found, dict) else None
