"""HTTP as registries need it: retries, waits that a server asks for, redirects without the login, bounded answers.

A server may send us to another one. It may not send us to this machine or into a private network, unless it is there
itself: what is asked there would be asked in the name of whoever runs harden.
"""

from __future__ import annotations

import math
import os
import random
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
from msgspec import Struct

from hardener.authoring import user_config
from hardener.errors import InputError
from hardener.lock.oci.networks import Network, network_of, networks_of
from hardener.lock.oci.registry_error import RegistryError

CONNECTIONS = 16
CONNECT_SECONDS, READ_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 90.0
CONNECTS_SECONDS = 30.0  # for all addresses of a name together
# Between the attempts; a server that names its own time is waited for, up to the longest.
BACK_OFF = (0.5, 1.0, 2.0)
LONGEST_WAIT = 30.0
_HEADERS = {"User-Agent": "harden", "Accept-Encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Answer(Struct, frozen=True):
    """What a server said; the names of ``headers`` are lower case. ``taken``: what ``take`` made of the body.
    ``sent_to``: the addresses that were asked, in their order: a redirect leads from one to the next."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    taken: Any = None
    sent_to: tuple[str, ...] = ()


class Taker(Struct, frozen=True):
    """What reads the body of a 200 while it comes, which is given up after ``seconds`` and one more for each
    ``slowest`` bytes that came; ``take`` is called anew where it broke off."""

    take: Callable[[Iterator[bytes]], Any]
    seconds: float
    slowest: int


def is_loopback(host: str) -> bool:
    """Whether a host, with or without its port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    # All four numbers: 127.0.0.1.example.com is another machine.
    return name in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", name) is not None


class Transport:
    """At most ``CONNECTIONS`` connections, shared by threads. ``pause`` waits that many seconds, and may raise.

    ``plain`` tells whether a host may be spoken to without TLS, ``named`` whether the user names it in a file of their
    own: such a host is asked wherever it is.
    """

    def __init__(
        self,
        plain: Callable[[str], bool],
        pause: Callable[[float], object] = time.sleep,
        named: Callable[[str], bool] = lambda host: False,
    ) -> None:
        self._plain = plain
        self._pause = pause
        self._named = named
        self._http = _client()
        self._lock = threading.Lock()
        self._down: dict[str, RegistryError] = {}  # by origin: a server that failed is not asked for the next image
        self._not_before: dict[str, float] = {}  # by origin: when it takes requests again
        self._met: dict[str, set[Network]] = {}  # by origin: where it was when it was connected to
        self._known: dict[str, frozenset[Network]] = {}  # by name of a host: where its addresses are

    def close(self) -> None:
        self._http.close()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], limit: int, content: bytes | None = None,
        taker: Taker | None = None, via: Sequence[str] = (),
    ) -> Answer:  # fmt: skip
        """The answer to one request, redirects followed; ``limit`` is the most bytes of its body, unless ``taker``
        reads it. ``via``: the addresses of the servers that named this one, in their order.

        Raises RegistryError when there is none, it ends early, it is too long, it stays 429, or where it must not be
        asked.
        """
        host = host_of(url)
        with self._lock:
            down = self._down.get(_origin(url))
        if down is not None:
            raise RegistryError(str(down), down.status)
        until = time.monotonic() + ANSWER_SECONDS
        for pause in (*BACK_OFF, None):
            self._wait(url)
            try:
                answer = self._follow(method, url, dict(headers), limit, content, taker, tuple(via))
            except httpx2.TransportError as error:
                failure = _Failure.without_answer(host, error, late=time.monotonic() > until)
            else:
                if answer.status not in _TRY_AGAIN:
                    return answer
                failure = _Failure.turned_away(host, answer)
            # Each attempt took long, so would the next.
            slow = not failure.is_last and taker is None and time.monotonic() > until
            if failure.is_last or slow or pause is None:
                break
            self._hold(url, max(failure.wait, pause * random.uniform(1, 1.25)), all=failure.wait > 0)
        if failure.is_down or slow:
            with self._lock:
                self._down[_origin(url)] = failure.problem
        raise failure.problem

    def _hold(self, url: str, seconds: float, *, all: bool) -> None:
        if all:  # it asked for it, so every thread waits
            with self._lock:
                self._not_before[_origin(url)] = time.monotonic() + seconds
        else:
            self._pause(seconds)

    def _wait(self, url: str) -> None:
        with self._lock:
            left = self._not_before.get(_origin(url), 0.0) - time.monotonic()
        if left > 0:
            self._pause(left)

    def _follow(
        self, method: str, url: str, headers: dict[str, str], limit: int, content: bytes | None, taker: Taker | None,
        via: tuple[str, ...],
    ) -> Answer:  # fmt: skip
        left = _Left(ANSWER_SECONDS if taker is None else taker.seconds)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(method, url, headers, limit, content, taker, left, via)
            place = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not place:
                return answer
            try:
                target = urljoin(url, place)
                parts = urlsplit(target)
                plain = parts.scheme == "http" and self._plain(parts.netloc)
            except ValueError:
                raise RegistryError(f"{host_of(url)}: sends to what is no address") from None
            if parts.scheme != "https" and not plain:
                raise RegistryError(f"{host_of(url)}: sends to an address without TLS")
            if parts.username is not None:
                raise RegistryError(f"{host_of(url)}: sends to an address with a login in it")
            if _origin(target) != _origin(url):
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
                content = None  # a login may stand there, too
            via = (*via, url)
            url = target
        raise RegistryError(f"{host_of(url)}: sends from one address to the next")

    def _once(
        self, method: str, url: str, headers: dict[str, str], limit: int, content: bytes | None, taker: Taker | None,
        left: _Left, via: tuple[str, ...],
    ) -> Answer:  # fmt: skip
        host = host_of(url)
        try:
            # Made here, as the client adds nothing that is needed and takes a third longer.
            request = httpx2.Request(method, url, headers=_HEADERS | headers, content=content)
            watch = self._watch(request, url, via)
            connect = _Left(CONNECTS_SECONDS, CONNECT_SECONDS)
            request.extensions = {
                "timeout": {"connect": connect, "read": left, "write": left, "pool": None}, "trace": watch,
            }  # fmt: skip
            response = self._http.send(request, stream=True)
            try:
                if taker is not None and response.status_code == 200:
                    return Answer(200, {}, taken=taker.take(left.fed(response.iter_raw(), taker.slowest)))
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > limit:
                        raise RegistryError(f"{host}: answers with more than {limit >> 20} MiB")
            finally:
                response.close()
        except (httpx2.InvalidURL, UnicodeError):
            raise RegistryError(f"{host}: no address or no answer that can be read") from None
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        return Answer(response.status_code, found, _decoded(bytes(body), found, host, limit), sent_to=(*via, url))

    # Where a server is, and whether another one may send us there.

    def check(self, url: str, via: Sequence[str]) -> None:
        """Raises RegistryError where the servers ``via`` may not send us to ``url``, as far as its name tells; the
        address that is connected to is looked at, too."""
        may = self._may(url, via)
        for where in self._where(urlsplit(url).hostname or "") if via else ():
            self._check(where, url, via, may)

    def _watch(self, request: httpx2.Request, url: str, via: tuple[str, ...]) -> _Watch:
        """What looks at each connection for ``request``. Raises RegistryError where it is known before that the server
        must not be asked."""
        host = request.url.raw_host.decode("ascii", "replace")
        if (urlsplit(url).hostname or "") not in (host, request.url.host):
            raise httpx2.InvalidURL("two programs read two hosts")
        self.check(url, via)
        may = self._may(url, via)
        with self._lock:
            met = self._met.setdefault(_origin(url), set())
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        return _Watch((host, port), met, lambda where: self._check(where, url, via, may))

    def _may(self, url: str, via: Sequence[str]) -> Set[Network]:
        """Where the server of ``url`` may be."""
        netloc = urlsplit(url).netloc
        if is_loopback(netloc):
            own = frozenset({Network.LOOPBACK})  # whatever a resolver or proxy makes of its name
            return own if not via or self._named(netloc) or self._all_are(via, Network.LOOPBACK) else frozenset()
        if not via:  # a registry, by the name that an image has
            return frozenset(Network) if self._named(netloc) else frozenset(Network) - {Network.LINK}
        if self._named(netloc):  # not even the user means those who tell the secrets of a machine
            return frozenset(Network) - {Network.LINK}
        there = {where for where in (Network.PRIVATE, Network.LOOPBACK) if self._all_are(via, where)}
        return there | {Network.PUBLIC, Network.PROXY}

    def _all_are(self, via: Sequence[str], where: Network) -> bool:
        with self._lock:
            return all(self._met.get(_origin(url)) == {where} for url in via)

    def _where(self, host: str) -> frozenset[Network]:
        if host not in self._known:
            self._known[host] = networks_of(host)
        return self._known[host]

    def _check(self, where: Network, url: str, via: Sequence[str], may: Set[Network]) -> None:
        if where in may:
            return
        host = host_of(url)
        if where is Network.PROXY:
            raise RegistryError(f"{host}: is this machine, and a proxy is configured for it: name it in NO_PROXY")
        if via and where is Network.LINK:
            asker = host_of(via[0])
            raise RegistryError(f"{asker}: sends to {host}, {where}: not asked, tell those who run {asker}")
        name = f"write {host}: {{}} under registries in {user_config.shown()} if that is meant"
        if via:
            raise RegistryError(f"{host_of(via[0])}: sends to {host}, {where}, where it is not itself: {name}")
        raise RegistryError(f"{host}: {where}, where no registry is: {name}")


class _Watch:
    """Hears of each step of a request (extension ``trace`` of httpx), and ends it before a byte is sent to where it
    must not go: the address that counts is the one that was connected to, whatever a resolver said before.

    ``met``: where the server was, at each connection to it, which other requests may use.
    """

    __slots__ = ("_check", "_direct", "_met", "_server")

    def __init__(self, server: tuple[str, int], met: set[Network], check: Callable[[Network], object]) -> None:
        self._server, self._met, self._check = server, met, check
        self._direct = True

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.started"):
            self._direct = (info["host"], info["port"]) == self._server
        elif event.endswith("connect_tcp.complete"):
            stream = info["return_value"]
            where = network_of(str(stream.get_extra_info("server_addr")[0])) if self._direct else Network.PROXY
            try:
                self._check(where)
            except RegistryError:
                stream.close()
                raise
            self._met.add(where)
        elif event.endswith("send_request_headers.started"):  # it may be a connection that another request made
            for where in tuple(self._met):
                self._check(where)


class _Left:
    """The seconds until an answer has to be whole, for ``settimeout``, which asks an object for its ``__index__``.

    A number would hold for each read of its own: a server that sends a byte now and then could keep a run for days.
    ``most``: seconds of one step.
    """

    __slots__ = ("_most", "_until")

    def __init__(self, seconds: float, most: float | None = None) -> None:
        self._until = time.monotonic() + seconds
        self._most = READ_SECONDS if most is None else most

    def __index__(self) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return math.ceil(min(left, self._most))  # Python takes nothing but an int from here

    def fed(self, chunks: Iterator[bytes], slowest: int) -> Iterator[bytes]:
        """``chunks``; each gives the rest the time that so many bytes may take at ``slowest`` bytes a second."""
        for chunk in chunks:
            self._until += len(chunk) / slowest
            yield chunk


def _decoded(body: bytes, headers: Mapping[str, str], host: str, limit: int) -> bytes:
    """``body`` as it was before a server packed it, which it was asked not to do."""
    packed = headers.get("content-encoding", "identity").strip().lower()
    if not body or packed in ("identity", ""):
        return body

    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpack.decompress(body, limit + 1) if packed in ("gzip", "x-gzip") else None
    except zlib.error:
        plain = None
    if plain is None:
        raise RegistryError(f"{host}: answers in an encoding that it was not asked for")
    if len(plain) > limit:
        raise RegistryError(f"{host}: answers with more than {limit >> 20} MiB")
    if not unpack.eof:
        raise RegistryError(f"{host}: the answer ends early")
    return plain


def _client() -> httpx2.Client:
    """Raises InputError where the environment names a proxy or certificates that are none."""
    try:
        return httpx2.Client(
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            mounts={f"all://{host}": None for host in _LOOPBACK},  # no proxy stands between a machine and itself
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )
    except ImportError:
        raise InputError("a SOCKS proxy needs the package socksio: pip install socksio, or unset ALL_PROXY") from None
    except (ValueError, httpx2.InvalidURL):
        raise InputError("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no proxy: write http://host:port") from None
    except OSError as error:
        import ssl

        problem = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise InputError(f"SSL_CERT_FILE or SSL_CERT_DIR: cannot be read: {problem}") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def same_server(url: str, other: str) -> bool:
    """Whether two addresses are of one server: scheme, host and port."""
    return _origin(url) == _origin(other)


def host_of(url: str) -> str:
    """The host and port of an address that may be anything, for a message."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return host if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", host) else "its server"


# A server that fails so is not asked again in this run.
_IS_DOWN = (httpx2.ConnectError, httpx2.TimeoutException, httpx2.ProxyError)
_UNASKED = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


class _Failure(Struct, frozen=True):
    """An attempt that failed. ``is_down``: the server is not asked again in this run; ``is_last``: another attempt
    would end the same; ``wait``: the seconds that the server asks for."""

    problem: RegistryError
    is_down: bool
    is_last: bool
    wait: float = 0.0

    @classmethod
    def without_answer(cls, host: str, error: httpx2.TransportError, *, late: bool) -> _Failure:
        """That of an attempt which ``error`` ended, ``late`` where its time was up."""
        is_last = _stays_wrong(error) or (late and isinstance(error, httpx2.TimeoutException))
        return cls(RegistryError(f"{host}: {_reason(error)}"), isinstance(error, _IS_DOWN), is_last)

    @classmethod
    def turned_away(cls, host: str, answer: Answer) -> _Failure:
        """That of an ``answer`` which says to come back later."""
        status, wait = answer.status, _asked_wait(answer)
        too_many = status == 429
        if wait > LONGEST_WAIT and not (too_many and _is_used_up(answer)):
            said = f"too many requests ({status}); it asks to wait {wait:.0f} s"
            return cls(RegistryError(f"{host}: {said}"), True, True)
        said = "too many requests (429); try again later, or log in" if too_many else f"answers {status}"
        return cls(RegistryError(f"{host}: {said}", status), too_many, too_many and _is_used_up(answer), wait)


def _stays_wrong(error: httpx2.TransportError) -> bool:
    """Whether another attempt would end the same."""
    import ssl

    return isinstance(error, _UNASKED) or any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: httpx2.TransportError) -> str:
    """What happened, in words that hold nothing of the server's."""
    import ssl

    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx2.RemoteProtocolError):
        early = any(word in str(error) for word in ("disconnected", "closed"))
        return "the answer ends early" if early else "its answer is no HTTP"
    if isinstance(error, _UNASKED):
        return "no address that can be asked"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"it does not speak TLS (insecure: true for it in {user_config.shown()})"
        if isinstance(cause, socket.gaierror):
            return "no such host"
        if isinstance(cause, OSError) and cause.errno is not None:
            return f"no answer: {os.strerror(cause.errno)}"
    return "the proxy does not let it through" if isinstance(error, httpx2.ProxyError) else "no answer"


def _is_used_up(answer: Answer) -> bool:
    """Whether no pull is left: Docker Hub counts them for hours. Source: docs.docker.com/docker-hub/usage/pulls."""
    return answer.headers.get("ratelimit-remaining", "").partition(";")[0].strip() == "0"


def _asked_wait(answer: Answer) -> float:
    """The seconds that ``Retry-After`` asks for: a number, or a day and time; 0 without it."""
    text = answer.headers.get("retry-after", "")[:80].strip()
    if text.isdecimal():
        return float(text[:9])
    if not text:
        return 0.0

    try:
        # By the server's own clock, where it shows it.
        now = answer.headers.get("date")
        then = parsedate_to_datetime(text).timestamp()
        return max(0.0, then - (parsedate_to_datetime(now).timestamp() if now else time.time()))
    except (TypeError, ValueError, OverflowError):
        return 0.0
