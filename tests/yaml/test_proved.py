"""The last look of the writer at its own text: a wrong one is not given out, whatever wrote it."""

import sys

import pytest

from hardener.sources.yaml import TextError, parse

_proved = sys.modules["hardener.sources.yaml.rewrite"]._proved  # the package has a function of that name

TEXT = "# one\na: 1\n# two\nb: 2\n"


@pytest.mark.parametrize(
    ("before", "after", "in_order", "reason"),
    [
        (TEXT, TEXT.replace("1", "3"), True, None),
        (TEXT, TEXT.replace("a: 1", "a: ["), True, "not valid YAML"),
        (TEXT, TEXT, True, "it would read back as something else"),
        (TEXT, "a: 3\n# two\nb: 2\n", True, "a comment would be lost"),
        (TEXT, "# two\na: 3\n# one\nb: 2\n", True, "a comment would be lost"),
        (TEXT, "# two\na: 3\n# one\nb: 2\n", False, None),  # an item took its comment along
        (TEXT, "a: 3\n# two\nb: 2\n", False, "a comment would be lost"),
        (TEXT, "a: 3\n# one\nb: 2\n", False, "a comment would be lost"),
        ('{"a": 1, "b": 2}', '{"a": 3, b: 2}', True, "the result would not be JSON"),
        ('{"a": 1, b: 2}', '{"a": 3, b: 2}', True, None),  # it was none before
    ],
)
def test_what_was_written_is_looked_at(before: str, after: str, in_order: bool, reason: str | None) -> None:
    def look() -> None:
        _proved(before, after, parse(before), [{"a": 3, "b": 2}], in_order=in_order)

    if reason is None:
        look()
        return
    with pytest.raises(TextError, match=reason):
        look()


def test_a_comment_that_becomes_text_is_told_apart() -> None:
    with pytest.raises(TextError, match="a comment that must stay would become text of a value"):
        _proved("a: 1\n# one\n", "a: |\n  1\n  # one\n", parse("a: 1\n# one\n"), [{"a": "1\n"}], in_order=True)
