"""A chart that may be a stranger's: helm fetches nothing, and reads nothing that lies elsewhere."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.authoring.config import load
from hardener.charts.files import schemas
from hardener.charts.files.copy import Copied
from hardener.charts.helm import ChartError, Helm
from hardener.errors import InputError
from tests import helm as helms
from tests.conftest import Harden, commit, write

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: {{ .Values.image }}}]}\n"
# Schemas that ask for something else, by how they do it; PORT is that of a server on loopback.
REMOTE: dict[str, str | bytes] = {
    "http": '{"properties": {"image": {"$ref": "http://127.0.0.1:PORT/a.json"}}}',
    "https": '{"properties": {"image": {"$ref": "https://127.0.0.1:PORT/a.json"}}}',
    "another host": '{"$ref": "https://example.com/values.schema.json"}',
    "file": '{"properties": {"image": {"$ref": "file:///etc/passwd"}}}',
    "relative": '{"properties": {"image": {"$ref": "../../../../etc/passwd"}}}',
    "absolute": '{"$ref": "/etc/passwd"}',
    "beside it": '{"$ref": "Chart.yaml#/name"}',
    "query": '{"$ref": "?x#/a"}',
    "two slashes": '{"$ref": "//127.0.0.1:PORT/a.json"}',
    "upper case": '{"$ref": "HTTP://127.0.0.1:PORT/a.json"}',
    "escaped key": '{"\\u0024ref": "http://127.0.0.1:PORT/a.json"}',
    "escaped value": '{"$ref": "\\u0068ttp://127.0.0.1:PORT/a.json"}',
    "first of two keys": '{"$ref": "http://127.0.0.1:PORT/a.json", "$ref": "#"}',
    "last of two keys": '{"$ref": "#", "$ref": "http://127.0.0.1:PORT/a.json"}',
    "dynamic": '{"$dynamicRef": "http://127.0.0.1:PORT/a.json#x"}',
    "recursive": '{"$recursiveRef": "http://127.0.0.1:PORT/a.json"}',
    "draft of its own": '{"$schema": "http://127.0.0.1:PORT/meta.json"}',
    "draft of its own below": '{"properties": {"image": {"$schema": "http://127.0.0.1:PORT/meta.json"}}}',
    "seen from a file": '{"$id": "file:///etc/", "properties": {"image": {"$ref": "#/x"}}}',
    "seen from a file, draft 4": '{"id": "file:///etc/passwd", "$ref": "#/x"}',
    "in allOf": '{"allOf": [{"if": {"not": {"$ref": "http://127.0.0.1:PORT/a.json"}}}]}',
    "in items": '{"properties": {"a": {"items": [[{"$ref": "http://127.0.0.1:PORT/a.json"}]]}}}',
    "behind the end": '{} {"$ref": "http://127.0.0.1:PORT/a.json"}',
    "deep": '{"a":' * 5000 + '{"$ref": "http://127.0.0.1:PORT/a.json"}' + "}" * 5000,
    "no UTF-8": b'{"title": "\xff", "$ref": "http://127.0.0.1:PORT/a.json"}',
    "large": '{"title": "' + "x" * 5_000_000 + '", "$ref": "http://127.0.0.1:PORT/a.json"}',
    "no JSON": "$ref: http://127.0.0.1:PORT/a.json\n",
}
OWN = {
    "empty": "{}",
    "true": "true",
    "draft 7": '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}',
    "2020-12": '{"$schema": "https://json-schema.org/draft/2020-12/schema"}',
    "within": '{"properties": {"image": {"$ref": "#/definitions/a"}}, "definitions": {"a": {"type": "string"}}}',
    "within, with a name": '{"$id": "https://example.com/values", "$ref": "#/$defs/a", "$defs": {"a": {}}}',
    "a value called so": '{"properties": {"$ref": {"type": "string"}, "$schema": {"type": "string"}}}',
}
DEPENDS = "dependencies: [{name: sub, version: 0.1.0}]\n"


@pytest.mark.parametrize("how", REMOTE)
def test_a_schema_that_leads_out_is_known(how: str) -> None:
    text = REMOTE[how]
    assert schemas.leads_out(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("how", OWN)
def test_a_schema_that_is_whole_stays(how: str) -> None:
    assert not schemas.leads_out(OWN[how].encode())


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """The port of a server on loopback, and what it was asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, paths
    server.shutdown()
    thread.join()
    server.server_close()


def chart(folder: Path, schema: str | bytes, port: int, *, below: bool = False) -> str:
    raw = schema.encode() if isinstance(schema, str) else schema
    place = "charts/sub/" if below else ""
    sub = {"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n"} if below else {}
    write(folder / "demo", {
        "Chart.yaml": "apiVersion: v2\nname: demo\nversion: 0.1.0\n" + DEPENDS * below,
        "values.yaml": "image: nginx:1.27\n",
        "templates/p.yaml": POD, **sub, f"{place}values.schema.json": raw.replace(b"PORT", str(port).encode()),
    })  # fmt: skip
    return str(folder / "demo")


@pytest.mark.helm
@pytest.mark.sampled(2)
@pytest.mark.parametrize("major", helms.PACKAGES)
@pytest.mark.parametrize("below", [False, True], ids=["own", "below"])
def test_helm_never_gets_a_schema_that_leads_out(
    below: bool, major: int, asked: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, paths = asked
    helm = Helm.found(str(helms.program(major)), "/nowhere")
    bare = Helm(helm.program, helm.version)  # with the network of this machine
    for number, (how, text) in enumerate(REMOTE.items()):
        source = chart(tmp_path / str(number), text, port, below=below)
        with Copied(source, helm=bare) as copy:
            assert copy.schemas == (f"{'charts/sub/' * below}values.schema.json",), how
            assert not copy.has_schema and "image: nginx:1.27" in bare.template(copy.folder, schema=copy.has_schema)
            bare.lint(copy.folder, schema=copy.has_schema)
        assert os.path.exists(os.path.join(source, *copy.schemas)), "the chart itself was changed"
    assert paths == []


@pytest.mark.helm
@pytest.mark.parametrize("major", helms.PACKAGES)
def test_what_a_schema_asks_for_is_not_reached_even_if_helm_gets_it(
    major: int, asked: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, paths = asked
    helm = Helm.found(str(helms.program(major)), "/nowhere")
    source = chart(tmp_path, REMOTE["http"], port)
    done = subprocess.run([helm.program, "template", source], capture_output=True, text=True, check=False)
    assert paths == ["/a.json"] * len(paths) and paths, done.stderr  # so the test shows something
    paths.clear()
    if not helm.inside:
        pytest.skip("no network namespace can be made here (unshare -rn)")
    with pytest.raises(ChartError):
        helm.template(source)
    assert paths == []


@pytest.mark.helm
@pytest.mark.parametrize("major", helms.PACKAGES)
def test_other_schemas_of_the_chart_are_asked(major: int, tmp_path: Path) -> None:
    source = chart(tmp_path, REMOTE["http"], 1, below=True)
    (tmp_path / "demo/values.schema.json").write_text('{"properties": {"image": {"type": "integer"}}}')
    helm = Helm.found(str(helms.program(major)), "/nowhere")
    with Copied(source, helm=helm) as copy:
        assert copy.schemas == ("charts/sub/values.schema.json",) and copy.has_schema
        with pytest.raises(ChartError, match="image"):
            helm.template(copy.folder, schema=copy.has_schema)


@pytest.mark.helm
def test_a_chart_without_its_schema_is_hardened_and_that_is_said(harden: Harden, tmp_path: Path) -> None:
    helms.program(3)
    source = chart(tmp_path, REMOTE["https"], 1)
    done = harden("check", source, "--helm-program", str(helms.program(3)), "--release", "x")
    said = "rendered without values.schema.json, which names a schema elsewhere: harden fetches none"
    assert said in done.all and "Pod/p" in done.out


# A network namespace.


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


ASKS = 'if [ "$1" = version ]; then echo v3.17.2; exit; fi\nexec {} -c "{}"'
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {}), 5)"
linux = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are those of Linux")


@linux
def test_helm_has_no_network(asked: tuple[int, list[str]], tmp_path: Path) -> None:
    port, _ = asked
    path = program(tmp_path, "helm", ASKS.format(sys.executable, CONNECT.format(port)))
    helm = Helm.found(str(path), "/nowhere")
    (tmp_path / "demo").mkdir()
    if not helm.inside:
        assert helm.network is not None
        pytest.skip("no network namespace can be made here (unshare -rn)")
    assert helm.network is None
    with pytest.raises(ChartError, match="unreachable"):
        helm.template(str(tmp_path / "demo"))
    assert Helm(helm.program, helm.version).template(str(tmp_path / "demo")) == ""  # which it would reach without it


@linux
@pytest.mark.parametrize("script", ["exit 1", "echo v3.17.2 >&2; exit 3", "kill -9 $$"])
def test_helm_runs_without_a_namespace_where_there_is_none_and_says_so(
    script: str, harden: Harden, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = program(tmp_path / "bin", "helm", ASKS.format(sys.executable, "print('kind: A')"))
    program(tmp_path / "bin", "unshare", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    helm = Helm.found(str(real), "/nowhere")
    assert helm.inside == () and helm.network is not None
    write(tmp_path / "tree/demo", {"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 0.1.0\n"})
    commit(tmp_path / "tree")
    said = "harden: helm runs with the network of this machine, since it cannot be given a network namespace"
    assert said in harden("values", "tree/demo", "--helm-program", str(real)).err


@linux
def test_a_program_of_the_tree_makes_no_namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = program(tmp_path / "bin", "helm", "echo v3.17.2")
    program(tmp_path / "tree", "unshare", f"touch {tmp_path / 'PWNED'}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'tree'}:{os.environ['PATH']}")
    Helm.found(str(real), str(tmp_path / "tree"))
    assert not (tmp_path / "PWNED").exists()


# Charts that a configuration names.

FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: priv, namespace: shop}
spec:
  interval: 1h
  chart: {spec: {chart: priv, sourceRef: {kind: HelmRepository, name: x}}}
"""
OUTSIDE = {
    "above": "../outside", "through the tree": "k8s/../../outside", "absolute": "TMP/outside",
    "a link to a folder": "links/folder", "a link above it": "links/up/outside", "a packed one": "links/packed.tgz",
    "the root": "/", "home": "../outside/.", "a link of links": "links/second",
}  # fmt: skip


def outside(folder: Path, place: str) -> Path:
    """A tree whose configuration names the chart at ``place``; the tree."""
    packed = b"\x1f\x8b"
    write(folder, {
        "outside/Chart.yaml": "apiVersion: v2\nname: priv\nversion: 1.0.0\n", "packed.tgz": packed,
        "outside/templates/p.yaml": POD, "outside/values.yaml": "image: SECRET-OUTSIDE-IMAGE/x:1\n",
        "tree/k8s/r.yaml": FLUX, "tree/.harden.yaml": json.dumps({
            "helm": {"values": True, "charts": {"priv": place.replace("TMP", str(folder))}}
        }),
    })  # fmt: skip
    links = folder / "tree/links"
    links.mkdir()
    for name, target in {"folder": "../../outside", "up": "../..", "packed.tgz": "../../packed.tgz",
                         "second": "folder"}.items():  # fmt: skip
        (links / name).symlink_to(target)
    commit(folder / "tree")
    return folder / "tree"


@pytest.mark.parametrize("how", OUTSIDE)
@pytest.mark.parametrize("command", ["diff", "check", "apply"])
def test_a_configuration_of_the_tree_names_no_chart_outside(
    command: str, how: str, harden: Harden, tmp_path: Path
) -> None:
    done = harden(command, ".", cwd=outside(tmp_path, OUTSIDE[how]))
    assert done.status == 2 and "SECRET-OUTSIDE" not in done.all
    assert done.err.startswith("harden: .harden.yaml:1: helm: charts: 'priv' names ")
    assert "which lies outside of the tree" in done.err and done.err.count("\n") == 1
    with pytest.raises(InputError):
        load(str(tmp_path / "tree"), str(tmp_path / "tree/.harden.yaml"))  # also where it is named


@pytest.mark.parametrize("place", ["links/inner", "k8s/../chart", "./chart/"])
def test_a_chart_of_the_tree_may_be_named(place: str, tmp_path: Path) -> None:
    tree = outside(tmp_path, place)
    write(tree, {"chart/Chart.yaml": "apiVersion: v2\nname: priv\nversion: 1.0.0\n"})
    (tree / "links/inner").symlink_to("../chart")
    assert set(load(str(tree)).helm_charts) == {"priv"}


def test_a_configuration_from_outside_may_name_a_chart_outside(tmp_path: Path) -> None:
    tree = outside(tmp_path, "chart")
    (tmp_path / "mine.yaml").write_text("helm: {charts: {priv: outside}}\n")
    assert load(str(tree), str(tmp_path / "mine.yaml")).helm_charts == {"priv": str(tmp_path / "outside")}
