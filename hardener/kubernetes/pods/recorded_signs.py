"""What a recording of system calls and started programs says against a stricter security context."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

# What the default profile of containerd lets through with a capability alone, or never, without the calls that a
# runtime itself makes in the container before the filter applies: recorders that watch a namespace see those too.
# Source: containerd 2.1 contrib/seccomp/seccomp_default.go.
_REFUSED = frozenset(
    "acct add_key bpf clock_adjtime clock_settime delete_module fanotify_init finit_module init_module io_uring_enter "
    "io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load lookup_dcookie name_to_handle_at "
    "open_by_handle_at perf_event_open quotactl quotactl_fd reboot request_key settimeofday stime swapoff swapon "
    "syslog userfaultfd vhangup".split()
)
# Programs that distributions install with the setuid bit. Source: the file lists of Debian 13 packages login, passwd,
# mount, sudo, fuse3, policykit-1, uidmap, cron, openssh-client, and of Alpine's doas.
_SETUID = frozenset(
    "sudo su doas mount umount passwd chsh chfn gpasswd newgrp newuidmap newgidmap fusermount fusermount3 pkexec "
    "crontab ssh-keysign".split()
)


def refused_calls(names: Iterable[str]) -> set[str]:
    """Those of the system calls ``names`` that RuntimeDefault refuses to a container without capabilities."""
    return set(_REFUSED.intersection(names))


def setuid_programs(paths: Iterable[str]) -> set[str]:
    """Those of the programs at ``paths`` that work only with the setuid bit."""
    return {path for path in paths if posixpath.basename(path) in _SETUID}
