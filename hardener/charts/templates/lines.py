"""Which line of a template a line of the rendered chart comes from.

Nothing is run: the tree of the template and that of what helm printed are laid beside each other, key by key from the
top. It is a place to show to a person, and where nothing tells, a line above it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct, field

from hardener.charts.files.metadata import dependencies, metadata, vendored
from hardener.charts.rendered import parts
from hardener.charts.templates.template_text import OUT, Node, Template, fits, is_literal, read_rendered, read_template
from hardener.engine.outcome import Outcome

_DEEP = 2  # levels that two subtrees are compared in
_WIDE = 30  # children of each of them
_MOST_PAIRS = 40_000  # of items of two lists; beyond that each is looked up for itself
_DEEPEST_INCLUDE = 8


class Place(Struct, frozen=True):
    """A line of a template of a chart: the name of its file, and the node that stands there, None where none does.

    ``exact``: the node is the very key or item that was printed, not what stands above it, nor an action that prints
    it. ``through`` are the actions that include the template which the line stands in, from the outside in.
    """

    name: str
    line: int
    node: Node | None = None
    exact: bool = False
    through: tuple[Node, ...] = ()


class Templates(Struct):
    """The templates of a chart, each by the name of its file; those of its sub-charts may be among them.

    With ``follow`` a line that an `include` prints is looked for in what that includes. ``known`` are templates that
    were read before, by their texts.
    """

    texts: Mapping[str, str]
    follow: bool = True
    known: dict[str, Template] = field(default_factory=dict)
    _read: dict[str, Template] = field(default_factory=dict)
    _defines: dict[str, tuple[str, list[Node]]] | None = None
    _rendered: tuple[str, list[Node]] = ("", [])
    _lists: dict[tuple[Node, Node], dict[Node, Node]] = field(default_factory=dict)
    _documents: dict[tuple[Node, Node], Node | None] = field(default_factory=dict)

    def template(self, name: str) -> Template:
        """Return the template in the file ``name``."""
        if name not in self._read:
            text = self.texts.get(name, "")
            if text not in self.known:
                self.known[text] = read_template(text)
            self._read[name] = self.known[text]
        return self._read[name]

    def defined(self, name: str) -> tuple[str, list[Node]] | None:
        """Return the file that defines the template ``name``, and its trees."""
        if self._defines is None:
            self._defines = {}
            for file in self.texts:
                for found, nodes in self.template(file).defines.items():
                    self._defines[found] = file, nodes
        return self._defines.get(name)

    def place(self, name: str, rendered_text: str, rendered_line: int) -> Place:
        """Return where the line ``rendered_line`` of ``rendered_text``, which the template ``name`` printed, comes
        from: of a line that an action prints, the action; where nothing tells, the nearest key above. Lines count from
        1."""
        if self._rendered[0] != rendered_text:
            self._rendered = rendered_text, read_rendered(rendered_text)
            self._lists.clear()
            self._documents.clear()
        way = _way_to(self._rendered[1], rendered_line)
        return self.of_node(name, way[-1]) if way else Place(name, 1)

    def of_node(self, name: str, rendered: Node) -> Place:
        """Return where the node ``rendered`` of what the template ``name`` printed comes from."""
        way = [rendered, *rendered.above()][::-1]
        return self._along(name, self.template(name).documents, way, ())

    def _along(self, name: str, roots: list[Node], way: list[Node], through: tuple[Node, ...]) -> Place:
        """``way`` leads from a document, or from what an `include` printed below it, down to a node."""
        at = (roots[0], way[0]) if roots else None
        if at is not None and at not in self._documents:
            self._documents[at] = _document(roots, way[0])
        node = self._documents[at] if at is not None else None
        if node is None:
            return Place(name, 1, None, False, through)
        last, exact = node, False
        for rendered in way[1:]:
            found = self.pick(node, rendered)
            if found is None:
                exact = False
                break
            last, node, exact = found, found, found.kind != "out"
            if found.kind == "out":
                further = self._included(found, way[way.index(rendered) - 1 :], through) if self.follow else None
                if further is not None:
                    return further
                break
        line = last.line
        if last.kind == "document":  # it may begin with the dashes of the one before
            exact = len(way) == 1
            line = next((child.line for child in last.children), line)
        return Place(name, line, last, exact, through)

    def pick(self, template: Node, rendered: Node) -> Node | None:
        """Return the child of ``template`` that printed ``rendered``, which stands below what ``template`` printed."""
        parent = rendered.parent
        if parent is None:
            return None
        if rendered.kind == "key":
            able = _picked_keys(template, rendered, parent.children)
            return max(able, key=lambda node: (self._prints(node, rendered), _printer_rank(node)), default=None)
        if len(template.children) * len(parent.children) > _MOST_PAIRS:
            return _picked_alone(template.children, rendered)
        if (template, parent) not in self._lists:
            self._lists[template, parent] = _aligned(template.children, parent.children)
        return self._lists[template, parent].get(rendered)

    def _prints(self, action: Node, rendered: Node) -> bool:
        """Whether what an action includes holds the key that was rendered."""
        found = [self.defined(include) for include in action.includes] if self.follow and action.kind == "out" else []
        return any(child.name == rendered.name for one in found if one for root in one[1] for child in root.children)

    def _included(self, action: Node, way: list[Node], through: tuple[Node, ...]) -> Place | None:
        for include in action.includes if len(through) < _DEEPEST_INCLUDE else ():
            found = self.defined(include)
            if found is None:
                continue
            file, roots = found
            if any(self.pick(root, way[1]) is not None for root in roots):
                return self._along(file, roots, way, (*through, action))
        return None


def _way_to(documents: list[Node], line: int) -> list[Node]:
    """The nodes from the document down to what stands on the line, or last before it."""
    way: list[Node] = []
    level = documents
    while level:
        at = [node for node in level if node.line <= line]
        if not at:
            break
        # A key and the dash before it stand on one line: the key is meant.
        way.append(at[-1])
        level = at[-1].children
    return way


def _document(roots: list[Node], rendered: Node) -> Node | None:
    """The document of the template that comes nearest to the rendered one."""
    if len(roots) < 2:
        return roots[0] if roots else None
    there = _texts(rendered)

    def nearness(root: Node) -> tuple[bool, float]:
        like = _likeness(root, rendered, _DEEP + 1)
        own = _texts(root)
        always = sum(depth == len(root.blocks) for text, depth in own.items() if text not in there)
        return like >= 0, like + sum(text in there for text in own) - always

    return max(roots, key=nearness)


def _texts(root: Node) -> dict[tuple[str, ...], int]:
    """The texts of a document that are written out, with the keys above them, and how many blocks each stands in."""
    found: dict[tuple[str, ...], int] = {}
    waiting: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while waiting:
        node, way = waiting.pop()
        if node.kind != "out" and is_literal(node.value) and (node.value or node.kind == "text"):
            found[*way, node.value] = len(node.blocks)
        waiting.extend((child, (*way, child.name) if child.kind != "item" else way) for child in node.children)
    return found


def _picked_keys(template: Node, rendered: Node, siblings: list[Node]) -> list[Node]:
    """The children of ``template`` that may have printed the key ``rendered``, one where that is known."""
    exact = _exact(template, rendered)
    if len(exact) == 1:
        return exact
    if exact:
        return [max(exact, key=lambda node: _score(node, rendered) or 0)]
    # No key of that name: something between the neighbours of known origin printed it.
    low, high = _neighbours(template, rendered, siblings)
    able = [(place, child) for place, child in enumerate(template.children) if _score(child, rendered) is not None]
    between = [child for place, child in able if low < place < high]
    return between or [child for _, child in able]


def _neighbours(template: Node, rendered: Node, siblings: list[Node]) -> tuple[int, int]:
    """The places in ``template`` of the keys of known origin before and after ``rendered``."""
    last = {child.name: place for place, child in enumerate(template.children)}
    first = {child.name: place for place, child in reversed(list(enumerate(template.children)))}
    at = siblings.index(rendered)
    before = (last[node.name] for node in reversed(siblings[:at]) if node.name in last)
    after = (first[node.name] for node in siblings[at + 1 :] if node.name in first)
    return next(before, -1), next(after, len(template.children))


def _exact(template: Node, rendered: Node) -> list[Node]:
    named = [child for child in template.children if child.kind == "key" and child.name == rendered.name]
    return [child for child in named if _score(child, rendered) is not None] or named


def _printer_rank(node: Node) -> int:
    """A key that an action names, before what an include prints, before what a value of the user holds."""
    if node.kind != "out":
        return 2
    return 1 if node.includes else 0


def _picked_alone(candidates: list[Node], rendered: Node) -> Node | None:
    """The item or line of text of a long list that fits best, whatever its place."""
    return max(
        (node for node in candidates if fits(node.name, rendered.name) and fits(node.value, rendered.value)),
        key=lambda node: (is_literal(node.name + node.value), len(node.name + node.value)),
        default=None,
    )


def _aligned(candidates: list[Node], siblings: list[Node]) -> dict[Node, Node]:
    """The best way to give each of ``siblings`` one of ``candidates``: items and lines of text keep their order, and
    those in a `range` may come again."""
    groups = [_range(node) for node in candidates]
    wide = len(candidates)
    # best[i][j]: of the first i siblings, when none of them has a candidate beyond the first j.
    best = [[0.0] * (wide + 1)]
    took: list[list[tuple[int, int] | None]] = [[None] * (wide + 1)]
    ends = {group: place for place, group in enumerate(groups, 1) if group is not None}
    for sibling in siblings:
        above = best[-1]
        row = [0.0] * (wide + 1)
        chosen: list[tuple[int, int] | None] = [None] * (wide + 1)
        row[0] = above[0]
        for place, node in enumerate(candidates, 1):
            row[place] = max(above[place], row[place - 1])
            chosen[place] = None if row[place] == above[place] else chosen[place - 1]
            score = _score(node, sibling)
            if score is None:
                continue
            group = groups[place - 1]
            back = place - 1 if group is None else ends[group]
            if above[back] + score > row[place]:
                row[place], chosen[place] = above[back] + score, (place, back)
        best.append(row)
        took.append(chosen)
    found: dict[Node, Node] = {}
    place = wide
    for number in range(len(siblings), 0, -1):
        step = took[number][place]
        if step is not None:
            found[siblings[number - 1]] = candidates[step[0] - 1]
            place = step[1]
    return found


def _range(node: Node) -> int | None:
    """The number of the outermost `range` between the node and what it stands in; an action prints often as well."""
    above = node.parent.blocks if node.parent is not None else ()
    for block in node.blocks[len(above) :]:
        if block.word == "range":
            return block.number
    return -1 - node.line if node.kind == "out" else None


def _score(template: Node, rendered: Node) -> float | None:
    """How well what was ``rendered`` fits to a node of the template; None where it cannot come from it."""
    if template.kind == "out":
        return 0.1
    if template.kind != rendered.kind or not fits(template.name, rendered.name):
        return None
    text = _text_score(template, rendered)
    inside = _likeness(template, rendered, _DEEP)
    if text is None or inside < 0:
        return None
    name = 4.0 if is_literal(template.name) else 1 + _weight(template.name)
    return name + text + inside


def _text_score(template: Node, rendered: Node) -> float | None:
    """How well the value of ``rendered`` fits; None where it is another text than the template would print."""
    if _comparable(template.value) and (rendered.value or is_literal(template.value)):
        if not fits(template.value, rendered.value):
            return None
        return 2.5 if is_literal(template.value) else _weight(template.value)
    return 1.0 if template.value and template.value == rendered.value else 0.0


def _comparable(value: str) -> bool:
    """Whether the value is a text that comes out as it stands: no block and no flow, which may be written anew."""
    return bool(value) and value[0] not in "|>{[&*!"


def _weight(pattern: str) -> float:
    return min(len(pattern.replace(OUT, "")), 20) / 10


def _likeness(template: Node, rendered: Node, depth: int) -> float:
    """How many keys, items and texts both have; below 0 where one of the same name is not the same text."""
    if not depth:
        return 0.0
    keys = {child.name: child for child in rendered.children[:_WIDE] if child.kind == "key"}
    others = {(child.name, child.value) for child in rendered.children[:_WIDE] if child.kind != "key"}
    total = 0.0
    for child in template.children[:_WIDE]:
        if child.kind != "key":
            total += (child.kind == "text" or bool(child.value)) and (child.name, child.value) in others
        elif (other := keys.get(child.name)) is not None:
            text, inside = _text_score(child, other), _likeness(child, other, depth - 1)
            if (text is None or inside < 0) and len(child.blocks) == len(template.blocks):
                return -1.0
            total += 1
            total += text or 0.0
            total += max(inside, 0.0)
    return total


def by_template(text: str, chart: str, folder: str) -> list[tuple[str, str]]:
    """Return the rendered documents by the template that they come from: its path, and their text."""
    found: dict[str, list[str]] = {}
    for source, part in parts(text):
        path = os.path.join(_folder_of(chart), real_source(source, folder))
        found.setdefault(path, []).append(part if part.endswith("\n") else f"{part}\n")
    return [(path, "---\n".join(texts)) for path, texts in found.items()]


def _folder_of(chart: str) -> str:
    """The folder of a chart, or the one that its archive would be."""
    path = os.path.realpath(chart)
    return path if os.path.isdir(path) else path.removesuffix(".tgz")


def template_texts(folder: str, chart: str) -> dict[str, str]:
    """Return the templates of the copied chart in ``folder`` and of those below it, by their paths in ``chart``."""
    found = {}
    for top, folders, names in os.walk(folder):
        folders.sort()
        if "templates" in os.path.relpath(top, folder).split(os.sep):
            for name in names:
                path = os.path.join(_folder_of(chart), os.path.relpath(os.path.join(top, name), folder))
                with open(os.path.join(top, name), encoding="utf-8", errors="replace") as handle:
                    found[path] = handle.read()
    return found


def real_source(source: str, folder: str) -> str:
    """The template that helm calls ``source``, from the copied chart in ``folder`` on: helm names a chart below another
    one by its alias."""
    left = source.split("/")[1:]
    found: list[str] = []
    while len(left) > 1 and left[0] == "charts":
        above = os.path.join(folder, *found)
        if not os.path.isdir(os.path.join(above, *left[:2])):
            names = {
                entry.get("alias") or entry["name"]: entry["name"]
                for entry in dependencies(metadata(above, os.path.basename(above)))
            }
            places = dict(vendored(above))
            if (place := places.get(names.get(left[1], left[1]))) is not None:
                left[1] = os.path.basename(place)
        found += left[:2]
        left = left[2:]
    return os.path.join(*found, *left)


def at_templates(outcome: Outcome, texts: dict[str, str], read: dict[str, Template]) -> None:
    """Have all lines of ``outcome`` be those of templates, where a person changes something. ``read`` are templates by
    their texts; what is read beside them is added."""
    files = {file.name: file for file in outcome.tree.files if file.path in texts}
    whole, alone = Templates(texts, known=read), Templates(texts, follow=False, known=read)
    known: dict[tuple[str, int], int] = {}

    def line(name: str, rendered: int) -> int:
        if name not in files or rendered <= 0:
            return rendered
        if (name, rendered) not in known:
            known[name, rendered] = alone.place(files[name].path, files[name].content.text, rendered).line
        return known[name, rendered]

    for change in sorted([*outcome.changes, *outcome.not_made], key=lambda change: change.object.piece.file.name):
        change.line = change.new_line = line(change.object.piece.file.name, change.line or change.new_line)
    for piece, path in sorted(outcome.lines, key=lambda place: place[0].file.name):
        outcome.lines[piece, path] = line(piece.file.name, outcome.lines[piece, path])
    for report in sorted(outcome.findings, key=lambda report: report.file):
        if report.file in files and report.line > 0:
            # What a template includes is often all that there is of it.
            place = whole.place(files[report.file].path, files[report.file].content.text, report.line)
            report.file, report.line = os.path.relpath(place.name), place.line
