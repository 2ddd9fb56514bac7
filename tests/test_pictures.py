"""The pictures in docs/pictures are what the commands print now."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from . import pictures, tmux_screens

NAMES = [f"{name}-{columns}" for columns in pictures.COLUMNS for name in ("try", "check", "diff")]


@pytest.mark.slow
def test_the_pictures_are_those_of_real_runs(request: pytest.FixtureRequest) -> None:
    screens = list(pictures.screens())
    assert [name for name, *_ in screens] == NAMES
    if request.config.getoption("--harden-accept"):
        pictures.draw()
    for name, command, _, sent in screens:
        for theme in pictures.THEMES:
            picture = (pictures.FOLDER / f"{name}-{theme}.svg").read_text(encoding="utf-8")
            shown = "".join(pictures.read(picture).split())  # a row that is too long is broken in the picture
            assert shown == "".join(pictures.words(command, sent).split()), f"{name}: --harden-accept draws it anew"


@pytest.mark.parametrize("name", [*NAMES, *tmux_screens.names()])
@pytest.mark.parametrize("theme", pictures.THEMES)
def test_a_picture_needs_nothing_from_elsewhere(name: str, theme: str) -> None:
    text = (pictures.FOLDER / f"{name}-{theme}.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label")
    assert set(re.findall(r"https?://[^\"' )]*", text)) == {"http://www.w3.org/2000/svg"}
    assert len(text) < 120_000


def test_no_other_pictures_are_there() -> None:
    kept = {path.name for path in pictures.FOLDER.glob("*.svg")}
    names = [*NAMES, *tmux_screens.names()]
    assert kept == {f"{name}-{theme}.svg" for name in names for theme in pictures.THEMES}


@pytest.mark.parametrize("name", tmux_screens.names())
def test_a_screen_begins_with_the_verdict_and_ends_with_the_way_back(name: str) -> None:
    """Whatever the size is, all three are on one screen."""
    said = pictures.read((pictures.FOLDER / f"{name}-dark.svg").read_text(encoding="utf-8")).split()
    text = " ".join(said)
    assert re.match(r"hardened \d+ files?: \d+ edits?", text), text[:100]
    assert re.search(r"next: .* undo: harden undo(?:, or git \w+ .*)? \$$", text), text[-300:]
    if "apply-1-" not in name:
        assert "Guesses: " in text and re.search(r"example\.com/\w+:\d \(\d+ containers?\)", text)
