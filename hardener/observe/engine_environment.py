"""The environment that a container engine is started with: its own settings and nothing else of the caller's.

An engine hands variables of its environment to containers when it is told to, and a pipeline has tokens there. So each
variable that it gets is here; ``docs/observe.md`` has the table for people.
Sources: podman(1), containers.conf(5), containers-storage.conf(5), containers-auth.json(5) of Podman 5.4; the page
"Environment variables" of the Docker CLI 28; net/http ProxyFromEnvironment and crypto/x509 of Go.
"""

from __future__ import annotations

import os
import re
import sys

SETTINGS = {
    "where the user is": "HOME USER LOGNAME TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME "
    "DBUS_SESSION_BUS_ADDRESS",
    "settings of podman": "CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE CONTAINERS_STORAGE_CONF CONTAINERS_REGISTRIES_CONF "
    "REGISTRY_AUTH_FILE STORAGE_DRIVER STORAGE_OPTS",
    "where the engine is": "CONTAINER_HOST CONTAINER_CONNECTION DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG "
    "DOCKER_CERT_PATH DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_API_VERSION",
}
"""Variables of the caller that every call gets, by what they are for. PATH is beside them, its absolute folders."""
FOR_A_PULL = (
    "HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy SSL_CERT_FILE SSL_CERT_DIR"
)
"""Variables of the caller that a pull of an image gets besides: no container is made by that call."""
_OF_WINDOWS = "SYSTEMROOT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES TEMP TMP"
FIXED = {"LC_ALL": "C.UTF-8", "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
"""What every call gets, whatever the caller has."""
# A variable of several lines can be handed over in the environment of the call alone. These are names of what is held
# there, and no program of an engine reads one of them.
_HELD = re.compile(r"(?:[A-Z][A-Z0-9]*_)+(?:KEY|PEM|CERT|CRT|CERTIFICATE|CA|JSON|CREDENTIALS|YAML)")
_OF_ENGINES = re.compile(r"(?:CONTAINERS?|DOCKER|PODMAN|BUILDAH|STORAGE|REGISTRY|SSL|LD|XDG)_")


def environment(*, pulls: bool = False) -> dict[str, str]:
    """The environment of a call; of one that ``pulls`` an image with its proxies."""
    names = " ".join([*SETTINGS.values(), FOR_A_PULL if pulls else "", _OF_WINDOWS if sys.platform == "win32" else ""])
    return {name: os.environ[name] for name in names.split() if name in os.environ} | FIXED


def may_hold(name: str) -> bool:
    """Whether a variable of a container called ``name`` may stand in the environment of the call that makes it."""
    return _HELD.fullmatch(name) is not None and _OF_ENGINES.match(name) is None
