"""What harden observe saw, as evidence: which changes become safe, which are held back, and what is known of an image.

The runs are made up: what was seen stands in a lock in memory, as if an engine had run the pod.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hardener.authoring import profile, registry
from hardener.authoring.edits import Append, Basis, Edit, Grade, Set
from hardener.authoring.known import Known, KnownBy
from hardener.engine import pipeline
from hardener.engine.observed_grade import regraded
from hardener.engine.outcome import Change, Outcome
from hardener.facts.access.api_use import Strength, need
from hardener.facts.images.coverage import coverage
from hardener.facts.images.known_image import known_image
from hardener.facts.images.observations import concerned, is_shown_by_a_run, observation, runs, setting, settings
from hardener.facts.network.connections import Connections
from hardener.facts.network.silent_workloads import SilentWorkloads
from hardener.kubernetes.images.config import ImageConfig
from hardener.kubernetes.images.reference import parse
from hardener.lock.model import Lock, LockedImage
from hardener.lock.observed import Observation, runs_of
from hardener.tree.tree import Tree
from tests.conftest import write

A, B = (f"sha256:{digit * 64}" for digit in "ab")
IMAGE = "acme/app:1"
SEEN = "(2026-11-28, podman 5.4.2)"
CAME_UP = f"harden observe: Deployment/web came up with it and ran 20 s {SEEN}"
RUN = Observation(
    A, runs_of((), (), ()), "Deployment/web", "web", "2026-11-28", "podman 5.4.2", 20,
    shown=("80/tcp GET / 200",),
)  # fmt: skip
Grades = dict[str, tuple[set[str], str]]


def workload(*containers: dict[str, Any], kind: str = "Deployment", spec: Any = (), **pod: Any) -> str:
    """A workload called web, of containers of ``IMAGE`` where they have no other."""
    named = [
        {"name": f"c{number}" if number else "web", "image": IMAGE, **each} for number, each in enumerate(containers)
    ]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {**pod, "containers": named or [WEB]}}
    return json.dumps({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **dict(spec)},
    })  # fmt: skip


WEB = {"name": "web", "image": IMAGE}


def lock(
    *seen: Observation, user: str | None = "", digest: str = A, more: Mapping[str, LockedImage] | None = None
) -> Lock:
    """A lock with ``IMAGE`` of root, and what was seen of it."""
    found = Lock()
    for name, image in {IMAGE: LockedImage(digest, "x.index", (), ImageConfig(user)), **(more or {})}.items():
        reference = parse(name)
        assert reference is not None
        found.add(reference, image)
    return found.with_observed({IMAGE: seen})


def tree(text: str, held: Lock | None) -> Tree:
    return Tree.from_text(text, lock=held)


def outcome(
    text: str | Tree, held: Lock | None = None, risk: Grade = Grade.BREAKING, name: str = "restricted"
) -> Outcome:
    """All that is decided; nothing is held back."""
    read = tree(text, held) if isinstance(text, str) else text
    return pipeline.run(read, profile.load(name), pipeline.Gate(max_grade=risk))


def steps(found: Outcome) -> Iterable[list[Change]]:
    yield from (change.siblings for change in found.changes if change.siblings[0] is change)


def observed(
    text: str,
    run: Observation = RUN,
    *,
    fails: Mapping[str, str] | None = None,
    name: str = "restricted",
    **of_lock: Any,
) -> Lock:
    """A lock as it is when the first container of ``text`` has come up with all that harden decides, but for the
    transforms that it ``fails`` under, each with the reason."""
    found = outcome(text, lock(run, **of_lock), name=name)
    held: dict[str, tuple[str, ...]] = {}
    for step in steps(found):
        pod = next((pod for pod in found.tree.pod_templates if pod.object is step[0].object), None)
        edits, transform = [change.edit for change in step], step[0].transform
        if pod is not None and is_shown_by_a_run(transform, pod, edits):
            held[transform.id] = (*held.get(transform.id, ()), *settings(edits, pod.containers[0]))
    fails = fails or {}
    failed = {id: held.pop(id) for id in fails}
    run = replace(run, runs=str(runs(tree(text, None).pod_templates[0].containers[0])))
    return lock(replace(run, held=held, failed=failed, because=fails), **of_lock)


def grades(found: Outcome) -> Grades:
    """The grades of the changes of each transform, and the first reason of the first."""
    table: Grades = {}
    for change in found.changes:
        known, first = table.get(change.transform.id, (set(), change.edit.evidence[0].text))
        table[change.transform.id] = known | {change.edit.grade.value}, first
    return table


# Grades.


def test_what_held_is_safe() -> None:
    text = workload(WEB)
    before, after = grades(outcome(text, lock())), grades(outcome(text, observed(text)))
    unsure = {id for id, (found, _) in before.items() if found in ({"review"}, {"guess"})}
    safe = {id for id, (found, first) in after.items() if found == {"safe"} and first == CAME_UP}
    assert unsure & safe == {
        "run-as-user", "drop-capabilities", "no-privilege-escalation", "read-only-root-filesystem",
    }  # fmt: skip
    # A start is no load, and no registry.
    assert {id for id, (found, _) in after.items() if found == {"review"}} == {
        "cpu-limit", "memory-limit", "resource-requests", "pin-image-digest",
    }  # fmt: skip
    assert after["pin-image-digest"] == before["pin-image-digest"]


UNSEEN = {
    "nobody asked it anything": {"shown": ()},
    "nobody logged in at 22/tcp SSH": {"doubts": ("nobody logged in at 22/tcp SSH",)},
}


@pytest.mark.parametrize(("why", "lacks"), UNSEEN.items(), ids=list(UNSEEN))
def test_what_came_up_and_nobody_saw_at_work_is_to_review(why: str, lacks: dict[str, Any]) -> None:
    text = workload(WEB)
    before = grades(outcome(text, lock()))
    after = grades(outcome(text, observed(text, replace(RUN, **lacks))))
    said = f"harden observe: Deployment/web came up; {why} {SEEN}"
    for id in ("run-as-user", "drop-capabilities", "read-only-root-filesystem"):
        assert before[id][0] <= {"review", "guess"} and after[id] == ({"review"}, said)
    # What is safe without a run stays so.
    assert {id for id, (found, _) in before.items() if found == {"safe"}} <= {
        id for id, (found, _) in after.items() if found == {"safe"}
    }


@pytest.mark.parametrize("needs", [(), ("CHOWN",), ("NET_BIND_SERVICE", "SETUID")], ids=" ".join)
def test_needs_found_by_trial_are_written_and_safe_only_where_it_was_seen_at_work(needs: tuple[str, ...]) -> None:
    text = workload(WEB)
    for shown, wanted in ((RUN.shown, {"safe"}), ((), {"review"})):
        found = outcome(text, observed(text, replace(RUN, needs=needs, shown=shown)))
        edits = [change.edit for change in found.changes if change.transform.id == "drop-capabilities"]
        added = [edit.value for edit in edits if isinstance(edit, Append) and edit.path[-1] == "add"]
        assert (sorted(added), {edit.grade.value for edit in edits}) == (sorted(needs), wanted)


DROPS_ALL = {"capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize(
    ("context", "step", "lifted"),
    [
        ({}, {"add": "CHOWN"}, True), ({}, {"add": "SYS_ADMIN"}, False), (DROPS_ALL, {"add": "CHOWN"}, False),
        ({"capabilities": {"drop": ["CAP_CHOWN"]}}, {"add": "CHOWN"}, False), ({}, {"runAsUser": 0}, False),
        ({}, {"runAsUser": 5}, True), ({}, {"allowPrivilegeEscalation": True}, False),
        ({}, {"readOnlyRootFilesystem": False}, False),
    ],
)  # fmt: skip
def test_what_would_give_a_container_more_is_never_lifted(
    context: dict[str, Any], step: dict[str, Any], lifted: bool
) -> None:
    held = tree(workload({**WEB, "securityContext": context}), None)
    container = held.pod_templates[0].containers[0]
    ((key, value),) = step.items()
    edit: Edit = (
        container.append("securityContext", "capabilities", "add", value=value, grade=Grade.REVIEW)
        if key == "add"
        else container.set("securityContext", key, to=value, grade=Grade.REVIEW)
    )
    run = replace(RUN, runs=str(runs(container)), held={"drop-capabilities": settings([edit], container)})
    held.lock = lock(run)
    (graded,) = regraded(registry.get("drop-capabilities"), container, [edit])
    assert (graded.grade is Grade.SAFE) is lifted
    assert lifted or graded.grade is Grade.REVIEW


def test_a_safe_change_does_not_fail_late_and_is_proved() -> None:
    text = workload(WEB)
    edits = [change.edit for change in outcome(text, observed(text)).changes if change.edit.grade is Grade.SAFE]
    seen = [edit for edit in edits if edit.evidence[0].text == CAME_UP]
    assert seen and not any(edit.late for edit in seen) and {edit.basis.value for edit in seen} == {"proved"}


def test_what_did_not_hold_is_breaking_with_the_line_of_the_log() -> None:
    text = workload(WEB)
    held = observed(text, fails={"read-only-root-filesystem": "open /srv/x: Read-only file system"})
    found = grades(outcome(text, held))
    line = f"harden observe: Deployment/web does not come up with it {SEEN}: open /srv/x: Read-only file system"
    assert found["read-only-root-filesystem"] == ({"breaking"}, line)
    assert found["drop-capabilities"] == ({"safe"}, CAME_UP)
    held_back = outcome(text, held, risk=Grade.REVIEW).held
    assert [held.transform.id for held in held_back] == ["read-only-root-filesystem"]


def test_a_failure_counts_before_what_held() -> None:
    """Of two workloads that run the same, one may have come up with it."""
    text = workload(WEB)
    held = observed(text)
    (run,) = held.images[IMAGE].observed
    both = replace(run, failed={"run-as-user": run.held["run-as-user"]})
    found = grades(outcome(text, lock(both)))
    assert found["run-as-user"] == ({"breaking"}, f"harden observe: Deployment/web does not come up with it {SEEN}")


NOT_MEANT = {
    "another command": ([{"command": ["serve"]}], {}),
    "other arguments": ([{"args": ["--fast"]}], {}),
    "another variable": ([{"env": [{"name": "A", "value": "1"}]}], {}),
    "another image": ([{"image": "acme/app:2"}], {}),
    "a digest that the lock does not speak of": ([{"image": f"acme/app:1@{B}"}], {}),
    "another digest by now": ([{}], {"digest": B}),
}


@pytest.mark.parametrize(("containers", "of_lock"), NOT_MEANT.values(), ids=NOT_MEANT)
def test_what_was_seen_of_another_decides_nothing(containers: list[dict[str, Any]], of_lock: dict[str, Any]) -> None:
    (run,) = observed(workload(WEB)).images[IMAGE].observed
    text = workload(*containers)
    assert grades(outcome(text, lock(run, **of_lock))) == grades(outcome(text, lock(**of_lock)))


@pytest.mark.parametrize("image", [f"acme/app:1@{A}", "docker.io/acme/app:1", f"acme/app@{A}"])
def test_the_same_image_by_another_name(image: str) -> None:
    (run,) = observed(workload(WEB)).images[IMAGE].observed
    assert grades(outcome(workload({"image": image}), lock(run)))["drop-capabilities"] == ({"safe"}, CAME_UP)


def test_values_of_variables_do_not_count() -> None:
    def text(value: str) -> str:
        return workload({"env": [{"name": "A", "value": value}]})

    assert grades(outcome(text("2"), observed(text("1"))))["drop-capabilities"] == ({"safe"}, CAME_UP)


def test_other_settings_than_those_that_held() -> None:
    """Under another profile, with other options, beside another volume."""
    text = workload(WEB)
    (run,) = observed(text).images[IMAGE].observed
    path = "read-only-root-filesystem"
    fewer = replace(run, held={**run.held, path: tuple(each for each in run.held[path] if "volumes" not in each)})
    found = grades(outcome(text, lock(fewer)))
    assert found[path][0] == {"review"} and found["drop-capabilities"] == ({"safe"}, CAME_UP)


def test_every_container_of_the_pod_has_to_hold() -> None:
    text = workload(WEB, {"image": "acme/side:1"})
    found = grades(outcome(text, observed(text)))
    # Of one container alone, and of the pod, which the other has as well.
    both = outcome(text, observed(text)).changes
    own = {
        change.edit.grade.value for change in both if change.transform.id == "drop-capabilities" and change.path[5] == 0
    }
    assert own == {"safe"}
    assert found["run-as-user"][0] == {"guess"}
    assert found["run-as-non-root"][1] != CAME_UP  # by the number alone
    assert found["seccomp-runtime-default"][1] != CAME_UP


def test_volumes_of_a_container_do_not_ask_the_others() -> None:
    text = workload(WEB, {"image": "acme/side:1"}, securityContext={"runAsUser": 1000})
    changes = outcome(text, observed(text, replace(RUN, user=1000))).changes
    own = [
        each for each in changes if each.transform.id == "read-only-root-filesystem" and each.siblings[0].path[5] == 0
    ]
    assert {each.edit.grade.value for each in own} == {"safe"}
    assert [each.path[3:5] for each in own] == [("spec", "containers"), ("spec", "containers"), ("spec", "volumes")]


CLAIM: dict[str, Any] = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
KEPT: dict[str, tuple[dict[str, Any], str]] = {
    "a claim": (CLAIM, "Deployment"),
    "a claim of one pod": ({"volumes": [{"name": "data", "ephemeral": {"volumeClaimTemplate": {}}}]}, "Deployment"),
    "CSI": ({"volumes": [{"name": "data", "csi": {"driver": "x"}}]}, "Deployment"),
    "NFS": ({"volumes": [{"name": "data", "nfs": {"server": "x", "path": "/"}}]}, "Deployment"),
    "claims of a StatefulSet": ({}, "StatefulSet"),
}


@pytest.mark.parametrize(("pod", "kind"), KEPT.values(), ids=KEPT)
def test_users_over_volumes_that_outlive_the_pod_are_no_more_than_review(pod: dict[str, Any], kind: str) -> None:
    container = {**WEB, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    spec = (
        {"serviceName": "web", "volumeClaimTemplates": [{"metadata": {"name": "data"}}]} if kind != "Deployment" else {}
    )
    text = workload(container, kind=kind, spec=spec, **pod)
    before, found = grades(outcome(text, lock())), outcome(text, observed(text))
    after = grades(found)
    lifted = {"review" if grade == "guess" else grade for grade in before["run-as-user"][0]}
    assert after["run-as-user"][0] == lifted and after["run-as-user"][1] != CAME_UP
    last = next(change for change in found.changes if change.transform.id == "run-as-user").edit.evidence[-1].text
    assert last == f"{CAME_UP}, on an empty volume, where no file has an owner from before"
    # Whoever lets the user be changed gets the rest as it was seen; else it is another container.
    assert after["drop-capabilities"] == ({"safe"}, CAME_UP)
    left_out = grades(
        pipeline.run(tree(text, observed(text)), profile.load("restricted"), skip=frozenset({"run-as-user"}))
    )
    assert left_out["drop-capabilities"][0] == {"review"}


def test_a_failure_on_an_empty_volume_is_one() -> None:
    text = workload({**WEB, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}, **CLAIM)
    assert grades(outcome(text, observed(text, fails={"run-as-user": "no"})))["run-as-user"][0] == {"breaking"}


def test_what_somebody_wrote_is_for_a_person_to_look_at() -> None:
    text = workload({**WEB, "securityContext": {"readOnlyRootFilesystem": False}})
    assert grades(outcome(text, lock()))["read-only-root-filesystem"][0] == {"breaking"}
    assert grades(outcome(text, observed(text)))["read-only-root-filesystem"] == ({"review"}, CAME_UP)


def test_what_was_breaking_by_a_sign_is_safe_where_it_held() -> None:
    text = workload({**WEB, "command": ["sh", "-c", "ping db; exec serve"]})
    assert grades(outcome(text, lock()))["drop-capabilities"][0] == {"breaking"}
    assert grades(outcome(text, observed(text)))["drop-capabilities"] == ({"safe"}, CAME_UP)


TOKENS = {
    "not read": (replace(RUN, token=False), {"safe"}),
    "no token to read": (RUN, {"review"}),
    "it asked the API": (replace(RUN, token=False, connects=("kubernetes",)), set[str]()),
    "it was read": (replace(RUN, token=True), set[str]()),
}


@pytest.mark.parametrize(("run", "expected"), TOKENS.values(), ids=TOKENS)
def test_a_token_that_nobody_read_may_go(run: Observation, expected: set[str]) -> None:
    text = workload(WEB, automountServiceAccountToken=True)
    assert grades(outcome(text, observed(text, run))).get("automount-token", (set(), ""))[0] == expected
    assert grades(outcome(text, lock())).get("automount-token", (set(), ""))[0] == {"review"}


def test_variables_of_services_are_in_no_run() -> None:
    text = workload(WEB)
    held = observed(text, replace(RUN, token=False), name="strict")
    assert "no-service-links" in held.images[IMAGE].observed[0].held
    assert grades(outcome(text, held, name="strict"))["no-service-links"][0] == {"review"}
    failed = observed(text, replace(RUN, token=False), name="strict", fails={"no-service-links": "no host"})
    assert grades(outcome(text, failed, name="strict"))["no-service-links"][0] == {"breaking"}


def test_what_comes_as_it_ends_was_not_seen() -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "ping -c 1 db"]}}}
    text = workload({**WEB, "lifecycle": hook})
    assert grades(outcome(text, lock()))["drop-capabilities"][0] == {"breaking"}
    assert grades(outcome(text, observed(text)))["drop-capabilities"] == ({"review"}, CAME_UP)


ALIAS = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: web}
  spec:
    containers: &all
    - {name: web, image: 'acme/app:1', securityContext: &own {privileged: false}}
"""
OWNED = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: u, controller: true}]"
OTHER = "{apiVersion: v1, kind: Pod"
SHARED = {
    "by another container": "    - {name: admin, image: 'acme/admin:1', securityContext: *own}\n",
    "by another pod": f"- {OTHER}, metadata: {{name: other}}, spec: {{containers: *all}}}}\n",
    "by a pod that stays": f"- {OTHER}, metadata: {{name: x, {OWNED}}}, spec: {{containers: *all}}}}\n",
}


@pytest.mark.parametrize("fails", [{}, {"no-privilege-escalation": "no"}], ids=["held", "failed"])
@pytest.mark.parametrize("more", SHARED.values(), ids=SHARED)
def test_a_text_that_stands_for_several_places(more: str, fails: dict[str, str]) -> None:
    """What is written at one place is written at the other, of which nothing was seen."""
    id = "no-privilege-escalation"
    (seen,) = observed(ALIAS, fails=fails).images[IMAGE].observed
    assert grades(outcome(ALIAS, lock(seen)))[id][0] == ({"breaking"} if fails else {"safe"})
    before, after = grades(outcome(ALIAS + more, lock())), grades(outcome(ALIAS + more, lock(seen)))
    assert after[id][0] == ({"breaking"} if fails else before[id][0])
    assert fails or (before[id][0] == {"review"} and before[id] == after[id])


def test_what_is_of_the_node_is_never_graded() -> None:
    text = workload(
        {**WEB, "ports": [{"containerPort": 80, "hostPort": 80}]}, hostNetwork=True, hostPID=True,
        volumes=[{"name": "logs", "hostPath": {"path": "/var/log"}}],
    )  # fmt: skip
    ids = {"no-host-port", "no-host-network", "no-host-pid", "no-host-path", "host-users-false", "apparmor-profile"}
    with_all = observed(text).images[IMAGE].observed[0]
    assert not ids & with_all.held.keys()
    claimed = replace(with_all, held={id: ("pod.hostNetwork-", "pod.hostPID-", "pod.hostUsers=false") for id in ids})
    assert grades(outcome(text, lock(claimed))) == grades(outcome(text, lock(replace(claimed, held={}))))


WHO = {
    "the image as it was": ("", {}, True),
    "the user that the run had": ("", {"runAsUser": 65532}, True),
    "another user by now": ("", {"runAsUser": 1234}, False),
    "another group by now": ("fsGroup=7", {"fsGroup": 8}, False),
    "the group of the run": ("fsGroup=7", {"fsGroup": 7}, True),
    "groups of the run": ("supplementalGroups=[7]", {"supplementalGroups": [7]}, True),
    "no groups": ("supplementalGroups=[7]", {}, False),
    "the user of another workload that ran the same": ("runAsUser=1234", {"runAsUser": 1234}, True),
    "nobody's user": ("runAsUser=no", {"runAsUser": 1234}, False),
}


@pytest.mark.parametrize(("more", "context", "same"), WHO.values(), ids=WHO)
def test_a_change_is_graded_beside_the_user_of_the_run(more: str, context: dict[str, Any], same: bool) -> None:
    (run,) = observed(workload(WEB)).images[IMAGE].observed
    if more:
        run = replace(run, held={**run.held, "fs-group": (f"pod.securityContext.{more}",)})
    found = grades(outcome(workload(WEB, securityContext=context), lock(run)))
    assert (found["drop-capabilities"][1] == CAME_UP) is same


NUMBERS = {
    "root, as the image says": ("", 0, {}, True),
    "it became a user by itself": ("", 101, {"run-as-user": ("pod.securityContext.runAsUser=101",)}, True),
    "a number was written then": ("", 101, {}, False),
    "the number of the image": ("1000", 1000, {}, True),
    "another number than that": ("1000", 7, {}, False),
    "a name": ("nginx", 101, {}, True),
    "nobody could see": ("", None, {}, True),
}


@pytest.mark.parametrize(("user", "seen", "failed", "same"), NUMBERS.values(), ids=NUMBERS)
def test_nobody_has_taken_the_user_away(
    user: str, seen: int | None, failed: dict[str, tuple[str, ...]], same: bool
) -> None:
    """A run in which no change of users held, of a container that has no number."""
    id = "no-privilege-escalation"
    held = {id: ("securityContext.allowPrivilegeEscalation=false",)}
    read = tree(workload(WEB), lock(replace(RUN, user=seen, held=held, failed=failed), user=user))
    found = grades(pipeline.run(read, profile.load("restricted"), only=frozenset({id})))
    assert (found[id][1] == CAME_UP) is same


def test_another_user_that_somebody_wrote_since() -> None:
    text = workload(WEB, securityContext={"runAsUser": 1000})
    (run,) = observed(text, replace(RUN, user=1000)).images[IMAGE].observed
    other = workload(WEB, securityContext={"runAsUser": 2000})
    assert grades(outcome(text, lock(run)))["read-only-root-filesystem"] == ({"safe"}, CAME_UP)
    assert grades(outcome(other, lock(run)))["read-only-root-filesystem"][0] == {"review"}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    from hardener.commands.write_files import write_files

    text = workload(WEB)
    held = observed(text, replace(RUN, user=101, groups=(101,), wrote=("/run", "/srv"), memory=3 << 30))
    for name in ("restricted", "strict"):
        folder = tmp_path / name
        write(folder, {"web.yaml": text})
        root = str(folder.resolve())
        for turn in range(2):
            read = Tree.read([root], root=root)
            read.lock = held
            found = outcome(read, name=name)
            assert turn == 0 or not found.changes
            write_files(found)


def kustomized(folder: Path, overlay: str, held: Lock, text: str = "") -> Grades:
    write(folder, {
        "base/web.yaml": text or workload(WEB), "base/kustomization.yaml": "resources: [web.yaml]\n",
        "prod/kustomization.yaml": f"resources: [../base]\n{overlay}",
    })  # fmt: skip
    root = str(folder.resolve())
    read = Tree.read([root], root=root)
    read.lock = held
    return grades(outcome(read))


OVERLAYS = {
    "nothing is changed": ("", {"safe"}),
    "another command": ("command: [serve]", {"review"}),
    "another variable": ("env: [{name: A, value: '1'}]", {"review"}),
    "something else": ("tty: true", {"safe"}),
}


@pytest.mark.parametrize(("field", "expected"), OVERLAYS.values(), ids=OVERLAYS)
def test_what_a_kustomization_makes_of_it_counts(field: str, expected: set[str], tmp_path: Path) -> None:
    patch = (
        "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec:"
        f" {{containers: [{{name: web, {field.replace(chr(39), chr(34))}}}]}}}}}}}}'}}]\n"
    )
    found = kustomized(tmp_path, patch if field else "", observed(workload(WEB)))
    assert found["no-privilege-escalation"][0] == expected


IMAGES = {
    "another tag": ("[{name: acme/app, newTag: '2'}]", {"review"}),
    "the same tag": ("[{name: acme/app, newTag: '1'}]", {"safe"}),
    "its digest": (f"[{{name: acme/app, digest: '{A}'}}]", {"safe"}),
    "another digest": (f"[{{name: acme/app, digest: '{B}'}}]", {"review"}),
}


@pytest.mark.parametrize(("images", "expected"), IMAGES.values(), ids=IMAGES)
def test_the_image_that_a_kustomization_takes_counts(images: str, expected: set[str], tmp_path: Path) -> None:
    found = kustomized(tmp_path, f"images: {images}\n", observed(workload(WEB)))
    assert found["no-privilege-escalation"][0] == expected


# Settings.


def test_how_settings_are_spelled() -> None:
    found = outcome(workload(WEB, {"name": "side"}, serviceAccountName="x"), lock())
    said = {setting(edit, pod.containers[0]) for pod in found.tree.pod_templates for edit in _edits(found, pod)}
    assert {
        "pod.securityContext.runAsUser=65532", "pod.securityContext.runAsNonRoot=true",
        "securityContext.readOnlyRootFilesystem=true", 'securityContext.capabilities.drop+="ALL"',
        'volumeMounts+={"mountPath":"/tmp","name":"harden-web-tmp"}',
        'pod.volumes+={"emptyDir":{},"name":"harden-web-tmp"}', 'resources.limits.cpu="1"',
    } <= said  # fmt: skip
    pod = found.tree.pod_templates[0]
    first, second = pod.containers
    drop = first.drop("image", grade=Grade.SAFE)
    assert setting(drop, first) == "image-"
    assert setting(pod.insert("containers", 1, value={"é": 1, "a": None}, grade=Grade.SAFE), first) == (
        'pod.containers[1]+={"a":null,"é":1}'
    )
    whole = pod.set("hostUsers", to=False, grade=Grade.SAFE)
    assert (settings([drop], second), settings([whole], second)) == ((), ("pod.hostUsers=false",))
    assert concerned([drop], pod) == [first] and concerned([whole], second) == [first, second]


def _edits(found: Outcome, pod: Any) -> Iterable[Any]:
    return [change.edit for change in found.changes if change.object is pod.object]


RUNS: dict[str, tuple[dict[str, Any], str | None]] = {
    "nothing": ({}, runs_of((), (), ())),
    "empty lists": ({"command": [], "args": [], "env": []}, runs_of((), (), ())),
    "all of it": ({"command": ["a"], "args": ["b", 1], "env": [{"name": "B"}, {"name": "A"}]},
                  runs_of(("a",), ("b", "1"), ("A", "B"))),
    "a script of a shell": ({"args": ["echo ${HOME} {{x}}"]}, runs_of((), ("echo ${HOME} {{x}}",), ())),
    "what the kubelet fills in": ({"args": ["--id=$(POD)"]}, runs_of((), ("--id=$(POD)",), ())),
    "all of envFrom": ({"envFrom": [{"configMapRef": {"name": "c"}}]}, runs_of((), (), ())),
    "a placeholder": ({"args": ["--x=${X}"]}, None),
    "a placeholder of a template": ({"args": ["{{x}}"]}, None),
    "a name that is filled in": ({"env": [{"name": "${X}", "value": "1"}]}, None),
    "a list that is filled in": ({"command": "${COMMAND}"}, None),
    "no valid list": ({"env": {"A": "1"}}, None),
    "a name that is none": ({"env": [{"value": "1"}]}, None),
}  # fmt: skip


@pytest.mark.parametrize(("container", "expected"), RUNS.values(), ids=RUNS)
def test_what_a_container_runs(container: dict[str, Any], expected: str | None) -> None:
    found = tree(workload(container), lock(RUN)).pod_templates[0].containers[0]
    assert runs(found) == expected
    assert (observation(found) == RUN) == (expected == RUN.runs)


# Facts.

USERS = {
    "a service that drops root": (replace(RUN, user=101, groups=(101,)), "", (101, 101, KnownBy.OBSERVED, False)),
    "several groups": (replace(RUN, user=101, groups=(0, 101)), "", (101, None, KnownBy.OBSERVED, False)),
    "a user with a name": (replace(RUN, user=101), "nginx", (101, None, KnownBy.OBSERVED, True)),
    "the number of the image": (replace(RUN, user=1000), "1000:7", (1000, 7, KnownBy.LOCK, True)),
    "another number than that": (replace(RUN, user=7), "1000", (1000, None, KnownBy.LOCK, True)),
    "root": (replace(RUN, user=0), "", (None, None, None, False)),
    "nobody could see": (RUN, "", (None, None, None, False)),
    "it did not come up": (replace(RUN, user=101, came_up=False), "", (None, None, None, False)),
}


@pytest.mark.parametrize(("run", "user", "expected"), USERS.values(), ids=USERS)
def test_the_number_of_the_service(run: Observation, user: str, expected: tuple[Any, ...]) -> None:
    known = known_image(tree(workload(WEB), lock(run, user=user)).pod_templates[0].containers[0])
    assert (known.uid, known.gid, known.number and known.number.by, known.is_sure_of_number) == expected
    assert known.kind_of_user == {"": "root", "nginx": "name"}.get(user, "number")


def test_where_facts_are_from_is_counted(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": workload(WEB, {"image": "acme/other:1"})})
    root = str(tmp_path.resolve())
    read = Tree.read([root], root=root)
    read.lock = lock(replace(RUN, wrote=("/run",), user=0), user=None)
    found = coverage(read)
    assert {name: (each.by, each.unknown) for name, each in found.items()} == {
        "user": ({"harden observe": 1}, 1), "number": ({}, 2), "command": ({}, 2), "paths": ({"harden observe": 1}, 1),
    }  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), [(0, "root"), (101, "unknown"), (None, "unknown")])
def test_the_user_of_an_image_of_which_the_lock_says_none(seen: int | None, expected: str) -> None:
    held = lock(replace(RUN, user=seen), user=None)
    assert known_image(tree(workload(WEB), held).pod_templates[0].containers[0]).kind_of_user == expected


def test_a_number_beside_another_that_is_written_says_nothing() -> None:
    text = workload(WEB, securityContext={"runAsUser": 1000})
    known = known_image(tree(text, lock(replace(RUN, user=101))).pod_templates[0].containers[0])
    assert (known.uid, known.number and known.number.by) == (1000, KnownBy.SAME_IMAGE)


def test_a_user_with_a_name_gets_the_number_that_was_seen() -> None:
    text = workload(WEB)
    reason = f"harden observe {SEEN}: its user is nginx, which is 101"
    found = grades(outcome(text, lock(replace(RUN, user=101), user="nginx")))
    assert found["run-as-user"] == ({"safe"}, reason)
    assert grades(outcome(text, observed(text, replace(RUN, user=101), user="nginx")))["run-as-user"][1] == CAME_UP


def test_the_same_image_with_another_command_is_another_thing() -> None:
    held = lock(replace(RUN, user=101), user="nginx")
    first, second = tree(workload(WEB, {"command": ["other"]}), held).pod_templates[0].containers
    third = tree(workload({"env": [{"name": "A", "value": "1"}]}), held).pod_templates[0].containers[0]
    assert [known_image(each).uid for each in (first, second, third)] == [101, None, None]


def _mounts(found: Outcome) -> dict[str, str]:
    return {
        change.edit.value["mountPath"]: change.edit.evidence[0].text  # type: ignore[attr-defined]
        for change in found.changes if "volumeMounts" in change.path
    }  # fmt: skip


def test_what_it_wrote_gets_a_volume() -> None:
    found = outcome(workload(WEB), lock(replace(RUN, wrote=("/run", "/srv"))))
    assert _mounts(found) == {
        "/tmp": "/tmp is where programs put temporary files",
        "/run": "harden.lock: harden observe saw it write to /run",
        "/srv": "harden.lock: harden observe saw it write to /srv",
    }
    expected = f"harden observe: in 20 s it wrote nowhere else {SEEN}"
    assert grades(found)["read-only-root-filesystem"] == ({"review"}, expected)


def test_an_empty_folder_of_its_user_gets_a_volume() -> None:
    run = replace(RUN, wrote=("/var/lib/app",), prepared=("/var/lib/app/data", "/var/cache/app", "/a:b"))
    found = _mounts(outcome(workload(WEB), lock(run)))
    assert found["/var/cache/app"] == "harden.lock: harden observe saw it keep /var/cache/app for its user"
    assert found.keys() == {"/tmp", "/var/lib/app", "/var/cache/app"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/srv/app", "its image has files"), ("/tmp", "its image has files"), ("/a:b", "no volume can be mounted")],
)
def test_what_a_volume_would_hide_speaks_against_a_read_only_root(path: str, reason: str) -> None:
    occupied = () if ":" in path else (path,)
    found = outcome(workload(WEB), lock(replace(RUN, wrote=("/run", path), occupied=occupied)))
    expected = f"harden.lock: harden observe saw it write to {path}, where {reason}"
    assert grades(found)["read-only-root-filesystem"] == ({"breaking"}, expected)
    assert path not in _mounts(found) and "/run" in _mounts(found)


def test_what_is_mounted_hides_nothing() -> None:
    container = {**WEB, "volumeMounts": [{"name": "app", "mountPath": "/srv"}]}
    text = workload(container, volumes=[{"name": "app", "emptyDir": {}}])
    found = outcome(text, lock(replace(RUN, wrote=("/srv/app",), occupied=("/srv/app",))))
    assert grades(found)["read-only-root-filesystem"][0] == {"review"}


def test_ports_that_it_listens_on() -> None:
    found = grades(outcome(workload(WEB), lock(replace(RUN, listens=("80/tcp", "8080/tcp")))))
    assert "unprivileged-ports" in found
    assert "unprivileged-ports" not in grades(outcome(workload(WEB), lock(RUN)))
    known = known_image(
        tree(workload(WEB), lock(replace(RUN, listens=("443/tcp", "x")))).pod_templates[0].containers[0]
    )
    assert known.ports == Known((443,), KnownBy.OBSERVED, f"harden observe {SEEN}")


OWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a limit that a person wrote": ({"limits": {"memory": "3Gi", "cpu": "4"}}, {}),
    "a request that a person wrote": ({"requests": {"memory": "2Gi", "cpu": "2"}}, {"memory": "8Gi", "cpu": "8"}),
}


@pytest.mark.parametrize(("own", "limits"), OWN.values(), ids=OWN)
def test_what_a_person_wrote_is_never_lowered_by_what_was_seen(own: dict[str, Any], limits: dict[str, Any]) -> None:
    found = outcome(workload({**WEB, "resources": own}), lock(replace(RUN, memory=5 << 20, cpu=3)))
    made = {
        tuple(map(str, change.edit.path[-2:])): change.edit.value
        for change in found.changes
        if isinstance(change.edit, Set) and "resources" in change.edit.path
    }
    assert not made.keys() & {(kind, name) for kind, names in own.items() for name in names}
    assert {name: value for (kind, name), value in made.items() if kind == "limits"} == limits


def test_what_was_measured_is_proved() -> None:
    """A memory request and limit, and a limit of processors, each with the moment of the peak."""
    run = replace(RUN, memory=1500 << 20, memory_at=7, cpu=1700, cpu_at=3)
    found = outcome(workload(WEB), lock(run))
    made = {
        tuple(map(str, change.edit.path[-2:])): (change.edit.value, change.edit.basis, change.edit.evidence[0].text)
        for change in found.changes
        if isinstance(change.edit, Set) and "resources" in change.edit.path
    }
    used = f"harden observe: it used 1500Mi in 20 s, the most after 7 s {SEEN}"
    assert made["requests", "memory"] == ("1536Mi", Basis.PROVED, used)
    assert made["limits", "memory"] == ("3000Mi", Basis.PROVED, f"{used}, so it gets twice that")
    busy = f"harden observe: it used 1700m of a processor after 3 s {SEEN}, so it gets twice that"
    assert made["limits", "cpu"] == ("3500m", Basis.PROVED, busy)
    assert made["requests", "cpu"][1] is Basis.ASSUMED


MEMORY: dict[str, tuple[int, dict[str, Any], str | None]] = {
    "less than the default": (100 << 20, {}, "2Gi"),
    "twice the peak": (1500 << 20, {}, "3000Mi"),
    "in whole Mi": ((1500 << 20) + 1, {}, "3001Mi"),
    "a request that is larger": (300 << 20, {"resources": {"requests": {"memory": "1Gi"}}}, "4Gi"),
    "a request, and more": (3 << 30, {"resources": {"requests": {"memory": "64Mi"}}}, "6Gi"),
    "a heap": (100 << 20, {"args": ["java", "-Xmx4g"]}, "6400Mi"),
    "a JVM": (100 << 20, {"args": ["java", "-jar", "a.jar"]}, None),
    "not seen": (0, {}, "2Gi"),
}


@pytest.mark.parametrize(("peak", "container", "expected"), MEMORY.values(), ids=MEMORY)
def test_a_memory_limit_is_at_least_twice_the_peak(peak: int, container: dict[str, Any], expected: str | None) -> None:
    told = runs_of((), container.get("args", ()), ())
    found = outcome(workload({**WEB, **container}), lock(replace(RUN, runs=told, memory=peak or None)))
    limit = next((change.edit for change in found.changes if change.transform.id == "memory-limit"), None)
    assert getattr(limit, "value", None) == expected
    if expected == "3000Mi":
        assert limit is not None
        text = f"harden observe: it used 1500Mi in 20 s {SEEN}, so it gets twice that"
        assert limit.evidence[0].text == text and limit.grade is Grade.REVIEW


def test_a_data_store_gets_no_limit_from_a_short_run() -> None:
    text = workload({"image": "postgres:17"})
    held = Lock()
    reference = parse("postgres:17")
    assert reference is not None
    held.add(reference, LockedImage(A, observed=(replace(RUN, memory=3 << 30),)))
    assert "memory-limit" not in grades(outcome(text, held))


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (replace(RUN, token=True), f"harden observe saw it read the token of its account {SEEN}"),
        (replace(RUN, connects=("kubernetes",)), f"harden observe saw it connect to the Kubernetes API {SEEN}"),
        (replace(RUN, token=False), None),
        (RUN, None),
    ],
)
def test_the_token(run: Observation, reason: str | None) -> None:
    read = tree(workload(WEB), lock(run))
    found = need(read.pod_templates[0])
    assert [fact.text for fact in found.evidence] == ([reason] if reason else [])
    assert found.strength is (Strength.INFERRED if reason else Strength.NONE)
    changes = [change for change in outcome(read).changes if change.transform.id == "automount-token"]
    assert bool(changes) != bool(reason)
    seen = f"harden observe: container web read no token in 20 s {SEEN}"
    assert any(seen in [fact.text for fact in change.edit.evidence] for change in changes) == (run.token is False)


SERVICES = "\n".join(
    f"---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{app:"
    f" {name}-{space}}}, ports: [{{port: 6379, targetPort: 7000}}]}}}}\n---\n{{apiVersion: apps/v1, kind: Deployment,"
    f" metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{matchLabels: {{app: {name}-{space}}}}},"
    f" template: {{metadata: {{labels: {{app: {name}-{space}}}}}, spec: {{containers: [{{name: c, image: x/c}}]}}}}}}}}"
    for name, space in (("cache", "shop"), ("cache", "data"))
)
CONNECTS = {
    "of its namespace": ("Service/cache:6379", {("shop", "7000")}),
    "of another": ("Service/data/cache:6379", {("data", "7000")}),
    "no port": ("Service/cache", {("shop", "7000")}),
    "no such Service": ("Service/queue:1", set[tuple[str, str]]()),
    "the API": ("kubernetes", set[tuple[str, str]]()),
    "what it is not": ("Service/a/b/c:1", set[tuple[str, str]]()),
}


@pytest.mark.parametrize(("said", "expected"), CONNECTS.values(), ids=CONNECTS)
def test_whom_it_connects_to(said: str, expected: set[tuple[str, str]]) -> None:
    web = json.loads(workload(WEB))
    web["metadata"]["namespace"] = "shop"
    read = tree(json.dumps(web) + "\n" + SERVICES, lock(replace(RUN, connects=(said,))))
    pod = next(pod for pod in read.pod_templates if pod.object.name == "web")
    edges = read.ask(Connections).out_of(pod)
    assert {(edge.server.object.namespace, str(edge.ports[0])) for edge in edges} == expected
    texts = [fact.text for edge in edges for fact in edge.evidence]
    assert all(text.startswith("harden observe saw it connect to ") and text.endswith(SEEN) for text in texts)
    assert pod in read.ask(SilentWorkloads).found  # a run shows whom it called, and not that it calls no other
