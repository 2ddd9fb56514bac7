"""The config of an image and its row of the table, as one."""

import pytest

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.collectors.lock import published
from hardener.kubernetes.images.config import UNKNOWN, ImageConfig, plain_user
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.table import ImageRow

SERVICE = ImageRow("redis", user="root", uid=999, gid=1000, ports=(6379,), read="dockerfile+entrypoint")
NAMED = ImageRow("memcached", user="memcache", uid=11211, gid=11211)


@pytest.mark.parametrize(
    ("user", "plain"),
    [("", "root"), ("0", "root"), ("0:0", "root"), ("root:root", "root"), ("00", "root"), ("1000:1000", "1000"),
     ("1000", "1000"), ("nginx", "nginx"), ("nginx:nginx", "nginx"), (" ", "root")],
)  # fmt: skip
def test_the_user_without_its_group(user: str, plain: str) -> None:
    assert plain_user(user) == plain


@pytest.mark.parametrize(
    ("config", "row", "user", "uid", "gid", "sure", "proved"),
    [
        (UNKNOWN, None, None, None, None, False, False),
        (UNKNOWN, SERVICE, "root", 999, 1000, True, False),
        (UNKNOWN, NAMED, "memcache", 11211, 11211, False, False),
        # The image itself proves who it runs as; the row still says as whom its service can run.
        (ImageConfig(user=""), SERVICE, "root", 999, 1000, True, True),
        (ImageConfig(user="0:0"), None, "root", None, None, True, True),
        (ImageConfig(user="10001"), SERVICE, "10001", 10001, None, True, True),
        (ImageConfig(user="10001:20001"), None, "10001", 10001, 20001, True, True),
        (ImageConfig(user="999"), SERVICE, "999", 999, 1000, True, True),
        # A name has the number of the row only if it is the same name.
        (ImageConfig(user="memcache"), NAMED, "memcache", 11211, 11211, True, True),
        (ImageConfig(user="app"), NAMED, "app", None, None, True, True),
        (ImageConfig(user="app"), SERVICE, "app", None, None, True, True),
    ],
)
def test_the_user(
    config: ImageConfig, row: ImageRow | None, user: str, uid: int, gid: int, sure: bool, proved: bool
) -> None:
    facts = published(row, config)
    assert (facts.user_name, facts.uid, facts.gid, facts.is_sure_of_user) == (user, uid, gid, sure)
    assert (facts.user is not None and facts.user.by.proves) == proved


@pytest.mark.parametrize(
    ("exposed", "ports", "source"),
    [
        (None, (6379,), "image table"),
        ((), (), "harden.lock"),
        (("443/tcp", "80/TCP", "8080", "53/udp", "${PORT}"), (53, 80, 443, 8080), "harden.lock"),
    ],
)
def test_ports(exposed: tuple[str, ...] | None, ports: tuple[int, ...], source: str) -> None:
    facts = published(SERVICE, ImageConfig(exposed_ports=exposed))
    assert facts.ports is not None
    assert (facts.ports.value, facts.ports.place) == (ports, source)


def test_volumes_are_absolute_paths_once_and_never_the_root() -> None:
    volumes = ("/data/", "/data", "relative", "/", "/a/../b")
    known = Known(("/b", "/data"), KnownBy.LOCK, "harden.lock", whole=True)
    assert published(None, ImageConfig(volumes=volumes)).volumes == known


@pytest.mark.parametrize(
    ("user", "files", "found"),
    [
        ("app", ImageFiles(uid=1000, gid=50), ("app", 1000, 50, "harden.lock")),
        # The image's own passwd file is right where the table is about another release.
        ("memcache", ImageFiles(uid=11, gid=12), ("memcache", 11, 12, "harden.lock")),
        ("1000", ImageFiles(uid=1000, gid=50), ("1000", 1000, 50, "harden.lock")),
        ("toor", ImageFiles(uid=0, gid=0), ("root", None, None, None)),
        ("app", ImageFiles(), ("app", None, None, None)),
        ("", ImageFiles(writer=65532), ("root", 11211, 11211, "image table")),
        (None, ImageFiles(uid=1000, gid=50), ("memcache", 11211, 11211, "image table")),
    ],
)
def test_the_numbers_by_the_files_of_the_image(
    user: str | None, files: ImageFiles, found: tuple[str, int | None, int | None, str | None]
) -> None:
    facts = published(NAMED, ImageConfig(user=user), files)
    assert (facts.user_name, facts.uid, facts.gid, facts.number and facts.number.place) == found
    assert facts.files is not None and facts.files.value == files
