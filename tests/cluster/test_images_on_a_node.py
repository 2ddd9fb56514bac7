"""Images with a number, a name, root, a low port or a filled folder start, or do not, as harden says of them; and what
``harden observe`` finds in the same cluster, as docs/observe.md has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from hardener.authoring.edits import Grade

from ..conftest import commit, run, write
from .made_images import CASES, STARTS, VARIANTS
from .node import Map, Node, started, write_archive

pytestmark = pytest.mark.skipif("GUESS" not in Grade.__members__, reason="needs the grade guess")
_WRITTEN = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {name}
---
apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: {name}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: registry.example.com/{name}:1
    resources: {{requests: {{cpu: 1m, memory: 8Mi}}, limits: {{cpu: "1", memory: 64Mi}}}}
    terminationMessagePolicy: FallbackToLogsOnError
{container}"""
_ALL = os.environ.get("HARDEN_CASES") == "all"
Key = tuple[str, str]  # a case, and what its pod has: "written", "default" or one of VARIANTS


@dataclass(frozen=True)
class Tried:
    """What a run at the default gate holds back and leaves, by case, and what each pod ends with: see ``Node.ends``."""

    held: dict[str, dict[str, Map]]
    pods: dict[str, Map]
    ends: dict[Key, str]

    def steps(self, name: str, variant: str) -> list[Map]:
        """The held-back steps of a case that a variant of its pod has."""
        return [self.held[name][id] for id in VARIANTS[variant] if id in self.held[name]]


@pytest.fixture(scope="module")
def kubelet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that has the images."""
    with started() as node:
        archive = tmp_path_factory.mktemp("images") / "images.tar"
        write_archive(archive, {f"registry.example.com/{name}:1": case.image for name, case in CASES.items()})
        node.load(archive)
        yield node


@pytest.fixture(scope="module")
def tried(kubelet: Node, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """All pods, at once."""
    report, pods = _hardened(tmp_path_factory.mktemp("default"))
    held: dict[str, dict[str, Map]] = {name: {} for name in CASES}
    for step in report["held"]:
        held[step["object"]["namespace"]][step["id"]] = step
    wanted = {(name, "default"): pods[name] for name in CASES}
    if _ALL:
        wanted |= {(name, "written"): list(yaml.safe_load_all(_written(name))) for name in CASES}
    for variant, ids in VARIANTS.items():
        accepted = _hardened(tmp_path_factory.mktemp(variant), *ids)[1]
        is_held = {name for name in CASES if held[name].keys() & set(ids)}
        asked = is_held if _ALL else {name for name, case in CASES.items() if variant in case.ends}
        wanted |= {(name, variant): accepted[name] for name in CASES if name in asked}
    only = {name: next(one for one in documents if one["kind"] == "Pod") for name, documents in pods.items()}
    return Tried(held, only, kubelet.ends(wanted))


def _written(name: str) -> str:
    return _WRITTEN.format(name=name, container=CASES[name].container)


def _hardened(folder: Path, *accepted: str) -> tuple[Map, dict[str, list[Map]]]:
    """The report of a run on a tree with all cases, and the objects that it leaves of each."""
    files = {"compose.yaml": "services:\n", ".harden.yaml": "images:\n"}
    for name, case in CASES.items():
        files[f"k8s/{name}.yaml"] = _written(name)
        if case.row:
            files[".harden.yaml"] += f"- {case.row}\n"
        if case.context:
            files["compose.yaml"] += f"  {name}: {{image: registry.example.com/{name}:1, build: {name}}}\n"
            files |= {f"{name}/{file}": text for file, text in case.context.items()}
    write(folder, files)
    commit(folder)
    options = [word for id in accepted for word in ("--accept", id)]
    done = run("apply", "k8s", "--format", "json", *options, cwd=folder)
    assert done.status == 0, done.err
    texts = {name: (folder / f"k8s/{name}.yaml").read_text(encoding="utf-8") for name in CASES}
    return json.loads(done.out), {name: list(yaml.safe_load_all(text)) for name, text in texts.items()}


def _controls(pod: Map) -> set[str]:
    """Those of ``Case.made`` that the container of ``pod`` has."""
    own, whole = pod["spec"]["containers"][0].get("securityContext", {}), pod["spec"].get("securityContext", {})
    capabilities = own.get("capabilities", {})
    drops_all = "ALL" in capabilities.get("drop", ()) and set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"}
    found = {
        "non-root": own.get("runAsNonRoot", whole.get("runAsNonRoot")) is True,
        "read-only": own.get("readOnlyRootFilesystem") is True,
        "drop-all": drops_all,
    }
    return {control for control, is_there in found.items() if is_there}


@pytest.mark.parametrize("name", CASES)
def test_the_pod_of_the_default_gate_stays_up(tried: Tried, name: str) -> None:
    assert _agrees(tried.ends[name, "default"], CASES[name].default)
    if _ALL:
        assert _agrees(tried.ends[name, "written"], CASES[name].written)


@pytest.mark.parametrize("name", CASES)
def test_what_is_known_is_made_and_what_is_not_waits(tried: Tried, name: str) -> None:
    assert _controls(tried.pods[name]) == set(CASES[name].made.split())
    own = tried.pods[name]["spec"]["containers"][0]["securityContext"]
    assert own["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(("name", "variant"), [(name, one) for name, case in CASES.items() for one in case.ends])
def test_what_is_held_back_does_what_its_grade_says(tried: Tried, name: str, variant: str) -> None:
    case = CASES[name]
    assert _agrees(tried.ends[name, variant], case.ends[variant])
    grades = {step["grade"] for step in tried.steps(name, variant)}
    if (sign := case.signs.get(variant)) is None:
        assert grades and grades <= {"guess", "breaking"}
    else:
        assert "breaking" in grades
        assert any(sign in fact["text"] for step in tried.steps(name, variant) for fact in step["evidence"])


@pytest.mark.skipif(not _ALL, reason="HARDEN_CASES=all tries out all that is held back")
def test_no_other_held_step_fails(tried: Tried) -> None:
    failed = [key for key, end in tried.ends.items() if key[1] in VARIANTS and end != STARTS]
    assert [
        (name, variant) for name, variant in failed if variant not in CASES[name].ends and CASES[name].default == STARTS
    ] == []


def _agrees(end: str, expected: str) -> bool:
    return end == STARTS if expected == STARTS else expected in end


# harden observe, with this cluster as its engine.

HOLD = (*(["number-unknown"] if _ALL else []), "root-unknown", "temporary-unknown")
FAILS = "home-unknown"
_RULES = ("read-only-root-filesystem", "drop-capabilities", "no-privilege-escalation")
_PROFILE = f"transforms: [{', '.join(_RULES)}]\n"
_IN_CLUSTER = ("--engine", "kubectl", "--context", "here", "--profile", "own.yaml", "--seconds", "2")
_PORTS = "    ports: [{containerPort: 8080}]\n"
_LABEL = "hardener.dev/observe"


def _tree(folder: Path) -> Path:
    """A tree with the cases that are observed, each in a namespace of its own."""
    manifests = {f"k8s/{name}.yaml": _written(name) + _PORTS for name in (*HOLD, FAILS)}
    write(folder, {"own.yaml": _PROFILE} | manifests)
    commit(folder)
    return folder


def _harden(node: Node, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hardener", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env=node.environment, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def observed(kubelet: Node, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Map]]:
    """A tree after ``harden observe`` in the cluster, and what that tells of each case."""
    folder = _tree(tmp_path_factory.mktemp("observed"))
    done = _harden(kubelet, folder, "observe", "k8s", *_IN_CLUSTER, "--yes", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert kubelet.namespaces(_LABEL) == []
    return folder, {each["namespace"]: each for each in json.loads(done.stdout)["workloads"]}


def test_what_answers_hardened_in_the_cluster_holds(observed: tuple[Path, dict[str, Map]]) -> None:
    for name in HOLD:
        found = observed[1][name]
        assert (found["state"], found["containers"][0]["listens"]) == ("held", ["8080/tcp"]), found
        as_it_is, hardened = found["notRestricted"][0], found["notRestricted"][-1]
        assert "allowPrivilegeEscalation" in as_it_is and "allowPrivilegeEscalation" not in hardened


def test_apply_takes_what_the_cluster_has_shown(kubelet: Node, observed: tuple[Path, dict[str, Map]]) -> None:
    """What holds comes up and serves; what is held back fails in the words that the report foretold."""
    folder, found = observed
    done = _harden(kubelet, folder, "apply", "k8s", "--profile", "own.yaml", "--format", "json", "--yes")
    held = [step for step in json.loads(done.stdout)["held"] if step["object"]["namespace"] == FAILS]
    (step,) = (step for step in held if step["id"] == "read-only-root-filesystem")
    foretold = next(each["because"] for each in found[FAILS]["failed"] if step["id"] in each["changes"])
    assert step["grade"] == "breaking" and any(foretold in fact["text"] for fact in step["evidence"])
    applied = {(name, "observed"): _documents(folder, name) for name in (*HOLD, FAILS)}
    accepted = ("--accept", "read-only-root-filesystem")
    _harden(kubelet, folder, "apply", "k8s", "--profile", "own.yaml", "--yes", *accepted)
    ends = kubelet.ends(applied | {(FAILS, "accepted"): _documents(folder, FAILS)})
    assert {key: end for key, end in ends.items() if key[1] == "observed"} == dict.fromkeys(applied, STARTS)
    assert "Read-only file system" in ends[FAILS, "accepted"]
    assert ends[FAILS, "accepted"] in foretold


def _documents(folder: Path, name: str) -> list[Map]:
    return list(yaml.safe_load_all((folder / f"k8s/{name}.yaml").read_text(encoding="utf-8")))


NOT_BEGUN = {
    "nobody agreed": (_IN_CLUSTER, "nobody can be asked here: look at the plan above, and add --yes"),
    "no context": (("--engine", "kubectl", "--yes"), "name the context with --context NAME"),
    "another engine": (("--context", "here", "--yes"), "--context names a cluster: it goes with --engine kubectl"),
    "no such context": (("--engine", "kubectl", "--context", "prod", "--yes"), "kubectl, context prod: "),
}


@pytest.mark.parametrize(("words", "why"), NOT_BEGUN.values(), ids=NOT_BEGUN)
def test_nothing_is_made_that_nobody_asked_for(kubelet: Node, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = _harden(kubelet, _tree(tmp_path), "observe", "k8s", *words)
    assert done.returncode == 2 and why in done.stderr.strip().splitlines()[-1]
    assert kubelet.namespaces(_LABEL) == [] and not (tmp_path / "harden.lock").exists()
    if "here" in words and "kubectl" in words:
        assert "https://127.0.0.1:" in done.stderr and "enforce: baseline, warn: restricted" in done.stderr


def test_a_killed_run_leaves_nothing_in_the_cluster(kubelet: Node, tmp_path: Path) -> None:
    words = ("observe", "k8s", *_IN_CLUSTER, "--yes", "--workload", "app")
    with subprocess.Popen(
        [sys.executable, "-m", "hardener", *words], cwd=_tree(tmp_path), env=kubelet.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while not kubelet.namespaces(_LABEL):
            assert process.poll() is None
            time.sleep(0.2)
        process.kill()
    until = time.monotonic() + 90
    while kubelet.namespaces(_LABEL) and time.monotonic() < until:
        time.sleep(0.2)
    assert kubelet.namespaces(_LABEL) == []
