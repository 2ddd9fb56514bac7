"""A seccomp profile of the system calls that a container was seen to make.

It lets through what was recorded and what a runtime itself needs between the filter and the program, and never what
RuntimeDefault keeps from a container without capabilities.
Sources: the base profiles of the Security Profiles Operator (examples/baseprofile-runc.yaml, baseprofile-crun.yaml),
without what their runtimes do before the filter; containerd contrib/seccomp/seccomp_default.go (arguments, and calls
that need a capability).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from hardener.observe.container_activity import Activity
from hardener.observe.engine import Engine
from hardener.observe.pod_run import Came
from hardener.sources.yaml import dump
from hardener.support.shapes import mappings, texts

Map = dict[str, Any]
_OF_RUNTIMES = frozenset(
    "access arch_prctl brk capget capset chdir close close_range dup2 dup3 epoll_create1 epoll_ctl epoll_pwait "
    "eventfd2 execve exit exit_group faccessat2 fchdir fchown fcntl fstat fstatfs futex getcwd getdents64 getegid "
    "geteuid getgid getpid getppid gettid getuid ioctl lseek madvise mmap mprotect munmap nanosleep newfstatat "
    "openat openat2 pipe2 prctl prlimit64 pselect6 read readlink readlinkat restart_syscall rseq rt_sigaction "
    "rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list set_tid_address setgid setgroups "
    "setresgid setresuid setsid setuid sigaltstack statfs statx tgkill umask write".split()
)
# What containerd lets through with a capability alone, or never; podman leaves some of it to the check of capabilities.
_OF_CAPABILITIES = frozenset(
    "acct add_key bpf clock_adjtime clock_settime clone3 delete_module fanotify_init finit_module fsconfig "
    "fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp "
    "kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount name_to_handle_at "
    "open_by_handle_at open_tree perf_event_open pivot_root quotactl quotactl_fd reboot request_key setdomainname "
    "sethostname setns settimeofday stime swapoff swapon syslog umount umount2 unshare userfaultfd vhangup".split()
)
_NEW_NAMESPACES = 0x7E020000  # the flags of clone that make one
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_VSOCK, _ENOSYS = 40, 38
# With some arguments, or with a capability that a container has when it says nothing.
_UNDER_A_CONDITION = frozenset(("personality", "socket", "chroot"))
_ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
}
_ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}  # as profiles call them
_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


class Recorded(Struct, frozen=True):
    """The profile of a container: the ``names`` of the calls that it lets through, ``of`` how many RuntimeDefault lets
    through, and why the workload did not come up under it, "" where it did."""

    names: tuple[str, ...]
    of: int
    because: str = ""


def recorded(engine: Engine, key: str, seen: Mapping[str, Activity], run: Callable[[], Came]) -> dict[str, Recorded]:
    """The profiles of the containers of the workload ``key``, by what was ``seen`` of them, and whether it comes up
    under all of them, as ``run`` tells. Raises EngineError."""
    with open(engine.default_profile, encoding="utf-8") as file:
        default = let_through(json.load(file))
    found = {name: tuple(allowed(each.calls, default)) for name, each in seen.items() if each.calls}
    for number, (name, names) in enumerate(found.items()):
        path = os.path.join(engine.folder, f"profile-{hashlib.sha256(key.encode()).hexdigest()[:12]}-{number}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(for_localhost(profile(names)))
        engine.profiles[key, name] = path
    try:
        came = run() if found else None
    finally:
        for name in found:
            del engine.profiles[key, name]
    because = "" if came is None or came.up else came.reason or "it does not come up"
    return {name: Recorded(names, len(default), because) for name, names in found.items()}


def let_through(default: Map) -> frozenset[str]:
    """The calls that the profile ``default`` of an engine lets a container make that has no capability."""
    free = (
        each
        for each in mappings(default.get("syscalls"))
        if each.get("action") == _ALLOW and _is_of_machine(each.get("includes")) and not each.get("excludes")
    )
    return frozenset(name for each in free for name in texts(each.get("names"))) - _OF_CAPABILITIES


def _is_of_machine(includes: Any) -> bool:
    """Whether a rule under such a condition holds on this machine for every container."""
    if not includes:
        return True
    return set(includes) == {"arches"} and _ARCHES.get(platform.machine()) in includes["arches"]


def allowed(calls: Iterable[str], default: frozenset[str]) -> list[str]:
    """The names of the calls that a profile lets through: ``calls`` that were seen and those of runtimes, as far as the
    ``default`` has them, or has them with some arguments alone."""
    made = _OF_RUNTIMES | set(calls)
    if "clone3" in made:
        made |= {"clone"}  # to which the C library goes back
    return sorted(made & (default | _UNDER_A_CONDITION))


def profile(names: Iterable[str]) -> Map:
    """The profile that lets ``names`` through, in the form of the OCI runtime specification."""
    names = set(names)
    plain = sorted(names - {"clone", "personality", "socket"})
    rules: list[Map] = [{"names": plain, "action": _ALLOW}]
    if "clone" in names:
        rules.append(_with("clone", "SCMP_CMP_MASKED_EQ", _NEW_NAMESPACES))
        # The C library goes back to clone then, whose flags a filter can see.
        rules.append({"names": ["clone3"], "action": _ERRNO, "errnoRet": _ENOSYS})
    if "personality" in names:
        rules += [_with("personality", "SCMP_CMP_EQ", value) for value in _PERSONALITIES]
    if "socket" in names:
        rules.append(_with("socket", "SCMP_CMP_NE", _VSOCK))
    return {
        "defaultAction": _ERRNO, "defaultErrnoRet": 1,
        "architectures": list(_ARCHITECTURES.get(platform.machine(), ())), "syscalls": rules,
    }  # fmt: skip


def _with(name: str, op: str, value: int) -> Map:
    return {"names": [name], "action": _ALLOW, "args": [{"index": 0, "value": value, "valueTwo": 0, "op": op}]}


def for_localhost(made: Map) -> str:
    """The file of a profile for the folder of a kubelet."""
    return json.dumps(made, indent=2) + "\n"


def for_operator(made: Map, name: str, namespace: str | None) -> str:
    """The same as a SeccompProfile of the Security Profiles Operator. It has no arguments that were not asked for."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    spec = {key: made[key] for key in ("defaultAction", "architectures", "syscalls")}
    return dump({
        "apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile", "metadata": metadata,
        "spec": spec,
    })  # fmt: skip
