"""A planted secret is in no output, no error and no traceback, in none of its forms."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.report import formats
from tests.conftest import Harden, commit, restore, write

pytestmark = pytest.mark.slow  # its many cases together

# Each place has its own, so that a leak names its source; none is an ordinary word, several need escapes.
SECRETS = {
    "env": "Zq7-env/Planted+4417=&x",
    "init-env": "Zq7.init.Planted.8810",
    "args": "Zq7argsPlanted3391",
    "command": "Zq7commandPlanted5520",
    "url": "Zq7urlPlanted7781",
    "probe": "Zq7probePlanted9152",
    "config": 'Zq7 config "Planted" 6632\'',
    "config-file": "Zq7fileplanted2284",
    "string-data": "Zq7-string-Planted-1175",
    "data": "Zq7-data-Planted-5083",
    "annotation": "Zq7annotationPlanted4406",
    "broken": "Zq7brokenPlanted3327",
    "broken-secret": "Zq7bsecretPlanted6118",
    "template": "Zq7templatePlanted9043",
    "token": "ghp_Zq7TokenPlanted0123456789abcdefABCDEF",
    "multi": "Zq7multiPlanted4420",
}


def forms(secret: str) -> Iterator[str]:
    """How a secret may look: raw, base64 (also without padding, also for URLs), URL-encoded, escaped."""
    raw = secret.encode()
    yield secret
    for encoded in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        yield encoded
        yield encoded.rstrip("=")
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield secret.replace("'", "''")


def tree() -> dict[str, str]:
    """Secrets close to what is edited, far from it, and in documents that are left alone."""
    s = {name: json.dumps(secret) for name, secret in SECRETS.items()}
    encoded = base64.b64encode(SECRETS["data"].encode()).decode()
    web = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    example.com/api-token: {s["annotation"]}
spec:
  template:
    metadata:
      annotations: {{example.com/github: {s["token"]}}}
    spec:
      hostPID: true
      initContainers:
      - name: init
        image: example.com/init:1
        securityContext: {{runAsUser: 0}}
        env: [{{name: ADMIN_PASSWORD, value: {s["init-env"]}}}]
      containers:
      - name: web
        image: example.com/web:1
        env:
        - name: DB_PASSWORD
          value: {s["env"]}
        command: ["sh", "-c", "chown -R app /data; iptables -L; mysql --password={SECRETS["command"]} && exec app"]
        args: ["--db-password={SECRETS["args"]}", "postgres://app:{SECRETS["url"]}@db/app"]
        livenessProbe:
          exec: {{command: [sh, -c, "curl --user admin:{SECRETS["probe"]} localhost"]}}
        securityContext:
          privileged: true
          runAsUser: 0
          capabilities: {{add: [SYS_ADMIN]}}
        ports: [{{containerPort: 80, hostPort: 80}}]
"""
    config = f"""\
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: config}}
data:
  DB_PASSWORD: {s["config"]}
  app.ini: |
    [db]
    password = {SECRETS["config-file"]}
---
apiVersion: v1
kind: Secret
metadata: {{name: secret}}
stringData:
  password: {s["string-data"]}
  key.pem: |
    -----BEGIN PRIVATE KEY-----
    {SECRETS["multi"]}
    -----END PRIVATE KEY-----
data:
  password: {encoded}
"""
    broken = f"""\
---
apiVersion: v1
kind: Pod
metadata: {{name: broken}}
spec:
  containers:
  - name: c
    env:
    - name: DB_PASSWORD
      value: {SECRETS["broken"]}
     bad: [
"""
    head = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n"
    broken_secret = f"{head}  a: {SECRETS['broken-secret']}\n b: {{\n"
    template = f"---\nkind: Pod\napiVersion: v1\nspec:\n  password: {SECRETS['template']}\n  x: {{{{ .Values.x }}}}\n"
    return {
        "web.yaml": web + config + broken + broken_secret + template,
        "before.yaml": config.removeprefix("---\n") + "---\n" + web,
        "apart.yaml": config.removeprefix("---\n"),
        "broken.yaml": broken + broken_secret,
        "token.yaml": "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, env: "
        f"[{{name: API_TOKEN, value: {s['token']}}}, {{name: DB_PASSWORD, value: {s['env']}}}]}}]}}\n",
    }


def assert_silent(text: str, where: str) -> None:
    for name, secret in SECRETS.items():
        for form in forms(secret):
            assert form not in text, f"{where} shows the secret of {name} as {form!r}"
    assert "Planted" not in text and "planted" not in text, where


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """The tree, committed."""
    write(tmp_path / "work", tree())
    commit(tmp_path / "work")
    return tmp_path / "work"


RUNS = [
    ["diff"],
    ["diff", "-v"],
    ["diff", "--quiet"],
    ["diff", "--format", "json"],
    ["diff", "--format", "html"],
    ["check", "--format", "html"],
    ["diff", "--format", "html", "--max-grade", "breaking"],
    ["apply", ".", "--format", "html", "--max-grade", "breaking"],
    ["diff", "-v", "--max-grade", "breaking"],
    ["diff", "--format", "json", "--max-grade", "breaking"],
    ["diff", "-v", "--max-grade", "safe"],
    ["diff", "--format", "json", "--max-grade", "safe"],
    ["diff", "-v", "--profile", "strict"],
    ["diff", "-v", "--profile", "baseline"],
    ["apply", "."],
    ["apply", ".", "-v", "--max-grade", "breaking"],
    ["apply", ".", "--format", "json"],
    ["apply", "web.yaml", "-v"],
    ["apply", "before.yaml", "-v", "--quiet"],
]


@pytest.mark.parametrize("arguments", RUNS, ids=" ".join)
def test_no_run_shows_a_secret(arguments: list[str], harden: Harden, planted: Path) -> None:
    done = harden(*arguments, cwd=planted)
    assert done.status in (0, 1), done.err
    assert "web" in done.all or "--quiet" in arguments
    assert_silent(done.out, "standard output")
    assert_silent(done.err, "standard error")
    # Nothing was lost either: masks are for the screen, never for files.
    text = "".join(path.read_text() for path in sorted(planted.glob("*.yaml")))
    for name, secret in SECRETS.items():
        assert any(form in text for form in forms(secret)), name
    assert "redacted" not in text


FORMATS = [name for name in formats.NAMES if name != "text"]


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("command", ["diff", "check", "apply"])
@pytest.mark.parametrize("format", FORMATS)
def test_no_format_shows_a_secret(format: str, command: str, harden: Harden, planted: Path) -> None:
    for options in ([], ["--max-grade", "breaking"], ["--profile", "strict"]):
        done = harden(command, ".", "--format", format, *options, cwd=planted)
        assert done.status in (0, 1), done.err
        assert done.all, "it says something"
        assert_silent(done.out, "standard output")
        assert_silent(done.err, "standard error")
        assert "Zq7" not in done.all, "half of one, which was cut"
        restore(planted)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", list(tree()))
def test_no_format_shows_a_secret_of_a_file_alone(name: str, format: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path / "work", {name: tree()[name]})
    for command in ("check", "apply"):
        done = harden(command, ".", "--format", format, cwd=tmp_path / "work")
        # A run that could read nothing ends with 2.
        assert done.status in (0, 1) or "nothing was read" in done.all, done.all
        assert_silent(done.all, f"{command} --format {format}")


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_in_a_format_shows_no_secret(
    format: str, harden: Harden, planted: Path, crashes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ValueError("\n".join(SECRETS.values()))

    for place in ("patch.Patch.of", "problems._Collector.collect", "formats.json._change"):
        monkeypatch.setattr(f"hardener.report.{place}", fail)
    done = harden("diff", "--format", format, cwd=planted)
    assert done.status == 3, done.err
    assert_silent(done.all + crash_files(crashes), "the message")


@pytest.mark.parametrize("name", list(tree()))
@pytest.mark.parametrize("arguments", [[], ["-v"], ["-v", "--max-grade", "breaking"]], ids=" ".join)
def test_no_filter_shows_a_secret_in_its_report(name: str, arguments: list[str], harden: Harden) -> None:
    text = tree()[name]
    done = harden("filter", *arguments, stdin=text.encode())
    assert done.status == 0
    assert_silent(done.err, "standard error")
    kept = [secret for secret in SECRETS.values() if secret in text]
    assert all(secret in done.out for secret in kept)


@pytest.mark.parametrize("name", list(tree()))
def test_each_file_alone(name: str, harden: Harden, tmp_path: Path) -> None:
    """What another file taught the redactor must not be what protects this one."""
    write(tmp_path / "work", {name: tree()[name]})
    for arguments in (
        ["diff", "-v"],
        ["diff", "--format", "json"],
        ["diff", "--format", "html"],
        ["apply", ".", "-v", "--max-grade", "breaking"],
    ):
        done = harden(*arguments, cwd=tmp_path / "work")
        assert done.status in (0, 1) or "nothing was read" in done.all, done.all
        assert_silent(done.all, " ".join(arguments))


def crash_files(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("harden-crash-*"))


@pytest.fixture
def crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which crash files are written."""
    folder = tmp_path / "crashes"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


PLACES = [
    "hardener.engine.pipeline._decide",
    "hardener.engine.pipeline._visit",
    "hardener.engine.pipeline._count",
    "hardener.sources.manifests.load",
    "hardener.sources.yaml.rewrite",
    "hardener.report.patch.Patch.of",
    "hardener.report.patch.masked_lines",
    "hardener.sources.files.transaction.Transaction.replace",
    "hardener.engine.outcome.Outcome.summary",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError, UnicodeDecodeError])
def test_an_error_of_ours_shows_no_secret(
    place: str, error: type[Exception], harden: Harden, planted: Path, crashes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = "\n".join(SECRETS.values())

    def fail(*arguments: object, **options: object) -> None:
        secret_in_a_local = everything  # must not come out with the frame
        if error is UnicodeDecodeError:
            raise UnicodeDecodeError("utf-8", secret_in_a_local.encode(), 0, 1, secret_in_a_local)
        raise error(secret_in_a_local)

    monkeypatch.setattr(place, fail)
    done = harden("apply", ".", "-v", cwd=planted)
    if done.status == 0:  # a place that this command does not pass
        done = harden("diff", cwd=planted)
    assert done.status == 3, done.err
    assert "internal error in harden" in done.err and "Traceback" not in done.err
    assert_silent(done.all, "the message")
    assert crash_files(crashes) and error.__name__ in crash_files(crashes)
    assert_silent(crash_files(crashes), "the crash file")


def test_a_transform_that_raises_shows_no_secret(
    harden: Harden, planted: Path, crashes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hardener.authoring import registry

    victim = registry.transforms()["run-as-non-root"]

    def fail(pod: object) -> Iterator[object]:
        raise ValueError(str(getattr(pod, "data", SECRETS["env"])))

    monkeypatch.setattr(type(victim), "function", property(lambda self: fail), raising=False)
    for arguments in (["apply", "."], ["diff", "-v"], ["diff", "--format", "json"]):
        done = harden(*arguments, cwd=planted)
        assert done.status == 3, done.err
        assert_silent(done.all, " ".join(arguments))
    assert_silent(crash_files(crashes), "the crash file")


def test_no_secret_in_a_mistake_of_the_user(harden: Harden, tmp_path: Path) -> None:
    config = f"options:\n  password: {SECRETS['config']!r}\n"
    write(tmp_path, {".harden.yaml": config, "p.yaml": f"a: {SECRETS['env']}\n b: [\n", "web.yaml": ""})
    for arguments in (
        ["diff"],
        ["diff", "--config", "p.yaml"],
        ["diff", "--config", "web.yaml", "--profile", "./p.yaml"],
    ):
        done = harden(*arguments)
        assert done.status == 2
        assert_silent(done.all, " ".join(arguments))


def test_a_held_back_patch_shows_no_secret(harden: Harden, planted: Path) -> None:
    report = json.loads(harden("diff", "--format", "json", cwd=planted).out)
    assert report["held"]
    assert_silent(json.dumps(report["held"], ensure_ascii=False), "held")
    assert_silent(json.dumps(report["held"]), "held")


def test_the_progress_bar_knows_names_only(planted: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    from hardener.commands import progress

    said: list[str] = []
    monkeypatch.setattr(progress.Progress, "__call__", lambda self, name: said.append(name))
    harden("diff", cwd=planted)
    assert said
    assert_silent("\n".join(said), "progress")


@pytest.mark.slow
def test_an_error_in_one_of_several_processes_shows_no_secret(
    harden: Harden, tmp_path: Path, crashes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hardener.engine import assemble_files
    from hardener.sources import yaml

    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d}\nspec:\n  containers: [{name: c, image: i}]\n"
    write(tmp_path / "many", {"pods.yaml": "".join(pod % n for n in range(assemble_files.POOL_FROM + 10))})

    def fail(*arguments: object, **options: object) -> None:
        raise ValueError(SECRETS["args"])

    monkeypatch.setattr(yaml, "rewrite", fail)
    done = harden("apply", ".", cwd=tmp_path / "many")
    assert done.status == 3, done.err
    assert_silent(done.all + crash_files(crashes), "the message")
