"""What the last lines of a container say of the reason why it did not come up. The lines are those of the programs."""

from __future__ import annotations

import pytest

from hardener.kubernetes.pods.capabilities import BASELINE
from hardener.observe.log_evidence import is_refused, lacking, paths, suspected

READ_ONLY, DROP, USER = "read-only-root-filesystem", "drop-capabilities", "run-as-user"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("OSError: [Errno 30] Read-only file system: '/app/state.db'", ["/app/state.db"]),
        ("/start.sh: 2: cannot create /var/log/app.log: Read-only file system", ["/start.sh", "/var/log/app.log"]),
        ('nginx: [emerg] mkdir() "/var/lib/nginx/body" failed (30: Read-only file system)', ["/var/lib/nginx/body"]),
        ("Error: EROFS: read-only file system, open '/srv/a b.txt'", ["/srv/a b.txt"]),
        ("cron: can't open or create /var/run/crond.pid: Read-only file system", ["/var/run/crond.pid"]),
        ("couldn't mkdir '//run/named': Read-only file system", ["/run/named"]),
        ("GET http://example.com/a/b failed: read-only file system", []),
        ("open ../state: read-only file system", []),
        ("open /proc/sys/net: read-only file system", []),
        ("open '/a\x1b[2J': read-only file system", []),
        ("cannot open /etc/app.conf: No such file or directory", []),
    ],
)
def test_paths_of_a_read_only_file_system(line: str, found: list[str]) -> None:
    assert paths([line], read_only=True) == found


def test_several_paths_of_several_lines() -> None:
    lines = ["Missing privilege separation directory: /run/sshd", "rm /tmp/x: Read-only file system"]
    assert paths(lines) == ["/run/sshd", "/tmp/x"]
    assert len(paths(f"/srv/{number}" for number in range(1000))) < 100


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("fatal: chroot(\"/run/sshd\"): Operation not permitted [preauth]", {"SYS_CHROOT": True}),
        ("[ALERT] (1) : [haproxy.main()] Cannot chroot(/var/lib/haproxy).", {"SYS_CHROOT": True}),
        ("[ALERT] (7) : [haproxy.main()] Cannot set gid 101.", {"SETGID": True}),
        ("cannot bind socket (Permission denied) for [0.0.0.0:80]", {"NET_BIND_SERVICE": True}),
        ("app.py:33: PermissionError: [Errno 13] Permission denied: '/x'", {"DAC_OVERRIDE": False}),
        ("nginx: [emerg] chown(\"/var/lib/nginx/body\", 33) failed (1: Operation not permitted)", {"CHOWN": True}),
        ("setgid(33) failed (1: Operation not permitted)", {"SETGID": True}),
        ("error: failed switching to \"redis\": operation not permitted, setuid", {"SETUID": True}),
        ("can't set groups: setgroups: Operation not permitted", {"SETGID": True}),
        ("bind() to 0.0.0.0:80 failed (13: Permission denied)", {"NET_BIND_SERVICE": True}),
        ("chmod: changing permissions of '/data': Operation not permitted", {"FOWNER": True}),
        ("error setting owner of /var/log/a.log to uid 33: Operation not permitted", {"CHOWN": True}),
        ("error setting mode of /var/log/a.log: Operation not permitted", {"FOWNER": True}),
        ("cat: /etc/shadow: Permission denied", {"DAC_OVERRIDE": False}),
        ("PermissionError: [Errno 1] Operation not permitted: '/x'", {}),
        ("setuid or setgid failed", {"SETGID": False, "SETUID": False}),
        ("mkdir: cannot create directory '/srv/x': Read-only file system", {}),
        ("[01-Dec-2026 19:39:41] ERROR: FPM initialization failed", {}),
        ("bind /run/x: Read-only file system", {}),
        ("bind: Permission denied", {"NET_BIND_SERVICE": True}),
        ("unable to bind listening socket for address '/run/php/fpm.sock': Permission denied (13)",
         {"DAC_OVERRIDE": False}),
        ("listening on 0.0.0.0:80", {}),
        ("chroot is off", {}),
        ("started", {}),
    ],
)  # fmt: skip
def test_capabilities_that_a_line_says_are_lacking(line: str, found: dict[str, bool]) -> None:
    assert lacking([line], BASELINE) == found


def test_a_traceback_shows_what_was_called() -> None:
    lines = [
        'File "/app/main.py", line 9, in <module>', "    os.chown('/var/spool/letters', 1234, 1234)",
        "PermissionError: [Errno 1] Operation not permitted: '/var/spool/letters'",
    ]  # fmt: skip
    assert lacking(lines, BASELINE) == {"CHOWN": True}
    assert lacking([lines[1], *["working"] * 9, lines[2]], BASELINE) == {}


def test_none_is_named_that_may_not_be_given() -> None:
    line = "chown: Operation not permitted"
    assert lacking([line], ("NET_BIND_SERVICE",)) == {}
    assert "NET_RAW" not in lacking(["socket(SOCK_RAW): Operation not permitted"], BASELINE)


@pytest.mark.parametrize(
    ("line", "ids"),
    [
        ("touch: cannot touch '/x': Read-only file system", {READ_ONLY}),
        ("mkdir: EROFS", {READ_ONLY}),
        ("purge_task: opendir: No such file or directory", {READ_ONLY}),
        ("open /x: permission denied", {DROP, USER, "run-as-non-root", "fs-group", "root-group"}),
        ("container has runAsNonRoot and image will run as root", {"run-as-non-root", USER}),
        ("gearmand: Must be root to switch users.", {"run-as-non-root", USER}),
        ("smtpd: need root privileges", {"run-as-non-root", USER}),
        ("postfix: fatal: the postfix command is reserved for the superuser", {"run-as-non-root", USER}),
        ("GET /root 200", set()),
        ("sudo: effective uid is not 0", {"no-privilege-escalation"}),
        ("main ends with 137 (killed; more memory than its limit does that)", {"memory-limit"}),
        ("Bad system call (core dumped)", {"seccomp-runtime-default"}),
        ("fatal: no database", set()),
    ],
)
def test_transforms_that_a_line_speaks_of(line: str, ids: set[str]) -> None:
    assert suspected([line]) == ids


def test_what_is_refused() -> None:
    assert is_refused(["a", "b: EACCES"]) and not is_refused(["refused to start", ""])
