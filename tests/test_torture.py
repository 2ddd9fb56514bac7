"""The 44 YAML shapes that broke other fixers, through the whole command line."""

from __future__ import annotations

import difflib
import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED, Harden, at, commit, git, lone_comments, restore, same_value, snapshot, texts, write

_FILE = SHARED / "conformance" / "yaml_torture_cases.py"
NAMES = """
plain license_header_then_sep sep_with_comment yaml_directive doc_end_marker comment_only_doc empty_doc_between
dashes_in_comment dashes_in_block_scalar pem_in_secret block_scalar_last_in_doc folded_scalar plain_multiline
flow_container empty_flow_sc flow_sc_caps_empty null_sc flow_drop_oneline crlf no_final_newline bom
anchors_shared_containers merge_key quoted_keys indent4 float_cpu octal_and_strings octal_mode long_line
trailing_comment_end comment_between_keys blank_lines unicode list_kind json duplicate_key asterisk_line
same_name_two_kinds same_kind_name_no_ns_dup tab_in_comment expand_initcontainers template_placeholder helm_tpl
helm_tpl_if
""".split()
REFUSED = {
    "duplicate_key": "duplicate key",
    "helm_tpl_if": "a template, not yet a manifest",
}


@cache
def cases() -> dict[str, str]:
    found: dict[str, str] = runpy.run_path(str(_FILE))["CASES"]
    return found


needs_cases = pytest.mark.skipif(not _FILE.exists(), reason=f"needs {_FILE}, which is not part of the repository")


@needs_cases
def test_all_shapes_are_known() -> None:
    assert list(cases()) == NAMES and len(NAMES) == 44


def _touched(before: str, after: str) -> list[str]:
    """The lines of ``before`` that are gone or changed."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(True), after.splitlines(True), autojunk=False)
    lines = before.splitlines(True)
    return [line for tag, i, j, _, _ in matcher.get_opcodes() if tag in ("delete", "replace") for line in lines[i:j]]


def _may_be_edited(line: str, changes: list[dict[str, Any]]) -> bool:
    """A flow collection, `{}` or a null that is edited, a value that a change replaces."""
    text = line.split("#")[0].strip()
    keys = {change["path"][-1] for change in changes if "before" in change}
    replaced = any(text.lstrip("- ").strip('"').startswith(f"{key}") for key in keys if isinstance(key, str))
    return replaced or text.rstrip(",").endswith(("}", "]")) or (text.endswith(":") and "securityContext" in text)


@needs_cases
@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("profile", ["restricted", "baseline", "strict"])
@pytest.mark.parametrize("name", NAMES)
def test_shape(name: str, profile: str, harden: Harden, tmp_path: Path) -> None:
    before = cases()[name]
    file = "case.json" if name == "json" else "case.yaml"
    write(tmp_path, {file: before})
    commit(tmp_path)
    shown = harden("diff", "--profile", profile)
    report = json.loads(harden("diff", "--format", "json", "--profile", profile).out)
    done = harden("apply", ".", "--profile", profile)
    assert done.status == 0 or (name in REFUSED and "nothing was read" in done.all)
    assert "internal error in harden" not in done.err
    after = (tmp_path / file).read_bytes().decode()

    if name in REFUSED:
        assert after == before
        assert REFUSED[name] in shown.all
        assert REFUSED[name] in "".join(item.get("reason", item.get("message", "")) for item in
                                        report["refused"] + report["findings"])  # fmt: skip
        return
    assert report["refused"] == []
    assert after != before and report["summary"]["edits"] > 0

    # The data is what it was, but for what the report lists.
    _data_is_as_reported(before, after, report["changes"])
    if name == "json":
        json.loads(after)
    # No comment is lost, no line is touched that nobody asked to change.
    assert lone_comments(before) == lone_comments(after)
    for comment in ("# keep", "# first doc", "# caf\u00e9 \u2713", "\t# tab", "# --- note ---"):
        assert (comment in before) == (comment in after)
    touched = _touched(before, after)
    for line in touched:
        plain = line.rstrip("\r\n")
        joined = {plain.rstrip(","), plain + ","} & {text.rstrip("\r\n") for text in after.splitlines()}
        assert _may_be_edited(line, report["changes"]) or joined, f"touched: {line!r}"
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in before else 0)
    assert after.endswith("\n") == before.endswith("\n")
    # Twice is once.
    again = harden("apply", ".", "--profile", profile)
    assert (again.status, (tmp_path / file).read_bytes().decode()) == (0, after)
    # And the patch makes the same file.
    restore(tmp_path)
    patched = git(tmp_path, "apply", "-", stdin=shown.all.encode())
    assert patched.returncode == 0, patched.stderr
    assert snapshot(tmp_path)[file][1].decode() == after


def _data_is_as_reported(before: str, after: str, changes: list[dict[str, Any]]) -> None:
    old, new = texts(before), texts(after)
    assert len(old) == len(new)
    paths = [change["path"] for change in changes]
    for one, other in zip(old, new, strict=True):
        for path in _differences(one, other):
            assert any(path[: len(known)] == known or known[: len(path)] == path for known in paths), path
    for change in changes:
        if "after" in change:
            assert any(_holds(document, change["path"], change["after"]) for document in new), change["path"]


def _holds(document: Any, path: list[str | int], value: Any) -> bool:
    try:
        found = at(document, path)
    except KeyError:
        return False
    if isinstance(found, list) and not isinstance(value, list):
        return any(same_value(item, value) for item in found)
    return same_value(found, value) or isinstance(found, dict | list)  # a later step may have added to it


def _differences(one: Any, other: Any) -> list[list[str | int]]:
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in one.keys() | other.keys():
            if key in one and key in other:
                found += [[key, *path] for path in _differences(one[key], other[key])]
            else:
                found.append([key])
        return found
    if isinstance(one, list) and isinstance(other, list):
        found = [[n, *path] for n, pair in enumerate(zip(one, other, strict=False)) for path in _differences(*pair)]
        return found + [[n] for n in range(min(len(one), len(other)), max(len(one), len(other)))]
    return [] if one == other else [[]]
