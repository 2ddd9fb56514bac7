"""What shows that a container works on its node, or on what only the kernel of the node has: one table for all rules
that take away what reaches the node.

Each sign is weak by itself: most containers with such a name or such a port need nothing of the node. They are asked
for only where access to the node is written, and say then that somebody meant it. Two things are no sign: a
configuration that says nothing of a need, and the whole file system of the node, which no program names as its need.

Sources: the manual pages of the programs (util-linux, kmod, iptables, nfs-utils, lvm2, wireguard-tools); the IANA
registry of port numbers, and for those of WireGuard, Tailscale and Docker their documentation; the READMEs of docker
(`DOCKER_TLS_CERTDIR`), moby/buildkit, atmoz/sftp, ehough/docker-nfs-server, gluetun, Tailscale, gopsutil (`HOST_PROC`);
velero.io/docs, k8up.io/docs on annotations with commands.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence

from hardener.kubernetes.pods.shell import commands, runs, unique
from hardener.support.late_pattern import late_pattern

NEEDS_ROOT: frozenset[str] = frozenset(
    {"blkdiscard", "bpftool", "chroot", "conntrack", "containerd", "cryptsetup", "depmod", "dmsetup", "dockerd"}
    | {"ebtables", "exportfs", "fsfreeze", "fstrim", "hdparm", "hwclock", "insmod", "ip6tables", "ip6tables-restore"}
    | {"ipset", "iptables", "iptables-legacy", "iptables-nft", "iptables-restore", "ipvsadm", "iscsiadm", "iscsid"}
    | {"kexec", "losetup", "lvcreate", "mdadm", "modprobe", "mount", "mount.cifs", "mount.nfs", "mount.nfs4"}
    | {"multipathd", "nft", "nsenter", "pvcreate", "rmmod", "rpc.mountd", "rpc.nfsd", "rpcbind", "smartctl"}
    | {"smartd", "swapoff", "swapon", "umount", "vgcreate", "wg", "wg-quick", "xfs_freeze"}
)
"""Programs that work on the node, or on what only its kernel has, and need root for it."""

# Others that mostly have such access where they have any: builders and runtimes, file servers, tunnels, tracers.
_OTHERS = frozenset(
    {"boringtun", "bpftrace", "buildah", "buildkitd", "charon", "criu", "crictl", "ctr", "dhcpd", "dnsmasq", "docker"}
    | {"dockerd-entrypoint.sh", "falco", "ganesha.nfsd", "gcsfuse", "keepalived", "k3d", "k3s", "kubelet", "libvirtd"}
    | {"minikube", "nerdctl", "nmbd", "openvpn", "podman", "qemu-system-x86_64", "runc", "s3fs", "samba", "smbd"}
    | {"sshd", "sysdig", "systemctl", "systemd", "tailscale", "tailscaled", "tcpdump", "tgtd", "udevadm"}
    | {"virtqemud", "wireguard-go", "zerotier-one"}
)
_PROGRAMS = NEEDS_ROOT | _OTHERS
# To these a name is a text.
_SPEAKERS = frozenset({"[", "echo", "grep", "killall", "pgrep", "pkill", "printf", "test", "type", "which"})

_PORTS = {
    **{22: "SSH", 67: "DHCP", 69: "TFTP", 111: "rpcbind", 179: "BGP", 2049: "NFS", 3260: "iSCSI", 20048: "NFS"},
    **dict.fromkeys((139, 445), "SMB"),
    **dict.fromkeys((500, 4500), "IPsec"),
    **dict.fromkeys((2375, 2376), "the Docker daemon"),
    **{1194: "OpenVPN", 3493: "Network UPS Tools", 41641: "Tailscale", 51820: "WireGuard"},
}

# Folders of the node that say by themselves what they are for. Its root folder does not.
_FOLDERS = (
    "/boot", "/dev", "/lib/modules", "/lib/udev", "/run/containerd", "/run/crio", "/run/docker",
    "/run/docker.sock", "/run/udev", "/sys", "/usr/lib/modules", "/usr/src",
)  # fmt: skip
# Each container has these, as memory of its own or of the node.
_MEMORY = ("/dev/shm", "/dev/mqueue", "/dev/hugepages")
# Where agents of nodes mount what they look at. In the place of /proc no runtime takes another folder.
_AT = late_pattern(
    r"/proc|/(?:host|hostfs|rootfs)/.+|/hostfs|/rootfs"
    r"|/host[-_]?(?:bin|boot|dev|etc|lib|mnt|opt|proc|root|run|sys|usr|var)(?:[-_/].*)?"
)

_VARIABLES = late_pattern(
    r"BUILDKITD_FLAGS|CSI_(?:\w+_)?ENDPOINT|DOCKERD_\w+|DOCKER_(?:DRIVER|TLS_CERTDIR)|FALCO_\w+"
    r"|HOST_(?:DEV|ETC|PROC|ROOT|RUN|SYS|VAR)|K3S_\w+|NFS_EXPORT\w*|SAMBA_\w+|SFTP_USERS|TAILSCALE_\w+"
    r"|TS_(?:AUTHKEY|AUTH_KEY|EXTRA_ARGS|KUBE_SECRET|ROUTES|STATE_DIR|USERSPACE)|VPN_(?:SERVICE_PROVIDER|TYPE)"
    r"|WG_\w+|WIREGUARD_\w+|ZEROTIER_\w+"
)

# Between separators. A number may stand behind each.
_WORDS = (
    "bpf", "buildah", "buildkit", "buildkitd", "buildx", "cifs", "cni", "containerd", "csi", "cuda", "device",
    "devices", "dhcp", "dhcpd", "dind", "docker", "dockerd", "ebpf", "falco", "fpga", "fuse", "gluetun", "gpu", "gpus",
    "ipsec", "iptables", "iscsi", "kvm", "libvirt", "lvm", "modprobe", "nfs", "nfsd", "nut", "nvidia", "openvpn",
    "podman", "qemu", "rdma", "samba", "sftp", "smb", "sriov", "sshd", "strongswan", "sysbox", "sysctl", "sysdig",
    "tailscale", "tetragon", "tftp", "udev", "ups", "usb", "v4l", "vpn", "wireguard", "zerotier", "zigbee",
    "zigbee2mqtt", "zwave",
)  # fmt: skip
_OF_NODE = (
    "(?:disk|gpu|hardware|host|kernel|node|system)-?(?:agent|exporter|inspector|monitor|monitoring|problem|tuner)"
)
_NAME = late_pattern(rf"(?<![a-z0-9])(?:{'|'.join(_WORDS)}|{_OF_NODE})(?=\d*(?![a-z0-9]))")
_SEPARATORS = late_pattern(r"[^a-z0-9]+")

# Annotations whose value is a command that something else runs in the pod.
_HOOK = late_pattern(r".*/(?:.*[.-])?(?:backup)?command")
_LONGEST = 512  # names and repositories end at 255


def started_at_node(words: Sequence[str]) -> list[str]:
    """The programs among ``words`` that work on the node, those that another program is told to be first included
    (`entrypoint.sh dockerd`, `juicefs mount`)."""
    found = []
    for program, arguments in runs(commands(words)):
        found.append(program)
        if program not in _SPEAKERS:
            found += [posixpath.basename(word) for word in arguments if not word.startswith("-")][:1]
    return [name for name in unique(found) if name in _PROGRAMS]


def served_from_node(port: object) -> str | None:
    """What is served on ``port`` that mostly works on the node, in words; None for any other."""
    return _PORTS.get(port) if isinstance(port, int) else None


def is_folder_of_work(path: str, at: str) -> bool:
    """Whether the folder or file ``path`` of the node, mounted ``at``, is there for work on the node."""
    if path == "/" or any(path == root or path.startswith(f"{root}/") for root in _MEMORY):
        return False
    named = any(path == root or path.startswith(f"{root}/") for root in _FOLDERS)
    return named or _AT.fullmatch(at) is not None


def is_variable_of_node(name: str) -> bool:
    """Whether only a program that works on the node is given a variable of this name."""
    return _VARIABLES.fullmatch(name) is not None


def word_of_node(name: str) -> str | None:
    """The word in ``name``, of an image with its tag, a container or a workload, that names work on the node."""
    found = _NAME.search(_SEPARATORS.sub("-", name[:_LONGEST].lower()))
    return found.group() if found is not None else None


def words_of_hook(key: str, value: str) -> list[str]:
    """The words of the command that the annotation ``key`` holds; [] for any other annotation."""
    if not key.endswith("command") or not _HOOK.fullmatch(key[-_LONGEST:]):
        return []
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return [value]
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else [value]
