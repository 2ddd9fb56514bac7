"""Linux capabilities by name: what a container gets by default, and what an entrypoint needs that starts as root and
then becomes another user (gosu, su-exec)."""

from __future__ import annotations

from collections.abc import Collection

ROOT_NEEDS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""To prepare its files, and to become another user."""
COMMAND_NEEDS = {"chroot": "SYS_CHROOT", "setcap": "SETFCAP"}
"""What single commands need besides."""
BIND = "NET_BIND_SERVICE"
"""For ports below 1024; the only one that Pod Security level restricted lets a container add."""
BASELINE = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID"
    " SYS_CHROOT".split()
)
"""Those that level baseline lets a container add (policy/check_capabilities_baseline.go)."""
DEFAULT = BASELINE | {"NET_RAW"}
"""What a container runtime gives a container that says nothing."""


BY_BIT = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
"""All of Linux, each at the number of its bit (include/uapi/linux/capability.h)."""


def plain(name: str) -> str:
    """``name`` as this module spells it: ``cap_chown`` is CHOWN."""
    return name.upper().removeprefix("CAP_")


def is_left_to_root(added: Collection[str], dropped: Collection[str]) -> bool:
    """Whether this is what ``drop-capabilities`` leaves a container that may start as root."""
    left = {*ROOT_NEEDS, *COMMAND_NEEDS.values(), BIND}
    return "ALL" in dropped and set(added) <= left and set(ROOT_NEEDS) <= set(added)
