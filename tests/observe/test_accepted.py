"""The allow-lists: what Kubernetes accepts is taken, and nothing that an engine reads more into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hardener.observe import accepted
from hardener.observe.engine_environment import may_hold

TAKEN: list[tuple[Callable[[Any], object], list[Any], list[Any]]] = [
    (
        accepted.is_variable,
        ["A", "a.b-c", "_", "-x", "my_VAR.1"],
        ["", "1A", "*", "A*", "A=B", "A B", " A", "A\n", "A\n", ".", "..", "..a", "#A", "ä", "A\0", None, 1, "A" * 300],
    ),
    (accepted.is_key, ["a", "1", "tls.crt", "_-."], ["", "*", "a/b", "..", "..a", ".", "a b", "a\n", None]),
    (accepted.is_id, [0, 5, 2**31 - 1], [-1, 2**31, True, None, "5", 1.0]),
    (
        accepted.is_user,
        ["0", "nginx", "1000:1000", "a:b", "_apt", "www-data"],
        ["", ":", "a:", ":b", "a:b:c", "-v", "a b", "a,b", "a\n", "4294967296", "9" * 40, "a=b", "*", "/etc"],
    ),
    (
        accepted.is_path,
        ["/a", "/a b/c", "/var/lib/x-y_z.1", "/dev/shm", "/dev/shm/x", "/é", "/devel", "/procs/x", "/a/-b"],
        [
            "", "/", "//", "/.", "a", "/a:b", "/a,b", "/a=b", '/a"b', "/a'b", "/a\\b", "/a/../b", "/..", "/a\nb",
            "/a\0", "/proc", "//proc/x", "/./sys", "/dev", "/dev/kmsg", "/dev/shmx", "/" + "a" * 5000, None, 5,
            "/a\u202eb",
        ],
    ),
    (accepted.is_folder, ["/", "/a"], ["", ".", "/proc/self/fd/7", "/sys", "-x", "/a\n"]),
    (accepted.is_part, ["a", "a/b", "-x", "", "a b"], ["/a", "..", "a/../b", "a,ro", 'a"', "a:b", "a\n"]),
    (
        accepted.is_address, ["10.1.2.3", "::1", "fe80::1"],
        ["", "host-gateway", "10.1.2", "10.1.2.3:80", "fe80::1%eth0", "010.1.2.3", "10.1.2.3\n", None, 5],
    ),
    (accepted.is_host, ["a", "a.b-c", "1"], ["", "A", "a:1", "a;b", "-a", "a b", "a_b", "*", "a..b", "a\n", None]),
    (accepted.is_port, [1, 65535], [0, 65536, -1, True, "80", None, 10**30]),
    (accepted.is_port_name, ["http", "a-1"], ["", "1", "A", "a b", "-a", "a\n", None]),
    (accepted.is_text, ["", "ä", "a\nb", "x" * 131071], ["\0", "\ud800", "x" * 131072, "ä" * 70000, None, 5]),
    (
        may_hold, ["TLS_KEY", "APP_CONFIG_JSON", "MY_CA"],
        ["LD_PRELOAD", "CONTAINERS_CONF", "DOCKER_KEY", "PODMAN_X_KEY", "CONTAINER_SSHKEY", "PATH", "HOME",
         "HTTP_PROXY", "GODEBUG", "SSL_CERT", "XDG_KEY", "LD_KEY", "KEY", "tls_key", "TLS_KEY\n", "CNI_PATH"],
    ),
]  # fmt: skip
CAPABILITIES = {
    "CHOWN": "CHOWN", "CAP_CHOWN": "CHOWN", "cap_chown": "CHOWN", "Chown": "CHOWN", "ALL": "ALL", "all": "ALL",
    "CAP_SYS_ADMIN": "SYS_ADMIN", "CAP_CAP_SYS_ADMIN": None, "CAP_": None, "": None, "CAP_ALL": None, "*": None,
    "CHOWN,SYS_ADMIN": None, " CHOWN": None, "CHOWN\n": None, "\u017fETUID": None,
}  # fmt: skip


@pytest.mark.parametrize(("takes", "good", "bad"), TAKEN, ids=[each[0].__name__ for each in TAKEN])
def test_what_is_taken(takes: Callable[[Any], object], good: list[Any], bad: list[Any]) -> None:
    assert [each for each in good if not takes(each)] == []
    assert [each for each in bad if takes(each)] == []


@pytest.mark.parametrize(("name", "result"), CAPABILITIES.items(), ids=map(repr, CAPABILITIES))
def test_capabilities_have_one_normalisation(name: str, result: str | None) -> None:
    assert accepted.capability(name) == result


def test_a_path_takes_no_longer_than_it_has_signs() -> None:
    assert not accepted.is_path("/" * 4000 + ":") and not accepted.is_path("/ " * 2000 + "\n")


# What looks like another thing: letters of other scripts, marks that nobody sees, numbers of other bases.
LOOKALIKES: list[tuple[Callable[[Any], object], list[Any]]] = [
    (accepted.is_variable, ["A\u2028", "A\u00a0", "\uff21", "A$B", "A;B", "$(A)", "A`", "A\u200b", "A\ufeff", b"A"]),
    (accepted.is_key, ["a\u2044b", "a\\b", "a\u2215b", "...", "a\u200b", "a:b", "a,b", b"a"]),
    (accepted.is_id, ["0x0", "0", float("nan"), 2.0, -0.0, 10**20, [0]]),
    (accepted.is_user, ["root\u200b", "0:0:0", "+0", "-0", "root,", "\u0660", "\uff11", "0:-1", "a:4294967296"]),
    (
        accepted.is_path,
        ["/a\u2028b", "/a\x1bb", "/\u202e", "/./proc/1", "/a/./../b", "/dev/shm/../mem", "/dev//mem", "/sys/", "/a;b",
         "/a|b", "/a`b", "/a*", "/a?b", "/a<b"],
    ),
    (accepted.is_folder, ["/a:b", "/dev/fd/3", "//proc", "/./sys/fs", "relative", "~/x"]),
    (accepted.is_part, ["./..", "a/./b/../..", "..\\a", "a\u2215..", "a\x1b", "\u202ea", "//a", "a=b", "a;b", "a`"]),
    (
        accepted.is_address,
        ["0x7f.1", "127.1", "2130706433", "::ffff:127.0.0.1%lo", "[::1]", "1.2.3.4/8", "\uff11.2.3.4", "::1,::2"],
    ),
    (accepted.is_host, ["a\u200b", "xn--\u0430", "a/b", "a@b", "a=b", "a,b", ".a", "a\u3002b", "a" * 254, "a:host"]),
    (accepted.is_port, ["0x50", "80/udp", 80.5, float("inf"), [80], -80, False]),
    (accepted.is_port_name, ["http\u200b", "HTTP", "a_b", "a:b", "a/b", "a" * 64]),
    (accepted.is_text, ["\ud83d", b"a", ["a"], {"a": 1}, 1.5, True]),
    (
        accepted.capability,
        ["SYS\u200b_ADMIN", "sys-admin", "CAP_SYS_ADMIN\0", "\uff33YS_ADMIN", "ALL,", "cap_all", "-SYS_ADMIN", "21",
         "0x15", "CAP_21", None, True],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("takes", "bad"), LOOKALIKES, ids=[each[0].__name__ for each in LOOKALIKES])
def test_what_looks_like_another_thing_is_not_taken(takes: Callable[[Any], object], bad: list[Any]) -> None:
    assert [each for each in bad if takes(each)] == []
