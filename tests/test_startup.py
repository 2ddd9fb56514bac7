"""What a run loads: heavy libraries come when they are needed, seen from ``sys.modules`` of a fresh process, and a
small run costs at most four times what its framework costs to import."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from hardener.report import formats

from .conftest import DEPLOYMENT, ROOT

pytestmark = pytest.mark.slow

# Imported in the function that uses them. Of our own modules these come late: commands, the formats of reports, charts,
# the languages beside YAML, and few others (the import says why).
HEAVY = {
    "dask", "deepdiff", "distributed", "dockerfile_parse", "httpx2", "importlib.metadata", "libcst", "lsprotocol",
    "mcp", "multiprocessing", "pathspec", "pydantic", "pygls", "rich", "ruamel.yaml", "sqlite3", "tree_sitter",
    "urllib.request",
}  # fmt: skip
# Of ours, and large with what they import: what few trees have to do with.
FOR_FEW = {
    "hardener.engine.observed_grade", "hardener.engine.waivers.peers", "hardener.facts.access.admission.guardrails",
    "hardener.report.chart_values", "hardener.tree.control_plane",
}  # fmt: skip
# Times ``import typer``: of a run over one file, and of ``--help``. On a quiet machine they are 4.0 to 4.2, and 1.4.
MOST, MOST_FOR_HELP = 4.5, 2

_PROBE = """
import sys
sys.argv = ["harden", *sys.argv[1:]]
try:
    from hardener.cli import main
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    print("loaded:", *sys.modules)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The heavy modules that ``harden ARGUMENTS`` leaves in ``sys.modules``."""
    return _heavy(folder, "-c", _PROBE, *arguments)


def _heavy(folder: Path, *arguments: str) -> set[str]:
    return HEAVY & _modules(folder, *arguments)


def _modules(folder: Path, *arguments: str, cache: Path | None = None, text: str = "") -> set[str]:
    """``text`` is given on standard input; ``cache`` is where Python keeps bytecode, and we what transforms declare."""
    command = [sys.executable, "-X", "utf8", *arguments]
    settings = {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""} if cache else {}
    environment = {**os.environ, **settings}
    done = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, done.stderr
    modules = done.stdout.rpartition("loaded:")[2].split()
    assert len(modules) > 50, "the probe printed no modules"
    return set(modules)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(DEPLOYMENT, encoding="utf-8")
    return path


def test_the_list_is_one_of_modules_that_exist() -> None:
    names = sorted(HEAVY)
    script = f"import importlib.util as u; print(*(n for n in {names} if not u.find_spec(n)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    # A typo in HEAVY would make these tests pass for nothing.
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_the_probe_sees_what_is_loaded(tmp_path: Path) -> None:
    assert _heavy(tmp_path, "-c", "import pathspec, sys; print('loaded:', *sys.modules)") == {"pathspec"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(tmp_path: Path, option: str) -> None:
    assert loaded(tmp_path, option) == set()


def test_help_of_a_command_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, "apply", "--help") == set()


def test_apply_to_one_file_loads_the_parser_and_the_entry_points(manifest: Path) -> None:
    assert loaded(manifest.parent, "apply", manifest.name) <= {"importlib.metadata", "ruamel.yaml"}
    assert manifest.read_text(encoding="utf-8") != DEPLOYMENT


@pytest.mark.parametrize("format", formats.NAMES)
def test_a_format_is_loaded_when_it_is_asked_for(manifest: Path, format: str) -> None:
    found = _modules(manifest.parent, "-c", _PROBE, "apply", manifest.name, "--format", format)
    all_of_them = {f"hardener.report.formats.{name}" for name in formats.NAMES}
    assert found & all_of_them == {f"hardener.report.formats.{format}"}
    assert HEAVY & found <= {"importlib.metadata", "ruamel.yaml"}


def test_one_deployment_loads_no_transform_without_a_target(manifest: Path) -> None:
    cache = manifest.parent / "cache"
    run = partial(_modules, manifest.parent, "-c", _PROBE, "apply", manifest.name, cache=cache)
    everything = run()  # the first run writes down what the transforms declare
    found = run()
    names = [name for name in everything if name.startswith("hardener.transforms.")]
    assert {name for name in names if ".rbac_" in name or ".tf_" in name or ".kubelet_" in name} & found == set()
    assert {name for name in names if ".no_host_" in name} <= found


def test_one_deployment_loads_nothing_that_few_trees_need(manifest: Path) -> None:
    found = _modules(manifest.parent, "-c", _PROBE, "apply", manifest.name)
    assert FOR_FEW & found == set()
    names = sorted(FOR_FEW)
    assert _modules(manifest.parent, "-c", f"import sys, {', '.join(names)}; print('loaded:', *sys.modules)") > FOR_FEW


PLAIN_PYTHON = {
    "plain.py": "import os\n\nprint(os.name)\n",
    "docs.py": "# a Deployment has an apiVersion and a kind, kubernetes V1Pod\nX = 'selector template containers'\n",
    "use.py": "from kubernetes import client\n\napi: client.V1Pod = client.CoreV1Api().read('x')\n",
    "broken.py": "def f(:\n",
}


def test_python_files_that_make_no_objects_load_no_parser_of_python(manifest: Path) -> None:
    for name, text in PLAIN_PYTHON.items():
        (manifest.parent / name).write_text(text, encoding="utf-8")
    found = _modules(manifest.parent, "-c", _PROBE, "apply", ".")
    assert HEAVY & found <= {"importlib.metadata", "ruamel.yaml"}
    assert "hardener.sources.python.parsed" not in found


def test_a_python_file_that_makes_objects_loads_its_engine(tmp_path: Path) -> None:
    text = 'POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "b"}]}}\n'
    (tmp_path / "pod.py").write_text(text, encoding="utf-8")
    found = _modules(tmp_path, "-c", _PROBE, "apply", ".")
    assert "hardener.sources.python.parsed" in found and not {"libcst", "tree_sitter"} & found
    assert "allowPrivilegeEscalation" in (tmp_path / "pod.py").read_text(encoding="utf-8")


def test_the_graph_loads_the_parser_and_no_transform(manifest: Path) -> None:
    assert loaded(manifest.parent, "graph", manifest.name) <= {"ruamel.yaml"}


def test_an_ignore_file_loads_pathspec(manifest: Path) -> None:
    (manifest.parent / ".git").mkdir()
    assert "pathspec" not in loaded(manifest.parent, "apply", manifest.name)
    (manifest.parent / ".gitignore").write_text("out/\n", encoding="utf-8")
    assert loaded(manifest.parent, "apply", ".") <= {"importlib.metadata", "pathspec", "ruamel.yaml"}


def test_the_package_alone_loads_nothing_of_it(tmp_path: Path) -> None:
    found = _modules(tmp_path, "-c", "import sys, hardener; dir(hardener); print('loaded:', *sys.modules)")
    assert {name for name in found if name.startswith("hardener.")} == set()


def test_the_library_loads_what_a_command_does(tmp_path: Path) -> None:
    program = (
        f"import sys; from hardener import harden_text; harden_text({DEPLOYMENT!r}); print('loaded:', *sys.modules)"
    )
    found = _modules(tmp_path, "-c", program)
    assert HEAVY & found <= {"importlib.metadata", "ruamel.yaml"} and "typer" not in found


def _least(best: float, folder: Path, *arguments: str) -> float:
    """Seconds of processor time of a process, or ``best`` where it took more."""
    # No figure of all children: others may end meanwhile.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
    child = subprocess.Popen([sys.executable, *arguments], cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in (0, 1)
    return min(best, used.ru_utime + used.ru_stime)


@pytest.mark.skipif(sys.platform == "win32", reason="processor time of a child is not known")
@pytest.mark.parametrize(
    ("most", "command"), [(MOST_FOR_HELP, ["--help"]), (MOST, ["diff", "web.yaml"])], ids=["help", "diff"]
)
def test_a_small_run_costs_little_more_than_its_framework(manifest: Path, most: float, command: list[str]) -> None:
    base = cost = _least(60, manifest.parent, "-m", "hardener", *command)  # writes bytecode
    for _ in range(20):  # until a moment comes in which the machine is not busy with something else
        base = _least(base, manifest.parent, "-c", "import typer")
        cost = _least(cost, manifest.parent, "-m", "hardener", *command)
        if cost <= most * base:
            return
    pytest.fail(f"{cost:.3f} s, {cost / base:.2f} times import typer")


_ENDS = """
import atexit, sys
{before}
sys.argv = ["harden", *sys.argv[1:]]
from hardener.cli import main
import hardener.cli.app
atexit.register(print, "called last")
main()
"""


@pytest.mark.parametrize("before", ["", "atexit.register(print, 'came before')"])
@pytest.mark.parametrize(
    ("arguments", "status"), [(["--version"], 0), (["diff", "web.yaml"], 1), (["diff", "--frob"], 2)]
)
def test_a_run_that_ends_at_once_ends_as_it_should(
    manifest: Path, before: str, arguments: list[str], status: int
) -> None:
    command = [sys.executable, "-c", _ENDS.format(before=before), *arguments]
    done = subprocess.run(command, cwd=manifest.parent, capture_output=True, text=True)
    assert done.returncode == status
    assert "called last\n" in done.stdout
    assert ("came before\n" in done.stdout) == bool(before)
    assert {0: "harden 0", 1: "diff --git", 2: "--frob"}[status] in done.stdout + done.stderr
