"""Credentials in images: which variables, build arguments and files hold one, and that no value of them is kept."""

from __future__ import annotations

import hashlib

import pytest

from hardener.lock.oci.image import config_facts
from hardener.lock.oci.image_secrets import CREDENTIAL, PRIVATE_KEY, may_hold_secret, secret_arguments, secret_in
from hardener.lock.oci.layer import Layer, read
from hardener.lock.oci.limits import Limits, Spent

from . import oci_images as made
from .oci_images import File

PASSWORD = "vT9mQe2xLw7b"  # made up
KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def test_the_config_names_variables_and_arguments_that_hold_a_credential() -> None:
    said = {
        "config": {"Env": ["PATH=/bin", f"DB_PASSWORD={PASSWORD}", "DB_PASSWORD_FILE=/run/db", "TZ=UTC"]},
        "history": [
            {"created_by": f"RUN |2 VERSION=1.2 API_TOKEN={PASSWORD} /bin/sh -c make all # buildkit"},
            {"created_by": f"|1 OLD_SECRET={PASSWORD} with blanks /bin/sh -c true"},
            {"created_by": "ENV DB_PASSWORD_FILE=/run/db"}, {"empty_layer": True}, "odd",
        ],
    }  # fmt: skip
    facts = config_facts("r.example", said)
    assert facts["secretEnv"] == ["DB_PASSWORD"]
    assert facts["secretArgs"] == ["API_TOKEN", "OLD_SECRET"]
    assert PASSWORD not in str(facts)


def test_public_images_hold_none_in_their_variables() -> None:
    usual = [
        "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PYTHON_SHA256=09e0c5cf4f7f8a9a", "NODE_VERSION=22.1",
        "REDIS_DOWNLOAD_SHA=98066f5363504b26c34dd20fbcc3c957990d764cdf42576c836fc021073f4341", "LANG=C.UTF-8",
        "NGINX_GPGKEYS=573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62", "JAVA_HOME=/opt/java", "GOTOOLCHAIN=local",
    ]  # fmt: skip
    facts = config_facts(
        "r.example", {"config": {"Env": usual}, "history": [{"created_by": "RUN |1 TAG=3 /bin/sh -c id"}]}
    )
    assert not {"secretEnv", "secretArgs"} & facts.keys()
    assert secret_arguments(None) == secret_arguments([{}]) == []


@pytest.mark.parametrize(("path", "content", "what"), [
    ("root/.ssh/id_ed25519", KEY, PRIVATE_KEY),
    ("etc/app/tls.key", b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", PRIVATE_KEY),
    ("app/.env", f"DEBUG=0\nDB_PASSWORD={PASSWORD}\n".encode(), CREDENTIAL),
    ("root/.npmrc", b"//r.example/:_authToken=npm_abcdefghijklmnopqrstuvwxyz0123456789\n", CREDENTIAL),
    ("root/.netrc", f"machine r.example login me password {PASSWORD}\n".encode(), CREDENTIAL),
    ("root/.docker/config.json", b'{"auths":{"r.example":{"auth":"dXNlcjpwYXNzd29yZDEyMw=="}}}', CREDENTIAL),
    ("app/.env", b"PORT=8080\n", ""),
    ("etc/ssl/certs/ca.pem", b"-----BEGIN CERTIFICATE-----\nMIIE\n", ""),
])  # fmt: skip
def test_files_of_credentials_are_looked_into(path: str, content: bytes, what: str) -> None:
    assert may_hold_secret(path)
    assert secret_in(path, content) == what


@pytest.mark.parametrize("path", [
    "app/.env.example", "usr/lib/python3/test/keycert.pem", "usr/share/doc/openssl/key.pem", "app/README.md",
    "etc/ssl/private/ssl-cert-snakeoil.key", "home/app/config.json",
])  # fmt: skip
def test_examples_and_other_files_are_not(path: str) -> None:
    assert not may_hold_secret(path)


def _layer(*files: File) -> Layer:
    body = made.tar(*files)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return read([body], digest, Limits(), Spent(), lambda size: None)


def test_a_layer_keeps_paths_and_no_values() -> None:
    found = _layer(
        File("app/.env", f"DB_PASSWORD={PASSWORD}\n".encode()),
        File("root/.ssh/id_rsa", KEY),
        File("app/run", b"#!/bin/sh"),
    )
    assert found.secrets == [("app/.env", CREDENTIAL), ("root/.ssh/id_rsa", PRIVATE_KEY)]
    assert PASSWORD not in str(found.puts) and "b3Blbn" not in str(found.puts)
