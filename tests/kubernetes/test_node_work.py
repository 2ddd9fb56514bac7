"""What names work on the node. Every table has its false friends."""

from __future__ import annotations

import pytest

from hardener.kubernetes.pods.node_work import (
    is_folder_of_work,
    is_variable_of_node,
    served_from_node,
    started_at_node,
    word_of_node,
    words_of_hook,
)

VELERO = "pre.hook.backup.velero.io/command"


def script(text: str) -> list[str]:
    return ["sh", "-c", text]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["nsenter", "-t", "1"], ["nsenter"]),
        (script("mount | grep bpf || mount -t bpf bpf /sys/fs/bpf"), ["mount"]),
        (["chroot", "/host", "kured"], ["chroot"]),
        (["dockerd", "--tls=false"], ["dockerd"]),
        (["/usr/local/bin/dockerd-entrypoint.sh"], ["dockerd-entrypoint.sh"]),
        (["/sbin/fsfreeze", "--freeze", "/data"], ["fsfreeze"]),
        # What another program is told to be.
        (["/entrypoint.sh", "dockerd"], ["dockerd"]),
        (["/envbox", "docker"], ["docker"]),
        (["juicefs", "-v", "mount", "/jfs"], ["mount"]),
        (["supervise", "/usr/sbin/sshd", "-D"], ["sshd"]),
        # Its own words are no programs of the node.
        (script("chown a b; apt-get update"), []),
        (["run", "--mount=/x"], []),
        (["terraform", "init"], []),
        (["server", "start", "docker"], []),
        (script("echo dockerd is elsewhere"), []),
        ([], []),
    ],
)
def test_programs(words: list[str], found: list[str]) -> None:
    assert started_at_node(words) == found


@pytest.mark.parametrize("port", [22, 111, 445, 2049, 3493, 20048, 51820])
def test_ports(port: int) -> None:
    assert served_from_node(port)


@pytest.mark.parametrize("port", [0, 80, 443, 8080, 5432, "22", None])
def test_other_ports(port: object) -> None:
    assert served_from_node(port) is None


@pytest.mark.parametrize(
    ("path", "at", "is_sign"),
    [
        ("/lib/modules", "/lib/modules", True),
        ("/dev", "/dev", True),
        ("/dev/bus/usb", "/usb", True),
        ("/sys", "/host/sys", True),
        ("/run/udev", "/run/udev", True),
        ("/run/docker.sock", "/var/run/docker.sock", True),
        ("/etc", "/host/etc", True),
        ("/opt/cni/bin", "/host/opt/cni/bin", True),
        ("/usr/bin", "/hostbin", True),
        ("/var/lib/x", "/rootfs", True),
        ("/proc", "/proc", True),
        # The root folder is what an application gets that nobody thought about.
        ("/", "/host", False),
        ("/", "/rootfs", False),
        ("/etc", "/host", False),
        ("/proc", "/node/proc", False),
        ("/data", "/hosts", False),
        ("/data", "/hosted/dev", False),
        ("/device", "/device", False),
        ("/dev/shm", "/dev/shm", False),
        ("/tmp/sys", "/sys-data", False),
    ],
)
def test_folders(path: str, at: str, is_sign: bool) -> None:
    assert is_folder_of_work(path, at) is is_sign


@pytest.mark.parametrize(
    ("name", "is_sign"),
    [
        *((name, True) for name in ("DOCKER_TLS_CERTDIR", "CSI_ENDPOINT", "HOST_PROC", "WG_PORT", "TS_AUTHKEY")),
        *((name, False) for name in ("DOCKER_REGISTRY", "DOCKER_HOST", "HOST", "HOST_NAME", "NFS_SERVER", "SFTP_HOST")),
        *((name, False) for name in ("TS_NODE_PROJECT", "DEVICE", "XWG_A", "")),
    ],
)
def test_variables(name: str, is_sign: bool) -> None:
    assert is_variable_of_node(name) is is_sign


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("docker:27-dind", "docker"),
        ("app:1.2-dind", "dind"),
        ("volume-nfs", "nfs"),
        ("nfs4.server", "nfs"),
        ("Zigbee2MQTT", "zigbee2mqtt"),
        ("generic_device_plugin", "device"),
        ("node-exporter", "node-exporter"),
        ("node_monitor", "node-monitor"),
        ("system-monitor-7", "system-monitor"),
        ("network-ups-tools", "ups"),
        ("groups", None),
        ("peanut", None),
        ("dockerize", None),
        ("redocker", None),
        ("csidh", None),
        ("devices1x", None),
        ("usb2serial", None),
        ("monitor", None),
        ("node-api", None),
        ("vpnless", None),
        ("", None),
    ],
)
def test_words_in_names(name: str, word: str | None) -> None:
    assert word_of_node(name) == word


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (VELERO, '["/sbin/fsfreeze", "--freeze", "/data"]', ["/sbin/fsfreeze", "--freeze", "/data"]),
        ("post.hook.restore.velero.io/command", "/bin/true", ["/bin/true"]),
        ("k8up.io/backupcommand", "sh -c 'mysqldump'", ["sh -c 'mysqldump'"]),
        ("pre.hook.backup.velero.io/container", "fsfreeze", []),
        ("helm.sh/hook", "pre-install", []),
        ("example.com/last-command-run", "mount /x", []),
        (VELERO, '{"a": 1}', ['{"a": 1}']),
        (VELERO, "[" * 100_000, ["[" * 100_000]),
    ],
)
def test_hooks(key: str, value: str, words: list[str]) -> None:
    assert words_of_hook(key, value) == words
