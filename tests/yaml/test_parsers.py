"""Both parsers give the same tree: libyaml is asked first, the pure one reads what libyaml does not take."""

import sys

import pytest

from hardener.sources.yaml.positions import FOLDED, Tree, compose

module = sys.modules["hardener.sources.yaml.positions"]


def places(tree: Tree) -> list[object]:
    """What both have to say alike; where a collection in block style ends is asked of none."""
    ends = [end for end, kind in zip(tree.ends, tree.kinds, strict=True) if kind <= FOLDED]
    return [tree.kinds, [*tree.starts], ends, [*tree.nexts], tree.texts, tree.roots, tree.properties, tree.targets]


@pytest.mark.parametrize(
    "text",
    [
        "a:\nb: 1\n",
        "a: \n\n# c: d\nb:   # e\n\n\nc:\n",
        "{a: b}:\n? [c]\n:\nd:\n",
        "- {a: b}  # c\n-\n- [d, [e]]\n-\n",
        "a: &x {b: c}\nd: *x\ne:\n",
        "a: [1,\n  2]\n\nb:\n",
        "a: &x\nb: *x\nc:\n",
        "? a\n: b\n? c\n",
        "- - -\n  -\n- {}\n-\n",
        "a: !!str\nb: ''\nc: |\n\nd:\n",
    ],
)
def test_the_pure_parser_marks_what_is_absent_where_libyaml_does(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = compose(text)
    monkeypatch.setattr(module, "fast_events", lambda text: None)
    assert places(compose(text)) == places(fast)
