"""The renders of one chart: each kept, counted, and no more of them than are asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from typing import Any, Protocol

from hardener.charts.rendered import Document, Key, Reader, SteadyNames
from hardener.errors import HardenError

Objects = dict[Key, Document]


class SpentError(HardenError):
    """All the renders that a run may make are made."""


class Renderer(Protocol):
    """What renders a chart with the values of its user, and on top of them those of ``files``. Raises ChartError where
    the chart, or with ``schema`` its schema, refuses these."""

    def __call__(self, files: list[str], *, schema: bool) -> str: ...


class Renders:
    """At most ``most`` renders by ``render``; the same values are rendered once. Files are made in ``folder``. The keys
    of objects are those that ``names`` gives, once it is known."""

    def __init__(
        self, render: Renderer, folder: str, most: int, progress: Callable[[str], object] = lambda name: None
    ) -> None:
        self.count = 0
        self._render, self._folder, self._most, self._progress = render, folder, most, progress
        self._reader = Reader()
        self._known: dict[tuple[str, bool], Objects | HardenError] = {}
        self.names: SteadyNames | None = None

    def __call__(self, values: dict[str, Any] | None = None, *, schema: bool = True, fresh: bool = False) -> Objects:
        """The objects of the chart with ``values`` over those of its user. ``fresh``: though it was rendered before,
        and not kept.

        Raises SpentError, and ChartError where helm refuses them.
        """
        text = json.dumps(values or {}, sort_keys=True)
        known = self._known.get((text, schema))
        if fresh:
            known = self._rendered(text if values else "", schema)
        elif known is None:
            known = self._known[text, schema] = self._rendered(text if values else "", schema)
        if isinstance(known, HardenError):
            raise known
        return known if self.names is None else self.names(known)

    def take(self, text: str) -> None:
        """Take ``text`` as the render of the chart as it is, which somebody has made."""
        self._known[json.dumps({}), True] = self._reader.read(text)

    def _rendered(self, text: str, schema: bool) -> Objects | HardenError:
        if self.count >= self._most:
            raise SpentError(f"{self._most} renders are made")
        self.count += 1
        self._progress(f"render {self.count}")
        if not text:
            return self._read([], schema)
        handle, path = tempfile.mkstemp(suffix=".json", dir=self._folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            return self._read([path], schema)
        finally:
            os.unlink(path)

    def _read(self, files: list[str], schema: bool) -> Objects | HardenError:
        try:
            return self._reader.read(self._render(files, schema=schema))
        except HardenError as error:
            return error
