"""Layers of images: what is read of them, what later layers hide, and what a hostile one cannot do."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.lock.oci import limits as limits_module
from hardener.lock.oci import tar_stream, unpack
from hardener.lock.oci.accounts import Account, resolve
from hardener.lock.oci.file_facts import facts
from hardener.lock.oci.image_root import Folder, ImageRoot
from hardener.lock.oci.layer import Layer, capability_of, read
from hardener.lock.oci.limits import GIB, Limits, Spent
from hardener.lock.oci.registry_error import RegistryError

from .oci_images import Blob, File, capability, layer, sha256, tar

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnginx:x:101:102:nginx:/:/sbin/nologin\n"
GROUP = b"root:x:0:\nnginx:x:102:\nwww-data:x:33:nginx\n"
NOBODY = (65532, 0)


def taken(one: Blob, limits: Limits | None = None, chunk: int = 1000) -> Layer:
    pieces = (one.body[at : at + chunk] for at in range(0, len(one.body), chunk))
    return read(pieces, one.digest, limits or Limits(), Spent(), lambda count: None)


def root_of(*layers: tuple[File, ...]) -> ImageRoot:
    root = ImageRoot()
    for files in layers:
        root.put(taken(layer(*files)))
    return root


def paths(root: ImageRoot) -> set[str]:
    found, waiting = set(), [("", root.top)]
    while waiting:
        path, folder = waiting.pop()
        for name, entry in folder.entries.items():
            found.add(f"{path}/{name}" + ("/" if isinstance(entry, Folder) else ""))
            if isinstance(entry, Folder):
                waiting.append((f"{path}/{name}", entry))
    return found


def said(*layers: tuple[File, ...], writer: tuple[int, int] = NOBODY, **config: Any) -> dict[str, Any]:
    return facts(root_of(*layers), config, writer)


# Unpacking.


@pytest.mark.parametrize("pack", ["gzip", "zstd", ""])
@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_a_layer_is_unpacked_by_what_it_begins_with(pack: str, chunk: int) -> None:
    if pack == "zstd":
        pytest.importorskip("backports.zstd")
    packed = layer(File("etc/passwd", PASSWD), File("bin/sh", b"#!x", 0o755), pack=pack)
    assert [path for path, _ in taken(packed, chunk=chunk).puts] == ["etc/passwd", "bin/sh"]


def test_several_gzip_streams_and_padding_are_one_layer() -> None:
    whole = tar(File("a", b"x" * 2000), File("b"))
    body = gzip.compress(whole[:700]) + gzip.compress(whole[700:]) + bytes(600)
    assert len(taken(Blob(body, "")).puts) == 2


def test_without_a_decoder_of_zstd_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"\x28\xb5\x2f\xfd" + bytes(20)

    def no_zstd(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", no_zstd)
    with pytest.raises(RegistryError, match=r"^its layers are packed with zstd: pip install backports.zstd$"):
        list(unpack.unpacked([body]))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (gzip.compress(tar(File("a", os.urandom(3000))))[:-900], "a layer cannot be unpacked: it ends early"),
        (gzip.compress(tar(File("a")))[:-4] + b"abcd", "a layer cannot be unpacked: it is damaged"),
        (gzip.compress(b"no tar " * 200), "a layer is no tar that can be read"),
        (gzip.compress(tar(File("a", b"x" * 5000))[:3000]), "a layer ends early"),
        (tar(File("a", b"x" * 5000))[:700], "a layer ends early"),
        (bytes(512) + tar(File("a")), "a layer is no tar that can be read"),
        (b"x" * 100, "a layer is no tar that can be read"),
    ],
    ids=["truncated", "checksum", "no tar", "truncated inside", "truncated plain", "one empty block",
         "short"],
)  # fmt: skip
def test_what_is_damaged_is_one_line(body: bytes, problem: str) -> None:
    with pytest.raises(RegistryError, match=f"^{problem}$"):
        taken(Blob(body, ""))


def test_a_wrong_digest_discards_all_that_was_read() -> None:
    good = layer(File("etc/passwd", PASSWD))
    with pytest.raises(RegistryError, match=r"^a layer is not what its digest says$"):
        read([good.body], sha256(b"other"), Limits(), Spent(), lambda count: None)


def test_damage_and_a_wrong_digest_are_the_wrong_digest() -> None:
    with pytest.raises(RegistryError, match=r"^a layer is not what its digest says$"):
        read([b"x" * 600], sha256(b"other"), Limits(), Spent(), lambda count: None)


def test_what_follows_the_end_of_the_tar_belongs_to_the_digest() -> None:
    body = tar(File("a")) + b"x" * 5000
    assert len(taken(Blob(body, "")).puts) == 1


@pytest.mark.parametrize("digest", ["md5:" + "0" * 32, ""])
def test_a_layer_needs_a_digest(digest: str) -> None:
    with pytest.raises(RegistryError, match="named by no digest"):
        read([b""], digest, Limits(), Spent(), lambda count: None)


# Limits.


def bomb(size: int) -> Iterator[bytes]:
    """A gzip stream of one file of ``size`` zeros, made as it is read."""
    header = tarfile.TarInfo("zeros")
    header.size = size
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(header.tobuf())
    for _ in range(size >> 20):
        yield packer.compress(bytes(1 << 20))
    yield packer.flush()


@pytest.mark.slow
def test_a_bomb_is_stopped_at_its_limit_with_little_memory() -> None:
    body = b"".join(bomb(1 << 28))
    assert len(body) < 1 << 20
    tracemalloc.start()
    with pytest.raises(RegistryError) as caught:
        taken(Blob(body, ""), Limits(uncompressed=200 << 20), chunk=1 << 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value) == ("its layers unpack to more than 0.195 GiB, the limit (deep: in .harden.yaml sets it)")
    assert peak < 8 << 20


@pytest.mark.slow
def test_a_large_file_is_passed_over_with_little_memory() -> None:
    pieces: list[int] = []
    checksum = hashlib.sha256()
    for piece in bomb(1 << 28):
        checksum.update(piece)
    tracemalloc.start()
    read(bomb(1 << 28), f"sha256:{checksum.hexdigest()}", Limits(), Spent(), pieces.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
    assert 100_000 < sum(pieces) < 1 << 20


@pytest.mark.slow
@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_bomb_is_stopped_by_what_it_unpacks_to_for_its_size(pack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if pack == "zstd":
        pytest.importorskip("backports.zstd")
    monkeypatch.setattr(limits_module, "_A_LITTLE", 8 << 20)
    packed = layer(File("zeros", bytes(1 << 25)), pack=pack)
    with pytest.raises(RegistryError) as caught:
        taken(packed)
    assert str(caught.value) == (
        "a layer unpacks to more than 200 times its size, the limit (deep: in .harden.yaml sets it)"
    )
    assert len(taken(packed, Limits(ratio=100_000)).puts) == 1


def test_a_bomb_behind_a_large_layer_is_one_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "_A_LITTLE", 1 << 20)
    body = b"".join(bomb(1 << 22))
    with pytest.raises(RegistryError, match="more than 200 times its size"):
        read([body], f"sha256:{'0' * 64}", Limits(), Spent(1 << 30, 1 << 30), lambda count: None)


def test_a_layer_of_very_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_MOST_PARTS", 100)
    assert b"".join(unpack.unpacked([gzip.compress(b"x") * 100])) == b"x" * 100
    with pytest.raises(RegistryError, match="cut into too many parts"):
        list(unpack.unpacked([gzip.compress(b"") * 101]))


def test_a_header_of_very_many_records_is_refused_at_once() -> None:
    body = pax(b"6 a=b\n" * 174_000)
    with pytest.raises(RegistryError, match="no tar"):
        taken(Blob(body + tar(File("a")), ""))


def test_headers_without_end_before_a_member_are_refused() -> None:
    assert len(taken(Blob(pax(b"6 a=b\n") * 15 + tar(File("a")), "")).puts) == 1
    with pytest.raises(RegistryError, match="no tar"):
        taken(Blob(pax(b"6 a=b\n") * 16 + tar(File("a")), ""))


def pax(records: bytes) -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    return header.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (Limits(compressed=1000), "are larger than 0.000954 MiB"),
        (Limits(uncompressed=20_000), "unpack to more than 0.0191 MiB"),
        (Limits(members=99), "hold more than 99 files"),
    ],
    ids=["compressed", "uncompressed", "members"],
)
def test_each_limit_holds(limits: Limits, problem: str) -> None:
    many = layer(*(File(f"file-{number}", os.urandom(50)) for number in range(100)))
    assert len(taken(many).puts) == 100
    with pytest.raises(RegistryError, match=problem):
        taken(many, limits)


def test_limits_are_those_of_the_whole_image() -> None:
    one = layer(File("a", b"x" * 10_000))
    spent = Spent(members=4)
    with pytest.raises(RegistryError, match="more than 4 files"):
        read([one.body], one.digest, Limits(members=4), spent, lambda count: None)
    assert spent == Spent(members=4), "what was spent before is not changed"
    assert (taken(one).spent.compressed, taken(one).spent.members) == (len(one.body), 1)


def test_long_names_count_for_several() -> None:
    assert taken(layer(File("x" * 2500))).spent.members == 10
    with pytest.raises(RegistryError, match="names that no system takes"):
        taken(layer(File("a/" * 5000 + "b")))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_would_fill_the_memory_is_no_tar(kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 3 * GIB
    with pytest.raises(RegistryError, match="no tar"):
        taken(Blob(header.tobuf(tarfile.GNU_FORMAT), ""))


def test_links_that_lead_on_and_on_end() -> None:
    circle = root_of((File("a", target="b"), File("b", target="a"), File("c/d"), File("c/loop", target="../c/loop/x")))
    assert circle.find("/a") is None
    assert circle.find("/c/loop") is None
    assert circle.find("/c/d") is not None


def test_a_root_of_links_through_links_costs_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardener.lock.oci.image_root._MOST_STEPS", 20_000)
    spiral = [File(f"l{number}", target="./" * 500 + f"l{number + 1}") for number in range(38)]
    with pytest.raises(RegistryError, match="lead on and on"):
        root_of((*spiral, *(File(f"l0/x{number}") for number in range(100))))


# Tar.


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_format_of_tar_is_read(format: int) -> None:
    deep = "/".join(["folder"] * 12) + "/file"
    files = [File("plain", b"x" * 513, owner=(12, 34)), File(deep, b"#!"), File("link", target="plain"), File("d/")]
    found = list(tar_stream.members(iter([tar(*files, format=format)]), lambda name, size: 2))
    assert [(each.name, each.kind, each.target) for each in found] == [
        ("plain", "file", ""), (deep, "file", ""), ("link", "symlink", "plain"), ("d", "folder", ""),
    ]  # fmt: skip
    assert (found[0].uid, found[0].gid, found[0].start, found[1].start) == (12, 34, b"xx", b"#!")


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_large_numbers(format: int) -> None:
    name, target = "n" * 300, "t" * 300
    body = tar(File(name, target=target, owner=(3_000_000, 4_000_000)), File("after"), format=format)
    first, after = tar_stream.members(iter([body]), lambda name, size: 0)
    assert (first.name, first.target, first.uid, first.gid) == (name, target, 3_000_000, 4_000_000)
    assert after.name == "after"


def test_a_sparse_file_of_gnu_is_passed_over() -> None:
    header = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    header[124:136], header[156:157], header[482] = b"00000000010\0", tarfile.GNUTYPE_SPARSE, 1
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    more = bytearray(512)
    more[504] = 0
    body = bytes(header) + bytes(more) + b"8 bytes.".ljust(512, b"\0") + tar(File("after"))
    assert [each.name for each in tar_stream.members(iter([body]), lambda *_: 0)] == ["sparse", "after"]


@pytest.mark.parametrize(
    "record", [b"6 a=b\n", b"99 path=x\n", b"path=x\n", b"x path=y\n", b"11 path=xyz", b"12 uid=x234\n", b"9 uid=-1\n"]
)
def test_a_pax_header_that_is_none_is_no_tar(record: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(record)
    body = header.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar(File("a", b"12"))
    if record == b"6 a=b\n":
        assert len(taken(Blob(body, "")).puts) == 1
        return
    with pytest.raises(RegistryError, match="no tar"):
        taken(Blob(body, ""))


# Whiteouts and links.


def test_a_whiteout_takes_away_what_lower_layers_have() -> None:
    lower = (File("etc/passwd", PASSWD), File("opt/app/x"), File("opt/app/y"), File("opt/other"))
    upper = (File("etc/.wh.passwd"), File("opt/.wh.app"), File(".wh.none"), File("new/.wh..wh.plnk"))
    assert paths(root_of(lower, upper)) == {"/etc/", "/opt/", "/opt/other"}


def test_an_opaque_folder_keeps_what_its_own_layer_has_wherever_the_mark_stands() -> None:
    lower = (File("data/"), File("data/old"), File("data/sub/old"))
    upper = (File("data/new"), File("data/sub/"), File("data/.wh..wh..opq"))
    assert paths(root_of(lower, upper)) == {"/data/", "/data/new", "/data/sub/"}


def test_a_whiteout_is_about_lower_layers_only() -> None:
    assert paths(root_of((File("a"),), (File("a", b"new"), File(".wh.a")))) == {"/a"}
    assert paths(root_of((File("a"),), (File(".wh.a"),), (File("a"),))) == {"/a"}


def test_a_later_layer_wins() -> None:
    root = root_of(
        (File("x/", owner=(1, 1)), File("x/a"), File("file"), File("link", target="x")),
        (File("x/", owner=(2, 2)), File("file/"), File("link/"), File("link/b")),
    )
    assert paths(root) == {"/x/", "/x/a", "/file/", "/link/", "/link/b"}
    assert isinstance(folder := root.find("/x"), Folder) and folder.inode.uid == 2


def test_a_folder_of_a_path_may_be_a_link() -> None:
    root = root_of(
        (File("usr/bin/sh", b"x", 0o755), File("bin", target="usr/bin")), (File("bin/new"), File("bin/.wh.sh"))
    )
    assert paths(root) == {"/usr/", "/usr/bin/", "/usr/bin/new", "/bin"}


def test_a_hard_link_is_the_file_itself() -> None:
    root = root_of((File("etc/real-passwd", PASSWD), File("etc/passwd", target="etc/real-passwd", hard=True)))
    assert facts(root, {"User": "nginx"}, NOBODY)["uid"] == 101
    assert paths(root_of((File("a", target="nowhere", hard=True), File("f/"), File("b", target="f", hard=True)))) == {
        "/f/"
    }


@pytest.mark.parametrize(
    "name", ["../../etc/x", "/../etc/x", "etc/../../../etc/x", "/etc/x", "./etc/./x", "a/../etc/x"]
)
def test_no_path_leads_out_of_the_root(name: str) -> None:
    assert paths(root_of((File("a/"), File(name)))) == {"/a/", "/etc/", "/etc/x"}


@pytest.mark.parametrize("target", ["/etc", "../../../../etc", "/../../etc", "../etc"])
def test_no_link_leads_out_of_the_root(target: str) -> None:
    root = root_of((File("etc/"), File("out", target=target)), (File("out/passwd", PASSWD),))
    assert paths(root) == {"/etc/", "/etc/passwd", "/out"}


@pytest.mark.parametrize("name", ["..", ".", "/", "", "a/.."])
def test_a_name_that_is_none_changes_nothing_but_the_root_itself(name: str) -> None:
    assert paths(root_of((File(name + "/"),))) <= {"/a/"}


def test_nothing_is_ever_written(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = layer(File("../../tmp/evil", b"x"), File("a", target="/etc/passwd", hard=True), File("dev/x", b"x"))

    def opened(*arguments: object, **named: object) -> None:
        raise AssertionError(arguments)

    for name in ("open", "mkdir", "symlink", "link", "mknod"):
        monkeypatch.setattr(os, name, opened)
    monkeypatch.setattr("builtins.open", opened)
    taken(packed)


# Who a user is.


@pytest.mark.parametrize(
    ("user", "account"),
    [
        ("", Account(0, 0, frozenset({0}))),
        ("root", Account(0, 0, frozenset({0}))),
        ("nginx", Account(101, 102, frozenset({102, 33}))),
        ("101", Account(101, 102, frozenset({102, 33}))),
        ("nginx:www-data", Account(101, 33, frozenset({33}))),
        ("nginx:7", Account(101, 7, frozenset({7, 33}))),
        ("5000", Account(5000, 0, frozenset({0}))),
        ("5000:6000", Account(5000, 6000, frozenset({6000}))),
        ("ghost", None),
        ("nginx:ghosts", None),
        ("4294967295", None),
        ("twice", Account(1, 1, frozenset({1}))),
        ("broken", None),
        ("short", None),
    ],
)
def test_a_user_by_the_files_of_the_image(user: str, account: Account | None) -> None:
    more = b"# comment\n+nis\n\ntwice:x:1:1:::\ntwice:x:2:2:::\nbroken:x:abc:1:::\nshort:x\n\xff\xfe\n"
    assert resolve(user, PASSWD + more, GROUP) == account


def test_without_its_files_an_image_knows_numbers_and_root() -> None:
    assert resolve("nginx", b"", b"") is None
    assert resolve("1000", b"", b"") == Account(1000, 0, frozenset({0}))


@pytest.mark.parametrize(
    "files",
    [
        (File("etc/passwd", PASSWD),),
        (File("usr/share/base/passwd", PASSWD), File("etc/passwd", target="../usr/share/base/passwd")),
        (File("usr/share/base/passwd", PASSWD), File("etc/passwd", target="/usr/share/base/passwd")),
        (File("usr/etc/passwd", PASSWD), File("etc", target="usr/etc")),
        (File("nix/store/abc-passwd", PASSWD), File("etc/passwd", target="/nix/store/abc-passwd")),
        (File("etc/passwd", b"nginx:x:9:9:::\n"), File("etc/passwd", PASSWD)),
    ],
    ids=["file", "relative link", "absolute link", "linked folder", "another name", "twice"],
)
def test_passwd_is_found_through_links(files: tuple[File, ...]) -> None:
    assert said(files, User="nginx")["uid"] == 101


def test_a_passwd_file_that_a_later_layer_hides_is_gone() -> None:
    assert "uid" not in said((File("etc/passwd", PASSWD),), (File("etc/.wh.passwd"),), User="nginx")
    assert "uid" not in said((File("etc/passwd", target="/proc/1/root/etc/passwd"),), User="nginx")


def test_a_huge_passwd_file_is_not_read() -> None:
    assert "uid" not in said((File("etc/passwd", PASSWD + b"x:x:1:1:::\n" * 40_000),), User="nginx")


# Capabilities and setuid programs.


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (capability(10), "NET_BIND_SERVICE=ep"),
        (capability(10, effective=False), "NET_BIND_SERVICE=p"),
        (capability(12, 13), "NET_ADMIN,NET_RAW=ep"),
        (capability(40), "CHECKPOINT_RESTORE=ep"),
        (capability(63), "CAP_63=ep"),
        (capability(10, version=3), "NET_BIND_SERVICE=ep"),
        (capability(10, version=3, root=1000), ""),
        (struct.pack("<III", 1 << 24 | 1, 1 << 10, 0), "NET_BIND_SERVICE=ep"),
        (struct.pack("<I4I", 2 << 24 | 1, 1 << 10, 1 << 13, 0, 0), "NET_RAW=ei NET_BIND_SERVICE=ep"),
        (struct.pack("<I4I", 2 << 24 | 1, 1 << 10, 1 << 10, 0, 0), "NET_BIND_SERVICE=eip"),
        (capability(), ""),
        (b"", ""),
        (b"\x01\x00\x00\x02", ""),
        (capability(10) + b"x", ""),
        (b"\x01\x00\x00\x09" + bytes(16), ""),
    ],
)
def test_a_capability_of_a_file(raw: bytes, text: str) -> None:
    assert capability_of(raw) == text


def test_programs_with_privileges() -> None:
    caddy = File("usr/bin/caddy", b"\x7fELF", 0o755, capability=capability(10))
    found = said(
        (
            caddy, File("usr/bin/su", b"x", 0o4755), File("usr/bin/mine", b"x", 0o4755, owner=(1, 1)),
            File("usr/bin/off", b"x", 0o4644), File("opt/data", b"x", 0o644, capability=capability(13)),
            File("etc/passwd", PASSWD), File("bin", target="usr/bin"), File("run.sh", b"#!/bin/sh\n", 0o755),
        ),
        User="nginx", Entrypoint=["/run.sh"], Cmd=["caddy", "--port", "80"],
    )  # fmt: skip
    assert found["starts"] == ["/run.sh", "/usr/bin/caddy"]
    assert found["script"] is True
    assert found["capabilities"] == {"/usr/bin/caddy": "NET_BIND_SERVICE=ep"}
    assert found["setuid"] == ["/usr/bin/su"]


@pytest.mark.parametrize("name", ["python3.12", "node", "busybox", "java"])
def test_an_interpreter_may_start_others(name: str) -> None:
    assert said((File(f"usr/bin/{name}", b"\x7fELF", 0o755),), Cmd=[name])["script"] is True


def test_a_file_that_is_written_anew_loses_its_capability() -> None:
    caddy = File("bin/caddy", b"\x7fELF", 0o755, capability=capability(10))
    assert said((caddy,), (File("bin/caddy", b"\x7fELF", 0o755),), Cmd=["caddy"])["capabilities"] == {}


@pytest.mark.parametrize(
    ("config", "starts", "script"),
    [
        ({"Cmd": ["/bin/app"]}, ["/bin/app"], False),
        ({"Cmd": ["app", "daemon off;"], "Env": ["PATH=/opt:/bin"]}, ["/bin/app"], False),
        ({"Cmd": ["app"], "Env": ["PATH=/opt"]}, [], True),
        ({"Cmd": ["./app"], "WorkingDir": "/bin"}, ["/bin/app"], False),
        ({"Cmd": ["/bin/sh", "-c", "exec app --serve"]}, ["/bin/sh", "/bin/app"], True),
        ({"Entrypoint": ["tini", "--"], "Cmd": ["app"]}, ["/bin/tini", "/bin/app"], False),
        ({"Cmd": ["/bin/data"]}, [], True),
        ({"Cmd": ["/bin"]}, [], True),
        ({}, [], True),
        ({"Cmd": None, "Entrypoint": [1]}, [], True),
    ],
)
def test_the_programs_that_an_image_starts(config: dict[str, Any], starts: list[str], script: bool) -> None:
    files = (File("bin/app", b"\x7fELF", 0o755), File("bin/sh", b"\x7fELF", 0o755), File("bin/tini", b"x", 0o755))
    found = said((*files, File("bin/data", b"x")), **config)
    assert (found["starts"], found.get("script", False)) == (starts, script)


# Folders.

MINE = (101, 102)
TREE = (
    File("etc/passwd", PASSWD), File("etc/group", GROUP), File("tmp/", mode=0o1777), File("var/tmp/", mode=0o1777),
    File("var/cache/nginx/", owner=MINE), File("var/lib/app/", owner=MINE), File("var/lib/app/file"),
    File("var/lib/app/sub/", owner=MINE), File("var/log/app.log", owner=MINE),
    File("srv/read-only/", mode=0o555, owner=MINE),
    File("srv/group/", mode=0o775, owner=(0, 33)), File("srv/no-group/", mode=0o775, owner=(0, 7)),
    File("root/", mode=0o700), File("root/mine/", owner=MINE), File("proc/", owner=MINE),
    File("srv/link", target="/var"),
)  # fmt: skip


def test_where_a_user_may_write() -> None:
    found = said(TREE, User="nginx")
    assert found["empty"] == ["/srv/group", "/var/cache/nginx", "/var/lib/app/sub", "/var/tmp"]
    assert found["occupied"] == ["/var/lib/app", "/var/log"]
    assert "writer" not in found


def test_the_root_itself_may_be_written_to() -> None:
    mine = said((File("./", owner=MINE), File("etc/passwd", PASSWD), File("srv/", owner=MINE)), User="nginx")
    assert (mine["empty"], mine["occupied"]) == (["/srv"], ["/"])


@pytest.mark.parametrize(
    ("files", "occupied"),
    [
        ((File("tmp/", mode=0o1777),), []),
        ((File("tmp/app.jar"),), ["/tmp"]),
        ((File("var/tmp/left"), File("tmp", target="var/tmp")), ["/tmp"]),
        ((File("tmp/left"), File("tmp/.wh.left")), ["/tmp"]),
    ],
    ids=["empty", "a file", "through a link", "a whiteout of a lower layer"],
)
def test_files_in_tmp_are_told_as_a_volume_hides_them(files: tuple[File, ...], occupied: list[str]) -> None:
    assert said((File("etc/passwd", PASSWD), *files), User="nginx")["occupied"] == occupied


@pytest.mark.parametrize(
    ("user", "writer"), [("101:7", NOBODY), ("nginx:7", NOBODY), ("", (101, 0))], ids=["number", "name", "root"]
)
def test_folders_of_the_group_that_the_number_alone_would_get_count(user: str, writer: tuple[int, int]) -> None:
    tree = (File("etc/passwd", PASSWD), File("etc/group", GROUP), File("srv/", mode=0o775, owner=(0, 102)))
    assert said(tree, User=user, writer=writer)["empty"] == ["/srv"]


def test_an_image_of_root_tells_it_of_the_user_that_it_would_get() -> None:
    found = said(TREE, writer=(101, 102))
    assert (found["writer"], found["empty"][:2]) == (101, ["/srv/group", "/var/cache/nginx"])
    assert "uid" not in found
    nobody = said(TREE)
    assert (nobody["writer"], nobody["empty"], nobody["occupied"]) == (65532, ["/var/tmp"], [])
    # A name for number 0 is root.
    toor = said((File("etc/passwd", b"toor:x:0:0:::\n"),), User="toor")
    assert (toor["uid"], toor["writer"]) == (0, 65532)


def test_a_user_without_a_number_is_told_nothing_of() -> None:
    found = said(TREE, User="ghost")
    assert found.keys() == {"starts", "script", "capabilities", "setuid"}


def test_what_a_lock_cannot_hold_is_written_out() -> None:
    found = said((File("etc/passwd", PASSWD), File("bad\nname/", owner=MINE), File("ünï/", owner=MINE)), User="nginx")
    assert found["empty"] == ["/bad\\x0aname", "/ünï"]


def test_of_very_many_folders_the_highest_are_told() -> None:
    many = (File(f"a/b/{number:03}/", owner=MINE) for number in range(100))
    found = said((File("etc/passwd", PASSWD), File("z/", owner=MINE), *many), User="nginx")
    assert len(found["empty"]) == 64
    assert "/z" in found["empty"]


@pytest.mark.slow
@given(st.data())
@settings(max_examples=200)
def test_no_bytes_do_more_than_fail(data: st.DataObject) -> None:
    body = bytearray(tar(*TREE, File("n" * 200, capability=capability(10)), format=data.draw(st.sampled_from((1, 2)))))
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=8)):
        body[at] = data.draw(st.integers(0, 255))
    packed = Blob(gzip.compress(bytes(body)) if data.draw(st.booleans()) else bytes(body), "")
    try:
        found = taken(packed)
    except RegistryError:
        return
    root = ImageRoot()
    root.put(found)
    facts(root, {"User": "nginx", "Cmd": ["sh"]}, NOBODY)
