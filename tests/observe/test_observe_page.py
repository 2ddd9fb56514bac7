"""docs/observe.md: its first run, and the numbers that it names.

``HARDEN_OBSERVE=all`` does the first run. An ordinary run of the tests only prints what it came to.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hardener.observe import (
    accepted,
    application,
    container_options,
    engine,
    engine_environment,
    halving,
    pod_run,
    probes,
)
from hardener.observe.container_activity import Activity
from hardener.observe.questions import Answer, Question
from hardener.observe.results import Failure, Result
from hardener.observe.supported_fields import unsupported
from hardener.report.observed import Graded, Observed, lines_of

from ..conftest import write
from ..shown import block, blocks, hold, read
from . import workloads as known
from .ground import ALL, Ground

PAGE = "docs/observe.md"
HEADING = "A first run"


def _manifests() -> dict[str, str]:
    """The tree of the page."""
    probe = "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}\n"
    mount = "volumeMounts: [{name: data, mountPath: /data}]\n"
    claim = "  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {accessModes: [ReadWriteOnce]}\n"
    found = {
        "orders": known.workload("orders", "registry.example.com/shop/orders:1.0.0", probe),
        "store": known.workload("store", "redis:7.2.4", mount, kind="StatefulSet")
        + claim
        + known.service("store", 6379),
        "web": known.workload("web", "nginx:1.27.3", "ports: [{containerPort: 80}]\n"),
    }
    named = {
        name: re.sub(r"  name: (\w+)\n(?=spec)", r"  name: \1\n  namespace: shop\n", text)
        for name, text in found.items()
    }
    return {f"k8s/{name}.yaml": text.replace("- name: main", f"- name: {name}") for name, text in named.items()}


def _stable(text: str) -> list[str]:
    """The lines of a report without what differs from run to run: seconds, memory, versions."""
    text = re.sub(r"\b\d+ s\b", "N s", re.sub(r"podman [\d.]+", "podman", text))
    return [re.sub(r" +", " ", re.sub(r"\d+ Mi$", "N Mi", line)) for line in text.splitlines()]


@pytest.mark.skipif(not ALL, reason="HARDEN_OBSERVE=all")
def test_the_first_run(ground: Ground, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = ground.tree(
        tmp_path / "tree", _manifests(), ["r.example/shop/orders:1.0.0", "redis:7.2.4", "nginx:1.27.3"]
    )
    config = (folder / ".harden.yaml").read_text(encoding="utf-8").replace("r.example", "registry.example.com")
    write(folder, {".harden.yaml": config})
    observe, apply = block(PAGE, "sh", HEADING).splitlines()
    table, held, *_ = blocks(PAGE, "text", HEADING)
    said = ground.harden(*observe.split()[1:], cwd=folder)
    assert said.status == 0, said.all
    now = table if _stable(said.out) == _stable(table) else said.out
    hold(request, PAGE, f"```text\n{table}```\n", f"```text\n{now}```\n")
    entry = yaml.safe_load((folder / "harden.lock").read_text(encoding="utf-8"))["images"]
    (seen,) = entry["registry.example.com/shop/orders:1.0.0"]["observed"]
    because = seen["failed"][known.READ_ONLY]["because"]
    assert seen["occupied"] == ["/app"] and because in table and because in held
    applied = ground.harden(*apply.split()[1:], "--yes", "-v", cwd=folder)
    shown = re.search(rf"^  {known.READ_ONLY} K01 medium breaking .*\n.*\n", applied.out, re.M)
    assert shown is not None, applied.all
    assert [re.sub(r"\(.*?\)|:\d+ ", "", line) for line in shown[0].splitlines()] == [
        re.sub(r"\(.*?\)|:\d+ ", "", line) for line in held.splitlines()
    ]


def test_a_report_looks_as_on_the_page() -> None:
    mib = 1024 * 1024
    because = "Read-only file system: orders writes to /app, where no volume is"
    results = [
        _result("Deployment/orders", "partly", Answer(Question("8080/tcp", "HTTP"), "200"), {"/app"}, 14 * mib),
        _result("StatefulSet/store", "held", Answer(Question("6379/tcp", "Redis"), "+PONG"), set(), 15 * mib - 1),
        _result(
            "Deployment/web", "held", Answer(Question("80/tcp", "HTTP"), "200"), {"/run", "/var/cache/nginx"}, 13 * mib
        ),
    ]
    results[0].failed.append(Failure((known.READ_ONLY,), because))
    observed = Observed("podman 5.4.2", 20, results, Graded(27, 22, 0), Graded(27, 19, 3), written=True)
    assert [*lines_of(observed)] == block(PAGE, "text", HEADING).splitlines()


def _result(key: str, state: str, answer: Answer, wrote: set[str], memory: int) -> Result:
    seen = Activity(wrote=wrote, memory=memory, answers=[answer])
    seen_of: list[tuple[str, str, str | None, Activity]] = [("main", "image", "sha256:1", seen)]
    shown: dict[str, tuple[str, ...]] = {"main": (str(answer),)}
    return Result(
        key, "shop", "k8s/all.yaml", 1, state, runs=3, containers=seen_of, held=["drop-capabilities"], shown=shown
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "doubts", "said"),
    [
        ((), (), "  shop/Deployment/web came up; nobody asked it anything"),
        (("22/tcp SSH",), ("nobody logged in",), "  shop/Deployment/web came up; nobody logged in"),
        (("80/tcp GET / 200",), (), None),
    ],
)
def test_a_report_says_what_nobody_saw(shown: tuple[str, ...], doubts: tuple[str, ...], said: str | None) -> None:
    result = _result("Deployment/web", "held", Answer(Question("80/tcp", "HTTP"), "200"), set(), 1)
    result.shown, result.doubts = {"main": shown}, {"main": doubts}
    found = [line for line in lines_of(Observed("podman 5.4.2", 20, [result])) if "came up;" in line]
    assert found == ([said] if said else [])


def test_nobody_has_run_what_is_not_run() -> None:
    result = Result("Deployment/agent", None, "a.yaml", 1, "refused", "it needs the node: hostNetwork")
    lines = [*lines_of(Observed("podman 5.4.2", 20, [result]))]
    assert "  Nobody has run them: what is a guess about them stays one." in lines


def test_the_page_names_the_limits_of_the_program() -> None:
    text = read(PAGE)
    limits = re.findall(r"^\| (memory|processes|one file|disk of the engine) \| ([\d,]+)(?: GiB)?\b", text, re.M)
    assert {what: int(number.replace(",", "")) for what, number in limits} == {
        "memory": container_options.MOST_MEMORY >> 30, "processes": container_options._MOST_PROCESSES,
        "one file": container_options._MOST_FILE >> 30, "disk of the engine": pod_run._DISK >> 30,
    }  # fmt: skip
    for said in (
        f"{pod_run._MOST_SECONDS:.0f} s to come up, {pod_run._INIT_SECONDS:.0f} s for an init container",
        f"{pod_run._MOST_RESTARTS} restarts", f"at least {pod_run._LEAST_SECONDS:.0f} s", f"`{engine.LABEL}`",
        f"At most {halving.MOST} runs",
    ):  # fmt: skip
        assert said in text, said


def test_the_page_names_what_an_engine_gets_of_the_environment() -> None:
    rows = re.findall(r"^\| (every call, [^|]*|a pull of an image|Windows) \| (.*) \|$", read(PAGE), re.M)
    on_page = {what.removeprefix("every call, "): re.findall(r"`(\w+)`", names) for what, names in rows}
    assert on_page == {what: names.split() for what, names in engine_environment.SETTINGS.items()} | {
        "a pull of an image": engine_environment.FOR_A_PULL.split(), "Windows": engine_environment._OF_WINDOWS.split(),
    }  # fmt: skip
    assert all(f"{name}={value}" in read(PAGE) for name, value in engine_environment.FIXED.items())
    ends = engine_environment._HELD.pattern.partition("(?:KEY")[2].rstrip(")").split("|")
    assert all(f"`_{end}`" in read(PAGE) for end in ["KEY", *filter(None, ends)])


def test_the_page_names_the_bounds_of_a_pod() -> None:
    most = {keys[0]: number for keys, number in accepted._MOST.items()}
    for said in (
        f"| {(accepted.MOST_OF_A_VALUE + 1) >> 10} KiB, with", f"| {accepted.MOST_OF_A_CONTAINER >> 20} MiB each |",
        f"| {most['containers']} containers, {most['initContainers']} init containers, {most['volumes']} volumes |",
        f"| {application._MOST_WORKLOADS} workloads |", f"{probes._LONGEST} s for one answer of a probe",
    ):  # fmt: skip
        assert said in read(PAGE), said


@pytest.mark.parametrize(
    "pod",
    [
        {"volumes": [{"name": "engine", "hostPath": {"path": "/var/run/docker.sock"}}]},
        {"containers": [{"image": "a", "resources": {"limits": {"nvidia.com/gpu": 1}}}]},
        {"containers": [{"image": "a", "securityContext": {"privileged": True}}]},
        {"hostUsers": False},
        {"containers": [{"image": "a", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]},
        {"containers": [{"image": "a", "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]},
        {"containers": [{"image": "a", "env": [{"name": "*"}]}]},
    ],
    ids=["a folder of the node", "a device", "privileged", "a user namespace", "seccomp", "a capability", "a variable"],
)
def test_the_page_says_what_is_said_of_a_pod_that_cannot_be_run(pod: dict[str, object]) -> None:
    why = unsupported(pod)
    assert why is not None
    said = why if why.startswith(("it needs", "hostUsers")) else why.partition(": ")[2].removeprefix("NET_ADMIN ")
    assert said in read(PAGE)
