"""The formats for hosts: valid, true, whole, within their limits, on the corpus and on odd files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from markdown_it import MarkdownIt

from hardener.authoring import registry
from hardener.authoring.risks import RISKS
from hardener.report import formats as report_formats
from hardener.report.formats import markdown
from hardener.report.formats.sarif import line_hashes
from hardener.support.printable import plain_lines

from . import formats
from .conftest import CORPUS, DEPLOYMENT, ROOT, Harden, commit, git, restore, snapshot, write
from .formats import FORMATS, Faces, tree_faces  # noqa: F401
from .shown import block
from .test_patch import SHAPES

Of = Callable[[str], Faces]
SIDES = ("diff", "apply")


def schema(name: str) -> Any:
    data = json.loads((ROOT / "tests" / "data" / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(data)(data)


def workflow_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands of GitHub: command, properties, message, each as GitHub reads it."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert match, line
        pairs = dict(pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {name: unquote_command(value) for name, value in pairs.items()}, match[3]))
    return found


def unquote_command(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


# -- SARIF


@pytest.mark.sampled(4)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", ["argo-cd", "bad-pods", "podinfo"])
def test_sarif_is_valid(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    schema("sarif-2.1.0").validate(json.loads(getattr(tree_faces(name), side)["sarif"]))


@pytest.mark.sampled(11)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CORPUS)
def test_sarif_keeps_the_rules_of_github(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    log = json.loads(getattr(faces, side)["sarif"])
    files = {f"tree/{file}": content for file, content in (faces.before if side == "diff" else faces.after).items()}
    assert log["$schema"] and len(log["runs"]) == 1
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) <= 25_000 and len(rules) <= 25_000
    for rule in rules:
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"] and rule["help"]["text"]
        assert len(rule["properties"]["tags"]) <= 10 and len(rule["fullDescription"]["text"]) <= 1024
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        for relation in rule.get("relationships", []):
            risk = relation["target"]["id"]
            assert f"owasp-k8s-{risk}" in rule["properties"]["tags"]
            assert 0 < float(rule["properties"]["security-severity"]) <= 10
            taxonomy = run["taxonomies"][relation["target"]["toolComponent"]["index"]]
            assert taxonomy["taxa"][relation["target"]["index"]]["id"] == risk
    assert [taxon["id"] for taxon in run["taxonomies"][0]["taxa"]] == list(RISKS)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["message"]["text"]
        assert set(result["partialFingerprints"]) == {"hardenId/v1", "primaryLocationLineHash"}
        for place in [*result["locations"], *result.get("relatedLocations", [])]:
            uri = unquote(place["physicalLocation"]["artifactLocation"]["uri"])
            region = place["physicalLocation"]["region"]
            lines = files[uri].decode("utf-8-sig").split("\n")
            assert region["startLine"] == region["endLine"], "an annotation needs all its lines in the diff"
            assert 1 <= region["startColumn"] <= region["endColumn"] <= len(lines[region["endLine"] - 1]) + 1
        for fix in result.get("fixes", []):
            assert fix["artifactChanges"], "GitHub refuses the whole file"
            assert all(change["replacements"] for change in fix["artifactChanges"])
        assert len(result.get("fixes", [])) <= 1, "readers take only one for each file"
    prints = [result["partialFingerprints"]["hardenId/v1"] for result in run["results"]]
    assert len(prints) == len(set(prints))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CORPUS)
def test_all_fixes_together_are_what_apply_writes(name: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    changed = {file for file in faces.before if faces.before[file] != faces.after[file]}
    whole = 0
    for file, rows in formats.sarif_fixes(faces.diff["sarif"]).items():
        file = file.removeprefix("tree/")
        assert file in changed
        fixed = formats.with_sarif_fixes(faces.before[file], rows)
        whole += fixed == faces.after[file]
    # The others hold changes that need a new file as well.
    assert whole >= len(changed) / 2


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CORPUS)
def test_all_suggestions_together_are_what_apply_writes(name: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    fixes = formats.sarif_fixes(faces.diff["sarif"])
    found = formats.suggestions(faces.diff["rdjson"])
    assert found.keys() <= fixes.keys() and len(found) >= len(fixes) * 0.9
    for file, rows in found.items():
        for (_, end, _), (start, _, _) in pairwise(rows):
            assert end < start, "two suggestions for one line"
        content = faces.before[file.removeprefix("tree/")]
        suggested = formats.with_suggestions(content, rows)
        # A hunk beside a secret is in a fix, which needs no neighbour, and in no suggestion; then no part of it is.
        assert suggested == formats.with_sarif_fixes(content, fixes[file]) or b"PASSWORD" in content


# -- the others


@pytest.mark.sampled(11)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CORPUS)
def test_rdjson_and_gitlab_are_valid(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    shown = getattr(tree_faces(name), side)
    schema("rdjson").validate(json.loads(shown["rdjson"]))
    quality = json.loads(shown["gitlab"])
    schema("gitlab-code-quality").validate(quality)
    prints = [record["fingerprint"] for record in quality]
    assert len(prints) == len(set(prints)), "GitLab shows one of those that have the same"


# Elements of JUnit XML: attributes that must be there, others that may be, children. After the schema of Jenkins.
JUNIT = {
    "testsuites": ((), ("name", "tests", "failures", "errors"), ("testsuite",)),
    "testsuite": (("name", "tests", "failures", "errors"), ("skipped",), ("testcase",)),
    "testcase": (("name",), ("classname",), ("failure", "skipped", "system-out")),
    "system-out": ((), (), ()),
    "skipped": (("message",), (), ()),
    "failure": ((), ("type", "message"), ()),
}


@pytest.mark.sampled(11)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CORPUS)
def test_junit_is_valid(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    root = ElementTree.fromstring(getattr(tree_faces(name), side)["junit"])
    assert root.tag == "testsuites"
    for element in root.iter():
        needed, allowed, children = JUNIT[element.tag]
        assert set(needed) <= element.attrib.keys() <= {*needed, *allowed}
        assert {child.tag for child in element} <= set(children)
    for suite in root:
        found = {what: len(suite.findall(f"testcase/{what}")) for what in ("failure", "skipped")}
        assert found == {"failure": int(suite.attrib["failures"]), "skipped": int(suite.attrib.get("skipped", 0))}
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))
    assert int(root.attrib["failures"]) == len(root.findall(".//failure"))
    assert len({suite.attrib["name"] for suite in root}) == len(root)


@pytest.mark.sampled(11)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CORPUS)
def test_annotations_are_commands_that_github_knows(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    found = workflow_commands(getattr(faces, side)["github"])
    order = ["error", "warning", "notice"]
    assert [command for command, _, _ in found] == sorted((command for command, _, _ in found), key=order.index)
    files = {f"tree/{file}" for file in (faces.before if side == "diff" else faces.after)}
    for command, settings, message in found:
        if settings.keys() == {"title"}:  # the impact of all changes, and files that were not read
            assert command == "notice" and settings["title"].startswith("harden: ") and message
            continue
        assert settings.keys() == {"file", "line", "endLine", "title"} and message
        assert settings["file"] in files and 1 <= int(settings["line"]) <= int(settings["endLine"])
    assert max(Counter(command for command, _, _ in found).values(), default=0) <= 10


def test_ten_annotations_of_a_kind_and_the_others_are_counted(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.yaml": DEPLOYMENT.replace("web", f"web{n}") for n in range(12)})
    commit(tmp_path)
    settings = ["diff", "--max-grade", "safe"]
    remarks = json.loads(harden(*settings, "--format", "rdjson").out)["diagnostics"]
    found = workflow_commands(harden(*settings, "--format", "github").out)
    kinds = Counter(command for command, _, _ in found)
    assert kinds == {"warning": 10, "notice": 10}
    (told,) = [message for _, place, message in found if place.get("title") == "harden: more is not annotated"]
    left = sum(int(count) for count in re.findall(r"(\d+) more (?:error|warning|notice)s?\b", told))
    annotated = sum("file" in place for _, place, _ in found)
    assert left + annotated == len(remarks) and left > 20
    assert told.endswith("harden check . --max-grade safe -v lists each")


@pytest.mark.sampled(11)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CORPUS)
def test_the_comment_fits_and_is_well_formed(name: str, side: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    text = getattr(faces, side)["markdown"]
    assert len(text.encode("utf-16-le")) // 2 <= 60_000
    well_formed(text)
    for risk, row in faces.summary["byRisk"].items():
        assert f"| {risk} {RISKS[risk].title} | {row['edits']} | {row['held']} | {row['findings']} |\n" in text
    order = ["Impact", "Guesses", "A person decides", "To apply", "Applied", "Needs manual work", "By risk", "Diff"]
    heads = re.findall(rf"^(?:### |<details><summary>)({'|'.join(order)})", text, re.M)
    assert heads == [head for head in order if head in heads] and {"By risk", "Diff"} <= set(heads)
    shown = text.count("<summary><code>")
    lost = re.search(r"^\*(\d+) files? more left out", text, re.M)
    assert shown + (int(lost[1]) if lost else 0) == faces.summary["changed"]


def well_formed(text: str, *, pages: str | None = None) -> None:
    """Every fold is closed, no text of others is read as HTML, a heading or a fence of ours. Links lead to ``pages``
    alone."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    html = "".join(token.content for token in tokens if token.type == "html_block")
    assert html.count("<details") == html.count("</details>") == text.count("\n</details>")
    assert html.count("<details") == html.count("<summary>") == html.count("</summary>")
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<!-- -->"}
    targets = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]
    assert all(pages is not None and target.startswith(f"{pages}/") for target in targets)
    assert {child.type for child in inline} - {"link_open", "link_close"} <= {
        "text", "code_inline", "strong_open", "strong_close", "em_open", "em_close", "html_inline", "softbreak",
        "text_special",
    }  # fmt: skip
    pings = [child.content for child in inline if child.type == "text" and re.search(r"@\w|#\d", child.content)]
    assert pings == [], "it calls on a person or an issue"
    assert {token.info for token in tokens if token.type == "fence"} <= {"diff", "mermaid"}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CORPUS)
def test_the_formats_tell_of_the_same(name: str, tree_faces: Of) -> None:  # noqa: F811
    faces = tree_faces(name)
    for side in SIDES:
        shown = getattr(faces, side)
        results = json.loads(shown["sarif"])["runs"][0]["results"]
        quality = json.loads(shown["gitlab"])
        suites = ElementTree.fromstring(shown["junit"])
        waiting = [found for found in suites.findall(".//skipped") if " Waits: " in found.attrib["message"]]
        failures = [*suites.findall(".//failure"), *waiting]
        assert [r["partialFingerprints"]["hardenId/v1"] for r in results] == [q["fingerprint"] for q in quality]
        assert len(results) == len(failures)
        kinds = Counter(result["properties"]["kind"] for result in results)
        assert kinds["held"] == faces.summary["held"] and kinds["finding"] == faces.summary["findings"]
        assert kinds["refused"] == faces.summary["refused"]
        assert bool(kinds["pending"]) == (side == "diff")


# -- what a person has to know before it is applied

OPEN = (
    "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: db\n  namespace: shop\nspec:\n  type: LoadBalancer\n"
    "  selector: {app: db}\n  ports:\n  - port: 5432\n"
)


def test_reports_of_programs_hold_the_impact(harden: Harden, tmp_path: Path) -> None:
    """Each line that a person reads in a comment stands in each of them, with the objects where there is a place."""
    write(tmp_path, {"web.yaml": DEPLOYMENT + OPEN, "broken.yaml": "apiVersion: v1\nkind: Pod\n  x: [\n"})
    commit(tmp_path)
    shown = {name: harden("diff", "--format", name).out for name in (*FORMATS, "json")}
    found = json.loads(shown["json"])["impact"]
    assert {"address-released", "workloads-restart"} <= {line["id"] for line in found}
    read = shown["markdown"].replace("\\", "").replace("<!-- -->", "")
    assert all(line["message"] in read for line in found)
    (address,) = (line["objects"] for line in found if line["id"] == "address-released")
    assert [(item["kind"], item["name"]) for item in address] == [("Service", "db")]
    run = json.loads(shown["sarif"])["runs"][0]
    assert run["properties"]["impact"] == found
    text = "\n".join(line["message"] for line in found)
    (notice,) = (
        one for one in workflow_commands(shown["github"]) if one[1].get("title") == "harden: impact of the changes"
    )
    assert (notice[0], notice[2].replace("%0A", "\n")) == ("notice", text)
    case = ElementTree.fromstring(shown["junit"]).find(".//testcase[@name='impact']/system-out")
    assert case is not None and case.text == text


def test_reports_of_programs_say_why_a_file_is_not_read(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "broken.yaml": "apiVersion: v1\nkind: Pod\n  x: [\n", "b.txt": "x\n"})
    commit(tmp_path)
    found = json.loads(harden("diff", "--format", "json").out)["leftOut"]
    assert [(one["reason"], one["message"], one["places"]) for one in found] == [
        ("broken-document", "1 file holds no document that can be parsed", ["broken.yaml"]),
        ("other-ending", "1 file ends in none of .yaml, .yml, .json, .tf, .tofu, .hcl, .sh and .py", []),
    ]
    assert json.loads(harden("diff", "--format", "sarif").out)["runs"][0]["properties"]["leftOut"] == found


def test_changes_have_the_severity_of_their_transform(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    changes = json.loads(harden("diff", "--format", "json").out)["changes"]
    assert changes and {change["severity"] == registry.get(change["id"]).severity for change in changes} == {True}
    results = json.loads(harden("diff", "--format", "sarif").out)["runs"][0]["results"]
    pending = {
        (result["ruleId"], result["properties"]["severity"], result["properties"].get("grade")) for result in results
    }
    assert pending >= {(change["id"], change["severity"], change["grade"]) for change in changes if change["line"]}


# -- lines and fingerprints


def test_line_hashes_are_those_of_upload_sarif() -> None:
    """Its rule, by the letter: 100 characters without blanks, base 37, 64 bits, a number for those that are equal."""
    texts = ["", "a", "a\n", "a\nb\n", "x\r\ny\r\n\r\n z\t\n", "\u00e9\U0001f600\n" * 40, DEPLOYMENT * 3, "a \r b\r\rc"]
    for text in texts:
        plain = re.sub(r"[ \t]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
        raw = plain.encode("utf-16-le")
        codes = [*(raw[n] | raw[n + 1] << 8 for n in range(0, len(raw), 2)), 65535, *[0] * 100]
        starts = [0, *(n + 1 for n, code in enumerate(codes) if code == 10)]
        seen: Counter[str] = Counter()
        expected = {}
        for number, start in enumerate(starts, 1):
            value = 0
            for code in codes[start : start + 100]:
                value = (value * 37 + code) % 2**64
            seen[f"{value:x}"] += 1
            expected[number] = f"{value:x}:{seen[f'{value:x}']}"
        assert line_hashes(text, expected) == expected


TWO = DEPLOYMENT + "---\n" + DEPLOYMENT.replace("web", "api")


def prints(text: str) -> set[str]:
    return {record["fingerprint"] for record in json.loads(text)}


def test_fingerprints_stay_when_lines_move(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": TWO})
    commit(tmp_path)
    before = harden("diff", "--format", "gitlab").out
    side = "      containers:\n      - name: first\n        image: example.com/first:1@sha256:" + "0" * 64 + "\n"
    write(tmp_path, {"web.yaml": "# one\n# two\n" + TWO.replace("      containers:\n", side, 1)})
    assert prints(before) < prints(harden("diff", "--format", "gitlab").out)


def test_after_apply_what_is_left_stands_where_it_stands_now(harden: Harden, tmp_path: Path) -> None:
    image = "example.com/api:1.2.3"
    write(tmp_path, {"web.yaml": TWO.replace("example.com/api:1.2.3", image)})
    commit(tmp_path)
    shown = json.loads(harden("apply", ".", "--format", "gitlab").out)
    text = (tmp_path / "web.yaml").read_text().split("\n")
    pins = [record for record in shown if record["check_name"] == "pin-image-digest"]
    assert len(pins) == 2
    for record in pins:
        assert record["location"]["path"] == "web.yaml"
        assert "image:" in text[record["location"]["lines"]["begin"] - 1]


# -- odd files


@pytest.mark.sampled(4)
@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_fixes_and_suggestions_of_odd_files(name: str, harden: Harden, tmp_path: Path) -> None:
    # With the token alone nothing needs a new file, so that everything is offered.
    write(tmp_path, {name: SHAPES[name]})
    commit(tmp_path)
    shown = {format: harden("diff", "--skip", "netpol-workload", "--format", format).out for format in FORMATS}
    before = {file: content for file, (_, content) in snapshot(tmp_path).items()}
    harden("apply", ".", "--skip", "netpol-workload", "--quiet")
    after = {file: content for file, (_, content) in snapshot(tmp_path).items()}
    assert after.keys() == before.keys() and after != before
    fixes, found = formats.sarif_fixes(shown["sarif"]), formats.suggestions(shown["rdjson"])
    assert fixes.keys() == {name}
    assert formats.with_sarif_fixes(before[name], fixes[name]) == after[name]
    if len(before[name].split(b"\n")) > 2:  # a single line has no neighbour to stand in for it
        assert formats.with_suggestions(before[name], found[name]) == after[name]
    schema("sarif-2.1.0").validate(json.loads(shown["sarif"]))
    schema("rdjson").validate(json.loads(shown["rdjson"]))
    schema("gitlab-code-quality").validate(json.loads(shown["gitlab"]))
    ElementTree.fromstring(shown["junit"])
    commands = workflow_commands(shown["github"])
    assert {settings["file"] for _, settings, _ in commands if "file" in settings} == {plain_lines(name)}
    well_formed(shown["markdown"])
    restore(tmp_path)
    assert git(tmp_path, "apply", "-", stdin=shown["patch"].encode()).returncode == 0
    assert {file: content for file, (_, content) in snapshot(tmp_path).items()} == after


def test_a_fix_is_never_half_of_a_change(harden: Harden, tmp_path: Path) -> None:
    """A mount and its volume stand in two hunks, and each of these holds edits of others: all of it is one fix."""
    write(
        tmp_path,
        {"web.yaml": DEPLOYMENT.replace("image: ", "volumeMounts: []\n        image: ") + "      volumes: []\n"},
    )
    commit(tmp_path)
    shown = json.loads(harden("diff", "--max-grade", "guess", "--skip", "netpol-workload", "--format", "sarif").out)
    results = [result for result in shown["runs"][0]["results"] if "fixes" in result]
    mount = next(result for result in results if result["ruleId"] == "read-only-root-filesystem")
    replacements = mount["fixes"][0]["artifactChanges"][0]["replacements"]
    assert len(replacements) > 1
    texts = [replacement["insertedContent"]["text"] for replacement in replacements]
    assert any("mountPath" in text for text in texts) and any("emptyDir" in text for text in texts)
    others = [result for result in results if result["fixes"] == mount["fixes"]]
    assert len({result["ruleId"] for result in others}) > 3


def test_names_and_texts_of_others_are_only_text(harden: Harden, tmp_path: Path) -> None:
    evil = '</details>\\n# <script>@octocat #12 `x` [a](http://b) %0A::error::x ]]>\\"&\\u001b[2J'
    pod = f'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "{evil}"\nspec:\n  containers:\n  - name: c\n    image: i\n'
    write(tmp_path, {"a|b`c<d>,x:1%.yaml": pod})
    commit(tmp_path)
    shown = {name: harden("diff", "--format", name).out for name in FORMATS}
    well_formed(shown["markdown"])
    named = {settings["file"] for _, settings, _ in workflow_commands(shown["github"]) if "file" in settings}
    assert named == {"a|b`c<d>,x:1%.yaml"}
    for name in ("sarif", "rdjson", "gitlab"):
        json.loads(shown[name])
    root = ElementTree.fromstring(shown["junit"])
    assert any("</details>" in case.attrib["name"] for case in root.iter("testcase"))


def test_nothing_to_say_is_a_whole_report(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\ndata: {a: b}\n"})
    commit(tmp_path)
    for command in ("diff", "check"):
        done = {name: harden(command, "--format", name) for name in FORMATS}
        assert {one.status for one in done.values()} == {0}
        assert json.loads(done["sarif"].out)["runs"][0]["results"] == []
        schema("sarif-2.1.0").validate(json.loads(done["sarif"].out))
        assert json.loads(done["gitlab"].out) == [] and json.loads(done["rdjson"].out)["diagnostics"] == []
        assert done["patch"].out == done["github"].out == ""
        root = ElementTree.fromstring(done["junit"].out)
        assert (root.attrib["tests"], root.attrib["failures"]) == ("1", "0")
        title = "harden: check passed\n\n0 edits" if command == "check" else "harden: 0 edits"
        assert done["markdown"].out.startswith(f"<!-- harden -->\n## {title}, 0 files would change;")


def test_a_long_comment_says_what_it_leaves_out(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {f"{n}.yaml": DEPLOYMENT.replace("web", f"web{n}") for n in range(9)})
    commit(tmp_path)
    whole = harden("diff", "--format", "markdown").out
    assert "left out" not in whole
    monkeypatch.setattr(markdown, "LONGEST", 12_000)
    short = harden("diff", "--format", "markdown").out
    assert len(short) <= 12_000
    assert re.search(
        r"^\*\d+ files more left out, since the comment has no more room: `harden diff \.` shows", short, re.M
    )
    well_formed(short)


def test_check_adds_the_levels_to_the_comment(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    said = harden("check", "--max-grade", "guess", "--format", "markdown").out
    assert "- no namespace named: baseline, after apply restricted\n" in said
    assert "after apply" not in harden("diff", "--max-grade", "guess", "--format", "markdown").out
    waiting = harden("check", "--format", "markdown").out
    assert "- no namespace named: baseline\n" in waiting and "after apply" not in waiting


def test_what_a_baseline_lists_is_in_no_format(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    assert harden("baseline", "write", ".").status == 0
    shown = {name: harden("check", "--baseline", "harden.baseline", "--format", name).out for name in FORMATS}
    assert json.loads(shown["sarif"])["runs"][0]["results"] == json.loads(shown["gitlab"]) == []
    assert json.loads(shown["rdjson"])["diagnostics"] == [] and shown["patch"] == ""
    assert re.fullmatch(r"::notice title=harden%3A not-read::not read: 1 file ends in none of .*\n", shown["github"])
    side = "      - name: side\n        image: example.com/side:1\n        securityContext: {privileged: true}\n"
    (tmp_path / "web.yaml").write_text(DEPLOYMENT + side)
    check = ("check", "--baseline", "harden.baseline", "--format")
    results = json.loads(harden(*check, "sarif").out)["runs"][0]["results"]
    assert "no-privileged" in {result["ruleId"] for result in results}
    assert not [result for result in results if result["ruleId"] == "automount-token"]
    diagnostics = json.loads(harden(*check, "rdjson").out)["diagnostics"]
    assert {diagnostic["location"]["range"]["start"]["line"] for diagnostic in diagnostics} <= set(range(15, 18))
    # What one line offers holds no other half of what the baseline lists.
    for diagnostic in diagnostics:
        assert "automountServiceAccountToken" not in json.dumps(diagnostic.get("suggestions", []))


@pytest.mark.slow
def test_the_commands_of_the_page(tmp_path: Path) -> None:
    """Each line of it runs in a shell, and what it writes is what its comment says."""
    found = block("docs/reports.md", "sh", "For pull requests and pipelines")
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    harden = tmp_path / "bin" / "harden"
    harden.parent.mkdir()
    harden.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hardener "$@"\n')
    harden.chmod(0o755)
    settings = {"PATH": f"{harden.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for line in found.splitlines():
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, env={**os.environ, **settings})
        assert done.returncode == (0 if line.startswith("harden diff") else 1), done.stderr.decode()
        assert done.stderr == b""
    schema("sarif-2.1.0").validate(json.loads((tmp_path / "harden.sarif").read_text()))
    schema("rdjson").validate(json.loads((tmp_path / "harden.rdjson").read_text()))
    schema("gitlab-code-quality").validate(json.loads((tmp_path / "gl-code-quality-report.json").read_text()))
    ElementTree.parse(tmp_path / "harden.xml")
    well_formed((tmp_path / "comment.md").read_text())
    # The patch came last: nothing is left to change.
    again = subprocess.run([str(harden), "diff", "shop", "--quiet"], cwd=tmp_path, env=os.environ | settings)
    assert again.returncode == 0


TAP = '''
"""The Test Anything Protocol: a test per problem, none of them passed."""

from hardener.report.problems import problems

ERRORS = "backslashreplace"
FOR_PEOPLE = False


def write(outcome, context, out):
    found = problems(outcome, context.redactor, applied=context.applied)
    out(f"TAP version 14\\n1..{len(found)}\\n")
    for number, problem in enumerate(found, 1):
        out(f"not ok {number} - {problem.id} {problem.file}:{problem.line}\\n")
'''


def test_a_new_format_is_one_file(tmp_path: Path) -> None:
    for name in ("transforms", "profiles"):
        (tmp_path / name).symlink_to(ROOT / name)
    package = tmp_path / "hardener"
    shutil.copytree(ROOT / "hardener" / "report", package / "report")
    for each in (ROOT / "hardener").iterdir():
        if each.name != "report":
            (package / each.name).symlink_to(each)
    (package / "report" / "formats" / "tap.py").write_text(TAP)
    tree = tmp_path / "tree"
    write(tree, {"web.yaml": DEPLOYMENT})

    def check(format: str) -> str:
        command = [sys.executable, "-P", "-m", "hardener", "check", "--format", format]
        settings = os.environ | {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tree, env=settings, capture_output=True, text=True).stdout

    first, second, *others = check("tap").splitlines()
    assert first == "TAP version 14" and second == f"1..{len(json.loads(check('gitlab')))}"
    assert others and all(re.fullmatch(r"not ok \d+ - [a-z-]+ web\.yaml:\d+", line) for line in others)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_all_that_is_asked_of_one(name: str) -> None:
    format = report_formats.load(name)
    assert format.ERRORS in ("backslashreplace", "surrogateescape") and isinstance(format.FOR_PEOPLE, bool)
    assert callable(format.write) and format.__doc__, "its first line says what it is"
    assert f"`{name}`" in (ROOT / "docs" / "reports.md").read_text(), "docs/reports.md names it in its table"


def test_the_worst_levels_come_first_where_not_all_have_room(harden: Harden, tmp_path: Path) -> None:
    files = {f"a{n:02}.yaml": DEPLOYMENT.replace("web", f"web-{n}") for n in range(60)}
    pod = "      hostPID: true\n      containers:\n"
    write(tmp_path, files | {"z.yaml": DEPLOYMENT.replace("web", "debug").replace("      containers:\n", pod)})
    commit(tmp_path)
    text = harden("check", "--max-grade", "safe", "--format", "markdown").out
    section = text.partition("Pod Security levels</summary>")[2].partition("\n### ")[0]
    first, *others = re.findall(r"^  - .*", section, re.M)
    assert "z.yaml:1 Deployment/debug" in first
    note = re.search(
        r"^\*The first (\d+) are shown, since this part has room for \d+ characters. (\d+) more: (.*)\.\*$",
        section,
        re.M,
    )
    assert note and int(note[1]) == len(others) + 1 and int(note[1]) + int(note[2]) == 61
    assert note[3] == "`harden check . --max-grade safe` shows them"


def test_a_comment_begins_with_pass_or_fail_and_why(harden: Harden, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2-Xk29s}\n"
    write(tmp_path, {"web.yaml": DEPLOYMENT, "db.yaml": secret})
    commit(tmp_path)
    text = harden("check", "--format", "markdown", "--fail-on", "critical").out
    head = text.partition("\n### ")[0]
    assert head.startswith("<!-- harden -->\n## harden: check failed\n\n**1 of ")
    assert re.search(
        r"^### Fails the check\n\n- \*\*critical\*\* `secret-object-external` at `db\.yaml:4` Secret/db: ", text, re.M
    )
    pending = harden("check", "--format", "markdown", "--max-grade", "review").out
    assert re.search(r"\*\*\d+ changes are pending; \d of \d findings is critical\*\*", pending)
    well_formed(text)


def test_a_comment_lists_the_changes_by_workload(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARDEN_DOCS", "https://git.example.com/o/r/blob/main/docs")
    write(tmp_path, {"web.yaml": DEPLOYMENT, "api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tmp_path)
    text = harden("check", "--format", "markdown").out
    head = "| workload | change | grade | risk | why |\n|---|---|---|---|---|\n"
    table = text.partition(head)[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert [row[0] for row in rows if row[0]][:2] == ["Deployment/api", "Deployment/web"]
    link = r"\[`[\w-]+`\]\(https://git\.example\.com/o/r/blob/main/docs/transforms/[\w-]+\.md\)( x \d+)?"
    assert rows and all(re.fullmatch(link, row[1]) and re.fullmatch(r"K\d\d", row[3]) and row[4] for row in rows)
