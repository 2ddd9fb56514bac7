"""The config of an image and its row of the table, as one."""

import pytest

from hardener.kubernetes.images.config import UNKNOWN, ImageConfig, ImageFacts, merge, plain_user
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
    facts = merge(config, row)
    assert (facts.user, facts.uid, facts.gid, facts.sure, facts.proved) == (user, uid, gid, sure, proved)


@pytest.mark.parametrize(
    ("exposed", "ports", "source"),
    [
        (None, (6379,), "image table"),
        ((), (), "harden.lock"),
        (("443/tcp", "80/TCP", "8080", "53/udp", "${PORT}"), (53, 80, 443, 8080), "harden.lock"),
    ],
)
def test_ports(exposed: tuple[str, ...] | None, ports: tuple[int, ...], source: str) -> None:
    facts = merge(ImageConfig(exposed_ports=exposed), SERVICE)
    assert (facts.ports, facts.ports_source) == (ports, source)


def test_volumes_are_absolute_paths_once_and_never_the_root() -> None:
    volumes = ("/data/", "/data", "relative", "/", "/a/../b")
    assert merge(ImageConfig(volumes=volumes), None) == ImageFacts(
        volumes=("/b", "/data"), volumes_source="harden.lock"
    )


@pytest.mark.parametrize(
    ("user", "files", "found"),
    [
        ("app", ImageFiles(uid=1000, gid=50), ("app", 1000, 50, "harden.lock")),
        # The image's own passwd file is right where the table is about another release.
        ("memcache", ImageFiles(uid=11, gid=12), ("memcache", 11, 12, "harden.lock")),
        ("1000", ImageFiles(uid=1000, gid=50), ("1000", 1000, 50, "harden.lock")),
        ("toor", ImageFiles(uid=0, gid=0), ("root", None, None, "image table")),
        ("app", ImageFiles(), ("app", None, None, "image table")),
        ("", ImageFiles(writer=65532), ("root", 11211, 11211, "image table")),
        (None, ImageFiles(uid=1000, gid=50), ("memcache", 11211, 11211, "image table")),
    ],
)
def test_the_numbers_by_the_files_of_the_image(
    user: str | None, files: ImageFiles, found: tuple[str, int | None, int | None, str]
) -> None:
    facts = merge(ImageConfig(user=user), NAMED, files)
    assert (facts.user, facts.uid, facts.gid, facts.uid_source) == found
    assert facts.files == files
