"""The renders of one chart: each kept, counted, and no more trials than are asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from hardener.charts.rendered import Document, Key, Reader, SteadyNames
from hardener.errors import HardenError

Objects = dict[Key, Document]
_SIDE_BY_SIDE = 2  # renders


class SpentError(HardenError):
    """All the renders that a run may make are made."""


class Renderer(Protocol):
    """What renders a chart with the values of its user, and on top of them those of ``files``. Raises ChartError where
    the chart, or with ``schema`` its schema, refuses these."""

    def __call__(self, files: list[str], *, schema: bool) -> str: ...


class Renders:
    """The renders by ``render`` of a whole chart, and of ``part`` of it once that is known; the same values are
    rendered once. Files are made in ``folder``. The keys of objects are those that ``names`` gives, once it is known.

    A trial is one of at most ``most`` renders; what was found is proved, however many there were.
    """

    def __init__(
        self, render: Renderer, folder: str, most: int, progress: Callable[[str], object] = lambda name: None
    ) -> None:
        self.count = 0
        self._render, self._folder, self._most, self._progress = render, folder, most, progress
        self._reader = Reader()
        self._known: dict[tuple[str, bool, bool], Objects | HardenError] = {}
        self.names: SteadyNames | None = None
        self.part: Renderer | None = None
        self.has_schema = True

    def __call__(self, values: dict[str, Any] | None = None, *, schema: bool = True, fresh: bool = False) -> Objects:
        """The objects of the whole chart with ``values`` over those of its user. ``fresh``: though it was rendered
        before, and not kept.

        Raises ChartError where helm refuses them.
        """
        name = _text(values), schema and self.has_schema, False
        if fresh or name not in self._known:
            self._begin()
            found = self._read(self._printed(*name))
            if not fresh:
                self._known[name] = found
        else:
            found = self._known[name]
        return self._named(found)

    def tried(self, *several: dict[str, Any]) -> list[Objects | HardenError]:
        """What the part of the chart is with each of ``several`` values, whatever its schema says of them: the objects,
        or why helm refuses them. Two are rendered side by side.

        Raises SpentError where there are no trials left for one of them; what others have shown is kept.
        """
        names = [(_text(values), False, self.part is not None) for values in several]
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        left = new[: max(0, self._most - self.count)]
        for _ in left:
            self._begin()
        for name, printed in zip(left, self._side_by_side(left), strict=True):
            self._known[name] = self._read(printed)
        if len(left) < len(new):
            raise SpentError(f"{self._most} renders are made")
        return [self._called(self._known[name]) for name in names]

    @property
    def spent(self) -> bool:
        """Whether there is no trial left."""
        return self.count >= self._most

    def take(self, text: str) -> None:
        """Take ``text`` as the render of the chart as it is, which somebody has made."""
        self._known[json.dumps({}), self.has_schema, False] = self._reader.read(text)

    def _begin(self) -> None:
        self.count += 1
        self._progress(f"render {self.count}")

    def _side_by_side(self, names: Sequence[tuple[str, bool, bool]]) -> list[str | HardenError]:
        if len(names) < _SIDE_BY_SIDE:
            return [self._printed(*name) for name in names]
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            return list(pool.map(lambda name: self._printed(*name), names))

    def _printed(self, text: str, schema: bool, is_part: bool) -> str | HardenError:
        render = self.part if is_part and self.part is not None else self._render
        if text == json.dumps({}):
            return _answer(render, [], schema)
        handle, path = tempfile.mkstemp(suffix=".json", dir=self._folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            return _answer(render, [path], schema)
        finally:
            os.unlink(path)

    def _read(self, printed: str | HardenError) -> Objects | HardenError:
        if isinstance(printed, HardenError):
            return printed
        try:
            return self._reader.read(printed)
        except HardenError as error:
            return error

    def _named(self, found: Objects | HardenError) -> Objects:
        if isinstance(found, HardenError):
            raise found
        return found if self.names is None else self.names(found)

    def _called(self, found: Objects | HardenError) -> Objects | HardenError:
        return found if isinstance(found, HardenError) else self._named(found)


def _text(values: dict[str, Any] | None) -> str:
    return json.dumps(values or {}, sort_keys=True)


def _answer(render: Renderer, files: list[str], schema: bool) -> str | HardenError:
    try:
        return render(files, schema=schema)
    except HardenError as error:
        return error
