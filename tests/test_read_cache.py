"""A run that finds what an earlier one read says the same, byte for byte; no secret lies in the cache."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.sources import manifests
from hardener.sources.python import gate
from hardener.tree import read_cache, reader
from hardener.tree.tree import Settings, Tree

from .conftest import CORPUS, DEPLOYMENT, ROOT, Done, Harden, commit, corpus_copy, run, write

GOLDEN = sorted((ROOT / "golden").glob("*/*/*/before"))


@pytest.fixture(autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, which is asked from the first file on."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(reader, "_FEW", 0)
    return folder


def files_in(caches: Path) -> list[Path]:
    return sorted(path for path in (caches / "harden").rglob("*") if path.is_file())


def tree(folder: Path, count: int = 6) -> Path:
    files = {
        f"app-{number}.yaml": DEPLOYMENT.replace("name: web\n", f"name: web-{number}\n") for number in range(count)
    }
    files["values.txt"] = "no manifest\n"
    files["pipeline.yaml"] = "jobs: [{name: nothing of interest, namespace: shop}]\n"
    files["service.yaml"] = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}}\n"
    write(folder, files)
    commit(folder)
    return folder


def ways(folder: Path, *arguments: str) -> list[Done]:
    """A run without the cache, one that fills it, one that finds it full."""
    return [run(*arguments, *more, cwd=folder) for more in (["--no-cache"], [], [])]


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.slow
def test_the_corpus_is_reported_alike(tmp_path: Path, caches: Path, name: str, format: str) -> None:
    folder = corpus_copy(name, tmp_path)
    one = next(path for path in sorted(folder.rglob("*.yaml")) if "kind: Deployment" in path.read_text())
    for asked in (".", str(one.relative_to(folder))):
        without, cold, warm = ways(folder, "diff", asked, "--format", format)
        assert without == cold == warm
    assert len(files_in(caches)) == 1  # of one root


@pytest.mark.sampled(20)
@pytest.mark.parametrize("case", GOLDEN, ids=lambda path: path.relative_to(ROOT / "golden").as_posix())
def test_golden_cases_are_reported_alike(tmp_path: Path, case: Path) -> None:
    shutil.copytree(case, tmp_path / "case")
    without, cold, warm = ways(tmp_path / "case", "diff", ".", "--format", "json")
    assert without == cold == warm


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed from now on."""
    found: list[str] = []
    load = manifests.load

    def noted(path: str, *arguments: Any, **named: Any) -> object:
        found.append(os.path.basename(path))
        return load(path, *arguments, **named)

    monkeypatch.setattr(manifests, "load", noted)
    return found


def test_only_what_changed_is_read(tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    found = parsed(monkeypatch)
    harden("diff", "app-0.yaml")
    assert len(found) == 7
    found.clear()
    harden("diff", "app-0.yaml")
    assert found == ["app-0.yaml"], "what a run changes is not kept"
    found.clear()
    (tmp_path / "service.yaml").write_text((tmp_path / "service.yaml").read_text().replace("app: web", "app: other"))
    (tmp_path / "app-3.yaml").rename(tmp_path / "moved.yaml")
    after = harden("diff", "app-0.yaml", "--format", "json")
    assert found == ["app-0.yaml", "service.yaml"]
    assert after == harden("diff", "app-0.yaml", "--format", "json", "--no-cache")


def test_without_a_cache_nothing_is_read_or_kept(
    tmp_path: Path, harden: Harden, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path)
    harden("diff", "app-0.yaml", "--no-cache")
    assert list(caches.iterdir()) == []
    harden("diff", "app-0.yaml")
    found = parsed(monkeypatch)
    harden("diff", "app-0.yaml", "--no-cache")
    assert len(found) == 7


def test_a_few_files_need_none(tmp_path: Path, harden: Harden, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_FEW", 20)
    tree(tmp_path)
    harden("diff", ".")
    assert list(caches.iterdir()) == []


PASSWORD, TOKEN = "kT9vQ2mX7rB4wZ8p", "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
_POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, image: i, {0}}}]}}\n"
SECRETS = {
    "a Secret": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{note: {PASSWORD}}}\n",
    "a Secret in base64": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
    f"data: {{note: {base64.b64encode(PASSWORD.encode()).decode()}}}\n",
    "a Secret in a list": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n"
    f"  metadata: {{name: s}}\n  stringData: {{note: {PASSWORD}}}\n",
    "a variable": _POD.format(f"env: [{{name: DB_PASSWORD, value: {PASSWORD}}}]"),
    "an argument": _POD.format(f"args: [--password={PASSWORD}]"),
    "a command": _POD.format(f'command: [sh, -c, "mysql -u root -p{PASSWORD} shop"]'),
    "a ConfigMap": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{password: {PASSWORD}}}\n",
    "a file in a ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    f"data:\n  app.ini: |\n    [db]\n    password = {PASSWORD}\n",
    "a connection": _POD.format(f'env: [{{name: DB, value: "postgres://u:{PASSWORD}@db/shop"}}]'),
    "a label that is a token": f"apiVersion: v1\nkind: Service\nmetadata: {{name: s, labels: {{x: {TOKEN}}}}}\n",
    "a key that is a token": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{{TOKEN}: x}}\n",
    "an annotation": "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {note: "
    f'"the password is password={PASSWORD}"}}}}\n',
    "a comment": f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\n# password: {PASSWORD}\n",
    "a template": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {{{{ .x }}}}}}\nstringData: {{note: {PASSWORD}}}\n",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_secret_lies_in_the_cache(tmp_path: Path, caches: Path, text: str) -> None:
    tree(tmp_path)
    write(tmp_path, {"held.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: beside}\n---\n" + text})
    for asked in ("app-0.yaml", "."):
        without, cold, warm = ways(tmp_path, "diff", asked, "--format", "json")
        assert without == cold == warm
    kept = b"".join(path.read_bytes() for path in files_in(caches))
    assert b"web-1" in kept, "the cache is in use"
    encoded = base64.b64encode(PASSWORD.encode())
    assert [word for word in (PASSWORD.encode(), TOKEN.encode(), encoded, b"beside") if word in kept] == []


def _damaged() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda whole: b""
    yield "cut off", lambda whole: whole[: len(whole) // 2]
    yield "another letter", lambda whole: whole.replace(b"web-1", b"web-9")
    yield "nothing of interest", lambda whole: whole.replace(b'"kind":"Deployment"', b'"kind":"X"')
    yield "no text", lambda whole: b"\xff\x00" * 5000


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in _damaged()])
def test_a_damaged_cache_changes_nothing(tmp_path: Path, caches: Path, spoil: Callable[[bytes], bytes]) -> None:
    tree(tmp_path)
    without, _, _ = ways(tmp_path, "diff", ".", "--format", "json", "--only", "run-as-non-root")
    kept = files_in(caches)[0]
    run("diff", "service.yaml", cwd=tmp_path)
    kept.write_bytes(spoil(kept.read_bytes()))
    assert run("diff", ".", "--format", "json", "--only", "run-as-non-root", cwd=tmp_path) == without


@pytest.mark.parametrize(
    "said",
    [b"", b"{}", b"[]", b"[[],7]", b"[7,null]", b"[[],[[0,9999999,0,null]]]", b"[[],[[5,1,0,null]]]", b"[" * 100_000],
)
def test_an_entry_of_another_shape_is_not_there(tmp_path: Path, said: bytes) -> None:
    tree(tmp_path)
    without, _, _ = ways(tmp_path, "diff", "service.yaml", "--format", "json")
    cache = read_cache.ReadCache.of(str(tmp_path))
    assert cache is not None and cache.entries
    lines = [key + said for key in cache.entries]
    cache.folder.write(cache.name, b"\n".join([cache.program, *lines]))
    assert run("diff", "service.yaml", "--format", "json", cwd=tmp_path) == without


def test_one_entry_that_is_no_json_costs_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    without, _, _ = ways(tmp_path, "diff", "service.yaml", "--format", "json")
    cache = read_cache.ReadCache.of(str(tmp_path))
    assert cache is not None
    first, *others = (key + said for key, said in cache.entries.items())
    cache.folder.write(cache.name, b"\n".join([cache.program, first[:64] + b"[", *others]))
    found = parsed(monkeypatch)
    assert run("diff", "service.yaml", "--format", "json", cwd=tmp_path) == without
    assert len(found) == 7
    assert run("diff", "service.yaml", "--format", "json", cwd=tmp_path) == without
    assert len(found) == 7  # they were written anew


def test_files_of_one_text_share_no_data(tmp_path: Path) -> None:
    tree(tmp_path)
    write(tmp_path, {"copy/app-0.yaml": (tmp_path / "app-0.yaml").read_text()})
    without, cold, warm = ways(tmp_path, "diff", ".", "--format", "json")
    assert without == cold == warm
    found = Tree.read([str(tmp_path)], root=str(tmp_path), settings=Settings(cache=True))
    one, other = (file.pieces[0].data[0] for file in found.files if file.path.endswith("app-0.yaml"))
    assert one == other and one is not other and one["spec"] is not other["spec"]


def test_another_version_reads_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    run("diff", "service.yaml", cwd=tmp_path)
    assert (found := read_cache.ReadCache.of(str(tmp_path))) and found.entries
    monkeypatch.setattr(read_cache, "__version__", "9.9.9")
    assert (found := read_cache.ReadCache.of(str(tmp_path))) and not found.entries


def test_a_tree_that_brings_a_cache_is_not_believed(
    tmp_path: Path, harden: Harden, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path)
    harden("diff", "service.yaml")
    shutil.copytree(caches / "harden", tmp_path / ".cache" / "harden")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    found = parsed(monkeypatch)
    harden("diff", "service.yaml")
    assert len(found) == 7
    (tmp_path / "link").symlink_to(tmp_path / ".cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "link"))
    assert read_cache.ReadCache.of(str(tmp_path)) is None


def test_what_is_judged_without_waivers_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    write(tmp_path, {"hidden.yaml": '{"apiVersion": "v1", "ki\\u006ed": "Pod", "metadata": {"name": "p"}}\n'})
    without, cold, warm = ways(tmp_path, "check", ".", "--no-waivers", "--format", "json")
    assert without == cold == warm
    run("check", ".", cwd=tmp_path)
    assert run("check", ".", "--no-waivers", "--format", "json", cwd=tmp_path) == without


def test_a_program_without_objects_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    write(tmp_path, {"a.py": 'WORDS = ["apiVersion", "kind"]\n', "b.py": "import os\n"})
    run("diff", "app-0.yaml", cwd=tmp_path)

    def passes(raw: bytes) -> bool:
        raise AssertionError("it is known")

    monkeypatch.setattr(gate, "passes", passes)
    assert run("diff", "app-0.yaml", cwd=tmp_path).status == 1


def test_what_is_not_private_is_kept_with_its_values(tmp_path: Path) -> None:
    values = '{a: 1, b: 1.0, c: "1", d: 0x10, e: 1e3, f: .inf, g: null, h: ~, i: true, j: "é\\u2028", k: -0.0, l: [[]]}'
    tree(tmp_path)
    write(tmp_path, {"held.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {values}\n"})
    documents, clean = [], []
    for _ in range(2):
        found = Tree.read([str(tmp_path / "app-0.yaml")], root=str(tmp_path), settings=Settings(cache=True))
        assert found.read_cache is not None
        documents.append([repr(item.data) for item in found.objects])
        clean.append(len(found.read_cache.clean))
        found.read_cache.keep(lambda document: False)
    assert documents[0] == documents[1] and clean == [0, 8]
