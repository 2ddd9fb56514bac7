"""Every kind of secret in every kind of place is masked in every format; ordinary words are masked nowhere."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from hardener.commands import run
from hardener.commands.images import images
from hardener.kubernetes.secrets.secret_formats import LONG, formats, structured
from hardener.report import formats as report_formats
from hardener.report.connections import graph, graph_formats
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.testing import golden

from .conftest import Harden, commit, write
from .secret_forms import ORDINARY, SECRETS, TOKENS, Secret

_AT_ONCE = 12


def _quoted(text: str) -> str:
    return json.dumps(text)


def _pod(number: int, secrets: list[Secret], container: Callable[[int, Secret], str], above: str = "") -> str:
    """A Deployment that is changed in many lines, with what ``container`` makes of each secret in one of its own."""
    head = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{number}
{above}spec:
  template:
    spec:
      containers:
"""
    return head + "".join(
        f"      - name: c{each}\n        image: example.com/web:{each}\n{container(each, secret)}"
        for each, secret in enumerate(secrets)
    )


def _annotations(secrets: list[Secret], text: Callable[[Secret], str]) -> str:
    lines = (f"    example.com/note-{each}: {_quoted(text(secret))}\n" for each, secret in enumerate(secrets))
    return "  annotations:\n" + "".join(lines)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _bare(each: int, secret: Secret) -> str:
    return ""


def _variable(each: int, secret: Secret) -> str:
    return f"        env: [{{name: SETTING_{each}, value: {_quoted(secret.text)}}}]\n"


def _encoded(each: int, secret: Secret) -> str:
    return f"        env:\n        - name: SETTING_{each}\n          value: {_b64(secret.text)}\n"


def _argument(each: int, secret: Secret) -> str:
    return f"        args: [sh, -c, {_quoted(secret.text)}]\n"


def _comment(each: int, secret: Secret) -> str:
    return "".join(f"        # was {line}\n" for line in secret.text.splitlines())


def _object(kind: str, number: int, secrets: list[Secret], text: Callable[[Secret], str]) -> str:
    head = f"---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: o-{number}}}\ndata:\n"
    return head + "".join(f"  e{each}: {_quoted(text(secret))}\n" for each, secret in enumerate(secrets))


def _words(each: int, secret: Secret) -> str:
    """As somebody writes them: a command word by word, anything else as one."""
    words = shlex.split(secret.text) if " -" in secret.text and "\n" not in secret.text else ["run", "-o", secret.text]
    return f"        args: [{', '.join(map(_quoted, words))}]\n"


def _command(each: int, secret: Secret) -> str:
    return f"        command: [/bin/sh, -c, {_quoted(f'set -e; {secret.text}')}]\n"


def _script(each: int, secret: Secret) -> str:
    lines = "".join(f"          {line}\n" for line in secret.text.splitlines())
    return f"        args:\n        - |\n          set -e\n{lines}"


def _probe(each: int, secret: Secret) -> str:
    header = f"{{name: Authorization, value: {_quoted(secret.value)}}}"
    return f"        livenessProbe: {{httpGet: {{port: 80, httpHeaders: [{header}]}}}}\n"


def _hook(each: int, secret: Secret) -> str:
    header = f"{{name: X-Auth, value: {_quoted(secret.value)}}}"
    return f"        lifecycle: {{postStart: {{httpGet: {{port: 80, httpHeaders: [{header}]}}}}}}\n"


def _userinfo(each: int, secret: Secret) -> str:
    value = quote(secret.value, safe="")
    return f"        env: [{{name: SETTING_{each}, value: {_quoted(f'https://shop:{value}@example.com/')}}}]\n"


def _named(each: int, secret: Secret) -> str:
    name = ("SSHPASS", "DB_PASSWORD", "API_TOKEN", "CLIENT_SECRET", "AUTHORIZATION")[each % 5]
    return f"        env: [{{name: {name}, value: {_quoted(secret.value)}}}]\n"


def _kustomization(field: str, secrets: list[Secret]) -> str:
    literals = "".join(f"  - {_quoted(f'SETTING_{each}={one.text}')}\n" for each, one in enumerate(secrets))
    head = "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    return f"{head}{field}:\n- name: a\n  literals:\n{literals}"


def _terraform(number: int, secrets: list[Secret]) -> str:
    """A Deployment in the language of Terraform."""
    return (
        f"""\
resource "kubernetes_deployment_v1" "web_{number}" {{
  metadata {{ name = "web-{number}" }}
  spec {{
    selector {{ match_labels = {{ app = "web" }} }}
    template {{
      metadata {{ labels = {{ app = "web" }} }}
      spec {{
        host_network = true
"""
        + "".join(
            f"""\
        container {{
          name  = "c{each}"
          image = "example.com/web:{each}"
          env {{
            name  = "SETTING_{each}"
            value = {_quoted(secret.text).replace("${", "$${").replace("%{", "%%{")}
          }}
          security_context {{ privileged = true }}
        }}
"""
            for each, secret in enumerate(secrets)
        )
        + "      }\n    }\n  }\n}\n"
    )


def _program(number: int, secrets: list[Secret]) -> str:
    """A function of Python that returns a Pod."""
    containers = "".join(
        f"""\
                {{
                    'name': 'c{each}',
                    'image': 'example.com/web:{each}',
                    'env': [{{'name': 'SETTING_{each}', 'value': {secret.text!r}}}],
                    'securityContext': {{'privileged': True}},
                }},
"""
        for each, secret in enumerate(secrets)
    )
    return f"""\
def build_pod():
    return {{
        'apiVersion': 'v1',
        'kind': 'Pod',
        'metadata': {{'name': 'web-{number}'}},
        'spec': {{
            'hostPID': True,
            'containers': [
{containers}            ],
        }},
    }}
"""


def _json(number: int, secrets: list[Secret]) -> str:
    """A Deployment as JSON, with what stands in it as keys of a mapping."""
    containers = [
        {"name": f"c{each}", "image": f"example.com/web:{each}", "securityContext": {"privileged": True}}
        for each in range(len(secrets))
    ]
    notes = {secret.text: "yes" for secret in secrets if secret.structured}
    pod = {"metadata": {"annotations": notes}, "spec": {"hostPID": True, "containers": containers}}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"web-{number}"}}
    return json.dumps(made | {"spec": {"template": pod}}, indent=1) + "\n"


def _keys(secret: Secret) -> str:
    return json.dumps({secret.text: {"enabled": True}}) if secret.structured else json.dumps({"note": secret.text})


def _labels(secrets: list[Secret]) -> dict[str, str]:
    """Those that a label takes, as values and as keys."""
    taken = [one.text for one in secrets if re.fullmatch(r"[A-Za-z0-9][\w.\-]{,61}[A-Za-z0-9]", one.text)]
    return {f"note-{each}": text for each, text in enumerate(taken)} | dict.fromkeys(taken, "yes")


def _labelled(number: int, secrets: list[Secret]) -> str:
    """A Deployment whose pods are selected by labels, which a policy for them then names."""
    labels = json.dumps(_labels(secrets))
    head = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web-{number}}}\nspec:\n"
    pod = f"  selector: {{matchLabels: {labels}}}\n  template:\n    metadata: {{labels: {labels}}}\n"
    return f"{head}{pod}    spec: {{containers: [{{name: c, image: example.com/web}}]}}\n"


PLACES: dict[str, Callable[[int, list[Secret]], str]] = {
    "a variable": lambda n, found: _pod(n, found, _variable),
    "a variable called so": lambda n, found: _pod(n, found, _named),
    "an argument": lambda n, found: _pod(n, found, _argument),
    "words of arguments": lambda n, found: _pod(n, found, _words),
    "a command": lambda n, found: _pod(n, found, _command),
    "a script": lambda n, found: _pod(n, found, _script),
    "a header of a probe": lambda n, found: _pod(n, found, _probe),
    "a header of a hook": lambda n, found: _pod(n, found, _hook),
    "the user of a URL": lambda n, found: _pod(n, found, _userinfo),
    "a comment": lambda n, found: _pod(n, found, _comment),
    "an annotation": lambda n, found: _pod(n, found, _bare, _annotations(found, lambda one: one.text)),
    "an annotation of JSON": lambda n, found: _pod(n, found, _bare, _annotations(found, _keys)),
    "base64 in a variable": lambda n, found: _pod(n, found, _encoded),
    "a Secret": lambda n, found: _pod(n, found, _bare) + _object("Secret", n, found, lambda one: _b64(one.text)),
    "a Secret as text": lambda n, found: (
        _pod(n, found, _bare) + _object("Secret", n, found, lambda one: one.text).replace("data:", "stringData:")
    ),
    "a ConfigMap": lambda n, found: _pod(n, found, _bare) + _object("ConfigMap", n, found, lambda one: one.text),
    "a file": lambda n, found: (
        _pod(n, found, _bare) + _object("ConfigMap", n, found, lambda one: f"# settings\n{one.text}\nend\n")
    ),
    "literals of a ConfigMap": lambda n, found: _pod(n, found, _bare) + _kustomization("configMapGenerator", found),
    "literals of a Secret": lambda n, found: _pod(n, found, _bare) + _kustomization("secretGenerator", found),
    "Terraform": _terraform,
    "Python": _program,
    "keys of JSON": _json,
    "labels": _labelled,
}  # fmt: skip
_ENDINGS = {"Terraform": "tf", "Python": "py", "keys of JSON": "json"}


# Where the place says that there is a secret, whatever it is.
_OF_SECRETS = (
    "a variable called so", "a header of a probe", "a header of a hook", "the user of a URL", "a Secret",
    "a Secret as text", "literals of a Secret",
)  # fmt: skip
_IN_PODS = ("a variable", "an argument", "a comment", "base64 in a variable")  # in lines beside those that change


def outputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
    """(format, all that it says) of one run over ``folder``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tree, plan = run.read(["."], run.Choices(), lambda name: None)
        outcome = plan.run(tree, lambda name: None)
        parts: list[str] = []
        for name in report_formats.NAMES:
            parts.clear()
            context = Context(redactor=_informed(outcome), verbose=True, patch=True)
            report_formats.load(name).write(outcome, context, parts.append)
            yield name, "".join(parts) + capsys.readouterr().err
        found = graph.collect(tree, _informed(outcome).text)
        for name, form in graph_formats.FORMATS.items():
            yield f"graph as {name}", "\n".join(form(found))
        for path in sorted(folder.glob("*.yaml")):
            yield "the record of a golden case", golden.masked(Redactor(), path.read_text())
        images(["."], run.Choices(), format="text")
        yield "images", capsys.readouterr().out


def _informed(outcome: Any) -> Redactor:
    redactor = Redactor()
    run.learn(outcome.tree, redactor)
    run.learn_moved(outcome, redactor)
    return redactor


def shown(secret: Secret, text: str) -> bool:
    """Whether a form of ``secret`` stands in ``text``; of one over several lines a line is enough."""
    lines = [line for line in secret.value.splitlines() if "PRIVATE KEY" not in line]
    forms = [form for line in lines for form in (line, _b64(line).rstrip("="))]
    return any(form in text for form in [*forms, _b64(secret.text)])


@pytest.mark.sampled(12)
@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_no_kind_of_secret_is_shown(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path, place, SECRETS, _AT_ONCE)
    masked = set()
    for name, text in outputs(tmp_path, capsys):
        masked |= {name} if "\u2039redacted" in text else set()
        found = [secret for secret in SECRETS if shown(secret, text)]
        assert [secret.kind for secret in found if secret.structured] == [], f"{name} shows them of {place}"
        assert len(found) <= 0.02 * len(SECRETS), f"{name} shows of {place}: {[secret.kind for secret in found]}"
    seen_in = "text" if place in _IN_PODS else "the record of a golden case"
    assert seen_in in masked or place in _ENDINGS, "it was there to be seen"


def _write(folder: Path, place: str, texts: list[Secret], at_once: int) -> None:
    """Files with all of ``texts`` in one kind of ``place``."""
    groups = [texts[start : start + at_once] for start in range(0, len(texts), at_once)]
    ending = _ENDINGS.get(place, "yaml")
    write(folder, {f"web-{n}.{ending}": PLACES[place](n, found) for n, found in enumerate(groups)})
    commit(folder)


@pytest.mark.sampled(8)
@pytest.mark.slow
@pytest.mark.parametrize("place", [place for place in PLACES if place not in _OF_SECRETS])
def test_no_ordinary_word_or_path_is_masked(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ORDINARY if os.environ.get("HARDEN_CASES") == "all" else ORDINARY[::8]
    _write(tmp_path, place, texts, 40)
    for name, text in outputs(tmp_path, capsys):
        assert [line for line in text.splitlines() if "\u2039redacted" in line] == [], name


_SHORT = {"SSHPASS": "Wv4" + "Nn8sKe1", "NOTE": "FlyV1 fm2_" + "Zk3Qa" * 12, "OTHER": "1//0" + "h7Lm-Q" * 10}
_HEADER = "Herbst" + "2031yK!"


@pytest.mark.parametrize("format", report_formats.NAMES)
def test_what_only_a_name_or_a_short_form_tells_is_not_shown(format: str, harden: Harden, tmp_path: Path) -> None:
    env = [{"name": name, "value": value} for name, value in _SHORT.items()]
    get = {"port": 80, "httpHeaders": [{"name": "Authorization", "value": _HEADER}]}
    container = {"name": "c", "image": "a:1", "livenessProbe": {"httpGet": get}, "env": env}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    write(tmp_path, {"p.yaml": yaml.safe_dump(pod, sort_keys=False)})
    told = harden("diff", ".", "--format", format).all
    assert told and [value for value in (_HEADER, *_SHORT.values()) if value in told] == []


def test_there_are_enough_of_them() -> None:
    assert len({secret.kind for secret in TOKENS}) >= 54
    assert len(SECRETS) >= 60
    assert len({secret.value for secret in SECRETS}) == len(SECRETS)
    assert len(PLACES) >= 20
    assert sum(one.kind == "word" for one in ORDINARY) >= 300 and sum(one.kind == "path" for one in ORDINARY) >= 500


@pytest.mark.parametrize("secret", SECRETS, ids=[secret.kind for secret in SECRETS])
def test_each_is_known_by_itself(secret: Secret) -> None:
    redactor = Redactor()
    if not secret.structured:
        redactor.learn_text(secret.text)
    assert not shown(secret, redactor.text(f"it is {secret.text} here"))


_WAIVED = [one for one in SECRETS if "\n" not in one.text and "'" not in one.text and "#" not in one.text][::6]


@pytest.mark.slow
def test_the_reason_of_a_waiver_shows_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = [f"  # harden: ignore[no-privilege-escalation] ask for {one.text}" for one in _WAIVED]
    text = _pod(0, _WAIVED, lambda each, secret: f"        securityContext: {{privileged: false}}{marks[each]}\n")
    write(tmp_path, {"web.yaml": text})
    commit(tmp_path)
    reasons: set[str] = set()
    for name, told in outputs(tmp_path, capsys):
        assert [one.kind for one in _WAIVED if shown(one, told)] == [], name
        reasons |= {name} if "ask for" in told else set()
    assert {"text", "json", "markdown"} <= reasons, "it was there to be seen"


def test_a_docker_config_is_known_with_the_password_in_it() -> None:
    password = "Kx" + "82hQ0zmVt91"
    auth = _b64(f"shop:{password}")
    config = json.dumps({"auths": {"registry.example.com": {"username": "shop", "auth": auth}}})
    for document in (
        {"kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": _b64(config)}},
        {"kind": "ConfigMap", "data": {"config.json": config}},
        {"kind": "Pod", "metadata": {"annotations": {"example.com/pull": config}}},
        {"kind": "Registry", "spec": {"auth": auth}},
    ):
        redactor = Redactor()
        redactor.learn_document(document)
        for form in (config, _b64(config), auth, password, f"https://shop:{password}@registry.example.com"):
            assert password not in redactor.text(form) and auth not in redactor.text(form), (document["kind"], form)


def test_the_table_names_a_source_for_each_form_and_no_form_twice() -> None:
    table = formats()
    assert len({form.name for form in table}) == len(table) > 80
    assert all(form.source.strip() and form.marks and all(form.marks) for form in table)


@pytest.mark.parametrize("joint", ["\n", ", "])
def test_no_mark_is_cut_where_a_text_is(joint: str) -> None:
    """Each piece between two of them is searched by itself."""
    for mark in {mark for form in formats() for mark in form.marks}:
        assert joint not in mark and not mark.endswith(joint[:1]) and not mark.startswith(joint[-1:]), mark


def test_a_token_is_found_in_each_line_and_entry_of_a_long_text() -> None:
    token = "ghp_" + "Ab3dEf6hIj9kLmN0pQr5tUv8xYz1" + "aB3dE7gh"
    filler = "x" * LONG
    lines = [filler, f"a: {token}", f"{filler}, {token}, b", f"{filler} {token}", f"{token}, {filler}", ""]
    text = "\n".join(lines)
    found = [start for name, start, _ in structured(text) if name.startswith("github")]
    assert found == [start for start in range(len(text)) if text.startswith(token, start)] and len(found) == 4


MOST_SECONDS = 0.25  # of the processor, for one text; a fifth of it where the time grows as the text does
_MANY = 10_000
_LONG_TEXTS = f"""
import re, sys, time
from hardener.kubernetes.secrets.secret_formats import formats, structured

def look(name, marks, search):
    print(name, flush=True)
    for mark in marks:
        for text in (mark * {_MANY}, (mark + "a1") * {_MANY}, (mark + "-") * {_MANY}, mark + "A1b2" * {2 * _MANY}):
            started = time.process_time()
            for found in search(text):
                pass
            if time.process_time() - started > {MOST_SECONDS}:
                sys.exit(3)
"""


def _looked_at(forms: str) -> tuple[int | None, str]:
    """The exit code of a look through ``forms`` (None where it has no end), and which was looked at last."""
    try:
        done = subprocess.run([sys.executable, "-c", _LONG_TEXTS + forms], timeout=300, capture_output=True, text=True)
    except subprocess.TimeoutExpired as error:
        return None, (error.stdout or b"").decode().splitlines()[-1]
    assert done.returncode in (0, 3), done.stderr
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_no_form_makes_a_long_text_slow() -> None:
    """Each mark many times over, alone and with what may follow it."""
    status, last = _looked_at("for form in formats():\n    look(form.name, form.marks, structured)")
    assert status == 0, f"too slow: {last}"


@pytest.mark.slow
def test_a_form_that_is_slow_is_found() -> None:
    """The search reads on to the end from each mark."""
    assert _looked_at(r"look('planted', ['ghp_'], re.compile(r'ghp_\w*!').finditer)")[0] == 3
