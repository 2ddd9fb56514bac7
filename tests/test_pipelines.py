"""integrations/: the scripts of GitLab, Jenkins, Azure Pipelines, Flux and of the workflow that opens a pull request,
each line run by a shell as that host runs it. Only the line that installs harden is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from hardener.commands import init_files
from hardener.report import pages
from tests.built import builder
from tests.conftest import ROOT, commit, git, texts
from tests.test_formats import schema

FOLDER = ROOT / "integrations"
TOOLS = Path(sys.executable).parent
INSTALL = re.compile(
    r"""(?:"\$\w+/harden/bin/pip"|pip) install --quiet --require-hashes --only-binary :all: (?:\\{1,2}|-r .*)"""
    r"""|-r "\$\w+/harden-source/requirements\.lock" -r "\$\w+/harden-source/requirements-build\.lock\""""
    r"""|(?:"\$\w+/harden/bin/pip"|pip) install --quiet --no-index --no-deps --no-build-isolation (?:\\{1,2}|'.*')"""
    r"""|'hardener @ git\+https://HOST/OWNER/REPOSITORY@COMMIT'"""
    r"""|git clone --quiet --no-checkout https://HOST/OWNER/REPOSITORY \S+(?: && git -C .*)?"""
    r"""|git -C "\$\w+/harden-source" checkout --quiet COMMIT"""
    r"""|python3 -m venv "\$\w+/harden\"|# What the locks of that commit name, by hash\."""
)
pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with the example as ``k8s``."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop" / "k8s")
    commit(tmp_path / "shop")
    return tmp_path / "shop"


def script(lines: str, folder: Path, *shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``lines`` without those that install."""
    kept = [line for line in lines.splitlines() if not INSTALL.fullmatch(line.strip())]
    path = f"{environment.pop('PATH', '')}{os.pathsep}{TOOLS}{os.pathsep}{os.environ['PATH']}".lstrip(os.pathsep)
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **environment, "PATH": path}
    command = [*(shell or ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")), "\n".join(kept)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **settings})


def hardened(folder: Path) -> None:
    for command in ("apply k8s --max-grade safe --yes --quiet", "apply k8s --max-grade safe --yes --quiet"):
        done = script(f"harden {command}", folder)
        assert done.returncode == 0, done.stderr


def loaded(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


# -- GitLab

GITLAB = loaded("gitlab/harden.gitlab-ci.yml")


def test_recipes_are_what_init_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "installed_from", lambda: None)
    assert (FOLDER / "gitlab/harden.gitlab-ci.yml").read_text(encoding="utf-8") == init_files.gitlab(["k8s"])
    assert (FOLDER / "github/check.yaml").read_text(encoding="utf-8") == init_files.github(["k8s"])


def gitlab(job: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The lines of a job in one shell, with its variables, as a runner runs them: the first that fails ends it."""
    environment = GITLAB[job].get("variables", {}) | environment
    lines = [*GITLAB[GITLAB[job]["extends"]]["before_script"], *GITLAB[job]["script"]]
    assert INSTALL.fullmatch(lines[0])
    return script("\n".join(lines), folder, **environment)


def test_gitlab_checks_a_merge_request(shop: Path) -> None:
    done = gitlab("harden", shop)
    assert done.returncode == 1 and re.search(r"^check failed: ", done.stdout, re.M), done.stderr
    reports = GITLAB["harden"]["artifacts"]["reports"]
    quality = json.loads((shop / reports["codequality"]).read_text())
    schema("gitlab-code-quality").validate(quality)
    assert quality and ElementTree.parse(shop / reports["junit"]).findall(".//failure")
    hardened(shop)
    done = gitlab("harden", shop)
    assert done.returncode == 0, done.stdout


def test_gitlab_takes_options_in_one_place(shop: Path) -> None:
    options = "--max-grade review --baseline harden.baseline --fail-on high"
    assert options in (FOLDER / "gitlab/harden.gitlab-ci.yml").read_text(encoding="utf-8")
    assert script("harden baseline write k8s --max-grade review", shop).returncode == 0
    done = gitlab("harden", shop, HARDEN_OPTIONS=options)
    assert done.returncode == 0, done.stdout
    (shop / "k8s/debug.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: debug}\nspec:\n  hostPID: true\n"
        "  containers: [{name: sh, image: busybox, securityContext: {privileged: true}}]\n"
    )
    done = gitlab("harden", shop, HARDEN_OPTIONS=options)
    assert done.returncode == 1 and "check failed" in done.stdout, done.stdout


def test_gitlab_stops_at_what_could_not_be_looked_at(shop: Path) -> None:
    shutil.rmtree(shop / "k8s")
    done = gitlab("harden", shop)
    assert done.returncode not in (0,) and "harden: k8s: no such file or folder" in done.stderr
    assert "check failed" not in done.stdout


@pytest.fixture
def origin(shop: Path, tmp_path: Path) -> Path:
    """The repository that ``shop`` is a clone of; it takes push options."""
    bare = tmp_path / "origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(shop), str(bare)], check=True)
    git(bare, "config", "receive.advertisePushOptions", "true")
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ >"$GIT_DIR/options" || :\n')
    hook.chmod(0o755)
    git(shop, "remote", "add", "origin", str(bare))
    return bare


def test_gitlab_opens_a_merge_request(shop: Path, origin: Path) -> None:
    git(shop, "config", f"url.{origin}.insteadOf", "https://harden:t0ken@gitlab.example/shop/web.git")
    named = {"CI_DEFAULT_BRANCH": "main", "CI_SERVER_HOST": "gitlab.example", "CI_PROJECT_PATH": "shop/web"}
    done = gitlab("harden-merge-request", shop, **named, HARDEN_TOKEN="t0ken")
    assert done.returncode == 0, done.stderr
    changed = git(origin, "show", "--name-only", "--format=", "harden/safe").stdout.decode().split()
    assert changed and all(name.startswith("k8s/") for name in changed)
    options = (origin / "options").read_text()
    assert "merge_request.create" in options and "merge_request.target=main" in options
    assert (shop / "harden.md").read_text().startswith("<!-- harden -->")
    again = gitlab("harden-merge-request", shop, **named, HARDEN_TOKEN="wrong")
    assert again.returncode == 0, "nothing to change, so nothing is pushed"


# -- Jenkins, Azure Pipelines


def test_jenkins(shop: Path, tmp_path: Path) -> None:
    text = (FOLDER / "jenkins/Jenkinsfile").read_text(encoding="utf-8")
    install, check = re.findall(r"sh '''\n(.*?)'''", text, re.S)
    assert all(INSTALL.fullmatch(line.strip()) for line in install.strip().splitlines())
    done = script(check, shop, "sh", "-xe", "-c", WORKSPACE_TMP=str(tmp_path / "shop@tmp"))
    assert done.returncode == 1 and "check failed: " in done.stdout, done.stderr
    assert ElementTree.parse(shop / re.findall(r"testResults: '(.*?)'", text)[0]).findall(".//failure")
    schema("sarif-2.1.0").validate(json.loads((shop / re.findall(r"pattern: '(.*?)'", text)[0]).read_text()))
    hardened(shop)
    assert script(check, shop, "sh", "-xe", "-c", WORKSPACE_TMP=str(tmp_path)).returncode == 0


def test_azure_pipelines(shop: Path, tmp_path: Path) -> None:
    pipeline = loaded("azure/azure-pipelines.yml")
    install, check = (step["bash"] for step in pipeline["steps"] if "bash" in step)
    assert all(INSTALL.fullmatch(line.strip()) for line in install.strip().splitlines())
    done = script(check, shop, "bash", "-e", "-c", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert done.returncode == 1 and "check failed: " in done.stdout, done.stderr
    (publish,) = (step for step in pipeline["steps"] if step.get("task", "").startswith("PublishTestResults@"))
    file = publish["inputs"]["testResultsFiles"].replace("$(Agent.TempDirectory)", str(tmp_path))
    assert ElementTree.parse(file).findall(".//failure")
    assert "##vso[" not in done.stdout


# -- a pull request of GitHub

GH = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$GH_LOG"
case "$1 $2" in
"pr list") cat "$GH_OPEN" ;;
esac
"""


def test_the_workflow_that_opens_a_pull_request(shop: Path, origin: Path, tmp_path: Path) -> None:
    workflow = loaded("github/apply.yaml")
    steps = workflow["jobs"]["harden"]["steps"]
    action, (last,) = steps[1], (step for step in steps if "run" in step)
    assert "${{" not in last["run"] and set(action["with"]) <= {"command", "paths", "max-grade", "reports"}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "harden.markdown").write_text("<!-- harden -->\n")
    log, open_ones = tmp_path / "gh.log", tmp_path / "open"
    open_ones.write_text("")
    named = {"PATH": str(tmp_path / "bin"), "GH_TOKEN": "x", "BASE": "main", "REPORTS": str(tmp_path),
             "GH_LOG": str(log), "GH_OPEN": str(open_ones)}  # fmt: skip
    assert set(last["env"]) <= named.keys()
    assert "nothing to change" in script(last["run"], shop, **named).stdout and not log.exists()
    head = git(shop, "rev-parse", "HEAD").stdout
    hardened(shop)
    done = script(last["run"], shop, **named)
    assert done.returncode == 0, done.stderr
    assert git(origin, "rev-parse", "harden/safe^").stdout == head
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["list", "create"]
    # A week later the branch is there, and so is the pull request.
    git(shop, "switch", "--quiet", "--detach", head.decode().strip())
    hardened(shop)
    open_ones.write_text("7\n")
    assert script(last["run"], shop, **named).returncode == 0
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["list", "create", "list", "edit"]
    assert git(origin, "rev-parse", "harden/safe^").stdout == head


# -- Flux


@pytest.mark.kustomize
def test_flux_builds_with_the_component(shop: Path) -> None:
    """What its controller makes of ``path`` and ``components``: a kustomization with both."""
    text = (FOLDER / "flux/kustomization.yaml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^# +(harden apply .*)$", text, re.M)
    (shop / "k8s").rename(shop / "vendor")
    commit(shop)
    done = script(line, shop)
    assert done.returncode == 0, done.stderr
    spec = yaml.safe_load(text)["spec"]
    folder = shop / spec["path"]
    own = folder / "kustomization.yaml"
    own.write_text(own.read_text() + f"components: {json.dumps(spec['components'])}\n")
    built = subprocess.run([*builder("kustomize"), "vendor"], cwd=shop, capture_output=True, text=True)
    assert built.returncode == 0 and texts(built.stdout), built.stderr
    assert "readOnlyRootFilesystem: true" in built.stdout


@pytest.mark.parametrize("name", ["github/check.yaml", "github/apply.yaml"])
def test_workflows_name_inputs_of_the_action(name: str) -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    (job,) = loaded(name)["jobs"].values()
    (used,) = (step["with"] for step in job["steps"] if step["uses" if "uses" in step else "run"].startswith("OWNER/"))
    assert used.keys() <= inputs.keys()


# -- docs/ci.md, docs/configuration.md


def shown(page: str) -> list[str]:
    """The lines of the blocks of shell on a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [line for block in re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M) for line in block.splitlines()]


def test_the_page_of_pipelines_begins_with_what_init_does(shop: Path) -> None:
    (line,) = (line for line in shown("ci.md") if line.startswith("harden init"))
    done = script(line, shop)
    assert done.returncode == 0 and (shop / ".github/workflows/harden.yaml").exists(), done.stderr


@pytest.mark.parametrize("line", [line for line in shown("configuration.md") if line.startswith("harden explain")])
def test_what_the_page_of_configuration_explains(line: str, tmp_path: Path) -> None:
    done = script(line, tmp_path)
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 2, done.stderr


@pytest.mark.parametrize("page", ["ci.md", "configuration.md"])
def test_every_link_of_these_pages_leads_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
