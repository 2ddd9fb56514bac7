"""The engine that changes Terraform files in place: every layout, and nothing beside what was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.terraform import parsed as terraform
from hardener.sources.terraform.nodes import Node
from hardener.sources.terraform.rewrite import rewrite
from hardener.sources.yaml import Hunk, TextError

FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "files").glob("*.tf"))}
ENDS = {"lf": "\n", "crlf": "\r\n"}
# Every file with both kinds of line ends.
TEXTS = {f"{name}-{end}": text.replace("\n", ENDS[end]) for name, text in FILES.items() for end in ENDS}
PATH = tuple[str | int, ...]


def block(*lines: str) -> str:
    return 'resource "a" "b" {\n' + "".join(f"{line}\n" for line in lines) + "}\n"


def put(*path: str | int, to: Any) -> Callable[[list[Any]], None]:
    """A change of the first block."""

    def mutate(documents: list[Any]) -> None:
        value = documents[0]
        for part in path[:-1]:
            value = value[part]
        value[path[-1]] = to

    return mutate


def put_all(**values: Any) -> Callable[[list[Any]], None]:
    def mutate(documents: list[Any]) -> None:
        documents[0].update(values)

    return mutate


def added(*path: str | int, items: list[Any]) -> Callable[[list[Any]], None]:
    def mutate(documents: list[Any]) -> None:
        value = documents[0]
        for part in path:
            value = value[part]
        value += items

    return mutate


IMDS = [{"http_tokens": "required", "http_put_response_hop_limit": 1}]
OPTIONS = (
    "  metadata_options {",
    '    http_tokens                 = "required"',
    "    http_put_response_hop_limit = 1",
    "  }",
)

LAYOUTS = {
    "a literal": (block('  x = "a" # c'), put("x", to="b"), block('  x = "b" # c')),
    "a bool": (block("  x   =   true"), put("x", to=False), block("  x   =   false")),
    "quotes": (block('  x = "a"'), put("x", to='a "b" \\ c'), block('  x = "a \\"b\\" \\\\ c"')),
    "aligned": (block("  longer = 1"), put("x", to=2), block("  longer = 1", "  x      = 2")),
    "aligned with nothing on several lines": (
        block("  longer = {", "    a = 1", "  }"), put("x", to=2), block("  longer = {", "    a = 1", "  }", "  x = 2"),
    ),
    "longer than the others": (block("  x = 1"), put("longer", to=2), block("  x = 1", "", "  longer = 2")),
    "longer than others that nothing aligns": (
        block("  x = 1", "  xyz = 1"), put("longer", to=2), block("  x = 1", "  xyz = 1", "  longer = 2"),
    ),
    "longer than what is above a line without a value": (
        block("  xyz  = 1", "  abcd = 2", "  # c", "  x = 1"),
        put("ab", to=2),
        block("  xyz  = 1", "  abcd = 2", "  # c", "  x = 1", "", "  ab = 2"),
    ),
    "several values, one on several lines": (
        block("  x = 1"),
        put_all(a=1, longer={"b": 1}, cc=2, dddd=3),
        block("  x = 1", "  a = 1", "  longer = {", "    b = 1", "  }", "  cc   = 2", "  dddd = 3"),
    ),
    "beside a value on several lines a name aligns with nothing": (
        block("  n { x = 1 }"),
        put("n", 0, to={"x": 1, "longer": {"b": 1}, "cc": 2}),
        block("  n {", "    x = 1", "    longer = {", "      b = 1", "    }", "    cc = 2", "  }"),
    ),
    "a heredoc aligns as one line does": (
        block("  longer = <<E", "text", "E"), put("x", to=2), block("  longer = <<E", "text", "E", "  x      = 2"),
    ),
    "an empty block": ('resource "a" "b" {}\n', put("x", to=1), block("  x = 1")),
    "before nested blocks": (
        block("  x = 1", "", "  n {", "    y = 2", "  }"),
        put("z", to=3),
        block("  x = 1", "  z = 3", "", "  n {", "    y = 2", "  }"),
    ),
    "nested blocks alone": (
        block("  n {", "    y = 2", "  }"), put("z", to=3), block("  z = 3", "", "  n {", "    y = 2", "  }"),
    ),
    "behind a comment that ends the block": (
        block("  x = 1", "  # end"), put("y", to=2), block("  x = 1", "  # end", "  y = 2"),
    ),
    "a nested block": (block("  x = 1"), put("metadata_options", to=IMDS), block("  x = 1", "", *OPTIONS)),
    "a one-line block is laid out": (
        block('  metadata_options { http_tokens = "optional" } # v1'),
        put("metadata_options", 0, to=IMDS[0]),
        block(*OPTIONS[:-1], "  } # v1"),
    ),
    "comments of a one-line block stay": (
        block("  n { /* a */ x = 1 /* b */ }"),
        put("n", 0, to={"x": 1, "y": 2}),
        block("  n {", "    /* a */ x = 1 /* b */", "    y         = 2", "  }"),
    ),
    "a list on one line": (block('  l = ["a"]'), added("l", items=["b"]), block('  l = ["a", "b"]')),
    "a list with a comma at its end": (block('  l = ["a",]'), added("l", items=["b"]), block('  l = ["a", "b",]')),
    "an empty list": (block("  l = []"), added("l", items=["a", "b"]), block('  l = ["a", "b"]')),
    "a list line by line": (
        block("  l = [", '    "a" # c', "    # d", "  ]"),
        added("l", items=["b"]),
        block("  l = [", '    "a", # c', "    # d", '    "b"', "  ]"),
    ),
    "a list line by line with commas": (
        block("  l = [", '    "a",', "  ]"), added("l", items=["b"]), block("  l = [", '    "a",', '    "b",', "  ]"),
    ),
    "an item goes": (block('  l = ["a", "b", "c"]'), put("l", to=["a", "c"]), block('  l = ["a", "c"]')),
    "the last item goes": (block('  l = ["a", "b"]'), put("l", to=["a"]), block('  l = ["a"]')),
    "the only item goes": (block('  l = ["a"]'), put("l", to=[]), block("  l = []")),
    "an item goes with its line": (
        block("  l = [", '    "a",', '    "b",', "  ]"), put("l", to=["b"]), block("  l = [", '    "b",', "  ]"),
    ),
    "the comment of an item that goes stays": (
        block("  l = [", '    "a", # c', '    "b",', "  ]"),
        put("l", to=["b"]),
        block("  l = [", "    # c", '    "b",', "  ]"),
    ),
    "an element of an object": (
        block("  o = {", "    a = 1", "  }"), put("o", "b", to=2), block("  o = {", "    a = 1", "    b = 2", "  }"),
    ),
    "an element with the comma of the others": (
        block("  o = {", "    a = 1,", "  }"), put("o", "b", to=2), block("  o = {", "    a = 1,", "    b = 2,", "  }"),
    ),
    "an object on one line": (
        block("  o = { a = 1 }"), put("o", "b", to={"c": []}), block("  o = { a = 1, b = { c = [] } }"),
    ),
    "an empty object": (block("  o = {}"), put("o", "a b", to=1), block('  o = { "a b" = 1 }')),
    "a key gets another name": (
        block("  o = {", '    "${a.b}:x" = "v" # c', "  }"),
        put("o", to={'${f(a.b, "-")}:x': "v"}),
        block("  o = {", '    "${f(a.b, "-")}:x" = "v" # c', "  }"),
    ),
    "inside jsonencode": (
        block("  p = jsonencode({ S = [{ A = 1 }] })"),
        put("p", ENCODED, "S", 0, "A", to=2),
        block("  p = jsonencode({ S = [{ A = 2 }] })"),
    ),
    "the last line has no end": ('resource "a" "b" {\n  x = 1\n}', put("x", to=2), 'resource "a" "b" {\n  x = 2\n}'),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_change_is_written_in_the_layout_that_is_there(name: str, end: str) -> None:
    before, mutate, after = LAYOUTS[name]
    changed = rewrite(before.replace("\n", ENDS[end]), mutate)
    assert changed.text == after.replace("\n", ENDS[end])
    assert patched(before.replace("\n", ENDS[end]), changed.hunks) == changed.text


def patched(text: str, hunks: list[Hunk]) -> str:
    """``text`` with its hunks applied, each checked against the lines that it says it replaces."""
    lines = text.splitlines(keepends=True)
    found: list[str] = []
    at = 1
    for hunk in hunks:
        assert lines[hunk.before_start - 1 : hunk.before_start - 1 + len(hunk.before)] == hunk.before
        found += lines[at - 1 : hunk.before_start - 1]
        assert len(found) + 1 == hunk.after_start
        found += hunk.after
        at = hunk.before_start + len(hunk.before)
    return "".join(found + lines[at - 1 :])


REFUSED = {
    "an expression": (block("  x = var.a"), put("x", to=1)),
    "a template": (block('  x = "${var.a}"'), put("x", to="b")),
    "a heredoc": (block("  x = <<E", "a", "E"), put("x", to="b")),
    "a call": (block("  x = toset([1])"), put("x", to=[1, 2])),
    "an attribute that goes": (block("  x = 1"), lambda documents: documents[0].pop("x")),
    "an element that goes": (block("  o = { x = 1 }"), lambda documents: documents[0]["o"].pop("x")),
    "a literal that becomes a list": (block("  x = 1"), put("x", to=[1])),
    "an item in the middle": (block("  l = [1, 3]"), put("l", to=[1, 2, 3])),
    "the name of the block": (block("  x = 1"), put(HEAD, to=["resource", "a", "c"])),
    "a second nested block": (block("  n {", "  }"), put("n", to=[{}, {}])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_faithfully_is_refused(name: str) -> None:
    before, mutate = REFUSED[name]
    with pytest.raises(TextError):
        rewrite(before, mutate)


@pytest.mark.parametrize(
    ("text", "line"),
    [('resource "a" {\n  x = \n}\n', 2), ("a = 1\n}\n", 2)],
)
def test_a_broken_file_names_a_line_near_the_mistake(text: str, line: int) -> None:
    with pytest.raises(TextError) as refused:
        terraform.parse(text)
    assert refused.value.line is not None and abs(refused.value.line - line) <= 2


VALUES = {
    "1": 1, "1.5": 1.5, "true": True, "null": None, '"a"': "a", '""': "", "var.a": "${var.a}",
    "[1, var.b]": [1, "${var.b}"],
    '"a-${b}"': "a-${b}", "{ a = 1, b : 2 }": {"a": 1, "b": 2}, '{ "a.b" = 1 }': {"a.b": 1}, "-1": "${-1}",
    "jsonencode({ a = 1 })": {ENCODED: {"a": 1}}, "f(1)": "${f(1)}", '"$${a}"': "$${a}", r'"\u00e9\n"': "é\n",
    "c ? 1 : 2": "${c ? 1 : 2}", "[for x in y : x]": "${[for x in y : x]}",
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_values_read_as_in_the_json_syntax_of_terraform(text: str) -> None:
    assert terraform.parse(block(f"  x = {text}")).documents == [{HEAD: ["resource", "a", "b"], "x": VALUES[text]}]


def test_nested_blocks_are_lists_and_labels_part_of_their_name() -> None:
    text = block("  n {", "    x = 1", "  }", "  n {}", '  dynamic "n" {', "    for_each = []", "  }")
    document = terraform.parse(text).documents[0]
    assert document["n"] == [{"x": 1}, {}]
    assert document["dynamic n"] == [{"for_each": []}]


@pytest.mark.parametrize("name", TEXTS)
def test_each_literal_of_a_real_looking_file_changes_alone(name: str) -> None:
    text = TEXTS[name]
    source, found = text.encode(), 0
    for number, first in enumerate(terraform.parse(text).blocks):
        for path in paths_of(first, ()):

            def mutate(documents: list[Any], number: int = number, path: PATH = path) -> None:
                value = documents[number]
                for part in path[:-1]:
                    value = value[part]
                value[path[-1]] = "changed"

            node, _ = terraform.parse(text).find(number, path)
            changed = rewrite(text, mutate)
            expected = source[: node.value_start] + b'"changed"' + source[node.value_end :]
            assert changed.text.encode() == expected, path
            assert patched(text, changed.hunks) == changed.text
            found += 1
    assert found > 5


def paths_of(node: Node, path: PATH) -> Iterator[PATH]:
    if node.form == "literal":
        yield path
    for part, child in node.children.items():
        yield from paths_of(child, (*path, part))


@pytest.mark.parametrize("name", TEXTS)
def test_an_attribute_added_to_each_block_adds_lines_and_nothing_else(name: str) -> None:
    text = TEXTS[name]
    for number, first in enumerate(terraform.parse(text).blocks):
        for path in blocks_of(first, ()):

            def mutate(documents: list[Any], number: int = number, path: PATH = path) -> None:
                value = documents[number]
                for part in path:
                    value = value[part]
                value["added_by_the_test"] = 1

            node, _ = terraform.parse(text).find(number, path)
            changed = rewrite(text, mutate)
            one_line = b"\n" not in text.encode()[node.value_start : node.value_end]
            for hunk in changed.hunks:
                assert hunk.before == [] or one_line, path
            assert patched(text, changed.hunks) == changed.text


def blocks_of(node: Node, path: PATH) -> Iterator[PATH]:
    if node.form == "block":
        yield path
    for part, child in node.children.items():
        if child.form in ("block", "blocks"):
            yield from blocks_of(child, (*path, part))


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_changes_when_nothing_is_asked_for(name: str) -> None:
    assert rewrite(TEXTS[name], lambda documents: None).text == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_pieces_cover_every_block_with_the_lines_before_it(name: str) -> None:
    text = TEXTS[name]
    parsed = terraform.parse(text)
    at = 0
    for (start, end, line), document in zip(parsed.extents(), parsed.documents, strict=True):
        assert start == at and line == text.count("\n", 0, start)
        assert terraform.parse(text[start:end]).documents == [document]
        at = end


NAMES = st.sampled_from(["a", "long_name", "x1"])
SCALARS = st.sampled_from(
    ['"text"', "1", "true", "var.a", '"${var.a}-b"', "[]", '["a", "b"]', '[\n    "a",\n    "b", # c\n  ]']
)
COMMENTS = st.sampled_from(["", " # end", " // end", " /* end */"])
LINES = st.one_of(
    st.builds(lambda n, s, c: f"  {n} = {s}{c}", NAMES, SCALARS, COMMENTS),
    st.sampled_from(
        ["", "  # alone", "  // alone", "  n {\n    y = 1\n  }", "  n { y = 1 }", "  h = <<E\n{ not a block\nE"]
    ),
)


@settings(max_examples=150)
@given(st.lists(LINES, max_size=6), st.sampled_from(sorted(ENDS)), st.sampled_from(["\n", ""]))
def test_any_body_takes_an_attribute_a_block_and_a_list_item(lines: list[str], end: str, last: str) -> None:
    keys: dict[str, str] = {}
    for index, line in enumerate(lines):
        keys[line.split("=")[0] if "=" in line.split("\n")[0] and "{" not in line.split("\n")[0] else str(index)] = line
    text = ('resource "a" "b" {\n' + "\n".join([*keys.values(), ""]) + "}" + last).replace("\n", ENDS[end])

    def mutate(documents: list[Any]) -> None:
        documents[0]["added"] = ["one"]
        documents[0]["options"] = [{"tokens": "required"}]
        for value in documents[0].values():
            if isinstance(value, list) and value and value[0] == "a":
                value.append("c")

    changed = rewrite(text, mutate)
    again = rewrite(changed.text, lambda documents: None)
    assert patched(text, changed.hunks) == changed.text and again.text == changed.text
    assert all(line.endswith(ENDS[end]) for line in changed.text.splitlines(keepends=True)[:-1])


def formatted(lines: list[str]) -> list[str]:
    """``lines`` with equals signs as `terraform fmt` has them: neighbours that are attributes on one line each share
    the column behind the longest of their names (hclwrite, format.go: formatCells)."""
    found = [re.fullmatch(r"(\s*[\w-]+)\s*= (.*[^{<\[E]|\[.*\])", line) for line in lines]
    result: list[str] = []
    for is_attribute, run in groupby(zip(lines, found, strict=True), key=lambda pair: pair[1] is not None):
        if not is_attribute:
            result += [line for line, _ in run]
            continue
        parts = [each for _, each in run if each is not None]
        width = max(len(each[1].rstrip()) for each in parts)
        result += [f"{each[1].rstrip().ljust(width)} = {each[2]}" for each in parts]
    return result


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda name, value: f"  {name} = {value}",
                st.sampled_from(["a", "long_name", "x1", "of_16_signs_name"]),
                st.sampled_from(['"text"', "1", "var.a", "[]"]),
            ),
            st.sampled_from(["", "  # alone", "  n {\n    y = 1\n  }", "  o = {\n    bb = 1\n    c  = 2\n  }"]),
        ),
        max_size=7,
    ),
    st.lists(st.sampled_from(["b", "name", "longer_than_each_of_them"]), max_size=3, unique=True),
    st.booleans(),
)  # fmt: skip
def test_what_terraform_fmt_leaves_alone_it_leaves_alone_afterwards(
    lines: list[str], names: list[str], has_long: bool
) -> None:
    body = list({line.split("=")[0] if "n {" not in line else line: line for line in lines}.values())
    before = formatted("\n".join(['resource "a" "b" {', *body, "}"]).split("\n"))
    values = {name: {"key": 1} if has_long and name == "name" else 1 for name in names}
    after = rewrite("\n".join([*before, ""]), put_all(**values)).text.split("\n")[:-1]
    assert formatted(after) == after
    assert set(before) <= set(after)  # no line of before is touched


def fmt_indented(text: str) -> str:
    """``text`` as `terraform fmt` indents it: by one step for each line that opens more brackets than it closes
    (hclwrite, format.go, formatIndent)."""
    lines: list[str] = []
    opened: list[int] = []
    for line in text.splitlines():
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        net = sum(bare.count(each) for each in "([{") - sum(bare.count(each) for each in ")]}")
        closed = -net
        while closed > 0 and opened:
            taken = min(closed, opened[-1])
            closed -= taken
            opened[-1] -= taken
            if not opened[-1]:
                opened.pop()
        lines.append("  " * len(opened) + line.strip() if line.strip() else "")
        if net > 0:
            opened.append(net)
    return "".join(f"{line}\n" for line in lines)


LISTS = {
    "a new list": ("  b = 1\n", {"x": [{"n": 1}, {"n": [{"a": 1}, {"a": 2}]}]}),
    "one on lines of its own": ("  x = [\n    {\n      n = 1\n    },\n  ]\n", {"x": [{"n": 1}, {"n": 2}, {"n": 3}]}),
    "one whose brackets share a line": ("  x = [{\n    n = 1\n  }]\n", {"x": [{"n": 1}, {"n": 2}, {"n": 3}]}),
    "one of texts": ('  x = ["a"]\n', {"x": ["a", "b"]}),
}


@pytest.mark.parametrize(("text", "wanted"), LISTS.values(), ids=LISTS)
def test_lists_are_written_as_terraform_fmt_indents_them(text: str, wanted: dict[str, Any]) -> None:
    def change(documents: list[Any]) -> None:
        documents[0]["manifest"] |= wanted

    inner = "".join(f"  {line}\n" for line in text.splitlines())
    found = rewrite(f'resource "kubernetes_manifest" "y" {{\n  manifest = {{\n{inner}  }}\n}}\n', change).text
    assert found == fmt_indented(found)
