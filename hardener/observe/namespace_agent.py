"""What has to be done where the containers are: look at their processes, ask their ports, carry a port of a Service.

A process of its own, since of a rootless engine that is another user namespace: its standard input takes requests, its
output gives answers, both one JSON value a line. With ``process_look`` and ``file_look`` it uses the standard
library alone, so that it starts as it is.
Sources of probes: kubernetes pkg/probe/http and pkg/probe/tcp.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import queue
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from typing import Any

from hardener.observe.file_look import raisers, stored
from hardener.observe.process_look import lines_of, look

_MOST_BODY = 10 * 1024
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GO_AWAY = 0, 1, 3, 4, 6, 7  # frames of HTTP/2
_ENDS, _PADDED = 1, 8  # flags of them: the end of a stream, or an answer
_NET_NAMESPACE = 0x40000000
_DAY = 86400  # seconds
_CRONTABS = ("/etc/crontab", "/etc/cron.d/", "/var/spool/cron/crontabs/", "/etc/crontabs/")
_MOST_CRONTABS, _MOST_CRONTAB = 16, 16 * 1024  # files, and characters
_NOBODY = "127.255.255.254"  # where nothing listens
_MOST_SAID = 2048  # bytes of an answer
_QUIET = 0.3  # seconds after which an answer is taken for whole
_TIMES_BY_UDP = 2
_IP_RECVERR = 11  # of Linux; Python names it from 3.14 on
_MOST_VISITED, _MOST_PREPARED = 20_000, 8  # folders
# Folders in which nothing is prepared for a service: of the kernel, of people, for everybody.
_NOT_PREPARED = ("proc", "sys", "dev", "home", "root", "tmp")
LATE = "no answer in time"
TELL = frozenset(("ask_tcp", "ask_http", "ask_grpc", "carry", "give", "trace"))  # of what went wrong; None is well


_OPENED = 0x00000020 | 0x00000001  # IN_OPEN, IN_ACCESS
_watched: dict[int, str] = {}  # by the number of the watch
_read_files: set[str] = set()
_watcher: list[int] = []


def watch(path: str) -> bool:
    """Note from now on whether somebody reads the file; False where nobody can tell. inotify(7): it is about the file
    itself, wherever it is mounted."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "inotify_init1"):
        return False
    with _watching:
        if not _watcher:
            handle = library.inotify_init1(os.O_CLOEXEC)
            if handle < 0:
                return False
            _watcher.append(handle)
            threading.Thread(target=_note_reads, args=(handle,), daemon=True).start()
        number = library.inotify_add_watch(_watcher[0], os.fsencode(path), _OPENED)
        if number < 0:
            return False
        _watched[number] = path
    return True


_watching = threading.Lock()


def _note_reads(handle: int) -> None:
    while True:
        try:
            raw = os.read(handle, 65536)
        except OSError:
            return
        at = 0
        while at + 16 <= len(raw):
            number, _, _, size = struct.unpack_from("iIII", raw, at)
            at += 16 + size
            if number in _watched:
                _read_files.add(_watched[number])


def was_read(path: str) -> bool:
    """Whether the file was read since it is watched."""
    return path in _read_files


def watch_raisers(pid: int) -> None:
    """Note from now on which programs of a container, with the first process ``pid``, run with more rights than who
    starts them."""
    _raisers[pid] = [path for path in raisers(pid) if watch(f"{_root_of(pid)}{path}")]


def raised(pid: int) -> list[str]:
    """Those that ran since ``watch_raisers``; one that somebody reads counts, too. The first process does not: what it
    is asked for shows what it can do."""
    ran = (path for path in _raisers.get(pid, ()) if was_read(f"{_root_of(pid)}{path}"))
    return [path for path in ran if not _is_first(pid, path)]


def _is_first(pid: int, path: str) -> bool:
    """Whether the first process of a container runs the file at ``path``."""
    try:
        return os.path.samefile(f"/proc/{pid}/exe", f"{_root_of(pid)}{path}")
    except OSError:
        return False


_raisers: dict[int, list[str]] = {}  # by the first process of their container


def ask_tcp(host: str, port: int, seconds: float) -> str | None:
    """None where the port takes a connection, else what went wrong."""
    try:
        socket.create_connection((host, port), seconds).close()
        return None
    except OSError as error:
        return _reason(error)


def ask_http(
    host: str, port: int, scheme: str, path: str, headers: list[tuple[str, str]], seconds: float
) -> str | None:
    """None where the answer is one of 200 to 399, as the kubelet wants it, else what went wrong."""
    connection: http.client.HTTPConnection
    if scheme == "HTTPS":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        names = {name.lower() for name, _ in headers}
        connection.putrequest("GET", path or "/", skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        for name, value in (("User-Agent", "kube-probe/1.35"), ("Accept", "*/*"), ("Connection", "close")):
            if name.lower() not in names:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read(_MOST_BODY)
        return None if 200 <= answer.status < 400 else f"HTTP status {answer.status}"
    except (http.client.HTTPException, ValueError):  # their text is what the other side has sent
        return "no answer of HTTP"
    except OSError as error:
        return _reason(error)
    finally:
        connection.close()


def ask_words(
    host: str, port: int, protocol: str, secure: bool, words: list[str], greets: bool, seconds: float
) -> list[Any]:
    """What answers ``words``, said one after the other over ``protocol`` ("tcp", "udp"), with TLS where ``secure``:
    whether it took the connection, what it said (a text of bytes, the first of them), and after how many seconds the
    first of that came. ``greets``: it may speak first."""
    began = time.monotonic()
    said, first = b"", 0.0
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    peer: socket.socket
    try:
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(socket.socket(socket.AF_INET, kind))
            peer.settimeout(seconds)
            if protocol == "udp":
                return [True, *_asked_by_udp(peer, (host, port), words, seconds)]
            peer.connect((host, port))
            if secure:
                peer = stack.enter_context(_unverified().wrap_socket(peer))
            for text in [*([""] if greets else []), *words]:
                if text:
                    peer.sendall(text.encode("latin-1"))
                heard = _heard(peer, seconds)
                first = first or (time.monotonic() - began if heard else 0.0)
                said += heard
    except ConnectionRefusedError:
        return [False, "", 0.0]
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            return [True, "", 0.0]
    return [True, said[:_MOST_SAID].decode("latin-1"), first]


def _asked_by_udp(peer: socket.socket, place: tuple[str, int], words: list[str], seconds: float) -> tuple[str, float]:
    """What ``place`` answers, from whichever port (RFC 1350: a server of TFTP takes a new one), and after how long. A
    word without an answer may be lost, and is said twice. Raises ConnectionRefusedError where nobody listens."""
    peer.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)  # who is not connected is told of nothing otherwise
    began = time.monotonic()
    said, first = b"", 0.0
    for text in words:
        for _ in range(_TIMES_BY_UDP):
            peer.sendto(text.encode("latin-1"), place)
            heard = _heard(peer, seconds / _TIMES_BY_UDP)
            if heard:
                break
        first = first or (time.monotonic() - began if heard else 0.0)
        said += heard
    return said[:_MOST_SAID].decode("latin-1"), first


def _unverified() -> ssl.SSLContext:
    return ssl._create_unverified_context()


def _heard(peer: socket.socket, seconds: float) -> bytes:
    """What comes until nothing more does: the first of it within ``seconds``."""
    found = b""
    peer.settimeout(seconds)
    while len(found) < _MOST_SAID:
        try:
            chunk = peer.recv(_MOST_SAID)
        except TimeoutError:
            break
        except OSError:
            if found:
                break
            raise
        if not chunk:
            break
        found += chunk
        peer.settimeout(_QUIET)
    return found


def _root_of(pid: int) -> str:
    return f"/proc/{pid}/root"


def prepared(pid: int, users: list[int], without: list[str]) -> list[str]:
    """Empty folders of the image of a container, with the first process ``pid``, that belong to one of ``users``: none
    in a folder of ``without``."""
    root = _root_of(pid)
    found: list[str] = []
    visited = 0
    try:
        device = os.stat(root).st_dev
    except OSError:
        return found
    for folder, names, files in os.walk(f"{root}/"):
        place = folder[len(root) :].rstrip("/")
        names[:] = [
            name
            for name in sorted(names)
            if f"{place}/{name}" not in without and _is_of_image(f"{folder}/{name}", device)
        ]
        if not place:
            names[:] = [name for name in names if name not in _NOT_PREPARED]
        elif not names and not files and not os.listdir(folder) and os.stat(folder).st_uid in users:
            found.append(place)
        visited += 1
        if visited > _MOST_VISITED or len(found) >= _MOST_PREPARED:
            break
    return found


def _is_of_image(path: str, device: int) -> bool:
    try:
        return os.lstat(path).st_dev == device
    except OSError:
        return False


def crontabs(pid: int) -> list[tuple[str, str]]:
    """The crontabs of a container with the first process ``pid``, each with its path there."""
    found = []
    for place in _CRONTABS:
        folder = f"{_root_of(pid)}{place}"
        names = sorted(os.listdir(folder))[:_MOST_CRONTABS] if os.path.isdir(folder) else [""]
        for name in names:
            with contextlib.suppress(OSError), open(f"{folder}{name}", encoding="utf-8", errors="replace") as file:
                found.append((f"{place}{name}", file.read(_MOST_CRONTAB)))
    return found


def written(path: str) -> bool | None:
    """Whether somebody wrote to a folder that was made of an archive, whose entries are as old as time; None where
    nobody can tell."""
    try:
        with os.scandir(path) as entries:
            return os.stat(path).st_mtime > _DAY or any(
                each.stat(follow_symlinks=False).st_mtime > _DAY for each in entries
            )
    except OSError:
        return None


def ask_grpc(host: str, port: int, service: str, seconds: float) -> str | None:
    """None where grpc.health.v1.Health/Check says SERVING, else what went wrong.

    Sources: RFC 9113 (frames), RFC 7541 (a header without the table: 0x00), the gRPC protocol over HTTP/2.
    """
    until = time.monotonic() + seconds
    try:
        with socket.create_connection((host, port), seconds) as peer:
            named = service.encode()
            message = b"\n" + _varint(len(named)) + named if named else b""
            headers = b"".join(
                b"\0" + _varint_of_header(name) + _varint_of_header(value)
                for name, value in (
                    (b":method", b"POST"),
                    (b":scheme", b"http"),
                    (b":path", b"/grpc.health.v1.Health/Check"),
                    (b":authority", f"{host}:{port}".encode()),
                    (b"content-type", b"application/grpc"),
                    (b"te", b"trailers"),
                    (b"user-agent", b"kube-probe/1.35"),
                )
            )
            body = b"\0" + len(message).to_bytes(4, "big") + message
            peer.sendall(
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                + _frame(4, 0, 0, b"")
                + _frame(1, 4, 1, headers)
                + _frame(0, 1, 1, body)
            )
            return _grpc_answer(peer, until)
    except (OSError, ValueError) as error:
        return _reason(error)


def _grpc_answer(peer: socket.socket, until: float) -> str | None:
    """What came as data of the stream: a field 1 with the value 1 is SERVING."""
    held = b""
    while True:
        kind, flags, stream, body = _read_frame(peer, until)
        if time.monotonic() > until:
            raise TimeoutError
        _acknowledge(peer, kind, flags, body)
        if kind in (_RESET, _GO_AWAY):
            return "the connection was reset"
        if kind == _DATA and stream == 1:
            held += _unpadded(flags, body)
        if len(held) > _MOST_BODY:
            return "no answer of gRPC"
        if stream == 1 and kind in (_DATA, _HEADERS) and flags & _ENDS:
            return None if held[5:7] == b"\x08\x01" else "it does not say SERVING"


def _acknowledge(peer: socket.socket, kind: int, flags: int, body: bytes) -> None:
    """Answer a frame that asks for it, with what it holds where that is a ping."""
    if kind in (_SETTINGS, _PING) and not flags & _ENDS:
        peer.sendall(_frame(kind, _ENDS, 0, body if kind == _PING else b""))


def _unpadded(flags: int, body: bytes) -> bytes:
    return body[1 : len(body) - body[0]] if flags & _PADDED and body else body


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def _read_frame(peer: socket.socket, until: float) -> tuple[int, int, int, bytes]:
    head = _read(peer, 9, until)
    size = int.from_bytes(head[:3], "big")
    if size > 1 << 20:
        raise ValueError("no answer of gRPC")
    return head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF, _read(peer, size, until)


def _read(peer: socket.socket, count: int, until: float) -> bytes:
    found = b""
    while len(found) < count:
        peer.settimeout(max(0.01, until - time.monotonic()))
        chunk = peer.recv(count - len(found))
        if not chunk:
            raise ValueError("the connection was closed")
        found += chunk
    return found


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes((number & 127 | 128,))
        number >>= 7
    return found + bytes((number,))


def _varint_of_header(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),)) + text
    return b"\x7f" + _varint(len(text) - 127) + text


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return LATE
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return re.sub(r"\s+", " ", text)[:200]


def carry(pid: int, host: str, port: int, target: int) -> str | None:
    """Take connections at ``port`` of the pod at ``host`` to its ``target``, from now on: its Service maps them.

    It listens in the network namespace of ``pid``. None where it does, else what went wrong.
    """
    said: list[str | None] = []
    ready = threading.Event()

    def serve() -> None:
        try:
            _enter(pid)
            listener = socket.create_server((host, port), backlog=128)
        except OSError as error:
            said.append(_reason(error))
            ready.set()
            return
        said.append(None)
        ready.set()
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            # A thread that has entered a namespace stays there, and so do those that it starts.
            threading.Thread(target=_join, args=(client, host, target), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    ready.wait(10)
    return said[0] if said else LATE


def expose(pid: int, host: str, port: int) -> int | str:
    """Take connections on a port of the loopback here, and hand them to ``port`` of the container; that port, else what
    went wrong."""
    try:
        listener = socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        return _reason(error)
    number = int(listener.getsockname()[1])
    _exposed[number] = listener

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=hand_over, args=(client,), daemon=True).start()

    def hand_over(client: socket.socket) -> None:
        try:
            _enter(pid)
        except FileNotFoundError:  # it has ended
            client.close()
            return
        except OSError:  # without the right to enter it asks from here
            pass
        _join(client, host, port)

    threading.Thread(target=serve, daemon=True).start()
    return number


_exposed: dict[int, socket.socket] = {}


def hide(port: int) -> None:
    """Take no more connections on a port that ``expose`` gave."""
    listener = _exposed.pop(port, None)
    if listener is not None:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


_asked: dict[int, set[str]] = {}  # names, by the process that owns a network namespace
_NO_NAME, _ANSWER = 3, 0x8000  # RFC 1035: the code of an answer, and its flag
_MOST_NAMES = 200
_DNS = ("127.0.0.1", 53)


def answer_names(pid: int) -> bool:
    """Say from now on that no name is known to whoever asks in the network namespace of ``pid``, and note it; whether
    that is so."""
    ready: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def serve() -> None:
        try:
            _enter(pid)
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(_DNS)
            server.settimeout(1)
        except OSError:
            ready.put(False)
            return
        names = _asked[pid] = set()
        ready.put(True)
        with server:
            while os.path.isdir(f"/proc/{pid}"):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    query, client = server.recvfrom(512)
                    name, end = _name_of(query)
                    if len(names) < _MOST_NAMES:
                        names.add(name)
                    flags = int.from_bytes(query[2:4], "big") | _ANSWER | _NO_NAME
                    head = query[:2] + flags.to_bytes(2, "big") + b"\0\1" + bytes(6)
                    server.sendto(head + query[12 : end + 4], client)

    threading.Thread(target=serve, daemon=True).start()
    return ready.get(timeout=10)


def _name_of(query: bytes) -> tuple[str, int]:
    """The name that a query of DNS asks for, and where it ends."""
    at, labels = 12, []
    while (size := query[at]) != 0:
        labels.append(query[at + 1 : at + 1 + size].decode("ascii"))
        at += 1 + size
    name = ".".join(labels).lower()
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(name)
    return name, at + 1


_HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?")


def asked_names(pid: int) -> list[str]:
    """The names that somebody asked for where ``answer_names`` was called for ``pid``."""
    return sorted(_asked.get(pid, ()))


def _enter(pid: int) -> None:
    """Move this thread into the network namespace of a process."""
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _NET_NAMESPACE) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)


def _join(client: socket.socket, host: str, target: int) -> None:
    with client:
        try:
            server = socket.create_connection((host, target), 10)
        except OSError:
            return
        with server:
            server.settimeout(None)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, into: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            into.sendall(chunk)
    with contextlib.suppress(OSError):
        into.shutdown(socket.SHUT_WR)


def give(path: str, mode: int, user: int, group: int) -> str | None:
    """Give a folder a mode, and to a user and a group; None where that was done, else what went wrong."""
    try:
        os.chown(path, user, group)
        os.chmod(path, mode)
        return None
    except OSError as error:
        return _reason(error)


def free(path: str) -> int | None:
    """The bytes that are free where ``path`` lies."""
    try:
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize
    except OSError:
        return None


_tracers: dict[int, tuple[subprocess.Popen[bytes], str]] = {}  # by the process that each began at
_ATTACH_SECONDS = 5.0


def trace(pid: int, strace: str, folder: str) -> str | None:
    """Count from now on the system calls of a process and of all that it starts, by the program ``strace``, which
    writes to ``folder``; None where it does, else why not."""
    path = os.path.join(folder, f"calls-{pid}")
    words = [strace, "-f", "-c", "-U", "name", "-qq", "-o", path, "-p", str(pid)]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + _ATTACH_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if any(line == f"TracerPid:\t{process.pid}" for line in lines_of(f"/proc/{pid}/status")):
            _tracers[pid] = process, path
            return None
        time.sleep(0.02)
    process.kill()
    assert process.stderr is not None
    return process.stderr.read().decode("utf-8", "replace").strip() or "strace does not attach"


def traced(pid: int) -> list[str] | None:
    """The names of the system calls since ``trace`` was called for a process, which ends it; None where it was not."""
    if pid not in _tracers:
        return None
    process, path = _tracers.pop(pid)
    process.send_signal(signal.SIGINT)
    process.wait(_ATTACH_SECONDS)
    lines = [line.strip() for line in lines_of(path)]
    os.unlink(path)
    return sorted(line for line in lines if _CALL.fullmatch(line) and line not in ("syscall", "total"))


_CALL = re.compile(r"[a-z_][a-z0-9_]*")
_CALLS = {
    call.__name__: call
    for call in (
        look, watch, was_read, watch_raisers, raised, ask_tcp, ask_http, ask_grpc, ask_words, carry, expose, hide, give,
        free, prepared, stored, crontabs, written, trace, traced, answer_names, asked_names,
    )
}  # fmt: skip


def main() -> None:
    """Serve requests ``[number, name of a function, arguments...]`` until the input ends; answers are ``[number,
    result]``. Before the arguments of a probe stands a process, in whose network namespace it asks."""
    lock = threading.Lock()

    def answer(number: int, name: str, arguments: list[Any]) -> None:
        try:
            if name.startswith("ask_"):
                # From the namespace of the pod itself: what the machine does with connections of its own (a proxy that
                # takes them all, a firewall) says nothing of the pod. Without the right to enter it asks from here.
                pid = arguments.pop(0)
                try:
                    _enter(pid)
                except FileNotFoundError:
                    arguments[0] = _NOBODY  # it has ended: what would answer from here is somebody else
                except OSError:
                    pass
            result = _CALLS[name](*arguments)
        except Exception as error:  # what is asked for comes from manifests: a port beyond all ports, say
            result = _reason(error) if name in TELL else None
        with lock:
            sys.stdout.write(json.dumps([number, result]) + "\n")
            sys.stdout.flush()

    for line in sys.stdin:
        number, name, *arguments = json.loads(line)
        threading.Thread(target=answer, args=(number, name, arguments), daemon=True).start()
    for process, _ in _tracers.values():
        process.terminate()
    os._exit(0)  # threads that carry ports are of no use any more
