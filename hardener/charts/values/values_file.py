"""Overrides as the text of a values file: a file of their own, with their reasons, or in a file that somebody wrote."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Grade
from hardener.authoring.transform import Transform
from hardener.charts.values.set_values import name_of
from hardener.engine.outcome import Override
from hardener.kubernetes.secrets.secret_values import found_secrets
from hardener.sources.yaml import Parsed, TextError, parse, rewrite, same
from hardener.sources.yaml.render import pair_lines
from hardener.sources.yaml.style import Layout, Styles
from hardener.support.printable import plain

_WIDTH = 100
_NARROWEST = 40  # of a comment, however deep it stands
_BOM = "\ufeff"

Keys = tuple[str, ...]


class KeyRefusedError(TextError):
    """One override cannot be written; the others perhaps can. ``path`` is its key, which the message begins with."""

    def __init__(self, path: Keys, reason: str, line: int | None = None) -> None:
        super().__init__(f"{name_of(path)}: {reason}", line)
        self.path = path


_Reasons = dict[str, tuple[Transform, Grade]]  # by the id of the transform


class _Key(Struct, eq=False):
    """A key of the file: others ``below`` it, or else a ``value``.

    ``reasons`` are those of its value, or of all values below it where these agree. ``named`` tells that an override
    names this very key.
    """

    below: dict[str, _Key] = field(default_factory=dict)
    value: Any = None
    reasons: _Reasons | None = None
    named: bool = False


def nested(overrides: Iterable[Override]) -> dict[str, Any]:
    """Return the overrides as one map of values, as a values file holds them. Maps are merged, as helm does; of two
    other values for one key the later stays."""
    found = _plain(_tree(overrides))
    return found if isinstance(found, dict) else {}


def copies_secret(override: Override) -> bool:
    """Tell whether a list of the override, which holds what stood there before, holds a secret."""
    return any(any(found_secrets({key: found})) for key, found in _lists(override.value, override.path[-1]))


def _lists(value: Any, key: str) -> Iterator[tuple[str, list[Any]]]:
    """The outermost lists of ``value``, each with its key."""
    if isinstance(value, list):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _lists(item, name)


def new_file(overrides: Sequence[Override], *, base: str, header: Sequence[str]) -> str:
    """Return a values file that holds the overrides and nothing else, with ``header`` as comments at its top: a line
    that begins with a blank, such as a command, is kept as it is, another one is wrapped.

    ``base`` is the text of the ``values.yaml`` of the chart: keys stand in its order, those that it does not hold last,
    and indentation, quotes and line breaks are its own. Above the key of each override a comment says which transforms
    ask for it, with risk, severity and grade; where all values of a map have the same reasons, it stands once, above
    the map. What a transform is for is said where it is named first. No comment holds a value. Raises KeyRefusedError
    for a list with a secret in it, which would be copied out of its file, and TextError where YAML cannot hold what is
    asked.
    """
    for override in overrides:
        if copies_secret(override):
            raise KeyRefusedError(override.path, "its list holds a secret, which would be copied into another file")
    root = _tree(overrides)
    writer = _Writer(base)
    writer.sort(root)
    _agree(root)
    lines: list[str] = []
    for line in header:
        lines += [f"# {plain(line)}"] if line.startswith(" ") else _comment(line, 0)
    for key, item in root.below.items():
        if lines:
            lines.append("")
        lines += writer.lines((key,), item, told=False)
    text = "".join(line + writer.newline for line in lines)
    written = parse(text).documents
    if not same(written[0] if written else None, _plain(root)):
        raise TextError("the values cannot be written as YAML")
    return text


def edited(text: str, overrides: Sequence[Override], *, base: str = "") -> str:
    """Return ``text``, a values file that somebody wrote, with the overrides in it; every other byte stays, comments
    too.

    Helm reads the first document only, and that is the one which changes. A missing key comes behind the one that it
    follows in ``base``, the ``values.yaml`` of the chart, else at the end of its map. Raises KeyRefusedError where a
    value would change that others share by an anchor, and TextError for a text that cannot be edited at all.
    """
    if text.startswith(_BOM):
        return _BOM + edited(text[1:], overrides, base=base)
    values = nested(overrides)
    if not values:
        return text
    before = parse(text)
    writer = _Writer(base)
    first = before.documents[0] if before.documents else None
    if first is None or first == {}:
        return _filled(before, overrides, writer)
    if not isinstance(first, dict):
        raise TextError("a values file holds a map of keys")
    try:
        return _rewritten(text, values, writer.order)
    except TextError as refusal:
        raise _named(text, overrides, writer.order, refusal) from None


def key_lines(text: str, paths: Iterable[Keys]) -> dict[Keys, int]:
    """Return on which line of the values file ``text`` each key stands, from 1. A key that is not there is left out;
    one that comes by an alias or a merge stands at the anchor. Of a text that cannot be read nothing is known."""
    model = _read(text)
    if model is None:
        return {}
    return {path: model.line(0, path) for path in paths if path and _holds(model, path)}


def _holds(model: Parsed, path: Keys) -> bool:
    data: Any = model.documents[0] if model.documents else None
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def _read(text: str) -> Parsed | None:
    """``text`` as read; None for what helm may take and the engine does not, such as a key that stands twice."""
    try:
        return parse(text.removeprefix(_BOM))
    except TextError:
        return None


# -- overrides as one tree


def _tree(overrides: Iterable[Override]) -> _Key:
    root = _Key()
    for override in overrides:
        reasons: _Reasons = {}
        for change in override.changes:
            _add(reasons, change.transform, change.edit.grade)
        key = root
        for part in override.path:
            key.value = key.reasons = None
            key = key.below.setdefault(part, _Key())
        _lay(key, override.value, reasons)
        key.named = True
    return root


def _add(reasons: _Reasons, transform: Transform, grade: Grade) -> None:
    """Note one reason; of two grades of a transform the worse counts."""
    known = reasons.get(transform.id)
    if known is None or known[1].rank < grade.rank:
        reasons[transform.id] = (transform, grade)


def _lay(key: _Key, value: Any, reasons: _Reasons) -> None:
    if isinstance(value, dict) and value:
        key.value = key.reasons = None
        for name, item in value.items():
            _lay(key.below.setdefault(name, _Key()), item, reasons)
    elif not (isinstance(value, dict) and key.below):  # an empty map takes nothing away
        merged = dict(key.reasons or {})
        for transform, grade in reasons.values():
            _add(merged, transform, grade)
        key.below.clear()
        key.value, key.reasons = value, merged


def _plain(key: _Key) -> Any:
    return {name: _plain(item) for name, item in key.below.items()} if key.below else key.value


def _agree(key: _Key) -> None:
    """Give each map the reasons of its values where all of them have the same."""
    for item in key.below.values():
        _agree(item)
    if key.below:
        first, *others = (item.reasons for item in key.below.values())
        if first is not None and all(_grades(first) == _grades(other) for other in others):
            key.reasons = first


def _grades(reasons: _Reasons | None) -> dict[str, Grade] | None:
    return None if reasons is None else {id: grade for id, (_, grade) in reasons.items()}


# -- a file of their own


class _Writer:
    """Writes keys as ``base`` does."""

    def __init__(self, base: str) -> None:
        self.model = _read(base)
        documents = self.model.documents if self.model else []
        self.order: Any = documents[0] if documents else None
        self.newline = "\r\n" if base[: base.find("\n") + 1].endswith("\r\n") else "\n"
        self._layout = self._measured()
        self._explained: set[str] = set()  # transforms of which the comments have said what they are for

    def _measured(self) -> Layout:
        return Styles(self.model.source).layout([], 0) if self.model else Layout()

    def sort(self, key: _Key) -> None:
        """Put the keys, at every depth, into the order of ``base``."""
        _sort(key, self.order)

    def lines(self, path: Keys, key: _Key, *, told: bool) -> list[str]:
        """The lines of one key and of what is below it; ``told`` says that a comment above has its reasons."""
        column = (len(path) - 1) * self._layout.step
        found: list[str] = []
        if key.reasons and not told and (key.named or len(key.below) != 1):
            found += self._reasons(key.reasons, column)
            told = True
        if not key.below:
            return found + pair_lines([(path[-1], key.value)], column, self._placed(path, key.value))
        found += pair_lines([(path[-1], {})], column, self._layout)
        found[-1] = found[-1].removesuffix(" {}")
        for name, item in key.below.items():
            found += self.lines((*path, name), item, told=told)
        return found

    def _placed(self, path: Keys, value: Any) -> Layout:
        """A list is written as the one that stands at this key of ``base``."""
        if not isinstance(value, list) or self.model is None or not _holds(self.model, path):
            return self._layout
        source, line = self.model.source, self.model.line(0, path) - 1
        return self._layout._replace(position=source.line_start(line) + source.indent(line))

    def _reasons(self, reasons: _Reasons, column: int) -> Iterator[str]:
        again = []
        for transform, grade in sorted(reasons.values(), key=lambda item: (-item[0].severity.rank, item[0].id)):
            named = f"{transform.id} ({transform.risk}, {transform.severity}, {grade})"
            if transform.id in self._explained:
                again.append(named)
            else:
                self._explained.add(transform.id)
                yield from _comment(f"{named}: {transform.title}", column)
        if again:
            yield from _comment(", ".join(again), column)


def _sort(key: _Key, order: Any) -> None:
    known = order if isinstance(order, dict) else {}
    names = [name for name in known if name in key.below] + [name for name in key.below if name not in known]
    key.below = {name: key.below[name] for name in names}
    for name, item in key.below.items():
        _sort(item, known.get(name))


def _comment(text: str, column: int) -> Iterator[str]:
    """A comment at ``column``, on as many lines as it needs."""
    blank = " " * column
    width = max(_WIDTH - column - 2, _NARROWEST)
    lines = textwrap.wrap(plain(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    for line in lines or [""]:
        yield f"{blank}# {line}".rstrip()


# -- a file that somebody wrote


def _rewritten(text: str, values: dict[str, Any], order: Any) -> str:
    def mutate(documents: list[Any]) -> None:
        _overlay(documents[0], values, order)

    return rewrite(text, mutate).text


def _named(text: str, overrides: Sequence[Override], order: Any, refusal: TextError) -> TextError:
    """The refusal with the key that it is about; as it is where no override alone is refused."""
    asked = list(overrides)
    while True:
        half = len(asked) // 2
        for part in (asked[:half], asked[half:]) if half else (asked,):
            try:
                _rewritten(text, nested(part), order)
            except TextError as error:
                asked, refusal = part, error
                break
        else:
            return refusal
        if len(asked) == 1:
            return KeyRefusedError(asked[0].path, refusal.reason, refusal.line)


def _overlay(old: dict[str, Any], new: dict[str, Any], order: Any) -> None:
    """Merge ``new`` into ``old`` in place, as helm merges two values files."""
    known = order if isinstance(order, dict) else {}
    for key, value in new.items():
        if key not in old:
            continue
        if isinstance(value, dict) and isinstance(old[key], dict):
            _overlay(old[key], value, known.get(key))
        else:
            old[key] = value
    missing = [key for key in new if key not in old]
    if not missing:
        return
    places = _places(old, new, known)
    own = list(old.items())
    first = places.pop(None, [])  # nothing stands before them here: to the end, since the top has the words of a person
    old.clear()
    for key, value in own:
        old[key] = value
        for name in places.get(key, ()):
            old[name] = new[name]
    for name in [*first, *(key for key in missing if key not in known)]:
        old[name] = new[name]


def _places(old: dict[str, Any], new: dict[str, Any], known: dict[str, Any]) -> dict[str | None, list[str]]:
    """The keys that are ``new``, by the key of ``old`` behind which the order of the ``known`` ones has them."""
    places: dict[str | None, list[str]] = {}
    before: str | None = None
    for key in known:
        if key in old:
            before = key
        elif key in new:
            places.setdefault(before, []).append(key)
    return places


def _filled(before: Parsed, overrides: Sequence[Override], writer: _Writer) -> str:
    """A text that holds no key, with the overrides at its end, or in place of its ``{}``."""
    text = before.text
    root = _tree(overrides)
    writer.sort(root)
    newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text else writer.newline
    lines = [line for key, item in root.below.items() for line in writer.lines((key,), item, told=True)]
    span = before.span(0, ()) if before.documents and before.documents[0] is not None else None
    start, end = span or (len(text), len(text))
    stop = text.find("\n", end) + 1 or len(text)
    head = _head(text[:start].rstrip(" \t"), text[end:stop].strip(), newline)
    after = head + "".join(line + newline for line in lines) + text[stop:]
    if not _proved(before, after, _plain(root)):
        raise TextError("the file holds no key, and its text leaves no place for one")
    return after


def _head(head: str, beside: str, newline: str) -> str:
    """What comes before the first key: ``head``, and a comment ``beside`` the braces that were there."""
    if head and not head.endswith("\n"):
        head += newline
    if beside:
        head += beside + newline
    if head and head.splitlines()[-1].startswith("#"):
        head += newline  # the comment speaks of the file, not of the key that comes
    return head


def _proved(before: Parsed, text: str, values: Any) -> bool:
    try:
        after = parse(text)
    except TextError:
        return False
    wanted = [values, *before.documents[1:]]
    had, has = (Counter(comment.text for comment in parsed.comments()) for parsed in (before, after))
    return same(after.documents, wanted) and had == has
