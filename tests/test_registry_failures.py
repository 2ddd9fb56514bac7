"""Registries that fail: each gives one clear line, and no login goes where it does not belong."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardener.authoring.config import Registry
from hardener.errors import InputError
from hardener.lock.oci import transport
from hardener.lock.oci.client import Client
from hardener.lock.oci.credentials import Login
from hardener.lock.oci.image import digest_now, look_up
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import is_loopback

from . import oci_images as made
from .registries import BASIC, PASSWORD, USER, Asked, Reply, answering, trusted

pytestmark = pytest.mark.slow  # its many cases together

IMAGE = made.image({"User": "1"})
OTHER = made.image({"User": "2"})
assert IMAGE.config and OTHER.config


def alice(host: str, repository: str, troubles: list[str]) -> Login:
    return Login(USER, PASSWORD)


def manifest(**headers: str) -> Reply:
    named = {"Content-Type": made.OCI_MANIFEST, "Docker-Content-Digest": IMAGE.digest}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(200, IMAGE.manifest.body, {name: value for name, value in {**named, **given}.items() if value})


def config() -> Reply:
    assert IMAGE.config
    return Reply(200, IMAGE.config.body, {"Content-Type": "application/octet-stream"})


def good(asked: Asked) -> Reply:
    return config() if "/blobs/" in asked.path else manifest()


def instead(reply: Reply, *, of: str = "/manifests/") -> Callable[[Asked], Reply]:
    return lambda asked: reply if of in asked.path else good(asked)


def with_content(content: object, media_type: str = made.OCI_MANIFEST) -> Callable[[Asked], Reply]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return instead(Reply(200, body, {"Content-Type": media_type}))


def packed(body: bytes, encoding: str = "gzip") -> Callable[[Asked], Reply]:
    return instead(Reply(200, body, {"Content-Encoding": encoding}))


NO_PULLS_LEFT = instead(Reply(429, b"", {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"}))
BOTH = {"schemaVersion": 2, "mediaType": made.OCI_MANIFEST, "config": {}, "layers": [], "manifests": []}
AWAY = {"schemaVersion": 2, "mediaType": made.OCI_MANIFEST, "config": {**IMAGE.config.descriptor, "digest": "../../x"}}
NESTED = {"mediaType": made.OCI_INDEX, "manifests": [{"digest": "x", "platform": {"os": "linux"}}]}
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
# What the server answers, the line (its host left out), and how often it is asked.
FAILURES: list[tuple[str, Callable[[Asked], Reply], str, int]] = [
    ("401 without a challenge", instead(Reply(401)), "not there, or for those who log in (401)", 1),
    ("401 with nonsense", instead(Reply(401, b"", {"WWW-Authenticate": "Digest x=1"})), "not there, or for", 1),
    ("403", instead(Reply(403)), "not there, or for those who log in (403)", 1),
    ("404", instead(Reply(404)), "no such image (404)", 1),
    ("400", instead(Reply(400)), "answers 400", 1),
    ("500", instead(Reply(500)), "answers 500", 4),
    ("503", instead(Reply(503)), "answers 503", 4),
    ("429", instead(Reply(429)), "too many requests (429); try again later, or log in", 4),
    ("429 for long", instead(Reply(429, b"", {"Retry-After": "3600"})), "(429); it asks to wait 3600 s", 1),
    ("truncated", instead(Reply(200, IMAGE.manifest.body[:40], length=4000)), "the answer ends early", 4),
    ("wrong header", instead(manifest(Docker_Content_Digest=OTHER.digest)), "what it sends is not what its digest", 1),
    ("bad header", instead(manifest(Docker_Content_Digest="sha256:../x")), "what it sends is not what its digest", 1),
    ("md5", instead(manifest(Docker_Content_Digest="md5:" + "a" * 32)), "what it sends is not what its digest", 1),
    ("a page", with_content(b"<html>", "text/html"), "answers with no manifest of an image (text/html)", 1),
    ("no JSON", with_content(b"{"), "answers with no manifest of an image", 1),
    ("deep JSON", with_content(b"[" * 100_000), "answers with no manifest of an image", 1),
    ("schema 1", with_content({"schemaVersion": 1}, SCHEMA_1), f"answers with no manifest of an image ({SCHEMA_1})", 1),
    ("two kinds at once", with_content(BOTH), "answers with a manifest that is neither an index nor an image", 1),
    ("too long", instead(Reply(200, b" " * (5 << 20))), "answers with more than 4 MiB", 1),
    ("packed in another way", packed(b"\x0b", "br"), "answers in an encoding that it was not asked for", 1),
    ("packed, and is not", packed(b"{}"), "answers in an encoding that it was not asked for", 1),
    ("packed, too long", packed(gzip.compress(b" " * (5 << 20))), "answers with more than 4 MiB", 1),
    ("packed, cut off", packed(gzip.compress(b"{}")[:-1]), "the answer ends early", 1),
    ("no pulls left", NO_PULLS_LEFT, "too many requests (429); try again later, or log in", 1),
    ("redirect without an address", instead(Reply(307, b"", {"Location": "//["})), "sends to what is no address", 1),
    ("redirect in a circle", instead(Reply(307, b"", {"Location": "/v2/app/manifests/1"})), "from one address to", 6),
    ("redirect without TLS", instead(Reply(307, b"", {"Location": "http://r.example/"})), "an address without TLS", 1),
    ("redirect to a file", instead(Reply(307, b"", {"Location": "file:///etc/passwd"})), "an address without TLS", 1),
]  # fmt: skip
# The same of the config: the digest is known then, and the line says why the rest is not.
HALF: list[tuple[str, Callable[[Asked], Reply], str]] = [
    ("404", instead(Reply(404), of="/blobs/"), "no such image (404)"),
    ("truncated", instead(Reply(200, b"{", length=4000), of="/blobs/"), "the answer ends early"),
    ("another one", instead(Reply(200, OTHER.config.body), of="/blobs/"), "what it sends is not what its digest says"),
    ("a digest that is a path", with_content(AWAY), "a manifest names a config by no digest"),
    ("an index with a digest that is none", with_content(NESTED, made.OCI_INDEX), "names a manifest by no digest"),
]  # fmt: skip


CONFIGS = [
    [], {"User": 0.5}, {"User": "a\x1b[2Jb"}, {"User": "a\nb"}, {"User": "\ud800"}, {"ExposedPorts": ["80"]},
    {"ExposedPorts": {"\x07": {}}}, {"Volumes": "x"}, {"Env": {}}, {"Cmd": "sh"}, {"Cmd": [1]}, {"Cmd": ["\x00"]},
    {"Entrypoint": ["\udfff"]},
]  # fmt: skip


@pytest.mark.parametrize("content", CONFIGS)
def test_a_config_that_is_none(content: object) -> None:
    image = made.image(content)  # type: ignore[arg-type]
    assert image.config
    body = image.config.body

    def answer(asked: Asked) -> Reply:
        return Reply(200, body) if "/blobs/" in asked.path else with_content(image.manifest.body)(asked)

    with answering(answer) as host:
        found = look_up(Client(find_login=alice), f"{host}/app", "1")
    if not content:
        assert found.config == {"user": "", "exposedPorts": [], "volumes": [], "created": "2026-11-01T00:00:00Z"}
    else:
        assert (found.config, found.problem) == (None, f"{host}: a config is not one of an image")


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("127.0.0.1:5000", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("localhost:5000", True),
        ("[::1]:5000", True),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("127.example.com:80", False),
        ("10.0.0.1", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


# Ways there.


def test_a_proxy_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Asked] = []
    with answering(asking(log, good)) as proxy, answering(good) as here:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        client = Client({"r.example": Registry(insecure=True)}, find_login=alice)
        assert look_up(client, "r.example/app", "1").digest == IMAGE.digest
        assert [asked.path for asked in log] == [
            "http://r.example/v2/app/manifests/1",
            f"http://r.example/v2/app/blobs/{IMAGE.config.digest if IMAGE.config else ''}",
        ]
        look_up(client, f"{here}/app", "1")
        assert len(log) == 2, "this machine is reached without it"


def test_a_proxy_that_is_down_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(good) as proxy:
        pass
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@{proxy}")
    client = Client({"r.example": Registry(insecure=True)}, find_login=alice, pause=lambda seconds: None)
    with pytest.raises(RegistryError) as caught:
        look_up(client, "r.example/app", "1")
    assert str(caught.value) == "r.example: no answer: Connection refused"


def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    log: list[Asked] = []
    with answering(asking(log, good), certificate=tmp_path) as host:
        client = Client({host: Registry(insecure=False)}, find_login=alice, pause=lambda seconds: None)
        with pytest.raises(RegistryError, match=f"^{host}: its certificate is not trusted: "):
            look_up(client, f"{host}/app", "1")
    assert log == []


def test_a_registry_without_tls() -> None:
    with answering(good) as host:
        client = Client({host: Registry(insecure=False)}, find_login=alice, pause=lambda seconds: None)
        with pytest.raises(RegistryError, match=f"^{host}: it does not speak TLS"):
            look_up(client, f"{host}/app", "1")


def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.05)  # for a socket it is a second: it takes whole ones from us
    monkeypatch.setattr(transport, "BACK_OFF", ())
    done = threading.Event()

    def answer(asked: Asked) -> Reply:
        done.wait(30)
        return Reply(404)

    with answering(answer) as host:
        with pytest.raises(RegistryError, match=f"^{host}: no answer in time$"):
            look_up(Client(find_login=alice, pause=lambda seconds: None), f"{host}/app", "1")
        done.set()


def asking(log: list[Asked], answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    def logged(asked: Asked) -> Reply:
        log.append(asked)
        return answer(asked)

    return logged


@pytest.mark.parametrize(("answer", "line", "times"), [case[1:] for case in FAILURES], ids=[c[0] for c in FAILURES])
def test_a_failure_is_one_line(answer: Callable[[Asked], Reply], line: str, times: int) -> None:
    log: list[Asked] = []
    waits: list[float] = []
    with answering(asking(log, answer)) as host:
        client = Client(find_login=lambda *_: None, pause=waits.append)
        with pytest.raises(RegistryError) as caught:
            look_up(client, f"{host}/app", "1")
    assert str(caught.value).startswith(f"{host}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(log) == times
    assert waits == sorted(waits), "each wait is longer than the one before"


@pytest.mark.parametrize(("answer", "line"), [case[1:] for case in HALF], ids=[case[0] for case in HALF])
def test_a_digest_is_worth_having_without_its_config(answer: Callable[[Asked], Reply], line: str) -> None:
    with answering(answer) as host:
        found = look_up(Client(find_login=alice, pause=lambda seconds: None), f"{host}/app", "1")
    assert found.config is None
    assert found.problem is not None
    assert line in found.problem


@pytest.mark.parametrize("said", [{"Env": ["A" * 300_000]}, {"Volumes": {f"/{n}": {} for n in range(60_000)}}])
def test_a_config_that_says_too_much_is_not_kept(said: dict[str, object]) -> None:
    image = made.image(said)

    def answer(asked: Asked) -> Reply:
        assert image.config
        return Reply(200, image.config.body) if "/blobs/" in asked.path else with_content(image.manifest.body)(asked)

    with answering(answer) as host:
        found = look_up(Client(find_login=alice), f"{host}/app", "1")
    assert (found.config, found.problem) == (None, f"{host}: a config says more than fits into a lock")


def test_a_config_of_no_kind_is_not_read() -> None:
    content = {"schemaVersion": 2, "mediaType": made.OCI_MANIFEST, "config": {"mediaType": []}, "layers": []}
    with answering(with_content(content)) as host:
        assert look_up(Client(find_login=alice), f"{host}/app", "1").config == {}


def test_what_is_packed_is_unpacked() -> None:
    def answer(asked: Asked) -> Reply:
        plain = good(asked)
        return Reply(200, gzip.compress(plain.body), {**plain.headers, "Content-Encoding": "gzip"})

    with answering(answer) as host:
        found = look_up(Client(find_login=alice), f"{host}/app", "1")
    assert (found.digest, found.problem) == (IMAGE.digest, None)


def test_a_config_that_two_images_have_is_read_once() -> None:
    log: list[Asked] = []
    with answering(asking(log, good)) as host:
        client = Client(find_login=alice)
        assert look_up(client, f"{host}/app", "1") == look_up(client, f"{host}/other", "2")
    assert [asked.path.split("/")[3] for asked in log] == ["manifests", "blobs", "manifests"]


@pytest.mark.parametrize("digest", ["md5:" + "1" * 32, "sha256:" + "A" * 64])
def test_a_digest_that_nobody_can_check_is_not_asked_for(digest: str) -> None:
    log: list[Asked] = []
    with answering(asking(log, good)) as host:
        with pytest.raises(RegistryError, match=f"^{host}: no digest that a registry knows: "):
            look_up(Client(find_login=alice), f"{host}/app", digest)
    assert log == []


BEGINNINGS = [
    b"HTTP/1.1 200 OK\r\nX: ",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
    b"HTTP/1.1 100 Go\r\n\r\n",
]


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=["header", "body", "no end of answers"])
def test_an_answer_that_never_ends_is_given_up(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.3)
    more = beginning if beginning.startswith(b"HTTP/1.1 100") else b"a"
    with trickling(beginning, more) as host, pytest.raises(RegistryError, match=f"^{host}: no answer in time$"):
        look_up(Client(find_login=alice, pause=lambda seconds: None), f"{host}/app", "1")


def test_whatever_finds_logins_may_say_why_it_finds_none() -> None:
    def nobody(host: str, repository: str, troubles: list[str]) -> None:
        troubles.append("a helper is away")

    refused = Reply(401, b"", {"WWW-Authenticate": "Basic realm=x"})
    with answering(lambda asked: refused) as host, pytest.raises(RegistryError, match=r"\(401\): a helper is away$"):
        look_up(Client(find_login=nobody, pause=lambda seconds: None), f"{host}/app", "1")


def test_what_is_no_http_is_called_so() -> None:
    with trickling(b"SSH-2.0-x\r\n", b"\r\n") as host, pytest.raises(RegistryError, match=r"its answer is no HTTP$"):
        look_up(Client(find_login=alice, pause=lambda seconds: None), f"{host}/app", "1")


@contextmanager
def trickling(beginning: bytes, more: bytes) -> Iterator[str]:
    """A server that answers ``beginning``, and ``more`` again and again; its host and port."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.sendall(beginning)
                    while not done.wait(0.01):
                        connection.sendall(more)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.close()


def test_a_host_that_does_not_exist_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    waits: list[float] = []
    with pytest.raises(RegistryError, match=r"^r\.example: no such host$"):
        look_up(Client(find_login=alice, pause=waits.append), "r.example/app", "1")
    assert waits == []


ENVIRONMENTS = [
    ("HTTPS_PROXY", "::::", "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no proxy: write http://host:port"),
    ("HTTPS_PROXY", "ftp://r.example", "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no proxy: write http://host:port"),
    ("SSL_CERT_FILE", "no-such-file", "SSL_CERT_FILE or SSL_CERT_DIR: cannot be read: No such file or directory"),
    ("SSL_CERT_FILE", __file__, "SSL_CERT_FILE or SSL_CERT_DIR: cannot be read: no certificates in it"),
]


@pytest.mark.parametrize(("variable", "value", "message"), ENVIRONMENTS)
def test_an_environment_that_is_wrong(variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as caught:
        Client()
    assert str(caught.value) == message


def test_a_registry_that_is_down_is_not_asked_again() -> None:
    waits: list[float] = []
    client = Client(find_login=alice, pause=waits.append)
    with answering(good) as host:
        pass
    for name in ("a", "b", "c"):
        with pytest.raises(RegistryError, match=f"^{host}: no answer: Connection refused$"):
            look_up(client, f"{host}/{name}", "1")
    assert len(waits) == 3


def test_what_fails_for_one_image_is_asked_for_the_next() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(200, b"{", length=4000) if "/bad/" in asked.path else good(asked)

    with answering(answer) as host:
        client = Client(find_login=alice, pause=lambda seconds: None)
        with pytest.raises(RegistryError):
            look_up(client, f"{host}/bad", "1")
        assert look_up(client, f"{host}/app", "1").digest == IMAGE.digest


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_a_registry_asks_for(status: int) -> None:
    waits: list[float] = []
    log: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        return Reply(status, b"", {"Retry-After": "7"}) if len(log) == 1 else good(asked)

    with answering(asking(log, answer)) as host:
        assert digest_now(Client(find_login=alice, pause=waits.append), f"{host}/app", "1") == IMAGE.digest
    assert [round(wait) for wait in waits] == [7]


def test_a_wait_until_a_day_is_by_the_clock_of_the_server() -> None:
    headers = {"Retry-After": "Sun, 01 Mar 2026 10:00:09 GMT", "Date": "Sun, 01 Mar 2026 10:00:00 GMT"}
    waits: list[float] = []
    log: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        return Reply(429, b"", headers) if len(log) == 1 else good(asked)

    with answering(asking(log, answer)) as host:
        digest_now(Client(find_login=alice, pause=waits.append), f"{host}/app", "1")
    assert [round(wait) for wait in waits] == [9]


@pytest.mark.parametrize("named", ["", "sha256:1"])
def test_without_a_digest_in_the_header_the_body_is_hashed(named: str) -> None:
    log: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        header = named if asked.method == "HEAD" else ""
        return manifest(Docker_Content_Digest=header) if "/manifests/" in asked.path else good(asked)

    with answering(asking(log, answer)) as host:
        assert digest_now(Client(find_login=alice), f"{host}/app", "1") == IMAGE.digest
    assert [asked.method for asked in log] == ["HEAD", "GET"]


def test_where_head_is_not_served_get_is_asked() -> None:
    with answering(lambda asked: Reply(405) if asked.method == "HEAD" else good(asked)) as host:
        assert digest_now(Client(find_login=alice), f"{host}/app", "1") == IMAGE.digest


def test_all_four_media_types_are_asked_for_and_nothing_else_is_told() -> None:
    log: list[Asked] = []
    with answering(asking(log, good)) as host:
        look_up(Client(find_login=alice), f"{host}/app", "1")
    first = log[0].headers
    types = {made.OCI_INDEX, made.DOCKER_LIST, made.OCI_MANIFEST, made.DOCKER_MANIFEST}
    assert set(first["accept"].split(", ")) == types
    assert first["user-agent"] == "harden"
    assert first.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent"}


# Where logins go.


def test_a_login_does_not_follow_to_another_host() -> None:
    elsewhere: list[Asked] = []
    asked_here: list[Asked] = []
    with answering(asking(elsewhere, good)) as storage:

        def answer(asked: Asked) -> Reply:
            if asked.headers.get("authorization") != BASIC:
                return Reply(401, b"", {"WWW-Authenticate": 'Basic realm="r"'})
            if "/blobs/" in asked.path:
                return Reply(307, b"", {"Location": f"http://{storage}{asked.path}", "Set-Cookie": "id=1"})
            return good(asked)

        with answering(asking(asked_here, answer)) as host:
            found = look_up(Client(trusted(host), find_login=alice), f"{host}/app", "1")
    assert found.config is not None
    assert [asked.headers.get("authorization") for asked in elsewhere] == [None]
    assert not [asked for asked in [*elsewhere, *asked_here] if "cookie" in asked.headers]


def test_a_login_is_not_sent_unasked() -> None:
    log: list[Asked] = []
    with answering(asking(log, good)) as host:
        look_up(Client(find_login=alice), f"{host}/app", "1")
    assert not [asked for asked in log if "authorization" in asked.headers]


REALMS = ["http://r.example/token", "ftp://r.example/", "", "https://user:pw@r.example/", "https://[", "/token"]


@pytest.mark.parametrize("realm", REALMS)
def test_a_login_goes_to_no_token_server_without_tls(realm: str) -> None:
    reply = Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'})
    with answering(lambda asked: reply) as host:
        with pytest.raises(RegistryError, match=f"^{host}: names no address with TLS for tokens$"):
            look_up(Client(find_login=alice), f"{host}/app", "1")


def bearer(realm: str) -> Reply:
    return Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="http://{realm}/token",service="s",scope="a:b:*"'})


TOKENS = [
    (Reply(200, b'{"access_token": "t1"}'), None),
    (Reply(200, b'{"token": "t1", "access_token": "other"}'), None),
    (Reply(200, b"{}"), "gives no token"),
    (Reply(200, b"["), "gives no token"),
    (Reply(200, b'{"token": "a\\nb: c"}'), "gives no token"),
    (Reply(401), "the login for it is refused (401)"),
    (Reply(404), "answers 404"),
]


@pytest.mark.parametrize(("reply", "line"), TOKENS)
def test_a_token(reply: Reply, line: str | None) -> None:
    log: list[Asked] = []
    with answering(asking(log, lambda asked: reply)) as realm:

        def answer(asked: Asked) -> Reply:
            return good(asked) if asked.headers.get("authorization") == "Bearer t1" else bearer(realm)

        with answering(answer) as host:
            client = Client(trusted(host, realm), find_login=alice, pause=lambda seconds: None)
            if line is None:
                assert look_up(client, f"{host}/app", "1").config is not None
            else:
                with pytest.raises(RegistryError) as caught:
                    look_up(client, f"{host}/app", "1")
                assert line in str(caught.value)
    # One repository, to be read, whatever the registry proposes.
    assert {asked.path for asked in log} == {"/token?service=s&scope=repository%3Aapp%3Apull"}
    assert {asked.headers.get("authorization") for asked in log} == {BASIC}


def test_a_token_for_tokens_is_posted() -> None:
    log: list[Asked] = []
    with answering(asking(log, lambda asked: Reply(200, b'{"access_token": "t1"}'))) as realm:

        def answer(asked: Asked) -> Reply:
            return good(asked) if asked.headers.get("authorization") == "Bearer t1" else bearer(realm)

        with answering(answer) as host:
            client = Client(trusted(host, realm), find_login=lambda *_: Login("<token>", "t0", is_token=True))
            assert look_up(client, f"{host}/app", "1").config is not None
    (asked,) = log
    assert asked.method == "POST"
    assert b"refresh_token=t0" in asked.body


def test_a_token_that_ended_is_renewed() -> None:
    given: list[str] = []

    def issue(asked: Asked) -> Reply:
        given.append(f"t{len(given)}")
        return Reply(200, json.dumps({"token": given[-1]}).encode())

    valid = "Bearer t0"
    with answering(issue) as realm:

        def answer(asked: Asked) -> Reply:
            return good(asked) if asked.headers.get("authorization") == valid else bearer(realm)

        with answering(answer) as host:
            client = Client(trusted(host, realm), find_login=alice)
            look_up(client, f"{host}/app", "1")
            valid = "Bearer t1"
            look_up(client, f"{host}/app", "1")
    assert given == ["t0", "t1"]
