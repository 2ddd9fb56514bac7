"""A block of Terraform that stands for a Kubernetes object, as that object: data in Kubernetes' spelling, and where
each part of it stands in the block.

What an expression says is text in the data, as in every block (``${var.image}``); a list or mapping to which a
``dynamic`` block may add is an open one. What an expression names, and is one literal of the module, is that value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.open_values import Expression, opened
from hardener.sources.yaml import TextError, same
from hardener.support.data_path import Path

from .nodes import Node
from .pairing import paired
from .provider import MANIFESTS, Block, Field, Resource, resource

Resolve = Callable[[str], tuple[Any] | None]
"""The value that the text of an expression names, as a tuple of one; None where it is not known, or several."""

_WHOLE = re.compile(r"\$\{(.*)\}", re.S)
_INNER = re.compile(r"(?<!\$)\$\{([^{}\"]*)\}")
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][\w-]*)[ \t]*\r?\n(.*?)^[ \t]*\2[ \t]*\r?\n?\Z", re.S | re.M)
_DYNAMIC = "dynamic "
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")


class Part(Struct):
    """A value of the object, and the node where it stands.

    ``form``: "block" (a mapping in a block), "blocks" (a list, each item in a block of its own), "value" (an attribute,
    or what stands in one), "fixed" (what no text says, or says elsewhere: ``why`` tells where). ``block`` is what it or
    its items are blocks of, ``names`` are those of its fields in HCL, with a dot where one stands in a further block:
    "persistent_volume_source.host_path". ``kind`` is the type of an attribute, the form of the field for a list
    of blocks, "dynamic" where loops make all of them, and "sent" for what the provider adds.
    """

    form: str
    data: Any
    node: Node
    children: dict[str | int, Part] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    block: Block | None = None
    kind: str = ""
    why: str = ""


class Reader(Struct):
    """Reads the blocks of one module; ``resolve`` knows what its expressions name, ``row`` is how many lines of the
    file stand before the text."""

    resolve: Resolve = lambda text: None
    row: int = 0

    def read(self, head: list[str], node: Node) -> Part | None:
        """The object for which the block ``head`` stands, None where it stands for none that is written in it."""
        if len(head) != 3 or head[0] != "resource":
            return None
        if head[1] in MANIFESTS:
            return self._manifest(head[1], node)
        kind = resource(head[1])
        return self._object(kind, node) if kind is not None else None

    def _manifest(self, type_name: str, node: Node) -> Part | None:
        found = node.children.get(MANIFESTS[type_name])
        if type_name == "kubectl_manifest" and found is not None:
            found = found.children.get(ENCODED)
        if found is None or found.form != "object" or not {"apiVersion", "kind"} <= found.data.keys():
            return None
        made = self._value(found, "any")  # in Kubernetes' own spelling
        return made if isinstance(made.data.get("kind"), str) else None

    def _object(self, kind: Resource, node: Node) -> Part:
        body = self._block(kind.block, node)
        for name, value in (("kind", kind.kind), ("apiVersion", kind.api_version)):
            body.children = {name: Part("fixed", value, node, why="the type of the resource says it"), **body.children}
            body.data = _like(body.data, {name: value, **body.data})
        if kind.type.startswith("kubernetes_default_service_account"):
            metadata = body.children.get("metadata")
            if metadata is not None and isinstance(metadata.data, dict):
                why = "the type of the resource says it"
                metadata.children["name"] = Part("fixed", "default", metadata.node, why=why)
                metadata.data["name"] = "default"
        return body

    def _line(self, node: Node, name: str) -> str:
        return f"{name} (line {self.row + node.row + 1})"

    # Blocks.

    def _block(self, block: Block, node: Node) -> Part:
        """What a block of the kind ``block`` says."""
        part = Part("block", {}, node, block=block)
        self._fill(part, block, node, "")
        _send(part)
        return part

    def _fill(self, part: Part, block: Block, node: Node, within: str) -> None:
        for name, child in node.children.items():
            assert isinstance(name, str)
            bare = name.removeprefix(_DYNAMIC)
            known = block.fields.get(bare, _unknown(bare, child))
            if known is None or (bare in _META and bare not in block.fields):
                continue
            if known.form == "flat":
                if bare != name or len(child.data) != 1:
                    part.data = opened(part.data, self._line(child, name))
                elif known.block is not None:
                    self._fill(part, known.block, child.children[0], bare)
                continue
            if bare != name:
                made = self._dynamic(known, child, part.children.get(known.name), name)
            elif known.block is not None or child.form == "blocks":
                made = self._nested(known, child, part.children.get(known.name))
            else:
                made = self._value(child, known.form)
                if known.name in part.children:  # two ways to say it
                    made = Part("fixed", Expression("${" + bare + "}"), child, why=f"{bare} says it, too")
            part.children[known.name] = made
            part.names[known.name] = f"{within}.{bare}" if within else bare
            part.data[known.name] = made.data

    def _dynamic(self, known: Field, node: Node, before: Part | None, name: str) -> Part:
        why = self._line(node, name)
        if known.form not in ("many", "each"):
            return Part("fixed", Expression("${" + name.replace(" ", ".") + "}"), node, why=why)
        if before is not None and before.form == "blocks":
            before.data = opened(before.data, why)
            return before
        return Part("blocks", opened([], why), node, block=known.block, kind="dynamic")

    def _nested(self, known: Field, node: Node, before: Part | None) -> Part:
        if node.form != "blocks":  # written as an attribute, which the provider does not take
            return self._value(node, "any")
        if known.form == "one" or known.block is None:
            if len(node.data) > 1:
                return Part("fixed", Expression("${" + known.name + "}"), node, why=f"{len(node.data)} blocks say it")
            return self._nested_block(known.block, node.children[0])
        if known.form == "each":
            return self._each(known, node)
        part = Part("blocks", [], node, block=known.block, kind=known.form)
        if before is not None and before.kind == "dynamic":
            part.data = opened([], before.data.why)
        for index, child in enumerate(node.children.values()):
            part.children[index] = self._nested_block(known.block, child)
            part.data.append(part.children[index].data)
        return part

    def _nested_block(self, block: Block | None, node: Node) -> Part:
        if block is not None:
            return self._block(block, node)
        part = Part("block", {}, node)  # of a newer provider: by its names alone
        for name, child in node.children.items():
            made = self._value(child, "any")
            part.children[camel(str(name))], part.names[camel(str(name))] = made, str(name)
            part.data[camel(str(name))] = made.data
        return part

    def _each(self, known: Field, node: Node) -> Part:
        """The sources of a projected volume: blocks in blocks, each of which is an item."""
        part = Part("blocks", [], node, block=known.block, kind="each")
        assert known.block is not None
        for child in node.children.values():
            for name, inner in child.children.items():
                one = known.block.fields.get(str(name))
                if one is None or inner.form != "blocks":
                    part.data = opened(part.data, self._line(inner, str(name)))
                    continue
                for each in inner.children.values():
                    made = self._nested_block(one.block, each)
                    item = Part(
                        "block", {one.name: made.data}, each, {one.name: made}, {one.name: str(name)}, known.block
                    )
                    part.children[len(part.data)] = item
                    part.data.append(item.data)
        return part

    # Attributes.

    def _value(self, node: Node, form: str) -> Part:
        """What an attribute of the type ``form`` says."""
        if node.form in ("expression", "encoded") or (isinstance(node.data, str) and node.data.startswith("<<")):
            return self._expression(node, form)
        if node.form == "list" and form.startswith(("[", "any")):
            part = Part("value", [], node, kind=form)
            for index, child in node.children.items():
                part.children[index] = self._value(child, _inner(form, "["))
                part.data.append(part.children[index].data)
            return part
        if node.form == "object" and form.startswith(("{", "any")):
            part = Part("value", {}, node, kind=form)
            for name, child in node.children.items():
                if str(name).startswith("("):
                    part.data = opened(part.data, self._line(child, str(name)))
                    continue
                part.children[name] = self._value(child, _inner(form, "{"))
                part.data[name] = part.children[name].data
            return part
        return Part("value", converted(node.data, form), node, kind=form)

    def _expression(self, node: Node, form: str) -> Part:
        if node.form == "encoded":
            return Part("fixed", Expression("${jsonencode(...)}"), node, why="jsonencode makes it")
        text = str(node.data)
        if (found := _HEREDOC.fullmatch(text)) is not None:
            said = _heredoc(found[3], dedents=bool(found[1]))
            known = "${" not in said and "%{" not in said
            return Part("fixed", said if known else self._filled(said), node, why="a heredoc says it")
        if text.startswith("<<"):
            return Part("fixed", Expression("${" + text.partition("\n")[0] + "}"), node, why="a heredoc says it")
        whole = _WHOLE.fullmatch(text)
        if whole is not None and "${" not in whole[1]:
            value = self.resolve(whole[1])
            if value is not None:
                return Part("fixed", converted(value[0], form), node, why=f"{whole[1]} says it")
            return Part("fixed", Expression(text), node, why=f"{whole[1]} says it")
        return Part("fixed", self._filled(text), node, why="a template says it")

    def _filled(self, text: str) -> str:
        """A template with the expressions in it that are known."""

        def fill(match: re.Match[str]) -> str:
            value = self.resolve(match[1].strip())
            known = value is not None and isinstance(value[0], str | int | float)
            return str(converted(value[0], "string")) if known and value is not None else match[0]

        filled = _INNER.sub(fill, text)
        return Expression(filled) if "${" in filled or "%{" in filled else filled


_CHANGED = re.compile(r"\$\{(?:all|spec|manifest|object|data|rule|automount_service_account_token)\b")


def ignored(block: Node) -> tuple[int, str] | None:
    """The line of the `lifecycle` of a resource that has Terraform ignore changes of what its object is, and of what;
    None where it ignores none."""
    lifecycle = block.children.get("lifecycle")
    given = lifecycle.data[0].get("ignore_changes") if lifecycle is not None and lifecycle.form == "blocks" else None
    names = [name for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
    found = [name[2:-1] for name in names if _CHANGED.match(name)]
    return (lifecycle.row + 1, " and ".join(found)) if found and lifecycle is not None else None


# Of every resource, and no field of an object.
_META = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "timeouts"})


def _unknown(name: str, node: Node) -> Field:
    """What stands for a name that this version of the provider does not have."""
    return Field(camel(name), "many" if node.form == "blocks" and len(node.data) > 1 else "one", None)


def _send(part: Part) -> None:
    """Add what the provider sends by itself, where it makes a difference: containers do not inherit from their pod."""
    pod = part.data
    if part.block is None or part.block.type_name != "PodSpec":
        return
    common = pod.get("securityContext")
    if not isinstance(common, dict) or common.get("runAsNonRoot") in (None, False):
        return
    for key in ("containers", "initContainers"):
        listed = part.children.get(key)
        for container in listed.children.values() if listed is not None else ():
            context = container.children.get("securityContext")
            if context is None or context.form != "block" or context.block is None or not context.node.children:
                continue
            for name, value in context.block.sent.items():
                if name not in context.data:
                    why = "the provider sends it for a container with a security_context"
                    context.children[name] = Part("fixed", value, context.node, kind="sent", why=why)
                    context.data[name] = value


def _like(data: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return opened(new, data.why) if hasattr(data, "why") else new  # type: ignore[return-value]


def camel(name: str) -> str:
    """A name in HCL as Kubernetes would spell it."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def converted(value: Any, form: str) -> Any:
    """``value`` as Terraform and the provider make it one of the type ``form``; as it is where they would refuse."""
    if isinstance(value, list):
        return [converted(item, _inner(form, "[")) for item in value]
    if isinstance(value, dict):
        if set(value) == {ENCODED}:
            return "${jsonencode(...)}"
        return {name: converted(item, _inner(form, "{")) for name, item in value.items() if name != HEAD}
    if form == "any" or _is_left(value):
        return value
    if form in ("string", "{string", "[string"):
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if form in ("integer", "number", "IntOrString", "[integer"):
        return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    return _converted_special(value, form)


def _is_left(value: Any) -> bool:
    return value is None or (isinstance(value, str) and ("${" in value or "%{" in value))


def _converted_special(value: Any, form: str) -> Any:
    if form == "boolean" and value in ("true", "false"):
        return value == "true"
    if form == "octal" and isinstance(value, str | int) and re.fullmatch("[0-7]+", str(value)):
        return int(str(value), 8)
    return value


def _inner(form: str, opening: str) -> str:
    """The type of the items of a list, or of the values of a map."""
    return form[1:] if form.startswith(opening) else form


def _heredoc(text: str, *, dedents: bool) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    if not dedents:
        return "\n".join(lines)
    filled = [line for line in lines if line.strip()]
    width = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
    return "\n".join(line[width:] for line in lines)


# Back to HCL.


def changed(part: Part, new: Any) -> Any:
    """What the node of ``part`` has to hold for the object to read as ``new``: the very data of the node where it does.
    Raises TextError where no text in this block can say it."""
    if part.form == "block" and isinstance(new, dict):
        return _changed_block(part, new)
    if same(part.data, new):
        return part.node.data
    if part.form == "fixed":
        raise TextError(f"what is not here is not replaced: {part.why}", part.node.row + 1)
    if part.form == "value":
        return _changed_value(part, new)
    raise TextError("a block is not replaced by something else", part.node.row + 1)


def _changed_value(part: Part, new: Any) -> Any:
    data = part.node.data
    if isinstance(part.data, dict) and isinstance(new, dict) and part.node.form == "object":
        return _changed_map(part, new)
    if isinstance(part.data, list) and isinstance(new, list) and part.node.form == "list":
        return _changed_list(part, new)
    if isinstance(part.data, dict | list) or part.node.form in ("object", "list"):
        raise TextError("a value is not replaced by one of another kind", part.node.row + 1)
    made = written(new, part.kind)
    is_number = isinstance(made, int) and not isinstance(made, bool)
    return str(made) if is_number and isinstance(data, str) else made  # a number in quotes stays in them


def _changed_list(part: Part, new: list[Any]) -> list[Any]:
    form = _inner(part.kind, "[")
    pairs = [(old, item[0]) for old, item in paired(part.data, new) if item is not None]
    return [written(item, form) if old is None else changed(part.children[old], item) for old, item in pairs]


def _changed_map(part: Part, new: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in part.node.data.items():
        child = part.children.get(name)
        if child is None:
            found[name] = value  # an expression as a key
        elif name in new:
            found[name] = changed(child, new[name])
    form = _inner(part.kind, "{")
    found |= {name: written(value, form) for name, value in new.items() if name not in part.children}
    return found


def _changed_block(part: Part, new: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(part.node.data)
    set_any = [_set(part, found, name, value) for name, value in new.items()]
    gone = [name for name in part.children if name not in new]
    for name in gone:
        _drop(part, found, str(name), part.children[name])
    if not gone and not any(set_any):
        return part.node.data  # type: ignore[no-any-return]
    if part.block is not None:
        _check(part.block, found, part.node.row + 1)
    return found


def _set(part: Part, found: dict[str, Any], name: str, value: Any) -> bool:
    """Let the body ``found`` of a block say ``value`` as the field ``name``; False where it does already."""
    child = part.children.get(name)
    home = part.names.get(name)
    if child is None or home is None:
        if child is not None and same(child.data, value):
            return False
        if child is not None and child.kind != "sent":
            raise TextError(f"{name} is not here: {child.why}", part.node.row + 1)
        _put(part, found, name, value)
        return True
    made = _in_node(child, value)
    if made is child.node.data or made is _SAME:
        return False
    if "." in home:
        outer, inner = home.split(".")
        found[outer] = [{**found[outer][0], inner: made}]
    else:
        found[home] = made
    return True


def _drop(part: Part, found: dict[str, Any], name: str, child: Part) -> None:
    """Take a field out of the body ``found`` of a block."""
    home = part.names.get(name)
    if home is None or "." in home:
        raise TextError(f"{name} is not here: {child.why}", part.node.row + 1)
    if f"{_DYNAMIC}{home}" in found or child.form == "fixed":
        raise TextError(f"what an expression makes is not removed: {child.why or home}", child.node.row + 1)
    if (said := _expression_in(child)) is not None:
        raise TextError(f"what an expression makes is not removed: {said.why}", said.node.row + 1)
    del found[home]


def _expression_in(part: Part) -> Part | None:
    """What an expression says in ``part``, a mapping; items of lists go with what they name."""
    for child in part.children.values():
        if child.form == "fixed" and child.kind != "sent":
            return child
        if child.form == "block" and (found := _expression_in(child)) is not None:
            return found
    return None


_SAME: list[Any] = []  # stands for blocks that stay as they are


def _in_node(child: Part, value: Any) -> Any:
    """What the entry of ``child`` in its block has to hold: blocks stand in a list."""
    if child.form == "block":
        made = changed(child, value)
        return _SAME if made is child.node.data else [made]
    if child.form != "blocks":
        return changed(child, value)
    if child.kind in ("dynamic", "each") and same(child.data, value):
        return _SAME
    if not isinstance(value, list) or child.kind == "dynamic":
        why = getattr(child.data, "why", "other blocks")
        raise TextError(f"the list may get more items from {why}", child.node.row + 1)
    return _changed_each(child, value) if child.kind == "each" else _changed_blocks(child, value)


def _changed_blocks(child: Part, value: list[Any]) -> list[Any]:
    assert child.block is not None
    items: list[Any] = []
    pairs = paired(child.data, value)
    for old, item in pairs:
        if item is not None:
            items.append(fresh(child.block, item[0]) if old is None else changed(child.children[old], item[0]))
    all_stay = all(old is not None and item is not None for old, item in pairs)
    if all_stay and all(item is child.children[index].node.data for index, item in enumerate(items)):
        return _SAME
    if not items:
        raise TextError("the last block of its kind is not removed", child.node.row + 1)
    return items


def _changed_each(child: Part, value: list[Any]) -> list[Any]:
    old = child.data
    if len(value) < len(old) or not all(map(same, old, value)):
        raise TextError("the sources of a projected volume are only added to", child.node.row + 1)
    assert child.block is not None
    return [*child.node.data, *(fresh(child.block, item) for item in value[len(old) :])]


def _put(part: Part, found: dict[str, Any], name: str, value: Any) -> None:
    home = part.block.home(name) if part.block is not None else None
    if home is None:
        for outer, field_ in part.block.fields.items() if part.block is not None else ():
            if field_ is not None and field_.form == "flat" and field_.block is not None and field_.block.home(name):
                raise TextError(f"{name} is not written into {outer}", part.node.row + 1)
        what = part.block.type_name if part.block is not None else "the block"
        raise TextError(f"the provider has no field for {name} of {what}", part.node.row + 1)
    key, known = home
    if f"{_DYNAMIC}{key}" in found:
        raise TextError(f"{name} may come from a dynamic block", part.node.row + 1)
    found[key] = _made(known, value)


def _made(known: Field, value: Any) -> Any:
    if known.block is None:
        return written(value, known.form)
    if known.form == "one":
        if not isinstance(value, dict):
            raise TextError(f"{known.name} is no mapping", 1)
        return [fresh(known.block, value)]
    if not isinstance(value, list):
        raise TextError(f"{known.name} is no list", 1)
    return [fresh(known.block, item) for item in value]


def fresh(block: Block, value: Any) -> dict[str, Any]:
    """The body of a new block that says ``value``. Raises TextError for what the provider has no field for."""
    if not isinstance(value, dict):
        raise TextError(f"a {block.type_name} is no mapping", 1)
    found: dict[str, Any] = {}
    for name, item in value.items():
        home = block.home(name)
        if home is None:
            flat = next((key for key, each in block.fields.items() if each is not None and each.form == "flat"), None)
            inner = block.fields[flat] if flat is not None else None
            if flat is None or inner is None or inner.block is None or inner.block.home(name) is None:
                raise TextError(f"the provider has no field for {name} of {block.type_name}", 1)
            found.setdefault(flat, [{}])[0] |= fresh(inner.block, {name: item})
            continue
        found[home[0]] = _made(home[1], item)
    _check(block, found, 1)
    return found


def _check(block: Block, body: dict[str, Any], line: int) -> None:
    """Raise TextError where a body lacks what the provider asks for."""
    lacking = [name for name in block.required if body.get(name) in (None, []) and f"{_DYNAMIC}{name}" not in body]
    if lacking:
        raise TextError(f"the provider refuses it without {lacking[0]}", line)


def written(value: Any, form: str) -> Any:
    """A value of the object as an attribute of the type ``form`` holds it."""
    if form == "octal" and isinstance(value, int):
        return f"{value:04o}"
    if isinstance(value, list):
        return [written(item, _inner(form, "[")) for item in value]
    if isinstance(value, dict):
        return {str(name): written(item, _inner(form, "{")) for name, item in value.items()}
    return value


def find(root: Part, path: Path) -> tuple[Part, int]:
    """The deepest part on the way to ``path``, and how many parts led to it."""
    part = root
    for depth, step in enumerate(path):
        below = part.children.get(step)
        if below is None or below.kind == "sent":
            return part, depth
        part = below
    return part, len(path)
