"""What an expression starts is not known: nothing that could stop it is changed, and nothing about it is `safe`."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any, cast

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Change, Outcome
from hardener.facts.images import what_starts
from hardener.facts.images.what_starts import unknown_index, unknown_starts, unknown_word
from hardener.sources.open_values import Expression, opened
from hardener.support.data_path import Path as Place
from hardener.tree.core_views import Container, OpaqueError, PodTemplate
from hardener.tree.tree import Tree

from ..conftest import ROOT, write
from .handed_in import handed_in
from .programs import PROGRAMS

FIXTURES = Path(__file__).parent / "fixtures"
# What of a pod may change whatever starts there: docker filters system calls by the same profile, the log of the last
# words is read and not written, and one of two names of the account goes.
HOLDS_FOR_ANY = re.compile(
    r"\.securityContext(\.seccompProfile(\.type)?)?|\.terminationMessagePolicy|\.serviceAccount\w*"
)


def texts() -> dict[str, str]:
    """Every program that the tests have, by name."""
    found = {str(path.relative_to(FIXTURES)): path.read_text("utf-8") for path in sorted(FIXTURES.rglob("*.py"))}
    for path in sorted((ROOT / "golden").rglob("*.py")):
        if "before" in path.parts:
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
    return found | {f"programs: {name}": text for name, text in PROGRAMS.items()}


TEXTS = texts()


def ran(text: str, folder: Path, of: str = "restricted", upto: Grade = Grade.GUESS) -> Outcome:
    """A run with all that is not shown to break something, so that nothing waits as a guess either."""
    write(folder, {"program.py": text})
    return pipeline.run(Tree.read([str(folder)], root=str(folder)), profile.load(of), pipeline.Gate(upto))


def of_pods(outcome: Outcome) -> list[tuple[Change, PodTemplate]]:
    """The changes of the pods that the programs make, each with its pod."""
    pods = [*outcome.tree.pod_templates, *(pod for item in outcome.tree.fragments for pod in item.pods)]
    return [
        (change, pod)
        for change in outcome.changes
        for pod in pods
        if change.object.piece is pod.object.piece and change.path[: len(pod.path)] == pod.path
    ]


def runs_as_numbers(pod: PodTemplate, place: Place) -> bool:
    """Whether each container that ``runAsNonRoot`` at ``place`` reaches runs as a number that a person wrote."""
    below = place[len(pod.path) :]
    reached = [*pod.data.get("initContainers", ()), *pod.data["containers"]]
    if below[0] != "securityContext":
        reached = [pod.data[str(below[0])][below[1]]]
    of_pod = pod.data.get("securityContext", {}).get("runAsUser")
    return all(isinstance(each, dict) and each.get("securityContext", {}).get("runAsUser", of_pod) for each in reached)


@pytest.mark.parametrize("of", ["restricted", "strict"])
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.slow
def test_nothing_stops_an_image_that_comes_from_outside(name: str, of: str, tmp_path: Path) -> None:
    text, count = handed_in(TEXTS[name])
    if not count:
        pytest.skip("it names no image")
    wrong = []
    for change, pod in of_pods(ran(text, tmp_path, of)):
        place = "".join(f".{part}" for part in change.path[len(pod.path) :])
        if change.edit.grade is Grade.SAFE:
            wrong.append(f"{change.transform.id} {place} is safe")
        if place.endswith(".runAsNonRoot") and change.after is True and runs_as_numbers(pod, change.path):
            continue  # whatever it is, that stays
        if not re.search(rf"({HOLDS_FOR_ANY.pattern})$", place) or "runAs" in str(change.after):
            wrong.append(f"{change.transform.id} {place}: {change.after}")
    assert wrong == []


@pytest.mark.slow
def test_images_are_handed_in_everywhere() -> None:
    counts = {name: handed_in(text)[1] for name, text in TEXTS.items()}
    assert sum(counts.values()) > 120
    assert len([name for name, count in counts.items() if count]) > 60


X = Expression("${x}")
# The words, and the index of the one that leaves open what runs or where it writes; None where all of that is written.
WORDS: dict[str, tuple[list[str], int | None]] = {
    "nothing": (["/run"], None),
    "the program": ([X], 0),
    "the program of a template": (["{{ cmd }}", "--day", "1"], 0),
    "a program that envsubst fills in": (["${CMD}", "a"], 0),
    "a script of a shell": (["bash", "-c", X], 2),
    "a script of a template": (["bash", "-c", "{{ params.script }}"], 2),
    "the value of a template": (["/run", "--day", "{{ ds }}"], None),
    "a script with a template of its own": (["sh", "-c", "docker ps --format '{{.Names}}'"], None),
    "a script that a variable holds": (["sh", "-c", "${SCRIPT}"], None),
    "a part of a script": (["sh", "-c", Expression("exec app --day ${x}")], 2),
    "a script that is written": (["sh", "-c", 'exec app "$1"', X], None),
    "a file that a shell runs": (["bash", X], 1),
    "what a shell file is told": (["bash", "/run.sh", X], None),
    "a file that Python runs": (["python", X], 1),
    "what a Python file is told": (["python", "-u", "main.py", X], None),
    "code for Python": (["python3", "-c", X], 2),
    "what a module is told": (["python", "-m", "http.server", X], None),
    "a jar": (["java", "-jar", X], 2),
    "a flag of Java": (["java", Expression("-Xmx${m}"), "-jar", "/app.jar"], None),
    "an operand of an unknown program": (["/run", X], 1),
    "the value of a flag": (["/run", "--day", X], None),
    "the value in a flag": (["/run", Expression("--day=${x}")], None),
    "flags alone": (["/run", Expression("-${x}")], 1),
    "arguments of the entrypoint": (["--day", X], None),
    "a flag of the entrypoint": ([Expression("--day=${x}")], None),
    "behind a wrapper": (["tini", "--", X], 2),
    "what a wrapped program is told": (["tini", "--", "/run", "--day", X], None),
    "behind two wrappers": (["nice", "sudo", "-u", "web", X], 4),
    "an address": (["wget", "-O", "/data/x", X], None),
    "a place that is written": (["wget", "-O", X, "http://a"], 2),
    "a copy to anywhere": (["cp", "/a", X], 2),
    "a copy from anywhere": (["cp", X, "/data/a"], None),
    "a folder anywhere": (["mkdir", "-p", X], 2),
    "a folder below one that is written": (["mkdir", "-p", Expression("/data/${x}")], None),
    "variables of a shell": (["sh", "-c", "exec app --port ${PORT} $(cat /port)"], None),
    "a variable that the kubelet fills in": (["$(CMD)", "a"], None),
}


@pytest.mark.parametrize(("words", "index"), WORDS.values(), ids=WORDS)
def test_what_leaves_open_what_runs(words: list[str], index: int | None) -> None:
    assert unknown_index(words) == index


IMAGES = {
    "image": True, "None or image": True, "cfg.image": True, "image_of(name)": True, "f'{image}:1'": True,
    "f'registry.example.com/{name}:1'": True, "f'registry.example.com/web-{name}:1'": True, "'{{ image }}'": True,
    "'registry.example.com/web:1'": False, "f'registry.example.com/web:{tag}'": False,
    "f'{registry}/web:{tag}'": False, "'${REGISTRY}/web:1'": False,
}  # fmt: skip


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_known_by_its_name(image: str, tmp_path: Path) -> None:
    outcome = ran(KUBE.replace("IMAGE", image), tmp_path)
    changed = {change.transform.id for change in outcome.changes}
    assert (changed == {"seccomp-runtime-default"}) is IMAGES[image]
    assert ("run-as-user" in changed) is not IMAGES[image]


@pytest.mark.parametrize("image", IMAGES)
def test_of_an_image_that_is_an_expression_nothing_is_guessed(image: str, tmp_path: Path) -> None:
    outcome = ran(KUBE.replace("IMAGE", image), tmp_path, upto=Grade.REVIEW)
    guesses = {held.transform.id for held in outcome.guesses}
    about_user = {"run-as-user", "run-as-non-root", "read-only-root-filesystem", "drop-capabilities"}
    assert guesses == (set() if IMAGES[image] else about_user)
    assert "run-as-user" not in {change.transform.id for change in outcome.changes}


KUBE = """\
from kubernetes import client


def pod(image, words, more, port):
    return client.V1Pod(api_version="v1", kind="Pod", metadata=client.V1ObjectMeta(name="a"), spec=client.V1PodSpec(
        containers=[client.V1Container(name="a", image=IMAGE)]))


"""


def pod(containers: str, spec: str = "") -> str:
    return KUBE.replace('[client.V1Container(name="a", image=IMAGE)]', containers + spec)


OURS = 'client.V1Container(name="ours", image="registry.example.com/ours:1", command=["/ours"])'
THEIRS = 'client.V1Container(name="theirs", image=image)'


def fields(outcome: Outcome) -> dict[str, set[str]]:
    """The last keys of what is changed, by where: the name of a container, or "" for the pod."""
    found: dict[str, set[str]] = {}
    for change, pod_ in of_pods(outcome):
        below = change.path[len(pod_.path) :]
        in_container = below[0] in ("containers", "initContainers")
        where = pod_.data[str(below[0])][below[1]]["name"] if in_container else ""
        found.setdefault(where, set()).add(str([part for part in below if isinstance(part, str)][-1]))
    return found


def test_what_stands_beside_it_is_hardened_by_itself(tmp_path: Path) -> None:
    changed = fields(ran(pod(f"[{OURS}, {THEIRS}]"), tmp_path))
    assert changed[""] == {"type", "volumes"}  # the profile, and a /tmp for ours
    assert changed["ours"] >= {"runAsUser", "runAsNonRoot", "allowPrivilegeEscalation", "drop", "memory"}
    assert "theirs" not in changed


def test_what_may_be_added_inherits_no_user(tmp_path: Path) -> None:
    changed = fields(ran(pod(f"[{OURS}, *more]"), tmp_path))
    assert changed[""] == {"type", "volumes"}
    assert {"runAsUser", "runAsNonRoot"} <= changed["ours"]


def test_what_a_loop_makes_is_as_what_is_written(tmp_path: Path) -> None:
    changed = fields(ran(pod(f"[{OURS} for _ in more]"), tmp_path))
    assert {"runAsUser", "runAsNonRoot", "automountServiceAccountToken"} <= changed[""]


GRIPS = {
    "privileged": ("security_context=client.V1SecurityContext(privileged=True)", ""),
    "root": ("security_context=client.V1SecurityContext(run_as_user=0)", ""),
    "raised privileges": ("security_context=client.V1SecurityContext(allow_privilege_escalation=True)", ""),
    "no seccomp": (
        'security_context=client.V1SecurityContext(seccomp_profile=client.V1SeccompProfile(type="Unconfined"))', "",
    ),
    "the network of the node": ("", "host_network=True"),
    "the processes of the node": ("", "host_pid=True"),
    "a port of the node": ("ports=[client.V1ContainerPort(container_port=8080, host_port=8080)]", ""),
    "a folder of the node": (
        'volume_mounts=[client.V1VolumeMount(name="n", mount_path="/n")]',
        'volumes=[client.V1Volume(name="n", host_path=client.V1HostPathVolumeSource(path="/etc"))]',
    ),
    "the token": ("", "automount_service_account_token=True"),
}  # fmt: skip


@pytest.mark.parametrize(("container", "spec"), GRIPS.values(), ids=GRIPS)
def test_what_it_is_given_is_not_taken(container: str, spec: str, tmp_path: Path) -> None:
    theirs = THEIRS[:-1] + (f", {container})" if container else ")")
    outcome = ran(pod(f"[{theirs}]", f", {spec}" if spec else ""), tmp_path)
    assert {change.transform.id for change in outcome.changes} <= {"seccomp-runtime-default"}
    assert [finding for finding in outcome.findings if finding.id == "opaque-value" and "image" in finding.message]


COMMANDS = {
    "a parameter": "command=words",
    "a call": "command=made(words)",
    "a conditional": 'command=["/ours"] if words else ["/other"]',
    "a list that gets more": 'command=["sh", *words]',
    "a script that is a parameter": 'command=["sh", "-c", words]',
    "a script that is put together": 'command=["sh", "-c", "exec " + words]',
    "a program that is an attribute": "command=[words.program]",
    "a name that is assigned twice": 'command=["sh", "-c", twice]',
    "arguments": "args=words",
    "a hook": 'command=["/ours"], lifecycle=client.V1Lifecycle(post_start=client.V1LifecycleHandler('
    '_exec=client.V1ExecAction(command=["sh", "-c", words])))',
    "settings of a text": "args=words.split()",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_an_unknown_command_needs_is_not_known(command: str, tmp_path: Path) -> None:
    program = pod(f'[client.V1Container(name="ours", image="registry.example.com/ours:1", {command})]')
    outcome = ran("twice = 1\nif more:\n    twice = 2\n" + program, tmp_path)
    assert {change.transform.id for change in outcome.changes} == {"seccomp-runtime-default"}
    (said,) = [each for each in outcome.findings if each.id == "opaque-value" and "run-as-user" in each.message]
    assert {"run-as-non-root", "drop-capabilities", "memory-limit", "automount-token"} <= set(
        said.message.replace(",", "").split()
    )
    assert "(line " in said.message and said.advice.startswith("check what calls it")


def test_of_a_script_the_expressions_are_shown_alone(tmp_path: Path) -> None:
    script = 'command=["sh", "-c", f"run --key hunter2 {words.day} {more} {words.day}"]'
    outcome = ran(pod(f'[client.V1Container(name="a", image="registry.example.com/a:1", {script})]'), tmp_path)
    (said,) = [each.message for each in outcome.findings if each.id == "opaque-value" and "command" in each.message]
    assert 'command[2] is an f-string: f"...{words.day}...{more}..." (line 6)' in said
    assert not [each for each in outcome.findings if "hunter2" in each.message]


def test_signs_of_need_are_seen_beside_what_is_not_known(tmp_path: Path) -> None:
    command = 'command=["sh", "-c", f"apt-get install -y {words} && exec {image}"]'
    outcome = ran(pod(f'[client.V1Container(name="a", image="registry.example.com/a:1", {command})]'), tmp_path)
    held = {each.transform.id: each.changes[0].edit.evidence[0].text for each in outcome.held}
    assert held["run-as-user"] == held["run-as-non-root"] == "container a runs apt-get"
    assert {change.transform.id for change in outcome.changes} == {"seccomp-runtime-default"}


def test_an_expression_that_is_a_value_keeps_nothing_but_the_root_file_system(tmp_path: Path) -> None:
    ours = OURS.replace('["/ours"]', '["/ours", "--day", words]')
    outcome = ran(pod(f"[{ours}]"), tmp_path)
    assert {"runAsUser", "runAsNonRoot"} <= fields(outcome)[""]
    assert "readOnlyRootFilesystem" not in fields(outcome)["ours"]
    assert {change.edit.grade for change in outcome.changes} == {Grade.REVIEW, Grade.GUESS}
    (said,) = [finding.message for finding in outcome.findings if "words" in finding.message]
    assert said == (
        "spec.containers[0].command[2] is a parameter: words (line 6), so read-only-root-filesystem is not decided"
    )


def test_variables_that_are_not_known_may_name_a_folder(tmp_path: Path) -> None:
    outcome = ran(pod(f"[{OURS[:-1]}, env=more)]"), tmp_path)
    assert "readOnlyRootFilesystem" not in fields(outcome)["ours"] and "runAsUser" in fields(outcome)[""]


def test_ports_that_are_not_known_may_be_low(tmp_path: Path) -> None:
    outcome = ran(pod(f"[{OURS[:-1]}, ports=[client.V1ContainerPort(container_port=80), *more])]"), tmp_path)
    assert "drop" not in fields(outcome).get("ours", set())


def test_a_container_that_is_made_apart_keeps_the_user_of_its_volumes(tmp_path: Path) -> None:
    mounts = 'volume_mounts=[client.V1VolumeMount(name="data", mount_path="/data"READ_ONLY)]'
    program = f"from kubernetes import client\n\nours = {OURS[:-1]}, {mounts})\n"
    (tmp_path / "rw").mkdir()
    writable = ran(program.replace("READ_ONLY", ""), tmp_path / "rw")
    assert {"runAsUser", "runAsNonRoot", "drop", "add"}.isdisjoint(fields(writable)["ours"])
    assert {held.transform.id: held.grade for held in writable.held}["run-as-non-root"] is Grade.BREAKING  # alone
    (said,) = [each for each in writable.findings if "volumeMounts" in each.message]
    assert "mounts a volume of a pod that is made elsewhere" in said.message
    assert said.advice.startswith("set the user where the pod is made")
    (tmp_path / "ro").mkdir()
    assert "runAsUser" in fields(ran(program.replace("READ_ONLY", ", read_only=True"), tmp_path / "ro"))["ours"]


# Name: the container of a program, and the same as YAML.
TWINS = {
    "a download": (
        'client.V1Container(name="a", image="busybox:1.35.0", command=["wget", "-O", "/jmx/x.jar", url])',
        "{name: a, image: busybox:1.35.0, command: [wget, -O, /jmx/x.jar, http://x/y.jar]}",
    ),
    "a download to a volume": (
        'client.V1Container(name="a", image="busybox:1.35.0", command=["wget", "-O", "/jmx/x.jar", url],'
        ' volume_mounts=[client.V1VolumeMount(name="jmx", mount_path="/jmx")])',
        "{name: a, image: busybox:1.35.0, command: [wget, -O, /jmx/x.jar, http://x/y.jar],"
        " volumeMounts: [{name: jmx, mountPath: /jmx}]}",
    ),
    "packages, as root": (
        'client.V1Container(name="a", image="python:3.11-slim", command=["/bin/sh", "-c"],'
        ' args=[f"pip install requests && python3 -c {url}"],'
        " security_context=client.V1SecurityContext(run_as_user=0))",
        "{name: a, image: python:3.11-slim, command: [/bin/sh, -c], args: [pip install requests && python3 -c x],"
        " securityContext: {runAsUser: 0}}",
    ),
    "MPI": (
        'client.V1Container(name="a", image="kubeflow/mpi", command=["mpirun"], args=["--allow-run-as-root", url])',
        "{name: a, image: kubeflow/mpi, command: [mpirun], args: [--allow-run-as-root, /t.py]}",
    ),
    "a chown": (
        'client.V1Container(name="a", image=url, command=["sh", "-c", "chown -R crate:crate /resource"])',
        '{name: a, image: crate:5, command: [sh, -c, "chown -R crate:crate /resource"]}',
    ),
}
TWIN = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes: [{name: jmx, emptyDir: {}}]
  containers:
  - CONTAINER
"""


@pytest.mark.parametrize(("made", "written"), TWINS.values(), ids=TWINS)
def test_a_program_gets_no_more_than_its_twin(made: str, written: str, tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    (tmp_path / "made").mkdir()
    write(tmp_path / "twin", {"pod.yaml": TWIN.replace("CONTAINER", written)})
    twin = pipeline.run(
        Tree.read([str(tmp_path / "twin")], root=str(tmp_path)), profile.load("restricted"), pipeline.Gate(Grade.GUESS)
    )
    program = ran(f"from kubernetes import client\n\n\ndef init(url):\n    return {made}\n", tmp_path / "made")
    ours, theirs = (
        {(change.transform.id, str(change.path[-1]), str(change.after)) for change in outcome.changes}
        for outcome in (program, twin)
    )
    assert ours <= theirs
    assert ("seccomp-runtime-default", "type", "RuntimeDefault") in ours


# Name: a container in YAML, and whether an expression decides what starts.
TEMPLATES = {
    "an image": ('{name: a, image: "${IMAGE}"}', True),
    "an image of a chart": ('{name: a, image: "{{ .Values.image }}"}', True),
    "a registry and a tag": ('{name: a, image: "${REGISTRY}/web:${TAG}"}', False),
    "all arguments": ('{name: a, image: "example.com/web:1", args: "${ARGS}"}', True),
    "a program": ('{name: a, image: "example.com/web:1", command: ["${CMD}"]}', True),
    "a variable of a shell": ('{name: a, image: "example.com/web:1", command: [sh, -c, "exec web ${PORT}"]}', False),
    "a variable of the kubelet": ('{name: a, image: "example.com/web:1", args: ["--port=$(PORT)"]}', False),
}


@pytest.mark.parametrize(("container", "is_open"), TEMPLATES.values(), ids=TEMPLATES)
def test_templates_of_yaml(container: str, is_open: bool, tmp_path: Path) -> None:
    write(tmp_path, {"pod.yaml": TWIN.replace("CONTAINER", container)})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.GUESS))
    changed = {change.transform.id for change in outcome.changes}
    assert ("run-as-user" in changed) is not is_open
    assert ("drop-capabilities" in changed) is not is_open


_WORDS: list[Any] = [
    "sh", "-c", "exec web ${PORT}", "--a=$(B)", "${CMD}", "{{ .Values.a }}", "$HOME", "a", None, 1, True, ["a"],
    Expression("${cmd}"), Expression("web"),
]  # fmt: skip


def _some_list(draw: random.Random) -> Any:
    plain = draw.random() < 0.5
    words = [draw.choice(["web", "-v", "80", None] if plain else _WORDS) for _ in range(draw.randrange(3))]
    odd = [None, "web", "${ARGS}", {"a": 1}, 3, opened(words, "*more"), opened(words, "each", alike=True)]
    return draw.choice(odd) if draw.random() < 0.2 else words


def _some_container(draw: random.Random) -> dict[str, Any]:
    images = ["web:1", "web:1", "${IMAGE}", "web:${TAG}", "{{ a }}", None, 5, Expression("${image}"), ["a"]]
    found: dict[str, Any] = {"name": "a", "image": draw.choice(images)}
    found |= {key: _some_list(draw) for key in ("command", "args") if draw.random() < 0.5}
    if draw.random() < 0.4:
        hook: Any = {"exec": {"command": _some_list(draw)}}
        hook = draw.choice([hook, hook, hook, {"exec": None}, {"exec": "${A}"}, None, "a", "{{ a }}", {}])
        hook = opened(hook, "**hook") if isinstance(hook, dict) and draw.random() < 0.1 else hook
        found["lifecycle"] = {draw.choice(["postStart", "preStop"]): hook}
        found["lifecycle"] = draw.choice([found["lifecycle"]] * 8 + [None, "a", "${LIFE}", opened({}, "**life")])
    return cast("dict[str, Any]", opened(found, "**more")) if draw.random() < 0.05 else found


def _told(data: dict[str, Any]) -> list[str]:
    container = Container(cast("Any", None), (0, "spec", "containers", 0), data)
    found: list[OpaqueError | None] = [*unknown_starts(container), None, unknown_word(container)]
    return [str(each) for each in found]


def test_what_is_plain_needs_no_closer_look(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(1)
    containers = [_some_container(draw) for _ in range(5000)]
    quick = [_told(data) for data in containers]
    looked = [what_starts.is_plain(data) for data in containers]
    assert 500 < sum(looked) < 4500
    monkeypatch.setattr(what_starts, "is_plain", lambda container: False)
    assert quick == [_told(data) for data in containers]
