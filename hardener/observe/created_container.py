"""What an engine made of the options for a container, looked at before anything of it runs.

An engine has settings of its own (containers.conf, config.json of docker): what they give a container beside what was
asked for is not started. What an engine does not tell is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hardener.observe.accepted import RUNS_WITH, capability
from hardener.support.shapes import mapping, mappings, texts

Map = dict[str, Any]
# What engines and their runtimes add by themselves.
_OF_ENGINES = frozenset(("PATH", "TERM", "HOME", "HOSTNAME", "container"))
_NAMESPACES = {"PidMode": "processes", "IpcMode": "shared memory", "NetworkMode": "network", "UTSMode": "host name"}
_VOLUMES = frozenset(("volume", "tmpfs"))


class Expected(Struct, frozen=True):
    """What a container was to get: its ``variables``, and the config of its ``image``, which has some, too."""

    variables: Mapping[str, str]
    image: Mapping[str, Any]


def unlike(made: Map, expected: Expected) -> str | None:
    """How a container that is ``made``, as the engine tells of it, has another environment or more rights than was
    asked for; None where it has not."""
    return _other_variable(mapping(made.get("Config")).get("Env"), expected) or _more(made)


def _other_variable(held: Any, expected: Expected) -> str | None:
    if not isinstance(held, list):
        return None
    found = set(texts(held))
    wrong = next((name for name, value in expected.variables.items() if f"{name}={value}" not in found), None)
    if wrong is not None:
        return f"its variable {wrong} does not come out as it is written"
    known = {*expected.variables, *_OF_ENGINES} | {each.partition("=")[0] for each in texts(expected.image.get("Env"))}
    more = next((name for each in found if (name := each.partition("=")[0]) not in known), None)
    return None if more is None else f"the settings of the engine give it the variable {more}: take that out of them"


def _more(made: Map) -> str | None:
    host = mapping(made.get("HostConfig"))
    if host.get("Privileged"):
        return "the settings of the engine make it privileged"
    for key, what in _NAMESPACES.items():
        if host.get(key) == "host":
            return f"the settings of the engine give it the {what} of the machine"
    if host.get("Devices"):
        return "the settings of the engine give it devices of the machine"
    given = [*texts(made.get("EffectiveCaps")), *texts(made.get("BoundingCaps")), *texts(host.get("CapAdd"))]
    name = next((each for each in given if capability(each) not in RUNS_WITH), None)
    if name is not None:
        return f"the settings of the engine give it {name}"
    folder = next((each for each in mappings(made.get("Mounts")) if each.get("Type") not in _VOLUMES), None)
    return None if folder is None else f"the settings of the engine give it {folder.get('Source')} of the machine"
