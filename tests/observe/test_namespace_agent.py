"""What is asked of ports and read of the kernel, against servers on loopback and files of the kernel's form."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hardener.observe import agent_client, process_look
from hardener.observe import namespace_agent as agent
from hardener.observe.agent_client import AgentClient
from hardener.observe.engine import EngineError

HOST = "127.0.0.1"


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server whose every connection is given to ``answer``; its port."""

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=once, args=(client,), daemon=True).start()

    def once(client: socket.socket) -> None:
        with client:
            try:
                answer(client)
            except OSError:
                pass

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def http(status: int, seen: list[Any] | None = None, seconds: float = 0) -> Iterator[int]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append((self.path, dict(self.headers)))
            time.sleep(seconds)
            try:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b"x" * 100_000)
            except OSError:
                pass

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def closed() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def ask(port: int, path: str = "/", headers: list[tuple[str, str]] | None = None, scheme: str = "HTTP") -> str | None:
    return agent.ask_http(HOST, port, scheme, path, headers or [], 0.5)


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, None), (302, None), (399, None), (404, "HTTP status 404"), (503, "HTTP status 503")],
)
def test_status(status: int, said: str | None) -> None:
    with http(status) as port:
        assert ask(port) == said


def test_what_is_sent() -> None:
    seen: list[Any] = []
    with http(200, seen) as port:
        assert ask(port, "", [("Host", "shop"), ("User-Agent", "mine")]) is None
        assert ask(port, "/health?a=1") is None
    (path, first), (other, second) = seen
    assert (path, first["Host"], first["User-Agent"]) == ("/", "shop", "mine")
    assert (other, second["Host"], second["User-Agent"]) == ("/health?a=1", f"{HOST}:{port}", "kube-probe/1.35")


def test_what_is_no_answer() -> None:
    with http(200, seconds=1.5) as port:
        assert ask(port) == "no answer in time"
    assert ask(closed()) == "Connection refused"
    with serving(lambda client: client.sendall(b"220 mail\r\n")) as port:
        assert ask(port) not in (None, "")
    with serving(lambda client: None) as port:
        assert ask(port) not in (None, "")
        assert ask(port, scheme="HTTPS") not in (None, "")
        assert ask(port, "/with space\n") not in (None, "")
        assert ask(port, "/", [("A", "b\r\nC: d")]) not in (None, "")


def test_tcp() -> None:
    with serving(lambda client: None) as port:
        assert agent.ask_tcp(HOST, port, 1) is None
    assert agent.ask_tcp(HOST, closed(), 1) == "Connection refused"


def grpc(*frames: bytes, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    def answer(client: socket.socket) -> None:
        raw = client.recv(65536)
        if seen is not None:
            seen.append(raw)
        for frame in frames:
            client.sendall(frame)
        client.settimeout(2)
        while client.recv(65536):
            pass

    return answer


def data(message: bytes, flags: int = 0) -> bytes:
    return agent._frame(0, flags, 1, b"\0" + len(message).to_bytes(4, "big") + message)


SETTINGS, SERVING, NOT = agent._frame(4, 0, 0, b""), b"\x08\x01", b"\x08\x02"
TRAILERS = agent._frame(1, 5, 1, b"\x40\x0bgrpc-status\x010")
PADDED = agent._frame(0, 8, 1, b"\x02" + b"\0\0\0\0\x02" + SERVING + b"\0\0")
ANSWERS: dict[str, tuple[list[bytes], str | None]] = {
    "serving": ([SETTINGS, data(SERVING), TRAILERS], None),
    "at once": ([SETTINGS, data(SERVING, 1)], None),
    "in two parts": ([SETTINGS, data(SERVING)[:11], data(SERVING)[11:], TRAILERS], None),
    "padded": ([SETTINGS, PADDED, TRAILERS], None),
    "with a ping": ([SETTINGS, agent._frame(6, 0, 0, b"12345678"), data(SERVING), TRAILERS], None),
    "not serving": ([SETTINGS, data(NOT), TRAILERS], "it does not say SERVING"),
    "no such service": ([SETTINGS, TRAILERS], "it does not say SERVING"),
    "padded without anything": ([SETTINGS, agent._frame(0, 9, 1, b"")], "it does not say SERVING"),
    "reset": ([SETTINGS, agent._frame(3, 0, 1, b"\0\0\0\1")], "the connection was reset"),
    "goaway": ([agent._frame(7, 0, 0, b"\0" * 8)], "the connection was reset"),
    "HTTP/1.1": ([b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100], "no answer of gRPC"),
    "nothing": ([], "no answer in time"),
    "too much": ([SETTINGS, *[data(b"x" * 8000)] * 4], "no answer of gRPC"),
}


@pytest.mark.parametrize(("frames", "said"), ANSWERS.values(), ids=ANSWERS)
def test_grpc(frames: list[bytes], said: str | None) -> None:
    seen: list[bytes] = []
    with serving(grpc(*frames, seen=seen)) as port:
        assert agent.ask_grpc(HOST, port, "db", 0.5) == said
    assert seen[0].startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") and seen[0].endswith(b"\0\0\0\0\4\x0a\x02db")


def test_grpc_ends_in_time_whatever_comes() -> None:
    def flood(client: socket.socket) -> None:
        while True:
            client.sendall(agent._frame(6, 1, 0, b"12345678") * 100)

    with serving(flood) as port:
        assert agent.ask_grpc(HOST, port, "", 0.3) == "no answer in time"
    assert agent.ask_grpc(HOST, closed(), "", 1) == "Connection refused"


ADDRESSES = {
    "0100007F:1F90": ("127.0.0.1", 8080),
    "00000000:0050": ("0.0.0.0", 80),
    "1101A8C0:0000": ("192.168.1.17", 0),
    "00000000000000000000000001000000:0050": ("::1", 80),
    "00000000000000000000000000000000:0035": ("::", 53),
    "0000000000000000FFFF00000100007F:0050": ("127.0.0.1", 80),
    "B80D01200000000067452301EFCDAB89:0001": ("2001:db8::123:4567:89ab:cdef", 1),
}


@pytest.mark.skipif(sys.byteorder != "little", reason="the kernel writes words of the machine's own order")
@pytest.mark.parametrize(("text", "address"), ADDRESSES.items(), ids=ADDRESSES)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert process_look._address(text) == address


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TABLES = {
    "tcp": "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101\n"
    "   1: 1001010A:9C41 1101010A:18EB 01 00000000:00000000 00:00000000 00000000   101\n"
    "   2: 1001010A:9C42 1101010A:18EB 06 00000000:00000000 00:00000000 00000000   101\n"
    "   3: 1001010A:9C43 1101010A:18EB 07 00000000:00000000 00:00000000 00000000   101\n",
    "tcp6": "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 0 0 101\n",
    "udp": "  0: 00000000:0035 00000000:0000 07 0:0 0 0\n  1: 00000000:C350 00000000:0000 07 0:0 0 0\n"
    "  2: 1001010A:C351 1101010A:0035 01 0:0 0 0\n",
}  # fmt: skip


@pytest.mark.skipif(sys.byteorder != "little", reason="the kernel writes words of the machine's own order")
def test_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(path: str) -> list[str]:
        name = path.rpartition("/")[2]
        if name not in TABLES:
            raise FileNotFoundError(path)
        return (HEAD + TABLES[name]).splitlines()

    monkeypatch.setattr(process_look, "lines_of", lines)
    here, there = "10.1.1.16", "10.1.1.17"
    found = process_look._sockets(1, None) or []
    assert [each[:6] for each in found] == [
        ("tcp", "0.0.0.0", 80, "0.0.0.0", 0, True), ("tcp", here, 40001, there, 6379, False),
        ("tcp", here, 40002, there, 6379, False), ("tcp", "::", 443, "::", 0, True),
        ("udp", "0.0.0.0", 53, "0.0.0.0", 0, True), ("udp", here, 50001, there, 53, False),
    ]  # fmt: skip
    assert all(each[6] for each in found), "where nobody can tell whose they are, they are its own"
    assert not any(each[6] for each in process_look._sockets(1, set()) or [])


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_process_is_looked_at() -> None:
    found = process_look.look(os.getpid(), "no-container")
    assert any(user == os.geteuid() for user, _, _ in found["users"])
    gone = process_look.look(2**22 + 1, "no-container")
    nothing: dict[str, object] = dict.fromkeys(("sockets", "memory", "now", "processor"))
    nothing |= {"users": [], "busy": False, "jailed": False, "programs": [], "unprivileged": [], "waits": []}
    assert gone == nothing


QUERY = bytes.fromhex("123401000001000000000000") + b"\x03api\x07example\x03com\0" + bytes.fromhex("00010001")


def test_a_name_that_is_asked_for_is_read() -> None:
    assert agent._name_of(QUERY) == ("api.example.com", len(QUERY) - 4)
    for odd in (QUERY[:14], QUERY[:12] + b"\x02\r\n\0\0\1\0\1", b""):
        with pytest.raises((ValueError, IndexError)):
            agent._name_of(odd)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a network namespace of its own")
def test_who_asks_for_a_name_learns_that_there_is_none() -> None:
    asks = (
        "import socket, sys; print('up', flush=True); sys.stdin.readline(); s = socket.socket(2, 2); s.settimeout(20); "
        f"s.sendto({QUERY!r}, ('127.0.0.1', 53)); print(s.recv(512).hex(), flush=True); sys.stdin.readline()"
    )
    words = ["unshare", "-n", "sh", "-c", f'ip link set lo up; exec {sys.executable} -c "$0"', asks]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != "up\n":
            pytest.skip("no namespace of a network can be made here")
        assert agent.answer_names(process.pid)
        process.stdin.write("go\n")
        process.stdin.flush()
        answer = bytes.fromhex(process.stdout.readline())
        assert (answer[:2], answer[3] & 15, answer[12:]) == (QUERY[:2], 3, QUERY[12:])
        assert agent.asked_names(process.pid) == ["api.example.com"]
        process.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="errors of UDP are told by Linux")
@pytest.mark.parametrize("lost", [0, 1])
def test_who_is_asked_by_udp_may_answer_from_another_port(lost: int) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def answer() -> None:
            for _ in range(lost):
                listener.recvfrom(100)
            text, place = listener.recvfrom(100)
            other.sendto(text[::-1], place)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        taken, said, _ = agent.ask_words("127.0.0.1", port, "udp", False, ["abc"], False, 4)
        thread.join()
    assert (taken, said) == (True, "cba")
    assert agent.ask_words("127.0.0.1", port, "udp", False, ["abc"], False, 20) == [False, "", 0.0]


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("T", encoding="utf-8")
    if agent.watch(str(path)):
        assert not agent.was_read(str(path))
        path.read_text(encoding="utf-8")
        until = time.monotonic() + 10
        while not agent.was_read(str(path)) and time.monotonic() < until:
            time.sleep(0.01)
        assert agent.was_read(str(path))
    missing = str(tmp_path / "no")
    assert (agent.watch(missing), agent.was_read(missing), agent.free(missing)) == (
        False,
        False,
        None,
    )
    assert agent.give(missing, 0o755, 0, 0) == "No such file or directory"
    assert (agent.free(str(tmp_path)) or 0) > 0
    if os.geteuid() == 0:
        assert agent.give(str(tmp_path), 0o2770, 0, 5) is None
        assert (tmp_path.stat().st_mode & 0o7777, tmp_path.stat().st_gid) == (0o2770, 5)


def test_a_port_is_carried() -> None:
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("needs root, to enter a network namespace")
    with serving(lambda client: client.sendall(client.recv(100)[::-1])) as target:
        # Its own namespace is one, too. In a process of its own: what listens there does so until the end.
        code = (
            "import os, socket, sys; sys.path.insert(0, {!r}); port = {}; "
            "from hardener.observe import namespace_agent as agent; "
            "print(agent.carry(os.getpid(), '127.0.0.1', port, {})); "
            "peer = socket.create_connection(('127.0.0.1', port)); peer.sendall(b'abc'); print(peer.recv(10)); "
            "print(agent.carry(os.getpid(), '127.0.0.1', port, 1)); print(agent.carry(2**22 + 1, '127.0.0.1', 1, 1))"
        )
        code = code.format(agent_client._HOME, closed(), target)
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    if "not permitted" in done.stdout:
        pytest.skip("entering a network namespace is not permitted here")
    first, answer, second, gone = done.stdout.splitlines()
    assert (first, answer, gone) == ("None", "b'cba'", "No such file or directory")
    assert second.startswith("Address already in use")


class Host:
    """As an engine whose containers are on this machine, or where ``words`` lead."""

    def __init__(self, program: str = "", *words: str) -> None:
        self._said = program, list(words)

    def enter(self) -> tuple[str, list[str]]:
        return self._said


def reach(host: Host) -> AgentClient:
    engine: Any = host
    return AgentClient(engine)


def test_calls_are_answered(tmp_path: Path) -> None:
    called = reach(Host())
    try:
        assert called("free", str(tmp_path)) > 0
        assert called("ask_tcp", os.getpid(), HOST, closed(), 1) == "Connection refused"
        # None would say that the probe is good.
        assert called("ask_tcp", os.getpid(), HOST, 99999, 1) is not None
        assert called("ask_http", os.getpid(), HOST, 99999, "HTTP", "/", [], 1) is not None
        assert called("ask_tcp", os.getpid(), HOST, "no port", 1) not in (None, "")
        assert called("look", "no number", "no-container", seconds=5) is not None
        with serving(lambda client: time.sleep(3)) as port:
            assert called("ask_http", os.getpid(), HOST, port, "HTTP", "/", [], 3, seconds=0.2) == "no answer in time"
        assert called("free", 5.5) is None
    finally:
        called.close()
    with pytest.raises(EngineError, match="has ended"):
        called("free", "/")


def test_what_is_said_before_it_is_no_answer(tmp_path: Path) -> None:
    program = tmp_path / "unshare"
    program.write_text('#!/bin/sh\necho "warning: no systemd"\necho 5\nexec "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    called = reach(Host(str(program)))
    try:
        assert called("free", "/", seconds=10) > 0
    finally:
        called.close()


def test_one_that_ends_is_told() -> None:
    called = reach(Host("/bin/true"))
    with pytest.raises(EngineError, match="has ended"):
        called("free", "/", seconds=10)
    called.close()


def test_requests_as_they_are() -> None:
    lines = [[1, "free", "/"], [2, "no such function"], [3, "carry", "x", HOST, 1, 1]]
    raw = "".join(json.dumps(line) + "\n" for line in lines)
    words = [sys.executable, "-I", "-c", agent_client._START, agent_client._HOME]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(raw)
        process.stdin.flush()
        found = dict(json.loads(process.stdout.readline()) for _ in lines)
        process.stdin.close()
    assert found[1] > 0 and found[2] is None and "no" in found[3].lower()


@contextmanager
def asleep(*words: str) -> Iterator[int]:
    """A ``sleep`` that has begun; its process."""
    with subprocess.Popen(["sleep", *words]) as process:
        try:
            until = time.monotonic() + 10
            while (
                not Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(b"sleep") and time.monotonic() < until
            ):
                time.sleep(0.01)
            yield process.pid
        finally:
            process.kill()


def test_the_programs_of_a_process_and_what_they_wait_for() -> None:
    with asleep("45") as pid:
        found = process_look.look(pid, "no control group")
    assert "sleep" in found["programs"] and 45 in found["waits"]


@pytest.mark.parametrize(
    ("words", "seconds"), [(["1.5m"], 90), (["1h", "5s"], 3605), (["infinity"], None), (["30d"], None)],
)  # fmt: skip
def test_how_long_a_sleep_is(words: list[str], seconds: float | None) -> None:
    with asleep(*words) as pid:
        assert process_look._sleeps(pid) == seconds


def test_a_folder_that_waits_for_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getuid()
    for name in ("var/lib/app", "var/full", "home/app", "tmp/app"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "var/full/file").touch()
    monkeypatch.setattr(agent, "_root_of", lambda pid: str(tmp_path))
    assert agent.prepared(1, [own], []) == ["/var/lib/app"]
    assert agent.prepared(1, [own + 1], []) == agent.prepared(1, [own], ["/var/lib"]) == []


def test_a_program_that_runs_with_the_rights_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not agent.watch(str(tmp_path)):
        pytest.skip("no inotify here")
    for name in ("ran", "not-run"):
        shutil.copy(shutil.which("true") or "", tmp_path / name)
    monkeypatch.setattr(agent, "raisers", lambda pid: ["/ran", "/not-run", "/gone"])
    monkeypatch.setattr(agent, "_root_of", lambda pid: str(tmp_path))
    agent.watch_raisers(1)
    assert agent.raised(1) == agent.raised(2) == []
    subprocess.run([tmp_path / "ran"], check=True)
    until = time.monotonic() + 10
    while not agent.raised(1) and time.monotonic() < until:
        time.sleep(0.01)
    assert agent.raised(1) == ["/ran"]


def test_the_first_process_is_judged_by_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not agent.watch(str(tmp_path)):
        pytest.skip("no inotify here")
    for name in ("server", "helper"):
        shutil.copy(shutil.which("sleep") or "", tmp_path / name)
    monkeypatch.setattr(agent, "raisers", lambda pid: ["/server", "/helper"])
    monkeypatch.setattr(agent, "_root_of", lambda pid: str(tmp_path))
    with subprocess.Popen([tmp_path / "server", "60"]) as first:
        try:
            agent.watch_raisers(first.pid)
            for name in ("server", "helper"):
                subprocess.run([tmp_path / name, "0"], check=True)
            until = time.monotonic() + 10
            while not agent.raised(first.pid) and time.monotonic() < until:
                time.sleep(0.01)
            assert agent.raised(first.pid) == ["/helper"]
        finally:
            first.kill()


def test_whether_somebody_wrote_to_a_volume(tmp_path: Path) -> None:
    file = tmp_path / "from-the-archive"
    file.touch()
    for each in (file, tmp_path):
        os.utime(each, (0, 0))
    assert agent.written(str(tmp_path)) is False
    file.write_text("more", encoding="utf-8")
    assert agent.written(str(tmp_path)) is True
    os.utime(file, (0, 0))
    (tmp_path / "gone").touch()
    (tmp_path / "gone").unlink()
    assert agent.written(str(tmp_path)) is True
    assert agent.written(str(tmp_path / "none")) is None
