"""One layer: what it puts into the root of an image and takes away, as little of it as facts need."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from hardener.kubernetes.pods.capabilities import BY_BIT
from hardener.lock.oci.image_secrets import may_hold_secret, secret_in
from hardener.lock.oci.limits import Limits, Spent, TooMuch, Unreadable
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.tar_stream import Member, members
from hardener.lock.oci.unpack import unpacked

_MARK = ".wh."
_OPAQUE = ".wh..wh..opq"
_LARGEST_LIST = 1 << 18  # bytes of a file of accounts that is read
_MOST_LISTS = 1 << 22  # bytes of those of one layer
_LARGEST_SECRET = 1 << 16  # bytes of a file that may hold credentials
_LONGEST_PATH = 8192  # of a name and what it links to; Linux takes 4096 of each
_START = 2  # bytes that tell a script
# Lines of passwd and group begin so, under whatever name: the file may be reached by a link.
_ACCOUNTS = re.compile(rb"[^:\n]*:[^:\n]*:\d*:")
_LIST_NAMES = frozenset({"passwd", "group"})
# Capabilities of a program file. Source: include/uapi/linux/capability.h (struct vfs_cap_data, vfs_ns_cap_data).
_EFFECTIVE = 1
_WORDS = {1: (1, 12), 2: (2, 20), 3: (2, 24)}  # by version: pairs of 32 bits, and bytes of it all


class Inode(Struct, frozen=True):
    """What stands behind a name. ``kind``: file, folder, symlink or other. ``target``: of a symlink.

    ``capability``: as ``capability_of`` writes it. ``accounts``: the content of what may be a passwd or group file.
    """

    kind: str
    mode: int
    uid: int
    gid: int
    target: str = ""
    capability: str = ""
    script: bool = False
    accounts: bytes | None = None


class Layer(Struct, frozen=True):
    """``puts``: paths with what is put there, a text for a hard link to that path; ``hides``: paths of lower layers
    that go, ``opaque``: folders of lower layers whose content goes. Paths are as they stand in the layer. ``spent`` is
    what this layer alone took. ``secrets``: the files that hold a credential, each with what it is."""

    puts: list[tuple[str, Inode | str]]
    hides: list[str]
    opaque: list[str]
    spent: Spent
    secrets: list[tuple[str, str]] = []


def read(chunks: Iterable[bytes], digest: str, limits: Limits, taken: Spent, tell: Callable[[int], object]) -> Layer:
    """The layer that ``chunks`` make up, as they are sent; ``taken``: what layers before it took of ``limits``;
    ``tell`` hears of each piece how long it was.

    Raises RegistryError beyond a limit, for what is no layer, and where ``digest`` is not its digest: then nothing of
    it is to be believed.
    """
    algorithm = digest.partition(":")[0]
    if algorithm not in ("sha256", "sha512"):
        raise Unreadable("a layer is named by no digest")
    checksum = hashlib.new(algorithm)
    total = Spent(taken.compressed, taken.uncompressed, taken.members)

    def sent() -> Iterator[bytes]:
        for chunk in chunks:
            checksum.update(chunk)
            tell(len(chunk))
            total.compressed += len(chunk)
            total.check(limits)
            yield chunk

    def inflated() -> Iterator[bytes]:
        for piece in unpacked(source):
            total.uncompressed += len(piece)
            total.check(limits)
            total.check_ratio(limits, taken)
            yield piece

    source = sent()
    layer = Layer([], [], [], total)
    damage = _fill(layer, members(inflated(), _Wanted()), limits)
    for _ in source:  # what follows the tar belongs to the digest, too
        pass
    if f"{algorithm}:{checksum.hexdigest()}" != digest:
        raise RegistryError("a layer is not what its digest says")
    if damage is not None:
        raise Unreadable(str(damage))
    total.take_off(taken)
    return layer


def _fill(layer: Layer, found: Iterator[Member], limits: Limits) -> RegistryError | None:
    """Put ``found`` into ``layer``; what is wrong with it, if anything. Raises TooMuch."""
    try:
        for member in found:
            layer.spent.members += _weight(member)
            if layer.spent.members > limits.members:
                layer.spent.check(limits)
            _take(layer, member)
    except TooMuch:
        raise
    except RegistryError as failure:
        return failure
    return None


def _weight(member: Member) -> int:
    """How many members it counts for: names cost memory, too."""
    length = len(member.name) + len(member.target)
    if length > _LONGEST_PATH:
        raise RegistryError("a layer has names that no system takes")
    return 1 + length // 256


class _Wanted:
    """How much of a file is kept while its layer is read: its first bytes, all of what may list accounts or hold a
    credential."""

    def __init__(self) -> None:
        self._left = _MOST_LISTS

    def __call__(self, name: str, size: int) -> int:
        if size <= _LARGEST_LIST <= self._left and _may_list(name):
            self._left -= size
            return size
        if size <= _LARGEST_SECRET <= self._left and may_hold_secret(name):
            self._left -= size
            return size
        return _START


def _may_list(name: str) -> bool:
    last = name.rpartition("/")[2]
    return any(word in last for word in _LIST_NAMES)


def _take(layer: Layer, member: Member) -> None:
    name = member.name.rstrip("/")
    folder, _, last = name.rpartition("/")
    if last == _OPAQUE:
        layer.opaque.append(folder)
    elif last.startswith(_MARK):
        if not last.startswith(_MARK * 2):  # what begins so are notes of aufs
            layer.hides.append(f"{folder}/{last.removeprefix(_MARK)}")
    elif member.kind == "link":
        layer.puts.append((name, member.target))
    else:
        layer.puts.append((name, _inode(member)))
        if len(member.start) > _START and may_hold_secret(name) and (what := secret_in(name, member.start)):
            layer.secrets.append((name, what))


def _inode(member: Member) -> Inode:
    capability = capability_of(member.capability) if member.capability is not None and member.kind == "file" else ""
    accounts = member.start if _may_list(member.name) and _ACCOUNTS.match(member.start) else None
    script = member.start.startswith(b"#!")
    target = member.target if member.kind == "symlink" else ""
    if not (capability or accounts or target):
        return _plain(member.kind, member.mode, member.uid, member.gid, script)
    return Inode(member.kind, member.mode, member.uid, member.gid, target, capability, script, accounts)


def capability_of(raw: bytes) -> str:
    """What the xattr security.capability says as getcap prints it, without ``cap_``, in capitals, such as
    ``NET_ADMIN,NET_RAW=eip``; "" for none, and for what the kernel of a node takes for none."""
    magic = int.from_bytes(raw[:4], "little")
    version = magic >> 24
    count, length = _WORDS.get(version, (0, 0))
    if not count or len(raw) != length:
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
            name = BY_BIT[number] if number < len(BY_BIT) else f"CAP_{number}"
            by_flags.setdefault(("e" if magic & _EFFECTIVE else "") + flags, []).append(name)
    return " ".join(f"{','.join(names)}={flags}" for flags, names in sorted(by_flags.items()))


def _plain(kind: str, mode: int, uid: int, gid: int, script: bool) -> Inode:
    """Most files are alike: one record stands for all of them."""
    key = (kind, mode, uid, gid, script)
    found = _alike.get(key)
    if found is None:
        if len(_alike) > 10_000:
            _alike.clear()
        found = _alike[key] = Inode(kind, mode, uid, gid, script=script)
    return found


_alike: dict[tuple[str, int, int, int, bool], Inode] = {}
