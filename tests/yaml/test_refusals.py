"""What is refused, with a reason that quotes no value."""

import pytest

from hardener.sources.yaml import TextError, parse, rewrite

from .cases import Edit, append, drop, put

SECRET = "hunter2"

UNREADABLE = [
    ("syntax", f"a: [{SECRET}\nb: 1\n", "not valid YAML"),
    ("tab", f"a:\n\t- {SECRET}\n", "not valid YAML"),
    ("undefined alias", "a: *x\n", "undefined alias *x"),
    ("alias in its own anchor", "a: &x [*x]\n", "alias *x inside its own anchor"),
    ("duplicate key", f"a: {SECRET}\nb:\n  c: 1\na: 2\n", "duplicate key 'a'"),
    ("duplicate key after spelling", "1: a\n'1': b\n", "duplicate key '1'"),
    ("two merges", "x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n", "duplicate key <<"),
    ("late merge", "x: &x {a: 1}\ny:\n  a: 2\n  <<: *x\n", "key 'a' comes before a merge"),
    ("merge of a scalar", "y:\n  <<: 1\n", "a merge key names something that is no mapping"),
    ("complex key", "? [a]\n: 1\n", "a key is a collection"),
    ("template", f"a: {{{{ .{SECRET} }}}}\n", "a key is a collection"),
    ("null key", "~: 1\n", "a key is null"),
    ("custom tag", f"a: !vault {SECRET}\n", "a value carries a tag"),
    ("binary", "a: !!binary aGk=\n", "a value carries a tag"),
    ("tag and value disagree", f"a: !!int {SECRET}\n", "a value carries a tag"),
    ("tagged mapping", "a: !m {b: 1}\n", "a mapping carries a tag"),
    ("lone carriage return", "a: 1\rb: 2\n", "a carriage return without a line feed"),
    ("depth", "[" * 5000, "nested too deeply"),
    ("bomb", "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    ), "aliases unfold to too many values"),
    ("huge number", "a: 0x1ffffffffffffffffffff\n", "a number does not fit"),
    ("half of a character", f'{{"a": "{SECRET}\\ud800"}}', "a text holds half of a character"),
    ("control character", f"a: {SECRET}\x01\n", "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
def test_unreadable(text: str, reason: str) -> None:
    with pytest.raises(TextError) as refusal:
        parse(text)
    assert refusal.value.reason.startswith(reason)
    assert "\n" not in refusal.value.reason
    assert SECRET not in refusal.value.reason


def test_the_line_is_named() -> None:
    with pytest.raises(TextError) as refusal:
        parse("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert refusal.value.line == 4


UNWRITABLE: list[tuple[str, str, Edit, str]] = [
    ("one alias of two", "a: &x\n  q: 1\nb: *x\n", put("b", "r", to=2), "alias *x would differ from its anchor"),
    ("the anchor alone", "a: &x\n  q: 1\nb: *x\n", put("a", "r", to=2), "alias *x would differ from its anchor"),
    ("an anchored scalar", "a: &x foo\nb: *x\n", put("a", to="bar"), "alias *x would differ from its anchor"),
    ("the anchor goes", "a: &x\n  q: 1\nb: *x\n", drop("a"), "anchor &x would go"),
    ("an alias set", "a: &x 1\nb: *x\n", put("b", to=2), "alias *x would differ from its anchor"),
    ("an anchored block replaced", "a: &x\n  q: 1\n", put("a", to=1), "a value with an anchor or a tag"),
    ("an anchored {} opened", "a: &x {}\nb: 1\n", put("a", "c", to=1), "a value with an anchor or a tag"),
    ("a tagged value replaced", "a: !!str 1\n", put("a", to=2), "a value with an anchor or a tag"),
    ("a merged key removed", "a: &x\n  q: 1\nb:\n  <<: *x\n  z: 1\n", drop("b", "q"), "key 'q' comes from a merge"),
    ("the root emptied", "a: 1\n", drop("a"), "the document would be replaced"),
    ("the root replaced", "a: 1\n", lambda d: [["x"]], "the document would be replaced"),
    ("an empty document filled", "# nothing\n---\n", lambda d: [{"a": 1}], "an empty document cannot be filled"),
    ("behind what keeps its line ends", "- |+\n  x\n\n   ", lambda d: [[*d[0], 1]], "a block scalar that keeps its"),
    ("a document more", "a: 1\n", lambda d: [*d, {}], "documents cannot be added"),
    ("a type YAML has not", "a: 1\n", put("b", to={1, 2}), "a value of type set cannot be written"),
    ("a key that is no string", "a: 1\n", put("b", to={1: 2}), "a key of type int cannot be written"),
    ("infinity in JSON", '{"a": 1}', put("a", to=float("inf")), "JSON has no infinity"),
    (
        "a comment that would become text",
        "a: |\n  x\nb:\n    # deep\n  c: 1\nd: 1\n",
        drop("b"),
        "the change cannot be written here",
    ),
    ("an entry without a value", "a: {b, c: 1}\n", put("a", "b", to=1), "an entry in brackets without a value"),
]


@pytest.mark.parametrize(("text", "edit", "reason"), [c[1:] for c in UNWRITABLE], ids=[c[0] for c in UNWRITABLE])
def test_unwritable(text: str, edit: Edit, reason: str) -> None:
    with pytest.raises(TextError) as refusal:
        rewrite(text, edit)
    assert refusal.value.reason.startswith(reason)


def test_a_refusal_costs_nothing_elsewhere() -> None:
    assert rewrite("s:\n- a\n", append("s", item="b")).text == "s:\n- a\n- b\n"
