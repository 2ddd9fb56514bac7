"""What a run says of programs: values that they compute, waivers, refusals, secrets, fragments, in every format."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hardener.report import formats

from ..conftest import Harden, commit, snapshot, write
from ..test_interactive import walk

pytestmark = pytest.mark.slow  # its many cases together

GUESSING = ("--max-grade", "guess")  # nothing is known of the images here


def pod(container: str, spec: str = "", name: str = '"web"') -> str:
    """A program that makes a pod of one container with the arguments ``container``."""
    return dedent(f"""\
        from kubernetes import client


        def pod(image, base, sc, names):
            return client.V1Pod(
                api_version="v1",
                kind="Pod",
                metadata=client.V1ObjectMeta(name={name}, namespace="jobs", labels={{"app": "web"}}),
                spec=client.V1PodSpec(
                    containers=[client.V1Container({container})],{spec}
                ),
            )
        """)


def diff(harden: Harden, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(harden("diff", ".", "--format", "json", *arguments).out)
    return found


# -- values that a program computes


@pytest.mark.parametrize(
    "container, id, said",
    [
        ('name="web", image=image', "pin-image-digest", "spec.containers[0].image is a parameter: image (line 10)"),
        (
            'name="web", image=f"example.com/web:{image}"',
            "pin-image-digest",
            'spec.containers[0].image is an f-string: f"example.com/web:{image}" (line 10)',
        ),
        (
            'name="web", image="w:1", security_context=sc()',
            "no-privileged",
            "spec.containers[0].securityContext is a call: sc() (line 10)",
        ),
        (
            'name="web", image="w:1", **base',
            "no-privileged",
            "spec.containers[0] may get securityContext, and more, from **base (line 10)",
        ),
    ],
)
def test_what_a_program_computes_is_named_with_its_line(
    harden: Harden, tmp_path: Path, container: str, id: str, said: str
) -> None:
    write(tmp_path, {"pod.py": pod(container)})
    found = [one for one in diff(harden, "--only", id)["findings"] if one["id"] == "opaque-value"]
    assert [(one["line"], one["message"], one["advice"]) for one in found] == [
        (10, f"{said}, so {id} is not decided", "check what calls it, or write the value here")
    ]


def test_an_expression_is_one_finding_with_the_rules_that_wait_for_it(harden: Harden, tmp_path: Path) -> None:
    two = pod('name="web", image=extra.image').replace("containers=[", "init_containers=[extra.init], containers=[")
    write(tmp_path, {"pod.py": two})
    found = [one for one in diff(harden)["findings"] if one["id"] == "opaque-value"]
    said = [one["message"] for one in found if "extra.init" in one["message"]]
    assert len(said) == 1 and said[0].endswith(" are not decided")
    waiting = said[0].rpartition(", so ")[2].removesuffix(" are not decided").replace(" and ", ", ").split(", ")
    assert {"run-as-non-root", "apparmor-profile"} <= set(waiting) and len(waiting) == len(set(waiting))


def test_an_expression_in_several_objects_is_one_finding(harden: Harden, tmp_path: Path) -> None:
    text = (
        "from kubernetes.client import V1Container, V1ObjectMeta, V1Pod, V1PodSpec\n\n\ndef pods(extra):\n"
        '    more = V1Container(name="a", image="a:1", **extra)\n    return [\n'
    )
    each = (
        "        V1Pod(api_version='v1', kind='Pod', metadata=V1ObjectMeta(name='{}'), "
        "spec=V1PodSpec(containers=[more])),\n"
    )
    write(tmp_path, {"pods.py": text + each.format("a") + each.format("b") + "    ]\n"})
    found = [one for one in diff(harden)["findings"] if one["id"] == "opaque-value"]
    assert [" (and at 1 more place), so " in one["message"] for one in found] == [True]


def test_what_may_come_from_one_expression_is_said_once(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": pod('name="web", image="w:1", **base')})
    assert len([one for one in diff(harden)["findings"] if one["id"] == "opaque-value"]) == 1


def test_a_container_beside_one_that_is_computed_is_hardened(harden: Harden, tmp_path: Path) -> None:
    text = pod('name="web", image="w:1"').replace("],\n", ", sc],\n")
    write(tmp_path, {"pod.py": text})
    found = diff(harden)
    assert "no-privilege-escalation" in {change["id"] for change in found["changes"]}
    assert any("spec.containers[1] is a parameter: sc" in one["message"] for one in found["findings"])


def test_what_holds_for_all_containers_is_doubted_where_there_may_be_more(harden: Harden, tmp_path: Path) -> None:
    text = pod('name="web", image="w:1", security_context=client.V1SecurityContext(run_as_user=1000)')
    closed, opened = text, text.replace("],\n", "] + names,\n")
    for program, grade in ((closed, "safe"), (opened, "review")):
        write(tmp_path, {"pod.py": program})
        (change,) = diff(harden, "--only", "run-as-non-root")["changes"]
        assert change["grade"] == grade


# -- waivers


def test_a_waiver_stands_on_the_line_or_above_it(harden: Harden, tmp_path: Path) -> None:
    spec = "\n            host_pid=True,  # harden: ignore[no-host-pid] it looks at processes"
    text = pod('name="web", image="w:1"', spec)
    above = "    # harden: ignore[seccomp-runtime-default] an old kernel\n    return client.V1Pod("
    write(tmp_path, {"pod.py": text.replace("    return client.V1Pod(", above)})
    found = diff(harden)
    waived = {(one["id"], one["carrier"], one["reason"]) for one in found["waived"]}
    assert waived == {
        ("no-host-pid", "comment", "it looks at processes"),
        ("seccomp-runtime-default", "comment", "an old kernel"),
    }
    assert not {"no-host-pid", "seccomp-runtime-default"} & {change["id"] for change in found["changes"]}


@pytest.mark.parametrize(
    "comment, id",
    [
        ("# harden: ignore[no-host-ipc] was needed once", "waiver-stale"),
        ("# harden: ignore[no-such-thing] why", "waiver-unknown"),
        ("# harden: ignore[no-host-pid]", "waiver-without-reason"),
    ],
)
def test_a_wrong_waiver_is_a_finding(harden: Harden, tmp_path: Path, comment: str, id: str) -> None:
    write(tmp_path, {"pod.py": pod('name="web", image="w:1"', f"\n            host_pid=True,  {comment}")})
    assert (id, 11) in {(one["id"], one["line"]) for one in diff(harden)["findings"]}


def test_what_looks_like_a_waiver_in_a_text_is_none(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": '"""# harden: ignore[no-host-pid] a text"""\n' + pod('name="web", image="w:1"')})
    assert not {"waiver-stale", "waiver-unknown"} & {one["id"] for one in diff(harden)["findings"]}


def test_a_waiver_in_the_yaml_of_a_text_is_read_and_kept(harden: Harden, tmp_path: Path) -> None:
    text = dedent('''\
        import yaml


        def pod(name):
            return yaml.safe_load(f"""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: {name}
                spec:
                  hostPID: true  # harden: ignore[no-host-pid] it looks at processes
                  # harden: ignore[no-host-network] it listens there
                  hostNetwork: true
                  containers:
                  - {{name: main, image: "example.com/main:1"}}
            """)
        ''')
    write(tmp_path, {"pod.py": text})
    found = json.loads(harden("apply", ".", "--format", "json").out)
    assert {(each["id"], each["line"]) for each in found["waived"]} >= {("no-host-pid", 11), ("no-host-network", 13)}
    for line in text.splitlines()[10:13]:
        assert line in (tmp_path / "pod.py").read_text()


def test_a_waiver_of_a_text_that_several_objects_share_is_for_all(harden: Harden, tmp_path: Path) -> None:
    text = dedent("""\
        from kubernetes import client

        # harden: ignore[cpu-limit] bursts
        MAIN = client.V1Container(name="main", image="w:1")
        ONE = client.V1Pod(api_version="v1", kind="Pod", metadata=client.V1ObjectMeta(name="one"),
                           spec=client.V1PodSpec(containers=[MAIN]))
        TWO = client.V1Pod(api_version="v1", kind="Pod", metadata=client.V1ObjectMeta(name="two"),
                           spec=client.V1PodSpec(containers=[MAIN]))
        """)
    write(tmp_path, {"pods.py": text})
    found = diff(harden)
    assert [one["id"] for one in found["waived"]] == ["cpu-limit", "cpu-limit"]
    assert "cpu-limit" not in {change["id"] for change in found["changes"]}


# -- one text of several objects


def test_a_container_that_several_pods_share_is_written_once_and_each_gets_its_volumes(
    harden: Harden, tmp_path: Path
) -> None:
    text = dedent("""\
        main = {"name": "main", "image": "example.com/main:1"}
        one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": [main]}}
        two = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two"}, "spec": {"containers": [main]}}
        """)
    write(tmp_path, {"pods.py": text})
    assert harden("apply", ".", *GUESSING).status == 0
    namespace: dict[str, Any] = {}
    exec((tmp_path / "pods.py").read_text(), namespace)
    assert namespace["main"]["securityContext"]["readOnlyRootFilesystem"] is True
    (mount,) = namespace["main"]["volumeMounts"]
    for name in ("one", "two"):
        assert [volume["name"] for volume in namespace[name]["spec"]["volumes"]] == [mount["name"]]
    assert diff(harden, *GUESSING)["refused"] == []


def test_a_step_that_one_of_them_has_no_place_for_is_refused_alone(harden: Harden, tmp_path: Path) -> None:
    text = dedent("""\
        main = {"name": "main", "image": "example.com/main:1"}
        one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": [main]}}
        two = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two"},
               "spec": {"containers": [main], "volumes": volumes()}}
        """)
    write(tmp_path, {"pods.py": text})
    found = diff(harden, *GUESSING)
    reasons = [one["reason"] for one in found["refused"]]
    assert any("Pod/two has the same text, and spec.volumes is" in reason for reason in reasons), reasons
    assert "drop-capabilities" in {change["id"] for change in found["changes"]}


# -- refusals


def test_what_the_text_has_no_place_for_is_refused_and_the_rest_is_made(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": pod("name=names, image='w:1'")})
    found = diff(harden, *GUESSING)
    assert [one["edits"] for one in found["refused"]] == [3]  # the volume of a name that is not known
    out = harden("diff", ".", *GUESSING).all
    assert "Not made: 1 step that the text has no place for" in out
    assert "read-only-root-filesystem" in out[out.index("Not made:") : out.index("Needs manual work")]
    assert found["summary"]["refused"] == 1 and found["summary"]["edits"] == len(found["changes"]) > 0
    assert harden("apply", ".", *GUESSING).status == 0
    assert "run_as_non_root=True" in (tmp_path / "pod.py").read_text()


def test_a_namespace_is_not_labelled_for_a_change_that_is_refused(harden: Harden, tmp_path: Path) -> None:
    """The level of a namespace is decided on what is really written."""
    text = pod("name='web', image='w:1', security_context=sc")
    write(tmp_path, {"pod.py": text, "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: jobs\n"})
    labels = [
        change["after"]
        for change in diff(harden)["changes"]
        if str(change["path"][-1]) == "pod-security.kubernetes.io/enforce"
    ]
    assert "restricted" not in labels


# -- fragments


def test_a_container_is_hardened_as_far_as_it_goes(harden: Harden, tmp_path: Path) -> None:
    text = dedent("""\
        from kubernetes.client import V1Container


        def add(pod):
            pod.spec.containers.append(V1Container(name="side", image="example.com/side:1"))
        """)
    write(tmp_path, {"side.py": text})
    found = diff(harden)
    assert {change["object"]["kind"] for change in found["changes"]} == {"Container"}
    assert {change["object"]["name"] for change in found["changes"]} == {"side"}
    assert {change["grade"] for change in found["changes"] if "securityContext" in change["path"]} == {"review"}
    partial = [one for one in found["findings"] if one["id"] == "partial"]
    assert "the pod that holds it is made elsewhere" in partial[0]["message"]
    assert not any(one["id"].startswith("netpol") for one in found["findings"])
    assert "Container/side" in harden("check", ".").out
    assert harden("apply", ".").status == 0
    assert diff(harden)["summary"]["edits"] == 0


# -- secrets, formats, outputs

SECRET = dedent("""\
    from kubernetes import client

    SECRET = client.V1Secret(
        api_version="v1",
        kind="Secret",
        metadata=client.V1ObjectMeta(name="db", namespace="x"),
        string_data={"db-login": "hunter2-of-the-database"},
    )
    POD = client.V1Pod(
        api_version="v1", kind="Pod", metadata=client.V1ObjectMeta(name="db", namespace="x"),
        spec=client.V1PodSpec(containers=[client.V1Container(name="db", image="w:1")]),
    )
    """)


@pytest.mark.parametrize(("command", "format"), itertools.product(["diff", "check"], formats.NAMES))
def test_every_format_reports_a_program_and_shows_no_secret(
    harden: Harden, tmp_path: Path, command: str, format: str
) -> None:
    write(tmp_path, {"all.py": SECRET})
    commit(tmp_path)
    done = harden(command, ".", "--format", format)
    assert done.status == 1, done.err
    assert "hunter2" not in done.all
    assert "all.py" in done.all


def test_a_secret_of_a_program_is_not_moved(harden: Harden, tmp_path: Path) -> None:
    tree, store = tmp_path / "tree", tmp_path / "store"
    write(tree, {"all.py": SECRET})
    commit(tree)
    assert harden("apply", ".", "--secrets-out", str(store), cwd=tree).status == 0
    assert "hunter2-of-the-database" in (tree / "all.py").read_text()
    assert set(snapshot(tree)) == {"all.py"}


@pytest.mark.parametrize("output", ["json-patch", "kustomize"])
def test_an_output_of_patches_names_the_program_that_has_none(harden: Harden, tmp_path: Path, output: str) -> None:
    tree = tmp_path / "tree"
    write(tree, {"pod.py": pod('name="web", image="w:1"')})
    commit(tree)
    done = harden("apply", ".", "--output", output, "--output-dir", str(tmp_path / "out"), cwd=tree)
    assert done.status == 0
    assert "pod.py: a program, and patches are for what it makes" in done.all
    assert snapshot(tree)["pod.py"][1].decode() == pod('name="web", image="w:1"')


def test_copies_hold_the_program_as_it_becomes(harden: Harden, tmp_path: Path) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out"
    raw = ("# coding: latin-1\n# ü\n" + pod('name="web", image="w:1"')).encode("latin-1")
    write(tree, {"pod.py": raw, "plain.py": "x = 1\n"})
    commit(tree)
    assert harden("apply", ".", "--output-dir", str(out), *GUESSING, cwd=tree).status == 0
    copy = (out / "pod.py").read_bytes()
    assert b"run_as_non_root" in copy and "# ü".encode("latin-1") in copy
    assert (out / "plain.py").read_text() == "x = 1\n"


def test_the_graph_shows_who_a_program_talks_to(harden: Harden, tmp_path: Path) -> None:
    client = pod('name="web", image="w:1", env=[client.V1EnvVar(name="DB", value="tcp://db.jobs:5432")]')
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: jobs}\nspec: {selector: {app: db}}\n"
    write(tmp_path, {"pod.py": client, "db.yaml": service})
    done = harden("graph", ".", "--format", "json")
    assert done.status == 0, done.err
    assert '"name": "web"' in done.out and '"file": "pod.py", "line": 10' in done.out


# -- images, questions

PINNED = "version: 1\nimages:\n  app:1: {digest: sha256:" + "ab" * 32 + '}\n'  # fmt: skip
IMAGES = dedent("""\
    from kubernetes import client

    TAG = "1"
    A = client.V1Pod(
        api_version="v1", kind="Pod", metadata=client.V1ObjectMeta(name="a"),
        spec=client.V1PodSpec(containers=[client.V1Container(name="a", image="app:1"), extra]),
    )
    B = client.V1Container(name="b", image="app:1")
    C = client.V1Container(name="c", image="app:" + TAG)
    """)


def test_literal_images_are_pinned_and_composed_ones_are_refused(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"images.py": IMAGES, "harden.lock": PINNED})
    done = harden("images", ".")
    assert done.status == 0 and "Container/b" in done.out and "Pod/a" in done.out
    found = diff(harden, "--only", "pin-image-digest")
    assert {change["object"]["name"] for change in found["changes"]} == {"a", "b"}
    assert [one["line"] for one in found["refused"]] == [9]
    assert harden("apply", ".", "--only", "pin-image-digest").status == 0
    text = (tmp_path / "images.py").read_text()
    assert text.count('"app:1@sha256:') == 2 and '"app:" + TAG' in text


@pytest.mark.slow
def test_a_question_about_a_program_is_answered_by_a_comment(tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": pod('name="web", image="w:1"', "\n            host_pid=True,")})
    commit(tmp_path)
    session = walk(tmp_path, {"no-privilege-escalation": "w:it uses sudo", "no-host-pid": "y"}, rest="n")
    assert session.process.returncode == 0, session.shown
    text = (tmp_path / "pod.py").read_text()
    assert "# harden: ignore[no-privilege-escalation] it uses sudo\n" in text
    assert "host_pid" not in text and "run_as_non_root" not in text
    compile(text, "pod.py", "exec")


@pytest.mark.slow
@pytest.mark.parametrize(("reason", "is_written"), [("it uses sudo", True), ("it uses {sudo}", False)])
def test_an_answer_about_yaml_in_a_text_stands_in_that_text(tmp_path: Path, reason: str, is_written: bool) -> None:
    before = dedent('''\
        import yaml

        def pod(name):
            return yaml.safe_load(f"""
                apiVersion: v1
                kind: Pod
                metadata: {{name: "{name}"}}
                spec:
                  containers:
                  - {{name: main, image: "example.com/main:1"}}
            """)
        ''')
    write(tmp_path, {"pod.py": before})
    commit(tmp_path)
    session = walk(tmp_path, {"no-privilege-escalation": f"w:{reason}"}, rest="n")
    comment = f"        # harden: ignore[no-privilege-escalation] {reason}\n"
    assert (comment in (tmp_path / "pod.py").read_text()) == is_written
    assert ("write this waiver by hand" in session.shown) != is_written


UNSEEN = {
    "one file": (
        {"a.py": "import os\nfrom kubernetes import client\nclient.CoreV1Api().list_node()\n"},
        "1 file uses a Kubernetes library, and harden sees no object in it (a.py:2)",
    ),
    "several": (
        {
            "a.py": "from lightkube import Client\n",
            "b.py": "import os, sys\n\n\ndef f():\n    import pulumi_kubernetes as k8s\n",
            "c.py": "from plugins.house import HousePodOperator\n",
            "d.py": "from kubernetes_asyncio.client import CoreV1Api\n",
            "e.py": "import kubernetes_tools\n# from kubernetes import client\n",
        },
        "4 files use a Kubernetes library, and harden sees no object in them (a.py:1, b.py:5, c.py:1 and 1 more); "
        "1 file holds no Kubernetes object",
    ),
}


@pytest.mark.parametrize("files, why", UNSEEN.values(), ids=UNSEEN)
def test_a_program_in_which_nothing_is_seen_is_named(
    harden: Harden, tmp_path: Path, files: dict[str, str], why: str
) -> None:
    write(tmp_path, dict(files))
    failed = harden("check", ".")
    assert (failed.status, f"nothing was read: {why}" in failed.out) == (2, True)
    passed = harden("check", ".", "--allow-empty")
    assert (passed.status, f"nothing was checked: {why}" in passed.out) == (0, True)
    write(
        tmp_path, {"pods.py": "from kubernetes import client\nclient.V1Pod(metadata=client.V1ObjectMeta(name='a'))\n"}
    )
    assert f"  not read: {why}\n" in harden("check", ".").out
