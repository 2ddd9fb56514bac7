"""The images that the values of Helm charts in a tree name. A run of ``apply`` does not read these files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hardener.edits import Path
from hardener.kubernetes import helm_values
from hardener.kubernetes.image_reference import ImageReference
from hardener.sources import files, manifests
from hardener.views import Object

if TYPE_CHECKING:
    from hardener.workspace import Workspace

_VALUES = re.compile(r"values[^/]*\.ya?ml")


def collect(workspace: Workspace, paths: Iterable[str]) -> Iterator[tuple[Object, Path, ImageReference]]:
    """The images of the values files below the real ``paths`` that stand beside a Chart.yaml, with their places. A file
    that cannot be read names none."""
    for path in paths:
        for name, is_link in files.walk(path) if os.path.isdir(path) else [(path, False)]:
            folder, base = os.path.split(name)
            chart = os.path.join(folder, "Chart.yaml")
            if is_link or not _VALUES.fullmatch(base) or not os.path.isfile(chart):
                continue
            version = next(
                (str(item.data["appVersion"]) for item in _documents(workspace, chart) if "appVersion" in item.data),
                None,
            )
            for item in _documents(workspace, name):
                for place, image in helm_values.images(item.data, version):
                    yield item, (*item.path, *place), image


def _documents(workspace: Workspace, path: str) -> Iterator[Object]:
    try:
        content = files.read(path)
    except files.UnreadableError:
        return
    file = manifests.load(path, os.path.relpath(path), content, editable=False, wanted=lambda text: True)
    for piece in file.pieces:
        for index, document in enumerate(piece.data):
            if isinstance(document, dict):
                yield Object(workspace, piece, (index,), document)
