"""Clients that do real work against a workload: each raises where an answer is not what a user of it wants.

``python -m tests.observe.clients NAME`` runs one that needs nothing but the network, as ``harden observe --exercise``
has it: where its ports are reached is in the variables ``HARDEN_HOST`` and ``HARDEN_PORT_...``.
"""

from __future__ import annotations

import ftplib
import http.client as http_client
import imaplib
import os
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_LONGEST = 10.0  # seconds for one answer
WORD = "secret"  # of the only user of a container that lives for a minute


@dataclass(frozen=True)
class Target:
    """What a client has: an address, words run in the container (what they print), and its log. ``ports``: where a port
    is reached, where that is not at its own number."""

    address: str
    execute: Callable[..., str]
    log: Callable[[], str]
    ports: Mapping[int, int] = field(default_factory=dict)

    def at(self, port: int) -> tuple[str, int]:
        """Where ``port`` is reached."""
        return self.address, self.ports.get(port, port)


Client = Callable[[Target], None]


class Wrong(Exception):
    """An answer is not what a user wants."""


def wanted(holds: object, what: object) -> None:
    """Raise Wrong with ``what`` came where it does not hold."""
    if not holds:
        raise Wrong(str(what)[:200])


def http(port: int, path: str = "/", method: str = "GET", body: bytes = b"", has: str = "") -> Client:
    """A request that is answered with 200 and a text that holds ``has``."""

    def client(target: Target) -> None:
        connection = http_connection(target, port)
        headers = {"Content-Type": "application/octet-stream"} if body else {}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        wanted(answer.status == 200 and has.encode() in text, f"{method} {path}: {answer.status} {text[:120]!r}")

    return client


def http_connection(target: Target, port: int) -> http_client.HTTPConnection:
    return http_client.HTTPConnection(*target.at(port), timeout=_LONGEST)


def says(port: int, *turns: tuple[bytes, bytes]) -> Client:
    """A talk over TCP: of each turn, what is said, and what the answer holds."""

    def client(target: Target) -> None:
        with socket.create_connection(target.at(port), _LONGEST) as peer:
            peer.settimeout(_LONGEST)
            for said, answer in turns:
                peer.sendall(said)
                heard = b""
                while answer not in heard:
                    more = peer.recv(65536)
                    wanted(more, f"{said!r} was answered with {heard!r}")
                    heard += more

    return client


def asks(port: int, said: bytes, answer: bytes) -> Client:
    """One question over UDP."""

    def client(target: Target) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(_LONGEST / 2)
            peer.sendto(said, target.at(port))
            heard = peer.recv(4096)
            wanted(answer in heard, f"was answered with {heard!r}")

    return client


def resolves(name: str, address: str, port: int = 53) -> Client:
    """A question for an address over UDP."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    return asks(port, question, socket.inet_aton(address))


def runs(*words: str, has: str = "") -> Client:
    """Words that end with 0 in the container, and print ``has``."""

    def client(target: Target) -> None:
        said = target.execute(*words)
        wanted(has in said, said)

    return client


def grows(path: str, seconds: float = 10) -> Client:
    """A file of the container that has more, or is another one, after some time."""

    def client(target: Target) -> None:
        before, until = target.execute("stat", "-c", "%s %Y %i", path), time.monotonic() + seconds
        while target.execute("stat", "-c", "%s %Y %i", path) == before:
            wanted(time.monotonic() < until, f"{path} does not change")
            time.sleep(1)

    return client


def appears(path: str, seconds: float = 70) -> Client:
    """A file of the container that is there after some time, with something in it."""

    def client(target: Target) -> None:
        until = time.monotonic() + seconds
        while "there" not in target.execute("sh", "-c", f"test -s {path} && echo there || :"):
            wanted(time.monotonic() < until, f"{path} does not appear")
            time.sleep(1)

    return client


def prints(text: str, seconds: float = 20) -> Client:
    """A log that holds ``text`` after some time."""

    def client(target: Target) -> None:
        until = time.monotonic() + seconds
        while text not in target.log():
            wanted(time.monotonic() < until, f"nobody says {text}")
            time.sleep(1)

    return client


def never_prints(text: str) -> Client:
    """A log that does not hold ``text``."""

    def client(target: Target) -> None:
        wanted(text not in target.log(), f"it says {text}")

    return client


def all_of(*clients: Client) -> Client:
    def client(target: Target) -> None:
        for each in clients:
            each(target)

    return client


def stores_over_ftp(target: Target) -> None:
    """Log in, store a file and read it; where no port for data is reached, make a folder and remove it."""
    with ftplib.FTP(timeout=_LONGEST) as peer:
        peer.connect(*target.at(21))
        peer.login("ftpuser", WORD)
        if target.ports:
            name = f"folder-{time.monotonic_ns()}"
            peer.mkd(name)
            peer.rmd(name)
            return
        with tempfile.TemporaryFile() as file:
            file.write(b"some words\n")
            file.seek(0)
            peer.storbinary("STOR letter", file)
        heard: list[bytes] = []
        peer.retrbinary("RETR letter", heard.append)
        wanted(b"".join(heard) == b"some words\n", heard)


def logs_in_over_ssh(target: Target) -> None:
    """Log in with a password, and run a command."""
    address, port = target.at(22)
    with tempfile.TemporaryDirectory() as place:
        says_it = Path(place) / "ask"
        says_it.write_text(f"#!/bin/sh\necho {WORD}\n", encoding="utf-8")
        says_it.chmod(0o700)
        options = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null PubkeyAuthentication=no ConnectTimeout=10"
        words = ["ssh", "-F", "none", "-p", str(port), *(word for each in options.split() for word in ("-o", each))]
        done = subprocess.run(
            [*words, f"deploy@{address}", "echo $((6 * 7)) > here; cat here"], capture_output=True, text=True,
            timeout=30, stdin=subprocess.DEVNULL, check=False,
            env=os.environ | {"SSH_ASKPASS": str(says_it), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"},
        )  # fmt: skip
        wanted(done.returncode == 0 and "42" in done.stdout, done.stderr)


def sends_mail(target: Target) -> None:
    """Hand in a letter for bob."""
    with smtplib.SMTP(*target.at(25), local_hostname="client.test", timeout=_LONGEST) as peer:
        peer.sendmail("alice@client.test", ["bob@shop.test"], "Subject: a letter\r\n\r\nsome words\r\n")


def reads_mail(target: Target) -> None:
    """Log in, keep a letter and read it."""
    with imaplib.IMAP4(*target.at(143), timeout=_LONGEST) as peer:
        peer.login("bob", WORD)
        said, heard = peer.append("INBOX", None, None, b"Subject: a letter\r\n\r\nsome words\r\n")
        wanted(said == "OK", heard)
        said, found = peer.select("INBOX")
        wanted(said == "OK" and found[0] and int(found[0]) > 0, found)


def uploads_an_image_layer(target: Target) -> None:
    """What ``docker push`` does with one layer."""
    connection = http_connection(target, 5000)
    connection.request("POST", "/v2/shop/blobs/uploads/", headers={"Content-Length": "0"})
    answer = connection.getresponse()
    answer.read()
    wanted(answer.status == 202, answer.status)
    place = urlsplit(answer.headers["location"])
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of abc
    connection.request(
        "PUT", f"{place.path}?{place.query}&digest={digest}", b"abc", {"Content-Type": "application/octet-stream"}
    )
    answer = connection.getresponse()
    wanted(answer.status == 201, f"{answer.status} {answer.read()!r}")


BY_NETWORK: dict[str, Client] = {
    "dovecot": reads_mail, "opensmtpd": sends_mail, "postfix": sends_mail, "proftpd": stores_over_ftp,
    "registry": uploads_an_image_layer, "sshd": logs_in_over_ssh, "vsftpd": stores_over_ftp,
}  # fmt: skip
"""Those that a user would give to ``harden observe``, since the work of such a server begins behind a login."""


def main(name: str) -> int:
    """Run a client for as long as the server may take to accept it."""
    prefix = "HARDEN_PORT_"
    ports = {int(key.removeprefix(prefix)): int(value) for key, value in os.environ.items() if key.startswith(prefix)}
    target = Target(os.environ["HARDEN_HOST"], lambda *words: "", lambda: "", ports)
    until = time.monotonic() + _LONGEST
    while True:
        try:
            BY_NETWORK[name](target)
            return 0
        except (Wrong, OSError, EOFError, smtplib.SMTPException, ftplib.Error, imaplib.IMAP4.error) as error:
            if time.monotonic() > until:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
