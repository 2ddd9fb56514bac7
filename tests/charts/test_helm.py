"""helm renders a chart that may be a stranger's: what comes out, what it cannot reach, and where it is ended."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hardener.charts import helm as helm_module
from hardener.charts.files.copy import Copied
from hardener.charts.helm import ChartError, Helm
from hardener.charts.values.computed_values import computed_values
from hardener.support.programs import ProgramError
from tests import helm as helms
from tests.conftest import shared, write

CHART = "apiVersion: v2\nname: demo\nversion: 0.1.0\n"
posix = pytest.mark.skipif(sys.platform == "win32", reason="scripts with #!")


@pytest.fixture(params=[3, 4])
def rendered(request: pytest.FixtureRequest) -> Helm:
    """A real helm."""
    return Helm.found(str(helms.program(request.param)), "/")


def chart(folder: Path, template: str = "", **files: str) -> str:
    """A chart with one template, and ``files`` with ``__`` for a slash and ``_`` for a dot in the name."""
    names = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    write(folder / "demo", {"Chart.yaml": CHART, "templates/a.yaml": template, **names})
    return str(folder / "demo")


def fake(folder: Path, script: str, name: str = "helm") -> str:
    """A program that says it is Helm 3.17.2, and does ``script`` for everything else."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\nif [ "$1" = version ]; then echo v3.17.2; exit; fi\n{script}\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("traefik", {"Deployment", "Service", "IngressClass"}), ("argo-cd", {"StatefulSet", "Role"}),
        ("redis", {"StatefulSet", "NetworkPolicy"}), ("cert-manager", {"ValidatingWebhookConfiguration"}),
    ],
)  # fmt: skip
def test_public_charts_are_rendered(name: str, kinds: set[str], rendered: Helm) -> None:
    with Copied(str(shared("charts", name)), helm=rendered) as copy:
        printed = rendered.template(copy.folder, release="x")
    assert not {kind for kind in kinds if f"\nkind: {kind}\n" not in printed}


def test_what_a_render_is_given(rendered: Helm, tmp_path: Path) -> None:
    template = (
        "a: {{ .Values | toJson }}\nn: {{ .Release.Namespace }}\nr: {{ .Release.Name }}\n"
        "k: {{ .Capabilities.KubeVersion }}\n"
    )
    write(tmp_path, {"a,b.yaml": "x: 1\nown: 1\nz: {a: 1}\n", "c.yaml": "own: 2\nz: {b: null}\n"})
    folder = chart(tmp_path, template, values_yaml="w: 0\nz: {b: 1}\n", crds__c_yaml="kind: CustomResourceDefinition\n")
    printed = rendered.template(
        folder, values=[str(tmp_path / "a,b.yaml"), str(tmp_path / "c.yaml")], sets=["v=3", "z.c={1,2}"],
        release="web", namespace="shop", kube_version="1.29.0",
    )  # fmt: skip
    assert 'a: {"own":2,"v":3,"w":0,"x":1,"z":{"a":1,"c":[1,2]}}' in printed
    assert "n: shop\nr: web\nk: v1.29.0\n" in printed and "CustomResourceDefinition" not in printed
    assert "CustomResourceDefinition" in rendered.template(folder, crds=True)


def test_what_helm_test_runs_is_left_out_unless_it_is_asked_for(rendered: Helm, tmp_path: Path) -> None:
    hooks = {"own": "test", "old": "test-success", "before": "pre-install"}
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {}, annotations: {{helm.sh/hook: {}}}}}\n"
    folder = chart(tmp_path, "".join(pod.format(*hook) for hook in hooks.items()))

    def names(printed: str) -> set[str]:
        return {name for name in hooks if f"name: {name}," in printed}

    assert names(rendered.template(folder)) == {"before"}
    assert names(rendered.template(folder, tests=True)) == set(hooks)


def test_a_schema_counts_unless_it_is_not_to(rendered: Helm, tmp_path: Path) -> None:
    schema = '{"properties": {"size": {"type": "integer"}}}'
    folder = chart(tmp_path, "a: {{ .Values.size }}\n", values_yaml="size: a\n", values_schema_json=schema)
    with pytest.raises(ChartError, match=r"^chart demo: values don't meet .* demo: - (?:size:|at '/size':) "):
        rendered.template(folder)
    assert "a: a\n" in rendered.template(folder, schema=False)


def test_lint(rendered: Helm, tmp_path: Path) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in rendered.lint(chart(tmp_path / "a", "a: 1\n"))
    with pytest.raises(ChartError, match=r"^chart demo: \[ERROR\] templates/: parse error") as caught:
        rendered.lint(chart(tmp_path / "b", "a: {{ nothing }}\n"))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ('{{ .Files.Get "../secret" }}{{ .Files.Get "SECRET" }}', "a: []"),
        ('{{ range $k, $v := .Files.Glob "**" }}{{ $k }} {{ end }}', "a: [notes.txt ]"),
        ('{{ lookup "v1" "Secret" "default" "" | toJson }}', "a: [{}]"),
        ('{{ getHostByName "localhost" }}', "a: []"),
        ('{{ .Capabilities.APIVersions.Has "example.com/v1" }}', "a: [false]"),
    ],
)
def test_a_template_reaches_nothing_beside_its_chart(
    template: str, printed: str, rendered: Helm, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("hunter2", encoding="utf-8")
    template = template.replace("SECRET", str(tmp_path / "secret"))
    assert printed in rendered.template(chart(tmp_path, f"a: [{template}]\n", notes_txt="x"))


@pytest.mark.parametrize("function", ['env "PATH"', 'expandenv "$PATH"', 'readFile "/etc/passwd"'])
def test_a_template_has_no_such_function(function: str, rendered: Helm, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match=r"^chart demo: parse error .*function .* not defined$"):
        rendered.template(chart(tmp_path, f"a: {{{{ {function} }}}}\n"))


def test_values_are_files_and_never_asked_for(rendered: Helm, tmp_path: Path) -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        listener = threading.Thread(target=lambda: asked.append(_accepted(server)))
        listener.start()
        with pytest.raises(ChartError, match=r"^chart demo: .*no such file or directory"):
            rendered.template(chart(tmp_path), values=[f"http://127.0.0.1:{server.getsockname()[1]}/values.yaml"])
        listener.join()
    assert asked == [False]


def _accepted(server: socket.socket) -> bool:
    try:
        server.accept()
    except TimeoutError:
        return False
    return True


@posix
def test_plugins_and_settings_of_the_person_are_not_used(
    rendered: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "RAN"
    script = fake(tmp_path / "plugins" / "x", f"echo ran >>{ran}; cat")
    plugin = f"name: x\nversion: 0.1.0\ncommand: {script}\ndownloaders: [{{command: {script}, protocols: [x, file]}}]\n"
    write(tmp_path, {"plugins/x/plugin.yaml": plugin, "kube": "{"})
    for name, value in {
        "HELM_PLUGINS": tmp_path / "plugins", "HELM_POST_RENDERER": script, "HELM_NAMESPACE": "theirs",
        "HELM_KUBECONTEXT": "theirs", "HELM_DEBUG": "true", "KUBECONFIG": tmp_path / "kube",
        "HELM_KUBEAPISERVER": "http://127.0.0.1:1", "HELM_DATA_HOME": tmp_path, "HELM_CONFIG_HOME": tmp_path,
        "HELM_REGISTRY_CONFIG": tmp_path / "kube", "HELM_CACHE_HOME": tmp_path / "cache",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    printed = rendered.template(chart(tmp_path, "a: {{ .Release.Namespace }}\n"))
    assert "a: default\n" in printed and not ran.exists() and not (tmp_path / "cache").exists()


@posix
def test_helm_gets_no_more_of_the_environment_than_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")
    monkeypatch.setenv("HELM_PLUGINS", "theirs")
    printed = Helm.found(fake(tmp_path, "env; pwd"), "/").template("/nowhere/demo")
    assert "theirs" not in printed and "HELM_NO_PLUGINS=1\n" in printed and "KUBECONFIG=/dev/null\n" in printed
    assert "PATH=" in printed and "HTTPS_PROXY=http://127.0.0.1:9\n" in printed
    home = next(line.removeprefix("HOME=") for line in printed.splitlines() if line.startswith("HOME="))
    assert printed.endswith(f"{home}\n") and not os.path.exists(home)


ENDLESS = [
    "{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}",
    "{{ range until 5000 }}\n---\na: {{ repeat 100000 `x` }}{{ end }}",
    "{{ range until 2000000000 }}{{ end }}",
    "{{ $s := `x` }}{{ range until 60 }}{{ $s = printf `%s%s` $s $s }}{{ end }}",
    "{{ define `a` }}{{ include `a` . }}{{ end }}{{ include `a` . }}",
    "{{ range until 5000 }}{{ genPrivateKey `rsa` }}{{ end }}",
]


@pytest.mark.sampled(2)
# Each with one of the two: what ends them is the same.
@pytest.mark.parametrize(
    ("rendered", "template"),
    [(3 + number % 2, template) for number, template in enumerate(ENDLESS)],
    indirect=["rendered"],
)
def test_a_template_without_an_end_is_ended(
    template: str, rendered: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm_module, "SECONDS", 2)
    with pytest.raises(
        ChartError, match=r"not end in 2 seconds$|print more than 32 MiB$|more memory than it gets$|nested reference"
    ):
        rendered.template(chart(tmp_path, template))


def test_what_is_printed_has_a_limit(rendered: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart(tmp_path, "a: {{ repeat 3000000 `x` }}\n")
    assert len(rendered.template(folder)) > 3000000
    monkeypatch.setattr(helm_module, "OUTPUT", 2 * 1024 * 1024)
    with pytest.raises(ChartError, match=r"^chart demo: its templates print more than 2 MiB$"):
        rendered.template(folder)


@pytest.mark.sampled(2)
@posix
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("yes", "^chart demo: its templates print more than 32 MiB$"),
        ("sleep 60", "^chart demo: helm template does not end in 2 seconds$"),
        ("exec >&-; sleep 60", "^chart demo: helm template does not end in 2 seconds$"),
        ("sleep 60 & exit 3", "^chart demo: helm template does not end in 2 seconds$"),
        ("setsid sleep 9 & exit 0", "^chart demo: helm template does not end in 2 seconds$"),
        ("yes >&2", "^chart demo: helm template does not end in 2 seconds$"),
        ("exit 3", "^chart demo: helm template ends with 3$"),
        ("printf '\\377'", "^chart demo: its templates print what is no UTF-8$"),
        ("printf '\\355\\240\\200'", "^chart demo: its templates print what is no UTF-8$"),
        ("echo 'Warning: a' >&2; echo 'Error: b\x1b[2J' >&2; echo c >&2; exit 1", r"^chart demo: b\\x1b\[2J c$"),
        ("kill -9 $$", "^chart demo: helm template ends with -9$"),
    ],
)
def test_how_a_program_ends(script: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = Helm.found(fake(tmp_path, f"echo $$ >>{tmp_path}/PID\n{script}"), "/")
    monkeypatch.setattr(helm_module, "SECONDS", 2)
    with pytest.raises(ChartError, match=why):
        helm.template("/nowhere/demo")
    assert not list(_of_group(int((tmp_path / "PID").read_text(encoding="utf-8"))))


def _of_group(group: int) -> Iterator[int]:
    """The processes of a group that live."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            yield int(path.parent.name)


def test_charts_are_rendered_side_by_side(rendered: Helm, tmp_path: Path) -> None:
    folder = chart(tmp_path, "a: {{ .Values.size }}\n")
    with ThreadPoolExecutor(4) as threads:
        printed = list(threads.map(lambda size: rendered.template(folder, sets=[f"size={size}"]), range(12)))
    assert [f"a: {size}\n" in text for size, text in enumerate(printed)] == [True] * 12


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_memory_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm_module, "MEMORY", 1024**3)
    helm = Helm.found(fake(tmp_path, "sleep 0.3; ulimit -v; ulimit -c"), "/")
    assert helm.template("/nowhere/demo") == f"{1024**2}\n0\n"


def test_a_helm_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match=r"^helm is not installed: install Helm 3\.16 .*--helm-program PATH$"):
        Helm.found(None, "/nowhere")
    with pytest.raises(ProgramError, match=r"no-such is no program: install"):
        Helm.found(str(tmp_path / "no-such"), "/nowhere")


@posix
@pytest.mark.parametrize("path", ["tree/bin", "tree", "."])
def test_a_helm_of_the_tree_is_not_started(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for place in (tree, tree / "bin"):
        fake(place, "")
    monkeypatch.chdir(tree)
    monkeypatch.setenv("PATH", path if path == "." else str(tmp_path / path))
    why = "is not installed" if path == "." else "of PATH lies in the tree that is read"
    with pytest.raises(ProgramError, match=f"^helm {why}: install"):
        Helm.found(None, str(tree))


@posix
def test_a_helm_is_named_by_its_path_or_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path / "bin", "", "helm3")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    for name in ("helm3", "bin/helm3", str(tmp_path / "bin/helm3")):
        found = Helm.found(name, "/nowhere")
        assert (found.program, found.version) == (str(tmp_path / "bin" / "helm3"), (3, 17, 2))


@posix
@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("v3.15.4", r"is Helm 3\.15\.4: install Helm 3\.16 or newer"), ("v2.17.0", "is Helm 2"),
        ("hello", "does not answer as helm does"), ("v3.17.2; exit 1", "does not answer as helm does"),
    ],
)  # fmt: skip
def test_a_program_that_is_no_helm_of_today(says: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "helm"
    path.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    path.chmod(0o755)
    with pytest.raises(ProgramError, match=why):
        Helm.found(str(path), "/nowhere")


@pytest.mark.parametrize("sets", [["a=" + "x" * 200_000], ["a=\0"], ["a=\ud800"], ["a=" + "x" * 90_000] * 20])
def test_values_that_no_program_takes(sets: list[str], tmp_path: Path) -> None:
    helm = Helm("/nowhere/helm", (3, 17, 2))
    with pytest.raises(ChartError, match=r"^chart demo: (?:the values of --set are too long|.* no program takes)$"):
        helm.template(str(tmp_path / "demo"), sets=sets)


@pytest.mark.parametrize(
    ("values", "template", "schema", "secret"),
    [
        ("password: hunter2-hunter", "a: {{ fail (printf `bad %s` .Values.password) }}", None, "hunter2-hunter"),
        ("password: hunter2-hunter", "a: 1", {"password": {"pattern": "^a+$"}}, "hunter2-hunter"),
        ("code: zorro-17", "a: 1", {"code": {"pattern": "^a+$"}}, "zorro-17"),
        ("x: 1", "a: {{ fail `ghp_0123456789abcdefghijABCDEFGHIJ012345` }}", None, "ghp_0123456789"),
    ],
)
def test_an_error_shows_no_secret(
    values: str, template: str, schema: dict[str, object] | None, secret: str, rendered: Helm, tmp_path: Path
) -> None:
    files = {"values_schema_json": json.dumps({"properties": schema})} if schema else {}
    folder = chart(tmp_path, template + "\n", values_yaml=values + "\n", **files)
    with pytest.raises(ChartError) as caught:
        rendered.template(folder)
    assert secret not in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith("chart demo: ")


def test_an_error_is_short_and_names_no_folder_of_ours(rendered: Helm, tmp_path: Path) -> None:
    source = chart(tmp_path, "a: {{ fail (repeat 5000 `long `) }}\n")
    with Copied(source) as copy:
        with pytest.raises(ChartError) as caught:
            rendered.template(copy.folder)
        assert len(str(caught.value)) < 700 and " [...] " in str(caught.value)
        write(Path(copy.folder), {"values.yaml": "a: ["})
        with pytest.raises(ChartError, match=r"values.yaml") as caught:
            rendered.template(copy.folder, values=[os.path.join(copy.folder, "values.yaml")])
        assert "harden-helm-" not in str(caught.value)


PARENT = """\
apiVersion: v2
name: demo
version: 0.1.0
kubeVersion: ">=99"
type: library
dependencies:
- {name: db, version: 1.x, alias: main}
- {name: db, version: 1.x, alias: spare, condition: spare.enabled}
- {name: cache, version: "*", tags: [extras], import-values: [shown]}
"""


def test_all_values_of_a_chart(rendered: Helm, tmp_path: Path) -> None:
    """Those of its charts under their aliases where they are on, ``global``, what is imported; no template counts."""
    write(
        tmp_path / "demo",
        {
            "Chart.yaml": PARENT,
            "values.yaml": "a: 1\ngone: 1\nglobal: {g: 1}\nmain: {size: 2}\nspare: {enabled: false}\n",
            "values.schema.json": '{"required": ["none"]}',
            "templates/a.yaml": "{{ fail `no` }}",
            "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.2.3\n",
            "charts/db/values.yaml": "size: 1\nport: 5432\n",
            "charts/db/templates/a.yaml": "{{ fail `no` }}",
            "charts/kv/Chart.yaml": "apiVersion: v1\nname: cache\nversion: 0.1.0\n",
            "charts/kv/values.yaml": "exports: {shown: {ttl: 5}}\n",
        },
    )
    write(tmp_path, {"mine.yaml": "gone: null\nmain: {port: 1}\n"})
    with Copied(str(tmp_path / "demo")) as copy:
        assert copy.is_library
        found = computed_values(rendered, copy.folder, values=[str(tmp_path / "mine.yaml")], sets=["a=2"])
        assert found["main"] == {"global": {"g": 1}, "port": 1, "size": 2}
        assert found["cache"]["exports"] == {"shown": {"ttl": 5}} and found["ttl"] == 5 and found["a"] == 2
        assert found["spare"] == {"enabled": False} and "gone" not in found
        found = computed_values(rendered, copy.folder, sets=["spare.enabled=true", "tags.extras=false"])
        assert found["spare"] == {"enabled": True, "global": {"g": 1}, "port": 5432, "size": 1}
        assert "ttl" not in found and "cache" not in found
        with pytest.raises(ChartError, match=r"library charts are not installable"):
            rendered.template(copy.folder, kube_version="99.0.0")
