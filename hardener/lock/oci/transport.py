"""HTTP as registries need it: retries, waits that a server asks for, redirects without the login, bounded answers."""

from __future__ import annotations

import math
import os
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from hardener.errors import InputError
from hardener.lock.oci.registry_error import RegistryError
from hardener.support.fast_dataclass import dataclass

CONNECTIONS = 16
CONNECT_SECONDS, READ_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 90.0
# Between the attempts; a server that names its own time is waited for, up to the longest.
BACK_OFF = (0.5, 1.0, 2.0)
LONGEST_WAIT = 30.0
_HEADERS = {"User-Agent": "harden", "Accept-Encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_COMES_AND_GOES = frozenset({500, 502, 503, 504})
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; the names of ``headers`` are lower case. ``taken``: what ``take`` made of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    taken: Any = None


@dataclass(frozen=True, slots=True)
class Taker:
    """What reads the body of a 200 while it comes, within ``seconds``; ``take`` is called anew where it broke off."""

    take: Callable[[Iterator[bytes]], Any]
    seconds: float


def is_loopback(host: str) -> bool:
    """Whether a host, with or without its port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    # All four numbers: 127.0.0.1.example.com is another machine.
    return name in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", name) is not None


class Transport:
    """At most ``CONNECTIONS`` connections, shared by threads. ``pause`` waits that many seconds, and may raise.

    ``plain`` tells whether a host may be spoken to without TLS.
    """

    def __init__(self, plain: Callable[[str], bool], pause: Callable[[float], object] = time.sleep) -> None:
        self._plain = plain
        self._pause = pause
        self._http = _client()
        self._lock = threading.Lock()
        self._down: dict[str, RegistryError] = {}  # by origin: a server that failed is not asked for the next image
        self._not_before: dict[str, float] = {}  # by origin: when it takes requests again

    def close(self) -> None:
        self._http.close()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], limit: int, content: bytes | None = None,
        taker: Taker | None = None,
    ) -> Answer:  # fmt: skip
        """The answer to one request, redirects followed; ``limit`` is the most bytes of its body, unless ``taker``
        reads it.

        Raises RegistryError when there is none, it ends early, it is too long, or it stays 429.
        """
        host = host_of(url)
        with self._lock:
            down = self._down.get(_origin(url))
        if down is not None:
            raise RegistryError(str(down), down.status)
        problem = RegistryError(f"{host}: no answer")
        until = time.monotonic() + ANSWER_SECONDS
        for attempt in range(len(BACK_OFF) + 1):
            self._wait(url)
            try:
                answer = self._follow(method, url, dict(headers), limit, content, taker)
            except httpx2.TransportError as error:
                problem, wait = RegistryError(f"{host}: {_reason(error)}"), 0.0
                down = problem if isinstance(error, _IS_DOWN) else None
                if _stays_wrong(error) or (isinstance(error, httpx2.TimeoutException) and time.monotonic() > until):
                    break
            else:
                down = None
                if answer.status == 429:
                    down = problem = RegistryError(f"{host}: too many requests (429); try again later, or log in", 429)
                elif answer.status in _COMES_AND_GOES:
                    problem = RegistryError(f"{host}: answers {answer.status}", answer.status)
                else:
                    return answer
                wait = _asked_wait(answer)
                if answer.status == 429 and _is_used_up(answer):
                    break
                if wait > LONGEST_WAIT:
                    down = problem = RegistryError(
                        f"{host}: too many requests ({answer.status}); it asks to wait {wait:.0f} s"
                    )
                    break
            if attempt < len(BACK_OFF):
                self._hold(url, max(wait, BACK_OFF[attempt] * random.uniform(1, 1.25)), all=wait > 0)
        if down is not None:
            with self._lock:
                self._down[_origin(url)] = down
        raise problem

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
        self, method: str, url: str, headers: dict[str, str], limit: int, content: bytes | None, taker: Taker | None
    ) -> Answer:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(method, url, headers, limit, content, taker)
            place = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not place:
                return answer
            try:
                target = urljoin(url, place)
                scheme, host = urlsplit(target).scheme, urlsplit(target).netloc
                plain = scheme == "http" and self._plain(host)
            except ValueError:
                raise RegistryError(f"{host_of(url)}: sends to what is no address") from None
            if scheme != "https" and not plain:
                raise RegistryError(f"{host_of(url)}: sends to an address without TLS")
            if _origin(target) != _origin(url):
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
                content = None  # a login may stand there, too
            url = target
        raise RegistryError(f"{host_of(url)}: sends from one address to the next")

    def _once(
        self, method: str, url: str, headers: dict[str, str], limit: int, content: bytes | None, taker: Taker | None
    ) -> Answer:
        host = host_of(url)
        left = _Left(taker.seconds if taker is not None else ANSWER_SECONDS)
        try:
            # Made here, as the client adds nothing that is needed and takes a third longer.
            request = httpx2.Request(
                method, url, headers=_HEADERS | headers, content=content,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": left, "write": left, "pool": None}},
            )  # fmt: skip
            response = self._http.send(request, stream=True)
            try:
                if taker is not None and response.status_code == 200:
                    return Answer(200, {}, taken=taker.take(response.iter_raw()))
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
        return Answer(response.status_code, found, _decoded(bytes(body), found, host, limit))


class _Left:
    """The seconds until an answer has to be whole, for ``settimeout``, which asks an object for its ``__index__``.

    A number would hold for each read of its own: a server that sends a byte now and then could keep a run for days.
    """

    __slots__ = ("_until",)

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def __index__(self) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return math.ceil(min(left, READ_SECONDS))  # Python takes nothing but an int from here


def _decoded(body: bytes, headers: Mapping[str, str], host: str, limit: int) -> bytes:
    """``body`` as it was before a server packed it, which it was asked not to do."""
    packed = headers.get("content-encoding", "identity").strip().lower()
    if not body or packed in ("identity", ""):
        return body
    import zlib

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


def host_of(url: str) -> str:
    """The host and port of an address that may be anything, for a message."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return host if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", host) else "its server"


# A server that fails so is not asked again in this run.
_IS_DOWN = (httpx2.ConnectError, httpx2.TimeoutException, httpx2.ProxyError)
_UNASKED = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


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
            return "it does not speak TLS (insecure: true for it in .harden.yaml)"
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
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    if not text:
        return 0.0
    from email.utils import parsedate_to_datetime

    try:
        # By the server's own clock, where it shows it.
        now = answer.headers.get("date")
        then = parsedate_to_datetime(text).timestamp()
        return max(0.0, then - (parsedate_to_datetime(now).timestamp() if now else time.time()))
    except (TypeError, ValueError, OverflowError):
        return 0.0
