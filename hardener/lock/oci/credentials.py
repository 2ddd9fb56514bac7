"""The logins of this machine, where ``docker login``, ``podman login`` and credential helpers keep them.

Sources: docs.docker.com/reference/cli/docker/login (config.json, credsStore, credHelpers); containers-auth.json(5).
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hardener.support import programs

HUB = "docker.io"
# Under which names a login for Docker Hub is kept.
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_TOKEN_USER = "<token>"
_HELPER_SECONDS = 20
# Source: github.com/docker/docker-credential-helpers, credentials/error.go.
_NOT_FOUND = b"credentials not found"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password; or, where ``is_token`` is set, a token that a token server exchanges for another."""

    user: str
    secret: str = field(repr=False)
    is_token: bool = False

    @property
    def basic(self) -> str:
        """As a header says it."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


def find(host: str, repository: str, troubles: list[str] | None = None) -> Login | None:
    """The login for ``repository`` of the registry ``host`` (``docker.io`` for Docker Hub); None without one.

    A file that is missing or broken holds none. ``troubles`` hears of each helper that failed, in one line.
    """
    troubles = [] if troubles is None else troubles
    for path in _files():
        try:
            with open(path, encoding="utf-8") as handle:
                settings = json.load(handle)
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(settings, dict) and (login := _of(settings, host, repository, troubles)) is not None:
            return login
    return None


def _files() -> Iterator[str]:
    named = os.environ.get("REGISTRY_AUTH_FILE")
    if named:  # it stands instead of all others
        yield named
        return
    home = os.path.expanduser("~")
    yield os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker"), "config.json")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield os.path.join(runtime, "containers", "auth.json")
    yield os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "containers", "auth.json")


def _of(settings: dict[str, Any], host: str, repository: str, troubles: list[str]) -> Login | None:
    keys = _keys(host, repository)
    helpers, auths = (value if isinstance(value, dict) else {} for value in map(settings.get, ("credHelpers", "auths")))
    for key in keys:
        if isinstance(helper := helpers.get(key), str):
            return _helped(helper, key, troubles)
    for key in keys:
        if isinstance(entry := auths.get(key), dict) and (login := _written(entry)) is not None:
            return login
    store = settings.get("credsStore")
    if isinstance(store, str) and store:
        for key in [key for key in keys if key in auths] or [_HUB_KEYS[0] if host == HUB else host]:
            if (login := _helped(store, key, troubles)) is not None:
                return login
    return None


def _keys(host: str, repository: str) -> list[str]:
    """The names that a login may stand under, the closest first."""
    if host == HUB:
        return [*_paths(HUB, repository), *_HUB_KEYS]
    return [*_paths(host, repository), host, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/"]


def _paths(host: str, repository: str) -> Iterator[str]:
    # auth.json of podman may hold logins for a part of a registry.
    parts = repository.split("/")
    yield from (f"{host}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1))


def _written(entry: dict[str, Any]) -> Login | None:
    token, auth = entry.get("identitytoken"), entry.get("auth")
    if isinstance(token, str) and token:
        return Login(_TOKEN_USER, token, is_token=True)
    if isinstance(auth, str) and auth:
        try:
            user, colon, secret = base64.b64decode(auth).decode().partition(":")
        except ValueError:
            return None
        return Login(user, secret.rstrip("\0")) if colon else None
    name, password = entry.get("username"), entry.get("password")
    return Login(name, password) if isinstance(name, str) and isinstance(password, str) and name else None


def _helped(helper: str, key: str, troubles: list[str]) -> Login | None:
    """What the program ``docker-credential-HELPER`` knows of ``key``."""
    with _one_at_a_time:  # one may open a window to ask, and one that hangs is waited for once
        answer = _asked(helper, key)
    if isinstance(answer, str):
        troubles.append(f"docker-credential-{helper} {answer}")
        return None
    return answer


@lru_cache(maxsize=256)  # some take a second, and are asked for every image
def _asked(helper: str, key: str) -> Login | str | None:
    """The login, None where the helper knows none, or what is wrong with it."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", helper):
        return None
    try:
        done = programs.run(f"docker-credential-{helper}", ["get"], input=key.encode(), seconds=_HELPER_SECONDS)
    except programs.ProgramError as error:
        return str(error).removeprefix(f"docker-credential-{helper} ")
    if done.returncode != 0:  # what else it prints may quote a secret
        return None if _NOT_FOUND in done.stdout else f"fails (exit code {done.returncode})"
    try:
        answer = json.loads(done.stdout)
    except (ValueError, RecursionError):
        return "gives no login"
    user, secret = (answer.get(key) if isinstance(answer, dict) else None for key in ("Username", "Secret"))
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        return "gives no login"
    return Login(user, secret, is_token=user == _TOKEN_USER)
