"""The secret classifier and the walk: own cases, look-alikes that are none, hostile shapes, and a real corpus."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hardener.commands import run
from hardener.kubernetes.secrets import secret_words
from hardener.kubernetes.secrets.secret_formats import structured
from hardener.kubernetes.secrets.secret_text import command_secrets, has_encoded, may_hold_secret
from hardener.kubernetes.secrets.secret_values import (
    SecretClass,
    classify,
    decoded,
    found_secrets,
    key_strength,
    secret_spans,
    text_secrets,
)
from hardener.report.redactor import Redactor
from hardener.tree.tree import Tree

from .conftest import shared

AKID = "AKIA" + "QYLPMN5HHHFPZAM2"
GITHUB = "ghp_" + "a1B2c3D4e5F6" * 3
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfn\nq1w2e3r4t5y6\n-----END RSA PRIVATE KEY-----\n"

CASES = [
    ("DB_PASSWORD", "SuperSecret123!", "secret"),
    ("API_KEY", "sk-live-abc123xyz", "secret"),
    ("spring.datasource.password", "p@ss w0rd", "secret"),
    ("apiKey", "abc123", "secret"),
    ("APIKey", "abc123", "secret"),
    ("PGPASSWORD", "tr0ub4dor", "secret"),
    ("clientSecret", "9s8d7f6g", "secret"),
    ("SESSION_KEY", "f3b1c2d4e5f60718293a4b5c6d7e8f90", "secret"),
    ("client_secret_id", "7a6b5c4d-1111-2222-3333-444455556666", "secret"),
    ("GITHUB_TOKEN_2", "abcdefgh", "secret"),
    ("AWS_SECRET_ACCESS_KEY", "/wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzKEY", "secret"),
    ("PASSWORD", "${DB_PASS:-hunter2}", "secret"),
    ("DB_PASSWORD", "redis-cart:6379", "secret"),
    ("connectionString", "redis-cart:6379,password=hunter22", "secret"),
    # By the form of the value, whatever the key is.
    ("DATABASE_URL", "postgres://user:hunter2hunter@db:5432/app", "secret"),
    ("CALLBACK", "https://example.org/hook?access_token=abc123def", "secret"),
    ("MYSQL", "root:hunter2@tcp(mysql:3306)/app", "secret"),
    ("anything", AKID, "secret"),
    ("anything", GITHUB, "secret"),
    ("anything", JWT, "secret"),
    ("anything", PEM, "secret"),
    ("anything", "AIza" + "SyA1234567890abcdefghijklmnopqrstuv", "secret"),
    ("anything", "glpat-" + "abcdefghij0123456789", "secret"),
    ("anything", "xoxb-" + "123456789012-abcdef", "secret"),
    ("anything", "sk_live_" + "abcdefgh12345678", "secret"),
    ("anything", '{"type": "service_account", "project_id": "x"}', "secret"),
    ("anything", "Server=db;User=sa;Password=hunter22;", "secret"),
    ("anything", "DefaultEndpointsProtocol=https;AccountKey=" + "Ab1" * 20 + "==;", "secret"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T00000000/B00000000/" + "x1" * 12, "secret"),
    # Guessable.
    ("REDIS_PASSWORD", "redis", "weak-secret"),
    ("MINIO_SECRET_KEY", "minio123", "weak-secret"),
    ("MYSQL_PASSWORD", "123456", "weak-secret"),
    # Perhaps.
    ("token", "$slack-token", "suspect"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "suspect"),
    ("SENTRY_DSN", "f3b1c2d4e5f60718293a4b5c6d7e8f90", "suspect"),
    ("application.yaml", "server:\n  port: 80\nspring:\n  password: hunter22\n", "suspect"),
    ("JAVA_OPTS", "-Xmx1g -Ddb.password=hunter22", "suspect"),
    ("DB_PASSWORD", "correct-horse\n2073\n", "suspect"),
    # Stand-ins.
    ("password", "changeme", "placeholder"),
    ("PASSWORD", "${DB_PASS}", "placeholder"),
    ("PASSWORD", "$(DB_PASS)", "placeholder"),
    ("PASSWORD", "{{ .Values.pw }}", "placeholder"),
    ("PASSWORD", "vault:secret/data/app#password", "placeholder"),
    ("PASSWORD", "ref+vault://secret/app#/pw", "placeholder"),
    ("PASSWORD", "<path:secret/data/app#pw>", "placeholder"),
    ("PASSWORD", "ENC[AES256_GCM,data:abc]", "placeholder"),
    ("MYSQL_ROOT_PASSWORD", "yourpassword", "placeholder"),
    ("GOOGLE_API_KEY", "GOOGLE_API_KEY_VAL", "placeholder"),
    ("TOKEN", "", "placeholder"),
    ("TOKEN", None, "placeholder"),
    ("automountServiceAccountToken", False, "placeholder"),
    ("PASSWORD", "\u2039redacted#3\u203a", "placeholder"),
]

# Names, paths, numbers, digests: everything that only looks like a secret.
LOOK_ALIKES: list[tuple[str, object]] = [
    ("PASSWORD_FILE", "/etc/secrets/pw"),
    ("TOKEN_TTL", "3600"),
    ("SECRET_NAME", "my-secret"),
    ("secretName", "my-secret"),
    ("tokenPath", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    ("PUBLIC_KEY", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
    ("DATABASE_URL", "postgres://user:$(DB_PASS)@db:5432/app"),
    ("DATABASE_URL", "postgres://db:5432/app"),
    ("URL", "https://example.org:8443/@scope/package"),
    ("GIT_SHA", "9fceb02d0ae598e95dc970b74767f19372d61af8"),
    ("IMAGE", "myapp@sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"),
    ("LOG_LEVEL", "info"),
    ("AUTH_ENABLED", "true"),
    ("KAFKA_KEY_SERIALIZER", "org.apache.kafka.common.serialization.StringSerializer"),
    ("COMPRESSION_TOKENIZER", "standard"),
    ("MAX_TOKENS", "4096"),
    ("PASSWORD_MIN_LENGTH", 12),
    ("secretKeyRef", "x"),
    ("KEYCLOAK_REALM", "main"),
    ("PASSTHROUGH", "true"),
    ("COMPASS_URL", "http://x"),
    ("monkey", "banana"),
    ("cache-key", "user-profile-by-account-name"),
    ("config", "risk-sk-learning-models-for-everyone"),
    ("password", {"secretKeyRef": {"name": "x"}}),
    ("nginx.conf", "server {\n  listen 8080;\n  # password: hunter22\n}\n"),
    ("run.sh", 'set -e\nTOKEN=$(cat /var/run/token)\nPASSWORD="$1"\nexport API_KEY=${KEY}\n'),
    ("app.py", 'password = os.environ["PASSWORD"]\ntoken = read_token(path)\n'),
    ("connectionString", "redis-cart:6379"),
    ("SPANNER_CONNECTION_STRING", "projects/PROJECT/instances/INSTANCE/databases/carts"),
]


@pytest.mark.parametrize(("key", "value", "expected"), CASES)
def test_classes(key: str, value: object, expected: str) -> None:
    assert classify(key, value)[0] == expected


@pytest.mark.parametrize(("key", "value"), LOOK_ALIKES)
def test_look_alikes(key: str, value: object) -> None:
    assert classify(key, value)[0] is SecretClass.NO


def test_why_names_the_rule_and_never_the_value() -> None:
    for key, value, expected in CASES:
        why = classify(key, value)[1]
        assert why or expected == "no"
        assert not value or str(value) not in why


@pytest.mark.parametrize(
    ("key", "strength"),
    [
        ("dbPassword", 2),
        ("api_key", 2),
        ("secret-id", 2),
        ("key", 1),
        ("dsn", 1),
        ("password_hash", 0),
        ("", 0),
        ("7", 0),
    ],
)
def test_key_strength(key: str, strength: int) -> None:
    assert key_strength(key) == strength


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pod(**container: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}


C = ("spec", "containers", 0)
LAST = "kubectl.kubernetes.io/last-applied-configuration"
INNER = json.dumps(pod(env=[{"name": "PASSWORD", "value": "hunter22"}]))
PLACES: list[tuple[str, Any, list[tuple[tuple[str | int, ...], str]]]] = [
    ("env", pod(env=[{"name": "PASSWORD", "value": "hunter22"}]), [((*C, "env", 0, "value"), "hunter22")]),
    ("weak env", pod(env=[{"name": "PASSWORD", "value": "admin"}]), [((*C, "env", 0, "value"), "admin")]),
    ("flag", pod(args=["--password=hunter22", "-v"]), [((*C, "args", 0), "--password=hunter22")]),
    ("two words", pod(args=["serve", "--token", "hunter22"]), [((*C, "args", 2), "hunter22")]),
    ("shell", pod(command=["sh", "-c", "PASSWORD=hunter22 ./run"]), [((*C, "command", 2), "PASSWORD=hunter22 ./run")]),
    ("mysql -p", pod(command=["mysql", "-uroot", "-phunter22"]), [((*C, "command", 2), "-phunter22")]),
    ("curl -u", pod(args=["sh", "-c", "curl -u me:hunter22 x"]), [((*C, "args", 2), "curl -u me:hunter22 x")]),
    ("url", pod(args=["redis://u:hunter22@r:6379"]), [((*C, "args", 0), "redis://u:hunter22@r:6379")]),
    (
        "Secret, whatever the class",
        {"kind": "Secret", "data": {"user": b64("admin")}, "stringData": {"x": "1"}},
        [(("data", "user"), b64("admin")), (("stringData", "x"), "1")],
    ),
    (
        "ConfigMap",
        {"kind": "ConfigMap", "data": {"PASSWORD": "hunter22", "n": "1"}},
        [(("data", "PASSWORD"), "hunter22")],
    ),
    (
        "file",
        {"kind": "ConfigMap", "data": {"f": "a: 1\npassword: hunter22\n"}},
        [(("data", "f"), "a: 1\npassword: hunter22\n")],
    ),
    (
        "binaryData",
        {"kind": "ConfigMap", "binaryData": {"password": b64("hunter22")}},
        [(("binaryData", "password"), b64("hunter22"))],
    ),
    (
        "List",
        {"kind": "List", "items": [{"kind": "Secret", "data": {"a": b64("x")}}]},
        [(("items", 0, "data", "a"), b64("x"))],
    ),
    ("list of documents", [{"kind": "Secret", "stringData": {"a": "b"}}], [((0, "stringData", "a"), "b")]),
    ("last applied", {"metadata": {"annotations": {LAST: INNER}}}, [(("metadata", "annotations", LAST), INNER)]),
    ("secretGenerator", {"secretGenerator": [{"literals": ["a=b"]}]}, [(("secretGenerator", 0, "literals", 0), "a=b")]),
    (
        "configMapGenerator",
        {"configMapGenerator": [{"literals": ["LEVEL=info", "PASSWORD=hunter22"]}]},
        [(("configMapGenerator", 0, "literals", 1), "PASSWORD=hunter22")],
    ),
    ("custom resource", {"spec": {"db": {"password": "hunter22"}}}, [(("spec", "db", "password"), "hunter22")]),
    ("value below a key", {"spec": {"password": {"value": "hunter22"}}}, [(("spec", "password", "value"), "hunter22")]),
    ("encryption", {"keys": [{"name": "k", "secret": b64("0" * 32)}]}, [(("keys", 0, "secret"), b64("0" * 32))]),
]


@pytest.mark.parametrize(("document", "expected"), [place[1:] for place in PLACES], ids=[place[0] for place in PLACES])
def test_places(document: Any, expected: list[tuple[tuple[str | int, ...], str]]) -> None:
    assert list(secret_spans(document)) == expected
    text = yaml.safe_dump(document)
    assert may_hold_secret(text) or any(structured(text))


READABLE: list[Any] = [
    {"spec": {"volumes": [{"name": "v", "secret": {"secretName": "my-secret"}}]}},
    {"spec": {"imagePullSecrets": [{"name": "regcred"}], "automountServiceAccountToken": False}},
    {
        "imagePullSecrets": ["regcred"],
        "existingSecret": "release-db",
        "secretKeys": {"adminPasswordKey": "postgres-password"},
    },
    {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}}]},
    pod(env=[{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]),
    pod(env=[{"name": "TOKEN_TTL", "value": "3600"}, {"name": "PASSWORD", "value": "$(FROM_SECRET)"}]),
    pod(args=["--token-file", "/etc/token", "--password=$(PASSWORD)", "--secret-name=tls", "--token", "--verbose"]),
    pod(command=["sh", "-c", "mysql -u root -p$MYSQL_PASSWORD < /init.sql"]),
    {
        "rules": [
            {"resources": ["secrets", "serviceaccounts/token"], "resourceNames": ["db-password"], "verbs": ["get"]}
        ]
    },
    {"spec": {"data": [{"secretKey": "password", "remoteRef": {"key": "default/app", "property": "password"}}]}},
    {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/auth-secret": "basic-auth"}}},
    {
        "spec": {
            "tls": [{"secretName": "tls-cert"}],
            "credentials": "gcs-credentials",
            "authSecret": "team/registry-auth",
        }
    },
    {"properties": {"password": {"type": "string", "description": "the password: a string\nwith token: foo"}}},
    {"kind": "SealedSecret", "spec": {"encryptedData": {"password": "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq"}}},
]


@pytest.mark.parametrize("document", READABLE)
def test_names_and_references_are_no_secrets(document: Any) -> None:
    assert list(secret_spans(document)) == []


def test_parts_are_what_is_secret_in_a_value() -> None:
    def parts(document: Any) -> list[tuple[str, ...]]:
        return [found.parts for found in found_secrets(document)]

    assert parts(pod(args=["--password=hunter22"])) == [("hunter22",)]
    assert parts({"kind": "ConfigMap", "data": {"f": "a: 1\npassword: hunter22\n"}}) == [("hunter22",)]
    assert parts({"kind": "Secret", "data": {"p": b64("hunter22")}}) == [("hunter22", b64("hunter22"))]
    assert parts({"metadata": {"annotations": {LAST: INNER}}}) == [("hunter22",)]
    [[whole, password]] = parts(pod(env=[{"name": "U", "value": "redis://u:hunter22@r"}]))
    assert (whole, password) == ("redis://u:hunter22@r", "hunter22")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: hunter22\n", "hunter22"),
        ('{"a": {"apiKey":"hunter22"}, "b": 1}', "hunter22"),
        ('x: "{\\"apiKey\\": \\"hunter22\\"}"', "hunter22"),
        ("[db]\npassword = correct horse battery\n", "correct horse battery"),
        ("export DB_PASSWORD='hunter 22' && run", "hunter 22"),
        ("<password>hunter22</password>", "hunter22"),
        ("- name: DB_PASSWORD\n  value: hunter22\n", "hunter22"),
        ("- value: hunter22\n  name: DB_PASSWORD\n", "hunter22"),
        ("- {name: DB_PASSWORD, value: hunter22}\n", "hunter22"),
        ("password: |\n  hunter22\n  more\nother: 1\n", "hunter22\nmore"),
        ("password:\n  hunter22\n", "hunter22"),
        ("run --token hunter22 --verbose", "hunter22"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    ],
)
def test_text(text: str, secret: str) -> None:
    assert secret in list(text_secrets(text))


@pytest.mark.parametrize(
    ("command", "secrets"),
    [
        ("docker login -u ci-pipeline -p Kx82hQ registry.example.com", ["Kx82hQ"]),
        ("docker login -uci-pipeline -pKx82hQ registry.example.com", ["Kx82hQ"]),
        ("docker login -u ci-pipeline --password-stdin registry.example.com", []),
        ("docker login registry.my-p-shop.example.com", []),
        ("echo Kx82hQ | docker login -u shop --password-stdin", ["Kx82hQ"]),
        ("printf '%s' Kx82hQ | helm registry login example.com -u shop --password-stdin", ["Kx82hQ"]),
        ("echo login-is-ready | helm version", []),
        ("echo v1 | helm template login .", []),
        ("oc login https://my-cluster-p.example.com:6443", []),
        ("az login --service-principal -u app -p Kx82hQ --tenant shop", ["Kx82hQ"]),
        ("az login --service-principal --identity", []),
        ("mongod -port 27017", []),
        ("mongosh -u shop -pKx82hQ db", ["Kx82hQ"]),
        ("mysqld -port 3306", []),
        ("mysql -h db -ushop -pKx82hQ -e x", ["Kx82hQ"]),
        ("htpasswd -bc users shop Kx82hQ > out", ["Kx82hQ"]),
        ("x=$(htpasswd -nbBC 10 shop Kx82hQ)", ["Kx82hQ"]),
        ("htpasswd -c -b /etc/users shop 'Kx82hQ' && nginx", ["Kx82hQ"]),
        ("htpasswd -c users shop", []),
    ],
)
def test_command_lines(command: str, secrets: list[str]) -> None:
    assert list(command_secrets(command, lambda key, value: False)) == secrets


@pytest.mark.parametrize(
    "text",
    [
        '"auth": "kubernetes"',
        '"auth": "basicauth"',
        '"auth": "password123"',
        "authorization: enabled-v1beta1",
        "authorization: rbac.authorization.k8s.io/v1",
        "Authorization: RBAC-and-Node-v1",
        "authorization: node1.example.com",
        "authorization: my-service-account-1",
        "authorization=policy-engine-2",
    ],
)
def test_words_behind_auth_are_no_tokens(text: str) -> None:
    assert list(structured(text)) == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('"auth": "c2hvcDpLeDgyaFEwem1WdDkx"', "c2hvcDpLeDgyaFEwem1WdDkx"),
        ("Authorization: token abcdef0123456789ab", "abcdef0123456789ab"),
        ("Authorization: token Kx82hQ0zmVt91ab", "Kx82hQ0zmVt91ab"),
        ("Authorization: 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDE", "dXNlcjpwYXNzd29yZDE"),
    ],
)
def test_tokens_behind_auth(text: str, secret: str) -> None:
    assert secret in [text[start:end] for _, start, end in structured(text)]


def test_comments_are_read_on_demand() -> None:
    assert list(text_secrets("# password: hunter22\n")) == []
    assert list(text_secrets("# password: hunter22\n", comments=True)) == ["hunter22"]


def test_base64() -> None:
    assert decoded(b64("grün")) == "grün"
    assert decoded("aHVu\ndGVy") == "hunter"
    assert decoded("no base64!") is None
    assert decoded(base64.b64encode(b"\xff\xfe").decode()) is None


def test_long_words_are_no_base64() -> None:
    words = "terminationGracePeriodSeconds registry.example.com/team/orders-service kubernetes/kubernetes/pkg/apis"
    assert not has_encoded(f"{words} requiredDuringSchedulingIgnoredDuringExecution {'9fceb02d' * 5}")
    assert has_encoded(f"{words} {b64('shop:correct-horse')} x")
    assert has_encoded(f'{{"a":"{b64("shop:correct-horse")}"}}')


def test_an_escape_may_hide_where_a_token_begins() -> None:
    assert may_hold_secret(f'data: {{a: "b\\n{AKID}"}}')
    assert not may_hold_secret("data: {a: b}")


def test_documents_without_a_secret_are_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = yaml.safe_dump_all(pod(name=f"web-{n}", image=f"registry.example.com/team/orders-{n}") for n in range(20))
    walked: list[object] = []
    monkeypatch.setattr(Redactor, "learn_document", lambda redactor, document: walked.append(document))
    run.learn(Tree.from_text(text), Redactor())
    assert walked == []
    run.learn(
        Tree.from_text(f"{text}---\n{yaml.safe_dump(pod(image='a', args=[b64('shop:correct-horse')]))}"), Redactor()
    )
    assert len(walked) == 1


@given(st.sampled_from(["http://", "https://"]), st.from_regex(r"[a-z0-9$<>{}\[\]*./:_-]{0,12}", fullmatch=True))
def test_a_web_address_is_no_stand_in(scheme: str, rest: str) -> None:
    """It is not even compared with the pattern, which has no form that begins so."""
    assert secret_words.compiled(secret_words._PLACEHOLDER).fullmatch(scheme + rest) is None
    assert not secret_words.is_placeholder(scheme + rest)


def test_cycles_and_shared_nodes_end() -> None:
    loop: dict[str, Any] = {"password": "hunter22"}
    loop["self"] = loop
    loop["list"] = [loop, [loop]]
    assert ("password",) in [path for path, _ in secret_spans(loop)]
    node: Any = {"password": "hunter22"}
    for _ in range(60):
        node = [node, node]
    assert len(list(secret_spans(node))) == 1
    deep: Any = "x"
    for _ in range(10_000):
        deep = {"a": deep}
    assert list(secret_spans(deep)) == []


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates()
KEYS = st.sampled_from(
    [*"kind data stringData env name value args command literals secretGenerator password token items".split(), LAST]
)
TREES = st.recursive(
    SCALARS | st.sampled_from(["Secret", "ConfigMap", "List", "{"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | SCALARS.filter(lambda k: k == k), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(TREES)
def test_any_shape_is_walked(tree: Any) -> None:
    for path, value in secret_spans(tree):
        assert isinstance(path, tuple)
        assert value


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a.-" * 30_000,
        "://a:" * 20_000,
        "-----BEGIN PRIVATE KEY-----\n" * 4_000,
        "eyJ" * 30_000,
        "password" * 12_000,
        'password="' * 5_000,
        "password: '" * 5_000,
        "mysql " * 20_000,
        "curl -u " * 12_000,
        "Bearer " + "a" * 100_000,
        "sk-" * 30_000,
        "--token " * 12_000,
        "<password>" * 10_000,
        "a:" * 50_000,
        "password:\n" * 10_000,
        "key=value&" * 6_000,
        "x\\" * 50_000,
        " " * 100_000 + "password",
    ],
)
def test_no_text_fails_or_hangs(text: str) -> None:
    for key in ("password", "file"):
        classify(key, text)
    list(text_secrets(text, comments=True))
    list(secret_spans({"kind": "ConfigMap", "data": {"a": text, "password": text}, "args": [text, text]}))


@pytest.mark.slow
def test_corpus() -> None:
    """Real manifests: what is found was read by eye and is right. Numbers go to the terminal with ``-s``."""
    corpus = shared("corpus")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    count: Counter[str] = Counter()
    unique: set[tuple[str, str]] = set()
    for file in sorted(corpus.rglob("*.yaml")):
        try:
            documents = list(yaml.load_all(file.read_text(), loader))
        except (yaml.YAMLError, ValueError):
            count["files that do not load"] += 1
            continue
        for key, value in (pair for document in documents for pair in pairs(document)):
            verdict = classify(key, value)[0]
            count[verdict] += 1
            if verdict in (SecretClass.SECRET, SecretClass.WEAK, SecretClass.SUSPECT):
                unique.add((key, str(value)))
    print(dict(count), len(unique))
    assert {key for key, _ in unique} == {
        "ACCESS_KEY",
        "MINIO_ACCESS_KEY",
        "MINIO_SECRET_KEY",
        "MYSQL_PASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "WSREP_SST_PASSWORD",
    }


def pairs(node: Any) -> list[tuple[str, Any]]:
    """Every ConfigMap entry and every name with a value below ``node``."""
    if isinstance(node, list):
        return [pair for item in node for pair in pairs(item)]
    if not isinstance(node, dict):
        return []
    found = [pair for item in node.values() for pair in pairs(item)]
    if node.get("kind") == "ConfigMap" and isinstance(node.get("data"), dict):
        found += node["data"].items()
    if isinstance(node.get("name"), str) and isinstance(node.get("value"), str):
        found.append((node["name"], node["value"]))
    return found
