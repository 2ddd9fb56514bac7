"""Checkouts that somebody else made: nothing of them is run, nothing outside of them is read or written, and no gate is
talked out of its verdict."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hardener.report import formats
from hardener.sources import files
from hardener.sources.files.selection import DEEPEST

from .conftest import DEPLOYMENT, Harden, commit, git, run, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and scripts with #!")

PRIVILEGED = """\
apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: shop}
spec:
  hostPID: true
  containers:
  - name: c
    image: example.com/c:1
    securityContext: {privileged: true}
"""
SECRET = "s3cret-of-another-place"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: app-config
data:
  DB_PASSWORD: "SuperSecret123!"
---
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
  - name: app
    image: example.com/app:1
    envFrom: [{configMapRef: {name: app-config}}]
"""


# No code of the tree runs.

COMMANDS = (
    ["diff", "."],
    ["diff", "--since", "HEAD", "."],
    ["check", "--since", "HEAD", "."],
    ["check", "--no-waivers", "."],
    ["apply", ".", "--output-dir", "../out"],
    ["apply", ".", "--yes"],
    ["apply", ".", "--secrets-out", "../kept", "--yes"],
    ["lock", "--frozen", "."],
    ["images", "."],
    ["graph", "."],
    ["baseline", "write", "."],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_that_the_configuration_of_a_checkout_names_is_run(
    command: list[str], harden: Harden, tmp_path: Path
) -> None:
    tree, mark = tmp_path / "tree", tmp_path / "RAN"
    write(tree, {"p.yaml": DEPLOYMENT, ".gitattributes": "* filter=x diff=x\n", ".gitignore": "ignored/\n"})
    commit(tree)
    program = f"sh -c 'echo ran >>{mark}' #"
    for key in ("core.fsmonitor", "diff.external", "filter.x.clean", "filter.x.process", "diff.x.textconv"):
        git(tree, "config", key, program)
    write(tree, {"p.yaml": DEPLOYMENT + "# changed\n"})
    assert harden(*command, cwd=tree).status in (0, 1)
    assert not mark.exists()


@pytest.mark.parametrize("format", ["text", "json", "sarif", "patch", "html", "gitlab"])
@pytest.mark.parametrize("output", [[], ["--output-dir", "../out"]], ids=str)
def test_a_bare_repository_in_a_work_tree_is_a_folder(
    format: str, output: list[str], harden: Harden, tmp_path: Path
) -> None:
    tree, mark = tmp_path / "tree", tmp_path / "RAN"
    program = f"sh -c 'echo ran >>{mark}' #"
    config = f'[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\nfsmonitor = "{program}"\n'
    write(tree, {
        "k8s/HEAD": "ref: refs/heads/main\n", "k8s/objects/keep": "", "k8s/refs/keep": "", "k8s/config": config,
        "k8s/p.yaml": DEPLOYMENT,
    })  # fmt: skip
    commit(tree)
    command = ["apply", "k8s", *output] if output else ["diff", "k8s"]
    assert harden(*command, "--format", format, cwd=tree).status in (0, 1)
    assert not mark.exists()


# Nothing outside is written or read.


def _outside(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    write(folder, {"secret.yaml": DEPLOYMENT.replace("web", SECRET), "secret.txt": SECRET})
    return folder


@pytest.mark.parametrize("target", ["../elsewhere/secret.txt", "/proc/self/environ", ".git/config", "gone"])
def test_a_link_out_of_the_given_paths_is_not_copied(target: str, harden: Harden, tmp_path: Path) -> None:
    _outside(tmp_path)
    tree = tmp_path / "tree"
    write(tree, {"p.yaml": DEPLOYMENT, "inside.txt": "within\n"})
    commit(tree)
    (tree / "env.txt").symlink_to(target)
    (tree / "same.txt").symlink_to("inside.txt")
    os.mkfifo(tree / "pipe.txt")
    done = harden("apply", ".", "--output-dir", "../out", cwd=tree)
    copied = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert copied["same.txt"] == copied["inside.txt"] == "within\n"
    assert not {"env.txt", "pipe.txt"} & copied.keys()
    why = "a symbolic link to nothing" if target == "gone" else "a symbolic link out of the given paths"
    assert f"  env.txt: {why}\n" in done.out and "  pipe.txt: not a regular file\n" in done.out


def test_a_golden_case_writes_nowhere_but_beside_its_copy(harden: Harden, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    write(tmp_path, {"g/case/before/a.yaml": CONFIG_MAP, "g/case/case.yaml": f"secrets-out: {home}/out\n"})
    done = harden("golden", "verify", "g")
    assert done.status == 1 and "secrets-out" in done.out and "lies outside" in done.out
    assert not list(home.iterdir())


@pytest.mark.parametrize("link", ["findings.txt", "after", "before/x.yaml", "case.yaml"])
@pytest.mark.parametrize("command", ["verify", "accept"])
def test_a_golden_case_is_not_followed_out_of_it(link: str, command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"h/case/before/p.yaml": PRIVILEGED, "home/file": "mine\n", "home/folder/file": "mine\n"})
    path = tmp_path / "h" / "case" / link
    path.symlink_to(tmp_path / "home" / ("folder" if link == "after" else "file"))
    done = harden("golden", command, "h")
    assert done.status == 1 and f"{link}: a symbolic link out of the case, which is not followed" in done.out
    assert {path.name for path in (tmp_path / "home").rglob("*")} == {"file", "folder"}
    assert (tmp_path / "home" / "file").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [("profile: ../../../etc/passwd.yaml\n", "profile: "), ("audit-log: [/etc/passwd]\n", "audit-log: /etc/passwd")],
)
def test_a_golden_case_names_nothing_outside(settings: str, message: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"g/case/before/a.yaml": DEPLOYMENT, "g/case/case.yaml": settings})
    done = harden("golden", "verify", "g")
    assert done.status == 1 and message in done.out and "lies outside" in done.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".harden.yaml", ".harden.yaml: a link out of the tree"),
        ("harden.lock", "harden.lock: a link out of the tree"),
    ],
)
@pytest.mark.parametrize("command", [["diff"], ["apply"], ["check"], ["graph"], ["images"]], ids=str)
def test_settings_that_are_links_out_of_the_tree_are_refused(
    command: list[str], text: str, message: str, harden: Harden, tmp_path: Path
) -> None:
    outside, tree = _outside(tmp_path), tmp_path / "tree"
    write(tree, {"p.yaml": DEPLOYMENT})
    commit(tree)
    (tree / text).symlink_to(outside / "secret.yaml")
    done = harden(*command, ".", cwd=tree)
    assert done.status == 2 and done.err.startswith(f"harden: {message}") and done.err.count("\n") == 1
    assert SECRET not in done.all


@pytest.mark.parametrize("config", ["", ".harden.yaml", "./.harden.yaml", "sub/../.harden.yaml"])
@pytest.mark.parametrize("named", ["../elsewhere/secret.yaml", "/proc/self/environ.yaml", "link.yaml", "own.yaml"])
def test_a_profile_of_the_tree_lies_in_it(named: str, config: str, harden: Harden, tmp_path: Path) -> None:
    outside, tree = _outside(tmp_path), tmp_path / "tree"
    write(tree, {"p.yaml": DEPLOYMENT, ".harden.yaml": f"profile: {named}\n", "own.yaml": "extends: link.yaml\n"})
    write(tree, {"sub/p.yaml": DEPLOYMENT})
    (tree / "link.yaml").symlink_to(outside / "secret.yaml")
    commit(tree)
    done = harden("diff", "p.yaml", *(["--config", config] if config else []), cwd=tree)
    assert done.status == 2 and "the profile lies outside of the tree that names it" in done.err
    assert SECRET not in done.all


def test_a_function_reads_no_profile_outside_of_the_tree(harden: Harden, tmp_path: Path) -> None:
    outside, tree = _outside(tmp_path), tmp_path / "tree"
    tree.mkdir()
    head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
    config = f"functionConfig: {{kind: X, spec: {{profile: {outside}/secret.yaml}}}}\n"
    done = run("fn", cwd=tree, stdin=(head + config).encode())
    assert done.status == 2 and "lies outside of the tree, and is not read" in done.err and SECRET not in done.all


@pytest.mark.parametrize(
    "command",
    [
        ["apply", ".", "--output-dir", "way/new"], ["apply", ".", "--out-of-band", "way"],
        ["apply", ".", "--secrets-out", "way/new"], ["baseline", "write", ".", "--baseline", "way/b"],
        ["filter", "--report", "file"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_is_written_behind_a_link_of_the_tree(command: list[str], harden: Harden, tmp_path: Path) -> None:
    outside, tree = _outside(tmp_path), tmp_path / "tree"
    write(tree, {"p.yaml": DEPLOYMENT})
    commit(tree)
    (tree / "way").symlink_to(outside)
    (tree / "file").symlink_to(outside / "secret.txt")
    done = harden(*command, cwd=tree)
    assert done.status == 2 and "leads out of the tree, and nothing is written there" in done.err
    assert {path.name for path in outside.iterdir()} == {"secret.yaml", "secret.txt"}
    assert (outside / "secret.txt").read_text(encoding="utf-8") == SECRET


def test_what_a_kustomization_takes_in_from_outside_is_said_and_not_read(harden: Harden, tmp_path: Path) -> None:
    _outside(tmp_path)
    tree = tmp_path / "tree"
    listed = "resources: [p.yaml, ../elsewhere/secret.yaml, link.yaml, /proc/self/environ]\n"
    write(tree, {"p.yaml": DEPLOYMENT, "kustomization.yaml": listed})
    (tree / "link.yaml").symlink_to("../elsewhere/secret.yaml")
    commit(tree)
    done = harden("diff", ".", "-v", cwd=tree)
    assert SECRET not in done.all
    for name in ("../elsewhere/secret.yaml", "link.yaml", "/proc/self/environ"):
        assert f"{name} lies outside of ., and is not read" in done.all


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="Linux")
@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/cmdline", "/sys/kernel/uevent_seqnum", "/dev/null"])
def test_files_of_the_system_are_no_files(path: str, harden: Harden) -> None:
    if os.path.exists(path):
        with pytest.raises(files.UnreadableError, match="not a regular file"):
            files.read_bytes(path)
        assert "not a regular file" in harden("diff", path).all


@pytest.mark.parametrize("name", [".gitignore", "p.yaml", "kustomization.yaml", ".harden.yaml", "Chart.yaml"])
@pytest.mark.parametrize("command", ["diff", "check"])
def test_a_pipe_stops_no_run(name: str, command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    os.mkfifo(tmp_path / name)
    assert harden(command, ".").status == (2 if name == ".harden.yaml" else 1)


# A gate that cannot be talked out of it.


def _golden_markers(tree: Path) -> None:
    (tree / "k8s" / "before").mkdir()
    write(tree, {"k8s/findings.txt": ""})


def _moved(name: str) -> Callable[[Path], None]:
    def move(tree: Path) -> None:
        target = tree / "k8s" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(tree / "k8s" / "p.yaml", target)

    return move


def _text(**contents: str) -> Callable[[Path], None]:
    names = {
        "kustomization": "k8s/kustomization.yaml",
        "config": ".harden.yaml",
        "ignore": ".gitignore",
        "pod": "k8s/p.yaml",
    }
    return lambda tree: write(tree, {names[key]: text for key, text in contents.items()})


def _out_of_sight(target: str) -> Callable[[Path], None]:
    def hide(tree: Path) -> None:
        path = tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        os.rename(tree / "k8s" / "p.yaml", path)
        (tree / "k8s" / "p.yaml").symlink_to(os.path.relpath(path, tree / "k8s"))

    return hide


def _taken_in(name: str) -> Callable[[Path], None]:
    def move(tree: Path) -> None:
        os.rename(tree / "k8s" / "p.yaml", tree / "k8s" / name)
        write(tree, {"k8s/kustomization.yaml": f"resources: [{name}]\n"})

    return move


def _too_large(tree: Path) -> None:
    with open(tree / "k8s" / "p.yaml", "a", encoding="utf-8") as stream:
        stream.write("#")
        stream.truncate(files.MAX_BYTES + 1)


def _encoded(name: str) -> Callable[[Path], None]:
    def encode(tree: Path) -> None:
        (tree / "k8s" / "p.yaml").write_bytes((PRIVILEGED + "# \xe9\n").encode(name))

    return encode


def _behind_a_link(tree: Path) -> None:
    os.rename(tree / "k8s" / "p.yaml", tree / "k8s" / "p.data")
    (tree / "k8s" / "p.yaml").symlink_to("p.data")


CLEAN = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {app: web}}\n"
OWNERS = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x, uid: x, controller: true}]"
EXCEPTION = 'exceptions: [{id: "*", reason: later, expires: 2026-12-31}]\n'
ANNOTATED = PRIVILEGED.replace("namespace: shop}", "namespace: shop, annotations: {%s: mine}}")
TRICKS: dict[str, Callable[[Path], None]] = {
    "golden markers": _golden_markers,
    "test data": _moved("testdata/p.yaml"),
    "installed": _moved("node_modules/p.yaml"),
    "tools": _moved(".venv/p.yaml"),
    "named like a configuration": _moved(".harden.yaml"),
    "behind a link": _behind_a_link,
    "ignored": _text(ignore="k8s/*.yaml\n"),
    "ignored folder": _text(ignore="k8s/\n"),
    "excluded": _text(config="exclude: [k8s/]\n"),
    "exception": _text(config=EXCEPTION),
    "profile": _text(config="profile: mine.yaml\n"),
    "mark": _text(pod=ANNOTATED % "hardener.dev/ignore-all"),
    "peer": _text(pod=ANNOTATED % "ignore-check.kube-linter.io/privileged-container"),
    "comment": _text(pod="# harden: ignore[K01] mine\n" + PRIVILEGED),
    "taken in": _taken_in("web.txt"),
    "taken in from above": _taken_in("../web.txt"),
    "kind spelt by an escape": _text(pod=PRIVILEGED.replace("kind", '"k\\x69nd"')),
    "kind as a key of its own": _text(pod=PRIVILEGED.replace("kind: Pod", "? kind\n: Pod")),
}
# What hides the pod from everybody who reads as harden does: the gate says that it did not look.
BLIND: dict[str, tuple[Callable[[Path], None], str]] = {
    "a key twice": (_text(pod=PRIVILEGED + "kind: Pod\n"), "k8s/p.yaml:10: "),
    "a key twice, spelt otherwise": (_text(pod='"k\\x69nd": Pod\n' + PRIVILEGED), "k8s/p.yaml:"),
    "a key twice in what is evidence": (
        _text(pod='kind: ConfigMap\n"k\\x69nd": Pod\n' + PRIVILEGED[28:]),
        "k8s/p.yaml:",
    ),
    "too deep": (_moved("/".join("d" * (DEEPEST + 1)) + "/p.yaml"), "/d/d: the folder lies more than 200 folders deep"),
    "UTF-16": (_encoded("utf-16"), "k8s/p.yaml: the file is UTF-16"),
    "Latin 1": (_encoded("latin-1"), "k8s/p.yaml: line 10 is not UTF-8"),
    "out of the given path": (_out_of_sight("else/p.yaml"), "k8s/p.yaml: a symbolic link out of the tree"),
    "encrypted": (_text(pod=PRIVILEGED + "sops: {mac: x, version: 1}\n"), "k8s/p.yaml:1: encrypted by SOPS"),
    "too large": (_too_large, "k8s/p.yaml: the file has 64 MiB"),
    "a template": (_text(pod=PRIVILEGED.replace("bad", "{{ name }}")), "k8s/p.yaml:3: a template"),
    "of a chart": (_moved("templates/p.yaml"), "k8s/templates/p.yaml: a template of a Helm chart"),
    "taken in as a script": (_taken_in("web.sh"), "k8s/web.sh: k8s/kustomization.yaml takes it in"),
    "taken in as a table": (_taken_in("web.csv"), "k8s/web.csv: k8s/kustomization.yaml takes it in"),
    "taken in from elsewhere": (_taken_in("../../web.yaml"), "k8s/kustomization.yaml takes it in, and it lies outside"),
    "rendered from a URL": (
        _text(pod="", config="", kustomization="resources: [https://example.com/x.git]\n"),
        "k8s/kustomization.yaml: https://example.com/x.git is not in the tree",
    ),
    "owned": (
        _text(pod=ANNOTATED.replace("annotations: {%s: mine}", OWNERS)),
        "k8s/p.yaml:1: left as it is (owned)",
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_in_the_tree_talks_the_gate_out_of_it(trick: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/p.yaml": PRIVILEGED, "mine.yaml": "transforms: [no-host-ipc]\n"})
    git(tmp_path, "init", "-q")
    plain = json.loads(harden("diff", "k8s", "--format", "json", "--no-waivers").out)
    TRICKS[trick](tmp_path)
    done = harden("check", "k8s", "--no-waivers", "--as-of", "2026-11-25")
    assert done.status == 1 and "nothing in the tree lowers the result (--no-waivers)" in done.out
    found = json.loads(harden("diff", "k8s", "--format", "json", "--no-waivers").out)
    assert {change["id"] for change in found["changes"]} >= {one["id"] for one in plain["changes"]}
    assert not found["waived"]


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("trick", BLIND)
def test_what_the_gate_did_not_look_at_does_not_pass(trick: str, format: str, harden: Harden, tmp_path: Path) -> None:
    hide, line = BLIND[trick]
    tree = tmp_path / "tree"
    write(tree, {"k8s/p.yaml": PRIVILEGED, "k8s/web.yaml": CLEAN, "k8s/Chart.yaml": "name: x\n"})
    git(tree, "init", "-q")
    hide(tree)
    options = ["--require", "k8s/*.yaml", "--fail-on", "high", "--format", format]
    done = harden("check", "k8s", "--no-waivers", *options, cwd=tree)
    said = [one for one in (done.out if format == "text" else done.err).splitlines() if "not looked at: " in one[:17]]
    assert done.status == 2 and [one for one in said if line in one], (said, done.all)


@pytest.mark.parametrize("trick", ["encrypted", "a template", "of a chart", "owned"])
def test_what_the_gate_did_not_look_at_is_excluded_by_a_config_from_outside_and_no_baseline(
    trick: str, harden: Harden, tmp_path: Path
) -> None:
    tree, config, baseline = tmp_path / "tree", tmp_path / "own.yaml", tmp_path / "harden.baseline"
    write(tree, {"k8s/p.yaml": PRIVILEGED, "k8s/web.yaml": CLEAN, "k8s/Chart.yaml": "name: x\n"})
    git(tree, "init", "-q")
    BLIND[trick][0](tree)
    write(tmp_path, {"own.yaml": "exclude: ['p.yaml', '**/p.yaml']\n"})
    assert not harden("baseline", "write", "k8s", "--baseline", str(baseline), cwd=tree).status
    known = harden("check", "k8s", "--no-waivers", "--baseline", str(baseline), cwd=tree)
    assert known.status == 2 and "not looked at: k8s/" in known.out, known.all
    excluded = harden("check", "k8s", "--no-waivers", "--config", str(config), cwd=tree)
    assert excluded.status == 0 and "not looked at" not in excluded.out, excluded.all


def test_the_gate_passes_where_all_was_looked_at(harden: Harden, tmp_path: Path) -> None:
    broken = {"k8s/notes.yaml": "a: [1\n", "k8s/web.txt": "x", "k8s/run.sh": "echo\n", "k8s/crd.yaml": "kind: Widget\n"}
    write(tmp_path, {"k8s/web.yaml": CLEAN, "k8s/kustomization.yaml": "resources: [web.yaml]\n", **broken})
    git(tmp_path, "init", "-q")
    done = harden("check", "k8s", "--no-waivers", "--require", "k8s/*.yaml", "--fail-on", "high")
    assert done.status == 0 and "not looked at" not in done.all, done.all


@pytest.mark.parametrize(
    "options", [["--config", "own.yaml"], ["--profile", "./own.yaml"], ["--baseline", "own.yaml"]], ids=" ".join
)
def test_settings_of_the_tree_are_refused_without_waivers(options: list[str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/p.yaml": PRIVILEGED, "own.yaml": ""})
    git(tmp_path, "init", "-q")
    done = harden("check", ".", "--no-waivers", *options)
    assert done.status == 2 and "is in the tree that is judged; name a file outside of it" in done.err


def test_the_lock_of_the_tree_proves_nothing_without_waivers(harden: Harden, tmp_path: Path) -> None:
    lock = "version: 1\nimages:\n  example.com/c:1:\n    digest: sha256:" + "a" * 64 + "\n    config: {user: '10001'}\n"
    write(tmp_path, {"p.yaml": PRIVILEGED, "harden.lock": lock})
    assert "harden.lock:" in harden("diff", "p.yaml", "-v").all
    assert "harden.lock:" not in harden("diff", "p.yaml", "-v", "--no-waivers").all


@pytest.mark.parametrize(
    ("patterns", "missing"),
    [
        (["k8s/*.yaml"], None), (["k8s"], None), (["./k8s/"], None), (["**/p.yaml"], None), (["."], None),
        (["k8s/*.yaml", "apps/**"], "apps/**"), (["p.yaml"], "p.yaml"), (["k8s/README.md"], "k8s/README.md"),
        (["testdata"], "testdata"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("format", ["text", "json"])
def test_what_is_required_was_read(
    patterns: list[str], missing: str | None, format: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"k8s/p.yaml": PRIVILEGED, "k8s/README.md": "x", "testdata/p.yaml": PRIVILEGED})
    done = harden("check", ".", "--format", format, *(part for pattern in patterns for part in ("--require", pattern)))
    assert done.status == (2 if missing else 1)
    message = f"--require {missing}: no file that was read fits it"
    assert (message in (done.out if format == "text" else done.err)) == bool(missing)


@pytest.mark.parametrize("pattern", ["../x", "!k8s", "", "/etc"])
def test_a_pattern_that_can_fit_nothing_is_a_mistake(pattern: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"p.yaml": PRIVILEGED})
    done = harden("check", ".", "--require", pattern)
    assert done.status == 2 and done.err.startswith(f"harden: --require {pattern}: ")


@pytest.mark.parametrize("format", ["text", "json", "sarif", "junit"])
def test_a_check_of_nothing_is_none(format: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"README.md": "x"})
    done = harden("check", ".", "--format", format)
    assert done.status == 2 and "nothing was read (--allow-empty accepts this): 1 file ends in none" in done.all
    done = harden("check", ".", "--format", format, "--allow-empty")
    assert done.status == 0 and "--allow-empty" not in done.all


@pytest.mark.parametrize("format", formats.NAMES)
def test_every_format_counts_what_is_left_out(format: str, harden: Harden, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yaml": DEPLOYMENT,
            "README.md": "x",
            "b.yaml": "b: 1\n",
            "c.yaml": "c: 1\n",
            ".gitignore": "*.log.yaml\n",
            "d.log.yaml": PRIVILEGED,
        },
    )
    git(tmp_path, "init", "-q")
    shown = harden("diff", ".", "--format", format).all
    for reason in ("1 file is ignored by Git", "2 files end in none of", "2 files hold no Kubernetes object"):
        assert reason in shown
