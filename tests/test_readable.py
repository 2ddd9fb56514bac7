"""What is no secret stays readable: words, names, hashes, addresses; also where a Secret holds one of them."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import yaml

from hardener.commands import run
from hardener.report import formats
from hardener.report.redactor import Redactor
from hardener.report.redactor import own_words as redactor_words

from . import own_words
from .conftest import Harden, commit, write


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# One of each line; what a reader of manifests sees every day, and what looks most like a secret without being one.
ORDINARY = [
    line
    for group in (
        # words and names
        """
        orders orders-db accounts-db payment-gateway user-profile-service cart cart-redis checkout-7d9f8c6b5d-x2x9k
        frontend-external kube-system cert-manager ingress-nginx argocd-application-controller prometheus-operator
        my-release-postgresql-0 elasticsearch-master-headless web-networkpolicy password-reset-service token-refresher
        secret-store-csi-driver basic-auth-proxy api-key-rotator apikeys tokenizer monkey keyboard passenger compass
        secrets-store.csi.x-k8s.io authentication.istio.io keyspace access-log-exporter credentials-operator
        task-sk-learning-models-for-everyone-else disk-usage-by-namespace-exporter risk-scoring-service-for-lending
        StringSerializer topologySpreadConstraints allowPrivilegeEscalation automountServiceAccountToken
        terminationGracePeriodSeconds requiredDuringSchedulingIgnoredDuringExecution imagePullSecrets
        persistentVolumeClaimRetentionPolicy MutatingAdmissionConfiguration SHARED_PRELOAD_LIBRARIES
        ENABLE_PASSWORD_GRANT MAX_TOKENS_PER_REQUEST TOKEN_TTL PASSWORD_MIN_LENGTH KEY_ROTATION_INTERVAL
        blue-green canary stateful-set leader-election finalizer sidecar-injector webhook-server validating-hook
        SKIP_VERIFY SK_LEARN APIVERSION SKU-0042 key-file key-value-store key-2024-01 us-east-1 eu-us1-peering
        """,
        # digests and sums
        """
        sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a
        sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d28
        docker.io/library/nginx@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53c9b31
        9fceb02d0ae598e95dc970b74767f19372d61af8 9fceb02 d41d8cd98f00b204e9800998ecf8427e
        da39a3ee5e6b4b0d3255bfef95601890afd80709 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= h1:7YyMwZPXe5qV8kUwE2Z2pYjWYGDhS8pYLSVjYmL9qXo=
        crc32c:yZRlqg== etag:"33a64df551425fcc55e4d42a148795d9f25f89d4" 3.14159265358979
        """,
        # identifiers
        """
        123e4567-e89b-12d3-a456-426614174000 f81d4fae-7dec-11d0-a765-00a0c91e6bf6 6ba7b810-9dad-11d1-80b4-00c04fd430c8
        arn:aws:iam::123456789012:role/eks-orders arn:aws:s3:::orders-archive/2024
        arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/db-AbCdEf
        arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
        projects/shop-prod/secrets/db-password/versions/3 serviceAccount:orders@shop-prod.iam.gserviceaccount.com
        /subscriptions/123e4567-e89b-12d3-a456-426614174000/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/kv
        vpc-0a1b2c3d4e5f67890 subnet-0bb1c79de3EXAMPLE i-1234567890abcdef0 sg-903004f8
        eipalloc-64d5890a ami-0abcdef1234567890
        01ARZ3NDEKTSV4RRFFQ69G5FAV 507f1f77bcf86cd799439011 V1StGXR8_Z5jdHi6B-myT ACME-2024-000123 CVE-2024-21626
        DE89370400440532013000 +49-30-901820 1234567890 0x5f3759df 1700000000 2024-05-01T12:00:00Z 20240501120000
        """,
        # versions, images, quantities
        """
        v1.29.4-eks-036c24b 1.2.3-rc.1+build.5 2024.05.1-alpine3.19 16-bookworm latest stable-20240501 3.19
        registry.example.com/team/orders-api:1.4.2-3f9c2ab ghcr.io/example/app:sha-9fceb02
        quay.io/argoproj/argocd:v2.11.0
        eu.gcr.io/shop-prod/checkout@sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a
        123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:42 100m 512Mi 1Gi 0.5 65532 30s 5m0s 1e3 0644
        """,
        # hosts, addresses, paths
        """
        db.example.com orders-db.shop.svc.cluster.local redis-master:6379 10.0.0.0/8 2001:db8::1 fe80::1%eth0 [::1]:8080
        https://example.org/docs?page=2&sort=asc https://example.org:8443/@scope/package
        https://hooks.example.com/deploy postgres://db:5432/orders postgres://$(USER):$(PASSWORD)@db/orders
        jdbc:postgresql://db:5432/orders jdbc:oracle:thin:@db:1521/orders mongodb://mongo-0.mongo,mongo-1.mongo/orders
        amqp://rabbitmq:5672/vhost git@github.com:example/shop.git ssh://git@github.com/example/shop.git
        https://sts.eu-west-1.amazonaws.com https://login.microsoftonline.com/common/oauth2/v2.0/token
        /var/run/secrets/kubernetes.io/serviceaccount/token /etc/ssl/certs/ca-certificates.crt ./config/app.yaml
        /run/secrets/db-password ~/.docker/config.json C:\\ProgramData\\docker ops@example.com o=Example,ou=People
        """,
        # values and syntax
        """
        $(PASSWORD) ${DB_PASSWORD} ${TOKEN:-} {{.Values.password}} $PGPASSWORD %APPDATA%
        change-me CHANGEME <token> xxxxxxxx
        --token-file=/var/run/token --tls-private-key-file=/etc/tls/tls.key --secret-name=tls-cert --auth-mode=none
        --authorization-mode=Node,RBAC --v=2 -p8080:80 --port=8443 key=value a=b&c=d env=production level=info
        ssh-ed25519 system:serviceaccount:shop:orders system:masters oidc:developers cn=admin
        0 true false null yes 443 0777 1:2:3 a:b sk-SK en_US.UTF-8 Europe/Berlin text/html;charset=utf-8
        """,
        # base64 of what is none
        " ".join(
            _b64(text)
            for text in (
                "hello world, this is ordinary text", "server:\n  port: 8080\n  level: info\n", '{"a": 1, "b": [2, 3]}',
                "orders-db.shop.svc.cluster.local", "The quick brown fox jumps over the lazy dog",
            )
        ),
    )
    for line in group.split()
]  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(set(ORDINARY)) == len(ORDINARY) >= 200


def test_ordinary_words_are_never_masked() -> None:
    redactor = Redactor()
    config = {f"setting-{n}": word for n, word in enumerate(ORDINARY)}
    documents = [
        {"kind": "ConfigMap", "metadata": {"name": "c", "annotations": config}, "data": config},
        {"kind": "Pod", "spec": {"containers": [{"name": "c", "args": ORDINARY, "env": _env()}]}},
    ]
    for document in documents:
        redactor.learn_document(document)
        redactor.learn_comments("".join(f"# see {word}\n" for word in ORDINARY))
    assert [word for word in ORDINARY if redactor.masks(f"it is {word} here")] == []
    for text in (yaml.safe_dump_all(documents, width=1000), json.dumps(documents)):
        assert redactor.text(text) == text


def _env() -> list[dict[str, str]]:
    return [{"name": f"SETTING_{number}", "value": word} for number, word in enumerate(ORDINARY)]


# -- what is a name elsewhere, in a Secret

_KEYS = ("POSTGRES_DB", "database", "MYSQL_USER", "username", "REDIS_HOST", "endpoint", "queue", "realm", "whatever")


@pytest.mark.parametrize("key", _KEYS)
def test_the_name_of_an_object_or_file_is_not_masked_since_a_secret_holds_it(
    key: str, harden: Harden, tmp_path: Path
) -> None:
    password = "Kx" + "82hQ0zmVt91"
    text = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: store}}
stringData:
  {key}: wares-store
  PASSWORD: {password}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: wares-store}}
spec:
  selector: {{matchLabels: {{app: wares-store}}}}
  template:
    metadata: {{labels: {{app: wares-store}}}}
    spec:
      containers:
      - name: wares-store
        image: registry.example.com/wares-store:1
        envFrom: [{{secretRef: {{name: store}}}}]
"""
    write(tmp_path, {"wares-store.yaml": text})
    commit(tmp_path)
    for arguments in (["-v"], ["--format", "json"], ["--format", "patch"], ["--format", "sarif"]):
        done = harden("diff", ".", *arguments, cwd=tmp_path)
        assert "wares-store.yaml" in done.all and "registry.example.com/wares-store:1" in done.all, arguments
        assert "harden-\u2039" not in done.all and "\u2039.yaml" not in done.all and "not in the patch" not in done.err
        assert password not in done.all


# What a report says of itself, whole and in parts, as a Secret may hold it: names of files and of objects, ids and
# words of rules, fields of Kubernetes, keys of formats.
_OF_REPORTS = (
    "Deployment-shopfront.", "shopfront.", "/shopfront", "pfront.yaml", "harden-shopfront", "shops/prod", "Deployment/",
    "no-privilege-escalation", "privilege-escalation.", "allowPrivilegeEscalation", "escalation:", "RuntimeDefault",
    "spec.template.spec", "harden apply", "harden-networkpolicies.yaml", "restricted.", "severity", "rationale",
    "ruleIndex", "partialFingerprints", "OWASP Kubernetes", "process cannot raise itself above the privileges it",
    "Pod Security Standards: restricted", "K8s Top Ten 2025 K01", "Kubernetes Top Ten 2025 K01: Insecure Workload",
)  # fmt: skip


def _as_reported(folder: Path, values: tuple[str, ...], harden: Harden) -> dict[str, str]:
    """Every format of ``diff`` and ``check`` over a workload beside a Secret with ``values``."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: it}\nstringData:\n"
    secret += "".join(f"  e{number}: {json.dumps(value)}\n" for number, value in enumerate(values))
    write(folder, {"shops/prod/secret.yaml": secret, "shops/prod/Deployment-shopfront.yaml": _SHOP_FRONT})
    commit(folder)
    return {
        f"{command} --format {name}": harden(command, "shops", "--format", name, *more, cwd=folder).all
        for command, more in (("diff", ["-v"]), ("check", []))
        for name in formats.NAMES
    }


def _marks_of(text: str) -> list[str]:
    """The lines of ``text``, its marks without their numbers."""
    return re.sub("redacted#[0-9]+", "redacted", re.sub("[0-9a-f]{40}", "commit", text)).splitlines()


_SHOP_FRONT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shopfront.web}
spec:
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      containers:
      - {name: front, image: registry.example.com/front:1, securityContext: {allowPrivilegeEscalation: true}}
"""


def test_a_report_is_the_same_whatever_a_secret_holds(harden: Harden, tmp_path: Path) -> None:
    plain = _as_reported(tmp_path / "plain", tuple(f"Zq7{number:02}Planted8810" for number in range(25)), harden)
    told = _as_reported(tmp_path / "told", _OF_REPORTS, harden)
    assert len(_OF_REPORTS) == 25
    for name, text in told.items():
        assert "shops/prod/Deployment-shopfront.yaml" in text and "Planted" not in plain[name], name
        assert _marks_of(text.replace("/told/", "/plain/")) == _marks_of(plain[name]), name


def test_the_table_of_own_words_holds_nearly_all_that_rules_and_reports_say() -> None:
    found, table = own_words.words(), redactor_words()
    assert len(found - table) < len(found) / 10, "write it anew: the first lines of tests/own_words.py"


def test_a_word_that_is_a_secret_is_masked_as_a_word_only() -> None:
    redactor = Redactor()
    redactor.learn_document({"kind": "Secret", "stringData": {"pin": "walrus"}})
    assert "walrus" not in redactor.text("the word is walrus. mysql://u:walrus@db walrus, 'walrus'")
    text = "walrus-api my-walrus walruses walrus.example.com app.walrus"
    assert redactor.text(text) == text


def test_names_that_are_kept_do_not_hide_a_secret_of_their_own() -> None:
    redactor = Redactor()
    redactor.keep(["wares-store", "shop/wares-store.yaml"])
    redactor.learn_document({"kind": "Secret", "stringData": {"a": "wares-store", "password": "wares-store-9Kx2"}})
    assert redactor.text("shop/wares-store.yaml wares-store") == "shop/wares-store.yaml wares-store"
    assert "9Kx2" not in redactor.text("it was wares-store-9Kx2")


# -- what is a name to one and a password to another

_POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, tier: {label}}}}}
    spec:
      containers:
      - name: {container}
        image: registry.example.com/{image}/web:1
        command: [sh, -c, "while sleep 1; do login root {password}; done"]
        env: [{{name: DB_PASSWORD, value: {password}}}]
"""
_PASSWORDS = ("swordfish", "correct-horse", "Kx82hQ0zmVt91")


@pytest.mark.parametrize("password", _PASSWORDS)
@pytest.mark.parametrize("place", ["label", "container", "image"])
def test_a_password_is_masked_though_a_label_or_an_image_is_called_so(
    place: str, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"label": "back", "container": "web", "image": "shop", place: password}
    write(tmp_path, {"web.yaml": _POD.format(password=password, **names)})
    monkeypatch.chdir(tmp_path)
    tree, _ = run.read(["."], run.Choices(), lambda name: None)
    redactor = Redactor()
    run.learn(tree, redactor)
    assert password not in redactor.text(f"it is {password} or '{password}'")
    assert redactor.text("web.yaml web") == "web.yaml web"


def test_what_a_secret_holds_is_the_name_of_a_label_where_no_key_says_more() -> None:
    redactor = Redactor()
    redactor.keep(["web"], ["wares-store", "registry.example.com/shop-front/web"])
    held = {"kind": "Secret", "stringData": {"database": "wares-store", "x": "shop-front", "password": "Kx82hQ0zmVt91"}}
    redactor.learn_document(held)
    assert redactor.text("wares-store shop-front") == "wares-store shop-front"
    redactor.learn_document({"kind": "Secret", "stringData": {"password": "wares-store"}})
    assert "wares-store" not in redactor.text("it is wares-store")


@pytest.mark.parametrize("key", ["DB_PASSWORD_STAGE", "SECRET_TOKEN_QUEUE", "API_KEY_SITE", "ROOT_PASSWORD_DB"])
def test_a_key_that_names_a_secret_and_ends_in_a_place_holds_a_secret(key: str) -> None:
    redactor = Redactor()
    redactor.learn_document({"kind": "Secret", "stringData": {key: "correct-horse"}})
    assert "correct-horse" not in redactor.text("it is correct-horse")


def test_a_line_of_a_value_is_no_secret_where_it_is_a_name() -> None:
    redactor = Redactor()
    redactor.keep(["wares-store"], ["shop-front"])
    redactor.learn_document({"kind": "Secret", "stringData": {"list": "wares-store\nshop-front\nKx82hQ0zmVt91\n"}})
    assert redactor.text("wares-store shop-front") == "wares-store shop-front"
    assert "Kx82hQ0zmVt91" not in redactor.text("Kx82hQ0zmVt91")


def test_a_line_of_words_is_masked_as_a_word_only() -> None:
    redactor = Redactor()
    redactor.learn_document({"kind": "Secret", "stringData": {"list": "correct-horse\nKx82hQ0zmVt91\n"}})
    assert redactor.text("correct-horse-api my-correct-horse") == "correct-horse-api my-correct-horse"
    assert "correct-horse" not in redactor.text("it is correct-horse")


def test_the_reason_of_a_waiver_names_an_object(harden: Harden, tmp_path: Path) -> None:
    mark = "# harden: ignore[no-privilege-escalation] it has --token=web-store-7"
    text = _POD.format(password="$(PW)", label="back", container="web", image="shop").replace(
        "name: web}", "name: web-store-7}"
    )
    text = text.replace("        command:", f"        securityContext: {{}}  {mark}\n        command:")
    write(tmp_path, {"web.yaml": text})
    commit(tmp_path)
    done = harden("diff", ".", "-v", cwd=tmp_path)
    assert "--token=web-store-7" in done.all and "redacted" not in done.all
