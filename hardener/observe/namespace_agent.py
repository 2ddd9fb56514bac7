"""What has to be done where the containers are: look at their processes, ask their ports, carry a port of a Service.

A process of its own, since of a rootless engine that is another user namespace: its standard input takes requests, its
output gives answers, both one JSON value a line. It uses the standard library alone, so that it starts as it is.
Sources: proc_pid_status(5), proc_net_tcp (Documentation/networking/proc_net_tcp.rst of Linux), Documentation/
admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst; of probes: kubernetes pkg/probe/http and pkg/probe/tcp.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
from typing import Any

_LISTENS, _MOST_BODY, _MOST_SOCKETS = "0A", 10 * 1024, 20_000
_GONE = frozenset(("00", "07"))  # no state, closed
EPHEMERAL = 32768  # a port of UDP from here on is that of a client
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GO_AWAY = 0, 1, 3, 4, 6, 7  # frames of HTTP/2
_ENDS, _PADDED = 1, 8  # flags of them: the end of a stream, or an answer
_NET_NAMESPACE = 0x40000000
LATE = "no answer in time"
TELL = frozenset(("ask_tcp", "ask_http", "ask_grpc", "carry", "give"))  # of what went wrong; None is well


def look(pid: int, container: str) -> dict[str, Any]:
    """What the processes of the container with the first process ``pid`` are and hold now; what cannot be read is None.
    ``container`` is its id, by which its control group is known as its own.

    ``users``: (number of user, numbers of its groups, effective capabilities as a number) of each process, the first
    one first. ``sockets``: (protocol, local address, local port, remote address, remote port, whether it listens) of
    its network namespace. ``memory``: the most bytes that its control group used. ``busy``: whether one of them runs,
    or waits for a processor or a disk, at this moment. ``jailed``: whether their roots are several (chroot).
    """
    group = {name: path for name, path in _group(pid).items() if container in path}
    pids = _pids(group) or _family(pid)
    return {
        "users": [found for each in sorted(pids, key=lambda each: each != pid) if (found := _status(each)) is not None],
        "sockets": _sockets(pid, _held(pids)),
        "memory": _peak(group) or _most(pids),
        "busy": any(_is_busy(each) for each in pids),
        "jailed": len({root for each in pids if (root := _root(each)) is not None}) > 1,
    }


def _group(pid: int) -> dict[str, str]:
    """The control group of a process, by controller; "" is that of the unified hierarchy."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in _lines(f"/proc/{pid}/cgroup"):
            _, names, path = line.split(":", 2)
            found |= dict.fromkeys(names.split(","), path)
    return found


def _places(group: dict[str, str], controller: str) -> list[str]:
    found = [f"/sys/fs/cgroup/{controller}{group[controller]}"] if controller in group else []
    if "" in group:
        found += [f"/sys/fs/cgroup{group['']}", f"/sys/fs/cgroup/unified{group['']}"]
    return found


def _pids(group: dict[str, str]) -> list[int]:
    for place in _places(group, "pids") + _places(group, "memory"):
        with contextlib.suppress(OSError, ValueError):
            return [int(line) for line in _lines(f"{place}/cgroup.procs")]
    return []


def _is_busy(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("R", "D")
    except (OSError, IndexError):
        return False


def _root(pid: int) -> tuple[int, int] | None:
    try:
        found = os.stat(f"/proc/{pid}/root")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _family(pid: int) -> list[int]:
    """A process and those that share its namespace of processes: where it has no control group of its own."""
    try:
        own = os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return [pid]
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdecimal() and os.readlink(f"/proc/{name}/ns/pid") == own:
                found.append(int(name))
    return found


def _most(pids: list[int]) -> int | None:
    """The most bytes that processes held, all together."""
    found = None
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            for line in _lines(f"/proc/{pid}/status"):
                if line.startswith("VmHWM:"):
                    found = (found or 0) + int(line.split()[1]) * 1024
    return found


def _peak(group: dict[str, str]) -> int | None:
    for place in _places(group, "memory"):
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with contextlib.suppress(OSError, ValueError):
                return int(_lines(f"{place}/{name}")[0])
    return None


def _status(pid: int) -> tuple[int, list[int], int] | None:
    try:
        said = dict(line.split(":\t", 1) for line in _lines(f"/proc/{pid}/status") if ":\t" in line)
        groups = {int(said["Gid"].split()[1]), *map(int, said["Groups"].split())}
        return int(said["Uid"].split()[1]), sorted(groups), int(said["CapEff"], 16)
    except (OSError, ValueError, KeyError, IndexError):
        return None


def _held(pids: list[int]) -> set[str] | None:
    """The inodes of the sockets that processes hold; None where nobody may look."""
    found: set[str] = set()
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    kind, _, inode = os.readlink(f"/proc/{pid}/fd/{name}").partition(":")
                    if kind == "socket":
                        found.add(inode.strip("[]"))
        except PermissionError:
            return None
        except OSError:
            continue  # it has ended
    return found


def _sockets(pid: int, held: set[str] | None) -> list[tuple[str, str, int, str, int, bool, bool]] | None:
    """Those of its network namespace, and whether each is ``held``: containers of a pod share one, and ``carry``
    listens there too."""
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = _lines(f"/proc/{pid}/net/{name}")[1 : _MOST_SOCKETS + 1]
        except OSError:
            if name == "tcp":
                return None
            continue
        for line in lines:
            _, local, remote, state, *more = line.split()
            inode = more[5] if len(more) > 5 else ""
            (here, port), (there, other) = _address(local), _address(remote)
            protocol = name.rstrip("6")
            if protocol == "udp":
                listens = other == 0 and port < EPHEMERAL
                if other == 0 and not listens:
                    continue
            elif state in _GONE:
                continue
            else:
                listens = state == _LISTENS
            own = held is None or inode in held
            found.append((protocol, here, port, there, other, listens, own))
    return found


def _address(text: str) -> tuple[str, int]:
    """ "0100007F:1F90" -> ("127.0.0.1", 8080); the kernel writes words of the machine's own order."""
    number, _, port = text.partition(":")
    raw = b"".join(
        bytes.fromhex(number[at : at + 8])[:: -1 if sys.byteorder == "little" else 1] for at in range(0, len(number), 8)
    )
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


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


_CALLS = {call.__name__: call for call in (look, watch, was_read, ask_tcp, ask_http, ask_grpc, carry, give, free)}


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
                with contextlib.suppress(OSError):
                    _enter(pid)
            result = _CALLS[name](*arguments)
        except Exception as error:  # what is asked for comes from manifests: a port beyond all ports, say
            result = _reason(error) if name in TELL else None
        with lock:
            sys.stdout.write(json.dumps([number, result]) + "\n")
            sys.stdout.flush()

    for line in sys.stdin:
        number, name, *arguments = json.loads(line)
        threading.Thread(target=answer, args=(number, name, arguments), daemon=True).start()
    os._exit(0)  # threads that carry ports are of no use any more


if __name__ == "__main__":
    main()
