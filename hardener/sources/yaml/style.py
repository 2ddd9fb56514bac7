"""How the surroundings are written, so that what is added looks like them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from .positions import (
    DOUBLE,
    FLOW_SEQUENCE,
    FOLDED,
    MAPPING,
    PLAIN,
    SEQUENCE,
    SINGLE,
    Collection,
    Mapping,
    Node,
    Scalar,
    Sequence,
)
from .scalars import resolve
from .source import Source

SHORT = 80
_OPENED = re.compile(r"[{\[]\r?\n")
# KYAML (KEP-5295): brackets, a key that is not quoted, an entry a line, and a comma behind the last.
_KYAML_HEAD = re.compile(r"(?:\s|#[^\n]*\n|---[^\n]*\n)*+\{[ \t]*\r?\n(?:\s|#[^\n]*\n)*+[A-Za-z][\w./-]*:[ \t]")
_KYAML_END = re.compile(r",(?:\s|#[^\n]*\n)*+\}(?:\s|#[^\n]*)*+\Z")
_SCALAR_ITEM = re.compile(b"[%c%c][%c-%c]" % (SEQUENCE, FLOW_SEQUENCE, PLAIN, FOLDED))  # among the kinds of a tree


class FlowStyle(NamedTuple):
    """How a collection in brackets is written.

    `indent` is the blank in front of the line that opens it, `step` what each level adds, `pad` what stands inside the
    brackets of a one-line collection. `kyaml`: what is new in it is KYAML.
    """

    json: bool = False
    lines: bool = False
    indent: str = ""
    step: str = "  "
    colon: str = ": "
    comma: str = ", "
    pad: str = ""
    quote: str = '"'
    force: bool = False
    kyaml: bool = False


class Layout(NamedTuple):
    """How block collections are written: indentation per level, of sequences under their key, width of `- `, quote."""

    step: int = 2
    offset: int = 0
    dash: int = 2
    quote: str = '"'
    literals: bool = True  # may write multi-line strings with `|`
    styles: Styles | None = None  # which know how short sequences are written
    position: int = 0


class SequenceHabits:
    """Which short sequences of scalars the segment writes in brackets: by key, and on the whole."""

    def __init__(self) -> None:
        self.places: dict[str, list[int]] = {}
        self.found: dict[str, list[int]] = {}
        self.last = -1
        self.balance = 0

    def add(self, key: str, position: int, at: int, *, flow: bool) -> None:
        """Note the sequence of number `at`."""
        self.places.setdefault(key, []).append(position)
        self.found.setdefault(key, []).append(at)
        self.balance += 1 if flow else -1
        if flow:
            self.last = at

    def example(self, key: str | None, position: int) -> int | None:
        """Give the number of the sequence that a new one under `key` is written like, None where there is none."""
        if key is not None and key in self.places:
            places = self.places[key]
            index = bisect_left(places, position)
            near = [i for i in (index - 1, index) if 0 <= i < len(places)]
            return self.found[key][min(near, key=lambda i: abs(places[i] - position))]
        return self.last if self.balance > 0 else None


class Styles:
    """Looks up styles in one source; counts the whole segment at most once for each question."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._own: dict[int, tuple[int | None, int | None]] = {}
        self._flows: dict[int, FlowStyle] = {}
        self.literals = True

    def layout(self, chain: list[Collection], position: int) -> Layout:
        """Give the block layout at `position` below the collections of `chain` (outermost first).

        The nearest example up the chain decides, else the majority in the segment.
        """
        step = offset = None
        for node in reversed(chain):
            if isinstance(node, Mapping) and not node.flow:
                own_step, own_offset = self._example(node)
                step = own_step if step is None else step
                offset = own_offset if offset is None else offset
                if step is not None and offset is not None:
                    break
        step = self._most_indents[0] if step is None else step
        offset = self._most_indents[1] if offset is None else offset
        return Layout(step, offset, self._most_dashes, self._most_quotes, self.literals, self, position)

    def _example(self, node: Mapping) -> tuple[int | None, int | None]:
        known = self._own.get(node.at)
        if known is None:
            tree = self.source.tree
            step = offset = None
            for key, value in tree.entries(node.at):
                if tree.nexts[value] == value + 1:
                    continue
                if step is None and tree.kinds[value] == MAPPING:
                    step = self._step(key, value)
                elif offset is None and tree.kinds[value] == SEQUENCE:
                    offset = self._offset(key, value)
            known = self._own[node.at] = (step, offset)
        return known

    def _step(self, key: int, value: int) -> int | None:
        starts = self.source.tree.starts
        step = self.source.column(starts[value + 1]) - self.source.column(starts[key])
        return step if step > 0 else None

    def _offset(self, key: int, value: int) -> int | None:
        source = self.source
        offset = source.column(source.dash_of(value + 1)) - source.column(source.tree.starts[key])
        return offset if offset >= 0 else None

    @cached_property
    def _most_quotes(self) -> str:
        kinds = self.source.tree.kinds
        single, double = kinds.count(SINGLE), kinds.count(DOUBLE)
        if single == double:
            return "'" if single and kinds.index(SINGLE) < kinds.index(DOUBLE) else '"'
        return "'" if single > double else '"'

    @cached_property
    def _most_dashes(self) -> int:
        widths = []
        kinds, nexts = self.source.tree.kinds, self.source.tree.nexts
        at = kinds.find(SEQUENCE)
        while at >= 0:
            if nexts[at] != at + 1 and (width := self._dash_width(at)) is not None:
                widths.append(width)
            at = kinds.find(SEQUENCE, at + 1)
        return _most(widths, 2)

    @cached_property
    def _most_indents(self) -> tuple[int, int]:
        """Of mappings under their key, and of the dashes of sequences under theirs."""
        kinds = self.source.tree.kinds
        steps, offsets = [], []
        for _, key, value in self._filled_collections():
            if kinds[value] == MAPPING:
                if (step := self._step(key, value)) is not None:
                    steps.append(step)
            elif kinds[value] == SEQUENCE and (offset := self._offset(key, value)) is not None:
                offsets.append(offset)
        return _most(steps, 2), _most(offsets, 0)

    @cached_property
    def _habits(self) -> SequenceHabits:
        source, tree = self.source, self.source.tree
        kinds, starts = tree.kinds, tree.starts
        habits = SequenceHabits()
        if not _SCALAR_ITEM.search(kinds):
            return habits
        for end, key, value in self._filled_collections():
            if kinds[value] >= SEQUENCE and kinds[key] <= FOLDED and max(kinds[value + 1 : end]) <= FOLDED:
                if kinds[value] == SEQUENCE:
                    habits.add(tree.texts[key], starts[key], value, flow=False)
                elif source.text.find("\n", starts[value], tree.ends[value]) < 0:
                    habits.add(tree.texts[key], starts[key], value, flow=True)
        return habits

    def sequence(self, key: str | None, position: int, items: list[Any]) -> FlowStyle | None:
        """Give the bracket style for a new sequence under `key`, None for block style."""
        if any(isinstance(item, (dict, list)) for item in items) or len(str(items)) > SHORT:
            return None
        if any(isinstance(item, str) and "\n" in item for item in items):
            return None
        at, tree = self._habits.example(key, position), self.source.tree
        return None if at is None or tree.kinds[at] == SEQUENCE else self.flow([Sequence(tree, at)])

    def _filled_collections(self) -> Iterator[tuple[int, int, int]]:
        """The collections that are values of block mappings and hold something, each as where it ends, the number of
        its key, and its own."""
        tree = self.source.tree
        at = tree.kinds.find(MAPPING)
        while at >= 0:
            for key, value in tree.entries(at):
                end = tree.nexts[value]
                if end != value + 1:
                    yield end, key, value
            at = tree.kinds.find(MAPPING, at + 1)

    def dash_width(self, node: Sequence) -> int | None:
        """Width of `- ` in a block sequence, None when its items begin on the next line."""
        return self._dash_width(node.at)

    def _dash_width(self, at: int) -> int | None:
        dash = self.source.dash_of(at + 1)
        between = self.source.text[dash + 1 : self.source.tree.starts[at + 1]]
        return len(between) + 1 if between and not between.strip(" ") else None

    def flow(self, chain: list[Collection]) -> FlowStyle:
        """Give the style of the collection in brackets that ends `chain`, helped by the brackets around it."""
        style = self._flows.get(chain[-1].at)
        if style is None:
            style = self._flows[chain[-1].at] = self._flow_style(chain)
        return style

    def _flow_style(self, chain: list[Collection]) -> FlowStyle:
        node = chain[-1]
        indent = self.source.lead(self.source.line(node.start))
        outer = self.flow(chain[:-1]) if len(chain) > 1 and chain[-2].flow else None
        quote = _common_quote(node)
        style = outer or FlowStyle(step="\t" if indent.startswith("\t") else self._step_text)
        style = style._replace(
            json=self._is_json(node, quote, outer, is_root=len(chain) == 1),
            indent=indent,
            quote=quote or style.quote,
            force=bool(quote) and isinstance(node, Sequence),
        )
        if self._is_kyaml:
            style = style._replace(json=False, quote='"', force=True, kyaml=True)
        members: list[Node] = [key for key, _ in node.pairs] if isinstance(node, Mapping) else node.items
        return self._like_members(node, members, style) if members else style

    def _is_json(self, node: Collection, quote: str | None, outer: FlowStyle | None, *, is_root: bool) -> bool:
        if quote == '"' and isinstance(node, Mapping):
            return True
        if outer and (quote is None or isinstance(node, Sequence)):
            return outer.json
        if quote is None:
            return self.source.is_bracketed
        return quote == '"' and is_root

    def _like_members(self, node: Collection, members: list[Node], style: FlowStyle) -> FlowStyle:
        """`style` with the blanks and commas between the members of a collection."""
        opening = self.source.text[self.source.value_start(node) + 1 : members[0].start]
        if "\n" in opening:
            style = style._replace(lines=True, step=self._step_before(members[0], style))
        else:
            style = style._replace(lines=False, pad=opening if not opening.strip(" ") else "")
        if isinstance(node, Mapping):
            style = style._replace(colon=self._colon(node) or style.colon)
        return style._replace(comma=self._comma(node, members, style))

    def _step_before(self, member: Node, style: FlowStyle) -> str:
        lead = self.source.lead(self.source.line(member.start))
        is_deeper = lead.startswith(style.indent) and lead != style.indent
        return lead[len(style.indent) :] if is_deeper and self.source.leads_line(member.start) else style.step

    def _comma(self, node: Collection, members: list[Node], style: FlowStyle) -> str:
        if len(members) == 1:
            return "," if style.colon == ":" else style.comma
        gap = self.source.text[self.source.entry_end(node, 0) : members[1].start]
        if not gap.strip(" ,"):
            return gap.lstrip(" ")
        return ", " if style.lines else style.comma

    def _colon(self, node: Mapping) -> str | None:
        key, value = node.pairs[0]
        between = self.source.text[key.end : value.start]
        blank = between.lstrip(" ").removeprefix(":")
        if (isinstance(value, Scalar) and value.absent) or blank.strip(" ") or not between.strip():
            return None
        # Without a blank the key must be quoted; only JSON-like text does so.
        return between if blank or (isinstance(key, Scalar) and key.style) else None

    @cached_property
    def _is_kyaml(self) -> bool:
        text = self.source.text
        return _KYAML_HEAD.match(text) is not None and _KYAML_END.search(text) is not None

    @cached_property
    def _step_text(self) -> str:
        """One level of indentation in JSON-like text: what stands in front of the first line below a bracket."""
        source = self.source
        match = _OPENED.search(source.text)
        if not match:
            return "  "
        line = source.line(match.start())
        outer, inner = source.lead(line), source.lead(line + 1)
        return inner.removeprefix(outer) if inner.startswith(outer) and inner != outer else "  "


def _most(votes: list[int], default: int) -> int:
    """The number that comes most often, the first of several; mostly all are the same."""
    if not votes or votes.count(votes[0]) == len(votes):
        return votes[0] if votes else default
    return Counter(votes).most_common(1)[0][0]


def _common_quote(node: Collection) -> str | None:
    """The quote that all strings (in a mapping: all keys) of a collection share; '' if none, None without evidence."""
    members = [key for key, _ in node.pairs] if isinstance(node, Mapping) else node.items
    styles = {
        member.style
        for member in members
        if isinstance(member, Scalar) and (member.style or isinstance(resolve(member.text), str))
    }
    if not styles:
        return None
    return styles.pop() if len(styles) == 1 and "" not in styles else ""
