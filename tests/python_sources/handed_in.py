"""Programs whose images and commands come from outside: each of a program replaced by a name that nothing defines."""

from __future__ import annotations

import libcst as cst

# What an image and what is told to run is called, in all dialects: arguments, keys, settings.
_IMAGES = frozenset({"image"})
_WORDS = frozenset({"command", "args", "cmds", "arguments", "cmd"})
_TEXTS = (cst.SimpleString, cst.FormattedString)


class _HandedIn(cst.CSTTransformer):
    def __init__(self) -> None:
        self.count = 0

    def _name(self, of: str | None) -> cst.Name | None:
        if of not in _IMAGES | _WORDS:
            return None
        self.count += 1
        return cst.Name("given_image" if of in _IMAGES else "given_words")

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        name = self._name(original_node.keyword.value if original_node.keyword else None)
        return updated_node if name is None else updated_node.with_changes(value=name)

    def leave_DictElement(self, original_node: cst.DictElement, updated_node: cst.DictElement) -> cst.DictElement:
        key = original_node.key
        name = self._name(key.raw_value if isinstance(key, cst.SimpleString) else None)
        return updated_node if name is None else updated_node.with_changes(value=name)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        target = original_node.targets[0].target
        name = self._name(target.attr.value if isinstance(target, cst.Attribute) else _key(target))
        return updated_node if name is None else updated_node.with_changes(value=name)


def _key(target: cst.CSTNode) -> str | None:
    """The text in the brackets of ``pod["image"]``."""
    index = target.slice[0].slice if isinstance(target, cst.Subscript) else None
    key = index.value if isinstance(index, cst.Index) else None
    return key.raw_value if isinstance(key, cst.SimpleString) else None


def handed_in(source: str) -> tuple[str, int]:
    """``source`` with a name in the place of each image and of each command, and how many there were."""
    handing = _HandedIn()
    return cst.parse_module(source).visit(handing).code, handing.count
