"""The shape of the code: imports point down, transforms decide on views, files stay readable, nothing is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path

import pytest

from hardener.authoring import registry
from hardener.authoring.risks import RISKS

from .conftest import ROOT

# The packages of `hardener`, from the top down; a module may import those below its package, and its neighbours in it.
# The last is the package `hardener` itself.
LAYERS = (
    "__main__", "cli", "testing", "lsp", "agents", "fleet", "commands", "outputs", "report", "observe", "charts",
    "engine", "facts", "tree", "exports", "lock", "authoring", "kubernetes", "sources",
    "support", "errors", "",
)  # fmt: skip
LONGEST = 800  # lines
WIDEST = 10  # modules of one package that cannot be understood one without the other
# The packages of an author: what the tree holds and says, what is known about Kubernetes, and how a rule is declared.
FOR_TRANSFORMS = {"authoring", "facts", "tree", "kubernetes", "support", "errors", ""}

# Languages are known in `hardener/sources` alone. Who names one elsewhere, and what for.
LANGUAGES = {"yaml", "terraform", "hcl", "python"}
NAMES_A_LANGUAGE = {
    "hardener/charts/releases/terraform.py": "a tool that installs charts, beside Flux and Argo CD: values stand in it",
    "hardener/facts/images/dockerfiles/tilt_and_bake.py": "Docker has bake files in HCL; no object stands in them",
    "hardener/kubernetes/pods/command_evidence.py": "python is a command of an image",
}

MODULES = sorted((ROOT / "hardener").rglob("*.py"))
DOOR = ROOT / "hardener" / "__init__.py"  # names for type checkers what it loads when somebody asks for it
TRANSFORM_FILES = sorted((ROOT / "transforms").rglob("*.py"))
TRANSFORMS = [path for path in TRANSFORM_FILES if not path.name.startswith("_")]  # those the registry must find


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def imports(path: Path, *, types: bool = True) -> tuple[tuple[int, str], ...]:
    """Line and full name of every module that the file imports, in functions too, and as ``types`` only."""
    return tuple(_imports(path, types=types))


def _imports(path: Path, *, types: bool) -> Iterator[tuple[int, str]]:
    package = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if types else _run_time(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            # `from hardener import pipeline` names a module, `from hardener import Grade` does not; both are listed.
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _run_time(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue  # nothing is loaded for them
        yield child
        yield from _run_time(child)


def layer(module: str) -> int:
    """The index of the layer of ``hardener.x.y``."""
    parts = [*module.split("."), ""]
    return LAYERS.index(parts[1] if parts[1] in LAYERS else "")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def arrows() -> dict[str, set[str]]:
    """What each module of hardener imports of hardener, types included."""
    modules = {module_of(path): path for path in MODULES}
    found: dict[str, set[str]] = {module: set() for module in modules}
    for module, path in modules.items():
        for _, imported in imports(path, types=path != DOOR):
            # `from hardener.errors import InputError` names no module, what it is imported from does.
            target = imported if imported in modules else imported.rpartition(".")[0]
            if target in modules and target != module:
                found[module].add(target)
    return found


def circles(arrows: Mapping[str, Set[str]]) -> set[frozenset[str]]:
    """The strongly connected components of more than one node: in each, every node leads to every other."""
    reached = {start: _reached(start, arrows) for start in arrows}
    inside = (node for node in arrows if node in reached[node])
    return {frozenset(other for other in reached[node] if node in reached[other]) for node in inside}


def _reached(start: str, arrows: Mapping[str, Set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = arrows[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def test_every_module_stands_in_a_package() -> None:
    tops = {path.relative_to(ROOT / "hardener").parts[0].removesuffix(".py") for path in MODULES}
    assert tops - {"__init__"} == set(LAYERS) - {""}
    assert {path.name for path in (ROOT / "hardener").glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}


# What asks a thousand files for little each is one test, and says all that is wrong: a test takes longer than a file.


@pytest.mark.slow
def test_imports_point_down() -> None:
    wrong = [
        f"{name(path)}, line {line}: {imported}"
        for path in MODULES
        for line, imported in imports(path, types=path != DOOR)
        if imported.split(".")[0] == "hardener" and layer(imported) < layer(module_of(path))
    ]
    assert not wrong, f"they stand below what they import: {wrong}"


def test_circles_are_found() -> None:
    tangle = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a"}, "g": set()}
    assert circles(tangle) == {frozenset("abc"), frozenset("de")}


@pytest.mark.slow
def test_no_circle_between_packages() -> None:
    found: dict[str, set[str]] = {package: set() for package in LAYERS}
    for module, targets in arrows().items():
        own = LAYERS[layer(module)]
        found[own] |= {LAYERS[layer(imported)] for imported in targets} - {own}
    assert not (tangled := circles(found)), f"circles of packages: {[sorted(circle) for circle in tangled]}"


@pytest.mark.slow
def test_no_wide_circle_of_modules() -> None:
    wide = [sorted(circle) for circle in circles(arrows()) if len(circle) > WIDEST]
    assert not wide, f"circles of imports, those of types and inside functions included: {wide}"


@pytest.mark.parametrize("path", sorted((ROOT / "hardener" / "engine").rglob("*.py")), ids=name)
def test_the_engine_knows_no_rule(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert texts.isdisjoint(registry.transforms()), "what is true of one transform is declared in it"


@pytest.mark.parametrize("path", sorted((ROOT / "hardener" / "sources" / "yaml").glob("*.py")), ids=name)
def test_the_yaml_engine_is_usable_alone(path: Path) -> None:
    inside = [imported for _, imported in imports(path) if imported.split(".")[0] == "hardener"]
    allowed = ("hardener.sources.yaml.", "hardener.errors.")
    assert [imported for imported in inside if not imported.startswith(allowed)] == []


def language_words(path: Path) -> Iterator[str]:
    """The line of each place where the file decides by a language: by its name, its modules or its classes."""
    for line, imported in imports(path):
        if imported.startswith(tuple(f"hardener.sources.{folder}" for folder in ("python", "terraform"))):
            yield f"line {line}: {imported}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(attr="language" | "computes" | "fills_in"):
                yield f"line {node.lineno}: .{node.attr}"
            case ast.Compare():
                parts = [each for part in (node.left, *node.comparators) for each in ast.walk(part)]
                if any(isinstance(each, ast.Constant) and each.value in LANGUAGES for each in parts):
                    yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.Call(func=ast.Name(id="isinstance" | "cast" | "issubclass")):
                if {"Rewrite", "Parsed", "Source"} & set(_named(node)):
                    yield f"line {node.lineno}: {ast.unparse(node)}"


def _named(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


OUTSIDE = [path for path in [*MODULES, *TRANSFORM_FILES] if not name(path).startswith("hardener/sources/")]


@pytest.mark.slow
def test_no_language_is_known_outside_of_sources() -> None:
    found = {name(path): words for path in OUTSIDE if (words := list(language_words(path)))}
    wrong = {file: words for file, words in found.items() if file not in NAMES_A_LANGUAGE}
    assert not wrong, f"they decide by a language; ask its `Source` (hardener/sources/source.py): {wrong}"
    assert NAMES_A_LANGUAGE.keys() <= found.keys(), "an exception that is no longer needed"


@pytest.mark.parametrize("path", TRANSFORM_FILES, ids=name)
def test_a_transform_decides_on_views(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr != "data", f"line {node.lineno}: a view holds back what is opaque, .data does not"
    wrong = [
        f"line {line}: {imported}"
        for line, imported in imports(path, types=False)
        if imported.split(".")[0] == "hardener" and LAYERS[layer(imported)] not in FOR_TRANSFORMS
    ]
    assert not wrong


@pytest.mark.parametrize("path", TRANSFORM_FILES, ids=name)
def test_a_transform_leaves_the_grade_to_the_verdict(path: Path) -> None:
    lines = read(path).splitlines()
    named = [number for number, line in enumerate(lines) if "Grade." in line]
    bare = [number + 1 for number in named if "#" not in "".join(lines[max(number - 1, 0) : number + 1])]
    assert not bare, f"lines {bare} name a grade: let verdict() make it of facts, or say why in a comment"


@pytest.mark.parametrize("path", TRANSFORMS, ids=name)
def test_the_registry_finds_every_transform(path: Path) -> None:
    found = registry.transforms().get(path.stem.replace("_", "-"))
    assert found is not None, "no transform of this name; is there an __init__.py in its folder?"
    assert found.function.__name__ == path.stem
    assert RISKS[found.risk].folder == path.parent.name


def test_the_registry_finds_nothing_else() -> None:
    files = {path.stem.replace("_", "-") for path in TRANSFORMS}
    built_in = {t.id for t in registry.transforms().values() if t.function.__module__.startswith("hardener.")}
    assert built_in == files


@pytest.mark.parametrize("path", TRANSFORMS, ids=name)
def test_every_transform_has_a_case_with_a_change_and_one_without(path: Path) -> None:
    folder = ROOT / "golden" / path.parent.name / path.stem.replace("_", "-")
    record = "finding" if registry.get(folder.name).only_reports else "applied"
    changes = {
        f"\n{record} {folder.name} " in "\n" + read(case.parent / "findings.txt") for case in folder.glob("*/before")
    }
    assert changes == {True, False}, f"golden cases in which it changes something, and does not: {changes}"


def test_what_only_reports_offers_no_patch() -> None:
    lines = [line for case in ROOT.glob("golden/**/findings.txt") for line in read(case).splitlines()]
    reporting = {id for id, item in registry.transforms().items() if item.only_reports}
    found = {tuple(line.split()[:2]) for line in lines if len(line.split()) > 1 and line.split()[1] in reporting}
    assert {id for _, id in found} == reporting
    assert {record for record, _ in found} <= {"finding", "waived"}


def test_every_golden_case_belongs_to_something() -> None:
    known = {f"{RISKS[t.risk].folder}/{t.id}" for t in registry.transforms().values()}
    known |= {f"profiles/{profile.stem}" for profile in (ROOT / "profiles").glob("*.yaml")}
    cases = {path.parent.parent.relative_to(ROOT / "golden").as_posix() for path in ROOT.glob("golden/*/*/*/before")}
    assert cases <= known


def test_no_file_is_long() -> None:
    lines = {name(path): len(read(path).splitlines()) for path in [*MODULES, *TRANSFORM_FILES]}
    assert {file: count for file, count in lines.items() if count > LONGEST} == {}
