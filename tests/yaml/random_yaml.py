"""Random YAML in every layout, and random edits; a plain `random.Random` drives both: 100,000 runs stay cheap."""

import copy
import random
from typing import Any

WORDS = [
    "a", "name", "image", "yes", "0777", "12:30", "1e3", "null", "- dash", "# hash", "a: b", "caf\u00e9", "\U0001f600",
    "x" * 90, "it's", 'say "hi"', "", " lead", "trail ", "{{ t }}", "a\tb", "<<", "=", "~", "*a", "&a", "!t", "%d",
    "@x", "2001-12-14", "-", "?", "[x", "x,y", "---", "...",
]  # fmt: skip
LINES = [
    "one\ntwo\n",
    "one\ntwo",
    "#!/bin/sh\nset -e\n# not a comment\n",
    "a\n\n\nb\n",
    " lead\nx\n",
    "x\n\n",
    "tab\there\n",
]
KEYS = ["a", "b", "name", "spec", "drop", "env", "key with blanks", "y", "1", "x.y/z", "k8s", "#k", "items", "v", "w"]


def scalar(rng: random.Random) -> Any:
    """Some scalar."""
    kind = rng.randrange(10)
    if kind < 5:
        return rng.choice(WORDS)
    if kind == 5:
        return rng.choice(LINES)
    return rng.choice([None, True, False, 0, 1, -7, 65535, 0.5, 1000.0, 1e21, -0.25])


def value(rng: random.Random, depth: int) -> Any:
    """Some plain data."""
    kind = rng.randrange(10)
    if depth <= 0 or kind < 4:
        return scalar(rng)
    if kind < 8:
        keys = rng.sample(KEYS, rng.randrange(5))
        return {key: value(rng, depth - 1) for key in keys}
    return [value(rng, depth - 1) for _ in range(rng.randrange(4))]


class Writer:
    """Writes data as YAML in a random layout: indents, comments, blanks, quotes, brackets, block scalars, anchors."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.noise = rng.choice([0, 0.1, 0.4])
        self.flow = rng.choice([0, 0.1, 0.5])
        self.anchors = 0
        self.anchored: dict[str, Any] = {}

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def document(self, data: Any) -> str:
        """The text of one document; it may be no YAML at all, the caller looks."""
        lines: list[str] = self.above(0)
        if isinstance(data, dict) and data and not self.chance(self.flow / 3):
            lines += self.pairs(data, 0)
        elif isinstance(data, list) and data and not self.chance(self.flow / 3):
            lines += self.items(data, 0)
        else:
            lines += self.brackets(data, 0).split("\n")
        lines += self.above(0)
        newline = self.rng.choice(["\n", "\n", "\n", "\r\n"])
        text = newline.join(lines)
        return text if self.chance(0.25) else text + newline

    def above(self, column: int) -> list[str]:
        lines = []
        while self.chance(self.noise):
            lines.append(
                self.rng.choice(["", " " * (column + 3), " " * column + "# about", " " * (column + 2) + "#deep"])
            )
        return lines

    def behind(self) -> str:
        if self.chance(self.noise):
            return self.rng.choice([" # behind", "   # behind", "\t# tab", "  ", " #"])
        return ""

    def pairs(self, data: dict[str, Any], column: int) -> list[str]:
        lines: list[str] = []
        for key, item in data.items():
            lines += self.above(column)
            head = " " * column + self.one_line(key) + (":" if not self.chance(0.03) else " :")
            lines += self.entry(head, item, column, self.rng.choice([2, 2, 2, 4, 1]), self.rng.choice([0, 2]))
        return lines

    def items(self, data: list[Any], column: int) -> list[str]:
        lines: list[str] = []
        for item in data:
            lines += self.above(column)
            width = self.rng.choice([2, 2, 2, 4])
            if isinstance(item, dict | list) and item and not self.chance(self.flow):
                inner = self.pairs(item, column + width) if isinstance(item, dict) else self.items(item, column + width)
                first = next(
                    (i for i, line in enumerate(inner) if line.strip() and not line.lstrip().startswith("#")), 0
                )
                if self.chance(0.85) and first == 0:
                    inner[0] = " " * column + "-" + inner[0][column + 1 :]
                    lines += inner
                else:
                    lines += [" " * column + "-" + self.behind(), *inner]
            else:
                lines += self.entry(" " * column + "-", item, column, width, 2)
        return lines

    def entry(self, head: str, item: Any, column: int, step: int, offset: int) -> list[str]:
        rng = self.rng
        if isinstance(item, dict | list) and item and not self.chance(self.flow):
            anchor = self.anchor(item)
            if isinstance(item, dict):
                return [head + anchor + self.behind(), *self.pairs(item, column + step)]
            return [head + anchor + self.behind(), *self.items(item, column + (offset if head.endswith(":") else step))]
        if isinstance(item, str) and "\n" in item and self.chance(0.7):
            return self.block_scalar(head, item, column + step)
        for name, target in self.anchored.items():
            if target == item and type(target) is type(item) and self.chance(0.5):
                return [f"{head} *{name}{self.behind()}"]
        if item is None and self.chance(0.5):
            return [head + self.behind()]
        if isinstance(item, str) and item.isalpha() and self.chance(0.1):
            return [f"{head} {item}", " " * (column + step) + f"more{self.behind()}"]
        gap = rng.choice([" ", " ", " ", "  "])
        text = (
            head
            + gap
            + self.anchor(item).lstrip()
            + (" " if self.last_anchor else "")
            + self.brackets(item, column + step)
        )
        return (text + self.behind()).split("\n")

    last_anchor = False

    def anchor(self, item: Any) -> str:
        self.last_anchor = self.chance(0.02)
        if not self.last_anchor:
            return ""
        self.anchors += 1
        self.anchored[f"n{self.anchors}"] = item
        return f" &n{self.anchors}"

    def block_scalar(self, head: str, text: str, column: int) -> list[str]:
        style = "|" if text.endswith("\n") else "|-"
        if text.endswith("\n\n"):
            style = "|+"
        if text.startswith(" "):
            return [head + " " + self.one_line(text)]
        rows = [" " * column + row if row else "" for row in text.removesuffix("\n").split("\n")]
        return [f"{head} {style}{self.behind()}", *rows]

    def brackets(self, item: Any, column: int) -> str:
        if not isinstance(item, dict | list):
            return self.one_line(item, flow=True)
        opening, closing = "{}" if isinstance(item, dict) else "[]"
        if not item:
            return opening + closing
        entries = (
            [f"{self.one_line(key, flow=True)}: {self.brackets(x, column + 2)}" for key, x in item.items()]
            if isinstance(item, dict)
            else [self.brackets(x, column + 2) for x in item]
        )
        layout = self.rng.randrange(6)
        if layout == 0:
            pad = "\n" + " " * (column + 2)
            comment = pad + "# lone" if self.chance(self.noise) else ""
            return (
                opening
                + comment
                + pad
                + ("," + pad).join(entries)
                + self.rng.choice(["", ","])
                + "\n"
                + " " * column
                + closing
            )
        if layout == 1:
            return opening + " " + ", ".join(entries) + " " + closing
        if layout == 2:
            return opening + (",\n" + " " * (column + 1)).join(entries) + closing
        return opening + ", ".join(entries) + closing

    def one_line(self, item: Any, flow: bool = False) -> str:
        if item is None:
            return self.rng.choice(["null", "~"])
        if isinstance(item, bool):
            return self.rng.choice(["yes", "true", "True"] if item else ["no", "false", "off"])
        if isinstance(item, int | float):
            return "1e21" if item == 1e21 else repr(item)
        text: str = item
        quote = self.rng.randrange(4)
        simple = item.isalnum() and item.isascii() and not item[0].isdigit() and item not in ("y", "yes", "null")
        if simple and quote < 2:
            return text
        if quote == 2 and "\n" not in item and "\t" not in item:
            return "'" + text.replace("'", "''") + "'"
        escaped = item.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'


EDITS = ["set", "add", "add anywhere", "append", "insert", "remove key", "remove item", "replace", "empty", "rename"]


def edit(rng: random.Random, root: Any) -> str | None:
    """Make one random edit in place; give its name, None when `root` has no place for it."""
    name = rng.choice(EDITS)
    containers: list[Any] = []

    def gather(data: Any) -> None:
        if isinstance(data, dict | list):
            containers.append(data)
            for item in data.values() if isinstance(data, dict) else data:
                gather(item)

    gather(root)
    mappings = [c for c in containers if isinstance(c, dict)]
    sequences = [c for c in containers if isinstance(c, list)]
    pool: list[Any] = {"append": sequences, "insert": sequences, "remove item": [s for s in sequences if s]}.get(
        name, mappings if name in ("add", "add anywhere") else [m for m in mappings if m]
    )
    if name in ("set", "replace", "empty"):
        pool = [c for c in containers if c]
    if name in ("remove key", "remove item", "empty"):
        # A document whose root would be empty is refused; that has its own test.
        pool = [c for c in pool if c is not root or (name != "empty" and len(c) > 1)]
    if not pool:
        return None
    target: Any = rng.choice(pool)
    new = scalar(rng) if name == "set" else value(rng, 2)
    if name in ("set", "replace"):
        target[rng.choice(list(target) if isinstance(target, dict) else range(len(target)))] = new
    elif name == "add":
        target[rng.choice([k for k in KEYS if k not in target] or ["zz"])] = new
    elif name in ("add anywhere", "rename"):
        items = list(target.items())
        key = rng.choice([k for k in KEYS if k not in target] or ["zz"])
        at = rng.randrange(len(items) + (name != "rename"))
        items[at : at + (name == "rename")] = [(key, new)]
        target.clear()
        target.update(items)
    elif name == "append":
        target.append(new)
    elif name == "insert":
        target.insert(rng.randrange(len(target) + 1), new)
    elif name in ("remove key", "remove item"):
        del target[rng.choice(list(target) if isinstance(target, dict) else range(len(target)))]
    else:
        target.clear()
    return name


class Replay:
    """An edit function that makes the same edits each time; `names` tells which, `wanted` what came of them."""

    def __init__(self, state: Any, count: int) -> None:
        self.state = state
        self.count = count
        self.names: list[str] = []
        self.wanted: list[Any] = []

    def __call__(self, documents: list[Any]) -> None:
        rng = random.Random()
        rng.setstate(self.state)
        self.names = [name for _ in range(self.count) if documents and (name := edit(rng, rng.choice(documents)))]
        self.wanted = copy.deepcopy(documents)
