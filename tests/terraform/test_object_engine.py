"""The engine that changes the blocks of Kubernetes objects: any change comes out as decided, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.sources.python.libraries import types
from hardener.sources.terraform import object_block, provider
from hardener.sources.terraform import parsed as terraform
from hardener.sources.terraform.module import Module
from hardener.sources.yaml import TextError, same

from ..calls import calls

FOLDER = Path(__file__).parent / "workloads"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.tf"))}


def parts(text: str) -> Iterator[str]:
    """The blocks of ``text`` that stand for objects, each with the lines before it."""
    for start, end, _ in terraform.parse(text).extents():
        try:
            if object_block.read(text[start:end], unknown) is not None:
                yield text[start:end]
        except TextError:
            continue


def unknown(expression: str) -> None:
    return None


PARTS = [part for text in FILES.values() for part in parts(text)]
VALUES: list[Any] = [
    True,
    1000,
    "text",
    ["ALL"],
    {},
    {"name": "x"},
    [{"name": "x", "value": "1"}],
    {"type": "RuntimeDefault"},
]
NAMES = "securityContext runAsUser automountServiceAccountToken volumes name labels containers image privileged".split()


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


@settings(max_examples=400, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_a_change_comes_out_as_decided_or_is_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(PARTS))
    wanted: list[Any] = []

    def mutate(documents: list[Any]) -> None:
        for _ in range(data.draw(st.integers(1, 3))):
            path = data.draw(st.sampled_from([each for each in places(documents[0]) if each]))
            holder = documents[0]
            for part in path[:-1]:
                holder = holder[part]
            what = data.draw(st.sampled_from(["set", "drop", "add"]))
            if what == "drop":
                del holder[path[-1]]
            elif what == "set":
                holder[path[-1]] = deepcopy(data.draw(st.sampled_from(VALUES)))
            elif isinstance(holder, list):
                holder.append(deepcopy(data.draw(st.sampled_from(VALUES))))
            else:
                holder[data.draw(st.sampled_from(NAMES))] = deepcopy(data.draw(st.sampled_from(VALUES)))
            if not documents[0]:
                break
        wanted[:] = deepcopy(documents)

    try:
        done = object_block.rewrite(text, mutate, unknown)
    except TextError:
        return
    assert same(done.after.documents, wanted)
    again = object_block.read(done.text, unknown)
    assert again is not None and same(again.documents, wanted)
    lines = text.splitlines(keepends=True)
    for hunk in reversed(done.hunks):
        assert lines[hunk.before_start - 1 : hunk.before_start - 1 + len(hunk.before)] == hunk.before
        lines[hunk.before_start - 1 : hunk.before_start - 1 + len(hunk.before)] = hunk.after
    assert "".join(lines) == done.text


RESOURCES = [
    found
    for name in provider._data()["resources"]
    if (found := provider.resource(name)) is not None
]  # fmt: skip
# Fields that the schemas of Kubernetes have no more, or that the provider has in a shape of its own.
OTHER = {
    ("Volume", "local"), ("AzureFileVolumeSource", "secretNamespace"), ("IngressSpec", "backend"),
    ("IngressBackend", "serviceName"), ("IngressBackend", "servicePort"), ("Endpoint", "condition"),
}  # fmt: skip


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.type)
def test_every_name_of_the_provider_is_a_field_of_kubernetes(resource: provider.Resource) -> None:
    assert types.is_type(resource.kind)
    waiting, seen = [resource.block], set()
    while waiting:
        block = waiting.pop()
        for field in block.fields.values():
            if field is None:
                continue
            if field.block is not None and id(field.block) not in seen:
                seen.add(id(field.block))
                waiting.append(field.block)
            if field.name and block.type_name and (block.type_name, field.name) not in OTHER:
                kind = types.field_type(block.type_name, field.name)
                assert kind, (block.type_name, field.name)
                assert field.block is None or (field.form in ("many", "each")) == kind.startswith("[")


def test_a_module_reads_its_files_once_and_only_when_it_is_asked(tmp_path: Path) -> None:
    asked = []

    def files() -> list[tuple[str, str]]:
        asked.append(1)
        return [(str(tmp_path / "a.tf"), "locals {\n  a = 1\n}\n")]

    module = Module(str(tmp_path), files)
    assert asked == []
    assert module.value("local.a") == (1,) and module.value("local.b") is None and module.value("f(1)") is None
    assert asked == [1]


DOUBLING = {
    "texts": '"${local.a%d}${local.a%d}"', "lists": "[local.a%d, local.a%d]",
    "maps": "{ x = local.a%d, y = local.a%d }",
}  # fmt: skip


@pytest.mark.parametrize("form", DOUBLING)
def test_names_that_double_what_they_hold_have_no_value(tmp_path: Path, form: str) -> None:
    lines = [f"  a{number} = {DOUBLING[form] % (number + 1, number + 1)}\n" for number in range(60)]
    text = f"locals {{\n{''.join(lines)}  a60 = 1\n}}\n"
    module = Module(str(tmp_path), lambda: [(str(tmp_path / "a.tf"), text)])
    assert calls(lambda: module.value("local.a0")) < 100_000
    assert module.value("local.a0") is None and module.value("local.a60") == (1,)


def test_names_that_lead_to_themselves_have_no_value(tmp_path: Path) -> None:
    text = "locals {\n  a = local.b\n  b = local.a\n  c = local.d.e\n  d = { e = local.c }\n}\n"
    module = Module(str(tmp_path), lambda: [(str(tmp_path / "a.tf"), text)])
    assert [module.value(f"local.{name}") for name in "abcd"] == [None] * 4
