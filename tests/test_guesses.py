"""A change whose deciding fact is not known waits: what an unknown image gets all the same, and what is said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.tree.tree import Tree
from tests.conftest import DEPLOYMENT, Harden, commit, write

LABELS = {"app": "x"}
OF_USERS = ("runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "readOnlyRootFilesystem")
WAITING = {"run-as-user", "run-as-non-root", "drop-capabilities", "read-only-root-filesystem"}
CLAIM: dict[str, Any] = {
    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}  # fmt: skip
VOLUMES: dict[str, dict[str, Any]] = {
    "scratch": {"emptyDir": {}},
    "data": {"persistentVolumeClaim": {"claimName": "data"}},
    "settings": {"configMap": {"name": "settings"}},
}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def mapping(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of those keys whose strategy gives no None."""
    return st.fixed_dictionaries(parts).map(lambda found: {k: v for k, v in found.items() if v is not None})


CONTAINERS = mapping(
    command=maybe(st.sampled_from([["/srv/run"], ["/srv/run", "--verbose"]])),
    securityContext=maybe(
        mapping(
            privileged=maybe(st.booleans()), runAsUser=maybe(st.just(0)), runAsNonRoot=maybe(st.just(False)),
        )
    ),
    ports=maybe(st.just([{"containerPort": 8080}])),
    volumeMounts=st.lists(st.sampled_from(sorted(VOLUMES)), unique=True, max_size=2).map(
        lambda names: [{"name": name, "mountPath": f"/mnt/{name}"} for name in names] or None
    ),
)  # fmt: skip
PODS = mapping(
    containers=st.lists(CONTAINERS, min_size=1, max_size=3),
    initContainers=maybe(st.lists(CONTAINERS, min_size=1, max_size=2)),
    securityContext=maybe(mapping(runAsUser=maybe(st.just(0)), runAsNonRoot=maybe(st.just(False)))),
    hostNetwork=maybe(st.booleans()),
    hostPID=maybe(st.booleans()),
)


def workload(spec: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of ``spec``, whose containers get names and images of their own, and the volumes that they mount."""
    spec = json.loads(json.dumps(spec))
    for place, container in enumerate(every_container(spec)):
        container |= {"name": f"c{place}", "image": f"registry.unknown.test/team/x{place}:1"}
    mounted = {mount["name"] for container in every_container(spec) for mount in container.get("volumeMounts", ())}
    if mounted:
        spec["volumes"] = [{"name": name, **VOLUMES[name]} for name in sorted(mounted)]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
        "spec": {"selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": spec}},
    }  # fmt: skip


def every_container(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec.get("initContainers", ()), *spec["containers"]]


def ran(text: str, upto: Grade = Grade.REVIEW) -> tuple[Outcome, str, dict[str, Any]]:
    """The outcome, the text that it leaves, and the pod of that."""
    outcome = pipeline.run(Tree.from_text(text), profile.load("restricted"), pipeline.Gate(upto))
    assert [refused.reason for refused in outcome.refused] == []
    left = outcome.files[0].text if outcome.files else text
    (item,) = (each for each in yaml.safe_load_all(left) if each["kind"] == "Deployment")
    return outcome, left, item["spec"]["template"]["spec"]


def settings_of_users(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """What holds for users, groups and root file systems in each container."""
    of_pod = spec.get("securityContext", {})
    contexts = [of_pod | container.get("securityContext", {}) for container in every_container(spec)]
    return [{key: context[key] for key in OF_USERS if key in context} for context in contexts]


def said(outcome: Outcome) -> list[tuple[str, Grade]]:
    return sorted((held.transform.id, held.grade) for held in outcome.held)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(spec=PODS)
def test_an_image_that_nothing_knows_gets_all_that_does_not_depend_on_it(spec: dict[str, Any]) -> None:
    item = workload(spec)
    text = "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in (item, CLAIM))
    outcome, left, pod = ran(text)
    before = item["spec"]["template"]["spec"]
    assert settings_of_users(pod) == settings_of_users(before)
    for container in every_container(pod):
        gets_what_holds_for_any(container, pod)
    assert not {"hostNetwork", "hostPID"} & {key for key, value in pod.items() if value is True}
    assert pod["automountServiceAccountToken"] is False
    assert {held.grade for held in outcome.held} == {Grade.GUESS}  # nothing speaks against any of them
    again, text_again, _ = ran(left)
    assert text_again == left and said(again) == said(outcome)
    guessed, _, as_guessed = ran(text, Grade.GUESS)
    assert not guessed.guesses
    assert all(runs_as_another(container, as_guessed) for container in every_container(as_guessed))


def gets_what_holds_for_any(container: dict[str, Any], pod: dict[str, Any]) -> None:
    context = container["securityContext"]
    assert context.get("privileged") is not True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["NET_RAW"]}
    profile_of = context.get("seccompProfile") or pod["securityContext"]["seccompProfile"]
    assert profile_of == {"type": "RuntimeDefault"}
    assert {"cpu", "memory"} == container["resources"]["requests"].keys() == container["resources"]["limits"].keys()


def runs_as_another(container: dict[str, Any], pod: dict[str, Any]) -> bool:
    context = pod.get("securityContext", {}) | container["securityContext"]
    return bool(context.get("runAsUser") and context.get("runAsNonRoot") and context.get("readOnlyRootFilesystem"))


SIGNS: dict[str, dict[str, Any]] = {
    "a command": {"command": ["nsenter", "-t", "1"]},
    "a device": {"args": ["--device=/dev/kvm"]},
}


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("beside", [{}, {"runAsUser": 0}, {"runAsNonRoot": False}], ids=str)
def test_beside_what_stays_privileged_everything_is_valid(sign: dict[str, Any], beside: dict[str, Any]) -> None:
    """An API server refuses allowPrivilegeEscalation: false beside it."""
    item = workload({"containers": [{**sign, "securityContext": {"privileged": True, **beside}}, {}]})
    outcome, _, pod = ran(yaml.safe_dump(item))
    kept, other = pod["containers"]
    assert kept["securityContext"]["privileged"] is True
    assert kept["securityContext"].get("allowPrivilegeEscalation") is not False
    gets_what_holds_for_any(other, pod)
    assert {(held.transform.id, held.grade) for held in outcome.held} >= {("no-privileged", Grade.BREAKING)}
    assert settings_of_users(pod) == settings_of_users(item["spec"]["template"]["spec"])


@pytest.mark.parametrize(
    ("beside", "image", "grade"),
    [
        ({"runAsUser": 0}, "registry.unknown.test/team/x:1", Grade.GUESS),
        ({"runAsNonRoot": False}, "registry.unknown.test/team/x:1", Grade.GUESS),
        ({}, "registry.unknown.test/team/x:1", None),  # made
        ({"runAsUser": 0}, "nginx:1.27.3", None),
    ],
    ids=str,
)
def test_privilege_escalation_that_is_written_beside_root_waits_where_nothing_is_known(
    beside: dict[str, Any], image: str, grade: Grade | None
) -> None:
    item = workload({"containers": [{"securityContext": {"allowPrivilegeEscalation": True, **beside}}]})
    item["spec"]["template"]["spec"]["containers"][0]["image"] = image
    outcome, _, pod = ran(yaml.safe_dump(item))
    assert dict(said(outcome)).get("no-privilege-escalation") is grade
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is (grade is not None)
    _, _, pod = ran(yaml.safe_dump(item), Grade.GUESS)
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False


def test_a_pod_is_split_by_container() -> None:
    item = workload({"containers": [{}, {}]})
    known, unknown = item["spec"]["template"]["spec"]["containers"]
    known["image"] = "nginxinc/nginx-unprivileged:1.27"
    outcome, _, pod = ran(yaml.safe_dump(item))
    known, unknown = pod["containers"]
    assert known["securityContext"]["runAsNonRoot"] is True
    assert known["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    gets_what_holds_for_any(unknown, pod)
    assert not set(OF_USERS) & {*unknown["securityContext"], *pod["securityContext"]}
    assert {held.transform.id for held in outcome.guesses} == WAITING


LOCK = """\
version: 1
images:
  registry.unknown.test/team/x:1:
    digest: sha256:{known}
    config: {{user: "10001"}}
"""


def test_what_the_lock_says_of_one_digest_is_not_said_of_another_by_a_second_run(
    harden: Harden, tmp_path: Path
) -> None:
    item = workload({"containers": [{}, {}]})
    known, other = item["spec"]["template"]["spec"]["containers"]
    known["image"], other["image"] = (f"registry.unknown.test/team/x:1@sha256:{digit * 64}" for digit in "ab")
    write(tmp_path, {"web.yaml": yaml.safe_dump(item), "harden.lock": LOCK.format(known="a" * 64)})
    commit(tmp_path)
    harden("apply", ".")
    once = (tmp_path / "web.yaml").read_text()
    pod = yaml.safe_load(once)["spec"]["template"]["spec"]
    assert [each["securityContext"].get("runAsNonRoot") for each in pod["containers"]] == [True, None]
    harden("apply", ".", "--yes")
    assert (tmp_path / "web.yaml").read_text() == once


# -- what a report says of them

TITLE = "Guesses: 4 changes of 1 container wait; what its image needs is not known"
WHY = "the user of its image is not known, so it gets 65532"
TO_KNOW = (
    "harden lock . --deep reads who an image runs as; harden observe . runs it as another user; "
    "add a row to images: in .harden.yaml"
)
ROOT = DEPLOYMENT + "        securityContext: {runAsUser: 0}\n"
TWO = DEPLOYMENT + "      - {name: api, image: example.com/api:1}\n"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    return tmp_path / "web.yaml"


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize(
    "arguments", [["check", "."], ["apply", "."], ["diff", "."], ["diff", ".", "-v"]], ids=" ".join
)
def test_a_text_report_lists_them_by_image(arguments: list[str], harden: Harden) -> None:
    out = harden(*arguments).all
    block = out[out.index("\nGuesses: ") :].strip().partition("\n\n")[0]
    assert block.startswith(TITLE) and "--max-grade guess" in block
    text = re.sub(r"\n +", " ", block)
    assert f"to know: {TO_KNOW}" in text
    assert re.search(rf"example\.com/web:1\.2\.3 \(1 container\) {WHY} \(web\.yaml:14\)", text)
    assert "; 4 guesses, " in out
    steps = re.findall(r"^  ([\w-]+) K01 medium guess  web\.yaml:\d+ Deployment/web$", block, re.M)
    assert set(steps) == (WAITING if "-v" in arguments else set())
    assert "Held back" not in out


@pytest.mark.parametrize(
    ("text", "title", "images"),
    [
        (DEPLOYMENT, TITLE, ["example.com/web:1.2.3 (1 container)"]),
        (TWO, "Guesses: 6 changes of 2 containers wait; what their images need is not known",
         ["example.com/api:1 (1 container)", "example.com/web:1.2.3 (1 container)"]),
        (TWO.replace("api:1", "web:1.2.3"),
         "Guesses: 6 changes of 2 containers wait; what their images need is not known",
         ["example.com/web:1.2.3 (2 containers)"]),
        (DEPLOYMENT.replace("    spec:\n", "    spec:\n      os: {name: windows}\n"),
         "Guesses: 1 change of 1 container waits; what its image needs is not known",
         ["example.com/web:1.2.3 (1 container)"]),
    ],
    ids=["one", "two images", "one image twice", "windows"],
)  # fmt: skip
def test_they_are_counted_by_container_and_image(
    text: str, title: str, images: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": text})
    out = harden("diff", ".").all
    assert f"\n{title}\n" in out
    block = out[out.index(title) :].partition("\n\n")[0]
    assert re.findall(r"^  (\S+ \(\d containers?\)) ", block, re.M) == images


@pytest.mark.usefixtures("web")
def test_a_comment_lists_them_apart(harden: Harden) -> None:
    out = harden("check", ".", "--format", "markdown").out
    assert "; 4 guesses, 0 held back, " in out
    assert f"\n### {TITLE}\n\nTo know: {TO_KNOW}. `--max-grade guess` makes them.\n" in out
    assert f"\n- `example.com/web:1.2.3` (1 container): {WHY} (web.yaml:14)\n" in out
    assert "Needs a decision" not in out


@pytest.mark.usefixtures("web")
def test_a_page_has_a_part_for_them(harden: Harden) -> None:
    out = harden("diff", ".", "--format", "html").out
    part = out[out.index('<section id="guesses"') :].partition("</section>")[0]
    assert f"{TITLE}. To know: " in part and "--max-grade guess makes them." in part
    assert set(re.findall(r'data-grade="(\w+)"', part)) == {"guess"}
    assert set(re.findall(r"<h3>([\w-]+) ", part)) == WAITING
    assert '<section id="held"' not in out


@pytest.mark.usefixtures("web")
def test_json_holds_them_as_what_is_held(harden: Harden) -> None:
    found = json.loads(harden("diff", ".", "--format", "json").out)
    assert {held["id"] for held in found["held"]} == WAITING
    assert {held["grade"] for held in found["held"]} == {"guess"}
    assert found["summary"]["guesses"] == found["summary"]["held"] == 4
    made = json.loads(harden("diff", ".", "--max-grade", "guess", "--format", "json").out)
    assert made["held"] == [] and made["summary"]["guesses"] == 0
    by_guess = {change["id"] for change in made["changes"] if change["grade"] == "guess"}
    assert by_guess == {"run-as-user", "read-only-root-filesystem"}  # with the number it starts, and ALL may be dropped


@pytest.mark.parametrize(("text", "level"), [(DEPLOYMENT, "note"), (ROOT, "warning")], ids=["adds", "takes away"])
def test_sarif_warns_of_what_would_take_something_away(text: str, level: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": text})
    results = json.loads(harden("check", ".", "--format", "sarif").out)["runs"][0]["results"]
    waiting = {
        result["ruleId"]: result["level"]
        for result in results
        if "Waits: graded guess, above --max-grade review" in result["message"]["text"]
    }
    assert waiting["run-as-user"] == level
    assert waiting["read-only-root-filesystem"] == "note"


# The manifest, the options, and the exit code of a check of what apply has left.
CHECKED: dict[str, tuple[str, list[str], int]] = {
    "adds": (DEPLOYMENT, [], 0),
    "adds, by severity": (DEPLOYMENT, ["--fail-on", "medium"], 0),
    "adds, and nothing may lower the result": (DEPLOYMENT, ["--no-waivers"], 0),
    "adds, and is asked for": (DEPLOYMENT, ["--max-grade", "guess"], 1),
    "takes away": (ROOT, [], 0),
    "takes away, by severity": (ROOT, ["--fail-on", "medium"], 1),
    "takes away, below the severity": (ROOT, ["--fail-on", "high"], 0),
    "takes away, and nothing may lower the result": (ROOT, ["--no-waivers"], 1),
    "takes away, and nothing fails": (ROOT, ["--no-waivers", "--fail-on", "none"], 0),
}


@pytest.mark.parametrize(("text", "options", "status"), CHECKED.values(), ids=CHECKED)
def test_what_a_check_fails_on(text: str, options: list[str], status: int, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": text})
    assert harden("apply", ".").status == 0
    done = harden("check", ".", *options)
    assert done.status == status, done.out
    if "guess" not in options:
        assert re.search(r"\b\d guesses\b", done.out.partition("\n")[0])
    if status and "--no-waivers" in options:
        assert done.out.startswith("check failed: 1 guess would take away what is written (--no-waivers)")


def ways(out: str) -> Iterator[str]:
    (found,) = re.findall(r"^  to know: (.*)$", out, re.M)
    yield from found.split("; ")


def test_the_way_that_helps_stands_first(harden: Harden, tmp_path: Path) -> None:
    compose = "services:\n  web:\n    build: web\n    image: example.com/web:1.2.3\n"
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    assert [way.split(" . ")[0] for way in ways(harden("diff", ".").all)][:2] == ["harden lock", "harden observe"]
    write(
        tmp_path,
        {"compose.yaml": compose, "web/Dockerfile": 'FROM example.com/base:1\nUSER root\nCMD ["/srv"]\n'},
    )
    assert next(ways(harden("diff", "web.yaml").all)) == "set USER in web/Dockerfile:2"
    piped = harden("filter", "-v", stdin=DEPLOYMENT.encode()).err
    assert list(ways(piped)) == ["add a row to images: in .harden.yaml"]


def test_what_is_made_of_them_is_said(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    out = harden("diff", ".", "--max-grade", "guess").all
    assert re.search(r"^  1 object changed by a guess \(run-as-user, .*: Deployment/web$", out, re.M)
    assert "1 by a guess: it may need its own user or root" in out
    assert "Guesses" not in out
