"""Releases of Terraform: which values are written out, and what is left to a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write

from .trees import added, made, only, override, written


def block(values: str, more: str = "", chart: str = "./charts/app") -> str:
    lines = f"  values = [{values}]\n" if values else ""
    return f'resource "helm_release" "web" {{\n  name  = "web"\n  chart = "{chart}"\n{lines}{more}}}\n'


@pytest.mark.parametrize(
    ("values", "said", "unseen"),
    [
        ("", {}, 0),
        ('file("${path.module}/own.yaml")', {"a": 1}, 0),
        ('file("own.yaml")', {"a": 1}, 0),
        ('file("none.yaml")', {}, 1),
        ('file(var.values)', {}, 1),
        ('templatefile("own.yaml", {})', {}, 1),
        ("<<EOT\na: 2\nEOT\n  ", {"a": 2}, 0),
        ("<<-EOT\n      a:\n        b: 2\n    EOT\n  ", {"a": {"b": 2}}, 0),
        ("<<-EOT\n    a: ${var.a}\n    b: 1\n    EOT\n  ", {"b": 1}, 1),
        ("<<-EOT\n    %{ if var.a }\n    b: 1\n    %{ endif }\n    EOT\n  ", {}, 1),
        ("<<-EOT\n${local.all}\n    EOT\n  ", {}, 1),
        ("yamlencode({ a = 2, b = { c = [1, 2] } })", {"a": 2, "b": {"c": [1, 2]}}, 0),
        ("yamlencode({ a = 2, b = var.b })", {"a": 2}, 1),
        ("jsonencode({ a = 2 })", {"a": 2}, 0),
        ('"a: 2"', {"a": 2}, 0),
        ('"a: ${var.a}"', {}, 1),
        ('file("own.yaml"), yamlencode({ b = 2 })', {"a": 1, "b": 2}, 0),
    ],
)  # fmt: skip
def test_values_that_are_written_out_are_read(values: str, said: dict[str, Any], unseen: int, tmp_path: Path) -> None:
    release = only(made(tmp_path, {"main.tf": block(values), "own.yaml": "a: 1\n"}))
    assert merged([each.data for each in release.values]) == said
    assert len(release.unseen) == unseen
    assert (release.name, release.namespace, release.at_hand) == ("web", "default", True)


SET = """\
  set {
    name  = "d"
    value = "4"
  }
  set {
    name  = "e\\\\.f"
    value = true
    type  = "string"
  }
  set_sensitive {
    name  = "password"
    value = var.password
  }
"""
SET_LIST = '  set = [{ name = "d", value = "4" }, { name = "e", value = var.e }]\n'


def test_what_is_set_wins(tmp_path: Path) -> None:
    text = block("yamlencode({ d = 1 })", SET)
    release = only(made(tmp_path, {"main.tf": text}))
    assert merged([each.data for each in release.values]) == {"d": 4, "e.f": "true"}
    asked = [override("d", 5), override("password", "x"), override("a", 1)]
    found = write(release, asked, lambda path: text)
    assert not isinstance(found, dict)
    assert found.overrides == tuple(asked[:2])
    assert written(release, asked[2])["main.tf"] == text.replace("{ d = 1 }", "{ d = 1, a = 1 }")
    release = only(made(tmp_path, {"main.tf": block("", SET_LIST)}))
    assert merged([each.data for each in release.values]) == {"d": 4}
    assert release.unseen == ["set e of helm_release.web"]


@pytest.mark.parametrize(
    "more", ['  dynamic "set" {\n    for_each = var.sets\n    content {}\n  }\n', "  set = var.sets\n"]
)
def test_a_loop_may_set_anything(more: str, tmp_path: Path) -> None:
    text = block("yamlencode({ d = 1 })", more)
    found = write(only(made(tmp_path, {"main.tf": text})), [override("d", 2)], lambda path: text)
    assert not isinstance(found, dict) and "the tree does not show it" in found.reason


CHANGES: dict[str, tuple[str, Any, list[str]]] = {
    "heredoc": ("<<EOT\n# ours\na: 2 # two\nEOT\n  ", override("a", 3), ["-a: 2 # two", "a: 3 # two"]),
    "indented": ("<<-EOT\n    a:\n      b: 2\n    EOT\n  ", override("a.c", [1]), ["      c:", "      - 1"]),
    "template": ('<<-EOT\n    a:\n      b: "${var.b}"\n    EOT\n  ', override("a.c", 1), ["      c: 1"]),
    "object": ("yamlencode({\n    a = 2 # two\n  })", override("a", "x"), ["-    a = 2 # two", '    a = "x" # two']),
    "json": ("jsonencode({\n    a = 2\n  })", override("a", 3), ["-    a = 2", "    a = 3"]),
    "beside": ("yamlencode({\n    a = var.a\n    b = 1\n  })", override("b", 2), ["-    b = 1", "    b = 2"]),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_line_changes(case: str, newline: str, tmp_path: Path) -> None:
    values, change, lines = CHANGES[case]
    text = block(values).replace("\n", newline)
    made(tmp_path, {})
    (tmp_path / "main.tf").write_bytes(text.encode())
    release = only(made(tmp_path, {}))
    found = write(release, [change], lambda path: text)
    assert isinstance(found, dict), found
    (after,) = found.values()
    assert added(text, after) == lines
    assert after.count(newline) == after.count("\n")


def test_the_first_item_that_wins_is_the_place(tmp_path: Path) -> None:
    files = {"main.tf": block('file("own.yaml"), yamlencode({ b = 2 })'), "own.yaml": "a: 1\n"}
    release = only(made(tmp_path, files))
    assert written(release, override("a", 3)) == {"own.yaml": "a: 3\n"}
    assert list(written(release, override("b", 3))) == ["main.tf"]
    # The values that a chart comes with are not those of the release.
    files["main.tf"] = block('file("charts/app/values.yaml")')
    found = write(only(made(tmp_path, files)), [override("a.b", True)], lambda path: "")
    assert not isinstance(found, dict)
    assert found.advice == (
        "add an item to values of helm_release.web, as yamlencode() or a heredoc of:\na:\n  b: true"
    )


@pytest.mark.parametrize("values", ["<<EOT\na: 2\nEOT\n  ", "yamlencode({ a = 2 })"])
def test_a_value_is_no_template(values: str, tmp_path: Path) -> None:
    text = block(values)
    found = write(only(made(tmp_path, {"main.tf": text})), [override("a", "${x}")], lambda path: text)
    assert not isinstance(found, dict) and "template of Terraform" in found.reason


@pytest.mark.parametrize(
    ("chart", "missing"),
    [
        ("./none", "./none is no chart of the tree"),
        ("${var.chart}", "its chart is an expression"),
        ("other", "no repository is named for other; .harden.yaml may give its folder: helm.charts.other"),
        ("${path.module}/charts/app", ""),
        ("charts/app", ""),
    ],
)
def test_a_chart_is_a_path_or_a_name(chart: str, missing: str, tmp_path: Path) -> None:
    release = only(made(tmp_path, {"main.tf": block("", chart=chart)}))
    assert (release.missing, release.at_hand) == (missing, not missing)


def test_a_data_source_installs_nothing(tmp_path: Path) -> None:
    text = 'data "helm_release" "web" {\n  chart = "./charts/app"\n}\n'
    assert releases(made(tmp_path, {"main.tf": text})) == []


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (override("a", 1), True),
        (override("a.b", 1), True),
        (override("a.b.c", 1), True),
        (override("a", {"b": 1}), True),
        (override("a", {"d": 1}), False),
        (override("a.d", 1), False),
        (override("list", [1]), True),
    ],
)
@pytest.mark.parametrize("last", ["", ", yamlencode({ x = 1 })"])
def test_an_expression_of_a_person_stays(change: Any, refused: bool, last: str, tmp_path: Path) -> None:
    text = block("yamlencode({\n    a = { b = var.b }\n    list = [var.c]\n  })" + last)
    found = write(only(made(tmp_path, {"main.tf": text})), [change], lambda path: text)
    assert isinstance(found, dict) is not refused
    if not isinstance(found, dict):
        assert "to what the tree does not show" in found.reason
        assert found.advice.startswith("look at that value first; then add an item to values")


def test_a_heredoc_in_an_object_is_a_text(tmp_path: Path) -> None:
    text = block("yamlencode({\n    a = <<-EOT\n      b {\n        c\n      }\n    EOT\n  })")
    release = only(made(tmp_path, {"main.tf": text}))
    assert release.values[0].data == {"a": "b {\n  c\n}\n"}
    assert text.count("\n") + 1 == written(release, override("d", 1))["main.tf"].count("\n")
