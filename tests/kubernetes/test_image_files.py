"""What the files of an image say of a container that runs it."""

from __future__ import annotations

import pytest

from hardener.kubernetes.images.files import ImageFiles

CADDY, PING, SU = "/usr/bin/caddy", "/usr/bin/ping", "/usr/bin/su"
FILES = ImageFiles(
    starts=("/entrypoint.sh", CADDY), script=True, setuid=(SU, "/usr/bin/sudo"),
    capabilities=(
        (CADDY, "NET_BIND_SERVICE=ep"), (PING, "NET_RAW=eip"), ("/opt/aware", "IPC_LOCK=p"),
        ("/opt/two", "SYS_TIME=ei NET_ADMIN,NET_RAW=ep"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "own", "found"),
    [
        ((), True, {CADDY: "NET_BIND_SERVICE"}),
        ((), False, {}),
        (("sleep", "1"), False, {}),
        (("caddy", "run"), False, {CADDY: "NET_BIND_SERVICE"}),
        (("/usr/local/bin/caddy",), False, {CADDY: "NET_BIND_SERVICE"}),
        (("sh", "-c", "exec ping -c1 example.com"), False, {PING: "NET_RAW"}),
        (("/opt/aware",), False, {}),
        (("two",), False, {"/opt/two": "NET_ADMIN, NET_RAW"}),
        (("ping",), True, {CADDY: "NET_BIND_SERVICE", PING: "NET_RAW"}),
    ],
)
def test_what_a_program_must_have_to_be_started(words: tuple[str, ...], own: bool, found: dict[str, str]) -> None:
    assert FILES.carried(words, own_command=own) == found


@pytest.mark.parametrize(
    ("words", "own", "found"),
    [
        (("su", "-", "app"), False, [SU]),
        (("app", "--mode", "su"), False, [SU]),
        (("sh", "-c", "echo su"), False, []),
        (("app",), True, []),
    ],
)
def test_what_raises_itself(words: tuple[str, ...], own: bool, found: list[str]) -> None:
    assert FILES.raised(words, own_command=own) == found


def test_an_entrypoint_that_raises_itself() -> None:
    files = ImageFiles(starts=(SU,), setuid=(SU,))
    assert files.raised((), own_command=True) == [SU]
    assert files.raised((), own_command=False) == []


def test_what_a_script_may_start() -> None:
    assert FILES.may_carry("NET_RAW")
    assert not FILES.may_carry("IPC_LOCK"), "without =e it is started all the same"
    assert not ImageFiles(capabilities=FILES.capabilities).may_carry("NET_RAW")


def test_setuid_programs_of_every_distribution_are_no_sign() -> None:
    files = ImageFiles(script=True, setuid=(SU, "/usr/bin/mount", "/usr/local/bin/fixuid", "/usr/bin/sudo"))
    assert files.raisers(own_command=True) == ["/usr/local/bin/fixuid", "/usr/bin/sudo"]
    assert ImageFiles(setuid=files.setuid).raisers(own_command=True) == []


def test_what_a_program_may_use_and_what_is_started_unseen() -> None:
    assert FILES.held(("aware", "ping"), own_command=False) == {"/opt/aware": "IPC_LOCK", PING: "NET_RAW"}
    all_of_them = {
        CADDY: "NET_BIND_SERVICE",
        PING: "NET_RAW",
        "/opt/aware": "IPC_LOCK",
        "/opt/two": "NET_ADMIN, NET_RAW",
    }
    assert FILES.within_reach(own_command=True) == all_of_them
    plain = ImageFiles(starts=(CADDY,), capabilities=FILES.capabilities)
    assert (plain.within_reach(own_command=True), plain.within_reach(own_command=False)) == ({}, all_of_them)


@pytest.mark.parametrize(
    ("files", "uid", "about"),
    [
        (ImageFiles(uid=101), 101, True), (ImageFiles(uid=101), 102, False), (ImageFiles(uid=101), None, False),
        (ImageFiles(writer=65532), 65532, True), (ImageFiles(uid=0, writer=65532), 0, False),
        (ImageFiles(), None, False),
    ],
)  # fmt: skip
def test_whom_the_folders_are_about(files: ImageFiles, uid: int | None, about: bool) -> None:
    assert files.about(uid) is about
