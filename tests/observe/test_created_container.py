"""A container is not started where an engine gave it more than it was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.observe.container_options import DEFAULT_CAPABILITIES
from hardener.observe.created_container import Expected, unlike

Map = dict[str, Any]
EXPECTED = Expected({"A": "x=y", "B": "two\nlines"}, {"Env": ["PATH=/bin", "OF_IMAGE=1"]})
ENV = [
    "A=x=y",
    "B=two\nlines",
    "OF_IMAGE=1",
    "PATH=/bin",
    "container=podman",
    "HOME=/root",
    "HOSTNAME=web",
    "TERM=xterm",
]
GIVES = "the settings of the engine give it"
CAPABILITIES = [f"CAP_{name}" for name in DEFAULT_CAPABILITIES]
AS_ASKED: dict[str, Map] = {
    "nothing is told": {},
    "odd shapes": {"Config": [], "HostConfig": "x", "Mounts": {}, "EffectiveCaps": None},
    "all of it": {
        "Config": {"Env": ENV}, "EffectiveCaps": CAPABILITIES, "BoundingCaps": CAPABILITIES,
        "Mounts": [{"Type": "volume", "Name": "v"}, {"Type": "tmpfs"}],
        "HostConfig": {"Privileged": False, "PidMode": "private", "NetworkMode": "bridge", "CapAdd": [], "Devices": []},
    },
}  # fmt: skip
OTHERWISE: dict[str, tuple[Map, str]] = {
    "a variable is another": (
        {"Config": {"Env": ["A=x", "B=two\nlines"]}}, "its variable A does not come out as it is written",
    ),
    "a variable is not there": ({"Config": {"Env": []}}, "its variable A does not come out as it is written"),
    "one more": (
        {"Config": {"Env": [*ENV, "CI_DEPLOY_TOKEN=x"]}},
        f"{GIVES} the variable CI_DEPLOY_TOKEN: take that out of them",
    ),
    "a proxy of docker": (
        {"Config": {"Env": [*ENV, "HTTP_PROXY=http://user:word@proxy"]}},
        f"{GIVES} the variable HTTP_PROXY: take that out of them",
    ),
    "privileged": ({"HostConfig": {"Privileged": True}}, "the settings of the engine make it privileged"),
    "processes": ({"HostConfig": {"PidMode": "host"}}, f"{GIVES} the processes of the machine"),
    "network": ({"HostConfig": {"NetworkMode": "host"}}, f"{GIVES} the network of the machine"),
    "memory": ({"HostConfig": {"IpcMode": "host"}}, f"{GIVES} the shared memory of the machine"),
    "name": ({"HostConfig": {"UTSMode": "host"}}, f"{GIVES} the host name of the machine"),
    "a device": (
        {"HostConfig": {"Devices": [{"PathOnHost": "/dev/kvm"}]}},
        f"{GIVES} devices of the machine",
    ),
    "a capability": ({"EffectiveCaps": ["CAP_SYS_ADMIN"]}, f"{GIVES} CAP_SYS_ADMIN"),
    "one it could take": ({"BoundingCaps": ["CAP_BPF"]}, f"{GIVES} CAP_BPF"),
    "one that is none": ({"HostConfig": {"CapAdd": ["ALL"]}}, f"{GIVES} ALL"),
    "a folder": (
        {"Mounts": [{"Type": "volume"}, {"Type": "bind", "Source": "/home"}]},
        f"{GIVES} /home of the machine",
    ),
}  # fmt: skip


@pytest.mark.parametrize("made", AS_ASKED.values(), ids=AS_ASKED)
def test_it_is_as_it_was_asked_for(made: Map) -> None:
    assert unlike(made, EXPECTED) is None


@pytest.mark.parametrize(("made", "why"), OTHERWISE.values(), ids=OTHERWISE)
def test_it_is_not(made: Map, why: str) -> None:
    assert unlike(made, EXPECTED) == why
