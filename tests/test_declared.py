"""What transforms declare, on record: as good as the loaded modules, and never older than they are."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from hardener.authoring import declaration_cache, registry
from hardener.authoring.profile import load
from hardener.authoring.transform import Steps, Transform, transform
from hardener.engine import pipeline
from hardener.errors import InputError
from hardener.tree.core_views import Container
from hardener.tree.tree import Tree

from .conftest import DEPLOYMENT, write

ALL = list(registry.transforms().values())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package of the transforms, with a cache of its own."""
    found = import_module("hardener.transforms")
    monkeypatch.setattr(found.__spec__, "cached", str(tmp_path / "__init__.pyc"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return found


def _loaded(item: Transform) -> Transform:
    found: Transform = getattr(import_module(item.module), item.id.replace("-", "_")).__transform__
    return found


def test_the_record_says_what_the_modules_say(package: ModuleType) -> None:
    sources = declaration_cache.sources(package)
    assert any(item.peers for item in ALL) and any(item.only_reports for item in ALL)
    declaration_cache.write(package, sources, [_loaded(item) for item in ALL])
    recorded = declaration_cache.read(package, sources)
    assert recorded is not None and [item.id for item in recorded] == [item.id for item in ALL]
    for item in recorded:
        real = _loaded(item)
        assert item == real
        assert (item.visits, item.takes) == (real.visits, real.takes)
        assert (item.function, item.each, item.options) == (real.function, real.each, real.options)


def test_the_files_of_views_and_transforms_are_its_sources(package: ModuleType) -> None:
    paths = {Path(path).as_posix() for path, _, _ in declaration_cache.sources(package)}
    assert {
        Path(str(sys.modules[name].__file__)).as_posix()
        for name in ("hardener.tree.core_views", "hardener.tree.blocks")
    } <= paths
    assert {Path(str(sys.modules[item.function.__module__].__file__)).as_posix() for item in ALL} <= paths


def test_a_changed_file_or_a_damaged_record_counts_for_nothing(package: ModuleType, tmp_path: Path) -> None:
    sources = declaration_cache.sources(package)
    assert declaration_cache.read(package, sources) is None
    declaration_cache.write(package, sources, ALL)
    assert declaration_cache.read(package, [*sources[1:], (sources[0][0], 0, sources[0][2])]) is None
    (record,) = tmp_path.glob("transforms.*")
    for damaged in (b"", record.read_bytes()[:-40], b"no record"):
        record.write_bytes(damaged)
        assert declaration_cache.read(package, sources) is None


def test_nothing_is_written_where_python_writes_no_bytecode(
    package: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    declaration_cache.write(package, [], ALL)
    monkeypatch.setattr(package.__spec__, "cached", None)
    declaration_cache.write(package, [], ALL)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_is_said_also_where_nothing_takes_it(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    profile = load("restricted")
    profile.set_option("tls.minimum", "VersionTLS10", "--set")
    with pytest.raises(InputError, match="tls"):
        pipeline.run(Tree.read([str(tmp_path)], root=str(tmp_path)), profile)


@pytest.mark.parametrize("peer", ["CKV_K8S_16", "chekov:CKV_K8S_16", "checkov:", ":CKV_K8S_16"])
def test_a_peer_is_a_scanner_and_its_check(peer: str) -> None:
    with pytest.raises(TypeError, match="is no check of checkov, kube-linter"):

        @transform(each=Container, stage="host", peers=(peer,))
        def own(container: Container) -> Steps:
            yield from ()
