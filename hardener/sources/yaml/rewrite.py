"""Change a segment through its data, and prove that nothing else changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from .diff import Differ
from .parsed import Parsed, documents_with_owners, parse, reopened
from .positions import Path, Tree
from .scalars import same
from .source import Source
from .splices import Hunk
from .text_error import TextError
from .values import ITEM, Owners, Paths, filled, kept


class Rewrite(NamedTuple):
    """A segment after its edits: the new text, what changed, and both readings."""

    text: str
    hunks: list[Hunk]
    before: Parsed
    after: Parsed


# The plain way first. Some places do not bear it: `|` in front of blank lines, blank lines that would fall to a `|+`,
# a value that needs the final newline which the file lacks. (literals, swallow, borrow)
_WAYS = ((True, False, False), (False, False, False), (True, True, False), (True, False, True), (True, True, True))


def rewrite(
    text: str,
    mutate: Callable[[list[Any]], list[Any] | None],
    *,
    replaced: Collection[tuple[str, str]] = (),
    read: Tree | None = None,
    touched: Iterable[Path] | None = None,
    goal: list[Any] | None = None,
) -> Rewrite:
    """Give `mutate` the documents of one segment as plain data to change in place (or return), and write the changes.

    The result is read again and must equal the data, type by type, with every comment that stands alone on its line
    still there; else TextError is raised. Setting a document to None removes it. No change gives back the same text.
    A key of `replaced` that goes, and the one beside it that comes in its place, share the line and its comment.

    What is known spares work: `read` is the tree of `text`; `mutate` looks at nothing but the places `touched`, which
    begin with the number of the document; `goal` is the data that it leads to.
    """
    before = parse(text) if read is None else reopened(text, read)
    owners = Owners()
    source = before.source
    if touched is None or not source.tree.is_simple or "<<" in text:
        given, goal = documents_with_owners(source, owners), None
    else:
        paths = _paths(touched)
        given = [
            None if root < 0 else source.opened(root, paths[number], owners) if number in paths else kept(root)
            for number, root in enumerate(source.tree.roots)
        ]
    wanted = mutate(given)
    if wanted is None:
        wanted = given
    if len(wanted) != len(source.tree.roots):
        raise TextError("documents cannot be added to or taken out of the list")
    try:
        try:
            return _write(text, before, owners, wanted, goal, replaced, moving=True)
        except TextError:  # what goes at one place and comes at another asks for less
            return _write(text, before, owners, wanted, goal)
    except RecursionError:
        raise TextError("nested too deeply") from None


def _paths(touched: Iterable[Path]) -> dict[int, Paths]:
    found: dict[int, Paths] = {}
    for number, *path in touched:
        below = found.setdefault(int(number), {})
        for part in path:
            name = part if isinstance(part, str) else ITEM
            deeper = below.get(name)
            if deeper is None:
                deeper = below[name] = {}
            below = deeper
    return found


def _write(
    text: str,
    before: Parsed,
    owners: Owners,
    wanted: list[Any],
    goal: list[Any] | None,
    replaced: Collection[tuple[str, str]] = (),
    *,
    moving: bool = False,
) -> Rewrite:
    newline = before.source.newline(len(text)) if text and not text.endswith("\n") else ""
    source = Source(text, before.source.tree, borrowed=newline) if newline else before.source
    refusal: TextError | None = None
    for literals, swallow, borrow in _WAYS:
        if borrow and not newline:
            continue
        differ = Differ(source, owners, literals=literals, swallow=swallow, replaced=replaced, moving=moving)
        for root, new in zip(source.roots, wanted, strict=True):
            if root is not None:
                differ.document(root, new)
            elif new is not None:
                raise TextError("an empty document cannot be filled")
        if not differ.splices:
            return Rewrite(text, [], before, before)
        new_text, hunks = differ.splices.apply(borrow=borrow)
        try:
            after = _proved(text, new_text, before, wanted, goal, in_order=not differ.blocks.moves)
        except TextError as error:
            refusal = refusal or error
            continue
        return Rewrite(new_text, hunks, before, after)
    assert refusal is not None
    raise refusal


def _proved(
    old_text: str, new_text: str, before: Parsed, wanted: list[Any], goal: list[Any] | None = None, *, in_order: bool
) -> Parsed:
    """Read the new text; it must hold the wanted data and all comments that stood alone."""
    try:
        after = _parsed(new_text, goal, before.tree.later)
    except TextError as error:
        raise TextError(f"the change cannot be written here: {error.reason}") from None
    if (goal is None or not after.holds(goal)) and not _says_again(after, before, wanted, goal):
        if len(after.lone_comments) < len(before.lone_comments):
            raise TextError("the change cannot be written here: a comment that must stay would become text of a value")
        raise TextError("the change cannot be written here: it would read back as something else")
    if "#" in old_text or "#" in new_text:
        had, have = before.lone_comments, after.lone_comments
        if had != have if in_order else sorted(had) != sorted(have):
            raise TextError("the change cannot be written here: a comment would be lost")
    if before.source.is_bracketed and _is_json(old_text) and not _is_json(new_text):
        raise TextError("the change cannot be written here: the result would not be JSON")
    return after


def _parsed(text: str, goal: list[Any] | None, known: dict[str, Tree] | None) -> Parsed:
    """``text``, which is to say `goal`, as read; ``known`` has the trees of texts that were read before, and learns
    this one."""
    if known is None:
        return parse(text, goal)
    tree = known.get(text)
    if tree is not None:
        return reopened(text, tree)
    found = parse(text, goal)
    known[text] = found.tree
    return found


def _says_again(after: Parsed, before: Parsed, wanted: list[Any], goal: list[Any] | None) -> bool:
    """Whether `after` says the data `goal` or `wanted`, of which documents may have gone."""
    found = _without_empty(after.documents)
    if goal is not None and same(found, _without_empty(goal)):
        return True
    return same(found, _without_empty([filled(value, before.tree) for value in wanted]))


def _without_empty(documents: list[Any]) -> list[Any]:
    return [document for document in documents if document is not None]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
