"""What ports answer in the first words of their protocols, against servers on loopback; when two answers differ."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hardener.observe import namespace_agent as agent
from hardener.observe.questions import (
    Answer,
    Heard,
    Hint,
    Question,
    asked,
    difference,
    discovered,
    is_asked,
    most,
    steady,
)
from hardener.observe.questions import Path as Asked

from ..registries import certified
from .test_namespace_agent import HOST, serving

pytestmark = pytest.mark.usefixtures("hurried")
Speaks = Callable[[socket.socket], None]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "_QUIET", 0.05)


def server(*lines: bytes, greets: bool = False) -> Speaks:
    """One that says ``lines`` one after the other: the first at once where it ``greets``, each other when it is spoken
    to."""

    def speak(client: socket.socket) -> None:
        for number, line in enumerate(lines):
            if number or not greets:
                client.recv(4096)
            client.sendall(line)
        client.recv(4096)

    return speak


def asks(port: int, transport: str, secure: bool, words: list[str], greets: bool) -> Heard:
    seconds = 0.25  # nobody here is slow
    return Heard(*agent.ask_words(HOST, port, transport, secure, words, greets, seconds))


def found(speaks: Speaks, *names: str, paths: tuple[Asked, ...] = ()) -> list[Answer]:
    with serving(speaks) as port:
        answers = list(discovered(asks, f"{port}/tcp", Hint(set(names), list(paths))))
        assert [asked(asks, each.question).said for each in answers] == [each.said for each in answers]
    return answers


KEXINIT = b"\0\0\4\x54\6\x14" + b"k" * 16
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# The lines of a server, whether it greets, the name of its port; the protocol, what is kept of it, work, login.
PROTOCOLS: dict[str, tuple[tuple[bytes, ...], bool, str, tuple[str, str, bool, bool]]] = {
    "ssh": ((b"SSH-2.0-OpenSSH_10.0\r\n", KEXINIT), True, "", ("SSH", "SSH-2.0 \\x14", False, True)),
    "ssh that ends after the greeting": ((b"SSH-2.0-OpenSSH_10.0\r\n",), True, "", ("SSH", "SSH-2.0", False, True)),
    "ftp": ((b"220 (vsFTPd 3.0.5)\r\n", b"530 Please login\r\n", b"221 Goodbye\r\n"), True, "",
            ("FTP", "220 530 221", False, True)),
    "smtp": ((b"220 mx ESMTP\r\n", b"250-mx\r\n250 SIZE\r\n", b"250 ok\r\n", b"221 bye\r\n"), True, "",
             ("SMTP", "220 250 250 250 221", False, True)),
    "imap": ((b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1\r\na OK done\r\n", b"* BYE\r\nb OK\r\n"), True, "",
             ("IMAP", "OK OK BYE OK", False, True)),
    "pop3": ((b"+OK ready\r\n", b"+OK list\r\n.\r\n", b"+OK bye\r\n"), True, "", ("POP3", "+OK +OK +OK", False, True)),
    "mysql": ((b"\x4a\0\0\0\x0a11.8.2-MariaDB\0", b""), True, "", ("MySQL", "\\x0a", True, False)),
    "mysql that lets nobody in": ((b"\x4a\0\0\0\xffj\4Host", b""), True, "", ("MySQL", "ÿ", False, False)),
    "nats": ((b"INFO {}\r\n", b"PONG\r\n"), True, "", ("NATS", "INFO  PONG", True, False)),
    "redis": ((b"+PONG\r\n",), False, "redis", ("Redis", "+PONG", True, False)),
    "redis with a password": ((b"-NOAUTH required.\r\n",), False, "redis", ("Redis", "-NOAUTH", False, False)),
    "postgresql": ((b"R\0\0\0\x08\0\0\0\3",), False, "postgresql", ("PostgreSQL", "R", True, False)),
    "postgresql that refuses": ((b"E\0\0\0\x40SFATAL\0VFATAL\0C28000\0Mno\0\0",), False, "postgres",
                                ("PostgreSQL", "28000", False, False)),
    "amqp": ((b"\1\0\0\0\0\2\x30\0\x0a\0\x0a",), False, "amqp", ("AMQP", "\\x01\\x00\\x00", True, False)),
    "mqtt": ((b"\x20\2\0\0", b"\x40\2\0\1"), False, "mqtt", ("MQTT", " \\x02\\x00\\x00 @\\x02", True, False)),
    "mqtt that keeps nothing": ((b"\x20\2\0\0",), False, "mqtt", ("MQTT", " \\x02\\x00\\x00", False, False)),
    "memcached": ((b"VERSION 1.6.38\r\n",), False, "memcached", ("memcached", "VERSION", True, False)),
    "ldap": ((b"\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0",), False, "ldap", ("LDAP", "a", False, True)),
    "dns": ((b"\0\x0cOB\x81\x80" + b"\0" * 8,), False, "dns-tcp", ("DNS", "\\x80", True, False)),
    "http, whatever its name": ((OK,), False, "", ("HTTP", "200", True, False)),
    "http that fails": ((b"HTTP/1.1 500 Internal Server Error\r\n\r\n",), False, "", ("HTTP", "500", False, False)),
    "http that asks who": ((b"HTTP/1.0 401 Unauthorized\r\n\r\n",), False, "", ("HTTP", "401", False, False)),
    "http that takes no path": ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), False, "", ("HTTP", "400", False, False)),
    "nothing that is known": ((b"hello 12\n", b""), True, "", ("TCP", "? hello #", False, False)),
}  # fmt: skip


@pytest.mark.parametrize("case", PROTOCOLS.values(), ids=list(PROTOCOLS))
def test_a_port_is_asked_in_its_protocol(
    case: tuple[tuple[bytes, ...], bool, str, tuple[str, str, bool, bool]],
) -> None:
    lines, greets, name, wanted = case
    (answer,) = found(server(*lines, greets=greets), *filter(None, [name]))
    assert (answer.question.protocol, answer.said, answer.works, answer.is_behind_login) == wanted


@pytest.mark.parametrize(
    ("says", "said", "works"),
    [
        (b"@RSYNCD: OK\n", "RSYNCD: OK", True),
        (b"@RSYNCD: AUTHREQD c2FsdA\n", "RSYNCD: AUTHREQD", False),
        (b"@ERROR: chroot failed\n", "ERROR: chroot failed", False),
    ],
)
def test_each_module_of_rsync_is_asked_for(says: bytes, said: str, works: bool) -> None:
    def speak(client: socket.socket) -> None:
        client.sendall(b"@RSYNCD: 32.0 sha512 md5\n")
        asked_for = client.recv(4096).partition(b"\n")[2]
        client.sendall({b"#list\n": b"data           \tthe files\nmore\t\n@RSYNCD: EXIT\n"}.get(asked_for, says))

    listed, *modules = found(speak)
    assert (str(listed.question).partition(" ")[2], listed.said, listed.works) == ("rsync", "data more", False)
    assert [each.question.path.path for each in modules] == ["data", "more"]
    shown = [str(each).partition(" ")[2] for each in (listed, *modules)]  # not what the other side printed
    assert shown == ["rsync something", *2 * ["rsync module something"]]
    assert {(each.said, each.works) for each in modules} == {(said, works)}


def test_a_port_that_is_not_open_refuses() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    (answer,) = discovered(asks, f"{port}/tcp", Hint())
    assert (answer.said, answer.works) == ("refused", False)


def test_one_that_says_nothing_gives_no_answer() -> None:
    def waits(client: socket.socket) -> None:
        client.settimeout(2)
        client.recv(4096)

    (answer,) = found(waits)
    assert answer.said == "no answer"


def test_http_is_asked_for_each_path_that_the_tree_names() -> None:
    def speak(client: socket.socket) -> None:
        text = client.recv(4096).decode() or "GET /nothing"
        status = {"/": "404", "/healthz": "200", "/shop": "302" if "Host: shop.example" in text else "421"}
        client.sendall(f"HTTP/1.1 {status.get(text.split()[1], 404)} x\r\n\r\n".encode())

    answers = found(speak, paths=(Asked("/healthz"), Asked("/shop", "shop.example")))
    assert [(each.question.path.path, each.said, each.works) for each in answers] == [
        ("/", "404", False), ("/healthz", "200", True), ("/shop", "302", True),
    ]  # fmt: skip


def test_nothing_of_a_path_ends_its_line() -> None:
    texts: list[bytes] = []

    def speak(client: socket.socket) -> None:
        texts.append(client.recv(4096))
        client.sendall(OK)

    found(speak, paths=(Asked("/a\r\nX-Evil: 1", "h\r\nost"),))
    assert not any(b"\r\nX-Evil" in text or b"\r\nost" in text for text in texts)


def test_http_over_tls(tmp_path: Path) -> None:
    context = certified(tmp_path, HOST)

    def speak(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(OK)

    (answer,) = found(speak, "https")
    assert (str(answer).partition(" ")[2], answer.works) == ("TLS GET / 200", True)
    (unnamed,) = found(speak)
    assert unnamed.question.secure


def test_a_name_server_is_asked_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HOST, 0))
        listener.settimeout(5)
        port = listener.getsockname()[1]

        def heard(number: int, *rest: object) -> Heard:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.settimeout(5)
                peer.sendto(str(rest[2][0]).encode("latin-1"), (HOST, port))  # type: ignore[index]
                text, _ = listener.recvfrom(512)
                return Heard(True, (text[:2] + b"\x81\x85" + text[4:]).decode("latin-1"))

        (answer,) = discovered(heard, "53/udp", Hint())
    assert (str(answer), answer.works) == ("53/udp DNS \\x85", True)


@pytest.mark.parametrize(
    ("reply", "said", "works"),
    [
        (b"\0\5\0\1File not found\0", "\\x05\\x00\\x01", True),
        (b"\0\5\0\2Access violation\0", "\\x05\\x00\\x02", False),
        (b"\0\3\0\1boot", "\\x03\\x00\\x01", True),
    ],
)  # fmt: skip
def test_a_server_of_tftp_is_asked_for_a_file(reply: bytes, said: str, works: bool) -> None:
    asked = []

    def heard(number: int, transport: str, secure: bool, words: list[str], greets: bool) -> Heard:
        asked.append((number, transport, words))
        return Heard(True, reply.decode("latin-1"))

    (answer,) = discovered(heard, "69/udp", Hint())
    assert (str(answer), answer.works) == (f"69/udp TFTP {said}", works)
    assert asked == [(69, "udp", ["\0\1harden-observe\0octet\0"])]


@pytest.mark.parametrize(
    ("port", "is_one"), [("80/tcp", True), ("53/udp", True), ("69/udp", True), ("514/udp", False)]
)  # fmt: skip
def test_who_is_asked(port: str, is_one: bool) -> None:
    assert is_asked(port) is is_one and most([port]) == [port] * is_one


ROOT = Question("80/tcp", "HTTP")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Answer(ROOT, "200"), Answer(ROOT, "200"), None),
        (Answer(ROOT, "200"), Answer(ROOT, "500"), "80/tcp GET / was answered with 200, and now: 500"),
        (Answer(ROOT, "200"), Answer(ROOT, "refused"), "80/tcp GET / was answered with 200, and now: refused"),
        (
            Answer(ROOT, "200", first="<html>"), Answer(ROOT, "200", first="Warning: "),
            "80/tcp GET / is another page than before",
        ),
        (Answer(ROOT, "200"), Answer(ROOT, "200", first="anything"), None),
        (Answer(ROOT, "200", pace=0), Answer(ROOT, "200", pace=1), None),
        (Answer(ROOT, "200", pace=0), Answer(ROOT, "200", pace=2), "80/tcp GET / was answered at once, and now late"),
    ],
)  # fmt: skip
def test_what_is_another_answer(before: Answer, after: Answer, said: str | None) -> None:
    assert difference(before, after) == said


def test_what_is_another_one_each_time_is_not_compared() -> None:
    other = Question("81/tcp", "HTTP")
    first = [Answer(ROOT, "200", first="session #"), Answer(other, "200")]
    second = [Answer(ROOT, "200", first="session x"), Answer(other, "503")]
    assert steady(first, second) == [Answer(ROOT, "200")]
