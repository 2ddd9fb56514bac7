"""Overrides as text: a values file of their own with the reasons, and a file that somebody wrote, edited in place."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Basis, Grade, Set
from hardener.charts.override import Override
from hardener.charts.values_file import KeyRefusedError, edited, key_lines, key_name, nested, new_file
from hardener.engine.outcome import MISSING, Change
from hardener.sources.yaml import TextError, parse
from tests.conftest import SHARED

CHARTS = sorted((SHARED / "charts").glob("*/values.yaml"))


def change(id: str, grade: Grade = Grade.SAFE, after: Any = True) -> Change:
    """A change of a rendered object; only why it is made counts here."""
    edit = Set(piece=None, path=(0, "spec"), grade=grade, basis=Basis.PROVED, value=after)  # type: ignore[arg-type]
    return Change(registry.get(id), edit, None, 0, ("spec",), MISSING, after)  # type: ignore[arg-type]


def override(path: str, value: Any, *ids: str, grade: Grade = Grade.SAFE) -> Override:
    return Override(tuple(path.split("/")), value, tuple(change(id, grade) for id in ids))


def test_a_key_has_its_reason_above_it() -> None:
    text = new_file(
        [override("pod/security", {"runAsNonRoot": True}, "run-as-non-root", grade=Grade.REVIEW)],
        base="pod:\n  security: {}\n",
        header=["Values for shop."],
    )
    assert (
        text
        == """\
# Values for shop.

pod:
  # run-as-non-root (K01, medium, review): The kubelet refuses to start a container as root.
  security:
    runAsNonRoot: true
"""
    )


SHOP = """\
# The values of shop.
web:
    image: nginx
    # How web runs.
    securityContext: {}
    resources: {}
    # limits:
    #   cpu: 1
    volumes:
      - name: data
        emptyDir: {}
db:
    securityContext:
        runAsUser: '1000'
    args: ['a', 'b']
"""


def test_keys_stand_in_the_order_and_style_of_the_chart() -> None:
    asked = [
        override("unknown", 1, "no-host-port"),
        override("db/args", ["a", "yes"], "no-host-port"),
        override("db/securityContext/new", "0777", "no-host-port"),
        override("web/volumes", [{"name": "tmp", "emptyDir": {}}], "no-host-port"),
        override("web/securityContext/b", {}, "no-host-port"),
        override("web/securityContext/a", None, "no-host-port"),
    ]
    assert (
        without_comments(new_file(asked, base=SHOP, header=[]))
        == """\
web:
    securityContext:
        b: {}
        a: null
    volumes:
      - name: tmp
        emptyDir: {}

db:
    securityContext:
        new: '0777'
    args: ['a', 'yes']

unknown: 1
"""
    )


def without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))


def test_a_reason_shared_by_all_of_a_map_stands_once() -> None:
    asked = [
        override("web/resources/limits/memory", "1Gi", "memory-limit"),
        override("web/resources/requests/memory", "1Gi", "memory-limit"),
        override("db/resources/limits/memory", "1Gi", "memory-limit", grade=Grade.REVIEW),
        override("db/resources/requests", {"cpu": "1", "memory": "1Gi"}, "memory-limit", "resource-requests"),
        override("db/resources/requests/cpu", "2", "resource-requests"),
    ]
    assert (
        new_file(asked, base=SHOP, header=[])
        == """\
web:
    # memory-limit (K01, low, safe): A container stops at a memory limit.
    resources:
        limits:
            memory: 1Gi
        requests:
            memory: 1Gi

db:
    resources:
        limits:
            # memory-limit (K01, low, review)
            memory: 1Gi
        # resource-requests (K01, low, safe): The scheduler reserves cpu and memory for every
        #   container.
        # memory-limit (K01, low, safe)
        requests:
            cpu: '2'
            memory: 1Gi
"""
    )


def test_reasons_of_one_key_are_joined_the_worst_first() -> None:
    asked = [
        override("a", False, "memory-limit", "no-host-pid"),
        override("a", True, "memory-limit", grade=Grade.REVIEW),
        override("b", 1, "memory-limit", "no-host-pid"),
    ]
    assert (
        new_file(asked, base="", header=[])
        == """\
# no-host-pid (K01, high, safe): A pod does not see the processes of its node.
# memory-limit (K01, low, review): A container stops at a memory limit.
a: true

# no-host-pid (K01, high, safe), memory-limit (K01, low, safe)
b: 1
"""
    )


@pytest.mark.parametrize(
    ("overrides", "values"),
    [
        ([], {}),
        ([("a/b", 1), ("a/c", 2)], {"a": {"b": 1, "c": 2}}),
        ([("a", {"b": 1}), ("a", {"c": {"d": 2}}), ("a/c/e", None)], {"a": {"b": 1, "c": {"d": 2, "e": None}}}),
        ([("a", {"b": 1}), ("a", {})], {"a": {"b": 1}}),
        ([("a", {}), ("a/a/a", 1)], {"a": {"a": {"a": 1}}}),
        ([("a", [1]), ("a", [2])], {"a": [2]}),
        ([("a", 1), ("a/b", 2)], {"a": {"b": 2}}),
        ([("a/b", 1), ("a", None)], {"a": None}),
        ([("a", None), ("a", {})], {"a": {}}),
    ],
)
def test_overrides_are_merged_as_helm_does(overrides: list[tuple[str, Any]], values: dict[str, Any]) -> None:
    asked = [override(path, value, "no-host-pid") for path, value in overrides]
    assert nested(asked) == values
    assert (parse(new_file(asked, base="", header=["x"])).documents or [{}]) == [values]
    assert (parse(edited("", asked)).documents or [{}]) == [values]


ODD = ["a.b", "a/b", "yes", "1", "null", "- x", "x: y", "#", "", " ", "*a", "{{ x }}", "é", "a\nb", "<<", "~", "'", '"']


@pytest.mark.parametrize("key", ODD)
@pytest.mark.parametrize("text", ["", "{}\n", "b: 1\n", "b: {c: 1}\n", "# only this\n"])
def test_every_key_and_text_is_written_as_it_is(key: str, text: str) -> None:
    asked = [Override(("b", key), key, (change("no-host-pid"),)), Override((key, "x"), [key, None], ())]
    values = {"b": {key: key}, key: {"x": [key, None]}}
    assert parse(new_file(asked, base=text, header=[key])).documents == [values]
    after = edited(text, asked)
    read = parse(after).documents[0]
    assert (read["b"][key], read[key]) == (key, {"x": [key, None]})
    assert edited(after, asked) == after


def test_a_number_as_key_is_the_text_that_helm_makes_of_it() -> None:
    assert edited("ports:\n  8080: web\n", [override("ports/8080", None)]) == "ports:\n  8080: null\n"


def test_the_line_breaks_are_those_of_the_chart() -> None:
    asked = [override("b", 1, "no-host-pid"), override("a", 2, "no-host-pid")]
    text = new_file(asked, base="a: 1\r\nb: 2\r\n", header=["One", "Two"])
    assert text.count("\r\n") == text.count("\n") == 8
    assert text.endswith("a: 2\r\n\r\n# no-host-pid (K01, high, safe)\r\nb: 1\r\n")


@pytest.mark.parametrize("base", ["a: 1\na: 2\nb: 1\n", "- 1\n", "text", "{{ bad", "\ufeffb: 1\n", "a: b: c", "%"])
def test_an_unreadable_base_gives_no_order_and_no_failure(base: str) -> None:
    asked = [override("b", 1), override("a", 2)]
    assert new_file(asked, base=base, header=[]) == "b: 1\n\na: 2\n"
    assert edited("a: 1\n", asked, base=base) == "a: 2\nb: 1\n"


def test_a_header_cannot_leave_its_comment() -> None:
    text = new_file([override("a", 1)], base="", header=["one\nb: 2\r\u2028c", "", "long " * 40])
    assert parse(text).documents == [{"a": 1}]
    assert max(map(len, text.splitlines())) <= 100


def test_a_list_with_a_secret_is_not_copied() -> None:
    env = [{"name": "DB_PASSWORD", "value": "gT5kd93mZqLw"}]
    with pytest.raises(KeyRefusedError, match=r"^web\.env: its list holds a secret") as refused:
        new_file([override("a", 1), override("web/env", env)], base="", header=[])
    assert refused.value.path == ("web", "env") and "gT5" not in str(refused.value)
    asked = [override("web/env", [*env, {"name": "A", "value": "b"}])]
    text = "web:\n  env:\n  - name: DB_PASSWORD\n    value: gT5kd93mZqLw\n"
    assert edited(text, asked) == text + "  - name: A\n    value: b\n", "where it stands it stays"


@pytest.mark.parametrize(
    ("text", "overrides", "after"),
    [
        ("a: 1  # one\nb: 2\n", [("a", 3)], "a: 3  # one\nb: 2\n"),
        ("a: 1\n", [("a", 1)], "a: 1\n"),
        ("a: '1'\n", [("a", "2")], "a: '2'\n"),
        ("a:\n  # of a\n  b: {}  # empty\n", [("a/b/c", True)], "a:\n  # of a\n  b:     # empty\n    c: true\n"),
        ("a: {b: {c: 1}}\n", [("a/b/d", "x"), ("a/e", None)], "a: {b: {c: 1, d: x}, e: null}\n"),
        ("a:\n  # b: 1\nc: 1\n", [("a/b", 2)], "a:\n  b: 2\n  # b: 1\nc: 1\n"),
        ("a: null\n", [("a/b", 2)], "a:\n  b: 2\n"),
        ("a: text\n", [("a/b", 2)], "a:\n  b: 2\n"),
        ("a:\n  b: 1\n", [("a", None)], "a: null\n"),
        ("a:\n  b: 1\n", [("a", {})], "a:\n  b: 1\n"),
        ("a:\n- x  # first\n", [("a", ["x", "z"])], "a:\n- x  # first\n- z\n"),
        (
            "a:\n- name: x  # first\n  v: 1 # one\n- name: w\n",
            [("a", [{"name": "x", "v": 2}, {"name": "z"}, {"name": "w"}])],
            "a:\n- name: x  # first\n  v: 2 # one\n- name: z\n- name: w\n",
        ),
        ("a: 1\r\n", [("b", {"c": 1})], "a: 1\r\nb:\r\n  c: 1\r\n"),
        ("\ufeffa: 1\n", [("b", 1)], "\ufeffa: 1\nb: 1\n"),
        ("a: 1", [("b", 1)], "a: 1\nb: 1"),
        ("---\na: 1\n---\na: 2\n", [("a", 3)], "---\na: 3\n---\na: 2\n"),
        ('{"a": {"b": 1}}\n', [("a/c", True)], '{"a": {"b": 1, "c": true}}\n'),
    ],
)
def test_a_file_is_edited_in_place(text: str, overrides: list[tuple[str, Any]], after: str) -> None:
    asked = [override(path, value, "no-host-pid") for path, value in overrides]
    assert edited(text, asked) == after
    assert edited(after, asked) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "a:\n  b: 1\n"),
        ("{}", "a:\n  b: 1\n"),
        ("{}\n", "a:\n  b: 1\n"),
        ("# mine\n", "# mine\n\na:\n  b: 1\n"),
        ("# mine", "# mine\n\na:\n  b: 1\n"),
        ("\ufeff# mine\r\n", "\ufeff# mine\r\n\r\na:\r\n  b: 1\r\n"),
        ("# mine\n\n", "# mine\n\na:\n  b: 1\n"),
        ("# mine\n{}  # nothing yet\n# a: 1\n", "# mine\n# nothing yet\n\na:\n  b: 1\n# a: 1\n"),
        ("---\n", "---\na:\n  b: 1\n"),
        ("--- {}\n", "---\na:\n  b: 1\n"),
        ("---\n# mine\n", "---\n# mine\n\na:\n  b: 1\n"),
        ("{}\n---\nc: 1\n", "a:\n  b: 1\n---\nc: 1\n"),
        ("{\n}\n", "a:\n  b: 1\n"),
        ("  \n", "  \na:\n  b: 1\n"),
    ],
)
def test_a_file_without_keys_is_filled(text: str, after: str) -> None:
    asked = [override("a/b", 1, "no-host-pid")]
    assert edited(text, asked) == after
    assert edited(after, asked) == after


@pytest.mark.parametrize(
    "text", ["null\n", "~", "---\n---\nc: 1\n", "{ # why\n}\n", "---\n...\n# end\n", "- a\n", "text"]
)
def test_a_text_without_a_place_for_a_key_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="holds"):
        edited(text, [override("a", 1)])


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [", "{{ .Values }}: 1\n"])
def test_a_text_that_is_no_yaml_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(TextError) as refused:
        edited(text, [override("a", 1)])
    assert refused.value.line is not None and "\n" not in str(refused.value)


def test_a_missing_key_comes_where_the_chart_has_it() -> None:
    base = "first: 1\nweb: {image: 1, securityContext: 1, resources: 1}\nmiddle: 1\nlast: 1\n"
    text = "# mine\nweb:\n  image: x\n  # how much\n  resources: {}\n\nlast: 1\n"
    asked = [override(f"{key}/x", 1) for key in ("first", "middle", "web/securityContext", "unknown")]
    assert edited(text, asked, base=base) == (
        "# mine\nweb:\n  image: x\n  securityContext:\n    x: 1\n  # how much\n  resources: {}\nmiddle:\n  x: 1\n\n"
        "last: 1\nfirst:\n  x: 1\nunknown:\n  x: 1\n"
    )


ANCHORS = """\
common: &common
  runAsNonRoot: false
web:
  security: *common
db:
  security:
    <<: *common
    user: 1
"""


@pytest.mark.parametrize("path", ["web/security/runAsNonRoot", "common/runAsNonRoot", "common/new", "web/security/new"])
def test_what_others_share_is_not_changed(path: str) -> None:
    asked = [override("db/a", 1), override(path, True), override("db/b", 1), override("db/c", 1)]
    with pytest.raises(KeyRefusedError) as refused:
        edited(ANCHORS, asked)
    assert refused.value.path == tuple(path.split("/")) and str(refused.value).startswith(path.replace("/", ".") + ": ")


def test_a_merge_keeps_its_text_and_its_map_gets_the_key() -> None:
    asked = [override("db/security/runAsNonRoot", True), override("db/security/user", 2)]
    assert edited(ANCHORS, asked) == ANCHORS.replace("user: 1\n", "user: 2\n    runAsNonRoot: true\n")


def test_what_changes_everywhere_alike_changes_at_the_anchor() -> None:
    places = ("common", "web/security", "db/security")
    asked = [override(f"{place}/runAsNonRoot", True) for place in places]
    assert edited(ANCHORS, asked) == ANCHORS.replace("false", "true")


def test_an_anchored_number_keeps_its_anchor() -> None:
    assert edited("a: &x 1\nb: 2\n", [override("a", 3)]) == "a: &x 3\nb: 2\n"
    with pytest.raises(KeyRefusedError, match=r"^b: "):
        edited("a: &x 1\nb: *x\n", [override("b", 3)])


def test_keys_have_lines() -> None:
    paths = [("web",), ("web", "resources"), ("web", "limits"), ("db", "securityContext", "runAsUser"), ()]
    lines = {("web",): 2, ("web", "resources"): 6, ("db", "securityContext", "runAsUser"): 14}
    assert key_lines(SHOP, paths) == key_lines("\ufeff" + SHOP, paths) == lines
    assert key_lines("a: [", [("a",)]) == key_lines("", [("a",)]) == key_lines("- 1", [("a",)]) == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("a", "b"), "a.b"),
        (("a", "example.com/x"), r"a.example\.com/x"),
        (("a\nb",), r"a\x0ab"),
        (("a,b=[",), r"a\,b\=\["),
    ],
)
def test_a_key_is_named_as_helm_takes_it(path: tuple[str, ...], name: str) -> None:
    assert key_name(path) == name
