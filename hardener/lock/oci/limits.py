"""How much of an image is read: what a hostile or huge one costs stays bounded."""

from __future__ import annotations

from msgspec import Struct

from hardener.lock.oci.registry_error import RegistryError

GIB = 1 << 30


class Unreadable(RegistryError):
    """The files of an image cannot be read, from whatever registry it comes."""


class TooMuch(Unreadable):
    """An image goes beyond a limit."""


class Limits(Struct, frozen=True):
    """The most that one image may have: bytes of its layers ``compressed``, as they are sent, bytes ``uncompressed``,
    and ``members``, the files and folders in them; a long name counts for several. ``ratio``: how many times its size a
    layer may unpack to, once that is more than a little."""

    compressed: int = 2 * GIB
    uncompressed: int = 8 * GIB
    members: int = 500_000
    ratio: int = 200


class Spent(Struct):
    """What one layer, or all layers of an image so far, took of the limits."""

    compressed: int = 0
    uncompressed: int = 0
    members: int = 0

    def add(self, other: Spent) -> None:
        self.compressed += other.compressed
        self.uncompressed += other.uncompressed
        self.members += other.members

    def take_off(self, other: Spent) -> None:
        self.add(Spent(-other.compressed, -other.uncompressed, -other.members))

    def check_ratio(self, limits: Limits, before: Spent) -> None:
        """The same of how far the layer after ``before`` unpacks. Raises TooMuch."""
        unpacked = self.uncompressed - before.uncompressed
        if unpacked > max(_A_LITTLE, limits.ratio * (self.compressed - before.compressed)):
            raise TooMuch(f"a layer unpacks to more than {limits.ratio:,} times its size{_REMEDY}")

    def check(self, limits: Limits) -> None:
        """Raises TooMuch beyond a limit."""
        if self.compressed > limits.compressed:
            raise TooMuch(f"its layers are larger than {_size(limits.compressed)}{_REMEDY}")
        if self.uncompressed > limits.uncompressed:
            raise TooMuch(f"its layers unpack to more than {_size(limits.uncompressed)}{_REMEDY}")
        if self.members > limits.members:
            raise TooMuch(f"its layers hold more than {limits.members:,} files{_REMEDY}")


_A_LITTLE = 512 << 20  # bytes that a layer may unpack to whatever its size: a file may be all zeros
_REMEDY = ", the limit (deep: in .harden.yaml sets it)"


def _size(count: int) -> str:
    return f"{count / GIB:.3g} GiB" if count >= GIB // 10 else f"{count / (1 << 20):.3g} MiB"
