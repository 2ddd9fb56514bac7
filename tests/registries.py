"""Registries on loopback: Debian's ``docker-registry`` (anonymous, with passwords, with tokens), and one that fails."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from hardener.authoring.config import Registry

from . import services

USER, PASSWORD = "alice", "s3cret"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
# htpasswd -Bbn alice s3cret
_HTPASSWD = "alice:$2y$05$zd9yVPXBJwIAKuHcZvORLuwmFKIDMJ7c4KiGaiVZtZIxusZqjLfe2\n"


def trusted(*hosts: str) -> dict[str, Registry]:
    """What a user says of ``hosts`` on this machine that get a login without TLS."""
    return {host: Registry(insecure=True) for host in hosts}


def logged_in_nowhere(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Whoever runs the tests has no login and says nothing of registries, for as long as ``patch`` holds."""
    patch.setenv("REGISTRY_AUTH_FILE", str(folder / "no-logins.json"))
    patch.setenv("XDG_CONFIG_HOME", str(folder / "no-settings"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, auth: str = "") -> Iterator[str]:
    """A ``docker-registry`` that keeps its images in ``folder``; its host and port."""
    program = services.program("docker-registry")
    port = _free_port()
    settings = folder / f"{port}.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'images'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n{auth}",
        encoding="utf-8",
    )
    with open(folder / f"{port}.log", "wb") as log:
        process = subprocess.Popen([program, "serve", str(settings)], stdout=log, stderr=log)
    try:
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / f"{port}.log").read_text(encoding="utf-8")
            time.sleep(0.05)
        else:
            raise AssertionError("it does not listen")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def with_passwords(folder: Path) -> Iterator[str]:
    """One that wants the password of ``USER``."""
    (folder / "htpasswd").write_text(_HTPASSWD, encoding="utf-8")
    with running(folder, f"auth: {{htpasswd: {{realm: test, path: {folder / 'htpasswd'}}}}}\n") as host:
        yield host


def _certificate(*names: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key, and a certificate for the hosts ``names`` that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-issuer")])
    now = datetime.now(UTC)
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in names or ("test-issuer",)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(hosts, False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@dataclass
class TokenServer:
    """What ``with_tokens`` yields: the registry, and what its token server was asked."""

    host: str
    realm: str = ""
    asked: list[dict[str, list[str]]] = field(default_factory=list)


@contextmanager
def with_tokens(folder: Path) -> Iterator[TokenServer]:
    """One that wants tokens: anybody may read ``public/*``, ``USER`` may do all.

    Source: distribution.github.io/distribution/spec/auth/jwt.
    """
    key, certificate = _certificate()
    (folder / "root.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    def part(content: Any) -> str:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def token(user: str, service: str, scopes: list[str]) -> str:
        access = []
        for scope in scopes:
            kind, path, actions = scope.rsplit(":", 2)
            granted = [one for one in actions.split(",") if user or (one == "pull" and path.startswith("public/"))]
            access.append({"type": kind, "name": path, "actions": granted})
        at = int(time.time())
        claims = {
            "iss": "test-issuer", "sub": user, "aud": service, "exp": at + 300, "nbf": at - 10, "iat": at,
            "jti": str(time.monotonic_ns()), "access": access,
        }  # fmt: skip
        text = f"{part({'alg': 'ES256', 'typ': 'JWT', 'x5c': chain})}.{part(claims)}"
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    found = TokenServer("")

    def answer(request: Asked) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        found.asked.append(query)
        login = request.headers.get("authorization")
        if login not in (None, BASIC):
            return Reply(401)
        made = token(USER if login else "", query["service"][0], query.get("scope", []))
        return Reply(200, json.dumps({"token": made, "expires_in": 300}).encode())

    with answering(answer) as realm:
        auth = (
            f"auth: {{token: {{realm: 'http://{realm}/token?x=1', service: test, issuer: test-issuer, "
            f"rootcertbundle: {folder / 'root.crt'}}}}}\n"
        )
        with running(folder, auth) as host:
            found.host, found.realm = host, realm
            yield found


# One that does as it is told.


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes = b""


@dataclass
class Reply:
    """``length``: what Content-Length says, where it is not the truth."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@contextmanager
def answering(
    answer: Callable[[Asked], Reply],
    certificate: Path | None = None,
    address: str = "127.0.0.1",
    context: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """A server that answers as ``answer`` says; its host and port. With TLS, where there is a ``context``, or a folder
    for a certificate is named that nobody vouches for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(Asked(self.command, self.path, headers, body))
            self.send_response_only(reply.status)  # without a Date of its own
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            if reply.length is not None:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is part of some tests

    server = Server((address, 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = certified(certificate)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"{address}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def certified(folder: Path, *names: str) -> ssl.SSLContext:
    """What a server for the hosts ``names`` needs for TLS; ``ca.pem`` in ``folder`` is what a client has to trust."""
    key, made = _certificate(*names)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(private + (folder / "ca.pem").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
