"""The HTML report as text: one page, well formed, true to the files, with nothing in it that a name could start."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Severity
from hardener.authoring.risks import RISKS
from hardener.report.page import score

from .conftest import CORPUS, DEPLOYMENT, ROOT, Harden, commit, corpus_copy, run, snapshot, write
from .svg_geometry import flaws

VOID = {"meta", "col", "input", "wbr"}
TAGS = VOID | set(
    "html head title style body a header h1 h2 h3 p dl div dt dd nav ul ol li main section table caption colgroup thead"
    " tbody tr th td span svg rect form label select option button noscript article code b del ins details summary"
    " defs marker path text g footer script output".split()
)
ATTRIBUTES = set(
    "aria-hidden aria-label aria-labelledby autocomplete charset class colspan content data-file data-grade data-label"
    " data-risk data-severity d fill focusable for height hidden href http-equiv id lang marker-end markerheight"
    " markerwidth name open orient preserveaspectratio refx refy role rx scope spellcheck tabindex type value viewbox"
    " width x y".split()
)
HOSTILE = [
    '"><script>pwned=1</script>',
    "'><img src=x onerror=pwned=1>",
    "</style></script><svg onload=pwned=1>",
    "javascript:pwned=1",
    "&lt;script&gt;&#0;&quot;",
    "\u202ereversed\u2066",
]


class Page(HTMLParser):
    """A page as read: its elements, and what stands in some of them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.cells: list[tuple[int, str, list[str]]] = []  # of diffs: number of file, class, texts
        self.file = 0
        self.wrong: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if len(attributes) != len(attrs):
            self.wrong.append(f"an attribute twice: {attrs}")
        self.elements.append((tag, attributes))
        if attributes.get("id", "").startswith("diff-"):
            self.file = int(attributes["id"].removeprefix("diff-"))
        if tag == "td":
            self.cells.append((self.file, attributes.get("class", ""), []))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        last = self.open.pop() if self.open else None
        if last != tag:
            self.wrong.append(f"</{tag}> closes <{last}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        if "td" in self.open:
            self.cells[-1][2].append(data)

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def check(page: Page) -> None:
    """What holds of every page."""
    assert page.wrong == []
    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    ids = Counter(page.all("id"))
    assert [id for id, count in ids.items() if count > 1] == []
    for name in ("for", "aria-labelledby"):
        assert set(page.all(name)) <= set(ids), name
    assert {link for link in page.all("href") if not link.startswith("#")} == set()
    assert {link.removeprefix("#") for link in page.all("href")} <= set(ids)
    for tag in ("h1", "main", "header", "nav", "footer", "script", "style"):
        assert len(page.of(tag)) == 1, tag
    (policy,) = [one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    digests = {
        tag: "sha256-" + base64.b64encode(hashlib.sha256("".join(texts).encode()).digest()).decode()
        for tag, texts in page.raw.items()
    }
    assert policy == (
        f"default-src 'none'; style-src '{digests['style']}'; script-src '{digests['script']}'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert not re.search(r"(?:url\((?!#)|@import|https?:)", "".join(page.raw["style"] + page.raw["script"]))
    for control in page.of("select") + page.of("input"):
        assert control["id"] in page.all("for")


Made = tuple[Page, dict[str, tuple[int, bytes]], dict[str, tuple[int, bytes]]]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """The page of a tree by name, and the files before and after."""

    @cache
    def made(name: str) -> Made:
        folder = tmp_path_factory.mktemp("pages")
        if name == "shop":
            shutil.copytree(ROOT / "examples" / "shop", folder / "tree")
            commit(folder / "tree")
        else:
            corpus_copy(name, folder)
        tree = folder / "tree"
        before = snapshot(tree)
        done = run("diff", ".", "--format", "html", cwd=tree)
        assert (done.status, done.err) == (1, "")
        assert snapshot(tree) == before
        assert run("apply", ".", "--quiet", cwd=tree).status == 0
        return Page(done.out), before, snapshot(tree)

    return made


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["shop", *CORPUS])
def test_the_page_is_whole(name: str, pages: Callable[[str], Made]) -> None:
    check(pages(name)[0])


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["shop", *CORPUS])
def test_both_sides_of_the_diffs_are_the_lines_of_the_files(name: str, pages: Callable[[str], Made]) -> None:
    page, before, after = pages(name)
    names = {int(option["value"]): text for option, text in _options(page)}
    seen: dict[str, set[int]] = {}
    number = 0
    side = 0
    for file, kind, texts in (cell for cell in page.cells if cell[0]):
        text = "".join(texts)
        if kind.split()[:1] == ["n"]:
            number, side = int(text or 0), 1 - side
            continue
        if not number:
            assert text == ""
            continue
        new = side == 0
        lines = (after if new else before)[names[file]][1].decode().removeprefix("\ufeff").split("\n")
        text = text.removesuffix("  (no line end at the end of the file)")
        if "\u2039redacted#" not in text and "\\x" not in text:
            assert text == lines[number - 1].removesuffix("\r"), (names[file], number)
        if new:
            seen.setdefault(names[file], set()).add(number)
    assert set(seen) == {name for name in after if after[name] != before.get(name)}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["shop", *CORPUS])
def test_the_drawing_has_no_flaw(name: str, pages: Callable[[str], Made]) -> None:
    text = pages(name)[0].text
    svg = re.search(r'<svg class="graph".*?</svg>', text, re.S)
    if svg is None:
        assert "workloads without a connection are not drawn" in text or "workload without a connection is not" in text
        return
    assert flaws(svg[0]) == []


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["shop", *CORPUS])
def test_the_open_points_add_up(name: str, pages: Callable[[str], Made]) -> None:
    text = pages(name)[0].text
    figures = {
        label: html.unescape(re.sub(r"<[^>]*>", " ", shown)).split()
        for label, shown in re.findall(r"<dt>([^<]*)</dt><dd>(.*?)</dd>", text)
    }
    before, after = int(figures["Open points"][0]), int(figures["Open points"][-1])
    assert after == sum(int(figures[label][0]) for label in ("Held back", "Guesses", "Findings"))
    assert before == after + int(figures["Edits"][0])
    table = re.search(r'<table class="scores">.*?</table>', text, re.S)
    assert table
    rows = [list(map(int, re.findall(r'class="count"[^>]*>(\d+)<', row))) for row in table[0].split("<tr")[2:]]
    assert [sum(column) for column in zip(*rows[:-1], strict=True)] == rows[-1] == [before, after]


def _options(page: Page) -> list[tuple[dict[str, str], str]]:
    """The options of the filter by file, with their texts."""
    found = re.search(r'<select id="file".*?</select>', page.text, re.S)
    assert found
    texts = re.findall(r'<option value="(\d+)">(.*?)</option>', found[0])
    return [({"value": value}, html.unescape(text)) for value, text in texts]


def test_the_scores_are_made_from_the_counts_of_the_json_report(harden: Harden, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    report = json.loads(harden("diff", "shop", "--format", "json").out)
    summary = report["summary"]
    text = harden("diff", "shop", "--format", "html").out
    rows = re.findall(r'<span class="risk">(K\d\d)</span>.*?</tr>', text)
    assert rows == list(RISKS)
    for risk in RISKS:
        row = re.search(rf'<span class="risk">{risk}</span>.*?</tr>', text)
        assert row
        scores = [int(number) for number in re.findall(r'class="score">(\d+)<', row[0])]
        counts = [int(number) for number in re.findall(r'data-label="Open [a-z ]+">(\d+)<', row[0])]
        found = summary["byRisk"].get(risk, {"edits": 0, "held": 0, "findings": 0})
        after = found["held"] + found["findings"]
        assert counts == [found["edits"] + after, after]
        gravest = [
            {one["severity"] for name in names for one in report[name] if one["risk"] == risk}
            for names in (("changes", "held", "findings"), ("held", "findings"))
        ]
        most = [25 if "critical" in each else 60 if "high" in each else 100 for each in gravest]
        made = [
            min(100 * summary["documents"] // (summary["documents"] + count), bound)
            for count, bound in zip(counts, most, strict=True)
        ]
        assert scores == ([] if ">nothing of it here<" in row[0] else made)


ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
SPACE = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
"""
KUBELET = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nreadOnlyPort: 0\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({"a.yaml": CONFIG}, [], dict.fromkeys(RISKS.keys() - {"K03"}, "nothing")),
        ({"a.yaml": CONFIG}, [], {"K03": "score"}),
        ({"a.yaml": DEPLOYMENT}, [], {"K01": "score", "K02": "nothing", "K04": "nothing", "K07": "nothing"}),
        ({"a.yaml": ROLE}, [], {"K01": "nothing", "K02": "score"}),
        ({"a.yaml": SPACE}, [], {"K04": "score", "K07": "nothing", "K10": "nothing"}),
        ({"a.yaml": KUBELET}, [], {"K01": "nothing", "K07": "score"}),
        ({"a.yaml": DEPLOYMENT}, ["--only", "cpu-limit"], {"K01": "score", "K02": "not looked", "K06": "not looked"}),
        ({"a.yaml": DEPLOYMENT}, ["--skip", "rbac-dead-rule"], {"K02": "not looked", "K06": "nothing"}),
    ],
)  # fmt: skip
def test_a_risk_without_an_object_of_its_kind_has_no_score(
    files: dict[str, str], arguments: list[str], expected: dict[str, str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, files)
    text = harden("diff", ".", "--format", "html", *arguments).out
    check(Page(text))
    for risk, wanted in expected.items():
        row = re.search(rf'<span class="risk">{risk}</span>.*?</tr>', text)
        assert row
        shown = re.findall(r'class="lack"[^>]*>([^<]*)<', row[0])
        assert (shown[0] if shown else "score").startswith(wanted), risk


def test_views_that_a_risk_is_only_looked_for_in_are_visited_by_its_transforms() -> None:
    visited: dict[str, set[str]] = {}
    for transform in registry.transforms().values():
        visited.setdefault(transform.risk, set()).update(visit.view.rpartition(":")[2] for visit in transform.visits)
    for risk in RISKS.values():
        assert risk.searched < visited[risk.id], risk.id


@pytest.mark.parametrize(
    ("documents", "points", "expected"),
    [(10, 0, 100), (0, 0, 100), (10, 10, 50), (10, 1, 90), (1000, 1, 99), (1, 500, 0), (0, 3, 0), (15, 86, 14)],
)
def test_the_score(documents: int, points: int, expected: int) -> None:
    assert score.score(documents, points) == expected


def test_a_grave_open_point_bounds_the_score() -> None:
    """Two open secrets among 13 documents were 87."""
    assert score.score(13, 2) == 86
    assert score.score(13, 2, Severity.CRITICAL) == score.score(13, 2, Severity.HIGH, Severity.CRITICAL) == 25
    assert (score.score(13, 2, None, Severity.HIGH), score.score(13, 2, Severity.LOW)) == (60, 86)
    assert score.score(13, 0, Severity.CRITICAL) == 100 and score.score(1, 9, Severity.CRITICAL) == 10


def test_every_record_is_on_the_page_and_can_be_filtered(harden: Harden, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    web = (tmp_path / "shop" / "web.yaml").read_text()
    (tmp_path / "shop" / "web.yaml").write_text(f"# harden: ignore[cpu-limit] bursts\n{web}")
    (tmp_path / "shop" / "broken.yaml").write_text("kind: Pod\napiVersion: v1\n  x: 1\n")
    report = json.loads(harden("diff", "shop", "--format", "json").out)
    page = Page(harden("diff", "shop", "--format", "html").out)
    check(page)
    assert report["waived"] and report["refused"] and report["held"] and report["findings"]
    items = [attributes for _, attributes in page.elements if attributes.get("class", "").split()[:1] == ["item"]]
    records = [record for name in ("changes", "held", "findings", "refused", "waived") for record in report[name]]
    assert len(items) == len(records) + report["summary"]["changed"]
    risks = Counter(one["data-risk"] for one in items if "diff" not in one["class"])
    assert risks == Counter(record.get("risk") or "" for record in records)
    assert {id for one in items for id in [one["data-file"]]} <= {option["value"] for option, _ in _options(page)}


def hostile_tree() -> dict[str, str]:
    """A tree whose names, values and comments are HTML."""
    files = {}
    for number, text in enumerate(HOSTILE):
        quoted = json.dumps(text)
        deployment = (
            DEPLOYMENT.replace("name: web\nspec", f"name: {quoted}\n  namespace: {quoted}\nspec")
            .replace("app: web", f"app: {quoted}")
            .replace("# the only one", f"# {text}")
            .replace("example.com/web:1.2.3", json.dumps(f"example.com/{text}:1"))
        )
        service = {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": text, "namespace": text},
            "spec": {"type": "LoadBalancer", "selector": {"app": text}, "ports": [{"port": 80, "targetPort": text}]},
        }  # fmt: skip
        name = text.replace("/", "\u2215") + f"{number}.yaml"
        files[name] = f"{deployment}---\n{json.dumps(service)}\n"
    files["host.yaml"] = DEPLOYMENT.replace(
        "        image", f"        command: [sh, -c, {json.dumps('iptables ' + HOSTILE[0])}]\n        image"
    ).replace("    spec:\n", "    spec:\n      hostPID: true\n")
    files["broken.yaml"] = f"kind: Pod\napiVersion: v1\n  {HOSTILE[0]}: 1\n"
    files["ignored.yaml"] = f"# harden: ignore[cpu-limit] {HOSTILE[1]}\n{DEPLOYMENT}"
    return files


@pytest.mark.parametrize("command", ["diff", "check", "apply"])
def test_no_name_becomes_an_element(command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, hostile_tree())
    commit(tmp_path)
    done = harden(command, ".", "--format", "html")
    page = Page(done.out)
    check(page)
    assert "pwned" in done.out and "<img" not in done.out
    assert "\u202e" not in done.out and "\\u202e" in done.out


def test_an_error_of_ours_shows_no_secret(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ValueError("Zq7Planted0042")

    (tmp_path / "crashes").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "crashes"))
    monkeypatch.setattr("hardener.report.page.sections._change", fail)
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("diff", "web.yaml", "--format", "html")
    crash = "".join(path.read_text() for path in (tmp_path / "crashes").iterdir())
    assert done.status == 3 and "sections.py" in crash and "Planted" not in done.all + crash


def test_a_page_without_anything_to_say(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"})
    done = harden("diff", "a.yaml", "--format", "html")
    check(Page(done.out))
    assert done.status == 0


def test_apply_and_check_say_what_they_did(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    checked = harden("check", ".", "--format", "html").out
    applied = harden("apply", ".", "--format", "html").out
    assert ">Pod Security levels</h2>" in checked and ">To apply</h2>" in checked
    assert ">Applied</h2>" in applied and "Score after</th>" in applied
    check(Page(checked))
    check(Page(applied))


def test_a_line_without_its_end_and_windows_lines(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": DEPLOYMENT.removesuffix("\n"), "b.yaml": DEPLOYMENT.replace("\n", "\r\n")})
    out = harden("diff", "--format", "html").out
    check(Page(out))
    assert "(no line end at the end of the file)" in out and "\\x0d" not in out
