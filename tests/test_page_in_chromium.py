"""The HTML report in a real Chromium, from ``file://``: what it loads, how it filters, how it is used without a mouse,
what a screen reader is told, how it fits and whether it can be read in light and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import axe
from .chromium import Tab, started
from .conftest import ROOT, Harden, commit, run, write
from .test_page import hostile_tree

WIDTHS = (400, 800, 1280, 2000)

# Texts that stand out too little from what is behind them, after WCAG 2.2, 1.4.3.
CONTRAST = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const bad = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || ["SCRIPT", "TITLE"].includes(element.tagName)) continue;
    const svg = element instanceof SVGElement;
    const ink = light(parts(getComputedStyle(element)[svg ? "fill" : "color"]));
    const page = light(svg ? parts(getComputedStyle(document.querySelector(".band") || document.body)
      [document.querySelector(".band") ? "fill" : "backgroundColor"]) : behind(element));
    const ratio = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    const name = element.className.baseVal ?? element.className;
    if (ratio < 4.5) bad.add(`${element.tagName}.${name} ${ratio.toFixed(2)}`);
  }
  return [...bad];
})()
"""
SHOWN = "[...document.querySelectorAll('.item')].filter((element) => !element.hidden)"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser.tab()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page of the example."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(ROOT / "examples" / "shop", folder / "shop")
    return _page(folder, run("diff", "shop", "--format", "html", cwd=folder).out)


def _page(folder: Path, text: str) -> str:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def choose(tab: Tab, name: str, value: str) -> None:
    """Set a filter, as a person does."""
    tab.run(
        f"(() => {{ const field = document.getElementById('{name}'); field.value = '{value}'; "
        "field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_loads_nothing_and_complains_of_nothing(dark: bool, tab: Tab, shop: str) -> None:
    tab.open(shop, dark=dark)
    tab.run("document.getElementById('open-all').click()")
    assert tab.requests == [shop]
    assert tab.complaints == []
    # The policy is in force: what is not in it neither runs nor loads.
    tab.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.pwned = 1'}))")
    tab.run("document.body.append(Object.assign(new Image(), {src: 'https://example.invalid/x.png'}))")
    assert tab.run("window.pwned === undefined")
    tab.until(lambda: tab.blocked and len(tab.complaints) > 1)
    assert tab.blocked == ["csp"]
    assert ["Content Security Policy" in text for text in tab.complaints] == [True, True]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_can_be_read(width: int, dark: bool, tab: Tab, shop: str) -> None:
    tab.open(shop, width=width, dark=dark)
    tab.run("document.getElementById('open-all').click()")
    assert tab.run("document.documentElement.scrollWidth") == width
    assert tab.run(CONTRAST) == []
    ground = tab.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


def test_the_filters(tab: Tab, shop: str) -> None:
    tab.open(shop)
    total = tab.run(f"{SHOWN}.length")
    assert tab.run("document.getElementById('shown').textContent") == f"{total} of {total} records and diffs shown"
    for name, value, condition in (
        ("risk", "K05", "element.dataset.risk.split(' ').includes('K05')"),
        ("grade", "safe", "element.dataset.grade.split(' ').includes('safe')"),
        ("severity", "high", "/high|critical/.test(element.dataset.severity)"),
        ("file", "2", "element.dataset.file === '2'"),
        ("text", "privileged", "/privileged/i.test(element.textContent + element.closest('details')?.textContent)"),
    ):
        choose(tab, name, value)
        shown = tab.run(f"{SHOWN}.length")
        assert 0 < shown < total, name
        assert tab.run(f"{SHOWN}.every((element) => {condition})"), name
        assert tab.run("document.getElementById('shown').textContent").startswith(f"{shown} of {total} ")
        wrong = tab.run(
            "[...document.querySelectorAll('.group')].filter((group) => group.hidden !== "
            "[...group.querySelectorAll('.item')].every((element) => element.hidden)).length"
        )
        assert wrong == 0
        choose(tab, name, "")
        assert tab.run(f"{SHOWN}.length") == total
    choose(tab, "text", "no such words")
    assert tab.run(f"{SHOWN}.length") == 0
    tab.run("document.querySelector('button[type=reset]').click()")
    tab.until(lambda: tab.run(f"{SHOWN}.length") == total)


def test_without_a_mouse(tab: Tab, shop: str) -> None:
    tab.open(shop)
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.className") == "skip"
    assert tab.run("document.activeElement.getBoundingClientRect().left >= 0")
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Enter", 13, "\r")
    tab.until(lambda: tab.run("document.activeElement.id") == "main")
    # Everything that acts is reached in the order of the page, and shows where the focus is.
    seen = []
    for _ in range(30):
        tab.press("Tab", 9)
        assert tab.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
        seen.append(tab.run("document.activeElement.id || document.activeElement.tagName"))
    controls = ["risk", "grade", "severity", "file", "text", "open-all", "close-all"]
    assert [name for name in seen if name in controls] == controls
    assert "SUMMARY" in seen
    tab.run("document.querySelector('#changes summary').focus()")
    tab.press("Enter", 13, "\r")
    assert tab.run("document.querySelector('#changes details').open")
    tab.run("document.getElementById('text').focus()")
    tab("Input.insertText", text="netpol")
    assert 0 < tab.run(f"{SHOWN}.length") < 20


def test_a_link_opens_what_it_leads_to(tab: Tab, shop: str) -> None:
    tab.open(shop)
    tab.run("document.getElementById('close-all').click()")
    choose(tab, "text", "no such words")
    tab.run("location.hash = document.querySelector('#changes a.place').getAttribute('href')")
    tab.until(lambda: tab.run("document.getElementById(location.hash.slice(1)).open"))
    assert tab.run("document.getElementById(location.hash.slice(1)).checkVisibility()")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_screen_reader_is_told(width: int, tab: Tab, shop: str) -> None:
    tab.open(shop, width=width)
    tab.run("document.getElementById('open-all').click()")
    tree = tab.tree()
    roles = [role for role, _ in tree]
    for landmark in ("banner", "navigation", "main", "search", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    assert [name for role, name in tree if role == "heading"][:3] == ["Hardening report", "Impact", "Score by risk"]
    for role in ("combobox", "searchbox", "button", "link", "table", "region", "image", "DisclosureTriangle"):
        names = [name for found, name in tree if found == role]
        assert names and all(names), role
    # Tables stay tables where they are shown as lines below each other.
    assert roles.count("table") == 1 + tab.run("document.querySelectorAll('.diff').length")
    assert ("rowheader", "K01 Insecure Workload Configurations") in tree
    assert {"Risk", "Score before", "Old", "New"} <= {name for role, name in tree if role == "columnheader"}
    assert any(role == "image" and name.startswith("Who talks to whom: ") for role, name in tree)


def test_less_motion_where_it_is_asked_for(tab: Tab, shop: str) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    tab.open(shop)
    assert tab.run(behaviour) == "smooth"
    tab.open(shop, motion=False)
    assert tab.run(behaviour) == "auto"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_core_finds_no_violation(width: int, tab: Tab, shop: str) -> None:
    tab.open(shop, width=width)
    assert axe.violations(tab) == []


def test_axe_core_finds_no_violation_in_the_dark_where_all_is_open(tab: Tab, shop: str) -> None:
    tab.open(shop, width=1280, dark=True)
    tab.run("document.getElementById('open-all').click()")
    tab.run("document.getElementById('zoom-in').click()")
    assert axe.violations(tab) == []


def test_axe_core_is_heard(tab: Tab, shop: str) -> None:
    tab.open(shop)
    tab.run("document.querySelector('main').remove()")  # what is small is looked at quickly
    tab.run("document.body.append(Object.assign(document.createElement('img'), {src: 'data:,'}))")
    assert "image-alt" in [text.partition(":")[0] for text in axe.violations(tab)]


INSIDE = """
(() => {
  const region = document.getElementById("drawing"), svg = region.querySelector("svg");
  const outer = svg.getBoundingClientRect(), bad = [];
  for (const element of svg.querySelectorAll("rect, path, text")) {
    if (element.closest("marker")) continue;
    const box = element.getBoundingClientRect();
    if (box.left < outer.left - 1 || box.right > outer.right + 1
        || box.top < outer.top - 1 || box.bottom > outer.bottom + 1)
      bad.push(`${element.tagName} ${element.textContent} leaves the drawing`);
    if (element.tagName === "text" && element.closest(".node")) {
      const own = element.closest(".node").querySelector("rect").getBoundingClientRect();
      if (box.left < own.left || box.right > own.right || box.top < own.top || box.bottom > own.bottom + 1)
        bad.push(`${element.textContent} leaves its box`);
    }
  }
  if (region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight) bad.push("cut off");
  return bad;
})()
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_all_of_the_drawing_is_to_be_seen(width: int, tab: Tab, shop: str) -> None:
    tab.open(shop, width=width)
    assert tab.run("document.querySelectorAll('.graph .node').length") == 5
    assert tab.run(INSIDE) == []
    size = tab.run("parseFloat(getComputedStyle(document.querySelector('.graph')).fontSize)")
    drawn = size * float(tab.run("document.getElementById('zoom-now').textContent").removesuffix(" %")) / 100
    assert tab.run("document.getElementById('list').open") == (drawn < 8)  # what is small can be read as a list
    assert (width == 400) == (drawn < 8)


def test_the_drawing_grows_and_shrinks_by_mouse_and_keyboard(tab: Tab, shop: str) -> None:
    tab.open(shop, width=800)
    width = "Math.round(document.querySelector('.graph').getBoundingClientRect().width)"
    told = "document.getElementById('zoom-now').textContent"
    fits = tab.run(width)
    for key in ("in", "out"):
        before = tab.run(width)
        tab.run(f"document.getElementById('zoom-{key}').focus()")
        assert tab.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
        tab.press("Enter", 13, "\r")
        assert (tab.run(width) > before) == (key == "in")
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.id") == "zoom-fit"
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.id") == "drawing"
    sizes = []
    for key, code in (("0", 48), ("+", 187), ("+", 187), ("-", 189), ("0", 48)):
        tab.press(key, code, key)
        sizes.append(tab.run(width))
    assert sizes[0] == sizes[4] == fits < sizes[1] < sizes[2] and abs(sizes[1] - sizes[3]) <= 1
    whole = tab.run("Number(document.querySelector('.graph').getAttribute('width'))")
    assert abs(float(tab.run(told).removesuffix(" %")) - 100 * fits / whole) <= 1
    for _ in range(20):
        tab.press("+", 187, "+")
    assert tab.run(told) == "400 %"
    assert tab.run("document.documentElement.scrollWidth") == 800  # it scrolls in its own frame
    tab.run("document.getElementById('drawing').scrollLeft = 1e6")
    reached = tab.run(
        "document.querySelector('.graph').getBoundingClientRect().right - "
        "document.getElementById('drawing').getBoundingClientRect().right"
    )
    assert reached <= 0


def test_no_name_runs(tab: Tab, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path / "tree", hostile_tree())
    commit(tmp_path / "tree")
    address = _page(tmp_path, harden("diff", ".", "--format", "html", cwd=tmp_path / "tree").out)
    tab.open(address)
    tab.run("document.getElementById('open-all').click()")
    tab.run("document.querySelectorAll('.item').forEach((element) => element.click())")
    assert tab.run("window.pwned === undefined")
    assert tab.complaints == [] and tab.requests == [address]
    assert tab.run("document.querySelectorAll('script').length") == 1
    assert tab.run("document.documentElement.scrollWidth") == 1024
    assert tab.run(INSIDE) == []
