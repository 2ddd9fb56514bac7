"""What the changes of a file system, and the sockets of a container, come to."""

from __future__ import annotations

import posixpath
from typing import Any

import pytest

from hardener.observe.capability_trial import used
from hardener.observe.container_activity import Activity, folders_written

# Files of the image; folders are what leads to them, and those that end with "/".
IMAGE = [
    "/etc/nginx/nginx.conf",
    "/usr/bin/app",
    "/var/cache/nginx/",
    "/run/",
    "/srv/data/file",
    "/srv/other/x",
    "/tmp/",
]


def written(changed: dict[str, str], mounted: list[str], folders: list[str]) -> tuple[list[str], list[str]]:
    above = {posixpath.dirname(path) for path in (*changed, *IMAGE)} | set(folders)
    wrote, occupied = folders_written(
        changed, mounted, is_folder=lambda path: path in above or f"{path}/" in IMAGE,
        is_occupied=lambda path: any(each.startswith(f"{path}/") and not each.endswith("/") for each in IMAGE),
    )  # fmt: skip
    return sorted(wrote), sorted(occupied)


CHANGES: dict[str, tuple[dict[str, str], list[str], list[str], list[str], list[str]]] = {
    # changed, mounted, folders that it made, wrote, occupied
    "nothing": ({}, [], [], [], []),
    "a new file in an empty folder": (
        {"/run": "C", "/run/app.pid": "A"}, [], [], ["/run"], [],
    ),
    "a new folder in an empty folder": (
        {"/var/cache/nginx": "C", "/var/cache/nginx/client": "A"}, [], ["/var/cache/nginx/client"],
        ["/var/cache/nginx"], [],
    ),
    "a new file beside files of the image": (
        {"/srv/data": "C", "/srv/data/new": "A"}, [], [], ["/srv/data"], ["/srv/data"],
    ),
    "a new folder beside files of the image": (
        {"/srv": "C", "/srv/new": "A", "/srv/new/a": "A"}, [], ["/srv/new"], ["/srv/new"], [],
    ),
    "a new folder that is empty": ({"/srv": "C", "/srv/new": "A"}, [], ["/srv/new"], ["/srv/new"], []),
    "a new folder of the root": ({"/data": "A", "/data/x": "A"}, [], ["/data"], ["/data"], []),
    "a new file of the root": ({"/x": "A"}, [], [], ["/"], ["/"]),
    "more folders than a person would mount": (
        {f"/srv/{number}/new": "A" for number in range(40)}, [], [], ["/"], ["/"],
    ),
    "names that no manifest can hold": (
        {"/run": "C", "/run/a\udcff": "A", "/data\x1b": "A", "/run/app.pid": "A"}, [], [], ["/"], ["/"],
    ),
    "a changed file": (
        {"/etc": "C", "/etc/nginx": "C", "/etc/nginx/nginx.conf": "C"}, [], [], ["/etc/nginx"], ["/etc/nginx"],
    ),
    "a deleted file": ({"/srv/data": "C", "/srv/data/file": "D"}, [], [], ["/srv/data"], ["/srv/data"]),
    "a folder that got another owner": ({"/var/cache/nginx": "C"}, [], [], ["/var/cache/nginx"], []),
    "a full folder that got another owner": ({"/srv/data": "C"}, [], [], ["/srv/data"], ["/srv/data"]),
    "two levels of one folder": (
        {"/srv": "C", "/srv/data": "C", "/srv/data/new": "A", "/srv/z": "A"}, [], [], ["/srv"], ["/srv"],
    ),
    "a folder of the image below another that gets a volume": (
        {"/run": "C", "/run/nginx.pid": "A", "/run/php": "C", "/run/php/fpm.sock": "A", "/run/own": "A",
         "/run/own/x": "A"}, [], ["/run/php", "/run/own"], ["/run", "/run/php"], [],
    ),
    "a folder of the image below it that changed first": (
        {"/run": "C", "/run/app": "C", "/run/app/x": "A", "/run/z.pid": "A"}, [], ["/run/app"], ["/run", "/run/app"],
        [],
    ),
    "what an engine puts there": (
        {"/etc": "C", "/etc/hosts": "C", "/etc/passwd": "C", "/etc/mtab": "A", "/run": "C",
         "/run/.containerenv": "A", "/dev/null": "A", "/proc": "A", "/sys": "A", "/.dockerenv": "A"},
        [], [], [], [],
    ),
    "a mount point that the image has not": (
        {"/data": "A", "/data/deep": "A"}, ["/data/deep"], ["/data", "/data/deep"], [], [],
    ),
    "a mount point with a slash at its end": ({"/data": "A"}, ["/data/"], ["/data"], [], []),
    "beside a mount point": (
        {"/data": "A", "/data/deep": "A", "/data/own": "A"}, ["/data/deep"], ["/data", "/data/deep"], ["/data"], [],
    ),
    "the token, by a link": (
        {"/run": "C", "/run/secrets": "A", "/run/secrets/kubernetes.io": "A",
         "/run/secrets/kubernetes.io/serviceaccount": "A"},
        ["/var/run/secrets/kubernetes.io/serviceaccount"], [], [], [],
    ),
    "a file beside the token": (
        {"/run": "C", "/run/secrets": "A", "/run/app.pid": "A"},
        ["/var/run/secrets/kubernetes.io/serviceaccount"], ["/run/secrets"], ["/run"], [],
    ),
    "names that begin alike": (
        {"/srv": "C", "/srv/a": "A", "/srv/a/x": "A", "/srv/ab": "A", "/srv/ab/x": "A"}, [], ["/srv/a", "/srv/ab"],
        ["/srv/a", "/srv/ab"], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "mounted", "folders", "wrote", "occupied"), CHANGES.values(), ids=CHANGES)
def test_folders_written(
    changed: dict[str, str], mounted: list[str], folders: list[str], wrote: list[str], occupied: list[str]
) -> None:
    assert written(changed, mounted, folders) == (wrote, occupied)


def test_what_is_occupied_is_one_of_those_written() -> None:
    changed = {"/srv": "C", "/srv/data": "C", "/srv/data/file": "C", "/srv/x": "A", "/srv/z.txt": "A"}
    wrote, occupied = written(changed, [], [])
    assert set(occupied) <= set(wrote)


@pytest.mark.slow
def test_many_changes_take_no_time() -> None:
    changed = {f"/srv/data/{number // 50}/{number}": "A" for number in range(20_000)}
    wrote, _ = written(changed, [f"/mount/{number}" for number in range(30)], [])
    assert wrote


OWN, OTHER = "10.1.0.16", "10.1.0.17"


def looked(*sockets: tuple[Any, ...], users: Any = ((101, [101], 0),), memory: int | None = None) -> Activity:
    seen = Activity()
    told = [(*each, True) for each in sockets]
    seen.look({"users": list(users), "sockets": told, "memory": memory, "busy": False}, OWN)
    return seen


def test_sockets() -> None:
    seen = looked(
        ("tcp", "0.0.0.0", 80, "0.0.0.0", 0, True), ("tcp", "::", 443, "::", 0, True),
        ("tcp", "127.0.0.1", 9000, "0.0.0.0", 0, True), ("tcp", "::1", 9001, "::", 0, True),
        ("udp", "0.0.0.0", 53, "0.0.0.0", 0, True),
        ("tcp", OWN, 80, OTHER, 40001, False),  # somebody calls
        ("tcp", OWN, 40000, OTHER, 6379, False),  # it calls
        ("tcp", OWN, 40002, OWN, 80, False), ("tcp", "127.0.0.1", 40003, "127.0.0.1", 9000, False),
        ("tcp", "::1", 40004, "::1", 9001, False),
    )  # fmt: skip
    assert seen.listens == {"80/tcp", "443/tcp", "53/udp"}
    assert seen.callers == {(OTHER, 80)}
    assert seen.connections == {(OTHER, 6379)}


def test_processes() -> None:
    seen = looked(users=[(101, [101, 1], 1 << 10), (0, [0], 1)], memory=5)
    seen.look({"users": [], "sockets": None, "memory": 3}, OWN)
    assert (seen.user, seen.groups) == (101, (101, 1))
    assert seen.capabilities == {"NET_BIND_SERVICE", "CHOWN"}
    assert seen.memory == 5


@pytest.mark.parametrize(
    ("now", "before", "token"),
    [(None, None, None), (None, True, True), (False, True, True), (True, False, True), (False, None, False)],
)
def test_what_was_seen_before_a_restart_is_kept(now: bool | None, before: bool | None, token: bool | None) -> None:
    seen, other = Activity(token=now, memory=1), Activity(user=5, groups=(5,), token=before, memory=2, wrote={"/x"})
    seen.take(other)
    assert (seen.token, seen.user, seen.memory, seen.wrote) == (token, 5, 2, {"/x"})


@pytest.mark.parametrize(
    ("as_it_is", "hardened", "token"),
    [(False, None, False), (False, False, False), (False, True, True), (True, False, True), (None, None, None)],
)
def test_a_token_that_nobody_read_stays_unread_where_hardened_there_is_none(
    as_it_is: bool | None, hardened: bool | None, token: bool | None
) -> None:
    seen = Activity(user=0, token=as_it_is, memory=3, wrote={"/x"})
    seen.learn(Activity(user=5, token=hardened, memory=2, wrote={"/y"}, capabilities={"CHOWN"}))
    assert (seen.token, seen.user, seen.memory, seen.wrote, seen.capabilities) == (token, 0, 3, {"/x", "/y"}, set())


def test_the_moment_of_a_peak_is_kept() -> None:
    """Seconds after the start, bytes now and at most, seconds of processors."""
    seen = Activity()
    looks = [(0.5, 10, 10, 0.0), (1.6, 90, 90, 0.22), (2.0, 20, 90, 0.3), (2.8, 20, 90, 1.42), (4.0, 30, 90, 1.42)]
    for moment, now, most, spent in looks:
        found: dict[str, object] = {"users": [], "sockets": None, "memory": most, "now": now, "processor": spent}
        seen.look(found, "10.1.0.16", moment)
    assert (seen.memory, seen.memory_at, seen.cpu, seen.cpu_at) == (90, 1, 1000, 2)
    assert seen.usage == [(1, 90, 200), (2, 20, 1000), (4, 30, 0)]
    again = Activity(memory=95, memory_at=12, cpu=10, cpu_at=1)
    seen.learn(again)
    assert (seen.memory, seen.memory_at, seen.cpu, seen.cpu_at) == (95, 12, 1000, 2)


def test_who_is_not_root_at_each_look_and_at_any() -> None:
    seen = Activity()
    for others in (["web"], ["web", "cron"], ["web"]):
        found = {"users": [], "sockets": None, "memory": None, "programs": ["web", "web", "cron"]}
        seen.look({**found, "unprivileged": others}, OWN)
    assert (seen.programs, seen.unprivileged) == ({"web": 2, "cron": 1}, {"web": 1})
    assert seen.lately_unprivileged == {"web": 1, "cron": 1}


def test_who_comes_while_somebody_uses_it_is_seen_and_not_compared() -> None:
    seen = Activity(user=0, users={0})
    seen.glance({"users": [(0, [0], 0), (33, [33], 0)], "jailed": True, "programs": ["sshd"]})
    assert (seen.users, seen.regrouped, seen.jailed, seen.programs) == ({0, 33}, True, True, {})
    before = Activity(user=0, users={0})
    before.take_used(seen)
    assert used(before) == ("SETGID", "SETUID", "SYS_CHROOT")
