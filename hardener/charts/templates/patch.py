"""For a chart of one's own: the lines of its templates, and the keys of its values, that harden it, as a patch.

It is shown and never written. Every line of it has been tried: the chart with the patch, rendered, is what was wanted,
object by object; an object that is not goes without.
"""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring.edits import WrongShapeError
from hardener.charts.rendered import Document, Key, Place, changed
from hardener.charts.run_steps import Step, Wanted, resting_on
from hardener.charts.templates.edits import ByHandError, Editor, Operation, changed_text, operated, operations
from hardener.charts.templates.key_names import Keys
from hardener.charts.templates.lines import Place as Line
from hardener.charts.templates.lines import Templates
from hardener.charts.templates.template_text import read_rendered
from hardener.charts.values.values_file import KeyRefusedError, edited
from hardener.engine.outcome import Override
from hardener.errors import HardenError
from hardener.kubernetes.validity import new_violations, violations
from hardener.sources.line_hunks import unified
from hardener.sources.yaml import TextError, parse
from hardener.support.data_path import Path

_SUFFIXES = (".yaml", ".yml", ".tpl", ".txt")
_LARGEST = 4 * 1024 * 1024  # bytes of one template
VALUES = "values.yaml"

Render = Callable[[dict[str, str]], Mapping[Key, Document]]
"""Renders the chart with these texts in place of its files, by their paths in the chart. Raises HardenError."""


class ByHand(Struct, frozen=True):
    """A change of the object ``key`` at ``path`` that no line is given for: why, and where a person would begin."""

    key: Key
    path: Path
    reason: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: by hand, since {self.reason}"


class Written(Struct):
    """``texts`` are the files of a chart with new lines in them, by their paths in it; ``made`` the objects as they are
    then; ``by_hand`` is what could not be written."""

    texts: dict[str, str]
    made: dict[Key, Any]
    by_hand: list[ByHand]


class OwnPatch(Struct, eq=False):
    """``patch`` is what `git apply` and `patch -p1` take, "" where there is nothing; ``written`` what it makes.

    ``steps`` are those of the run that it makes; ``by_hand`` tells of the others why not, by the number of the step.
    The patch holds lines of the chart around its own: whoever shows it masks secrets.
    """

    patch: str
    written: Written
    steps: list[Step]
    by_hand: dict[int, ByHand]


def own_patch(
    chart: str,
    base: Mapping[Key, Document],
    wanted: Wanted,
    steps: Sequence[Step],
    render: Render,
    *,
    reached: Sequence[Step] = (),
    below: str = "",
) -> OwnPatch:
    """Make the patch of the chart in the folder ``chart`` that makes those of ``steps`` that lines can make.

    ``base`` are the objects that it renders to, with the steps ``reached`` made already: by values, which ``render``
    gives as well. A step is made whole or not at all. ``below`` is the path of the chart in the folder where the patch
    is applied, with a slash at its end.
    """
    texts = chart_texts(chart)
    templates = Templates(texts)
    by_hand: dict[int, ByHand] = {}
    left = [step for step in steps if not step.creates]
    unsteady = _unsteady(base, render) if left else frozenset()
    while True:
        left, after = _together(wanted, reached, left, by_hand)
        written = _write_steps(templates, base, wanted, left, after)
        failed = _failed(base, written, render, unsteady)
        if not left or not failed:
            break
        by_hand |= _dropped(wanted, left, failed)
        left = [step for step in left if step.number not in by_hand]
    if not left or not written.texts:
        return OwnPatch("", Written({}, {}, []), [], by_hand)
    patch = "".join(diff(below + name, texts.get(name), text) for name, text in sorted(written.texts.items()))
    return OwnPatch(patch, written, left, by_hand)


def _write_steps(
    templates: Templates, base: Mapping[Key, Document], wanted: Wanted, steps: list[Step], after: Mapping[Key, Any]
) -> Written:
    """Write what makes those objects of ``after`` that ``steps`` change."""
    asked = {wanted.place(edit)[0] for step in steps for edit in step.edits}
    return write_objects(templates, base, {key: data for key, data in after.items() if key in asked})


def _dropped(wanted: Wanted, left: list[Step], failed: list[ByHand]) -> dict[int, ByHand]:
    """The steps of ``left`` that go since something ``failed``, and those that rest on them."""
    dropped = {step.number: one for one in failed for step in _steps_of(one, wanted, left)}
    return dropped | _resting(wanted, left, dropped)


def _failed(
    base: Mapping[Key, Document], written: Written, render: Render, unsteady: frozenset[tuple[Key, Place]]
) -> list[ByHand]:
    """What could not be written, or does not come out as it was wanted."""
    failed = written.by_hand or [*_nameless(base, written, unsteady), *_invalid(base, written)]
    if failed or not written.texts:
        return failed
    return [_first(base, key, reason) for key, reason in _wrong(base, written, render, unsteady).items()]


def write_objects(templates: Templates, base: Mapping[Key, Document], after: Mapping[Key, Any]) -> Written:
    """Write what makes the objects ``after`` of those of ``base``, without a look at what comes of it."""
    values = templates.texts.get(VALUES, "")
    editor = Editor(templates, _data(values))
    written = Written({}, {}, [])
    asked: dict[Keys, list[tuple[Key, Path]]] = {}  # which changes ask for a key of values
    for key, data in after.items():
        made = _write_object(editor, key, base[key], data, written) if key in base else ()
        for operation, names in made:
            for name in names:
                asked.setdefault(name, []).append((key, operation.path))
    for file in {lines.name: None for lines in editor.lines}:
        own = [lines for lines in editor.lines if lines.name == file]
        written.texts[file] = changed_text(templates.texts[file], own)
    if editor.new:
        try:
            written.texts[VALUES] = edited(values, [Override(path, value, ()) for path, value in editor.new.items()])
        except TextError as error:
            return Written({}, {}, written.by_hand + list(_without_key(base, asked, error)))
    return written


def _without_key(
    base: Mapping[Key, Document], asked: dict[Keys, list[tuple[Key, Path]]], error: TextError
) -> Iterator[ByHand]:
    """What cannot be made, since the values take no key for it."""
    reason = f"{VALUES} cannot take its key {error}"
    near = error.path if isinstance(error, KeyRefusedError) else ()
    for name, places in asked.items():
        if name[: len(near)] == near:
            yield from (replace(_first(base, key, reason), path=path) for key, path in places)


def _write_object(
    editor: Editor, key: Key, document: Document, data: Any, written: Written
) -> list[tuple[Operation, list[Keys]]]:
    """Write what makes ``data`` of an object: what was written, with the keys of values that it asks for."""
    name = document.source.partition("/")[2]
    roots = [root for root in read_rendered(document.text) if root.children]
    made: list[tuple[Operation, list[Keys]]] = []
    for operation in operations(document.data, data):
        try:
            if not name.startswith("templates/") or name not in editor.templates.texts:
                raise ByHandError("the template belongs to a chart below this one")
            if len(roots) != 1:
                raise ByHandError("its document cannot be told from others")
            made.append((operation, editor.write(name, roots[0], key.kind, operation)))
        except ByHandError as error:
            place = error.place or Line(name, 1)
            written.by_hand.append(ByHand(key, operation.path, str(error), place.name, place.line))
    if made:
        written.made[key] = copy.deepcopy(document.data)
        operated(written.made[key], [operation for operation, _ in made])
    return made


def _together(
    wanted: Wanted, reached: Sequence[Step], steps: list[Step], by_hand: dict[int, ByHand]
) -> tuple[list[Step], dict[Key, Any]]:
    """Those of ``steps`` that can be made without the ones that were dropped, and the objects as they leave them."""
    try:
        return steps, wanted.after([*reached, *steps])
    except WrongShapeError:
        kept: list[Step] = []
        for step in steps:
            try:
                wanted.after([*reached, *kept, step])
                kept.append(step)
            except WrongShapeError:
                key, _ = wanted.place(step.edits[0])
                by_hand[step.number] = ByHand(
                    key, step.edits[0].path[1:], "it rests on another change, which is left", "", 0
                )
        return kept, wanted.after([*reached, *kept])


def _steps_of(failed: ByHand, wanted: Wanted, steps: list[Step]) -> list[Step]:
    """The steps that ask for what failed; where none can be told, all that change the object, else all."""
    own = [(step, edit.path[1:]) for step in steps for edit in step.edits if wanted.place(edit)[0] == failed.key]
    near = [step for step, path in own if all(one == other for one, other in zip(path, failed.path, strict=False))]
    return near or [step for step, _ in own] or steps


def _resting(wanted: Wanted, steps: list[Step], dropped: dict[int, ByHand]) -> dict[int, ByHand]:
    return {
        number: replace(dropped[on], reason=f"it may rest on another change, which is left: {dropped[on].reason}")
        for number, on in resting_on(wanted, steps, dropped).items()
    }


def _invalid(base: Mapping[Key, Document], written: Written) -> Iterator[ByHand]:
    """The rules of Kubernetes that objects break now and did not before: a step was left out that others need."""
    for key, data in written.made.items():
        for broken in new_violations(violations(base[key].data), violations(data)):
            yield replace(
                _first(base, key, f"without another change, which is left, {broken.message}"), path=broken.path
            )


def _first(base: Mapping[Key, Document], key: Key, reason: str) -> ByHand:
    return ByHand(key, (), reason, base[key].source.partition("/")[2], 1)


def _unsteady(base: Mapping[Key, Document], render: Render) -> frozenset[tuple[Key, Place]]:
    """Where the chart renders to something else each time: passwords, and names by chance."""
    try:
        return frozenset(changed(dict(base), dict(render({}))))
    except HardenError:
        return frozenset()


def _nameless(
    base: Mapping[Key, Document], written: Written, unsteady: frozenset[tuple[Key, Place]]
) -> Iterator[ByHand]:
    """The objects that are not there again in the next render."""
    for key in written.made:
        if (key, ()) in unsteady:
            yield _first(base, key, "its name is another in each render")


def _wrong(
    base: Mapping[Key, Document], written: Written, render: Render, unsteady: frozenset[tuple[Key, Place]]
) -> dict[Key, str]:
    """The objects that do not come out as they were wanted, with the reason; {} where all do."""
    try:
        new = dict(render(written.texts))
    except HardenError:
        return dict.fromkeys(written.made, "the template with the lines cannot be rendered")
    # Objects with names by chance come and go; how many of a kind there are does not change.
    by_chance = {key.kind for key, place in unsteady if not place}
    found = {(key, place) for key, place in changed(written_over(base, written), new)} - unsteady
    keys = {key for key, place in found if place or key.kind not in by_chance}
    if not keys and Counter(key.kind for key in base) != Counter(key.kind for key in new):
        keys = set(written.made)
    if not keys:
        return {}
    return dict.fromkeys(keys & written.made.keys() or written.made, "with the lines it would render to something else")


def written_over(base: Mapping[Key, Document], written: Written) -> dict[Key, Document]:
    """Return the objects of the chart as the patch leaves them."""
    return {
        key: Document(document.source, "", written.made[key]) if key in written.made else document
        for key, document in base.items()
    }


def chart_texts(chart: str) -> dict[str, str]:
    """Return the templates of a chart and of those below it, and its values, by their paths in it."""
    found = {}
    for path in _files(chart):
        try:
            if os.path.getsize(path) <= _LARGEST:
                with open(path, encoding="utf-8", newline="") as handle:
                    found[os.path.relpath(path, chart).replace(os.sep, "/")] = handle.read()
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _files(chart: str) -> Iterator[str]:
    yield os.path.join(chart, VALUES)
    for top, folders, names in os.walk(chart):
        folders.sort()
        if "templates" in os.path.relpath(top, chart).split(os.sep):
            yield from (os.path.join(top, name) for name in sorted(names) if name.endswith(_SUFFIXES))


def _data(values: str) -> dict[str, Any]:
    try:
        documents = parse(values.removeprefix("\ufeff")).documents
    except HardenError:
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}


def diff(name: str, old: str | None, new: str) -> str:
    """Return the patch of one file, as git writes it; ``old`` is None for a new one."""
    end = "\t" if " " in name else ""  # as git ends a name with a blank in it, else patch ends it there
    before = "/dev/null" if old is None else f"a/{name}{end}"
    return unified(old or "", new, before, f"b/{name}{end}")
