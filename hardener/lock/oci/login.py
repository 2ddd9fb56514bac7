"""Who asks a registry: nobody first, then with the login or token that the registry asks for.

Source: distribution.github.io/distribution/spec/auth/token and .../oauth.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlencode, urlsplit

from msgspec import Struct

from hardener.authoring import user_config
from hardener.lock.oci.credentials import Login
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import Transport, host_of
from hardener.support.shell_words import command

_LIMIT = 1 << 20  # bytes of an answer with a token
_LONGEST_TOKEN = 1 << 16  # characters; it stands in a header
_LONGEST_CHALLENGE = 4096  # characters; the patterns below take longer for each one more
_CHALLENGE = re.compile(r"(?i)(?:^|,)\s*(bearer|basic)(?:\s+|$)")
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
# Finds the login for a host and repository; the list hears of each helper that failed, in one line.
Finder = Callable[[str, str, list[str]], Login | None]


class Challenge(Struct, frozen=True):
    """What a registry asks for: ``bearer`` or ``basic``, and where tokens come from."""

    scheme: str
    realm: str = ""
    service: str = ""


def challenge(header: str) -> Challenge | None:
    """What ``WWW-Authenticate`` asks for; tokens where it takes both. None for anything else."""
    found: dict[str, Challenge] = {}
    if len(header) > _LONGEST_CHALLENGE:
        return None
    starts = list(_CHALLENGE.finditer(header))
    for index, start in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(header)
        pairs = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(header[start.end() : end])}
        found[start[1].lower()] = Challenge(start[1].lower(), pairs.get("realm", ""), pairs.get("service", ""))
    return found.get("bearer") or found.get("basic")


class Logins:
    """The authorisation of each repository, made once and used by all threads. ``plain`` tells whether a host may be
    spoken to without TLS, ``may_log_in`` whether a login may be sent to it as it is spoken to."""

    def __init__(
        self,
        transport: Transport,
        plain: Callable[[str], bool],
        may_log_in: Callable[[str], bool],
        find: Finder,
    ) -> None:
        self._transport = transport
        self._plain = plain
        self._may_log_in = may_log_in
        self._find = find
        self._lock = threading.Lock()
        self._challenges: dict[str, tuple[Challenge, tuple[str, ...]]] = {}  # by host, with who was asked for it
        self._headers: dict[Place, str] = {}

    def header(self, place: Place) -> str | None:
        """The value of Authorization for a request, as far as it is known what a registry asks for."""
        with self._lock:
            known = self._headers.get(place)
            asked = self._challenges.get(place.host)
        if known is not None or asked is None:
            return known
        return self._made(*asked, place)

    def has_login(self, place: Place) -> bool:
        """Whether this machine has a login for a repository."""
        return self._find(place.login, place.repository, []) is not None

    def trouble(self, place: Place) -> str:
        """Why this machine may have no login for a repository: ": " and the helpers that failed, else ""."""
        troubles: list[str] = []
        if self._find(place.login, place.repository, troubles) is not None:
            return ""
        return f": {', '.join(dict.fromkeys(troubles))}" if troubles else ""

    def refused(self, header: str, used: str | None, place: Place, via: Sequence[str]) -> bool:
        """Take in that a registry answered 401 with this WWW-Authenticate, at the addresses ``via``. Whether another
        attempt makes sense."""
        asked = challenge(header)
        if asked is None:
            return False
        with self._lock:
            self._challenges[place.host] = asked, tuple(via)
            if self._headers.get(place) == used:
                self._headers.pop(place, None)
        # A token ends after minutes; a password that was refused stays wrong.
        return (self._made(asked, tuple(via), place) or used) != used

    def _made(self, asked: Challenge, via: tuple[str, ...], place: Place) -> str | None:
        # A token that a login bought is as good as the login, so it does not go without TLS either.
        login = self._find(place.login, place.repository, []) if self._may_log_in(place.host) else None
        if asked.scheme == "basic":
            made = login.basic if login is not None and not login.is_token else None
        else:
            made = f"Bearer {self._token(asked, login, place, via)}"
        if made is not None:
            with self._lock:
                self._headers[place] = made
        return made

    def _token(self, asked: Challenge, login: Login | None, place: Place, via: tuple[str, ...]) -> str:
        host, realm = place.login, self._realm(asked, place.login)
        # Ours, whatever the registry would like: to read this one repository.
        query = {"service": asked.service, "scope": f"repository:{place.repository}:pull"}
        self._transport.check(asked.realm, via)
        if login is not None and realm.scheme == "http" and not self._may_log_in(realm.netloc):
            raise RegistryError(
                f"{host}: names {host_of(asked.realm)} for tokens, which has no TLS, so it gets no login"
                f" (insecure: true for it in {user_config.shown()} if it is on this machine)"
            )
        if login is not None and login.is_token:
            form = {**query, "grant_type": "refresh_token", "client_id": "harden", "refresh_token": login.secret}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._transport.send("POST", asked.realm, headers, _LIMIT, urlencode(form).encode(), via=via)
        else:
            joint = "&" if realm.query else "?"
            headers = {} if login is None else {"Authorization": login.basic}
            answer = self._transport.send("GET", f"{asked.realm}{joint}{urlencode(query)}", headers, _LIMIT, via=via)
        refuses = answer.status in (400, 401, 403)
        if refuses and login is not None:
            raise RegistryError(
                f"{host}: the login for it is refused ({answer.status}): {command('docker login {}', host)}",
                answer.status,
            )
        if answer.status != 200:
            trouble = self.trouble(place) if refuses else ""
            said = f"{host}: its token server {host_of(asked.realm)} answers {answer.status}{trouble}"
            raise RegistryError(said, answer.status)
        token = _token_in(answer.body)
        if token is None:
            raise RegistryError(f"{host}: its token server {host_of(asked.realm)} gives no token")
        return token

    def _realm(self, asked: Challenge, host: str) -> SplitResult:
        """The address of the token server. Raises RegistryError for one that must not be asked."""
        problem = RegistryError(f"{host}: names no address with TLS for tokens")
        try:
            realm = urlsplit(asked.realm)
            name = realm.hostname
        except ValueError:
            raise problem from None
        if name is None or realm.username is not None or realm.fragment:
            raise problem
        if realm.scheme == "https" or (realm.scheme == "http" and self._plain(realm.netloc)):
            return realm
        raise problem


def _token_in(body: bytes) -> str | None:
    """The token that a token server sent; None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
    is_token = isinstance(token, str) and len(token) <= _LONGEST_TOKEN and re.fullmatch(r"[!-~]+", token)
    return token if is_token else None
