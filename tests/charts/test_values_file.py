"""Overrides as text: a values file of their own with the reasons, and a file that somebody wrote, edited in place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hardener.authoring import registry
from hardener.authoring.edits import Basis, Grade, Set
from hardener.charts.values.set_values import name_of
from hardener.charts.values.values_file import KeyRefusedError, copies_secret, edited, key_lines, nested, new_file
from hardener.engine.outcome import MISSING, Change, Override
from hardener.sources.yaml import TextError, dump, parse
from tests import helm
from tests.charts.trap_charts import anchors_and_comments
from tests.conftest import SHARED

# The values of a chart that is a library's alone, as app-template, are all comments.
CHARTS = [path for path in sorted((SHARED / "charts").glob("*/values.yaml")) if yaml.safe_load(path.read_bytes())]
each_chart = pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.parent.name)


def change(id: str, grade: Grade = Grade.SAFE, after: Any = True) -> Change:
    """A change of a rendered object; only why it is made counts here."""
    edit = Set(piece=None, path=(0, "spec"), grade=grade, basis=Basis.PROVED, value=after)  # type: ignore[arg-type]
    return Change(registry.get(id), edit, None, 0, ("spec",), MISSING)  # type: ignore[arg-type]


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
  # run-as-non-root (K01, medium, review): Require a non-root user
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
    # memory-limit (K01, low, safe): Set a memory limit
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
        # resource-requests (K01, low, safe): Set CPU and memory requests
        # memory-limit (K01, low, safe)
        requests:
            cpu: '2'
            memory: 1Gi
"""
    )


def test_two_grades_are_two_reasons() -> None:
    asked = [
        override("a/limits", 1, "memory-limit", grade=Grade.REVIEW),
        override("a/requests", 1, "memory-limit"),
    ]
    assert (
        new_file(asked, base="", header=[])
        == """\
a:
  # memory-limit (K01, low, review): Set a memory limit
  limits: 1
  # memory-limit (K01, low, safe)
  requests: 1
"""
    )


def test_a_list_is_written_as_the_one_at_its_key() -> None:
    base = "a:\n  drop: [x]\nb:\n  drop:\n    - x\nc:\n  drop: [x]\n"
    asked = [override(f"{key}/drop", ["ALL"]) for key in "abc"]
    assert new_file(asked, base=base, header=[]) == base.replace("x", "ALL").replace("\nb", "\n\nb").replace(
        "\nc", "\n\nc"
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
# no-host-pid (K01, high, safe): Remove hostPID
# memory-limit (K01, low, review): Set a memory limit
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
    command = "  helm upgrade shop ./chart " + "-f values.yaml " * 10 + "\n-f harden-values.yaml"
    assert new_file([], base="", header=["To use it:", command]) == (
        "# To use it:\n# " + command.replace("\n", "\\x0a") + "\n"
    )


def test_a_list_with_a_secret_is_not_copied() -> None:
    env = [{"name": "DB_PASSWORD", "value": "gT5kd93mZqLw"}]
    with pytest.raises(KeyRefusedError, match=r"^web\.env: its list holds a secret") as refused:
        new_file([override("a", 1), override("web/env", env)], base="", header=[])
    assert refused.value.path == ("web", "env") and "gT5" not in str(refused.value)
    assert copies_secret(override("web", {"containers": [{"env": env}]}))
    assert not copies_secret(
        override("web", {"args": ["--token-file=/run/token"], "automountServiceAccountToken": False})
    )
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


def test_the_values_of_the_trap_with_anchors(tmp_path: Path) -> None:
    anchors_and_comments(tmp_path)
    text = (tmp_path / "values.yaml").read_text(encoding="utf-8")
    web, worker = (override(f"{name}/securityContext/readOnlyRootFilesystem", True) for name in ("web", "worker"))
    assert edited(text, [worker]) == text + "    readOnlyRootFilesystem: true\n"
    with pytest.raises(KeyRefusedError) as refused:
        edited(text, [worker, web])
    assert (refused.value.path, refused.value.line) == (web.path, 6)
    assert nested([web, worker]) == parse(new_file([web, worker], base=text, header=[])).documents[0]


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
    shared = {("web", "security", "runAsNonRoot"): 2, ("db", "security", "runAsNonRoot"): 2}
    assert key_lines(ANCHORS, shared) == shared, "what an alias or a merge brings stands at the anchor"
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
    assert name_of(path) == name


# -- properties

_keys = st.sampled_from(["a", "b", "c", "yes", "x.y", "1"])
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "x", "true", "1e3", "a\nb\n", "'"])
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=6,
)
_maps = st.dictionaries(_keys, _values, max_size=4)
_overrides = st.lists(
    st.builds(
        lambda path, value, ids, grade: Override(tuple(path), value, tuple(change(id, grade) for id in ids)),
        st.lists(_keys, min_size=1, max_size=3),
        _values,
        st.lists(st.sampled_from(["no-host-pid", "memory-limit", "run-as-non-root"]), min_size=1, max_size=2),
        st.sampled_from(Grade),
    ),
    max_size=6,
)


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What helm makes of two values files."""
    both = {key for key in new if isinstance(old.get(key), dict) and isinstance(new[key], dict)}
    return {**old, **new, **{key: merged(old[key], new[key]) for key in both}}


@given(_maps, _overrides)
@pytest.mark.slow
def test_any_overrides_come_out_both_ways(own: dict[str, Any], asked: list[Override]) -> None:
    text = dump(own)
    values = nested(asked)
    made = new_file(asked, base=text, header=[])
    assert (parse(made).documents or [{}]) == [values]
    assert new_file(asked, base=made, header=[]) == made, "its own text is in its own order and style"
    after = edited(text, asked, base=made)
    assert (parse(after).documents or [{}]) == [merged(own, values)]
    assert edited(after, asked, base=made) == after


@given(_overrides)
def test_every_value_has_its_reason_above_it(asked: list[Override]) -> None:
    text = new_file(asked, base="", header=[])
    parsed = parse(text)
    lines = text.splitlines()
    for wanted in asked:
        if any(starts(wanted.path, other.path) for other in asked if other is not wanted):
            continue  # another override has taken its place, or added to it
        above = [
            comment
            for depth in range(1, len(wanted.path) + 1)
            for comment in comments_above(lines, parsed.line(0, wanted.path[:depth]) - 1)
        ]
        words = " ".join(above)
        for leaf in leaves(wanted.value, wanted.path):
            below = [parsed.line(0, leaf[:depth]) - 1 for depth in range(len(wanted.path) + 1, len(leaf) + 1)]
            all_words = " ".join([words, *(comment for number in below for comment in comments_above(lines, number))])
            assert all(each.transform.id in all_words for each in wanted.changes)


def starts(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one[: len(other)] == other[: len(one)]


def leaves(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]


def comments_above(lines: list[str], number: int) -> list[str]:
    start = number
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return lines[start:number]


# -- real charts


def maps(data: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = [found for key, item in data.items() if isinstance(item, dict) for found in maps(item, (*path, key))]
    return [path, *below]


@each_chart
@pytest.mark.slow
def test_every_map_of_a_real_chart_takes_a_key(path: Path) -> None:
    base = path.read_text(encoding="utf-8")
    before = parse(base)
    asked = [
        Override((*found, "hardened"), ["x", "yes"], (change("no-host-pid"),)) for found in maps(before.documents[0])
    ]
    after = edited(base, asked, base=base)
    assert parse(after).documents == [merged(before.documents[0], nested(asked))]
    assert Counter(comment.text for comment in parse(after).comments()) == Counter(
        comment.text for comment in before.comments()
    )
    assert edited(after, asked, base=base) == after
    assert len(key_lines(after, [each.path for each in asked])) == len(asked) > 20
    made = new_file(asked[::-1], base=base, header=[])
    order = [key for key in before.documents[0] if isinstance(before.documents[0][key], dict)]
    assert list(parse(made).documents[0]) == [*order, "hardened"]


RENDERED: dict[str, list[tuple[str, Any]]] = {
    "cert-manager": [
        ("containerSecurityContext/runAsNonRoot", True),
        ("cainjector/resources/limits/memory", "1Gi"),
        ("webhook/extraArgs", ["--v=1", "yes"]),
        ("webhook/livenessProbe/failureThreshold", None),
        ("podAnnotations", {"example.com/x.y": "0777"}),
    ],
    "redis": [
        ("metrics/enabled", True),
        ("replica/resources/limits/memory", "1Gi"),
        ("master/podAnnotations/a.b", "yes"),
    ],
    "traefik": [("resources/limits/memory", "1Gi"), ("deployment/podAnnotations", {"on": "off"})],
}


@pytest.mark.helm
@pytest.mark.parametrize("name", RENDERED)
@pytest.mark.parametrize("major", helm.PACKAGES, ids="helm-{}".format)
def test_helm_renders_the_same_from_both_files(name: str, major: int, tmp_path: Path) -> None:
    chart = SHARED / "charts" / name
    if not chart.exists():
        pytest.skip("the charts beside the repository are not there")
    run = helm.Helm(helm.program(major), tmp_path / "homes")
    base = (chart / "values.yaml").read_text(encoding="utf-8")
    asked = [override(path, value, "no-host-pid") for path, value in RENDERED[name]]
    (tmp_path / "new.yaml").write_text(new_file(asked, base=base, header=["A header"]), encoding="utf-8")
    (tmp_path / "edited.yaml").write_text(edited(base, asked, base=base), encoding="utf-8")
    given = ["--set-string=auth.password=x"] if name == "redis" else []  # it makes one up at each render else
    plain, *both = (
        run("template", "app", chart, *given, *files, cwd=tmp_path)
        for files in ((), ("-f", "new.yaml"), ("-f", "edited.yaml"))
    )
    assert [done.returncode for done in (plain, *both)] == [0, 0, 0], both[0].stderr
    assert both[0].stdout == both[1].stdout != plain.stdout
