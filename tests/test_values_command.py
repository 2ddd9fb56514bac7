"""``harden values``, and ``check`` and ``diff`` of a chart: what they write, what they say, and what they refuse."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from hardener.commands import values
from hardener.commands.values import Release, target_of
from hardener.engine.given_options import GivenOptions
from hardener.errors import InputError
from hardener.report import formats

from . import helm
from .chart_places import of_folder
from .conftest import ROOT, Done, commit, git, run, snapshot, write
from .shown import block, blocks, hold, read, shell

CHART = ROOT / "golden/charts/shop/before/shop"
PRODUCTION = 'image:\n  tag: "1.5"\nserviceAccount:\n  automount: false\n'
PAGE = "docs/helm.md"
SCHEMA = json.loads((ROOT / "hardener/report/schema.json").read_text(encoding="utf-8"))


def chart_in(folder: Path) -> Path:
    """A repository with the chart and a file of values of its user."""
    shutil.copytree(CHART, folder / "chart")
    write(folder, {"production.yaml": PRODUCTION})
    commit(folder)
    return folder


def harden(*arguments: str, cwd: Path, major: int = 3) -> Done:
    return run(*arguments, "--helm-program", str(helm.downloaded(major)), cwd=cwd)


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``diff`` of the chart prints in each format."""
    helm.program(3)
    folder = chart_in(tmp_path_factory.mktemp("looked"))
    before = snapshot(folder)
    kept: list[Any] = []  # one run for all formats

    def look(*arguments: Any) -> Any:
        kept[:] = kept or [values.read_or_rendered(*arguments)]
        return kept[0]

    found = {}
    for name in formats.NAMES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hardener.commands.diff.read_or_rendered", look)
            done = harden("diff", "chart", "--format", name, cwd=folder)
        assert done.status == 1, done.err
        found[name] = done.out
    assert snapshot(folder) == before
    return found


# The page.


@pytest.mark.helm
def test_the_page(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """docs/helm.md: its commands, one after the other, and what they print and write."""
    path = str(helm.program(3).parent)
    folder = chart_in(tmp_path)
    first, render = blocks(PAGE, "sh", "A first run")
    said = shell(first, folder, path=path)
    part = re.search(r"^Values: .*?\n\n", said, re.M | re.S)
    assert part is not None, said
    hold(request, PAGE, fenced("text", "A first run"), f"```text\n{part[0].rstrip()}\n```\n")
    made = (folder / "harden-values.yaml").read_text(encoding="utf-8").rstrip()
    hold(request, PAGE, fenced("yaml", "A first run"), f"```yaml\n{made}\n```\n")
    assert "allowPrivilegeEscalation: false" in shell(render, folder, path=path)
    checked = shell(block(PAGE, "sh", "In a pipeline"), folder, path=path)
    left = re.search(r"^  medium K01 no-privilege-escalation .*\n.*\n", checked, re.M)
    assert left is not None, checked
    hold(request, PAGE, fenced("text", "What values do not reach"), f"```text\n{left[0]}```\n")
    assert checked.startswith("check passed")
    shell("git init -q .", folder, path=path)
    shell(block(PAGE, "sh", "A chart of your own"), folder, path=path)
    assert block(PAGE, "text", "A chart of your own").strip() in (folder / "lines.patch").read_text(encoding="utf-8")
    (folder / "harden-values.yaml").unlink()
    assert "+++ b/harden-values.yaml" in shell(
        block(PAGE, "sh", "Which values, and where they are written"), folder, path=path
    )
    edited = (folder / "production.yaml").read_text(encoding="utf-8")
    assert edited.startswith('image:\n  tag: "1.5"\n') and "allowPrivilegeEscalation: false" in edited


def fenced(language: str, heading: str) -> str:
    return f"```{language}\n{block(PAGE, language, heading)}```\n"


# Formats.


@pytest.mark.helm
def test_json_has_the_keys(looked: dict[str, str]) -> None:
    report: dict[str, Any] = json.loads(looked["json"])
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["chart"] == "chart"
    (one,) = (each for each in report["values"] if each["key"] == ["sessions", "resources", "limits", "cpu"])
    assert one == {
        "key": ["sessions", "resources", "limits", "cpu"], "value": "1", "release": None, "transforms": ["cpu-limit"],
        "objects": ["StatefulSet/release-cache"],
    }  # fmt: skip


@pytest.mark.helm
def test_people_see_the_keys(looked: dict[str, str]) -> None:
    for format in ("markdown", "html"):
        assert re.search(r"Values</h2>|### Values: 12 keys", looked[format])
        assert "sessions.resources.limits.cpu = " in looked[format]
        assert re.search("[Cc]hart (`chart`|chart) as helm renders it", looked[format])


@pytest.mark.helm
def test_a_pending_change_names_its_keys_and_its_line_in_the_template(looked: dict[str, str]) -> None:
    line = 1 + (CHART / "templates/deployment.yaml").read_text(encoding="utf-8").splitlines().index(
        "          resources:"
    )
    for format in ("github", "rdjson", "gitlab", "junit", "sarif"):
        text = looked[format]
        assert "harden values would set " in text and "harden apply" not in text, format
        assert ", by the value securityContext.allowPrivilegeEscalation." in text, format
    assert f'"chart/templates/deployment.yaml", "lines": {{"begin": {line}' in looked["gitlab"]
    assert ElementTree.fromstring(looked["junit"]).tag == "testsuites"


@pytest.mark.helm
def test_a_place_of_sarif_is_one_of_the_template(looked: dict[str, str]) -> None:
    lines: dict[str, list[str]] = {}
    (found,) = json.loads(looked["sarif"])["runs"]
    for result in found["results"]:
        assert "fixes" not in result and "primaryLocationLineHash" in result["partialFingerprints"]
        place = result["locations"][0]["physicalLocation"]
        name, region = place["artifactLocation"]["uri"], place["region"]
        text = lines.setdefault(name, (CHART.parent / name.replace("chart/", "shop/", 1)).read_text().split("\n"))
        line = text[region["startLine"] - 1]
        assert (region["startColumn"], region["endColumn"]) == (len(line) - len(line.lstrip()) + 1, len(line) + 1)


@pytest.mark.helm
def test_the_patch_makes_the_file(looked: dict[str, str], tmp_path: Path) -> None:
    folder = chart_in(tmp_path)
    subprocess.run(["git", "apply"], input=looked["patch"], text=True, cwd=folder, check=True)
    assert (
        yaml.safe_load((folder / "harden-values.yaml").read_text(encoding="utf-8"))["resources"]["limits"]["cpu"] == "1"
    )


# Again, and with the file.


@pytest.mark.helm
@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("upto", "keys", "said"),
    [((), 12, "10 guesses, 16 findings"), (("--max-grade", "guess"), 15, "23 findings")],
    ids=["", "with guesses"],
)
def test_the_file_given_back_leaves_nothing_to_do(tmp_path: Path, upto: tuple[str, ...], keys: int, said: str) -> None:
    helm.program(4)
    folder = chart_in(tmp_path)
    done = harden("values", "chart", *upto, cwd=folder, major=4)
    assert done.status == 0
    assert f"through {keys} keys of values" in done.out and "1 edit of Deployment/release-web" in done.out
    assert "next: give harden-values.yaml to helm" in done.out and done.out.endswith("undo: rm -- harden-values.yaml\n")
    assert re.search("harden check chart .*--values harden-values.yaml -v lists them", done.out)
    before = snapshot(folder)
    again = harden("values", "chart", *upto, cwd=folder, major=4)
    assert (again.status, again.out.splitlines()[0]) == (
        0, f"changed nothing: the file of values is as it has to be; {said}"
    )  # fmt: skip
    assert "makes them" not in again.out and snapshot(folder) == before
    without = harden("check", "chart", *upto, cwd=folder, major=4)
    assert without.status == 1 and "harden-values.yaml has these values" in without.out
    assert harden("check", "chart", *upto, "-f", "harden-values.yaml", cwd=folder, major=4).status == 0


@pytest.mark.helm
def test_what_an_earlier_file_lacks_is_added_to_it(tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    write(folder, {"harden-values.yaml": "# Overrides of harden for the chart\nresources:\n  limits:\n    cpu: 2\n"})
    done = harden("diff", "chart", "-f", "./harden-values.yaml", "--no-pager", cwd=folder)
    assert done.status == 1
    assert not [line for line in done.all.splitlines() if re.match("-(?!--)", line)], "nothing of it goes"
    checked = harden(
        "check", "chart", "-f", "harden-values.yaml", "--set", "network-policy.prune-managed=true", cwd=folder
    )
    (command,) = re.findall(r"(harden values .*) makes them", checked.out)
    assert "--in-place harden-values.yaml" in command and "--option network-policy.prune-managed=true" in command
    assert run(*command.split()[1:], cwd=folder).status == 0
    assert "    cpu: 2\n" in (folder / "harden-values.yaml").read_text(encoding="utf-8")


@pytest.mark.helm
def test_a_packed_chart_is_hardened_beside_itself(tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    homes = helm.Helm(helm.downloaded(3), tmp_path / "homes")
    assert homes("package", "chart", "-d", "packed", cwd=folder).returncode == 0
    done = harden("values", "packed/shop-1.0.0.tgz", "--quiet", cwd=folder)
    assert done.status == 0 and (folder / "packed/harden-values.yaml").is_file()


PROBE = """\
apiVersion: v1
kind: Pod
metadata: {name: probe, annotations: {helm.sh/hook: test}}
spec:
  containers:
    - name: probe
      image: registry.example/probe:1.0
      resources: {{- toYaml .Values.resources | nindent 8 }}
"""


@pytest.mark.helm
@pytest.mark.parametrize("asked", [False, True])
def test_hooks_that_helm_test_runs_are_left_out_unless_asked_for(asked: bool, tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    config = {".harden.yaml": "helm: {tests: true}\n"} if asked else {}
    write(folder, {"chart/templates/tests/probe.yaml": PROBE, **config})
    found = json.loads(harden("diff", "chart", "--format", "json", cwd=folder).out)
    met = {each["object"]["name"] for kind in ("changes", "findings") for each in found[kind] if each.get("object")}
    assert "release-web" in met and ("probe" in met) is asked


@pytest.mark.helm
@pytest.mark.sampled(2)
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_lines_for_own_templates_are_written_where_somebody_asks(ends: str, tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    for name in ("values.yaml", "templates/deployment.yaml"):
        path = folder / "chart" / name
        path.write_bytes(path.read_bytes().replace(b"\n", ends.encode()))
    git(folder, "commit", "-qam", "ends of lines")
    asked = ("values", "chart", "-f", "production.yaml", "--templates")
    done = harden(*asked, "--yes", cwd=folder)
    assert done.status == 0 and "new lines in templates/deployment.yaml, values.yaml make more: " in done.err
    assert "the patch of templates" not in done.out and "hardened 3 files" in done.out
    assert "git restore -- chart/templates/deployment.yaml chart/values.yaml && rm -- harden-values.yaml" in done.out
    changed = git(folder, "diff", "--stat", "--numstat").stdout.decode().splitlines()
    assert {line.split("\t")[2]: line.split("\t")[1] for line in changed if "\t" in line} == {
        "chart/templates/deployment.yaml": "0", "chart/values.yaml": "0"
    }, "no line goes"  # fmt: skip
    again = harden(*asked, "-f", "harden-values.yaml", "--in-place", "harden-values.yaml", "--yes", cwd=folder)
    assert again.status == 0 and "no line of a template makes more" in again.err, again.all
    assert "changed nothing" in again.out


@pytest.mark.helm
def test_what_does_not_go_with_lines_for_templates_is_one_line(tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    (folder / "chart.tgz").write_bytes(of_folder(folder / "chart"))
    before = snapshot(folder)
    own = ("chart", "-f", "chart/values.yaml", "--in-place", "chart/values.yaml")
    for arguments, said in (
        (("chart", "--template-patch", "x.patch"), "give one of the two"),
        (("chart.tgz",), "--templates edits the templates of a folder"),
        (own, "--templates adds keys to chart/values.yaml: write the overrides elsewhere"),
    ):
        done = harden("values", *arguments, "--templates", "--yes", cwd=folder)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1) and said in done.err, done.all
    assert snapshot(folder) == before


# What is refused, in one line.


def test_a_file_that_harden_did_not_make_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(chart_in(tmp_path))
    write(
        tmp_path,
        {
            "harden-values.yaml": "replicas: 2\n",
            "empty.yaml": "\n",
            "ours.yaml": "# Overrides of harden for the chart chart; helm takes them last:\n",
        },
    )
    for file, said in {
        None: "harden-values.yaml is there, and harden did not make it", "production.yaml": "harden did not make it",
        "chart/values.yaml": "harden did not make it", "chart": "is a folder",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=re.escape(said)):
            target_of("chart", Release(), file, None)
    for file in ("empty.yaml", "ours.yaml", "new/file.yaml"):
        assert target_of("chart", Release(), file, None) == file


def test_where_the_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(chart_in(tmp_path))
    write(tmp_path, {"conf/a.yaml": ""})
    assert target_of("chart", Release(), None, None) == "harden-values.yaml"
    assert (
        target_of("chart/", Release(values=["production.yaml", "conf/a.yaml"]), None, None) == "conf/harden-values.yaml"
    )
    given = Release(values=["./production.yaml"])
    assert target_of("chart", given, None, "production.yaml") == "./production.yaml"
    for arguments, said in (
        ((given, "production.yaml", None), "is one of the values"),
        ((given, "x.yaml", "production.yaml"), "give one of the two"),
        ((Release(), None, "production.yaml"), "name it with -f"),
    ):
        with pytest.raises(InputError, match=said):
            target_of("chart", *arguments)
    monkeypatch.chdir(tmp_path / "chart")
    assert os.path.normpath(target_of(".", Release(), None, None)) == values.FILE


@pytest.mark.helm
def test_a_chart_below_another_is_hardened_beside_the_whole(tmp_path: Path) -> None:
    """helm takes each file in ``charts/`` for a chart. The file of another chart is not written over."""
    helm.program(3)
    folder = chart_in(tmp_path)
    assert harden("values", "chart/charts/cache", "--yes", cwd=folder).status == 0
    made = (folder / "harden-values.yaml").read_bytes()
    assert not list((folder / "chart/charts").glob("*.yaml"))
    done = harden("values", "chart", cwd=folder)
    assert (done.status, done.err.strip()) == (
        2, "harden: harden-values.yaml holds the overrides of another chart: -o makes another file"
    )  # fmt: skip
    assert (folder / "harden-values.yaml").read_bytes() == made


@pytest.mark.helm
@pytest.mark.parametrize("renders", ["1", "2", "4"])
def test_too_few_renders_are_said(renders: str, tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    done = harden("values", "chart", "--renders", renders, cwd=folder)
    assert done.status == 0
    assert "renders were not enough to try all values; --renders N allows more" in done.err
    assert "values do not reach it" in harden("values", "chart", "--renders", renders, "-v", cwd=folder).out


@pytest.mark.helm
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"resources: {}\nresources: {}\n", "duplicate key 'resources'"),
        (b"# \xff\nresources: {}\n", "control characters are not allowed"),
    ],
)
def test_a_file_that_cannot_be_edited_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    """helm takes a key that stands twice."""
    helm.program(3)
    folder = chart_in(tmp_path)
    (folder / "production.yaml").write_bytes(content)
    done = harden("values", "chart", "-f", "production.yaml", "--in-place", "production.yaml", cwd=folder)
    assert done.status == 2 and done.err.startswith("harden: ") and done.err.count("\n") == 1
    assert said in done.err or "UTF-8" in done.err
    assert (folder / "production.yaml").read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "said"),
    {
        ("nowhere",): "harden: nowhere: no such chart",
        (".",): "harden: .: no Chart.yaml in it",
        ("chart", "-f", "nowhere.yaml"): "harden: -f nowhere.yaml: no such file",
        ("chart", "--helm-program", "/nowhere/helm"): "harden: /nowhere/helm is no program: install Helm",
        ("chart", "--helm-program", "/bin/true"): "harden: /bin/true does not answer as helm does: install Helm",
        ("chart", "--profile", "nope"): "harden: unknown profile nope",
    }.items(),
    ids=str,
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run("values", *arguments, cwd=chart_in(tmp_path))
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(said)


@pytest.mark.helm
@pytest.mark.parametrize(
    ("arguments", "said"),
    {
        ("chart", "-f", "broken.yaml"): "chart chart: failed to parse",
        ("chart", "-f", "list.yaml"): "chart chart: failed to parse",
        ("chart", "--set", "resources"): "failed parsing --set",
        ("chart/values.yaml",): "chart/values.yaml is no chart",
    }.items(),
    ids=str,
)
def test_what_helm_refuses_is_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    helm.program(3)
    folder = chart_in(tmp_path)
    write(folder, {"broken.yaml": "a: [\n", "list.yaml": "- a\n"})
    done = harden("values", *arguments, cwd=folder)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err


def test_without_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart_in(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    done = run("values", "chart", cwd=folder)
    assert done.status == 2 and done.err.startswith("harden: helm is not installed: install Helm")
    looked = run("check", "chart", cwd=folder)
    assert looked.status == 0 and "templates are not looked at: helm is not installed" in looked.err
    for command in ("check", "diff"):
        assert run(command, "chart", "-f", "production.yaml", cwd=folder).status == 2


@pytest.mark.parametrize("command", ["check", "diff"])
@pytest.mark.parametrize("paths", [["."], ["chart", "chart"], ["production.yaml"]], ids=str)
def test_how_a_chart_is_rendered_is_for_one_chart(command: str, paths: list[str], tmp_path: Path) -> None:
    done = run(command, *paths, "--release", "shop", cwd=chart_in(tmp_path))
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "are for one chart: name its folder or .tgz" in done.err


BESIDE = {
    "nothing that is hardened": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: example, namespace: shop}\n",
    "a workload": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: beside}\n"
        "spec: {containers: [{name: c, image: 'example.com/c:1', securityContext: {privileged: true}}]}\n"
    ),
}


@pytest.mark.helm
@pytest.mark.parametrize("text", BESIDE.values(), ids=BESIDE.keys())
def test_manifests_beside_the_templates_turn_nothing_off(text: str, tmp_path: Path) -> None:
    helm.program(4)
    folder = chart_in(tmp_path)
    alone = json.loads(harden("diff", "chart", "--format", "json", cwd=folder, major=4).out)
    write(folder, {"chart/examples/one.yaml": text})
    both = json.loads(harden("diff", "chart", "--format", "json", cwd=folder, major=4).out)
    assert [one["key"] for one in both["values"]] == [one["key"] for one in alone["values"]] != []
    beside = [one for one in both["changes"] if one["file"].endswith("one.yaml")]
    assert bool(beside) == ("kind: Pod" in text)
    checked = harden("check", "chart", cwd=folder, major=4)
    assert checked.status == 1 and "manifests lie beside its templates" in checked.out + checked.err


@pytest.mark.helm
def test_a_chart_of_which_only_others_come_out_is_judged(tmp_path: Path) -> None:
    """The outer one has a packed chart, which has another one below it, and no template."""
    helm.program(4)
    inner = chart_in(tmp_path) / "chart"
    shutil.move(inner, tmp_path / "mid/charts/inner")
    write(tmp_path, {
        "mid/Chart.yaml": "apiVersion: v2\nname: mid\nversion: 1.0.0\n",
        "outer/Chart.yaml": "apiVersion: v2\nname: outer\nversion: 1.0.0\n",
    })  # fmt: skip
    (tmp_path / "outer/charts").mkdir()
    (tmp_path / "outer/charts/mid-1.0.0.tgz").write_bytes(of_folder(tmp_path / "mid"))
    shutil.rmtree(tmp_path / "mid")
    done = harden("check", "outer", cwd=tmp_path, major=4)
    assert done.status == 1 and "changes are pending" in done.out, done.all


@pytest.mark.helm
def test_a_library_is_no_chart_to_render(tmp_path: Path) -> None:
    helm.program(4)
    library = {"lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n", "lib/charts/.x": ""}
    write(tmp_path, {**library, "lib/a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"})
    assert "library" not in run("check", "lib", cwd=tmp_path).all


def test_a_helm_of_the_tree_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart_in(tmp_path)
    write(folder, {"bin/helm": "#!/bin/sh\ntouch started\n"})
    (folder / "bin/helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))
    done = run("values", "chart", cwd=folder)
    assert done.status == 2 and done.err.startswith("harden: helm of PATH lies in the tree that is read: install Helm")
    assert "or name it with --helm-program PATH" in done.err and not (folder / "started").exists()


def test_a_command_for_a_chart_has_the_options_that_values_knows() -> None:
    asked = GivenOptions(
        ("chart",), (("set", ("a.b=c",)), ("since", ("main",)), ("no_waivers", ()), ("in_place", ("a.yaml",)))
    )
    assert asked.command("values") == "harden values chart --option a.b=c --in-place a.yaml"
    assert asked.command("check") == "harden check chart --set a.b=c --since main --no-waivers"


def test_the_page_names_the_limits_of_the_program() -> None:
    from hardener.charts import helm as runner
    from hardener.charts.hardened_chart import MOST_RENDERS

    text = read(PAGE)
    assert f"after {runner.SECONDS:.0f} seconds" in text and f"more than {runner.OUTPUT >> 20} MiB" in text
    assert f"`--renders` ({MOST_RENDERS})" in text and Release().most_renders == MOST_RENDERS
    assert "Helm {}.{} or newer".format(*runner._OLDEST) in text
