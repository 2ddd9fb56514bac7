"""Wrong uses of the command line: each is one line on standard error that says the way out, and exit code 2."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, write

POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: "nginx:1.27"}]}\n'

# What somebody types, and words of the line that it gets.
USES: list[tuple[list[str], list[str]]] = [
    (["dif"], ["No such command 'dif'", "did you mean 'diff'?"]),
    (["web.yaml"], ["No such command", "harden check web.yaml"]),
    (["--format", "json"], ["No such option: --format"]),
    (["apply"], ["PATH is missing", "harden apply ."]),
    (["apply", "-i", "web.yaml"], ["-i asks about each change, and needs a terminal"]),
    (["apply", "web.yaml", "--output", "kustomize"], ["--output-dir DIR"]),
    (["apply", "web.yaml", "--output-dir", "full"], ["full", "not an empty folder"]),
    (["diff", "gone.yaml"], ["gone.yaml: no such file or folder"]),
    (["diff", "k8s/*.yaml"], ["no file matches this pattern"]),
    (["diff", "--stats"], ["No such option: --stats", "--stat"]),
    (["diff", "--stat", "--format", "json"], ["--stat", "--format json"]),
    (["diff", "--only", "run-as-nonroot"], ["did you mean run-as-non-root?"]),
    (["diff", "--skip", "K5"], ["unknown risk K5", "K05?"]),
    (["diff", "--accept", "K05"], ["--accept K05", "harden list --risk K05"]),
    (["diff", "--set", "resources"], ["GROUP.KEY=VALUE"]),
    (["diff", "--as-of", "tomorrow"], ["a day looks like"]),
    (["check", "--fail-on", "hihg"], ["'hihg' is not one of", "high"]),
    (["check", "--require", "../other"], ["--require ../other", "below the working directory"]),
    (["check", "--since", "nope"], ["--since nope: no such revision"]),
    (["check", "--baseline", "gone"], ["gone: cannot be read", "harden baseline write"]),
    (["check", "--config", "gone.yaml"], ["gone.yaml: no such config file"]),
    (["filter", "web.yaml"], ["unexpected argument web.yaml", "harden filter < FILE"]),
    (["values", "full"], ["full"]),
    (["graph", "--format", "png"], ["'png' is not one of", "mermaid"]),
    (["explain", "run-as-nonroot"], ["did you mean run-as-non-root?"]),
    (["list", "--risk", "k5"], ["did you mean K05?"]),
    (["profiles", "strikt"], ["did you mean strict?"]),
    (["hook", "helm"], ["'helm' is not one of", "airflow"]),
    (["lock", "--charts", "--deep"], ["--charts goes with"]),
    # Words of other tools.
    (["lint", "."], ["No such command 'lint'", "write harden check"]),
    (["scan", "."], ["No such command 'scan'", "write harden check"]),
    (["fix", "."], ["No such command 'fix'", "write harden apply"]),
    (["version"], ["No such command 'version'", "write harden --version"]),
    (["help", "check"], ["write harden --help"]),
    (["report", "gone.json"], ["its commands are merge"]),
    (["baseline", "update"], ["its commands are write"]),
    (["check", "--dry-run"], ["harden diff shows the changes"]),
    (["check", "--severity", "HIGH"], ["--severity: write --fail-on SEVERITY"]),
    (["check", "--exit-code", "1"], ["--exit-code: write --fail-on SEVERITY"]),
    (["check", "-o", "json"], ["-o: write --format FORMAT"]),
    (["graph", "--output", "x.svg"], ["--output: write --format FORMAT", "> FILE"]),
    (["check", "--exclude", "latest-tag"], ["--skip ID for a transform", "exclude: in .harden.yaml for files"]),
    (["check", "--skip-check", "CKV_K8S_20"], ["write --skip ID"]),
    (["check", "--skip", "CKV_K8S_20"], ["unknown transform CKV_K8S_20", "harden explain CKV_K8S_20"]),
    (["check", "--manifest-dir", "full"], ["name files and folders without an option"]),
    (["check", "-R", "full"], ["folders are read with all that is below them"]),
    (["check", "--context", "kind-dev"], ["files are read, and no cluster"]),
    (["check", "--namespace", "shop", "full"], ["--namespace", "for one chart"]),
    (["apply", "web.yaml", "--force"], ["write --yes"]),
    (["check", "--no-color"], ["write --color never"]),
    (["check", "--fial-on", "high"], ["(did you mean --fail-on?)"]),
    (["undo", "--force"], ["No such option: --force"]),
    # Paths that are none.
    (["check", "https://git.example/shop.git"], ["an address is not read: clone or download it"]),
    (["diff", "git@git.example:shop.git"], ["an address is not read"]),
    (["check", "-"], ["harden filter < FILE"]),
    (["check", "web.yml"], ["web.yml: no such file or folder (did you mean web.yaml?)"]),
    (["check", "web.yaml,full"], ["separate paths by spaces: web.yaml full"]),
    (["golden", "verify", "full"], ["a case is a folder that has a folder named before"]),
    (["apply", "web.yaml", "--plan", "99"], ["--plan 99: the plan has", "harden plan lists them"]),
    # Values.
    (["check", "--fail-on", "HIGH"], ["did you mean high?"]),
    (["check", "--format", "SARIF"], ["did you mean sarif?"]),
    (["check", "--kubernetes-version", "1.3"], ["a Kubernetes version looks like 1.36"]),
    (["check", "--profile", "Restricted"], ["did you mean restricted?"]),
    (["explain", "CVE-2021-44228"], ["unknown id CVE-2021-44228; 'harden list' shows them all"]),
]

# What somebody writes in .harden.yaml, and words of the line that it gets.
SETTINGS: list[tuple[str, list[str]]] = [
    ("excludes: [legacy/]\n", ["unknown key excludes (did you mean exclude?): known are profile"]),
    ("profile: strikt\n", [".harden.yaml: unknown profile strikt (did you mean strict?)"]),
    ("max-grade: brekaing\n", ["max-grade: 'brekaing' is not one of safe, review, guess, breaking"]),
    ("- profile: strict\n", ["expected a mapping, got a list"]),
    ("peer-marks: 'no'\n", ["peer-marks: expected true or false, got a text"]),
    ("exceptions:\n- {id: run-as-user, reason: x}\n", ["exceptions[0].expires is missing"]),
    ("profile: [\n", [".harden.yaml:2: not valid YAML"]),
]


@pytest.mark.parametrize(("config", "wanted"), SETTINGS, ids=[config.split(":")[0] for config, _ in SETTINGS])
def test_a_wrong_configuration_gets_one_line(harden: Harden, tmp_path: Path, config: str, wanted: list[str]) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, ".harden.yaml": config})
    commit(tmp_path)
    done = harden("check")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("harden: .harden.yaml:") and done.err.count("\n") == 1
    assert all(word in done.err for word in wanted), done.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is full is of Linux")
def test_a_full_disk_is_no_internal_error(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hardener", "list", "--risk", "K05"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 2 and "No space left on device" in done.stderr and "internal error" not in done.stderr


@pytest.mark.parametrize(("words", "wanted"), USES, ids=[" ".join(words) for words, _ in USES])
def test_a_wrong_use_gets_one_line(harden: Harden, tmp_path: Path, words: list[str], wanted: list[str]) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "full/a.txt": ""})
    commit(tmp_path)
    done = harden(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("harden: ") and done.err.count("\n") == 1
    assert all(word in done.err for word in wanted), done.err


@pytest.mark.parametrize("command", ["diff", "apply", "check"])
@pytest.mark.parametrize(
    "text", [POD.replace("name: a}\nspec", "name: a\nspec"), "kind: Pod\n" + POD], ids=["no YAML", "a key twice"]
)
def test_what_is_refused_as_a_whole_is_no_success(harden: Harden, tmp_path: Path, command: str, text: str) -> None:
    write(tmp_path, {"bad.yaml": text})
    done = harden(command, "bad.yaml")
    assert done.status == 2 and "nothing was read" in done.all
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    assert harden(command, ".").status == (0 if command == "apply" else 1)  # the other one is read


def test_a_kind_with_two_letters_swapped_is_asked_about(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.yaml": POD.replace("kind: Pod", "kind: Pdo")})
    assert "has no kind Pdo: write Pod, if that is meant" in harden("check", "pod.yaml").out


@pytest.mark.parametrize("given", ["k8s", "k8s/web.yaml", "k8s/deep", "."])
def test_a_configuration_that_is_not_read_is_named(harden: Harden, tmp_path: Path, given: str) -> None:
    write(
        tmp_path,
        {"k8s/.harden.yaml": "profile: baseline\n", "k8s/web.yaml": DEPLOYMENT, "k8s/deep/web.yaml": DEPLOYMENT},
    )
    commit(tmp_path)
    line = "not read: k8s/.harden.yaml; the configuration is .harden.yaml, or the file of --config\n"
    assert line in harden("check", given).out


def test_the_configuration_that_is_read_is_not_named(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".harden.yaml": "profile: baseline\n", "k8s/web.yaml": DEPLOYMENT, "own.yaml": ""})
    commit(tmp_path)
    assert "not read: .harden.yaml" not in harden("check", "k8s").out
    line = "not read: .harden.yaml; own.yaml is the configuration\n"
    assert line in harden("check", "k8s", "--config", "own.yaml").out


def test_a_quiet_check_names_what_fails(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    out = harden("check", "--quiet").out
    assert out.startswith("check failed: ")
    assert re.search(r"^  medium seccomp-runtime-default  web.yaml:\d+ Deployment/web  ", out, re.M)
    assert "Impact" not in out
    write(
        tmp_path,
        {"web.yaml": POD.replace("Pod\n", "Secret\n").replace("spec: ", "stringData: {password: hunter29x}\nx: ")},
    )
    out = harden("check", "--quiet", "--fail-on", "critical").out
    assert "  critical secret-object-external  web.yaml:" in out and "hunter29x" not in out


def test_a_quiet_check_names_the_gravest_of_many(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.yaml": DEPLOYMENT.replace("web", f"web{number}") for number in range(4)})
    lines = harden("check", "--quiet").out.splitlines()
    named = [line for line in lines if line.startswith(("  medium ", "  low "))]
    assert len(named) == 20 and any("more; without --quiet the report lists them" in line for line in lines)


def test_list_takes_those_of_a_risk_and_of_a_severity(harden: Harden) -> None:
    def ids(*options: str) -> set[str]:
        return {line.split()[0] for line in harden("list", *options).out.splitlines() if line.startswith("  ")}

    network = ids("--risk", "k05")
    assert "netpol-workload" in network < ids()
    assert ids("--risk", "K05,K06") == network | ids("--risk", "K06")
    assert ids("--severity", "high") < ids("--severity", "medium") < ids("--severity", "low") == ids()
    assert ids("--risk", "K05", "--severity", "medium", "--profile", "baseline") < network
