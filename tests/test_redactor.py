"""The redactor: every form of a secret, places, broken text, what stays readable, and a search for leaks."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from hardener.kubernetes.secrets.secret_values import SecretClass, classify, secret_spans
from hardener.report.redactor import Redactor, is_common, is_own

from .conftest import shared

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0Z3VS5JJcds3\nq1w2e3r4t5y6u7i8\n-----END RSA PRIVATE KEY-----\n"
GITHUB = "ghp_" + "a1B2c3D4e5F6" * 3
ODD = "p\"a\\s's w<ö>r&d/+%"


def mark(number: int) -> str:
    return f"\u2039redacted#{number}\u203a"


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    for value in values:
        redactor.learn(value)
    return redactor


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        ODD,
        b64(ODD),
        b64(ODD).rstrip("="),
        base64.urlsafe_b64encode(ODD.encode()).decode(),
        quote(ODD),
        quote(ODD, safe=""),
        quote_plus(ODD),
        quote(ODD, safe="").lower() if ODD.islower() else quote(ODD),
        json.dumps(ODD)[1:-1],
        json.dumps(ODD, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(ODD))[3:-3],
        yaml.safe_dump(ODD, default_style='"', width=1000).strip()[1:-1],
        yaml.safe_dump(ODD, default_style="'", width=1000, allow_unicode=True).strip()[1:-1],
        repr(ODD)[1:-1],
        "p&quot;a\\s&#x27;s w&lt;ö&gt;r&amp;d/+%",
    ],
)
def test_forms(form: str) -> None:
    redactor = knowing(ODD)
    assert redactor.text(f"a {form} b") == f"a {mark(1)} b"
    assert redactor.masks(form)


def test_base64_with_the_newline_of_echo() -> None:
    redactor = knowing("hunter22")
    assert redactor.text(b64("hunter22")) == mark(1)
    redactor.learn("hunter22\n")
    assert redactor.text(b64("hunter22\n")) == mark(1)


def test_lines_of_a_value() -> None:
    redactor = knowing("first-line-1\n\n  second-line-2\nxy\n")
    assert redactor.text("+    second-line-2\n-first-line-1\n xy\n") == f"+    {mark(1)}\n-{mark(1)}\n xy\n"
    assert redactor.text(json.dumps("first-line-1\n\n  second-line-2\nxy")) == f'"{mark(1)}"'


def test_ordinary_lines_of_a_secret_file_stay_readable() -> None:
    kubeconfig = (
        "apiVersion: v1\nkind: Config\nclusters:\n- name: default\n# comment\n[database]\n{\n  token: hunter2222\n}\n"
    )
    redactor = knowing(kubeconfig)
    manifest = "apiVersion: v1\nkind: Config\nclusters:\n- name: default\n# comment\n[database]\n{\n}\n"
    assert redactor.text(manifest) == manifest
    assert redactor.text("x hunter2222 x") == f"x {mark(1)} x"


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Secret", "stringData": {"run": "mysql -pfrontendx"}},
        {"kind": "Secret", "data": {"run": b64("mysql -pfrontendx")}},
        {"secretGenerator": [{"name": "a", "literals": ["run=mysql -pfrontendx"]}]},
        {"secretGenerator": [{"name": "a", "literals": ["run='mysql -pfrontendx'"]}]},
    ],
)
def test_a_password_that_its_form_betrays_is_no_label(document: dict[str, Any]) -> None:
    redactor = Redactor()
    redactor.keep((), ["frontendx"])
    redactor.learn_document(document)
    assert "frontendx" not in redactor.text("image: frontendx")


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_secret_is_does_not_depend_on_what_was_learned_before(order: int) -> None:
    text = "first-line-1\nshop-frontend\n"
    documents = [{"kind": "Secret", "stringData": {key: text}} for key in ("database", "password")]
    redactor = Redactor()
    redactor.keep((), ["shop-frontend"])
    for document in documents[::order]:
        redactor.learn_document(document)
    assert "shop-frontend" not in redactor.text("image: shop-frontend")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("lines", ["", "\nsecond-line-2"])
def test_a_secret_that_is_looked_for_everywhere_is_so_in_each_order(order: int, lines: str) -> None:
    redactor = Redactor()
    document = {"kind": "Secret", "stringData": {"password": f"sword-fish{lines}"}}
    for learned in (document, "sword-fish")[::order]:
        if isinstance(learned, str):
            redactor.learn(learned)
        else:
            redactor.learn_document(learned)
    assert "sword-fish" not in redactor.text("mysword-fish")


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Secret", "stringData": {"database": "frontendx"}},
        {"kind": "Secret", "data": {"database": b64("frontendx")}},
        {"secretGenerator": [{"name": "a", "literals": ["database=frontendx"]}]},
    ],
)
def test_a_label_that_only_a_secret_holds_stays_readable(document: dict[str, Any]) -> None:
    redactor = Redactor()
    redactor.keep((), ["frontendx"])
    redactor.learn_document(document)
    assert redactor.text("image: frontendx") == "image: frontendx"


def test_ordinals_are_stable() -> None:
    redactor = knowing("hunter22", "swordfish9", "hunter22")
    expected = f"{mark(2)} {mark(1)} {mark(2)} {mark(1)}"
    assert redactor.text(f"swordfish9 hunter22 swordfish9 {b64('hunter22')}") == expected
    redactor.learn("another-one")
    assert redactor.text("hunter22 another-one") == f"{mark(1)} {mark(3)}"
    assert redactor.mask_spans("a: 'hunter22'", [(3, 13)]) == f"a: {mark(1)}"


def test_masking_twice_changes_nothing() -> None:
    redactor = knowing("hunter22")
    once = redactor.text(f"hunter22 redis://u:pw-1234@h ghp_{'a1B2' * 9} {PEM}")
    assert redactor.text(once) == once
    assert not redactor.masks(once)


def test_overlapping_secrets_leave_no_rest() -> None:
    redactor = knowing("xxabcd", "abcdefghijklmnop", "abcdefgh")
    assert redactor.text("-xxabcdefghijklmnop-") == f"-{mark(1)}-"
    assert redactor.text("abcdefghijklmnop abcdefgh") == f"{mark(2)} {mark(3)}"


@pytest.mark.parametrize(
    "word", ["admin", "secret", "password", "postgres", "default", "Secret", "12345678", "ab1", "------"]
)
def test_common_words_are_masked_only_in_their_place(word: str) -> None:
    redactor = knowing(word)
    text = f"kind: Secret\nimage: postgres\npassword: {word}\ndefault: 12345678\n------\nadmin ab1\n"
    assert redactor.text(text) == text
    start = text.index(f"password: {word}") + 10
    assert redactor.mask_spans(text, [(start, start + len(word))]) == text.replace(
        f"password: {word}", f"password: {mark(1)}"
    )
    assert redactor.text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://user:hunter2@db:5432/app", f"postgres://user:{mark(1)}@db:5432/app"),
        ("redis://:p@ss@h", f"redis://:{mark(1)}@h"),
        ("key AKIAQYLPMN5HHHFPZAM2.", f"key {mark(1)}."),
        ("ghp_" + "a1B2" * 9, mark(1)),
        ("Authorization: Bearer abcdef0123456789", f"Authorization: Bearer {mark(1)}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.dozjgNryP4J3jVmNHl0w", mark(1)),
        (PEM, "\n".join([mark(1)] * 4) + "\n"),
        (json.dumps(PEM), f'"{mark(1)}\\n"'),
        ("+  -----BEGIN PRIVATE KEY-----\n+  MIIEowIBAAKCAQEA0Z3V\n+ok", f"+  {mark(1)}\n+  {mark(1)}\n+ok"),
    ],
)
def test_tokens_nobody_told_us_about(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:$(PASSWORD)@db",
        "https://user:${PASSWORD}@db",
        "https://example.org:8443/@scope/x",
        "image: myapp@sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEA0Z3V\n-----END CERTIFICATE-----",
        "use Bearer authentication",
        "serviceAccountToken, secretName: my-secret, tokenPath: /var/run/secrets/token",
    ],
)
def test_stays_readable(text: str) -> None:
    assert Redactor().text(text) == text


READABLE = """
apiVersion: v1
kind: Pod
metadata: {name: app, annotations: {commit: 9fceb02d0ae598e95dc970b74767f19372d61af8}}
spec:
  automountServiceAccountToken: false
  imagePullSecrets: [{name: regcred}]
  containers:
  - name: app
    image: postgres@sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a
    ports: [{containerPort: 5432}]
    env:
    - {name: TOKEN_TTL, value: "3600"}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: my-secret, key: password}}}
    - {name: PASSWORD_FILE, value: /var/run/secrets/password}
    - {name: API_KEY, value: change-me}
    - {name: POSTGRES_PASSWORD, value: postgres}
  volumes:
  - {name: s, secret: {secretName: my-secret}}
  - name: t
    projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: argocd-repo}
stringData: {type: git, url: "https://github.com/argoproj/argo-cd", username: argocd-reader, password: change-me}
"""


def test_few_and_many_secrets_are_looked_for_alike() -> None:
    """Few are looked for one by one, many by each place of the text."""
    values = [f"q{number:02}Zk{number * 7:03}vWx" for number in range(60)]
    text = " ".join(f"{value}{value} a-{value}" for value in values) + values[0][:-1]
    few, many = Redactor(), Redactor()
    for value in values[:2]:
        few.learn(value)
    for value in values:
        many.learn(value)
    assert [value in few.text(text) for value in values] == [number > 1 for number in range(60)]
    assert few.text(" ".join(values[:2] * 2)) == many.text(" ".join(values[:2] * 2))
    assert not any(value in many.text(text) for value in values) and values[0][:-1] in many.text(text)


def test_a_report_stays_readable() -> None:
    redactor = Redactor()
    for document in yaml.safe_load_all(READABLE):
        redactor.learn_document(document)
    redactor.learn_text(READABLE)
    assert redactor.text(READABLE) == READABLE


def test_a_password_that_is_the_name_of_the_object() -> None:
    text = "kind: Secret\nmetadata:\n  name: storageos-api\nstringData:\n  pw: storageos\n"
    redactor = Redactor()
    redactor.learn_document(yaml.safe_load(text))
    redactor.learn_text(text + "]")
    assert redactor.text("Secret storageos-api") == "Secret storageos-api"


def test_document() -> None:
    redactor = Redactor()
    redactor.learn_document({"kind": "Secret", "data": {"a": b64("hunter22\n"), "user": b64("admin")}})
    assert redactor.text(f"hunter22 {b64('hunter22')} {b64(chr(10).join(['hunter22', '']))}") == " ".join([mark(1)] * 3)
    assert redactor.text(f"admin {b64('admin')}") == f"admin {mark(2)}"


@pytest.mark.parametrize(
    "text",
    [
        "a: [\nenv:\n- name: DB_PASSWORD\n  value: hunter2222\n",
        "a: [\nenv:\n- value: hunter2222\n  name: DB_PASSWORD\n",
        "\tpassword: hunter2222",
        "password = 'hunter2222'",
        "# old password: hunter2222",
        'broken: {"token": "hunter2222",',
        'password: "hunter2222',
        "password: |\n  hunter2222\n  }",
        "url: http://me:hunter2222@host }",
        "args: [--password=hunter2222, --token hunter2222",
        "kind: Secret\nstringData:\nfoo: hunter2222\n}",
        "kind: Secret\nstringData:\n  foo: x\n    bar: hunter2222\n}",
        "kind: Secret\nstringData:\n  foo: |\n    hunter2222\n    more\n}",
        f"stringData:\n\tx: 1\ndata:\n  foo: {b64('hunter2222')}\nkind: Secret\n}}",
        f'{{"kind": "Secret", "data": {{"foo": "{b64("hunter2222")}"}}',
        'password: {{ .Values.password | default "hunter2222" | b64enc }}',
        "{{ if .x }}\napiKey: hunter2222\n{{ end }}",
    ],
)
def test_broken_text(text: str) -> None:
    redactor = Redactor()
    redactor.learn_text(text)
    for form in ("hunter2222", b64("hunter2222")):
        assert "hunter2222" not in redactor.text(f"{text} {form}")
        assert b64("hunter2222") not in redactor.text(f"{text} {form}")


def test_template_names_stay_readable() -> None:
    text = "kind: Secret\nmetadata:\n  name: {{ .Release.Name }}-db\ndata:\n  password: {{ .Values.pw | b64enc }}\n"
    redactor = Redactor()
    redactor.learn_text(text)
    assert redactor.text(text) == text


def test_spans_keep_lines_and_indentation() -> None:
    text = "a: |  # note\n    first\n\n      second\nb: hunter22 # hunter22\nc: x\n"
    spans = [(text.index("|"), text.index("b:")), (text.index("hunter22"), text.index(" #", 20))]
    redactor = Redactor()
    masked = redactor.mask_spans(text, spans)
    assert masked == f"a: |  # note\n    {mark(1)}\n\n      {mark(1)}\nb: {mark(2)} # {mark(2)}\nc: x\n"
    assert redactor.text("hunter22") == mark(2)


def test_spans_of_a_configuration_file_do_not_spoil_the_report() -> None:
    text = "f: |\n  server_name example\n  password: hunter22\n"
    redactor = Redactor()
    assert redactor.mask_spans(text, [(3, len(text))]) == f"f: |\n  {mark(2)}\n  {mark(2)}\n"
    assert redactor.text("server_name example hunter22") == f"server_name example {mark(1)}"


def test_spans_that_overlap_or_lie_outside() -> None:
    redactor = Redactor()
    assert redactor.mask_spans("a: abcdefgh", [(3, 8), (5, 100), (50, 60), (4, 4)]) == f"a: {mark(1)}{mark(2)}"
    assert redactor.mask_spans("nothing", []) == "nothing"
    assert redactor.mask_spans("a\r\nb: |\r\n  xyz\r\n", [(6, 16)]) == f"a\r\nb: |\r\n  {mark(3)}\r\n"


def test_value_keeps_shapes() -> None:
    data = {"hunter22": ["hunter22", 1, None, True, {"a": ("x hunter22",)}]}
    assert knowing("hunter22").value(data) == {mark(1): [mark(1), 1, None, True, {"a": [f"x {mark(1)}"]}]}


def test_a_record_keeps_its_frame_and_masks_what_it_quotes() -> None:
    secret = "rationale7x"
    record = {
        secret: 1, "id": secret, "file": f"k8s/{secret}.yaml", "line": 3, "places": [GITHUB],
        "object": {"kind": "Pod", "name": secret, "namespace": GITHUB},
        "path": ["spec", secret, GITHUB], "message": f"it holds {secret}",
        "evidence": [{"text": secret, "file": secret}],
        "before": {secret: [secret]}, "after": secret, "patch": [{"op": "add", "path": f"/{GITHUB}", "value": secret}],
    }  # fmt: skip
    assert knowing(secret).record(record) == record | {
        "object": {"kind": "Pod", "name": secret, "namespace": mark(2)},
        "path": ["spec", secret, mark(2)], "message": f"it holds {mark(1)}",
        "evidence": [{"text": mark(1), "file": secret}], "before": {mark(1): [mark(1)]}, "after": mark(1),
        "patch": [{"op": "add", "path": f"/{mark(2)}", "value": mark(1)}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "k8s/Deployment-falcosidekick.yaml:12: not pinned",
        "diff --git a/k8s/Deployment-falcosidekick.yaml b/k8s/Deployment-falcosidekick.yaml",
        "Deployment/web-falcosidekick. restarts",
        "A process falcosidekick.cannot raise itself",
    ],
)
def test_a_part_of_a_name_or_of_words_of_a_rule_is_not_masked(text: str) -> None:
    redactor = knowing("falcosidekick.")
    redactor.keep(["k8s/Deployment-falcosidekick.yaml", "web-falcosidekick."])
    redactor.keep_own(["A process falcosidekick.cannot raise itself"])
    assert redactor.text(text) == text
    assert redactor.text(f"{text}; value: 'falcosidekick.'") == f"{text}; value: '{mark(1)}'"
    assert "falcosidekick." not in redactor.text("value: old-Deployment-falcosidekick.yaml")


def test_the_seed_pair() -> None:
    text = shared("seed", "k03-insecure.yaml").read_text()
    for learn in ("learn_document", "learn_text"):
        redactor = Redactor()
        for document in yaml.safe_load_all(text) if learn == "learn_document" else [text]:
            getattr(redactor, learn)(document)
        for output in (redactor.text(text), redactor.text(json.dumps(text)), str(redactor.value([text]))):
            for secret in ("SuperSecret123!", "sk-live-abc123xyz"):
                assert secret not in output
                assert b64(secret) not in redactor.text(f"{output} {b64(secret)}")
        assert "image: myapp:latest" in redactor.text(text)


@pytest.mark.slow
def test_many_texts_and_many_secrets() -> None:
    chance = random.Random(7)
    secrets = ["".join(chance.choices(string.ascii_letters + string.digits, k=24)) for _ in range(1000)]
    redactor = Redactor()
    line = "        securityContext: {allowPrivilegeEscalation: false}  # https://example.org/why\n"
    for secret in secrets:
        redactor.learn(secret)
        redactor.text(line * 20 + secret)
    for _ in range(5000):
        assert redactor.text(line) == line
    assert mark(1000) in redactor.text(line * 10_000 + secrets[-1])


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "aaaaaab" * 20_000, "://a:b@" * 20_000, "-----BEGIN PRIVATE KEY-----\n" * 5_000]
)
def test_no_text_fails_or_hangs(text: str) -> None:
    redactor = knowing("aaaaaab", "aaaaaaaaaaaaaaaaab", "abcdefg")
    redactor.text(text)
    redactor.learn_text(text)


PRINTABLE = st.text(
    st.characters(min_codepoint=33, max_codepoint=126) | st.sampled_from(" äß\u20ac\U0001f511"), min_size=8, max_size=40
)
SECRETS = PRINTABLE.map(str.strip).filter(
    lambda text: len(text) >= 8 and not is_common(text) and "redacted" not in text
)


def in_env(value: str) -> Any:
    return {"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": value}]}]}}


def in_config_map(value: str) -> Any:
    return {"kind": "ConfigMap", "data": {"other": "1", "db.password": value}}


def in_secret(value: str) -> Any:
    return {"kind": "Secret", "data": {"x": b64(value)}}


def in_string_data(value: str) -> Any:
    return {"kind": "Secret", "stringData": {"x": value}}


def in_args(value: str) -> Any:
    return {"containers": [{"args": ["serve", f"--db-password={value}"]}]}


def in_two_args(value: str) -> Any:
    return {"containers": [{"command": ["serve", "--token", value]}]}


def in_literals(value: str) -> Any:
    return {"secretGenerator": [{"literals": [f"a={value}"]}]}


def in_custom_resource(value: str) -> Any:
    return {"spec": {"password": value}}


SHAPES = [in_env, in_config_map, in_secret, in_string_data, in_args, in_two_args, in_literals, in_custom_resource]


def leaks(output: str, value: str) -> list[str]:
    forms = [value, b64(value), b64(value).rstrip("="), quote(value), quote(value, safe=""), quote_plus(value)]
    forms += [json.dumps(value)[1:-1], value.replace("'", "''")]
    return [form for form in forms if form in output]


def everything_about(value: str) -> str:
    quoted = f"{quote(value)}/{quote(value, safe='')} {quote_plus(value)}"
    return f"a {value} b{b64(value)}c {b64(value).rstrip('=')} {quoted}, {json.dumps(value)}"


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
def test_a_learned_value_never_shows(value: str, before: str, after: str) -> None:
    redactor = knowing(value)
    output = redactor.text(before + value + after + everything_about(value))
    assert not leaks(output, value)
    assert not leaks(redactor.mask_spans(before + value + after, [(0, len(before))]), value)


@given(SECRETS, st.sampled_from(SHAPES))
def test_a_planted_value_never_shows(value: str, shape: Any) -> None:
    assume(classify("password", value)[0] in (SecretClass.SECRET, SecretClass.WEAK))
    assume(shape is not in_two_args or not value.startswith("-"))
    assume(not is_own(value))  # words of reports are masked where the value stands, and not everywhere
    document = shape(value)
    assert list(secret_spans(document))
    redactor = Redactor()
    redactor.learn_document(document)
    for text in (yaml.safe_dump(document, width=1000), json.dumps(document), str(document), everything_about(value)):
        assert not leaks(redactor.text(text), value)


@given(
    SECRETS,
    st.sampled_from(
        ["password: {}", "a: [\nenv:\n- name: API_TOKEN\n  value: {}", "kind: Secret\ndata: [\nstringData:\n  x: {}"]
    ),
)
def test_a_value_in_broken_text_never_shows(value: str, template: str) -> None:
    assume(classify("password", value)[0] in (SecretClass.SECRET, SecretClass.WEAK))
    assume(not is_own(value))
    redactor = Redactor()
    text = template.replace("{}", json.dumps(value, ensure_ascii=False)) + "\n  ]]]\n"
    redactor.learn_text(text)
    assert not leaks(redactor.text(text + everything_about(value)), value)


def test_of_secrets_that_begin_alike_the_longest_is_masked() -> None:
    values = ["hunter2xyz", "hunter2xyzzyQ", "hunter2xyzzyQ-plugh", "hunter3xyzzyQ"]
    redactor = knowing(*random.Random(1).sample(values, len(values)))
    numbers = [redactor.text(value) for value in values]
    assert len(set(numbers)) == len(values) and all(number == mark(int(number[10])) for number in numbers)
    assert redactor.text(f"a={values[2]};b={values[1]}!{values[0]}{values[3]}") == (
        f"a={numbers[2]};b={numbers[1]}!{numbers[0]}{numbers[3]}"
    )


@given(st.lists(st.text("ab", min_size=6, max_size=12), min_size=1, max_size=12), st.text("abc", max_size=60))
def test_what_is_masked_is_the_longest_that_stands_there(values: list[str], text: str) -> None:
    known = [value + "x7Q" for value in values]  # no common words
    joined = text + text.join(known)
    left = knowing(*known).text(joined)
    assert not [value for value in known if value in left]
    assert left.count("redacted") <= len(known)


def test_thousands_of_secrets_that_begin_alike_are_not_compared_one_by_one() -> None:
    class Text(str):
        looks = 0

        def __getitem__(self, key: Any) -> str:
            Text.looks += 1
            return str(self)[key]

        def startswith(self, *arguments: Any) -> bool:
            Text.looks += 1
            return super().startswith(*arguments)

    redactor = knowing(*(f"hunter{number:05}xyzzyQ" for number in range(2_000)))
    assert "hunter" not in redactor.text(Text("a: hunter01999xyzzyQ, b: hunter01998xyzzyQ"))
    assert 0 < Text.looks < 500
