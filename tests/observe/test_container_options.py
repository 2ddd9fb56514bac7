"""Containers as options of an engine: users in the kubelet's words, capabilities, bounds; volumes as archives."""

from __future__ import annotations

import io
import os
import tarfile
from typing import Any

import pytest

from hardener.observe.container_options import (
    DEFAULT_CAPABILITIES,
    MOST_MEMORY,
    Mount,
    capabilities,
    command,
    command_of_podman,
    options,
    user_of,
)  # fmt: skip
from hardener.observe.pod_values import VolumeFile
from hardener.observe.refusal import NotOfferedError, NotStartedError
from hardener.observe.volumes import archive

Map = dict[str, Any]
ROOT = "container has runAsNonRoot and image will run as root"
POLICY = "container's runAsUser breaks non-root policy"


def named(name: str) -> str:
    return f"container has runAsNonRoot and image has non-numeric user ({name})"


USERS: dict[str, tuple[Map, Map, str, str]] = {
    # of the pod, of the container, of the image, user
    "nothing": ({}, {}, "", "0"),
    "image": ({}, {}, "nginx", "nginx"),
    "image with a group": ({}, {}, "1000:2000", "1000:2000"),
    "pod": ({"runAsUser": 5}, {}, "nginx", "5"),
    "container": ({"runAsUser": 5}, {"runAsUser": 6}, "nginx", "6"),
    "null": ({"runAsUser": 5}, {"runAsUser": None}, "", "5"),
    "user and group": ({"runAsUser": 5, "runAsGroup": 7}, {}, "nginx:x", "5:7"),
    "group alone": ({"runAsGroup": 7}, {}, "", "0:7"),
    "group of a container": ({"runAsGroup": 7}, {"runAsGroup": 8}, "nginx:nginx", "nginx:8"),
    "root": ({"runAsUser": 0}, {}, "1000", "0"),
    "non-root by the pod": ({"runAsNonRoot": True, "runAsUser": 5}, {}, "", "5"),
    "non-root by the image": ({"runAsNonRoot": True}, {}, "1000:0", "1000:0"),
    "non-root not for one": ({"runAsNonRoot": True}, {"runAsNonRoot": False}, "", "0"),
}
SHUT: dict[str, tuple[Map, Map, str, str]] = {
    "image of root": ({"runAsNonRoot": True}, {}, "0", ROOT),
    "image without a user": ({"runAsNonRoot": True}, {}, "", ROOT),
    "image of root with a group": ({"runAsNonRoot": True}, {}, "0:5", ROOT),
    "a name": ({"runAsNonRoot": True}, {}, "nginx", named("nginx")),
    "root by name": ({"runAsNonRoot": True}, {}, "root:root", named("root")),
    "root asked for": ({"runAsNonRoot": True, "runAsUser": 0}, {}, "1000", POLICY),
    "root asked for by one": ({"runAsNonRoot": True, "runAsUser": 5}, {"runAsUser": 0}, "nginx", POLICY),
}


def user(of_pod: Map, of_container: Map, image: str | None) -> str:
    return user_of({"securityContext": of_pod}, {"securityContext": of_container}, {"User": image})


@pytest.mark.parametrize(("of_pod", "of_container", "image", "result"), USERS.values(), ids=USERS)
def test_user(of_pod: Map, of_container: Map, image: str, result: str) -> None:
    assert user(of_pod, of_container, image) == result


@pytest.mark.parametrize(("of_pod", "of_container", "image", "why"), SHUT.values(), ids=SHUT)
def test_what_the_kubelet_does_not_start(of_pod: Map, of_container: Map, image: str, why: str) -> None:
    with pytest.raises(NotStartedError) as error:
        user(of_pod, of_container, image)
    assert str(error.value) == why


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (None, DEFAULT_CAPABILITIES),
        ({"drop": ["ALL"]}, []),
        ({"drop": ["all"], "add": ["CAP_NET_BIND_SERVICE"]}, ["NET_BIND_SERVICE"]),
        ({"drop": ["CAP_CHOWN"]}, [name for name in DEFAULT_CAPABILITIES if name != "CHOWN"]),
        ({"drop": ["ALL"], "add": ["setuid", "SETUID"]}, ["SETUID"]),
        ({"add": ["SYS_PTRACE", "CHOWN"]}, DEFAULT_CAPABILITIES),
        ({"drop": ["ALL"], "add": ["CAP_CAP_SYS_ADMIN", "SYS_ADMIN", "ALL", "NET_RAW", None, 5]}, []),
    ],
)
def test_capabilities(said: Any, result: list[str]) -> None:
    assert capabilities({"capabilities": said}) == result


class Named:
    def __init__(self, name: str) -> None:
        self.name, self.seccomp = name, None


def made(pod: Map, container: Map, *mounts: Mount, name: str = "podman", owner: bool = True) -> str:
    engine: Any = Named(name)
    return " ".join(options(engine, pod, container, "5", list(mounts), owns_network=owner))


def context(**fields: Any) -> Map:
    return {"securityContext": fields}


def limits(**fields: Any) -> Map:
    return {"resources": {"limits": fields}}


MOST = f"--memory {MOST_MEMORY}b --memory-swap {MOST_MEMORY}b"
HAS: dict[str, tuple[Map, Map, str]] = {
    "user": ({}, {}, "--user 5"),
    "escalation": ({}, context(allowPrivilegeEscalation=False), "--security-opt no-new-privileges"),
    "read-only": ({}, context(readOnlyRootFilesystem=True), "--read-only --read-only-tmpfs=false"),
    "groups": (context(fsGroup=7, supplementalGroups=[8, 9]), {}, "--group-add 8 --group-add 9 --group-add 7"),
    "low ports": ({}, {}, "--sysctl net.ipv4.ip_unprivileged_port_start=1024"),
    "sysctl": (
        context(sysctls=[{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]), {},
        "--sysctl net.ipv4.ip_unprivileged_port_start=0",
    ),
    "memory": ({}, limits(memory="64Mi"), f"--memory {64 << 20}b --memory-swap {64 << 20}b"),
    "no memory": ({}, {}, MOST),
    "too much memory": ({}, limits(memory="1Ti"), MOST),
    "memory zero": ({}, limits(memory="0"), MOST),
    "memory that is none": ({}, limits(memory="lots"), MOST),
    "too little memory": ({}, limits(memory="1"), f"--memory {6 << 20}b"),
    "negative memory": ({}, limits(memory="-1Gi"), f"--memory {6 << 20}b"),
    "cpu": ({}, limits(cpu="500m"), "--cpus 0.50"),
    "hardly any cpu": ({}, limits(cpu="1m"), "--cpus 0.01"),
    "more cpu than there is": ({}, limits(cpu=5000), f"--cpus {os.cpu_count() or 1:.2f}"),
    "processes": ({}, {}, "--pids-limit 2048"),
    "no health check of the image": ({}, {}, "--no-healthcheck"),
    "log": ({}, {}, "--log-driver k8s-file --log-opt max-size=1m"),
    "terminal": ({}, {"stdin": True, "tty": True}, "--interactive --tty"),
}  # fmt: skip
HAS_NOT: dict[str, tuple[Map, Map, str]] = {
    "no seccomp": ({}, {}, "seccomp"),
    "seccomp unconfined": (context(seccompProfile={"type": "Unconfined"}), {}, "seccomp"),
    "apparmor unconfined": ({}, context(appArmorProfile={"type": "Unconfined"}), "apparmor"),
    "sysctl of the machine": (context(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), {}, "msgmax"),
    "no group": (context(fsGroup=-1, supplementalGroups=[True, 2**31]), {}, "--group-add"),
    "seccomp": (context(seccompProfile={"type": "RuntimeDefault"}), {}, "seccomp"),
    "seccomp of one": (
        context(seccompProfile={"type": "Unconfined"}), context(seccompProfile={"type": "RuntimeDefault"}), "seccomp",
    ),
    "apparmor": (context(appArmorProfile={"type": "RuntimeDefault"}), {}, "apparmor"),
    "escalation": ({}, context(allowPrivilegeEscalation=True), "no-new-privileges"),
    "read-only": ({}, {}, "--read-only"),
    "cpu": ({}, {}, "--cpus"),
    "privileged": ({}, {}, "--privileged"),
}  # fmt: skip


@pytest.mark.parametrize(("pod", "container", "words"), HAS.values(), ids=HAS)
def test_options(pod: Map, container: Map, words: str) -> None:
    assert words in made(pod, container)


@pytest.mark.parametrize(("pod", "container", "words"), HAS_NOT.values(), ids=HAS_NOT)
def test_no_options(pod: Map, container: Map, words: str) -> None:
    assert words not in made(pod, container)


def test_a_seccomp_profile_of_the_command_line() -> None:
    engine: Any = Named("podman")
    engine.seccomp = "/etc/own.json"
    assert "seccomp=/etc/own.json" in options(engine, {}, {}, "5", [], owns_network=True)


@pytest.mark.parametrize("name", ["-v", "a b", "a:b:c", "1:-2", "5" * 5000, "4294967296", "a\nb", ":", "a,b", "../x"])
def test_a_user_of_an_image_that_is_none(name: str) -> None:
    with pytest.raises(NotOfferedError, match="the user of its image is no name and no number"):
        user({}, {}, name)


def test_sysctls_are_those_of_who_owns_the_network() -> None:
    assert "--sysctl" not in made({}, {}, owner=False)


@pytest.mark.parametrize(
    ("name", "mount", "words"),
    [
        ("podman", Mount("v", "/a", True), "-v v:/a:rw,nocopy"),
        ("docker", Mount("v", "/a", False), "-v v:/a:ro,nocopy"),
        ("podman", Mount("v", "/a", False, "p"), "--mount type=volume,src=v,dst=/a,subpath=p,ro=true"),
        ("docker", Mount("v", "/a", False, "p"), "--mount type=volume,src=v,dst=/a,volume-subpath=p,readonly"),
        ("docker", Mount("v", "/a", True, "p"), "--mount type=volume,src=v,dst=/a,volume-subpath=p "),
    ],
)
def test_mounts(name: str, mount: Mount, words: str) -> None:
    assert words in made({}, {}, mount, name=name)


@pytest.mark.parametrize(
    ("container", "words", "podman", "docker"),
    [
        ({}, [], ["i", "x"], ["i", "x"]),
        (
            {"command": ["a", "b"]}, ["a", "b"], ["--entrypoint", '["a", "b"]', "i", "x"],
            ["--entrypoint", "a", "i", "b", "x"],
        ),
    ],
)  # fmt: skip
def test_command(container: Map, words: list[str], podman: list[str], docker: list[str]) -> None:
    assert command_of_podman(container, words, ["x"], "i") == podman
    assert command(container, words, ["x"], "i") == docker


def unpacked(raw: bytes) -> dict[str, tuple[str, int, int]]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as held:
        return {each.name: ("dir" if each.isdir() else "file", each.mode, each.gid) for each in held}


def test_an_archive() -> None:
    files = [VolumeFile("a/b/c", b"x", 0o400), VolumeFile("a/d", b"", 0o644)]
    assert unpacked(archive(files, [], 0o777, None, readonly=True)) == {
        ".": ("dir", 0o777, 0), "a": ("dir", 0o777, 0), "a/b": ("dir", 0o777, 0), "a/b/c": ("file", 0o400, 0),
        "a/d": ("file", 0o644, 0),
    }  # fmt: skip
    assert unpacked(archive(files[:1], [], 0o755, 7, readonly=True))["a/b/c"] == ("file", 0o440, 7)
    assert unpacked(archive([], ["x/./y"], 0o755, 7, readonly=False)) == {
        name: ("dir", 0o2775, 7) for name in (".", "x", "x/y")
    }


def test_an_archive_is_as_deep_as_a_path() -> None:
    deep = "/".join("d" * 1500)
    assert len(unpacked(archive([VolumeFile(deep, b"")], [deep], 0o755, None, readonly=True))) >= 1500
