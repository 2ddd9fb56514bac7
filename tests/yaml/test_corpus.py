"""Manifests of real projects and shapes that break other tools; both live beside the repository, in ../shared."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.sources.yaml import Rewrite, TextError, parse, rewrite, same, segments

from . import oracle
from .invariants import check
from .random_yaml import Replay

pytestmark = pytest.mark.slow

SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus"
TORTURE = SHARED / "conformance"

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real manifests, ../shared/corpus, is absent"
)


def corpus() -> Iterator[tuple[str, str]]:
    """Each segment that has a `kind:`, with its file name."""
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json"):
            text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
            for segment in segments(text):
                if "kind" in segment.text:
                    yield f"{path.relative_to(CORPUS)}:{segment.line + 1}", segment.text


def readable() -> Iterator[tuple[str, str]]:
    for name, text in corpus():
        try:
            parse(text)
        except TextError:
            continue
        yield name, text


def harden(documents: list[Any]) -> None:
    """What a hardening tool adds, in ordinary code."""

    def visit(data: Any) -> None:
        if isinstance(data, dict):
            if isinstance(data.get("containers"), list):
                pod(data)
            for item in list(data.values()):
                visit(item)
        elif isinstance(data, list):
            for item in data:
                visit(item)

    def pod(spec: dict[str, Any]) -> None:
        context = spec.get("securityContext") or {}
        spec["securityContext"] = context
        context["runAsNonRoot"] = True
        context.setdefault("seccompProfile", {"type": "RuntimeDefault"})
        spec["automountServiceAccountToken"] = False
        spec.pop("hostNetwork", None)
        for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
            if isinstance(container, dict):
                inner = container.get("securityContext") or {}
                container["securityContext"] = inner
                inner["allowPrivilegeEscalation"] = False
                capabilities = inner.get("capabilities") or {}
                inner["capabilities"] = capabilities
                capabilities["drop"] = ["ALL"]
                container.setdefault("resources", {"limits": {"cpu": "500m", "memory": "512Mi"}})

    visit(documents)


# The keys whose lines `harden` may replace: it sets them, or opens what stands behind them.
CHANGED = ("runAsNonRoot", "automountServiceAccountToken", "allowPrivilegeEscalation", "hostNetwork", "capabilities",
           "securityContext", "resources", "drop", "ALL", "all", "NET_RAW")  # fmt: skip


def gone(result: Rewrite) -> list[str]:
    """The lines that are no longer there, other than for their line end and JSON's commas."""
    found = []
    for hunk in result.hunks:
        came = [row.rstrip("\r\n,") for row in hunk.after]
        found += [row for row in hunk.before if row.rstrip("\r\n,") not in came]
    return found


@needs_corpus
def test_the_corpus_reads_as_pyyaml_reads_it() -> None:
    count = 0
    for name, text in readable():
        try:
            seen = oracle.documents(text)
        except yaml.YAMLError:
            continue  # tabs before comments, and the like
        assert same(parse(text).documents, seen), name
        count += 1
    assert count > 800


@needs_corpus
def test_hardening_the_corpus_loses_nothing() -> None:
    changed = 0
    for name, text in readable():
        if len(text) > 100_000:
            continue
        result = rewrite(text, harden)
        wanted = parse(text).documents
        harden(wanted)
        check(text, result, wanted)
        changed += bool(result.hunks)
        for row in gone(result):
            assert row.split(":")[0].strip(" -\r\n") in CHANGED or row.rstrip().endswith(
                ("{}", "null", ",", "}", "]")
            ), name
        again = rewrite(result.text, harden)
        assert again.text == result.text, name
        assert again.hunks == []
    assert changed > 150


@needs_corpus
def test_random_edits_in_the_corpus() -> None:
    for number, (name, text) in enumerate(readable()):
        if len(text) > 20_000:
            continue
        mutate = Replay(random.Random(number).getstate(), 1 + number % 4)
        try:
            result = rewrite(text, mutate)
        except TextError as refusal:
            assert refusal.reason.startswith(("the document would be replaced", "an empty document")), name
            continue
        check(text, result, mutate.wanted)


def torture() -> dict[str, str]:
    if not (TORTURE / "yaml_torture_cases.py").is_file():
        return {}
    sys.path.insert(0, str(TORTURE))
    try:
        from yaml_torture_cases import CASES
    finally:
        sys.path.remove(str(TORTURE))
    return dict(CASES)


@pytest.mark.parametrize("name", sorted(torture()) or ["absent"])
def test_torture(name: str) -> None:
    cases = torture()
    if not cases:
        pytest.skip("the torture shapes, ../shared/conformance/yaml_torture_cases.py, are absent")
    text = cases[name].removeprefix("\ufeff")
    refused = {"duplicate_key", "helm_tpl_if"}
    for segment in segments(text):
        try:
            result = rewrite(segment.text, harden)
        except TextError as refusal:
            # One shape has an alias in the place of a container: hardening it alone would leave its anchor behind.
            assert name in refused or refusal.reason.startswith("alias *c would differ")
            continue
        wanted = parse(segment.text).documents
        harden(wanted)
        check(segment.text, result, wanted)
        assert all("{" in row or "drop" in row or row.endswith('"\n') or row.endswith("}\n") for row in gone(result))
        assert rewrite(result.text, harden).text == result.text
