"""The command line: what it takes, its exit codes, and one line for every mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEPLOYMENT, ROOT, Harden, commit, run, write

OPTIONS = {
    "apply": "--profile --max-grade --accept --only --skip --format --kubernetes-version --config --set --evidence"
    " --yes --as-of --prune-managed --out-of-band --secrets-out --policy-engine --audit-log --pin-format -v --verbose"
    " --quiet -i --interactive --plan --lines --values --output --output-dir --patch --color -h --help",
    "diff": "--profile --max-grade --accept --only --skip --format --kubernetes-version --config --set --evidence"
    " --as-of --prune-managed --out-of-band --secrets-out --policy-engine --audit-log --pin-format -v --verbose --quiet"
    " --since --whole --no-waivers --lock --stat --patch --no-pager --color -h --help"
    " -f --values --set-value --release --namespace --helm-program --renders",
    "check": "--profile --fail-on --max-grade --accept --only --skip --format --kubernetes-version --config --set"
    " --evidence --as-of --prune-managed --out-of-band --secrets-out --policy-engine --audit-log --pin-format"
    " -v --verbose --quiet --since --whole --baseline --no-waivers --lock --require --allow-empty --patch --color"
    " -h --help --unread -f --values --set-value --release --namespace --helm-program --renders",
    "filter": "--profile --max-grade --accept --only --skip --kubernetes-version --config --set -v --verbose --quiet"
    " --as-of --report --patch --color -h --help",
    "values": "--profile --max-grade --accept --only --skip --format --kubernetes-version --config --option"
    " --as-of --yes -f --values --set --release --namespace --helm-program --renders -o --output --in-place"
    " --template-patch --templates"
    " --patch --color -v --verbose --quiet -h --help",
    "fn": "-h --help",
    "graph": "--format --config --evidence -h --help",
    "lock": "--check --update --frozen --deep --charts --vendor --registries --config --evidence -h --help",
    "observe": "--workload --engine --seconds --keep-going --registries --profile --config --evidence --check --format"
    " --seccomp-profile --exercise --budget --show-output --seccomp --seccomp-for --context --yes -h --help",
    "images": "--format --config --evidence --as-of -h --help",
    "plan": "--lines --profile --max-grade --accept --only --skip --kubernetes-version --config --set --evidence"
    " --as-of --policy-engine -h --help",
    "undo": "-h --help",
    "show": "--full -h --help",
    "list": "--profile --risk --severity -h --help",
    "explain": "-h --help",
}

# What is wrong: the arguments behind `diff web.yaml`, and what the message must hold.
MISTAKES: list[tuple[str, list[str], list[str]]] = [
    ("missing path", ["gone.yaml"], ["gone.yaml", "no such file"]),
    ("missing folder", ["gone/"], ["gone/", "no such file or folder"]),
    ("pattern without match", ["*.yml"], ["*.yml", "no file matches"]),
    ("unknown profile", ["--profile", "restrictd"], ["unknown profile restrictd", "did you mean restricted?"]),
    ("profile nothing like", ["--profile", "zzz"], ["unknown profile zzz", "baseline", "restricted", "strict"]),
    ("missing profile file", ["--profile", "./ours.yaml"], ["./ours.yaml", "no such profile file"]),
    ("profile is a folder", ["--profile", "./folder.yaml"], ["./folder.yaml"]),
    ("profile is no mapping", ["--profile", "./list.yaml"], ["./list.yaml", "a profile is one mapping"]),
    ("profile is broken", ["--profile", "./broken.yaml"], ["./broken.yaml:3"]),
    ("profile is empty", ["--profile", "./empty.yaml"], ["./empty.yaml", "a profile is one mapping"]),
    ("profile extends itself", ["--profile", "./self.yaml"], ["self.yaml", "extends itself"]),
    ("profiles extend each other", ["--profile", "./one.yaml"], ["one.yaml", "extends itself"]),
    ("profile extends nothing", ["--profile", "./orphan.yaml"], ["unknown profile restrictet", "restricted?"]),
    ("profile with an unknown id", ["--profile", "./id.yaml"], ["run-as-nonroot", "run-as-non-root?"]),
    ("profile with an unknown key", ["--profile", "./key.yaml"], ["./key.yaml", "transfroms"]),
    ("profile with a wrong type", ["--profile", "./type.yaml"], ["./type.yaml", "transforms"]),
    ("profile with an unknown option", ["--profile", "./option.yaml"], ["unknown option resources.cpu"]),
    ("unknown id: --only", ["--only", "run-as-nonroot"], ["unknown transform run-as-nonroot", "run-as-non-root?"]),
    ("unknown risk: --only", ["--only", "K99"], ["unknown risk K99; there are K01 to K10"]),
    ("risk without a zero", ["--only", "k1"], ["unknown risk k1 (did you mean K01?)"]),
    ("risk with a letter", ["--skip", "no-host-ipc,KO5"], ["unknown risk KO5 (did you mean K05?)"]),
    ("option for a file", ["--config", "--quiet"], ["Option --config takes FILE, and --quiet is an option"]),
    ("unknown id: --skip", ["--skip", "drop-capability"], ["unknown transform drop-capability", "drop-capabilities?"]),
    ("unknown id: --accept", ["--accept", "no-hostpath"], ["unknown transform no-hostpath", "no-host-path?"]),
    ("one unknown id of two", ["--only", "no-host-path,nonsense"], ["unknown transform nonsense", "harden list"]),
    ("unknown option", ["--set", "resources.cpu-limt=none"], ["option resources.cpu-limt", "resources.cpu-limit?"]),
    ("unknown group", ["--set", "zzz.yyy=1"], ["unknown option zzz.yyy"]),
    ("--set without value", ["--set", "resources.cpu-limit"], ["--set resources.cpu-limit", "GROUP.KEY=VALUE"]),
    ("--set without group", ["--set", "cpu-limit=1"], ["unknown option cpu-limit"]),
    ("--set with a wrong type", ["--set", "resources.cpu-limit=[1]"], ["resources.cpu-limit takes"]),
    ("--set with broken YAML", ["--set", "resources.cpu-limit={"], ["--set resources.cpu-limit"]),
    ("--set with nothing behind the sign", ["--set", "resources.cpu-limit=# none"], ["resources.cpu-limit takes"]),
    ("bad version", ["--kubernetes-version", "latest"], ["latest", "a Kubernetes version looks like 1.36"]),
    ("version two", ["--kubernetes-version", "2.1"], ["2.1", "a Kubernetes version looks like 1.36"]),
    ("missing config", ["--config", "gone.yaml"], ["gone.yaml", "no such config file"]),
    ("config with an unknown key", ["--config", "config-key.yaml"], ["config-key.yaml", "profil"]),
    ("config is broken", ["--config", "broken.yaml"], ["broken.yaml:3"]),
    ("config is a list", ["--config", "list.yaml"], ["list.yaml"]),
    ("config is a folder", ["--config", "folder.yaml"], ["folder.yaml", "cannot be read"]),
    ("config with two documents", ["--config", "two.yaml"], ["two.yaml", "one document"]),
    ("config with a number as version", ["--config", "config-float.yaml"], ["config-float.yaml", "needs quotes"]),
    ("config with a bad version", ["--config", "config-version.yaml"], ["a Kubernetes version looks like"]),
    ("config with a bad platform", ["--config", "config-platform.yaml"], ["platform is kubernetes or openshift"]),
    ("config with an unknown profile", ["--config", "config-profile.yaml"], ["unknown profile strikt", "strict?"]),
    ("config with an unknown option", ["--config", "config-option.yaml"], ["config-option.yaml", "unknown option a.b"]),
    ("evidence is missing", ["--evidence", "gone"], ["gone", "no such folder"]),
    ("evidence is a file", ["--evidence", "web.yaml"], ["web.yaml", "no such folder"]),
]  # fmt: skip

FILES = {
    "web.yaml": DEPLOYMENT,
    "folder.yaml/keep": "",
    "list.yaml": "- a\n",
    "broken.yaml": "a: 1\nb: [\n",
    "empty.yaml": "",
    "two.yaml": "profile: strict\n---\nprofile: strict\n",
    "self.yaml": "extends: ./self.yaml\n",
    "one.yaml": "extends: ./two-one.yaml\n",
    "two-one.yaml": "extends: ./one.yaml\n",
    "orphan.yaml": "extends: restrictet\n",
    "id.yaml": "transforms: [run-as-nonroot]\n",
    "key.yaml": "transfroms: []\n",
    "type.yaml": "transforms: run-as-non-root\n",
    "option.yaml": "extends: restricted\noptions:\n  resources:\n    cpu: none\n",
    "config-key.yaml": "profil: strict\n",
    "config-float.yaml": "kubernetes-version: 1.30\n",
    "config-version.yaml": "kubernetes-version: x\n",
    "config-platform.yaml": "platform: aws\n",
    "config-profile.yaml": "profile: strikt\n",
    "config-option.yaml": "options:\n  a:\n    b: 1\n",
}


def _one_line(done: object) -> str:
    status, out, err = (getattr(done, name) for name in ("status", "out", "err"))
    assert status == 2, err
    assert out == ""
    assert err.endswith("\n") and err.count("\n") == 1, err
    assert "Traceback" not in err and "internal error in harden" not in err
    return str(err)


@pytest.mark.parametrize(("arguments", "expected"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
@pytest.mark.parametrize("command", ["apply", "diff"])
def test_a_mistake_is_one_line_and_exit_code_2(
    command: str, arguments: list[str], expected: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, FILES)
    paths = [] if not arguments[0].startswith("-") else ["web.yaml"]
    message = _one_line(harden(command, *paths, *arguments))
    assert message.startswith("harden: ")
    for part in expected:
        assert part in message
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["aply", "x"], "aply"),
        (["apply", "--frob", "x"], "--frob"),
        (["apply"], "PATH"),
        (["diff", "--max-grade", "none"], "'breaking'; see harden diff --help"),
        (["frob"], "'frob'; see harden --help"),
        (["diff", "--format", "xml"], "xml"),
        (["diff", "--profile"], "--profile"),
        (["explain"], "ID"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: list[str], expected: str, harden: Harden) -> None:
    assert expected in _one_line(harden(*arguments))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["explain", "K11"], "K11"),
        (["explain", "run-as-nonroot"], "did you mean run-as-non-root?"),
        (["list", "--profile", "strikt"], "did you mean strict?"),
        (["filter", "--profile", "strikt"], "did you mean strict?"),
        (["filter", "--only", "nonsense"], "unknown transform nonsense"),
    ],
)
def test_a_name_that_does_not_exist_is_one_line_in_every_command(
    arguments: list[str], expected: str, harden: Harden
) -> None:
    assert expected in _one_line(harden(*arguments))


@pytest.mark.parametrize("command", OPTIONS)
def test_options_are_those_of_the_design(command: str, harden: Harden) -> None:
    shown = harden(command, "--help")
    assert shown.status == 0
    assert harden(command, "-h").out == shown.out
    listed = {word for line in shown.out.splitlines() for word in re.findall(r"^  (?:(-\w), )?(--[\w-]+)", line)}
    assert {name for pair in listed for name in pair if name} == set(OPTIONS[command].split())
    heads = re.findall(r"^(\w.*):$", shown.out, re.M)
    order = (
        "Arguments", "What is run, and how", "Which changes", "How the chart is rendered", "Where they are written",
        "What is judged", "Report", "Options", "Examples",
    )  # fmt: skip
    assert heads == [head for head in order if head in heads]
    assert "Options" in heads and not any(line.endswith(" ") for line in shown.out.splitlines())


@pytest.mark.slow
def test_every_example_of_the_help_is_a_command_line(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": DEPLOYMENT})
    commit(tmp_path)
    found = []
    for command in OPTIONS:
        shown = run(command, "-h", cwd=tmp_path).out.partition("\nExamples:\n")[2]
        found += [
            re.split(r" {2,}|[|>]", line.strip())[0].split()[1:] for line in shown.splitlines() if "harden" in line
        ]
    assert len(found) > 15
    known = {name: set(options.split()) for name, options in OPTIONS.items()}
    for words in found:
        if words[0] in known:
            assert {word for word in words[1:] if word.startswith("-")} <= known[words[0]], words


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("harden ap", {"apply"}),
        ("harden diff --profile re", {"restricted"}),
        ("harden apply --only no-host-p", {"no-host-path", "no-host-pid", "no-host-port", "no-host-process"}),
        ("harden apply --skip cpu-limit,K0", {f"cpu-limit,K0{number}" for number in range(1, 10)}),
        ("harden check --fail-on cr", {"critical"}),
    ],
)
def test_a_shell_completes(
    typed: str, expected: set[str], harden: Harden, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_HARDEN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert set(harden().out.split()) == expected


@pytest.mark.parametrize(
    ("arguments", "risks"),
    [
        (["--only", "K01"], {"K01"}),
        (["--only", "k05,automount-token"], {"K05", "K09"}),
        (["--skip", "K01", "--skip", "K05"], {"K09"}),
    ],
)
def test_a_risk_stands_for_its_transforms(
    arguments: list[str], risks: set[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    report = json.loads(harden("diff", "--format", "json", *arguments).out)
    assert {change["risk"] for change in report["changes"]} == risks


def test_apply_ends_with_0_and_diff_with_1_iff_there_is_something(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    assert harden("diff").status == 1
    assert harden("diff", "web.yaml").status == 1
    assert harden("diff", "--format", "json").status == 1
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT
    assert harden("apply", ".").status == 0
    assert (tmp_path / "web.yaml").read_text() != DEPLOYMENT
    assert harden("apply", ".").status == 0
    assert harden("diff").status == 0
    assert harden("diff", "--format", "json").status == 0


def test_findings_alone_are_exit_code_0(harden: Harden, tmp_path: Path) -> None:
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\nautomountServiceAccountToken: false\n"
    write(tmp_path, {"bad.yaml": "kind: Pod\napiVersion: v1\n  x: 1\n", "good.yaml": account})
    done = harden("diff")
    assert (done.status, "Refused: 1 document" in done.all) == (0, True)


def test_nothing_to_read_is_no_mistake(harden: Harden, tmp_path: Path) -> None:
    assert harden("apply", ".").status == 0
    assert "0 files, 0 documents" in harden("diff").all
    assert harden("check", "--allow-empty").out.startswith("nothing was checked: there is no file\n")
    assert harden("check").status == 2


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_only_on_a_terminal(
    terminal: bool,
    environment: dict[str, str],
    coloured: bool,
    harden: Harden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    plain = harden("diff", "--patch")
    done = harden("diff", "--patch", terminal=terminal)
    assert ("\033[" in done.out) is coloured
    assert re.sub(r"\033\[\d*m", "", done.out) == plain.out


def test_quiet_shows_the_summary_only(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    lines = harden("diff", "--quiet").out.splitlines()
    assert len([line for line in lines if line]) == 2
    assert lines[0].startswith("harden ") and ", 2 files would change; " in lines[-1]


def test_verbose_shows_every_edit_with_its_evidence(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    short, long = harden("diff"), harden("diff", "-v")
    assert "web.yaml:11 Deployment/web" not in short.all
    assert re.search(r"web.yaml:\d+ Deployment/web spec.template.spec.containers\[0\].securityContext", long.all)
    assert re.search(r"^      (safe|review), (proved|inferred|assumed)", long.all, re.M)


def test_the_order_of_the_report(harden: Harden, tmp_path: Path) -> None:
    node = DEPLOYMENT + "        securityContext: {privileged: true}\n        command: [nsenter, -t, '1']\n"
    write(tmp_path, {"web.yaml": DEPLOYMENT, "node.yaml": node, "bad.yaml": "kind: Pod\napiVersion: v1\n  x: 1\n"})
    commit(tmp_path)
    order = ("diff --git", "hardened", "Impact", "Guesses", "Held back", "To apply", "Applied", "Refused",
             "Needs manual work", "next", "undo")  # fmt: skip
    shown = harden("diff").all, harden("apply", ".").out
    heads = [re.findall(rf"^({'|'.join(order)})\b", out, re.M) for out in shown]
    for found in heads:
        assert list(dict.fromkeys(found)) == [head for head in order if head in found]
    assert {"diff --git", "Impact", "Held back", "Guesses", "To apply", "Refused"} <= set(heads[0])
    assert {"hardened", "Impact", "Held back", "Guesses", "Applied", "Refused", "next", "undo"} <= set(heads[1])


@pytest.mark.parametrize(
    ("arguments", "patch"),
    [
        (["diff"], True), (["diff", "--stat"], False), (["diff", "--quiet"], False), (["check"], False),
        (["check", "--patch"], True), (["check", "-v"], True), (["apply", "."], False),
        (["apply", ".", "--patch"], True), (["apply", ".", "-v"], True),
    ],
)  # fmt: skip
def test_who_shows_the_patch(arguments: list[str], patch: bool, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    done = harden(*arguments)
    assert ("\ndiff --git a/web.yaml b/web.yaml\n" in done.out) is patch
    assert len(re.findall(r"^\+ +allowPrivilegeEscalation: false", done.out, re.M)) == patch


def test_an_option_that_swallows_the_next_is_told(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    said = "Option --baseline takes FILE, and --fail-on is an option; see harden check --help"
    for arguments in (["--baseline", "--fail-on", "high"], ["web.yaml", "--baseline", "--fail-on", "high"]):
        done = harden("check", *arguments)
        assert (done.status, done.err) == (2, f"harden: {said}\n")
    assert "--fail-on: cannot be read" in harden("check", "web.yaml", "--baseline=--fail-on").err


def test_apply_says_that_it_has_to_be_told_what(harden: Harden) -> None:
    done = harden("apply")
    said = "PATH is missing: apply changes files, so it has to be told which (harden apply . for all here)"
    assert (done.status, done.err) == (2, f"harden: {said}; see harden apply --help\n")


@pytest.mark.parametrize("group", ["baseline", "golden"])
def test_a_group_without_its_command_shows_its_help(group: str, harden: Harden) -> None:
    done = harden(group)
    assert done.status == 2 and f"Usage: harden {group}" in done.err and "\nCommands:\n" in done.err


@pytest.mark.slow
def test_list_names_every_transform_and_explain_knows_it(harden: Harden) -> None:
    listed = re.findall(r"^  ([a-z0-9-]+)  .*\[(.*)\]$", harden("list").out, re.M)
    assert "run-as-non-root" in dict(listed)
    for id, _ in listed:
        shown = harden("explain", id)
        assert shown.status == 0
        assert shown.out.startswith(f"{id}\n") and "Why: " in shown.out and "May break: " in shown.out
    assert "run-as-non-root" in harden("explain", "k01").out
    assert harden("list", "--profile", "baseline").out.count("\n") < harden("list").out.count("\n")


@pytest.mark.slow
def test_runs_from_a_checkout_that_is_not_installed(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("hardener", "transforms", "profiles"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    write(tmp_path, {"work/web.yaml": DEPLOYMENT})
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    where = subprocess.run(
        [sys.executable, "-c", "import hardener, hardener.transforms as t; print(hardener.__file__, t.__file__)"],
        cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name.startswith(str(checkout)) for name in where.stdout.split())
    done = subprocess.run(
        [sys.executable, "-m", "hardener", "apply", ".", "--quiet"],
        cwd=tmp_path / "work", env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "allowPrivilegeEscalation: false" in (tmp_path / "work/web.yaml").read_text()


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.yaml": DEPLOYMENT.replace("web", f"web-{n}") for n in range(40)})
    command = f"{sys.executable} -m hardener diff . | head -n 1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.stdout.startswith("# ")
    assert done.stderr == ""


def test_a_bug_of_ours_is_exit_code_3_and_changes_nothing(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hardener.engine import pipeline

    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("hunter2hunter2")

    monkeypatch.setattr(pipeline, "run", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("apply", ".")
    assert done.status == 3
    assert "internal error in harden: KeyError" in done.err and done.err.count("\n") == 1
    crash = Path(done.err.rstrip().rpartition(" ")[2])
    assert "hunter2" not in done.all + crash.read_text()
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT
