"""ExternalSecrets and SealedSecrets, held against what their APIs take."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml as pyyaml

from hardener.kubernetes.secrets import external_secret, sealed_secret
from hardener.kubernetes.secrets.secret_files import file_variable

GOLDEN = Path(__file__).parents[2] / "golden"


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
    }  # fmt: skip


def one_of(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


TEXT: dict[str, Any] = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
NAME = {
    "type": "string",
    "maxLength": 253,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
}
KEY = {"type": "string", "maxLength": 253, "minLength": 1, "pattern": "^[-._a-zA-Z0-9]+$"}
STORE = closed({"kind": one_of("SecretStore", "ClusterSecretStore"), "name": NAME})
# spec of externalsecrets.external-secrets.io, version v1, as its CRD has it (dataFrom, templateFrom left out).
EXTERNAL_SECRET = closed({
    "refreshInterval": TEXT,
    "refreshPolicy": one_of("CreatedOnce", "Periodic", "OnChange"),
    "secretStoreRef": STORE,
    "target": closed({
        "name": NAME,
        "creationPolicy": one_of("Owner", "Orphan", "Merge", "None"),
        "deletionPolicy": one_of("Delete", "Merge", "Retain"),
        "immutable": {"type": "boolean"},
        "template": closed({
            "type": TEXT, "engineVersion": one_of("v2"), "mergePolicy": one_of("Replace", "Merge"), "data": TEXTS,
            "metadata": closed({"annotations": TEXTS, "labels": TEXTS, "finalizers": {"type": "array"}}),
        }),
    }),
    "data": {"type": "array", "items": closed({
        "secretKey": KEY,
        "remoteRef": closed({
            "key": TEXT, "property": TEXT, "version": TEXT,
            "conversionStrategy": one_of("Default", "Unicode"),
            "decodingStrategy": one_of("Auto", "Base64", "Base64URL", "None"),
            "metadataPolicy": one_of("None", "Fetch"),
        }, "key"),
    }, "secretKey", "remoteRef")},
})  # fmt: skip


def written() -> Iterator[Any]:
    """The ExternalSecrets of the golden cases, without those that were there before, in another version."""
    for path in sorted(GOLDEN.glob("**/after/**/*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "ExternalSecret" in text and "{{" not in text:
            for document in pyyaml.safe_load_all(text):
                if not isinstance(document, dict) or document.get("kind") != "ExternalSecret":
                    continue
                if document["apiVersion"] == external_secret.API:
                    yield pytest.param(document, id=f"{path.relative_to(GOLDEN)} {document['metadata']['name']}")


@pytest.mark.parametrize("document", [*written()])
def test_what_is_written_is_what_the_api_takes(document: dict[str, Any]) -> None:
    assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
    jsonschema.validate(document["spec"], EXTERNAL_SECRET)


@pytest.mark.parametrize(
    ("template", "provider", "key"),
    [
        ("{ns}/{name}", "vault", "shop/app-config"),
        ("{ns}/{name}", "", "shop/app-config"),
        ("{ns}/{name}", "aws", "shop/app-config"),
        ("{ns}/{name}", "gcp", "shop-app-config"),
        ("{ns}/{name}", "azure", "shop-app-config"),
        ("team/{name}", "vault", "team/app-config"),
    ],
)
def test_a_store_gets_a_name_that_it_takes(template: str, provider: str, key: str) -> None:
    assert external_secret.remote_key(template, "shop", "app-config", provider) == key


@pytest.mark.parametrize(
    ("image", "name", "variable"),
    [
        ("docker.io/library/postgres", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE"),
        ("docker.io/library/postgres", "PGPASSWORD", None),
        ("docker.io/grafana/grafana-oss", "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_PASSWORD__FILE"),
        ("registry.example.com/library/postgres", "POSTGRES_PASSWORD", None),
        ("docker.io/bitnami/redis-cluster", "REDIS_PASSWORD", "REDIS_PASSWORD_FILE"),
        (None, "POSTGRES_PASSWORD", None),
    ],
)
def test_which_images_read_a_file(image: str | None, name: str, variable: str | None) -> None:
    assert file_variable(image, name) == variable


def certificate() -> tuple[Any, bytes]:
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([])
    day = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made.public_bytes(serialization.Encoding.PEM)


def test_the_controller_reads_what_is_sealed_for_it() -> None:
    key, pem = certificate()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = base64.b64decode(sealed_secret.seal(pem, "shop", "app", b"Tr0ub4dor"))
    length = int.from_bytes(raw[:2], "big")
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"shop/app")
    session = key.decrypt(raw[2 : 2 + length], scheme)
    assert AESGCM(session).decrypt(bytes(12), raw[2 + length :], None) == b"Tr0ub4dor"


def test_what_is_no_certificate_is_said_so() -> None:
    pytest.importorskip("cryptography")
    with pytest.raises(sealed_secret.SealingError, match="no PEM certificate"):
        sealed_secret.seal(b"", "shop", "app", b"")


def test_sealing_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography", None)
    with pytest.raises(sealed_secret.SealingError, match=r"pip install cryptography"):
        sealed_secret.seal(b"", "shop", "app", b"")
