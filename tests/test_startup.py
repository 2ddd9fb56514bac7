"""What a command loads, seen from ``sys.modules`` of a fresh process: a fact where a clock would be an opinion."""

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

HEAVY = {
    "deepdiff", "dockerfile_parse", "httpx2", "importlib.metadata", "libcst", "msgspec", "multiprocessing", "pathspec",
    "pydantic", "rich", "ruamel.yaml", "tree_sitter", "urllib.request",
}  # fmt: skip

# Of ours: what reads patches, waivers and what is judged by them, which a tree without any of them does not need.
WITHOUT_NEED = {
    "hardener.engine.overlay_guard", "hardener.engine.waivers.annotations", "hardener.engine.waivers.comments",
    "hardener.engine.waivers.exceptions", "hardener.engine.waivers.peers",
    "hardener.facts.kustomize.overlays.patch", "hardener.facts.kustomize.overlays.reading",
    "hardener.facts.kustomize.overlays.variants", "hardener.kubernetes.kustomize.operations",
    "hardener.kubernetes.kustomize.patch", "hardener.kubernetes.kustomize.target", "json",
    # What is held back, policies and ConfigMaps that are there already, lists that change inside.
    "hardener.engine.json_patch", "hardener.kubernetes.pods.api_settings", "hardener.kubernetes.network.policy_rules",
    "hardener.sources.yaml.align", "hardener.transforms.network._extend", "hardener.transforms.workload._named",
}  # fmt: skip

# Engines for what a Deployment is not: roles, secrets that move, admission policies, components, clouds, scripts, logs.
OTHER_ENGINES = {
    "hardener.charts.helm", "hardener.charts.releases.collect", "hardener.commands.chart_releases",
    "hardener.commands.secrets_folder", "hardener.engine.find_audit_gaps", "hardener.engine.unwritable_steps",
    "hardener.engine.trial_write", "hardener.facts.access.admission", "hardener.facts.access.admission.guardrails",
    "hardener.facts.access.at_work", "hardener.facts.access.audit_log", "hardener.facts.access.custom_groups",
    "hardener.facts.access.grants", "hardener.facts.access.needs",
    "hardener.facts.access.token_readers", "hardener.facts.access.views", "hardener.facts.cluster.cloud_nodes",
    "hardener.facts.secrets.backend", "hardener.facts.secrets.moves", "hardener.kubernetes.components.certificate",
    "hardener.kubernetes.components.flags", "hardener.kubernetes.objects.discovery",
    "hardener.kubernetes.policies.kyverno",
    "hardener.kubernetes.rbac.rules", "hardener.kubernetes.secrets.sealed_secret", "hardener.sources.python",
    "hardener.sources.terraform", "hardener.tree.audit_policy_views", "hardener.tree.cloud_views",
    "hardener.tree.control_plane", "hardener.sources.python.reading", "hardener.tree.script_views",
    "hardener.tree.blocks",
}  # fmt: skip

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
    names = sorted(HEAVY | WITHOUT_NEED | OTHER_ENGINES)
    script = f"import importlib.util as u; print(*(n for n in {names} if not u.find_spec(n)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    # A typo in HEAVY would make these tests pass for nothing; pydantic alone is not installed with this project.
    assert set(done.stdout.split()) <= {"pydantic"}, done.stderr


def test_the_probe_sees_what_is_loaded(tmp_path: Path) -> None:
    assert _heavy(tmp_path, "-c", "import msgspec, sys; print('loaded:', *sys.modules)") == {"msgspec"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(tmp_path: Path, option: str) -> None:
    assert loaded(tmp_path, option) == set()


def test_help_of_a_command_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, "apply", "--help") == set()


def test_apply_to_one_file_loads_the_parser_and_the_entry_points(manifest: Path) -> None:
    assert loaded(manifest.parent, "apply", manifest.name) <= {"importlib.metadata", "ruamel.yaml"}
    assert manifest.read_text(encoding="utf-8") != DEPLOYMENT


def test_apply_to_one_file_loads_nothing_for_what_the_tree_does_not_have(manifest: Path) -> None:
    assert WITHOUT_NEED & _modules(manifest.parent, "-c", _PROBE, "apply", manifest.name) == set()


@pytest.mark.parametrize("format", formats.NAMES)
def test_a_format_is_loaded_when_it_is_asked_for(manifest: Path, format: str) -> None:
    found = _modules(manifest.parent, "-c", _PROBE, "apply", manifest.name, "--format", format)
    all_of_them = {f"hardener.report.formats.{name}" for name in formats.NAMES}
    assert found & all_of_them == {f"hardener.report.formats.{format}"}
    assert HEAVY & found <= {"importlib.metadata", "ruamel.yaml"}


def test_one_deployment_loads_neither_other_engines_nor_transforms_without_a_target(manifest: Path) -> None:
    cache = manifest.parent / "cache"
    run = partial(_modules, manifest.parent, "-c", _PROBE, "apply", manifest.name, cache=cache)
    everything = run()  # the first run writes down what the transforms declare
    found = run()
    assert OTHER_ENGINES & found == set()
    names = [name for name in everything if name.startswith("hardener.transforms.")]
    assert {name for name in names if ".rbac_" in name or ".tf_" in name or ".kubelet_" in name} & found == set()
    assert {name for name in names if ".no_host_" in name} <= found


WRITING = {f"hardener.sources.files.{name}" for name in ("attributes", "run_folder", "transaction")}


@pytest.mark.parametrize("command", [["check", "."], ["diff", "."], ["graph", "."], ["filter"], ["fn"]], ids=" ".join)
def test_what_writes_no_file_loads_nothing_that_does(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "service.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", encoding="utf-8")
    text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
    assert WRITING & _modules(tmp_path, "-c", _PROBE, *command, text=text) == set()


def test_the_library_loads_nothing_that_writes_for_a_look(tmp_path: Path) -> None:
    program = (
        f"import sys; from hardener import harden_text, harden_tree; harden_text({DEPLOYMENT!r}); harden_tree('.')\n"
        "print('loaded:', *sys.modules)"
    )
    assert WRITING & _modules(tmp_path, "-c", program) == set()


def test_what_writes_a_file_loads_what_does(manifest: Path) -> None:
    for command in (["apply", "."], ["filter", "--report", "report.txt"]):
        assert _modules(manifest.parent, "-c", _PROBE, *command) >= WRITING


def test_patches_and_waivers_load_what_reads_them(manifest: Path) -> None:
    manifest.write_text(DEPLOYMENT + "# harden: ignore[cpu-limit] bursts\n", encoding="utf-8")
    (manifest.parent / "kustomization.yaml").write_text("resources: [web.yaml]\n", encoding="utf-8")
    found = _modules(manifest.parent, "-c", _PROBE, "apply", ".")
    assert found >= {"hardener.facts.kustomize.overlays.variants", "hardener.engine.waivers.comments"}


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
    assert "runAsNonRoot" in (tmp_path / "pod.py").read_text(encoding="utf-8")


def test_the_graph_loads_the_parser_and_no_transform(manifest: Path) -> None:
    assert loaded(manifest.parent, "graph", manifest.name) <= {"ruamel.yaml"}


def test_an_ignore_file_loads_pathspec(manifest: Path) -> None:
    (manifest.parent / ".git").mkdir()
    assert "pathspec" not in loaded(manifest.parent, "apply", manifest.name)
    (manifest.parent / ".gitignore").write_text("out/\n", encoding="utf-8")
    assert loaded(manifest.parent, "apply", ".") <= {"importlib.metadata", "pathspec", "ruamel.yaml"}


def test_the_names_for_authors_load_no_parser(tmp_path: Path) -> None:
    names = "from hardener import Grade, PodTemplate, Steps, transform"
    assert "ruamel.yaml" not in _heavy(tmp_path, "-c", f"import sys; {names}; print('loaded:', *sys.modules)")


def test_the_package_alone_loads_nothing_of_it(tmp_path: Path) -> None:
    found = _modules(tmp_path, "-c", "import sys, hardener; dir(hardener); print('loaded:', *sys.modules)")
    assert {name for name in found if name.startswith("hardener.")} == set()


def test_the_library_loads_what_a_command_does(tmp_path: Path) -> None:
    program = (
        f"import sys; from hardener import harden_text; harden_text({DEPLOYMENT!r}); print('loaded:', *sys.modules)"
    )
    found = _modules(tmp_path, "-c", program)
    assert HEAVY & found <= {"importlib.metadata", "ruamel.yaml"} and "typer" not in found


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
