"""Which files are read: what Git says of them, test data, what the configuration excludes, links that are given."""

from __future__ import annotations

import json
import os
import shutil
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from hardener import harden_tree
from hardener.errors import InputError
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.report import formats
from hardener.sources import files
from hardener.sources.files.selection import Passed, Selection
from hardener.tree.tree import Settings, Tree

from .conftest import DEPLOYMENT, ROOT, Done, Harden, commit, git, shared, snapshot, write

API = DEPLOYMENT.replace("web", "api")
TEMPLATE = "{{- if .Values.web }}\n" + DEPLOYMENT.replace("1.2.3", "{{ .Values.tag }}")


def below(folder: Path, *, suffixes: tuple[str, ...] = (".yaml",), **settings: object) -> list[str]:
    selection = Selection(str(folder), **settings)  # type: ignore[arg-type]
    return [os.path.relpath(path, folder) for path, _ in selection.below(str(folder), suffixes)]


def evidence(root: Path, *given: str, **settings: object) -> list[str]:
    named = [str(root / name) for name in given]
    selection = Selection(str(root), given=named, **settings)  # type: ignore[arg-type]
    return [os.path.relpath(path, root) for path, _ in selection.everywhere((".yaml",))]


def read(done: Done) -> list[str]:
    """The files that a run in JSON reports changes of."""
    return sorted({change["file"] for change in json.loads(done.out)["changes"]})


# -- what Git says

# Files, ignore files among them; which of them are tracked, whatever these say.
TREES: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing is tracked": ({".gitignore": "out/\n*.tmp\n", "a": "", "out/b": "", "c.tmp": ""}, []),
    "a file that is ignored": ({".gitignore": "*.yaml\n", "a.yaml": "", "b.yaml": "", "d/c.yaml": ""}, ["a.yaml"]),
    "in an ignored folder": ({".gitignore": "out\n", "out/a": "", "out/b": "", "out/d/c": ""}, ["out/d/c"]),
    "beside a folder of a longer name": ({".gitignore": "out\n", "out/a": "", "out-b/c": ""}, ["out-b/c"]),
    "no way back in": ({".gitignore": "out/\n!out/b\n", "out/a": "", "out/b": "", "out/c": ""}, ["out/c"]),
    "a way back in": ({".gitignore": "out/*\n!out/b\n", "out/a": "", "out/b": "", "out/c": ""}, ["out/c"]),
    "a file below": ({".gitignore": "*.y\n", "d/.gitignore": "!a.y\n", "d/a.y": "", "d/b.y": "", "c.y": ""}, ["c.y"]),
    "ignored below": ({"d/.gitignore": "*\n", "d/a": "", "d/e/b": "", "c": ""}, ["d/e/b"]),
    "of one clone": ({".git/info/exclude": "own*\n", "own.a": "", "own.b": "", "c": ""}, ["own.a"]),
    "of one clone, and a way back": ({".git/info/exclude": "*.o\n", ".gitignore": "!a.o\n", "a.o": "", "b.o": ""}, []),
    "lines that are no patterns": ({".gitignore": "!\n\\\nout/\n/\n", "out/a": "", "b": ""}, []),
    "blanks and letters": ({".gitignore": "ö*/\n", "ö x/a ": "", "ö y/b": ""}, ["ö y/b"]),
}


@pytest.mark.parametrize("name", TREES)
def test_read_is_what_git_tracks_or_does_not_ignore(name: str, tmp_path: Path) -> None:
    content, tracked = TREES[name]
    git(tmp_path, "init", "-q")
    write(tmp_path, content)
    for file in tracked:
        assert git(tmp_path, "add", "-f", file).returncode == 0
    done = git(tmp_path, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = sorted(os.fsdecode(entry) for entry in done.stdout.split(b"\0") if entry)
    assert sorted(below(tmp_path, suffixes=("",))) == listed


def test_a_repository_in_it_is_judged_by_its_own_files(tmp_path: Path) -> None:
    inner = {"r/.gitignore": "b.yaml\n", "r/a.yaml": "", "r/b.yaml": "", "r/c.yaml": ""}
    write(tmp_path, {".gitignore": "*.yaml\nz/\n", "top.yaml": "", "z/r/a.yaml": "", **inner})
    for folder in (tmp_path, tmp_path / "r", tmp_path / "z/r"):
        git(folder, "init", "-q")
    assert below(tmp_path) == ["r/a.yaml", "r/c.yaml"]
    git(tmp_path / "r", "add", "-f", "b.yaml")
    assert below(tmp_path) == ["r/a.yaml", "r/b.yaml", "r/c.yaml"]


def test_a_submodule_whose_folder_is_ignored_is_read(tmp_path: Path) -> None:
    write(tmp_path / "sub", {"a.yaml": "", "b.yaml": "", ".gitignore": "b.yaml\n"})
    git(tmp_path / "sub", "init", "-q")
    git(tmp_path / "sub", "add", "a.yaml", ".gitignore")
    git(tmp_path / "sub", "commit", "-qm", "x")
    write(tmp_path / "r", {".gitignore": "vendor/\n", "vendor/x.yaml": ""})
    git(tmp_path / "r", "init", "-q")
    options = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "-f"]
    assert git(tmp_path / "r", *options, str(tmp_path / "sub"), "vendor/sub").returncode == 0
    write(tmp_path / "r/vendor/sub", {"b.yaml": ""})
    assert below(tmp_path / "r") == ["vendor/sub/a.yaml"]


def test_without_git_ignore_files_count_alone(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "out/\n", "out/a.yaml": "", "b.yaml": ""})
    assert below(tmp_path) == ["b.yaml"]


def test_tracked_and_ignored_files_are_hardened_and_said(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "kustomize\n", "kustomize/web.yaml": DEPLOYMENT, "kustomize/notes.md": "x"})
    commit(tmp_path)
    write(tmp_path, {"kustomize/new.yaml": API})
    done = harden("apply", ".", "--skip", "K05")
    assert "allowPrivilegeEscalation" in (tmp_path / "kustomize/web.yaml").read_text()
    assert (tmp_path / "kustomize/new.yaml").read_text() == API
    assert "  1 file in Git is read although ignored: kustomize/web.yaml\n" in done.out


def test_the_finding_about_tracked_files(harden: Harden, tmp_path: Path) -> None:
    source = shared("findings", "tracked-but-ignored")
    write(
        tmp_path,
        {path.relative_to(source).as_posix(): path.read_bytes() for path in source.rglob("*.*") if path.is_file()},
    )
    commit(tmp_path)
    assert "kustomize/web.yaml" in read(harden("diff", ".", "--format", "json"))


# -- test data

DATA = {
    f"{folder}/x.yaml": DEPLOYMENT.replace("web", f"x{number}")
    for number, folder in enumerate(["testdata", "a/fixtures/deep", "a/b/golden", "node_modules/p", "mine/before"])
} | {"mine/findings.txt": "", "golden-images/x.yaml": DEPLOYMENT, "a/web.yaml": DEPLOYMENT}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["."], ["a/web.yaml", "golden-images/x.yaml"]),
        (["a"], ["a/web.yaml"]),
        (["testdata"], ["testdata/x.yaml"]),
        (["a/fixtures"], ["a/fixtures/deep/x.yaml"]),
        (["a/fixtures/deep"], ["a/fixtures/deep/x.yaml"]),
        (["a/fixtures/deep/x.yaml"], ["a/fixtures/deep/x.yaml"]),
        (["node_modules/p"], ["node_modules/p/x.yaml"]),
        (["mine"], ["mine/before/x.yaml"]),
        (["a", "a/b/golden/x.yaml"], ["a/b/golden/x.yaml", "a/web.yaml"]),
        (["*/fixtures"], ["a/fixtures/deep/x.yaml"]),
        ([str(ROOT / "examples")], []),
    ],
)
def test_test_data_is_read_where_it_is_named(
    given: list[str], expected: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, DATA)
    git(tmp_path, "init", "-q")
    found = read(harden("diff", *given, "--format", "json", "--skip", "K05"))
    assert [name for name in found if not name.startswith("..")] == expected


def test_names_above_the_given_path_do_not_count(harden: Harden, tmp_path: Path) -> None:
    repository = tmp_path / "fixtures/golden/repo"
    write(repository, {"k8s/web.yaml": DEPLOYMENT, "k8s/testdata/api.yaml": API})
    commit(repository)
    for place in (repository, repository / "k8s"):
        done = harden("diff", ".", "--format", "json", "--skip", "K05", cwd=place)
        assert [os.path.basename(name) for name in read(done)] == ["web.yaml"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["."], "5 files are test data (a/b/golden, a/fixtures, mine and 2 more)"),
        (["a"], "2 files are test data (a/b/golden, a/fixtures)"),
        ([".", "testdata"], "4 files are test data (a/b/golden, a/fixtures, mine and 1 more)"),
        (["a", "a/b/golden/x.yaml"], "1 file is test data (a/fixtures)"),
        ([".", "a"], "5 files are test data (a/b/golden, a/fixtures, mine and 2 more)"),
        (["testdata"], None),
        (["golden-images"], None),
    ],
)
def test_one_line_says_how_much_and_where(given: list[str], line: str | None, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, DATA)
    commit(tmp_path)
    out = harden("diff", *given).all
    assert (f"  left out unless named: {line}\n" in out) if line else ("left out" not in out)


def test_a_folder_of_that_name_without_a_manifest_is_no_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "golden/a.png": "", "fixtures/b/c.txt": ""})
    assert "left out" not in harden("diff", ".").all


def test_what_is_ignored_is_not_counted_as_test_data(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "node_modules/p/package.json": "{}", ".gitignore": "node_modules\n"})
    git(tmp_path, "init", "-q")
    assert "left out" not in harden("diff", ".").all


def test_no_end_of_files_is_counted(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardener.sources.files.selection._MOST_COUNTED", 3)
    write(tmp_path, {"web.yaml": DEPLOYMENT, **{f"testdata/{number}.yaml": "" for number in range(9)}})
    assert "left out unless named: at least 3 files are test data (testdata)\n" in harden("diff", ".").all


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["."], ["web.yaml"]),
        (["web.yaml"], ["web.yaml"]),
        (["testdata/a"], ["testdata/a/x.yaml", "testdata/b/x.yaml", "web.yaml"]),
        (["testdata/a/x.yaml"], ["testdata/a/x.yaml", "testdata/b/x.yaml", "web.yaml"]),
        (["app/fixtures"], ["app/fixtures/x.yaml", "web.yaml"]),
    ],
)
def test_test_data_is_no_evidence_beside_what_is_named(given: list[str], expected: list[str], tmp_path: Path) -> None:
    names = ["testdata/a/x.yaml", "testdata/b/x.yaml", "testdata/a/golden/x.yaml", "app/fixtures/x.yaml", "web.yaml"]
    write(tmp_path, dict.fromkeys(names, ""))
    assert sorted(evidence(tmp_path, *given)) == expected


def test_an_object_in_test_data_decides_nothing(harden: Harden, tmp_path: Path) -> None:
    account = DEPLOYMENT.replace("    spec:\n", "    spec:\n      serviceAccountName: web\n")
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}\n"
        "subjects:\n- {kind: ServiceAccount, name: web}\n"
    )
    for folder, token in (("rbac", True), ("testdata", False)):
        write(tmp_path / folder, {"web.yaml": account, f"{folder}/binding.yaml": binding})
        commit(tmp_path / folder)
        out = harden("diff", "web.yaml", cwd=tmp_path / folder).all
        assert ("projected-token" in out) == token


def test_sources_and_dockerfiles_in_test_data_are_not_listed(tmp_path: Path) -> None:
    write(
        tmp_path, {"Dockerfile": "FROM x\n", "testdata/Dockerfile": "FROM y\n", "src/fixtures/a.go": "", "src/b.go": ""}
    )
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert [os.path.relpath(path, tmp_path) for path in tree.ask(RepositoryFiles).paths] == ["Dockerfile", "src/b.go"]


def test_a_kustomization_may_take_in_test_data(tmp_path: Path) -> None:
    write(tmp_path, {"kustomization.yaml": "resources: [testdata/api.yaml]\n", "testdata/api.yaml": API})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert [(item.name, item.editable) for item in tree.objects] == [("api", False)]


def test_nothing_is_left_out_where_the_settings_say_so(tmp_path: Path) -> None:
    write(tmp_path, DATA)
    tree = Tree.read([str(tmp_path)], root=str(tmp_path), settings=Settings(test_data=frozenset()))
    assert len(tree.objects) == len(DATA) - 1 and all(item.editable for item in tree.objects)
    assert not tree.left_out or {one.id for one in tree.left_out} == {"other-ending"}


# -- exclude

CONFIG = ".harden.yaml"
EXCLUDED = {"legacy/a.yaml": API, "app/legacy/b.yaml": API, "app/c.gen.yaml": API, "app/web.yaml": DEPLOYMENT}


@pytest.mark.parametrize(
    ("patterns", "given", "expected"),
    [
        ("[legacy/]", ["."], ["app/c.gen.yaml", "app/web.yaml"]),
        ("[/legacy]", ["."], ["app/c.gen.yaml", "app/legacy/b.yaml", "app/web.yaml"]),
        ("['*.gen.yaml', '**/legacy/**']", ["."], ["app/web.yaml"]),
        ("['app/*', '!app/web.yaml']", ["."], ["app/web.yaml", "legacy/a.yaml"]),
        ("[legacy/]", ["legacy"], ["legacy/a.yaml"]),
        ("[legacy/]", ["legacy/a.yaml"], ["legacy/a.yaml"]),
        ("[app/]", ["app/legacy"], ["app/legacy/b.yaml"]),
        ("['*.gen.yaml']", ["app"], ["app/legacy/b.yaml", "app/web.yaml"]),
        ("['*.gen.yaml']", ["app", "app/c.gen.yaml"], ["app/c.gen.yaml", "app/legacy/b.yaml", "app/web.yaml"]),
        ("[]", ["legacy"], ["legacy/a.yaml"]),
        ("", ["legacy"], ["legacy/a.yaml"]),
    ],
)
def test_what_the_configuration_excludes_is_read_where_it_is_named(
    patterns: str, given: list[str], expected: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {**EXCLUDED, CONFIG: f"exclude: {patterns}\n"})
    commit(tmp_path)
    assert read(harden("diff", *given, "--format", "json", "--skip", "K05")) == expected


def test_the_line_names_what_is_excluded(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {**EXCLUDED, "testdata/x.yaml": API, CONFIG: "exclude: [legacy/, '*.gen.yaml']\n"})
    commit(tmp_path)
    line = (
        "  left out unless named: 1 file is test data (testdata); "
        "3 files are excluded by the configuration (app/c.gen.yaml, app/legacy, legacy)\n"
    )
    assert line in harden("diff", ".").all


def test_what_is_excluded_is_evidence(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, EXCLUDED)
    assert evidence(tmp_path, ".", exclude=["legacy/"]) == sorted(EXCLUDED)
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
    )
    caller = DEPLOYMENT.replace("web", "old") + "        env: [{name: WEB, value: 'http://web:80'}]\n"
    write(tmp_path, {"app/service.yaml": service, "legacy/old.yaml": caller, CONFIG: "exclude: [legacy/]\n"})
    commit(tmp_path)
    assert harden("apply", ".", "--only", "netpol-workload").status == 0
    (policies,) = (tmp_path / "app").glob("harden-*.yaml")
    assert "app: old" in policies.read_text()
    assert (tmp_path / "legacy/old.yaml").read_text() == caller


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("legacy/", ":2: exclude is a list of patterns as in .gitignore: exclude: [legacy/, '*.gen.yaml']"),
        ("{legacy: true}", ":2: exclude is a list of patterns as in .gitignore: exclude: [legacy/, '*.gen.yaml']"),
        ("[a, 7]", ":2: exclude: '7' is no pattern as in .gitignore: write a name, a path or a pattern, as text"),
        ("[a, '']", ":2: exclude: '' is no pattern as in .gitignore: write a name, a path or a pattern, as text"),
        (
            "\n- a\n- [b]",
            ":4: exclude: \"['b']\" is no pattern as in .gitignore: write a name, a path or a pattern, as text",
        ),
        ("['!']", ":2: exclude: '!' is no pattern as in .gitignore"),
        ("['#a']", ":2: exclude: '#a' fits no file: it is read as a line of .gitignore"),
        ("[../x]", ":2: exclude: '../x' leads out of the repository: patterns are seen from its root"),
        (f"[{'a' * 1001}]", "is longer than 1000 characters"),
    ],
)
def test_a_wrong_pattern_is_a_mistake_with_its_line(text: str, message: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, CONFIG: f"# what is not ours\nexclude: {text}\n"})
    done = harden("diff", ".")
    assert (done.status, done.out) == (2, "")
    assert message in done.err and done.err.startswith(f"harden: {CONFIG}:") and done.err.count("\n") == 1


def test_test_data_and_what_is_excluded_are_copied_all_the_same(harden: Harden, tmp_path: Path) -> None:
    write(
        tmp_path / "r", {**EXCLUDED, "testdata/x.yaml": API, CONFIG: "exclude: [legacy/]\n", "node_modules/p/a.js": ""}
    )
    commit(tmp_path / "r")
    assert harden("apply", ".", "--output-dir", "../out", "--skip", "K05", cwd=tmp_path / "r").status == 0
    assert sorted(snapshot(tmp_path / "out")) == sorted([*EXCLUDED, "testdata/x.yaml", CONFIG])
    assert (tmp_path / "out/testdata/x.yaml").read_text() == API


# -- links that are given

COMMANDS = [["apply"], ["diff"], ["check"], ["graph"], ["images"], ["lock", "--frozen"], ["baseline", "write"]]


def _linked(folder: Path) -> Path:
    """A repository with links to what is in it, and to what is not; and one to itself."""
    root = folder / "repo"
    write(root, {"k8s/web.yaml": DEPLOYMENT, "app/base/api.yaml": API})
    write(folder, {"else/deep/db.yaml": API, "other/x.yaml": API})
    commit(root)
    commit(folder / "other")
    (folder / "way").symlink_to("repo")
    for name, target in {
        "file.yaml": "k8s/web.yaml", "folder": "app", "out": "../else", "out.yaml": "../else/deep/db.yaml",
        "app/inner": "../k8s", "gone.yaml": "nowhere.yaml", "loop.yaml": "loop.yaml", "repository": "../other",
    }.items():  # fmt: skip
        (root / name).symlink_to(target)
    return root


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("file.yaml", "file.yaml: a symbolic link, which is not followed; name what it leads to: {}/repo/k8s/web.yaml"),
        ("folder", "folder: a symbolic link, which is not followed; name what it leads to: {}/repo/app"),
        ("folder/", "folder/: a symbolic link, which is not followed; name what it leads to: {}/repo/app"),
        ("./folder/.", "./folder/.: a symbolic link, which is not followed; name what it leads to: {}/repo/app"),
        ("out", "out: a symbolic link, which is not followed; name what it leads to: {}/else"),
        ("out/deep", "out/deep: the link out leads out of the repository; name what it leads to: {}/else/deep"),
        ("out/deep/db.yaml", "the link out leads out of the repository; name what it leads to: {}/else/deep/db.yaml"),
        (
            "repository/x.yaml",
            "the link repository leads out of the repository; name what it leads to: {}/other/x.yaml",
        ),
        ("*.yaml", "file.yaml: a symbolic link"),
        (
            "gone.yaml",
            "gone.yaml: a symbolic link, which is not followed; it leads to {}/repo/nowhere.yaml, which is not there",
        ),
        (
            "loop.yaml",
            "loop.yaml: a symbolic link, which is not followed; it leads to {}/repo/loop.yaml, which is not there",
        ),
        ("out/deep/../../../else/gone.yaml", "the link out leads out of the repository"),
        ("../way", "../way: a symbolic link, which is not followed; name what it leads to: {}/repo"),
        ("gone", "gone: no such file or folder"),
        ("", "a path is empty"),
    ],
)
def test_a_link_that_is_given_is_refused(given: str, message: str, harden: Harden, tmp_path: Path) -> None:
    root = _linked(tmp_path)
    before = snapshot(tmp_path)
    done = harden("apply", given, cwd=root)
    assert (done.status, done.out) == (2, "")
    assert message.format(os.path.realpath(tmp_path)) in done.err and done.err.count("\n") == 1
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("given", ["file.yaml", "out/deep"])
def test_every_command_refuses_it(command: list[str], given: str, harden: Harden, tmp_path: Path) -> None:
    done = harden(*command, given, cwd=_linked(tmp_path))
    assert (done.status, done.out) == (2, "") and f"harden: {given}: " in done.err
    with pytest.raises(InputError, match="link"):
        files.expand([str(tmp_path / "repo" / given)])


@pytest.mark.parametrize("command", ["verify", "accept"])
def test_golden_cases_are_not_looked_for_behind_a_link(command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"golden/web/before/web.yaml": DEPLOYMENT})
    (tmp_path / "link").symlink_to("golden")
    done = harden("golden", command, "link")
    assert (done.status, done.out) == (2, "") and "harden: link: a symbolic link" in done.err
    assert [path.name for path in (tmp_path / "golden/web").iterdir()] == ["before"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("app/inner/web.yaml", "repo/k8s/web.yaml"),
        ("folder/base", "repo/app/base"),
        ("../way/k8s", "repo/k8s"),
        ("../way/app/inner/web.yaml", "repo/k8s/web.yaml"),
        ("../way/../way/k8s/", "repo/k8s"),
        ("folder/../k8s", "repo/k8s"),
        ("../else/deep", "else/deep"),
        (".", "repo"),
        ("k8s/.", "repo/k8s"),
    ],
)
def test_links_above_the_repository_and_within_it_do_not_count(
    given: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(_linked(tmp_path))
    assert files.expand([given]) == [os.path.realpath(tmp_path / expected)]
    assert files.expand([str(Path.cwd() / given)]) == [os.path.realpath(tmp_path / expected)]


def test_links_met_on_the_way_are_said_and_not_followed(harden: Harden, tmp_path: Path) -> None:
    root = _linked(tmp_path)
    (root / "prog.py").symlink_to("../else/prog.py")
    before = snapshot(tmp_path / "else")
    done = harden("apply", ".", "-v", cwd=root)
    assert snapshot(tmp_path / "else") == before
    said = {line.split()[-1] for line in done.out.splitlines() if " symbolic-link  " in line}
    assert said == {"out:1", "out.yaml:1", "prog.py:1", "repository:1"}
    assert done.out.count("a symbolic link out of the tree: name its target to have it hardened") == 4


# -- a run that read nothing

NOTHING: dict[str, tuple[dict[str, str | bytes], str]] = {
    "no file": ({}, "there is no file"),
    "ignored": ({".gitignore": "out/\n*.gen.yaml\n", "out/a.yaml": DEPLOYMENT, "b.gen.yaml": DEPLOYMENT},
                "1 file and 1 folder are ignored by Git (b.gen.yaml, out); 1 file ends in none of "),
    "a template": ({"a.yaml": TEMPLATE, "b.yaml": TEMPLATE}, "2 files are templates and no manifests yet"),
    "templates of a chart": ({"Chart.yaml": "", "templates/a.yaml": DEPLOYMENT, "templates/b.yaml": DEPLOYMENT},
                             "2 files are templates and no manifests yet; 1 file holds no Kubernetes object"),
    "too large": ({"a.yaml": DEPLOYMENT + "#" * (2 << 20)}, "1 file is larger than 64 MiB"),
    "wrong ending": ({"a.yaml.tpl": DEPLOYMENT, "b.txt": DEPLOYMENT}, "2 files end in none of .yaml, .yml, .json, "),
    "not UTF-8": ({"a.yaml": DEPLOYMENT.encode() + b"# \xe9\n"}, "1 file is not UTF-8"),
    "test data": ({"testdata/a.yaml": DEPLOYMENT}, "1 file is test data (testdata)"),
    "excluded": ({CONFIG: "exclude: [k8s/]\n", "k8s/a.yaml": DEPLOYMENT},
                 "1 file is excluded by the configuration (k8s)"),
    "in Git, ignored, and excluded": ({".gitignore": "k8s\n", CONFIG: "exclude: [k8s/]\n", "k8s/a.yaml": DEPLOYMENT},
                                      "1 file is excluded by the configuration (k8s)"),
    "nothing of Kubernetes": ({"a.yaml": "a: 1\n", "b.json": "{}", "c.sh": "ls\n", "d.tf": "a = 1\n", "e.py": ""},
                              "5 files hold no Kubernetes object"),
    "tests in Python": ({"tests/test_a.py": "x = 1\n"}, "1 file is Python for tests, or generated"),
    "broken": ({"a.yaml": "apiVersion: v1\nkind: Pod\n  x: [\n"}, "1 file holds no document that can be parsed"),
    "encrypted": ({"a.yaml": DEPLOYMENT + "sops: {mac: x, version: '3'}\n"},
                  "1 file is encrypted by SOPS"),
    "of another tool": ({".terraform/a.yaml": DEPLOYMENT}, "1 folder belongs to another tool (.terraform)"),
}  # fmt: skip


def _nothing(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    content, reason = NOTHING[name]
    git(folder, "init", "-q")
    write(folder, content)
    if name.startswith("in Git"):
        git(folder, "add", "-Af")
    if name == "too large":
        monkeypatch.setattr(files, "MAX_BYTES", 2 << 20)
    if name == "templates of a chart":
        git_alone = folder.parent / "git-alone"  # where helm is at hand, the chart would be rendered
        git_alone.mkdir()
        (git_alone / "git").symlink_to(str(shutil.which("git")))
        monkeypatch.setenv("PATH", str(git_alone))
    return reason


@pytest.mark.parametrize("name", NOTHING)
def test_a_run_that_read_nothing_says_why(
    name: str, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = _nothing(name, tmp_path, monkeypatch)
    done = harden("check", ".")
    assert f"\n  nothing was read: {reason}" in done.out
    said = f"check failed: nothing was read (--allow-empty accepts this): {reason}"
    assert (done.status, done.out.startswith(said)) == (2, True)
    done = harden("check", ".", "--allow-empty")
    assert (done.status, done.out.startswith(f"nothing was checked: {reason}")) == (0, True)
    assert f"  nothing was read: {reason}" in harden("apply", ".", "--quiet").out


def capital(text: str) -> str:
    """As the page begins a sentence."""
    return text[:1].upper() + text[1:]


@pytest.mark.parametrize("format", formats.NAMES)
def test_every_format_says_it(format: str, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = f"nothing was read: {_nothing('not UTF-8', tmp_path, monkeypatch)}"
    done = harden("check", ".", "--format", format)
    shown = done.all
    assert (capital(reason) if format == "html" else reason) in shown.replace("\\", "")
    if format == "json":
        report = json.loads(done.out)
        assert report["notes"] == [{"id": "nothing-read", "message": reason}]
        assert [(one["reason"], one["files"]) for one in report["leftOut"]] == [("not-utf-8", 1)]
    elif format == "sarif":
        (note,) = json.loads(done.out)["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        assert (note["level"], note["message"]["text"]) == ("warning", reason)
    elif format == "junit":
        suite = next(suite for suite in xml.fromstring(done.out) if suite.get("name") == "harden")
        assert [case.find("skipped").get("message") for case in suite] == [reason]  # type: ignore[union-attr]
        assert int(xml.fromstring(done.out).get("tests", 0)) == 2  # and the finding
    elif format == "github":
        assert done.out.startswith("::warning title=harden%3A nothing-read::")


@pytest.mark.parametrize("format", formats.NAMES)
def test_every_format_says_what_is_left_out(format: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "testdata/api.yaml": API})
    done = harden("diff", ".", "--format", format)
    shown = done.all
    said = "left out unless named: 1 file is test data (testdata)"
    assert shown.count(capital(said) if format == "html" else said) == 1


@pytest.mark.parametrize("command", [["graph"], ["images"], ["lock", "--frozen"], ["baseline", "write"]], ids=" ".join)
def test_other_commands_say_it_beside_their_output(command: list[str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"testdata/api.yaml": API})
    done = harden(*command, ".")
    assert done.err == "harden: nothing was read: 1 file is test data (testdata)\n"


def test_a_program_gets_it_as_notes(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "testdata/api.yaml": API})
    (note,) = harden_tree(tmp_path).notes
    assert note.startswith("left out unless named: 1 file is test data (") and note.endswith("/testdata)")


def test_a_secret_in_the_name_of_a_folder_is_masked(harden: Harden, tmp_path: Path) -> None:
    token = "ghp_" + "aB3dE6gH9j" * 3 + "kLmN12"
    write(tmp_path, {f"{token}/testdata/api.yaml": API})
    done = harden("check", ".")
    assert "1 file is test data" in done.out and token not in done.all


@pytest.mark.parametrize(
    "content",
    [
        {"kustomization.yaml": "resources: []\n"},
        {"a.yaml": DEPLOYMENT, "b.yaml": TEMPLATE},
        {"main.tf": 'resource "aws_eks_cluster" "a" {\n}\n'},
        {"run.sh": "kubectl run a --image=b --privileged\n"},
    ],
)
def test_what_was_read_is_not_called_nothing(content: dict[str, str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, content)
    assert "nothing was" not in harden("check", ".").all


def test_a_stream_has_no_files_to_speak_of(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"testdata/api.yaml": API})
    done = harden("filter", stdin=b"")
    assert "nothing was" not in done.all and "left out" not in done.all


def test_what_stands_twice_counts_once(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a/b/notes.md": "", "a/x.yaml": "a: 1\n", "a/.gitignore": "o/\n", "a/o/z.yaml": ""})
    selection, passed = Selection(str(tmp_path)), Passed()
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a/b"):
        list(selection.below(str(folder), passed=passed))
    counts = {one.id: (one.files, one.folders) for one in passed.tally(())}
    assert counts == {"ignored": (0, 1), "other-ending": (2, 0)}
