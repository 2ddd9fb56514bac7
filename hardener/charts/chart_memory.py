"""What is known of a chart whoever has it rendered, worked out once for all of its releases."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from hardener.authoring.edits import Edit
from hardener.charts.files import metadata, partial_copy
from hardener.charts.files.copy import Copied, Copy
from hardener.charts.releases.release import merged
from hardener.charts.templates.template_text import Template
from hardener.charts.values.recipes import Recipes
from hardener.support.data_path import Path

_WORD = re.compile(r"[A-Za-z]\w*")


def _holds_null(values: Any) -> bool:
    """Whether a map of values, or one in it, has a key that is null, which takes a default away."""
    return any(map(_holds_null, values.values())) if isinstance(values, dict) else values is None


class ChartMemory:
    """Filled by the first release of a chart, and asked by the others. ``defaults`` are the values of the chart alone,
    where those of a release are these with its own on top; None where they are more than that, or not known yet.
    ``breaking`` are the values, each by what kind of mark, that no render took a mark of. ``templates`` are those that
    were read, by their texts. ``ahead`` are renders of several releases at once, by numbers of the caller; None where
    nobody has asked for them.

    It is a context: the copy of the chart that releases share goes at its end.
    """

    def __init__(self) -> None:
        self.defaults: dict[str, Any] | None = None
        self.known: list[Path] = []
        self.recipes = Recipes()
        self.breaking: set[tuple[str, Path]] = set()
        self.libraries: set[str] = set()
        self.chances = (True, True, True)
        self.is_plain = False
        self.templates: dict[str, Template] = {}
        self.ahead: dict[int, str] | None = None
        self._kept = ExitStack()
        self._shared: Copy | None = None
        self._parts: dict[tuple[str, frozenset[str]], str | None] = {}
        self._fields: dict[str, partial_copy.Fields] = {}
        self._folder = ""
        self._words: set[str] = set()
        self._empty: set[tuple[str, str, tuple[str, ...], frozenset[str]]] = set()

    def __enter__(self) -> ChartMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    @contextmanager
    def copied(self, chart: Copied, *, is_own: bool) -> Iterator[Copy]:
        """Yield a copy of ``chart``: the one that its releases share, unless it ``is_own`` to one of them, or leaves
        out what the values of that one turn off."""
        if self._shared is not None and not is_own:
            yield self._shared
            return
        with ExitStack() as stack:
            copy = stack.enter_context(chart)
            if not is_own and not copy.dropped:
                self._shared = copy
                self._kept.push(stack.pop_all())
            yield copy

    def with_defaults(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return all values of the chart where a release has ``given``; None where that cannot be told from them."""
        if self.defaults is None or not self.is_plain or _holds_null(given):
            return None
        return merged([self.defaults, given])

    @property
    def shared(self) -> Copy | None:
        """The copy that releases share, where a render of it is the same each time."""
        return None if self.chances[0] else self._shared

    def part(self, folder: str, sources: Collection[str]) -> str | None:
        """Return a copy of the chart in ``folder``, beside it, that renders what the templates ``sources`` make, and
        little else; None where there is nothing else."""
        name = folder, frozenset(sources)
        if name not in self._parts:
            above, base = os.path.split(folder)
            target = os.path.join(above, f"part-{len(self._parts)}", base)
            self._parts[name] = target if partial_copy.copy_for(folder, target, name[1]) else None
        return self._parts[name]

    def fields(self, folder: str) -> partial_copy.Fields:
        """Return the names of fields that the templates of the chart in ``folder`` write."""
        if folder not in self._fields:
            self._fields[folder] = partial_copy.Fields(folder)
        return self._fields[folder]

    def learn(self, folder: str, known: Iterable[Path]) -> None:
        """Take in what the chart in ``folder``, a copy of it, says of itself, unless that is known; ``known`` are keys
        that may be there."""
        if self._folder:
            return
        self._folder = folder
        self.known = list(known)
        self.libraries = metadata.libraries(folder)
        self.chances = partial_copy.chances(folder)
        self._words = {word for text in partial_copy.texts(folder) for word in _WORD.findall(text)}
        data = metadata.metadata(folder, "chart")
        entries = metadata.dependencies(data)
        self.is_plain = all(one["name"] in self.libraries and not one.get("import-values") for one in entries)

    def may_find(self, look: str, kind: str, edit: Edit, names: Iterable[str]) -> bool:
        """Whether ``look`` may find something for ``edit`` of an object of ``kind`` among values with these ``names``:
        nothing came of it so far where the names that the chart knows were the same."""
        return self._place(look, kind, edit, names) not in self._empty

    def found_nothing(self, look: str, kind: str, edit: Edit, names: Iterable[str]) -> None:
        """Note that nothing came of ``look``."""
        self._empty.add(self._place(look, kind, edit, names))

    def _place(
        self, look: str, kind: str, edit: Edit, names: Iterable[str]
    ) -> tuple[str, str, tuple[str, ...], frozenset[str]]:
        field = tuple(part for part in edit.path if isinstance(part, str))
        return look, f"{kind} {type(edit).__name__}", field, frozenset(names) & self._words
