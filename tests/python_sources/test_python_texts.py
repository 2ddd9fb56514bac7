"""YAML in texts of programs: read with its fields masked, and changed without a byte of the program beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import rewrite
from hardener.sources.yaml import TextError

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}  # the pod
spec:
  hostPID: true
  containers:
  - name: web
    image: {image}
    emptyDir: {{}}
"""
PLAIN = MANIFEST.format(name="a", image="b")
PERCENT = PLAIN.replace("name: a}", "name: %s}").replace("image: b", "image: %s  # 100%%")

FILLED_IN = {
    "an f-string": (f'def made(name, image):\n    return f"""\n{MANIFEST}"""\n', "$(name)", "$(image)"),
    "str.format": (
        f'def made(name, image):\n    return """{MANIFEST}""".format(name=name, image=image)\n',
        "$(name)",
        "$(image)",
    ),
    "str.format of a constant": (
        f'TEXT = """\\\n{MANIFEST}"""\n\n\ndef made(name, image):\n    return TEXT.format(name=name, image=image)\n',
        "$(name)",
        "$(image)",
    ),
    "the % operator": (
        f"def made(name, image):\n    return '''\n{PERCENT}''' % (name, image)\n",
        "$(value)",
        "$(value_2)",
    ),
    "an expression": (
        f'def made(name, image):\n    return f"""\n{MANIFEST.replace("{image}", "{image.strip()!s:>1}")}"""\n',
        "$(name)",
        "$(image.strip)",
    ),
    "CRLF": (f'def made(name, image):\n    return f"""\n{MANIFEST}"""\n'.replace("\n", "\r\n"), "$(name)", "$(image)"),
    "letters beyond ASCII": (
        f'Ü = "ß"\n\n\ndef made(name, image):\n    return f"""\n# für ✓\n{MANIFEST}"""\n',
        "$(name)",
        "$(image)",
    ),
}


def harden(documents: list[Any]) -> None:
    spec = documents[0]["spec"]
    del spec["hostPID"]
    spec["containers"][0]["securityContext"] = {"privileged": False}
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}]


def made(source: str) -> Any:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return yaml.safe_load(scope["made"]("web", "nginx:1"))


@pytest.mark.parametrize("source, name, image", FILLED_IN.values(), ids=FILLED_IN)
def test_what_the_program_makes_is_what_was_decided(source: str, name: str, image: str) -> None:
    (document,) = parse(source).documents
    assert (document["metadata"]["name"], document["spec"]["containers"][0]["image"]) == (name, image)
    after = rewrite(source, harden).text
    wanted = made(source)
    harden([wanted])
    assert made(after) == wanted
    gone, stays = [line for line in source.splitlines() if "hostPID" in line], after.splitlines()
    assert [line for line in source.splitlines() if line not in stays] == gone
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in source else 0)


def test_lines_and_comments_are_those_of_the_file() -> None:
    source, _, _ = FILLED_IN["str.format of a constant"]
    parsed = parse(source)
    lines = source.splitlines()
    assert lines[parsed.line(0, ("spec", "hostPID")) - 1] == "  hostPID: true"
    assert parsed.comment(0, ("metadata",)) == "# the pod"
    assert parsed.comments() == []


def test_each_document_of_a_text_is_one() -> None:
    two = f'TEXT = """\n{PLAIN}---\n{PLAIN.replace("Pod", "Other")}"""\nMORE = """\n{PLAIN}"""\n'
    parsed = parse(two)
    assert [document["kind"] for document in parsed.documents] == ["Pod", "Other", "Pod"]
    assert [parsed.line(number, ("kind",)) for number in range(3)] == [3, 13, 24]

    def second(documents: list[Any]) -> None:
        documents[1]["spec"]["hostPID"] = False

    assert (
        rewrite(two, second).text
        == two.replace("hostPID: true", "hostPID: false")
        .replace("hostPID: false", "hostPID: true", 1)[::-1]
        .replace("hostPID: false"[::-1], "hostPID: true"[::-1], 1)[::-1]
    )


def test_a_text_stands_beside_what_the_code_makes() -> None:
    code = 'POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "b"}]}}\n'
    parsed = parse(f'TEXT = """\n{PLAIN}"""\n{code}')
    assert [document["kind"] for document in parsed.documents] == ["Pod", "Pod"]
    assert [parsed.line(number, ("kind",)) for number in range(2)] == [12, 3]


NOT_LOOKED_AT = {
    "a docstring": f'"""Such as:\n\n{PLAIN}"""\n',
    "of a function": f'def f():\n    """\n{PLAIN}"""\n',
    "a value of a ConfigMap": (
        f'A = {{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{}}, "data": {{"a": """\n{PLAIN}"""}}}}\n'
    ),
    "words about one": 'raise ValueError("apiVersion and kind are missing")\n',
    "no manifest": 'TEXT = """\nkind of: thing\napiVersion: none\n"""\n',
}


@pytest.mark.parametrize("source", NOT_LOOKED_AT.values(), ids=NOT_LOOKED_AT)
def test_not_looked_at(source: str) -> None:
    assert [document["kind"] for document in parse(source).documents if document["kind"] != "ConfigMap"] == []
    assert parse(source).unread == []


_JSON = '{"apiVersion": "v1", "kind": "Pod"}'
LOOSE = {
    "bytes": f'A = 1\nTEXT = b"""\n{PLAIN}"""\n',
    "parts of a text": f'A = 1\nTEXT = "" """\n{PLAIN}"""\n',
    "JSON": f"A = 1\nTEXT = json.loads('{_JSON}')\n",
    "JSON in JSON": f"A = 1\nTEXT = {json.dumps(json.dumps(_JSON))}\n",
    "a list": f"A = 1\nTEXT = '[{_JSON}]'\n",
    "one line": "A = 1\nTEXT = 'apiVersion: v1\\nkind: Pod\\n'\n",
    "texts that are added": "A = 1\nTEXT = 'apiVersion: v1\\n' + 'kind: Pod'\n",
    "with a name between": "A = 1\nTEXT = 'apiVersion: v1\\nkind: ' + kind + '\\n'\n",
    "with a field": "A = 1\nTEXT = f'apiVersion: v1\\nkind: {kind}\\n'\n",
    "lines that are joined": "A = 1\nTEXT = '\\n'.join(['apiVersion: v1', 'kind: Pod'])\n",
    "filled in by a sign": "A = 1\nTEXT = 'apiVersion: v1\\nkind: %s\\n' % kind\n",
    "an argument of a call in a text": "A = 1\nTEXT = 'x' + dump('apiVersion: v1\\nkind: Pod')\n",
}


@pytest.mark.parametrize("source", LOOSE.values(), ids=LOOSE)
def test_a_manifest_in_a_text_of_another_form_is_found(source: str) -> None:
    parsed = parse(source)
    assert (parsed.documents, parsed.unread) == ([], [(2, "it is no literal of several lines")])


UNREAD = {
    "filled in elsewhere": (MANIFEST, "what is in braces may be filled in elsewhere"),
    "escapes": (PLAIN.replace("web", "w\\x65b"), "it holds escapes"),
    "a Jinja template": (PLAIN.replace("image: b", "image: {{ image }}"), "a template"),
    "lines that a loop makes": (PLAIN + "{% for x in y %}\n  - a\n{% endfor %}\n", "a template"),
    "broken": (PLAIN + "   x: [\n", None),
}


@pytest.mark.parametrize("text, reason", UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_said(text: str, reason: str | None) -> None:
    parsed = parse(f'import jinja2\n\nTEXT = """\n{text}"""\n')
    assert parsed.documents == []
    assert [why for _, why in parsed.unread] == [reason or parsed.unread[0][1]]


def test_an_expression_of_several_lines_is_not_read() -> None:
    source = f'TEXT = f"""\n{MANIFEST.replace("{image}", "{max(1," + chr(10) + "2)}")}"""\n'
    assert [why for _, why in parse(source).unread] == ["an expression in it has several lines"]


def what(value: str) -> Any:
    def mutate(documents: list[Any]) -> None:
        documents[0]["spec"]["containers"][0]["name"] = value

    return mutate


@pytest.mark.parametrize("value", ['a"""b', "a\\b", "$(name)"])
def test_nothing_is_written_that_the_program_would_read_in_another_way(value: str) -> None:
    source, _, _ = FILLED_IN["an f-string"]
    with pytest.raises(TextError):
        rewrite(source, what(value))


@pytest.mark.parametrize("value", ["a{b}c", "100%", "{}", "%s"])
def test_braces_and_percent_signs_are_doubled_where_the_text_is_filled_in(value: str) -> None:
    for case in ("an f-string", "str.format", "the % operator"):
        after = rewrite(FILLED_IN[case][0], what(value)).text
        assert made(after)["spec"]["containers"][0]["name"] == value


def test_fields_by_place_have_a_mask_each() -> None:
    many = "".join(f"    - name: v{number}\n      value: %s\n" for number in range(300))
    parsed = parse(f'TEXT = """\n{PERCENT}    env:\n{many}""" % values\n')
    variables = parsed.documents[0]["spec"]["containers"][0]["env"]
    assert len({each["value"] for each in variables}) == 300


# -- lines that the program fills in as a whole

LINES = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  {labels}
spec:
  hostPID: true
  containers:
  - name: web
    image: b:1
    env:
    {env}
  - name: side
    image: c:1
    {more}
  volumes:
  - name: a
    emptyDir: {{}}
  {volumes}
{rest}
"""
FILLED = {
    "nothing": {"labels": "", "env": "", "more": "", "volumes": "", "rest": ""},
    "keys": {"labels": "labels: {a: b}", "env": "- {name: A, value: b}", "more": "tty: true", "volumes": "- name: b",
             "rest": "status: {}"},
    "several": {"labels": "labels: {a: b}\n  annotations: {c: d}", "env": "- name: A\n    - name: B",
                "more": "tty: true\n    stdin: true\n  - name: third\n    image: d:1", "volumes": "dnsPolicy: None",
                "rest": "  hostIPC: true"},
}  # fmt: skip
TEMPLATE = "import string\n\n\ndef made(**values):\n    return string.Template('''\n{}''').substitute(values)\n"
STYLES = {
    "an f-string": lambda text: f'def made(labels, env, more, volumes, rest):\n    return f"""\n{text}"""\n',
    "str.format": lambda text: f'def made(**values):\n    return """\n{text}""".format(**values)\n',
    "the % operator": lambda text: "def made(**values):\n    return '''\n{}''' % values\n".format(
        text.replace("{{}}", "@").replace("{", "%(").replace("}", ")s").replace("@", "{}")
    ),
    "string.Template": lambda text: TEMPLATE.format(text.replace("{{}}", "@").replace("{", "${").replace("@", "{}")),
    "a Template without braces": lambda text: TEMPLATE.format(
        text.replace("{{}}", "@").replace("{", "$").replace("}", "").replace("@", "{}")
    ),
    "CRLF": lambda text: f'def made(labels, env, more, volumes, rest):\n    return f"""\n{text}"""\n'.replace(
        "\n", "\r\n"
    ),
}


def without_pid(documents: list[Any]) -> None:
    """What is decided of the parts that no line may change."""
    spec = documents[0]["spec"]
    del spec["hostPID"]
    spec["containers"][0]["image"] = "b:2"
    spec["containers"][1]["name"] = "beside"
    spec["volumes"][0]["emptyDir"] = {"sizeLimit": "1Gi"}


def called(source: str, values: dict[str, str]) -> Any:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return yaml.safe_load(scope["made"](**values))


@pytest.mark.parametrize("values", FILLED.values(), ids=FILLED)
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_lines_that_are_filled_in_stay_where_they_are(style: Any, values: dict[str, str]) -> None:
    source = style(LINES)
    (document,) = parse(source).documents
    assert document["spec"]["containers"][0]["env"].startswith("$(")
    wanted = called(source, values)
    without_pid([wanted])
    assert called(rewrite(source, without_pid).text, values) == wanted


# Where the line stands: the paths that it opens.
OPENED = {
    "below a key with others": ("metadata:\n  a: b\n  {x}\n", ["metadata"]),
    "before the others": ("metadata:\n  {x}\n  a: b\n", ["metadata"]),
    "in an item": ("spec:\n  containers:\n  - name: a\n    {x}\n", ["spec.containers.0"]),
    "in a list as deep as its key": ("spec:\n  containers:\n  - name: a\n  {x}\n", ["spec", "spec.containers"]),
    "in a list": ("spec:\n  containers:\n    - name: a\n    {x}\n  b: c\n", ["spec.containers"]),
    "at the start of a line": (
        "spec:\n  containers:\n  - name: a\n{x}\n",
        ["", "spec", "spec.containers", "spec.containers.0"],
    ),
    "between documents of the same depth": ("metadata:\n  a: b\nspec:\n  c: d\n  {x}\n", ["spec"]),
    "at a depth of nothing": ("spec:\n    c: d\n  {x}\n", ["", "spec"]),
}


def opened(value: Any, path: str = "") -> list[str]:
    found = [path] if type(value) not in (dict, list) and isinstance(value, dict | list) else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [each for part, inner in parts for each in opened(inner, f"{path}.{part}".lstrip("."))]


@pytest.mark.parametrize("text, wanted", OPENED.values(), ids=OPENED)
def test_a_line_opens_what_holds_it(text: str, wanted: list[str]) -> None:
    (document,) = parse(f'def f(x):\n    return f"""\napiVersion: v1\nkind: Pod\n{text}"""\n').documents
    assert opened(document) == wanted


VALUES = {
    "deeper than its key": ("spec:\n  env:\n    {x}\n", "$(x)"),
    "as deep as its key": ("spec:\n  env:\n  {x}\n", "$(x_2)"),
    "at the start of a line": ("spec:\n  env:\n{x}\n", "$(x_2)"),
}


@pytest.mark.parametrize("text, wanted", VALUES.values(), ids=VALUES)
def test_a_line_is_the_value_of_a_key_that_has_no_other(text: str, wanted: str) -> None:
    (document,) = parse(f'def f(x):\n    return f"""\napiVersion: v1\nkind: Pod\n{text}"""\n').documents
    assert document["spec"]["env"] == wanted


NO_LINES = {
    "in a text of several lines": "data:\n  a: |\n    b\n    {x}\n",
    "of a sign and a field": 'data:\n  color: "#{x}"\n',
    "beside a comment": "data:\n  a: b  # {x}\n",
    "a comment": "data:\n  a: b\n  # {x}\n",
}


@pytest.mark.parametrize("text", NO_LINES.values(), ids=NO_LINES)
def test_a_field_within_a_text_opens_nothing(text: str) -> None:
    source = f'def made(x):\n    return f"""\napiVersion: v1\nkind: ConfigMap\n{text}"""\n'
    (document,) = parse(source).documents
    assert opened(document) == []

    def change(documents: list[Any]) -> None:
        documents[0]["kind"] = "Secret"

    assert rewrite(source, change).text == source.replace("ConfigMap", "Secret")


def test_a_line_where_parts_are_used_twice_is_not_read() -> None:
    text = "a: &a\n  b: c\n  {x}\nd: *a\n"
    parsed = parse(f'def f(x):\n    return f"""\napiVersion: v1\nkind: Pod\n{text}"""\n')
    assert parsed.unread == [(7, "a line is filled in where parts are used twice")]
