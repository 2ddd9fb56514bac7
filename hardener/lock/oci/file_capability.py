"""Capabilities that a program file carries, from the xattr security.capability.

Source: include/uapi/linux/capability.h (struct vfs_cap_data, vfs_ns_cap_data), capabilities(7).
"""

from __future__ import annotations

import struct

_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
_EFFECTIVE = 1
_WORDS = {1: 1, 2: 2, 3: 2}  # pairs of 32 bits, by version


def decode(raw: bytes) -> str:
    """As getcap prints it, without ``cap_`` and in capitals: ``NET_BIND_SERVICE=ep``, ``NET_ADMIN,NET_RAW=eip``; ""
    for none, and for what the kernel of a node takes for none."""
    if len(raw) < 4:
        return ""
    (magic,) = struct.unpack_from("<I", raw)
    version, count = magic >> 24, _WORDS.get(magic >> 24, 0)
    if not count or len(raw) != 4 + 8 * count + (4 if version == 3 else 0):
        return ""
    if version == 3 and struct.unpack_from("<I", raw, 20) != (0,):
        return ""  # of another user namespace
    words = struct.unpack_from(f"<{2 * count}I", raw, 4)
    permitted = sum(word << 32 * place for place, word in enumerate(words[::2]))
    inheritable = sum(word << 32 * place for place, word in enumerate(words[1::2]))
    by_flags: dict[str, list[str]] = {}
    for number in range(32 * count):
        bit = 1 << number
        flags = ("i" if inheritable & bit else "") + ("p" if permitted & bit else "")
        if flags:
            name = _NAMES[number] if number < len(_NAMES) else f"CAP_{number}"
            by_flags.setdefault(("e" if magic & _EFFECTIVE else "") + flags, []).append(name)
    return " ".join(f"{','.join(names)}={flags}" for flags, names in sorted(by_flags.items()))
