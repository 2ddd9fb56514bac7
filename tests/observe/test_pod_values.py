"""Variables of containers and files of volumes are those that a kubelet makes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hardener.observe.pod_values import (
    Given,
    MissingError,
    Variable,
    VolumeFile,
    content_of,
    files_of,
    text_with,
    variables,
    words,
)  # fmt: skip
from hardener.observe.refusal import NotOfferedError

Map = dict[str, Any]
GIVEN = Given(
    {"settings": {"LEVEL": b"info", "both": b"map", "no name!": b"x"}, "bytes": {"raw": b"\xff\x00"}},
    {"login": {"PASSWORD": b"hunter22", "both": b"secret"}},
    {"CACHE_SERVICE_HOST": "10.1.1.1", "LEVEL": "of a service"},
    {"token": b"T", "namespace": b"shop"}, "web-0", "shop", "10.1.1.2", {"app": "web", "b": 'say "hi"'}, {"note": "n"},
    "robot",
)  # fmt: skip


def made(*env: Map, envFrom: list[Map] | None = None, **container: Any) -> dict[str, str]:
    found = variables(container | {"env": list(env), "envFrom": envFrom or []}, {}, GIVEN)
    return {each.name: each.value for each in found}


def value(each: Map) -> Map:
    return {"name": "A", "valueFrom": each}


KNOWN = [Variable("A", "one"), Variable("B", "$(A)"), Variable("P", "hunter22", True), Variable("", "empty")]
TEXTS = {
    "plain": "plain", "$(A)": "one", "x$(A)y$(A)": "xoneyone", "$$(A)": "$(A)", "$$$(A)": "$one", "$$$$(A)": "$$(A)",
    "$(NO)": "$(NO)", "$(A": "$(A", "$A": "$A", "$": "$", "$$": "$", "$(B)": "$(A)", "$()": "empty", "$(A)$": "one$",
    "$(A$(A)": "$(A$(A)", "$((A))": "$((A))", "$x$(A)": "$xone", "${A}": "${A}", "$( A)": "$( A)",
}  # fmt: skip


@pytest.mark.parametrize(("text", "result"), TEXTS.items(), ids=TEXTS)
def test_references_to_variables(text: str, result: str) -> None:
    assert text_with(text, KNOWN) == result


def test_what_has_no_end_takes_no_longer_than_it_has_signs() -> None:
    text = "$(" * 300_000
    assert text_with(text, KNOWN) == text
    assert text_with("$(A)" + text, KNOWN) == "one" + text
    assert text_with("$$" * 300_000, KNOWN) == "$" * 300_000


DOUBLED = [{"name": "A0", "value": "xxxxxxxxxx"}] + [
    {"name": f"A{number}", "value": f"$(A{number - 1})" * 2} for number in range(1, 40)
]
TOO_MUCH: dict[str, tuple[list[Map], str, tuple[Any, ...]]] = {
    "doubled": (DOUBLED, "it has more than 131071 bytes when $(A13) is replaced", ("env", 14)),
    "many at once": (
        [{"name": "A", "value": "x" * 1000}, {"name": "B", "value": "$(A)" * 100_000}],
        "it has more than 131071 bytes when $(A) is replaced", ("env", 1),
    ),
    "not in signs": (
        [{"name": "A", "value": "ä" * 40_000}, {"name": "B", "value": "$(A)$(A)"}],
        "it has more than 131071 bytes when $(A) is replaced", ("env", 1),
    ),
    "all together": (
        [{"name": "A", "value": "x" * 130_000}, *({"name": f"B{number}", "value": "$(A)"} for number in range(9))],
        "it and what is before it have more than 1048576 bytes", ("env", 8),
    ),
    "a name without end": (
        [{"name": "x" * 200, "value": "y" * 130_000}, {"name": "B", "value": f"$({'x' * 200})$({'x' * 200})"}],
        f"it has more than 131071 bytes when $({'x' * 58}... is replaced", ("env", 1),
    ),
    "nothing that a program takes": (
        [{"name": "A", "value": "a\0b"}], "it is no text of at most 131071 bytes of UTF-8 without NUL", ("env", 0),
    ),
    "half a sign": (
        [{"name": "A", "value": "\ud800"}], "it is no text of at most 131071 bytes of UTF-8 without NUL", ("env", 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("env", "why", "path"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_said_before_it_is_made(env: list[Map], why: str, path: tuple[Any, ...]) -> None:
    with pytest.raises(NotOfferedError) as error:
        variables({"env": env}, {}, GIVEN)
    assert (str(error.value), error.value.path) == (why, path)
    assert error.value.remedy


def test_a_command_is_bounded_too() -> None:
    known = [Variable("A", "x" * 100_000)]
    with pytest.raises(NotOfferedError, match=r"when .* is replaced") as error:
        words(["sh", "$(A)$(A)"], known, ("command",))
    assert error.value.path == ("command", 1)
    with pytest.raises(NotOfferedError, match="what is before it"):
        words(["$(A)"] * 11, known)


def test_a_key_that_is_no_name_is_left_out_as_a_kubelet_does() -> None:
    given = replace(GIVEN, config_maps={"odd": {"*": b"x", "A*": b"x", "a b": b"x", "A\n": b"x", "good.1": b"x"}})
    found = variables({"envFrom": [{"configMapRef": {"name": "odd"}}]}, {}, given)
    assert {each.name for each in found} == {*GIVEN.services, "good.1"}
    volume = files_of({"configMap": {"name": "odd"}}, {}, {}, given)
    assert volume is not None and [each.path for each in volume] == ["good.1"]


def test_words_tell_of_secrets() -> None:
    assert words(["a", "$(A)"], KNOWN) == (["a", "one"], False)
    assert words(["$(P)"], KNOWN) == (["hunter22"], True)
    assert words(["$$(P)"], KNOWN) == (["$(P)"], False)
    assert words(None, KNOWN) == ([], False)


def test_a_later_source_wins() -> None:
    both = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "login"}}]
    assert made() == {"CACHE_SERVICE_HOST": "10.1.1.1", "LEVEL": "of a service"}
    assert made(envFrom=both)["both"] == "secret"
    assert made(envFrom=both[::-1])["both"] == "map"
    assert made(envFrom=both)["LEVEL"] == "info"
    assert made({"name": "both", "value": "own"}, envFrom=both)["both"] == "own"
    assert "no name!" not in made(envFrom=both)
    assert made(envFrom=[{"prefix": "P_", "configMapRef": {"name": "settings"}}])["P_LEVEL"] == "info"


def test_a_variable_sees_those_before_it() -> None:
    env = ({"name": "A", "value": "$(B)"}, {"name": "B", "value": "1"}, {"name": "C", "value": "$(B)$(LEVEL)"})
    assert made(*env)["A"] == "$(B)"
    assert made(*env)["C"] == "1of a service"
    assert made({"name": "E"}, {"name": "F", "value": None}) | {"E": "", "F": ""} == made({"name": "E"}, {"name": "F"})


def test_what_comes_of_a_secret_is_one() -> None:
    found = variables(
        {"env": [value({"secretKeyRef": {"name": "login", "key": "PASSWORD"}}), {"name": "U", "value": "x:$(A)"}]},
        {}, GIVEN,
    )  # fmt: skip
    assert {each.name: each.secret for each in found}["U"]
    assert "hunter22" not in repr(found) and "hunter22" not in repr(GIVEN)


GIVES: dict[str, tuple[Map, str | None]] = {
    "config map": ({"configMapKeyRef": {"name": "settings", "key": "LEVEL"}}, "info"),
    "optional config map": ({"configMapKeyRef": {"name": "no", "key": "x", "optional": True}}, None),
    "optional key": ({"secretKeyRef": {"name": "login", "key": "x", "optional": True}}, None),
    "name": ({"fieldRef": {"fieldPath": "metadata.name"}}, "web-0"),
    "namespace": ({"fieldRef": {"fieldPath": "metadata.namespace"}}, "shop"),
    "address": ({"fieldRef": {"fieldPath": "status.podIP"}}, "10.1.1.2"),
    "account": ({"fieldRef": {"fieldPath": "spec.serviceAccountName"}}, "robot"),
    "label": ({"fieldRef": {"fieldPath": "metadata.labels['app']"}}, "web"),
    "no label": ({"fieldRef": {"fieldPath": "metadata.labels['x']"}}, ""),
    "annotation": ({"fieldRef": {"fieldPath": "metadata.annotations['note']"}}, "n"),
    "limit": ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}, "64"),
    "limit, rounded up": ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Gi"}}, "1"),
    "limit in bytes": ({"resourceFieldRef": {"resource": "limits.memory"}}, str(64 << 20)),
    "limit, divisor zero": ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}}, str(64 << 20)),
    "cpu": ({"resourceFieldRef": {"resource": "limits.cpu"}}, "1"),
    "cpu in parts": ({"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}, "250"),
    "requested up to its limit": ({"resourceFieldRef": {"resource": "requests.memory"}}, str(64 << 20)),
    "no request": ({"resourceFieldRef": {"resource": "requests.ephemeral-storage"}}, "0"),
    "limit of a node": ({"resourceFieldRef": {"resource": "limits.ephemeral-storage", "divisor": "1Gi"}}, "20"),
}


@pytest.mark.parametrize(("said", "result"), GIVES.values(), ids=GIVES)
def test_value_from(said: Map, result: str | None) -> None:
    resources = {"limits": {"memory": "64Mi", "cpu": "500m"}, "requests": {"cpu": "250m"}}
    assert made(value(said), resources=resources).get("A") == result


LACKS: dict[str, tuple[Map, str]] = {
    "config map": ({"configMapKeyRef": {"name": "no", "key": "x"}}, "its ConfigMap no is not in the tree"),
    "secret": ({"secretKeyRef": {"name": "no", "key": "x"}}, "its Secret no is not in the tree"),
    "key": ({"secretKeyRef": {"name": "login", "key": "x"}}, "its key x of Secret login is not in the tree"),
    "field": ({"fieldRef": {"fieldPath": "status.x"}}, "its field status.x is not known outside of a cluster"),
    "other": ({"fileKeyRef": {}}, "env A: fileKeyRef is not known outside of a cluster"),
    "divisor": (
        {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "x"}},
        "its resourceFieldRef limits.cpu is no quantity",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "why"), LACKS.values(), ids=LACKS)
def test_what_is_missing_is_said(said: Map, why: str) -> None:
    with pytest.raises(MissingError) as error:
        made(value(said))
    assert str(error.value) == why


def test_a_missing_source_of_all_variables_is_said() -> None:
    with pytest.raises(MissingError, match="its Secret no is not in the tree"):
        made(envFrom=[{"secretRef": {"name": "no"}}])
    assert "both" not in made(envFrom=[{"secretRef": {"name": "no", "optional": True}}])


def test_resources_of_another_container() -> None:
    spec = {"containers": [{"name": "other", "resources": {"limits": {"cpu": "3"}}}]}
    of = {"resourceFieldRef": {"containerName": "other", "resource": "limits.cpu"}}
    assert variables({"env": [value(of)]}, spec, GIVEN)[-1].value == "3"


def files(volume: Map) -> dict[str, tuple[bytes, int]] | None:
    found = files_of(volume, {}, {}, GIVEN)
    return None if found is None else {each.path: (each.content, each.mode) for each in found}


ITEMS = [{"key": "LEVEL", "path": "a/level", "mode": 0o400}, {"key": "both", "path": "b"}]
FILES: dict[str, tuple[Map, Mapping[str, tuple[bytes, int]] | None]] = {
    "empty": ({"emptyDir": {}}, None),
    "claim": ({"persistentVolumeClaim": {"claimName": "a"}}, None),
    "nothing": ({"configMap": None}, None),
    "secret": (
        {"secret": {"secretName": "login", "defaultMode": 0o400}},
        {"PASSWORD": (b"hunter22", 0o400), "both": (b"secret", 0o400)},
    ),
    "items": (
        {"configMap": {"name": "settings", "items": ITEMS, "defaultMode": 0o600}},
        {"a/level": (b"info", 0o400), "b": (b"map", 0o600)},
    ),
    "bytes": ({"configMap": {"name": "bytes"}}, {"raw": (b"\xff\x00", 0o644)}),
    "optional": ({"secret": {"secretName": "no", "optional": True}}, {}),
    "optional key": (
        {"configMap": {"name": "settings", "optional": True, "items": [{"key": "x", "path": "x"}]}}, {},
    ),
    "labels": (
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"labels": (b'app="web"\nb="say \\"hi\\""', 0o644)},
    ),
    "cpu": (
        {"downwardAPI": {"items": [{"path": "cpu", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
        {"cpu": (b"1", 0o644)},
    ),
    "projected": (
        {"projected": {"defaultMode": 0o440, "sources": [
            {"secret": {"name": "login", "items": [{"key": "both", "path": "x"}]}},
            {"configMap": {"name": "settings", "items": [{"key": "both", "path": "x"}]}},
            {"serviceAccountToken": {"path": "t/token"}},
        ]}},
        {"x": (b"map", 0o440), "t/token": (b"T", 0o440)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("volume", "result"), FILES.values(), ids=FILES)
def test_files_of_a_volume(volume: Map, result: Mapping[str, tuple[bytes, int]] | None) -> None:
    assert files(volume) == result


def item(path: Any) -> list[Map]:
    return [{"key": "LEVEL", "path": path}]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..", "a\0b"])
@pytest.mark.parametrize(
    "source", [
        lambda path: {"configMap": {"name": "settings", "items": item(path)}},
        lambda path: {"projected": {"sources": [{"serviceAccountToken": {"path": path}}]}},
        lambda path: {"downwardAPI": {"items": [{"path": path, "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ],
    ids=["items", "token", "downward"],
)  # fmt: skip
def test_no_path_leaves_a_volume(source: Any, path: str) -> None:
    with pytest.raises(MissingError, match="is no path of a volume"):
        files(source(path))


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        ({"secret": {"secretName": "no"}}, "its Secret no is not in the tree"),
        ({"configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}},
         "its key x of ConfigMap settings is not in the tree"),
    ],
)  # fmt: skip
def test_what_a_volume_lacks_is_said(volume: Map, why: str) -> None:
    with pytest.raises(MissingError) as error:
        files(volume)
    assert str(error.value) == why


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


CONTENT: dict[str, tuple[Map, dict[str, bytes]]] = {
    "config map": ({"kind": "ConfigMap", "data": {"a": "x"}, "binaryData": {"b": encoded(b"\0\xff")}},
                   {"a": b"x", "b": b"\0\xff"}),
    "secret": ({"kind": "Secret", "data": {"a": encoded(b"x"), "b": encoded(b"y")}, "stringData": {"b": "z"}},
               {"a": b"x", "b": b"z"}),
    "in lines": ({"kind": "Secret", "data": {"a": "aGVs\nbG8=\n"}}, {"a": b"hello"}),
    "no base64": ({"kind": "Secret", "data": {"a": "not base64!", "b": "aGVsbG8", "c": encoded(b"c")}}, {"c": b"c"}),
    "a placeholder": ({"kind": "Secret", "data": {"a": "<base64 of it>"}}, {}),
    "no text": ({"kind": "Secret", "data": {"a": ["x"], "b": None, "c": True}}, {}),
    "no map": ({"kind": "Secret", "data": ["x"], "stringData": "y"}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("item", "result"), CONTENT.values(), ids=CONTENT)
def test_content(item: Map, result: dict[str, bytes]) -> None:
    assert content_of(item) == result


def test_a_file_does_not_show_itself() -> None:
    assert "hunter22" not in repr(VolumeFile("a", b"hunter22"))
